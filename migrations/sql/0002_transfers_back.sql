DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.shipment) OR EXISTS (SELECT FROM stockpile.consignment WHERE end_user_certificate IS NOT NULL) THEN
        RAISE EXCEPTION 'the books hold shipments or end-user certificates, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP FUNCTION stockpile.rejections(uuid[]);
DROP FUNCTION stockpile.consignments_of(uuid[]);
DROP FUNCTION stockpile.withdraw_excess(uuid);
DROP FUNCTION stockpile.shipments_under_way();
DROP FUNCTION stockpile.shipment_lines(uuid[], uuid[]);
DROP FUNCTION stockpile.names_shipment(jsonb, uuid, uuid, text, uuid);
DROP FUNCTION stockpile.may_read_shipment(uuid, uuid);
DROP TABLE stockpile.carrier_hand_over;
DROP TABLE stockpile.shipment;
ALTER TABLE stockpile.consignment DROP COLUMN end_user_certificate;

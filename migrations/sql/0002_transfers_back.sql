DROP FUNCTION stockpile.rejections(uuid[]);
DROP FUNCTION stockpile.consignments_of(uuid[]);
DROP FUNCTION stockpile.shipments_under_way();
DROP FUNCTION stockpile.shipment_lines(uuid[], uuid[]);
DROP FUNCTION stockpile.may_read_shipment(uuid, uuid);
DROP TABLE stockpile.carrier_hand_over;
DROP TABLE stockpile.shipment;
ALTER TABLE stockpile.consignment DROP COLUMN end_user_certificate;

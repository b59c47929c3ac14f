DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.register WHERE mapping IS NOT NULL) THEN
        RAISE EXCEPTION 'the books hold registers read in our fields, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP POLICY poster_reads ON stockpile.register_line;
DROP POLICY poster_adds ON stockpile.register_line;
DROP POLICY registrar_reads ON stockpile.register_line;
DROP POLICY registrar_adds ON stockpile.register_line;
CREATE POLICY registrar ON stockpile.register_line TO stockpile_registrar USING (true);
CREATE POLICY poster ON stockpile.register_line TO stockpile_poster
    USING (EXISTS (SELECT FROM stockpile.register r WHERE r.register_id = register_line.register_id));
DROP TRIGGER complete ON stockpile.register;
DROP FUNCTION stockpile.register_complete();
DROP FUNCTION stockpile.closed_registers();
ALTER TABLE stockpile.register_line DROP CONSTRAINT register_line_quantity;
ALTER TABLE stockpile.register_line DROP COLUMN serial_number, DROP COLUMN serial_key, DROP COLUMN maker, DROP COLUMN model,
    DROP COLUMN quantity, DROP COLUMN shipped_on, DROP COLUMN received_on, DROP COLUMN dated_on, DROP COLUMN unit, DROP COLUMN holder,
    DROP COLUMN condition;
ALTER TABLE stockpile.register DROP COLUMN source, DROP COLUMN mapping;

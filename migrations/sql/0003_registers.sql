-- What a line of a list says, in our fields, beside its cells: what two lists are compared by.
ALTER TABLE stockpile.register ADD COLUMN source TEXT;
ALTER TABLE stockpile.register ADD COLUMN mapping JSONB;
COMMENT ON COLUMN stockpile.register.source IS 'whose lists have these columns and names of models';
COMMENT ON COLUMN stockpile.register.mapping IS 'which column is which of our fields; none: its lines were not read in our fields';
ALTER TABLE stockpile.register_line ADD COLUMN serial_number TEXT;
ALTER TABLE stockpile.register_line ADD COLUMN serial_key TEXT;
ALTER TABLE stockpile.register_line ADD COLUMN maker TEXT;
ALTER TABLE stockpile.register_line ADD COLUMN model TEXT;
ALTER TABLE stockpile.register_line ADD COLUMN quantity BIGINT;
ALTER TABLE stockpile.register_line ADD COLUMN shipped_on DATE;
ALTER TABLE stockpile.register_line ADD COLUMN received_on DATE;
ALTER TABLE stockpile.register_line ADD COLUMN dated_on DATE;
ALTER TABLE stockpile.register_line ADD COLUMN unit TEXT;
ALTER TABLE stockpile.register_line ADD COLUMN holder TEXT;
ALTER TABLE stockpile.register_line ADD COLUMN condition TEXT;
ALTER TABLE stockpile.register_line ADD CONSTRAINT register_line_quantity CHECK (quantity >= 0);
COMMENT ON COLUMN stockpile.register_line.maker IS 'as the list says it, as the model; its meaning may be settled later';
COMMENT ON COLUMN stockpile.register_line.dated_on IS 'a day of which the list does not say whether it is that of shipping or of receipt';
COMMENT ON COLUMN stockpile.register_line.unit IS 'in capitals; as written it stands in the cells, as the holder';

-- A register's row comes after its lines, and closes them: whoever may add registers adds nothing to one that is there.
CREATE FUNCTION stockpile.register_closed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM register r WHERE r.register_id IN (SELECT register_id FROM added)) THEN
        RAISE EXCEPTION 'lines of a register are never added later' USING ERRCODE = 'check_violation', CONSTRAINT = 'register_closed';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER closed AFTER INSERT ON stockpile.register_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.register_closed();
CREATE FUNCTION stockpile.register_complete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
BEGIN
    IF NEW.line_count <> (SELECT count(*) FROM register_line l WHERE l.register_id = NEW.register_id) THEN
        RAISE EXCEPTION 'a register has as many lines as it says' USING ERRCODE = 'check_violation', CONSTRAINT = 'register_complete';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER complete AFTER INSERT ON stockpile.register FOR EACH ROW EXECUTE FUNCTION stockpile.register_complete();
REVOKE EXECUTE ON FUNCTION stockpile.register_closed(), stockpile.register_complete() FROM PUBLIC;

-- Lines come before their register; they are read with it. One hashed look at the registers, not one a line.
DROP POLICY poster ON stockpile.register_line;
CREATE POLICY poster_reads ON stockpile.register_line FOR SELECT TO stockpile_poster
    USING (register_id IN (SELECT r.register_id FROM stockpile.register r));
CREATE POLICY poster_adds ON stockpile.register_line FOR INSERT TO stockpile_poster WITH CHECK (true);

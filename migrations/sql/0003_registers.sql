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
CREATE FUNCTION stockpile.closed_registers() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS
$$ SELECT register_id FROM register $$;
CREATE FUNCTION stockpile.register_complete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
BEGIN
    IF NEW.line_count <> (SELECT count(*) FROM register_line l WHERE l.register_id = NEW.register_id) THEN
        RAISE EXCEPTION 'a register has as many lines as it says' USING ERRCODE = 'check_violation', CONSTRAINT = 'register_complete';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER complete AFTER INSERT ON stockpile.register FOR EACH ROW EXECUTE FUNCTION stockpile.register_complete();
REVOKE EXECUTE ON FUNCTION stockpile.closed_registers(), stockpile.register_complete() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.closed_registers() TO stockpile_poster, stockpile_registrar;

-- One hashed look at the registers a statement, not one a line.
DROP POLICY poster ON stockpile.register_line;
DROP POLICY registrar ON stockpile.register_line;
CREATE POLICY poster_reads ON stockpile.register_line FOR SELECT TO stockpile_poster
    USING (register_id IN (SELECT r.register_id FROM stockpile.register r));
CREATE POLICY poster_adds ON stockpile.register_line FOR INSERT TO stockpile_poster
    WITH CHECK (register_id NOT IN (SELECT stockpile.closed_registers()));
CREATE POLICY registrar_reads ON stockpile.register_line FOR SELECT TO stockpile_registrar USING (true);
CREATE POLICY registrar_adds ON stockpile.register_line FOR INSERT TO stockpile_registrar
    WITH CHECK (register_id NOT IN (SELECT stockpile.closed_registers()));

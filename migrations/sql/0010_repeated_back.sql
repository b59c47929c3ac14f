-- The older schema notes which lines repeat a number.
CREATE TABLE stockpile.register_repeated (
    register_id UUID NOT NULL,
    line INTEGER NOT NULL,
    CONSTRAINT register_repeated_pkey PRIMARY KEY (register_id, line)
);
COMMENT ON TABLE stockpile.register_repeated IS 'Lines of a list whose serial number stands on another of its lines too.';
INSERT INTO stockpile.register_repeated (register_id, line)
SELECT register_id, line
FROM (SELECT register_id, line, count(*) OVER (PARTITION BY register_id, serial_key) AS times
      FROM stockpile.register_line WHERE serial_key IS NOT NULL AND rejected IS NULL) l
WHERE times > 1;
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.register_repeated FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
GRANT SELECT, INSERT ON stockpile.register_repeated TO stockpile_poster, stockpile_registrar;
GRANT SELECT ON stockpile.register_repeated TO stockpile_auditor, stockpile_verifier;
ALTER TABLE stockpile.register_repeated ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor ON stockpile.register_repeated FOR SELECT TO stockpile_auditor USING (true);
CREATE POLICY verifier ON stockpile.register_repeated FOR SELECT TO stockpile_verifier USING (true);
CREATE POLICY registrar_reads ON stockpile.register_repeated FOR SELECT TO stockpile_registrar USING (true);
CREATE POLICY registrar_adds ON stockpile.register_repeated FOR INSERT TO stockpile_registrar
    WITH CHECK (register_id NOT IN (SELECT stockpile.closed_registers()));
CREATE POLICY poster_reads ON stockpile.register_repeated FOR SELECT TO stockpile_poster
    USING (register_id IN (SELECT r.register_id FROM stockpile.register r));
CREATE POLICY poster_adds ON stockpile.register_repeated FOR INSERT TO stockpile_poster
    WITH CHECK (register_id NOT IN (SELECT stockpile.closed_registers()));

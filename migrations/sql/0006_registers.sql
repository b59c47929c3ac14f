-- Lines whose number stands on another line of their list too: found once, when the list is kept, not anew for each comparison.
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

-- Who imported a list, as its leaf commits it: so that the leaf can be made anew when that person was erased.
ALTER TABLE stockpile.register ADD COLUMN imported_by_version INTEGER;
ALTER TABLE stockpile.register ADD COLUMN imported_by_digest BYTEA;
ALTER TABLE stockpile.register ADD CONSTRAINT register_importer CHECK ((imported_by_version IS NULL) = (imported_by_digest IS NULL));
ALTER TABLE stockpile.register ADD CONSTRAINT register_importer_digest CHECK (octet_length(imported_by_digest) = 32);
COMMENT ON COLUMN stockpile.register.imported_by_version IS 'of the name; none: kept before it was noted, by somebody erased since';
COMMENT ON COLUMN stockpile.register.imported_by_digest IS 'the field''s digest, salted by the party''s secret and this register';

-- What people say of near matches: one weapon, misread, or two. It holds for every later run of the audit's name.
CREATE TABLE stockpile.audit_judgement (
    judgement_id UUID NOT NULL,
    audit_id UUID NOT NULL,
    model_key UUID NOT NULL,
    left_key TEXT NOT NULL,
    right_key TEXT NOT NULL,
    judged TEXT NOT NULL,
    reason TEXT NOT NULL,
    judged_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT audit_judgement_pkey PRIMARY KEY (judgement_id),
    CONSTRAINT audit_judgement_judged CHECK (judged IN ('same', 'different')),
    CONSTRAINT audit_judgement_audit_id_fkey FOREIGN KEY(audit_id) REFERENCES stockpile.audit (audit_id),
    CONSTRAINT audit_judgement_judged_by_fkey FOREIGN KEY(judged_by) REFERENCES stockpile.party (party_id)
);
CREATE INDEX audit_judgement_of_pair ON stockpile.audit_judgement (model_key, left_key, right_key);
COMMENT ON TABLE stockpile.audit_judgement IS 'That the two numbers of a near match are one weapon, or two; of several of one pair the newest counts.';
COMMENT ON COLUMN stockpile.audit_judgement.audit_id IS 'the run in which it was judged; it holds for the later runs of its name';
COMMENT ON COLUMN stockpile.audit_judgement.left_key IS 'the serial key on the left side';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.audit_judgement FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
GRANT SELECT, INSERT ON stockpile.audit_judgement TO stockpile_poster, stockpile_registrar;
GRANT SELECT ON stockpile.audit_judgement TO stockpile_auditor;
ALTER TABLE stockpile.audit_judgement ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor ON stockpile.audit_judgement FOR SELECT TO stockpile_auditor USING (true);
CREATE POLICY registrar ON stockpile.audit_judgement TO stockpile_registrar USING (true);
CREATE POLICY poster ON stockpile.audit_judgement TO stockpile_poster USING (audit_id IN (SELECT a.audit_id FROM stockpile.audit a));

-- Of a near match both numbers: what is judged is judged of the two.
ALTER TABLE stockpile.audit_finding ADD COLUMN right_key TEXT;
COMMENT ON COLUMN stockpile.audit_finding.right_key IS 'of a near match the serial key on the right side';
ALTER TABLE stockpile.audit_finding DISABLE TRIGGER only_by_erasure;
UPDATE stockpile.audit_finding SET right_key = substring(why[1] FROM ': (.*)$') WHERE kind = 'near match';
ALTER TABLE stockpile.audit_finding ENABLE TRIGGER only_by_erasure;

-- Which step of its task a job is at.
ALTER TABLE stockpile.job ADD COLUMN doing TEXT;
COMMENT ON COLUMN stockpile.job.doing IS 'the step it is at, of which done and total are counted';
GRANT UPDATE (doing) ON stockpile.job TO stockpile_poster;

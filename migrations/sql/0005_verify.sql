-- Who verifies reads all that verifying takes, secrets and seeds too, and writes nothing but what came of it.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stockpile_verifier') THEN
        RAISE EXCEPTION 'the role stockpile_verifier is missing: an administrator of the server runs ''stockpile db setup'' once more'
            USING ERRCODE = 'undefined_object';
    END IF;
END $$;

CREATE TABLE stockpile.verification (
    verification_id UUID NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
    since BIGINT,
    log SMALLINT,
    tree_size BIGINT,
    checks JSONB NOT NULL,
    wrong JSONB NOT NULL,
    wrong_count INTEGER NOT NULL,
    CONSTRAINT verification_pkey PRIMARY KEY (verification_id),
    CONSTRAINT verification_ended CHECK (ended_at >= began_at),
    CONSTRAINT verification_checkpoint CHECK ((log IS NULL) = (tree_size IS NULL)),
    CONSTRAINT verification_wrong_count CHECK (wrong_count >= 0)
);
CREATE INDEX verification_began ON stockpile.verification (began_at);
COMMENT ON TABLE stockpile.verification IS 'That everything was recomputed from the rows, and what was found wrong.';
COMMENT ON COLUMN stockpile.verification.since IS 'only what came after the checkpoint of this size; none: everything';
COMMENT ON COLUMN stockpile.verification.tree_size IS 'the newest checkpoint that was verified, of that log; none: nothing was signed yet';
COMMENT ON COLUMN stockpile.verification.checks IS 'the checks that were made';
COMMENT ON COLUMN stockpile.verification.wrong IS 'the rows that are wrong, and what is wrong with each; may name documents of any site';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.verification FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

DO $$
DECLARE
    verified text;
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO stockpile_verifier', current_database());
    GRANT USAGE ON SCHEMA stockpile TO stockpile_verifier;
    FOREACH verified IN ARRAY ARRAY['account', 'allowance', 'audit', 'audit_finding', 'audit_matched', 'book', 'checkpoint', 'consignment',
        'cosignature', 'count_finding', 'count_item', 'count_line', 'discrepancy', 'document', 'draft', 'entry', 'erased_file', 'erasure',
        'holding', 'identification', 'identity', 'item', 'leaf', 'log_origin', 'log_statement', 'model', 'note', 'party', 'party_name',
        'physical_count', 'register', 'register_erasure', 'register_line', 'seal', 'seal_line', 'shipment', 'signatory', 'signature', 'site',
        'tile', 'unsequenced', 'verification', 'weapon_assignment'] LOOP
        EXECUTE format('GRANT SELECT ON stockpile.%I TO stockpile_verifier', verified);
        IF (SELECT relrowsecurity FROM pg_class WHERE oid = ('stockpile.' || quote_ident(verified))::regclass) THEN
            EXECUTE format('CREATE POLICY verifier ON stockpile.%I FOR SELECT TO stockpile_verifier USING (true)', verified);
        END IF;
    END LOOP;
END $$;
GRANT INSERT ON stockpile.verification TO stockpile_verifier;
GRANT SELECT ON stockpile.verification TO stockpile_auditor, stockpile_registrar;
-- What is wrong may name another site's documents: a commander reads that something is.
GRANT SELECT (verification_id, began_at, ended_at, since, log, tree_size, wrong_count) ON stockpile.verification TO stockpile_poster;

-- What the comparison of two lists found, kept under a name, to be made again and compared with the time before.
CREATE TABLE stockpile.audit (
    audit_id UUID NOT NULL,
    site_id UUID,
    name TEXT NOT NULL,
    run INTEGER NOT NULL,
    left_source JSONB NOT NULL,
    right_source JSONB NOT NULL,
    left_side JSONB NOT NULL,
    right_side JSONB NOT NULL,
    totals JSONB NOT NULL,
    made_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT audit_pkey PRIMARY KEY (audit_id),
    CONSTRAINT audit_run CHECK (run >= 1),
    CONSTRAINT audit_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT audit_made_by_fkey FOREIGN KEY(made_by) REFERENCES stockpile.party (party_id)
);
CREATE UNIQUE INDEX audit_name ON stockpile.audit (site_id, name, run) NULLS NOT DISTINCT;
COMMENT ON TABLE stockpile.audit IS 'Two lists compared: which, and how many differences of each kind.';
COMMENT ON COLUMN stockpile.audit.site_id IS 'whose audit it is; none: of the whole country';
COMMENT ON COLUMN stockpile.audit.run IS 'which run of its name, counted from 1';
COMMENT ON COLUMN stockpile.audit.left_source IS 'as asked for, so that it can be asked again';
COMMENT ON COLUMN stockpile.audit.left_side IS 'what it was: its name, the moments it speaks of, which fields it says at all';

CREATE TABLE stockpile.audit_finding (
    audit_id UUID NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    model_key UUID,
    model TEXT,
    serial_key TEXT,
    serial_number TEXT,
    held_by TEXT,
    left_line INTEGER,
    right_line INTEGER,
    left_item UUID,
    right_item UUID,
    left_quantity BIGINT,
    right_quantity BIGINT,
    times INTEGER,
    why TEXT[],
    CONSTRAINT audit_finding_pkey PRIMARY KEY (audit_id, kind, number),
    CONSTRAINT audit_finding_kind CHECK (kind IN ('conflicting', 'only left', 'only right', 'repeated left', 'repeated right', 'incomplete left', 'incomplete right', 'near match', 'quantity matched', 'quantity differs'))
);
CREATE TABLE stockpile.audit_matched (
    audit_id UUID NOT NULL,
    chunk INTEGER NOT NULL,
    left_lines INTEGER[],
    right_lines INTEGER[],
    left_items UUID[],
    right_items UUID[],
    CONSTRAINT audit_matched_pkey PRIMARY KEY (audit_id, chunk)
);
COMMENT ON TABLE stockpile.audit_matched IS 'What both sides of an audit have and agree on, a thousand pairs a row: nearly all, and nothing more is to be said of it.';
COMMENT ON TABLE stockpile.audit_finding IS 'One finding of an audit, with the lines and items of both sides it is of.';
COMMENT ON COLUMN stockpile.audit_finding.number IS 'within its kind';
COMMENT ON COLUMN stockpile.audit_finding.model_key IS 'the model, or a key of the name that nobody has mapped';
COMMENT ON COLUMN stockpile.audit_finding.held_by IS 'where the ledger has it; of a quantity the unit or holder, where both sides say one';
COMMENT ON COLUMN stockpile.audit_finding.times IS 'how often it stands on the side that repeats it';
COMMENT ON COLUMN stockpile.audit_finding.why IS 'which fields conflict or are missing; why a match is near';

CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.audit FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER never BEFORE DELETE OR TRUNCATE ON stockpile.audit_finding FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.audit_matched FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER only_by_erasure BEFORE UPDATE ON stockpile.audit_finding FOR EACH STATEMENT EXECUTE FUNCTION stockpile.only_by_erasure();

-- An audit's row comes after its findings, and closes them.
CREATE FUNCTION stockpile.closed_audits() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS
$$ SELECT audit_id FROM audit $$;
REVOKE EXECUTE ON FUNCTION stockpile.closed_audits() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.closed_audits() TO stockpile_poster, stockpile_registrar;

GRANT SELECT, INSERT ON stockpile.audit, stockpile.audit_finding, stockpile.audit_matched TO stockpile_poster, stockpile_registrar;
GRANT SELECT ON stockpile.audit, stockpile.audit_finding, stockpile.audit_matched TO stockpile_auditor;
ALTER TABLE stockpile.audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor ON stockpile.audit FOR SELECT TO stockpile_auditor USING (true);
CREATE POLICY registrar ON stockpile.audit TO stockpile_registrar USING (true);
CREATE POLICY poster ON stockpile.audit TO stockpile_poster USING (site_id = (SELECT stockpile.own_site()));
DO $$
DECLARE part text;
BEGIN
    FOREACH part IN ARRAY ARRAY['audit_finding', 'audit_matched'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', part);
        EXECUTE format('CREATE POLICY registrar_reads ON stockpile.%I FOR SELECT TO stockpile_registrar USING (true)', part);
        EXECUTE format('CREATE POLICY registrar_adds ON stockpile.%I FOR INSERT TO stockpile_registrar
                        WITH CHECK (audit_id NOT IN (SELECT stockpile.closed_audits()))', part);
        -- Those of an audit that is being made are seen by who makes it: nobody else can, before the end.
        EXECUTE format('CREATE POLICY poster_reads ON stockpile.%I FOR SELECT TO stockpile_poster
                        USING (audit_id IN (SELECT a.audit_id FROM stockpile.audit a) OR audit_id NOT IN (SELECT stockpile.closed_audits()))', part);
        EXECUTE format('CREATE POLICY poster_adds ON stockpile.%I FOR INSERT TO stockpile_poster
                        WITH CHECK (audit_id NOT IN (SELECT stockpile.closed_audits()))', part);
    END LOOP;
END $$;

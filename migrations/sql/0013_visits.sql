-- End-use monitoring. Visits and what holders report of themselves are statements, each a leaf of the log; what was read stands in a register
-- too. Here is what of each line was found, for the donor, who reads no registers.
ALTER TABLE stockpile.donor_statement DROP CONSTRAINT donor_statement_kind, DROP CONSTRAINT donor_statement_answers;
ALTER TABLE stockpile.donor_statement
    ADD CONSTRAINT donor_statement_kind CHECK (kind IN ('declaration', 'end-user certificate', 'consent', 'delivery verification', 'accepted', 'sent back', 'share', 'withdrawn', 'planned visit', 'visit', 'refused visit', 'disposition report', 'answered')),
    ADD CONSTRAINT donor_statement_answers CHECK ((answers IS NOT NULL) = (kind IN ('accepted', 'sent back', 'withdrawn', 'answered'))),
    ADD CONSTRAINT donor_statement_visit_site CHECK (site_id IS NOT NULL OR kind NOT IN ('planned visit', 'visit', 'refused visit', 'disposition report'));

CREATE TABLE stockpile.visit_line (
    donor_id UUID NOT NULL,
    statement_id UUID NOT NULL,
    line INTEGER NOT NULL,
    site_id UUID NOT NULL,
    read TEXT,
    item_id UUID,
    finding TEXT NOT NULL,
    stood TEXT,
    stood_site UUID,
    said TEXT,
    said_on DATE,
    read_at TIMESTAMP WITH TIME ZONE,
    condition TEXT,
    CONSTRAINT visit_line_pkey PRIMARY KEY (donor_id, statement_id, line),
    CONSTRAINT visit_line_number CHECK (line >= 1),
    CONSTRAINT visit_line_finding CHECK (finding IN ('matched', 'missing', 'unexpected', 'unclear', 'moved meanwhile', 'read again', 'differs')),
    CONSTRAINT visit_line_said CHECK (said IN ('held', 'expended', 'lost')),
    CONSTRAINT visit_line_condition CHECK (condition IN ('serviceable', 'unserviceable', 'unknown')),
    CONSTRAINT visit_line_names CHECK (read IS NOT NULL OR item_id IS NOT NULL),
    CONSTRAINT visit_line_donor_id_statement_id_fkey FOREIGN KEY(donor_id, statement_id) REFERENCES stockpile.donor_statement (donor_id, statement_id),
    CONSTRAINT visit_line_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT visit_line_stood_site_fkey FOREIGN KEY(stood_site) REFERENCES stockpile.site (site_id)
);
CREATE INDEX visit_line_of_item ON stockpile.visit_line (item_id);
COMMENT ON TABLE stockpile.visit_line IS 'What was read at a visit, or reported by a holder, a weapon a line, against the ledger at its moment. No custody.';
COMMENT ON COLUMN stockpile.visit_line.read IS 'as read; none: the ledger had it there and nobody read it';
COMMENT ON COLUMN stockpile.visit_line.stood IS 'the class of the account that the ledger had it on; none: not in the books, or not of this donor';
COMMENT ON COLUMN stockpile.visit_line.said IS 'what a holder reported of it';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.visit_line FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

CREATE TABLE stockpile.monitoring_plan (
    plan_id UUID NOT NULL,
    donor_id UUID,
    code TEXT NOT NULL,
    what TEXT NOT NULL,
    level TEXT NOT NULL,
    flagged BOOLEAN NOT NULL,
    category TEXT,
    security_risk_category TEXT,
    initial_days INTEGER,
    yearly_days INTEGER,
    source TEXT NOT NULL,
    unverified BOOLEAN NOT NULL,
    binds BOOLEAN NOT NULL,
    changed_by UUID,
    changed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT monitoring_plan_pkey PRIMARY KEY (plan_id),
    CONSTRAINT monitoring_plan_code CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    CONSTRAINT monitoring_plan_level CHECK (level IN ('routine', 'enhanced')),
    CONSTRAINT monitoring_plan_risk CHECK (security_risk_category IN ('I', 'II', 'III', 'IV')),
    CONSTRAINT monitoring_plan_days CHECK (initial_days >= 1 AND yearly_days >= 1),
    CONSTRAINT monitoring_plan_binds CHECK (NOT binds OR (level = 'enhanced' AND initial_days IS NOT NULL AND yearly_days IS NOT NULL)),
    CONSTRAINT monitoring_plan_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT monitoring_plan_changed_by_fkey FOREIGN KEY(changed_by) REFERENCES stockpile.party (party_id)
);
CREATE UNIQUE INDEX monitoring_plan_once ON stockpile.monitoring_plan (donor_id, code) NULLS NOT DISTINCT;
COMMENT ON TABLE stockpile.monitoring_plan IS 'Which models are monitored how closely, and within how many days; the general rows are kept by registrars, a donor''s by itself.';
COMMENT ON COLUMN stockpile.monitoring_plan.donor_id IS 'only this donor''s weapons, before the general rows; none: every donor''s';
COMMENT ON COLUMN stockpile.monitoring_plan.flagged IS 'only models that the catalogue marks for enhanced monitoring';
COMMENT ON COLUMN stockpile.monitoring_plan.initial_days IS 'from the arrival to the first inventory by serial number';
COMMENT ON COLUMN stockpile.monitoring_plan.yearly_days IS 'from one inventory, or routine visit, to the next';
COMMENT ON COLUMN stockpile.monitoring_plan.unverified IS 'from memory, until somebody holds the original';
COMMENT ON COLUMN stockpile.monitoring_plan.binds IS 'whether what is delinquent is judged by it';
INSERT INTO stockpile.monitoring_plan
    (plan_id, code, what, level, flagged, initial_days, yearly_days, source, unverified, binds) VALUES
    ('0190b5a0-6d6f-7000-8000-706c616e3031', 'enhanced', 'models that the catalogue marks: every serial number within 90 days of arrival, then yearly', 'enhanced', true, 90, 365, 'SAMM C8.4 and DODIG-2024-043', false, true),
    ('0190b5a0-6d6f-7000-8000-706c616e3032', 'routine', 'all other weapons: seen at visits made for other purposes, not by serial number', 'routine', false, NULL, NULL, 'SAMM C8.3', true, false);

-- Lines come with their statement: whoever may add some adds none to one that is there.
CREATE FUNCTION stockpile.said_just_now(donor uuid, statement uuid, site uuid, kinds text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (SELECT FROM donor_statement s WHERE s.donor_id = donor AND s.statement_id = statement AND s.site_id = site
                   AND s.kind = ANY (kinds) AND s.xmin = pg_current_xact_id()::xid)
$$;
-- The host answers a visit in words: a desk what concerns its own site.
CREATE FUNCTION stockpile.may_answer_visit(donor uuid, statement uuid, site uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (SELECT FROM donor_statement s WHERE s.donor_id = donor AND s.statement_id = statement AND s.site_id = site
                   AND s.kind IN ('planned visit', 'visit', 'refused visit'))
$$;
REVOKE EXECUTE ON FUNCTION stockpile.said_just_now(uuid, uuid, uuid, text[]), stockpile.may_answer_visit(uuid, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.said_just_now(uuid, uuid, uuid, text[]) TO stockpile_donor, stockpile_poster;
GRANT EXECUTE ON FUNCTION stockpile.may_answer_visit(uuid, uuid, uuid) TO stockpile_poster, stockpile_registrar;

GRANT SELECT ON stockpile.visit_line TO stockpile_poster, stockpile_registrar, stockpile_auditor, stockpile_donor, stockpile_guest, stockpile_verifier;
GRANT INSERT ON stockpile.visit_line TO stockpile_poster, stockpile_donor;
GRANT SELECT (plan_id, donor_id, code, what, level, flagged, category, security_risk_category, initial_days, yearly_days, source, unverified, binds, changed_at)
    ON stockpile.monitoring_plan TO stockpile_donor, stockpile_guest;
GRANT SELECT ON stockpile.monitoring_plan TO stockpile_poster, stockpile_registrar, stockpile_auditor;
GRANT INSERT ON stockpile.monitoring_plan TO stockpile_registrar, stockpile_donor;
GRANT UPDATE (what, level, flagged, category, security_risk_category, initial_days, yearly_days, source, unverified, binds, changed_by, changed_at)
    ON stockpile.monitoring_plan TO stockpile_registrar, stockpile_donor;

DO $$
DECLARE
    own_site  text := '(SELECT stockpile.own_site())';
    own_donor text := '(SELECT stockpile.own_donor())';
    visits    text := 'ARRAY[''visit'']';
BEGIN
    EXECUTE format('CREATE POLICY donor_visits ON stockpile.donor_statement FOR INSERT TO stockpile_donor
                    WITH CHECK (donor_id = %s AND kind IN (''planned visit'', ''visit'', ''refused visit''))', own_donor);
    EXECUTE format('CREATE POLICY poster_of_visits ON stockpile.donor_statement FOR INSERT TO stockpile_poster
                    WITH CHECK (site_id = %s AND CASE kind WHEN ''disposition report'' THEN true
                                                           WHEN ''answered'' THEN stockpile.may_answer_visit(donor_id, answers, site_id)
                                                           ELSE false END)', own_site);
    CREATE POLICY registrar_of_visits ON stockpile.donor_statement FOR INSERT TO stockpile_registrar
        WITH CHECK (kind = 'answered' AND stockpile.may_answer_visit(donor_id, answers, site_id));

    ALTER TABLE stockpile.visit_line ENABLE ROW LEVEL SECURITY;
    CREATE POLICY auditor ON stockpile.visit_line FOR SELECT TO stockpile_auditor USING (true);
    CREATE POLICY verifier ON stockpile.visit_line FOR SELECT TO stockpile_verifier USING (true);
    CREATE POLICY registrar ON stockpile.visit_line FOR SELECT TO stockpile_registrar USING (true);
    EXECUTE format('CREATE POLICY poster_reads ON stockpile.visit_line FOR SELECT TO stockpile_poster USING (site_id = %s)', own_site);
    EXECUTE format('CREATE POLICY poster_adds ON stockpile.visit_line FOR INSERT TO stockpile_poster
                    WITH CHECK (site_id = %s AND stockpile.said_just_now(donor_id, statement_id, site_id, ARRAY[''disposition report'']))', own_site);
    EXECUTE format('CREATE POLICY donor_reads ON stockpile.visit_line FOR SELECT TO stockpile_donor USING (donor_id = %s)', own_donor);
    EXECUTE format('CREATE POLICY guest ON stockpile.visit_line FOR SELECT TO stockpile_guest
                    USING (donor_id = %s AND item_id IN (SELECT i.item_id FROM stockpile.item i))', own_donor);
    EXECUTE format('CREATE POLICY donor_adds ON stockpile.visit_line FOR INSERT TO stockpile_donor
                    WITH CHECK (donor_id = %s AND stockpile.said_just_now(donor_id, statement_id, site_id, %s))', own_donor, visits);

    ALTER TABLE stockpile.monitoring_plan ENABLE ROW LEVEL SECURITY;
    CREATE POLICY auditor ON stockpile.monitoring_plan FOR SELECT TO stockpile_auditor USING (true);
    CREATE POLICY poster ON stockpile.monitoring_plan FOR SELECT TO stockpile_poster USING (true);
    CREATE POLICY registrar_reads ON stockpile.monitoring_plan FOR SELECT TO stockpile_registrar USING (true);
    CREATE POLICY registrar_adds ON stockpile.monitoring_plan FOR INSERT TO stockpile_registrar WITH CHECK (donor_id IS NULL);
    CREATE POLICY registrar_changes ON stockpile.monitoring_plan FOR UPDATE TO stockpile_registrar USING (donor_id IS NULL);
    EXECUTE format('CREATE POLICY donor_reads ON stockpile.monitoring_plan FOR SELECT TO stockpile_donor
                    USING (donor_id = %s OR donor_id IS NULL)', own_donor);
    EXECUTE format('CREATE POLICY guest ON stockpile.monitoring_plan FOR SELECT TO stockpile_guest
                    USING (donor_id = %s OR donor_id IS NULL)', own_donor);
    EXECUTE format('CREATE POLICY donor_adds ON stockpile.monitoring_plan FOR INSERT TO stockpile_donor WITH CHECK (donor_id = %s)', own_donor);
    EXECUTE format('CREATE POLICY donor_changes ON stockpile.monitoring_plan FOR UPDATE TO stockpile_donor USING (donor_id = %s)', own_donor);
END $$;

-- Who may do what. The service logs in as stockpile_service, owns nothing, and takes one of the roles for each
-- transaction. Ledger and documents: INSERT and SELECT, nothing else; `holding` is written by the trigger alone.

-- PostgreSQL lets everybody connect to a new database and make temporary tables in it. Ours lets the service in; lists
-- go through temporary tables of those who write them.
DO $$ BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO stockpile_service', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO stockpile_poster, stockpile_registrar', current_database());
END $$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA stockpile FROM PUBLIC;
GRANT USAGE ON SCHEMA stockpile TO stockpile_service, stockpile_poster, stockpile_registrar, stockpile_auditor, stockpile_donor, stockpile_sequencer;
GRANT EXECUTE ON FUNCTION stockpile.authenticate(bytea), stockpile.schema_version() TO stockpile_service;
GRANT EXECUTE ON FUNCTION stockpile.own_site(), stockpile.own_donor() TO PUBLIC;
-- What posting needs: these lock items and tell secrets, so nobody else has them.
GRANT EXECUTE ON FUNCTION stockpile.whereabouts(uuid[], uuid[], boolean), stockpile.live_entries(uuid[], timestamptz),
    stockpile.signatures(uuid[]) TO stockpile_poster;
GRANT EXECUTE ON FUNCTION stockpile.signatures(uuid[]) TO stockpile_registrar;  -- who signs the register of a roster
GRANT EXECUTE ON FUNCTION stockpile.entries_of(uuid[]) TO stockpile_poster, stockpile_registrar, stockpile_auditor;
GRANT EXECUTE ON FUNCTION stockpile.site_entries(timestamptz, timestamptz), stockpile.end_weapon_assignments(uuid[], timestamptz) TO stockpile_poster;

GRANT SELECT, INSERT ON stockpile.document, stockpile.signatory, stockpile.entry, stockpile.item, stockpile.identification,
    stockpile.identity, stockpile.register, stockpile.register_line TO stockpile_poster;
GRANT INSERT ON stockpile.unsequenced TO stockpile_poster, stockpile_registrar;
GRANT SELECT ON stockpile.holding, stockpile.site, stockpile.assignment, stockpile.stationing, stockpile.signature_card, stockpile.model TO stockpile_poster;
GRANT SELECT (party_id, kind, code, name, rank, name_version, site_id, erased_at) ON stockpile.party TO stockpile_poster;
GRANT SELECT, INSERT ON stockpile.account, stockpile.consignment, stockpile.book, stockpile.alias, stockpile.column_mapping TO stockpile_poster;
GRANT UPDATE (next_number) ON stockpile.book TO stockpile_poster;
GRANT UPDATE (mapping, saved_by, saved_at) ON stockpile.column_mapping TO stockpile_poster;
GRANT SELECT, INSERT ON stockpile.discrepancy, stockpile.draft, stockpile.weapon_assignment TO stockpile_poster;
GRANT UPDATE (owner_id, due_on, closed_at, outcome, explanation, closed_by, explained_by) ON stockpile.discrepancy TO stockpile_poster;
GRANT UPDATE (settled_at, settled_by, outcome, reason) ON stockpile.draft TO stockpile_poster;
GRANT SELECT, INSERT ON stockpile.job TO stockpile_poster;
GRANT UPDATE (state, done, total, result, seen_at, ended_at) ON stockpile.job TO stockpile_poster;

GRANT SELECT ON ALL TABLES IN SCHEMA stockpile TO stockpile_registrar;
GRANT INSERT ON stockpile.party, stockpile.party_name, stockpile.site, stockpile.assignment, stockpile.stationing,
    stockpile.signature_card, stockpile.model, stockpile.alias, stockpile.account, stockpile.book, stockpile.column_mapping,
    stockpile.token, stockpile.register, stockpile.register_line TO stockpile_registrar;
GRANT UPDATE (code, name, rank, name_version, site_id) ON stockpile.party TO stockpile_registrar;
GRANT UPDATE (name, time_zone, custodian_id, declared_open_at) ON stockpile.site TO stockpile_registrar;
GRANT UPDATE (until) ON stockpile.assignment, stockpile.stationing TO stockpile_registrar;
GRANT UPDATE (withdrawn_at) ON stockpile.signature_card TO stockpile_registrar;
GRANT UPDATE (country, calibre, category, subcategory, variants, fire_mode, security_risk_category, stock_number, value, value_source,
    treaty_row, enhanced_monitoring) ON stockpile.model TO stockpile_registrar;
GRANT UPDATE (model_id, approved_by, approved_at) ON stockpile.alias TO stockpile_registrar;
GRANT UPDATE (name, custodian_id, unit_id) ON stockpile.account TO stockpile_registrar;
GRANT UPDATE (mapping, saved_by, saved_at) ON stockpile.column_mapping TO stockpile_registrar;
GRANT UPDATE (revoked_at) ON stockpile.token TO stockpile_registrar;

GRANT SELECT ON ALL TABLES IN SCHEMA stockpile TO stockpile_auditor;
REVOKE SELECT ON stockpile.token, stockpile.unsequenced, stockpile.party, stockpile.item FROM stockpile_auditor, stockpile_registrar;
GRANT SELECT (token_id, party_id, role, site_id, donor_id, book_code, label, created_at, expires_at, revoked_at) ON stockpile.token
    TO stockpile_auditor, stockpile_registrar;
GRANT SELECT (party_id, kind, code, name, rank, name_version, site_id, erased_at) ON stockpile.party TO stockpile_auditor, stockpile_registrar;
GRANT SELECT (item_id, tracked_by, model_id, donor_id, consignment_id, lot, tag_number) ON stockpile.item TO stockpile_auditor, stockpile_registrar;

GRANT SELECT ON stockpile.site, stockpile.model, stockpile.item, stockpile.entry, stockpile.holding, stockpile.identification,
    stockpile.consignment TO stockpile_donor;
GRANT SELECT (account_id, class, site_id, class_and_site) ON stockpile.account TO stockpile_donor;
GRANT SELECT (document_id, site_id, book_id, number, act, fact, undo, happened_at, happened_precision, recorded_at) ON stockpile.document TO stockpile_donor;
GRANT SELECT (book_id, site_id, code, year) ON stockpile.book TO stockpile_donor;
GRANT SELECT (party_id, kind, code, name, rank) ON stockpile.party TO stockpile_donor;
GRANT SELECT (discrepancy_id, site_id, kind, item_id, donor_id, opened_at, due_on, closed_at, outcome) ON stockpile.discrepancy TO stockpile_donor;
GRANT SELECT, DELETE ON stockpile.unsequenced TO stockpile_sequencer;

-- Row-level security, the second wall: one policy per role and table. The sub-select runs once per statement, not
-- once per row.
DO $$
DECLARE
    own_site  text := '(SELECT stockpile.own_site())';
    own_donor text := '(SELECT stockpile.own_donor())';
    secured   text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['book', 'document', 'signatory', 'draft', 'entry', 'holding', 'item', 'identification', 'register',
                                   'register_line', 'weapon_assignment', 'discrepancy', 'party', 'account', 'consignment', 'alias', 'job', 'token'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', secured);
        EXECUTE format('CREATE POLICY registrar ON stockpile.%I TO stockpile_registrar USING (true)', secured);
    END LOOP;
    -- A token once revoked stays so.
    CREATE POLICY revoked_once ON stockpile.token AS RESTRICTIVE FOR UPDATE TO stockpile_registrar
        USING (revoked_at IS NULL) WITH CHECK (revoked_at IS NOT NULL);
    -- Own site, to read and to write.
    FOREACH secured IN ARRAY ARRAY['book', 'document', 'signatory', 'draft', 'entry', 'holding', 'register', 'weapon_assignment', 'discrepancy'] LOOP
        EXECUTE format('CREATE POLICY poster ON stockpile.%I TO stockpile_poster USING (site_id = %s)', secured, own_site);
    END LOOP;
    CREATE POLICY poster ON stockpile.register_line TO stockpile_poster
        USING (EXISTS (SELECT FROM stockpile.register r WHERE r.register_id = register_line.register_id));
    -- Whoever is bound to no site runs its jobs at none.
    EXECUTE format('CREATE POLICY poster ON stockpile.job TO stockpile_poster USING (site_id IS NOT DISTINCT FROM %s)', own_site);
    -- Weapons can be found wherever they are; a site describes only what it handles.
    CREATE POLICY poster ON stockpile.item TO stockpile_poster USING (true);
    EXECUTE format('CREATE POLICY poster ON stockpile.identification TO stockpile_poster USING (true) WITH CHECK (site_id = %s)', own_site);
    -- Persons of one's own site; units, donors and organisations are no secret.
    EXECUTE format('CREATE POLICY poster ON stockpile.party FOR SELECT TO stockpile_poster USING (kind <> ''person'' OR site_id = %s)', own_site);
    EXECUTE format('CREATE POLICY poster_reads ON stockpile.account FOR SELECT TO stockpile_poster USING (class <> ''person'' OR site_id = %s)', own_site);
    EXECUTE format('CREATE POLICY poster_adds ON stockpile.account FOR INSERT TO stockpile_poster WITH CHECK (class = ''supply'' AND site_id = %s)', own_site);
    EXECUTE format('CREATE POLICY poster ON stockpile.consignment TO stockpile_poster USING (site_id = %s)', own_site);
    CREATE POLICY poster_reads ON stockpile.alias FOR SELECT TO stockpile_poster USING (true);
    CREATE POLICY poster_adds ON stockpile.alias FOR INSERT TO stockpile_poster WITH CHECK (model_id IS NULL);
    FOREACH secured IN ARRAY ARRAY['entry', 'holding', 'item', 'identification', 'consignment', 'discrepancy'] LOOP
        EXECUTE format('CREATE POLICY donor ON stockpile.%I FOR SELECT TO stockpile_donor USING (donor_id = %s)', secured, own_donor);
    END LOOP;
    CREATE POLICY donor ON stockpile.account FOR SELECT TO stockpile_donor USING (true);
    EXECUTE format('CREATE POLICY donor ON stockpile.party FOR SELECT TO stockpile_donor USING (party_id = %s)', own_donor);
    CREATE POLICY donor ON stockpile.book FOR SELECT TO stockpile_donor USING (true);
    -- A join in a policy is slow; donors read few documents. `entry` is filtered by its own policy.
    CREATE POLICY donor ON stockpile.document FOR SELECT TO stockpile_donor
        USING (EXISTS (SELECT FROM stockpile.entry e WHERE e.document_id = document.document_id));
END $$;

INSERT INTO stockpile.account (account_id, class, name) VALUES ('00000000-0000-7000-8000-000000000000', 'outside', 'outside');

-- What every country has from the start: outside, the donor of what the host buys itself, and the model of a weapon
-- that nobody could identify.
INSERT INTO stockpile.party (party_id, kind, code, name, secret) VALUES ('00000000-0000-7000-8000-000000000001', 'donor', 'OWN', 'own procurement',
    sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
INSERT INTO stockpile.party_name (party_id, version, code, name, recorded_at) VALUES ('00000000-0000-7000-8000-000000000001', 1, 'OWN', 'own procurement', now());
INSERT INTO stockpile.model (model_id, maker, name, category, tracked_by)
VALUES ('00000000-0000-7000-8000-000000000002', 'unknown', 'unidentified weapon', 'unidentified', 'serial');

-- Counts: what somebody read on the shelves, each line with its own moment, compared with the ledger at that moment. Seals of
-- containers that count by the list they were sealed over. How often what is to be counted.
CREATE TABLE stockpile.physical_count (
    count_id UUID NOT NULL,
    site_id UUID NOT NULL,
    number INTEGER NOT NULL,
    scope TEXT NOT NULL,
    whole_site BOOLEAN NOT NULL,
    unit_id UUID,
    recount_of UUID,
    method TEXT NOT NULL,
    blind BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    override TEXT,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    content_hash BYTEA NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_by UUID,
    outcome TEXT,
    abandoned_because TEXT,
    register_id UUID,
    CONSTRAINT physical_count_pkey PRIMARY KEY (count_id),
    CONSTRAINT physical_count_site UNIQUE (count_id, site_id),
    CONSTRAINT physical_count_number UNIQUE (site_id, number),
    CONSTRAINT physical_count_scope CHECK (scope IN ('account', 'site', 'unit', 'containers', 'recount')),
    CONSTRAINT physical_count_scope_of CHECK ((scope = 'unit') = (unit_id IS NOT NULL) AND (scope = 'recount') = (recount_of IS NOT NULL)),
    CONSTRAINT physical_count_method CHECK (method IN ('serial', 'quantity')),
    CONSTRAINT physical_count_reason CHECK (reason IN ('periodic', 'receipt', 'opened or closed', 'change of custodian', 'opening list', 'incident', 'recount')),
    CONSTRAINT physical_count_opened CHECK (opened_at <= recorded_at),
    CONSTRAINT physical_count_outcome CHECK (outcome IN ('closed', 'abandoned')),
    CONSTRAINT physical_count_closed CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (outcome IS NULL OR closed_at IS NOT NULL)),
    CONSTRAINT physical_count_kept CHECK ((outcome IS NOT DISTINCT FROM 'closed') = (register_id IS NOT NULL)),
    CONSTRAINT physical_count_abandoned CHECK ((outcome IS NOT DISTINCT FROM 'abandoned') = (abandoned_because IS NOT NULL)),
    CONSTRAINT physical_count_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT physical_count_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT physical_count_unit_id_fkey FOREIGN KEY(unit_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT physical_count_recount FOREIGN KEY(recount_of, site_id) REFERENCES stockpile.physical_count (count_id, site_id),
    CONSTRAINT physical_count_opened_by_fkey FOREIGN KEY(opened_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT physical_count_closed_by_fkey FOREIGN KEY(closed_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT physical_count_register_id_fkey FOREIGN KEY(register_id) REFERENCES stockpile.register (register_id)
);
COMMENT ON TABLE stockpile.physical_count IS 'A count: what is to be counted, by whom, from when until when.';
COMMENT ON COLUMN stockpile.physical_count.count_id IS 'the client''s: the idempotency key';
COMMENT ON COLUMN stockpile.physical_count.number IS 'of the site, without gaps: TAJI/COUNT/3';
COMMENT ON COLUMN stockpile.physical_count.whole_site IS 'whatever account the site has by the end; else those of count_account';
COMMENT ON COLUMN stockpile.physical_count.method IS 'every serial number, or only how many';
COMMENT ON COLUMN stockpile.physical_count.override IS 'why the same person may count twice running, or who answers for it alone';
COMMENT ON COLUMN stockpile.physical_count.opened_at IS 'of a count held on paper: when it began';
COMMENT ON COLUMN stockpile.physical_count.closed_at IS 'no line comes later; the findings follow';
COMMENT ON COLUMN stockpile.physical_count.register_id IS 'its lines, as the log commits them';

CREATE TABLE stockpile.count_counter (
    count_id UUID NOT NULL,
    party_id UUID NOT NULL,
    site_id UUID NOT NULL,
    CONSTRAINT count_counter_pkey PRIMARY KEY (count_id, party_id),
    CONSTRAINT count_counter_count FOREIGN KEY(count_id, site_id) REFERENCES stockpile.physical_count (count_id, site_id),
    CONSTRAINT count_counter_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.count_counter IS 'Who counts.';

CREATE TABLE stockpile.count_account (
    count_id UUID NOT NULL,
    account_id UUID NOT NULL,
    site_id UUID NOT NULL,
    CONSTRAINT count_account_pkey PRIMARY KEY (count_id, account_id),
    CONSTRAINT count_account_count FOREIGN KEY(count_id, site_id) REFERENCES stockpile.physical_count (count_id, site_id),
    CONSTRAINT count_account_account_id_fkey FOREIGN KEY(account_id) REFERENCES stockpile.account (account_id)
);
CREATE INDEX count_account_counted ON stockpile.count_account (account_id);
COMMENT ON TABLE stockpile.count_account IS 'The accounts that a count is of, as they were when it was opened.';

CREATE TABLE stockpile.count_item (
    count_id UUID NOT NULL,
    item_id UUID NOT NULL,
    site_id UUID NOT NULL,
    CONSTRAINT count_item_pkey PRIMARY KEY (count_id, item_id),
    CONSTRAINT count_item_count FOREIGN KEY(count_id, site_id) REFERENCES stockpile.physical_count (count_id, site_id)
);
COMMENT ON TABLE stockpile.count_item IS 'The only weapons that a count of containers, or a recount, is of.';

CREATE TABLE stockpile.seal (
    seal_id UUID NOT NULL,
    site_id UUID NOT NULL,
    number TEXT NOT NULL,
    seal_key TEXT NOT NULL,
    account_id UUID NOT NULL,
    container TEXT,
    count_id UUID,
    sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sealed_by UUID NOT NULL,
    broken_at TIMESTAMP WITH TIME ZONE,
    broken_by UUID,
    CONSTRAINT seal_pkey PRIMARY KEY (seal_id),
    CONSTRAINT seal_site UNIQUE (seal_id, site_id),
    CONSTRAINT seal_number UNIQUE (site_id, seal_key),
    CONSTRAINT seal_broken CHECK ((broken_at IS NULL) = (broken_by IS NULL) AND broken_at >= sealed_at),
    CONSTRAINT seal_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT seal_account_id_fkey FOREIGN KEY(account_id) REFERENCES stockpile.account (account_id),
    CONSTRAINT seal_count FOREIGN KEY(count_id, site_id) REFERENCES stockpile.physical_count (count_id, site_id),
    CONSTRAINT seal_sealed_by_fkey FOREIGN KEY(sealed_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT seal_broken_by_fkey FOREIGN KEY(broken_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.seal IS 'A numbered seal on a container; while it is unbroken its list counts as seen.';
COMMENT ON COLUMN stockpile.seal.seal_key IS 'its number in capitals, without blanks and dashes: never used twice at a site';
COMMENT ON COLUMN stockpile.seal.count_id IS 'the count over whose lines it was sealed; none: over scans of its own';

CREATE TABLE stockpile.seal_line (
    seal_id UUID NOT NULL,
    item_id UUID NOT NULL,
    site_id UUID NOT NULL,
    CONSTRAINT seal_line_pkey PRIMARY KEY (seal_id, item_id),
    CONSTRAINT seal_line_seal FOREIGN KEY(seal_id, site_id) REFERENCES stockpile.seal (seal_id, site_id)
);
CREATE INDEX seal_line_of_item ON stockpile.seal_line (item_id);
COMMENT ON TABLE stockpile.seal_line IS 'A weapon that was read before its container was sealed.';

CREATE TABLE stockpile.count_batch (
    count_id UUID NOT NULL,
    batch_id UUID NOT NULL,
    site_id UUID NOT NULL,
    first_line INTEGER NOT NULL,
    line_count INTEGER NOT NULL,
    file_sha256 BYTEA,
    sent_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    content_hash BYTEA NOT NULL,
    CONSTRAINT count_batch_pkey PRIMARY KEY (count_id, batch_id),
    CONSTRAINT count_batch_lines CHECK (first_line >= 1 AND line_count >= 1),
    CONSTRAINT count_batch_digests CHECK (octet_length(content_hash) = 32 AND octet_length(file_sha256) = 32),
    CONSTRAINT count_batch_count FOREIGN KEY(count_id, site_id) REFERENCES stockpile.physical_count (count_id, site_id),
    CONSTRAINT count_batch_sent_by_fkey FOREIGN KEY(sent_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.count_batch IS 'Lines of a count that came together, once.';
COMMENT ON COLUMN stockpile.count_batch.batch_id IS 'the client''s: the idempotency key';
COMMENT ON COLUMN stockpile.count_batch.file_sha256 IS 'of a count sheet that was keyed as a file';

CREATE TABLE stockpile.count_line (
    count_id UUID NOT NULL,
    line INTEGER NOT NULL,
    site_id UUID NOT NULL,
    batch_id UUID NOT NULL,
    entered TEXT NOT NULL,
    scan TEXT,
    scan_key TEXT COLLATE "C",
    item_id UUID,
    meant UUID[] NOT NULL,
    model TEXT,
    model_id UUID,
    lot TEXT,
    quantity BIGINT NOT NULL,
    condition TEXT,
    container TEXT,
    seal_id UUID,
    doubts TEXT,
    again_of INTEGER,
    counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    counted_by UUID NOT NULL,
    CONSTRAINT count_line_pkey PRIMARY KEY (count_id, line),
    CONSTRAINT count_line_number CHECK (line >= 1),
    CONSTRAINT count_line_entered CHECK (entered IN ('scanned', 'typed', 'sheet', 'sealed')),
    CONSTRAINT count_line_read CHECK (scan IS NOT NULL OR model_id IS NOT NULL OR (seal_id IS NOT NULL AND item_id IS NOT NULL)),
    CONSTRAINT count_line_quantity CHECK (quantity >= 0),
    CONSTRAINT count_line_condition CHECK (condition IN ('serviceable', 'unserviceable', 'unknown')),
    CONSTRAINT count_line_again CHECK (again_of < line),
    CONSTRAINT count_line_batch FOREIGN KEY(count_id, batch_id) REFERENCES stockpile.count_batch (count_id, batch_id),
    CONSTRAINT count_line_count FOREIGN KEY(count_id, site_id) REFERENCES stockpile.physical_count (count_id, site_id),
    CONSTRAINT count_line_counter FOREIGN KEY(count_id, counted_by) REFERENCES stockpile.count_counter (count_id, party_id),
    CONSTRAINT count_line_seal FOREIGN KEY(seal_id, site_id) REFERENCES stockpile.seal (seal_id, site_id),
    CONSTRAINT count_line_model_id_fkey FOREIGN KEY(model_id) REFERENCES stockpile.model (model_id)
);
CREATE INDEX count_line_of_item ON stockpile.count_line (count_id, item_id) WHERE item_id IS NOT NULL;
CREATE INDEX count_line_unknown ON stockpile.count_line (count_id, scan_key) WHERE item_id IS NULL AND scan_key IS NOT NULL;
COMMENT ON TABLE stockpile.count_line IS 'What was read, as it was read, and when; never where custody went.';
COMMENT ON COLUMN stockpile.count_line.scan IS 'as scanned or written; none: of what is counted, or in a sealed container';
COMMENT ON COLUMN stockpile.count_line.item_id IS 'the one weapon it means; none: nobody knows it, or several bear it';
COMMENT ON COLUMN stockpile.count_line.meant IS 'every weapon that it may mean';
COMMENT ON COLUMN stockpile.count_line.model IS 'as written';
COMMENT ON COLUMN stockpile.count_line.model_id IS 'of what is counted';
COMMENT ON COLUMN stockpile.count_line.seal_id IS 'the unbroken seal under which it was not looked at';
COMMENT ON COLUMN stockpile.count_line.again_of IS 'the line that read the same weapon before: this one is no part of the figures';

CREATE TABLE stockpile.count_finding (
    count_id UUID NOT NULL,
    number INTEGER NOT NULL,
    site_id UUID NOT NULL,
    kind TEXT NOT NULL,
    line INTEGER,
    item_id UUID,
    model_id UUID,
    lot TEXT,
    account_id UUID,
    document_id UUID,
    expected BIGINT,
    counted BIGINT,
    CONSTRAINT count_finding_pkey PRIMARY KEY (count_id, number),
    CONSTRAINT count_finding_kind CHECK (kind IN ('matched', 'missing', 'unexpected', 'unclear', 'moved meanwhile', 'quantity matched', 'quantity differs', 'not counted')),
    CONSTRAINT count_finding_count FOREIGN KEY(count_id, site_id) REFERENCES stockpile.physical_count (count_id, site_id),
    CONSTRAINT count_finding_line FOREIGN KEY(count_id, line) REFERENCES stockpile.count_line (count_id, line),
    CONSTRAINT count_finding_model_id_fkey FOREIGN KEY(model_id) REFERENCES stockpile.model (model_id),
    CONSTRAINT count_finding_account_id_fkey FOREIGN KEY(account_id) REFERENCES stockpile.account (account_id),
    CONSTRAINT count_finding_document_id_fkey FOREIGN KEY(document_id) REFERENCES stockpile.document (document_id)
);
CREATE INDEX count_finding_of_item ON stockpile.count_finding (item_id) WHERE item_id IS NOT NULL;
CREATE INDEX count_finding_of_kind ON stockpile.count_finding (count_id, kind, number);
COMMENT ON TABLE stockpile.count_finding IS 'What a closed count found, against the ledger at the moment of each line.';
COMMENT ON COLUMN stockpile.count_finding.line IS 'the line that read it; of a quantity the last one';
COMMENT ON COLUMN stockpile.count_finding.account_id IS 'where the ledger had it; none: nowhere in the books';
COMMENT ON COLUMN stockpile.count_finding.document_id IS 'the document that moved it meanwhile';
COMMENT ON COLUMN stockpile.count_finding.expected IS 'of a quantity: in the books at that moment';

CREATE TABLE stockpile.count_period (
    code TEXT NOT NULL,
    what TEXT NOT NULL,
    held_by TEXT,
    security_risk_category TEXT,
    method TEXT NOT NULL,
    days INTEGER,
    source TEXT NOT NULL,
    unverified BOOLEAN NOT NULL,
    binds BOOLEAN NOT NULL,
    changed_by UUID,
    changed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT count_period_pkey PRIMARY KEY (code),
    CONSTRAINT count_period_code CHECK (code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    CONSTRAINT count_period_held_by CHECK (held_by IN ('unit', 'depot')),
    CONSTRAINT count_period_risk CHECK (security_risk_category IN ('I', 'II', 'III', 'IV')),
    CONSTRAINT count_period_method CHECK (method IN ('serial', 'quantity')),
    CONSTRAINT count_period_days CHECK (days >= 1),
    CONSTRAINT count_period_binds CHECK (NOT binds OR days IS NOT NULL),
    CONSTRAINT count_period_changed_by_fkey FOREIGN KEY(changed_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.count_period IS 'How often what is to be counted, and who says so; kept by registrars.';
COMMENT ON COLUMN stockpile.count_period.held_by IS 'unit: accounts of units and people, and stores of an accountable unit; depot: other stores and workshops; none: both';
COMMENT ON COLUMN stockpile.count_period.security_risk_category IS 'only where models of it are held; none: any';
COMMENT ON COLUMN stockpile.count_period.days IS 'none: at an event, not by the calendar';
COMMENT ON COLUMN stockpile.count_period.unverified IS 'from memory, until somebody holds the original';
COMMENT ON COLUMN stockpile.count_period.binds IS 'whether what is due is judged by it';

INSERT INTO stockpile.count_period (code, what, held_by, security_risk_category, method, days, source, unverified, binds) VALUES
    ('receipt', 'every receipt: count and serials at once, into the book', NULL, NULL, 'serial', NULL, 'US Army arms-room text', false, false),
    ('keys-handed-over', 'arms room: keys handed over', 'unit', NULL, 'quantity', NULL, 'US Army arms-room text', false, false),
    ('arms-room-opened-or-closed', 'arms room: opened, closed', 'unit', NULL, 'quantity', NULL, 'US Army arms-room text', true, false),
    ('unit-monthly', 'unit weapons: all by serial number, monthly', 'unit', NULL, 'serial', 31, 'AR 710-2', true, true),
    ('unit-quarterly', 'unit weapons: all by serial number, at least quarterly', 'unit', NULL, 'serial', 92, 'US Army arms-room text', false, true),
    ('reserve-monthly', 'reserve units: quantity, monthly', 'unit', NULL, 'quantity', 31, 'US Army arms-room text', false, false),
    ('reserve-quarterly', 'reserve units: by serial number, quarterly', 'unit', NULL, 'serial', 92, 'US Army arms-room text', false, false),
    ('depot-yearly', 'depot, in bulk and sealed: yearly; a broken seal means open it and count the serials', 'depot', NULL, 'serial', 366, 'US Army arms-room text; the rule of the seal from memory', false, true),
    ('category-i-unit', 'category I missiles with a unit: by serial number, monthly', 'unit', 'I', 'serial', 31, 'DoD 5100.76-M chapter 5', true, true),
    ('category-i-depot', 'category I missiles in a depot: by serial number, half-yearly', 'depot', 'I', 'serial', 183, 'DoD 5100.76-M chapter 5', true, true),
    ('change-of-custodian', 'change of custodian or commander: jointly, all by serial number, both sign', NULL, NULL, 'serial', NULL, 'DA PAM 710-2-1 chapter 9; details from memory', true, false),
    ('national-register', 'national register: reconciled with every holder, yearly', NULL, NULL, 'serial', 366, 'DLM 4000.25 volume 2 chapter 18', false, false),
    ('enhanced-monitoring', 'enhanced end-use monitoring: within 90 days of arrival, then yearly', NULL, NULL, 'serial', 366, 'SAMM C8.4', false, false);

-- A weapon that a later count read was not missing: such a discrepancy is withdrawn by the count, without a document.
ALTER TABLE stockpile.discrepancy ADD COLUMN explained_by_count UUID;
ALTER TABLE stockpile.discrepancy ADD CONSTRAINT discrepancy_explained_by_count_fkey
    FOREIGN KEY (explained_by_count) REFERENCES stockpile.physical_count (count_id);
ALTER TABLE stockpile.discrepancy DROP CONSTRAINT discrepancy_explained;
ALTER TABLE stockpile.discrepancy ADD CONSTRAINT discrepancy_explained
    CHECK (outcome IS NULL OR explained_by IS NOT NULL OR (explained_by_count IS NOT NULL AND outcome = 'withdrawn'));
COMMENT ON COLUMN stockpile.discrepancy.explained_by_count IS 'or the later count that found what was missing';

DO $$
DECLARE guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['count_counter', 'count_account', 'count_item', 'count_batch', 'count_line', 'count_finding', 'seal_line'] LOOP
        EXECUTE format('CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never()', guarded);
    END LOOP;
    FOREACH guarded IN ARRAY ARRAY['physical_count', 'seal'] LOOP
        EXECUTE format('CREATE TRIGGER never BEFORE DELETE OR TRUNCATE ON stockpile.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never()', guarded);
    END LOOP;
END $$;

-- Lines come before the closing, findings after it and before the end.
CREATE FUNCTION stockpile.count_stage() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM physical_count c WHERE c.count_id IN (SELECT count_id FROM added)
               AND (c.outcome IS NOT NULL OR (c.closed_at IS NULL) = (TG_TABLE_NAME = 'count_finding'))) THEN
        RAISE EXCEPTION 'nothing is added to a count that is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'count_stage';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stage AFTER INSERT ON stockpile.count_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.count_stage();
CREATE TRIGGER stage AFTER INSERT ON stockpile.count_finding REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.count_stage();
REVOKE EXECUTE ON FUNCTION stockpile.count_stage() FROM PUBLIC;

-- Where each weapon was at a moment of its own, as the books know now, and the document that put it there; absent: not in the books
-- then. As stood_at, for the lines of a count.
CREATE FUNCTION stockpile.stood_when(items uuid[], moments timestamptz[])
RETURNS TABLE (place bigint, account_id uuid, class text, name text, site_id uuid, site text, document_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = stockpile, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT wanted.place, a.account_id, a.class,
           CASE WHEN a.class = 'person' AND a.site_id IS DISTINCT FROM own_site() THEN 'a person of ' || s.code ELSE a.name END,
           a.site_id, s.code, last.document_id
    FROM unnest(items, moments) WITH ORDINALITY AS wanted (item_id, moment, place)
    JOIN LATERAL (SELECT e.to_account, e.document_id FROM entry e
                  WHERE e.item_id = wanted.item_id AND e.serial AND e.happened_at <= wanted.moment AND e.reverses IS NULL
                    AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
                  ORDER BY e.version DESC LIMIT 1) last ON true
    JOIN account a ON a.account_id = last.to_account AND a.class <> 'outside'
    LEFT JOIN site s ON s.site_id = a.site_id;
END $$;

-- What went to or from accounts of one's own site by documents recorded since a moment, whoever's they are. `live`: neither a
-- reversal nor reversed. By the clock of recording, which has an index: what happened since was recorded since.
CREATE FUNCTION stockpile.moved_since(accounts uuid[], since timestamptz)
RETURNS TABLE (item_id uuid, version integer, serial boolean, document_id uuid, quantity bigint, happened_at timestamptz, live boolean,
               from_account uuid, to_account uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE own uuid := own_site();
BEGIN
    RETURN QUERY
    WITH counted AS MATERIALIZED (
        SELECT a.account_id FROM account a WHERE a.site_id = own AND a.account_id IN (SELECT unnest(accounts)))
    SELECT e.item_id, e.version, e.serial, e.document_id, e.quantity, e.happened_at,
           e.reverses IS NULL AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version),
           e.from_account, e.to_account
    FROM document d JOIN entry e USING (document_id)
    WHERE d.recorded_at > since AND e.from_account <> e.to_account
      AND (e.from_account IN (SELECT c.account_id FROM counted c) OR e.to_account IN (SELECT c.account_id FROM counted c));
END $$;

-- What an opening list said is confirmed where a closed count found it so: unverified = opened by a list, and no count closed since
-- has matched it. Items are locked first and in their order, as a posting does.
CREATE FUNCTION stockpile.verify_counted(finished uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE
    done     physical_count;
    verified uuid[];
BEGIN
    SELECT * INTO done FROM physical_count c WHERE c.count_id = finished AND c.site_id = own_site() AND c.outcome = 'closed';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'count % is not closed', finished USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'count_closed';
    END IF;
    SELECT array_agg(h.item_id ORDER BY h.item_id) INTO verified
    FROM holding h JOIN item i USING (item_id)
    WHERE h.unverified AND EXISTS (
        SELECT FROM count_finding f WHERE f.count_id = finished
          AND CASE WHEN h.serial THEN f.kind = 'matched' AND f.item_id = h.item_id
                   ELSE f.kind = 'quantity matched' AND f.model_id = i.model_id AND f.lot IS NOT DISTINCT FROM i.lot END);
    PERFORM FROM item WHERE item_id = ANY (verified) ORDER BY item_id FOR NO KEY UPDATE;
    UPDATE holding h SET unverified = false
    WHERE h.item_id = ANY (verified) AND h.unverified
      AND (h.serial OR (h.site_id = done.site_id
                        AND (done.whole_site OR h.account_id IN (SELECT c.account_id FROM count_account c WHERE c.count_id = finished))));
END $$;

-- Withdraws what counts before this one found missing at the own site and this one read: a weapon by itself; of a recount also a
-- quantity that agrees now.
CREATE FUNCTION stockpile.withdraw_found(finished uuid, why text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE
    done   physical_count;
    number bigint;
BEGIN
    SELECT * INTO done FROM physical_count c WHERE c.count_id = finished AND c.site_id = own_site() AND c.outcome = 'closed';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'count % is not closed', finished USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'count_closed';
    END IF;
    WITH found AS (
        SELECT x.discrepancy_id FROM discrepancy x
        JOIN count_finding f ON f.count_id = finished AND f.kind = 'matched' AND f.item_id = x.item_id
        JOIN physical_count c ON c.register_id = x.register_id AND c.opened_at < done.closed_at AND c.count_id <> finished
        WHERE x.kind = 'missing at count' AND x.line IS NULL
        UNION
        SELECT x.discrepancy_id FROM physical_count c
        JOIN count_finding b ON b.count_id = c.count_id AND b.kind = 'quantity differs'
        JOIN discrepancy x ON x.register_id = c.register_id AND x.line = b.line AND x.kind IN ('missing at count', 'unexpected at count')
        JOIN count_finding f ON f.count_id = finished AND f.kind = 'quantity matched' AND f.model_id = b.model_id
             AND f.lot IS NOT DISTINCT FROM b.lot
        WHERE c.count_id = done.recount_of
    ), locked AS (
        SELECT x.discrepancy_id FROM discrepancy x JOIN found USING (discrepancy_id)
        WHERE x.closed_at IS NULL AND x.site_id = done.site_id ORDER BY x.discrepancy_id FOR NO KEY UPDATE OF x
    ), withdrawn AS (
        UPDATE discrepancy x SET closed_at = clock_timestamp(), outcome = 'withdrawn', explanation = why, explained_by_count = finished
        FROM locked l WHERE x.discrepancy_id = l.discrepancy_id RETURNING x.discrepancy_id, x.site_id, x.closed_at
    ), told AS (
        INSERT INTO discrepancy_step (discrepancy_id, step, site_id, what, happened_at, done_by, words)
        SELECT w.discrepancy_id, 1 + (SELECT count(*) FROM discrepancy_step s WHERE s.discrepancy_id = w.discrepancy_id),
               w.site_id, 'withdrawn', w.closed_at, done.closed_by, why FROM withdrawn w RETURNING 1)
    SELECT count(*) INTO number FROM told;
    RETURN number;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.stood_when(uuid[], timestamptz[]), stockpile.moved_since(uuid[], timestamptz),
    stockpile.verify_counted(uuid), stockpile.withdraw_found(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.stood_when(uuid[], timestamptz[]), stockpile.moved_since(uuid[], timestamptz),
    stockpile.verify_counted(uuid), stockpile.withdraw_found(uuid, text) TO stockpile_poster;

GRANT SELECT, INSERT ON stockpile.physical_count, stockpile.count_counter, stockpile.count_account, stockpile.count_item, stockpile.count_batch,
    stockpile.count_line, stockpile.count_finding, stockpile.seal, stockpile.seal_line TO stockpile_poster;
GRANT UPDATE (closed_at, closed_by, outcome, abandoned_because, register_id) ON stockpile.physical_count TO stockpile_poster;
GRANT UPDATE (broken_at, broken_by) ON stockpile.seal TO stockpile_poster;
GRANT SELECT ON stockpile.physical_count, stockpile.count_counter, stockpile.count_account, stockpile.count_item, stockpile.count_batch,
    stockpile.count_line, stockpile.count_finding, stockpile.seal, stockpile.seal_line TO stockpile_registrar, stockpile_auditor;
GRANT SELECT ON stockpile.count_period TO stockpile_poster, stockpile_registrar, stockpile_auditor;
GRANT INSERT ON stockpile.count_period TO stockpile_registrar;
GRANT UPDATE (what, held_by, security_risk_category, method, days, source, unverified, binds, changed_by, changed_at)
    ON stockpile.count_period TO stockpile_registrar;
DO $$
DECLARE secured text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['physical_count', 'count_counter', 'count_account', 'count_item', 'count_batch', 'count_line',
                                   'count_finding', 'seal', 'seal_line'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', secured);
        EXECUTE format('CREATE POLICY registrar ON stockpile.%I FOR SELECT TO stockpile_registrar USING (true)', secured);
        EXECUTE format('CREATE POLICY poster ON stockpile.%I TO stockpile_poster USING (site_id = (SELECT stockpile.own_site()))', secured);
    END LOOP;
END $$;
-- What is over stays so.
CREATE POLICY over_for_good ON stockpile.physical_count AS RESTRICTIVE FOR UPDATE TO stockpile_poster
    USING (outcome IS NULL) WITH CHECK (closed_at IS NOT NULL);
CREATE POLICY opened_only ON stockpile.physical_count AS RESTRICTIVE FOR INSERT TO stockpile_poster WITH CHECK (closed_at IS NULL);
CREATE POLICY broken_once ON stockpile.seal AS RESTRICTIVE FOR UPDATE TO stockpile_poster
    USING (broken_at IS NULL) WITH CHECK (broken_at IS NOT NULL);

-- Guests: people of a UN panel or a parliament who read for a time what they were invited to, and write nothing. Who reads named
-- consignments alone, a guest or a donor's partner, stands in a database role of their own, which has no right but to read them.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stockpile_guest') THEN
        RAISE EXCEPTION 'the role stockpile_guest is missing: an administrator of the server runs ''stockpile db setup'' once more'
            USING ERRCODE = 'undefined_object';
    END IF;
END $$;

CREATE TABLE stockpile.guest (
    guest_id UUID NOT NULL,
    party_id UUID NOT NULL,
    scope TEXT NOT NULL,
    donor_id UUID,
    reason TEXT NOT NULL,
    from_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until_at TIMESTAMP WITH TIME ZONE NOT NULL,
    content_hash BYTEA NOT NULL,
    asked_by UUID NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_by UUID,
    outcome TEXT,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_by UUID,
    CONSTRAINT guest_pkey PRIMARY KEY (guest_id),
    CONSTRAINT guest_scope CHECK (scope IN ('country', 'donor', 'consignments')),
    CONSTRAINT guest_donor CHECK ((scope = 'country') = (donor_id IS NULL)),
    CONSTRAINT guest_until CHECK (until_at > from_at),
    CONSTRAINT guest_outcome CHECK (outcome IN ('approved', 'rejected', 'withdrawn')),
    CONSTRAINT guest_settled CHECK ((settled_at IS NULL) = (outcome IS NULL) AND (settled_by IS NULL) = (outcome IS NULL)),
    CONSTRAINT guest_two_people CHECK (outcome <> 'approved' OR settled_by NOT IN (asked_by, party_id)),
    CONSTRAINT guest_revoked CHECK ((revoked_at IS NULL) = (revoked_by IS NULL) AND (revoked_at IS NULL OR outcome = 'approved')),
    CONSTRAINT guest_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT guest_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT guest_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT guest_asked_by_fkey FOREIGN KEY(asked_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT guest_settled_by_fkey FOREIGN KEY(settled_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT guest_revoked_by_fkey FOREIGN KEY(revoked_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.guest IS 'That somebody from outside reads for a time, and writes nothing: asked for by one, approved by another.';
COMMENT ON COLUMN stockpile.guest.donor_id IS 'whose weapons are read, all or those of the consignments named';

CREATE TABLE stockpile.guest_consignment (
    guest_id UUID NOT NULL,
    consignment_id UUID NOT NULL,
    CONSTRAINT guest_consignment_pkey PRIMARY KEY (guest_id, consignment_id),
    CONSTRAINT guest_consignment_guest_id_fkey FOREIGN KEY(guest_id) REFERENCES stockpile.guest (guest_id),
    CONSTRAINT guest_consignment_consignment_id_fkey FOREIGN KEY(consignment_id) REFERENCES stockpile.consignment (consignment_id)
);
COMMENT ON TABLE stockpile.guest_consignment IS 'The consignments that a guest reads, if not more.';

CREATE TABLE stockpile.guest_reading (
    reading_id UUID NOT NULL,
    guest_id UUID NOT NULL,
    read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    CONSTRAINT guest_reading_pkey PRIMARY KEY (reading_id),
    CONSTRAINT guest_reading_guest_id_fkey FOREIGN KEY(guest_id) REFERENCES stockpile.guest (guest_id)
);
CREATE INDEX guest_reading_of_guest ON stockpile.guest_reading (guest_id, read_at);
COMMENT ON TABLE stockpile.guest_reading IS 'What a guest asked for, before it was answered.';
COMMENT ON COLUMN stockpile.guest_reading.path IS 'without what was asked of it';

-- An invitation once settled stays so, and once revoked too; nothing else of it ever changes.
CREATE FUNCTION stockpile.guest_changes() RETURNS trigger LANGUAGE plpgsql SET search_path = stockpile, pg_temp AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL
       OR (OLD.outcome IS NOT NULL AND (NEW.outcome, NEW.settled_at, NEW.settled_by) IS DISTINCT FROM (OLD.outcome, OLD.settled_at, OLD.settled_by)) THEN
        RAISE EXCEPTION 'an invitation that was settled or revoked stays so' USING ERRCODE = 'check_violation', CONSTRAINT = 'guest_settled_once';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.guest_changes() FROM PUBLIC;
CREATE TRIGGER settled_once BEFORE UPDATE ON stockpile.guest FOR EACH ROW EXECUTE FUNCTION stockpile.guest_changes();
CREATE TRIGGER never BEFORE UPDATE OF guest_id, party_id, scope, donor_id, reason, from_at, until_at, content_hash, asked_by, asked_at
    OR DELETE OR TRUNCATE ON stockpile.guest FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.guest_consignment FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.guest_reading FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

ALTER TABLE stockpile.user ADD COLUMN guest_id UUID CONSTRAINT user_guest_id_fkey REFERENCES stockpile.guest (guest_id);
ALTER TABLE stockpile.token ADD COLUMN guest_id UUID CONSTRAINT token_guest_id_fkey REFERENCES stockpile.guest (guest_id);
COMMENT ON COLUMN stockpile.user.guest_id IS 'of a guest: what is read, from when until when';
COMMENT ON COLUMN stockpile.token.guest_id IS 'of a guest: what is read, from when until when';
ALTER TABLE stockpile.user DROP CONSTRAINT user_role;
ALTER TABLE stockpile.user ADD CONSTRAINT user_role CHECK (role IN ('clerk', 'armourer', 'commander', 'registrar', 'auditor', 'donor', 'guest'));
ALTER TABLE stockpile.user ADD CONSTRAINT user_guest CHECK ((role = 'guest') = (guest_id IS NOT NULL));
ALTER TABLE stockpile.token DROP CONSTRAINT token_role;
ALTER TABLE stockpile.token ADD CONSTRAINT token_role CHECK (role IN ('clerk', 'armourer', 'commander', 'registrar', 'auditor', 'donor', 'guest'));
ALTER TABLE stockpile.token ADD CONSTRAINT token_guest CHECK ((role = 'guest') = (guest_id IS NOT NULL));
DROP INDEX stockpile.user_once;
CREATE UNIQUE INDEX user_once ON stockpile.user (party_id, role, site_id) NULLS NOT DISTINCT
    WHERE disabled_at IS NULL AND role <> 'donor' AND guest_id IS NULL;

-- What a guest may read at this moment; nothing before its time, after it, once it is revoked, or of whom there is no approval. Asked
-- for each request, before any role is taken: by the token, or by the user of a session.
CREATE FUNCTION stockpile.guest_of(by_token uuid, by_user uuid)
RETURNS TABLE (guest_id uuid, scope text, donor_id uuid, consignments uuid[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT g.guest_id, g.scope, g.donor_id, array(SELECT c.consignment_id FROM guest_consignment c WHERE c.guest_id = g.guest_id)
    FROM guest g
    WHERE g.guest_id = coalesce((SELECT t.guest_id FROM token t WHERE t.token_id = by_token),
                                (SELECT u.guest_id FROM stockpile.user u WHERE u.user_id = by_user))
      AND g.outcome = 'approved' AND g.revoked_at IS NULL AND g.from_at <= clock_timestamp() AND g.until_at > clock_timestamp()
$$;

-- What a guest asks for is kept before it is answered: of guests alone.
CREATE FUNCTION stockpile.note_reading(reading uuid, of_guest uuid, asked_by text, asked_for text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    INSERT INTO guest_reading (reading_id, guest_id, read_at, method, path) VALUES (reading, of_guest, clock_timestamp(), asked_by, asked_for)
$$;

-- The consignments that who asks reads alone; none: the setting was not made, so nothing.
CREATE FUNCTION stockpile.own_consignments() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('stockpile.consignments', true), '')::uuid[];

REVOKE EXECUTE ON FUNCTION stockpile.guest_of(uuid, uuid), stockpile.note_reading(uuid, uuid, text, text), stockpile.own_consignments() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.guest_of(uuid, uuid), stockpile.note_reading(uuid, uuid, text, text) TO stockpile_service;

-- As before, and of a guest's or partner's consignments alone.
CREATE OR REPLACE FUNCTION stockpile.inspections_of(items uuid[], known timestamptz)
RETURNS TABLE (item_id uuid, inspected_on date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    WITH listed AS (
        SELECT l.register_id, l.line, l.item_id, l.serial_key, l.model, r.source,
               lower(regexp_replace(btrim(l.model), '\s+', ' ', 'g')) AS name,
               lower(regexp_replace(btrim(concat_ws(' ', l.maker, l.model)), '\s+', ' ', 'g')) AS full_name,
               coalesce(l.dated_on, (r.as_of AT TIME ZONE coalesce(s.time_zone, 'UTC'))::date) AS inspected_on
        FROM register r JOIN register_line l USING (register_id) LEFT JOIN site s ON s.site_id = r.site_id
        WHERE r.kind = 'inspection' AND r.recorded_at <= known AND l.rejected IS NULL
    ), meant AS (
        SELECT l.item_id, l.inspected_on FROM listed l WHERE l.item_id IS NOT NULL
        UNION ALL
        SELECT (array_agg(i.item_id))[1], min(l.inspected_on)
        FROM listed l JOIN identification n ON n.serial_key = l.serial_key
        JOIN item i ON i.item_id = n.item_id JOIN model m ON m.model_id = i.model_id
        WHERE l.item_id IS NULL AND l.model IS NOT NULL
          AND (lower(m.name) IN (l.name, l.full_name) OR lower(m.maker || ' ' || m.name) IN (l.name, l.full_name)
               OR EXISTS (SELECT FROM alias a WHERE a.model_id = m.model_id AND a.source IN (coalesce(l.source, ''), 'catalogue')
                          AND (a.name_key IN (l.name, l.full_name) OR a.name = l.model)))
        GROUP BY l.register_id, l.line HAVING count(DISTINCT i.item_id) = 1
    )
    SELECT DISTINCT m.item_id, m.inspected_on
    FROM meant m JOIN unnest(items) AS wanted (item_id) ON wanted.item_id = m.item_id
    JOIN item i ON i.item_id = m.item_id
    WHERE CASE current_setting('role')
          WHEN 'stockpile_donor' THEN i.donor_id = own_donor()
          WHEN 'stockpile_guest' THEN i.donor_id = own_donor() AND i.consignment_id = ANY (own_consignments()) ELSE true END
$$;

CREATE OR REPLACE FUNCTION stockpile.last_seen(documents uuid[]) RETURNS TABLE (document_id uuid, last_seen_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT d.document_id, (d.details->>'last_seen_at')::timestamptz
    FROM document d
    WHERE d.document_id = ANY (documents) AND d.act = 'report missing'
      AND CASE current_setting('role')
          WHEN 'stockpile_donor' THEN EXISTS (SELECT FROM entry e WHERE e.document_id = d.document_id AND e.donor_id = own_donor())
          WHEN 'stockpile_guest' THEN EXISTS (SELECT FROM entry e JOIN item i ON i.item_id = e.item_id
                                              WHERE e.document_id = d.document_id AND e.donor_id = own_donor()
                                                AND i.consignment_id = ANY (own_consignments()))
          WHEN 'stockpile_poster' THEN d.site_id = own_site() ELSE true END
$$;

CREATE OR REPLACE FUNCTION stockpile.rejections(items uuid[])
RETURNS TABLE (item_id uuid, version integer, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    WITH RECURSIVE said AS (
        SELECT e.item_id, e.version, d.details->>'reason' AS reason
        FROM entry e JOIN document d ON d.document_id = e.document_id AND d.act = 'reject' JOIN item i ON i.item_id = e.item_id
        WHERE e.item_id = ANY (items) AND e.reverses IS NULL AND e.posts_again IS NULL
          AND CASE current_setting('role') WHEN 'stockpile_donor' THEN e.donor_id = own_donor()
                                           WHEN 'stockpile_guest' THEN e.donor_id = own_donor() AND i.consignment_id = ANY (own_consignments())
                                           WHEN 'stockpile_poster' THEN e.site_id = own_site() ELSE true END
        UNION ALL
        SELECT n.item_id, n.version, s.reason FROM said s JOIN entry n ON n.item_id = s.item_id AND n.posts_again = s.version)
    SELECT * FROM said
$$;

GRANT SELECT, INSERT ON stockpile.guest, stockpile.guest_consignment TO stockpile_registrar;
GRANT UPDATE (settled_at, settled_by, outcome, revoked_at, revoked_by) ON stockpile.guest TO stockpile_registrar;
GRANT SELECT ON stockpile.guest, stockpile.guest_consignment TO stockpile_auditor;
GRANT SELECT ON stockpile.guest_reading TO stockpile_registrar, stockpile_auditor;
GRANT SELECT (guest_id) ON stockpile.user TO stockpile_registrar, stockpile_auditor;
GRANT SELECT (guest_id) ON stockpile.token TO stockpile_registrar, stockpile_auditor;

-- What a donor reads, but for the secrets of its items and the seeds of its entries: they are the donor's own.
GRANT USAGE ON SCHEMA stockpile TO stockpile_guest;
GRANT EXECUTE ON FUNCTION stockpile.own_consignments(), stockpile.standing_entry(uuid, integer), stockpile.identified(uuid),
    stockpile.inspections_of(uuid[], timestamptz), stockpile.last_seen(uuid[]), stockpile.rejections(uuid[]) TO stockpile_guest;
GRANT SELECT ON stockpile.site, stockpile.model, stockpile.holding, stockpile.identification, stockpile.consignment TO stockpile_guest;
GRANT SELECT (item_id, tracked_by, model_id, donor_id, consignment_id, lot, tag_number) ON stockpile.item TO stockpile_guest;
GRANT SELECT (item_id, version, serial, donor_id, model_id, site_id, document_id, line, from_account, to_account, quantity, condition,
              happened_at, recorded_at, claimed_from, reverses, posts_again, leaf) ON stockpile.entry TO stockpile_guest;
GRANT SELECT (account_id, class, site_id, class_and_site) ON stockpile.account TO stockpile_guest;
GRANT SELECT (document_id, site_id, book_id, number, act, fact, undo, happened_at, happened_precision, recorded_at) ON stockpile.document TO stockpile_guest;
GRANT SELECT (book_id, site_id, code, year) ON stockpile.book TO stockpile_guest;
GRANT SELECT (party_id, kind, code, name, rank) ON stockpile.party TO stockpile_guest;
GRANT SELECT (discrepancy_id, site_id, kind, item_id, donor_id, opened_at, due_on, closed_at, outcome) ON stockpile.discrepancy TO stockpile_guest;
GRANT SELECT (tracing_id, kind, serial_number, serial_status, model, maker, calibre, country, place, place_country, found_on, confidence, how, recorded_at)
    ON stockpile.tracing TO stockpile_guest;
GRANT SELECT (tracing_id, item_id, donor_id, reasons, recorded_at) ON stockpile.tracing_weapon TO stockpile_guest;
GRANT SELECT (donor_id, statement_id, kind, site_id, reference, answers, content, recorded_at, content_hash, leaf)
    ON stockpile.donor_statement TO stockpile_guest;
GRANT SELECT (statement_id, log, kind, content, recorded_at, leaf) ON stockpile.log_statement TO stockpile_guest;
GRANT SELECT ON stockpile.log_origin, stockpile.leaf, stockpile.tile, stockpile.checkpoint, stockpile.cosignature TO stockpile_guest;

DO $$
DECLARE
    own_donor text := '(SELECT stockpile.own_donor())';
    own       text := '((SELECT stockpile.own_consignments())::uuid[])';
    secured   text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['guest', 'guest_consignment', 'guest_reading'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', secured);
    END LOOP;
    CREATE POLICY registrar ON stockpile.guest TO stockpile_registrar USING (true);
    CREATE POLICY registrar_reads ON stockpile.guest_consignment FOR SELECT TO stockpile_registrar USING (true);
    CREATE POLICY registrar ON stockpile.guest_reading FOR SELECT TO stockpile_registrar USING (true);
    -- Only as the guest is asked for: whoever approves has read them all.
    CREATE POLICY registrar_adds ON stockpile.guest_consignment FOR INSERT TO stockpile_registrar
        WITH CHECK (EXISTS (SELECT FROM stockpile.guest g WHERE g.guest_id = guest_consignment.guest_id AND g.outcome IS NULL
                            AND g.xmin = pg_current_xact_id()::xid));

    EXECUTE format('CREATE POLICY guest ON stockpile.item FOR SELECT TO stockpile_guest USING (donor_id = %s AND consignment_id = ANY (%s))', own_donor, own);
    EXECUTE format('CREATE POLICY guest ON stockpile.consignment FOR SELECT TO stockpile_guest USING (donor_id = %s AND consignment_id = ANY (%s))', own_donor, own);
    -- The items are found once for a question and kept, whatever it asks of them.
    FOREACH secured IN ARRAY ARRAY['entry', 'holding', 'identification', 'discrepancy', 'tracing_weapon'] LOOP
        EXECUTE format('CREATE POLICY guest ON stockpile.%I FOR SELECT TO stockpile_guest
                        USING (donor_id = %s AND item_id IN (SELECT i.item_id FROM stockpile.item i))', secured, own_donor);
    END LOOP;
    CREATE POLICY guest ON stockpile.tracing FOR SELECT TO stockpile_guest
        USING (tracing_id IN (SELECT w.tracing_id FROM stockpile.tracing_weapon w));
    CREATE POLICY guest ON stockpile.account FOR SELECT TO stockpile_guest USING (true);
    EXECUTE format('CREATE POLICY guest ON stockpile.party FOR SELECT TO stockpile_guest USING (party_id = %s)', own_donor);
    CREATE POLICY guest ON stockpile.book FOR SELECT TO stockpile_guest USING (true);
    CREATE POLICY guest ON stockpile.document FOR SELECT TO stockpile_guest
        USING (EXISTS (SELECT FROM stockpile.entry e WHERE e.document_id = document.document_id));
    -- Declarations, delivery verifications and what was answered to them name a depot; certificates, consents and shares name none.
    EXECUTE format('CREATE POLICY guest ON stockpile.donor_statement FOR SELECT TO stockpile_guest
                    USING (donor_id = %s AND site_id IS NOT NULL AND reference IN (SELECT c.reference FROM stockpile.consignment c))', own_donor);
END $$;

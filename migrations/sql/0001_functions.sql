-- What constraints cannot say, and what needs the owner's rights.

-- After every INSERT into entry, for all its rows at once. Refusals carry a constraint name like any other.
-- Nested loops only: the plans are kept for the session, and one made for a bulk load would scan for a single entry.
CREATE FUNCTION stockpile.entry_posted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = stockpile, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    moved_rows integer;
    wrong      record;
    given      record;
BEGIN
    SELECT bool_or(serial) AS weapons, bool_or(NOT serial) AS quantities, bool_or(serial AND version > 1) AS followed,
           bool_or(reverses IS NOT NULL OR posts_again IS NOT NULL) AS mends,
           count(DISTINCT item_id) FILTER (WHERE serial) AS items INTO given FROM posted;

    -- What an entry points to exists and says the same; a weapon's entry n begins where n - 1 ended, and is not
    -- recorded before it. Rows pointed to are never deleted, so one look at posting is enough.
    SELECT n.item_id, n.version, CASE
            WHEN i.item_id IS NULL OR (i.donor_id, i.model_id) <> (n.donor_id, n.model_id) OR (i.tracked_by = 'serial') <> n.serial THEN 'entry_item'
            WHEN d.document_id IS NULL OR d.site_id <> n.site_id OR d.recorded_at <> n.recorded_at THEN 'entry_document'
            WHEN f.account_id IS NULL OR t.account_id IS NULL THEN 'entry_account'
            WHEN n.version > 1 AND e.item_id IS NULL THEN 'entry_no_gap'
            WHEN n.serial AND e.to_account <> n.from_account THEN 'entry_chain'
            ELSE 'entry_recorded_in_order' END AS rule
    INTO wrong
    FROM posted n
    LEFT JOIN item i ON i.item_id = n.item_id
    LEFT JOIN document d ON d.document_id = n.document_id
    LEFT JOIN account f ON f.account_id = n.from_account
    LEFT JOIN account t ON t.account_id = n.to_account
    LEFT JOIN entry e ON n.version > 1 AND e.item_id = n.item_id AND e.version = n.version - 1
    WHERE i.item_id IS NULL OR (i.donor_id, i.model_id) <> (n.donor_id, n.model_id) OR (i.tracked_by = 'serial') <> n.serial
       OR d.document_id IS NULL OR d.site_id <> n.site_id OR d.recorded_at <> n.recorded_at
       OR f.account_id IS NULL OR t.account_id IS NULL
       OR (n.version > 1 AND e.item_id IS NULL)
       OR (n.serial AND e.to_account <> n.from_account)
       OR e.recorded_at > n.recorded_at
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'item %: entry % breaks %', wrong.item_id, wrong.version, wrong.rule
            USING ERRCODE = 'check_violation', CONSTRAINT = wrong.rule;
    END IF;

    -- A document lands whole, in one statement; nothing is added to it afterwards.
    SELECT d.document_id INTO wrong
    FROM (SELECT document_id FROM posted GROUP BY document_id) p JOIN document d USING (document_id)
    CROSS JOIN LATERAL (SELECT count(*) AS lines, sum(e.quantity) AS quantity FROM entry e WHERE e.document_id = d.document_id) found
    WHERE d.line_count <> found.lines OR d.quantity <> found.quantity LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'document % has not the lines it says', wrong.document_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_document_whole';
    END IF;

    IF given.mends THEN
        -- A reversal mirrors what it reverses: legs swapped, same quantity, same happened_at; it never reverses a
        -- reversal. What is posted again was reversed, goes where it went, when it went.
        SELECT n.item_id, n.version INTO wrong
        FROM posted n LEFT JOIN entry e ON e.item_id = n.item_id AND e.version = coalesce(n.reverses, n.posts_again)
        WHERE coalesce(n.reverses, n.posts_again) IS NOT NULL
          AND (e.item_id IS NULL OR e.reverses IS NOT NULL OR e.quantity <> n.quantity OR e.happened_at <> n.happened_at
               OR (n.reverses IS NOT NULL AND (e.from_account, e.to_account) <> (n.to_account, n.from_account))
               OR (n.posts_again IS NOT NULL AND (e.to_account <> n.to_account AND e.from_account <> e.to_account
                   OR NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version
                                  AND r.version < n.version))))
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'item %: entry % does not mirror what it reverses or repeats', wrong.item_id, wrong.version
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_reversal_mirrors';
        END IF;
    END IF;

    -- Weapons only: a reversal takes the last live entry; a live entry is not before the last one.
    IF given.followed THEN
        SELECT n.item_id, n.version, n.reverses INTO wrong
        FROM posted n
        CROSS JOIN LATERAL (
            SELECT e.version, e.happened_at FROM entry e
            WHERE e.item_id = n.item_id AND e.version < n.version AND e.reverses IS NULL
              AND NOT EXISTS (SELECT FROM entry r
                              WHERE r.item_id = e.item_id AND r.reverses = e.version AND r.version < n.version)
            ORDER BY e.version DESC LIMIT 1) live
        WHERE n.serial AND n.version > 1
          AND CASE WHEN n.reverses IS NULL THEN live.happened_at > n.happened_at
                   ELSE live.version <> n.reverses END LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'item %: entry % %', wrong.item_id, wrong.version,
                CASE WHEN wrong.reverses IS NULL THEN 'goes back in time' ELSE 'does not reverse the last live entry' END
                USING ERRCODE = 'check_violation', CONSTRAINT =
                CASE WHEN wrong.reverses IS NULL THEN 'entry_happened_in_order' ELSE 'entry_reverses_last' END;
        END IF;
    END IF;

    -- Weapons: the one holding moves in place, so that who waits for its lock reads the new place.
    IF given.weapons AND NOT given.followed THEN            -- all are new
        INSERT INTO holding (item_id, account_id, serial, donor_id, site_id, quantity, unverified)
        SELECT n.item_id, n.to_account, true, n.donor_id, p.site_id, 1, d.act = 'open'
        FROM posted n JOIN document d USING (document_id)
        JOIN account o ON o.account_id = n.from_account AND o.class = 'outside'
        JOIN account p ON p.account_id = n.to_account AND p.class <> 'outside'
        WHERE n.serial;
        GET DIAGNOSTICS moved_rows = ROW_COUNT;
    ELSIF given.weapons THEN
        MERGE INTO holding h
        USING (SELECT m.item_id, m.donor_id, m.origin, m.place, o.class = 'outside' AS comes, p.class = 'outside' AS goes,
                      p.site_id, m.unverified
               FROM (SELECT n.item_id, n.donor_id, (array_agg(n.from_account ORDER BY n.version))[1] AS origin,
                            (array_agg(n.to_account ORDER BY n.version DESC))[1] AS place, bool_or(d.act = 'open') AS unverified
                     FROM posted n JOIN document d USING (document_id) WHERE n.serial GROUP BY n.item_id, n.donor_id) m
               JOIN account o ON o.account_id = m.origin JOIN account p ON p.account_id = m.place) m
        ON h.item_id = m.item_id AND h.serial
        WHEN MATCHED AND h.account_id = m.origin AND m.goes THEN DELETE
        WHEN MATCHED AND h.account_id = m.origin THEN UPDATE SET account_id = m.place, site_id = m.site_id
        WHEN NOT MATCHED AND m.comes AND NOT m.goes THEN
            INSERT (item_id, account_id, serial, donor_id, site_id, quantity, unverified)
            VALUES (m.item_id, m.place, true, m.donor_id, m.site_id, 1, m.unverified)
        WHEN NOT MATCHED THEN DO NOTHING;
        GET DIAGNOSTICS moved_rows = ROW_COUNT;
    END IF;
    IF given.weapons THEN
        -- An item that comes from outside and goes back in one document has no row to move.
        IF moved_rows <> given.items THEN
            SELECT count(*) INTO moved_rows FROM (SELECT DISTINCT item_id FROM posted WHERE serial) n
            JOIN LATERAL (SELECT e.to_account FROM entry e WHERE e.item_id = n.item_id ORDER BY e.version DESC LIMIT 1) last ON true
            JOIN account a ON a.account_id = last.to_account
            LEFT JOIN holding h ON h.item_id = n.item_id AND h.serial
            WHERE h.account_id IS NOT DISTINCT FROM CASE WHEN a.class <> 'outside' THEN last.to_account END;
        END IF;
        IF moved_rows <> given.items THEN
            RAISE EXCEPTION 'a weapon is not where its entry begins'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_begins_where_held';
        END IF;
    END IF;

    -- Lots and quantities: add the legs. Too little left shows as holding_not_negative.
    IF given.quantities THEN
        MERGE INTO holding h
        USING (SELECT l.item_id, l.donor_id, l.account_id, a.site_id, sum(l.quantity) AS quantity, bool_or(l.unverified) AS unverified
               FROM (SELECT n.item_id, n.donor_id, leg.account_id, leg.quantity, d.act = 'open' AS unverified
                     FROM posted n JOIN document d USING (document_id)
                     CROSS JOIN LATERAL (VALUES (n.from_account, -n.quantity), (n.to_account, n.quantity)) leg (account_id, quantity)
                     WHERE NOT n.serial) l
               JOIN account a ON a.account_id = l.account_id AND a.class <> 'outside'
               GROUP BY l.item_id, l.donor_id, l.account_id, a.site_id HAVING sum(l.quantity) <> 0) l
        ON h.item_id = l.item_id AND h.account_id = l.account_id
        WHEN MATCHED AND h.quantity + l.quantity = 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET quantity = h.quantity + l.quantity, unverified = h.unverified OR l.unverified
        WHEN NOT MATCHED THEN
            INSERT (item_id, account_id, serial, donor_id, site_id, quantity, unverified)
            VALUES (l.item_id, l.account_id, false, l.donor_id, l.site_id, l.quantity, l.unverified);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_posted AFTER INSERT ON stockpile.entry REFERENCING NEW TABLE AS posted
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.entry_posted();

-- At commit: a document that announces lines has some (entry_posted has counted them). By the index only: after a few
-- large vouchers the planner takes any document for large, and would read the whole ledger for each.
CREATE FUNCTION stockpile.document_complete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF NEW.line_count > 0 AND NOT EXISTS (SELECT FROM entry WHERE document_id = NEW.document_id) THEN
        RAISE EXCEPTION 'document % has none of its lines', NEW.document_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'document_complete';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER document_complete AFTER INSERT ON stockpile.document
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stockpile.document_complete();

-- Append-only for everybody, the owner too: entries refer to these rows without foreign keys.
CREATE FUNCTION stockpile.never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed that way (%): post a correction', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;
DO $$
DECLARE guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['document', 'signatory', 'item', 'entry', 'identification', 'identity', 'register', 'register_line'] LOOP
        EXECUTE format('CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never()', guarded);
    END LOOP;
    FOREACH guarded IN ARRAY ARRAY['account', 'party', 'party_name', 'site', 'model', 'consignment', 'book', 'discrepancy', 'draft', 'alias'] LOOP
        EXECUTE format('CREATE TRIGGER never BEFORE DELETE OR TRUNCATE ON stockpile.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never()', guarded);
    END LOOP;
END $$;
CREATE TRIGGER never_moves BEFORE UPDATE OF account_id, class, site_id, party_id ON stockpile.account
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

-- Who a token speaks for. The service may call this before it has taken a role; a revoked or expired token is nobody.
CREATE FUNCTION stockpile.authenticate(hash bytea)
RETURNS TABLE (token_id uuid, party_id uuid, role text, donor_id uuid, book_code text,
               site_id uuid, code text, name text, time_zone text, custodian_id uuid, declared_open_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT t.token_id, t.party_id, t.role, t.donor_id, t.book_code,
           s.site_id, s.code, s.name, s.time_zone, s.custodian_id, s.declared_open_at
    FROM token t LEFT JOIN site s ON s.site_id = t.site_id
    WHERE t.secret_hash = hash AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp();
END $$;

-- The version of the schema, for the service's check at start-up: it owns nothing and may read nothing yet.
CREATE FUNCTION stockpile.schema_version() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$ SELECT version_num::text FROM alembic_version $$;

-- The site a session stands in; NULLIF because a setting reads '' after an earlier SET LOCAL.
CREATE FUNCTION stockpile.own_site() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('stockpile.site_id', true), '')::uuid;
CREATE FUNCTION stockpile.own_donor() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('stockpile.donor_id', true), '')::uuid;

-- Where items are, and as what they are known. With `lock`, first locks the items in item order: the first step of
-- posting. Also how a clerk finds a weapon of another site (row-level security hides the lists); persons of other sites stay unnamed. For
-- lots and quantities it tells the holdings on the accounts asked for, all of them if none is asked for.
CREATE FUNCTION stockpile.whereabouts(items uuid[], accounts uuid[] DEFAULT NULL, lock boolean DEFAULT true)
RETURNS TABLE (item_id uuid, tracked_by text, model_id uuid, donor_id uuid, consignment_id uuid, tag_number bigint, secret bytea,
               version integer, happened_at timestamptz, recorded_at timestamptz, condition text,
               account_id uuid, class text, account_name text, site_id uuid, party_id uuid, quantity bigint, unverified boolean,
               maker text, model_name text, serial_number text, marked boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    IF lock THEN
        PERFORM FROM item WHERE item_id = ANY (items) ORDER BY item_id FOR NO KEY UPDATE;
    END IF;
    RETURN QUERY                                            -- a new snapshot: what the lock's last owner committed
    SELECT i.item_id, i.tracked_by, i.model_id, i.donor_id, i.consignment_id, i.tag_number, i.secret,
           coalesce(last.version, 0), live.happened_at, last.recorded_at, seen.condition,
           a.account_id, a.class,
           CASE WHEN a.class = 'person' AND a.site_id IS DISTINCT FROM own_site() THEN 'a person of ' || s.code ELSE a.name END,
           a.site_id, a.party_id, h.quantity, h.unverified, m.maker, m.name, marks.serial_number,
           coalesce((marks.serial_number IS NOT NULL AND NOT marks.obliterated) OR marks.import_mark IS NOT NULL OR marks.uii IS NOT NULL,
                    i.tracked_by <> 'serial')
    FROM unnest(items) AS wanted (item_id)
    JOIN item i ON i.item_id = wanted.item_id
    JOIN model m ON m.model_id = i.model_id
    LEFT JOIN LATERAL (SELECT e.version, e.recorded_at FROM entry e WHERE e.item_id = i.item_id
                       ORDER BY e.version DESC LIMIT 1) last ON true
    LEFT JOIN LATERAL (SELECT e.happened_at FROM entry e
                       WHERE i.tracked_by = 'serial' AND e.item_id = i.item_id AND e.reverses IS NULL
                         AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
                       ORDER BY e.version DESC LIMIT 1) live ON true
    LEFT JOIN LATERAL (SELECT e.condition FROM entry e
                       WHERE i.tracked_by = 'serial' AND e.item_id = i.item_id AND e.reverses IS NULL AND e.condition IS NOT NULL
                         AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
                       ORDER BY e.version DESC LIMIT 1) seen ON true
    LEFT JOIN LATERAL (SELECT n.serial_number, n.obliterated, n.import_mark, n.uii FROM identification n
                       WHERE n.item_id = i.item_id ORDER BY n.version DESC LIMIT 1) marks ON true
    LEFT JOIN holding h ON h.item_id = i.item_id
                       AND (i.tracked_by = 'serial' OR accounts IS NULL OR h.account_id = ANY (accounts))
    LEFT JOIN account a ON a.account_id = h.account_id
    LEFT JOIN site s ON s.site_id = a.site_id;
END $$;

-- The live entries of items from a moment on, newest first, with both ends: what a late fact has to reverse. `first_` says under
-- which document each was first posted, before late facts posted it again. Persons of other sites stay unnamed.
CREATE FUNCTION stockpile.live_entries(items uuid[], since timestamptz)
RETURNS TABLE (item_id uuid, version integer, document_id uuid, posts_again integer, quantity bigint, happened_at timestamptz, condition text,
               claimed_from uuid, first_act text, first_book uuid, first_number integer,
               from_account uuid, from_class text, from_name text, from_site uuid, from_party uuid,
               to_account uuid, to_class text, to_name text, to_site uuid, to_party uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT e.item_id, e.version, e.document_id, e.posts_again, e.quantity, e.happened_at, e.condition, e.claimed_from,
           first.act, first.book_id, first.number,
           f.account_id, f.class, CASE WHEN f.class = 'person' AND f.site_id IS DISTINCT FROM own_site() THEN 'a person of another site' ELSE f.name END,
           f.site_id, f.party_id,
           t.account_id, t.class, CASE WHEN t.class = 'person' AND t.site_id IS DISTINCT FROM own_site() THEN 'a person of another site' ELSE t.name END,
           t.site_id, t.party_id
    FROM entry e JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
    CROSS JOIN LATERAL (
        WITH RECURSIVE cited AS (
            SELECT e.document_id, e.posts_again
            UNION ALL
            SELECT p.document_id, p.posts_again FROM cited c JOIN entry p ON p.item_id = e.item_id AND p.version = c.posts_again)
        SELECT d.act, d.book_id, d.number FROM cited c JOIN document d ON d.document_id = c.document_id WHERE c.posts_again IS NULL) first
    WHERE e.item_id = ANY (items) AND e.happened_at >= since AND e.reverses IS NULL
      AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
    ORDER BY e.item_id, e.version DESC;
END $$;

-- The entries of items with the classes and sites of both ends, whoever's document wrote them: how a clerk follows a weapon
-- that came from another site. No names and no numbers: those stay under row-level security.
CREATE FUNCTION stockpile.entries_of(items uuid[])
RETURNS TABLE (item_id uuid, version integer, document_id uuid, act text, site_id uuid, line integer, quantity bigint, condition text,
               happened_at timestamptz, recorded_at timestamptz, reverses integer, posts_again integer,
               from_account uuid, from_class text, from_site uuid, to_account uuid, to_class text, to_site uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT e.item_id, e.version, e.document_id, d.act, e.site_id, e.line, e.quantity, e.condition, e.happened_at, e.recorded_at,
           e.reverses, e.posts_again, f.account_id, f.class, f.site_id, t.account_id, t.class, t.site_id
    FROM entry e JOIN document d USING (document_id)
    JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
    WHERE e.item_id = ANY (items)
$$;

-- What went to or from the accounts of one's own site up to a moment, whoever's document wrote it: an entry is under its
-- document's site, but a balance is under its account's.
CREATE FUNCTION stockpile.site_entries(happened timestamptz, recorded timestamptz)
RETURNS TABLE (item_id uuid, donor_id uuid, model_id uuid, from_account uuid, from_class text, from_site uuid,
               to_account uuid, to_class text, to_site uuid, quantity bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE own uuid := own_site();                             -- once, not once a row
BEGIN
    RETURN QUERY
    SELECT e.item_id, e.donor_id, e.model_id, f.account_id, f.class, f.site_id, t.account_id, t.class, t.site_id, e.quantity
    FROM entry e JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
    WHERE e.happened_at <= happened AND e.recorded_at <= recorded
      AND (e.from_account IN (SELECT o.account_id FROM account o WHERE o.site_id = own)
           OR e.to_account IN (SELECT o.account_id FROM account o WHERE o.site_id = own));
END $$;

-- For the planner: of all pairs of classes and sites only a few occur between two accounts. Without this it expects millions of groups
-- in a country's trial balance, and sorts every entry instead of adding them up in parallel.
ALTER TABLE stockpile.account ALTER class_and_site SET (n_distinct = 4), ALTER class SET (n_distinct = 2), ALTER site_id SET (n_distinct = 2);

-- What signing needs to know of a party: the current name and the secret that salts its digest.
CREATE FUNCTION stockpile.signatures(parties uuid[])
RETURNS TABLE (party_id uuid, code text, name text, rank text, name_version integer, secret bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.party_id, p.code, p.name, p.rank, p.name_version, p.secret FROM party p WHERE p.party_id = ANY (parties);
END $$;

-- Ends the weapons' assignments: those one's own site made, and of weapons that it holds now also another site's. A weapon
-- that moved would else stay at the draw of a person its new site may not even see.
CREATE FUNCTION stockpile.end_weapon_assignments(items uuid[], moment timestamptz) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    UPDATE weapon_assignment w SET until = greatest(w.since, moment)
    WHERE w.item_id = ANY (items) AND w.until IS NULL
      AND (w.site_id = own_site() OR EXISTS (SELECT FROM holding h WHERE h.item_id = w.item_id AND h.site_id = own_site()))
    RETURNING w.item_id
$$;

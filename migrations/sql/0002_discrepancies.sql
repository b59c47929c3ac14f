-- Discrepancies are settled: by two people and a document that explains them, or by themselves when a late document shows that
-- the books were only behind. What a late fact judges anew, and what of a quantity it shows to have been there after all.

ALTER TABLE stockpile.discrepancy
    ADD COLUMN concerns uuid,
    ADD COLUMN proposed_by uuid,
    ADD CONSTRAINT discrepancy_concerns_fkey FOREIGN KEY (concerns) REFERENCES stockpile.document (document_id),
    ADD CONSTRAINT discrepancy_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES stockpile.party (party_id),
    ADD CONSTRAINT discrepancy_two_people CHECK (outcome <> 'explained' OR coalesce(closed_by <> proposed_by, false)),
    ADD CONSTRAINT discrepancy_explained CHECK (outcome IS NULL OR explained_by IS NOT NULL);
COMMENT ON COLUMN stockpile.discrepancy.concerns IS 'the document it is about, where a later one opened it';
COMMENT ON COLUMN stockpile.discrepancy.proposed_by IS 'who asked for it to be closed; who closed it is another';

-- What a late document showed of those that followed it stood under the late one alone. Which one each is about: the follower that
-- began elsewhere when it was posted again, or that was not posted again; of several, the one that the words name.
UPDATE stockpile.discrepancy x SET concerns = moved.document_id
FROM (SELECT DISTINCT ON (x.discrepancy_id) x.discrepancy_id, first.document_id
      FROM stockpile.discrepancy x
      JOIN stockpile.entry back ON back.document_id = x.document_id AND back.item_id = x.item_id AND back.reverses IS NOT NULL
      JOIN stockpile.entry e ON e.item_id = back.item_id AND e.version = back.reverses
      JOIN stockpile.account f ON f.account_id = e.from_account
      JOIN stockpile.account t ON t.account_id = e.to_account
      LEFT JOIN stockpile.entry again ON again.document_id = x.document_id AND again.item_id = e.item_id AND again.posts_again = e.version
      CROSS JOIN LATERAL (
          WITH RECURSIVE cited AS (
              SELECT e.document_id, e.posts_again
              UNION ALL
              SELECT p.document_id, p.posts_again FROM cited c JOIN stockpile.entry p ON p.item_id = e.item_id AND p.version = c.posts_again)
          SELECT c.document_id FROM cited c WHERE c.posts_again IS NULL) first
      WHERE x.kind = 'moved by a late fact'
        AND (again.item_id IS NULL OR again.from_account NOT IN (e.from_account, coalesce(e.claimed_from, e.from_account)))
      ORDER BY x.discrepancy_id, starts_with(reverse(x.books_said), reverse(format('from %s to %s', f.name, t.name))) DESC, e.version) moved
WHERE moved.discrepancy_id = x.discrepancy_id;

CREATE TABLE stockpile.discrepancy_step (
    discrepancy_id UUID NOT NULL,
    step INTEGER NOT NULL,
    site_id UUID NOT NULL,
    what TEXT NOT NULL,
    happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_by UUID NOT NULL,
    document_id UUID,
    words TEXT,
    CONSTRAINT discrepancy_step_pkey PRIMARY KEY (discrepancy_id, step),
    CONSTRAINT discrepancy_step_number CHECK (step >= 1),
    CONSTRAINT discrepancy_step_what CHECK (what IN ('assigned', 'closure asked for', 'closure refused', 'closed', 'withdrawn')),
    CONSTRAINT discrepancy_step_discrepancy_id_fkey FOREIGN KEY(discrepancy_id) REFERENCES stockpile.discrepancy (discrepancy_id),
    CONSTRAINT discrepancy_step_done_by_fkey FOREIGN KEY(done_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT discrepancy_step_document_id_fkey FOREIGN KEY(document_id) REFERENCES stockpile.document (document_id)
);
COMMENT ON TABLE stockpile.discrepancy_step IS 'What was done about a discrepancy, step by step.';
COMMENT ON COLUMN stockpile.discrepancy_step.site_id IS 'the discrepancy''s';
COMMENT ON COLUMN stockpile.discrepancy_step.document_id IS 'the document that explains it';

CREATE TABLE stockpile.closure (
    closure_id UUID NOT NULL,
    site_id UUID NOT NULL,
    explained_by UUID NOT NULL,
    explanation TEXT NOT NULL,
    discrepancies UUID[] NOT NULL,
    proposed_by UUID NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_by UUID,
    settled_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT,
    reason TEXT,
    CONSTRAINT closure_pkey PRIMARY KEY (closure_id),
    CONSTRAINT closure_outcome CHECK (outcome IN ('approved', 'refused', 'withdrawn')),
    CONSTRAINT closure_settled CHECK ((settled_at IS NULL) = (outcome IS NULL) AND (settled_at IS NULL) = (settled_by IS NULL)),
    CONSTRAINT closure_two_people CHECK (outcome <> 'approved' OR settled_by <> proposed_by),
    CONSTRAINT closure_some CHECK (cardinality(discrepancies) > 0),
    CONSTRAINT closure_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT closure_explained_by_fkey FOREIGN KEY(explained_by) REFERENCES stockpile.document (document_id),
    CONSTRAINT closure_proposed_by_fkey FOREIGN KEY(proposed_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT closure_settled_by_fkey FOREIGN KEY(settled_by) REFERENCES stockpile.party (party_id)
);
CREATE INDEX closure_waiting ON stockpile.closure (site_id) WHERE outcome IS NULL;
COMMENT ON TABLE stockpile.closure IS 'Discrepancies that somebody says a document explains, waiting for a second person.';

CREATE TRIGGER never BEFORE DELETE OR TRUNCATE ON stockpile.discrepancy_step FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER only_by_erasure BEFORE UPDATE ON stockpile.discrepancy_step FOR EACH STATEMENT EXECUTE FUNCTION stockpile.only_by_erasure();
CREATE TRIGGER never BEFORE DELETE OR TRUNCATE ON stockpile.closure FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

GRANT SELECT ON stockpile.discrepancy_step, stockpile.closure TO stockpile_auditor, stockpile_registrar;
GRANT SELECT, INSERT ON stockpile.discrepancy_step, stockpile.closure TO stockpile_poster;
GRANT UPDATE (settled_by, settled_at, outcome, reason) ON stockpile.closure TO stockpile_poster;
-- Only the two functions below close a discrepancy.
REVOKE UPDATE (closed_at, outcome, explanation, closed_by, explained_by) ON stockpile.discrepancy FROM stockpile_poster;
DO $$
DECLARE secured text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['discrepancy_step', 'closure'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', secured);
        EXECUTE format('CREATE POLICY registrar ON stockpile.%I FOR SELECT TO stockpile_registrar USING (true)', secured);
        EXECUTE format('CREATE POLICY poster ON stockpile.%I TO stockpile_poster USING (site_id = (SELECT stockpile.own_site()))', secured);
    END LOOP;
END $$;
-- What is closed stays closed.
CREATE POLICY closed_for_good ON stockpile.discrepancy AS RESTRICTIVE FOR UPDATE TO stockpile_poster
    USING (closed_at IS NULL) WITH CHECK (true);
CREATE POLICY settled_once ON stockpile.closure AS RESTRICTIVE FOR UPDATE TO stockpile_poster
    USING (outcome IS NULL) WITH CHECK (outcome <> 'approved');
CREATE POLICY asked_only ON stockpile.closure AS RESTRICTIVE FOR INSERT TO stockpile_poster WITH CHECK (outcome IS NULL);
CREATE POLICY of_own ON stockpile.discrepancy_step AS RESTRICTIVE FOR INSERT TO stockpile_poster
    WITH CHECK (what NOT IN ('closed', 'withdrawn')
                AND EXISTS (SELECT FROM stockpile.discrepancy x WHERE x.discrepancy_id = discrepancy_step.discrepancy_id));

-- A quantity that a fact took from where the books had too little may be posted again in two parts: what was there after all,
-- and what still comes from outside. The parts make up the whole.
DROP INDEX stockpile.entry_repeated_once;
CREATE UNIQUE INDEX entry_repeated_once ON stockpile.entry (item_id, posts_again) WHERE posts_again IS NOT NULL AND serial;
CREATE INDEX entry_short ON stockpile.entry (item_id, claimed_from) WHERE NOT serial AND claimed_from IS NOT NULL;
CREATE OR REPLACE FUNCTION stockpile.entry_posted() RETURNS trigger
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
          AND (e.item_id IS NULL OR e.reverses IS NOT NULL OR e.happened_at <> n.happened_at
               OR e.quantity <> (SELECT sum(m.quantity) FROM posted m WHERE m.item_id = n.item_id
                                 AND (m.reverses = n.reverses OR m.posts_again = n.posts_again))
               OR (n.reverses IS NOT NULL AND (e.from_account, e.to_account) <> (n.to_account, n.from_account))
               OR (n.posts_again IS NOT NULL AND (e.to_account <> n.to_account AND e.from_account <> e.to_account
                   AND NOT (e.from_account = '00000000-0000-7000-8000-000000000000' AND EXISTS (
                       SELECT FROM document d WHERE d.document_id = e.document_id AND d.act IN ('mark', 'change custodian')))
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

DROP FUNCTION stockpile.live_entries(uuid[], timestamptz);
-- The live entries of items from a moment on, newest first, with both ends: what a late fact has to reverse. `first_` says under
-- which document each was first posted, before late facts posted it again. Persons of other sites stay unnamed.
CREATE FUNCTION stockpile.live_entries(items uuid[], since timestamptz)
RETURNS TABLE (item_id uuid, version integer, document_id uuid, posts_again integer, quantity bigint, happened_at timestamptz, condition text,
               claimed_from uuid, claimed_name text, first_document uuid, first_site uuid, first_fact boolean, first_act text, first_book uuid, first_number integer,
               from_account uuid, from_class text, from_name text, from_site uuid, from_party uuid,
               to_account uuid, to_class text, to_name text, to_site uuid, to_party uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT e.item_id, e.version, e.document_id, e.posts_again, e.quantity, e.happened_at, e.condition, e.claimed_from,
           CASE WHEN c.class = 'person' AND c.site_id IS DISTINCT FROM own_site() THEN 'a person of another site' ELSE c.name END,
           first.document_id, first.site_id, first.fact, first.act, first.book_id, first.number,
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
        SELECT d.document_id, d.site_id, d.fact, d.act, d.book_id, d.number FROM cited c JOIN document d ON d.document_id = c.document_id WHERE c.posts_again IS NULL) first
    LEFT JOIN account c ON c.account_id = e.claimed_from
    WHERE e.item_id = ANY (items) AND e.happened_at >= since AND e.reverses IS NULL
      AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
    ORDER BY e.item_id, e.version DESC;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.live_entries(uuid[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.live_entries(uuid[], timestamptz) TO stockpile_poster;

-- Where weapons were at a moment, as the books know now, in which condition they were last seen by then, and the document that
-- put them there: what a fact is judged by. Absent: not in the books at that moment.
CREATE FUNCTION stockpile.stood_at(items uuid[], moment timestamptz)
RETURNS TABLE (item_id uuid, account_id uuid, class text, name text, site_id uuid, party_id uuid, condition text, document_id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT wanted.item_id, a.account_id, a.class,
           CASE WHEN a.class = 'person' AND a.site_id IS DISTINCT FROM own_site() THEN 'a person of another site' ELSE a.name END,
           a.site_id, a.party_id, seen.condition, last.document_id
    FROM unnest(items) AS wanted (item_id)
    JOIN LATERAL (SELECT e.to_account, e.document_id FROM entry e
                  WHERE e.item_id = wanted.item_id AND e.serial AND e.happened_at <= moment AND e.reverses IS NULL
                    AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
                  ORDER BY e.version DESC LIMIT 1) last ON true
    JOIN account a ON a.account_id = last.to_account
    LEFT JOIN LATERAL (SELECT e.condition FROM entry e
                       WHERE e.item_id = wanted.item_id AND e.happened_at <= moment AND e.reverses IS NULL AND e.condition IS NOT NULL
                         AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
                       ORDER BY e.version DESC LIMIT 1) seen ON true;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.stood_at(uuid[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.stood_at(uuid[], timestamptz) TO stockpile_poster;

-- What an account held of a counted item at a moment, and every change after it: a fact of that moment can take no more than the
-- least of it, or the account would have held less than nothing. Open to every site, as the next three are: a fact takes from
-- wherever the books have an item, another site's account too, and nothing less can judge it. They tell numbers and moments of an
-- item and an account whose keys one has, no document's words, and of another site's persons no names.
CREATE FUNCTION stockpile.held_since(item uuid, account uuid, since timestamptz) RETURNS TABLE (happened_at timestamptz, change bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT greatest(e.happened_at, since), sum(CASE WHEN e.to_account = account THEN e.quantity ELSE 0 END
                                               - CASE WHEN e.from_account = account THEN e.quantity ELSE 0 END)::bigint
    FROM entry e WHERE e.item_id = item AND NOT e.serial AND account IN (e.from_account, e.to_account)
    GROUP BY 1 ORDER BY 1
$$;
REVOKE EXECUTE ON FUNCTION stockpile.held_since(uuid, uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.held_since(uuid, uuid, timestamptz) TO stockpile_poster;

-- The least that each of these accounts held of each of these counted items from a moment on; absent: nothing ever since.
CREATE FUNCTION stockpile.least_held(items uuid[], accounts uuid[], since timestamptz)
RETURNS TABLE (item_id uuid, account_id uuid, there bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT item, account, greatest(least(min(h.held), CASE WHEN min(h.happened_at) > since THEN 0 END), 0)
    FROM unnest(items) AS item CROSS JOIN unnest(accounts) AS account
    CROSS JOIN LATERAL (SELECT c.happened_at, sum(c.change) OVER (ORDER BY c.happened_at)::bigint AS held
                        FROM held_since(item, account, since) c) h
    GROUP BY item, account
$$;

-- Which of these items entered the books by what happened after a moment: a paper of that moment hardly means them.
CREATE FUNCTION stockpile.came_after(items uuid[], moment timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT e.item_id FROM entry e WHERE e.item_id = ANY (items) AND e.version = 1 AND e.happened_at > moment
$$;
REVOKE EXECUTE ON FUNCTION stockpile.least_held(uuid[], uuid[], timestamptz), stockpile.came_after(uuid[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.least_held(uuid[], uuid[], timestamptz), stockpile.came_after(uuid[], timestamptz) TO stockpile_poster;

-- What facts took from accounts beyond what the books had there, the earliest first; reversed ones no more.
CREATE FUNCTION stockpile.short_entries(items uuid[], accounts uuid[])
RETURNS TABLE (item_id uuid, claimed_from uuid, version integer, quantity bigint, happened_at timestamptz, condition text, first_document uuid,
               account_id uuid, class text, name text, site_id uuid, party_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    WITH short AS (SELECT e.item_id, min(e.happened_at) AS since FROM entry e
                   WHERE e.item_id = ANY (items) AND NOT e.serial AND e.claimed_from = ANY (accounts) GROUP BY e.item_id)
    SELECT l.item_id, l.claimed_from, l.version, l.quantity, l.happened_at, l.condition, l.first_document,
           l.to_account, l.to_class, l.to_name, l.to_site, l.to_party
    FROM short, live_entries(ARRAY[short.item_id], short.since) l
    WHERE l.from_class = 'outside' AND l.claimed_from = ANY (accounts)
    ORDER BY l.item_id, l.happened_at, l.first_book, l.first_number, l.version
$$;
REVOKE EXECUTE ON FUNCTION stockpile.short_entries(uuid[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.short_entries(uuid[], uuid[]) TO stockpile_poster;

-- The discrepancies that were found about documents' entries of items, whichever site's, and stand open or were explained by two
-- people: a late fact judges the open ones anew, and opens none that was explained.
CREATE FUNCTION stockpile.judged_discrepancies(items uuid[], documents uuid[], kinds text[])
RETURNS TABLE (discrepancy_id uuid, item_id uuid, document_id uuid, kind text, explained boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT x.discrepancy_id, x.item_id, coalesce(x.concerns, x.document_id), x.kind, x.closed_at IS NOT NULL
    FROM discrepancy x JOIN unnest(items, documents) AS wanted (item_id, document_id) ON x.item_id = wanted.item_id
    WHERE coalesce(x.concerns, x.document_id) = wanted.document_id AND x.kind = ANY (kinds)
      AND (x.closed_at IS NULL OR x.outcome = 'explained')
$$;
REVOKE EXECUTE ON FUNCTION stockpile.judged_discrepancies(uuid[], uuid[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.judged_discrepancies(uuid[], uuid[], text[]) TO stockpile_poster;

-- Closes what a second person of the own site agrees to, as the first asked for it: whoever posts can do it no other way.
CREATE FUNCTION stockpile.close_discrepancies(closure uuid, approver uuid, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE
    asked  closure;
    closed integer;
BEGIN
    SELECT * INTO asked FROM closure c
    WHERE c.closure_id = close_discrepancies.closure AND c.site_id = own_site() AND c.outcome IS NULL FOR UPDATE;
    IF NOT FOUND OR asked.proposed_by = approver THEN
        RAISE EXCEPTION 'closure % is not for % to approve', close_discrepancies.closure, approver
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'closure_two_people';
    END IF;
    UPDATE discrepancy x
    SET closed_at = at, outcome = 'explained', explanation = asked.explanation, explained_by = asked.explained_by,
        proposed_by = asked.proposed_by, closed_by = approver
    WHERE x.discrepancy_id = ANY (asked.discrepancies) AND x.site_id = asked.site_id AND x.closed_at IS NULL;
    GET DIAGNOSTICS closed = ROW_COUNT;
    IF closed <> (SELECT count(DISTINCT d) FROM unnest(asked.discrepancies) d) THEN
        RAISE EXCEPTION 'not all discrepancies of closure % are open', close_discrepancies.closure
            USING ERRCODE = 'check_violation', CONSTRAINT = 'closure_all_open';
    END IF;
    INSERT INTO discrepancy_step (discrepancy_id, step, site_id, what, happened_at, done_by, document_id)
    SELECT DISTINCT d, 1 + (SELECT count(*) FROM discrepancy_step s WHERE s.discrepancy_id = d), asked.site_id, 'closed', at, approver,
           asked.explained_by
    FROM unnest(asked.discrepancies) d;
    UPDATE closure c SET settled_at = at, settled_by = approver, outcome = 'approved' WHERE c.closure_id = asked.closure_id;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.close_discrepancies(uuid, uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.close_discrepancies(uuid, uuid, timestamptz) TO stockpile_poster;

-- Whether a document, whichever site's, moved an item.
CREATE FUNCTION stockpile.document_moved(document uuid, item uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (SELECT FROM entry e WHERE e.document_id = document AND e.item_id = item)
$$;
REVOKE EXECUTE ON FUNCTION stockpile.document_moved(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.document_moved(uuid, uuid) TO stockpile_poster;

-- Withdraws discrepancies, whichever site's, under a later document of the own site that shows there is nothing to explain: one of
-- the same weapon, or of the book whose number was missing. What people have to explain is not withdrawn so.
CREATE FUNCTION stockpile.withdraw_discrepancies(withdrawn_ones uuid[], explaining uuid, why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
BEGIN
    PERFORM FROM discrepancy WHERE discrepancy_id = ANY (withdrawn_ones) AND closed_at IS NULL ORDER BY discrepancy_id FOR NO KEY UPDATE;
    WITH explains AS (SELECT d.document_id, d.book_id, d.posted_by, d.recorded_at FROM document d WHERE d.document_id = explaining AND d.site_id = own_site()),
    withdrawn AS (
        UPDATE discrepancy x SET closed_at = e.recorded_at, outcome = 'withdrawn', explanation = why, explained_by = e.document_id
        FROM explains e WHERE x.discrepancy_id = ANY (withdrawn_ones) AND x.closed_at IS NULL AND x.opened_at <= e.recorded_at
          AND CASE WHEN x.kind = 'gap in a book' THEN x.book_id = e.book_id
                   ELSE x.kind IN ('unknown weapon', 'held elsewhere', 'moved by a late fact', 'found what the books hold as gone',
                                   'issued though unmarked or unserviceable', 'fewer in the books')
                        AND document_moved(e.document_id, x.item_id) END
        RETURNING x.discrepancy_id, x.site_id, e.posted_by, e.recorded_at, e.document_id)
    INSERT INTO discrepancy_step (discrepancy_id, step, site_id, what, happened_at, done_by, document_id, words)
    SELECT w.discrepancy_id, 1 + (SELECT count(*) FROM discrepancy_step s WHERE s.discrepancy_id = w.discrepancy_id),
           w.site_id, 'withdrawn', w.recorded_at, w.posted_by, w.document_id, why FROM withdrawn w;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.withdraw_discrepancies(uuid[], uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.withdraw_discrepancies(uuid[], uuid, text) TO stockpile_poster;

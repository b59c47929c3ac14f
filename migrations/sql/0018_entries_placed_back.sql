-- Nothing is lost: what the columns said stands in the accounts.
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
        INSERT INTO holding (item_id, account_id, serial, donor_id, model_id, consignment_id, site_id, class_and_site, quantity, unverified)
        SELECT n.item_id, n.to_account, true, n.donor_id, n.model_id, i.consignment_id, p.site_id, p.class_and_site, 1, d.act = 'open'
        FROM posted n JOIN document d USING (document_id) JOIN item i ON i.item_id = n.item_id
        JOIN account o ON o.account_id = n.from_account AND o.class = 'outside'
        JOIN account p ON p.account_id = n.to_account AND p.class <> 'outside'
        WHERE n.serial;
        GET DIAGNOSTICS moved_rows = ROW_COUNT;
    ELSIF given.weapons THEN
        MERGE INTO holding h
        USING (SELECT m.item_id, m.donor_id, m.model_id, m.origin, m.place, o.class = 'outside' AS comes, p.class = 'outside' AS goes,
                      p.site_id, p.class_and_site, m.unverified,
                      CASE WHEN o.class = 'outside' THEN (SELECT i.consignment_id FROM item i WHERE i.item_id = m.item_id) END AS consignment_id
               FROM (SELECT n.item_id, n.donor_id, n.model_id, (array_agg(n.from_account ORDER BY n.version))[1] AS origin,
                            (array_agg(n.to_account ORDER BY n.version DESC))[1] AS place, bool_or(d.act = 'open') AS unverified
                     FROM posted n JOIN document d USING (document_id) WHERE n.serial GROUP BY n.item_id, n.donor_id, n.model_id) m
               JOIN account o ON o.account_id = m.origin JOIN account p ON p.account_id = m.place) m
        ON h.item_id = m.item_id AND h.serial
        WHEN MATCHED AND h.account_id = m.origin AND m.goes THEN DELETE
        WHEN MATCHED AND h.account_id = m.origin THEN UPDATE SET account_id = m.place, site_id = m.site_id, class_and_site = m.class_and_site
        WHEN NOT MATCHED AND m.comes AND NOT m.goes THEN
            INSERT (item_id, account_id, serial, donor_id, model_id, consignment_id, site_id, class_and_site, quantity, unverified)
            VALUES (m.item_id, m.place, true, m.donor_id, m.model_id, m.consignment_id, m.site_id, m.class_and_site, 1, m.unverified)
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
        USING (SELECT l.item_id, l.donor_id, l.model_id, l.account_id, a.site_id, a.class_and_site, sum(l.quantity) AS quantity,
                      bool_or(l.unverified) AS unverified, (SELECT i.consignment_id FROM item i WHERE i.item_id = l.item_id) AS consignment_id
               FROM (SELECT n.item_id, n.donor_id, n.model_id, leg.account_id, leg.quantity, d.act = 'open' AS unverified
                     FROM posted n JOIN document d USING (document_id)
                     CROSS JOIN LATERAL (VALUES (n.from_account, -n.quantity), (n.to_account, n.quantity)) leg (account_id, quantity)
                     WHERE NOT n.serial) l
               JOIN account a ON a.account_id = l.account_id AND a.class <> 'outside'
               GROUP BY l.item_id, l.donor_id, l.model_id, l.account_id, a.site_id, a.class_and_site HAVING sum(l.quantity) <> 0) l
        ON h.item_id = l.item_id AND h.account_id = l.account_id
        WHEN MATCHED AND h.quantity + l.quantity = 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET quantity = h.quantity + l.quantity, unverified = h.unverified OR l.unverified
        WHEN NOT MATCHED THEN
            INSERT (item_id, account_id, serial, donor_id, model_id, consignment_id, site_id, class_and_site, quantity, unverified)
            VALUES (l.item_id, l.account_id, false, l.donor_id, l.model_id, l.consignment_id, l.site_id, l.class_and_site, l.quantity, l.unverified);
    END IF;
    RETURN NULL;
END $$;

DROP FUNCTION stockpile.site_entries(timestamptz, timestamptz);
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
REVOKE ALL ON FUNCTION stockpile.site_entries(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.site_entries(timestamptz, timestamptz) TO stockpile_poster;
ALTER TABLE stockpile.entry DROP COLUMN from_class_and_site, DROP COLUMN to_class_and_site;
ALTER TABLE stockpile.holding ALTER class_and_site RESET (n_distinct);

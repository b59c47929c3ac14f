-- What is put on a weapon after it came into the books, and what is said otherwise of it.
ALTER TABLE stockpile.identification
    ADD COLUMN import_country TEXT,
    ADD COLUMN import_year INTEGER,
    ADD COLUMN mark_method TEXT,
    ADD COLUMN builds_on INTEGER,
    ADD CONSTRAINT identification_import_country CHECK (import_country ~ '^[A-Z]{2}$'),
    ADD CONSTRAINT identification_import_year CHECK (import_year IS NULL OR (import_year BETWEEN 1800 AND 2999 AND import_country IS NOT NULL)),
    ADD CONSTRAINT identification_builds_on CHECK (CASE WHEN version = 1 THEN builds_on IS NULL ELSE builds_on BETWEEN 1 AND version - 1 END);
COMMENT ON COLUMN stockpile.identification.mark_place IS 'where on the weapon that is what this version adds';
COMMENT ON COLUMN stockpile.identification.import_country IS 'ISO 3166, two letters (International Tracing Instrument 8(b))';
COMMENT ON COLUMN stockpile.identification.mark_method IS 'how what this version adds was put on';
COMMENT ON COLUMN stockpile.identification.builds_on IS 'the version it carries forward, all but what it changes';
COMMENT ON TABLE stockpile.identity IS 'Which weapon a maker, model and serial key mean, or a UII (UII//...): rows of who bore it once stay.';
COMMENT ON COLUMN stockpile.identity.ordinal IS '2 and on: others bear it or bore it; twins are flagged';

-- Who bears a UII already, so that nobody else is given it.
INSERT INTO stockpile.identity (identity_key, ordinal, model_id, item_id)
SELECT 'UII//' || n.uii, row_number() OVER (PARTITION BY n.uii ORDER BY n.item_id), i.model_id, n.item_id
FROM stockpile.identification n JOIN stockpile.item i USING (item_id) WHERE n.uii IS NOT NULL
ON CONFLICT DO NOTHING;

-- The entry that stands for one of an item's entries: itself, or, where late facts posted it again, its repeat. None: it was taken back.
-- With the owner's rights, for the entry may be under another site's document; it tells nothing else of it.
CREATE FUNCTION stockpile.standing_entry(item uuid, entry_version integer) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE stands integer := entry_version;
BEGIN
    WHILE EXISTS (SELECT FROM entry r WHERE r.item_id = item AND r.reverses = stands) LOOP
        SELECT e.version INTO stands FROM entry e WHERE e.item_id = item AND e.posts_again = stands;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN stands;
END $$;

-- The one rule of what a weapon's identification is now: the newest whose entry stands; the first stands always. Plain SQL, which
-- the planner folds into the question, under the asker's own row-level security.
CREATE FUNCTION stockpile.identified(item uuid) RETURNS SETOF stockpile.identification LANGUAGE sql STABLE AS $$
    SELECT n.* FROM stockpile.identification n
    WHERE n.item_id = item AND (n.version = 1 OR stockpile.standing_entry(n.item_id, n.entry_version) IS NOT NULL)
    ORDER BY n.version DESC LIMIT 1
$$;
REVOKE EXECUTE ON FUNCTION stockpile.standing_entry(uuid, integer), stockpile.identified(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.standing_entry(uuid, integer), stockpile.identified(uuid)
    TO stockpile_poster, stockpile_registrar, stockpile_auditor, stockpile_donor;

-- As before, but for the identification that stands now, and the maker it names.
CREATE OR REPLACE FUNCTION stockpile.whereabouts(items uuid[], accounts uuid[] DEFAULT NULL, lock boolean DEFAULT true)
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
           a.site_id, a.party_id, h.quantity, h.unverified, coalesce(marks.maker, m.maker), m.name, marks.serial_number,
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
    LEFT JOIN LATERAL identified(i.item_id) marks ON true
    LEFT JOIN holding h ON h.item_id = i.item_id
                       AND (i.tracked_by = 'serial' OR accounts IS NULL OR h.account_id = ANY (accounts))
    LEFT JOIN account a ON a.account_id = h.account_id
    LEFT JOIN site s ON s.site_id = a.site_id;
END $$;

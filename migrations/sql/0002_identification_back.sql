-- Refused where weapons were marked or amended: the older schema would take the newest identification for the one that stands.
DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.identification WHERE version > 1) THEN
        RAISE EXCEPTION 'weapons were marked or amended: the older schema cannot hold that'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'identification_builds_on';
    END IF;
END $$;

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

DROP FUNCTION stockpile.identified(uuid);
DROP FUNCTION stockpile.standing_entry(uuid, integer);
ALTER TABLE stockpile.identification
    DROP CONSTRAINT identification_import_country,
    DROP CONSTRAINT identification_import_year,
    DROP CONSTRAINT identification_builds_on,
    DROP COLUMN import_country,
    DROP COLUMN import_year,
    DROP COLUMN mark_method,
    DROP COLUMN builds_on;
COMMENT ON COLUMN stockpile.identification.mark_place IS NULL;
COMMENT ON TABLE stockpile.identity IS 'Which weapon a maker, model and serial key mean.';
COMMENT ON COLUMN stockpile.identity.ordinal IS '2 and on are twins, flagged';

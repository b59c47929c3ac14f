-- Since when these weapons are where they are now, under which document, and in which condition they were last seen, whoever's document
-- wrote it: read back from the newest entry until both are known. A weapon's live entries never go back in time, so the newest is the last.
-- Of weapons alone: a quantity is on many accounts by entries in any order. No names and no numbers, as in entries_of.
CREATE FUNCTION stockpile.standing_now(items uuid[])
RETURNS TABLE (item_id uuid, account_id uuid, class text, site_id uuid, document_id uuid, act text, happened_at timestamptz, seen text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off AS $$
    SELECT h.item_id, h.account_id, a.class, a.site_id, came.document_id, d.act, came.happened_at, last.condition
    FROM holding h
    JOIN account a ON a.account_id = h.account_id
    CROSS JOIN LATERAL (
        SELECT e.document_id, e.happened_at FROM entry e
        WHERE e.item_id = h.item_id AND e.to_account = h.account_id AND e.from_account <> e.to_account AND e.reverses IS NULL
          AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
        ORDER BY e.version DESC LIMIT 1) came
    JOIN document d ON d.document_id = came.document_id
    LEFT JOIN LATERAL (
        SELECT e.condition FROM entry e
        WHERE e.item_id = h.item_id AND e.condition IS NOT NULL AND e.reverses IS NULL
          AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)
        ORDER BY e.version DESC LIMIT 1) last ON true
    WHERE h.item_id = ANY (items) AND h.serial
$$;
REVOKE EXECUTE ON FUNCTION stockpile.standing_now(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.standing_now(uuid[]) TO stockpile_poster, stockpile_registrar, stockpile_auditor;

-- Several processes may answer a question that asks for these: they only read.
ALTER FUNCTION stockpile.standing_entry(uuid, integer) PARALLEL SAFE;
ALTER FUNCTION stockpile.identified(uuid) PARALLEL SAFE;

-- The documents of weapon cards: few among all, and asked for every evening.
CREATE INDEX document_of_card ON stockpile.document (site_id, document_id) WHERE act = 'issue' AND details ->> 'paper' = 'weapon card';

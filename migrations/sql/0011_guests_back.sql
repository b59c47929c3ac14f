-- The older schema has no place for guests, nor for what they read; a country that had any stays with this one.
DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.guest) THEN
        RAISE EXCEPTION 'guests read here: the older schema would lose who did, and what' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DO $$
DECLARE secured text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['item', 'consignment', 'entry', 'holding', 'identification', 'discrepancy', 'tracing', 'tracing_weapon', 'account', 'party',
                                   'book', 'document', 'donor_statement'] LOOP
        EXECUTE format('DROP POLICY guest ON stockpile.%I', secured);
    END LOOP;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA stockpile FROM stockpile_guest;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA stockpile FROM stockpile_guest;
REVOKE ALL ON SCHEMA stockpile FROM stockpile_guest;
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
    WHERE current_setting('role') <> 'stockpile_donor' OR i.donor_id = own_donor()
$$;
CREATE OR REPLACE FUNCTION stockpile.last_seen(documents uuid[]) RETURNS TABLE (document_id uuid, last_seen_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT d.document_id, (d.details->>'last_seen_at')::timestamptz
    FROM document d
    WHERE d.document_id = ANY (documents) AND d.act = 'report missing'
      AND CASE current_setting('role')
          WHEN 'stockpile_donor' THEN EXISTS (SELECT FROM entry e WHERE e.document_id = d.document_id AND e.donor_id = own_donor())
          WHEN 'stockpile_poster' THEN d.site_id = own_site() ELSE true END
$$;
CREATE OR REPLACE FUNCTION stockpile.rejections(items uuid[])
RETURNS TABLE (item_id uuid, version integer, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    WITH RECURSIVE said AS (
        SELECT e.item_id, e.version, d.details->>'reason' AS reason
        FROM entry e JOIN document d ON d.document_id = e.document_id AND d.act = 'reject'
        WHERE e.item_id = ANY (items) AND e.reverses IS NULL AND e.posts_again IS NULL
          AND CASE current_setting('role') WHEN 'stockpile_donor' THEN e.donor_id = own_donor()
                                           WHEN 'stockpile_poster' THEN e.site_id = own_site() ELSE true END
        UNION ALL
        SELECT n.item_id, n.version, s.reason FROM said s JOIN entry n ON n.item_id = s.item_id AND n.posts_again = s.version)
    SELECT * FROM said
$$;
DROP FUNCTION stockpile.own_consignments();
DROP FUNCTION stockpile.note_reading(uuid, uuid, text, text);
DROP FUNCTION stockpile.guest_of(uuid, uuid);
DROP INDEX stockpile.user_once;
ALTER TABLE stockpile.user DROP COLUMN guest_id, DROP CONSTRAINT user_role;
ALTER TABLE stockpile.user ADD CONSTRAINT user_role CHECK (role IN ('clerk', 'armourer', 'commander', 'registrar', 'auditor', 'donor'));
CREATE UNIQUE INDEX user_once ON stockpile.user (party_id, role, site_id) NULLS NOT DISTINCT WHERE disabled_at IS NULL AND role <> 'donor';
ALTER TABLE stockpile.token DROP COLUMN guest_id, DROP CONSTRAINT token_role;
ALTER TABLE stockpile.token ADD CONSTRAINT token_role CHECK (role IN ('clerk', 'armourer', 'commander', 'registrar', 'auditor', 'donor'));
DROP TABLE stockpile.guest_reading;
DROP TABLE stockpile.guest_consignment;
DROP TABLE stockpile.guest;
DROP FUNCTION stockpile.guest_changes();

-- How many of a model a unit may have. A list of a unit holds from its day until the next one of that unit: nothing is overwritten,
-- so that what was authorised on a day can be asked on either clock.
CREATE TABLE stockpile.allowance (
    register_id UUID NOT NULL,
    unit_id UUID NOT NULL,
    model_id UUID NOT NULL,
    quantity BIGINT NOT NULL,
    since DATE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT allowance_pkey PRIMARY KEY (register_id, unit_id, model_id),
    CONSTRAINT allowance_quantity CHECK (quantity >= 0),
    CONSTRAINT allowance_register_id_fkey FOREIGN KEY(register_id) REFERENCES stockpile.register (register_id),
    CONSTRAINT allowance_unit_id_fkey FOREIGN KEY(unit_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT allowance_model_id_fkey FOREIGN KEY(model_id) REFERENCES stockpile.model (model_id)
);
CREATE INDEX allowance_of_unit ON stockpile.allowance (unit_id, since, recorded_at);
COMMENT ON TABLE stockpile.allowance IS 'Authorised strength of a unit with its sub-units, by model; a unit''s last list by its day holds.';
COMMENT ON COLUMN stockpile.allowance.register_id IS 'the list it came from, named for the order';
COMMENT ON COLUMN stockpile.allowance.since IS 'the list''s day';
COMMENT ON COLUMN stockpile.allowance.recorded_at IS 'the list''s';

CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.allowance FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
GRANT SELECT, INSERT ON stockpile.allowance TO stockpile_registrar;
GRANT SELECT ON stockpile.allowance TO stockpile_auditor, stockpile_poster;
ALTER TABLE stockpile.allowance ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor ON stockpile.allowance FOR SELECT TO stockpile_auditor USING (true);
CREATE POLICY registrar ON stockpile.allowance TO stockpile_registrar USING (true);
-- Of the units that the own site serves, or once did.
CREATE POLICY poster ON stockpile.allowance FOR SELECT TO stockpile_poster
    USING (unit_id IN (SELECT t.unit_id FROM stockpile.stationing t WHERE t.site_id = (SELECT stockpile.own_site())));

-- On which days weapons were inspected, as lists of inspections tell that were taken in by a moment. A line names its weapon, or its
-- serial number and a name that the weapon's model goes by; a line that could be of two weapons is of neither. With the owner's rights: whose
-- weapon it is may know that it was inspected, whoever's list says so; a donor learns nothing of another's.
CREATE FUNCTION stockpile.inspections_of(items uuid[], known timestamptz)
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

-- When what a loss report is about was last seen, as far as the report says so: a donor reads it of what reports took of its own, though
-- not the rest of what they say.
CREATE FUNCTION stockpile.last_seen(documents uuid[]) RETURNS TABLE (document_id uuid, last_seen_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT d.document_id, (d.details->>'last_seen_at')::timestamptz
    FROM document d
    WHERE d.document_id = ANY (documents) AND d.act = 'report missing'
      AND CASE current_setting('role')
          WHEN 'stockpile_donor' THEN EXISTS (SELECT FROM entry e WHERE e.document_id = d.document_id AND e.donor_id = own_donor())
          WHEN 'stockpile_poster' THEN d.site_id = own_site() ELSE true END
$$;
REVOKE EXECUTE ON FUNCTION stockpile.inspections_of(uuid[], timestamptz), stockpile.last_seen(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.inspections_of(uuid[], timestamptz), stockpile.last_seen(uuid[])
    TO stockpile_poster, stockpile_registrar, stockpile_auditor, stockpile_donor;

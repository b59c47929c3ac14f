-- What is on its way: shipments with their carriers, what became of each line, and the certificate that binds a consignment.
ALTER TABLE stockpile.consignment ADD COLUMN end_user_certificate TEXT;
COMMENT ON COLUMN stockpile.consignment.end_user_certificate IS 'binds it: what leaves the country takes the donor''s consent';

CREATE TABLE stockpile.shipment (
    document_id UUID NOT NULL,
    number TEXT NOT NULL,
    from_site UUID NOT NULL,
    to_site UUID NOT NULL,
    transit_account UUID NOT NULL,
    consignment_id UUID,
    carrier TEXT NOT NULL,
    driver TEXT,
    vehicle TEXT,
    seal_numbers TEXT,
    route TEXT,
    expected_on DATE NOT NULL,
    shipped_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT shipment_pkey PRIMARY KEY (document_id),
    CONSTRAINT shipment_goes_somewhere CHECK ((from_site = to_site) = (consignment_id IS NOT NULL)),
    CONSTRAINT shipment_document_id_fkey FOREIGN KEY(document_id) REFERENCES stockpile.document (document_id),
    CONSTRAINT shipment_from_site_fkey FOREIGN KEY(from_site) REFERENCES stockpile.site (site_id),
    CONSTRAINT shipment_to_site_fkey FOREIGN KEY(to_site) REFERENCES stockpile.site (site_id),
    CONSTRAINT shipment_transit_account_fkey FOREIGN KEY(transit_account) REFERENCES stockpile.account (account_id),
    CONSTRAINT shipment_consignment_id_fkey FOREIGN KEY(consignment_id) REFERENCES stockpile.consignment (consignment_id)
);
CREATE INDEX shipment_expected ON stockpile.shipment (expected_on, document_id);
CREATE INDEX shipment_from ON stockpile.shipment (from_site, expected_on);
CREATE INDEX shipment_number ON stockpile.shipment (number);
CREATE INDEX shipment_to ON stockpile.shipment (to_site, expected_on);
COMMENT ON TABLE stockpile.shipment IS 'What a shipping order says of the way: the destination can''t read the sender''s document.';
COMMENT ON COLUMN stockpile.shipment.document_id IS 'the shipping order';
COMMENT ON COLUMN stockpile.shipment.number IS 'its full number';
COMMENT ON COLUMN stockpile.shipment.from_site IS 'whose document it is';
COMMENT ON COLUMN stockpile.shipment.consignment_id IS 'the donor''s consignment that is on its way; none: between two sites';
COMMENT ON COLUMN stockpile.shipment.carrier IS 'who took it over from the sender';

CREATE TABLE stockpile.carrier_hand_over (
    document_id UUID NOT NULL,
    ordinal INTEGER NOT NULL,
    handed_over_by TEXT NOT NULL,
    carrier TEXT NOT NULL,
    place TEXT NOT NULL,
    happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_by UUID NOT NULL,
    remarks TEXT,
    CONSTRAINT carrier_hand_over_pkey PRIMARY KEY (document_id, ordinal),
    CONSTRAINT carrier_hand_over_ordinal CHECK (ordinal >= 1),
    CONSTRAINT carrier_hand_over_not_in_future CHECK (happened_at <= recorded_at),
    CONSTRAINT carrier_hand_over_document_id_fkey FOREIGN KEY(document_id) REFERENCES stockpile.shipment (document_id),
    CONSTRAINT carrier_hand_over_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.carrier_hand_over IS 'A shipment passes from one carrier to the next; it moves nothing.';
COMMENT ON COLUMN stockpile.carrier_hand_over.document_id IS 'the shipment';
COMMENT ON COLUMN stockpile.carrier_hand_over.carrier IS 'who took it over';

CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.shipment
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.carrier_hand_over
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

-- Whether who asks may read a shipment: a poster those of its own site's ends. For functions with the owner's rights, which
-- row-level security does not hold.
CREATE FUNCTION stockpile.may_read_shipment(from_site uuid, to_site uuid) RETURNS boolean LANGUAGE sql STABLE
RETURN current_setting('role') IN ('stockpile_registrar', 'stockpile_auditor')
    OR coalesce(stockpile.own_site() IN (from_site, to_site), false);

-- Whether a document of a site names a shipment: by its order's id, or, keyed before the order, by what the paper calls it.
CREATE FUNCTION stockpile.names_shipment(said jsonb, said_at uuid, shipment_id uuid, number text, to_site uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN said->>'shipment' = shipment_id::text
    OR (said->>'shipment' IS NULL AND said_at = to_site AND upper(said->>'shipment_number') IN (number, upper(shipment_id::text)));

-- What became of each item of shipments, or only of the items asked for: shipped = arrived + rejected + otherwise + outstanding.
-- A weapon is where its next live entry took it; of what is counted the documents that took it out of transit name the shipment.
-- What a correction took back was not shipped.
CREATE FUNCTION stockpile.shipment_lines(shipments uuid[], items uuid[] DEFAULT NULL)
RETURNS TABLE (shipment_id uuid, item_id uuid, line integer, shipped bigint, arrived bigint, rejected bigint, otherwise bigint,
               outstanding bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = stockpile, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH shown AS (
        SELECT s.document_id, s.transit_account, s.number, s.to_site FROM shipment s
        WHERE s.document_id = ANY (shipments) AND may_read_shipment(s.from_site, s.to_site)
    ), sent AS (                                            -- each entry of the order as it stands now, after late facts
        SELECT s.document_id, s.transit_account, s.number, s.to_site, e.item_id, e.serial, e.line, stands.quantity, stands.version
        FROM shown s JOIN entry e ON e.document_id = s.document_id AND e.reverses IS NULL AND e.posts_again IS NULL
                      AND (items IS NULL OR e.item_id = ANY (items))
        CROSS JOIN LATERAL (
            WITH RECURSIVE again AS (
                SELECT e.version, e.quantity
                UNION ALL
                SELECT n.version, n.quantity FROM again a JOIN entry n ON n.item_id = e.item_id AND n.posts_again = a.version)
            SELECT a.version, a.quantity FROM again a
            WHERE NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = a.version)) stands
    ), became AS (
        SELECT w.document_id, w.item_id, w.line, w.quantity AS shipped,
               (t.class IN ('store', 'unit', 'person', 'maintenance'))::int::bigint AS arrived,
               (t.class = 'supply')::int::bigint AS rejected,
               (t.class NOT IN ('supply', 'store', 'unit', 'person', 'maintenance'))::int::bigint AS otherwise
        FROM sent w
        LEFT JOIN LATERAL (
            SELECT n.to_account FROM entry n
            WHERE n.item_id = w.item_id AND n.version > w.version AND n.reverses IS NULL AND n.from_account <> n.to_account
              AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = n.item_id AND r.reverses = n.version)
            ORDER BY n.version LIMIT 1) onward ON true
        LEFT JOIN account t ON t.account_id = onward.to_account
        WHERE w.serial
        UNION ALL
        SELECT c.document_id, c.item_id, c.line, c.shipped, gone.arrived, gone.rejected, gone.otherwise
        FROM (SELECT w.document_id, w.transit_account, w.number, w.to_site, w.item_id, min(w.line) AS line,
                     sum(w.quantity)::bigint AS shipped
              FROM sent w WHERE NOT w.serial GROUP BY w.document_id, w.transit_account, w.number, w.to_site, w.item_id) c
        LEFT JOIN LATERAL (
            SELECT sum(n.quantity) FILTER (WHERE t.class = 'store')::bigint AS arrived,
                   sum(n.quantity) FILTER (WHERE t.class = 'supply')::bigint AS rejected,
                   sum(n.quantity) FILTER (WHERE t.class NOT IN ('store', 'supply'))::bigint AS otherwise
            FROM entry n JOIN account t ON t.account_id = n.to_account
            JOIN document d ON d.document_id = CASE WHEN n.posts_again IS NULL THEN n.document_id ELSE (
                WITH RECURSIVE cited AS (                   -- a late fact posted it again: the first document says of what
                    SELECT n.document_id, n.posts_again
                    UNION ALL
                    SELECT p.document_id, p.posts_again FROM cited JOIN entry p ON p.item_id = n.item_id AND p.version = cited.posts_again)
                SELECT cited.document_id FROM cited WHERE cited.posts_again IS NULL) END
            WHERE n.item_id = c.item_id AND n.from_account = c.transit_account AND n.to_account <> n.from_account
              AND n.reverses IS NULL AND names_shipment(d.details, d.site_id, c.document_id, c.number, c.to_site)
              AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = n.item_id AND r.reverses = n.version)) gone ON true
    )
    SELECT b.document_id, b.item_id, b.line, b.shipped, n.arrived, n.rejected, n.otherwise,
           greatest(b.shipped - n.arrived - n.rejected - n.otherwise, 0)
    FROM became b
    CROSS JOIN LATERAL (SELECT coalesce(b.arrived, 0) AS arrived, coalesce(b.rejected, 0) AS rejected,
                               coalesce(b.otherwise, 0) AS otherwise) n;
END $$;

-- The shipments of which something may be outstanding: those that brought what the transit accounts hold now, few at any time.
-- `shipment_lines` says how much is.
CREATE FUNCTION stockpile.shipments_under_way() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = stockpile, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT s.document_id
    FROM account a JOIN holding h ON h.account_id = a.account_id
    JOIN entry e ON e.item_id = h.item_id AND e.to_account = h.account_id AND e.reverses IS NULL
    JOIN shipment s ON s.document_id = e.document_id
    WHERE a.class = 'transit' AND may_read_shipment(s.from_site, s.to_site);
END $$;

-- Withdraws what documents, which named a shipment before its order came, had as excess and the order of the own site names.
CREATE FUNCTION stockpile.withdraw_excess(shipping_order uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE
    sent      record;
    explained uuid[];
BEGIN
    SELECT s.document_id, s.number, s.to_site, d.posted_by, d.recorded_at, s.number || ' came late and explains it' AS why INTO sent
    FROM shipment s JOIN document d ON d.document_id = s.document_id
    WHERE s.document_id = shipping_order AND s.from_site = own_site() AND d.fact;
    explained := ARRAY (
        SELECT x.discrepancy_id FROM discrepancy x JOIN document d ON d.document_id = x.document_id
        WHERE x.item_id IN (SELECT e.item_id FROM entry e
                            WHERE e.document_id = sent.document_id AND e.reverses IS NULL AND e.posts_again IS NULL)
          AND x.kind = 'excess' AND x.closed_at IS NULL AND x.site_id = sent.to_site AND d.details->>'shipment' IS NULL
          AND names_shipment(d.details, d.site_id, sent.document_id, sent.number, sent.to_site)
        ORDER BY x.discrepancy_id FOR NO KEY UPDATE OF x);
    UPDATE discrepancy x SET closed_at = sent.recorded_at, outcome = 'withdrawn', explanation = sent.why, explained_by = sent.document_id
    WHERE x.discrepancy_id = ANY (explained);
    INSERT INTO discrepancy_step (discrepancy_id, step, site_id, what, happened_at, done_by, document_id, words)
    SELECT x, 1 + (SELECT count(*) FROM discrepancy_step s WHERE s.discrepancy_id = x), sent.to_site, 'withdrawn', sent.recorded_at,
           sent.posted_by, sent.document_id, sent.why
    FROM unnest(explained) x;
END $$;

-- What an act must know of the consignments that items came by, another site's too: where a rejected item goes back to, and which
-- certificate binds it. Open to every site: what one site's consignment brought another rejects or exports, and a fact does so from
-- anywhere. It is asked by keys that stand on items, which every site finds, and tells nothing of what else a consignment brought.
CREATE FUNCTION stockpile.consignments_of(consignments uuid[])
RETURNS TABLE (consignment_id uuid, donor_id uuid, donor text, reference text, end_user_certificate text,
               account_id uuid, class text, account_name text, site_id uuid, party_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT c.consignment_id, c.donor_id, p.code, c.reference, c.end_user_certificate, a.account_id, a.class, a.name, a.site_id, a.party_id
    FROM consignment c JOIN party p ON p.party_id = c.donor_id JOIN account a ON a.account_id = c.account_id
    WHERE c.consignment_id = ANY (consignments)
$$;

-- Why items were rejected, entry by entry: a donor reads it of its own, though not the rest of what documents say; a site what it
-- rejected itself.
CREATE FUNCTION stockpile.rejections(items uuid[])
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

REVOKE EXECUTE ON FUNCTION stockpile.may_read_shipment(uuid, uuid), stockpile.shipment_lines(uuid[], uuid[]),
    stockpile.shipments_under_way(), stockpile.consignments_of(uuid[]), stockpile.rejections(uuid[]),
    stockpile.names_shipment(jsonb, uuid, uuid, text, uuid), stockpile.withdraw_excess(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.shipment_lines(uuid[], uuid[]), stockpile.shipments_under_way()
    TO stockpile_poster, stockpile_registrar, stockpile_auditor;
GRANT EXECUTE ON FUNCTION stockpile.consignments_of(uuid[]), stockpile.withdraw_excess(uuid) TO stockpile_poster;
GRANT EXECUTE ON FUNCTION stockpile.rejections(uuid[]) TO stockpile_poster, stockpile_registrar, stockpile_auditor, stockpile_donor;

GRANT SELECT, INSERT ON stockpile.shipment, stockpile.carrier_hand_over TO stockpile_poster;
GRANT SELECT ON stockpile.shipment, stockpile.carrier_hand_over TO stockpile_registrar, stockpile_auditor;

ALTER TABLE stockpile.shipment ENABLE ROW LEVEL SECURITY;
ALTER TABLE stockpile.carrier_hand_over ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor ON stockpile.shipment FOR SELECT TO stockpile_auditor USING (true);
CREATE POLICY registrar ON stockpile.shipment FOR SELECT TO stockpile_registrar USING (true);
CREATE POLICY poster_reads ON stockpile.shipment FOR SELECT TO stockpile_poster
    USING (from_site = (SELECT stockpile.own_site()) OR to_site = (SELECT stockpile.own_site()));
-- Only of a shipping order of the own site, under its own number: both ends read what the order moved by this row alone.
CREATE POLICY poster_adds ON stockpile.shipment FOR INSERT TO stockpile_poster WITH CHECK (
    from_site = (SELECT stockpile.own_site())
    AND EXISTS (SELECT FROM stockpile.document d JOIN stockpile.book b ON b.book_id = d.book_id JOIN stockpile.site s ON s.site_id = d.site_id
                WHERE d.document_id = shipment.document_id AND d.act = 'ship' AND d.site_id = shipment.from_site
                  AND shipment.number = concat_ws('/', s.code, b.code, b.year, d.number)));
CREATE POLICY auditor ON stockpile.carrier_hand_over FOR SELECT TO stockpile_auditor USING (true);
CREATE POLICY registrar ON stockpile.carrier_hand_over FOR SELECT TO stockpile_registrar USING (true);
-- Either end tells of a hand-over: who sees the shipment.
CREATE POLICY poster ON stockpile.carrier_hand_over TO stockpile_poster
    USING (EXISTS (SELECT FROM stockpile.shipment s WHERE s.document_id = carrier_hand_over.document_id));

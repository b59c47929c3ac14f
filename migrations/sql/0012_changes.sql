-- In which transaction a row was written: the order in which changes are told. What is told is what was written by transactions older than the
-- oldest that still runs, so that nothing can come in before what was told. 0: written before this was noted, told first, by key.
ALTER TABLE stockpile.document ADD COLUMN written_in BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE stockpile.discrepancy ADD COLUMN written_in BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE stockpile.discrepancy_step ADD COLUMN written_in BIGINT DEFAULT 0 NOT NULL;
ALTER TABLE stockpile.donor_statement ADD COLUMN written_in BIGINT DEFAULT 0 NOT NULL;
DO $$
DECLARE written text;
BEGIN
    FOREACH written IN ARRAY ARRAY['document', 'discrepancy', 'discrepancy_step', 'donor_statement'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ALTER COLUMN written_in SET DEFAULT pg_current_xact_id()::text::bigint', written);
        EXECUTE format('COMMENT ON COLUMN stockpile.%I.written_in IS %L', written, 'the transaction: the order in which changes are told');
    END LOOP;
END $$;
CREATE INDEX document_written ON stockpile.document (written_in, document_id);
CREATE INDEX discrepancy_written ON stockpile.discrepancy (written_in, discrepancy_id);
CREATE INDEX discrepancy_step_written ON stockpile.discrepancy_step (written_in, discrepancy_id, step);
CREATE INDEX donor_statement_written ON stockpile.donor_statement (written_in, statement_id, donor_id);

-- The place of the so many-th document after a place, before a transaction: how far one look goes, whatever the asker may see of it.
CREATE FUNCTION stockpile.place_after(after_written bigint, after_document uuid, before bigint, documents integer)
RETURNS TABLE (written_in bigint, document_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT d.written_in, d.document_id FROM document d
    WHERE (d.written_in, d.document_id) > (after_written, after_document) AND d.written_in < before
    ORDER BY d.written_in, d.document_id OFFSET documents - 1 LIMIT 1
$$;

-- Under which numbering of transactions the books stand, and the key by which places in it are sealed for who asks: a donor's own, and the host's.
CREATE FUNCTION stockpile.change_sealing() RETURNS TABLE (era text, sealing_key bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()), (SELECT timeline_id FROM pg_control_checkpoint()),
                     (SELECT max(restored_at) FROM restoration)),
           sha256(convert_to('stockpile: places in the feed of changes', 'UTF8') || p.secret)
    FROM party p WHERE p.party_id = coalesce(own_donor(), '00000000-0000-7000-8000-000000000001')
$$;
REVOKE EXECUTE ON FUNCTION stockpile.place_after(bigint, uuid, bigint, integer), stockpile.change_sealing() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.place_after(bigint, uuid, bigint, integer), stockpile.change_sealing()
    TO stockpile_auditor, stockpile_registrar, stockpile_donor;

GRANT SELECT (written_in) ON stockpile.document, stockpile.discrepancy, stockpile.donor_statement TO stockpile_donor;
GRANT SELECT (written_in) ON stockpile.donor_statement TO stockpile_poster, stockpile_registrar, stockpile_auditor;

-- A donor hears when a discrepancy of its own was closed, not by whom and what was said.
GRANT SELECT (discrepancy_id, step, what, happened_at, written_in) ON stockpile.discrepancy_step TO stockpile_donor;
CREATE POLICY donor ON stockpile.discrepancy_step FOR SELECT TO stockpile_donor
    USING (what IN ('closed', 'withdrawn') AND EXISTS (SELECT FROM stockpile.discrepancy x WHERE x.discrepancy_id = discrepancy_step.discrepancy_id));

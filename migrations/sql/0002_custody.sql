-- Destruction orders with their certificates, and changes of custodian: few among millions of documents.
CREATE INDEX document_of_custody ON stockpile.document (act, site_id, happened_at) WHERE act IN ('order destruction', 'destroy', 'change custodian');

-- From now on who took an account over by a joint inventory answers for it; false if one person alone wrote it, a later inventory by
-- two says otherwise, or nobody at the site took it over. All is read from the document, so that a poster can change who answers for an
-- account in no other way.
CREATE FUNCTION stockpile.take_over_account(inventory uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE
    taken record;
BEGIN
    SELECT d.site_id, d.happened_at, d.recorded_at, d.details->>'account' AS account, g.party_id INTO taken
    FROM document d JOIN signatory g ON g.document_id = d.document_id AND g.part = 'received_by'
    WHERE d.document_id = inventory AND d.act = 'change custodian' AND d.site_id = own_site() AND d.approved_by IS NOT NULL;
    IF NOT FOUND OR EXISTS (
        SELECT FROM document later
        WHERE later.act = 'change custodian' AND later.site_id = taken.site_id AND later.details->>'account' = taken.account
          AND later.approved_by IS NOT NULL
          AND (later.happened_at, later.recorded_at) > (taken.happened_at, taken.recorded_at)) THEN
        RETURN false;
    END IF;
    UPDATE account SET custodian_id = taken.party_id
    WHERE account_id = taken.account::uuid AND site_id = taken.site_id AND class IN ('store', 'unit', 'maintenance');
    RETURN FOUND;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.take_over_account(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.take_over_account(uuid) TO stockpile_poster;

-- A new book of a site waits for who holds the site's books closed (stockpile/standstill.py): its row can't be locked before it is there.
CREATE FUNCTION stockpile.book_opened() RETURNS trigger LANGUAGE plpgsql SET search_path = stockpile, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('books of ' || NEW.site_id, 0));
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.book_opened() FROM PUBLIC;
CREATE TRIGGER book_opened BEFORE INSERT ON stockpile.book FOR EACH ROW EXECUTE FUNCTION stockpile.book_opened();

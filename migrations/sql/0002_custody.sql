-- Destruction orders with their certificates, and changes of custodian: few among millions of documents.
CREATE INDEX document_of_custody ON stockpile.document (act, site_id, happened_at) WHERE act IN ('order destruction', 'destroy', 'change custodian');

-- Whether something of a document was not taken back.
CREATE FUNCTION stockpile.document_stands(wanted uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = stockpile, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM entry e WHERE e.document_id = wanted AND e.reverses IS NULL AND e.posts_again IS NULL
                                         AND standing_entry(e.item_id, e.version) IS NOT NULL);
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.document_stands(uuid) FROM PUBLIC;

-- A site's joint inventories of an account by two people, with who handed over and who took over.
CREATE FUNCTION stockpile.inventories_of(site uuid, account text)
RETURNS TABLE (document_id uuid, happened_at timestamptz, recorded_at timestamptz, received_by uuid, handed_over_by uuid)
LANGUAGE sql STABLE SET search_path = stockpile, pg_temp AS $$
    SELECT d.document_id, d.happened_at, d.recorded_at, t.party_id, g.party_id
    FROM document d
    LEFT JOIN signatory t ON t.document_id = d.document_id AND t.part = 'received_by'
    LEFT JOIN signatory g ON g.document_id = d.document_id AND g.part = 'handed_over_by'
    WHERE d.act = 'change custodian' AND d.site_id = site AND d.details->>'account' = account AND d.approved_by IS NOT NULL
$$;
REVOKE EXECUTE ON FUNCTION stockpile.inventories_of(uuid, text) FROM PUBLIC;

-- From now on who took an account over by a joint inventory answers for it; false if one person alone wrote it, it was taken back, a
-- later inventory that stands says otherwise, or nobody at the site took it over. All is read from the document, so that a poster can
-- change who answers for an account in no other way.
CREATE FUNCTION stockpile.take_over_account(inventory uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE
    taken record;
BEGIN
    SELECT d.site_id, d.details->>'account' AS account, i.* INTO taken
    FROM document d CROSS JOIN LATERAL inventories_of(d.site_id, d.details->>'account') i
    WHERE d.document_id = inventory AND d.site_id = own_site() AND i.document_id = d.document_id AND document_stands(d.document_id);
    IF taken.received_by IS NULL OR EXISTS (
        SELECT FROM inventories_of(taken.site_id, taken.account) later
        WHERE (later.happened_at, later.recorded_at) > (taken.happened_at, taken.recorded_at) AND document_stands(later.document_id)) THEN
        RETURN false;
    END IF;
    UPDATE account SET custodian_id = taken.received_by
    WHERE account_id = taken.account::uuid AND site_id = taken.site_id AND class IN ('store', 'unit', 'maintenance');
    RETURN FOUND;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.take_over_account(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.take_over_account(uuid) TO stockpile_poster;

-- Who took an account over by a joint inventory that was taken back, the whole of it, answers for it no more: who handed it over does
-- again. If that one had it by an inventory that was taken back, too, who handed over then does. False: a later inventory stands, or
-- somebody else answers by now.
CREATE FUNCTION stockpile.give_back_account(inventory uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE
    taken record;
    earlier record;
    answers uuid;
BEGIN
    SELECT d.site_id, d.details->>'account' AS account, i.* INTO taken
    FROM document d CROSS JOIN LATERAL inventories_of(d.site_id, d.details->>'account') i
    WHERE d.document_id = inventory AND d.site_id = own_site() AND i.document_id = d.document_id AND NOT document_stands(d.document_id);
    IF taken.received_by IS NULL OR EXISTS (
        SELECT FROM inventories_of(taken.site_id, taken.account) later
        WHERE (later.happened_at, later.recorded_at) > (taken.happened_at, taken.recorded_at) AND document_stands(later.document_id)) THEN
        RETURN false;
    END IF;
    answers := taken.handed_over_by;
    FOR earlier IN SELECT * FROM inventories_of(taken.site_id, taken.account) i
                   WHERE (i.happened_at, i.recorded_at) < (taken.happened_at, taken.recorded_at)
                   ORDER BY i.happened_at DESC, i.recorded_at DESC LOOP
        EXIT WHEN earlier.received_by IS DISTINCT FROM answers OR document_stands(earlier.document_id);
        answers := earlier.handed_over_by;
    END LOOP;
    UPDATE account a SET custodian_id = nullif(answers, s.custodian_id)
    FROM site s WHERE s.site_id = a.site_id AND a.account_id = taken.account::uuid AND a.site_id = taken.site_id
                  AND a.custodian_id = taken.received_by;
    RETURN FOUND;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.give_back_account(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.give_back_account(uuid) TO stockpile_poster;

-- A new book of a site waits for who holds the site's books closed (stockpile/standstill.py): its row can't be locked before it is there.
CREATE FUNCTION stockpile.book_opened() RETURNS trigger LANGUAGE plpgsql SET search_path = stockpile, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('books of ' || NEW.site_id, 0));
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION stockpile.book_opened() FROM PUBLIC;
CREATE TRIGGER book_opened BEFORE INSERT ON stockpile.book FOR EACH ROW EXECUTE FUNCTION stockpile.book_opened();

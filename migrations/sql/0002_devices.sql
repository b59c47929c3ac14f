-- Devices that write vouchers away from the service, and what their books and those of papers still miss.

CREATE TABLE stockpile.device (
    device_id UUID NOT NULL,
    site_id UUID NOT NULL,
    book_code TEXT NOT NULL,
    label TEXT NOT NULL,
    public_key BYTEA NOT NULL,
    enrolled_by UUID NOT NULL,
    enrolled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_by UUID,
    CONSTRAINT device_pkey PRIMARY KEY (device_id),
    CONSTRAINT device_book UNIQUE (site_id, book_code),
    CONSTRAINT device_public_key_key UNIQUE (public_key),
    CONSTRAINT device_book_code_form CHECK (book_code ~ '^[A-Z0-9-]{1,12}$'),
    CONSTRAINT device_key_length CHECK (octet_length(public_key) = 32),
    CONSTRAINT device_revoked CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CONSTRAINT device_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT device_enrolled_by_fkey FOREIGN KEY(enrolled_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT device_revoked_by_fkey FOREIGN KEY(revoked_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.device IS 'A device of a site that writes vouchers offline and signs them.';
COMMENT ON COLUMN stockpile.device.book_code IS 'its own book, in which nobody else numbers';
COMMENT ON COLUMN stockpile.device.public_key IS 'Ed25519; the device alone has the other half';
COMMENT ON COLUMN stockpile.device.revoked_at IS 'what comes from it later is kept, with a discrepancy';

CREATE TABLE stockpile.device_contact (
    device_id UUID NOT NULL,
    contacted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    clock_offset INTERVAL NOT NULL,
    CONSTRAINT device_contact_pkey PRIMARY KEY (device_id, contacted_at),
    CONSTRAINT device_contact_device_id_fkey FOREIGN KEY(device_id) REFERENCES stockpile.device (device_id)
);
COMMENT ON TABLE stockpile.device_contact IS 'When a device was in touch, and how far its clock was off then.';
COMMENT ON COLUMN stockpile.device_contact.clock_offset IS 'its clock less ours: positive is ahead';

CREATE TABLE stockpile.device_reject (
    reject_id UUID NOT NULL,
    device_id UUID NOT NULL,
    document_id UUID,
    payload BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    reason TEXT NOT NULL,
    carried_by UUID NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT device_reject_pkey PRIMARY KEY (reject_id),
    CONSTRAINT device_reject_once UNIQUE (device_id, digest),
    CONSTRAINT device_reject_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT device_reject_device_id_fkey FOREIGN KEY(device_id) REFERENCES stockpile.device (device_id),
    CONSTRAINT device_reject_carried_by_fkey FOREIGN KEY(carried_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.device_reject IS 'What came from a device and could not be posted: kept, so that somebody can look at it.';
COMMENT ON COLUMN stockpile.device_reject.document_id IS 'as it names itself, if that can be read';
COMMENT ON COLUMN stockpile.device_reject.payload IS 'to the byte, as it came';
COMMENT ON COLUMN stockpile.device_reject.digest IS 'SHA-256 over payload and signature: what comes again is kept once';

ALTER TABLE stockpile.discrepancy
    ADD COLUMN book_id UUID,
    ADD COLUMN first_number INTEGER,
    ADD COLUMN last_number INTEGER,
    ADD CONSTRAINT discrepancy_run CHECK (
        (book_id IS NULL) = (first_number IS NULL) AND (book_id IS NULL) = (last_number IS NULL) AND first_number <= last_number),
    ADD CONSTRAINT discrepancy_book_id_fkey FOREIGN KEY(book_id) REFERENCES stockpile.book (book_id);
CREATE UNIQUE INDEX discrepancy_gap ON stockpile.discrepancy (book_id, first_number) WHERE closed_at IS NULL AND book_id IS NOT NULL;
COMMENT ON COLUMN stockpile.discrepancy.book_id IS 'of a gap: the book whose numbers have not come';
COMMENT ON COLUMN stockpile.discrepancy.first_number IS 'of a gap: the first of them';

-- The papers keyed before gaps were watched.
INSERT INTO stockpile.discrepancy (discrepancy_id, site_id, kind, document_id, books_said, seen, owner_id, opened_at, due_on,
                                   book_id, first_number, last_number)
SELECT gen_random_uuid(), come.site_id, 'gap in a book', come.document_id,
       format('%s/%s has come', come.name, come.number),
       CASE WHEN come.before + 2 = come.number THEN format('%s/%s has not come', come.name, come.before + 1)
            ELSE format('%s/%s to %s have not come', come.name, come.before + 1, come.number - 1) END,
       come.custodian_id, now(), now()::date + 30, come.book_id, come.before + 1, come.number - 1
FROM (SELECT d.site_id, d.document_id, d.book_id, d.number, s.custodian_id, concat_ws('/', s.code, b.code, b.year) AS name,
             lag(d.number) OVER (PARTITION BY d.book_id ORDER BY d.number) AS before
      FROM stockpile.book b JOIN stockpile.document d USING (book_id) JOIN stockpile.site s ON s.site_id = d.site_id
      WHERE b.kind = 'paper') come
WHERE come.before < come.number - 1;

-- Whose book of a site a code is, if anybody's: its kind. A commander who enrols a device can't read the tokens that name counters.
CREATE FUNCTION stockpile.book_taken(site uuid, wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT kind FROM (
        SELECT kind FROM book WHERE site_id = site AND code = wanted
        UNION ALL SELECT 'device' FROM device WHERE site_id = site AND book_code = wanted
        UNION ALL SELECT 'counter' FROM token WHERE site_id = site AND book_code = wanted) holder
    WHERE own_site() IS NULL OR own_site() = site
    LIMIT 1
$$;
REVOKE EXECUTE ON FUNCTION stockpile.book_taken(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.book_taken(uuid, text) TO stockpile_poster, stockpile_registrar;

GRANT SELECT, INSERT ON stockpile.device TO stockpile_poster, stockpile_registrar;
GRANT UPDATE (revoked_at, revoked_by) ON stockpile.device TO stockpile_poster, stockpile_registrar;
GRANT SELECT, INSERT ON stockpile.device_contact, stockpile.device_reject TO stockpile_poster;
GRANT SELECT ON stockpile.device_contact, stockpile.device_reject TO stockpile_registrar;
GRANT SELECT ON stockpile.device, stockpile.device_contact, stockpile.device_reject TO stockpile_auditor;

DO $$
DECLARE secured text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['device', 'device_contact', 'device_reject'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', secured);
        EXECUTE format('CREATE POLICY registrar ON stockpile.%I TO stockpile_registrar USING (true)', secured);
        EXECUTE format('CREATE TRIGGER never BEFORE %s OR DELETE OR TRUNCATE ON stockpile.%I FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never()',
                       CASE secured WHEN 'device' THEN 'UPDATE OF device_id, site_id, book_code, public_key, enrolled_by, enrolled_at' ELSE 'UPDATE' END, secured);
    END LOOP;
    CREATE POLICY poster ON stockpile.device TO stockpile_poster USING (site_id = (SELECT stockpile.own_site()));
    FOREACH secured IN ARRAY ARRAY['device_contact', 'device_reject'] LOOP
        EXECUTE format('CREATE POLICY poster ON stockpile.%I TO stockpile_poster USING
                        (EXISTS (SELECT FROM stockpile.device d WHERE d.device_id = %I.device_id))', secured, secured);
    END LOOP;
END $$;
-- A device once revoked stays so.
CREATE POLICY revoked_once ON stockpile.device AS RESTRICTIVE FOR UPDATE TO stockpile_poster, stockpile_registrar
    USING (revoked_at IS NULL) WITH CHECK (revoked_at IS NOT NULL);

-- Whether a book is some counter's of the own site, also before its first document: no paper and no device may take its numbers.
CREATE FUNCTION stockpile.of_a_counter(book text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (SELECT FROM token t WHERE t.site_id = own_site() AND t.book_code = book)
$$;
REVOKE EXECUTE ON FUNCTION stockpile.of_a_counter(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.of_a_counter(text) TO stockpile_poster;

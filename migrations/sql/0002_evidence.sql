-- What is attached later, and the erasure of a person by order of two people.

CREATE TABLE stockpile.note (
    note_id UUID NOT NULL,
    site_id UUID NOT NULL,
    document_id UUID NOT NULL,
    kind TEXT NOT NULL,
    text TEXT,
    attachments JSONB DEFAULT '[]' NOT NULL,
    written_by UUID NOT NULL,
    name_version INTEGER NOT NULL,
    digest BYTEA NOT NULL,
    happened_at TIMESTAMP WITH TIME ZONE,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    content_hash BYTEA NOT NULL,
    seed BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    CONSTRAINT note_pkey PRIMARY KEY (note_id),
    CONSTRAINT note_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT note_document_id_fkey FOREIGN KEY(document_id) REFERENCES stockpile.document (document_id),
    CONSTRAINT note_written_by_fkey FOREIGN KEY(written_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT note_kind CHECK (kind IN ('attachment', 'remark', 'signature')),
    CONSTRAINT note_says_something CHECK (CASE kind WHEN 'remark' THEN text IS NOT NULL ELSE attachments <> '[]' END),
    CONSTRAINT note_not_in_future CHECK (happened_at <= recorded_at),
    CONSTRAINT note_digests CHECK (octet_length(digest) = 32 AND octet_length(content_hash) = 32 AND octet_length(seed) = 32),
    CONSTRAINT note_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) = 5)
);
CREATE INDEX note_of_document ON stockpile.note (document_id, recorded_at);
CREATE INDEX note_attachments ON stockpile.note USING gin (attachments jsonb_path_ops);
COMMENT ON TABLE stockpile.note IS 'What was added to a document later: a signed paper, a photo, a remark.';
COMMENT ON COLUMN stockpile.note.note_id IS 'the client''s: the idempotency key';
COMMENT ON COLUMN stockpile.note.site_id IS 'the document''s';
COMMENT ON COLUMN stockpile.note.attachments IS 'SHA-256 of each photo or scan';
COMMENT ON COLUMN stockpile.note.digest IS 'the writer''s, salted by the party''s secret and this note';

-- To whom a file belongs; most documents have none.
CREATE INDEX document_attachments ON stockpile.document USING gin (attachments jsonb_path_ops) WHERE attachments <> '[]';

CREATE TABLE stockpile.erasure_order (
    erasure_id UUID NOT NULL,
    party_id UUID NOT NULL,
    order_reference TEXT NOT NULL,
    reason TEXT NOT NULL,
    redact JSONB NOT NULL,
    files JSONB NOT NULL,
    content_hash BYTEA NOT NULL,
    asked_by UUID NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_by UUID,
    outcome TEXT,
    CONSTRAINT erasure_order_pkey PRIMARY KEY (erasure_id),
    CONSTRAINT erasure_order_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT erasure_order_asked_by_fkey FOREIGN KEY(asked_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT erasure_order_settled_by_fkey FOREIGN KEY(settled_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT erasure_order_outcome CHECK (outcome IN ('approved', 'rejected', 'withdrawn')),
    CONSTRAINT erasure_order_settled CHECK ((settled_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT erasure_order_two_people CHECK (outcome <> 'approved' OR settled_by <> asked_by)
);
CREATE UNIQUE INDEX erasure_order_waiting ON stockpile.erasure_order (party_id) WHERE outcome IS NULL;
COMMENT ON TABLE stockpile.erasure_order IS 'That a person be erased: asked for by one, waiting for another. Never holds the name.';
COMMENT ON COLUMN stockpile.erasure_order.redact IS 'which words are to go too, by where they stand';
COMMENT ON COLUMN stockpile.erasure_order.files IS 'SHA-256 of each file that is to go too';

CREATE TABLE stockpile.erasure (
    erasure_id UUID NOT NULL,
    party_id UUID NOT NULL,
    order_reference TEXT NOT NULL,
    reason TEXT NOT NULL,
    files JSONB NOT NULL,
    registers JSONB NOT NULL,
    erased JSONB NOT NULL,
    asked_by UUID NOT NULL,
    asked_by_version INTEGER NOT NULL,
    asked_by_digest BYTEA NOT NULL,
    approved_by UUID NOT NULL,
    approved_by_version INTEGER NOT NULL,
    approved_by_digest BYTEA NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seed BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    CONSTRAINT erasure_pkey PRIMARY KEY (erasure_id),
    CONSTRAINT erasure_of_party UNIQUE (party_id),
    CONSTRAINT erasure_erasure_id_fkey FOREIGN KEY(erasure_id) REFERENCES stockpile.erasure_order (erasure_id),
    CONSTRAINT erasure_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT erasure_asked_by_fkey FOREIGN KEY(asked_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT erasure_approved_by_fkey FOREIGN KEY(approved_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT erasure_two_people CHECK (asked_by <> approved_by AND party_id <> asked_by AND party_id <> approved_by),
    CONSTRAINT erasure_digests CHECK (octet_length(asked_by_digest) = 32 AND octet_length(approved_by_digest) = 32 AND octet_length(seed) = 32),
    CONSTRAINT erasure_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) = 5)
);
COMMENT ON TABLE stockpile.erasure IS 'That a person was erased, by whose order and approval; never who it was.';
COMMENT ON COLUMN stockpile.erasure.files IS 'SHA-256 of each file that went';
COMMENT ON COLUMN stockpile.erasure.registers IS 'each list with erased cells: its lines, its digest before and after';
COMMENT ON COLUMN stockpile.erasure.erased IS 'how much of each kind went';

CREATE TABLE stockpile.erased_file (
    sha256 BYTEA NOT NULL,
    erasure_id UUID NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT erased_file_pkey PRIMARY KEY (sha256),
    CONSTRAINT erased_file_erasure_id_fkey FOREIGN KEY(erasure_id) REFERENCES stockpile.erasure (erasure_id),
    CONSTRAINT erased_file_sha256 CHECK (octet_length(sha256) = 32)
);
COMMENT ON TABLE stockpile.erased_file IS 'Stands in place of a file that was erased: when, and by which order.';

CREATE TABLE stockpile.register_erasure (
    register_id UUID NOT NULL,
    version INTEGER NOT NULL,
    previous INTEGER GENERATED ALWAYS AS (NULLIF(version - 1, 0)) STORED,
    erasure_id UUID NOT NULL,
    lines JSONB NOT NULL,
    digest_before BYTEA NOT NULL,
    digest_after BYTEA NOT NULL,
    CONSTRAINT register_erasure_pkey PRIMARY KEY (register_id, version),
    CONSTRAINT register_erasure_no_gap FOREIGN KEY(register_id, previous) REFERENCES stockpile.register_erasure (register_id, version),
    CONSTRAINT register_erasure_register_id_fkey FOREIGN KEY(register_id) REFERENCES stockpile.register (register_id),
    CONSTRAINT register_erasure_erasure_id_fkey FOREIGN KEY(erasure_id) REFERENCES stockpile.erasure (erasure_id),
    CONSTRAINT register_erasure_version CHECK (version >= 1),
    CONSTRAINT register_erasure_digests CHECK (octet_length(digest_before) = 32 AND octet_length(digest_after) = 32)
);
COMMENT ON TABLE stockpile.register_erasure IS 'Which lines of a register lost cells to an erasure, and what its digest is since.';
COMMENT ON COLUMN stockpile.register_erasure.digest_before IS 'what its leaf commits, or the erasure before';

-- Lines of a register lose cells by an erasure that is recorded in the same transaction, and never else.
CREATE FUNCTION stockpile.only_by_erasure() RETURNS trigger LANGUAGE plpgsql SET search_path = stockpile, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM erasure WHERE xmin = pg_current_xact_id()::xid) THEN
        RAISE EXCEPTION 'rows of % are never changed that way (%): post a correction', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = TG_TABLE_NAME || '_append_only';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER never ON stockpile.register_line;
CREATE TRIGGER never BEFORE DELETE OR TRUNCATE ON stockpile.register_line FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER never_moves BEFORE UPDATE OF register_id, line, item_id ON stockpile.register_line
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER only_by_erasure BEFORE UPDATE ON stockpile.register_line
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.only_by_erasure();
DO $$
DECLARE guarded text;
BEGIN
    -- Words of these go only so, too.
    DROP TRIGGER never ON stockpile.carrier_hand_over;
    CREATE TRIGGER never BEFORE DELETE OR TRUNCATE ON stockpile.carrier_hand_over FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
    CREATE TRIGGER only_by_erasure BEFORE UPDATE ON stockpile.carrier_hand_over FOR EACH STATEMENT EXECUTE FUNCTION stockpile.only_by_erasure();
    FOREACH guarded IN ARRAY ARRAY['note', 'erasure', 'erased_file', 'register_erasure'] LOOP
        EXECUTE format('CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never()', guarded);
    END LOOP;
END $$;
CREATE TRIGGER never BEFORE DELETE OR TRUNCATE ON stockpile.erasure_order FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

-- The documents that name a file, themselves or in a note, wherever they are; for a site its own: row-level security would read
-- them all one by one.
CREATE FUNCTION stockpile.documents_of_file(sha256 text) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT d.document_id FROM document d
    WHERE d.document_id IN (SELECT document_id FROM document WHERE attachments @> to_jsonb(ARRAY[sha256]) AND attachments <> '[]'
                            UNION SELECT document_id FROM note WHERE attachments @> to_jsonb(ARRAY[sha256]))
      AND (current_setting('role') <> 'stockpile_poster' OR d.site_id = own_site())
$$;

-- Whether words are those before with only parts of them taken out: whatever 'erased person' stands for.
CREATE FUNCTION stockpile.only_taken_out(before text, after text) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN before LIKE replace(replace(replace(replace(after, '\', '\\'), '%', '\%'), '_', '\_'), 'erased person', '%');

-- A text in which names and numbers are compared, whatever their case and however they are written: without spaces, dashes and what
-- JSON escapes; digits of Arabic script as 0-9. Of letters beyond ASCII that have capitals only that there is one: the database's
-- locale does not know their case.
CREATE FUNCTION stockpile.plain_letters(said text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN regexp_replace(regexp_replace(lower(translate(said, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹ıİſ', '01234567890123456789iis')), '[\s"\\-]+', '', 'g'),
                      '[\u00C0-\u058F\u10A0-\u10FF\u1C80-\u1CBF\u1D00-\u1FFF\u2C00-\u2DFF\uA640-\uA7FF]', '?', 'g');

-- Whether words bear a service number of a person, or the longest word of a name: one of them is in all that an erasure finds.
CREATE FUNCTION stockpile.names_person(said text, person uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM (SELECT code, name FROM party_name WHERE party_id = person UNION SELECT code, name FROM party WHERE party_id = person) called
        CROSS JOIN LATERAL (SELECT called.code
                            UNION ALL (SELECT word FROM regexp_split_to_table(called.name, '\s+') word ORDER BY length(word) DESC LIMIT 1)) one (word)
        WHERE plain_letters(one.word) <> '' AND position(plain_letters(one.word) IN plain_letters(said)) > 0)
$$;

CREATE FUNCTION stockpile.taken_out_of(person uuid, before text, after text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = stockpile, pg_temp AS $$
    SELECT only_taken_out(before, after) AND names_person(before, person)
$$;

-- Erases a person under an erasure that is recorded in the same transaction: nobody but the owner may change these rows. It can
-- take words and cells away where the person is named, and put no others in their place. What it can't tell is how much of such a
-- text or row is the person's. `cells`: [{register, line, places}]; `words`: [{table, key, line, column, text}], the text as it is to be.
CREATE FUNCTION stockpile.erase_person(erasure uuid, cells jsonb, words jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE
    gone  uuid;
    at    timestamptz;
    given record;
    place integer;
BEGIN
    SELECT e.party_id, e.recorded_at INTO gone, at FROM erasure e WHERE e.erasure_id = erase_person.erasure AND e.xmin = pg_current_xact_id()::xid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no erasure % is being recorded', erasure USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'erasure_recorded';
    END IF;
    PERFORM FROM party p WHERE p.party_id = gone AND p.kind = 'person' AND p.erased_at IS NULL FOR UPDATE;
    IF NOT FOUND OR EXISTS (SELECT FROM holding h JOIN account a USING (account_id) WHERE a.party_id = gone) THEN
        RAISE EXCEPTION 'party % is no person without weapons', gone USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_holds_nothing';
    END IF;

    FOR given IN SELECT * FROM jsonb_to_recordset(cells) AS one (register uuid, line integer, places integer[]) LOOP
        PERFORM FROM register_line l WHERE l.register_id = given.register AND l.line = given.line AND names_person(l.cells::text, gone);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'line % of register % does not name the person', given.line, given.register
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_takes_out';
        END IF;
        FOREACH place IN ARRAY given.places LOOP
            UPDATE register_line l SET cells = jsonb_set(l.cells, ARRAY[place::text], '""', false)
            WHERE l.register_id = given.register AND l.line = given.line;
        END LOOP;
    END LOOP;

    FOR given IN SELECT * FROM jsonb_to_recordset(words) AS one ("table" text, key uuid, line integer, "column" text, text text) LOOP
        CASE given."table" || '.' || given."column"
            WHEN 'discrepancy.books_said' THEN UPDATE discrepancy SET books_said = given.text WHERE discrepancy_id = given.key AND taken_out_of(gone, books_said, given.text);
            WHEN 'discrepancy.seen' THEN UPDATE discrepancy SET seen = given.text WHERE discrepancy_id = given.key AND taken_out_of(gone, seen, given.text);
            WHEN 'discrepancy.explanation' THEN UPDATE discrepancy SET explanation = given.text WHERE discrepancy_id = given.key AND taken_out_of(gone, explanation, given.text);
            WHEN 'discrepancy_step.words' THEN UPDATE discrepancy_step SET words = given.text WHERE discrepancy_id = given.key AND step = given.line AND taken_out_of(gone, discrepancy_step.words, given.text);
            WHEN 'closure.explanation' THEN UPDATE closure SET explanation = given.text WHERE closure_id = given.key AND taken_out_of(gone, explanation, given.text);
            WHEN 'closure.reason' THEN UPDATE closure SET reason = given.text WHERE closure_id = given.key AND taken_out_of(gone, reason, given.text);
            WHEN 'carrier_hand_over.handed_over_by' THEN UPDATE carrier_hand_over SET handed_over_by = given.text WHERE document_id = given.key AND ordinal = given.line AND taken_out_of(gone, handed_over_by, given.text);
            WHEN 'carrier_hand_over.carrier' THEN UPDATE carrier_hand_over SET carrier = given.text WHERE document_id = given.key AND ordinal = given.line AND taken_out_of(gone, carrier, given.text);
            WHEN 'carrier_hand_over.place' THEN UPDATE carrier_hand_over SET place = given.text WHERE document_id = given.key AND ordinal = given.line AND taken_out_of(gone, carrier_hand_over.place, given.text);
            WHEN 'carrier_hand_over.remarks' THEN UPDATE carrier_hand_over SET remarks = given.text WHERE document_id = given.key AND ordinal = given.line AND taken_out_of(gone, remarks, given.text);
            WHEN 'draft.request' THEN UPDATE draft SET request = given.text::jsonb WHERE document_id = given.key AND outcome IS NOT NULL AND taken_out_of(gone, request::text, given.text::jsonb::text);
            WHEN 'draft.reason' THEN UPDATE draft SET reason = given.text WHERE document_id = given.key AND taken_out_of(gone, reason, given.text);
            WHEN 'token.label' THEN UPDATE token SET label = given.text WHERE token_id = given.key AND taken_out_of(gone, label, given.text);
            WHEN 'job.result' THEN UPDATE job SET result = given.text::jsonb WHERE job_id = given.key AND taken_out_of(gone, result::text, given.text::jsonb::text);
            WHEN 'device.label' THEN UPDATE device SET label = given.text WHERE device_id = given.key AND taken_out_of(gone, label, given.text);
            WHEN 'book.holder' THEN UPDATE book SET holder = given.text WHERE book_id = given.key AND taken_out_of(gone, holder, given.text);
            WHEN 'alias.name' THEN UPDATE alias SET name = given.text, name_key = 'erased person ' || alias_id WHERE alias_id = given.key AND taken_out_of(gone, name, given.text);
            WHEN 'column_mapping.mapping' THEN UPDATE column_mapping SET mapping = given.text::jsonb WHERE md5(source || '/' || kind)::uuid = given.key AND taken_out_of(gone, mapping::text, given.text::jsonb::text);
            WHEN 'register_line.rejected' THEN UPDATE register_line SET rejected = given.text WHERE register_id = given.key AND line = given.line AND taken_out_of(gone, rejected, given.text);
            WHEN 'register_line.doubts' THEN UPDATE register_line SET doubts = given.text WHERE register_id = given.key AND line = given.line AND taken_out_of(gone, doubts, given.text);
        END CASE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the words of % % do not name the person, or were changed meanwhile', given."table", given.key
                USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_takes_out';
        END IF;
    END LOOP;

    UPDATE party SET code = NULL, name = NULL, rank = NULL, secret = NULL, erased_at = at WHERE party_id = gone;
    UPDATE party_name SET code = NULL, name = NULL, rank = NULL WHERE party_id = gone;
    UPDATE account SET name = 'erased person' WHERE party_id = gone;
    UPDATE token SET label = 'erased person', revoked_at = coalesce(revoked_at, at) WHERE party_id = gone;
    UPDATE assignment SET until = greatest(since, at::date) WHERE party_id = gone AND (until IS NULL OR until > at::date);
    UPDATE signature_card SET withdrawn_at = at WHERE party_id = gone AND withdrawn_at IS NULL;
    UPDATE weapon_assignment SET until = greatest(since, at) WHERE party_id = gone AND until IS NULL;
END $$;

REVOKE EXECUTE ON FUNCTION stockpile.only_by_erasure(), stockpile.documents_of_file(text), stockpile.only_taken_out(text, text),
    stockpile.plain_letters(text), stockpile.names_person(text, uuid), stockpile.taken_out_of(uuid, text, text),
    stockpile.erase_person(uuid, jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.documents_of_file(text) TO stockpile_poster, stockpile_registrar, stockpile_auditor;
GRANT EXECUTE ON FUNCTION stockpile.erase_person(uuid, jsonb, jsonb) TO stockpile_registrar;

GRANT SELECT ON stockpile.note, stockpile.erasure_order, stockpile.erasure, stockpile.erased_file, stockpile.register_erasure
    TO stockpile_registrar, stockpile_auditor;
GRANT SELECT, INSERT ON stockpile.note TO stockpile_poster;
GRANT SELECT ON stockpile.erased_file, stockpile.register_erasure TO stockpile_poster;
GRANT INSERT ON stockpile.erasure_order, stockpile.erasure, stockpile.erased_file, stockpile.register_erasure TO stockpile_registrar;
GRANT UPDATE (settled_at, settled_by, outcome) ON stockpile.erasure_order TO stockpile_registrar;

DO $$
DECLARE
    own_site text := '(SELECT stockpile.own_site())';
    secured  text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['note', 'erasure_order', 'erasure', 'erased_file', 'register_erasure'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', secured);
        EXECUTE format('CREATE POLICY registrar ON stockpile.%I TO stockpile_registrar USING (true)', secured);
    END LOOP;
    -- To a document of one's own site, which is the note's.
    EXECUTE format('CREATE POLICY poster ON stockpile.note TO stockpile_poster USING (site_id = %1$s)
                    WITH CHECK (site_id = %1$s AND EXISTS (SELECT FROM stockpile.document d WHERE d.document_id = note.document_id))', own_site);
    CREATE POLICY poster ON stockpile.erased_file FOR SELECT TO stockpile_poster USING (true);
    CREATE POLICY poster ON stockpile.register_erasure FOR SELECT TO stockpile_poster
        USING (EXISTS (SELECT FROM stockpile.register r WHERE r.register_id = register_erasure.register_id));
    -- An order once settled stays so.
    CREATE POLICY settled_once ON stockpile.erasure_order AS RESTRICTIVE FOR UPDATE TO stockpile_registrar
        USING (outcome IS NULL) WITH CHECK (outcome IS NOT NULL);
END $$;

-- The older schema can't keep who signs in where; a country that has users or counters stays with this one.
DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.user) OR EXISTS (SELECT FROM stockpile.counter) THEN
        RAISE EXCEPTION 'people sign in here: the older schema would lose their users and counters' USING ERRCODE = 'check_violation';
    END IF;
END $$;
CREATE OR REPLACE FUNCTION stockpile.authenticate(hash bytea)
RETURNS TABLE (token_id uuid, party_id uuid, role text, donor_id uuid, book_code text,
               site_id uuid, code text, name text, time_zone text, custodian_id uuid, declared_open_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT t.token_id, t.party_id, t.role, t.donor_id, t.book_code,
           s.site_id, s.code, s.name, s.time_zone, s.custodian_id, s.declared_open_at
    FROM token t LEFT JOIN site s ON s.site_id = t.site_id
    WHERE t.secret_hash = hash AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp();
END $$;
ALTER TABLE stockpile.token DROP COLUMN once;
CREATE OR REPLACE FUNCTION stockpile.erase_person(erasure uuid, cells jsonb, words jsonb) RETURNS void
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
        UPDATE register_line l                              -- what was read off the cells
        SET holder = CASE WHEN NOT names_person(l.holder, gone) THEN l.holder END, unit = CASE WHEN NOT names_person(l.unit, gone) THEN l.unit END,
            maker = CASE WHEN NOT names_person(l.maker, gone) THEN l.maker END, model = CASE WHEN NOT names_person(l.model, gone) THEN l.model END,
            serial_number = CASE WHEN NOT names_person(l.serial_number, gone) THEN l.serial_number END,
            serial_key = CASE WHEN NOT names_person(l.serial_key, gone) THEN l.serial_key END,
            condition = CASE WHEN NOT names_person(l.condition, gone) THEN l.condition END
        WHERE l.register_id = given.register AND l.line = given.line;
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

    UPDATE register_line l SET holder = NULL, unit = NULL   -- said of a whole list, in no cell
    FROM register r WHERE r.register_id = l.register_id AND names_person((r.mapping -> 'constants')::text, gone);
    UPDATE audit_finding f SET held_by = NULL WHERE f.held_by IS NOT NULL AND names_person(f.held_by, gone);
    UPDATE party SET code = NULL, name = NULL, rank = NULL, secret = NULL, erased_at = at WHERE party_id = gone;
    UPDATE party_name SET code = NULL, name = NULL, rank = NULL WHERE party_id = gone;
    UPDATE account SET name = 'erased person' WHERE party_id = gone;
    UPDATE token SET label = 'erased person', revoked_at = coalesce(revoked_at, at) WHERE party_id = gone;
    UPDATE assignment SET until = greatest(since, at::date) WHERE party_id = gone AND (until IS NULL OR until > at::date);
    UPDATE signature_card SET withdrawn_at = at WHERE party_id = gone AND withdrawn_at IS NULL;
    UPDATE weapon_assignment SET until = greatest(since, at) WHERE party_id = gone AND until IS NULL;
END $$;
CREATE OR REPLACE FUNCTION stockpile.book_taken(site uuid, wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT kind FROM (
        SELECT kind FROM book WHERE site_id = site AND code = wanted
        UNION ALL SELECT 'device' FROM device WHERE site_id = site AND book_code = wanted
        UNION ALL SELECT 'counter' FROM token WHERE site_id = site AND book_code = wanted) holder
    WHERE own_site() IS NULL OR own_site() = site
    LIMIT 1
$$;
CREATE OR REPLACE FUNCTION stockpile.of_a_counter(book text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (SELECT FROM token t WHERE t.site_id = own_site() AND t.book_code = book)
$$;
DROP FUNCTION stockpile.password_of(text), stockpile.counter_of(bytea), stockpile.pin_of(uuid, text), stockpile.authenticate_session(bytea),
    stockpile.sign_in_attempted(uuid, text, uuid, uuid, uuid, uuid, integer[]), stockpile.sign_in_went_well(uuid, text);
DROP TABLE stockpile.sign_in_failure, stockpile.pin, stockpile.badge, stockpile.session, stockpile.counter, stockpile.user;

-- People who sign in: users with their passwords and sessions, counters, badges and PINs, and who failed. No role may read what a
-- password, a PIN or a cookie is kept as: the service asks by functions, before anybody is signed in.

CREATE TABLE stockpile.user (
    user_id UUID NOT NULL,
    name TEXT NOT NULL,
    party_id UUID NOT NULL,
    role TEXT NOT NULL,
    site_id UUID,
    donor_id UUID,
    password_hash TEXT,
    must_change BOOLEAN NOT NULL,
    password_set_at TIMESTAMP WITH TIME ZONE,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT user_pkey PRIMARY KEY (user_id),
    CONSTRAINT user_role CHECK (role IN ('clerk', 'armourer', 'commander', 'registrar', 'auditor', 'donor')),
    CONSTRAINT user_site CHECK ((role IN ('clerk', 'armourer', 'commander')) = (site_id IS NOT NULL)),
    CONSTRAINT user_donor CHECK ((role = 'donor') = (donor_id IS NOT NULL)),
    CONSTRAINT user_name_key UNIQUE (name),
    CONSTRAINT user_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT user_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT user_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT user_created_by_fkey FOREIGN KEY(created_by) REFERENCES stockpile.party (party_id)
);
CREATE UNIQUE INDEX user_once ON stockpile.user (party_id, role, site_id) NULLS NOT DISTINCT WHERE disabled_at IS NULL AND role <> 'donor';
COMMENT ON TABLE stockpile.user IS 'One person in one role and scope, who signs in.';
COMMENT ON COLUMN stockpile.user.name IS 'typed to sign in; in one case';
COMMENT ON COLUMN stockpile.user.password_hash IS 'argon2id; none: signs in by badge and PIN alone';
COMMENT ON COLUMN stockpile.user.must_change IS 'the password is a one-time code';
COMMENT ON COLUMN stockpile.user.created_by IS 'none: who administers the machine';

CREATE TABLE stockpile.counter (
    counter_id UUID NOT NULL,
    site_id UUID NOT NULL,
    book_code TEXT NOT NULL,
    label TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    enrolled_by UUID NOT NULL,
    enrolled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_by UUID,
    CONSTRAINT counter_pkey PRIMARY KEY (counter_id),
    CONSTRAINT counter_book_code_form CHECK (book_code ~ '^[A-Z0-9-]{1,12}$'),
    CONSTRAINT counter_hash CHECK (octet_length(secret_hash) = 32),
    CONSTRAINT counter_revoked CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CONSTRAINT counter_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT counter_secret_hash_key UNIQUE (secret_hash),
    CONSTRAINT counter_enrolled_by_fkey FOREIGN KEY(enrolled_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT counter_revoked_by_fkey FOREIGN KEY(revoked_by) REFERENCES stockpile.party (party_id)
);
CREATE UNIQUE INDEX counter_book ON stockpile.counter (site_id, book_code) WHERE revoked_at IS NULL;
COMMENT ON TABLE stockpile.counter IS 'A browser at a desk of a site, enrolled by a commander or registrar.';
COMMENT ON COLUMN stockpile.counter.book_code IS 'who signs in here posts in it';
COMMENT ON COLUMN stockpile.counter.secret_hash IS 'SHA-256 of what its browser keeps';

CREATE TABLE stockpile.session (
    session_id UUID NOT NULL,
    secret_hash BYTEA NOT NULL,
    user_id UUID NOT NULL,
    counter_id UUID,
    how TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    idle INTERVAL NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT session_pkey PRIMARY KEY (session_id),
    CONSTRAINT session_how CHECK (how IN ('password', 'badge and PIN')),
    CONSTRAINT session_hash CHECK (octet_length(secret_hash) = 32),
    CONSTRAINT session_secret_hash_key UNIQUE (secret_hash),
    CONSTRAINT session_user_id_fkey FOREIGN KEY(user_id) REFERENCES stockpile.user (user_id),
    CONSTRAINT session_counter_id_fkey FOREIGN KEY(counter_id) REFERENCES stockpile.counter (counter_id)
);
CREATE INDEX session_of_user ON stockpile.session (user_id, created_at);
COMMENT ON TABLE stockpile.session IS 'A browser in which a user has signed in.';
COMMENT ON COLUMN stockpile.session.secret_hash IS 'SHA-256 of the cookie: 256 random bits need no slow hash';
COMMENT ON COLUMN stockpile.session.last_seen_at IS 'to the minute';
COMMENT ON COLUMN stockpile.session.idle IS 'unseen for so long, it is over';

CREATE TABLE stockpile.badge (
    badge_id UUID NOT NULL,
    party_id UUID NOT NULL,
    text TEXT NOT NULL,
    registered_by UUID NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT badge_pkey PRIMARY KEY (badge_id),
    CONSTRAINT badge_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT badge_registered_by_fkey FOREIGN KEY(registered_by) REFERENCES stockpile.party (party_id)
);
CREATE INDEX badge_of_person ON stockpile.badge (party_id);
CREATE UNIQUE INDEX badge_text ON stockpile.badge (text) WHERE revoked_at IS NULL;
COMMENT ON TABLE stockpile.badge IS 'What stands on a person''s badge, where it is not the service number.';
COMMENT ON COLUMN stockpile.badge.text IS 'as a scanner reads it, in capitals';

CREATE TABLE stockpile.pin (
    party_id UUID NOT NULL,
    version INTEGER NOT NULL,
    pin_hash TEXT,
    must_change BOOLEAN NOT NULL,
    set_by UUID NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pin_pkey PRIMARY KEY (party_id, version),
    CONSTRAINT pin_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT pin_set_by_fkey FOREIGN KEY(set_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.pin IS 'The PIN of a person, and who set it when; it holds at enrolled counters of the person''s site alone.';
COMMENT ON COLUMN stockpile.pin.pin_hash IS 'argon2id; of the newest version alone';
COMMENT ON COLUMN stockpile.pin.must_change IS 'a one-time PIN';

CREATE TABLE stockpile.sign_in_failure (
    subject UUID NOT NULL,
    place TEXT NOT NULL,
    user_id UUID,
    party_id UUID,
    site_id UUID,
    counter_id UUID,
    failures INTEGER NOT NULL,
    failures_in_all INTEGER NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT sign_in_failure_pkey PRIMARY KEY (subject, place),
    CONSTRAINT sign_in_failure_user_id_fkey FOREIGN KEY(user_id) REFERENCES stockpile.user (user_id),
    CONSTRAINT sign_in_failure_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT sign_in_failure_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT sign_in_failure_counter_id_fkey FOREIGN KEY(counter_id) REFERENCES stockpile.counter (counter_id)
);
CREATE INDEX sign_in_failure_last_at ON stockpile.sign_in_failure (last_at);
COMMENT ON TABLE stockpile.sign_in_failure IS 'Who failed to sign in, from where: waiting is for that pair alone.';
COMMENT ON COLUMN stockpile.sign_in_failure.subject IS 'a user or a person; of an unknown name 16 bits of its digest';
COMMENT ON COLUMN stockpile.sign_in_failure.place IS 'an enrolled counter, or a network address';
COMMENT ON COLUMN stockpile.sign_in_failure.site_id IS 'of the counter, else of the user';
COMMENT ON COLUMN stockpile.sign_in_failure.failures IS 'since the last time it went well';
COMMENT ON COLUMN stockpile.sign_in_failure.not_before IS 'until then this pair has to wait';

-- A second person's token is for one request: whoever keeps it holds nothing.
ALTER TABLE stockpile.token ADD COLUMN once BOOLEAN NOT NULL DEFAULT false;
COMMENT ON COLUMN stockpile.token.once IS 'for one request';
CREATE OR REPLACE FUNCTION stockpile.authenticate(hash bytea)
RETURNS TABLE (token_id uuid, party_id uuid, role text, donor_id uuid, book_code text,
               site_id uuid, code text, name text, time_zone text, custodian_id uuid, declared_open_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
DECLARE one uuid;
BEGIN
    SELECT t.token_id INTO one FROM token t WHERE t.secret_hash = hash AND t.once;
    IF FOUND THEN
        UPDATE token SET revoked_at = clock_timestamp() WHERE token_id = one AND revoked_at IS NULL AND expires_at > clock_timestamp();
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    RETURN QUERY
    SELECT t.token_id, t.party_id, t.role, t.donor_id, t.book_code,
           s.site_id, s.code, s.name, s.time_zone, s.custodian_id, s.declared_open_at
    FROM token t LEFT JOIN site s ON s.site_id = t.site_id
    WHERE t.secret_hash = hash AND t.expires_at > clock_timestamp() AND (t.revoked_at IS NULL OR t.token_id = one);
END $$;

-- What a password is checked against. The service may call this and the next ones before it has taken a role.
CREATE FUNCTION stockpile.password_of(wanted text)
RETURNS TABLE (user_id uuid, party_id uuid, site_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT u.user_id, u.party_id, u.site_id, u.password_hash FROM stockpile.user u WHERE u.name = wanted AND u.disabled_at IS NULL
$$;

-- Which counter a browser is.
CREATE FUNCTION stockpile.counter_of(hash bytea)
RETURNS TABLE (counter_id uuid, label text, book_code text, site_id uuid, code text, name text, time_zone text, custodian_id uuid,
               declared_open_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT c.counter_id, c.label, c.book_code, s.site_id, s.code, s.name, s.time_zone, s.custodian_id, s.declared_open_at
    FROM counter c JOIN site s USING (site_id) WHERE c.secret_hash = hash AND c.revoked_at IS NULL
$$;

-- Whose badge was scanned at a counter, and what the PIN is checked against: people who serve at the counter's site, nobody else.
CREATE FUNCTION stockpile.pin_of(counter uuid, scanned text)
RETURNS TABLE (party_id uuid, pin_hash text, must_change boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT p.party_id, n.pin_hash, n.must_change
    FROM counter c JOIN party p ON p.site_id = c.site_id AND p.kind = 'person' AND p.erased_at IS NULL
    LEFT JOIN LATERAL (SELECT i.pin_hash, i.must_change FROM pin i WHERE i.party_id = p.party_id ORDER BY i.version DESC LIMIT 1) n ON true
    WHERE c.counter_id = pin_of.counter AND c.revoked_at IS NULL
      AND (p.code IN (scanned, upper(scanned))
           OR p.party_id IN (SELECT b.party_id FROM badge b WHERE b.text = upper(scanned) AND b.revoked_at IS NULL))
    ORDER BY (p.code = scanned) DESC, (p.code = upper(scanned)) DESC
    LIMIT 1
$$;

-- Who has signed in with this cookie. One that ended, idled, or whose user or counter is gone, is nobody's.
CREATE FUNCTION stockpile.authenticate_session(hash bytea)
RETURNS TABLE (session_id uuid, user_id uuid, counter_id uuid, party_id uuid, role text, donor_id uuid, book_code text, must_change text,
               site_id uuid, code text, name text, time_zone text, custodian_id uuid, declared_open_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
DECLARE at timestamptz := clock_timestamp();
BEGIN
    UPDATE session SET last_seen_at = at
    WHERE secret_hash = hash AND ended_at IS NULL AND ends_at > at AND last_seen_at + idle > at AND last_seen_at < at - interval '1 minute';
    RETURN QUERY
    SELECT e.session_id, u.user_id, c.counter_id, u.party_id, u.role, u.donor_id, c.book_code,
           CASE WHEN e.how = 'password' AND u.must_change THEN 'password'
                WHEN e.how <> 'password' AND (SELECT n.must_change FROM pin n WHERE n.party_id = u.party_id ORDER BY n.version DESC LIMIT 1)
                THEN 'PIN' END,
           s.site_id, s.code, s.name, s.time_zone, s.custodian_id, s.declared_open_at
    FROM session e JOIN stockpile.user u USING (user_id)
    LEFT JOIN counter c ON c.counter_id = e.counter_id
    LEFT JOIN site s ON s.site_id = u.site_id
    WHERE e.secret_hash = hash AND e.ended_at IS NULL AND e.ends_at > at AND e.last_seen_at + e.idle > at
      AND u.disabled_at IS NULL AND c.revoked_at IS NULL;
END $$;

-- Somebody is about to try a password or a PIN: counted as failed before it is looked at, so that many at once are no way round.
-- 0: go on; else the seconds to wait, and nothing was counted. `delays`: after the first failure, the second, ... and all that follow.
CREATE FUNCTION stockpile.sign_in_attempted(who uuid, from_where text, of_user uuid, of_party uuid, at_site uuid, at_counter uuid, delays integer[])
RETURNS double precision
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE at timestamptz := clock_timestamp();
BEGIN
    DELETE FROM sign_in_failure f WHERE f.last_at < at - interval '90 days';
    INSERT INTO sign_in_failure AS f (subject, place, user_id, party_id, site_id, counter_id, failures, failures_in_all, first_at, last_at, not_before)
    VALUES (who, from_where, of_user, of_party, at_site, at_counter, 1, 1, at, at, at + delays[1] * interval '1 second')
    ON CONFLICT (subject, place) DO UPDATE
    SET failures = CASE WHEN f.last_at < at - interval '1 day' THEN 1 ELSE f.failures + 1 END, failures_in_all = f.failures_in_all + 1, last_at = at,
        not_before = at + delays[CASE WHEN f.last_at < at - interval '1 day' THEN 1
                                      ELSE least(f.failures + 1, array_length(delays, 1)) END] * interval '1 second'
    WHERE f.not_before <= at;
    IF FOUND THEN
        RETURN 0;
    END IF;
    RETURN (SELECT greatest(extract(epoch FROM f.not_before - at), 0.001) FROM sign_in_failure f WHERE f.subject = who AND f.place = from_where);
END $$;

-- It went well: the attempt was no failure, and the next begins anew.
CREATE FUNCTION stockpile.sign_in_went_well(who uuid, from_where text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
BEGIN
    DELETE FROM sign_in_failure f WHERE f.subject = who AND f.place = from_where AND f.failures_in_all <= 1;
    UPDATE sign_in_failure f SET failures = 0, failures_in_all = f.failures_in_all - 1, not_before = clock_timestamp()
    WHERE f.subject = who AND f.place = from_where;
END $$;

REVOKE EXECUTE ON FUNCTION stockpile.password_of(text), stockpile.counter_of(bytea), stockpile.pin_of(uuid, text),
    stockpile.authenticate_session(bytea), stockpile.sign_in_attempted(uuid, text, uuid, uuid, uuid, uuid, integer[]),
    stockpile.sign_in_went_well(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.password_of(text), stockpile.counter_of(bytea), stockpile.pin_of(uuid, text),
    stockpile.authenticate_session(bytea), stockpile.sign_in_attempted(uuid, text, uuid, uuid, uuid, uuid, integer[]),
    stockpile.sign_in_went_well(uuid, text) TO stockpile_service;

-- A counter's book is no device's and no paper's, also before its first document.
CREATE OR REPLACE FUNCTION stockpile.book_taken(site uuid, wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT kind FROM (
        SELECT kind FROM book WHERE site_id = site AND code = wanted
        UNION ALL SELECT 'device' FROM device WHERE site_id = site AND book_code = wanted
        UNION ALL SELECT 'counter' FROM token WHERE site_id = site AND book_code = wanted
        UNION ALL SELECT 'counter' FROM counter WHERE site_id = site AND book_code = wanted) holder
    WHERE own_site() IS NULL OR own_site() = site
    LIMIT 1
$$;
CREATE OR REPLACE FUNCTION stockpile.of_a_counter(book text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (SELECT FROM token t WHERE t.site_id = own_site() AND t.book_code = book)
        OR EXISTS (SELECT FROM counter c WHERE c.site_id = own_site() AND c.book_code = book)
$$;

DO $$
DECLARE
    readers text := 'stockpile_registrar, stockpile_auditor, stockpile_poster';
    secured text;
BEGIN
    EXECUTE 'GRANT SELECT (user_id, name, party_id, role, site_id, donor_id, must_change, password_set_at, created_by, created_at, disabled_at)
             ON stockpile.user TO ' || readers;
    EXECUTE 'GRANT SELECT (session_id, user_id, counter_id, how, created_at, last_seen_at, idle, ends_at, ended_at) ON stockpile.session TO ' || readers;
    EXECUTE 'GRANT SELECT (counter_id, site_id, book_code, label, enrolled_by, enrolled_at, revoked_at, revoked_by) ON stockpile.counter TO ' || readers;
    EXECUTE 'GRANT SELECT (party_id, version, must_change, set_by, set_at) ON stockpile.pin TO ' || readers;
    EXECUTE 'GRANT SELECT ON stockpile.badge, stockpile.sign_in_failure TO ' || readers;
    FOREACH secured IN ARRAY ARRAY['user', 'session', 'counter', 'badge', 'pin', 'sign_in_failure'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', secured);
        EXECUTE format('CREATE POLICY registrar ON stockpile.%I TO stockpile_registrar USING (true)', secured);
    END LOOP;
    FOREACH secured IN ARRAY ARRAY['user', 'counter', 'sign_in_failure'] LOOP
        EXECUTE format('CREATE POLICY poster ON stockpile.%I TO stockpile_poster USING (site_id = (SELECT stockpile.own_site()))', secured);
    END LOOP;
    FOREACH secured IN ARRAY ARRAY['badge', 'pin'] LOOP
        EXECUTE format('CREATE POLICY poster ON stockpile.%I TO stockpile_poster USING (EXISTS (SELECT FROM stockpile.party p
                        WHERE p.party_id = %I.party_id AND p.kind = ''person'' AND p.site_id = (SELECT stockpile.own_site())))', secured, secured);
    END LOOP;
    CREATE POLICY poster ON stockpile.session TO stockpile_poster
        USING (EXISTS (SELECT FROM stockpile.user u WHERE u.user_id = session.user_id));
END $$;
GRANT INSERT ON stockpile.user, stockpile.session TO stockpile_registrar;
GRANT UPDATE (password_hash, must_change, password_set_at, disabled_at) ON stockpile.user TO stockpile_registrar;
GRANT INSERT ON stockpile.counter, stockpile.badge, stockpile.pin TO stockpile_registrar, stockpile_poster;
GRANT UPDATE (ended_at) ON stockpile.session TO stockpile_registrar, stockpile_poster;
GRANT UPDATE (revoked_at, revoked_by) ON stockpile.counter TO stockpile_registrar, stockpile_poster;
GRANT UPDATE (revoked_at) ON stockpile.badge TO stockpile_registrar, stockpile_poster;
GRANT UPDATE (pin_hash) ON stockpile.pin TO stockpile_registrar, stockpile_poster;
GRANT UPDATE (failures, not_before) ON stockpile.sign_in_failure TO stockpile_registrar, stockpile_poster;

-- A session once ended, a counter or a badge once revoked, stays so.
CREATE POLICY ended_once ON stockpile.session AS RESTRICTIVE FOR UPDATE TO stockpile_registrar, stockpile_poster
    USING (ended_at IS NULL) WITH CHECK (ended_at IS NOT NULL);
CREATE POLICY revoked_once ON stockpile.counter AS RESTRICTIVE FOR UPDATE TO stockpile_registrar, stockpile_poster
    USING (revoked_at IS NULL) WITH CHECK (revoked_at IS NOT NULL);
CREATE POLICY revoked_once ON stockpile.badge AS RESTRICTIVE FOR UPDATE TO stockpile_registrar, stockpile_poster
    USING (revoked_at IS NULL) WITH CHECK (revoked_at IS NOT NULL);
-- Who set a PIN when is kept.
CREATE TRIGGER never BEFORE UPDATE OF party_id, version, must_change, set_by, set_at OR DELETE OR TRUNCATE ON stockpile.pin
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

-- With the person go sign-in names, passwords, badges and PINs.
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
            WHEN 'counter.label' THEN UPDATE counter SET label = given.text WHERE counter_id = given.key AND taken_out_of(gone, label, given.text);
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
    UPDATE stockpile.user SET name = 'erased ' || user_id, password_hash = NULL, disabled_at = coalesce(disabled_at, at) WHERE party_id = gone;
    UPDATE session SET ended_at = coalesce(ended_at, at) WHERE user_id IN (SELECT u.user_id FROM stockpile.user u WHERE u.party_id = gone);
    UPDATE badge SET text = 'erased ' || badge_id, revoked_at = coalesce(revoked_at, at) WHERE party_id = gone;
    UPDATE pin SET pin_hash = NULL WHERE party_id = gone;
    DELETE FROM sign_in_failure WHERE party_id = gone;
    UPDATE assignment SET until = greatest(since, at::date) WHERE party_id = gone AND (until IS NULL OR until > at::date);
    UPDATE signature_card SET withdrawn_at = at WHERE party_id = gone AND withdrawn_at IS NULL;
    UPDATE weapon_assignment SET until = greatest(since, at) WHERE party_id = gone AND until IS NULL;
END $$;

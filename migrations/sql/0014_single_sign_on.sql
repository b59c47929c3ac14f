-- Single sign-on: who vouches for people, whose account there is which user here, and who waits for that. A provider signs in the people of
-- its own scope alone: the host's nobody of a donor, a donor's nobody of the host or of another donor.
CREATE TABLE stockpile.sign_in_provider (
    provider_id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    donor_id UUID,
    acr TEXT,
    amr TEXT,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT sign_in_provider_pkey PRIMARY KEY (provider_id),
    CONSTRAINT sign_in_provider_code_form CHECK (code ~ '^[a-z0-9-]{1,20}$'),
    CONSTRAINT sign_in_provider_code_key UNIQUE (code),
    CONSTRAINT sign_in_provider_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.sign_in_provider IS 'An OpenID Connect provider that vouches for people of one scope.';
COMMENT ON COLUMN stockpile.sign_in_provider.code IS 'in the address where one comes back from it';
COMMENT ON COLUMN stockpile.sign_in_provider.issuer IS 'to the character, as its tokens name it';
COMMENT ON COLUMN stockpile.sign_in_provider.donor_id IS 'whose people it signs in; none: the host''s';
COMMENT ON COLUMN stockpile.sign_in_provider.acr IS 'how surely somebody must have signed in there: one of these';
COMMENT ON COLUMN stockpile.sign_in_provider.amr IS 'by what somebody must have signed in there: all of these';

CREATE TABLE stockpile.sign_in_binding (
    binding_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    subject TEXT NOT NULL,
    user_id UUID NOT NULL,
    bound_by UUID,
    bound_at TIMESTAMP WITH TIME ZONE NOT NULL,
    unbound_by UUID,
    unbound_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT sign_in_binding_pkey PRIMARY KEY (binding_id),
    CONSTRAINT sign_in_binding_unbound CHECK (unbound_by IS NULL OR unbound_at IS NOT NULL),
    CONSTRAINT sign_in_binding_provider_id_fkey FOREIGN KEY(provider_id) REFERENCES stockpile.sign_in_provider (provider_id),
    CONSTRAINT sign_in_binding_user_id_fkey FOREIGN KEY(user_id) REFERENCES stockpile.user (user_id),
    CONSTRAINT sign_in_binding_bound_by_fkey FOREIGN KEY(bound_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT sign_in_binding_unbound_by_fkey FOREIGN KEY(unbound_by) REFERENCES stockpile.party (party_id)
);
CREATE UNIQUE INDEX sign_in_binding_of_user ON stockpile.sign_in_binding (user_id, provider_id) WHERE unbound_at IS NULL;
CREATE INDEX sign_in_binding_subject ON stockpile.sign_in_binding (provider_id, subject);
COMMENT ON TABLE stockpile.sign_in_binding IS 'That somebody''s account at a provider is a user here, by whose decision.';
COMMENT ON COLUMN stockpile.sign_in_binding.subject IS 'the provider''s key of the account; it never gives it to another';
COMMENT ON COLUMN stockpile.sign_in_binding.bound_by IS 'none: who administers the machine';

CREATE TABLE stockpile.sign_in_request (
    request_id UUID NOT NULL,
    provider_id UUID NOT NULL,
    subject TEXT NOT NULL,
    called TEXT NOT NULL,
    code TEXT NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT sign_in_request_pkey PRIMARY KEY (request_id),
    CONSTRAINT sign_in_request_provider_id_subject_key UNIQUE (provider_id, subject),
    CONSTRAINT sign_in_request_provider_id_fkey FOREIGN KEY(provider_id) REFERENCES stockpile.sign_in_provider (provider_id)
);
COMMENT ON TABLE stockpile.sign_in_request IS 'Whom a provider vouched for and nobody has bound yet; forgotten after 30 days.';
COMMENT ON COLUMN stockpile.sign_in_request.called IS 'what the provider calls them: no proof of who they are';
COMMENT ON COLUMN stockpile.sign_in_request.code IS 'what they read to the registrar';

CREATE TABLE stockpile.sign_in_flow (
    state_hash BYTEA NOT NULL,
    browser_hash BYTEA NOT NULL,
    provider_id UUID NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    back TEXT NOT NULL,
    wanted TEXT NOT NULL,
    counter_id UUID,
    session_id UUID,
    begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT sign_in_flow_pkey PRIMARY KEY (state_hash),
    CONSTRAINT sign_in_flow_hashes CHECK (octet_length(state_hash) = 32 AND octet_length(browser_hash) = 32),
    CONSTRAINT sign_in_flow_provider_id_fkey FOREIGN KEY(provider_id) REFERENCES stockpile.sign_in_provider (provider_id),
    CONSTRAINT sign_in_flow_counter_id_fkey FOREIGN KEY(counter_id) REFERENCES stockpile.counter (counter_id)
);
CREATE INDEX sign_in_flow_begun_at ON stockpile.sign_in_flow (begun_at);
COMMENT ON TABLE stockpile.sign_in_flow IS 'Who was sent to a provider and is not back yet: ten minutes, and once.';
COMMENT ON COLUMN stockpile.sign_in_flow.state_hash IS 'SHA-256 of the state';
COMMENT ON COLUMN stockpile.sign_in_flow.browser_hash IS 'SHA-256 of what that browser keeps: in no other does it end';
COMMENT ON COLUMN stockpile.sign_in_flow.back IS 'where the provider was told to send them';
COMMENT ON COLUMN stockpile.sign_in_flow.wanted IS 'the page that they go on to';
COMMENT ON COLUMN stockpile.sign_in_flow.counter_id IS 'of the browser: its cookie does not come back with them';
COMMENT ON COLUMN stockpile.sign_in_flow.session_id IS 'that the browser had, and that is over then';

ALTER TABLE stockpile.session ADD COLUMN binding_id UUID;
ALTER TABLE stockpile.session ADD CONSTRAINT session_binding_id_fkey FOREIGN KEY(binding_id) REFERENCES stockpile.sign_in_binding (binding_id);
ALTER TABLE stockpile.session DROP CONSTRAINT session_how;
ALTER TABLE stockpile.session ADD CONSTRAINT session_how CHECK (how IN ('password', 'badge and PIN', 'single sign-on'));
ALTER TABLE stockpile.session ADD CONSTRAINT session_binding CHECK ((how = 'single sign-on') = (binding_id IS NOT NULL));
CREATE INDEX session_of_binding ON stockpile.session (binding_id) WHERE binding_id IS NOT NULL;
COMMENT ON COLUMN stockpile.session.binding_id IS 'by which a provider''s word opened it';

-- A one-time PIN is to be changed by who signed in by it; who came by a provider goes on. Changed in place: the rest stays as it is.
DO $$
DECLARE
    before text := pg_get_functiondef('stockpile.authenticate_session(bytea, boolean)'::regprocedure);
    after  text := replace(before, 'e.how <> ''password''', 'e.how = ''badge and PIN''');
BEGIN
    IF after = before THEN
        RAISE EXCEPTION 'authenticate_session is not as this migration knows it';
    END IF;
    EXECUTE after;
END $$;

-- Somebody is sent to a provider. The service may call this and the next one before it has taken a role: no role reads what they keep.
CREATE FUNCTION stockpile.sign_in_begun(state bytea, browser bytea, provider uuid, nonce text, verifier text, back text, wanted text, counter uuid,
                                        former uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
BEGIN
    DELETE FROM sign_in_flow f WHERE f.begun_at < clock_timestamp() - interval '10 minutes';
    INSERT INTO sign_in_flow (state_hash, browser_hash, provider_id, nonce, verifier, back, wanted, counter_id, session_id, begun_at)
    VALUES (state, browser, provider, sign_in_begun.nonce, sign_in_begun.verifier, sign_in_begun.back, sign_in_begun.wanted, counter, former,
            clock_timestamp());
END $$;

-- They are back, in the browser in which they went: once.
CREATE FUNCTION stockpile.sign_in_returned(state bytea, browser bytea, provider uuid)
RETURNS TABLE (nonce text, verifier text, back text, wanted text, counter_id uuid, session_id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    DELETE FROM sign_in_flow f
    WHERE f.state_hash = state AND f.browser_hash = browser AND f.provider_id = provider AND f.begun_at > clock_timestamp() - interval '10 minutes'
    RETURNING f.nonce, f.verifier, f.back, f.wanted, f.counter_id, f.session_id
$$;

-- With a person who is erased goes by which account elsewhere they came in.
CREATE FUNCTION stockpile.forget_bindings(erasure uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
DECLARE
    gone uuid;
    at   timestamptz;
BEGIN
    SELECT e.party_id, e.recorded_at INTO gone, at FROM erasure e
    WHERE e.erasure_id = forget_bindings.erasure AND e.xmin = pg_current_xact_id()::xid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no erasure % is being recorded', erasure USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'erasure_recorded';
    END IF;
    UPDATE sign_in_binding b SET subject = 'erased ' || b.binding_id, unbound_at = coalesce(b.unbound_at, at)
    WHERE b.user_id IN (SELECT u.user_id FROM stockpile.user u WHERE u.party_id = gone);
END $$;

-- Whether a user is in the scope of a provider.
CREATE FUNCTION stockpile.vouches_for(provider uuid, wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (SELECT FROM sign_in_provider p JOIN stockpile.user u ON u.donor_id IS NOT DISTINCT FROM p.donor_id
                   WHERE p.provider_id = provider AND u.user_id = wanted)
$$;

REVOKE EXECUTE ON FUNCTION stockpile.sign_in_begun(bytea, bytea, uuid, text, text, text, text, uuid, uuid),
    stockpile.sign_in_returned(bytea, bytea, uuid), stockpile.forget_bindings(uuid), stockpile.vouches_for(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.sign_in_begun(bytea, bytea, uuid, text, text, text, text, uuid, uuid),
    stockpile.sign_in_returned(bytea, bytea, uuid) TO stockpile_service;
GRANT EXECUTE ON FUNCTION stockpile.forget_bindings(uuid), stockpile.vouches_for(uuid, uuid) TO stockpile_registrar;

DO $$
DECLARE
    secured text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['sign_in_provider', 'sign_in_binding', 'sign_in_request'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', secured);
        EXECUTE format('CREATE POLICY registrar ON stockpile.%I TO stockpile_registrar USING (true)', secured);
        EXECUTE format('GRANT SELECT ON stockpile.%I TO stockpile_registrar, stockpile_auditor', secured);
        EXECUTE format('GRANT INSERT ON stockpile.%I TO stockpile_registrar', secured);
    END LOOP;
END $$;
ALTER TABLE stockpile.sign_in_flow ENABLE ROW LEVEL SECURITY;
GRANT SELECT (binding_id) ON stockpile.session TO stockpile_registrar, stockpile_auditor, stockpile_poster;
GRANT UPDATE (ended_at) ON stockpile.sign_in_provider TO stockpile_registrar;
GRANT UPDATE (unbound_by, unbound_at) ON stockpile.sign_in_binding TO stockpile_registrar;
GRANT UPDATE (called, last_at) ON stockpile.sign_in_request TO stockpile_registrar;
GRANT DELETE ON stockpile.sign_in_request TO stockpile_registrar;

-- A provider signs in nobody beyond its scope, whoever binds; what is over stays so; who bound and unbound is kept.
CREATE POLICY in_scope ON stockpile.sign_in_binding AS RESTRICTIVE FOR INSERT TO stockpile_registrar
    WITH CHECK (unbound_at IS NULL AND (SELECT stockpile.vouches_for(provider_id, user_id)));
CREATE POLICY ended_once ON stockpile.sign_in_provider AS RESTRICTIVE FOR UPDATE TO stockpile_registrar
    USING (ended_at IS NULL) WITH CHECK (ended_at IS NOT NULL);
CREATE POLICY unbound_once ON stockpile.sign_in_binding AS RESTRICTIVE FOR UPDATE TO stockpile_registrar
    USING (unbound_at IS NULL) WITH CHECK (unbound_at IS NOT NULL);
CREATE TRIGGER never BEFORE UPDATE OF binding_id, provider_id, user_id, bound_by, bound_at OR DELETE OR TRUNCATE ON stockpile.sign_in_binding
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER never BEFORE UPDATE OF provider_id, issuer, client_id, donor_id OR DELETE OR TRUNCATE ON stockpile.sign_in_provider
    FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

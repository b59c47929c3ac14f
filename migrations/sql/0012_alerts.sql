-- What somebody should hear of at once, found in what the books hold already; who wants to be told of it, and what was sent to whom.
CREATE TABLE stockpile.alert_progress (
    one BOOLEAN NOT NULL,
    written_in BIGINT NOT NULL,
    CONSTRAINT alert_progress_pkey PRIMARY KEY (one),
    CONSTRAINT alert_progress_one CHECK (one)
);
COMMENT ON TABLE stockpile.alert_progress IS 'Up to which transaction the books were looked through for alerts.';

CREATE TABLE stockpile.alert (
    alert_id UUID NOT NULL,
    donor_id UUID,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    site_id UUID,
    subject TEXT NOT NULL,
    about JSONB NOT NULL,
    happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    found_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT alert_pkey PRIMARY KEY (alert_id),
    CONSTRAINT alert_number CHECK (number >= 1),
    CONSTRAINT alert_kind CHECK (kind IN ('late', 'short', 'missing or lost', 'missing at count', 'count overdue', 'inspection delinquent', 'log alarm', 'beyond the certificate', 'diversion alarm', 'vetting lapsed')),
    CONSTRAINT alert_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT alert_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id)
);
CREATE UNIQUE INDEX alert_numbered ON stockpile.alert (donor_id, number) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX alert_once ON stockpile.alert (kind, subject, donor_id) NULLS NOT DISTINCT;
CREATE INDEX alert_found ON stockpile.alert (found_at, alert_id);
COMMENT ON TABLE stockpile.alert IS 'Something that somebody should hear of at once, for one reader: the host, or a donor.';
COMMENT ON COLUMN stockpile.alert.donor_id IS 'who reads it; none: the host';
COMMENT ON COLUMN stockpile.alert.number IS 'the reader''s own: 1, 2, ...';
COMMENT ON COLUMN stockpile.alert.site_id IS 'the site whose commander reads it; none: of no site';
COMMENT ON COLUMN stockpile.alert.subject IS 'what it is about, so that it is told once';
COMMENT ON COLUMN stockpile.alert.about IS 'what its sentence says';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.alert FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

CREATE TABLE stockpile.alert_subscription (
    subscription_id UUID NOT NULL,
    party_id UUID NOT NULL,
    role TEXT NOT NULL,
    site_id UUID,
    donor_id UUID,
    user_id UUID,
    token_id UUID,
    kinds TEXT[] NOT NULL,
    address TEXT,
    language TEXT NOT NULL,
    full_text BOOLEAN NOT NULL,
    feed_hash BYTEA,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT alert_subscription_pkey PRIMARY KEY (subscription_id),
    CONSTRAINT alert_subscription_feed_hash_key UNIQUE (feed_hash),
    CONSTRAINT alert_subscription_role CHECK (role IN ('commander', 'registrar', 'auditor', 'donor')),
    CONSTRAINT alert_subscription_site CHECK ((role = 'commander') = (site_id IS NOT NULL)),
    CONSTRAINT alert_subscription_donor CHECK ((role = 'donor') = (donor_id IS NOT NULL)),
    CONSTRAINT alert_subscription_by CHECK ((user_id IS NULL) <> (token_id IS NULL)),
    CONSTRAINT alert_subscription_way CHECK (ended_at IS NOT NULL OR (address IS NULL) <> (feed_hash IS NULL)),
    CONSTRAINT alert_subscription_address CHECK (address !~ '[[:space:][:cntrl:]]' AND char_length(address) <= 254),
    CONSTRAINT alert_subscription_hash CHECK (octet_length(feed_hash) = 32),
    CONSTRAINT alert_subscription_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT alert_subscription_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT alert_subscription_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT alert_subscription_user_id_fkey FOREIGN KEY(user_id) REFERENCES stockpile.user (user_id),
    CONSTRAINT alert_subscription_token_id_fkey FOREIGN KEY(token_id) REFERENCES stockpile.token (token_id)
);
CREATE INDEX alert_subscription_of_party ON stockpile.alert_subscription (party_id);
COMMENT ON TABLE stockpile.alert_subscription IS 'Who wants to be told of alerts: by e-mail to an address, or by a web feed with a secret of its own.';
COMMENT ON COLUMN stockpile.alert_subscription.user_id IS 'it ends when this user is disabled';
COMMENT ON COLUMN stockpile.alert_subscription.token_id IS 'or when this token expires or is revoked';
COMMENT ON COLUMN stockpile.alert_subscription.kinds IS 'of alerts; empty: all';
COMMENT ON COLUMN stockpile.alert_subscription.address IS 'of e-mail; gone with the person';
COMMENT ON COLUMN stockpile.alert_subscription.full_text IS 'false: kind, number and link alone';
COMMENT ON COLUMN stockpile.alert_subscription.feed_hash IS 'SHA-256 of the feed''s secret: 256 random bits need no slow hash';
CREATE FUNCTION stockpile.alert_subscription_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at
       OR NEW.address IS DISTINCT FROM OLD.address AND NOT (NEW.address IS NULL AND NEW.ended_at IS NOT NULL)
       OR (to_jsonb(NEW) - 'ended_at' - 'address') <> (to_jsonb(OLD) - 'ended_at' - 'address') THEN
        RAISE EXCEPTION 'a subscription only ends' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'alert_subscription_only_ends';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_ends BEFORE UPDATE ON stockpile.alert_subscription FOR EACH ROW EXECUTE FUNCTION stockpile.alert_subscription_ends();
CREATE TRIGGER never BEFORE DELETE OR TRUNCATE ON stockpile.alert_subscription FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

CREATE TABLE stockpile.alert_mail (
    mail_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    what TEXT NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT alert_mail_pkey PRIMARY KEY (mail_id),
    CONSTRAINT alert_mail_what CHECK (what IN ('alerts', 'test')),
    CONSTRAINT alert_mail_subscription_id_fkey FOREIGN KEY(subscription_id) REFERENCES stockpile.alert_subscription (subscription_id)
);
CREATE INDEX alert_mail_of_subscription ON stockpile.alert_mail (subscription_id, queued_at);
COMMENT ON TABLE stockpile.alert_mail IS 'An e-mail that is to go out, or went.';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.alert_mail FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

CREATE TABLE stockpile.alert_mailed (
    alert_id UUID NOT NULL,
    address_digest BYTEA NOT NULL,
    mail_id UUID NOT NULL,
    CONSTRAINT alert_mailed_pkey PRIMARY KEY (alert_id, address_digest),
    CONSTRAINT alert_mailed_digest CHECK (octet_length(address_digest) = 32),
    CONSTRAINT alert_mailed_alert_id_fkey FOREIGN KEY(alert_id) REFERENCES stockpile.alert (alert_id),
    CONSTRAINT alert_mailed_mail_id_fkey FOREIGN KEY(mail_id) REFERENCES stockpile.alert_mail (mail_id)
);
CREATE INDEX alert_mailed_in ON stockpile.alert_mailed (mail_id);
COMMENT ON TABLE stockpile.alert_mailed IS 'Which alerts an e-mail tells: each goes to an address once.';
COMMENT ON COLUMN stockpile.alert_mailed.address_digest IS 'SHA-256 of the address';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.alert_mailed FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

CREATE TABLE stockpile.alert_mail_step (
    mail_id UUID NOT NULL,
    step INTEGER NOT NULL,
    what TEXT NOT NULL,
    happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    words TEXT,
    CONSTRAINT alert_mail_step_pkey PRIMARY KEY (mail_id, step),
    CONSTRAINT alert_mail_step_number CHECK (step >= 1),
    CONSTRAINT alert_mail_step_what CHECK (what IN ('tried', 'put off', 'delivered', 'refused', 'unclear', 'dropped')),
    CONSTRAINT alert_mail_step_mail_id_fkey FOREIGN KEY(mail_id) REFERENCES stockpile.alert_mail (mail_id)
);
COMMENT ON TABLE stockpile.alert_mail_step IS 'What became of an e-mail, step by step.';
COMMENT ON COLUMN stockpile.alert_mail_step.words IS 'what was in the way; ours, never the server''s';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.alert_mail_step FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

-- Whether a subscription holds: it was not ended, and who made it still comes in by what they came in by then.
CREATE FUNCTION stockpile.alert_subscription_holds(subscription uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT x.ended_at IS NULL AND p.erased_at IS NULL
           AND CASE WHEN x.user_id IS NOT NULL THEN u.disabled_at IS NULL
                    ELSE t.revoked_at IS NULL AND t.expires_at > clock_timestamp() END
    FROM alert_subscription x JOIN party p ON p.party_id = x.party_id
    LEFT JOIN stockpile.user u ON u.user_id = x.user_id LEFT JOIN token t ON t.token_id = x.token_id
    WHERE x.subscription_id = subscription
$$;

-- Whose feed a secret opens, and what it shows. The service may call this before it has taken a role.
CREATE FUNCTION stockpile.alert_feed_of(hash bytea)
RETURNS TABLE (subscription_id uuid, party_id uuid, role text, donor_id uuid, kinds text[], language text, full_text boolean,
               site_id uuid, code text, name text, time_zone text, custodian_id uuid, declared_open_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT x.subscription_id, x.party_id, x.role, x.donor_id, x.kinds, x.language, x.full_text,
           s.site_id, s.code, s.name, s.time_zone, s.custodian_id, s.declared_open_at
    FROM alert_subscription x LEFT JOIN site s ON s.site_id = x.site_id
    WHERE x.feed_hash = hash AND alert_subscription_holds(x.subscription_id)
$$;
REVOKE EXECUTE ON FUNCTION stockpile.alert_subscription_holds(uuid), stockpile.alert_feed_of(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.alert_subscription_holds(uuid) TO stockpile_sequencer, stockpile_poster, stockpile_registrar;
GRANT EXECUTE ON FUNCTION stockpile.alert_feed_of(bytea) TO stockpile_service;

GRANT SELECT ON stockpile.alert TO stockpile_poster, stockpile_registrar, stockpile_auditor;
GRANT SELECT ON stockpile.alert TO stockpile_donor;
GRANT SELECT, INSERT ON stockpile.alert, stockpile.alert_mail, stockpile.alert_mailed, stockpile.alert_mail_step TO stockpile_sequencer;
GRANT SELECT, INSERT, UPDATE ON stockpile.alert_progress TO stockpile_sequencer;
GRANT SELECT (subscription_id, role, site_id, donor_id, kinds, address, language, full_text, created_at, ended_at) ON stockpile.alert_subscription
    TO stockpile_sequencer;
GRANT SELECT (subscription_id, party_id, role, site_id, donor_id, user_id, token_id, kinds, address, language, full_text, created_at, ended_at)
    ON stockpile.alert_subscription TO stockpile_poster, stockpile_registrar;
GRANT INSERT, UPDATE (ended_at) ON stockpile.alert_subscription TO stockpile_poster;
GRANT UPDATE (ended_at, address) ON stockpile.alert_subscription TO stockpile_registrar;
GRANT SELECT, INSERT ON stockpile.alert_mail TO stockpile_poster;
GRANT SELECT ON stockpile.alert_mailed, stockpile.alert_mail_step TO stockpile_poster;
GRANT SELECT ON stockpile.alert_mail, stockpile.alert_mailed, stockpile.alert_mail_step TO stockpile_registrar;

DO $$
DECLARE
    own_site  text := '(SELECT stockpile.own_site())';
    own_donor text := '(SELECT stockpile.own_donor())';
    secured   text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['alert', 'alert_subscription', 'alert_mail', 'alert_mailed', 'alert_mail_step', 'alert_progress'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY sequencer ON stockpile.%I TO stockpile_sequencer USING (true)', secured);
    END LOOP;
    CREATE POLICY auditor ON stockpile.alert FOR SELECT TO stockpile_auditor USING (donor_id IS NULL);
    CREATE POLICY registrar ON stockpile.alert FOR SELECT TO stockpile_registrar USING (donor_id IS NULL);
    EXECUTE format('CREATE POLICY poster ON stockpile.alert FOR SELECT TO stockpile_poster
                    USING (donor_id IS NULL AND (site_id IS NULL OR site_id = %s))', own_site);
    EXECUTE format('CREATE POLICY donor ON stockpile.alert FOR SELECT TO stockpile_donor USING (donor_id = %s)', own_donor);
    -- As with jobs: who is bound to no site keeps them at none.
    EXECUTE format('CREATE POLICY poster ON stockpile.alert_subscription TO stockpile_poster USING (site_id IS NOT DISTINCT FROM %s)', own_site);
    CREATE POLICY registrar ON stockpile.alert_subscription TO stockpile_registrar USING (true);
    FOREACH secured IN ARRAY ARRAY['alert_mail', 'alert_mailed', 'alert_mail_step'] LOOP
        EXECUTE format('CREATE POLICY registrar ON stockpile.%I FOR SELECT TO stockpile_registrar USING (true)', secured);
    END LOOP;
    CREATE POLICY poster ON stockpile.alert_mail TO stockpile_poster
        USING (EXISTS (SELECT FROM stockpile.alert_subscription x WHERE x.subscription_id = alert_mail.subscription_id));
    FOREACH secured IN ARRAY ARRAY['alert_mailed', 'alert_mail_step'] LOOP
        EXECUTE format('CREATE POLICY poster ON stockpile.%I FOR SELECT TO stockpile_poster
                        USING (EXISTS (SELECT FROM stockpile.alert_mail m WHERE m.mail_id = %I.mail_id))', secured, secured);
    END LOOP;
END $$;

-- What donors and the host tell each other, each a leaf of the log: shipping lists declared by the donor itself, end-user certificates,
-- consents, what the host answers to them, and its delivery verifications. Nothing of it moves custody.
CREATE TABLE stockpile.donor_statement (
    donor_id UUID NOT NULL,
    statement_id UUID NOT NULL,
    kind TEXT NOT NULL,
    site_id UUID,
    reference TEXT NOT NULL,
    answers UUID,
    content JSONB NOT NULL,
    said_by UUID NOT NULL,
    name_version INTEGER NOT NULL,
    digest BYTEA NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    content_hash BYTEA NOT NULL,
    seed BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    CONSTRAINT donor_statement_pkey PRIMARY KEY (donor_id, statement_id),
    CONSTRAINT donor_statement_kind CHECK (kind IN ('declaration', 'end-user certificate', 'consent', 'delivery verification', 'accepted', 'sent back')),
    CONSTRAINT donor_statement_answers CHECK ((answers IS NOT NULL) = (kind IN ('accepted', 'sent back'))),
    CONSTRAINT donor_statement_site CHECK (site_id IS NOT NULL OR kind NOT IN ('declaration', 'delivery verification')),
    CONSTRAINT donor_statement_digests CHECK (octet_length(digest) = 32 AND octet_length(content_hash) = 32 AND octet_length(seed) = 32),
    CONSTRAINT donor_statement_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) = 5),
    CONSTRAINT donor_statement_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT donor_statement_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT donor_statement_said_by_fkey FOREIGN KEY(said_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT donor_statement_donor_id_answers_fkey FOREIGN KEY(donor_id, answers) REFERENCES stockpile.donor_statement (donor_id, statement_id)
);
CREATE UNIQUE INDEX donor_statement_answered_once ON stockpile.donor_statement (donor_id, answers) WHERE answers IS NOT NULL;
CREATE INDEX donor_statement_of_reference ON stockpile.donor_statement (donor_id, kind, reference);
CREATE INDEX donor_statement_of_site ON stockpile.donor_statement (site_id, statement_id);
COMMENT ON TABLE stockpile.donor_statement IS 'What donors and the host tell each other: declarations, certificates, consents, answers, delivery verifications.';
COMMENT ON COLUMN stockpile.donor_statement.statement_id IS 'the client''s: the idempotency key; of one donor, so that no donor learns of another''s';
COMMENT ON COLUMN stockpile.donor_statement.site_id IS 'the depot that it concerns';
COMMENT ON COLUMN stockpile.donor_statement.reference IS 'the donor''s number of the consignment, or of the certificate';
COMMENT ON COLUMN stockpile.donor_statement.digest IS 'the sayer''s, salted by the party''s secret and this statement';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.donor_statement FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

CREATE TABLE stockpile.donor_file (
    donor_id UUID NOT NULL,
    sha256 BYTEA NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT donor_file_pkey PRIMARY KEY (donor_id, sha256),
    CONSTRAINT donor_file_sha256 CHECK (octet_length(sha256) = 32),
    CONSTRAINT donor_file_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.donor_file IS 'That a donor stored a file itself: only such files can it name.';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.donor_file FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

-- Whether a site's own people may answer: what concerns their site, and what they did not say themselves.
CREATE FUNCTION stockpile.may_answer(donor uuid, statement uuid, who uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (SELECT FROM donor_statement s WHERE s.donor_id = donor AND s.statement_id = statement AND s.site_id = own_site()
                   AND s.said_by <> who AND s.kind IN ('declaration', 'delivery verification'))
$$;

-- The certificate that binds each of these consignments as it is in force, and the consents to what is beyond it: the last version that the
-- host accepted. For whoever has the weapon in hand, wherever it was declared.
CREATE FUNCTION stockpile.certificates_in_force(consignments uuid[])
RETURNS TABLE (consignment_id uuid, donor_id uuid, donor text, certificate text, content jsonb, consents jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT c.consignment_id, c.donor_id, p.code, c.end_user_certificate, s.content,
           (SELECT jsonb_agg(k.content ORDER BY k.recorded_at) FROM donor_statement k
            WHERE k.donor_id = c.donor_id AND k.kind = 'consent' AND k.reference = c.end_user_certificate)
    FROM consignment c JOIN party p ON p.party_id = c.donor_id
    LEFT JOIN LATERAL (SELECT s.content FROM donor_statement s
                       JOIN donor_statement a ON a.donor_id = s.donor_id AND a.answers = s.statement_id AND a.kind = 'accepted'
                       WHERE s.donor_id = c.donor_id AND s.kind = 'end-user certificate' AND s.reference = c.end_user_certificate
                       ORDER BY a.recorded_at DESC LIMIT 1) s ON true
    WHERE c.consignment_id = ANY (consignments) AND c.end_user_certificate IS NOT NULL
$$;

REVOKE EXECUTE ON FUNCTION stockpile.may_answer(uuid, uuid, uuid), stockpile.certificates_in_force(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.may_answer(uuid, uuid, uuid) TO stockpile_poster;
GRANT EXECUTE ON FUNCTION stockpile.certificates_in_force(uuid[]) TO stockpile_poster;

-- Not the seeds: who has one opens every field, that of the sayer too.
GRANT SELECT (donor_id, statement_id, kind, site_id, reference, answers, content, said_by, name_version, recorded_at, content_hash, leaf)
    ON stockpile.donor_statement TO stockpile_poster, stockpile_registrar, stockpile_auditor;
GRANT SELECT (donor_id, statement_id, kind, site_id, reference, answers, content, recorded_at, content_hash, leaf)
    ON stockpile.donor_statement TO stockpile_donor;
GRANT INSERT ON stockpile.donor_statement TO stockpile_poster, stockpile_registrar, stockpile_donor;
GRANT SELECT, INSERT ON stockpile.donor_file TO stockpile_donor;
GRANT INSERT (leaf) ON stockpile.unsequenced TO stockpile_donor;
GRANT SELECT ON stockpile.donor_statement, stockpile.donor_file TO stockpile_verifier;

DO $$
DECLARE
    own_site  text := '(SELECT stockpile.own_site())';
    own_donor text := '(SELECT stockpile.own_donor())';
    secured   text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['donor_statement', 'donor_file'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY verifier ON stockpile.%I FOR SELECT TO stockpile_verifier USING (true)', secured);
        EXECUTE format('CREATE POLICY donor_reads ON stockpile.%I FOR SELECT TO stockpile_donor USING (donor_id = %s)', secured, own_donor);
    END LOOP;
    CREATE POLICY auditor ON stockpile.donor_statement FOR SELECT TO stockpile_auditor USING (true);
    CREATE POLICY registrar_reads ON stockpile.donor_statement FOR SELECT TO stockpile_registrar USING (true);
    -- A declaration is accepted by what it brings into the books, at its site (poster_adds).
    CREATE POLICY registrar_adds ON stockpile.donor_statement FOR INSERT TO stockpile_registrar WITH CHECK (kind IN ('accepted', 'sent back'));
    EXECUTE format('CREATE POLICY poster_reads ON stockpile.donor_statement FOR SELECT TO stockpile_poster USING (site_id = %s)', own_site);
    EXECUTE format('CREATE POLICY poster_adds ON stockpile.donor_statement FOR INSERT TO stockpile_poster WITH CHECK (site_id = %s AND CASE kind
                        WHEN ''delivery verification'' THEN EXISTS (SELECT FROM stockpile.consignment c WHERE c.donor_id = donor_statement.donor_id
                                                                    AND c.reference = donor_statement.reference)
                        WHEN ''accepted'' THEN stockpile.may_answer(donor_id, answers, said_by)
                        WHEN ''sent back'' THEN stockpile.may_answer(donor_id, answers, said_by)
                        ELSE false END)', own_site);
    EXECUTE format('CREATE POLICY donor_adds ON stockpile.donor_statement FOR INSERT TO stockpile_donor
                    WITH CHECK (donor_id = %s AND kind IN (''declaration'', ''end-user certificate'', ''consent''))', own_donor);
    EXECUTE format('CREATE POLICY donor_adds ON stockpile.donor_file FOR INSERT TO stockpile_donor WITH CHECK (donor_id = %s)', own_donor);
END $$;

-- That somebody signed for a document at a desk, before it was posted. The document's details name the signatures that go with it, and
-- its leaf commits them.
CREATE TABLE stockpile.signature (
    signature_id UUID NOT NULL,
    site_id UUID NOT NULL,
    document_id UUID NOT NULL,
    party_id UUID NOT NULL,
    how TEXT NOT NULL,
    file_sha256 BYTEA,
    counter_id UUID,
    taken_by UUID NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT signature_pkey PRIMARY KEY (signature_id),
    CONSTRAINT signature_how CHECK (how IN ('PIN', 'drawn')),
    CONSTRAINT signature_drawn CHECK ((how = 'drawn') = (file_sha256 IS NOT NULL)),
    CONSTRAINT signature_at_a_counter CHECK ((how = 'PIN') <= (counter_id IS NOT NULL)),
    CONSTRAINT signature_file CHECK (octet_length(file_sha256) = 32),
    CONSTRAINT signature_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT signature_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT signature_counter_id_fkey FOREIGN KEY(counter_id) REFERENCES stockpile.counter (counter_id),
    CONSTRAINT signature_taken_by_fkey FOREIGN KEY(taken_by) REFERENCES stockpile.party (party_id)
);
CREATE INDEX signature_of_document ON stockpile.signature (document_id);
COMMENT ON TABLE stockpile.signature IS 'That a person signed for a document at a desk, by PIN or by hand.';
COMMENT ON COLUMN stockpile.signature.document_id IS 'signed before it is posted';
COMMENT ON COLUMN stockpile.signature.file_sha256 IS 'of the drawn signature';

CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.signature FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
GRANT SELECT, INSERT ON stockpile.signature TO stockpile_poster;
GRANT SELECT ON stockpile.signature TO stockpile_registrar, stockpile_auditor;
ALTER TABLE stockpile.signature ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor ON stockpile.signature FOR SELECT TO stockpile_auditor USING (true);
CREATE POLICY registrar ON stockpile.signature FOR SELECT TO stockpile_registrar USING (true);
CREATE POLICY poster ON stockpile.signature TO stockpile_poster USING (site_id = (SELECT stockpile.own_site()));

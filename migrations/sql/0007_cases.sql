-- A case: what it is about, and part by part everything that was done, said and found in it. A case is no ledger: it moves nothing.
CREATE TABLE stockpile.case_file (
    case_id UUID NOT NULL,
    site_id UUID,
    number INTEGER NOT NULL,
    title TEXT NOT NULL,
    subject TEXT NOT NULL,
    item_id UUID,
    discrepancy_id UUID,
    document_id UUID,
    register_id UUID,
    line INTEGER,
    party_id UUID,
    report JSON,
    reopens UUID,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT case_file_pkey PRIMARY KEY (case_id),
    CONSTRAINT case_file_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT case_file_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT case_file_register_id_fkey FOREIGN KEY(register_id) REFERENCES stockpile.register (register_id),
    CONSTRAINT case_file_reopens_fkey FOREIGN KEY(reopens) REFERENCES stockpile.case_file (case_id),
    CONSTRAINT case_file_number CHECK (number >= 1),
    CONSTRAINT case_file_subject CHECK (subject IN ('discrepancy', 'weapon', 'document', 'register line', 'person', 'unit', 'report')),
    CONSTRAINT case_file_names_it CHECK (CASE subject WHEN 'discrepancy' THEN discrepancy_id IS NOT NULL WHEN 'weapon' THEN item_id IS NOT NULL WHEN 'document' THEN document_id IS NOT NULL WHEN 'register line' THEN register_id IS NOT NULL AND line IS NOT NULL WHEN 'report' THEN report IS NOT NULL ELSE party_id IS NOT NULL END),
    CONSTRAINT case_file_reopens_another CHECK (reopens <> case_id)
);
CREATE UNIQUE INDEX case_file_numbered ON stockpile.case_file (site_id, number) NULLS NOT DISTINCT;
CREATE INDEX case_file_of_item ON stockpile.case_file (item_id) WHERE item_id IS NOT NULL;
CREATE INDEX case_file_of_discrepancy ON stockpile.case_file (discrepancy_id) WHERE discrepancy_id IS NOT NULL;
CREATE INDEX case_file_of_document ON stockpile.case_file (document_id) WHERE document_id IS NOT NULL;
COMMENT ON TABLE stockpile.case_file IS 'A case: what somebody looks into, and at which site.';
COMMENT ON COLUMN stockpile.case_file.case_id IS 'the client''s: the idempotency key';
COMMENT ON COLUMN stockpile.case_file.site_id IS 'whose desk reads it too; none: auditors and registrars alone';
COMMENT ON COLUMN stockpile.case_file.number IS 'among those of its site, counted from 1';
COMMENT ON COLUMN stockpile.case_file.item_id IS 'the weapon it is about, however it came up';
COMMENT ON COLUMN stockpile.case_file.report IS 'a row as somebody read it: of which report, asked how';
COMMENT ON COLUMN stockpile.case_file.reopens IS 'the closed case that it takes up again';

CREATE TABLE stockpile.case_part (
    case_id UUID NOT NULL,
    part INTEGER NOT NULL,
    previous INTEGER GENERATED ALWAYS AS (NULLIF(part - 1, 0)) STORED,
    part_id UUID NOT NULL,
    site_id UUID,
    kind TEXT NOT NULL,
    text TEXT,
    attachments JSONB DEFAULT '[]' NOT NULL,
    owner_id UUID,
    due_on DATE,
    outcome TEXT,
    document_id UUID,
    of_part INTEGER,
    written_by UUID NOT NULL,
    name_version INTEGER NOT NULL,
    digest BYTEA NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    content_hash BYTEA NOT NULL,
    seed BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    CONSTRAINT case_part_pkey PRIMARY KEY (case_id, part),
    CONSTRAINT case_part_part_id_key UNIQUE (part_id),
    CONSTRAINT case_part_case_id_fkey FOREIGN KEY(case_id) REFERENCES stockpile.case_file (case_id),
    CONSTRAINT case_part_no_gap FOREIGN KEY(case_id, previous) REFERENCES stockpile.case_part (case_id, part),
    CONSTRAINT case_part_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT case_part_owner_id_fkey FOREIGN KEY(owner_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT case_part_written_by_fkey FOREIGN KEY(written_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT case_part_number CHECK (part >= 1),
    CONSTRAINT case_part_kind CHECK (kind IN ('opened', 'note', 'step', 'evidence', 'assigned', 'outcome proposed', 'declined', 'closed')),
    CONSTRAINT case_part_opens CHECK ((kind = 'opened') = (part = 1)),
    CONSTRAINT case_part_says_something CHECK (CASE kind WHEN 'evidence' THEN attachments <> '[]' WHEN 'closed' THEN true WHEN 'opened' THEN true WHEN 'assigned' THEN true ELSE text IS NOT NULL END),
    CONSTRAINT case_part_owner CHECK ((kind IN ('opened', 'assigned')) = (owner_id IS NOT NULL) AND (owner_id IS NULL) = (due_on IS NULL)),
    CONSTRAINT case_part_outcome CHECK (outcome IN ('found', 'clerical', 'loss report', 'disciplinary')),
    CONSTRAINT case_part_proposes CHECK ((kind = 'outcome proposed') = (outcome IS NOT NULL)),
    CONSTRAINT case_part_answers CHECK ((kind IN ('declined', 'closed')) = (of_part IS NOT NULL)),
    CONSTRAINT case_part_loss_report CHECK (outcome <> 'loss report' OR document_id IS NOT NULL),
    CONSTRAINT case_part_digests CHECK (octet_length(digest) = 32 AND octet_length(content_hash) = 32 AND octet_length(seed) = 32),
    CONSTRAINT case_part_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) = 5)
);
CREATE UNIQUE INDEX case_part_closed_once ON stockpile.case_part (case_id) WHERE kind = 'closed';
CREATE INDEX case_part_attachments ON stockpile.case_part USING gin (attachments jsonb_path_ops) WHERE attachments <> '[]';
COMMENT ON TABLE stockpile.case_part IS 'What was done in a case, part by part: research, notes, evidence, who answers for it, how it ends.';
COMMENT ON COLUMN stockpile.case_part.part_id IS 'the client''s: the idempotency key; of the first the case''s own';
COMMENT ON COLUMN stockpile.case_part.site_id IS 'the case''s';
COMMENT ON COLUMN stockpile.case_part.attachments IS 'SHA-256 of each photo or scan';
COMMENT ON COLUMN stockpile.case_part.document_id IS 'the document that it speaks of';
COMMENT ON COLUMN stockpile.case_part.of_part IS 'the proposal that it answers';
COMMENT ON COLUMN stockpile.case_part.digest IS 'the writer''s, salted by the party''s secret and this part';

-- What may follow what. Nothing follows the end; who ends it neither proposed how nor answered for it then or since.
CREATE FUNCTION stockpile.case_part_follows() RETURNS trigger LANGUAGE plpgsql SET search_path = stockpile, pg_temp AS $$
DECLARE
    broken   text;
    proposer uuid;
BEGIN
    SELECT p.written_by INTO proposer FROM case_part p
    WHERE p.case_id = NEW.case_id AND p.kind = 'outcome proposed' AND p.part = coalesce(NEW.of_part, p.part)
      AND NOT EXISTS (SELECT FROM case_part a WHERE a.case_id = p.case_id AND a.of_part = p.part);
    broken := CASE
        WHEN EXISTS (SELECT FROM case_part p WHERE p.case_id = NEW.case_id AND p.kind = 'closed') THEN 'case_part_after_the_end'
        WHEN EXISTS (SELECT FROM case_part p WHERE p.case_id = NEW.case_id AND p.recorded_at > NEW.recorded_at) THEN 'case_part_recorded_in_order'
        WHEN NOT EXISTS (SELECT FROM case_file f WHERE f.case_id = NEW.case_id AND f.site_id IS NOT DISTINCT FROM NEW.site_id) THEN 'case_part_site'
        WHEN NEW.kind = 'outcome proposed' AND proposer IS NOT NULL THEN 'case_part_one_proposal'
        WHEN NEW.of_part IS NOT NULL AND proposer IS NULL THEN 'case_part_of_proposal'
        WHEN NEW.kind = 'closed' AND (proposer = NEW.written_by OR EXISTS (
            SELECT FROM case_part o WHERE o.case_id = NEW.case_id AND o.owner_id = NEW.written_by
              AND o.part >= (SELECT max(f.part) FROM case_part f WHERE f.case_id = NEW.case_id AND f.owner_id IS NOT NULL AND f.part <= NEW.of_part)))
            THEN 'case_part_two_people'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'case %: part % breaks %', NEW.case_id, NEW.part, broken USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER follows BEFORE INSERT ON stockpile.case_part FOR EACH ROW EXECUTE FUNCTION stockpile.case_part_follows();
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.case_file FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.case_part FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();

-- How many open cases weapons have, also at other sites: who has the weapon in the hand is told that there is one, and no more.
CREATE FUNCTION stockpile.open_cases_of(items uuid[]) RETURNS TABLE (item_id uuid, cases bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT f.item_id, count(*) FROM case_file f
    WHERE f.item_id = ANY (items) AND NOT EXISTS (SELECT FROM case_part p WHERE p.case_id = f.case_id AND p.kind = 'closed')
    GROUP BY f.item_id
$$;
REVOKE EXECUTE ON FUNCTION stockpile.case_part_follows(), stockpile.open_cases_of(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.open_cases_of(uuid[]) TO stockpile_poster, stockpile_registrar, stockpile_auditor;

GRANT SELECT ON stockpile.case_file, stockpile.case_part TO stockpile_auditor, stockpile_verifier;
GRANT SELECT, INSERT ON stockpile.case_file, stockpile.case_part TO stockpile_poster, stockpile_registrar;
DO $$
DECLARE secured text;
BEGIN
    FOREACH secured IN ARRAY ARRAY['case_file', 'case_part'] LOOP
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', secured);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', secured);
        EXECUTE format('CREATE POLICY verifier ON stockpile.%I FOR SELECT TO stockpile_verifier USING (true)', secured);
        EXECUTE format('CREATE POLICY registrar ON stockpile.%I TO stockpile_registrar USING (true)', secured);
        EXECUTE format('CREATE POLICY poster ON stockpile.%I TO stockpile_poster USING (site_id = (SELECT stockpile.own_site()))', secured);
    END LOOP;
END $$;

-- Weapons that somebody else has or saw: a tracing request of another State, one of ours, a sighting. What was said stands in a register
-- of one line, which the log commits; here is what is sought by. Append-only: what happens later is a step.
CREATE TABLE stockpile.tracing (
    tracing_id UUID NOT NULL,
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    number INTEGER NOT NULL,
    register_id UUID NOT NULL,
    serial_number TEXT,
    serial_status TEXT NOT NULL,
    model TEXT,
    maker TEXT,
    calibre TEXT,
    country TEXT,
    place TEXT,
    place_country TEXT,
    found_on DATE,
    confidence TEXT,
    how TEXT,
    photos JSONB DEFAULT '[]' NOT NULL,
    came_on DATE NOT NULL,
    recorded_by UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    content_hash BYTEA NOT NULL,
    CONSTRAINT tracing_pkey PRIMARY KEY (tracing_id),
    CONSTRAINT tracing_number UNIQUE (kind, year, number),
    CONSTRAINT tracing_kind CHECK (kind IN ('incoming request', 'outgoing request', 'sighting')),
    CONSTRAINT tracing_serial_status CHECK (serial_status IN ('complete', 'partial', 'obliterated', 'none')),
    CONSTRAINT tracing_serial_said CHECK ((serial_number IS NOT NULL) = (serial_status IN ('complete', 'partial'))),
    CONSTRAINT tracing_country CHECK (country ~ '^[A-Z]{2}$'),
    CONSTRAINT tracing_place_country CHECK (place_country ~ '^[A-Z]{2}$'),
    CONSTRAINT tracing_confidence CHECK (confidence IN ('certain', 'probable', 'possible', 'doubtful')),
    CONSTRAINT tracing_how CHECK (how IN ('recovered', 'observed')),
    CONSTRAINT tracing_sighted CHECK ((kind = 'sighting') = (confidence IS NOT NULL) AND (kind = 'sighting') = (how IS NOT NULL)),
    CONSTRAINT tracing_numbered CHECK (number >= 1),
    CONSTRAINT tracing_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT tracing_register_id_fkey FOREIGN KEY(register_id) REFERENCES stockpile.register (register_id),
    CONSTRAINT tracing_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.tracing IS 'A weapon that somebody else has or saw: a tracing request, theirs or ours, or a sighting.';
COMMENT ON COLUMN stockpile.tracing.tracing_id IS 'the client''s: the idempotency key';
COMMENT ON COLUMN stockpile.tracing.number IS 'of its kind and year, without gaps: SIGHTING/2026/3';
COMMENT ON COLUMN stockpile.tracing.register_id IS 'all that was said, in one line, as the log commits it';
COMMENT ON COLUMN stockpile.tracing.serial_number IS 'as read: ? one unreadable character, * any number of them';
COMMENT ON COLUMN stockpile.tracing.country IS 'of manufacture, ISO 3166';
COMMENT ON COLUMN stockpile.tracing.found_on IS 'when it was found or seen';
COMMENT ON COLUMN stockpile.tracing.photos IS 'SHA-256 of each';
COMMENT ON COLUMN stockpile.tracing.came_on IS 'the day on which it reached us, or on which we ask';

CREATE TABLE stockpile.tracing_weapon (
    tracing_id UUID NOT NULL,
    item_id UUID NOT NULL,
    donor_id UUID NOT NULL,
    reasons JSONB NOT NULL,
    stood TEXT,
    site_id UUID,
    said_by UUID,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT tracing_weapon_pkey PRIMARY KEY (tracing_id, item_id),
    CONSTRAINT tracing_weapon_tracing_id_fkey FOREIGN KEY(tracing_id) REFERENCES stockpile.tracing (tracing_id),
    CONSTRAINT tracing_weapon_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT tracing_weapon_said_by_fkey FOREIGN KEY(said_by) REFERENCES stockpile.party (party_id)
);
CREATE INDEX tracing_weapon_of_item ON stockpile.tracing_weapon (item_id);
CREATE INDEX tracing_weapon_of_donor ON stockpile.tracing_weapon (donor_id);
COMMENT ON TABLE stockpile.tracing_weapon IS 'Which weapon of the books it is held to be.';
COMMENT ON COLUMN stockpile.tracing_weapon.reasons IS 'why, as a list of sentences';
COMMENT ON COLUMN stockpile.tracing_weapon.stood IS 'where the books had it then: the class of its account; none: outside';
COMMENT ON COLUMN stockpile.tracing_weapon.said_by IS 'none: by the rule, for its marks are the same';

CREATE TABLE stockpile.tracing_step (
    tracing_id UUID NOT NULL,
    step INTEGER NOT NULL,
    previous INTEGER GENERATED ALWAYS AS (NULLIF(step - 1, 0)) STORED,
    what TEXT NOT NULL,
    happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_by UUID NOT NULL,
    words TEXT,
    item_id UUID,
    answer JSONB,
    settles INTEGER,
    proposed_by UUID,
    CONSTRAINT tracing_step_pkey PRIMARY KEY (tracing_id, step),
    CONSTRAINT tracing_step_no_gap FOREIGN KEY(tracing_id, previous) REFERENCES stockpile.tracing_step (tracing_id, step),
    CONSTRAINT tracing_step_done_by_key UNIQUE (tracing_id, step, done_by),
    CONSTRAINT tracing_step_settled_key UNIQUE (tracing_id, settles),
    CONSTRAINT tracing_step_number CHECK (step >= 1 AND settles < step),
    CONSTRAINT tracing_step_what CHECK (what IN ('acknowledged', 'delayed', 'answer proposed', 'answer released', 'answer turned down', 'sent', 'answered', 'refused', 'identified', 'remark')),
    CONSTRAINT tracing_step_answer CHECK ((what = 'answer proposed') = (answer IS NOT NULL)),
    CONSTRAINT tracing_step_settles CHECK ((what IN ('answer released', 'answer turned down')) = (settles IS NOT NULL) AND (settles IS NULL) = (proposed_by IS NULL)),
    CONSTRAINT tracing_step_two_people CHECK (what <> 'answer released' OR done_by <> proposed_by),
    CONSTRAINT tracing_step_tracing_id_fkey FOREIGN KEY(tracing_id) REFERENCES stockpile.tracing (tracing_id),
    CONSTRAINT tracing_step_proposal FOREIGN KEY(tracing_id, settles, proposed_by) REFERENCES stockpile.tracing_step (tracing_id, step, done_by),
    CONSTRAINT tracing_step_done_by_fkey FOREIGN KEY(done_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.tracing_step IS 'What was done about it, step by step, each with its time.';
COMMENT ON COLUMN stockpile.tracing_step.item_id IS 'the weapon that an answer or an identification names';
COMMENT ON COLUMN stockpile.tracing_step.answer IS 'the whole answer as it is released and printed: it names no person';
COMMENT ON COLUMN stockpile.tracing_step.settles IS 'the step that proposed what is released or turned down';
COMMENT ON COLUMN stockpile.tracing_step.proposed_by IS 'who proposed it; who releases it is another';

DO $$
DECLARE kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['tracing', 'tracing_weapon', 'tracing_step'] LOOP
        EXECUTE format('CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.%I FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never()', kept);
        EXECUTE format('GRANT SELECT, INSERT ON stockpile.%I TO stockpile_registrar', kept);
        EXECUTE format('GRANT SELECT ON stockpile.%I TO stockpile_auditor', kept);
        EXECUTE format('ALTER TABLE stockpile.%I ENABLE ROW LEVEL SECURITY', kept);
        EXECUTE format('CREATE POLICY auditor ON stockpile.%I FOR SELECT TO stockpile_auditor USING (true)', kept);
        EXECUTE format('CREATE POLICY registrar_reads ON stockpile.%I FOR SELECT TO stockpile_registrar USING (true)', kept);
        EXECUTE format('CREATE POLICY registrar_adds ON stockpile.%I FOR INSERT TO stockpile_registrar WITH CHECK (true)', kept);
    END LOOP;
END $$;
-- The files and weapons that it names are checked with all others.
GRANT SELECT (tracing_id, kind, year, number, photos) ON stockpile.tracing TO stockpile_verifier;
GRANT SELECT (tracing_id, item_id) ON stockpile.tracing_weapon TO stockpile_verifier;
GRANT SELECT (tracing_id, step, item_id) ON stockpile.tracing_step TO stockpile_verifier;
CREATE POLICY verifier ON stockpile.tracing FOR SELECT TO stockpile_verifier USING (true);
CREATE POLICY verifier ON stockpile.tracing_weapon FOR SELECT TO stockpile_verifier USING (true);
CREATE POLICY verifier ON stockpile.tracing_step FOR SELECT TO stockpile_verifier USING (true);
-- A donor is told that its own weapon was read, where and when; neither by whom nor what else was said, and of no other weapon.
GRANT SELECT (tracing_id, kind, serial_number, serial_status, model, maker, calibre, country, place, place_country, found_on, confidence, how, recorded_at)
    ON stockpile.tracing TO stockpile_donor;
GRANT SELECT (tracing_id, item_id, donor_id, reasons, recorded_at) ON stockpile.tracing_weapon TO stockpile_donor;
CREATE POLICY donor ON stockpile.tracing_weapon FOR SELECT TO stockpile_donor USING (donor_id = (SELECT stockpile.own_donor()));
CREATE POLICY donor ON stockpile.tracing FOR SELECT TO stockpile_donor
    USING (tracing_id IN (SELECT w.tracing_id FROM stockpile.tracing_weapon w));

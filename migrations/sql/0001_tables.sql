CREATE TABLE stockpile.entry (
    item_id UUID NOT NULL,
    version INTEGER NOT NULL,
    serial BOOLEAN NOT NULL,
    donor_id UUID NOT NULL,
    model_id UUID NOT NULL,
    site_id UUID NOT NULL,
    document_id UUID NOT NULL,
    line INTEGER NOT NULL,
    from_account UUID NOT NULL,
    to_account UUID NOT NULL,
    quantity BIGINT NOT NULL,
    condition TEXT,
    happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    claimed_from UUID,
    reverses INTEGER,
    posts_again INTEGER,
    seed BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    CONSTRAINT entry_pkey PRIMARY KEY (item_id, version),
    CONSTRAINT entry_numbers CHECK (version >= 1 AND line >= 1),
    CONSTRAINT entry_quantity CHECK (quantity > 0),
    CONSTRAINT entry_one_weapon CHECK (NOT serial OR quantity = 1),
    CONSTRAINT entry_condition CHECK (condition IN ('serviceable', 'unserviceable', 'unknown')),
    CONSTRAINT entry_reverses_earlier CHECK (reverses < version),
    CONSTRAINT entry_repeats_earlier CHECK (posts_again < version),
    CONSTRAINT entry_reverses_or_repeats CHECK (reverses IS NULL OR posts_again IS NULL),
    CONSTRAINT entry_seed CHECK (octet_length(seed) = 32),
    CONSTRAINT entry_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) = 1)
);
CREATE INDEX entry_of_document ON stockpile.entry (document_id, line);
CREATE UNIQUE INDEX entry_repeated_once ON stockpile.entry (item_id, posts_again) WHERE posts_again IS NOT NULL;
CREATE UNIQUE INDEX entry_reversed_once ON stockpile.entry (item_id, reverses) WHERE reverses IS NOT NULL;
COMMENT ON TABLE stockpile.entry IS 'One movement of one item. from = to for acts that stay, so that they too are numbered and in the log.';
COMMENT ON COLUMN stockpile.entry.donor_id IS 'here for row-level security: no join';
COMMENT ON COLUMN stockpile.entry.model_id IS 'the item''s, here for the trial balance: no join';
COMMENT ON COLUMN stockpile.entry.site_id IS 'the document''s';
COMMENT ON COLUMN stockpile.entry.condition IS 'as seen at this movement; none: not looked at';
COMMENT ON COLUMN stockpile.entry.recorded_at IS 'the document''s';
COMMENT ON COLUMN stockpile.entry.claimed_from IS 'where the paper says it came from, if it says so';
COMMENT ON COLUMN stockpile.entry.reverses IS 'the entry this one takes back';
COMMENT ON COLUMN stockpile.entry.posts_again IS 'the reversed entry this one repeats';

CREATE TABLE stockpile.holding (
    item_id UUID NOT NULL,
    account_id UUID NOT NULL,
    serial BOOLEAN NOT NULL,
    donor_id UUID NOT NULL,
    site_id UUID NOT NULL,
    quantity BIGINT NOT NULL,
    unverified BOOLEAN DEFAULT 'false' NOT NULL,
    CONSTRAINT holding_pkey PRIMARY KEY (item_id, account_id),
    CONSTRAINT holding_not_negative CHECK (quantity > 0),
    CONSTRAINT holding_one_weapon CHECK (NOT serial OR quantity = 1)
);
CREATE INDEX holding_of_account ON stockpile.holding (account_id);
CREATE UNIQUE INDEX holding_one_place ON stockpile.holding (item_id) WHERE serial;
COMMENT ON TABLE stockpile.holding IS 'What is where now: the sum of the entries, kept by the trigger alone.';
COMMENT ON COLUMN stockpile.holding.site_id IS 'the account''s';
COMMENT ON COLUMN stockpile.holding.unverified IS 'by an opening list; nothing confirms it yet';

CREATE TABLE stockpile.identification (
    item_id UUID NOT NULL,
    version INTEGER NOT NULL,
    previous INTEGER GENERATED ALWAYS AS (NULLIF(version - 1, 0)) STORED,
    donor_id UUID NOT NULL,
    site_id UUID NOT NULL,
    entry_version INTEGER NOT NULL,
    maker TEXT NOT NULL,
    serial_number TEXT,
    serial_key TEXT COLLATE "C",
    fold TEXT COLLATE "C",
    obliterated BOOLEAN DEFAULT 'false' NOT NULL,
    distinguishing_mark TEXT,
    import_mark TEXT,
    uii TEXT COLLATE "C",
    mark_place TEXT,
    CONSTRAINT identification_pkey PRIMARY KEY (item_id, version),
    CONSTRAINT identification_no_gap FOREIGN KEY(item_id, previous) REFERENCES stockpile.identification (item_id, version),
    CONSTRAINT identification_version CHECK (version >= 1),
    CONSTRAINT identification_keys CHECK ((serial_number IS NULL) = (serial_key IS NULL) AND (serial_key IS NULL) = (fold IS NULL))
);
CREATE INDEX identification_fold ON stockpile.identification (fold, item_id) INCLUDE (donor_id);
CREATE INDEX identification_serial_key ON stockpile.identification (serial_key, item_id) INCLUDE (donor_id);
CREATE INDEX identification_uii ON stockpile.identification (uii) WHERE uii IS NOT NULL;
COMMENT ON TABLE stockpile.identification IS 'A weapon''s marks as read, in versions: the old ones stay searchable.';
COMMENT ON COLUMN stockpile.identification.site_id IS 'the site that described it';
COMMENT ON COLUMN stockpile.identification.entry_version IS 'the receipt, marking or amendment behind it';
COMMENT ON COLUMN stockpile.identification.serial_number IS 'as marked, to the character';
COMMENT ON COLUMN stockpile.identification.distinguishing_mark IS 'tells twins apart, or a weapon without a serial';

CREATE TABLE stockpile.identity (
    identity_key TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER NOT NULL,
    previous INTEGER GENERATED ALWAYS AS (NULLIF(ordinal - 1, 0)) STORED,
    model_id UUID NOT NULL,
    item_id UUID NOT NULL,
    CONSTRAINT identity_pkey PRIMARY KEY (identity_key, ordinal),
    CONSTRAINT identity_no_gap FOREIGN KEY(identity_key, previous) REFERENCES stockpile.identity (identity_key, ordinal),
    CONSTRAINT identity_ordinal CHECK (ordinal >= 1)
);
COMMENT ON TABLE stockpile.identity IS 'Which weapon a maker, model and serial key mean.';
COMMENT ON COLUMN stockpile.identity.ordinal IS '2 and on are twins, flagged';

CREATE TABLE stockpile.item (
    item_id UUID NOT NULL,
    tracked_by TEXT NOT NULL,
    model_id UUID NOT NULL,
    donor_id UUID NOT NULL,
    consignment_id UUID,
    lot TEXT,
    tag_number BIGINT GENERATED BY DEFAULT AS IDENTITY,
    secret BYTEA NOT NULL,
    CONSTRAINT item_pkey PRIMARY KEY (item_id),
    CONSTRAINT item_tracked_by CHECK (tracked_by IN ('serial', 'lot', 'quantity')),
    CONSTRAINT item_lot CHECK ((lot IS NOT NULL) = (tracked_by = 'lot')),
    CONSTRAINT item_secret CHECK (octet_length(secret) = 32),
    CONSTRAINT item_tag UNIQUE (tag_number)
);
CREATE INDEX item_of_consignment ON stockpile.item (consignment_id) WHERE consignment_id IS NOT NULL;
COMMENT ON TABLE stockpile.item IS 'What the ledger moves: one weapon, one lot, or one donor''s quantity of a model.';
COMMENT ON COLUMN stockpile.item.donor_id IS 'own procurement where no donor gave it';
COMMENT ON COLUMN stockpile.item.tag_number IS 'the asset tag, but for its check character';
COMMENT ON COLUMN stockpile.item.secret IS 'makes the tags of its leaves; who holds it finds them in the log';

CREATE TABLE stockpile.model (
    model_id UUID NOT NULL,
    maker TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT,
    calibre TEXT,
    category TEXT NOT NULL,
    subcategory TEXT,
    variants TEXT,
    fire_mode TEXT,
    security_risk_category TEXT,
    stock_number TEXT,
    value NUMERIC(14, 2),
    value_source TEXT,
    treaty_row TEXT,
    enhanced_monitoring BOOLEAN DEFAULT 'false' NOT NULL,
    tracked_by TEXT NOT NULL,
    CONSTRAINT model_pkey PRIMARY KEY (model_id),
    CONSTRAINT model_maker_name UNIQUE (maker, name),
    CONSTRAINT model_tracked_by_key UNIQUE (model_id, tracked_by),
    CONSTRAINT model_security_risk_category CHECK (security_risk_category IN ('I', 'II', 'III', 'IV')),
    CONSTRAINT model_stock_number CHECK (stock_number ~ '^\d{4}-\d{2}-\d{3}-\d{4}$'),
    CONSTRAINT model_tracked_by CHECK (tracked_by IN ('serial', 'lot', 'quantity'))
);
COMMENT ON TABLE stockpile.model IS 'Make and model: what an item is a piece of.';

CREATE TABLE stockpile.party (
    party_id UUID NOT NULL,
    kind TEXT NOT NULL,
    code TEXT,
    name TEXT,
    rank TEXT,
    name_version INTEGER DEFAULT '1' NOT NULL,
    site_id UUID,
    secret BYTEA,
    erased_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT party_pkey PRIMARY KEY (party_id),
    CONSTRAINT party_code UNIQUE (kind, code),
    CONSTRAINT party_kind CHECK (kind IN ('person', 'unit', 'donor', 'organisation')),
    CONSTRAINT party_secret_length CHECK (octet_length(secret) = 32),
    CONSTRAINT party_erased CHECK ((erased_at IS NULL) = (name IS NOT NULL AND secret IS NOT NULL))
);
COMMENT ON TABLE stockpile.party IS 'A person or organisation.';
COMMENT ON COLUMN stockpile.party.code IS 'a person''s service number; a unit''s, donor''s or organisation''s short code';
COMMENT ON COLUMN stockpile.party.site_id IS 'where a person serves now: who may see the name';
COMMENT ON COLUMN stockpile.party.secret IS 'salts this party''s digest in every document; erased with the name';

CREATE TABLE stockpile.register_line (
    register_id UUID NOT NULL,
    line INTEGER NOT NULL,
    cells JSONB NOT NULL,
    rejected TEXT,
    doubts TEXT,
    item_id UUID,
    CONSTRAINT register_line_pkey PRIMARY KEY (register_id, line),
    CONSTRAINT register_line_number CHECK (line >= 1)
);
COMMENT ON TABLE stockpile.register_line IS 'What somebody read, line by line; never where custody went.';
COMMENT ON COLUMN stockpile.register_line.line IS 'the row in the file, as the spreadsheet shows it';
COMMENT ON COLUMN stockpile.register_line.cells IS 'every cell as it stood';
COMMENT ON COLUMN stockpile.register_line.rejected IS 'why it could not be read';
COMMENT ON COLUMN stockpile.register_line.doubts IS 'what looks wrong with it, such as a number that may have lost its zeros';
COMMENT ON COLUMN stockpile.register_line.item_id IS 'the item it led to';

CREATE TABLE stockpile.unsequenced (
    position BIGINT GENERATED ALWAYS AS IDENTITY,
    leaf BYTEA NOT NULL,
    CONSTRAINT unsequenced_pkey PRIMARY KEY (position),
    CONSTRAINT unsequenced_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) BETWEEN 1 AND 5)
);
COMMENT ON TABLE stockpile.unsequenced IS 'Leaves of committed postings, waiting for the sequencer.';
COMMENT ON COLUMN stockpile.unsequenced.position IS 'for the queue only: says nothing of commit order';

CREATE TABLE stockpile.alias (
    alias_id UUID NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    model_id UUID,
    approved_by UUID,
    approved_at TIMESTAMP WITH TIME ZONE,
    first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT alias_pkey PRIMARY KEY (alias_id),
    CONSTRAINT alias_of_source UNIQUE (source, name_key),
    CONSTRAINT alias_approved CHECK ((model_id IS NULL) = (approved_at IS NULL)),
    CONSTRAINT alias_model_id_fkey FOREIGN KEY(model_id) REFERENCES stockpile.model (model_id),
    CONSTRAINT alias_approved_by_fkey FOREIGN KEY(approved_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.alias IS 'How a donor or an old book calls a model: mapped once by a registrar, visible.';
COMMENT ON COLUMN stockpile.alias.name IS 'as first read';
COMMENT ON COLUMN stockpile.alias.name_key IS 'case and spaces folded';
COMMENT ON COLUMN stockpile.alias.model_id IS 'none: seen in a list, not yet mapped';

CREATE TABLE stockpile.assignment (
    assignment_id UUID NOT NULL,
    party_id UUID NOT NULL,
    unit_id UUID NOT NULL,
    since DATE NOT NULL,
    until DATE,
    CONSTRAINT assignment_pkey PRIMARY KEY (assignment_id),
    CONSTRAINT assignment_party_id_unit_id_since_key UNIQUE (party_id, unit_id, since),
    CONSTRAINT assignment_dates CHECK (until >= since),
    CONSTRAINT assignment_not_itself CHECK (party_id <> unit_id),
    CONSTRAINT assignment_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT assignment_unit_id_fkey FOREIGN KEY(unit_id) REFERENCES stockpile.party (party_id)
);
CREATE INDEX assignment_of_unit ON stockpile.assignment (unit_id);
COMMENT ON TABLE stockpile.assignment IS 'Dated membership: who, or which sub-unit, belonged to which unit.';
COMMENT ON COLUMN stockpile.assignment.until IS 'the last day, inclusive';

CREATE TABLE stockpile.column_mapping (
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    mapping JSONB NOT NULL,
    saved_by UUID NOT NULL,
    saved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT column_mapping_pkey PRIMARY KEY (source, kind),
    CONSTRAINT column_mapping_saved_by_fkey FOREIGN KEY(saved_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.column_mapping IS 'How a source''s columns map to our fields: said once, remembered.';

CREATE TABLE stockpile.party_name (
    party_id UUID NOT NULL,
    version INTEGER NOT NULL,
    code TEXT,
    name TEXT,
    rank TEXT,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT party_name_pkey PRIMARY KEY (party_id, version),
    CONSTRAINT party_name_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.party_name IS 'Every name a party has had; a document''s digest names the version it used.';

CREATE TABLE stockpile.signature_card (
    signature_card_id UUID NOT NULL,
    unit_id UUID NOT NULL,
    party_id UUID NOT NULL,
    since DATE NOT NULL,
    until DATE NOT NULL,
    issued_by UUID NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT signature_card_pkey PRIMARY KEY (signature_card_id),
    CONSTRAINT signature_card_dates CHECK (until >= since),
    CONSTRAINT signature_card_unit_id_fkey FOREIGN KEY(unit_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT signature_card_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT signature_card_issued_by_fkey FOREIGN KEY(issued_by) REFERENCES stockpile.party (party_id)
);
CREATE INDEX signature_card_of_unit ON stockpile.signature_card (unit_id, party_id);
COMMENT ON TABLE stockpile.signature_card IS 'Who may draw weapons for a unit, until when (DA 1687).';

CREATE TABLE stockpile.site (
    site_id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    custodian_id UUID NOT NULL,
    declared_open_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT site_pkey PRIMARY KEY (site_id),
    CONSTRAINT site_code_form CHECK (code ~ '^[A-Z0-9-]{2,12}$'),
    CONSTRAINT site_code_key UNIQUE (code),
    CONSTRAINT site_custodian_id_fkey FOREIGN KEY(custodian_id) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.site IS 'A depot or arms room. Its time zone decides the year in a document''s number.';
COMMENT ON COLUMN stockpile.site.declared_open_at IS 'from then on nothing more enters by an opening list';

CREATE TABLE stockpile.account (
    account_id UUID NOT NULL,
    class TEXT NOT NULL,
    name TEXT NOT NULL,
    site_id UUID,
    party_id UUID,
    custodian_id UUID,
    unit_id UUID,
    class_and_site BIGINT GENERATED ALWAYS AS (hashtextextended(class, uuid_hash_extended(coalesce(site_id, '00000000-0000-0000-0000-000000000000'::uuid), 0))) STORED,
    CONSTRAINT account_pkey PRIMARY KEY (account_id),
    CONSTRAINT account_class CHECK (class IN ('outside', 'supply', 'transit', 'store', 'unit', 'person', 'maintenance', 'missing', 'lost', 'expended', 'destroyed', 'exported')),
    CONSTRAINT account_has_site CHECK ((site_id IS NULL) = (class = 'outside')),
    CONSTRAINT account_has_party CHECK ((party_id IS NOT NULL) = (class IN ('unit', 'person'))),
    CONSTRAINT account_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT account_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT account_custodian_id_fkey FOREIGN KEY(custodian_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT account_unit_id_fkey FOREIGN KEY(unit_id) REFERENCES stockpile.party (party_id)
);
CREATE UNIQUE INDEX account_name ON stockpile.account (site_id, class, name) WHERE party_id IS NULL;
CREATE UNIQUE INDEX account_of_party ON stockpile.account (party_id, site_id) WHERE party_id IS NOT NULL;
CREATE UNIQUE INDEX account_one_outside ON stockpile.account (class) WHERE class = 'outside';
COMMENT ON TABLE stockpile.account IS 'Where items are. Supply and transit stand under the site they are bound for; `outside` has no site.';
COMMENT ON COLUMN stockpile.account.party_id IS 'the unit or person it is';
COMMENT ON COLUMN stockpile.account.custodian_id IS 'who answers for it, if not the site''s custodian';
COMMENT ON COLUMN stockpile.account.unit_id IS 'the accountable unit of a store';
COMMENT ON COLUMN stockpile.account.class_and_site IS 'one number for both: a country''s entries are added up by it';

CREATE TABLE stockpile.book (
    book_id UUID NOT NULL,
    site_id UUID NOT NULL,
    code TEXT NOT NULL,
    year INTEGER NOT NULL,
    kind TEXT NOT NULL,
    holder TEXT NOT NULL,
    next_number INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT book_pkey PRIMARY KEY (book_id),
    CONSTRAINT book_of_year UNIQUE (site_id, code, year),
    CONSTRAINT book_site UNIQUE (book_id, site_id),
    CONSTRAINT book_code_form CHECK (code ~ '^[A-Z0-9-]{1,12}$'),
    CONSTRAINT book_year CHECK (year BETWEEN 1900 AND 2999),
    CONSTRAINT book_next_number CHECK (next_number >= 1),
    CONSTRAINT book_kind CHECK (kind IN ('counter', 'device', 'paper', 'importer', 'exceptions')),
    CONSTRAINT book_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id)
);
COMMENT ON TABLE stockpile.book IS 'A numbered series with one holder, one row a local year: counters that share a series wait for one another.';

CREATE TABLE stockpile.draft (
    document_id UUID NOT NULL,
    site_id UUID NOT NULL,
    act TEXT NOT NULL,
    request JSONB NOT NULL,
    content_hash BYTEA NOT NULL,
    drafted_by UUID NOT NULL,
    book_code TEXT NOT NULL,
    drafted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_by UUID,
    outcome TEXT,
    reason TEXT,
    CONSTRAINT draft_pkey PRIMARY KEY (document_id),
    CONSTRAINT draft_act CHECK (act IN ('open', 'declare', 'ship', 'receive', 'reject', 'register gain', 'mark', 'issue', 'hand over', 'return', 'maintain', 'report missing', 'overrun', 'conclude loss', 'recover', 'expend', 'destroy', 'export', 'import again', 'change custodian', 'amend identification', 'correct', 'void')),
    CONSTRAINT draft_outcome CHECK (outcome IN ('posted', 'rejected', 'withdrawn')),
    CONSTRAINT draft_settled CHECK ((settled_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT draft_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT draft_drafted_by_fkey FOREIGN KEY(drafted_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT draft_settled_by_fkey FOREIGN KEY(settled_by) REFERENCES stockpile.party (party_id)
);
CREATE INDEX draft_waiting ON stockpile.draft (site_id) WHERE outcome IS NULL;
COMMENT ON TABLE stockpile.draft IS 'Asked for by one party, waiting for the other.';
COMMENT ON COLUMN stockpile.draft.request IS 'what the first party asked for';
COMMENT ON COLUMN stockpile.draft.settled_at IS 'when it was posted, rejected or withdrawn';

CREATE TABLE stockpile.job (
    job_id UUID NOT NULL,
    party_id UUID NOT NULL,
    site_id UUID,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    done INTEGER DEFAULT '0' NOT NULL,
    total INTEGER,
    result JSONB,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT job_pkey PRIMARY KEY (job_id),
    CONSTRAINT job_state CHECK (state IN ('running', 'done', 'failed', 'cancelled', 'interrupted')),
    CONSTRAINT job_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT job_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id)
);
COMMENT ON COLUMN stockpile.job.seen_at IS 'the last sign of life: a running job without one was interrupted';
COMMENT ON TABLE stockpile.job IS 'A long task of somebody''s, with its progress.';

CREATE TABLE stockpile.register (
    register_id UUID NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    site_id UUID,
    donor_id UUID,
    document_id UUID,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    imported_by UUID NOT NULL,
    file_name TEXT,
    file_sha256 BYTEA,
    headings JSONB DEFAULT '[]' NOT NULL,
    line_count INTEGER NOT NULL,
    rejected_count INTEGER DEFAULT '0' NOT NULL,
    lines_digest BYTEA NOT NULL,
    seed BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    CONSTRAINT register_pkey PRIMARY KEY (register_id),
    CONSTRAINT register_file_sha256 CHECK (octet_length(file_sha256) = 32),
    CONSTRAINT register_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) = 3),
    CONSTRAINT register_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT register_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT register_imported_by_fkey FOREIGN KEY(imported_by) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.register IS 'A list of weapons as somebody wrote it; its leaf commits the file and every line.';
COMMENT ON COLUMN stockpile.register.document_id IS 'the document posted from it, if one was';
COMMENT ON COLUMN stockpile.register.headings IS 'the names of the file''s columns; the file''s SHA-256 covers them';
COMMENT ON COLUMN stockpile.register.lines_digest IS 'SHA-256 over the lines in order';

CREATE TABLE stockpile.stationing (
    stationing_id UUID NOT NULL,
    unit_id UUID NOT NULL,
    site_id UUID NOT NULL,
    since DATE NOT NULL,
    until DATE,
    CONSTRAINT stationing_pkey PRIMARY KEY (stationing_id),
    CONSTRAINT stationing_unit_id_site_id_since_key UNIQUE (unit_id, site_id, since),
    CONSTRAINT stationing_dates CHECK (until >= since),
    CONSTRAINT stationing_unit_id_fkey FOREIGN KEY(unit_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT stationing_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id)
);
COMMENT ON TABLE stockpile.stationing IS 'Which site serves a unit, dated.';

CREATE TABLE stockpile.token (
    token_id UUID NOT NULL,
    secret_hash BYTEA NOT NULL,
    party_id UUID NOT NULL,
    role TEXT NOT NULL,
    site_id UUID,
    donor_id UUID,
    book_code TEXT,
    label TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT token_pkey PRIMARY KEY (token_id),
    CONSTRAINT token_role CHECK (role IN ('clerk', 'armourer', 'commander', 'registrar', 'auditor', 'donor')),
    CONSTRAINT token_site CHECK ((role IN ('clerk', 'armourer', 'commander')) <= (site_id IS NOT NULL)),
    CONSTRAINT token_donor CHECK ((role = 'donor') = (donor_id IS NOT NULL)),
    CONSTRAINT token_hash CHECK (octet_length(secret_hash) = 32),
    CONSTRAINT token_secret_hash_key UNIQUE (secret_hash),
    CONSTRAINT token_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT token_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT token_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id)
);
COMMENT ON TABLE stockpile.token IS 'A bearer token of one party in one role and scope.';
COMMENT ON COLUMN stockpile.token.secret_hash IS 'SHA-256 of the token: 256 random bits need no slow hash';
COMMENT ON COLUMN stockpile.token.book_code IS 'the counter it posts from';

CREATE TABLE stockpile.weapon_assignment (
    item_id UUID NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    party_id UUID NOT NULL,
    site_id UUID NOT NULL,
    assigned_by UUID NOT NULL,
    CONSTRAINT weapon_assignment_pkey PRIMARY KEY (item_id, since),
    CONSTRAINT weapon_assignment_dates CHECK (until >= since),
    CONSTRAINT weapon_assignment_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT weapon_assignment_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT weapon_assignment_assigned_by_fkey FOREIGN KEY(assigned_by) REFERENCES stockpile.party (party_id)
);
CREATE INDEX weapon_assignment_of_party ON stockpile.weapon_assignment (party_id) WHERE until IS NULL;
CREATE UNIQUE INDEX weapon_assignment_one ON stockpile.weapon_assignment (item_id) WHERE until IS NULL;
COMMENT ON TABLE stockpile.weapon_assignment IS 'Whose weapon it is at the morning draw, dated; not custody.';

CREATE TABLE stockpile.consignment (
    consignment_id UUID NOT NULL,
    donor_id UUID NOT NULL,
    site_id UUID NOT NULL,
    reference TEXT NOT NULL,
    account_id UUID NOT NULL,
    expected_on DATE,
    declared_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT consignment_pkey PRIMARY KEY (consignment_id),
    CONSTRAINT consignment_reference UNIQUE (donor_id, reference),
    CONSTRAINT consignment_donor_id_fkey FOREIGN KEY(donor_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT consignment_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT consignment_account_id_key UNIQUE (account_id),
    CONSTRAINT consignment_account_id_fkey FOREIGN KEY(account_id) REFERENCES stockpile.account (account_id)
);
COMMENT ON TABLE stockpile.consignment IS 'One delivery by a donor; its supply account holds what was declared and has not arrived.';

CREATE TABLE stockpile.document (
    document_id UUID NOT NULL,
    site_id UUID NOT NULL,
    book_id UUID NOT NULL,
    number INTEGER NOT NULL,
    written_offline BOOLEAN DEFAULT 'false' NOT NULL,
    previous INTEGER GENERATED ALWAYS AS (CASE WHEN NOT written_offline THEN NULLIF(number - 1, 0) END) STORED,
    act TEXT NOT NULL,
    fact BOOLEAN NOT NULL,
    undo BOOLEAN DEFAULT 'false' NOT NULL,
    happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    happened_precision TEXT DEFAULT 'second' NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    clock_offset INTERVAL DEFAULT '0' NOT NULL,
    claimed_number TEXT,
    posted_by UUID NOT NULL,
    approved_by UUID,
    line_count INTEGER NOT NULL,
    quantity BIGINT NOT NULL,
    details JSONB DEFAULT '{}' NOT NULL,
    attachments JSONB DEFAULT '[]' NOT NULL,
    content_hash BYTEA NOT NULL,
    seed BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    CONSTRAINT document_pkey PRIMARY KEY (document_id),
    CONSTRAINT document_number UNIQUE (book_id, number),
    CONSTRAINT document_book FOREIGN KEY(book_id, site_id) REFERENCES stockpile.book (book_id, site_id),
    CONSTRAINT document_no_gap FOREIGN KEY(book_id, previous) REFERENCES stockpile.document (book_id, number),
    CONSTRAINT document_number_positive CHECK (number >= 1),
    CONSTRAINT document_act CHECK (act IN ('open', 'declare', 'ship', 'receive', 'reject', 'register gain', 'mark', 'issue', 'hand over', 'return', 'maintain', 'report missing', 'overrun', 'conclude loss', 'recover', 'expend', 'destroy', 'export', 'import again', 'change custodian', 'amend identification', 'correct', 'void')),
    CONSTRAINT document_precision CHECK (happened_precision IN ('second', 'minute', 'day')),
    CONSTRAINT document_not_in_future CHECK (happened_at <= recorded_at),
    CONSTRAINT document_approver_is_another CHECK (approved_by <> posted_by),
    CONSTRAINT document_two_people CHECK (approved_by IS NOT NULL OR fact OR undo OR NOT act IN ('open', 'register gain', 'conclude loss', 'expend', 'destroy', 'export', 'change custodian', 'amend identification', 'correct')),
    CONSTRAINT document_undo_corrects CHECK (NOT undo OR act = 'correct'),
    CONSTRAINT document_lines CHECK (line_count >= 0 AND quantity >= line_count),
    CONSTRAINT document_void_is_empty CHECK ((act = 'void') = (line_count = 0)),
    CONSTRAINT document_digests CHECK (octet_length(content_hash) = 32 AND octet_length(seed) = 32),
    CONSTRAINT document_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) = 2),
    CONSTRAINT document_posted_by_fkey FOREIGN KEY(posted_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT document_approved_by_fkey FOREIGN KEY(approved_by) REFERENCES stockpile.party (party_id)
);
CREATE INDEX document_recorded ON stockpile.document (site_id, recorded_at);
CREATE INDEX document_recorded_anywhere ON stockpile.document (recorded_at, document_id);
COMMENT ON TABLE stockpile.document IS 'What was done, under a number, by whom.';
COMMENT ON COLUMN stockpile.document.document_id IS 'the client''s: the idempotency key';
COMMENT ON COLUMN stockpile.document.site_id IS 'whose book: the scope of who posts';
COMMENT ON COLUMN stockpile.document.written_offline IS 'may arrive before the one before it';
COMMENT ON COLUMN stockpile.document.fact IS 'false: a command, which could be refused';
COMMENT ON COLUMN stockpile.document.undo IS 'takes back one''s own last document within 15 minutes';
COMMENT ON COLUMN stockpile.document.recorded_at IS 'taken after the locks';
COMMENT ON COLUMN stockpile.document.clock_offset IS 'how far the writer''s clock was off';
COMMENT ON COLUMN stockpile.document.claimed_number IS 'what a fact in the exceptions book says its number is';
COMMENT ON COLUMN stockpile.document.quantity IS 'sum over its entries, counted by itself for the trial balance';
COMMENT ON COLUMN stockpile.document.details IS 'carrier, witnesses, reason, as the act needs';
COMMENT ON COLUMN stockpile.document.attachments IS 'SHA-256 of each photo or scan';

CREATE TABLE stockpile.discrepancy (
    discrepancy_id UUID NOT NULL,
    site_id UUID NOT NULL,
    kind TEXT NOT NULL,
    item_id UUID,
    donor_id UUID,
    document_id UUID,
    register_id UUID,
    line INTEGER,
    books_said TEXT NOT NULL,
    seen TEXT NOT NULL,
    owner_id UUID NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_on DATE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT,
    explanation TEXT,
    closed_by UUID,
    explained_by UUID,
    CONSTRAINT discrepancy_pkey PRIMARY KEY (discrepancy_id),
    CONSTRAINT discrepancy_closed CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT discrepancy_outcome CHECK (outcome IN ('explained', 'withdrawn')),
    CONSTRAINT discrepancy_has_source CHECK (document_id IS NOT NULL OR register_id IS NOT NULL),
    CONSTRAINT discrepancy_site_id_fkey FOREIGN KEY(site_id) REFERENCES stockpile.site (site_id),
    CONSTRAINT discrepancy_document_id_fkey FOREIGN KEY(document_id) REFERENCES stockpile.document (document_id),
    CONSTRAINT discrepancy_register_id_fkey FOREIGN KEY(register_id) REFERENCES stockpile.register (register_id),
    CONSTRAINT discrepancy_owner_id_fkey FOREIGN KEY(owner_id) REFERENCES stockpile.party (party_id),
    CONSTRAINT discrepancy_closed_by_fkey FOREIGN KEY(closed_by) REFERENCES stockpile.party (party_id),
    CONSTRAINT discrepancy_explained_by_fkey FOREIGN KEY(explained_by) REFERENCES stockpile.document (document_id)
);
CREATE INDEX discrepancy_of_document ON stockpile.discrepancy (document_id);
CREATE INDEX discrepancy_of_item ON stockpile.discrepancy (item_id);
CREATE INDEX discrepancy_open ON stockpile.discrepancy (site_id, due_on) WHERE closed_at IS NULL;
COMMENT ON TABLE stockpile.discrepancy IS 'What a fact or a reconciliation found to contradict the books; somebody owns each.';
COMMENT ON COLUMN stockpile.discrepancy.item_id IS 'none: nobody knows the weapon';
COMMENT ON COLUMN stockpile.discrepancy.document_id IS 'what opened it';
COMMENT ON COLUMN stockpile.discrepancy.register_id IS 'or the list that did';
COMMENT ON COLUMN stockpile.discrepancy.explained_by IS 'the document that explains or withdraws it';

CREATE TABLE stockpile.signatory (
    document_id UUID NOT NULL,
    site_id UUID NOT NULL,
    part TEXT NOT NULL,
    party_id UUID NOT NULL,
    name_version INTEGER NOT NULL,
    digest BYTEA NOT NULL,
    CONSTRAINT signatory_pkey PRIMARY KEY (document_id, part),
    CONSTRAINT signatory_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT signatory_document_id_fkey FOREIGN KEY(document_id) REFERENCES stockpile.document (document_id),
    CONSTRAINT signatory_party_id_fkey FOREIGN KEY(party_id) REFERENCES stockpile.party (party_id)
);
CREATE INDEX signatory_of_party ON stockpile.signatory (party_id);
COMMENT ON TABLE stockpile.signatory IS 'Who stands on a document, and in which part; the digest outlives the name.';
COMMENT ON COLUMN stockpile.signatory.site_id IS 'the document''s';
COMMENT ON COLUMN stockpile.signatory.part IS 'posted_by, approved_by, received_by, ... : the field in the leaf';
COMMENT ON COLUMN stockpile.signatory.digest IS 'the field''s digest, salted by the party''s secret and this document';


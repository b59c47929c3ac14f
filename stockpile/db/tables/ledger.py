"""The ledger: documents, items, entries, holdings, identifications and registers.

Append-only but for `holding` (kept by the trigger on `entry` alone) and `draft`.
References of `entry` and `holding` are checked by the trigger `entry_posted` once a statement, not row by row as
foreign keys are; rows they point to can never be deleted (trigger `never`), so the check stays true.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Interval,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from stockpile.db.tables.base import binary, key, metadata, moment, written_in
from stockpile.db.tables.reference import one_of
from stockpile.movements import TWO_PARTY_ACTS, Act

BY_ITEM = {"group": "item_id"}
BY_DOCUMENT = {"group": "document_id"}
OUTSIDE = "00000000-0000-7000-8000-000000000000"
"""The account of class `outside`."""


def leaf_check(name: str, kind: int) -> CheckConstraint:
    """A leaf is 65 bytes and begins with its kind."""
    return CheckConstraint(f"octet_length(leaf) = 65 AND get_byte(leaf, 0) = {kind}", name=name)


document = Table(
    "document",
    metadata,
    key("document_id", primary_key=True, comment="the client's: the idempotency key"),
    key("site_id", nullable=False, comment="whose book: the scope of who posts"),
    key("book_id", nullable=False),
    Column("number", Integer, nullable=False),
    Column(
        "written_offline",
        Boolean,
        nullable=False,
        server_default="false",
        comment="may arrive before the one before it",
    ),
    Column(
        "previous", Integer, Computed("CASE WHEN NOT written_offline THEN NULLIF(number - 1, 0) END", persisted=True)
    ),
    Column("act", Text, nullable=False),
    Column("fact", Boolean, nullable=False, comment="false: a command, which could be refused"),
    Column(
        "undo",
        Boolean,
        nullable=False,
        server_default="false",
        comment="takes back one's own last document within 15 minutes",
    ),
    moment("happened_at", nullable=False),
    Column("happened_precision", Text, nullable=False, server_default="second"),
    moment("recorded_at", nullable=False, comment="taken after the locks"),
    Column("clock_offset", Interval, nullable=False, server_default="0", comment="how far the writer's clock was off"),
    Column("claimed_number", Text, comment="what a fact in the exceptions book says its number is"),
    key("posted_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    key("approved_by", ForeignKey("stockpile.party.party_id")),
    Column("line_count", Integer, nullable=False),
    Column(
        "quantity", BigInteger, nullable=False, comment="sum over its entries, counted by itself for the trial balance"
    ),
    Column(
        "details", JSONB, nullable=False, server_default="{}", comment="carrier, witnesses, reason, as the act needs"
    ),
    Column("attachments", JSONB, nullable=False, server_default="[]", comment="SHA-256 of each photo or scan"),
    binary("content_hash", nullable=False),
    binary("seed", nullable=False),
    binary("leaf", nullable=False),
    written_in(),
    UniqueConstraint("book_id", "number", name="document_number"),
    ForeignKeyConstraint(
        ["book_id", "site_id"], ["stockpile.book.book_id", "stockpile.book.site_id"], name="document_book"
    ),
    ForeignKeyConstraint(
        ["book_id", "previous"], ["stockpile.document.book_id", "stockpile.document.number"], name="document_no_gap"
    ),
    CheckConstraint("number >= 1", name="document_number_positive"),
    CheckConstraint(one_of("act", tuple(Act)), name="document_act"),
    CheckConstraint(one_of("happened_precision", ("second", "minute", "day")), name="document_precision"),
    CheckConstraint("happened_at <= recorded_at", name="document_not_in_future"),
    CheckConstraint("approved_by <> posted_by", name="document_approver_is_another"),
    CheckConstraint(
        f"approved_by IS NOT NULL OR fact OR undo OR NOT {one_of('act', TWO_PARTY_ACTS)}", name="document_two_people"
    ),
    CheckConstraint("NOT undo OR act = 'correct'", name="document_undo_corrects"),
    CheckConstraint("line_count >= 0 AND quantity >= line_count", name="document_lines"),
    CheckConstraint("(act = 'void') = (line_count = 0)", name="document_void_is_empty"),
    CheckConstraint("octet_length(content_hash) = 32 AND octet_length(seed) = 32", name="document_digests"),
    leaf_check("document_leaf", 2),
    Index("document_recorded", "site_id", "recorded_at"),
    Index("document_recorded_anywhere", "recorded_at", "document_id"),
    Index("document_written", "written_in", "document_id"),
    Index(
        "document_of_custody",
        "act",
        "site_id",
        "happened_at",
        postgresql_where="act IN ('order destruction', 'destroy', 'change custodian')",
    ),
    Index(
        "document_of_card",
        "site_id",
        "document_id",
        postgresql_where="act = 'issue' AND details ->> 'paper' = 'weapon card'",
    ),
    Index(
        "document_attachments",
        "attachments",
        postgresql_using="gin",
        postgresql_ops={"attachments": "jsonb_path_ops"},
        postgresql_where="attachments <> '[]'",
    ),
    info=BY_DOCUMENT,
    comment="What was done, under a number, by whom.",
)

signatory = Table(
    "signatory",
    metadata,
    key("document_id", ForeignKey("stockpile.document.document_id"), primary_key=True),
    key("site_id", nullable=False, comment="the document's"),
    Column("part", Text, primary_key=True, comment="posted_by, approved_by, received_by, ... : the field in the leaf"),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("name_version", Integer, nullable=False),
    binary("digest", nullable=False, comment="the field's digest, salted by the party's secret and this document"),
    CheckConstraint("octet_length(digest) = 32", name="signatory_digest"),
    Index("signatory_of_party", "party_id"),
    info=BY_DOCUMENT,
    comment="Who stands on a document, and in which part; the digest outlives the name.",
)

draft = Table(
    "draft",
    metadata,
    key("document_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("act", Text, nullable=False),
    Column("request", JSONB, nullable=False, comment="what the first party asked for"),
    binary("content_hash", nullable=False),
    key("drafted_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("book_code", Text, nullable=False),
    moment("drafted_at", nullable=False),
    moment("settled_at", comment="when it was posted, rejected or withdrawn"),
    key("settled_by", ForeignKey("stockpile.party.party_id")),
    Column("outcome", Text),
    Column("reason", Text),
    CheckConstraint(one_of("act", tuple(Act)), name="draft_act"),
    CheckConstraint(one_of("outcome", ("posted", "rejected", "withdrawn")), name="draft_outcome"),
    CheckConstraint("(settled_at IS NULL) = (outcome IS NULL)", name="draft_settled"),
    Index("draft_waiting", "site_id", postgresql_where="outcome IS NULL"),
    info=BY_DOCUMENT,
    comment="Asked for by one party, waiting for the other.",
)

item = Table(
    "item",
    metadata,
    key("item_id", primary_key=True),
    Column("tracked_by", Text, nullable=False),
    key("model_id", nullable=False),
    key("donor_id", nullable=False, comment="own procurement where no donor gave it"),
    key("consignment_id"),
    Column("lot", Text),
    Column(
        "tag_number",
        BigInteger,
        Identity(always=False),
        nullable=False,
        comment="the asset tag, but for its check character",
    ),
    binary("secret", nullable=False, comment="makes the tags of its leaves; who holds it finds them in the log"),
    CheckConstraint(one_of("tracked_by", ("serial", "lot", "quantity")), name="item_tracked_by"),
    CheckConstraint("(lot IS NOT NULL) = (tracked_by = 'lot')", name="item_lot"),
    CheckConstraint("octet_length(secret) = 32", name="item_secret"),
    UniqueConstraint("tag_number", name="item_tag"),
    Index("item_of_consignment", "consignment_id", postgresql_where="consignment_id IS NOT NULL"),
    Index("item_counted", "model_id", postgresql_where="tracked_by <> 'serial'"),
    info=BY_ITEM,
    comment="What the ledger moves: one weapon, one lot, or one donor's quantity of a model.",
)

entry = Table(
    "entry",
    metadata,
    key("item_id", primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("serial", Boolean, nullable=False),
    key("donor_id", nullable=False, comment="here for row-level security: no join"),
    key("model_id", nullable=False, comment="the item's, here for the trial balance: no join"),
    key("site_id", nullable=False, comment="the document's"),
    key("document_id", nullable=False),
    Column("line", Integer, nullable=False),
    key("from_account", nullable=False),
    key("to_account", nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("condition", Text, comment="as seen at this movement; none: not looked at"),
    moment("happened_at", nullable=False),
    moment("recorded_at", nullable=False, comment="the document's"),
    key("claimed_from", comment="where the paper says it came from, if it says so"),
    Column("reverses", Integer, comment="the entry this one takes back"),
    Column("posts_again", Integer, comment="the reversed entry this one repeats"),
    binary("seed", nullable=False),
    binary("leaf", nullable=False),
    Column("from_class_and_site", BigInteger, nullable=False, comment="the account's, here for the sums: no join"),
    Column("to_class_and_site", BigInteger, nullable=False, comment="the account's, here for the sums: no join"),
    CheckConstraint("version >= 1 AND line >= 1", name="entry_numbers"),
    CheckConstraint("quantity > 0", name="entry_quantity"),
    CheckConstraint("NOT serial OR quantity = 1", name="entry_one_weapon"),
    CheckConstraint(one_of("condition", ("serviceable", "unserviceable", "unknown")), name="entry_condition"),
    CheckConstraint("reverses < version", name="entry_reverses_earlier"),
    CheckConstraint("posts_again < version", name="entry_repeats_earlier"),
    CheckConstraint("reverses IS NULL OR posts_again IS NULL", name="entry_reverses_or_repeats"),
    CheckConstraint("octet_length(seed) = 32", name="entry_seed"),
    leaf_check("entry_leaf", 1),
    Index("entry_reversed_once", "item_id", "reverses", unique=True, postgresql_where="reverses IS NOT NULL"),
    Index(
        "entry_repeated_once",
        "item_id",
        "posts_again",
        unique=True,
        postgresql_where="posts_again IS NOT NULL AND serial",
    ),
    Index("entry_short", "item_id", "claimed_from", postgresql_where="NOT serial AND claimed_from IS NOT NULL"),
    Index("entry_of_document", "document_id", "line"),
    # What crossed the border of the books: the other side of a balance.
    Index(
        "entry_came_in",
        "model_id",
        "donor_id",
        "to_account",
        "quantity",
        postgresql_where=f"from_account = '{OUTSIDE}'",
    ),
    Index(
        "entry_went_out",
        "model_id",
        "donor_id",
        "from_account",
        "quantity",
        postgresql_where=f"to_account = '{OUTSIDE}'",
    ),
    info=BY_ITEM,
    comment="One movement of one item. from = to for acts that stay, so that they too are numbered and in the log.",
)

holding = Table(
    "holding",
    metadata,
    key("item_id", primary_key=True),
    key("account_id", primary_key=True),
    Column("serial", Boolean, nullable=False),
    key("donor_id", nullable=False),
    key("site_id", nullable=False, comment="the account's"),
    Column("quantity", BigInteger, nullable=False),
    Column(
        "unverified",
        Boolean,
        nullable=False,
        server_default="false",
        comment="by an opening list; nothing confirms it yet",
    ),
    key("model_id", nullable=False, comment="the item's, here for the sums: no join"),
    Column("class_and_site", BigInteger, nullable=False, comment="the account's"),
    key("consignment_id", comment="the item's, here for the sums: no join"),
    CheckConstraint("quantity > 0", name="holding_not_negative"),
    CheckConstraint("NOT serial OR quantity = 1", name="holding_one_weapon"),
    Index("holding_one_place", "item_id", unique=True, postgresql_where="serial"),
    Index("holding_of_account", "account_id"),
    # With all that a balance adds up, so that the index alone answers.
    Index("holding_summed", "class_and_site", "model_id", "donor_id", "quantity"),
    info=BY_ITEM,
    comment="What is where now: the sum of the entries, kept by the trigger alone.",
)

identification = Table(
    "identification",
    metadata,
    key("item_id", primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("previous", Integer, Computed("NULLIF(version - 1, 0)", persisted=True)),
    key("donor_id", nullable=False),
    key("site_id", nullable=False, comment="the site that described it"),
    Column("entry_version", Integer, nullable=False, comment="the receipt, marking or amendment behind it"),
    Column("maker", Text, nullable=False),
    Column("serial_number", Text, comment="as marked, to the character"),
    Column("serial_key", Text(collation="C")),
    Column("fold", Text(collation="C")),
    Column("obliterated", Boolean, nullable=False, server_default="false"),
    Column("distinguishing_mark", Text, comment="tells twins apart, or a weapon without a serial"),
    Column("import_mark", Text),
    Column("uii", Text(collation="C")),
    Column("mark_place", Text, comment="where on the weapon that is what this version adds"),
    Column("import_country", Text, comment="ISO 3166, two letters (International Tracing Instrument 8(b))"),
    Column("import_year", Integer),
    Column("mark_method", Text, comment="how what this version adds was put on"),
    Column("builds_on", Integer, comment="the version it carries forward, all but what it changes"),
    ForeignKeyConstraint(
        ["item_id", "previous"],
        ["stockpile.identification.item_id", "stockpile.identification.version"],
        name="identification_no_gap",
    ),
    CheckConstraint("version >= 1", name="identification_version"),
    CheckConstraint(
        "(serial_number IS NULL) = (serial_key IS NULL) AND (serial_key IS NULL) = (fold IS NULL)",
        name="identification_keys",
    ),
    CheckConstraint("import_country ~ '^[A-Z]{2}$'", name="identification_import_country"),
    CheckConstraint(
        "import_year IS NULL OR (import_year BETWEEN 1800 AND 2999 AND import_country IS NOT NULL)",
        name="identification_import_year",
    ),
    CheckConstraint(
        "CASE WHEN version = 1 THEN builds_on IS NULL ELSE builds_on BETWEEN 1 AND version - 1 END",
        name="identification_builds_on",
    ),
    # With all that a partial serial needs, so that the index alone answers, under row-level security too.
    Index("identification_serial_key", "serial_key", "item_id", postgresql_include=["donor_id"]),
    Index("identification_fold", "fold", "item_id", postgresql_include=["donor_id"]),
    Index("identification_uii", "uii", postgresql_where="uii IS NOT NULL"),
    info=BY_ITEM,
    comment="A weapon's marks as read, in versions: the old ones stay searchable.",
)

weapon_assignment = Table(
    "weapon_assignment",
    metadata,
    key("item_id", primary_key=True),
    moment("since", primary_key=True),
    moment("until"),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    key("assigned_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    CheckConstraint("until >= since", name="weapon_assignment_dates"),
    Index("weapon_assignment_one", "item_id", unique=True, postgresql_where="until IS NULL"),
    Index("weapon_assignment_of_party", "party_id", postgresql_where="until IS NULL"),
    info=BY_ITEM,
    comment="Whose weapon it is at the morning draw, dated; not custody.",
)

identity = Table(
    "identity",
    metadata,
    Column("identity_key", Text(collation="C"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, comment="2 and on: others bear it or bore it; twins are flagged"),
    Column("previous", Integer, Computed("NULLIF(ordinal - 1, 0)", persisted=True)),
    key("model_id", nullable=False),
    key("item_id", nullable=False),
    ForeignKeyConstraint(
        ["identity_key", "previous"],
        ["stockpile.identity.identity_key", "stockpile.identity.ordinal"],
        name="identity_no_gap",
    ),
    CheckConstraint("ordinal >= 1", name="identity_ordinal"),
    info={"group": "identity_key"},
    comment="Which weapon a maker, model and serial key mean, or a UII (UII//...): rows of who bore it once stay.",
)

register = Table(
    "register",
    metadata,
    key("register_id", primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id")),
    key("donor_id", ForeignKey("stockpile.party.party_id")),
    key("document_id", comment="the document posted from it, if one was"),
    moment("as_of", nullable=False),
    moment("recorded_at", nullable=False),
    key("imported_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("file_name", Text),
    binary("file_sha256"),
    Column(
        "headings",
        JSONB,
        nullable=False,
        server_default="[]",
        comment="the names of the file's columns; the file's SHA-256 covers them",
    ),
    Column("line_count", Integer, nullable=False),
    Column("rejected_count", Integer, nullable=False, server_default="0"),
    binary("lines_digest", nullable=False, comment="SHA-256 over the lines in order"),
    binary("seed", nullable=False),
    binary("leaf", nullable=False),
    Column("source", Text, comment="whose lists have these columns and names of models"),
    Column(
        "mapping",
        JSONB,
        comment="which column is which of our fields; none: its lines were not read in our fields",
    ),
    Column(
        "imported_by_version",
        Integer,
        comment="of the name; none: kept before it was noted, by somebody erased since",
    ),
    binary("imported_by_digest", comment="the field's digest, salted by the party's secret and this register"),
    CheckConstraint("(imported_by_version IS NULL) = (imported_by_digest IS NULL)", name="register_importer"),
    CheckConstraint("octet_length(imported_by_digest) = 32", name="register_importer_digest"),
    CheckConstraint("octet_length(file_sha256) = 32", name="register_file_sha256"),
    leaf_check("register_leaf", 3),
    info={"group": "reference"},
    comment="A list of weapons as somebody wrote it; its leaf commits the file and every line.",
)

register_line = Table(
    "register_line",
    metadata,
    key("register_id", primary_key=True),
    Column("line", Integer, primary_key=True, comment="the row in the file, as the spreadsheet shows it"),
    Column("cells", JSONB, nullable=False, comment="every cell as it stood"),
    Column("rejected", Text, comment="why it could not be read"),
    Column("doubts", Text, comment="what looks wrong with it, such as a number that may have lost its zeros"),
    key("item_id", comment="the item it led to"),
    Column("serial_number", Text),
    Column("serial_key", Text),
    Column("maker", Text, comment="as the list says it, as the model; its meaning may be settled later"),
    Column("model", Text),
    Column("quantity", BigInteger),
    Column("shipped_on", Date),
    Column("received_on", Date),
    Column(
        "dated_on",
        Date,
        comment="a day of which the list does not say whether it is that of shipping or of receipt",
    ),
    Column("unit", Text, comment="in capitals; as written it stands in the cells, as the holder"),
    Column("holder", Text),
    Column("condition", Text),
    CheckConstraint("line >= 1", name="register_line_number"),
    CheckConstraint("quantity >= 0", name="register_line_quantity"),
    info={"group": "register_id"},
    comment="What somebody read, line by line; never where custody went.",
)

"""Counts: what was read on the shelves, each line with its own moment, and what it led to; seals; the periods. Append-only but
for the state of a count, of a seal, and the periods, which registrars keep.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from stockpile.db.tables.base import binary, key, metadata, moment
from stockpile.db.tables.reference import REFERENCE, one_of

SCOPES = ("account", "site", "unit", "containers", "recount")
"""What a count may be of."""

METHODS = ("serial", "quantity")
"""How a count is held: every serial number, or only how many."""

REASONS = ("periodic", "receipt", "opened or closed", "change of custodian", "opening list", "incident", "recount")
"""Why something is counted."""

ENTERED = ("scanned", "typed", "sheet", "sealed")
"""How a line came: the last stands for a weapon in a sealed container, which nobody looked at."""

FINDINGS = (
    "matched", "missing", "unexpected", "unclear", "moved meanwhile", "quantity matched", "quantity differs", "not counted",
)  # fmt: skip
"""What a finding of a count may be (`registers.count_findings`)."""

BY_COUNT = {"group": "desk"}

PARTY = "stockpile.party.party_id"


def _of_count(name: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["count_id", "site_id"],
        ["stockpile.physical_count.count_id", "stockpile.physical_count.site_id"],
        name=f"{name}_count",
    )


def _of_seal(name: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["seal_id", "site_id"], ["stockpile.seal.seal_id", "stockpile.seal.site_id"], name=f"{name}_seal"
    )


physical_count = Table(
    "physical_count",
    metadata,
    key("count_id", primary_key=True, comment="the client's: the idempotency key"),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("number", Integer, nullable=False, comment="of the site, without gaps: TAJI/COUNT/3"),
    Column("scope", Text, nullable=False),
    Column(
        "whole_site",
        Boolean,
        nullable=False,
        comment="whatever account the site has by the end; else those of count_account",
    ),
    key("unit_id", ForeignKey(PARTY)),
    key("recount_of"),
    Column("method", Text, nullable=False, comment="every serial number, or only how many"),
    Column("blind", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("override", Text, comment="why the same person may count twice running, or who answers for it alone"),
    moment("opened_at", nullable=False, comment="of a count held on paper: when it began"),
    key("opened_by", ForeignKey(PARTY), nullable=False),
    moment("recorded_at", nullable=False),
    binary("content_hash", nullable=False),
    moment("closed_at", comment="no line comes later; the findings follow"),
    key("closed_by", ForeignKey(PARTY)),
    Column("outcome", Text),
    Column("abandoned_because", Text),
    key("register_id", ForeignKey("stockpile.register.register_id"), comment="its lines, as the log commits them"),
    UniqueConstraint("count_id", "site_id", name="physical_count_site"),
    UniqueConstraint("site_id", "number", name="physical_count_number"),
    CheckConstraint(one_of("scope", SCOPES), name="physical_count_scope"),
    CheckConstraint(
        "(scope = 'unit') = (unit_id IS NOT NULL) AND (scope = 'recount') = (recount_of IS NOT NULL)",
        name="physical_count_scope_of",
    ),
    CheckConstraint(one_of("method", METHODS), name="physical_count_method"),
    CheckConstraint(one_of("reason", REASONS), name="physical_count_reason"),
    CheckConstraint("opened_at <= recorded_at", name="physical_count_opened"),
    CheckConstraint(one_of("outcome", ("closed", "abandoned")), name="physical_count_outcome"),
    CheckConstraint(
        "(closed_at IS NULL) = (closed_by IS NULL) AND (outcome IS NULL OR closed_at IS NOT NULL)",
        name="physical_count_closed",
    ),
    CheckConstraint("(outcome IS NOT DISTINCT FROM 'closed') = (register_id IS NOT NULL)", name="physical_count_kept"),
    CheckConstraint(
        "(outcome IS NOT DISTINCT FROM 'abandoned') = (abandoned_because IS NOT NULL)", name="physical_count_abandoned"
    ),
    CheckConstraint("octet_length(content_hash) = 32", name="physical_count_hash"),
    ForeignKeyConstraint(
        ["recount_of", "site_id"],
        ["stockpile.physical_count.count_id", "stockpile.physical_count.site_id"],
        name="physical_count_recount",
    ),
    info=BY_COUNT,
    comment="A count: what is to be counted, by whom, from when until when.",
)

count_counter = Table(
    "count_counter",
    metadata,
    key("count_id", primary_key=True),
    key("party_id", ForeignKey(PARTY), primary_key=True),
    key("site_id", nullable=False),
    _of_count("count_counter"),
    info=BY_COUNT,
    comment="Who counts.",
)

count_account = Table(
    "count_account",
    metadata,
    key("count_id", primary_key=True),
    key("account_id", ForeignKey("stockpile.account.account_id"), primary_key=True),
    key("site_id", nullable=False),
    _of_count("count_account"),
    Index("count_account_counted", "account_id"),
    info=BY_COUNT,
    comment="The accounts that a count is of, as they were when it was opened.",
)

count_item = Table(
    "count_item",
    metadata,
    key("count_id", primary_key=True),
    key("item_id", primary_key=True),
    key("site_id", nullable=False),
    _of_count("count_item"),
    info=BY_COUNT,
    comment="The only weapons that a count of containers, or a recount, is of.",
)

seal = Table(
    "seal",
    metadata,
    key("seal_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("number", Text, nullable=False),
    Column(
        "seal_key",
        Text,
        nullable=False,
        comment="its number in capitals, without blanks and dashes: never used twice at a site",
    ),
    key("account_id", ForeignKey("stockpile.account.account_id"), nullable=False),
    Column("container", Text),
    key("count_id", comment="the count over whose lines it was sealed; none: over scans of its own"),
    moment("sealed_at", nullable=False),
    key("sealed_by", ForeignKey(PARTY), nullable=False),
    moment("broken_at"),
    key("broken_by", ForeignKey(PARTY)),
    UniqueConstraint("seal_id", "site_id", name="seal_site"),
    UniqueConstraint("site_id", "seal_key", name="seal_number"),
    CheckConstraint("(broken_at IS NULL) = (broken_by IS NULL) AND broken_at >= sealed_at", name="seal_broken"),
    _of_count("seal"),
    info=BY_COUNT,
    comment="A numbered seal on a container; while it is unbroken its list counts as seen.",
)

seal_line = Table(
    "seal_line",
    metadata,
    key("seal_id", primary_key=True),
    key("item_id", primary_key=True),
    key("site_id", nullable=False),
    _of_seal("seal_line"),
    Index("seal_line_of_item", "item_id"),
    info=BY_COUNT,
    comment="A weapon that was read before its container was sealed.",
)

count_batch = Table(
    "count_batch",
    metadata,
    key("count_id", primary_key=True),
    key("batch_id", primary_key=True, comment="the client's: the idempotency key"),
    key("site_id", nullable=False),
    Column("first_line", Integer, nullable=False),
    Column("line_count", Integer, nullable=False),
    binary("file_sha256", comment="of a count sheet that was keyed as a file"),
    key("sent_by", ForeignKey(PARTY), nullable=False),
    moment("recorded_at", nullable=False),
    binary("content_hash", nullable=False),
    CheckConstraint("first_line >= 1 AND line_count >= 1", name="count_batch_lines"),
    CheckConstraint("octet_length(content_hash) = 32 AND octet_length(file_sha256) = 32", name="count_batch_digests"),
    _of_count("count_batch"),
    info=BY_COUNT,
    comment="Lines of a count that came together, once.",
)

count_line = Table(
    "count_line",
    metadata,
    key("count_id", primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    key("site_id", nullable=False),
    key("batch_id", nullable=False),
    Column("entered", Text, nullable=False),
    Column("scan", Text, comment="as scanned or written; none: of what is counted, or in a sealed container"),
    Column("scan_key", Text(collation="C")),
    key("item_id", comment="the one weapon it means; none: nobody knows it, or several bear it"),
    Column("meant", ARRAY(Uuid), nullable=False, comment="every weapon that it may mean"),
    Column("model", Text, comment="as written"),
    key("model_id", ForeignKey("stockpile.model.model_id"), comment="of what is counted"),
    Column("lot", Text),
    Column("quantity", BigInteger, nullable=False),
    Column("condition", Text),
    Column("container", Text),
    key("seal_id", comment="the unbroken seal under which it was not looked at"),
    Column("doubts", Text),
    Column(
        "again_of",
        Integer,
        comment="the line that read the same weapon before: this one is no part of the figures",
    ),
    moment("counted_at", nullable=False),
    key("counted_by", nullable=False),
    CheckConstraint("line >= 1", name="count_line_number"),
    CheckConstraint(one_of("entered", ENTERED), name="count_line_entered"),
    CheckConstraint(
        "scan IS NOT NULL OR model_id IS NOT NULL OR (seal_id IS NOT NULL AND item_id IS NOT NULL)",
        name="count_line_read",
    ),
    CheckConstraint("quantity >= 0", name="count_line_quantity"),
    CheckConstraint(one_of("condition", ("serviceable", "unserviceable", "unknown")), name="count_line_condition"),
    CheckConstraint("again_of < line", name="count_line_again"),
    ForeignKeyConstraint(
        ["count_id", "batch_id"],
        ["stockpile.count_batch.count_id", "stockpile.count_batch.batch_id"],
        name="count_line_batch",
    ),
    _of_count("count_line"),
    ForeignKeyConstraint(
        ["count_id", "counted_by"],
        ["stockpile.count_counter.count_id", "stockpile.count_counter.party_id"],
        name="count_line_counter",
    ),
    _of_seal("count_line"),
    Index("count_line_of_item", "count_id", "item_id", postgresql_where="item_id IS NOT NULL"),
    Index(
        "count_line_unknown",
        "count_id",
        "scan_key",
        postgresql_where="item_id IS NULL AND scan_key IS NOT NULL",
    ),
    info=BY_COUNT,
    comment="What was read, as it was read, and when; never where custody went.",
)

count_finding = Table(
    "count_finding",
    metadata,
    key("count_id", primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    key("site_id", nullable=False),
    Column("kind", Text, nullable=False),
    Column("line", Integer, comment="the line that read it; of a quantity the last one"),
    key("item_id"),
    key("model_id", ForeignKey("stockpile.model.model_id")),
    Column("lot", Text),
    key(
        "account_id",
        ForeignKey("stockpile.account.account_id"),
        comment="where the ledger had it; none: nowhere in the books",
    ),
    key(
        "document_id",
        ForeignKey("stockpile.document.document_id"),
        comment="the document that moved it meanwhile",
    ),
    Column("expected", BigInteger, comment="of a quantity: in the books at that moment"),
    Column("counted", BigInteger),
    CheckConstraint(one_of("kind", FINDINGS), name="count_finding_kind"),
    _of_count("count_finding"),
    ForeignKeyConstraint(
        ["count_id", "line"],
        ["stockpile.count_line.count_id", "stockpile.count_line.line"],
        name="count_finding_line",
    ),
    Index("count_finding_of_kind", "count_id", "kind", "number"),
    Index("count_finding_of_item", "item_id", postgresql_where="item_id IS NOT NULL"),
    info=BY_COUNT,
    comment="What a closed count found, against the ledger at the moment of each line.",
)

count_period = Table(
    "count_period",
    metadata,
    Column("code", Text, primary_key=True),
    Column("what", Text, nullable=False),
    Column(
        "held_by",
        Text,
        comment="unit: accounts of units and people, and stores of an accountable unit; depot: other stores and workshops; "
        "none: both",
    ),
    Column("security_risk_category", Text, comment="only where models of it are held; none: any"),
    Column("method", Text, nullable=False),
    Column("days", Integer, comment="none: at an event, not by the calendar"),
    Column("source", Text, nullable=False),
    Column("unverified", Boolean, nullable=False, comment="from memory, until somebody holds the original"),
    Column("binds", Boolean, nullable=False, comment="whether what is due is judged by it"),
    key("changed_by", ForeignKey(PARTY)),
    moment("changed_at"),
    CheckConstraint("code ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="count_period_code"),
    CheckConstraint(one_of("held_by", ("unit", "depot")), name="count_period_held_by"),
    CheckConstraint(one_of("security_risk_category", ("I", "II", "III", "IV")), name="count_period_risk"),
    CheckConstraint(one_of("method", METHODS), name="count_period_method"),
    CheckConstraint("days >= 1", name="count_period_days"),
    CheckConstraint("NOT binds OR days IS NOT NULL", name="count_period_binds"),
    info=REFERENCE,
    comment="How often what is to be counted, and who says so; kept by registrars.",
)

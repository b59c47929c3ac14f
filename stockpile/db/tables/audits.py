"""Audits: two lists compared, and what was found. Append-only; an audit made again is another run of its name."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from stockpile.db.tables.base import key, metadata, moment
from stockpile.db.tables.reference import one_of

MATCHED = "matched"
DIFFERENCES = (
    "conflicting", "only left", "only right", "repeated left", "repeated right", "incomplete left", "incomplete right",
    "near match", "quantity matched", "quantity differs",
)  # fmt: skip
KINDS = (MATCHED, *DIFFERENCES)
"""What a finding of an audit may be (`registers.reconcile`)."""
CHUNK = 1000
"""So many pairs that agree stand in one row."""

audit = Table(
    "audit",
    metadata,
    key("audit_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), comment="whose audit it is; none: of the whole country"),
    Column("name", Text, nullable=False),
    Column("run", Integer, nullable=False, comment="which run of its name, counted from 1"),
    Column("left_source", JSONB, nullable=False, comment="as asked for, so that it can be asked again"),
    Column("right_source", JSONB, nullable=False),
    Column(
        "left_side",
        JSONB,
        nullable=False,
        comment="what it was: its name, the moments it speaks of, which fields it says at all",
    ),
    Column("right_side", JSONB, nullable=False),
    Column("totals", JSONB, nullable=False),
    key("made_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("recorded_at", nullable=False),
    CheckConstraint("run >= 1", name="audit_run"),
    Index("audit_name", "site_id", "name", "run", unique=True, postgresql_nulls_not_distinct=True),
    info={"group": "desk"},
    comment="Two lists compared: which, and how many differences of each kind.",
)

audit_finding = Table(
    "audit_finding",
    metadata,
    key("audit_id", primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("number", Integer, primary_key=True, comment="within its kind"),
    key("model_key", comment="the model, or a key of the name that nobody has mapped"),
    Column("model", Text),
    Column("serial_key", Text),
    Column("serial_number", Text),
    Column(
        "held_by", Text, comment="where the ledger has it; of a quantity the unit or holder, where both sides say one"
    ),
    Column("left_line", Integer),
    Column("right_line", Integer),
    key("left_item"),
    key("right_item"),
    Column("left_quantity", BigInteger),
    Column("right_quantity", BigInteger),
    Column("times", Integer, comment="how often it stands on the side that repeats it"),
    Column("why", ARRAY(Text), comment="which fields conflict or are missing; why a match is near"),
    Column("right_key", Text, comment="of a near match the serial key on the right side"),
    CheckConstraint(one_of("kind", DIFFERENCES), name="audit_finding_kind"),
    info={"group": "audit_id"},
    comment="One finding of an audit, with the lines and items of both sides it is of.",
)

audit_matched = Table(
    "audit_matched",
    metadata,
    key("audit_id", primary_key=True),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    Column("left_lines", ARRAY(Integer)),
    Column("right_lines", ARRAY(Integer)),
    Column("left_items", ARRAY(Uuid)),
    Column("right_items", ARRAY(Uuid)),
    info={"group": "audit_id"},
    comment="What both sides of an audit have and agree on, a thousand pairs a row: nearly all, and nothing more is to be said of it.",
)

JUDGED = ("same", "different")
NOT_JUDGED = "not judged"
"""What a near match may be judged to be: one weapon, or two."""

audit_judgement = Table(
    "audit_judgement",
    metadata,
    key("judgement_id", primary_key=True),
    key(
        "audit_id",
        ForeignKey("stockpile.audit.audit_id"),
        nullable=False,
        comment="the run in which it was judged; it holds for the later runs of its name",
    ),
    key("model_key", nullable=False),
    Column("left_key", Text, nullable=False, comment="the serial key on the left side"),
    Column("right_key", Text, nullable=False),
    Column("judged", Text, nullable=False),
    Column("reason", Text, nullable=False),
    key("judged_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("recorded_at", nullable=False),
    CheckConstraint(one_of("judged", JUDGED), name="audit_judgement_judged"),
    Index("audit_judgement_of_pair", "model_key", "left_key", "right_key"),
    info={"group": "desk"},
    comment="That the two numbers of a near match are one weapon, or two; of several of one pair the newest counts.",
)

"""Tracing requests, theirs and ours, and sightings: weapons that somebody else has or saw. Append-only."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from stockpile.db.tables.base import binary, key, metadata, moment
from stockpile.db.tables.reference import one_of

INCOMING, OUTGOING, SIGHTING = "incoming request", "outgoing request", "sighting"
KINDS = (INCOMING, OUTGOING, SIGHTING)
COMPLETE, PARTIAL, OBLITERATED, NONE = "complete", "partial", "obliterated", "none"
SERIAL_STATUSES = (COMPLETE, PARTIAL, OBLITERATED, NONE)
"""As registers of lost weapons ask it (standards, section 4)."""
CONFIDENCES = ("certain", "probable", "possible", "doubtful")
HOW = ("recovered", "observed")
"""Whether a weapon that was sighted was taken, or only seen."""

ACKNOWLEDGED, DELAYED, REMARK, IDENTIFIED = "acknowledged", "delayed", "remark", "identified"
PROPOSED, RELEASED, TURNED_DOWN = "answer proposed", "answer released", "answer turned down"
SENT, ANSWERED, REFUSED = "sent", "answered", "refused"
STEPS = (
    ACKNOWLEDGED, DELAYED, PROPOSED, RELEASED, TURNED_DOWN, SENT, ANSWERED, REFUSED, IDENTIFIED, REMARK,
)  # fmt: skip
"""What can be done about a request or a sighting."""

BY_TRACING = {"group": "desk"}
PARTY = "stockpile.party.party_id"

tracing = Table(
    "tracing",
    metadata,
    key("tracing_id", primary_key=True, comment="the client's: the idempotency key"),
    Column("kind", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("number", Integer, nullable=False, comment="of its kind and year, without gaps: SIGHTING/2026/3"),
    key(
        "register_id",
        ForeignKey("stockpile.register.register_id"),
        nullable=False,
        comment="all that was said, in one line, as the log commits it",
    ),
    Column("serial_number", Text, comment="as read: ? one unreadable character, * any number of them"),
    Column("serial_status", Text, nullable=False),
    Column("model", Text),
    Column("maker", Text),
    Column("calibre", Text),
    Column("country", Text, comment="of manufacture, ISO 3166"),
    Column("place", Text),
    Column("place_country", Text),
    Column("found_on", Date, comment="when it was found or seen"),
    Column("confidence", Text),
    Column("how", Text),
    Column("photos", JSONB, nullable=False, server_default="[]", comment="SHA-256 of each"),
    Column("came_on", Date, nullable=False, comment="the day on which it reached us, or on which we ask"),
    key("recorded_by", ForeignKey(PARTY), nullable=False),
    moment("recorded_at", nullable=False),
    binary("content_hash", nullable=False),
    UniqueConstraint("kind", "year", "number", name="tracing_number"),
    CheckConstraint(one_of("kind", KINDS), name="tracing_kind"),
    CheckConstraint(one_of("serial_status", SERIAL_STATUSES), name="tracing_serial_status"),
    CheckConstraint(
        "(serial_number IS NOT NULL) = (serial_status IN ('complete', 'partial'))", name="tracing_serial_said"
    ),
    CheckConstraint("country ~ '^[A-Z]{2}$'", name="tracing_country"),
    CheckConstraint("place_country ~ '^[A-Z]{2}$'", name="tracing_place_country"),
    CheckConstraint(one_of("confidence", CONFIDENCES), name="tracing_confidence"),
    CheckConstraint(one_of("how", HOW), name="tracing_how"),
    CheckConstraint(
        "(kind = 'sighting') = (confidence IS NOT NULL) AND (kind = 'sighting') = (how IS NOT NULL)",
        name="tracing_sighted",
    ),
    CheckConstraint("number >= 1", name="tracing_numbered"),
    CheckConstraint("octet_length(content_hash) = 32", name="tracing_hash"),
    info=BY_TRACING,
    comment="A weapon that somebody else has or saw: a tracing request, theirs or ours, or a sighting.",
)

tracing_weapon = Table(
    "tracing_weapon",
    metadata,
    key("tracing_id", ForeignKey("stockpile.tracing.tracing_id"), primary_key=True),
    key("item_id", primary_key=True),
    key("donor_id", nullable=False),
    Column("reasons", JSONB, nullable=False, comment="why, as a list of sentences"),
    Column("stood", Text, comment="where the books had it then: the class of its account; none: outside"),
    key("site_id", ForeignKey("stockpile.site.site_id")),
    key("said_by", ForeignKey(PARTY), comment="none: by the rule, for its marks are the same"),
    moment("recorded_at", nullable=False),
    Index("tracing_weapon_of_item", "item_id"),
    Index("tracing_weapon_of_donor", "donor_id"),
    info=BY_TRACING,
    comment="Which weapon of the books it is held to be.",
)

tracing_step = Table(
    "tracing_step",
    metadata,
    key("tracing_id", ForeignKey("stockpile.tracing.tracing_id"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("previous", Integer, Computed("NULLIF(step - 1, 0)", persisted=True)),
    Column("what", Text, nullable=False),
    moment("happened_at", nullable=False),
    key("done_by", ForeignKey(PARTY), nullable=False),
    Column("words", Text),
    key("item_id", comment="the weapon that an answer or an identification names"),
    Column("answer", JSONB, comment="the whole answer as it is released and printed: it names no person"),
    Column("settles", Integer, comment="the step that proposed what is released or turned down"),
    key("proposed_by", comment="who proposed it; who releases it is another"),
    UniqueConstraint("tracing_id", "step", "done_by", name="tracing_step_done_by_key"),
    UniqueConstraint("tracing_id", "settles", name="tracing_step_settled_key"),
    CheckConstraint("step >= 1 AND settles < step", name="tracing_step_number"),
    CheckConstraint(one_of("what", STEPS), name="tracing_step_what"),
    CheckConstraint("(what = 'answer proposed') = (answer IS NOT NULL)", name="tracing_step_answer"),
    CheckConstraint(
        "(what IN ('answer released', 'answer turned down')) = (settles IS NOT NULL) "
        "AND (settles IS NULL) = (proposed_by IS NULL)",
        name="tracing_step_settles",
    ),
    CheckConstraint("what <> 'answer released' OR done_by <> proposed_by", name="tracing_step_two_people"),
    ForeignKeyConstraint(
        ["tracing_id", "previous"],
        ["stockpile.tracing_step.tracing_id", "stockpile.tracing_step.step"],
        name="tracing_step_no_gap",
    ),
    ForeignKeyConstraint(
        ["tracing_id", "settles", "proposed_by"],
        [
            "stockpile.tracing_step.tracing_id",
            "stockpile.tracing_step.step",
            "stockpile.tracing_step.done_by",
        ],
        name="tracing_step_proposal",
    ),
    info=BY_TRACING,
    comment="What was done about it, step by step, each with its time.",
)

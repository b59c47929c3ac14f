"""Cases: what somebody looks into, and part by part all that was done and found. Append-only; no ledger."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
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
)
from sqlalchemy.dialects.postgresql import JSONB

from stockpile.db.tables.base import binary, key, metadata, moment
from stockpile.db.tables.ledger import leaf_check
from stockpile.db.tables.reference import one_of

SUBJECTS = ("discrepancy", "weapon", "document", "register line", "person", "unit", "report")
PARTS = ("opened", "note", "step", "evidence", "assigned", "outcome proposed", "declined", "closed")
OUTCOMES = ("found", "clerical", "loss report", "disciplinary")

case_file = Table(
    "case_file",
    metadata,
    key("case_id", primary_key=True, comment="the client's: the idempotency key"),
    key(
        "site_id",
        ForeignKey("stockpile.site.site_id"),
        comment="whose desk reads it too; none: auditors and registrars alone",
    ),
    Column("number", Integer, nullable=False, comment="among those of its site, counted from 1"),
    Column("title", Text, nullable=False),
    Column("subject", Text, nullable=False),
    key("item_id", comment="the weapon it is about, however it came up"),
    key("discrepancy_id"),
    key("document_id"),
    key("register_id", ForeignKey("stockpile.register.register_id")),
    Column("line", Integer),
    key("party_id", ForeignKey("stockpile.party.party_id")),
    Column("report", JSON, comment="a row as somebody read it: of which report, asked how"),
    key("reopens", ForeignKey("stockpile.case_file.case_id"), comment="the closed case that it takes up again"),
    moment("opened_at", nullable=False),
    CheckConstraint("number >= 1", name="case_file_number"),
    CheckConstraint(one_of("subject", SUBJECTS), name="case_file_subject"),
    CheckConstraint(
        "CASE subject WHEN 'discrepancy' THEN discrepancy_id IS NOT NULL WHEN 'weapon' THEN item_id IS NOT NULL "
        "WHEN 'document' THEN document_id IS NOT NULL WHEN 'register line' THEN register_id IS NOT NULL AND line IS NOT NULL "
        "WHEN 'report' THEN report IS NOT NULL ELSE party_id IS NOT NULL END",
        name="case_file_names_it",
    ),
    CheckConstraint("reopens <> case_id", name="case_file_reopens_another"),
    Index("case_file_numbered", "site_id", "number", unique=True, postgresql_nulls_not_distinct=True),
    Index("case_file_of_item", "item_id", postgresql_where="item_id IS NOT NULL"),
    Index("case_file_of_discrepancy", "discrepancy_id", postgresql_where="discrepancy_id IS NOT NULL"),
    Index("case_file_of_document", "document_id", postgresql_where="document_id IS NOT NULL"),
    info={"group": "desk"},
    comment="A case: what somebody looks into, and at which site.",
)

case_part = Table(
    "case_part",
    metadata,
    key("case_id", ForeignKey("stockpile.case_file.case_id"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("previous", Integer, Computed("NULLIF(part - 1, 0)", persisted=True)),
    key(
        "part_id", nullable=False, unique=True, comment="the client's: the idempotency key; of the first the case's own"
    ),
    key("site_id", ForeignKey("stockpile.site.site_id"), comment="the case's"),
    Column("kind", Text, nullable=False),
    Column("text", Text),
    Column("attachments", JSONB, nullable=False, server_default="[]", comment="SHA-256 of each photo or scan"),
    key("owner_id", ForeignKey("stockpile.party.party_id")),
    Column("due_on", Date),
    Column("outcome", Text),
    key("document_id", comment="the document that it speaks of"),
    Column("of_part", Integer, comment="the proposal that it answers"),
    key("written_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("name_version", Integer, nullable=False),
    binary("digest", nullable=False, comment="the writer's, salted by the party's secret and this part"),
    moment("recorded_at", nullable=False),
    binary("content_hash", nullable=False),
    binary("seed", nullable=False),
    binary("leaf", nullable=False),
    ForeignKeyConstraint(
        ["case_id", "previous"],
        ["stockpile.case_part.case_id", "stockpile.case_part.part"],
        name="case_part_no_gap",
    ),
    CheckConstraint("part >= 1", name="case_part_number"),
    CheckConstraint(one_of("kind", PARTS), name="case_part_kind"),
    CheckConstraint("(kind = 'opened') = (part = 1)", name="case_part_opens"),
    CheckConstraint(
        "CASE kind WHEN 'evidence' THEN attachments <> '[]' WHEN 'closed' THEN true WHEN 'opened' THEN true "
        "WHEN 'assigned' THEN true ELSE text IS NOT NULL END",
        name="case_part_says_something",
    ),
    CheckConstraint(
        "(kind IN ('opened', 'assigned')) = (owner_id IS NOT NULL) AND (owner_id IS NULL) = (due_on IS NULL)",
        name="case_part_owner",
    ),
    CheckConstraint(one_of("outcome", OUTCOMES), name="case_part_outcome"),
    CheckConstraint("(kind = 'outcome proposed') = (outcome IS NOT NULL)", name="case_part_proposes"),
    CheckConstraint("(kind IN ('declined', 'closed')) = (of_part IS NOT NULL)", name="case_part_answers"),
    CheckConstraint("outcome <> 'loss report' OR document_id IS NOT NULL", name="case_part_loss_report"),
    CheckConstraint(
        "octet_length(digest) = 32 AND octet_length(content_hash) = 32 AND octet_length(seed) = 32",
        name="case_part_digests",
    ),
    leaf_check("case_part_leaf", 5),
    Index("case_part_closed_once", "case_id", unique=True, postgresql_where="kind = 'closed'"),
    Index(
        "case_part_attachments",
        "attachments",
        postgresql_using="gin",
        postgresql_ops={"attachments": "jsonb_path_ops"},
        postgresql_where="attachments <> '[]'",
    ),
    info={"group": "desk"},
    comment="What was done in a case, part by part: research, notes, evidence, who answers for it, how it ends.",
)

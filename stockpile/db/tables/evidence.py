"""What is added to documents later, and the erasure of persons: who ordered it and what went, never who it was."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
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
from stockpile.db.tables.ledger import BY_DOCUMENT, leaf_check
from stockpile.db.tables.reference import REFERENCE, one_of

note = Table(
    "note",
    metadata,
    key("note_id", primary_key=True, comment="the client's: the idempotency key"),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False, comment="the document's"),
    key("document_id", ForeignKey("stockpile.document.document_id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text),
    Column("attachments", JSONB, nullable=False, server_default="[]", comment="SHA-256 of each photo or scan"),
    key("written_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("name_version", Integer, nullable=False),
    binary("digest", nullable=False, comment="the writer's, salted by the party's secret and this note"),
    moment("happened_at"),
    moment("recorded_at", nullable=False),
    binary("content_hash", nullable=False),
    binary("seed", nullable=False),
    binary("leaf", nullable=False),
    CheckConstraint(one_of("kind", ("attachment", "remark", "signature")), name="note_kind"),
    CheckConstraint(
        "CASE kind WHEN 'remark' THEN text IS NOT NULL ELSE attachments <> '[]' END", name="note_says_something"
    ),
    CheckConstraint("happened_at <= recorded_at", name="note_not_in_future"),
    CheckConstraint(
        "octet_length(digest) = 32 AND octet_length(content_hash) = 32 AND octet_length(seed) = 32", name="note_digests"
    ),
    leaf_check("note_leaf", 5),
    Index("note_of_document", "document_id", "recorded_at"),
    Index("note_attachments", "attachments", postgresql_using="gin", postgresql_ops={"attachments": "jsonb_path_ops"}),
    info=BY_DOCUMENT,
    comment="What was added to a document later: a signed paper, a photo, a remark.",
)

erasure_order = Table(
    "erasure_order",
    metadata,
    key("erasure_id", primary_key=True),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("order_reference", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("redact", JSONB, nullable=False, comment="which words are to go too, by where they stand"),
    Column("files", JSONB, nullable=False, comment="SHA-256 of each file that is to go too"),
    binary("content_hash", nullable=False),
    key("asked_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("asked_at", nullable=False),
    moment("settled_at"),
    key("settled_by", ForeignKey("stockpile.party.party_id")),
    Column("outcome", Text),
    CheckConstraint(one_of("outcome", ("approved", "rejected", "withdrawn")), name="erasure_order_outcome"),
    CheckConstraint("(settled_at IS NULL) = (outcome IS NULL)", name="erasure_order_settled"),
    CheckConstraint("outcome <> 'approved' OR settled_by <> asked_by", name="erasure_order_two_people"),
    Index("erasure_order_waiting", "party_id", unique=True, postgresql_where="outcome IS NULL"),
    info=REFERENCE,
    comment="That a person be erased: asked for by one, waiting for another. Never holds the name.",
)

erasure = Table(
    "erasure",
    metadata,
    key("erasure_id", ForeignKey("stockpile.erasure_order.erasure_id"), primary_key=True),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("order_reference", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("files", JSONB, nullable=False, comment="SHA-256 of each file that went"),
    Column(
        "registers",
        JSONB,
        nullable=False,
        comment="each list with erased cells: its lines, its digest before and after",
    ),
    Column("erased", JSONB, nullable=False, comment="how much of each kind went"),
    key("asked_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("asked_by_version", Integer, nullable=False),
    binary("asked_by_digest", nullable=False),
    key("approved_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("approved_by_version", Integer, nullable=False),
    binary("approved_by_digest", nullable=False),
    moment("asked_at", nullable=False),
    moment("recorded_at", nullable=False),
    binary("seed", nullable=False),
    binary("leaf", nullable=False),
    UniqueConstraint("party_id", name="erasure_of_party"),
    CheckConstraint(
        "asked_by <> approved_by AND party_id <> asked_by AND party_id <> approved_by", name="erasure_two_people"
    ),
    CheckConstraint(
        "octet_length(asked_by_digest) = 32 AND octet_length(approved_by_digest) = 32 AND octet_length(seed) = 32",
        name="erasure_digests",
    ),
    leaf_check("erasure_leaf", 5),
    info=REFERENCE,
    comment="That a person was erased, by whose order and approval; never who it was.",
)

erased_file = Table(
    "erased_file",
    metadata,
    binary("sha256", primary_key=True),
    key("erasure_id", ForeignKey("stockpile.erasure.erasure_id"), nullable=False),
    moment("erased_at", nullable=False),
    CheckConstraint("octet_length(sha256) = 32", name="erased_file_sha256"),
    info=REFERENCE,
    comment="Stands in place of a file that was erased: when, and by which order.",
)

register_erasure = Table(
    "register_erasure",
    metadata,
    key("register_id", ForeignKey("stockpile.register.register_id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("previous", Integer, Computed("NULLIF(version - 1, 0)", persisted=True)),
    key("erasure_id", ForeignKey("stockpile.erasure.erasure_id"), nullable=False),
    Column("lines", JSONB, nullable=False),
    binary("digest_before", nullable=False, comment="what its leaf commits, or the erasure before"),
    binary("digest_after", nullable=False),
    ForeignKeyConstraint(
        ["register_id", "previous"],
        ["stockpile.register_erasure.register_id", "stockpile.register_erasure.version"],
        name="register_erasure_no_gap",
    ),
    CheckConstraint("version >= 1", name="register_erasure_version"),
    CheckConstraint(
        "octet_length(digest_before) = 32 AND octet_length(digest_after) = 32", name="register_erasure_digests"
    ),
    info={"group": "register_id"},
    comment="Which lines of a register lost cells to an erasure, and what its digest is since.",
)

"""What donors and the host tell each other: declarations, end-user certificates, consents, answers, delivery verifications."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from stockpile.db.tables.base import binary, key, metadata, moment, written_in
from stockpile.db.tables.ledger import leaf_check
from stockpile.db.tables.reference import REFERENCE, one_of

KINDS = (
    "declaration", "end-user certificate", "consent", "delivery verification", "accepted", "sent back", "share", "withdrawn",
    "planned visit", "visit", "refused visit", "disposition report", "answered",
)  # fmt: skip
"""What a statement is; accepted, sent back, withdrawn and answered answer another."""

donor_statement = Table(
    "donor_statement",
    metadata,
    key("donor_id", ForeignKey("stockpile.party.party_id"), primary_key=True),
    key(
        "statement_id",
        primary_key=True,
        comment="the client's: the idempotency key; of one donor, so that no donor learns of another's",
    ),
    Column("kind", Text, nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id"), comment="the depot that it concerns"),
    Column("reference", Text, nullable=False, comment="the donor's number of the consignment, or of the certificate"),
    key("answers"),
    Column("content", JSONB, nullable=False),
    key("said_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("name_version", Integer, nullable=False),
    binary("digest", nullable=False, comment="the sayer's, salted by the party's secret and this statement"),
    moment("recorded_at", nullable=False),
    binary("content_hash", nullable=False),
    binary("seed", nullable=False),
    binary("leaf", nullable=False),
    written_in(),
    ForeignKeyConstraint(
        ["donor_id", "answers"], ["stockpile.donor_statement.donor_id", "stockpile.donor_statement.statement_id"]
    ),
    CheckConstraint(one_of("kind", KINDS), name="donor_statement_kind"),
    CheckConstraint(
        "(answers IS NOT NULL) = (kind IN ('accepted', 'sent back', 'withdrawn', 'answered'))",
        name="donor_statement_answers",
    ),
    CheckConstraint(
        "site_id IS NOT NULL OR kind NOT IN ('planned visit', 'visit', 'refused visit', 'disposition report')",
        name="donor_statement_visit_site",
    ),
    CheckConstraint(
        "site_id IS NOT NULL OR kind NOT IN ('declaration', 'delivery verification')", name="donor_statement_site"
    ),
    CheckConstraint(
        "octet_length(digest) = 32 AND octet_length(content_hash) = 32 AND octet_length(seed) = 32",
        name="donor_statement_digests",
    ),
    leaf_check("donor_statement_leaf", 5),
    Index("donor_statement_answered_once", "donor_id", "answers", unique=True, postgresql_where="answers IS NOT NULL"),
    Index("donor_statement_of_reference", "donor_id", "kind", "reference"),
    Index("donor_statement_share", text("(content->>'partner')"), postgresql_where=text("kind = 'share'")),
    Index("donor_statement_of_site", "site_id", "statement_id"),
    Index("donor_statement_written", "written_in", "statement_id", "donor_id"),
    info=REFERENCE,
    comment="What donors and the host tell each other: declarations, certificates, consents, answers, delivery verifications.",
)

donor_file = Table(
    "donor_file",
    metadata,
    key("donor_id", ForeignKey("stockpile.party.party_id"), primary_key=True),
    binary("sha256", primary_key=True),
    moment("stored_at", nullable=False),
    CheckConstraint("octet_length(sha256) = 32", name="donor_file_sha256"),
    info=REFERENCE,
    comment="That a donor stored a file itself: only such files can it name.",
)

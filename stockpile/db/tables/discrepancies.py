"""What contradicts the ledger, what was done about it, and who closes it. Append-only but for the state of a discrepancy."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from stockpile.db.tables.base import key, metadata, moment, written_in
from stockpile.db.tables.ledger import BY_DOCUMENT
from stockpile.db.tables.reference import one_of

discrepancy = Table(
    "discrepancy",
    metadata,
    key("discrepancy_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("kind", Text, nullable=False),
    key("item_id", comment="none: nobody knows the weapon"),
    key("donor_id"),
    key("document_id", ForeignKey("stockpile.document.document_id"), comment="what opened it"),
    key("register_id", ForeignKey("stockpile.register.register_id"), comment="or the list that did"),
    Column("line", Integer),
    Column("books_said", Text, nullable=False),
    Column("seen", Text, nullable=False),
    key("owner_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("opened_at", nullable=False),
    Column("due_on", Date, nullable=False),
    moment("closed_at"),
    Column("outcome", Text),
    Column("explanation", Text),
    key("closed_by", ForeignKey("stockpile.party.party_id")),
    key(
        "explained_by",
        ForeignKey("stockpile.document.document_id"),
        comment="the document that explains or withdraws it",
    ),
    key(
        "concerns",
        ForeignKey("stockpile.document.document_id"),
        comment="the document it is about, where a later one opened it",
    ),
    key(
        "proposed_by",
        ForeignKey("stockpile.party.party_id"),
        comment="who asked for it to be closed; who closed it is another",
    ),
    key(
        "book_id",
        ForeignKey("stockpile.book.book_id"),
        comment="of a gap: the book whose numbers have not come",
    ),
    Column("first_number", Integer, comment="of a gap: the first of them"),
    Column("last_number", Integer),
    key(
        "explained_by_count",
        ForeignKey("stockpile.physical_count.count_id"),
        comment="or the later count that found what was missing",
    ),
    written_in(),
    CheckConstraint(
        "outcome <> 'explained' OR coalesce(closed_by <> proposed_by, false)", name="discrepancy_two_people"
    ),
    CheckConstraint(
        "outcome IS NULL OR explained_by IS NOT NULL OR (explained_by_count IS NOT NULL AND outcome = 'withdrawn')",
        name="discrepancy_explained",
    ),
    CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="discrepancy_closed"),
    CheckConstraint(one_of("outcome", ("explained", "withdrawn")), name="discrepancy_outcome"),
    CheckConstraint("document_id IS NOT NULL OR register_id IS NOT NULL", name="discrepancy_has_source"),
    CheckConstraint(
        "(book_id IS NULL) = (first_number IS NULL) AND (book_id IS NULL) = (last_number IS NULL) "
        "AND first_number <= last_number",
        name="discrepancy_run",
    ),
    Index(
        "discrepancy_gap",
        "book_id",
        "first_number",
        unique=True,
        postgresql_where="closed_at IS NULL AND book_id IS NOT NULL",
    ),
    Index("discrepancy_open", "site_id", "due_on", postgresql_where="closed_at IS NULL"),
    Index("discrepancy_of_item", "item_id"),
    Index("discrepancy_of_document", "document_id"),
    Index("discrepancy_written", "written_in", "discrepancy_id"),
    info=BY_DOCUMENT,
    comment="What a fact or a reconciliation found to contradict the books; somebody owns each.",
)

discrepancy_step = Table(
    "discrepancy_step",
    metadata,
    key("discrepancy_id", ForeignKey("stockpile.discrepancy.discrepancy_id"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    key("site_id", nullable=False, comment="the discrepancy's"),
    Column("what", Text, nullable=False),
    moment("happened_at", nullable=False),
    key("done_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    key("document_id", ForeignKey("stockpile.document.document_id"), comment="the document that explains it"),
    Column("words", Text),
    written_in(),
    CheckConstraint("step >= 1", name="discrepancy_step_number"),
    CheckConstraint(
        one_of("what", ("assigned", "closure asked for", "closure refused", "closed", "withdrawn")),
        name="discrepancy_step_what",
    ),
    Index("discrepancy_step_written", "written_in", "discrepancy_id", "step"),
    info=BY_DOCUMENT,
    comment="What was done about a discrepancy, step by step.",
)

closure = Table(
    "closure",
    metadata,
    key("closure_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    key("explained_by", ForeignKey("stockpile.document.document_id"), nullable=False),
    Column("explanation", Text, nullable=False),
    Column("discrepancies", ARRAY(Uuid), nullable=False),
    key("proposed_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("proposed_at", nullable=False),
    key("settled_by", ForeignKey("stockpile.party.party_id")),
    moment("settled_at"),
    Column("outcome", Text),
    Column("reason", Text),
    CheckConstraint(one_of("outcome", ("approved", "refused", "withdrawn")), name="closure_outcome"),
    CheckConstraint(
        "(settled_at IS NULL) = (outcome IS NULL) AND (settled_at IS NULL) = (settled_by IS NULL)",
        name="closure_settled",
    ),
    CheckConstraint("outcome <> 'approved' OR settled_by <> proposed_by", name="closure_two_people"),
    CheckConstraint("cardinality(discrepancies) > 0", name="closure_some"),
    Index("closure_waiting", "site_id", postgresql_where="outcome IS NULL"),
    info=BY_DOCUMENT,
    comment="Discrepancies that somebody says a document explains, waiting for a second person.",
)

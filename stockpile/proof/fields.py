"""Which fields an entry, a document and a statement between donor and host commit, in which order. Frozen once they were in a log
(docs/log.md).
"""

from __future__ import annotations

ENTRY_FIELDS = (
    "item_id",
    "version",
    "document_id",
    "line",
    "site_id",
    "donor_id",
    "model_id",
    "serial_number",
    "quantity",
    "from_account",
    "from_class",
    "to_account",
    "to_class",
    "condition",
    "happened_at",
    "recorded_at",
    "claimed_from",
    "reverses",
    "posts_again",
)

PARTS = ("posted_by", "approved_by", "received_by", "handed_over_by", "reported_by", "witness_1", "witness_2")
"""In which parts a person can stand on a document; each is a field of its leaf, salted by the party's secret."""

DOCUMENT_FIELDS = (
    "document_id",
    "site_id",
    "number",
    "act",
    "fact",
    "undo",
    "happened_at",
    "happened_precision",
    "recorded_at",
    "clock_offset",
    "claimed_number",
    "line_count",
    "quantity",
    "details",
    "attachments",
    "content_hash",
    "entries",
    *PARTS,
)

DONOR_STATEMENT_FIELDS = (
    "statement_id",
    "donor_id",
    "kind",
    "site_id",
    "reference",
    "answers",
    "content",
    "recorded_at",
    "content_hash",
    "said_by",
)
"""A leaf of kind note (docs/donor-consignments.md)."""

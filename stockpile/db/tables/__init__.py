"""The tables, one module a subject; `metadata` knows them all. Functions, policies and privileges stand in the migrations.

Keys are UUIDv7 made by client or service, times are UTC, digests SHA-256. Each table's `info["group"]` is its place
when the database is sharded (DESIGN section 7): unique and foreign keys hold the key of their group or point to
`reference`; `CROSSING` lists the few that do not, with what checks each.
"""

from stockpile.db.tables import (
    alerts,
    allowances,
    audits,
    cases,
    counts,
    desk,
    discrepancies,
    donors,
    evidence,
    guests,
    ledger,
    log,
    reference,
    single_sign_on,
    tracing,
    transfers,
    visits,
)
from stockpile.db.tables.base import metadata

CROSSING = {
    "entry.document_id": "entry_posted compares every entry with its document; a document's leaf commits its entries",
    "item.tag_number": "drawn from one sequence; unique in each shard, and over all of them by the sequence",
    "identity.item_id": "written with the item in one transaction",
}

__all__ = [
    "CROSSING",
    "alerts",
    "allowances",
    "audits",
    "cases",
    "counts",
    "desk",
    "discrepancies",
    "donors",
    "evidence",
    "guests",
    "ledger",
    "log",
    "metadata",
    "reference",
    "single_sign_on",
    "tracing",
    "transfers",
    "visits",
]

"""The desk: who may speak to the service, and long jobs. Small tables on one node, outside the ledger."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from stockpile.db.tables.base import binary, key, metadata, moment
from stockpile.db.tables.reference import one_of

ROLES = ("clerk", "armourer", "commander", "registrar", "auditor", "donor")

token = Table(
    "token",
    metadata,
    key("token_id", primary_key=True),
    binary(
        "secret_hash", nullable=False, unique=True, comment="SHA-256 of the token: 256 random bits need no slow hash"
    ),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("role", Text, nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id")),
    key("donor_id", ForeignKey("stockpile.party.party_id")),
    Column("book_code", Text, comment="the counter it posts from"),
    Column("label", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("expires_at", nullable=False),
    moment("revoked_at"),
    CheckConstraint(one_of("role", ROLES), name="token_role"),
    CheckConstraint("(role IN ('clerk', 'armourer', 'commander')) <= (site_id IS NOT NULL)", name="token_site"),
    CheckConstraint("(role = 'donor') = (donor_id IS NOT NULL)", name="token_donor"),
    CheckConstraint("octet_length(secret_hash) = 32", name="token_hash"),
    info={"group": "desk"},
    comment="A bearer token of one party in one role and scope.",
)

job = Table(
    "job",
    metadata,
    key("job_id", primary_key=True),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    key("site_id", ForeignKey("stockpile.site.site_id")),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer),
    Column("result", JSONB),
    moment("started_at", nullable=False),
    moment("seen_at", nullable=False, comment="the last sign of life: a running job without one was interrupted"),
    moment("ended_at"),
    CheckConstraint(one_of("state", ("running", "done", "failed", "cancelled", "interrupted")), name="job_state"),
    info={"group": "desk"},
    comment="A long task of somebody's, with its progress.",
)

"""The desk: who may speak to the service, devices, and long jobs. Small tables on one node, outside the ledger."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, Interval, Table, Text, UniqueConstraint
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

device = Table(
    "device",
    metadata,
    key("device_id", primary_key=True),
    key("site_id", ForeignKey("stockpile.site.site_id"), nullable=False),
    Column("book_code", Text, nullable=False, comment="its own book, in which nobody else numbers"),
    Column("label", Text, nullable=False),
    binary("public_key", nullable=False, unique=True, comment="Ed25519; the device alone has the other half"),
    key("enrolled_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("enrolled_at", nullable=False),
    moment("revoked_at", comment="what comes from it later is kept, with a discrepancy"),
    key("revoked_by", ForeignKey("stockpile.party.party_id")),
    UniqueConstraint("site_id", "book_code", name="device_book"),
    CheckConstraint("book_code ~ '^[A-Z0-9-]{1,12}$'", name="device_book_code_form"),
    CheckConstraint("octet_length(public_key) = 32", name="device_key_length"),
    CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="device_revoked"),
    info={"group": "desk"},
    comment="A device of a site that writes vouchers offline and signs them.",
)

device_contact = Table(
    "device_contact",
    metadata,
    key("device_id", ForeignKey("stockpile.device.device_id"), primary_key=True),
    moment("contacted_at", primary_key=True),
    Column("clock_offset", Interval, nullable=False, comment="its clock less ours: positive is ahead"),
    info={"group": "desk"},
    comment="When a device was in touch, and how far its clock was off then.",
)

device_reject = Table(
    "device_reject",
    metadata,
    key("reject_id", primary_key=True),
    key("device_id", ForeignKey("stockpile.device.device_id"), nullable=False),
    key("document_id", comment="as it names itself, if that can be read"),
    binary("payload", nullable=False, comment="to the byte, as it came"),
    binary("signature", nullable=False),
    binary("digest", nullable=False, comment="SHA-256 over payload and signature: what comes again is kept once"),
    Column("reason", Text, nullable=False),
    key("carried_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("received_at", nullable=False),
    UniqueConstraint("device_id", "digest", name="device_reject_once"),
    CheckConstraint("octet_length(digest) = 32", name="device_reject_digest"),
    info={"group": "desk"},
    comment="What came from a device and could not be posted: kept, so that somebody can look at it.",
)

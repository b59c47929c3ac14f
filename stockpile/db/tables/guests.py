"""Guests: people from outside who read for a time what they were invited to, and what they asked for."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from stockpile.db.tables.base import binary, key, metadata, moment
from stockpile.db.tables.reference import one_of

SCOPES = ("country", "donor", "consignments")

guest = Table(
    "guest",
    metadata,
    key("guest_id", primary_key=True),
    key("party_id", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("scope", Text, nullable=False),
    key(
        "donor_id",
        ForeignKey("stockpile.party.party_id"),
        comment="whose weapons are read, all or those of the consignments named",
    ),
    Column("reason", Text, nullable=False),
    moment("from_at", nullable=False),
    moment("until_at", nullable=False),
    binary("content_hash", nullable=False),
    key("asked_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    moment("asked_at", nullable=False),
    moment("settled_at"),
    key("settled_by", ForeignKey("stockpile.party.party_id")),
    Column("outcome", Text),
    moment("revoked_at"),
    key("revoked_by", ForeignKey("stockpile.party.party_id")),
    CheckConstraint(one_of("scope", SCOPES), name="guest_scope"),
    CheckConstraint("(scope = 'country') = (donor_id IS NULL)", name="guest_donor"),
    CheckConstraint("until_at > from_at", name="guest_until"),
    CheckConstraint(one_of("outcome", ("approved", "rejected", "withdrawn")), name="guest_outcome"),
    CheckConstraint(
        "(settled_at IS NULL) = (outcome IS NULL) AND (settled_by IS NULL) = (outcome IS NULL)", name="guest_settled"
    ),
    CheckConstraint("outcome <> 'approved' OR settled_by NOT IN (asked_by, party_id)", name="guest_two_people"),
    CheckConstraint(
        "(revoked_at IS NULL) = (revoked_by IS NULL) AND (revoked_at IS NULL OR outcome = 'approved')",
        name="guest_revoked",
    ),
    CheckConstraint("octet_length(content_hash) = 32", name="guest_hash"),
    info={"group": "desk"},
    comment="That somebody from outside reads for a time, and writes nothing: asked for by one, approved by another.",
)

guest_consignment = Table(
    "guest_consignment",
    metadata,
    key("guest_id", ForeignKey("stockpile.guest.guest_id"), primary_key=True),
    key("consignment_id", ForeignKey("stockpile.consignment.consignment_id"), primary_key=True),
    info={"group": "desk"},
    comment="The consignments that a guest reads, if not more.",
)

guest_reading = Table(
    "guest_reading",
    metadata,
    key("reading_id", primary_key=True),
    key("guest_id", ForeignKey("stockpile.guest.guest_id"), nullable=False),
    moment("read_at", nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False, comment="without what was asked of it"),
    Index("guest_reading_of_guest", "guest_id", "read_at"),
    info={"group": "desk"},
    comment="What a guest asked for, before it was answered.",
)

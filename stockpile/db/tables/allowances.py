"""Allowances: how many of a model a unit may have, list after list. Append-only."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, Table

from stockpile.db.tables.base import key, metadata, moment
from stockpile.db.tables.reference import REFERENCE

allowance = Table(
    "allowance",
    metadata,
    key(
        "register_id",
        ForeignKey("stockpile.register.register_id"),
        primary_key=True,
        comment="the list it came from, named for the order",
    ),
    key("unit_id", ForeignKey("stockpile.party.party_id"), primary_key=True),
    key("model_id", ForeignKey("stockpile.model.model_id"), primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("since", Date, nullable=False, comment="the list's day"),
    moment("recorded_at", nullable=False, comment="the list's"),
    CheckConstraint("quantity >= 0", name="allowance_quantity"),
    Index("allowance_of_unit", "unit_id", "since", "recorded_at"),
    info=REFERENCE,
    comment="Authorised strength of a unit with its sub-units, by model; a unit's last list by its day holds.",
)

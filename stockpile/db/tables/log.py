"""The transparency log, as far as posting needs it: the queue of leaves that no checkpoint covers yet."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Table

from stockpile.db.tables.base import binary, metadata

unsequenced = Table(
    "unsequenced",
    metadata,
    Column(
        "position",
        BigInteger,
        Identity(always=True),
        primary_key=True,
        comment="for the queue only: says nothing of commit order",
    ),
    binary("leaf", nullable=False),
    CheckConstraint("octet_length(leaf) = 65 AND get_byte(leaf, 0) BETWEEN 1 AND 5", name="unsequenced_leaf"),
    info={"group": "log"},
    comment="Leaves of committed postings, waiting for the sequencer.",
)

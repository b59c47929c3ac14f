"""Shipments on their way: what both ends must know, and how they pass from carrier to carrier. Append-only, and beside
the ledger: what was shipped and what arrived say the entries.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, Table, Text

from stockpile.db.tables.base import key, metadata, moment
from stockpile.db.tables.ledger import BY_DOCUMENT

shipment = Table(
    "shipment",
    metadata,
    key("document_id", ForeignKey("stockpile.document.document_id"), primary_key=True, comment="the shipping order"),
    Column("number", Text, nullable=False, comment="its full number"),
    key("from_site", ForeignKey("stockpile.site.site_id"), nullable=False, comment="whose document it is"),
    key("to_site", ForeignKey("stockpile.site.site_id"), nullable=False),
    key("transit_account", ForeignKey("stockpile.account.account_id"), nullable=False),
    key(
        "consignment_id",
        ForeignKey("stockpile.consignment.consignment_id"),
        comment="the donor's consignment that is on its way; none: between two sites",
    ),
    Column("carrier", Text, nullable=False, comment="who took it over from the sender"),
    Column("driver", Text),
    Column("vehicle", Text),
    Column("seal_numbers", Text),
    Column("route", Text),
    Column("expected_on", Date, nullable=False),
    moment("shipped_at", nullable=False),
    CheckConstraint("(from_site = to_site) = (consignment_id IS NOT NULL)", name="shipment_goes_somewhere"),
    Index("shipment_expected", "expected_on", "document_id"),
    Index("shipment_from", "from_site", "expected_on"),
    Index("shipment_to", "to_site", "expected_on"),
    Index("shipment_number", "number"),
    info=BY_DOCUMENT,
    comment="What a shipping order says of the way: the destination can't read the sender's document.",
)

carrier_hand_over = Table(
    "carrier_hand_over",
    metadata,
    key("document_id", ForeignKey("stockpile.shipment.document_id"), primary_key=True, comment="the shipment"),
    Column("ordinal", Integer, primary_key=True),
    Column("handed_over_by", Text, nullable=False),
    Column("carrier", Text, nullable=False, comment="who took it over"),
    Column("place", Text, nullable=False),
    moment("happened_at", nullable=False),
    moment("recorded_at", nullable=False),
    key("recorded_by", ForeignKey("stockpile.party.party_id"), nullable=False),
    Column("remarks", Text),
    CheckConstraint("ordinal >= 1", name="carrier_hand_over_ordinal"),
    CheckConstraint("happened_at <= recorded_at", name="carrier_hand_over_not_in_future"),
    info=BY_DOCUMENT,
    comment="A shipment passes from one carrier to the next; it moves nothing.",
)

"""The receiving report: besides what came, what is missing. Once the receipt was said to be complete, what is short is what was
found then; while more may come, what of the shipment is still outstanding when the copy is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection

from stockpile.discrepancies import Kind
from stockpile.errors import NotFound
from stockpile.papers.lines import differences, item_name
from stockpile.papers.paper import Block, Column, Row, Table, Text
from stockpile.papers.words import Word
from stockpile.reports.discrepancies import DiscrepancyRow
from stockpile.reports.export import every_row
from stockpile.reports.papers import PaperHead, supply_lines
from stockpile.reports.shipments import ShipmentLine, list_shipment_lines
from stockpile.rights import Actor

MISSING = (Kind.SHORTAGE,)
FOUND = (Kind.EXCESS, Kind.MISMATCH, Kind.TWIN, Kind.UNKNOWN_WEAPON, Kind.HELD_ELSEWHERE, Kind.DOUBTFUL)
TOLD = frozenset((*MISSING, *FOUND))
"""The discrepancies that this paper tells under headings of its own."""


def blocks(connection: Connection, actor: Actor, head: PaperHead, found: Sequence[DiscrepancyRow]) -> Iterator[Block]:
    """What is missing, or outstanding; then what came otherwise than expected."""
    short = [row for row in found if row.kind in MISSING]
    if head.details.get("complete"):
        if short:
            yield differences(short, Word("Missing: declared or shipped, and not arrived"))
        else:
            yield Text(((Word("Nothing is missing: all that was declared or shipped has arrived."),),), notice=True)
    else:
        yield from _outstanding(connection, actor, head)
    otherwise = [row for row in found if row.kind in FOUND]
    if otherwise:
        yield differences(otherwise, Word("Came otherwise than expected"))


def _outstanding(connection: Connection, actor: Actor, head: PaperHead) -> Iterator[Block]:
    """What of the shipment or consignment may still come."""
    rows: list[Row] = []
    if shipment := head.details.get("shipment"):
        rows = [*_of_shipment(connection, actor, str(shipment))]
    elif consignment := head.details.get("consignment"):
        rows = [
            Row((item_name(one.model, one.maker), one.serial_number, one.asset_tag, f"{one.quantity:,}"))
            for one in supply_lines(connection, str(consignment))
        ]
    elif not head.details.get("shipment_number"):
        return
    columns = (
        Column(Word("Item"), None),
        Column(Word("Serial number"), 42, "code"),
        Column(Word("Asset tag"), 28, "code"),
        Column(Word("Qty"), 16, "number"),
    )
    yield Table(
        columns,
        tuple(rows),
        Word("Missing so far: still outstanding when this copy was printed"),
        empty=Word("Nothing is outstanding."),
    )


def _of_shipment(connection: Connection, actor: Actor, shipment: str) -> Iterable[Row]:
    try:
        lines: list[ShipmentLine] = list(
            every_row(lambda limit, cursor: list_shipment_lines(connection, actor, shipment, limit, cursor))
        )
    except NotFound:
        return
    for line in lines:
        if line.outstanding:
            yield Row((line.model, line.serial_number, line.asset_tag, f"{line.outstanding:,}"))

"""What a visit found: each line against the ledger at its own moment, by the engine of counts, of one donor's weapons alone; and, where
everything was to be shown, what nobody read. Other donors' weapons are as if the books had none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection

from stockpile.discrepancies import Contradiction
from stockpile.discrepancies import Kind as Contradicts
from stockpile.documents import ItemLine
from stockpile.donors.plans import monitored_models
from stockpile.donors.visit_lists import Read
from stockpile.movements import HELD
from stockpile.registers.count_findings import Counted, Finding, Kind, LineRead, Moved, moved_since, weapons_found
from stockpile.scans import candidates
from stockpile.sites import Site, find_store

READ_AGAIN, DIFFERS = "read again", "differs"
"""Findings that counts do not have: the same weapon twice; a holder says otherwise than the books."""

DIFFERENCES = (str(Kind.MISSING), str(Kind.UNEXPECTED), DIFFERS)
"""Findings that are discrepancies."""


@dataclass(frozen=True, slots=True)
class LineFound:
    """A line as its donor reads it: what was read, which weapon that is, where the ledger had it at that moment."""

    line: int
    read: str | None
    item_id: UUID | None
    finding: str
    stood: str | None = None
    stood_site: UUID | None = None
    said: str | None = None
    said_on: date | None = None
    read_at: datetime | None = None
    condition: str | None = None


def resolve(connection: Connection, donor_id: UUID, read: Sequence[Read]) -> None:
    """Which of the donor's weapons each line means, and which line reads one again. The connection stands in a desk's role."""
    lines = [ItemLine(scan=one.said.scan, model=one.said.model) for one in read]
    first: dict[UUID | str, int] = {}
    for one, meant in zip(read, candidates(connection, lines, donor_id), strict=True):
        one.meant = meant
        before = first.setdefault(one.key, one.line)
        one.again_of = before if before != one.line else None


_HANDS = "SELECT account_id FROM account WHERE site_id = %s AND class = ANY (%s)"


def compare_visit(
    connection: Connection,
    site: Site,
    donor_id: UUID,
    store: str | None,
    began_at: datetime,
    ended_at: datetime,
    complete: bool,
    read: Sequence[Read],
) -> list[Finding]:
    """The findings: of each line that reads a weapon for the first time, then, where the visit was complete, of what nobody read. The
    connection stands in the site's name. Raises Invalid (store).
    """
    accounts = (
        frozenset(connection.exec_driver_sql(_HANDS, (site.site_id, [str(one) for one in HELD])).scalars())
        if store is None
        else frozenset({find_store(connection, site, store).account_id})
    )
    resolve(connection, donor_id, read)
    lines = [
        LineRead(one.line, one.item_id, tuple(one.meant), None, None, 1, one.read_at)
        for one in read
        if one.again_of is None
    ]
    moved = moved_since(connection, accounts, began_at) if complete else []
    to_show = _to_show(connection, donor_id, accounts, moved) if complete else frozenset()
    return weapons_found(connection, Counted(began_at, ended_at, accounts, to_show, lines, moved))


_TO_SHOW = """
SELECT i.item_id FROM item i
WHERE i.donor_id = %(donor)s AND i.model_id = ANY (%(models)s)
  AND (i.item_id IN (SELECT h.item_id FROM holding h WHERE h.serial AND h.account_id = ANY (%(accounts)s)) OR i.item_id = ANY (%(moved)s))
"""


def _to_show(
    connection: Connection, donor_id: UUID, accounts: Collection[UUID], moved: Sequence[Moved]
) -> frozenset[UUID]:
    """The donor's weapons under enhanced monitoring that are there, or came or went since."""
    asked = {
        "donor": donor_id,
        "models": monitored_models(connection, donor_id),
        "accounts": list(accounts),
        "moved": list({move.item_id for move in moved}),
    }
    return frozenset(connection.exec_driver_sql(_TO_SHOW, asked).scalars())


def lines_found(read: Sequence[Read], found: Sequence[Finding]) -> Iterator[LineFound]:
    """Every line with what was found of it, then what nobody read."""
    by_line = {one.line: one for one in found if one.line is not None}
    last = 0
    for one in read:
        last = max(last, one.line)
        said = one.said
        finding = by_line.get(one.line)
        if finding is None:
            yield LineFound(one.line, said.scan, one.item_id, READ_AGAIN, read_at=one.read_at, condition=said.condition)
            continue
        at = finding.at
        yield LineFound(
            one.line, said.scan, finding.item_id, str(finding.kind), at.account_class if at else None, at.site_id if at else None,
            read_at=one.read_at, condition=said.condition,
        )  # fmt: skip
    for line, finding in enumerate((one for one in found if one.line is None), last + 1):
        at = finding.at
        yield LineFound(
            line, None, finding.item_id, str(finding.kind), at.account_class if at else None, at.site_id if at else None
        )


_ADD = """
INSERT INTO visit_line (donor_id, statement_id, site_id, line, read, item_id, finding, stood, stood_site, said, said_on, read_at, condition)
SELECT %s::uuid, %s::uuid, %s::uuid, *
FROM unnest(%s::int[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::text[], %s::date[], %s::timestamptz[], %s::text[])
"""


def add_lines(
    connection: Connection, statement_id: UUID, donor_id: UUID, site_id: UUID, lines: Iterator[LineFound]
) -> None:
    """Keeps the lines of a statement that was just said."""
    while batch := list(islice(lines, 1000)):
        rows = [
            (
                one.line, one.read, one.item_id, one.finding, str(one.stood) if one.stood else None, one.stood_site, one.said,
                one.said_on, one.read_at, one.condition,
            )
            for one in batch
        ]  # fmt: skip
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.exec_driver_sql(_ADD, (donor_id, statement_id, site_id, *columns))


_CALLED = """
SELECT i.item_id, concat_ws(' ', m.name, n.serial_number)
FROM item i JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(i.item_id) n ON true
WHERE i.item_id = ANY (%s)
"""


def called(connection: Connection, item_ids: Collection[UUID]) -> dict[UUID, str]:
    """Weapons as a discrepancy names them: model and serial number."""
    return {row[0]: row[1] for row in connection.exec_driver_sql(_CALLED, (list(item_ids),))}


def contradictions(
    connection: Connection, donor_id: UUID, visit: str, read: Sequence[Read], found: Sequence[Finding]
) -> Iterator[Contradiction]:
    """What the books and the inspector say differently, in words."""
    names = called(connection, {one.item_id for one in found if one.item_id is not None})
    scans = {one.line: one for one in read}
    for one in found:
        name = names.get(one.item_id) if one.item_id is not None else None
        about = (one.item_id, donor_id, one.line)
        if one.kind is Kind.MISSING and one.at is not None:
            yield Contradiction(
                Contradicts.MISSING_AT_VISIT, f"{name} on {one.at.words}", f"not shown at {visit}", *about
            )
        elif one.kind is Kind.UNEXPECTED and name is not None:
            where = f"{name} on {one.at.words}" if one.at else f"{name} not in the books at that moment"
            yield Contradiction(Contradicts.UNEXPECTED_AT_VISIT, where, f"read at {visit}", *about)
        elif one.kind is Kind.UNEXPECTED and one.line is not None:
            several = len(scans[one.line].meant)
            books = (
                f"{several} weapons of this donor bear it, none of them there"
                if several
                else "no weapon of this donor bears it"
            )
            yield Contradiction(
                Contradicts.UNEXPECTED_AT_VISIT, books, f"{scans[one.line].said.scan!r} read at {visit}", *about
            )

"""What a scan means: from a label, a mark or a typed serial number to the items that may be meant. Decides nothing where
several bear the same number: that is the clerk's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import ask
from stockpile.documents import SEPARATORS, ItemLine
from stockpile.errors import Invalid
from stockpile.identity import LONGEST_SERIAL, read_asset_tag, serial_key
from stockpile.items import Marks, whereabouts
from stockpile.marks import read_mark


def candidates(connection: Connection, lines: Sequence[ItemLine], donor_id: UUID | None = None) -> list[list[UUID]]:
    """For each line the items it may mean: by key, asset tag, UII, or exact serial number of any spelling; an old one where
    nothing bears it now. `donor_id`: of this donor's alone, as if the books had no others.

    An empty list: the books never heard of it.
    """
    by_scan = look_up(connection, {line.scan for line in lines if line.scan is not None})
    if donor_id is not None:
        by_scan = _of_donor(connection, by_scan, donor_id)
    found = [[line.item] if line.item is not None else by_scan.get(line.scan or "", []) for line in lines]
    return _in_the_books(connection, _of_model(connection, lines, found))


def _of_donor(connection: Connection, by_scan: Mapping[str, list[UUID]], donor_id: UUID) -> dict[str, list[UUID]]:
    rows = connection.exec_driver_sql(
        "SELECT item_id FROM item WHERE item_id = ANY (%s) AND donor_id = %s",
        ([item_id for meant in by_scan.values() for item_id in meant], donor_id),
    )
    own = set(rows.scalars())
    return {scan: [item_id for item_id in meant if item_id in own] for scan, meant in by_scan.items()}


def _in_the_books(connection: Connection, found: list[list[UUID]]) -> list[list[UUID]]:
    """Where several items came up, those that are in the books: what was taken back out of them is not at the counter."""
    several = {item_id for meant in found if len(meant) > 1 for item_id in meant}
    if not several:
        return found
    held = whereabouts(connection, several, lock=False)
    inside = {item_id for item_id, one in held.items() if not one.serial or one.place is not None}
    return [[one for one in meant if one in inside] or meant if len(meant) > 1 else meant for meant in found]


# Whether it bears that now: of what was neither marked nor amended since, at once. By key, not EXISTS: the planner would
# read all that were ever marked or amended into memory, while they are few.
_BEARS_NOW = """
(SELECT a.version FROM identification a WHERE a.item_id = n.item_id AND a.version = 2) IS NULL
OR coalesce((SELECT c.{column} = n.{column} FROM identified(n.item_id) c), false)
"""
_BY_TAG = "SELECT tag_number, item_id, true FROM item WHERE tag_number = ANY (%s)"
_BY_UII = f"SELECT uii, item_id, {_BEARS_NOW.format(column='uii')} FROM identification n WHERE uii = ANY (%s)"
_BY_SERIAL = f"""
SELECT serial_key, item_id, {_BEARS_NOW.format(column="serial_key")} FROM identification n WHERE serial_key = ANY (%s)
ORDER BY item_id
"""


def look_up(connection: Connection, scans: Iterable[str]) -> dict[str, list[UUID]]:
    """Each scan's items, in the order tag, UII, serial number: the first that finds something counts. Who bears a number now
    comes before who once did.
    """
    tags: dict[int, list[str]] = {}
    marks: dict[str, list[str]] = {}
    serials: dict[str, list[str]] = {}
    for scan in scans:
        tag = read_asset_tag(scan)
        if tag is not None:
            tags.setdefault(tag, []).append(scan)
        uii, serial = _marked(scan)
        if uii:
            marks.setdefault(uii, []).append(scan)
        serials.setdefault(serial_key(serial), []).append(scan)
    found: dict[str, list[UUID]] = {}
    for asked, question in ((tags, _BY_TAG), (marks, _BY_UII), (serials, _BY_SERIAL)):
        _collect(connection, question, asked, found)
    return found


def _collect(
    connection: Connection, question: str, asked: Mapping[Any, list[str]], found: dict[str, list[UUID]]
) -> None:
    """Answers the scans that nothing has answered yet; `asked` maps a value of the question to its scans."""
    wanted = {value: scans for value, scans in asked.items() if any(scan not in found for scan in scans)}
    if not wanted:
        return
    bearing: dict[str, list[UUID]] = {}
    formerly: dict[str, list[UUID]] = {}
    for value, item_id, bears in ask(connection, question, (list(wanted),)):
        fresh = bearing if bears else formerly
        for scan in wanted[value]:
            if item_id not in fresh.setdefault(scan, []):
                fresh[scan].append(item_id)
    for scan, items in (*bearing.items(), *formerly.items()):
        found.setdefault(scan, items)


def _marked(scan: str) -> tuple[str | None, str]:
    """The UII in a scanned mark, and the serial number to look for: the mark's own, else the scan as it is."""
    try:
        mark = read_mark(scan)
    except Invalid:
        return None, scan
    if mark is None:
        return None, scan
    return mark.uii, mark.serial_number or scan


def marks_of(scan: str) -> Marks:
    """What a scan says is on a weapon that the books never heard of: what a machine-readable mark holds, else a serial
    number. A text that can be no serial number is kept as a distinguishing mark.
    """
    try:
        mark = read_mark(scan)
    except Invalid:
        mark = None
    by_machine = mark if mark is not None and mark.format is not None else None
    serial = (by_machine.serial_number if by_machine else scan) or ""
    uii = by_machine.uii if by_machine else None
    if len(serial) > LONGEST_SERIAL or not serial_key(serial) or any(ord(sign) in SEPARATORS for sign in serial):
        return Marks(distinguishing_mark=scan.translate(SEPARATORS), uii=uii)
    return Marks(serial, uii=uii)


def _of_model(connection: Connection, lines: Sequence[ItemLine], found: list[list[UUID]]) -> list[list[UUID]]:
    """Where a line names its model and several items came up, those of that model."""
    several = [n for n, (line, items) in enumerate(zip(lines, found, strict=True)) if line.model and len(items) > 1]
    if not several:
        return found
    rows = connection.exec_driver_sql(
        "SELECT i.item_id, m.name FROM item i JOIN model m USING (model_id) WHERE i.item_id = ANY (%s)",
        ([item for n in several for item in found[n]],),
    )
    names: dict[UUID, str] = {row[0]: row[1].casefold() for row in rows}
    for n in several:
        wanted = (lines[n].model or "").casefold()
        found[n] = [item for item in found[n] if names.get(item) == wanted] or found[n]
    return found

"""A roster's rows as they stand in the file: service number, name, rank, unit. Whom they mean is for `stockpile/roster.py`.

A row that can't be read keeps its number and the reason; two rows that say different things of one service number are both set
aside, for nobody here can tell which is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection

from stockpile.catalogue import name_key
from stockpile.errors import Invalid
from stockpile.identity import serial_key
from stockpile.parties import LONGEST_CODE, LONGEST_NAME, Left, written
from stockpile.registers.columns import ListKind, columns_of, remember_columns
from stockpile.registers.listing import ListFile, opened_list, told_rows
from stockpile.registers.mapping import KIND_FLAGS, TEXT_FLAGS, Line, lines
from stockpile.sentences import sentence

ROSTER = ListKind(
    "roster",
    ("service_number", "name", "rank", "unit_code", "unit", "left_because"),
    (frozenset({"service_number"}), frozenset({"name"})),
)
DIGITS_LOST = (KIND_FLAGS["x"], TEXT_FLAGS["scientific"])
"""What a spreadsheet did to a number that can't be the service number any more."""


@dataclass(slots=True)
class RosterRow:
    """A row of a roster; `left`: the list says that the person is there no more, and why; `reason` says why it can't be taken, `doubts`
    what looks wrong with it.
    """

    number: int
    service_number: str = ""
    name: str = ""
    rank: str | None = None
    unit: str | None = None
    left: Left | None = None
    cells: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def key(self) -> str:
        """The service number without what writers vary: case, blanks, dashes, the script of its digits."""
        return serial_key(self.service_number)


@dataclass(slots=True)
class RosterList:
    """A roster as read. What it has no column for, it says nothing about."""

    rows: list[RosterRow] = field(default_factory=list)
    tells_rank: bool = False
    tells_unit: bool = False


def read_roster(connection: Connection, file: ListFile, source: str, saved_by: UUID | None) -> RosterList:
    """The rows of a stored file; its columns are remembered for the source if `saved_by` says who vouches for them.

    Raises NotFound (file), UnreadableFile, Invalid (columns).
    """
    with opened_list(file) as opened:
        mapping = columns_of(connection, file, source, opened.headers, ROSTER)
        if saved_by is not None:
            remember_columns(connection, file, source, ROSTER, mapping, saved_by)
        told = {str(name) for name, _ in (*mapping.columns, *mapping.constants)}
        rows = [_row(line) for line in told_rows(lines(mapping, opened))]
        rows += [RosterRow(reject.number, cells=reject.cells, reason=reject.reason) for reject in opened.rejects]
    rows.sort(key=lambda row: row.number)
    _set_aside_repeated(rows)
    return RosterList(rows, "rank" in told, bool(told & {"unit_code", "unit"}))


def _row(line: Line) -> RosterRow:
    get = line.fields.get
    row = RosterRow(line.number, get("service_number") or "", get("name") or "", cells=line.cells, doubts=line.flags)
    row.rank, row.unit = get("rank") or None, get("unit_code") or get("unit") or None
    _read_status(row, get("left_because") or "")
    if not row.service_number:
        row.reason = sentence("no service number")
    elif lost := [flag for flag in line.flags if flag.endswith(DIGITS_LOST)]:
        row.reason = sentence("{lost}: write the service number as text", lost=lost[0])
    else:
        row.reason = _unwritable(row)
    return row


LEFT_WORDS: dict[Left, str] = {
    Left.DIED: """died; dead; deceased; killed; killed in action; kia; died of wounds; dow; fallen; décédé; mort; tué;
        متوفى; متوفي; شهيد; استشهد; قتيل; умер; погиб; убит; помер; загинув; загиблий""",
    Left.MISSING: "missing; missing in action; mia; disparu; porté disparu; مفقود; пропал без вести; зник безвісти; безвісти зниклий",
    Left.CAPTURED: "captured; prisoner of war; pow; prisonnier; أسير; в плену; пленный; у полоні; полонений",
    Left.DESERTED: "deserted; deserter; awol; absent without leave; déserteur; هارب; فار; сзч; дезертир; самовольно оставил часть",
    Left.DISCHARGED: """discharged; retired; released; resigned; left; left the service; retraité; démissionné; radié;
        مسرح; متقاعد; مستقيل; уволен; в отставке; звільнений; у відставці""",
}
"""How lists say why somebody is there no more. Any other word is that of somebody who serves: present, on leave, sick."""
_LEFT = {name_key(word): left for left, words in LEFT_WORDS.items() for word in words.split(";")}


def _read_status(row: RosterRow, said: str) -> None:
    row.left = _LEFT.get(name_key(said))


def _unwritable(row: RosterRow) -> str | None:
    """Takes number, name and rank as they may stand on a paper; else why not."""
    try:
        row.service_number = written(row.service_number, "service number", LONGEST_CODE)
        row.name = written(row.name, "name", LONGEST_NAME)
        row.rank = written(row.rank, "rank", LONGEST_CODE) if row.rank else None
    except Invalid as fault:
        return fault.detail
    return None if row.key else sentence("service number: no letter and no digit")


def _set_aside_repeated(rows: Iterable[RosterRow]) -> None:
    by_key: dict[str, list[RosterRow]] = {}
    for row in rows:
        if row.reason is None:
            by_key.setdefault(row.key, []).append(row)
    for first, *others in by_key.values():
        if all(_says(other) == _says(first) for other in others):
            for other in others:
                other.reason = sentence("the same as row {first}", first=first.number)
            continue
        numbers = [row.number for row in (first, *others)]
        for row in (first, *others):
            apart = ", ".join(str(number) for number in numbers if number != row.number)
            row.reason = sentence(
                "row {apart} says something else of the same service number: leave the right one", apart=apart
            )


def _says(row: RosterRow) -> tuple[str | None, ...]:
    return (row.service_number, row.name, row.rank, row.unit, row.left)

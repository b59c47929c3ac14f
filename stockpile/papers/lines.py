"""The lines of a document as the table of its paper: what each is, its numbers, how many, in what condition; in small letters what
goes with it, where it came from, what else is marked on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from stockpile.papers.paper import Column, Row, Said, Sentence, Table
from stockpile.papers.words import Word, word_or_text
from stockpile.reports.accessories import Accessory, read
from stockpile.reports.discrepancies import DiscrepancyRow
from stockpile.reports.papers import ModelSum, PaperLine

NO_ONE_MAKER = "various"
"""What the catalogue says of equipment that many make."""
LISTED = 1_000
"""Lines that a paper lists. A longer list is a file: its paper tells it model by model, and where the lines are."""


COLUMNS = (
    Column(Word("No."), 9, "number"),
    Column(Word("Item"), None),
    Column(Word("Stock number"), 29, "code"),
    Column(Word("Serial number"), 33, "code"),
    Column(Word("Asset tag"), 24, "code"),
    Column(Word("Qty"), 12, "number"),
    Column(Word("Condition"), 23),
)
STOCK_NUMBER = 2


def table_of_rows(rows: Sequence[Row], title: Word | None, adds_up_to: Sentence, empty: Word) -> Table:
    """Rows of `COLUMNS` as a table; where none has a stock number its column gives its room to the item."""
    shown: tuple[Row, ...] = tuple(rows)
    columns: tuple[Column, ...] = COLUMNS
    if all(row.cells[STOCK_NUMBER] is None for row in rows):
        shown = tuple(Row(_without(row.cells), row.under) for row in rows)
        columns = _without(COLUMNS)
    return Table(columns, shown, title, adds_up_to, empty=empty)


T = TypeVar("T")


def _without(cells: tuple[T, ...]) -> tuple[T, ...]:
    return (*cells[:STOCK_NUMBER], *cells[STOCK_NUMBER + 1 :])


@dataclass(frozen=True, slots=True)
class Together:
    """What goes with which weapon of a document: `owners` maps an accessory with a serial number to the line of its weapon, `counted`
    a model and lot to how many go with weapons.
    """

    with_each: Mapping[UUID, Sequence[Accessory]]
    lacking: Mapping[UUID, Sequence[Accessory]]
    owners: Mapping[UUID, int]
    counted: Mapping[tuple[str, str | None], int]

    @classmethod
    def of(cls, lines: Iterable[PaperLine], details: Mapping[str, Any]) -> Together:
        """As the document's details have it."""
        with_each = {UUID(item): read(several) for item, several in (details.get("accessories") or {}).items()}
        lacking = {UUID(item): read(several) for item, several in (details.get("accessories_short") or {}).items()}
        numbers = {line.item_id: line.line for line in lines}
        owners: dict[UUID, int] = {}
        counted = Counter[tuple[str, str | None]]()
        for weapon, several in with_each.items():
            for one in several:
                if one.item_id is None:
                    counted[one.model, one.lot] += one.quantity
                elif weapon in numbers:
                    owners[one.item_id] = numbers[weapon]
        return cls(with_each, lacking, owners, counted)

    def said_of(self, line: PaperLine) -> Iterator[Sentence]:
        """With what a weapon goes and what it lacks; of an accessory where it belongs."""
        if line.serial and line.item_id in self.with_each:
            yield (Word("with"), *_named(self.with_each[line.item_id]))
        if line.item_id in self.lacking:
            yield (Word("short of"), *_named(self.lacking[line.item_id]))
        if line.item_id in self.owners:
            yield (Word("goes with the weapon on line"), str(self.owners[line.item_id]))
        if not line.serial and (of_these := self.counted.get((line.model, line.lot))):
            yield (Word("of these with the weapons"), f"{of_these:,}")


def table_of(
    lines: Sequence[PaperLine],
    details: Mapping[str, Any],
    places: bool,
    title: Word | None = None,
) -> Table:
    """The table of lines. `places`: each says where it came from and where it went, since they differ."""
    together = Together.of(lines, details)
    rows = []
    for line in lines:
        way = [_way(line)] if places else []
        rows.append(Row(_cells(line), (*_marks(line), *way, *together.said_of(line))))
    return table_of_rows(rows, title, _total(lines), Word("No lines."))


def table_of_sums(sums: Iterable[ModelSum]) -> Table:
    """What was moved, model by model."""
    shown = (
        Column(Word("Item"), None),
        Column(Word("Stock number"), 32, "code"),
        Column(Word("Lines"), 22, "number"),
        Column(Word("Qty"), 22, "number"),
    )
    rows = tuple(
        Row((item_name(one.model, one.maker), one.stock_number, f"{one.lines:,}", f"{one.quantity:,}")) for one in sums
    )
    return Table(shown, rows, Word("By model"))


def item_name(model: str, maker: str) -> str:
    """A model with its maker, where there is one to name."""
    return model if maker in ("", NO_ONE_MAKER) else f"{model}, {maker}"


def _cells(line: PaperLine) -> tuple[Said | None, ...]:
    number: Said | None = line.serial_number
    if line.obliterated:
        number = line.serial_number or Word("obliterated")
    return (
        str(line.line),
        item_name(line.model, line.maker),
        line.stock_number,
        number,
        line.asset_tag if line.serial else None,
        f"{line.quantity:,}",
        word_or_text(line.condition) if line.condition else None,
    )


def _marks(line: PaperLine) -> list[Sentence]:
    """What else is marked on it, and what the books call it now."""
    said: list[Sentence] = []
    if line.lot:
        said.append((Word("lot"), line.lot))
    if line.obliterated and line.serial_number:
        said.append((Word("serial number partly obliterated"),))
    if line.distinguishing_mark:
        said.append((Word("distinguishing mark"), line.distinguishing_mark))
    if line.uii:
        said.append((Word("UII"), line.uii))
    if line.now_serial_number:
        said.append((Word("serial number amended since, now"), line.now_serial_number))
    if line.posts_again is not None:
        said.append((Word("posted again"),))
    if line.reverses is not None:
        said.append((Word("taken back"),))
    if not line.stands and line.reverses is None:
        said.append((Word("taken back by a correction"),))
    return said


def place(line_class: str, account: str | None) -> Said:
    """An account in words: its name where it may be told, else its class."""
    return account if account and account != line_class else word_or_text(line_class)


def _way(line: PaperLine) -> Sentence:
    origin, goal = place(line.from_class, line.from_account), place(line.to_class, line.to_account)
    if origin == goal:
        return (Word("at"), origin)
    return (Word("from"), origin, Word("to"), goal)


def _named(accessories: Sequence[Accessory]) -> list[Said]:
    """Their names, with a point between."""
    said: list[Said] = []
    for one in accessories:
        said += ["·", one.name] if said else [one.name]
    return said


def _total(lines: Sequence[PaperLine]) -> Sentence:
    weapons = sum(line.quantity for line in lines if line.serial)
    counted = sum(line.quantity for line in lines if not line.serial)
    return total(weapons, counted)


def total(weapons: int, counted: int) -> Sentence:
    """What a table adds up to: weapons, and pieces of what is counted."""
    said: list[Said] = []
    if weapons:
        said.append(Word("Weapons: %(n)s", n=f"{weapons:,}"))
    if counted:
        said += ["·"] if said else []
        said.append(Word("Counted equipment: %(n)s", n=f"{counted:,}"))
    return tuple(said)


def differences(rows: Iterable[DiscrepancyRow], title: Word) -> Table:
    """Discrepancies as a table: what the books said, what was seen."""
    columns = (
        Column(Word("Line"), 12, "number"),
        Column(Word("What"), 44),
        Column(Word("The books said"), 58),
        Column(Word("Seen"), None),
    )
    return Table(
        columns,
        tuple(
            Row((str(row.line) if row.line is not None else None, word_or_text(row.kind), row.books_said, row.seen))
            for row in rows
        ),
        title,
    )

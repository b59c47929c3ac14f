"""One list that cannot all be right, and two lists of which one says more was handed over than the other has."""

from __future__ import annotations

import pytest

from stockpile.errors import Invalid, NotAllowed, NotFound
from stockpile.keys import new_key
from stockpile.reports.records import Records, Wrong, wrong_records
from stockpile.reports.unaccounted import Unaccounted, unaccounted
from tests.lists_kept import kept
from tests.reading import asked_by
from tests.registers import compared, imported
from tests.world import Country

BOOK = """Serial,Model,Unit,Received
K 1,AKM,1COY,2013-01-05
K 1,AKM,2COY,2013-01-05
K 2,AKM,1COY,2013-01-06
k-2,AKM,1COY,2013-01-06
K 3,AKM,1COY,
,AKM,1COY,2013-01-07
K 4,AKM,,2013-01-08
K 5,AKM,1COY,2013-01-09
"""


def wrong(country: Country, text: str, what: Wrong | None = None) -> Records:
    listed = imported(country, text)
    return asked_by(country, "auditor", wrong_records, listed.register_id, what)


def told(records: Records) -> list[tuple[str | None, int | None, str | None, str | None]]:
    return [(row.serial_number, row.times, row.conflicts, row.lacks) for row in records.rows]


def test_repeated_conflicting_and_incomplete_records(country: Country) -> None:
    """Two numbers stand twice, one of them with two units; three lines lack a date, a number, a receiver. Each line counts once in all."""
    records = wrong(country, BOOK)
    assert told(records) == [
        ("K 1", 2, "unit", None), ("K 1", 2, "unit", None), ("K 2", 2, None, None), ("k-2", 2, None, None),
        ("K 3", 1, None, "no date"), (None, None, None, "no serial number"), ("K 4", 1, None, "no receiver"),
    ]  # fmt: skip
    assert (records.lines, records.serial_numbers, records.repeated_numbers) == (8, 5, 2)
    assert (records.repeated, records.conflicting, records.incomplete, records.wrong) == (4, 2, 3, 7)
    assert len(wrong(country, BOOK, Wrong.CONFLICTING).rows) == 2
    assert len(wrong(country, BOOK, Wrong.REPEATED).rows) == 4
    assert len(wrong(country, BOOK, Wrong.INCOMPLETE).rows) == 3


def test_one_row_changed_changes_the_answer(country: Country) -> None:
    """The second line says the same unit: nothing conflicts. A list without a column of dates lacks none of them in any line."""
    assert wrong(country, BOOK.replace("2COY", "1COY")).conflicting == 0
    undated = "\n".join(line.rsplit(",", 1)[0] for line in BOOK.splitlines()) + "\n"
    assert wrong(country, undated).incomplete == 2


def test_which_list_and_who(country: Country) -> None:
    """A list that nobody read in our fields, one that is not there, a donor."""
    unread = kept(country, "property book", {"model": "AKM"}, read=False)
    with pytest.raises(Invalid):
        asked_by(country, "auditor", wrong_records, unread)
    with pytest.raises(NotFound):
        asked_by(country, "auditor", wrong_records, new_key())
    for ask in (lambda: asked_by(country, "USA", wrong_records, unread), lambda: asked_by(country, "USA", unaccounted)):
        with pytest.raises(NotAllowed):
            ask()


LOG = "Model,Quantity,Unit\nAKM,100,1COY\nAKM,85,2COY\nM4,20,1COY\n"
BOOKS = "Model,Quantity,Unit\nAKM,90,1COY\nAKM,90,2COY\nM4,5,1COY\n"


def by_model(found: Unaccounted) -> dict[str | None, tuple[int, int, int, int]]:
    return {line.model: (line.left, line.right, line.unaccounted, line.not_left) for line in found.rows}


def test_issued_and_not_in_the_books(country: Country) -> None:
    """185 rifles were reported as issued, the books hold 180: ten of the first company's are nowhere, whatever the second has too many.
    The newest audit answers, unless one is named; one row less in the log, and another number.
    """
    assert asked_by(country, "auditor", unaccounted).rows == ()
    compared(country, imported(country, LOG), imported(country, BOOKS), "registrar", "GAO")
    found = asked_by(country, "auditor", unaccounted)
    assert by_model(found) == {"AKM": (185, 180, 10, 5), "M4": (20, 5, 15, 0)}
    assert (found.audit, found.left, found.right, found.unaccounted, found.not_left) == ("GAO#1", 205, 185, 25, 5)
    compared(country, imported(country, LOG.replace("AKM,100", "AKM,90")), imported(country, BOOKS), "registrar", "GAO")
    assert by_model(asked_by(country, "auditor", unaccounted))["AKM"] == (175, 180, 0, 5)
    assert by_model(asked_by(country, "auditor", unaccounted, "GAO#1"))["AKM"] == (185, 180, 10, 5)
    with pytest.raises(NotFound):
        asked_by(country, "auditor", unaccounted, "nothing")


def test_a_register_against_the_ledger(country: Country) -> None:
    """Three rifles on the list, of which the ledger has one: two are unaccounted for, by serial number."""
    listed = imported(country, "Serial,Model\nKT 449900,AKM\nX 1,AKM\nX 2,AKM\n")
    compared(country, listed, {"site": "TAJI"}, "registrar")
    assert by_model(asked_by(country, "auditor", unaccounted))["AKM"][2:] == (2, 9)

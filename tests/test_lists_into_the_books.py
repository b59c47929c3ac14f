"""Lists from files: a donor's CSV or XLSX becomes weapons, with what cannot be read set aside and what looks wrong told."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.open_books import OPEN
from stockpile.acts.receive import RECEIVE
from stockpile.errors import Invalid, NotFound
from stockpile.files import file_store
from tests.world import RIFLES, Country

CSV = """Shipping list FMS-117;;
S/N;Item;Qty
UA 000123;AKM;1
UA 000124;AKM;1
UA 000123;AKM;1
UA 000125;Blunderbuss;1
;Helmet;40
"""


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))


def stored(content: bytes | str, name: str = "list.csv", **how: Any) -> dict[str, Any]:
    """A stored file, as a request names it."""
    data = content.encode() if isinstance(content, str) else content
    return {"sha256": file_store().keep([data], 10_000_000).sha256, "name": name, **how}


def declared(country: Country, file: dict[str, Any], reference: str = "FMS-117") -> Any:
    return country.do("registrar", DECLARE, site="TAJI", donor="USA", reference=reference, file=file)


def test_rows_that_cannot_be_read_are_named_and_nothing_is_done(country: Country) -> None:
    """One serial twice and one model nobody knows: the list is refused with both rows, and no consignment is left behind."""
    with pytest.raises(Invalid) as refusal:
        declared(country, stored(CSV))
    assert {fault.row for fault in refusal.value.faults} == {5, 6}
    assert "Blunderbuss" in " ".join(fault.message for fault in refusal.value.faults)
    assert country.query("SELECT count(*) FROM consignment") == [(0,)]


def test_rows_set_aside_are_kept_in_the_register_with_their_reason(country: Country) -> None:
    """The rest is declared; the register keeps every row of the file, the rejected ones with why; the unknown name waits
    for a registrar."""
    posted = declared(country, stored(CSV, set_aside=True))
    assert (posted.lines, posted.quantity) == (3, 42)
    lines = country.query("SELECT line, rejected IS NULL, item_id IS NULL FROM register_line ORDER BY line")
    assert lines == [(3, True, False), (4, True, False), (5, False, True), (6, False, True), (7, True, False)]
    assert country.query("SELECT line_count, rejected_count, encode(file_sha256, 'hex') FROM register") == [
        (5, 2, stored(CSV)["sha256"])
    ]
    assert country.query("SELECT name FROM alias WHERE model_id IS NULL") == [("Blunderbuss",)]
    assert country.where("UA000123") == "USA FMS-117"


def test_columns_are_mapped_once_per_source(country: Country) -> None:
    """Columns nobody could guess are asked for, said once, and remembered for the donor's next list."""
    strange = "alpha,beta\nX1,AKM\n"
    with pytest.raises(Invalid, match="Say which column"):
        declared(country, stored(strange))
    declared(country, stored(strange, columns={"serial_number": "alpha", "model": "beta"}))
    declared(country, stored("alpha,beta\nX2,AKM\n"), "FMS-118")
    assert country.where("X2") == "USA FMS-118"


def test_a_number_that_may_have_lost_its_zeros_is_doubted_not_guessed(country: Country) -> None:
    """A spreadsheet made 000449 into 449: it is taken as it came, the row is marked, and a discrepancy says so."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Delivery of November"], ["Serial No.", "Model"], [449, "AKM"], ["KT 77", "AKM"]):
        sheet.append(row)
    content = BytesIO()
    book.save(content)
    posted = country.do("clerk", RECEIVE, store="Main store", donor="USA", file=stored(content.getvalue(), "list.xlsx"))
    assert country.where("449") == "Main store"
    assert "doubtful as it came" in [found.kind for found in posted.discrepancies]
    assert country.query("SELECT line FROM register_line WHERE doubts IS NOT NULL") == [(3,)]


def test_the_same_list_in_cyrillic_and_arabic(country: Country) -> None:
    """Headings, digits and serials of other scripts: found again by whatever spelling."""
    declared(country, stored("Серийный номер;Модель\nКТ-5521;AKM\n".encode("cp1251"), "список.csv"))
    declared(country, stored("الرقم التسلسلي,model\n٧٧٤١٢,AKM\n", "قائمة.csv"), "FMS-118")
    assert country.item("77412").serial_number == "٧٧٤١٢"
    assert country.item("кт 5521").serial_number == "КТ-5521"


def test_an_old_property_book_opens_the_books(country: Country) -> None:
    """Two people answer for it; each weapon is where the book says, unverified until a count."""
    book = "serial,model,account\nOLD-1,AKM,A-1001\nOLD-2,AKM,Main store\nOLD-3,AKM,Atlantis\n"
    with pytest.raises(Invalid) as refusal:
        country.ask("registrar", OPEN, site="TAJI", name="Book 2019", file=stored(book))
    assert [fault.row for fault in refusal.value.faults] == [4]
    posted = country.do_with_approval(
        "registrar", "commander", OPEN, site="TAJI", name="Book 2019", file=stored(book, set_aside=True)
    )
    assert posted.lines == 2
    assert country.where("OLD-1") == "Private Petrov (A-1001)"
    assert country.query("SELECT count(*) FROM holding WHERE unverified") == [(2,)]


def test_a_file_that_was_never_stored(country: Country) -> None:
    with pytest.raises(NotFound, match="upload it first"):
        declared(country, {"sha256": "0" * 64, "name": "x.csv"})


def test_many_rows_go_by_copy_and_keep_every_rule(country: Country) -> None:
    """Two thousand rifles: one document, one leaf a line, every holding in place."""
    rows = "".join(f"B{n:05},AKM\n" for n in range(2000))
    before = country.owner_query("SELECT count(*) FROM unsequenced")[0][0]
    posted = country.do("clerk", RECEIVE, store="Main store", file=stored("serial,model\n" + rows))
    assert posted.lines == 2000
    assert country.owner_query("SELECT count(*) FROM unsequenced")[0][0] == before + 2002
    assert country.query("SELECT count(*) FROM holding WHERE quantity = 1") == [(2010,)]


def test_a_voucher_may_come_as_a_file(country: Country) -> None:
    """Nine rifles go out by a list of serial numbers; a row that names nothing is named by its row, and nothing is done."""
    serials = "".join(f"{serial}\n" for serial in RIFLES[:9])
    refusal = country.refused(
        "clerk", ISSUE, receiver="A-1001", store="Main store", file=stored(f"S/N\n{serials}NOPE\n")
    )
    assert [(reason.line, reason.weapon) for reason in refusal.reasons] == [(11, "NOPE")]
    posted = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", file=stored(f"S/N\n{serials}"))
    assert posted.lines == 9
    assert country.where(RIFLES[8]) == "Private Petrov (A-1001)"

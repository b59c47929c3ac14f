"""Rows that cannot be read: all of them in a file, with row number and reason, to be mended and sent again."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.open_books import OPEN
from stockpile.errors import NotFound
from stockpile.registers.rejects import RowsRejected, kept_rejects
from tests.api_world import Web, problem, served
from tests.test_lists_into_the_books import stored
from tests.world import RIFLES, Country

web = pytest.fixture(served)

CSV = """Shipping list FMS-117;;
S/N;Item;Qty
UA 000123;AKM;1
UA 000124;AKM;1
UA 000123;AKM;1
=UA125;Blunderbuss;1
UA 000126;AKM;many
"""


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))


def declare(web: Web, content: str, reference: str = "FMS-117", **how: Any) -> Any:
    body = {"site": "TAJI", "donor": "USA", "reference": reference, "file": stored(content, **how)}
    return web.post("registrar", "/v1/declarations", body)


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_refused_list_names_a_file_of_all_its_rejects(web: Web) -> None:
    """Three of five rows cannot be read: nothing is posted; the file tells each with its number, the reason and its cells."""
    told = problem(declare(web, CSV), 422, "invalid")
    assert (told["rejected"], len(told["faults"])) == (3, 3)
    answer = web.get("registrar", f"/v1/rejects/{told['rejects']}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="rejects-' in answer.headers["content-disposition"]
    headings, *rows = rows_of(answer.content)
    assert headings == ["row", "reason", "S/N", "Item", "Qty"]
    assert [(row[0], row[2:]) for row in rows] == [
        ("5", ["UA 000123", "AKM", "1"]), ("6", ["'=UA125", "Blunderbuss", "1"]), ("7", ["UA 000126", "AKM", "many"]),
    ]  # fmt: skip
    assert "as row 3" in rows[0][1]
    assert "Blunderbuss" in rows[1][1]
    assert web.country.query("SELECT count(*) FROM consignment") == [(0,)]


def test_not_only_the_first_hundred(web: Web) -> None:
    """Two hundred bad rows: the problem shows a hundred, the file has them all, as XLSX too."""
    bad = "".join(f"X{number};Blunderbuss\n" for number in range(200))
    told = problem(declare(web, f"S/N;Item\nUA 1;AKM\n{bad}"), 422, "invalid")
    assert (told["rejected"], len(told["faults"])) == (200, 100)
    answer = web.get("registrar", f"/v1/rejects/{told['rejects']}", format="xlsx")
    _, *rows = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True)
    assert [row[0] for row in rows] == list(range(3, 203))
    assert [row[2] for row in rows] == [f"X{number}" for number in range(200)]


def test_rows_set_aside_are_mended_and_sent_again(web: Web) -> None:
    """The rest is posted; the rejects of its register are mended in their file, which is a list like any other: its columns
    are understood, and what was made harmless for spreadsheets is as it was.
    """
    posted = declare(web, CSV, set_aside=True)
    assert posted.status_code == 201, posted.text
    document = posted.json()["document_id"]
    (register,) = web.get("auditor", "/v1/registers", document=document).json()["rows"]
    assert (register["line_count"], register["rejected_count"], register["kind"]) == (5, 3, "shipping list")
    answer = web.get("registrar", f"/v1/registers/{register['register_id']}/rejects")
    content = answer.content.decode("utf-8-sig")
    assert content.count("\r\n") == 4
    mended = content.replace("Blunderbuss,1", "AKM,1").replace("many", "1").replace("5,", "5,", 1)
    mended = "\r\n".join(line for line in mended.split("\r\n") if ",UA 000123," not in line)
    again = declare(web, mended, "FMS-117-B")
    assert again.status_code == 201, again.text
    assert again.json()["lines"] == 2
    assert web.country.item("=UA125").serial_number == "=UA125"
    assert again.json()["discrepancies"] == []


def test_a_register_shows_every_row_and_what_became_of_it(web: Web) -> None:
    """In pages, all of them or only those set aside; as a file with what each led to."""
    document = declare(web, CSV, set_aside=True).json()["document_id"]
    (register,) = web.get("auditor", "/v1/registers", document=document).json()["rows"]
    path = f"/v1/registers/{register['register_id']}"
    shown = web.get("auditor", path, limit=2).json()
    assert shown["headings"] == ["S/N", "Item", "Qty"]
    rest = web.get("auditor", path, limit=10, cursor=shown["cursor"]).json()
    lines = [*shown["lines"], *rest["lines"]]
    assert [line["line"] for line in lines] == [3, 4, 5, 6, 7]
    assert [line["item_id"] is None for line in lines] == [False, False, True, True, True]
    assert lines[0]["cells"] == ["UA 000123", "AKM", "1"]
    assert [line["line"] for line in web.get("auditor", path, lines="rejected").json()["lines"]] == [5, 6, 7]
    assert [line["line"] for line in web.get("auditor", path, lines="taken").json()["lines"]] == [3, 4]
    table = rows_of(web.get("auditor", path, format="csv").content)
    assert table[0] == ["line", "set aside because", "doubts", "item_id", "S/N", "Item", "Qty"]
    assert len(table) == 6


def test_lists_are_their_sites_and_no_donors(web: Web) -> None:
    """Erbil does not see Taji's registers, a donor none; a digest that names no rejects is not found."""
    document = declare(web, CSV, set_aside=True).json()["document_id"]
    (register,) = web.get("clerk", "/v1/registers", document=document).json()["rows"]
    path = f"/v1/registers/{register['register_id']}"
    assert web.get("erbil clerk", "/v1/registers").json()["rows"] == []
    for tail in ("", "/rejects"):
        problem(web.get("erbil clerk", path + tail), 404, "not-found")
        problem(web.get("USA", path + tail), 403, "not-allowed")
    told = problem(declare(web, CSV, "FMS-118"), 422, "invalid")
    problem(web.get("USA", f"/v1/rejects/{told['rejects']}"), 403, "not-allowed")
    problem(web.get("clerk", f"/v1/rejects/{'0' * 64}"), 404, "not-found")
    stored_list = stored(CSV)["sha256"]
    problem(web.get("clerk", f"/v1/rejects/{stored_list}"), 404, "not-found")


def test_what_an_act_itself_sets_aside_is_among_them(country: Country) -> None:
    """An old book names an account nobody has: that row too, in the order of the file, even with more cells than headings."""
    book = "serial,model,account\nOLD-1,AKM,Atlantis\nOLD-2,AKM,Main store,torn,page\nOLD-3,AKM,Main store\n"
    with pytest.raises(RowsRejected) as refusal:
        country.ask("registrar", OPEN, site="TAJI", name="Book 2019", file=stored(book))
    assert refusal.value.rejects is not None
    headings, rows = kept_rejects(refusal.value.rejects)
    assert headings == ["row", "reason", "serial", "model", "account", "cell 4", "cell 5"]
    assert [tuple(row[:1]) + tuple(row[2:]) for row in rows] == [
        (2, "OLD-1", "AKM", "Atlantis"), (3, "OLD-2", "AKM", "Main store", "torn", "page"),
    ]  # fmt: skip


def test_a_voucher_from_a_file_too(country: Country) -> None:
    """A row of a list of rifles to issue that holds no number is named, and kept."""
    with pytest.raises(RowsRejected) as refusal:
        country.do(
            "clerk",
            ISSUE,
            receiver="A-1001",
            store="Main store",
            file=stored(f"S/N;Remarks\n{RIFLES[0]};\n;which one?\n"),
        )
    assert [fault.row for fault in refusal.value.faults] == [3]
    assert refusal.value.rejects is not None
    assert [list(row)[2:] for row in kept_rejects(refusal.value.rejects)[1]] == [["", "which one?"]]
    assert country.where(RIFLES[0]) == "Main store"


def test_a_typed_list_has_no_file(country: Country) -> None:
    """Its lines are in the clerk's hands: the problem names them."""
    lines = [{"model": "Blunderbuss", "serial_number": "1"}]
    with pytest.raises(RowsRejected) as refusal:
        country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="X", lines=lines)
    assert (refusal.value.rejected, refusal.value.rejects) == (1, None)
    with pytest.raises(NotFound, match="the refusal of a list names them"):
        kept_rejects("0" * 64)

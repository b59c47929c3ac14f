"""Papers over HTTP and at the command line: who may print what, in which language, on which sheet; and the code on a receipt finds
its document.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stockpile.cli import app
from stockpile.db import roles
from tests.api_world import Web, fresh, problem, served
from tests.paper_reading import sheets, words
from tests.world import RIFLES, ago, paper, scans

web = pytest.fixture(served)

STORE = "Main store"


def issued(web: Web, *serials: str) -> dict[str, str]:
    return web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": STORE, "lines": scans(*serials)})


def pdf(web: Web, who: str, path: str, **query: object) -> bytes:
    answer = web.get(who, path, **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('inline; filename="')
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


def test_the_receipt_on_the_counter_finds_its_document(web: Web) -> None:
    """Printed, scanned, found; and what was found is printed again."""
    document = issued(web, *RIFLES[:2])
    path = f"/v1/documents/{document['document_id']}/paper.pdf"
    (page,) = sheets(pdf(web, "clerk", path))
    (code,) = page.codes()
    (found,) = web.get("clerk", "/v1/find", q=code).json()["documents"]
    assert found["document_id"] == document["document_id"]
    assert RIFLES[0] in page.text


def test_a_paper_in_a_language_and_on_a_sheet(web: Web) -> None:
    """Arabic on Letter; a language that there is not, and a sheet, are told."""
    path = f"/v1/documents/{issued(web, RIFLES[0])['document_id']}/paper.pdf"
    (page,) = sheets(pdf(web, "clerk", path, language="ar", size="letter"))
    assert (round(page.width), round(page.height)) == (612, 792)
    assert "Hand receipt" not in page.text
    told = problem(web.get("clerk", path, language="xx"), 422, "invalid")
    assert told["faults"][0]["message"] == "papers are printed in en, ar, uk"
    problem(web.get("clerk", path, size="a3"), 422, "invalid")


def test_nobody_prints_outside_their_scope(web: Web) -> None:
    """Another depot and a donor of nothing on it get what they get for a document that is not there; a donor no people."""
    path = f"/v1/documents/{issued(web, RIFLES[0])['document_id']}/paper.pdf"
    for who in ("erbil clerk", "USA", "FRA"):
        problem(web.get(who, path), 404, "not-found")
    problem(web.get("clerk", f"/v1/documents/{fresh()}/paper.pdf"), 404, "not-found")
    problem(web.client.get(path), 401, "not-signed-in")
    assert RIFLES[0] in words(pdf(web, "auditor", path))
    problem(web.get("USA", "/v1/persons/A-1001/holdings.pdf"), 403, "not-allowed")
    problem(web.get("USA", "/v1/signature-cards/1COY/paper.pdf"), 403, "not-allowed")
    problem(web.get("erbil clerk", "/v1/persons/A-1001/holdings.pdf"), 404, "not-found")
    problem(web.get("USA", "/v1/papers/issue-sheet.pdf", book="PAD-7"), 403, "not-allowed")
    problem(web.get("auditor", "/v1/papers/issue-sheet.pdf", book="PAD-7", site="TAJI"), 403, "not-allowed")


def test_what_is_signed_by_hand_is_printed_over_http(web: Web) -> None:
    """Holdings, signature card, count sheet, blank pages."""
    issued(web, *RIFLES[:2])
    assert "Weapons: 2" in words(pdf(web, "clerk", "/v1/persons/A-1001/holdings.pdf"))
    assert "Weapons: 2" in words(pdf(web, "auditor", "/v1/persons/A-1001/holdings.pdf"))
    assert "A-1001" in words(pdf(web, "commander", "/v1/signature-cards/1COY/paper.pdf"))
    opened = web.post("clerk", "/v1/counts", {"account": STORE, "counters": ["T-2"], "reason": "periodic"}).json()[
        "count"
    ]
    sheet = f"/v1/counts/{opened['count_id']}/sheet.pdf"
    assert len(sheets(pdf(web, "clerk", sheet, rows=100))) > len(sheets(pdf(web, "clerk", sheet, rows=10)))
    problem(web.get("USA", sheet), 403, "not-allowed")
    web.post("clerk", f"/v1/counts/{opened['count_id']}/abandon", {"because": "The alarm went"})
    problem(web.get("clerk", sheet), 409, "refused")
    blank = sheets(pdf(web, "clerk", "/v1/papers/issue-sheet.pdf", **{"book": "PAD-7", "from": 3, "count": 2}))
    assert [page.codes()[0].rsplit("/", 1)[1] for page in blank] == ["3", "4"]
    web.posted(
        "clerk", "/v1/issues",
        {"receiver": "A-1001", "store": STORE, "lines": scans(RIFLES[3]), "paper": paper(4, ago(), "PAD-7").model_dump(mode="json")},
    )  # fmt: skip
    told = problem(web.get("clerk", "/v1/papers/issue-sheet.pdf", **{"book": "PAD-7", "from": 3}), 422, "invalid")
    assert told["faults"][0]["message"] == "documents have these numbers already: 4. Begin after 4"
    problem(web.get("clerk", "/v1/papers/issue-sheet.pdf", book="no book"), 422, "invalid")
    problem(web.get("clerk", "/v1/papers/issue-sheet.pdf", book="PAD-7", count=101), 422, "invalid")
    problem(web.get("registrar", "/v1/papers/issue-sheet.pdf", book="PAD-7"), 403, "not-allowed")
    problem(web.get("clerk", "/v1/papers/issue-sheet.pdf", book="PAD-7", site="ERBIL"), 403, "not-allowed")
    pdf(web, "clerk", "/v1/papers/issue-sheet.pdf", book="PAD-7", site="TAJI", **{"from": 9, "count": 1})


@pytest.fixture
def command(web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """The command line as the clerk, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    url = web.country.engine.url.set(username=roles.SERVICE).render_as_string(hide_password=False)
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", url)
    monkeypatch.setenv("STOCKPILE_TOKEN", web.tokens["clerk"])
    return CliRunner()


def test_papers_are_written_at_the_command_line(web: Web, command: CliRunner, tmp_path: Path) -> None:
    """Each named for what it is, or as one says; a mistake is told in words."""
    number = issued(web, *RIFLES[:2])["number"]
    web.post("clerk", "/v1/counts", {"account": STORE, "counters": ["T-2"], "reason": "periodic"})
    for asked, written, says in (
        (["document", number], f"Hand-receipt-{number.replace('/', '-')}.pdf", RIFLES[1]),
        (["document", number, "--language", "uk", "--to", "receipt.pdf"], "receipt.pdf", "Розписка про отримання"),
        (["holdings", "A-1001", "--size", "letter"], "holdings-A-1001.pdf", "Weapons: 2"),
        (["signature-card", "1COY"], "signature-card-1COY.pdf", "May draw for the unit"),
        (["count-sheet", "TAJI/COUNT/1", "--rows", "5"], "count-sheet-TAJI-COUNT-1.pdf", "Count sheet"),
        (["issue-sheets", "PAD-9", "--from", "5", "--count", "1"], "issue-sheets-PAD-9-5.pdf", "written by hand"),
    ):
        done = command.invoke(app, ["print", *asked])
        assert done.exit_code == 0, done.output
        assert done.output.strip() == f"Written: {written}"
        assert says in words((tmp_path / written).read_bytes())
    for asked in (["document", "TAJI/B/2026/999"], ["issue-sheets", "b ad"], ["holdings", "NOBODY"]):
        done = command.invoke(app, ["print", *asked])
        assert done.exit_code == 1
        assert "Traceback" not in done.output

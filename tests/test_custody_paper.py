"""Custody of one weapon or one consignment, complete, as a paper: every entry, who signed, what contradicted it; the proof lies in the
PDF and is checked without these books.
"""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest

from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.log import beginning
from stockpile.log.signer import LogSigner
from stockpile.proof.check import check_text
from stockpile.proof.note import Verifier
from tests import test_report_files
from tests.api_world import Web, problem, served
from tests.paper_reading import sheets
from tests.reading_pages import visit
from tests.test_cases import contradicted, opened
from tests.test_identification_commands import ran
from tests.test_log import ORIGIN, caught_up
from tests.test_report_files import Command
from tests.world import RIFLES, Country, scans

web = pytest.fixture(served)
stockpile = pytest.fixture(test_report_files.stockpile.__wrapped__)


def attached(pdf: bytes) -> dict[str, str]:
    """The files inside a PDF, as any reader gets them out."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        files = [document.get_attachment(n) for n in range(document.count_attachments())]
        return {one.get_name(): bytes(one.get_data()).decode() for one in files}
    finally:
        document.close()


def seen(pdf: bytes) -> str:
    return "".join(sheet.seen for sheet in sheets(pdf)).replace("\n", "")


@pytest.fixture
def signer(country: Country, tmp_path: Path) -> LogSigner:
    """The small country's log; two M4 of the USA were declared, received, and one went out and came back."""
    begun = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    lines = [{"model": "M4", "serial_number": f"US {n}", "condition": "serviceable"} for n in (1, 2)]
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", lines=lines)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("US 1"))
    country.do("clerk", RETURN, store="Main store", lines=scans("US 1"))
    caught_up(country, begun)
    return begun


def test_a_weapon_s_whole_custody(web: Web, signer: LogSigner) -> None:
    """Entries in order with their papers and signatures; where it is now; the proof beside it holds up to the log's checkpoint."""
    item = web.country.item("US 1").item_id
    answer = web.get("auditor", f"/v1/weapons/{item}/custody.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    text = seen(answer.content)
    for told in (
        "Custodyofaweapon", "US1", "Shippinglist", "Receivingreport", "Handreceipt", "Turn-in", "PrivatePetrov", "TalibClerk",
        "Mainstore",
    ):  # fmt: skip
        assert told in text, told
    assert "Weaponswhoseproofisattachedtothisfile:1" in text
    ((name, proof),) = attached(answer.content).items()
    assert name.startswith("proof-SP-")
    found = check_text(proof, [Verifier.parse(signer.verifier)])
    assert found.ok, list(found.lines())
    assert len([row for row in found.shown if row.title.startswith("entry")]) == 4
    page = visit(web, "auditor", f"/weapons/{item}")
    assert page.links["Print its whole custody, with the proof attached"] == f"/v1/weapons/{item}/custody.pdf"


def test_what_contradicted_it_and_what_was_looked_into(web: Web) -> None:
    """A discrepancy and the case about it stand on the paper; without a log it says that no proof is attached."""
    opened(web.country, "auditor", {"discrepancy": str(contradicted(web.country, RIFLES[0]))})
    answer = web.get("clerk", f"/v1/weapons/{web.country.item(RIFLES[0]).item_id}/custody.pdf", language="uk")
    text = seen(answer.content)
    assert "TAJI/CASE/1" in text
    assert "Рухзброї" in text
    assert "Доказнедолучено" in text
    assert attached(answer.content) == {}


def test_a_consignment_weapon_by_weapon(web: Web, signer: LogSigner) -> None:
    """Each of its weapons with its entries and its proof; the donor's copy names nobody."""
    path = "/v1/consignments/custody.pdf"
    answer = web.get("auditor", path, donor="USA", reference="FMS-1")
    text = seen(answer.content)
    for told in ("Custodyofaconsignment", "FMS-1", "US1", "US2", "Petrov", "Weaponswhoseproofisattachedtothisfile:2"):
        assert told in text, told
    assert [check_text(proof, [Verifier.parse(signer.verifier)]).ok for proof in attached(answer.content).values()] == [
        True,
        True,
    ]
    donors = web.get("USA", path, donor="USA", reference="FMS-1")
    assert donors.status_code == 200, donors.text
    assert "US2" in seen(donors.content)
    assert "Petrov" not in seen(donors.content)
    assert "Petrov" not in "".join(attached(donors.content).values())
    problem(web.get("FRA", path, donor="USA", reference="FMS-1"), 404, "not-found")
    problem(web.get("auditor", path, donor="USA", reference="FMS-9"), 404, "not-found")
    problem(web.get("FRA", f"/v1/weapons/{web.country.item('US 1').item_id}/custody.pdf"), 404, "not-found")


def test_at_the_command_line(stockpile: Command, country: Country, signer: LogSigner) -> None:
    ran(stockpile, "auditor", "print", "custody", "US 1", "--to", "one.pdf")
    ran(stockpile, "auditor", "print", "consignment", "USA", "FMS-1", "--to", "all.pdf")
    assert len(attached(Path("one.pdf").read_bytes())) == 1
    assert len(attached(Path("all.pdf").read_bytes())) == 2

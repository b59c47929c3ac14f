"""The story of GAO-07-711 as it should have gone, in real browsers from end to end: five hundred rifles with an end-user certificate,
twenty that do not arrive, three hundred issued, the depot overrun; the donor reads the same day which numbers are gone, checks it on a
machine without a network, and a rifle seen abroad leads back to who last held it.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from stockpile.log import beginning
from stockpile.log.signer import LogSigner
from stockpile.proof.note import Verifier
from stockpile.proof.package import check_package
from tests.browser.conftest import PATIENCE, Visitors
from tests.browser.station import station
from tests.browser.test_donor_pages import fill
from tests.browser.test_proof_page import PAGE
from tests.browser.test_station_receive import receipt
from tests.consigned import CERTIFICATE, listed
from tests.test_log import ORIGIN, caught_up
from tests.test_tracing_pages import second_registrar
from tests.world import SCAN, Country, today

SENT = tuple(f"UA {n:04}" for n in range(1, 501))
SHORT = SENT[240:260]
ARRIVED = tuple(serial for serial in SENT if serial not in SHORT)
ISSUED = ARRIVED[:300]
SEEN = ISSUED[17]
CONSIGNMENT = "FMS-2026-117"
AT_ONCE = 100
"""So many scans are waited for together."""


@dataclass
class Story:
    """The country, who looks at it, and the log that tells it abroad."""

    visitors: Visitors
    signer: LogSigner

    @property
    def country(self) -> Country:
        return self.visitors.web.country

    def told_abroad(self) -> None:
        """What was posted is in a signed checkpoint."""
        caught_up(self.country, self.signer)


@pytest.fixture
def story(visitors: Visitors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setenv("STOCKPILE_LOG_FOLDER", str(tmp_path / "log"))
    return Story(visitors, beginning.begin_log(visitors.web.country.engine, tmp_path / "log", ORIGIN))


def test_the_story_of_the_190_000_as_it_should_have_gone(story: Story, browser: Browser) -> None:
    declare_and_certify(story)
    ship_and_receive(story)
    certify_the_delivery(story)
    read_what_is_short(story)
    issue_three_hundred(story)
    the_depot_falls(story)
    read_what_is_gone(story, browser)
    trace_one_seen_abroad(story)


def declare_and_certify(story: Story) -> None:
    """The donor's officer sends the certificate and the list of five hundred; the host's registrar accepts both."""
    donor = story.visitors.page("USA", "/statements/certificate")
    fill(donor, **CERTIFICATE)
    donor.locator("[name=file]").set_input_files({"name": "EUC-8.pdf", "mimeType": "application/pdf", "buffer": SCAN})
    donor.get_by_role("button", name="Send it").click()
    donor.wait_for_url("**/statements/*-*")
    accept(story, donor.url)
    donor.goto("/statements/declaration")
    fill(donor, reference=CONSIGNMENT, end_user_certificate="EUC-8", carrier="Sea line", expected_on=str(today()))
    donor.locator("[name=site]").select_option("TAJI")
    donor.locator("[name=file]").set_input_files({"name": "list.csv", "mimeType": "text/csv", "buffer": listed(SENT)})
    donor.get_by_role("button", name="Declare it").click()
    donor.wait_for_url("**/statements/*-*")
    accept(story, donor.url)
    story.told_abroad()


def accept(story: Story, statement: str) -> None:
    registrar = story.visitors.page("registrar", statement)
    registrar.get_by_role("button", name="Accept it").click()
    expect(registrar.locator(".remark.ready")).to_be_visible()


def ship_and_receive(story: Story) -> None:
    """The registrar says that it is on its way; the clerk ticks four hundred and eighty off by the scanner, and says that this was all."""
    registrar = story.visitors.page("registrar", "/shipments/new")
    fill(registrar, donor="USA", consignment=CONSIGNMENT, carrier="Sea line", expected_on=str(today()))
    registrar.get_by_label("Bound for").select_option("TAJI")
    registrar.get_by_role("button", name="Send it").click()
    expect(registrar.get_by_role("heading", name="Shipment")).to_be_visible()

    counter = receipt(story.visitors.page("clerk", "/station"))
    counter.scan(CONSIGNMENT)
    counter.settled()
    for start in range(0, len(ARRIVED), AT_ONCE):
        counter.scan(*ARRIVED[start : start + AT_ONCE])
        counter.settled()
    expect(counter.page.locator("#still-missing")).to_have_text("Still missing: 20")
    counter.press("F10")
    dialog = counter.page.locator("dialog")
    expect(dialog.locator(".not-here strong")).to_have_text("Not here: 20")
    dialog.get_by_role("button", name="Complete: nothing more comes").click()
    counter.answers("posted", "480 taken into Main store", "20 short")


def certify_the_delivery(story: Story) -> None:
    """The clerk certifies what arrived, piece by piece, and a second person signs; the donor prints the certificate."""
    clerk = story.visitors.page("clerk", "/statements/verification")
    fill(clerk, donor="USA", consignment=CONSIGNMENT, title_passes_on=str(today()))
    clerk.get_by_role("button").last.click()
    clerk.wait_for_url("**/statements/*-*")
    commander = story.visitors.page("commander", clerk.url)
    commander.get_by_role("button", name="Sign it").click()
    expect(commander.locator(".remark.ready")).to_be_visible()
    story.told_abroad()

    donor = story.visitors.page("USA", clerk.url)
    paper = donor.get_by_role("link", name="The certificate, to print").get_attribute("href")
    text = text_of(donor, str(paper))
    assert f"{CONSIGNMENT}/DV/1" in text
    assert [serial for serial in SENT if serial not in text] == []


def text_of(page: Page, path: str) -> str:
    """What a printed paper says, page after page."""
    paper = page.context.request.get(path)
    assert paper.headers["content-type"] == "application/pdf"
    pages = pypdfium2.PdfDocument(paper.body())
    return "\n".join(one.get_textpage().get_text_range() for one in pages)


def read_what_is_short(story: Story) -> None:
    """The portal says that twenty are short, and leads to their numbers."""
    donor = story.visitors.page("USA", "/")
    donor.get_by_role("link", name=re.compile("20.*Pieces short", re.DOTALL)).click()
    donor.locator("td[data-label='Short'] a").click()
    donor.wait_for_url("**/weapons*")
    expect(donor.locator("tbody tr")).to_have_count(20)
    assert serials_shown(donor) == list(SHORT)


def serials_shown(page: Page) -> list[str]:
    return page.locator("tbody td[data-label='Serial number']").all_inner_texts()


def issue_three_hundred(story: Story) -> None:
    """Petrov draws three hundred for the 1st Company, by the scanner."""
    counter = station(story.visitors.page("clerk", "/station"))
    counter.scan("1COY", "A-1001")
    counter.settled()
    for start in range(0, len(ISSUED), AT_ONCE):
        counter.scan(*ISSUED[start : start + AT_ONCE])
        counter.settled()
    counter.confirm()
    counter.answers("posted", "300 handed out")


def the_depot_falls(story: Story) -> None:
    """The commander reports it, with what is inside before his eyes."""
    commander = story.visitors.page("commander", "/sites/TAJI")
    commander.get_by_role("link", name="It fell").click()
    inside = commander.get_by_role("table", name="What is inside by the books now")
    expect(inside).to_contain_text("300")
    commander.get_by_label("What happened").fill("Attacked at night, garrison withdrew to the bridge")
    commander.get_by_label("The depot is lost").check()
    commander.get_by_role("button", name="Report it").click()
    expect(commander.get_by_text("It was posted.")).to_be_visible()
    story.told_abroad()


def read_what_is_gone(story: Story, browser: Browser) -> None:
    """One page away from the start the donor reads which numbers are gone; it takes the list and the proofs along, and checks them without
    a network: all of them with its own program, and one that it chooses by the page from a stick.
    """
    donor = story.visitors.page("USA", "/")
    donor.get_by_role("link", name=re.compile("480.*missing or lost", re.DOTALL)).click()
    donor.locator("td[data-label='Missing'] a").click()
    donor.wait_for_url("**/weapons*")
    rows = csv.DictReader(StringIO(taken_along(donor, "CSV").decode("utf-8-sig")))
    assert sorted(row["serial_number"] for row in rows) == sorted(ARRIVED)

    donor.get_by_role("link", name=f"Consignment {CONSIGNMENT}", exact=True).first.click()
    proofs = taken_along(donor, "The proofs of all its weapons")
    found = check_package(proofs, [Verifier.parse(story.signer.verifier)])
    assert found.ok, found.failures
    donor.goto(f"/weapons?text={SEEN}")
    donor.get_by_role("link", name=SEEN).first.click()
    check_offline(browser, story.signer.verifier, taken_along(donor, "Take the proof of it along"))


def taken_along(page: Page, name: str) -> bytes:
    """The file behind a link: who is signed in by token downloads nothing by a click."""
    answer = page.context.request.get(str(page.get_by_role("link", name=name).get_attribute("href")))
    assert answer.ok, answer.text()
    return answer.body()


def check_offline(browser: Browser, key: str, proof: bytes) -> None:
    """The page from a stick, in a browser without a network: the last thing proven of the rifle is that it is reported missing."""
    context = browser.new_context(offline=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    page.set_input_files("#file", {"name": "rifle.proof", "mimeType": "application/json", "buffer": proof})
    page.fill("#keys", key)
    page.click("#check")
    expect(page.locator("#answer")).to_contain_text("PROVEN")
    expect(page.locator("#rows")).to_contain_text(SEEN)
    expect(page.locator("#rows")).to_contain_text("overrun")
    context.close()


def trace_one_seen_abroad(story: Story) -> None:
    """Months later: a rifle is read abroad; the answer names the unit that held it last, and no soldier."""
    second_registrar(story.visitors.web)
    registrar = story.visitors.page("registrar", "/tracing/new/incoming")
    registrar.get_by_label("Serial number as read").fill(SEEN.replace("0", "O"))
    registrar.get_by_label("Model").fill("AKM")
    registrar.get_by_label("State or organisation").fill("National Central Bureau, Amman")
    registrar.get_by_label("How it was found to be illicit").fill("Found with an armed group")
    registrar.get_by_role("button", name="Keep it").click()
    expect(registrar.get_by_role("table", name="Candidates").get_by_role("link").first).to_have_text(SEEN)
    registrar.get_by_label("Outcome").select_option("traced")
    registrar.get_by_label("Weapon that was traced").fill(SEEN)
    registrar.get_by_role("button", name="Propose it").click()
    expect(registrar.get_by_text("it takes another person to release it")).to_be_visible()
    other = story.visitors.page("second registrar", registrar.url)
    other.get_by_role("button", name="Release the answer").click()
    answer = other.get_by_role("link", name="Print the answer (PDF)")
    expect(answer).to_be_visible()
    text = text_of(other, str(answer.get_attribute("href")))
    assert SEEN in text
    assert "1st Company" in text
    assert "Petrov" not in text

"""The page that checks a proof, opened from a folder as from a stick, without a network: it says what the command says."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from stockpile.proof.check import Findings
from tests import proofs
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import PATIENCE, REPORT_VIOLATIONS

PAGE = Path(__file__).parents[2] / "stockpile" / "proof" / "check.html"

SHOWN = """() => {
  const texts = selector => [...document.querySelectorAll(selector)].map(one => one.textContent);
  return {
    answer: document.querySelector('#answer').textContent,
    failures: texts('#failures li'), proven: texts('#proven li'), unproven: texts('#unproven li'),
    rows: [...document.querySelectorAll('#rows h3')].map(title => [title.textContent,
      [...title.nextElementSibling.rows].map(row => [row.cells[0].textContent, row.cells[1].textContent])]),
  };
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The page from file://, in a browser that has no network. Fails when it asked for anything or broke its policy."""
    faults: list[str] = []
    context = browser.new_context(offline=True)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(REPORT_VIOLATIONS)

    def hear(message: ConsoleMessage) -> None:
        faults.append(message.text)

    context.on("console", hear)
    context.on("weberror", lambda error: faults.append(f"uncaught: {error.error}"))
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(PAGE.as_uri())
    yield page
    context.close()
    assert not faults, "\n".join(faults)
    assert asked == [PAGE.as_uri()]


def ask(page: Page, case: dict[str, Any]) -> None:
    """Put in what the asker of a case has, and check."""
    text = proofs.text_of(case).encode()
    page.set_input_files("#file", {"name": "rifle.proof", "mimeType": "application/json", "buffer": text})
    page.fill("#keys", "\n".join(proofs.KEYS[name] for name in case["keys"]))
    page.fill("#pinned", proofs.pinned_of(case) or "")
    secret = proofs.secret_of(case)
    page.evaluate("value => { document.querySelector('#secret').value = value }", secret.hex() if secret else "")
    page.click("#check")
    expect(page.locator("#findings")).to_be_visible()


def lines_of(page: Page) -> list[str]:
    """What the page shows, as the lines of the command."""
    shown = page.evaluate(SHOWN)
    lines = [shown["answer"], *(f"Failed: {line}" for line in shown["failures"])]
    lines += [f"Proven: {line}" for line in shown["proven"]]
    for title, fields in shown["rows"]:
        lines.append(f"Proven: {title[0].lower()}{title[1:]} It says:")
        lines += [f"  {name}: {value}" for name, value in fields]
    return lines + [f"Not proven: {line}" for line in shown["unproven"]]


def test_the_page_says_of_every_case_what_the_command_says(page: Page) -> None:
    different = {}
    for case in proofs.CASES:
        ask(page, case)
        found: Findings = proofs.findings_of(case)
        if lines_of(page) != list(found.lines()):
            different[case["case"]] = (lines_of(page), list(found.lines()))
        assert found.ok == case["ok"]
    assert not different


def test_the_text_of_a_qr_code_can_be_put_in(page: Page) -> None:
    page.fill("#text", proofs.bundle().compact())
    page.fill("#keys", proofs.KEYS["log"])
    page.click("#check")
    expect(page.locator("#answer")).to_have_text("PROVEN, up to checkpoint 21 of the log armoury.example/log.")
    expect(page.locator("#findings")).to_be_focused()


def test_who_forgets_something_is_told_what(page: Page) -> None:
    page.click("#check")
    expect(page.locator("#trouble")).to_have_text("Choose the file of the proof, or put in its text.")
    page.fill("#text", proofs.bundle().compact())
    page.click("#check")
    expect(page.locator("#trouble")).to_contain_text("Give the key of the log")
    page.fill("#keys", f"{proofs.KEYS['log']}\n{proofs.KEYS['witness'][:-4]}AAA=")
    page.click("#check")
    expect(page.locator("#trouble")).to_contain_text("The key in line 2 can't be used.")
    expect(page.locator("#keys")).to_be_focused()
    page.fill("#keys", proofs.KEYS["log"])
    page.click("summary")
    page.fill("#secret", "05")
    page.click("#check")
    expect(page.locator("#trouble")).to_have_text("The secret is 64 hexadecimal digits.")
    expect(page.locator("#findings")).to_be_hidden()


def test_everybody_can_read_it(page: Page) -> None:
    ask(page, proofs.CASES[0])
    assert_accessible(page)


def test_its_policy_names_its_script_and_its_style() -> None:
    """Whoever changes either finds here what must stand in the policy."""
    text = PAGE.read_text(encoding="utf-8")
    for name in ("script", "style"):
        (content,) = re.findall(f"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|//[a-z]+\.|fetch\(|XMLHttp|innerHTML|eval\(", text)

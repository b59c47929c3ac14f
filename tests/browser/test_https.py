"""The service over TLS under a name that is not localhost, in a real browser: what works only there works."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Error as BrowserError

from stockpile.tls import Certificates, make_certificates, now
from tests.api_world import Web, service_over
from tests.browser.accessible import assert_accessible
from tests.browser.conftest import NOT_OURS, PATIENCE, REPORT_VIOLATIONS, Visitors, chromium
from tests.browser.station import station
from tests.browser.test_station_issue import FORTY, PETROV, delivered
from tests.signing_in import PASSWORD, add_users

NAME = "depot.test"


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """Those of a depot, where the service looks for them."""
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))
    return make_certificates(tmp_path, [NAME], "Ministry of Defence", now())


@pytest.fixture
def secure(web: Web, certificates: Certificates) -> Iterator[str]:
    """The service over TLS; its address under its name."""
    config = uvicorn.Config(
        service_over(web.country.engine), host="127.0.0.1", port=0, log_level="error",
        ssl_certfile=certificates.server_file, ssl_keyfile=certificates.key_file,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"https://{NAME}:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@contextmanager
def visiting(browser: Browser, folder: Path, trusted: Certificates | None) -> Iterator[BrowserContext]:
    """A browser that finds the name, and trusts what the authority signed; the machine's own list of authorities stays as it is."""
    words = [*NOT_OURS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    if os.geteuid() == 0:
        words.append("--no-sandbox")
    if trusted is not None:
        words.append(f"--ignore-certificate-errors-spki-list={digest_of_key(trusted)}")
    context = browser.browser_type.launch_persistent_context(str(folder), executable_path=chromium(), args=words)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(REPORT_VIOLATIONS)
    try:
        yield context
    finally:
        context.close()


def digest_of_key(certificates: Certificates) -> str:
    """How the browser is told whom to trust: SHA-256 of the authority's public key."""
    authority = x509.load_pem_x509_certificate(certificates.authority_file.read_bytes())
    key = authority.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(sha256(key).digest()).decode()


def test_what_works_over_https_only(browser: Browser, secure: str, certificates: Certificates, tmp_path: Path) -> None:
    """The page is a secure context: a service worker registers, storage may be kept, a camera may be asked for."""
    with visiting(browser, tmp_path / "browser", certificates) as context:
        page = context.new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.goto(f"{secure}/")
        assert page.evaluate("isSecureContext")
        assert page.evaluate(
            "navigator.serviceWorker.register('/station/worker.js', {scope: '/station'}).then(known => known.scope)"
        )
        assert page.evaluate("'mediaDevices' in navigator && 'locks' in navigator && 'persist' in navigator.storage")
        assert not [text for text in told if "policy violated" in text]
        answer = page.goto(f"{secure}/trust")
        assert answer is not None
        assert "strict-transport-security" not in answer.headers


def test_a_counter_over_https(
    browser: Browser, web: Web, secure: str, certificates: Certificates, tmp_path: Path
) -> None:
    """The clerk signs in by a cookie that no plain connection is sent, and hands out forty rifles."""
    add_users(web.country, "clerk")
    delivered(web.country)
    with visiting(browser, tmp_path / "browser", certificates) as context:
        page = context.new_page()
        page.goto(f"{secure}/station")
        page.get_by_label("Sign-in name").fill("talib")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Password").press("Enter")
        page.wait_for_url("**/station")
        (kept,) = [cookie for cookie in context.cookies() if cookie["name"].endswith("session")]
        assert (kept["name"], kept["secure"], kept["httpOnly"], kept["sameSite"]) == (
            "__Host-stockpile_session", True, True, "Strict",
        )  # fmt: skip
        counter = station(page)
        counter.scan("A-1001", *FORTY)
        counter.settled()
        counter.press("F10", "F10")
        assert counter.shows_number().startswith("TAJI/B/")
    assert {web.country.where(serial) for serial in FORTY} == {PETROV}


def test_a_browser_that_does_not_trust_it_is_stopped(browser: Browser, secure: str, tmp_path: Path) -> None:
    """Until the authority is trusted."""
    with (
        visiting(browser, tmp_path / "browser", None) as context,
        pytest.raises(BrowserError, match="ERR_CERT_AUTHORITY_INVALID"),
    ):
        context.new_page().goto(f"{secure}/")


def test_the_page_of_trust(visitors: Visitors, certificates: Certificates) -> None:
    """Everybody may open and use it, on a phone too; its picture is drawn; nothing of it reaches beyond the page."""
    for size in ({"width": 1280, "height": 900}, {"width": 360, "height": 740}):
        page = visitors.page(None, "/trust", viewport=size)
        assert certificates.fingerprint.replace(":", " ")[:23] in page.locator("pre").first.inner_text()
        assert page.evaluate("document.querySelector('img[src=\"/trust/address.svg\"]').naturalWidth") > 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert_accessible(page)


def test_before_there_are_certificates(visitors: Visitors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says what is missing and who mends it."""
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))
    page = visitors.page(None, "/trust")
    assert "stockpile tls init" in page.locator("main").inner_text()
    assert_accessible(page)

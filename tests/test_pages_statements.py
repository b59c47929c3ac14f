"""Donor, registrar and depot on their pages: a certificate and a list are sent by form, settled and accepted, and the delivery is signed by
two people. A form that is refused keeps what was typed, and the file.
"""

from __future__ import annotations

import re

import pytest
from httpx import Response

from tests.api_world import Web, served
from tests.consigned import CERTIFICATE, listed
from tests.reading_pages import BROWSER, read, visit
from tests.world import SCAN

web = pytest.fixture(served)


def send(web: Web, who: str, path: str, file: tuple[str, bytes] | None = None, **fields: str) -> Response:
    """A form that somebody sends."""
    return web.client.post(
        path, data=fields, files={"file": file} if file else None, headers={**BROWSER, **web.headers(who)}, follow_redirects=False,
    )  # fmt: skip


def test_by_forms_alone(web: Web) -> None:
    certificate = {**CERTIFICATE, "units": "1COY", "vetting": "yes", "vetted": "1COY 2099-12-31"}
    refused = send(web, "USA", "/statements/certificate", ("EUC.pdf", SCAN), **{**certificate, "issued_on": ""})
    assert refused.status_code == 422
    kept = dict(re.findall(r'name="(sha256|name|supplier)"[^>]* value="([^"]*)"', refused.text))
    assert (len(kept["sha256"]), kept["name"]) == (64, "EUC.pdf")
    sent = send(
        web, "USA", "/statements/certificate", **{**certificate, "sha256": kept["sha256"], "name": kept["name"]}
    )
    assert sent.status_code == 303, read(sent).text
    assert send(web, "registrar", f"{sent.headers['location']}/confirm").status_code == 303
    assert "accepted" in visit(web, "USA", sent.headers["location"]).text

    consignment = {"reference": "FMS-9", "site": "TAJI", "end_user_certificate": "EUC-8", "carrier": "Sea line"}
    content = listed(["UA 1", "UA 2", "UA 2"])
    declared = send(web, "USA", "/statements/declaration", ("list.csv", content), **consignment)
    assert declared.status_code == 303, read(declared).text
    page = declared.headers["location"]
    waits = next(link for text, link in visit(web, "registrar", "/").links.items() if "wait for an answer" in text)
    assert visit(web, "registrar", waits).links["FMS-9"] == page
    assert "the same model and serial number as row 3" in visit(web, "registrar", page).text
    assert "1 of 3" in read(send(web, "registrar", f"{page}/accept")).text
    assert send(web, "registrar", f"{page}/accept", **{"mark-4": "notch"}).status_code == 303
    assert "TAJI/" in visit(web, "USA", page).text

    came = [{"model": "AKM", "serial_number": "UA 1", "condition": "serviceable"}]
    web.posted(
        "clerk",
        "/v1/receipts",
        {"store": "Main store", "donor": "USA", "consignment": "FMS-9", "complete": True, "lines": came},
    )
    form = visit(web, "clerk", page).links["Certify a delivery"]
    assert "FMS-9" in visit(web, "clerk", form).text or "FMS-9" in form
    signed = send(
        web, "clerk", "/statements/verification", donor="USA", consignment="FMS-9", title_passes_on="2026-01-02"
    )
    assert signed.status_code == 303, read(signed).text
    assert send(web, "clerk", f"{signed.headers['location']}/confirm").status_code == 403
    assert send(web, "commander", f"{signed.headers['location']}/confirm").status_code == 303
    seen = visit(web, "USA", page)
    assert [row["Serial number"] for row in seen.rows if row.get("What") == "shortage"] == ["UA 2", "UA 2"]
    for path in (page, sent.headers["location"], signed.headers["location"]):
        assert visit(web, "FRA", path, 404)
    assert "FMS-9" not in visit(web, "FRA", "/statements").text

"""What a depot sends on its way, and the day it falls, said by forms: nothing is done by halves, and nothing typed is lost."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest

from stockpile.acts.declare import DECLARE
from tests.api_world import Web, served
from tests.reading_pages import BROWSER
from tests.test_tracing_pages import fill_in, page
from tests.world import RIFLES, today

web = pytest.fixture(served)

TOMORROW = str(today() + timedelta(days=1))
CARRIED = {"carrier": "2nd Transport Company", "expected_on": TOMORROW}


def posted(web: Web, who: str, job: str) -> str:
    """The text of a task's page, once it is over."""
    for _ in range(200):
        text = web.client.get(job, headers={**BROWSER, **web.headers(who)}).text
        if "It runs." not in text:
            return text
        time.sleep(0.1)
    raise AssertionError("it still runs")


def test_rifles_leave_for_another_site(web: Web) -> None:
    """A number that nobody has, then a day that is over: told, with all that was typed; then they are on their way."""
    form = page(web, "clerk", "/shipments/new")
    given = {"document_id": form.fields["document_id"], "of": "store", "to_site": "ERBIL", **CARRIED}
    status, _, text = fill_in(web, "clerk", "/shipments", weapons=f"{RIFLES[0]}\nKT 1", **given)
    assert status == 409
    assert "KT 1" in text
    assert f"{RIFLES[0]}\nKT 1</textarea>" in text
    status, _, text = fill_in(
        web, "clerk", "/shipments", **{**given, "weapons": RIFLES[0], "expected_on": "2020-01-01"}
    )
    assert status == 422
    assert "that day is over" in text
    status, where, _ = fill_in(web, "clerk", "/shipments", weapons=f"{RIFLES[0]}\n{RIFLES[1]}\n", **given)
    assert status == 303
    assert page(web, "clerk", where)
    assert web.country.item(RIFLES[0]).where.account_class == "transit"
    status, again, _ = fill_in(web, "clerk", "/shipments", weapons=f"{RIFLES[0]}\n{RIFLES[1]}\n", **given)
    assert (status, again) == (303, where)


def test_a_consignment_is_on_its_way_by_a_list(web: Web) -> None:
    """A registrar says it of two of three, by the carrier's list; a clerk of the other site has no say in it."""
    lines = [{"model": "AKM", "serial_number": f"UA {n}"} for n in range(3)]
    web.country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    given = {"of": "consignment", "donor": "USA", "consignment": "FMS-2", "site": "TAJI", **CARRIED}
    status, _, text = fill_in(web, "registrar", "/shipments", **given)
    assert status == 422
    assert "declared no such consignment" in text
    answer = web.client.post(
        "/shipments",
        data={**given, "consignment": "FMS-1"},
        files={"file": ("way.csv", b"serial number,model\nUA 0,AKM\nUA 2,AKM\n", "text/csv")},
        headers={**BROWSER, **web.headers("registrar")},
        follow_redirects=False,
    )
    assert answer.status_code == 303, answer.text
    assert "It was posted." in posted(web, "registrar", answer.headers["location"])
    assert [web.country.item(f"UA {n}").where.account_class for n in range(3)] == ["transit", "supply", "transit"]
    status, _, text = fill_in(web, "erbil clerk", "/shipments", **{**given, "consignment": "FMS-1", "site": ""})
    assert status == 422
    assert "for ERBIL" in text


def test_a_depot_falls(web: Web) -> None:
    """The commander reads what is inside, forgets to tick, and reports it: everything is missing, and the paper lists it."""
    text = web.client.get("/overruns/new", headers={**BROWSER, **web.headers("commander")}).text
    assert "What is inside by the books now" in text
    assert re.search(r"AKM.*?10", text, re.DOTALL)
    form = page(web, "commander", "/overruns/new")
    given = {"document_id": form.fields["document_id"], "circumstances": "Attacked at night"}
    status, _, text = fill_in(web, "commander", "/overruns", **given)
    assert status == 422
    assert "Attacked at night</textarea>" in text
    assert web.country.where(RIFLES[0]) == "Main store"
    status, job, _ = fill_in(web, "commander", "/overruns", sure="yes", moment="2999-01-01T00:00", **given)
    assert status == 303
    text = posted(web, "commander", job)
    assert "is in the future" in text
    assert "Change it and try again" in text
    status, job, _ = fill_in(web, "commander", "/overruns", sure="yes", **given)
    text = posted(web, "commander", job)
    assert "It was posted." in text
    assert web.country.item(RIFLES[9]).where.account_class == "missing"
    assert fill_in(web, "clerk", "/overruns", sure="yes", **given)[0] == 403
    assert page(web, "registrar", "/overruns/new?site=ERBIL")

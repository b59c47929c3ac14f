"""Signature cards: who may draw for a unit, until when; a card that ended, was withdrawn, or whose bearer left opens no store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from stockpile import parties
from stockpile.acts.issue import ISSUE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Invalid, NotFound
from stockpile.reports.reference import search_signature_cards
from tests.api_world import Web, problem, served
from tests.world import RIFLES, SINCE, Country, scans, today

web = pytest.fixture(served)
TODAY = today()
DAY = timedelta(days=1)


@pytest.fixture
def registrar(country: Country) -> Iterator[Connection]:
    with transaction(country.engine, roles.REGISTRAR) as connection:
        yield connection


def given(connection: Connection, country: Country, who: str, since: date, until: date) -> None:
    parties.give_signature_card(
        connection,
        country.parties["company"],
        country.parties[who],
        since,
        until,
        country.parties["registrar"].party_id,
    )


def states(connection: Connection, day: date = TODAY, **asked: str) -> dict[str, str]:
    """How each person's card stands."""
    return {card.person: card.state for card in search_signature_cards(connection, day, **asked).rows}  # type: ignore[arg-type]


def test_each_card_shows_how_it_stands(country: Country, registrar: Connection) -> None:
    """Valid, expired yesterday, beginning tomorrow, and one whose bearer left; the first to end first; by state and by name."""
    given(registrar, country, "A-1002", SINCE, TODAY - DAY)
    given(registrar, country, "A-1003", TODAY + DAY, TODAY + 9 * DAY)
    given(registrar, country, "A-1009", SINCE, TODAY + 5 * DAY)
    assert states(registrar) == {"A-1002": "expired", "A-1009": "left", "A-1003": "not begun", "A-1001": "valid"}
    assert list(states(registrar)) == ["A-1002", "A-1009", "A-1003", "A-1001"]
    assert states(registrar, TODAY - DAY)["A-1002"] == "valid"
    assert states(registrar, state="valid") == {"A-1001": "valid"}
    assert states(registrar, text="QUIST") == {"A-1002": "expired"}
    first = search_signature_cards(registrar, TODAY, limit=3)
    rest = search_signature_cards(registrar, TODAY, limit=3, cursor=first.cursor)
    assert [card.person for card in (*first.rows, *rest.rows)] == list(states(registrar))


def test_who_may_draw_follows_the_card(country: Country) -> None:
    """On the first and the last day, not the day after; not once it is withdrawn; not when the bearer has left."""
    company, quist, leaver = (country.parties[code].party_id for code in ("company", "A-1002", "A-1009"))
    with transaction(country.engine, roles.REGISTRAR) as connection:
        given(connection, country, "A-1002", TODAY, TODAY + DAY)
        given(connection, country, "A-1009", SINCE, TODAY + DAY)
        drawing = [parties.may_draw(connection, company, quist, TODAY + n * DAY) for n in (-1, 0, 1, 2)]
        assert drawing == [False, True, True, False]
        assert parties.may_draw(connection, company, leaver, date(2024, 6, 30))
        assert not parties.may_draw(connection, company, leaver, TODAY)
    voucher = {"receiver": "1COY", "store": "Main store", "lines": scans(RIFLES[0])}
    assert "signature card" in country.refused("clerk", ISSUE, received_by="A-1009", **voucher).detail
    country.do("clerk", ISSUE, received_by="A-1002", **voucher)
    assert country.where(RIFLES[0]) == "1st Company"


def test_a_card_is_given_and_withdrawn_over_http(web: Web) -> None:
    """The unit draws by it, then no more; withdrawn twice is withdrawn once; a card nobody gave is not there."""
    body = {"unit": "1COY", "person": "A-1002", "since": "2026-01-01", "until": "2099-12-31"}
    card = web.post("registrar", "/v1/signature-cards", body).json()
    assert (card["unit"], card["person"], card["state"]) == ("1COY", "A-1002", "valid")
    voucher = {"receiver": "1COY", "received_by": "A-1002", "store": "Main store"}
    web.posted("clerk", "/v1/issues", {**voucher, "lines": scans(RIFLES[0])})
    path = f"/v1/signature-cards/{card['signature_card_id']}/withdraw"
    first = web.post("registrar", path).json()
    assert first["state"] == "withdrawn"
    assert web.post("registrar", path).json() == first
    problem(web.post("clerk", "/v1/issues", {**voucher, "lines": scans(RIFLES[1])}), 409, "refused")
    problem(
        web.post("registrar", f"/v1/signature-cards/{web.country.parties['USA'].party_id}/withdraw"), 404, "not-found"
    )
    listed = web.get("clerk", "/v1/signature-cards", unit="1COY", person="A-1002").json()["rows"]
    assert [row["state"] for row in listed] == ["withdrawn"]
    told = problem(web.get("clerk", "/v1/signature-cards", unit="9COY"), 422, "invalid")
    assert told["faults"][0]["field"] == "unit"


def test_what_is_no_card(country: Country, registrar: Connection) -> None:
    """It ends before it begins; it was never given."""
    with pytest.raises(Invalid) as refusal:
        given(registrar, country, "A-1002", TODAY, TODAY - DAY)
    assert [fault.field for fault in refusal.value.faults] == ["until"]
    with pytest.raises(NotFound):
        parties.withdraw_signature_card(registrar, country.parties["USA"].party_id)

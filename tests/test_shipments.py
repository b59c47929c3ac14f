"""Shipments as both ends see them: who carries them, what is outstanding, and what should have come by now."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from stockpile import founding
from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.correct import CORRECT
from stockpile.acts.ship import SHIP
from stockpile.cli import app
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted, now
from stockpile.sites import Site
from tests.api_world import Web, fresh, problem, served
from tests.world import RIFLES, Country, ago, paper, photo, scanned_paper, scans, today

web = pytest.fixture(served)

STORE = "Main store"
ORDER = {"to_site": "ERBIL", "store": STORE, "carrier": "2nd Transport Company"}
TOMORROW = str(today() + timedelta(days=1))
YARD = {"handed_over_by": "2nd Transport Company", "carrier": "Rail Regiment", "place": "Baghdad freight yard"}


def shipped(web: Web, *serials: str, **more: Any) -> dict[str, Any]:
    body = {**ORDER, "expected_on": TOMORROW, **more, "lines": scans(*serials)}
    return web.posted("clerk", "/v1/shipments", body)


def late(country: Country, *serials: str, days: int, number: int = 1) -> Posted:
    """A paper that says its weapons should have come so many days ago."""
    day = str(today() - timedelta(days=days))
    return country.do("clerk", SHIP, **ORDER, expected_on=day, paper=paper(number, ago()), lines=scans(*serials))


def listed(web: Web, who: str, **query: Any) -> list[dict[str, Any]]:
    answer = web.get(who, "/v1/shipments", **query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["rows"])


def numbers(web: Web, who: str, **query: Any) -> list[str]:
    return [row["number"] for row in listed(web, who, **query)]


def added_site(country: Country, code: str, time_zone: str) -> Site:
    with transaction(country.engine, roles.REGISTRAR) as connection:
        custodian = country.parties["erbil commander"]
        return founding.found_site(connection, code, f"{code} depot", time_zone, [STORE], custodian)


def test_both_ends_see_a_shipment_come_in(web: Web) -> None:
    """TAJI sends two rifles, one arrives: both sites read the same, the registrar and the auditor too."""
    order = shipped(web, *RIFLES[:2], driver="Sgt Karim", seal_numbers="S-100, S-101")
    web.posted("erbil clerk", "/v1/arrivals", {"shipment": order["number"], "lines": scans(RIFLES[0])})
    (row,) = listed(web, "clerk")
    assert (row["number"], row["from_site"], row["to_site"]) == (order["number"], "TAJI", "ERBIL")
    assert (row["driver"], row["seal_numbers"], row["expected_on"]) == ("Sgt Karim", "S-100, S-101", TOMORROW)
    assert [row[name] for name in ("shipped", "arrived", "rejected", "otherwise", "outstanding", "overdue")] == [
        2, 1, 0, 0, 1, False,
    ]  # fmt: skip
    for who in ("erbil clerk", "registrar", "auditor"):
        assert listed(web, who) == [row]
    shown = web.get("erbil clerk", f"/v1/shipments/{order['document_id']}").json()
    assert shown["shipment"] == row
    assert [(line["serial_number"], line["arrived"], line["outstanding"]) for line in shown["lines"]] == [
        (RIFLES[0], 1, 0), (RIFLES[1], 0, 1),
    ]  # fmt: skip
    page = web.get("erbil clerk", f"/v1/shipments/{order['document_id']}/lines", limit=1).json()
    assert [line["serial_number"] for line in page["rows"]] == [RIFLES[0]]
    more = web.get("erbil clerk", f"/v1/shipments/{order['document_id']}/lines", cursor=page["cursor"]).json()
    assert [line["serial_number"] for line in more["rows"]] == [RIFLES[1]]


def test_a_shipment_shows_the_number_that_stands(web: Web) -> None:
    """An amendment was taken back: the rifle goes by its own number again, also on the truck."""
    country = web.country
    amended = country.do_with_approval(
        "clerk", "commander", AMEND_IDENTIFICATION, reason="read wrong", attachments=[scanned_paper(photo())],
        lines=[{"scan": RIFLES[0], "serial_number": "WRONG 1"}],
    )  # fmt: skip
    country.do_with_approval("clerk", "commander", CORRECT, document=str(amended.document_id), reason="a slip")
    order = shipped(web, RIFLES[0])
    shown = web.get("erbil clerk", f"/v1/shipments/{order['document_id']}").json()
    assert [line["serial_number"] for line in shown["lines"]] == [RIFLES[0]]


def test_nobody_else_sees_it(web: Web) -> None:
    """A third site lists nothing and finds nothing, not by its id either; a donor is told where it sees its own
    weapons.
    """
    order = shipped(web, RIFLES[0])
    basra = added_site(web.country, "BASRA", "Asia/Baghdad")
    with transaction(web.country.engine, roles.POSTER, basra.site_id) as connection:
        asked = "SELECT count(*) FROM shipment_lines(ARRAY[%s::uuid])"
        assert connection.exec_driver_sql(asked, (order["document_id"],)).scalar_one() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM shipments_under_way()").scalar_one() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM shipment").scalar_one() == 0
    told = problem(web.get("USA", "/v1/shipments"), 403, "not-allowed")
    assert "class transit" in told["detail"]
    problem(web.get("USA", f"/v1/shipments/{order['document_id']}"), 403, "not-allowed")
    problem(web.get("clerk", f"/v1/shipments/{fresh()}"), 404, "not-found")
    problem(web.get("clerk", f"/v1/shipments/{fresh()}/lines"), 404, "not-found")


def test_what_should_have_come_is_overdue_until_it_is_settled(web: Web) -> None:
    """Three days over, for both ends; when the last rifle is in, or reported missing, it is overdue no more."""
    order = late(web.country, *RIFLES[:2], days=3)
    shipped(web, RIFLES[2])
    for who in ("clerk", "erbil clerk", "registrar", "auditor"):
        (row,) = listed(web, who, overdue=True)
        assert (row["number"], row["outstanding"], row["overdue"], row["days_overdue"]) == (order.number, 2, True, 3)
    web.posted("erbil clerk", "/v1/arrivals", {"shipment": order.number, "complete": True, "lines": scans(RIFLES[0])})
    assert numbers(web, "clerk", overdue=True) == [order.number]
    loss = {"place": "Route 1", "circumstances": "not on the truck", "lines": scans(RIFLES[1])}
    web.posted("erbil clerk", "/v1/loss-reports", loss)
    assert numbers(web, "clerk", overdue=True) == []
    (row,) = listed(web, "clerk", outstanding=False)
    assert (row["number"], row["otherwise"], row["days_overdue"]) == (order.number, 1, 0)


def test_overdue_is_by_the_wall_of_the_destination(web: Web) -> None:
    """The same day is over on Kiritimati and not yet west of Samoa: one of two shipments is overdue."""
    west = ZoneInfo("Etc/GMT+12")
    day: date = now().astimezone(west).date()
    for code, zone in (("EAST", "Pacific/Kiritimati"), ("WEST", "Etc/GMT+12")):
        added_site(web.country, code, zone)
    for number, (code, rifle) in enumerate((("EAST", RIFLES[0]), ("WEST", RIFLES[1])), 1):
        order = {**ORDER, "to_site": code, "expected_on": str(day)}
        web.country.do("clerk", SHIP, **order, paper=paper(number, ago()), lines=scans(rifle))
    assert [(row["to_site"], row["overdue"]) for row in listed(web, "auditor")] == [("EAST", True), ("WEST", False)]


def test_shipments_are_sought_by_site_carrier_and_day(web: Web) -> None:
    """Each filter alone, the first expected first; page by page; whole as CSV."""
    first = late(web.country, RIFLES[0], days=5)
    second = late(web.country, RIFLES[1], days=2, number=2)
    third = shipped(web, RIFLES[2], carrier="Air Wing")
    all_of_them = [first.number, second.number, third["number"]]
    assert numbers(web, "clerk") == all_of_them
    assert numbers(web, "clerk", from_site="TAJI", to_site="ERBIL") == all_of_them
    assert numbers(web, "auditor", from_site="ERBIL") == []
    assert numbers(web, "clerk", carrier="air w") == [third["number"]]
    assert numbers(web, "clerk", expected_before=str(today() - timedelta(days=2))) == [first.number]
    assert numbers(web, "clerk", overdue=False) == [third["number"]]
    page = web.get("clerk", "/v1/shipments", limit=2).json()
    assert [row["number"] for row in page["rows"]] == all_of_them[:2]
    assert numbers(web, "clerk", cursor=page["cursor"]) == all_of_them[2:]
    answer = web.get("clerk", "/v1/shipments", overdue=True, format="csv")
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert [row["number"] for row in rows] == all_of_them[:2]
    problem(web.get("clerk", "/v1/shipments", to_site="NOWHERE"), 404, "not-found")


def test_a_shipment_passes_from_carrier_to_carrier(web: Web) -> None:
    """Told by the sender and by the destination, each naming whom it may name; told twice it is kept once; it moves
    nothing.
    """
    order = shipped(web, RIFLES[0])
    path = f"/v1/shipments/{order['document_id']}/hand-overs"
    told = {**YARD, "happened_at": ago(minutes=5).isoformat()}
    assert web.post("clerk", path, told).status_code == 201
    assert len(web.post("clerk", path, told).json()["rows"]) == 1
    onward = {
        "handed_over_by": "Rail Regiment",
        "carrier": "Erbil drivers",
        "place": "Kirkuk",
        "remarks": "one seal broken",
    }
    both = web.post("erbil clerk", path, {**onward, "happened_at": ago(minutes=1).isoformat()}).json()["rows"]
    assert [(row["ordinal"], row["carrier"], row["recorded_by"]) for row in both] == [
        (1, "Rail Regiment", "a person of another site"), (2, "Erbil drivers", "Sergeant Elin Clerk (E-1)"),
    ]  # fmt: skip
    (row,) = listed(web, "clerk", carrier="rail")
    assert (row["carrier"], row["carried_by"]) == ("2nd Transport Company", "Erbil drivers")
    assert web.country.where(RIFLES[0]) == "transit"


def test_what_is_wrong_with_a_hand_over_is_named(web: Web) -> None:
    """A time to come; a shipment of nobody; an auditor and a donor, who write nothing."""
    order = shipped(web, RIFLES[0])
    path = f"/v1/shipments/{order['document_id']}/hand-overs"
    future = {**YARD, "happened_at": (now() + timedelta(hours=1)).isoformat()}
    assert problem(web.post("clerk", path, future), 422, "invalid")["faults"][0]["field"] == "happened_at"
    told = {**YARD, "happened_at": ago().isoformat()}
    problem(web.post("clerk", f"/v1/shipments/{fresh()}/hand-overs", told), 404, "not-found")
    for who in ("auditor", "USA"):
        problem(web.post(who, path, told), 403, "not-allowed")


def test_every_act_of_a_transfer_is_asked_for_over_the_api(web: Web) -> None:
    """A consignment is on its way, arrives, is rejected in part; a rifle goes abroad and comes back."""
    lines = [{"model": "M4", "serial_number": f"US {n}"} for n in (1, 2)]
    web.posted("registrar", "/v1/declarations", {
        "site": "TAJI", "donor": "USA", "reference": "FMS-1", "end_user_certificate": "EUC-1", "lines": lines,
    })  # fmt: skip
    notice = web.posted("registrar", "/v1/shipments", {
        "site": "TAJI", "donor": "USA", "consignment": "FMS-1", "carrier": "Sea line", "expected_on": TOMORROW,
    })  # fmt: skip
    assert listed(web, "clerk")[0]["consignment"] == "USA FMS-1"
    body = {"shipment": notice["number"], "store": STORE, "lines": scans("US 1", "US 2")}
    assert web.posted("clerk", "/v1/arrivals", body)["act"] == "receive"
    assert web.posted("clerk", "/v1/rejections", {"reason": "Cracked", "lines": scans("US 1")})["act"] == "reject"
    seen = web.get("USA", f"/v1/weapons/{web.country.item('US 1').item_id}/history").json()["entries"]
    assert (seen[-1]["reason"], seen[-1]["signatures"]) == ("Cracked", [])
    abroad = {"destination": "Jordan", "consignee": "Works", "authorisation": "E-1", "purpose": "repair abroad"}
    refused = problem(web.post("clerk", "/v1/exports", {**abroad, "lines": scans("US 2")}), 409, "refused")
    assert "EUC-1" in refused["reasons"][0]["reason"]
    web.approved("commander", web.drafted("clerk", "/v1/exports", {**abroad, "lines": scans(RIFLES[0])}))
    back = {"store": STORE, "received_from": "Works", "lines": scans(RIFLES[0])}
    assert web.posted("clerk", "/v1/re-imports", back)["act"] == "import again"


def test_a_clerk_follows_shipments_at_the_terminal(country: Country, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is overdue, who carries it, and taking it in by scan."""
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", country.engine.url.render_as_string(hide_password=False))
    order = late(country, *RIFLES[:2], days=3)

    def typed(*words: str, who: str = "erbil clerk") -> str:
        done = CliRunner().invoke(app, list(words), env={"STOCKPILE_TOKEN": web.tokens[who]})
        assert done.exit_code == 0, done.output
        return done.output

    assert order.number in typed("shipments", "--overdue")
    told = typed(
        "shipment", "hand-over", order.number, "--from", "2nd Transport", "--to", "Rail Regiment", "--place", "Yard"
    )
    assert "Rail Regiment" in told
    typed("act", "arrive", f"shipment={order.number}", "--scan", RIFLES[0], "--condition", "serviceable")
    shown = typed("shipment", "show", order.number, who="clerk")
    assert "3 days overdue" in shown
    assert "a person of another site" in shown
    assert typed("shipments", "--carrier", "nobody").strip() == "There are no such shipments."
    again = typed(
        "act", "ship", "to_site=ERBIL", f"store={STORE}", "carrier=Air Wing", f"expected_on={TOMORROW}", "--scan", RIFLES[3],
        who="clerk",
    )  # fmt: skip
    assert "ship, 1 line, quantity 1" in again

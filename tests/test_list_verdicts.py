"""Verdicts where weapons are compared with a list: at a receipt against what was declared or shipped, in a count against what was read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from stockpile import at_the_counter, count_verdicts, receipt_verdicts
from stockpile.acts.declare import DECLARE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from stockpile.documents import now
from stockpile.errors import NotAllowed, NotFound, Refused
from stockpile.registers.count_closing import close_count
from stockpile.registers.count_lines import send_lines
from stockpile.registers.count_sheets import SendLines
from stockpile.registers.counts import OpenCount, open_count
from stockpile.registers.seals import BreakSeal, SealContainer, break_seal, seal_container
from stockpile.verdicts import AskVerdict, Verdict
from tests.api_world import Web, problem, served
from tests.test_verdicts import TABLE, stocked
from tests.world import Country, scans, today

web = pytest.fixture(served)
RECEIPT, COUNT = TABLE["receipt"], TABLE["count"]


def asked(country: Country, who: str = "clerk", **request: Any) -> Verdict:
    """The verdict somebody gets."""
    return at_the_counter.verdict(country.engine, country.actors[who], AskVerdict.model_validate(request))


def awaited(country: Country) -> dict[str, UUID]:
    """The table's consignment and shipment, by what each is."""
    declared = {"donor": RECEIPT["donor"], "site": "TAJI"}
    country.do("registrar", DECLARE, **declared, reference=RECEIPT["reference"], lines=RECEIPT["declared"])
    country.do("registrar", DECLARE, **declared, reference="VC-118", lines=RECEIPT["declared_elsewhere"])
    for serials in (RECEIPT["shipped"], RECEIPT["shipped_otherwise"]):
        lines = [{"model": "AKM", "serial_number": serial, "condition": "serviceable"} for serial in serials]
        country.do("erbil clerk", RECEIVE, store="Main store", lines=lines)
        way = {"to_site": "TAJI", "carrier": "Rail Regiment", "expected_on": today(), "seal_numbers": "S-1, S-2"}
        country.do("erbil clerk", SHIP, store="Main store", lines=scans(*serials), **way)
    rows = at_the_counter.deliveries(country.engine, country.actors["clerk"])
    return {
        "consignment": next(row.delivery_id for row in rows if row.number == RECEIPT["reference"]),
        "shipment": next(row.delivery_id for row in rows if row.outstanding == len(RECEIPT["shipped"])),
    }


def wrong(cases: list[dict[str, Any]], found: list[Verdict]) -> str:
    """The cases that answer otherwise than the table says."""
    told = []
    for case, verdict in zip(cases, found, strict=True):
        said = (verdict.verdict, verdict.severity, verdict.line, len(verdict.candidates))
        expected = (case["verdict"], case["severity"], case.get("line"), case.get("candidates", 0))
        if said != expected or case.get("words", verdict.words) != verdict.words:
            told.append(f"{case['case']}: {said} {verdict.words!r}")
    return "\n".join(told)


def test_the_table_at_a_receipt(country: Country) -> None:
    """What was declared, what is more, twins, another model; the same of a shipment: each answer is the table's, none says stop."""
    stocked(country)
    deliveries = awaited(country)
    found = []
    for case in RECEIPT["cases"]:
        request = {name: case[name] for name in ("scan", "model") if name in case}
        delivery = None if case.get("alone") else deliveries["shipment" if case.get("shipment") else "consignment"]
        lines = [{"item": country.item(serial).item_id} for serial in case.get("lines", ())]
        found.append(asked(country, mode="receive", delivery=delivery, lines=lines, **request))
    assert not wrong(RECEIPT["cases"], found), wrong(RECEIPT["cases"], found)
    assert {one.verdict for one in found} == set(receipt_verdicts.SEVERITY)


def test_the_table_in_a_count(country: Country) -> None:
    """What is read, read before, unknown, sealed: each answer is the table's, and none says where a weapon is."""
    stocked(country)
    clerk = country.actors["clerk"]
    for broken, seals in ((False, COUNT["sealed"]), (True, COUNT["broken"])):
        for number, weapons in seals.items():
            seal = {"number": number, "store": "Main store", "container": f"Crate {number}", "weapons": weapons}
            seal_container(country.engine, clerk, SealContainer.model_validate(seal))
            if broken:
                break_seal(country.engine, clerk, BreakSeal(number=number))
    opened = OpenCount.model_validate({"account": "Main store", "counters": ["T-1", "T-2"]})
    count = open_count(country.engine, clerk, opened)
    send_lines(country.engine, clerk, count, SendLines.model_validate({"lines": scans(*COUNT["read"])}))
    found = [asked(country, mode="count", count=count, scan=case["scan"]) for case in COUNT["cases"]]
    assert not wrong(COUNT["cases"], found), wrong(COUNT["cases"], found)
    assert {one.verdict for one in found} == set(count_verdicts.SEVERITY)
    seen = [one for verdict in found for one in (verdict.weapon, *verdict.candidates) if one is not None]
    assert {(one.where, one.account_class, one.site, one.condition) for one in seen} == {("", "", None, None)}
    close_count(country.engine, country.actors["commander"], count)
    with pytest.raises(Refused, match="closed"):
        asked(country, mode="count", count=count, scan="VC-0815")


def test_what_a_site_waits_for(web: Web) -> None:
    """Erbil ships two to TAJI and USA declares six: TAJI sees both with what is outstanding, Erbil neither; page by page."""
    country = web.country
    deliveries = awaited(country)
    rows = web.get("clerk", "/v1/station/deliveries").json()["rows"]
    assert sorted((row["kind"], row["sender"], row["outstanding"]) for row in rows) == [
        ("consignment", "USA", 1), ("consignment", "USA", 45), ("shipment", "ERBIL", 1), ("shipment", "ERBIL", 2),
    ]  # fmt: skip
    assert {row["seal_numbers"] for row in rows if row["kind"] == "shipment"} == {"S-1, S-2"}
    assert web.get("erbil clerk", "/v1/station/deliveries").json()["rows"] == []
    path = f"/v1/station/deliveries/{deliveries['consignment']}/lines"
    first = web.get("clerk", path, limit=4).json()
    rest = web.get("clerk", path, limit=4, cursor=first["cursor"]).json()
    lines = [*first["rows"], *rest["rows"]]
    assert [(one["model"], one["serial_number"], one["quantity"]) for one in lines] == [
        ("AKM", "VC-READY", 1), ("AKM", "VR-1", 1), ("AKM", "VR-2", 1), ("AKM", "VR-BOTH", 1), ("Helmet", None, 40),
        ("Type 56", "VR-BOTH", 1),
    ]  # fmt: skip
    assert rest["cursor"] is None
    shipped = web.get("clerk", f"/v1/station/deliveries/{deliveries['shipment']}/lines").json()["rows"]
    assert [one["serial_number"] for one in shipped] == ["VS-1", "VS-2"]
    problem(web.get("erbil clerk", path), 404, "not-found")
    with pytest.raises(NotFound):
        asked(country, "erbil clerk", mode="receive", delivery=deliveries["consignment"], scan="VR-1")
    with pytest.raises(NotAllowed):
        asked(country, "USA", mode="receive", scan="VR-1")


def test_a_thousand_lines_in_one_report(country: Country) -> None:
    """A truck of a thousand is one receiving report; how each line came in, and who delivered it, stay with it."""
    lines = [{"model": "AKM", "serial_number": f"TH {n:05}", "how": "scanned"} for n in range(999)]
    lines.append({"model": "AKM", "serial_number": "TH 00999", "how": "typed"})
    before = now()
    posted = country.do("clerk", RECEIVE, store="Main store", lines=lines, delivered_by="2nd Transport Company")
    assert (posted.lines, posted.recorded_at > before) == (1000, True)
    ((details,),) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    assert (details["entered_on_lines"]["typed"], details["delivered_by"]) == ([1000], "2nd Transport Company")

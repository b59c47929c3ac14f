"""Accessories: magazines, slings and optics go out and come back on the rifle's voucher, and what is short is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from stockpile import models, tokens, weapon_assignments
from stockpile.acts import draw as drawing
from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.draw import DRAW
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.cli import app
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.models import NewModel
from stockpile.weapon_assignments import Assign
from tests.api_world import Web, served
from tests.world import HELMET, RIFLES, Country, ago, kinds, paper, scans, told

web = pytest.fixture(served)

STORE = "Main store"
PETROV, QUIST = "Private Petrov (A-1001)", "Private Quist (A-1002)"
MAGAZINE, SLING = "Magazine, AK pattern, 30 rounds", "Sling, rifle"
OPTIC = "PVS-14"
LOSS = {"place": "the range", "circumstances": "not there at the count"}


def magazines(quantity: int) -> dict[str, Any]:
    return {"model": "AKM magazine", "quantity": quantity}


ONE_SLING = {"model": SLING}
KIT = [magazines(4), ONE_SLING]


@pytest.fixture
def stocked(country: Country) -> Country:
    """The country with forty magazines, ten slings and two night sights, America's, in its store."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        sight = {"maker": "Elbit", "name": OPTIC, "category": "equipment", "tracked_by": "serial"}
        models.add_model(connection, NewModel.model_validate(sight))
    lines = [magazines(40), {**ONE_SLING, "quantity": 10}]
    country.do("clerk", RECEIVE, store=STORE, lines=lines)
    sights = [{"model": OPTIC, "serial_number": f"NV {n}", "condition": "serviceable"} for n in (1, 2)]
    country.do("clerk", RECEIVE, store=STORE, donor="USA", lines=sights)
    return country


def equipped(serial: str, *accessories: dict[str, Any], **line: Any) -> dict[str, Any]:
    """A rifle's line with what goes with it."""
    return {"scan": serial, "accessories": list(accessories), **line}


def issued(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", ISSUE, **{"receiver": "A-1001", "store": STORE, **request}, lines=list(lines))


def returned(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", RETURN, store=STORE, **request, lines=list(lines))


def held(country: Country, account: str) -> dict[str, int]:
    """What is counted on an account, by model."""
    return dict(
        country.query(
            """SELECT m.name, sum(h.quantity)::int FROM holding h JOIN account a USING (account_id) JOIN item i USING (item_id)
               JOIN model m ON m.model_id = i.model_id WHERE a.name = %s AND i.tracked_by <> 'serial' GROUP BY 1""",
            account,
        )
    )  # fmt: skip


def details(country: Country, posted: Posted) -> dict[str, Any]:
    (found,) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    return dict(found[0])


def with_rifle(country: Country, posted: Posted, serial: str, name: str = "accessories") -> list[tuple[str, int]]:
    """What a document says went with a rifle."""
    said = details(country, posted).get(name, {}).get(str(country.item(serial).item_id), [])
    return [(one["model"], one["quantity"]) for one in said]


def short(country: Country, posted: Posted) -> list[tuple[str, str]]:
    """What a document says is short: what the books said, and what was seen."""
    return [
        (books, seen)
        for books, seen in country.query(
            "SELECT books_said, seen FROM discrepancy WHERE document_id = %s AND kind = 'accessories short' ORDER BY line",
            posted.document_id,
        )
    ]


def test_a_rifle_goes_out_with_its_kit_and_comes_back_with_it(stocked: Country) -> None:
    """One voucher each way: rifle, four magazines, one sling; the document says what belongs to which rifle."""
    out = issued(stocked, equipped(RIFLES[0], *KIT), equipped(RIFLES[1], magazines(2)), *scans(RIFLES[2]))
    assert (out.lines, out.quantity) == (5, 10)
    assert held(stocked, PETROV) == {MAGAZINE: 6, SLING: 1}
    assert with_rifle(stocked, out, RIFLES[0]) == [(MAGAZINE, 4), (SLING, 1)]
    assert with_rifle(stocked, out, RIFLES[1]) == [(MAGAZINE, 2)]
    assert with_rifle(stocked, out, RIFLES[2]) == []
    back = returned(stocked, equipped(RIFLES[0], *KIT), equipped(RIFLES[1], magazines(2)), *scans(RIFLES[2]))
    assert back.discrepancy_count == 0
    assert held(stocked, PETROV) == {}
    assert with_rifle(stocked, back, RIFLES[0]) == [(MAGAZINE, 4), (SLING, 1)]


def test_a_return_says_what_is_short(stocked: Country) -> None:
    """Three of four magazines, no sling: the rifle is back, the rest stays with who answers for it, and somebody is told."""
    out = issued(stocked, equipped(RIFLES[0], *KIT))
    back = returned(stocked, equipped(RIFLES[0], magazines(3)))
    assert stocked.where(RIFLES[0]) == STORE
    assert short(stocked, back) == [
        (
            f"AKM {RIFLES[0]} went out with 4 {MAGAZINE}; 1 {SLING}, {out.number}",
            f"3 {MAGAZINE} came back; {PETROV} still has 1 {MAGAZINE}; 1 {SLING}",
        )
    ]
    assert held(stocked, PETROV) == {MAGAZINE: 1, SLING: 1}
    assert with_rifle(stocked, back, RIFLES[0], "accessories_short") == [(MAGAZINE, 1), (SLING, 1)]
    later = returned(stocked, magazines(1), ONE_SLING, returned_by="A-1001")
    assert (later.discrepancy_count, held(stocked, PETROV)) == (0, {})


def test_where_nothing_is_said_all_of_it_is_short(stocked: Country) -> None:
    """Nobody is relieved of what nobody saw: neither by silence nor by saying that none came."""
    issued(stocked, equipped(RIFLES[0], *KIT), equipped(RIFLES[1], magazines(2)))
    back = returned(stocked, *scans(RIFLES[0]), equipped(RIFLES[1]))
    assert [seen for _, seen in short(stocked, back)] == [
        f"none came back; {PETROV} still has 4 {MAGAZINE}; 1 {SLING}",
        f"none came back; {PETROV} still has 2 {MAGAZINE}",
    ]


def test_one_word_for_a_queue_of_forty(stocked: Country) -> None:
    """`accessories_complete`: all that went with each rifle is there; but for the one whose line says otherwise."""
    issued(stocked, *scans(*RIFLES[:3]), accessories=KIT)
    issued(stocked, *scans(RIFLES[3]), accessories=KIT, receiver="A-1002")
    assert held(stocked, PETROV) == {MAGAZINE: 12, SLING: 3}
    lines = [*scans(*RIFLES[:2]), equipped(RIFLES[2], magazines(4)), *scans(RIFLES[3])]
    back = returned(stocked, *lines, accessories_complete=True)
    assert [seen for _, seen in short(stocked, back)] == [f"4 {MAGAZINE} came back; {PETROV} still has 1 {SLING}"]
    assert (held(stocked, PETROV), held(stocked, QUIST)) == ({SLING: 1}, {})


def test_what_came_before_or_is_missing_is_not_short(stocked: Country) -> None:
    """The magazines came by a line of their own, the sling was reported missing: nothing is left to answer for."""
    issued(stocked, equipped(RIFLES[0], *KIT))
    stocked.do("clerk", REPORT_MISSING, **LOSS, holder="A-1001", lines=[ONE_SLING])
    returned(stocked, magazines(1), returned_by="A-1001")
    back = returned(stocked, *scans(RIFLES[0]), magazines(3), returned_by="A-1001")
    assert (back.discrepancy_count, held(stocked, PETROV)) == (0, {})
    issued(stocked, equipped(RIFLES[0], magazines(4)))
    stocked.do("clerk", REPORT_MISSING, **LOSS, holder="A-1001", lines=[magazines(1)])
    back = returned(stocked, *scans(RIFLES[0]), accessories_complete=True)
    assert (back.discrepancy_count, held(stocked, PETROV)) == (0, {})


def test_no_more_than_there_are(stocked: Country) -> None:
    """Forty magazines for eleven rifles are refused by the rifle's line, and six from him who has four, too."""
    refusal = stocked.refused(
        "clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(*RIFLES), accessories=[magazines(5)]
    )
    assert [(one.line, one.weapon, one.reason) for one in refusal.reasons] == [
        (9, "AKM magazine", f"only 40 {MAGAZINE} at Main store, 5 more asked for: other lines take 40"),
        (10, "AKM magazine", f"only 40 {MAGAZINE} at Main store, 5 more asked for: other lines take 40"),
    ]
    issued(stocked, equipped(RIFLES[0], magazines(4)))
    refusal = stocked.refused("clerk", RETURN, store=STORE, lines=[equipped(RIFLES[0], magazines(6))])
    assert told(refusal) == [("AKM magazine", f"only 4 {MAGAZINE} at {PETROV}, 6 asked for", None)]
    back = returned(stocked, equipped(RIFLES[0], magazines(6)), paper=paper(1, ago()))
    assert kinds(back) == ["fewer in the books"]
    assert held(stocked, STORE)[MAGAZINE] == 42


def test_a_night_sight_goes_by_its_own_number(stocked: Country) -> None:
    """Out on the rifle, not back with it: it stays with Petrov, by its serial number, and back it comes by its own scan."""
    out = issued(stocked, equipped(RIFLES[0], {"scan": "NV 1"}, magazines(1)))
    assert stocked.where("NV 1") == PETROV
    assert with_rifle(stocked, out, RIFLES[0]) == [(OPTIC, 1), (MAGAZINE, 1)]
    refusal = stocked.refused(
        "clerk", ISSUE, receiver="A-1002", store=STORE, lines=[equipped(RIFLES[1], {"scan": "NV 1"})]
    )
    assert told(refusal)[0][1].startswith("it is issued to a person")
    back = returned(stocked, equipped(RIFLES[0], magazines(1)))
    assert [seen for _, seen in short(stocked, back)] == [f"1 {MAGAZINE} came back; {PETROV} still has {OPTIC} NV 1"]
    returned(stocked, *scans("NV 1"))
    issued(stocked, equipped(RIFLES[0], {"scan": "NV 1"}), equipped(RIFLES[1], {"scan": "NV 2"}))
    back = returned(stocked, *scans(RIFLES[0]), equipped(RIFLES[1], {"scan": "NV 2"}), accessories_complete=True)
    assert (back.discrepancy_count, stocked.where("NV 1"), stocked.where("NV 2")) == (0, STORE, STORE)


def test_a_rifle_is_handed_on_with_its_kit(stocked: Country) -> None:
    """What does not go along is told, and stays with who hands the rifle on; the new holder answers for what he got."""
    issued(stocked, equipped(RIFLES[0], *KIT), equipped(RIFLES[1], *KIT))
    pair = {"giver": "A-1001", "receiver": "A-1002"}
    over = stocked.do("clerk", HAND_OVER, **pair, lines=scans(RIFLES[0]), accessories_complete=True)
    assert (over.discrepancy_count, held(stocked, QUIST)) == (0, {MAGAZINE: 4, SLING: 1})
    over = stocked.do("clerk", HAND_OVER, **pair, lines=[equipped(RIFLES[1], magazines(4))])
    assert [seen for _, seen in short(stocked, over)] == [f"4 {MAGAZINE} handed on; {PETROV} still has 1 {SLING}"]
    back = returned(stocked, *scans(*RIFLES[:2]), accessories_complete=True)
    assert (back.discrepancy_count, held(stocked, QUIST), held(stocked, PETROV)) == (0, {}, {SLING: 1})


def test_whoever_brings_it_the_holder_is_relieved(stocked: Country) -> None:
    """Quist brings Petrov's rifle with its kit: the magazines come off Petrov's account, not off Quist's."""
    issued(stocked, equipped(RIFLES[0], *KIT))
    issued(stocked, magazines(4), receiver="A-1002")
    back = returned(stocked, *scans(RIFLES[0]), accessories_complete=True, returned_by="A-1002")
    assert (back.discrepancy_count, held(stocked, PETROV), held(stocked, QUIST)) == (0, {}, {MAGAZINE: 4})


def test_an_issue_taken_back_takes_its_kit_back(stocked: Country) -> None:
    """By its own clerk at once, or by two people: all of it, and the rifle's next return owes nothing."""
    hasty = issued(stocked, equipped(RIFLES[0], *KIT))
    stocked.do("clerk", UNDO, document=hasty.document_id)
    wrong = issued(stocked, equipped(RIFLES[0], *KIT), equipped(RIFLES[1], *KIT))
    stocked.do_with_approval("clerk", "commander", CORRECT, document=wrong.document_id, reason="wrong company")
    assert held(stocked, STORE) == {HELMET: 100, MAGAZINE: 40, SLING: 10}
    issued(stocked, *scans(RIFLES[0]))
    assert returned(stocked, *scans(RIFLES[0])).discrepancy_count == 0


def test_a_paper_return_of_last_week_is_held_against_its_own_issue(stocked: Country) -> None:
    """Out with four, back with two, out again with one: the paper of the return comes last, and two are short."""
    issued(stocked, equipped(RIFLES[0], magazines(4)), paper=paper(1, ago(days=9)))
    issued(stocked, equipped(RIFLES[0], magazines(1)), paper=paper(3, ago(days=1)))
    back = returned(stocked, equipped(RIFLES[0], magazines(2)), paper=paper(2, ago(days=5)))
    assert [seen for _, seen in short(stocked, back)] == [f"2 {MAGAZINE} came back; {PETROV} still has 2 {MAGAZINE}"]


def test_in_hand_with_a_kit_the_books_never_gave_out(stocked: Country) -> None:
    """The rifle should lie in the store, and comes over the counter with two magazines: posted, and told."""
    back = returned(stocked, equipped(RIFLES[0], magazines(2)), in_hand=True)
    assert kinds(back) == ["fewer in the books", "held elsewhere"]
    assert held(stocked, STORE)[MAGAZINE] == 42
    back = returned(stocked, equipped("NEVER 1", {"scan": "NEVER 2"}), in_hand=True)
    assert kinds(back) == ["unknown weapon", "unknown weapon"]


def test_bad_accessories(stocked: Country) -> None:
    """A rifle as an accessory's number, helmets with a sling, a name nobody knows, one sight on two rifles."""
    for line in ({"model": HELMET, "accessories": KIT}, {"scan": RIFLES[0], "accessories": [{}]}):
        with pytest.raises(ValidationError):
            issued(stocked, line)
    lines = [equipped(RIFLES[0], {"model": "AKM"}), equipped(RIFLES[1], {"model": "Slingg"}),
             equipped(RIFLES[2], {"scan": "NV 1"}), equipped(RIFLES[3], {"scan": "NV 1"})]  # fmt: skip
    refusal = stocked.refused("clerk", ISSUE, receiver="A-1001", store=STORE, lines=lines)
    assert [(one.line, one.reason.split(":")[0]) for one in refusal.reasons] == [
        (1, "AKM is tracked by serial number"),
        (2, "unknown model"),
        (4, "already on this list, line 3"),
    ]
    item = str(stocked.helmets().item_id)
    refusal = stocked.refused(
        "clerk", ISSUE, receiver="A-1001", store=STORE, lines=[{"item": item, "accessories": [ONE_SLING]}]
    )
    assert refusal.reasons[0].reason == "accessories go with a weapon: Helmet is counted"


@pytest.fixture
def drawn(stocked: Country, monkeypatch: pytest.MonkeyPatch) -> Country:
    """Petrov's own rifle and Quist's, in the rack; no two scans are taken for one."""
    monkeypatch.setattr(drawing, "SAME_SCAN", timedelta(0))
    own = [{"scan": RIFLES[0], "person": "A-1001"}, {"scan": RIFLES[1], "person": "A-1002"}]
    weapon_assignments.assign(stocked.engine, stocked.actors["commander"], Assign.model_validate({"lines": own}))
    return stocked


def drew(country: Country, *lines: dict[str, Any]) -> Posted:
    return country.do("clerk", DRAW, lines=list(lines))


def test_the_morning_draw_takes_the_kit_along(drawn: Country) -> None:
    """Said once, when the rifle first goes out with it; then one scan brings all back, and one takes all out again."""
    drew(drawn, equipped(RIFLES[0], *KIT, {"scan": "NV 1"}), equipped(RIFLES[1], magazines(2)))
    assert (held(drawn, PETROV), held(drawn, QUIST)) == ({MAGAZINE: 4, SLING: 1}, {MAGAZINE: 2})
    back = drew(drawn, *scans(*RIFLES[:2]))
    assert (back.act, back.discrepancy_count, back.quantity) == ("return", 0, 10)
    assert (held(drawn, PETROV), held(drawn, QUIST), drawn.where("NV 1")) == ({}, {}, STORE)
    out = drawn.do("clerk", DRAW, scan=RIFLES[0])
    assert with_rifle(drawn, out, RIFLES[0]) == [(MAGAZINE, 4), (SLING, 1), (OPTIC, 1)]
    assert (held(drawn, PETROV), drawn.where("NV 1")) == ({MAGAZINE: 4, SLING: 1}, PETROV)


def test_a_draw_that_comes_back_short_goes_out_with_what_came(drawn: Country) -> None:
    """The missing magazine stays with Petrov; tomorrow he draws the three. What the store has not, does not stop the queue."""
    drew(drawn, equipped(RIFLES[0], *KIT))
    back = drew(drawn, equipped(RIFLES[0], magazines(3), ONE_SLING))
    assert [seen for _, seen in short(drawn, back)] == [
        f"3 {MAGAZINE}; 1 {SLING} came back; {PETROV} still has 1 {MAGAZINE}"
    ]
    issued(drawn, {"model": SLING, "quantity": 10}, receiver="A-1002")
    out = drawn.do("clerk", DRAW, scan=RIFLES[0])
    assert with_rifle(drawn, out, RIFLES[0]) == [(MAGAZINE, 3)]
    refusal = drawn.refused("clerk", DRAW, lines=[equipped(RIFLES[1], ONE_SLING)])
    assert told(refusal)[0][1] == f"only 0 {SLING} at Main store, 1 asked for"


def test_a_broken_sight_does_not_go_out_by_a_scan(drawn: Country) -> None:
    """It came back broken, and is named; the rifle goes without it as soon as the line says so."""
    drew(drawn, equipped(RIFLES[0], {"scan": "NV 1"}))
    drew(drawn, *scans(RIFLES[0]))
    issued(drawn, *scans("NV 1"))
    returned(drawn, {"scan": "NV 1", "condition": "unserviceable"})
    assert told(drawn.refused("clerk", DRAW, scan=RIFLES[0])) == [
        (f"{OPTIC} NV 1", "it is unserviceable", "Main store (store)")
    ]
    drew(drawn, equipped(RIFLES[0]))
    assert (drawn.where(RIFLES[0]), drawn.where("NV 1")) == (PETROV, STORE)


def test_the_weapon_s_page_says_what_it_is_out_with(stocked: Country, web: Web) -> None:
    """For the desk by name and number; a donor sees its weapon, not what the host hangs on it; once back, nothing."""
    rifle = "US 1"
    lines = [{"model": "AKM", "serial_number": rifle, "condition": "serviceable"}]
    stocked.do("clerk", RECEIVE, store=STORE, donor="USA", lines=lines)
    issue = {"receiver": "A-1001", "store": STORE, "lines": [equipped(rifle, *KIT, {"scan": "NV 1"})]}
    out = web.posted("clerk", "/v1/issues", issue)
    page = f"/v1/weapons/{stocked.item(rifle).item_id}"
    shown = web.get("clerk", page).json()["accessories"]
    assert [(one["model"], one["quantity"], one["serial_number"]) for one in shown] == [
        (MAGAZINE, 4, None), (SLING, 1, None), (OPTIC, 1, "NV 1"),
    ]  # fmt: skip
    assert web.get("auditor", page).json()["accessories"] == shown
    assert web.get("USA", page).json()["accessories"] == []
    assert web.get("erbil clerk", page).json()["accessories"] == []
    lines = web.get("clerk", f"/v1/documents/{out['document_id']}").json()["lines"]
    assert sorted((one["model"], one["quantity"]) for one in lines) == sorted(
        [("AKM", 1), (MAGAZINE, 4), (OPTIC, 1), (SLING, 1)]
    )
    back = {"store": STORE, "lines": [{"scan": rifle, "condition": "serviceable"}]}
    posted = web.posted("clerk", "/v1/returns", back)
    assert [one["kind"] for one in posted["discrepancies"]] == ["accessories short"]
    assert web.get("clerk", page).json()["accessories"] == []
    kinds_seen = [row["kind"] for row in web.get("USA", "/v1/discrepancies").json()["rows"]]
    assert "accessories short" not in kinds_seen


def test_at_the_command_line(stocked: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--with` goes with each rifle that is scanned; the history says with what it is out."""
    with transaction(stocked.engine, roles.REGISTRAR) as connection:
        token = tokens.create_token(connection, "clerk", "the clerk's", "T-1", site="TAJI", book="B").text
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", stocked.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("STOCKPILE_TOKEN", token)
    rifles = ["--scan", RIFLES[0], "--scan", RIFLES[1]]
    kit = ["--with", "AKM magazine=4", "--with", "Sling, rifle=1"]
    assert CliRunner().invoke(app, ["act", "issue", "receiver=A-1001", f"store={STORE}", *rifles, *kit]).exit_code == 0
    assert held(stocked, PETROV) == {MAGAZINE: 8, SLING: 2}
    back = ["act", "return", f"store={STORE}", "accessories_complete=true", *rifles]
    assert CliRunner().invoke(app, back).exit_code == 0
    assert held(stocked, PETROV) == {}


def test_a_repeat_is_known_whatever_came_later(country: Country) -> None:
    """A return that says nothing of accessories has the content hash it had before they could be said."""
    request = {"store": STORE, "lines": [{"scan": RIFLES[0]}], "document_id": UUID(int=7)}
    content = RETURN.request.model_validate(request).model_dump(mode="json")
    assert "accessories_complete" not in content
    assert {"accessories", "lot"} & set(content["lines"][0]) == set()

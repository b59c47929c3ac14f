"""The morning draw: the same rifle to the same soldier every morning, one scan each way, and a list of the cards that
still stand in the rack in the evening.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from stockpile import parties, weapon_assignments
from stockpile.acts import draw as drawing
from stockpile.acts import perform
from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.draw import DRAW
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.errors import Invalid, NotAllowed, PostedWithOtherContent, Refused
from stockpile.keys import new_key
from stockpile.reports import weapon_cards
from stockpile.reports.keyset import Page
from stockpile.reports.weapon_cards import CardOut, cards_out
from stockpile.rights import Actor
from stockpile.weapon_assignments import Assign, Assignment, EndAssignments, search_assignments
from tests.api_world import Web, fresh, problem, served
from tests.reading import asked_by
from tests.test_races import at_once
from tests.world import RIFLES, Country, ago, paper, scans

web = pytest.fixture(served)

STORE = "Main store"
PETROV, QUIST = "Private Petrov (A-1001)", "Private Quist (A-1002)"


@pytest.fixture
def arms_room(country: Country) -> Country:
    """The country with an armourer at TAJI and another at ERBIL; the first two rifles are Petrov's and Quist's."""
    staffed = replace(
        country,
        actors={
            **country.actors,
            "armourer": replace(country.actors["second clerk"], role="armourer", book_code="D"),
            "erbil armourer": replace(country.actors["erbil clerk"], role="armourer", book_code="D"),
        },
    )
    assign(staffed, (RIFLES[0], "A-1001"), (RIFLES[1], "A-1002"))
    return staffed


def assign(country: Country, *pairs: tuple[str, str], who: str = "armourer") -> list[Assignment]:
    """Assigns weapons to persons."""
    request = Assign.model_validate({"lines": [{"scan": scan, "person": person} for scan, person in pairs]})
    return weapon_assignments.assign(country.engine, country.actors[who], request)


def end(country: Country, *serials: str, who: str = "armourer") -> int:
    """Ends the assignments of weapons."""
    request = EndAssignments.model_validate({"lines": scans(*serials)})
    return weapon_assignments.end_assignments(country.engine, country.actors[who], request)


def draw(country: Country, scan: str, who: str = "armourer", **more: Any) -> Posted:
    """One scan at the arms room's window."""
    return country.do(who, DRAW, scan=scan, **more)


def told(country: Country, scan: str, **more: Any) -> str:
    """The one reason a scan is refused for."""
    (reason,) = country.refused("armourer", DRAW, scan=scan, **more).reasons
    assert reason.weapon == scan
    return reason.reason


def assignments(country: Country, who: str = "armourer", **asked: Any) -> Page[Assignment]:
    return asked_by(country, who, search_assignments, **asked)


def cards(country: Country, who: str = "armourer", **asked: Any) -> Page[CardOut]:
    return asked_by(country, who, cards_out, **asked)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two scans are taken for one: the minute after each is over."""
    monkeypatch.setattr(drawing, "SAME_SCAN", timedelta(0))


# The draw


@pytest.mark.usefixtures("later")
def test_one_scan_hands_the_rifle_out_and_one_takes_it_back(arms_room: Country) -> None:
    """In the morning Petrov's rifle goes to Petrov, in the evening it is in its rack again; each says what it was."""
    out = draw(arms_room, RIFLES[0])
    assert (out.act, out.lines, arms_room.where(RIFLES[0])) == ("issue", 1, PETROV)
    back = draw(arms_room, RIFLES[0])
    assert (back.act, back.lines, arms_room.where(RIFLES[0])) == ("return", 1, STORE)
    petrov = arms_room.parties["A-1001"].party_id
    seen = arms_room.query(
        """SELECT d.act, d.details->>'paper', s.part FROM document d JOIN signatory s USING (document_id)
           WHERE s.party_id = %s AND d.document_id = ANY (%s) ORDER BY d.number""",
        petrov,
        [out.document_id, back.document_id],
    )
    assert seen == [("issue", "weapon card", "received_by"), ("return", "weapon card", "handed_over_by")]


def test_a_scan_that_beeps_twice_does_not_bring_the_rifle_back(arms_room: Country) -> None:
    """The second beep is told that it went out a moment ago; whoever means it says the direction."""
    out = draw(arms_room, RIFLES[0])
    reason = told(arms_room, RIFLES[0])
    assert reason.startswith("it went out 0 s ago, as ")
    assert out.number in reason
    assert arms_room.where(RIFLES[0]) == PETROV
    assert draw(arms_room, RIFLES[0], direction="back").act == "return"
    assert told(arms_room, RIFLES[0]).startswith("it came back 0 s ago")
    assert draw(arms_room, RIFLES[0], direction="out").act == "issue"


def test_a_minute_later_a_scan_means_the_other_way(arms_room: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard looks at how long ago the weapon moved, not at whether it ever did."""
    draw(arms_room, RIFLES[0])
    monkeypatch.setattr(drawing, "SAME_SCAN", timedelta(hours=1))
    assert told(arms_room, RIFLES[0]).startswith("it went out")
    monkeypatch.setattr(drawing, "SAME_SCAN", timedelta(microseconds=1))
    assert draw(arms_room, RIFLES[0]).act == "return"


def test_two_armourers_scan_one_rifle_at_the_same_moment(arms_room: Country) -> None:
    """It goes out once; all others read under which number it went, and it doesn't bounce back into the rack."""
    tasks = [lambda n=n: draw(arms_room, RIFLES[0], ("armourer", "clerk")[n % 2]) for n in range(8)]
    answers = at_once(tasks)
    posted = [answer for answer in answers if isinstance(answer, Posted)]
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert (len(posted), len(refused)) == (1, 7), answers
    assert arms_room.where(RIFLES[0]) == PETROV
    assert arms_room.item(RIFLES[0]).version == 2
    for refusal in refused:
        assert posted[0].number in refusal.reasons[0].reason
        assert refusal.reasons[0].where == f"{PETROV} (person)"


@pytest.mark.usefixtures("later")
def test_the_same_request_again_gets_the_first_answer_whatever_the_rifle_did_since(arms_room: Country) -> None:
    """A lost answer asked for again moves nothing: not back, and not out again after it came back."""
    once = {"document_id": new_key()}
    out = draw(arms_room, RIFLES[0], **once)
    assert draw(arms_room, RIFLES[0], **once) == out
    assert arms_room.where(RIFLES[0]) == PETROV
    back = draw(arms_room, RIFLES[0])
    assert draw(arms_room, RIFLES[0], **once) == out
    assert arms_room.where(RIFLES[0]) == STORE
    assert back.act == "return"
    with pytest.raises(PostedWithOtherContent):
        draw(arms_room, RIFLES[1], **once)
    with pytest.raises(PostedWithOtherContent):
        draw(arms_room, RIFLES[0], direction="out", **once)


def test_one_request_sent_eight_times_at_once_hands_out_once(arms_room: Country) -> None:
    """A station that asks again and again gets one answer."""
    request = DRAW.request.model_validate({"scan": RIFLES[0]})
    actor = arms_room.actors["armourer"]
    answers = at_once([lambda: perform.perform(arms_room.engine, actor, DRAW, request)] * 8)
    assert all(answer == answers[0] for answer in answers), answers
    assert isinstance(answers[0], Posted)
    assert arms_room.item(RIFLES[0]).version == 2


@pytest.mark.usefixtures("later")
def test_a_whole_platoon_draws_under_one_document(arms_room: Country) -> None:
    """Each rifle goes to its own person and comes back to its own rack; with several persons nobody signs for all."""
    arms_room.do("clerk", RECEIVE, store="Quarantine", lines=[{"model": "AKM", "serial_number": "Q 1"}])
    assign(arms_room, ("Q 1", "A-1003"))
    out = arms_room.do("armourer", DRAW, lines=scans(RIFLES[0], RIFLES[1], "Q 1"))
    assert (out.act, out.lines) == ("issue", 3)
    assert [arms_room.where(scan) for scan in (RIFLES[0], RIFLES[1], "Q 1")] == [
        PETROV,
        QUIST,
        "Private Rahim (A-1003)",
    ]
    parts = arms_room.query("SELECT part FROM signatory WHERE document_id = %s", out.document_id)
    assert parts == [("posted_by",)]
    arms_room.do("armourer", DRAW, direction="back", lines=scans(RIFLES[0], RIFLES[1], "Q 1"))
    assert [arms_room.where(scan) for scan in (RIFLES[0], RIFLES[1], "Q 1")] == [STORE, STORE, "Quarantine"]


@pytest.mark.usefixtures("later")
def test_a_list_goes_one_way_or_not_at_all(arms_room: Country) -> None:
    """Half of it out, half of it in: nothing is guessed. With the direction said, the others are named."""
    draw(arms_room, RIFLES[0])
    mixed = arms_room.refused("armourer", DRAW, lines=scans(RIFLES[0], RIFLES[1]))
    assert [reason.reason.split(",")[0] for reason in mixed.reasons] == ["it would come back", "it would go out"]
    out = arms_room.refused("armourer", DRAW, direction="out", lines=scans(RIFLES[0], RIFLES[1]))
    assert [(reason.weapon, reason.reason) for reason in out.reasons] == [(RIFLES[0], "it is out already")]
    back = arms_room.refused("armourer", DRAW, direction="back", lines=scans(RIFLES[0], RIFLES[1]))
    assert [(reason.weapon, reason.reason) for reason in back.reasons] == [(RIFLES[1], "it is in its store already")]
    assert [arms_room.where(scan) for scan in RIFLES[:2]] == [PETROV, STORE]


@pytest.mark.usefixtures("later")
def test_the_service_number_must_be_that_of_its_person(arms_room: Country) -> None:
    """Quist may not draw Petrov's rifle, nor bring it back in his name; a number nobody has is a typing mistake."""
    assert told(arms_room, RIFLES[0], person="A-1002") == f"it is assigned to {PETROV}, not to {QUIST}"
    with pytest.raises(Invalid) as typed:
        draw(arms_room, RIFLES[0], person="A-1")
    assert typed.value.faults[0].field == "person"
    draw(arms_room, RIFLES[0], person="A-1001")
    assert told(arms_room, RIFLES[0], person="A-1002") == f"{PETROV} holds it, not {QUIST}"
    assert draw(arms_room, RIFLES[0], person="A-1001").act == "return"


def test_what_the_draw_is_not_for_is_refused_in_words(arms_room: Country) -> None:
    """Unknown, unassigned, counted, unmarked, unserviceable, missing, in another store, of another site."""
    arms_room.do(
        "clerk",
        RECEIVE,
        store=STORE,
        lines=[{"model": "AKM", "serial_number": "UNREADABLE", "obliterated": True, "distinguishing_mark": "notch"}],
    )
    ((unmarked,),) = arms_room.query("SELECT item_id FROM identification WHERE obliterated")
    arms_room.do("erbil clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": "ERB 1"}])
    assign(arms_room, (RIFLES[3], "A-1003"), (RIFLES[4], "A-1003"))
    weapon_assignments.assign(
        arms_room.engine,
        arms_room.actors["armourer"],
        Assign.model_validate({"lines": [{"item": unmarked, "person": "A-1003"}]}),
    )
    arms_room.do("clerk", ISSUE, receiver="A-1003", store=STORE, lines=scans(RIFLES[3]))
    arms_room.do("clerk", RETURN, store=STORE, lines=[{"scan": RIFLES[3], "condition": "unserviceable"}])
    arms_room.do("clerk", REPORT_MISSING, place="Range", circumstances="Not back", lines=scans(RIFLES[4]))
    assert told(arms_room, "NOBODY'S 1").startswith("unknown")
    assert told(arms_room, RIFLES[2]).startswith("it is assigned to nobody")
    assert told(arms_room, RIFLES[3], direction="out") == "it is unserviceable"
    assert told(arms_room, RIFLES[4]) == "it is neither in a store nor with its person"
    assert told(arms_room, RIFLES[0], store="Quarantine") == "it is not in Quarantine"
    assert told(arms_room, "ERB 1") == "it is not at TAJI"
    helmets = arms_room.refused("armourer", DRAW, lines=[{"item": arms_room.helmets().item_id}])
    assert helmets.reasons[0].reason.startswith("it is counted")
    refused = arms_room.refused("armourer", DRAW, lines=[{"item": unmarked}])
    assert refused.reasons[0].reason.startswith("it bears no serial number or mark")
    broken = arms_room.refused("armourer", DRAW, lines=[{"scan": RIFLES[0], "condition": "unserviceable"}])
    assert broken.reasons[0].reason == "it is unserviceable"


@pytest.mark.usefixtures("later")
def test_a_leaver_draws_no_more_but_brings_his_rifle_back(arms_room: Country) -> None:
    """Petrov is off the roster: what he has comes back by its scan, and does not go out to him again."""
    draw(arms_room, RIFLES[0])
    with transaction(arms_room.engine, roles.REGISTRAR) as connection:
        parties.end_assignments(connection, arms_room.parties["A-1001"].party_id, ago(days=2).date())
    assert draw(arms_room, RIFLES[0]).act == "return"
    reason = told(arms_room, RIFLES[0])
    assert reason.startswith(f"it is assigned to somebody who may not draw: {PETROV} is not on the roster since")


@pytest.mark.usefixtures("later")
def test_a_rifle_that_somebody_else_holds_is_not_taken_back_by_a_scan(arms_room: Country) -> None:
    """Petrov handed his rifle on to Quist: that is said, and who has it; a return takes it back."""
    draw(arms_room, RIFLES[0])
    arms_room.do("clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=scans(RIFLES[0]))
    reason = told(arms_room, RIFLES[0])
    assert reason == f"{QUIST} holds it, not {PETROV}, to whom it is assigned: take it back by a return"
    arms_room.do("clerk", ISSUE, receiver="A-1003", store=STORE, lines=scans(RIFLES[5]))
    assert told(arms_room, RIFLES[5]).startswith("Private Rahim (A-1003) holds it, and it is assigned to nobody")


@pytest.mark.usefixtures("later")
def test_a_rifle_assigned_anew_while_it_is_out_comes_back_and_then_goes_to_the_other(arms_room: Country) -> None:
    """Its card stands in the rack, so the scan takes it back from Petrov; the next morning it is Quist's."""
    draw(arms_room, RIFLES[0])
    assign(arms_room, (RIFLES[0], "A-1002"))
    assert draw(arms_room, RIFLES[0]).act == "return"
    draw(arms_room, RIFLES[0])
    assert arms_room.where(RIFLES[0]) == QUIST
    end(arms_room, RIFLES[0])
    assert draw(arms_room, RIFLES[0]).act == "return"
    assert told(arms_room, RIFLES[0]).startswith("it is assigned to nobody")


@pytest.mark.usefixtures("later")
def test_what_its_person_holds_on_a_hand_receipt_comes_back_by_a_scan_too(arms_room: Country) -> None:
    """Petrov had signed for a week; the scan takes the rifle back to the rack, or to the store that is named."""
    arms_room.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    assert draw(arms_room, RIFLES[0], store="Quarantine").act == "return"
    assert arms_room.where(RIFLES[0]) == "Quarantine"


def test_a_draw_is_undone_and_corrected_like_every_act(arms_room: Country) -> None:
    """The wrong rifle was scanned: undo puts it back, and the next scan is not taken for the same one."""
    out = draw(arms_room, RIFLES[0])
    arms_room.do("armourer", UNDO, document=out.document_id)
    assert arms_room.where(RIFLES[0]) == STORE
    assert cards(arms_room).rows == ()
    assert draw(arms_room, RIFLES[0]).act == "issue"
    arms_room.do_with_approval("clerk", "commander", CORRECT, reason="wrong rifle", lines=scans(RIFLES[0]))
    assert arms_room.where(RIFLES[0]) == STORE


def test_who_may_neither_issue_nor_take_back_draws_nothing(arms_room: Country) -> None:
    """An auditor scans in vain; a clerk may draw what the armourer assigned."""
    auditor = Actor(arms_room.parties["registrar"].party_id, "auditor", arms_room.sites["TAJI"])
    with pytest.raises(NotAllowed):
        perform.perform(arms_room.engine, auditor, DRAW, DRAW.request.model_validate({"scan": RIFLES[0]}))
    assert draw(arms_room, RIFLES[0], "clerk").act == "issue"


# Assignments


def test_assigning_anew_ends_the_earlier_assignment_on_its_date(arms_room: Country) -> None:
    """The rifle was Petrov's and is Quist's; both stand in the list, dated, without a gap. The same again changes nothing."""
    (first,) = assignments(arms_room, weapon=RIFLES[0]).rows
    assert (first.person, first.unit, first.where, first.until) == ("A-1001", "1COY", STORE, None)
    (second,) = assign(arms_room, (RIFLES[0], "A-1002"))
    assert assign(arms_room, (RIFLES[0], "A-1002")) == [second]
    assert assignments(arms_room, weapon=RIFLES[0]).rows == (second,)
    earlier, now = assignments(arms_room, weapon=RIFLES[0], ended=True).rows
    assert (earlier.person, now.person) == ("A-1001", "A-1002")
    assert earlier.until == now.since
    assert now.until is None


def test_assignments_are_found_by_person_unit_weapon_and_text(arms_room: Country) -> None:
    """Page by page, each row once."""
    assign(arms_room, *((rifle, "A-1003") for rifle in RIFLES[2:]))
    assert [row.serial_number for row in assignments(arms_room, person="A-1002").rows] == [RIFLES[1]]
    assert len(assignments(arms_room, unit="1COY").rows) == 10
    assert [row.serial_number for row in assignments(arms_room, text="petrov").rows] == [RIFLES[0]]
    assert assignments(arms_room, weapon="NOBODY'S").rows == ()
    seen, cursor = [], None
    while True:
        page = assignments(arms_room, limit=3, cursor=cursor)
        seen += [row.serial_number for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    assert (seen[:2], sorted(seen)) == (list(RIFLES[:2]), list(RIFLES))
    with pytest.raises(Invalid):
        assignments(arms_room, unit="9COY")


def test_what_cannot_be_assigned_is_refused_whole(arms_room: Country) -> None:
    """A leaver, a weapon of another site, helmets, the same rifle twice: each is named, and nothing is assigned."""
    arms_room.do("erbil clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": "ERB 1"}])
    with pytest.raises(Refused) as refused:
        assign(
            arms_room, (RIFLES[2], "A-1003"), (RIFLES[3], "A-1009"), ("ERB 1", "A-1003"), (RIFLES[2], "A-1002"),
            ("NOBODY'S", "A-1003"),
        )  # fmt: skip
    assert [(reason.line, reason.reason.split(":")[0]) for reason in refused.value.reasons] == [
        (2, "Private Leaver (A-1009) is not on the roster since 2024-06-30"),
        (3, "TAJI does not have it"),
        (4, "already on this list, line 1"),
        (5, "unknown"),
    ]
    assert assignments(arms_room, person="A-1003").rows == ()
    with pytest.raises(Invalid) as nobody:
        assign(arms_room, (RIFLES[2], "A-1003"), (RIFLES[3], "A-1"), (RIFLES[4], "1COY"))
    assert [(fault.row, fault.field, fault.value) for fault in nobody.value.faults] == [
        (2, "person", "A-1"),
        (3, "person", "1COY"),
    ]


def test_an_end_ends_all_or_nothing(arms_room: Country) -> None:
    """A rifle that is nobody's is named; without it both end."""
    with pytest.raises(Refused) as refused:
        end(arms_room, RIFLES[0], RIFLES[2])
    assert [reason.reason for reason in refused.value.reasons] == ["it is assigned to nobody"]
    assert len(assignments(arms_room).rows) == 2
    assert end(arms_room, RIFLES[0], RIFLES[1]) == 2
    assert assignments(arms_room).rows == ()
    assert len(assignments(arms_room, ended=True).rows) == 2


def test_five_hundred_rifles_are_assigned_in_one_request(arms_room: Country) -> None:
    """A company's rifles at once, and drawn under one document."""
    serials = [f"BULK {n:03}" for n in range(500)]
    arms_room.do("clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": serial} for serial in serials])
    assert len(assign(arms_room, *((serial, "A-1003") for serial in serials))) == 500
    assert arms_room.do("armourer", DRAW, lines=scans(*serials)).lines == 500


def test_a_rifle_that_moved_to_another_site_is_assigned_there(arms_room: Country) -> None:
    """ERBIL has it and sees nothing of Petrov; its own assignment ends his, which TAJI reads."""
    with transaction(arms_room.engine, roles.REGISTRAR) as connection:
        unit = parties.add_unit(connection, "9COY", "9th Company", arms_room.sites["ERBIL"], None, ago(days=9).date())
        parties.add_person(connection, "E-9", "Nadir", None, arms_room.sites["ERBIL"], unit, ago(days=9).date())
    with pytest.raises(Refused):
        assign(arms_room, (RIFLES[0], "E-9"), who="erbil armourer")
    arms_room.do("erbil clerk", RETURN, store=STORE, in_hand=True, lines=scans(RIFLES[0]))
    (row,) = assign(arms_room, (RIFLES[0], "E-9"), who="erbil armourer")
    assert (row.person, row.site) == ("E-9", "ERBIL")
    assert assignments(arms_room, weapon=RIFLES[0]).rows == ()
    (ended,) = assignments(arms_room, weapon=RIFLES[0], ended=True).rows
    assert (ended.person, ended.until, ended.where) == ("A-1001", row.since, None)
    assert arms_room.do("erbil clerk", DRAW, scan=RIFLES[0], direction="out").act == "issue"
    everywhere = assignments(arms_room, "auditor", weapon=RIFLES[0], ended=True).rows
    assert [row.site for row in everywhere] == ["TAJI", "ERBIL"]


def test_only_armourer_and_commander_assign_and_donors_read_nothing(arms_room: Country) -> None:
    """A clerk draws and reads; a donor learns no names."""
    for who in ("clerk", "registrar", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            assign(arms_room, (RIFLES[2], "A-1003"), who=who)
        with pytest.raises(NotAllowed):
            end(arms_room, RIFLES[0], who=who)
    assert len(assign(arms_room, (RIFLES[2], "A-1003"), who="commander")) == 1
    assert len(assignments(arms_room, "clerk").rows) == 3
    assert len(assignments(arms_room, "auditor").rows) == 3
    assert assignments(arms_room, "erbil clerk").rows == ()
    with pytest.raises(NotAllowed):
        assignments(arms_room, "USA")
    with pytest.raises(NotAllowed):
        cards(arms_room, "USA")


def test_the_database_lets_a_site_assign_only_in_its_own_name(arms_room: Country) -> None:
    """Behind the code the second wall: no row under another site, no change of one, no end of another's assignment."""
    erbil, taji = arms_room.sites["ERBIL"].site_id, arms_room.sites["TAJI"].site_id
    item, petrov = arms_room.item(RIFLES[0]).item_id, arms_room.parties["A-1001"].party_id
    with transaction(arms_room.engine, roles.POSTER, erbil) as connection:
        ended = connection.exec_driver_sql("SELECT end_weapon_assignments(%s, clock_timestamp())", ([item],))
        assert ended.all() == []
    row = (
        "INSERT INTO weapon_assignment (item_id, since, party_id, site_id, assigned_by) VALUES (%s, now(), %s, %s, %s)"
    )
    with (
        pytest.raises(DBAPIError, match="row-level security"),
        transaction(arms_room.engine, roles.POSTER, erbil) as connection,
    ):
        connection.exec_driver_sql(row, (new_key(), petrov, taji, petrov))
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        transaction(arms_room.engine, roles.POSTER, taji) as connection,
    ):
        connection.exec_driver_sql("UPDATE weapon_assignment SET until = NULL")
    assert len(assignments(arms_room).rows) == 2


def test_of_eight_who_assign_one_rifle_at_once_the_last_stands(arms_room: Country) -> None:
    """All are served one after the other: one open assignment, seven or fewer ended, none overlaps."""
    people = ["A-1001", "A-1002", "A-1003"]
    answers = at_once([lambda n=n: assign(arms_room, (RIFLES[7], people[n % 3])) for n in range(8)])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    rows = arms_room.query(
        """SELECT until, lead(since) OVER (ORDER BY since) FROM weapon_assignment w
           JOIN identification i USING (item_id) WHERE i.serial_number = %s ORDER BY since""",
        RIFLES[7],
    )
    assert all(until == following for until, following in rows)


def test_a_draw_and_an_assignment_at_the_same_moment_do_not_mix(arms_room: Country) -> None:
    """The rifle goes to who had it before, or to who has it after; never to nobody."""
    answers = at_once(
        [lambda: draw(arms_room, RIFLES[0], direction="out"), lambda: assign(arms_room, (RIFLES[0], "A-1002"))]
    )
    assert isinstance(answers[0], Posted), answers
    assert arms_room.where(RIFLES[0]) in (PETROV, QUIST)


# Cards out


def test_cards_that_stand_in_the_rack_are_listed_and_the_overdue_marked(
    arms_room: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has which rifle since when; after a day the armourer asks. What is on a hand receipt is not on a card."""
    out = arms_room.do("armourer", DRAW, lines=scans(*RIFLES[:2]))
    arms_room.do("clerk", ISSUE, receiver="A-1003", store=STORE, lines=scans(RIFLES[2]))
    listed = cards(arms_room)
    assert {(row.person, row.unit, row.serial_number) for row in listed.rows} == {
        ("A-1001", "1COY", RIFLES[0]),
        ("A-1002", "1COY", RIFLES[1]),
    }
    assert {(row.document_number, row.since, row.due_at, row.overdue) for row in listed.rows} == {
        (out.number, out.happened_at, out.happened_at + timedelta(days=1), False)
    }
    assert cards(arms_room, overdue=True).rows == ()
    assert [row.serial_number for row in cards(arms_room, text="quist").rows] == [RIFLES[1]]
    first = cards(arms_room, limit=1)
    second = cards(arms_room, limit=1, cursor=first.cursor)
    assert {first.rows[0].serial_number, second.rows[0].serial_number} == set(RIFLES[:2])
    assert second.cursor is None
    assert cards(arms_room, "erbil clerk").rows == ()
    assert len(cards(arms_room, "auditor", site="TAJI").rows) == 2
    monkeypatch.setattr(weapon_cards, "CARD_STANDS", timedelta(0))
    assert [row.overdue for row in cards(arms_room, overdue=True).rows] == [True, True]
    assert cards(arms_room, overdue=False).rows == ()
    draw(arms_room, RIFLES[0], direction="back")
    assert [row.serial_number for row in cards(arms_room).rows] == [RIFLES[1]]


def test_a_late_paper_does_not_take_the_card_out_of_the_rack(arms_room: Country) -> None:
    """A loan of this morning is keyed from paper after the draw: what followed is posted again, the card still stands."""
    happened = ago(minutes=10)
    draw(arms_room, RIFLES[0])
    arms_room.do(
        "clerk",
        ISSUE,
        receiver="A-1002",
        store=STORE,
        lines=scans(RIFLES[0]),
        paper=paper(1, happened).model_dump(mode="json"),
    )
    assert arms_room.where(RIFLES[0]) == PETROV
    (row,) = cards(arms_room).rows
    assert row.person == "A-1001"
    assert draw(arms_room, RIFLES[0], direction="back").act == "return"


# Over HTTP


def test_the_draw_over_the_api(web: Web) -> None:
    """Assign, draw, read the card, ask again under the same key, draw back."""
    line = {"scan": RIFLES[0], "person": "A-1001"}
    assigned = web.post("armourer", "/v1/assignments", {"lines": [line]})
    assert assigned.status_code == 201, assigned.text
    assert [row["person"] for row in assigned.json()["rows"]] == ["A-1001"]
    key = fresh()
    out = web.post("armourer", "/v1/draws", {"scan": RIFLES[0]}, **{"Idempotency-Key": key})
    assert (out.status_code, out.json()["act"], out.json()["document_id"]) == (201, "issue", key)
    again = web.post("clerk", "/v1/draws", {"scan": RIFLES[0]})
    reason = problem(again, 409, "refused")["reasons"][0]
    assert out.json()["number"] in reason["reason"]
    (card,) = web.get("clerk", "/v1/weapon-cards").json()["rows"]
    assert (card["person"], card["serial_number"], card["overdue"]) == ("A-1001", RIFLES[0], False)
    assert web.get("clerk", "/v1/weapon-cards", overdue=True).json() == {"rows": [], "cursor": None}
    back = web.posted("armourer", "/v1/draws", {"scan": RIFLES[0], "direction": "back"})
    assert back["act"] == "return"
    repeated = web.post("armourer", "/v1/draws", {"scan": RIFLES[0]}, **{"Idempotency-Key": key})
    assert repeated.content == out.content


def test_assignments_over_the_api(web: Web) -> None:
    """Lists with their cursor, an end, and problems that name the line."""
    lines = [{"scan": rifle, "person": "A-1001"} for rifle in RIFLES[:3]]
    assert web.post("commander", "/v1/assignments", {"lines": lines}).status_code == 201
    page = web.get("auditor", "/v1/assignments", unit="1COY", site="TAJI", limit=2).json()
    assert len(page["rows"]) == 2
    rest = web.get("auditor", "/v1/assignments", unit="1COY", limit=2, cursor=page["cursor"]).json()
    assert (len(rest["rows"]), rest["cursor"]) == (1, None)
    ended = web.post("commander", "/v1/assignments/end", {"lines": scans(RIFLES[0])})
    assert (ended.status_code, ended.json()) == (200, {"ended": 1})
    assert len(web.get("clerk", "/v1/assignments", weapon=RIFLES[0], ended=True).json()["rows"]) == 1
    problem(web.post("commander", "/v1/assignments/end", {"lines": scans(RIFLES[0])}), 409, "refused")
    problem(web.post("clerk", "/v1/assignments", {"lines": lines}), 403, "not-allowed")
    problem(web.get("USA", "/v1/weapon-cards"), 403, "not-allowed")
    nobody = web.post("armourer", "/v1/assignments", {"lines": [{"scan": RIFLES[0], "person": "A-1"}]})
    assert problem(nobody, 422, "invalid")["faults"][0]["row"] == 1
    for wrong in ({"lines": []}, {"lines": lines * 200}, {"lines": [{"scan": RIFLES[0]}]}, {}):
        problem(web.post("armourer", "/v1/assignments", wrong), 422, "invalid")
    for wrong in ({}, {"scan": RIFLES[0], "lines": scans(RIFLES[1])}, {"scan": RIFLES[0], "direction": "up"}):
        problem(web.post("armourer", "/v1/draws", wrong), 422, "invalid")
    problem(web.get("clerk", "/v1/assignments", cursor="nonsense"), 422, "invalid")

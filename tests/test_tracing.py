"""Weapons found abroad: a request comes in, the weapon is told among others, two people answer, and the answer names every hand but no
person. A weapon that the books hold in a store and somebody saw abroad is an alarm, which no clerk is told.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from labels.papers import render
from stockpile import parties
from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.closures import AskClosure, approve, ask
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.donors import sightings, tracing
from stockpile.donors.candidates import Candidate, calibre_key, candidates
from stockpile.donors.misreadings import differences, one_away, spelled_out, two_away
from stockpile.donors.sightings import Identify, Sighted
from stockpile.donors.tracing import ProposeAnswer, TakeStep
from stockpile.donors.weapon_read import IncomingRequest, OutgoingRequest, Sighting
from stockpile.errors import Invalid, NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.identity import LOOK_ALIKE_ROWS, fold
from stockpile.papers.tracing_answer import answer_of
from stockpile.reports.discrepancies import Sought as SoughtDiscrepancies
from stockpile.reports.discrepancies import list_discrepancies, read_discrepancy
from stockpile.reports.iarms import list_iarms
from stockpile.reports.tracings import list_tracings, read_whole
from stockpile.rights import Actor, reading
from tests.paper_reading import words
from tests.world import RIFLES, SINCE, Country, photo, scanned_paper, scans

ASKED = {"asked_by": "National Central Bureau, Amman", "illicit_because": "Carried by a member of an armed group"}
SEEN = {
    "asked_by": "Panel of Experts",
    "how": "observed",
    "confidence": "probable",
    "place": "Harbour",
    "place_country": "SY",
}


def second_registrar(country: Country) -> Country:
    """Another person who traces, and France as a donor who looks."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        second = parties.add_person(connection, "R-2", "Rami Second", None, country.sites["TAJI"], None, SINCE)
    country.actors["second registrar"] = Actor(second.party_id, "registrar", book_code="REG")
    country.actors["FRA"] = Actor(country.parties["FRA"].party_id, "donor", donor_id=country.parties["FRA"].party_id)
    return country


@pytest.fixture
def host(country: Country) -> Country:
    return second_registrar(country)


def delivered(country: Country, donor: str, *serials: str, model: str = "AKM") -> None:
    """Rifles of a donor, in the store."""
    lines = [{"model": model, "serial_number": serial, "condition": "serviceable"} for serial in serials]
    country.do("clerk", RECEIVE, store="Main store", donor=donor, lines=lines)


def seen(country: Country, who: str = "auditor", **read: Any) -> Sighted:
    """A sighting, as somebody reports it."""
    return sightings.report_sighting(country.engine, country.actors[who], Sighting.model_validate({**SEEN, **read}))


def asked_for(country: Country, **read: Any) -> UUID:
    """A request that came in."""
    request = IncomingRequest.model_validate({**ASKED, **read})
    return tracing.keep_request(country.engine, country.actors["registrar"], request).tracing_id


def likely(country: Country, **read: Any) -> list[Candidate]:
    """The candidates for what was read."""
    auditor = country.actors["auditor"]
    with reading(country.engine, auditor) as connection:
        return list(candidates(connection, auditor, IncomingRequest.model_validate({**ASKED, **read})))


def alarms(country: Country, who: str) -> list[tuple[str | None, str | None]]:
    """The diversion alarms that somebody is told of: what the books said, what was seen."""
    actor = country.actors[who]
    with reading(country.engine, actor) as connection:
        rows = list_discrepancies(connection, actor, SoughtDiscrepancies(kind="diversion alarm")).rows
    return [(row.books_said, row.seen) for row in rows]


def test_from_the_find_to_the_answer(host: Country) -> None:
    """A rifle is issued, goes missing and is given up as stolen. Amman asks for it with one character misread; receipt is acknowledged, the
    weapon is first among the candidates, one registrar proposes the answer and another releases it. On paper stand the store, the company
    and the day, and no soldier.
    """
    rifle = RIFLES[1]
    host.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(rifle))
    loss = {"place": "Checkpoint 4", "circumstances": "Not there at the evening count"}
    host.do("clerk", REPORT_MISSING, **loss, lines=scans(rifle))
    concluded = {"cause": "stolen", "liability": "Nobody", "findings": "Taken by force"}
    host.do_with_approval("clerk", "commander", CONCLUDE_LOSS, **concluded, lines=scans(rifle))

    read = {
        "serial_number": "KT 44990I", "model": "AKM", "calibre": "7,62×39", "place": "Ramtha", "place_country": "jo",
        "reference": "NCB/118", "found_on": "2026-11-02",
    }  # fmt: skip
    request = asked_for(host, **read)
    registrar, second = host.actors["registrar"], host.actors["second registrar"]
    assert alarms(host, "auditor") == [], "the books do not hold it: there is no alarm"
    tracing.take_step(host.engine, registrar, request, TakeStep(what="acknowledged"))
    with pytest.raises(Refused, match="cannot be sent"):
        tracing.take_step(host.engine, registrar, request, TakeStep(what="sent"))
    with reading(host.engine, registrar) as connection:
        found = tracing.candidates_of(connection, registrar, request)
        with pytest.raises(NotFound, match="No answer to TRACE-IN/"):
            answer_of(connection, registrar, request)
    assert (found[0].serial_number, found[0].stood) == (rifle, "lost")
    assert "the same but for look-alikes: KT 449901" in found[0].reasons
    assert "the calibre agrees" in found[0].reasons

    tracing.propose(host.engine, registrar, request, ProposeAnswer(outcome="traced", weapon=rifle))
    with pytest.raises(NotAllowed, match="another person"):
        tracing.release(host.engine, registrar, request)
    with pytest.raises(Refused, match="waits already"):
        tracing.propose(host.engine, second, request, ProposeAnswer(outcome="not in our books"))
    tracing.release(host.engine, second, request)
    with pytest.raises(Refused, match="no answer waits"):
        tracing.release(host.engine, second, request)

    with reading(host.engine, registrar) as connection:
        whole = read_whole(connection, registrar, request)
        papers = [render((answer_of(connection, registrar, request),), language) for language in ("en", "ar", "uk")]
    assert [step.what for step in whole.steps] == ["acknowledged", "answer proposed", "answer released"]
    assert (whole.row.state, whole.row.place_country, whole.row.reference) == ("answered", "JO", "NCB/118")
    said = words(papers[0])
    for expected in ("Answer to a tracing request", "TRACE-IN/", "KT 449901", "KT 44990I", "1st Company", "Main store",
                     "Last lawful holder", "conclude loss", "lost, Taji depot", "The weapon was traced."):  # fmt: skip
        assert expected in said, (expected, said)
    for paper in map(words, papers):
        assert "Petrov" not in paper
        assert "A-1001" not in paper


def test_nothing_in_the_books_a_delay_and_a_refusal(host: Country) -> None:
    """Of an unknown number the answer says so; a refusal gives its reasons, or is none; a first answer that is turned down goes nowhere."""
    registrar, second = host.actors["registrar"], host.actors["second registrar"]
    request = asked_for(host, serial_number="ZZ-1234567", model="Glock 17")
    with pytest.raises(ValueError, match="say it in words"):
        TakeStep(what="delayed")
    tracing.take_step(host.engine, registrar, request, TakeStep(what="delayed", words="Archive of 1990 is being read"))
    with pytest.raises(ValueError, match="reasons of the refusal"):
        ProposeAnswer(outcome="refused")
    with pytest.raises(Invalid, match="not proposed"):
        tracing.propose(host.engine, registrar, request, ProposeAnswer(outcome="traced", weapon="ZZ-1234567"))
    tracing.propose(host.engine, registrar, request, ProposeAnswer(outcome="refused", words="It would harm an inquiry"))
    tracing.turn_down(host.engine, second, request, "The inquiry is closed")
    tracing.propose(host.engine, registrar, request, ProposeAnswer(outcome="not in our books"))
    tracing.release(host.engine, second, request)
    with reading(host.engine, second) as connection:
        said = words(render((answer_of(connection, second, request),)))
        state = read_whole(connection, second, request).row.state
    assert "No weapon in our books bears these marks." in said
    assert "harm an inquiry" not in said
    assert "Chain of custody" not in said
    assert state == "answered"


def test_a_weapon_that_the_books_hold_is_seen_abroad(host: Country) -> None:
    """The alarm is there at once: for the commander, the auditor and the donor whose weapon it is; neither for another donor nor for the
    clerk and armourer, who might have sold it. Sent again it is no second alarm. It is closed by two people like any discrepancy.
    """
    delivered(host, "USA", "M 77001")
    sighted = seen(host, serial_number="М 77001", model="AKM", photos=[scanned_paper(photo(7))])
    (alarm,) = sighted.alarms or ()
    ((books, what),) = alarms(host, "commander")
    assert books is not None
    assert books.startswith("AKM M 77001: store at TAJI since ")
    assert what == f"{sighted.number}: observed at Harbour, SY; probable"
    assert alarms(host, "auditor") == [(books, what)]
    assert alarms(host, "USA") == [(None, None)]
    assert alarms(host, "FRA") == []
    assert alarms(host, "clerk") == []
    for hidden in ("clerk", "FRA"):
        with reading(host.engine, host.actors[hidden]) as connection, pytest.raises(NotFound):
            read_discrepancy(connection, host.actors[hidden], alarm)

    again = Sighting.model_validate({**SEEN, "serial_number": "M 77001", "tracing_id": sighted.tracing_id})
    with pytest.raises(PostedWithOtherContent):
        sightings.report_sighting(host.engine, host.actors["auditor"], again)
    received = host.query(
        "SELECT e.document_id FROM entry e JOIN discrepancy USING (item_id) WHERE discrepancy_id = %s", alarm
    )[0][0]
    explained = AskClosure(
        discrepancies=(alarm,), explained_by=str(received), explanation="Seen in the rack: a forged number", site="TAJI"
    )
    closure = ask(host.engine, host.actors["registrar"], explained)
    approve(host.engine, host.actors["commander"], closure.closure_id)
    assert alarms(host, "commander") == []


def test_who_reports_from_a_desk_is_told_its_number_alone(host: Country) -> None:
    """A clerk reports what a driver saw: it matches and alarms, and the answer says nothing of that, nor does it the second time."""
    request = Sighting.model_validate({**SEEN, "serial_number": RIFLES[3]})
    first = sightings.report_sighting(host.engine, host.actors["clerk"], request)
    assert (first.identified, first.alarms) == (None, None)
    assert sightings.report_sighting(host.engine, host.actors["clerk"], request) == first
    assert len(alarms(host, "commander")) == 1
    with reading(host.engine, host.actors["clerk"]) as connection, pytest.raises(NotAllowed):
        list_tracings(connection, host.actors["clerk"])
    with transaction(host.engine, roles.POSTER, host.sites["TAJI"].site_id) as connection:
        for table in ("tracing", "tracing_weapon", "tracing_step"):
            with pytest.raises(DBAPIError, match="permission denied"), connection.begin_nested():
                connection.exec_driver_sql(f"SELECT * FROM {table}")


def test_a_donor_sees_what_concerns_its_own_weapons_alone(host: Country) -> None:
    """Both donors sent a rifle of the same number, and each another. Each is told of its own: where and when it was seen, not by whom."""
    delivered(host, "USA", "TWIN 500", "U 100001")
    delivered(host, "FRA", "TWIN 500", "F 200002", model="M16A2")
    both, own = (
        seen(host, serial_number="TWIN 500"),
        seen(host, serial_number="U 100001", circumstances="told by a driver"),
    )
    assert len(both.alarms or ()) == 2
    for donor, expected in (("USA", {both.tracing_id, own.tracing_id}), ("FRA", {both.tracing_id})):
        actor = host.actors[donor]
        with reading(host.engine, actor) as connection:
            rows = list_tracings(connection, actor).rows
            whole = read_whole(connection, actor, both.tracing_id)
            assert {row.tracing_id for row in rows} == expected
            assert {(row.number, row.asked_by, row.state, row.alarms) for row in rows} == {(None, None, None, None)}
            assert [len(whole.weapons), whole.said, whole.photos, whole.steps] == [1, {}, (), ()]
            with pytest.raises(NotAllowed):
                tracing.candidates_of(connection, actor, both.tracing_id)
            for column in ("register_id", "number", "recorded_by", "photos"):
                with pytest.raises(DBAPIError, match="permission denied"), connection.begin_nested():
                    connection.exec_driver_sql(f"SELECT {column} FROM tracing")
        with reading(host.engine, actor) as connection:
            assert {row[0] for row in connection.exec_driver_sql("SELECT donor_id FROM tracing_weapon")} == {
                actor.donor_id
            }
    with reading(host.engine, host.actors["FRA"]) as connection, pytest.raises(NotFound):
        read_whole(connection, host.actors["FRA"], own.tracing_id)


def test_numbers_that_can_hardly_be_read(host: Country) -> None:
    """In another script, in part, with a number it had before it was amended; a removed number leads to the lost ones of its model."""
    delivered(host, "USA", "ЖК 1207", "AB-77123-X")
    evidence = {"reason": "read wrong", "attachments": [scanned_paper(photo(3))]}
    amended = [{"scan": RIFLES[5], "serial_number": "KT 884455"}]
    host.do_with_approval("clerk", "commander", AMEND_IDENTIFICATION, **evidence, lines=amended)
    loss = {"place": "Road", "circumstances": "Ambush"}
    host.do("clerk", REPORT_MISSING, **loss, lines=scans(RIFLES[6]))

    assert likely(host, serial_number="жk-1207")[0].serial_number == "ЖК 1207"
    assert "read in Cyrillic, Latin" in likely(host, serial_number="жk-1207")[0].reasons[0]
    assert [one.serial_number for one in likely(host, serial_number="?B77?23X")] == ["AB-77123-X"]
    assert [one.serial_number for one in likely(host, serial_number="*7123*")] == ["AB-77123-X"]
    assert [one.serial_number for one in likely(host, serial_number="AB77*")] == ["AB-77123-X"]
    former = likely(host, serial_number=RIFLES[5])[0]
    assert (former.serial_number, former.grade) == ("KT 884455", 1)
    assert "it bore that number formerly: now KT 884455" in former.reasons
    removed = likely(host, obliterated=True, model="AKM")
    assert [(one.serial_number, one.stood) for one in removed] == [(RIFLES[6], "missing")]
    without_prefix = likely(host, serial_number="449902")
    assert RIFLES[2] in {one.serial_number for one in without_prefix}


def test_what_cannot_be_the_weapon_raises_no_alarm_until_a_person_says_so(host: Country) -> None:
    """A pistol with the rifle's number, read by its calibre, is no alarm; when an officer knows the photo, it is."""
    sighted = seen(host, serial_number=RIFLES[0], calibre="9x19")
    assert (sighted.identified, sighted.alarms) == ((), ())
    item_id = host.item(RIFLES[0]).item_id
    asked = Identify(item_id=item_id, words="The calibre was read wrong: the photo shows a rifle")
    known = sightings.identify(host.engine, host.actors["registrar"], sighted.tracing_id, asked)
    assert (known.identified, len(known.alarms or ())) == ((item_id,), 1)
    with pytest.raises(Refused, match="identified already"):
        sightings.identify(host.engine, host.actors["registrar"], sighted.tracing_id, asked)


def test_we_ask_another_state(host: Country) -> None:
    """Of a weapon that was captured: sent, acknowledged, answered; nobody proposes an answer to our own question."""
    registrar = host.actors["registrar"]
    request = OutgoingRequest.model_validate(
        {**ASKED, "asked_by": "Serbia", "serial_number": "S-1", "maker": "Zastava"}
    )
    kept = tracing.keep_request(host.engine, registrar, request)
    assert tracing.keep_request(host.engine, registrar, request).number == kept.number
    for step in (TakeStep(what="sent"), TakeStep(what="answered", words="Exported to Libya in 2009")):
        tracing.take_step(host.engine, registrar, kept.tracing_id, step)
    with pytest.raises(Refused):
        tracing.propose(host.engine, registrar, kept.tracing_id, ProposeAnswer(outcome="not in our books"))
    with reading(host.engine, registrar) as connection:
        (row,) = list_tracings(connection, registrar).rows
    assert (row.number, row.state, row.asked_by) == (kept.number, "answered", "Serbia")


def test_lost_stolen_and_recovered_for_the_register(host: Country) -> None:
    """Three rifles go missing: one is concluded stolen, one comes back, one is missing still. Each has its fields, and nobody's name."""
    stolen, back, gone = RIFLES[:3]
    host.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(gone))
    loss = {"place": "Checkpoint 4", "circumstances": "Ambush"}
    host.do("clerk", REPORT_MISSING, **loss, lines=scans(stolen, back, gone))
    concluded = {"cause": "stolen", "liability": "Nobody", "findings": "Taken by force"}
    host.do_with_approval("clerk", "commander", CONCLUDE_LOSS, **concluded, lines=scans(stolen))
    host.do(
        "clerk",
        RECOVER,
        place="Wadi",
        found_by="2nd patrol",
        store="Main store",
        lines=[{"scan": back, "condition": "serviceable"}],
    )
    auditor = host.actors["auditor"]
    with reading(host.engine, auditor) as connection:
        rows = list_iarms(connection, auditor).rows
        with pytest.raises(NotAllowed):
            list_iarms(connection, host.actors["clerk"])
    told = {(row.record_type, row.serial_number, row.serial_status, row.place, row.circumstances) for row in rows}
    assert told == {
        ("stolen", stolen, "complete", "Checkpoint 4", "Ambush"),
        ("recovered", back, "complete", "Wadi", None),
        ("missing", gone, "complete", "Checkpoint 4", "Ambush"),
    }
    assert "Petrov" not in str(rows)


MISREAD = "0123456789ABCDEFGHJKMNPQRTUVWXYZЖДЯ"
TWINS = [
    (latin, other)
    for becomes, latins, others in LOOK_ALIKE_ROWS
    for latin in becomes + latins
    for other in latins + others
    if fold(latin) == fold(other)
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text("0123456789ABCKTX", min_size=3, max_size=12), st.data())
def test_up_to_one_misread_character_is_always_spelled_out(serial: str, data: st.DataObject) -> None:
    """Whatever is read for one character, left out or added, and whichever look-alikes are swapped beside: the true number's fold is
    among those that are looked up.
    """
    read = list(serial)
    place = data.draw(st.integers(0, len(read) - 1))
    match data.draw(st.sampled_from(["wrong", "left out", "added", "swapped"])):
        case "wrong":
            read[place] = data.draw(st.sampled_from(MISREAD))
        case "left out":
            del read[place]
        case "added":
            read.insert(place, data.draw(st.sampled_from(MISREAD)))
        case "swapped" if place:
            read[place - 1], read[place] = read[place], read[place - 1]
    text = "".join(_look_alike(data, character) for character in read)
    assert fold(serial) in {fold(text), *one_away(fold(text))}


def _look_alike(data: st.DataObject, character: str) -> str:
    twins = [character, *(other for one, other in TWINS if one == character)]
    return data.draw(st.sampled_from(twins))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 9), st.data())
def test_the_true_weapon_is_always_among_the_candidates(country: Country, n: int, data: st.DataObject) -> None:
    """The same against the books."""
    read = list(RIFLES[n])
    place = data.draw(st.integers(0, len(read) - 1))
    read[place] = data.draw(st.sampled_from(MISREAD))
    text = "".join(_look_alike(data, character) for character in read)
    assert RIFLES[n] in {one.serial_number for one in likely(country, serial_number=text)}


def test_how_numbers_are_spelled_out() -> None:
    """Two wrong digits, a prefix that was not copied, an unreadable character; two swapped neighbours count as one difference."""
    assert "KT448801" in two_away("KT449901")
    assert "KT449902" in two_away("449902")
    assert "12345" in (spelled_out("1?345") or ())
    assert spelled_out("???") is None
    assert spelled_out("12*") is None
    assert differences("12435", "12345") == 1
    assert differences("12345", "12999") == 3
    assert two_away("123") == set()
    assert one_away("1" * 40) == set()


@pytest.mark.parametrize(
    ("one", "other"), [("7.62x39 mm", "7,62×39"), ("5.56x45mm NATO", "5.56 x 45"), ("9х19", "9x19 Parabellum")]
)
def test_a_calibre_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert calibre_key(one) == calibre_key(other)

"""Registering a gain: what nobody delivered enters a store under two names; what the books know already is no gain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stockpile.acts.correct import CORRECT
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.perform import Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.register_gain import REGISTER_GAIN
from stockpile.documents import Posted
from stockpile.errors import Invalid, NotAllowed
from stockpile.files import file_store
from tests.world import HELMET, RIFLES, Country, ago, kinds, paper, scans

CACHE = {
    "manner": "captured", "place": "Farm south of Samarra", "circumstances": "A cache under a barn", "found_by": "2nd patrol",
    "store": "Quarantine",
}  # fmt: skip
LOSS = {"place": "the range", "circumstances": "not in the rack"}
FINDING = {"cause": "stolen", "liability": "nobody", "findings": "gone"}


def rifle(serial: str | None, **more: Any) -> dict[str, Any]:
    return {"model": "AKM", "serial_number": serial, **more}


def gained(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do_with_approval("clerk", "commander", REGISTER_GAIN, **{**CACHE, **request}, lines=list(lines))


def why_not(country: Country, *lines: dict[str, Any], **request: Any) -> list[str]:
    faults = country.invalid("clerk", REGISTER_GAIN, **{**CACHE, **request}, lines=list(lines))
    return [message for _, _, message in faults]


def test_a_cache_goes_to_quarantine_when_the_commander_has_signed(country: Country) -> None:
    """Asked for by the clerk it waits; nobody approves their own; then the rifles are the country's own and in the books."""
    lines = [rifle("CAP 1", condition="unserviceable"), rifle("CAP 2"), {"model": HELMET, "quantity": 7}]
    waiting = country.ask("clerk", REGISTER_GAIN, **CACHE, lines=lines)
    assert isinstance(waiting, Drafted)
    assert country.query("SELECT count(*) FROM identification WHERE serial_key = 'CAP1'") == [(0,)]
    with pytest.raises(NotAllowed):
        country.approve("clerk", waiting)
    posted = country.approve("commander", waiting)
    assert (posted.act, posted.lines, posted.quantity, posted.discrepancy_count) == ("register gain", 3, 9, 0)
    assert (country.where("CAP 1"), country.item("CAP 1").condition) == ("Quarantine", "unserviceable")
    ((details,),) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    assert (details["paper"], details["manner"], details["found_by"]) == ("gain report", "captured", "2nd patrol")
    assert country.query(
        "SELECT DISTINCT p.code FROM entry e JOIN party p ON p.party_id = e.donor_id WHERE document_id = %s",
        posted.document_id,
    ) == [("OWN",)]


def test_a_weapon_without_a_number_has_something_that_tells_it(country: Country) -> None:
    """None, or filed off: a distinguishing mark is asked for. It may not be handed out before it is marked."""
    wrong = why_not(country, rifle(None), rifle("?7", obliterated=True))
    assert (
        wrong == ["it bears no serial number that can be read: say how it can be told apart (distinguishing_mark)"] * 2
    )
    gained(
        country, rifle("77 filed", obliterated=True, distinguishing_mark="red tape on the stock"), store="Main store"
    )
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("77 filed"))
    assert refusal.reasons[0].reason == "it bears no serial number or mark: mark it first"


def test_what_the_books_know_is_no_gain(country: Country) -> None:
    """Each is told where the books have it and what to do instead; nothing is done."""
    country.do("clerk", REPORT_MISSING, lines=scans(RIFLES[0]), **LOSS)
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="F-1", lines=[rifle("US 1")])
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[1]))
    assert why_not(country, rifle(RIFLES[0]), rifle("US 1"), rifle(RIFLES[1]), rifle("NEW 1")) == [
        "the books know it, missing: recover it",
        "the books have it on its way, USA F-1 (supply): receive it",
        "the books have it at Private Petrov (A-1001) (person): if it is a second weapon, say how it can be told apart "
        "(distinguishing_mark)",
    ]
    assert country.query("SELECT count(*) FROM identification WHERE serial_key = 'NEW1'") == [(0,)]


def test_a_second_weapon_of_a_number_is_taken_in_and_flagged(country: Country) -> None:
    """The clerk says how it can be told from the one in the store."""
    posted = gained(country, rifle(RIFLES[0], distinguishing_mark="Chinese proof mark"))
    assert kinds(posted) == ["same serial number twice"]
    assert country.query("SELECT ordinal FROM identity WHERE identity_key LIKE %s ORDER BY 1", "%KT449900") == [
        (1,),
        (2,),
    ]


def test_what_a_correction_took_out_of_the_books_may_come_in_again(country: Country) -> None:
    country.do_with_approval("clerk", "commander", CORRECT, reason="never came", lines=scans(RIFLES[0]))
    assert country.where(RIFLES[0]) == "outside"
    assert gained(country, rifle(RIFLES[0])).discrepancy_count == 0
    assert country.where(RIFLES[0]) == "Quarantine"


def test_a_paper_takes_in_what_the_books_had_given_up(country: Country) -> None:
    """A fact: posted from missing and from lost, naming who claimed it; what Petrov holds must be another. And nobody
    approved it.
    """
    country.do("clerk", REPORT_MISSING, lines=scans(*RIFLES[:2]), **LOSS)
    claim = country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, lines=scans(RIFLES[0]), **FINDING)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[2]))
    known = {serial: country.item(serial).item_id for serial in RIFLES[:3]}
    lines = [rifle(serial) for serial in RIFLES[:3]]
    posted = country.do("clerk", REGISTER_GAIN, **CACHE, lines=[*lines, rifle(None)], paper=paper(1, ago()))
    assert kinds(posted) == ["found what the books hold as gone"] * 2 + [
        "same serial number twice",
        "second party missing",
    ]
    places = country.query(
        "SELECT a.name FROM unnest(%s::uuid[]) WITH ORDINALITY w (item_id, n) JOIN holding h USING (item_id) "
        "JOIN account a USING (account_id) ORDER BY n",
        list(known.values()),
    )
    assert places == [("Quarantine",), ("Quarantine",), ("Private Petrov (A-1001)",)]
    said = country.query("SELECT books_said FROM discrepancy WHERE item_id = %s", known[RIFLES[0]])
    assert said == [(f"AKM {RIFLES[0]} was lost, by document {claim.number}",)]


def test_a_paper_finds_what_was_on_its_way(country: Country) -> None:
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="F-1", lines=[rifle("US 1")])
    posted = country.do("clerk", REGISTER_GAIN, **CACHE, lines=[rifle("US 1")], paper=paper(1, ago()))
    assert (country.where("US 1"), kinds(posted)) == ("Quarantine", ["held elsewhere", "second party missing"])


def test_a_collection_by_file_keeps_its_list(country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DDR camp's list: the row the books know is set aside with its reason, the list is kept as a register."""
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))
    content = f"S/N;Item\nD 1;AKM\n{RIFLES[0]};AKM\nD 2;AKM\n".encode()
    file = {"sha256": file_store().keep([content], 1_000).sha256, "name": "camp.csv"}
    ask = {**CACHE, "manner": "collected", "surrendered_by": "former fighters of the north"}
    with pytest.raises(Invalid):
        country.ask("clerk", REGISTER_GAIN, **ask, file=file)
    posted = country.do_with_approval("clerk", "commander", REGISTER_GAIN, **ask, file={**file, "set_aside": True})
    assert (posted.lines, country.where("D 2")) == (2, "Quarantine")
    rows = country.query(
        "SELECT kind, line_count, rejected_count FROM register WHERE document_id = %s", posted.document_id
    )
    assert rows == [("gain list", 3, 1)]


def test_bad_input_is_named(country: Country) -> None:
    with pytest.raises(ValueError, match="say who found it"):
        country.ask("clerk", REGISTER_GAIN, **{**CACHE, "found_by": None}, lines=[rifle("X 1")])
    with pytest.raises(ValueError, match="captured"):
        country.ask("clerk", REGISTER_GAIN, **{**CACHE, "manner": "stolen"}, lines=[rifle("X 1")])
    assert country.invalid("clerk", REGISTER_GAIN, **{**CACHE, "store": "Attic"}, lines=[rifle("X 1")])[0][:2] == (
        "store", "Attic",
    )  # fmt: skip
    assert why_not(country, {"model": "Blunderbuss", "serial_number": "1"})[0].startswith("unknown model")
    assert why_not(country, {"model": HELMET, "serial_number": "1"})[0].endswith("leave out the serial number")


def test_a_site_gains_for_itself_and_a_registrar_does_not(country: Country) -> None:
    with pytest.raises(NotAllowed):
        country.ask("registrar", REGISTER_GAIN, **CACHE, lines=[rifle("X 1")])
    with pytest.raises(NotAllowed):
        country.ask("erbil clerk", REGISTER_GAIN, **{**CACHE, "site": "TAJI"}, lines=[rifle("X 1")])


def test_two_clerks_gain_one_number(country: Country) -> None:
    """Both drafts wait; the second approval meets the first one's weapon and is told so."""
    first, second = (
        country.ask(who, REGISTER_GAIN, **CACHE, lines=[rifle("CAP 9")]) for who in ("clerk", "second clerk")
    )
    country.approve("commander", first)
    with pytest.raises(Invalid) as problem:
        country.approve("commander", second)
    assert problem.value.faults[0].message.startswith("the books have it at Quarantine (store)")


def test_what_was_received_after_all_is_received(country: Country) -> None:
    """A number gained is known at the counter: a delivery of it is a twin there."""
    gained(country, rifle("CAP 5"))
    assert kinds(country.do("clerk", RECEIVE, store="Main store", lines=[rifle("CAP 5")])) == [
        "same serial number twice"
    ]

"""Issuing: who may draw, what may leave, and what a refusal tells. From paper nothing is refused, and everything is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stockpile import parties
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.errors import NotAllowed
from stockpile.files import file_store
from stockpile.identity import asset_tag
from tests.world import RIFLES, SINCE, Country, ago, kinds, paper, scans, told

DRAW = {"receiver": "A-1001", "store": "Main store"}
LOSS = {"place": "the range", "circumstances": "not in the rack"}
FINDING = {"cause": "stolen", "liability": "nobody", "findings": "gone"}


def issued(country: Country, *serials: str, **request: Any) -> Posted:
    return country.do("clerk", ISSUE, **{**DRAW, **request}, lines=scans(*serials))


def taken_in(country: Country, **weapon: Any) -> str:
    """The key of a weapon that has just come into the main store."""
    posted = country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", **weapon}])
    return str(country.query("SELECT item_id FROM entry WHERE document_id = %s", posted.document_id)[0][0])


def test_a_rifle_goes_to_a_soldier_and_comes_back(country: Country) -> None:
    """Petrov draws a rifle; the books say he has it, under a numbered document; he brings it back."""
    out = issued(country, RIFLES[0])
    assert out.number.startswith("TAJI/B/")
    assert country.where(RIFLES[0]) == "Private Petrov (A-1001)"
    returned = country.do("clerk", RETURN, store="Main store", lines=[{"scan": RIFLES[0], "condition": "serviceable"}])
    assert country.where(RIFLES[0]) == "Main store"
    assert int(returned.number.rsplit("/", 1)[1]) == int(out.number.rsplit("/", 1)[1]) + 1
    signed = country.query("SELECT part, party_id FROM signatory WHERE document_id = %s ORDER BY part", out.document_id)
    assert signed == [
        ("posted_by", country.parties["T-1"].party_id), ("received_by", country.parties["A-1001"].party_id),
    ]  # fmt: skip


def test_a_weapon_is_known_by_whatever_is_scanned(country: Country) -> None:
    """Its asset tag, its number in small letters with dashes, in Arabic digits."""
    tag = country.item(RIFLES[0]).tag_number
    assert tag is not None
    issued(country, asset_tag(tag), RIFLES[1].lower().replace(" ", "-"), "kt ٤٤٩٩٠٢")
    assert [country.where(serial) for serial in RIFLES[:4]] == [*["Private Petrov (A-1001)"] * 3, "Main store"]


def test_a_leaver_and_a_stranger_draw_nothing(country: Country) -> None:
    """The roster speaks: since when he is gone; of a number nobody has there is nothing to say."""
    refusal = country.refused("clerk", ISSUE, **{**DRAW, "receiver": "A-1009"}, lines=scans(RIFLES[0]))
    assert refusal.detail == "Nothing was done: Private Leaver (A-1009) is not on the roster since 2024-06-30."
    assert country.invalid("clerk", ISSUE, **{**DRAW, "receiver": "Z-9"}, lines=scans(RIFLES[0])) == [
        ("receiver", "Z-9", "not a service number or unit code of this site")
    ]
    assert country.invalid("clerk", ISSUE, **{**DRAW, "receiver": "E-1"}, lines=scans(RIFLES[0]))[0][1] == "E-1"


def test_a_unit_draws_by_who_stands_on_its_signature_card(country: Country) -> None:
    """Petrov may, Quist may not, and somebody must."""
    issued(country, RIFLES[0], receiver="1COY", received_by="A-1001")
    assert country.where(RIFLES[0]) == "1st Company"
    refusal = country.refused(
        "clerk", ISSUE, **{**DRAW, "receiver": "1COY"}, received_by="A-1002", lines=scans(RIFLES[1])
    )
    assert refusal.detail == (
        "Nothing was done: Private Quist (A-1002) is not on the signature card of 1st Company (1COY)."
    )
    faults = country.invalid("clerk", ISSUE, **{**DRAW, "receiver": "1COY"}, lines=scans(RIFLES[1]))
    assert faults == [("received_by", None, "a unit receives by a person on its signature card")]


def test_an_expired_and_a_withdrawn_card_no_longer_hold(country: Country) -> None:
    company, registrar = country.parties["company"], country.parties["registrar"]
    request = {**DRAW, "receiver": "1COY", "lines": scans(RIFLES[0])}
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.give_signature_card(
            connection, company, country.parties["A-1002"], SINCE, date(2024, 12, 31), registrar.party_id
        )
        card = parties.give_signature_card(
            connection, company, country.parties["A-1003"], SINCE, date(2099, 12, 31), registrar.party_id
        )
        parties.withdraw_signature_card(connection, card)
    for person in ("A-1002", "A-1003"):
        assert "is not on the signature card" in country.refused("clerk", ISSUE, received_by=person, **request).detail


def test_an_unmarked_an_illegible_and_an_unserviceable_weapon_stay(country: Country) -> None:
    """Each says why, and where it lies; the good one in the same voucher stays too."""
    bare = taken_in(country, distinguishing_mark="burned stock")
    illegible = taken_in(country, serial_number="XX 1", obliterated=True)
    broken = taken_in(country, serial_number="XX 2", condition="unserviceable")
    lines = [*({"item": item} for item in (bare, illegible, broken)), *scans(RIFLES[0])]
    refusal = country.refused("clerk", ISSUE, **DRAW, lines=lines)
    assert told(refusal) == [
        (bare, "it bears no serial number or mark: mark it first", "Main store (store)"),
        (illegible, "it bears no serial number or mark: mark it first", "Main store (store)"),
        (broken, "it is unserviceable", "Main store (store)"),
    ]
    assert country.where(RIFLES[0]) == "Main store"


def test_a_weapon_in_another_store_or_at_another_site_is_not_this_counters(country: Country) -> None:
    country.do("clerk", RECEIVE, store="Quarantine", lines=[{"model": "AKM", "serial_number": "Q 1"}])
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    refusal = country.refused("clerk", ISSUE, **DRAW, lines=scans("Q 1", "E 1"))
    assert told(refusal) == [
        ("Q 1", "it is not in Main store", "Quarantine (store)"),
        ("E 1", "it is not at TAJI", "Main store (store)"),
    ]


def test_what_is_out_missing_lost_unknown_or_named_twice_is_refused_by_name(country: Country) -> None:
    issued(country, RIFLES[0])
    country.do("clerk", REPORT_MISSING, lines=scans(RIFLES[1], RIFLES[2]), **LOSS)
    country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, lines=scans(RIFLES[2]), **FINDING)
    refusal = country.refused("clerk", ISSUE, **DRAW, lines=scans(*RIFLES[:4], "NO SUCH", RIFLES[3]))
    begins = "the act 'issue' does not begin there"
    assert told(refusal) == [
        (RIFLES[0], f"it is issued to a person: {begins}", "Private Petrov (A-1001) (person)"),
        (RIFLES[1], f"it is reported missing: {begins}", "missing"),
        (RIFLES[2], f"it was concluded as lost: {begins}", "lost"),
        ("NO SUCH", "unknown: nothing in the books bears this number", None),
        (RIFLES[3], "already on this list, line 4", "Main store (store)"),
    ]


def test_a_number_that_two_weapons_bear_needs_the_model(country: Country) -> None:
    """The same number at two makers is two weapons; the model says which."""
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "Type 56", "serial_number": RIFLES[0]}])
    refusal = country.refused("clerk", ISSUE, **DRAW, lines=scans(RIFLES[0]))
    assert refusal.reasons[0].reason == "2 weapons bear this number: scan the asset tag, or name the model"
    country.do("clerk", ISSUE, **DRAW, lines=[{"scan": RIFLES[0], "model": "Type 56"}])
    assert country.query(
        """SELECT m.name FROM holding h JOIN item i USING (item_id) JOIN model m ON m.model_id = i.model_id
           JOIN account a USING (account_id) WHERE a.class = 'person'"""
    ) == [("Type 56",)]


def test_helmets_go_out_by_number_and_no_more_than_there_are(country: Country) -> None:
    """A hundred are there; a weapon is always one."""
    item = str(country.helmets().item_id)
    country.do("clerk", ISSUE, **DRAW, lines=[{"item": item, "quantity": 60}])
    refusal = country.refused("clerk", ISSUE, **DRAW, lines=[{"item": item, "quantity": 41}])
    assert told(refusal) == [
        (
            item,
            "only 40 at Main store, 41 asked for",
            "40 at Main store (store); 60 at Private Petrov (A-1001) (person)",
        )
    ] or told(refusal) == [
        (
            item,
            "only 40 at Main store, 41 asked for",
            "60 at Private Petrov (A-1001) (person); 40 at Main store (store)",
        )
    ]
    refusal = country.refused("clerk", ISSUE, **DRAW, lines=[{"scan": RIFLES[0], "quantity": 2}])
    assert refusal.reasons[0].reason == "a weapon is one: quantity must be 1"


def voucher(text: str) -> dict[str, Any]:
    """A stored voucher, as a request names it."""
    return {"sha256": file_store().keep([text.encode()], 10_000).sha256, "name": "voucher.csv"}


def test_a_voucher_from_a_file(country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rifles by number, helmets by their asset tag; a refusal names the row of the file."""
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))
    tag = country.helmets().tag_number
    assert tag is not None
    sheet = f"Asset tag;Serial number;Quantity\n;{RIFLES[0]};1\n;{RIFLES[1]};1\n{asset_tag(tag)};;30\n"
    posted = country.do("clerk", ISSUE, **DRAW, file=voucher(sheet))
    assert (posted.lines, posted.quantity) == (3, 32)
    again = country.refused("clerk", ISSUE, **DRAW, file=voucher(f"Serial number\n{RIFLES[2]}\n{RIFLES[1]}\n"))
    assert [(reason.line, reason.weapon) for reason in again.reasons] == [(3, RIFLES[1])]
    assert country.where(RIFLES[2]) == "Main store"


def test_a_store_is_named_where_there_are_two(country: Country) -> None:
    faults = country.invalid("clerk", ISSUE, receiver="A-1001", lines=scans(RIFLES[0]))
    assert faults[0][0] == "store"
    assert country.invalid("clerk", ISSUE, receiver="A-1001", store="Attic", lines=scans(RIFLES[0]))[0][1] == "Attic"


def test_an_auditor_a_registrar_and_a_donor_issue_nothing_by_command_or_by_paper(country: Country) -> None:
    for who in ("auditor", "registrar", "USA"):
        for more in ({}, {"paper": paper(1, ago(days=1))}):
            with pytest.raises(NotAllowed, match="may not issue"):
                country.ask(who, ISSUE, **DRAW, site="TAJI", lines=scans(RIFLES[0]), **more)


def test_a_paper_against_everything_is_posted_and_everything_is_told(country: Country) -> None:
    """A leaver drew an unserviceable rifle, one that another has, one nobody knows, one twice, and too many helmets."""
    broken = taken_in(country, serial_number="XX 2", condition="unserviceable")
    issued(country, RIFLES[0], receiver="A-1002")
    lines = [{"item": broken}, *scans(RIFLES[0], "NEVER 1", RIFLES[1], RIFLES[1]),
             {"item": str(country.helmets().item_id), "quantity": 130}]  # fmt: skip
    posted = country.do("clerk", ISSUE, **{**DRAW, "receiver": "A-1009"}, lines=lines, paper=paper(7, ago()))
    assert (posted.fact, posted.number.endswith("/7")) == (True, True)
    assert kinds(posted) == [
        "fewer in the books",
        "held elsewhere",
        "issued though unmarked or unserviceable",
        "receiver not on the roster",
        "same serial number twice",
        "unknown weapon",
    ]
    holder = "Private Leaver (A-1009)"
    assert [country.where(serial) for serial in ("XX 2", RIFLES[0], "NEVER 1", RIFLES[1])] == [holder] * 4
    assert sorted(quantity for _, quantity in country.helmets().holdings.values()) == [130]


def test_on_paper_a_stranger_is_the_unidentified_person(country: Country) -> None:
    """And a unit's draw by who is not on its card is told, not refused."""
    posted = issued(country, RIFLES[0], receiver="Z-9", paper=paper(1, ago()))
    assert kinds(posted) == ["receiver not on the roster"]
    assert country.where(RIFLES[0]) == "unidentified person at TAJI"
    posted = issued(country, RIFLES[1], receiver="1COY", received_by="A-1002", paper=paper(2, ago()))
    assert kinds(posted) == ["receiver not on the roster"]
    assert country.where(RIFLES[1]) == "1st Company"


def test_a_paper_takes_a_weapon_from_wherever_the_books_have_it(country: Country) -> None:
    """Lost, or at another site: it was handed out here, so here it is."""
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    country.do("clerk", REPORT_MISSING, lines=scans(RIFLES[0]), **LOSS)
    country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, lines=scans(RIFLES[0]), **FINDING)
    posted = issued(country, RIFLES[0], "E 1", paper=paper(1, ago()))
    assert kinds(posted) == ["found what the books hold as gone", "held elsewhere"]
    assert country.where(RIFLES[0]) == country.where("E 1") == "Private Petrov (A-1001)"


def test_a_paper_comes_with_its_scan(country: Country) -> None:
    """A fact rests on evidence: without the stored scan it is not keyed."""
    sheet = paper(1, ago(days=1)).model_copy(update={"scan_sha256": "ab" * 32})
    faults = country.invalid("clerk", ISSUE, **DRAW, lines=scans(RIFLES[0]), paper=sheet)
    assert faults == [("scan_sha256", "ab" * 32, f"There is no stored file {'ab' * 32}: upload it first.")]
    assert country.where(RIFLES[0]) == "Main store"


@pytest.mark.parametrize(
    ("scan", "serial"),
    [("---", None), ("[)>\x1e06\x1d17V1ABC5\x1d1PPN7\x1dSAB12\x1e\x04", "AB12"), ("9" * 100, None)],
    ids=["dashes", "mark", "long"],
)
def test_a_paper_takes_in_whatever_was_written(country: Country, scan: str, serial: str | None) -> None:
    """A mark is read; what can be no serial number is kept as what tells the weapon apart."""
    posted = country.do("clerk", ISSUE, **DRAW, lines=[{"scan": scan}], paper=paper(1, ago(days=1)))
    assert kinds(posted) == ["issued though unmarked or unserviceable"] * (serial is None) + ["unknown weapon"]
    (item,) = {found.item_id for found in posted.discrepancies}
    marks = country.query(
        "SELECT serial_number, distinguishing_mark IS NULL FROM identification WHERE item_id = %s", item
    )
    assert marks == [(serial, serial is not None)]


def test_an_item_key_nobody_has_stands_on_no_paper(country: Country) -> None:
    """Only a program can send it: it is a mistake, not a weapon."""
    key = "01990000-0000-7000-8000-000000000000"
    refusal = country.refused("clerk", ISSUE, **DRAW, lines=[{"item": key}], paper=paper(1, ago(days=1)))
    assert told(refusal) == [(key, "unknown: nothing in the books bears this number", None)]

"""Handing over: weapons go on from hand to hand, both sides known to the books, and only what one holds."""

from __future__ import annotations

from stockpile import parties
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.db import roles
from stockpile.db.engine import transaction
from tests.world import RIFLES, Country, ago, kinds, paper, scans, told

PETROV, QUIST = "Private Petrov (A-1001)", "Private Quist (A-1002)"


def issued(country: Country, *serials: str, receiver: str = "A-1001") -> None:
    country.do("clerk", ISSUE, receiver=receiver, store="Main store", lines=scans(*serials))


def test_a_rifle_goes_from_one_soldier_to_another(country: Country) -> None:
    """Both stand on the document."""
    issued(country, RIFLES[0])
    posted = country.do("clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=scans(RIFLES[0]))
    assert country.where(RIFLES[0]) == QUIST
    signed = dict(country.query("SELECT part, party_id FROM signatory WHERE document_id = %s", posted.document_id))
    assert (signed["handed_over_by"], signed["received_by"]) == (
        country.parties["A-1001"].party_id, country.parties["A-1002"].party_id,
    )  # fmt: skip


def test_a_unit_receives_by_its_signature_card_and_gives_on(country: Country) -> None:
    """A sub-hand receipt: the company takes it from Quist by Petrov, and gives it to Rahim."""
    issued(country, RIFLES[0], receiver="A-1002")
    to_unit = {"giver": "A-1002", "receiver": "1COY", "lines": scans(RIFLES[0])}
    assert country.invalid("clerk", HAND_OVER, **to_unit)[0][0] == "received_by"
    country.do("clerk", HAND_OVER, **to_unit, received_by="A-1001")
    assert country.where(RIFLES[0]) == "1st Company"
    country.do("clerk", HAND_OVER, giver="1COY", receiver="A-1003", lines=scans(RIFLES[0]))
    assert country.where(RIFLES[0]) == "Private Rahim (A-1003)"


def test_nobody_gives_what_another_holds_or_what_lies_in_the_store(country: Country) -> None:
    issued(country, RIFLES[0])
    refusal = country.refused(
        "clerk", HAND_OVER, giver="A-1002", receiver="A-1003", lines=scans(*RIFLES[:2], "NO SUCH")
    )
    assert told(refusal) == [
        (RIFLES[0], f"{QUIST} does not hold it", f"{PETROV} (person)"),
        (RIFLES[1], "it is in a store: the act 'hand over' does not begin there", "Main store (store)"),
        ("NO SUCH", "unknown: nothing in the books bears this number", None),
    ]


def test_helmets_are_handed_on_as_far_as_one_has_them(country: Country) -> None:
    item = str(country.helmets().item_id)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=[{"item": item, "quantity": 5}])
    pair = {"giver": "A-1001", "receiver": "A-1002"}
    country.do("clerk", HAND_OVER, **pair, lines=[{"item": item, "quantity": 3}])
    refusal = country.refused("clerk", HAND_OVER, **pair, lines=[{"item": item, "quantity": 3}])
    assert refusal.reasons[0].reason == f"only 2 at {PETROV}, 3 asked for"


def test_a_stranger_neither_gives_nor_takes(country: Country) -> None:
    """Not even what the unidentified person is said to hold."""
    sheet = paper(1, ago())
    country.do("clerk", ISSUE, receiver="Z-9", store="Main store", lines=scans(RIFLES[0]), paper=sheet)
    assert country.where(RIFLES[0]) == "unidentified person at TAJI"
    faults = country.invalid("clerk", HAND_OVER, giver="Z-9", receiver="A-1002", lines=scans(RIFLES[0]))
    assert faults == [("giver", "Z-9", "not a service number or unit code of this site")]
    faults = country.invalid("clerk", HAND_OVER, giver="A-1001", receiver="Z-9", lines=scans(RIFLES[0]))
    assert faults == [("receiver", "Z-9", "not a service number or unit code of this site")]


def test_a_leaver_gives_what_he_still_holds_and_takes_nothing(country: Country) -> None:
    """He left with a rifle: a comrade brings it home. Nothing more is given to him."""
    issued(country, RIFLES[0])
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.end_assignments(connection, country.parties["A-1001"].party_id, ago(days=2).date())
    country.do("clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=scans(RIFLES[0]))
    refusal = country.refused("clerk", HAND_OVER, giver="A-1002", receiver="A-1001", lines=scans(RIFLES[0]))
    assert "Private Petrov (A-1001) is not on the roster since" in refusal.detail


def test_on_paper_everything_is_posted_and_told(country: Country) -> None:
    """Given by a stranger, taken by a leaver, and held by neither."""
    issued(country, RIFLES[0])
    posted = country.do(
        "clerk", HAND_OVER, giver="Z-9", receiver="A-1009", lines=scans(RIFLES[0], "NEVER 1"), paper=paper(1, ago())
    )
    assert kinds(posted) == ["held elsewhere", "person unknown", "receiver not on the roster", "unknown weapon"]
    assert country.where(RIFLES[0]) == country.where("NEVER 1") == "Private Leaver (A-1009)"


def test_nobody_hands_a_rifle_to_himself(country: Country) -> None:
    faults = country.invalid("clerk", HAND_OVER, giver="A-1001", receiver="A-1001", lines=scans(RIFLES[0]))
    assert faults == [("receiver", "A-1001", "the same as who hands it over")]

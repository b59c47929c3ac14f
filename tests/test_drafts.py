"""What takes two people waits as a draft: the second approves or rejects it, the first can take it back; and it is checked
anew on the day it is approved.
"""

from __future__ import annotations

from typing import Any

import pytest

from stockpile import drafts
from stockpile.acts import perform
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.perform import Drafted
from stockpile.acts.recover import RECOVER
from stockpile.acts.void import VOID
from stockpile.db.engine import connected
from stockpile.errors import NotAllowed, NotFound, Refused
from stockpile.keys import new_key
from tests.world import RIFLES, Country, scans, told

LOSS = {"place": "the range", "circumstances": "not in the rack"}
FINDING = {"cause": "stolen", "liability": "nobody", "findings": "gone"}


def drafted(country: Country, *serials: str, who: str = "clerk", **request: Any) -> Drafted:
    draft = country.ask(who, CONCLUDE_LOSS, **FINDING, **request, lines=scans(*serials))
    assert isinstance(draft, Drafted)
    return draft


def missing(country: Country, *serials: str) -> None:
    country.do("clerk", REPORT_MISSING, **LOSS, lines=scans(*serials))


def rejected(country: Country, who: str, draft: Drafted, reason: str = "not proven", site: str | None = None) -> None:
    perform.reject(country.engine, country.actors[who], draft.document_id, reason, site)


def waiting(country: Country, who: str = "commander") -> list[Any]:
    with connected(country.engine) as connection:
        return [shown.document_id for shown in drafts.waiting(connection, country.actors[who]).rows]


def test_a_draft_moves_nothing_and_spends_no_number(country: Country) -> None:
    """It lies in wait where the second party reads it: the act, what was asked for, by whom."""
    missing(country, RIFLES[0])
    before = country.do("clerk", VOID, reason="torn")
    draft = drafted(country, RIFLES[0])
    after = country.do("clerk", VOID, reason="torn again")
    assert int(after.number.rsplit("/", 1)[1]) == int(before.number.rsplit("/", 1)[1]) + 1
    assert country.where(RIFLES[0]) == "missing"
    shown = drafts.read(country.engine, country.actors["commander"], draft.document_id)
    assert (shown.act, shown.drafted_by, shown.outcome) == ("conclude loss", "Sergeant Talib Clerk (T-1)", None)
    assert shown.request["cause"] == "stolen"
    assert waiting(country) == [draft.document_id]


def test_an_approved_draft_is_a_document_of_the_first_partys_book(country: Country) -> None:
    """Posted by who asked, approved by who approved, numbered at the counter where it was asked for."""
    missing(country, RIFLES[0])
    draft = drafted(country, RIFLES[0], who="second clerk")
    posted = country.approve("commander", draft)
    assert posted.number.split("/")[1] == "C"
    assert country.query("SELECT posted_by, approved_by FROM document WHERE document_id = %s", posted.document_id) == [
        (country.parties["T-2"].party_id, country.parties["C-1"].party_id)
    ]
    assert waiting(country) == []
    assert drafts.read(country.engine, country.actors["commander"], draft.document_id).outcome == "posted"


def test_a_rejected_draft_stays_with_its_reason_and_is_not_approved_any_more(country: Country) -> None:
    """Asking for it again under the same id tells that it was rejected; it does not wait again."""
    missing(country, RIFLES[0])
    key = new_key()
    draft = drafted(country, RIFLES[0], document_id=key)
    rejected(country, "commander", draft)
    shown = drafts.read(country.engine, country.actors["clerk"], key)
    assert (shown.outcome, shown.reason, waiting(country)) == ("rejected", "not proven", [])
    with pytest.raises(Refused, match="was rejected: ask for it anew"):
        country.approve("commander", draft)
    with pytest.raises(Refused, match="was rejected already"):
        rejected(country, "commander", draft)
    assert drafted(country, RIFLES[0], document_id=key).state == "rejected"
    assert country.where(RIFLES[0]) == "missing"


def test_the_first_party_takes_a_draft_back(country: Country) -> None:
    """A clerk may withdraw the own one, and no one else's."""
    missing(country, RIFLES[0])
    draft = drafted(country, RIFLES[0])
    with pytest.raises(NotAllowed, match="A clerk may not approve"):
        rejected(country, "second clerk", draft)
    rejected(country, "clerk", draft, "found it in the other rack")
    assert drafts.read(country.engine, country.actors["clerk"], draft.document_id).outcome == "withdrawn"
    with pytest.raises(Refused, match="was withdrawn"):
        country.approve("commander", draft)


def test_what_changed_meanwhile_is_checked_anew(country: Country) -> None:
    """One of two rifles was found before the commander signed: refused by name, nothing concluded, the draft still waits."""
    missing(country, RIFLES[0], RIFLES[1])
    draft = drafted(country, RIFLES[0], RIFLES[1])
    country.do(
        "clerk", RECOVER, store="Main store", place="behind the rack", found_by="the clerk", lines=scans(RIFLES[0])
    )
    with pytest.raises(Refused) as refusal:
        country.approve("commander", draft)
    assert told(refusal.value) == [
        (RIFLES[0], "it is in a store: the act 'conclude loss' does not begin there", "Main store (store)")
    ]
    assert (country.where(RIFLES[1]), waiting(country)) == ("missing", [draft.document_id])
    missing(country, RIFLES[0])
    country.approve("commander", draft)
    assert country.where(RIFLES[0]) == country.where(RIFLES[1]) == "lost"


def test_the_second_party_is_another_person_with_the_right(country: Country) -> None:
    missing(country, RIFLES[0])
    own = drafted(country, RIFLES[0], who="commander")
    with pytest.raises(NotAllowed, match="takes another person"):
        country.approve("commander", own)
    for who in ("clerk", "auditor", "USA"):
        with pytest.raises(NotAllowed, match="may not approve"):
            country.approve(who, own, site=None if who == "clerk" else "TAJI")
    assert country.approve("registrar", own, site="TAJI").act == "conclude loss"


def test_another_site_neither_sees_nor_approves_it(country: Country) -> None:
    missing(country, RIFLES[0])
    draft = drafted(country, RIFLES[0])
    with pytest.raises(NotFound):
        country.approve("registrar", draft, site="ERBIL")
    with pytest.raises(NotFound):
        rejected(country, "registrar", draft, site="ERBIL")
    with pytest.raises(NotFound):
        drafts.read(country.engine, country.actors["erbil clerk"], draft.document_id)
    assert waiting(country, "erbil clerk") == []


def test_a_draft_nobody_wrote(country: Country) -> None:
    nothing = Drafted(new_key(), "conclude loss", country.parties["T-1"].party_id)
    with pytest.raises(NotFound):
        country.approve("commander", nothing)
    with pytest.raises(NotFound):
        rejected(country, "commander", nothing)

"""A fact whose second party never signed: it happened, so it is posted, and the missing approval is a discrepancy."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.perform import scope
from stockpile.db.engine import connected
from stockpile.documents import Desk, ItemLine, Posted, Precision, Request, Writing
from stockpile.movements import AccountClass, Act
from stockpile.sites import site_account
from tests.world import RIFLES, Country, kinds


def expended(country: Country, rifle: str, approved_by: UUID | None = None) -> Posted:
    """A rifle destroyed in combat, as a fact: the ledger posts it for whatever act of two parties brings it."""
    with connected(country.engine) as connection:
        actor = country.actors["clerk"]
        site = scope(connection, actor, None)
        desk = Desk(connection, actor, site, Act.EXPEND, "B", sha256(rifle.encode()).digest(), approved_by)
        scanned = voucher.lock(desk, [ItemLine(scan=rifle)])
        lines = voucher.lines_from(scanned, None, site_account(connection, site, AccountClass.EXPENDED), fact=desk.act)
        document = Writing(Request(), None, Precision.SECOND, fact=True).document(desk, {}, {})
        return ledger.post(desk, document, lines)


def test_a_fact_with_one_signature_is_posted_and_told(country: Country) -> None:
    posted = expended(country, RIFLES[0])
    assert kinds(posted) == ["second party missing"]
    assert country.where(RIFLES[0]) == "expended"
    assert country.query("SELECT books_said, seen FROM discrepancy WHERE document_id = %s", posted.document_id) == [
        ("the act 'expend' takes two parties", "one signed")
    ]


def test_a_fact_with_two_signatures_is_nothing_to_tell(country: Country) -> None:
    assert expended(country, RIFLES[0], country.parties["C-1"].party_id).discrepancy_count == 0

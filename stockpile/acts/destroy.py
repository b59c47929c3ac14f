"""Destroy: what an approved order names is destroyed before two witnesses and leaves the store for good, under a destruction
certificate of two parties.

As a command it is refused for what is not on the order, for a count that does not fit, and for witnesses who are not two
other people. From paper it is a fact: nothing is refused, and each of these is a discrepancy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import Field

from stockpile import correction, ledger
from stockpile.acts import voucher
from stockpile.acts.as_written import take_as_written
from stockpile.acts.destruction_order import Method, Order, find_order, in_a_store, left_on
from stockpile.acts.end_use import destroyed_beyond
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import FactVoucher, Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Code, Desk, Posted, Words, Writing, now
from stockpile.errors import Fault, Invalid
from stockpile.movements import AccountClass, Act
from stockpile.occurrences import Called
from stockpile.parties import OWN_PROCUREMENT, find_party
from stockpile.sentences import sentence
from stockpile.sites import site_account

MOST = 10_000_000
NOT_POSTED = sentence("The destruction certificate was not posted.")
TWO_WITNESSES = sentence("two witnesses, neither who posted nor who approved it")
ONE_OF_THE_BOOKS = "two witnesses, one of them by service number"


class Destroy(FactVoucher):
    """Certify that weapons or equipment were destroyed (destruction certificate). Takes a second party."""

    order: Code | None = Field(
        None, description="Number or document id of the approved destruction order", examples=["TAJI/B/2026/41"]
    )
    method: Method = Field(examples=["cutting"])
    place: Words = Field(description="Where they were destroyed", examples=["Workshop yard"])
    counted_before: int | None = Field(
        None, ge=0, le=MOST, description="Pieces counted before: all that were brought", examples=[1]
    )
    counted_after: int | None = Field(
        None, ge=0, le=MOST, description="Pieces counted afterwards: those left over", examples=[0]
    )
    witness_1: Words | None = Field(
        None,
        description="Service number of who watched; of an observer without one, name and organisation with a comma between",
        examples=["A-1001"],
    )
    witness_2: Words | None = Field(
        None,
        description="The second witness, likewise; one of the two has a service number",
        examples=["Jane Miller, UNMAS"],
    )
    store: Code | None = Field(
        None, description="From which store, for what is counted; needed where the site has several"
    )


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a certificate as a whole: a command is invalid for it, a fact opens a discrepancy."""

    kind: Kind
    field: str
    should: str
    seen: str

    @property
    def fault(self) -> Fault:
        """It, as a mistake of the request."""
        return Fault(sentence("{seen}: it takes {should}", seen=self.seen, should=self.should), field=self.field)

    @property
    def contradiction(self) -> Contradiction:
        """It, as a discrepancy."""
        return Contradiction(self.kind, self.should, self.seen)


def destroy(desk: Desk, request: Destroy) -> Posted:
    """Posts a destruction certificate. Raises Invalid (order, witnesses, photo, store, counts), Refused (one reason a weapon)."""
    written = Writing.of(request)
    destroyed = site_account(desk.connection, desk.site, AccountClass.DESTROYED)
    order = find_order(desk, request.order) if request.order is not None else None
    watched = _watched(desk, request)
    flaws = [*_without_order(desk, request, order), *watched.flaws]
    if not written.fact:
        if not request.attachments:
            flaws.append(Flaw(Kind.WITNESS_MISSING, "attachments", "a photo of what was destroyed", "none is attached"))
        _refuse(flaws)
    scanned, store = voucher.lock_from_store(desk, request, request.store)
    found: list[Contradiction] = []
    if written.fact:
        found += take_as_written(desk, scanned, written)
        found += _not_ordered(desk, scanned, order)
        if order is None:
            found += destroyed_beyond(desk, scanned, desk.site.local_day(written.happened_at or now()))
    else:
        in_a_store(scanned, desk.site, store if request.store else None)
        if store is not None:
            voucher.check_quantities(scanned, store)
        _only_what_was_ordered(desk, scanned, order)
    voucher.refuse(scanned, desk.act)
    flaws += _miscounted(scanned, request)
    if not written.fact:
        _refuse(flaws)
    found += [flaw.contradiction for flaw in flaws]
    details = {
        "paper": "destruction certificate",
        "order": str(order.document_id) if order else None,
        "order_as_written": request.order if order is None else None,
        "method": request.method,
        "place": request.place,
        "counted_before": request.counted_before,
        "counted_after": request.counted_after,
        **watched.in_words,
    }
    fact, claimed = (desk.act, store if request.store else None) if written.fact else (None, None)
    lines = voucher.lines_from(scanned, store, destroyed, fact=fact, claimed=claimed)
    return ledger.post(desk, written.document(desk, watched.signatories, details), lines, found)


def _refuse(flaws: Sequence[Flaw]) -> None:
    if flaws:
        raise Invalid(NOT_POSTED, [flaw.fault for flaw in flaws])


def _without_order(desk: Desk, request: Destroy, order: Order | None) -> Iterator[Flaw]:
    if order is not None:
        return
    seen = f"{request.order} is none of {desk.site.code}" if request.order else "no order is named"
    yield Flaw(Kind.DESTROYED_WITHOUT_ORDER, "order", "a destruction order that was approved and posted", seen)


@dataclass(slots=True)
class Watched:
    """The witnesses: persons of the site stand on the document, observers of others in its words; and what is wrong with them."""

    signatories: dict[str, UUID] = field(default_factory=dict)
    in_words: dict[str, str] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)


def _watched(desk: Desk, request: Destroy) -> Watched:
    watched = Watched()
    for part, written in (("witness_1", request.witness_1), ("witness_2", request.witness_2)):
        fault = _witness(desk, watched, part, written)
        if fault is not None:
            watched.flaws.append(Flaw(Kind.WITNESS_MISSING, part, TWO_WITNESSES, f"{part}: {fault}"))
    flawed = {flaw.field for flaw in watched.flaws}
    watched.flaws += [flaw for flaw in _named_in_words(desk, watched) if flaw.field not in flawed]
    if not watched.flaws and not watched.signatories:
        seen = f"neither witness is a person of {desk.site.code}"
        watched.flaws.append(Flaw(Kind.WITNESS_MISSING, "witness_1", ONE_OF_THE_BOOKS, seen))
    return watched


def _witness(desk: Desk, watched: Watched, part: str, written: str | None) -> str | None:
    """Takes a witness in; what is wrong with them, if anything. Only at the approval is it known who approves."""
    if written is None:
        return sentence("nobody is named")
    person = find_party(desk.connection, "person", written)
    if person is None:
        again = any(_folded(written) == _folded(other) for other in watched.in_words.values())
        watched.in_words[part] = written
        if again:
            return sentence("the first witness again")
        named = "," in written.strip(" ,")
        return (
            None
            if named
            else sentence(
                "nobody at {site} has the number {written}, and no organisation is named",
                site=desk.site.code,
                written=written,
            )
        )
    again = person.party_id in watched.signatories.values()
    watched.signatories[part] = person.party_id
    if again:
        return sentence("the first witness again")
    if person.party_id == desk.actor.party_id:
        return sentence("who posts the certificate")
    return sentence("who approves the certificate") if person.party_id == desk.approved_by else None


def _folded(written: str) -> str:
    """Words as they compare: blanks, case and commas tell no two people apart."""
    return re.sub(r"[\W_]+", " ", written).strip().casefold()


def _named_in_words(desk: Desk, watched: Watched) -> Iterator[Flaw]:
    """Words of an observer in which somebody is named, by name or number, who is no other witness."""
    people = {party_id: "the other witness" for party_id in watched.signatories.values()}
    if desk.approved_by not in (None, OWN_PROCUREMENT):
        people[desk.approved_by] = "who approves the certificate"
    people[desk.actor.party_id] = "who posts the certificate"
    called = _called(desk, people) if watched.in_words else {}
    for part, words in watched.in_words.items():
        who = next((people[party_id] for party_id, one in called.items() if one.in_text(words)), None)
        if who is not None:
            yield Flaw(Kind.WITNESS_MISSING, part, TWO_WITNESSES, f"{part}: {who} is named in it")


def _called(desk: Desk, people: Iterable[UUID]) -> dict[UUID, Called]:
    rows = desk.connection.exec_driver_sql("SELECT party_id, name, code, rank FROM signatures(%s)", (list(people),))
    return {party_id: Called(*((word,) if word else () for word in words)) for party_id, *words in rows}


def _miscounted(scanned: Sequence[Scanned], request: Destroy) -> Iterator[Flaw]:
    """What was brought, less what was destroyed, is what was left over."""
    before, after = request.counted_before, request.counted_after
    destroyed = sum(one.line.quantity for one in scanned if one.held is not None)
    if before is not None and after is not None and before - destroyed == after:
        return
    seen = f"{'none' if before is None else before} before, {'none' if after is None else after} afterwards"
    yield Flaw(Kind.MISCOUNTED, "counted_after", f"two counts that differ by the {destroyed} destroyed", seen)


def _only_what_was_ordered(desk: Desk, scanned: Sequence[Scanned], order: Order | None) -> None:
    for one, reason in _off_the_order(desk, scanned, order):
        one.reason = reason


def _not_ordered(desk: Desk, scanned: Sequence[Scanned], order: Order | None) -> list[Contradiction]:
    """Of a fact: each weapon that its order does not name. Without an order one discrepancy says so of all."""
    if order is None:
        return []
    return [
        Contradiction(
            Kind.DESTROYED_WITHOUT_ORDER,
            reason,
            f"{one.held.name} was destroyed",
            one.held.item_id,
            one.held.donor_id,
            one.number,
        )
        for one, reason in _off_the_order(desk, scanned, order)
        if one.held is not None
    ]


def _off_the_order(desk: Desk, scanned: Sequence[Scanned], order: Order | None) -> Iterator[tuple[Scanned, str]]:
    """The lines that an order does not name, or of which it names fewer than they and the lines before them take."""
    assert order is not None
    weapons = [one.held.item_id for one in scanned if one.held is not None and one.held.serial and not one.reason]
    live = correction.live_entries(desk.connection, weapons)
    left = left_on(desk, order) if any(one.counted for one in scanned) else {}
    for one in scanned:
        if one.reason or one.held is None:
            continue
        if one.held.serial:
            if not order.names(live.get(one.held.item_id, [])):
                yield one, f"it is not on the destruction order {order.number}"
            continue
        there = left.get(one.held.item_id, 0)
        left[one.held.item_id] = max(there - one.line.quantity, 0)
        if one.line.quantity > there:
            yield one, f"{there} are left on the destruction order {order.number}"


DESTROY = ActForm(Act.DESTROY, Destroy, destroy)

"""Order destruction: names every weapon that is to be destroyed, in its store, why and on whose authority. It moves nothing;
only what stands on an approved order can be destroyed under a certificate (`acts.destroy`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection

from stockpile import correction, ledger
from stockpile.acts import voucher
from stockpile.acts.consents import Consents, check_certificates, check_consents, in_words, with_scans
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import Scanned, Voucher
from stockpile.correction import STANDS, Live
from stockpile.documents import LATER, Code, Desk, Posted, Words, Writing, full_number, now
from stockpile.errors import Fault, Invalid
from stockpile.items import Held, Line
from stockpile.movements import AccountClass, Act
from stockpile.sentences import sentence
from stockpile.sites import Place, Site

Method = Literal["cutting", "crushing", "melting", "shredding", "burning", "detonation", "deep-sea dumping"]
"""How weapons are destroyed."""


class OrderDestruction(Voucher):
    """Order weapons or equipment in a store to be destroyed (destruction order). Takes a second party."""

    reason: Words = Field(examples=["Worn out beyond repair"])
    authority: Words = Field(
        description="Reference of the decision that orders it", examples=["Minister's order 2026/118"]
    )
    due_on: date = Field(description="By which day it is to be done", examples=["2099-12-31"])
    method: Method = Field(description="The planned method", examples=["cutting"])
    store: Code | None = Field(
        None, description="From which store, for what is counted; needed where the site has several"
    )
    consents: Annotated[Consents, LATER] = Field(
        (), description="One of each donor whose end-user certificate binds what is to be destroyed"
    )


def order_destruction(desk: Desk, request: OrderDestruction) -> Posted:
    """Posts a destruction order. Raises Invalid (due date, store, consents), Refused (one reason a weapon)."""
    if request.due_on < desk.site.local_day(now()):
        fault = Fault(sentence("is in the past"), field="due_on", value=str(request.due_on))
        raise Invalid(sentence("The destruction order was not posted."), [fault])
    consenting = check_consents(desk, request.consents)
    scanned, store = voucher.lock_from_store(desk, request, request.store)
    in_a_store(scanned, desk.site, store if request.store else None)
    if store is not None:
        voucher.check_quantities(scanned, store)
    _not_on_an_order(desk, scanned)
    check_certificates(desk, scanned, consenting, "disposal")
    voucher.refuse(scanned, desk.act)
    details = {
        "paper": "destruction order",
        "reason": request.reason,
        "authority": request.authority,
        "due_on": str(request.due_on),
        "method": request.method,
        "consents": in_words(request.consents),
    }
    lines = [_stays(one.held, store, one.line.quantity) for one in scanned if one.held is not None]
    document = with_scans(Writing.of(request).document(desk, {}, details), request.consents)
    return ledger.post(desk, document, lines)


def _stays(held: Held, store: Place | None, quantity: int) -> Line:
    if held.serial:
        return Line(held, held.where, stays=True)
    assert store is not None
    return Line(held, store, store, quantity)


def in_a_store(scanned: Sequence[Scanned], site: Site, store: Place | None) -> None:
    """A weapon that is to be destroyed is in a store of its site, or in the one named."""
    for one in scanned:
        if one.reason or one.held is None or not one.held.serial:
            continue
        place = one.held.where
        if place.account_class is not AccountClass.STORE:
            one.reason = sentence("it is not in a store")
        elif place.site_id != site.site_id:
            one.reason = sentence("it is not at {site}", site=site.code)
        elif store is not None and place.account_id != store.account_id:
            one.reason = sentence("it is not in {store}", store=store.name)


def _not_on_an_order(desk: Desk, scanned: Sequence[Scanned]) -> None:
    """A weapon is on one order at a time."""
    live = correction.live_entries(desk.connection, _weapons(scanned))
    ordered = {item_id: found for item_id, mine in live.items() if (found := standing_order(mine)) is not None}
    numbers = _numbers(desk.connection, ordered.values())
    for one in scanned:
        if one.held is not None and not one.reason and one.held.item_id in ordered:
            number = numbers.get(ordered[one.held.item_id].book_id)
            which = f"{number}/{ordered[one.held.item_id].number}" if number else sentence("of another site")
            one.reason = sentence("it is on the destruction order {which} already", which=which)


def _weapons(scanned: Iterable[Scanned]) -> list[UUID]:
    return [one.held.item_id for one in scanned if one.held is not None and one.held.serial and not one.reason]


def standing_order(live: Sequence[Live]) -> Live | None:
    """The entry of the destruction order that a weapon is on, of its live entries, the newest first: none, if it was destroyed
    since it was last ordered to be.
    """
    for entry in live:
        if entry.act is Act.DESTROY:
            return None
        if entry.act is Act.ORDER_DESTRUCTION:
            return entry
    return None


def _numbers(connection: Connection, entries: Iterable[Live]) -> dict[UUID, str]:
    """The beginning of the numbers of each entry's book: site, book and year."""
    rows = connection.exec_driver_sql(
        """SELECT b.book_id, s.code, b.code, b.year FROM book b JOIN site s USING (site_id) WHERE b.book_id = ANY (%s)""",
        (list({entry.book_id for entry in entries}),),
    )
    return {book_id: f"{site}/{book}/{year}" for book_id, site, book, year in rows}


@dataclass(frozen=True, slots=True)
class Order:
    """A posted destruction order, as a certificate cites it: its place in its book, by which its entries are known even where
    late facts posted them again.
    """

    document_id: UUID
    number: str
    book_id: UUID
    number_in_book: int

    def names(self, live: Sequence[Live]) -> bool:
        """Whether a weapon of these live entries, the newest first, is to be destroyed under it."""
        entry = standing_order(live)
        return entry is not None and (entry.book_id, entry.number) == (self.book_id, self.number_in_book)


_ORDER = """
SELECT d.document_id, s.code, b.code, b.year, d.number, d.book_id
FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id
WHERE d.act = 'order destruction' AND d.site_id = %s AND """


def find_order(desk: Desk, cited: str) -> Order | None:
    """The destruction order of this site under a document id or a number; None if none of it was approved and posted."""
    try:
        row = _read_order(desk, "d.document_id = %s", UUID(cited))
    except ValueError:
        number = "concat_ws('/', s.code, b.code, b.year, d.number) = %s"
        row = _read_order(desk, number, cited.strip().upper())
    return Order(row[0], full_number(*row[1:5]), row[5], row[4]) if row else None


def _read_order(desk: Desk, condition: str, wanted: object) -> Any:
    return desk.connection.exec_driver_sql(f"{_ORDER}{condition}", (desk.site.site_id, wanted)).one_or_none()


_LEFT = f"""
SELECT e.item_id, sum(CASE d.act WHEN 'destroy' THEN -e.quantity ELSE e.quantity END)::bigint
FROM document d JOIN entry e USING (document_id)
WHERE (d.document_id = %(order)s OR d.act = 'destroy' AND d.site_id = %(site)s AND d.details->>'order' = %(order)s::text)
  AND NOT e.serial AND {STANDS}
GROUP BY e.item_id
"""


def left_on(desk: Desk, order: Order) -> dict[UUID, int]:
    """Of what is counted: how many of each item are still to be destroyed under an order."""
    rows = desk.connection.exec_driver_sql(_LEFT, {"order": order.document_id, "site": desk.site.site_id})
    return {item_id: left for item_id, left in rows}


ORDER_DESTRUCTION = ActForm(Act.ORDER_DESTRUCTION, OrderDestruction, order_destruction)

"""Ship: weapons leave a store for another site, or a donor's consignment is said to be on its way to this one; until
they arrive they are in transit, under a shipping order.

They go to the transit account of the site they are bound for, which answers for them from then on. As a command it is
refused, weapon by weapon, for what is not in the store or the consignment it leaves. From paper it is a fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from stockpile import items, ledger
from stockpile.acts import voucher
from stockpile.acts.as_written import take_as_written
from stockpile.acts.end_use import check_destination, shipped_beyond
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import FactVoucher, Scanned
from stockpile.documents import Code, Desk, ItemLine, Posted, Words, Writing, now
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound, Refused
from stockpile.movements import AccountClass, Act
from stockpile.parties import OWN_PROCUREMENT, need_party
from stockpile.rights import REGISTRAR
from stockpile.sentences import sentence
from stockpile.shipments import Shipment, Way, add_shipment, withdraw_excess
from stockpile.sites import Place, Site, find_site, find_store, places, site_account


class Ship(FactVoucher):
    """Send weapons and equipment from a store to another site (shipping order); or say that a donor's consignment is on
    its way here: the named lines of it, or without lines or file all that has not come.
    """

    to_site: Code | None = Field(None, description="Code of the site they go to", examples=["ERBIL"])
    store: Code | None = Field(
        None, description="From which store; needed for quantities and papers where the site has several"
    )
    donor: Code | None = Field(None, description="Instead of a site and a store: whose consignment is on its way")
    consignment: Code | None = Field(
        None, description="The donor's number of the consignment", examples=["FMS-2026-117"]
    )
    carrier: Words = Field(description="Who takes them over", examples=["2nd Transport Company"])
    expected_on: date = Field(description="The day they are to arrive, at the destination", examples=["2099-12-31"])
    driver: Words | None = Field(None, examples=["Sgt Karim"])
    vehicle: Words | None = Field(None, examples=["Truck 4711"])
    seal_numbers: Words | None = Field(None, examples=["S-100 to S-104"])
    route: Words | None = Field(None, examples=["Route 1, by day"])

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if (self.donor is None) != (self.consignment is None):
            raise ValueError(sentence("a consignment is known by its donor and its number: give both"))
        if (self.to_site is None) == (self.consignment is None):
            raise ValueError(sentence("give either to_site, or donor and consignment"))
        if self.consignment is not None and self.store is not None:
            raise ValueError(sentence("a consignment comes from its supply, not from a store"))
        if (self.lines and self.file is not None) or (self.to_site and not self.lines and self.file is None):
            raise ValueError(sentence("give either lines or a file"))
        return self

    @property
    def way(self) -> Way:
        """What it says of the way."""
        return Way(self.carrier, self.expected_on, self.driver, self.vehicle, self.seal_numbers, self.route)


@dataclass(frozen=True, slots=True)
class Supply:
    """A donor's consignment: the supply account that holds what has not come."""

    consignment_id: UUID
    donor_id: UUID
    place: Place


def ship(desk: Desk, request: Ship) -> Posted:
    """Posts a shipping order. Raises Invalid (site, store, consignment, day), NotAllowed (a registrar at a store),
    Refused (one reason a weapon).
    """
    written = Writing.of(request)
    supply = _supply(desk, request)
    destination = desk.site if supply is not None else _destination(desk, request)
    _check_day(request.expected_on, destination, written.fact)
    transit = site_account(desk.connection, destination, AccountClass.TRANSIT)
    scanned, origin = _lock(desk, request, supply, written.fact)
    found = []
    if written.fact:
        found = take_as_written(desk, scanned, written, supply.donor_id if supply else OWN_PROCUREMENT)
        found += shipped_beyond(desk, scanned, destination.code, desk.site.local_day(written.happened_at or now()))
    else:
        _guard(desk, scanned, origin)
        if supply is None:
            check_destination(desk, scanned, destination.code, desk.site.local_day(now()))
    voucher.refuse(scanned, desk.act)
    fact, claimed = (desk.act, origin) if written.fact else (None, None)
    lines = voucher.lines_from(scanned, origin, transit, fact=fact, claimed=claimed)
    document = written.document(desk, {}, _details(request, destination, supply))
    posted = ledger.post(desk, document, lines, found)
    sent = Shipment(
        posted.document_id,
        posted.number,
        desk.site.site_id,
        destination.site_id,
        destination.code,
        transit.account_id,
    )
    consignment_id = supply.consignment_id if supply else None
    add_shipment(desk.connection, sent, request.way, posted.happened_at, consignment_id)
    if written.fact:
        withdraw_excess(desk.connection, sent)
    return posted


def _details(request: Ship, destination: Site, supply: Supply | None) -> dict[str, Any]:
    return {
        "paper": "shipping order",
        "to_site": destination.code,
        "consignment": str(supply.consignment_id) if supply else None,
        "carrier": request.carrier,
        "expected_on": request.expected_on.isoformat(),
        "driver": request.driver,
        "vehicle": request.vehicle,
        "seal_numbers": request.seal_numbers,
        "route": request.route,
    }


def _destination(desk: Desk, request: Ship) -> Site:
    """The site they are bound for. Weapons leave a store by those who answer for it."""
    if desk.actor.role == REGISTRAR:
        raise NotAllowed(
            sentence("A registrar says that a consignment is on its way; from a store its own site's clerk ships.")
        )
    assert request.to_site is not None
    try:
        site = find_site(desk.connection, request.to_site)
    except NotFound:
        site = None
    if site is None or site.site_id == desk.site.site_id:
        fault = (
            sentence("there is no site with this code")
            if site is None
            else sentence("this is the site they leave: name another")
        )
        raise Invalid(sentence("Nothing was shipped."), [Fault(fault, field="to_site", value=request.to_site)])
    return site


def _supply(desk: Desk, request: Ship) -> Supply | None:
    if request.donor is None or request.consignment is None:
        return None
    donor_id = need_party(desk.connection, "donor", request.donor, "donor").party_id
    row = desk.connection.exec_driver_sql(
        "SELECT consignment_id, account_id FROM consignment WHERE donor_id = %s AND reference = %s",
        (donor_id, request.consignment),
    ).one_or_none()
    if row is None:
        fault = sentence("{donor} declared no such consignment for {site}", donor=request.donor, site=desk.site.code)
        raise Invalid(sentence("Nothing was shipped."), [Fault(fault, field="consignment", value=request.consignment)])
    return Supply(row[0], donor_id, places(desk.connection, [row[1]])[row[1]])


def _check_day(expected_on: date, destination: Site, fact: bool) -> None:
    """What is sent now does not arrive on a day that is over where it goes; what a paper says, it says."""
    today = destination.local_day(now())
    if not fact and expected_on < today:
        fault = sentence("that day is over: at {destination} it is {today}", destination=destination.code, today=today)
        raise Invalid(sentence("Nothing was shipped."), [Fault(fault, field="expected_on", value=str(expected_on))])


def _lock(desk: Desk, request: Ship, supply: Supply | None, fact: bool) -> tuple[list[Scanned], Place | None]:
    """Locks what is sent, with where it leaves: the supply account, or a store. None said and none needed: wherever at this
    site the weapons are; a paper must say it.
    """
    if supply is not None:
        says_all = not request.lines and request.file is None
        scanned = _all_of(desk, supply) if says_all else voucher.lock_voucher(desk, request, supply.place)
        return scanned, supply.place
    scanned, store = voucher.lock_from_store(desk, request, request.store)
    return scanned, store if store or not fact else find_store(desk.connection, desk.site, None)


def _all_of(desk: Desk, supply: Supply) -> list[Scanned]:
    """All that the supply account holds under the locks. Raises Refused if that is nothing."""
    account = supply.place.account_id
    expected = desk.connection.exec_driver_sql(
        "SELECT item_id FROM holding WHERE account_id = %s", (account,)
    ).scalars()
    scanned: list[Scanned] = []
    for held in items.whereabouts(desk.connection, list(expected)).values():
        there = int(held.place == supply.place) if held.serial else held.holdings.get(account, (supply.place, 0))[1]
        if there:
            line = ItemLine(item=held.item_id, quantity=there)
            scanned.append(Scanned(len(scanned) + 1, line, held))
    if not scanned:
        raise Refused(sentence("Nothing was done: nothing of {place} is left in supply.", place=supply.place.name))
    return scanned


def _guard(desk: Desk, scanned: Sequence[Scanned], origin: Place | None) -> None:
    voucher.check_origin(scanned, desk.act, desk.site)
    if origin is not None:
        voucher.check_quantities(scanned, origin)
    for one in scanned:
        if one.reason or one.held is None or not one.held.serial:
            continue
        if origin is None and one.held.where.account_class is AccountClass.SUPPLY:
            one.reason = sentence("it has not arrived: what a donor sends is shipped by its donor and consignment")
    voucher.check_there(scanned, origin)


SHIP = ActForm(Act.SHIP, Ship, ship)

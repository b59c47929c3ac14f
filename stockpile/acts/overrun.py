"""Overrun: a site fell. One act takes everything that its stores, its workshop, its units and its people held to `missing`, as of
a moment, and its document is the list of what was inside.

Whoever commits first is right: what a counter posts while the act is prepared is in it, and a clerk who comes after is told
that the weapon is reported missing. Those who turn up later with weapons in hand are found present by `acts.recover`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from stockpile import ledger
from stockpile.acts.perform import ActForm
from stockpile.acts.receiving_party import reporter
from stockpile.documents import Code, Desk, FactRequest, Posted, Precision, Words, Writing, now
from stockpile.errors import Fault, Invalid, Refused
from stockpile.inside import holding_accounts, inside
from stockpile.items import Held, Line
from stockpile.movements import AccountClass, Act
from stockpile.registers.listing import many_rows_at_hand
from stockpile.sentences import sentence
from stockpile.shortfall import least_since
from stockpile.sites import Place, site_account
from stockpile.standstill import hold_still


class Overrun(FactRequest):
    """Report a whole site overrun: all that its stores, its workshop, its units and its people held is missing (loss report)."""

    moment: AwareDatetime | None = Field(
        None,
        description="When it fell; left out: now. What moved since comes again after it",
        examples=["2026-11-20T04:10:00+03:00"],
    )
    circumstances: Words = Field(examples=["Attacked at night, garrison withdrew to the bridge"])
    reported_by: Code | None = Field(None, description="Service number of who reports it", examples=["C-1"])

    @model_validator(mode="after")
    def _one_moment(self) -> Overrun:
        if self.moment is not None and self.paper is not None:
            raise ValueError(sentence("give either moment or paper: the paper says when"))
        return self


def overrun(desk: Desk, request: Overrun) -> Posted:
    """Posts the loss of all that a site held. Raises Invalid (the moment, who reports), Refused (nothing was held)."""
    with many_rows_at_hand():
        return _overrun(desk, request)


def _overrun(desk: Desk, request: Overrun) -> Posted:
    written = _written(request)
    signatories, found = reporter(desk, request.reported_by, written.fact) if request.reported_by else ({}, [])
    missing = site_account(desk.connection, desk.site, AccountClass.MISSING)
    lines = _everything(desk, written.happened_at, missing)
    if not lines:
        nothing = sentence("Nothing was done: {site} held nothing.", site=desk.site.code)
        if request.moment:
            when = request.moment.isoformat()
            nothing = sentence("Nothing was done: {site} held nothing at {when}.", site=desk.site.code, when=when)
        raise Refused(nothing)
    details = {"paper": "loss report", "called": "overrun", "circumstances": request.circumstances}
    return ledger.post(desk, written.document(desk, signatories, details), lines, found)


def _written(request: Overrun) -> Writing:
    """An overrun as of an earlier moment is a fact. Raises Invalid if that moment has not come."""
    written, moment = Writing.of(request), request.moment
    if moment is None:
        return written
    if moment > now():
        fault = Fault(sentence("is in the future"), field="moment", value=moment.isoformat())
        raise Invalid(sentence("The overrun was not posted."), [fault])
    return replace(written, happened_at=moment, precision=Precision.MINUTE, fact=True)


def _everything(desk: Desk, moment: datetime | None, missing: Place) -> list[Line]:
    """The lines of all that was inside, with the site's books closed. A weapon goes from wherever it was at the moment; of what is
    counted goes what was there and is there still.
    """
    connection, accounts = desk.connection, holding_accounts(desk.connection, desk.site)

    def look() -> set[UUID]:
        return {one.item_id for one in inside(connection, list(accounts), moment)}

    held = hold_still(connection, desk.site, look)
    weapons = [Line(one, missing) for one in held.values() if one.serial]
    return [*weapons, *_counted(desk, [one for one in held.values() if not one.serial], accounts, moment, missing)]


def _counted(
    desk: Desk, held: Collection[Held], accounts: dict[UUID, Place], moment: datetime | None, missing: Place
) -> Iterator[Line]:
    if not held:
        return
    known = {one.item_id: one for one in held}
    for was in inside(desk.connection, list(accounts), moment):
        one = known.get(was.item_id)
        if one is None or was.account_id not in one.holdings:
            continue
        place, there = one.holdings[was.account_id]
        if moment is not None:
            there = least_since(desk.connection, one.item_id, place.account_id, moment)
        if there:
            yield Line(one, missing, place, min(was.quantity, there))


OVERRUN = ActForm(Act.OVERRUN, Overrun, overrun)

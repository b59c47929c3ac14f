"""Who receives: a person on the roster, or a unit by somebody on its signature card; and who gives. A command insists; a
fact takes both as the paper names them and opens a discrepancy for what the roster says against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from stockpile.acts import voucher
from stockpile.acts.voucher import FactVoucher, Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import LATER, Code, Desk, Writing, now
from stockpile.errors import Fault, Invalid, Refused
from stockpile.movements import AccountClass
from stockpile.parties import Receiver, find_party, find_receiver, may_draw, unidentified_person
from stockpile.sentences import sentence
from stockpile.sites import Place, find_store, party_account, site_account


@dataclass(frozen=True, slots=True)
class Receiving:
    """The receiving account and who stands on the document for it."""

    party_id: UUID
    place: Place
    signatories: dict[str, UUID]
    contradictions: list[Contradiction] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Giving:
    """Whose account it comes from, and the person who stands on the document for it. A unit gives without a person."""

    party_id: UUID
    place: Place
    signatories: dict[str, UUID]
    contradictions: list[Contradiction] = field(default_factory=list)


class MayNotReceive(Refused):
    """The roster or the signature card speaks against the receiver: `why`."""

    def __init__(self, why: str) -> None:
        super().__init__(sentence("Nothing was done: {why}.", why=why))
        self.why = why


def receiving(desk: Desk, code: str, received_by: str | None, written: Writing, day: date) -> Receiving:
    """Who receives: insisted on by a command, taken by a fact as its paper names them. Raises as `check_receiver` does."""
    if written.fact:
        return receiver_as_claimed(desk, code, received_by, day)
    return check_receiver(desk, code, received_by, day)


def check_receiver(desk: Desk, code: str, received_by: str | None, day: date) -> Receiving:
    """The receiver of a command. Raises Invalid if nobody has the code, MayNotReceive if the roster or the signature card
    speaks against it.
    """
    receiver = find_receiver(desk.connection, desk.site, code, day)
    if receiver is None:
        raise Invalid(
            sentence("Receiver: nobody at {site} has the number {code!r}.", site=desk.site.code, code=code),
            [Fault(sentence("not a service number or unit code of this site"), field="receiver", value=code)],
        )
    if receiver.objection is not None or receiver.place is None:
        raise MayNotReceive(receiver.objection or "")
    if receiver.party.kind == "person":
        return Receiving(receiver.party.party_id, receiver.place, {"received_by": receiver.party.party_id})
    return Receiving(
        receiver.party.party_id, receiver.place, {"received_by": _drawer(desk, receiver, received_by, day)}
    )


def _drawer(desk: Desk, unit: Receiver, received_by: str | None, day: date) -> UUID:
    if received_by is None:
        raise Invalid(
            sentence("Say who draws for {unit}.", unit=unit.party.display),
            [Fault(sentence("a unit receives by a person on its signature card"), field="received_by")],
        )
    person = find_party(desk.connection, "person", received_by)
    if person is None or not may_draw(desk.connection, unit.party.party_id, person.party_id, day):
        who = person.display if person else repr(received_by)
        raise MayNotReceive(sentence("{who} is not on the signature card of {unit}", who=who, unit=unit.party.display))
    return person.party_id


def receiver_as_claimed(desk: Desk, code: str, received_by: str | None, day: date) -> Receiving:
    """The receiver a paper names: never refused. Somebody this site never heard of is its unidentified person."""
    receiver = find_receiver(desk.connection, desk.site, code, day)
    if receiver is None or receiver.place is None:
        party_id, place = _unidentified(desk)
        found = Contradiction(Kind.RECEIVER_NOT_ON_ROSTER, _nobody(desk, code), f"received by {code}")
        return Receiving(party_id, place, {}, [found])
    signatories: dict[str, UUID] = {}
    contradictions = []
    if receiver.objection is not None:
        contradictions.append(
            Contradiction(Kind.RECEIVER_NOT_ON_ROSTER, receiver.objection, f"received by {receiver.party.display}")
        )
    if receiver.party.kind == "person":
        signatories["received_by"] = receiver.party.party_id
    else:
        drawer = find_party(desk.connection, "person", received_by) if received_by else None
        if drawer is not None:
            signatories["received_by"] = drawer.party_id
        if drawer is None or not may_draw(desk.connection, receiver.party.party_id, drawer.party_id, day):
            contradictions.append(
                Contradiction(
                    Kind.RECEIVER_NOT_ON_ROSTER,
                    f"the signature card of {receiver.party.display}",
                    f"drawn by {received_by or 'nobody named'}, who is not on it",
                )
            )
    return Receiving(receiver.party.party_id, receiver.place, signatories, contradictions)


def giver(desk: Desk, code: str, fact: bool, day: date, field: str) -> Giving:
    """Who gives, on the roster or not: a leaver brings back what he holds. Nobody of this site: Invalid for a command, for
    a fact the site's unidentified person and a discrepancy.
    """
    known = find_receiver(desk.connection, desk.site, code, day)
    if known is not None and known.place is not None:
        person = known.party.kind == "person"
        return Giving(known.party.party_id, known.place, {"handed_over_by": known.party.party_id} if person else {})
    if not fact:
        raise Invalid(
            sentence("{field}: {problem}.", field=field, problem=_nobody(desk, code)),
            [Fault(sentence("not a service number or unit code of this site"), field=field, value=code)],
        )
    party_id, place = _unidentified(desk)
    return Giving(party_id, place, {}, [Contradiction(Kind.PERSON_UNKNOWN, _nobody(desk, code), f"{field} {code}")])


class FromHolder(FactVoucher):
    """A voucher of what left its holding: who had it, or, for what is counted, where it was kept."""

    holder: Code | None = Field(
        None, description="Who held it; left out, for what is counted: the store", examples=["A-1001"]
    )
    store: Code | None = Field(
        None, description="From which store, for what is counted; needed where the site has several"
    )
    kept_in: Annotated[Literal["workshop", "transit"] | None, LATER] = Field(
        None, description="Instead of holder and store, for what is counted: in the workshop, or on its way"
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.kept_in is not None and (self.holder is not None or self.store is not None):
            raise ValueError(sentence("give one of holder, store and kept_in"))
        return self


KEPT_IN = {"workshop": AccountClass.MAINTENANCE, "transit": AccountClass.TRANSIT}


def holder_as_said(
    desk: Desk, request: FromHolder, written: Writing, counted: bool
) -> tuple[Place | None, list[Contradiction]]:
    """Who held it, as a report says; where it was kept, for what is counted; for weapons alone wherever the books have them."""
    if request.holder is not None:
        day = desk.site.local_day(written.happened_at or now())
        giving = giver(desk, request.holder, written.fact, day, "holder")
        return giving.place, [*giving.contradictions]
    if not counted:
        return None, []
    if request.kept_in is not None:
        return site_account(desk.connection, desk.site, KEPT_IN[request.kept_in]), []
    return find_store(desk.connection, desk.site, request.store), []


def lock_from_holder(
    desk: Desk, request: FromHolder, written: Writing
) -> tuple[list[Scanned], Place | None, list[Contradiction]]:
    """Locks what a report names, with where it was and what speaks against that. Where what is counted was, is asked only
    where something is: by its model before the locks, by its key or tag after them.
    """
    rows = voucher.rows(desk, request)
    origin, found = holder_as_said(desk, request, written, voucher.by_model(rows))
    scanned = voucher.lock_rows(desk, rows, origin, moment=written.happened_at)
    if origin is None and voucher.any_counted(scanned):
        origin, found = holder_as_said(desk, request, written, True)
    return scanned, origin, found


def reporter(desk: Desk, code: str, fact: bool) -> tuple[dict[str, UUID], list[Contradiction]]:
    """The person who reports, to stand on the document. Nobody this site knows: Invalid for a command, a discrepancy for
    a fact.
    """
    person = find_party(desk.connection, "person", code)
    if person is not None:
        return {"reported_by": person.party_id}, []
    if not fact:
        raise Invalid(
            sentence("reported_by: {problem}.", problem=_nobody(desk, code)),
            [Fault(sentence("not a service number of this site"), field="reported_by", value=code)],
        )
    return {}, [Contradiction(Kind.PERSON_UNKNOWN, _nobody(desk, code), f"reported by {code}")]


def _nobody(desk: Desk, code: str) -> str:
    return sentence("nobody at {site} has the number {code}", site=desk.site.code, code=code)


def _unidentified(desk: Desk) -> tuple[UUID, Place]:
    party_id = unidentified_person(desk.connection, desk.site).party_id
    place = party_account(desk.connection, desk.site, party_id)
    assert place is not None
    return party_id, place

"""The morning draw: an assigned weapon goes to its person by one scan, against the weapon card that then stands in the
rack, and comes back by one scan.

Where the weapon is, read under its lock, decides which of the two a scan means; so the answer says which it was. A scan
never turns round what another scan did a moment ago: of two counters that scan one rifle, one hands it out and the
other is told. It is a command; a weapon whose story contradicts the books is issued or taken back by the other acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from stockpile import ledger
from stockpile.acts import voucher
from stockpile.acts.accessories import EquippedConditionLine, account_for, as_details, seek_with, with_each
from stockpile.acts.end_use import check_receivers
from stockpile.acts.issue import not_to_be_handed_out
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import Scanned
from stockpile.discrepancies import Contradiction
from stockpile.documents import Code, ConditionLine, Desk, Posted, Scan, Writing, full_number, now
from stockpile.errors import Fault, Invalid
from stockpile.items import Held, Line
from stockpile.movements import AccountClass, Act
from stockpile.parties import Party, Receiver, find_people, read_people
from stockpile.reports import accessories
from stockpile.reports.accessories import Accessory, read
from stockpile.reports.weapon_cards import LAST_MOVE, PAPER
from stockpile.sentences import sentence
from stockpile.signatures import Signed, with_signatures
from stockpile.sites import Place, find_store, place_of

SAME_SCAN = timedelta(minutes=1)
"""For so long after a weapon went out or came back, a scan that does not say which way is taken for the same one again."""


class Draw(Signed):
    """Hand an assigned weapon to its person against a weapon card, or take it back into its rack: one scan, and where the
    weapon is decides. A list goes one way as a whole.
    """

    scan: Scan | None = Field(None, description="The one weapon, as scanned or typed", examples=["SP-000001-K"])
    lines: Annotated[tuple[EquippedConditionLine, ...], Field(max_length=500)] = Field(
        (), description="Instead of `scan`: several weapons, all of them out or all of them back"
    )
    person: Code | None = Field(
        None, description="Service number of who stands at the counter: it must be the weapon's person"
    )
    direction: Literal["out", "back"] | None = Field(
        None, description="Insist on one way; left out: where the weapon is decides"
    )
    store: Code | None = Field(
        None, description="Only from, or back into, this store; left out: where it is, and the rack it was taken from"
    )

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Draw:
        if bool(self.lines) == (self.scan is not None):
            raise ValueError(sentence("give either scan or lines"))
        return self

    @property
    def weapons(self) -> tuple[EquippedConditionLine, ...]:
        """What was scanned, as lines."""
        return self.lines or (EquippedConditionLine(scan=self.scan),)


@dataclass(frozen=True, slots=True)
class LastMove:
    """How a weapon came to where it is: by which act, under which paper and number, how long ago it was recorded, with what."""

    to_account: UUID
    act: str
    paper: str | None
    number: str
    ago: timedelta
    accessories: tuple[Accessory, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the draw knows of a weapon: whose it is, how it came to where it is, and the store it was last taken from.
    `place` is where that was, `version` that of its newest entry: who waited for the weapon reads both anew.
    """

    version: int | None
    assigned_to: UUID | None
    last: LastMove | None
    rack: Place | None
    place: Place | None

    @property
    def last_move(self) -> accessories.LastMove | None:
        """The last move as far as accessories go."""
        if self.last is None or self.place is None:
            return None
        return accessories.LastMove(self.place, self.last.number, self.last.accessories)


_DRAWN = f"""
SELECT h.item_id, w.party_id, last.to_account, last.act, last.paper, last.book_site, last.book_code, last.year, last.number,
       clock_timestamp() - last.recorded_at, last.accessories, rack.account_id, rack.class, rack.name, rack.site_id, rack.party_id,
       (SELECT max(e.version) FROM entry e WHERE e.item_id = h.item_id),
       place.account_id, place.class, place.name, place.site_id, place.party_id
FROM unnest(%s::uuid[]) AS h (item_id)
LEFT JOIN weapon_assignment w ON w.item_id = h.item_id AND w.until IS NULL
LEFT JOIN {LAST_MOVE} ON true
LEFT JOIN account place ON place.account_id = last.to_account
LEFT JOIN LATERAL (SELECT a.* FROM entry e JOIN account a ON a.account_id = e.from_account
                   WHERE e.item_id = h.item_id AND a.class = 'store' AND a.site_id = own_site()
                   ORDER BY e.version DESC LIMIT 1) rack ON true
"""


def draw(desk: Desk, request: Draw) -> Posted:
    """Posts an issue against weapon cards, or the return that takes them back.

    Raises Invalid (person, store), Refused (one reason a weapon).
    """
    judged = judge(desk, request)
    everything = judged.everything
    voucher.refuse(everything, "draw")
    moves = judged.moves()
    if judged.out:
        return _post(desk, request, moves, everything, Went("received_by", "receiver"))
    lasts = {item_id: last for item_id, known in judged.drawn.items() if (last := known.last_move) is not None}
    accounted = account_for(desk, everything, lasts, None, "came back", late=False)
    went = Went("handed_over_by", "returned_by", accounted.details, accounted.contradictions)
    return _post(replace(desk, act=Act.RETURN), request, moves, everything, went)


@dataclass(frozen=True, slots=True)
class Move:
    """One weapon's way: whose weapon it is, and the line to post."""

    person_id: UUID
    line: Line


@dataclass(frozen=True, slots=True)
class Judged:
    """What the draw says of a list: which way it goes, and of each line why it can't, if it can't."""

    everything: list[Scanned]
    drawn: dict[UUID, Drawn]
    people: dict[UUID, Receiver]
    out: bool
    store: Place | None

    @property
    def weapons(self) -> list[Scanned]:
        """The lines, without what goes with each weapon."""
        return [one for one in self.everything if one.of is None]

    def moves(self) -> list[Move]:
        """Each weapon's way, of a list that nothing speaks against."""
        return _moves(self.weapons, self.drawn, self.people, self.out, self.store)


def judge(desk: Desk, request: Draw, only_look: bool = False) -> Judged:
    """Finds and locks what a draw names and says of each line why it can't be drawn; `only_look` locks nothing. Raises Invalid
    (person, store).
    """
    person = _person(desk, request.person)
    store = find_store(desk.connection, desk.site, request.store) if request.store else None
    everything, drawn = _lock(desk, request, only_look)
    scanned = [one for one in everything if one.of is None]
    people = _people(desk, drawn)
    for one in scanned:
        if one.held is not None and not one.reason:
            one.reason = _not_at_the_draw(one.held, drawn[one.held.item_id], people, desk)
    out = _way(scanned, drawn, request.direction)
    for one in everything:
        if one.of is not None and one.held is not None and one.held.serial and not one.reason:
            one.reason = _not_with_its_weapon(one.held, one.of) or (not_to_be_handed_out(one.held) if out else None)
    for one in scanned:
        if one.held is not None and not one.reason:
            known = drawn[one.held.item_id]
            if out:
                one.reason = _not_out(one, known, people, person, store)
            else:
                one.reason = _not_back(one.held, known, person, store)
    if out:
        owners = [(one, owner) for one in scanned if one.held and (owner := drawn[one.held.item_id].assigned_to)]
        check_receivers(desk, owners, desk.site.local_day(now()))
    return Judged(everything, drawn, people, out, store)


def _lock(desk: Desk, request: Draw, only_look: bool) -> tuple[list[Scanned], dict[UUID, Drawn]]:
    """Locks the weapons with what goes with them, and tells what the draw must know of each. A weapon goes out with what it
    last came back with, and comes back with what it went out with, unless its line says otherwise: that is why all is read
    before the locks too, and again only if somebody moved a weapon meanwhile.
    """
    sought = voucher.seek(desk.connection, list(enumerate(request.weapons, 1)), source=desk.site.code)
    drawn = _read_drawn(desk, [one.found[0] for one in sought if one.of is None and len(one.found) == 1])
    lasts = {item_id: last for item_id, known in drawn.items() if (last := known.last_move) is not None}
    with_each_weapon = seek_with(sought, lasts, None, complete=True, from_rack=True)
    everything = voucher.lock_sought(desk.connection, with_each_weapon, only_look=only_look)
    weapons = [one.held for one in everything if one.held is not None and one.of is None]
    if any(held.version != drawn[held.item_id].version for held in weapons):
        drawn = _read_drawn(desk, [held.item_id for held in weapons])
    return everything, drawn


def _person(desk: Desk, code: str | None) -> Party | None:
    """Who stands at the counter. Raises Invalid if nobody of the site has the number."""
    if code is None:
        return None
    found = find_people(desk.connection, desk.site, {code}, desk.site.local_day(now()))
    if code not in found:
        raise Invalid(
            sentence("Person: nobody at {site} has the number {code!r}.", site=desk.site.code, code=code),
            [Fault(sentence("not a service number of this site"), field="person", value=code)],
        )
    return found[code].party


def _read_drawn(desk: Desk, items: Sequence[UUID]) -> dict[UUID, Drawn]:
    """Of each weapon what the draw must know."""
    return {row[0]: _drawn(row) for row in desk.connection.exec_driver_sql(_DRAWN, ([*items],))}


def _drawn(row: Sequence[Any]) -> Drawn:
    last = None
    if row[2] is not None:
        last = LastMove(row[2], row[3], row[4], full_number(*row[5:9]), row[9], read(row[10]))
    rack = place_of(row[11:16]) if row[11] is not None else None
    return Drawn(row[16], row[1], last, rack, place_of(row[17:]) if row[17] is not None else None)


def _people(desk: Desk, drawn: dict[UUID, Drawn]) -> dict[UUID, Receiver]:
    """Whose weapons they are, as far as these people still serve at the site."""
    assigned = {known.assigned_to for known in drawn.values() if known.assigned_to is not None}
    return read_people(desk.connection, desk.site, assigned, desk.site.local_day(now()))


def _not_at_the_draw(held: Held, known: Drawn, people: dict[UUID, Receiver], desk: Desk) -> str | None:
    """Why the draw is not for this weapon where it is; None: it is in a store, or with its person."""
    place = held.where
    if not held.serial:
        return sentence("it is counted, not told apart: only a weapon is drawn by one scan")
    if place.account_class not in (AccountClass.STORE, AccountClass.PERSON):
        return sentence("it is neither in a store nor with its person")
    if place.site_id != desk.site.site_id:
        return sentence("it is not at {site}", site=desk.site.code)
    if place.account_class is AccountClass.STORE or _is_its_persons(held, known):
        return None
    if known.assigned_to is None:
        return sentence("{holder} holds it, and it is assigned to nobody: take it back by a return", holder=place.name)
    owner = people.get(known.assigned_to)
    whose = owner.party.display if owner else sentence("its person")
    return sentence(
        "{holder} holds it, not {whose}, to whom it is assigned: take it back by a return",
        holder=place.name,
        whose=whose,
    )


def _not_with_its_weapon(held: Held, weapon: Scanned) -> str | None:
    """Why a serialised accessory does not go where its weapon goes."""
    if weapon.held is None or held.where.account_id == weapon.held.where.account_id:
        return None
    return sentence("it is not where {weapon} is: issue or return it by itself", weapon=weapon.held.name)


def _is_its_persons(held: Held, known: Drawn) -> bool:
    """Whether who holds it is who may bring it back by a scan: its person, or who drew it against a card that still
    stands in the rack, whosever weapon it became since.
    """
    last = known.last
    on_card = last is not None and last.paper == PAPER and last.to_account == held.where.account_id
    return on_card or held.where.party_id == known.assigned_to


def _way(scanned: Sequence[Scanned], drawn: dict[UUID, Drawn], direction: str | None) -> bool:
    """Whether the weapons go out. Those that could only go the other way carry that as their reason; so does every
    weapon of a list that says no direction and mixes both.
    """
    goes = {
        one.held.item_id: one.held.where.account_class is AccountClass.STORE
        for one in scanned
        if one.held is not None and not one.reason
    }
    mixed = direction is None and len(set(goes.values())) > 1
    out = direction == "out" if direction else any(goes.values())
    for one in scanned:
        if one.held is None or one.reason:
            continue
        known, way = drawn[one.held.item_id], goes[one.held.item_id]
        if mixed:
            one.reason = (
                sentence("it would go out, others on this list would not: say the direction")
                if way
                else sentence("it would come back, others on this list would not: say the direction")
            )
        elif way != out:
            one.reason = sentence("it is in its store already") if way else sentence("it is out already")
        elif direction is None:
            one.reason = _same_scan(known.last, Act.RETURN if way else Act.ISSUE)
    return out


def _same_scan(last: LastMove | None, turned_round: Act) -> str | None:
    """Why a scan without a direction may not turn round what was done a moment ago."""
    if last is None or last.act != turned_round or last.ago >= SAME_SCAN:
        return None
    ago = int(last.ago.total_seconds())
    if turned_round is Act.ISSUE:
        return sentence(
            "it went out {ago} s ago, as {document}: scanned twice? If it really goes back again, say direction 'back'",
            ago=ago,
            document=last.number,
        )
    return sentence(
        "it came back {ago} s ago, as {document}: scanned twice? If it really goes out again, say direction 'out'",
        ago=ago,
        document=last.number,
    )


def _not_out(
    one: Scanned, known: Drawn, people: dict[UUID, Receiver], person: Party | None, store: Place | None
) -> str | None:
    """Why a weapon in a store may not go to its person."""
    held, line = one.held, one.line
    assert held is not None
    assert isinstance(line, ConditionLine)
    if known.assigned_to is None:
        return sentence("it is assigned to nobody: assign it first, or issue it against a hand receipt")
    owner = people.get(known.assigned_to)
    if owner is None:
        return sentence("the person it is assigned to serves at this site no more: assign it anew")
    if owner.objection is not None:
        return sentence("it is assigned to somebody who may not draw: {objection}", objection=owner.objection)
    if person is not None and person.party_id != known.assigned_to:
        return sentence("it is assigned to {owner}, not to {person}", owner=owner.party.display, person=person.display)
    if store is not None and held.where.account_id != store.account_id:
        return sentence("it is not in {store}", store=store.name)
    if line.condition == "unserviceable":
        return sentence("it is unserviceable")
    return not_to_be_handed_out(held)


def _not_back(held: Held, known: Drawn, person: Party | None, store: Place | None) -> str | None:
    """Why a weapon that its person holds may not come back by this scan."""
    if person is not None and person.party_id != held.where.party_id:
        return sentence("{holder} holds it, not {person}", holder=held.where.name, person=person.display)
    if store is None and known.rack is None:
        return sentence("nobody knows the rack it was taken from: say the store")
    return None


def _moves(
    scanned: Sequence[Scanned], drawn: dict[UUID, Drawn], people: dict[UUID, Receiver], out: bool, store: Place | None
) -> list[Move]:
    """Each weapon's line, with the person it goes to or comes from."""
    moves = []
    for one in scanned:
        held = one.held
        assert held is not None
        assert isinstance(one.line, ConditionLine)
        known = drawn[held.item_id]
        person_id = known.assigned_to if out else held.where.party_id
        assert person_id is not None
        to = people[person_id].place if out else store or known.rack
        assert to is not None
        moves.append(Move(person_id, Line(held, to, condition=one.line.condition)))
    return moves


@dataclass(frozen=True, slots=True)
class Went:
    """Which way the weapons went: in which part their person signs, under which name the details have it, and what is said
    of accessories on the way back.
    """

    part: str
    person: str
    details: dict[str, Any] = field(default_factory=dict)
    contradictions: Sequence[Contradiction] = ()


def _post(desk: Desk, request: Draw, moves: Sequence[Move], everything: Sequence[Scanned], went: Went) -> Posted:
    """One document. One person signs it; of several, each line's account says whose it is, and the cards are theirs."""
    persons = {move.person_id for move in moves}
    only = next(iter(persons)) if len(persons) == 1 else None
    details = {
        "paper": PAPER,
        went.person: str(only) if only else None,
        "accessories": as_details(with_each(everything)),
        **went.details,
    }
    document = Writing.of(request).document(desk, {went.part: only} if only else {}, details)
    document = with_signatures(desk, request, document, persons)
    lines = [move.line for move in moves]
    goes_to = {line.held.item_id: line.to for line in lines}
    for to in dict.fromkeys(goes_to.values()):
        lines += voucher.lines_from(
            [one for one in everything if one.of and one.of.held and goes_to[one.of.held.item_id] == to], None, to
        )
    return ledger.post(desk, document, lines, went.contradictions)


DRAW = ActForm(Act.ISSUE, Draw, draw, turns_into=(Act.RETURN,), called="draw")

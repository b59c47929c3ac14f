"""What an act would say of one weapon, asked while the clerk scans: ready, already on this list, held by whom since when, or
why not and what to do about it.

The act's own guards decide; this only gives their answer a name and words. Nothing is locked and nothing is promised:
who confirms is judged again under the locks. The table below and `tests/verdict_cases.json` bind what a station says without
the service too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import Connection, Engine

from stockpile import items
from stockpile.acts import draw, issue, turn_in, voucher
from stockpile.acts.accessories import EquippedConditionLine
from stockpile.acts.end_use import check_receivers
from stockpile.acts.perform import scope
from stockpile.acts.voucher import Scanned
from stockpile.db.engine import connected
from stockpile.documents import Code, Desk, ItemLine, now
from stockpile.find import look_alikes
from stockpile.identity import asset_tag
from stockpile.items import Held
from stockpile.movements import AccountClass, Act
from stockpile.parties import find_receiver
from stockpile.reports.accessories import Accessory, last_moves
from stockpile.reports.open_cases import open_cases_of
from stockpile.reports.standing import Standing, standings
from stockpile.rights import READ, Actor, require
from stockpile.sentences import Sentence, begun, of_the_books, sentence, template
from stockpile.sites import Place, Site, find_store

Severity = Literal["ready", "attention", "stop"]
Mode = Literal["issue", "return", "draw", "look up", "receive", "count"]

SEVERITY: dict[str, Severity] = {
    "ready": "ready",
    "brought by another": "attention",
    "already listed": "attention",
    "several": "attention",
    "did you mean": "attention",
    "held": "stop",
    "in a store": "stop",
    "in another store": "stop",
    "elsewhere": "stop",
    "in the workshop": "stop",
    "not arrived": "stop",
    "missing": "stop",
    "gone": "stop",
    "not in the books": "stop",
    "not marked": "stop",
    "unserviceable": "stop",
    "too few": "stop",
    "unknown": "stop",
    "refused": "stop",
}
"""Verdict -> how loudly the counter says it."""

WORDS = {
    "ready": "{where}",
    "brought by another": template("{where} has it, not {giver}: this will be said on the turn-in"),
    "several": template("{count} weapons bear this number: choose one, or scan the asset tag"),
    "did you mean": template("Nothing in the books bears this number. Did you mean one of these?"),
    "held": template("Held by {where}{since}"),
    "in a store": template("It is in {where}{since}: nobody has it"),
    "in another store": template("It is in {where}, not in {store}"),
    "elsewhere": template("It belongs to {site}: {where}{since}"),
    "in the workshop": template("It is in the workshop{since}"),
    "not arrived": template("It has not been received yet: {where}"),
    "missing": template("Reported missing{since}. In your hand? Recover it"),
    "gone": template("The books say {gone}{since}. In your hand? Recover it"),
    "not in the books": template("It was taken back out of the books"),
    "not marked": template("It bears no serial number or mark: mark it first"),
    "unserviceable": template("It is unserviceable: it stays, or goes to the workshop"),
    "unknown": template("Nothing in the books bears this number"),
}
"""Verdict -> what it says; those that are not here say the act's own reason."""

GONE = {
    AccountClass.LOST: sentence("it was lost"),
    AccountClass.EXPENDED: sentence("it was expended"),
    AccountClass.DESTROYED: sentence("it was destroyed"),
    AccountClass.EXPORTED: sentence("it was exported"),
}
BY_CLASS = {
    AccountClass.SUPPLY: "not arrived",
    AccountClass.TRANSIT: "not arrived",
    AccountClass.MISSING: "missing",
    AccountClass.OUTSIDE: "not in the books",
    **dict.fromkeys(GONE, "gone"),
}
GOES = frozenset({"ready", "brought by another"})
"""Verdicts with which a line can be confirmed."""
RECOVERED = frozenset({"missing", "gone"})
"""Verdicts that a weapon in the hand leads on to a recovery from."""

CANDIDATES = 5


class AskVerdict(ItemLine):
    """One weapon as scanned or typed, or a number of what is counted, and what is about to be done with it."""

    mode: Mode = Field(description="What is about to be done", examples=["issue"])
    receiver: Code | None = Field(None, description="Who receives or brings it: service number or unit code")
    store: Code | None = Field(None, description="From which store, or into which; needed where the site has several")
    lines: Annotated[tuple[ItemLine, ...], Field(max_length=500)] = Field(
        (), description="The list so far: items by their key, what is counted by its model"
    )
    delivery: UUID | None = Field(None, description="In a receipt: against which consignment or shipment")
    count: UUID | None = Field(None, description="In a count: which")


@dataclass(frozen=True, slots=True)
class WeaponSeen:
    """A weapon, or what is counted, as the counter shows it. `since` and `document_number` are told where they matter;
    `accessories`: of what comes back, what it went out with; `open_cases`: how many cases about it are open, at whichever site.
    """

    item_id: UUID
    asset_tag: str
    tracked_by: str
    maker: str
    model: str
    serial_number: str | None
    condition: str | None
    account_class: str
    where: str
    site: str | None = None
    since: datetime | None = None
    document_number: str | None = None
    accessories: tuple[Accessory, ...] = ()
    open_cases: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an act would say. `line` is the one that named the weapon before; `candidates` are the weapons to choose from;
    `recover`: it leads on to a recovery; `party`: of a weapon that is drawn, who it goes to or comes from.
    """

    verdict: str
    severity: Severity
    words: str
    weapon: WeaponSeen | None = None
    candidates: tuple[WeaponSeen, ...] = ()
    line: int | None = None
    recover: bool = False
    party: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The line as the act's guards left it, the store it is about, what it says when it is ready, who brings it, if that is
    not who has it, and whose weapon it is.
    """

    one: Scanned
    store: Place | None = None
    ready: str | None = None
    giver: Place | None = None
    party: str | None = None


def judge(engine: Engine, actor: Actor, asked: AskVerdict) -> Verdict:
    """The verdict of an act's guards: of a receipt `receipt_verdicts` judges, of a count `count_verdicts`. Raises NotAllowed (the
    role may not do it), Invalid (store, site).
    """
    act, looks = MODES[asked.mode]
    require(actor, act)
    with connected(engine) as connection:
        site = scope(connection, actor, None)
        desk = Desk(connection, actor, site, act if isinstance(act, Act) else Act.ISSUE, "", b"")
        return _told(desk, asked, looks(desk, asked))


def _sought(desk: Desk, asked: AskVerdict, *origins: Place | None) -> Scanned:
    """The asked line as it would be locked, after what is on the list already."""
    line = EquippedConditionLine(
        item=asked.item, scan=asked.scan, model=asked.model, quantity=asked.quantity, lot=asked.lot
    )
    before = [(n, one) for n, one in enumerate(asked.lines, 1) if one.by_model] if line.by_model else []
    number = len(asked.lines) + 1
    sought = voucher.seek(desk.connection, [*before, (number, line)], *origins, source=desk.site.code)
    scanned = voucher.lock_sought(desk.connection, sought, only_look=True)
    of_it = [one for one in scanned if one.number == number]
    one = next((one for one in of_it if one.reason), of_it[-1])
    listed = {before.item: n for n, before in reversed([*enumerate(asked.lines, 1)]) if before.item is not None}
    if one.held is not None and not one.reason and one.held.item_id in listed:
        one.repeats = listed[one.held.item_id]
        one.reason = voucher.already_listed(one.repeats)
    return one


def _issue(desk: Desk, asked: AskVerdict) -> Judged:
    store = find_store(desk.connection, desk.site, asked.store)
    one = _sought(desk, asked, store)
    issue.guard(desk, [one], store)
    if asked.receiver and one.held is not None and one.held.consignment_id is not None:
        day = desk.site.local_day(now())
        taking = find_receiver(desk.connection, desk.site, asked.receiver, day)
        if taking is not None:
            check_receivers(desk, [(one, taking.party.party_id)], day)
    return Judged(one, store)


def _return(desk: Desk, asked: AskVerdict) -> Judged:
    day = desk.site.local_day(now())
    giving = find_receiver(desk.connection, desk.site, asked.receiver, day) if asked.receiver else None
    origin = giving.place if giving is not None else None
    one = _sought(desk, asked, origin)
    turn_in.guard(desk, [one], origin)
    other = one.held is not None and one.held.serial and origin is not None and one.held.where != origin
    return Judged(one, giver=origin if other else None)


def _draw(desk: Desk, asked: AskVerdict) -> Judged:
    line = EquippedConditionLine(item=asked.item, scan=asked.scan, model=asked.model)
    judged = draw.judge(desk, draw.Draw(lines=(line,), person=asked.receiver, store=asked.store), only_look=True)
    (one,) = judged.weapons[:1]
    also = next((other.reason for other in judged.everything if other.reason), None)
    one.reason = one.reason or also
    if one.reason:
        return Judged(one)
    (move,) = judged.moves()
    to = move.line.to.name
    if judged.out:
        return Judged(one, ready=sentence("Goes out to {to}", to=to), party=to)
    return Judged(one, ready=sentence("Comes back into {to}", to=to), party=move.line.held.where.name)


def _look_up(desk: Desk, asked: AskVerdict) -> Judged:
    return Judged(_sought(desk, asked))


Looks = Callable[[Desk, AskVerdict], Judged]
MODES: Mapping[str, tuple[Act | str, Looks]] = {
    "issue": (Act.ISSUE, _issue),
    "return": (Act.RETURN, _return),
    "draw": (Act.ISSUE, _draw),
    "look up": (READ, _look_up),
}
"""Mode -> the right it takes, and how its guards are asked."""


def _told(desk: Desk, asked: AskVerdict, judged: Judged) -> Verdict:
    """The verdict in words."""
    one = judged.one
    verdict = _name_of(one, desk.site, judged.store, asked.mode)
    if verdict == "ready" and judged.giver is not None:
        verdict = "brought by another"
    known = {one.held.item_id: one.held} if one.held is not None else {}
    meant = list(known) or list(one.found[:CANDIDATES])
    if verdict == "unknown" and asked.scan is not None:
        meant = look_alikes(desk.connection, desk.actor, asked.scan, CANDIDATES)
        verdict = "did you mean" if meant else verdict
    with_since = verdict != "ready" or asked.mode == "look up"
    seen = weapons_seen(desk, meant, with_since, asked.mode == "return", known)
    weapon = seen[0] if one.held is not None and seen else None
    words = judged.ready if verdict == "ready" else None
    return Verdict(
        verdict,
        SEVERITY[verdict],
        with_cases(words or _in_words(verdict, judged, weapon, desk.site), weapon),
        weapon,
        () if weapon else tuple(seen),
        one.repeats,
        verdict in RECOVERED,
        judged.party,
    )


def _name_of(one: Scanned, site: Site, store: Place | None, mode: Mode) -> str:
    """The verdict on a line that the guards have seen."""
    if one.repeats is not None:
        return "already listed"
    if one.held is None:
        if one.lacks is not None or one.line.by_model:
            return "too few" if one.lacks is not None and one.lacks.origins else "refused"
        return "several" if len(one.found) > 1 else "unknown"
    if not one.reason:
        return "ready"
    if not one.held.serial:
        return "too few"
    return _of_weapon(one, one.held, site, store, mode)


def _of_weapon(one: Scanned, held: Held, site: Site, store: Place | None, mode: Mode) -> str:
    """What speaks first against a weapon that a guard refused. Of who holds it the draw says more in its own words."""
    place = held.where
    if place.account_class in BY_CLASS:
        return BY_CLASS[place.account_class]
    if place.site_id != site.site_id:
        return "elsewhere"
    if place.account_class is AccountClass.MAINTENANCE:
        return "in the workshop"
    if place.account_class is not AccountClass.STORE:
        return "refused" if mode == "draw" else "held"
    if mode == "return":
        return "in a store"
    if store is not None and place.account_id != store.account_id:
        return "in another store"
    if one.reason == issue.not_to_be_handed_out(held):
        return "unserviceable" if held.marked else "not marked"
    return "refused"


def _in_words(verdict: str, judged: Judged, weapon: WeaponSeen | None, site: Site) -> str:
    one = judged.one
    words = WORDS.get(verdict)
    if words is None or (weapon is None and one.held is not None):
        return begun(one.reason or of_the_books(verdict))
    gone = GONE.get(one.held.where.account_class, "") if one.held is not None else ""
    values = {
        "where": weapon.where if weapon else "",
        "site": weapon.site if weapon else "",
        "since": _since(weapon, site),
        "store": judged.store.name if judged.store else "",
        "giver": judged.giver.name if judged.giver else "",
        "count": len(one.found),
        "gone": gone,
    }
    return Sentence(words, values)


def with_cases(words: str, weapon: WeaponSeen | None) -> str:
    """What a verdict says, and that a case about the weapon is open."""
    if weapon is None or not weapon.open_cases:
        return words
    return sentence("{words}. A case about it is open", words=words)


def _since(weapon: WeaponSeen | None, site: Site) -> str:
    if weapon is None or weapon.since is None:
        return ""
    moment = f"{weapon.since.astimezone(ZoneInfo(site.time_zone)):%Y-%m-%d %H:%M}"
    if weapon.document_number:
        return sentence(" since {moment}, {document}", moment=moment, document=weapon.document_number)
    return sentence(" since {moment}", moment=moment)


def weapons_seen(
    desk: Desk,
    item_ids: Iterable[UUID],
    with_since: bool = True,
    with_accessories: bool = False,
    known: Mapping[UUID, Held] | None = None,
) -> list[WeaponSeen]:
    """Items as the counter shows them, in their order; those that are not in the books are absent. `known`: what was read of
    them a moment ago.
    """
    wanted = list(dict.fromkeys(item_ids))
    if not wanted:
        return []
    held = dict(known or {})
    unknown = [item_id for item_id in wanted if item_id not in held]
    if unknown:
        held |= items.whereabouts(desk.connection, unknown, lock=False, accounts=_stores(desk.connection, desk.site))
    stood = standings(desk.connection, desk.actor, wanted) if with_since else {}
    lasts = last_moves(desk.connection, wanted) if with_accessories else {}
    in_cases = open_cases_of(desk.connection, desk.actor, wanted)
    shown = []
    for item_id in wanted:
        if item_id not in held:
            continue
        seen = replace(_seen(held[item_id], stood.get(item_id, ())), open_cases=in_cases.get(item_id, 0))
        last = lasts.get(item_id)
        shown.append(replace(seen, accessories=last.accessories) if last is not None else seen)
    return shown


def _seen(held: Held, stood: Sequence[Standing]) -> WeaponSeen:
    shown: dict[str, Any] = {}
    if held.serial and stood:
        one = stood[0]
        shown = {"site": one.site, "since": one.since, "document_number": one.document_number}
    return WeaponSeen(
        held.item_id,
        asset_tag(held.tag_number or 0),
        held.tracked_by,
        held.maker,
        held.model_name,
        held.serial_number,
        held.condition,
        str(held.where.account_class) if held.serial else "",
        _where(held.where) if held.serial else voucher.describe_place(held),
        **shown,
    )


def _where(place: Place) -> str:
    """The name of an account; one of those that each site has is called by its class."""
    return of_the_books(place.name) if place.name == place.account_class else place.name


def _stores(connection: Connection, site: Site) -> list[UUID]:
    rows = connection.exec_driver_sql(
        "SELECT account_id FROM account WHERE site_id = %s AND class = 'store' AND party_id IS NULL", (site.site_id,)
    )
    return [row[0] for row in rows]

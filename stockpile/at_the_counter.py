"""What a counter asks beside its verdicts: whose badge was scanned, what a clerk may be typing, what is counted in the stores,
and where and as whom one stands. It only reads, and decides nothing: an act judges again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile import count_verdicts, receipt_verdicts, verdicts
from stockpile.acts.perform import scope
from stockpile.acts.receiving_party import MayNotReceive, check_receiver
from stockpile.db.engine import connected
from stockpile.documents import Desk, now
from stockpile.errors import Invalid
from stockpile.find import beginning_like
from stockpile.identity import fold
from stockpile.movements import Act
from stockpile.parties import Receiver, find_receiver
from stockpile.reports.deliveries import DeliveryLine, DeliveryRow, list_deliveries, list_delivery_lines
from stockpile.reports.keyset import Page
from stockpile.reports.named import named
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import begun, sentence
from stockpile.sites import Site, find_store
from stockpile.verdicts import AskVerdict, Severity, Verdict, WeaponSeen, weapons_seen

SUGGESTIONS = 8
READ_FOR_SUGGESTIONS = 60
"""Serial numbers that are read to find the ones at hand."""
SHORTEST_PART = 3
"""Characters from which a part of a serial number is looked for inside a store."""


@dataclass(frozen=True, slots=True)
class PartySeen:
    """A person or unit as the counter shows it: `holds` is how many weapons it has at this site."""

    code: str
    kind: str
    name: str
    holds: int


@dataclass(frozen=True, slots=True)
class Badge:
    """What a badge means: `ready` to receive or to bring back, `who draws` for a unit whose drawer is still to be said (of
    the `drawers` on its signature card), `refused`, or `unknown`.
    """

    verdict: Literal["ready", "who draws", "refused", "unknown"]
    severity: Severity
    words: str
    party: PartySeen | None = None
    drawn_by: str | None = None
    drawers: tuple[PartySeen, ...] = ()


@dataclass(frozen=True, slots=True)
class EquipmentSeen:
    """How many of what is counted a store has, or a holder."""

    account: str
    model: str
    lot: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class CounterSeen:
    """Where and as whom somebody works. `signs_by_pin`: at an enrolled counter, where PINs hold."""

    site: str
    site_name: str
    time_zone: str
    role: str
    name: str
    book: str
    stores: tuple[str, ...]
    signs_by_pin: bool


JUDGES: dict[str, Callable[[Engine, Actor, AskVerdict], Verdict]] = {
    "receive": receipt_verdicts.judge,
    "count": count_verdicts.judge,
}


def verdict(engine: Engine, actor: Actor, asked: AskVerdict) -> Verdict:
    """What the act of this mode would say of one weapon. Raises as the mode's own judge does."""
    return JUDGES.get(asked.mode, verdicts.judge)(engine, actor, asked)


def deliveries(engine: Engine, actor: Actor) -> list[DeliveryRow]:
    """What one's site waits for. Raises NotAllowed, Invalid (bound to no site)."""
    with connected(engine) as connection:
        return list_deliveries(connection, actor, scope(connection, actor, None))


def delivery_lines(
    engine: Engine, actor: Actor, delivery_id: UUID, limit: int, cursor: str | None
) -> Page[DeliveryLine]:
    """A page of what is outstanding of a delivery. Raises NotAllowed, NotFound, Invalid (limit, cursor; bound to no site)."""
    with connected(engine) as connection:
        return list_delivery_lines(connection, actor, scope(connection, actor, None), delivery_id, limit, cursor)


def counter(engine: Engine, actor: Actor) -> CounterSeen:
    """The counter of who asks. Raises NotAllowed, Invalid (bound to no site)."""
    require(actor, READ_PEOPLE)
    with connected(engine) as connection:
        site = scope(connection, actor, None)
        name = connection.exec_driver_sql(
            f"SELECT {named('p')} FROM party p WHERE p.party_id = %s", (actor.party_id,)
        ).scalar_one_or_none()
        stores = connection.exec_driver_sql(
            "SELECT name FROM account WHERE site_id = %s AND class = 'store' AND party_id IS NULL ORDER BY name",
            (site.site_id,),
        ).scalars()
        return CounterSeen(
            site.code, site.name, site.time_zone, actor.role, name or "", actor.book_code or "", tuple(stores),
            actor.counter_id is not None,
        )  # fmt: skip


def badge(engine: Engine, actor: Actor, code: str, act: Act, received_by: str | None = None) -> Badge:
    """Whose badge it is, and whether they may receive (Act.ISSUE) or bring back (Act.RETURN). Raises NotAllowed."""
    require(actor, act)
    with connected(engine) as connection:
        site = scope(connection, actor, None)
        desk = Desk(connection, actor, site, act, "", b"")
        receiver = find_receiver(connection, site, code, site.local_day(now()))
        if receiver is None:
            words = sentence("Nobody at {site} has the number {code}", site=site.code, code=code)
            return Badge("unknown", "stop", words)
        seen = _party(connection, receiver)
        if act is Act.RETURN:
            if receiver.place is None:
                return Badge("refused", "stop", begun(receiver.objection or ""), seen)
            return Badge("ready", "ready", seen.name, seen)
        return _receiver(desk, receiver, seen, received_by)


def _receiver(desk: Desk, receiver: Receiver, seen: PartySeen, received_by: str | None) -> Badge:
    try:
        check_receiver(desk, seen.code, received_by, desk.site.local_day(now()))
    except MayNotReceive as refusal:
        drawers = _drawers(desk, receiver) if received_by is not None else ()
        return Badge("refused", "stop", begun(refusal.why), seen, drawers=drawers)
    except Invalid as problem:
        return Badge("who draws", "attention", problem.detail, seen, drawers=_drawers(desk, receiver))
    return Badge("ready", "ready", seen.name, seen, received_by if seen.kind == "unit" else None)


_HOLDS = "SELECT count(*) FROM holding WHERE account_id = %s AND serial"


def _party(connection: Connection, receiver: Receiver) -> PartySeen:
    account = receiver.place.account_id if receiver.place is not None else None
    holds = connection.exec_driver_sql(_HOLDS, (account,)).scalar_one()
    party = receiver.party
    return PartySeen(party.code or "", party.kind, party.display, holds)


_DRAWERS = f"""
SELECT p.code, {named("p")} FROM signature_card c JOIN party p USING (party_id)
WHERE c.unit_id = %(unit)s AND c.withdrawn_at IS NULL AND c.since <= %(day)s AND c.until >= %(day)s
  AND EXISTS (SELECT FROM assignment m WHERE m.party_id = c.party_id AND m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s))
ORDER BY p.code LIMIT 9
"""


def _drawers(desk: Desk, unit: Receiver) -> tuple[PartySeen, ...]:
    """Who may draw for a unit today."""
    given = {"unit": unit.party.party_id, "day": desk.site.local_day(now())}
    rows = desk.connection.exec_driver_sql(_DRAWERS, given)
    return tuple(PartySeen(code, "person", name, 0) for code, name in rows)


def suggestions(engine: Engine, actor: Actor, text: str, store: str | None = None) -> list[WeaponSeen]:
    """Weapons whose serial number may be meant by what is typed so far, look-alikes too: those in the store, then those at
    the site, then the others. `?` and `*` stand for what can't be read. Raises NotAllowed, Invalid (store).
    """
    require(actor, READ_PEOPLE)
    asked = text.strip()
    with connected(engine) as connection:
        site = scope(connection, actor, None)
        desk = Desk(connection, actor, site, Act.ISSUE, "", b"")
        place = find_store(connection, site, store).account_id if store is not None else None
        found = beginning_like(connection, actor, asked, READ_FOR_SUGGESTIONS)
        if place is not None and len(found) < SUGGESTIONS:
            found = [*found, *_inside(connection, place, asked)]
        at_hand = _at_hand(connection, site, place, found)
        ordered = sorted(dict.fromkeys(found), key=lambda item: at_hand.get(item, 2))
        return weapons_seen(desk, ordered[:SUGGESTIONS], with_since=False)


_INSIDE = """
SELECT n.item_id FROM holding h JOIN identification n ON n.item_id = h.item_id
WHERE h.account_id = %s AND h.serial AND strpos(n.fold, %s) > 0 LIMIT %s
"""


def _inside(connection: Connection, store: UUID, text: str) -> list[UUID]:
    """Weapons in a store whose number holds what is typed: the first part may be unreadable."""
    part = fold(text)
    if len(part) < SHORTEST_PART or "?" in part or "*" in part:
        return []
    return list(connection.exec_driver_sql(_INSIDE, (store, part, SUGGESTIONS)).scalars())


_AT_HAND = """
SELECT h.item_id, CASE WHEN h.account_id = %s THEN 0 ELSE 1 END
FROM holding h JOIN account a ON a.account_id = h.account_id
WHERE h.item_id = ANY (%s) AND h.serial AND a.site_id = %s
"""


def _at_hand(connection: Connection, site: Site, store: UUID | None, found: list[UUID]) -> dict[UUID, int]:
    return {row[0]: row[1] for row in connection.exec_driver_sql(_AT_HAND, (store, found, site.site_id))}


_EQUIPMENT = """
SELECT a.name, m.name, i.lot, sum(h.quantity)::bigint
FROM account a JOIN holding h ON h.account_id = a.account_id AND NOT h.serial
JOIN item i ON i.item_id = h.item_id JOIN model m ON m.model_id = i.model_id
WHERE a.site_id = %(site)s AND CASE WHEN %(holder)s::uuid IS NULL THEN a.class = 'store' ELSE a.account_id = %(holder)s END
GROUP BY a.name, m.name, i.lot HAVING sum(h.quantity) > 0 ORDER BY a.name, m.name, i.lot
"""


def equipment(engine: Engine, actor: Actor, holder: str | None = None) -> list[EquipmentSeen]:
    """What is counted in the stores of one's site, or what a person or unit of it holds; nothing of somebody unknown. Raises
    NotAllowed.
    """
    require(actor, READ_PEOPLE)
    with connected(engine) as connection:
        site = scope(connection, actor, None)
        account = None
        if holder is not None:
            known = find_receiver(connection, site, holder, site.local_day(now()))
            if known is None or known.place is None:
                return []
            account = known.place.account_id
        rows = connection.exec_driver_sql(_EQUIPMENT, {"site": site.site_id, "holder": account})
        return [EquipmentSeen(*row) for row in rows]

"""Tracing requests and sightings as people work them off: which, from whom, what was read, what became of it. It only reads.

A donor is told of its own weapons alone: what was read, where, when and how sure, not who said so nor what else was said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.tables.tracing import IDENTIFIED, INCOMING, OUTGOING, SIGHTING
from stockpile.donors.keeping import number_of
from stockpile.donors.steps import Tracing, read_tracing
from stockpile.errors import NotAllowed, NotFound
from stockpile.reports.keyset import Keys, Page, by_day, by_text, order_asked, orders, read_page
from stockpile.reports.named import named
from stockpile.rights import DONOR, TRACE, Actor, require
from stockpile.sentences import sentence


class TracingKind(StrEnum):
    """Who asks whom."""

    INCOMING = INCOMING
    OUTGOING = OUTGOING
    SIGHTING = SIGHTING


class TracingState(StrEnum):
    """How far it is. `waiting`: an answer is proposed, and waits for a second person."""

    NEW = "new"
    UNDER_WAY = "under way"
    WAITING = "waiting for release"
    ANSWERED = "answered"
    IDENTIFIED = "identified"


@dataclass(frozen=True, slots=True)
class TracingRow:
    """One of them in a list. `asked_by`: who asks, whom we ask, or the source. `alarms`: diversion alarms that it raised.

    `number`, `asked_by`, `state` and `alarms` are None for a donor.
    """

    tracing_id: UUID
    kind: str
    number: str | None
    state: str | None
    serial_number: str | None
    serial_status: str
    model: str | None
    calibre: str | None
    place: str | None
    place_country: str | None
    found_on: date | None
    how: str | None
    confidence: str | None
    asked_by: str | None
    reference: str | None
    came_on: date | None
    recorded_at: datetime
    alarms: int | None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which are sought: those to which all applies that is said. `text`: part of the number as read."""

    kind: str | None = None
    state: str | None = None
    country: str | None = None
    item_id: UUID | None = None
    text: str | None = None


_STATE = f"""CASE
    WHEN EXISTS (SELECT FROM tracing_step s WHERE s.tracing_id = t.tracing_id
                 AND s.what IN ('answer released', 'answered', 'refused')) THEN 'answered'
    WHEN EXISTS (SELECT FROM tracing_step s WHERE s.tracing_id = t.tracing_id AND s.what = 'answer proposed'
                 AND NOT EXISTS (SELECT FROM tracing_step r WHERE r.tracing_id = s.tracing_id AND r.settles = s.step))
        THEN 'waiting for release'
    WHEN t.kind = '{SIGHTING}' AND EXISTS (SELECT FROM tracing_weapon w WHERE w.tracing_id = t.tracing_id) THEN '{IDENTIFIED}'
    WHEN EXISTS (SELECT FROM tracing_step s WHERE s.tracing_id = t.tracing_id) THEN 'under way'
    ELSE 'new' END"""

# What was said stands in the register's one line; its columns are `keeping.SAID`.
_HOST = f"""
SELECT t.tracing_id, t.tracing_id, t.kind, t.year, t.number, {_STATE}, t.serial_number, t.serial_status, t.model,
       t.calibre, t.place, t.place_country, t.found_on, t.how, t.confidence, l.cells ->> 12, l.cells ->> 13, t.came_on, t.recorded_at,
       (SELECT count(*) FROM discrepancy x WHERE x.register_id = t.register_id AND x.kind = 'diversion alarm')
FROM tracing t LEFT JOIN register_line l ON l.register_id = t.register_id AND l.line = 1
"""
_DONOR = """
SELECT t.tracing_id, t.tracing_id, t.kind, NULL::int, NULL::int, NULL, t.serial_number, t.serial_status, t.model,
       t.calibre, t.place, t.place_country, t.found_on, t.how, t.confidence, NULL, NULL, NULL::date, t.recorded_at, NULL::int
FROM tracing t
"""
_ORDER: Keys = {"t.tracing_id": UUID}
ORDERS_OF_DONOR = orders(
    _ORDER,
    kind={"t.kind": str},
    serial_number=by_text("t.serial_number"),
    place=by_text("t.place"),
    place_country=by_text("t.place_country"),
    found_on=by_day("t.found_on"),
    recorded_at={"t.recorded_at": datetime.fromisoformat},
)
ORDERS = {**ORDERS_OF_DONOR, **orders(_ORDER, came_on={"t.came_on": date.fromisoformat})}


def may_read(actor: Actor) -> None:
    """Raises NotAllowed unless the asker traces for the host, or is a donor, who sees its own."""
    if actor.role != DONOR:
        require(actor, TRACE)


def list_tracings(
    connection: Connection,
    actor: Actor,
    sought: Sought = Sought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[TracingRow]:
    """Requests and sightings in the asker's scope, the newest first, or by one of ORDERS.

    Raises NotAllowed (desks), Invalid (limit, cursor, order).
    """
    may_read(actor)
    of_donor = actor.role == DONOR
    if of_donor and sought.state is not None:
        raise NotAllowed(sentence("A donor is told what was read of its weapons, not how far a request is."))
    where = {
        "t.kind = %s": sought.kind,
        f"{_STATE} = %s": sought.state,
        "t.place_country = %s": sought.country.strip().upper() if sought.country else None,
        "t.serial_number ILIKE %s": f"%{_escaped(sought.text)}%" if sought.text else None,
        "t.tracing_id IN (SELECT w.tracing_id FROM tracing_weapon w WHERE w.item_id = %s)": sought.item_id,
    }
    by = order_asked(order, ORDERS_OF_DONOR if of_donor else ORDERS)
    question = _DONOR if of_donor else _HOST
    return read_page(connection, question, where, _ORDER, _row, limit, cursor, newest_first=True, order=by)


def _escaped(text: str) -> str:
    return text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _row(*row: Any) -> TracingRow:
    number = number_of(row[1], row[2], row[3]) if row[3] is not None else None
    return TracingRow(*(row[0], row[1], number, *row[4:14], row[14] or None, row[15] or None, *row[16:]))


@dataclass(frozen=True, slots=True)
class StepRow:
    """What was done once. `outcome`: of an answer proposed or released."""

    step: int
    what: str
    outcome: str | None
    happened_at: datetime
    done_by: str
    words: str | None
    item_id: UUID | None


@dataclass(frozen=True, slots=True)
class HeldToBe:
    """A weapon that it is held to be. `said_by` None: by the rule; for a donor always."""

    item_id: UUID
    reasons: tuple[str, ...]
    stood: str | None
    site: str | None
    said_by: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class TracingRead:
    """One of them whole. `said`, `photos` and steps are empty for a donor; `waits` for a second person to release an answer; `own`: the
    asker proposed it. `released`: an answer that can be printed.
    """

    row: TracingRow
    said: Mapping[str, str]
    photos: tuple[str, ...]
    weapons: tuple[HeldToBe, ...]
    alarms: tuple[UUID, ...]
    steps: tuple[StepRow, ...]
    waits: bool
    own: bool
    released: bool


_STEPS = f"""
SELECT s.step, s.what, coalesce(s.answer, a.answer) ->> 'outcome', s.happened_at, {named("p")}, s.words, s.item_id
FROM tracing_step s LEFT JOIN tracing_step a ON a.tracing_id = s.tracing_id AND a.step = s.settles
LEFT JOIN party p ON p.party_id = s.done_by
WHERE s.tracing_id = %s ORDER BY s.step
"""
_WEAPONS = f"""
SELECT w.item_id, w.reasons, w.stood, s.code, CASE WHEN w.said_by IS NOT NULL THEN {named("p")} END, w.recorded_at
FROM tracing_weapon w LEFT JOIN site s ON s.site_id = w.site_id LEFT JOIN party p ON p.party_id = w.said_by
WHERE w.tracing_id = %s ORDER BY w.recorded_at, w.item_id
"""
_DONOR_WEAPONS = "SELECT item_id, reasons, NULL, NULL, NULL, recorded_at FROM tracing_weapon WHERE tracing_id = %s"
_WAITING = """
SELECT p.done_by FROM tracing_step p WHERE p.tracing_id = %s AND p.what = 'answer proposed'
  AND NOT EXISTS (SELECT FROM tracing_step r WHERE r.tracing_id = p.tracing_id AND r.settles = p.step)
"""


def read_whole(connection: Connection, actor: Actor, tracing_id: UUID) -> TracingRead:
    """One request or sighting in the asker's scope. Raises NotAllowed (desks), NotFound."""
    may_read(actor)
    of_donor = actor.role == DONOR
    question = f"{_DONOR if of_donor else _HOST} WHERE t.tracing_id = %s"
    found = connection.exec_driver_sql(question, (tracing_id,)).one_or_none()
    if found is None:
        raise NotFound(sentence("There is no tracing request or sighting {tracing_id} here.", tracing_id=tracing_id))
    row = _row(*found[1:])
    rows = connection.exec_driver_sql(_DONOR_WEAPONS if of_donor else _WEAPONS, (tracing_id,))
    weapons = tuple(HeldToBe(each[0], tuple(each[1]), *each[2:]) for each in rows)
    if of_donor:
        return TracingRead(row, {}, (), weapons, (), (), False, False, False)
    whole: Tracing = read_tracing(connection, tracing_id)
    steps = tuple(StepRow(*each) for each in connection.exec_driver_sql(_STEPS, (tracing_id,)))
    waiting = connection.exec_driver_sql(_WAITING, (tracing_id,)).scalar()
    alarms = connection.exec_driver_sql(
        "SELECT discrepancy_id FROM discrepancy WHERE register_id = %s AND kind = 'diversion alarm' ORDER BY 1",
        (whole.register_id,),
    ).scalars()
    released = any(each.what == "answer released" for each in steps)
    said = {name: value for name, value in whole.said.items() if value}
    return TracingRead(
        row, said, whole.photos, weapons, tuple(alarms), steps, waiting is not None, waiting == actor.party_id, released
    )

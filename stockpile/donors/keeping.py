"""How a tracing request or a sighting is kept: its number, what was said in a register of one line that the log commits, and what is
sought by. The client's key makes a repeat known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import nobody_erased, transaction
from stockpile.db.tables.tracing import INCOMING, OUTGOING, SIGHTING
from stockpile.documents import now
from stockpile.donors.weapon_read import IncomingRequest, OutgoingRequest, Sighting, WeaponRead
from stockpile.errors import Fault, Invalid, PostedWithOtherContent
from stockpile.evidence import need_evidence
from stockpile.identity import serial_key
from stockpile.registers.keep import KeptRow, Register, keep_rows
from stockpile.rights import REGISTRAR, Actor
from stockpile.sentences import sentence
from stockpile.sites import day_on_the_walls

KIND: Mapping[type[WeaponRead], str] = {IncomingRequest: INCOMING, OutgoingRequest: OUTGOING, Sighting: SIGHTING}
SERIES: Mapping[str, str] = {INCOMING: "TRACE-IN", OUTGOING: "TRACE-OUT", SIGHTING: "SIGHTING"}
"""How the numbers of each kind begin."""

SAID = (
    "serial_number", "serial_status", "firearm_type", "model", "maker", "calibre", "country", "import_mark", "other_marks",
    "place", "place_country", "found_on", "asked_by", "reference", "contact", "circumstances", "illicit_because",
    "intended_use", "how", "confidence", "came_on",
)  # fmt: skip
"""The columns of the register, in their order. Words that may name people stand there alone, where an erasure finds them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A request or a sighting that was kept: its number, and the register that the log commits."""

    tracing_id: UUID
    kind: str
    number: str
    register_id: UUID
    recorded_at: datetime
    again: bool = False


def number_of(kind: str, year: int, number: int) -> str:
    """Its number as people say it."""
    return f"{SERIES[kind]}/{year}/{number}"


def tracing(engine: Engine) -> Any:
    """A transaction that writes requests and sightings: of no site, so that no desk reads them."""
    return transaction(engine, roles.REGISTRAR)


def as_tracer(actor: Actor) -> Actor:
    """Who looks into the books of the whole country for a desk that reports a sighting, and tells the desk nothing of it."""
    return Actor(actor.party_id, REGISTRAR)


_KNOWN = "SELECT kind, year, number, register_id, recorded_at, content_hash FROM tracing WHERE tracing_id = %s"


def kept_before(connection: Connection, request: WeaponRead) -> Kept | None:
    """What was kept under its key. Raises PostedWithOtherContent."""
    row = connection.exec_driver_sql(_KNOWN, (request.tracing_id,)).one_or_none()
    if row is None:
        return None
    if bytes(row[5]) != request.content_hash():
        raise PostedWithOtherContent(
            sentence(
                "{tracing_id} was kept before with other content. Take a new id for what is new.",
                tracing_id=request.tracing_id,
            )
        )
    return Kept(request.tracing_id, row[0], number_of(*row[:3]), row[3], row[4], again=True)


def keep(connection: Connection, actor: Actor, request: WeaponRead) -> Kept:
    """Keeps it. One after the other, so that numbers have no gaps. Raises Invalid (photos, days), PostedWithOtherContent."""
    nobody_erased(connection)
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended('stockpile tracing', 0))")
    known = kept_before(connection, request)
    if known is not None:
        return known
    need_evidence(request.photos, "photos", sentence("It was not kept: what is attached is no evidence."))
    kind, recorded_at = KIND[type(request)], now()
    today = day_on_the_walls(connection, actor.time_zone, recorded_at)
    came_on = _came_on(request, today)
    number = connection.exec_driver_sql(
        "SELECT 1 + coalesce(max(number), 0) FROM tracing WHERE kind = %s AND year = %s", (kind, today.year)
    ).scalar_one()
    named = number_of(kind, today.year, number)
    register_id = _keep_words(connection, actor, request, named, kind, recorded_at, came_on)
    _insert(connection, actor, request, kind, (today.year, number), register_id, recorded_at, came_on)
    return Kept(request.tracing_id, kind, named, register_id, recorded_at)


def _came_on(request: WeaponRead, today: date) -> date:
    came_on: date = getattr(request, "came_on", None) or today
    if came_on > today:
        fault = Fault(sentence("is still to come"), field="came_on", value=str(came_on))
        raise Invalid(sentence("It was not kept: see the fields marked below."), [fault])
    return came_on


def said_of(request: WeaponRead, came_on: date) -> tuple[str, ...]:
    """What was said, as the cells of a line."""
    said = {**request.model_dump(mode="json"), "serial_status": request.serial_status, "came_on": came_on}
    return tuple("" if said.get(name) is None else str(said[name]) for name in SAID)


def _keep_words(
    connection: Connection,
    actor: Actor,
    request: WeaponRead,
    named: str,
    kind: str,
    recorded_at: datetime,
    came_on: date,
) -> UUID:
    register = Register(kind, named, None, None, recorded_at, SAID)
    serial = request.serial_number
    row = KeptRow(1, said_of(request, came_on), serial_number=serial, serial_key=serial_key(serial) if serial else None)
    keep_rows(connection, actor.party_id, register, [row])
    return register.register_id


def _insert(
    connection: Connection,
    actor: Actor,
    request: WeaponRead,
    kind: str,
    number: tuple[int, int],
    register_id: UUID,
    recorded_at: datetime,
    came_on: date,
) -> None:
    row = {
        "tracing_id": request.tracing_id, "kind": kind, "year": number[0], "number": number[1], "register_id": register_id,
        "serial_number": request.serial_number, "serial_status": request.serial_status, "model": request.model, "maker": request.maker,
        "calibre": request.calibre, "country": request.country, "place": request.place, "place_country": request.place_country,
        "found_on": request.found_on, "confidence": getattr(request, "confidence", None), "how": getattr(request, "how", None),
        "photos": Jsonb(list(request.photos)), "came_on": came_on, "recorded_by": actor.party_id, "recorded_at": recorded_at,
        "content_hash": request.content_hash(),
    }  # fmt: skip
    connection.exec_driver_sql(
        f"INSERT INTO tracing ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", tuple(row.values())
    )

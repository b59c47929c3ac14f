"""Seals: a container is sealed over a list of the weapons in it, read just before. While its seal is unbroken the list counts as
seen without opening it; a broken or unknown seal never does. A seal moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from psycopg.errors import UniqueViolation
from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from stockpile import items
from stockpile.acts.perform import scope
from stockpile.db.engine import connected
from stockpile.documents import Asked, Code, ItemLine, Scan, now, of_a_book_year
from stockpile.errors import Fault, Invalid, NotFound, PostedWithOtherContent, Reason, Refused
from stockpile.identity import serial_key
from stockpile.items import Held
from stockpile.keys import new_key
from stockpile.rights import COUNT, Actor, require
from stockpile.scans import candidates
from stockpile.sentences import sentence
from stockpile.sites import Place, Site, find_store

Moment = Annotated[AwareDatetime, AfterValidator(of_a_book_year)]


class SealContainer(Asked):
    """Seal a container over the weapons in it: as scanned now, or as an earlier count read them in that container."""

    seal_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    number: Code = Field(description="The number on the seal", examples=["S-004411"])
    store: Code | None = Field(None, description="In which store it stands; left out: the site's only one")
    container: Code | None = Field(None, description="What is written on the container", examples=["Crate 12"])
    weapons: Annotated[tuple[Scan, ...], Field(max_length=500)] = Field(
        (), description="Asset tag, serial number or UII of each weapon in it", examples=[["KT 449921"]]
    )
    count_id: UUID | None = Field(None, description="Or: the weapons that this count read in the container")

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if bool(self.weapons) == (self.count_id is not None):
            raise ValueError(sentence("give either weapons or count_id"))
        if self.count_id is not None and self.container is None:
            raise ValueError(sentence("of a count's lines name the container"))
        return self


class BreakSeal(Asked):
    """Say that a seal was found broken, or was broken to open the container."""

    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    number: Code = Field(description="The number on the seal", examples=["S-004411"])
    broken_at: Moment | None = Field(None, description="When, with its offset from UTC; left out: now")


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal with the weapons under it."""

    seal_id: UUID
    number: str
    account_id: UUID
    container: str | None
    sealed_at: datetime
    broken_at: datetime | None
    items: tuple[UUID, ...]


_SEALS = """
SELECT l.seal_key, l.seal_id, l.number, l.account_id, l.container, l.sealed_at, l.broken_at,
       ARRAY(SELECT i.item_id FROM seal_line i WHERE i.seal_id = l.seal_id ORDER BY i.item_id)
FROM seal l WHERE l.site_id = %s AND l.seal_key = ANY (%s)
"""


def find_seals(connection: Connection, site: Site, numbers: Sequence[str]) -> dict[str, Seal]:
    """The seals of these numbers at a site, however they are written; unknown ones are absent."""
    keys = {number: serial_key(number) for number in numbers}
    rows = connection.exec_driver_sql(_SEALS, (site.site_id, list(set(keys.values()))))
    found = {row[0]: Seal(*(*row[1:7], tuple(row[7]))) for row in rows}
    return {number: found[key] for number, key in keys.items() if key in found}


def why_not_seen(seal: Seal | None, moment: datetime) -> str | None:
    """Why a seal says nothing of what was under it at a moment; None: it was on, and unbroken."""
    if seal is None:
        return sentence("nobody knows this seal: open the container and count it by serial number")
    if seal.broken_at is not None and seal.broken_at <= moment:
        return sentence(
            "it was broken at {broken_at:%Y-%m-%d %H:%M}Z: open the container and count it by serial number",
            broken_at=seal.broken_at,
        )
    if seal.sealed_at > moment:
        return sentence(
            "it was not on yet: the container was sealed at {sealed_at:%Y-%m-%d %H:%M}Z", sealed_at=seal.sealed_at
        )
    return None


def need_unbroken(connection: Connection, site: Site, numbers: Sequence[str]) -> list[Seal]:
    """The seals of these numbers, all unbroken now. Raises Invalid, naming each that is not."""
    known, moment = find_seals(connection, site, numbers), now()
    why = {number: why_not_seen(known.get(number), moment) for number in numbers}
    faults = [Fault(reason, field="seals", value=number) for number, reason in why.items() if reason]
    if faults:
        raise Invalid(sentence("{count} seal(s) say nothing of what is under them.", count=len(faults)), faults)
    return [known[number] for number in numbers]


def seal_container(engine: Engine, actor: Actor, request: SealContainer) -> UUID:
    """Keeps a seal with its list; its key. The same seal again is kept once.

    Raises NotAllowed, NotFound (the count), Invalid (number, store, a container that the count read nothing in), Refused (one
    reason a weapon that the books do not have there), PostedWithOtherContent (the number is in use).
    """
    require(actor, COUNT)
    try:
        with connected(engine) as connection:
            site = scope(connection, actor, request.site)
            return _seal(connection, actor, site, request)
    except IntegrityError as problem:
        if not isinstance(problem.orig, UniqueViolation):
            raise
        raise PostedWithOtherContent(
            sentence("This seal was kept before: take a new id, and the number that is on the seal.")
        ) from None


def _seal(connection: Connection, actor: Actor, site: Site, request: SealContainer) -> UUID:
    key = serial_key(request.number)
    if not key:
        raise Invalid(
            sentence("The container was not sealed."),
            [Fault(sentence("no letter and no digit"), field="number", value=request.number)],
        )
    store = find_store(connection, site, request.store)
    listed: Sequence[str | UUID] = request.weapons or _read_in(connection, request)
    known = find_seals(connection, site, [request.number]).get(request.number)
    if known is not None and known.seal_id != request.seal_id:
        raise PostedWithOtherContent(
            sentence("{site} had a seal {known} before: a number is used once.", site=site.code, known=known.number)
        )
    lines = [ItemLine(item=one) if isinstance(one, UUID) else ItemLine(scan=one) for one in listed]
    meant = candidates(connection, lines)
    if known is not None:
        same = len(known.items) == len(meant) and all(set(known.items) & set(several) for several in meant)
        if (known.account_id, known.container, same) != (store.account_id, request.container, True):
            raise PostedWithOtherContent(
                sentence("Seal {known} was kept before with other content.", known=known.number)
            )
        return known.seal_id
    held = _in_the_store(connection, lines, meant, store)
    connection.exec_driver_sql(
        """INSERT INTO seal (seal_id, site_id, number, seal_key, account_id, container, count_id, sealed_at, sealed_by)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            request.seal_id, site.site_id, request.number, key, store.account_id, request.container, request.count_id, now(),
            actor.party_id,
        ),
    )  # fmt: skip
    connection.exec_driver_sql(
        "INSERT INTO seal_line (seal_id, site_id, item_id) SELECT %s, %s, * FROM unnest(%s::uuid[])",
        (request.seal_id, site.site_id, sorted(held)),
    )
    return request.seal_id


_READ_IN = """
SELECT l.item_id FROM count_line l WHERE l.count_id = %s AND l.again_of IS NULL AND l.item_id IS NOT NULL
  AND upper(l.container) = upper(%s) ORDER BY l.line
"""


def _read_in(connection: Connection, request: SealContainer) -> Sequence[UUID]:
    if not connection.exec_driver_sql("SELECT 1 FROM physical_count WHERE count_id = %s", (request.count_id,)).first():
        raise NotFound(sentence("There is no count {count_id} here.", count_id=request.count_id))
    found = connection.exec_driver_sql(_READ_IN, (request.count_id, request.container)).scalars().all()
    if not found:
        fault = Fault(sentence("the count read no weapon in it"), field="container", value=request.container)
        raise Invalid(sentence("The container was not sealed."), [fault])
    return found


def _in_the_store(
    connection: Connection, lines: Sequence[ItemLine], meant: Sequence[Sequence[UUID]], store: Place
) -> dict[UUID, Held]:
    """The weapons that are named, all in the store by the books. Raises Refused, with a reason for each that is not."""
    held = items.whereabouts(connection, {item_id for several in meant for item_id in several}, lock=False)
    found: dict[UUID, Held] = {}
    reasons = []
    for number, (line, several) in enumerate(zip(lines, meant, strict=True), 1):
        there = [one for one in several if held[one].serial and held[one].where.account_id == store.account_id]
        if len(there) == 1 and there[0] not in found:
            found[there[0]] = held[there[0]]
            continue
        if there:
            why, where = (
                ("named twice", None) if len(there) == 1 else ("several bear this number: scan the asset tag", None)
            )
        elif several:
            why, where = f"the books do not have it in {store.name}", held[several[0]].where.name
        else:
            why, where = "unknown: nothing in the books bears this number", None
        name = held[several[0]].name if several else line.named
        reasons.append(Reason(number, name, why, where))
    if reasons:
        raise Refused(
            sentence("The container was not sealed: {count} weapon(s) cannot be under the seal.", count=len(reasons)),
            reasons,
        )
    return found


def break_seal(engine: Engine, actor: Actor, request: BreakSeal) -> UUID:
    """Marks a seal as broken; its key. What is broken stays so: said again it changes nothing.

    Raises NotAllowed, NotFound, Invalid (a time to come, or before it was on).
    """
    require(actor, COUNT)
    with connected(engine) as connection:
        site = scope(connection, actor, request.site)
        seal = find_seals(connection, site, [request.number]).get(request.number)
        if seal is None:
            raise NotFound(sentence("{site} has no seal {number!r}.", site=site.code, number=request.number))
        recorded_at = now()
        broken_at = request.broken_at or recorded_at
        if not seal.sealed_at <= broken_at <= recorded_at:
            why = (
                sentence("is still to come")
                if broken_at > recorded_at
                else sentence("it was not on before {sealed_at:%Y-%m-%d %H:%M}Z", sealed_at=seal.sealed_at)
            )
            raise Invalid(
                sentence("The seal was not changed."), [Fault(why, field="broken_at", value=broken_at.isoformat())]
            )
        if seal.broken_at is None:
            connection.exec_driver_sql(
                "UPDATE seal SET broken_at = %s, broken_by = %s WHERE seal_id = %s",
                (broken_at, actor.party_id, seal.seal_id),
            )
        return seal.seal_id

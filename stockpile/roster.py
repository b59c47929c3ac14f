"""Rosters: the people of a site from a list, again and again. New people are added, changed ones get a new version of their name
or a new membership, those gone get an end date; nobody is deleted, and nobody's weapons move.

The file is kept as a register by its SHA-256 and its rows' reasons alone: what can never be changed must not hold names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from stockpile.db.engine import one_writer
from stockpile.documents import Code, now
from stockpile.errors import Fault, Invalid, Refused
from stockpile.parties import add_people, bring_people, move_people, rename_all
from stockpile.registers.keep import KeptRow, Register, keep_rows
from stockpile.registers.listing import ROWS_IN_MESSAGE, ListFile
from stockpile.registers.roster_list import ROSTER, RosterList, RosterRow, read_roster
from stockpile.rights import KEEP_REFERENCE, Actor, require
from stockpile.roster_changes import Change, Changes, Kind, compare
from stockpile.sentences import sentence
from stockpile.sites import Site, find_site

SHOWN = 500
"""So many changes, remarks and holders stand in an answer; the counts are of all."""
WEAPONS_SHOWN = 20


class RosterRequest(BaseModel):
    """Bring the people of a site up to a roster."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: Code = Field(description="Whose roster it is: site code", examples=["TAJI"])
    file: ListFile
    as_of: date | None = Field(None, ge=date(1900, 1, 1), description="The day it was drawn up; left out: today")
    dry_run: bool = Field(False, description="Only say what would change")
    confirm_gone: int | None = Field(
        None,
        ge=0,
        le=10_000_000,
        description="How many people go, as the dry run said; needed where it is more than half of them",
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows, and of the people of the site."""

    rows: int
    new: int
    moved_here: int
    back: int
    changed: int
    unchanged: int
    gone: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class RowRemark:
    """What is to be said of a row."""

    row: int
    remark: str


@dataclass(frozen=True, slots=True)
class StillHolding:
    """A person who is gone or moved and still holds weapons at a site; `holds` counts them all, `weapons` names the first."""

    service_number: str
    name: str
    site: str
    holds: int
    weapons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a roster changed, or in a dry run would change. `changes` begins with those gone; `confirm_gone` is the number to
    confirm, where that is needed.
    """

    register_id: UUID | None
    site: str
    as_of: date
    dry_run: bool
    sha256: str
    counts: Counts
    confirm_gone: int | None
    changes: tuple[Change, ...]
    still_holding: tuple[StillHolding, ...]
    doubts: tuple[RowRemark, ...]
    set_aside: tuple[RowRemark, ...]


def import_roster(connection: Connection, actor: Actor, request: RosterRequest) -> Imported:
    """Imports a roster as a registrar, or only says what it would change.

    Raises NotFound (site, file), UnreadableFile, Invalid (columns; the day; rows that can't be read, unless they may be
    set aside), Refused (too many would go, and nobody confirmed that).
    """
    require(actor, KEEP_REFERENCE)
    site = find_site(connection, request.site)
    vouched = None if request.dry_run else actor.party_id
    roster = read_roster(connection, request.file, site.code, vouched)
    one_writer(connection)
    day = _day(connection, site, request.as_of)
    changes = compare(connection, site, roster, day)
    register_id = None
    if not request.dry_run:
        _refuse_unreadable(request, roster)
        _refuse_unconfirmed(request, site, changes)
        _apply(connection, site, changes, day)
        register_id = _keep(connection, actor, site, request, roster, day)
    return _answer(connection, site, request, roster, changes, day, register_id)


def _day(connection: Connection, site: Site, given: date | None) -> date:
    """The roster's day: not in the future, not before the last roster of the site."""
    today = site.local_day(now())
    day = given or today
    last = connection.exec_driver_sql(
        "SELECT max(as_of) FROM register WHERE kind = %s AND site_id = %s", (ROSTER.name, site.site_id)
    ).scalar_one()
    fault = None
    if day > today:
        fault = sentence("is in the future: it is {today} at {site}", today=today, site=site.code)
    elif last is not None and day < site.local_day(last):
        fault = sentence("a later roster, of {last}, is in the books already", last=site.local_day(last))
    if fault:
        raise Invalid(
            sentence("The roster was not imported: {fault}.", fault=fault),
            [Fault(fault, field="as_of", value=str(day))],
        )
    return day


def _refuse_unreadable(request: RosterRequest, roster: RosterList) -> None:
    rejected = [row for row in roster.rows if row.reason is not None]
    if rejected and not request.file.set_aside:
        raise Invalid(
            sentence(
                "The roster was not imported: {count} of {rows} rows cannot be taken. Mend them, or set them aside.",
                count=len(rejected),
                rows=len(roster.rows),
            ),
            [
                Fault(row.reason or "", row=row.number, value=row.service_number or None)
                for row in rejected[:ROWS_IN_MESSAGE]
            ],
        )
    if len(rejected) == len(roster.rows):
        raise Invalid(sentence("The roster was not imported: no row of it can be taken."))


def _to_confirm(changes: Changes) -> int | None:
    """How many people go of whom no row says so, where that takes a confirmation: more than half, or perhaps somebody of a row set
    aside.
    """
    gone = sum(change.because is None for change in changes.of(Kind.GONE))
    return gone if gone and (gone * 2 > changes.expected or changes.nameless) else None


def _refuse_unconfirmed(request: RosterRequest, site: Site, changes: Changes) -> None:
    needed = _to_confirm(changes)
    if needed is None or needed == request.confirm_gone:
        return
    rows = ", ".join(str(row) for row in changes.nameless[:10])
    perhaps = sentence(" Row {rows}, set aside, may be one of them.", rows=rows) if rows else ""
    raise Refused(
        sentence(
            "The roster was not imported: {needed} of {expected} people of {site} are not on it and "
            "would go.{perhaps} If that is so, confirm it: confirm_gone {needed}.",
            needed=needed,
            expected=changes.expected,
            site=site.code,
            perhaps=perhaps,
        )
    )


def _apply(connection: Connection, site: Site, changes: Changes, day: date) -> None:
    add_people(connection, changes.new, site)
    bring_people(connection, changes.brought, site)
    rename_all(connection, changes.renamed)
    move_people(connection, changes.movements, day)


def _keep(
    connection: Connection, actor: Actor, site: Site, request: RosterRequest, roster: RosterList, day: date
) -> UUID:
    moment = now()
    if day < site.local_day(moment):
        moment = datetime.combine(day, time(), ZoneInfo(site.time_zone))
    register = Register(ROSTER.name, f"Roster of {site.code}, {day}", site.site_id, request.file, moment)
    rows = [KeptRow(row.number, (), row.reason, row.doubts) for row in sorted(roster.rows, key=lambda row: row.number)]
    keep_rows(connection, actor.party_id, register, rows)
    return register.register_id


def _answer(
    connection: Connection,
    site: Site,
    request: RosterRequest,
    roster: RosterList,
    changes: Changes,
    day: date,
    register_id: UUID | None,
) -> Imported:
    rejected = [row for row in roster.rows if row.reason is not None]
    doubtful = [row for row in roster.rows if row.reason is None and row.doubts]
    leaving = [change for change in changes.all if change.kind in (Kind.GONE, Kind.MOVED)]
    return Imported(
        register_id,
        site.code,
        day,
        request.dry_run,
        request.file.sha256,
        Counts(
            len(roster.rows),
            len(changes.of(Kind.NEW)),
            len(changes.of(Kind.MOVED)),
            len(changes.of(Kind.BACK)),
            len(changes.of(Kind.CHANGED)),
            changes.unchanged,
            len(changes.of(Kind.GONE)),
            len(rejected),
        ),
        _to_confirm(changes),
        tuple(changes.all[:SHOWN]),
        tuple(_still_holding(connection, site, leaving)),
        _remarks((row, "; ".join(row.doubts)) for row in doubtful[:SHOWN]),
        _remarks((row, row.reason or "") for row in rejected[:SHOWN]),
    )


def _remarks(said: Iterable[tuple[RosterRow, str]]) -> tuple[RowRemark, ...]:
    return tuple(RowRemark(row.number, remark) for row, remark in said)


_HOLDINGS = """
SELECT a.party_id, s.site_id, s.code, sum(h.quantity)::bigint,
       (array_agg(concat_ws(' ', m.name, n.serial_number) ORDER BY m.name, n.serial_number))[1:%s]
FROM account a JOIN site s USING (site_id) JOIN holding h USING (account_id) JOIN item i USING (item_id)
JOIN model m ON m.model_id = i.model_id
LEFT JOIN LATERAL identified(h.item_id) n ON true
WHERE a.class = 'person' AND a.party_id = ANY (%s)
GROUP BY a.party_id, s.site_id, s.code ORDER BY s.code, a.party_id
"""


def _still_holding(connection: Connection, site: Site, leaving: Sequence[Change]) -> Iterable[StillHolding]:
    """What those gone still hold anywhere, and what those who moved here still hold elsewhere."""
    of = {change.party_id: change for change in leaving}
    held = connection.exec_driver_sql(_HOLDINGS, (WEAPONS_SHOWN, list(of))).all() if of else []
    found = 0
    for party_id, site_id, code, count, weapons in held:
        change = of[party_id]
        if (change.kind is Kind.GONE or site_id != site.site_id) and found < SHOWN:
            found += 1
            yield StillHolding(change.service_number, change.name, code, count, tuple(weapons))

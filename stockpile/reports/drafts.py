"""What waits for a second party, and what became of it: of one's own site, or of all for those bound to none. It only reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import NotFound
from stockpile.reports.described import Described, described
from stockpile.reports.keyset import Keys, Page, by_moment, by_text, order_asked, orders, read_page
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.reports.standing import Standing, standings
from stockpile.rights import APPROVE, READ_PEOPLE, RIGHTS, Actor, require
from stockpile.scans import look_up
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft in a list. `own`: the asker drafted it, and so cannot approve it. `outcome` None: it waits."""

    document_id: UUID
    site: str
    act: str
    drafted_by: str
    own: bool
    drafted_at: datetime
    outcome: str | None
    settled_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class DraftRead:
    """A draft with what was asked for."""

    draft: DraftRow
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sought:
    """Which drafts are sought: those to which all apply that is said. `own`: those of the asker, or those of others."""

    waiting: bool | None = True
    own: bool | None = None
    act: str | None = None
    site: str | None = None


_COLUMNS = f"""d.document_id, s.code, d.act, {named("p")}, d.drafted_by = %s, d.drafted_at, d.outcome, d.settled_at, d.reason"""
_FROM = "FROM draft d JOIN site s ON s.site_id = d.site_id LEFT JOIN party p ON p.party_id = d.drafted_by"
_ORDER: Keys = {"d.document_id": UUID}
ORDERS = orders(
    _ORDER,
    act=by_text("d.act"),
    site=by_text("s.code"),
    drafted_by=by_text("concat_ws(' ', p.rank, p.name)"),
    drafted_at=by_moment("d.drafted_at"),
    outcome=by_text("d.outcome"),
    reason=by_text("d.reason"),
)


def list_drafts(
    connection: Connection,
    actor: Actor,
    sought: Sought = Sought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[DraftRow]:
    """The drafts in the asker's scope, the oldest first. Raises NotAllowed, NotFound (site), Invalid (limit, cursor, order)."""
    require(actor, READ_PEOPLE)
    where = {
        "(d.outcome IS NULL) = %s": sought.waiting,
        "d.drafted_by = %s": actor.party_id if sought.own else None,
        "d.drafted_by <> %s": actor.party_id if sought.own is False else None,
        "d.act = %s": sought.act,
        "d.site_id = %s": site_asked(connection, actor, sought.site),
    }
    question = f"SELECT d.document_id, {_COLUMNS} {_FROM}"
    by = order_asked(order, ORDERS)
    return read_page(connection, question, where, _ORDER, DraftRow, limit, cursor, (actor.party_id,), order=by)


def read_draft(connection: Connection, actor: Actor, document_id: UUID) -> DraftRead:
    """One draft in the asker's scope. Raises NotAllowed, NotFound."""
    require(actor, READ_PEOPLE)
    row = connection.exec_driver_sql(
        f"SELECT {_COLUMNS}, d.request {_FROM} WHERE d.document_id = %s", (actor.party_id, document_id)
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no draft {document_id} here.", document_id=document_id))
    return DraftRead(DraftRow(*row[:9]), row[9])


NAMES_FILES = frozenset({"attachments", "scan_sha256", "sha256"})
"""Fields of a request that name stored files: photos, the scan of a paper or of a consent, a list."""


def files_named(request: Mapping[str, Any]) -> tuple[str, ...]:
    """The files that a request names, each once, by their SHA-256."""
    return tuple(dict.fromkeys(_files_in(request)))


def _files_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, within in value.items():
            if name in NAMES_FILES and within:
                yield from [within] if isinstance(within, str) else within
            else:
                yield from _files_in(within)
    elif isinstance(value, list):
        for one in value:
            yield from _files_in(one)


def may_judge(actor: Actor, draft: DraftRow) -> bool:
    """Whether a draft waits for the asker's answer: it is another's, and the asker's role approves."""
    return draft.outcome is None and not draft.own and actor.role in RIGHTS[APPROVE]


_NAMING = """
SELECT d.request FROM draft d WHERE d.outcome IS NULL AND d.drafted_by <> %s AND strpos(d.request::text, %s) > 0
"""


def waits_with_file(connection: Connection, actor: Actor, sha256: str) -> bool:
    """Whether a draft that names a file waits for the asker's answer, in the asker's scope."""
    if actor.role not in RIGHTS[APPROVE]:
        return False
    drafts = connection.exec_driver_sql(_NAMING, (actor.party_id, sha256)).scalars()
    return any(sha256 in files_named(request) for request in drafts)


@dataclass(frozen=True, slots=True)
class WeaponMeant:
    """What a line of a draft means now: the one item that its key or scan leads to, with where it stands."""

    item: Described
    standings: tuple[Standing, ...]


def weapons_meant(connection: Connection, actor: Actor, lines: Sequence[Mapping[str, Any]]) -> list[WeaponMeant | None]:
    """For each line of a request the item it means, as the books stand now; None where it names none, or several bear the number:
    whoever approves has the draft judged anew.
    """
    by_scan = look_up(connection, {str(line["scan"]) for line in lines if line.get("scan")})
    found = [
        UUID(str(line["item"])) if line.get("item") else _only(by_scan.get(str(line.get("scan")), [])) for line in lines
    ]
    wanted = [item for item in found if item is not None]
    known, stood = described(connection, actor, wanted), standings(connection, actor, wanted)
    return [WeaponMeant(known[item], stood.get(item, ())) if item in known else None for item in found]


def _only(items: Sequence[UUID]) -> UUID | None:
    return items[0] if len(items) == 1 else None

"""Reading drafts: what one party asked for, and what became of it. `acts.perform` writes and settles them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile.acts.perform import scope
from stockpile.db.engine import connected
from stockpile.errors import NotFound
from stockpile.reports.keyset import Page, read_page
from stockpile.reports.named import named
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class DraftShown:
    """A draft as people read it: the act, what was asked for, by whom, and how it was settled."""

    document_id: UUID
    act: str
    request: dict[str, Any]
    drafted_by: str | None
    drafted_at: datetime
    outcome: str | None
    settled_at: datetime | None
    reason: str | None


_COLUMNS = f"""d.document_id, d.act, d.request,
       {named("p")},
       d.drafted_at, d.outcome, d.settled_at, d.reason"""
_DRAFT = f"SELECT {_COLUMNS} FROM draft d LEFT JOIN party p ON p.party_id = d.drafted_by"
_DRAFTS = f"SELECT d.document_id, {_COLUMNS} FROM draft d LEFT JOIN party p ON p.party_id = d.drafted_by"


def waiting(
    connection: Connection, actor: Actor, site: str | None = None, limit: int = 100, cursor: str | None = None
) -> Page[DraftShown]:
    """The drafts of a site that wait for a second party, the oldest first. Raises Invalid (site, limit, cursor)."""
    require(actor, READ_PEOPLE)
    where = {"d.site_id = %s AND d.outcome IS NULL": scope(connection, actor, site).site_id}
    return read_page(connection, _DRAFTS, where, {"d.document_id": UUID}, DraftShown, limit, cursor)


def read(engine: Engine, actor: Actor, document_id: UUID, site: str | None = None) -> DraftShown:
    """One draft of a site. Raises NotFound."""
    require(actor, READ_PEOPLE)
    with connected(engine) as connection:
        at = scope(connection, actor, site)
        row = connection.exec_driver_sql(
            f"{_DRAFT} WHERE d.site_id = %s AND d.document_id = %s", (at.site_id, document_id)
        ).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no draft {document_id} at {at}.", document_id=document_id, at=at.code))
    return DraftShown(*row)

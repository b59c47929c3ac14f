"""Alerts as their readers see them: the host's, of one site for its commander; a donor its own. It only reads."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.alerts.kinds import kinds_for, link_of, sentence_of
from stockpile.errors import NotFound
from stockpile.reports.keyset import (
    Keys,
    Page,
    by_moment,
    by_number,
    by_text,
    order_asked,
    orders,
    read_page,
    spellings,
)
from stockpile.reports.scope import site_asked
from stockpile.rights import DONOR, READ_ALERTS, Actor, require
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert. `number` is its reader's own; `found_at`: when it was told first; `link`: the page of its rows."""

    alert_id: UUID
    number: int
    kind: str
    site: str | None
    happened_at: datetime
    found_at: datetime
    sentence: str
    link: str


@dataclass(frozen=True, slots=True)
class Sought:
    """Which alerts are sought: those to which all applies that is said. `text`: part of what it is about."""

    kind: str | None = None
    site: str | None = None
    since: datetime | None = None
    text: str | None = None
    kinds: Collection[str] = ()


_ALERTS = """
SELECT a.found_at, a.alert_id, a.alert_id, a.number, a.kind, s.code, a.happened_at, a.found_at, a.about
FROM alert a LEFT JOIN site s ON s.site_id = a.site_id
"""
_NEWEST: Keys = {"a.found_at": datetime.fromisoformat, "a.alert_id": UUID}
ORDERS = orders(
    {"a.alert_id": UUID},
    number=by_number("a.number"),
    kind=by_text("a.kind"),
    site=by_text("s.code"),
    happened_at=by_moment("a.happened_at"),
    found_at=by_moment("a.found_at"),
)


def list_alerts(
    connection: Connection,
    actor: Actor,
    sought: Sought = Sought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[AlertRow]:
    """The alerts in the asker's scope, the newest first, or by one of ORDERS. Raises NotAllowed, NotFound (site), Invalid (limit, cursor,
    order).
    """
    require(actor, READ_ALERTS)
    shown = [kind for kind in kinds_for(actor.role) if not sought.kinds or kind in sought.kinds]
    where = {
        "a.kind = ANY (%s)": shown,
        "a.kind = %s": sought.kind,
        "a.site_id = %s": site_asked(connection, actor, sought.site) if sought.site else None,
        "a.found_at >= %s": sought.since,
        "a.about::text ILIKE ANY (%s)": spellings(sought.text),
    }
    by = order_asked(order, ORDERS)
    return read_page(connection, _ALERTS, where, _NEWEST, _row_for(actor), limit, cursor, newest_first=True, order=by)


def read_alert(connection: Connection, actor: Actor, alert_id: UUID) -> AlertRow:
    """One alert in the asker's scope. Raises NotAllowed, NotFound."""
    require(actor, READ_ALERTS)
    found = read_page(
        connection,
        _ALERTS,
        {"a.alert_id = %s": alert_id, "a.kind = ANY (%s)": list(kinds_for(actor.role))},
        _NEWEST,
        _row_for(actor),
        1,
        None,
    ).rows
    if not found:
        raise NotFound(sentence("There is no such alert, or it is not yours to read."))
    return found[0]


def _row_for(actor: Actor) -> Callable[..., AlertRow]:
    of_donor = actor.role == DONOR

    def row(*found: Any) -> AlertRow:
        key, number, kind, site, happened_at, found_at, about = found
        told, link = sentence_of(kind, about), link_of(kind, about, of_donor)
        return AlertRow(key, number, kind, site, happened_at, found_at, told, link)

    return row

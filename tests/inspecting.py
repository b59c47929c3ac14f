"""Inspecting in the stories: visits of a donor's inspectors and reports of holders, and what was found, in a line each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from stockpile.documents import now
from stockpile.donors.dispositions import ReportDispositions, report_dispositions
from stockpile.donors.statements import StatementWritten
from stockpile.donors.visits import PlanVisit, RecordVisit, RefuseVisit, plan_visit, record_visit, refuse_visit
from stockpile.reports.visits import VisitLineRow, VisitShown, list_visit_lines, read_visit
from stockpile.rights import reading
from tests.world import Country

VISIT: dict[str, Any] = {"number": "EUM-1", "site": "TAJI", "inspectors": ["Maj. Ana Reyes"]}


def scanned(*read: str | tuple[str, datetime]) -> list[dict[str, Any]]:
    """Lines as they are sent: a number, or a number with its moment."""
    return [{"scan": one} if isinstance(one, str) else {"scan": one[0], "read_at": one[1].isoformat()} for one in read]


def planned(country: Country, who: str = "USA", **more: Any) -> StatementWritten:
    """A plan of a visit."""
    request = PlanVisit.model_validate({**VISIT, "planned_on": "2099-12-15", **more})
    return plan_visit(country.engine, country.actors[who], request)


def visited(country: Country, *read: str | tuple[str, datetime], who: str = "USA", **more: Any) -> StatementWritten:
    """A visit that began an hour ago and ends now."""
    moment = now()
    times = {"began_at": (moment - timedelta(hours=1)).isoformat(), "ended_at": moment.isoformat()}
    request = RecordVisit.model_validate({**VISIT, **times, "lines": scanned(*read), **more})
    return record_visit(country.engine, country.actors[who], request)


def turned_away(country: Country, who: str = "USA", **more: Any) -> StatementWritten:
    """A visit that was refused."""
    refused = {"refused_on": "2026-03-01", "refused_by": "The duty officer", "why": "No clearance from the ministry"}
    return refuse_visit(country.engine, country.actors[who], RefuseVisit.model_validate({**VISIT, **refused, **more}))


def reported(country: Country, *lines: dict[str, Any], who: str = "clerk", **more: Any) -> StatementWritten:
    """A holder's report to the USA."""
    request = {"donor": "USA", "number": "1COY-1", "unit": "1COY", "lines": lines, **more}
    return report_dispositions(country.engine, country.actors[who], ReportDispositions.model_validate(request))


def shown(country: Country, statement_id: UUID, who: str = "USA") -> VisitShown:
    """A visit as somebody reads it."""
    with reading(country.engine, country.actors[who]) as connection:
        return read_visit(connection, country.actors[who], statement_id)


def rows(country: Country, statement_id: UUID, who: str = "USA", **sought: Any) -> tuple[VisitLineRow, ...]:
    """Its lines."""
    with reading(country.engine, country.actors[who]) as connection:
        return list_visit_lines(connection, country.actors[who], statement_id, limit=1000, **sought).rows


def found(
    country: Country, statement_id: UUID, who: str = "USA"
) -> list[tuple[str | None, str, str | None, str | None]]:
    """What differs: number, finding, where the ledger had it."""
    return [
        (row.read or row.serial_number, row.finding, row.stood, row.stood_site)
        for row in rows(country, statement_id, who, differing=True)
    ]

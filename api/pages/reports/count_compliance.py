"""Which sites count in time."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import Asked, Column, Listing, Way, answer_list, site_filter
from api.pages.pictures_of_reports import compliance_by_site
from api.pages.reports.drawn import drawn
from api.words import N_
from stockpile.reports import count_compliance
from stockpile.reports.count_compliance import ComplianceLine
from stockpile.reports.keyset import Page, page_of
from stockpile.rights import Actor

router = APIRouter(include_in_schema=False)


def _compliance(connection: Connection, actor: Actor, asked: Asked) -> Page[ComplianceLine]:
    found = count_compliance.count_compliance(connection, actor, **asked.values)
    return page_of(found, lambda line: (line.site,), asked.limit, asked.cursor, asked.order, COMPLIANCE_ORDERS)


COMPLIANCE_ORDERS = (
    "site", "accounts", "accounts_overdue", "weapons", "in_time", "overdue", "never", "value", "overdue_value", "percent",
)  # fmt: skip


def _due(row: ComplianceLine) -> str:
    return address("/counts/due", site=row.site)


def _overdue(row: ComplianceLine) -> str:
    return address("/counts/due", site=row.site, overdue="yes")


COMPLIANCE = Listing(
    path="/reports/count-compliance",
    name="count-compliance",
    title=N_("Counts kept in time, by site"),
    question=count_compliance.QUESTION,
    row=ComplianceLine,
    columns=(
        Column("site", N_("Site"), "code", _due),
        Column("accounts", N_("Accounts"), "number", _due),
        Column("accounts_overdue", N_("Accounts overdue"), "number", _overdue),
        Column("weapons", N_("Weapons"), "number", _due),
        Column("in_time", N_("Counted in time"), "number", _due),
        Column("overdue", N_("Overdue"), "number", _overdue),
        Column("never", N_("Of these never counted"), "number", _overdue),
        Column("value", N_("Value"), "number", read=lambda row: row.value or None),
        Column("overdue_value", N_("Value of what is overdue"), "number", read=lambda row: row.overdue_value or None),
        Column("percent", N_("In time"), "percent"),
    ),
    filters=(site_filter(),),
    empty=N_("Nothing is to be counted by a period."),
    ask=_compliance,
    orders=COMPLIANCE_ORDERS,
    default="site",
    template="report.html",
    ways=(Way(N_("Counts due"), "/counts/due"),),
)


@router.get("/reports/count-compliance", response_class=HTMLResponse)
def of_count_compliance(request: Request, engine: Database, actor: Asker) -> Response:
    """Which sites count in time, as a picture and a table."""
    picture = drawn(COMPLIANCE, request, engine, actor, N_("Counts kept in time, by site"), compliance_by_site)
    return answer_list(COMPLIANCE, request, engine, actor, picture=picture)

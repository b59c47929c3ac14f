"""Visits of donors' inspectors and what holders reported, as people read them; the plans of monitoring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.tables.visits import FINDINGS
from stockpile.donors.statements import OF_A_CONSIGNMENT, Answered
from stockpile.donors.visit_findings import DIFFERENCES
from stockpile.errors import NotFound
from stockpile.identity import asset_tag
from stockpile.reports.keyset import Page, by_day, by_moment, by_number, by_text, order_asked, orders, read_page
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import day_on_the_walls


class VisitState(StrEnum):
    """How a visit stands; `reported`: it is a holder's report."""

    PLANNED = "planned"
    OVERDUE = "overdue"
    DONE = "done"
    REFUSED = "refused"
    REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class VisitSought:
    """Which visits are sought: those to which all apply that is said."""

    text: str | None = None
    state: str | None = None
    donor: str | None = None
    site: str | None = None
    level: str | None = None
    differing: bool | None = None


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit, or a holder's report, in a list. `read`: weapons on its lines; `differences`: those that the books have otherwise."""

    statement_id: UUID
    number: str
    donor: str
    site: str
    day: date
    state: str
    level: str | None
    who: str
    read: int
    differences: int
    answered: bool
    recorded_at: datetime


_STATE = """CASE x.kind WHEN 'visit' THEN 'done' WHEN 'refused visit' THEN 'refused' WHEN 'disposition report' THEN 'reported'
            ELSE CASE WHEN (x.content->>'day')::date < %s THEN 'overdue' ELSE 'planned' END END"""
# Of a visit the newest that was said of it.
_SAID = f"""
SELECT x.statement_id, x.donor_id, x.site_id, x.kind, x.reference, x.content, x.recorded_at, x.leaf
FROM donor_statement x
WHERE x.kind IN ('planned visit', 'visit', 'refused visit', 'disposition report') AND {OF_A_CONSIGNMENT}
  AND (x.kind <> 'planned visit'
       OR NOT EXISTS (SELECT FROM donor_statement o
                      WHERE o.donor_id = x.donor_id AND o.reference = x.reference AND o.kind IN ('planned visit', 'visit', 'refused visit')
                        AND (o.recorded_at, o.statement_id) > (x.recorded_at, x.statement_id)))
"""
_DIFFERING = ", ".join(f"'{kind}'" for kind in DIFFERENCES)
_LISTED = f"""
SELECT v.statement_id, v.donor_id,
       v.statement_id, v.reference, v.donor, v.site, v.day, v.state, v.level, v.who, v.read, v.differences, v.answered, v.recorded_at
FROM (
    SELECT x.*, p.code AS donor, s.code AS site, (x.content->>'day')::date AS day, {_STATE} AS state, x.content->>'level' AS level,
           coalesce((SELECT string_agg(one, ', ') FROM jsonb_array_elements_text(x.content->'inspectors') one), x.content->>'unit') AS who,
           f.read, f.differences, a.statement_id IS NOT NULL AS answered
    FROM ({_SAID}) x JOIN party p ON p.party_id = x.donor_id JOIN site s ON s.site_id = x.site_id
    LEFT JOIN donor_statement a ON a.donor_id = x.donor_id AND a.answers = x.statement_id
    LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE l.read IS NOT NULL) AS read,
                              count(*) FILTER (WHERE l.finding IN ({_DIFFERING})) AS differences
                       FROM visit_line l WHERE l.donor_id = x.donor_id AND l.statement_id = x.statement_id) f ON true
) v
"""

VISIT_ORDERS = orders(
    {"v.statement_id": UUID, "v.donor_id": UUID},
    number={"v.reference": str},
    donor=by_text("v.donor"),
    site=by_text("v.site"),
    day=by_day("v.day"),
    state=by_text("v.state"),
    level=by_text("v.level"),
    who=by_text("v.who"),
    read=by_number("v.read"),
    differences=by_number("v.differences"),
    recorded_at=by_moment("v.recorded_at"),
)


def list_visits(
    connection: Connection,
    actor: Actor,
    sought: VisitSought = VisitSought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[VisitRow]:
    """The visits and reports in the asker's scope, the newest first or by one of VISIT_ORDERS: a donor its own, a desk its site's.

    Raises NotAllowed, NotFound (site), Invalid (limit, cursor, order).
    """
    require(actor, READ)
    where = {
        "position(upper(%s) IN upper(concat_ws(' ', v.reference, v.who))) > 0": sought.text,
        "v.state = %s": sought.state,
        "v.donor = %s": sought.donor,
        "v.site_id = %s": site_asked(connection, actor, sought.site),
        "v.level = %s": sought.level,
        "(v.differences > 0) = %s": sought.differing,
    }
    keys = {"v.statement_id": UUID, "v.donor_id": UUID}
    today = day_on_the_walls(connection, actor.time_zone)
    by = order_asked(order, VISIT_ORDERS)
    return read_page(connection, _LISTED, where, keys, VisitRow, limit, cursor, (today,), newest_first=True, order=by)


@dataclass(frozen=True, slots=True)
class VisitShown:
    """A visit, or a holder's report, as people read it. `content`: all that was said; `findings`: how many lines were found so."""

    row: VisitRow
    content: dict[str, Any]
    leaf: str
    findings: dict[str, int]
    answer: Answered | None


_ONE = f"{_LISTED} WHERE v.statement_id = %s"
_WHOLE = """
SELECT x.content, x.leaf, a.statement_id, a.kind, a.content, a.recorded_at
FROM donor_statement x LEFT JOIN donor_statement a ON a.donor_id = x.donor_id AND a.answers = x.statement_id
WHERE x.statement_id = %s AND x.answers IS NULL
"""
_FINDINGS = "SELECT finding, count(*) FROM visit_line WHERE statement_id = %s GROUP BY finding"


def read_visit(connection: Connection, actor: Actor, statement_id: UUID) -> VisitShown:
    """One of them with its answer. Raises NotFound: there is none, it is not the asker's to read, or a plan that is the plan no more."""
    require(actor, READ)
    today = day_on_the_walls(connection, actor.time_zone)
    rows = connection.exec_driver_sql(_ONE, (today, statement_id)).all()
    if len(rows) != 1:
        raise NotFound(sentence("There is no such visit, or it is not yours to read."))
    content, leaf, answer_id, *answered = connection.exec_driver_sql(_WHOLE, (statement_id,)).one()
    counted = {row[0]: row[1] for row in connection.exec_driver_sql(_FINDINGS, (statement_id,))}
    return VisitShown(
        VisitRow(*rows[0][2:]),
        content,
        bytes(leaf).hex(),
        {finding: counted[finding] for finding in FINDINGS if finding in counted},
        Answered(answer_id, *answered) if answer_id is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """That a visit was planned for a day, and when that was said."""

    planned_on: date
    recorded_at: datetime


_PLANNED = """
SELECT (p.content->>'planned_on')::date, p.recorded_at
FROM donor_statement x JOIN donor_statement p ON p.donor_id = x.donor_id AND p.reference = x.reference AND p.recorded_at < x.recorded_at
WHERE x.statement_id = %s AND p.kind = 'planned visit' ORDER BY p.recorded_at
"""


def plans_before(connection: Connection, statement_id: UUID) -> tuple[Planned, ...]:
    """The plans of a visit that was done or refused, the first one first, as far as the reader's role sees them."""
    return tuple(Planned(*row) for row in connection.exec_driver_sql(_PLANNED, (statement_id,)))


@dataclass(frozen=True, slots=True)
class VisitLineRow:
    """A line of a visit: what was read, which weapon that is, what was found, where the ledger had it. `read` None: it was not."""

    line: int
    read: str | None
    item_id: UUID | None
    asset_tag: str | None
    model: str | None
    serial_number: str | None
    finding: str
    stood: str | None
    stood_site: str | None
    said: str | None
    said_on: date | None
    read_at: datetime | None
    condition: str | None


_LINES = """
SELECT l.line, l.line, l.read, l.item_id, i.tag_number, m.name, n.serial_number, l.finding, l.stood, s.code, l.said, l.said_on, l.read_at,
       l.condition
FROM visit_line l LEFT JOIN item i ON i.item_id = l.item_id LEFT JOIN model m ON m.model_id = i.model_id
LEFT JOIN LATERAL identified(l.item_id) n ON true LEFT JOIN site s ON s.site_id = l.stood_site
"""


VISIT_LINE_ORDERS = orders(
    {"l.line": int},
    line={"l.line": int},
    read=by_text("l.read"),
    model=by_text("m.name"),
    serial_number=by_text("n.serial_number"),
    finding={"l.finding": str},
    stood=by_text("l.stood"),
    stood_site=by_text("s.code"),
    read_at=by_moment("l.read_at"),
)


def list_visit_lines(
    connection: Connection,
    actor: Actor,
    statement_id: UUID,
    finding: str | None = None,
    differing: bool | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[VisitLineRow]:
    """The lines of a visit in their order, then what nobody read; or by one of VISIT_LINE_ORDERS. Raises NotFound, Invalid (limit, cursor,
    order).
    """
    read_visit(connection, actor, statement_id)
    where = {
        "l.statement_id = %s": statement_id,
        "l.finding = %s": finding,
        f"(l.finding IN ({_DIFFERING})) = %s": differing,
    }
    by = order_asked(order, VISIT_LINE_ORDERS)
    return read_page(connection, _LINES, where, {"l.line": int}, _line, limit, cursor, order=by)


def _line(line: int, read: str | None, item_id: UUID | None, tag: int | None, *rest: Any) -> VisitLineRow:
    return VisitLineRow(line, read, item_id, asset_tag(tag) if tag is not None else None, *rest)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan: how closely a class of models is monitored. `donor` None: every donor's; `changed_by` None: as it came with the program, or
    not told to a donor.
    """

    code: str
    donor: str | None
    what: str
    level: str
    flagged: bool
    category: str | None
    security_risk_category: str | None
    initial_days: int | None
    yearly_days: int | None
    source: str
    unverified: bool
    binds: bool
    changed_by: str | None
    changed_at: datetime | None


_PLANS = """
SELECT p.code, coalesce(d.code, ''), p.code, d.code, p.what, p.level, p.flagged, p.category, p.security_risk_category, p.initial_days,
       p.yearly_days, p.source, p.unverified, p.binds, {changed_by}, p.changed_at
FROM monitoring_plan p LEFT JOIN party d ON d.party_id = p.donor_id {changer}
"""


_PLAN_KEYS = {"p.code": str, "coalesce(d.code, '')": str}
PLAN_ORDERS = orders(
    _PLAN_KEYS,
    code={"p.code": str},
    donor=by_text("d.code"),
    level={"p.level": str},
    category=by_text("p.category"),
    security_risk_category=by_text("p.security_risk_category"),
    initial_days=by_number("p.initial_days"),
    yearly_days=by_number("p.yearly_days"),
)


def list_plans(
    connection: Connection,
    actor: Actor,
    level: str | None = None,
    binds: bool | None = None,
    donor: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[PlanRow]:
    """The plans by their codes or one of PLAN_ORDERS: a donor's own and the general ones, all for the host. Raises Invalid (limit, cursor,
    order).
    """
    require(actor, READ)
    told = actor.role != DONOR
    question = _PLANS.format(
        changed_by=f"CASE WHEN p.changed_by IS NOT NULL THEN {named('c')} END" if told else "NULL",
        changer="LEFT JOIN party c ON c.party_id = p.changed_by" if told else "",
    )
    where = {"p.level = %s": level, "p.binds = %s": binds, "d.code = %s": donor}
    by = order_asked(order, PLAN_ORDERS)
    return read_page(connection, question, where, _PLAN_KEYS, PlanRow, limit, cursor, order=by)


def read_plan(connection: Connection, actor: Actor, code: str) -> PlanRow | None:
    """The plan of a code that the actor may change, if there is one: a donor's own, a registrar's general one."""
    own = [
        row for row in list_plans(connection, actor, limit=1000).rows
        if row.code == code and (row.donor is not None) == (actor.role == DONOR)
    ]  # fmt: skip
    return own[0] if own else None

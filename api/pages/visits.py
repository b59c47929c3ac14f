"""End-use monitoring as pages: visits planned, done and refused with what differed, what holders reported, and the plans. A donor's forms
keep what was typed, and the files; the host reads and answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.forms import or_none, sent
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    flag_filter,
    key_filter,
    site_filter,
    sites_offered,
    table,
    text_filter,
)
from api.pages.visit_forms import DISPOSITIONS, FORMS, PLAN, RECORD, REFUSAL, VisitForm, form_sent
from api.words import N_
from stockpile.db.tables.visits import FINDINGS
from stockpile.donors.physical_security import checklist
from stockpile.donors.plans import MonitoringPlan, keep_plan
from stockpile.donors.visits import AnswerVisit, answer_visit
from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.reports.keyset import Page
from stockpile.reports.visits import (
    PLAN_ORDERS,
    VISIT_LINE_ORDERS,
    VISIT_ORDERS,
    PlanRow,
    VisitLineRow,
    VisitRow,
    VisitSought,
    VisitState,
    list_plans,
    list_visit_lines,
    list_visits,
    read_plan,
    read_visit,
)
from stockpile.rights import (
    ANSWER_VISITS,
    KEEP_PLANS,
    MONITOR,
    REPORT_DISPOSITIONS,
    RIGHTS,
    ROLES,
    Actor,
    reading,
    require,
)
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

LEVELS = (N_("enhanced"), N_("routine"))


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[VisitRow]:
    return list_visits(connection, actor, VisitSought(**asked.values), asked.limit, asked.cursor, asked.order)


def _page_of(row: VisitRow) -> str:
    return f"/visits/{row.statement_id}"


VISITS = Listing(
    path="/visits",
    name="visits",
    title=N_("End-use monitoring"),
    question=N_(
        "Which visits were planned, done and refused, what did holders report, and what differed from the ledger?"
    ),
    row=VisitRow,
    columns=(
        Column("number", N_("Number"), "code", _page_of),
        Column("donor", N_("Donor"), "code", roles=HOST),
        Column("site", N_("Site"), "code"),
        Column("day", N_("Day"), "day"),
        Column("state", N_("State"), "term"),
        Column("level", N_("How closely"), "term", sparse=True),
        Column("who", N_("Inspectors, or who reports")),
        Column("read", N_("Weapons"), "number"),
        Column("differences", N_("Differences"), "number"),
        Column("answered", N_("Answered"), "flag"),
        Column("recorded_at", N_("Recorded"), "moment"),
    ),
    filters=(
        text_filter(N_("Number or inspector")),
        choice_filter("state", N_("State"), VisitState),
        flag_filter("differing", N_("With differences")),
        choice_filter("level", N_("How closely"), LEVELS),
        Filter("donor", N_("Donor"), roles=HOST),
        site_filter(),
    ),
    ways=(
        Way(N_("Plan a visit"), "/visits/plan", RIGHTS[MONITOR]),
        Way(N_("Record a visit"), "/visits/record", RIGHTS[MONITOR]),
        Way(N_("A visit was refused"), "/visits/refusal", RIGHTS[MONITOR]),
        Way(N_("Report what a unit has"), "/visits/dispositions", RIGHTS[REPORT_DISPOSITIONS]),
        Way(N_("Inspections due"), "/reports/inspections", frozenset(ROLES)),
        Way(N_("Routine visits due"), "/reports/routine-visits", frozenset(ROLES), of_consignments=False),
        Way(N_("How fast losses were reported"), "/reports/losses", frozenset(ROLES)),
        Way(N_("Plans by class of model"), "/monitoring-plans", frozenset(ROLES)),
    ),
    empty=N_("No visit was planned or made."),
    ask=_ask,
    orders=VISIT_ORDERS,
    default="-recorded_at",
)


@router.get("/visits", response_class=HTMLResponse)
def visits(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of visits."""
    return answer_list(VISITS, request, engine, actor)


OF_VISIT = key_filter("visit", N_("Of one visit"), fixed=True)


def _lines(connection: Connection, actor: Actor, asked: Asked) -> Page[VisitLineRow]:
    visit = asked.values.get("visit")
    if visit is None:
        raise Invalid(sentence("Say of which visit."), [Fault(sentence("follow the link on its page"), field="visit")])
    finding, differing = asked.values.get("finding"), asked.values.get("differing")
    return list_visit_lines(connection, actor, visit, finding, differing, asked.limit, asked.cursor, asked.order)


LINE_COLUMNS = (
    Column("line", N_("Line"), "number"),
    Column("read", N_("Read"), "code", none=N_("nobody read it")),
    Column("model", N_("Model")),
    Column("serial_number", N_("Serial number"), "code", lambda row: f"/weapons/{row.item_id}" if row.item_id else None),
    Column("finding", N_("Finding"), "term"),
    Column("said", N_("Reported"), "term", sparse=True),
    Column("said_on", N_("Of the day"), "day", sparse=True),
    Column("stood", N_("In the ledger"), "term", none=N_("not among this donor's")),
    Column("stood_site", N_("At"), "code"),
    Column("read_at", N_("When"), "moment", sparse=True),
    Column("condition", N_("Condition"), "term", sparse=True),
)  # fmt: skip

LINES = Listing(
    path="/visits/lines",
    name="visit-lines",
    title=N_("Lines of a visit"),
    question=N_("What was read or reported, and where did the ledger have it at that moment?"),
    row=VisitLineRow,
    columns=LINE_COLUMNS,
    filters=(
        choice_filter("finding", N_("Finding"), FINDINGS), flag_filter("differing", N_("Only differences")), OF_VISIT,
    ),
    empty=N_("There are no such lines."),
    ask=_lines,
    orders=VISIT_LINE_ORDERS,
    default="line",
)  # fmt: skip


@router.get("/visits/lines", response_class=HTMLResponse)
def lines_of_visit(request: Request, engine: Database, actor: Asker) -> Response:
    """All lines of a visit."""
    return answer_list(LINES, request, engine, actor)


def _show_form(
    request: Request, engine: Database, actor: Actor, form: VisitForm, filled: Mapping[str, Any], status: int = 200
) -> Response:
    require(actor, form.right)
    with reading(engine, actor) as connection:
        shown = {
            "speech": form,
            "sites": sites_offered(connection),
            "points": checklist() if form.security else (),
            "form": {"faults": {}, "problem": None, "given": {"statement_id": str(new_key())}, **filled},
        }
    response: Response = templates.TemplateResponse(request, "visit_new.html", shown, status_code=status)
    return response


def _filled(request: Request, form: VisitForm) -> dict[str, Any]:
    """A form as the address fills it in: what a plan says already."""
    known = {field.name for field in form.fields}
    given = {name: value for name, value in request.query_params.items() if name in known}
    return {"given": {"statement_id": str(new_key()), **given}}


@router.get("/visits/plan", response_class=HTMLResponse)
def plan_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a plan."""
    return _show_form(request, engine, actor, FORMS[PLAN], _filled(request, FORMS[PLAN]))


@router.get("/visits/record", response_class=HTMLResponse)
def record_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a visit."""
    return _show_form(request, engine, actor, FORMS[RECORD], _filled(request, FORMS[RECORD]))


@router.get("/visits/refusal", response_class=HTMLResponse)
def refusal_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a refusal."""
    return _show_form(request, engine, actor, FORMS[REFUSAL], _filled(request, FORMS[REFUSAL]))


@router.get("/visits/dispositions", response_class=HTMLResponse)
def dispositions_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a holder's report."""
    return _show_form(request, engine, actor, FORMS[DISPOSITIONS], _filled(request, FORMS[DISPOSITIONS]))


async def _send(what: str, request: Request, engine: Database, actor: Actor) -> Response:
    """Does what a form says; else shows it again as it was filled in."""
    form = FORMS[what]
    require(actor, form.right)
    typed = await request.form(max_files=60, max_fields=300)

    def do() -> Response:
        given: dict[str, Any] = {name: value for name, value in typed.items() if isinstance(value, str)}
        return sent(
            given,
            lambda: f"/visits/{form_sent(engine, actor, form, typed, given)}",
            lambda filled, status: _show_form(request, engine, actor, form, filled, status),
        )

    return await run_in_threadpool(do)


@router.post("/visits/plan", response_class=HTMLResponse)
async def plan(request: Request, engine: Database, actor: Asker) -> Response:
    """A visit is planned."""
    return await _send(PLAN, request, engine, actor)


@router.post("/visits/record", response_class=HTMLResponse)
async def record(request: Request, engine: Database, actor: Asker) -> Response:
    """A visit is recorded."""
    return await _send(RECORD, request, engine, actor)


@router.post("/visits/refusal", response_class=HTMLResponse)
async def refusal(request: Request, engine: Database, actor: Asker) -> Response:
    """A visit was refused."""
    return await _send(REFUSAL, request, engine, actor)


@router.post("/visits/dispositions", response_class=HTMLResponse)
async def dispositions(request: Request, engine: Database, actor: Asker) -> Response:
    """A holder reports."""
    return await _send(DISPOSITIONS, request, engine, actor)


@router.get("/visits/{statement_id}", response_class=HTMLResponse)
def visit(statement_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """What was seen and said, what differs, what was answered."""
    return _page(request, engine, actor, statement_id, {})


SHOWN_LINES = 100
SECURITY = (Column("what", N_("Point"), "term"), Column("found", N_("Found"), "term"), Column("remarks", N_("Remarks")))


@dataclass(frozen=True, slots=True)
class PointSeen:
    """A point of the check as it was answered."""

    what: str
    found: str
    remarks: str | None


def _page(
    request: Request, engine: Database, actor: Actor, statement_id: UUID, form: Mapping[str, Any], status: int = 200
) -> Response:
    with reading(engine, actor) as connection:
        found = read_visit(connection, actor, statement_id)
        differing = list_visit_lines(connection, actor, statement_id, differing=True, limit=SHOWN_LINES)
    row, content = found.row, found.content
    is_planned = row.state in (VisitState.PLANNED, VisitState.OVERDUE)
    plan = {name: content.get(name) for name in ("store", "level")} | {
        "number": row.number, "site": row.site, "inspectors": "\n".join(content.get("inspectors", ())),
    }  # fmt: skip
    shown = {
        "visit": row,
        "content": content,
        "answer": found.answer,
        "findings": [
            (finding, number, LINES.link(visit=statement_id, finding=finding))
            for finding, number in found.findings.items()
        ],
        "differences": table(LINE_COLUMNS, differing.rows, N_("Nothing differs from the ledger.")),
        "more": differing.cursor is not None,
        "all_lines": LINES.link(visit=statement_id),
        "security": _security(content),
        "evidence": content.get("evidence", ()),
        "times": [
            (label, datetime.fromisoformat(content[name]))
            for name, label in (("began_at", N_("Began")), ("ended_at", N_("Ended")))
            if name in content
        ],
        "goes_on": [
            (N_("Record it"), address("/visits/record", **plan)),
            (N_("It was refused"), address("/visits/refusal", **plan)),
            (N_("Plan it anew"), address("/visits/plan", **plan)),
        ]
        if is_planned and actor.role in RIGHTS[MONITOR]
        else [],
        "may_answer": found.answer is None and row.state != VisitState.REPORTED and actor.role in RIGHTS[ANSWER_VISITS],
        "form": {"faults": {}, "problem": None, "given": {"statement_id": str(new_key())}, **form},
    }
    response: Response = templates.TemplateResponse(request, "visit.html", shown, status_code=status)
    return response


def _security(content: Mapping[str, Any]) -> Any:
    """The check of the store as a table; None: it was not checked."""
    answers = content.get("physical_security")
    if not answers:
        return None
    points = {point.code: point.what for point in checklist()}
    rows = [PointSeen(points.get(one["point"], one["point"]), one["found"], one.get("remarks")) for one in answers]
    return table(SECURITY, rows, N_("Nothing was checked."))


@router.post("/visits/{statement_id}/answer", response_class=HTMLResponse)
async def answer(statement_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The host answers in words."""
    typed = await request.form()
    given = {name: value for name, value in typed.items() if isinstance(value, str)}

    def say() -> str:
        fields = {"words": given.get("words", ""), "statement_id": given.get("statement_id") or new_key()}
        answer_visit(engine, actor, statement_id, AnswerVisit.model_validate(fields))
        return f"/visits/{statement_id}"

    return await run_in_threadpool(
        sent, given, say, lambda form, status: _page(request, engine, actor, statement_id, form, status)
    )


def _plans(connection: Connection, actor: Actor, asked: Asked) -> Page[PlanRow]:
    values = asked.values
    return list_plans(
        connection,
        actor,
        values.get("level"),
        values.get("binds"),
        values.get("donor"),
        asked.limit,
        asked.cursor,
        asked.order,
    )


PLANS = Listing(
    path="/monitoring-plans",
    name="monitoring-plans",
    title=N_("Plans of monitoring"),
    question=N_("How closely is which class of models monitored, within how many days, and who says so?"),
    row=PlanRow,
    columns=(
        Column("code", N_("Plan"), "code", lambda row: address("/monitoring-plans/change", code=row.code), roles=RIGHTS[KEEP_PLANS]),
        Column("code", N_("Plan"), "code", roles=frozenset(ROLES) - RIGHTS[KEEP_PLANS]),
        Column("donor", N_("Donor"), "code", none=N_("every donor")),
        Column("what", N_("Of what")),
        Column("level", N_("How closely"), "term"),
        Column("flagged", N_("Only marked models"), "flag"),
        Column("category", N_("Category"), "term", none=N_("any")),
        Column("security_risk_category", N_("Security risk category"), "code"),
        Column("initial_days", N_("First inventory within (days)"), "number"),
        Column("yearly_days", N_("From one to the next (days)"), "number"),
        Column("binds", N_("Judges what is late"), "flag"),
        Column("unverified", N_("From memory"), "flag"),
        Column("source", N_("Who says so")),
    ),
    filters=(
        choice_filter("level", N_("How closely"), LEVELS), flag_filter("binds", N_("Judges what is late")),
        Filter("donor", N_("Donor"), roles=HOST),
    ),
    ways=(Way(N_("Add a plan"), "/monitoring-plans/change", RIGHTS[KEEP_PLANS]),),
    empty=N_("There is no such plan."),
    ask=_plans,
    orders=PLAN_ORDERS,
    default="code",
)  # fmt: skip


@router.get("/monitoring-plans", response_class=HTMLResponse)
def plans(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of plans."""
    return answer_list(PLANS, request, engine, actor)


@router.get("/monitoring-plans/change", response_class=HTMLResponse)
def plan_to_change(request: Request, engine: Database, actor: Asker, code: str = "") -> Response:
    """The form of a plan: a new one, or one as it is."""
    with reading(engine, actor) as connection:
        found = read_plan(connection, actor, code[:64]) if code else None
        general = next((row for row in list_plans(connection, actor, limit=1000).rows if row.code == code), None)
    row = found or general
    given: dict[str, Any] = {"code": code[:64], "binds": "yes", "level": "enhanced"}
    if row is not None:
        given |= {name: getattr(row, name) for name in MonitoringPlan.model_fields}
        given |= {name: "yes" if getattr(row, name) else "" for name in ("flagged", "binds", "unverified")}
    return _plan_page(request, actor, {"given": {name: value or "" for name, value in given.items()}})


def _plan_page(request: Request, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, KEEP_PLANS)
    filled = {"faults": {}, "problem": None, **form}
    shown = {"form": filled, "levels": tuple((level, level) for level in LEVELS)}
    response: Response = templates.TemplateResponse(request, "monitoring_plan.html", shown, status_code=status)
    return response


@router.post("/monitoring-plans/change", response_class=HTMLResponse)
async def change_plan(request: Request, engine: Database, actor: Asker) -> Response:
    """A plan is added, or said anew."""
    typed = await request.form()
    given = {name: value for name, value in typed.items() if isinstance(value, str)}

    def change() -> str:
        code = given.get("code", "").strip()
        fields: dict[str, Any] = {name: or_none(given.get(name, "")) for name in MonitoringPlan.model_fields}
        fields |= {name: bool(given.get(name)) for name in ("flagged", "binds", "unverified")}
        plan = MonitoringPlan.model_validate({name: value for name, value in fields.items() if value is not None})
        with reading(engine, actor) as connection:
            keep_plan(connection, actor, code, plan)
        return "/monitoring-plans"

    return await run_in_threadpool(sent, given, change, lambda form, status: _plan_page(request, actor, form, status))

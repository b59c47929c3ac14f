"""The workbench: a list is taken in with its columns looked at first, two lists are compared, near matches are judged one after another.
Every step is a form that works without a script; what takes long runs as a task with a page of its own (`jobs`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.forms import faulty, kept, or_none, sent, stored_list
from api.pages.jobs import AUDIT, IMPORT
from api.pages.listing import sites_offered
from api.pages.seals import on_the_wall
from api.words import N_
from stockpile import jobs
from stockpile.errors import Fault, Invalid, StockpileError
from stockpile.registers.audits import MakeAudit, make_audit
from stockpile.registers.importing import ANY, ImportRegister, check_import, import_register, proposed_columns
from stockpile.registers.judgements import Judge, judge
from stockpile.registers.listing import ListFile
from stockpile.registers.preview import Preview, preview
from stockpile.registers.sides import Source
from stockpile.registers.values import DateOrder
from stockpile.reports.audits import read_audit
from stockpile.reports.judgements import NearMatch, read_near_match
from stockpile.reports.registers import Sought, list_registers
from stockpile.rights import COMPARE, DESK, IMPORT_REGISTER, Actor, reading, require
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

ROWS_SHOWN = 8
CELLS_SHOWN = 12
LISTS_OFFERED = 200
LONGEST_VALUE = 500
Text = Annotated[str, Form(max_length=LONGEST_VALUE)]
KINDS_OFFERED = ("property book", "issue log", "shipping list", "inspection", "register of another country")
LABELS = {
    "serial_number": N_("Serial number"), "model": N_("Model"), "maker": N_("Maker"), "quantity": N_("Pieces"),
    "condition": N_("Condition"), "obliterated": N_("Serial number obliterated"), "shipped_on": N_("Shipped"),
    "received_on": N_("Received"), "date": N_("Another date"), "unit_code": N_("Unit, by its code"), "unit": N_("Unit, by its name"),
    "service_number": N_("Holder, by the service number"), "holder": N_("Holder"), "name": N_("Holder, by the name"),
    "account": N_("Store or account"),
}  # fmt: skip
assert tuple(LABELS) == ANY.fields
ORDERS = ((str(DateOrder.DAY_FIRST), N_("day first")), (str(DateOrder.MONTH_FIRST), N_("month first")))


def wall_of(actor: Actor) -> str:
    """The time zone in which somebody writes moments."""
    return actor.time_zone or "UTC"


@router.get("/registers/new", response_class=HTMLResponse)
def list_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a list, filled in with what its address says."""
    columns = {
        name: request.query_params[f"column_{name}"] for name in LABELS if f"column_{name}" in request.query_params
    }
    return _list_form(request, engine, actor, {"given": {**request.query_params, "columns": columns or None}})


@router.post("/registers", response_class=HTMLResponse)
def take_in_list(
    request: Request,
    engine: Database,
    actor: Asker,
    step: Text = "",
    sha256: Text = "",
    file_name: Text = "",
    kind: Text = "",
    name: Text = "",
    source: Text = "",
    site: Text = "",
    donor: Text = "",
    as_of: Text = "",
    date_order: Text = "",
    model: Text = "",
    field: Annotated[list[str] | None, Form(max_length=40)] = None,
    column: Annotated[list[str] | None, Form(max_length=40)] = None,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Shows how a list that was sent would be read; sent again with `step` keep, it is taken in as a task. The file is kept meanwhile,
    so that it is chosen once.
    """
    columns = {
        one: heading for one, heading in zip(field or (), column or (), strict=False) if heading and one in LABELS
    }
    given: dict[str, Any] = {
        "sha256": sha256, "file_name": file_name, "kind": kind, "name": name, "source": source, "site": site, "donor": donor,
        "as_of": as_of, "date_order": date_order, "model": model, "columns": columns or None,
    }  # fmt: skip
    try:
        require(actor, IMPORT_REGISTER)
        if file is not None and file.filename:
            given["sha256"] = stored_list(file)
            given |= {"file_name": file.filename[-64:], "columns": None, "name": name or file.filename[-64:]}
            step = ""
        if not given["sha256"]:
            raise Invalid(sentence("Nothing was done."), [Fault(sentence("choose the file of the list"), field="file")])
        wanted = ImportRegister.model_validate(_import_of(given, actor))
        if step != "keep":
            return _list_form(request, engine, actor, {"given": given})
        check_import(engine, actor, wanted)
    except ValidationError as error:
        return _list_form(request, engine, actor, faulty(error, given), 422)
    except StockpileError as error:
        form = kept(error, {**dict.fromkeys(LABELS, ""), **given, "file": ""})
        return _list_form(request, engine, actor, form, form["problem"]["status"])
    job = jobs.begin(engine, actor, IMPORT, lambda: import_register(engine, actor, wanted))
    typed = {name: value for name, value in given.items() if name != "columns"}
    mapped = {f"column_{name}": heading for name, heading in columns.items()}
    return RedirectResponse(address(f"/jobs/{job.job_id}", **typed, **mapped), 303)


def _import_of(given: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """The request that a form means."""
    columns = given["columns"]
    constants = {"model": given["model"]} if given["model"].strip() and "model" not in (columns or {}) else {}
    return {
        "kind": given["kind"], "name": given["name"], "source": given["source"], "site": or_none(given["site"]),
        "donor": or_none(given["donor"]), "as_of": on_the_wall(given["as_of"], wall_of(actor), "as_of"),
        "file": {
            "sha256": given["sha256"], "name": given["file_name"] or "list", "columns": columns, "constants": constants,
            "date_order": or_none(given["date_order"]),
        },
    }  # fmt: skip


def _list_form(request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, IMPORT_REGISTER)
    given = form["given"]
    seen = _preview(given)
    known = given.get("columns") or (_proposed(engine, actor, given) if seen else {})
    with reading(engine, actor) as connection:
        sites = sites_offered(connection) if actor.role not in DESK else ()
    shown = {
        "form": {"faults": {}, "problem": None, **form},
        "seen": seen,
        "cut": [cells[:CELLS_SHOWN] for _, cells in seen.rows[:ROWS_SHOWN]] if seen else (),
        "headings": seen.headers[:CELLS_SHOWN] if seen else (),
        "hidden_columns": max(len(seen.headers) - CELLS_SHOWN, 0) if seen else 0,
        "columns": [(name, label, known.get(name, "")) for name, label in LABELS.items()],
        "doubtful": [(column, why) for column, why in seen.doubtful.items()] if seen else (),
        "sites": sites,
        "kinds": KINDS_OFFERED,
        "orders": ORDERS,
        "zone_of_moment": wall_of(actor),
    }
    response: Response = templates.TemplateResponse(request, "register_new.html", shown, status_code=status)
    return response


def _preview(given: Mapping[str, Any]) -> Preview | None:
    """How the file that was sent would be read; None if there is none that can be."""
    try:
        return preview(given["sha256"], given.get("file_name") or "list") if given.get("sha256") else None
    except StockpileError:
        return None


def _proposed(engine: Engine, actor: Actor, given: Mapping[str, Any]) -> dict[str, str]:
    try:
        file = ListFile.model_validate({"sha256": given["sha256"], "name": given.get("file_name") or "list"})
        return proposed_columns(engine, actor, file, given.get("source") or "")
    except (ValidationError, StockpileError):
        return {}


HANDS = (("left", N_("Left")), ("right", N_("Right")))
PARTS = ("site", "unit", "donor", "consignment", "account", "happened_by", "recorded_by")


@router.get("/audits/new", response_class=HTMLResponse)
def audit_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a comparison, filled in with what its address says."""
    given = dict(request.query_params)
    for name in (f"{hand}_{part}" for hand, _ in HANDS for part in ("happened_by", "recorded_by")):
        given[name] = _as_typed(given.get(name, ""), actor)
    return _audit_form(request, engine, actor, {"given": given})


def _as_typed(text: str, actor: Actor) -> str:
    """A moment as the field of a form takes it, on the wall of who fills it in."""
    try:
        moment = on_the_wall(text, wall_of(actor), "moment")
    except Invalid:
        return text
    return moment.astimezone(ZoneInfo(wall_of(actor))).strftime("%Y-%m-%dT%H:%M") if moment else ""


async def _typed(request: Request) -> dict[str, str]:
    form = await request.form(max_fields=40, max_files=0)
    return {name: str(value)[:LONGEST_VALUE] for name, value in form.items()}


@router.post("/audits", response_class=HTMLResponse)
def compare(
    request: Request, engine: Database, actor: Asker, given: Annotated[dict[str, str], Depends(_typed)]
) -> Response:
    """Compares two sides as a task."""

    def do() -> str:
        require(actor, COMPARE)
        sides = {hand: _side(given, hand, actor) for hand, _ in HANDS}
        wanted = MakeAudit.model_validate({"name": given.get("name", ""), **sides})
        job = jobs.begin(engine, actor, AUDIT, lambda: make_audit(engine, actor, wanted))
        return address(f"/jobs/{job.job_id}", **given)

    return sent(given, do, lambda form, status: _audit_form(request, engine, actor, form, status))


def _side(given: Mapping[str, str], hand: str, actor: Actor) -> Source:
    """A side as the form says it. Raises Invalid, naming the field of the form."""
    typed = {part: or_none(given.get(f"{hand}_{part}", "")) for part in ("register", *PARTS)}
    for part in ("happened_by", "recorded_by"):
        typed[part] = on_the_wall(typed[part] or "", wall_of(actor), f"{hand}_{part}")  # type: ignore[assignment]
    try:
        return Source.model_validate({name: value for name, value in typed.items() if value is not None})
    except ValidationError as error:
        faults = faulty(error, typed)["problem"]["faults"]
        named = [
            Fault(
                fault["message"],
                field=f"{hand}_{fault['field']}" if fault.get("field") in typed else f"{hand}_register",
            )
            for fault in faults
        ]
        raise Invalid(sentence("Nothing was done: see the fields marked below."), named) from None


def _audit_form(request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, COMPARE)
    with reading(engine, actor) as connection:
        shown = {
            "form": {"faults": {}, "problem": None, **form},
            "hands": HANDS,
            "registers": _registers_offered(connection, actor, form["given"]),
            "sites": sites_offered(connection),
            "zone_of_moment": wall_of(actor),
        }
    response: Response = templates.TemplateResponse(request, "audit_new.html", shown, status_code=status)
    return response


def _registers_offered(connection: Connection, actor: Actor, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The newest lists by their keys, and those that were chosen, however old or called."""
    page = list_registers(connection, actor, Sought(None, None, None, None, None), LISTS_OFFERED, None)
    offered = [(str(row.register_id), f"{row.name} ({row.kind}, {row.as_of:%Y-%m-%d})") for row in page.rows]
    chosen = {given.get(f"{hand}_register") or "" for hand, _ in HANDS} - {key for key, _ in offered} - {""}
    return offered + [(one, one) for one in sorted(chosen)]


@router.post("/audits/{audit_id}/again", response_class=HTMLResponse)
def compare_again(audit_id: UUID, engine: Database, actor: Asker) -> Response:
    """Compares the same two sides as they are now: another run of the name."""
    require(actor, COMPARE)
    with reading(engine, actor) as connection:
        found = read_audit(connection, actor, audit_id)
    sides = {"left": found.left_source, "right": found.right_source}
    wanted = MakeAudit.model_validate({"name": found.audit.name, **sides})
    job = jobs.begin(engine, actor, AUDIT, lambda: make_audit(engine, actor, wanted))
    return RedirectResponse(f"/jobs/{job.job_id}", 303)


@router.get("/audits/{audit_id}/near-matches/{number}", response_class=HTMLResponse)
def near_match(audit_id: UUID, number: int, request: Request, engine: Database, actor: Asker) -> Response:
    """A near match, both rows side by side, and the form in which it is judged."""
    return _near_form(request, engine, actor, audit_id, number, {"given": {}})


@router.post("/audits/{audit_id}/near-matches/{number}", response_class=HTMLResponse)
def judge_near_match(
    audit_id: UUID,
    number: int,
    request: Request,
    engine: Database,
    actor: Asker,
    judged: Text = "",
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Keeps what somebody says of it, and goes on to the next that nobody has judged."""
    given = {"judged": judged, "reason": reason}

    def do() -> str:
        judge(engine, actor, audit_id, number, Judge.model_validate(given))
        with reading(engine, actor) as connection:
            following = read_near_match(connection, actor, audit_id, number).next_open
        return f"/audits/{audit_id}/near-matches/{following}" if following else f"/audits/{audit_id}"

    def show(form: Mapping[str, Any], status: int) -> Response:
        return _near_form(request, engine, actor, audit_id, number, form, status)

    return sent(given, do, show)


def _near_form(
    request: Request,
    engine: Engine,
    actor: Actor,
    audit_id: UUID,
    number: int,
    form: Mapping[str, Any],
    status: int = 200,
) -> Response:
    with reading(engine, actor) as connection:
        found = read_near_match(connection, actor, audit_id, number)
        audit = read_audit(connection, actor, audit_id)
    shown = {
        "form": {"faults": {}, "problem": None, **form},
        "audit": audit.audit,
        "near": found,
        "sides": _sides_of(found),
    }
    response: Response = templates.TemplateResponse(request, "near_match.html", shown, status_code=status)
    return response


def _sides_of(found: NearMatch) -> list[tuple[str, list[tuple[str, str]], str | None, str | None, str | None]]:
    """Of each side: what it is called, its cells by their headings, the way to the line and to the weapon, what it says besides."""
    finding = found.finding
    sides = (
        (N_("Left"), found.left, finding.left_item, finding.left_says),
        (N_("Right"), found.right, finding.right_item, finding.right_says),
    )
    return [
        (
            label,
            list(zip(line.headings, line.cells, strict=False)) if line else [],
            address(f"/registers/{line.register_id}", line=line.line) + "#lines" if line else None,
            f"/weapons/{item}" if item else None,
            says,
        )
        for label, line, item, says in sides
    ]

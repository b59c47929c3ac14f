"""Counts: the list, opening one, keying what was read, closing it, and what it found. What is missing leads to the loss report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, may, templates
from api.pages.forms import faulty, kept
from api.pages.listing import (
    ANYWHERE,
    Asked,
    Column,
    Listing,
    Way,
    answer_list,
    choice_filter,
    hidden_filter,
    site_filter,
    sites_offered,
)
from api.pages.problems import shown_problem
from api.words import N_
from stockpile.errors import Fault, Invalid, StockpileError
from stockpile.keys import new_key
from stockpile.registers.count_closing import close_count
from stockpile.registers.count_findings import Kind
from stockpile.registers.count_lines import BatchTaken, send_lines
from stockpile.registers.count_sheets import SendLines
from stockpile.registers.counts import AbandonCount, MayOverride, OpenCount, Reason, abandon_count, open_count
from stockpile.reports.counts import (
    COUNT_ORDERS,
    EXPECTED_ORDERS,
    FINDING_ORDERS,
    LINE_ORDERS,
    CountLineRow,
    CountRow,
    ExpectedRow,
    FindingRow,
    State,
    count_named,
    list_count_lines,
    list_counts,
    list_expected,
    list_findings,
    read_count,
)
from stockpile.reports.keyset import Page
from stockpile.rights import CLOSE_COUNT, COUNT, DESK, RIGHTS, Actor, reading, require
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

MODELS_OFFERED = 8
"""So many rows the form has for what is counted by its number."""


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[CountRow]:
    state = asked.values.get("state")
    return list_counts(
        connection,
        actor,
        asked.values.get("site"),
        State(state) if state else None,
        asked.limit,
        asked.cursor,
        asked.order,
    )


def _count(row: CountRow) -> str:
    return f"/counts/{row.count_id}"


COUNTS = Listing(
    path="/counts",
    name="counts",
    title=N_("Counts"),
    question=N_("What was counted, by whom, and what is being counted now?"),
    row=CountRow,
    columns=(
        Column("name", N_("Count"), "code", _count),
        Column("state", N_("State"), "term"),
        Column("scope", N_("Of"), "term"),
        Column("of", N_("What is counted"), "person"),
        Column("method", N_("By"), "term"),
        Column("counters", N_("Counters"), "people"),
        Column("lines", N_("Lines"), "number", lambda row: address("/counts/lines", count=row.name)),
        Column("opened_at", N_("Opened"), "moment"),
        Column("closed_at", N_("Closed"), "moment"),
    ),
    filters=(choice_filter("state", N_("State"), State), site_filter()),
    empty=N_("Nothing was counted yet."),
    ask=_ask,
    orders=COUNT_ORDERS,
    default="-opened_at",
    ways=(
        Way(N_("Open a count"), "/counts/new", RIGHTS[COUNT]),
        Way(N_("Keys are handed over: count by number"), "/counts/new?method=quantity&reason=periodic", RIGHTS[COUNT]),
        Way(N_("Counts due"), "/counts/due"),
        Way(N_("Seals of containers"), "/seals"),
    ),
)

OF_COUNT = hidden_filter("count", N_("Count"), fixed=True)


def _id(connection: Connection, actor: Actor, asked: Asked) -> UUID:
    """The count that a list is of. Raises Invalid where none is named, NotFound."""
    name = asked.values.get("count")
    if name is None:
        raise Invalid(
            sentence("Say of which count."), [Fault(sentence("its name, such as TAJI/COUNT/3"), field="count")]
        )
    return count_named(connection, actor, name)


def _weapon(row: CountLineRow | FindingRow | ExpectedRow) -> str | None:
    return f"/weapons/{row.item_id}" if row.item_id else None


def _lines(connection: Connection, actor: Actor, asked: Asked) -> Page[CountLineRow]:
    return list_count_lines(connection, actor, _id(connection, actor, asked), asked.limit, asked.cursor, asked.order)


LINES = Listing(
    path="/counts/lines",
    name="count-lines",
    title=N_("Lines of a count"),
    question=N_("What was read, by whom, in the order in which it came?"),
    row=CountLineRow,
    columns=(
        Column("line", N_("Line"), "number"),
        Column("scan", N_("Read"), "code", _weapon),
        Column("model", N_("Model")),
        Column("serial_number", N_("Serial number"), "code", _weapon),
        Column("quantity", N_("Pieces"), "number"),
        Column("condition", N_("Condition"), "term"),
        Column("container", N_("Container")),
        Column("seal", N_("Seal"), "code"),
        Column("entered", N_("How"), "term"),
        Column("counted_at", N_("When"), "moment"),
        Column("counted_by", N_("By"), "person"),
        Column("again_of", N_("Read before in line"), "number"),
        Column("doubts", N_("Doubts")),
    ),
    filters=(OF_COUNT,),
    empty=N_("Nothing was read yet."),
    ask=_lines,
    orders=LINE_ORDERS,
    default="line",
)


def _findings(connection: Connection, actor: Actor, asked: Asked) -> Page[FindingRow]:
    kind = asked.values.get("kind")
    count_id = _id(connection, actor, asked)
    return list_findings(
        connection, actor, count_id, Kind(kind) if kind else None, asked.limit, asked.cursor, asked.order
    )


def _loss(row: FindingRow) -> str | None:
    return address("/loss-reports/new", item=row.item_id) if row.kind is Kind.MISSING and row.item_id else None


def _to_do(row: FindingRow) -> str | None:
    return N_("Report the loss") if _loss(row) else None


FINDINGS = Listing(
    path="/counts/findings",
    name="count-findings",
    title=N_("What a count found"),
    question=N_("What matched the ledger, what is missing, and where does the ledger have what was not expected?"),
    row=FindingRow,
    columns=(
        Column("kind", N_("What"), "term"),
        Column("model", N_("Model")),
        Column("serial_number", N_("Serial number"), "code", _weapon, read=lambda row: row.serial_number or row.scan),
        Column("lot", N_("Lot"), "code", sparse=True),
        Column("expected", N_("In the books"), "number", sparse=True),
        Column("counted", N_("Counted"), "number", sparse=True),
        Column("account", N_("The ledger has it in"), "person", none=N_("no book")),
        Column("site", N_("Site"), "code"),
        Column("document_number", N_("Moved by"), "code", lambda row: f"/documents/{row.document_id}", sparse=True),
        Column("item_id", N_("What now"), "term", _loss, roles=DESK, read=_to_do, sparse=True),
    ),
    filters=(choice_filter("kind", N_("What"), Kind), OF_COUNT),
    empty=N_("Nothing of this kind."),
    ask=_findings,
    orders=FINDING_ORDERS,
)  # fmt: skip


def _expected(connection: Connection, actor: Actor, asked: Asked) -> Page[ExpectedRow]:
    return list_expected(connection, actor, _id(connection, actor, asked), asked.limit, asked.cursor, asked.order)


EXPECTED = Listing(
    path="/counts/expected",
    name="count-expected",
    title=N_("What a count is to find"),
    question=N_("What do the books have there now, and which line read it?"),
    row=ExpectedRow,
    columns=(
        Column("model", N_("Model"), link=_weapon),
        Column("serial_number", N_("Serial number"), "code", _weapon),
        Column("asset_tag", N_("Asset tag"), "code", _weapon),
        Column("lot", N_("Lot"), "code"),
        Column("quantity", N_("Pieces"), "number"),
        Column("account", N_("Account"), "person"),
        Column("line", N_("Read in line"), "number"),
    ),
    filters=(OF_COUNT,),
    empty=N_("The books have nothing there."),
    ask=_expected,
    orders=EXPECTED_ORDERS,
    default="model",
)


@router.get("/counts", response_class=HTMLResponse)
def counts(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of counts."""
    return answer_list(COUNTS, request, engine, actor)


@router.get("/counts/lines", response_class=HTMLResponse)
def count_lines(request: Request, engine: Database, actor: Asker) -> Response:
    """What was read in one count."""
    return answer_list(LINES, request, engine, actor)


@router.get("/counts/findings", response_class=HTMLResponse)
def count_findings(request: Request, engine: Database, actor: Asker) -> Response:
    """What one count found."""
    return answer_list(FINDINGS, request, engine, actor)


@router.get("/counts/expected", response_class=HTMLResponse)
def count_expected(request: Request, engine: Database, actor: Asker) -> Response:
    """What one count that is not blind is to find."""
    return answer_list(EXPECTED, request, engine, actor)


SCOPES = (
    ("account", N_("one account: a store, the workshop, a unit's, a person's")),
    ("unit", N_("a unit with its sub-units and people")),
    ("seals", N_("sealed containers")),
    ("whole_site", N_("the whole site")),
)
REASONS = tuple((one, one) for one in get_args(Reason) if one != "recount")
METHODS = (("serial", N_("every serial number")), ("quantity", N_("only how many of each model")))


@router.get("/counts/new", response_class=HTMLResponse)
def new_count(request: Request, engine: Database, actor: Asker) -> Response:
    """The form that opens a count; the address may say what is known of it."""
    require(actor, COUNT)
    given = {name: value for name, value in request.query_params.items() if name in GIVEN}
    return _form(request, engine, actor, {"given": {"count_id": new_key(), **given}})


GIVEN = ("scope", "of", "counters", "method", "reason", "recount_of", "site")


@router.post("/counts", response_class=HTMLResponse)
def open_a_count(
    request: Request,
    engine: Database,
    actor: Asker,
    count_id: Annotated[str, Form()] = "",
    scope: Annotated[str, Form()] = "account",
    of: Annotated[str, Form()] = "",
    recount_of: Annotated[str, Form()] = "",
    counters: Annotated[str, Form()] = "",
    method: Annotated[str, Form()] = "serial",
    reason: Annotated[str, Form()] = "periodic",
    seeing: Annotated[str, Form()] = "",
    override: Annotated[str, Form()] = "",
    site: Annotated[str, Form()] = "",
) -> Response:
    """Opens the count, and goes to it."""
    given = {
        "count_id": count_id, "scope": scope, "of": of, "recount_of": recount_of, "counters": counters, "method": method,
        "reason": reason, "seeing": seeing, "override": override, "site": site,
    }  # fmt: skip
    try:
        opened = open_count(engine, actor, OpenCount.model_validate(_asked_for(given)))
    except ValidationError as error:
        return _form(request, engine, actor, _beside(faulty(error, _with_scopes(given))), 422)
    except StockpileError as error:
        return _form(request, engine, actor, _beside(kept(error, _with_scopes(given))), shown_problem(error)["status"])
    return RedirectResponse(f"/counts/{opened}", 303)


def _asked_for(given: Mapping[str, str]) -> dict[str, Any]:
    """The request that a form means."""
    scopes: dict[str, Any] = {
        "account": {"account": given["of"]},
        "unit": {"unit": given["of"]},
        "seals": {"seals": _several(given["of"])},
        "whole_site": {"whole_site": True},
    }
    what = {"recount_of": given["recount_of"]} if given["recount_of"] else scopes.get(given["scope"], {})
    said = {name: given[name] for name in ("count_id", "override", "site") if given[name]}
    return {
        **what, **said, "counters": _several(given["counters"]), "method": given["method"], "reason": given["reason"],
        "blind": not given["seeing"],
    }  # fmt: skip


def _several(text: str) -> list[str]:
    return [one for one in re.split(r"[,;\s]+", text) if one]


SCOPE_FIELDS = ("account", "unit", "seals")


def _with_scopes(given: Mapping[str, str]) -> dict[str, str]:
    return {**given, **dict.fromkeys(SCOPE_FIELDS, "")}


def _beside(form: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with an account, unit or seal stands beside the one field in which it is named."""
    faults = form["faults"]
    told = next((faults[name] for name in SCOPE_FIELDS if name in faults), None)
    return {**form, "faults": {**faults, "of": told} if told else faults}


def _form(
    request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200
) -> Response:  # fmt: skip
    with reading(engine, actor) as connection:
        sites = sites_offered(connection) if actor.role in ANYWHERE else ()
        again = form["given"].get("recount_of")
        repeated = read_count(connection, actor, UUID(again)).count.name if again else None
    shown = {
        "form": {"faults": {}, "problem": None, **form},
        "scopes": SCOPES,
        "reasons": REASONS,
        "methods": METHODS,
        "sites": sites,
        "repeated": repeated,
        "may_override": actor.role in MayOverride,
    }
    response: Response = templates.TemplateResponse(request, "count_new.html", shown, status_code=status)
    return response


@router.get("/counts/{count_id}", response_class=HTMLResponse)
def count(count_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One count: who counts what, how far it is, and, once it is closed, what it found."""
    return count_page(request, engine, actor, count_id)


@router.post("/counts/{count_id}/lines", response_class=HTMLResponse)
def key_lines(
    count_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    batch_id: Annotated[str, Form()] = "",
    read: Annotated[str, Form()] = "",
    seals: Annotated[str, Form()] = "",
    counted_by: Annotated[str, Form()] = "",
    model: Annotated[list[str] | None, Form()] = None,
    quantity: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Keeps what was read: numbers and seals, a line each, and how many there are of models. It says what each was, never what was
    expected.
    """
    numbered = list(zip(model or (), quantity or (), strict=False))
    given = {"batch_id": batch_id, "read": read, "seals": seals, "counted_by": counted_by, "numbered": numbered}
    lines: list[dict[str, Any]] = [
        {"scan": line.strip(), "entered": "typed"} for line in read.splitlines() if line.strip()
    ]
    lines += [{"seal": line.strip(), "entered": "typed"} for line in seals.splitlines() if line.strip()]
    lines += [
        {"model": name.strip(), "quantity": number.strip() or None, "entered": "typed"}
        for name, number in numbered
        if name.strip() or number.strip()
    ]
    try:
        if not lines:
            raise Invalid(
                sentence("Nothing was kept: nothing was typed."),
                [Fault(sentence("type or scan at least one"), field="read")],
            )
        with reading(engine, actor) as connection:
            site = read_count(connection, actor, count_id).count.site
        wanted = {
            "lines": lines,
            "batch_id": batch_id or new_key(),
            "site": site,
            "counted_by": counted_by.strip() or None,
        }
        taken = send_lines(engine, actor, count_id, SendLines.model_validate(wanted))
    except ValidationError as error:
        return count_page(request, engine, actor, count_id, faulty(error, given), status=422)
    except StockpileError as error:
        return count_page(request, engine, actor, count_id, kept(error, given), status=shown_problem(error)["status"])
    return count_page(request, engine, actor, count_id, taken=taken)  # fmt: skip


@router.post("/counts/{count_id}/close", response_class=HTMLResponse)
def close_a_count(count_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """Closes it, and shows what it found."""
    try:
        with reading(engine, actor) as connection:
            site = read_count(connection, actor, count_id).count.site
        close_count(engine, actor, count_id, site)
    except StockpileError as error:
        return count_page(request, engine, actor, count_id, kept(error, {}), status=shown_problem(error)["status"])
    return RedirectResponse(f"/counts/{count_id}", 303)


@router.post("/counts/{count_id}/abandon", response_class=HTMLResponse)
def abandon_a_count(
    count_id: UUID, request: Request, engine: Database, actor: Asker, because: Annotated[str, Form()] = ""
) -> Response:
    """Gives it up, with the reason."""
    given = {"because": because}
    try:
        with reading(engine, actor) as connection:
            site = read_count(connection, actor, count_id).count.site
        abandon_count(engine, actor, count_id, AbandonCount.model_validate({"because": because, "site": site}))
    except ValidationError as error:
        return count_page(request, engine, actor, count_id, faulty(error, given), status=422)
    except StockpileError as error:
        return count_page(request, engine, actor, count_id, kept(error, given), status=shown_problem(error)["status"])
    return RedirectResponse(f"/counts/{count_id}", 303)


FIGURES = tuple(Kind)


def count_page(
    request: Request,
    engine: Engine,
    actor: Actor,
    count_id: UUID,
    form: Mapping[str, Any] | None = None,
    taken: BatchTaken | None = None,
    status: int = 200,
) -> Response:
    """The page of a count. `taken`: the lines that were kept just now; `form`: what could not be."""
    with reading(engine, actor) as connection:
        found = read_count(connection, actor, count_id)
    one = found.count
    given = {"batch_id": str(new_key()), "numbered": (), **((form or {}).get("given") or {})}
    rows = [*given["numbered"], *[("", "")] * MODELS_OFFERED][: max(MODELS_OFFERED, len(given["numbered"]))]
    shown = {
        "count": one,
        "figures": [(kind, found.findings.get(kind, 0), address("/counts/findings", count=one.name, kind=kind)) for kind in FIGURES
                    if kind in found.findings or kind in (Kind.MATCHED, Kind.MISSING, Kind.UNEXPECTED)],
        "missing": found.findings.get(Kind.MISSING, 0),
        "may_count": one.state is State.OPEN and may(actor, COUNT),
        "may_close": one.state in (State.OPEN, State.CLOSING) and may(actor, CLOSE_COUNT),
        "may_report": actor.role in DESK,
        "taken": taken,
        "numbered": rows,
        "form": {"faults": {}, "problem": None, **(form or {}), "given": given},
    }  # fmt: skip
    response: Response = templates.TemplateResponse(request, "count.html", shown, status_code=status)
    return response

"""Cases: the list, one of them with all that was done in it, and the forms that open one and add to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Cursor, Database
from api.pages import address, may, templates
from api.pages.forms import faulty, kept, or_none, stored_evidence
from api.pages.listing import (
    PAGE_ROWS,
    Asked,
    Column,
    Filter,
    Listing,
    Table,
    answer_list,
    asked_of,
    choice_filter,
    day_filter,
    key_filter,
    row_as_read,
    row_digest,
    site_filter,
    table,
    text_filter,
)
from api.pages.problems import shown_problem
from api.words import N_
from stockpile.cases import case as cases
from stockpile.cases.case import (
    AddKind,
    AddPart,
    AnswerProposal,
    AssignCase,
    OpenCase,
    Outcome,
    ProposeOutcome,
    may_close,
)
from stockpile.cases.parts import standing
from stockpile.db.tables.cases import SUBJECTS
from stockpile.errors import Fault, Invalid, NotFound, StockpileError
from stockpile.keys import new_key
from stockpile.parties import read_party
from stockpile.reports.cases import (
    ORDERS,
    Age,
    CaseRow,
    CasesSought,
    CaseState,
    files_of,
    list_cases,
    read_case,
)
from stockpile.reports.described import described
from stockpile.reports.discrepancies import read_discrepancy
from stockpile.reports.documents import number_of
from stockpile.reports.keyset import Page
from stockpile.reports.registers import read_register
from stockpile.rights import LEAD_CASES, WRITE_CASES, Actor, reading, require
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

MOST_FILES = 20
Text = Annotated[str, Form()]
Files = Annotated[list[UploadFile] | None, File()]


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[CaseRow]:
    values = dict(asked.values)
    state = CaseState(values.pop("state", CaseState.OPEN))
    age = values.pop("age", None)
    sought = CasesSought(state=state, age=Age(age) if age else None, **values)
    return list_cases(connection, actor, sought, asked.limit, asked.cursor, asked.order)


def _case(row: CaseRow) -> str:
    return f"/cases/{row.case_id}"


CASES = Listing(
    path="/cases",
    name="cases",
    title=N_("Cases"),
    question=N_("What is being looked into, who answers for it, and until when?"),
    row=CaseRow,
    columns=(
        Column("case", N_("Case"), "code", _case, "case"),
        Column("title", N_("What it is about"), "text", _case, "title"),
        Column("subject", N_("About a"), "term"),
        Column("site", N_("Site"), "code", sparse=True),
        Column("state", N_("State"), "term"),
        Column("age_days", N_("Days open"), "number"),
        Column("due_on", N_("Due"), "day"),
        Column("owner", N_("Answers for it"), "person"),
        Column("outcome", N_("Outcome"), "term", sparse=True),
        Column("opened_at", N_("Opened"), "moment"),
    ),
    filters=(
        text_filter(N_("Part of its title or number")),
        Filter("state", N_("State"), "choice", CaseState, tuple((str(each), str(each)) for each in CaseState if each is not CaseState.OPEN),
               any=N_("open")),
        day_filter("due_before", N_("Due before")),
        Filter("owner", N_("Answers for it"), help=N_("A service number")),
        choice_filter("age", N_("Open for"), Age),
        choice_filter("subject", N_("About a"), SUBJECTS),
        site_filter(),
        key_filter("item_id", N_("About one weapon.")),
        key_filter("discrepancy_id", N_("About one discrepancy.")),
        key_filter("document_id", N_("About one document.")),
        key_filter("party_id", N_("About one person or unit.")),
    ),
    default="opened_at",
    empty=N_("No case fits."),
    ask=_ask,
    orders=ORDERS,
    cases=False,
)  # fmt: skip


@router.get("/cases", response_class=HTMLResponse)
def list_of_cases(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of cases."""
    return answer_list(CASES, request, engine, actor)


@dataclass(frozen=True, slots=True)
class Meant:
    """What a case is going to be about: the subject of the request, how it is called, where it leads, and, of a report, its row."""

    subject: dict[str, Any]
    title: str
    link: str | None = None
    row: Table | None = None
    proposed: str | None = None


def _title(listing: Listing, shown: Table) -> str:
    """What a case about a row may be called: the list, and what the row begins with."""
    said = [str(cell.value) for cell in shown.rows[0] if isinstance(cell.value, (str, int)) and cell.value != ""]
    return f"{listing.title}: {', '.join(said[:2])}"[:200]


def _meant(request: Request, connection: Connection, actor: Actor, given: Mapping[str, str]) -> Meant:
    """What the address, or the form's hidden fields, say the case is about. Raises NotFound, Invalid."""
    if given.get("list"):
        return _row_meant(request, connection, actor, given)
    if given.get("discrepancy"):
        row = read_discrepancy(connection, actor, _key(given["discrepancy"]))
        item = described(connection, actor, [row.item_id]).get(row.item_id) if row.item_id else None
        of = f": {' '.join(filter(None, (item.model, item.serial_number)))}" if item else ""
        return Meant({"discrepancy": row.discrepancy_id}, f"{row.kind}{of}", f"/discrepancies/{row.discrepancy_id}")
    if given.get("weapon"):
        item_id = _key(given["weapon"])
        item = described(connection, actor, [item_id]).get(item_id)
        if item is None:
            raise NotFound(sentence("There is no weapon {item_id} here.", item_id=item_id))
        called = " ".join(filter(None, (item.model, item.serial_number or item.asset_tag)))
        return Meant({"weapon": str(item_id)}, called, f"/weapons/{item_id}")
    if given.get("document"):
        document_id = _key(given["document"])
        return Meant({"document": str(document_id)}, number_of(connection, document_id), f"/documents/{document_id}")
    if given.get("register_id") and given.get("line", "").isdecimal():
        register = read_register(connection, actor, _key(given["register_id"]), limit=1).register
        subject = {"list": str(register.register_id), "line": int(given["line"])}
        return Meant(subject, f"{register.name}, {given['line']}", f"/registers/{register.register_id}")
    if given.get("party"):
        party = read_party(connection, _key(given["party"]))
        if party.kind in ("person", "unit"):
            return Meant({party.kind: party.code}, party.display, f"/parties/{party.party_id}")
    raise NotFound(sentence("Say what the case is about: open it from a weapon, a document, a discrepancy or a list."))


def _row_meant(request: Request, connection: Connection, actor: Actor, given: Mapping[str, str]) -> Meant:
    """A row of a list, read once more as it was asked for. Raises Invalid where it says something else by now."""
    listing: Listing | None = request.app.state.listings.get(given["list"])
    if listing is None or not listing.cases or not given.get("row", "").isdecimal():
        raise NotFound(sentence("There is no such list."))
    asked = dict(parse_qsl(given.get("asked", "")))
    rows = listing.ask(connection, actor, asked_of(listing, actor, asked, PAGE_ROWS)).rows
    number = int(given["row"])
    if number >= len(rows) or row_digest(rows[number]) != given.get("seen"):
        raise Invalid(
            sentence("The list says otherwise by now: go back to it, and choose the row again."),
            [Fault(sentence("this row has changed, or stands elsewhere"), field="row")],
        )
    row = row_as_read(rows[number])
    asked.pop("cursor", None)
    report = {"name": listing.title, "path": listing.path, "asked": asked, "row": row}
    shown = table(listing.columns, [rows[number]], "", actor.role)
    return Meant({"report": report}, listing.title, address(listing.path, **asked), shown, _title(listing, shown))


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(sentence("There is nothing of the key {key} here.", key=text[:60])) from None


SUBJECT = (
    "discrepancy",
    "weapon",
    "document",
    "register_id",
    "line",
    "party",
    "list",
    "asked",
    "row",
    "seen",
    "reopens",
)
"""What an address or a form's hidden fields may say of what a case is about."""


@router.get("/cases/new", response_class=HTMLResponse)
def new_case(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a new case."""
    require(actor, WRITE_CASES)
    given = {name: request.query_params[name] for name in SUBJECT if name in request.query_params}
    return _new(request, engine, actor, {"given": {**given, "case_id": str(new_key())}})


@router.post("/cases/new", response_class=HTMLResponse)
def open_case(
    request: Request,
    engine: Database,
    actor: Asker,
    case_id: Text = "",
    title: Text = "",
    owner: Text = "",
    due_on: Text = "",
    text: Text = "",
    attached: Text = "",
    discrepancy: Text = "",
    weapon: Text = "",
    document: Text = "",
    register_id: Text = "",
    line: Text = "",
    party: Text = "",
    listed: Annotated[str, Form(alias="list")] = "",
    asked: Text = "",
    row: Text = "",
    seen: Text = "",
    reopens: Text = "",
    files: Files = None,
) -> Response:
    """Opens it. Files that were chosen are kept meanwhile, so that they are chosen once."""
    given: dict[str, Any] = {
        "case_id": case_id, "title": title, "owner": owner, "due_on": due_on, "text": text, "attached": attached,
        "discrepancy": discrepancy, "weapon": weapon, "document": document, "register_id": register_id, "line": line,
        "party": party, "list": listed, "asked": asked, "row": row, "seen": seen, "reopens": reopens,
    }  # fmt: skip

    def do() -> str:
        require(actor, WRITE_CASES)
        given["attached"] = _kept_files(attached, files)
        with reading(engine, actor) as connection:
            meant = _meant(request, connection, actor, given)
        wanted = {
            "case_id": case_id or new_key(), "title": title, "subject": meant.subject, "owner": or_none(owner),
            "due_on": or_none(due_on), "text": or_none(text), "attachments": given["attached"].split(),
            "reopens": or_none(reopens),
        }  # fmt: skip
        return f"/cases/{cases.open_case(engine, actor, OpenCase.model_validate(wanted)).case_id}"

    return _sent(given, do, lambda form, status: _new(request, engine, actor, form, status))


def _new(request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    given = dict(form["given"])
    problem = form.get("problem")
    meant = None
    with reading(engine, actor) as connection:
        try:
            meant = _meant(request, connection, actor, given)
        except Invalid as error:
            problem, status = shown_problem(error), 422
        reopened = read_case(connection, actor, _key(given["reopens"]), 1).case if given.get("reopens") else None
    if meant is not None and "title" not in given:
        given["title"] = meant.proposed or meant.title
    shown = {
        "meant": meant,
        "reopened": reopened,
        "hidden": {name: given[name] for name in (*SUBJECT, "case_id", "attached") if given.get(name)},
        "form": {"given": given, "faults": form.get("faults", {}), "problem": problem},
    }
    response: Response = templates.TemplateResponse(request, "case_new.html", shown, status_code=status)
    return response


def _kept_files(attached: str, files: Iterable[UploadFile] | None) -> str:
    """Stores the photos and scans of a form, and gives the digests of all that it has by now. Raises UnreadableFile, Invalid."""
    digests = attached.split()
    for file in files or ():
        if file.filename:
            digests.append(stored_evidence(file))
    if len(digests) > MOST_FILES:
        fault = Fault(sentence("at most {most} at once", most=MOST_FILES), field="files")
        raise Invalid(sentence("Nothing was done: too many files."), [fault])
    return " ".join(dict.fromkeys(digests))


def _sent(given: dict[str, Any], do: Callable[[], str], show: Callable[[Mapping[str, Any], int], Response]) -> Response:
    """As `forms.sent`, but what was given is looked at when it is known: files come in on the way."""
    try:
        return RedirectResponse(do(), 303)
    except ValidationError as error:
        return show(faulty(error, given), 422)
    except StockpileError as error:
        form = kept(error, given)
        return show(form, form["problem"]["status"])


@router.get("/cases/{case_id}", response_class=HTMLResponse)
def case(case_id: UUID, request: Request, engine: Database, actor: Asker, cursor: Cursor = None) -> Response:
    """One case."""
    return _page(request, engine, actor, case_id, {}, cursor=cursor)


@router.post("/cases/{case_id}/add", response_class=HTMLResponse)
def add(
    case_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    part_id: Text = "",
    kind: Text = "",
    text: Text = "",
    document: Text = "",
    attached: Text = "",
    files: Files = None,
) -> Response:
    """A step of causative research, a note or evidence."""
    given = {"part_id": part_id, "kind": kind, "text": text, "document": document, "attached": attached}

    def do() -> str:
        require(actor, WRITE_CASES)
        given["attached"] = _kept_files(attached, files)
        wanted = {
            "part_id": part_id or new_key(), "kind": kind, "text": or_none(text), "document": or_none(document),
            "attachments": given["attached"].split(),
        }  # fmt: skip
        written = cases.add_part(engine, actor, case_id, AddPart.model_validate(wanted))
        return f"/cases/{case_id}#part-{written.part}"

    return _sent(given, do, lambda form, status: _page(request, engine, actor, case_id, {"add": form}, status))


@router.post("/cases/{case_id}/assign", response_class=HTMLResponse)
def assign(
    case_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    owner: Text = "",
    due_on: Text = "",
    text: Text = "",
) -> Response:
    """Who answers for it from now on, and until when."""
    given = {"owner": owner, "due_on": due_on, "text": text}

    def do() -> str:
        wanted = {name: or_none(value) for name, value in given.items()}
        cases.assign_case(engine, actor, case_id, AssignCase.model_validate(wanted))
        return f"/cases/{case_id}"

    return _sent(given, do, lambda form, status: _page(request, engine, actor, case_id, {"assign": form}, status))


@router.post("/cases/{case_id}/outcome", response_class=HTMLResponse)
def propose(
    case_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    outcome: Text = "",
    text: Text = "",
    document: Text = "",
) -> Response:
    """How it should end."""
    given = {"outcome": outcome, "text": text, "document": document}

    def do() -> str:
        wanted = {"outcome": outcome, "text": text, "document": or_none(document)}
        cases.propose_outcome(engine, actor, case_id, ProposeOutcome.model_validate(wanted))
        return f"/cases/{case_id}"

    return _sent(given, do, lambda form, status: _page(request, engine, actor, case_id, {"outcome": form}, status))


@router.post("/cases/{case_id}/answer", response_class=HTMLResponse)
def answer(
    case_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    agree: Text = "",
    text: Text = "",
) -> Response:
    """The second person's answer; or who proposed it takes it back."""
    given = {"text": text}

    def do() -> str:
        wanted = AnswerProposal.model_validate({"text": or_none(text)})
        (cases.close_case if agree == "yes" else cases.decline_outcome)(engine, actor, case_id, wanted)
        return f"/cases/{case_id}"

    return _sent(given, do, lambda form, status: _page(request, engine, actor, case_id, {"answer": form}, status))


EMPTY: dict[str, Any] = {"given": {}, "faults": {}, "problem": None}


def _page(
    request: Request,
    engine: Engine,
    actor: Actor,
    case_id: UUID,
    forms: Mapping[str, Any],
    status: int = 200,
    cursor: str | None = None,
) -> Response:
    with reading(engine, actor) as connection:
        found = read_case(connection, actor, case_id, 100, cursor)
        stands = standing(connection, case_id)
        item_id = found.case.item_id
        item = described(connection, actor, [item_id]).get(item_id) if item_id else None
    own = stands.proposal is not None and stands.proposal.proposed_by == actor.party_id
    leads = may(actor, LEAD_CASES)
    shown = {
        "case": found.case,
        "found": found,
        "item": item,
        "files": files_of(found),
        "report_row": _row_said(found.report),
        "report_link": _report_link(found.report),
        "proposal": stands.proposal,
        "open": not stands.closed,
        "may_write": not stands.closed and may(actor, WRITE_CASES),
        "may_assign": not stands.closed and (leads or stands.owner_id == actor.party_id),
        "may_close": may_close(actor, stands),
        "may_decline": stands.proposal is not None and not stands.closed and (own or leads),
        "own": own,
        "kinds": tuple((str(kind), KINDS[kind]) for kind in (AddKind.STEP, AddKind.NOTE, AddKind.EVIDENCE)),
        "outcomes": tuple((str(one), OUTCOMES[one]) for one in Outcome),
        "part_id": str(new_key()),
        "forms": {name: {**EMPTY, **forms.get(name, {})} for name in ("add", "assign", "outcome", "answer")},
        "cursor": found.cursor,
    }
    response: Response = templates.TemplateResponse(request, "case.html", shown, status_code=status)
    return response


KINDS = {
    AddKind.STEP: N_("Causative research: what was looked into, and what was found"),
    AddKind.NOTE: N_("Note"),
    AddKind.EVIDENCE: N_("Evidence"),
}
OUTCOMES = {
    Outcome.FOUND: N_("Found: it is where it should be, or was brought back"),
    Outcome.CLERICAL: N_("Clerical: somebody wrote it down wrong"),
    Outcome.LOSS_REPORT: N_("Loss report: it is gone, and reported"),
    Outcome.DISCIPLINARY: N_("Disciplinary: somebody did what they may not"),
}


def _row_said(report: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    """What a report's row says to people: neither keys nor what is empty."""
    row = (report or {}).get("row", {})
    return [(name, value) for name, value in row.items() if value not in (None, "") and not name.endswith("_id")]


def _report_link(report: Mapping[str, Any] | None) -> str | None:
    if not report or not report.get("path"):
        return None
    asked = {name: value for name, value in report.get("asked", {}).items() if isinstance(value, str)}
    return address(report["path"], **asked)

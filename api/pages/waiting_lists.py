"""Lists of what waits: drafts for a second party, counts due, weapon cards out, closures, one's own long tasks."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import (
    Asked,
    Column,
    Listing,
    Way,
    answer_list,
    choice_filter,
    flag_filter,
    site_filter,
    text_filter,
)
from api.words import N_
from stockpile import closures, jobs
from stockpile.closures import Closure
from stockpile.jobs import Job
from stockpile.movements import MOVEMENTS, AccountClass
from stockpile.reports import drafts
from stockpile.reports.counts_due import DUE_ORDERS, DueRow, list_due
from stockpile.reports.drafts import DraftRow, list_drafts
from stockpile.reports.keyset import Page
from stockpile.reports.weapon_cards import ORDERS as CARD_ORDERS
from stockpile.reports.weapon_cards import CardOut, cards_out
from stockpile.rights import COUNT, DESK, RIGHTS, Actor

router = APIRouter(include_in_schema=False)

TWO_PARTIES = tuple(movement.act for movement in MOVEMENTS if movement.two_parties)


def _drafts(connection: Connection, actor: Actor, asked: Asked) -> Page[DraftRow]:
    values = {"waiting": True, **asked.values}
    return list_drafts(connection, actor, drafts.Sought(**values), asked.limit, asked.cursor, asked.order)


DRAFTS = Listing(
    path="/drafts",
    name="drafts",
    title=N_("Approvals"),
    question=N_("What did somebody ask for that takes a second person?"),
    row=DraftRow,
    columns=(
        Column("act", N_("Act"), "term", lambda row: f"/drafts/{row.document_id}"),
        Column("site", N_("Site"), "code"),
        Column("drafted_by", N_("Asked for by"), "person"),
        Column("drafted_at", N_("Asked for on"), "moment", order="drafted_at"),
        Column("outcome", N_("Outcome"), "term"),
        Column("reason", N_("Reason")),
    ),
    filters=(
        choice_filter("act", N_("Act"), TWO_PARTIES),
        flag_filter("waiting", N_("Still waits"), any=N_("yes")),
        flag_filter("own", N_("Asked for by me")),
        site_filter(),
    ),
    default="drafted_at",
    empty=N_("Nothing waits for a second person."),
    ask=_drafts,
    orders=drafts.ORDERS,
)


@router.get("/drafts", response_class=HTMLResponse)
def list_of_drafts(request: Request, engine: Database, actor: Asker) -> Response:
    """The drafts that wait."""
    return answer_list(DRAFTS, request, engine, actor)


def _closures(connection: Connection, actor: Actor, asked: Asked) -> Page[Closure]:
    site, waiting = asked.values.get("site"), asked.values.get("waiting", True)
    return closures.list_closures(connection, actor, site, waiting, asked.limit, asked.cursor, asked.order)


def _explaining(row: Closure) -> str | None:
    """The document, unless it is another site's, which has no number here."""
    return f"/documents/{row.explained_by}" if "/" in row.document_number else None


def _closure(row: Closure) -> str:
    return f"/closures/{row.closure_id}"


CLOSURES = Listing(
    path="/closures",
    name="closures",
    title=N_("Closures of discrepancies"),
    question=N_("Which discrepancies does somebody say are explained, and who agreed?"),
    row=Closure,
    columns=(
        Column("closure_id", N_("Discrepancies"), "number", _closure, read=lambda row: len(row.discrepancies)),
        Column("document_number", N_("Explained by"), "code", _explaining),
        Column("explanation", N_("Explanation"), link=_closure),
        Column("proposed_by", N_("Asked for by"), "person"),
        Column("proposed_at", N_("Asked for on"), "moment", order="proposed_at"),
        Column("outcome", N_("Outcome"), "term"),
        Column("settled_by", N_("Settled by"), "person"),
    ),
    filters=(flag_filter("waiting", N_("Still waits"), any=N_("yes")), site_filter()),
    default="proposed_at",
    empty=N_("No closure waits for a second person."),
    ask=_closures,
    orders=closures.ORDERS,
)


@router.get("/closures", response_class=HTMLResponse)
def list_of_closures(request: Request, engine: Database, actor: Asker) -> Response:
    """The closures that wait."""
    return answer_list(CLOSURES, request, engine, actor)


def _due(connection: Connection, actor: Actor, asked: Asked) -> Page[DueRow]:
    values = asked.values
    return list_due(
        connection, actor, values.get("site"), values.get("overdue"), asked.limit, asked.cursor, asked.order
    )


def _on_account(row: DueRow) -> str:
    return f"/weapons?account={row.account_id}"


def _open_count(row: DueRow) -> str:
    """The form that opens a count of it: a store and the workshop go by their names."""
    named = row.account if row.account_class in (AccountClass.STORE, AccountClass.MAINTENANCE) else None
    return address("/counts/new", scope="account", of=named, site=row.site)


COUNTS_DUE = Listing(
    path="/counts/due",
    name="counts-due",
    title=N_("Counts due"),
    question=N_("Which accounts are to be counted, and since when?"),
    row=DueRow,
    columns=(
        Column("account", N_("Account"), link=_on_account),
        Column("account_class", N_("Kind"), "place"),
        Column("site", N_("Site"), "code"),
        Column("weapons", N_("Weapons"), "number", _on_account),
        Column("security_risk_category", N_("Risk category"), "code"),
        Column("last_counted_at", N_("Last counted"), "moment", none=N_("never")),
        Column("due_on", N_("Due"), "day", none=N_("at once")),
        Column("days_overdue", N_("Days overdue"), "number", read=lambda row: row.days_overdue or None),
        Column("every_days", N_("Every (days)"), "number"),
        Column("period", N_("What now"), "term", _open_count, roles=RIGHTS[COUNT], read=lambda row: N_("Open a count")),
    ),
    ways=(Way(N_("All counts"), "/counts"),),
    filters=(flag_filter("overdue", N_("Overdue")), site_filter()),
    empty=N_("Nothing is to be counted."),
    ask=_due,
    orders=DUE_ORDERS,
    default="due_on",
)


@router.get("/counts/due", response_class=HTMLResponse)
def counts_due(request: Request, engine: Database, actor: Asker) -> Response:
    """What is to be counted."""
    return answer_list(COUNTS_DUE, request, engine, actor)


def _cards(connection: Connection, actor: Actor, asked: Asked) -> Page[CardOut]:
    overdue, site, text = (asked.values.get(name) for name in ("overdue", "site", "text"))
    return cards_out(connection, actor, overdue, site, text, asked.limit, asked.cursor, asked.order)


CARDS = Listing(
    path="/weapon-cards",
    name="weapon-cards",
    title=N_("Weapon cards out"),
    question=N_("Which weapons are out against a card in the rack, and since when?"),
    row=CardOut,
    columns=(
        Column("model", N_("Model")),
        Column("serial_number", N_("Serial number"), "code", lambda row: f"/weapons/{row.item_id}"),
        Column("name", N_("Person"), "person", lambda row: address("/search", q=row.person) if row.person else None, "person",
               lambda row: " ".join(filter(None, (row.rank, row.name, f"({row.person})")))),
        Column("unit", N_("Unit"), "code"),
        Column("since", N_("Out since"), "moment", order="since"),
        Column("due_at", N_("Due"), "moment"),
        Column("overdue", N_("Overdue"), "flag"),
        Column("document_number", N_("Document"), "code", lambda row: f"/documents/{row.document_id}"),
    ),
    filters=(text_filter(N_("Person, unit, model or serial number")), flag_filter("overdue", N_("Overdue")), site_filter()),
    default="since",
    ways=(Way(N_("Take weapons in at the station"), "/station", DESK),),
    empty=N_("Every card is back: no weapon is out against one."),
    ask=_cards,
    orders=CARD_ORDERS,
)  # fmt: skip


@router.get("/weapon-cards", response_class=HTMLResponse)
def list_of_cards(request: Request, engine: Database, actor: Asker) -> Response:
    """The cards that stand in the racks."""
    return answer_list(CARDS, request, engine, actor)


def _jobs(connection: Connection, actor: Actor, asked: Asked) -> Page[Job]:
    return jobs.list_own(connection, actor, asked.limit, asked.cursor, asked.order)


def _came_of_it(job: Job) -> str | None:
    posted = (job.result or {}).get("posted") or (job.result or {}).get("draft") or {}
    return f"/documents/{posted['document_id']}" if "posted" in (job.result or {}) and "document_id" in posted else None


JOBS = Listing(
    path="/jobs",
    name="jobs",
    title=N_("My long tasks"),
    question=N_("How far is what I started in the background, and what came of it?"),
    row=Job,
    columns=(
        Column("kind", N_("Task"), "term", lambda job: f"/jobs/{job.job_id}"),
        Column("state", N_("State"), "term"),
        Column("doing", N_("Step"), "term", sparse=True),
        Column("done", N_("Done"), "number", _came_of_it),
        Column("total", N_("Of"), "number"),
        Column("started_at", N_("Started"), "moment"),
        Column("ended_at", N_("Ended"), "moment"),
        Column("result", N_("Problem"), read=lambda job: ((job.result or {}).get("problem") or {}).get("detail")),
    ),
    empty=N_("You started no long task."),
    ask=_jobs,
    orders=jobs.ORDERS,
    default="-started_at",
)


@router.get("/jobs", response_class=HTMLResponse)
def list_of_jobs(request: Request, engine: Database, actor: Asker) -> Response:
    """One's own jobs."""
    return answer_list(JOBS, request, engine, actor)

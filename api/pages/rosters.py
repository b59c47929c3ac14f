"""People come into the books: one by one, or as a roster that is tried first and then taken, and who may draw for a unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.forms import faulty, kept, sent, stored_list
from api.pages.listing import (
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    sites_offered,
    table,
    text_filter,
)
from api.pages.problems import shown_problem
from api.v1.parties import NewPerson
from api.v1.signature_cards import NewCard
from api.words import N_
from stockpile import parties, sites
from stockpile.errors import Invalid, StockpileError
from stockpile.reports.keyset import Page
from stockpile.reports.reference import CARD_ORDERS, CardRow, read_signature_card, search_signature_cards
from stockpile.rights import KEEP_REFERENCE, READ_PEOPLE, RIGHTS, Actor, reading, require
from stockpile.roster import Imported, RosterRequest, import_roster
from stockpile.sentences import sentence
from stockpile.sites import day_on_the_walls

router = APIRouter(include_in_schema=False)

CHANGES_SHOWN = 150


def _cards(connection: Connection, actor: Actor, asked: Asked) -> Page[CardRow]:
    require(actor, READ_PEOPLE)
    unit = asked.values.get("unit")
    unit_id = parties.need_party(connection, "unit", unit, "unit").party_id if unit else None
    day = day_on_the_walls(connection, actor.time_zone)
    return search_signature_cards(
        connection,
        day,
        unit_id,
        None,
        asked.values.get("state"),
        asked.values.get("text"),
        asked.limit,
        asked.cursor,
        asked.order,
    )


def _card(row: CardRow) -> str:
    return f"/signature-cards/{row.signature_card_id}"


def _to_do(row: CardRow) -> str | None:
    return N_("Withdraw it") if row.withdrawn_at is None and row.state != "expired" else None


SIGNATURE_CARDS = Listing(
    path="/signature-cards",
    name="signature-cards",
    title=N_("Signature cards"),
    question=N_("Who may draw for which unit, and until when?"),
    row=CardRow,
    columns=(
        Column("unit", N_("Unit"), "code", lambda row: address("/search", q=row.unit)),
        Column("person", N_("Service number"), "code", lambda row: address("/search", q=row.person)),
        Column("rank", N_("Rank")),
        Column("name", N_("Name")),
        Column("since", N_("From"), "day"),
        Column("until", N_("To"), "day"),
        Column("state", N_("State"), "term", _card),
        Column(
            "signature_card_id", N_("What now"), "term", _card, roles=RIGHTS[KEEP_REFERENCE], read=_to_do, sparse=True
        ),
    ),
    filters=(
        text_filter(N_("Unit or person")),
        choice_filter("state", N_("State"), ("valid", "expired", "withdrawn", "not begun", "left")),
        Filter("unit", N_("Unit"), help=N_("Its code")),
    ),
    empty=N_("Nobody may draw for a unit so."),
    ask=_cards,
    orders=CARD_ORDERS,
    default="until",
    ways=(Way(N_("Let a person draw for a unit"), "/signature-cards/new", RIGHTS[KEEP_REFERENCE]),),
)


@router.get("/signature-cards", response_class=HTMLResponse)
def signature_cards(request: Request, engine: Database, actor: Asker) -> Response:
    """Who may draw for a unit."""
    return answer_list(SIGNATURE_CARDS, request, engine, actor)


def _form(
    request: Request, engine: Engine, actor: Actor, template: str, form: Mapping[str, Any], status: int = 200
) -> Response:
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        shown = {
            "sites": sites_offered(connection),
            "today": day_on_the_walls(connection, actor.time_zone).isoformat(),
            "form": {"faults": {}, "problem": None, "given": {}, **form},
        }
    response: Response = templates.TemplateResponse(request, template, shown, status_code=status)
    return response


@router.get("/signature-cards/new", response_class=HTMLResponse)
def card_form(request: Request, engine: Database, actor: Asker, unit: str = "", person: str = "") -> Response:
    """The form of a line on a unit's signature card."""
    return _form(request, engine, actor, "card_new.html", {"given": {"unit": unit, "person": person}})


@router.post("/signature-cards", response_class=HTMLResponse)
def give_card(
    request: Request,
    engine: Database,
    actor: Asker,
    unit: Annotated[str, Form()] = "",
    person: Annotated[str, Form()] = "",
    since: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
) -> Response:
    """Lets a person draw for a unit."""
    given = {"unit": unit, "person": person, "since": since, "until": until}

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        card = NewCard.model_validate(given)
        with reading(engine, actor) as connection:
            of = parties.need_party(connection, "unit", card.unit, "unit")
            who = parties.need_party(connection, "person", card.person, "person")
            parties.give_signature_card(connection, of, who, card.since, card.until, actor.party_id)
        return f"/signature-cards?unit={of.code}"

    return sent(given, do, lambda form, status: _form(request, engine, actor, "card_new.html", form, status))


@router.get("/signature-cards/{card_id}", response_class=HTMLResponse)
def card(card_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One line of a card, and for a registrar the button that withdraws it."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        found = read_signature_card(connection, card_id, day_on_the_walls(connection, actor.time_zone))
    shown = {"card": found, "may_withdraw": actor.role in RIGHTS[KEEP_REFERENCE] and found.withdrawn_at is None}
    response: Response = templates.TemplateResponse(request, "card.html", shown)
    return response


@router.post("/signature-cards/{card_id}/withdraw", response_class=HTMLResponse)
def withdraw_card(card_id: UUID, engine: Database, actor: Asker) -> Response:
    """From now on the person may not draw by it."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        parties.withdraw_signature_card(connection, card_id)
    return RedirectResponse(f"/signature-cards/{card_id}", 303)


@router.get("/people/new", response_class=HTMLResponse)
def person_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a new person."""
    return _form(request, engine, actor, "person_new.html", {})


@router.post("/people", response_class=HTMLResponse)
def add_person(
    request: Request,
    engine: Database,
    actor: Asker,
    service_number: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    rank: Annotated[str, Form()] = "",
    site: Annotated[str, Form()] = "",
    unit: Annotated[str, Form()] = "",
    since: Annotated[str, Form()] = "",
) -> Response:
    """Adds a person, and goes to their page."""
    given = {"service_number": service_number, "name": name, "rank": rank, "site": site, "unit": unit, "since": since}

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        wanted = NewPerson.model_validate({**given, "rank": rank.strip() or None, "unit": unit.strip() or None})
        with reading(engine, actor) as connection:
            at = sites.find_site(connection, wanted.site)
            into = parties.need_party(connection, "unit", wanted.unit, "unit") if wanted.unit else None
            added = parties.add_person(
                connection, wanted.service_number, wanted.name, wanted.rank, at, into, wanted.since
            )
        return f"/people/{added.party_id}"

    return sent(given, do, lambda form, status: _form(request, engine, actor, "person_new.html", form, status))


CHANGES = (
    Column("kind", N_("What"), "term"),
    Column("service_number", N_("Service number"), "code"),
    Column("rank", N_("Rank")),
    Column("name", N_("Name")),
    Column("unit", N_("Unit"), "code"),
    Column("was", N_("So far")),
    Column("because", N_("Why"), "term"),
    Column("row", N_("Line"), "number"),
)
STILL_HOLDING = (
    Column("service_number", N_("Service number"), "code", lambda row: address("/search", q=row.service_number)),
    Column("name", N_("Name")),
    Column("site", N_("Site"), "code"),
    Column("holds", N_("Pieces"), "number", lambda row: f"/holdings?person={row.service_number}"),
    Column("weapons", N_("Which"), "several"),
)
REMARKS = (Column("row", N_("Line"), "number"), Column("remark", N_("In words")))
COUNTED = (
    ("rows", N_("Lines")), ("new", N_("New")), ("moved_here", N_("Moved here")), ("back", N_("Back")), ("changed", N_("Changed")),
    ("unchanged", N_("Unchanged")), ("gone", N_("Gone")), ("set_aside", N_("Set aside")),
)  # fmt: skip


@router.get("/rosters/new", response_class=HTMLResponse)
def roster_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a roster."""
    return _form(request, engine, actor, "roster_new.html", {})


@router.post("/rosters", response_class=HTMLResponse)
def try_roster(
    request: Request,
    engine: Database,
    actor: Asker,
    site: Annotated[str, Form()] = "",
    as_of: Annotated[str, Form()] = "",
    set_aside: Annotated[str, Form()] = "",
    sha256: Annotated[str, Form()] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    confirm_gone: Annotated[str, Form()] = "",
    take: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """First says what the roster would change; sent again with `take`, from the file that was kept, it is imported."""
    given = {
        "site": site,
        "as_of": as_of,
        "set_aside": set_aside,
        "sha256": sha256,
        "name": name,
        "confirm_gone": confirm_gone,
    }
    try:
        require(actor, KEEP_REFERENCE)
        if file is not None and file.filename:
            given["sha256"] = stored_list(file)
            given["name"] = file.filename[-64:]
        if not given["sha256"]:
            raise Invalid(sentence("Choose the file of the roster."))
        wanted = RosterRequest.model_validate({
            "site": site, "file": {"sha256": given["sha256"], "name": given["name"] or "roster", "set_aside": bool(set_aside)},
            "as_of": as_of or None, "dry_run": not take, "confirm_gone": confirm_gone.strip() or None,
        })  # fmt: skip
        with reading(engine, actor) as connection:
            done = import_roster(connection, actor, wanted)
    except ValidationError as error:
        return _form(request, engine, actor, "roster_new.html", faulty(error, given), 422)
    except StockpileError as error:
        return _form(request, engine, actor, "roster_new.html", kept(error, given), shown_problem(error)["status"])
    return _form(request, engine, actor, "roster_new.html", {"given": given, "done": _shown(done)})


def _shown(done: Imported) -> dict[str, Any]:
    """What a roster changed, or would."""
    return {
        "it": done,
        "counts": [(label, getattr(done.counts, name)) for name, label in COUNTED],
        "changes": table(CHANGES, done.changes[:CHANGES_SHOWN], N_("Nothing changes.")),
        "more_changes": max(len(done.changes) - CHANGES_SHOWN, 0),
        "still_holding": table(
            STILL_HOLDING, done.still_holding[:CHANGES_SHOWN], N_("Nobody who leaves holds anything.")
        ),
        "set_aside": table(REMARKS, done.set_aside[:CHANGES_SHOWN], N_("None.")),
        "doubts": table(REMARKS, done.doubts[:CHANGES_SHOWN], N_("None.")),
    }

"""People: the list, one person with what they hold and signed for, and what must come back before they leave."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.listing import Asked, Column, Filter, Listing, Way, answer_list, site_filter, table, text_filter
from api.pages.weapons import HELD, HELD_BY_ONE
from api.words import N_
from stockpile.errors import NotFound
from stockpile.parties import Party, find_party, read_party
from stockpile.reports.cases import CasesSought, list_cases
from stockpile.reports.clearance import clearance_of
from stockpile.reports.documents import Sought as SoughtDocuments
from stockpile.reports.documents import list_documents
from stockpile.reports.holdings import Holder, holdings
from stockpile.reports.keyset import Page
from stockpile.reports.party import show_party
from stockpile.reports.reference import PARTY_ORDERS, PartyRow, search_parties, search_signature_cards
from stockpile.reports.stocks import sums_by_model
from stockpile.rights import APPROVE_GUESTS, DESK, KEEP_REFERENCE, READ_PEOPLE, RIGHTS, Actor, reading, require
from stockpile.sentences import sentence
from stockpile.sites import day_on_the_walls, find_site
from stockpile.units import Member, members, read_person, read_unit, unit_tree
from stockpile.weapon_assignments import search_assignments

router = APIRouter(include_in_schema=False)

SHOWN = 25


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[PartyRow]:
    require(actor, READ_PEOPLE)
    text, site, unit = (asked.values.get(name) for name in ("text", "site", "unit"))
    site_id = find_site(connection, site).site_id if site else None
    unit_id = _unit(connection, unit).party_id if unit else None
    day = day_on_the_walls(connection, actor.time_zone)
    return search_parties(connection, day, "person", text, site_id, unit_id, asked.limit, asked.cursor, asked.order)


def _unit(connection: Connection, code: str) -> Party:
    found = find_party(connection, "unit", code) or find_party(connection, "unit", code.upper())
    if found is None:
        raise NotFound(sentence("There is no unit {code!r} here.", code=code))
    return found


def _person(row: Any) -> str:
    return f"/people/{row.party_id}"


PEOPLE = Listing(
    path="/people",
    name="people",
    title=N_("People"),
    question=N_("Who is on the roster, and in which unit?"),
    row=PartyRow,
    columns=(
        Column("code", N_("Service number"), "code", _person, "code"),
        Column("rank", N_("Rank")),
        Column("name", N_("Name"), link=_person, order="name"),
        Column("unit", N_("Unit"), "code", lambda row: address("/search", q=row.unit) if row.unit else None),
        Column("site", N_("Site"), "code"),
    ),
    filters=(text_filter(N_("Number, rank or name")), Filter("unit", N_("Unit"), help=N_("Its code")), site_filter()),
    default="code",
    empty=N_("Nobody fits."),
    ask=_ask,
    orders=PARTY_ORDERS,
    ways=(
        Way(N_("Signature cards"), "/signature-cards"),
        Way(N_("Add a person"), "/people/new", RIGHTS[KEEP_REFERENCE]),
        Way(N_("Import a roster"), "/rosters/new", RIGHTS[KEEP_REFERENCE]),
        Way(N_("Guests"), "/guests", RIGHTS[APPROVE_GUESTS]),
    ),
)

SIGNED = (
    Column("number", N_("Number"), "code", lambda row: f"/documents/{row.document_id}"),
    Column("act", N_("Act"), "term"),
    Column("happened_at", N_("Happened"), "moment"),
    Column("quantity", N_("Pieces"), "number", lambda row: f"/documents/{row.document_id}#lines"),
)
CARDS = (
    Column("unit", N_("May draw for"), "code", lambda row: address("/search", q=row.unit)),
    Column("since", N_("From"), "day"),
    Column("until", N_("To"), "day"),
    Column("state", N_("State"), "term", lambda row: f"/signature-cards/{row.signature_card_id}"),
)
ASSIGNED = (
    Column("model", N_("Model"), link=lambda row: f"/weapons/{row.item_id}"),
    Column("serial_number", N_("Serial number"), "code", lambda row: f"/weapons/{row.item_id}"),
    Column("since", N_("Since"), "moment"),
    Column("where", N_("Where it is"), "person"),
    Column("assigned_by", N_("Assigned by"), "person"),
)
MEMBERSHIPS = (
    Column("unit", N_("Unit"), "code", lambda row: address("/search", q=row.unit) if row.unit else None),
    Column("name", N_("Name")),
    Column("since", N_("From"), "day"),
    Column("until", N_("To"), "day"),
)


@router.get("/people", response_class=HTMLResponse)
def people(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of people."""
    return answer_list(PEOPLE, request, engine, actor)


@router.get("/parties/{party_id}")
def party(party_id: UUID, engine: Database, actor: Asker) -> Response:
    """The page of a person or a unit, whichever it is."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        kind = read_party(connection, party_id).kind
    if kind not in ("person", "unit"):
        raise NotFound(sentence("There is no person or unit {party_id} here.", party_id=party_id))
    return RedirectResponse(f"/{'people' if kind == 'person' else 'units'}/{party_id}", 303)


@router.get("/people/{party_id}", response_class=HTMLResponse)
def person(party_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One person: holdings, assigned weapons, cards, what they signed."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        found = read_person(connection, party_id)
        about = show_party(connection, party_id, day_on_the_walls(connection, actor.time_zone), actor.role not in DESK)
        named = about.code is not None and bool(about.accounts)
        held = holdings(connection, actor, Holder(person=about.code), limit=SHOWN) if named else None
        assigned = search_assignments(connection, actor, person=about.code, limit=SHOWN).rows if named else ()
        sought = SoughtDocuments(signatory=about.code or "")
        signed = list_documents(connection, actor, sought, limit=10)
        cases = list_cases(connection, actor, CasesSought(party_id=party_id)).rows
    shown = {
        "party": about,
        "display": found.display,
        "quantity": held.quantity if held else 0,
        "held": table(HELD_BY_ONE, held.rows if held else (), N_("Nothing is held."), actor.role),
        "more_held": bool(held and held.cursor),
        "assigned": table(ASSIGNED, assigned, N_("No weapon is assigned.")),
        "cards": table(CARDS, about.signature_cards, N_("On no signature card.")),
        "memberships": table(MEMBERSHIPS, about.memberships, N_("In no unit so far.")),
        "signed": table(SIGNED, signed.rows, N_("No document bears this signature.")),
        "more_signed": bool(signed.cursor),
        "open_cases": cases,
    }
    response: Response = templates.TemplateResponse(request, "person.html", shown)
    return response


@router.get("/people/{party_id}/clearance", response_class=HTMLResponse)
def clearance(party_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """What must come back, be handed on or be explained before a person leaves: to be printed and signed."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        found = read_person(connection, party_id)
        about = show_party(connection, party_id, day_on_the_walls(connection, actor.time_zone), False)
        open_matters = clearance_of(connection, actor, found)
    shown = {
        "party": about,
        "display": found.display,
        "clear": open_matters.clear,
        "held": table(HELD_BY_ONE, open_matters.held.rows, N_("Nothing is held."), actor.role),
        "more_held": open_matters.held.line_count - len(open_matters.held.rows),
        "assigned": table(ASSIGNED, open_matters.assigned, N_("No weapon is assigned.")),
        "cards": table(CARDS, open_matters.cards, N_("On no signature card.")),
        "answers": open_matters.discrepancies,
        "custodian_of": open_matters.custodian_of,
    }
    response: Response = templates.TemplateResponse(request, "clearance.html", shown)
    return response


@router.get("/units", response_class=HTMLResponse)
def units(request: Request, engine: Database, actor: Asker) -> Response:
    """The units as a tree, with how many people each has."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        tree = unit_tree(connection, day_on_the_walls(connection, actor.time_zone))
    response: Response = templates.TemplateResponse(request, "units.html", {"units": tree})
    return response


MEMBERS = (
    Column("service_number", N_("Service number"), "code", _person),
    Column("rank", N_("Rank")),
    Column("name", N_("Name"), link=_person),
    Column("unit", N_("Unit"), "code"),
    Column("since", N_("Since"), "day"),
    Column("until", N_("To"), "day"),
)
BY_MODEL = (
    Column("maker", N_("Maker")),
    Column("model", N_("Model")),
    Column("quantity", N_("Pieces"), "number"),
    Column("with_units", N_("With it and its people"), "number"),
    Column("store", N_("In store"), "number"),
    Column("maintenance", N_("In the workshop"), "number"),
)
MAY_DRAW = (
    Column("person", N_("Service number"), "code", lambda row: address("/search", q=row.person)),
    Column("name", N_("Name")),
    Column("until", N_("To"), "day"),
    Column("state", N_("State"), "term", lambda row: f"/signature-cards/{row.signature_card_id}"),
)


@router.get("/units/{unit_id}", response_class=HTMLResponse)
def unit(unit_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One unit: what it and its people hold, who is in it, who may draw for it."""
    require(actor, READ_PEOPLE)
    with reading(engine, actor) as connection:
        found = read_unit(connection, unit_id)
        day = day_on_the_walls(connection, actor.time_zone)
        about = show_party(connection, unit_id, day, False)
        holder = Holder(unit=found.code or "")
        held = holdings(connection, actor, holder, limit=SHOWN) if about.accounts else None
        by_model = sums_by_model(connection, actor, holder) if about.accounts else ()
        who: Page[Member] = members(connection, unit_id, day, limit=SHOWN)
        cases = list_cases(connection, actor, CasesSought(party_id=unit_id)).rows
        may_draw = search_signature_cards(connection, day, unit_id=unit_id, state="valid", limit=SHOWN).rows
    shown = {
        "party": about,
        "display": found.display,
        "quantity": held.quantity if held else 0,
        "by_model": table(BY_MODEL, by_model, N_("Nothing is held.")),
        "held": table(HELD, held.rows if held else (), N_("Nothing is held."), actor.role),
        "more_held": bool(held and held.cursor),
        "open_cases": cases,
        "members": table(MEMBERS, who.rows, N_("Nobody is in it.")),
        "more_members": bool(who.cursor),
        "cards": table(MAY_DRAW, may_draw, N_("Nobody may draw for it.")),
        "memberships": table(MEMBERSHIPS, about.memberships, N_("Under no other unit.")),
    }
    response: Response = templates.TemplateResponse(request, "unit.html", shown)
    return response

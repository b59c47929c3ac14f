"""Search: one field for anything one can scan or type. Goes straight to the one thing it means, or lists what it may mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Cursor, Database
from api.pages import templates
from api.pages.listing import HOST, Column, table
from api.pages.problems import shown_problem
from api.words import N_
from stockpile.errors import Invalid, NotFound
from stockpile.find import Found, FoundItem, find
from stockpile.reports.cases import case_called
from stockpile.rights import DONOR, Actor, reading

router = APIRouter(include_in_schema=False)


def _weapon(found: FoundItem) -> str:
    return f"/weapons/{found.item.item_id}"


def _stands(field: str) -> Callable[[FoundItem], Any]:
    return lambda found: getattr(found.standings[0], field) if found.standings else None


ITEMS = (
    Column("model", N_("Model"), link=_weapon, read=lambda found: found.item.model),
    Column("serial", N_("Serial number"), "code", _weapon, read=lambda found: found.item.serial_number),
    Column("tag", N_("Asset tag"), "code", _weapon, read=lambda found: found.item.asset_tag),
    Column("formerly", N_("Formerly"), "several", read=lambda found: found.item.formerly),
    Column("maker", N_("Maker"), read=lambda found: found.item.maker),
    Column("where", N_("Where"), "place", read=_stands("account_class")),
    Column("account", N_("Account"), "person", read=_stands("account"), roles=HOST),
    Column("site", N_("Site"), "code", read=_stands("site")),
    Column("since", N_("Since"), "moment", read=_stands("since")),
    Column("open_cases", N_("Cases open"), "number", lambda found: f"/cases?item_id={found.item.item_id}", sparse=True),
)
DOCUMENTS = (
    Column("number", N_("Number"), "code", lambda found: f"/documents/{found.document_id}"),
    Column("act", N_("Act"), "term"),
    Column("happened_at", N_("Happened"), "moment"),
    Column("quantity", N_("Pieces"), "number"),
    Column("claimed_number", N_("Claims the number"), "code"),
)
PARTIES = (
    Column("name", N_("Name"), "person", lambda found: f"/parties/{found.party_id}"),
    Column("kind", N_("Kind"), "term"),
    Column("units", N_("Units"), "several"),
    Column("sites", N_("Sites"), "several"),
    Column("holds", N_("Holds"), "number", lambda found: f"/holdings?{found.kind}={found.code}", read=lambda found: found.holds.quantity),
)  # fmt: skip
COUNTED = (
    Column("model", N_("Model"), link=lambda line: f"/weapons?model={line.model}"),
    Column("maker", N_("Maker")),
    Column("lot", N_("Lot"), "code"),
    Column("account_class", N_("Where"), "place"),
    Column("site", N_("Site"), "code"),
    Column("quantity", N_("Pieces"), "number"),
)


@router.get("/search", response_class=HTMLResponse)
def search(
    request: Request,
    engine: Database,
    actor: Asker,
    q: Annotated[str, Query(max_length=2000)] = "",
    cursor: Cursor = None,
) -> Response:
    """What a text means."""
    found, problem = None, None
    if q.strip():
        try:
            with reading(engine, actor) as connection:
                if (case := _case(connection, actor, q)) is not None:
                    return RedirectResponse(case, 303)
                found = find(connection, actor, q, 50, cursor)
        except Invalid as error:
            problem = shown_problem(error)
    if found is not None and cursor is None and (only := _only(found)):
        return RedirectResponse(only, 303)
    shown = {
        "asked": q,
        "found": found,
        "problem": problem,
        "items": table(ITEMS, found.items if found else (), "", actor.role),
        "documents": table(DOCUMENTS, found.documents if found else (), ""),
        "parties": table(PARTIES, found.parties if found else (), ""),
        "counted": table(COUNTED, found.counted if found else (), ""),
    }
    response: Response = templates.TemplateResponse(request, "search.html", shown, status_code=422 if problem else 200)
    return response


def _case(connection: Connection, actor: Actor, asked: str) -> str | None:
    """Where a case is shown that is called so, such as TAJI/CASE/3."""
    if "CASE/" not in asked.upper() or actor.role == DONOR:
        return None
    try:
        return f"/cases/{case_called(connection, actor, asked)}"
    except NotFound:
        return None


def _only(found: Found) -> str | None:
    """Where the one thing found is shown; None: there are several, or nothing that bears the text."""
    if found.did_you_mean or found.counted or found.cursor:
        return None
    ways = [
        *(_weapon(item) for item in found.items),
        *(f"/documents/{document.document_id}" for document in found.documents),
        *(f"/parties/{party.party_id}" for party in found.parties),
    ]
    return ways[0] if len(ways) == 1 else None

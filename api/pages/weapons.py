"""Weapons: the list behind every number, and one of them: what it is, where it is and was, and everything that happened to it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Cursor, Database
from api.pages import templates
from api.pages.listing import (
    ANYWHERE,
    HOST,
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    flag_filter,
    hidden_filter,
    key_filter,
    read_day,
    site_filter,
    sites_offered,
    table,
    text_filter,
)
from api.pages.moments import MOMENTS, as_of
from api.pages.problems import shown_problem
from api.pages.timeline import Timeline, timeline_of
from api.words import N_, plural
from stockpile.errors import Fault, Invalid
from stockpile.log.reading import is_published
from stockpile.movements import BALANCED
from stockpile.reports import history as histories
from stockpile.reports.accessories import out_with
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.attachments import photos_of
from stockpile.reports.cases import CasesSought, list_cases
from stockpile.reports.discrepancies import Sought as SoughtDiscrepancies
from stockpile.reports.discrepancies import list_discrepancies
from stockpile.reports.export import PageOf
from stockpile.reports.history import HistoryEntry
from stockpile.reports.holdings import ORDERS as WEAPON_ORDERS
from stockpile.reports.holdings import Holder, HoldingLine, Holdings, Sought, every_weapon, holdings, list_weapons
from stockpile.reports.open_cases import open_cases_of
from stockpile.reports.standing import Standing
from stockpile.rights import DONOR, REPORT_SIGHTING, RIGHTS, Actor, reading
from stockpile.sentences import sentence, words_of
from stockpile.weapon_assignments import search_assignments

router = APIRouter(include_in_schema=False)

ENTRIES_SHOWN = 60


def _sought(actor: Actor, asked: Asked) -> tuple[Sought, AsOf]:
    values = dict(asked.values)
    wanted, at = values.pop("class", None), as_of(actor, values)
    return Sought(classes=(wanted,) if wanted else BALANCED, **values), at


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Holdings:
    return list_weapons(connection, actor, *_sought(actor, asked), asked.limit, asked.cursor, asked.order)


PIECES = plural("%(num)s piece", "%(num)s pieces")


def _sums(page: PageOf[Any]) -> tuple[str, str, int]:
    assert isinstance(page, Holdings)
    return (*PIECES, page.quantity)


def _weapon(row: HoldingLine) -> str:
    return f"/weapons/{row.item_id}"


def _holder(row: HoldingLine) -> str:
    return f"/parties/{row.party_id}" if row.party_id else f"/weapons?account={row.account_id}"


HELD = (
    Column("model", N_("Model"), link=_weapon),
    Column("serial_number", N_("Serial number"), "code", _weapon),
    Column("asset_tag", N_("Asset tag"), "code", _weapon),
    Column("donor", N_("Donor"), "code"),
    Column("account_class", N_("Where"), "place"),
    Column("account", N_("Account"), "person", _holder, roles=HOST),
    Column("site", N_("Site"), "code"),
    Column("quantity", N_("Pieces"), "number"),
    Column("condition", N_("Condition"), "term"),
    Column("since", N_("Since"), "day", read=lambda row: row.since and row.since.date()),
    Column("open_cases", N_("Cases open"), "number", lambda row: f"/cases?item_id={row.item_id}", sparse=True),
)
HELD_BY_ONE = tuple(column for column in HELD if column.name not in ("account_class", "account"))
"""The same where whose it is goes without saying."""
WEAPONS = Listing(
    path="/weapons",
    name="weapons",
    title=N_("Weapons"),
    question=N_("What is in the books, and where is each?"),
    row=HoldingLine,
    columns=HELD,
    filters=(
        text_filter(N_("Serial number, tag or model")),
        choice_filter("class", N_("Where"), BALANCED),
        Filter("model", N_("Model"), help=N_("Its whole name, such as AKM")),
        Filter("donor", N_("Donor"), help=N_("Its code"), roles=HOST),
        flag_filter("unverified", N_("From an opening list, unverified")),
        site_filter(),
        *MOMENTS,
        key_filter("account", N_("On one account.")),
    ),
    empty=N_("No weapon fits."),
    ask=_ask,
    orders=WEAPON_ORDERS,
    default="model",
    sums=_sums,
    every=lambda connection, actor, asked: every_weapon(connection, actor, *_sought(actor, asked)),
    ways=(Way(N_("Report that a weapon was seen abroad"), "/tracing/new/sighting", RIGHTS[REPORT_SIGHTING]),),
)


@router.get("/weapons", response_class=HTMLResponse)
def weapons(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of weapons."""
    return answer_list(WEAPONS, request, engine, actor)


def _held(connection: Connection, actor: Actor, asked: Asked) -> Holdings:
    values = dict(asked.values)
    search, at = values.pop("text", None), as_of(actor, values)
    return holdings(
        connection, actor, Holder(**values), at, search, limit=asked.limit, cursor=asked.cursor, order=asked.order
    )


HOLDINGS = Listing(
    path="/holdings",
    name="holdings",
    title=N_("Holdings"),
    question=N_("What does a unit with its people, a person or a site hold?"),
    row=HoldingLine,
    columns=HELD,
    filters=(
        text_filter(N_("Serial number, tag or model")),
        hidden_filter("unit", N_("Of the unit, its sub-units and people:"), fixed=True),
        hidden_filter("person", N_("Of the person:"), fixed=True),
        hidden_filter("site", N_("Of the site:"), fixed=True),
        *MOMENTS,
    ),
    empty=N_("Nothing is held."),
    ask=_held,
    orders=WEAPON_ORDERS,
    default="model",
    sums=_sums,
)


@router.get("/holdings", response_class=HTMLResponse)
def list_holdings(request: Request, engine: Database, actor: Asker) -> Response:
    """What somebody holds: reached from a unit, a person or a site; asks whose where nobody is named."""
    if not any(request.query_params.get(name, "").strip() for name in ("unit", "person", "site")):
        with reading(engine, actor) as connection:
            shown = {"sites": sites_offered(connection) if actor.role in ANYWHERE else (), "host": actor.role in HOST}
        response: Response = templates.TemplateResponse(request, "holdings_of.html", shown)
        return response
    return answer_list(HOLDINGS, request, engine, actor)


STANDING = (
    Column("account_class", N_("Where"), "place"),
    Column("account", N_("Account"), "person", lambda it: f"/parties/{it.party_id}" if it.party_id else f"/weapons?account={it.account_id}",
           roles=HOST),
    Column("site", N_("Site"), "code"),
    Column("quantity", N_("Pieces"), "number"),
    Column("condition", N_("Condition"), "term"),
    Column("since", N_("Since"), "moment"),
    Column("document_number", N_("Document"), "code", lambda it: f"/documents/{it.document_id}"),
)  # fmt: skip


def _document(entry: HistoryEntry) -> str | None:
    return f"/documents/{entry.document_id}" if entry.document_number else None


def _remark(entry: HistoryEntry) -> str | None:
    """What became of an entry, or what it does to another."""
    said = (
        ("takes back #{}", entry.reverses),
        ("taken back by #{}", entry.reversed_by),
        ("posts again #{}", entry.posts_again),
        ("posted again as #{}", entry.posted_again_by),
    )
    words = [text.format(version) for text, version in said if version is not None]
    return "; ".join([*words, *filter(None, (entry.reason,))]) or None


HISTORY = (
    Column("version", "#", "number"),
    Column("happened_at", N_("Happened"), "moment"),
    Column("act", N_("Act"), "term"),
    Column("origin", N_("From"), "person", read=lambda entry: entry.origin.account or entry.origin.account_class),
    Column("to", N_("To"), "person", read=lambda entry: entry.to.account or entry.to.account_class),
    Column("condition", N_("Condition"), "term"),
    Column("document_number", N_("Document"), "code", _document),
    Column("signatures", N_("Signed"), "people", read=lambda entry: sorted({one.name for one in entry.signatures})),
    Column("recorded_at", N_("Recorded"), "moment"),
    Column("reason", N_("Remarks"), read=_remark),
)
IDENTIFICATIONS = (
    Column("version", "#", "number"),
    Column("serial_number", N_("Serial number"), "code"),
    Column("maker", N_("Maker")),
    Column("distinguishing_mark", N_("Distinguishing mark")),
    Column("import_mark", N_("Import mark"), "code"),
    Column("uii", N_("UII"), "code"),
    Column("mark_place", N_("Place of the mark")),
    Column("recorded_at", N_("Recorded"), "moment"),
    Column(
        "document_number",
        N_("Document"),
        "code",
        lambda it: f"/documents/{it.document_id}" if it.document_number else None,
    ),
    Column("stands", N_("Stands"), "flag"),
)
FOUND = (
    Column("kind", N_("What"), "term", lambda row: f"/discrepancies/{row.discrepancy_id}"),
    Column("seen", N_("Seen"), roles=HOST),
    Column("due_on", N_("Due"), "day"),
    Column("owner", N_("Answers for it"), "person", roles=HOST),
)


@router.get("/weapons/{item_id}", response_class=HTMLResponse)
def weapon(
    item_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    on: Annotated[str, Query(max_length=20)] = "",
    known: Annotated[str, Query(max_length=20)] = "",
    cursor: Cursor = None,
) -> Response:
    """One weapon. `on`: where it was at the end of a day; `known`: as the books said at the end of a day."""
    at, problem = NOW, None
    try:
        at = AsOf(_end_of("on", on, actor), _end_of("known", known, actor))
    except Invalid as error:
        problem = shown_problem(error)
    host = actor.role != DONOR
    with reading(engine, actor) as connection:
        found = histories.history(connection, actor, item_id, ENTRIES_SHOWN, cursor)
        now = histories.as_of(connection, actor, item_id)
        then = histories.as_of(connection, actor, item_id, at) if not at.now else None
        open_ones = list_discrepancies(connection, actor, SoughtDiscrepancies(item_id=item_id), limit=20).rows
        assigned = search_assignments(connection, actor, weapon=found.item.asset_tag, limit=1).rows if host else ()
        photos = photos_of(connection, actor, item_id) if host else ()
        out = out_with(connection, item_id) if host else ()
        in_cases = open_cases_of(connection, actor, [item_id]).get(item_id, 0)
        cases = list_cases(connection, actor, CasesSought(item_id=item_id), limit=20).rows if host else ()
        provable = is_published(connection)
    shown = {
        "item": found.item,
        "now": now[0] if len(now) == 1 else None,
        "standings": _standings(now, actor),
        "then": _standings(then, actor) if then is not None else None,
        "on": on,
        "known": known,
        "problem": problem,
        "assigned": assigned[0] if assigned else None,
        "accessories": [one.name for one in out],
        "photos": photos,
        "open_cases": cases,
        "cases_elsewhere": in_cases - len(cases),
        "provable": provable,
        "discrepancies": table(FOUND, open_ones, N_("No discrepancy of this weapon is open."), actor.role),
        "timeline": _drawn(found.entries),
        "history": table(HISTORY, found.entries, N_("Nothing happened to it.")),
        "cursor": found.cursor,
        "identifications": table(IDENTIFICATIONS, found.identifications, ""),
        "identified_once": len(found.identifications) < 2,
    }
    response: Response = templates.TemplateResponse(request, "weapon.html", shown, status_code=422 if problem else 200)
    return response


def _drawn(entries: tuple[HistoryEntry, ...]) -> Timeline | None:
    return timeline_of(entries) if entries else None


def _standings(stood: tuple[Standing, ...], actor: Actor) -> Any:
    return table(STANDING, stood, N_("Outside the books: in nobody's account."), actor.role)


def _end_of(field: str, text: str, actor: Actor) -> datetime | None:
    """The last moment of a day on the asker's wall; None for no day. Raises Invalid."""
    if not text.strip():
        return None
    try:
        day: date = read_day(text.strip())
    except ValueError as problem:
        raise Invalid(
            sentence("It cannot be told where it was."), [Fault(words_of(problem), field=field, value=text)]
        ) from None
    zone = ZoneInfo(actor.time_zone or "UTC")
    return datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(microseconds=1)

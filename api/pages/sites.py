"""Sites: the list, and one of them: what it holds by model and by account, what is on its way, what waits, who writes its books."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.counts import COUNTS
from api.pages.discrepancies import DISCREPANCIES
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Listing,
    Way,
    answer_list,
    choice_filter,
    flag_filter,
    site_filter,
    table,
    text_filter,
)
from api.pages.navigation import EVERYBODY
from api.pages.shipments import SHIPMENTS
from api.pages.start import Waits, counted
from api.pages.waiting_lists import CARDS, COUNTS_DUE
from api.words import N_
from stockpile.errors import NotFound
from stockpile.movements import BALANCED, HELD, AccountClass
from stockpile.reports import books as book_report
from stockpile.reports import devices as device_report
from stockpile.reports import stocks as stock_report
from stockpile.reports.books import KINDS, BookRow, list_books
from stockpile.reports.devices import DeviceRow, search_devices
from stockpile.reports.keyset import Page
from stockpile.reports.reference import SITE_ORDERS, SiteRow, search_sites
from stockpile.reports.signing_in import search_counters
from stockpile.reports.stocks import StockRow, list_stocks
from stockpile.reports.trial_balance import BalanceLine, By, trial_balance
from stockpile.rights import DESK, DONOR, KEEP_REFERENCE, RIGHTS, Actor, reading
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

SHOWN = 60


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[SiteRow]:
    return search_sites(
        connection, asked.values.get("text"), actor.role == DONOR, asked.limit, asked.cursor, asked.order
    )


SITES = Listing(
    path="/sites",
    name="sites",
    title=N_("Sites"),
    question=N_("Which depots and arms rooms are there, and who answers for each?"),
    row=SiteRow,
    columns=(
        Column("code", N_("Site"), "code", lambda row: f"/sites/{row.code}"),
        Column("name", N_("Name"), link=lambda row: f"/sites/{row.code}"),
        Column("custodian", N_("Custodian"), "person", roles=HOST),
        Column("stores", N_("Stores"), "several", roles=HOST),
        Column("time_zone", N_("Time on its wall"), "code"),
        Column("declared_open_at", N_("Declared open"), "moment", none=N_("not yet")),
    ),
    filters=(text_filter(N_("Code or name")),),
    empty=N_("No site fits."),
    ask=_ask,
    orders=SITE_ORDERS,
    default="code",
    ways=(Way(N_("Add a site"), "/sites/new", RIGHTS[KEEP_REFERENCE]),),
)


def _stocks(connection: Connection, actor: Actor, asked: Asked) -> Page[StockRow]:
    wanted = asked.values.get("class")
    return list_stocks(
        connection, actor, asked.values.get("site"), AccountClass(wanted) if wanted else None, asked.values.get("text"),
        asked.limit, asked.cursor, asked.order,
    )  # fmt: skip


def _weapons(row: StockRow) -> str:
    return address("/weapons", account=row.account_id, model=row.model)


STOCK = (
    Column("account", N_("Account"), "person", lambda row: address("/weapons", account=row.account_id)),
    Column("account_class", N_("Kind"), "place"),
    Column("model", N_("Model"), link=_weapons),
    Column("quantity", N_("Pieces"), "number", _weapons),
    Column("answers", N_("Answers for it"), "person"),
)
STOCKS = Listing(
    path="/stocks",
    name="stocks",
    title=N_("Stocks"),
    question=N_("How many of each model lie in each store, with each unit, in each workshop?"),
    row=StockRow,
    columns=(Column("site", N_("Site"), "code", lambda row: f"/sites/{row.site}"), *STOCK),
    filters=(text_filter(N_("Account or model")), choice_filter("class", N_("Kind"), HELD), site_filter()),
    empty=N_("Nothing lies there."),
    ask=_stocks,
    orders=stock_report.ORDERS,
    default="site",
)


def _books(connection: Connection, actor: Actor, asked: Asked) -> Page[BookRow]:
    values = asked.values
    return list_books(
        connection, actor, values.get("site"), values.get("kind"), None, bool(values.get("incomplete")), asked.limit, asked.cursor,
        asked.order,
    )  # fmt: skip


BOOKS = Listing(
    path="/books",
    name="books",
    title=N_("Books"),
    question=N_("How far does each numbered book go, who holds it, and which of its numbers have not come?"),
    row=BookRow,
    columns=(
        Column("site", N_("Site"), "code", lambda row: f"/sites/{row.site}"),
        Column("book", N_("Book"), "code", lambda row: address("/documents", book=row.book)),
        Column("year", N_("Year"), "code"),
        Column("kind", N_("Kind"), "term"),
        Column("holder", N_("Holder")),
        Column("highest", N_("Highest number"), "number", lambda row: address("/documents", book=row.book)),
        Column("missing", N_("Numbers that have not come"), "number",
               lambda row: address("/discrepancies", kind="gap in book") if row.missing else None),
        Column("runs", N_("Which")),
    ),
    filters=(flag_filter("incomplete", N_("With gaps")), choice_filter("kind", N_("Kind"), KINDS), site_filter()),
    empty=N_("No book fits."),
    ask=_books,
    orders=book_report.ORDERS,
    default="site",
)  # fmt: skip


def _devices(connection: Connection, actor: Actor, asked: Asked) -> Page[DeviceRow]:
    site, text, alive = (asked.values.get(name) for name in ("site", "text", "alive"))
    return search_devices(connection, actor, site, text, bool(alive), asked.limit, asked.cursor, asked.order)


DEVICE = (
    Column("label", N_("Device")),
    Column("book", N_("Book"), "code", lambda row: address("/documents", book=row.book)),
    Column("last_contact", N_("Last contact"), "moment", none=N_("never")),
    Column("clock_offset", N_("Clock ahead (seconds)"), "number", read=lambda row: row.clock_offset and round(row.clock_offset)),
    Column("highest", N_("Highest number"), "number"),
    Column("missing", N_("Numbers that have not come"), "number",
           lambda row: address("/discrepancies", kind="gap in book") if row.missing else None),
    Column("set_aside", N_("Set aside"), "number"),
    Column("revoked_at", N_("Revoked"), "moment"),
)  # fmt: skip
DEVICES = Listing(
    path="/devices",
    name="devices",
    title=N_("Devices"),
    question=N_("Which devices write vouchers away from the service, and when was each heard of last?"),
    row=DeviceRow,
    columns=(
        Column("site", N_("Site"), "code", lambda row: f"/sites/{row.site}"),
        *DEVICE,
        Column("enrolled_by", N_("Enrolled by"), "person"),
        Column("enrolled_at", N_("Enrolled"), "moment"),
    ),
    filters=(text_filter(N_("Name or book")), flag_filter("alive", N_("In use")), site_filter()),
    empty=N_("No device fits."),
    ask=_devices,
    orders=device_report.ORDERS,
    default="site",
)

COUNTERS = (
    Column("label", N_("Counter"), link=lambda row: "/counters"),
    Column("book", N_("Book"), "code", lambda row: address("/documents", book=row.book)),
    Column("last_seen_at", N_("Last signed in"), "moment", none=N_("never")),
    Column("revoked_at", N_("Revoked"), "moment"),
)

CLASS_LABELS = {
    AccountClass.SUPPLY: N_("Supply"),
    AccountClass.TRANSIT: N_("On its way"),
    AccountClass.STORE: N_("In store"),
    AccountClass.UNIT: N_("With units"),
    AccountClass.PERSON: N_("With people"),
    AccountClass.MAINTENANCE: N_("In the workshop"),
    AccountClass.MISSING: N_("Missing"),
    AccountClass.LOST: N_("Lost"),
    AccountClass.EXPENDED: N_("Expended"),
    AccountClass.DESTROYED: N_("Destroyed"),
    AccountClass.EXPORTED: N_("Exported"),
}


def of_classes(**asked: str) -> tuple[Column, ...]:
    """A column for each kind of place, each number a way to its weapons: narrowed to the line's own donor, model, site, and as said."""

    def column(one: AccountClass) -> Column:
        def link(line: BalanceLine) -> str | None:
            if not getattr(line, one):
                return None
            return address(
                "/weapons", **{"class": one, "donor": line.donor, "model": line.model, "site": line.site, **asked}
            )

        return Column(str(one), CLASS_LABELS[one], "number", link, sparse=True)

    return tuple(column(one) for one in BALANCED)


OF_SITE = (
    Waits(N_("Counts overdue"), COUNTS_DUE, {"site": "{site}", "overdue": "yes"}, HOST, late=True),
    Waits(N_("Counts due"), COUNTS_DUE, {"site": "{site}"}, HOST),
    Waits(N_("Counts open"), COUNTS, {"site": "{site}", "state": "open"}, HOST),
    Waits(N_("Weapon cards overdue"), CARDS, {"site": "{site}", "overdue": "yes"}, HOST, late=True),
    Waits(N_("Weapon cards in the racks"), CARDS, {"site": "{site}"}, HOST),
    Waits(N_("Discrepancies overdue"), DISCREPANCIES, {"site": "{site}", "due_before": "{today}"}, EVERYBODY, late=True),
    Waits(N_("Discrepancies open"), DISCREPANCIES, {"site": "{site}"}, EVERYBODY),
    Waits(N_("Shipments overdue to it"), SHIPMENTS, {"to_site": "{site}", "overdue": "yes"}, HOST, late=True),
    Waits(N_("Shipments on their way to it"), SHIPMENTS, {"to_site": "{site}", "outstanding": "yes"}, HOST),
    Waits(N_("Shipments on their way from it"), SHIPMENTS, {"from_site": "{site}", "outstanding": "yes"}, HOST),
    Waits(N_("Books with gaps"), BOOKS, {"site": "{site}", "incomplete": "yes"}, HOST),
)  # fmt: skip
"""What a site's page counts."""


@router.get("/sites", response_class=HTMLResponse)
def sites(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of sites."""
    return answer_list(SITES, request, engine, actor)


@router.get("/stocks", response_class=HTMLResponse)
def stocks(request: Request, engine: Database, actor: Asker) -> Response:
    """What each account holds by model."""
    return answer_list(STOCKS, request, engine, actor)


@router.get("/books", response_class=HTMLResponse)
def books(request: Request, engine: Database, actor: Asker) -> Response:
    """The books and their gaps."""
    return answer_list(BOOKS, request, engine, actor)


@router.get("/devices", response_class=HTMLResponse)
def devices(request: Request, engine: Database, actor: Asker) -> Response:
    """The devices."""
    return answer_list(DEVICES, request, engine, actor)


@router.get("/sites/{code}", response_class=HTMLResponse)
def site(code: Annotated[str, Path(max_length=64)], request: Request, engine: Database, actor: Asker) -> Response:
    """One site. Of another site a desk is told only that it is there."""
    with reading(engine, actor) as connection:
        found = _found(connection, actor, code)
        own = actor.role not in DESK or actor.site_code == found.code
        shown = {"site": found, "own": own, **(_inside(connection, actor, found) if own else {})}
    response: Response = templates.TemplateResponse(request, "site.html", shown)
    return response


def _found(connection: Connection, actor: Actor, code: str) -> SiteRow:
    wanted = code.strip().upper()
    for row in search_sites(connection, wanted, actor.role == DONOR, 500).rows:
        if row.code == wanted:
            return row
    raise NotFound(sentence("There is no site {code!r} here.", code=code))


def _inside(connection: Connection, actor: Actor, found: SiteRow) -> dict[str, Any]:
    """What a site has and what waits there."""
    lines = trial_balance(connection, actor, [By.MODEL], site=found.code)
    narrowed = {} if actor.role in DESK else {"site": found.code}
    model = Column("model", N_("Model"), link=lambda line: address("/weapons", model=line.model, **narrowed))
    columns = (model, *of_classes(**narrowed))
    more: dict[str, Any] = {
        "held": table(columns, lines, N_("It holds nothing.")),
        "waiting": counted(connection, actor, OF_SITE, {"site": found.code}),
        "narrowed": narrowed,
    }
    if actor.role == DONOR:
        return more
    stocks = list_stocks(connection, actor, found.code, limit=SHOWN)
    return {
        **more,
        "stocks": table(STOCK, stocks.rows, N_("Nothing lies there.")),
        "more_stocks": bool(stocks.cursor),
        "devices": table(
            DEVICE, search_devices(connection, actor, found.code, limit=SHOWN).rows, N_("It has no device.")
        ),
        "counters": table(
            COUNTERS, search_counters(connection, actor, found.code, limit=SHOWN).rows, N_("It has no counter.")
        ),
    }

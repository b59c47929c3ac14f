"""Lists as pages, made from declarations: what is asked, which columns, which filters, by what it can be sorted. A page of
rows comes from the same function in `stockpile/reports/` as the API's; nothing here asks the database itself.

A subject declares its list and answers with it:

    PEOPLE = Listing(
        path="/people", name="people", title=N_("People"), question=N_("Who is on the roster, and in which unit?"),
        row=PartyRow, columns=(Column("code", N_("Service number"), "code", link=..., order="code"), ...),
        filters=(text_filter(N_("Number or name")),), empty=N_("Nobody is called so."), ask=_people,
    )

    @router.get("/people", response_class=HTMLResponse)
    def people(request: Request, engine: Database, actor: Asker) -> Response:
        return answer_list(PEOPLE, request, engine, actor)

The address holds everything: filters, `order` (a `-` before it: against it), `cursor`; with `format=csv` or `xlsx` the rows
come as a file, all of them, in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from types import ModuleType
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Format, Paging
from api.exports import file_name, listing
from api.pages import address, may, templates
from api.pages.problems import shown_problem
from api.validation import said_of
from api.words import N_
from stockpile.audit_packages import Answered, all_rows, make_package
from stockpile.db.engine import at_one_moment
from stockpile.documents import Code
from stockpile.errors import Fault, Invalid, NotFound, Refused, StockpileError
from stockpile.log.leaf import canonical
from stockpile.log.signer import KEYS
from stockpile.reports.export import PageOf, every_row
from stockpile.reports.reference import search_sites
from stockpile.rights import AUDITOR, DONOR, REGISTRAR, ROLES, WRITE_CASES, Actor, reading
from stockpile.sentences import sentence, words_of
from stockpile.settings import read_settings

PAGE_ROWS = 50
SITES_OFFERED = 500
ANYWHERE = frozenset({REGISTRAR, AUDITOR, DONOR})
"""Roles bound to no site: they may choose one."""
HOST = frozenset(ROLES) - {DONOR}
"""Roles that are told who did what."""

_code: TypeAdapter[str] = TypeAdapter(Code)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of a list: the values of its filters, its order, which page."""

    values: Mapping[str, Any]
    order: str | None = None
    limit: int = PAGE_ROWS
    cursor: str | None = None


def read_code(text: str) -> str:
    """A text as a code, name or part of one. Raises ValueError saying what is wrong."""
    try:
        return _code.validate_python(text)
    except ValidationError as problem:
        raise ValueError(said_of(problem.errors()[0])) from None


def read_day(text: str) -> date:
    """A day. Raises ValueError."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError(sentence("write a day like 2026-11-24")) from None
    if not 1900 <= found.year <= 2999:
        raise ValueError(sentence("a year from 1900 to 2999"))
    return found


def read_flag(text: str) -> bool:
    """Yes or no. Raises ValueError."""
    if text not in ("yes", "no"):
        raise ValueError(sentence("yes or no"))
    return text == "yes"


def read_key(text: str) -> UUID:
    """A key. Raises ValueError."""
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(sentence("this is no key of ours")) from None


FLAG = (("yes", N_("yes")), ("no", N_("no")))

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Filter:
    """A field by which a list is narrowed. `kind`: text, choice, day, or hidden (kept in the address, shown as a remark).
    `read` makes of the text what the question takes; `any`: what an empty choice is called; `fixed`: the list is none without.
    """

    name: str
    label: str
    kind: str = "text"
    read: Callable[[str], Any] = read_code
    choices: Choices = ()
    any: str = N_("any")
    help: str | None = None
    roles: frozenset[str] | None = None
    of_sites: bool = False
    fixed: bool = False


def text_filter(label: str) -> Filter:
    """The search field of a list."""
    return Filter("text", label)


def flag_filter(name: str, label: str, **more: Any) -> Filter:
    """Yes, no, or either."""
    return Filter(name, label, "choice", read_flag, FLAG, **more)


def choice_filter(name: str, label: str, choices: Iterable[str], **more: Any) -> Filter:
    """One of several words of the field."""
    offered = tuple((str(choice), str(choice)) for choice in choices)
    known = {choice for choice, _ in offered}

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(sentence("one of {known}", known=", ".join(sorted(known))))
        return text

    return Filter(name, label, "choice", read, offered, **more)


def day_filter(name: str, label: str, **more: Any) -> Filter:
    """A day."""
    return Filter(name, label, "day", read_day, **more)


def key_filter(name: str, label: str, **more: Any) -> Filter:
    """A key that another page's link brings along: it has no field, but it can be taken off."""
    return Filter(name, label, "hidden", read_key, **more)


def hidden_filter(name: str, label: str, **more: Any) -> Filter:
    """A code that another page's link brings along."""
    return Filter(name, label, "hidden", **more)


def site_filter(name: str = "site", label: str = N_("Site"), roles: frozenset[str] = ANYWHERE, **more: Any) -> Filter:
    """A site, for who is bound to none, unless other roles are named."""
    return Filter(name, label, "choice", of_sites=True, roles=roles, **more)


@dataclass(frozen=True, slots=True)
class Way:
    """A way on from a list: what it is called, where it leads, whom it is shown."""

    label: str
    path: str
    roles: frozenset[str] = HOST
    of_consignments: bool = True

    def open_to(self, actor: Actor) -> bool:
        """Whether it is shown to somebody: to guests what everybody reads of the host's books, and no form; to who reads single
        consignments alone what speaks of them.
        """
        if actor.role not in self.roles or not (self.of_consignments or actor.consignments is None):
            return False
        return not actor.reads_only or (self.roles >= HOST and "/new" not in self.path)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the row's field, its heading, the kind by which `shown.value` shows it, where a cell leads, and the name of the
    order it sorts by, where it is not called as the column is. `read` gives another value than the field. `roles`: who is shown it,
    None: all.
    `none`: the word for no value. `sparse`: left out where no row shown has a value.
    """

    name: str
    label: str
    kind: str = "text"
    link: Callable[[Any], str | None] | None = None
    order: str | None = None
    read: Callable[[Any], Any] | None = None
    roles: frozenset[str] | None = None
    none: str | None = None
    sparse: bool = False

    def cell(self, row: Any) -> Cell:
        """The cell of a row."""
        value = self.read(row) if self.read else getattr(row, self.name)
        if value is None and self.none is not None:
            return Cell(self.none, "term", None)
        return Cell(value, self.kind, self.link(row) if self.link else None)


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is shown, and where it leads."""

    value: Any
    kind: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading: where a click sorts by it, and how it is sorted now (ascending, descending or None)."""

    label: str
    kind: str
    link: str | None = None
    sorted: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows ready to be shown, on a list's page or inside another."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str


def table(columns: Sequence[Column], rows: Iterable[Any], empty: str, role: str | None = None) -> Table:
    """A table inside a page: without filters and orders."""
    rows = tuple(rows)
    shown = _columns(columns, rows, role)
    heads = tuple(Head(column.label, column.kind) for column in shown)
    return Table(heads, tuple(tuple(column.cell(row) for column in shown) for row in rows), empty)


def _columns(columns: Sequence[Column], rows: Sequence[Any], role: str | None) -> list[Column]:
    """Those for a role that have something to show."""
    return [
        column
        for column in columns
        if (column.roles is None or role in column.roles)
        and not (column.sparse and rows and not any(column.cell(row).value for row in rows))
    ]


Ask = Callable[[Connection, Actor, Asked], PageOf[Any]]
Figure = tuple[str, Any, str] | tuple[str, Any, str, Mapping[str, str]]
"""A sum over a whole list: what it is called, its value, the kind by which it is shown; and by which filters the list holds its rows
alone.
"""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list. `default`: the order it has when none is asked, as a name of a column's order; `sums` makes of a page of rows
    what is told above the table, for one and for several, and the number; `ways` lead on, such as to the form of a new row;
    `figures` are sums over all pages, shown above the table; `orders`: the names of the orders that `ask` knows; `cases`: a row of it
    can become a case; `packages`: all of it can be an audit package.
    """

    path: str
    name: str
    title: str
    question: str
    row: type
    columns: tuple[Column, ...]
    ask: Ask
    empty: str
    filters: tuple[Filter, ...] = ()
    default: str | None = None
    sums: Callable[[PageOf[Any]], tuple[str, str, int] | None] = field(default=lambda page: None)
    every: Callable[[Connection, Actor, Asked], Iterable[Any]] | None = None
    template: str = "list.html"
    ways: tuple[Way, ...] = ()
    figures: Callable[[PageOf[Any]], Sequence[Figure]] = field(default=lambda page: ())
    orders: Collection[str] = ()
    cases: bool = True
    rows_on_page: int = PAGE_ROWS
    packages: bool = True

    def order_of(self, column: Column) -> str | None:
        """By which order a column sorts: the one it names, else one that is called as it is."""
        return column.order or (column.name if column.name in self.orders else None)

    def taken_from(self, actor: Actor, given: Mapping[str, str]) -> dict[str, str]:
        """What of these values the list takes from who asks."""
        known = {each.name for each in self.filters if each.roles is None or actor.role in each.roles}
        return {name: value for name, value in given.items() if name in known}

    def link(self, **asked: object) -> str:
        """The address of this list, narrowed."""
        return address(self.path, **asked)


def listings_of(modules: Iterable[ModuleType]) -> dict[str, Listing]:
    """The lists that pages declare, by their addresses."""
    declared = (one for module in modules for one in vars(module).values())
    return {one.path: one for one in declared if isinstance(one, Listing)}


CASE, CHOOSE = "case", "choose"
"""In a list's address: a row of it is to be chosen, about which a case is opened."""


def row_digest(row: object) -> str:
    """A mark of what a row says: whether it still says the same."""
    return sha256(canonical(row_as_read(row))).hexdigest()[:16]


def row_as_read(row: object) -> dict[str, Any]:
    """A row of a list as the API tells it."""
    told: dict[str, Any] = TypeAdapter(type(row)).dump_python(row, mode="json")
    return told


def answer_list(this: Listing, request: Request, engine: Engine, actor: Actor, **context: Any) -> Response:
    """The list as it is asked for: a page, or a file of all its rows."""
    given = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
    filters = [each for each in this.filters if each.roles is None or actor.role in each.roles]
    page: PageOf[Any] | None = None
    trouble: StockpileError | None = None
    with reading(engine, actor) as connection:
        sites = sites_offered(connection) if any(each.of_sites for each in filters) else ()
    try:
        asked = _read(filters, given)
        if given.get("format") in (Format.CSV, Format.XLSX):
            return _file(this, engine, actor, asked, Format(given["format"]))
        if given.get("format") == PACKAGE and this.packages:
            return package_file(this, engine, actor, given)
        with reading(engine, actor) as connection:
            page = this.ask(connection, actor, replace(asked, limit=this.rows_on_page))
    except (Invalid, NotFound, Refused) as problem:
        trouble = problem
    shown = _shown(this, filters, given, sites, actor, page, trouble)
    status = shown["problem"]["status"] if trouble else 200
    response: Response = templates.TemplateResponse(request, this.template, {**shown, **context}, status_code=status)
    return response


def asked_of(this: Listing, actor: Actor, given: Mapping[str, str], limit: int) -> Asked:
    """What the list's address with these values asks, for so many rows: what another page counts. Raises Invalid."""
    filters = [each for each in this.filters if each.roles is None or actor.role in each.roles]
    asked = _read(filters, given)
    return Asked(asked.values, asked.order, limit, asked.cursor)


def sites_offered(connection: Connection) -> Choices:
    """The sites, for a field that chooses one."""
    return tuple(
        (site.code, f"{site.name} ({site.code})")
        for site in search_sites(connection, for_donor=True, limit=SITES_OFFERED).rows
    )


def _read(filters: Sequence[Filter], given: Mapping[str, str]) -> Asked:
    """What is asked for. Raises Invalid naming each filter whose value cannot be."""
    values: dict[str, Any] = {}
    faults = []
    for each in filters:
        if each.name in given:
            try:
                values[each.name] = each.read(given[each.name])
            except ValueError as problem:
                faults.append(Fault(words_of(problem), field=each.name, value=given[each.name]))
    if faults:
        raise Invalid(sentence("This list cannot be narrowed so."), faults)
    return Asked(values, given.get("order"), cursor=given.get("cursor"))


def _file(this: Listing, engine: Engine, actor: Actor, asked: Asked, form: Format) -> Response:
    """All rows of what is asked, in the order it is asked."""

    def ask(connection: Connection, limit: int, cursor: str | None) -> PageOf[Any]:
        return this.ask(connection, actor, Asked(asked.values, asked.order, limit, cursor))

    every = this.every
    whole = None if every is None or asked.order else lambda connection: every(connection, actor, asked)
    return listing(engine, actor, Paging(PAGE_ROWS, None, form), this.name, this.row, ask, whole)


PACKAGE = "package"


def signs_here() -> bool:
    """Whether this machine has the log's key, and so can sign a package."""
    return (read_settings().signing_folder / KEYS).exists()


def package_file(
    this: Listing, engine: Engine, actor: Actor, given: Mapping[str, str], pinned: Sequence[tuple[str, int]] = ()
) -> Response:
    """All rows of what is asked as an audit package. Raises Invalid, NotFound, NotAllowed, Refused."""
    packed = make_package(engine, actor, read_settings().signing_folder, answered(this, engine, actor, given), pinned)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(actor, this.name)}.zip"'}
    return Response(packed, media_type="application/zip", headers=headers)


def answered(this: Listing, engine: Engine, actor: Actor, given: Mapping[str, str]) -> Answered:
    """All rows of what is asked, as they are at one moment, and how it was asked. Raises Invalid, NotFound, NotAllowed, Refused."""
    asked = asked_of(this, actor, given, PAGE_ROWS)
    with reading(at_one_moment(engine), actor) as connection:
        rows = all_rows(
            every_row(
                lambda limit, cursor: this.ask(connection, actor, Asked(asked.values, asked.order, limit, cursor))
            )
        )
    said = this.taken_from(actor, given) | ({"order": asked.order} if asked.order else {})
    return Answered(str(this.title), str(this.question), this.path, said, this.row, rows)


def _shown(
    this: Listing,
    filters: Sequence[Filter],
    given: Mapping[str, str],
    sites: Choices,
    actor: Actor,
    page: PageOf[Any] | None,
    trouble: StockpileError | None,
) -> dict[str, Any]:
    """What the template takes."""
    kept = {each.name: given[each.name] for each in filters if each.name in given}
    order = given.get("order")
    rows = page.rows if page else ()
    columns = _columns(this.columns, rows, actor.role)
    sorting = order or this.default or ""
    faults = {fault.field: fault.message for fault in getattr(trouble, "faults", ())}
    fields = [each for each in filters if each.kind != "hidden"]
    may_choose = this.cases and may(actor, WRITE_CASES)
    choosing = may_choose and given.get(CASE) == CHOOSE
    here = {**kept, "order": order, "cursor": given.get("cursor")}
    on = {"order": order, CASE: CHOOSE if choosing else None}
    return {
        "list": this,
        "choosing": choosing,
        "choose_for_case": address(this.path, **here, **{CASE: CHOOSE})
        if may_choose and rows and not choosing
        else None,
        "choose_no_more": address(this.path, **here),
        "ways": [way for way in this.ways if way.open_to(actor)],
        "table": Table(
            (
                *(_head(this, column, kept, sorting) for column in columns),
                *((Head(N_("Case"), "term"),) if choosing else ()),
            ),
            tuple(
                (
                    *(column.cell(row) for column in columns),
                    *((Cell(N_("Open a case"), "term", _case_of(this, row, number, here)),) if choosing else ()),
                )
                for number, row in enumerate(rows)
            ),
            this.empty,
        ),
        "filters": [
            (each, given.get(each.name, ""), sites if each.of_sites else each.choices, faults.get(each.name))
            for each in fields
        ],
        "more_open": any(each.name in given for each in fields[1:]),
        "hidden": [(each, given[each.name]) for each in filters if each.kind == "hidden" and each.name in given],
        "narrowed": any(each.name in kept and not each.fixed for each in filters),
        "order": order,
        "sums": this.sums(page) if page else None,
        "figures": [_figure(this, kept, *figure) for figure in this.figures(page)] if page else (),
        "next_page": address(this.path, **kept, **on, cursor=page.cursor) if page and page.cursor else None,
        "first_page": address(this.path, **kept, **on) if given.get("cursor") else None,
        "all_of_it": address(this.path, **{each.name: kept.get(each.name) for each in filters if each.fixed}),
        "files": {form.upper(): address(this.path, **kept, order=order, format=form) for form in ("csv", "xlsx")},
        "package": address(this.path, **kept, order=order, format=PACKAGE) if this.packages and signs_here() else None,
        "without": {
            name: address(this.path, **{other: kept[other] for other in kept if other != name}) for name in kept
        },
        "problem": shown_problem(trouble) if trouble else None,
    }


def _figure(
    this: Listing, kept: Mapping[str, str], label: str, value: Any, kind: str, rows: Mapping[str, str] | None = None
) -> tuple[str, Any, str, str | None]:
    """A sum with the way to its rows, where it has one."""
    return label, value, kind, address(this.path, **{**kept, **rows}) if rows and value else None


def _case_of(this: Listing, row: Any, number: int, here: Mapping[str, str | None]) -> str:
    """The form of a case about a row: where to read it again, and what it says now."""
    found = getattr(row, "discrepancy_id", None)
    if found is not None:
        return address("/cases/new", discrepancy=found)
    asked = address("", **here).removeprefix("?")
    return address("/cases/new", list=this.path, asked=asked, row=number, seen=row_digest(row))


def _head(this: Listing, column: Column, kept: Mapping[str, str], sorting: str) -> Head:
    order = this.order_of(column)
    if order is None:
        return Head(column.label, column.kind)
    now = None
    if sorting.removeprefix("-") == order:
        now = "descending" if sorting.startswith("-") else "ascending"
    wanted = f"-{order}" if now == "ascending" else order
    return Head(column.label, column.kind, address(this.path, **kept, order=wanted), now)

"""Consignments as their donor follows them: how far each is, each number down to its weapons, and a page for one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.exports import file_name
from api.pages import address, templates
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Figure,
    Filter,
    Listing,
    answer_list,
    choice_filter,
    signs_here,
    site_filter,
    table,
    text_filter,
)
from api.pages.moments import MOMENTS, as_of, carrying
from api.pages.pictures_of_consignments import how_far, where_now
from api.pages.statements import DIFFERENCES, STATEMENTS
from api.words import N_
from stockpile.donors import progress
from stockpile.donors.progress import (
    COUNTED,
    Attention,
    ConsignmentWeapon,
    ProgressRow,
    ProgressSought,
    Stage,
    list_consignment_weapons,
    list_progress,
    read_progress_of,
)
from stockpile.donors.proofs import PROVEN_AT_ONCE, consignment_package
from stockpile.donors.statements import Sought as SoughtStatements
from stockpile.donors.statements import list_statements
from stockpile.donors.verifications import read_progress
from stockpile.reports.export import PageOf
from stockpile.reports.lines import Lines
from stockpile.rights import Actor, reading
from stockpile.settings import read_settings

router = APIRouter(include_in_schema=False)

ROWS = 10
"""Consignments on a page, with their picture: more would not be looked at, and not come fast over a thin line."""
SHOWN_AT_ONCE = 20
"""Of one consignment: so many open discrepancies, and so many statements."""


def asked_of_donor(connection: Connection, actor: Actor, asked: Asked) -> Lines[ProgressRow]:
    """A page of consignments."""
    values = dict(asked.values)
    at, attention = as_of(actor, values), values.pop("attention", None)
    sought = ProgressSought(**values, attention=Attention(attention) if attention else None)
    return list_progress(connection, actor, sought, at, asked.limit, asked.cursor, asked.order)


def weapons_of(consignment_id: UUID, stage: Stage | None = None) -> str:
    """Where the weapons of a consignment are listed."""
    return address(f"/consignments/{consignment_id}/weapons", stage=stage)


def _of_stage(name: str, label: str, stage: Stage, sparse: bool = False) -> Column:
    def link(row: ProgressRow) -> str | None:
        return weapons_of(row.consignment_id, stage) if getattr(row, name) else None

    return Column(name, label, "number", link, sparse=sparse)


STAGES = (
    ("declared", N_("Declared"), Stage.DECLARED), ("shipped", N_("Shipped"), Stage.SHIPPED), ("arrived", N_("Arrived"), Stage.ARRIVED),
    ("verified", N_("Verified"), Stage.VERIFIED), ("not_shipped", N_("Not shipped"), Stage.NOT_SHIPPED),
    ("on_its_way", N_("On its way"), Stage.ON_ITS_WAY), ("in_store", N_("In store"), Stage.IN_STORE),
    ("issued", N_("Issued"), Stage.ISSUED), ("in_maintenance", N_("In maintenance"), Stage.MAINTENANCE),
    ("missing", N_("Missing"), Stage.MISSING), ("lost", N_("Lost"), Stage.LOST),
    ("expended", N_("Expended"), Stage.EXPENDED), ("destroyed", N_("Destroyed"), Stage.DESTROYED),
    ("exported", N_("Exported"), Stage.EXPORTED), ("in_excess", N_("In excess"), Stage.EXCESS), ("short", N_("Short"), Stage.SHORT),
)  # fmt: skip
"""The numbers of a consignment that open to weapons: the row's field, what it is called, and which weapons."""
ALWAYS = ("declared", "shipped", "arrived", "verified", "in_store", "issued")


def _figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Lines)
    numbers = numbers_of(page)
    shown = [(label, numbers[name], "number") for name, label, _ in STAGES if numbers[name] or name in ALWAYS]
    return [(N_("Consignments"), page.sums[0], "number"), *shown]


def numbers_of(page: Lines[ProgressRow]) -> dict[str, int]:
    """The sums over all consignments by name."""
    return dict(zip(COUNTED, page.sums[1:], strict=False))


PROGRESS = Listing(
    path="/consignments",
    name="consignments-progress",
    title=N_("How far consignments are"),
    question=progress.QUESTION,
    row=ProgressRow,
    columns=(
        Column("reference", N_("Consignment"), "code", lambda row: f"/consignments/{row.consignment_id}"),
        Column("donor", N_("Donor"), "code", roles=HOST),
        Column("site", N_("Site"), "code"),
        Column("declared_at", N_("Declared on"), "day", read=lambda row: row.declared_at.date()),
        Column("expected_on", N_("Expected"), "day", sparse=True),
        *(_of_stage(name, label, stage, name not in ALWAYS) for name, label, stage in STAGES),
        Column("days_late", N_("Days late"), "number", sparse=True),
        Column("discrepancies", N_("Open discrepancies"), "number", lambda row: f"/consignments/{row.consignment_id}#open", sparse=True),
    ),
    filters=(
        text_filter(N_("Number of the consignment")),
        choice_filter("attention", N_("What wants attention"), Attention),
        Filter("donor", N_("Donor"), help=N_("Its code"), roles=HOST),
        site_filter(),
        *MOMENTS,
    ),
    empty=N_("No consignment fits."),
    ask=asked_of_donor,
    orders=progress.ORDERS,
    default="-declared_at",
    figures=_figures,
    rows_on_page=ROWS,
)  # fmt: skip


@router.get("/consignments", response_class=HTMLResponse)
def consignments(request: Request, engine: Database, actor: Asker) -> Response:
    """The list of consignments."""
    return answer_list(carrying(PROGRESS, request), request, engine, actor)


def _weapon_figures(page: PageOf[Any]) -> Sequence[Figure]:
    assert isinstance(page, Lines)
    return [(N_("Lines"), page.sums[0], "number"), (N_("Pieces"), page.sums[1], "number")]


def _weapon(row: ConsignmentWeapon) -> str:
    return f"/weapons/{row.item_id}"


COLUMNS = (
    Column("model", N_("Model"), link=_weapon),
    Column("serial_number", N_("Serial number"), "code", _weapon),
    Column("asset_tag", N_("Asset tag"), "code", _weapon),
    Column("lot", N_("Lot"), "code", sparse=True),
    Column("stage", N_("Where"), "term"),
    Column("site", N_("Site"), "code"),
    Column("quantity", N_("Pieces"), "number"),
    Column("arrived", N_("Arrived"), "flag"),
    Column("verified", N_("Verified"), "flag"),
    Column("condition", N_("Condition"), "term", sparse=True),
    Column("since", N_("Since"), "moment"),
    Column("document_number", N_("Document"), "code", lambda row: f"/documents/{row.document_id}" if row.document_id else None),
)  # fmt: skip


def weapons_listing(consignment_id: UUID) -> Listing:
    """The list of the weapons of one consignment."""

    def ask(connection: Connection, actor: Actor, asked: Asked) -> PageOf[ConsignmentWeapon]:
        values = dict(asked.values)
        at, stage = as_of(actor, values), values.get("stage")
        which = (Stage(stage) if stage else None, values.get("text"))
        return list_consignment_weapons(
            connection, actor, consignment_id, *which, at, asked.limit, asked.cursor, asked.order
        )

    return Listing(
        path=f"/consignments/{consignment_id}/weapons",
        name="consignment-weapons",
        title=N_("The weapons of a consignment"),
        question=progress.QUESTION_OF_WEAPONS,
        row=ConsignmentWeapon,
        columns=COLUMNS,
        filters=(
            text_filter(N_("Serial number or model")),
            choice_filter("stage", N_("Which"), Stage),
            *MOMENTS,
        ),
        empty=N_("No weapon of it fits."),
        ask=ask,
        orders=progress.WEAPON_ORDERS,
        default="model",
        figures=_weapon_figures,
        template="consignment_weapons.html",
        cases=False,
    )


@router.get("/consignments/{consignment_id}/weapons", response_class=HTMLResponse)
def consignment_weapons(consignment_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The weapons of a consignment."""
    with reading(engine, actor) as connection:
        row = read_progress_of(connection, actor, consignment_id)
    return answer_list(weapons_listing(consignment_id), request, engine, actor, consignment=row)


@router.get("/consignments/{consignment_id}", response_class=HTMLResponse)
def consignment(consignment_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One consignment: how far it is, where its weapons are, what is open of it, what was said about it, and all of it to take along."""
    with reading(engine, actor) as connection:
        row = read_progress_of(connection, actor, consignment_id)
        open_of_it = read_progress(connection, actor, row.donor, row.reference, SHOWN_AT_ONCE)
        of_it = SoughtStatements(donor=row.donor, reference=row.reference)
        statements = list_statements(connection, actor, of_it, SHOWN_AT_ONCE).rows
        if row.end_user_certificate:
            binding = SoughtStatements(donor=row.donor, reference=row.end_user_certificate)
            statements = (*statements, *list_statements(connection, actor, binding, SHOWN_AT_ONCE).rows)
    numbers = {name: getattr(row, name) for name in COUNTED}
    shown = {
        "consignment": row,
        "numbers": numbers,
        "stages": [(label, numbers[name], weapons_of(consignment_id, stage)) for name, label, stage in STAGES
                   if numbers[name] or name in ALWAYS],
        "how_far": how_far,
        "where_now": where_now,
        "differences": table(DIFFERENCES, open_of_it.differences if open_of_it else (), N_("Nothing of it is open.")),
        "open_in_all": open_of_it.differences_in_all if open_of_it else 0,
        "statements": table(STATEMENTS.columns, statements, N_("Nothing was said about it."), actor.role),
        "weapons": weapons_of(consignment_id),
        "files": {form.upper(): address(weapons_of(consignment_id), format=form) for form in ("csv", "xlsx")},
        "proofs": range(1, -(-max(row.declared + row.in_excess, 1) // PROVEN_AT_ONCE) + 1) if signs_here() else (),
    }  # fmt: skip
    response: Response = templates.TemplateResponse(request, "consignment.html", shown)
    return response


@router.get("/consignments/{consignment_id}/proof", response_class=Response)
def consignment_proof(
    consignment_id: UUID, engine: Database, actor: Asker, part: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    """The proofs of its weapons in one archive, which `stockpile check-proof` checks anywhere."""
    packed, name = consignment_package(engine, actor, read_settings().signing_folder, consignment_id, part)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(actor, name)}.zip"'}
    return Response(packed, media_type="application/zip", headers=headers)

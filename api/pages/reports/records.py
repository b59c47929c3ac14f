"""Records of a register that cannot all be right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address
from api.pages.listing import Asked, Column, Figure, Listing, answer_list, choice_filter, key_filter
from api.pages.reports.shown import weapon_page
from api.words import N_
from stockpile.reports import records
from stockpile.reports.export import PageOf
from stockpile.reports.keyset import Page
from stockpile.reports.records import RecordRow, Records, Wrong, wrong_records
from stockpile.reports.registers import Sought as SoughtRegisters
from stockpile.reports.registers import list_registers
from stockpile.rights import READ_PEOPLE, Actor, reading, require

router = APIRouter(include_in_schema=False)


def _records(connection: Connection, actor: Actor, asked: Asked) -> PageOf[RecordRow]:
    require(actor, READ_PEOPLE)
    register, wrong = asked.values.get("register"), asked.values.get("wrong")
    if register is None:
        return Page((), None)
    return wrong_records(
        connection, actor, register, Wrong(wrong) if wrong else None, asked.limit, asked.cursor, asked.order
    )


def _record_figures(page: PageOf[Any]) -> Sequence[Figure]:
    if not isinstance(page, Records):
        return ()
    return (
        (N_("Records"), page.lines, "number"),
        (N_("Serial numbers"), page.serial_numbers, "number"),
        (N_("Numbers that stand several times"), page.repeated_numbers, "number"),
        (N_("Repeated"), page.repeated, "number"),
        (N_("Conflicting"), page.conflicting, "number"),
        (N_("Incomplete"), page.incomplete, "number"),
        (N_("Repeated, incomplete or both"), page.wrong, "number"),
        (N_("Set aside unread"), page.set_aside, "number"),
    )


RECORDS = Listing(
    path="/reports/records",
    name="wrong-records",
    title=N_("Repeated, conflicting and incomplete records"),
    question=records.QUESTION,
    row=RecordRow,
    columns=(
        Column("line", N_("Line"), "number"),
        Column("model", N_("Model")),
        Column(
            "serial_number",
            N_("Serial number"),
            "code",
            lambda row: weapon_page(row) or address("/search", q=row.serial_number),
        ),
        Column("quantity", N_("Pieces"), "number"),
        Column("times", N_("Times"), "number"),
        Column("conflicts", N_("Differ in"), "term"),
        Column("lacks", N_("Lacks"), "term"),
        Column("unit", N_("Unit"), "code"),
        Column("holder", N_("Holder")),
        Column("shipped_on", N_("Shipped"), "day"),
        Column("received_on", N_("Received"), "day"),
        Column("dated_on", N_("Dated"), "day"),
    ),
    filters=(choice_filter("wrong", N_("What is wrong"), Wrong), key_filter("register", N_("Of one register."))),
    empty=N_("Choose a register; or nothing is wrong with this one."),
    ask=_records,
    orders=records.ORDERS,
    default="line",
    figures=_record_figures,
    template="records.html",
)


@router.get("/reports/records", response_class=HTMLResponse)
def of_records(request: Request, engine: Database, actor: Asker) -> Response:
    """Records of one register that cannot all be right; without one, the registers to choose from."""
    registers: Sequence[tuple[UUID, str, int]] = ()
    if not request.query_params.get("register", "").strip():
        with reading(engine, actor) as connection:
            found = list_registers(connection, actor, SoughtRegisters(), 50).rows
        registers = [(one.register_id, one.name, one.line_count) for one in found]
    return answer_list(RECORDS, request, engine, actor, finding=records.FINDING, registers=registers)

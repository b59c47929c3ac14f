"""Counts: open one, send what is read, close it, and see what it found; what is due, how often; and the seals of containers."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    OTHER_CONTENT,
    REFUSED,
    UNREADABLE_FILE,
    documented,
)
from stockpile.documents import Code
from stockpile.registers.count_closing import close_count
from stockpile.registers.count_findings import Kind
from stockpile.registers.count_lines import BatchTaken, send_lines
from stockpile.registers.count_periods import Period, PeriodCode, keep_period
from stockpile.registers.count_sheets import SendLines
from stockpile.registers.counts import AbandonCount, OpenCount, abandon_count, open_count
from stockpile.registers.seals import BreakSeal, SealContainer, break_seal, seal_container
from stockpile.reports.counts import (
    CountLineRow,
    CountRow,
    CountShown,
    ExpectedRow,
    FindingRow,
    State,
    list_count_lines,
    list_counts,
    list_expected,
    list_findings,
    read_count,
)
from stockpile.reports.counts_due import DueRow, PeriodRow, list_due, list_periods, read_period
from stockpile.reports.seals import SealRow, list_seals, read_seal
from stockpile.rights import Actor, reading

router = APIRouter(tags=["counts"])

LISTING = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
READING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
WRITING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, OTHER_CONTENT, REFUSED, INVALID)
Site = Annotated[Code | None, Query(description="Of one site: its code")]
At = Annotated[Code | None, Query(alias="site", description="Site code; only those bound to no site need it")]


def _example(body: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


def _shown(engine: Database, actor: Actor, count_id: UUID, status: int = 200) -> Response:
    with reading(engine, actor) as connection:
        return answer(read_count(connection, actor, count_id), status)


@router.get("/counts", summary="Counts", response_model=Page[CountRow], responses=LISTING)
def search_counts(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: Site = None,
    state: Annotated[State | None, Query(description="open, closing, closed or abandoned; left out: all")] = None,
) -> Response:
    """The last opened first. Not for donors."""
    return listing(
        engine, actor, pages, "counts", CountRow,
        lambda connection, limit, cursor: list_counts(connection, actor, site, state, limit, cursor),
    )  # fmt: skip


@router.post(
    "/counts",
    status_code=201,
    summary="Open a count",
    response_model=CountShown,
    responses=WRITING,
    openapi_extra=_example({"account": "Main store", "counters": ["T-2"], "reason": "periodic"}),
)
def open_a_count(body: OpenCount, engine: Database, actor: Asker) -> Response:
    """Of one account, a unit with its people, sealed containers, a whole site, or the differences of a closed count. Blind
    unless it says otherwise. Nothing stops for it.
    """
    return _shown(engine, actor, open_count(engine, actor, body), 201)


@router.get("/counts/due", summary="What is to be counted", response_model=Page[DueRow], responses=LISTING)
def show_due(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: Site = None,
    overdue: Annotated[bool | None, Query(description="Only what is overdue, or only the rest")] = None,
) -> Response:
    """Accounts with weapons on them, those that nobody ever counted by serial number first, then by when they are due: by the
    shortest period that binds what is on them.
    """
    return listing(
        engine, actor, pages, "counts-due", DueRow,
        lambda connection, limit, cursor: list_due(connection, actor, site, overdue, limit, cursor),
    )  # fmt: skip


@router.get("/counts/{count_id}", summary="A count", response_model=CountShown, responses=READING)
def show_count(count_id: UUID, engine: Database, actor: Asker) -> Response:
    """How far it is, and, once it is closed, how many findings of each kind it has."""
    return _shown(engine, actor, count_id)


@router.post(
    "/counts/{count_id}/lines",
    status_code=201,
    summary="Send lines of a count",
    response_model=BatchTaken,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, OTHER_CONTENT, REFUSED, INVALID, UNREADABLE_FILE),
    openapi_extra=_example({"lines": [{"scan": "KT 449921"}, {"model": "Helmet", "quantity": 40}]}),
)
def send_count_lines(count_id: UUID, body: SendLines, engine: Database, actor: Asker) -> Response:
    """What was read, each line with its own time; or a printed sheet, stored before as a file (POST /v1/files). All are kept or
    none. The same `batch_id` again gets the first answer. It tells which weapon each line means and what was read before, never
    whether it was expected.
    """
    return answer(send_lines(engine, actor, count_id, body), 201)


@router.get(
    "/counts/{count_id}/lines", summary="The lines of a count", response_model=Page[CountLineRow], responses=LISTING
)
def show_count_lines(count_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """What was read, in the order in which it came."""
    return listing(
        engine, actor, pages, f"count-{count_id}", CountLineRow,
        lambda connection, limit, cursor: list_count_lines(connection, actor, count_id, limit, cursor),
    )  # fmt: skip


@router.get(
    "/counts/{count_id}/expected",
    summary="What an open count is to find",
    response_model=Page[ExpectedRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID),
)
def show_expected(count_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """What the books have there now, with the line that read it. Of a blind count nobody is told."""
    return listing(
        engine, actor, pages, f"expected-{count_id}", ExpectedRow,
        lambda connection, limit, cursor: list_expected(connection, actor, count_id, limit, cursor),
    )  # fmt: skip


@router.get(
    "/counts/{count_id}/findings", summary="What a count found", response_model=Page[FindingRow], responses=LISTING
)
def show_findings(
    count_id: UUID,
    engine: Database,
    actor: Asker,
    pages: Pages,
    kind: Annotated[Kind | None, Query(description="Only of this kind")] = None,
) -> Response:
    """Each line against the ledger at its own moment, then what nobody read. `account`: where the ledger had it."""
    return listing(
        engine, actor, pages, f"findings-{count_id}", FindingRow,
        lambda connection, limit, cursor: list_findings(connection, actor, count_id, kind, limit, cursor),
    )  # fmt: skip


@router.post("/counts/{count_id}/close", summary="Close a count", response_model=CountShown, responses=WRITING)
def close_a_count(count_id: UUID, engine: Database, actor: Asker, site: At = None) -> Response:
    """By an armourer, commander, registrar or auditor who is not its only counter. Its lines become a register of the log, its
    findings stay, and what is missing or unexpected opens discrepancies. Closing it again changes nothing.
    """
    return _shown(engine, actor, close_count(engine, actor, count_id, site))


@router.post(
    "/counts/{count_id}/abandon",
    summary="Abandon a count",
    response_model=CountShown,
    responses=WRITING,
    openapi_extra=_example({"because": "The alarm went: nobody finished"}),
)
def abandon_a_count(count_id: UUID, body: AbandonCount, engine: Database, actor: Asker) -> Response:
    """One that was opened by mistake or broken off. Nothing is compared; what was read stays to be read."""
    return _shown(engine, actor, abandon_count(engine, actor, count_id, body))


@router.get("/count-periods", summary="How often to count", response_model=Page[PeriodRow], responses=LISTING)
def show_periods(
    engine: Database,
    actor: Asker,
    pages: Pages,
    binds: Annotated[
        bool | None, Query(description="Only those by which what is due is judged, or only the rest")
    ] = None,
) -> Response:
    """Each with who says so; `unverified` ones are from memory."""
    return listing(
        engine, actor, pages, "count-periods", PeriodRow,
        lambda connection, limit, cursor: list_periods(connection, actor, binds, limit, cursor),
    )  # fmt: skip


@router.post(
    "/count-periods/{code}",
    summary="Say how often to count",
    response_model=PeriodRow,
    responses=READING,
    openapi_extra=_example(
        {"what": "unit weapons: all by serial number", "held_by": "unit", "days": 31, "source": "Order 7"}
    ),
)
def say_period(code: Annotated[PeriodCode, Path()], body: Period, engine: Database, actor: Asker) -> Response:
    """Adds a period, or says the whole of one anew. A registrar's to say."""
    with reading(engine, actor) as connection:
        keep_period(connection, actor, code, body)
        return answer(read_period(connection, actor, code))


@router.get("/seals", summary="Seals of containers", response_model=Page[SealRow], responses=LISTING)
def search_seals(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: Site = None,
    broken: Annotated[bool | None, Query(description="Only broken ones, or only unbroken ones")] = None,
    text: Annotated[
        Code | None, Query(description="Part of the number, or of what is written on the container")
    ] = None,
) -> Response:
    """By number."""
    return listing(
        engine, actor, pages, "seals", SealRow,
        lambda connection, limit, cursor: list_seals(connection, actor, site, broken, text, limit, cursor),
    )  # fmt: skip


@router.post(
    "/seals",
    status_code=201,
    summary="Seal a container",
    response_model=SealRow,
    responses=WRITING,
    openapi_extra=_example({"number": "S-004411", "container": "Crate 12", "weapons": ["KT 449921"]}),
)
def seal_a_container(body: SealContainer, engine: Database, actor: Asker) -> Response:
    """Over the weapons in it, which the books must have in that store. While the seal is unbroken its list counts as seen."""
    seal_id = seal_container(engine, actor, body)
    with reading(engine, actor) as connection:
        return answer(read_seal(connection, actor, seal_id), 201)


@router.post(
    "/seals/break",
    summary="Say that a seal is broken",
    response_model=SealRow,
    responses=WRITING,
    openapi_extra=_example({"number": "S-004411"}),
)
def break_a_seal(body: BreakSeal, engine: Database, actor: Asker) -> Response:
    """Found so, or opened. What was under it is counted by serial number from then on."""
    seal_id = break_seal(engine, actor, body)
    with reading(engine, actor) as connection:
        return answer(read_seal(connection, actor, seal_id))

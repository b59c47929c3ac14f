"""The fifteen questions of the auditor and where each is asked; and those of losses, consignments, what is on its way, records that cannot
be right, what is unaccounted for, holdings as of a moment and over time: docs/reports.md tells what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection

from api.answers import Page, Rows, answer
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from api.v1.reports import AtSite, Day, Donor, ModelName, Unit
from api.v1.weapons import WeaponsShown
from stockpile.documents import Code
from stockpile.movements import HELD, AccountClass
from stockpile.reports import consignments, losses, transit
from stockpile.reports.as_of import AsOf
from stockpile.reports.consignments import ConsignmentLine, ConsignmentRow, ConsignmentsSought, Fate
from stockpile.reports.count_compliance import ComplianceLine, count_compliance
from stockpile.reports.flows import FlowRow, FlowsSought, Movement, flow_movements, flows
from stockpile.reports.holdings import Holder, HoldingLine, holdings
from stockpile.reports.keyset import Page as PageOfRows
from stockpile.reports.keyset import page_of
from stockpile.reports.lines import Lines
from stockpile.reports.losses import By, LossesSought, LossSum, LostPiece
from stockpile.reports.over_time import MonthLine, holdings_over_time
from stockpile.reports.questions import REPORTS
from stockpile.reports.records import RecordRow, Wrong, wrong_records
from stockpile.reports.transit import TransitPiece, TransitRow, TransitSought
from stockpile.reports.unaccounted import UnaccountedLine, unaccounted
from stockpile.rights import Actor

router = APIRouter(prefix="/reports", tags=["reports"])

REPORT = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Summed(Generic[T]):
    """A page of lines with its sums by name."""

    rows: tuple[T, ...]
    sums: dict[str, Any]
    cursor: str | None


def _named(lines: Lines[T], *names: str) -> Summed[T]:
    return Summed(lines.rows, dict(zip(names, lines.sums, strict=True)), lines.cursor)


class WayShown(BaseModel):
    """Where a question is asked: on a page, in this API, at the command line."""

    question: str
    page: str
    api: str
    command: str


class ReportShown(BaseModel):
    """A report: its number, its question, the published finding that it answers, and where it is asked by one of the asker's role."""

    number: int
    name: str
    question: str
    finding: str
    asked: list[WayShown]


@router.get("", summary="The reports", response_model=Rows[ReportShown], responses=documented(NOT_SIGNED_IN))
def read_reports(actor: Asker) -> Response:
    """The fifteen questions of the auditor, in order. Without a way: none yet, or none for the asker's role."""
    rows = [
        ReportShown(
            number=one.number, name=one.name, question=one.question, finding=one.finding,
            asked=[WayShown(question=way.question, page=way.page, api=way.api, command=way.command) for way in one.for_role(actor.role)],
        )
        for one in REPORTS
    ]  # fmt: skip
    return answer({"rows": [row.model_dump() for row in rows]})


class LossSums(BaseModel):
    """Sums over all pages."""

    reports: int
    lost: int
    missing: int
    concluded: int
    found: int
    oldest_days: int | None


class LossesByShown(Page[LossSum]):
    """A page of lines, and the sums over all of them."""

    sums: LossSums


class LostShown(Page[LostPiece]):
    """A page of pieces, and the sums over all of them."""

    sums: LossSums


LOSS_SUMS = tuple(LossSums.model_fields)
CauseNamed = Annotated[
    Code | None, Query(description="Of one cause: as concluded, 'overrun' or 'not concluded'", examples=["stolen"])
]
Since = Annotated[Day | None, Query(description="Lost from this day on")]
Until = Annotated[Day | None, Query(description="Lost up to this day")]
LossState = Annotated[losses.State | None, Query(description="Only what is missing, concluded, or found")]


@router.get("/losses-by", summary="Losses by unit, cause, model, time", response_model=LossesByShown, responses=REPORT)
def read_losses_by(
    engine: Database,
    actor: Asker,
    pages: Pages,
    by: Annotated[By, Query(description="A line for each of these")] = By.TIME,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    unit: Unit = None,
    cause: CauseNamed = None,
    state: LossState = None,
    since: Since = None,
    until: Until = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Pieces lost, and what became of them: still missing, concluded, found. The rows behind a number: GET /v1/reports/lost with the same
    filters.
    """
    sought, at = LossesSought(donor, site, model, unit, None, cause, state, since, until), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[LossSum]:
        return _named(losses.losses_by(connection, actor, by, sought, at, limit, cursor), *LOSS_SUMS)

    return _listing(engine, actor, pages, "losses-by", LossSum, ask)


@router.get("/lost", summary="What was lost, and open investigations", response_model=LostShown, responses=REPORT)
def read_lost(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    unit: Unit = None,
    no_unit: Annotated[bool | None, Query(description="Only what no unit lost, or only what one did")] = None,
    cause: CauseNamed = None,
    state: LossState = None,
    since: Since = None,
    until: Until = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Each weapon that a loss report took, the longest lost first; with state=missing the open investigations and their age."""
    sought = LossesSought(donor, site, model, unit, no_unit, cause, state, since, until)
    at = AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[LostPiece]:
        return _named(losses.lost_pieces(connection, actor, sought, at, limit, cursor), *LOSS_SUMS)

    return _listing(engine, actor, pages, "lost", LostPiece, ask)


class ConsignmentSums(BaseModel):
    """Sums over all pages."""

    consignments: int
    declared: int
    shipped: int
    received: int
    rejected: int
    awaited: int
    short: int
    excess: int
    late_pieces: int


class ConsignmentsShown(Page[ConsignmentRow]):
    """A page of consignments, and the sums over all of them."""

    sums: ConsignmentSums


Reference = Annotated[Code | None, Query(description="Of one consignment: the donor's number of it")]


@router.get("/consignments", summary="Consignments", response_model=ConsignmentsShown, responses=REPORT)
def read_consignments(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    consignment: Reference = None,
    state: Annotated[
        consignments.State | None, Query(description="Only those short, in excess, late, or awaited")
    ] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """What was declared, shipped, received, rejected, is short, in excess or late. The weapons: GET /v1/reports/consignments/lines."""
    sought, at = ConsignmentsSought(donor, site, consignment, state), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[ConsignmentRow]:
        found = consignments.list_consignments(connection, actor, sought, at, limit, cursor)
        return _named(found, *ConsignmentSums.model_fields)

    return _listing(engine, actor, pages, "consignments", ConsignmentRow, ask)


class ConsignmentLineSums(BaseModel):
    """Sums over all pages."""

    lines: int
    declared: int
    shipped: int
    received: int
    rejected: int
    excess: int


class ConsignmentLinesShown(Page[ConsignmentLine]):
    """A page of lines, and the sums over all of them."""

    sums: ConsignmentLineSums


@router.get(
    "/consignments/lines",
    summary="The weapons of a consignment",
    response_model=ConsignmentLinesShown,
    responses=REPORT,
)
def read_consignment_lines(
    engine: Database,
    actor: Asker,
    pages: Pages,
    consignment: Annotated[Code, Query(description="The donor's number of the consignment")],
    donor: Donor = None,
    fate: Annotated[Fate | None, Query(description="Only those of which this became")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """What became of each weapon of a consignment, by model and serial number."""
    sought, at = ConsignmentsSought(donor, None, consignment), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[ConsignmentLine]:
        found = consignments.list_consignment_lines(connection, actor, sought, fate, at, limit, cursor)
        return _named(found, *ConsignmentLineSums.model_fields)

    return _listing(engine, actor, pages, f"consignment-{consignment}", ConsignmentLine, ask)


class TransitSums(BaseModel):
    """Sums over all pages."""

    shipments: int
    pieces: int
    shipments_overdue: int
    pieces_overdue: int
    longest_days: int | None


class TransitShown(Page[TransitRow]):
    """A page of shipments, and the sums over all of them."""

    sums: TransitSums


FromSite = Annotated[Code | None, Query(description="From this site: its code")]
ToSite = Annotated[Code | None, Query(description="Bound for this site: its code")]
Overdue = Annotated[bool | None, Query(description="Only what should have come by then, or only the others")]


@router.get("/transit", summary="On its way, and overdue", response_model=TransitShown, responses=REPORT)
def read_transit(
    engine: Database,
    actor: Asker,
    pages: Pages,
    from_site: FromSite = None,
    to_site: ToSite = None,
    model: ModelName = None,
    overdue: Overdue = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """The shipments of which something is on its way. The weapons: GET /v1/reports/transit/pieces with the same filters."""
    sought, at = TransitSought(from_site, to_site, model, overdue), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[TransitRow]:
        found = transit.in_transit(connection, actor, sought, at, limit, cursor)
        return _named(found, *TransitSums.model_fields)

    return _listing(engine, actor, pages, "in-transit", TransitRow, ask)


@router.get("/transit/pieces", summary="The weapons on their way", response_model=Page[TransitPiece], responses=REPORT)
def read_pieces_in_transit(
    engine: Database,
    actor: Asker,
    pages: Pages,
    from_site: FromSite = None,
    to_site: ToSite = None,
    model: ModelName = None,
    overdue: Overdue = None,
    shipment: Annotated[Code | None, Query(description="Of one shipment: the number of its order")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Each weapon, those expected first at the top."""
    sought, at = TransitSought(from_site, to_site, model, overdue, shipment), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> PageOfRows[TransitPiece]:
        found = transit.pieces_in_transit(connection, actor, sought, at, limit, cursor)
        return PageOfRows(found.rows, found.cursor)

    return _listing(engine, actor, pages, "pieces-in-transit", TransitPiece, ask)


class RecordsShown(Page[RecordRow]):
    """A page of records that something is wrong with, and the sums over the whole list."""

    lines: int
    serial_numbers: int
    repeated_numbers: int
    repeated: int
    conflicting: int
    incomplete: int
    wrong: int = Field(description="Repeated, incomplete or both")
    set_aside: int


@router.get(
    "/records", summary="Repeated, conflicting, incomplete records", response_model=RecordsShown, responses=REPORT
)
def read_records(
    engine: Database,
    actor: Asker,
    pages: Pages,
    register: Annotated[UUID, Query(description="Of this register: its key")],
    wrong: Annotated[Wrong | None, Query(description="Only records with which this is wrong")] = None,
) -> Response:
    """The records of one register that cannot all be right, in the order of its lines."""
    return _listing(
        engine, actor, pages, "wrong-records", RecordRow,
        lambda connection, limit, cursor: wrong_records(connection, actor, register, wrong, limit, cursor),
    )  # fmt: skip


class UnaccountedShown(Page[UnaccountedLine]):
    """A page of models, and the sums over all of them. Without an audit there is nothing to tell yet."""

    audit_id: UUID | None
    audit: str | None
    left_list: str | None
    right_list: str | None
    recorded_at: datetime | None
    left: int
    right: int
    unaccounted: int
    not_left: int


@router.get("/unaccounted", summary="Unaccounted for", response_model=UnaccountedShown, responses=REPORT)
def read_unaccounted(
    engine: Database,
    actor: Asker,
    pages: Pages,
    audit: Annotated[
        Code | None, Query(description="Of this audit: its key, its name, or name#run; left out: the newest")
    ] = None,
) -> Response:
    """What one side of an audit says was handed over and the other does not have. The rows: GET /v1/audits/{audit_id}/findings."""
    return _listing(
        engine, actor, pages, "unaccounted", UnaccountedLine,
        lambda connection, limit, cursor: unaccounted(connection, actor, audit, limit, cursor),
    )  # fmt: skip


@router.get("/holdings", summary="Holdings as of a moment", response_model=WeaponsShown, responses=REPORT)
def read_holdings(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: AtSite = None,
    unit: Unit = None,
    person: Annotated[Code | None, Query(description="Of one person: the service number")] = None,
    model: Annotated[Code | None, Query(description="Part of a model's name or of a serial number")] = None,
    account_class: Annotated[
        list[AccountClass] | None, Query(alias="class", description="Only on accounts of these classes")
    ] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """What a site, a unit with its people and sub-units, or a person held: name one of them."""
    holder, at = Holder(site=site, unit=unit, person=person), AsOf(as_of, recorded_as_of)
    classes = account_class or HELD
    return listing(
        engine, actor, pages, f"holdings-{site or unit or person or ''}", HoldingLine,
        lambda connection, limit, cursor: holdings(connection, actor, holder, at, model, classes, limit, cursor),
    )  # fmt: skip


@router.get("/holdings-over-time", summary="Holdings over time", response_model=Page[MonthLine], responses=REPORT)
def read_holdings_over_time(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """How many pieces were in each kind of place at the end of each month."""
    at = AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> PageOfRows[MonthLine]:
        lines = holdings_over_time(connection, actor, at, donor, model, site)
        return page_of(lines, lambda line: (line.on.isoformat(),), limit, cursor)

    return _listing(engine, actor, pages, "holdings-over-time", MonthLine, ask)


@router.get("/flows", summary="Flow between kinds of place", response_model=Page[FlowRow], responses=REPORT)
def read_flows(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    since: Annotated[AwareDatetime | None, Query(description="What happened from this moment on")] = None,
    until: Annotated[AwareDatetime | None, Query(description="What happened up to this moment")] = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """How many pieces went from which kind of place to which; what was taken back did not move."""
    sought = FlowsSought(donor, site, model, since, until, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> PageOfRows[FlowRow]:
        found = flows(connection, actor, sought)
        return page_of(found, lambda row: (str(row.origin), str(row.place)), limit, cursor)

    return _listing(engine, actor, pages, "flows", FlowRow, ask)


@router.get("/flows/movements", summary="The movements of a flow", response_model=Page[Movement], responses=REPORT)
def read_movements(
    engine: Database,
    actor: Asker,
    pages: Pages,
    origin: Annotated[AccountClass, Query(description="From this kind of place")],
    place: Annotated[AccountClass, Query(description="To this kind of place")],
    donor: Donor = None,
    site: AtSite = None,
    model: ModelName = None,
    since: Annotated[AwareDatetime | None, Query(description="What happened from this moment on")] = None,
    until: Annotated[AwareDatetime | None, Query(description="What happened up to this moment")] = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Each live entry behind a number of the flow, the oldest first."""
    sought = FlowsSought(donor, site, model, since, until, recorded_as_of)
    return listing(
        engine, actor, pages, "movements", Movement,
        lambda connection, limit, cursor: flow_movements(connection, actor, origin, place, sought, limit, cursor),
    )  # fmt: skip


@router.get("/count-compliance", summary="Counts kept in time", response_model=Page[ComplianceLine], responses=REPORT)
def read_count_compliance(engine: Database, actor: Asker, pages: Pages, site: AtSite = None) -> Response:
    """By site: of what must be counted by serial number, what was in time, what is overdue; by item and by value."""

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> PageOfRows[ComplianceLine]:
        found = count_compliance(connection, actor, site)
        return page_of(found, lambda line: (line.site,), limit, cursor)

    return _listing(engine, actor, pages, "count-compliance", ComplianceLine, ask)


def _listing(
    engine: Any,
    actor: Actor,
    pages: Any,
    name: str,
    row: type,
    ask: Callable[[Connection, int | None, str | None], Any],
) -> Response:
    """A page, or a file of all rows of one asking: these cost the same whole as page by page."""

    def every(connection: Connection) -> Sequence[Any]:
        rows: Sequence[Any] = ask(connection, None, None).rows
        return rows

    return listing(engine, actor, pages, name, row, ask, every)

"""End-use monitoring: visits of a donor's inspectors, planned, done or refused; what holders report; the plans by class of model. A donor
reads and says its own alone; the host answers.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from api.v1.files import BINARY, Sha256
from api.v1.papers import Language, Sheet, a_paper, printed
from api.v1.statements import READING, SAYING, Written, written
from labels.papers import Size
from stockpile.db.tables.visits import FINDINGS
from stockpile.documents import Code
from stockpile.donors.dispositions import ReportDispositions, report_dispositions
from stockpile.donors.physical_security import SecurityPoint, checklist
from stockpile.donors.plans import MonitoringPlan, PlanCode, keep_plan
from stockpile.donors.visits import (
    AnswerVisit,
    Level,
    PlanVisit,
    RecordVisit,
    RefuseVisit,
    answer_visit,
    plan_visit,
    record_visit,
    refuse_visit,
)
from stockpile.errors import NotFound
from stockpile.evidence import known
from stockpile.files import file_store
from stockpile.papers.visit_report import visit_report_of
from stockpile.reports.visits import (
    PlanRow,
    VisitLineRow,
    VisitRow,
    VisitShown,
    VisitSought,
    VisitState,
    list_plans,
    list_visit_lines,
    list_visits,
    read_plan,
    read_visit,
)
from stockpile.rights import Actor, reading
from stockpile.sentences import sentence

router = APIRouter(tags=["donors"])
LISTING = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)


@router.get("/visits", summary="Visits of inspectors", response_model=Page[VisitRow], responses=LISTING)
def search_visits(
    engine: Database,
    actor: Asker,
    pages: Pages,
    text: Annotated[Code | None, Query(description="Part of the number, or of who came or reported")] = None,
    state: Annotated[VisitState | None, Query(description="reported: what a holder reported itself")] = None,
    donor: Annotated[Code | None, Query(description="Of one donor: its code")] = None,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    level: Annotated[Level | None, Query(description="routine or enhanced")] = None,
    differing: Annotated[bool | None, Query(description="Only those with differences, or without")] = None,
) -> Response:
    """Planned, done and refused, and what holders reported; the newest first. A donor's own, a desk's site's, all for a registrar and an
    auditor. Of a visit that was planned more than once, the last plan.
    """
    sought = VisitSought(text, state, donor, site, level, differing)
    return listing(
        engine, actor, pages, "visits", VisitRow,
        lambda connection, limit, cursor: list_visits(connection, actor, sought, limit, cursor),
    )  # fmt: skip


@router.get("/visits/{statement_id}", summary="A visit", response_model=VisitShown, responses=READING)
def show_visit(statement_id: UUID, engine: Database, actor: Asker) -> Response:
    """All that was said, how many lines were found how, and what the host answered."""
    with reading(engine, actor) as connection:
        return answer(read_visit(connection, actor, statement_id))


@router.get(
    "/visits/{statement_id}/lines", summary="Lines of a visit", response_model=Page[VisitLineRow], responses=LISTING
)
def show_visit_lines(
    statement_id: UUID,
    engine: Database,
    actor: Asker,
    pages: Pages,
    finding: Annotated[
        str | None, Query(max_length=64, description=f"Only these: {', '.join(FINDINGS)}", examples=["missing"])
    ] = None,
    differing: Annotated[bool | None, Query(description="Only what differs from the ledger, or only the rest")] = None,
) -> Response:
    """Each weapon that was read, against the ledger at the line's own moment; after them what was to be shown and nobody read."""
    return listing(
        engine, actor, pages, "visit-lines", VisitLineRow,
        lambda connection, limit, cursor: list_visit_lines(connection, actor, statement_id, finding, differing, limit, cursor),
    )  # fmt: skip


@router.get(
    "/visits/{statement_id}/paper.pdf",
    summary="The report of a visit, to print",
    response_class=Response,
    responses=a_paper(),
)
def print_visit(
    statement_id: UUID, engine: Database, actor: Asker, language: Language = None, size: Sheet = Size.A4
) -> Response:
    """Of a visit that was done or refused: each line beside where the ledger had the weapon then, the check of the store, the digests of
    the photos, the host's answer, room to sign. A donor's copy names nobody of the host.
    """
    with reading(engine, actor) as connection:
        paper = visit_report_of(connection, actor, statement_id)
    return printed(actor, f"visit {paper.number}", (paper,), language, size)


@router.get(
    "/visits/{statement_id}/files/{sha256}",
    summary="A photo or paper of a visit",
    response_class=FileResponse,
    responses={
        200: {"description": "The file as it was stored", "content": {"application/octet-stream": BINARY}},
        **READING,
    },
)  # fmt: skip
def read_visit_file(statement_id: UUID, sha256: Sha256, engine: Database, actor: Asker) -> Response:
    """One that the visit, or a holder's report, names."""
    return file_of_visit(engine, actor, statement_id, sha256)


def file_of_visit(engine: Database, actor: Actor, statement_id: UUID, sha256: str) -> Response:
    """A file that a visit names, as it was stored. Raises NotFound."""
    with reading(engine, actor) as connection:
        content = read_visit(connection, actor, statement_id).content
    names = {file["sha256"]: file["name"] for file in content.get("evidence", ())}
    names |= {digest: digest[:12] for line in content.get("lines", ()) for digest in line.get("evidence", ())}
    listed = content.get("file")
    if listed and listed["sha256"] == sha256:
        return FileResponse(file_store().path(sha256), media_type="application/octet-stream", filename=listed["name"])
    if sha256 not in names:
        raise NotFound(sentence("It names no such file."))
    media_type = known(file_store(), sha256).media_type
    return FileResponse(file_store().path(sha256), media_type=media_type, filename=names[sha256])


@router.post("/visit-plans", status_code=201, summary="Plan a visit", response_model=Written, responses=SAYING)
def post_plan(body: PlanVisit, engine: Database, actor: Asker) -> Response:
    """For a donor. Planned again under its number it is the new plan."""
    return written(plan_visit(engine, actor, body))


@router.post("/visits", status_code=201, summary="Record a visit", response_model=Written, responses=SAYING)
def post_visit(body: RecordVisit, engine: Database, actor: Asker) -> Response:
    """For a donor: what its inspectors read and saw. It is a leaf of the log at once, and every line is compared with the ledger at its
    own moment; what differs is open on both sides.
    """
    return written(record_visit(engine, actor, body))


@router.post(
    "/visit-refusals", status_code=201, summary="Say that a visit was refused", response_model=Written, responses=SAYING
)
def post_refusal(body: RefuseVisit, engine: Database, actor: Asker) -> Response:
    """For a donor: who refused it, and why. It is an open discrepancy of the site at once."""
    return written(refuse_visit(engine, actor, body))


@router.post(
    "/visits/{statement_id}/answer",
    status_code=201,
    summary="Answer a visit",
    response_model=Written,
    responses=SAYING,
)
def post_answer(statement_id: UUID, body: AnswerVisit, engine: Database, actor: Asker) -> Response:
    """For the site's commander or a registrar: once, in words that the donor reads, to a visit, a refusal or a plan."""
    return written(answer_visit(engine, actor, statement_id, body))


@router.post(
    "/disposition-reports",
    status_code=201,
    summary="Report what a holder has",
    response_model=Written,
    responses=SAYING,
)
def post_dispositions(body: ReportDispositions, engine: Database, actor: Asker) -> Response:
    """For the desk of the holder's site: of each weapon whether it is held, was expended or lost, by its day. It moves no custody; what the
    ledger says otherwise is open on both sides.
    """
    return written(report_dispositions(engine, actor, body))


@router.get(
    "/physical-security",
    summary="The check of a store",
    response_model=list[SecurityPoint],
    responses=documented(NOT_SIGNED_IN),
)
def show_checklist(actor: Asker) -> Response:
    """The points that an inspector answers, each with its source; `unverified` ones are from memory."""
    return answer(list(checklist()))


@router.get(
    "/monitoring-plans", summary="How closely what is monitored", response_model=Page[PlanRow], responses=LISTING
)
def show_plans(
    engine: Database,
    actor: Asker,
    pages: Pages,
    level: Annotated[Level | None, Query(description="routine or enhanced")] = None,
    binds: Annotated[
        bool | None, Query(description="Only those that judge what is delinquent, or only the rest")
    ] = None,
    donor: Annotated[Code | None, Query(description="Only this donor's own")] = None,
) -> Response:
    """By class of model. A donor's own come before the general ones, which bear no donor."""
    return listing(
        engine, actor, pages, "monitoring-plans", PlanRow,
        lambda connection, limit, cursor: list_plans(connection, actor, level, binds, donor, limit, cursor),
    )  # fmt: skip


_PLAN: dict[str, Any] = {
    "what": "missiles: every serial number within 60 days, then half-yearly", "level": "enhanced", "category": "missile",
    "initial_days": 60, "yearly_days": 183, "source": "Letter of offer 7",
}  # fmt: skip


@router.post(
    "/monitoring-plans/{code}",
    summary="Say how closely something is monitored",
    response_model=PlanRow,
    responses=SAYING,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": _PLAN}}}},
)
def say_plan(
    code: Annotated[PlanCode, Path(examples=["missiles"])], body: MonitoringPlan, engine: Database, actor: Asker
) -> Response:
    """Adds a plan, or says the whole of one anew: a donor its own, a registrar the general ones."""
    with reading(engine, actor) as connection:
        keep_plan(connection, actor, code, body)
        return answer(read_plan(connection, actor, code))

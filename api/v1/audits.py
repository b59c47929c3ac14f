"""Audits: two lists compared, every difference named, kept under a name to be made again."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.answers import Page, Rows, answer
from api.audit_file import audit_file
from api.dependencies import Asker, Database, FileFormat, Format, Pages
from api.exports import exportable, listing, table_file
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from api.v1.acts import JobShown
from stockpile import jobs
from stockpile.documents import Code
from stockpile.registers.audits import MakeAudit, make_audit
from stockpile.registers.judgements import Judge, Judged, judge
from stockpile.reports.audits import (
    AuditRow,
    AuditShown,
    Change,
    Finding,
    every_finding,
    lines_of,
    list_audits,
    list_changes,
    list_findings,
    read_audit,
)
from stockpile.reports.export import columns, table
from stockpile.reports.judgements import JudgementRow, NearMatch, list_judgements, read_near_match
from stockpile.rights import COMPARE, reading, require

router = APIRouter(tags=["audits"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="Its number among the near matches of the audit")]

EXAMPLE = {
    "name": "3rd Division 2007",
    "left": {"register": "Issue log 2005"},
    "right": {"register": "Property book 2007"},
}
AS_LEDGER = {"name": "TAJI, monthly", "left": {"register": "Property book of TAJI"}, "right": {"site": "TAJI"}}


@router.post(
    "/audits",
    status_code=202,
    summary="Compare two lists",
    response_model=JobShown,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, INVALID),
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {"examples": {"two registers": {"value": EXAMPLE}, "a register and the ledger": {"value": AS_LEDGER}}}
            }
        }
    },
)  # fmt: skip
def post_audit(body: MakeAudit, engine: Database, actor: Asker) -> Response:
    """Two registers, or a register and the ledger, or two parts or moments of the ledger. Runs as a job: GET /v1/jobs/{id} says how
    far it is, and names the audit in its `result`. The same name again, without sides, compares the same sources as they are now.
    """
    require(actor, COMPARE)
    return answer(jobs.begin(engine, actor, "audit", lambda: make_audit(engine, actor, body)), 202)


@router.get(
    "/audits",
    summary="Audits",
    response_model=Page[AuditRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_audits(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    text: Annotated[Code | None, Query(description="Part of the name")] = None,
) -> Response:
    """The newest first, within one's scope."""
    return listing(
        engine, actor, pages, "audits", AuditRow,
        lambda connection, limit, cursor: list_audits(connection, actor, site, text, limit, cursor),
    )  # fmt: skip


@router.get(
    "/audits/{audit_id}",
    summary="An audit",
    response_model=AuditShown,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND),
)
def show_audit(audit_id: UUID, engine: Database, actor: Asker) -> Response:
    """Its two sides, and how many findings of each kind, in all and by model."""
    with reading(engine, actor) as connection:
        return answer(read_audit(connection, actor, audit_id))


@router.get(
    "/audits/{audit_id}/findings",
    summary="What an audit found",
    response_model=Page[Finding],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_findings(
    audit_id: UUID,
    engine: Database,
    actor: Asker,
    pages: Pages,
    kind: Annotated[Code | None, Query(description="matched, only left, only right, conflicting ...")] = None,
    model: Annotated[Code | None, Query(description="Of one model: its name")] = None,
    text: Annotated[Code | None, Query(description="Part of a serial number or of a holder")] = None,
    judged: Annotated[
        Code | None, Query(description="Near matches of which somebody said this: same, different, not judged")
    ] = None,
) -> Response:
    """Each with the rows of both lists and the weapon: GET /v1/registers/{id} shows the rows, GET /v1/weapons/{id} the weapon."""
    return listing(
        engine, actor, pages, f"findings-{audit_id}", Finding,
        lambda connection, limit, cursor: list_findings(
            connection, actor, audit_id, kind, model, text, limit, cursor, judged=judged
        ),
        lambda connection: every_finding(connection, actor, audit_id, kind, model, text, judged),
    )  # fmt: skip


@router.get(
    "/audits/{audit_id}/file",
    summary="An audit as one JSON file",
    response_class=Response,
    responses={
        200: {
            "description": "The audit, its sides and totals, every finding and every judgement",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND),
    },
)
def show_file(audit_id: UUID, engine: Database, actor: Asker) -> Response:
    """All of it, to be kept or read by another program."""
    return audit_file(engine, actor, audit_id)


@router.get(
    "/audits/{audit_id}/near-matches/{number}",
    summary="A near match",
    response_model=NearMatch,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND),
)
def show_near_match(audit_id: UUID, number: Number, engine: Database, actor: Asker) -> Response:
    """With the rows of both lists, what was said of it, and the next that nobody has judged."""
    with reading(engine, actor) as connection:
        return answer(read_near_match(connection, actor, audit_id, number))


@router.post(
    "/audits/{audit_id}/near-matches/{number}",
    status_code=201,
    summary="Judge a near match",
    response_model=Judged,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def post_judgement(audit_id: UUID, number: Number, body: Judge, engine: Database, actor: Asker) -> Response:
    """Say that its two numbers are one weapon, misread (same), or two (different), and why. It is kept for ever and holds in every later
    run of the audit's name; of several the newest.
    """
    return answer(judge(engine, actor, audit_id, number, body), 201)


@router.get(
    "/audits/{audit_id}/judgements",
    summary="What was said of near matches",
    response_model=Page[JudgementRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_judgements(audit_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """In all runs of the audit's name, the newest first."""
    return listing(
        engine, actor, pages, f"judgements-{audit_id}", JudgementRow,
        lambda connection, limit, cursor: list_judgements(connection, actor, audit_id, limit, cursor),
    )  # fmt: skip


@router.get(
    "/audits/{audit_id}/lines",
    summary="The rows of a list that bear one number",
    response_model=Rows[int],
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_mentions(
    audit_id: UUID,
    engine: Database,
    actor: Asker,
    side: Annotated[Literal["left", "right"], Query(description="Of which side")],
    serial_key: Annotated[Code, Query(description="The serial number, in capitals without spaces and dashes")],
) -> Response:
    """Of a repeated number every mention."""
    with reading(engine, actor) as connection:
        return answer({"rows": lines_of(connection, actor, audit_id, side, serial_key)})


@router.get(
    "/audits/{audit_id}/changes",
    summary="What changed since an audit was made before",
    response_model=Rows[Change],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_changes(
    audit_id: UUID,
    engine: Database,
    actor: Asker,
    before: Annotated[
        UUID | None, Query(description="Since this audit; left out: the run before of the same name")
    ] = None,
    file_format: FileFormat = Format.JSON,
) -> Response:
    """Differences that are new, that are settled, and quantities that changed."""
    with reading(engine, actor) as connection:
        changes = list_changes(connection, actor, audit_id, before)
        if file_format is Format.JSON:
            return answer({"rows": changes})
        return table_file(actor, file_format, f"changes-{audit_id}", columns(Change), table(changes))

"""Audits: two lists compared, every difference named, kept under a name to be made again."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.answers import Page, Rows, answer
from api.dependencies import Asker, Database, FileFormat, Format, Pages
from api.exports import exportable, listing, table_file
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from api.v1.acts import JobShown
from stockpile import jobs
from stockpile.documents import Code
from stockpile.registers.audits import MakeAudit, make_audit
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
from stockpile.rights import COMPARE, reading, require

router = APIRouter(tags=["audits"])

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
) -> Response:
    """Each with the rows of both lists and the weapon: GET /v1/registers/{id} shows the rows, GET /v1/weapons/{id} the weapon."""
    return listing(
        engine, actor, pages, f"findings-{audit_id}", Finding,
        lambda connection, limit, cursor: list_findings(connection, actor, audit_id, kind, model, text, limit, cursor),
        lambda connection: every_finding(connection, actor, audit_id, kind, model, text),
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

"""What donors and the host tell each other: shipping lists that a donor declares itself, end-user certificates, consents, the answers, and
the delivery verifications. A donor reads and says its own alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, file_name, listing
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    NOT_SIGNED_IN,
    OTHER_CONTENT,
    REFUSED,
    TOO_LARGE,
    UNREADABLE_REQUEST,
    documented,
)
from api.v1.acts import PROBLEMS, PostedShown
from api.v1.files import BINARY
from api.v1.papers import Language, Sheet
from api.v1.proofs import TEXT
from labels.papers import Size, render
from stockpile.documents import Asked, Code
from stockpile.donors.certificates import (
    GiveConsent,
    SendCertificate,
    accept_certificate,
    give_consent,
    send_back,
    send_certificate,
)
from stockpile.donors.consignments import (
    AcceptDeclaration,
    DeclareConsignment,
    ToSettle,
    accept_declaration,
    declare_consignment,
    to_settle,
)
from stockpile.donors.statements import (
    SendBack,
    Sought,
    State,
    StatementKind,
    StatementRow,
    StatementShown,
    StatementWritten,
    list_statements,
    need_statement,
    read_statement,
)
from stockpile.donors.verifications import Progress, VerifyDelivery, confirm_delivery, read_progress, verify_delivery
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.evidence import known
from stockpile.files import file_store
from stockpile.log.proofs import proof_of_statement
from stockpile.papers.delivery_verification import delivery_verification_of
from stockpile.rights import ANSWER_DONORS, Actor, reading, require
from stockpile.sentences import sentence

router = APIRouter(tags=["donors"])

SAYING = documented(
    UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, OTHER_CONTENT, REFUSED, TOO_LARGE, NOT_JSON, INVALID
)
READING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)


class Written(BaseModel):
    """A statement as it was kept: the answer, the same for ever."""

    statement_id: UUID
    kind: str
    reference: str
    recorded_at: datetime
    leaf: str


class Confirm(Asked):
    """The answer's id, made by the client."""

    statement_id: UUID | None = None


class ShownWhole(BaseModel):
    """A statement, and how far its consignment is."""

    statement: StatementShown
    progress: Progress | None


@router.get(
    "/statements",
    summary="What donors and the host told each other",
    response_model=Page[StatementRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_statements(
    engine: Database,
    actor: Asker,
    pages: Pages,
    kind: Annotated[StatementKind | None, Query(description="What it is")] = None,
    state: Annotated[State | None, Query(description="What became of it")] = None,
    donor: Annotated[Code | None, Query(description="Of one donor: its code")] = None,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    reference: Annotated[Code | None, Query(description="Number of the consignment or certificate")] = None,
) -> Response:
    """The newest first: a donor's own, a desk's site's, all for a registrar and an auditor."""
    sought = Sought(kind, state, donor, site, reference)
    return listing(
        engine, actor, pages, "statements", StatementRow,
        lambda connection, limit, cursor: list_statements(connection, actor, sought, limit, cursor),
    )  # fmt: skip


@router.get("/statements/{statement_id}", summary="A statement", response_model=ShownWhole, responses=READING)
def show_statement(statement_id: UUID, engine: Database, actor: Asker) -> Response:
    """What was said, what was answered, and of a consignment in the books what is in supply, on its way, and open: short, excess,
    mismatched, each with its serial number.
    """
    return answer(whole(engine, actor, statement_id))


def whole(engine: Database, actor: Actor, statement_id: UUID) -> dict[str, Any]:
    """A statement with how far its consignment is."""
    with reading(engine, actor) as connection:
        shown = read_statement(connection, actor, statement_id)
        of_consignment = shown.kind in (StatementKind.DECLARATION, StatementKind.VERIFICATION)
        progress = read_progress(connection, actor, shown.donor, shown.reference) if of_consignment else None
    return {"statement": shown, "progress": progress}


@router.get(
    "/statements/{statement_id}/to-settle",
    summary="What a declaration leaves to settle",
    response_model=ToSettle,
    responses=READING,
)
def show_to_settle(statement_id: UUID, engine: Database, actor: Asker) -> Response:
    """For the registrar: models that nobody knows yet, twins, rows that can't be read, as the books stand now."""
    require(actor, ANSWER_DONORS)
    with reading(engine, actor) as connection:
        return answer(to_settle(connection, need_statement(connection, statement_id, StatementKind.DECLARATION)))


@router.post(
    "/donor-declarations", status_code=201, summary="Declare a consignment", response_model=Written, responses=SAYING
)
def post_declaration(body: DeclareConsignment, engine: Database, actor: Asker) -> Response:
    """For a donor: the shipping list, as lines or as a file that was stored before (POST /v1/files). It is at once a leaf of the log,
    and waits for the host.
    """
    return written(declare_consignment(engine, actor, body))


@router.post(
    "/end-user-certificates",
    status_code=201,
    summary="Send an end-user certificate",
    response_model=Written,
    responses=SAYING,
)
def post_certificate(body: SendCertificate, engine: Database, actor: Asker) -> Response:
    """For a donor. A new version comes under the same number; in force is the one that the host accepted last."""
    return written(send_certificate(engine, actor, body))


@router.post(
    "/donor-consents", status_code=201, summary="Consent beyond a certificate", response_model=Written, responses=SAYING
)
def post_consent(body: GiveConsent, engine: Database, actor: Asker) -> Response:
    """For a donor: to a re-transfer, a change of end use, a disposal."""
    return written(give_consent(engine, actor, body))


@router.post(
    "/delivery-verifications",
    status_code=201,
    summary="Certify what arrived",
    response_model=Written,
    responses=SAYING,
)
def post_verification(body: VerifyDelivery, engine: Database, actor: Asker) -> Response:
    """For who received it, at the depot: per serial, what no certificate names yet. A second person confirms it."""
    return written(verify_delivery(engine, actor, body))


@router.post(
    "/statements/{statement_id}/accept",
    status_code=201,
    summary="Accept a declaration",
    responses={201: {"model": PostedShown, "description": "Posted"}, **PROBLEMS},
)
def accept(statement_id: UUID, body: AcceptDeclaration, engine: Database, actor: Asker) -> Response:
    """For the registrar: the list enters the books as a shipping list, in one document."""
    return answer(accept_declaration(engine, actor, statement_id, body), 201)


@router.post(
    "/statements/{statement_id}/confirm",
    status_code=201,
    summary="Accept a certificate, or sign a delivery verification second",
    response_model=Written,
    responses=SAYING,
)
def confirm(statement_id: UUID, body: Confirm, engine: Database, actor: Asker) -> Response:
    """An end-user certificate by the registrar; a delivery verification by a second person of the depot."""
    return written(confirmed(engine, actor, statement_id, body.statement_id))


def confirmed(engine: Database, actor: Actor, statement_id: UUID, answer_id: UUID | None = None) -> StatementWritten:
    """Confirms a statement by what it is. Raises what that does."""
    with reading(engine, actor) as connection:
        kind = need_statement(connection, statement_id).kind
    if kind is StatementKind.VERIFICATION:
        return confirm_delivery(engine, actor, statement_id, answer_id)
    return accept_certificate(engine, actor, statement_id, answer_id)


@router.post(
    "/statements/{statement_id}/send-back",
    status_code=201,
    summary="Send a statement back",
    response_model=Written,
    responses=SAYING,
)
def post_back(statement_id: UUID, body: SendBack, engine: Database, actor: Asker) -> Response:
    """With the reason, which the donor reads. What is sent back can be sent again, mended, as a new statement."""
    return written(send_back(engine, actor, statement_id, body))


@router.get(
    "/statements/{statement_id}/file",
    summary="The list or scan of a statement",
    response_class=FileResponse,
    responses={
        200: {"description": "The file as it was stored", "content": {"application/octet-stream": BINARY}},
        **READING,
    },
)  # fmt: skip
def read_statement_file(statement_id: UUID, engine: Database, actor: Asker) -> Response:
    """The shipping list of a declaration, the scan of a certificate."""
    with reading(engine, actor) as connection:
        content = read_statement(connection, actor, statement_id).content
    if "file" in content:
        path = file_store().path(content["file"]["sha256"])
        return FileResponse(path, media_type="application/octet-stream", filename=content["file"]["name"])
    if "scan_sha256" not in content:
        raise NotFound(sentence("It came without a file."))
    scan = content["scan_sha256"]
    media_type = known(file_store(), scan).media_type
    return FileResponse(file_store().path(scan), media_type=media_type, filename=content["scan_name"])


@router.get(
    "/statements/{statement_id}/paper.pdf",
    summary="A delivery verification as a certificate",
    response_class=Response,
    responses={
        200: {"description": "The paper", "content": {"application/pdf": BINARY}},
        **READING,
    },
)  # fmt: skip
def print_verification(
    statement_id: UUID, engine: Database, actor: Asker, language: Language = None, size: Sheet = Size.A4
) -> Response:
    """Each piece that arrived, what did not, who signed. A donor's copy names the offices, not the people."""
    with reading(engine, actor) as connection:
        paper = delivery_verification_of(connection, actor, statement_id)
    headers = {"Content-Disposition": f'inline; filename="{file_name(actor, paper.number)}.pdf"'}
    return Response(render((paper,), language, size), media_type="application/pdf", headers=headers)


@router.get(
    "/statements/{statement_id}/proof",
    summary="The proof of a statement",
    response_class=Response,
    responses={
        200: {"description": "The proof", "content": {"application/json": TEXT}},
        **documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID, REFUSED),
    },
)
def prove_statement(
    statement_id: UUID,
    engine: Database,
    actor: Asker,
    origin: Annotated[
        str | None, Query(max_length=200, description="Name of the log of a checkpoint that you keep")
    ] = None,
    size: Annotated[int | None, Query(ge=1, lt=1 << 62, description="Its size: the second line")] = None,
) -> Response:
    """What was said and what was answered, each with its place in the log: `stockpile check-proof` checks it without these books."""
    if (origin is None) != (size is None):
        raise Invalid(
            sentence("A checkpoint is named by both its lines."),
            [Fault(sentence("give origin and size"), field="origin")],
        )
    pinned = [(origin, size)] if origin is not None and size is not None else []
    bundle = proof_of_statement(engine, actor, statement_id, pinned)
    named = f'attachment; filename="{file_name(actor, f"proof {bundle.weapon}")}.json"'
    return Response(bundle.encoded(), media_type="application/json", headers={"Content-Disposition": named})


def written(done: StatementWritten) -> Response:
    """What was said, as an answer."""
    return answer(done, 201)

"""Partners: a consignment that one donor shares with another. The partner reads what it brought, its statements and proofs, each here
under the share, as long as it stands.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, documented
from api.v1.files import BINARY
from api.v1.papers import Language, Sheet
from api.v1.proofs import TEXT, read_proof
from api.v1.statements import (
    SAYING,
    ShownWhole,
    Written,
    print_verification,
    prove_statement,
    read_statement_file,
    whole,
    written,
)
from api.v1.weapons import WeaponShown, WeaponsShown, read_history, read_weapon
from labels.papers import Size
from stockpile.donors.sharing import (
    ShareConsignment,
    SharedRow,
    WithdrawShare,
    list_shared,
    share_consignment,
    withdraw_share,
    within_share,
)
from stockpile.donors.statements import StatementRow, list_statements
from stockpile.reports.history import History
from stockpile.reports.holdings import HoldingLine, Sought, every_weapon, list_weapons

router = APIRouter(tags=["partners"])

READING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
LISTING = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
PROVING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID, REFUSED)
Origin = Annotated[str | None, Query(max_length=200, description="Name of the log of a checkpoint that you keep")]
TreeSize = Annotated[int | None, Query(ge=1, lt=1 << 62, description="Its size: the second line")]


class ShareShown(BaseModel):
    """A share that stands."""

    share: SharedRow


@router.post("/shares", status_code=201, summary="Share a consignment", response_model=Written, responses=SAYING)
def post_share(body: ShareConsignment, engine: Database, actor: Asker) -> Response:
    """For a donor: with another donor, by its code. The answer is the same whether a donor of this code is in the books or not."""
    return written(share_consignment(engine, actor, body))


@router.post(
    "/shares/{share_id}/withdraw",
    status_code=201,
    summary="Take back a share",
    response_model=Written,
    responses=SAYING,
)
def post_withdrawal(share_id: UUID, body: WithdrawShare, engine: Database, actor: Asker) -> Response:
    """From now on the partner reads nothing of it. That it was shared stands in the log, and so does this."""
    return written(withdraw_share(engine, actor, share_id, body))


@router.get("/shared", summary="What is shared with you", response_model=Page[SharedRow], responses=LISTING)
def search_shared(engine: Database, actor: Asker, pages: Pages) -> Response:
    """For a donor: the consignments that other donors share with it, the newest first."""
    return listing(
        engine, actor, pages, "shared", SharedRow,
        lambda connection, limit, cursor: list_shared(connection, actor, limit, cursor),
    )  # fmt: skip


@router.get("/shared/{share_id}", summary="A share", response_model=ShareShown, responses=READING)
def show_shared(share_id: UUID, engine: Database, actor: Asker) -> Response:
    """Whose consignment it is, and what for it is shared."""
    return answer({"share": within_share(engine, actor, share_id).row})


@router.get(
    "/shared/{share_id}/weapons",
    summary="What a shared consignment brought",
    response_model=WeaponsShown,
    responses=LISTING,
)
def shared_weapons(share_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """By model and serial number, and where each is."""
    partner = within_share(engine, actor, share_id).partner
    return listing(
        engine, partner, pages, "weapons", HoldingLine,
        lambda connection, limit, cursor: list_weapons(connection, partner, Sought(), limit=limit, cursor=cursor),
        lambda connection: every_weapon(connection, partner, Sought()),
    )  # fmt: skip


@router.get(
    "/shared/{share_id}/weapons/{item_id}", summary="A shared weapon", response_model=WeaponShown, responses=READING
)
def shared_weapon(share_id: UUID, item_id: UUID, engine: Database, actor: Asker) -> Response:
    """What it is and where it is."""
    return read_weapon(item_id, engine, within_share(engine, actor, share_id).partner)


@router.get(
    "/shared/{share_id}/weapons/{item_id}/history",
    summary="The history of a shared weapon",
    response_model=History,
    responses=LISTING,
)
def shared_history(share_id: UUID, item_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """Every entry, oldest first."""
    return read_history(item_id, engine, within_share(engine, actor, share_id).partner, pages)


@router.get(
    "/shared/{share_id}/weapons/{item_id}/proof",
    summary="The proof of a shared weapon's history",
    response_class=Response,
    responses={200: {"description": "The proof", "content": {"application/json": TEXT}}, **PROVING},
)
def shared_proof(
    share_id: UUID, item_id: UUID, engine: Database, actor: Asker, origin: Origin = None, size: TreeSize = None
) -> Response:
    """As its donor reads it, but for what only the donor's secrets open."""
    return read_proof(item_id, engine, within_share(engine, actor, share_id).partner, origin, size)


@router.get(
    "/shared/{share_id}/statements",
    summary="Statements of a shared consignment",
    response_model=Page[StatementRow],
    responses=LISTING,
)
def shared_statements(share_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """Its declaration and delivery verifications; no certificate or consent, which may bind others too."""
    partner = within_share(engine, actor, share_id).partner
    return listing(
        engine, partner, pages, "statements", StatementRow,
        lambda connection, limit, cursor: list_statements(connection, partner, limit=limit, cursor=cursor),
    )  # fmt: skip


@router.get(
    "/shared/{share_id}/statements/{statement_id}",
    summary="A statement of a shared consignment",
    response_model=ShownWhole,
    responses=READING,
)
def shared_statement(share_id: UUID, statement_id: UUID, engine: Database, actor: Asker) -> Response:
    """What was said and answered, and how far the consignment is."""
    return answer(whole(engine, within_share(engine, actor, share_id).partner, statement_id))


@router.get(
    "/shared/{share_id}/statements/{statement_id}/file",
    summary="The list of a shared consignment",
    response_class=FileResponse,
    responses={
        200: {"description": "The file as it was stored", "content": {"application/octet-stream": BINARY}},
        **READING,
    },
)
def shared_file(share_id: UUID, statement_id: UUID, engine: Database, actor: Asker) -> Response:
    """The shipping list of its declaration."""
    return read_statement_file(statement_id, engine, within_share(engine, actor, share_id).partner)


@router.get(
    "/shared/{share_id}/statements/{statement_id}/paper.pdf",
    summary="A delivery verification of a shared consignment",
    response_class=Response,
    responses={200: {"description": "The paper", "content": {"application/pdf": BINARY}}, **READING},
)
def shared_paper(
    share_id: UUID,
    statement_id: UUID,
    engine: Database,
    actor: Asker,
    language: Language = None,
    size: Sheet = Size.A4,
) -> Response:
    """As the donor's copy."""
    return print_verification(statement_id, engine, within_share(engine, actor, share_id).partner, language, size)


@router.get(
    "/shared/{share_id}/statements/{statement_id}/proof",
    summary="The proof of a statement of a shared consignment",
    response_class=Response,
    responses={200: {"description": "The proof", "content": {"application/json": TEXT}}, **PROVING},
)
def shared_statement_proof(
    share_id: UUID, statement_id: UUID, engine: Database, actor: Asker, origin: Origin = None, size: TreeSize = None
) -> Response:
    """What was said and answered, each with its place in the log."""
    return prove_statement(statement_id, engine, within_share(engine, actor, share_id).partner, origin, size)

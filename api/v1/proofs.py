"""Proofs to carry away: what happened to a weapon, each entry with its place in the log."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.dependencies import Asker, Database
from api.exports import file_name
from api.problems import INVALID, NOT_FOUND, NOT_SIGNED_IN, REFUSED, documented
from stockpile.errors import Fault, Invalid
from stockpile.log.proofs import proof_of
from stockpile.sentences import sentence

router = APIRouter(tags=["weapons"])

TEXT = {"schema": {"type": "string"}}


class Form(StrEnum):
    """The whole file, or its newest entry for a QR code."""

    JSON = "json"
    COMPACT = "compact"


@router.get(
    "/weapons/{item_id}/proof",
    summary="The proof of a weapon's history",
    response_class=Response,
    responses={
        200: {"description": "The proof", "content": {"application/json": TEXT, "text/plain": TEXT}},
        **documented(NOT_SIGNED_IN, NOT_FOUND, INVALID, REFUSED),
    },
)
def read_proof(
    item_id: UUID,
    engine: Database,
    actor: Asker,
    origin: Annotated[
        str | None, Query(max_length=200, description="Name of the log of a checkpoint that you keep: its first line")
    ] = None,
    size: Annotated[int | None, Query(ge=1, lt=1 << 62, description="Its size: the second line")] = None,
    form: Annotated[Form, Query(description="compact: the newest entry alone, as text for a QR code")] = Form.JSON,
) -> Response:
    """Its entries and their documents with their places in the log under the latest checkpoint, opening what the asker may see; with a
    checkpoint that the asker keeps, that the log grew out of it. `stockpile check-proof` and a page without a network check it.
    """
    if (origin is None) != (size is None):
        raise Invalid(
            sentence("A checkpoint is named by both its lines."),
            [Fault(sentence("give origin and size"), field="origin")],
        )
    pinned = [(origin, size)] if origin is not None and size is not None else []
    bundle = proof_of(engine, actor, item_id, pinned)
    if form is Form.COMPACT:
        return Response(bundle.compact(), media_type="text/plain; charset=utf-8")
    named = f'attachment; filename="{file_name(actor, f"proof {bundle.weapon}")}.json"'
    return Response(bundle.encoded(), media_type="application/json", headers={"Content-Disposition": named})

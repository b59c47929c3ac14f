"""Labels to print."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from api.dependencies import Asker, Database
from api.problems import NOT_FOUND, NOT_SIGNED_IN, documented
from labels.tags import asset_tag_label
from stockpile.errors import NotFound
from stockpile.reports.described import described
from stockpile.rights import reading

router = APIRouter(tags=["weapons"])

SVG = "image/svg+xml"


@router.get(
    "/weapons/{item_id}/tag.svg",
    summary="The asset tag of a weapon, to print",
    response_class=Response,
    responses={
        200: {"content": {SVG: {"schema": {"type": "string"}}}, "description": "The label"},
        **documented(NOT_SIGNED_IN, NOT_FOUND),
    },
)
def print_tag(item_id: UUID, engine: Database, actor: Asker) -> Response:
    """Code 128 with the tag in letters: scanned, it finds the weapon."""
    with reading(engine, actor) as connection:
        item = described(connection, actor, [item_id]).get(item_id)
    if item is None:
        raise NotFound(f"There is no weapon {item_id} here.")
    label = asset_tag_label(item.asset_tag, *item.label)
    name = f'attachment; filename="{item.asset_tag}.svg"'
    return Response(label, media_type=SVG, headers={"Content-Disposition": name})

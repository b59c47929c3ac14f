"""Labels to print: of weapons, stores, people and sealed containers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, ValidationError

from api.answers import Rows, answer
from api.dependencies import Asker, Database
from api.exports import file_name
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, TOO_SOON, documented
from labels.sheets import sheets
from labels.tags import Code, asset_tag_label
from stockpile.documents import not_understood
from stockpile.errors import NotFound
from stockpile.labelling import Printed, PrintLabels, ThermalPrinter, print_labels
from stockpile.reports.described import described
from stockpile.rights import Actor, reading
from stockpile.sentences import sentence

router = APIRouter(tags=["labels"])

SVG = "image/svg+xml"
BINARY = {"schema": {"type": "string", "format": "binary"}}
PRINTED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/pdf": BINARY, "application/vnd.zebra-zpl": BINARY},
        "description": "Sheets as PDF, to be printed at actual size; or ZPL",
        "headers": {
            "Content-Disposition": {"description": "Its name", "schema": {"type": "string"}},
            "Labels": {"description": "How many there are", "schema": {"type": "integer"}},
            "Labels-Left-Out": {
                "description": "Weapons of the document that are not here now",
                "schema": {"type": "integer"},
            },
        },
    },
    **documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID, TOO_SOON),
}


class SheetShown(BaseModel):
    """A make of label sheet; lengths in millimetres."""

    code: str = Field(examples=["L7160"])
    name: str = Field(examples=["Avery L7160: 21 of 63.5 x 38.1 mm"])
    paper: str = Field(examples=["A4"])
    columns: int
    rows: int
    width: float
    height: float
    column_gap: float
    row_gap: float
    source: str = Field(description="Where the dimensions are from")


@router.get(
    "/label-sheets",
    summary="Makes of label sheets",
    response_model=Rows[SheetShown],
    responses=documented(NOT_SIGNED_IN),
)
def list_sheets(actor: Asker) -> Response:
    """Those that labels can be printed on. On each the labels stand in the middle of the paper."""
    return answer({"rows": [asdict(sheet) for sheet in sheets().values()]})


@router.post(
    "/labels",
    summary="Print labels",
    response_class=Response,
    responses=PRINTED,
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {"example": {"scans": ["KT 449900"], "codes": ["code-128"], "sheet": "L7160"}}
            }
        }
    },
)
def print_some(body: PrintLabels, engine: Database, actor: Asker) -> Response:
    """At most 5,000 at once. Weapons, people and seals are those of one's own site; for a document those of its weapons that are here
    now. Nothing is recorded: what is put on a weapon is recorded by `POST /v1/markings`.
    """
    return _file(actor, print_labels(engine, actor, body), f"labels-{body.of}")


@router.get(
    "/weapons/{item_id}/label", summary="The label of a weapon, to print", response_class=Response, responses=PRINTED
)
def print_one(
    item_id: UUID,
    engine: Database,
    actor: Asker,
    codes: Annotated[list[Code], Query(max_length=2, description="code-128; qr or data-matrix")] = [Code.CODE_128],  # noqa: B006
    sheet: Annotated[str | None, Query(max_length=20, description="GET /v1/label-sheets says which")] = None,
    start: Annotated[int, Query(ge=1, le=500, description="The first label that is still there")] = 1,
    zpl: Annotated[bool, Query(description="For a thermal printer of 203 dots an inch, 57 x 32 mm")] = False,
) -> Response:
    """As `POST /v1/labels`, for one weapon."""
    asked = {"items": [item_id], "codes": codes, "sheet": sheet, "start": start}
    try:
        body = PrintLabels.model_validate({**asked, "zpl": ThermalPrinter() if zpl else None})
    except ValidationError as problem:
        raise not_understood(problem) from None
    return _file(actor, print_labels(engine, actor, body), "label")


def _file(actor: Actor, printed: Printed, name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(actor, name)}.{printed.ending}"',
        "Labels": str(printed.labels),
        "Labels-Left-Out": str(printed.left_out),
    }
    return Response(printed.content, media_type=printed.media_type, headers=headers)


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
        raise NotFound(sentence("There is no weapon {item_id} here.", item_id=item_id))
    label = asset_tag_label(item.asset_tag, *item.label)
    name = f'attachment; filename="{item.asset_tag}.svg"'
    return Response(label, media_type=SVG, headers={"Content-Disposition": name})

"""A printed count sheet that somebody keyed as a list: the file, when it was counted, and, where its headings do not tell, which column is
which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from sqlalchemy import Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.counts import count_page
from api.pages.forms import faulty, kept, or_none, stored_list
from api.pages.seals import on_the_wall
from api.words import N_
from stockpile.errors import Fault, Invalid, Refused, StockpileError
from stockpile.keys import new_key
from stockpile.registers.count_lines import send_lines
from stockpile.registers.count_sheets import SHEET, SendLines
from stockpile.registers.preview import Preview, preview
from stockpile.reports.counts import State, read_count
from stockpile.rights import COUNT, Actor, reading, require
from stockpile.sentences import of_the_books, sentence
from stockpile.sites import find_site

router = APIRouter(include_in_schema=False)

LABELS = {
    "asset_tag": N_("Asset tag"),
    "serial_number": N_("Serial number"),
    "model": N_("Model"),
    "quantity": N_("Pieces"),
    "lot": N_("Lot"),
    "condition": N_("Condition"),
    "container": N_("Container"),
    "seal": N_("Seal"),
    "date": N_("When it was read"),
}
assert tuple(LABELS) == SHEET.fields
ROWS_SHOWN = 5
Text = Annotated[str, Form()]


@router.get("/counts/{count_id}/sheet", response_class=HTMLResponse)
def sheet_form(count_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a keyed sheet."""
    return _form(request, engine, actor, count_id, {"given": {"batch_id": str(new_key())}})


@router.post("/counts/{count_id}/sheet", response_class=HTMLResponse)
def key_sheet(
    count_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    batch_id: Text = "",
    sha256: Text = "",
    name: Annotated[str, Form(max_length=200)] = "",
    counted_at: Text = "",
    counted_by: Text = "",
    field: Annotated[list[str] | None, Form(max_length=20)] = None,
    column: Annotated[list[str] | None, Form(max_length=20)] = None,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Keeps its rows as lines of the count, all of them or none. The file is kept meanwhile, so that it is chosen once."""
    columns = {one: heading for one, heading in zip(field or (), column or (), strict=False) if heading}
    given: dict[str, Any] = {
        "batch_id": batch_id, "sha256": sha256, "name": name, "counted_at": counted_at, "counted_by": counted_by,
        "columns": columns,
    }  # fmt: skip
    try:
        require(actor, COUNT)
        if file is not None and file.filename:
            given |= {"sha256": stored_list(file), "columns": {}}
            given["name"] = file.filename[-64:]
        if not given["sha256"]:
            raise Invalid(
                sentence("Nothing was counted."), [Fault(sentence("choose the file of the sheet"), field="file")]
            )
        with reading(engine, actor) as connection:
            site = read_count(connection, actor, count_id).count.site
            zone = find_site(connection, site).time_zone
        wanted = {
            "file": {"sha256": given["sha256"], "name": given["name"] or "sheet", "columns": given["columns"] or None},
            "batch_id": batch_id or new_key(), "site": site, "counted_by": or_none(counted_by),
            "counted_at": on_the_wall(counted_at, zone, "counted_at"),
        }  # fmt: skip
        taken = send_lines(engine, actor, count_id, SendLines.model_validate(wanted))
    except ValidationError as error:
        return _form(request, engine, actor, count_id, faulty(error, given), 422)
    except StockpileError as error:
        form = kept(error, {**given, "file": ""})
        return _form(request, engine, actor, count_id, form, form["problem"]["status"])
    return count_page(request, engine, actor, count_id, taken=taken)


def _form(
    request: Request, engine: Engine, actor: Actor, count_id: UUID, form: Mapping[str, Any], status: int = 200
) -> Response:
    require(actor, COUNT)
    with reading(engine, actor) as connection:
        count = read_count(connection, actor, count_id).count
        zone = find_site(connection, count.site).time_zone
    if count.state is not State.OPEN and not form.get("problem"):
        raise Refused(
            sentence("{count} is {state}: no line comes any more.", count=count.name, state=of_the_books(count.state))
        )
    seen = _preview(form["given"])
    known = {**(seen.columns if seen else {}), **form["given"].get("columns", {})}
    shown = {
        "count": count,
        "zone_of_site": zone,
        "seen": seen,
        "rows": [cells for _, cells in seen.rows[:ROWS_SHOWN]] if seen else (),
        "columns": [(name, label, known.get(name, "")) for name, label in LABELS.items()],
        "form": {"faults": {}, "problem": None, **form},
    }
    response: Response = templates.TemplateResponse(request, "count_sheet.html", shown, status_code=status)
    return response


def _preview(given: Mapping[str, Any]) -> Preview | None:
    """How the file that was sent would be read; None if there is none that can be."""
    try:
        return preview(given["sha256"], given["name"] or "sheet") if given.get("sha256") else None
    except StockpileError:
        return None

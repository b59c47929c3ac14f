"""Registers: the lists that came in as files, row by row, and the rows that could not be taken, to be mended and sent again."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.answers import Page, answer
from api.dependencies import Asker, Cursor, Database, FileFormat, Format, Limit, Pages
from api.exports import a_file, exportable, listing, table_file
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from api.v1.acts import JobShown
from stockpile import jobs
from stockpile.documents import Code
from stockpile.registers.importing import ImportRegister, import_register
from stockpile.registers.rejects import headings_for, kept_rejects, rows_of
from stockpile.reports.registers import (
    LINE_HEADINGS,
    Lines,
    RegisterRow,
    RegisterShown,
    Sought,
    every_line,
    lines_table,
    list_registers,
    read_register,
    rejects_of,
    widest,
)
from stockpile.rights import IMPORT_REGISTER, READ_PEOPLE, reading, require

router = APIRouter(tags=["registers"])

RejectsFormat = Annotated[
    Literal[Format.CSV, Format.XLSX], Query(alias="format", description="In which form to mend them")
]
Which = Annotated[Lines, Query(description="all, taken, rejected, or doubtful: taken as they came, but looking wrong")]


@router.get(
    "/registers",
    summary="Lists that came in as files",
    response_model=Page[RegisterRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_registers(
    engine: Database,
    actor: Asker,
    pages: Pages,
    kind: Annotated[Code | None, Query(description="What it is", examples=["shipping list"])] = None,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    donor: Annotated[Code | None, Query(description="Of one donor: its code")] = None,
    document: Annotated[UUID | None, Query(description="Behind this document")] = None,
    text: Annotated[Code | None, Query(description="Part of its name or of its file's")] = None,
) -> Response:
    """The newest first, within one's scope."""
    sought = Sought(kind, site, donor, document, text)
    return listing(
        engine, actor, pages, "registers", RegisterRow,
        lambda connection, limit, cursor: list_registers(connection, actor, sought, limit, cursor),
    )  # fmt: skip


IMPORT_EXAMPLE = {
    "kind": "property book",
    "name": "Property book of the 3rd Division",
    "source": "3DIV",
    "as_of": "2007-01-31T00:00:00+03:00",
    "file": {"sha256": "3b" * 32, "name": "property-book.xlsx", "columns": {"serial_number": "S/N", "model": "Item"}},
}


@router.post(
    "/registers",
    status_code=202,
    summary="Import a list as a register",
    response_model=JobShown,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, INVALID),
    openapi_extra={"requestBody": {"content": {"application/json": {"example": IMPORT_EXAMPLE}}}},
)
def post_register(body: ImportRegister, engine: Database, actor: Asker) -> Response:
    """Store the file first (POST /v1/files). Any list: a property book, a shipping list, an issue log, another country's
    register. It is kept as read, to be compared with others, and moves nothing. Runs as a job: GET /v1/jobs/{id} says how far
    it is, and names the register in its `result`. The same file of the same kind and source is kept once: `known` says so.
    """
    require(actor, IMPORT_REGISTER)
    return answer(jobs.begin(engine, actor, "import register", lambda: import_register(engine, actor, body)), 202)


@router.get(
    "/registers/{register_id}",
    summary="A register",
    response_model=RegisterShown,
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_register(
    register_id: UUID,
    engine: Database,
    actor: Asker,
    lines: Which = Lines.ALL,
    limit: Limit = 100,
    cursor: Cursor = None,
    file_format: FileFormat = Format.JSON,
) -> Response:
    """Whose list it is, how many of its rows were set aside, and a page of its lines as they stood, each with what became of
    it. As a file: the lines.
    """
    with reading(engine, actor) as connection:
        shown = read_register(connection, actor, register_id, lines, limit, cursor)
        if file_format is Format.JSON:
            return answer(shown)
        columns = headings_for(shown.headings, widest(connection, register_id), LINE_HEADINGS)
        rows = lines_table(every_line(connection, actor, register_id, lines))
        return table_file(actor, file_format, f"register-{register_id}", columns, rows)


@router.get(
    "/registers/{register_id}/rejects",
    summary="The rows of a register that were set aside",
    response_class=Response,
    responses=a_file(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_rejects(
    register_id: UUID, engine: Database, actor: Asker, file_format: RejectsFormat = Format.CSV
) -> Response:
    """A file to be mended and sent again as a list of its own: row number and reason, then the list's own columns."""
    with reading(engine, actor) as connection:
        shown = read_register(connection, actor, register_id, limit=1)
        columns = headings_for(shown.headings, widest(connection, register_id))
        rows = rows_of(rejects_of(connection, actor, register_id))
        return table_file(actor, file_format, f"rejects-{register_id}", columns, rows)


@router.get(
    "/rejects/{sha256}",
    summary="The rejects of a list that was refused",
    response_class=Response,
    responses=a_file(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_kept_rejects(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="As the refusal names it: `rejects`")],
    actor: Asker,
    file_format: RejectsFormat = Format.CSV,
) -> Response:
    """All rows for which a list was refused, not only those its problem shows: row number and reason, then the list's own
    columns. Nothing of the list was posted: mend the rows in it, or mend these and send them as a list of their own after the
    others were posted with `set_aside`.
    """
    require(actor, READ_PEOPLE)
    return table_file(actor, file_format, "rejects", *kept_rejects(sha256))

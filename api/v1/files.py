"""Files: lists, photos and scans on their way in; what belongs to documents on its way out; and the jobs that post lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import anyio.from_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, TOO_LARGE, UNREADABLE_FILE, documented, problem
from api.v1.acts import JobShown
from stockpile import jobs
from stockpile.donors.files import remember_file
from stockpile.evidence import judge
from stockpile.files import StoredFile, file_store
from stockpile.jobs import Job
from stockpile.registers.preview import Preview, preview
from stockpile.reports.attachments import file_to_read
from stockpile.rights import DONOR, READ_PEOPLE, STORE_FILES, reading, require
from stockpile.settings import read_settings

router = APIRouter(tags=["files"])

BINARY = {"schema": {"type": "string", "format": "binary"}}
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The digest that POST /v1/files gave")]


@router.post(
    "/files",
    status_code=201,
    summary="Store a file",
    response_model=StoredFile,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, TOO_LARGE, INVALID, UNREADABLE_FILE),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": BINARY},
        }
    },
)
async def store_file(
    request: Request,
    engine: Database,
    actor: Asker,
    evidence: Annotated[bool, Query(description="It is a photo or a scan: refused at once if it is neither")] = False,
) -> Response:
    """Stores the body under its SHA-256, once; an act names it by that. Stored is not posted."""
    require(actor, STORE_FILES)
    settings = read_settings()
    limit = settings.evidence_limit if evidence else settings.upload_limit
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        return problem(TOO_LARGE, f"The file is larger than {limit:,} bytes.")
    body = request.stream()

    def blocks() -> Iterator[bytes]:
        while True:
            try:
                yield anyio.from_thread.run(body.__anext__)
            except StopAsyncIteration:
                return

    stored = await run_in_threadpool(lambda: file_store().keep(blocks(), limit, judge if evidence else None))
    if actor.role == DONOR:
        await run_in_threadpool(remember_file, engine, actor, stored.sha256)
    return answer(stored, 201)


@router.get(
    "/files/{sha256}",
    summary="A file",
    response_class=FileResponse,
    responses={
        200: {"description": "The file as it was stored", "content": {"application/octet-stream": BINARY}},
        **documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
    },
)
def read_file(sha256: Sha256, engine: Database, actor: Asker) -> Response:
    """A photo, scan or list, for who may read a document that it belongs to, and for who has to answer a draft that names it. Not
    for donors.
    """
    with reading(engine, actor) as connection:
        found = file_to_read(connection, actor, sha256)
    return FileResponse(found.path, media_type=found.media_type, filename=found.name)


@router.get(
    "/files/{sha256}/preview",
    summary="How a list would be read",
    response_model=Preview,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID, UNREADABLE_FILE),
)
def preview_file(
    sha256: Sha256,
    actor: Asker,
    name: Annotated[str, Query(max_length=200, description="The file's name")] = "list",
    sheet: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """The columns, what each seems to be, and the first rows."""
    require(actor, READ_PEOPLE)
    return answer(preview(sha256, name, sheet))


@router.get(
    "/jobs",
    summary="One's own jobs",
    response_model=Page[Job],
    responses=exportable(NOT_SIGNED_IN, INVALID),
)
def list_jobs(engine: Database, actor: Asker, pages: Pages) -> Response:
    """The newest first."""
    return listing(
        engine, actor, pages, "jobs", Job,
        lambda connection, limit, cursor: jobs.list_own(connection, actor, limit, cursor),
    )  # fmt: skip


@router.get(
    "/jobs/{job_id}",
    summary="How far a job is",
    responses={200: {"model": JobShown}, **documented(NOT_SIGNED_IN, NOT_FOUND, INVALID)},
)
def read_job(job_id: UUID, engine: Database, actor: Asker) -> Response:
    """Its state, rows done, and at the end the posted document or the problem."""
    return answer(jobs.read(engine, actor, job_id))


@router.post(
    "/jobs/{job_id}/cancel",
    summary="Cancel a job",
    responses={200: {"model": JobShown}, **documented(NOT_SIGNED_IN, NOT_FOUND, INVALID)},
)
def cancel_job(job_id: UUID, engine: Database, actor: Asker) -> Response:
    """Unless it is done before it hears so, nothing of it happened."""
    return answer(jobs.cancel(engine, actor, job_id))

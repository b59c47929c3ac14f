"""Drafts: what one party asked for and another has to approve, by a request of its own."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, documented
from api.v1.acts import PROBLEMS, PostedShown
from stockpile import drafts
from stockpile.acts import ACTS
from stockpile.acts.perform import approve, reject
from stockpile.documents import Code, Words
from stockpile.drafts import DraftShown

router = APIRouter(tags=["drafts"])

Site = Annotated[Code | None, Query(description="Site code; only those bound to no site need it")]


class Rejection(BaseModel):
    """Why a draft is not approved."""

    model_config = ConfigDict(extra="forbid")

    reason: Words = Field(examples=["The list names weapons of another site"])


@router.get(
    "/drafts",
    summary="What waits for a second party",
    response_model=Page[DraftShown],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def list_drafts(engine: Database, actor: Asker, pages: Pages, site: Site = None) -> Response:
    """The drafts of a site, the oldest first."""
    return listing(
        engine, actor, pages, "drafts", DraftShown,
        lambda connection, limit, cursor: drafts.waiting(connection, actor, site, limit, cursor),
    )  # fmt: skip


@router.get(
    "/drafts/{document_id}",
    summary="One draft",
    response_model=DraftShown,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def read_draft(document_id: UUID, engine: Database, actor: Asker, site: Site = None) -> Response:
    """What was asked for, by whom, and what became of it."""
    return answer(drafts.read(engine, actor, document_id, site))


@router.post(
    "/drafts/{document_id}/approve",
    status_code=201,
    summary="Approve a draft",
    responses={201: {"model": PostedShown, "description": "Posted"}, **PROBLEMS},
)
def approve_draft(document_id: UUID, engine: Database, actor: Asker, site: Site = None) -> Response:
    """The second party's own request: the draft is checked anew and posted."""
    return answer(approve(engine, actor, ACTS, document_id, site), 201)


@router.post(
    "/drafts/{document_id}/reject",
    summary="Reject or withdraw a draft",
    response_model=DraftShown,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID),
)
def reject_draft(document_id: UUID, body: Rejection, engine: Database, actor: Asker, site: Site = None) -> Response:
    """The second party says no; or who drafted it takes it back."""
    reject(engine, actor, document_id, body.reason, site)
    return answer(drafts.read(engine, actor, document_id, site))

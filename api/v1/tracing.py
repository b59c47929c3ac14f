"""Tracing requests, ours and other States', sightings, and the export of lost, stolen and recovered weapons."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, OTHER_CONTENT, REFUSED, documented
from api.v1.drafts import Rejection
from api.v1.papers import Language, Sheet, a_paper, printed
from labels.papers import Size
from stockpile.documents import Code, Words
from stockpile.donors import sightings, tracing
from stockpile.donors.candidates import Candidate
from stockpile.donors.keeping import Kept
from stockpile.donors.sightings import Identify, Sighted
from stockpile.donors.tracing import ProposeAnswer, TakeStep
from stockpile.donors.weapon_read import IncomingRequest, OutgoingRequest, Sighting
from stockpile.papers.tracing_answer import answer_of
from stockpile.reports import iarms
from stockpile.reports.iarms import IarmsRow, list_iarms
from stockpile.reports.keyset import page_of
from stockpile.reports.tracings import (
    Sought,
    TracingKind,
    TracingRead,
    TracingRow,
    TracingState,
    list_tracings,
    read_whole,
)
from stockpile.rights import reading

router = APIRouter(tags=["tracing"])

KEEPING = documented(NOT_SIGNED_IN, NOT_ALLOWED, OTHER_CONTENT, INVALID)
ACTING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID)
READ = {
    "serial_number": "KT 44?901",
    "model": "AKM",
    "place": "Border post Alpha",
    "place_country": "SY",
    "found_on": "2026-11-02",
}


def _example(**more: str) -> dict[str, object]:
    return {"requestBody": {"content": {"application/json": {"example": {**READ, **more}}}}}


class Taken(BaseModel):
    """A step that was added: its number."""

    step: int = Field(examples=[1])


@router.get(
    "/tracings",
    summary="Tracing requests and sightings",
    response_model=Page[TracingRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, INVALID),
)
def search_tracings(
    engine: Database,
    actor: Asker,
    pages: Pages,
    kind: Annotated[TracingKind | None, Query()] = None,
    state: Annotated[TracingState | None, Query(description="How far it is; not for donors")] = None,
    country: Annotated[
        str | None, Query(pattern="^[A-Za-z]{2}$", description="In which it was found, ISO 3166", examples=["SY"])
    ] = None,
    item: Annotated[UUID | None, Query(description="Held to be this weapon: its key")] = None,
    text: Annotated[Code | None, Query(description="Part of the serial number as read")] = None,
) -> Response:
    """The newest first, for auditors and registrars. A donor sees those that are held to be weapons of its own, and of them only what
    was read, where and when.
    """
    sought = Sought(kind, state, country, item, text)
    return listing(
        engine, actor, pages, "tracing", TracingRow,
        lambda connection, limit, cursor: list_tracings(connection, actor, sought, limit, cursor),
    )  # fmt: skip


@router.post(
    "/tracings/incoming",
    status_code=201,
    summary="Keep a tracing request of another State",
    response_model=Kept,
    responses=KEEPING,
    openapi_extra=_example(asked_by="National Central Bureau, Amman", illicit_because="Found with an armed group"),
)
def keep_incoming(body: IncomingRequest, engine: Database, actor: Asker) -> Response:
    """It is matched at once: a weapon that the books hold in a store or issued is a diversion alarm."""
    return answer(tracing.keep_request(engine, actor, body), 201)


@router.post(
    "/tracings/outgoing",
    status_code=201,
    summary="Keep that another State is asked",
    response_model=Kept,
    responses=KEEPING,
    openapi_extra=_example(asked_by="National focal point, Serbia", illicit_because="Captured"),
)
def keep_outgoing(body: OutgoingRequest, engine: Database, actor: Asker) -> Response:
    """Of a weapon that we have. What they answer is noted as a step."""
    return answer(tracing.keep_request(engine, actor, body), 201)


@router.post(
    "/sightings",
    status_code=201,
    summary="Report that a weapon was seen or recovered abroad",
    response_model=Sighted,
    responses=KEEPING,
    openapi_extra=_example(asked_by="Panel of Experts", how="observed", confidence="probable"),
)
def report_sighting(body: Sighting, engine: Database, actor: Asker) -> Response:
    """Anybody of the host may. It is matched at once: a weapon that the books hold in a store or issued is a diversion alarm. A desk is
    told nothing but its number.
    """
    return answer(sightings.report_sighting(engine, actor, body), 201)


@router.get(
    "/tracings/{tracing_id}",
    summary="A tracing request or a sighting",
    response_model=TracingRead,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_tracing(tracing_id: UUID, engine: Database, actor: Asker) -> Response:
    """What was read and said, the weapons that it is held to be, and what was done about it."""
    with reading(engine, actor) as connection:
        return answer(read_whole(connection, actor, tracing_id))


@router.get(
    "/tracings/{tracing_id}/candidates",
    summary="Which weapons it may be",
    response_model=Page[Candidate],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def list_candidates(tracing_id: UUID, engine: Database, actor: Asker, pages: Pages) -> Response:
    """The likeliest first, each with its reasons, as the books are now. `grade` 1: the same number; 2: but for look-alikes; 3: fits what
    was read of it; 4 and 5: one or two characters differ; 6: another mark; 7: missing or lost, of that model.
    """
    with reading(engine, actor) as connection:
        found = tracing.candidates_of(connection, actor, tracing_id)
    places = {one.item_id: f"{place:04}" for place, one in enumerate(found)}
    return listing(
        engine, actor, pages, "candidates", Candidate,
        lambda _, limit, cursor: page_of(found, lambda one: (places[one.item_id],), limit, cursor),
    )  # fmt: skip


@router.post(
    "/tracings/{tracing_id}/steps",
    status_code=201,
    summary="Note what was done",
    response_model=Taken,
    responses=ACTING,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": {"what": "acknowledged"}}}}},
)
def take_step(tracing_id: UUID, body: TakeStep, engine: Database, actor: Asker) -> Response:
    """That receipt was acknowledged, that an answer is delayed and why, what another State answered, a remark."""
    return answer({"step": tracing.take_step(engine, actor, tracing_id, body)}, 201)


@router.post(
    "/tracings/{tracing_id}/answer",
    status_code=202,
    summary="Propose an answer",
    response_model=Taken,
    responses=ACTING,
    openapi_extra={
        "requestBody": {"content": {"application/json": {"example": {"outcome": "traced", "weapon": "KT 449901"}}}}
    },
)
def propose_answer(tracing_id: UUID, body: ProposeAnswer, engine: Database, actor: Asker) -> Response:
    """The weapon with its chain of custody as the books are now, that they know nothing, or a refusal with its reasons. Another person
    releases it.
    """
    return answer({"step": tracing.propose(engine, actor, tracing_id, body)}, 202)


@router.post(
    "/tracings/{tracing_id}/answer/release", summary="Release an answer", response_model=Taken, responses=ACTING
)
def release_answer(tracing_id: UUID, engine: Database, actor: Asker) -> Response:
    """The second person's own request; then it can be printed."""
    return answer({"step": tracing.release(engine, actor, tracing_id)})


@router.post(
    "/tracings/{tracing_id}/answer/turn-down", summary="Turn an answer down", response_model=Taken, responses=ACTING
)
def turn_answer_down(tracing_id: UUID, body: Rejection, engine: Database, actor: Asker) -> Response:
    """By the second person, or by the first, who takes it back."""
    return answer({"step": tracing.turn_down(engine, actor, tracing_id, body.reason)})


@router.post(
    "/tracings/{tracing_id}/identify",
    summary="Say which weapon was sighted",
    response_model=Sighted,
    responses=ACTING,
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {
                    "example": {
                        "item_id": "0190b5a0-0000-7000-8000-000000000004",
                        "words": "The photo shows the star beside the number",
                    }
                }
            }
        }
    },
)
def identify(tracing_id: UUID, body: Identify, engine: Database, actor: Asker) -> Response:
    """Of a sighting whose marks alone do not say so. If the books hold it, that is the alarm."""
    return answer(sightings.identify(engine, actor, tracing_id, body))


@router.get(
    "/tracings/{tracing_id}/answer.pdf",
    summary="The answer that was released, to send",
    response_class=Response,
    responses=a_paper(),
)
def print_answer(
    tracing_id: UUID, engine: Database, actor: Asker, language: Language = None, size: Sheet = Size.A4
) -> Response:
    """With the chain of custody and the last lawful holder. It names no person."""
    with reading(engine, actor) as connection:
        paper = answer_of(connection, actor, tracing_id)
    return printed(actor, f"answer {paper.number}", (paper,), language, size)


@router.get(
    "/iarms",
    summary="Lost, stolen and recovered weapons, iARMS-ready",
    response_model=Page[IarmsRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, INVALID),
)
def export_iarms(
    engine: Database,
    actor: Asker,
    pages: Pages,
    record_type: Annotated[
        str | None, Query(pattern=f"^({'|'.join(iarms.RECORD_TYPES)})$", description=", ".join(iarms.RECORD_TYPES))
    ] = None,
    since: Annotated[date | None, Query(description="Lost or recovered since this day")] = None,
    contact: Annotated[Words | None, Query(description="Whom to ask: written into every row")] = None,
) -> Response:
    """With the fields that INTERPOL's register asks for, as far as the books know them; with `format=csv` or `xlsx` a file for the
    National Central Bureau. For auditors and registrars.
    """
    sought = iarms.Sought(record_type, since, contact)
    return listing(
        engine, actor, pages, "iarms", IarmsRow,
        lambda connection, limit, cursor: list_iarms(connection, actor, sought, limit, cursor),
    )  # fmt: skip

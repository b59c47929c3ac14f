"""What the station asks beside the acts: verdicts, badges, suggestions, what is counted in the stores. A route only reads the
request and shapes the answer.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.answers import Page, Rows, answer
from api.dependencies import Asker, Cursor, Database, Limit
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, documented
from api.words import all_told
from stockpile import at_the_counter
from stockpile.at_the_counter import Badge, CounterSeen, EquipmentSeen
from stockpile.documents import Code, Scan
from stockpile.movements import Act
from stockpile.reports.counts import ReadSoFar, read_so_far
from stockpile.reports.deliveries import DeliveryLine, DeliveryRow
from stockpile.rights import reading
from stockpile.verdicts import AskVerdict, Verdict, WeaponSeen

router = APIRouter(prefix="/station", tags=["station"])

ASKING = documented(NOT_SIGNED_IN, NOT_ALLOWED, INVALID)
StoreName = Annotated[Code | None, Query(description="Of which store first", examples=["Main store"])]


@router.get("", summary="Where and as whom one works", response_model=CounterSeen, responses=ASKING)
def read_counter(engine: Database, actor: Asker) -> Response:
    """Site, stores, role, name and book of who asks."""
    return answer(at_the_counter.counter(engine, actor))


@router.post(
    "/verdicts",
    summary="What an act would say of one weapon",
    response_model=Verdict,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID),
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"example": {"mode": "issue", "scan": "KT 449900", "store": "Main store"}}}
        }
    },
)
def ask_verdict(body: AskVerdict, engine: Database, actor: Asker) -> Response:
    """Locks nothing and promises nothing: who confirms is judged again. `candidates`: the weapons to choose from, where several
    bear the number or only look-alikes do.
    """
    return answer(all_told(at_the_counter.verdict(engine, actor, body)))


@router.get("/badges", summary="Whose badge it is", response_model=Badge, responses=ASKING)
def read_badge(
    engine: Database,
    actor: Asker,
    code: Annotated[Scan, Query(description="Service number, or code of a unit", examples=["A-1001"])],
    act: Annotated[Literal["issue", "return"], Query(description="What they come for")] = "issue",
    received_by: Annotated[Code | None, Query(description="For a unit: service number of who draws for it")] = None,
) -> Response:
    """Who it is, how many weapons they have, and whether they may receive; for a unit who may draw for it."""
    return answer(all_told(at_the_counter.badge(engine, actor, code, Act(act), received_by)))


@router.get("/suggestions", summary="What a clerk may be typing", response_model=Rows[WeaponSeen], responses=ASKING)
def suggest(
    engine: Database,
    actor: Asker,
    text: Annotated[Scan, Query(description="A serial number as far as it is typed or readable", examples=["KT 4499"])],
    store: StoreName = None,
) -> Response:
    """Weapons whose serial number begins so or, in the store, holds it; look-alikes too, those at hand first."""
    return answer({"rows": at_the_counter.suggestions(engine, actor, text, store)})


@router.get("/equipment", summary="What is counted in the stores", response_model=Rows[EquipmentSeen], responses=ASKING)
def list_equipment(
    engine: Database,
    actor: Asker,
    holder: Annotated[Code | None, Query(description="Instead of the stores: service number or unit code")] = None,
) -> Response:
    """By account, model and lot: what may go out with a weapon or by itself, and come back."""
    return answer({"rows": at_the_counter.equipment(engine, actor, holder)})


@router.get("/deliveries", summary="What a site waits for", response_model=Rows[DeliveryRow], responses=ASKING)
def list_deliveries(engine: Database, actor: Asker) -> Response:
    """Shipments on their way to one's site, and consignments of which something has not come."""
    return answer({"rows": at_the_counter.deliveries(engine, actor)})


@router.get(
    "/deliveries/{delivery_id}/lines",
    summary="What is outstanding of a delivery",
    response_model=Page[DeliveryLine],
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def list_delivery_lines(
    delivery_id: UUID, engine: Database, actor: Asker, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """The weapons by serial number, and how much of what is counted, to be ticked off."""
    return answer(at_the_counter.delivery_lines(engine, actor, delivery_id, limit, cursor))


@router.get(
    "/counts/{count_id}",
    summary="How far a count is",
    response_model=ReadSoFar,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def show_read_so_far(count_id: UUID, engine: Database, actor: Asker) -> Response:
    """The count, and how many weapons were read, each once; never how many to expect."""
    with reading(engine, actor) as connection:
        return answer(read_so_far(connection, actor, count_id))

"""The acts: one route each, all through `acts.perform`. A route only reads the request and shapes the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel

from api.answers import answer
from api.dependencies import Asker, Database
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    NOT_SIGNED_IN,
    OTHER_CONTENT,
    REFUSED,
    TOO_LARGE,
    UNREADABLE_REQUEST,
    documented,
)
from stockpile import jobs
from stockpile.acts import (
    amend_identification,
    arrive,
    change_custodian,
    correct,
    declare,
    destroy,
    destruction_order,
    draw,
    emergency_issue,
    expend,
    export,
    hand_over,
    import_again,
    issue,
    loss,
    maintain,
    mark,
    open_books,
    overrun,
    receive,
    recover,
    register_gain,
    reject,
    ship,
    turn_in,
    void,
)
from stockpile.acts.perform import ActForm, Drafted, perform
from stockpile.documents import Posted, Request
from stockpile.errors import Fault, Invalid
from stockpile.jobs import Job
from stockpile.movements import MOVEMENT_OF
from stockpile.sentences import sentence

router = APIRouter(tags=["acts"])


@dataclass(frozen=True, slots=True)
class ActRoute:
    """Where an act is asked for, and what it does in a line."""

    path: str
    form: ActForm
    summary: str
    example: dict[str, Any]


RIFLE = {"scan": "KT 449900"}
RIFLE_SEEN = {**RIFLE, "condition": "serviceable"}
ROUTES = (
    ActRoute(
        "/issues", issue.ISSUE, "Hand weapons out",
        {"receiver": "A-1001", "store": "Main store", "lines": [RIFLE]},
    ),
    ActRoute(
        "/emergency-issues", emergency_issue.EMERGENCY_ISSUE, "Hand a store out to named receivers; papers follow",
        {"reason": "The gate is under attack", "lines": [{**RIFLE, "receiver": "A-1001"}]},
    ),
    ActRoute("/returns", turn_in.RETURN, "Take weapons back", {"store": "Main store", "lines": [RIFLE_SEEN]}),
    ActRoute("/draws", draw.DRAW, "The morning draw: an assigned weapon out or back by one scan", RIFLE),
    ActRoute(
        "/hand-overs", hand_over.HAND_OVER, "Hand weapons on",
        {"giver": "A-1001", "receiver": "A-1002", "lines": [RIFLE]},
    ),
    ActRoute(
        "/work-orders", maintain.MAINTAIN, "Send weapons to the workshop, or take them back",
        {"work": "Firing pin broken", "lines": [{**RIFLE, "condition": "unserviceable"}]},
    ),
    ActRoute(
        "/receipts", receive.RECEIVE, "Take delivery",
        {"store": "Main store", "lines": [{"model": "AKM", "serial_number": "KT 450001", "condition": "serviceable"}]},
    ),
    ActRoute(
        "/gains", register_gain.REGISTER_GAIN, "Take in what nobody delivered",
        {"store": "Quarantine", "manner": "captured", "place": "Farm south of Samarra", "found_by": "2nd patrol",
         "circumstances": "A cache under the floor of a barn",
         "lines": [{"model": "AKM", "serial_number": "KT 450002", "condition": "unknown"}]},
    ),
    ActRoute(
        "/markings", mark.MARK, "Record what was put on weapons",
        {"method": "laser", "place": "receiver", "import_country": "IQ", "import_year": 2026,
         "uii": {"agency": "D", "enterprise": "1ABC2"}, "lines": [RIFLE]},
    ),
    ActRoute(
        "/declarations", declare.DECLARE, "Declare a consignment",
        {"site": "TAJI", "donor": "USA", "reference": "FMS-2026-117",
         "lines": [{"model": "AKM", "serial_number": "UA 000123"}]},
    ),
    ActRoute(
        "/shipments", ship.SHIP, "Send weapons on their way",
        {"to_site": "ERBIL", "store": "Main store", "carrier": "2nd Transport Company", "expected_on": "2099-12-31",
         "vehicle": "Truck 4711", "seal_numbers": "S-100, S-101", "lines": [RIFLE]},
    ),
    ActRoute(
        "/arrivals", arrive.ARRIVE, "Take a shipment in",
        {"shipment": "ERBIL/B/2026/41", "store": "Main store", "complete": True, "lines": [RIFLE_SEEN]},
    ),
    ActRoute(
        "/rejections", reject.REJECT, "Send what was delivered back to its consignment",
        {"reason": "Receivers cracked", "store": "Main store", "lines": [{**RIFLE, "condition": "unserviceable"}]},
    ),
    ActRoute(
        "/openings", open_books.OPEN, "Take an old property book in",
        {"site": "TAJI", "name": "Property book 2019", "store": "Main store",
         "lines": [{"model": "AKM", "serial_number": "OLD-1"}]},
    ),
    ActRoute(
        "/loss-reports", loss.REPORT_MISSING, "Report weapons missing",
        {"place": "Checkpoint 4", "circumstances": "Not in the rack at the evening count", "lines": [RIFLE]},
    ),
    ActRoute(
        "/overruns", overrun.OVERRUN, "Report a whole site overrun",
        {"circumstances": "Attacked at night, garrison withdrew to the bridge", "moment": "2026-11-20T04:10:00+03:00"},
    ),
    ActRoute(
        "/loss-conclusions", loss.CONCLUDE_LOSS, "Conclude a loss",
        {"cause": "stolen", "liability": "Nobody: theft by force", "findings": "Taken at the robbery of 20 November",
         "lines": [RIFLE]},
    ),
    ActRoute(
        "/expenditures", expend.EXPEND, "Report what was fired or destroyed in combat",
        {"manner": "destroyed in combat", "place": "Route Tampa, checkpoint 4",
         "circumstances": "Vehicle burnt out after an attack", "lines": [RIFLE]},
    ),
    ActRoute(
        "/destruction-orders", destruction_order.ORDER_DESTRUCTION, "Order weapons to be destroyed",
        {"reason": "Worn out beyond repair", "authority": "Minister's order 2026/118", "due_on": "2099-12-31",
         "method": "cutting", "lines": [RIFLE]},
    ),
    ActRoute(
        "/destructions", destroy.DESTROY, "Certify that weapons were destroyed",
        {"order": "TAJI/B/2026/41", "method": "cutting", "place": "Workshop yard", "counted_before": 1,
         "counted_after": 0, "witness_1": "A-1001", "witness_2": "Jane Miller, UNMAS", "attachments": ["9f" * 32],
         "lines": [RIFLE]},
    ),
    ActRoute(
        "/custodian-changes", change_custodian.CHANGE_CUSTODIAN, "Hand a store over by a joint inventory",
        {"account": "Main store", "received_by": "A-1001", "lines": [RIFLE]},
    ),
    ActRoute(
        "/recoveries", recover.RECOVER, "Take found weapons back",
        {"store": "Main store", "place": "Wadi north of checkpoint 4", "found_by": "2nd patrol", "lines": [RIFLE]},
    ),
    ActRoute(
        "/amendments", amend_identification.AMEND_IDENTIFICATION, "Say what weapons bear in truth",
        {"reason": "The last digit was misread at receipt", "attachments": ["9f" * 32],
         "lines": [{**RIFLE, "serial_number": "KT 449912"}]},
    ),
    ActRoute(
        "/exports", export.EXPORT, "Let weapons leave the country",
        {"destination": "Jordan", "consignee": "Royal Ordnance Works, Amman", "authorisation": "EXP-2026-12",
         "purpose": "repair abroad", "store": "Main store", "lines": [RIFLE]},
    ),
    ActRoute(
        "/re-imports", import_again.IMPORT_AGAIN, "Take back what was exported",
        {"store": "Main store", "received_from": "Royal Ordnance Works, Amman", "lines": [RIFLE_SEEN]},
    ),
    ActRoute(
        "/corrections", correct.CORRECT, "Take an entry back",
        {"reason": "The wrong rifle was scanned", "lines": [RIFLE]},
    ),
    ActRoute(
        "/undo", correct.UNDO, "Take one's own last document back",
        {"document": "0190b5a0-0000-7000-8000-000000000001"},
    ),
    ActRoute("/voids", void.VOID, "Void a number", {"reason": "The form tore in the printer"}),
)  # fmt: skip

PROBLEMS = documented(
    UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, OTHER_CONTENT, REFUSED, TOO_LARGE, NOT_JSON, INVALID
)


class PostedShown(BaseModel):
    """A posted document: the answer it got, the same for ever."""

    document_id: UUID
    number: str
    act: str
    fact: bool
    happened_at: datetime
    recorded_at: datetime
    lines: int
    quantity: int
    leaf: str
    discrepancy_count: int
    discrepancies: list[dict[str, Any]]


class DraftedShown(BaseModel):
    """An act of two parties, waiting for the second."""

    document_id: UUID
    act: str
    drafted_by: UUID
    state: str


class JobShown(BaseModel):
    """A long task: ask GET /v1/jobs/{id} how far it is."""

    job_id: UUID
    kind: str
    state: str
    done: int
    total: int | None
    result: dict[str, Any] | None
    started_at: datetime
    ended_at: datetime | None
    doing: str | None


IdempotencyKey = Annotated[
    UUID | None, Header(description="The same as `document_id`; if both are given they must agree")
]
Background = Annotated[
    bool, Header(alias="Prefer-Background", description="Post it as a job, if it is long: 202 with the job to watch")
]


def keyed(request: Request, key: UUID | None) -> Request:
    """The request under the id of its Idempotency-Key. Raises Invalid if it names another itself."""
    if key is None:
        return request
    if "document_id" in request.model_fields_set and request.document_id != key:
        raise Invalid(
            sentence("Nothing was done: two ids for one document."),
            [
                Fault(
                    sentence("Idempotency-Key and document_id are not the same"),
                    field="document_id",
                    value=str(request.document_id),
                )
            ],
        )
    return request.model_copy(update={"document_id": key})


def shaped(done: Posted | Drafted | Job) -> Response:
    """201 for what is posted, 202 for what waits or runs."""
    return answer(done, 201 if isinstance(done, Posted) else 202)


def _add(route: ActRoute) -> None:
    def ask(
        body: Any,
        engine: Database,
        actor: Asker,
        idempotency_key: IdempotencyKey = None,
        background: Background = False,
    ) -> Response:
        request = keyed(body, idempotency_key)
        if background:
            return shaped(jobs.start(engine, actor, route.form, request))
        return shaped(perform(engine, actor, route.form, request))

    ask.__annotations__["body"] = route.form.request
    movement = MOVEMENT_OF[route.form.act]
    waits = movement.two_parties and route.form.needs_approval is None
    needs = f"Document: {movement.paper}. Needs: {movement.needs or 'nothing more'}."
    second = " Takes a second party: the answer is a draft that another person approves." if waits else ""
    router.add_api_route(
        route.path,
        ask,
        methods=["POST"],
        status_code=201,
        summary=route.summary,
        name=route.form.do.__name__,
        description=f"{(route.form.request.__doc__ or '').strip()}\n\n{needs}{second}",
        response_model=None,
        responses={
            201: {"model": PostedShown, "description": "Posted"},
            202: {"model": DraftedShown | JobShown, "description": "Waits for a second party, or runs as a job"},
            **PROBLEMS,
        },
        openapi_extra={"requestBody": {"content": {"application/json": {"example": route.example}}}},
    )


for _route in ROUTES:
    _add(_route)

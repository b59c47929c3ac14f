"""Alerts, and who is told of them by web feed and e-mail."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from api.answers import Page, answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, documented
from stockpile.alerts import subscriptions
from stockpile.alerts.kinds import KINDS
from stockpile.alerts.subscriptions import Subscribe, SubscriptionRow
from stockpile.documents import Code
from stockpile.reports.alerts import AlertRow, Sought, list_alerts

router = APIRouter(tags=["alerts"])

SUBSCRIBING = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID)


@router.get(
    "/alerts",
    summary="Alerts",
    response_model=Page[AlertRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def search_alerts(
    engine: Database,
    actor: Asker,
    pages: Pages,
    kind: Annotated[Code | None, Query(description="Of one kind", examples=list(KINDS)[:1])] = None,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Told first at this moment or later")] = None,
    text: Annotated[Code | None, Query(description="Part of what it is about: a number, a site, a unit")] = None,
) -> Response:
    """What somebody should hear of at once, the newest first, within one's scope; its link leads to the rows. A donor sees its own."""
    sought = Sought(kind, site, since, text)
    return listing(
        engine, actor, pages, "alerts", AlertRow,
        lambda connection, limit, cursor: list_alerts(connection, actor, sought, limit, cursor),
    )  # fmt: skip


@router.get(
    "/alert-subscriptions",
    summary="Subscriptions to alerts",
    response_model=Page[SubscriptionRow],
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, INVALID),
)
def list_subscriptions(
    engine: Database,
    actor: Asker,
    pages: Pages,
    everybodys: Annotated[bool, Query(description="Not only one's own: a registrar's to ask")] = False,
) -> Response:
    """One's own, the newest first, with what became of the last e-mail."""
    return listing(
        engine, actor, pages, "alert-subscriptions", SubscriptionRow,
        lambda connection, limit, cursor: subscriptions.list_subscriptions(connection, actor, everybodys, limit, cursor),
    )  # fmt: skip


class SubscriptionMade(BaseModel):
    """A subscription just made."""

    subscription_id: UUID
    secret: str | None = Field(
        description="Of a web feed, shown this once: the password, with any name, of /alerts.atom",
        examples=["sf_Jx0Zl9gVb1n3n0mI2m4cQvXw6yR8tA5uB7kC1dE3fG0"],
    )


class SubscriptionTold(BaseModel):
    """What was done about a subscription."""

    subscription_id: UUID
    done: str = Field(examples=["ended"])


@router.post(
    "/alert-subscriptions",
    status_code=201,
    summary="Be told of alerts",
    response_model=SubscriptionMade,
    responses=SUBSCRIBING,
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"example": {"way": "e-mail", "address": "officer@donor.example"}}}
        }
    },
)
def subscribe(body: Subscribe, engine: Database, actor: Asker) -> Response:
    """By e-mail to an address, or by a web feed. It sees what you see, and ends with the user or token that made it."""
    return answer(subscriptions.subscribe(engine, actor, body), 201)


@router.post(
    "/alert-subscriptions/{subscription_id}/end",
    summary="Be told no more",
    response_model=SubscriptionTold,
    responses=SUBSCRIBING,
)
def end_subscription(subscription_id: UUID, engine: Database, actor: Asker) -> Response:
    """From now on; one's own, a registrar anybody's."""
    subscriptions.end_subscription(engine, actor, subscription_id)
    return answer({"subscription_id": subscription_id, "done": "ended"})


@router.post(
    "/alert-subscriptions/{subscription_id}/test",
    status_code=202,
    summary="Have a test sent",
    response_model=SubscriptionTold,
    responses=SUBSCRIBING,
)
def send_test(subscription_id: UUID, engine: Database, actor: Asker) -> Response:
    """An e-mail that says only that it came. The list of subscriptions tells what became of it."""
    subscriptions.send_test(engine, actor, subscription_id)
    return answer({"subscription_id": subscription_id, "done": "a test waits to be sent"}, 202)

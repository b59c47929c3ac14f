"""Devices and the books kept away from the service: enrolled here, their vouchers taken in, what is missing told."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.answers import Page as PageShown
from api.answers import answer
from api.dependencies import Asker, Database, Pages
from api.exports import exportable, listing
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_JSON,
    NOT_SIGNED_IN,
    TOO_LARGE,
    UNREADABLE_REQUEST,
    Problem,
    documented,
    problem_of,
)
from api.v1.acts import PostedShown
from api.v1.reference import Form
from stockpile import device_vouchers, devices
from stockpile.device_vouchers import Contact, Outcome
from stockpile.documents import Code, Words
from stockpile.reports import books
from stockpile.reports import devices as reports
from stockpile.reports.books import BookRow
from stockpile.reports.devices import DeviceReject, DeviceRow
from stockpile.rights import reading

router = APIRouter(tags=["devices and paper"])

LISTING = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
WRITING = documented(UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, TOO_LARGE, NOT_JSON, INVALID)

SiteCode = Annotated[Code | None, Query(description="Of one site: its code")]
Kind = Literal["counter", "device", "paper", "importer", "exceptions"]


class Enrol(Form):
    """A device with the public half of the key that it made."""

    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    book: Code = Field(description="The code of its own book", examples=["TAB-3"])
    label: Annotated[Words, Field(max_length=100)] = Field(examples=["Tablet 3, north gate"])
    public_key: Annotated[str, Field(max_length=100)] = Field(
        description="Ed25519, 32 bytes in base64", examples=["A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="]
    )


class OutcomeShown(BaseModel):
    """What became of one voucher. A posted one answers the same for ever; one set aside is kept, with its problem."""

    document_id: UUID | None
    became: Literal["posted", "set aside"]
    posted: PostedShown | None = None
    problem: Problem | None = None


class TakenShown(BaseModel):
    """A contact: how far the device's clock was off in seconds (positive: ahead), and each voucher in the order sent."""

    contacted_at: datetime
    clock_offset: float
    vouchers: list[OutcomeShown]


@router.post("/devices", status_code=201, summary="Enrol a device", response_model=DeviceRow, responses=WRITING)
def enrol_device(body: Enrol, engine: Database, actor: Asker) -> Response:
    """By a registrar, or the commander of its site. The device keeps the private half; it never comes here."""
    with reading(engine, actor) as connection:
        device_id = devices.enrol(connection, actor, body.book, body.label, body.public_key, body.site)
        return answer(reports.read_device(connection, device_id), 201)


@router.get("/devices", summary="Devices", response_model=PageShown[DeviceRow], responses=LISTING)
def list_devices(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: SiteCode = None,
    text: Annotated[Code | None, Query(description="Part of the label or the book's code")] = None,
    alive: Annotated[bool, Query(description="Without the revoked")] = False,
) -> Response:
    """By site and book: last contact, how far the clock was off then, highest number, what has not come."""
    return listing(
        engine, actor, pages, "devices", DeviceRow,
        lambda connection, limit, cursor: reports.search_devices(
            connection, actor, site, text, alive, limit, cursor
        ),
    )  # fmt: skip


@router.post("/devices/{device_id}/revoke", summary="Revoke a device", response_model=DeviceRow, responses=WRITING)
def revoke_device(device_id: UUID, engine: Database, actor: Asker) -> Response:
    """Lost, stolen, broken: what still comes from it is kept as a fact, with a discrepancy."""
    with reading(engine, actor) as connection:
        devices.revoke(connection, actor, device_id)
        return answer(reports.read_device(connection, device_id))


@router.post(
    "/devices/{device_id}/vouchers", summary="Bring a device's vouchers", response_model=TakenShown, responses=WRITING
)
def take_vouchers(device_id: UUID, body: Contact, engine: Database, actor: Asker) -> Response:
    """Up to 500, in any order, late, as often as you like: each is posted once, as a fact, or set aside with its problem;
    one never stops the others. What is signed, byte for byte, is told in docs/offline.md.
    """
    taken = device_vouchers.take(engine, actor, device_id, body)
    return answer(
        {
            "contacted_at": taken.contacted_at,
            "clock_offset": taken.clock_offset.total_seconds(),
            "vouchers": [_shown(outcome) for outcome in taken.outcomes],
        }
    )


def _shown(outcome: Outcome) -> dict[str, Any]:
    if outcome.posted is not None:
        return {"document_id": outcome.document_id, "became": "posted", "posted": asdict(outcome.posted)}
    assert outcome.problem is not None
    told = json.loads(bytes(problem_of(outcome.problem).body))
    return {"document_id": outcome.document_id, "became": "set aside", "problem": told}


@router.get(
    "/device-rejects", summary="What devices sent and nobody could post", response_model=PageShown[DeviceReject],
    responses=LISTING,
)  # fmt: skip
def list_device_rejects(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: SiteCode = None,
    device: Annotated[UUID | None, Query(description="Of one device")] = None,
    posted: Annotated[bool | None, Query(description="Only those that were, or were not, posted since")] = None,
) -> Response:
    """The oldest first, to the byte as it came, with the reason. Nothing here is ever thrown away."""
    return listing(
        engine, actor, pages, "device-rejects", DeviceReject,
        lambda connection, limit, cursor: reports.list_rejects(
            connection, actor, site, device, posted, limit, cursor
        ),
    )  # fmt: skip


@router.get("/books", summary="Books", response_model=PageShown[BookRow], responses=LISTING)
def list_books(
    engine: Database,
    actor: Asker,
    pages: Pages,
    site: SiteCode = None,
    kind: Annotated[Kind | None, Query(description="Of one kind")] = None,
    year: Annotated[int | None, Query(ge=1900, le=2999)] = None,
    incomplete: Annotated[bool, Query(description="Only those with numbers that have not come")] = False,
) -> Response:
    """Each numbered series with its holder, its highest number, and which numbers of a device's or paper's have not come."""
    return listing(
        engine, actor, pages, "books", BookRow,
        lambda connection, limit, cursor: books.list_books(
            connection, actor, site, kind, year, incomplete, limit, cursor
        ),
    )  # fmt: skip

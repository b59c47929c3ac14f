"""How far consignments are, each number down to its weapons, with their proofs; and how the log grew out of a checkpoint that somebody
keeps.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from api.answers import Page, answer
from api.dependencies import Asker, Database, HappenedBy, KnownBy, Pages
from api.exports import exportable, file_name, listing
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REFUSED, documented
from api.v1.reports.answered import Summed
from api.v1.reports.asked import AtSite, Donor
from stockpile.documents import Code
from stockpile.donors.progress import (
    COUNTED,
    Attention,
    ConsignmentWeapon,
    ProgressRow,
    ProgressSought,
    Stage,
    list_consignment_weapons,
    list_progress,
    read_progress_of,
)
from stockpile.donors.proofs import PROVEN_AT_ONCE, consignment_package
from stockpile.errors import Fault, Invalid
from stockpile.log.proofs import grown
from stockpile.reports.as_of import AsOf
from stockpile.rights import READ, reading, require
from stockpile.sentences import sentence
from stockpile.settings import read_settings

router = APIRouter(tags=["donors"])

PROGRESS = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)


class ProgressSums(BaseModel):
    """Sums over all pages, in pieces; `late` counts consignments."""

    consignments: int
    declared: int
    shipped: int
    arrived: int
    verified: int
    not_shipped: int
    on_its_way: int
    in_store: int
    issued: int
    in_maintenance: int
    missing: int
    lost: int
    expended: int
    destroyed: int
    exported: int
    in_excess: int
    short: int
    discrepancies: int
    late: int
    not_verified: int


class ProgressShown(Page[ProgressRow]):
    """A page of consignments, and the sums over all of them."""

    sums: ProgressSums


@router.get(
    "/consignments/progress", summary="How far consignments are", response_model=ProgressShown, responses=PROGRESS
)
def read_consignments_progress(
    engine: Database,
    actor: Asker,
    pages: Pages,
    donor: Donor = None,
    site: AtSite = None,
    text: Annotated[Code | None, Query(description="Part of the donor's number of it", examples=["FMS-2026"])] = None,
    attention: Annotated[Attention | None, Query(description="Only those that want attention for this")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """Declared, shipped, arrived, verified, and where each is now, the newest first. A donor is told of its own; a desk, which sees one
    site, of none. The weapons behind a number: GET /v1/consignments/{consignment_id}/weapons.
    """
    sought, at = ProgressSought(donor, site, text, attention), AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[ProgressRow]:
        found = list_progress(connection, actor, sought, at, limit, cursor)
        names = ("consignments", *COUNTED, "late", "not_verified")
        return Summed(found.rows, dict(zip(names, found.sums, strict=True)), found.cursor)

    return listing(engine, actor, pages, "consignments-progress", ProgressRow, ask)


@router.get(
    "/consignments/{consignment_id}/progress",
    summary="How far one consignment is",
    response_model=ProgressRow,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def read_consignment_progress(
    consignment_id: UUID, engine: Database, actor: Asker, as_of: HappenedBy = None, recorded_as_of: KnownBy = None
) -> Response:
    """One consignment by its key."""
    with reading(engine, actor) as connection:
        return answer(read_progress_of(connection, actor, consignment_id, AsOf(as_of, recorded_as_of)))


class WeaponSums(BaseModel):
    """Sums over all pages."""

    lines: int
    pieces: int


class ConsignmentWeaponsShown(Page[ConsignmentWeapon]):
    """A page of a consignment's weapons, and the sums over all of them."""

    sums: WeaponSums


@router.get(
    "/consignments/{consignment_id}/weapons",
    summary="The weapons of a consignment, and where each is",
    response_model=ConsignmentWeaponsShown,
    responses=PROGRESS,
)
def read_consignment_weapons(
    consignment_id: UUID,
    engine: Database,
    actor: Asker,
    pages: Pages,
    stage: Annotated[Stage | None, Query(description="Only those behind this number")] = None,
    text: Annotated[Code | None, Query(description="Part of a serial number or of a model's name")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
) -> Response:
    """By model and serial number, each with its last entry. Of what is counted a line for each kind of place."""
    at = AsOf(as_of, recorded_as_of)

    def ask(connection: Connection, limit: int | None, cursor: str | None) -> Summed[ConsignmentWeapon]:
        found = list_consignment_weapons(connection, actor, consignment_id, stage, text, at, limit, cursor)
        return Summed(found.rows, dict(zip(WeaponSums.model_fields, found.sums, strict=True)), found.cursor)

    return listing(engine, actor, pages, "consignment-weapons", ConsignmentWeapon, ask)


@router.get(
    "/consignments/{consignment_id}/proof",
    summary="The proofs of a consignment's weapons",
    response_class=Response,
    responses={
        200: {
            "description": "The archive",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
        **documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, REFUSED, INVALID),
    },
)
def read_consignment_proof(
    consignment_id: UUID,
    engine: Database,
    actor: Asker,
    part: Annotated[int, Query(ge=1, le=10_000, description=f"Of a large one: {PROVEN_AT_ONCE} weapons a part")] = 1,
) -> Response:
    """An archive with where each weapon is and its proof, signed by the log's key: `stockpile check-proof` checks it anywhere."""
    packed, name = consignment_package(engine, actor, read_settings().signing_folder, consignment_id, part)
    headers = {"Content-Disposition": f'attachment; filename="{file_name(actor, name)}.zip"'}
    return Response(packed, media_type="application/zip", headers=headers)


class GrowthShown(BaseModel):
    """The newest checkpoint, as it was signed, and the hashes that lead to it from the one that is kept (RFC 9162, 2.1.4), as base64."""

    checkpoint: str
    hashes: list[str]


@router.get(
    "/log/growth",
    summary="How the log grew out of a checkpoint",
    response_model=GrowthShown,
    responses=documented(NOT_SIGNED_IN, NOT_FOUND, INVALID),
)
def read_growth(
    engine: Database,
    actor: Asker,
    origin: Annotated[
        str | None, Query(max_length=200, description="Name of the log of a checkpoint that you keep: its first line")
    ] = None,
    size: Annotated[int | None, Query(ge=1, lt=1 << 62, description="Its size: the second line")] = None,
) -> Response:
    """The newest checkpoint; and for one that the asker keeps the proof that nothing under it was altered or taken out. Who asks checks it:
    the portal's page does, in the donor's browser.
    """
    require(actor, READ)
    if (origin is None) != (size is None):
        raise Invalid(
            sentence("A checkpoint is named by both its lines."),
            [Fault(sentence("give origin and size"), field="origin")],
        )
    note, hashes = grown(engine, (origin, size) if origin is not None and size is not None else None)
    return answer(GrowthShown(checkpoint=note, hashes=[b64encode(one).decode() for one in hashes]).model_dump())

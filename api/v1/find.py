"""Find: one question for anything one can scan or type."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.openapi.models import Example

from api.answers import answer
from api.dependencies import Asker, Cursor, Database
from api.problems import INVALID, NOT_SIGNED_IN, documented
from stockpile.find import Found, find
from stockpile.rights import reading

router = APIRouter(tags=["find"])

EXAMPLES: dict[str, Example] = {
    "asset tag": {"summary": "The tag on the stock", "value": "SP-000001-K"},
    "serial number": {"summary": "In any spelling: case, blanks, dashes, digits of any script", "value": "kt-449903"},
    "partial serial number": {
        "summary": "? is one character nobody can read, * any number of them",
        "value": "KT 44?90*",
    },
    "UII": {"summary": "As the Data Matrix says it, typed", "value": "D1ABC2W0042"},
    "UII as scanned": {
        "summary": "ISO 15434, with its control characters (format 05, 06 or 12)",
        "value": "[)>\x1e06\x1d25SD1ABC2W0042\x1e\x04",
    },
    "document number": {"summary": "In any case", "value": "TAJI/B/2026/41"},
    "service number": {"summary": "Of a person; a unit's code too", "value": "A-1001"},
    "what is counted": {"summary": "A model's name or a part of it: how many are where", "value": "Helmet"},
    "key": {"summary": "Of an item or a document", "value": "0190b5a0-0000-7000-8000-000000000001"},
}
ANSWER = {
    "text": "kt-449903",
    "did_you_mean": False,
    "items": [
        {
            "item": {
                "item_id": "0190b5a0-0000-7000-8000-000000000001", "tracked_by": "serial", "asset_tag": "SP-000001-K",
                "maker": "Izhmash", "model": "AKM", "serial_number": "KT 449903", "formerly": [], "obliterated": False,
                "distinguishing_mark": None, "uii": None, "lot": None, "donor": "OWN",
                "import_mark": "IQ 2026", "import_country": "IQ", "import_year": 2026,
            },
            "standings": [
                {
                    "item_id": "0190b5a0-0000-7000-8000-000000000001",
                    "account_id": "0190b5a0-0000-7000-8000-000000000002", "account_class": "person",
                    "account": "Private Petrov (A-1001)", "site": "TAJI",
                    "party_id": "0190b5a0-0000-7000-8000-000000000003", "quantity": 1, "condition": "serviceable",
                    "unverified": False, "since": "2026-11-20T06:30:00Z",
                    "document_id": "0190b5a0-0000-7000-8000-000000000004", "document_number": "TAJI/B/2026/41",
                    "act": "issue",
                }
            ],
        }
    ],
    "documents": [],
    "parties": [],
    "cursor": None,
    "counted": [],
}  # fmt: skip


@router.get(
    "/find",
    summary="Find a weapon, a document, a person",
    response_model=Found,
    responses={
        200: {"content": {"application/json": {"example": ANSWER}}},
        **documented(NOT_SIGNED_IN, INVALID),
    },
)
def find_anything(
    engine: Database,
    actor: Asker,
    q: Annotated[str, Query(description="What was scanned or typed", openapi_examples=EXAMPLES)],
    limit: Annotated[int, Query(ge=1, le=500, description="Weapons on a page")] = 20,
    cursor: Cursor = None,
) -> Response:
    """What it is, where it is, since when, under which document. Several weapons may bear one number: all are told. Where
    nothing bears it, look-alikes come as `did_you_mean`. An empty answer: nothing you may see bears it.
    """
    with reading(engine, actor) as connection:
        return answer(find(connection, actor, q, limit, cursor))

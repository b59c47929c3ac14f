"""Signatures of receivers and returners, given at the counter before the document is posted."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.answers import answer
from api.at_counter import address_of, counter_of, where_from
from api.dependencies import Asker, Database
from api.problems import (
    INVALID,
    NOT_ALLOWED,
    NOT_SIGNED_IN,
    OTHER_CONTENT,
    TOO_SOON,
    documented,
)
from stockpile import signatures
from stockpile.signatures import Sign, Signature

router = APIRouter(tags=["signatures"])


@router.post(
    "/signatures",
    status_code=201,
    summary="Sign for a document",
    response_model=Signature,
    responses=documented(NOT_SIGNED_IN, NOT_ALLOWED, INVALID, OTHER_CONTENT, TOO_SOON),
)
def sign(body: Sign, request: Request, engine: Database, actor: Asker) -> Response:
    """By the signer's PIN, typed at an enrolled counter, or drawn (a stored PNG). It is for that document id and person alone: name it
    in the `signatures` of the issue, draw, return or hand-over. With a one-time PIN send `new_pin` too.
    """
    address = where_from(request).address if body.pin is not None else address_of(request)
    return answer(signatures.sign(engine, actor, counter_of(request), body, address), 201)

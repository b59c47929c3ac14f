"""Void: a spoiled number gets a document of its own, so that its book has no gap."""

from __future__ import annotations

from pydantic import Field

from stockpile import ledger
from stockpile.acts.perform import ActForm
from stockpile.documents import Desk, FactRequest, Posted, Words, Writing
from stockpile.movements import Act


class Void(FactRequest):
    """Void a number: the next one of the counter's book, or the one of a paper that was spoiled."""

    reason: Words = Field(examples=["The form tore in the printer"])


def void(desk: Desk, request: Void) -> Posted:
    """Posts a void document: it moves nothing."""
    details = {"paper": "void document", "reason": request.reason}
    return ledger.post(desk, Writing.of(request).document(desk, {}, details), ())


VOID = ActForm(Act.VOID, Void, void)

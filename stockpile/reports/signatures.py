"""Who signed for a document, how and at which counter: what its details tell by keys, with the names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.reports.named import ELSEWHERE, named


@dataclass(frozen=True, slots=True)
class SignatureShown:
    """Who signed, how ("PIN", "drawn", or what is wrong with what a paper or device named), when, and at which counter; `file` is
    the SHA-256 of a drawn signature.
    """

    signature_id: UUID
    person: str | None
    how: str
    signed_at: datetime | None
    counter: str | None
    file: str | None


def signatures_of(connection: Connection, details: Mapping[str, Any]) -> tuple[SignatureShown, ...]:
    """The signatures that a document's details tell of."""
    told: Sequence[Mapping[str, str]] = details.get("signatures") or ()
    if not told:
        return ()
    people = {UUID(one["person"]) for one in told if "person" in one}
    counters = {UUID(one["counter"]) for one in told if "counter" in one}
    names = _texts(connection, f"SELECT p.party_id, {named('p')} FROM party p WHERE p.party_id = ANY (%s)", people)
    labels = _texts(connection, "SELECT counter_id, label FROM counter WHERE counter_id = ANY (%s)", counters)
    return tuple(
        SignatureShown(
            UUID(one["signature"]),
            names.get(one["person"], ELSEWHERE) if "person" in one else None,
            one["how"],
            datetime.fromisoformat(one["signed_at"]) if "signed_at" in one else None,
            labels.get(one.get("counter", "")),
            one.get("file"),
        )
        for one in told
    )


def _texts(connection: Connection, question: str, keys: set[UUID]) -> dict[str, str]:
    return {str(key): text for key, text in connection.exec_driver_sql(question, (list(keys),))}

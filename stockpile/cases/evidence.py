"""The evidence of a case: photos and scans, stored as those of documents are. Whoever reads the case may have its files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from stockpile.documents import Digest
from stockpile.evidence import need_evidence
from stockpile.sentences import sentence

Attachments = Annotated[
    tuple[Digest, ...],
    Field(max_length=20, description="SHA-256 of photos and scans, stored before", examples=[[]]),
]


def need_photos_or_scans(digests: Iterable[str]) -> None:
    """Raises Invalid unless each digest is that of a stored photo or scan."""
    need_evidence(digests, "attachments", sentence("Nothing was written: what is attached is no evidence."))


def is_of_a_case(connection: Connection, sha256: str) -> bool:
    """Whether a case in the scope of the connection's role names a file."""
    return bool(
        connection.exec_driver_sql(
            "SELECT EXISTS (SELECT FROM case_part WHERE attachments <> '[]' AND attachments @> to_jsonb(ARRAY[%s::text]))",
            (sha256,),
        ).scalar()
    )

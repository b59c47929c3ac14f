"""Vouchers of a station that come as a file: saved where the link was down, brought in on another machine. The file only carries
what the device signed; it is trusted in nothing.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine

from stockpile.device_vouchers import MOST_VOUCHERS, Contact, Outcome, SignedVoucher, take
from stockpile.documents import not_understood, now
from stockpile.errors import Fault, Invalid
from stockpile.evidence import judge
from stockpile.files import file_store
from stockpile.rights import CARRY, Actor, require
from stockpile.sentences import sentence
from stockpile.settings import read_settings

LARGEST = 64 * 1024 * 1024
"""Bytes: a month of vouchers with their signatures."""
LONGEST_OFFSET = 10 * 365 * 86_400


class VoucherSaved(BaseModel):
    """A voucher in the file, with its number for people."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    number: str = ""
    payload: str
    signature: str


class VoucherFile(BaseModel):
    """The file as a station saves it. `files`: what the vouchers are attached to, in base64, by SHA-256."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kind: Literal["stockpile vouchers"]
    version: Literal[1]
    device: UUID
    clock_offset: Annotated[float, Field(ge=-LONGEST_OFFSET, le=LONGEST_OFFSET)] = 0
    vouchers: list[VoucherSaved]
    files: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a voucher of the file."""

    number: str
    outcome: Outcome


def read_voucher_file(path: Path) -> VoucherFile:
    """Reads a file that a station saved. Raises Invalid."""
    if path.stat().st_size > LARGEST:
        raise Invalid(
            sentence("The file is too large to be one of a station."),
            [Fault(sentence("more than {most:,} bytes", most=LARGEST))],
        )
    try:
        return VoucherFile.model_validate_json(path.read_bytes())
    except ValidationError as problem:
        raise Invalid(sentence("This is no file that a station saved."), not_understood(problem).faults) from None


def bring(engine: Engine, actor: Actor, file: VoucherFile) -> Iterator[Brought]:
    """Stores what is attached, and takes the vouchers in, 500 at a time. Bringing the same file again posts nothing twice.

    Raises NotAllowed, NotFound (no such device at this site), Invalid (what is attached), UnreadableFile, DatabaseUnavailable.
    """
    require(actor, CARRY)
    for digest, content in file.files.items():
        _keep(digest, content)
    offset = timedelta(seconds=file.clock_offset)
    for first in range(0, len(file.vouchers), MOST_VOUCHERS):
        some = file.vouchers[first : first + MOST_VOUCHERS]
        signed = tuple(SignedVoucher(payload=one.payload, signature=one.signature) for one in some)
        taken = take(engine, actor, file.device, Contact(device_time=now() + offset, vouchers=signed))
        for one, outcome in zip(some, taken.outcomes, strict=True):
            yield Brought(one.number, outcome)


def _keep(digest: str, content: str) -> None:
    try:
        raw = b64decode(content, validate=True)
    except NotBase64:
        raise Invalid(
            sentence("The file is damaged."),
            [Fault(sentence("what is attached is not base64"), field=f"files.{digest}")],
        ) from None
    file_store().keep([raw], read_settings().evidence_limit, judge)

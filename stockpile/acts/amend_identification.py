"""Amend identification: what the books say a weapon bears was read or typed wrong, and is said otherwise, with evidence, by two
parties. The weapon stays where it is; what was said before stays to be found and read.

The model can't be amended: the weapon's entries carry it. Its receipt is corrected, and it is received anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, model_validator

from stockpile import identifications, items, ledger
from stockpile.acts import voucher
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Desk, Digest, ItemLine, Posted, Request, Words, Writing
from stockpile.identifications import Change, Identification
from stockpile.identity import identity_key, serial_key
from stockpile.items import Held, Known, Line
from stockpile.movements import Act
from stockpile.registers.listing import Serial
from stockpile.sentences import sentence

NOTHING = sentence(
    "says nothing that could be amended: a serial_number, maker, obliterated or "
    "distinguishing_mark. A model can't be amended: correct the receipt and receive the "
    "weapon anew; a UII never changes; an import mark is marked"
)


class AmendLine(ItemLine):
    """A weapon as the books know it, and what it bears in truth. What is left out stays as it is."""

    serial_number: Serial | None = Field(None, description="As marked, to the character", examples=["KT 449912"])
    no_serial_number: bool = Field(False, description="It bears none, whatever the books say")
    obliterated: bool | None = Field(None, description="Whether the number was removed or can't be read")
    maker: Words | None = Field(None, description="As marked, where it is not the model's")
    distinguishing_mark: Words | None = Field(None, description="What tells it from its twin")

    @model_validator(mode="after")
    def _one_number(self) -> AmendLine:
        if self.no_serial_number and (self.serial_number is not None or self.obliterated):
            raise ValueError(
                sentence("a weapon that bears no serial number has none to give, nor one that is obliterated")
            )
        return self

    @property
    def said(self) -> dict[str, Any]:
        """The fields that the line says."""
        fields: dict[str, Any] = {
            name: value
            for name in ("serial_number", "obliterated", "maker", "distinguishing_mark")
            if (value := getattr(self, name)) is not None
        }
        return {**fields, "serial_number": None, "obliterated": False} if self.no_serial_number else fields


class AmendIdentification(Request):
    """Say what weapons bear in truth, where the books have it wrong (correction). Takes a second party. The old identification
    stays searchable; the model can't be amended: correct the receipt and receive the weapon anew.
    """

    reason: Words = Field(examples=["The last digit was misread at receipt"])
    attachments: Annotated[tuple[Digest, ...], Field(min_length=1, max_length=20)] = Field(
        description="SHA-256 of the evidence, such as photos of the marks, stored before", examples=[["9f" * 32]]
    )
    lines: Annotated[tuple[AmendLine, ...], Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _says_something(self) -> AmendIdentification:
        for number, line in enumerate(self.lines, 1):
            if not line.said:
                raise ValueError(sentence("line {number} {nothing}", number=number, nothing=NOTHING))
        return self


@dataclass(slots=True)
class Amended:
    """One weapon of the document: what it bore and what it bears now, each with its identity."""

    one: Scanned
    held: Held
    before: Identification
    fields: dict[str, Any]
    identity_before: str | None
    identity: str | None

    @property
    def moved(self) -> bool:
        """Whether it is told from others by another number or maker now."""
        return self.identity != self.identity_before

    @property
    def told_apart(self) -> bool:
        """Whether something tells it from a twin."""
        return bool(self.fields.get("distinguishing_mark", self.before.distinguishing_mark))


def amend_identification(desk: Desk, request: AmendIdentification) -> Posted:
    """Posts an amendment. Raises Refused (one reason a weapon)."""
    written = Writing.of(request)
    scanned = voucher.lock(desk, request.lines)
    voucher.check_origin(scanned, desk.act, desk.site)
    amended = _amended(desk, request, scanned)
    judged = items.known_by_identity(desk.connection, [one.identity for one in amended if one.identity])
    found = _twins(amended, judged)
    voucher.refuse(scanned, desk.act)
    for one in amended:
        # Its entry commits the number it bears from now on.
        one.held.serial_number = one.fields.get("serial_number", one.held.serial_number)
    details = {"paper": "correction", "reason": request.reason, "amended": [_told(one) for one in amended]}
    lines = [Line(one.held, one.held.where, stays=True) for one in amended]
    posted = ledger.post(desk, written.document(desk, {}, details), lines, found)
    changes = {one.held.item_id: Change(one.fields) for one in amended}
    held = {one.held.item_id: one.held for one in amended}
    identifications.write(desk, posted.document_id, changes, held, judged)
    return posted


def _amended(desk: Desk, request: AmendIdentification, scanned: Sequence[Scanned]) -> list[Amended]:
    """Each weapon with what becomes otherwise of it. Refused: what is counted, what says so already."""
    weapons: list[tuple[Scanned, Held, dict[str, Any]]] = []
    for one, line in zip(scanned, request.lines, strict=True):
        if one.held is None or one.reason:
            continue
        if one.held.serial:
            weapons.append((one, one.held, line.said))
        else:
            one.reason = sentence("it is counted, not one of its kind: it has no identification of its own")
    known = identifications.identified(desk.connection, [held.item_id for _, held, _ in weapons])
    amended = []
    for one, held, said in weapons:
        before = known[held.item_id]
        fields = {name: value for name, value in said.items() if value != getattr(before, name)}
        after_number = fields.get("serial_number", before.serial_number)
        obliterated = fields.get("obliterated", before.obliterated)
        if not fields:
            one.reason = sentence("the books say so already")
        elif obliterated and after_number is None:
            one.reason = sentence(
                "it has no serial number in the books that could be obliterated: say what is left of it"
            )
        maker = fields.get("maker", before.maker)
        identity_before = _identity(held, before.maker, before.readable)
        identity = _identity(held, maker, None if obliterated else after_number)
        amended.append(Amended(one, held, before, fields, identity_before, identity))
    return amended


def _identity(held: Held, maker: str, serial_number: str | None) -> str | None:
    return identity_key(maker, held.model_id, serial_key(serial_number)) if serial_number is not None else None


def _twins(amended: Sequence[Amended], judged: Known) -> list[Contradiction]:
    """Numbers that several weapons will bear: refused, unless something tells the amended one apart; then flagged. Two that
    change numbers with each other are none.
    """
    leaving = {one.held.item_id for one in amended if one.moved}
    borne = {key: [item for item in bearers if item not in leaving] for key, bearers in judged.bearers.items()}
    found = []
    for one in amended:
        if one.identity is None or not one.moved:
            continue
        others = borne.setdefault(one.identity, [])
        if others and one.told_apart:
            found.append(_twin(one))
        elif others and not one.one.reason:
            number = one.fields.get("serial_number", one.held.serial_number)
            one.one.reason = sentence(
                "another {model_name} bears the serial number {number}: if there are two, say how it can "
                "be told apart (distinguishing_mark)",
                model_name=one.held.model_name,
                number=number,
            )
        others.append(one.held.item_id)
    return found


def _twin(one: Amended) -> Contradiction:
    number = one.fields.get("serial_number", one.held.serial_number)
    said = f"another {one.held.model_name} bears {number}"
    seen = f"{one.one.line.named} amended to {number}, line {one.one.number}"
    return Contradiction(Kind.TWIN, said, seen, one.held.item_id, one.held.donor_id, one.one.number)


def _told(one: Amended) -> dict[str, Any]:
    """A line as the document tells it, and its leaf commits it: what was said, and what is said now."""
    before = {name: getattr(one.before, name) for name in one.fields}
    return {"line": one.one.number, "item": str(one.held.item_id), "was": before, "is": one.fields}


AMEND_IDENTIFICATION = ActForm(Act.AMEND_IDENTIFICATION, AmendIdentification, amend_identification)

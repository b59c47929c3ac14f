"""Taking in what a device wrote while the link was down: vouchers that it signed, each posted as a fact of its own, under the
device's number and time, in any order and as often as they come.

A voucher fails only on syntax and authentication, one never stops the others, and what fails is kept, to the byte, until
somebody has looked at it. docs/offline.md says what a device signs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from stockpile.acts import ACTS
from stockpile.acts.perform import ActForm, posted_before, record
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.devices import SIGNATURE_BYTES, Device, bytes_of, find_device
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import (
    Asked,
    ClaimedNumber,
    Code,
    FactRequest,
    Posted,
    Precision,
    not_understood,
    now,
    of_a_book_year,
)
from stockpile.errors import DatabaseUnavailable, Fault, Invalid, PostedWithOtherContent, StockpileError
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.log.leaf import canonical
from stockpile.movements import MOVEMENT_OF, Act
from stockpile.rights import CARRY, RIGHTS, ROLES, Actor, require
from stockpile.sentences import sentence, words_of
from stockpile.sites import Site
from stockpile.unforeseen import log_unforeseen

MOST_VOUCHERS = 500


def spelled_out(text: object) -> object:
    """Half a character, which UTF-8 can't write, as its escape: such a voucher fails by itself, not with its neighbours."""
    return text.encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else text


Sent = Annotated[str, BeforeValidator(spelled_out)]


class SignedVoucher(Asked):
    """A voucher as it left the device: the text it signed, and the signature."""

    payload: Sent = Field(
        description="The JSON text, exactly as it was signed",
        examples=['{"device": "...", "document_id": "...", "number": 1, "act": "issue", ...}'],
    )
    signature: Sent = Field(description="Ed25519 over the payload's bytes in UTF-8; base64", examples=["a1b2...=="])


class Contact(Asked):
    """What a device sends when it is in touch: the time on its clock, and the vouchers it has. No vouchers: the clock alone."""

    device_time: Annotated[AwareDatetime, AfterValidator(of_a_book_year)] = Field(
        description="The time on the device's clock, now", examples=["2026-11-20T09:30:00+03:00"]
    )
    vouchers: Annotated[tuple[SignedVoucher, ...], Field(max_length=MOST_VOUCHERS)] = ()


class Payload(Asked):
    """What a device signs."""

    device: UUID
    document_id: UUID
    number: Annotated[int, Field(strict=True, ge=1, le=2_000_000_000)]
    happened_at: Annotated[AwareDatetime, AfterValidator(of_a_book_year)]
    precision: Precision = Precision.SECOND
    act: Act
    clerk: Code
    request: dict[str, Any]


class NotAuthentic(Invalid):
    """The signature is not one of this device over this text."""

    title = sentence("The signature does not fit")


class Unforeseen(StockpileError):
    """What nobody foresaw happened to one voucher; the log says more."""

    title = sentence("Something went wrong here")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one voucher: posted, or set aside with its problem. `document_id` None: it could not be read."""

    document_id: UUID | None
    posted: Posted | None = None
    problem: StockpileError | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a contact led to: when it was, how far the device's clock was off (positive: ahead), and each voucher's outcome
    in the order they were sent.
    """

    contacted_at: datetime
    clock_offset: timedelta
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A voucher whose signature fits and whose request the act takes."""

    payload: Payload
    form: ActForm
    request: FactRequest
    signed: SignedVoucher


def take(engine: Engine, actor: Actor, device_id: UUID, contact: Contact) -> Taken:
    """Takes a device's vouchers in, carried by a person of its site. They are posted in the order in which the device wrote
    them, whatever the order they come in: so little has to be laid into its place in time.

    Raises NotAllowed, NotFound (no such device at this site), DatabaseUnavailable: what was not answered comes again.
    """
    require(actor, CARRY)
    assert actor.site is not None
    contacted_at = now()
    offset = contact.device_time - contacted_at
    with transaction(engine, roles.POSTER, actor.site_id) as connection:
        device = find_device(connection, device_id)
        connection.exec_driver_sql(
            "INSERT INTO device_contact (device_id, contacted_at, clock_offset) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (device_id, contacted_at, offset),
        )
    outcomes = dict[int, Outcome]()
    read = dict[int, Read]()
    for place, voucher in enumerate(contact.vouchers):
        try:
            read[place] = _read(device, actor.site, voucher)
        except StockpileError as problem:
            outcomes[place] = Outcome(_named(voucher), problem=problem)
    clerks = _clerks(engine, actor, {one.payload.clerk for one in read.values()})
    for place, one in sorted(read.items(), key=lambda item: (item[1].payload.happened_at, item[1].payload.number)):
        outcomes[place] = _outcome(engine, actor, device, one, clerks.get(one.payload.clerk), offset)
    in_order = tuple(outcomes[place] for place in range(len(contact.vouchers)))
    _set_aside(engine, actor, device, zip(contact.vouchers, in_order, strict=True))
    return Taken(contacted_at, offset, in_order)


def _read(device: Device, site: Site, voucher: SignedVoucher) -> Read:
    """Checks who signed, then what. Raises NotAuthentic, Invalid."""
    signature = bytes_of(voucher.signature, SIGNATURE_BYTES)
    try:
        if signature is None:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(device.public_key).verify(signature, voucher.payload.encode())
    except (InvalidSignature, ValueError):
        raise NotAuthentic(
            sentence(
                "The voucher was not taken: {device} did not sign this text with the key it was enrolled with.",
                device=device.label,
            ),
            [Fault(sentence("not this device's signature over the payload: 64 bytes in base64"), field="signature")],
        ) from None
    try:
        payload = Payload.model_validate(_json(voucher.payload))
    except ValidationError as problem:
        raise not_understood(problem) from None
    if payload.device != device.device_id:
        raise NotAuthentic(
            sentence("The voucher was not taken: it says it is another device's."),
            [Fault(sentence("not the device that brings it"), field="device", value=str(payload.device))],
        )
    form = _form(payload.act)
    return Read(payload, form, _request(form, payload, site), voucher)


def _json(text: str) -> Any:
    """The text as JSON that means one thing. Raises Invalid."""
    try:
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        why = sentence("nested too deep") if isinstance(problem, RecursionError) else words_of(problem)
        raise Invalid(sentence("The payload is not JSON."), [Fault(why, field="payload")]) from None


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(sentence("a field stands twice in one object: nobody can say which is meant"))
    return found


def _no_number(name: str) -> None:
    raise ValueError(sentence("{name} is no number", name=name))


def _form(act: Act) -> ActForm:
    """The form of an act that a device may write. Raises Invalid."""
    form = ACTS.get(act)
    if form is None or not MOVEMENT_OF[act].may_be_fact or not issubclass(form.request, FactRequest):
        known = ", ".join(str(one) for one in ACTS if MOVEMENT_OF[one].may_be_fact)
        raise Invalid(
            sentence("The act '{act}' can't come from a device: it is asked for at a counter.", act=act),
            [Fault(sentence("one of {known}", known=known), field="act", value=str(act))],
        )
    return form


def _request(form: ActForm, payload: Payload, site: Site) -> FactRequest:
    """The act's own request, under the voucher's document id, at the device's site. Raises Invalid."""
    asked = payload.request
    faults = []
    if asked.get("paper") is not None:
        faults.append(Fault(sentence("a device's voucher is no paper: it has its number"), field="request.paper"))
    if "document_id" in asked and str(asked["document_id"]).lower() != str(payload.document_id):
        faults.append(Fault(sentence("not the document_id of the voucher: leave it out"), field="request.document_id"))
    wanted = asked.get("site")
    if isinstance(wanted, str) and wanted.strip().upper() != site.code:
        faults.append(
            Fault(
                sentence("the device is one of {site}: leave it out", site=site.code),
                field="request.site",
                value=wanted,
            )
        )
    if faults:
        raise Invalid(sentence("The request has mistakes."), faults)
    try:
        request = form.request.model_validate({**asked, "document_id": payload.document_id})
    except ValidationError as problem:
        raise not_understood(problem) from None
    assert isinstance(request, FactRequest)
    return request


def _named(voucher: SignedVoucher) -> UUID | None:
    """The document id in a payload, if it can be read at all."""
    try:
        return UUID(json.loads(voucher.payload)["document_id"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _clerks(engine: Engine, actor: Actor, codes: set[str]) -> dict[str, UUID]:
    """Those of the service numbers that are people of the site."""
    with transaction(engine, roles.POSTER, actor.site_id) as connection:
        rows = connection.exec_driver_sql(
            "SELECT code, party_id FROM party WHERE kind = 'person' AND code = ANY (%s)", (sorted(codes),)
        )
        return {code: party_id for code, party_id in rows}


def _outcome(engine: Engine, actor: Actor, device: Device, one: Read, clerk: UUID | None, offset: timedelta) -> Outcome:
    """Posts one voucher. Raises DatabaseUnavailable alone: all else is the voucher's own affair."""
    document_id = one.payload.document_id
    try:
        return Outcome(document_id, _posted(engine, actor, device, one, clerk, offset))
    except DatabaseUnavailable:
        raise
    except StockpileError as problem:
        return Outcome(document_id, problem=problem)
    except DataError:
        fault = Fault(sentence("a value is too large, or holds a NUL character"), field="request")
        return Outcome(document_id, problem=Invalid(sentence("A value cannot be stored."), [fault]))
    except (OperationalError, NoConnection):
        raise
    except Exception as problem:
        log_unforeseen("a voucher was set aside", problem, document_id=str(document_id))
        told = sentence(
            "Nobody foresaw this: the voucher is kept as it came. Tell who runs the service; the log says more."
        )
        return Outcome(document_id, problem=Unforeseen(told))


def _posted(engine: Engine, actor: Actor, device: Device, one: Read, clerk: UUID | None, offset: timedelta) -> Posted:
    """The voucher's document: posted now, or before. Who wrote it has posted it; if nobody knows them, who carried it has."""
    evidence = canonical({"payload": one.signed.payload, "signature": one.signed.signature})
    request = one.request.signed_by_device(_claim(actor, device, one, clerk, offset, sha256(evidence).hexdigest()))
    poster = replace(actor, party_id=clerk) if clerk is not None else actor
    known = posted_before(engine, poster, one.form, request)
    if known is not None:
        return known
    file_store().keep([evidence], len(evidence))
    answer = record(engine, poster, one.form, request)
    assert isinstance(answer, Posted)
    return answer


def _claim(
    actor: Actor, device: Device, one: Read, clerk: UUID | None, offset: timedelta, evidence: str
) -> ClaimedNumber:
    payload = one.payload
    return ClaimedNumber(
        kind="device",
        book=device.book_code,
        holder=device.label,
        number=payload.number,
        happened_at=payload.happened_at.astimezone(UTC),
        precision=payload.precision,
        evidence=evidence,
        clock_offset=offset,
        content_hash=sha256(one.signed.payload.encode()).digest(),
        details={"device": str(device.device_id), "carried_by": str(actor.party_id)},
        against=(*_revoked(device, payload), *_unknown_clerk(actor, payload, clerk), *_without_right(actor, payload)),
    )


def _without_right(actor: Actor, payload: Payload) -> list[Contradiction]:
    """What happened, happened; but that nobody with the right to it stands behind a voucher is somebody's to look at."""
    allowed = RIGHTS.get(payload.act, frozenset())
    if actor.role in allowed:
        return []
    takes = " or ".join(role for role in ROLES if role in allowed)
    seen = f"{payload.clerk} wrote it, a {actor.role} brought it"
    return [Contradiction(Kind.WITHOUT_RIGHT, f"the act '{payload.act}' takes a {takes}", seen)]


def _revoked(device: Device, payload: Payload) -> list[Contradiction]:
    if device.revoked_at is None:
        return []
    said = f"{device.label} was revoked on {device.revoked_at:%Y-%m-%d %H:%M}Z"
    return [Contradiction(Kind.REVOKED_DEVICE, said, f"its voucher {payload.number} came after that")]


def _unknown_clerk(actor: Actor, payload: Payload, clerk: UUID | None) -> list[Contradiction]:
    if clerk is not None:
        return []
    said = f"nobody at {actor.site_code} has the number {payload.clerk}"
    return [Contradiction(Kind.PERSON_UNKNOWN, said, f"written by {payload.clerk}")]


_KEEP = """
INSERT INTO device_reject (reject_id, device_id, document_id, payload, signature, digest, reason, carried_by, received_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT ON CONSTRAINT device_reject_once DO NOTHING
"""


def _set_aside(engine: Engine, actor: Actor, device: Device, became: Iterable[tuple[SignedVoucher, Outcome]]) -> None:
    """Keeps what could not be posted, once, before anybody is told so."""
    failed = [(voucher, outcome) for voucher, outcome in became if outcome.problem is not None]
    if not failed:
        return
    with transaction(engine, roles.POSTER, actor.site_id) as connection:
        for voucher, outcome in failed:
            assert outcome.problem is not None
            _keep(connection, actor, device, voucher, outcome.document_id, reason_of(outcome.problem))


def _keep(
    connection: Connection, actor: Actor, device: Device, voucher: SignedVoucher, document_id: UUID | None, reason: str
) -> None:
    payload, signature = voucher.payload.encode(), voucher.signature.encode()
    digest = sha256(len(payload).to_bytes(8, "big") + payload + signature).digest()
    row = (new_key(), device.device_id, document_id, payload, signature, digest, reason, actor.party_id, now())
    connection.exec_driver_sql(_KEEP, row)


LONGEST_REASON = 2000


def reason_of(problem: StockpileError) -> str:
    """A problem in one text, as a list shows it."""
    parts = [problem.detail]
    if isinstance(problem, Invalid):
        parts += [": ".join(filter(None, (fault.field, fault.message))) for fault in problem.faults]
    if isinstance(problem, PostedWithOtherContent):
        parts.append("This content is kept here")
    text = "; ".join(parts).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
    return text[:LONGEST_REASON]

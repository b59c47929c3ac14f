"""The feed of changes: what was written since a place in it, in an order in which nothing ever comes in before what was told.

Neither keys, moments nor numbers from a sequence say in which order transactions commit. So each row keeps the transaction that
wrote it, and only what is older than the oldest transaction still under way is told (`pg_snapshot_xmin`): all of that has been
committed or never will be. The log's order would do, too, but it has no discrepancies, and stands still with its signer.

A place is sealed for its reader: the numbers of transactions would tell a donor how busy the depots are. A restore begins them
anew, so that a place of before is refused. It only reads.
"""

from __future__ import annotations

import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine

from stockpile.documents import full_number
from stockpile.donors.statements import OF_A_CONSIGNMENT
from stockpile.errors import Fault, Invalid
from stockpile.rights import DONOR, READ_CHANGES, Actor, reading, require
from stockpile.sentences import sentence

MOST = 5_000
"""Changes in one answer."""
LOOKED_THROUGH = 2_000
"""Documents that one look goes through, whatever the asker may see of them."""


@dataclass(frozen=True, slots=True)
class DocumentRecorded:
    """A document was recorded; its entries follow."""

    change: Literal["document"]
    document_id: UUID
    number: str
    site: str
    act: str
    fact: bool
    undo: bool
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class EntryPosted:
    """A document moved an item. `serial_number` as it is now; `line`: of the document, not for donors. A site is null for outside."""

    change: Literal["entry"]
    document_id: UUID
    line: int | None
    item_id: UUID
    version: int
    model: str
    serial_number: str | None
    quantity: int
    from_class: str
    from_site: str | None
    to_class: str
    to_site: str | None
    condition: str | None
    happened_at: datetime
    recorded_at: datetime
    reverses: int | None
    posts_again: int | None


@dataclass(frozen=True, slots=True)
class DiscrepancyOpened:
    """A discrepancy was opened; the document is not for donors."""

    change: Literal["discrepancy"]
    discrepancy_id: UUID
    kind: str
    site: str
    item_id: UUID | None
    document_id: UUID | None
    opened_at: datetime
    due_on: date


@dataclass(frozen=True, slots=True)
class DiscrepancyStepTaken:
    """Something was done about a discrepancy; a donor hears that it was closed or withdrawn."""

    change: Literal["step of a discrepancy"]
    discrepancy_id: UUID
    step: int
    what: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class StatementMade:
    """A donor told the host something, or the host a donor. `answers`: the statement that it answers."""

    change: Literal["statement"]
    statement_id: UUID
    kind: str
    donor: str
    site: str | None
    reference: str
    answers: UUID | None
    recorded_at: datetime


Change = DocumentRecorded | EntryPosted | DiscrepancyOpened | DiscrepancyStepTaken | StatementMade


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changes in order, the place after them, and whether there are more by now."""

    rows: tuple[Change, ...]
    cursor: str
    more: bool


class Place(NamedTuple):
    """A place in the feed: behind this row. Documents come before discrepancies, steps and statements of the same transaction; a
    document (line 0) before its entries.
    """

    written_in: int
    source: int
    key: UUID
    line: int
    item: UUID
    version: int


NONE, LAST = UUID(int=0), UUID(int=2**128 - 1)
DOCUMENTS, DISCREPANCIES, STEPS, STATEMENTS = 1, 2, 3, 4
END_OF_DOCUMENT = 2**31 - 1
BEGINNING = Place(-1, 0, NONE, 0, NONE, 0)


def list_changes(engine: Engine, actor: Actor, since: str | None = None, limit: int = 500) -> Changes:
    """The changes after a cursor in the asker's scope, the oldest first; without one from the beginning. There may be fewer than
    `limit` and yet more to come: `more` says so.

    Raises NotAllowed, Invalid (a cursor of another reader, or of before a restore; limit).
    """
    require(actor, READ_CHANGES)
    if not 1 <= limit <= MOST:
        fault = Fault(sentence("1 to {most}", most=MOST), field="limit", value=str(limit))
        raise Invalid(sentence("An answer has 1 to {most} changes, not {limit}.", most=MOST, limit=limit), [fault])
    with reading(engine, actor) as connection:
        seal, horizon = _stand(connection, actor)
        place = seal.opened(since) if since else BEGINNING
        rows, reached = _look(connection, actor.role == DONOR, place, horizon, limit)
        return Changes(tuple(rows), seal.closed(reached), reached.written_in < horizon)


def every_change(
    engine: Engine, actor: Actor, since: str | None = None, limit: int = MOST
) -> Iterator[tuple[Sequence[Change], str]]:
    """All changes after a cursor up to now, some at a time with the cursor behind them; each time is a transaction of its own, so
    that a slow reader holds nothing up. Raises as `list_changes` does, at the first.
    """
    until: int | None = None
    require(actor, READ_CHANGES)
    while True:
        with reading(engine, actor) as connection:
            seal, horizon = _stand(connection, actor)
            until = horizon if until is None else until
            place = seal.opened(since) if since else BEGINNING
            rows, reached = _look(connection, actor.role == DONOR, place, horizon, limit)
            since = seal.closed(reached)
        yield rows, since
        if reached.written_in >= until:
            return


@dataclass(frozen=True, slots=True)
class _Seal:
    """Makes cursors of places, and places of cursors, for one reader."""

    key: bytes
    about: bytes

    def closed(self, place: Place) -> str:
        nonce = os.urandom(12)
        plain = _FORM.pack(place.written_in, place.source, place.key.bytes, place.line, place.item.bytes, place.version)
        return urlsafe_b64encode(nonce + AESGCM(self.key).encrypt(nonce, plain, self.about)).decode()

    def opened(self, cursor: str) -> Place:
        try:
            sealed = urlsafe_b64decode(cursor.encode("ascii"))
            plain = AESGCM(self.key).decrypt(sealed[:12], sealed[12:], self.about)
            written_in, source, key, line, item, version = _FORM.unpack(plain)
        except (ValueError, InvalidTag, struct.error):
            message = sentence(
                "This cursor is not one of yours, or the books were restored since. Ask without one: you are told everything again."
            )
            raise Invalid(message, [Fault(sentence("unknown cursor"), field="since")]) from None
        return Place(written_in, source, UUID(bytes=key), line, UUID(bytes=item), version)


_FORM = struct.Struct(">qb16si16si")


def _stand(connection: Connection, actor: Actor) -> tuple[_Seal, int]:
    """The reader's seal, and the transaction from which on nothing is told yet."""
    era, key, horizon = connection.exec_driver_sql(
        "SELECT era, sealing_key, pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM change_sealing()"
    ).one()
    about = sha256(f"{era} {actor.role == DONOR}".encode()).digest()
    return _Seal(bytes(key), about), horizon


_ENTRIES = """
SELECT d.written_in, d.document_id, e.line, e.item_id, e.version, m.name,
       (SELECT n.serial_number FROM identified(e.item_id) n), e.quantity, f.class, fs.code, t.class, ts.code, e.condition, e.happened_at,
       e.recorded_at, e.reverses, e.posts_again
FROM document d JOIN entry e ON e.document_id = d.document_id
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
JOIN model m ON m.model_id = e.model_id
LEFT JOIN site fs ON fs.site_id = f.site_id LEFT JOIN site ts ON ts.site_id = t.site_id
"""
_REST_OF_DOCUMENT = f"""{_ENTRIES} WHERE d.document_id = %s AND (e.line, e.item_id, e.version) > (%s, %s, %s)
ORDER BY d.written_in, d.document_id, e.line, e.item_id, e.version LIMIT %s"""
_BETWEEN = "({x}.written_in, {x}.{key}) > (%s, %s) AND ({x}.written_in, {x}.{key}) <= (%s, %s)"
_OF_NEXT_DOCUMENTS = f"""{_ENTRIES} WHERE {_BETWEEN.format(x="d", key="document_id")}
ORDER BY d.written_in, d.document_id, e.line, e.item_id, e.version LIMIT %s"""
_DOCUMENTS = f"""
SELECT d.written_in, d.document_id, s.code, b.code, b.year, d.number, d.act, d.fact, d.undo, d.happened_at, d.recorded_at
FROM document d JOIN site s ON s.site_id = d.site_id JOIN book b ON b.book_id = d.book_id
WHERE {_BETWEEN.format(x="d", key="document_id")} ORDER BY d.written_in, d.document_id LIMIT %s
"""
_DISCREPANCIES = f"""
SELECT x.written_in, x.discrepancy_id, x.kind, s.code, x.item_id, {{document}}, x.opened_at, x.due_on
FROM discrepancy x JOIN site s ON s.site_id = x.site_id
WHERE {_BETWEEN.format(x="x", key="discrepancy_id")} ORDER BY x.written_in, x.discrepancy_id LIMIT %s
"""
_STEPS = """
SELECT x.written_in, x.discrepancy_id, x.step, x.what, x.happened_at FROM discrepancy_step x
WHERE (x.written_in, x.discrepancy_id, x.step) > (%s, %s, %s) AND (x.written_in, x.discrepancy_id) <= (%s, %s)
ORDER BY x.written_in, x.discrepancy_id, x.step LIMIT %s
"""
_STATEMENTS = f"""
SELECT x.written_in, x.statement_id, x.donor_id, x.kind, p.code, s.code, x.reference, x.answers, x.recorded_at
FROM donor_statement x JOIN party p ON p.party_id = x.donor_id AND {OF_A_CONSIGNMENT} LEFT JOIN site s ON s.site_id = x.site_id
WHERE (x.written_in, x.statement_id, x.donor_id) > (%s, %s, %s) AND (x.written_in, x.statement_id) <= (%s, %s)
ORDER BY x.written_in, x.statement_id, x.donor_id LIMIT %s
"""

Told = list[tuple[Place, Change]]


def _look(connection: Connection, of_donor: bool, after: Place, horizon: int, limit: int) -> tuple[list[Change], Place]:
    """Changes after a place, and how far the look went. What is found of each kind bounds what is asked of the next."""
    stop = _furthest(connection, after, horizon)
    found: Told = []
    for ask in (_entries, _documents, _discrepancies, _steps, _statements):
        told = ask(connection, of_donor, after, stop, limit)
        if len(told) == limit:
            stop = min(stop, told[-1][0])
        found += told
    found = sorted((one for one in found if one[0] <= stop), key=lambda one: one[0])
    if len(found) > limit:
        found = found[:limit]
        stop = found[-1][0]
    return [change for _, change in found], stop


def _furthest(connection: Connection, after: Place, horizon: int) -> Place:
    """How far one look goes."""
    row = connection.exec_driver_sql(
        "SELECT written_in, document_id FROM place_after(%s, %s, %s, %s)",
        (after.written_in, _after_documents(after), horizon, LOOKED_THROUGH),
    ).one_or_none()
    if row is None:
        return Place(horizon, 0, NONE, 0, NONE, 0)
    return Place(row.written_in, DOCUMENTS, row.document_id, END_OF_DOCUMENT, LAST, END_OF_DOCUMENT)


def _after_documents(after: Place) -> UUID:
    """The key of the last document of that transaction that was told, or begun."""
    if after.source == DOCUMENTS:
        return after.key
    return LAST if after.source > DOCUMENTS else NONE


def _bounds(source: int, after: Place, stop: Place) -> tuple[int, UUID, int, UUID]:
    """Transaction and key of a source between which what is asked lies; the first is excluded, the second not."""
    first = after.key if source == after.source else LAST if source < after.source else NONE
    last = stop.key if source == stop.source else LAST if source < stop.source else NONE
    return after.written_in, first, stop.written_in, last


def _entries(connection: Connection, of_donor: bool, after: Place, stop: Place, limit: int) -> Told:
    """Of the document that the place is in, then of those after it."""
    rows: list[Any] = []
    if after.source == DOCUMENTS and after.line < END_OF_DOCUMENT:
        within = (after.key, after.line, after.item, after.version, limit)
        rows += connection.exec_driver_sql(_REST_OF_DOCUMENT, within).all()
    if len(rows) < limit:
        bounds = _bounds(DOCUMENTS, after, stop)
        rows += connection.exec_driver_sql(_OF_NEXT_DOCUMENTS, (*bounds, limit - len(rows))).all()
    return [
        (
            Place(written_in, DOCUMENTS, document_id, line, item_id, version),
            EntryPosted("entry", document_id, None if of_donor else line, item_id, version, *rest),
        )
        for written_in, document_id, line, item_id, version, *rest in rows
    ]


def _documents(connection: Connection, of_donor: bool, after: Place, stop: Place, limit: int) -> Told:
    rows = connection.exec_driver_sql(_DOCUMENTS, (*_bounds(DOCUMENTS, after, stop), limit)).all()
    return [
        (
            Place(row[0], DOCUMENTS, row[1], 0, NONE, 0),
            DocumentRecorded("document", row[1], full_number(*row[2:6]), row[2], *row[6:]),
        )
        for row in rows
    ]


def _discrepancies(connection: Connection, of_donor: bool, after: Place, stop: Place, limit: int) -> Told:
    question = _DISCREPANCIES.format(document="NULL::uuid" if of_donor else "x.document_id")
    rows = connection.exec_driver_sql(question, (*_bounds(DISCREPANCIES, after, stop), limit)).all()
    return [
        (Place(row[0], DISCREPANCIES, row[1], 0, NONE, 0), DiscrepancyOpened("discrepancy", *row[1:])) for row in rows
    ]


def _steps(connection: Connection, of_donor: bool, after: Place, stop: Place, limit: int) -> Told:
    written_in, first, *last = _bounds(STEPS, after, stop)
    line = after.line if after.source == STEPS else END_OF_DOCUMENT if after.source > STEPS else 0
    rows = connection.exec_driver_sql(_STEPS, (written_in, first, line, *last, limit)).all()
    return [
        (Place(row[0], STEPS, row[1], row[2], NONE, 0), DiscrepancyStepTaken("step of a discrepancy", *row[1:]))
        for row in rows
    ]


def _statements(connection: Connection, of_donor: bool, after: Place, stop: Place, limit: int) -> Told:
    written_in, first, *last = _bounds(STATEMENTS, after, stop)
    donor = after.item if after.source == STATEMENTS else NONE
    rows = connection.exec_driver_sql(_STATEMENTS, (written_in, first, donor, *last, limit)).all()
    return [
        (
            Place(written_in, STATEMENTS, statement_id, 0, donor_id, 0),
            StatementMade("statement", statement_id, *rest),
        )
        for written_in, statement_id, donor_id, *rest in rows
    ]

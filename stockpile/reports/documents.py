"""Which documents there are, and what one of them moved: read in the asker's role, so that row-level security holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number
from stockpile.errors import NotAllowed, NotFound
from stockpile.reports.keyset import Keys, Page, order_asked, read_page, spellings
from stockpile.reports.named import named
from stockpile.reports.notes import NoteShown, notes_of
from stockpile.reports.scope import site_asked
from stockpile.reports.signatures import SignatureShown, signatures_of
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import sentence

BATCH = 2_000
"""Rows at hand at once of a list that is read whole."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document in a list. `lines` and `quantity` are, for a donor, those of its own items; it is not told who posted or
    approved. `claimed_number`: what a paper in the exceptions book says its number is.
    """

    document_id: UUID
    number: str
    act: str
    fact: bool
    undo: bool
    happened_at: datetime
    recorded_at: datetime
    lines: int
    quantity: int
    posted_by: str | None
    approved_by: str | None
    claimed_number: str | None


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One entry of a document. Donors see classes of accounts, never whose they are."""

    line: int
    item_id: UUID
    version: int
    model: str
    serial_number: str | None
    quantity: int
    from_class: str
    to_class: str
    from_account: str | None
    to_account: str | None
    condition: str | None
    reverses: int | None
    posts_again: int | None
    lot: str | None


@dataclass(frozen=True, slots=True)
class DocumentShown:
    """A document with who stands on it, its details and a page of its lines. `cursor`: more lines follow. `notes`: the first of
    what was added later. `signatures`: who signed at the counter, and how.
    """

    document: DocumentRow
    signatories: dict[str, str]
    details: dict[str, Any]
    lines: tuple[DocumentLine, ...]
    cursor: str | None
    notes: tuple[NoteShown, ...] = ()
    signatures: tuple[SignatureShown, ...] = ()


@dataclass(frozen=True, slots=True)
class Sought:
    """Which documents are sought: those to which all apply that is said.

    `since` and `until` are days of recording (UTC), inclusive. `book` is a book's code, `poster` the code of who posted,
    `signatory` of who stands on it in any part; `text` a part of the number, of a claimed number or of what the document
    says.
    """

    act: str | None = None
    since: date | None = None
    until: date | None = None
    site: str | None = None
    book: str | None = None
    poster: str | None = None
    text: str | None = None
    fact: bool | None = None
    signatory: str | None = None


_HOST = """
SELECT d.recorded_at, d.document_id, d.document_id, s.code, b.code, b.year, d.number, d.act, d.fact, d.undo, d.happened_at, d.recorded_at,
       d.line_count, d.quantity, {posted_by}, {approved_by}, d.claimed_number
FROM document d JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
LEFT JOIN party p ON p.party_id = d.posted_by
LEFT JOIN party a ON a.party_id = d.approved_by
""".format(
    posted_by=named("p"),
    approved_by=f"CASE WHEN d.approved_by IS NOT NULL THEN {named('a')} END",
)
_DONOR = """
SELECT d.recorded_at, d.document_id, d.document_id, s.code, b.code, b.year, d.number, d.act, d.fact, d.undo, d.happened_at, d.recorded_at,
       own.lines, own.quantity, NULL, NULL, NULL
FROM document d JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
CROSS JOIN LATERAL (SELECT count(*) AS lines, sum(e.quantity)::bigint AS quantity FROM entry e
                    WHERE e.document_id = d.document_id) own
"""
_NUMBER = "concat_ws('/', s.code, b.code, b.year, d.number)"
_HOST_TEXT = f"({_NUMBER} ILIKE ANY (%s) OR d.claimed_number ILIKE ANY (%s) OR d.details::text ILIKE ANY (%s))"
_DONOR_TEXT = f"{_NUMBER} ILIKE ANY (%s)"
_SIGNED = """d.document_id IN (SELECT g.document_id FROM signatory g JOIN party q ON q.party_id = g.party_id
                             WHERE q.kind = 'person' AND q.code = %s)"""

OWN_LINES = """(
    SELECT o.document_id, row_number() OVER (PARTITION BY o.document_id ORDER BY o.line, o.item_id, o.version)::int AS line, o.item_id,
           o.version, o.quantity, o.from_account, o.to_account, o.condition, o.reverses, o.posts_again
    FROM entry o)"""
"""Entries for a donor: its own lines, numbered by themselves, for a gap between them would tell how many are another's."""

# An account that the asker may not see is a person's, of another site: the line is told without the name.
_LINES = """
SELECT e.line, e.item_id, e.version,
       e.line, e.item_id, e.version, m.name, n.serial_number, e.quantity, coalesce(f.class, 'person'), coalesce(t.class, 'person'),
       {accounts}, e.condition, e.reverses, e.posts_again, i.lot
FROM {entries} e JOIN item i ON i.item_id = e.item_id JOIN model m ON m.model_id = i.model_id
LEFT JOIN account f ON f.account_id = e.from_account
LEFT JOIN account t ON t.account_id = e.to_account
LEFT JOIN LATERAL identified(e.item_id) n ON true
"""
_HOST_LINES = _LINES.format(
    entries="entry",
    accounts="coalesce(f.name, 'a person of another site'), coalesce(t.name, 'a person of another site')",
)
_DONOR_LINES = _LINES.format(entries=OWN_LINES, accounts="NULL, NULL")


def list_documents(
    connection: Connection,
    actor: Actor,
    sought: Sought = Sought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[DocumentRow]:
    """Documents in the asker's scope, the newest first, or by one of ORDERS. Raises NotFound (site), NotAllowed (another
    site's books; who posted, for a donor), Invalid (limit, cursor, order).
    """
    require(actor, READ)
    of_donor = actor.role == DONOR
    if of_donor and (sought.poster is not None or sought.signatory is not None):
        raise NotAllowed(sentence("A donor is not told who posted or signed a document."))
    where = {
        "d.act = %s": sought.act,
        "d.recorded_at >= %s::date": sought.since,
        "d.recorded_at < %s::date + 1": sought.until,
        "d.site_id = %s": site_asked(connection, actor, sought.site),
        "%s IN (b.code, split_part(b.code, '.', 1))": sought.book.upper() if sought.book else None,
        "p.code = %s": sought.poster,
        _DONOR_TEXT if of_donor else _HOST_TEXT: spellings(sought.text),
        "d.fact = %s": sought.fact,
        _SIGNED: sought.signatory,
    }
    question = _DONOR if of_donor else _HOST
    by = order_asked(order, ORDERS)
    return read_page(connection, question, where, _ORDER, _row, limit, cursor, newest_first=True, order=by)


_ORDER: Keys = {"d.recorded_at": datetime.fromisoformat, "d.document_id": UUID}
ORDERS: dict[str, Keys] = {"recorded_at": _ORDER}
"""By when they were recorded alone: the order that an index holds of however many there are."""


def find_document(connection: Connection, number: str) -> UUID:
    """The document of a full number such as TAJI/B/2026/41. Raises NotFound."""
    parts = number.strip().upper().split("/")
    if len(parts) == 4 and parts[2].isdigit() and parts[3].isdigit() and len(parts[2]) == 4 and len(parts[3]) < 10:
        found = connection.exec_driver_sql(
            """SELECT d.document_id FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = b.site_id
               WHERE s.code = %s AND b.code = %s AND b.year = %s AND d.number = %s""",
            (parts[0], parts[1], int(parts[2]), int(parts[3])),
        ).scalar_one_or_none()
        if found is not None:
            return UUID(str(found))
    raise NotFound(sentence("There is no document {number!r} here.", number=number))


def document_named(connection: Connection, named: str | UUID) -> UUID:
    """The document of a key, which may be anybody's, or of a full number in the reader's scope. Raises NotFound (number)."""
    try:
        return UUID(str(named))
    except ValueError:
        return find_document(connection, str(named))


def read_document(
    connection: Connection, actor: Actor, document_id: UUID, limit: int = 500, cursor: str | None = None
) -> DocumentShown:
    """A document in the asker's scope with a page of its lines. Raises NotFound, Invalid (limit, cursor)."""
    require(actor, READ)
    with_names = actor.role != DONOR
    row = connection.exec_driver_sql(
        f"{_HOST if with_names else _DONOR} WHERE d.document_id = %s", (document_id,)
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no document {document_id} here.", document_id=document_id))
    signatories: dict[str, str] = {}
    details: dict[str, Any] = {}
    notes: tuple[NoteShown, ...] = ()
    if with_names:
        notes = notes_of(connection, document_id).rows
        signed = connection.exec_driver_sql(
            f"""SELECT g.part, {named("p")}
               FROM signatory g LEFT JOIN party p ON p.party_id = g.party_id WHERE g.document_id = %s ORDER BY g.part""",
            (document_id,),
        )
        signatories = {part: name for part, name in signed}
        details = connection.exec_driver_sql(
            "SELECT details FROM document WHERE document_id = %s", (document_id,)
        ).scalar_one()
    lines = list_lines(connection, actor, document_id, limit, cursor)
    signatures = signatures_of(connection, details)
    return DocumentShown(_row(*row[2:]), signatories, details, lines.rows, lines.cursor, notes, signatures)


def list_lines(
    connection: Connection, actor: Actor, document_id: UUID, limit: int = 500, cursor: str | None = None
) -> Page[DocumentLine]:
    """The lines of a document in the asker's scope, in their order. Raises NotFound, Invalid (limit, cursor)."""
    require(actor, READ)
    number_of(connection, document_id)
    question = _DONOR_LINES if actor.role == DONOR else _HOST_LINES
    order: dict[str, Callable[[str], Any]] = {"e.line": line_number, "e.item_id": UUID, "e.version": line_number}
    return read_page(connection, question, {"e.document_id = %s": document_id}, order, DocumentLine, limit, cursor)


@dataclass(frozen=True, slots=True)
class Correction:
    """A document that takes back entries of another, and how many."""

    document_id: UUID
    number: str
    act: str
    undo: bool
    recorded_at: datetime
    entries: int


_CORRECTIONS = """
SELECT d.document_id, s.code, b.code, b.year, d.number, d.act, d.undo, d.recorded_at, count(*)
FROM entry e JOIN entry r ON r.item_id = e.item_id AND r.reverses = e.version
JOIN document d ON d.document_id = {other}.document_id
JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
WHERE {this}.document_id = %s AND r.document_id <> e.document_id
GROUP BY d.document_id, s.code, b.code, b.year, d.number, d.act, d.undo, d.recorded_at ORDER BY d.recorded_at, d.document_id
LIMIT 50
"""
_CORRECTED_BY = _CORRECTIONS.format(this="e", other="r")
_CORRECTS = _CORRECTIONS.format(this="r", other="e")


def corrections(
    connection: Connection, actor: Actor, document_id: UUID
) -> tuple[tuple[Correction, ...], tuple[Correction, ...]]:
    """The documents in the asker's scope that take back entries of this one, and those of which this takes back entries; the
    first 50 of each.
    """
    require(actor, READ)
    by, of = (
        tuple(
            Correction(row[0], full_number(*row[1:5]), *row[5:])
            for row in connection.exec_driver_sql(question, (document_id,))
        )
        for question in (_CORRECTED_BY, _CORRECTS)
    )
    return by, of


def every_line(connection: Connection, actor: Actor, document_id: UUID) -> Iterator[DocumentLine]:
    """All lines of a document in the same order, as they come from the database. Raises as `list_lines` does, before the first."""
    require(actor, READ)
    number_of(connection, document_id)
    question = _DONOR_LINES if actor.role == DONOR else _HOST_LINES
    rows = connection.exec_driver_sql(
        f"{question} WHERE e.document_id = %s ORDER BY e.line, e.item_id, e.version",
        (document_id,),
        execution_options={"stream_results": True, "max_row_buffer": BATCH},
    )
    return (DocumentLine(*row[3:]) for batch in rows.partitions(BATCH) for row in batch)


def number_of(connection: Connection, document_id: UUID) -> str:
    """The full number of a document in the reader's scope. Raises NotFound."""
    found = connection.exec_driver_sql(
        """SELECT s.code, b.code, b.year, d.number FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id
           WHERE d.document_id = %s""",
        (document_id,),
    ).one_or_none()
    if found is None:
        raise NotFound(sentence("There is no document {document_id} here.", document_id=document_id))
    return full_number(*found)


def line_number(text: str) -> int:
    """A whole number that PostgreSQL takes as one. Raises ValueError."""
    number = int(text)
    if not 0 <= number < 2**31:
        raise ValueError(text)
    return number


def _row(*row: Any) -> DocumentRow:
    return DocumentRow(row[0], full_number(*row[1:5]), *row[5:])

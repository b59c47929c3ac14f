"""What stands on printed papers, as the books have it: a document's head with both clocks, its lines with every mark as they
were then, and the names that its details mean. It only reads, in the asker's role; a donor gets its own lines and no names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number
from stockpile.errors import NotFound
from stockpile.identity import asset_tag
from stockpile.parties import Party
from stockpile.reports.documents import OWN_LINES, document_named, read_document
from stockpile.reports.named import named
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose paper it is: the organisation (None: not the asker's to see), the site and the time on its wall."""

    organisation: str | None
    site_code: str
    site_name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class PaperHead:
    """A document as its paper is headed. Names, details and the leaf are None or empty for a donor.

    `signers`: the same people as `signatories`, by key. `corrected_by`: documents that took entries of it back, as far as the asker
    may read them.
    """

    document_id: UUID
    issuer: Issuer
    number: str
    act: str
    fact: bool
    undo: bool
    happened_at: datetime
    precision: str
    recorded_at: datetime
    claimed_number: str | None
    book_kind: str | None
    lines: int
    quantity: int
    leaf: bytes | None
    posted_by: str | None
    approved_by: str | None
    signatories: Mapping[str, str]
    signers: Mapping[str, UUID]
    details: Mapping[str, Any]
    corrected_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One entry on a paper. The marks are those that the books had when the document was posted; `now_serial_number` is told
    where it is another one now. `condition`: as seen then, or last before. `stands`: no correction took it back.
    """

    line: int
    item_id: UUID
    tracked_by: str
    asset_tag: str
    maker: str
    model: str
    category: str
    subcategory: str | None
    calibre: str | None
    country: str | None
    stock_number: str | None
    serial_number: str | None
    obliterated: bool
    distinguishing_mark: str | None
    import_mark: str | None
    import_country: str | None
    import_year: int | None
    uii: str | None
    lot: str | None
    donor: str | None
    quantity: int
    condition: str | None
    from_class: str
    from_account: str | None
    to_class: str
    to_account: str | None
    to_party: UUID | None
    reverses: int | None
    posts_again: int | None
    stands: bool
    now_serial_number: str | None

    @property
    def serial(self) -> bool:
        """Whether it is a weapon, told apart by its number."""
        return self.tracked_by == "serial"


_ISSUER = """
SELECT (SELECT name FROM party WHERE kind = 'organisation' AND name IS NOT NULL ORDER BY party_id LIMIT 1), s.code, s.name, s.time_zone
FROM site s WHERE
"""

_HEAD = """
SELECT d.document_id, s.code, b.code, b.year, d.number, d.act, d.fact, d.undo, d.happened_at, d.happened_precision, d.recorded_at,
       d.site_id, {of_host}
FROM document d JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
{people}
WHERE d.document_id = %s
"""
_HOST_HEAD = _HEAD.format(
    of_host=f"""d.claimed_number, b.kind, d.leaf, {named("p")},
                CASE WHEN d.approved_by IS NOT NULL THEN {named("a")} END""",
    people="LEFT JOIN party p ON p.party_id = d.posted_by LEFT JOIN party a ON a.party_id = d.approved_by",
)
_DONOR_HEAD = _HEAD.format(of_host="NULL, NULL, NULL, NULL, NULL", people="")

_CORRECTED_BY = """
SELECT DISTINCT c.recorded_at, s.code, b.code, b.year, c.number
FROM entry e JOIN entry r ON r.item_id = e.item_id AND r.reverses = e.version
JOIN document c ON c.document_id = r.document_id AND c.act = 'correct'
JOIN book b ON b.book_id = c.book_id JOIN site s ON s.site_id = c.site_id
WHERE e.document_id = %s ORDER BY c.recorded_at
"""

# The newest identification that the books had with the entry, its own included: a paper printed again says what it said. The first
# one counts always: a weapon that a late fact brought in has earlier entries than its description.
_LINES = """
SELECT e.line, e.item_id, i.tracked_by, i.tag_number, coalesce(n.maker, m.maker), m.name, m.category, m.subcategory, m.calibre,
       m.country, m.stock_number, n.serial_number, coalesce(n.obliterated, false), n.distinguishing_mark, n.import_mark,
       n.import_country, n.import_year, n.uii, i.lot, p.code, e.quantity,
       coalesce(e.condition, seen.condition),
       coalesce(f.class, 'person'), {from_name}, coalesce(t.class, 'person'), {to_name}, {to_party},
       e.reverses, e.posts_again, standing_entry(e.item_id, e.version) IS NOT NULL,
       CASE WHEN now.serial_number IS DISTINCT FROM n.serial_number THEN now.serial_number END
FROM {entries} e JOIN item i ON i.item_id = e.item_id JOIN model m ON m.model_id = i.model_id
LEFT JOIN party p ON p.party_id = i.donor_id
LEFT JOIN account f ON f.account_id = e.from_account
LEFT JOIN account t ON t.account_id = e.to_account
LEFT JOIN LATERAL identified(e.item_id) now ON true
LEFT JOIN LATERAL (SELECT * FROM identification x WHERE x.item_id = e.item_id AND (x.entry_version <= e.version OR x.version = 1)
                   ORDER BY x.version DESC LIMIT 1) n ON true
LEFT JOIN LATERAL (SELECT x.condition FROM entry x
                   WHERE x.item_id = e.item_id AND x.serial AND x.version < e.version AND x.condition IS NOT NULL
                   ORDER BY x.version DESC LIMIT 1) seen ON true
WHERE e.document_id = %s ORDER BY e.line, e.item_id, e.version
"""
_ELSEWHERE = "'a person of another site'"
_HOST_LINES = _LINES.format(
    entries="entry",
    from_name=f"coalesce(f.name, {_ELSEWHERE})",
    to_name=f"coalesce(t.name, {_ELSEWHERE})",
    to_party="t.party_id",
)
_DONOR_LINES = _LINES.format(entries=OWN_LINES, from_name="NULL", to_name="NULL", to_party="NULL::uuid")

_BY_MODEL = """
SELECT m.maker, m.name, m.stock_number, count(*), sum(e.quantity)::bigint
FROM entry e JOIN item i ON i.item_id = e.item_id JOIN model m ON m.model_id = i.model_id
WHERE e.document_id = %s GROUP BY m.maker, m.name, m.stock_number ORDER BY m.maker, m.name
"""


@dataclass(frozen=True, slots=True)
class ModelSum:
    """How much of a model a document moved."""

    maker: str
    model: str
    stock_number: str | None
    lines: int
    quantity: int


def read_head(connection: Connection, actor: Actor, named_by: str | UUID) -> PaperHead:
    """The head of a document, by its key or its full number, in the asker's scope. Raises NotFound."""
    require(actor, READ)
    document_id = document_named(connection, named_by)
    shown = read_document(connection, actor, document_id, limit=1)
    of_host = actor.role != DONOR
    row = connection.exec_driver_sql(_HOST_HEAD if of_host else _DONOR_HEAD, (document_id,)).one()
    corrections = connection.exec_driver_sql(_CORRECTED_BY, (document_id,)).all() if of_host else []
    claimed_number, book_kind, leaf, posted_by, approved_by = row[12:]
    return PaperHead(
        document_id=row[0],
        issuer=issuer(connection, site_id=row[11]),
        number=full_number(*row[1:5]),
        act=row[5],
        fact=row[6],
        undo=row[7],
        happened_at=row[8],
        precision=row[9],
        recorded_at=row[10],
        claimed_number=claimed_number,
        book_kind=book_kind,
        lines=shown.document.lines,
        quantity=shown.document.quantity,
        leaf=bytes(leaf) if leaf is not None else None,
        posted_by=posted_by,
        approved_by=approved_by,
        signatories=shown.signatories,
        signers=_signers(connection, document_id) if of_host else {},
        details=shown.details,
        corrected_by=tuple(full_number(*one[1:]) for one in corrections),
    )


def _signers(connection: Connection, document_id: UUID) -> dict[str, UUID]:
    rows = connection.exec_driver_sql("SELECT part, party_id FROM signatory WHERE document_id = %s", (document_id,))
    return {part: party_id for part, party_id in rows}


def issuer(connection: Connection, site_id: UUID | None = None, code: str | None = None) -> Issuer:
    """Who issues a site's papers, by the site's key or code. Raises NotFound."""
    which, value = ("s.site_id = %s", site_id) if site_id is not None else ("s.code = %s", (code or "").strip().upper())
    row = connection.exec_driver_sql(f"{_ISSUER} {which}", (value,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no site {code!r}.", code=code))
    return Issuer(*row)


def read_lines(connection: Connection, actor: Actor, document_id: UUID) -> tuple[PaperLine, ...]:
    """Every line of a document that is the asker's to see, in their order."""
    require(actor, READ)
    question = _DONOR_LINES if actor.role == DONOR else _HOST_LINES
    rows = connection.exec_driver_sql(question, (document_id,))
    return tuple(_line(*row) for row in rows)


def _line(line: int, item_id: UUID, tracked_by: str, tag: int, *more: Any) -> PaperLine:
    return PaperLine(line, item_id, tracked_by, asset_tag(tag), *more)


def sums_by_model(connection: Connection, actor: Actor, document_id: UUID) -> tuple[ModelSum, ...]:
    """What a document moved, model by model: for papers of lists too long to print."""
    require(actor, READ)
    return tuple(ModelSum(*row) for row in connection.exec_driver_sql(_BY_MODEL, (document_id,)))


def party_names(connection: Connection, keys: Iterable[UUID]) -> dict[UUID, str]:
    """Parties as they stand on papers; those that are not the reader's to see are absent."""
    rows = connection.exec_driver_sql(
        "SELECT party_id, kind, code, name, rank FROM party WHERE party_id = ANY (%s)", (list(keys),)
    )
    return {row[0]: Party(*row).display for row in rows}


def consignment_name(connection: Connection, consignment_id: UUID) -> str | None:
    """A consignment as people call it: the donor's code and its reference."""
    found: str | None = connection.exec_driver_sql(
        """SELECT concat_ws(' ', p.code, c.reference) FROM consignment c LEFT JOIN party p ON p.party_id = c.donor_id
           WHERE c.consignment_id = %s""",
        (consignment_id,),
    ).scalar_one_or_none()
    return found


def stock_numbers(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The stock number of each item's model, where it has one."""
    rows = connection.exec_driver_sql(
        """SELECT i.item_id, m.stock_number FROM item i JOIN model m ON m.model_id = i.model_id
           WHERE i.item_id = ANY (%s) AND m.stock_number IS NOT NULL""",
        (list(item_ids),),
    )
    return {row[0]: row[1] for row in rows}


def units_of(connection: Connection, parties: Iterable[UUID], day: Any) -> dict[UUID, str]:
    """The unit each person belonged to on a day, by its code."""
    rows = connection.exec_driver_sql(
        """SELECT DISTINCT ON (m.party_id) m.party_id, u.code FROM assignment m JOIN party u ON u.party_id = m.unit_id
           WHERE m.party_id = ANY (%s) AND m.since <= %s AND (m.until IS NULL OR m.until >= %s)
           ORDER BY m.party_id, m.since DESC, m.until DESC NULLS FIRST""",
        (list(parties), day, day),
    )
    return {row[0]: row[1] for row in rows}


def used_numbers(connection: Connection, site_code: str, book: str, year: int, first: int, last: int) -> list[int]:
    """The numbers of a book's range that documents have already."""
    rows = connection.exec_driver_sql(
        """SELECT d.number FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = b.site_id
           WHERE s.code = %s AND b.code = %s AND b.year = %s AND d.number BETWEEN %s AND %s ORDER BY d.number""",
        (site_code, book, year, first, last),
    )
    return list(rows.scalars())


@dataclass(frozen=True, slots=True)
class SupplyLine:
    """An item of a consignment that was declared and has not arrived."""

    maker: str
    model: str
    serial_number: str | None
    asset_tag: str | None
    quantity: int


def supply_lines(connection: Connection, consignment_id: str | UUID) -> tuple[SupplyLine, ...]:
    """What stands on a consignment's supply account now, as far as the reader's role may see it."""
    rows = connection.exec_driver_sql(
        """SELECT coalesce(n.maker, m.maker), m.name, n.serial_number, CASE WHEN h.serial THEN i.tag_number END, h.quantity
           FROM consignment c JOIN holding h ON h.account_id = c.account_id JOIN item i USING (item_id)
           JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(h.item_id) n ON true
           WHERE c.consignment_id = %s ORDER BY m.name, n.serial_key, h.item_id""",
        (consignment_id,),
    )
    return tuple(SupplyLine(row[0], row[1], row[2], asset_tag(row[3]) if row[3] else None, row[4]) for row in rows)

"""The ledger: `post` is the only way to move custody. It locks, numbers, writes the document with its entries and
leaves, and opens the discrepancies found; the database moves the holdings and refuses what breaks an invariant.

Knows nothing of acts: who may move what, and why not, is decided before. The order of the statements is the point:
items are locked in item order first, then the book's number and the recorded clock are taken (DESIGN invariant 5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from stockpile import correction, discrepancies, gaps, items
from stockpile.correction import Laid, Past
from stockpile.db.engine import ask
from stockpile.db.rows import given
from stockpile.db.tables.reference import class_and_site
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import DISCREPANCIES_IN_ANSWER, ClaimedNumber, Desk, Document, Posted, Writing, full_number
from stockpile.errors import Overtaken
from stockpile.gaps import Come, Series
from stockpile.items import Entry, Held, Line, Newcomers
from stockpile.keys import new_secret
from stockpile.log import leaf_making
from stockpile.log.leaf import (
    document_leaf,
    entries_digest,
    microseconds,
    name_value,
    person_digest,
    value_bytes,
)
from stockpile.movements import MOVEMENT_OF
from stockpile.sentences import sentence
from stockpile.shortfall import Counted
from stockpile.sites import Site

EXCEPTIONS = "EXC"
"""The code of each site's exceptions book."""

A_DAY = timedelta(days=1)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def post(
    desk: Desk,
    document: Document,
    lines: Sequence[Line],
    contradictions: Sequence[Contradiction] = (),
    new: Newcomers | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Posted:
    """Posts a document whole or not at all, inside the caller's transaction; every item of `lines` is locked,
    or among the `new` ones that enter the books with it. `meanwhile` writes what else belongs to it, such as the list it came
    by, while the leaves are made.

    A fact is posted from wherever the books have the item; a late one is laid into its place in time. What
    contradicts the books is opened as a discrepancy under the document.
    """
    given_to = {line.to.party_id for line in lines if line.to != line.held.where}
    numbered = _number(desk, document, [line.held for line in lines], given_to)
    if any(signer.secret is None for signer in numbered.signers.values()):
        raise Overtaken(sentence("Somebody whom this names was erased at this moment: ask again."))
    happened_at = min(document.happened_at or numbered.recorded_at, numbered.recorded_at)
    laid = Laid(found=[*contradictions, *numbered.contradictions, *_second_party_missing(desk, document)])
    past = _past(desk, document, lines, happened_at, numbered)
    counted = Counted.of(desk.connection, lines, happened_at if document.fact else None)
    for line in lines:
        if line.held.item_id in past.followers:
            laid.add(correction.lay_in_time(line, happened_at, past, document.document_id))
        elif line.held.serial:
            laid.add(correction.follow(line, happened_at, past))
        else:
            laid.add(counted.move(line, happened_at))
    return _write(desk, document, laid, numbered, happened_at, new, meanwhile)


def post_entries(
    desk: Desk, document: Document, entries: Sequence[Entry], contradictions: Sequence[Contradiction] = ()
) -> Posted:
    """Posts entries that are already worked out, as reversals are; their items are locked."""
    numbered = _number(desk, document, [entry.held for entry in entries], {entry.to.party_id for entry in entries})
    laid = Laid(list(entries), [*contradictions, *numbered.contradictions])
    return _write(desk, document, laid, numbered, numbered.recorded_at)


def _past(desk: Desk, document: Document, lines: Sequence[Line], happened_at: datetime, numbered: Numbered) -> Past:
    if not document.fact:
        return Past(site_id=desk.site.site_id)
    return correction.past_of(
        desk.connection,
        lines,
        happened_at,
        numbered.book_id,
        numbered.number,
        document.document_id,
        numbered.full(desk.site),
        desk.site.site_id,
    )


def _second_party_missing(desk: Desk, document: Document) -> list[Contradiction]:
    """A fact is posted without its second party; that nobody approved it is a discrepancy (DESIGN section 5)."""
    if not document.fact or desk.approved_by is not None or not MOVEMENT_OF[document.act].two_parties:
        return []
    return [Contradiction(Kind.APPROVAL_MISSING, f"the act '{document.act}' takes two parties", "one signed")]


@dataclass(frozen=True, slots=True)
class Signer:
    """A party as it signs: by its current name, with the secret that salts its digest; no secret: it was erased."""

    code: str | None
    name: str
    rank: str | None
    name_version: int
    secret: bytes | None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A number taken in a book, and the recorded moment, both under the book's row lock; and who signs."""

    book_id: UUID
    book_code: str
    year: int
    number: int
    recorded_at: datetime
    signers: dict[UUID, Signer]
    claimed_number: str | None = None
    contradictions: tuple[Contradiction, ...] = ()
    series: Series | None = None
    """The book, if it is kept away from the service and may have gaps."""

    def full(self, site: Site) -> str:
        """The number as people write it."""
        return full_number(site.code, self.book_code, self.year, self.number)


_TAKE_NUMBER = """
WITH taken AS (UPDATE book SET next_number = next_number + 1 WHERE site_id = %s AND counter_code = %s AND year = %s
               RETURNING book_id, code, next_number - 1, greatest(clock_timestamp(), %s))
SELECT taken.*, signer.* FROM taken, signatures(%s) AS signer (party_id, code, name, rank, name_version, secret)
"""
_TAKE_CLAIMED_NUMBER = """
WITH taken AS (UPDATE book SET next_number = greatest(next_number, %s) WHERE site_id = %s AND counter_code = %s AND year = %s
               RETURNING book_id, code, %s::int, greatest(clock_timestamp(), %s))
SELECT taken.*, signer.* FROM taken, signatures(%s) AS signer (party_id, code, name, rank, name_version, secret)
"""
"""The number, and in the same question the names of who signs. After a restore the book that a counter writes in has another code
than the counter (`series`)."""
_HOLD_BOOK = "SELECT book_id FROM book WHERE site_id = %s AND counter_code = %s AND year = %s FOR NO KEY UPDATE"
_ADD_BOOK = """
INSERT INTO book (book_id, site_id, code, year, kind, holder) VALUES (gen_random_uuid(), %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""


def _number(desk: Desk, document: Document, items: Sequence[Held], given_to: set[UUID | None]) -> Numbered:
    """Takes the number and the recorded clock after the locks, or the clock would go back within an item. Who signs, and to
    whom something goes, can't be erased from then on until the end.
    """
    last_recorded = max((held.recorded_at for held in items if held.recorded_at), default=EPOCH)
    signing = [*{*_parts(desk, document).values(), *(party for party in given_to if party is not None)}]
    if document.claim is not None:
        return _claimed_number(desk, document, document.claim, last_recorded, signing)
    return _next_number(desk, desk.book_code, "counter", last_recorded, signing)


def _parts(desk: Desk, document: Document) -> dict[str, UUID]:
    """Who signs the document, in which part."""
    parts = {"posted_by": desk.actor.party_id, **document.signatories}
    if desk.approved_by is not None:
        parts["approved_by"] = desk.approved_by
    return parts


def _next_number(desk: Desk, code: str, kind: str, last_recorded: datetime, signing: list[UUID]) -> Numbered:
    year = desk.site.local_year(datetime.now(UTC))
    parameters = (desk.site.site_id, code, year, last_recorded, signing)
    rows = ask(desk.connection, _TAKE_NUMBER, parameters)
    if not rows:
        desk.connection.exec_driver_sql(_ADD_BOOK, (desk.site.site_id, code, year, kind, kind))
        rows = ask(desk.connection, _TAKE_NUMBER, parameters)
    return _numbered(rows, year)


def _numbered(rows: Sequence[Sequence[Any]], year: int) -> Numbered:
    book_id, code, number, recorded_at = rows[0][:4]
    return Numbered(book_id, code, year, number, recorded_at, {row[4]: Signer(*row[5:]) for row in rows})


def _claimed_number(
    desk: Desk, document: Document, claim: ClaimedNumber, last_recorded: datetime, signing: list[UUID]
) -> Numbered:
    """The number claimed, in its own book; the exceptions book's next one if that is taken, or the book is not one of its
    kind. A device counts by the year on its own clock; a paper dated ahead of us belongs to the year it is keyed in.
    """
    site = desk.site
    dated = claim.happened_at if claim.kind == "device" else document.happened_at or claim.happened_at
    year = site.local_year(dated)
    claimed = full_number(site.code, claim.book, year, claim.number)
    kind = _other_kind(desk, claim)
    if kind is not None:
        return _exception(desk, claim, claimed, f"belongs to a book of kind {kind}", last_recorded, signing)
    desk.connection.exec_driver_sql(_ADD_BOOK, (site.site_id, claim.book, year, claim.kind, claim.holder))
    parameters = (claim.number + 1, site.site_id, claim.book, year, claim.number, last_recorded, signing)
    numbered = _numbered(ask(desk.connection, _TAKE_CLAIMED_NUMBER, parameters), year)
    if _is_taken(desk, numbered.book_id, claim):
        return _exception(desk, claim, claimed, "is taken by another document", last_recorded, signing)
    ahead = [_dated_ahead(document, claim, claimed)] if document.clock_offset > A_DAY and claim.kind == "paper" else []
    series = Series(numbered.book_id, f"{site.code}/{claim.book}/{year}", begins_at_one=claim.kind == "device")
    return replace(numbered, contradictions=(*claim.against, *ahead), series=series)


def _dated_ahead(document: Document, claim: ClaimedNumber, claimed: str) -> Contradiction:
    """A date that has not come is a slip of the pen or of who keyed it, more than a clock that is off."""
    return Contradiction(
        Kind.DOUBTFUL, f"{document.happened_at:%Y-%m-%d}", f"{claimed} is dated {claim.happened_at:%Y-%m-%d}"
    )


def _is_taken(desk: Desk, book_id: UUID, claim: ClaimedNumber) -> bool:
    return bool(
        ask(desk.connection, "SELECT 1 FROM document WHERE book_id = %s AND number = %s", (book_id, claim.number))
    )


def hold_book(desk: Desk, written: Writing) -> None:
    """Locks the books that a document about to be posted takes its number from, for what has to be done under their locks and
    before it is posted.
    """
    claim = written.claim
    if claim is None:
        _hold(desk, desk.book_code, "counter", "counter", datetime.now(UTC))
        return
    if _other_kind(desk, claim) is None:
        dated = claim.happened_at if claim.kind == "device" else written.happened_at or claim.happened_at
        if not _is_taken(desk, _hold(desk, claim.book, claim.kind, claim.holder, dated), claim):
            return
    _hold(desk, EXCEPTIONS, "exceptions", "exceptions", datetime.now(UTC))


def _hold(desk: Desk, code: str, kind: str, holder: str, dated: datetime) -> UUID:
    book = (desk.site.site_id, code, desk.site.local_year(dated))
    desk.connection.exec_driver_sql(_ADD_BOOK, (*book, kind, holder))
    ((book_id,),) = ask(desk.connection, _HOLD_BOOK, book)
    return book_id  # type: ignore[no-any-return]


def _other_kind(desk: Desk, claim: ClaimedNumber) -> str | None:
    """The kind of the site's book of this code, of any year, if it is not of the kind claimed."""
    if claim.book == EXCEPTIONS:
        return "exceptions"
    if claim.book == desk.book_code:
        return "counter"
    return desk.connection.exec_driver_sql(
        """SELECT kind FROM book WHERE site_id = %s AND code = %s AND kind <> %s
           UNION ALL SELECT 'counter' WHERE of_a_counter(%s) LIMIT 1""",
        (desk.site.site_id, claim.book, claim.kind, claim.book),
    ).scalar()


def _exception(
    desk: Desk, claim: ClaimedNumber, claimed: str, why: str, last_recorded: datetime, signing: list[UUID]
) -> Numbered:
    instead = _next_number(desk, EXCEPTIONS, "exceptions", last_recorded, signing)
    written = "a paper" if claim.kind == "paper" else f"a voucher of {claim.holder}"
    found = Contradiction(Kind.NUMBER_USED, f"{claimed} {why}", f"{written} with the number {claimed}")
    return replace(instead, claimed_number=claimed, contradictions=(found, *claim.against))


def _write(
    desk: Desk,
    document: Document,
    laid: Laid,
    numbered: Numbered,
    happened_at: datetime,
    new: Newcomers | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Posted:
    """Writes new items, document, signatories, entries, queue and discrepancies, in the order their references need."""
    entries, number = laid.entries, numbered.full(desk.site)
    seeds = [new_secret() for _ in entries]
    made = leaf_making.begin(_leaf_rows(desk, document, entries, seeds, numbered.recorded_at))
    if new is not None:
        items.create(desk, new)
    meanwhile()
    leaves = made()
    leaf = _insert(desk, document, numbered, happened_at, entries, seeds, leaves)
    found = discrepancies.judge_anew(desk.connection, document.document_id, number, laid.judged, laid.found)
    opened = discrepancies.open_all(desk.connection, desk.site, document.document_id, numbered.recorded_at, found)
    if numbered.series is not None:
        come = Come(document.document_id, numbered.number, numbered.recorded_at)
        opened += gaps.note(desk.connection, desk.site, numbered.series, come)
        opened.sort(key=lambda one: one.discrepancy_id)
    return Posted(
        document_id=document.document_id,
        number=number,
        act=str(document.act),
        fact=document.fact,
        happened_at=happened_at,
        recorded_at=numbered.recorded_at,
        lines=len(entries),
        quantity=sum(entry.quantity for entry in entries),
        leaf=leaf.hex(),
        discrepancy_count=len(opened),
        discrepancies=tuple(opened[:DISCREPANCIES_IN_ANSWER]),
    )


def _leaf_rows(
    desk: Desk, document: Document, entries: Sequence[Entry], seeds: Sequence[bytes], recorded_at: datetime
) -> list[leaf_making.Row]:
    """What each entry's leaf is made of, in the order of lines; values that repeat are written once."""
    document_bytes, site_bytes = value_bytes(document.document_id), value_bytes(desk.site.site_id)
    recorded_bytes = value_bytes(recorded_at)
    known: dict[object, bytes | None] = {None: None}

    def text(value: object) -> bytes | None:
        try:
            return known[value]
        except KeyError:
            written = known[value] = value_bytes(value)
            return written

    rows: list[leaf_making.Row] = []
    for line, (entry, seed) in enumerate(zip(entries, seeds, strict=True), 1):
        held = entry.held
        values = (
            str(held.item_id).encode(),
            b"%d" % entry.version,
            document_bytes,
            b"%d" % line,
            site_bytes,
            text(held.donor_id),
            text(held.model_id),
            held.serial_number.encode() if held.serial_number else None,
            b"%d" % entry.quantity,
            text(entry.origin.account_id),
            entry.origin.account_class.encode(),
            text(entry.to.account_id),
            entry.to.account_class.encode(),
            text(entry.condition),
            text(entry.happened_at),
            recorded_bytes,
            text(entry.claimed_from),
            text(entry.reverses),
            text(entry.posts_again),
        )
        rows.append((held.secret, seed, values, entry.version))
    return rows


_COLUMNS: tuple[tuple[str, str], ...] = (
    ("item_id", "uuid"),
    ("version", "int4"),
    ("serial", "bool"),
    ("donor_id", "uuid"),
    ("model_id", "uuid"),
    ("line", "int4"),
    ("from_account", "uuid"),
    ("to_account", "uuid"),
    ("quantity", "int8"),
    ("condition", "text"),
    ("happened_at", "timestamptz"),
    ("claimed_from", "uuid"),
    ("reverses", "int4"),
    ("posts_again", "int4"),
    ("seed", "bytea"),
    ("leaf", "bytea"),
)
_NAMES = ", ".join(name for name, _ in _COLUMNS)
_WRITE = f"""
WITH written AS (
    INSERT INTO document (document_id, site_id, book_id, number, written_offline, act, fact, undo, happened_at,
                          happened_precision, recorded_at, clock_offset, claimed_number, posted_by, approved_by, line_count,
                          quantity, details, attachments, content_hash, seed, leaf)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    RETURNING document_id, site_id, recorded_at, leaf
), signed AS (
    INSERT INTO signatory (document_id, site_id, part, party_id, name_version, digest)
    SELECT document_id, site_id, part, party_id, name_version, digest
    FROM written, unnest(%s::text[], %s::uuid[], %s::int[], %s::bytea[]) AS person (part, party_id, name_version, digest)
), place AS NOT MATERIALIZED (
    SELECT account_id, {class_and_site("class", "site_id")} AS class_and_site
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[]) AS account (account_id, class, site_id)
), line AS NOT MATERIALIZED (
    SELECT * FROM {{given}}
), entered AS (
    INSERT INTO entry ({_NAMES}, from_class_and_site, to_class_and_site, site_id, document_id, recorded_at)
    SELECT {", ".join(f"line.{name}" for name, _ in _COLUMNS)}, origin.class_and_site, destination.class_and_site,
           written.site_id, written.document_id, written.recorded_at
    FROM line JOIN place origin ON origin.account_id = line.from_account
    JOIN place destination ON destination.account_id = line.to_account, written
)
INSERT INTO unsequenced (leaf) SELECT leaf FROM line UNION ALL SELECT leaf FROM written
"""
"""The document with all that belongs to it, in one statement: the trigger of `entry` wants its rows all at once."""


def _insert(
    desk: Desk,
    document: Document,
    numbered: Numbered,
    happened_at: datetime,
    entries: Sequence[Entry],
    seeds: Sequence[bytes],
    leaves: Sequence[bytes],
) -> bytes:
    """Writes the document, whole, and gives its leaf."""
    parts = _parts(desk, document)
    versions, digests = _signed(document.document_id, parts, numbered.signers)
    seed = new_secret()
    details, attachments = document.details, list(document.attachments)
    quantity = sum(entry.quantity for entry in entries)
    header = {
        "document_id": document.document_id,
        "site_id": desk.site.site_id,
        "number": numbered.full(desk.site),
        "act": str(document.act),
        "fact": document.fact,
        "undo": document.undo,
        "happened_at": happened_at,
        "happened_precision": str(document.precision),
        "recorded_at": numbered.recorded_at,
        "clock_offset": microseconds(document.clock_offset),
        "claimed_number": numbered.claimed_number,
        "line_count": len(entries),
        "quantity": quantity,
        "details": details,
        "attachments": attachments,
        "content_hash": desk.content_hash,
        "entries": entries_digest(leaves),
    }
    leaf = document_leaf(seed, header, digests)
    header_row = (
        document.document_id, desk.site.site_id, numbered.book_id, numbered.number, document.claim is not None,
        str(document.act), document.fact, document.undo, happened_at, str(document.precision), numbered.recorded_at,
        document.clock_offset, numbered.claimed_number, desk.actor.party_id, desk.approved_by, len(entries), quantity,
        Jsonb(details), Jsonb(attachments), desk.content_hash, seed, leaf,
    )  # fmt: skip
    signed = (list(parts), list(parts.values()), [versions[part] for part in parts], [digests[part] for part in parts])
    accounts = {place.account_id: place for entry in entries for place in (entry.origin, entry.to)}
    places = (
        list(accounts),
        [str(place.account_class) for place in accounts.values()],
        [place.site_id for place in accounts.values()],
    )
    rows = (
        (
            entry.held.item_id, entry.version, entry.held.serial, entry.held.donor_id, entry.held.model_id, line,
            entry.origin.account_id, entry.to.account_id, entry.quantity, entry.condition, entry.happened_at,
            entry.claimed_from, entry.reverses, entry.posts_again, seed, leaf,
        )
        for line, (entry, seed, leaf) in enumerate(zip(entries, seeds, leaves, strict=True), 1)
    )  # fmt: skip
    with given(desk.connection, _COLUMNS, rows, len(entries)) as handed:
        handed.insert(_WRITE, (*header_row, *signed, *places))
    return leaf


def _signed(
    document_id: UUID, parts: dict[str, UUID], signers: dict[UUID, Signer]
) -> tuple[dict[str, int], dict[str, bytes]]:
    """For each part the version of the name used and the person's digest in this document."""
    versions, digests = {}, {}
    for part, party_id in parts.items():
        signer = signers[party_id]
        versions[part] = signer.name_version
        assert signer.secret is not None
        name = name_value(signer.code, signer.name, signer.rank, signer.name_version)
        digests[part] = person_digest(signer.secret, document_id, part, name)
    return versions, digests

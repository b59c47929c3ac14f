"""The leaves of entries and documents, made anew from the rows. A leaf that does not follow from its row says that somebody altered
the row, or the leaf, since it was posted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from stockpile.log import leaf_making
from stockpile.log.leaf import document_leaf, entry_leaf, microseconds
from stockpile.log.verifying.books import NUMBER, Books, Check, Wrong
from stockpile.proof.commitment import entry_tag, row_tag
from stockpile.proof.fields import DOCUMENT_FIELDS, ENTRY_FIELDS, PARTS

BATCH = 20_000
"""Leaves made in one go, by other processes while the next rows are read."""

_MOMENT = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
_MOMENTS = ("happened_at", "recorded_at")
_TEXTS = ", ".join(f"to_char(e.{one}, {_MOMENT})" if one in _MOMENTS else f"e.{one}::text" for one in ENTRY_FIELDS)

# A weapon bears what the newest version under an entry up to this one says, but where a late paper came in between (`_other_number`).
# Written out only when they are in order (OFFSET 0): texts would make what is sorted three times as large.
_ENTRIES = f"""
SELECT e.item_id, e.version, e.secret, e.seed, e.leaf, {_TEXTS}
FROM (SELECT e.*, i.secret, f.class AS from_class, t.class AS to_class, n.serial_number
      FROM entry e
      LEFT JOIN item i ON i.item_id = e.item_id
      LEFT JOIN account f ON f.account_id = e.from_account
      LEFT JOIN account t ON t.account_id = e.to_account
      LEFT JOIN (SELECT item_id, serial_number, entry_version AS since,
                        lead(entry_version) OVER (PARTITION BY item_id ORDER BY version) AS until FROM identification) n
             ON n.item_id = e.item_id AND e.version >= n.since AND (n.until IS NULL OR e.version < n.until)
      {{newer}}
      ORDER BY e.item_id, e.version OFFSET 0) e
ORDER BY e.item_id, e.version
"""

Fields = tuple[UUID, int, bytes | None, bytes, bytes, list[bytes | None]]
"""An entry: item, version, the item's secret, seed, stored leaf, the values of ENTRY_FIELDS."""


def _entries(books: Books) -> Iterator[Wrong]:
    making: tuple[list[Fields], leaf_making.Leaves] | None = None
    rows = books.rows(books.newer(_ENTRIES, "e.leaf"))
    with leaf_making.workshop() as begin:
        while batch := [_fields(row) for row in islice(rows, BATCH)]:
            begun = (
                batch,
                begin([(secret or b"", seed, values, version) for _, version, secret, seed, _, values in batch]),
            )
            if making is not None:
                yield from _differing(books, *making)
            making = begun
        if making is not None:
            yield from _differing(books, *making)


def _fields(row: Sequence[Any]) -> Fields:
    item_id, version, secret, seed, leaf = row[:5]
    return item_id, version, secret, seed, leaf, [None if value is None else value.encode() for value in row[5:]]


def _differing(books: Books, batch: Sequence[Fields], made: leaf_making.Leaves) -> Iterator[Wrong]:
    for one, leaf in zip(batch, made(), strict=True):
        item_id, version, secret, _, stored, _ = one
        if leaf == stored or _other_number(books, one):
            continue
        if secret is None:
            what = "its item is missing, so its leaf can't be made"
        elif stored[1:33] != entry_tag(secret, version):
            what = "the tag of its leaf is not that of its item's secret and its version: one of them was altered, or the leaf"
        else:
            what = "its leaf does not follow from its fields: one of them was altered since, or its seed, or the leaf"
        yield Wrong(books.entry(item_id, version), what)


_NUMBERS = """
SELECT DISTINCT n.serial_number FROM identification n
WHERE n.item_id = %(item)s AND n.entry_version <= (SELECT max(e.version) FROM entry e
    WHERE e.item_id = %(item)s AND e.document_id = (SELECT document_id FROM entry WHERE item_id = %(item)s AND version = %(version)s))
"""
_SERIAL_NUMBER = ENTRY_FIELDS.index("serial_number")


def _other_number(books: Books, one: Fields) -> bool:
    """Whether an entry's leaf follows from a serial number that the books had for the weapon by its document: while marks and
    amendments are taken back, or come late, the number that stood is not the newest.
    """
    item_id, version, secret, seed, stored, values = one
    if secret is None or values[_SERIAL_NUMBER] is None:
        return False
    asked = {"item": item_id, "version": version}
    numbers = books.connection.exec_driver_sql(_NUMBERS, asked).scalars().all()
    for number in numbers if len(numbers) > 1 else ():
        values[_SERIAL_NUMBER] = number.encode() if number is not None else None
        if entry_leaf(secret, seed, values, version) == stored:
            return True
    return False


_HEADER = {
    "number": NUMBER,
    "entries": "coalesce(e.entries, sha256(''))",
}
_DOCUMENTS = f"""
SELECT d.seed, d.leaf, p.persons, {", ".join(_HEADER.get(name, f"d.{name}") for name in DOCUMENT_FIELDS if name not in PARTS)}
FROM document d
LEFT JOIN book b ON b.book_id = d.book_id LEFT JOIN site s ON s.site_id = d.site_id
LEFT JOIN (SELECT document_id, sha256(string_agg(leaf, ''::bytea ORDER BY line)) AS entries FROM entry GROUP BY document_id) e
       ON e.document_id = d.document_id
LEFT JOIN (SELECT document_id, jsonb_object_agg(part, encode(digest, 'hex')) AS persons FROM signatory GROUP BY document_id) p
       ON p.document_id = d.document_id
{{newer}}
ORDER BY d.document_id
"""
_HEADER_NAMES = tuple(name for name in DOCUMENT_FIELDS if name not in PARTS)


def _documents(books: Books) -> Iterator[Wrong]:
    for seed, leaf, persons, *values in books.rows(books.newer(_DOCUMENTS, "d.leaf")):
        header = dict(zip(_HEADER_NAMES, values, strict=True))
        header["clock_offset"] = microseconds(header["clock_offset"])
        if document_leaf(seed, header, _digests(persons)) != leaf:
            fields = "its header, a signature or one of its entries' leaves"
            yield Wrong(f"{header['number']} (document {header['document_id']})", leaf_differs(seed, leaf, fields))


def _digests(persons: dict[str, str] | None) -> dict[str, bytes]:
    return {part: bytes.fromhex(digest) for part, digest in (persons or {}).items()}


def leaf_differs(seed: bytes, leaf: bytes, fields: str) -> str:
    """What is wrong with a leaf that is not the one made of its row."""
    if leaf[1:33] != row_tag(seed):
        return "the tag of its leaf is not that of its seed: the seed was altered, or the leaf"
    return f"its leaf does not follow from its fields: {fields} was altered since, or the leaf"


CHECKS = (Check("leaves of entries", _ENTRIES, _entries), Check("leaves of documents", _DOCUMENTS, _documents))

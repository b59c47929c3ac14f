"""What a donor carries away: a weapon's entries and their documents, some fields opened and of the others only their
digests, each with its proof of inclusion (C2SP tlog-proof), in one JSON file; and one entry small enough for a QR code.

The file says nothing that has to be believed: `stockpile.proof.check` computes every leaf from it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .commitment import DOCUMENT, ENTRY, NOTE, commitment, field_digest, field_salt
from .fields import DOCUMENT_FIELDS, DONOR_STATEMENT_FIELDS, ENTRY_FIELDS
from .note import Malformed, Note, base64_text, strict_base64
from .succession import Succession
from .tlog_proof import LONGEST_PROOF, TlogProof, hash_of

FORMAT = "stockpile-proof@v1"
COMPACT = "SP1:"
"""How the text of a QR code begins: then base45 (RFC 9285) of the zlib-packed JSON."""
LONGEST = 16 << 20
LONGEST_COMPACT = 1 << 16
MOST_KEYS = 1000
NAMES = {ENTRY: ENTRY_FIELDS, DOCUMENT: DOCUMENT_FIELDS, NOTE: DONOR_STATEMENT_FIELDS}

_BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@dataclass(frozen=True)
class Field:
    """A field of a leaf: opened (salt and value), or only its digest."""

    name: str
    digest: bytes
    salt: bytes | None = None
    value: str | None = None

    @classmethod
    def opened(cls, name: str, salt: bytes, value: bytes | None) -> Field:
        """A field that its reader may see; None is committed as nothing recorded."""
        shown = value or b""
        return cls(name, field_digest(salt, name, shown), salt, shown.decode())

    def plain(self) -> dict[str, str]:
        """The field as it stands in the file."""
        if self.salt is None or self.value is None:
            return {"name": self.name, "digest": base64_text(self.digest)}
        return {"name": self.name, "salt": base64_text(self.salt), "value": self.value}


@dataclass(frozen=True)
class Row:
    """A leaf taken apart, and where it is in the log. `entries` of a document: the leaves of all its entries by line."""

    kind: int
    tag: bytes
    fields: tuple[Field, ...]
    proof: TlogProof
    entries: tuple[bytes, ...] = ()

    def leaf(self) -> bytes:
        """The 65 bytes, computed from the fields."""
        return bytes([self.kind]) + self.tag + commitment(field.digest for field in self.fields)

    def values(self) -> dict[str, str]:
        """The opened fields by name."""
        return {field.name: field.value for field in self.fields if field.value is not None}

    def plain(self) -> dict[str, Any]:
        """The row as it stands in the file."""
        shown: dict[str, Any] = {"tag": base64_text(self.tag), "fields": [field.plain() for field in self.fields]}
        if self.entries:
            shown["entries"] = [base64_text(leaf) for leaf in self.entries]
        return {**shown, "proof": self.proof.encoded()}


@dataclass(frozen=True)
class Growth:
    """A consistency proof of a log between two sizes."""

    origin: str
    old: int
    new: int
    hashes: tuple[bytes, ...]

    def plain(self) -> dict[str, Any]:
        """The proof as it stands in the file."""
        hashes = [base64_text(value) for value in self.hashes]
        return {"origin": self.origin, "old": self.old, "new": self.new, "hashes": hashes}


@dataclass(frozen=True)
class Bundle:
    """The file. `weapon` is how its maker calls the weapon, or what the statements are about: for people, proves nothing. `keys`: notes
    in which keys of the log vouch for those after them.
    """

    weapon: str
    entries: tuple[Row, ...]
    documents: tuple[Row, ...] = ()
    growth: tuple[Growth, ...] = ()
    statements: tuple[Row, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """All its leaves."""
        return (*self.entries, *self.documents, *self.statements)

    def encoded(self) -> str:
        """The bundle as JSON."""
        return json.dumps(self._plain(), ensure_ascii=False, indent=1) + "\n"

    def compact(self, entry: int = -1) -> str:
        """One entry, the last unless another is asked for, as text for a QR code in its alphanumeric mode: with three
        opened fields and a log of a million leaves about 3,000 characters. Documents, consistency proofs and keys stay out.
        """
        one = replace(self, entries=(self.entries[entry],), documents=(), growth=(), statements=(), keys=())
        packed = json.dumps(one._plain(), ensure_ascii=False, separators=(",", ":")).encode()
        return COMPACT + base45(zlib.compress(packed, 9))

    @classmethod
    def parse(cls, text: str) -> Bundle:
        """Read a bundle, as JSON or in its compact form. Raises Malformed, which names the part that can't be read."""
        if len(text) > LONGEST:
            raise Malformed(f"it is longer than {LONGEST} characters")
        if text.startswith(COMPACT):
            text = _unpacked(text.strip().removeprefix(COMPACT))
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            raise Malformed("it is not JSON") from None
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise Malformed(f"its format is not {FORMAT}")
        weapon = plain.get("weapon")
        if not isinstance(weapon, str) or not (plain.get("entries") or plain.get("statements")):
            raise Malformed("it names no weapon or has no entries")
        return cls(
            weapon,
            _rows(plain.get("entries", []), ENTRY, "entry"),
            _rows(plain.get("documents", []), DOCUMENT, "document"),
            growths_of(plain.get("growth", [])),
            _rows(plain.get("statements", []), NOTE, "statement"),
            _keys(plain.get("keys", [])),
        )

    def _plain(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"format": FORMAT, "weapon": self.weapon}
        shown["entries"] = [row.plain() for row in self.entries]
        if self.statements:
            shown["statements"] = [row.plain() for row in self.statements]
        if self.documents:
            shown["documents"] = [row.plain() for row in self.documents]
        if self.growth:
            shown["growth"] = [growth.plain() for growth in self.growth]
        if self.keys:
            shown["keys"] = list(self.keys)
        return shown


def build(
    weapon: str,
    entries: Sequence[Row],
    documents: Sequence[Row] = (),
    growth: Sequence[Growth] = (),
    statements: Sequence[Row] = (),
    keys: Sequence[str] = (),
) -> Bundle:
    """A bundle of rows in the order of the item's versions. Raises ValueError when there is neither entry nor statement, or a
    row has not the fields of its kind.
    """
    if not entries and not statements:
        raise ValueError("a bundle has at least one entry")
    built = Bundle(weapon, tuple(entries), tuple(documents), tuple(growth), tuple(statements), tuple(keys))
    for row in built.rows:
        if tuple(field.name for field in row.fields) != NAMES[row.kind]:
            raise ValueError(f"a row of kind {row.kind} has the fields {', '.join(NAMES[row.kind])}")
    return built


def fields_of(
    kind: int,
    seed: bytes,
    values: Mapping[str, bytes | None],
    opening: Collection[str],
    persons: Mapping[str, bytes] | None = None,
) -> tuple[Field, ...]:
    """The fields of a row: those of `opening` opened, of the others the digest. `values` are bytes as a leaf commits them,
    `seed` is the row's; `persons` has the stored digest of each part that somebody took, which stays closed: open one
    with `Field.opened` and the salt of the party's secret.
    """
    digests = persons or {}
    fields = []
    for name in NAMES[kind]:
        if name in digests:
            fields.append(Field(name, digests[name]))
            continue
        field = Field.opened(name, field_salt(seed, name), values.get(name))
        fields.append(field if name in opening else Field(name, field.digest))
    return tuple(fields)


def base45(value: bytes) -> str:
    """RFC 9285: what QR codes keep in two thirds of the room that base64 takes."""
    text = ""
    for at in range(0, len(value), 2):
        pair = value[at : at + 2]
        rest, third = int.from_bytes(pair, "big"), ""
        rest, first = divmod(rest, 45)
        if len(pair) == 2:
            rest, second = divmod(rest, 45)
            third = _BASE45[rest]
        else:
            second = rest
        text += _BASE45[first] + _BASE45[second] + third
    return text


def from_base45(text: str) -> bytes:
    """RFC 9285 read strictly. Raises Malformed."""
    value = bytearray()
    for at in range(0, len(text), 3):
        digits = [_BASE45.find(character) for character in text[at : at + 3]]
        number = sum(digit * 45**place for place, digit in enumerate(digits))
        size = len(digits) - 1
        if min(digits) < 0 or size < 1 or number >= 1 << 8 * size:
            raise Malformed("its text is no base45")
        value += number.to_bytes(size, "big")
    return bytes(value)


def _unpacked(text: str) -> str:
    unpacking = zlib.decompressobj()
    try:
        packed = unpacking.decompress(from_base45(text), LONGEST_COMPACT)
        if not unpacking.eof or unpacking.unused_data:
            raise Malformed("its packed text is cut off or too long")
        return packed.decode()
    except (zlib.error, UnicodeDecodeError):
        raise Malformed("its packed text is damaged") from None


def _rows(plain: object, kind: int, title: str) -> tuple[Row, ...]:
    if not isinstance(plain, list):
        raise Malformed(f"its list of each {title} is none")
    rows = []
    for number, row in enumerate(plain, 1):
        try:
            rows.append(_row(row, kind))
        except (Malformed, LookupError, TypeError, ValueError, AttributeError):
            raise Malformed(f"{title} {number} in it is not written as docs/proofs.md says") from None
    return tuple(rows)


def _row(plain: Any, kind: int) -> Row:
    fields = tuple(_field(field) for field in plain["fields"])
    if tuple(field.name for field in fields) != NAMES[kind]:
        raise Malformed("")
    entries = tuple(_bytes(leaf, 65) for leaf in plain.get("entries", ()))
    return Row(kind, _bytes(plain["tag"], 32), fields, TlogProof.parse(plain["proof"]), entries)


def _field(plain: Any) -> Field:
    if set(plain) == {"name", "digest"}:
        return Field(plain["name"], _bytes(plain["digest"], 32))
    if set(plain) != {"name", "salt", "value"}:
        raise Malformed("")
    return Field.opened(plain["name"], _bytes(plain["salt"], 32), plain["value"].encode())


def _bytes(text: str, size: int) -> bytes:
    value = strict_base64(text)
    if len(value) != size:
        raise Malformed("")
    return value


def growths_of(plain: object) -> tuple[Growth, ...]:
    """Consistency proofs as they stand in a file. Raises Malformed."""
    try:
        return tuple(_growth(one) for one in plain)  # type: ignore[attr-defined]
    except (Malformed, LookupError, TypeError, ValueError):
        raise Malformed("its consistency proofs are not written as docs/proofs.md says") from None


def _keys(plain: object) -> tuple[str, ...]:
    try:
        if not isinstance(plain, list) or len(plain) > MOST_KEYS:
            raise Malformed("")
        for note in plain:
            Succession.parse(Note.parse(note).text)
    except (Malformed, TypeError, AttributeError):
        raise Malformed("its keys are not written as docs/proofs.md says") from None
    return tuple(plain)


def _growth(plain: Any) -> Growth:
    origin, old, new, hashes = plain["origin"], plain["old"], plain["new"], plain["hashes"]
    if not isinstance(origin, str) or type(old) is not int or type(new) is not int or len(hashes) > 2 * LONGEST_PROOF:
        raise Malformed("")
    return Growth(origin, old, new, tuple(map(hash_of, hashes)))

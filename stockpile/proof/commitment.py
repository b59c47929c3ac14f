"""What a leaf of the log holds and hides: tags, salted digests of fields, commitments. docs/log.md says the same byte
for byte. Pure: imports nothing of ours, so that a donor can carry it away and check a proof offline.

A leaf is 65 bytes: kind (1) | tag (32) | commitment (32).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

ENTRY, DOCUMENT, REGISTER, KEY, NOTE = 1, 2, 3, 4, 5
"""Kinds of leaf, frozen from the first migration."""

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_BLOCK = 64


def prefixed(value: bytes) -> bytes:
    """The value behind its length, four bytes, most significant first."""
    return len(value).to_bytes(4, "big") + value


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104) for keys of up to 64 bytes; two plain hashes, as `hmac` costs three times as much."""
    padded = key.ljust(_BLOCK, b"\0")
    return sha256(padded.translate(_OUTER) + sha256(padded.translate(_INNER) + message).digest()).digest()


def field_digest(salt: bytes, name: str, value: bytes) -> bytes:
    """SHA-256 over salt, name and value, each length-prefixed."""
    return sha256(prefixed(salt) + prefixed(name.encode()) + prefixed(value)).digest()


def field_salt(seed: bytes, name: str) -> bytes:
    """The salt of one field: opening it opens no other. `seed` is the row's own random 32 bytes."""
    return hmac_sha256(seed, name.encode())


def commitment(digests: Iterable[bytes]) -> bytes:
    """SHA-256 over the fields' digests in their fixed order."""
    return sha256(b"".join(digests)).digest()


class Form:
    """The fields of one kind of leaf in their fixed order, ready to commit rows of values quickly.

    A value is bytes; None (nothing recorded) is committed as the empty value.
    """

    def __init__(self, kind: int, fields: Sequence[str]) -> None:
        self.kind = bytes([kind])
        self.fields = tuple(fields)
        self._names = tuple(name.encode() for name in fields)
        self._prefixes = tuple(prefixed(name) for name in self._names)

    def digests(self, seed: bytes, values: Sequence[bytes | None]) -> list[bytes]:
        """The digest of each field: the salts are HMAC(seed, name)."""
        padded = seed.ljust(_BLOCK, b"\0")
        inner, outer = padded.translate(_INNER), padded.translate(_OUTER)
        digests = []
        for name, prefix, value in zip(self._names, self._prefixes, values, strict=True):
            salt = sha256(outer + sha256(inner + name).digest()).digest()
            shown = value or b""
            digests.append(sha256(b"\x00\x00\x00\x20" + salt + prefix + len(shown).to_bytes(4, "big") + shown).digest())
        return digests

    def leaf(self, tag: bytes, digests: Iterable[bytes]) -> bytes:
        """The 65 bytes: kind, tag, commitment."""
        return self.kind + tag + commitment(digests)


def entry_tag(item_secret: bytes, version: int) -> bytes:
    """SHA-256 of the item's secret and the entry's version (four bytes): who holds the secret finds the next entry."""
    return sha256(item_secret + version.to_bytes(4, "big")).digest()


def row_tag(seed: bytes) -> bytes:
    """SHA-256 of the row's seed: the tag of every leaf that is not an entry."""
    return sha256(seed).digest()

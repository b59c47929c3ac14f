"""Look for later entries of an item in a copy of the log, with the item's secret: to whoever has it, each next entry's tag
is known beforehand; to everybody else the leaves are noise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .commitment import ENTRY, entry_tag
from .note import Malformed

AHEAD = 64
"""How many versions beyond the last found are looked for at once: leaves of one item may stand in any order."""


@dataclass(frozen=True)
class Later:
    """An entry of the item: its version and its leaf, and where that is in the log."""

    version: int
    index: int
    leaf: bytes


def find_later(leaves: Iterable[bytes], secret: bytes, from_version: int = 1, first: int = 0) -> list[Later]:
    """Entries of the item from this version on, in the order of versions. `first` is the index of the first leaf given.
    What is not found is not proven absent: the copy may be old, or cut.
    """
    found: list[Later] = []
    known_until = from_version
    wanted: dict[bytes, int] = {}

    def look_ahead(until: int) -> int:
        wanted.update({entry_tag(secret, version): version for version in range(known_until, until)})
        return max(known_until, until)

    known_until = look_ahead(from_version + AHEAD)
    for index, leaf in enumerate(leaves, first):
        version = wanted.pop(leaf[1:33], None) if leaf[:1] == bytes([ENTRY]) else None
        if version is not None:
            found.append(Later(version, index, leaf))
            known_until = look_ahead(version + 1 + AHEAD)
    return sorted(found, key=lambda later: later.version)


def leaves_of(entry_bundle: bytes) -> Iterator[bytes]:
    """The leaves of one entry bundle of the log, each behind its length in two bytes (C2SP tlog-tiles, "Log entries").
    Raises Malformed.
    """
    at = 0
    while at < len(entry_bundle):
        size = int.from_bytes(entry_bundle[at : at + 2], "big")
        leaf = entry_bundle[at + 2 : at + 2 + size]
        if at + 2 > len(entry_bundle) or len(leaf) != size:
            raise Malformed("an entry bundle of the log is cut off")
        yield leaf
        at += 2 + size

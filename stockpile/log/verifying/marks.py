"""What weapons bear: each one's identifications are a chain, under entries of its own, and give the keys by which it is found."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile.identity import fold, serial_key
from stockpile.log.verifying.books import Books, Check, Wrong

_CHAINS = """
SELECT i.item_id, n.item_id IS NULL, n.version, n.before, n.entry_version, n.entry_before, e.version IS NULL,
       n.donor_id = i.donor_id, n.serial_number, n.serial_key, n.fold
FROM (SELECT * FROM item WHERE tracked_by = 'serial') i
LEFT JOIN (SELECT n.*, lag(version) OVER item AS before, lag(entry_version) OVER item AS entry_before
           FROM identification n WINDOW item AS (PARTITION BY item_id ORDER BY version)) n ON n.item_id = i.item_id
LEFT JOIN entry e ON e.item_id = n.item_id AND e.version = n.entry_version
ORDER BY i.item_id, n.version
"""


def _chains(books: Books) -> Iterator[Wrong]:
    for item_id, none, version, before, entry, entry_before, no_entry, same_donor, number, key, folded in books.rows(
        _CHAINS
    ):
        if none:
            what = "it has no identification"
        elif version != (before or 0) + 1:
            what = f"its identification {(before or 0) + 1} is missing"
        elif no_entry:
            what = f"its identification {version} names entry {entry}, which is missing"
        elif entry < (entry_before or 0):
            what = f"its identification {version} stands under entry {entry}, before that of the one before"
        elif not same_donor:
            what = f"its identification {version} is of another donor than it is"
        elif number is not None and (serial_key(number), fold(serial_key(number))) != (key, folded):
            what = f"its identification {version} is not found by its serial number {number}: the keys are those of another"
        else:
            continue
        yield Wrong(books.item(item_id), what)


_IDENTITIES = """
SELECT identity_key, ordinal, before FROM (
    SELECT identity_key, ordinal, lag(ordinal) OVER (PARTITION BY identity_key ORDER BY ordinal) AS before FROM identity) i
WHERE ordinal <> coalesce(before, 0) + 1
ORDER BY 1, 2
"""


def _identities(books: Books) -> Iterator[Wrong]:
    for key, ordinal, before in books.rows(_IDENTITIES):
        yield Wrong(f"identity {key}", f"bearer {(before or 0) + 1} is missing before bearer {ordinal}")


CHECKS = (
    Check("identifications of weapons", _CHAINS, _chains),
    Check("identities", _IDENTITIES, _identities),
)

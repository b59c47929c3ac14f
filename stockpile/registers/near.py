"""Serial numbers that may be one, misread: of the same model, and the same when look-alikes are merged, or one character apart.

Every number stands in a table under itself and under each of its forms with one character left out; two numbers one character
apart meet in such a form. So half a million are compared without comparing each with each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from rapidfuzz.distance import Levenshtein

from stockpile.identity import fold

SHORTEST = 4
"""Of shorter numbers one character is too much to be called near."""
MOST = 20
"""So many near numbers of one are told: more say that the numbers run in a row, and nothing of the weapon."""
LONGEST = 64


class Unmatched(NamedTuple):
    """A number that only one side has."""

    number: int
    model_key: UUID
    serial_key: str


class Near(NamedTuple):
    """Two findings that may be one weapon; rank 1 before 2: the same when look-alikes are merged, then one character apart."""

    left: int
    right: int
    rank: int
    why: str


def near_matches(lefts: Iterable[Unmatched], rights: Iterable[Unmatched]) -> Iterator[Near]:
    """The near matches of two lists, of each number of the left the best first, and no more than `MOST`."""
    by_model: defaultdict[UUID, tuple[list[Unmatched], list[Unmatched]]] = defaultdict(lambda: ([], []))
    for hand, unmatched in enumerate((lefts, rights)):
        for one in unmatched:
            if len(one.serial_key) <= LONGEST:
                by_model[one.model_key][hand].append(one)
    for left, right in by_model.values():
        if left and right:
            yield from _of_model(left, right)


def _of_model(left: list[Unmatched], right: list[Unmatched]) -> Iterator[Near]:
    forms: defaultdict[str, list[tuple[Unmatched, str]]] = defaultdict(list)
    for other in right:
        folded = fold(other.serial_key)
        for form in _forms(folded):
            forms[form].append((other, folded))
    for one in left:
        folded = fold(one.serial_key)
        met = {other.number: (other, like) for form in _forms(folded) for other, like in forms.get(form, ())}
        near = (_near(one, folded, other, like) for other, like in met.values())
        yield from sorted((pair for pair in near if pair is not None), key=lambda pair: (pair.rank, pair.right))[:MOST]


def _forms(folded: str) -> set[str]:
    if len(folded) < SHORTEST:
        return {folded}
    return {folded, *(folded[:place] + folded[place + 1 :] for place in range(len(folded)))}


def _near(one: Unmatched, folded: str, other: Unmatched, like: str) -> Near | None:
    if folded == like:
        return Near(one.number, other.number, 1, f"the same but for look-alikes: {other.serial_key}")
    if min(len(folded), len(like)) < SHORTEST or Levenshtein.distance(folded, like, score_cutoff=1) > 1:
        return None
    return Near(one.number, other.number, 2, f"one character differs: {other.serial_key}")

"""Serial numbers that may be one, misread: of the same model, and the same when look-alikes are merged, or one character apart.

Every number of the right stands in a table under each of its forms with one character left out; a number of the left one character
apart meets it in such a form. So half a million are compared without comparing each with each. The table is made in parts, so that it is
never larger than `FORMS_AT_ONCE`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from rapidfuzz.distance import Levenshtein

from stockpile.identity import fold
from stockpile.progress import told

SHORTEST = 4
"""Of shorter numbers one character is too much to be called near."""
MOST = 3
"""A number with more than so many one character apart stands in a row of numbers, and they say nothing of it."""
LONGEST = 64
FORMS_AT_ONCE = 1_000_000
TOLD_EVERY = 10_000


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
    """The near matches of two lists. Swapping the lists swaps the pairs, and changes nothing else."""
    by_model: defaultdict[UUID, tuple[list[Unmatched], list[Unmatched]]] = defaultdict(lambda: ([], []))
    for hand, unmatched in enumerate((lefts, rights)):
        for one in unmatched:
            if len(one.serial_key) <= LONGEST:
                by_model[one.model_key][hand].append(one)
    for done, (left, right) in enumerate(by_model.values()):
        told("near matches, model by model", done, len(by_model))
        if left and right:
            yield from _look_alikes(left, right)
            yield from _one_apart(left, right)


def _look_alikes(left: list[Unmatched], right: list[Unmatched]) -> Iterator[Near]:
    by_fold: defaultdict[str, tuple[list[Unmatched], list[Unmatched]]] = defaultdict(lambda: ([], []))
    for hand, unmatched in enumerate((left, right)):
        for one in unmatched:
            by_fold[fold(one.serial_key)][hand].append(one)
    for ones, others in by_fold.values():
        if max(len(ones), len(others)) <= MOST:
            for one in ones:
                for other in others:
                    yield Near(one.number, other.number, 1, f"the same but for look-alikes: {other.serial_key}")


def _one_apart(left: list[Unmatched], right: list[Unmatched]) -> Iterator[Near]:
    by_fold: defaultdict[str, list[Unmatched]] = defaultdict(list)
    for one in right:
        by_fold[fold(one.serial_key)].append(one)
    folds = list(by_fold)
    parts = 1 + sum(map(len, folds)) // FORMS_AT_ONCE
    met: list[list[int]] = [[] for _ in left]
    crowds = [0] * len(folds)
    for part in range(parts):
        forms: defaultdict[str, list[int]] = defaultdict(list)
        for place, folded in enumerate(folds):
            for form in _forms(folded):
                if hash(form) % parts == part:
                    forms[form].append(place)
        for done, (one, others) in enumerate(zip(left, met, strict=True)):
            if done % TOLD_EVERY == 0:
                told("near matches", done, len(left))
            _meet(fold(one.serial_key), forms, folds, others, crowds)
    for one, others in zip(left, met, strict=True):
        near = [place for place in others if crowds[place] <= MOST]
        if len(others) <= MOST and sum(len(by_fold[folds[place]]) for place in others) <= MOST:
            for other in (number for place in sorted(near) for number in by_fold[folds[place]]):
                yield Near(one.number, other.number, 2, f"one character differs: {other.serial_key}")


def _meet(folded: str, forms: dict[str, list[int]], folds: list[str], others: list[int], crowds: list[int]) -> None:
    """Adds the numbers of the right that are one character from this one; of a crowd no more than shows that it is one. Two such numbers
    have one form in common, and so meet once.
    """
    for form in _forms(folded):
        for other in forms.get(form, ()):
            like = folds[other]
            if like != folded and Levenshtein.distance(folded, like, score_cutoff=1) == 1:
                crowds[other] += 1
                if len(others) <= MOST:
                    others.append(other)


def _forms(folded: str) -> set[str]:
    """A number and what is left of it without one of its characters; nothing of one that is too short."""
    if len(folded) < SHORTEST:
        return set()
    return {folded, *(folded[:place] + folded[place + 1 :] for place in range(len(folded)))}

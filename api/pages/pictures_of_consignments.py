"""Consignments as pictures: how far all of them are, where they are now, and each of a page beside the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from api.pages import number, term
from api.pages.pictures_of_reports import IN_TABLE
from api.pictures.bars import Bar, Series, lying_bars
from api.pictures.drawing import Caption, Words
from api.words import N_
from stockpile.donors.progress import ProgressRow

Numbers = Mapping[str, int]

STEPS = (
    ("declared", N_("Declared")),
    ("shipped", N_("Shipped")),
    ("arrived", N_("Arrived")),
    ("verified", N_("Verified")),
)
"""How far a consignment is."""
PARTS = (
    (N_("Not here yet"), ("not_shipped", "on_its_way"), 1),
    (N_("In store"), ("in_store",), 2),
    (N_("Issued"), ("issued",), 0),
    (N_("In maintenance"), ("in_maintenance",), 4),
    (N_("Missing or lost"), ("missing", "lost"), 3),
    (N_("Expended, destroyed or exported"), ("expended", "destroyed", "exported"), 7),
)  # fmt: skip
"""Where its pieces are, few enough to be seen apart: what each part is called, which numbers it adds up, its colour and pattern."""


def how_far(numbers: Numbers) -> Markup:
    """Declared, shipped, arrived, verified, one below the other."""
    series = (Series(Words(term(N_("Pieces"))), 0),)
    bars = [Bar(Words(term(label)), (numbers[name],)) for name, label in STEPS]
    return lying_bars(_caption("steps", N_("How far it is")), series, bars, number)


def where_now(numbers: Numbers) -> Markup:
    """Where the pieces are, a bar for each kind of place."""
    series = (Series(Words(term(N_("Pieces"))), 2),)
    told = [(label, _sum(numbers, names)) for label, names, _ in PARTS]
    bars = [Bar(Words(term(label)), (pieces,)) for label, pieces in told if pieces]
    return lying_bars(_caption("places", N_("Where it is now")), series, bars, number)


def side_by_side(rows: Sequence[ProgressRow]) -> Markup:
    """A bar for each consignment, in its parts."""
    told = [{name: getattr(row, name) for _, names, _ in PARTS for name in names} for row in rows]
    there = [one for one in PARTS if any(_sum(numbers, one[1]) for numbers in told)]
    series = [Series(Words(term(label)), place) for label, _, place in there]
    bars = [
        Bar(Words(row.reference[-18:], data=True), tuple(_sum(numbers, names) for _, names, _ in there))
        for row, numbers in zip(rows, told, strict=True)
    ]
    return lying_bars(_caption("consignments", N_("Where each consignment is now")), series, bars, number)


def _sum(numbers: Numbers, names: Sequence[str]) -> int:
    return sum(numbers[name] for name in names)


def _caption(name: str, title: str) -> Caption:
    return Caption(name, term(title), term(IN_TABLE))

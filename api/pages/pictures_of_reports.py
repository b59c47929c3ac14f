"""What the pictures of reports show: rows of a table as bars and flows, with their words in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from babel.dates import format_date
from markupsafe import Markup

from api.pages import number, term
from api.pages.sites import CLASS_LABELS
from api.pictures.bars import Bar, Series, lying_bars, upright_bars
from api.pictures.drawing import Caption, Words
from api.pictures.flow import Flow, flow_picture
from api.words import N_, viewer
from stockpile.movements import BALANCED, AccountClass
from stockpile.reports.count_compliance import ComplianceLine
from stockpile.reports.flows import FlowRow
from stockpile.reports.losses import LossSum
from stockpile.reports.over_time import MonthLine
from stockpile.reports.transit import TransitRow

IN_TABLE = N_("The same numbers stand in the table below.")
PLACES = tuple(AccountClass)
BANDS = (
    (7, N_("up to a week")),
    (30, N_("up to 30 days")),
    (90, N_("up to 90 days")),
    (365, N_("up to a year")),
    (None, N_("longer")),
)
"""Bands of age by their last day."""


def _caption(name: str, title: str) -> Caption:
    return Caption(name, term(title), term(IN_TABLE))


def _series(*names: str) -> tuple[Series, ...]:
    return tuple(Series(Words(term(name)), place) for place, name in enumerate(names))


def _month(day: date) -> Words:
    return Words(format_date(day, "MMM yy", locale=viewer.get().language.locale), data=True)


def _place(place: AccountClass) -> Words:
    """A kind of place, as the books call it; `outside` as people do."""
    return Words(term(CLASS_LABELS[place] if place in CLASS_LABELS else N_("Outside the books")))


def losses_by_month(rows: Sequence[LossSum]) -> Markup:
    """Pieces lost in each month, by what became of them."""
    series = _series(N_("Still missing"), N_("Concluded"), N_("Found again"))
    bars = [Bar(_month(row.day), (row.missing, row.concluded, row.found)) for row in _every_month(rows) if row.day]
    return upright_bars(_caption("losses", N_("Losses by month")), series, bars, number)


def _every_month(rows: Iterable[LossSum]) -> list[LossSum]:
    """Also the months in which nothing was lost, between the first and the last: a gap in time is shown as one."""
    known = {row.day: row for row in rows if row.day is not None}
    if not known:
        return []
    months, day = [], min(known)
    while day <= max(known):
        first = next(iter(known.values()))
        months.append(known.get(day, LossSum(first.by, None, day, 0, 0, 0, 0, 0, None)))
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return months


def ages(caption: Caption, pieces: Iterable[tuple[int, int, bool]], series: Sequence[Series]) -> Markup:
    """How many pieces are of which age: days, how many, whether overdue. Of anything that waits: shipments, cases."""
    bars = [[0, 0] for _ in BANDS]
    for days, several, late in pieces:
        place = next(n for n, (last, _) in enumerate(BANDS) if last is None or days <= last)
        bars[place][late] += several
    shown = [Bar(Words(term(name)), tuple(parts)) for (_, name), parts in zip(BANDS, bars, strict=True)]
    return upright_bars(caption, series, shown, number)


def ages_of_transits(rows: Sequence[TransitRow]) -> Markup:
    """How long pieces have been on their way, in time and overdue."""
    series = _series(N_("Not overdue"), N_("Overdue"))
    pieces = ((row.days_on_way, row.outstanding, row.overdue) for row in rows)
    return ages(_caption("ages", N_("How long pieces have been on their way")), pieces, series)


def over_time(rows: Sequence[MonthLine]) -> Markup:
    """Pieces in each kind of place at the end of each month."""
    there = [one for one in BALANCED if any(getattr(row, one) for row in rows)]
    series = [Series(_place(one), PLACES.index(one)) for one in there]
    bars = [Bar(_month(row.on), tuple(getattr(row, one) for one in there)) for row in rows]
    return upright_bars(_caption("holdings", N_("Holdings over time")), series, bars, number)


def flows_between_places(rows: Sequence[FlowRow]) -> Markup:
    """Pieces from one kind of place to another."""
    places = [_place(one) for one in PLACES]
    drawn = [Flow(PLACES.index(row.origin), PLACES.index(row.place), row.pieces) for row in rows if row.pieces > 0]
    return flow_picture(_caption("flow", N_("Flow of weapons")), places, drawn, number)


def compliance_by_site(rows: Sequence[ComplianceLine]) -> Markup:
    """Weapons counted in time, overdue, and never counted, by site."""
    series = _series(N_("Counted in time"), N_("Overdue"), N_("Never counted"))
    bars = [Bar(Words(row.site, data=True), (row.in_time, row.overdue - row.never, row.never)) for row in rows]
    return lying_bars(_caption("compliance", N_("Counts kept in time, by site")), series, bars, number)

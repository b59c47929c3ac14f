"""Questions about people and their papers: handovers that lack some, holders against the roster, and what is unusual."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy import Connection

from stockpile.commands.asking import Token
from stockpile.commands.files import Csv, Xlsx
from stockpile.commands.monitoring import AtSite, Donor, Limit, Model, day_of, show_report
from stockpile.commands.reports import Moment, in_utc
from stockpile.commands.shown import out
from stockpile.reports.as_of import AsOf
from stockpile.reports.handover_papers import Gap, HandoverPapers, PaperRow, PapersSought, handover_papers
from stockpile.reports.holders import Doubt, HolderRow, Holders, HoldersSought, doubtful_holders
from stockpile.reports.unusual import Thresholds, Unusual, UnusualRow, UnusualSought, unusual
from stockpile.rights import Actor

DAY = ["%Y-%m-%d"]
Unit = Annotated[str | None, typer.Option(help="Only this unit, with its people and sub-units")]
Since = Annotated[datetime | None, typer.Option(formats=DAY, help="What happened from this day on")]
Until = Annotated[datetime | None, typer.Option(formats=DAY, help="What happened up to this day")]
Hour = Annotated[int | None, typer.Option(min=0, max=23)]
Number = Annotated[int | None, typer.Option(min=1, max=100_000)]


def show_handover_papers(
    gap: Annotated[Gap | None, typer.Option(help="Only those that lack this")] = None,
    unit: Unit = None,
    donor: Donor = None,
    site: AtSite = None,
    model: Model = None,
    since: Since = None,
    until: Until = None,
    late_after_hours: Annotated[int | None, typer.Option(min=0, max=100_000, help="Left out: 24")] = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show handovers without complete papers, and opening lists that no count confirmed."""
    sought = PapersSought(donor, site, model, unit, day_of(since), day_of(until), gap)
    at = AsOf(in_utc(happened), in_utc(recorded))

    def ask(connection: Connection, actor: Actor, limit: int | None, cursor: str | None) -> HandoverPapers:
        return handover_papers(connection, actor, sought, at, late_after_hours, limit, cursor)

    fields = ("document_number", "act", "happened_at", "recorded_at", "receiver", "quantity", "lacks")
    found = show_report(token, ask, PaperRow, fields, "The papers of every handover are complete.", limit, csv, xlsx)
    if found is not None:
        out.print(
            f"\n{found.incomplete:,} of {found.documents:,} documents without complete papers "
            f"({found.incomplete_percent or 0} %): {_counts(found.by_gap)}. {found.not_counted:,} pieces not counted since opening.",
            markup=False,
        )


def show_holders(
    doubt: Annotated[Doubt | None, typer.Option(help="Only holders against whom this speaks")] = None,
    unit: Unit = None,
    donor: Donor = None,
    site: AtSite = None,
    model: Model = None,
    weapons_a_head: Annotated[int | None, typer.Option(min=0, max=1000, help="Left out: 2")] = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show who holds weapons and is on no roster, gone or beyond what is allowed; and ghost units."""
    sought, at = HoldersSought(donor, site, model, unit, doubt), AsOf(in_utc(happened), in_utc(recorded))

    def ask(connection: Connection, actor: Actor, limit: int | None, cursor: str | None) -> Holders:
        return doubtful_holders(connection, actor, sought, at, weapons_a_head, limit, cursor)

    fields = ("holder", "doubt", "reason", "unit", "site", "model", "quantity")
    found = show_report(
        token, ask, HolderRow, fields, "Whoever holds something is on the roster, and may.", limit, csv, xlsx
    )
    if found is not None:
        out.print(
            f"\nBy the roster of {found.on}: {found.holders:,} holders of {found.quantity:,} pieces: {_counts(found.by_doubt)}.",
            markup=False,
        )


def show_unusual(
    sign: Annotated[str | None, typer.Option(help="Only this sign, e.g. 'issue at night'")] = None,
    unit: Unit = None,
    donor: Donor = None,
    site: AtSite = None,
    model: Model = None,
    since: Since = None,
    until: Until = None,
    night_begins: Hour = None,
    night_ends: Hour = None,
    bulk_issue: Number = None,
    issue_then_loss: Number = None,
    identification_changes: Number = None,
    typed_lines: Number = None,
    seconds_a_weapon: Number = None,
    fast_count: Number = None,
    undone_in_a_day: Number = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show what is unusual, each sign with its reason; thresholds that are left out are those of the data."""
    sought = UnusualSought(donor, site, model, unit, day_of(since), day_of(until), sign)
    at = AsOf(in_utc(happened), in_utc(recorded))
    limits = Thresholds(
        night_begins, night_ends, bulk_issue, issue_then_loss, identification_changes, typed_lines, seconds_a_weapon, fast_count,
        undone_in_a_day,
    )  # fmt: skip

    def ask(connection: Connection, actor: Actor, limit: int | None, cursor: str | None) -> Unusual:
        return unusual(connection, actor, sought, at, limits, limit, cursor)

    fields = ("sign", "reason", "happened_at", "site", "document_number", "count", "serial_number", "person")
    found = show_report(token, ask, UnusualRow, fields, "Nothing unusual.", limit, csv, xlsx)
    if found is not None:
        out.print(f"\n{found.signs:,} signs: {_counts(found.by_sign)}.", markup=False)


def _counts(numbers: Mapping[str, int]) -> str:
    """What there is of each kind."""
    return ", ".join(f"{number:,} {name}" for name, number in numbers.items() if number) or "none"

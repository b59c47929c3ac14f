"""How far consignments are, at a terminal; the weapons of one, and their proofs to take along; as the person of a token."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.reports import Moment, in_utc
from stockpile.commands.shown import out, show_table
from stockpile.donors.progress import (
    COUNTED,
    Attention,
    ConsignmentWeapon,
    ProgressRow,
    ProgressSought,
    Stage,
    list_consignment_weapons,
    list_progress,
    need_consignment_called,
)
from stockpile.donors.proofs import consignment_package
from stockpile.reports.as_of import AsOf
from stockpile.rights import reading
from stockpile.settings import read_settings

Donor = Annotated[str | None, typer.Option(help="Only this donor's")]
Reference = Annotated[str, typer.Argument(metavar="CONSIGNMENT", help="The donor's number of it")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]
SHOWN = ("donor", "reference", "site", "expected_on", *COUNTED, "days_late")
OF_WEAPONS = (
    "asset_tag", "model", "serial_number", "stage", "site", "quantity", "arrived", "verified", "since", "document_number",
)  # fmt: skip


def show_progress(
    reference: Annotated[
        str | None,
        typer.Argument(metavar="CONSIGNMENT", help="One of them, by its number: its weapons, and where each is"),
    ] = None,
    donor: Donor = None,
    site: Annotated[str | None, typer.Option(help="Only this site")] = None,
    text: Annotated[str | None, typer.Option(help="Only those with this in their number")] = None,
    attention: Annotated[Attention | None, typer.Option(help="Only those that want attention for this")] = None,
    stage: Annotated[Stage | None, typer.Option(help="Of one consignment: only weapons behind this number")] = None,
    happened: Moment = None,
    recorded: Moment = None,
    limit: Limit = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show how much of each consignment was declared, shipped, arrived and verified, and where it is now; or the weapons of one."""
    at, every = AsOf(in_utc(happened), in_utc(recorded)), None if csv or xlsx else limit
    with reading_as(token) as (connection, actor):
        if reference is not None:
            consignment_id = need_consignment_called(connection, actor, reference, donor)
            weapons = list_consignment_weapons(connection, actor, consignment_id, stage, text, at, every)
            if csv or xlsx:
                write_report(csv, xlsx, ConsignmentWeapon, weapons.rows)
                return
            _show(OF_WEAPONS, weapons.rows, "No weapon of it fits.", weapons.cursor)
            out.print(f"\nIn all: lines {weapons.sums[0]:,}, pieces {weapons.sums[1]:,}.", markup=False)
            return
        found = list_progress(connection, actor, ProgressSought(donor, site, text, attention), at, every)
        if csv or xlsx:
            write_report(csv, xlsx, ProgressRow, found.rows)
            return
    told = [name for name in SHOWN if name not in COUNTED[4:] or any(getattr(row, name) for row in found.rows)]
    _show(told, found.rows, "There are no such consignments.", found.cursor)
    names = ("consignments", *COUNTED)
    said = ", ".join(
        f"{name.replace('_', ' ')} {number:,}" for name, number in zip(names, found.sums, strict=False) if number
    )
    if said:
        out.print(f"\nIn all: {said}.", markup=False)


def _show(fields: tuple[str, ...] | list[str], rows: tuple[object, ...], nothing: str, cursor: str | None) -> None:
    show_table(
        [name.replace("_", " ") for name in fields], [[getattr(row, name) for name in fields] for row in rows], nothing
    )
    if cursor:
        out.print("... and more: --limit shows up to 1000; --csv and --xlsx write all.", markup=False)


def write_consignment_proof(
    reference: Reference,
    file: Annotated[Path, typer.Option("-o", "--output", help="Where to write it")],
    donor: Donor = None,
    part: Annotated[int, typer.Option(min=1, help="Of a large consignment: which part")] = 1,
    token: Token = None,
) -> None:
    """Write a consignment's weapons with their proofs as one archive, to be checked without these books: 'stockpile check-proof'."""
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            consignment_id = need_consignment_called(connection, actor, reference, donor)
        packed, name = consignment_package(engine, actor, read_settings().signing_folder, consignment_id, part)
    file.write_bytes(packed)
    out.print(f"{file}: {name}, {len(packed):,} bytes.", markup=False)

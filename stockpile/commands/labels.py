"""Printing labels at a terminal, as the person of a token: sheets as PDF, or ZPL to send to a thermal printer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from labels.sheets import sheets
from labels.tags import Code
from stockpile.commands.asking import Token, acting
from stockpile.commands.shown import counted, new_group, out, show_table
from stockpile.errors import Fault, Invalid
from stockpile.labelling import USUAL_SHEET, PrintLabels, print_labels
from stockpile.registers.write import CannotWrite

To = Annotated[Path, typer.Option("--to", help="The file: .pdf for sheets, .zpl for a thermal printer", dir_okay=False)]
SiteCode = Annotated[str | None, typer.Option("--site", help="Site code; left out: one's own, or all")]
Store = Annotated[str | None, typer.Option(help="The name of a store")]
Codes = Annotated[
    list[Code] | None, typer.Option("--code", help="code-128; qr or data-matrix (a weapon's UII); may be repeated")
]
SheetCode = Annotated[str | None, typer.Option(help=f"'stockpile label sheets' says which; left out: {USUAL_SHEET}")]
Start = Annotated[int, typer.Option(help="The first label of the sheet that is still there", min=1)]
OffsetX = Annotated[float, typer.Option(help="Millimetres by which all is moved to the right")]
OffsetY = Annotated[float, typer.Option(help="Millimetres by which all is moved down")]
Width = Annotated[float, typer.Option(help="Of a label in the thermal printer, in millimetres")]
Height = Annotated[float, typer.Option(help="Of a label in the thermal printer, in millimetres")]
Dots = Annotated[int, typer.Option(help="Dots an inch of the thermal printer: 203 or 300")]
Density = Annotated[int | None, typer.Option(help="How dark the thermal printer prints, 0 to 30")]

label = new_group("Labels for weapons, stores, people and sealed containers.")


@label.command("weapons")
def print_weapons(
    scans: Annotated[list[str] | None, typer.Argument(help="Asset tags, serial numbers, UIIs")] = None,
    to: To = Path("labels.pdf"),
    document: Annotated[str | None, typer.Option(help="All weapons of a document that are here now")] = None,
    site: SiteCode = None,
    store: Store = None,
    model: Annotated[str | None, typer.Option(help="Weapons of one model: its name")] = None,
    code: Codes = None,
    sheet: SheetCode = None,
    start: Start = 1,
    offset_x: OffsetX = 0,
    offset_y: OffsetY = 0,
    width: Width = 57,
    height: Height = 32,
    dots: Dots = 203,
    density: Density = None,
    token: Token = None,
) -> None:
    """Print the asset tags or UIIs of weapons: as scanned, of a document, or of a store or model."""
    chosen = {"scans": scans or (), "document": document, "site": site, "store": store, "model": model}
    paper = {"sheet": sheet, "start": start, "offset_x": offset_x, "offset_y": offset_y}
    _print("weapons", chosen, code, paper, (width, height, dots, density), to, token)


@label.command("stores")
def print_stores(
    to: To = Path("labels.pdf"),
    site: SiteCode = None,
    store: Store = None,
    code: Codes = None,
    sheet: SheetCode = None,
    start: Start = 1,
    offset_x: OffsetX = 0,
    offset_y: OffsetY = 0,
    width: Width = 57,
    height: Height = 32,
    dots: Dots = 203,
    density: Density = None,
    token: Token = None,
) -> None:
    """Print labels for the doors of stores."""
    paper = {"sheet": sheet, "start": start, "offset_x": offset_x, "offset_y": offset_y}
    _print("stores", {"site": site, "store": store}, code, paper, (width, height, dots, density), to, token)


@label.command("people")
def print_people(
    numbers: Annotated[list[str] | None, typer.Argument(help="Service numbers; left out: all of unit or site")] = None,
    to: To = Path("labels.pdf"),
    site: SiteCode = None,
    unit: Annotated[str | None, typer.Option(help="People of one unit: its code")] = None,
    code: Codes = None,
    sheet: SheetCode = None,
    start: Start = 1,
    offset_x: OffsetX = 0,
    offset_y: OffsetY = 0,
    width: Width = 57,
    height: Height = 32,
    dots: Dots = 203,
    density: Density = None,
    token: Token = None,
) -> None:
    """Print people's badges: the service number to be scanned."""
    chosen = {"scans": numbers or (), "site": site, "unit": unit}
    paper = {"sheet": sheet, "start": start, "offset_x": offset_x, "offset_y": offset_y}
    _print("people", chosen, code, paper, (width, height, dots, density), to, token)


@label.command("seals")
def print_seals(
    numbers: Annotated[list[str] | None, typer.Argument(help="Numbers of seals; left out: all that are on")] = None,
    to: To = Path("labels.pdf"),
    site: SiteCode = None,
    store: Store = None,
    code: Codes = None,
    sheet: SheetCode = None,
    start: Start = 1,
    offset_x: OffsetX = 0,
    offset_y: OffsetY = 0,
    width: Width = 57,
    height: Height = 32,
    dots: Dots = 203,
    density: Density = None,
    token: Token = None,
) -> None:
    """Print labels of sealed containers: the seal's number to be scanned."""
    chosen = {"scans": numbers or (), "site": site, "store": store}
    paper = {"sheet": sheet, "start": start, "offset_x": offset_x, "offset_y": offset_y}
    _print("seals", chosen, code, paper, (width, height, dots, density), to, token)


@label.command("sheets")
def show_sheets() -> None:
    """List the makes of label sheets that can be printed on."""
    rows = [
        (one.code, one.name, one.paper, one.labels, f"{one.width:.1f} x {one.height:.1f}") for one in sheets().values()
    ]
    show_table(("code", "make", "paper", "labels", "mm"), rows, "There are none.")


def _print(
    of: str,
    chosen: dict[str, Any],
    codes: list[Code] | None,
    paper: dict[str, Any],
    printer: tuple[float, float, int, int | None],
    to: Path,
    token: str | None,
) -> None:
    """Writes the labels to the file, whose ending says what they are printed on."""
    ending = to.suffix.lower()
    if ending not in (".pdf", ".zpl"):
        raise Invalid(
            "The file cannot be written.", [Fault("end its name in .pdf or .zpl", field="--to", value=to.name)]
        )
    roll = dict(zip(("width", "height", "dots_an_inch", "density"), printer, strict=True))
    asked = {"of": of, **chosen, **paper, "codes": codes or (), "zpl": roll if ending == ".zpl" else None}
    with acting(token) as (engine, actor):
        printed = print_labels(engine, actor, PrintLabels.model_validate(asked))
    try:
        to.write_bytes(printed.content)
    except OSError as problem:
        raise CannotWrite(f"{to} cannot be written: {problem.strerror}. Choose another file.") from None
    elsewhere = f" {printed.left_out:,} of the document are elsewhere now." if printed.left_out else ""
    out.print(f"{to}: {counted(printed.labels, 'label', 'labels')}.{elsewhere}", markup=False)

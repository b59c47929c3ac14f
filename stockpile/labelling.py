"""Printing labels: which, with which codes, on a sheet or for a thermal printer. It reads and draws; it marks nothing: what is put on
a weapon is recorded by a marking.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Connection, Engine

from labels.sheets import LARGEST_OFFSET, find_sheet, print_sheets
from labels.tags import SQUARE, Code, Label
from labels.zpl import DENSEST, LARGEST_SIDE, LEAST_SIDE, Roll, print_zpl
from stockpile.documents import Asked, Scan
from stockpile.documents import Code as Words
from stockpile.errors import Fault, Invalid
from stockpile.reports import labels
from stockpile.reports.labels import Chosen
from stockpile.rights import PRINT_LABELS, READ_PEOPLE, Actor, reading, require
from stockpile.sentences import sentence

MOST = 5_000
"""Labels at once."""

USUAL_SHEET = "L7160"


class Of(StrEnum):
    """What is labelled."""

    WEAPONS = "weapons"
    STORES = "stores"
    PEOPLE = "people"
    SEALS = "seals"


USUAL_CODES = {
    Of.WEAPONS: (Code.CODE_128,),
    Of.STORES: (Code.QR,),
    Of.PEOPLE: (Code.CODE_128, Code.QR),
    Of.SEALS: (Code.CODE_128,),
}

TAKES = {
    Of.WEAPONS: {"scans", "items", "document", "site", "store", "model"},
    Of.STORES: {"site", "store"},
    Of.PEOPLE: {"scans", "site", "unit"},
    Of.SEALS: {"scans", "site", "store"},
}
"""Which of them can be said of what."""

Offset = Annotated[float, Field(ge=-LARGEST_OFFSET, le=LARGEST_OFFSET)]
Side = Annotated[float, Field(ge=LEAST_SIDE, le=LARGEST_SIDE)]


class ThermalPrinter(Asked):
    """A printer that speaks ZPL, and the labels in it."""

    width: Side = Field(57, description="Of a label, in millimetres")
    height: Side = Field(32, description="Of a label, in millimetres")
    dots_an_inch: Literal[203, 300] = Field(203, description="203 or 300", examples=[203])
    density: Annotated[int, Field(ge=0, le=DENSEST)] | None = Field(
        None, description="How dark, 0 to 30; left out: as the printer is set"
    )


class PrintLabels(Asked):
    """Labels to print: which ones, with which codes, and on what."""

    of: Of = Field(Of.WEAPONS, description="weapons, stores, people (badges) or seals (sealed containers)")
    scans: Annotated[tuple[Scan, ...], Field(max_length=MOST)] = Field(
        (), description="Weapons as scanned or typed; service numbers; numbers of seals", examples=[["KT 449900"]]
    )
    items: Annotated[tuple[UUID, ...], Field(max_length=MOST)] = Field(
        (), description="Weapons by their keys", examples=[[]]
    )
    document: Words | None = Field(
        None, description="All weapons of a document that are here now: its number or key", examples=[None]
    )
    site: Words | None = Field(None, description="Site code; left out: one's own, or all", examples=[None])
    store: Words | None = Field(None, description="The name of a store", examples=[None])
    model: Words | None = Field(None, description="Weapons of one model: its name", examples=[None])
    unit: Words | None = Field(None, description="People of one unit: its code", examples=[None])
    codes: Annotated[tuple[Code, ...], Field(max_length=2)] = Field(
        (),
        description="code-128 and qr hold the asset tag, service number, seal or store; data-matrix a weapon's UII. Left out: "
        "what is usual for such a label",
        examples=[["code-128"]],
    )
    sheet: Words | None = Field(
        None, description=f"GET /v1/label-sheets says which; left out: {USUAL_SHEET}", examples=["L7160"]
    )
    start: Annotated[int, Field(ge=1, le=500)] = Field(
        1, description="The first label of the sheet that is still there"
    )
    offset_x: Offset = Field(0, description="Millimetres by which all is moved to the right")
    offset_y: Offset = Field(0, description="Millimetres by which all is moved down")
    zpl: ThermalPrinter | None = Field(None, description="For a thermal printer instead of a sheet", examples=[None])

    @model_validator(mode="after")
    def _fits(self) -> Self:
        said = {
            name for name in ("scans", "items", "document", "site", "store", "model", "unit") if getattr(self, name)
        }
        if strange := sorted(said - TAKES[self.of]):
            raise ValueError(sentence("{of} are not chosen by {strange}", of=self.of, strange=", ".join(strange)))
        named = said & {"scans", "items", "document"}
        if len(named) > 1 or (named and said & {"store", "model"}):
            raise ValueError(sentence("choose by scans, or by a document, or by store and model"))
        if len(set(self.codes)) < len(self.codes) or len(set(self.codes) & set(SQUARE)) > 1:
            raise ValueError(sentence("codes: code-128 and at most one of qr and data-matrix"))
        if Code.DATA_MATRIX in self.codes and self.of is not Of.WEAPONS:
            raise ValueError(sentence("a data-matrix holds a weapon's UII: choose qr"))
        if self.zpl is not None and (self.sheet is not None or self.start != 1):
            raise ValueError(sentence("sheet and start are of sheets: leave them out for a thermal printer"))
        return self


@dataclass(frozen=True, slots=True)
class Printed:
    """What goes to the printer. `left_out`: weapons of the document that are not here now."""

    content: bytes
    media_type: str
    ending: str
    labels: int
    left_out: int = 0


def print_labels(engine: Engine, actor: Actor, asked: PrintLabels) -> Printed:
    """The labels asked for, as PDF or ZPL. Raises NotAllowed, NotFound, Refused (a reason for each that has no label here),
    Invalid (the sheet, a label that does not fit, none, or too many).
    """
    require(actor, PRINT_LABELS)
    if asked.of in (Of.PEOPLE, Of.SEALS):
        require(actor, READ_PEOPLE)
    sheet = find_sheet(asked.sheet or USUAL_SHEET)
    with reading(engine, actor) as connection:
        wanted, left_out = _labels(connection, actor, asked)
    _check_number(wanted, left_out)
    offset = (asked.offset_x, asked.offset_y)
    if asked.zpl is not None:
        printer = asked.zpl
        roll = Roll(printer.width, printer.height, printer.dots_an_inch, printer.density, offset)
        return Printed(print_zpl(wanted, roll), "application/vnd.zebra-zpl", "zpl", len(wanted), left_out)
    title = f"Labels: {len(wanted)} {asked.of}"
    return Printed(
        print_sheets(wanted, sheet, asked.start, offset, title), "application/pdf", "pdf", len(wanted), left_out
    )


def _labels(connection: Connection, actor: Actor, asked: PrintLabels) -> tuple[list[Label], int]:
    codes = asked.codes or USUAL_CODES[asked.of]
    chosen = Chosen(asked.site, asked.store, asked.model, asked.unit)
    # One more than may be, so that too many are noticed.
    most = MOST + 1
    if asked.of is Of.STORES:
        return labels.stores(connection, actor, chosen, codes, most), 0
    if asked.of is Of.PEOPLE:
        return labels.people(connection, actor, asked.scans, chosen, codes, most), 0
    if asked.of is Of.SEALS:
        return labels.seals(connection, actor, asked.scans, chosen, codes, most), 0
    if asked.scans or asked.items:
        return labels.weapons_scanned(connection, actor, asked.scans or asked.items, codes), 0
    if asked.document is not None:
        return labels.weapons_of_document(connection, actor, asked.document, codes, most)
    return labels.weapons_held(connection, actor, chosen, codes, most), 0


def _check_number(wanted: list[Label], left_out: int) -> None:
    if not wanted:
        why = (
            sentence("all its {left_out:,} weapons are elsewhere now", left_out=left_out)
            if left_out
            else sentence("nothing in your scope is so: check the names")
        )
        raise Invalid(sentence("There is nothing to label: {why}.", why=why), [Fault(why, field="of")])
    if len(wanted) > MOST:
        why = sentence("at most {most:,} at once: choose a store or a model", most=MOST)
        raise Invalid(sentence("These are more than {most:,} labels.", most=MOST), [Fault(why, field="of")])

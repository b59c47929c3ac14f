r"""Labels for thermal printers that speak ZPL II: the printer draws Code 128 (^BC), Data Matrix (^BX) and QR (^BQ) by itself, in whole
dots. Control characters, and those that ZPL takes for itself, are written in hexadecimal (^FH), so that what is scanned is what was meant
to the byte. Letters that the printer's own font lacks come as pictures (^GF).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from labels.layout import MILLIMETRES_AN_INCH, Area, Laid, Line, lay_out
from labels.sheets import is_right_to_left
from labels.tags import Code, Label
from labels.typesetting import FOLDER, pictures
from stockpile.errors import Fault, Invalid
from stockpile.sentences import sentence

LETTERING = FOLDER / "lettering.typ"

RESOLUTIONS = (203, 300)
LEAST_SIDE, LARGEST_SIDE = 10.0, 200.0
LARGEST_OFFSET = 10.0
DENSEST = 30

ESCAPE = "\\"
"""Begins a character in hexadecimal: ^FH's own default, the underscore, is one of serial numbers."""

WIDTH_OF_LETTER = 0.62
"""Of its height, for the printer's font 0: a little more than its capitals take."""

PAPER, INK = 255, 128


@dataclass(frozen=True, slots=True)
class Roll:
    """What is in the printer: size of a label in millimetres, dots an inch; density 0 to 30, or as the printer is set; where printing
    begins, in millimetres to the right and down.
    """

    width: float = 57.0
    height: float = 32.0
    dots_an_inch: int = 203
    density: int | None = None
    offset: tuple[float, float] = (0, 0)

    def check(self) -> None:
        """Raises Invalid, naming what no printer has."""
        faults = []
        for name, side in (("width", self.width), ("height", self.height)):
            if not LEAST_SIDE <= side <= LARGEST_SIDE:
                faults.append(
                    Fault(
                        sentence(
                            "{least_side:.0f} to {largest_side:.0f} mm",
                            least_side=LEAST_SIDE,
                            largest_side=LARGEST_SIDE,
                        ),
                        field=name,
                        value=f"{side:g}",
                    )
                )
        if self.dots_an_inch not in RESOLUTIONS:
            faults.append(Fault(sentence("203 or 300"), field="dots_an_inch", value=str(self.dots_an_inch)))
        if self.density is not None and not 0 <= self.density <= DENSEST:
            faults.append(Fault(sentence("0 to {densest}", densest=DENSEST), field="density", value=str(self.density)))
        if max(map(abs, self.offset)) > LARGEST_OFFSET:
            faults.append(
                Fault(
                    sentence("at most {largest_offset:.0f} mm either way", largest_offset=LARGEST_OFFSET),
                    field="offset",
                )
            )
        if faults:
            raise Invalid(sentence("The labels cannot be printed so."), faults)


def print_zpl(labels: Sequence[Label], roll: Roll) -> bytes:
    """The labels as ZPL, to be sent to the printer as they are. Raises Invalid (the roll, a label that does not fit)."""
    roll.check()
    area = Area.of(roll.width, roll.height, roll.dots_an_inch, printer_draws=True)
    laid = [lay_out(label, area) for label in labels]
    drawn = _drawn({_lettered(line) for one in laid for line in one.lines if not line.text.isascii()}, area)
    begin = f"~SD{roll.density:02}\n" if roll.density is not None else ""
    return (begin + "".join(_format(one, area, roll, drawn) for one in laid)).encode()


Lettered = tuple[int, int, bool, str]
"""Width and height of its box, whether bold, the text: a line whatever its place."""


def _lettered(line: Line) -> Lettered:
    return line.width, line.height, line.bold, line.text


def _format(laid: Laid, area: Area, roll: Roll, drawn: dict[Lettered, str]) -> str:
    """One label: ^XA to ^XZ."""
    right, down = (round(by * area.dots_an_inch / MILLIMETRES_AN_INCH) for by in roll.offset)
    head = ("^XA", "^CI28", f"^PW{area.width}^LL{area.height}^LS{-right}^LT{down}")
    return "\n".join((*head, *_codes(laid), *(_letters(line, drawn) for line in laid.lines), "^XZ\n"))


def _codes(laid: Laid) -> Iterator[str]:
    if laid.square is not None:
        code, label = laid.square, laid.label
        # ^BQ moves its code down by the height that ^BY has.
        square = f"^BXN,{code.module},200" if label.square_code is Code.DATA_MATRIX else f"^BY2,3,1^BQN,2,{code.module}"
        mode = "" if label.square_code is Code.DATA_MATRIX else "MA,"
        yield f"^FO{code.x},{code.y}{square}{field(mode + (label.square or ''))}"
    if laid.bars is not None:
        bars = laid.bars
        # In Code 128 > begins a command of its own; >0 is the sign itself.
        content = bars.content.replace(">", ">0")
        yield f"^FO{bars.x},{bars.y}^BY{bars.module},3,{bars.height}^BCN,{bars.height},N,N,N,A{field(content)}"


def _letters(line: Line, drawn: dict[Lettered, str]) -> str:
    if not line.text.isascii():
        return f"^FO{line.x},{line.y}{drawn[_lettered(line)]}^FS"
    high = round(line.height / 1.2)
    wide = min(round(high * 0.9), max(1, round(line.width / (len(line.text) * WIDTH_OF_LETTER))))
    return f"^FO{line.x},{line.y}^A0N,{high},{wide}{field(line.text)}"


def field(text: str) -> str:
    """A field with a text, every byte of which arrives."""
    return f"^FH{ESCAPE}^FD{''.join(map(_escaped, text))}^FS"


def _escaped(character: str) -> str:
    if character in "^~" + ESCAPE or not character.isprintable():
        return "".join(f"{ESCAPE}{byte:02X}" for byte in character.encode())
    return character


def _drawn(lines: set[Lettered], area: Area) -> dict[Lettered, str]:
    """Each line as a picture in ZPL."""
    if not lines:
        return {}
    wanted = sorted(lines)
    given = {
        "dots_an_inch": area.dots_an_inch,
        "lines": [(width, height, bold, is_right_to_left(text), text) for width, height, bold, text in wanted],
    }
    pages = pictures(LETTERING, given, area.dots_an_inch)
    return {line: graphic(Image.open(BytesIO(page))) for line, page in zip(wanted, pages, strict=True)}


def graphic(picture: Image.Image) -> str:
    """A picture as ^GF in hexadecimal, black or white; of a row, what is white to the end is left out (`,`), and a row like the one
    before is not said again (`:`).
    """
    dark = picture.convert("L").point(lambda shade: PAPER if shade < INK else 0).convert("1")
    box = dark.getbbox()
    dark = dark.crop((0, 0, box[2], box[3])) if box else dark.crop((0, 0, 8, 1))
    across = (dark.width + 7) // 8
    raw = dark.tobytes()
    rows = [raw[begin : begin + across].hex().upper() for begin in range(0, len(raw), across)]
    written, before = [], None
    for row in rows:
        short = row.rstrip("0")
        written.append(":" if row == before else row if short == row else short + ",")
        before = row
    return f"^GFA,{len(raw)},{len(raw)},{across},{''.join(written)}"

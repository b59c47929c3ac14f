"""Labels for thermal printers. A small interpreter, written from the language's description and not from our program, prints what we
send; a scanner reads that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import zxingcpp
from barcode.codex import Code128
from PIL import Image, ImageChops, ImageDraw

from labels.marks import plain_data_matrix, uii_envelope
from labels.tags import Code, Label
from labels.zpl import Roll, print_zpl
from stockpile.errors import Invalid
from tests.printed import scanned
from tests.test_label_sheets import label_of, labels, meant

COMMAND = re.compile(r"[\^~](A0|[A-Z@]{2})([^\^~]*)")


@dataclass
class Printer:
    """What a printer does with the commands we use. Any other command fails the test, as does ink beyond the label."""

    wide: int = 0
    high: int = 0
    density: int | None = None
    shift: tuple[int, int] = (0, 0)
    printed: list[Image.Image] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def takes(self, sent: bytes) -> Printer:
        """Prints what was sent."""
        for command, words in COMMAND.findall(sent.decode("utf-8")):
            getattr(self, f"_{command}")(words if command == "FD" else words.strip())
        return self

    def _SD(self, words: str) -> None:
        assert re.fullmatch("[0-3][0-9]", words)
        self.density = int(words)

    def _XA(self, words: str) -> None:
        assert not words

    def _CI(self, words: str) -> None:
        assert words == "28", "UTF-8"

    def _PW(self, words: str) -> None:
        self.wide = int(words)

    def _LL(self, words: str) -> None:
        self.high = int(words)
        self.printed.append(Image.new("L", (self.wide, self.high), 255))

    def _LS(self, words: str) -> None:
        self.shift = (-int(words), self.shift[1])

    def _LT(self, words: str) -> None:
        assert -120 <= int(words) <= 120
        self.shift = (self.shift[0], int(words))

    def _FO(self, words: str) -> None:
        x, y = map(int, words.split(","))
        self.at, self.draws, self.hexadecimal = (x, y), None, None

    def _BY(self, words: str) -> None:
        self.module = int(words.split(",")[0])
        assert 1 <= self.module <= 10

    def _BC(self, words: str) -> None:
        orientation, height, below, above, check, mode = words.split(",")
        assert (orientation, below, above, check, mode) == ("N", "N", "N", "N", "A")
        self.draws = ("bars", self.module, int(height))

    def _BX(self, words: str) -> None:
        orientation, module, quality = words.split(",")
        assert (orientation, quality) == ("N", "200")
        self.draws = ("data-matrix", int(module), 0)

    def _BQ(self, words: str) -> None:
        orientation, model, module = words.split(",")
        assert (orientation, model) == ("N", "2")
        assert 1 <= int(module) <= 10
        self.draws = ("qr", int(module), 0)

    def _A0(self, words: str) -> None:
        orientation, height, width = words.split(",")
        assert orientation == "N"
        self.draws = ("letters", int(height), int(width))

    def _FH(self, words: str) -> None:
        assert len(words) == 1
        self.hexadecimal = words

    def _FD(self, words: str) -> None:
        assert self.hexadecimal is not None
        text = re.sub(re.escape(self.hexadecimal) + "([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), words)
        kind, size, other = self.draws
        self._ink(getattr(self, f"_draw_{kind.replace('-', '_')}")(text, size, other))

    def _GF(self, words: str) -> None:
        form, sent, whole, across, data = words.split(",", 4)
        assert (form, sent) == ("A", whole)
        rows = list(_rows(data, int(across)))
        assert sum(map(len, rows)) == int(whole)
        picture = Image.frombytes("1", (int(across) * 8, len(rows)), b"".join(rows))
        self._ink(ImageChops.invert(picture.convert("L")))

    def _FS(self, words: str) -> None:
        assert not words

    def _XZ(self, words: str) -> None:
        assert not words

    def _ink(self, picture: Image.Image) -> None:
        x, y = self.at
        assert x >= 0
        assert y >= 0
        dark = ImageChops.invert(picture).getbbox()
        if dark:
            assert x + dark[2] <= self.wide, "ink beyond the label"
            assert y + dark[3] <= self.high, "ink below the label"
        label = self.printed[-1]
        here = label.crop((x, y, x + picture.width, y + picture.height))
        assert not overlapping(here, picture), "ink over ink"
        label.paste(ImageChops.darker(here, picture), (x, y))

    def _draw_bars(self, text: str, module: int, height: int) -> Image.Image:
        text = text.replace(">0", ">")
        (pattern,) = Code128(text).build()
        picture = Image.new("L", (len(pattern) * module, height), 255)
        for place, dark in enumerate(pattern):
            if dark == "1":
                picture.paste(0, (place * module, 0, (place + 1) * module, height))
        return picture

    def _draw_data_matrix(self, text: str, module: int, _: int) -> Image.Image:
        code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
        drawn = Image.fromarray(code.to_image(scale=module, add_quiet_zones=False))
        free = plain_data_matrix(text) * module
        x, y = self.at
        kept = self.printed[-1].crop((x, y, x + free, y + free))
        assert not ImageChops.invert(kept).getbbox(), "no room for the largest that a printer makes"
        return drawn

    def _draw_qr(self, text: str, module: int, _: int) -> Image.Image:
        assert text.startswith("MA,")
        content = text[3:]
        code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, ec_level="M", eci="UTF-8")
        return Image.fromarray(code.to_image(scale=module, add_quiet_zones=False))

    def _draw_letters(self, text: str, height: int, width: int) -> Image.Image:
        """As boxes of the size that letters may take."""
        self.texts.append(text)
        assert text.isascii()
        picture = Image.new("L", (max(1, round(len(text) * width * 0.62)), height), 255)
        ImageDraw.Draw(picture).rectangle([0, height // 4, picture.width, height // 2], fill=150)
        return picture


def overlapping(one: Image.Image, other: Image.Image) -> bool:
    """Whether both have ink in one place."""
    return ImageChops.lighter(one, other).getextrema()[0] < 255


def _rows(data: str, across: int) -> Iterator[bytes]:
    """The rows of a picture in ZPL's hexadecimal, which leaves out white to the end (`,`) and rows said already (`:`)."""
    row, before = "", b""
    for sign in data:
        if sign == ":":
            assert not row
            yield before
        elif sign == "," or len(row) + 1 == across * 2:
            row += "" if sign == "," else sign
            before, row = bytes.fromhex(row.ljust(across * 2, "0")), ""
            yield before
        else:
            row += sign
    assert not row


ORDERS = [
    (Code.CODE_128,),
    (Code.QR,),
    (Code.DATA_MATRIX,),
    (Code.CODE_128, Code.QR),
    (Code.CODE_128, Code.DATA_MATRIX),
]


@pytest.mark.parametrize("dots_an_inch", [203, 300])
@pytest.mark.parametrize("codes", ORDERS, ids="+".join)
@pytest.mark.parametrize("size", [(57, 32), (100, 50), (50, 25)])
def test_every_label_is_read(size: tuple[float, float], codes: tuple[Code, ...], dots_an_inch: int) -> None:
    """Each label of each roll gives what it was made of, to the byte."""
    made = labels(3, *codes)
    printer = Printer().takes(print_zpl(made, Roll(*size, dots_an_inch)))
    assert [scanned(picture) for picture in printer.printed] == [meant(label) for label in made]
    assert all(label.name in printer.texts for label in made)


def test_control_characters_arrive() -> None:
    """The separators of ISO 15434 are written in hexadecimal, and no byte below a blank is sent but ends of lines."""
    label = label_of(1, Code.DATA_MATRIX)
    sent = print_zpl([label], Roll())
    assert rb"^FH\^FD[)>\1E06\1D25SD1ABC2AKMKT000001\1E\04^FS" in sent
    assert not set(sent) & (set(range(32)) - {10})


@pytest.mark.parametrize("name", ["A^XZ~JA", "50%\\1E", "A>5B", "_1D", "^FD", "C:\\a,b;c"])
def test_a_name_full_of_commands_stays_text(name: str) -> None:
    """What a printer would take for a command is printed and scanned as it is."""
    printer = Printer().takes(print_zpl([Label(name, (name,), name, name)], Roll(100, 50)))
    (picture,) = printer.printed
    assert scanned(picture) == {("Code128", name.encode()), ("QRCode", name.encode())}
    assert printer.texts == [name, name]


def test_letters_that_the_printer_lacks_are_drawn() -> None:
    """Arabic and Cyrillic come as pictures, in their place between the other lines."""
    made = Label("SP-000001-4", ("مخزن التاجي", "Склад Таджи", "", "AKM"), None, "SP-000001-4")
    sent = print_zpl([made, made], Roll())
    assert sent.count(b"^GFA") == 4
    printer = Printer().takes(sent)
    assert printer.texts == ["SP-000001-4", "AKM"] * 2
    assert scanned(printer.printed[1]) == {("QRCode", b"SP-000001-4")}


def test_settings_of_the_printer_are_sent() -> None:
    """Density, size and offset, in dots."""
    printer = Printer().takes(print_zpl(labels(1, Code.QR), Roll(57, 32, 300, 25, (2.0, -1.0))))
    assert (printer.density, printer.wide, printer.high, printer.shift) == (25, 673, 377, (24, -12))
    assert Printer().takes(print_zpl(labels(1, Code.QR), Roll())).density is None


@pytest.mark.parametrize(
    ("roll", "field"),
    [
        (Roll(width=5), "width"),
        (Roll(height=300), "height"),
        (Roll(dots_an_inch=150), "dots_an_inch"),
        (Roll(density=31), "density"),
        (Roll(offset=(11, 0)), "offset"),
    ],
)
def test_what_no_printer_does_is_refused(roll: Roll, field: str) -> None:
    """Naming the setting."""
    with pytest.raises(Invalid) as refused:
        print_zpl(labels(1, Code.QR), roll)
    assert [fault.field for fault in refused.value.faults] == [field]


def test_the_longest_uii_has_room() -> None:
    """Fifty characters of every kind, at the coarsest printer."""
    made = Label("SP-000001-4", (), None, uii_envelope("D1ABC2" + "A-9/" * 11), Code.DATA_MATRIX)
    printer = Printer().takes(print_zpl([made], Roll(50, 25)))
    assert scanned(printer.printed[0]) == meant(made)

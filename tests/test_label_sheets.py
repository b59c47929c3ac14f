"""Sheets of labels: every code on every sheet is read back as printers of 203 and 300 dots an inch print it, each inside its own label."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from labels import typesetting
from labels.layout import Area, lay_out
from labels.marks import QUIET_MODULES, plain_data_matrix, square, uii_envelope
from labels.sheets import DOTS_AN_INCH, PAPERS, Sheet, find_sheet, print_sheets, sheets
from labels.tags import QUIET_BARS, Code, Label
from stockpile.errors import Invalid, TooSoon
from stockpile.identity import asset_tag
from stockpile.marks import envelope, read_mark
from tests.printed import MILLIMETRES_AN_INCH, letters, pages, part, scanned

WIDEST_TAG = 176 * 0.3 + 1
"""Millimetres that Code 128 of any tag of today needs."""


def labels(number: int, *codes: Code) -> list[Label]:
    """So many labels, each with another tag and UII."""
    return [label_of(count, *codes) for count in range(1, number + 1)]


def label_of(number: int, *codes: Code) -> Label:
    """A label with a tag that has letters, and a UII of usual length."""
    tag, serial = asset_tag(number + 36**4), f"KT{number:06}"
    uii = f"D1ABC2AKM{serial}"
    kind = Code.DATA_MATRIX if Code.DATA_MATRIX in codes else Code.QR
    held = uii_envelope(uii) if kind is Code.DATA_MATRIX else tag
    lines = (serial, "AKM", "مخزن التاجي", "Склад Таджи")
    return Label(
        tag, lines, tag if Code.CODE_128 in codes else None, held if set(codes) - {Code.CODE_128} else None, kind
    )


def meant(label: Label) -> set[tuple[str, bytes]]:
    """What a scanner must read on a label."""
    codes = {("Code128", label.bars.encode())} if label.bars else set()
    name = "DataMatrix" if label.square_code is Code.DATA_MATRIX else "QRCode"
    return codes | ({(name, label.square.encode())} if label.square else set())


def every_order() -> list[tuple[str, tuple[Code, ...]]]:
    """Each sheet with each combination of codes that has room on it."""
    combinations = [
        (Code.QR,),
        (Code.DATA_MATRIX,),
        (Code.CODE_128,),
        (Code.CODE_128, Code.QR),
        (Code.CODE_128, Code.DATA_MATRIX),
    ]
    return [
        (sheet.code, codes)
        for sheet in sheets().values()
        for codes in combinations
        if Code.CODE_128 not in codes or (sheet.width >= WIDEST_TAG and sheet.height > 20)
    ]


@pytest.mark.parametrize("dots_an_inch", [203, 300])
@pytest.mark.parametrize(
    ("code", "codes"), every_order(), ids=lambda value: value if isinstance(value, str) else "+".join(value)
)
def test_every_label_of_every_sheet_is_read(code: str, codes: tuple[Code, ...], dots_an_inch: int) -> None:
    """Cut along its edge, each label gives what it was made of, to the byte, and nothing of its neighbours."""
    sheet = find_sheet(code)
    made = labels(sheet.labels, *codes)
    (page,) = pages(print_sheets(made, sheet), dots_an_inch)
    for cell, label in enumerate(made):
        cut = part(page, dots_an_inch, *sheet.corner(cell), sheet.width, sheet.height)
        assert scanned(cut) == meant(label), f"label {cell + 1}"


@pytest.mark.parametrize("offset", [(0.0, 0.0), (2.5, -1.5)])
@pytest.mark.parametrize("code", list(sheets()))
def test_all_ink_is_inside_the_labels(code: str, offset: tuple[float, float]) -> None:
    """Also of the longest names, and when the whole sheet is moved."""
    sheet = find_sheet(code)
    long = Label("SP-000001-4", ("9" * 64, "A name of a depot that goes on and on " * 3, "AKM"), None, "SP-000001-4")
    (page,) = pages(print_sheets([long] * sheet.labels, sheet, offset=offset), 150)
    assert ink(page)
    draw = ImageDraw.Draw(page)
    for cell in range(sheet.labels):
        x, y = (corner + by for corner, by in zip(sheet.corner(cell), offset, strict=True))
        scale = 150 / MILLIMETRES_AN_INCH
        draw.rectangle([x * scale, y * scale, (x + sheet.width) * scale, (y + sheet.height) * scale], fill=255)
    assert not ink(page)


def ink(page: Image.Image) -> bool:
    """Whether anything is printed."""
    return ImageChops.invert(page).getbbox() is not None


@pytest.mark.parametrize("sheet", sheets().values(), ids=lambda sheet: sheet.code)
def test_the_labels_stand_in_the_middle_of_their_paper(sheet: Sheet) -> None:
    """As many as the maker says, none over the edge, as much blank left as right and above as below."""
    wide, high = PAPERS[sheet.paper]
    left, top = sheet.corner(0)
    last_left, last_top = sheet.corner(sheet.labels - 1)
    assert left > 0
    assert top > 0
    assert math.isclose(left, wide - last_left - sheet.width)
    assert math.isclose(top, high - last_top - sheet.height)


def test_a_sheet_of_which_some_are_used() -> None:
    """Begun at label 20 of 21, four labels take the last two places and the first two of the next sheet."""
    sheet = find_sheet("L7160")
    made = labels(4, Code.QR)
    printed = pages(print_sheets(made, sheet, start=20))
    assert len(printed) == 2
    places = [(page, cell) for page in range(2) for cell in range(21)]
    read = {
        place: scanned(part(printed[place[0]], 203, *sheet.corner(place[1]), sheet.width, sheet.height))
        for place in places
    }
    assert {place: codes for place, codes in read.items() if codes} == {
        place: meant(label) for place, label in zip([(0, 19), (0, 20), (1, 0), (1, 1)], made, strict=True)
    }


def blurred(picture: Image.Image) -> Image.Image:
    """As a camera out of focus sees it."""
    return picture.filter(ImageFilter.GaussianBlur(0.8))


def turned(picture: Image.Image) -> Image.Image:
    """As it is held."""
    return picture.rotate(8, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)


def pale(picture: Image.Image) -> Image.Image:
    """As a worn ribbon prints it."""
    return ImageEnhance.Contrast(picture).enhance(0.35)


def speckled(picture: Image.Image) -> Image.Image:
    """As it looks after a month in the dust: one dot in two hundred is wrong."""
    chance, worn = random.Random(7), picture.copy()
    for _ in range(worn.width * worn.height // 200):
        worn.putpixel((chance.randrange(worn.width), chance.randrange(worn.height)), chance.choice((0, 255)))
    return worn


@pytest.mark.parametrize("wear", [blurred, turned, pale, speckled])
@pytest.mark.parametrize("codes", [(Code.CODE_128,), (Code.QR,), (Code.DATA_MATRIX,)])
def test_a_worn_label_is_still_read(codes: tuple[Code, ...], wear: Callable[[Image.Image], Image.Image]) -> None:
    """Printed at 203 dots an inch, seen by a camera twice as fine."""
    sheet = find_sheet("L7160")
    (label,) = labels(1, *codes)
    (page,) = pages(print_sheets([label], sheet), 203)
    cut = part(page, 203, *sheet.corner(0), sheet.width, sheet.height)
    seen = cut.resize((cut.width * 2, cut.height * 2), Image.Resampling.BILINEAR)
    assert scanned(wear(seen)) == meant(label)


@settings(max_examples=150, deadline=None)
@given(
    st.floats(12, 150), st.floats(10, 80), st.sampled_from([203, 300, DOTS_AN_INCH]), st.integers(1, 36**6), st.booleans(),
    st.lists(st.text("AБس1 ", max_size=70), max_size=6),
    st.lists(st.sampled_from([Code.CODE_128, Code.QR]), unique=True, min_size=1),
)  # fmt: skip
def test_blanks_around_codes_stay_blank(
    width: float, height: float, dots: int, number: int, printer_draws: bool, lines: list[str], codes: list[Code]
) -> None:
    """Whatever the label: nothing overlaps, nothing leaves it, every code has its blank and modules wide enough; or it is refused."""
    tag = asset_tag(number)
    label = Label(tag, tuple(lines), tag if Code.CODE_128 in codes else None, tag if Code.QR in codes else None)
    area = Area.of(width, height, dots, printer_draws)
    try:
        laid = lay_out(label, area)
    except Invalid:
        return
    boxes = [(line.x, line.y, line.x + line.width, line.y + line.height) for line in laid.lines]
    if laid.bars:
        bars, blank = laid.bars, QUIET_BARS * laid.bars.module
        end = bars.x + len(bars.pattern) * bars.module + blank
        boxes.append((bars.x - blank, bars.y, end, bars.y + bars.height))
        assert bars.module * MILLIMETRES_AN_INCH / dots > 0.249
    if laid.square:
        code, blank = laid.square, QUIET_MODULES[Code.QR] * laid.square.module
        side = code.size * code.module + blank
        boxes.append((code.x - blank, code.y - blank, code.x + side, code.y + side))
        assert code.module * MILLIMETRES_AN_INCH / dots > 0.249
    for left, top, right, bottom in boxes:
        assert left >= 0
        assert top >= 0
        assert right <= area.width
        assert bottom <= area.height
    for one in range(len(boxes)):
        for other in boxes[one + 1 :]:
            assert not overlap(boxes[one], other)


def overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether two boxes share a dot."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


UIIS = st.builds(
    lambda enterprise, rest: f"D{enterprise}{rest}",
    st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=5, max_size=5),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/", min_size=1, max_size=44),
)


@settings(max_examples=60, deadline=None)
@given(UIIS, st.sampled_from(["06", "12"]))
def test_any_uii_comes_back_byte_for_byte(uii: str, format: str) -> None:
    """Printed as a Data Matrix, read at 203 dots an inch, understood: the same UII. It never takes more room than was kept."""
    written = uii_envelope(uii, format)
    grid = square(Code.DATA_MATRIX, written)
    assert grid.size <= plain_data_matrix(written)
    side = (grid.size + 2) * 2
    picture = Image.new("L", (side + 8, side + 8), 255)
    draw = ImageDraw.Draw(picture)
    for x, y, width, height in grid.rectangles():
        draw.rectangle([6 + x * 2, 6 + y * 2, 5 + (x + width) * 2, 5 + (y + height) * 2], fill=0)
    ((name, read),) = scanned(picture)
    assert (name, read) == ("DataMatrix", written.encode())
    mark = read_mark(read.decode())
    assert mark is not None
    assert (mark.uii, mark.format) == (uii, format)


def test_an_envelope_made_by_the_factory_is_read_too() -> None:
    """A mark of construct 2 in format 12, as other makers write it, is drawn and read to the byte."""
    written = envelope(2, enterprise="1ABC2", part_number="AKM", serial_number="KT449900", format="12")
    made = Label("SP-000001-4", ("KT449900",), None, written, Code.DATA_MATRIX)
    sheet = find_sheet("L6009")
    (page,) = pages(print_sheets([made], sheet))
    assert scanned(page) == {("DataMatrix", written.encode())}


def test_letters_of_any_script_are_there() -> None:
    """Names and numbers stand on the label as text, also those too long for their line."""
    text = letters(print_sheets(labels(1, Code.QR), find_sheet("L7160")))
    for word in (asset_tag(1 + 36**4), "KT000001", "AKM", "Склад Таджи"):
        assert word in text
    assert set("مخزن التاجي") <= set(text)
    assert "9" * 64 in letters(print_sheets([Label("SP-000001-4", ("9" * 64,), None, "X")], find_sheet("L7651")))


def test_a_name_in_arabic_is_a_qr_code() -> None:
    """A store's name that Code 128 has no letters for."""
    name = "مخزن التاجي ٢"
    sheet = find_sheet("L7163")
    (page,) = pages(print_sheets([Label(name, (), None, name)], sheet))
    assert scanned(page) == {("QRCode", name.encode())}
    with pytest.raises(Invalid, match="choose qr"):
        print_sheets([Label(name, (), name)], sheet)


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (lambda: print_sheets(labels(1, Code.CODE_128), find_sheet("L7651")), "choose qr, or a larger label"),
        (lambda: print_sheets(labels(1, Code.QR), find_sheet("L7160"), start=22), "cannot begin there"),
        (lambda: print_sheets(labels(1, Code.QR), find_sheet("L7160"), start=0), "cannot begin there"),
        (lambda: print_sheets(labels(1, Code.QR), find_sheet("L7160"), offset=(0, 10.5)), "cannot be moved so far"),
        (lambda: find_sheet("L9999"), "no sheet 'L9999'"),
        (lambda: print_sheets([Label("x", (), None, "x" * 4000)], find_sheet("L7160")), "qr cannot hold it"),
        (lambda: uii_envelope("KT449900"), "agency"),
    ],
)
def test_what_cannot_be_printed_is_refused_in_words(order: Callable[[], object], why: str) -> None:
    """Nothing that nobody could scan leaves the printer."""
    with pytest.raises(Invalid, match=why):
        order()


def test_few_sheets_are_set_at_once() -> None:
    """Each in a process that may take half a gigabyte: of a flood from one desk six are let in, two at a time; the others hear when to
    come again.
    """
    told: list[bytes | float] = []

    def print_one() -> None:
        try:
            told.append(print_sheets(labels(1, Code.QR), find_sheet("L7160")))
        except TooSoon as wait:
            told.append(wait.seconds)

    threads = [threading.Thread(target=print_one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, bytes) for one in told) >= typesetting.AT_ONCE + typesetting.IN_LINE
    assert told.count(30) >= 5
    assert len(told) == 20

"""Papers as they lie on the table: no line is lost over page breaks, scripts run their own way, what is hostile stays text, and every
word is one of the table of words.
"""

from __future__ import annotations

import re

import pytest
import zxingcpp
from babel.messages.pofile import read_po
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import ImageFilter

from labels import typesetting_process
from labels.barcodes import code_128, code_of, qr_code
from labels.papers import WIDEST_CODE, Size, breakable, direction, render
from labels.words import FOLDER, language_of, languages
from stockpile.papers.documents import site_of
from stockpile.papers.lines import COLUMNS, table_of_rows
from stockpile.papers.paper import Fact, Facts, Paper, Printed, Row, Signature, Signatures, Table, Text
from stockpile.papers.words import WORDS, Word, word_or_text
from stockpile.reports.papers import Issuer
from tests.paper_reading import Sheet, sheets

ALI = "الرقيب علي حسن"
OLENA = "Сержант Олена Ґжицька-Їжак"
SITE = site_of(Issuer(None, "TAJI", "Taji depot", "Asia/Baghdad"))


def receipt(rows: int, number: str = "TAJI/B/2026/41", name: str = "Petrov", with_it: str | None = None) -> Paper:
    """A hand receipt of so many rifles; every third has a line of small letters under it."""
    lines = [
        Row(
            (str(n), "AKM, Izhmash", "1005-01-123-4567", f"KT {n:05}", "SP-000001-A", "1", Word("serviceable")),
            ((Word("with"), with_it or "4 magazines"),) if n % 3 == 0 else (),
        )
        for n in range(1, rows + 1)
    ]
    return Paper(
        title=Word("Hand receipt"),
        organisation="Ministry of Defence",
        site=SITE,
        number=number,
        form="DA 2062",
        code=number,
        leaf_hash="ab" * 32,
        printed=Printed("Clerk (T-1)", "2026-11-26 10:00 UTC+03:00"),
        blocks=(
            Facts((Fact.of(Word("From"), "Main store"), Fact.of(Word("To"), name))),
            table_of_rows(lines, None, (Word("Weapons: %(n)s", n=str(rows)),), Word("No lines.")),
            Signatures((Signature(Word("Issued by")), Signature(Word("Received by"), name))),
        ),
    )


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 500), st.sampled_from(Size))
@example(0, Size.A4)
@example(1, Size.LETTER)
@example(334, Size.LETTER)  # the total alone on the last page
@example(500, Size.A4)
def test_no_line_is_lost_over_page_breaks(rows: int, size: Size) -> None:
    """Every rifle once, in its order, and the total, under a heading on each page; each page says which of how many it is; nothing
    on two pages.
    """
    pages = sheets(render([receipt(rows)], size=size))
    found = [serial for page in pages for serial in re.findall(r"KT (\d{5})", page.text)]
    assert found == [f"{n:05}" for n in range(1, rows + 1)]
    for n, page in enumerate(pages, 1):
        assert f"page {n} of {len(pages)}" in page.text
        assert "TAJI/B/2026/41" in page.text
        assert ("Serial number" in page.text) == bool("KT 0" in page.text or "Weapons: " in page.text)
        assert (round(page.width), round(page.height)) == ((595, 842) if size is Size.A4 else (612, 792))
        left, right = page.sides
        assert 0 < left < right < page.width
    assert f"Weapons: {rows}" in pages[-1].text or f"Weapons: {rows}" in pages[-2].text
    assert "Received by" in pages[-1].text
    assert all("Hand receipt" in page.text for page in pages)


@pytest.mark.parametrize(
    "number",
    ["TAJI/B/2026/41", "AB/C/2026/1", "NORTH-1/PAPER-1/2026/123456", "ABCDEFGHIJKL/MNOPQRSTUVWX/2026/999999999"],
)
@pytest.mark.parametrize("dots", [203, 300])
def test_the_code_of_a_paper_reads_back(number: str, dots: int) -> None:
    """Code 128 as long as there is room, else QR; also on a coarse printer, and copied badly."""
    (page,) = sheets(render([receipt(3, number)]))
    assert page.codes(dots) == [number]
    blurred = page.picture(300).filter(ImageFilter.GaussianBlur(1.2)).rotate(2, fillcolor=255)
    assert [code.text for code in zxingcpp.read_barcodes(blurred)] == [number]


def test_a_code_is_as_large_as_it_says() -> None:
    """Code 128 has a bar of two dots at 203 dpi; what does not fit, or is no ASCII, is a QR code."""
    drawn = code_128("TAJI/B/2026/41")
    assert drawn.width < WIDEST_CODE
    assert code_of("TAJI/B/2026/41", WIDEST_CODE) == drawn
    assert code_of("TAJI/B/2026/41", 10) == qr_code("TAJI/B/2026/41")
    assert code_of("Ж-1", WIDEST_CODE).height > 9


def mixed(language: str) -> Sheet:
    """A receipt on which all scripts meet."""
    rows = (
        Row(("1", "АКМ, Іжмаш", "1005-01-123-4567", "KT 449-900/2 (B)", "SP-000001-A", "1", Word("serviceable"))),
        Row(
            ("2", "كلاشنكوف", None, "٤٤٩٩٠١ ب", "SP-000002-8", "1", None),
            ((Word("with"), "4 مخازن", "·", "Optic PSO-1 №7"),),
        ),
    )
    people = (Signature(Word("Issued by"), f"{OLENA} (T-7)"), Signature(Word("Received by"), f"{ALI} (A-1001)"))
    facts = Facts(
        (Fact.of(Word("Happened"), "2026-11-26 10:00 UTC+03:00", style="code"), Fact.of(Word("To"), f"{ALI} (A-1001)"))
    )
    blocks = (facts, Table(COLUMNS, rows), Signatures(people))
    paper = Paper(
        title=Word("Hand receipt"),
        organisation="وزارة الدفاع",
        site=SITE,
        number="TAJI/B/2026/41",
        code="TAJI/B/2026/41",
        blocks=blocks,
    )
    (page,) = sheets(render([paper], language))
    return page


@pytest.mark.parametrize("language", ["en", "ar", "uk"])
def test_every_script_runs_its_own_way_on_every_page(language: str) -> None:
    """Serial numbers, dates and Cyrillic from left to right, Arabic from right to left, whichever way the page runs."""
    page = mixed(language)
    seen = page.seen
    for text in (
        "KT449-900/2(B)",
        "2026-11-2610:00UTC+03:00",
        "TAJI/B/2026/41",
        "1005-01-123-4567",
        "SP-000001-A",
        "OpticPSO-1",
    ):
        assert text in seen, text
    assert OLENA.replace(" ", "") + "(T-7" in seen
    assert seen.count("نسحيلع") + seen.count("نسح") >= 2
    assert page.codes() == ["TAJI/B/2026/41"]


def test_arabic_letters_are_joined() -> None:
    """Four letters of a word are one stroke; with breaks between them four: the picture tells, not the text."""

    def widest_gap(text: str) -> int:
        paper = Paper(title=Word("Count"), organisation=None, site="-", number="-", blocks=(Text(((text,),)),))
        (page,) = sheets(render([paper]))
        top = max(one.top for one in page.letters if one.text == "\N{ARABIC LETTER SEEN}")
        dots = 300 / 72
        row = page.picture(300).crop(
            (0, int((page.height - top) * dots), page.picture(300).width, int((page.height - top + 14) * dots))
        )
        dark = [min(row.crop((x, 0, x + 1, row.height)).tobytes()) < 128 for x in range(row.width)]
        inked = "".join("x" if one else " " for one in dark).strip()
        return max((len(gap) for gap in re.findall(" +", inked)), default=0)

    letter = "\N{ARABIC LETTER SEEN}"
    assert widest_gap(letter * 4) == 0
    assert widest_gap("\N{ZERO WIDTH NON-JOINER}".join(letter * 4)) > 0


def test_a_page_in_arabic_is_the_mirror_of_one_in_english() -> None:
    """Title at the right, number at the left; the first column at the right."""
    english, arabic = sheets(render([receipt(2)]))[0], sheets(render([receipt(2)], "ar"))[0]

    def first(page: Sheet, text: str) -> float:
        line = next(line for line in _lines(page) if text in "".join(one.text for one in line))
        return next(one.left for n, one in enumerate(line) if "".join(x.text for x in line[n:]).startswith(text))

    assert first(english, "KT00001") > first(english, "AKM")
    assert first(arabic, "KT00001") < first(arabic, "AKM")
    assert first(english, "TAJI/B/2026/41") > english.width / 2
    assert first(arabic, "TAJI/B/2026/41") < arabic.width / 2


def _lines(page: Sheet) -> list[list]:  # type: ignore[type-arg]
    lines: dict[int, list] = {}  # type: ignore[type-arg]
    for letter in page.letters:
        lines.setdefault(round(letter.bottom), []).append(letter)
    return [sorted(line, key=lambda one: one.left) for line in lines.values()]


@pytest.mark.parametrize("language", sorted(set(languages()) - {"en"}))
def test_every_word_is_translated_and_no_other(language: str) -> None:
    """A catalogue has exactly the words of the table, with the same values in them; and a paper in it has none in English."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        catalogue = {str(one.id): str(one.string) for one in read_po(file) if one.id}
    assert set(catalogue) == WORDS
    for word, said in catalogue.items():
        assert said, word
        assert re.findall(r"%\(\w+\)s", word) == re.findall(r"%\(\w+\)s", said), word
    text = sheets(render([receipt(2)], language))[0].text
    for word in ("Hand receipt", "Serial number", "serviceable", "Issued by", "page 1", "Weapons", "signature"):
        assert word not in text


def test_what_the_books_say_is_never_translated() -> None:
    """A soldier called Store, in Arabic."""
    text = sheets(render([receipt(1, name="store")], "ar"))[0].text
    assert text.count("store") == 3
    assert word_or_text("store") == Word("store")
    assert word_or_text("Main store") == "Main store"
    with pytest.raises(KeyError):
        Word("What nobody translated")


def test_languages_are_asked_for_as_browsers_name_them() -> None:
    """ar-IQ, AR, uk_UA; nothing is English."""
    assert [language_of(code).code for code in ("ar-IQ", "AR", "uk_UA", None, "en-GB")] == [
        "ar",
        "ar",
        "uk",
        "en",
        "en",
    ]
    assert language_of("ar").direction == "rtl"


ANY_TEXT = st.text(
    st.one_of(
        st.sampled_from("#*[]@$\\<>`_=-+/~^%{}\"'& "),
        st.characters(codec="utf-8", categories=("L", "N", "P", "S"), max_codepoint=0x6FF),
    ),
    min_size=1,
    max_size=150,
)


@settings(max_examples=40, deadline=None)
@given(ANY_TEXT)
@example('#panic() $ \\ [ ] @x <y> `z` // /* */ "')
@example("%(n)s %s %")
def test_no_text_is_taken_for_markup(text: str) -> None:
    """Whatever a name is made of, the paper prints: on one page, to the end, with its letters on it."""
    paper = receipt(3, name=text, with_it=text)
    pages = sheets(render([paper]))
    assert "page 1 of 1" in pages[0].text
    assert "Received by" in pages[0].text
    wanted = [one for one in text if one.isascii() and one.isalnum()]
    there = pages[0].text
    for one in set(wanted):
        assert there.count(one) >= wanted.count(one)


def test_a_word_longer_than_its_line_is_broken_never_cut() -> None:
    """A serial number of 60 characters stays in its column, whole."""
    serial = "".join(f"X{n:03}" for n in range(15))
    row = Row(("1", "AKM", None, serial, "SP-000001-A", "1", None))
    paper = Paper(
        title=Word("Hand receipt"), organisation=None, site=SITE, number="1", blocks=(Table(COLUMNS, (row,)),)
    )
    (page,) = sheets(render([paper]))
    assert serial in page.text.replace("\n", "").replace("\u200b", "").replace(" ", "").replace("\r", "")
    assert breakable("KT 449900") == "KT 449900"
    tag = min(letter.left for letter in page.letters if letter.bottom == min(x.bottom for x in page.letters))
    assert tag >= 0


def test_the_direction_of_a_text_is_that_of_its_first_letter() -> None:
    """Unicode's rule P2: figures and signs decide nothing."""
    assert [direction(text) for text in (ALI, OLENA, "12 (علي)", "12-34", "A علي", "")] == [
        "rtl",
        "ltr",
        "rtl",
        "ltr",
        "ltr",
        "ltr",
    ]


def test_only_scripts_that_our_fonts_lack_look_for_others() -> None:
    """Arabic, Cyrillic, Greek and Latin are ours; Georgian is looked for on the machine."""
    assert not typesetting_process.needs_others(f"{ALI} {OLENA} Ωμέγα Łukasz ڕۆژ №")
    assert typesetting_process.needs_others("გიორგი")


def test_several_papers_count_their_pages_apart() -> None:
    """Two receipts in one file: page 1 of 3 and on, then page 1 of 1."""
    pages = sheets(render([receipt(70), receipt(2, "TAJI/B/2026/42")]))
    said = [re.search(r"page (\d+) of (\d+)", page.text).groups() for page in pages]  # type: ignore[union-attr]
    assert said == [*((str(n), str(len(pages) - 1)) for n in range(1, len(pages))), ("1", "1")]

"""A scan of the code on a weapon gives its UII, or the reason why it gives none; it never gives a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpile.errors import Invalid
from stockpile.marks import EOT, GS, RS, Mark, envelope, read_mark

VALUE = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/", min_size=1, max_size=12)
ENTERPRISES = {
    "D": st.from_regex(r"[A-Z0-9]{5}", fullmatch=True),
    "LD": st.from_regex(r"[A-Z0-9]{6}", fullmatch=True),
    "UN": st.from_regex(r"[0-9]{9}", fullmatch=True),
    "": st.from_regex(r"[0-9]{6,12}", fullmatch=True),
}


def scan(format: str, *elements: str) -> str:
    """An envelope as a scanner sends it."""
    return f"[)>{RS}{GS.join((format, *elements))}{RS}{EOT}"


def read(text: str) -> Mark:
    """The mark of a text that must be one."""
    mark = read_mark(text)
    assert mark is not None
    return mark


@pytest.mark.parametrize(
    ("text", "uii", "construct"),
    [
        # The vector of MIL-STD-130's rules for format 12.
        (scan("12", "CAG A3309", "SER 1234567"), "DA33091234567", 1),
        (scan("12", "MFR A3309", "UCN 1234567"), "DA33091234567", 1),
        (scan("12", "SPL A3309", "SER 1234567"), "DA33091234567", 1),
        (scan("DD", "CAG A3309", "SER 1234567"), "DA33091234567", 1),
        (scan("12", "DUN 194532636", "SER 786950"), "UN194532636786950", 1),
        (scan("12", "EUC 0614141", "SER 786950"), "0614141786950", 1),
        (scan("12", "CAG 1A2B3", "PNO 1234", "SEQ 786950"), "D1A2B31234786950", 2),
        (scan("12", "CAG 1A2B3", "LOT L7", "SEQ 786950"), "D1A2B3L7786950", 2),
        (scan("12", "UID UN194532636786950"), "UN194532636786950", None),
        (scan("06", "18S1A2B3786950"), "D1A2B3786950", 1),
        (scan("06", "25SUN194532636786950"), "UN194532636786950", None),
        (scan("06", "17V1A2B3", "1P1234", "S786950"), "D1A2B31234786950", 2),
        (scan("06", "7LW81XYZ", "1P1234", "S786950"), "LDW81XYZ1234786950", 2),
        (scan("06", "12V194532636", "1P1234", "S786950"), "UN1945326361234786950", 2),
        (scan("06", "3V0614141", "1P1234", "S786950"), "06141411234786950", 2),
        (scan("06", "18VLHEHIBCC1", "1P1234", "S786950"), "LHEHIBCC11234786950", 2),
        (scan("06", "17V1A2B3", "1TL7", "S786950"), "D1A2B3L7786950", 2),
        (scan("06", "I1HGBH41JXMN109186"), "1HGBH41JXMN109186", None),
        (scan("05", "80040614141ABC"), "0614141ABC", None),
        (scan("05", "8003006141411234521"), "006141411234521", None),
        (scan("05", "0109521234543213" + "80040614141ABC"), "0614141ABC", None),
        (scan("05", "10LOT", "80040614141ABC"), "0614141ABC", None),
    ],
)
def test_every_construct_gives_its_uii(text: str, uii: str, construct: int | None) -> None:
    """Each row of MIL-STD-130's tables: the agency's code is put where the mark leaves it out, and nowhere
    else.
    """
    mark = read(text)
    assert mark.uii == uii
    assert mark.construct == construct


def test_a_mark_is_taken_apart() -> None:
    """Serial, enterprise and part number are there to fill in a form; the current part number is not in
    the UII.
    """
    mark = read(scan("06", "17V1A2B3", "1P1234", "S786950", "30P9999"))
    assert (mark.format, mark.agency, mark.enterprise) == ("06", "D", "1A2B3")
    assert (mark.part_number, mark.serial_number, mark.current_part_number) == ("1234", "786950", "9999")
    assert mark.elements == (("17V", "1A2B3"), ("1P", "1234"), ("S", "786950"), ("30P", "9999"))


@pytest.mark.parametrize(
    "text",
    [
        f"[)>{RS}06{GS}18S1A2B3786950{RS}",
        f"[)>{RS}06{GS}18S1A2B3786950{EOT}",
        f"[)>{RS}06{GS}18S1A2B3786950",
        f"  [)>{RS}06{GS}18S1A2B3786950{RS}{EOT}\r\n",
        f"]d1[)>{RS}06{GS}18S1A2B3786950{RS}{EOT}",
        f"[)>{RS}06{GS}18s1a2b3786950{RS}{EOT}",
        "[)>␞06␝18S1A2B3786950␞␄",
        "[)><RS>06<GS>18S1A2B3786950<RS><EOT>",
        "[)>{RS}06{GS}18S1A2B3786950{RS}{EOT}",
        "[)>[RS]06[GS]18S1A2B3786950",
        "[)>(rs)06(gs)18S1A2B3786950",
        r"[)>\x1e06\x1d18S1A2B3786950\x1e\x04",
        "[)>^^06^]18S1A2B3786950^^^D",
        f"[)>{RS}06{GS}18S1A2B3786950{RS}05{GS}0109521234543213{RS}{EOT}",
    ],
)
def test_the_same_mark_as_scanners_and_keyboards_send_it(text: str) -> None:
    """Control characters, their pictures or words for them, with or without the end: the same UII."""
    assert read(text).uii == "D1A2B3786950"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[)>06 18S1A2B3786950", "separators are missing"),
        (f"[)>06{GS}18S1A2B3786950", "no record separator"),
        (f"[)>{RS}07{GS}18S1A2B3786950", "format '07'"),
        (f"[)>{RS}{RS}{EOT}", "format ''"),
        (f"[)>{RS}06{RS}{EOT}", "no UII"),
        (scan("06", "17V1A2B3", "1P1234"), "no UII"),
        (scan("06", "17V1A2B3", "S786950"), "17V, S"),
        (scan("06", "1P1234", "S786950"), "no UII"),
        (scan("06", "17V1A2", "1P1234", "S786950"), "no CAGE"),
        (scan("06", "12V12345", "1P1234", "S786950"), "no DUNS"),
        (scan("06", "18S1A2B3"), "CAGE code of five"),
        (scan("06", "25SXX1"), "agency code"),
        (scan("06", "17V1A2B3", "1P1234", "1TL7", "S786950"), "more than one UII"),
        (scan("06", "18S1A2B3786950", "25SD1A2B3786951"), "more than one UII"),
        (scan("12", "CAG 1A2B3", "SER 1", "PNO 2", "SEQ 3"), "more than one UII"),
        (scan("06", "18S1A2B3786950", "18S1A2B3786950"), "18S more than once"),
        (scan("06", "18S1A2B3786950", ""), "no identifier"),
        (scan("06", "18S1A2B3 78"), "U+0020"),
        (scan("06", "18S1A2B3\x0078"), "U+0000"),
        (scan("06", "18S1A2B3" + "7" * 50), "at most 50"),
        (scan("06", "18S1A2B3" + "7" * 2000), "no mark has more"),
        (scan("12", "CAG A3309", "SER"), "no identifier or no value"),
        (scan("05", "99XY"), "GS1 identifier"),
        (scan("05", "8003006141411234538"), "check digit"),
        (scan("05", "80030061414112345"), "check digit"),
        (scan("05", "800300614141123452"), "no serial number"),
        (scan("05", "0109521234543213"), "no UII"),
        (scan("06", "18S1A2B3786950") + "X", "after its end"),
    ],
)
def test_a_damaged_mark_is_refused_with_its_reason(text: str, reason: str) -> None:
    """A scan that does not give exactly one UII is refused: a guess would give a weapon another's history."""
    with pytest.raises(Invalid) as refused:
        read_mark(text)
    [fault] = refused.value.faults
    assert reason in fault.message
    assert fault.field == "mark"
    assert "\x00" not in (fault.value or "") + fault.message


@pytest.mark.parametrize(
    ("text", "agency", "enterprise"),
    [
        ("DA33091234567", "D", "A3309"),
        ("da33091234567", "D", "A3309"),
        ("UN194532636786950", "UN", "194532636"),
        ("LDW81XYZ1234", "LD", "W81XYZ"),
        ("LHEHIBCC1234", "LH", None),
        ("0614141786950", "0", None),
    ],
)
def test_a_uii_written_out(text: str, agency: str, enterprise: str | None) -> None:
    """A UII typed from the plate beside the code; which part of it is the serial cannot be known, so none
    is said.
    """
    mark = read(text)
    assert mark.uii == text.upper()
    assert (mark.agency, mark.enterprise, mark.serial_number, mark.format) == (agency, enterprise, None, None)


@pytest.mark.parametrize(
    "text", ["", "12345", "AB1234567", "D123", "ЕУ 1234", "TAJI/B/2026/41", "SP-0000K7-N", "D" * 51, "*"]
)
def test_other_text_is_no_mark(text: str) -> None:
    """Serial numbers, tags and document numbers go on to the other searches."""
    assert read_mark(text) is None


@given(st.data(), st.sampled_from(["06", "12"]), st.sampled_from(list(ENTERPRISES)), VALUE, VALUE)
def test_what_is_written_reads_back(data: st.DataObject, format: str, agency: str, product: str, serial: str) -> None:
    """A label made here gives, when scanned, the parts that went in and the UII made of them."""
    enterprise = data.draw(ENTERPRISES[agency])
    kind = data.draw(st.sampled_from(["part_number", "lot"]))
    current = data.draw(st.none() | VALUE)
    common = {
        "enterprise": enterprise,
        "serial_number": serial,
        "agency": agency,
        "current_part_number": current,
    }
    if format == "12" and agency == "LD":
        with pytest.raises(Invalid, match="format 06"):
            envelope(1, format=format, **common)
        return
    first = read(envelope(1, format=format, **common))
    assert first.uii == agency + enterprise + serial
    assert first.current_part_number == current
    second = read(envelope(2, format=format, **common, **{kind: product}))
    assert second.uii == agency + enterprise + product + serial
    assert (second.enterprise, second.serial_number, getattr(second, kind)) == (enterprise, serial, product)
    assert (second.agency, second.construct) == (agency or enterprise[0], 2)


@pytest.mark.parametrize(
    ("construct", "parts"),
    [
        (1, {"part_number": "12"}),
        (2, {}),
        (2, {"part_number": "12", "lot": "7"}),
        (3, {"part_number": "12", "lot": "7"}),
        (1, {"format": "05"}),
        (1, {"agency": "XX"}),
        (1, {"enterprise": "TOOLONG"}),
        (1, {"serial_number": ""}),
        (1, {"serial_number": "small"}),
        (1, {"serial_number": "A B"}),
        (1, {"serial_number": "1" * 60}),
        (2, {"part_number": f"12{GS}S77"}),
        (2, {"part_number": "12", "current_part_number": f"12{GS}1T77"}),
        (1, {"current_part_number": f"1{RS}{EOT}"}),
        (1, {"current_part_number": ""}),
        (1, {"current_part_number": f"12{GS}1P34"}),
    ],
)
def test_a_label_that_would_not_read_back_is_not_made(construct: int, parts: dict[str, str]) -> None:
    """Wrong parts, and separators smuggled into a value, are refused before anything is printed."""
    given_parts: dict[str, str] = {"enterprise": "1A2B3", "serial_number": "786950", **parts}
    with pytest.raises(Invalid):
        envelope(construct, **given_parts)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a scanner sends after the beginning of a mark: a UII or a reason, never a crash."""
    for separator in ("", RS, f"{RS}06{GS}", f"{RS}12{GS}", f"{RS}05{GS}"):
        try:
            mark = read_mark(f"[)>{separator}{text}")
        except Invalid:
            continue
        assert mark is not None
        assert 0 < len(mark.uii) <= 50

"""A weapon is found again however its serial number was written down, and never mistaken for another."""

from __future__ import annotations

import timeit
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpile.errors import Invalid
from stockpile.identity import (
    LARGEST_TAG,
    LOOK_ALIKE_ROWS,
    PatternKind,
    asset_tag,
    check_serial,
    fold,
    identity_key,
    maker_key,
    read_asset_tag,
    scan_pattern,
    serial_key,
)

SERIAL_TEXT = st.text(max_size=64)
PLAIN_SERIAL = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("ab-12 34 567", "AB1234567"),
        ("AB–12—34−567", "AB1234567"),
        ("\u202eAB1234567\u202c", "AB1234567"),
        ("\ufeffAB1234567\u200b", "AB1234567"),
        ("ＡＢ１２３４５６７", "AB1234567"),
        ("AB١٢٣٤٥٦٧", "AB1234567"),
        ("AB۱۲۳۴۵۶۷", "AB1234567"),
        ("AB१२३४५६७", "AB1234567"),
        ("еу 1234", "ЕУ1234"),
        ("12/34.5", "12/34.5"),
        ("O0I1", "O0I1"),
        ("A´1", "Á1"),
        ("---", ""),
    ],
)
def test_one_serial_key_for_every_spelling(written: str, key: str) -> None:
    """A donor's list, a clerk's keyboard and an Arabic property book write one serial number: one key,
    look-alikes apart.
    """
    assert serial_key(written) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("O0O0", "0000"),
        ("I1lL", "1111"),
        ("S5", "55"),
        ("Z2", "22"),
        ("B8", "88"),
        ("ЕУ1234", "EY1234"),
        ("АВСЕНКМОРТХ", "ABCEHKMOPTX"),
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
        ("Ø123", "O123"),
        ("Ё1", "E1"),
        ("علی1", "علي1"),
    ],
)
def test_look_alikes_are_near_matches_but_not_the_same_weapon(one: str, other: str) -> None:
    """Worn metal and the wrong keyboard give look-alikes: the fold finds them, the serial key keeps them
    apart.
    """
    assert fold(one) == fold(other)
    assert serial_key(one) != serial_key(other)


def test_each_look_alike_stands_in_one_row() -> None:
    """The table can be read row by row: no character is in two rows, and none is what another row becomes."""
    characters = [character for _, latin, others in LOOK_ALIKE_ROWS for character in latin + others]
    assert len(characters) == len(set(characters))
    assert not set(characters) & {target for target, _, _ in LOOK_ALIKE_ROWS}
    for target, _, others in LOOK_ALIKE_ROWS:
        for character in others:
            assert unicodedata.name(character).split()[0] in ("CYRILLIC", "GREEK", "ARABIC"), target


@given(SERIAL_TEXT)
def test_keys_are_stable(text: str) -> None:
    """Keys made from keys change nothing, so a value read back from the database matches itself."""
    key = serial_key(text)
    assert serial_key(key) == key
    assert fold(fold(text)) == fold(text)
    assert fold(text) == fold(key)


@given(SERIAL_TEXT, st.lists(st.tuples(st.integers(0, 64), st.sampled_from(" -–\u2060\u202e\u00a0")), max_size=5))
def test_dashes_blanks_and_invisible_characters_never_matter(text: str, added: list[tuple[int, str]]) -> None:
    """Where somebody put a blank or a dash between the characters of a plain serial does not make it
    another weapon.
    """
    plain = "".join(character for character in text if character.isascii() and character.isprintable())
    spaced = plain
    for position, character in added:
        spaced = spaced[:position] + character + spaced[position:]
    assert serial_key(spaced) == serial_key(plain)
    assert fold(spaced) == fold(plain)


@given(st.from_regex(r"[A-Z0-9]{1,20}", fullmatch=True), st.sampled_from("٠۰०০０"))
def test_digits_of_any_script_are_the_same_digits(plain: str, zero: str) -> None:
    """A serial typed with another script's digits has the same key."""
    other = plain.translate({ord("0") + digit: chr(ord(zero) + digit) for digit in range(10)})
    assert serial_key(other) == plain


def test_a_receipt_of_100_000_serials_spends_little_on_keys() -> None:
    """A plain serial's key and fold take about a fifth of a microsecond each; ten times that would show in
    a receipt.
    """
    for make in (serial_key, fold):
        seconds = min(timeit.repeat(lambda make=make: make("56-1234567"), number=10_000, repeat=5))  # type: ignore[misc]
        assert seconds / 10_000 < 2e-6, make.__name__


def test_the_same_serial_at_two_makers_is_two_weapons() -> None:
    """Serials are not unique across makers; a maker's spelling alone makes no second weapon."""
    key = serial_key("12345")
    assert identity_key("Norinco", "m1", key) != identity_key("Izhmash", "m1", key)
    assert identity_key("Norinco", "m1", key) != identity_key("Norinco", "m2", key)
    assert identity_key("Zastava Arms", "m1", key) == identity_key("ZASTAVA-ARMS", "m1", key)
    assert identity_key("Norinco/m1", "m1", key) != identity_key("Norinco", "m1", f"m1/{key}")
    assert identity_key("H&K", "m1", key) == f"HK/m1/{key}"


@given(st.tuples(SERIAL_TEXT, SERIAL_TEXT), st.tuples(SERIAL_TEXT, SERIAL_TEXT), st.booleans())
def test_two_weapons_never_share_a_key_by_accident(
    one: tuple[str, str], other: tuple[str, str], same_model: bool
) -> None:
    """Slashes in a maker or a serial can't run the parts of the key together."""
    models = ("a", "a") if same_model else ("a", "b")
    parts = [
        (maker_key(maker), model, serial_key(serial))
        for (maker, serial), model in zip((one, other), models, strict=True)
    ]
    keys = [
        identity_key(maker, model, serial_key(serial))
        for (maker, serial), model in zip((one, other), models, strict=True)
    ]
    assert (keys[0] == keys[1]) == (parts[0] == parts[1])


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("- -", "only blanks and dashes"),
        ("12\x0034", "U+0000 (NUL)"),
        ("12\t34", "U+0009 (TAB)"),
        ("12\x1b34", "U+001B (ESCAPE)"),
        ("12\x8034", "U+0080"),
        ("12\u202e34", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("12\u200f34", "U+200F (RIGHT-TO-LEFT MARK)"),
        ("12\u202834", "U+2028 (LINE SEPARATOR)"),
        ("12\ud80034", "U+D800"),
        ("12\ufffd34", "U+FFFD (REPLACEMENT CHARACTER)"),
        ("1" * 65, "65 characters"),
    ],
)
def test_a_serial_that_cannot_be_one_is_refused_by_name(text: str, named: str) -> None:
    """The clerk is told which character is wrong; the fault can be shown without the character itself."""
    with pytest.raises(Invalid) as refused:
        check_serial(text)
    [fault] = refused.value.faults
    assert named in fault.message
    assert fault.field == "serial number"
    assert fault.value is None or fault.value.encode("utf-8").isascii()
    assert "\x00" not in (fault.value or "") + fault.message


@pytest.mark.parametrize("text", ["12345", "ЕУ 1234", "أ ١٢٣", "12-34/5.6", "1" * 64, "<script>", "'; DROP TABLE item"])
def test_a_serial_is_kept_to_the_character(text: str) -> None:
    """What stands on the metal is kept as it stands there; only blanks around it go."""
    assert check_serial(f"  {text}\u00a0") == text


@given(st.integers(0, LARGEST_TAG))
def test_asset_tags_read_back(number: int) -> None:
    """A tag is read whatever case, blanks or dashes the scanner or the clerk makes of it."""
    tag = asset_tag(number)
    assert read_asset_tag(tag) == number
    assert read_asset_tag(f" {tag.lower().replace('-', '')} ") == number


def test_the_form_of_an_asset_tag() -> None:
    """Prefix, at least six digits to the base 36, check character."""
    assert asset_tag(727) == "SP-0000K7-N"
    assert asset_tag(36**6) == "SP-1000000-" + asset_tag(36**6)[-1]
    with pytest.raises(ValueError, match="-1"):
        asset_tag(-1)


@given(st.integers(0, 36**7), st.integers(2, 9), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_a_tag_with_one_wrong_character_finds_nothing(number: int, position: int, wrong: str) -> None:
    """A misread tag must not find another weapon."""
    tag = asset_tag(number).replace("-", "")
    position = min(position, len(tag) - 1)
    misread = tag[:position] + wrong + tag[position + 1 :]
    assert read_asset_tag(misread) == (number if misread == tag else None)


@pytest.mark.parametrize(
    "text", ["", "SP", "12345", "SP-K7-N", "SP-000000K7-N", "XX-0000K7-N", "SP-ZZZZZZZZZZZZZ-0", "?" * 99]
)
def test_what_is_no_tag_is_none(text: str) -> None:
    """Serial numbers, tags written in another form and numbers beyond the database's are no tags."""
    assert read_asset_tag(text) is None


def test_partial_serials_become_patterns() -> None:
    """A clerk who can read only part of a serial types ? and *; the range lets the index narrow the
    search.
    """
    exact = scan_pattern("ab-12")
    assert (exact.kind, exact.like, exact.first, exact.before) == (PatternKind.EXACT, "AB12", "AB12", "AB13")
    prefix = scan_pattern("ab 12*")
    assert (prefix.kind, prefix.like, prefix.first, prefix.before) == (
        PatternKind.PREFIX,
        "AB12%",
        "AB12",
        "AB13",
    )
    middle = scan_pattern("12?4**5")
    assert (middle.kind, middle.like, middle.first, middle.before) == (
        PatternKind.PATTERN,
        "12_4%5",
        "12",
        "13",
    )
    end = scan_pattern("*345")
    assert (end.kind, end.like, end.first, end.before) == (PatternKind.PATTERN, "%345", None, None)
    assert scan_pattern("O؟1", fold).like == "0_1"
    assert scan_pattern("\U0010ffff*").before is None
    assert scan_pattern("A\U0010ffff*").before == "B"
    assert scan_pattern("A\ud7ff*").before == "A\ue000"


@pytest.mark.parametrize("text", ["", "*", "??", "- *", "12\x00*", "1" * 65])
def test_a_search_for_everything_is_refused(text: str) -> None:
    """Wild cards alone would list the whole stockpile."""
    with pytest.raises(Invalid) as refused:
        scan_pattern(text)
    assert refused.value.faults[0].field == "search"


@pytest.mark.parametrize(("text", "like"), [("50%*", r"50\%%"), ("A_1?", r"A\_1_"), ("A\\*", "A\\\\%")])
def test_characters_that_mean_something_to_sql_mean_themselves(text: str, like: str) -> None:
    """A percent sign in a serial is a percent sign, not a wild card."""
    assert scan_pattern(text).like == like


@given(PLAIN_SERIAL, st.data())
def test_a_pattern_made_from_a_serial_finds_it(serial: str, data: st.DataObject) -> None:
    """Whatever part of a serial becomes unreadable, its range and its pattern still hold the serial's key."""
    start = data.draw(st.integers(0, len(serial) - 1))
    stop = data.draw(st.integers(start, len(serial)))
    typed = serial[:start] + data.draw(st.sampled_from(["*", "?" * (stop - start)])) + serial[stop:]
    if not typed.strip("?*"):
        return
    pattern = scan_pattern(typed)
    assert _like(serial, pattern.like)
    if pattern.first is not None and pattern.before is not None:
        assert pattern.first <= serial < pattern.before


def _like(value: str, pattern: str) -> bool:
    """SQL's LIKE with a backslash as escape, said plainly."""
    if not pattern:
        return not value
    if pattern[0] == "%":
        return any(_like(value[skip:], pattern[1:]) for skip in range(len(value) + 1))
    if not value:
        return False
    if pattern[0] == "_":
        return _like(value[1:], pattern[1:])
    literal, rest = (pattern[1], pattern[2:]) if pattern[0] == "\\" else (pattern[0], pattern[1:])
    return value[0] == literal and _like(value[1:], rest)

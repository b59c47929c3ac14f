"""Machine-readable marks: what a scanner reads from a Data Matrix on a weapon, and the unique item
identifier (UII) in it.

Pure functions over ISO/IEC 15434 envelopes as MIL-STD-130 uses them (formats 05, 06 and 12) and over UIIs
written out. A mark that does not give exactly one UII is refused with its reason: a guessed identity would
put one weapon's history on another. What is here only from memory of the standards is in the constants marked
"unverified".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stdnum import ean

from stockpile.errors import Fault, Invalid
from stockpile.identity import character_name, shown
from stockpile.sentences import joined, sentence, words_of

HEADER = "[)>"
RS, GS, EOT = "\x1e", "\x1d", "\x04"

LONGEST_UII = 50
"""Unverified."""

LONGEST_MARK = 1000
"""More than any Data Matrix on metal holds; keeps hostile input cheap."""

_UII_TEXT = re.compile(r"[A-Z0-9/-]+")
"""The characters of a UII. Unverified."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a machine-readable mark says.

    `construct` is 1 (serial unique in the enterprise), 2 (unique in the part or lot), or None where the UII
    came written out in one piece: then serial and enterprise stand here only as far as the agency's rules
    tell them apart. `format` is None for plain text that has the form of a UII; an ordinary serial number can
    have that form too. `elements` are the data elements as read, qualifier and value.
    """

    uii: str
    format: str | None = None
    construct: int | None = None
    agency: str | None = None
    enterprise: str | None = None
    serial_number: str | None = None
    part_number: str | None = None
    lot: str | None = None
    current_part_number: str | None = None
    elements: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Agency:
    """Who issued an enterprise's code: the code's form, and what stands before it in a UII."""

    code: str
    name: str
    enterprise: re.Pattern[str]


# MIL-STD-130 table V. GS1's company prefix begins with its own agency digit, so nothing is put before it.
AGENCIES: tuple[Agency, ...] = (
    Agency("LD", "DODAAC", re.compile(r"[A-Z0-9]{6}")),
    Agency("UN", "DUNS number", re.compile(r"[0-9]{9}")),
    Agency("D", "CAGE or NCAGE code", re.compile(r"[A-Z0-9]{5}")),
    Agency("", "GS1 company prefix", re.compile(r"[0-9]{6,12}")),
)
AGENCY_OF = {agency.code: agency for agency in AGENCIES}

OTHER_AGENCIES = ("LB", "LH")
"""Agencies whose enterprise codes have no fixed length: a UII of theirs cannot be taken apart."""


@dataclass(frozen=True, slots=True)
class Format:
    """The qualifiers of one ISO/IEC 15434 format that make a UII (MIL-STD-130 tables A-I to A-III)."""

    enterprises: Mapping[str, str | None]
    """Qualifier of the enterprise, and the agency code to put before it; None: the value has it already."""
    serial_in_enterprise: tuple[str, ...]
    products: Mapping[str, str]
    """Qualifier of original part number or lot, and which of the two it is."""
    serial_in_product: str
    cage_and_serial: tuple[str, ...]
    """Qualifiers of CAGE code and serial in one value, without agency code."""
    whole: tuple[str, ...]
    """Qualifiers of a UII, or an accepted equivalent, in one piece."""
    current_part_number: str


FORMATS: Mapping[str, Format] = {
    "05": Format({}, (), {}, "", (), ("8002", "8003", "8004"), ""),
    "06": Format(
        {"17V": "D", "12V": "UN", "3V": "", "7L": "LD", "18V": None},
        (),
        {"1P": "part_number", "1T": "lot"},
        "S",
        ("18S",),
        ("25S", "I", "22S"),
        "30P",
    ),
    # Part and lot qualifiers PNR and LOT are unverified.
    "12": Format(
        {"CAG": "D", "MFR": "D", "SPL": "D", "DUN": "UN", "EUC": ""},
        ("SER", "UCN"),
        {"PNO": "part_number", "LOT": "lot"},
        "SEQ",
        (),
        ("UID",),
        "PNR",
    ),
}

_CARRIES_AGENCY = ("25S", "UID")
"""Written-out UIIs that begin with an agency code; the equivalents (vehicle, phone and GS1 asset numbers)
need not.
"""

_SAME_FORMAT = {"DD": "12"}
"""Format 12 before it had its number."""

_FIXED_LENGTH_IDENTIFIERS = {"01": 14, "11": 6, "13": 6, "15": 6, "17": 6}
_OTHER_IDENTIFIERS = ("10", "21", "240", "241", "250", "251", "8002", "8003", "8004")

# How keyboards, editors and printed manuals show the three separators.
_SEPARATOR_NAMES = {
    RS: (r"RS", r"\u241e", r"\\x1e", r"<0x1e>", r"\^\^"),
    GS: (r"GS", r"\u241d", r"\\x1d", r"<0x1d>", r"\^\]"),
    EOT: (r"EOT", r"\u2404", r"\\x04", r"<0x04>", r"\^D"),
}
_STAND_INS = tuple(
    (re.compile("|".join((rf"[<{{\[(]{name}[>}}\])]", *others)), re.IGNORECASE), separator)
    for separator, (name, *others) in _SEPARATOR_NAMES.items()
)

_SYMBOLOGY_IDENTIFIER = re.compile(r"^\][A-Za-z][0-9]")


class _Unreadable(Exception):
    """Why a mark is refused, in words for the user."""


def read_mark(text: str) -> Mark | None:
    """The mark a scanner or a hand typed, or None if the text has not the form of one.

    Takes the envelope with its separators as control characters, control pictures or stand-ins (`<RS>`,
    `{GS}`, `^]`), with or without the closing RS and EOT; and UIIs written out, with their agency code. Small
    letters count as capitals: marks have no others. Raises `Invalid` with the reason for an envelope that is
    damaged, lacks an element, or gives two UIIs.
    """
    scanned = _SYMBOLOGY_IDENTIFIER.sub("", text.strip(" \t\r\n\ufeff"))
    if not scanned.startswith(HEADER):
        return _read_plain(scanned)
    try:
        return _read_envelope(scanned)
    except _Unreadable as refusal:
        raise _invalid(words_of(refusal), text) from None


def _invalid(message: str, text: str) -> Invalid:
    return Invalid(message, (Fault(message, field="mark", value=shown(text)),))


def _read_envelope(scanned: str) -> Mark:
    if len(scanned) > LONGEST_MARK:
        raise _Unreadable(
            sentence(
                "The mark has {count} characters; no mark has more than {most}.",
                count=len(scanned),
                most=LONGEST_MARK,
            )
        )
    segments = list(_segments(scanned))
    marks = [mark for name, elements in segments for mark in _marks_in(name, elements)]
    if not marks:
        needed = joined(
            "; ", (sentence("in format {name} {needed}", name=name, needed=_needed(name)) for name, _ in segments)
        )
        found = ", ".join(qualifier for _, elements in segments for qualifier, _ in elements) or sentence("none")
        raise _Unreadable(
            sentence("The mark has no UII: it needs {needed}. Its identifiers: {found}.", needed=needed, found=found)
        )
    identifiers = sorted({mark.uii for mark in marks})
    if len(identifiers) > 1:
        raise _Unreadable(
            sentence(
                "The mark gives more than one UII: {identifiers}. Enter the right one by hand.",
                identifiers=", ".join(identifiers),
            )
        )
    return marks[0]


def envelope(
    construct: int,
    *,
    enterprise: str,
    serial_number: str,
    agency: str = "D",
    part_number: str | None = None,
    lot: str | None = None,
    current_part_number: str | None = None,
    format: str = "06",
) -> str:
    """The text of a Data Matrix for one item: an ISO/IEC 15434 envelope in format 06 or 12.

    Construct 1 takes neither part number nor lot, construct 2 exactly one of them; `agency` is one of
    `AGENCY_OF`. Raises `Invalid` for anything that could not be read back as the same mark.
    """
    product = {"part_number": part_number, "lot": lot}
    given = {kind: value for kind, value in product.items() if value is not None}
    try:
        _check_parts(construct, format, agency, enterprise, given)
        elements = _elements_of(FORMATS[format], agency, enterprise, given, serial_number)
        if current_part_number is not None:
            elements.append((FORMATS[format].current_part_number, current_part_number))
        blank = " " if format == "12" else ""
        written = GS.join([format, *(qualifier + blank + value for qualifier, value in elements)])
        text = f"{HEADER}{RS}{written}{RS}{EOT}"
        mark = _read_envelope(text)
        meant = agency + enterprise + "".join(given.values()) + serial_number
        if not serial_number or mark.uii != meant or mark.elements != tuple(elements):
            raise _Unreadable(
                sentence("The mark would not read back as it was meant: it takes capitals, digits, - and / only.")
            )
    except _Unreadable as refusal:
        raise _invalid(words_of(refusal), " ".join((agency, enterprise, *given.values(), serial_number))) from None
    return text


def _check_parts(construct: int, format: str, agency: str, enterprise: str, given: Mapping[str, str]) -> None:
    """Refuse what no envelope can be made of."""
    if format not in ("06", "12"):
        raise _Unreadable(sentence("Marks are written in format 06 or 12, not '{format}'.", format=shown(format)))
    if construct not in (1, 2) or len(given) != construct - 1:
        raise _Unreadable(sentence("Construct 1 takes no part number or lot, construct 2 exactly one of them."))
    if agency not in AGENCY_OF:
        raise _Unreadable(
            sentence(
                "No agency has the code '{agency}'; known are {agencies}.",
                agency=shown(agency),
                agencies=", ".join(filter(None, AGENCY_OF)),
            )
        )
    if not AGENCY_OF[agency].enterprise.fullmatch(enterprise):
        raise _Unreadable(
            sentence("'{enterprise}' is no {name}.", enterprise=shown(enterprise), name=AGENCY_OF[agency].name)
        )


def _elements_of(
    rules: Format, agency: str, enterprise: str, given: Mapping[str, str], serial_number: str
) -> list[tuple[str, str]]:
    """The data elements of one item, qualifier and value, in the order of the UII."""
    if not given and agency == "D" and rules.cage_and_serial:
        return [(rules.cage_and_serial[0], enterprise + serial_number)]
    if not given and not rules.serial_in_enterprise:
        return [(rules.whole[0], agency + enterprise + serial_number)]
    qualifier = next((name for name, code in rules.enterprises.items() if code == agency), None)
    if qualifier is None:
        raise _Unreadable(
            sentence("Format 12 has no identifier for a {name}; use format 06.", name=AGENCY_OF[agency].name)
        )
    elements = [(qualifier, enterprise)]
    elements += [(name, given[kind]) for name, kind in rules.products.items() if kind in given]
    elements.append((rules.serial_in_product if given else rules.serial_in_enterprise[0], serial_number))
    return elements


def _segments(scanned: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The envelope taken apart: each format's number and its data elements."""
    for pattern, separator in _STAND_INS:
        scanned = pattern.sub(separator, scanned)
    body = scanned.upper().removeprefix(HEADER)
    if RS not in body and GS not in body:
        raise _Unreadable(
            sentence("The mark's separators are missing. Set the scanner to send control characters (RS, GS, EOT).")
        )
    if not body.startswith(RS):
        raise _Unreadable(sentence("The mark has no record separator (RS) after its beginning '[)>'."))
    body = body.removesuffix(EOT).removesuffix(RS)
    if EOT in body:
        raise _Unreadable(sentence("The mark goes on after its end (EOT). Scan one mark at a time."))
    for segment in body[1:].split(RS):
        name, *parts = segment.split(GS)
        name = _SAME_FORMAT.get(name, name)
        if name not in FORMATS:
            raise _Unreadable(
                sentence("The mark is in format '{name}'; formats 05, 06 and 12 can be read.", name=shown(name))
            )
        elements = [element for part in parts for element in _elements(name, part)]
        qualifiers = [qualifier for qualifier, _ in elements]
        for qualifier in qualifiers:
            if qualifiers.count(qualifier) > 1:
                raise _Unreadable(sentence("The mark has {qualifier} more than once.", qualifier=qualifier))
        yield name, elements


def _elements(name: str, part: str) -> Iterator[tuple[str, str]]:
    """One data element's qualifier and value; in format 05 identifiers of fixed length need no separator
    after them.
    """
    for character in part:
        if not character.isprintable():
            raise _Unreadable(
                sentence("The mark has {character} inside a data element.", character=character_name(character))
            )
    if name == "05":
        yield from _gs1_elements(part)
        return
    form = r"([0-9]{0,3}[A-Z])(.+)" if name == "06" else r"([A-Z]{3}) ?(.+)"
    match = re.fullmatch(form, part)
    if match is None:
        raise _Unreadable(
            sentence("The mark has the element '{part}', which has no identifier or no value.", part=shown(part))
        )
    yield match[1], match[2]


def _gs1_elements(part: str) -> Iterator[tuple[str, str]]:
    rest = part
    while True:
        for identifier, length in _FIXED_LENGTH_IDENTIFIERS.items():
            if rest.startswith(identifier) and len(rest) >= len(identifier) + length:
                yield identifier, rest[len(identifier) : len(identifier) + length]
                rest = rest[len(identifier) + length :]
                break
        else:
            break
        if not rest:
            return
    for identifier in _OTHER_IDENTIFIERS:
        if rest.startswith(identifier) and len(rest) > len(identifier):
            yield identifier, rest[len(identifier) :]
            return
    raise _Unreadable(
        sentence("The mark has the element '{rest}', which has no known GS1 identifier or no value.", rest=shown(rest))
    )


def _marks_in(name: str, elements: Sequence[tuple[str, str]]) -> list[Mark]:
    """Every UII that the rules of the format find among the elements."""
    rules = FORMATS[name]
    values = dict(elements)
    about = {kind: values[qualifier] for qualifier, kind in rules.products.items() if qualifier in values}
    found = [*_whole(rules, values), *_in_enterprise(rules, values), *_in_product(rules, values)]
    for mark in found:
        _check_uii(mark.uii)
    return [
        replace(
            mark,
            format=name,
            part_number=about.get("part_number"),
            lot=about.get("lot"),
            current_part_number=values.get(rules.current_part_number),
            elements=tuple(elements),
        )
        for mark in found
    ]


def _needed(name: str) -> str:
    """The elements a format's UII is made of, in words."""
    rules = FORMATS[name]
    ways = [*rules.whole, *rules.cage_and_serial]
    enterprises = " or ".join(rules.enterprises)
    if rules.serial_in_enterprise:
        ways.append(f"({enterprises}) with ({' or '.join(rules.serial_in_enterprise)})")
    if rules.products:
        ways.append(f"({enterprises}) with ({' or '.join(rules.products)}) and {rules.serial_in_product}")
    return ", or ".join(ways)


def _check_uii(uii: str) -> None:
    if not _UII_TEXT.fullmatch(uii):
        wrong = next(character for character in uii if not _UII_TEXT.fullmatch(character))
        raise _Unreadable(
            sentence("The UII has {wrong}; only capitals, digits, - and / are allowed.", wrong=character_name(wrong))
        )
    if len(uii) > LONGEST_UII:
        raise _Unreadable(
            sentence(
                "The UII has {count} characters; at most {most} are allowed.",
                count=len(uii),
                most=LONGEST_UII,
            )
        )


def _whole(rules: Format, values: Mapping[str, str]) -> Iterator[Mark]:
    for qualifier in (*rules.whole, *rules.cage_and_serial):
        if qualifier not in values:
            continue
        value = values[qualifier]
        if qualifier == "8003":
            yield _returnable_asset(value)
        elif qualifier in rules.cage_and_serial:
            yield _cage_and_serial(value)
        elif qualifier in _CARRIES_AGENCY:
            mark = _taken_apart(value)
            if mark is None:
                raise _Unreadable(
                    sentence("'{value}' does not begin with an agency code and an enterprise.", value=shown(value))
                )
            yield mark
        else:
            yield Mark(uii=value)


def _returnable_asset(value: str) -> Mark:
    """GS1's returnable asset identifier: a zero, 13 digits of the asset type with check digit, then the
    serial.
    """
    kind, serial_number = value[:14], value[14:]
    if len(kind) < 14 or not kind.isdecimal() or not ean.is_valid(kind):
        raise _Unreadable(sentence("The asset type in identifier 8003 has a wrong check digit: read the mark again."))
    if not serial_number:
        raise _Unreadable(sentence("Identifier 8003 has no serial number: it names a kind of item, not one item."))
    return Mark(uii=value, serial_number=serial_number)


def _cage_and_serial(value: str) -> Mark:
    enterprise, serial_number = value[:5], value[5:]
    if not serial_number or not AGENCY_OF["D"].enterprise.fullmatch(enterprise):
        raise _Unreadable(
            sentence(
                "Identifier 18S is '{value}': it needs a CAGE code of five characters and a serial.", value=shown(value)
            )
        )
    return Mark("D" + value, construct=1, agency="D", enterprise=enterprise, serial_number=serial_number)


def _enterprises(rules: Format, values: Mapping[str, str]) -> Iterator[tuple[str | None, str, str]]:
    """Each enterprise the mark names: agency code, enterprise, and both as they stand in the UII."""
    for qualifier, code in rules.enterprises.items():
        if qualifier not in values:
            continue
        value = values[qualifier]
        if code is None:
            agency = next((known for known in ("LD", "UN", "D", *OTHER_AGENCIES) if value.startswith(known)), None)
            yield agency, value.removeprefix(agency or ""), value
        elif AGENCY_OF[code].enterprise.fullmatch(value):
            yield code or value[0], value, code + value
        else:
            raise _Unreadable(
                sentence(
                    "Identifier {qualifier} is '{value}', which is no {name}.",
                    qualifier=qualifier,
                    value=shown(value),
                    name=AGENCY_OF[code].name,
                )
            )


def _in_enterprise(rules: Format, values: Mapping[str, str]) -> Iterator[Mark]:
    for agency, enterprise, written in _enterprises(rules, values):
        for qualifier in rules.serial_in_enterprise:
            if qualifier in values:
                serial_number = values[qualifier]
                yield Mark(
                    written + serial_number,
                    construct=1,
                    agency=agency,
                    enterprise=enterprise,
                    serial_number=serial_number,
                )


def _in_product(rules: Format, values: Mapping[str, str]) -> Iterator[Mark]:
    if rules.serial_in_product not in values:
        return
    serial_number = values[rules.serial_in_product]
    for agency, enterprise, written in _enterprises(rules, values):
        for qualifier in rules.products:
            if qualifier in values:
                yield Mark(
                    written + values[qualifier] + serial_number,
                    construct=2,
                    agency=agency,
                    enterprise=enterprise,
                    serial_number=serial_number,
                )


def _taken_apart(uii: str) -> Mark | None:
    """A written-out UII's agency and enterprise, as far as the agency's rules show where they end."""
    for agency in AGENCIES:
        if agency.code == "":
            if re.match(r"[0-9]{6}", uii) and len(uii) > 6:
                return Mark(uii, agency=uii[0])
            continue
        if uii.startswith(agency.code):
            begin = len(agency.code)
            match = agency.enterprise.match(uii, begin)
            if match is not None and match.end() < len(uii):
                return Mark(uii, agency=agency.code, enterprise=match[0])
    if uii.startswith(OTHER_AGENCIES) and len(uii) > 3:
        return Mark(uii, agency=uii[:2])
    return None


def _read_plain(scanned: str) -> Mark | None:
    """Plain text in the form of a UII: an agency code, an enterprise of the agency's form and something
    after it.
    """
    uii = scanned.upper()
    if len(uii) > LONGEST_UII or not _UII_TEXT.fullmatch(uii):
        return None
    return _taken_apart(uii)

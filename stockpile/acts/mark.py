"""Mark: the armourer puts a serial number, an import mark, a distinguishing mark or a UII on weapons, and says how and where on
each. The weapon stays where it is.

A serial number is for a weapon that has none that can be read; what is wrong in the books is amended instead. A UII never
changes, and two weapons never share one. From paper a marking is a fact: what contradicts the books is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from stockpile import identifications, items, ledger
from stockpile.acts import voucher
from stockpile.acts.as_written import take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Asked, Code, Desk, FactRequest, ItemLine, Posted, Scan, Words, Writing, now
from stockpile.errors import Invalid
from stockpile.identifications import Change, Identification
from stockpile.identity import identity_key, serial_key
from stockpile.items import UII, Held, Known, Line
from stockpile.marks import envelope, read_mark
from stockpile.movements import Act
from stockpile.registers.listing import Serial
from stockpile.sentences import sentence
from stockpile.sites import find_store

Method = Literal["engraved", "stamped", "laser", "dot peen", "electrochemical", "cast", "plate"]
Part = Literal[
    "frame", "receiver", "barrel", "bolt", "cylinder", "slide", "breech block", "launch tube", "mount", "stock"
]
"""Frame or receiver is the reference point; barrel, bolt, cylinder, slide and breech block are advised too (MOSAIC 05.30)."""


@cache
def countries() -> frozenset[str]:
    """The countries' two letters of ISO 3166, as the time zone database lists them."""
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(row.split("\t")[0] for row in table.splitlines() if row and not row.startswith("#"))


def _country(code: str) -> str:
    if code not in countries():
        raise ValueError(sentence("no country has these two letters (ISO 3166), such as IQ"))
    return code


def _past_year(year: int) -> int:
    if not 1800 <= year <= now().year + 1:
        raise ValueError(sentence("a year from 1800 to this one"))
    return year


Country = Annotated[str, AfterValidator(_country)]
Year = Annotated[int, AfterValidator(_past_year)]


def _uii(text: str) -> str:
    """The UII of a scanned or written-out mark. Raises ValueError in the words of `marks.read_mark`."""
    try:
        mark = read_mark(text)
    except Invalid as problem:
        raise ValueError(problem.detail) from None
    if mark is None:
        raise ValueError(
            sentence("no UII: it begins with an agency's code and an enterprise, such as D and a CAGE code")
        )
    return mark.uii


class AssignedUii(Asked):
    """A UII to be made of its parts (MIL-STD-130): of enterprise and serial number (construct 1), or with a part number or a lot
    between them (construct 2).
    """

    agency: Literal["D", "LD", "UN", "GS1"] = Field(
        "D", description="Who gave the enterprise its code; D: CAGE or NCAGE, LD: DODAAC, UN: DUNS"
    )
    enterprise: Code = Field(examples=["1ABC2"])
    part_number: Code | None = Field(None, description="Makes it construct 2", examples=["W0042"])
    lot: Code | None = Field(None, description="Makes it construct 2, instead of a part number")
    serial_number: Code | None = Field(None, description="Left out: the weapon's own, without its blanks")

    @model_validator(mode="after")
    def _one_product(self) -> AssignedUii:
        if self.part_number is not None and self.lot is not None:
            raise ValueError(sentence("a UII has a part number or a lot, not both"))
        return self

    def made(self, serial_number: str | None) -> str:
        """The UII for a weapon. Raises Invalid if none can be made of these parts."""
        serial = self.serial_number or "".join((serial_number or "").split()).upper()
        construct = 1 if self.part_number is None and self.lot is None else 2
        text = envelope(
            construct, enterprise=self.enterprise, serial_number=serial, agency="" if self.agency == "GS1" else self.agency,
            part_number=self.part_number, lot=self.lot,
        )  # fmt: skip
        mark = read_mark(text)
        assert mark is not None
        return mark.uii


class MarkLine(ItemLine):
    """A weapon, and what was put on it."""

    serial_number: Serial | None = Field(
        None, description="For a weapon that has none, or none that can be read", examples=["IQ-A 000417"]
    )
    distinguishing_mark: Words | None = Field(None, description="What tells it from its twin")
    import_mark: Words | None = Field(None, description="As it stands there; left out: country and year")
    import_country: Country | None = Field(None, description="ISO 3166, two letters; else that of the whole record")
    import_year: Year | None = None
    uii: Annotated[Scan, AfterValidator(_uii)] | AssignedUii | None = Field(
        None, description="As scanned or written out, or the parts to make it of", examples=["D1ABC2W0042417"]
    )
    method: Method | None = Field(None, description="Left out: that of the whole record")
    place: Part | None = Field(None, description="On which part; left out: that of the whole record")


class Mark(FactRequest):
    """Record what was put on weapons (marking record): up to 500 lines. What is said for the whole record counts for each line
    that does not say it itself.
    """

    lines: Annotated[tuple[MarkLine, ...], Field(min_length=1, max_length=500)]
    method: Method | None = Field(None, examples=["laser"])
    place: Part | None = Field(None, description="On which part", examples=["receiver"])
    import_country: Country | None = Field(
        None, description="An import mark on each: the country of import, ISO 3166, two letters", examples=["IQ"]
    )
    import_year: Year | None = Field(None, examples=[2026])
    uii: AssignedUii | None = Field(None, description="A UII for each, made of these parts and its serial number")
    store: Code | None = Field(
        None, description="For weapons on a paper that the books never heard of: the store they are in"
    )

    @model_validator(mode="after")
    def _whole(self) -> Mark:
        for number, line in enumerate(self.lines, 1):
            mark = _Mark.of(self, line)
            if not mark.says:
                raise ValueError(
                    sentence(
                        "line {number} has nothing that was put on: a serial_number, uii, import_country or "
                        "distinguishing_mark",
                        number=number,
                    )
                )
            if mark.import_country is None and (mark.import_year is not None or mark.import_mark is not None):
                raise ValueError(
                    sentence("line {number}: an import mark names its country (import_country)", number=number)
                )
            if mark.method is None or mark.place is None:
                raise ValueError(
                    sentence("line {number}: say how (method) and on which part (place) it was put on", number=number)
                )
        return self


@dataclass(frozen=True, slots=True)
class _Mark:
    """What one line says, with what the record says for all."""

    serial_number: str | None
    distinguishing_mark: str | None
    import_mark: str | None
    import_country: str | None
    import_year: int | None
    uii: str | AssignedUii | None
    method: str | None
    place: str | None

    @classmethod
    def of(cls, request: Mark, line: MarkLine) -> _Mark:
        country = line.import_country or request.import_country
        year = line.import_year or request.import_year
        text = line.import_mark or (f"{country} {year or ''}".strip() if country else None)
        return cls(
            line.serial_number, line.distinguishing_mark, text, country, year, line.uii or request.uii,
            line.method or request.method, line.place or request.place,
        )  # fmt: skip

    @property
    def says(self) -> bool:
        """Whether anything was put on."""
        return any((self.serial_number, self.distinguishing_mark, self.import_mark, self.import_year, self.uii))


@dataclass(slots=True)
class Marking:
    """What the lines of a record led to: for each weapon what it bears now, and as the document tells it."""

    fact: bool
    known: dict[UUID, Identification]
    judged: Known = field(default_factory=Known)
    taken: dict[str, int] = field(default_factory=dict)
    changes: dict[UUID, Change] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    found: list[Contradiction] = field(default_factory=list)

    def against(self, one: Scanned, reason: str, kind: Kind, seen: str) -> None:
        """What speaks against a mark: a command's reason, a fact's discrepancy."""
        held = one.held
        assert held is not None
        if self.fact:
            self.found.append(Contradiction(kind, reason, seen, held.item_id, held.donor_id, one.number))
        elif not one.reason:
            one.reason = reason


def mark(desk: Desk, request: Mark) -> Posted:
    """Posts a marking record. Raises Invalid (store, for unknown weapons), Refused (one reason a weapon)."""
    written = Writing.of(request)
    scanned = voucher.lock(desk, request.lines)
    found = take_as_written(desk, scanned, written) if written.fact else []
    if not written.fact:
        voucher.check_origin(scanned, desk.act, desk.site)
    marking = _marked(desk, request, scanned, written.fact)
    voucher.refuse(scanned, desk.act)
    weapons = {one.held.item_id: one.held for one in scanned if one.held is not None}
    for item_id, change in marking.changes.items():
        # Its entry commits the number it bears from now on.
        weapons[item_id].serial_number = change.fields.get("serial_number", weapons[item_id].serial_number)
    details = {"paper": "marking record", "marks": marking.told}
    lines = _lines(desk, request, weapons.values(), written.fact)
    posted = ledger.post(desk, written.document(desk, {}, details), lines, [*found, *marking.found])
    identifications.write(desk, posted.document_id, marking.changes, weapons, marking.judged)
    return posted


def _lines(desk: Desk, request: Mark, weapons: Iterable[Held], fact: bool) -> list[Line]:
    """Each stays where it is, or was; one that was not in the books then enters a store."""
    new = find_store(desk.connection, desk.site, request.store) if fact and request.store else None
    lines = []
    for held in weapons:
        if held.version:
            lines.append(Line(held, new or held.where, fact=Act.MARK if fact else None, stays=True))
        else:
            new = new or find_store(desk.connection, desk.site, request.store)
            lines.append(Line(held, new))
    return lines


def _marked(desk: Desk, request: Mark, scanned: Sequence[Scanned], fact: bool) -> Marking:
    """Judges every line, and says what becomes of its weapon."""
    meant: list[tuple[Scanned, _Mark]] = []
    for one, line in zip(scanned, request.lines, strict=True):
        if one.held is not None and not one.held.serial:
            one.reason = sentence("it is counted, not one of its kind: it takes no mark of its own")
        elif one.held is not None and not one.reason:
            meant.append((one, _Mark.of(request, line)))
    known = identifications.identified(desk.connection, {one.held.item_id for one, _ in meant if one.held})
    marking = Marking(fact, known)
    changes = [(one, mark, _fields(marking, one, mark)) for one, mark in meant]
    keys = [key for one, _, fields in changes if one.held for key in _new_keys(known, one.held, fields).values()]
    marking.judged = items.known_by_identity(desk.connection, keys)
    for one, mark, fields in changes:
        assert one.held is not None
        _check_borne(marking, one, fields)
        marking.changes[one.held.item_id] = Change(fields, mark.method, mark.place)
        marking.told.append(_told(one, mark, fields))
    return marking


def _told(one: Scanned, mark: _Mark, fields: dict[str, Any]) -> dict[str, Any]:
    """A line as the document tells it, and its leaf commits it."""
    assert one.held is not None
    said = {name: value for name, value in fields.items() if value is not None and name != "obliterated"}
    return {"line": one.number, "item": str(one.held.item_id), **said, "method": mark.method, "place": mark.place}


def _fields(marking: Marking, one: Scanned, mark: _Mark) -> dict[str, Any]:
    """What is otherwise on a weapon from now on."""
    assert one.held is not None
    known = marking.known[one.held.item_id]
    fields: dict[str, Any] = {}
    if mark.serial_number is not None:
        if known.readable is not None:
            reason = sentence(
                "it bears the serial number {serial_number}: if that is wrong, ask for an amendment",
                serial_number=known.serial_number,
            )
            marking.against(one, reason, Kind.DOUBTFUL, f"marked with {mark.serial_number}, line {one.number}")
        fields |= {"serial_number": mark.serial_number, "obliterated": False}
    if mark.distinguishing_mark is not None:
        fields["distinguishing_mark"] = mark.distinguishing_mark
    if mark.import_country is not None:
        fields |= _import_mark(marking, one, mark, known)
    if mark.uii is not None:
        fields |= _uii_mark(marking, one, mark.uii, known, fields.get("serial_number", known.readable))
    return fields


def _import_mark(marking: Marking, one: Scanned, mark: _Mark, known: Identification) -> dict[str, Any]:
    said = {"import_mark": mark.import_mark, "import_country": mark.import_country, "import_year": mark.import_year}
    if (known.import_mark, known.import_country, known.import_year) == tuple(said.values()) and not marking.fact:
        one.reason = one.reason or sentence(
            "it bears the import mark {import_mark} already", import_mark=mark.import_mark
        )
    return said


def _uii_mark(
    marking: Marking, one: Scanned, asked: str | AssignedUii, known: Identification, serial_number: str | None
) -> dict[str, Any]:
    try:
        uii = asked if isinstance(asked, str) else asked.made(serial_number)
    except Invalid as problem:
        seen = f"marked with a UII of parts, line {one.number}"
        marking.against(
            one, sentence("no UII can be made for it: {problem}", problem=problem.detail), Kind.DOUBTFUL, seen
        )
        return {}
    if known.uii is None:
        return {"uii": uii}
    if not (marking.fact and known.uii == uii):
        seen = f"marked with {uii}, line {one.number}"
        marking.against(
            one, sentence("it bears the UII {uii}: a UII never changes", uii=known.uii), Kind.DOUBTFUL, seen
        )
    return {}


def _new_keys(known: dict[UUID, Identification], held: Held, fields: dict[str, Any]) -> dict[str, str]:
    """The identity keys that a weapon's new marks give it, by field."""
    keys = {}
    if "serial_number" in fields:
        maker = known[held.item_id].maker
        keys["serial_number"] = identity_key(maker, held.model_id, serial_key(fields["serial_number"]))
    if "uii" in fields:
        keys["uii"] = UII + fields["uii"]
    return keys


def _check_borne(marking: Marking, one: Scanned, fields: dict[str, Any]) -> None:
    """No two weapons of a model get one number; none ever another's UII, which a fact therefore leaves unwritten."""
    held = one.held
    assert held is not None
    for name, key in _new_keys(marking.known, held, fields).items():
        others = any(bearer != held.item_id for bearer in marking.judged.bearers.get(key, ()))
        before = marking.taken.setdefault(key, one.number)
        if not others and before == one.number:
            continue
        reason = _borne_by_another(name, fields[name], held, before if before != one.number else None)
        marking.against(one, reason, Kind.TWIN, f"marked with {fields[name]}, line {one.number}")
        if name == "uii":
            del fields[name]


def _borne_by_another(name: str, number: str, held: Held, line: int | None) -> str:
    """Why a number can't be given to a weapon: a line before has it, or another weapon bears it."""
    if name == "uii":
        if line is not None:
            return sentence("line {line} has the UII {number}: two never share one", line=line, number=number)
        return sentence("another weapon bears the UII {number}: two never share one", number=number)
    if line is not None:
        return sentence("line {line} has the serial number {number}: take another", line=line, number=number)
    return sentence(
        "another {model} bears the serial number {number}: take another", model=held.model_name, number=number
    )


MARK = ActForm(Act.MARK, Mark, mark)

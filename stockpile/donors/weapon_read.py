"""A weapon as somebody read it: its marks, where and when, and who says so. What a tracing request and a sighting have in common."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from stockpile.db.tables.tracing import COMPLETE, NONE, OBLITERATED, PARTIAL
from stockpile.documents import Asked, Digest, Words, printable, scannable
from stockpile.errors import Invalid
from stockpile.identity import scan_pattern
from stockpile.keys import new_key
from stockpile.log.leaf import canonical
from stockpile.notes import printable_lines
from stockpile.sentences import sentence, words_of

Short = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)
]
Long = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), AfterValidator(printable_lines)
]
Country = Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, pattern="^[A-Za-z]{2}$")]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]
WILD = frozenset("?*\u061f\uff1f\uff0a\u066d")
"""What stands for unreadable characters, on any keyboard."""


def _as_read(text: str) -> str:
    """A serial number as read. Raises ValueError: no letter or digit in it, a character that no serial number can have, too long."""
    try:
        scan_pattern(text)
    except Invalid as problem:
        raise ValueError(problem.faults[0].message if problem.faults else words_of(problem)) from None
    return scannable(text)


SerialRead = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_as_read)
]


class WeaponRead(Asked):
    """The marks of a weapon as read, in whatever script, and where it was found (International Tracing Instrument, paragraph 17;
    ATF Form 3312.1).
    """

    tracing_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    serial_number: SerialRead | None = Field(
        None,
        description="As read: `?` for one unreadable character, `*` for any number of them",
        examples=["KT 44?901"],
    )
    obliterated: bool = Field(
        False, description="The number was removed, or nothing of it can be read", examples=[False]
    )
    firearm_type: Short | None = Field(None, examples=["assault rifle"])
    model: Short | None = Field(None, examples=["AKM"])
    maker: Short | None = Field(None, examples=["Izhmash"])
    calibre: Short | None = Field(None, examples=["7.62x39 mm"])
    country: Country | None = Field(None, description="Of manufacture, ISO 3166", examples=["RU"])
    import_mark: Short | None = Field(None, examples=["IQ 24"])
    other_marks: Words | None = Field(
        None, description="Whatever else stands on it, and where", examples=["star on the left side"]
    )
    place: Words | None = Field(None, description="Where it was found or seen", examples=["Border post Alpha"])
    place_country: Country | None = Field(None, description="In which country, ISO 3166", examples=["SY"])
    found_on: Day | None = Field(None, examples=["2026-11-02"])
    circumstances: Long | None = Field(
        None, description="How it was found, and how", examples=["In a vehicle stopped at the border"]
    )
    contact: Words | None = Field(None, description="Whom to answer", examples=["tracing@ncb.example"])
    reference: Short | None = Field(None, description="Their number of it", examples=["NCB/2026/118"])
    photos: Annotated[tuple[Digest, ...], Field(max_length=20)] = Field(
        (), description="SHA-256 of photos and scans, stored before", examples=[[]]
    )

    @model_validator(mode="after")
    def _says_something(self) -> WeaponRead:
        if self.found_on is not None and self.found_on > date.today():
            raise ValueError(sentence("the day of the find is still to come"))
        if not any((self.serial_number, self.obliterated, self.model, self.import_mark, self.other_marks)):
            raise ValueError(
                sentence(
                    "say at least one mark: a serial number, that it was removed, a model, an import mark or another"
                )
            )
        return self

    @property
    def serial_status(self) -> str:
        """As registers of lost weapons ask it."""
        if self.serial_number is None:
            return OBLITERATED if self.obliterated else NONE
        return PARTIAL if self.obliterated or WILD & set(self.serial_number) else COMPLETE

    def content_hash(self) -> bytes:
        """SHA-256 of the validated request as canonical JSON."""
        content = self.model_dump(mode="json", exclude={"tracing_id"})
        return sha256(canonical({type(self).__name__: content})).digest()


class IncomingRequest(WeaponRead):
    """Keep a tracing request of another State, a panel of the United Nations or INTERPOL."""

    asked_by: Words = Field(description="Who asks", examples=["National Central Bureau, Amman"])
    illicit_because: Words = Field(
        description="How it was found to be illicit (ITI 17)",
        examples=["Carried without a licence by a member of an armed group"],
    )
    intended_use: Words | None = Field(
        None, description="What the answer is to be used for (ITI 17)", examples=["Criminal investigation"]
    )
    came_on: Day | None = Field(None, description="On which day it reached us; left out: today")


class OutgoingRequest(WeaponRead):
    """Keep that we ask another State for the trace of a weapon that we have."""

    asked_by: Words = Field(description="Whom we ask", examples=["National focal point, Serbia"])
    illicit_because: Words = Field(
        description="How it was found to be illicit (ITI 17)", examples=["Captured from an armed group"]
    )
    intended_use: Words | None = Field(
        None, description="What the answer is to be used for (ITI 17)", examples=["Criminal investigation"]
    )
    came_on: Day | None = Field(None, description="On which day we ask; left out: today")


class Sighting(WeaponRead):
    """Say that a weapon was seen or recovered abroad, by whom, and how sure that is."""

    asked_by: Words = Field(description="The source: who saw it", examples=["Panel of Experts, photo of 2 November"])
    how: Literal["recovered", "observed"] = Field(description="Taken, or only seen", examples=["observed"])
    confidence: Literal["certain", "probable", "possible", "doubtful"] = Field(examples=["probable"])
    came_on: Day | None = Field(None, description="On which day it reached us; left out: today")

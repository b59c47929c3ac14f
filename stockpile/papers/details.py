"""What a document's details say, as labelled facts in a fixed order: one row of the table for each. What is not in the table is
either told elsewhere on the paper or is a key that says nothing to its reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import numbers_of
from stockpile.papers.paper import Fact, Said, Style, Width, on_the_wall
from stockpile.papers.words import Word, word_or_text
from stockpile.reports.papers import consignment_name, party_names


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what the details say, in the words of the site that they are of."""

    connection: Connection
    time_zone: str

    def text(self, value: Any) -> Said | None:
        """As it stands."""
        return str(value)

    def word(self, value: Any) -> Said | None:
        """One of our own words: a cause, a method."""
        return word_or_text(str(value))

    def yes(self, value: Any) -> Said | None:
        """That it is so."""
        return Word("yes") if value else None

    def moment(self, value: Any) -> Said | None:
        """A moment on the site's wall."""
        try:
            return on_the_wall(datetime.fromisoformat(str(value)), self.time_zone)
        except ValueError:
            return str(value)

    def lines(self, value: Any) -> Said | None:
        """Numbers of lines."""
        return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)

    def party(self, value: Any) -> Said | None:
        """A person or unit by name, as far as the reader may know it."""
        key = _key(value)
        return None if key is None else party_names(self.connection, [key]).get(key, Word("a person of another site"))

    def document(self, value: Any) -> Said | None:
        """A document by its number."""
        key = _key(value)
        return None if key is None else numbers_of(self.connection, [key]).get(key, Word("a document of another site"))

    def consignment(self, value: Any) -> Said | None:
        """A consignment by its donor and reference."""
        key = _key(value)
        return None if key is None else consignment_name(self.connection, key)


def _key(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


Read = Callable[[Reader, Any], Said | None]


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that details may say: under which name, how it is labelled, how it is read."""

    name: str
    label: str
    read: Read
    width: Width = "half"
    style: Style = "text"


DETAILS: tuple[Detail, ...] = (
    Detail("giver", "Handed over by", Reader.party),
    Detail("returned_by", "Returned by", Reader.party),
    Detail("receiver", "Receiver", Reader.party),
    Detail("receivers", "Number of receivers", Reader.text),
    Detail("account_name", "Account taken over", Reader.text),
    Detail("name", "Name of the list", Reader.text),
    Detail("consignment", "Consignment", Reader.consignment, style="code"),
    Detail("shipment_number", "Shipment", Reader.text, style="code"),
    Detail("complete", "Nothing more will come", Reader.yes),
    Detail("delivered_by", "Delivered by", Reader.text),
    Detail("received_from", "Received from", Reader.text),
    Detail("to_site", "Destination", Reader.text, style="code"),
    Detail("expected_on", "Expected on", Reader.text, style="code"),
    Detail("carrier", "Carrier", Reader.text),
    Detail("driver", "Driver", Reader.text),
    Detail("vehicle", "Vehicle", Reader.text),
    Detail("seal_numbers", "Seal numbers", Reader.text),
    Detail("route", "Route", Reader.text, "full"),
    Detail("destination", "Destination", Reader.text),
    Detail("consignee", "Consignee", Reader.text),
    Detail("authorisation", "Authorisation", Reader.text),
    Detail("purpose", "Purpose", Reader.text),
    Detail("order", "Destruction order", Reader.document, style="code"),
    Detail("order_as_written", "Destruction order as written", Reader.text),
    Detail("authority", "Authority", Reader.text),
    Detail("due_on", "Due on", Reader.text, style="code"),
    Detail("method", "Method", Reader.word),
    Detail("manner", "Manner", Reader.word),
    Detail("place", "Place", Reader.text),
    Detail("counted_before", "Counted before", Reader.text),
    Detail("counted_after", "Counted afterwards", Reader.text),
    Detail("last_seen_at", "Last seen at", Reader.moment, style="code"),
    Detail("found_by", "Found by", Reader.text),
    Detail("surrendered_by", "Surrendered by", Reader.text),
    Detail("finding", "Finding", Reader.word),
    Detail("found_present_on_lines", "Found present on lines", Reader.lines),
    Detail("cause", "Cause", Reader.word),
    Detail("back", "Back from the workshop", Reader.yes),
    Detail("work", "Work", Reader.text, "full"),
    Detail("circumstances", "Circumstances", Reader.text, "full"),
    Detail("findings", "Findings", Reader.text, "full"),
    Detail("liability", "Liability", Reader.text, "full"),
    Detail("called", "Occasion", Reader.word),
    Detail("corrects", "Takes back", Reader.document, style="code"),
    Detail("reason", "Reason", Reader.text, "full"),
    Detail("override", "Override: why it goes out all the same", Reader.text, "full"),
    Detail("overridden_on_lines", "Overridden on lines", Reader.lines),
    Detail("returner_is_not_holder_on_lines", "Returned by another than its holder, on lines", Reader.lines),
    Detail("rows_set_aside", "Rows of the list set aside", Reader.text),
)
"""In the order in which they stand on a paper."""


def facts_of(connection: Connection, details: Mapping[str, Any], time_zone: str) -> tuple[Fact, ...]:
    """The facts that a document's details say."""
    reader = Reader(connection, time_zone)
    facts = []
    for detail in DETAILS:
        if details.get(detail.name) is None:
            continue
        value = detail.read(reader, details[detail.name])
        if value is not None:
            facts.append(Fact.of(Word(detail.label), value, detail.width, detail.style))
    return tuple(facts)

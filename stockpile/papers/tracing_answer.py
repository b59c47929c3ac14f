"""The answer to a tracing request, as it goes to the State that asked: what was asked, the weapon's chain of custody and its last lawful
holder; or that the books know nothing of it, or a refusal with its reasons (International Tracing Instrument, paragraphs 18 to 23).

It is made of the answer that was released, not of the books as they are now, and names no person.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.tables.tracing import ACKNOWLEDGED, DELAYED, RELEASED
from stockpile.donors.answers import Traced, traced_of
from stockpile.donors.steps import read_tracing, released_answer
from stockpile.donors.tracing import NOT_FOUND, REFUSAL, TRACED
from stockpile.errors import NotFound
from stockpile.papers.documents import printed_by
from stockpile.papers.paper import (
    Block,
    Column,
    Fact,
    Facts,
    Paper,
    Row,
    Signature,
    Signatures,
    Table,
    Text,
    filled,
    on_the_wall,
)
from stockpile.papers.words import Word, word_or_text
from stockpile.reports.tracings import StepRow, read_whole
from stockpile.rights import TRACE, Actor, require
from stockpile.sentences import sentence

UTC = "UTC"
OUTCOME = {
    TRACED: "The weapon was traced.",
    NOT_FOUND: "No weapon in our books bears these marks.",
    REFUSAL: "The trace is refused.",
}
"""What each outcome says on paper."""


def answer_of(connection: Connection, actor: Actor, tracing_id: UUID) -> Paper:
    """The paper of the answer that was released. Raises NotAllowed, NotFound (no such request; no answer was released)."""
    require(actor, TRACE)
    request, whole = read_tracing(connection, tracing_id), read_whole(connection, actor, tracing_id)
    released = released_answer(connection, tracing_id)
    if released is None:
        raise NotFound(sentence("No answer to {number} was released yet.", number=request.number))
    answer = released.answer
    blocks: list[Block] = [
        Facts(tuple(_asked(request.said, whole.steps)), Word("What was asked")),
        Text(((Word(OUTCOME[answer["outcome"]]), *((answer["words"],) if answer.get("words") else ())),), notice=True),
    ]
    if "traced" in answer:
        blocks += _weapon(traced_of(answer["traced"]))
    blocks.append(Text(((Word("Persons are not named: units and sites are told, by rule."),),)))
    blocks.append(Signatures((Signature(Word("Prepared by")), Signature(Word("Released by")))))
    return Paper(
        title=Word("Answer to a tracing request"),
        organisation=_organisation(connection),
        site=request.said.get("asked_by", ""),
        number=request.number,
        number_label=Word("Number"),
        blocks=tuple(blocks),
        form="ITI",
        code=request.number,
        printed=printed_by(connection, actor, UTC),
    )


def _organisation(connection: Connection) -> str | None:
    name: str | None = connection.exec_driver_sql(
        "SELECT name FROM party WHERE kind = 'organisation' AND name IS NOT NULL ORDER BY party_id LIMIT 1"
    ).scalar()
    return name


def _asked(said: object, steps: tuple[StepRow, ...]) -> list[Fact]:
    assert hasattr(said, "get")
    place = ", ".join(part for part in (said.get("place"), said.get("place_country")) if part)
    make = ", ".join(part for part in (said.get("maker"), said.get("model")) if part)
    facts = [
        _fact("Asked by", said.get("asked_by"), wide=True),
        _fact("Their reference", said.get("reference"), code=True),
        _fact("Came in on", said.get("came_on"), code=True),
        _fact("Receipt acknowledged on", _when(steps, ACKNOWLEDGED), code=True),
        _fact("Delayed since", _when(steps, DELAYED), code=True),
        _fact("Answer released on", _when(steps, RELEASED), code=True),
        _fact("Serial number as read", said.get("serial_number"), code=True),
        Fact.of(Word("Serial status"), word_or_text(said.get("serial_status") or "none")),
        _fact("Make, model", make or None),
        _fact("Calibre", said.get("calibre"), code=True),
        _fact("Found at", place or None),
        _fact("Found on", said.get("found_on"), code=True),
    ]
    return list(filled([fact if fact.values else None for fact in facts]))


def _fact(label: str, value: str | None, wide: bool = False, code: bool = False) -> Fact:
    return Fact.of(Word(label), value or None, "full" if wide else "half", "code" if code else "text")


def _when(steps: tuple[StepRow, ...], what: str) -> str | None:
    found = [step.happened_at for step in steps if step.what == what]
    return on_the_wall(found[-1], UTC) if found else None


def _weapon(traced: Traced) -> list[Block]:
    until = (Word("until"), traced.held_until) if traced.held_until else ()
    holder = traced.last_lawful_holder
    facts = [
        _fact("Make, model", f"{traced.maker}, {traced.model}"),
        _fact("Calibre", traced.calibre, code=True),
        _fact("Serial number", traced.serial_number, code=True),
        _fact("Formerly", ", ".join(traced.formerly), code=True),
        _fact("Country", traced.country, code=True),
        _fact("Import mark", traced.import_mark, code=True),
        _fact("Asset tag", traced.asset_tag, code=True),
        _fact("Delivered by", traced.delivered_by),
        _fact("Stands in the books as", " ".join(filter(None, (traced.stands, traced.stands_since))), wide=True),
    ]
    rows = tuple(
        Row((hand.on, word_or_text(hand.act), word_or_text(hand.origin), word_or_text(hand.to)))
        for hand in traced.chain
    )
    columns = (
        Column(Word("Day"), 24, "code"),
        Column(Word("Movement"), 32),
        Column(Word("From"), None),
        Column(Word("To"), 62),
    )
    last = Text(((holder, *until) if holder else (Word("none"),),), Word("Last lawful holder"), notice=True)
    return [
        Facts(filled([fact if fact.values else None for fact in facts]), Word("The weapon")),
        last,
        Table(columns, rows, Word("Chain of custody")),
    ]

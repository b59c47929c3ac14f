"""The report of a visit of a donor's inspectors, done or refused: who came where and when, what was planned, each line that was read beside
where the books had the weapon at that moment, the check of the store, the digests of the photos, what the host answered, who signs.

It is made of what was said and found then, not of the books as they are now. A donor's copy names nobody of the host.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.donors.physical_security import checklist
from stockpile.errors import NotFound
from stockpile.papers.documents import leaf_hash, printed_by, site_of
from stockpile.papers.lines import LISTED
from stockpile.papers.paper import (
    Block,
    Column,
    Fact,
    Facts,
    Paper,
    Row,
    Sentence,
    Signature,
    Signatures,
    Table,
    Text,
    filled,
    on_the_wall,
)
from stockpile.papers.signing import names_of_speakers
from stockpile.papers.words import Word, word_or_text
from stockpile.parties import find_party
from stockpile.reports.export import every_row
from stockpile.reports.papers import Issuer, issuer
from stockpile.reports.visits import (
    VisitLineRow,
    VisitShown,
    VisitState,
    list_visit_lines,
    plans_before,
    read_visit,
)
from stockpile.rights import DONOR, Actor
from stockpile.sentences import sentence

LINES = (
    Column(Word("No."), 10, "number"),
    Column(Word("As read"), 28, "code"),
    Column(Word("Model"), None),
    Column(Word("Serial number"), 30, "code"),
    Column(Word("Finding"), 26),
    Column(Word("The books had it"), 25),
    Column(Word("Read at"), 27, "code"),
)
POINTS = (Column(Word("Point"), None), Column(Word("Found"), 22), Column(Word("Remarks"), 62))
FILES = (Column(Word("File"), 46), Column(Word("SHA-256"), None, "code"))


@dataclass(frozen=True, slots=True)
class _Content:
    """All that the report is made of."""

    connection: Connection
    actor: Actor
    shown: VisitShown
    whose: Issuer

    def wall(self, moment: datetime) -> str:
        """A moment on the wall of the depot."""
        return on_the_wall(moment, self.whose.time_zone)


def visit_report_of(connection: Connection, actor: Actor, statement_id: UUID) -> Paper:
    """The paper of a visit that was done or refused. Raises NotFound: there is none, it is not the asker's to read, or nobody came yet."""
    shown = read_visit(connection, actor, statement_id)
    row = shown.row
    if row.state not in (VisitState.DONE, VisitState.REFUSED):
        raise NotFound(
            sentence("{number} has no report: only a visit that was done or refused has one.", number=row.number)
        )
    whose = issuer(connection, code=row.site)
    content = _Content(connection, actor, shown, whose)
    return Paper(
        title=Word("Report of a visit"),
        organisation=whose.organisation,
        site=site_of(whose),
        number=row.number,
        number_label=Word("Visit"),
        blocks=tuple(_blocks(content)),
        subtitle=Word(row.state),
        code=row.number,
        leaf_hash=leaf_hash(bytes.fromhex(shown.leaf)),
        printed=printed_by(connection, actor, whose.time_zone),
    )


def _blocks(content: _Content) -> Iterator[Block]:
    said = content.shown.content
    yield Facts(tuple(_facts(content)))
    if content.shown.row.state == VisitState.REFUSED:
        yield Text(
            ((Word("Refused by"), said["refused_by"]), (Word("Reason"), said["why"])),
            Word("The visit was refused."),
            notice=True,
        )
    else:
        yield from _findings(content)
        yield _security(said.get("physical_security", ()))
    yield _files(said)
    if said.get("notes"):
        yield Text(tuple((line,) for line in said["notes"].splitlines() if line.strip()), Word("Remarks"))
    yield _answer(content)
    yield _signatures(content)


def _facts(content: _Content) -> tuple[Fact, ...]:
    row, said = content.shown.row, content.shown.content
    plans = plans_before(content.connection, row.statement_id)
    times = {
        name: content.wall(datetime.fromisoformat(said[name])) for name in ("began_at", "ended_at") if name in said
    }
    return filled(
        (
            Fact.of(Word("Donor"), _donor(content)),
            Fact(Word("Inspectors"), tuple(said["inspectors"])),
            Fact.of(Word("Store"), said["store"]) if said.get("store") else None,
            Fact.of(Word("How closely"), Word(row.level)) if row.level else None,
            Fact.of(Word("Began"), times["began_at"], style="code") if times else None,
            Fact.of(Word("Ended"), times["ended_at"], style="code") if times else None,
            Fact.of(Word("Refused on"), said["refused_on"], style="code") if "refused_on" in said else None,
            Fact.of(Word("Everything was to be shown"), Word("yes" if said.get("complete") else "no"))
            if times
            else None,
            Fact(Word("Planned for"), tuple(one.planned_on.isoformat() for one in plans) or (Word("not planned"),)),
            Fact.of(Word("Recorded"), content.wall(row.recorded_at), style="code"),
        )
    )


def _donor(content: _Content) -> str:
    code = content.shown.row.donor
    party = find_party(content.connection, "donor", code)
    return f"{party.name} ({code})" if party is not None and party.name else code


def _findings(content: _Content) -> Iterator[Block]:
    """How many lines were found how, what differs, and all lines where they are not too many."""
    counted = content.shown.findings
    if not counted:
        yield Text(((Word("Nothing was read."),),), Word("What was read"))
        return
    yield Facts(
        tuple(Fact.of(Word(finding), f"{number:,}", style="code") for finding, number in counted.items()),
        Word("Findings"),
    )
    differing = tuple(islice(_lines(content, differing=True), LISTED))
    yield Table(LINES, differing, Word("What differs from the books"), empty=Word("Nothing differs from the books."))
    in_all = sum(counted.values())
    if in_all <= LISTED:
        rest = tuple(_lines(content, differing=False))
        yield Table(LINES, rest, Word("Everything else that was read"), empty=Word("Nothing else was read."))
    else:
        said = Word("A list too long to print: %(n)s lines. They are exported from the visit's page.", n=f"{in_all:,}")
        yield Text(((said,),), Word("Everything else that was read"))


def _lines(content: _Content, differing: bool) -> Iterator[Row]:
    key = content.shown.row.statement_id
    rows = every_row(
        lambda limit, cursor: list_visit_lines(
            content.connection, content.actor, key, differing=differing, limit=limit, cursor=cursor
        )
    )
    return (_row(content, line) for line in rows)


def _row(content: _Content, line: VisitLineRow) -> Row:
    read = line.read if line.read is not None else Word("nobody read it")
    stood = word_or_text(line.stood) if line.stood else Word("not in the books for this donor")
    again = line.finding == "read again"
    cells = (
        str(line.line), read, line.model, line.serial_number, word_or_text(line.finding), None if again else stood,
        content.wall(line.read_at) if line.read_at else None,
    )  # fmt: skip
    return Row(cells, tuple(_under(content, line)))


def _under(content: _Content, line: VisitLineRow) -> Iterator[Sentence]:
    if line.asset_tag:
        yield (Word("asset tag"), line.asset_tag)
    if line.condition:
        yield (word_or_text(line.condition),)
    if line.stood and line.stood_site and line.stood_site != content.shown.row.site:
        yield (Word("The books had it"), Word("at"), line.stood_site)


def _security(answers: Sequence[dict[str, Any]]) -> Block:
    points = {point.code: point.what for point in checklist()}
    rows = tuple(
        Row((word_or_text(points.get(one["point"], one["point"])), word_or_text(one["found"]), one.get("remarks")))
        for one in answers
    )
    return Table(POINTS, rows, Word("Check of the store"), empty=Word("The store was not checked."))


def _files(said: dict[str, Any]) -> Block:
    """The digests by which a photo proves to be the one of this visit; the list of what was read among them."""
    files = [*said.get("evidence", ()), *filter(None, (said.get("file"),))]
    rows = tuple(Row((one["name"], one["sha256"])) for one in files)
    return Table(FILES, rows, Word("Photos and papers, with their digests"), empty=Word("None came with it."))


def _answer(content: _Content) -> Block:
    answer = content.shown.answer
    if answer is None:
        return Text(((Word("The host did not answer yet."),),), Word("Answer of the host"))
    return Text(((content.wall(answer.recorded_at),), (answer.content["words"],)), Word("Answer of the host"))


def _signatures(content: _Content) -> Signatures:
    """Inspectors and the depot sign by hand; the donor's officer and who answered did under their own sign-in."""
    shown = content.shown
    own = Word("posted under own sign-in")
    boxes = [Signature(Word("Inspector"), name) for name in shown.content["inspectors"]]
    boxes.append(Signature(Word("For the depot")))
    boxes.append(Signature(Word("Recorded by"), _donor(content), own, content.wall(shown.row.recorded_at)))
    if shown.answer is not None:
        key = shown.answer.statement_id
        names = {} if content.actor.role == DONOR else names_of_speakers(content.connection, [key])
        who = names.get(key) or site_of(content.whose)
        boxes.append(Signature(Word("Answered by"), who, own, content.wall(shown.answer.recorded_at)))
    return Signatures(tuple(boxes), Word("Seen as written."))

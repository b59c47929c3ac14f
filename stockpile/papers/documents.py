"""The paper of a document, whatever act it is: head, facts, lines, what differs, who signs. What one kind of paper has beyond that
stands in the kind's own file and in `EXTRAS`.

A donor's copy has its own lines and no name, detail or remark of the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.movements import Act
from stockpile.papers import loss_report, marks, receiving_report, weapon_card
from stockpile.papers.details import facts_of
from stockpile.papers.kinds import WEAPON_CARD, PaperKind, kind_of
from stockpile.papers.lines import LISTED, differences, place, table_of, table_of_sums
from stockpile.papers.paper import Block, Column, Fact, Facts, Paper, Printed, Row, Said, Table, Text, on_the_wall
from stockpile.papers.signing import signatures_of
from stockpile.papers.words import Word, word_or_text
from stockpile.reports import discrepancies
from stockpile.reports.discrepancies import DiscrepancyRow, State, list_discrepancies
from stockpile.reports.export import every_row
from stockpile.reports.notes import NoteShown, notes_of
from stockpile.reports.papers import (
    Issuer,
    PaperHead,
    PaperLine,
    party_names,
    read_head,
    read_lines,
    sums_by_model,
)
from stockpile.rights import DONOR, Actor


@dataclass(frozen=True, slots=True)
class Content:
    """All that a document's paper is made of."""

    connection: Connection
    actor: Actor
    head: PaperHead
    kind: PaperKind
    lines: tuple[PaperLine, ...]
    differs: tuple[DiscrepancyRow, ...]

    @property
    def zone(self) -> str:
        """The time on the wall of the paper's site."""
        return self.head.issuer.time_zone


def paper_of(connection: Connection, actor: Actor, named: str | UUID) -> Paper:
    """The paper of a document, by its key or number, as far as it is the asker's to see. Raises NotFound."""
    head = read_head(connection, actor, named)
    kind = kind_of(head.act, head.details)
    listed = head.lines <= LISTED
    lines = read_lines(connection, actor, head.document_id) if listed else ()
    content = Content(connection, actor, head, kind, lines, _differs(connection, actor, head))
    cards = weapon_card.cards_of(connection, head, lines) if kind is WEAPON_CARD and lines else None
    blocks = (cards,) if cards else tuple(_blocks(content))
    return Paper(
        title=Word(kind.title),
        organisation=head.issuer.organisation,
        site=site_of(head.issuer),
        number=head.number,
        blocks=blocks,
        form=kind.form,
        code=head.number,
        leaf_hash=leaf_hash(head.leaf) if head.leaf is not None else None,
        watermark=_watermark(head, lines),
        printed=printed_by(connection, actor, head.issuer.time_zone),
    )


def site_of(issuer: Issuer) -> str:
    """A site as papers name it."""
    return f"{issuer.site_name} ({issuer.site_code})"


def leaf_hash(leaf: bytes) -> str:
    """The hash of a leaf in a Merkle tree (RFC 6962, 2.1), by which a proof finds it."""
    return sha256(b"\x00" + leaf).hexdigest()


def printed_by(connection: Connection, actor: Actor, time_zone: str, moment: datetime | None = None) -> Printed:
    """Who prints a copy, and when; a donor as the government that it is."""
    key = actor.donor_id if actor.role == DONOR and actor.donor_id is not None else actor.party_id
    name = party_names(connection, [key]).get(key)
    return Printed(name or actor.role, on_the_wall(moment or now(), time_zone))


def _watermark(head: PaperHead, lines: Iterable[PaperLine]) -> Word | None:
    if head.act == Act.VOID:
        return Word("Void")
    stands = [line.stands for line in lines if line.reverses is None]
    if not stands or all(stands):
        return None
    return Word("Partly corrected") if any(stands) else Word("Corrected")


def _differs(connection: Connection, actor: Actor, head: PaperHead) -> tuple[DiscrepancyRow, ...]:
    """What was opened with the document: a paper says what it was found to contradict."""
    if actor.role == DONOR:
        return ()
    sought = discrepancies.Sought(state=State.ALL, document_id=head.document_id)
    rows = every_row(lambda limit, cursor: list_discrepancies(connection, actor, sought, limit, cursor))
    return tuple(islice((row for row in rows if row.opened_at == head.recorded_at), LISTED))


def _blocks(content: Content) -> Iterable[Block]:
    head = content.head
    yield Facts(tuple(_facts(content)))
    remarks = head.details.get("remarks")
    plain = [line for line in content.lines if _plain(line, head)]
    moved = [line for line in content.lines if not _plain(line, head)]
    same = _same_way(plain)
    if head.lines > LISTED:
        yield Text(
            (
                (
                    Word(
                        "A list too long to print: %(n)s lines. They are exported with the document.",
                        n=f"{head.lines:,}",
                    ),
                ),
            ),
            notice=True,
        )
        yield table_of_sums(sums_by_model(content.connection, content.actor, head.document_id))
    elif head.act != Act.VOID:
        yield table_of(plain, head.details, places=not same)
    if moved:
        yield table_of(moved, head.details, places=True, title=Word("Posted again in time for this late document"))
    extra = EXTRAS.get(Act(head.act)) if head.act in set(Act) and content.actor.role != DONOR else None
    if extra is not None:
        yield from extra(content)
    if content.actor.role == DONOR:
        yield Text(((Word("This copy shows the lines of one donor only, without names."),),))
        return
    rest = [row for row in content.differs if row.kind not in receiving_report.TOLD or head.act != Act.RECEIVE]
    if rest:
        yield differences(rest, Word("What differs from the books"))
    if remarks:
        yield Text(((str(remarks),),), Word("Remarks"))
    yield signatures_of(content.connection, head, content.kind)
    notes = notes_of(content.connection, head.document_id).rows
    if notes:
        yield _notes(notes, content.zone)


def _plain(line: PaperLine, head: PaperHead) -> bool:
    """Whether a line is the document's own, and none that a late fact moved in time."""
    return head.act == Act.CORRECT or (line.reverses is None and line.posts_again is None)


def _same_way(lines: Iterable[PaperLine]) -> bool:
    return len({_ends(line) for line in lines}) <= 1


def _ends(line: PaperLine) -> tuple[str, str | None, str, str | None]:
    return line.from_class, line.from_account, line.to_class, line.to_account


def _facts(content: Content) -> Iterable[Fact]:
    head = content.head
    yield Fact.of(Word("Happened"), on_the_wall(head.happened_at, content.zone, head.precision), style="code")
    yield Fact.of(Word("Recorded"), on_the_wall(head.recorded_at, content.zone), style="code")
    plain = [line for line in content.lines if _plain(line, head)]
    ends: set[Said] = set()
    if plain and _same_way(plain):
        origin, goal = place(plain[0].from_class, plain[0].from_account), place(plain[0].to_class, plain[0].to_account)
        ends = {origin, goal}
        if origin == goal:
            yield Fact.of(Word("At"), origin, "full")
        elif origin == "outside":
            yield Fact.of(Word("To"), goal, "full")
        else:
            yield Fact.of(Word("From"), origin)
            yield Fact.of(Word("To"), goal)
    if content.actor.role == DONOR:
        return
    if head.fact:
        yield Fact.of(Word("Written"), _written(head))
        if head.claimed_number:
            yield Fact.of(Word("Number that it claims"), head.claimed_number, style="code")
    if head.undo:
        yield Fact.of(Word("Written"), Word("undone by who posted it, within 15 minutes"))
    told = facts_of(content.connection, _told_once(head, content.kind), content.zone)
    yield from (fact for fact in told if not set(fact.values) & ends)
    for number in head.corrected_by:
        yield Fact.of(Word("Corrected by"), number, style="code")


def _told_once(head: PaperHead, kind: PaperKind) -> Mapping[str, object]:
    """The details without what a signature's box says already."""
    parts = {part.key for part in kind.parts}
    return {name: value for name, value in head.details.items() if name not in parts}


def _written(head: PaperHead) -> Said:
    if head.book_kind == "paper":
        return Word("on paper, and keyed later")
    if head.book_kind == "device":
        return Word("on a device, while the link was down")
    return Word("as a fact: the weapons lay on the counter")


def _notes(notes: Iterable[NoteShown], zone: str) -> Table:
    columns = (
        Column(Word("Recorded"), 38, "code"),
        Column(Word("What"), 24),
        Column(Word("Written by"), 44),
        Column(Word("Text"), None),
    )
    rows = tuple(
        Row((on_the_wall(one.recorded_at, zone), word_or_text(one.kind), one.written_by, one.text)) for one in notes
    )
    return Table(columns, rows, Word("Added later"))


Extra = Callable[[Content], Iterable[Block]]


def _missing(content: Content) -> Iterable[Block]:
    return receiving_report.blocks(content.connection, content.actor, content.head, content.differs)


EXTRAS: Mapping[Act, Extra] = {
    Act.RECEIVE: _missing,
    Act.REPORT_MISSING: lambda content: loss_report.blocks(content.lines),
    Act.OVERRUN: lambda content: loss_report.blocks(content.lines),
    Act.MARK: lambda content: marks.put_on(content.head.details, content.lines),
    Act.AMEND_IDENTIFICATION: lambda content: marks.amended(content.head.details, content.lines),
    Act.ORDER_DESTRUCTION: lambda content: marks.consents(content.head.details),
    Act.EXPORT: lambda content: marks.consents(content.head.details),
}
"""What the papers of some acts have beyond what all have."""

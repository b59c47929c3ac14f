"""Custody as a document: everything that the books have of one weapon, or of a consignment weapon by weapon, from the first entry to the
last, with its proof attached to the PDF. A donor's copy has its own weapons, without names and without the host's accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile.documents import now
from stockpile.errors import NotFound, Refused
from stockpile.log.proofs import proof_of
from stockpile.papers.documents import printed_by, site_of
from stockpile.papers.kinds import kind_of
from stockpile.papers.lines import LISTED, differences, place
from stockpile.papers.paper import (
    Attachment,
    Block,
    Column,
    Fact,
    Facts,
    Paper,
    Row,
    Said,
    Sentence,
    Table,
    Text,
    on_the_wall,
)
from stockpile.papers.words import Word, word_or_text
from stockpile.proof.bundle import Bundle
from stockpile.proof.checkpoint import Checkpoint
from stockpile.proof.note import Note
from stockpile.reports.cases import CasesSought, CaseState, list_cases
from stockpile.reports.described import Described, described
from stockpile.reports.discrepancies import Sought, State, list_discrepancies
from stockpile.reports.export import every_row
from stockpile.reports.history import HistoryEntry, Identified, as_of, history, list_entries
from stockpile.reports.papers import Issuer, issuer
from stockpile.reports.standing import Standing
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import sentence

MOST_WEAPONS = 200
"""So many weapons of a consignment a paper tells one by one, each with its proof."""


def custody_of(connection: Connection, actor: Actor, item_id: UUID) -> Paper:
    """The paper of a weapon, without its proof. Raises NotFound, Refused (more entries than a paper lists)."""
    found = history(connection, actor, item_id, limit=1)
    entries = _entries(connection, actor, item_id)
    whose = _issuer(connection, actor, entries)
    where = as_of(connection, actor, item_id)
    blocks: list[Block] = [Facts(tuple(_facts(found.item, where, whose))), _table(entries, whose)]
    if len(found.identifications) > 1:
        blocks.append(_identified(found.identifications, whose))
    if actor.role != DONOR:
        blocks += _contradicted(connection, actor, item_id)
    else:
        blocks.append(Text(((Word("This copy shows the lines of one donor only, without names."),),)))
    return Paper(
        title=Word("Custody of a weapon"),
        organisation=whose.organisation if actor.role != DONOR else None,
        site=site_of(whose),
        number=found.item.asset_tag,
        number_label=Word("Asset tag"),
        subtitle=" ".join(filter(None, (found.item.model, found.item.serial_number))),
        code=found.item.asset_tag,
        blocks=tuple(blocks),
        printed=printed_by(connection, actor, whose.time_zone, now()),
    )


_CONSIGNMENT = """
SELECT c.consignment_id, c.reference, c.site_id FROM consignment c JOIN party p ON p.party_id = c.donor_id
WHERE p.code = %s AND c.reference = %s AND (%s::uuid IS NULL OR c.donor_id = %s)
"""
_WEAPONS = "SELECT item_id FROM item WHERE consignment_id = %s AND tracked_by = 'serial' ORDER BY tag_number LIMIT %s"


def consignment_called(
    connection: Connection, actor: Actor, donor: str, reference: str
) -> tuple[UUID, str, UUID, tuple[UUID, ...]]:
    """A consignment's key, reference, site and weapons. Raises NotFound, Refused (more weapons than a paper tells)."""
    require(actor, READ)
    donor_id = actor.donor_id if actor.role == DONOR else None
    row = connection.exec_driver_sql(_CONSIGNMENT, (donor.upper(), reference, donor_id, donor_id)).one_or_none()
    if row is None:
        raise NotFound(
            sentence("There is no consignment {reference} of {donor} here.", reference=reference, donor=donor)
        )
    weapons = connection.exec_driver_sql(_WEAPONS, (row[0], MOST_WEAPONS + 1)).scalars().all()
    if len(weapons) > MOST_WEAPONS:
        raise Refused(
            sentence(
                "{reference} has more than {most} weapons: print them one by one, or export them as a list.",
                reference=reference,
                most=MOST_WEAPONS,
            )
        )
    return row[0], row[1], row[2], tuple(weapons)


def custody_of_consignment(connection: Connection, actor: Actor, donor: str, reference: str) -> Paper:
    """The paper of a consignment's weapons, without their proofs. Raises NotFound, Refused."""
    _, called, site_id, weapons = consignment_called(connection, actor, donor, reference)
    whose = issuer(connection, site_id)
    known = described(connection, actor, weapons)
    rows = tuple(
        _weapon(number, known[item_id], _entries(connection, actor, item_id), whose)
        for number, item_id in enumerate(weapons, 1)
        if item_id in known
    )
    columns = (
        Column(Word("No."), 9, "number"),
        Column(Word("Item"), None),
        Column(Word("Serial number"), 30, "code"),
        Column(Word("Asset tag"), 25, "code"),
    )
    title = Word("Weapons of the consignment, each from its first entry to its last")
    return Paper(
        title=Word("Custody of a consignment"),
        organisation=whose.organisation if actor.role != DONOR else None,
        site=site_of(whose),
        number=called,
        number_label=Word("Consignment"),
        blocks=(
            Facts((Fact.of(Word("Donor"), donor.upper()), Fact.of(Word("Reference"), called, style="code"))),
            Table(columns, rows, title, empty=Word("No lines.")),
        ),
        printed=printed_by(connection, actor, whose.time_zone, now()),
    )


def with_proofs(engine: Engine, actor: Actor, paper: Paper, weapons: Iterable[UUID]) -> Paper:
    """The paper with the proofs of its weapons attached, as far as a checkpoint covers them, and what it says of that."""
    attached, bundles = [], list(_bundles(engine, actor, weapons))
    for bundle in bundles:
        name = f"proof-{bundle.weapon}.json"
        attached.append(Attachment(name, "application/json", bundle.encoded(), "stockpile check-proof"))
    said: tuple[Sentence, ...] = (
        (Word("No proof is attached: no checkpoint of the log covers what stands here yet."),),
    )
    if bundles:
        checkpoint = Checkpoint.parse(Note.parse(bundles[-1].entries[-1].proof.checkpoint).text)
        said = ((_attached(len(bundles), checkpoint),),)
    return replace(paper, blocks=(*paper.blocks, Text(said, notice=True)), attachments=tuple(attached))


def _attached(number: int, checkpoint: Checkpoint) -> Word:
    return Word(
        "Weapons whose proof is attached to this file: %(n)s, up to checkpoint %(size)s of the log %(origin)s. "
        "'stockpile check-proof' checks it without these books.",
        n=f"{number:,}",
        size=str(checkpoint.size),
        origin=checkpoint.origin,
    )


def _bundles(engine: Engine, actor: Actor, weapons: Iterable[UUID]) -> Iterator[Bundle]:
    for item_id in weapons:
        try:
            yield proof_of(engine, actor, item_id)
        except (NotFound, Refused):
            continue


def _entries(connection: Connection, actor: Actor, item_id: UUID) -> list[HistoryEntry]:
    entries = list(
        islice(every_row(lambda limit, cursor: list_entries(connection, actor, item_id, limit, cursor)), LISTED + 1)
    )
    if len(entries) > LISTED:
        raise Refused(sentence("It has more than {most:,} entries: export them as a list.", most=LISTED))
    return entries


def _issuer(connection: Connection, actor: Actor, entries: Sequence[HistoryEntry]) -> Issuer:
    """The asker's own site, else the one where it was last."""
    return issuer(connection, code=actor.site_code or entries[-1].site)


def _facts(item: Described, where: Sequence[Standing], whose: Issuer) -> Iterator[Fact]:
    yield Fact.of(Word("Model"), f"{item.maker} {item.model}")
    yield Fact.of(Word("Serial number"), item.serial_number, style="code")
    for label, value in (
        (Word("other marks"), item.distinguishing_mark), (Word("UII"), item.uii), (Word("import mark"), item.import_mark),
        (Word("lot"), item.lot), (Word("Donor"), item.donor),
    ):  # fmt: skip
        if value:
            yield Fact.of(label, value, style="code")
    stood: tuple[Said, ...] = tuple(
        one if isinstance(one, Word) else f"{one} ({stand.site})" if stand.site else one
        for stand in where
        for one in (place(stand.account_class, stand.account),)
    )
    yield Fact(Word("At"), stood or (Word("outside"),))
    yield Fact.of(Word("As the books stand at"), on_the_wall(now(), whose.time_zone), style="code")


def _way(entry: HistoryEntry) -> Sentence:
    origin, goal = (place(end.account_class, end.account) for end in (entry.origin, entry.to))
    if origin == goal:
        return (Word("at"), origin)
    return (Word("from"), origin, Word("to"), goal)


def _title(entry: HistoryEntry) -> Word:
    return Word(kind_of(entry.act, {}).title)


def _undone(entry: HistoryEntry) -> Sentence:
    if entry.reversed_by is not None:
        return (Word("taken back"), f"(#{entry.reversed_by})")
    if entry.reverses is not None:
        return (Word("Takes back"), f"#{entry.reverses}")
    return (Word("posted again"), f"(#{entry.posts_again})") if entry.posts_again is not None else ()


def _table(entries: Iterable[HistoryEntry], whose: Issuer) -> Table:
    columns = (
        Column(Word("No."), 9, "number"),
        Column(Word("Happened"), 40, "code"),
        Column(Word("What"), None),
        Column(Word("Document number"), 42, "code"),
        Column(Word("Condition"), 24),
    )
    return Table(
        columns,
        tuple(_row(entry, whose) for entry in entries),
        Word("From the first entry to the last"),
        empty=Word("No lines."),
    )


def _row(entry: HistoryEntry, whose: Issuer) -> Row:
    under: list[Sentence] = [_way(entry)]
    signed = sorted({one.name for one in entry.signatures})
    if signed:
        under.append((Word("Signed by"), ", ".join(signed)))
    under.append((Word("Recorded"), on_the_wall(entry.recorded_at, whose.time_zone)))
    if undone := _undone(entry):
        under.append(undone)
    if entry.reason:
        under.append((entry.reason,))
    cells = (
        str(entry.version),
        on_the_wall(entry.happened_at, whose.time_zone, entry.happened_precision or "second"),
        _title(entry),
        entry.document_number,
        word_or_text(entry.condition) if entry.condition else None,
    )
    return Row(cells, tuple(under))


def _weapon(number: int, item: Described, entries: Iterable[HistoryEntry], whose: Issuer) -> Row:
    under: list[Sentence] = []
    for entry in entries:
        when = on_the_wall(entry.happened_at, whose.time_zone, entry.happened_precision or "second")
        under.append(
            (
                when,
                _title(entry),
                *_way(entry),
                *((entry.document_number,) if entry.document_number else ()),
                *_undone(entry),
            )
        )
    return Row((str(number), f"{item.maker} {item.model}", item.serial_number, item.asset_tag), tuple(under))


def _identified(versions: Iterable[Identified], whose: Issuer) -> Table:
    columns = (
        Column(Word("No."), 9, "number"),
        Column(Word("Recorded"), 40, "code"),
        Column(Word("Serial number"), 40, "code"),
        Column(Word("other marks"), None),
        Column(Word("Document number"), 42, "code"),
    )
    rows = (
        Row(
            (
                str(one.version),
                on_the_wall(one.recorded_at, whose.time_zone) if one.recorded_at else None,
                one.serial_number,
                " · ".join(filter(None, (one.distinguishing_mark, one.import_mark, one.uii))) or None,
                one.document_number,
            )
        )
        for one in versions
    )
    return Table(columns, tuple(rows), Word("How it was identified"))


def _contradicted(connection: Connection, actor: Actor, item_id: UUID) -> Iterator[Block]:
    """What contradicted the books, and what was looked into."""
    sought = Sought(state=State.ALL, item_id=item_id)
    rows = list(
        islice(every_row(lambda limit, cursor: list_discrepancies(connection, actor, sought, limit, cursor)), LISTED)
    )
    if rows:
        yield differences(rows, Word("What differs from the books"))
    cases = list_cases(connection, actor, CasesSought(CaseState.ALL, item_id=item_id), LISTED // 2).rows
    if cases:
        columns = (Column(Word("Reference"), 40, "code"), Column(Word("What"), None), Column(Word("Finding"), 40))
        listed = tuple(Row((one.case, one.title, word_or_text(one.outcome or one.state))) for one in cases)
        yield Table(columns, listed, Word("Cases about it"))

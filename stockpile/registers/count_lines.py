"""The lines of a count: what was read, by whom, when, and which weapon it means; or the list of an unbroken seal, as if it had been
read. Every line is kept as it was read. Nothing here says whether it was expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile.acts.perform import scope
from stockpile.catalogue import find_models
from stockpile.db.engine import connected
from stockpile.db.rows import given
from stockpile.documents import ItemLine, now
from stockpile.errors import Fault, Invalid, PostedWithOtherContent
from stockpile.identity import asset_tag
from stockpile.registers.count_sheets import CountLine, Read, SendLines, read_lines
from stockpile.registers.counts import Count, hold_count, need_count, need_open
from stockpile.registers.listing import rejected
from stockpile.registers.rejects import Reject
from stockpile.registers.seals import find_seals, why_not_seen
from stockpile.rights import COUNT, Actor, require
from stockpile.scans import candidates
from stockpile.sentences import sentence
from stockpile.sites import Site

SHOWN = 500
"""So many lines of a batch stand in its answer; of a longer one those that need a second look."""


@dataclass(frozen=True, slots=True)
class LineTaken:
    """A line as it was taken, under its number in the count. `again_of`: the line that read the same weapon before; `known` False:
    nothing in the books bears it; `several`: so many do, and nobody can tell which it is.
    """

    line: int
    read: str
    entered: str
    item_id: UUID | None
    asset_tag: str | None
    model: str | None
    quantity: int
    known: bool
    several: int | None
    again_of: int | None
    doubts: str | None


@dataclass(frozen=True, slots=True)
class BatchTaken:
    """The answer to lines, the same for ever: how many, and how many of them read a weapon for the first time, again, one that
    nobody knows, or one of several. `lines`: all of up to 500, else those that need a second look.
    """

    count_id: UUID
    batch_id: UUID
    recorded_at: datetime
    first_line: int
    line_count: int
    weapons: int
    again: int
    unknown: int
    several: int
    lines: tuple[LineTaken, ...]


def send_lines(engine: Engine, actor: Actor, count_id: UUID, request: SendLines) -> BatchTaken:
    """Keeps lines of an open count, all of them or none. The same batch again gets the first answer, also after the closing.

    Raises NotAllowed, NotFound (count, file), Invalid (lines and what of them), RowsRejected (rows of a sheet), UnreadableFile,
    Refused (the count is closed), PostedWithOtherContent.
    """
    require(actor, COUNT)
    with connected(engine) as connection:
        site = scope(connection, actor, request.site)
        hold_count(connection, count_id)
        count = need_count(connection, count_id)
        known = _taken(connection, count_id, request.batch_id, request.content_hash())
        if known is not None:
            return known
        need_open(count)
        read, headings = read_lines(connection, actor, site, request)
        faults = list(_settle(connection, actor, site, count, request, read))
        if faults:
            _refuse(request, faults, read, headings)
        kept = _under_seals(read)
        _resolve(connection, kept)
        _mark_repeats(connection, count, kept)
        _keep(connection, actor, count, request, kept)
        answer = _taken(connection, count_id, request.batch_id, request.content_hash())
        assert answer is not None
        return answer


def _refuse(request: SendLines, faults: Sequence[Fault], read: Sequence[Read], headings: tuple[str, ...]) -> None:
    if request.file is None:
        raise Invalid(sentence("Nothing was counted: {count} line(s) cannot be taken.", count=len(faults)), faults)
    by_row = {one.row: one for one in read}
    rejects = [Reject(fault.row or 0, fault.message, _cells(by_row[fault.row or 0].line)) for fault in faults]
    raise rejected(
        sentence(
            "Nothing was counted: {count} row(s) of {file} cannot be taken", count=len(faults), file=request.file.name
        ),
        headings,
        rejects,
        sentence("Mend them."),
    )


def _cells(line: CountLine) -> tuple[str, ...]:
    said = (line.scan, line.model, line.quantity, line.lot, line.seal, line.container)
    return tuple(str(value) for value in said if value is not None)


def _settle(
    connection: Connection, actor: Actor, site: Site, count: Count, request: SendLines, read: Sequence[Read]
) -> Iterable[Fault]:
    """Finds of each line when, who, which model and which seal; and says what is wrong with it, one fault a line."""
    recorded_at = now()
    people = _counters(connection, count)
    models = find_models(connection, {one.line.model for one in read if one.line.model}, site.code)
    seals = find_seals(connection, site, [one.line.seal for one in read if one.line.seal])
    for one in read:
        line = one.line
        one.counted_at = line.counted_at or request.counted_at or recorded_at
        by = line.counted_by or request.counted_by
        one.counted_by = _counter(actor, count, people, by)
        one.model = models.get(line.model) if line.model and line.scan is None else None
        if one.counted_at > recorded_at:
            yield Fault(sentence("is still to come"), one.row, "counted_at", one.counted_at.isoformat())
        elif one.entered != "sheet" and one.counted_at < count.opened_at:
            why = sentence(
                "was before the count was opened, at {opened_at:%Y-%m-%d %H:%M:%S}Z: key a printed sheet as one",
                opened_at=count.opened_at,
            )
            yield Fault(why, one.row, "counted_at", one.counted_at.isoformat())
        elif one.counted_by is None:
            yield Fault(_whose(by, people), one.row, "counted_by", by)
        elif line.seal is not None:
            one.seal = seals.get(line.seal)
            why_not = why_not_seen(one.seal, one.counted_at)
            if why_not or count.method != "serial":
                yield Fault(
                    why_not or sentence("this count is by quantity: say how many of which model"),
                    one.row,
                    "seal",
                    line.seal,
                )
        elif fault := _unfit(one, count):
            yield fault


def _unfit(one: Read, count: Count) -> Fault | None:
    """What is wrong with what a line reads."""
    line, model = one.line, one.model
    if line.scan is not None:
        if count.method == "serial":
            return None
        return Fault(sentence("this count is by quantity: say how many of which model"), one.row, "scan", line.scan)
    if count.scope == "containers":
        return Fault(
            sentence("this count is of sealed containers: read each weapon in them"), one.row, "model", line.model
        )
    if model is None:
        why = sentence("unknown model: a registrar says once which model it is")
        return Fault(why, one.row, "model", line.model)
    if model.tracked_by == "serial" and count.method == "serial":
        why = sentence(
            "{model} is tracked by serial number: read each one, or open a count by quantity", model=model.name
        )
        return Fault(why, one.row, "model", line.model)
    if model.tracked_by == "lot" and line.lot is None:
        return Fault(sentence("{model} is tracked by lot: say which", model=model.name), one.row, "lot", None)
    if model.tracked_by != "lot" and line.lot is not None:
        return Fault(sentence("{model} has no lots", model=model.name), one.row, "lot", line.lot)
    return None


def _counters(connection: Connection, count: Count) -> dict[str, UUID]:
    rows = connection.exec_driver_sql(
        "SELECT code, party_id FROM party WHERE party_id = ANY (%s) AND code IS NOT NULL", (list(count.counters),)
    )
    return {code: party_id for code, party_id in rows}


def _counter(actor: Actor, count: Count, people: Mapping[str, UUID], code: str | None) -> UUID | None:
    """Which counter read it: the one named, who sends it, or the only one."""
    if code is not None:
        return people.get(code)
    if actor.party_id in count.counters:
        return actor.party_id
    return next(iter(count.counters)) if len(count.counters) == 1 else None


def _whose(code: str | None, people: Mapping[str, UUID]) -> str:
    those = ", ".join(sorted(people))
    return (
        sentence("is no counter of this count: {those} are", those=those)
        if code
        else sentence("say which of its counters read it: {those}", those=those)
    )


def _under_seals(read: Sequence[Read]) -> list[Read]:
    """The lines, those of a seal as one line for each weapon under it."""
    kept: list[Read] = []
    for one in read:
        if one.seal is None:
            kept.append(one)
            continue
        kept += [replace(one, item_id=item_id, meant=[item_id]) for item_id in one.seal.items]
    return kept


def _resolve(connection: Connection, read: Sequence[Read]) -> None:
    """Which weapon each scan means; of what nobody can tell, every one that it may."""
    scanned = [one for one in read if one.line.scan is not None]
    lines = [ItemLine(scan=one.line.scan, model=one.line.model) for one in scanned]
    for one, meant in zip(scanned, candidates(connection, lines), strict=True):
        one.meant = meant
        one.item_id = meant[0] if len(meant) == 1 else None


_READ_BEFORE = """
SELECT item_id, NULL, line FROM count_line WHERE count_id = %(count)s AND item_id = ANY (%(items)s) AND again_of IS NULL
UNION ALL
SELECT NULL, scan_key, line FROM count_line
WHERE count_id = %(count)s AND item_id IS NULL AND scan_key = ANY (%(keys)s) AND again_of IS NULL
"""


def _mark_repeats(connection: Connection, count: Count, read: Sequence[Read]) -> None:
    """Says of each line which one read the same weapon before it."""
    keys = {one.key for one in read if one.key is not None}
    asked = {
        "count": count.count_id,
        "items": [key for key in keys if isinstance(key, UUID)],
        "keys": [key for key in keys if isinstance(key, str)],
    }
    first: dict[UUID | str, int] = {}
    for item_id, key, line in connection.exec_driver_sql(_READ_BEFORE, asked):
        first[item_id or key] = line
    begin = _next_line(connection, count)
    for line, one in enumerate(read, begin):
        if one.key is not None:
            before = first.setdefault(one.key, line)
            one.again_of = before if before != line else None


def _next_line(connection: Connection, count: Count) -> int:
    asked = "SELECT coalesce(max(first_line + line_count), 1) FROM count_batch WHERE count_id = %s"
    return int(connection.exec_driver_sql(asked, (count.count_id,)).scalar_one())


_LINE = (
    ("line", "int4"), ("entered", "text"), ("scan", "text"), ("scan_key", "text"), ("item_id", "uuid"), ("meant", "text"),
    ("model", "text"), ("model_id", "uuid"), ("lot", "text"), ("quantity", "int8"), ("condition", "text"), ("container", "text"),
    ("seal_id", "uuid"), ("doubts", "text"), ("again_of", "int4"), ("counted_at", "timestamptz"), ("counted_by", "uuid"),
)  # fmt: skip
_NAMES = ", ".join(name for name, _ in _LINE)
_INSERT = f"""
INSERT INTO count_line (count_id, site_id, batch_id, {_NAMES})
SELECT %s::uuid, %s::uuid, %s::uuid, {_NAMES.replace("meant", "meant::uuid[]")} FROM {{given}}
"""


def _keep(connection: Connection, actor: Actor, count: Count, request: SendLines, read: Sequence[Read]) -> None:
    begin = _next_line(connection, count)
    sha = bytes.fromhex(request.file.sha256) if request.file else None
    connection.exec_driver_sql(
        """INSERT INTO count_batch (count_id, batch_id, site_id, first_line, line_count, file_sha256, sent_by, recorded_at, content_hash)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            count.count_id, request.batch_id, count.site_id, begin, len(read), sha, actor.party_id, now(),
            request.content_hash(),
        ),
    )  # fmt: skip
    rows = (_row(line, one) for line, one in enumerate(read, begin))
    with given(connection, _LINE, rows, len(read)) as kept:
        kept.insert(_INSERT, (count.count_id, count.site_id, request.batch_id))


def _row(number: int, one: Read) -> tuple[Any, ...]:
    line = one.line
    key = one.key if isinstance(one.key, str) else None
    container = line.container or (one.seal.container if one.seal else None)
    return (
        number, one.entered, line.scan, key, one.item_id, "{" + ",".join(map(str, one.meant)) + "}", line.model,
        one.model.model_id if one.model else None, line.lot, 1 if line.quantity is None else line.quantity, line.condition,
        container, one.seal.seal_id if one.seal else None, "; ".join(one.doubts) or None, one.again_of, one.counted_at,
        one.counted_by,
    )  # fmt: skip


_BATCH = """
SELECT recorded_at, first_line, line_count, content_hash FROM count_batch WHERE count_id = %s AND batch_id = %s
"""
_FIGURES = """
SELECT count(*) FILTER (WHERE model_id IS NULL AND again_of IS NULL), count(again_of),
       count(*) FILTER (WHERE model_id IS NULL AND cardinality(meant) = 0), count(*) FILTER (WHERE cardinality(meant) > 1)
FROM count_line WHERE count_id = %s AND line >= %s AND line < %s
"""
_LINES = """
SELECT l.line, coalesce(l.scan, l.model, k.number), l.entered, l.item_id, i.tag_number, coalesce(m.name, l.model), l.quantity,
       l.model_id IS NOT NULL OR cardinality(l.meant) > 0, NULLIF(cardinality(l.meant), 1), l.again_of, l.doubts
FROM count_line l LEFT JOIN item i ON i.item_id = l.item_id
LEFT JOIN model m ON m.model_id = coalesce(l.model_id, i.model_id) LEFT JOIN seal k ON k.seal_id = l.seal_id
WHERE l.count_id = %s AND l.line >= %s AND l.line < %s
  AND (%s OR l.again_of IS NOT NULL OR l.doubts IS NOT NULL OR (l.model_id IS NULL AND l.item_id IS NULL))
ORDER BY l.line LIMIT %s
"""


def _taken(connection: Connection, count_id: UUID, batch_id: UUID, content_hash: bytes) -> BatchTaken | None:
    """The answer to a batch that was kept. Raises PostedWithOtherContent."""
    row = connection.exec_driver_sql(_BATCH, (count_id, batch_id)).one_or_none()
    if row is None:
        return None
    if bytes(row[3]) != content_hash:
        raise PostedWithOtherContent(
            sentence(
                "Batch {batch_id} of this count came before with other content. Take a new batch id for new lines.",
                batch_id=batch_id,
            )
        )
    recorded_at, first, number, _ = row
    span = (count_id, first, first + number)
    weapons, again, unknown, several = connection.exec_driver_sql(_FIGURES, span).one()
    lines = tuple(_shown(*line) for line in connection.exec_driver_sql(_LINES, (*span, number <= SHOWN, SHOWN)))
    return BatchTaken(count_id, batch_id, recorded_at, first, number, weapons, again, unknown, several, lines)


def _shown(line: int, read: str, entered: str, item_id: UUID | None, tag: int | None, *more: Any) -> LineTaken:
    model, quantity, known, several, again_of, doubts = more
    tagged = asset_tag(tag) if tag is not None else None
    return LineTaken(line, read, entered, item_id, tagged, model, quantity, known, several or None, again_of, doubts)

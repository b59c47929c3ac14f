"""Closing a count: no line comes later, its lines are kept as a register that the log commits, its findings are written, and what
contradicts the books is opened as discrepancies.

In three steps, so that no counter waits: the moment of closing is taken while the site's books are held still; the lines are
compared with the books as they are seen then; what was found is written. What breaks off between is finished by closing again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile import discrepancies
from stockpile.acts.perform import scope
from stockpile.db import roles
from stockpile.db.engine import at_one_moment, connected, for_sums, nobody_erased, transaction
from stockpile.db.rows import as_copied, given
from stockpile.discrepancies import Contradiction
from stockpile.discrepancies import Kind as Contradicts
from stockpile.documents import now
from stockpile.errors import NotAllowed, Refused
from stockpile.identity import serial_key
from stockpile.movements import HELD
from stockpile.registers.count_findings import Finding, Kind, compare
from stockpile.registers.counts import Count, hold_count, need_count, need_open
from stockpile.registers.keep import Beside, KeptRow, Register, keep_rows
from stockpile.registers.mapping import mapping_of
from stockpile.rights import CLOSE_COUNT, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import Site
from stockpile.standstill import close_books

REGISTER = "count sheet"
"""The kind of register that the lines of a count become."""


def close_count(engine: Engine, actor: Actor, count_id: UUID, site: str | None = None) -> UUID:
    """Closes a count; its key. Closed again it is so once.

    Raises NotAllowed (no right to; its only counter), NotFound, Refused (abandoned; nothing was read), DatabaseUnavailable.
    """
    require(actor, CLOSE_COUNT)
    with connected(engine) as connection:
        at = scope(connection, actor, site)
        count = _end_of_lines(connection, actor, at, count_id)
    if count.outcome is None:
        with transaction(at_one_moment(engine), roles.POSTER, at.site_id) as connection:
            for_sums(connection)
            found = compare(connection, count)
        with transaction(engine, roles.POSTER, at.site_id) as connection:
            for_sums(connection)
            _write(connection, actor, at, count, found)
    return count_id


_ANYTHING_THERE = """
SELECT FROM holding h JOIN account a USING (account_id)
WHERE a.site_id = %(site)s AND a.class = ANY (%(held)s) AND (h.serial OR %(method)s = 'quantity')
  AND (%(whole)s OR a.account_id IN (SELECT c.account_id FROM count_account c WHERE c.count_id = %(count)s)) LIMIT 1
"""


def _end_of_lines(connection: Connection, actor: Actor, site: Site, count_id: UUID) -> Count:
    """The count with its moment of closing: every posting with an earlier number has ended by then."""
    hold_count(connection, count_id)
    count = need_count(connection, count_id)
    if count.counters == {actor.party_id}:
        raise NotAllowed(sentence("You alone counted {count}: it takes somebody else to close it.", count=count.name))
    if count.outcome == "closed" or (count.closed_at is not None and count.outcome is None):
        return count
    need_open(count)
    asked = {
        "site": count.site_id, "held": [str(one) for one in HELD], "whole": count.whole_site, "count": count_id,
        "method": count.method,
    }  # fmt: skip
    lines = connection.exec_driver_sql("SELECT FROM count_batch WHERE count_id = %s LIMIT 1", (count_id,)).first()
    if lines is None and connection.exec_driver_sql(_ANYTHING_THERE, asked).first() is not None:
        raise Refused(
            sentence(
                "{count} was not closed: no line came, and the books have something there. Abandon it instead.",
                count=count.name,
            )
        )
    close_books(connection, site)
    connection.exec_driver_sql(
        "UPDATE physical_count SET closed_at = clock_timestamp(), closed_by = %s WHERE count_id = %s",
        (actor.party_id, count_id),
    )
    return need_count(connection, count_id)


def _write(connection: Connection, actor: Actor, site: Site, count: Count, found: Sequence[Finding]) -> None:
    hold_count(connection, count.count_id)
    if need_count(connection, count.count_id).outcome is not None:
        return
    nobody_erased(connection)
    register = _register(count)
    keep_rows(connection, actor.party_id, register, list(_rows(connection, site, count)))
    _keep_findings(connection, count, found)
    connection.exec_driver_sql(
        "UPDATE physical_count SET outcome = 'closed', register_id = %s WHERE count_id = %s",
        (register.register_id, count.count_id),
    )
    contradictions = list(_contradictions(connection, count, found))
    discrepancies.open_all(connection, site, None, now(), contradictions, register.register_id)
    connection.exec_driver_sql("SELECT verify_counted(%s)", (count.count_id,))
    connection.exec_driver_sql("SELECT withdraw_found(%s, %s)", (count.count_id, f"{count.name} found it"))


MAPPING = mapping_of(
    {"serial_number": "scan", "model": "model", "quantity": "quantity", "condition": "condition", "date": "counted at"}
)
"""How the register of a count reads in our fields; a tag that was scanned stands for the number of its weapon."""
HEADINGS = (
    "scan", "model", "lot", "quantity", "condition", "container", "seal", "entered", "counted at", "service number",
)  # fmt: skip
_ROWS = """
SELECT l.line, l.scan, l.model, l.lot, l.quantity, l.condition, l.container, k.number, l.entered, l.counted_at, p.code,
       l.again_of, l.doubts, l.item_id, i.tracked_by = 'serial', n.serial_number, m.name
FROM count_line l LEFT JOIN seal k ON k.seal_id = l.seal_id LEFT JOIN party p ON p.party_id = l.counted_by
LEFT JOIN item i ON i.item_id = l.item_id LEFT JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(i.item_id) n ON true
WHERE l.count_id = %s ORDER BY l.line
"""


def _register(count: Count) -> Register:
    assert count.closed_at is not None
    return Register(
        REGISTER, count.name, count.site_id, None, count.closed_at, HEADINGS, source=REGISTER, mapping=MAPPING
    )


def _rows(connection: Connection, site: Site, count: Count) -> Iterator[KeptRow]:
    """The lines as a register keeps them, to be compared with any other; a weapon that was read again is set aside."""
    for line, *cells, again_of, doubts, item_id, known, serial_number, model in connection.exec_driver_sql(
        _ROWS, (count.count_id,)
    ):
        kept = KeptRow(line, tuple(map(_cell, cells)), None, (doubts,) if doubts else (), item_id)
        if again_of is not None:
            yield kept._replace(reason=f"the same weapon as line {again_of}")
            continue
        scan, said, _, quantity, condition, _, _, _, counted_at, _ = cells
        serial = serial_number if known else scan
        key = (serial_key(serial) or None) if serial else None
        beside = Beside(
            model=model or said, quantity=quantity, dated_on=site.local_day(counted_at), condition=condition
        )
        yield kept._replace(serial_number=serial, serial_key=key, beside=as_copied(beside))


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)


_FINDING = (
    ("number", "int4"), ("kind", "text"), ("line", "int4"), ("item_id", "uuid"), ("model_id", "uuid"), ("lot", "text"),
    ("account_id", "uuid"), ("document_id", "uuid"), ("expected", "int8"), ("counted", "int8"),
)  # fmt: skip
_NAMES = ", ".join(name for name, _ in _FINDING)
_INSERT = f"""
INSERT INTO count_finding (count_id, site_id, {_NAMES}) SELECT %s::uuid, %s::uuid, {_NAMES} FROM {{given}}
"""


def _keep_findings(connection: Connection, count: Count, found: Sequence[Finding]) -> None:
    rows = (
        (
            number, str(one.kind), one.line, one.item_id, one.model_id, one.lot, one.at.account_id if one.at else None,
            one.document_id, one.expected, one.counted,
        )
        for number, one in enumerate(found, 1)
    )  # fmt: skip
    with given(connection, _FINDING, rows, len(found)) as kept:
        kept.insert(_INSERT, (count.count_id, count.site_id))


@dataclass(frozen=True, slots=True)
class Called:
    """A weapon as a discrepancy names it."""

    name: str
    donor_id: UUID


_CALLED = """
SELECT i.item_id, concat_ws(' ', m.name, n.serial_number), i.donor_id
FROM item i JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(i.item_id) n ON true
WHERE i.item_id = ANY (%s)
"""
_GOODS = """
SELECT f.number, concat_ws(', lot ', m.name, f.lot), min(i.item_id::text)::uuid, min(i.donor_id::text)::uuid,
       count(DISTINCT i.item_id), count(DISTINCT i.donor_id)
FROM count_finding f JOIN model m ON m.model_id = f.model_id
LEFT JOIN (holding h JOIN item i ON i.item_id = h.item_id)
       ON h.site_id = f.site_id AND i.model_id = f.model_id AND i.lot IS NOT DISTINCT FROM f.lot
WHERE f.count_id = %s AND f.kind = 'quantity differs' GROUP BY f.number, m.name, f.lot
"""


def _contradictions(connection: Connection, count: Count, found: Sequence[Finding]) -> Iterator[Contradiction]:
    """What the books and the count say differently, in words."""
    items = {one.item_id for one in found if one.kind in (Kind.MISSING, Kind.UNEXPECTED) and one.item_id}
    called = {row[0]: Called(*row[1:]) for row in connection.exec_driver_sql(_CALLED, (list(items),))}
    scans = _scans(connection, count, (one.line for one in found if one.item_id is None and one.line))
    goods = {row[0]: row[1:] for row in connection.exec_driver_sql(_GOODS, (count.count_id,))}
    for number, one in enumerate(found, 1):
        weapon = called.get(one.item_id) if one.item_id else None
        about = (one.item_id, weapon.donor_id if weapon else None, one.line)
        if one.kind is Kind.MISSING and weapon and one.at:
            yield Contradiction(
                Contradicts.MISSING_AT_COUNT, f"{weapon.name} on {one.at.words}", f"not read at {count.name}", *about
            )
        elif one.kind is Kind.UNEXPECTED and weapon:
            where = f"{weapon.name} on {one.at.words}" if one.at else f"{weapon.name} not in the books at that moment"
            yield Contradiction(Contradicts.UNEXPECTED_AT_COUNT, where, f"read at {count.name}", *about)
        elif one.kind is Kind.UNEXPECTED:
            read, meant = scans[one.line or 0]
            books = f"{meant} weapons bear it, none of them there" if meant else "nothing in the books bears it"
            yield Contradiction(Contradicts.UNEXPECTED_AT_COUNT, books, f"{read!r} read at {count.name}", *about)
        elif one.kind is Kind.QUANTITY_DIFFERS:
            yield _miscounted(count, one, goods[number])


def _miscounted(count: Count, found: Finding, goods: Sequence[object]) -> Contradiction:
    """A quantity that differs; its item and donor, where there is but one."""
    name, item_id, donor_id, items, donors = goods
    assert found.counted is not None
    assert found.expected is not None
    kind = Contradicts.MISSING_AT_COUNT if found.counted < found.expected else Contradicts.UNEXPECTED_AT_COUNT
    return Contradiction(
        kind,
        f"{found.expected} of {name}",
        f"{found.counted} at {count.name}",
        item_id if items == 1 else None,  # type: ignore[arg-type]
        donor_id if donors == 1 else None,  # type: ignore[arg-type]
        found.line,
    )


def _scans(connection: Connection, count: Count, lines: Iterable[int]) -> dict[int, tuple[str, int]]:
    """What stood on lines that no one weapon is known by, and how many each may mean."""
    rows = connection.exec_driver_sql(
        "SELECT line, scan, cardinality(meant) FROM count_line WHERE count_id = %s AND line = ANY (%s)",
        (count.count_id, list(lines)),
    )
    return {line: (scan, meant) for line, scan, meant in rows}

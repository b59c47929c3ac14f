"""What a count says of one scan: read, read before, unknown, one of several, or a container under a seal. It never says where the
books have a weapon, nor whether it was expected (`registers/count_lines.py` keeps what is read; this only looks).
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile.acts.perform import scope
from stockpile.db.engine import connected
from stockpile.documents import Desk, ItemLine, now
from stockpile.errors import Fault, Invalid
from stockpile.find import look_alikes
from stockpile.identity import serial_key
from stockpile.movements import Act
from stockpile.registers.counts import Count, need_count, need_open
from stockpile.registers.seals import Seal, find_seals, why_not_seen
from stockpile.rights import COUNT, Actor, require
from stockpile.scans import candidates
from stockpile.sentences import sentence
from stockpile.verdicts import CANDIDATES, AskVerdict, Severity, Verdict, WeaponSeen, weapons_seen

SEVERITY: dict[str, Severity] = {
    "read": "ready",
    "sealed": "ready",
    "read before": "attention",
    "several": "attention",
    "unknown": "attention",
    "did you mean": "attention",
    "seal says nothing": "stop",
}
"""Verdict -> how loudly the counter says it."""


def judge(engine: Engine, actor: Actor, asked: AskVerdict) -> Verdict:
    """The verdict on a scan of an open count. Raises NotAllowed, NotFound (the count), Refused (it is closed), Invalid."""
    require(actor, COUNT)
    if asked.count is None:
        raise Invalid(sentence("Say which count."), [Fault(sentence("give the count's key"), field="count")])
    with connected(engine) as connection:
        site = scope(connection, actor, None)
        count = need_count(connection, asked.count)
        need_open(count)
        desk = Desk(connection, actor, site, Act.ISSUE, "", b"")
        seal = find_seals(connection, site, [asked.scan]).get(asked.scan) if asked.scan is not None else None
        (found,) = candidates(connection, [ItemLine(item=asked.item, scan=asked.scan)])
        if seal is not None and not found:
            return _of_seal(seal)
        return _of_weapon(desk, count, asked, found)


def _of_seal(seal: Seal) -> Verdict:
    why_not = why_not_seen(seal, now())
    if why_not is not None:
        words = sentence("Seal {seal}: {why_not}", seal=seal.number, why_not=why_not)
        return _verdict("seal says nothing", words)
    weapons = len(seal.items)
    words = sentence(
        "Seal {seal}: {weapons} weapons count as seen while it is whole", seal=seal.number, weapons=weapons
    )
    if seal.container:
        words = sentence(
            "{container}, seal {seal}: {weapons} weapons count as seen while it is whole",
            container=seal.container,
            seal=seal.number,
            weapons=weapons,
        )
    return _verdict("sealed", words)


def _of_weapon(desk: Desk, count: Count, asked: AskVerdict, found: list[UUID]) -> Verdict:
    if len(found) > 1:
        words = sentence("{count} weapons bear this number: choose one, or scan the asset tag", count=len(found))
        return _verdict("several", words, choice=_seen(desk, found))
    before = _read_before(desk.connection, count, found, asked.scan)
    weapon = _seen(desk, found)[0] if found else None
    if before is not None:
        words = sentence("Read before, on line {line}: it counts once", line=before)
        return _verdict("read before", words, weapon, line=before)
    if weapon is not None:
        return _verdict("read", sentence("Read"), weapon)
    alike = look_alikes(desk.connection, desk.actor, asked.scan, CANDIDATES) if asked.scan is not None else []
    if alike:
        words = sentence("Nothing in the books bears this number: kept as it was read. Did you mean one of these?")
        return _verdict("did you mean", words, choice=_seen(desk, alike))
    return _verdict("unknown", sentence("Nothing in the books bears this number: kept as it was read"))


def _verdict(
    verdict: str,
    words: str,
    weapon: WeaponSeen | None = None,
    choice: tuple[WeaponSeen, ...] = (),
    line: int | None = None,
) -> Verdict:
    return Verdict(verdict, SEVERITY[verdict], words, weapon, choice, line)


def _seen(desk: Desk, item_ids: list[UUID]) -> tuple[WeaponSeen, ...]:
    """The weapons without where they are, and in what condition the books have them."""
    seen = weapons_seen(desk, item_ids[:CANDIDATES], with_since=False)
    return tuple(replace(one, account_class="", where="", condition=None, open_cases=0) for one in seen)


_READ_BEFORE = """
SELECT min(line) FROM count_line
WHERE count_id = %s AND again_of IS NULL AND (item_id = ANY (%s) OR (item_id IS NULL AND scan_key = %s))
"""


def _read_before(connection: Connection, count: Count, found: list[UUID], scan: str | None) -> int | None:
    key = (serial_key(scan) or scan) if scan is not None and not found else None
    line = connection.exec_driver_sql(_READ_BEFORE, (count.count_id, found, key)).scalar_one()
    return int(line) if line is not None else None

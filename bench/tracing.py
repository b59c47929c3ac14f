"""Tracing: how long until the candidates of a weapon found abroad are told, among many. Beside its floor: one look at the index for one
number. Weapons are written past the ledger (triggers off), in a throw-away database; they stand outside, and half share a beginning.

    python -m bench.tracing --weapons 1000000
"""

from __future__ import annotations

import argparse
import time

from bench.ground import Ground, ground
from stockpile.donors.candidates import candidates
from stockpile.donors.weapon_read import IncomingRequest
from stockpile.rights import reading

ITEMS = """
INSERT INTO stockpile.item (item_id, tracked_by, model_id, donor_id, secret)
SELECT (lpad(to_hex(n), 12, '0') || '7000' || '8' || substr(md5(n::text), 1, 15))::uuid, 'serial', m.model_id, d.party_id, sha256('x')
FROM generate_series(1, %(weapons)s) n,
     (SELECT model_id FROM stockpile.model WHERE name = 'AKM' LIMIT 1) m, (SELECT party_id FROM stockpile.party WHERE code = 'USA') d
"""
MARKS = """
INSERT INTO stockpile.identification (item_id, version, donor_id, site_id, entry_version, maker, serial_number, serial_key, fold)
SELECT (lpad(to_hex(n), 12, '0') || '7000' || '8' || substr(md5(n::text), 1, 15))::uuid, 1, d.party_id, s.site_id, 1, 'Izhmash', serial, serial,
       translate(serial, 'OILZSB', '011258')
FROM generate_series(1, %(weapons)s) n, (SELECT party_id FROM stockpile.party WHERE code = 'USA') d,
     (SELECT site_id FROM stockpile.site WHERE code = 'TAJI') s,
     LATERAL (SELECT CASE n %% 2 WHEN 0 THEN 'KT' || lpad(n::text, 8, '0')
                                 ELSE upper(substr(md5(n::text), 1, 2)) || substr((n * 7919::bigint)::text, 1, 7) || n %% 10 END) x (serial)
"""
READ = (
    ("whole, as marked", "KT00500000"),
    ("one character wrong", "KT00500X00"),
    ("two digits wrong", "KT00577000"),
    ("a prefix not copied", "00500000"),
    ("one unreadable", "KT0050?000"),
    ("two unreadable, the first too", "?T0050?000"),
    ("the beginning", "KT0050*"),
    ("the end alone", "*500000"),
    ("a piece from the middle", "*0050*"),
)


def main() -> None:
    """Fills the books and asks each question three times; the best counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weapons", type=int, default=1_000_000)
    weapons = parser.parse_args().weapons
    with ground(shared_buffers="1GB") as base:
        _fill(base, weapons)
        print(f"{weapons:,} weapons; one look at the index: {_floor(base) * 1000:.1f} ms")
        for what, serial in READ:
            best, found = _asked(base, serial)
            print(f"{what:32} {serial:12} {found:4} candidates {best * 1000:8.1f} ms")


def _fill(base: Ground, weapons: int) -> None:
    with base.administrator() as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in (ITEMS, MARKS):
            connection.execute(statement.encode(), {"weapons": weapons})
        connection.execute("VACUUM ANALYZE stockpile.identification, stockpile.item")


def _floor(base: Ground) -> float:
    with base.administrator() as connection:
        question = "SELECT item_id FROM stockpile.identification WHERE fold = 'KT00500000'"
        connection.execute(question)
        began = time.perf_counter()
        connection.execute(question).fetchall()
        return time.perf_counter() - began


def _asked(base: Ground, serial: str) -> tuple[float, int]:
    actor, taken, found = base.country.actors["auditor"], [], 0
    request = IncomingRequest(asked_by="bench", illicit_because="bench", serial_number=serial, model="AKM")
    for _ in range(3):
        with reading(base.engine, actor) as connection:
            began = time.perf_counter()
            found = len(candidates(connection, actor, request))
            taken.append(time.perf_counter() - began)
    return min(taken), found


if __name__ == "__main__":
    main()

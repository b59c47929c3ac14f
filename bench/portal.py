"""How long a donor's pages take that has 2,000 consignments over a million weapons: the start page, its parts, a consignment's page and a page
of its weapons, through the whole application. Beside it the floor: the donor's holdings added up by consignment and class, past every rule.

    python -m bench.portal --weapons 1000000 --consignments 2000

The country is made by bare SQL (triggers off) in a throw-away server: each weapon declared, received, half of them issued; one in a hundred
missing, lost, destroyed, in maintenance, with a unit, on its way, not shipped; certificates of what arrived.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from fastapi.testclient import TestClient

from api.application import create_app
from bench.ground import Ground, ground
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.donors.progress import list_progress
from stockpile.rights import reading
from stockpile.tokens import create_token

PERSONS = 10_000

KEY = """
CREATE FUNCTION pg_temp.key(moment timestamptz, name text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(name), 1, 3)
            || '8' || substr(md5(name), 4, 15))::uuid
$$
"""
PEOPLE = """
INSERT INTO party (party_id, kind, code, name, rank, site_id, secret)
SELECT pg_temp.key('2020-01-01', 'person' || n), 'person', 'S-' || n, 'Soldier ' || n, 'Private', s.site_id, sha256(n::text::bytea)
FROM generate_series(0, %(persons)s - 1) n, site s WHERE s.code = 'TAJI';
INSERT INTO account (account_id, class, name, site_id, party_id)
SELECT pg_temp.key('2020-01-02', 'account' || n), 'person', 'Soldier ' || n, s.site_id, pg_temp.key('2020-01-01', 'person' || n)
FROM generate_series(0, %(persons)s - 1) n, site s WHERE s.code = 'TAJI'
"""
CONSIGNMENTS = """
CREATE TEMPORARY TABLE sent AS
SELECT n, pg_temp.key('2022-01-01'::timestamptz + n * interval '15 hours', 'consignment' || n) AS consignment_id,
       pg_temp.key('2022-01-01', 'supply' || n) AS account_id, p.party_id AS donor_id, s.site_id,
       '2022-01-01'::timestamptz + n * interval '15 hours' AS declared_at, 'FMS-' || n AS reference
FROM generate_series(0, %(consignments)s - 1) n, party p, site s WHERE p.code = 'USA' AND s.code = 'TAJI';
INSERT INTO account (account_id, class, name, site_id) SELECT account_id, 'supply', reference, site_id FROM sent;
INSERT INTO consignment (consignment_id, donor_id, site_id, reference, account_id, expected_on, declared_at)
SELECT consignment_id, donor_id, site_id, reference, account_id, (declared_at + interval '90 days')::date, declared_at FROM sent
"""
# What became of weapon n: a hundred kinds, a hundredth each.
WEAPONS = """
CREATE TEMPORARY TABLE weapon AS
WITH own AS (SELECT class, min(account_id::text)::uuid AS account_id FROM account a JOIN site s USING (site_id)
             WHERE s.code = 'TAJI' AND party_id IS NULL OR class = 'unit' GROUP BY class)
SELECT w.n, c.consignment_id, c.account_id AS supply, c.site_id, c.donor_id, c.declared_at, m.model_id, m.maker,
       pg_temp.key(c.declared_at, 'item' || w.n) AS item_id, 'KT ' || (1000000 + w.n) AS serial_number, w.n %% 100 AS fate,
       own.account_id AS own_account, pg_temp.key('2020-01-02', 'account' || w.n * 31 %% %(persons)s) AS soldier
FROM generate_series(0, %(weapons)s - 1) w (n) JOIN sent c ON c.n = w.n / %(each)s
JOIN (SELECT model_id, maker FROM model WHERE name = 'AKM' LIMIT 1) m ON true
LEFT JOIN own ON own.class = CASE w.n %% 100 WHEN 0 THEN 'missing' WHEN 1 THEN 'lost' WHEN 2 THEN 'destroyed' WHEN 3 THEN 'maintenance'
                                             WHEN 4 THEN 'unit' WHEN 5 THEN 'transit' ELSE 'store' END;
INSERT INTO item (item_id, tracked_by, model_id, donor_id, consignment_id, secret)
SELECT item_id, 'serial', model_id, donor_id, consignment_id, sha256(uuid_send(item_id)) FROM weapon ORDER BY n;
INSERT INTO identification (item_id, version, donor_id, site_id, entry_version, maker, serial_number, serial_key, fold)
SELECT item_id, 1, donor_id, site_id, 1, maker, serial_number, replace(serial_number, ' ', ''), replace(serial_number, ' ', '')
FROM weapon ORDER BY n
"""
STEPS = """
CREATE TEMPORARY TABLE step AS
SELECT w.n, w.item_id, v AS version, w.donor_id, w.model_id, w.site_id, w.consignment_id,
       CASE v WHEN 1 THEN w.supply WHEN 3 THEN CASE WHEN fate >= 50 THEN w.soldier ELSE w.own_account END
              ELSE CASE WHEN fate = 5 THEN w.own_account ELSE store.account_id END END AS to_account,
       w.declared_at + v * interval '30 days' AS happened_at,
       pg_temp.key(w.declared_at + v * interval '30 days', v || w.consignment_id::text) AS document_id
FROM weapon w
JOIN generate_series(1, 3) v ON v = 1 OR v = 2 AND w.fate <> 6 OR v = 3 AND (w.fate BETWEEN 0 AND 4 OR w.fate >= 50)
JOIN (SELECT min(account_id::text)::uuid AS account_id FROM account a JOIN site s USING (site_id) WHERE s.code = 'TAJI' AND class = 'store') store
  ON true;
INSERT INTO document (document_id, site_id, book_id, number, act, fact, happened_at, recorded_at, posted_by, line_count, quantity,
                      content_hash, seed, leaf)
SELECT d.document_id, d.site_id, b.book_id, row_number() OVER (ORDER BY d.happened_at, d.document_id) + 1000, d.act, false, d.happened_at,
       d.happened_at, p.party_id, d.lines, d.lines, sha256(uuid_send(d.document_id)), sha256(uuid_send(d.document_id)),
       '\\x02'::bytea || sha256('a') || sha256(uuid_send(d.document_id))
FROM (SELECT document_id, site_id, max(happened_at) AS happened_at, count(*) AS lines,
             CASE max(version) WHEN 1 THEN 'declare' WHEN 2 THEN 'receive' ELSE 'issue' END AS act FROM step GROUP BY 1, 2) d
JOIN (SELECT min(book_id::text)::uuid AS book_id FROM book) b ON true JOIN party p ON p.code = 'T-1';
INSERT INTO entry (item_id, version, serial, donor_id, model_id, site_id, document_id, line, from_account, to_account, quantity, happened_at,
                   recorded_at, seed, leaf, from_class_and_site, to_class_and_site)
SELECT e.*, f.class_and_site, t.class_and_site FROM (
SELECT item_id, version, true, donor_id, model_id, site_id, document_id, row_number() OVER (PARTITION BY document_id ORDER BY n),
       lag(to_account, 1, '00000000-0000-7000-8000-000000000000') OVER (PARTITION BY item_id ORDER BY version) AS from_account, to_account, 1, happened_at,
       happened_at, uuid_send(item_id) || uuid_send(document_id), '\\x01'::bytea || sha256(uuid_send(item_id)) || sha256(uuid_send(document_id))
FROM step ORDER BY happened_at, document_id, n) e
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account;
INSERT INTO holding (item_id, account_id, serial, donor_id, model_id, consignment_id, site_id, class_and_site, quantity)
SELECT item_id, to_account, true, donor_id, model_id, consignment_id, site_id, a.class_and_site, 1
FROM (SELECT DISTINCT ON (item_id) item_id, to_account, donor_id, model_id, consignment_id, site_id FROM step ORDER BY item_id, version DESC) last
JOIN (SELECT account_id, class_and_site FROM account) a ON a.account_id = last.to_account
"""
# As the depot's clerk signs them: all that arrived, piece by piece. One donor's discrepancies are open in a hundredth of the consignments.
SIGNED = """
CREATE TEMPORARY TABLE certificate AS
SELECT c.donor_id, c.site_id, c.reference, pg_temp.key(c.declared_at, 'verified' || c.n) AS statement_id, c.declared_at, w.content
FROM sent c
JOIN (SELECT consignment_id, jsonb_build_object('number', 'DV/1', 'quantity', count(*), 'lines', jsonb_agg(jsonb_build_object(
          'item', item_id, 'entry', 2, 'serial', true, 'maker', maker, 'model', 'AKM', 'serial_number', serial_number, 'quantity', 1,
          'condition', 'serviceable', 'document', 'TAJI/B/2022/41', 'entry_leaf', encode(sha256(uuid_send(item_id)), 'hex')))) AS content
      FROM weapon WHERE fate NOT IN (5, 6) GROUP BY consignment_id) w USING (consignment_id);
INSERT INTO donor_statement (donor_id, statement_id, kind, site_id, reference, content, said_by, name_version, digest, recorded_at, content_hash,
                             seed, leaf)
SELECT c.donor_id, c.statement_id, 'delivery verification', c.site_id, c.reference, c.content, p.party_id, 1, sha256('d'),
       c.declared_at + interval '61 days', sha256('c'), sha256(uuid_send(c.statement_id)), '\\x05'::bytea || sha256('a') || sha256('b')
FROM certificate c JOIN party p ON p.code = 'T-1';
INSERT INTO donor_statement (donor_id, statement_id, kind, site_id, reference, answers, content, said_by, name_version, digest, recorded_at,
                             content_hash, seed, leaf)
SELECT c.donor_id, pg_temp.key(c.declared_at, 'accepted' || c.reference), 'accepted', c.site_id, c.reference, c.statement_id,
       jsonb_build_object('signed_as', 'clerk', 'quantity', c.content->'quantity'), p.party_id, 1, sha256('d'),
       c.declared_at + interval '62 days', sha256('c'), sha256(uuid_send(c.statement_id)), '\\x05'::bytea || sha256('a') || sha256('b')
FROM certificate c JOIN party p ON p.code = 'T-2'
"""
STAGES = (
    ("people", PEOPLE),
    ("consignments", CONSIGNMENTS),
    ("weapons", WEAPONS),
    ("steps", STEPS),
    ("signed", SIGNED),
)
FLOOR = """
SELECT i.consignment_id, a.class, sum(h.quantity) FROM stockpile.holding h JOIN stockpile.item i USING (item_id)
JOIN stockpile.account a USING (account_id) WHERE h.donor_id = (SELECT party_id FROM stockpile.party WHERE code = 'USA') GROUP BY 1, 2
"""


def main() -> None:
    """Fills the books, then asks each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weapons", type=int, default=1_000_000)
    parser.add_argument("--consignments", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=9)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with ground(shared_buffers="1GB", effective_cache_size="6GB", max_wal_size="8GB") as base:
        _fill(base, asked.weapons, asked.consignments)
        print(f"{asked.weapons:,} weapons in {asked.consignments:,} consignments; load {os.getloadavg()[0]:.1f}")
        _print("floor: holdings by consignment and class", *_timed(lambda: _floor(base), asked.runs))
        _print("progress of all, as the donor", *_timed(lambda: _progress(base), asked.runs))
        pages = _pages(base)
        for what, ask in pages.items():
            _print(what, *_timed(ask, asked.runs))
        print(f"load {os.getloadavg()[0]:.1f}")


def _fill(base: Ground, weapons: int, consignments: int) -> None:
    given = {"weapons": weapons, "consignments": consignments, "each": weapons // consignments, "persons": PERSONS}
    with base.administrator() as connection:
        connection.execute(
            "SET search_path = stockpile; SET session_replication_role = replica; SET work_mem = '512MB'"
        )
        connection.execute("SET maintenance_work_mem = '1GB'; SET synchronous_commit = off")
        connection.execute(KEY)
        for name, step in STAGES:
            began = time.monotonic()
            for statement in step.split(";\n"):
                connection.execute(statement.encode(), given if "%(" in statement else None)
            connection.execute("ANALYZE")
            print(f"{time.monotonic() - began:6.1f} s  {name}", flush=True)
        connection.execute("VACUUM (ANALYZE)")


def _floor(base: Ground) -> None:
    with base.administrator() as connection:
        connection.execute("SET jit = off; SET work_mem = '64MB'")
        connection.execute(FLOOR).fetchall()


def _progress(base: Ground) -> None:
    actor = base.country.actors["USA"]
    with reading(base.engine, actor) as connection:
        list_progress(connection, actor, limit=20)


def _pages(base: Ground) -> Mapping[str, Callable[[], Any]]:
    """Pages as the donor's browser asks for them, by what they are."""
    with transaction(base.engine, roles.REGISTRAR) as connection:
        token = create_token(connection, "donor", "bench", donor="USA").text
    client = TestClient(create_app(base.engine), headers={"Authorization": f"Bearer {token}", "Accept": "text/html"})
    with reading(base.engine, base.country.actors["USA"]) as connection:
        row = list_progress(connection, base.country.actors["USA"], limit=1).rows[0]

    def page(address: str) -> Callable[[], Any]:
        def ask() -> None:
            answer = client.get(address)
            assert answer.status_code == 200, answer.text[:2000]

        return ask

    one = f"/consignments/{row.consignment_id}"
    return {
        "start page": page("/"),
        "start page, late ones": page("/?attention=late"),
        "the consignment's page": page(one),
        "a page of its weapons": page(f"{one}/weapons"),
    }


def _timed(ask: Callable[[], Any], runs: int) -> tuple[float, float]:
    """Median and slowest of the runs after the first, in milliseconds."""
    taken = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken[1:]), max(taken[1:])


def _print(what: str, median: float, slowest: float) -> None:
    print(f"{what:44} {median:9.1f} ms {slowest:9.1f} slowest", flush=True)


if __name__ == "__main__":
    main()

"""Issue of one weapon over HTTP by eight clients, beside the same rows in bare SQL by pgbench, in the same run.

    python -m bench.issue_over_http [--seconds 10] [--runs 3]

Eight counters issue and take back weapons by asset tag, each in its own book, through `stockpile serve` with two
processes: token, rights, row-level security, constraints, leaves, synchronous commit. The floor writes document,
signatories, entry, holding, book and queue into tables with primary keys alone (`-c 8 -M prepared`).
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.ground import DATABASE, Ground, ground
from stockpile import parties, tokens
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.binaries import find_binaries
from stockpile.db.engine import transaction
from stockpile.files import file_store
from stockpile.identity import asset_tag
from tests.world import SINCE

CLIENTS = 8
WEAPONS = 20_000
APART = 0.05
"""Seconds between two clients' arrival: stations are not switched on in one instant, and a connection stays with the
process that took it.
"""


def main() -> None:
    """Alternates floor and service; prints medians, the ratio, and the slowest answers."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--runs", type=int, default=3)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, ground() as place:
        os.environ["STOCKPILE_DATA"] = folder
        counters = _stock(place, Path(folder))
        floors, rates, slowest = [], [], []
        for _ in range(chosen.runs):
            floors.append(floor(place, chosen.seconds))
            with served(place, folder) as port:
                load(port, counters, 2)
                settle(place)
                answers = load(port, counters, chosen.seconds)
            rates.append(len(answers) / chosen.seconds)
            slowest.append(sorted(answers)[int(len(answers) * 0.99)] * 1000)
        rate, bare = statistics.median(rates), statistics.median(floors)
        print(f"issue over HTTP, {CLIENTS} clients: {rate:.0f}/s; floor {bare:.0f}/s; ratio {rate / bare:.3f}; "
              f"p99 {statistics.median(slowest):.0f} ms; runs {[round(r) for r in rates]} over {[round(f) for f in floors]}")  # fmt: skip


@dataclass
class Counter:
    """One client: its token, its soldier, the tags of its weapons."""

    token: str
    soldier: str
    tags: list[str] = field(default_factory=list)


def _stock(place: Ground, folder: Path) -> list[Counter]:
    file = folder / "stock.csv"
    file.write_text("serial,model,condition\n" + "".join(f"H{n:06},AKM,serviceable\n" for n in range(WEAPONS)))
    stored = file_store().keep_copy(file, 1 << 30)
    place.country.do("clerk", RECEIVE, store="Main store", file={"sha256": stored.sha256, "name": file.name})
    tags = [
        asset_tag(row[0])
        for row in place.country.owner_query("SELECT tag_number FROM item WHERE tracked_by = 'serial'")
    ]
    taji = place.country.sites["TAJI"]
    counters = []
    with transaction(place.engine, roles.REGISTRAR) as connection:
        for n in range(CLIENTS):
            company = place.country.parties["company"]
            soldier = parties.add_person(connection, f"S-{n}", f"Soldier {n}", None, taji, company, SINCE)
            made = tokens.create_token(connection, party="T-1", role="clerk", site="TAJI", book=f"W{n}", label="bench")
            counters.append(Counter(made.text, soldier.code or "", tags[n::CLIENTS]))
    return counters


def settle(place: Ground) -> None:
    """Writes out and cleans up what ran before, so that each measurement pays for its own rows only."""
    with place.administrator() as administrator:
        administrator.execute("VACUUM ANALYZE")
        administrator.execute("CHECKPOINT")


@contextmanager
def served(place: Ground, folder: str) -> Iterator[int]:
    """`stockpile serve` over the ground's database on a free port."""
    with serving(place.server.url(DATABASE, roles.SERVICE), folder) as port:
        yield port


@contextmanager
def serving(database_url: str, folder: str) -> Iterator[int]:
    """`stockpile serve` with two processes on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ, "STOCKPILE_DATABASE_URL": database_url, "STOCKPILE_PORT": str(port),
        "STOCKPILE_WORKERS": "2", "STOCKPILE_DATA": folder, "STOCKPILE_LOG_LEVEL": "error",
    }  # fmt: skip
    service = subprocess.Popen(
        [str(Path(sys.executable).with_name("stockpile")), "serve"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port
    finally:
        service.terminate()
        service.wait(20)


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/v1/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service did not come up")


def load(port: int, counters: list[Counter], seconds: float) -> list[float]:
    """Every counter issues its weapons one by one, then takes them back; the seconds each issue or return took."""
    took: list[list[float]] = [[] for _ in counters]
    threads = [
        threading.Thread(target=_client, args=(port, counter, n * APART, seconds, into))
        for n, (counter, into) in enumerate(zip(counters, took, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for each in took for one in each]


def _client(port: int, counter: Counter, after: float, seconds: float, took: list[float]) -> None:
    time.sleep(after)
    until = time.perf_counter() + seconds
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    pace = 200
    while time.perf_counter() < until:
        batch, counter.tags = counter.tags[:pace], counter.tags[pace:] + counter.tags[:pace]
        issued = []
        for tag in batch:
            if time.perf_counter() >= until:
                break
            body = {"receiver": counter.soldier, "store": "Main store", "lines": [{"scan": tag}]}
            took.append(asked(connection, counter.token, "/v1/issues", body))
            issued.append(tag)
        for tag in issued:
            body = {"store": "Main store", "lines": [{"scan": tag, "condition": "serviceable"}]}
            spent = asked(connection, counter.token, "/v1/returns", body)
            if time.perf_counter() < until:
                took.append(spent)


def asked(connection: socket.socket, token: str, path: str, body: dict[str, Any]) -> float:
    """Seconds of one request on an open connection. By hand: the client shares the processors with the service."""
    content = json.dumps(body)
    began = time.perf_counter()
    connection.sendall(
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n{content}".encode()
    )
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(65536) or b"}"
    if not answer.startswith(b"HTTP/1.1 201"):
        raise SystemExit(f"{path}: {answer[-500:]!r}")
    return time.perf_counter() - began


FLOOR = r"""
\set n random(1, 20000)
BEGIN;
SELECT item_id AS item, account_id AS origin FROM floor.numbered JOIN floor.holding USING (item_id) WHERE n = :n FOR UPDATE OF holding \gset
UPDATE floor.counter SET next_number = next_number + 1 WHERE book_id = :client_id RETURNING next_number AS number, clock_timestamp() AS moment, gen_random_uuid() AS document \gset
INSERT INTO floor.document (document_id, site_id, book_id, number, act, fact, happened_at, recorded_at, posted_by, line_count, quantity, details, attachments, content_hash, seed, leaf)
VALUES (:document::uuid, '%(site)s', '%(site)s', :number, 'issue', false, :moment::timestamptz, :moment::timestamptz, '%(clerk)s', 1, 1, '{}', '[]', sha256('x'), sha256('y'), sha256('z'));
INSERT INTO floor.signatory VALUES (:document::uuid, 'posted_by', '%(clerk)s', 1, sha256('x')), (:document::uuid, 'received_by', '%(clerk)s', 1, sha256('y'));
INSERT INTO floor.entry (item_id, version, serial, donor_id, site_id, document_id, line, from_account, to_account, quantity, happened_at, recorded_at, seed, leaf)
SELECT :item::uuid, coalesce(max(version), 0) + 1, true, '%(clerk)s', '%(site)s', :document::uuid, 1, :origin::uuid, '%(store)s', 1, :moment::timestamptz, :moment::timestamptz, sha256('y'), sha256('z') FROM floor.entry WHERE item_id = :item::uuid;
UPDATE floor.holding SET account_id = '%(store)s' WHERE item_id = :item::uuid;
INSERT INTO floor.unsequenced (leaf) VALUES (sha256('x')), (sha256('y'));
COMMIT;
"""

FLOOR_STOCK = """
CREATE TABLE IF NOT EXISTS floor.signatory (document_id uuid, part text, party_id uuid, name_version int, digest bytea, PRIMARY KEY (document_id, part));
CREATE TABLE IF NOT EXISTS floor.counter (book_id int PRIMARY KEY, next_number int NOT NULL);
CREATE TABLE IF NOT EXISTS floor.numbered (n int PRIMARY KEY, item_id uuid NOT NULL);
INSERT INTO floor.counter SELECT n, 1 FROM generate_series(0, 7) n ON CONFLICT DO NOTHING;
INSERT INTO floor.holding SELECT * FROM stockpile.holding WHERE serial ON CONFLICT DO NOTHING;
INSERT INTO floor.numbered SELECT row_number() OVER (ORDER BY item_id), item_id FROM floor.holding ON CONFLICT DO NOTHING;
"""


def floor(place: Ground, seconds: float) -> float:
    """Transactions a second of pgbench with the same rows."""
    names = {
        "site": place.country.sites["TAJI"].site_id, "clerk": place.country.actors["clerk"].party_id,
        "store": place.country.item("KT 449900").where.account_id,
    }  # fmt: skip
    with place.administrator() as administrator:
        administrator.execute(FLOOR_STOCK)
    settle(place)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(FLOOR % names)
        script.flush()
        ran = subprocess.run(
            [str(find_binaries().program("pgbench")), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(int(seconds)),
             "-f", script.name, place.server.conninfo(DATABASE)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if ran.returncode != 0:
        raise SystemExit(ran.stderr[-2000:])
    return float(ran.stdout.split("tps = ")[1].split()[0])


if __name__ == "__main__":
    main()

"""What a counter waits for, among a million weapons: a verdict over HTTP, and the confirmation of forty, beside bare SQL.

    python -m bench.station FOLDER [--weapons 1000000] [--scans 400] [--runs 7]

In the country of `bench.large_country` (made in FOLDER unless it is there), through `stockpile serve`: one counter scans weapons of every
kind one after another, as the station asks, each with forty lines on the list so far. The floor reads the same weapon, its account and
its last entry by serial number past every rule. Then forty weapons are issued and taken back as one document each; their floor writes
forty entries and moves forty holdings in one transaction.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.issue_over_http import serving
from bench.large_country import DATABASE, make
from stockpile import tokens
from stockpile.db import roles
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of, transaction
from stockpile.identity import asset_tag, serial_key

SITE = "SITE-00"
STORE = "Main store"
CLERK, SOLDIER = f"{SITE}-0", f"{SITE}-7"
LINES = 40
TARGET_VERDICT, TARGET_CONFIRM = 100.0, 300.0
UNMEASURED = 40
"""Scans before the measured ones: the connections' plans are made then."""

IN_STORE = """
SELECT i.tag_number FROM holding h JOIN account a USING (account_id) JOIN site s ON s.site_id = a.site_id JOIN item i ON i.item_id = h.item_id
WHERE a.class = 'store' AND s.code = %s ORDER BY h.item_id LIMIT 400
"""
ANYWHERE = "SELECT serial_number FROM identification TABLESAMPLE SYSTEM (1) WHERE serial_number IS NOT NULL LIMIT 2000"
ONE = """
SELECT n.item_id, m.name, n.serial_number, a.class, a.name, e.happened_at, e.document_id
FROM identification n JOIN item i ON i.item_id = n.item_id JOIN model m ON m.model_id = i.model_id
JOIN holding h ON h.item_id = n.item_id JOIN account a ON a.account_id = h.account_id
JOIN LATERAL (SELECT * FROM entry e WHERE e.item_id = n.item_id ORDER BY version DESC LIMIT 1) e ON true
WHERE n.serial_key = %s
"""
FLOOR = """
CREATE SCHEMA IF NOT EXISTS station_floor;
CREATE TABLE IF NOT EXISTS station_floor.entry AS SELECT * FROM stockpile.entry LIMIT 0;
CREATE TABLE IF NOT EXISTS station_floor.holding AS SELECT * FROM stockpile.holding WHERE serial LIMIT 4000
"""
FLOOR_FORTY = """
WITH chosen AS (SELECT item_id FROM station_floor.holding ORDER BY random() LIMIT 40),
     moved AS (UPDATE station_floor.holding h SET account_id = account_id FROM chosen WHERE h.item_id = chosen.item_id RETURNING h.item_id)
INSERT INTO station_floor.entry SELECT e.* FROM moved JOIN LATERAL (SELECT * FROM stockpile.entry e WHERE e.item_id = moved.item_id LIMIT 1) e ON true
"""


def main() -> None:
    """Prints the middle, the ninety-fifth of a hundred and the slowest, in milliseconds."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--weapons", type=int, default=1_000_000)
    arguments.add_argument("--scans", type=int, default=400)
    arguments.add_argument("--runs", type=int, default=7)
    chosen = arguments.parse_args()
    with make(chosen.folder, chosen.weapons) as server, tempfile.TemporaryDirectory() as files:
        token = _token(server)
        with serving(server.url(DATABASE, roles.SERVICE), files) as port, _administrator(server) as bare:
            counter = Counter(http.client.HTTPConnection("127.0.0.1", port, timeout=60), token)
            verdicts(counter, bare, chosen.scans)
            confirmations(counter, bare, chosen.runs)


@dataclass
class Counter:
    """One counter on one connection."""

    connection: http.client.HTTPConnection
    token: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Sends JSON and gives the answer's."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        if answer.status not in (200, 201):
            raise SystemExit(f"{path}: {answer.status} {told}")
        return told


def _administrator(server: Server) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(server.conninfo(DATABASE), autocommit=True, options="-c search_path=stockpile")


def _token(server: Server) -> str:
    engine = engine_of(server.url(DATABASE, roles.SERVICE))
    with transaction(engine, roles.REGISTRAR) as connection:
        made = tokens.create_token(connection, "clerk", "bench", party=CLERK, site=SITE, book="ST")
    engine.dispose()
    return made.text


def verdicts(counter: Counter, bare: psycopg.Connection[tuple[Any, ...]], scans: int) -> None:
    """Scans by serial number and by tag, of weapons here and anywhere, misread ones and unknown ones among them."""
    chance = random.Random(7)
    here = [asset_tag(row[0]) for row in bare.execute(IN_STORE, (SITE,))]
    serials = [row[0] for row in bare.execute(ANYWHERE)]
    chance.shuffle(serials)
    listed = [{"item": _item(counter, tag)} for tag in here[:LINES]]
    misread = [serial.replace("0", "O", 1) for serial in serials[:50]]
    unknown = [f"{serial}-{n}" for n, serial in enumerate(serials[:50])]
    for name, among in (
        ("in the store, by tag", here[LINES:] or here),
        ("anywhere, by serial number", serials),
        ("misread", misread),
        ("unknown", unknown),
    ):

        def ask(scan: str) -> None:
            body = {"mode": "issue", "scan": scan, "store": STORE, "receiver": SOLDIER, "lines": listed}
            counter.ask("POST", "/v1/station/verdicts", body)

        told(f"verdict: {name}", timed(ask, among, scans, chance), TARGET_VERDICT)
    told(
        "suggestions for four characters",
        timed(
            lambda text: counter.ask("GET", f"/v1/station/suggestions?text={text}&store=Main%20store"),
            [serial_key(serial)[:4] for serial in serials],
            scans // 4,
            chance,
        ),
        None,
    )
    floor = timed(lambda serial: bare.execute(ONE, (serial_key(serial),)).fetchall(), serials, scans, chance)
    told("floor: the weapon, its account and last entry", floor, None)


def _item(counter: Counter, tag: str) -> str:
    verdict = counter.ask("POST", "/v1/station/verdicts", {"mode": "look up", "scan": tag})
    return str(verdict["weapon"]["item_id"])


def timed(
    ask: Callable[[str], Any], among: Sequence[str], times: int, chance: random.Random, before: int = UNMEASURED
) -> list[float]:
    """Milliseconds of each of so many questions, another subject each time."""
    took = []
    for n in range(before + times):
        subject = chance.choice(among)
        began = time.perf_counter()
        ask(subject)
        if n >= before:
            took.append((time.perf_counter() - began) * 1000)
    return took


def confirmations(counter: Counter, bare: psycopg.Connection[tuple[Any, ...]], runs: int) -> None:
    """Forty weapons out and back, each time one document."""
    tags = [asset_tag(row[0]) for row in bare.execute(IN_STORE, (SITE,))][:LINES]
    lines = [{"scan": tag, "how": "scanned"} for tag in tags]
    bare.execute(FLOOR)
    out, back, floor = [], [], []
    for _ in range(runs + 1):
        out.append(_posted(counter, "/v1/issues", {"receiver": SOLDIER, "store": STORE, "lines": lines}))
        back.append(_posted(counter, "/v1/returns", {"store": STORE, "lines": lines}))
        began = time.perf_counter()
        bare.execute(FLOOR_FORTY)
        floor.append((time.perf_counter() - began) * 1000)
    told(f"confirming the issue of {LINES}", out[1:], TARGET_CONFIRM)
    told(f"confirming the return of {LINES}", back[1:], TARGET_CONFIRM)
    told(f"floor: {LINES} entries and holdings", floor[1:], None)
    bare.execute("DROP SCHEMA station_floor CASCADE")


def _posted(counter: Counter, path: str, body: dict[str, Any]) -> float:
    began = time.perf_counter()
    counter.ask("POST", path, body)
    return (time.perf_counter() - began) * 1000


def told(name: str, took: Sequence[float], target: float | None) -> None:
    """A line of figures."""
    ordered = sorted(took)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    goal = f"   target {target:.0f}" if target else ""
    print(f"{name:48} median {statistics.median(ordered):7.1f}   p95 {p95:7.1f}   slowest {ordered[-1]:7.1f} ms{goal}")


if __name__ == "__main__":
    main()

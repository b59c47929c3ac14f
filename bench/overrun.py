"""Overrun of a site with 100,000 weapons until the complete list is on file, while another site issues over HTTP.

    python -m bench.overrun [--weapons 100000] [--runs 3]

One `stockpile serve` with two processes serves both. The commander of TAJI asks for the overrun and reads the document's lines as
CSV; four counters of ERBIL meanwhile issue and take back weapons, ten times a second each. Before that they do so for as
long alone: their answers on a service at rest are the floor.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from bench.ground import Ground, ground
from bench.issue_over_http import asked, served, settle
from stockpile import parties, tokens
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.files import file_store
from stockpile.identity import asset_tag
from tests.world import SINCE

COUNTERS = 4
WEAPONS_OF_A_COUNTER = 500
EVERY = 0.1
"""Seconds from one request of a counter to its next."""
AT_REST = 8.0
"""Seconds that the other site issues alone."""


def main() -> None:
    """Prints medians, every run, and the slowest answers of the other site."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--weapons", type=int, default=100_000)
    arguments.add_argument("--runs", type=int, default=3)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, ground(max_wal_size="4GB") as place:
        os.environ["STOCKPILE_DATA"] = folder
        counters, commander = _counters(place, Path(folder)), _commander(place)
        posted, listed, rest, during = [], [], [], []
        for _ in range(chosen.runs):
            _receive(place, Path(folder), "clerk", chosen.weapons)
            settle(place)
            with served(place, folder) as port:
                with Working(port, counters) as alone:
                    time.sleep(AT_REST)
                with Working(port, counters) as working:
                    acknowledged, on_file = overrun(port, commander, chosen.weapons)
            posted.append(acknowledged)
            listed.append(on_file)
            rest.append(slowest(alone.took))
            during.append(slowest(working.took))
        print(
            f"overrun of {chosen.weapons:,}: acknowledged after {statistics.median(posted):.1f} s, list on file after "
            f"{statistics.median(listed):.1f} s (runs {[round(each, 1) for each in listed]}); the other site's 99 of 100 within "
            f"{statistics.median(during):.0f} ms (runs {[round(each) for each in during]}), "
            f"at rest {statistics.median(rest):.0f} ms (runs {[round(each) for each in rest]})"
        )


@dataclass
class Counter:
    """A counter of the other site: its token, its soldier, the tags of its weapons."""

    token: str
    soldier: str
    tags: list[str]


def _commander(place: Ground) -> str:
    with transaction(place.engine, roles.REGISTRAR) as connection:
        made = tokens.create_token(connection, party="C-1", role="commander", site="TAJI", book="CO", label="bench")
    return made.text


def _counters(place: Ground, folder: Path) -> list[Counter]:
    _receive(place, folder, "erbil clerk", COUNTERS * WEAPONS_OF_A_COUNTER)
    tags = [
        asset_tag(row[0])
        for row in place.country.owner_query(
            "SELECT i.tag_number FROM holding h JOIN item i USING (item_id) WHERE h.serial AND h.site_id = %s",
            place.country.sites["ERBIL"].site_id,
        )
    ]
    erbil, counters = place.country.sites["ERBIL"], []
    with transaction(place.engine, roles.REGISTRAR) as connection:
        company = parties.add_unit(connection, "9COY", "9th Company", erbil, None, SINCE)
        for n in range(COUNTERS):
            soldier = parties.add_person(connection, f"S-{n}", f"Soldier {n}", None, erbil, company, SINCE)
            made = tokens.create_token(connection, party="E-1", role="clerk", site="ERBIL", book=f"W{n}", label="bench")
            counters.append(Counter(made.text, soldier.code or "", tags[n::COUNTERS]))
    return counters


def _receive(place: Ground, folder: Path, who: str, weapons: int) -> None:
    file, tag = folder / f"{uuid4().hex}.csv", os.urandom(3).hex().upper()
    file.write_text("serial,model,condition\n" + "".join(f"{tag}{n:07},AKM,serviceable\n" for n in range(weapons)))
    stored = file_store().keep_copy(file, 1 << 30)
    place.country.do(who, RECEIVE, store="Main store", file={"sha256": stored.sha256, "name": file.name})


def overrun(port: int, commander: str, weapons: int) -> tuple[float, float]:
    """Seconds until the overrun was acknowledged, and until its list was here."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {commander}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/overruns", json.dumps({"circumstances": "attacked at night"}), headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    acknowledged = time.perf_counter() - began
    if answer.status != 201 or told["lines"] < weapons:
        raise SystemExit(f"the overrun was not posted: {told}")
    connection.request("GET", f"/v1/documents/{told['document_id']}/lines?format=csv", headers=headers)
    listed = connection.getresponse().read()
    on_file = time.perf_counter() - began
    if listed.count(b"\n") != told["lines"] + 1:
        raise SystemExit("the list is not complete")
    return acknowledged, on_file


@dataclass
class Working:
    """The other site at work, as long as this is entered; `took` are the seconds of each of its requests."""

    port: int
    counters: list[Counter]
    took: list[float] = field(default_factory=list)

    def __enter__(self) -> Working:
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(counter, n * EVERY / COUNTERS))
            for n, counter in enumerate(self.counters)
        ]
        for thread in self._threads:
            thread.start()
        time.sleep(1)  # first requests make connections and plans
        self.took.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _work(self, counter: Counter, after: float) -> None:
        connection, turn = socket.create_connection(("127.0.0.1", self.port), timeout=60), 0
        due = time.perf_counter() + after
        while not self._ended.is_set() or turn % 2:  # what is out comes back
            tag = counter.tags[turn // 2 % len(counter.tags)]
            time.sleep(max(0.0, due - time.perf_counter()))
            if turn % 2:
                path, body = (
                    "/v1/returns",
                    {"store": "Main store", "lines": [{"scan": tag, "condition": "serviceable"}]},
                )
            else:
                path, body = (
                    "/v1/issues",
                    {"receiver": counter.soldier, "store": "Main store", "lines": [{"scan": tag}]},
                )
            self.took.append(asked(connection, counter.token, path, body))
            due, turn = max(due + EVERY, time.perf_counter()), turn + 1


def slowest(took: list[float]) -> float:
    """Milliseconds within which 99 of 100 were answered."""
    return sorted(took)[int(len(took) * 0.99)] * 1000


if __name__ == "__main__":
    main()

"""The feed of changes: how many rows a second somebody is told who asks for everything, line by line over HTTP, and as JSON in answers of
5,000; as the auditor, and as a donor. Beside the floor: bare SQL of the same entries, without order, role and form.

    python -m bench.changes FOLDER [--weapons 100000] [--runs 3]

Makes the country in FOLDER, unless it is there. The target is 10,000 rows a second.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from fastapi.testclient import TestClient

from api.application import create_app
from bench.large_country import DATABASE, make
from stockpile import tokens
from stockpile.db import migrate, roles
from stockpile.db.engine import engine_of, transaction

FLOOR = """
SELECT e.document_id, e.line, e.item_id, e.version, m.name, n.serial_number, e.quantity, f.class, t.class, e.condition, e.happened_at, e.recorded_at
FROM stockpile.entry e JOIN stockpile.account f ON f.account_id = e.from_account JOIN stockpile.account t ON t.account_id = e.to_account
JOIN stockpile.model m ON m.model_id = e.model_id LEFT JOIN stockpile.identification n ON n.item_id = e.item_id AND n.version = 1
"""


def main() -> None:
    """Asks for everything, several times; the median counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weapons", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    server = make(asked.folder, asked.weapons)
    try:
        migrate.upgrade(server.url(DATABASE, roles.OWNER))
        engine = engine_of(server.url(DATABASE, roles.SERVICE))
        with transaction(engine, roles.REGISTRAR) as connection:
            person, donor = (
                connection.exec_driver_sql(
                    f"SELECT code FROM party WHERE kind = '{kind}' AND code <> 'OWN' LIMIT 1"
                ).scalar_one()
                for kind in ("person", "donor")
            )
            auditor = tokens.create_token(connection, "auditor", "bench", party=person).text
            donors = tokens.create_token(connection, "donor", "bench", donor=donor).text
        with TestClient(create_app(engine)) as client:
            for who, token in (("auditor", auditor), ("donor", donors)):
                client.headers["Authorization"] = f"Bearer {token}"
                _show(f"{who}, line by line", asked.runs, lambda client=client: _by_line(client))
                _show(f"{who}, JSON", asked.runs, lambda client=client: _by_page(client))
        _show("floor: bare SQL", asked.runs, lambda: _floor(server.conninfo(DATABASE)))
    finally:
        server.stop()


def _show(what: str, runs: int, told: Callable[[], int]) -> None:
    rates, rows = [], 0
    for _ in range(runs):
        begun = time.perf_counter()
        rows = told()
        rates.append(rows / (time.perf_counter() - begun))
    print(
        f"{what:24} {rows:10,} rows {statistics.median(rates):10,.0f} rows/s   load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def _by_line(client: TestClient) -> int:
    rows = 0
    with client.stream("GET", "/v1/changes", params={"format": "ndjson"}) as answer:
        for block in answer.iter_bytes():
            rows += block.count(b'"change":')
    return rows


def _by_page(client: TestClient) -> int:
    rows, query = 0, {"limit": "5000"}
    while True:
        found = client.get("/v1/changes", params=query).json()
        rows += len(found["rows"])
        query["since"] = found["cursor"]
        if not found["more"]:
            return rows


def _floor(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection, connection.cursor("floor") as cursor:
        cursor.itersize = 5000
        cursor.execute(FLOOR.encode())
        return sum(1 for _ in cursor)


if __name__ == "__main__":
    main()

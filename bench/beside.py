"""A page over HTTP beside the bare SQL that answers the same question: what `bench.first_pages` measures for every list."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.large_country import DATABASE
from stockpile import tokens
from stockpile.db import roles
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of, transaction

AUDITOR = "SITE-00-0"
"""The person of the large country who asks."""
BARE_SETTINGS = {"search_path": "stockpile", "timezone": "UTC", "jit": "off", "work_mem": "64MB"}
"""Those under which the service adds up."""


@dataclass(frozen=True)
class FirstPage:
    """A list's address with what is asked of it, and the bare SQL of its first page: the same rows, order and totals, asked as the owner past
    row-level security, without names of persons the page asks for one by one, without cursor, filters or orders that are not asked.
    `{weapon}` in either stands for the key of a weapon.
    """

    address: str
    bare: str
    target: float = 2.0


@dataclass(frozen=True)
class Beside:
    """Seconds of a page and of its bare SQL, medians; the ratio is the median of those of each pair."""

    page: float
    bare: float
    ratio: float


def measure(port: int, token: str, server: Server, pages: Iterable[FirstPage], runs: int) -> Iterator[Beside]:
    """Asks page and bare SQL by turns; the first pair, which warms plans and memory, is not counted."""
    with bare_connection(server) as bare:
        weapon = str(bare.execute("SELECT item_id FROM item ORDER BY item_id LIMIT 1").fetchall()[0][0])
        for one in pages:
            address, sql = one.address.replace("{weapon}", weapon), one.bare.replace("{weapon}", weapon)
            pairs = [(_page(port, token, address), _bare(bare, sql)) for _ in range(runs + 1)][1:]
            yield Beside(
                statistics.median(page for page, _ in pairs),
                statistics.median(floor for _, floor in pairs),
                statistics.median(page / floor for page, floor in pairs),
            )


def auditor_token(server: Server) -> str:
    """A token of an auditor of the large country."""
    engine = engine_of(server.url(DATABASE, roles.SERVICE))
    with transaction(engine, roles.REGISTRAR) as connection:
        made = tokens.create_token(connection, "auditor", "bench", party=AUDITOR)
    engine.dispose()
    return made.text


@contextmanager
def bare_connection(server: Server) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection past every rule."""
    options = " ".join(f"-c {name}={value}" for name, value in BARE_SETTINGS.items())
    with psycopg.connect(server.conninfo(DATABASE), autocommit=True, options=options) as connection:
        yield connection


def _page(port: int, token: str, address: str) -> float:
    service = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    begun = time.perf_counter()
    service.request("GET", address, headers={"Authorization": f"Bearer {token}", "Accept": "text/html"})
    answer = service.getresponse()
    text = answer.read()
    taken = time.perf_counter() - begun
    service.close()
    if answer.status != 200:
        raise SystemExit(f"{address}: {answer.status} {text[:500]!r}")
    return taken


def _bare(connection: psycopg.Connection[tuple[Any, ...]], sql: str) -> float:
    begun = time.perf_counter()
    connection.execute(sql, prepare=False).fetchall()
    return time.perf_counter() - begun

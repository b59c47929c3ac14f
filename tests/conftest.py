"""One PostgreSQL for a test worker, one migrated and founded template database, a fresh clone of it for each test that
writes. `country` is a small world made by domain calls: two sites, two donors, a unit with people, some rifles.
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from stockpile.db import embedded, migrate, roles
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of
from tests.world import Country, found_country

TEMPLATE = "template_country"
SMALL = {"max_wal_size": "128MB"}
MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3
"""Bytes: more than the servers and files of some workers take."""


def pytest_configure() -> None:
    """What is temporary is kept in memory where there is room: a database is 400 files, and each story has its own."""
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
        _clear_away(MEMORY)


def pytest_collection_finish() -> None:
    """Half a million objects that stay are not looked through again and again for such as may go."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _has_room(place: Path) -> bool:
    try:
        return shutil.disk_usage(place).free > ROOM and os.access(place, os.W_OK)
    except OSError:
        return False


def _clear_away(place: Path) -> None:
    """What killed tests left of their servers there: nobody holds it any more."""
    for hold in place.glob(f"{embedded.TEMPORARY_PREFIX}*/postgres.hold"):
        with suppress(OSError), hold.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(hold.parent, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Files are stored in a folder of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STOCKPILE_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A throw-away PostgreSQL."""
    with embedded.throw_away(fsync=False, max_connections=60, settings=SMALL) as running:
        with psycopg.connect(running.conninfo(), autocommit=True) as administrator:
            administrator.execute(roles.setup_sql())
        yield running


@dataclass(frozen=True)
class Databases:
    """Makes databases on the test server."""

    server: Server
    numbers: Iterator[int]

    def empty(self) -> str:
        """A new database without the schema."""
        name = f"test_{next(self.numbers)}"
        self.run(roles.database_sql(name))
        return name

    def clone(self, template: str) -> str:
        """A copy of a database."""
        name = f"test_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} OWNER {roles.OWNER} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Takes a database away, with whoever is connected."""
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Runs a statement as the administrator."""
        with psycopg.connect(self.server.conninfo(), autocommit=True) as administrator:
            administrator.execute(statement)

    def ask(self, question: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What the administrator reads of the server."""
        with psycopg.connect(self.server.conninfo(), autocommit=True) as administrator:
            return administrator.execute(question, parameters).fetchall()

    def engine(self, name: str, user: str = roles.SERVICE) -> Engine:
        """An engine on a database, as the service unless said otherwise."""
        return engine_of(self.server.url(name, user))


@pytest.fixture(scope="session")
def databases(server: Server) -> Databases:
    return Databases(server, count(1))


@pytest.fixture(scope="session")
def template(databases: Databases) -> tuple[str, Country]:
    """A migrated database with the small world in it."""
    databases.run(roles.database_sql(TEMPLATE))
    migrate.upgrade(databases.server.url(TEMPLATE, roles.OWNER))
    engine = databases.engine(TEMPLATE)
    country = found_country(engine)
    engine.dispose()
    return TEMPLATE, country


@pytest.fixture
def country(databases: Databases, template: tuple[str, Country]) -> Iterator[Country]:
    """The small world, in a database of the test's own."""
    name = databases.clone(template[0])
    engine = databases.engine(name)
    yield template[1].on(engine)
    engine.dispose()
    databases.drop(name)

"""The ground every benchmark stands on: a throw-away server as safe as a depot's (fsync on), a migrated and founded
database, and the floor's tables: the same columns with primary keys alone.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy import Engine

from stockpile.db import embedded, migrate, roles
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of
from tests.world import Country, found_country

DATABASE = "bench"

FLOOR = """
CREATE SCHEMA floor;
CREATE TABLE floor.document AS SELECT * FROM stockpile.document LIMIT 0;
CREATE TABLE floor.entry AS SELECT * FROM stockpile.entry LIMIT 0;
CREATE TABLE floor.holding AS SELECT * FROM stockpile.holding WHERE serial;
CREATE TABLE floor.book AS SELECT * FROM stockpile.book;
CREATE TABLE floor.item AS SELECT * FROM stockpile.item LIMIT 0;
CREATE TABLE floor.identification AS SELECT * FROM stockpile.identification LIMIT 0;
CREATE TABLE floor.identity AS SELECT * FROM stockpile.identity LIMIT 0;
CREATE TABLE floor.register_line AS SELECT * FROM stockpile.register_line LIMIT 0;
CREATE TABLE floor.unsequenced (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, leaf bytea NOT NULL);
ALTER TABLE floor.register_line ADD PRIMARY KEY (register_id, line);
ALTER TABLE floor.document ADD PRIMARY KEY (document_id);
ALTER TABLE floor.entry ADD PRIMARY KEY (item_id, version);
ALTER TABLE floor.holding ADD PRIMARY KEY (item_id);
ALTER TABLE floor.book ADD PRIMARY KEY (book_id);
ALTER TABLE floor.item ADD PRIMARY KEY (item_id);
ALTER TABLE floor.identification ADD PRIMARY KEY (item_id, version);
ALTER TABLE floor.identity ADD PRIMARY KEY (identity_key, ordinal);
"""


@dataclass(frozen=True)
class Ground:
    """Where a benchmark runs."""

    server: Server
    country: Country
    engine: Engine

    def administrator(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection past every rule, for the floor and for settling the server between runs."""
        return psycopg.connect(self.server.conninfo(DATABASE), autocommit=True)


@contextmanager
def ground(**settings: str) -> Iterator[Ground]:
    """A founded country on a throw-away server, with the floor's tables beside it."""
    with embedded.throw_away(max_connections=60, settings=settings) as server:
        with psycopg.connect(server.conninfo(), autocommit=True) as administrator:
            administrator.execute(roles.setup_sql())
            administrator.execute(roles.database_sql(DATABASE))
        migrate.upgrade(server.url(DATABASE, roles.OWNER))
        engine = engine_of(server.url(DATABASE, roles.SERVICE))
        country = found_country(engine)
        with psycopg.connect(server.conninfo(DATABASE), autocommit=True) as administrator:
            administrator.execute(FLOOR)
            administrator.execute("VACUUM ANALYZE")
        yield Ground(server, country, engine)
        engine.dispose()


def peak_memory() -> float:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

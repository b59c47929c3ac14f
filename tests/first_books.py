"""The books of a country of the first version (tests/first_version), laid into a database as they were."""

from __future__ import annotations

import json
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from stockpile.db import migrate, roles
from stockpile.db.embedded import Server
from stockpile.db.engine import transaction
from stockpile.parties import find_party
from stockpile.rights import Actor
from stockpile.sites import find_site
from tests.api_world import BEARERS
from tests.world import Country

FOLDER = Path(__file__).parent / "first_version"
FIRST = "0001"
COUNTERS = {"item": "tag_number", "unsequenced": "position"}


@cache
def acts() -> list[dict[str, Any]]:
    """Every act asked for: by whom, the path, the request, and the answer that a repeat of it got."""
    return list(json.loads((FOLDER / "acts.json").read_bytes()))


@cache
def told() -> list[dict[str, Any]]:
    """Questions about the books, and what the first version answered."""
    with ZipFile(FOLDER / "books.zip") as packed:
        return list(json.loads(packed.read("told.json")))


@cache
def tables() -> dict[str, tuple[list[str], bytes]]:
    """The columns and the rows of each table, as COPY writes them, in the order of their text."""
    with ZipFile(FOLDER / "books.zip") as packed:
        written = {
            name.removesuffix(".copy"): packed.read(name) for name in packed.namelist() if name.endswith(".copy")
        }
    parted = {table: content.partition(b"\n") for table, content in written.items()}
    return {table: (columns.decode().split(), rows) for table, (columns, _, rows) in parted.items()}


def load(server: Server, database: str) -> None:
    """Makes the first version's schema in an empty database and lays the books into it, past triggers and foreign keys."""
    migrate.upgrade(server.url(database, roles.OWNER), FIRST)
    with psycopg.connect(server.conninfo(database)) as administrator:
        administrator.execute("SET session_replication_role = replica; SET search_path = stockpile")
        for table, (columns, rows) in tables().items():
            administrator.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            question = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _names(columns))
            with administrator.cursor().copy(question) as copied:
                copied.write(rows)
        for table, column in COUNTERS.items():
            administrator.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), (SELECT max({}) FROM {}))").format(
                    table, column, sql.Identifier(column), sql.Identifier(table)
                )
            )


def _names(columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def as_they_are(server: Server, database: str) -> dict[str, bytes]:
    """The rows of the first version's tables and columns now, written like `tables`."""
    found = {}
    with psycopg.connect(server.conninfo(database)) as administrator:
        administrator.execute("SET search_path = stockpile; SET timezone = UTC")
        for table, (columns, _) in tables().items():
            question = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), _names(columns))
            written = BytesIO()
            with administrator.cursor().copy(question) as copied:
                for block in copied:
                    written.write(bytes(block))
            found[table] = b"".join(sorted(written.getvalue().splitlines(keepends=True)))
    return found


def first_country(engine: Engine) -> Country:
    """Who is who in the books."""
    country = Country(engine, {}, {})
    with transaction(engine, roles.REGISTRAR) as connection:
        for code in ("TAJI", "ERBIL"):
            country.sites[code] = find_site(connection, code)
        for kind, codes in (
            ("donor", ("USA", "FRA")),
            ("person", ("R-1", "T-1", "T-2", "C-1", "E-1", "C-2", "A-1001", "A-1002", "A-1003", "A-1004")),
        ):
            for code in codes:
                party = find_party(connection, kind, code)
                assert party is not None, code
                country.parties[code] = party
    for who, bears in BEARERS.items():
        party = country.parties[bears.get("party") or bears["donor"]]
        site = country.sites.get(bears.get("site", ""))
        donor_id = party.party_id if bears["role"] == "donor" else None
        country.actors[who] = Actor(party.party_id, bears["role"], site, donor_id, bears.get("book"))
    return country

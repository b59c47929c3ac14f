"""What row-level security costs a donor: each list that a donor asks, in the donor's database role, against the very same SQL by the owner
of the tables, whom no policy holds, with `donor_id =` written out in its place.

    python -m bench.row_security FOLDER [--weapons 100000] [--runs 15]

Makes the country in FOLDER, unless it is there, and gives it consignments and statements. The owner's SQL reads views that hold nothing but
`WHERE donor_id = ...`, which the planner folds into the question; both answers must be the same. Runs take turns, so that what else the
machine does weighs on both alike. The target is a ratio of at most 1.20. Below stand the same lists as a guest of one consignment
reads them, who has a role of their own, against the owner with that consignment written out.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine

from bench.large_country import DATABASE, make
from stockpile.db import migrate, roles
from stockpile.db.embedded import Server
from stockpile.db.engine import connected, engine_of
from stockpile.donors.statements import list_statements
from stockpile.donors.verifications import read_progress
from stockpile.find import find
from stockpile.reports.consignments import list_consignments
from stockpile.reports.discrepancies import Sought as SoughtDiscrepancies
from stockpile.reports.discrepancies import list_discrepancies
from stockpile.reports.documents import Sought as SoughtDocuments
from stockpile.reports.documents import list_documents
from stockpile.reports.history import history
from stockpile.reports.holdings import Sought, list_weapons
from stockpile.reports.trial_balance import trial_balance
from stockpile.rights import Actor, reading

# A consignment for each supply account, its weapons, and a declaration with its acceptance.
CONSIGNED = """
INSERT INTO consignment (consignment_id, donor_id, reference, site_id, account_id, declared_at)
SELECT gen_random_uuid(), i.donor_id, a.name, a.site_id, a.account_id, min(e.recorded_at)
FROM account a JOIN entry e ON e.to_account = a.account_id AND e.version = 1 JOIN item i ON i.item_id = e.item_id
WHERE a.class = 'supply' GROUP BY i.donor_id, a.account_id;
UPDATE item i SET consignment_id = c.consignment_id
FROM entry e JOIN consignment c ON c.account_id = e.to_account WHERE e.item_id = i.item_id AND e.version = 1;
INSERT INTO donor_statement (donor_id, statement_id, kind, site_id, reference, content, said_by, name_version, digest, recorded_at,
                             content_hash, seed, leaf)
SELECT donor_id, consignment_id, 'declaration', site_id, reference, '{}', donor_id, 1, sha256('a'), declared_at, sha256('b'), sha256('c'),
       '\\x05'::bytea || sha256(uuid_send(consignment_id)) || sha256('d') FROM consignment;
INSERT INTO donor_statement (donor_id, statement_id, kind, site_id, reference, answers, content, said_by, name_version, digest, recorded_at,
                             content_hash, seed, leaf)
SELECT donor_id, gen_random_uuid(), 'accepted', site_id, reference, consignment_id, '{}', donor_id, 1, sha256('a'), declared_at, sha256('b'),
       sha256('c'), '\\x05'::bytea || sha256(uuid_send(consignment_id)) || sha256('e') FROM consignment;
VACUUM (FULL, ANALYZE) item;
ANALYZE consignment;
ANALYZE donor_statement
"""

OF_ITEMS = ("entry", "holding", "identification", "discrepancy")
OF_DONOR = (*OF_ITEMS, "item", "consignment", "donor_statement")


@dataclass(frozen=True)
class Asked:
    """A list: what it is called, and how it is asked."""

    name: str
    ask: Callable[[Connection, Actor], Any]


@dataclass
class Measured:
    """The milliseconds of each run, on either side."""

    secured: list[float] = field(default_factory=list)
    written_out: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """What the policies cost: of the medians."""
        return statistics.median(self.secured) / statistics.median(self.written_out)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weapons", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--only", default="", help="lists whose name begins so")
    asked = parser.parse_args()
    server = make(asked.folder, asked.weapons)
    try:
        migrate.upgrade(server.url(DATABASE, roles.OWNER))
        _consign(server)
        service, owner = (engine_of(server.url(DATABASE, role)) for role in (roles.SERVICE, roles.OWNER))
        donor = _donor(owner)
        consignment, reference, item = _one_consignment(owner, donor)
        lists = [one for one in _lists(reference, item) if one.name.startswith(asked.only)]
        print(f"{'':34}{'donor':>10} {'owner':>10}  ratio")
        with _written_out(server, _views(OF_DONOR, donor)):
            _measure(service, owner, donor, lists, asked.runs)
        guest = replace(donor, consignments=(consignment,))
        print(f"{'':34}{'guest':>10} {'owner':>10}  ratio")
        with _written_out(server, _views(OF_DONOR, donor, consignment)):
            _measure(service, owner, guest, lists, asked.runs)
    finally:
        server.stop()


def _consign(server: Server) -> None:
    with psycopg.connect(server.conninfo(DATABASE), autocommit=True) as connection:
        connection.execute("SET search_path = stockpile; SET session_replication_role = replica")
        if connection.execute("SELECT 1 FROM consignment LIMIT 1").fetchone() is None:
            for statement in CONSIGNED.split(";\n"):
                connection.execute(statement.encode())


def _donor(owner: Engine) -> Actor:
    with connected(owner) as connection:
        donor: UUID = connection.exec_driver_sql(
            "SELECT party_id FROM party WHERE kind = 'donor' AND code = 'USA'"
        ).scalar_one()
    return Actor(donor, "donor", donor_id=donor)


def _one_consignment(owner: Engine, donor: Actor) -> tuple[UUID, str, UUID]:
    with connected(owner) as connection:
        found = connection.exec_driver_sql(
            """SELECT c.consignment_id, c.reference, i.item_id FROM consignment c JOIN item i USING (consignment_id)
               WHERE c.donor_id = %s ORDER BY c.reference, i.item_id LIMIT 1""",
            (donor.donor_id,),
        ).one()
    return found[0], found[1], found[2]


def _lists(reference: str, item: UUID) -> list[Asked]:
    return [
        Asked("weapons, first page", lambda c, a: list_weapons(c, a, Sought())),
        Asked("weapons by a part of the number", lambda c, a: list_weapons(c, a, Sought(text="KT 1"))),
        Asked("history of a weapon", lambda c, a: history(c, a, item)),
        Asked("progress of a consignment", lambda c, a: read_progress(c, a, "USA", reference)),
        Asked("statements", lambda c, a: list_statements(c, a)),
        Asked("documents", lambda c, a: list_documents(c, a, SoughtDocuments())),
        Asked("discrepancies", lambda c, a: list_discrepancies(c, a, SoughtDiscrepancies())),
        Asked("consignments", lambda c, a: list_consignments(c, a)),
        Asked("trial balance", lambda c, a: trial_balance(c, a)),
        Asked("find a serial number", lambda c, a: find(c, a, "KT 1234*")),
    ]


def _views(tables: tuple[str, ...], donor: Actor, consignment: UUID | None = None) -> Mapping[str, str]:
    """What stands in the place of each table for the owner: the donor, or the consignment too, written out."""
    own = f"donor_id = '{donor.donor_id}'"
    wheres = dict.fromkeys(tables, own)
    if consignment is not None:
        named = f"consignment_id = '{consignment}'"
        of_it = f"item_id IN (SELECT i.item_id FROM stockpile.item i WHERE i.{named})"
        wheres |= {table: f"{own} AND {of_it}" for table in OF_ITEMS}
        wheres |= {table: f"{own} AND {named}" for table in ("item", "consignment")}
        of_reference = f"reference = (SELECT c.reference FROM stockpile.consignment c WHERE c.{named})"
        wheres["donor_statement"] = f"{own} AND site_id IS NOT NULL AND {of_reference}"
    own_entries = f"SELECT FROM stockpile.entry e WHERE e.document_id = document.document_id AND e.{wheres['entry']}"
    wheres["document"] = f"EXISTS ({own_entries})"
    return wheres


@contextmanager
def _written_out(server: Server, wheres: Mapping[str, str]) -> Iterator[None]:
    """Views in a schema of their own, for as long as is measured."""
    with psycopg.connect(server.conninfo(DATABASE), autocommit=True) as connection:
        connection.execute(
            f"DROP SCHEMA IF EXISTS plain CASCADE; CREATE SCHEMA plain AUTHORIZATION {roles.OWNER}".encode()
        )
        connection.execute(f"SET ROLE {roles.OWNER}".encode())
        for table, where in wheres.items():
            connection.execute(f"CREATE VIEW plain.{table} AS SELECT * FROM stockpile.{table} WHERE {where}".encode())
        yield
        connection.execute("DROP SCHEMA plain CASCADE")


@contextmanager
def _as_owner(owner: Engine) -> Iterator[Connection]:
    """The owner, who meets the views before the tables."""
    with connected(owner) as connection:
        connection.exec_driver_sql("SELECT set_config('search_path', 'plain, stockpile', true)")
        yield connection


def _measure(service: Engine, owner: Engine, actor: Actor, lists: list[Asked], runs: int) -> None:
    for one in lists:
        measured, answers = Measured(), list[Any]()
        for run in range(runs + 2):
            for kept, begin in (
                (measured.secured, partial(reading, service, actor)),
                (measured.written_out, partial(_as_owner, owner)),
            ):
                with begin() as connection:
                    started = time.perf_counter()
                    answers.append(one.ask(connection, actor))
                    if run >= 2:
                        kept.append((time.perf_counter() - started) * 1000)
        secured, written_out = (statistics.median(of) for of in (measured.secured, measured.written_out))
        same = "" if answers[0] == answers[1] else "  NOT THE SAME ANSWER"
        print(f"{one.name:34}{secured:7.1f} ms {written_out:7.1f} ms  {measured.ratio:5.2f}{same}", flush=True)


if __name__ == "__main__":
    main()

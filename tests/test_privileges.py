"""What the database itself refuses, whoever asks: changing the past, writing past the rules of the ledger, reading
beyond one's scope. The statements here go around the program on purpose, as a stolen password or a hurried repair
would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from stockpile.acts.change_custodian import CHANGE_CUSTODIAN
from stockpile.acts.correct import UNDO
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.reject import REJECT
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.db import migrate, roles
from stockpile.db.engine import connected, engine_of, transaction
from stockpile.documents import now
from stockpile.keys import new_key
from stockpile.pins import register_badge
from stockpile.registers.seals import SealContainer, seal_container
from stockpile.rights import reading
from stockpile.sites import OUTSIDE
from stockpile.tokens import create_token, revoke_token
from tests.counts import opened, read
from tests.lists_kept import kept
from tests.signing_in import add_pins, add_users, browser, enrolled
from tests.world import RIFLES, Country, ago, paper, scanned_paper, scans

APPEND_ONLY = (
    "document", "entry", "item", "identification", "identity", "signatory", "register", "register_line", "shipment",
    "carrier_hand_over", "device_contact", "device_reject", "note", "erasure", "erased_file", "register_erasure", "count_counter",
    "count_account", "count_item", "count_batch", "count_line", "count_finding", "seal_line", "allowance", "signature",
    "donor_statement", "donor_file", "visit_line",
    "audit_judgement", "tracing", "tracing_weapon", "tracing_step", "case_file", "case_part",
    "guest_consignment", "guest_reading",
    "alert", "alert_mail", "alert_mailed", "alert_mail_step",
)  # fmt: skip
CHANGES = ("UPDATE", "DELETE", "TRUNCATE")
ROW_LEVEL = "row-level security"
DENIED = "permission denied"


def change(how: str, table: str, column: str) -> str:
    """A statement that would change the past."""
    return {
        "UPDATE": f"UPDATE {table} SET {column} = DEFAULT",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[how]


def refusal(connection: Connection, attempt: Callable[[], object]) -> str:
    """The constraint that refused an attempt, else the database's words; nothing of it stays."""
    try:
        with connection.begin_nested() as tried:
            attempt()
            tried.rollback()
    except DBAPIError as problem:
        told = getattr(problem.orig, "diag", None)
        return (told and (told.constraint_name or told.message_primary)) or str(problem)
    return "it was accepted"


def answer_to(connection: Connection, statement: str) -> str:
    """What refuses a statement."""
    return refusal(connection, lambda: connection.exec_driver_sql(statement))


def first_columns(country: Country) -> dict[str, str]:
    """Each table of the schema with the name of its first column."""
    return dict(
        country.owner_query(
            """SELECT quote_ident(c.relname), a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
               WHERE c.relnamespace = 'stockpile'::regnamespace AND c.relkind = 'r'"""
        )
    )


@contextmanager
def standing_as(country: Country, role: str) -> Iterator[Connection]:
    """A transaction in a role of the database, with a site and a donor; as the service itself, before it takes one."""
    if role == roles.SERVICE:
        with connected(country.engine) as connection:
            yield connection
        return
    site, donor = country.sites["TAJI"].site_id, country.parties["USA"].party_id
    with transaction(country.engine, role, site, donor) as connection:
        yield connection


@pytest.mark.parametrize("role", [roles.SERVICE, *roles.TAKEN])
def test_no_role_of_the_service_can_change_the_past(country: Country, role: str) -> None:
    """Ledger, documents and what stands on them: who writes them may add and read, nothing else; holdings are nobody's
    to write.
    """
    columns, seen = first_columns(country), {}
    with standing_as(country, role) as connection:
        for table in (*APPEND_ONLY, "holding"):
            for how in CHANGES:
                statement = change(how, table, columns[table])
                seen[statement] = answer_to(connection, statement)
        seen["INSERT"] = answer_to(connection, "INSERT INTO holding DEFAULT VALUES")
    assert {statement: why for statement, why in seen.items() if DENIED not in why} == {}


@pytest.mark.parametrize("how", CHANGES)
def test_not_even_the_owner_of_the_tables_changes_the_past(country: Country, how: str) -> None:
    """The owner has every privilege; a trigger says no by the table's name."""
    columns = first_columns(country)
    url = country.engine.url.set(drivername="postgresql", username=roles.OWNER)
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        for table in APPEND_ONLY:
            with pytest.raises(psycopg.Error) as problem, connection.transaction():
                connection.execute(change(how, f"stockpile.{table}", columns[table]))
            assert problem.value.diag.constraint_name == f"{table}_append_only"


@pytest.mark.parametrize("column", ["cells", "rejected", "doubts"])
def test_lines_of_a_register_lose_nothing_but_by_an_erasure(country: Country, column: str) -> None:
    """The owner, who has every privilege, is refused too while no erasure is being recorded."""
    url = country.engine.url.set(drivername="postgresql", username=roles.OWNER)
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        with pytest.raises(psycopg.Error) as problem:
            connection.execute(f"UPDATE stockpile.register_line SET {column} = DEFAULT".encode())
        assert problem.value.diag.constraint_name == "register_line_append_only"


def test_nobody_adds_a_note_to_another_site_s_document(country: Country) -> None:
    """ERBIL's role knows no document of TAJI: not under its own name, and not under TAJI's."""
    posted = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    taji, erbil = (country.sites[code].site_id for code in ("TAJI", "ERBIL"))
    columns = "note_id, site_id, document_id, kind, text, written_by, name_version, digest, recorded_at, content_hash, seed, leaf"
    seen = {}
    with transaction(country.engine, roles.POSTER, erbil) as connection:
        for site in (taji, erbil):
            forged = (new_key(), site, posted.document_id, country.actors["erbil clerk"].party_id)
            seen[site] = refusal(
                connection,
                lambda forged=forged: connection.exec_driver_sql(  # type: ignore[misc]
                    f"""INSERT INTO note ({columns}) VALUES (%s, %s, %s, 'remark', 'forged', %s, 1, sha256('a'), now(), sha256('b'),
                                                             sha256('c'), '\\x05'::bytea || sha256('d') || sha256('e'))""",
                    forged,
                ),
            )
    assert {site: why for site, why in seen.items() if ROW_LEVEL not in why} == {}


def test_an_order_of_erasure_once_settled_stays_so(country: Country) -> None:
    """The registrar's role can't take a settled order up again, nor settle one by the person who asked."""
    clerk, registrar = country.actors["clerk"].party_id, country.actors["registrar"].party_id
    with transaction(country.engine, roles.REGISTRAR) as connection:
        for key, outcome in ((new_key(), "rejected"), (new_key(), None)):
            connection.exec_driver_sql(
                """INSERT INTO erasure_order (erasure_id, party_id, order_reference, reason, redact, files, content_hash, asked_by,
                                              asked_at, settled_at, settled_by, outcome)
                   VALUES (%s, %s, 'x', 'x', '[]', '[]', sha256('a'), %s, now(), %s, %s, %s)""",
                (key, clerk, registrar, now() if outcome else None, registrar if outcome else None, outcome),
            )
        again = "UPDATE erasure_order SET outcome = 'withdrawn' WHERE outcome = 'rejected' RETURNING erasure_id"
        assert connection.exec_driver_sql(again).all() == []
        alone = f"UPDATE erasure_order SET outcome = 'approved', settled_at = now(), settled_by = '{registrar}'"
        assert answer_to(connection, alone) == "erasure_order_two_people"
        assert DENIED in answer_to(connection, "UPDATE erasure_order SET party_id = party_id")


@contextmanager
def fresh_database(country: Country) -> Iterator[Engine]:
    """A new database with the schema and nothing in it: a copy of another has not the privileges on the whole."""
    url, name = country.engine.url, f"fresh_{new_key().hex}"
    administrator = url.set(drivername="postgresql", username="postgres").render_as_string()
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(roles.database_sql(name).encode())
    engine = engine_of(url.set(database=name).render_as_string())
    try:
        migrate.upgrade(url.set(database=name, username=roles.OWNER).render_as_string())
        yield engine
    finally:
        engine.dispose()
        with psycopg.connect(administrator, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@dataclass(frozen=True)
class Forger:
    """Writes rows by hand, each a copy of an honest one with some columns changed."""

    connection: Connection
    country: Country
    honest: UUID
    """An issue of one weapon: what forged documents are copied from."""

    def account(self, name: str) -> UUID:
        found: UUID = self.ask(
            "SELECT account_id FROM account WHERE name = %s AND site_id = %s", name, self.site("TAJI")
        )
        return found

    def site(self, code: str) -> UUID:
        return self.country.sites[code].site_id

    def item(self, serial: str) -> UUID:
        found: UUID = self.ask("SELECT item_id FROM identification WHERE serial_number = %s", serial)
        return found

    def ask(self, question: str, *parameters: object) -> Any:
        return self.connection.exec_driver_sql(question, parameters).scalar_one()

    def next_number(self) -> int:
        number: int = self.ask(
            "SELECT max(d.number) + 1 FROM document d JOIN document known USING (book_id) WHERE known.document_id = %s",
            self.honest,
        )
        return number

    def copy(self, table: str, condition: str, parameters: tuple[object, ...], changed: dict[str, object]) -> None:
        """Inserts a copy of a row with some columns changed; an entry says of its accounts where they are."""
        for end in ("from", "to"):
            if table == "entry" and f"{end}_account" in changed:
                place = "SELECT coalesce((SELECT class_and_site FROM account WHERE account_id = %s), 0)"
                changed = {f"{end}_class_and_site": self.ask(place, changed[f"{end}_account"]), **changed}
        columns = [
            row[0]
            for row in self.country.owner_query(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'stockpile' "
                "AND table_name = %s AND is_generated = 'NEVER' AND is_identity = 'NO'",
                table,
            )
        ]
        chosen = ", ".join("%s" if column in changed else column for column in columns)
        self.connection.exec_driver_sql(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table} WHERE {condition}",
            (*(changed[column] for column in columns if column in changed), *parameters),
        )

    def document(self, **changed: object) -> UUID:
        """A document in the honest one's book under the next number."""
        document_id = new_key()
        moment = now()
        told = {
            "document_id": document_id, "number": self.next_number(), "happened_at": moment, "recorded_at": moment,
        }  # fmt: skip
        self.copy("document", "document_id = %s", (self.honest,), {**told, **changed})
        return document_id

    def entry(self, item: UUID, of_version: int, **changed: object) -> None:
        """An entry under a forged document of its own."""
        quantity = changed.get("quantity", 1)
        moment = changed.pop("document_time", None) or now()
        document_id = self.document(happened_at=moment, recorded_at=moment, quantity=quantity or 1)
        told = {
            "document_id": document_id, "line": 1, "recorded_at": moment, "happened_at": moment, "quantity": quantity,
        }  # fmt: skip
        self.copy("entry", "item_id = %s AND version = %s", (item, of_version), {**told, **changed})


@contextmanager
def forger(country: Country) -> Iterator[Forger]:
    """A forger with the clerk's role at TAJI."""
    honest = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    with transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection:
        yield Forger(connection, country, honest.document_id)


def judged(forging: Forger, attempts: dict[str, tuple[str, Callable[[], object]]]) -> dict[str, str]:
    """The attempts that something else than the expected constraint refused, or nothing."""
    seen = {what: refusal(forging.connection, attempt) for what, (_, attempt) in attempts.items()}
    return {what: why for what, why in seen.items() if attempts[what][0] not in why}


def test_entries_that_break_the_chain_of_custody_are_refused(country: Country) -> None:
    """Gaps, jumps, thin air, two of one weapon, somebody else's weapon, more than there is: each by its own name."""
    with forger(country) as forging:
        store, petrov = forging.account("Main store"), forging.account("Private Petrov (A-1001)")
        missing, rifle = forging.account("missing"), forging.item(RIFLES[2])
        helmets = country.helmets().item_id
        fresh = new_key()
        forging.copy("item", "item_id = %s", (rifle,), {"item_id": fresh})
        onward = {"version": 2, "from_account": store, "to_account": petrov}
        france = country.parties["FRA"].party_id
        forged = forging.entry
        wrong = judged(
            forging,
            {
                "a gap in a weapon's versions": ("entry_no_gap", lambda: forged(rifle, 1, **onward | {"version": 3})),
                "a gap in a quantity's": ("entry_no_gap", lambda: forged(helmets, 1, version=9)),
                "the same version again": ("entry_pkey", lambda: forged(rifle, 1)),
                "not from where it is": ("entry_chain", lambda: forged(rifle, 1, **onward | {"from_account": missing})),
                "out of thin air": (
                    "entry_begins_where_held",
                    lambda: forged(rifle, 1, **onward | {"item_id": fresh, "version": 1}),
                ),
                "two of one weapon": ("entry_one_weapon", lambda: forged(rifle, 1, quantity=2, **onward)),
                "none of them": ("entry_quantity", lambda: forged(helmets, 1, quantity=0, **onward)),
                "another donor's name on it": ("entry_item", lambda: forged(rifle, 1, donor_id=france, **onward)),
                "a weapon nobody knows": ("entry_item", lambda: forged(rifle, 1, item_id=new_key(), version=1)),
                "an account nobody keeps": (
                    "entry_account",
                    lambda: forged(rifle, 1, **onward | {"to_account": new_key()}),
                ),
                "an account of another class": (
                    "entry_account",
                    lambda: forged(rifle, 1, to_class_and_site=0, **onward),
                ),
                "an account at another site": (
                    "entry_account",
                    lambda: forged(rifle, 1, from_class_and_site=0, **onward),
                ),
                "more helmets than there are": (
                    "holding_not_negative",
                    lambda: forged(helmets, 1, quantity=101, **onward),
                ),
            },
        )
    assert wrong == {}


def test_entries_out_of_order_are_refused(country: Country) -> None:
    """A weapon's entries go back on neither clock."""
    with forger(country) as forging:
        store, petrov = forging.account("Main store"), forging.account("Private Petrov (A-1001)")
        rifle, before = forging.item(RIFLES[2]), now() - timedelta(days=1)
        onward = {"version": 2, "from_account": store, "to_account": petrov}
        wrong = judged(
            forging,
            {
                "happened before the last one": (
                    "entry_happened_in_order",
                    lambda: forging.entry(rifle, 1, happened_at=before, **onward),
                ),
                "recorded before the last one": (
                    "entry_recorded_in_order",
                    lambda: forging.entry(rifle, 1, document_time=before, **onward),
                ),
                "recorded when its document was not": (
                    "entry_document",
                    lambda: forging.entry(rifle, 1, recorded_at=now() + timedelta(seconds=1), **onward),
                ),
            },
        )
    assert wrong == {}


def test_forged_reversals_are_refused(country: Country) -> None:
    """A reversal mirrors the last live entry, once; what is posted again was reversed before."""
    issued = [country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[n])) for n in (3, 4)]
    country.do("clerk", UNDO, document=issued[1].document_id)
    country.do("clerk", RETURN, store="Main store", lines=scans(RIFLES[3]))
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[3]))
    with forger(country) as forging:
        store, petrov = forging.account("Main store"), forging.account("Private Petrov (A-1001)")
        untouched, cycled, undone = (forging.item(RIFLES[n]) for n in (2, 3, 4))

        def happened(item: UUID, version: int) -> datetime:
            found: datetime = forging.ask(
                "SELECT happened_at FROM entry WHERE item_id = %s AND version = %s", item, version
            )
            return found

        back = {"from_account": petrov, "to_account": store}
        wrong = judged(
            forging,
            {
                "reversed twice": (
                    "entry_reversed_once",
                    lambda: forging.entry(
                        undone, 2, version=4, reverses=2, happened_at=happened(undone, 2), **back
                    ),
                ),
                "not the last live entry": (
                    "entry_reverses_last",
                    lambda: forging.entry(
                        cycled, 2, version=5, reverses=2, happened_at=happened(cycled, 2), **back
                    ),
                ),
                "a date of its own": (
                    "entry_reversal_mirrors",
                    lambda: forging.entry(
                        untouched, 1, version=2, reverses=1, from_account=store, to_account=OUTSIDE.account_id
                    ),
                ),
                "to somewhere else": (
                    "entry_reversal_mirrors",
                    lambda: forging.entry(
                        cycled, 4, version=5, reverses=4, happened_at=happened(cycled, 4), from_account=petrov,
                        to_account=forging.account("missing"),
                    ),
                ),
                "again what was never reversed": (
                    "entry_reversal_mirrors",
                    lambda: forging.entry(
                        cycled, 4, version=5, posts_again=4, happened_at=happened(cycled, 4), from_account=petrov,
                    ),
                ),
            },
        )  # fmt: skip
    assert wrong == {}


def test_forged_documents_are_refused(country: Country) -> None:
    """Numbers without gaps, in a book of one's own site; two people where two are needed; all the lines it says."""
    with forger(country) as forging:
        clerk, erbil = country.actors["clerk"].party_id, forging.site("ERBIL")
        rifle, store = forging.item(RIFLES[2]), forging.account("Main store")
        erbils_book = new_key()
        url = country.engine.url.set(drivername="postgresql", username=roles.OWNER)
        with psycopg.connect(url.render_as_string(hide_password=False)) as owner:
            owner.execute(
                "INSERT INTO stockpile.book (book_id, site_id, code, year, kind, holder) "
                "VALUES (%s, %s, 'Z', 2026, 'counter', 'Z')",
                (erbils_book, erbil),
            )
        forged = forging.document

        def without_lines() -> None:
            forged()
            forging.connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")

        def a_line_more() -> None:
            """A second line for the receipt that brought the rifle."""
            forging.copy(
                "entry", "item_id = %s AND version = 1", (rifle,),
                {"version": 2, "line": 99, "from_account": store, "to_account": store},
            )  # fmt: skip

        wrong = judged(
            forging,
            {
                "the same number twice": ("document_number", lambda: forged(number=1)),
                "a gap in a book": ("document_no_gap", lambda: forged(number=forging.next_number() + 5)),
                "approver = poster": ("document_approver_is_another", lambda: forged(approved_by=clerk)),
                "a destruction by one person": ("document_two_people", lambda: forged(act="destroy")),
                "a loss concluded by one": ("document_two_people", lambda: forged(act="conclude loss")),
                "an undo that is no correction": ("document_undo_corrects", lambda: forged(undo=True)),
                "from the future": (
                    "document_not_in_future",
                    lambda: forged(happened_at=now() + timedelta(minutes=1)),
                ),
                "a void with lines": ("document_void_is_empty", lambda: forged(act="void")),
                "for another site": (ROW_LEVEL, lambda: forged(site_id=erbil, book_id=erbils_book, number=1)),
                "in another site's book": ("document_book", lambda: forged(book_id=erbils_book, number=1)),
                "an entry for another site": (
                    ROW_LEVEL,
                    lambda: forging.entry(rifle, 1, version=2, from_account=store, to_account=store, site_id=erbil),
                ),
                "without its lines": ("document_complete", without_lines),
                "a line added afterwards": ("entry_document_whole", a_line_more),
                "a gap in what a weapon is known as": (
                    "identification_no_gap",
                    lambda: forging.copy("identification", "item_id = %s", (rifle,), {"version": 3}),
                ),
                "a twin without the one before": (
                    "identity_no_gap",
                    lambda: forging.copy("identity", "item_id = %s", (rifle,), {"ordinal": 3}),
                ),
            },
        )
    assert wrong == {}


def test_before_it_takes_a_role_the_service_reads_nothing(country: Country) -> None:
    """A question asked outside of a role fails, whatever the table."""
    seen = {}
    with connected(country.engine) as connection:
        for table in first_columns(country):
            seen[table] = answer_to(connection, f"SELECT 1 FROM {table}")
    assert len(seen) > 20
    assert {table: why for table, why in seen.items() if DENIED not in why} == {}


def counted(connection: Connection, questions: dict[str, str]) -> dict[str, int]:
    """How many rows each question finds."""
    return {
        name: connection.exec_driver_sql(f"SELECT count(*) FROM {of}").scalar_one() for name, of in questions.items()
    }


def test_a_clerk_of_erbil_sees_nothing_of_tajis(country: Country) -> None:
    """TAJI's documents, entries, holdings, drafts, discrepancies and people are not in ERBIL's lists; ERBIL can still
    ask where one weapon is, and the soldier who has it stays unnamed.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    country.do(
        "clerk",
        RECEIVE,
        store="Main store",
        lines=[{"model": "AKM", "serial_number": RIFLES[1], "condition": "serviceable"}],
    )
    country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans(RIFLES[2]))
    country.ask("clerk", CONCLUDE_LOSS, cause="lost", liability="nobody", findings="none", lines=scans(RIFLES[2]))
    questions = {
        "documents": "document", "entries": "entry", "holdings": "holding", "signatories": "signatory",
        "drafts": "draft", "discrepancies": "discrepancy", "books": "book",
        "people of TAJI": "party WHERE code LIKE 'A-%%'",
        "accounts of people": "account WHERE class = 'person' AND name LIKE '%%A-1%%'",
    }  # fmt: skip
    at_site = {}
    for code, site in country.sites.items():
        with transaction(country.engine, roles.POSTER, site.site_id) as connection:
            at_site[code] = counted(connection, questions)
    assert min(at_site["TAJI"].values()) > 0
    assert set(at_site["ERBIL"].values()) == {0}
    assert country.where(RIFLES[0], "TAJI") == "Private Petrov (A-1001)"
    assert country.where(RIFLES[0], "ERBIL") == "a person of TAJI"


def test_a_shipment_is_told_by_its_sender_and_seen_at_both_ends(country: Country) -> None:
    """ERBIL can't write that TAJI sent something; who stands at neither end sees no shipment and tells of no hand-over."""
    order = country.do(
        "clerk", SHIP, to_site="ERBIL", carrier="2nd Transport", expected_on="2099-12-31", lines=scans(RIFLES[0])
    )
    sent = f"""INSERT INTO shipment (document_id, number, from_site, to_site, transit_account, carrier, expected_on, shipped_at)
               SELECT '{new_key()}', number, from_site, to_site, transit_account, carrier, expected_on, shipped_at FROM shipment"""
    handed = f"""INSERT INTO carrier_hand_over (document_id, ordinal, handed_over_by, carrier, place, happened_at, recorded_at, recorded_by)
                 VALUES ('{order.document_id}', 1, 'a', 'b', 'c', now(), now(), '{country.parties["E-1"].party_id}')"""
    seen = {}
    for code in ("TAJI", "ERBIL", None):
        with transaction(country.engine, roles.POSTER, country.sites[code].site_id if code else None) as connection:
            shipments = counted(connection, {"shipments": "shipment"})["shipments"]
            seen[code] = (
                shipments,
                ROW_LEVEL in answer_to(connection, sent),
                ROW_LEVEL in answer_to(connection, handed),
            )
    # TAJI's own forgery is no document. Who sees no shipment copies none.
    assert seen == {"TAJI": (1, True, False), "ERBIL": (1, True, False), None: (0, False, True)}
    with transaction(country.engine, roles.DONOR, donor_id=country.parties["USA"].party_id) as connection:
        for question in (
            f"shipment_lines(ARRAY['{order.document_id}'::uuid])",
            "shipments_under_way()",
            f"consignments_of(ARRAY['{new_key()}'::uuid])",
            f"withdraw_excess('{order.document_id}')",
            f"least_held(ARRAY['{new_key()}'::uuid], ARRAY['{new_key()}'::uuid], now())",
            f"came_after(ARRAY['{new_key()}'::uuid], now())",
        ):
            assert DENIED in answer_to(connection, f"SELECT * FROM {question}")


def test_nobody_makes_a_shipment_of_what_is_none(country: Country) -> None:
    """ERBIL can't read TAJI's hand receipt by a shipment row of its own, nor take the key of TAJI's order, nor give an order of
    its own another's number, nor make a shipment of another document of its own.
    """
    issued = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    erbil, taji = country.sites["ERBIL"].site_id, country.sites["TAJI"].site_id
    received = country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    way = {"to_site": "TAJI", "carrier": "2nd Transport", "expected_on": "2099-12-31"}
    own = country.do("erbil clerk", SHIP, **way, lines=scans("E 1"))
    forged = """INSERT INTO shipment (document_id, number, from_site, to_site, transit_account, carrier, expected_on, shipped_at)
                SELECT '{}', '{}', '{}', '{}', account_id, 'x', now(), now() FROM account WHERE class = 'transit' LIMIT 1"""
    for document_id, number in (
        (issued.document_id, issued.number),
        (received.document_id, received.number),
        (own.document_id, issued.number),
    ):
        with transaction(country.engine, roles.POSTER, erbil) as connection:
            assert ROW_LEVEL in answer_to(connection, forged.format(document_id, number, erbil, taji))
    assert country.query("SELECT document_id FROM shipment") == [(own.document_id,)]


def test_a_donor_reads_why_its_own_weapons_were_rejected(country: Country) -> None:
    """The USA one reason; France, which knows the weapon's key, none. Of the sites TAJI, which rejected it, and no other."""
    lines = [{"model": "M4", "serial_number": "US 1"}]
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", lines=lines)
    country.do("clerk", REJECT, reason="Receivers cracked", lines=scans("US 1"))
    question = {"reasons": f"rejections(ARRAY['{country.item('US 1').item_id}'::uuid])"}
    seen = {}
    for donor in ("USA", "FRA"):
        with transaction(country.engine, roles.DONOR, donor_id=country.parties[donor].party_id) as connection:
            seen[donor] = counted(connection, question)["reasons"]
    for code, site in country.sites.items():
        with transaction(country.engine, roles.POSTER, site.site_id) as connection:
            seen[code] = counted(connection, question)["reasons"]
    assert seen == {"USA": 1, "FRA": 0, "TAJI": 1, "ERBIL": 0}


def test_a_site_does_not_learn_which_documents_of_another_name_a_file(country: Country) -> None:
    """ERBIL has the same scan as TAJI's paper: of TAJI's document it hears nothing, the registrar of both."""
    for who, number in (("clerk", 1), ("erbil clerk", 2)):
        line = {"model": "AKM", "serial_number": f"P {number}"}
        country.do(who, RECEIVE, store="Main store", lines=[line], paper=paper(number, ago()))
    question = {"documents": f"documents_of_file('{scanned_paper()}')"}
    seen = {}
    for role, code in ((roles.POSTER, "TAJI"), (roles.POSTER, "ERBIL"), (roles.REGISTRAR, None)):
        with transaction(country.engine, role, country.sites[code].site_id if code else None) as connection:
            seen[code] = counted(connection, question)["documents"]
    assert seen == {"TAJI": 1, "ERBIL": 1, None: 2}


def test_what_units_may_have_is_written_by_registrars_and_read_where_they_serve(country: Country) -> None:
    """TAJI reads what its company may have, ERBIL does not; neither says so, and nobody says it of a list that is not there."""
    register = kept(country, "allowance")
    added = f"""INSERT INTO allowance (register_id, unit_id, model_id, quantity, since, recorded_at)
                SELECT '{register}', p.party_id, m.model_id, 5, '2026-01-01', now() FROM party p, model m
                WHERE p.code = '1COY' AND m.name = 'AKM'"""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        assert answer_to(connection, added.replace(str(register), str(new_key()))) == "allowance_register_id_fkey"
        connection.exec_driver_sql(added)
    for code, seen in (("TAJI", 1), ("ERBIL", 0), (None, 0)):
        with transaction(country.engine, roles.POSTER, country.sites[code].site_id if code else None) as connection:
            assert counted(connection, {"allowances": "allowance"}) == {"allowances": seen}
            assert DENIED in answer_to(connection, added)


def test_inspections_and_last_sightings_are_told_of_one_s_own(country: Country) -> None:
    """The USA learns when its M4 was inspected, by a list that it may not read, and when it was last seen; France and who only
    sequences the log learn neither. TAJI's report tells ERBIL nothing; of inspections every desk hears, for weapons move.
    """
    lines = [{"model": "M4", "serial_number": "US 1", "condition": "serviceable"}]
    country.do("clerk", RECEIVE, store="Main store", donor="USA", lines=lines)
    item = country.item("US 1").item_id
    kept(country, "inspection", {"model": "M4", "serial_number": "US 1"}, site="TAJI")
    gone = {"place": "the range", "circumstances": "gone", "last_seen_at": ago(days=3)}
    report = country.do("clerk", REPORT_MISSING, **gone, lines=scans("US 1"))
    questions = {
        "inspections": f"inspections_of(ARRAY['{item}'::uuid], 'infinity')",
        "last seen": f"last_seen(ARRAY['{report.document_id}'::uuid])",
    }
    seen: dict[str, tuple[int, ...]] = {}
    for donor in ("USA", "FRA"):
        with transaction(country.engine, roles.DONOR, donor_id=country.parties[donor].party_id) as connection:
            seen[donor] = tuple(counted(connection, questions).values())
    for code, site in country.sites.items():
        with transaction(country.engine, roles.POSTER, site.site_id) as connection:
            seen[code] = tuple(counted(connection, questions).values())
    assert seen == {"USA": (1, 1), "FRA": (0, 0), "TAJI": (1, 1), "ERBIL": (1, 0)}
    for role in (roles.SERVICE, roles.SEQUENCER):
        with standing_as(country, role) as connection:
            for question in questions.values():
                assert DENIED in answer_to(connection, f"SELECT * FROM {question}")


def test_a_clerk_who_stands_at_no_site_sees_nothing(country: Country) -> None:
    """The poster's role without a site: no list has a row."""
    with transaction(country.engine, roles.POSTER) as connection:
        seen = counted(connection, {name: name for name in ("document", "entry", "holding", "signatory", "book")})
    assert set(seen.values()) == {0}


def test_a_donor_sees_its_own_weapons_and_nobodys_name(country: Country) -> None:
    """Of the ten rifles of own procurement and the USA's two M4, the USA sees the two and the documents that moved
    them; France sees nothing. Who posted, received or lost them no donor reads.
    """
    lines = [{"model": "M4", "serial_number": f"US {n}", "condition": "serviceable"} for n in (1, 2)]
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", lines=lines)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("US 1", RIFLES[0]))
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[1]))
    questions = {name: name for name in ("item", "entry", "holding", "identification", "consignment", "discrepancy")}
    questions |= {"documents": "(SELECT document_id FROM document) d", "parties": "(SELECT party_id FROM party) p"}
    seen = {}
    for donor in ("USA", "FRA"):
        with transaction(country.engine, roles.DONOR, donor_id=country.parties[donor].party_id) as connection:
            seen[donor] = counted(connection, questions)
    assert seen["USA"] == {
        "item": 2, "entry": 5, "holding": 2, "identification": 2, "consignment": 1, "discrepancy": 0, "documents": 3,
        "parties": 1,
    }  # fmt: skip
    assert seen["FRA"] == dict.fromkeys(questions, 0) | {"parties": 1}
    with transaction(country.engine, roles.DONOR) as connection:
        assert set(counted(connection, questions).values()) == {0}

    hidden = {
        "document": ("posted_by", "approved_by", "details", "line_count"),
        "account": ("name", "party_id"),
        "signatory": ("party_id",),
        "draft": ("request",),
        "party_name": ("name",),
        "party": ("secret",),
        "unsequenced": ("leaf",),
        "discrepancy": ("books_said", "seen"),
        "register_line": ("line",),
        "identity": ("identity_key", "item_id"),
        "token": ("label", "secret_hash"),
        "job": ("result",),
        "alias": ("name",),
        "column_mapping": ("mapping",),
        "assignment": ("party_id",),
        "signature_card": ("party_id",),
        "stationing": ("unit_id",),
        "weapon_assignment": ("party_id",),
        "register": ("file_name",),
        "shipment": ("carrier",),
        "carrier_hand_over": ("place",),
        "device": ("public_key",),
        "device_contact": ("clock_offset",),
        "device_reject": ("payload",),
        "note": ("text", "attachments"),
        "erasure_order": ("party_id",),
        "erasure": ("party_id",),
        "erased_file": ("sha256",),
        "register_erasure": ("lines",),
        "allowance": ("quantity",),
        "physical_count": ("count_id",),
        "count_line": ("scan",),
        "count_finding": ("kind",),
        "count_period": ("days",),
        "seal": ("number",),
        "stockpile.user": ("name", "password_hash"),
        "session": ("user_id", "secret_hash"),
        "counter": ("label", "secret_hash"),
        "badge": ("text",),
        "pin": ("set_by", "pin_hash"),
        "sign_in_failure": ("place",),
        "signature": ("party_id",),
        "guest": ("party_id",),
        "guest_consignment": ("consignment_id",),
        "guest_reading": ("path",),
    }
    with transaction(country.engine, roles.DONOR, donor_id=country.parties["USA"].party_id) as connection:
        told = {
            f"{table}.{column}": answer_to(connection, f"SELECT {column} FROM {table}")
            for table, columns in hidden.items()
            for column in columns
        }
    assert {column: why for column, why in told.items() if DENIED not in why} == {}


@pytest.mark.parametrize("role", [roles.AUDITOR, roles.DONOR, roles.GUEST])
def test_who_only_reads_can_write_no_table(country: Country, role: str) -> None:
    """Auditor and donor: no row is added, changed or taken away in any table; but a donor adds what it tells the host, with its leaf."""
    columns, seen = first_columns(country), {}
    with transaction(country.engine, role, donor_id=country.parties["USA"].party_id) as connection:
        for table in columns:
            statements = [
                f"INSERT INTO {table} DEFAULT VALUES",
                *(change(how, table, columns[table]) for how in CHANGES),
            ]
            for statement in statements:
                seen[statement] = answer_to(connection, statement)
    tells = (
        ("donor_statement", "donor_file", "unsequenced", "visit_line", "monitoring_plan") if role == roles.DONOR else ()
    )
    told = {f"INSERT INTO {table} DEFAULT VALUES" for table in tells}
    assert {statement for statement, why in seen.items() if DENIED not in why} == told


@pytest.mark.parametrize(
    "role", [roles.SERVICE, roles.REGISTRAR, roles.AUDITOR, roles.DONOR, roles.GUEST, roles.SEQUENCER]
)
def test_only_posting_locks_items_and_learns_secrets(country: Country, role: str) -> None:
    """An auditor who reads all can't hold up the counters by locking their weapons, nor follow a weapon or a soldier
    through the log by a secret; nor can any other role but the one that posts. A registrar signs the rosters that they
    import, so their role knows the secrets of people, and of people alone.
    """
    item, person = country.item(RIFLES[0]).item_id, country.parties["A-1001"].party_id
    with standing_as(country, role) as connection:
        told = {
            question: answer_to(connection, f"SELECT {question}")
            for question in (
                f"count(*) FROM whereabouts(ARRAY['{item}'::uuid])",
                f"count(*) FROM live_entries(ARRAY['{item}'::uuid], now())",
                f"secret FROM signatures(ARRAY['{person}'::uuid])",
                "secret FROM party",
                "secret_hash FROM token",
            )
        }
        if role == roles.REGISTRAR:
            del told[f"secret FROM signatures(ARRAY['{person}'::uuid])"]
        if role != roles.DONOR:  # a donor may: the secrets of its own items are what it follows them by
            told["item"] = answer_to(connection, "SELECT secret FROM item")
    assert {question: why for question, why in told.items() if DENIED not in why} == {}


def test_whether_a_mark_stands_is_all_that_is_told_past_row_level_security(country: Country) -> None:
    """A donor asks for the identification of a weapon that is not its own: nothing. Who only sequences the log may not ask."""
    item = country.item(RIFLES[0]).item_id
    identified = f"SELECT count(*) FROM identified('{item}'::uuid)"
    seen = {}
    for role in (roles.POSTER, roles.REGISTRAR, roles.AUDITOR, roles.DONOR):
        with standing_as(country, role) as connection:
            seen[role] = connection.exec_driver_sql(identified).scalar_one()
            assert connection.exec_driver_sql(f"SELECT standing_entry('{item}'::uuid, 1)").scalar_one() == 1
    assert seen == {roles.POSTER: 1, roles.REGISTRAR: 1, roles.AUDITOR: 1, roles.DONOR: 0}
    for role in (roles.SERVICE, roles.SEQUENCER):
        with standing_as(country, role) as connection:
            for question in (identified, f"SELECT standing_entry('{item}'::uuid, 1)"):
                assert DENIED in answer_to(connection, question)


def test_a_site_describes_only_what_it_handles(country: Country) -> None:
    """A version of a weapon's identification is written under one's own site, and builds on an earlier one."""
    item, erbil = country.item(RIFLES[0]).item_id, country.sites["ERBIL"].site_id
    copied = (
        "INSERT INTO identification (item_id, version, donor_id, site_id, entry_version, maker, builds_on) "
        f"SELECT item_id, 2, donor_id, {{site}}, 1, maker, {{base}} FROM identification WHERE item_id = '{item}'"
    )
    with standing_as(country, roles.POSTER) as connection:
        assert ROW_LEVEL in answer_to(connection, copied.format(site=f"'{erbil}'", base=1))
        assert answer_to(connection, copied.format(site="site_id", base=2)) == "identification_builds_on"
        assert answer_to(connection, copied.format(site="site_id", base=1)) == "it was accepted"


def test_jobs_of_another_site_are_neither_read_nor_stopped(country: Country) -> None:
    """The long lists of TAJI's clerks are nothing to ERBIL's; and nobody makes a job another's."""
    clerk, job = country.actors["clerk"], new_key()
    with transaction(country.engine, roles.POSTER, clerk.site_id) as connection:
        connection.exec_driver_sql(
            "INSERT INTO job (job_id, party_id, site_id, kind, state, started_at, seen_at) "
            "VALUES (%s, %s, %s, 'receive', 'running', now(), now())",
            (job, clerk.party_id, clerk.site_id),
        )
    stop = "UPDATE job SET state = 'cancelled' RETURNING job_id"
    for site in (country.sites["ERBIL"].site_id, None):
        with transaction(country.engine, roles.POSTER, site) as connection:
            assert counted(connection, {"jobs": "job"}) == {"jobs": 0}
            assert connection.exec_driver_sql(stop).all() == []
    with transaction(country.engine, roles.POSTER, clerk.site_id) as connection:
        assert DENIED in answer_to(connection, "UPDATE job SET party_id = party_id")
        assert connection.exec_driver_sql(stop).scalar_one() == job


def test_who_answers_for_an_account_changes_by_a_joint_inventory_alone(country: Country) -> None:
    """A poster may not name a custodian by hand; what a document says that is no joint inventory, or another site's, or not
    the last one, or one clerk's alone, changes nothing.
    """
    taji = country.sites["TAJI"].site_id
    store = country.item(RIFLES[0]).where.account_id
    listed = [*scans(*RIFLES), {"item": str(country.helmets().item_id), "quantity": 100}]
    change = {"account": "Main store", "lines": listed}
    first = country.do_with_approval("clerk", "commander", CHANGE_CUSTODIAN, **change, received_by="A-1001")
    last = country.do_with_approval("clerk", "commander", CHANGE_CUSTODIAN, **change, received_by="A-1002")
    issued = country.do("clerk", ISSUE, receiver="A-1003", store="Main store", lines=scans(RIFLES[0]))
    on_paper = country.do("clerk", CHANGE_CUSTODIAN, **change, received_by="A-1003", paper=paper(1, ago()))
    take_over = "SELECT take_over_account(%s)"
    with transaction(country.engine, roles.POSTER, taji) as connection:
        assert DENIED in answer_to(connection, "UPDATE account SET custodian_id = custodian_id")
        for document in (first, issued, on_paper):
            assert not connection.exec_driver_sql(take_over, (document.document_id,)).scalar_one()
        for document in (last, issued, on_paper):
            assert not connection.exec_driver_sql("SELECT give_back_account(%s)", (document.document_id,)).scalar_one()
        for inner in (f"document_stands('{first.document_id}')", f"inventories_of('{taji}', '{store}')"):
            assert DENIED in answer_to(connection, f"SELECT {inner}")
    with transaction(country.engine, roles.POSTER, country.sites["ERBIL"].site_id) as connection:
        assert not connection.exec_driver_sql(take_over, (first.document_id,)).scalar_one()
    for role in (roles.AUDITOR, roles.DONOR, roles.REGISTRAR, roles.SEQUENCER):
        with standing_as(country, role) as connection:
            assert DENIED in answer_to(connection, f"SELECT take_over_account('{first.document_id}')")
            assert DENIED in answer_to(connection, f"SELECT give_back_account('{first.document_id}')")
    custodian = country.query(
        "SELECT p.code FROM account a JOIN party p ON p.party_id = a.custodian_id WHERE account_id = %s", store
    )
    assert custodian == [("A-1002",)]


def test_counts_and_seals_of_another_site_are_neither_seen_nor_touched(country: Country) -> None:
    """TAJI's count, its lines and a seal are nothing to ERBIL, which can't put a line, a finding or an end to it; and TAJI itself
    opens no count that is closed, nor opens again what is over, nor mends a broken seal.
    """
    taji, erbil = (country.sites[code].site_id for code in ("TAJI", "ERBIL"))
    count = opened(country)
    read(country, count, *RIFLES)
    seal_container(
        country.engine, country.actors["clerk"], SealContainer(number="S-1", store="Main store", weapons=RIFLES[:2])
    )
    lists = {
        name: name
        for name in (
            "physical_count",
            "count_counter",
            "count_account",
            "count_batch",
            "count_line",
            "seal",
            "seal_line",
        )
    }
    over = "UPDATE physical_count SET closed_at = now(), closed_by = opened_by, outcome = 'abandoned', abandoned_because = 'x' RETURNING 1"
    for site, seen in ((taji, True), (erbil, False), (None, False)):
        with transaction(country.engine, roles.POSTER, site) as connection:
            assert {bool(number) for number in counted(connection, lists).values()} == {seen}
            if not seen:
                assert connection.exec_driver_sql(over).all() == []
                assert (
                    connection.exec_driver_sql(
                        "UPDATE seal SET broken_at = now(), broken_by = sealed_by RETURNING 1"
                    ).all()
                    == []
                )
    forged = f"INSERT INTO count_account SELECT count_id, account_id, '{erbil}' FROM count_account"
    with transaction(country.engine, roles.POSTER, taji) as connection:
        assert ROW_LEVEL in answer_to(connection, forged)
        for column in ("opened_at", "blind", "site_id", "count_id"):
            assert DENIED in answer_to(connection, f"UPDATE physical_count SET {column} = DEFAULT")
        for function in ("verify_counted", "withdraw_found"):
            more = ", 'x'" if function == "withdraw_found" else ""
            assert answer_to(connection, f"SELECT {function}('{count}'{more})") == "count_closed"
        assert connection.exec_driver_sql(over).all()
        assert connection.exec_driver_sql(over).all() == []
        broken = "UPDATE seal SET broken_at = now(), broken_by = sealed_by RETURNING 1"
        assert connection.exec_driver_sql(broken).all()
        assert connection.exec_driver_sql("UPDATE seal SET broken_at = NULL, broken_by = NULL RETURNING 1").all() == []
    for role in (roles.REGISTRAR, roles.AUDITOR, roles.DONOR, roles.SEQUENCER):
        with standing_as(country, role) as connection:
            for question in (
                f"verify_counted('{count}')",
                f"withdraw_found('{count}', 'x')",
                f"stood_when(ARRAY['{count}'::uuid], ARRAY[now()])",
                f"moved_since(ARRAY['{count}'::uuid], now())",
            ):
                assert DENIED in answer_to(connection, f"SELECT {question}")


def test_a_revoked_token_is_never_brought_back(country: Country) -> None:
    """Not even by the registrar's role, which may revoke; nor can it lengthen a token's life or give it another role."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        made = create_token(connection, "registrar", "to be revoked", "R-1").token
        revoke_token(connection, made.token_id)
        back = "UPDATE token SET revoked_at = NULL RETURNING token_id"
        assert made.token_id not in connection.exec_driver_sql(back).scalars().all()
        for column in ("expires_at", "role", "site_id", "party_id", "secret_hash"):
            assert DENIED in answer_to(connection, f"UPDATE token SET {column} = DEFAULT")


@pytest.mark.parametrize("role", roles.TAKEN)
def test_nobody_reads_what_a_password_a_pin_or_a_cookie_is_kept_as(country: Country, role: str) -> None:
    """Not the registrar's role, which makes users, nor the poster's, under which a commander gives PINs; and none asks for one by the
    functions that the service has.
    """
    add_users(country, "clerk")
    add_pins(country, "T-1")
    hashes = {"stockpile.user": "password_hash", "pin": "pin_hash", "session": "secret_hash", "counter": "secret_hash"}
    asked = [
        "password_of('talib')", "counter_of(sha256('a'))", "pin_of(gen_random_uuid(), 'T-1')", "authenticate_session(sha256('a'), true)",
        "sign_in_went_well(gen_random_uuid(), 'a')",
    ]  # fmt: skip
    with standing_as(country, role) as connection:
        told = {table: answer_to(connection, f"SELECT {column} FROM {table}") for table, column in hashes.items()}
        told |= {function: answer_to(connection, f"SELECT {function}") for function in asked}
    assert {what: why for what, why in told.items() if DENIED not in why} == {}


def test_what_is_over_in_signing_in_is_never_brought_back(country: Country) -> None:
    """An ended session, a revoked counter or badge: not by the roles that end and revoke. Who set a PIN when is kept from the owner
    too; and ERBIL neither sees nor sets a PIN at TAJI.
    """
    add_users(country, "clerk")
    add_pins(country, "T-1")
    counter = enrolled(country)
    signed_in = browser(country, counter)
    signed_in.sign_in_by_badge("T-1")
    taji, erbil = (country.sites[code].site_id for code in ("TAJI", "ERBIL"))
    over = {
        "session": "SET ended_at = {} WHERE {}", "counter": "SET revoked_at = {}, revoked_by = enrolled_by WHERE {}",
        "badge": "SET revoked_at = {} WHERE {}",
    }  # fmt: skip
    with reading(country.engine, country.actors["commander"]) as connection:
        register_badge(connection, country.actors["commander"], "T-1", "0045")
    with transaction(country.engine, roles.POSTER, erbil) as connection:
        for table, change in over.items():
            ended = change.format("now()", "true")
            assert connection.exec_driver_sql(f"UPDATE {table} {ended}").rowcount == 0
        for table in ("pin", "badge", "counter", "session", "stockpile.user", "sign_in_failure"):
            assert connection.exec_driver_sql(f"SELECT 1 FROM {table}").all() == []
        forged = f"INSERT INTO pin VALUES ('{country.parties['T-1'].party_id}', 9, 'x', false, '{country.parties['E-1'].party_id}', now())"
        assert ROW_LEVEL in answer_to(connection, forged)
    for role, site in ((roles.POSTER, taji), (roles.REGISTRAR, None)):
        with transaction(country.engine, role, site) as connection:
            for table, change in over.items():
                connection.exec_driver_sql(f"UPDATE {table} {change.format('now()', 'true')}")
                assert connection.exec_driver_sql(f"UPDATE {table} {change.format('NULL', 'true')}").rowcount == 0
            for statement in (
                "UPDATE pin SET must_change = false",
                "UPDATE pin SET set_by = party_id",
                "DELETE FROM pin",
            ):
                assert DENIED in answer_to(connection, statement)
            assert DENIED in answer_to(connection, "UPDATE counter SET book_code = 'X'")
            assert DENIED in answer_to(connection, "UPDATE session SET ends_at = now()")
    url = country.engine.url.set(drivername="postgresql", username=roles.OWNER).render_as_string(hide_password=False)
    with psycopg.connect(url) as owner, pytest.raises(psycopg.Error, match="never changed"):
        owner.execute("DELETE FROM stockpile.pin")


def test_a_device_keeps_its_key_and_stays_revoked(country: Country) -> None:
    """Its site sees it and may revoke it, once; nobody gives it another key, book or site, not even the owner, and ERBIL
    neither sees it nor what came from it.
    """
    taji, clerk = country.sites["TAJI"].site_id, country.actors["clerk"]
    device = new_key()
    row = (device, taji, "TAB-3", "Tablet 3", bytes(32), clerk.party_id)
    with transaction(country.engine, roles.POSTER, taji) as connection:
        connection.exec_driver_sql(
            "INSERT INTO device (device_id, site_id, book_code, label, public_key, enrolled_by, enrolled_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, now())",
            row,
        )
        connection.exec_driver_sql("INSERT INTO device_contact VALUES (%s, now(), '1 s')", (device,))
        connection.exec_driver_sql(
            "INSERT INTO device_reject VALUES (%s, %s, NULL, '', '', sha256(''), 'not JSON', %s, now())",
            (new_key(), device, clerk.party_id),
        )
        for column in ("public_key", "book_code", "site_id", "device_id"):
            assert DENIED in answer_to(connection, f"UPDATE device SET {column} = DEFAULT")
    lists = {name: name for name in ("device", "device_contact", "device_reject")}
    for site, seen in ((country.sites["ERBIL"].site_id, 0), (None, 0), (taji, 1)):
        with transaction(country.engine, roles.POSTER, site) as connection:
            assert set(counted(connection, lists).values()) == {seen}
    with transaction(country.engine, roles.POSTER, country.sites["ERBIL"].site_id) as connection:
        assert ROW_LEVEL in answer_to(connection, f"INSERT INTO device_contact VALUES ('{device}', now(), '1 s')")
        asked = f"SELECT book_taken('{taji}', 'TAB-3')"
        assert connection.exec_driver_sql(asked).scalar() is None
    revoke = f"UPDATE device SET revoked_at = now(), revoked_by = '{clerk.party_id}' RETURNING device_id"
    with transaction(country.engine, roles.REGISTRAR) as connection:
        assert connection.exec_driver_sql(revoke).scalar_one() == device
        assert connection.exec_driver_sql(revoke).all() == []
        assert connection.exec_driver_sql("UPDATE device SET revoked_at = NULL RETURNING 1").all() == []
    url = country.engine.url.set(drivername="postgresql", username=roles.OWNER).render_as_string(hide_password=False)
    with psycopg.connect(url) as owner, pytest.raises(psycopg.Error, match="never changed"):
        owner.execute("UPDATE stockpile.device SET public_key = sha256('another')")


def test_before_it_takes_a_role_the_service_makes_nothing(country: Country) -> None:
    """No table, not even a temporary one, no schema, no role; and it can't become the owner."""
    attempts = (
        "CREATE TABLE mine (n int)",
        "CREATE TABLE public.mine (n int)",
        "CREATE TEMPORARY TABLE mine (n int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        f"SET LOCAL ROLE {roles.OWNER}",
        f"ALTER TABLE entry OWNER TO {roles.SERVICE}",
        "ALTER TABLE entry DISABLE TRIGGER ALL",
    )
    with fresh_database(country) as engine, connected(engine) as connection:
        told = {attempt: answer_to(connection, attempt) for attempt in attempts}
    refused = (DENIED, "must be owner", "permission denied to create role")
    assert {attempt: why for attempt, why in told.items() if not any(word in why for word in refused)} == {}


def test_strangers_of_the_server_do_not_get_in(country: Country) -> None:
    """Another user of the same PostgreSQL server can't even connect to the books."""
    url = country.engine.url.set(drivername="postgresql")
    with fresh_database(country) as engine:
        administrator = url.set(username="postgres").render_as_string()
        with psycopg.connect(administrator, autocommit=True) as connection:
            connection.execute("CREATE ROLE stranger LOGIN")
        try:
            stranger = url.set(username="stranger", database=engine.url.database).render_as_string()
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(stranger)
        finally:
            with psycopg.connect(administrator, autocommit=True) as connection:
                connection.execute("DROP ROLE stranger")


def test_functions_with_the_owners_rights_can_not_be_led_astray(country: Country) -> None:
    """Each looks for tables in the schema first and among temporary ones last, so nobody slips it one of their own; and
    none is open to everybody.
    """
    lent = country.owner_query(
        "SELECT proname, proconfig[1], has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc "
        "WHERE pronamespace = 'stockpile'::regnamespace AND prosecdef"
    )
    assert len(lent) >= 8
    assert [row for row in lent if row[1:] != ("search_path=stockpile, pg_temp", False)] == []


def test_everything_belongs_to_the_owner_alone(country: Country) -> None:
    """Tables, functions and schema: the service and the roles it takes own none of it, and none passes row-level
    security by.
    """
    owners = country.owner_query(
        """SELECT DISTINCT pg_get_userbyid(owner) FROM (
               SELECT relowner FROM pg_class WHERE relnamespace = 'stockpile'::regnamespace
               UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'stockpile'::regnamespace
               UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname = 'stockpile'
               UNION ALL SELECT datdba FROM pg_database WHERE datname = current_database()) owned (owner)"""
    )
    assert owners == [(roles.OWNER,)]
    mighty = country.owner_query(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'stockpile%%' "
        "AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)"
    )
    assert mighty == []


def test_a_donor_says_nothing_for_others_and_answers_nothing(country: Country) -> None:
    """Its role adds statements of its own alone, of the kinds that are a donor's to say; a depot answers none of its own words."""
    usa, france, taji = (
        country.parties["USA"].party_id,
        country.parties["FRA"].party_id,
        country.sites["TAJI"].site_id,
    )
    insert = """INSERT INTO donor_statement (donor_id, statement_id, kind, site_id, reference, answers, content, said_by, name_version,
                                             digest, recorded_at, content_hash, seed, leaf)
                VALUES (%s, %s, %s, %s, 'x', %s, '{}', %s, 1, sha256('a'), now(), sha256('b'), sha256('c'),
                        '\\x05'::bytea || sha256('d') || sha256('e'))"""

    def told(role: str, donor: UUID, kind: str, answers: UUID | None = None) -> str:
        with transaction(country.engine, role, taji, usa) as connection:
            row = (donor, new_key(), kind, taji, answers, usa)
            return refusal(connection, lambda: connection.exec_driver_sql(insert, row))

    assert told(roles.DONOR, usa, "declaration") == "it was accepted"
    declaration = new_key()
    with transaction(country.engine, roles.DONOR, None, usa) as connection:
        connection.exec_driver_sql(insert, (usa, declaration, "declaration", taji, None, usa))
    wrong = {
        (role, donor, kind): why
        for role, donor, kind, answers in (
            (roles.DONOR, france, "declaration", None),
            (roles.DONOR, usa, "delivery verification", None),
            (roles.DONOR, usa, "accepted", declaration),
            (roles.POSTER, usa, "declaration", None),
            (roles.POSTER, usa, "delivery verification", None),
            (roles.POSTER, usa, "accepted", declaration),
            (roles.REGISTRAR, usa, "consent", None),
        )
        if ROW_LEVEL not in (why := told(role, donor, kind, answers))
    }
    assert wrong == {}
    with transaction(country.engine, roles.DONOR, None, france) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM donor_statement").scalar_one() == 0
        assert DENIED in answer_to(connection, "SELECT seed FROM donor_statement")


def test_a_subscription_to_alerts_only_ends(country: Country) -> None:
    """Nobody changes where alerts go, nor begins one again that ended; the feed's hash is read by no role; a donor's own role sees none."""
    usa = country.parties["USA"].party_id
    with transaction(country.engine, roles.REGISTRAR) as connection:
        token = create_token(connection, "donor", "USA's", donor="USA").token.token_id
    with transaction(country.engine, roles.POSTER) as connection:
        connection.exec_driver_sql(
            """INSERT INTO alert_subscription (subscription_id, party_id, role, donor_id, token_id, kinds, address, language, full_text,
                                               created_at)
               VALUES (%s, %s, 'donor', %s, %s, '{}', 'a@b.example', 'en', false, now())""",
            (new_key(), usa, usa, token),
        )
        for change in ("address = 'c@d.example'", "kinds = '{late}'", "full_text = true", "feed_hash = sha256('x')"):
            assert DENIED in answer_to(connection, f"UPDATE alert_subscription SET {change}"), change
    with transaction(country.engine, roles.REGISTRAR) as connection:
        assert (
            answer_to(connection, "UPDATE alert_subscription SET address = 'c@d.example'")
            == "alert_subscription_only_ends"
        )
        connection.exec_driver_sql("UPDATE alert_subscription SET ended_at = now()")
        assert answer_to(connection, "UPDATE alert_subscription SET ended_at = NULL") == "alert_subscription_only_ends"
    for role in roles.TAKEN:
        with transaction(country.engine, role, None, usa) as connection:
            assert DENIED in answer_to(connection, "SELECT feed_hash FROM alert_subscription"), role
    for role in (roles.DONOR, roles.AUDITOR, roles.VERIFIER):
        with transaction(country.engine, role, None, usa) as connection:
            assert DENIED in answer_to(connection, "SELECT address FROM alert_subscription"), role

"""Migrations, forward and back, with books in the database: what is kept, what goes, and what a program says of a
schema that is not its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError

from stockpile import parties
from stockpile.acts.issue import ISSUE
from stockpile.acts.mark import MARK
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.acts.void import VOID
from stockpile.alerts.finding import find_alerts
from stockpile.alerts.subscriptions import Subscribe, subscribe
from stockpile.cases.case import OpenCase, open_case
from stockpile.db import migrate, ready, roles
from stockpile.db.engine import connected, engine_of, transaction, with_driver
from stockpile.db.tables import metadata
from stockpile.donors.sharing import ShareConsignment, share_consignment
from stockpile.donors.sightings import report_sighting
from stockpile.donors.weapon_read import Sighting
from stockpile.errors import DatabaseUnavailable
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.parties import Left
from stockpile.registers.judgements import Judge, judge
from stockpile.signatures import Sign, sign
from stockpile.single_sign_on.providers import add_provider
from stockpile.tokens import authenticate, create_token
from tests.conftest import Databases
from tests.consigned import declared, listed
from tests.counts import opened
from tests.guests import delivered, invited, people
from tests.inspecting import planned
from tests.registers import compared, imported
from tests.service import Service
from tests.signing_in import add_users
from tests.test_allowances import allowed
from tests.world import RIFLES, Country, ago, found_country, paper, photo, scans, today

PROJECT = Path(__file__).resolve().parents[1]

# What the catalogues say of the tables; functions, policies and privileges stand in SQL alone.
SHAPE = {
    "columns": """SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                         a.attgenerated, collname, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
                  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                  LEFT JOIN pg_collation l ON l.oid = a.attcollation
                  WHERE c.relnamespace = 'stockpile'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'
                  ORDER BY 1, 2""",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
                      WHERE connamespace = 'stockpile'::regnamespace AND contype IN ('c', 'f', 'p', 'u')
                        AND conrelid::regclass::text NOT LIKE '%alembic_version' ORDER BY 1, 2""",
    "indexes": """SELECT tablename, indexname, indexdef FROM pg_indexes
                  WHERE schemaname = 'stockpile' AND tablename <> 'alembic_version' ORDER BY 1, 2""",
    "comments": """SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
                   WHERE relnamespace = 'stockpile'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
                   ORDER BY 1""",
}

# All that a migration makes, and who may do what with it.
MADE = {
    **SHAPE,
    "functions": """SELECT oid::regprocedure::text, prosrc, proconfig::text, proacl::text FROM pg_proc
                    WHERE pronamespace = 'stockpile'::regnamespace ORDER BY 1""",
    "triggers": """SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger
                   WHERE NOT tgisinternal ORDER BY 1, 2""",
    "policies": "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2",
    "privileges": """SELECT relname, relacl::text, relrowsecurity FROM pg_class
                     WHERE relnamespace = 'stockpile'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
                     ORDER BY 1""",
    "columns' privileges": """SELECT attrelid::regclass::text, attname, attacl::text FROM pg_attribute
                              WHERE attacl IS NOT NULL AND attrelid::regclass::text LIKE 'stockpile.%' ORDER BY 1, 2""",
}


def asked(url: str, questions: dict[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    """What the catalogues answer."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return {name: connection.execute(question.encode()).fetchall() for name, question in questions.items()}


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    """The name of a database without the schema."""
    name = databases.empty()
    yield name
    databases.drop(name)


def test_the_tables_in_sql_are_the_tables_in_python(databases: Databases, empty: str) -> None:
    """The frozen SQL of the migrations and the tables that the program describes agree: Alembic finds nothing to
    generate, and a schema made from the description has the same columns, defaults, checks, indexes and comments.
    """
    migrated, described = databases.server.url(empty, roles.OWNER), databases.empty()
    migrate.upgrade(migrated)
    engine = engine_of(databases.server.url(described, roles.OWNER))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA stockpile")
        metadata.create_all(connection)
    engine.dispose()
    assert asked(migrated, SHAPE) == asked(databases.server.url(described, roles.OWNER), SHAPE)
    databases.drop(described)

    engine = create_engine(with_driver(migrated), connect_args={"options": "-c search_path=public"})
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                **migrate.VERSIONS, "include_schemas": True,
                "include_name": lambda name, kind, parents: kind != "schema" or name == "stockpile",
            },
        )  # fmt: skip
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_upgrading_again_changes_nothing(country: Country) -> None:
    """`stockpile db upgrade` by somebody who isn't sure whether it was done: the same schema, the same books."""
    owner = country.engine.url.set(username=roles.OWNER).render_as_string()
    schema, entries = asked(owner, MADE), country.owner_query("SELECT * FROM entry ORDER BY item_id, version")
    migrate.upgrade(owner)
    assert asked(owner, MADE) == schema
    assert country.owner_query("SELECT * FROM entry ORDER BY item_id, version") == entries


def test_back_and_forward_again_with_books(databases: Databases, empty: str) -> None:
    """A country is founded and works; back to `base` takes its books away, all of them, with every table, function
    and privilege; forward again makes the very same schema, and another country is founded in it.
    """
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    schema = asked(owner, MADE)
    engine = databases.engine(empty)
    country = found_country(engine)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))

    migrate.downgrade(owner, "base")
    assert {name: rows for name, rows in asked(owner, MADE).items() if rows} == {}
    assert ready.schema_of(engine) is None
    with pytest.raises(DatabaseUnavailable, match="not set up"):
        ready.check_schema(engine)

    migrate.upgrade(owner)
    assert asked(owner, MADE) == schema
    ready.check_schema(engine)
    country = found_country(engine)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    country.do("clerk", RETURN, store="Main store", lines=scans(RIFLES[0]))
    assert country.where(RIFLES[0]) == "Main store"
    engine.dispose()


def test_no_way_back_from_what_the_older_schema_cannot_hold(databases: Databases, empty: str) -> None:
    """A weapon was marked: the older schema would take what was taken back for what stands. It is refused, with the books kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    country.do("commander", MARK, method="laser", place="receiver", import_country="IQ", lines=scans(RIFLES[0]))
    with pytest.raises(IntegrityError, match="marked or amended"):
        migrate.downgrade(owner, "0001")
    assert country.query("SELECT max(version) FROM identification") == [(2,)]
    engine.dispose()


def test_no_way_back_from_what_is_on_its_way(databases: Databases, empty: str) -> None:
    """A rifle was sent: the older schema has no place for who carries it. It is refused, with the shipment kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    way = {"to_site": "ERBIL", "carrier": "2nd Transport", "expected_on": "2099-12-31"}
    country.do("clerk", SHIP, **way, lines=scans(RIFLES[0]))
    with pytest.raises(IntegrityError, match="hold shipments"):
        migrate.downgrade(owner, "0001")
    assert country.query("SELECT count(*) FROM shipment") == [(1,)]
    engine.dispose()


def test_no_way_back_from_what_was_counted(databases: Databases, empty: str) -> None:
    """A count is open: the older schema has no place for it. It is refused, with the count kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    opened(country)
    with pytest.raises(IntegrityError, match="hold counts"):
        migrate.downgrade(owner, "0002")
    assert country.query("SELECT count(*) FROM physical_count") == [(1,)]
    engine.dispose()


def test_no_way_back_from_a_sighting(databases: Databases, empty: str) -> None:
    """A weapon was seen abroad: the older schema would forget it. It is refused, with the sighting kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    seen = {"asked_by": "A driver", "how": "observed", "confidence": "possible", "serial_number": RIFLES[0]}
    report_sighting(engine, country.actors["auditor"], Sighting.model_validate(seen))
    with pytest.raises(IntegrityError, match="tracing requests or sightings"):
        migrate.downgrade(owner, "0005")
    assert country.query("SELECT count(*) FROM tracing") == [(1,)]
    engine.dispose()


def test_no_way_back_from_what_units_may_have(databases: Databases, empty: str) -> None:
    """An order's list was imported: the older schema would forget it. It is refused, with the list kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    allowed(country, "1COY,AKM,5")
    with pytest.raises(IntegrityError, match="hold allowances"):
        migrate.downgrade(owner, "0002")
    assert country.query("SELECT quantity FROM allowance") == [(5,)]
    engine.dispose()


def test_no_way_back_from_who_signs_in_and_signed(databases: Databases, empty: str) -> None:
    """The older schema has no place for users, counters and signatures. It is refused, with all kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    add_users(country, "clerk")
    with pytest.raises(IntegrityError, match="people sign in here"):
        migrate.downgrade(owner, "0003")
    clerk = country.actors["clerk"]
    drawn = {"document_id": new_key(), "person": "A-1001", "file": file_store().keep([photo()], 100_000).sha256}
    sign(engine, clerk, None, Sign.model_validate(drawn), "192.0.2.7")
    with pytest.raises(IntegrityError, match="documents were signed here"):
        migrate.downgrade(owner, "0003")
    assert country.query("SELECT name FROM stockpile.user") == [("talib",)]
    assert country.query("SELECT how FROM signature") == [("drawn",)]
    engine.dispose()


def test_no_way_back_from_what_donors_declared(databases: Databases, empty: str) -> None:
    """The older schema has no place for a donor's declaration. It is refused, with the declaration kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    declared(country, listed(["UA 1"]))
    with pytest.raises(IntegrityError, match="hold statements of donors"):
        migrate.downgrade(owner, "0005")
    assert country.query("SELECT kind FROM donor_statement") == [("declaration",)]
    engine.dispose()


def test_no_way_back_from_a_visit(databases: Databases, empty: str) -> None:
    """The older schema has no place for a donor's visit. It is refused, with the plan kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    planned(country)
    with pytest.raises(IntegrityError, match="hold visits or reports of holders"):
        migrate.downgrade(owner, "0009")
    assert country.query("SELECT kind FROM donor_statement") == [("planned visit",)]
    engine.dispose()


def test_no_way_back_from_why_people_left(databases: Databases, empty: str) -> None:
    """The older schema can't say that somebody died. It is refused, with the word kept; memberships without one go back."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    with transaction(engine, roles.REGISTRAR) as connection:
        parties.end_assignments(connection, country.parties["A-1001"].party_id, today(), Left.DIED)
    with pytest.raises(IntegrityError, match="say why people left"):
        migrate.downgrade(owner, "0018")
    assert country.query("SELECT ended_because FROM assignment WHERE ended_because IS NOT NULL") == [("died",)]
    country.owner_query("UPDATE assignment SET ended_because = NULL RETURNING 1")
    migrate.downgrade(owner, "0018")
    engine.dispose()


def test_no_way_back_from_who_comes_by_a_provider(databases: Databases, empty: str) -> None:
    """The older schema has no place for single sign-on. It is refused, with the provider kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    with transaction(engine, roles.REGISTRAR) as connection:
        add_provider(connection, "ministry", "The Ministry", "https://login.ministry.example", "stockpile")
    with pytest.raises(IntegrityError, match="people sign in here by providers"):
        migrate.downgrade(owner, "0009")
    engine.dispose()


def test_no_way_back_from_guests_and_shares(databases: Databases, empty: str) -> None:
    """The older schema has no place for who read here as a guest, nor for what donors share. Each is refused, with all kept."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    people(country)
    delivered(country)
    request = ShareConsignment.model_validate({"reference": "FMS-1", "partner": "FRA", "words": "Joint"})
    invited(country)
    with pytest.raises(IntegrityError, match="guests read here"):
        migrate.downgrade(owner, "0009")
    share_consignment(engine, country.actors["USA"], request)
    with pytest.raises(IntegrityError, match="donors shared consignments"):
        migrate.downgrade(owner, "0009")
    assert country.query("SELECT scope FROM guest") == [("country",)]
    engine.dispose()


def test_no_way_back_from_who_wants_to_be_told(databases: Databases, empty: str) -> None:
    """Somebody subscribed to alerts: the older schema would forget it. It is refused, with the subscription kept; alerts alone are found
    again.
    """
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    find_alerts(engine)
    migrate.downgrade(owner, "0009")
    migrate.upgrade(owner)
    assert country.owner_query("SELECT DISTINCT written_in FROM document") == [(0,)]
    assert find_alerts(engine) == len(country.query("SELECT 1 FROM alert")) > 0
    with transaction(engine, roles.REGISTRAR) as connection:
        token = create_token(connection, "auditor", "a reader's", party="R-1").text
    with connected(engine) as connection:
        reader = authenticate(connection, token)
    subscribe(engine, reader, Subscribe(way="web feed"))
    with pytest.raises(IntegrityError, match="wants to be told of alerts"):
        migrate.downgrade(owner, "0009")
    assert country.owner_query("SELECT role FROM alert_subscription") == [("auditor",)]
    engine.dispose()


def test_lists_that_were_kept_before_are_brought_up(databases: Databases, empty: str) -> None:
    """The older schema knew neither the digest of who imported a list, nor both numbers of a near match: brought up,
    a list and an audit have what they would have if they were made today.
    """
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    log = imported(country, "serial,model\nKT 1001,AKM\nKT 2,AKM\nkt-2,AKM\n,AKM\n")
    compared(country, log, imported(country, "serial,model\nKT 1OO1,AKM\n", source="OTHER"), name="Log")
    questions = (
        "SELECT name, imported_by_version, imported_by_digest FROM register ORDER BY name",
        "SELECT right_key FROM audit_finding WHERE kind = 'near match'",
    )
    made = [country.owner_query(question) for question in questions]
    assert made[1] == [("KT1OO1",)]
    migrate.downgrade(owner, "0005")
    migrate.upgrade(owner)
    assert [country.owner_query(question) for question in questions] == made

    near = Judge.model_validate({"judged": "same", "reason": "the photo"})
    ((audit,),) = country.query("SELECT audit_id FROM audit")
    judge(engine, country.actors["auditor"], audit, 1, near)
    with pytest.raises(IntegrityError, match="near matches were judged here"):
        migrate.downgrade(owner, "0005")
    engine.dispose()


def test_no_way_back_from_what_is_looked_into(databases: Databases, empty: str) -> None:
    """A case is open: the older schema has no place for it. It is refused, with the case kept; without one the way is free."""
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    before = "0005"
    migrate.downgrade(owner, before)
    migrate.upgrade(owner)
    request = {"title": "Where is it?", "subject": {"weapon": RIFLES[0]}}
    open_case(engine, country.actors["clerk"], OpenCase.model_validate(request))
    with pytest.raises(IntegrityError, match="hold cases"):
        migrate.downgrade(owner, before)
    assert country.query("SELECT title FROM case_file") == [("Where is it?",)]
    engine.dispose()


def open_gaps(country: Country) -> list[tuple[Any, ...]]:
    return country.owner_query(
        "SELECT seen, first_number, last_number FROM discrepancy WHERE closed_at IS NULL AND book_id IS NOT NULL ORDER BY 2"
    )


def test_papers_keyed_before_gaps_were_watched(databases: Databases, empty: str) -> None:
    """A country of the first version keyed papers 1, 5 and 7. The second one tells the gaps, in the words it has for new
    ones; back again they are withdrawn, and the papers are as they were.
    """
    owner = databases.server.url(empty, roles.OWNER)
    migrate.upgrade(owner)
    engine = databases.engine(empty)
    country = found_country(engine)
    for number in (1, 7, 5):
        country.do("clerk", VOID, reason="torn", paper=paper(number, ago()))
    told = open_gaps(country)
    assert [row[1:] for row in told] == [(2, 4), (6, 6)]

    migrate.downgrade(owner, "0001")
    assert country.owner_query("SELECT count(*) FROM discrepancy WHERE closed_at IS NULL") == [(0,)]
    assert country.owner_query("SELECT count(*) FROM document WHERE act = 'void'") == [(3,)]
    migrate.upgrade(owner)
    assert open_gaps(country) == told
    country.do("clerk", VOID, reason="torn", paper=paper(6, ago()))
    assert open_gaps(country) == told[:1]
    engine.dispose()


NOW = migrate.newest()
AFTER = f"{int(NOW) + 1:04}"
NEXT = f'''"""What the next version changes."""

from alembic import op

revision = "{AFTER}"
down_revision = "{NOW}"


def upgrade() -> None:
    op.execute("ALTER TABLE stockpile.site ADD COLUMN telephone text")


def downgrade() -> None:
    op.execute("ALTER TABLE stockpile.site DROP COLUMN telephone")
'''

FOUNDED = (
    "init", "--organisation-code", "MOD", "--organisation", "Ministry", "--registrar-number", "R-1", "--registrar", "Rana",
    "--site-code", "TAJI", "--site", "Taji depot", "--time-zone", "Asia/Baghdad", "--stores", "Main store",
)  # fmt: skip


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An empty country in its embedded database, not running."""
    made = Service(tmp_path_factory.mktemp("founded"))
    done = made.command(*FOUNDED)
    assert done.returncode == 0, done.stderr
    yield made
    made.end()


@pytest.fixture(scope="module")
def next_version(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the next version of the program lies: this one with one migration more."""
    folder = tmp_path_factory.mktemp("next")
    for package in ("stockpile", "api", "labels", "migrations"):
        shutil.copytree(PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "migrations" / "versions" / f"{AFTER}_next.py").write_text(NEXT)
    return str(folder)


def test_a_program_and_a_schema_of_two_versions(founded: Service, next_version: str) -> None:
    """The next version finds this one's schema: it says what to do, and `db upgrade` does it with the books kept. Then
    this version finds the next one's: whatever is asked of it, it says so and changes nothing.
    """
    said = founded.command("serve", PYTHONPATH=next_version)
    assert (said.returncode, said.stderr.splitlines()[0]) == (
        1, f"The database has schema {NOW}, this program needs {AFTER}: run 'stockpile db upgrade'.",
    )  # fmt: skip
    assert f"Schema:   {NOW} (this program: {AFTER})" in founded.command("db", "status", PYTHONPATH=next_version).stdout
    assert founded.command("db", "upgrade", PYTHONPATH=next_version).stdout == f"The database has schema {AFTER}.\n"
    status = founded.command("db", "status", PYTHONPATH=next_version).stdout
    assert "1 sites, 0 documents" in status

    newer = (
        f"The database has schema {AFTER}, which a newer Stockpile made; this one knows schemas up to {NOW}. "
        "Use the newer one. Nothing was changed."
    )
    for command in ("serve", "run", "db upgrade", FOUNDED[0]):
        words = FOUNDED if command == FOUNDED[0] else command.split()
        said = founded.command(*words)
        assert said.returncode == 1, command
        assert newer in said.stderr, (command, said.stderr)
        assert "Traceback" not in said.stderr
    assert founded.command("db", "status", PYTHONPATH=next_version).stdout == status


def test_run_brings_its_own_database_up_by_itself(tmp_path: Path, next_version: str) -> None:
    """`stockpile run` after an update: the embedded database gets the new schema, and its books are served."""
    service = Service(tmp_path)
    try:
        assert service.command(*FOUNDED).returncode == 0
        service.start(PYTHONPATH=next_version)
        assert service.stop() == 0
        status = service.command("db", "status", PYTHONPATH=next_version).stdout
        assert f"Schema:   {AFTER} (this program: {AFTER})" in status
        assert "1 sites, 0 documents" in status
    finally:
        service.end()

"""Making a database ready: roles, the database itself, the schema of this version; and the way into it.

A new embedded database is made and filled under another name and gets its own when it is whole, so that one half filled
is never taken for one. It must never drop or refill a database that has its name.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, ProgrammingError

from stockpile.db import embedded, migrate, roles
from stockpile.db.binaries import OLDEST
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of, with_driver
from stockpile.errors import DatabaseUnavailable, Fault, Invalid, NotFound
from stockpile.sentences import sentence
from stockpile.settings import Settings

DATABASE = "stockpile"
IN_THE_MAKING = "stockpile_in_the_making"
LOCK = 7_365_002
"""Advisory lock of the server: two processes that start at once do not make the database twice."""

Fill = Callable[[Engine], object]


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The books as the service's role reaches them, for one command; starts the embedded server where it does not run.

    Raises DatabaseUnavailable; NotFound where there are no books yet.
    """
    with reached(settings) as url:
        engine = engine_of(url)
        try:
            check_schema(engine)
            yield engine
        finally:
            engine.dispose()


@contextmanager
def reached(settings: Settings) -> Iterator[str]:
    """The URL under which the service reaches its database, held open while it is used."""
    if settings.database_url:
        yield checked_url(settings.database_url).render_as_string(hide_password=False)
        return
    if not has_data(settings.data):
        raise NotFound(
            sentence(
                "There are no books in {data}. Begin with 'stockpile run' (a demonstration) or "
                "'stockpile init' (your own); or say where they are: STOCKPILE_DATA for a folder, "
                "STOCKPILE_DATABASE_URL for a server.",
                data=settings.data,
            )
        )
    with embedded.start(settings.data) as server:
        yield server.url(DATABASE, roles.SERVICE)


def has_data(folder: Path) -> bool:
    """Whether an embedded database lies in the folder."""
    return (folder / "postgres" / "PG_VERSION").exists()


def checked_url(text: str) -> URL:
    """A database's URL, as its user wrote it. Raises Invalid without repeating it: it may hold a password."""
    try:
        url = with_driver(text)
    except ArgumentError:
        url = None
    if url is None or not make_url(text).drivername.startswith("postgres"):
        raise Invalid(
            sentence("The address of the database is not one of PostgreSQL."),
            [
                Fault(
                    sentence("write it like postgresql://user:password@host:5432/stockpile"),
                    field="STOCKPILE_DATABASE_URL",
                )
            ],
        )
    return url


def make_embedded(server: Server, fill: Fill | None) -> bool:
    """Makes the database of an embedded server if it is not there, filled by `fill`, else brings it to the newest
    schema. True if it was made now.
    """
    with psycopg.connect(server.conninfo(), autocommit=True) as administrator:
        administrator.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        if administrator.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            if schema_of(engine_of(server.url(DATABASE, roles.SERVICE))) != migrate.newest():
                upgrade(server.url(DATABASE))
            return False
        administrator.execute(roles.setup_sql().encode())
        administrator.execute(f"DROP DATABASE IF EXISTS {IN_THE_MAKING} WITH (FORCE)")
        administrator.execute(roles.database_sql(IN_THE_MAKING).encode())
        migrate.upgrade(server.url(IN_THE_MAKING))
        if fill is not None:
            engine = engine_of(server.url(IN_THE_MAKING, roles.SERVICE))
            try:
                fill(engine)
            finally:
                engine.dispose()
        administrator.execute(f"ALTER DATABASE {IN_THE_MAKING} RENAME TO {DATABASE}")
    return True


def schema_of(engine: Engine) -> str | None:
    """The schema's revision; None where there is none yet. Raises DatabaseUnavailable."""
    try:
        with engine.begin() as connection:
            return _revision(connection)
    except OperationalError as problem:
        raise DatabaseUnavailable(
            sentence("The database cannot be reached: {why}", why=first_line(problem.orig))
        ) from None


def _revision(connection: Connection) -> str | None:
    try:
        return str(connection.exec_driver_sql("SELECT stockpile.schema_version()").scalar_one())
    except ProgrammingError:
        return None


def check_schema(engine: Engine) -> None:
    """Raises DatabaseUnavailable where the database speaks another schema than this program."""
    found, wanted = schema_of(engine), migrate.newest()
    if found is None:
        raise DatabaseUnavailable(sentence("The database is not set up: an administrator runs 'stockpile db setup'."))
    migrate.check_known(found)
    if found != wanted:
        raise DatabaseUnavailable(
            sentence(
                "The database has schema {found}, this program needs {wanted}: run 'stockpile db upgrade'.",
                found=found,
                wanted=wanted,
            )
        )


def set_up(administrator_url: str, database: str) -> str:
    """Makes roles, database and schema on a server, as its administrator; again changes nothing. Returns the password
    that a new service role got, or "" where the role was there and kept its own.
    """
    administrator, password = checked_url(administrator_url), ""
    try:
        with psycopg.connect(_conninfo(administrator), autocommit=True, connect_timeout=10) as connection:
            _check_version(connection)
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (roles.SERVICE,)).fetchone()
            connection.execute(roles.setup_sql().encode())
            _join_owner(connection)
            if not known:
                password = secrets.token_urlsafe(24)
                connection.pgconn.change_password(roles.SERVICE.encode(), password.encode())
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
                connection.execute(roles.database_sql(database).encode())
    except psycopg.Error as problem:
        raise DatabaseUnavailable(
            sentence(
                "The server could not be set up: {problem}. 'stockpile db setup --print' prints the SQL "
                "for somebody who may.",
                problem=first_line(problem),
            )
        ) from None
    upgrade(administrator.set(database=database).render_as_string(hide_password=False))
    return password


def upgrade(owner_url: str) -> None:
    """Migrates a database to the newest schema, as its owner or an administrator, who also makes what roles are new. Raises
    DatabaseUnavailable.
    """
    try:
        _make_roles(checked_url(owner_url))
        migrate.upgrade(checked_url(owner_url).render_as_string(hide_password=False))
    except DBAPIError as problem:
        raise DatabaseUnavailable(
            sentence("The schema could not be brought up: {why}", why=first_line(problem.orig))
        ) from None
    except psycopg.Error as problem:
        raise DatabaseUnavailable(
            sentence("The schema could not be brought up: {why}", why=first_line(problem))
        ) from None


def _make_roles(url: URL) -> None:
    """A schema may name roles that the one before did not know; its owner can't make them."""
    with psycopg.connect(_conninfo(url), autocommit=True, connect_timeout=10) as connection:
        if connection.info.parameter_status("is_superuser") == "on":
            connection.execute(roles.setup_sql().encode())


def _join_owner(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """An administrator who is no superuser must be able to act as the owner to give it the database."""
    if connection.info.parameter_status("is_superuser") != "on":
        connection.execute(f"GRANT {roles.OWNER} TO CURRENT_USER")


def _check_version(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    if connection.info.server_version < OLDEST * 10_000:
        raise DatabaseUnavailable(
            sentence(
                "The server is PostgreSQL {version}; it takes {oldest}.",
                version=connection.info.server_version // 10_000,
                oldest=OLDEST,
            )
        )


def _conninfo(url: URL) -> str:
    """The parts by name: what a URL's text needs to have escaped, its readers don't agree on."""
    parts = url.translate_connect_args(username="user", database="dbname")
    return make_conninfo(**{**parts, **url.query})


def first_line(problem: BaseException | None) -> str:
    """What the server said, in one line."""
    return (str(problem).strip() or "no answer").splitlines()[0]

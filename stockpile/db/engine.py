"""Connections: one engine a process, and transactions that stand in a role and a scope.

Nothing may read or write the database outside `transaction`: before it takes a role the service can do nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from stockpile.errors import DatabaseUnavailable
from stockpile.sentences import sentence

CONNECTIONS = 20


@cache
def engine_of(url: str) -> Engine:
    """The process's engine for a database URL."""
    return create_engine(
        with_driver(url),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=False,
        pool_use_lifo=True,
        hide_parameters=True,  # in the messages of its errors
        connect_args={"options": "-c search_path=stockpile -c timezone=UTC", "prepare_threshold": 2},
    )


def with_driver(url: str) -> URL:
    """The URL with psycopg 3 as its driver, however the user wrote it."""
    return make_url(url).set(drivername="postgresql+psycopg")


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that commits at the end, or rolls back; it has no role yet.

    Raises DatabaseUnavailable when the server can't be reached or the connection breaks.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as problem:
        if problem.connection_invalidated or (
            isinstance(problem.orig, psycopg.OperationalError) and not problem.orig.sqlstate
        ):
            raise DatabaseUnavailable(
                sentence(
                    "The database does not answer. What was acknowledged is safe; try again in a moment with "
                    "the same document id."
                )
            ) from None
        raise


def ask(
    connection: Connection, question: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """The rows of one of the short questions that are asked for every weapon at a counter. By the driver's own cursor, kept
    with its connection: making a cursor and a result of SQLAlchemy's takes longer than such an answer.

    Raises what `exec_driver_sql` does.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    cursor = connection.info.get("cursor")
    if cursor is None:
        cursor = connection.info["cursor"] = driver.cursor()
    try:
        cursor.execute(question, parameters)
        answer = cursor.pgresult
        return cursor.fetchall() if answer is not None and answer.status == ExecStatus.TUPLES_OK else []
    except psycopg.Error as problem:
        wrapped = DBAPIError.instance(
            question, None, problem, psycopg.Error, hide_parameters=True, connection_invalidated=driver.broken,
            dialect=connection.dialect,
        )  # fmt: skip
        if driver.broken:
            connection.invalidate(problem)
        raise wrapped from problem


def at_once(engine: Engine) -> Engine:
    """The same engine for single statements that need no transaction of their own, such as asking whose a token is."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def at_one_moment(engine: Engine) -> Engine:
    """The same engine for a long list: all its questions see the books as they were at the first."""
    return engine.execution_options(isolation_level="REPEATABLE READ")


def for_sums(connection: Connection) -> None:
    """For the rest of the transaction: compiling takes longer than adding up, and the few thousand sums fit in memory."""
    connection.exec_driver_sql("SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true)")


@contextmanager
def joining_by_hash(connection: Connection) -> Iterator[None]:
    """For a question whose parts hold thousands of rows where the planner expects one: row against row it would take hours."""
    connection.exec_driver_sql("SELECT set_config('enable_nestloop', 'off', true)")
    yield
    connection.exec_driver_sql("SELECT set_config('enable_nestloop', 'on', true)")


def take_role(connection: Connection, role: str, site_id: UUID | None = None, donor_id: UUID | None = None) -> None:
    """Takes a database role and a scope for the rest of the transaction; row-level security follows them."""
    connection.exec_driver_sql(
        "SELECT set_config('role', %s, true), set_config('stockpile.site_id', %s, true), set_config('stockpile.donor_id', %s, true)",
        (role, str(site_id or ""), str(donor_id or "")),
    )


def stand_at_desk(connection: Connection, role: str, site_id: UUID | None) -> None:
    """`take_role` for posting. Plans are kept as they are made for any values: acts ask the same short questions all day,
    and planning them anew costs more than answering. They never read a table from end to end, not even a small one: it
    may grow while the plan is kept.
    """
    ask(
        connection,
        "SELECT set_config('role', %s, true), set_config('stockpile.site_id', %s, true), "
        "set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), "
        "set_config('jit', 'off', true)",
        (role, str(site_id or "")),
    )


@contextmanager
def transaction(
    engine: Engine, role: str, site_id: UUID | None = None, donor_id: UUID | None = None
) -> Iterator[Connection]:
    """A transaction in a role and scope."""
    with connected(engine) as connection:
        take_role(connection, role, site_id, donor_id)
        yield connection


def only_read(connection: Connection, consignments: Sequence[UUID] | None) -> None:
    """From here to its end the transaction writes nothing, whatever its role may; `consignments`: the only ones that the guest's role
    reads.
    """
    connection.exec_driver_sql(
        "SELECT set_config('stockpile.consignments', %s, true), set_config('transaction_read_only', 'on', true)",
        ("{" + ",".join(map(str, consignments or ())) + "}",),
    )


def nobody_erased(connection: Connection, but_one: bool = False) -> None:
    """Until the end of the transaction no person is erased: what is kept with names in it is found by the next erasure, and none
    is kept while one looks. `but_one`: for the erasure itself.
    """
    lock = "pg_advisory_xact_lock" if but_one else "pg_advisory_xact_lock_shared"
    connection.exec_driver_sql(f"SELECT {lock}(hashtextextended('stockpile erasure', 0))")


def one_writer(connection: Connection) -> None:
    """Until the end of the transaction nobody else adds to the reference, so that what is looked up stays true: of two who
    take the same code at once, the second is told so.
    """
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended('stockpile reference', 0))")

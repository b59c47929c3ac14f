"""Bringing a database to the schema this version speaks, forward or back, as the owner role.

Back is for those who develop migrations, and no command does it: back to `base` takes all books away.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

import migrations
from stockpile.db.engine import with_driver
from stockpile.db.roles import OWNER
from stockpile.errors import DatabaseUnavailable
from stockpile.sentences import sentence

VERSIONS = {"version_table_schema": "stockpile"}
"""Where Alembic keeps the revision."""
LOCK = 7_365_001
"""Advisory lock: two processes that start at once do not migrate twice."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def newest() -> str:
    """The revision this version of the program speaks."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def check_known(revision: str) -> None:
    """Raises DatabaseUnavailable for a revision that this version of the program has no migration of."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision not in known:
        raise DatabaseUnavailable(
            sentence(
                "The database has schema {revision}, which a newer Stockpile made; this one knows "
                "schemas up to {newest}. Use the newer one. Nothing was changed.",
                revision=revision,
                newest=newest(),
            )
        )


def upgrade(url: str, revision: str = "head") -> None:
    """Migrates the database at `url` forward; the user of the URL is the owner, or may become it.

    Raises DatabaseUnavailable where a newer program has migrated it further.
    """
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Migrates back to a revision; `base` takes everything away."""
    _run(url, lambda config: command.downgrade(config, revision))


def _run(url: str, migrate: Callable[[Config], None]) -> None:
    engine = create_engine(with_driver(url))
    try:
        with engine.begin() as connection:
            _as_owner(connection)
            for found in MigrationContext.configure(connection, opts=VERSIONS).get_current_heads():
                check_known(found)
            config = _config()
            config.attributes["connection"] = connection
            migrate(config)
    finally:
        engine.dispose()


def _as_owner(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL ROLE {OWNER}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS stockpile AUTHORIZATION {OWNER}")

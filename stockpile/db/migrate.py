"""Bringing a database to the schema this version speaks, forward or back, as the owner role."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

import migrations
from stockpile.db.engine import with_driver
from stockpile.db.roles import OWNER

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


def upgrade(url: str, revision: str = "head") -> None:
    """Migrates the database at `url` forward; the user of the URL is the owner, or may become it."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Migrates back to a revision; `base` takes everything away."""
    _run(url, lambda config: command.downgrade(config, revision))


def _run(url: str, migrate: object) -> None:
    engine = create_engine(with_driver(url))
    with engine.begin() as connection:
        _as_owner(connection)
        config = _config()
        config.attributes["connection"] = connection
        assert callable(migrate)
        migrate(config)
    engine.dispose()


def _as_owner(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL ROLE {OWNER}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS stockpile AUTHORIZATION {OWNER}")

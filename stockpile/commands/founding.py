"""`stockpile init`: an empty country for real use; `stockpile db`: the database of a real server."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Annotated

import typer
from sqlalchemy import Engine

from stockpile import founding, restore
from stockpile.commands.backing_up import show_series
from stockpile.commands.shown import new_group, out
from stockpile.db import embedded, migrate, ready, roles
from stockpile.db.engine import engine_of, transaction
from stockpile.errors import Fault, Invalid
from stockpile.settings import Settings, read_settings
from stockpile.tokens import create_token

FIRST_TOKEN_LIVES = timedelta(days=30)


def init(
    organisation_code: Annotated[str, typer.Option(prompt="Code of the organisation (e.g. MOD)")],
    organisation: Annotated[str, typer.Option(prompt="Name of the organisation")],
    registrar_number: Annotated[str, typer.Option(prompt="Service number of the first registrar")],
    registrar: Annotated[str, typer.Option(prompt="Name of the first registrar")],
    site_code: Annotated[str, typer.Option(prompt="Code of the first site (e.g. TAJI)")],
    site: Annotated[str, typer.Option(prompt="Name of the first site")],
    time_zone: Annotated[str, typer.Option(prompt="Time zone of the site (e.g. Asia/Baghdad)")],
    stores: Annotated[str, typer.Option(prompt="Its stores, with commas between", help="with commas between")],
) -> None:
    """Found the books of a country for real use: empty, with its organisation, first registrar and first site."""
    settings = read_settings()
    tokens: list[str] = []

    def found(engine: Engine) -> None:
        names = [name.strip() for name in stores.split(",") if name.strip()]
        with transaction(engine, roles.REGISTRAR) as connection:
            first = (site_code, site, time_zone)
            founding.found(connection, (organisation_code, organisation), (registrar_number, registrar), first, names)
            new = create_token(connection, "registrar", "first registrar", registrar_number, lives=FIRST_TOKEN_LIVES)
            tokens.append(new.text)

    _with_database(settings, found)
    out.print(f"The books of {organisation} are founded, and empty.", markup=False)
    out.print(f"The registrar's token, valid for {FIRST_TOKEN_LIVES.days} days, shown this once:\n", markup=False)
    out.print(f"  {tokens[-1]}\n", markup=False)
    out.print("Next: 'stockpile serve', and 'stockpile token create' for whoever works at a counter.")


def _with_database(settings: Settings, found: ready.Fill) -> None:
    """Founds in the database: the real server's, or the embedded one's, which is made for it."""
    if settings.database_url:
        with ready.opened(settings) as engine:
            found(engine)
        return
    with embedded.start(settings.data) as server:
        if not ready.make_embedded(server, found):
            with ready.opened(settings) as engine:
                found(engine)


database = new_group("The database: set it up on a server of your own, bring it to the newest schema, look at it.")

UNSEEN = "Others see arguments: the password better stands in the variable, in PGPASSWORD or in ~/.pgpass"
OwnerUrl = Annotated[
    str | None, typer.Option(help=f"URL of the owner role or an administrator; or set STOCKPILE_OWNER_URL. {UNSEEN}")
]
AdministratorUrl = Annotated[
    str | None, typer.Option("--admin-url", help=f"URL of an administrator; or set STOCKPILE_ADMIN_URL. {UNSEEN}")
]


@database.command("setup")
def set_up(
    administrator_url: AdministratorUrl = None,
    printed: Annotated[bool, typer.Option("--print", help="Print the SQL for an administrator, do nothing")] = False,
    name: Annotated[str, typer.Option(help="Name of the database")] = ready.DATABASE,
) -> None:
    """Make roles, database and schema on a PostgreSQL server (15 or later)."""
    if printed:
        out.print(_sql(name), markup=False)
        return
    url = administrator_url or os.environ.get("STOCKPILE_ADMIN_URL")
    if not url:
        raise Invalid("Say as whom: --admin-url postgresql://postgres@host/postgres, or --print for the SQL.")
    password = ready.set_up(url, name)
    out.print(f"The database {name} is ready, with schema {migrate.newest()}.", markup=False)
    service = ready.checked_url(url).set(drivername="postgresql", username=roles.SERVICE, database=name)
    if password:
        out.print("The service's address with its new password, shown this once:\n")
        shown = service.set(password=password).render_as_string(hide_password=False)
        out.print(f"  export STOCKPILE_DATABASE_URL='{shown}'\n", markup=False)
    else:
        out.print(
            f"The role {roles.SERVICE} was there and kept its password; psql's \\password gives it another.",
            markup=False,
        )
    out.print("Next: 'stockpile init', then 'stockpile serve'.")


def _sql(name: str) -> str:
    return (
        "-- Run as an administrator of the server, with psql.\n"
        f"{roles.setup_sql()}"
        f"-- Who is no superuser needs, before the next line:  GRANT {roles.OWNER} TO CURRENT_USER;\n"
        f"{roles.database_sql(name)};\n"
        f"-- Then give both a password:  \\password {roles.SERVICE}   \\password {roles.OWNER}\n"
        f"-- and make the tables:  export STOCKPILE_OWNER_URL=postgresql://{roles.OWNER}:...@host/{name}\n"
        "--                       stockpile db upgrade"
    )


@database.command("upgrade")
def upgrade(owner_url: OwnerUrl = None) -> None:
    """Bring the database to the newest schema."""
    settings = read_settings()
    url = owner_url or os.environ.get("STOCKPILE_OWNER_URL")
    if settings.database_url or url:
        if not url:
            raise Invalid(
                "Say as whom: the service's role may not change the schema.",
                [Fault(f"postgresql://{roles.OWNER}:...@host/stockpile", field="--owner-url")],
            )
        ready.upgrade(url)
    else:
        with ready.reached(settings), embedded.start(settings.data) as server:
            ready.upgrade(server.url(ready.DATABASE))
    out.print(f"The database has schema {migrate.newest()}.", markup=False)


@database.command("restored")
def restored(owner_url: OwnerUrl = None) -> None:
    """After the database was restored by other means than 'stockpile restore': have its books go on in a new series."""
    url = owner_url or os.environ.get("STOCKPILE_OWNER_URL")
    if not url:
        raise Invalid(
            "Say as whom: the service's role may not close books.",
            [Fault(f"postgresql://{roles.OWNER}:...@host/stockpile", field="--owner-url")],
        )
    show_series(restore.declare(url))
    out.print("Next: 'stockpile log restored', then what docs/backup.md says.")


@database.command("status")
def status() -> None:
    """Say where the database is, its version and schema, and how much is in it."""
    settings = read_settings()
    with ready.reached(settings) as url:
        engine = engine_of(url)
        found = ready.schema_of(engine)
        out.print(f"Database: {ready.checked_url(url).render_as_string()}", markup=False)
        out.print(f"Schema:   {found or 'none'} (this program: {migrate.newest()})", markup=False)
        if found == migrate.newest():
            with transaction(engine, roles.AUDITOR) as connection:
                row = connection.exec_driver_sql(
                    """SELECT current_setting('server_version'), (SELECT count(*) FROM site),
                              (SELECT count(*) FROM document),
                              (SELECT count(*) FROM discrepancy WHERE closed_at IS NULL)"""
                ).one()
            out.print(f"Server:   PostgreSQL {row[0]}", markup=False)
            out.print(f"Books:    {row[1]:,} sites, {row[2]:,} documents, {row[3]:,} open discrepancies", markup=False)
        engine.dispose()

"""Who asks: a person by a token, in its role and scope; or, for what keeps the reference, whoever has the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

import typer
from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import connected, transaction
from stockpile.db.ready import opened
from stockpile.errors import NotSignedIn
from stockpile.reports.keyset import Page
from stockpile.rights import Actor, reading
from stockpile.settings import read_settings
from stockpile.tokens import authenticate

T = TypeVar("T")

Token = Annotated[str | None, typer.Option(envvar="STOCKPILE_TOKEN", help="The token that says who you are")]


@contextmanager
def acting(token: str | None) -> Iterator[tuple[Engine, Actor]]:
    """The books and the person of a token. Raises NotSignedIn."""
    if not token:
        raise NotSignedIn("Say who you are: set STOCKPILE_TOKEN, or give --token. 'stockpile token create' makes one.")
    with opened(read_settings()) as engine:
        with connected(engine) as connection:
            actor = authenticate(connection, token.strip())
        yield engine, actor


@contextmanager
def reading_as(token: str | None) -> Iterator[tuple[Connection, Actor]]:
    """A connection that reads in the role and scope of a token."""
    with acting(token) as (engine, actor), reading(engine, actor) as connection:
        yield connection, actor


@contextmanager
def administering() -> Iterator[Connection]:
    """A connection in the registrar's role, for whoever has the data folder or the service's password. It keeps
    reference and tokens; it moves no weapon.
    """
    with opened(read_settings()) as engine, transaction(engine, roles.REGISTRAR) as connection:
        yield connection


def every_row(ask: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """All rows of a list, page by page; `ask` gets a page's cursor."""
    cursor = None
    while True:
        page = ask(cursor)
        yield from page.rows
        cursor = page.cursor
        if cursor is None:
            return

"""What all tables share: the metadata with its naming rules, and the few column kinds that repeat."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, MetaData, Uuid, text
from sqlalchemy.sql.schema import SchemaItem

metadata = MetaData(
    schema="stockpile",
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    },
)


def key(name: str, *rest: SchemaItem, **more: Any) -> Column[Any]:
    """A UUID column."""
    return Column(name, Uuid, *rest, **more)


def moment(name: str, **more: Any) -> Column[Any]:
    """A moment in UTC."""
    return Column(name, DateTime(timezone=True), **more)


def binary(name: str, **more: Any) -> Column[Any]:
    """Bytes: a digest, a secret, a seed or a leaf."""
    return Column(name, LargeBinary, **more)


def written_in() -> Column[Any]:
    """In which transaction a row was written, as `reports/changes.py` orders changes. The last column of its table."""
    return Column(
        "written_in",
        BigInteger,
        nullable=False,
        server_default=text("pg_current_xact_id()::text::bigint"),
        comment="the transaction: the order in which changes are told",
    )

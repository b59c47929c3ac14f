"""What all tables share: the metadata with its naming rules, and the few column kinds that repeat."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, LargeBinary, MetaData, Uuid
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

"""Registers for stories about reports: lines in our fields, kept as an import of a list keeps them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.identity import serial_key
from stockpile.keys import new_key
from tests.world import Country

AS_OF = datetime(2023, 6, 2, tzinfo=UTC)


def kept(
    country: Country,
    kind: str,
    *lines: dict[str, Any],
    source: str = "USA",
    as_of: datetime = AS_OF,
    site: str | None = None,
    read: bool = True,
) -> UUID:
    """A register with these lines, each in fields of ours; `read`: somebody said which column is which."""
    register = new_key()
    rows = [dict(line) for line in lines]
    for number, row in enumerate(rows, 1):
        row |= {"register_id": register, "line": number, "cells": "[]"}
        if row.get("serial_number"):
            row["serial_key"] = serial_key(row["serial_number"])
    header = {
        "register_id": register,
        "kind": kind,
        "name": f"a list of {kind}",
        "site_id": country.sites[site].site_id if site else None,
        "as_of": as_of,
        "recorded_at": datetime.now(UTC),
        "imported_by": country.actors["registrar"].party_id,
        "line_count": len(rows),
        "rejected_count": sum(row.get("rejected") is not None for row in rows),
        "lines_digest": bytes(32),
        "seed": bytes(32),
        "leaf": b"\x03" + bytes(64),
        "source": source,
        "mapping": "{}" if read else None,
    }
    with transaction(country.engine, roles.REGISTRAR) as connection:
        for table, row in (*(("register_line", row) for row in rows), ("register", header)):
            connection.exec_driver_sql(
                f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", tuple(row.values())
            )
    return register

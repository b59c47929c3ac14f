"""What a report is narrowed to, in SQL: the entries of a donor, a model, or a unit with its people and sub-units."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.movements import AccountClass
from stockpile.reports.as_of import AsOf
from stockpile.reports.holdings import Holder, accounts_of
from stockpile.reports.scope import donor_asked, models_of
from stockpile.rights import Actor

_CONDITIONS = {
    "donor": "e.donor_id = %(donor)s",
    "models": "e.model_id = ANY (%(models)s)",
    "accounts": "(e.from_account = ANY (%(accounts)s) OR e.to_account = ANY (%(accounts)s))",
}


def entries_asked(
    connection: Connection, actor: Actor, donor: str | None, model: str | None, unit: str | None, at: AsOf
) -> tuple[str, dict[str, Any]]:
    """What holds of the entries `e` that are asked for (empty: all are), and its values. A donor is asked for its own.

    Raises NotFound (an unknown code), NotAllowed (a donor asks for a unit).
    """
    asked = {
        "donor": donor_asked(connection, actor, donor),
        "models": models_of(connection, model) if model else None,
        "accounts": accounts_of_unit(connection, actor, unit, at),
    }
    given = {name: value for name, value in asked.items() if value is not None}
    return " AND ".join(_CONDITIONS[name] for name in given), given


def accounts_of_unit(connection: Connection, actor: Actor, unit: str | None, at: AsOf) -> list[UUID] | None:
    """The accounts of a unit with its people and sub-units, in the asker's scope; None: no unit is asked for.

    Raises NotFound, NotAllowed (donors).
    """
    return accounts_of(connection, actor, Holder(unit=unit), at, tuple(AccountClass)) if unit else None


_UNITS_BELOW = """
WITH RECURSIVE below AS (
    SELECT party_id FROM party WHERE kind = 'unit' AND code = %(code)s
    UNION
    SELECT m.party_id FROM below b JOIN assignment m ON m.unit_id = b.party_id AND m.since <= %(day)s
                                                    AND (m.until IS NULL OR m.until >= %(day)s)
    JOIN party p ON p.party_id = m.party_id AND p.kind = 'unit'
)
SELECT party_id FROM below
"""


def units_below(connection: Connection, unit: str | None, day: date) -> list[UUID] | None:
    """A unit and all below it, as they belonged to it on a day; None: no unit is asked for."""
    if unit is None:
        return None
    return list(connection.exec_driver_sql(_UNITS_BELOW, {"code": unit.strip(), "day": day}).scalars())

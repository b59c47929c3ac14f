"""How often what is to be counted: rows that registrars keep, each with who says so. Those that came with the program are from
published rules, or, where they say so, from memory.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import Connection

from stockpile.db.engine import one_writer
from stockpile.documents import Asked, Words, now
from stockpile.rights import KEEP_REFERENCE, Actor, require
from stockpile.sentences import sentence

PeriodCode = Annotated[str, StringConstraints(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class Period(Asked):
    """How often something is counted: a row as it is to be."""

    what: Words = Field(
        description="What is counted, and how", examples=["unit weapons: all by serial number, monthly"]
    )
    held_by: Literal["unit", "depot"] | None = Field(
        None,
        description="unit: with units, their people, and in the stores of an accountable unit; depot: in other stores and "
        "workshops; left out: wherever it is",
    )
    security_risk_category: Literal["I", "II", "III", "IV"] | None = Field(
        None, description="Only where models of this category are held; left out: of any"
    )
    method: Literal["serial", "quantity"] = Field("serial", description="Every serial number, or only how many")
    days: Annotated[int, Field(ge=1, le=36_600)] | None = Field(
        None, description="At the latest after so many days; left out: at an event, not by the calendar", examples=[31]
    )
    source: Words = Field(description="Who says so", examples=["AR 710-2"])
    unverified: bool = Field(False, description="From memory, until somebody holds the original")
    binds: bool = Field(True, description="Whether what is due is judged by it")

    @model_validator(mode="after")
    def _has_days(self) -> Self:
        if self.binds and self.days is None:
            raise ValueError(sentence("what is due is judged by days: give days, or let it not bind"))
        return self


_KEEP = """
INSERT INTO count_period (code, what, held_by, security_risk_category, method, days, source, unverified, binds, changed_by, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (code) DO UPDATE
SET what = excluded.what, held_by = excluded.held_by, security_risk_category = excluded.security_risk_category,
    method = excluded.method, days = excluded.days, source = excluded.source, unverified = excluded.unverified,
    binds = excluded.binds, changed_by = excluded.changed_by, changed_at = excluded.changed_at
"""


def keep_period(connection: Connection, actor: Actor, code: str, period: Period) -> None:
    """Adds a period, or says anew what one is. The connection stands in the registrar's role. Raises NotAllowed."""
    require(actor, KEEP_REFERENCE)
    one_writer(connection)
    connection.exec_driver_sql(
        _KEEP,
        (
            code, period.what, period.held_by, period.security_risk_category, period.method, period.days, period.source,
            period.unverified, period.binds, actor.party_id, now(),
        ),
    )  # fmt: skip

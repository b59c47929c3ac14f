"""Plans of end-use monitoring: which class of models is monitored how closely, and within how many days. Rows that registrars keep for
every donor, and each donor for its own weapons; a donor's own come first, then what names its models most closely.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import Connection

from stockpile.db.engine import one_writer
from stockpile.documents import Asked, Code, Words, now
from stockpile.errors import NotAllowed
from stockpile.keys import new_key
from stockpile.registers.count_periods import PeriodCode
from stockpile.rights import DONOR, KEEP_PLANS, Actor, require
from stockpile.sentences import sentence

PlanCode = PeriodCode
Days = Annotated[int, Field(ge=1, le=36_600)]


class MonitoringPlan(Asked):
    """How closely a class of models is monitored: a row as it is to be."""

    what: Words = Field(
        description="Of what, and how", examples=["missiles: every serial number within 60 days, then half-yearly"]
    )
    level: Literal["routine", "enhanced"] = Field(
        "enhanced", description="enhanced: every serial number; routine: seen at visits, no serial number is due"
    )
    flagged: bool = Field(False, description="Only models that the catalogue marks for enhanced monitoring")
    category: Code | None = Field(
        None, description="Only models of this category; left out: of any", examples=["missile"]
    )
    security_risk_category: Literal["I", "II", "III", "IV"] | None = Field(
        None, description="Only models of this category of risk; left out: of any"
    )
    initial_days: Days | None = Field(
        None, description="From the arrival to the first inventory by serial number", examples=[90]
    )
    yearly_days: Days | None = Field(None, description="From one inventory to the next", examples=[365])
    source: Words = Field(description="Who says so", examples=["SAMM C8.4"])
    unverified: bool = Field(False, description="From memory, until somebody holds the original")
    binds: bool = Field(True, description="Whether what is delinquent is judged by it")

    @model_validator(mode="after")
    def _can_bind(self) -> Self:
        if self.binds and (self.level != "enhanced" or self.initial_days is None or self.yearly_days is None):
            raise ValueError(
                sentence("what is delinquent is judged by enhanced plans with both numbers of days, or let it not bind")
            )
        return self


_KEEP = """
INSERT INTO monitoring_plan (plan_id, donor_id, code, what, level, flagged, category, security_risk_category, initial_days, yearly_days,
                             source, unverified, binds, changed_by, changed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (donor_id, code) DO UPDATE
SET what = excluded.what, level = excluded.level, flagged = excluded.flagged, category = excluded.category,
    security_risk_category = excluded.security_risk_category, initial_days = excluded.initial_days, yearly_days = excluded.yearly_days,
    source = excluded.source, unverified = excluded.unverified, binds = excluded.binds, changed_by = %s,
    changed_at = excluded.changed_at
"""


def keep_plan(connection: Connection, actor: Actor, code: str, plan: MonitoringPlan) -> None:
    """Adds a plan, or says anew what one is: a donor its own, a registrar the general ones. The connection stands in the actor's role.
    Raises NotAllowed.
    """
    require(actor, KEEP_PLANS)
    if actor.role == DONOR and actor.donor_id is None:
        raise NotAllowed(sentence("Only a donor keeps its own plans."))
    if actor.role != DONOR:
        one_writer(connection)
    connection.exec_driver_sql(
        _KEEP,
        (
            new_key(), actor.donor_id if actor.role == DONOR else None, code, plan.what, plan.level, plan.flagged, plan.category,
            plan.security_risk_category, plan.initial_days, plan.yearly_days, plan.source, plan.unverified, plan.binds,
            actor.party_id, now(), actor.party_id,
        ),
    )  # fmt: skip


_MONITORED = """
SELECT DISTINCT m.model_id FROM monitoring_plan p
JOIN model m ON (m.enhanced_monitoring OR NOT p.flagged) AND m.category = coalesce(p.category, m.category)
            AND m.security_risk_category IS NOT DISTINCT FROM coalesce(p.security_risk_category, m.security_risk_category)
WHERE p.binds AND p.level = 'enhanced' AND m.tracked_by = 'serial' AND coalesce(p.donor_id, %(donor)s) = %(donor)s
"""


def monitored_models(connection: Connection, donor_id: UUID) -> list[UUID]:
    """The models of which every serial number of a donor is to be inspected."""
    return list(connection.exec_driver_sql(_MONITORED, {"donor": donor_id}).scalars())

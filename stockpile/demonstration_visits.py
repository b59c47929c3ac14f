"""End-use monitoring of the demonstration: a visit that was done, with what differed and the host's answer, one that was refused, and
one that is to come; and a routine plan that makes visits due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from stockpile.donors.plans import MonitoringPlan, keep_plan
from stockpile.donors.visits import (
    AnswerVisit,
    PlanVisit,
    RecordVisit,
    RefuseVisit,
    answer_visit,
    plan_visit,
    record_visit,
    refuse_visit,
)
from stockpile.parties import Party
from stockpile.rights import DONOR, Actor, reading

AURELIA, BOREAS = ["Lt. Col. Mira Sand", "Capt. Jo Adler"], ["Maj. Ulf Nord"]
NOBODYS = "КТ 000001"
"""A number that no weapon bears."""


def visit_depots(
    engine: Engine, today: datetime, donors: Mapping[str, Party], commander: Actor, rifles: Sequence[str]
) -> None:
    """Lets the two donors' inspectors come. Of `rifles` the first was issued, the others lie in the northern depot's main store."""
    aurelia, boreas = (_officer(donors[code]) for code in ("AURELIA", "BOREAS"))
    with reading(engine, aurelia) as connection:
        keep_plan(connection, aurelia, "small-arms", MonitoringPlan.model_validate(_PLAN))
    _done(engine, today, aurelia, commander, rifles)
    refused = {
        "number": "BOR-EUM-1", "site": "COAST", "level": "routine", "refused_on": (today - timedelta(days=20)).date(),
        "refused_by": "The duty officer of the coast depot", "why": "No clearance from the ministry", "inspectors": BOREAS,
    }  # fmt: skip
    refuse_visit(engine, boreas, RefuseVisit.model_validate(refused))
    to_come = {
        "number": "AUR-EUM-2", "site": "RIVER", "level": "routine", "planned_on": (today + timedelta(days=14)).date(),
        "inspectors": AURELIA, "notes": "We bring our own scanner.",
    }  # fmt: skip
    plan_visit(engine, aurelia, PlanVisit.model_validate(to_come))


_PLAN: dict[str, Any] = {
    "what": "Small arms of Aurelia, seen at visits", "level": "routine", "initial_days": 90, "yearly_days": 365, "binds": False,
    "source": "Agreement of the demonstration", "unverified": True,
}  # fmt: skip


def _officer(donor: Party) -> Actor:
    return Actor(donor.party_id, DONOR, donor_id=donor.party_id)


def _done(engine: Engine, today: datetime, aurelia: Actor, commander: Actor, rifles: Sequence[str]) -> None:
    """Planned, done yesterday, answered."""
    began = today - timedelta(days=1, hours=6)
    about = {"number": "AUR-EUM-1", "site": "NORTH", "store": "Main store", "level": "routine", "inspectors": AURELIA}
    plan_visit(engine, aurelia, PlanVisit.model_validate({**about, "planned_on": began.date()}))
    seen = {
        **about, "began_at": began, "ended_at": began + timedelta(hours=4),
        "lines": [{"scan": serial, "model": "AKM", "entered": "scanned"} for serial in rifles] + [{"scan": NOBODYS}],
        "physical_security": [
            {"point": "site-perimeter", "found": "yes"}, {"point": "keys", "found": "yes"},
            {"point": "locks", "found": "no", "remarks": "The side door has a bicycle lock"},
        ],
        "notes": "Shown without delay.",
    }  # fmt: skip
    visit = record_visit(engine, aurelia, RecordVisit.model_validate(seen))
    words = f"{rifles[0]} had been brought in for repair that morning. The side door gets a new lock this week."
    answer_visit(engine, commander, visit.statement_id, AnswerVisit(words=words))

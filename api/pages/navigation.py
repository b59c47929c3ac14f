"""Where one can go from every page, and which roles are shown the way. It grants nothing: each page checks by itself."""

from __future__ import annotations

from dataclasses import dataclass

from api.words import N_
from stockpile.rights import AUDITOR, COMMANDER, DESK, DONOR, READ_ALERTS, REGISTRAR, RIGHTS, ROLES, Actor

EVERYBODY = frozenset(ROLES)
HOST = EVERYBODY - {DONOR}
WHO_FOLLOWS = EVERYBODY - DESK
"""Who is told how far consignments are: a desk sees one site's weapons only."""


@dataclass(frozen=True, slots=True)
class Area:
    """A way to go: what it is called, where it leads, for whom it is; and whether for guests in one of these roles, too."""

    label: str
    path: str
    roles: frozenset[str] = HOST
    guests: bool = True


AREAS = (
    Area(N_("Start"), "/", EVERYBODY),
    Area(N_("Station"), "/station", DESK),
    Area(N_("Weapons"), "/weapons", EVERYBODY),
    Area(N_("People"), "/people"),
    Area(N_("Units"), "/units"),
    Area(N_("Documents"), "/documents", EVERYBODY),
    Area(N_("Discrepancies"), "/discrepancies", EVERYBODY),
    Area(N_("Alerts"), "/alerts", RIGHTS[READ_ALERTS], guests=False),
    Area(N_("Shipments"), "/shipments"),
    Area(N_("Consignments"), "/statements", frozenset({DONOR})),
    Area(N_("Visits"), "/visits", frozenset({DONOR}), guests=False),
    Area(N_("Counts"), "/counts"),
    Area(N_("Approvals"), "/drafts"),
    Area(N_("Tracing"), "/tracing", frozenset({REGISTRAR, AUDITOR, DONOR})),
    Area(N_("Sites"), "/sites", EVERYBODY),
    Area(N_("Catalogue"), "/models", EVERYBODY),
    Area(N_("Reports"), "/reports", EVERYBODY),
    Area(N_("Counters and PINs"), "/counters", frozenset({COMMANDER, REGISTRAR})),
)
"""In the order in which they stand in the header."""


def areas_of(actor: Actor) -> tuple[Area, ...]:
    """The ways for who is signed in."""
    return tuple(area for area in AREAS if actor.role in area.roles and (area.guests or not actor.reads_only))

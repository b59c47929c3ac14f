"""The kinds of alerts, as data: what each says, who may see it, and where its rows stand. Another kind is another row here, a question in
`finding.py`, and a word in the table's check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from stockpile.rights import AUDITOR, COMMANDER, DONOR, REGISTRAR
from stockpile.sentences import Sentence, of_the_books, template

HOST = frozenset({COMMANDER, REGISTRAR, AUDITOR})
ALL = HOST | {DONOR}


@dataclass(frozen=True, slots=True)
class AlertKind:
    """A kind: its name, who may see it, its sentence, the address of its rows; `donors_rows`: a donor's, where that is another."""

    name: str
    roles: frozenset[str]
    says: str
    rows: str
    donors_rows: str | None = None


KINDS = {
    kind.name: kind
    for kind in (
        AlertKind(
            "late",
            ALL,
            template("{number} to {site} is late: it was expected on {day}; pieces outstanding: {quantity}."),
            "{rows}",
            "/reports/consignments",
        ),
        AlertKind(
            "short",
            ALL,
            template("Shortage at {site}, {number}; lines that did not arrive as declared or shipped: {quantity}."),
            "/discrepancies?kind=shortage&document={document}",
            "/discrepancies?kind=shortage",
        ),
        AlertKind(
            "missing or lost",
            ALL,
            template("Reported missing or lost at {site}: {quantity}, by {number}."),
            "/documents/{document}",
        ),
        AlertKind(
            "missing at count",
            ALL,
            template("A count at {site} did not find {quantity} of what the books have there."),
            "/discrepancies?kind=missing+at+count",
        ),
        AlertKind(
            "count overdue",
            HOST,
            template("Stores, units and people at {site} that were to be counted by {day}, and were not: {quantity}."),
            "/counts/due?overdue=yes",
        ),
        AlertKind(
            "inspection delinquent",
            ALL,
            template("Weapons at {site} that were to be inspected by {day}, and were not: {quantity}."),
            "/reports/inspections",
        ),
        AlertKind(
            "log alarm",
            ALL,
            template("The transparency log: {what}."),
            "/log-alarms",
            "/log",
        ),
        AlertKind(
            "beyond the certificate",
            ALL,
            template("{number} at {site} went beyond the end-user certificate; pieces: {quantity}."),
            "/discrepancies?kind=beyond+the+end-user+certificate",
        ),
        AlertKind(
            "diversion alarm",
            ALL,
            template("A weapon that the books hold at {site} was found or seen abroad."),
            "/discrepancies/{discrepancy}",
        ),
        AlertKind(
            "vetting lapsed",
            frozenset({REGISTRAR, AUDITOR, DONOR}),
            template("The vetting of {unit} under the end-user certificate {number} ended on {day}."),
            "/statements/{statement}",
        ),
    )
}  # fmt: skip
"""By their names, in the order in which forms offer them."""


def kinds_for(role: str) -> tuple[str, ...]:
    """The kinds that a role may see."""
    return tuple(kind.name for kind in KINDS.values() if role in kind.roles)


def sentence_of(kind: str, about: Mapping[str, Any]) -> Sentence:
    """What an alert says, for a page to tell in its reader's language."""
    values = {name: value for name, value in about.items() if value is not None}
    if "day" in values:
        values["day"] = date.fromisoformat(values["day"])
    if "what" in values:
        values["what"] = of_the_books(values["what"])
    return Sentence(KINDS[kind].says, values)


def link_of(kind: str, about: Mapping[str, Any], of_donor: bool) -> str:
    """Where an alert's rows stand."""
    known = KINDS[kind]
    return ((of_donor and known.donors_rows) or known.rows).format(**about)

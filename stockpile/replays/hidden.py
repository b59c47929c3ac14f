"""Weapons that were hidden from the world after the books were made: whether a count of the world against the books names exactly
them, by serial number where serial numbers were recorded, else by model and holder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from stockpile.replays.episode import Figure, Origin, Stage
from stockpile.reports.audits import AuditShown

Serials = frozenset[tuple[str, str]]
"""Weapons by model and serial number."""
Quantities = Counter[tuple[str, str]]
"""How many weapons, by model and holder."""

TOLD = 20
"""So many names are told; more only counted."""


def named(
    stage: Stage, count: AuditShown, where: str, serials: Serials = frozenset(), quantities: Quantities | None = None
) -> Iterator[Figure]:
    """The count, compared with the books on the right, must name the hidden weapons and no other. `quantities`: what of them is missing
    by model and holder, where a list without serial numbers is compared.
    """
    by_serial = {
        (found.model or "", found.serial_number or "") for found in stage.country.findings(count, "only right")
    }
    by_holder: Quantities = Counter()
    for found in stage.country.findings(count, "quantity differs"):
        by_holder[found.model or "", found.held_by or ""] += (found.right_quantity or 0) - (found.left_quantity or 0)
    _tell(stage, where, [f"{model} {serial}".strip() for model, serial in sorted(by_serial)])
    _tell(stage, where, [f"{number} {model} of {holder}" for (model, holder), number in sorted(by_holder.items())])
    if serials or quantities is None:
        found_again = len(by_serial & serials)
        yield Figure(f"hidden weapons named by serial number, {where}", found_again, len(serials), Origin.LAW)
    hidden = quantities or Counter()
    if hidden:
        in_all = (by_holder & hidden).total()
        yield Figure(f"hidden weapons named by model and holder, {where}", in_all, hidden.total(), Origin.LAW)
    besides = sum(abs(number - hidden[key]) for key, number in by_holder.items()) + len(by_serial - serials)
    besides += count.audit.only_left + count.audit.conflicting + count.audit.near_match
    yield Figure(f"anything else named, {where}", besides, 0, Origin.LAW)


def _tell(stage: Stage, where: str, names: Iterable[str]) -> None:
    listed = list(names)
    if listed:
        more = f" and {len(listed) - TOLD:,} more" if len(listed) > TOLD else ""
        stage.tell(f"missing, {where}: {', '.join(listed[:TOLD])}{more}")

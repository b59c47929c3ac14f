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


def named_by_serial(stage: Stage, count: AuditShown, hidden: Serials, where: str) -> Iterator[Figure]:
    """The count, compared with the books on the right, must name the hidden weapons and no other."""
    missing = {(found.model or "", found.serial_number or "") for found in stage.country.findings(count, "only right")}
    _tell(stage, (f"{model} {serial}" for model, serial in sorted(missing)), where)
    found = count.audit
    besides = found.only_left + found.conflicting + found.near_match + found.quantity_differs
    yield Figure(f"hidden weapons named, {where}", len(missing & hidden), stage.remove, Origin.LAW)
    yield Figure(f"anything else named, {where}", len(missing - hidden) + besides, 0, Origin.LAW)


def named_by_holder(stage: Stage, count: AuditShown, hidden: Quantities, where: str) -> Iterator[Figure]:
    """The same where the books know no serial numbers: so many of a model missing with a holder."""
    missing: Quantities = Counter()
    for found in stage.country.findings(count, "quantity differs"):
        missing[found.model or "", found.held_by or ""] += (found.right_quantity or 0) - (found.left_quantity or 0)
    _tell(stage, (f"{number} {model} of {holder}" for (model, holder), number in sorted(missing.items())), where)
    besides = sum(abs(number - hidden[key]) for key, number in missing.items())
    besides += count.audit.only_left + count.audit.only_right + count.audit.conflicting
    yield Figure(f"hidden weapons named, {where}", (missing & hidden).total(), stage.remove, Origin.LAW)
    yield Figure(f"anything else named, {where}", besides, 0, Origin.LAW)


def _tell(stage: Stage, names: Iterable[str], where: str) -> None:
    listed = list(names)
    more = f" and {len(listed) - TOLD:,} more" if len(listed) > TOLD else ""
    stage.tell(f"missing, {where}: {', '.join(listed[:TOLD]) or 'nothing'}{more}")

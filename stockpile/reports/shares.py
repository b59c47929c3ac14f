"""Shares of a whole, as reports print them: in percent, to one digit."""

from __future__ import annotations

from decimal import Decimal


def percent(part: int | Decimal, whole: int | Decimal) -> float | None:
    """A share in percent, to one digit; None of nothing."""
    return round(100 * float(part) / float(whole), 1) if whole else None

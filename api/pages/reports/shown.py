"""What several reports show alike: sums above a list, and the ways from a row to its weapon and its document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.pages.listing import Figure
from stockpile.reports.export import PageOf
from stockpile.reports.lines import Lines


def sums(*labels: tuple[str, str]) -> Any:
    """Figures above a list from the sums of its lines, in their order."""

    def figures(page: PageOf[Any]) -> Sequence[Figure]:
        assert isinstance(page, Lines)
        return [(label, value, kind) for (label, kind), value in zip(labels, page.sums, strict=True)]

    return figures


def weapon_page(row: Any) -> str | None:
    """Where the weapon of a row is told of."""
    return f"/weapons/{row.item_id}" if row.item_id else None


def document_page(row: Any) -> str | None:
    """Where the document of a row is told of."""
    return f"/documents/{row.document_id}" if row.document_id else None

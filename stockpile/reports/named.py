"""How a person is named in a report: by rank, name and number; as erased; or, out of the asker's scope, not at all."""

from __future__ import annotations

ERASED = "erased person"
ELSEWHERE = "a person of another site"


def named(party: str) -> str:
    """SQL for the name of a party; `party` is its table's alias in a LEFT JOIN, which row-level security may leave empty."""
    return f"""CASE WHEN {party}.party_id IS NULL THEN '{ELSEWHERE}' WHEN {party}.erased_at IS NOT NULL THEN '{ERASED}'
            ELSE concat_ws(' ', {party}.rank, {party}.name, '(' || {party}.code || ')') END"""

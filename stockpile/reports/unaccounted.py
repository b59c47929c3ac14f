"""What one side says was handed over and the other does not have: two registers, or a register against the ledger, by model. The comparing
itself is an audit; this asks it the question of 2007.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.reports.audits import audit_called
from stockpile.reports.lines import NUMBER, Question, read_lines
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import template

QUESTION = template("How many of what one list says was handed over are not in the other, by model?")
FINDING = template(
    "185,000 rifles and 170,000 pistols were reported as issued, the property books held 75,000 and 90,000: at least 190,000 weapons "
    "unaccounted for (GAO-07-711, 2007)."
)


@dataclass(frozen=True, slots=True)
class UnaccountedLine:
    """A model: the pieces that each side says; how many of the left side's are not on the right one, and the other way round. Who holds
    them is compared too, where both sides say it: one unit's surplus does not hide what another lacks.
    """

    model: str | None
    left: int
    right: int
    unaccounted: int
    not_left: int


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """The lines of an audit's models, and their sums; without an audit there is nothing to tell yet."""

    rows: tuple[UnaccountedLine, ...]
    audit_id: UUID | None
    audit: str | None
    left_list: str | None
    right_list: str | None
    recorded_at: datetime | None
    left: int
    right: int
    unaccounted: int
    not_left: int
    cursor: str | None


_LINE = """
WITH summed AS MATERIALIZED (
    SELECT t->>'kind' AS kind, t->>'model' AS model, (t->>'left_quantity')::bigint AS l, (t->>'right_quantity')::bigint AS r
    FROM audit a CROSS JOIN LATERAL jsonb_array_elements(a.totals->'by_model') t WHERE a.audit_id = %(audit)s
), missing AS (
    SELECT f.model, sum(greatest(coalesce(f.left_quantity, 0) - coalesce(f.right_quantity, 0), 0))::bigint AS unaccounted,
           sum(greatest(coalesce(f.right_quantity, 0) - coalesce(f.left_quantity, 0), 0))::bigint AS not_left
    FROM audit_finding f
    WHERE f.audit_id = %(audit)s AND f.kind IN ('only left', 'only right', 'quantity differs') GROUP BY f.model
), line AS (
    SELECT t.model, sum(t.l)::bigint AS l, sum(t.r)::bigint AS r, coalesce(max(m.unaccounted), 0)::bigint AS unaccounted,
           coalesce(max(m.not_left), 0)::bigint AS not_left, coalesce(t.model, '') AS key
    FROM summed t LEFT JOIN missing m ON m.model IS NOT DISTINCT FROM t.model
    WHERE t.kind IN ('matched', 'conflicting', 'only left', 'only right', 'quantity matched', 'quantity differs')
    GROUP BY t.model
)"""
_SUMS = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in ("l", "r", "unaccounted", "not_left"))
ORDERS = {
    "model": "''",
    "left": NUMBER.format("l"),
    "right": NUMBER.format("r"),
    "unaccounted": NUMBER.format("unaccounted"),
    "not_left": NUMBER.format("not_left"),
}
_AUDIT = """
SELECT a.audit_id, a.name || '#' || a.run, a.left_side->>'title', a.right_side->>'title', a.recorded_at FROM audit a WHERE a.audit_id = %s
"""
_NEWEST = "SELECT audit_id FROM audit ORDER BY recorded_at DESC, audit_id DESC LIMIT 1"


def unaccounted(
    connection: Connection,
    actor: Actor,
    audit: str | None = None,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Unaccounted:
    """By model, of the audit named (a key, a name, `name#run`), else of the newest that the asker may read.

    Raises NotAllowed (donors), NotFound, Invalid (limit, cursor, order).
    """
    require(actor, READ_PEOPLE)
    if audit is not None:
        audit_id: UUID | None = audit_called(connection, audit)
    else:
        audit_id = connection.exec_driver_sql(_NEWEST).scalar_one_or_none()
    question = Question(_LINE, _SUMS, "p.model, p.l, p.r, p.unaccounted, p.not_left", ORDERS, "''")
    found = read_lines(connection, question, {"audit": audit_id}, UnaccountedLine, limit, cursor, order)
    named = connection.exec_driver_sql(_AUDIT, (audit_id,)).one() if audit_id else (None,) * 5
    return Unaccounted(*(found.rows, *named, *found.sums, found.cursor))

"""Compare two lists and name every difference. Weapons are compared by model and serial number, what has no serial number by
quantity, by model and who holds it.

Of each side every line with a serial number is in exactly one finding of these: *matched*, *conflicting* (the same weapon, but a
field says otherwise), *only left* or *only right*; or it is a further mention of a number that its list repeats. Beside these stand
*repeated* (once a number, with how often), *incomplete* (once a line) and *near match* (a pair of an only left and an only right).
A line without a serial number is in one *quantity* finding. Swapping the sides swaps the findings, and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.rows import given
from stockpile.db.tables.audits import CHUNK
from stockpile.progress import told
from stockpile.registers.near import Unmatched, near_matches
from stockpile.registers.sides import DATES, Side

LEFT, RIGHT = "left_side", "right_side"
"""The temporary tables that the two sides are laid out in."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many findings of a kind and model, and the quantities in them. `times`: in all, how often repeated numbers stand."""

    kind: str
    model: str | None
    findings: int
    left_quantity: int
    right_quantity: int
    times: int


def reconcile(connection: Connection, audit_id: UUID, left: Side, right: Side) -> list[Total]:
    """Compares two sides that are laid out as `LEFT` and `RIGHT`, and writes the findings of the audit; answers how many of each
    kind and model.
    """
    for number, (what, step) in enumerate(STEPS):
        told(what, number, len(STEPS))
        step(connection, audit_id, left, right)
    return _totals(connection, audit_id)


def for_joins(connection: Connection) -> None:
    """For the rest of the transaction: two lists of half a million lines are joined in memory, by hash, whatever the planner thinks of
    temporary tables that it knows nothing of.
    """
    connection.exec_driver_sql(
        "SELECT set_config('jit', 'off', true), set_config('work_mem', '256MB', true), set_config('enable_nestloop', 'off', true), "
        "set_config('enable_mergejoin', 'off', true)"
    )


def _find_repeated(connection: Connection, audit_id: UUID, left: Side, right: Side) -> None:
    """Lines that repeat a number of their own list: `further_...` has those after the first, with which mention each is."""
    for side in (left, right):
        for statement in _REPEATED:
            connection.exec_driver_sql(statement.format(side=side.table))


_REPEATED = (
    """
CREATE TEMPORARY TABLE repeated_{side} ON COMMIT DROP AS
SELECT model_key, serial_key, count(*)::integer AS times FROM {side}
WHERE serial_key IS NOT NULL
GROUP BY model_key, serial_key HAVING count(*) > 1
""",
    """
CREATE TEMPORARY TABLE further_{side} ON COMMIT DROP AS
SELECT place, model_key, serial_key, mention FROM (
    SELECT s.place, s.model_key, s.serial_key, row_number() OVER (PARTITION BY s.model_key, s.serial_key ORDER BY s.place) AS mention
    FROM repeated_{side} r JOIN {side} s ON s.serial_key = r.serial_key AND s.model_key IS NOT DISTINCT FROM r.model_key) m
WHERE mention > 1
""",
    "ANALYZE further_{side}",
)


def _pair(connection: Connection, audit_id: UUID, left: Side, right: Side) -> None:
    """Pairs the first mentions by model and number; then the rest by number alone where neither side has two of it: the models
    conflict, or one is not said. Two weapons of the ledger under one number are paired with as many mentions.
    """
    connection.exec_driver_sql(_PAIRS)
    connection.exec_driver_sql(_CROSSED)
    if left.distinct or right.distinct:
        connection.exec_driver_sql(_TWINS)
    for side, other in ((left, right), (right, left)):
        if side.distinct:
            connection.exec_driver_sql(_ALONE.format(side=side.table, here=_hand(side), other=_hand(other)))


def _hand(side: Side) -> str:
    return side.table.removesuffix("_side")


_DIFFER = {
    "model": "l.model_key <> r.model_key",
    **{day: f"l.{day} <> r.{day}" for day in DATES},
    **{
        who: f"l.{who} <> r.{who} AND NOT coalesce(l.{who} = ANY (r.also), false) AND NOT coalesce(r.{who} = ANY (l.also), false)"
        for who in ("unit", "holder")
    },
}
"""In what the two sides of a pair may differ: where both say it, and it is not another name of the same."""
_PAIR = f"""
SELECT l.place AS left_place, r.place AS right_place, l.line AS left_line, r.line AS right_line, l.item_id AS left_item,
       r.item_id AS right_item, coalesce(l.model, r.model) AS model, NOT coalesce({" OR ".join(_DIFFER.values())}, false) AS agree
"""
_PAIRS = f"""
CREATE TEMPORARY TABLE pair ON COMMIT DROP AS
WITH l AS (SELECT * FROM left_side s WHERE serial_key IS NOT NULL
           AND NOT EXISTS (SELECT FROM further_left_side f WHERE f.place = s.place)),
     r AS (SELECT * FROM right_side s WHERE serial_key IS NOT NULL
           AND NOT EXISTS (SELECT FROM further_right_side f WHERE f.place = s.place))
{_PAIR} FROM l FULL JOIN r ON l.serial_key = r.serial_key AND l.model_key = r.model_key
"""
_CROSSED = f"""
WITH lone_left AS (SELECT s.serial_key, min(s.place) AS place FROM pair p JOIN left_side s ON s.place = p.left_place
                   WHERE p.right_place IS NULL GROUP BY s.serial_key HAVING count(*) = 1),
     lone_right AS (SELECT s.serial_key, min(s.place) AS place FROM pair p JOIN right_side s ON s.place = p.right_place
                    WHERE p.left_place IS NULL GROUP BY s.serial_key HAVING count(*) = 1),
     met AS (SELECT a.place AS left_place, b.place AS right_place FROM lone_left a JOIN lone_right b USING (serial_key)),
     of_left AS (DELETE FROM pair p USING met m WHERE p.left_place = m.left_place),
     of_right AS (DELETE FROM pair p USING met m WHERE p.left_place IS NULL AND p.right_place = m.right_place)
INSERT INTO pair {_PAIR} FROM met m JOIN left_side l ON l.place = m.left_place JOIN right_side r ON r.place = m.right_place
"""
_TWINS = f"""
INSERT INTO pair {_PAIR}
FROM further_left_side f JOIN further_right_side g ON g.serial_key = f.serial_key AND g.model_key = f.model_key AND g.mention = f.mention
JOIN left_side l ON l.place = f.place JOIN right_side r ON r.place = g.place
"""
_ALONE = """
INSERT INTO pair ({here}_place)
SELECT f.place FROM further_{side} f WHERE NOT EXISTS (SELECT FROM pair p WHERE p.{here}_place = f.place)
"""


def _write_pairs(connection: Connection, audit_id: UUID, left: Side, right: Side) -> None:
    """What agrees, a thousand pairs a row; what conflicts, and what one side alone has, finding by finding."""
    conflicting = _WRITE_CONFLICTING.format(
        held_by=" || ' / ' || ".join(f"{hand}.holder" for hand, side in (("l", left), ("r", right)) if side.distinct)
        or "NULL"
    )
    for statement in (_WRITE_MATCHED, conflicting):
        connection.exec_driver_sql(statement, {"audit": audit_id, "chunk": CHUNK})
    for side, other in ((left, right), (right, left)):
        held_by = "s.holder" if side.distinct else "NULL"
        statement = _WRITE_ALONE.format(side=side.table, here=_hand(side), other=_hand(other), held_by=held_by)
        connection.exec_driver_sql(statement, {"audit": audit_id})


_WRITE_MATCHED = """
INSERT INTO audit_matched (audit_id, chunk, left_lines, right_lines, left_items, right_items)
SELECT %(audit)s, number / %(chunk)s, array_agg(left_line ORDER BY number), array_agg(right_line ORDER BY number),
       CASE WHEN count(left_item) > 0 THEN array_agg(left_item ORDER BY number) END,
       CASE WHEN count(right_item) > 0 THEN array_agg(right_item ORDER BY number) END
FROM (SELECT p.*, row_number() OVER (ORDER BY left_place) - 1 AS number FROM pair p
      WHERE agree AND left_place IS NOT NULL AND right_place IS NOT NULL) p GROUP BY number / %(chunk)s
"""
_WHY = ", ".join(f"CASE WHEN {differ} THEN '{what}' END" for what, differ in _DIFFER.items())
_WRITE_CONFLICTING = f"""
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, held_by, left_line, right_line,
                           left_item, right_item, left_quantity, right_quantity, why)
SELECT %(audit)s, 'conflicting', row_number() OVER (ORDER BY l.serial_key), coalesce(l.model_key, r.model_key), p.model, l.serial_key,
       l.serial_number,
       {{held_by}}, p.left_line, p.right_line, p.left_item, p.right_item, 1, 1, array_remove(ARRAY[{_WHY}], NULL)
FROM pair p JOIN left_side l ON l.place = p.left_place JOIN right_side r ON r.place = p.right_place WHERE NOT p.agree
"""
_WRITE_ALONE = """
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, held_by, {here}_line,
                           {here}_item, {here}_quantity)
SELECT %(audit)s, 'only {here}', row_number() OVER (ORDER BY s.serial_key), s.model_key, s.model, s.serial_key, s.serial_number,
       {held_by}, s.line, s.item_id, 1
FROM pair p JOIN {side} s ON s.place = p.{here}_place WHERE p.{other}_place IS NULL
"""


def _write_repeated(connection: Connection, audit_id: UUID, left: Side, right: Side) -> None:
    """A list that mentions a number several times. The ledger never does: those are several weapons."""
    for side in (left, right):
        if not side.distinct:
            connection.exec_driver_sql(_WRITE_REPEATED.format(side=side.table, hand=_hand(side)), {"audit": audit_id})


_WRITE_REPEATED = """
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, {hand}_line,
                           {hand}_item, {hand}_quantity, times)
SELECT %(audit)s, 'repeated {hand}', row_number() OVER (ORDER BY s.serial_key), s.model_key, s.model, s.serial_key, s.serial_number,
       s.line, s.item_id, r.times, r.times
FROM repeated_{side} r JOIN {side} s ON s.serial_key = r.serial_key AND s.model_key IS NOT DISTINCT FROM r.model_key
WHERE NOT EXISTS (SELECT FROM further_{side} f WHERE f.place = s.place)
"""


def _write_incomplete(connection: Connection, audit_id: UUID, left: Side, right: Side) -> None:
    """What a line leaves out though its list says it of others: a whole list without dates is told once, of the side."""
    for side in (left, right):
        missing = [
            f"CASE WHEN {condition} THEN '{what}' END"
            for what, (says, condition) in LEFT_OUT.items()
            if says & side.says
        ]
        if missing and not side.distinct:
            question = _WRITE_INCOMPLETE.format(side=side.table, hand=_hand(side), missing=", ".join(missing))
            connection.exec_driver_sql(question, {"audit": audit_id})


LEFT_OUT: dict[str, tuple[frozenset[str], str]] = {
    "no serial number": (frozenset({"serial_number"}), "s.serial_key IS NULL AND NOT s.counted"),
    "no model": (frozenset({"model"}), "s.model IS NULL"),
    "no date": (frozenset(DATES), "s.shipped_on IS NULL AND s.received_on IS NULL AND s.dated_on IS NULL"),
    "no receiver": (frozenset({"receiver"}), "s.unit IS NULL AND s.holder IS NULL"),
}
"""What a line may leave out: where the list says one of these fields at all, and the condition."""
_WRITE_INCOMPLETE = """
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, {hand}_line,
                           {hand}_item, {hand}_quantity, why)
SELECT %(audit)s, 'incomplete {hand}', row_number() OVER (ORDER BY place), model_key, model, serial_key, serial_number,
       line, item_id, quantity, why
FROM (SELECT s.*, array_remove(ARRAY[{missing}]::text[], NULL) AS why FROM {side} s) s WHERE why <> '{{}}'
"""


def _write_quantities(connection: Connection, audit_id: UUID, left: Side, right: Side) -> None:
    """What has no serial number is counted against what the other side has left of the model: its own lines without a number,
    and the weapons whose numbers this side does not name.
    """
    connection.exec_driver_sql(_WITHOUT_NUMBER)
    connection.exec_driver_sql(_WRITE_QUANTITIES, {"audit": audit_id})


_WITHOUT_NUMBER = """
CREATE TEMPORARY TABLE without_number ON COMMIT DROP AS
SELECT 'left' AS hand, model_key, model, unit, holder, quantity FROM left_side WHERE serial_key IS NULL
UNION ALL
SELECT 'right', model_key, model, unit, holder, quantity FROM right_side WHERE serial_key IS NULL
"""
# By holder where every line of a model says one, else by unit where every line does, else by model alone.
_WRITE_QUANTITIES = """
WITH lone AS (
    SELECT 'left' AS hand, s.model_key, s.model, s.unit, s.holder, s.quantity
    FROM pair p JOIN left_side s ON s.place = p.left_place WHERE p.right_place IS NULL
      AND EXISTS (SELECT FROM without_number w WHERE w.hand = 'right' AND w.model_key = s.model_key)
    UNION ALL
    SELECT 'right', s.model_key, s.model, s.unit, s.holder, s.quantity
    FROM pair p JOIN right_side s ON s.place = p.right_place WHERE p.left_place IS NULL
      AND EXISTS (SELECT FROM without_number w WHERE w.hand = 'left' AND w.model_key = s.model_key)
), rest AS (
    SELECT * FROM without_number UNION ALL SELECT * FROM lone
), said AS (
    SELECT model_key, bool_and(holder IS NOT NULL) AS holders, bool_and(unit IS NOT NULL) AS units FROM rest GROUP BY model_key
), told AS (
    SELECT r.*, CASE WHEN s.holders THEN r.holder WHEN s.units THEN r.unit END AS held_by
    FROM rest r JOIN said s ON s.model_key IS NOT DISTINCT FROM r.model_key
), summed AS (
    SELECT model_key, min(model) AS model, held_by, coalesce(sum(quantity) FILTER (WHERE hand = 'left'), 0)::bigint AS on_left,
           coalesce(sum(quantity) FILTER (WHERE hand = 'right'), 0)::bigint AS on_right
    FROM told GROUP BY model_key, held_by
)
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, held_by, left_quantity, right_quantity)
SELECT %(audit)s, CASE WHEN on_left = on_right THEN 'quantity matched' ELSE 'quantity differs' END,
       row_number() OVER (ORDER BY model, held_by), model_key, model, held_by, on_left, on_right
FROM summed
"""


def _write_near(connection: Connection, audit_id: UUID, left: Side, right: Side) -> None:
    """Pairs of an only left and an only right that may be one weapon, misread."""
    lefts, rights = (_unmatched(connection, audit_id, hand) for hand in ("left", "right"))
    rows = list(near_matches(lefts, rights))
    columns = (("left_number", "int4"), ("right_number", "int4"), ("rank", "int4"), ("why", "text"))
    with given(connection, columns, rows, len(rows)) as handed:
        handed.insert(_WRITE_NEAR, (audit_id,))


def _unmatched(connection: Connection, audit_id: UUID, hand: str) -> Iterator[Unmatched]:
    rows = connection.exec_driver_sql(
        "SELECT number, model_key, serial_key FROM audit_finding WHERE audit_id = %s AND kind = %s AND model_key IS NOT NULL",
        (audit_id, f"only {hand}"),
    )
    return (Unmatched(*row) for row in rows)


_WRITE_NEAR = """
WITH this AS (SELECT %s::uuid AS audit_id)
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, left_line, right_line, left_item,
                           right_item, left_quantity, right_quantity, times, why)
SELECT this.audit_id, 'near match', row_number() OVER (ORDER BY g.rank, g.left_number, g.right_number), l.model_key, l.model,
       l.serial_key, l.serial_number, l.left_line, r.right_line, l.left_item, r.right_item, l.left_quantity, r.right_quantity,
       g.rank, ARRAY[g.why]
FROM this CROSS JOIN (SELECT * FROM {given}) g
JOIN audit_finding l ON l.audit_id = this.audit_id AND l.kind = 'only left' AND l.number = g.left_number
JOIN audit_finding r ON r.audit_id = this.audit_id AND r.kind = 'only right' AND r.number = g.right_number
"""

STEPS = (
    ("numbers that repeat", _find_repeated),
    ("pairs", _pair),
    ("findings written", _write_pairs),
    ("repeated numbers", _write_repeated),
    ("lines left incomplete", _write_incomplete),
    ("quantities", _write_quantities),
    ("near matches", _write_near),
)
"""What is done, in its order."""

_TOTALS = """
SELECT kind, model, count(*), coalesce(sum(left_quantity), 0)::bigint, coalesce(sum(right_quantity), 0)::bigint,
       coalesce(sum(times), 0)::bigint
FROM audit_finding WHERE audit_id = %s GROUP BY kind, model
UNION ALL
SELECT 'matched', model, count(*), count(*), count(*), 0 FROM pair
WHERE agree AND left_place IS NOT NULL AND right_place IS NOT NULL GROUP BY model
ORDER BY 1, 2
"""


def _totals(connection: Connection, audit_id: UUID) -> list[Total]:
    return [Total(*row) for row in connection.exec_driver_sql(_TOTALS, (audit_id,))]

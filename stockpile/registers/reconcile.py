"""Compare two lists and name every difference. Weapons are compared by model and serial number, what has no serial number by
quantity, by model and who holds it.

Of each side every line with a serial number is in exactly one finding of these: *matched*, *conflicting* (the same weapon, but a
field says otherwise), *only left* or *only right*; or it is a further mention of a number that its list repeats. Beside these stand
*repeated* (once a number, with how often), *incomplete* (once a line) and *near match* (a pair of an only left and an only right).
A line without a serial number is in one *quantity* finding. Swapping the sides swaps the findings, and changes nothing else.

All lines of both sides meet in one statement, which leaves in the temporary table `pair` what each pair, or line that met none, says
on either side and what kind of finding it is; every other step reads this table alone.
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
from stockpile.registers.sides import DATES, FIELDS, Hand, Side

HANDS: tuple[Hand, Hand] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Total:
    """How many findings of a kind and model, and the quantities in them. `times`: in all, how often repeated numbers stand."""

    kind: str
    model: str | None
    findings: int
    left_quantity: int
    right_quantity: int
    times: int


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found: how much of each kind and model. Near matches that are no longer told of, because somebody judged them:
    `judged_same` of them are paired as one weapon, `judged_different` are two.
    """

    totals: tuple[Total, ...]
    judged_same: int
    judged_different: int


def reconcile(connection: Connection, audit_id: UUID, left: Side, right: Side) -> Reconciled:
    """Compares two sides and writes the findings of the audit. What was judged of near matches lies in the temporary table `judged`
    (`judgements`).
    """
    totals: list[Total] = []
    for number, (what, step) in enumerate(STEPS):
        told(what, number, len(STEPS))
        totals += step(connection, audit_id, left, right)
    told("totals", len(STEPS), len(STEPS))
    totals.sort(key=lambda total: (total.kind, total.model is None, total.model or ""))
    same, different = connection.exec_driver_sql(_JUDGED_ALREADY).one()
    return Reconciled(tuple(totals), same, different)


_JUDGED_ALREADY = "SELECT count(*) FILTER (WHERE paired), count(*) FILTER (WHERE NOT paired) FROM judged_already"


_WRITTEN = """
WITH written AS ({insert} RETURNING kind, model, left_quantity, right_quantity, times)
SELECT kind, model, count(*), coalesce(sum(left_quantity), 0)::bigint, coalesce(sum(right_quantity), 0)::bigint,
       coalesce(sum(times), 0)::bigint
FROM written GROUP BY kind, model
"""


def _written(connection: Connection, insert: str, audit_id: UUID) -> list[Total]:
    """Writes findings, and adds them up as they go by."""
    return [Total(*row) for row in connection.exec_driver_sql(_WRITTEN.format(insert=insert), {"audit": audit_id})]


def for_joins(connection: Connection) -> None:
    """For the rest of the transaction: two lists of half a million lines are joined in memory, by hash, whatever the planner thinks of
    temporary tables that it knows nothing of; and read and sorted by several processes, whose rows it thinks dearer than they are.
    """
    connection.exec_driver_sql(
        "SELECT set_config('jit', 'off', true), set_config('work_mem', '256MB', true), set_config('enable_nestloop', 'off', true), "
        "set_config('enable_mergejoin', 'off', true), set_config('parallel_tuple_cost', '0.01', true)"
    )


def _pair(connection: Connection, audit_id: UUID, left: Side, right: Side) -> list[Total]:
    """Pairs all lines of both sides by model, number and mention; then by number alone what is left, where neither side has two of it:
    the models conflict, or one is not said.
    """
    became = _became(left, right)
    lines = {hand: _LINES.format(query=side.query, missing=_missing(side)) for hand, side in _hands(left, right)}
    connection.exec_driver_sql(_PAIRS.format(became=became, **lines), {**left.values, **right.values})
    connection.exec_driver_sql(_CROSSED.format(became=became))
    if connection.exec_driver_sql("SELECT count(*) FROM judged").scalar_one():
        connection.exec_driver_sql(_PAIR_JUDGED)
        connection.exec_driver_sql(_PAIRED_AS_JUDGED.format(became=became))
    else:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE judged_already (paired boolean) ON COMMIT DROP")
    return []


def _hands(left: Side, right: Side) -> Iterator[tuple[Hand, Side]]:
    return zip(HANDS, (left, right), strict=True)


_LINES = "SELECT s.*, {missing} AS missing FROM ({query}) s"
"""Each line, with what it leaves out."""
LEFT_OUT: dict[str, tuple[frozenset[str], str]] = {
    "no serial number": (frozenset({"serial_number"}), "s.serial_key IS NULL AND NOT s.counted"),
    "no model": (frozenset({"model"}), "s.model IS NULL"),
    "no date": (frozenset(DATES), "s.shipped_on IS NULL AND s.received_on IS NULL AND s.dated_on IS NULL"),
    "no receiver": (frozenset({"receiver"}), "s.unit IS NULL AND s.holder IS NULL"),
}
"""What a line may leave out: where the list says one of these fields at all, and the condition."""


def _missing(side: Side) -> str:
    """What a line leaves out though its list says it of others: a whole list without dates is told once, of the side."""
    left_out = {
        what: condition for what, (says, condition) in LEFT_OUT.items() if says & side.says and not side.distinct
    }
    if not left_out:
        return "NULL::text[]"
    return f"CASE WHEN {' OR '.join(left_out.values())} THEN {_named(left_out)} END"


def _named(conditions: dict[str, str]) -> str:
    """The names of the conditions that are true."""
    cases = ", ".join(f"CASE WHEN {condition} THEN '{what}' END" for what, condition in conditions.items())
    return f"array_remove(ARRAY[{cases}], NULL)"


def _became(left: Side, right: Side) -> str:
    """The kind of finding that a line or a pair is, in SQL. A further mention of a number is none, unless the side's lines are
    weapons: two weapons of the ledger under one number are two findings, and are paired with as many mentions.
    """
    return _BECAME.format(
        left="true" if left.distinct else "left_mention = 1",
        right="true" if right.distinct else "right_mention = 1",
        both="true" if left.distinct or right.distinct else "left_mention = 1",
    )


_DIFFER = {
    "model": "left_model_key <> right_model_key",
    **{day: f"left_{day} <> right_{day}" for day in DATES},
    **{
        who: f"left_{who} <> right_{who} AND NOT coalesce(left_{who} = ANY (right_also), false) "
        f"AND NOT coalesce(right_{who} = ANY (left_also), false)"
        for who in ("unit", "holder")
    },
}
"""In what the two sides of a pair may differ: where both say it, and it is not another name of the same."""
_BECAME = f"""CASE WHEN left_serial_key IS NULL AND right_serial_key IS NULL THEN NULL
            WHEN right_mention IS NULL THEN CASE WHEN {{left}} THEN 'only left' END
            WHEN left_mention IS NULL THEN CASE WHEN {{right}} THEN 'only right' END
            WHEN {{both}} THEN CASE WHEN {" OR ".join(_DIFFER.values())} THEN 'conflicting' ELSE 'matched' END END"""

_FIRST = ("mention", "repeated", "missing")
_SAID = (*_FIRST, *(field for field in FIELDS if field not in (*_FIRST, "counted")))
"""What either side of a pair says; a side that is not there has no mention. First what other steps look for their lines by."""
_MET = ", ".join(f"{hand[0]}.{{{hand}}}{field} AS {hand}_{field}" for field in _SAID for hand in HANDS)
_PAIRS = f"""
CREATE TEMPORARY TABLE pair ON COMMIT DROP AS
WITH l AS ({{left}}), r AS ({{right}}), met AS (
    SELECT {_MET.format(left="", right="")}
    FROM l FULL JOIN r ON l.serial_key = r.serial_key AND l.model_key = r.model_key AND l.mention = r.mention
)
SELECT {{became}} AS kind, met.* FROM met
"""
_CROSSED = f"""
WITH lone AS (
    SELECT min(ctid) FILTER (WHERE kind = 'only left') AS left_row, min(ctid) FILTER (WHERE kind = 'only right') AS right_row
    FROM pair WHERE kind IN ('only left', 'only right') AND coalesce(left_mention, right_mention) = 1
    GROUP BY coalesce(left_serial_key, right_serial_key) HAVING count(left_mention) = 1 AND count(right_mention) = 1
), l AS (
    DELETE FROM pair WHERE ctid = ANY (ARRAY(SELECT left_row FROM lone)) RETURNING *
), r AS (
    DELETE FROM pair WHERE ctid = ANY (ARRAY(SELECT right_row FROM lone)) RETURNING *
), met AS (
    SELECT {_MET.format(left="left_", right="right_")}
    FROM l JOIN r ON r.right_serial_key = l.left_serial_key
)
INSERT INTO pair SELECT {{became}} AS kind, met.* FROM met
"""

# Near matches that somebody judged to be one weapon: each number in one pair at most. Those judged to be two are noted beside them.
_PAIR_JUDGED = """
CREATE TEMPORARY TABLE judged_already ON COMMIT DROP AS
WITH near AS (
    SELECT j.*, l.ctid AS left_row, r.ctid AS right_row
    FROM judged j
    JOIN pair l ON l.kind = 'only left' AND l.left_mention = 1 AND l.left_serial_key = j.left_key AND l.left_model_key = j.model_key
    JOIN pair r ON r.kind = 'only right' AND r.right_mention = 1 AND r.right_serial_key = j.right_key AND r.right_model_key = j.model_key
), one_left AS (
    SELECT DISTINCT ON (left_row) * FROM near WHERE judged = 'same' ORDER BY left_row, right_row
)
(SELECT DISTINCT ON (right_row) true AS paired, model_key, left_key, right_key, left_row, right_row FROM one_left ORDER BY right_row)
UNION ALL SELECT false, model_key, left_key, right_key, left_row, right_row FROM near WHERE judged = 'different'
"""
_PAIRED_AS_JUDGED = f"""
WITH l AS (
    DELETE FROM pair WHERE ctid = ANY (ARRAY(SELECT left_row FROM judged_already WHERE paired)) RETURNING *
), r AS (
    DELETE FROM pair WHERE ctid = ANY (ARRAY(SELECT right_row FROM judged_already WHERE paired)) RETURNING *
), met AS (
    SELECT {_MET.format(left="left_", right="right_")}
    FROM judged_already j JOIN l ON l.left_serial_key = j.left_key AND l.left_model_key = j.model_key
    JOIN r ON r.right_serial_key = j.right_key AND r.right_model_key = j.model_key WHERE j.paired
)
INSERT INTO pair SELECT {{became}} AS kind, met.* FROM met
"""


def _write_matched(connection: Connection, audit_id: UUID, left: Side, right: Side) -> list[Total]:
    """What agrees, a thousand pairs a row."""
    connection.exec_driver_sql(_WRITE_MATCHED, {"audit": audit_id, "chunk": CHUNK})
    return [Total(*row) for row in connection.exec_driver_sql(_MATCHED_BY_MODEL)]


_WRITE_MATCHED = """
INSERT INTO audit_matched (audit_id, chunk, left_lines, right_lines, left_items, right_items)
SELECT %(audit)s, number / %(chunk)s, array_agg(left_line), array_agg(right_line),
       CASE WHEN count(left_item_id) > 0 THEN array_agg(left_item_id) END,
       CASE WHEN count(right_item_id) > 0 THEN array_agg(right_item_id) END
FROM (SELECT left_line, right_line, left_item_id, right_item_id, row_number() OVER (ORDER BY left_line, left_item_id) - 1 AS number
      FROM pair WHERE kind = 'matched') p GROUP BY number / %(chunk)s
"""
_MATCHED_BY_MODEL = """
SELECT 'matched', coalesce(left_model, right_model), count(*), count(*), count(*), 0 FROM pair WHERE kind = 'matched' GROUP BY 2
"""


def _write_conflicting(connection: Connection, audit_id: UUID, left: Side, right: Side) -> list[Total]:
    held_by = " || ' / ' || ".join(f"{hand}_holder" for hand, side in _hands(left, right) if side.distinct) or "NULL"
    return _written(connection, _WRITE_CONFLICTING.format(held_by=held_by), audit_id)


_WRITE_CONFLICTING = f"""
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, held_by, left_line, right_line,
                           left_item, right_item, left_quantity, right_quantity, why)
SELECT %(audit)s, kind, row_number() OVER (ORDER BY left_serial_key), coalesce(left_model_key, right_model_key),
       coalesce(left_model, right_model), left_serial_key, left_serial_number,
       {{held_by}}, left_line, right_line, left_item_id, right_item_id, 1, 1, {_named(_DIFFER)}
FROM pair WHERE kind = 'conflicting'
"""


def _write_incomplete(connection: Connection, audit_id: UUID, left: Side, right: Side) -> list[Total]:
    """The lines that leave something out."""
    return [total for hand in HANDS for total in _written(connection, _WRITE_INCOMPLETE.format(hand=hand), audit_id)]


_WRITE_INCOMPLETE = """
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, {hand}_line,
                           {hand}_item, {hand}_quantity, why)
SELECT %(audit)s, 'incomplete {hand}', row_number() OVER (ORDER BY {hand}_line), {hand}_model_key, {hand}_model, {hand}_serial_key,
       {hand}_serial_number, {hand}_line, {hand}_item_id, {hand}_quantity, {hand}_missing
FROM pair WHERE {hand}_missing IS NOT NULL
"""


def _write_alone(connection: Connection, audit_id: UUID, left: Side, right: Side) -> list[Total]:
    """What one side alone has."""
    totals = []
    for hand, side in _hands(left, right):
        held_by = f"{hand}_holder" if side.distinct else "NULL"
        totals += _written(connection, _WRITE_ALONE.format(hand=hand, held_by=held_by), audit_id)
    return totals


_WRITE_ALONE = """
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, held_by, {hand}_line,
                           {hand}_item, {hand}_quantity)
SELECT %(audit)s, kind, row_number() OVER (ORDER BY {hand}_serial_key), {hand}_model_key, {hand}_model, {hand}_serial_key,
       {hand}_serial_number, {held_by}, {hand}_line, {hand}_item_id, 1
FROM pair WHERE kind = 'only {hand}'
"""


def _write_quantities(connection: Connection, audit_id: UUID, left: Side, right: Side) -> list[Total]:
    """What has no serial number is counted against what the other side has left of the model: its own lines without a number,
    and the weapons whose numbers this side does not name.
    """
    if connection.exec_driver_sql(_WITHOUT_NUMBER).rowcount == 0:
        return []
    return _written(connection, _WRITE_QUANTITIES, audit_id)


_SAYS = """
SELECT CASE WHEN right_mention IS NULL THEN 'left' ELSE 'right' END AS hand, coalesce(left_model_key, right_model_key) AS model_key,
       coalesce(left_model, right_model) AS model, coalesce(left_unit, right_unit) AS unit,
       coalesce(left_holder, right_holder) AS holder, coalesce(left_quantity, right_quantity) AS quantity
FROM pair
"""
"""What a line says that met none."""
_WITHOUT_NUMBER = f"""
CREATE TEMPORARY TABLE without_number ON COMMIT DROP AS
{_SAYS} WHERE coalesce(left_serial_key, right_serial_key) IS NULL
"""
# By holder where every line of a model says one, else by unit where every line does, else by model alone.
_WRITE_QUANTITIES = f"""
WITH lone AS (
    SELECT s.* FROM ({_SAYS} WHERE kind IN ('only left', 'only right')) s
    WHERE EXISTS (SELECT FROM without_number w WHERE w.hand <> s.hand AND w.model_key = s.model_key)
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


def _write_repeated(connection: Connection, audit_id: UUID, left: Side, right: Side) -> list[Total]:
    """A list that mentions a number several times. The ledger never does: those are several weapons."""
    totals = []
    for hand, side in _hands(left, right):
        if not side.distinct:
            totals += _written(connection, _WRITE_REPEATED.format(hand=hand), audit_id)
    return totals


_WRITE_REPEATED = """
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, {hand}_line,
                           {hand}_item, {hand}_quantity, times)
SELECT %(audit)s, 'repeated {hand}', row_number() OVER (ORDER BY {hand}_serial_key), {hand}_model_key, {hand}_model, {hand}_serial_key,
       {hand}_serial_number, {hand}_line, {hand}_item_id, times, times
FROM (SELECT *, count(*) OVER (PARTITION BY {hand}_serial_key, {hand}_model_key) AS times
      FROM pair WHERE {hand}_repeated AND {hand}_serial_key IS NOT NULL) p
WHERE {hand}_mention = 1
"""


def _write_near(connection: Connection, audit_id: UUID, left: Side, right: Side) -> list[Total]:
    """Pairs of an only left and an only right that may be one weapon, misread."""
    lefts, rights = (_unmatched(connection, audit_id, hand) for hand in HANDS)
    different = {(row[0], row[1]) for row in connection.exec_driver_sql(_JUDGED_DIFFERENT, (audit_id, audit_id))}
    rows = [near for near in near_matches(lefts, rights) if (near.left, near.right) not in different]
    columns = (("left_number", "int4"), ("right_number", "int4"), ("rank", "int4"), ("why", "text"))
    with given(connection, columns, rows, len(rows)) as handed:
        handed.insert(_WRITE_NEAR, (audit_id,))
    return [Total(*row) for row in connection.exec_driver_sql(_NEAR_BY_MODEL, (audit_id,))]


_JUDGED_DIFFERENT = """
SELECT l.number, r.number FROM judged j
JOIN audit_finding l ON l.audit_id = %s AND l.kind = 'only left' AND l.serial_key = j.left_key AND l.model_key = j.model_key
JOIN audit_finding r ON r.audit_id = %s AND r.kind = 'only right' AND r.serial_key = j.right_key AND r.model_key = j.model_key
WHERE j.judged = 'different'
"""


def _unmatched(connection: Connection, audit_id: UUID, hand: str) -> Iterator[Unmatched]:
    rows = connection.exec_driver_sql(
        "SELECT number, model_key, serial_key FROM audit_finding WHERE audit_id = %s AND kind = %s AND model_key IS NOT NULL",
        (audit_id, f"only {hand}"),
    )
    return (Unmatched(*row) for row in rows)


_WRITE_NEAR = """
WITH this AS (SELECT %s::uuid AS audit_id)
INSERT INTO audit_finding (audit_id, kind, number, model_key, model, serial_key, serial_number, left_line, right_line, left_item,
                           right_item, left_quantity, right_quantity, times, why, right_key)
SELECT this.audit_id, 'near match', row_number() OVER (ORDER BY g.rank, g.left_number, g.right_number), l.model_key, l.model,
       l.serial_key, l.serial_number, l.left_line, r.right_line, l.left_item, r.right_item, l.left_quantity, r.right_quantity,
       g.rank, ARRAY[g.why], r.serial_key
FROM this CROSS JOIN (SELECT * FROM {given}) g
JOIN audit_finding l ON l.audit_id = this.audit_id AND l.kind = 'only left' AND l.number = g.left_number
JOIN audit_finding r ON r.audit_id = this.audit_id AND r.kind = 'only right' AND r.number = g.right_number
"""
_NEAR_BY_MODEL = """
SELECT kind, model, count(*), sum(left_quantity)::bigint, sum(right_quantity)::bigint, sum(times)::bigint
FROM audit_finding WHERE audit_id = %s AND kind = 'near match' GROUP BY kind, model
"""

STEPS = (
    ("pairs", _pair),
    ("what agrees", _write_matched),
    ("conflicts", _write_conflicting),
    ("lines left incomplete", _write_incomplete),
    ("what one side alone has", _write_alone),
    ("quantities", _write_quantities),
    ("repeated numbers", _write_repeated),
    ("near matches", _write_near),
)
"""What is done, in its order: findings in that of the key of their table, which begins with their kind."""

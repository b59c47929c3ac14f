"""The records of one list that cannot all be right: numbers that stand several times, those of them whose lines say different things, and
lines that leave something out. Of a register, as it was read; comparing two is an audit's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.registers.reconcile import LEFT_OUT
from stockpile.registers.sides import DATES, Source, lines_of
from stockpile.reports.lines import NUMBER, Question, read_lines
from stockpile.reports.listed import need_listed
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import template

QUESTION = template("Which records of a list are repeated, contradict one another, or lack something?")
FINDING = template(
    "Of 474,823 records of serial numbers 203,888 lacked information, were repeated, or both; 24,520 stood two or three times, 50,304 had "
    "no date of shipping or receipt (SIGAR 14-84, 2014)."
)


class Wrong(StrEnum):
    """What is wrong with a record."""

    REPEATED = "repeated"
    CONFLICTING = "conflicting"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A line of the list: `times`, how often its number stands with its model; `conflicts`: in what those lines differ; `lacks`: what the
    list says of others and not of it.
    """

    line: int
    item_id: UUID | None
    model: str | None
    serial_number: str | None
    quantity: int | None
    times: int | None
    conflicts: str | None
    lacks: str | None
    unit: str | None
    holder: str | None
    shipped_on: date | None
    received_on: date | None
    dated_on: date | None


@dataclass(frozen=True, slots=True)
class Records:
    """A page of lines that something is wrong with, and the sums over the whole list. `wrong`: repeated, incomplete, or both, each once."""

    rows: tuple[RecordRow, ...]
    lines: int
    serial_numbers: int
    repeated_numbers: int
    repeated: int
    conflicting: int
    incomplete: int
    wrong: int
    set_aside: int
    cursor: str | None


_COMPARED = (*DATES, "unit", "holder")
_DIFFER = ", ".join(
    f"CASE WHEN min({field}) OVER same <> max({field}) OVER same THEN '{field}' END" for field in _COMPARED
)
# Only lines whose number stands on another line, too, are put side by side.
_LINE = """
WITH side AS NOT MATERIALIZED ({query}
), noted AS MATERIALIZED (
    SELECT serial_key FROM register_line WHERE register_id = %(register)s AND rejected IS NULL AND serial_key IS NOT NULL
    GROUP BY serial_key HAVING count(*) > 1
), said AS (
    SELECT s.*, count(*) OVER same AS times, row_number() OVER same AS mention, nullif(concat_ws(', ', {differ}), '') AS conflicts
    FROM side s WHERE s.serial_key IN (SELECT serial_key FROM noted) WINDOW same AS (PARTITION BY serial_key, model_key)
    UNION ALL
    SELECT s.*, CASE WHEN serial_key IS NOT NULL THEN 1 END, 1, NULL
    FROM side s WHERE s.serial_key IS NULL OR s.serial_key NOT IN (SELECT serial_key FROM noted)
), marked AS (
    SELECT *, nullif(concat_ws(', ', {lacks}), '') AS lacks, lpad(line::text, 10, '0') AS key
    FROM said s
), judged AS (
    SELECT *, times > 1 IS TRUE AS repeated, times > 1 IS TRUE AND conflicts IS NOT NULL AS conflicting, lacks IS NOT NULL AS incomplete
    FROM marked
), line AS (
    SELECT * FROM judged
    WHERE CASE %(wrong)s::text WHEN 'repeated' THEN repeated WHEN 'conflicting' THEN conflicting WHEN 'incomplete' THEN incomplete
                               ELSE repeated OR incomplete END
)"""
_SUMS = """count(*), (SELECT ARRAY[count(*), count(*) FILTER (WHERE mention = 1 AND serial_key IS NOT NULL),
                        count(*) FILTER (WHERE mention = 1 AND repeated), count(*) FILTER (WHERE repeated),
                        count(*) FILTER (WHERE conflicting), count(*) FILTER (WHERE incomplete),
                        count(*) FILTER (WHERE repeated OR incomplete)] FROM judged) AS sums"""
_FIELDS = """p.line, p.item_id, p.model, p.serial_number, p.quantity, p.times, CASE WHEN p.repeated THEN p.conflicts END, p.lacks, p.unit,
       p.holder, p.shipped_on, p.received_on, p.dated_on"""
ORDERS = {
    "line": "''",
    "model": "coalesce(model, '')",
    "serial_number": "coalesce(serial_key, '')",
    "times": NUMBER.format("coalesce(times, 0)"),
    "conflicts": "coalesce(conflicts, '')",
    "lacks": "coalesce(lacks, '')",
}


def wrong_records(
    connection: Connection,
    actor: Actor,
    register_id: UUID,
    wrong: Wrong | None = None,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Records:
    """The lines of a register that something is wrong with, in their order: all of them, or those with which one thing is.

    Raises NotAllowed (donors), NotFound, Invalid (a list that was not read in our fields; limit, cursor, order).
    """
    require(actor, READ_PEOPLE)
    listed = need_listed(connection, actor, register_id)
    side = lines_of(connection, Source(register=str(listed.register_id)), "left")
    lacking = [
        f"CASE WHEN {condition} THEN '{what}' END" for what, (says, condition) in LEFT_OUT.items() if says & side.says
    ]
    sql = _LINE.format(query=side.query, differ=_DIFFER, lacks=", ".join(lacking) or "NULL::text")
    question = Question(sql, _SUMS, _FIELDS, ORDERS, "''")
    given: dict[str, Any] = {**side.values, "register": listed.register_id, "wrong": str(wrong) if wrong else None}
    found = read_lines(connection, question, given, RecordRow, limit, cursor, order)
    return Records(*(found.rows, *found.sums[1], side.unreadable, found.cursor))

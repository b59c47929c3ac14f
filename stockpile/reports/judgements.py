"""Near matches of an audit with both lists' rows, and what was said of them: one weapon, or two. It only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import NotFound
from stockpile.reports.audits import Finding, findings_of, need_audit
from stockpile.reports.keyset import Page, by_moment, by_number, by_text, order_asked, orders, read_page
from stockpile.reports.named import named
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class JudgementRow:
    """What somebody said of a near match, in which run of the audit's name: that the two numbers are one weapon, or two. The newest of a
    pair holds.
    """

    judgement_id: UUID
    audit_id: UUID
    run: int
    model: str | None
    left_key: str
    right_key: str
    judged: str
    reason: str
    judged_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A row of a list as it stood in its file, under the names of its columns."""

    register_id: UUID
    line: int
    headings: list[str]
    cells: list[str]


@dataclass(frozen=True, slots=True)
class NearMatch:
    """A near match with the rows of both lists, all that was said of it, the newest first, and the next that nobody has judged."""

    finding: Finding
    left: ListedLine | None
    right: ListedLine | None
    judgements: tuple[JudgementRow, ...]
    next_open: int | None


_JUDGEMENTS = f"""
SELECT j.judgement_id, j.judgement_id, j.audit_id, o.run, m.name, j.left_key, j.right_key, j.judged, j.reason, {named("p")}, j.recorded_at
FROM audit a JOIN audit o ON o.name = a.name AND o.site_id IS NOT DISTINCT FROM a.site_id JOIN audit_judgement j ON j.audit_id = o.audit_id
LEFT JOIN model m ON m.model_id = j.model_key LEFT JOIN party p ON p.party_id = j.judged_by
"""


def list_judgements(
    connection: Connection,
    actor: Actor,
    audit_id: UUID,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[JudgementRow]:
    """All that was said of near matches in the runs of an audit's name, the newest first. Raises NotFound, NotAllowed, Invalid."""
    require(actor, READ_PEOPLE)
    need_audit(connection, audit_id)
    return read_page(
        connection,
        _JUDGEMENTS,
        {"a.audit_id = %s": audit_id},
        {"j.judgement_id": UUID},
        JudgementRow,
        limit,
        cursor,
        newest_first=True,
        order=order_asked(order, JUDGEMENT_ORDERS),
    )


JUDGEMENT_ORDERS = orders(
    {"j.judgement_id": UUID},
    judged=by_text("j.judged"),
    model=by_text("m.name"),
    left_key=by_text("j.left_key"),
    right_key=by_text("j.right_key"),
    reason=by_text("j.reason"),
    judged_by=by_text("concat_ws(' ', p.rank, p.name)"),
    recorded_at=by_moment("j.recorded_at"),
    run=by_number("o.run"),
)
_OF_PAIR = f"""
{_JUDGEMENTS} JOIN audit_finding f ON f.audit_id = a.audit_id AND f.kind = 'near match' AND f.number = %s
    AND f.model_key = j.model_key AND f.serial_key = j.left_key AND f.right_key = j.right_key
WHERE a.audit_id = %s ORDER BY j.recorded_at DESC, j.judgement_id DESC
"""
_OF_SIDE = """
SELECT r.register_id, l.line, r.headings, l.cells
FROM audit a JOIN register r ON r.register_id = (a.{hand}_side->>'register_id')::uuid
JOIN register_line l ON l.register_id = r.register_id AND l.line = %s WHERE a.audit_id = %s
"""
_NEXT_OPEN = f"""
{findings_of("near match")} WHERE f.audit_id = %s AND f.kind = 'near match' AND f.judged IS NULL AND f.number <> %s
ORDER BY f.number < %s, f.number LIMIT 1
"""


def read_near_match(connection: Connection, actor: Actor, audit_id: UUID, number: int) -> NearMatch:
    """A near match with all that helps to judge it. Raises NotFound, NotAllowed."""
    require(actor, READ_PEOPLE)
    need_audit(connection, audit_id)
    row = connection.exec_driver_sql(
        f"{findings_of('near match')} WHERE f.audit_id = %s AND f.kind = 'near match' AND f.number = %s",
        (audit_id, number),
    ).one_or_none()
    if row is None:
        raise NotFound(sentence("This audit has no near match {number} here.", number=number))
    finding = Finding(*row[2:])
    said = connection.exec_driver_sql(_OF_PAIR, (number, audit_id))
    following = connection.exec_driver_sql(_NEXT_OPEN, (audit_id, number, number)).one_or_none()
    return NearMatch(
        finding,
        _listed_line(connection, audit_id, "left", finding.left_line),
        _listed_line(connection, audit_id, "right", finding.right_line),
        tuple(JudgementRow(*one[1:]) for one in said),
        following[1] if following else None,
    )


def _listed_line(
    connection: Connection, audit_id: UUID, hand: Literal["left", "right"], line: int | None
) -> ListedLine | None:
    row = connection.exec_driver_sql(_OF_SIDE.format(hand=hand), (line, audit_id)).one_or_none()
    return ListedLine(*row) if row else None

"""Cases as people work them off: what each is about, who answers for it, until when, and everything that was done in it.

It only reads. Donors see none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.cases.parts import REFERENCE
from stockpile.errors import NotFound
from stockpile.reports.attachments import Attachment, attachment
from stockpile.reports.keyset import (
    Keys,
    Page,
    by_day,
    by_moment,
    by_number,
    by_text,
    order_asked,
    orders,
    read_page,
    spellings,
)
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence


class Age(StrEnum):
    """How long a case has been open, or was."""

    MONTH = "up to 30 days"
    QUARTER = "31 to 90 days"
    LONGER = "over 90 days"


DAYS = {Age.MONTH: (0, 30), Age.QUARTER: (31, 90), Age.LONGER: (91, 1_000_000)}


class CaseState(StrEnum):
    """Which cases: `waiting` are open ones whose end somebody proposed."""

    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case. `age_days`: how long it was or is open. `outcome`: how it ended, or how somebody proposes that it ends."""

    case_id: UUID
    case: str
    title: str
    subject: str
    site: str | None
    state: str
    opened_at: datetime
    age_days: int
    due_on: date
    owner: str
    outcome: str | None
    closed_at: datetime | None
    opened_by: str
    parts: int
    item_id: UUID | None
    discrepancy_id: UUID | None
    document_id: UUID | None


@dataclass(frozen=True, slots=True)
class CasePart:
    """A part of a case: what it is, by whom, in which words, with which files."""

    part: int
    part_id: UUID
    kind: str
    recorded_at: datetime
    written_by: str
    text: str | None
    attachments: tuple[str, ...]
    owner: str | None
    due_on: date | None
    outcome: str | None
    document_id: UUID | None
    document_number: str | None
    of_part: int | None
    leaf: str


@dataclass(frozen=True, slots=True)
class CaseShown:
    """A case with what it is about and its first parts."""

    case: CaseRow
    document_number: str | None
    register_id: UUID | None
    register: str | None
    line: int | None
    party_id: UUID | None
    party: str | None
    report: dict[str, Any] | None
    reopens: UUID | None
    reopens_case: str | None
    taken_up_by: tuple[str, ...]
    parts: tuple[CasePart, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class CasesSought:
    """Which cases are sought: those to which all applies that is said."""

    state: CaseState = CaseState.OPEN
    site: str | None = None
    owner: str | None = None
    due_before: date | None = None
    subject: str | None = None
    text: str | None = None
    item_id: UUID | None = None
    discrepancy_id: UUID | None = None
    document_id: UUID | None = None
    party_id: UUID | None = None
    age: Age | None = None


_CASES = f"""
SELECT c.opened_at, c.case_id, c.case_id, c.reference, c.title, c.subject, c.site, c.state, c.opened_at, c.age_days, c.due_on, c.owner,
       c.outcome, c.closed_at, c.opened_by, c.parts, c.item_id, c.discrepancy_id, c.document_id
FROM (
    SELECT f.*, {REFERENCE} AS reference, s.code AS site, p.code AS owner_code, answers.due_on, {named("p")} AS owner,
           {named("o")} AS opened_by,
           CASE WHEN ended.recorded_at IS NOT NULL THEN 'closed' WHEN proposed.outcome IS NOT NULL THEN 'waiting' ELSE 'open' END AS state,
           proposed.outcome, ended.recorded_at AS closed_at, last.part AS parts,
           floor(extract(epoch FROM coalesce(ended.recorded_at, now()) - f.opened_at) / 86400)::integer AS age_days
    FROM case_file f LEFT JOIN site s ON s.site_id = f.site_id
    JOIN LATERAL (SELECT a.owner_id, a.due_on FROM case_part a WHERE a.case_id = f.case_id AND a.owner_id IS NOT NULL
                  ORDER BY a.part DESC LIMIT 1) answers ON true
    JOIN LATERAL (SELECT a.part FROM case_part a WHERE a.case_id = f.case_id ORDER BY a.part DESC LIMIT 1) last ON true
    JOIN case_part first ON first.case_id = f.case_id AND first.part = 1
    LEFT JOIN case_part ended ON ended.case_id = f.case_id AND ended.kind = 'closed'
    LEFT JOIN LATERAL (SELECT a.outcome FROM case_part a WHERE a.case_id = f.case_id AND a.kind = 'outcome proposed'
                         AND NOT EXISTS (SELECT FROM case_part d WHERE d.case_id = a.case_id AND d.kind = 'declined' AND d.of_part = a.part)
                       LIMIT 1) proposed ON true
    LEFT JOIN party p ON p.party_id = answers.owner_id LEFT JOIN party o ON o.party_id = first.written_by) c
"""
_WHICH = {
    CaseState.OPEN: ["open", "waiting"],
    CaseState.WAITING: ["waiting"],
    CaseState.CLOSED: ["closed"],
    CaseState.ALL: None,
}
_ORDER: Keys = {"c.opened_at": datetime.fromisoformat, "c.case_id": UUID}
_TIE: Keys = {"c.case_id": UUID}
ORDERS = orders(
    _TIE,
    case={"coalesce(c.site, '')": str, "c.number": int},
    title=by_text("c.title"),
    subject=by_text("c.subject"),
    site=by_text("c.site"),
    state=by_text("c.state"),
    opened_at=by_moment("c.opened_at"),
    age_days=by_number("c.age_days"),
    due_on=by_day("c.due_on"),
    owner=by_text("c.owner"),
    outcome=by_text("c.outcome"),
    closed_at=by_moment("c.closed_at"),
)


def list_cases(
    connection: Connection,
    actor: Actor,
    sought: CasesSought = CasesSought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[CaseRow]:
    """The cases in the asker's scope, the oldest first, or by one of ORDERS. Raises NotAllowed (donors; another site's), NotFound
    (site), Invalid (limit, cursor, order).
    """
    require(actor, READ_PEOPLE)
    where = {
        "c.state = ANY (%s)": _WHICH[sought.state],
        "c.site_id = %s": site_asked(connection, actor, sought.site),
        "c.owner_code = %s": sought.owner,
        "c.due_on < %s": sought.due_before,
        "c.subject = %s": sought.subject,
        "concat_ws(' ', c.reference, c.title) ILIKE ANY (%s)": spellings(sought.text),
        "c.item_id = %s": sought.item_id,
        "c.discrepancy_id = %s": sought.discrepancy_id,
        "c.document_id = %s": sought.document_id,
        "c.party_id = %s": sought.party_id,
        "c.age_days >= %s": DAYS[sought.age][0] if sought.age else None,
        "c.age_days <= %s": DAYS[sought.age][1] if sought.age else None,
    }
    by = order_asked(order, ORDERS)
    return read_page(connection, _CASES, where, _ORDER, CaseRow, limit, cursor, order=by)


def case_called(connection: Connection, actor: Actor, called: str) -> UUID:
    """The case of a key, or of what people call it, such as TAJI/CASE/3. Raises NotAllowed, NotFound."""
    require(actor, READ_PEOPLE)
    try:
        return UUID(called)
    except ValueError:
        pass
    found: UUID | None = connection.exec_driver_sql(
        f"SELECT f.case_id FROM case_file f LEFT JOIN site s ON s.site_id = f.site_id WHERE {REFERENCE} = %s",
        (called.strip().upper(),),
    ).scalar()
    if found is None:
        raise NotFound(sentence("There is no case {case} here.", case=called))
    return found


_SUBJECT = f"""
SELECT f.register_id, r.name, f.line, f.party_id, {named("p")}, f.report, f.reopens, concat_ws('/', t.code, 'CASE', g.number),
       array(SELECT concat_ws('/', u.code, 'CASE', h.number) FROM case_file h LEFT JOIN site u ON u.site_id = h.site_id
             WHERE h.reopens = f.case_id ORDER BY h.opened_at),
       concat_ws('/', ds.code, b.code, b.year, d.number)
FROM case_file f LEFT JOIN register r ON r.register_id = f.register_id LEFT JOIN party p ON p.party_id = f.party_id
LEFT JOIN case_file g ON g.case_id = f.reopens LEFT JOIN site t ON t.site_id = g.site_id
LEFT JOIN document d ON d.document_id = f.document_id LEFT JOIN book b ON b.book_id = d.book_id LEFT JOIN site ds ON ds.site_id = d.site_id
WHERE f.case_id = %s
"""


def read_case(
    connection: Connection, actor: Actor, case_id: UUID, limit: int = 500, cursor: str | None = None
) -> CaseShown:
    """A case in the asker's scope with a page of its parts. Raises NotAllowed, NotFound, Invalid (limit, cursor)."""
    require(actor, READ_PEOPLE)
    row = connection.exec_driver_sql(f"{_CASES} WHERE c.case_id = %s", (case_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no case {case_id} here.", case_id=case_id))
    register_id, register, line, party_id, party, report, reopens, reopened, taken_up_by, number = (
        connection.exec_driver_sql(_SUBJECT, (case_id,)).one()
    )
    parts = list_parts(connection, actor, case_id, limit, cursor)
    return CaseShown(
        CaseRow(*row[2:]), number or None, register_id, register, line, party_id, party if party_id else None, report, reopens,
        reopened if reopens else None, tuple(taken_up_by), parts.rows, parts.cursor,
    )  # fmt: skip


_PARTS = f"""
SELECT c.part, c.part, c.part_id, c.kind, c.recorded_at, {named("p")}, c.text, c.attachments,
       CASE WHEN c.owner_id IS NOT NULL THEN {named("o")} END, c.due_on, c.outcome, c.document_id,
       nullif(concat_ws('/', s.code, b.code, b.year, d.number), ''), c.of_part, encode(c.leaf, 'hex')
FROM case_part c LEFT JOIN party p ON p.party_id = c.written_by LEFT JOIN party o ON o.party_id = c.owner_id
LEFT JOIN document d ON d.document_id = c.document_id LEFT JOIN book b ON b.book_id = d.book_id LEFT JOIN site s ON s.site_id = d.site_id
"""


def list_parts(
    connection: Connection, actor: Actor, case_id: UUID, limit: int = 100, cursor: str | None = None
) -> Page[CasePart]:
    """What was done in a case, the earliest first. Raises NotAllowed, Invalid (limit, cursor)."""
    require(actor, READ_PEOPLE)
    return read_page(connection, _PARTS, {"c.case_id = %s": case_id}, {"c.part": int}, _part, limit, cursor)


def _part(*row: Any) -> CasePart:
    return CasePart(*(*row[:6], tuple(row[6]), *row[7:]))


def files_of(case: CaseShown) -> dict[int, tuple[Attachment, ...]]:
    """The files of each part that has some: whether each is there, and what it is."""
    return {
        one.part: tuple(attachment(sha256, one.recorded_at) for sha256 in one.attachments)
        for one in case.parts
        if one.attachments
    }

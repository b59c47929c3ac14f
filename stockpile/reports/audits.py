"""Audits: which lists were compared, what was found, and what changed since the time before. It only reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.tables.audits import CHUNK, JUDGED, KINDS, MATCHED, NOT_JUDGED
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.reports.keyset import Page, by_moment, by_number, by_text, order_asked, orders, read_page, spellings
from stockpile.reports.named import named
from stockpile.reports.scope import site_asked
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audit: which run of its name it is, what was compared with what, and how many findings of each kind."""

    audit_id: UUID
    name: str
    run: int
    site: str | None
    left: str
    right: str
    made_by: str
    recorded_at: datetime
    matched: int
    conflicting: int
    only_left: int
    only_right: int
    repeated_left: int
    repeated_right: int
    incomplete_left: int
    incomplete_right: int
    near_match: int
    quantity_matched: int
    quantity_differs: int


@dataclass(frozen=True, slots=True)
class ModelTotal:
    """Findings of one kind of one model, with the quantities on both sides; `times`: in all, how often repeated numbers stand."""

    kind: str
    model: str | None
    findings: int
    left_quantity: int
    right_quantity: int
    times: int


@dataclass(frozen=True, slots=True)
class AuditShown:
    """An audit with its two sides and its findings by model. A side says what it is, the moments it speaks of, which fields its list
    says at all, and how many of its lines could not be read. `judged_same`: near matches that were paired because somebody had judged
    them to be one weapon; `judged_different`: such that were not told of again; `judged_since`: near matches of this run that somebody
    judged, as the next run will have them; `before`: the run before of the same name.
    """

    audit: AuditRow
    left_source: dict[str, Any]
    right_source: dict[str, Any]
    left_side: dict[str, Any]
    right_side: dict[str, Any]
    by_model: tuple[ModelTotal, ...]
    judged_same: int
    judged_different: int
    judged_since: int
    before: UUID | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: what it is about, the row of either list, the item in the books, and what each list says of where it is and since
    when. `held_by`: where the ledger has it, or whose quantity it is; `why`: which fields conflict or are missing, or why a match is
    near; `times`: how often a number stands, or the rank of a near match; `judged`: what somebody said of a near match, and `reason`.
    """

    kind: str
    number: int
    model: str | None
    serial_number: str | None
    held_by: str | None
    left_line: int | None
    right_line: int | None
    left_item: UUID | None
    right_item: UUID | None
    left_quantity: int | None
    right_quantity: int | None
    times: int | None
    why: str | None
    left_says: str | None
    right_says: str | None
    judged: str | None
    reason: str | None
    left_register: UUID | None
    right_register: UUID | None
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a difference between two runs: `new`, `settled`, or of a quantity `changed`."""

    change: str
    kind: str
    model: str | None
    serial_number: str | None
    held_by: str | None
    left_before: int | None
    right_before: int | None
    left_now: int | None
    right_now: int | None


BATCH = 1000
_AUDITS = f"""
SELECT a.audit_id, a.audit_id, a.name, a.run, s.code, a.left_side->>'title', a.right_side->>'title', {named("p")}, a.recorded_at, a.totals
FROM audit a LEFT JOIN site s ON s.site_id = a.site_id LEFT JOIN party p ON p.party_id = a.made_by
"""


def list_audits(
    connection: Connection,
    actor: Actor,
    site: str | None = None,
    text: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[AuditRow]:
    """The audits in the asker's scope, the newest first; `text`: part of the name.

    Raises NotFound (site), NotAllowed (donors; another site's), Invalid (limit, cursor).
    """
    require(actor, READ_PEOPLE)
    where = {"a.site_id = %s": site_asked(connection, actor, site), "a.name ILIKE ANY (%s)": spellings(text)}
    return read_page(
        connection,
        _AUDITS,
        where,
        {"a.audit_id": UUID},
        _row,
        limit,
        cursor,
        newest_first=True,
        order=order_asked(order, ORDERS),
    )


ORDERS = orders(
    {"a.audit_id": UUID},
    name=by_text("a.name"),
    run=by_number("a.run"),
    left=by_text("a.left_side->>'title'"),
    right=by_text("a.right_side->>'title'"),
    made_by=by_text("concat_ws(' ', p.rank, p.name)"),
    recorded_at=by_moment("a.recorded_at"),
)


def audit_called(connection: Connection, called: str) -> UUID:
    """The audit of a key; of a name, its last run; of a name and a run as in `3rd Division#2`. Raises NotFound."""
    name, _, run = called.rpartition("#")
    try:
        key: UUID | None = UUID(called)
    except ValueError:
        key = None
    found = connection.exec_driver_sql(
        """SELECT audit_id FROM audit WHERE audit_id = %s OR name = %s OR (name = %s AND run::text = %s)
           ORDER BY audit_id = %s DESC NULLS LAST, name = %s DESC, recorded_at DESC LIMIT 1""",
        (key, called, name, run, key, called),
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(sentence("There is no audit {called!r} here.", called=called))
    return found  # type: ignore[no-any-return]


def read_audit(connection: Connection, actor: Actor, audit_id: UUID) -> AuditShown:
    """An audit in the asker's scope. Raises NotFound, NotAllowed."""
    require(actor, READ_PEOPLE)
    row = connection.exec_driver_sql(f"{_AUDITS} WHERE a.audit_id = %s", (audit_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no audit {audit_id} here.", audit_id=audit_id))
    sides = connection.exec_driver_sql(
        "SELECT left_source, right_source, left_side, right_side, totals FROM audit WHERE audit_id = %s", (audit_id,)
    ).one()
    left_source, right_source, left_side, right_side, totals = sides
    by_model = tuple(ModelTotal(**line) for line in totals["by_model"])
    judged = totals.get("judged", {})
    since = connection.exec_driver_sql(_JUDGED_SINCE, (audit_id,)).scalar_one()
    return AuditShown(
        _row(*row[1:]), left_source, right_source, left_side, right_side, by_model, judged.get("same", 0),
        judged.get("different", 0), since, _run_before(connection, audit_id),
    )  # fmt: skip


_JUDGED_SINCE = """
SELECT count(*) FROM audit_finding f JOIN audit a USING (audit_id)
WHERE f.audit_id = %s AND f.kind = 'near match' AND EXISTS (
    SELECT FROM audit_judgement j JOIN audit o ON o.audit_id = j.audit_id AND o.name = a.name AND o.site_id IS NOT DISTINCT FROM a.site_id
    WHERE j.model_key = f.model_key AND j.left_key = f.serial_key AND j.right_key = f.right_key)
"""
_BEFORE = """
SELECT b.audit_id FROM audit a JOIN audit b ON b.name = a.name AND b.site_id IS NOT DISTINCT FROM a.site_id AND b.run < a.run
WHERE a.audit_id = %s ORDER BY b.run DESC LIMIT 1
"""


def _run_before(connection: Connection, audit_id: UUID) -> UUID | None:
    found: UUID | None = connection.exec_driver_sql(_BEFORE, (audit_id,)).scalar_one_or_none()
    return found


def _row(*row: Any) -> AuditRow:
    found = {total["kind"]: total["findings"] for total in row[8]["by_kind"]}
    return AuditRow(*row[:8], *(found.get(kind, 0) for kind in KINDS))


_SAYS = """concat_ws('; ', nullif('unit ' || {hand}.unit, ''), 'holder ' || {hand}.holder, 'shipped ' || {hand}.shipped_on,
    'received ' || {hand}.received_on, 'dated ' || {hand}.dated_on, nullif({hand}.condition, ''))"""


_FINDINGS = f"""
SELECT f.kind, f.number, f.* FROM (
    SELECT f.kind, f.number, coalesce(f.model, l.model, r.model, m.name) AS model,
           coalesce(f.serial_number, l.serial_number, r.serial_number, n.serial_number) AS serial_number, f.held_by,
           f.left_line, f.right_line, f.left_item, f.right_item, f.left_quantity, f.right_quantity, f.times,
           array_to_string(f.why, ', ') AS why, CASE WHEN l.line IS NOT NULL THEN {_SAYS.format(hand="l")} END AS left_says,
           CASE WHEN r.line IS NOT NULL THEN {_SAYS.format(hand="r")} END AS right_says, j.judged, j.reason,
           l.register_id AS left_register, r.register_id AS right_register, f.audit_id
    FROM ({{found}}) f JOIN audit a ON a.audit_id = f.audit_id
    LEFT JOIN register_line l ON l.register_id = (a.left_side->>'register_id')::uuid AND l.line = f.left_line
    LEFT JOIN register_line r ON r.register_id = (a.right_side->>'register_id')::uuid AND r.line = f.right_line
    LEFT JOIN item i ON i.item_id = coalesce(f.right_item, f.left_item) AND f.model IS NULL
    LEFT JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(i.item_id) n ON true
    LEFT JOIN LATERAL (
        SELECT j.judged, j.reason
        FROM audit_judgement j JOIN audit o ON o.audit_id = j.audit_id AND o.name = a.name AND o.site_id IS NOT DISTINCT FROM a.site_id
        WHERE j.model_key = f.model_key AND j.left_key = f.serial_key AND j.right_key = f.right_key
        ORDER BY j.recorded_at DESC, j.judgement_id DESC LIMIT 1) j ON f.right_key IS NOT NULL
) f
"""


_DIFFERING = """SELECT audit_id, kind, number, model, serial_number, held_by, left_line, right_line, left_item, right_item, left_quantity,
                       right_quantity, times, why, model_key, serial_key, right_key FROM audit_finding"""
_MATCHED = f"""SELECT g.audit_id, '{MATCHED}' AS kind, (g.chunk * {CHUNK} + u.place)::integer AS number, NULL::text AS model,
                      NULL::text AS serial_number, NULL::text AS held_by, u.left_line, u.right_line, u.left_item, u.right_item,
                      1::bigint AS left_quantity, 1::bigint AS right_quantity, NULL::integer AS times, NULL::text[] AS why,
                      NULL::uuid AS model_key, NULL::text AS serial_key, NULL::text AS right_key
               FROM audit_matched g CROSS JOIN LATERAL unnest(g.left_lines, g.right_lines, g.left_items, g.right_items)
                    WITH ORDINALITY u (left_line, right_line, left_item, right_item, place)"""
"""What agrees is kept a thousand pairs a row."""


def findings_of(kind: str | None) -> str:
    """The query of findings of one kind, or of all, without its conditions."""
    found = {None: f"{_DIFFERING} UNION ALL {_MATCHED}", MATCHED: _MATCHED}.get(kind, _DIFFERING)
    return _FINDINGS.format(found=found)


def _sought(
    audit_id: UUID, kind: str | None, model: str | None, text: str | None, judged: str | None
) -> dict[str, Any]:
    if judged is not None and judged not in (*JUDGED, NOT_JUDGED):
        raise Invalid(
            sentence("Nothing was looked for."),
            [
                Fault(
                    sentence("is one of {kinds}", kinds=", ".join((*JUDGED, NOT_JUDGED))), field="judged", value=judged
                )
            ],
        )
    if kind is not None and kind not in KINDS:
        raise Invalid(
            sentence("Nothing was looked for."),
            [Fault(sentence("is one of {kinds}", kinds=", ".join(KINDS)), field="kind", value=kind)],
        )
    return {
        "f.audit_id = %s": audit_id,
        "f.kind = %s": kind,
        "f.model = %s": model,
        "concat_ws(' ', f.serial_number, f.held_by) ILIKE ANY (%s)": spellings(text),
        "CASE f.kind WHEN 'near match' THEN coalesce(f.judged, 'not judged') END = %s": judged,
    }


def list_findings(
    connection: Connection,
    actor: Actor,
    audit_id: UUID,
    kind: str | None = None,
    model: str | None = None,
    text: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
    judged: str | None = None,
) -> Page[Finding]:
    """Findings of an audit; of one kind, one model, with a text in serial number or holder, or near matches by what was said of them.

    Raises NotFound, NotAllowed, Invalid (kind, judged, limit, cursor).
    """
    require(actor, READ_PEOPLE)
    need_audit(connection, audit_id)
    return read_page(
        connection,
        findings_of(kind),
        _sought(audit_id, kind, model, text, judged),
        {"f.kind": str, "f.number": int},
        _finding,
        limit,
        cursor,
        order=order_asked(order, FINDING_ORDERS),
    )


FINDING_ORDERS = orders(
    {"f.kind": str, "f.number": int},
    kind={},
    model=by_text("f.model"),
    serial_number=by_text("f.serial_number"),
    held_by=by_text("f.held_by"),
    left_line=by_number("f.left_line"),
    right_line=by_number("f.right_line"),
    left_quantity=by_number("f.left_quantity"),
    right_quantity=by_number("f.right_quantity"),
    times=by_number("f.times"),
    why=by_text("f.why"),
    judged=by_text("f.judged"),
)


def every_finding(
    connection: Connection,
    actor: Actor,
    audit_id: UUID,
    kind: str | None = None,
    model: str | None = None,
    text: str | None = None,
    judged: str | None = None,
) -> Iterator[Finding]:
    """All such findings, as they come from the database. Raises as `list_findings` does, before the first."""
    require(actor, READ_PEOPLE)
    need_audit(connection, audit_id)
    asked = {
        condition: value
        for condition, value in _sought(audit_id, kind, model, text, judged).items()
        if value is not None
    }
    rows = connection.exec_driver_sql(
        f"{findings_of(kind)} WHERE {' AND '.join(asked)} ORDER BY f.kind, f.number",
        tuple(asked.values()),
        execution_options={"stream_results": True, "max_row_buffer": BATCH},
    )
    return (_finding(*row[2:]) for batch in rows.partitions(BATCH) for row in batch)


def _finding(*row: Any) -> Finding:
    return Finding(*row)


def lines_of(
    connection: Connection, actor: Actor, audit_id: UUID, hand: Literal["left", "right"], serial_key: str
) -> list[int]:
    """All lines of a side's list that bear a number: of a repeated one every mention. Raises NotFound, NotAllowed."""
    require(actor, READ_PEOPLE)
    need_audit(connection, audit_id)
    rows = connection.exec_driver_sql(
        f"""SELECT l.line FROM audit a JOIN register_line l ON l.register_id = (a.{hand}_side->>'register_id')::uuid
            WHERE a.audit_id = %s AND l.serial_key = %s ORDER BY l.line""",
        (audit_id, serial_key),
    )
    return list(rows.scalars())


def need_audit(connection: Connection, audit_id: UUID) -> None:
    """Raises NotFound where the asker's scope has no such audit."""
    if not connection.exec_driver_sql("SELECT count(*) FROM audit WHERE audit_id = %s", (audit_id,)).scalar_one():
        raise NotFound(sentence("There is no audit {audit_id} here.", audit_id=audit_id))


_COMPARED = """SELECT *, row_number() OVER (PARTITION BY kind, model_key, serial_key, CASE WHEN serial_key IS NULL THEN held_by END
                                        ORDER BY number) AS mention
           FROM audit_finding WHERE audit_id = %({run})s AND kind NOT IN ('quantity matched', 'near match')"""


_CHANGES = f"""
WITH before AS ({_COMPARED.format(run="before")}), now AS ({_COMPARED.format(run="now")})
SELECT CASE WHEN b.kind IS NULL THEN 'new' WHEN n.kind IS NULL THEN 'settled' ELSE 'changed' END AS change, coalesce(n.kind, b.kind),
       coalesce(n.model, b.model), coalesce(n.serial_number, b.serial_number), coalesce(n.held_by, b.held_by),
       b.left_quantity, b.right_quantity, n.left_quantity, n.right_quantity
FROM before b FULL JOIN now n
  ON n.kind = b.kind AND coalesce(n.model_key::text, '') = coalesce(b.model_key::text, '')
 AND coalesce(n.serial_key, '') = coalesce(b.serial_key, '') AND n.mention = b.mention
 AND (n.serial_key IS NOT NULL OR coalesce(n.held_by, '') = coalesce(b.held_by, ''))
 AND (n.serial_key IS NOT NULL OR n.kind NOT LIKE 'incomplete%%'
      OR n.left_line IS NOT DISTINCT FROM b.left_line AND n.right_line IS NOT DISTINCT FROM b.right_line)
WHERE b.kind IS NULL OR n.kind IS NULL
   OR (b.left_quantity, b.right_quantity, b.times, b.why, b.held_by)
      IS DISTINCT FROM (n.left_quantity, n.right_quantity, n.times, n.why, n.held_by)
ORDER BY 1, 2, 3, 4, 5
"""


def list_changes(connection: Connection, actor: Actor, audit_id: UUID, before: UUID | None = None) -> list[Change]:
    """What is new and what is settled since another run; left out: the run before of the same name.

    Raises NotFound (either audit; there was none before), NotAllowed.
    """
    require(actor, READ_PEOPLE)
    need_audit(connection, audit_id)
    if before is None:
        before = _run_before(connection, audit_id)
        if before is None:
            raise NotFound(sentence("This audit was made once: there is nothing to compare it with yet."))
    else:
        need_audit(connection, before)
    rows = connection.exec_driver_sql(_CHANGES, {"before": before, "now": audit_id})
    return [Change(*row) for row in rows]


def changed(changes: Sequence[Change]) -> dict[str, int]:
    """How many changes of each sort."""
    counts = {"new": 0, "settled": 0, "changed": 0}
    for change in changes:
        counts[change.change] += 1
    return counts

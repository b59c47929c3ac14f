"""How far each consignment is: what was declared, shipped, arrived and was verified, and where it is now, each number down to its weapons.
It reads in the asker's own role: a donor is told of its own.

Of now it adds up the holdings, and looks into the history of those weapons alone that are in no one's hands: whether they ever arrived.
Of an earlier moment it adds up the entries. It never writes.

Declared + in excess = not shipped + on its way + in store + issued + in maintenance + missing + lost + expended + destroyed + exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.documents import full_number, now
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound
from stockpile.identity import asset_tag, serial_key
from stockpile.movements import AccountClass
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.lines import NUMBER, Lines, Question, read_lines
from stockpile.reports.places import EVERY_CLASS, PLACES
from stockpile.reports.scope import donor_asked, site_asked
from stockpile.rights import DESK, READ, Actor, require
from stockpile.sentences import sentence, template

QUESTION = template("How much of each consignment was declared, shipped, arrived and verified, and where is it now?")
QUESTION_OF_WEAPONS = template("Where is each weapon of a consignment, since when, and under which document?")


class Attention(StrEnum):
    """What of a consignment wants its donor's attention."""

    SHORT = "short"
    LATE = "late"
    GONE = "missing or lost"
    DIFFERS = "with open discrepancies"
    UNVERIFIED = "arrived, not verified"


class Stage(StrEnum):
    """How far a weapon is, or what is wrong with it: the numbers of a consignment that open to its weapons."""

    DECLARED = "declared"
    SHIPPED = "shipped"
    ARRIVED = "arrived"
    VERIFIED = "verified"
    EXCESS = "in excess"
    SHORT = "short"
    NOT_SHIPPED = "not shipped"
    ON_ITS_WAY = "on its way"
    IN_STORE = "in store"
    ISSUED = "issued"
    MAINTENANCE = "in maintenance"
    MISSING = "missing"
    LOST = "lost"
    EXPENDED = "expended"
    DESTROYED = "destroyed"
    EXPORTED = "exported"


CLASSES_OF: Mapping[Stage, tuple[AccountClass, ...]] = {
    Stage.NOT_SHIPPED: (AccountClass.SUPPLY,),
    Stage.ON_ITS_WAY: (AccountClass.TRANSIT,),
    Stage.IN_STORE: (AccountClass.STORE,),
    Stage.ISSUED: (AccountClass.UNIT, AccountClass.PERSON),
    Stage.MAINTENANCE: (AccountClass.MAINTENANCE,),
    Stage.MISSING: (AccountClass.MISSING,),
    Stage.LOST: (AccountClass.LOST,),
    Stage.EXPENDED: (AccountClass.EXPENDED,),
    Stage.DESTROYED: (AccountClass.DESTROYED,),
    Stage.EXPORTED: (AccountClass.EXPORTED,),
}
"""Where a weapon is now, by stage: each is in one."""


@dataclass(frozen=True, slots=True)
class ProgressSought:
    """Which consignments are sought: those to which all applies that is said. `text`: part of the donor's number of it."""

    donor: str | None = None
    site: str | None = None
    text: str | None = None
    attention: Attention | None = None
    consignment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """A consignment, in pieces. `shipped`: left the donor's supply; `arrived`: of what was declared, came into somebody's hands here,
    whatever became of it since; `verified`: named in a delivery verification that two signed; `short`: not arrived, though a receipt said
    that all had come or the expected day is over; `days_late`: since that day, while something has not arrived.
    """

    consignment_id: UUID
    donor: str
    reference: str
    site: str
    declared_at: datetime
    expected_on: date | None
    end_user_certificate: str | None
    declared: int
    shipped: int
    arrived: int
    verified: int
    not_shipped: int
    on_its_way: int
    in_store: int
    issued: int
    in_maintenance: int
    missing: int
    lost: int
    expended: int
    destroyed: int
    exported: int
    in_excess: int
    short: int
    days_late: int | None
    discrepancies: int


COUNTED = (
    "declared", "shipped", "arrived", "verified", "not_shipped", "on_its_way", "in_store", "issued", "in_maintenance", "missing", "lost",
    "expended", "destroyed", "exported", "in_excess", "short", "discrepancies",
)  # fmt: skip
"""The numbers of a consignment, in the order of `Lines.sums`, which begin with how many consignments there are, and end with how many of
them are late and how many arrived and were not verified.
"""


@dataclass(frozen=True, slots=True)
class ConsignmentWeapon:
    """An item of a consignment where it is now; of what is counted one for each kind of place. `since` and `document_number`: of its last
    entry there.
    """

    item_id: UUID
    asset_tag: str
    maker: str
    model: str
    serial_number: str | None
    lot: str | None
    stage: str
    site: str
    quantity: int
    declared: bool
    arrived: bool
    verified: bool
    condition: str | None
    since: datetime | None
    document_id: UUID | None
    document_number: str | None


_IN_HAND = "('store', 'unit', 'person', 'maintenance')"
_STAGES = " ".join(
    f"WHEN p.class IN ({', '.join(repr(str(one)) for one in classes)}) THEN '{stage}'"
    for stage, classes in CLASSES_OF.items()
)

# Of now the holdings; each part of the question reads what it needs of them by an index. A holding says itself of which consignment it is:
# of a million no item is looked up; of a few consignments it begins at their items.
_THERE_NOW = f"""{PLACES}, there AS NOT MATERIALIZED (
    SELECT h.consignment_id, h.item_id, h.serial, a.class, a.site_id, h.quantity
    FROM {{holding}} JOIN place a ON a.class_and_site = h.class_and_site
    WHERE h.consignment_id IS NOT NULL {{which}}
)"""
_ITS_HOLDINGS = "item i JOIN holding h ON h.item_id = i.item_id"
_THERE_THEN = """there AS MATERIALIZED (
    SELECT l.consignment_id, l.item_id, l.serial, a.class, a.site_id, sum(l.quantity)::bigint AS quantity
    FROM (SELECT i.consignment_id, e.item_id, e.serial, e.to_account AS account_id, e.quantity
          FROM entry e JOIN item i ON i.item_id = e.item_id WHERE i.consignment_id IS NOT NULL {which} AND {up_to}
          UNION ALL
          SELECT i.consignment_id, e.item_id, e.serial, e.from_account, -e.quantity
          FROM entry e JOIN item i ON i.item_id = e.item_id WHERE i.consignment_id IS NOT NULL {which} AND {up_to}) l
    JOIN account a ON a.account_id = l.account_id
    WHERE a.class <> 'outside' GROUP BY l.consignment_id, l.item_id, l.serial, a.class, a.site_id HAVING sum(l.quantity) <> 0
)"""
# A weapon that is in no one's hands arrived if its last entry took it from somebody's; else if a live entry ever brought it into
# somebody's, and none took it back to its supply since.
_CAME = f"""coalesce((
    SELECT true FROM (SELECT e.from_account, e.reverses FROM entry e WHERE e.item_id = {{item}} AND {{up_to}}
                      ORDER BY e.version DESC LIMIT 1) l
    JOIN account f ON f.account_id = l.from_account WHERE l.reverses IS NULL AND f.class IN {_IN_HAND}
), (
    SELECT true FROM entry e JOIN account t ON t.account_id = e.to_account
    WHERE e.item_id = {{item}} AND t.class IN {_IN_HAND} AND e.reverses IS NULL AND {{up_to}}
      AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version AND {{reversed_by}})
      AND NOT EXISTS (SELECT FROM entry s JOIN account o ON o.account_id = s.to_account
                      WHERE s.item_id = e.item_id AND s.version > e.version AND o.class = 'supply' AND s.reverses IS NULL AND {{sent_by}}
                        AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = s.item_id AND r.reverses = s.version AND {{reversed_by}}))
    LIMIT 1), false)"""
_NEVER_DECLARED = """x.kind = 'excess' AND x.item_id IS NOT NULL"""
_OPEN = "x.opened_at <= %(moment)s AND (x.closed_at IS NULL OR x.closed_at > %(moment)s)"
_ACCEPTED = """donor_statement x JOIN donor_statement a ON a.donor_id = x.donor_id AND a.answers = x.statement_id AND a.kind = 'accepted'
    WHERE x.kind = 'delivery verification' AND a.recorded_at <= least(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz)"""
_COUNTED_ITEMS = f"""
    SELECT i.consignment_id, i.item_id,
           sum(CASE WHEN f.class = 'outside' AND t.account_id = c.account_id THEN e.quantity
                    WHEN t.class = 'outside' AND f.account_id = c.account_id THEN -e.quantity ELSE 0 END) AS declared,
           greatest(sum(CASE WHEN t.class IN {_IN_HAND} AND (f.account_id = c.account_id OR f.class = 'outside'
                                                              OR f.class = 'transit' AND f.site_id = c.site_id) THEN e.quantity
                             WHEN f.class IN {_IN_HAND} AND (t.account_id = c.account_id OR t.class = 'outside'
                                                              OR t.class = 'transit' AND t.site_id = c.site_id) THEN -e.quantity
                             ELSE 0 END), 0) AS received
    FROM item i JOIN consignment c ON c.consignment_id = i.consignment_id JOIN entry e ON e.item_id = i.item_id
    JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
    WHERE i.tracked_by <> 'serial' {{which}} AND {{up_to}} GROUP BY i.consignment_id, i.item_id"""

_ROWS = f"""
WITH chosen AS (
    SELECT c.*, s.code AS site, p.code AS donor, (%(moment)s::timestamptz AT TIME ZONE s.time_zone)::date AS today
    FROM consignment c JOIN site s ON s.site_id = c.site_id JOIN party p ON p.party_id = c.donor_id
    WHERE c.declared_at <= least(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz) {{narrowed}}
), {{there}}, held AS (
    SELECT consignment_id, serial, class, sum(quantity) AS pieces FROM there GROUP BY consignment_id, serial, class
), placed AS (
    SELECT p.consignment_id, sum(p.pieces) AS pieces, {{places}},
           coalesce(sum(p.pieces) FILTER (WHERE p.serial), 0) AS weapons,
           coalesce(sum(p.pieces) FILTER (WHERE p.serial AND p.class = 'supply'), 0) AS weapons_in_supply
    FROM held p GROUP BY p.consignment_id
), never_came AS (
    SELECT consignment_id, count(*) AS weapons FROM there
    WHERE serial AND class IN ('transit', 'missing', 'lost', 'expended', 'destroyed', 'exported') AND NOT {{came}}
    GROUP BY consignment_id
), beside AS (
    SELECT t.consignment_id, count(*) AS weapons FROM (SELECT DISTINCT x.item_id FROM discrepancy x WHERE {_NEVER_DECLARED}) x
    JOIN there t ON t.item_id = x.item_id WHERE t.serial GROUP BY t.consignment_id
), counted AS ({{counted}}
), of_counted AS (
    SELECT consignment_id, sum(declared) AS declared, sum(least(received, declared)) AS arrived,
           sum(greatest(received - declared, 0)) AS excess
    FROM counted GROUP BY consignment_id
), differs AS (
    SELECT i.consignment_id, count(*) AS open FROM discrepancy x JOIN item i ON i.item_id = x.item_id
    WHERE i.consignment_id IS NOT NULL {{which}} AND {_OPEN} GROUP BY i.consignment_id
), wanting AS (
    SELECT t.consignment_id, sum(t.quantity) AS pieces
    FROM (SELECT DISTINCT x.item_id FROM discrepancy x WHERE x.kind = 'shortage' AND {_OPEN}) x
    JOIN there t ON t.item_id = x.item_id WHERE t.class IN ('supply', 'transit') GROUP BY t.consignment_id
), verified AS (
    SELECT x.donor_id, x.reference, sum(coalesce((a.content->>'quantity')::bigint, (x.content->>'quantity')::bigint)) AS pieces
    FROM {_ACCEPTED} GROUP BY x.donor_id, x.reference
), summed AS (
    SELECT c.consignment_id, c.donor, c.reference, c.site, c.declared_at, c.expected_on, c.end_user_certificate, c.today,
           coalesce(p.weapons, 0) - coalesce(b.weapons, 0) + coalesce(q.declared, 0) AS declared,
           coalesce(p.weapons - p.weapons_in_supply, 0) - coalesce(b.weapons, 0) - coalesce(n.weapons, 0)
           + coalesce(q.arrived, 0) AS arrived,
           coalesce(b.weapons, 0) + coalesce(q.excess, 0) AS in_excess, coalesce(v.pieces, 0) AS verified,
           {{named}}, coalesce(w.pieces, 0) AS wanting, coalesce(d.open, 0) AS discrepancies
    FROM chosen c LEFT JOIN placed p USING (consignment_id) LEFT JOIN never_came n USING (consignment_id)
    LEFT JOIN beside b USING (consignment_id) LEFT JOIN of_counted q USING (consignment_id) LEFT JOIN differs d USING (consignment_id)
    LEFT JOIN wanting w USING (consignment_id) LEFT JOIN verified v ON v.donor_id = c.donor_id AND v.reference = c.reference
), every AS (
    SELECT *, greatest(declared - not_shipped, 0) AS shipped, consignment_id::text AS key,
           CASE WHEN expected_on < today THEN declared - arrived ELSE least(wanting, declared - arrived) END AS short,
           CASE WHEN expected_on < today AND declared > arrived THEN today - expected_on END AS days_late
    FROM summed
), line AS (
    SELECT * FROM every WHERE {{condition}}
)"""
_ATTENTION: Mapping[Attention, str] = {
    Attention.SHORT: "short > 0",
    Attention.LATE: "days_late IS NOT NULL",
    Attention.GONE: "missing + lost > 0",
    Attention.DIFFERS: "discrepancies > 0",
    Attention.UNVERIFIED: "arrived + in_excess > verified",
}
_FIELDS = ", ".join(
    ["p.consignment_id, p.donor, p.reference, p.site, p.declared_at, p.expected_on, p.end_user_certificate"]
    + [f"p.{name}::bigint" for name in COUNTED[:-1]]
    + ["p.days_late, p.discrepancies::bigint"]
)
_SUMS = ", ".join(
    ["count(*)"]
    + [f"coalesce(sum({name}), 0)::bigint" for name in COUNTED]
    + ["count(days_late)", "coalesce(sum(greatest(arrived + in_excess - verified, 0)), 0)::bigint"]
)
ORDERS = {
    "reference": "reference",
    "donor": "donor",
    "site": "site",
    "declared_at": "to_char(declared_at, 'YYYY-MM-DD HH24:MI:SS.US')",
    "expected_on": "coalesce(expected_on::text, '')",
    **{name: NUMBER.format(f"greatest({name}, 0)") for name in COUNTED},
    "days_late": NUMBER.format("coalesce(days_late + 1, 0)"),
}


def list_progress(
    connection: Connection,
    actor: Actor,
    sought: ProgressSought = ProgressSought(),
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Lines[ProgressRow]:
    """The consignments in the asker's scope with how far each is, the newest first. `sums`: how many, the pieces of COUNTED, how many are
    late, and the pieces that arrived and no delivery verification names.

    Raises NotAllowed (a desk, which sees one site), NotFound (donor, site), Invalid (limit, cursor, order).
    """
    narrowed, given = _chosen(connection, actor, sought, at)
    sql = _sql(_ROWS, given, at, narrowed, _ATTENTION[sought.attention] if sought.attention else "true")
    question = Question(sql, _SUMS, _FIELDS, ORDERS, ORDERS["declared_at"])
    return read_lines(connection, question, given, ProgressRow, limit, cursor, order or "-declared_at")


def read_progress_of(connection: Connection, actor: Actor, consignment_id: UUID, at: AsOf = NOW) -> ProgressRow:
    """How far one consignment is. Raises NotAllowed, NotFound: there is none, or it is not the asker's to read."""
    rows = list_progress(connection, actor, ProgressSought(consignment_id=consignment_id), at, 1).rows
    if not rows:
        raise NotFound(sentence("There is no such consignment, or it is not yours to read."))
    return rows[0]


def need_consignment_called(connection: Connection, actor: Actor, reference: str, donor: str | None = None) -> UUID:
    """The key of a consignment by its donor's number, as people write it. Raises NotFound, Invalid: several donors have one of it."""
    require(actor, READ)
    given = {"reference": reference, "donor": donor_asked(connection, actor, donor)}
    question = """SELECT consignment_id FROM consignment
                  WHERE lower(reference) = lower(%(reference)s) AND (%(donor)s::uuid IS NULL OR donor_id = %(donor)s)"""
    found = connection.exec_driver_sql(question, given).scalars().all()
    if not found:
        raise NotFound(sentence("There is no such consignment, or it is not yours to read."))
    if len(found) > 1:
        fault = Fault(sentence("several donors have a consignment of this number"), field="donor")
        raise Invalid(sentence("Say of which donor."), [fault])
    return UUID(str(found[0]))


_WEAPONS = f"""
WITH {{there}}, beside AS (
    SELECT DISTINCT x.item_id FROM discrepancy x JOIN item i ON i.item_id = x.item_id WHERE {_NEVER_DECLARED} {{which}}
), wanting AS (
    SELECT DISTINCT x.item_id FROM discrepancy x JOIN item i ON i.item_id = x.item_id WHERE x.kind = 'shortage' AND {_OPEN} {{which}}
), verified AS (
    SELECT DISTINCT (l.line->>'item')::uuid AS item_id
    FROM (SELECT x.content FROM {_ACCEPTED}
          AND (x.donor_id, x.reference) = (SELECT donor_id, reference FROM consignment WHERE consignment_id = %(consignment)s)) x,
         jsonb_array_elements(x.content->'lines') l (line)
), told AS (
    SELECT p.*, CASE {_STAGES} END AS stage, NOT EXISTS (SELECT FROM beside b WHERE b.item_id = p.item_id) AS declared,
           CASE WHEN p.class IN {_IN_HAND} THEN true WHEN p.class = 'supply' THEN false ELSE {{came}} END AS arrived,
           p.class IN ('supply', 'transit') AND EXISTS (SELECT FROM wanting w WHERE w.item_id = p.item_id) AS wanting,
           EXISTS (SELECT FROM verified v WHERE v.item_id = p.item_id) AS verified
    FROM there p
), line AS (
    SELECT t.*, i.tag_number, i.lot, m.maker, m.name AS model, n.serial_number, s.code AS site,
           concat_ws(' ', m.name, n.serial_key, t.item_id::text, t.class, s.code) AS key
    FROM told t JOIN item i ON i.item_id = t.item_id JOIN model m ON m.model_id = i.model_id JOIN site s ON s.site_id = t.site_id
    JOIN consignment c ON c.consignment_id = t.consignment_id
    LEFT JOIN LATERAL identified(t.item_id) n ON true
    WHERE {{condition}} AND (%(search)s::text IS NULL OR strpos(n.serial_key, %(search)s) > 0 OR strpos(upper(m.name), %(search)s) > 0)
)"""
_OF_STAGE: Mapping[Stage, str] = {
    **{stage: f"t.stage = '{stage}'" for stage in CLASSES_OF},
    Stage.DECLARED: "t.declared",
    Stage.SHIPPED: "t.declared AND t.class <> 'supply'",
    Stage.ARRIVED: "t.declared AND t.arrived",
    Stage.VERIFIED: "t.verified",
    Stage.EXCESS: "NOT t.declared",
    Stage.SHORT: "t.declared AND NOT t.arrived AND (t.wanting OR c.expected_on < (%(moment)s::timestamptz AT TIME ZONE s.time_zone)::date)",
}
_WEAPON_FIELDS = """p.item_id, p.tag_number, p.maker, p.model, p.serial_number, p.lot, p.stage, p.site, p.quantity, p.declared, p.arrived,
       p.verified, e.condition, e.happened_at, e.document_id, e.code, e.book, e.year, e.number"""
_LAST_ENTRY = """LEFT JOIN LATERAL (
    SELECT e.condition, e.happened_at, e.document_id, s.code, b.code AS book, b.year, d.number
    FROM entry e JOIN account a ON a.account_id = e.to_account JOIN document d ON d.document_id = e.document_id
    JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
    WHERE e.item_id = p.item_id AND a.class = p.class AND a.site_id = p.site_id AND {up_to}
    ORDER BY e.version DESC LIMIT 1
) e ON true"""
WEAPON_ORDERS = {
    "model": "model",
    "serial_number": "coalesce(serial_number, '')",
    "stage": "stage",
    "site": "site",
    "quantity": NUMBER.format("quantity"),
}


def list_consignment_weapons(
    connection: Connection,
    actor: Actor,
    consignment_id: UUID,
    stage: Stage | None = None,
    text: str | None = None,
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Lines[ConsignmentWeapon]:
    """The items of a consignment by model and serial number, those of a stage alone if one is said. `text`: part of a serial number or
    model. `sums`: how many lines, and pieces. Of what is counted a line is counted as declared whole.

    Raises NotAllowed, NotFound (no such consignment), Invalid (limit, cursor, order).
    """
    narrowed, chosen = _chosen(connection, actor, ProgressSought(consignment_id=consignment_id), at)
    given = {**chosen, "search": serial_key(text) if text else None}
    sql = _sql(_WEAPONS, given, at, narrowed, _OF_STAGE[stage] if stage else "true", of_item="p.item_id")
    question = Question(
        sql,
        "count(*), coalesce(sum(quantity), 0)::bigint",
        _WEAPON_FIELDS,
        WEAPON_ORDERS,
        "''",
        joined=_LAST_ENTRY.format(up_to=at.up_to),
    )
    return read_lines(connection, question, given, _weapon, limit, cursor, order)


def _weapon(item_id: UUID, tag: int, *told: Any) -> ConsignmentWeapon:
    *rest, document_id, site, book, year, number = told
    numbered = full_number(site, book, year, number) if number is not None else None
    return ConsignmentWeapon(item_id, asset_tag(tag), *(*rest, document_id, numbered))


def _chosen(connection: Connection, actor: Actor, sought: ProgressSought, at: AsOf) -> tuple[str, dict[str, Any]]:
    """What narrows the consignments, in SQL, and its values."""
    require(actor, READ)
    if actor.role in DESK:
        raise NotAllowed(
            sentence("A desk sees its own site's weapons: how far a consignment is, its donor reads, or an auditor.")
        )
    given: dict[str, Any] = {
        **at.parameters,
        **EVERY_CLASS,
        "moment": at.moment or now(),
        "site": site_asked(connection, actor, sought.site),
        "donor": donor_asked(connection, actor, sought.donor),
        "text": sought.text.lower() if sought.text else None,
        "consignment": sought.consignment_id,
    }
    narrowing = {
        "site": "c.site_id = %(site)s",
        "donor": "c.donor_id = %(donor)s",
        "text": "strpos(lower(c.reference), %(text)s) > 0",
        "consignment": "c.consignment_id = %(consignment)s",
    }
    told = [condition for name, condition in narrowing.items() if given[name] is not None]
    if sought.consignment_id is not None and not _there_is(connection, sought.consignment_id):
        raise NotFound(sentence("There is no such consignment, or it is not yours to read."))
    return "".join(f" AND {condition}" for condition in told), given


def _there_is(connection: Connection, consignment_id: UUID) -> bool:
    question = "SELECT EXISTS (SELECT FROM consignment WHERE consignment_id = %s)"
    return bool(connection.exec_driver_sql(question, (consignment_id,)).scalar_one())


def _sql(
    question: str, given: Mapping[str, Any], at: AsOf, narrowed: str, condition: str, of_item: str = "there.item_id"
) -> str:
    """The question with its parts filled in: of now from the holdings, else from the entries up to the moment."""
    holding, held_by = _ITS_HOLDINGS, None
    if given["consignment"] is not None:
        which = "AND i.consignment_id = %(consignment)s"
    elif given["site"] is not None or given["text"] is not None:
        which = "AND i.consignment_id IN (SELECT consignment_id FROM chosen)"
    elif given["donor"] is not None:
        holding, held_by, which = "holding h", "AND h.donor_id = %(donor)s", "AND i.donor_id = %(donor)s"
    else:
        holding, which = "holding h", ""
    bounds = {"up_to": at.up_to, "reversed_by": at.up_to.replace("e.", "r."), "sent_by": at.up_to.replace("e.", "s.")}
    of_now = _THERE_NOW.format(holding=holding, which=held_by or which)
    there = of_now if at.now else _THERE_THEN.format(which=which, up_to=at.up_to)
    return question.format(
        narrowed=narrowed,
        which=which,
        condition=condition,
        there=there,
        came=_CAME.format(item=of_item, **bounds),
        counted=_COUNTED_ITEMS.format(which=which, up_to=at.up_to),
        places=", ".join(f"{_of_classes(classes)} AS {_name(stage)}" for stage, classes in CLASSES_OF.items()),
        named=", ".join(f"coalesce(p.{_name(stage)}, 0) AS {_name(stage)}" for stage in CLASSES_OF),
    )


def _name(stage: Stage) -> str:
    return stage.replace(" ", "_")


def _of_classes(classes: tuple[AccountClass, ...]) -> str:
    listed = ", ".join(f"'{one}'" for one in classes)
    return f"coalesce(sum(p.pieces) FILTER (WHERE p.class IN ({listed})), 0)"

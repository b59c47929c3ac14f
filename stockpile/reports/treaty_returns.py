"""Yearly returns to treaties, from the ledger: the UN Register of Conventional Arms, the Arms Trade Treaty's annual report (article 13(3))
and record (article 12(3)), the Programme of Action on small arms. A return is a few tables with the treaty's own headings; what a treaty
asks and the ledger does not know stays blank, and what is from memory is told. Names nobody: it is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from stockpile.catalogue_data import TREATY_ROWS
from stockpile.db.engine import for_sums
from stockpile.errors import NotAllowed
from stockpile.movements import HELD, AccountClass
from stockpile.parties import OWN_PROCUREMENT
from stockpile.registers.write import Value
from stockpile.reports.as_of import FOREVER
from stockpile.rights import DESK, READ_PEOPLE, Actor, require
from stockpile.sentences import sentence, template


class Treaty(StrEnum):
    """To which treaty a return goes."""

    UN_REGISTER = "un-register"
    ARMS_TRADE_TREATY = "arms-trade-treaty"
    PROGRAMME_OF_ACTION = "programme-of-action"


@dataclass(frozen=True, slots=True)
class ReturnTable:
    """A table of a return, as it is handed in. `source`: who defines its columns, and how sure that is."""

    name: str
    title: str
    source: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    @property
    def unverified(self) -> bool:
        """Whether something of its columns is from memory."""
        return UNVERIFIED in self.source


@dataclass(frozen=True, slots=True)
class TreatyReturn:
    """A year's return. `known_by`: it says what the books said at that moment, its cut-off; None: all they say now."""

    treaty: Treaty
    year: int
    known_by: datetime | None
    tables: tuple[ReturnTable, ...]
    remarks: tuple[str, ...]


UNVERIFIED = "(unverified)"
UN_REPORT = template(
    "UNROCA: seven columns as on published reports; what an import's State is called is from memory (unverified)"
)
ATT_REPORT = template(
    "Arms Trade Treaty, art. 13(3): columns from memory (unverified); category VIII follows the UN Register's small-arms rows"
)
ATT_RECORD = template(
    "Arms Trade Treaty, art. 12(3): quantity, value, model, authorised and actual transfers, States, end users"
)
PROGRAMME = template("Programme of Action on small arms, records and destruction: no fixed table is published")

UNCLASSED = "not in a category"
REMARKS = (
    template(
        "A transfer counts in the year, by the site's own calendar, in which custody changed: an import when it first came into a store, "
        "an export when it left one. What was taken back by a correction counts in no year."
    ),
    template("State of origin is the country of the model's design, which need not be where a piece was made."),
    template(
        "The importing State of an export is what its authorisation says; the exporting State of an import is the donor's name."
    ),
    template(
        "What is counted and bears no number of its own (armour, ammunition) counts as imported when it leaves the donor's supply."
    ),
    template("Values are the catalogue's, which says where each is from."),
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """What went one way under one authorisation, of one model."""

    row: str | None
    state: str
    reference: str
    end_user: str | None
    maker: str
    model: str
    calibre: str | None
    origin: str | None
    quantity: int
    value: Decimal | None
    comment: str

    @property
    def category(self) -> str:
        """The category as a return names it."""
        return category(self.row)

    @property
    def description(self) -> str:
        """Make, model and calibre."""
        return described(self.maker, self.model, self.calibre)


def category(row: str | None) -> str:
    """A row of the treaties as a return writes it."""
    named = TREATY_ROWS.get(row or "")
    return f"{row}: {named}" if named else UNCLASSED


def described(maker: str, model: str, calibre: str | None) -> str:
    """Make, model and calibre as a return describes them."""
    return ", ".join(filter(None, (f"{maker} {model}".strip(), calibre)))


# An entry that late facts moved cites the one it repeats: the authorisation is on that one's document.
_LIVE = """
WITH moved AS MATERIALIZED (
    SELECT DISTINCT e.item_id FROM entry e
    JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
    WHERE e.happened_at >= %(begin)s::date - 1 AND e.happened_at < %(end)s::date + 1 AND e.recorded_at <= %(known_by)s
      AND {crossing}
), told AS (
    SELECT e.*, count(*) OVER (PARTITION BY e.item_id, coalesce(e.reverses, e.version)) AS times
    FROM entry e JOIN moved USING (item_id) WHERE e.recorded_at <= %(known_by)s
), live AS (
    SELECT e.item_id, e.version, e.document_id, e.posts_again, e.model_id, e.donor_id, e.serial, e.quantity, e.happened_at,
           f.class AS from_class, t.class AS to_class,
           (e.happened_at AT TIME ZONE coalesce(s.time_zone, 'UTC'))::date AS day
    FROM told e
    JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
    JOIN site s ON s.site_id = e.site_id
    WHERE e.times = 1 AND e.reverses IS NULL
), crossed AS (
    {crossed}
)
"""
_EXPORTED = _LIVE.format(
    crossing="t.class = 'exported'",
    crossed="SELECT * FROM live WHERE to_class = 'exported' AND from_class <> 'exported'",
)
# A serial weapon came when it was first in somebody's hand here; an opening list says only that it was here.
_IMPORTED = _LIVE.format(
    crossing="f.class IN ('supply', 'transit', 'outside') AND t.class IN ('transit', 'store')",
    crossed="""
    SELECT * FROM (SELECT DISTINCT ON (item_id) * FROM live WHERE serial AND to_class = ANY (%(held)s)
                   ORDER BY item_id, happened_at, version) came
    UNION ALL
    SELECT * FROM live WHERE NOT serial AND from_class IN ('supply', 'outside') AND to_class IN ('transit', 'store')
    """,
)

_OF_DOCUMENT = """
LEFT JOIN LATERAL (
    WITH RECURSIVE back AS (
        SELECT c.document_id, c.posts_again
        UNION ALL
        SELECT o.document_id, o.posts_again FROM back JOIN entry o ON o.item_id = c.item_id AND o.version = back.posts_again
    )
    SELECT document_id FROM back WHERE posts_again IS NULL
) first ON true
JOIN document d ON d.document_id = first.document_id
JOIN model m ON m.model_id = c.model_id
"""
_EXPORTS = f"""{_EXPORTED}
SELECT m.treaty_row, coalesce(d.details ->> 'destination', ''), coalesce(d.details ->> 'authorisation', ''), d.details ->> 'consignee',
       m.maker, m.name, m.calibre, m.country, sum(c.quantity)::bigint, sum(c.quantity) * m.value,
       concat_ws('; ', d.details ->> 'purpose', 'authorisation ' || nullif(d.details ->> 'authorisation', ''))
FROM crossed c {_OF_DOCUMENT}
WHERE c.day >= %(begin)s AND c.day < %(end)s
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, m.value, 11 ORDER BY m.treaty_row, 2, m.maker, m.name, 3, 4, 11
"""
_IMPORTS = f"""{_IMPORTED}
SELECT m.treaty_row, coalesce(p.name, p.code, ''), coalesce(g.reference, ''), NULL::text,
       m.maker, m.name, m.calibre, m.country, sum(c.quantity)::bigint, sum(c.quantity) * m.value,
       coalesce('consignment ' || g.reference, 'declared by no consignment')
FROM crossed c {_OF_DOCUMENT}
JOIN item i ON i.item_id = c.item_id LEFT JOIN party p ON p.party_id = c.donor_id
LEFT JOIN consignment g ON g.consignment_id = i.consignment_id
WHERE c.day >= %(begin)s AND c.day < %(end)s AND d.act IN ('receive', 'ship') AND (c.donor_id = %(own)s) = %(bought)s
GROUP BY 1, 2, 3, 5, 6, 7, 8, m.value, 11 ORDER BY m.treaty_row, 2, m.maker, m.name, 3, 11
"""
_HOLDINGS = """
SELECT m.treaty_row, m.maker, m.name, m.calibre, sum(leg.quantity)::bigint
FROM (SELECT e.model_id, e.to_account AS account_id, e.quantity, e.happened_at FROM entry e WHERE e.recorded_at <= %(known_by)s
      UNION ALL
      SELECT e.model_id, e.from_account, -e.quantity, e.happened_at FROM entry e WHERE e.recorded_at <= %(known_by)s) leg
JOIN account a ON a.account_id = leg.account_id AND a.class = ANY (%(classes)s)
JOIN site s ON s.site_id = a.site_id
JOIN model m ON m.model_id = leg.model_id AND m.treaty_row IS NOT NULL
WHERE leg.happened_at < (%(end)s::timestamp AT TIME ZONE s.time_zone)
GROUP BY m.model_id HAVING sum(leg.quantity) <> 0 ORDER BY m.treaty_row, m.maker, m.name
"""
_DESTROYED = f"""{
    _LIVE.format(
        crossing="t.class = 'destroyed'",
        crossed="SELECT * FROM live WHERE to_class = 'destroyed' AND from_class <> 'destroyed'",
    )
}
SELECT m.treaty_row, m.maker, m.name, m.calibre, c.day, coalesce(d.details ->> 'method', ''), coalesce(d.details ->> 'place', ''),
       w.code || '/' || b.code || '/' || b.year || '/' || d.number, sum(c.quantity)::bigint
FROM crossed c {_OF_DOCUMENT}
JOIN book b ON b.book_id = d.book_id JOIN site w ON w.site_id = d.site_id
WHERE c.day >= %(begin)s AND c.day < %(end)s
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY c.day, 8, m.treaty_row, m.maker, m.name
"""
# Of weapons alone: armour and helmets bear no numbers.
_RECORDS = """
SELECT m.treaty_row, count(*), count(n.serial_number) FILTER (WHERE NOT n.obliterated), count(n.import_mark)
FROM item i JOIN model m ON m.model_id = i.model_id LEFT JOIN LATERAL identified(i.item_id) n ON true
WHERE i.tracked_by = 'serial'
  AND EXISTS (SELECT FROM entry e WHERE e.item_id = i.item_id AND e.version = 1 AND e.happened_at < %(end)s::date
                                    AND e.recorded_at <= %(known_by)s)
GROUP BY 1 ORDER BY 1
"""
_AUTHORISED = """
SELECT coalesce(p.name, p.code, ''), g.reference, g.end_user_certificate, m.treaty_row, m.maker, m.name, m.calibre,
       sum(e.quantity) FILTER (WHERE f.class = 'outside' AND t.class = 'supply')
         - coalesce(sum(e.quantity) FILTER (WHERE f.class = 'supply' AND t.class = 'outside'), 0),
       coalesce(sum(e.quantity) FILTER (WHERE t.class = 'supply' AND f.class <> 'outside'), 0),
       coalesce(sum(e.quantity) FILTER (WHERE f.class = 'supply' AND t.class <> 'outside'), 0)
FROM consignment g JOIN party p ON p.party_id = g.donor_id JOIN site s ON s.site_id = g.site_id
JOIN item i ON i.consignment_id = g.consignment_id JOIN model m ON m.model_id = i.model_id
JOIN entry e ON e.item_id = i.item_id AND (e.from_account = g.account_id OR e.to_account = g.account_id)
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
WHERE e.recorded_at <= %(known_by)s AND e.happened_at < (%(end)s::timestamp AT TIME ZONE s.time_zone)
  AND (g.declared_at AT TIME ZONE s.time_zone)::date BETWEEN %(begin)s AND %(end)s::date - 1
GROUP BY 1, 2, 3, m.treaty_row, m.maker, m.name, m.calibre ORDER BY 1, 2, m.maker, m.name
"""

ON_HAND = HELD | {AccountClass.TRANSIT}
"""What a country holds: in stores, with units and people, in workshops, and on the way between them."""


def check_may_read(actor: Actor) -> None:
    """Raises NotAllowed for donors, and for who has the books of one site only."""
    require(actor, READ_PEOPLE)
    if actor.role in DESK:
        raise NotAllowed(sentence("A return is of the whole country, and you read the books of one site only."))


def treaty_return(
    connection: Connection, actor: Actor, treaty: Treaty, year: int, known_by: datetime | None = None
) -> TreatyReturn:
    """A year's return of the whole country. Raises NotAllowed (donors, and who has the books of one site only)."""
    check_may_read(actor)
    for_sums(connection)
    given = {
        "begin": date(year, 1, 1),
        "end": date(year + 1, 1, 1),
        "known_by": known_by or FOREVER,
        "held": [str(one) for one in HELD],
        "classes": [str(one) for one in ON_HAND],
        "own": OWN_PROCUREMENT,
    }
    tables, remarks = TABLES[treaty](connection, given), REMARKS
    return TreatyReturn(treaty, year, known_by, tuple(tables), remarks)


def _transfers(connection: Connection, question: str, given: dict[str, Any], bought: bool = False) -> list[Transfer]:
    rows = connection.exec_driver_sql(question, {**given, "bought": bought})
    return [Transfer(*row) for row in rows]


STATES = {"exports": "Final importer State", "imports": "Exporter State"}


def _un_register(connection: Connection, given: dict[str, Any]) -> Iterable[ReturnTable]:
    for direction, question in (("exports", _EXPORTS), ("imports", _IMPORTS)):
        found = _transfers(connection, question, given)
        headings: tuple[str, ...] = (
            "Category", STATES[direction], "Number of items", "State of origin (if not exporter)",
            "Intermediate location(s) (if any)", "Description of items", "Comments on the transfer",
        )  # fmt: skip
        for part, rows in _parts(found).items():
            name = f"{part} {direction}".strip()
            lines: tuple[tuple[Value, ...], ...] = tuple(
                (r.category, r.state, r.quantity, r.origin, None, r.description, r.comment) for r in rows
            )
            yield ReturnTable(name.replace(" ", "-"), name.capitalize(), UN_REPORT, headings, lines)
    headings = ("Category", "Number of items", "Description of items", "Comments")
    held = connection.exec_driver_sql(_HOLDINGS, given).all()
    lines = tuple(
        (category(row), count, described(maker, name, calibre), None) for row, maker, name, calibre, count in held
    )
    yield ReturnTable("military-holdings", "Military holdings at the end of the year", UN_REPORT, headings, lines)
    made = _transfers(connection, _IMPORTS, given, bought=True)
    remark = "bought by the host itself: say which of it was made in the country"
    lines = tuple((r.category, r.quantity, r.description, f"{remark}; {r.comment}") for r in made)
    yield ReturnTable("procurement", "Procurement through national production", UN_REPORT, headings, lines)


def _parts(found: Sequence[Transfer]) -> dict[str, list[Transfer]]:
    """The transfers by the register's tables: its seven categories, small arms, light weapons; and what is in none, to be classed."""
    parts: dict[str, list[Transfer]] = {"": [], "small arms": [], "light weapons": [], "not classed": []}
    for one in found:
        row = one.row or ""
        part = next((part for part in ("small arms", "light weapons") if row.startswith(part)), "")
        parts[part if one.row in TREATY_ROWS else "not classed"].append(one)
    if not parts["not classed"]:
        del parts["not classed"]
    return parts


def _arms_trade_treaty(connection: Connection, given: dict[str, Any]) -> Iterable[ReturnTable]:
    states = {"exports": "Final importing State", "imports": "Exporting State"}
    record: list[tuple[Value, ...]] = []
    for direction, question in (("exports", _EXPORTS), ("imports", _IMPORTS)):
        found = _transfers(connection, question, given)
        headings: tuple[str, ...] = (
            "Category of arms", "Authorized or actual", "Number of items", "Value", states[direction],
            "State of origin (if not exporter)", "Description of arms", "Comments on the transfer",
        )  # fmt: skip
        lines: tuple[tuple[Value, ...], ...] = tuple(
            (_att_category(r.row), "actual", r.quantity, r.value, r.state, r.origin, r.description, r.comment)
            for r in found
        )
        yield ReturnTable(direction, direction.capitalize(), ATT_REPORT, headings, lines)
        record += [
            (direction, r.quantity, r.value, r.description, r.reference or None, r.quantity,
             *((None, r.state) if direction == "exports" else (r.state, None)), None, r.end_user)
            for r in found
        ]  # fmt: skip
    headings = (
        "Direction", "Quantity", "Value", "Model or type", "Authorisation", "Actual transfer", "Exporting State", "Importing State",
        "Transit and trans-shipment States", "End user",
    )  # fmt: skip
    yield ReturnTable("record", "Record of transfers", ATT_RECORD, headings, tuple(record))
    headings = (
        "Exporting State", "Consignment", "End-user certificate", "Category of arms", "Description of arms", "Declared", "Rejected",
        "Left the supply", "Outstanding",
    )  # fmt: skip
    lines = tuple(
        (donor, reference, certificate, _att_category(row), described(maker, name, calibre), _int(declared), _int(back), _int(gone),
         _int(declared) + _int(back) - _int(gone))
        for donor, reference, certificate, row, maker, name, calibre, declared, back, gone
        in connection.exec_driver_sql(_AUTHORISED, given)
    )  # fmt: skip
    yield ReturnTable(
        "authorisations", "What was declared this year, against what came of it", ATT_RECORD, headings, lines
    )


def _att_category(row: str | None) -> str:
    """The treaty's categories are the register's, and small arms and light weapons are its eighth."""
    found = category(row)
    return f"VIII, {found}" if found != UNCLASSED and not found.startswith("category ") else found


def _int(number: Decimal | int | None) -> int:
    return int(number or 0)


def _programme_of_action(connection: Connection, given: dict[str, Any]) -> Iterable[ReturnTable]:
    headings: tuple[str, ...] = (
        "Category", "Weapons on record", "With a serial number", "With an import mark", "Recorded of each transaction", "Records kept",
    )  # fmt: skip
    kept = "kind, parties, country, date and number of every document", "indefinitely"
    lines: tuple[tuple[Value, ...], ...] = tuple(
        (category(row), *counts, *kept) for row, *counts in connection.exec_driver_sql(_RECORDS, given)
    )
    yield ReturnTable("record-keeping", "Records kept at the end of the year", PROGRAMME, headings, lines)
    headings = ("Date", "Category", "Description of items", "Number of items", "Method", "Place", "Certificate")
    lines = tuple(
        (day, category(row), described(maker, name, calibre), count, method, place, number)
        for row, maker, name, calibre, day, method, place, number, count in connection.exec_driver_sql(
            _DESTROYED, given
        )
    )
    yield ReturnTable("destruction", "Destroyed in the year", PROGRAMME, headings, lines)


TABLES: dict[Treaty, Callable[[Connection, dict[str, Any]], Iterable[ReturnTable]]] = {
    Treaty.UN_REGISTER: _un_register,
    Treaty.ARMS_TRADE_TREATY: _arms_trade_treaty,
    Treaty.PROGRAMME_OF_ACTION: _programme_of_action,
}

"""How many weapons have a readable serial number recorded: of a register as it was read, or of the ledger as of a moment on either clock
(SIGIR-06-033: about 10,000 of 370,251). Weapons are what models tracked by serial number say; armour and helmets are told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.keyset import page_of
from stockpile.reports.listed import names_in, need_listed
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.reports.shares import percent
from stockpile.rights import DESK, DONOR, READ, Actor, require
from stockpile.sentences import template

QUESTION = template("Of how many weapons do the books have a readable serial number?")
FINDING = template(
    "About 10,000 of 370,251 weapons had their serial number recorded: 2.7 per cent (SIGIR-06-033, 2006)."
)


class What(StrEnum):
    """What a line counts: weapons, what is counted by quantity or lot, or what a list calls by a name nobody has mapped."""

    WEAPONS = "weapons"
    COUNTED = "counted"
    UNKNOWN = "unknown model"


@dataclass(frozen=True, slots=True)
class CaptureLine:
    """One model, or one name of a list that means none yet: how many, and how many with a readable serial number.

    `percent` is None where nothing is expected to bear a number of its own.
    """

    what: What
    maker: str | None
    model: str | None
    quantity: int
    with_serial: int
    without_serial: int
    percent: float | None


@dataclass(frozen=True, slots=True)
class SerialCapture:
    """A page of lines, and the sums over all pages: weapons with and without a serial number, what is counted, what has an unknown
    model, and the lines of a register that were set aside and say nothing. `cursor`: more lines follow.
    """

    rows: tuple[CaptureLine, ...]
    weapons: int
    with_serial: int
    without_serial: int
    percent: float | None
    counted: int
    unknown_model: int
    set_aside: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class CaptureSought:
    """Which part of the ledger is sought: that to which all applies that is said; `consignment` is the donor's reference."""

    donor: str | None = None
    consignment: str | None = None
    site: str | None = None
    model: str | None = None


_INSIDE = "{a}.class <> 'outside' AND (%(site)s::uuid IS NULL OR {a}.site_id = %(site)s)"
_HELD_NOW = """
    SELECT h.item_id, h.model_id, h.donor_id, h.quantity FROM holding h WHERE %(site)s::uuid IS NULL OR h.site_id = %(site)s
"""
# Only what crosses the border of the books, or of the site, changes what is within. An account hidden from a desk is not its site's.
_HELD_THEN = f"""
    SELECT e.item_id, e.model_id, e.donor_id, sum(CASE WHEN t.account_id IS NULL THEN -e.quantity ELSE e.quantity END)::bigint AS quantity
    FROM {{entries}} e
    LEFT JOIN account f ON f.account_id = e.from_account AND {_INSIDE.format(a="f")}
    LEFT JOIN account t ON t.account_id = e.to_account AND {_INSIDE.format(a="t")}
    WHERE (f.account_id IS NULL) <> (t.account_id IS NULL) AND {{up_to}}
    GROUP BY e.item_id, e.model_id, e.donor_id HAVING sum(CASE WHEN t.account_id IS NULL THEN -e.quantity ELSE e.quantity END) <> 0
"""
_SITE_ENTRIES = "site_entries(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz)"
_ENTRIES = {
    False: "entries_of(ARRAY(SELECT DISTINCT item_id FROM amended))",
    True: "entry e WHERE e.item_id IN (SELECT item_id FROM amended)",
}
"""By whether a donor asks, who reads its own entries alone."""

# What a weapon bears is told by its newest identification whose entry stood at the moment (`identified` tells it of now). All are counted
# by their first; then what later ones changed, of the few that have one.
_LEDGER = """
WITH RECURSIVE held AS {materialized} ({held}
), amended AS (
    SELECT item_id, version, entry_version FROM identification WHERE version > 1
), known AS (
    SELECT item_id, version, happened_at, reverses, posts_again FROM {entries_of_amended}
), again AS (
    SELECT item_id, version, entry_version AS stands FROM amended
    UNION ALL
    SELECT a.item_id, a.version, k.version FROM again a JOIN known k ON k.item_id = a.item_id AND k.posts_again = a.stands
), standing AS (
    SELECT DISTINCT a.item_id, a.version
    FROM again a JOIN known k ON k.item_id = a.item_id AND k.version = a.stands
    WHERE k.happened_at <= %(happened_at)s
      AND NOT EXISTS (SELECT FROM known r WHERE r.item_id = a.item_id AND r.reverses = a.stands)
), changed AS (
    SELECT DISTINCT ON (n.item_id) n.item_id, n.serial_number IS NOT NULL AND NOT n.obliterated AS readable
    FROM standing s JOIN identification n ON n.item_id = s.item_id AND n.version = s.version
    ORDER BY n.item_id, n.version DESC
), counted AS (
    SELECT h.model_id, sum(h.quantity)::bigint AS quantity,
           count(*) FILTER (WHERE n.serial_number IS NOT NULL AND NOT n.obliterated) AS readable
    FROM held h LEFT JOIN identification n ON n.item_id = h.item_id AND n.version = 1 WHERE {which} GROUP BY h.model_id
    UNION ALL
    SELECT h.model_id, 0, sum(c.readable::int - coalesce(n.serial_number IS NOT NULL AND NOT n.obliterated, false)::int)
    FROM changed c JOIN held h ON h.item_id = c.item_id
    LEFT JOIN identification n ON n.item_id = h.item_id AND n.version = 1 WHERE {which} GROUP BY h.model_id
)
SELECT m.maker, m.name, m.tracked_by, sum(c.quantity)::bigint, CASE WHEN m.tracked_by = 'serial' THEN sum(c.readable)::bigint ELSE 0 END
FROM counted c JOIN model m ON m.model_id = c.model_id
GROUP BY m.maker, m.name, m.tracked_by
"""
_WHICH = {
    "donor": "h.donor_id = %(donor)s",
    "models": "h.model_id = ANY (%(models)s)",
    "consignment": """h.item_id IN (SELECT i.item_id FROM item i JOIN consignment c ON c.consignment_id = i.consignment_id
                                    WHERE c.reference = %(consignment)s)""",
}
"""What narrows it, where it is asked."""

# A line with a serial number is one weapon with it, and the rest of its quantity, if it states one, without.
_REGISTER = """
SELECT coalesce(maker, ''), model, coalesce(sum(greatest(coalesce(quantity, 1), has::int)), 0)::bigint, count(*) FILTER (WHERE has)
FROM (SELECT maker, model, quantity, coalesce(serial_key, '') <> '' AS has
      FROM register_line WHERE register_id = %s AND rejected IS NULL) line
GROUP BY 1, 2
"""


def serial_capture(
    connection: Connection,
    actor: Actor,
    sought: CaptureSought = CaptureSought(),
    at: AsOf = NOW,
    limit: int | None = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> SerialCapture:
    """Of the ledger in the asker's scope: of what was in the books at the moment, wherever it was then, also missing or lost.

    `limit` None: all of them. Raises NotFound (an unknown code), NotAllowed (another site's books), Invalid (limit, cursor).
    """
    require(actor, READ)
    values = {
        **at.parameters,
        "site": site_asked(connection, actor, sought.site),
        "donor": donor_asked(connection, actor, sought.donor),
        "models": models_of(connection, sought.model) if sought.model else None,
        "consignment": sought.consignment,
    }
    for_sums(connection)
    which = " AND ".join(condition for name, condition in _WHICH.items() if values[name] is not None) or "true"
    rows = connection.exec_driver_sql(_ledger_sql(actor, at, which), values)
    lines = [
        _line(What.WEAPONS if tracked_by == "serial" else What.COUNTED, maker, model, quantity, readable)
        for maker, model, tracked_by, quantity, readable in rows
    ]
    return _page(lines, 0, limit, cursor, order)


def serial_capture_of_register(
    connection: Connection, actor: Actor, register_id: UUID, limit: int | None = 100, cursor: str | None = None
) -> SerialCapture:
    """Of a register: a line without a serial number is as many weapons without one as its quantity says, one if it says none.

    Raises NotAllowed (donors), NotFound, Invalid (a register that was not read in our fields; limit, cursor).
    """
    register = need_listed(connection, actor, register_id)
    meant = names_in(connection, [register.register_id]).meant
    sums: dict[tuple[What, str | None, str | None], list[int]] = {}
    for maker, name, quantity, readable in connection.exec_driver_sql(_REGISTER, (register_id,)):
        model = meant.get((register_id, maker, name))
        if model is None:
            key = (What.UNKNOWN, maker or None, name)
        else:
            key = (What.WEAPONS if model.tracked_by == "serial" else What.COUNTED, model.maker, model.name)
        summed = sums.setdefault(key, [0, 0])
        summed[0] += quantity
        summed[1] += readable
    set_aside = connection.exec_driver_sql(
        "SELECT rejected_count FROM register WHERE register_id = %s", (register_id,)
    ).scalar_one()
    return _page([_line(*key, *summed) for key, summed in sums.items()], set_aside, limit, cursor)


def _ledger_sql(actor: Actor, at: AsOf, which: str) -> str:
    if at.now:
        held = _HELD_NOW
    elif actor.role in DESK:
        held = _HELD_THEN.format(entries=_SITE_ENTRIES, up_to="true")
    else:
        held = _HELD_THEN.format(entries="entry", up_to=at.up_to)
    donor = actor.role == DONOR
    known = f"{_ENTRIES[donor]} {'AND' if donor else 'WHERE'} recorded_at <= %(recorded_at)s"
    # The holdings are read twice, in parallel; what is added up from entries is kept.
    materialized = "NOT MATERIALIZED" if at.now else "MATERIALIZED"
    return _LEDGER.format(held=held, materialized=materialized, entries_of_amended=known, which=which)


def _line(what: What, maker: str | None, model: str | None, quantity: int, readable: int) -> CaptureLine:
    share = None if what is What.COUNTED else percent(readable, quantity)
    return CaptureLine(what, maker, model, quantity, readable, quantity - readable, share)


ORDERS = ("maker", "model", "what", "quantity", "with_serial", "without_serial", "percent")


def _page(
    lines: list[CaptureLine], set_aside: int, limit: int | None, cursor: str | None, order: str | None = None
) -> SerialCapture:
    page = page_of(lines, _key, limit, cursor, order, ORDERS)

    def total(what: What, of: str) -> int:
        return sum(getattr(line, of) for line in lines if line.what is what)

    weapons, readable = total(What.WEAPONS, "quantity"), total(What.WEAPONS, "with_serial")
    return SerialCapture(
        rows=page.rows,
        weapons=weapons,
        with_serial=readable,
        without_serial=weapons - readable,
        percent=percent(readable, weapons),
        counted=total(What.COUNTED, "quantity"),
        unknown_model=total(What.UNKNOWN, "quantity"),
        set_aside=set_aside,
        cursor=page.cursor,
    )


def _key(line: CaptureLine) -> tuple[str, ...]:
    """Weapons first, then what is counted, then what nobody has mapped."""
    return (str(list(What).index(line.what)), line.maker or "", line.model or "")

"""The trial balance: for every donor, model and site, what came in equals what is in supply, in transit, in stores, with
units and persons, in maintenance, missing, lost, expended, destroyed and exported; now, or as of a moment on either clock.

`proof` counts entries, holdings and documents each by a query of its own and compares them. Nothing here mends a
difference: it is shown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.documents import full_number
from stockpile.movements import BALANCED
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.places import EVERY_CLASS, PLACES
from stockpile.reports.scope import donor_asked, models_of, site_asked
from stockpile.rights import DESK, DONOR, READ, Actor, require
from stockpile.sentences import template
from stockpile.sites import OUTSIDE_ID

QUESTION = template("How many came in, and where is each of them?")
FINDING = template(
    "There was no centralised record of all equipment distributed before December 2005; at least 190,000 weapons could "
    "not be accounted for (GAO-07-711, 2007)."
)


class By(StrEnum):
    """What the lines of the balance are told apart by; the classes are its columns."""

    DONOR = "donor"
    MODEL = "model"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One line of the trial balance. What it is not told apart by is None.

    `came_in` is what came from outside, net of what was taken back, and, where a line is of one site, what came from
    other sites, net (`from_other_sites`). `difference` is what came in less the sum of the classes: 0, or something is wrong.
    """

    donor: str | None
    maker: str | None
    model: str | None
    site: str | None
    came_in: int
    from_other_sites: int
    supply: int
    transit: int
    store: int
    unit: int
    person: int
    maintenance: int
    missing: int
    lost: int
    expended: int
    destroyed: int
    exported: int
    difference: int


# Entries up to the moment, added up by what they are and by the classes and sites of their ends: first by the number that stands for both,
# as millions of texts take longer. `outside` has no site.
_FLOWS = """
    SELECT e.donor_id, e.model_id, f.class AS from_class, f.site_id AS from_site, t.class AS to_class, t.site_id AS to_site, e.quantity
    FROM (SELECT e.donor_id, e.model_id, e.from_class_and_site, e.to_class_and_site, sum(e.quantity) AS quantity
          FROM {entries}
          GROUP BY e.donor_id, e.model_id, e.from_class_and_site, e.to_class_and_site) e
    JOIN place f ON f.class_and_site = e.from_class_and_site JOIN place t ON t.class_and_site = e.to_class_and_site
"""
_COUNTRY_ENTRIES = "entry e WHERE {up_to}"
_SITE_ENTRIES = "site_entries(%(happened_at)s::timestamptz, %(recorded_at)s::timestamptz) e"

_HELD_NOW = """
    SELECT h.donor_id, h.model_id, p.site_id, p.class, h.quantity
    FROM (SELECT class_and_site, model_id, donor_id, sum(quantity) AS quantity FROM holding GROUP BY class_and_site, model_id, donor_id) h
    JOIN place p ON p.class_and_site = h.class_and_site
"""
_HELD_THEN = "SELECT donor_id, model_id, site_id, class, quantity FROM leg WHERE class <> 'outside'"

_BY_FLOWS = f""", flow AS MATERIALIZED ({_FLOWS}
), leg AS (
    SELECT donor_id, model_id, to_site AS site_id, to_class AS class, from_site AS other_site, from_class AS other_class, quantity
    FROM flow
    UNION ALL
    SELECT donor_id, model_id, from_site, from_class, to_site, to_class, -quantity FROM flow
), came AS (
    SELECT donor_id, model_id, site_id, quantity AS came_in,
           CASE WHEN other_class = 'outside' THEN 0 ELSE quantity END AS from_other_sites
    FROM leg WHERE class <> 'outside' AND site_id IS DISTINCT FROM other_site
)"""
# For the balance of now of all sites: what one site got from another cancels.
_BY_BORDER = f""", came AS (
    SELECT donor_id, model_id, NULL::uuid AS site_id, sum(quantity) AS came_in, 0 AS from_other_sites
    FROM entry WHERE from_account = '{OUTSIDE_ID}' GROUP BY model_id, donor_id
    UNION ALL
    SELECT donor_id, model_id, NULL, -sum(quantity), 0 FROM entry WHERE to_account = '{OUTSIDE_ID}' GROUP BY model_id, donor_id
)"""

_BALANCE = """
WITH {places}{came}, held AS ({held}
), line AS (
    SELECT donor_id, model_id, site_id, NULL AS class, 0 AS quantity, came_in, from_other_sites FROM came
    UNION ALL
    SELECT donor_id, model_id, site_id, class, quantity, 0, 0 FROM held
), balance AS (
    SELECT CASE WHEN %(by_donor)s THEN donor_id END AS donor_id,
           CASE WHEN %(by_model)s THEN model_id END AS model_id,
           CASE WHEN %(by_site)s THEN site_id END AS site_id,
           sum(came_in)::bigint AS came_in, sum(from_other_sites)::bigint AS from_other_sites,
           {classes}
    FROM line
    WHERE (%(donor)s::uuid IS NULL OR donor_id = %(donor)s) AND (%(site)s::uuid IS NULL OR site_id = %(site)s)
      AND (%(models)s::uuid[] IS NULL OR model_id = ANY (%(models)s))
    GROUP BY 1, 2, 3
)
SELECT p.code, m.maker, m.name, s.code, b.came_in, b.from_other_sites,
       {columns},
       b.came_in - ({total}) AS difference
FROM balance b
LEFT JOIN party p ON p.party_id = b.donor_id
LEFT JOIN model m ON m.model_id = b.model_id
LEFT JOIN site s ON s.site_id = b.site_id
WHERE (b.came_in, {columns}) <> (0, {zeros})
ORDER BY p.code, m.maker, m.name, s.code
"""


def _sql(came: str, held: str) -> str:
    return _BALANCE.format(
        places=PLACES,
        came=came,
        held=held,
        classes=",\n           ".join(
            f"coalesce(sum(quantity) FILTER (WHERE class = '{one}'), 0)::bigint AS in_{one}" for one in BALANCED
        ),
        columns=", ".join(f"b.in_{one}" for one in BALANCED),
        total=" + ".join(f"b.in_{one}" for one in BALANCED),
        zeros=", ".join("0" for _ in BALANCED),
    )


_NOW = _sql(_BY_FLOWS, _HELD_NOW)
_THEN = _sql(_BY_FLOWS, _HELD_THEN)
_ALL_SITES_NOW = _sql(_BY_BORDER, _HELD_NOW)


def trial_balance(
    connection: Connection,
    actor: Actor,
    by: Collection[By] = (),
    at: AsOf = NOW,
    donor: str | None = None,
    model: str | None = None,
    site: str | None = None,
) -> list[BalanceLine]:
    """The balance within the asker's scope, told apart `by`, of one donor, model or site if named (codes; a model's name).

    Now, the classes come from the holdings and what came in from the entries; as of a moment both come from the entries.
    A desk has the books of its own site; a donor its own items; the others all. Raises NotFound (an unknown code), NotAllowed.
    """
    require(actor, READ)
    scope = _scope(connection, actor, donor, model, site)
    for_sums(connection)
    wanted = {f"by_{one}": one in by for one in By}
    if at.now and scope["site"] is None and By.SITE not in by:
        sql = _ALL_SITES_NOW
    else:
        entries = _SITE_ENTRIES if actor.role in DESK else _COUNTRY_ENTRIES.format(up_to=at.up_to)
        sql = (_NOW if at.now else _THEN).format(entries=entries)
    rows = connection.exec_driver_sql(sql, {**wanted, **scope, **at.parameters, **EVERY_CLASS})
    return [BalanceLine(*row) for row in rows]


def _scope(
    connection: Connection, actor: Actor, donor: str | None, model: str | None, site: str | None
) -> dict[str, Any]:
    """The filters, never wider than the asker's own scope."""
    return {
        "site": site_asked(connection, actor, site),
        "donor": donor_asked(connection, actor, donor),
        "models": models_of(connection, model) if model else None,
    }


@dataclass(frozen=True, slots=True)
class ProofDifference:
    """Where two counts of one thing differ: a document by its number, or an account by its name."""

    what: str
    where: str
    entries: int
    other: int


@dataclass(frozen=True, slots=True)
class Proof:
    """Three counts, each by a query of its own, and whether they agree.

    `entry_lines` and `entry_quantity` count the entries recorded by the moment; `document_lines` and `document_quantity` are
    what the documents say of themselves (None for donors). `came_in` and `held_by_legs` add the legs outside and inside;
    `held` adds the holdings (None as of a past moment: they are of now). `closes`: all agree, and no account is below zero.
    """

    closes: bool
    entry_lines: int
    entry_quantity: int
    document_lines: int | None
    document_quantity: int | None
    came_in: int
    held_by_legs: int
    held: int | None
    differences: tuple[ProofDifference, ...]


SHOWN_DIFFERENCES = 100

# Documents and their entries are compared on the recorded clock alone: a reversal keeps the time of what it reverses, so
# entries need not have happened when their document did.
_ENTRIES = "SELECT count(*), coalesce(sum(quantity), 0)::bigint FROM entry WHERE recorded_at <= %(recorded_at)s"
_DOCUMENTS = """
SELECT coalesce(sum(line_count), 0)::bigint, coalesce(sum(quantity), 0)::bigint
FROM document WHERE recorded_at <= %(recorded_at)s
"""
_DOCUMENTS_APART = """
SELECT s.code, b.code, b.year, d.number, coalesce(e.quantity, 0)::bigint, d.quantity
FROM document d
JOIN book b ON b.book_id = d.book_id
JOIN site s ON s.site_id = d.site_id
LEFT JOIN (SELECT document_id, count(*) AS lines, sum(quantity) AS quantity FROM entry GROUP BY document_id) e
       ON e.document_id = d.document_id
WHERE d.recorded_at <= %(recorded_at)s AND (coalesce(e.lines, 0), coalesce(e.quantity, 0)) <> (d.line_count, d.quantity)
ORDER BY d.recorded_at, d.document_id LIMIT %(shown)s
"""

_ACCOUNTS = """
WITH known AS {materialized} (
    SELECT from_account, to_account, quantity FROM {entries}
), leg AS (
    SELECT to_account AS account_id, sum(quantity) AS quantity FROM known GROUP BY to_account
    UNION ALL
    SELECT from_account, -sum(quantity) FROM known GROUP BY from_account
), legs AS (
    SELECT account_id, sum(quantity) AS quantity FROM leg GROUP BY account_id
), held AS (
    SELECT account_id, sum(quantity) AS quantity FROM holding WHERE %(now)s GROUP BY account_id
), counted AS (
    SELECT account_id, s.code AS site, {name} AS name, coalesce(l.quantity, 0)::bigint AS legs,
           coalesce(h.quantity, 0)::bigint AS held,
           coalesce(a.class <> 'outside' AND (%(site)s::uuid IS NULL OR a.site_id = %(site)s), false) AS inside
    FROM legs l FULL JOIN held h USING (account_id)
    LEFT JOIN account a USING (account_id) LEFT JOIN site s ON s.site_id = a.site_id
), apart AS (
    SELECT site, name, legs, held FROM counted WHERE inside AND (legs < 0 OR %(now)s AND legs <> held)
    ORDER BY site, name LIMIT %(shown)s
), total AS (
    SELECT coalesce(-sum(legs) FILTER (WHERE NOT inside), 0)::bigint AS came_in,
           coalesce(sum(legs) FILTER (WHERE inside), 0)::bigint AS legs, coalesce(sum(held), 0)::bigint AS held
    FROM counted
)
SELECT total.came_in, total.legs, total.held, apart.site, apart.name, apart.legs, apart.held FROM total LEFT JOIN apart ON true
"""
_KNOWN_ENTRIES = "entry WHERE happened_at <= %(happened_at)s AND recorded_at <= %(recorded_at)s"
# A country's entries are read twice, in parallel; a site's, once picked out, are kept.
_ACCOUNTS_OF_COUNTRY = _ACCOUNTS.format(materialized="NOT MATERIALIZED", entries=_KNOWN_ENTRIES, name="a.name")
_ACCOUNTS_OF_DONOR = _ACCOUNTS.format(materialized="NOT MATERIALIZED", entries=_KNOWN_ENTRIES, name="a.class")
_ACCOUNTS_OF_SITE = _ACCOUNTS.format(materialized="MATERIALIZED", entries=_SITE_ENTRIES, name="a.name")


def proof(connection: Connection, actor: Actor, at: AsOf = NOW) -> Proof:
    """Counts entries, holdings and documents separately within the asker's scope, and says where they differ."""
    require(actor, READ)
    for_sums(connection)
    given = {
        **at.parameters,
        "now": at.now,
        "site": actor.site_id if actor.role in DESK else None,
        "shown": SHOWN_DIFFERENCES,
    }
    lines, quantity = connection.exec_driver_sql(_ENTRIES, given).one()
    of_documents = None if actor.role == DONOR else connection.exec_driver_sql(_DOCUMENTS, given).one()
    accounts = connection.exec_driver_sql(_accounts_sql(actor), given).all()
    came_in, legs, held = accounts[0][:3]
    found = [ProofDifference("account", f"{row[3]} {row[4]}", row[5], row[6]) for row in accounts if row[3] is not None]
    if of_documents is not None:
        # Also where the totals agree: two documents may be wrong in opposite ways.
        for row in connection.exec_driver_sql(_DOCUMENTS_APART, given):
            found.append(ProofDifference("document", full_number(*row[:4]), row[4], row[5]))
    agree = of_documents is None or (lines, quantity) == tuple(of_documents)
    return Proof(
        closes=agree and not found and came_in == legs and (not at.now or legs == held),
        entry_lines=lines,
        entry_quantity=quantity,
        document_lines=of_documents[0] if of_documents is not None else None,
        document_quantity=of_documents[1] if of_documents is not None else None,
        came_in=came_in,
        held_by_legs=legs,
        held=held if at.now else None,
        differences=tuple(found[:SHOWN_DIFFERENCES]),
    )


def _accounts_sql(actor: Actor) -> str:
    if actor.role in DESK:
        return _ACCOUNTS_OF_SITE
    return _ACCOUNTS_OF_DONOR if actor.role == DONOR else _ACCOUNTS_OF_COUNTRY

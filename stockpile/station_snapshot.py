"""What a counter must know to go on without the link: its site's roster, stores, models, and every weapon that stands on one of
the site's accounts, as of a moment. In columns, and for who was here before only what changed since.

Only the own site's data, under its poster's row-level security: what is not here is unknown to a counter without its link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Connection

from stockpile.db.engine import for_sums
from stockpile.documents import now
from stockpile.errors import NotAllowed
from stockpile.parties import Receiver, read_party, receivers_of_site, unidentified_code
from stockpile.reports.weapon_cards import PAPER
from stockpile.rights import DESK, READ_PEOPLE, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import Site

OVERLAP = timedelta(minutes=10)
"""A document's recorded moment is taken before it commits: what was recorded so long before the last answer is told again. One that
took longer still shows in `counts`, and the counter asks for everything.
"""

Columns = dict[str, list[Any]]
"""A table by its columns: half the size of rows that repeat their names, and quicker to write and read."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A site's books as a counter keeps them. Accounts and models are told by their places in `accounts` and the reference's `models`.

    `whole`: all weapons, else those that changed, and `gone` those that stand on no account of the site any more. `counts`: how
    many weapons each account holds, to check that nothing is missing. `reference` None: as the asker has it. `asker`: who may
    write at this counter without the link, having been here with it.
    """

    site: dict[str, str]
    asker: dict[str, str]
    recorded_at: datetime
    day: date
    whole: bool
    accounts: Columns
    weapons: Columns
    gone: list[UUID]
    formerly: Columns
    counted: Columns
    counts: list[int]
    reference_digest: str
    reference: dict[str, Columns] | None


def snapshot(
    connection: Connection, actor: Actor, since: datetime | None = None, reference_digest: str | None = None
) -> Snapshot:
    """The snapshot of the asker's own site. `since` is the `recorded_at`, and `reference_digest` the digest, of the last one.

    Raises NotAllowed to who is at no desk.
    """
    require(actor, READ_PEOPLE)
    if actor.role not in DESK or actor.site is None:
        raise NotAllowed(sentence("Only who works at a site's desk takes its books along."))
    site, moment = actor.site, now()
    day = site.local_day(moment)
    for_sums(connection)
    accounts, place_of_account = _accounts(connection, site)
    items = _changed(connection, since) if since is not None else _all(connection)
    models, place_of_model = _models(connection)
    weapons = _weapons(connection, items, place_of_account, place_of_model)
    reference = {
        "models": models,
        "aliases": _aliases(connection, site, place_of_model),
        **_roster(connection, site, day),
    }
    digest = sha256(to_json(reference)).hexdigest()[:32]
    there = set(weapons["item"])
    return Snapshot(
        {"code": site.code, "name": site.name, "time_zone": site.time_zone},
        _asker(connection, actor),
        moment,
        day,
        since is None,
        accounts,
        weapons,
        [item for item in items if item not in there] if since is not None else [],
        _formerly(connection, weapons["item"]),
        _counted(connection, place_of_account, place_of_model),
        _counts(connection, place_of_account),
        digest,
        reference if digest != reference_digest else None,
    )


def _asker(connection: Connection, actor: Actor) -> dict[str, str]:
    party = read_party(connection, actor.party_id)
    return {"code": party.code or "", "name": party.display, "role": actor.role}


def columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Columns:
    """Rows as columns under their names."""
    turned = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {name: list(column) for name, column in zip(names, turned, strict=True)}


Places = dict[UUID, int]
"""Where in its table something stands."""


# Persons without a weapon are on the roster, if they are anybody's here: they need no account of their own.
_ACCOUNTS = """
SELECT a.account_id, a.class, a.name, p.code FROM account a LEFT JOIN party p ON p.party_id = a.party_id
WHERE a.site_id = own_site() AND (a.class <> 'person' OR EXISTS (SELECT FROM holding h WHERE h.account_id = a.account_id))
ORDER BY a.class, a.name, a.account_id
"""


def _accounts(connection: Connection, site: Site) -> tuple[Columns, Places]:
    rows = connection.exec_driver_sql(_ACCOUNTS).all()
    return columns(("account", "class", "name", "party"), rows), {row[0]: place for place, row in enumerate(rows)}


def _all(connection: Connection) -> list[UUID]:
    return list(connection.exec_driver_sql("SELECT item_id FROM holding WHERE serial ORDER BY item_id").scalars())


_CHANGED = """
SELECT e.item_id FROM document d JOIN entry e ON e.document_id = d.document_id
WHERE d.site_id = own_site() AND d.recorded_at >= %(since)s::timestamptz - %(overlap)s AND e.serial
UNION
SELECT w.item_id FROM weapon_assignment w
WHERE w.since >= %(since)s::timestamptz - %(overlap)s OR w.until >= %(since)s::timestamptz - %(overlap)s
"""


def _changed(connection: Connection, since: datetime) -> list[UUID]:
    return list(connection.exec_driver_sql(_CHANGED, {"since": since, "overlap": OVERLAP}).scalars())


# Each of these is asked once for all weapons, and what belongs together is put together here: how many rows such a function gives is
# nothing that the planner can know, and its joins would be loops in loops.
_WEAPONS = """
SELECT h.item_id, h.tag_number, h.account_id, h.model_id, h.serial_number, n.uii, n.distinguishing_mark, h.marked, h.condition,
       floor(extract(epoch FROM h.happened_at))::bigint, h.class IN ('person', 'unit')
FROM whereabouts(%(items)s, NULL, false) h LEFT JOIN LATERAL identified(h.item_id) n ON true
WHERE h.site_id = (SELECT own_site())
"""

# A reversal tells the entry it reverses a second time: what is told once is live.
_MOVED = """
WITH told AS (
    SELECT e.*, count(*) OVER (PARTITION BY e.item_id, coalesce(e.reverses, e.version)) AS times,
           first_value(CASE WHEN e.from_class = 'store' AND e.from_site = (SELECT own_site()) THEN e.from_account END)
               OVER (PARTITION BY e.item_id
                     ORDER BY e.from_class = 'store' AND e.from_site = (SELECT own_site()) DESC, e.version DESC) AS rack
    FROM entries_of(%(items)s) e
)
SELECT DISTINCT ON (item_id) item_id, floor(extract(epoch FROM happened_at))::bigint, document_id, rack FROM told
WHERE times = 1 AND reverses IS NULL AND from_account <> to_account ORDER BY item_id, version DESC
"""
_DOCUMENTS = f"""
SELECT d.document_id, concat_ws('/', s.code, b.code, b.year, d.number), coalesce(d.act = 'issue' AND d.details->>'paper' = '{PAPER}', false)
FROM document d JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
WHERE d.document_id = ANY (%s)
"""
_WHOSE = """
SELECT g.item_id, coalesce(p.code, '') FROM weapon_assignment g LEFT JOIN party p ON p.party_id = g.party_id WHERE g.until IS NULL
"""
WEAPON = (
    "item", "tag", "account", "model", "serial", "uii", "mark", "marked", "condition", "since", "person", "rack", "card",
    "document",
)  # fmt: skip
"""What is told of a weapon: `since` in seconds and `document`, when and by which it came there; `person` whose it is at the draw, ''
somebody who serves here no more; `rack` the store it was last taken from; `card` whether it is out against a weapon card.
"""


def _weapons(connection: Connection, items: Sequence[UUID], accounts: Places, models: Places) -> Columns:
    if not items:
        return columns(WEAPON, [])
    moved = {row[0]: row[1:] for row in connection.exec_driver_sql(_MOVED, {"items": [*items]})}
    written = {
        row[0]: row[1:] for row in connection.exec_driver_sql(_DOCUMENTS, ([*{move[1] for move in moved.values()}],))
    }
    whose = {row[0]: row[1] for row in connection.exec_driver_sql(_WHOSE)}
    rows = []
    for item, tag, account, model, serial, uii, mark, marked, condition, seen, out in connection.exec_driver_sql(
        _WEAPONS, {"items": [*items]}
    ):
        if account not in accounts:
            continue
        since, document, rack = moved.get(item, (seen, None, None))
        number, card = written.get(document, (None, False))
        rows.append(
            (item, tag, accounts[account], models[model], serial, uii, mark, int(marked), condition, since, whose.get(item),
             accounts.get(rack) if out else None, int(card), number)
        )  # fmt: skip
    return columns(WEAPON, rows)


_FORMERLY = """
SELECT n.item_id, n.serial_number, n.uii FROM identification n
WHERE n.item_id = ANY (%s) AND EXISTS (SELECT FROM identification a WHERE a.item_id = n.item_id AND a.version = 2)
ORDER BY n.item_id, n.version
"""


def _formerly(connection: Connection, items: Sequence[UUID]) -> Columns:
    """What weapons that were marked or amended bore at any time: an old number still finds them."""
    rows = connection.exec_driver_sql(_FORMERLY, ([*items],)).all() if items else []
    return columns(("item", "serial", "uii"), rows)


def _models(connection: Connection) -> tuple[Columns, Places]:
    rows = connection.exec_driver_sql(
        "SELECT model_id, maker, name, tracked_by FROM model ORDER BY maker, name, model_id"
    ).all()
    return columns(("model", "maker", "name", "tracked_by"), rows), {row[0]: place for place, row in enumerate(rows)}


def _aliases(connection: Connection, site: Site, models: Places) -> Columns:
    """What the catalogue's and the site's own lists call the models."""
    rows = connection.exec_driver_sql(
        """SELECT name, model_id FROM alias WHERE model_id IS NOT NULL AND source IN ('catalogue', %s)
           ORDER BY source = 'catalogue', name""",
        (site.code,),
    ).all()
    return columns(("name", "model"), [(row[0], models[row[1]]) for row in rows])


_COUNTED = """
SELECT h.account_id, i.model_id, i.lot, sum(h.quantity)::bigint
FROM holding h JOIN item i ON i.item_id = h.item_id WHERE NOT h.serial
GROUP BY h.account_id, i.model_id, i.lot ORDER BY h.account_id, i.model_id, i.lot
"""


def _counted(connection: Connection, accounts: Places, models: Places) -> Columns:
    rows = connection.exec_driver_sql(_COUNTED).all()
    told = [(accounts[row[0]], models[row[1]], row[2], row[3]) for row in rows if row[0] in accounts]
    return columns(("account", "model", "lot", "quantity"), told)


def _counts(connection: Connection, accounts: Places) -> list[int]:
    counts = [0] * len(accounts)
    for account_id, count in connection.exec_driver_sql(
        "SELECT account_id, count(*) FROM holding WHERE serial GROUP BY account_id"
    ):
        if account_id in accounts:
            counts[accounts[account_id]] = count
    return counts


_MEMBERSHIPS = """
SELECT m.party_id, u.code FROM assignment m JOIN party u ON u.party_id = m.unit_id
WHERE m.party_id = ANY (%(people)s) AND m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s)
ORDER BY m.party_id, m.since DESC, u.code
"""
_CARDS = """
SELECT c.unit_id, p.code FROM signature_card c JOIN party p ON p.party_id = c.party_id
WHERE c.unit_id = ANY (%(units)s) AND c.withdrawn_at IS NULL AND c.since <= %(day)s AND c.until >= %(day)s
ORDER BY c.unit_id, p.code
"""


def _roster(connection: Connection, site: Site, day: date) -> dict[str, Columns]:
    """Who may receive today, and those who may not but still hold something; of units, who may draw for them."""
    holding = set(
        connection.exec_driver_sql(
            """SELECT DISTINCT a.party_id FROM account a JOIN holding h ON h.account_id = a.account_id
               WHERE a.site_id = own_site() AND a.party_id IS NOT NULL"""
        ).scalars()
    )
    known = [
        one
        for one in receivers_of_site(connection, site, day)
        if (one.objection is None or one.party.party_id in holding) and one.party.code != unidentified_code(site)
    ]
    people = [one for one in known if one.party.kind == "person"]
    units = [one for one in known if one.party.kind == "unit"]
    return {
        "people": _people(connection, people, day),
        "units": _units(connection, units, day),
    }


def _people(connection: Connection, people: Sequence[Receiver], day: date) -> Columns:
    units: dict[UUID, list[str]] = {}
    asked = {"people": [one.party.party_id for one in people], "day": day}
    for party_id, code in connection.exec_driver_sql(_MEMBERSHIPS, asked):
        units.setdefault(party_id, []).append(code)
    rows = [
        (one.party.code, one.party.name, one.party.rank, one.objection, units.get(one.party.party_id, []))
        for one in people
    ]
    return columns(("code", "name", "rank", "objection", "units"), rows)


def _units(connection: Connection, units: Sequence[Receiver], day: date) -> Columns:
    drawing: dict[UUID, list[str]] = {}
    asked = {"units": [one.party.party_id for one in units], "day": day}
    for unit_id, code in connection.exec_driver_sql(_CARDS, asked):
        drawing.setdefault(unit_id, []).append(code)
    rows = [(one.party.code, one.party.name, one.objection, drawing.get(one.party.party_id, [])) for one in units]
    return columns(("code", "name", "objection", "drawn_by"), rows)

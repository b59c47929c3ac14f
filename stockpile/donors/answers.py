"""What an answer to a tracing request says: the weapon, every hand it went through, and who last held it lawfully. Units, stores and
States are told, soldiers never: a person's name is withheld by rule, whoever asks (International Tracing Instrument, paragraph 15).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.movements import HELD, AccountClass
from stockpile.reports.described import described
from stockpile.rights import Actor


@dataclass(frozen=True, slots=True)
class Hand:
    """One step of the chain of custody: on which day, by which act, from whom to whom. No persons."""

    on: str
    act: str
    origin: str
    to: str


@dataclass(frozen=True, slots=True)
class Traced:
    """A weapon as an answer tells it."""

    maker: str
    model: str
    calibre: str | None
    country: str | None
    serial_number: str | None
    formerly: tuple[str, ...]
    import_mark: str | None
    asset_tag: str
    delivered_by: str | None
    stands: str
    stands_since: str | None
    last_lawful_holder: str | None
    held_until: str | None
    chain: tuple[Hand, ...]

    def to_json(self) -> dict[str, Any]:
        """As a step keeps it."""
        return asdict(self)


def traced_of(kept: Mapping[str, Any]) -> Traced:
    """As it was kept."""
    chain = tuple(Hand(**one) for one in kept["chain"])
    return Traced(**{**kept, "formerly": tuple(kept["formerly"]), "chain": chain})


# Entries that stand, each end with the name of its store, unit, or of the unit of the person that day. No account of a person is named.
_CHAIN = """
WITH e AS MATERIALIZED (SELECT * FROM entries_of(%(items)s)),
live AS (
    SELECT e.* FROM e WHERE e.reverses IS NULL AND NOT EXISTS (SELECT FROM e r WHERE r.item_id = e.item_id AND r.reverses = e.version)
)
SELECT live.happened_at AT TIME ZONE coalesce(s.time_zone, 'UTC'), live.act,
       live.from_class, CASE WHEN live.from_class = 'person' THEN from_unit.name ELSE f.name END, fs.name,
       live.to_class, CASE WHEN live.to_class = 'person' THEN to_unit.name ELSE t.name END, ts.name
FROM live
LEFT JOIN site s ON s.site_id = live.site_id
LEFT JOIN account f ON f.account_id = live.from_account LEFT JOIN site fs ON fs.site_id = live.from_site
LEFT JOIN account t ON t.account_id = live.to_account LEFT JOIN site ts ON ts.site_id = live.to_site
LEFT JOIN LATERAL (SELECT u.name FROM assignment m JOIN party u ON u.party_id = m.unit_id
                   WHERE live.from_class = 'person' AND m.party_id = f.party_id AND m.since <= live.happened_at::date
                     AND (m.until IS NULL OR m.until >= live.happened_at::date) ORDER BY m.since DESC LIMIT 1) from_unit ON true
LEFT JOIN LATERAL (SELECT u.name FROM assignment m JOIN party u ON u.party_id = m.unit_id
                   WHERE live.to_class = 'person' AND m.party_id = t.party_id AND m.since <= live.happened_at::date
                     AND (m.until IS NULL OR m.until >= live.happened_at::date) ORDER BY m.since DESC LIMIT 1) to_unit ON true
WHERE live.from_account <> live.to_account ORDER BY live.version
"""
_MODEL = """
SELECT m.calibre, m.country, d.name FROM item i JOIN model m USING (model_id) LEFT JOIN party d ON d.party_id = i.donor_id
WHERE i.item_id = %s
"""


def trace(connection: Connection, actor: Actor, item_id: UUID) -> Traced:
    """The weapon's whole way as the books know it now."""
    item = described(connection, actor, [item_id])[item_id]
    calibre, country, donor = connection.exec_driver_sql(_MODEL, (item_id,)).one()
    rows = connection.exec_driver_sql(_CHAIN, {"items": [item_id]}).all()
    chain = tuple(Hand(f"{row[0]:%Y-%m-%d}", row[1], _place(*row[2:5]), _place(*row[5:8])) for row in rows)
    holder, until = _last_lawful(rows)
    last = rows[-1] if rows else None
    return Traced(
        item.maker, item.model, calibre, country, item.serial_number, item.formerly, item.import_mark, item.asset_tag, donor,
        _place(*last[5:8]) if last else str(AccountClass.OUTSIDE), f"{last[0]:%Y-%m-%d}" if last else None, holder, until, chain,
    )  # fmt: skip


def _place(account_class: str, name: str | None, site: str | None) -> str:
    """One end of a movement: who or what held it, and at which site."""
    if account_class == AccountClass.PERSON:
        who = f"a person of {name}" if name else "a person"
    elif account_class in (AccountClass.STORE, AccountClass.UNIT, AccountClass.SUPPLY, AccountClass.MAINTENANCE):
        who = f"{account_class} {name}" if name else account_class
    else:
        who = account_class
    return f"{who}, {site}" if site else who


def _last_lawful(rows: Sequence[Any]) -> tuple[str | None, str | None]:
    """Who last answered for it, and until when; None: still."""
    until: datetime | None = None
    for row in reversed(rows):
        if row[5] in HELD or row[5] in (AccountClass.SUPPLY, AccountClass.EXPORTED):
            return _place(*row[5:8]), f"{until:%Y-%m-%d}" if until else None
        until = row[0]
        if row[2] in HELD:
            return _place(*row[2:5]), f"{until:%Y-%m-%d}"
    return None, None

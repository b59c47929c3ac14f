"""What stands on labels, read from the books: of weapons, stores, people and sealed containers, in the asker's scope. A code holds what
the counter's search takes: an asset tag or a UII, a service number, a seal's number, a store's name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from labels.marks import uii_envelope
from labels.tags import SQUARE, Code, Label
from stockpile.errors import Invalid, NotFound, Reason, Refused
from stockpile.identity import serial_key
from stockpile.movements import HELD
from stockpile.parties import need_party
from stockpile.reports.described import Described, described
from stockpile.reports.documents import document_named
from stockpile.reports.scope import models_of, site_asked
from stockpile.reports.standing import standings
from stockpile.rights import Actor
from stockpile.scans import look_up
from stockpile.sentences import of_the_books, sentence
from stockpile.sites import day_on_the_walls

Codes = Collection[Code]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of them: those to which all applies that is said. `site` is a code, `store` a name, `model` a model's name, `unit` a
    unit's code.
    """

    site: str | None = None
    store: str | None = None
    model: str | None = None
    unit: str | None = None


# In somebody's hands: what is missing, on its way or gone cannot be labelled.
_IN_HAND = """
SELECT h.item_id, s.code
FROM holding h JOIN account a ON a.account_id = h.account_id JOIN site s ON s.site_id = a.site_id
JOIN item i ON i.item_id = h.item_id JOIN model m ON m.model_id = i.model_id
LEFT JOIN LATERAL identified(h.item_id) n ON true
WHERE i.tracked_by = 'serial' AND a.class = ANY (%(held)s)
  AND (%(site)s::uuid IS NULL OR a.site_id = %(site)s)
  AND (%(items)s::uuid[] IS NULL OR h.item_id = ANY (%(items)s))
  AND (%(store)s::text IS NULL OR a.class = 'store' AND upper(a.name) = upper(%(store)s))
  AND (%(models)s::uuid[] IS NULL OR i.model_id = ANY (%(models)s))
ORDER BY m.name, n.serial_key, h.item_id LIMIT %(most)s
"""
_OF_DOCUMENT = """
SELECT DISTINCT e.item_id FROM entry e JOIN item i ON i.item_id = e.item_id WHERE e.document_id = %s AND i.tracked_by = 'serial'
"""


def weapons_scanned(connection: Connection, actor: Actor, scans: Sequence[str | UUID], codes: Codes) -> list[Label]:
    """Labels of weapons as they were scanned, typed or named by their keys, in that order. Raises Refused with a reason for each that
    is unknown, ambiguous, not in anybody's hands at the asker's site, or bears no UII where one is asked for.
    """
    meant = look_up(connection, [scan for scan in scans if isinstance(scan, str)])
    several = [[scan] if isinstance(scan, UUID) else meant.get(scan, []) for scan in scans]
    known = [item_id for found in several for item_id in found]
    sites = _in_hand(connection, actor, Chosen(), known, len(known))
    items = described(connection, actor, known)
    reasons, chosen = [], []
    for number, (scan, found) in enumerate(zip(scans, several, strict=True), 1):
        here = [item_id for item_id in found if item_id in sites]
        if len(here) == 1:
            chosen.append(items[here[0]])
        elif here:
            reasons.append(Reason(number, str(scan), sentence("several bear this number: scan the asset tag")))
        elif any(item_id in items for item_id in found):
            where = _where(connection, actor, found)
            reasons.append(
                Reason(number, str(scan), sentence("in nobody's hands here: its label is printed where it is"), where)
            )
        else:
            reasons.append(Reason(number, str(scan), sentence("unknown: nothing in the books bears this number")))
    if reasons:
        raise Refused(sentence("No label was printed: {count} weapon(s) have none here.", count=len(reasons)), reasons)
    return _of_weapons(chosen, sites, codes)


def _where(connection: Connection, actor: Actor, item_ids: Iterable[UUID]) -> str | None:
    stood = [place for places in standings(connection, actor, item_ids).values() for place in places]
    return (
        sentence("{site}, {account_class}", site=stood[0].site, account_class=of_the_books(stood[0].account_class))
        if stood
        else "outside"
    )


def weapons_of_document(
    connection: Connection, actor: Actor, document: str, codes: Codes, most: int
) -> tuple[list[Label], int]:
    """Labels of a document's weapons that are in hands at the asker's site now, and how many are not. Raises NotFound, Refused (UII)."""
    key = document_named(connection, document)
    items = list(connection.exec_driver_sql(_OF_DOCUMENT, (key,)).scalars())
    if not items:
        raise NotFound(sentence("There is no document {document!r} here, or it moved no weapon.", document=document))
    sites = _in_hand(connection, actor, Chosen(), items, most)
    found = described(connection, actor, sites)
    return _of_weapons([found[item_id] for item_id in sites], sites, codes), len(items) - len(sites)


def weapons_held(connection: Connection, actor: Actor, chosen: Chosen, codes: Codes, most: int) -> list[Label]:
    """Labels of what is in hands at a site, in a store, of a model, by model and serial number: at most so many. Raises NotFound,
    NotAllowed, Refused (UII).
    """
    sites = _in_hand(connection, actor, chosen, None, most)
    found = described(connection, actor, sites)
    return _of_weapons([found[item_id] for item_id in sites], sites, codes)


def _in_hand(
    connection: Connection, actor: Actor, chosen: Chosen, items: Sequence[UUID] | None, most: int
) -> dict[UUID, str]:
    """The site of each weapon that is in somebody's hands in the asker's scope."""
    given = {
        "held": [str(one) for one in HELD],
        "site": site_asked(connection, actor, chosen.site),
        "items": items,
        "store": chosen.store,
        "models": models_of(connection, chosen.model) if chosen.model else None,
        "most": most,
    }
    return {row[0]: row[1] for row in connection.exec_driver_sql(_IN_HAND, given)}


def _of_weapons(items: Sequence[Described], sites: dict[UUID, str], codes: Codes) -> list[Label]:
    reasons = []
    if Code.DATA_MATRIX in codes:
        for number, item in enumerate(items, 1):
            if why := _no_envelope(item):
                reasons.append(Reason(number, f"{item.model} {item.serial_number or item.asset_tag}", why))
    if reasons:
        raise Refused(
            sentence("No label was printed: {count} weapon(s) have no UII for a Data Matrix.", count=len(reasons)),
            reasons,
        )
    return [_of_weapon(item, sites[item.item_id], codes) for item in items]


def _no_envelope(item: Described) -> str | None:
    if item.uii is None:
        return sentence("it bears no UII: record one with a marking, or print qr")
    try:
        uii_envelope(item.uii)
    except Invalid as problem:
        return sentence("{problem} Print qr", problem=problem.detail)
    return None


def _of_weapon(item: Described, site: str, codes: Codes) -> Label:
    number = item.serial_number or item.distinguishing_mark
    uii = item.uii if Code.DATA_MATRIX in codes else None
    lines = (number, item.model, uii and f"UII {uii}", item.import_mark, site)
    square = uii_envelope(uii) if uii else item.asset_tag
    return _label(item.asset_tag, tuple(filter(None, lines)), item.asset_tag, square, codes)


def _label(name: str, lines: tuple[str, ...], bars: str, square: str, codes: Codes) -> Label:
    of_square = next((code for code in SQUARE if code in codes), None)
    return Label(
        name, lines, bars if Code.CODE_128 in codes else None, square if of_square else None, of_square or Code.QR
    )


_STORES = """
SELECT a.name, s.code, s.name FROM account a JOIN site s ON s.site_id = a.site_id
WHERE a.class = 'store' AND (%(site)s::uuid IS NULL OR a.site_id = %(site)s)
  AND (%(store)s::text IS NULL OR upper(a.name) = upper(%(store)s))
ORDER BY s.code, a.name LIMIT %(most)s
"""


def stores(connection: Connection, actor: Actor, chosen: Chosen, codes: Codes, most: int) -> list[Label]:
    """Labels for the doors of stores. Raises NotFound (site), NotAllowed."""
    site = site_asked(connection, actor, chosen.site)
    rows = connection.exec_driver_sql(_STORES, {"site": site, "store": chosen.store, "most": most})
    return [_label(name, (site_name, code), name, name, codes) for name, code, site_name in rows]


_PEOPLE = """
SELECT p.code, concat_ws(' ', p.rank, p.name), u.name, s.code
FROM party p LEFT JOIN site s ON s.site_id = p.site_id
LEFT JOIN LATERAL (SELECT m.unit_id FROM assignment m
                   WHERE m.party_id = p.party_id AND m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s)
                   ORDER BY m.since DESC, m.assignment_id DESC LIMIT 1) m ON true
LEFT JOIN party u ON u.party_id = m.unit_id
WHERE p.kind = 'person' AND p.erased_at IS NULL AND p.code IS NOT NULL AND NOT starts_with(p.code, 'UNIDENTIFIED-')
  AND (%(site)s::uuid IS NULL OR p.site_id = %(site)s)
  AND (%(unit)s::uuid IS NULL OR m.unit_id = %(unit)s)
  AND (%(codes)s::text[] IS NULL OR p.code = ANY (%(codes)s))
ORDER BY p.code LIMIT %(most)s
"""


def people(
    connection: Connection, actor: Actor, numbers: Sequence[str], chosen: Chosen, codes: Codes, most: int
) -> list[Label]:
    """Badges: of these service numbers, else of a unit, else of a site. Raises NotFound, NotAllowed, Invalid (unit), Refused (a number that
    nobody of the asker's site has).
    """
    unit = need_party(connection, "unit", chosen.unit, "unit").party_id if chosen.unit else None
    given: dict[str, Any] = {
        "day": day_on_the_walls(connection, actor.time_zone),
        "site": site_asked(connection, actor, chosen.site),
        "unit": unit,
        "codes": list(numbers) or None,
        "most": most,
    }
    found = {row[0]: row for row in connection.exec_driver_sql(_PEOPLE, given)}
    _need_all(numbers, found, "nobody here has this service number")
    rows = [found[number] for number in numbers] if numbers else list(found.values())
    return [_label(code, tuple(filter(None, (name, of, site))), code, code, codes) for code, name, of, site in rows]


_SEALS = """
SELECT k.seal_key, k.number, k.container, a.name, s.code, k.sealed_at
FROM seal k JOIN site s ON s.site_id = k.site_id JOIN account a ON a.account_id = k.account_id
WHERE k.broken_at IS NULL AND (%(site)s::uuid IS NULL OR k.site_id = %(site)s)
  AND (%(keys)s::text[] IS NULL OR k.seal_key = ANY (%(keys)s))
  AND (%(store)s::text IS NULL OR upper(a.name) = upper(%(store)s))
ORDER BY s.code, k.seal_key LIMIT %(most)s
"""


def seals(
    connection: Connection, actor: Actor, numbers: Sequence[str], chosen: Chosen, codes: Codes, most: int
) -> list[Label]:
    """Labels of sealed containers: of these seals, else of all that are on. Raises NotFound (site), NotAllowed, Refused (a seal that is
    unknown or broken).
    """
    site = site_asked(connection, actor, chosen.site)
    keys = [serial_key(number) for number in numbers] or None
    rows = connection.exec_driver_sql(_SEALS, {"site": site, "keys": keys, "store": chosen.store, "most": most})
    found = {row[0]: row for row in rows}
    _need_all([serial_key(number) for number in numbers], found, "no such seal is on here", numbers)
    wanted = [found[serial_key(number)] for number in numbers] if numbers else list(found.values())
    return [
        _label(number, tuple(filter(None, (container, store, site_code, f"{sealed_at:%Y-%m-%d}"))), number, number, codes)
        for _, number, container, store, site_code, sealed_at in wanted
    ]  # fmt: skip


def _need_all(keys: Sequence[str], found: Collection[str], why: str, named: Sequence[str] | None = None) -> None:
    reasons = [
        Reason(number, name, why)
        for number, (key, name) in enumerate(zip(keys, named or keys, strict=True), 1)
        if key not in found
    ]
    if reasons:
        raise Refused(sentence("No label was printed: {count} of them cannot be found.", count=len(reasons)), reasons)

"""Which weapons of the books a weapon may be that somebody read: ranked, each with its reasons. Finds by the indexes of serial key and
fold, old identifications too; decides nothing. It never leaves out the true weapon where up to one character was read wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from stockpile.catalogue import find_models, name_key
from stockpile.donors.misreadings import confused, differences, one_away, spelled_out, two_away
from stockpile.donors.weapon_read import WILD, WeaponRead
from stockpile.errors import NotFound
from stockpile.identity import fold, maker_key, scan_pattern, scripts_of, serial_key
from stockpile.movements import AccountClass
from stockpile.reports.described import Described, described
from stockpile.reports.standing import Standing, standings
from stockpile.rights import TRACE, Actor, require
from stockpile.sentences import sentence

MOST = 500
"""So many candidates are told. One character apart there are rarely a hundred."""
MOST_READ = 5_000
"""So many weapons that fit a partial number are looked at."""
LOST_SHOWN = 100


class Grade(IntEnum):
    """How well the number fits: the smaller, the better."""

    SAME = 1
    LOOK_ALIKE = 2
    FITS = 3
    ONE_AWAY = 4
    TWO_AWAY = 5
    OTHER_MARKS = 6
    LOST_OF_MODEL = 7


@dataclass(frozen=True, slots=True)
class Candidate:
    """A weapon that it may be. `against` counts what disagrees, `agrees` what agrees beside the number; `stood` is the class of its
    account now, None outside the books.
    """

    item_id: UUID
    asset_tag: str
    maker: str
    model: str
    calibre: str | None
    serial_number: str | None
    donor: str | None
    stood: str | None
    site: str | None
    since: datetime | None
    grade: int
    agrees: int
    against: int
    reasons: tuple[str, ...]
    account_id: UUID | None
    strong: bool


class _Read(NamedTuple):
    """How well what was read fits a weapon, and why; `number`: the one of its numbers, now or formerly, that fits."""

    grade: Grade
    reasons: tuple[str, ...]
    number: str | None = None


class _Row(NamedTuple):
    item_id: UUID
    serial_number: str
    serial_key: str
    fold: str


def candidates(connection: Connection, actor: Actor, read: WeaponRead, limit: int = MOST) -> tuple[Candidate, ...]:
    """The weapons that it may be, the likeliest first. Raises NotAllowed."""
    require(actor, TRACE)
    found = _by_number(connection, read.serial_number) if read.serial_number else {}
    for item_id in _by_uii(connection, read):
        known = found.get(item_id, _Read(Grade.OTHER_MARKS, ()))
        found[item_id] = known._replace(reasons=(*known.reasons, sentence("its UII was read")))
    if not found and read.model:
        found = _lost_of_model(connection, read.model)
    return _ranked(connection, actor, read, found, limit)


def one_candidate(connection: Connection, actor: Actor, read: WeaponRead, item_id: UUID) -> Candidate:
    """One weapon as a candidate, also where its marks do not speak for it. Raises NotAllowed, NotFound."""
    require(actor, TRACE)
    found = _by_number(connection, read.serial_number) if read.serial_number else {}
    fits = found.get(item_id, _Read(Grade.OTHER_MARKS, (sentence("its marks do not say so: a person does"),)))
    named = _ranked(connection, actor, read, {item_id: fits}, 1)
    if not named:
        raise NotFound(sentence("There is no weapon {item_id} here.", item_id=item_id))
    return named[0]


_SAME = "SELECT item_id, serial_number, serial_key, fold FROM identification WHERE serial_key = ANY (%s)"
_FOLDS = "SELECT item_id, serial_number, serial_key, fold FROM identification WHERE fold = ANY (%s)"
_FROM = """
SELECT item_id, serial_number, serial_key, fold FROM identification
WHERE fold >= %(first)s AND fold < %(before)s AND fold LIKE %(like)s ORDER BY fold LIMIT %(limit)s
"""
# In an order that no index has, or all weapons would be gone through one by one in that of the index, in the hope of a short way.
_THROUGH = """
SELECT item_id, serial_number, serial_key, fold FROM identification
WHERE fold LIKE %(like)s ORDER BY fold || '' LIMIT %(limit)s
"""


def _by_number(connection: Connection, serial: str) -> dict[UUID, _Read]:
    """The weapons whose number, now or formerly, is, looks like or nearly is the one read."""
    if WILD & set(serial):
        return _best(_fitting(connection, serial))
    folded = fold(serial)
    # A plan that reads no table from end to end, whatever the array's length makes the planner believe.
    connection.exec_driver_sql("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)")
    wanted = {folded, *one_away(folded)}
    rows = [*_rows(connection, _SAME, ([serial_key(serial)],)), *_rows(connection, _FOLDS, (sorted(wanted),))]
    if likely := sorted(two_away(folded) - wanted):
        rows += _rows(connection, _FOLDS, (likely,))
    return _best((row, _judged(serial, row)) for row in rows)


def _rows(connection: Connection, question: str, parameters: object) -> list[_Row]:
    return [_Row(*row) for row in connection.exec_driver_sql(question, parameters)]  # type: ignore[arg-type]


def _judged(serial: str, row: _Row) -> _Read:
    """How well a whole number fits one that a weapon bears, and why."""
    if row.serial_key == serial_key(serial):
        return _Read(Grade.SAME, (sentence("the same serial number"),), row.serial_number)
    if row.fold == fold(serial):
        scripts = scripts_of(serial), scripts_of(row.serial_number)
        if scripts[0] and scripts[1] and scripts[0] != scripts[1]:
            read_in, borne_in = (", ".join(each) for each in scripts)
            why = sentence(
                "the same but for its script: read in {read}, in the books in {books}", read=read_in, books=borne_in
            )
        else:
            why = sentence("the same but for look-alikes: {number}", number=row.serial_number)
        return _Read(Grade.LOOK_ALIKE, (why,), row.serial_number)
    apart = differences(fold(serial), row.fold)
    if apart > 1:
        why = sentence("two characters differ: {number}", number=row.serial_number)
        return _Read(Grade.TWO_AWAY, (why,), row.serial_number)
    reasons = [sentence("one character differs: {number}", number=row.serial_number)]
    if pair := confused(fold(serial), row.fold):
        reasons.append(sentence("{one} and {other} are often taken for one another", one=pair[0], other=pair[1]))
    return _Read(Grade.ONE_AWAY, tuple(reasons), row.serial_number)


def _fitting(connection: Connection, serial: str) -> Iterator[tuple[_Row, _Read]]:
    """The weapons whose number fits a partial one."""
    pattern = scan_pattern(serial, fold)
    written = pattern.like.replace("\\", "").replace("%", "*").replace("_", "?")
    spelled = spelled_out(written)
    if spelled is not None:
        connection.exec_driver_sql("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)")
        rows = _rows(connection, _FOLDS, (sorted(spelled),))
    else:
        asked = {"first": pattern.first, "before": pattern.before, "like": pattern.like, "limit": MOST_READ}
        rows = _rows(connection, _THROUGH if pattern.first is None or pattern.before is None else _FROM, asked)
    for row in rows:
        why = sentence("what was read of the number fits: {number}", number=row.serial_number)
        yield row, _Read(Grade.FITS, (why,), row.serial_number)


def _best(judged: Iterable[tuple[_Row, _Read]]) -> dict[UUID, _Read]:
    """Of each weapon the number that fits best."""
    found: dict[UUID, _Read] = {}
    for row, read in judged:
        if row.item_id not in found or read.grade < found[row.item_id].grade:
            found[row.item_id] = read
    return found


_BEARS = "SELECT DISTINCT item_id FROM identification WHERE uii IS NOT NULL AND uii = ANY (%s) LIMIT %s"


def _by_uii(connection: Connection, read: WeaponRead) -> list[UUID]:
    """Weapons whose UII stands among the other marks that were read."""
    words = {word.strip(".,;:()").upper() for word in (read.other_marks or "").split()}
    if not (marks := sorted(word for word in words if 6 <= len(word) <= 60)):
        return []
    return [item_id for (item_id,) in connection.exec_driver_sql(_BEARS, (marks, LOST_SHOWN))]


_LOST = """
SELECT h.item_id FROM holding h JOIN account a ON a.account_id = h.account_id AND a.class = ANY (%(classes)s)
JOIN item i ON i.item_id = h.item_id AND i.model_id = %(model)s
WHERE h.serial LIMIT %(limit)s
"""


def _lost_of_model(connection: Connection, name: str) -> dict[UUID, _Read]:
    """Where no number can be read: the weapons of that model that are missing or lost."""
    model = find_models(connection, [name]).get(name)
    if model is None:
        return {}
    asked = {
        "classes": [str(AccountClass.MISSING), str(AccountClass.LOST)],
        "model": model.model_id,
        "limit": LOST_SHOWN,
    }
    why = sentence("no number was read: a {model} that the books have as missing or lost", model=model.name)
    rows = connection.exec_driver_sql(_LOST, asked)
    return {item_id: _Read(Grade.LOST_OF_MODEL, (why,)) for (item_id,) in rows}


_ABOUT = """
SELECT i.item_id, m.model_id, m.name, m.maker, m.calibre, m.country, m.category, m.subcategory, m.variants
FROM item i JOIN model m ON m.model_id = i.model_id WHERE i.item_id = ANY (%s) AND i.tracked_by = 'serial'
"""


class _About(NamedTuple):
    """What a weapon is by its model."""

    item_id: UUID
    model_id: UUID
    name: str
    maker: str
    calibre: str | None
    country: str | None
    category: str
    subcategory: str | None
    variants: str | None


def _ranked(
    connection: Connection, actor: Actor, read: WeaponRead, found: dict[UUID, _Read], limit: int
) -> tuple[Candidate, ...]:
    if not found:
        return ()
    kept = dict(sorted(found.items(), key=lambda each: (each[1].grade, each[0]))[: max(limit, MOST)])
    about = {row[0]: _About(*row) for row in connection.exec_driver_sql(_ABOUT, (list(kept),))}
    known = described(connection, actor, about)
    model = find_models(connection, [read.model]).get(read.model) if read.model else None
    category = (
        connection.exec_driver_sql("SELECT category FROM model WHERE model_id = %s", (model.model_id,)).scalar()
        if model
        else None
    )
    judged = [
        (item_id, kept[item_id], _agreement(read, about[item_id], item, model.model_id if model else None, category))
        for item_id, item in known.items()
    ]
    judged.sort(key=lambda one: (one[1].grade, one[2].against - one[2].agrees, known[one[0]].serial_number or ""))
    judged = judged[:limit]
    stood = standings(connection, actor, [item_id for item_id, _, _ in judged])
    return tuple(
        _candidate(about[item_id], known[item_id], fits, agreement, stood.get(item_id, ()))
        for item_id, fits, agreement in judged
    )


class _Agreement(NamedTuple):
    """What agrees and disagrees beside the number, in words; `impossible`: it can't be the weapon that was read."""

    agrees: int
    against: int
    reasons: tuple[str, ...]
    impossible: bool


def _agreement(
    read: WeaponRead, about: _About, item: Described, model_id: UUID | None, category: str | None
) -> _Agreement:
    said = [
        _of_model(read, about, model_id),
        _of_maker(read, item),
        _of_calibre(read, about),
        _of_country(read, about),
        _of_import_mark(read, item),
    ]
    reasons = [one for one in said if one is not None]
    calibre = _of_calibre(read, about)
    impossible = (calibre is not None and not calibre[0]) or (category is not None and category != about.category)
    agrees = sum(1 for fits, _ in reasons if fits)
    return _Agreement(agrees, len(reasons) - agrees, tuple(why for _, why in reasons), impossible)


Said = tuple[bool, str] | None
"""Whether something that was read agrees, and in words; None: one side says nothing of it."""


def _of_model(read: WeaponRead, about: _About, model_id: UUID | None) -> Said:
    if read.model is None:
        return None
    wanted = name_key(read.model)
    names = {name_key(about.name), *(name_key(each) for each in (about.variants or "").split(";"))}
    if model_id == about.model_id or wanted in names or name_key(f"{about.maker} {about.name}") == wanted:
        return True, sentence("the model agrees")
    return False, sentence("the model differs: {books} in the books, read as {read}", books=about.name, read=read.model)


def _of_maker(read: WeaponRead, item: Described) -> Said:
    if read.maker is None:
        return None
    one, other = maker_key(read.maker), maker_key(item.maker)
    if one and other and (one in other or other in one):
        return True, sentence("the maker agrees")
    return False, sentence("the maker differs: {books} in the books, read as {read}", books=item.maker, read=read.maker)


def calibre_key(text: str) -> str:
    """A calibre as calibres are compared: figures, and x between them."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace(",", ".")
    return re.sub(r"[^0-9.x]", "", re.sub(r"[×хΧχ*]", "x", plain)).strip(".x")


def _of_calibre(read: WeaponRead, about: _About) -> Said:
    if read.calibre is None or not about.calibre:
        return None
    one, other = calibre_key(read.calibre), calibre_key(about.calibre)
    if not one or not other:
        return None
    if one.startswith(other) or other.startswith(one):
        return True, sentence("the calibre agrees")
    return False, sentence(
        "the calibre differs: {books} in the books, read as {read}", books=about.calibre, read=read.calibre
    )


def _of_country(read: WeaponRead, about: _About) -> Said:
    if read.country is None or not about.country:
        return None
    if read.country in re.split(r"[^A-Z]+", about.country.upper()):
        return True, sentence("the country of manufacture agrees")
    return False, sentence("the country of manufacture differs: {books} in the books", books=about.country)


def _of_import_mark(read: WeaponRead, item: Described) -> Said:
    if read.import_mark is None or item.import_mark is None:
        return None
    if fold(read.import_mark) == fold(item.import_mark):
        return True, sentence("the import mark agrees")
    return False, sentence("the import mark differs: {books} in the books", books=item.import_mark)


def _candidate(
    about: _About, item: Described, fits: _Read, agreement: _Agreement, stood: tuple[Standing, ...]
) -> Candidate:
    where = stood[0] if stood else None
    reasons = list(fits.reasons)
    if fits.number is not None and fits.number != item.serial_number:
        reasons.append(sentence("it bore that number formerly: now {number}", number=item.serial_number or "-"))
    return Candidate(
        item_id=item.item_id,
        asset_tag=item.asset_tag,
        maker=item.maker,
        model=item.model,
        calibre=about.calibre,
        serial_number=item.serial_number,
        donor=item.donor,
        stood=str(where.account_class) if where else None,
        site=where.site if where else None,
        since=where.since if where else None,
        grade=int(fits.grade),
        agrees=agreement.agrees,
        against=agreement.against,
        reasons=(*reasons, *agreement.reasons),
        account_id=where.account_id if where else None,
        strong=fits.grade <= Grade.LOOK_ALIKE and not agreement.impossible,
    )

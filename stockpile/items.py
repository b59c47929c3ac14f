"""Items: what the ledger moves, as it stands under lock at the moment of posting, and how new ones enter the books.

Nothing here moves custody: a new item is outside until an entry takes it in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import ask
from stockpile.db.rows import given
from stockpile.documents import Desk
from stockpile.errors import Overtaken
from stockpile.identity import fold, identity_key, serial_key
from stockpile.keys import new_key, new_secret
from stockpile.movements import AccountClass, Act
from stockpile.sentences import sentence
from stockpile.sites import OUTSIDE, Place


@dataclass(slots=True)
class Held:
    """An item as the books have it at the moment of posting, locked: where it is, as what it is known.

    A weapon is at `place`, None if outside; lots and quantities are at `holdings` (account -> place and quantity).
    """

    item_id: UUID
    tracked_by: str
    model_id: UUID
    donor_id: UUID
    secret: bytes
    maker: str
    model_name: str
    serial_number: str | None = None
    marked: bool = False
    tag_number: int | None = None
    consignment_id: UUID | None = None
    version: int = 0
    happened_at: datetime | None = None
    recorded_at: datetime | None = None
    condition: str | None = None
    unverified: bool = False
    place: Place | None = None
    holdings: dict[UUID, tuple[Place, int]] = field(default_factory=dict)

    @property
    def serial(self) -> bool:
        """Whether it is a weapon, one of its kind."""
        return self.tracked_by == "serial"

    @property
    def name(self) -> str:
        """How people call it: model and serial number."""
        return f"{self.model_name} {self.serial_number}" if self.serial_number else self.model_name

    @property
    def where(self) -> Place:
        """Where a weapon is; outside when no account has it."""
        return self.place or OUTSIDE


@dataclass(slots=True)
class Line:
    """One line to post: the item goes to a place. `origin` None means wherever the books have it (weapons only). Of a fact,
    `fact` is the act that it is, by which what the books say is judged, and `claimed_from` where the paper says it came from. A
    weapon that `stays` does so wherever it is then; only if it was not in the books it goes `to` the place.
    """

    held: Held
    to: Place
    origin: Place | None = None
    quantity: int = 1
    condition: str | None = None
    claimed_from: Place | None = None
    fact: Act | None = None
    stays: bool = False


@dataclass(slots=True)
class Entry:
    """One entry about to be written."""

    held: Held
    version: int
    origin: Place
    to: Place
    quantity: int
    happened_at: datetime
    condition: str | None = None
    claimed_from: UUID | None = None
    reverses: int | None = None
    posts_again: int | None = None


_WHEREABOUTS = """
SELECT item_id, tracked_by, model_id, donor_id, secret, maker, model_name, serial_number, marked, tag_number, consignment_id,
       version, happened_at, recorded_at, condition, unverified, account_id, class, account_name, site_id, party_id, quantity
FROM whereabouts(%s, %s, %s)
"""


def whereabouts(
    connection: Connection, item_ids: Iterable[UUID], lock: bool = True, accounts: Iterable[UUID] = ()
) -> dict[UUID, Held]:
    """Locks items in item order and tells where each is; who waited reads what the winner did. Of what is counted it
    tells what the `accounts` hold, if any are named: a country's helmets may be on a hundred thousand.

    Unknown ids are absent from the answer. `lock=False` only looks.
    """
    found: dict[UUID, Held] = {}
    for row in ask(connection, _WHEREABOUTS, (list(set(item_ids)), list(set(accounts)) or None, lock)):
        held = found.get(row[0])
        if held is None:
            held = found[row[0]] = Held(
                row[0], row[1], row[2], row[3], bytes(row[4]), row[5], row[6], row[7], row[8], row[9], row[10],
                row[11], row[12], row[13], row[14], bool(row[15]),
            )  # fmt: skip
        if row[16] is not None:
            place = Place(row[16], AccountClass(row[17]), row[18], row[19], row[20])
            if held.serial:
                held.place = place
            else:
                held.holdings[place.account_id] = (place, row[21])
    return found


@dataclass(frozen=True, slots=True)
class Marks:
    """What is read on a weapon that enters the books."""

    serial_number: str | None = None
    obliterated: bool = False
    distinguishing_mark: str | None = None
    uii: str | None = None


@dataclass(slots=True)
class NewItem:
    """An item that is not in the books yet, with its marks; `held` is what the ledger posts. A weapon with a serial number
    has its key and, unless the number is obliterated, the identity it bears.
    """

    held: Held
    marks: Marks
    lot: str | None = None
    key: str | None = None
    identity: str | None = None


@dataclass(slots=True)
class Newcomers:
    """Items that enter the books with a posting. `bearers` gives, for an identity already borne, how many bear it or once
    did: the ordinal of the next is one more.
    """

    items: list[NewItem] = field(default_factory=list)
    bearers: dict[str, int] = field(default_factory=dict)


def new_item(
    maker: str,
    model_id: UUID,
    model_name: str,
    tracked_by: str,
    donor_id: UUID,
    marks: Marks = Marks(),
    consignment_id: UUID | None = None,
    lot: str | None = None,
) -> NewItem:
    """An item to be taken in by a posting."""
    serial = marks.serial_number
    held = Held(
        new_key(), tracked_by, model_id, donor_id, new_secret(), maker, model_name, serial,
        marked=tracked_by != "serial" or marks.uii is not None or (serial is not None and not marks.obliterated),
        consignment_id=consignment_id,
    )  # fmt: skip
    if serial is None:
        return NewItem(held, marks, lot)
    key = serial_key(serial)
    return NewItem(held, marks, lot, key, None if marks.obliterated else identity_key(maker, model_id, key))


UII = "UII//"
"""What the identity key of a UII begins with: no maker's key is followed by an empty model."""


@dataclass(slots=True)
class Known:
    """What the books know of identity keys: `bearers`, the items that bear each now, twins in their order; `rows`, how many
    ever did, whose next is the ordinal of a new one. Keys without any are absent, but for those `asked`.
    """

    bearers: dict[str, list[UUID]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def update(self, other: Known) -> None:
        """Adds what is known of other keys."""
        self.bearers.update(other.bearers)
        self.rows.update(other.rows)
        self.asked |= other.asked


# By key, not EXISTS: the planner would read all that were ever marked or amended into memory, while they are few.
_KNOWN = """
SELECT i.identity_key, i.item_id, i.ordinal,
       (SELECT a.version FROM identification a WHERE a.item_id = i.item_id AND a.version = 2) IS NOT NULL
FROM identity i WHERE i.identity_key = ANY (%s) ORDER BY i.identity_key, i.ordinal
"""
_BEARS = """
SELECT i.item_id, i.model_id, n.maker, n.serial_key, n.obliterated, n.uii
FROM item i CROSS JOIN LATERAL identified(i.item_id) n WHERE i.item_id = ANY (%s)
"""


def known_by_identity(connection: Connection, keys: Sequence[str]) -> Known:
    """Who bears, and bore, each identity key. A weapon marked or amended since bears what it is said to be now."""
    rows = ask(connection, _KNOWN, (list(keys),))
    borne = identities_of(connection, {row[1] for row in rows if row[3]}) if any(row[3] for row in rows) else {}
    known = Known(asked=set(keys))
    for key, item_id, ordinal, amended in rows:
        known.rows[key] = ordinal
        if amended and key not in borne.get(item_id, ()):
            continue
        bearers = known.bearers.setdefault(key, [])
        if item_id not in bearers:
            bearers.append(item_id)
    return known


def identities_of(connection: Connection, item_ids: Iterable[UUID]) -> dict[UUID, set[str]]:
    """The identity keys that each weapon bears now: its number's, unless it is obliterated, and its UII's."""
    return {
        item_id: keys_borne(maker, model_id, None if obliterated else key, uii)
        for item_id, model_id, maker, key, obliterated, uii in ask(connection, _BEARS, (list(item_ids),))
    }


def keys_borne(maker: str, model_id: UUID, key: str | None, uii: str | None) -> set[str]:
    """The identity keys of a readable serial number's key and of a UII."""
    return {*((identity_key(maker, model_id, key),) if key else ()), *((UII + uii,) if uii else ())}


def check_borne(known: Known, held: Mapping[UUID, Held]) -> None:
    """Raises Overtaken if a weapon under its lock bears another serial number than when it was looked up."""
    for identity, bearers in known.bearers.items():
        _, _, key = identity.split("/", 2)
        for number in (held[item_id].serial_number for item_id in bearers if item_id in held):
            if number is None or serial_key(number) != key:
                raise Overtaken(sentence("A weapon of these got another number at this moment: ask again."))


_INSERT_ITEMS = """
INSERT INTO item (item_id, tracked_by, model_id, donor_id, consignment_id, lot, secret)
SELECT item_id, tracked_by, model_id, donor_id, consignment_id, lot, secret FROM {given}
"""
_INSERT_IDENTIFICATIONS = """
INSERT INTO identification (item_id, version, donor_id, site_id, entry_version, maker, serial_number, serial_key, fold,
                            obliterated, distinguishing_mark, uii)
SELECT item_id, 1, donor_id, %s::uuid, 1, maker, serial_number, serial_key, fold, obliterated, distinguishing_mark, uii FROM {given}
"""
_INSERT_IDENTITIES = """
INSERT INTO identity (identity_key, ordinal, model_id, item_id)
SELECT identity_key, ordinal, model_id, item_id FROM {given} WHERE identity_key IS NOT NULL
"""
_INSERT_UIIS = f"""
INSERT INTO identity (identity_key, ordinal, model_id, item_id)
SELECT '{UII}' || g.uii, row_number() OVER (PARTITION BY g.uii ORDER BY g.item_id)
       + coalesce((SELECT max(i.ordinal) FROM identity i WHERE i.identity_key = '{UII}' || g.uii), 0), g.model_id, g.item_id
FROM (SELECT * FROM {{given}}) g WHERE g.uii IS NOT NULL
"""
_COLUMNS = (
    ("item_id", "uuid"), ("tracked_by", "text"), ("model_id", "uuid"), ("donor_id", "uuid"), ("consignment_id", "uuid"),
    ("lot", "text"), ("secret", "bytea"), ("maker", "text"), ("serial_number", "text"), ("serial_key", "text"),
    ("fold", "text"), ("obliterated", "bool"), ("distinguishing_mark", "text"), ("uii", "text"), ("identity_key", "text"),
    ("ordinal", "int4"),
)  # fmt: skip


def create(desk: Desk, new: Newcomers) -> None:
    """Writes new items with their identification and identity. A race for the same identity is decided by the primary
    key of `identity`; the loser is tried again by `acts.perform`.
    """
    # In one order of identities: two lists that share numbers wait for one another, and never deadlock.
    ordered = sorted(new.items, key=lambda item: item.identity or "")
    weapons = [item for item in ordered if item.held.serial]
    others = [item for item in ordered if not item.held.serial]
    bearers = dict(new.bearers)
    if weapons:
        with given(desk.connection, _COLUMNS, (_row(item, bearers) for item in weapons), len(weapons)) as rows:
            rows.insert(_INSERT_ITEMS)
            rows.insert(_INSERT_IDENTIFICATIONS, (desk.site.site_id,))
            rows.insert(_INSERT_IDENTITIES)
            if any(item.marks.uii for item in weapons):
                rows.insert(_INSERT_UIIS)
    if others:
        with given(desk.connection, _COLUMNS, (_row(item, bearers) for item in others), len(others)) as rows:
            rows.insert(_INSERT_ITEMS)


def _row(item: NewItem, bearers: dict[str, int]) -> tuple[object, ...]:
    held, marks, key = item.held, item.marks, item.key
    ordinal = None
    if item.identity is not None:
        bearers[item.identity] = ordinal = bearers.get(item.identity, 0) + 1
    return (
        held.item_id, held.tracked_by, held.model_id, held.donor_id, held.consignment_id, item.lot, held.secret, held.maker,
        marks.serial_number, key, fold(key) if key is not None else None, marks.obliterated, marks.distinguishing_mark,
        marks.uii, item.identity, ordinal,
    )  # fmt: skip

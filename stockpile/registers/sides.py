"""The two sides of a comparison, whatever they are: a register, or what the ledger has, as of a moment on either clock, of a whole
country, a site, an account, a unit with its sub-units, a donor or a consignment. Each becomes a query whose rows are of one shape
(`FIELDS`).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator
from sqlalchemy import Connection

from stockpile.catalogue import Model, find_models, name_key
from stockpile.db.rows import temporary
from stockpile.documents import Asked, Code, now
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.movements import BALANCED, HELD, AccountClass
from stockpile.registers.keep import in_capitals
from stockpile.reports import holdings
from stockpile.reports.as_of import AsOf
from stockpile.reports.holdings import Holder
from stockpile.reports.registers import register_called
from stockpile.reports.scope import donor_asked
from stockpile.rights import Actor
from stockpile.sentences import joined, sentence
from stockpile.sites import day_on_the_walls

Classes = tuple[AccountClass, ...]


class Source(Asked):
    """One side of a comparison: a register, or the ledger, all of it or the part that is named."""

    register_key: Code | None = Field(
        None, alias="register", description="A register: its key, or its name", examples=["Property book 2007"]
    )
    site: Code | None = Field(None, description="What the ledger has at a site", examples=["TAJI"])
    account: UUID | None = Field(None, description="What it has on one account")
    unit: Code | None = Field(None, description="What it has with a unit, its people and sub-units")
    donor: Code | None = Field(None, description="What it has of a donor", examples=["USA"])
    consignment: Code | None = Field(None, description="Of one consignment of the donor: its number")
    classes: Classes | None = Field(
        None,
        description="On accounts of these classes; left out: what somebody holds, or, of a donor or a consignment, wherever it is",
    )
    happened_by: AwareDatetime | None = Field(None, description="As it was at this moment; left out: now")
    recorded_by: AwareDatetime | None = Field(None, description="As the books said at this moment; left out: now")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        named = [name for name in ("site", "account", "unit") if getattr(self, name) is not None]
        if self.register_key is not None and (
            named or self.donor or self.classes or self.happened_by or self.recorded_by
        ):
            raise ValueError(
                sentence("a register is a list by itself: name no part and no moment of the ledger with it")
            )
        if len(named) > 1:
            raise ValueError(
                sentence("give one of site, account and unit, not {named}", named=joined(sentence(" and "), named))
            )
        if self.account is not None and self.classes:
            raise ValueError(sentence("an account is of one class: name no classes with it"))
        if self.consignment is not None and self.donor is None:
            raise ValueError(sentence("a consignment is known by its donor and its number: give the donor too"))
        return self

    @property
    def ledger(self) -> bool:
        """Whether it is the ledger, or a part of it."""
        return self.register_key is None


DATES = ("shipped_on", "received_on", "dated_on")

FIELDS = (
    "line", "item_id", "model_key", "model", "counted", "serial_key", "serial_number", "quantity", *DATES, "unit", "holder", "also",
    "mention", "repeated",
)  # fmt: skip
"""What a line of a side says, whatever the side is. `counted`: its model bears no numbers; `also`: other names of unit and holder;
`mention`: which mention of its number and model it is; `repeated`: whether there are several."""


@dataclass(slots=True)
class Side:
    """A side of a comparison: the query of its lines and the query's values, what it is called, what it is, and the moments it speaks
    of. `distinct`: its lines are weapons, so that two of one number are two. `says`: which fields it can say at all; `lines`: how many
    it has, and `unreadable` how many more of a list could not be read; `unmapped`: names of models that nobody has mapped.
    """

    query: str
    values: dict[str, Any]
    title: str
    register_id: UUID | None = None
    happened_by: datetime | None = None
    recorded_by: datetime | None = None
    distinct: bool = False
    says: frozenset[str] = frozenset()
    lines: int = 0
    unreadable: int = 0
    unmapped: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """What an audit keeps of it."""
        return {
            "title": self.title,
            "register_id": str(self.register_id) if self.register_id else None,
            "happened_by": self.happened_by.isoformat() if self.happened_by else None,
            "recorded_by": self.recorded_by.isoformat() if self.recorded_by else None,
            "says": sorted(self.says),
            "lines": self.lines,
            "unreadable": self.unreadable,
            "unmapped": self.unmapped[:MOST_UNMAPPED],
        }


MOST_UNMAPPED = 100


Hand = Literal["left", "right"]


def side_of(connection: Connection, actor: Actor, source: Source, hand: Hand) -> Side:
    """What a side says, as a query. A register's lines are read where they are; the ledger's are laid out first, as temporary tables.

    Raises NotFound, NotAllowed (another site's books), Invalid (a list that was not read in our fields; moments).
    """
    return _ledger(connection, actor, source, hand) if source.ledger else _register(connection, source, hand)


_REGISTER = """
SELECT r.name, r.kind, r.as_of, r.source, r.mapping, r.line_count, r.rejected_count FROM register r WHERE r.register_id = %s
"""
_SPOKEN = """
SELECT DISTINCT maker, model FROM register_line WHERE register_id = %s AND rejected IS NULL AND model IS NOT NULL
"""
_LINES = """
SELECT l.line, l.item_id, m.model_key, coalesce(m.called, l.model) AS model, coalesce(m.counted, false) AS counted,
       l.serial_key, l.serial_number, CASE WHEN l.serial_key IS NULL THEN l.quantity ELSE 1 END AS quantity,
       l.shipped_on, l.received_on, l.dated_on, coalesce(u.code, l.unit) AS unit, l.holder, NULL::text[] AS also
FROM register_line l LEFT JOIN unnest(%({hand}_units)s::text[], %({hand}_codes)s::text[]) u (name, code) ON u.name = l.unit
LEFT JOIN unnest(%({hand}_makers)s::text[], %({hand}_models)s::text[], %({hand}_keys)s::uuid[], %({hand}_called)s::text[],
                 %({hand}_counted)s::boolean[]) m (maker, model, model_key, called, counted)
       ON m.model = l.model AND m.maker = coalesce(l.maker, '')
WHERE l.register_id = %({hand}_register)s AND l.rejected IS NULL
"""

_MENTIONED = """
SELECT s.*, row_number() OVER mentions AS mention, coalesce(lead(true) OVER mentions, row_number() OVER mentions > 1) AS repeated
FROM ({lines}) s WINDOW mentions AS (PARTITION BY serial_key, model_key ORDER BY line, item_id)
"""


def _register(connection: Connection, source: Source, hand: Hand) -> Side:
    side = lines_of(connection, source, hand)
    side.query = _MENTIONED.format(lines=side.query)
    return side


def lines_of(connection: Connection, source: Source, hand: Hand) -> Side:
    """A register's lines as they stand, without how often each is mentioned. Raises NotFound, Invalid (not read in our fields)."""
    assert source.register_key is not None
    register_id = register_called(connection, source.register_key)
    name, kind, as_of, spoken_by, mapping, count, rejected = connection.exec_driver_sql(_REGISTER, (register_id,)).one()
    if mapping is None:
        fault = Fault(
            sentence("its lines were not read in our fields: import its file as a register"),
            field="register",
            value=name,
        )
        raise Invalid(sentence("{name} can't be compared.", name=name), [fault])
    spoken = connection.exec_driver_sql(_SPOKEN, (register_id,)).all()
    models, unmapped = _say_models(connection, [(maker, model) for maker, model in spoken], spoken_by)
    values = {"register": register_id, **_name_units(connection), **models}
    given = {f"{hand}_{name}": value for name, value in values.items()}
    return Side(
        _LINES.format(hand=hand),
        given,
        f"{name} ({kind}, as of {as_of:%Y-%m-%d})",
        register_id=register_id,
        says=_fields_of(mapping),
        lines=count - rejected,
        unreadable=rejected,
        unmapped=unmapped,
    )


def _name_units(connection: Connection) -> dict[str, list[str]]:
    """What units are called, in capitals, where it is no code and only one is called so: the list may say either."""
    codes: dict[str, set[str]] = {}
    for code, name in connection.exec_driver_sql("SELECT code, name FROM party WHERE kind = 'unit'"):
        codes.setdefault(in_capitals(name) or "", set()).add(in_capitals(code) or "")
    known = {code for several in codes.values() for code in several}
    named = {name: min(several) for name, several in codes.items() if len(several) == 1 and name not in known}
    return {"units": list(named), "codes": list(named.values())}


def _fields_of(mapping: dict[str, Any]) -> frozenset[str]:
    mapped = {*mapping["columns"], *mapping["constants"]}
    says = mapped & {"serial_number", "model", "shipped_on", "received_on"}
    if "date" in mapped:
        says.add("dated_on")
    if mapped & {"unit", "unit_code", "holder", "service_number", "name", "account"}:
        says.add("receiver")
    return frozenset(says)


def _say_models(
    connection: Connection, spoken: Collection[tuple[str | None, str]], source: str | None
) -> tuple[dict[str, list[Any]], list[str]]:
    """What the list's names of models mean, column by column; and those that nobody has mapped."""
    wanted = {called for maker, model in spoken for called in _called(maker, model)}
    models = find_models(connection, wanted, source)
    meant: dict[str, list[Any]] = {"makers": [], "models": [], "keys": [], "called": [], "counted": []}
    unmapped = set()
    for maker, model in spoken:
        found = next((models[called] for called in _called(maker, model) if called in models), None)
        if found is None:
            unmapped.add(model)
        for column, value in zip(meant.values(), (maker or "", model, *_keyed(found, model)), strict=True):
            column.append(value)
    return meant, sorted(unmapped)


def _called(maker: str | None, model: str) -> tuple[str, ...]:
    return (f"{maker} {model}", model) if maker else (model,)


UNMAPPED = UUID("0190b5a0-6d6f-7000-8000-6e616d65736b")


def _keyed(meant: Model | None, name: str) -> tuple[UUID, str, bool]:
    """Key, name, and whether it is counted rather than numbered. A name that nobody has mapped is compared as itself."""
    if meant is None:
        return uuid.uuid5(UNMAPPED, name_key(name)), name, False
    return meant.model_id, meant.name, meant.tracked_by != "serial"


_HELD = (
    "SELECT h.item_id, h.tracked_by, h.model_id, h.model, h.key, h.serial_number, h.quantity, h.account_id FROM line h"
)
_ACCOUNTS = """
WITH unit_of AS (
    SELECT DISTINCT ON (m.party_id) m.party_id, u.code, u.name
    FROM assignment m JOIN party u ON u.party_id = m.unit_id
    WHERE m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s) ORDER BY m.party_id, m.since DESC
)
SELECT a.account_id, coalesce(CASE p.kind WHEN 'unit' THEN p.code END, o.code, u.code, a.name), coalesce(p.code, a.name),
       ARRAY[a.name, p.name, p.code, o.name, u.name, s.code, s.name]
FROM account a JOIN site s ON s.site_id = a.site_id
LEFT JOIN party p ON p.party_id = a.party_id LEFT JOIN unit_of o ON o.party_id = a.party_id LEFT JOIN party u ON u.party_id = a.unit_id
WHERE a.account_id IN (SELECT account_id FROM held_{hand})
"""
# What was marked or amended since the moment was not borne then.
_BORNE = """
LEFT JOIN LATERAL (
    SELECT n.serial_key, n.serial_number FROM identification n
    LEFT JOIN entry e ON e.item_id = n.item_id AND e.version = n.entry_version
    WHERE n.item_id = h.item_id AND (n.version = 1 OR standing_entry(n.item_id, n.entry_version) IS NOT NULL
          AND e.happened_at <= %(happened_at)s AND e.recorded_at <= %(recorded_at)s)
    ORDER BY n.version DESC LIMIT 1) n ON EXISTS (SELECT FROM identification i WHERE i.item_id = h.item_id AND i.version = 2)
"""
_LAID_OUT = """
CREATE TEMPORARY TABLE ledger_{hand} ON COMMIT DROP AS
SELECT NULL::integer AS line, h.item_id, h.model_id AS model_key, h.model,
       h.tracked_by <> 'serial' AS counted, CASE WHEN h.tracked_by = 'serial' THEN nullif({key}, '') END AS serial_key,
       {serial_number} AS serial_number, h.quantity, NULL::date AS shipped_on, NULL::date AS received_on, NULL::date AS dated_on,
       a.unit, a.holder, string_to_array(a.also, E'\\x1f') AS also
FROM held_{hand} h JOIN accounts_{hand} a USING (account_id) {borne}
"""


def _ledger(connection: Connection, actor: Actor, source: Source, hand: Hand) -> Side:
    moment = now()
    at = AsOf(source.happened_by, source.recorded_by)
    for name, asked in (("happened_by", source.happened_by), ("recorded_by", source.recorded_by)):
        if asked is not None and asked > moment:
            raise Invalid(
                sentence("Nothing was compared."),
                [Fault(sentence("is in the future"), field=name, value=asked.isoformat())],
            )
    question = _question(connection, actor, source, at)
    held = f"CREATE TEMPORARY TABLE held_{hand} ON COMMIT DROP AS {question.sql(actor, _HELD)}"
    lines = connection.exec_driver_sql(held, {**question.values, **at.parameters}).rowcount
    _name_accounts(connection, hand, day_on_the_walls(connection, actor.time_zone, at.moment))
    now_borne = {"key": "h.key", "serial_number": "h.serial_number", "borne": ""}
    then_borne = {
        "key": "coalesce(n.serial_key, h.key)", "serial_number": "coalesce(n.serial_number, h.serial_number)", "borne": _BORNE
    }  # fmt: skip
    borne = now_borne if at.now else then_borne
    connection.exec_driver_sql(_LAID_OUT.format(hand=hand, **borne), at.parameters)
    return Side(
        _MENTIONED.format(lines=f"SELECT * FROM ledger_{hand}"),
        {},
        _title(source),
        happened_by=source.happened_by or moment,
        recorded_by=source.recorded_by or moment,
        distinct=True,
        says=frozenset({"serial_number", "model", "receiver"}),
        lines=lines,
    )


def _name_accounts(connection: Connection, hand: Hand, day: date) -> None:
    """What the accounts of a side are called, in capitals: here, for the database knows no capitals but Latin."""
    rows = [
        (account, in_capitals(unit), in_capitals(holder), "\x1f".join(filter(None, map(in_capitals, also))))
        for account, unit, holder, also in connection.exec_driver_sql(_ACCOUNTS.format(hand=hand), {"day": day})
    ]
    columns = (("account_id", "uuid"), ("unit", "text"), ("holder", "text"), ("also", "text"))
    temporary(connection, f"accounts_{hand}", columns, rows)


def _question(connection: Connection, actor: Actor, source: Source, at: AsOf) -> holdings.Question:
    classes = source.classes or (tuple(BALANCED) if source.donor else tuple(sorted(HELD)))
    if source.account is not None or source.unit is not None:
        holder = Holder(account=source.account, unit=source.unit)
        accounts = holdings.accounts_of(connection, actor, holder, at, classes)
        values: dict[str, Any] = {"accounts": accounts, **holdings.search_of(None)}
        question = holdings.Question(("a.account_id = ANY (%(accounts)s)",), values, at)
        if source.donor is not None:
            question = question.and_also(
                "{of}.donor_id = %(donor)s", donor=donor_asked(connection, actor, source.donor)
            )
    else:
        sought = holdings.Sought(site=source.site, classes=classes, donor=source.donor)
        question = holdings.question_of(connection, actor, sought, at)
    if source.consignment is None:
        return question
    consignment = connection.exec_driver_sql(
        "SELECT consignment_id FROM consignment WHERE donor_id = (SELECT party_id FROM party WHERE kind = 'donor' AND code = %s) "
        "AND reference = %s",
        (source.donor, source.consignment),
    ).scalar_one_or_none()
    if consignment is None:
        raise NotFound(
            sentence(
                "{donor} declared no consignment {consignment!r} here.",
                donor=source.donor,
                consignment=source.consignment,
            )
        )
    items = "SELECT c.item_id FROM item c WHERE c.consignment_id = %(consignment)s"
    return question.and_also(f"{{of}}.item_id IN ({items})", consignment=consignment)


def _title(source: Source) -> str:
    parts = [
        f"of {source.site}" if source.site else None,
        f"of unit {source.unit}" if source.unit else None,
        f"of account {source.account}" if source.account else None,
        f"from {source.donor}" if source.donor else None,
        f"consignment {source.consignment}" if source.consignment else None,
        f"as of {source.happened_by:%Y-%m-%d %H:%M}" if source.happened_by else None,
        f"as the books said on {source.recorded_by:%Y-%m-%d %H:%M}" if source.recorded_by else None,
    ]
    return " ".join(["ledger", *(part for part in parts if part)])

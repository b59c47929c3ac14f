"""Counts: a site's people go along the shelves and read what is there. A count is opened over a scope, takes lines until it is
closed (`count_lines`), and is then compared with the ledger at each line's own moment (`count_findings`).

Nothing here moves custody, and nothing waits for a count: issuing goes on while it is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal, Self
from uuid import UUID

from psycopg.errors import UniqueViolation
from pydantic import AfterValidator, AwareDatetime, Field, model_validator
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from stockpile.acts.perform import scope
from stockpile.db.engine import connected
from stockpile.documents import Asked, Code, Words, now, of_a_book_year
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.keys import new_key
from stockpile.log.leaf import canonical
from stockpile.movements import HELD, AccountClass
from stockpile.parties import Party, find_party, need_party
from stockpile.registers.seals import need_unbroken
from stockpile.rights import CLOSE_COUNT, COMMANDER, COUNT, REGISTRAR, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import Place, Site, find_store, party_account, site_account
from stockpile.units import with_sub_units

Method = Literal["serial", "quantity"]
Reason = Literal[
    "periodic", "receipt", "opened or closed", "change of custodian", "opening list", "incident", "recount"
]
MayOverride = frozenset({COMMANDER, REGISTRAR})


class OpenCount(Asked):
    """Open a count of one account, of a unit with its people, of sealed containers, of a whole site; or count again what an
    earlier count found missing or too much.
    """

    count_id: UUID = Field(
        default_factory=new_key, description="Made by the client: the key under which a repeat is known"
    )
    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    account: Code | None = Field(
        None,
        description="Name of a store; 'maintenance'; a unit's code; a person's service number",
        examples=["Main store"],
    )
    unit: Code | None = Field(
        None,
        description="A unit's code: what it holds, its sub-units and their people, and its stores",
        examples=["1COY"],
    )
    seals: Annotated[tuple[Code, ...], Field(max_length=500)] = Field(
        (), description="Numbers of seals: the containers under them", examples=[[]]
    )
    whole_site: bool = Field(False, description="Everything that is in somebody's hands at the site")
    recount_of: UUID | None = Field(None, description="A closed count: only what it found missing or unexpected")
    counters: Annotated[tuple[Code, ...], Field(min_length=1, max_length=50)] = Field(
        description="Service numbers of who counts, of this site", examples=[["T-2"]]
    )
    blind: bool = Field(True, description="Who counts is not shown what to expect")
    method: Method = Field("serial", description="Every serial number, or only how many")
    reason: Reason = "periodic"
    opened_at: Annotated[AwareDatetime, AfterValidator(of_a_book_year)] | None = Field(
        None, description="Of a count held on paper: when it began, with its offset from UTC; left out: now"
    )
    override: Words | None = Field(
        None,
        description="A commander's or registrar's reason why the same person counts twice running, or who answers for it alone",
    )

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        given = [
            self.account is not None,
            self.unit is not None,
            bool(self.seals),
            self.whole_site,
            self.recount_of is not None,
        ]
        if sum(given) != 1:
            raise ValueError(
                sentence("say what is counted: account, unit, seals, whole_site or recount_of, one of them")
            )
        if self.method == "quantity" and (self.seals or self.recount_of is not None):
            raise ValueError(sentence("containers and recounts are counted by serial number"))
        if len(set(self.counters)) < len(self.counters):
            raise ValueError(sentence("a counter is named twice"))
        return self

    @property
    def content_hash(self) -> bytes:
        """SHA-256 of the validated request as canonical JSON."""
        return sha256(canonical({"open count": self.model_dump(mode="json", exclude={"count_id"})})).digest()


class AbandonCount(Asked):
    """Give up a count that was opened by mistake or broken off: nothing is compared."""

    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    because: Words = Field(description="Why", examples=["The alarm went: nobody finished"])


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted: the accounts as they are when it is opened, and the only weapons, where it is not of all that is there."""

    kind: str
    accounts: tuple[UUID, ...] = ()
    items: tuple[UUID, ...] = ()
    whole_site: bool = False
    unit_id: UUID | None = None
    recount_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """A count as it stands. `outcome` None: it is open, or, once it has `closed_at`, being compared."""

    count_id: UUID
    site_id: UUID
    number: int
    scope: str
    whole_site: bool
    recount_of: UUID | None
    method: str
    blind: bool
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None
    content_hash: bytes
    site_code: str
    counters: frozenset[UUID] = field(default_factory=frozenset)

    @property
    def name(self) -> str:
        """How people call it: TAJI/COUNT/3."""
        return count_name(self.site_code, self.number)


def count_name(site_code: str, number: int) -> str:
    """A count as people call it: TAJI/COUNT/3."""
    return f"{site_code}/COUNT/{number}"


_COUNT = """
SELECT c.count_id, c.site_id, c.number, c.scope, c.whole_site, c.recount_of, c.method, c.blind, c.opened_at, c.closed_at, c.outcome,
       c.content_hash, s.code, ARRAY(SELECT p.party_id FROM count_counter p WHERE p.count_id = c.count_id)
FROM physical_count c JOIN site s USING (site_id)
"""


def find_count(connection: Connection, count_id: UUID) -> Count | None:
    """The count of a key in the reader's scope."""
    row = connection.exec_driver_sql(f"{_COUNT} WHERE c.count_id = %s", (count_id,)).one_or_none()
    return Count(*(*row[:11], bytes(row[11]), row[12], frozenset(row[13]))) if row else None


def need_count(connection: Connection, count_id: UUID) -> Count:
    """The count of a key. Raises NotFound."""
    count = find_count(connection, count_id)
    if count is None:
        raise NotFound(sentence("There is no count {count_id} here.", count_id=count_id))
    return count


def hold_count(connection: Connection, count_id: UUID) -> None:
    """Until the end of the transaction nobody else adds lines to the count, closes or abandons it."""
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended('count ' || %s::uuid, 0))", (count_id,))


def need_open(count: Count) -> None:
    """Raises Refused unless the count still takes lines."""
    if count.outcome == "abandoned":
        raise Refused(sentence("{count} was abandoned: open a new one.", count=count.name))
    if count.closed_at is not None:
        raise Refused(
            sentence(
                "{count} was closed at {closed_at:%Y-%m-%d %H:%M}Z: open a new one, or a recount of it.",
                count=count.name,
                closed_at=count.closed_at,
            )
        )


def open_count(engine: Engine, actor: Actor, request: OpenCount) -> UUID:
    """Opens a count; its key. The same request again opens nothing.

    Raises NotAllowed, NotFound (the count to recount), Invalid (scope, counters, a time to come), Refused (the same counter
    twice running, who answers for it alone), PostedWithOtherContent.
    """
    require(actor, COUNT)
    try:
        with connected(engine) as connection:
            site = scope(connection, actor, request.site)
            hold_count(connection, request.count_id)
            known = find_count(connection, request.count_id)
            if known is None:
                _open(connection, actor, site, request)
            elif known.content_hash != request.content_hash:
                raise _other_content(request.count_id)
    except IntegrityError as problem:
        if not isinstance(problem.orig, UniqueViolation):
            raise
        raise _other_content(request.count_id) from None
    return request.count_id


def _other_content(count_id: UUID) -> PostedWithOtherContent:
    return PostedWithOtherContent(
        sentence(
            "Count {count_id} was opened before with other content. Take a new id for a new count.", count_id=count_id
        )
    )


def _open(connection: Connection, actor: Actor, site: Site, request: OpenCount) -> None:
    recorded_at = now()
    opened_at = request.opened_at or recorded_at
    if opened_at > recorded_at:
        fault = Fault(sentence("is still to come"), field="opened_at", value=opened_at.isoformat())
        raise Invalid(sentence("The count was not opened."), [fault])
    counters = _counters(connection, site, request.counters)
    wanted = _scope(connection, site, request, opened_at)
    _guard_override(actor, request, counters)
    if request.override is None and request.method == "serial":
        _guard_counters(connection, site, wanted, counters)
    reason = "recount" if wanted.recount_of is not None else request.reason
    # One after another, so that the site's counts are numbered without gaps.
    connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtextextended('counts of ' || %s::uuid, 0))", (site.site_id,)
    )
    connection.exec_driver_sql(
        """INSERT INTO physical_count (count_id, site_id, number, scope, whole_site, unit_id, recount_of, method, blind, reason, override,
                                       opened_at, opened_by, recorded_at, content_hash)
           SELECT %s, %s, coalesce(max(number), 0) + 1, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
           FROM physical_count WHERE site_id = %s""",
        (
            request.count_id, site.site_id, wanted.kind, wanted.whole_site, wanted.unit_id, wanted.recount_of, request.method,
            request.blind, reason, request.override, opened_at, actor.party_id, recorded_at, request.content_hash,
            site.site_id,
        ),
    )  # fmt: skip
    for table, column, keys in (
        ("count_counter", "party_id", tuple(person.party_id for person in counters)),
        ("count_account", "account_id", wanted.accounts),
        ("count_item", "item_id", wanted.items),
    ):
        connection.exec_driver_sql(
            f"INSERT INTO {table} (count_id, site_id, {column}) SELECT %s, %s, * FROM unnest(%s::uuid[])",
            (request.count_id, site.site_id, list(keys)),
        )


def _counters(connection: Connection, site: Site, codes: Sequence[str]) -> list[Party]:
    """Who counts: persons of the site. Raises Invalid, naming each who is nobody there."""
    people = {code: find_party(connection, "person", code) for code in codes}
    unknown = [code for code, person in people.items() if person is None or person.name is None]
    if unknown:
        faults = [
            Fault(sentence("not a service number of {site}", site=site.code), field="counters", value=code)
            for code in unknown
        ]
        raise Invalid(
            sentence(
                "The count was not opened: {count} counter(s) are nobody of {site}.", count=len(unknown), site=site.code
            ),
            faults,
        )
    return [person for person in people.values() if person is not None]


def _scope(connection: Connection, site: Site, request: OpenCount, opened_at: datetime) -> Scope:
    if request.account is not None:
        return Scope("account", (find_account(connection, site, request.account).account_id,))
    if request.unit is not None:
        return of_unit(connection, site, request.unit, opened_at)
    if request.seals:
        seals = need_unbroken(connection, site, request.seals)
        listed = {item_id for seal in seals for item_id in seal.items}
        return Scope("containers", tuple({seal.account_id for seal in seals}), tuple(listed))
    if request.recount_of is not None:
        return _of_differences(connection, request.recount_of)
    return Scope("site", whole_site=True)


def find_account(connection: Connection, site: Site, name: str) -> Place:
    """An account of the site that somebody holds: a store by its name, the workshop, a unit's by its code, a person's by the
    service number. Raises Invalid.
    """
    if name.casefold() == AccountClass.MAINTENANCE:
        return site_account(connection, site, AccountClass.MAINTENANCE)
    for kind in ("unit", "person"):
        party = find_party(connection, kind, name)
        place = party_account(connection, site, party.party_id) if party else None
        if place is not None:
            return place
    try:
        return find_store(connection, site, name)
    except Invalid as problem:
        message = sentence("neither a store, unit or person of {site}, nor 'maintenance'", site=site.code)
        raise Invalid(
            sentence("Account: {problem}", problem=problem.detail), [Fault(message, field="account", value=name)]
        ) from None


_ACCOUNTS_OF_UNITS = """
SELECT a.account_id FROM account a
WHERE a.site_id = %(site)s AND a.class = ANY (%(classes)s)
  AND (a.unit_id = ANY (%(units)s) OR a.party_id = ANY (%(units)s)
       OR a.party_id IN (SELECT m.party_id FROM assignment m
                         WHERE m.unit_id = ANY (%(units)s) AND m.since <= %(day)s AND (m.until IS NULL OR m.until >= %(day)s)))
"""


def of_unit(connection: Connection, site: Site, code: str, opened_at: datetime) -> Scope:
    """A unit with its sub-units, their people and its stores, as they belonged to it at a moment. Raises NotFound, Invalid."""
    unit = need_party(connection, "unit", code, "unit")
    day = site.local_day(opened_at)
    units = with_sub_units(connection, unit.party_id, day, day)
    accounts = connection.exec_driver_sql(
        _ACCOUNTS_OF_UNITS,
        {"site": site.site_id, "classes": [str(one) for one in HELD], "units": list(units), "day": day},
    ).scalars()
    found = tuple(accounts)
    if not found:
        fault = Fault(
            sentence("neither it nor its people have an account at {site}", site=site.code), field="unit", value=code
        )
        raise Invalid(sentence("The count was not opened."), [fault])
    return Scope("unit", found, unit_id=unit.party_id)


def _of_differences(connection: Connection, count_id: UUID) -> Scope:
    first = need_count(connection, count_id)
    if first.outcome != "closed":
        raise Refused(sentence("{first} is not closed: there is nothing to count again yet.", first=first.name))
    items = connection.exec_driver_sql(
        """SELECT DISTINCT item_id FROM count_finding
           WHERE count_id = %s AND kind IN ('missing', 'unexpected') AND item_id IS NOT NULL""",
        (count_id,),
    ).scalars()
    accounts = connection.exec_driver_sql(
        "SELECT account_id FROM count_account WHERE count_id = %s", (count_id,)
    ).scalars()
    return Scope("recount", tuple(accounts), tuple(items), first.whole_site, recount_of=count_id)


def _guard_override(actor: Actor, request: OpenCount, counters: Sequence[Party]) -> None:
    if request.override is None:
        return
    if actor.role not in MayOverride:
        raise NotAllowed(
            sentence("Who counts twice running, or what he answers for, is a commander's or registrar's to allow.")
        )
    if any(person.party_id == actor.party_id for person in counters):
        raise NotAllowed(sentence("You can't allow this to yourself: let another commander open the count."))


_LAST_COUNTED_BY = """
SELECT c.number, ARRAY(SELECT p.party_id FROM count_counter p WHERE p.count_id = c.count_id)
FROM physical_count c
WHERE c.site_id = %(site)s AND c.outcome = 'closed' AND c.method = 'serial' AND c.scope = %(kind)s
  AND CASE %(kind)s
      WHEN 'account' THEN EXISTS (SELECT FROM count_account a WHERE a.count_id = c.count_id AND a.account_id = ANY (%(accounts)s))
      WHEN 'unit' THEN c.unit_id = %(unit)s
      WHEN 'containers' THEN EXISTS (SELECT FROM count_item i WHERE i.count_id = c.count_id AND i.item_id = ANY (%(items)s))
      ELSE true END
ORDER BY c.closed_at DESC LIMIT 1
"""
_LAST_OF_ALL = """
SELECT c.number, ARRAY(SELECT p.party_id FROM count_counter p WHERE p.count_id = c.count_id)
FROM physical_count c WHERE c.count_id = %(recount_of)s
"""
_ANSWERS = """
SELECT DISTINCT coalesce(a.custodian_id, s.custodian_id) FROM account a JOIN site s USING (site_id)
WHERE a.site_id = %(site)s AND a.class IN ('store', 'maintenance', 'unit') AND (%(whole)s OR a.account_id = ANY (%(accounts)s))
"""


def _guard_counters(connection: Connection, site: Site, wanted: Scope, counters: Sequence[Party]) -> None:
    """Neither who answers for it nor the same person twice running counts alone (standards, section 7). Raises Refused."""
    if len(counters) > 1:
        return
    (alone,) = counters
    asked = {
        "site": site.site_id, "kind": wanted.kind, "accounts": list(wanted.accounts), "unit": wanted.unit_id,
        "items": list(wanted.items), "recount_of": wanted.recount_of, "whole": wanted.whole_site,
    }  # fmt: skip
    remedy = sentence("Name another counter or a second one, or let a commander say why (override).")
    if alone.party_id in connection.exec_driver_sql(_ANSWERS, asked).scalars().all():
        raise Refused(
            sentence(
                "The count was not opened: {alone} answers for what is counted, and would count it alone. {remedy}",
                alone=alone.code,
                remedy=remedy,
            )
        )
    last = connection.exec_driver_sql(_LAST_OF_ALL if wanted.recount_of else _LAST_COUNTED_BY, asked).one_or_none()
    if last is not None and list(last[1]) == [alone.party_id]:
        name = count_name(site.code, last[0])
        raise Refused(
            sentence(
                "The count was not opened: {alone} alone counted it the last time, too ({name}). {remedy}",
                alone=alone.code,
                name=name,
                remedy=remedy,
            )
        )


def abandon_count(engine: Engine, actor: Actor, count_id: UUID, request: AbandonCount) -> UUID:
    """Gives a count up; what was read stays to be read, and is compared with nothing. Abandoned twice it is so once.

    Raises NotAllowed, NotFound, Refused (it is closed).
    """
    require(actor, COUNT)
    with connected(engine) as connection:
        scope(connection, actor, request.site)
        hold_count(connection, count_id)
        count = need_count(connection, count_id)
        if count.outcome == "abandoned":
            return count_id
        need_open(count)
        opened_by = connection.exec_driver_sql(
            "SELECT opened_by FROM physical_count WHERE count_id = %s", (count_id,)
        ).scalar_one()
        if opened_by != actor.party_id:
            require(actor, CLOSE_COUNT)
        connection.exec_driver_sql(
            """UPDATE physical_count SET outcome = 'abandoned', abandoned_because = %s, closed_at = %s, closed_by = %s
               WHERE count_id = %s""",
            (request.because, now(), actor.party_id, count_id),
        )
    return count_id

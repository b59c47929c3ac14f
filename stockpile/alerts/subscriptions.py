"""Who wants to be told of alerts: by e-mail to an address, or by a web feed with a secret of its own. A subscription sees what its
maker sees, and ends with the user or token by which it was made. A feed's secret is shown once; only its SHA-256 is kept.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from sqlalchemy import Connection, Engine

from stockpile.alerts.kinds import KINDS, kinds_for
from stockpile.db import roles
from stockpile.db.engine import take_role, transaction
from stockpile.documents import Asked, now
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound, Refused
from stockpile.keys import new_key
from stockpile.reports.keyset import Keys, Page, read_page
from stockpile.rights import READ_ALERTS, REGISTRAR, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import Site

EMAIL, FEED = "e-mail", "web feed"
PREFIX = "sf_"
FORM = re.compile(r"sf_[A-Za-z0-9_-]{43}")
MOST = 20
"""Subscriptions of one person in one role."""
TESTS_A_DAY = 5


def _address(text: str) -> str:
    """An address of e-mail. Raises ValueError."""
    text = text.strip()
    try:
        found = Address(addr_spec=text)
    except (MessageError, ValueError, IndexError, AttributeError):
        found = None
    if found is None or not found.username or ("." not in found.domain and found.domain != "localhost"):
        raise ValueError(sentence("write an address like officer@donor.example"))
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > 254:
        raise ValueError(sentence("write an address like officer@donor.example"))
    return text


def _kind(text: str) -> str:
    """A kind of alert. Raises ValueError."""
    if text not in KINDS:
        raise ValueError(sentence("one of {kinds}", kinds=", ".join(KINDS)))
    return text


class Subscribe(Asked):
    """Be told of alerts."""

    way: Literal["e-mail", "web feed"] = Field(examples=["e-mail"])
    address: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="Of e-mail", examples=["officer@donor.example"]
    )
    kinds: tuple[Annotated[str, AfterValidator(_kind)], ...] = Field(
        (),
        max_length=len(KINDS),
        description="Which alerts; none: all that you may see",
        examples=[["missing or lost"]],
    )
    language: str = Field("en", pattern="^[a-z]{2,3}(-[A-Za-z]{2,4})?$", description="In which it is told")
    full_text: bool = Field(
        False, description="Say what happened, where and how much; else the kind, the number and a link alone"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Subscribe:
        if (self.address is None) == (self.way == EMAIL):
            raise ValueError(sentence("an e-mail goes to an address, a web feed to none"))
        return self


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription. `state`: holds or ended. `last_mail`: what became of its last e-mail, `words`: what was in the way."""

    subscription_id: UUID
    way: str
    address: str | None
    role: str
    kinds: tuple[str, ...]
    language: str
    full_text: bool
    created_at: datetime
    state: str
    last_mail: str | None
    last_mail_at: datetime | None
    words: str | None


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription just made. `secret`: of a web feed, the only time that anybody sees it."""

    subscription_id: UUID
    secret: str | None


@dataclass(frozen=True, slots=True)
class Feed:
    """Whose a feed is, and what it shows."""

    actor: Actor
    kinds: tuple[str, ...]
    language: str
    full_text: bool


def subscribe(engine: Engine, actor: Actor, request: Subscribe) -> Subscribed:
    """Makes a subscription for who asks. Raises NotAllowed, Invalid (kinds that are not theirs), Refused (there is such a one)."""
    require(actor, READ_ALERTS)
    if actor.user_id is None and actor.token_id is None:
        raise NotAllowed(sentence("Sign in first."))
    strange = [kind for kind in request.kinds if kind not in kinds_for(actor.role)]
    if strange:
        fault = Fault(sentence("not for your role"), field="kinds", value=", ".join(strange))
        raise Invalid(sentence("Nothing was done."), [fault])
    secret = PREFIX + secrets.token_urlsafe(32) if request.way == FEED else None
    with _own(engine, actor) as connection:
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"alerts {actor.party_id}",)
        )
        standing = [row for row in _of(connection, actor) if row.state == "holds"]
        if len(standing) >= MOST:
            raise Refused(sentence("You have {most} subscriptions: end one first.", most=MOST))
        if request.address and request.address.lower() in {(row.address or "").lower() for row in standing}:
            raise Refused(sentence("Alerts go to {address} already: end that first.", address=request.address))
        key = new_key()
        connection.exec_driver_sql(
            """INSERT INTO alert_subscription (subscription_id, party_id, role, site_id, donor_id, user_id, token_id, kinds, address,
                                               language, full_text, feed_hash, created_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                key, actor.party_id, actor.role, actor.site_id, actor.donor_id, actor.user_id,
                None if actor.user_id else actor.token_id, list(request.kinds), request.address, request.language,
                request.full_text, sha256(secret.encode()).digest() if secret else None, now(),
            ),
        )  # fmt: skip
    return Subscribed(key, secret)


_ROWS = """
SELECT x.created_at, x.subscription_id, x.subscription_id, CASE WHEN x.address IS NULL THEN 'web feed' ELSE 'e-mail' END, x.address, x.role,
       x.kinds, x.language, x.full_text, x.created_at, CASE WHEN alert_subscription_holds(x.subscription_id) THEN 'holds' ELSE 'ended' END,
       CASE WHEN last.mail_id IS NOT NULL THEN coalesce(last.what, 'waits') END, coalesce(last.happened_at, last.queued_at), last.words
FROM alert_subscription x
LEFT JOIN LATERAL (SELECT m.mail_id, m.queued_at, h.what, h.happened_at, h.words FROM alert_mail m
                   LEFT JOIN alert_mail_step h ON h.mail_id = m.mail_id
                   WHERE m.subscription_id = x.subscription_id
                   ORDER BY m.queued_at DESC, h.step DESC NULLS LAST LIMIT 1) last ON true
"""
_KEYS: Keys = {"x.created_at": datetime.fromisoformat, "x.subscription_id": UUID}


def list_subscriptions(
    connection: Connection, actor: Actor, everybodys: bool = False, limit: int = 100, cursor: str | None = None
) -> Page[SubscriptionRow]:
    """One's own subscriptions, the newest first; everybody's for a registrar. Raises NotAllowed, Invalid (limit, cursor)."""
    require(actor, READ_ALERTS)
    if everybodys:
        if actor.role != REGISTRAR:
            raise NotAllowed(sentence("Only a registrar sees everybody's subscriptions."))
        return read_page(connection, _ROWS, {}, _KEYS, _row, limit, cursor, newest_first=True)
    take_role(connection, roles.POSTER, actor.site_id)
    where: dict[str, Any] = {"x.party_id = %s": actor.party_id, "x.role = %s": actor.role}
    return read_page(connection, _ROWS, where, _KEYS, _row, limit, cursor, newest_first=True)


def _of(connection: Connection, actor: Actor) -> tuple[SubscriptionRow, ...]:
    return list_subscriptions(connection, actor, limit=500).rows


def _row(*found: Any) -> SubscriptionRow:
    key, way, address, role, kinds, *rest = found
    return SubscriptionRow(key, way, address, role, tuple(kinds), *rest)


def end_subscription(engine: Engine, actor: Actor, subscription_id: UUID) -> None:
    """Ends one's own subscription; a registrar ends anybody's. What ended stays ended. Raises NotAllowed, NotFound."""
    require(actor, READ_ALERTS)
    of_all = actor.role == REGISTRAR
    with transaction(engine, roles.REGISTRAR if of_all else roles.POSTER, actor.site_id) as connection:
        known = connection.exec_driver_sql(
            "SELECT ended_at FROM alert_subscription WHERE subscription_id = %s AND (%s OR (party_id = %s AND role = %s)) FOR UPDATE",
            (subscription_id, of_all, actor.party_id, actor.role),
        ).one_or_none()
        if known is None:
            raise NotFound(sentence("You have no such subscription."))
        if known.ended_at is None:
            connection.exec_driver_sql(
                "UPDATE alert_subscription SET ended_at = %s WHERE subscription_id = %s", (now(), subscription_id)
            )


def send_test(engine: Engine, actor: Actor, subscription_id: UUID) -> None:
    """Has an e-mail sent that says nothing but that it came. Raises NotAllowed, NotFound, Refused (no e-mail; too many)."""
    require(actor, READ_ALERTS)
    with _own(engine, actor) as connection:
        known = next((row for row in _of(connection, actor) if row.subscription_id == subscription_id), None)
        if known is None or known.state != "holds":
            raise NotFound(sentence("You have no such subscription."))
        if known.way != EMAIL:
            raise Refused(sentence("A web feed is fetched, not sent."))
        tests = connection.exec_driver_sql(
            "SELECT count(*) FROM alert_mail WHERE subscription_id = %s AND what = 'test' AND queued_at > %s",
            (subscription_id, now() - timedelta(days=1)),
        ).scalar_one()
        if tests >= TESTS_A_DAY:
            raise Refused(sentence("{most} tests were sent today. Try again tomorrow.", most=TESTS_A_DAY))
        connection.exec_driver_sql(
            "INSERT INTO alert_mail (mail_id, subscription_id, what, queued_at) VALUES (%s, %s, 'test', %s)",
            (new_key(), subscription_id, now()),
        )


def feed_of(connection: Connection, secret: str) -> Feed | None:
    """Whose feed a secret opens; None: nobody's, or no more. The connection needs no database role yet."""
    if not FORM.fullmatch(secret):
        return None
    row = connection.exec_driver_sql(
        """SELECT party_id, role, donor_id, kinds, language, full_text, site_id, code, name, time_zone, custodian_id, declared_open_at
           FROM alert_feed_of(%s)""",
        (sha256(secret.encode()).digest(),),
    ).one_or_none()
    if row is None:
        return None
    site = Site(*row[6:]) if row.site_id else None
    return Feed(Actor(row.party_id, row.role, site, row.donor_id), tuple(row.kinds), row.language, row.full_text)


def forget_address(connection: Connection, party_id: UUID) -> None:
    """Of a person who is erased: the addresses go, and the subscriptions end. The connection stands as the registrar."""
    connection.exec_driver_sql(
        "UPDATE alert_subscription SET ended_at = coalesce(ended_at, %s), address = NULL WHERE party_id = %s",
        (now(), party_id),
    )


def _own(engine: Engine, actor: Actor) -> Any:
    """A transaction in which somebody keeps what is their own, whatever their role."""
    return transaction(engine, roles.POSTER, actor.site_id)

"""Signing in by a provider, from here and back: what somebody is sent with is kept for ten minutes and used once, in the browser in which
it began.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile import sessions
from stockpile.counters import Counter, counter_by_id
from stockpile.db import roles
from stockpile.db.engine import ask, at_once, connected, transaction
from stockpile.sentences import sentence
from stockpile.sessions import NewSession
from stockpile.settings import Settings
from stockpile.single_sign_on import bindings, openid
from stockpile.single_sign_on.openid import NotVouched, Vouched
from stockpile.single_sign_on.providers import Provider, find_provider, secret_of

PREFIX = "spb_"
FORM = re.compile(r"spb_[A-Za-z0-9_-]{43}")
LIVES = 600
"""Seconds, as the database has it."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send somebody, and what their browser keeps until they are back."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody came back who has a user here. `several`: in more than one role."""

    session: NewSession
    wanted: str
    several: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody came back whom nobody has bound yet. `code`: what they read to the registrar."""

    provider: str
    called: str
    code: str


def provider_of(engine: Engine, code: str) -> Provider:
    """The provider of a code. Raises NotFound."""
    with transaction(engine, roles.REGISTRAR) as connection:
        return find_provider(connection, code)


def begin(
    engine: Engine,
    provider: Provider,
    back: str,
    wanted: str,
    browser: str | None,
    counter: Counter | None,
    former: UUID | None,
) -> Begun:
    """Sends somebody to a provider. `back`: where it sends them afterwards; `browser`: what their browser keeps already; `former`: the
    session that it has. At a counter, where the next person may sit down, the provider asks anew who it is.

    Raises ProviderUnavailable.
    """
    sent = openid.send_to(provider, back, anew=counter is not None)
    kept = browser if browser is not None and FORM.fullmatch(browser) else PREFIX + secrets.token_urlsafe(32)
    with connected(at_once(engine)) as connection:
        ask(
            connection,
            "SELECT sign_in_begun(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                _hash(sent.state), _hash(kept), provider.provider_id, sent.nonce, sent.verifier, back, wanted,
                counter.counter_id if counter else None, former,
            ),
        )  # fmt: skip
    return Begun(sent.url, kept)


def finish(
    engine: Engine, settings: Settings, provider: Provider, answered: Mapping[str, str], browser: str | None
) -> Entered | Waiting:
    """Somebody is back, with the provider's answer. Raises NotVouched, ProviderUnavailable."""
    if not answered.get("state") or browser is None or not FORM.fullmatch(browser):
        raise _not_asked_for(provider)
    with connected(at_once(engine)) as connection:
        rows = ask(
            connection,
            "SELECT nonce, verifier, back, wanted, counter_id, session_id FROM sign_in_returned(%s, %s, %s)",
            (_hash(answered["state"]), _hash(browser), provider.provider_id),
        )
    if not rows:
        raise _not_asked_for(provider)
    nonce, verifier, back, wanted, counter_id, former = rows[0]
    vouched = openid.vouched_for(provider, secret_of(settings.data, provider.code), answered, nonce, verifier, back)
    with transaction(engine, roles.REGISTRAR) as connection:
        counter = counter_by_id(connection, counter_id) if counter_id else None
        return _come_in(connection, settings, provider, vouched, counter, former, wanted)


def _come_in(
    connection: Connection,
    settings: Settings,
    provider: Provider,
    vouched: Vouched,
    counter: Counter | None,
    former: UUID | None,
    wanted: str,
) -> Entered | Waiting:
    bound = bindings.bound_to(connection, provider.provider_id, vouched.subject)
    if not bound:
        return Waiting(provider.name, vouched.called, bindings.ask_to_be_bound(connection, provider, vouched))
    if former is not None:
        sessions.end_these(connection, "session_id = %s", former)
    begun = bindings.begin_session(connection, settings, bound[0], counter)
    return Entered(begun, wanted, len(bound) > 1)


def _not_asked_for(provider: Provider) -> NotVouched:
    return NotVouched(
        sentence(
            "This answer of {provider} was not asked for here, was used already, or came after ten minutes or in another browser. "
            "Begin again.",
            provider=provider.name,
        )
    )


def provider_of_session(engine: Engine, session_id: UUID | None) -> Provider | None:
    """The provider whose word opened a session; None: none did, or it has ended."""
    with transaction(engine, roles.REGISTRAR) as connection:
        code = connection.exec_driver_sql(
            """SELECT p.code FROM session e JOIN sign_in_binding b USING (binding_id) JOIN sign_in_provider p USING (provider_id)
               WHERE e.session_id = %s AND p.ended_at IS NULL""",
            (session_id,),
        ).scalar()
        return find_provider(connection, code) if code is not None else None


def _hash(text: str) -> bytes:
    return sha256(text.encode(errors="replace")).digest()

"""Attempts to sign in: each is counted in the database before it is looked at, for one person from one place, and a person who failed
waits there. Failing in one place never makes anybody wait in another: a prankster locks out himself.

What was typed as a name is not kept: some type their password there.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network
from uuid import UUID

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import Engine

from stockpile.counters import Counter
from stockpile.db.engine import ask, at_once, connected
from stockpile.errors import TooSoon
from stockpile.sentences import sentence

DELAYS = (0, 0, 1, 3, 10, 30, 120, 300, 900)
"""Seconds that a person waits in a place after failing there once, twice, ...; the last for all that follow."""

BRAKES = (RateLimitItemPerMinute(30), RateLimitItemPerHour(300))
"""How often anybody may try from one place, whoever they say they are; a counter is a place of its own, whatever its address."""


@dataclass(frozen=True, slots=True)
class Where:
    """From where somebody tries: the enrolled counter, else the network address."""

    address: str
    counter: Counter | None = None

    @property
    def place(self) -> str:
        """As it is counted. An IPv6 address by its network: one subscriber has all of it."""
        if self.counter is not None:
            return f"counter {self.counter.counter_id}"
        with suppress(ValueError):
            address = ip_address(self.address)
            if address.version == 6 and address.ipv4_mapped is None:
                return f"address {ip_network((address, 64), strict=False)}"
        return f"address {self.address[:64]}"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who somebody says they are: a user's password or a person's PIN, each counted by itself; or a name that nobody has."""

    key: UUID
    user_id: UUID | None = None
    party_id: UUID | None = None
    site_id: UUID | None = None

    @classmethod
    def unknown(cls, name: str) -> Subject:
        """A name that nobody has: so little of its digest is kept that nobody learns it from that."""
        return cls(UUID(bytes=sha256(name.encode(errors="replace")).digest()[:2] + bytes(14)))


class Brake:
    """How many tries come from one place, in this process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, where: Where) -> None:
        """Raises TooSoon where too many came."""
        for limit in BRAKES:
            if not self._limiter.hit(limit, where.place):
                seconds = 60 if limit is BRAKES[0] else 600
                raise TooSoon(
                    sentence("Too many tries from here. Try again in {time}.", time=in_words(seconds)), seconds
                )


def begin_attempt(engine: Engine, subject: Subject, where: Where) -> None:
    """Counts an attempt, as failed until it went well. Raises TooSoon where this person has to wait in this place."""
    site_id = where.counter.site.site_id if where.counter else subject.site_id
    counter_id = where.counter.counter_id if where.counter else None
    with connected(at_once(engine)) as connection:
        ((seconds,),) = ask(
            connection,
            "SELECT sign_in_attempted(%s, %s, %s, %s, %s, %s, %s)",
            (subject.key, where.place, subject.user_id, subject.party_id, site_id, counter_id, list(DELAYS)),
        )
    if seconds > 0:
        raise TooSoon(
            sentence("Too many failures here. Try again in {time}; elsewhere you can sign in.", time=in_words(seconds)),
            seconds,
        )


def went_well(engine: Engine, subject: Subject, where: Where) -> None:
    """The attempt was no failure, and the next begins anew."""
    with connected(at_once(engine)) as connection:
        ask(connection, "SELECT sign_in_went_well(%s, %s)", (subject.key, where.place))


def in_words(seconds: float) -> str:
    """A time to wait as one says it."""
    if seconds < 90:
        whole = max(1, round(seconds))
        return sentence("1 second") if whole == 1 else sentence("{seconds} seconds", seconds=whole)
    return sentence("{minutes} minutes", minutes=round(seconds / 60))

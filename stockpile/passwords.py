"""Passwords and PINs: what one may be, and how it is kept and compared. As argon2id only, which takes much memory on purpose: a
few at once in each process, so that a flood of guesses is turned away instead of taking the machine down.

What was typed is never kept, logged or repeated in an error.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from stockpile.errors import Fault, TooSoon
from stockpile.sentences import sentence

SHORTEST, LONGEST = 10, 200
SHORTEST_PIN, LONGEST_PIN = 6, 12
ONE_TIME_PIN = 8
"""Digits of a PIN that somebody else sets."""

DEMONSTRATION = "nothing-here-is-real"
"""The one password of the demonstration's users; nobody may choose it."""

AT_ONCE = 2
"""Of 46 MiB each, in each process."""
IN_LINE = 6

_running = BoundedSemaphore(AT_ONCE)
_admitted = BoundedSemaphore(AT_ONCE + IN_LINE)
_hasher = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=46 * 1024, parallelism=1),))
"""46 MiB, one pass, one thread: as strong as the other parameters that OWASP's cheat sheet gives, and it takes one of a counter
PC's few cores alone.
"""

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Of one-time codes: no two that look alike."""

USUAL = frozenset(
    {"password", "passw0rd", "letmein", "qwertyuiop", "iloveyou", "administrator", "stockpile", "welcome"}
)
USUAL_PINS = frozenset({"159753", "147258", "147852", "258456", "142536", "246810", "135790", "102030"})


@contextmanager
def _turn() -> Iterator[None]:
    """Waits for one of the few places. Raises TooSoon where the line is long."""
    if not _admitted.acquire(blocking=False):
        raise TooSoon(sentence("Many people sign in at this moment. Try again in a few seconds."), 3)
    try:
        with _running:
            yield
    finally:
        _admitted.release()


def hashed(secret: str) -> str:
    """A password or PIN as it is kept. Raises TooSoon."""
    with _turn():
        return _hasher.hash(_typed(secret))


def matches(secret: str, kept: str | None) -> bool:
    """Whether a password or PIN is the one kept. Where none is kept it is not, and that takes as long to tell. Raises TooSoon."""
    nobodys = _nobodys()
    with _turn():
        try:
            same = _hasher.verify(_typed(secret)[:LONGEST], kept or nobodys)
        except PwdlibError:
            return False
    return same and kept is not None and len(secret) <= LONGEST


@cache
def _nobodys() -> str:
    """What an unknown name's password is compared with."""
    return _hasher.hash(secrets.token_urlsafe())


def _typed(secret: str) -> str:
    """The same characters whatever keyboard composed them."""
    return unicodedata.normalize("NFC", secret)


def digits_of(pin: str) -> str:
    """A PIN in ASCII digits, whichever script's were typed."""
    return "".join(str(unicodedata.digit(character, character)) for character in pin.strip())


def password_faults(password: str, known: Iterable[str], field: str = "password") -> list[Fault]:
    """What speaks against a password; `known` are the words that others know of its user, as the sign-in name."""
    lowered = password.casefold()
    why = None
    if not SHORTEST <= len(password) <= LONGEST:
        why = sentence(
            "{shortest} to {longest} characters: a few words are easiest to keep in mind",
            shortest=SHORTEST,
            longest=LONGEST,
        )
    elif len(set(lowered)) < 5:
        why = sentence("too few different characters: anybody guesses it")
    elif lowered == DEMONSTRATION:
        why = sentence("this is the password of the demonstration: everybody knows it")
    elif any(word and word.casefold() in lowered and len(lowered) - len(word) < SHORTEST // 2 for word in known):
        why = sentence("little more than your own name or number: anybody guesses it")
    elif any(lowered.startswith(word) and len(lowered) - len(word) < SHORTEST // 2 for word in USUAL):
        why = sentence("one of the most used passwords: anybody guesses it")
    return [Fault(why, field=field)] if why else []


def pin_faults(pin: str, known: Iterable[str] = (), field: str = "pin") -> list[Fault]:
    """What speaks against a PIN; `known` are numbers that others know of its person, as the service number."""
    why = None
    if not pin.isascii() or not pin.isdigit() or not SHORTEST_PIN <= len(pin) <= LONGEST_PIN:
        why = sentence("{shortest_pin} to {longest_pin} digits", shortest_pin=SHORTEST_PIN, longest_pin=LONGEST_PIN)
    elif _is_trivial(pin):
        why = sentence("too easy: no rows, no repetitions")
    elif any(digits in pin for number in known if (digits := _digits_in(number))):
        why = sentence("not your own number")
    return [Fault(why, field=field)] if why else []


def _digits_in(text: str) -> str | None:
    """The digits of a number, if they are many enough to say something."""
    digits = "".join(filter(str.isdigit, text))
    return digits if len(digits) >= SHORTEST_PIN - 1 else None


def _is_trivial(pin: str) -> bool:
    """Rows as 234567, repetitions as 121212 or 123123, pairs as 112233, few digits as 777177."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    repeated = any(pin == (pin[:length] * len(pin))[: len(pin)] for length in (1, 2, 3))
    paired = all(pin[place] == pin[place + 1] for place in range(0, len(pin) - 1, 2))
    return len(steps) == 1 or repeated or paired or len(set(pin)) < 3 or pin in USUAL_PINS


def new_one_time_code() -> str:
    """A code to be typed once, in groups of four: some 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def new_one_time_pin() -> str:
    """A PIN to be typed once."""
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(ONE_TIME_PIN))
        if not pin_faults(pin):
            return pin

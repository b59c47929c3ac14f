"""Bearer tokens: who may speak to the service, in which role and scope, until when. A token's text is shown once, when
it is made; only its SHA-256 is kept, and no list, log or error ever holds the text.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import ask, one_writer
from stockpile.documents import now, printable
from stockpile.errors import Fault, Invalid, NotFound, NotSignedIn
from stockpile.guest_access import need_guest
from stockpile.keys import new_key
from stockpile.ledger import EXCEPTIONS
from stockpile.parties import find_party
from stockpile.reports.keyset import Page, spellings
from stockpile.reports.pages import cursor_of, page_size, read_cursor_as
from stockpile.rights import DESK, DONOR, GUEST, REGISTRAR, ROLES, Actor
from stockpile.sentences import of_the_books, sentence, words_of
from stockpile.sites import Site, find_site

PREFIX = "sp_"
"""Every token begins so, for scanners that look for secrets where none should be."""
BYTES = 32
FORM = re.compile(r"sp_[A-Za-z0-9_-]{43}")

DESK_HOURS = timedelta(hours=12)
"""A shift: how long a desk's token lives unless said otherwise."""
OTHER_DEFAULT = timedelta(days=30)
LONGEST = timedelta(days=90)

PAGE = 100

BOOK = re.compile("[A-Z0-9-]{1,12}")
DESK_BOOK = "B"
REGISTRAR_BOOK = "REG"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as a list shows it: never its text."""

    token_id: UUID
    role: str
    party: str | None
    name: str | None
    site: str | None
    donor: str | None
    book: str | None
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made, with its text: the only time anybody sees it."""

    token: Token
    text: str


_WHOSE = """
SELECT token_id, party_id, role, donor_id, book_code, site_id, code, name, time_zone, custodian_id, declared_open_at
FROM authenticate(%s)
"""


def authenticate(connection: Connection, text: str) -> Actor:
    """Who a token speaks for. The connection needs no database role yet. Raises NotSignedIn for a token that is
    unknown, expired or revoked, without saying which.
    """
    if FORM.fullmatch(text):
        for token_id, party_id, role, donor_id, book_code, *site in ask(connection, _WHOSE, (_hash(text),)):
            actor = Actor(party_id, role, Site(*site) if site[0] else None, donor_id, book_code, token_id)
            return need_guest(connection, actor) if role == GUEST else actor
    raise NotSignedIn(sentence("This token is unknown, expired or revoked. Ask a registrar for a new one."))


def create_token(
    connection: Connection,
    role: str,
    label: str,
    party: str | None = None,
    site: str | None = None,
    donor: str | None = None,
    book: str | None = None,
    lives: timedelta | None = None,
) -> NewToken:
    """Makes a token, as the registrar role. `party` is the service number of the person it belongs to; a donor's token
    belongs to the donor. Desk roles are bound to a site and post in `book`, their counter's.

    Raises Invalid naming each field that is missing, unknown or out of place.
    """
    if role not in ROLES:
        raise Invalid(
            sentence("The token was not made."),
            [Fault(sentence("one of {roles}", roles=", ".join(ROLES)), field="role", value=role)],
        )
    faults = _misplaced(role, party, site, donor, book)
    lives = lives or (DESK_HOURS if role in DESK else OTHER_DEFAULT)
    if not timedelta(minutes=1) <= lives <= LONGEST:
        faults.append(
            Fault(sentence("between a minute and {days} days", days=LONGEST.days), field="lives", value=str(lives))
        )
    donor_id = _found(connection, "donor", donor, "donor", faults) if role == DONOR else None
    party_id = donor_id if role == DONOR else _found(connection, "person", party, "party", faults)
    site_id = _found_site(connection, site, faults) if role in DESK else None
    label = _checked_label(label, faults)
    _check_no_devices_book(connection, site_id, book, faults)
    if faults:
        raise Invalid(sentence("The token was not made."), faults)
    if role in DESK or role == REGISTRAR:
        book = book or (DESK_BOOK if role in DESK else REGISTRAR_BOOK)
    kept = keep_token(connection, role, party_id, site_id, donor_id, book, label, lives)
    return NewToken(read_token(connection, kept.token_id), kept.text)


@dataclass(frozen=True, slots=True)
class Kept:
    """A token just kept, with its text."""

    token_id: UUID
    text: str
    expires_at: datetime


def keep_token(
    connection: Connection,
    role: str,
    party_id: UUID | None,
    site_id: UUID | None,
    donor_id: UUID | None,
    book: str | None,
    label: str,
    lives: timedelta,
    once: bool = False,
    guest_id: UUID | None = None,
) -> Kept:
    """Keeps a token for somebody who was judged before, as the registrar role. `once`: for one request. `guest_id`: of a guest."""
    text = PREFIX + secrets.token_urlsafe(BYTES)
    token_id, made_at = new_key(), now()
    connection.exec_driver_sql(
        """INSERT INTO token (token_id, secret_hash, party_id, role, site_id, donor_id, book_code, label,
                              created_at, expires_at, once, guest_id)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            token_id,
            _hash(text),
            party_id,
            role,
            site_id,
            donor_id,
            book,
            label,
            made_at,
            made_at + lives,
            once,
            guest_id,
        ),
    )
    return Kept(token_id, text, made_at + lives)


_SELECT = """
SELECT t.token_id, t.role, p.code, p.name, s.code, d.code, t.book_code, t.label,
       t.created_at, t.expires_at, t.revoked_at
FROM token t
JOIN party p ON p.party_id = t.party_id
LEFT JOIN site s ON s.site_id = t.site_id
LEFT JOIN party d ON d.party_id = t.donor_id
"""


def read_token(connection: Connection, token_id: UUID) -> Token:
    """A token by its key; NotFound if there is none."""
    row = connection.exec_driver_sql(f"{_SELECT} WHERE t.token_id = %s", (token_id,)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no token {token_id}.", token_id=token_id))
    return Token(*row)


def search_tokens(
    connection: Connection, alive: bool = False, text: str | None = None, limit: int = PAGE, cursor: str | None = None
) -> Page[Token]:
    """Tokens, the newest first: with a part of label, bearer or donor; `alive` leaves out the expired and revoked.

    Raises Invalid (limit, cursor).
    """
    conditions, values = ["true"], list[Any]()
    if alive:
        conditions.append("t.revoked_at IS NULL AND t.expires_at > clock_timestamp()")
    if patterns := spellings(text):
        conditions.append("concat_ws(' ', t.label, t.role, p.code, p.name, s.code, d.code) ILIKE ANY (%s)")
        values.append(patterns)
    if cursor:
        conditions.append("t.token_id < %s")
        values += read_cursor_as(cursor, UUID)
    rows = connection.exec_driver_sql(
        f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY t.token_id DESC LIMIT %s", (*values, page_size(limit) + 1)
    ).all()
    found = tuple(Token(*row) for row in rows[:limit])
    return Page(found, cursor_of(str(found[-1].token_id)) if len(rows) > limit else None)


def revoke_token(connection: Connection, token_id: UUID) -> Token:
    """Ends a token now, as the registrar role; one that is revoked already stays so. Raises NotFound."""
    connection.exec_driver_sql(
        "UPDATE token SET revoked_at = %s WHERE token_id = %s AND revoked_at IS NULL", (now(), token_id)
    )
    return read_token(connection, token_id)


def _misplaced(role: str, party: str | None, site: str | None, donor: str | None, book: str | None) -> list[Fault]:
    """What a role needs and what is not for it."""
    faults = []
    for field, given, wanted in (
        ("party", party, role != DONOR),
        ("site", site, role in DESK),
        ("donor", donor, role == DONOR),
    ):
        if wanted and given is None:
            faults.append(Fault(sentence("a {role}'s token needs it", role=of_the_books(role)), field=field))
        elif given is not None and not wanted:
            faults.append(
                Fault(sentence("a {role}'s token has none", role=of_the_books(role)), field=field, value=given)
            )
    if book is not None and not BOOK.fullmatch(book):
        faults.append(Fault(sentence("1 to 12 capital letters, digits or dashes"), field="book", value=book))
    elif book is not None and role not in DESK and role != REGISTRAR:
        faults.append(Fault(sentence("a {role} writes in no book", role=of_the_books(role)), field="book", value=book))
    elif book == EXCEPTIONS:
        faults.append(
            Fault(sentence("this is every site's exceptions book: take another code"), field="book", value=book)
        )
    return faults


def _found(connection: Connection, kind: str, code: str | None, field: str, faults: list[Fault]) -> UUID | None:
    """The party of a code; a fault if a code is given that nobody has."""
    party = find_party(connection, kind, code) if code is not None else None
    if code is not None and party is None:
        faults.append(
            Fault(sentence("there is no {kind} with this code", kind=of_the_books(kind)), field=field, value=code)
        )
    return party.party_id if party else None


def _found_site(connection: Connection, code: str | None, faults: list[Fault]) -> UUID | None:
    try:
        return find_site(connection, code).site_id if code is not None else None
    except NotFound as problem:
        faults.append(Fault(problem.detail, field="site", value=code))
        return None


def _check_no_devices_book(connection: Connection, site_id: UUID | None, book: str | None, faults: list[Fault]) -> None:
    """A counter that numbered in a device's book would meet the numbers that the device gave out."""
    one_writer(connection)
    if connection.exec_driver_sql(
        "SELECT 1 FROM device WHERE site_id = %s AND book_code = %s", (site_id, book)
    ).first():
        faults.append(Fault(sentence("this is the book of a device: take another code"), field="book", value=book))


def _checked_label(label: str, faults: list[Fault]) -> str:
    label = label.strip()
    try:
        printable(label)
    except ValueError as problem:
        faults.append(Fault(words_of(problem), field="label"))
    if not 1 <= len(label) <= 100:
        faults.append(Fault(sentence("1 to 100 characters: what the token is for"), field="label"))
    return label


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()

"""Counters: browsers at a site's desk that a commander or registrar enrolled. Only there people sign in by badge and PIN, and who
signs in there posts in the counter's book. The browser keeps a secret, of which only the SHA-256 is kept here.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import ask, one_writer
from stockpile.documents import now, printable
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound
from stockpile.keys import new_key
from stockpile.ledger import EXCEPTIONS
from stockpile.rights import ENROL_COUNTERS, Actor, require
from stockpile.sentences import of_the_books, sentence, words_of
from stockpile.sites import Site, find_site
from stockpile.tokens import BOOK, DESK_BOOK, REGISTRAR_BOOK

PREFIX = "spc_"
FORM = re.compile(r"spc_[A-Za-z0-9_-]{43}")
LONGEST_LABEL = 100

RESERVED = {
    EXCEPTIONS: "this is every site's exceptions book",
    REGISTRAR_BOOK: "this is the registrars' book",
    DESK_BOOK: "this is the book of whoever signs in away from a counter",
}


@dataclass(frozen=True, slots=True)
class Counter:
    """An enrolled counter, not revoked."""

    counter_id: UUID
    label: str
    book_code: str
    site: Site


@dataclass(frozen=True, slots=True)
class NewCounter:
    """A counter just enrolled, with what its browser has to keep: the only time that anybody sees it."""

    counter_id: UUID
    text: str


_WHICH = """
SELECT counter_id, label, book_code, site_id, code, name, time_zone, custodian_id, declared_open_at FROM counter_of(%s)
"""


def which_counter(connection: Connection, text: str | None) -> Counter | None:
    """The counter of what a browser keeps; None: it is no enrolled counter. The connection needs no database role yet."""
    if text is None or not FORM.fullmatch(text):
        return None
    for counter_id, label, book_code, *site in ask(connection, _WHICH, (_hash(text),)):
        return Counter(counter_id, label, book_code, Site(*site))
    return None


def counter_by_id(connection: Connection, counter_id: UUID) -> Counter | None:
    """A counter that is not revoked, as the registrar role."""
    for found_id, label, book_code, *site in connection.exec_driver_sql(
        """SELECT c.counter_id, c.label, c.book_code, s.site_id, s.code, s.name, s.time_zone, s.custodian_id, s.declared_open_at
           FROM counter c JOIN site s USING (site_id) WHERE c.counter_id = %s AND c.revoked_at IS NULL""",
        (counter_id,),
    ):
        return Counter(found_id, label, book_code, Site(*site))
    return None


def enrol(connection: Connection, actor: Actor, label: str, book: str, site: str | None = None) -> NewCounter:
    """Enrols a browser as a counter with a book of its own. Raises NotAllowed, NotFound (site), Invalid naming the field."""
    require(actor, ENROL_COUNTERS)
    at = _site(connection, actor, site)
    faults: list[Fault] = []
    label, book = _checked_label(label, faults), book.strip().upper()
    one_writer(connection)
    faults += _book_faults(connection, at, book)
    if faults:
        raise Invalid(sentence("The counter was not enrolled."), faults)
    text = PREFIX + secrets.token_urlsafe(32)
    counter_id = new_key()
    connection.exec_driver_sql(
        """INSERT INTO counter (counter_id, site_id, book_code, label, secret_hash, enrolled_by, enrolled_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        (counter_id, at.site_id, book, label, _hash(text), actor.party_id, now()),
    )
    return NewCounter(counter_id, text)


def revoke(connection: Connection, actor: Actor, counter_id: UUID) -> None:
    """From now on the browser is no counter, and whoever signed in there is signed out; again changes nothing. Raises NotAllowed,
    NotFound.
    """
    require(actor, ENROL_COUNTERS)
    if not connection.exec_driver_sql("SELECT 1 FROM counter WHERE counter_id = %s", (counter_id,)).first():
        raise NotFound(sentence("There is no counter {counter_id} here.", counter_id=counter_id))
    connection.exec_driver_sql(
        "UPDATE counter SET revoked_at = %s, revoked_by = %s WHERE counter_id = %s AND revoked_at IS NULL",
        (now(), actor.party_id, counter_id),
    )


def _site(connection: Connection, actor: Actor, wanted: str | None) -> Site:
    if actor.site is not None:
        if wanted is not None and wanted.strip().upper() != actor.site_code:
            raise NotAllowed(
                sentence("You enrol counters of {site} only, not of {wanted}.", site=actor.site_code, wanted=wanted)
            )
        return actor.site
    if not wanted or not wanted.strip():
        raise Invalid(
            sentence("Say at which site."), [Fault(sentence("you are bound to no site: name one"), field="site")]
        )
    return find_site(connection, wanted)


def _checked_label(label: str, faults: list[Fault]) -> str:
    label = label.strip()
    try:
        printable(label)
        if not 1 <= len(label) <= LONGEST_LABEL:
            faults.append(
                Fault(
                    sentence("1 to {most} characters, such as 'Counter 1, north gate'", most=LONGEST_LABEL),
                    field="label",
                )
            )
    except ValueError as problem:
        faults.append(Fault(words_of(problem), field="label"))
    return label


def _book_faults(connection: Connection, site: Site, book: str) -> list[Fault]:
    """A counter's book is no device's, no paper's and no other counter's; a revoked counter's goes on in the next one."""
    if not BOOK.fullmatch(book):
        return [Fault(sentence("1 to 12 capital letters, digits or dashes"), field="book", value=book)]
    if book in RESERVED:
        return [Fault(sentence("{reserved}: take another code", reserved=RESERVED[book]), field="book", value=book)]
    other = connection.exec_driver_sql(
        "SELECT label FROM counter WHERE site_id = %s AND book_code = %s AND revoked_at IS NULL", (site.site_id, book)
    ).scalar()
    if other is not None:
        return [
            Fault(
                sentence("{other} posts in it: take another code, or revoke that one", other=other),
                field="book",
                value=book,
            )
        ]
    taken = connection.exec_driver_sql("SELECT book_taken(%s, %s)", (site.site_id, book)).scalar()
    if taken not in (None, "counter"):
        return [
            Fault(
                sentence("a book of kind {kind} has this code: take another", kind=of_the_books(taken)),
                field="book",
                value=book,
            )
        ]
    return []


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()

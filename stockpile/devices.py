"""Devices: which of a site may write vouchers away from the service, under which key and in which book. A device makes its key
itself; only the public half ever comes here. Who takes vouchers in from one: `device_vouchers`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import one_writer
from stockpile.documents import now
from stockpile.errors import Fault, Invalid, NotAllowed, NotFound
from stockpile.keys import new_key
from stockpile.ledger import EXCEPTIONS
from stockpile.rights import ENROL, Actor, require
from stockpile.sentences import of_the_books, sentence
from stockpile.sites import Site, find_site
from stockpile.tokens import BOOK, DESK_BOOK, REGISTRAR_BOOK

KEY_BYTES = 32
SIGNATURE_BYTES = 64
"""Of Ed25519 (RFC 8032)."""

RESERVED = frozenset({EXCEPTIONS, DESK_BOOK, REGISTRAR_BOOK})
"""Codes of books that every site may have at any time."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device as the taking of its vouchers needs it."""

    device_id: UUID
    site_id: UUID
    book_code: str
    label: str
    public_key: bytes
    revoked_at: datetime | None


_DEVICE = "SELECT device_id, site_id, book_code, label, public_key, revoked_at FROM device"


def find_device(connection: Connection, device_id: UUID) -> Device:
    """A device in the reader's scope, revoked or not. Raises NotFound."""
    row = connection.exec_driver_sql(f"{_DEVICE} WHERE device_id = %s", (device_id,)).one_or_none()
    if row is None:
        raise NotFound(
            sentence(
                "There is no device {device_id} here. A registrar or the site's commander enrols it.",
                device_id=device_id,
            )
        )
    return Device(row[0], row[1], row[2], row[3], bytes(row[4]), row[5])


def enrol(
    connection: Connection, actor: Actor, book: str, label: str, public_key: str, site: str | None = None
) -> UUID:
    """Enrols a device with the public half of its Ed25519 key in base64, and opens its book. The same again gives the same
    device: an answer may get lost.

    Raises NotAllowed, NotFound (site), Invalid naming what is wrong with the book or the key.
    """
    require(actor, ENROL)
    at = _site(connection, actor, site)
    key = _read_key(public_key)
    one_writer(connection)
    known = connection.exec_driver_sql(
        f"{_DEVICE} WHERE public_key = %s AND site_id = %s AND book_code = %s AND revoked_at IS NULL",
        (key, at.site_id, book),
    ).one_or_none()
    if known is not None:
        return UUID(str(known[0]))
    _check_book(connection, at, book)
    device_id, moment = new_key(), now()
    added = connection.exec_driver_sql(
        """INSERT INTO device (device_id, site_id, book_code, label, public_key, enrolled_by, enrolled_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT ON CONSTRAINT device_public_key_key DO NOTHING""",
        (device_id, at.site_id, book, label, key, actor.party_id, moment),
    )
    if not added.rowcount:
        raise _not_enrolled(
            Fault(sentence("a device has this key already: let the device make a new one"), field="public_key")
        )
    connection.exec_driver_sql(
        """INSERT INTO book (book_id, site_id, code, year, kind, holder)
           VALUES (gen_random_uuid(), %s, %s, %s, 'device', %s)""",
        (at.site_id, book, at.local_year(datetime.now(UTC)), label),
    )
    return device_id


def revoke(connection: Connection, actor: Actor, device_id: UUID) -> None:
    """From now on nobody relies on the device: what still comes from it is kept as fact, with a discrepancy. One that is
    revoked already stays so. Raises NotAllowed, NotFound.
    """
    require(actor, ENROL)
    find_device(connection, device_id)
    connection.exec_driver_sql(
        "UPDATE device SET revoked_at = %s, revoked_by = %s WHERE device_id = %s AND revoked_at IS NULL",
        (now(), actor.party_id, device_id),
    )


def bytes_of(text: str, length: int) -> bytes | None:
    """What a text is in base64 (RFC 4648, with padding), if it is that and of this length."""
    try:
        read = b64decode(text.encode("ascii"), validate=True)
    except (NotBase64, UnicodeEncodeError):
        return None
    return read if len(read) == length and b64encode(read).decode() == text else None


def _site(connection: Connection, actor: Actor, wanted: str | None) -> Site:
    """One's own site, or the one named by who has none."""
    if actor.site is not None:
        if wanted is not None and wanted.strip().upper() != actor.site_code:
            raise NotAllowed(
                sentence("You enrol devices of {site} only, not of {wanted}.", site=actor.site_code, wanted=wanted)
            )
        return actor.site
    if wanted is None:
        raise Invalid(
            sentence("Say at which site."), [Fault(sentence("you are bound to no site: name one"), field="site")]
        )
    return find_site(connection, wanted)


def _read_key(public_key: str) -> bytes:
    key = bytes_of(public_key.strip(), KEY_BYTES)
    if key is None:
        raise _not_enrolled(
            Fault(
                sentence("not an Ed25519 public key: 32 bytes in base64, with padding"),
                field="public_key",
                value=public_key,
            )
        )
    return key


def _check_book(connection: Connection, site: Site, book: str) -> None:
    """A device's book is its own. Raises Invalid."""
    if not BOOK.fullmatch(book):
        raise _not_enrolled(Fault(sentence("1 to 12 capital letters, digits or dashes"), field="book", value=book))
    holder = sentence("every counter") if book in RESERVED else None
    if holder is None:
        taken = connection.exec_driver_sql("SELECT book_taken(%s, %s)", (site.site_id, book)).scalar()
        if taken is not None:
            kind = of_the_books(taken)
            holder = sentence("another device") if taken == "device" else sentence("a book of kind {kind}", kind=kind)
    if holder is not None:
        raise _not_enrolled(
            Fault(sentence("{holder} has this code: take another", holder=holder), field="book", value=book)
        )


def _not_enrolled(fault: Fault) -> Invalid:
    return Invalid(sentence("The device was not enrolled."), [fault])

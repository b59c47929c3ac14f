"""Providers that vouch for people: whoever administers the machine adds them, each for the people of one scope, the host's or one
donor's. A provider's client secret is a file in the data folder, readable by its owner alone; nothing of it is in the database.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Connection

from stockpile.db.engine import one_writer
from stockpile.documents import now, printable
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.keys import new_key
from stockpile.parties import find_party
from stockpile.sentences import sentence, words_of
from stockpile.sessions import end_these

FOLDER = "sign-in"
CODE = re.compile("[a-z0-9-]{1,20}")
LONGEST_NAME, LONGEST_ADDRESS, LONGEST_CLIENT, LONGEST_SECRET = 60, 500, 255, 4096
VALUE = re.compile(r"[\x21-\x7e]{1,100}")
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that has not ended. `acr`, `amr`: what its tokens must say of how somebody signed in there."""

    provider_id: UUID
    code: str
    name: str
    issuer: str
    client_id: str
    donor_id: UUID | None
    acr: tuple[str, ...]
    amr: tuple[str, ...]


_SELECT = (
    "SELECT provider_id, code, name, issuer, client_id, donor_id, acr, amr FROM sign_in_provider WHERE ended_at IS NULL"
)


def offered(connection: Connection) -> list[Provider]:
    """The providers by which one can sign in, by name; as the registrar role."""
    return [_provider(row) for row in connection.exec_driver_sql(f"{_SELECT} ORDER BY name, code")]


def find_provider(connection: Connection, code: str) -> Provider:
    """The provider of a code, as the registrar role. Raises NotFound."""
    row = None
    if CODE.fullmatch(code):
        row = connection.exec_driver_sql(f"{_SELECT} AND code = %s", (code,)).one_or_none()
    if row is None:
        raise NotFound(sentence("Nobody signs in here by {code!r}.", code=code))
    return _provider(row)


def _provider(row: Sequence[Any]) -> Provider:
    provider_id, code, name, issuer, client_id, donor_id, acr, amr = row
    return Provider(
        provider_id, code, name, issuer, client_id, donor_id, tuple((acr or "").split()), tuple((amr or "").split())
    )


def add_provider(
    connection: Connection,
    code: str,
    name: str,
    issuer: str,
    client_id: str,
    donor: str | None = None,
    acr: Sequence[str] = (),
    amr: Sequence[str] = (),
) -> Provider:
    """Adds a provider, as the registrar role. Raises Invalid naming each field that is wrong."""
    faults = [
        *_code_faults(code),
        *_text_faults("name", name, LONGEST_NAME),
        *_text_faults("client_id", client_id, LONGEST_CLIENT),
    ]
    if not safe_address(issuer):
        faults.append(
            Fault(
                sentence("the issuer's address as it names itself, such as https://login.ministry.example"),
                field="issuer",
                value=issuer,
            )
        )
    for field, values in (("acr", acr), ("amr", amr)):
        faults += [
            Fault(sentence("1 to 100 characters without blanks"), field=field, value=value)
            for value in values
            if not VALUE.fullmatch(value)
        ]
    found = find_party(connection, "donor", donor) if donor is not None else None
    if donor is not None and found is None:
        faults.append(Fault(sentence("there is no donor with this code"), field="donor", value=donor))
    one_writer(connection)
    if not faults and connection.exec_driver_sql("SELECT 1 FROM sign_in_provider WHERE code = %s", (code,)).first():
        faults.append(Fault(sentence("there is or was a provider of this code"), field="code", value=code))
    if faults:
        raise Invalid(sentence("The provider was not added."), faults)
    connection.exec_driver_sql(
        """INSERT INTO sign_in_provider (provider_id, code, name, issuer, client_id, donor_id, acr, amr, added_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            new_key(), code, name.strip(), issuer, client_id.strip(), found.party_id if found else None,
            " ".join(acr) or None, " ".join(amr) or None, now(),
        ),
    )  # fmt: skip
    return find_provider(connection, code)


def end_provider(connection: Connection, code: str) -> None:
    """From now on nobody signs in by it, and every session that it opened is over. Raises NotFound."""
    provider = find_provider(connection, code)
    connection.exec_driver_sql(
        "UPDATE sign_in_provider SET ended_at = %s WHERE provider_id = %s", (now(), provider.provider_id)
    )
    connection.exec_driver_sql("DELETE FROM sign_in_request WHERE provider_id = %s", (provider.provider_id,))
    end_these(
        connection,
        "binding_id IN (SELECT b.binding_id FROM sign_in_binding b WHERE b.provider_id = %s)",
        provider.provider_id,
    )


def keep_secret(data: Path, code: str, secret: str) -> None:
    """Keeps the client secret of a provider: whole or not at all, never readable by others meanwhile. Raises Invalid, which never
    holds it.
    """
    if not CODE.fullmatch(code):
        raise Invalid(sentence("The secret was not kept."), _code_faults(code))
    if not 1 <= len(secret) <= LONGEST_SECRET or not secret.isprintable():
        fault = Fault(
            sentence("1 to {most} characters in one line, as the provider gave it", most=LONGEST_SECRET), field="secret"
        )
        raise Invalid(sentence("The secret was not kept."), [fault])
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = folder / f"{code}.secret.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    new.replace(_secret_file(data, code))


def secret_of(data: Path, code: str) -> str | None:
    """The client secret of a provider; None: it was given none, and proves itself by the code's verifier alone (RFC 7636)."""
    try:
        return _secret_file(data, code).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def forget_secret(data: Path, code: str) -> None:
    """Takes a client secret away."""
    _secret_file(data, code).unlink(missing_ok=True)


def _secret_file(data: Path, code: str) -> Path:
    return data / FOLDER / f"{code}.secret"


def safe_address(url: str) -> bool:
    """Whether a provider may have an address: of HTTPS, without user, query and fragment (OpenID Connect Discovery, section 4);
    plain HTTP on this very machine alone.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return (
        len(url) <= LONGEST_ADDRESS
        and url.isascii()
        and url.isprintable()
        and " " not in url
        and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in THIS_MACHINE))
        and bool(parts.hostname)
        and not (parts.username or parts.query or parts.fragment)
    )


def _code_faults(code: str) -> list[Fault]:
    if CODE.fullmatch(code):
        return []
    return [Fault(sentence("1 to 20 small letters, digits or dashes"), field="code", value=code)]


def _text_faults(field: str, text: str, longest: int) -> list[Fault]:
    try:
        printable(text)
    except ValueError as problem:
        return [Fault(words_of(problem), field=field)]
    if not 1 <= len(text.strip()) <= longest:
        return [Fault(sentence("1 to {most} characters", most=longest), field=field, value=text)]
    return []

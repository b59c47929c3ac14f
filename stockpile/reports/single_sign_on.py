"""Who vouches for whom: providers, whose account there is which user here, and who waits to be bound. It only reads; a client secret is
not in the database. For registrars.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.reports.keyset import Page, read_page, spellings
from stockpile.reports.named import named
from stockpile.rights import KEEP_USERS, Actor, require


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider. `donor`: whose people it signs in; none: the host's. `acr`, `amr`: what its word must say of how."""

    code: str
    name: str
    issuer: str
    client_id: str
    donor: str | None
    acr: str | None
    amr: str | None
    added_at: datetime
    ended_at: datetime | None


_PROVIDERS = """
SELECT v.code, v.code, v.name, v.issuer, v.client_id, d.code, v.acr, v.amr, v.added_at, v.ended_at
FROM sign_in_provider v LEFT JOIN party d ON d.party_id = v.donor_id
"""


def search_providers(
    connection: Connection,
    actor: Actor | None = None,
    alive: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[ProviderRow]:
    """Providers by code; `alive` leaves out the ended. `actor` None: who administers the machine. Raises NotAllowed, Invalid (limit,
    cursor).
    """
    _check(actor)
    where = {"(v.ended_at IS NULL) = %s": alive or None}
    return read_page(connection, _PROVIDERS, where, {"v.code": str}, ProviderRow, limit, cursor)


@dataclass(frozen=True, slots=True)
class RequestRow:
    """Somebody for whom a provider vouched and whom nobody has bound. `called`: by the provider, no proof; `code`: what they say."""

    request_id: UUID
    provider: str
    subject: str
    called: str
    code: str
    first_at: datetime
    last_at: datetime


_REQUESTS = """
SELECT r.request_id, r.request_id, v.code, r.subject, r.called, r.code, r.first_at, r.last_at
FROM sign_in_request r JOIN sign_in_provider v ON v.provider_id = r.provider_id
"""


def search_requests(
    connection: Connection, actor: Actor | None = None, limit: int = 100, cursor: str | None = None
) -> Page[RequestRow]:
    """Who waits to be bound, the longest first. Raises NotAllowed, Invalid (limit, cursor)."""
    _check(actor)
    return read_page(connection, _REQUESTS, {}, {"r.request_id": UUID}, RequestRow, limit, cursor)


@dataclass(frozen=True, slots=True)
class BindingRow:
    """That an account at a provider is, or was, a user here. `bound_by` none: whoever administers the machine."""

    binding_id: UUID
    user: str
    person: str
    role: str
    provider: str
    subject: str
    bound_by: str | None
    bound_at: datetime
    unbound_by: str | None
    unbound_at: datetime | None


_BINDINGS = f"""
SELECT b.binding_id, b.binding_id, u.name, {named("p")}, u.role, v.code, b.subject,
       CASE WHEN b.bound_by IS NOT NULL THEN {named("y")} END, b.bound_at, CASE WHEN b.unbound_by IS NOT NULL THEN {named("n")} END,
       b.unbound_at
FROM sign_in_binding b JOIN sign_in_provider v ON v.provider_id = b.provider_id JOIN stockpile.user u ON u.user_id = b.user_id
LEFT JOIN party p ON p.party_id = u.party_id LEFT JOIN party y ON y.party_id = b.bound_by LEFT JOIN party n ON n.party_id = b.unbound_by
"""


def search_bindings(
    connection: Connection,
    actor: Actor | None = None,
    text: str | None = None,
    alive: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[BindingRow]:
    """Bindings, the newest first: with a part of user, person, provider or account; `alive` leaves out the unbound. Raises NotAllowed,
    Invalid (limit, cursor).
    """
    _check(actor)
    where: dict[str, Any] = {
        "concat_ws(' ', u.name, p.code, p.name, v.code, b.subject) ILIKE ANY (%s)": spellings(text),
        "(b.unbound_at IS NULL) = %s": alive or None,
    }
    return read_page(connection, _BINDINGS, where, {"b.binding_id": UUID}, BindingRow, limit, cursor, newest_first=True)


def read_binding(connection: Connection, binding_id: UUID) -> BindingRow:
    """One binding that is there."""
    return BindingRow(*connection.exec_driver_sql(f"{_BINDINGS} WHERE b.binding_id = %s", (binding_id,)).one()[1:])


def _check(actor: Actor | None) -> None:
    if actor is not None:
        require(actor, KEEP_USERS)

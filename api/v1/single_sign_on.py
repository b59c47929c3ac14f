"""Single sign-on for programs of registrars: providers, who waits to be bound, and whose account is which user. Providers are added by
whoever administers the machine (`stockpile provider add`); a client secret is told nowhere.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.answers import answer
from api.dependencies import Asker, Database, Pages
from api.exports import listing
from api.v1.reference import LISTING, WRITING, Form, Text
from stockpile.documents import Code, Words
from stockpile.reports import single_sign_on as reports
from stockpile.reports.keyset import Page
from stockpile.reports.single_sign_on import BindingRow, ProviderRow, RequestRow
from stockpile.rights import KEEP_USERS, reading, require
from stockpile.single_sign_on import bindings

router = APIRouter(tags=["sign-in"])


class NewBinding(Form):
    """Whose account is which user."""

    user: Words = Field(description="The user's sign-in name", examples=["rana"])
    provider: Code | None = Field(None, description="The provider's code", examples=["ministry"])
    subject: Words | None = Field(
        None, description="The provider's key of the account: `sub`", examples=["248289761001"]
    )
    request_id: UUID | None = Field(None, description="Instead of both: somebody who waits to be bound")


@router.get("/sign-in-providers", summary="Providers", response_model=Page[ProviderRow], responses=LISTING)
def list_providers(
    engine: Database,
    actor: Asker,
    pages: Pages,
    alive: Annotated[bool, Query(description="Without the ended")] = False,
) -> Response:
    """By whom people sign in, and whose people those are. For registrars."""
    return listing(
        engine, actor, pages, "sign-in-providers", ProviderRow,
        lambda connection, limit, cursor: reports.search_providers(connection, actor, alive, limit, cursor),
    )  # fmt: skip


@router.get("/sign-in-requests", summary="Who waits to be bound", response_model=Page[RequestRow], responses=LISTING)
def list_requests(engine: Database, actor: Asker, pages: Pages) -> Response:
    """The longest first. What a provider calls them is no proof of who they are: let them say their code. For registrars."""
    return listing(
        engine, actor, pages, "sign-in-requests", RequestRow,
        lambda connection, limit, cursor: reports.search_requests(connection, actor, limit, cursor),
    )  # fmt: skip


@router.post(
    "/sign-in-requests/{request_id}/dismiss", status_code=204, summary="Dismiss one who waits", responses=WRITING
)
def dismiss_request(request_id: UUID, engine: Database, actor: Asker) -> Response:
    """Whoever comes again waits again."""
    require(actor, KEEP_USERS)
    with reading(engine, actor) as connection:
        bindings.dismiss(connection, request_id)
    return Response(status_code=204)


@router.get("/sign-in-bindings", summary="Bound accounts", response_model=Page[BindingRow], responses=LISTING)
def list_bindings(
    engine: Database,
    actor: Asker,
    pages: Pages,
    alive: Annotated[bool, Query(description="Without the unbound")] = False,
    text: Text = None,
) -> Response:
    """The newest first: whose account is which user, by whose decision. For registrars."""
    return listing(
        engine, actor, pages, "sign-in-bindings", BindingRow,
        lambda connection, limit, cursor: reports.search_bindings(connection, actor, text, alive, limit, cursor),
    )  # fmt: skip


@router.post(
    "/sign-in-bindings", status_code=201, summary="Bind an account", response_model=BindingRow, responses=WRITING
)
def bind_account(body: NewBinding, engine: Database, actor: Asker) -> Response:
    """From now on the account at the provider signs this user in. A donor's provider signs in that donor's people alone."""
    require(actor, KEEP_USERS)
    with reading(engine, actor) as connection:
        if body.request_id is not None:
            made = bindings.bind_request(connection, body.request_id, body.user, actor.party_id)
        else:
            made = bindings.bind(connection, body.provider or "", body.subject or "", body.user, actor.party_id)
        return answer(reports.read_binding(connection, made), 201)


@router.post(
    "/sign-in-bindings/{binding_id}/end", summary="Unbind an account", response_model=BindingRow, responses=WRITING
)
def unbind_account(binding_id: UUID, engine: Database, actor: Asker) -> Response:
    """The account signs this user in no more, and every session that it opened is over."""
    require(actor, KEEP_USERS)
    with reading(engine, actor) as connection:
        bindings.unbind(connection, binding_id, actor.party_id)
        return answer(reports.read_binding(connection, binding_id))

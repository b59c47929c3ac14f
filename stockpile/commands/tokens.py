"""Tokens, by whoever administers the machine."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from stockpile import tokens
from stockpile.commands.asking import administering, every_row
from stockpile.commands.shown import new_group, out, show_table

token = new_group("Tokens: who may speak to the service, in which role, until when.")


@token.command("create")
def create_token(
    role: Annotated[str, typer.Argument(help="clerk, armourer, commander, registrar, auditor or donor")],
    label: Annotated[str, typer.Option(help="What it is for")],
    party: Annotated[str | None, typer.Option(help="Service number of the person it belongs to")] = None,
    site: Annotated[str | None, typer.Option(help="Site of a desk's token")] = None,
    donor: Annotated[str | None, typer.Option(help="Code of the donor, for a donor's token")] = None,
    book: Annotated[str | None, typer.Option(help="The counter's book")] = None,
    hours: Annotated[int | None, typer.Option(help="How long it lives", min=1)] = None,
) -> None:
    """Make a token; it is shown this once."""
    lives = timedelta(hours=hours) if hours else None
    with administering() as connection:
        made = tokens.create_token(connection, role, label, party, site, donor, book, lives)
    out.print(made.text, markup=False)


@token.command("list")
def list_tokens(
    text: Annotated[str | None, typer.Argument(help="Part of label, bearer, site or donor")] = None,
    alive: Annotated[bool, typer.Option(help="Without the expired and revoked")] = False,
) -> None:
    """List tokens, the newest first; never their text."""
    with administering() as connection:
        found = list(every_row(lambda cursor: tokens.search_tokens(connection, alive, text, cursor=cursor)))
    show_table(
        ("token", "role", "party", "site", "book", "label", "expires", "revoked"),
        ((t.token_id, t.role, t.party, t.site, t.book, t.label, t.expires_at, t.revoked_at) for t in found),
        "There are no tokens.",
    )


@token.command("revoke")
def revoke_token(token_id: UUID) -> None:
    """End a token now."""
    with administering() as connection:
        revoked = tokens.revoke_token(connection, token_id)
    out.print(f"{revoked.label}: revoked.", markup=False)

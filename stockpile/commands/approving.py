"""The second party's part: which drafts wait at a site, and approving one, under one's own token."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from stockpile import drafts
from stockpile.acts import ACTS, perform
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.shown import out, show_posted, show_table, text
from stockpile.reports.export import every_row

SiteCode = Annotated[str | None, typer.Option("--site", help="Site code, for who is bound to none")]


def show_drafts(site: SiteCode = None, token: Token = None) -> None:
    """Show what waits for a second person."""
    with reading_as(token) as (connection, actor):
        waiting = list(every_row(lambda limit, cursor: drafts.waiting(connection, actor, site, limit, cursor)))
    show_table(
        ("draft", "act", "asked for by", "at"),
        ((draft.document_id, draft.act, draft.drafted_by, draft.drafted_at) for draft in waiting),
        "Nothing waits.",
    )


def show_draft(draft: UUID, site: SiteCode = None, token: Token = None) -> None:
    """Show what another person asked for, before approving it."""
    with acting(token) as (engine, actor):
        found = drafts.read(engine, actor, draft, site)
    out.print(f"{found.act}, asked for by {found.drafted_by}, {text(found.drafted_at)}", markup=False)
    said = {name: value for name, value in found.request.items() if value not in (None, [], (), "", False)}
    out.print_json(data={name: value for name, value in said.items() if name != "document_id"}, default=str)
    if found.outcome:
        out.print(
            f"{found.outcome}, {text(found.settled_at)}{f': {found.reason}' if found.reason else ''}", markup=False
        )


def reject(
    draft: UUID,
    reason: Annotated[str, typer.Option(help="Why not")],
    site: SiteCode = None,
    token: Token = None,
) -> None:
    """Refuse what another person asked for, or take back what one asked for oneself."""
    with acting(token) as (engine, actor):
        perform.reject(engine, actor, draft, reason, site)
        found = drafts.read(engine, actor, draft, site)
    out.print(f"Draft {draft} is {found.outcome}. Nothing was posted.", markup=False)


def approve(draft: UUID, site: SiteCode = None, token: Token = None) -> None:
    """Approve what another person asked for."""
    with acting(token) as (engine, actor):
        posted = perform.approve(engine, actor, ACTS, draft, site)
    show_posted(posted)

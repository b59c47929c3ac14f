"""The second party's part: which drafts wait at a site, and approving one, under one's own token."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from stockpile import drafts
from stockpile.acts import ACTS, perform
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.shown import show_posted, show_table
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


def approve(draft: UUID, site: SiteCode = None, token: Token = None) -> None:
    """Approve what another person asked for."""
    with acting(token) as (engine, actor):
        posted = perform.approve(engine, actor, ACTS, draft, site)
    show_posted(posted)

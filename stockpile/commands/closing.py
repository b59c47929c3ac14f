"""Closing discrepancies at the command line: one person says which document explains them, another agrees."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from stockpile import closures
from stockpile.closures import AskClosure, AssignDiscrepancies, Closure
from stockpile.commands.approving import SiteCode
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.shown import counted, new_group, out, show_table
from stockpile.reports.export import every_row

closure = new_group("Close discrepancies by the document that explains them; it takes two people.")

Discrepancies = Annotated[
    list[UUID], typer.Argument(metavar="DISCREPANCY...", help="As 'stockpile discrepancies' shows")
]


@closure.command("ask")
def ask_closure(
    discrepancies: Discrepancies,
    document: Annotated[str, typer.Option(help="The document that explains them, e.g. TAJI/B/2026/41")],
    explanation: Annotated[str, typer.Option(help="How it explains them")],
    site: SiteCode = None,
    token: Token = None,
) -> None:
    """Say which document explains discrepancies, and how."""
    request = AskClosure(site=site, discrepancies=tuple(discrepancies), explained_by=document, explanation=explanation)
    with acting(token) as (engine, actor):
        asked = closures.ask(engine, actor, request)
    out.print(f"Waiting for a second person: closure {asked.closure_id}.", markup=False)


@closure.command("list")
def list_closures(site: SiteCode = None, token: Token = None) -> None:
    """Show the closures that wait for a second person."""
    with reading_as(token) as (connection, actor):
        waiting = list(
            every_row(lambda limit, cursor: closures.list_closures(connection, actor, site, True, limit, cursor))
        )
    show_table(
        ("closure", "discrepancies", "explained by", "explanation", "asked for by"),
        (
            (one.closure_id, len(one.discrepancies), one.document_number, one.explanation, one.proposed_by)
            for one in waiting
        ),
        "Nothing waits.",
    )


@closure.command("approve")
def approve_closure(closure_id: UUID, site: SiteCode = None, token: Token = None) -> None:
    """Agree to what another person asked for: the discrepancies are closed."""
    with acting(token) as (engine, actor):
        _told(closures.approve(engine, actor, closure_id, site), "closed")


@closure.command("reject")
def reject_closure(
    closure_id: UUID,
    reason: Annotated[str, typer.Option(help="Why not")],
    site: SiteCode = None,
    token: Token = None,
) -> None:
    """Refuse a closure, or take one's own back: the discrepancies stay open."""
    with acting(token) as (engine, actor):
        _told(closures.refuse(engine, actor, closure_id, reason, site), "left open")


@closure.command("assign")
def assign(
    discrepancies: Discrepancies,
    owner: Annotated[str, typer.Option(help="Service number of who answers for them")],
    due: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Until when; left out: as it is")] = None,
    site: SiteCode = None,
    token: Token = None,
) -> None:
    """Say who answers for discrepancies."""
    asked = {"site": site, "discrepancies": discrepancies, "owner": owner, "due_on": due}
    with acting(token) as (engine, actor):
        number = closures.assign(engine, actor, AssignDiscrepancies.model_validate(asked))
    out.print(f"{counted(number, 'discrepancy', 'discrepancies')} assigned to {owner}.", markup=False)


def _told(settled: Closure, what: str) -> None:
    number = counted(len(settled.discrepancies), "discrepancy", "discrepancies")
    out.print(f"{number} {what}: {settled.outcome} by {settled.settled_by}.", markup=False)

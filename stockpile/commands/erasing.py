"""The erasure of a person at the command line: the plan, the order of one, the approval of another."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from stockpile import erasure as erasures
from stockpile import erasure_orders as orders
from stockpile.commands.asking import Token, acting, every_row, reading_as
from stockpile.commands.shown import new_group, out, show_table
from stockpile.erasure_plan import Plan

erasure = new_group("Erase a person by order: a registrar asks, another person approves.")

Person = Annotated[str, typer.Argument(help="Service number")]
Order = Annotated[UUID, typer.Argument(metavar="ORDER", help="The id of the order")]


@erasure.command("plan")
def show_plan(person: Person, token: Token = None) -> None:
    """Show what erasing a person would do: what speaks against it, where the name stands, which files may show the person."""
    with acting(token) as (engine, actor):
        _show(orders.plan(engine, actor, person))


def _show(plan: Plan) -> None:
    out.print(f"{plan.person}: names and service number, the account's name, tokens.", markup=False)
    for reason in plan.against:
        at = f" ({reason.where})" if reason.where else ""
        out.print(f"  against it: {reason.weapon}{at}: {reason.reason}", markup=False)
    show_table(
        ("what becomes of it", "place", "words", "where"),
        ((one.fate, one.place, one.text, one.where) for one in plan.words),
        "No other words name this person.",
    )
    show_table(
        ("file", "named by", "times"),
        ((one.sha256, one.named_by, one.times) for one in plan.files),
        "No file belongs to it.",
    )


@erasure.command("order")
def order(
    person: Person,
    reference: Annotated[str, typer.Option("--order", help="The order that demands it, without the name")],
    reason: Annotated[str, typer.Option(help="Why, without the name")],
    redact: Annotated[
        list[str] | None, typer.Option(help="Words that are to go too, by their 'where'; may be repeated")
    ] = None,
    redact_all: Annotated[bool, typer.Option("--redact-all", help="All words that are for decision")] = False,
    file: Annotated[
        list[str] | None, typer.Option("--file", help="SHA-256 of a scan or list that is to go too; may be repeated")
    ] = None,
    token: Token = None,
) -> None:
    """Order that a person be erased. Nothing goes before another person approves it."""
    asked = {
        "person": person, "order_reference": reference, "reason": reason, "redact": redact or (), "redact_all": redact_all,
        "files": file or (),
    }  # fmt: skip
    with acting(token) as (engine, actor):
        ordered = orders.order(engine, actor, orders.OrderErasure.model_validate(asked))
    out.print(f"Order {ordered.erasure_id}: {ordered.state}.", markup=False)


@erasure.command("list")
def list_orders(token: Token = None) -> None:
    """List the orders, the newest first. They name nobody."""
    with reading_as(token) as (connection, actor):
        rows = list(every_row(lambda cursor: orders.list_orders(connection, actor, cursor=cursor)))
    show_table(
        ("order", "reference", "reason", "asked by", "at", "state", "by"),
        (
            (row.erasure_id, row.order_reference, row.reason, row.asked_by, row.asked_at, row.state, row.settled_by)
            for row in rows
        ),
        "Nobody was to be erased.",
    )


@erasure.command("show")
def show(order_id: Order, token: Token = None) -> None:
    """Show an order and, while it waits, what it would do now."""
    with acting(token) as (engine, actor):
        shown = orders.show_order(engine, actor, order_id)
    row = shown.order
    out.print(f"{row.order_reference}: {row.reason}. Asked by {row.asked_by}: {row.state}.", markup=False)
    out.print(f"Words that are to go too: {', '.join(row.redact) or 'none'}.", markup=False)
    out.print(f"Files that are to go too: {', '.join(row.files) or 'none'}.", markup=False)
    if shown.plan is not None:
        _show(shown.plan)


@erasure.command("approve")
def approve(order_id: Order, token: Token = None) -> None:
    """Approve an order of another person. What it names is gone after it, for good."""
    with acting(token) as (engine, actor):
        done = erasures.approve(engine, actor, order_id)
    listed = ", ".join(f"{count} {what}" for what, count in done.erased.items() if count)
    out.print(f"Erased: {listed}.", markup=False)


@erasure.command("reject")
def reject(order_id: Order, token: Token = None) -> None:
    """Say no to an order, or take one's own back."""
    with acting(token) as (engine, actor):
        settled = orders.reject(engine, actor, order_id)
    out.print(f"Order {settled.erasure_id}: {settled.state}.", markup=False)

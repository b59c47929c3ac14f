"""Alerts at the command line: the list, and who is told of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from stockpile.alerts import subscriptions
from stockpile.alerts.subscriptions import EMAIL, FEED, Subscribe
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.shown import new_group, out, show_table
from stockpile.reports.alerts import AlertRow, Sought, list_alerts
from stockpile.reports.export import every_row

alert = new_group("Be told of alerts: by e-mail, or by a web feed.")


def show_alerts(
    kind: Annotated[str | None, typer.Option(help="Of one kind, e.g. 'missing or lost'")] = None,
    site: Annotated[str | None, typer.Option(help="Of one site")] = None,
    text: Annotated[str | None, typer.Option(help="Part of what it is about")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    csv: Csv = None,
    xlsx: Xlsx = None,
    token: Token = None,
) -> None:
    """Show alerts, the newest first: what somebody should hear of at once."""
    with reading_as(token) as (connection, actor):
        sought = Sought(kind, site, text=text)
        if csv or xlsx:
            every = every_row(lambda limit, cursor: list_alerts(connection, actor, sought, limit, cursor))
            write_report(csv, xlsx, AlertRow, every)
            return
        rows = list_alerts(connection, actor, sought, limit).rows
    show_table(
        ("", "kind", "what happened", "site", "happened", "told first"),
        ((row.number, row.kind, row.sentence, row.site, row.happened_at, row.found_at) for row in rows),
        "There is no alert.",
    )


@alert.command("subscribe")
def subscribe(
    address: Annotated[str | None, typer.Option(help="Of e-mail; left out: a web feed")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind; several times for several")] = None,
    language: Annotated[str, typer.Option(help="In which it is told")] = "en",
    full_text: Annotated[bool, typer.Option("--full-text", help="Say what happened, where and how much")] = False,
    token: Token = None,
) -> None:
    """Be told of alerts; of a web feed the secret is shown this once."""
    wanted = {"way": EMAIL if address else FEED, "address": address, "kinds": tuple(kind or ()), "language": language}
    with acting(token) as (engine, actor):
        request = Subscribe.model_validate({**wanted, "full_text": full_text})
        made = subscriptions.subscribe(engine, actor, request)
    out.print(f"{made.subscription_id}: subscribed.", markup=False)
    if made.secret:
        out.print(f"The secret of the feed /alerts.atom, its password with any name: {made.secret}", markup=False)


@alert.command("subscriptions")
def show_subscriptions(
    everybodys: Annotated[bool, typer.Option("--all", help="Everybody's: for a registrar")] = False,
    token: Token = None,
) -> None:
    """Show who is told, and what became of the last e-mail."""
    with reading_as(token) as (connection, actor):
        rows = list(
            every_row(
                lambda limit, cursor: subscriptions.list_subscriptions(connection, actor, everybodys, limit, cursor)
            )
        )
    show_table(
        ("subscription", "way", "address", "role", "kinds", "state", "last e-mail", "", "what was in the way"),
        (
            (row.subscription_id, row.way, row.address, row.role, ", ".join(row.kinds) or "all", row.state, row.last_mail,
             row.last_mail_at, row.words)
            for row in rows
        ),
        "There are no subscriptions.",
    )  # fmt: skip


@alert.command("end")
def end(subscription_id: UUID, token: Token = None) -> None:
    """Be told no more; a registrar ends anybody's."""
    with acting(token) as (engine, actor):
        subscriptions.end_subscription(engine, actor, subscription_id)
    out.print("Ended.")


@alert.command("test")
def send_test(subscription_id: UUID, token: Token = None) -> None:
    """Have a test sent by e-mail."""
    with acting(token) as (engine, actor):
        subscriptions.send_test(engine, actor, subscription_id)
    out.print("A test waits to be sent: 'stockpile alert subscriptions' tells what became of it.")

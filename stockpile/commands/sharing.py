"""Partners at a terminal: share a consignment, take that back, read what others share; as the donor of a token."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from stockpile.commands.asking import Token, acting, every_row, reading_as
from stockpile.commands.shown import new_group, out, show_table
from stockpile.donors.sharing import (
    ShareConsignment,
    WithdrawShare,
    list_shared,
    share_consignment,
    withdraw_share,
    within_share,
)
from stockpile.log.proofs import proof_of
from stockpile.reports.holdings import Sought, every_weapon
from stockpile.rights import reading

Key = Annotated[UUID, typer.Argument(metavar="SHARE", help="Its key, as 'stockpile share list' shows it")]

share = new_group("Consignments that donors share with one another.")


@share.command("with")
def share_with(
    partner: Annotated[str, typer.Argument(help="The other donor's code")],
    reference: Annotated[str, typer.Argument(help="Your number of the consignment")],
    words: Annotated[str, typer.Option(help="What for")],
    token: Token = None,
) -> None:
    """As a donor: let another donor read a consignment."""
    with acting(token) as (engine, actor):
        asked = ShareConsignment.model_validate({"partner": partner, "reference": reference, "words": words})
        done = share_consignment(engine, actor, asked)
    out.print(f"{done.statement_id}: shared. It stands in the log as {done.leaf}", markup=False)


@share.command("withdraw")
def withdraw(key: Key, reason: Annotated[str | None, typer.Option(help="Why")] = None, token: Token = None) -> None:
    """Take a share back. Your shares stand in 'stockpile statement list --kind share'."""
    with acting(token) as (engine, actor):
        withdraw_share(engine, actor, key, WithdrawShare.model_validate({"reason": reason}))
    out.print(f"{key}: taken back.", markup=False)


@share.command("list")
def show_list(token: Token = None) -> None:
    """What other donors share with you."""
    with reading_as(token) as (connection, actor):
        found = list(every_row(lambda cursor: list_shared(connection, actor, cursor=cursor)))
    rows = ((one.share_id, one.donor, one.reference, one.words, one.shared_at) for one in found)
    show_table(("share", "donor", "consignment", "what for", "shared"), rows, "No donor shares a consignment with you.")


@share.command("weapons")
def show_weapons(key: Key, token: Token = None) -> None:
    """What a shared consignment brought, and where each is."""
    with acting(token) as (engine, actor):
        partner = within_share(engine, actor, key).partner
        with reading(engine, partner) as connection:
            found = list(every_weapon(connection, partner, Sought()))
    rows = ((one.item_id, one.model, one.serial_number, one.account_class, one.site, one.quantity) for one in found)
    show_table(("weapon", "model", "serial number", "where", "site", "pieces"), rows, "Nothing of it is in the books.")


@share.command("proof")
def write_proof(
    key: Key,
    weapon: Annotated[UUID, typer.Argument(help="Its key, as 'stockpile share weapons' shows it")],
    to: Annotated[Path, typer.Option("-o", "--output", help="Where to write it")],
    token: Token = None,
) -> None:
    """The proof of a shared weapon's history, to be checked by 'stockpile check-proof'."""
    with acting(token) as (engine, actor):
        to.write_text(proof_of(engine, within_share(engine, actor, key).partner, weapon).encoded(), encoding="utf-8")
    out.print(f"Written to {to}.", markup=False)

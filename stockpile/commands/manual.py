"""The manual's page of movements, written from the table that the checks follow: `stockpile movements`."""

from __future__ import annotations

import typer

from stockpile.acts import ACTS
from stockpile.movements import HELD, MOVEMENTS, AccountClass, Act, Movement
from stockpile.rights import RIGHTS, ROLES

HEAD = """# What may move where

Written by `stockpile movements > docs/movements.md` from the table that drives the checks; don't edit it by hand.

Every weapon is in exactly one account, and its status is the class of that account. An act takes it from one class to
another, under a document. *Two parties*: somebody else approves, under their own sign-in. *Fact*: may also come from
paper or, for what lies on the counter, be posted whatever the books say; what contradicts them opens a discrepancy.

| act | from | to | document | two parties | fact | needs | asked for by |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""

CLASSES = """
## Classes of account

| class | where the weapon is |
| --- | --- |
"""

MEANING = {
    AccountClass.OUTSIDE: "not in the books",
    AccountClass.SUPPLY: "declared by a donor, not arrived",
    AccountClass.TRANSIT: "on its way with a carrier",
    AccountClass.STORE: "in a store of a depot",
    AccountClass.UNIT: "issued to a unit",
    AccountClass.PERSON: "issued to a person",
    AccountClass.MAINTENANCE: "in a workshop",
    AccountClass.MISSING: "reported missing, under investigation",
    AccountClass.LOST: "concluded as lost",
    AccountClass.EXPENDED: "fired, or destroyed in combat",
    AccountClass.DESTROYED: "destroyed under a certificate",
    AccountClass.EXPORTED: "left the country under an authorisation",
}


def movements() -> None:
    """Print the table of acts, as Markdown."""
    typer.echo(movements_page(), nl=False)


def movements_page() -> str:
    """The page as it stands in docs/movements.md."""
    rows = "".join(_row(movement) for movement in MOVEMENTS)
    classes = "".join(f"| {account_class} | {meaning} |\n" for account_class, meaning in MEANING.items())
    return HEAD + rows + CLASSES + classes


def _row(movement: Movement) -> str:
    origin, goal = _classes(movement.from_classes), _classes(movement.to_classes)
    if movement.stays:
        origin = goal = "stays"
    elif movement.act is Act.CORRECT:
        origin, goal = "where it is", "back to where it was"
    elif movement.act is Act.VOID:
        origin = goal = "moves nothing"
    allowed = RIGHTS.get(movement.act, frozenset())
    by = ", ".join(role for role in ROLES if role in allowed) if movement.act in ACTS else ""
    cells = (
        movement.act, origin, goal, movement.paper, "yes" if movement.two_parties else "",
        "yes" if movement.may_be_fact else "", movement.needs, by,
    )  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def _classes(classes: frozenset[AccountClass]) -> str:
    if classes == HELD:
        return "any holding (store, unit, person, maintenance)"
    return ", ".join(each for each in AccountClass if each in classes)

"""The witnesses that the log is sent to, on the side of whoever runs it."""

from __future__ import annotations

from typing import Annotated

import typer

from stockpile.commands.shown import new_group, out, show_table
from stockpile.log import witnesses
from stockpile.settings import read_settings

witness = new_group("The witnesses that each checkpoint goes to.")


@witness.command("add")
def add(
    key: Annotated[str, typer.Argument(help="name+id+base64, as 'stockpile witness init' prints it")],
    url: Annotated[str, typer.Argument(help="Where it listens: https://witness.donor.example")],
) -> None:
    """Send each checkpoint to a witness from now on. A service that runs takes it up by itself."""
    added = witnesses.add_witness(read_settings().signing_folder, key, url)
    out.print(f"Checkpoints go to {added.verifier.name} at {added.url}.", markup=False)


@witness.command("remove")
def remove(name: Annotated[str, typer.Argument(help="The name in its key")]) -> None:
    """Send a witness nothing more. What it cosigned stays."""
    witnesses.remove_witness(read_settings().signing_folder, name)
    out.print(f"Nothing more goes to {name}.", markup=False)


@witness.command("show")
def show() -> None:
    """Show the witnesses. Which of them cosigned the latest checkpoint stands on it: 'stockpile log show'."""
    show_table(
        ("witness", "address", "key"),
        (
            (one.verifier.name, one.url, str(one.verifier))
            for one in witnesses.read_witnesses(read_settings().signing_folder)
        ),
        "Checkpoints go to no witness: 'stockpile log witness add KEY URL'.",
    )

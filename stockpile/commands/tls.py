"""HTTPS for a site without the internet: the authority, the server's certificate, and what devices need to trust it."""

from __future__ import annotations

from typing import Annotated

import typer

from labels.marks import Grid, square
from labels.tags import Code
from stockpile import tls as domain
from stockpile.commands.shown import new_group, out
from stockpile.errors import NotFound
from stockpile.settings import Settings, read_settings

TRUST = "/trust"

tls = new_group("HTTPS with an authority of the site's own.")


@tls.command("init")
def init(
    name: Annotated[
        list[str] | None, typer.Option(help="A host name or address under which devices reach it; may be repeated")
    ] = None,
    organisation: Annotated[str, typer.Option(help="Whose authority it is: shown on devices")] = "Stockpile",
    new_authority: Annotated[
        bool, typer.Option("--new-authority", help="Begin anew: every device must then trust the new one")
    ] = False,
) -> None:
    """Make the authority, and a certificate for the server; again: renew the server's, add names."""
    settings = read_settings()
    made = domain.make_certificates(settings.data, name or (), organisation, domain.now(), new_authority)
    out.print(f"{made.folder}: certificate for {', '.join(made.names)}.", markup=False)
    out.print(f"Valid until {made.server_until:%Y-%m-%d}. Start the service again to use it.", markup=False)
    _show(made, settings)


@tls.command("show")
def show() -> None:
    """Show the fingerprint to compare on devices, and where they get the certificate."""
    settings = read_settings()
    found = domain.find_certificates(settings.data)
    if found is None:
        raise NotFound(f"{settings.data} has no certificates yet: 'stockpile tls init' makes them.")
    out.print(f"Certificate for {', '.join(found.names)}, until {found.server_until:%Y-%m-%d}.", markup=False)
    out.print(f"Authority until {found.authority_until:%Y-%m-%d}.", markup=False)
    _show(found, settings)


def _show(made: domain.Certificates, settings: Settings) -> None:
    pairs = made.fingerprint.split(":")
    out.print("\nSHA-256 of the authority's certificate. Print it; compare it on every device:\n")
    for begin in range(0, len(pairs), 8):
        out.print("  " + " ".join(pairs[begin : begin + 8]), markup=False)
    address = f"http://{made.names[0]}:{settings.http_port}{TRUST}"
    out.print(f"\nOn each device open {address}\n", markup=False)
    out.print(in_blocks(square(Code.QR, address)), markup=False)


def in_blocks(grid: Grid) -> str:
    """A square code for a terminal: two rows of modules a line, dark ones left blank on a light ground."""
    blank = 2
    side = grid.size + 2 * blank
    rows = [[True] * side for _ in range(side + side % 2)]
    for x, y, width, height in grid.rectangles():
        for row in rows[y + blank : y + blank + height]:
            row[x + blank : x + blank + width] = [False] * width
    signs = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
    return "\n".join(
        "".join(signs[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )

"""A witness of one's own, on one's own machine: it needs no books and no settings, only its folder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from stockpile.commands.asking import Token
from stockpile.commands.pinning import base_of, headers_of, nodes_at
from stockpile.commands.shown import counted, errors, new_group, out, show_table
from stockpile.witness import settling
from stockpile.witness import witness as domain
from stockpile.witness.memory import Contradiction
from stockpile.witness.serving import create_witness_app

witness = new_group(
    "A witness of the transparency log, for donors: it cosigns what extends what it saw, and nothing else."
)

Folder = Annotated[Path, typer.Argument(help="The witness's folder, on a machine of your own")]


@witness.command("init")
def init(
    folder: Folder,
    name: Annotated[str, typer.Option(help="The witness's name: an address of yours without https://")],
) -> None:
    """Make a witness: its key, and an empty memory."""
    made = domain.begin(folder, name)
    out.print(
        f"The witness {name}. Its key, to give to the log's operator and to whoever checks proofs:\n", markup=False
    )
    out.print(f"  {made.verifier}", markup=False, soft_wrap=True)
    out.print(
        f"\nNext: 'stockpile witness trust {folder} KEY' with the log's key, then 'stockpile witness serve {folder}'.",
        markup=False,
    )


@witness.command("trust")
def trust(
    folder: Folder,
    key: Annotated[list[str], typer.Argument(help="name+id+base64, as 'stockpile log show' prints it")],
) -> None:
    """Cosign a log's checkpoints from now on. The key is its own; get it by other hands than those of who runs the log."""
    opened = domain.open_witness(folder)
    for one in key:
        out.print(f"Trusted: {opened.trust(one).name}.", markup=False)


@witness.command("serve")
def serve(
    folder: Folder,
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on")] = 8765,
    certificate: Annotated[Path | None, typer.Option(help="For HTTPS: the certificate's file")] = None,
    private_key: Annotated[Path | None, typer.Option(help="For HTTPS: the file of the certificate's key")] = None,
) -> None:
    """Answer to logs, until Ctrl-C."""
    opened = domain.open_witness(folder)
    opened.memory.latest()
    scheme = "https" if certificate else "http"
    out.print(f"The witness {opened.signer.name} listens on {scheme}://{host}:{port}.", markup=False)
    if not opened.trusted():
        errors.print(f"It trusts no log yet: 'stockpile witness trust {folder} KEY'.", markup=False)
    uvicorn.run(
        create_witness_app(opened), host=host, port=port, log_level="warning", access_log=False, server_header=False,
        limit_concurrency=100, ssl_certfile=certificate, ssl_keyfile=str(private_key) if private_key else None,
    )  # fmt: skip


@witness.command("show")
def show(folder: Folder) -> None:
    """Show the key, the latest checkpoint of each log, and first of all what contradicts. Ends with status 1 when something does."""
    opened = domain.open_witness(folder)
    contradictions = opened.memory.contradictions()
    _show_contradictions(contradictions)
    out.print(f"Witness {opened.signer.name}:\n  {opened.verifier}\n", markup=False, soft_wrap=True)
    latest = {seen.origin: seen for seen in opened.memory.latest()}
    origins = sorted({key.name for key in opened.trusted()} | set(latest))
    show_table(
        ("log", "leaves", "cosigned"),
        (
            (name, seen.size if seen else "", _moment(seen.seen_at) if seen else "nothing yet")
            for name in origins
            for seen in [latest.get(name)]
        ),
        "It trusts no log yet.",
    )
    if contradictions:
        raise typer.Exit(1)


@witness.command("settle")
def settle(
    folder: Folder,
    log: Annotated[str, typer.Argument(help="The log's address (https://.../log): its tiles show what it holds")],
    token: Token = None,
) -> None:
    """Look whether what was not shown to extend is part of what was cosigned since. Ends with status 1 when something still contradicts."""
    opened, base, headers = domain.open_witness(folder), base_of(log), headers_of(token)
    doubtful = {one.origin for one in opened.memory.contradictions() if not one.fork}
    if not doubtful:
        out.print("There is nothing to settle.")
    for origin in sorted(doubtful):
        for found, said in settling.settle(opened, origin, lambda size: nodes_at(base, headers, size)):
            out.print(f"{found.origin}, {counted(found.size, 'leaf', 'leaves')}: {said}", markup=False)
    if opened.memory.contradictions():
        raise typer.Exit(1)


def _show_contradictions(contradictions: Sequence[Contradiction]) -> None:
    if any(one.fork for one in contradictions):
        errors.print(
            "THE LOG CONTRADICTS ITSELF. Both notes below are signed by its own key: nobody else can have made them."
        )
        errors.print("Keep this folder, copy the notes, and show them to the log's auditors and to other donors.\n")
    for one in contradictions:
        about = f"{one.origin}, {counted(one.size, 'leaf', 'leaves')}, seen {_moment(one.seen_at):%Y-%m-%d %H:%M}Z"
        if one.fork:
            errors.print(f"FORK: {about}: two different trees of this size.", markup=False)
        else:
            errors.print(
                f"NOT SHOWN TO EXTEND: {about}: the log signed this, and no proof came that it holds the {one.kept_size:,} leaves "
                "cosigned before. Once it cosigned more than this, 'stockpile witness settle' looks whether that holds it.",
                markup=False,
            )
        errors.print(f"\nCosigned before:\n{one.kept_note}\nSent later, and refused:\n{one.note}", markup=False)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

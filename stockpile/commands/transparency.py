"""The transparency log: its keys, what it signed last, a new key, and the new log after a restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stockpile import rights
from stockpile.commands import pinning, watching
from stockpile.commands.asking import Token, acting
from stockpile.commands.reports import one_weapon
from stockpile.commands.shown import counted, new_group, out, show_table
from stockpile.db import ready
from stockpile.errors import Invalid
from stockpile.log import beginning, reading
from stockpile.log.alarms import all_alarms
from stockpile.log.proofs import proof_of
from stockpile.log.signer import KEYS, MEMORY, VERIFIERS, LogSigner
from stockpile.proof.checkpoint import Checkpoint
from stockpile.proof.note import Malformed, Note
from stockpile.settings import read_settings

log = new_group("The transparency log: keys, checkpoints, restores.")
log.command("pin")(pinning.pin)
log.add_typer(watching.witness, name="witness")

Origin = Annotated[
    str, typer.Option(help="The log's name: an address of yours without https://, such as stockpile.mod.example/log")
]


@log.command("init")
def init(origin: Origin) -> None:
    """Begin the log of these books: its first key, and its first leaf."""
    settings = read_settings()
    with ready.opened(settings) as engine:
        signer = beginning.begin_log(engine, settings.signing_folder, origin)
    out.print(f"The log {origin} has begun. Its key, to give to donors, auditors and witnesses:\n", markup=False)
    _print_key(signer.verifier)
    out.print(
        f"\nThe signing key stands in {settings.signing_folder / KEYS}. Keep a copy of it in a safe, away from this machine, and none with "
        f"the backups of the database; after 'stockpile log rotate' another. Of {MEMORY} beside it keep none: it only counts if it is the "
        "last. Where it is lost, 'stockpile log restored' begins a new log.",
        markup=False,
    )


@log.command("show")
def show() -> None:
    """Show the latest checkpoint, the key, and what needs looking into."""
    settings = read_settings()
    with ready.opened(settings) as engine:
        with reading.reading_log(engine) as connection:
            shown = reading.published(connection)
        alarms = all_alarms(engine)
    out.print(shown.note, markup=False)
    if (settings.signing_folder / KEYS).exists():
        out.print("Key:")
        _print_key(LogSigner(settings.signing_folder).verifier)
        out.print("")
    show_table(
        ("raised", "what", "in words"),
        ((alarm.raised_at, alarm.kind, alarm.words) for alarm in alarms),
        "No alarm was ever raised.",
    )


@log.command("rotate")
def rotate() -> None:
    """Make a new key. Checkpoints are signed by it and by the one before, until the next one is made."""
    settings = read_settings()
    with ready.opened(settings) as engine:
        key = beginning.take_over_key(engine, settings.signing_folder)
    out.print("The new key, to give to donors, auditors and witnesses:\n")
    _print_key(key)
    out.print(
        f"\nThe key before signs beside it, so that who knows that one goes on. Both stand in {settings.signing_folder / VERIFIERS}; "
        "what it signed alone is checked with it for ever.",
        markup=False,
    )


@log.command("restored")
def restored(
    origin: Annotated[
        str | None, typer.Option(help="Name of the new log; by default that of the old one, counted on")
    ] = None,
    keys_lost: Annotated[
        bool, typer.Option("--keys-lost", help="No copy of the log's keys is left anywhere: make new ones")
    ] = False,
) -> None:
    """Say that the database was restored from a backup, or that what was signed last is lost: a new log begins, whose first leaf says where
    the old one ended.
    """
    settings = read_settings()
    with ready.opened(settings) as engine:
        told = beginning.begin_after_restore(engine, settings.signing_folder, origin, keys_lost)
    out.print(
        f"The log {told.origin} follows {told.old_origin}, which had signed {told.signed:,} leaves; {told.left:,} of them are in the "
        f"database, {told.signed - told.left:,} are lost.",
        markup=False,
    )
    if beginning.MEMORY in told.lost:
        out.print(
            f"What was signed last is lost: the newest checkpoint in the database, of {told.signed:,} leaves, was taken for the final one. "
            "The new log says so. Ask donors and witnesses whether they hold a later one: then more is lost than is said here.",
            markup=False,
        )
    if beginning.KEYS in told.lost:
        out.print(
            "\nNo key is left that could sign for the new one, and the new log says so. Give the new key to donors, auditors and witnesses "
            "by hand, as the first one, and tell them why. They trust it with --key:\n"
        )
    else:
        out.print("\nThe new log's key, to give to donors, auditors and witnesses; the old key signs beside it:\n")
    _print_key(LogSigner(settings.signing_folder).verifier)


def write_proof(
    scan: Annotated[str, typer.Argument(help="Asset tag, serial number or UII")],
    file: Annotated[Path, typer.Option("-o", "--output", help="Where to write it")],
    pinned: Annotated[
        Path | None, typer.Option(help="A checkpoint that you keep: the log is shown to have grown out of it")
    ] = None,
    token: Token = None,
) -> None:
    """Write the proof of a weapon's history, to be checked without these books: 'stockpile check-proof'."""
    known = [named_checkpoint(pinned)] if pinned is not None else []
    with acting(token) as (engine, actor):
        with rights.reading(engine, actor) as connection:
            item_id = one_weapon(connection, actor, scan)
        bundle = proof_of(engine, actor, item_id, known)
    file.write_text(bundle.encoded(), encoding="utf-8")
    out.print(
        f"{file}: {counted(len(bundle.entries), 'entry', 'entries')} of {bundle.weapon}, each with its place in the log.",
        markup=False,
    )


def named_checkpoint(pinned: Path) -> tuple[str, int]:
    """Name and size of a checkpoint in a file. Raises Invalid."""
    try:
        checkpoint = Checkpoint.parse(Note.parse(pinned.read_bytes()).text)
    except OSError as problem:
        raise Invalid(f"{pinned} can't be read: {problem.strerror}.") from None
    except Malformed as problem:
        raise Invalid(f"{pinned} is no signed checkpoint: {problem}.") from None
    return checkpoint.origin, checkpoint.size


def _print_key(key: str) -> None:
    out.print(f"  {key}", markup=False, soft_wrap=True)

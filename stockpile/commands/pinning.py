"""`stockpile log pin`: on the side of whoever watches the log. It needs no books and no settings."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from stockpile.commands.asking import Token
from stockpile.commands.shown import errors, out
from stockpile.errors import Invalid, UnreadableFile
from stockpile.fetching import Unreachable, check_url, request
from stockpile.proof.merkle import TILE_HEIGHT, TILE_WIDTH, NodeReader, Tile, node_reader
from stockpile.proof.note import LONGEST_NOTE, Malformed
from stockpile.witness import on_paper
from stockpile.witness.pinning import Comparison, Pins, ServedKeys

PATIENCE = 30.0
"""Seconds that the log has for an answer."""


def pin(
    folder: Annotated[Path, typer.Argument(help="Where you keep checkpoints; only added to")],
    checkpoint: Annotated[
        str,
        typer.Argument(
            help="The log's address (https://.../log), or a file: text (-: from the input), picture or PDF of a daily sheet"
        ),
    ],
    key: Annotated[
        list[str] | None, typer.Option(help="Key of the log or of a witness; remembered in the folder")
    ] = None,
    tiles: Annotated[
        str | None, typer.Option(help="With a file: the log's address, to prove that nothing before was altered")
    ] = None,
    latest: Annotated[bool, typer.Option("--latest", help="With a file: it is what the log shows now")] = False,
    token: Token = None,
) -> None:
    """Keep a checkpoint of a log and compare it with those kept before. Ends with status 1 when they contradict one another."""
    online = bool(re.match("https?://", checkpoint))
    address = checkpoint if online else tiles
    base = base_of(address) if address else None
    headers = headers_of(token)
    note = _read(f"{base}/checkpoint", headers).decode("utf-8", "replace") if online else _from_file(Path(checkpoint))
    pins = Pins(folder)
    pins.trust(key or [])
    read_nodes = (lambda size: nodes_at(str(base), headers, size)) if base else None
    done = pins.pin(note, read_nodes, latest or online, _keys(base, headers) if base else None)
    _show(done)
    if done.disagreements:
        raise typer.Exit(1)


def base_of(address: str) -> str:
    """The log's address without what may stand behind it. Raises Invalid."""
    return re.sub("/checkpoint$", "", check_url(address))


def headers_of(token: str | None) -> dict[str, str]:
    """What is sent along with a request to the log."""
    return {"Authorization": f"Bearer {token.strip()}"} if token else {}


def _show(done: Comparison) -> None:
    shown = done.opened.checkpoint
    for line in done.keys:
        out.print(f"{line} It is trusted from now on.", markup=False)
    for number, (words, one, other) in enumerate(done.disagreements):
        errors.print(("" if number else "THE LOG DISAGREES WITH WHAT IT SIGNED.\n\n") + words, markup=False)
        for kept in dict.fromkeys((one.file, other.file)):
            errors.print(f"\n{kept}:\n{kept.read_text(encoding='utf-8')}", markup=False)
    if done.disagreements:
        errors.print("Keep this folder, and show these notes to the log's auditors and to other donors.", markup=False)
        return
    out.print(f"Checkpoint of {shown.origin}, {shown.size:,} leaves, kept in {done.file}.", markup=False)
    for signed in done.opened.witnesses:
        seen = f" at {datetime.fromtimestamp(signed.moment, UTC):%Y-%m-%d %H:%M}Z" if signed.moment is not None else ""
        out.print(f"{signed.verifier.name} signed it too{seen}.", markup=False)
    for line in (*done.shown, *done.open):
        out.print(line, markup=False)


def _keys(base: str, headers: Mapping[str, str]) -> ServedKeys | None:
    """What the log says of its keys; None: it is another's log, which says nothing of them."""
    reply = request("GET", f"{base}/keys", PATIENCE, LONGEST_NOTE, headers=headers)
    try:
        return ServedKeys.parse(reply.content) if reply.status == 200 else None
    except Malformed:
        return None


def nodes_at(base: str, headers: Mapping[str, str], size: int) -> NodeReader:
    """The hashes of a tree from the log's tiles, each fetched once."""

    def tile(level: int, index: int) -> bytes:
        width = min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - index * TILE_WIDTH)
        return _read(f"{base}/tile/{Tile(level, index, width).path}", headers)

    return node_reader(tile)


def _from_file(file: Path) -> str:
    """The note in a file: as text, or by the code on a daily sheet, printed to PDF, scanned or photographed."""
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
            content = opened.read(on_paper.LARGEST + 1)
    except OSError as problem:
        raise UnreadableFile(f"{file} can't be read: {problem.strerror}.") from None
    try:
        return _as_text(content) if not content.startswith(on_paper.PDF) else on_paper.note_on_paper(content)
    except UnicodeDecodeError:
        return on_paper.note_on_paper(content)


def _as_text(content: bytes) -> str:
    """As it is written; pasted, it may have lost its last line feed or have others. Raises UnicodeDecodeError."""
    text = content.decode()
    if len(content) > LONGEST_NOTE:
        raise UnreadableFile("It is too large to be a checkpoint.")
    return text.replace("\r\n", "\n").strip("\n") + "\n"


def _read(url: str, headers: Mapping[str, str]) -> bytes:
    reply = request("GET", url, PATIENCE, LONGEST_NOTE, headers=headers)
    if reply.status in (401, 403):
        raise Invalid(f"{url} takes a token: set STOCKPILE_TOKEN, or give --token.")
    if reply.status != 200:
        raise Unreachable(f"{url} answers with status {reply.status}.")
    return reply.content

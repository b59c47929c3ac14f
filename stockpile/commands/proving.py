"""Proofs, on the side of whoever carries them away: checked without a database, a network or settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from stockpile.commands.shown import out
from stockpile.errors import Invalid, UnreadableFile
from stockpile.proof.bundle import LONGEST
from stockpile.proof.check import Findings, check_text, printable
from stockpile.proof.later import find_later, leaves_of
from stockpile.proof.merkle import ProofFailed
from stockpile.proof.note import Malformed, Verifier
from stockpile.proof.package import BEGINS, check_package
from stockpile.proof.package import LONGEST as LONGEST_PACKAGE

Secret = Annotated[Path | None, typer.Option(help="A file with the item's secret, 64 hexadecimal digits")]


def check_proof(
    file: Annotated[
        Path,
        typer.Argument(help="The proof: a file from 'stockpile proof', the text of its QR code, or an audit package"),
    ],
    key: Annotated[
        list[str], typer.Option(help="name+id+base64 of the log or of a witness, or a file with one a line; repeated")
    ],
    pinned: Annotated[Path | None, typer.Option(help="A checkpoint of the log that you kept earlier")] = None,
    secret_file: Secret = None,
) -> None:
    """Check a weapon's proof, or an audit package, with nothing but the file and the keys. Ends with status 1 when a check fails."""
    keys = [verifier for text in key for verifier in _keys(text)]
    kept = _read(pinned) if pinned else None
    found = _checked(file, keys, kept, secret_file)
    for line in found.lines():
        out.print(line, markup=False)
    if not found.ok:
        raise typer.Exit(1)


def find_entries(
    copy: Annotated[list[Path], typer.Argument(help="Entry bundles of the log (tile/entries/...), in their order")],
    secret_file: Annotated[Path, typer.Option(help="A file with the item's secret, 64 hexadecimal digits")],
    from_version: Annotated[int, typer.Option(min=1, help="The first version to look for")] = 1,
) -> None:
    """Look for an item's entries in a copy of the log, with the item's secret. What is not found may still be elsewhere."""
    secret = _secret(secret_file)
    assert secret is not None
    try:
        found = find_later((leaf for part in copy for leaf in leaves_of(part.read_bytes())), secret, from_version)
    except (OSError, Malformed) as problem:
        raise UnreadableFile(f"The copy of the log can't be read: {_why(problem)}.") from None
    for one in found:
        out.print(f"entry {one.version} at leaf {one.index}", markup=False)
    if not found:
        out.print(f"No entry from version {from_version} on is in this copy. It may be in a later one.", markup=False)


def _checked(file: Path, keys: list[Verifier], kept: str | None, secret_file: Path | None) -> Findings:
    if _is_package(file):
        return check_package(file.read_bytes(), keys, kept)
    return check_text(_read(file), keys, kept, _secret(secret_file))


def _is_package(file: Path) -> bool:
    """Whether it is a ZIP file. Raises UnreadableFile (it is larger than a package may be)."""
    try:
        with file.open("rb") as opened:
            packed = opened.read(len(BEGINS)) == BEGINS
    except OSError:
        return False  # reading it says why
    if packed and file.stat().st_size > LONGEST_PACKAGE:
        raise UnreadableFile(f"{file} is too large to be an audit package.")
    return packed


def _keys(text: str) -> Iterator[Verifier]:
    lines = [text] if "+" in text else _read(Path(text)).splitlines()
    for line in filter(None, map(str.strip, lines)):
        try:
            yield Verifier.parse(line)
        except ProofFailed as problem:
            raise Invalid(f"--key: {printable(str(problem))}.") from None


def _secret(file: Path | None) -> bytes | None:
    if file is None:
        return None
    text = _read(file).strip()
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise Invalid(f"{file}: an item's secret is 64 hexadecimal digits.")
    return bytes.fromhex(text)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > 4 * LONGEST:
            raise UnreadableFile(f"{file} is too large to be a proof.")
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except (OSError, UnicodeDecodeError) as problem:
        raise UnreadableFile(f"{file} can't be read: {_why(problem)}.") from None


def _why(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return problem.strerror or "it is not there"
    return "it is not text in UTF-8" if isinstance(problem, UnicodeDecodeError) else str(problem)

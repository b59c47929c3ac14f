"""An audit package: what a report answered, with its rows, the log's checkpoint and the proofs of the weapons concerned, in one ZIP
file of a fixed layout. Its manifest is signed by the log's key; checked without a database, a network or trust in who made it.

    manifest.json   what was asked, when, and each file with its size and SHA-256
    manifest.note   a signed note over the manifest (C2SP signed-note)
    rows.csv, rows.json, report.html
    checkpoint      of the log, as it was signed
    proofs/1.json   of a weapon, and so on
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any

from .bundle import Growth, growths_of
from .check import NO_PINNED, NO_WITNESS, NOT_THE_TRUTH, Failure, Findings, Shown, check_text, signed_words
from .checkpoint import Checkpoint, Opened, open_checkpoint
from .merkle import ProofFailed, verify_consistency
from .note import Malformed, Note, SignatureFailed, Verifier, base64_text

FORMAT = "stockpile-audit-package@v1"
STATEMENT = "stockpile audit package v1"
"""The first line of what is signed. A checkpoint begins with the log's name, which has no spaces, and goes on with a number: neither
can be taken for the other.
"""
BEGINS = b"PK\x03\x04"
MANIFEST, NOTE, CHECKPOINT, ROWS = "manifest.json", "manifest.note", "checkpoint", "rows.json"
LAYOUT = re.compile(
    r"manifest\.json|manifest\.note|checkpoint|rows\.csv|rows\.json|report\.html|proofs/[1-9][0-9]{0,3}\.json"
)
MOST_FILES = 1_100
LONGEST = 256 << 20
"""Bytes of the package, and of all its files together; a file alone may have a quarter of it."""

ROWS_ALONE = (
    "That the rows are right: they are what the program answered then, signed as such; of a weapon only its own proof shows what the log"
    " holds."
)


def statement(origin: str, manifest: bytes) -> str:
    """What the log's key signs of a package."""
    return f"{STATEMENT}\n{origin}\n{base64_text(sha256(manifest).digest())}\n"


@dataclass
class _Broken(Exception):
    """A check that failed: which, and why."""

    check: str
    why: str


def check_package(packed: bytes, keys: Collection[Verifier], pinned: str | None = None) -> Findings:
    """Every check of a package. `keys` are the log's, and those of known witnesses; `pinned` is a checkpoint that was kept earlier."""
    found = Findings("")
    try:
        _Check(_unpacked(packed), keys, pinned, found).run()
    except _Broken as problem:
        found.failures.append(Failure(found.weapon, "", problem.check, problem.why))
    return found


def _unpacked(packed: bytes) -> dict[str, bytes]:
    """The files of a package, none larger than it says, none outside the layout. Nothing is written to a disk."""
    if len(packed) > LONGEST:
        raise _Broken("the file", f"it is longer than {LONGEST:,} bytes")
    try:
        with zipfile.ZipFile(BytesIO(packed)) as archive:
            listed = archive.infolist()
            if len(listed) > MOST_FILES or sum(one.file_size for one in listed) > LONGEST:
                raise _Broken("the file", "it would unpack to more than a package may hold")
            files: dict[str, bytes] = {}
            for one in listed:
                if not LAYOUT.fullmatch(one.filename) or one.filename in files:
                    raise _Broken("the layout", f"{one.filename[:80]!r} is no file of a package, or stands in it twice")
                if one.flag_bits & 1 or one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise _Broken("the layout", f"{one.filename} is packed in a way that is not read")
                files[one.filename] = _read(archive, one)
    # All that zipfile raises for bytes somebody made up; NotImplementedError for packing that it does not know.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise _Broken("the file", "this is no audit package, or it is damaged") from None
    return files


def _read(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    if one.file_size > LONGEST // 4:
        raise _Broken("the layout", f"{one.filename} is larger than a file of a package may be")
    with archive.open(one) as file:
        content = file.read(one.file_size + 1)
    if len(content) != one.file_size:
        raise _Broken("the layout", f"{one.filename} does not have the size that the archive says")
    return content


@dataclass
class _Check:
    files: dict[str, bytes]
    keys: Collection[Verifier]
    pinned: str | None
    found: Findings
    manifest: dict[str, Any] = field(default_factory=dict)

    def run(self) -> None:
        """Every check in its order; what fails first ends it, but for the files, which are all looked at."""
        self.manifest = _table(self._file(MANIFEST), MANIFEST)
        if self.manifest.get("format") != FORMAT:
            raise _Broken(MANIFEST, f"its format is not {FORMAT}")
        self.found.weapon = str(self.manifest.get("report", ""))
        self._signature()
        self._contents()
        opened = self._checkpoint()
        self._rows()
        self._proofs()
        self.found.proven.extend(signed_words(opened))
        if self.pinned is not None:
            self._grew(self.pinned, opened.checkpoint)
        self.found.until.append(f"checkpoint {opened.checkpoint.size} of the log {opened.checkpoint.origin}")
        asked = self.manifest.get("asked")
        said = [
            (name, str(self.manifest.get(name, ""))) for name in ("report", "question", "read_at", "made_for", "rows")
        ]
        said += [(name, str(value)) for name, value in (asked.items() if isinstance(asked, dict) else ())]
        self.found.shown.insert(0, Shown("The report and its rows are those that the log's key signed.", said))
        self.found.not_proven.extend(self._not_proven(opened))

    def _file(self, name: str) -> bytes:
        if name not in self.files:
            raise _Broken("the layout", f"{name} is missing")
        return self.files[name]

    def _signature(self) -> None:
        """The manifest is the one that was signed, by a key that bears the log's name."""
        origin = str(self.manifest.get("origin", ""))
        try:
            note = Note.parse(self._file(NOTE))
            signed = note.check(self.keys)
        except SignatureFailed as problem:
            raise _Broken("signature", str(problem)) from None
        except Malformed as problem:
            raise _Broken("signature", f"{NOTE} is no signed note: {problem}") from None
        if note.text != statement(origin, self._file(MANIFEST)):
            raise _Broken("signature", f"what was signed is not {MANIFEST}: one of them was changed")
        if not any(one.verifier.name == origin for one in signed):
            raise _Broken("signature", f"it is not signed by a given key of the log {origin}")

    def _contents(self) -> None:
        """Each file is the one of the manifest, and there is no other."""
        listed: dict[str, tuple[int, str]] = {}
        try:
            for one in self.manifest["files"]:
                listed[str(one["name"])] = (int(one["size"]), str(one["sha256"]))
        except (KeyError, TypeError, ValueError):
            raise _Broken(MANIFEST, "its list of files is none") from None
        wrong = []
        for name in sorted({*listed, *self.files} - {MANIFEST, NOTE}):
            if name not in listed:
                wrong.append(f"{name} is not in the manifest")
            elif name not in self.files:
                wrong.append(f"{name} is missing")
            elif (len(self.files[name]), sha256(self.files[name]).hexdigest()) != listed[name]:
                wrong.append(f"{name} is not the one of the manifest: it was changed")
        if wrong:
            raise _Broken("contents", "; ".join(wrong[:5]))

    def _checkpoint(self) -> Opened:
        try:
            opened = open_checkpoint(self._file(CHECKPOINT), self.keys)
        except ProofFailed as problem:
            raise _Broken("checkpoint", str(problem)) from None
        if opened.checkpoint.origin != self.manifest.get("origin"):
            raise _Broken("checkpoint", "it is of another log than the manifest")
        return opened

    def _rows(self) -> None:
        try:
            rows = json.loads(self._file(ROWS))
        except (ValueError, RecursionError):
            raise _Broken("rows", f"{ROWS} is not JSON") from None
        if not isinstance(rows, list) or len(rows) != self.manifest.get("rows"):
            raise _Broken("rows", f"{ROWS} has not so many rows as the manifest says")

    def _proofs(self) -> None:
        """Each proof holds by itself, and its log is the package's."""
        checkpoint = self._file(CHECKPOINT).decode()
        for name in sorted(one for one in self.files if one.startswith("proofs/")):
            try:
                text = self.files[name].decode()
            except UnicodeDecodeError:
                raise _Broken(name, "it is no text in UTF-8") from None
            one = check_text(text, self.keys, checkpoint)
            self.found.failures += [
                Failure(f"{name} {failure.weapon}".strip(), failure.row, failure.check, failure.why)
                for failure in one.failures
            ]
            self.found.shown += [Shown(f"{one.weapon}: {row.title}", row.fields) for row in one.shown]

    def _grew(self, pinned: str, new: Checkpoint) -> None:
        try:
            old = open_checkpoint(pinned, self.keys).checkpoint
        except ProofFailed as problem:
            raise _Broken("earlier checkpoint", str(problem)) from None
        growths: tuple[Growth, ...] = ()
        try:
            growths = growths_of(self.manifest.get("growth", []))
        except Malformed as problem:
            raise _Broken("earlier checkpoint", str(problem)) from None
        hashes = next(
            (one.hashes for one in growths if (one.origin, one.old, one.new) == (old.origin, old.size, new.size)), None
        )
        if old.size == new.size:
            hashes = ()
        if old.origin != new.origin or hashes is None:
            raise _Broken(
                "earlier checkpoint", f"the package was not made for your checkpoint {old.size}: ask for one that is"
            )
        try:
            verify_consistency(old.size, old.root, new.size, new.root, hashes)
        except ProofFailed:
            why = f"the log of checkpoint {new.size} does not hold that of checkpoint {old.size} unchanged"
            raise _Broken("earlier checkpoint", f"{why}: its history was rewritten, or the proof is damaged") from None
        self.found.proven.append(
            f"Nothing in the log {old.origin} was changed or taken out between checkpoint {old.size} and {new.size}."
        )

    def _not_proven(self, opened: Opened) -> Iterator[str]:
        yield ROWS_ALONE
        without = self.manifest.get("without_proof")
        if without:
            yield f"Anything of {without} further weapons that the rows name: the package holds no proof of them."
        if self.pinned is None:
            yield NO_PINNED
        if not opened.witnesses:
            yield NO_WITNESS
        yield NOT_THE_TRUTH


def _table(content: bytes, name: str) -> dict[str, Any]:
    try:
        table = json.loads(content)
    except (ValueError, RecursionError):
        raise _Broken(name, "it is not JSON") from None
    if not isinstance(table, dict):
        raise _Broken(name, "it is no table")
    return table

"""Spreadsheets, XLSX, XLS and ODS: what they are before anything opens them, and their rows.

A file is judged by its content, never its name. An archive is unpacked here once, into nothing, to know its
true size before a reader trusts it; the reading itself happens in `workbook_process.py`.
"""

from __future__ import annotations

import copy
import html
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from stockpile.errors import UnreadableFile
from stockpile.registers.heading_row import Merge, Record, column_index
from stockpile.registers.limits import Limits
from stockpile.sentences import sentence

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
SPREADSHEETS = {"xl/workbook.xml": "XLSX", "xl/workbook.bin": "XLSB", "content.xml": "ODS"}
BLOCK = 1 << 18
SCRIPT = str(Path(__file__).with_name("workbook_process.py"))
ROWS_AT_ONCE = 500
LEAST_SUSPICIOUS = 10_000_000
"""Bytes a member must unpack to before its ratio means anything: small ones of blanks pack very well."""

Errors = dict[tuple[int, int], str]
"""Errors of formulas, #N/A and its like, by row number and column index."""

ERROR_CELL = re.compile(
    rb'<(?:\w+:)?c\s(?P<attributes>[^<>]{0,300}\bt="e"[^<>]{0,300})>(?:(?!</?(?:\w+:)?c[\s>]).)*?'
    rb"<(?:\w+:)?v>(?P<error>#[A-Z0-9/!?_]{1,20})<",
    re.DOTALL,
)
CELL_PLACE = re.compile(rb'\br="(?P<column>[A-Z]{1,3})(?P<row>\d{1,7})"')
LONGEST_CELL = 20_000
LONGEST_PART = 1_000_000

DAMAGED = sentence("The spreadsheet is damaged or was not sent whole. Send it again, or save it again as XLSX or CSV.")
PROTECTED = sentence("The spreadsheet is protected by a password. Save it without one and send it again.")


@dataclass(frozen=True, slots=True)
class OpenSheet:
    """One sheet: where its first column stands, how wide it is, its merged cells."""

    name: str
    first_column: int
    width: int
    merges: tuple[Merge, ...]


def check_archive(file: BinaryIO, limits: Limits) -> tuple[str, dict[str, Errors]]:
    """Which spreadsheet a zip archive is, XLSX, XLSB or ODS; and the errors of formulas by sheet.

    Raises:
        UnreadableFile: damaged, encrypted, no spreadsheet, or unpacks to more than the limits allow.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if any(member.flag_bits & 1 for member in members):
                raise UnreadableFile(PROTECTED)
            check_declared(members, limits)
            errors = check_actual(archive, members, limits)
            kind = kind_of(members)
            return kind, by_sheet(archive, errors) if errors else {}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,  # zipfile raises it for a compression it does not know
        OSError,
        LookupError,
        ValueError,
    ) as error:
        raise UnreadableFile(DAMAGED) from error


def check_declared(members: Sequence[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.members:
        raise bomb(sentence("holds {parts:,} parts", parts=len(members)))
    declared = sum(member.file_size for member in members)
    if declared > limits.unpacked_bytes:
        raise bomb(sentence("unpacks to {declared:,} bytes", declared=declared))


def check_actual(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], limits: Limits) -> dict[str, Errors]:
    """Unpack every member and count: an archive may declare less than it holds. Notes errors in passing."""
    left = limits.unpacked_bytes
    errors: dict[str, Errors] = {}
    for member in members:
        undeclared = copy.copy(member)
        undeclared.file_size = left + 2 * BLOCK
        size, tail = 0, b""
        with archive.open(undeclared) as unpacked:
            while block := unpacked.read(BLOCK):
                size += len(block)
                if size > left:
                    raise bomb(sentence("unpacks to more than {most:,} bytes", most=limits.unpacked_bytes))
                if size > LEAST_SUSPICIOUS and size > limits.pack_ratio * max(member.compress_size, 1):
                    raise bomb(
                        sentence("holds a part packed {times:,} times", times=size // max(member.compress_size, 1))
                    )
                if member.filename.startswith("xl/worksheets/"):
                    found, tail = errors_in(tail + block)
                    errors.setdefault(member.filename, {}).update(found)
        left -= size
    return {part: found for part, found in errors.items() if found}


def errors_in(xml: bytes) -> tuple[Errors, bytes]:
    """The cells in error in a piece of a sheet, and the end of it that may hold half a cell."""
    errors: Errors = {}
    if b't="e"' in xml:
        for cell in ERROR_CELL.finditer(xml):
            place = CELL_PLACE.search(cell["attributes"])
            if place:
                errors[int(place["row"]), column_index(place["column"].decode())] = cell["error"].decode()
    last = max(xml.rfind(b"<c"), len(xml) - LONGEST_CELL)
    return errors, xml[last:]


def by_sheet(archive: zipfile.ZipFile, errors: dict[str, Errors]) -> dict[str, Errors]:
    """The errors by the name of their sheet instead of its part of the archive."""
    targets = {
        relation["Id"]: relation["Target"] for relation in tags(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    }
    named = {}
    for sheet in tags(archive, "xl/workbook.xml", "sheet"):
        target = targets.get(sheet.get("r:id", ""), "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in errors:
            named[sheet["name"]] = errors[part]
    return named


def tags(archive: zipfile.ZipFile, part: str, tag: str) -> Iterator[dict[str, str]]:
    """The attributes of each such tag in a part of the archive."""
    with archive.open(part) as file:
        xml = file.read(LONGEST_PART).decode("utf-8", "replace")
    for found in re.finditer(rf"<(?:\w{{1,9}}:)?{tag}\s([^<>]*)>", xml):
        yield {name: html.unescape(value) for name, value in re.findall(r'\b([\w:]{1,40})="([^"]*)"', found[1])}


def bomb(what: str) -> UnreadableFile:
    return UnreadableFile(
        sentence(
            "The spreadsheet {what}, far more than any list of weapons. If it is a real list, save "
            "it as CSV and send that.",
            what=what,
        )
    )


def kind_of(members: Sequence[zipfile.ZipInfo]) -> str:
    names = {member.filename for member in members}
    for name, kind in SPREADSHEETS.items():
        if name in names:
            return kind
    if "word/document.xml" in names:
        raise UnreadableFile(sentence("This is a Word document. Copy its table into a spreadsheet and send that."))
    raise UnreadableFile(sentence("This is a packed archive. Unpack it and send the list inside."))


def check_ole(file: BinaryIO) -> str:
    """Refuse an XLSX wrapped for a password; anything else in Microsoft's older container may be an XLS."""
    file.seek(0)
    tail = b""
    while block := file.read(BLOCK):
        if ENCRYPTED_PACKAGE in tail + block:
            raise UnreadableFile(PROTECTED)
        tail = block[-len(ENCRYPTED_PACKAGE) :]
    return "XLS"


class Workbook:
    """A spreadsheet being read by a process of its own; close it when done."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._limits = limits
        self._last_row = 0
        self._process = subprocess.Popen(
            [sys.executable, "-P", SCRIPT, str(path), str(limits.memory_bytes), str(limits.seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        try:
            self.sheets: list[tuple[str, bool]] = [(name, shown) for name, shown in self._hear()["sheets"]]
        except UnreadableFile:
            self.close()
            raise

    def open(self, name: str) -> OpenSheet:
        """Go to a sheet; its rows come next."""
        index = [sheet for sheet, _ in self.sheets].index(name)
        said = self._ask({"open": index})
        merges = tuple(Merge(*merge) for merge in said["merges"])
        if said["width"] > self._limits.columns:
            raise UnreadableFile(
                sentence(
                    "The sheet “{name}” is {width:,} columns wide, no list is. Delete what stands far to the "
                    "right and send it again.",
                    name=name,
                    width=said["width"],
                )
            )
        self._last_row = said["last_row"]
        return OpenSheet(name, said["first_column"], said["width"], merges)

    def rows(self) -> Iterator[Record]:
        """The open sheet's rows from the first on, blank ones too, numbered as the spreadsheet shows them."""
        number = 0
        while block := self._ask({"read": ROWS_AT_ONCE}):
            for number, (cells, kinds) in enumerate(block, start=number + 1):  # noqa: B020 - counts on
                yield Record(number, cells, kinds)
        if number != self._last_row:
            raise UnreadableFile(DAMAGED)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, request: dict[str, int]) -> Any:
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except BrokenPipeError as error:
            raise self._died() from error
        return self._hear()

    def _hear(self) -> Any:
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            raise self._died()
        said = json.loads(line)
        fault = said.get("fault") if isinstance(said, dict) else None
        if fault == "memory":
            raise self._died()
        if fault:
            raise UnreadableFile(PROTECTED if fault == "password" else DAMAGED)
        return said

    def _died(self) -> UnreadableFile:
        return UnreadableFile(
            sentence(
                "The spreadsheet takes more than {memory:,} MB of memory or {seconds} seconds to "
                "read, more than a list should. Save it as CSV and send that.",
                memory=self._limits.memory_bytes // 1_000_000,
                seconds=self._limits.seconds,
            )
        )


def with_errors(rows: Iterator[Record], errors: Errors, first_column: int) -> Iterator[Record]:
    """Put the errors of formulas back where the reader left blanks: #N/A is not "no serial number"."""
    rows_in_error: dict[int, list[tuple[int, str]]] = {}
    for (number, column), error in errors.items():
        rows_in_error.setdefault(number, []).append((column - first_column, error))
    for row in rows:
        for column, error in rows_in_error.get(row.number, ()):
            if 0 <= column < len(row.cells):
                row = with_cell(row, column, error, "e")
        yield row


def fill_down(rows: Iterator[Record], merges: Sequence[Merge]) -> Iterator[Record]:
    """Give each row the text of a cell merged over several, as kind m; no numbers: 10 is not 10 each."""
    tall = [merge for merge in merges if merge.bottom > merge.top]
    beginning: dict[int, list[Merge]] = {}
    for merge in tall:
        beginning.setdefault(merge.top, []).append(merge)
    said: dict[int, tuple[int, str]] = {}
    for row in rows:
        for column, (bottom, text) in list(said.items()):
            if row.number > bottom:
                del said[column]
            elif column < len(row.cells) and not row.cells[column]:
                row = with_cell(row, column, text, "m")
        for merge in beginning.get(row.number, ()):
            if 0 <= merge.left < len(row.cells) and row.kinds[merge.left] == "s" and row.cells[merge.left]:
                said[merge.left] = (merge.bottom, row.cells[merge.left])
        yield row


def with_cell(row: Record, column: int, text: str, kind: str) -> Record:
    cells = list(row.cells)
    cells[column] = text
    return row._replace(cells=cells, kinds=row.kinds[:column] + kind + row.kinds[column + 1 :])

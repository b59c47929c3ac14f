"""Photos and scans at the command line: stored, named by an act or a note, and checked."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from stockpile.commands.asking import Token, acting, every_row, reading_as
from stockpile.commands.files import Csv, Xlsx, write_report
from stockpile.commands.shown import new_group, out, progress, show_table
from stockpile.db import roles
from stockpile.db.engine import at_one_moment, transaction
from stockpile.db.ready import opened
from stockpile.errors import Fault, Invalid, UnreadableFile
from stockpile.evidence import judge
from stockpile.files import file_store
from stockpile.notes import WriteNote, write_note
from stockpile.reports.documents import find_document
from stockpile.reports.file_check import check_files
from stockpile.reports.notes import NoteShown, notes_of
from stockpile.rights import READ_PEOPLE, reading, require
from stockpile.settings import read_settings

EvidenceFiles = Annotated[
    list[Path] | None, typer.Option("--attach", help="A photo or scan that belongs to it; may be repeated")
]
PaperNumber = Annotated[str | None, typer.Option("--paper", help="Key a paper: its book and number, e.g. PAPER-1/17")]
Written = Annotated[
    str | None,
    typer.Option(
        "--written",
        help="The moment on the paper, e.g. 2026-11-20T09:30, or its day with --day-only; in the site's time",
    ),
]
PaperScan = Annotated[Path | None, typer.Option("--paper-scan", help="The scanned paper: a PDF or a picture")]
ToTheDay = Annotated[bool, typer.Option("--day-only", help="The paper bears a date and no hour")]


def attach(file: Annotated[Path, typer.Argument(help="A photo (JPEG, PNG, WEBP, TIFF) or a scan (PDF)")]) -> None:
    """Store a photo or scan, and say by which SHA-256 acts and notes name it."""
    out.print(stored(file), markup=False)


def stored(file: Path) -> str:
    """Stores a photo or scan and gives its SHA-256. Raises UnreadableFile, naming the file and what it is instead."""
    try:
        return file_store().keep_copy(file, read_settings().evidence_limit, judge).sha256
    except UnreadableFile as problem:
        raise UnreadableFile(f"{file.name}: {problem.detail}.".replace("..", ".")) from None


def evidence_of(
    attached: list[Path] | None,
    paper: str | None = None,
    written: str | None = None,
    scan: Path | None = None,
    day_only: bool = False,
    time_zone: str | None = None,
) -> dict[str, Any]:
    """The fields of a request that the options stand for; `time_zone` is that of the paper's site. Raises Invalid (the
    options), UnreadableFile.
    """
    asked: dict[str, Any] = {}
    if attached:
        asked["attachments"] = [stored(file) for file in attached]
    if paper is not None or written is not None or scan is not None:
        asked["paper"] = _paper(paper, written, scan, day_only, time_zone)
    return asked


def _paper(
    paper: str | None, written: str | None, scan: Path | None, day_only: bool, time_zone: str | None
) -> dict[str, Any]:
    given = {"--paper": paper, "--written": written, "--paper-scan": scan}
    faults = [Fault("a paper is keyed with it", field=name) for name, value in given.items() if value is None]
    numbered = re.fullmatch(r"([A-Za-z0-9-]{1,12})/(\d{1,9})", paper or "")
    if paper is not None and numbered is None:
        faults.append(Fault("write its book and number like PAPER-1/17", field="--paper", value=paper))
    moment = _moment(written, time_zone) if written is not None else None
    if written is not None and moment is None:
        faults.append(Fault("write it like 2026-11-20T09:30, or 2026-11-20", field="--written", value=written))
    if faults or numbered is None or scan is None:
        raise Invalid("The paper cannot be keyed.", faults)
    return {
        "book": numbered[1].upper(),
        "number": int(numbered[2]),
        "happened_at": moment,
        "precision": "day" if day_only else "minute",
        "scan_sha256": stored(scan),
    }


def _moment(written: str, time_zone: str | None) -> datetime | None:
    """The moment, on the wall of the site if it says no other; None: it is none."""
    try:
        moment = datetime.fromisoformat(written.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(time_zone or "UTC"))


DocumentNumber = Annotated[str, typer.Argument(metavar="NUMBER", help="The document: e.g. TAJI/B/2026/41")]


def add_note(
    number: DocumentNumber,
    text: Annotated[str | None, typer.Option(help="What there is to say")] = None,
    attach: EvidenceFiles = None,
    kind: Annotated[str | None, typer.Option(help="attachment, remark or signature")] = None,
    happened: Annotated[
        str | None, typer.Option("--happened", help="When it was signed or seen, e.g. 2026-11-20T09:30+03:00")
    ] = None,
    token: Token = None,
) -> None:
    """Add to a posted document: the paper that was signed afterwards, a photo, a remark."""
    asked = {"text": text, "kind": kind, "happened_at": happened, **evidence_of(attach)}
    request = WriteNote.model_validate(asked)
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            document_id = find_document(connection, number)
        written = write_note(engine, actor, document_id, request)
    out.print(f"{number.strip().upper()}: {written.kind} added as note {written.note_id}.", markup=False)


def show_notes(number: DocumentNumber, csv: Csv = None, xlsx: Xlsx = None, token: Token = None) -> None:
    """Show what was added to a document later."""
    with reading_as(token) as (connection, actor):
        require(actor, READ_PEOPLE)
        document_id = find_document(connection, number)
        found = list(every_row(lambda cursor: notes_of(connection, document_id, cursor=cursor)))
    if csv or xlsx:
        write_report(csv, xlsx, NoteShown, found)
        return
    show_table(
        ("recorded", "kind", "written by", "text", "attached"),
        ((note.recorded_at, note.kind, note.written_by, note.text, len(note.attachments)) for note in found),
        "Nothing was added to it.",
    )


files = new_group("The stored files: lists, photos and scans under their SHA-256.")


@files.command("check")
def check(
    unnamed: Annotated[bool, typer.Option("--unnamed", help="List those that nothing in the books names")] = False,
) -> None:
    """Read every file that a document, note or register names; say which are missing or altered. Ends with 1 if any is."""
    with opened(read_settings()) as engine, transaction(at_one_moment(engine), roles.AUDITOR) as connection, progress():
        found = check_files(connection, file_store())
    faulty = [("missing", *one) for one in found.missing] + [("altered", *one) for one in found.altered]
    faulty += [("erased, and there again", digest, "", 0) for digest in found.come_back]
    if faulty:
        show_table(("", "file", "named by", "times"), faulty, "")
    if unnamed:
        show_table(("named by nothing",), ((digest,) for digest in found.unnamed), "Every file is named.")
    out.print(
        f"{found.named:,} files are named: {found.intact:,} intact, {len(found.missing):,} missing, "
        f"{len(found.altered):,} altered, {found.erased:,} erased by order. "
        f"{len(found.unnamed):,} more lie there unnamed.",
        markup=False,
    )
    if not found.is_sound:
        out.print("Bring back from a backup what is missing or altered. docs/evidence.md says more.", markup=False)
        raise typer.Exit(1)

"""Typesetting with typst: a template of ours and its data become a PDF, or pictures of pages. Our own fonts come first, then those of
the machine, for scripts that ours lack. All that is given reaches typst as data, never as markup.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore, Lock

from labels import typesetting_process
from stockpile.errors import StockpileError, TooSoon
from stockpile.sentences import sentence

FOLDER = Path(__file__).parent
FONTS = str(FOLDER / "fonts")
SECONDS = 120
"""For so long a process of its own is waited for: ten times what the largest order takes."""

AT_ONCE = 2
"""Processes of their own, beside each process of the service: 5,000 labels take 460 MB."""
IN_LINE = 4

_one_at_a_time = Lock()
_running = BoundedSemaphore(AT_ONCE)
_admitted = BoundedSemaphore(AT_ONCE + IN_LINE)


class TypesettingTooLong(StockpileError):
    """It was not done in time: never the reader's fault."""

    title = "It could not be printed"


class TemplateBroken(Exception):
    """A template of ours does not fit its data: our mistake, never a user's."""


def pdf(template: Path, given: object, tagged: bool = False, here: bool = False) -> bytes:
    """The template filled in, as PDF; `tagged`: with the structure that screen readers follow; `here`: short enough for this
    process. Raises TypesettingTooLong, TooSoon.
    """
    (document,) = _typeset(template, "pdf", given, 72, tagged, here)
    return document


def pictures(template: Path, given: object, dots_an_inch: float) -> list[bytes]:
    """Each page of the template filled in, as PNG. Raises TypesettingTooLong, TooSoon."""
    return _typeset(template, "png", given, dots_an_inch, False, False)


def _typeset(template: Path, form: str, given: object, dots_an_inch: float, tagged: bool, here: bool) -> list[bytes]:
    order = (str(template), form, FONTS, str(dots_an_inch), "tagged" if tagged else "untagged")
    written = json.dumps(given, ensure_ascii=False)
    if here:
        with _one_at_a_time:
            return typesetting_process.typeset(*order, written)
    if not _admitted.acquire(blocking=False):
        raise TooSoon(
            sentence("Many long papers and labels are being printed at this moment. Try again in half a minute."), 30
        )
    try:
        with _running:
            return _parted(_elsewhere(order, written))
    finally:
        _admitted.release()


def _elsewhere(order: tuple[str, ...], written: str) -> bytes:
    command = [sys.executable, "-I", typesetting_process.__file__, *order]
    try:
        done = subprocess.run(command, input=written.encode(), capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise TypesettingTooLong(
            f"Setting it in type took longer than {SECONDS} seconds: print it again when less is going on."
        ) from None
    if done.returncode:
        raise TemplateBroken(done.stderr.decode(errors="replace")[-2000:])
    return done.stdout


def _parted(written: bytes) -> list[bytes]:
    """The documents, each after its length."""
    documents, at = [], 0
    while at < len(written):
        line = written.index(b"\n", at)
        begin, length = line + 1, int(written[at:line])
        documents.append(written[begin : begin + length])
        at = begin + length
    return documents

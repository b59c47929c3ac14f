"""Typesetting with typst: a template of ours and its data become a PDF, or pictures of pages. Our own fonts come first, then those of
the machine, for scripts that ours lack.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
SCRIPT = str(FOLDER / "typesetting_process.py")
LONGEST = 120
"""Seconds: ten times what the largest order takes."""


class CannotTypeset(Exception):
    """A template of ours does not fit its data: our mistake, never a user's."""


def pdf(template: Path, given: object) -> bytes:
    """The template filled in, as PDF."""
    (document,) = _typeset(template, "pdf", given, 72)
    return document


def pictures(template: Path, given: object, dots_an_inch: float) -> list[bytes]:
    """Each page of the template filled in, as PNG."""
    return _typeset(template, "png", given, dots_an_inch)


def _typeset(template: Path, form: str, given: object, dots_an_inch: float) -> list[bytes]:
    done = subprocess.run(
        [sys.executable, "-I", SCRIPT, str(template), form, str(FOLDER / "fonts"), str(dots_an_inch)],
        input=json.dumps(given, ensure_ascii=False).encode(), capture_output=True, timeout=LONGEST, check=False,
    )  # fmt: skip
    if done.returncode:
        raise CannotTypeset(done.stderr.decode(errors="replace"))
    documents, written, at = [], done.stdout, 0
    while at < len(written):
        line = written.index(b"\n", at)
        begin, length = line + 1, int(written[at:line])
        documents.append(written[begin : begin + length])
        at = begin + length
    return documents

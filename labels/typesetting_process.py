"""Sets one template in type. Imported for what is short; for what is long run as a script by `typesetting.py`, in a process that ends
with it: typst keeps its memory as long as its process lives, and the service answers meanwhile. Imports nothing of ours.

As a script it takes the template, the form (pdf, or png with dots an inch), the folder of fonts, the dots and whether a PDF has tags as
arguments, the template's data as JSON on its input; it gives each document's length on a line, then its bytes.
"""

from __future__ import annotations

import sys
import unicodedata
from typing import Any

import typst

OURS = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "COMBINING", "MODIFIER")
"""The scripts that the fonts here have. For a letter of any other the machine's own fonts are looked through, which takes a second
the first time.
"""


def typeset(template: str, form: Any, fonts: str, dots_an_inch: str, tagged: str, given: str) -> list[bytes]:
    """The template filled in: one PDF, or a picture a page. Raises typst.TypstError."""
    compiler = typst.Compiler(
        template,
        font_paths=[fonts],
        ignore_system_fonts=not needs_others(given),
        sys_inputs={"given": given},
    )
    made: Any = compiler.compile(format=form, ppi=float(dots_an_inch), timestamp=0, pdf_tags=tagged == "tagged")
    return made if isinstance(made, list) else [made]


def needs_others(written: str) -> bool:
    """Whether it has a letter of a script that the fonts here lack."""
    letters = {one for one in set(written) if one > "\x7f" and unicodedata.category(one)[0] in "LM"}
    return any(not unicodedata.name(one, "").startswith(OURS) for one in letters)


if __name__ == "__main__":
    try:
        documents = typeset(*sys.argv[1:], sys.stdin.buffer.read().decode())  # type: ignore[call-arg]
    except typst.TypstError as problem:
        sys.exit(f"{problem.message} {problem.trace}")
    for document in documents:
        sys.stdout.buffer.write(b"%d\n" % len(document) + document)

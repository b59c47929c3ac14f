"""Sets what was written for `papers.typ` in type. Imported for short papers; for a long one run as a script, which takes the data on
standard input, gives the PDF on standard output, and ends: typst keeps its memory as long as its process lives. Imports nothing of ours.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import typst

HERE = Path(__file__).parent
FOLDER = HERE / "papers"
MAIN = FOLDER / "papers.typ"
FONTS = HERE / "fonts"


OURS = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "COMBINING", "MODIFIER")
"""The scripts that the fonts here have. For a letter of any other the machine's own fonts are looked through, which takes a second
the first time.
"""


def set_in_type(written: str, tagged: bool) -> bytes:
    """The PDF; `tagged`: with the structure that screen readers follow."""
    compiler = typst.Compiler(
        str(MAIN),
        root=str(FOLDER),
        font_paths=[str(FONTS)],
        ignore_system_fonts=not needs_others(written),
        sys_inputs={"given": written},
    )
    pdf = compiler.compile(format="pdf", pdf_tags=tagged)
    assert isinstance(pdf, bytes)
    return pdf


def needs_others(written: str) -> bool:
    """Whether it has a letter of a script that the fonts here lack."""
    letters = {one for one in set(written) if one > "\x7f" and unicodedata.category(one)[0] in "LM"}
    return any(not unicodedata.name(one, "").startswith(OURS) for one in letters)


if __name__ == "__main__":
    sys.stdout.buffer.write(set_in_type(sys.stdin.buffer.read().decode(), sys.argv[1] == "tagged"))

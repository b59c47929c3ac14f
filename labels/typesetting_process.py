"""Typesets one template in a process of its own: what typst keeps in memory for a next time goes with it, and the service answers
meanwhile.

Run as a script by `typesetting.py`, never imported; imports nothing of ours. Takes the template, the form (pdf, or png with dots an inch)
and the folder of fonts as arguments, the template's data as JSON on its input; gives each document's length on a line, then its bytes.
"""

from __future__ import annotations

import sys
from typing import Any

import typst


def main(template: str, form: Any, fonts: str, dots_an_inch: str) -> None:
    """One template."""
    given = sys.stdin.buffer.read().decode()
    found = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False, font_paths=[fonts])
    try:
        made: Any = typst.Compiler(template, font_paths=found, sys_inputs={"given": given}).compile(
            format=form, ppi=float(dots_an_inch), timestamp=0, pdf_tags=False
        )
    except typst.TypstError as problem:
        sys.exit(f"{problem.message} {problem.trace}")
    for document in made if isinstance(made, list) else [made]:
        sys.stdout.buffer.write(b"%d\n" % len(document) + document)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""How long each list's first page takes over HTTP among a million weapons with five million entries, beside the bare SQL of the same page.

    python -m bench.first_pages FOLDER [--runs 5] [--only /weapons]

Makes the country in FOLDER (about 9 GB, six minutes), unless it is there. An auditor asks for the page as a browser does, through
`stockpile serve`, by turns with the bare SQL. Targets: 2 s, and twice the bare SQL.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench import pages_of_lists
from bench.beside import FirstPage, auditor_token, measure
from bench.issue_over_http import serving
from bench.large_country import DATABASE, make
from stockpile.db import migrate, roles

PAGES: tuple[FirstPage, ...] = (*pages_of_lists.PAGES,)


def main() -> None:
    """Prints a line a list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="the beginning of an address")
    asked = parser.parse_args()
    pages = [one for one in PAGES if one.address.startswith(asked.only)]
    with make(asked.folder, 1_000_000) as server, tempfile.TemporaryDirectory() as files:
        migrate.upgrade(server.url(DATABASE, roles.OWNER))
        token = auditor_token(server)
        with serving(server.url(DATABASE, roles.SERVICE), files) as port:
            print(f"{'address':44} {'page':>8} {'bare SQL':>9} {'ratio':>6}")
            for one, taken in zip(pages, measure(port, token, server, pages, asked.runs), strict=True):
                late = "" if taken.page <= one.target else f"  over {one.target:g} s"
                print(f"{one.address:44} {taken.page:6.3f} s {taken.bare:7.3f} s {taken.ratio:6.2f}{late}", flush=True)


if __name__ == "__main__":
    main()

"""A process that hashes leaves of entries: reads pieces of rows from its input, writes the leaves of each, and ends with its input.

Started by `leaf_making`; it sees no database and keeps nothing.
"""

from __future__ import annotations

import pickle
import sys

from stockpile.log.leaf import entry_leaf


def main() -> None:
    """Leaves of the pickled rows on standard input, in pieces, 65 bytes each, to standard output."""
    while True:
        try:
            rows = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by our own parent process
        except EOFError:
            return
        sys.stdout.buffer.write(b"".join(entry_leaf(*row) for row in rows))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

"""Whether the lines of a register are those that the log commits, also after an erasure took cells from some of them.

A register's leaf commits one digest over all its lines. An erasure takes cells away, so the lines no longer give it; its own leaf
commits the digest before, the lines that lost cells, and the digest since. Each digest before is the one after the erasure before
it, the first the register's own: a chain from what was once shown to what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Connection

from stockpile.registers.keep import cells_json, lines_digest


def stored_lines(connection: Connection, register_id: UUID) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The lines of a register as they stand, in order: number and cells."""
    rows = connection.exec_driver_sql(
        "SELECT line, cells FROM register_line WHERE register_id = %s ORDER BY line", (register_id,)
    )
    return ((line, tuple(cells)) for line, cells in rows)


def stored_digest(connection: Connection, register_id: UUID) -> bytes:
    """The digest that the lines of a register give now."""
    return lines_digest((line, cells_json(cells)) for line, cells in stored_lines(connection, register_id))


def committed_digest(connection: Connection, register_id: UUID) -> tuple[bytes, int]:
    """The digest that a register's lines are to give: of its leaf, or of the last erasure; and how many erasures there were."""
    row = connection.exec_driver_sql(
        """SELECT coalesce(e.digest_after, r.lines_digest), coalesce(e.version, 0)
           FROM register r LEFT JOIN register_erasure e USING (register_id)
           WHERE r.register_id = %s ORDER BY e.version DESC LIMIT 1""",
        (register_id,),
    ).one()
    return bytes(row[0]), row[1]


_CHAIN = """
SELECT r.lines_digest, e.digest_before, e.digest_after,
       x.registers @> jsonb_build_array(jsonb_build_object('register', r.register_id, 'lines', e.lines,
           'before', encode(e.digest_before, 'hex'), 'after', encode(e.digest_after, 'hex')))
FROM register r JOIN register_erasure e USING (register_id) JOIN erasure x USING (erasure_id)
WHERE r.register_id = %s ORDER BY e.version
"""


def is_as_committed(connection: Connection, register_id: UUID) -> bool:
    """Whether the chain of erasures holds together and ends in the lines that are there. The connection stands in a role that
    reads erasures.
    """
    before = None
    for of_leaf, begins, ends, in_leaf in connection.exec_driver_sql(_CHAIN, (register_id,)):
        if bytes(begins) != bytes(before or of_leaf) or not in_leaf:
            return False
        before = ends
    return stored_digest(connection, register_id) == committed_digest(connection, register_id)[0]

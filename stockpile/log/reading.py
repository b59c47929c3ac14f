"""The log as it is published: its latest checkpoint, and of what that covers the tiles and the leaves (C2SP tlog-tiles).

Everybody may read the same: leaves say nothing to who has no secret, so no scope is asked for, but that of the caller's route.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row

from stockpile.db import roles
from stockpile.db.engine import at_one_moment, transaction
from stockpile.errors import NotFound
from stockpile.log import tree
from stockpile.proof.merkle import TILE_HEIGHT, TILE_WIDTH


@dataclass(frozen=True, slots=True)
class Published:
    """A log's latest checkpoint. `note`: as it is served, with the witnesses' lines."""

    log: int
    origin: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Restore:
    """That a log follows another after a restore: of the leaves signed there so many are left. `lost`: of the signer its memory, so that
    more may have been signed; its keys, so that none of them vouches for this log.
    """

    origin: str
    signed: int
    left: int
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OriginTold:
    """A log by its name: what was published last, who cosigned it, and what it says of itself."""

    origin: str
    latest: Published | None
    signed_at: datetime | None
    witnesses: tuple[str, ...]
    keys: tuple[str, ...]
    restored: tuple[Restore, ...]


@dataclass(frozen=True, slots=True)
class LogTold:
    """The log of these books, the newest origin first."""

    origins: tuple[OriginTold, ...]


@contextmanager
def reading_log(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees the log as it is at one moment, and nothing besides."""
    with transaction(at_one_moment(engine), roles.DONOR) as connection:
        yield connection


_LATEST = """
SELECT c.log, o.origin, c.tree_size, c.root, c.note FROM checkpoint c JOIN log_origin o USING (log)
WHERE c.log = coalesce(%s, (SELECT max(log) FROM log_origin)) ORDER BY c.tree_size DESC LIMIT 1
"""
_LINES = "SELECT line FROM cosignature WHERE log = %s AND tree_size = %s ORDER BY witness"


def published(connection: Connection, log: int | None = None) -> Published:
    """The latest checkpoint, of the log of this number or of the newest. Raises NotFound."""
    found = connection.exec_driver_sql(_LATEST, (log,)).one_or_none()
    if found is None:
        raise NotFound("No checkpoint of this log was signed yet.")
    return _with_lines(connection, found)


def _with_lines(connection: Connection, found: Row[Any]) -> Published:
    lines = connection.exec_driver_sql(_LINES, (found.log, found.tree_size)).scalars()
    note = found.note + "".join(f"{line}\n" for line in lines)
    return Published(found.log, found.origin, found.tree_size, found.root, note)


_COSIGNED = """
SELECT c.log, o.origin, c.tree_size, c.root, c.note FROM checkpoint c JOIN log_origin o USING (log)
WHERE c.log = (SELECT max(log) FROM log_origin) AND c.signed_at >= %s
  AND EXISTS (SELECT FROM cosignature w WHERE w.log = c.log AND w.tree_size = c.tree_size)
ORDER BY c.tree_size DESC LIMIT 1
"""


def to_carry_away(connection: Connection, since: datetime) -> Published:
    """The checkpoint to put on paper: of the newest log the latest that a witness cosigned and that was signed since then; where there is
    none, the latest of all. Raises NotFound.
    """
    found = connection.exec_driver_sql(_COSIGNED, (since,)).one_or_none()
    return published(connection) if found is None else _with_lines(connection, found)


def is_published(connection: Connection) -> bool:
    """Whether anything of the log was signed yet."""
    return bool(connection.exec_driver_sql("SELECT EXISTS (SELECT FROM checkpoint)").scalar())


def hash_tile(connection: Connection, shown: Published, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
    """The first `width` hashes of a tile. Raises NotFound beyond what the checkpoint covers."""
    hashes = None
    if index * TILE_WIDTH + width <= shown.size >> TILE_HEIGHT * level:
        hashes = tree.hashes_of_tile(connection, shown.log, level, index, width)
    if hashes is None:
        raise NotFound(f"The log has no such tile: its checkpoint covers {shown.size:,} leaves.")
    return b"".join(hashes)


def leaf_tile(connection: Connection, shown: Published, index: int, width: int = TILE_WIDTH) -> list[bytes]:
    """The first `width` leaves of a tile of level 0. Raises NotFound beyond what the checkpoint covers."""
    packed = None
    if index * TILE_WIDTH + width <= shown.size:
        packed = tree.leaves_of_tile(connection, shown.log, index, width)
    if packed is None:
        raise NotFound(f"The log has no such leaves: its checkpoint covers {shown.size:,}.")
    return tree.split_leaves(packed)


_VOUCHED = """
SELECT content ->> 'vouched' FROM log_statement WHERE kind = 'key' AND content ? 'vouched' ORDER BY log, recorded_at, statement_id
"""


def successions(connection: Connection) -> tuple[str, ...]:
    """The notes in which keys of these logs vouch for those after them, in their order (`stockpile.proof.succession`)."""
    return tuple(connection.exec_driver_sql(_VOUCHED).scalars())


_ORIGINS = """
SELECT o.log, o.origin, (SELECT max(signed_at) FROM checkpoint c WHERE c.log = o.log) AS signed_at,
       array(SELECT content ->> 'key' FROM log_statement s WHERE s.log = o.log AND kind = 'key' ORDER BY recorded_at) AS keys,
       array(SELECT content FROM log_statement s WHERE s.log = o.log AND kind = 'restored') AS restored
FROM log_origin o ORDER BY o.log DESC
"""
_WITNESSES = "SELECT witness FROM cosignature WHERE log = %s AND tree_size = %s ORDER BY witness"


def told_of(connection: Connection) -> LogTold:
    """What there is to say of the log to people."""
    return LogTold(tuple(_told(connection, row) for row in connection.exec_driver_sql(_ORIGINS).all()))


def _told(connection: Connection, row: Row[Any]) -> OriginTold:
    latest = published(connection, row.log) if row.signed_at else None
    asked = (row.log, latest.size if latest else 0)
    witnesses = tuple(connection.exec_driver_sql(_WITNESSES, asked).scalars())
    restored = tuple(
        Restore(one["origin"], one["signed"], one["left"], tuple(one.get("lost", ()))) for one in row.restored
    )
    return OriginTold(row.origin, latest, row.signed_at, witnesses, tuple(row.keys), restored)

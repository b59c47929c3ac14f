"""The log as others read it: checkpoint, tiles and leaves, at the paths of C2SP's tlog-tiles. Nothing that no checkpoint covers is
given. It takes a token, of whatever role, unless the operator opened it (STOCKPILE_LOG_OPEN): all read the same.
"""

from __future__ import annotations

import json
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from api.dependencies import Database
from stockpile.errors import NotFound, NotSignedIn
from stockpile.log import reading
from stockpile.log.tree import LEAF_BYTES
from stockpile.proof.merkle import TILE_WIDTH
from stockpile.sentences import sentence
from stockpile.settings import read_settings

TILES = "application/octet-stream"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
FOREVER = "max-age=31536000, immutable"
MOMENTS = "max-age=1"


async def _may_read(request: Request) -> None:
    if not read_settings().log_open and getattr(request.state, "actor", None) is None:
        raise getattr(request.state, "not_signed_in", None) or NotSignedIn(
            sentence("The log takes a token: send the header 'Authorization: Bearer sp_...'.")
        )


router = APIRouter(include_in_schema=False, dependencies=[Depends(_may_read)])

Before = Annotated[int, Path(ge=1, le=32767, description="A log before a restore, counted from 1")]

_INDEX = re.compile(r"((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
"""`x001/x234/067`, and the width of a tile that is not full."""
_LEVEL = re.compile(r"[0-9]|[1-5][0-9]|6[0-3]")
_LENGTH = LEAF_BYTES.to_bytes(2, "big")


@router.get("/log/checkpoint")
def checkpoint(engine: Database) -> Response:
    """The newest log's latest checkpoint, with the lines of its witnesses."""
    return _checkpoint(engine, None)


@router.get("/log/keys")
def keys(engine: Database) -> Response:
    """How the keys of these books' logs follow one another, and what the newest log says of its own keys."""
    with reading.reading_log(engine) as connection:
        told, notes = reading.told_of(connection), reading.successions(connection)
    newest = told.origins[0] if told.origins else None
    said = {
        "format": "stockpile-log-keys@v1",
        "origin": newest.origin if newest else None,
        "keys": newest.keys if newest else (),
        "lost": [what for one in newest.restored for what in one.lost] if newest else (),
        "vouched": notes,
    }
    return _answer(json.dumps(said, ensure_ascii=False).encode(), JSON, MOMENTS)


@router.get("/log/tile/entries/{place:path}")
def entries(place: str, engine: Database) -> Response:
    """Leaves, each behind its length."""
    return _entries(engine, None, place)


@router.get("/log/tile/{level}/{place:path}")
def tile(level: str, place: str, engine: Database) -> Response:
    """Hashes."""
    return _tile(engine, None, level, place)


@router.get("/log/before/{log}/checkpoint")
def checkpoint_before(log: Before, engine: Database) -> Response:
    """The last checkpoint of a log that a restore ended, as far as the books still have it."""
    return _checkpoint(engine, log)


@router.get("/log/before/{log}/tile/entries/{place:path}")
def entries_before(log: Before, place: str, engine: Database) -> Response:
    """Leaves of a log that a restore ended."""
    return _entries(engine, log, place)


@router.get("/log/before/{log}/tile/{level}/{place:path}")
def tile_before(log: Before, level: str, place: str, engine: Database) -> Response:
    """Hashes of a log that a restore ended."""
    return _tile(engine, log, level, place)


def _checkpoint(engine: Database, log: int | None) -> Response:
    with reading.reading_log(engine) as connection:
        note = reading.published(connection, log).note
    return _answer(note.encode(), TEXT, MOMENTS)


def _entries(engine: Database, log: int | None, place: str) -> Response:
    index, width = _index_and_width(place)
    with reading.reading_log(engine) as connection:
        leaves = reading.leaf_tile(connection, reading.published(connection, log), index, width)
    return _answer(b"".join(_LENGTH + leaf for leaf in leaves), TILES, FOREVER)


def _tile(engine: Database, log: int | None, level: str, place: str) -> Response:
    if not _LEVEL.fullmatch(level):
        raise NotFound(sentence("A tile's level is a number from 0 to 63."))
    index, width = _index_and_width(place)
    with reading.reading_log(engine) as connection:
        hashes = reading.hash_tile(connection, reading.published(connection, log), int(level), index, width)
    return _answer(hashes, TILES, FOREVER)


def _index_and_width(place: str) -> tuple[int, int]:
    """Of `x001/x234/067.p/12`: 1234067 and 12; a full tile's width where none is said. Raises NotFound."""
    found = _INDEX.fullmatch(place)
    digits, width = (found[1].replace("x", "").replace("/", ""), int(found[2] or TILE_WIDTH)) if found else ("", 0)
    if (
        not found
        or width > TILE_WIDTH
        or (found[2] and width == TILE_WIDTH)
        or len(str(int(digits))) <= len(digits) - 3
    ):
        raise NotFound(sentence("A tile is named like x001/x234/067, one that is not full like x001/x234/067.p/12."))
    return int(digits), width


def _answer(content: bytes, media_type: str, caching: str) -> Response:
    """What is the same for all is kept by all: by caches between, too, where it takes no token."""
    whose = "public" if read_settings().log_open else "private"
    return Response(content, media_type=media_type, headers={"Cache-Control": f"{whose}, {caching}"})

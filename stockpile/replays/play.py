"""Plays an episode on a database of its own, which is thrown away afterwards or kept in a folder to be looked at."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from stockpile.db import embedded, ready, roles
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of
from stockpile.errors import Fault, Invalid
from stockpile.replays import dodig_2024_043, gao_07_711, sigar_14_84, sigir_06_033
from stockpile.replays.country import found
from stockpile.replays.episode import Episode, Scale, Stage
from stockpile.settings import PREFIX

EPISODES: dict[str, Episode] = {
    module.EPISODE.name: module.EPISODE for module in (gao_07_711, sigir_06_033, sigar_14_84, dodig_2024_043)
}
"""The published failures, in the order of their publication."""

FULL = Scale()
SETTINGS = {"max_wal_size": "4GB"}


@dataclass(frozen=True, slots=True)
class Asked:
    """How an episode is to be played: at which scale, how many weapons are hidden, by which chance, and where it is kept if at all."""

    scale: Scale = FULL
    remove: int = 0
    seed: int = 1
    keep: Path | None = None


@contextmanager
def on_a_stage(episode: Episode, asked: Asked) -> Iterator[Stage]:
    """A country founded for the episode, on a server of its own. Raises Invalid where the folder to keep it in holds books already,
    DatabaseUnavailable.
    """
    if asked.keep is not None and ready.has_data(asked.keep):
        fault = Fault("there are books in it: name a new folder", field="keep", value=str(asked.keep))
        raise Invalid("Nothing was replayed.", [fault])
    with _folder(asked.keep) as folder, _server(asked.keep) as server, _data_in(folder):
        ready.make_embedded(server, None)
        engine = engine_of(server.url(ready.DATABASE, roles.SERVICE))
        try:
            yield stage_on(engine, folder, episode, asked)
        finally:
            engine.dispose()


def stage_on(engine: Engine, folder: Path, episode: Episode, asked: Asked) -> Stage:
    """The stage on an empty database that has the schema: the country is founded on it."""
    lists = folder / "lists"
    lists.mkdir(exist_ok=True)
    country = found(engine, episode.founding)
    return Stage(country, lists, episode.published, asked.scale, asked.remove, asked.seed)


def _server(keep: Path | None) -> AbstractContextManager[Server]:
    return embedded.throw_away(settings=SETTINGS) if keep is None else embedded.start(keep, settings=SETTINGS)


def _folder(keep: Path | None) -> AbstractContextManager[Path]:
    if keep is None:
        return _temporary()
    keep.mkdir(parents=True, exist_ok=True)
    return nullcontext(keep.absolute())


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stockpile-replay-") as folder:
        yield Path(folder)


@contextmanager
def _data_in(folder: Path) -> Iterator[None]:
    """Within it this process stores its files in the folder, and not beside a country's own."""
    name = f"{PREFIX}DATA"
    before = os.environ.get(name)
    os.environ[name] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before

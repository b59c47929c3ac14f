"""A restore: a backup read and checked, its database started once beside the place where it will lie, brought to this version's
schema, its books sent on in a new series, its files compared with what the rows name; then all of it put in its place at once.

It must never put anything over data that are there, nor touch the log's keys and what the signer last signed (`log/`): those tell
a restored past from the present.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from stockpile import restored_settings, series
from stockpile.backup import KEPT
from stockpile.backup_contents import DATABASE, FILES, TOLD_EVERY, About, DamagedBackup, check, copy, make_durable, sums
from stockpile.db import embedded, migrate, ready, roles
from stockpile.db.binaries import find_binaries
from stockpile.db.embedded import Server, standing_still
from stockpile.db.engine import at_one_moment, connected, engine_of, take_role, transaction
from stockpile.db.unprivileged import give, server_user
from stockpile.documents import full_number
from stockpile.errors import Fault, StockpileError
from stockpile.files import DIGEST, FileStore
from stockpile.progress import told
from stockpile.reports.file_check import FileCheck, check_files
from stockpile.series import Series
from stockpile.settings import Settings

WORKSHOP = "restoring"
"""Where in the data folder a restore works: what is left there by one that was cut off is a copy, and is taken away."""
OWN_SERVER = "restored-server"
"""Where the data of a server of one's own are put, for its administrator."""
PATIENCE = 3600.0
"""Seconds that the server may take to read the log that came with the backup."""

NOT_IN_THE_WAY = {
    "archive_mode": "off",
    "max_logical_replication_workers": "0",
    "shared_preload_libraries": "",
    "ssl": "off",
}
"""Of an own server's settings, what needs more than the data: while it is brought up it serves only us."""


class RestoreFailed(StockpileError):
    """Nothing was restored, and what was there is as it was."""

    title = "Nothing was restored"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore found and did. `place` holds the database; `aside` what was there before. `newest`: the number of the last
    document that the backup holds, `newest_at` when it was recorded. `migrated_from`: the older schema that the
    backup had, if it was one. `settings_aside`: the names of what the server was told that does not hold any more.
    """

    about: About
    place: Path
    aside: Path | None
    newest: str | None
    newest_at: datetime | None
    documents: int
    series: Series
    files: FileCheck
    migrated_from: str | None
    settings_aside: tuple[str, ...]


def restore(settings: Settings, folder: Path, aside: bool = False) -> Restored:
    """Restores a backup into the data folder; `aside` moves what is there out of the way, instead of refusing.

    Raises DamagedBackup, NotFound (no backup), RestoreFailed, DatabaseUnavailable (the version of PostgreSQL that made it is not
    here, or does not start).
    """
    folder, data = folder.absolute(), settings.data
    about = check(folder)
    migrate.check_known(about.schema_version)
    find_binaries(about.major)
    moment = datetime.now(UTC)
    _check_clock(about, moment)
    with _in_words(data), standing_still(data):
        in_the_way = _in_the_way(data, about)
        if in_the_way and not aside:
            raise RestoreFailed(
                f"{data} holds data already: {', '.join(in_the_way)}. Nothing was touched. Restore into another folder "
                "(STOCKPILE_DATA), or say --aside to have them moved out of the way."
            )
        with _workshop(data) as workshop:
            _copy_all(folder, about, workshop)
            found = _brought_up(workshop, about, moment)
            moved = _move_aside(data, in_the_way, moment) if in_the_way else None
            place = _put_in_place(workshop, data, about)
    return Restored(about, place, moved, *found)


@contextmanager
def _in_words(data: Path) -> Iterator[None]:
    """Turns what the system refuses into RestoreFailed."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RestoreFailed(
                f"The disk that holds {data} is full. Nothing was restored: make room, or choose another folder."
            ) from None
        place = os.fsdecode(problem.filename or data)
        raise RestoreFailed(f"Nothing was restored: {place}: {problem.strerror}.") from None


def _check_clock(about: About, moment: datetime) -> None:
    """The new series is named after now: a clock that stands before the backup would begin one that may have been."""
    latest = max(about.finished_at, about.newest_document or about.finished_at)
    if moment < latest:
        raise RestoreFailed(
            f"The clock of this machine says {moment:%Y-%m-%d %H:%M}Z, the backup was made at {latest:%Y-%m-%d %H:%M}Z. "
            "Set the clock right first: the books go on in a series that is named after it."
        )


def _in_the_way(data: Path, about: About) -> list[str]:
    names = [DATABASE if about.server == "embedded" else OWN_SERVER, FILES, *KEPT]
    return [name for name in names if (data / name).exists()]


@contextmanager
def _workshop(data: Path) -> Iterator[Path]:
    """A folder of its own to work in, gone afterwards."""
    workshop = data / WORKSHOP
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir(mode=0o700)
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _copy_all(folder: Path, about: About, workshop: Path) -> None:
    """Copies the backup, reading each file once more: it may have changed since it was checked."""
    for name in about.folders:
        if not Path(os.path.normpath(name)).is_relative_to(DATABASE):
            raise DamagedBackup(
                f"The backup in {folder} was altered.", [Fault("no folder of the database", field=name)]
            )
        (workshop / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    made = {""}
    for done, (digest, path) in enumerate(sums(folder)):
        if done % TOLD_EVERY == 0:
            told("files of the backup copied", done, about.files)
        place = os.path.dirname(path)
        if place not in made:
            _make_folders(workshop, place)
            made.add(place)
        if copy(folder / path, workshop / path, 0o400 if DIGEST.fullmatch(Path(path).name) else 0o600) != digest:
            raise DamagedBackup(f"The backup in {folder} changed while it was read.", [Fault("altered", field=path)])
    for each in (workshop / DATABASE).rglob("*"):
        if each.is_dir():
            each.chmod(0o700)
    make_durable(workshop)


def _make_folders(workshop: Path, place: str) -> None:
    """Closed to others at every level: PostgreSQL insists on that."""
    for part in (*reversed(Path(place).parents), Path(place)):
        (workshop / part).mkdir(mode=0o700, exist_ok=True)


Found = tuple[str | None, datetime | None, int, Series, FileCheck, str | None, tuple[str, ...]]


def _brought_up(workshop: Path, about: About, moment: datetime) -> Found:
    """Starts the restored database once, where nobody else reaches it, and does what is to be done before anybody works with it."""
    data = workshop / DATABASE
    data.chmod(0o700)
    restored_settings.take_away(data)
    for each in (workshop, data):
        give(each, server_user(workshop / "none"))
    _give_all(data)
    told("PostgreSQL starts and reads its log", 0)
    settings = _plain_settings(workshop) if about.server == "own" else {"archive_mode": "off"}
    with embedded.start(workshop, settings=settings, patience=PATIENCE) as server:
        migrated_from = _migrated(server, about)
        newest, newest_at, documents = _newest(server, about)
        begun = _new_series(server, about, moment, newest_at)
        files = _checked_files(server, about, workshop)
    set_aside = restored_settings.bring_back(data, own=about.server == "own")
    return newest, newest_at, documents, begun, files, migrated_from, set_aside


def _give_all(data: Path) -> None:
    user = server_user(data)
    for place, folders, names in os.walk(data):
        for name in (*folders, *names):
            give(Path(place, name), user)


def _plain_settings(workshop: Path) -> dict[str, str]:
    """An own server's configuration may lie elsewhere, ask for passwords and want what is not here: it is left as it is, and
    another is used.
    """
    texts = {"config_file": "", "hba_file": "local all all trust\n", "ident_file": ""}
    settings = dict(NOT_IN_THE_WAY)
    for name, content in texts.items():
        path = workshop / name
        path.write_text(content, encoding="ascii")
        give(path, server_user(workshop / DATABASE))
        settings[name] = str(path)
    return settings


def _migrated(server: Server, about: About) -> str | None:
    """Brings an older schema up; which it was."""
    if about.schema_version == migrate.newest():
        return None
    told("the schema is brought up", 0)
    ready.upgrade(server.url(about.database, about.superuser))
    return about.schema_version


_NEWEST = """
SELECT d.recorded_at, s.code, b.code, b.year, d.number
FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id
ORDER BY d.recorded_at DESC, d.document_id DESC LIMIT 1
"""


def _newest(server: Server, about: About) -> tuple[str | None, datetime | None, int]:
    engine = engine_of(server.url(about.database, roles.SERVICE))
    try:
        with transaction(engine, roles.AUDITOR) as connection:
            row = connection.exec_driver_sql(_NEWEST).one_or_none()
            documents = connection.exec_driver_sql("SELECT count(*) FROM document").scalar_one()
    finally:
        engine.dispose()
    number, recorded_at = (full_number(*row[1:]), row[0]) if row else (None, None)
    return number, recorded_at, int(documents)


def _new_series(server: Server, about: About, moment: datetime, newest_at: datetime | None) -> Series:
    engine = engine_of(server.url(about.database, about.superuser))
    try:
        with connected(engine) as connection:
            return _go_on(connection, moment, about.begun_at, newest_at)
    finally:
        engine.dispose()


def _go_on(connection: Connection, moment: datetime, backup_at: datetime, newest_at: datetime | None) -> Series:
    """Begins the new series; and whoever was signed in signs in again: their browsers may have been signed out since."""
    connection.exec_driver_sql("UPDATE session SET ended_at = %s WHERE ended_at IS NULL", (moment,))
    return series.begin(connection, moment, backup_at, newest_at)


def declare(owner_url: str) -> Series:
    """What a restore does to the books, for a database that was restored by other means than ours: as of its newest document, which
    must be there. Raises DatabaseUnavailable, RestoreFailed, Invalid (the address).
    """
    engine = engine_of(ready.checked_url(owner_url).render_as_string(hide_password=False))
    try:
        ready.check_schema(engine)
        with connected(engine) as connection:
            take_role(connection, roles.OWNER)
            moment = datetime.now(UTC)
            newest_at = connection.exec_driver_sql("SELECT max(recorded_at) FROM document").scalar_one()
            if newest_at is None or newest_at > moment:
                raise RestoreFailed(
                    f"The newest document is of {newest_at:%Y-%m-%d %H:%M}Z, which has not come: set the clock right first."
                    if newest_at
                    else "There are no documents here: books without any need no new series."
                )
            return _go_on(connection, moment, newest_at, newest_at)
    except ProgrammingError:
        raise RestoreFailed("This takes the role that owns the tables, or an administrator: see --owner-url.") from None
    finally:
        engine.dispose()


def _checked_files(server: Server, about: About, workshop: Path) -> FileCheck:
    engine = engine_of(server.url(about.database, roles.SERVICE))
    try:
        with transaction(at_one_moment(engine), roles.AUDITOR) as connection:
            return check_files(connection, FileStore(workshop / FILES))
    finally:
        engine.dispose()


def _move_aside(data: Path, names: list[str], moment: datetime) -> Path:
    aside = data / f"aside-{moment:%Y-%m-%d-%H%M%S}"
    aside.mkdir(mode=0o700)
    for name in names:
        (data / name).rename(aside / name)
    return aside


def _put_in_place(workshop: Path, data: Path, about: About) -> Path:
    """The database comes last: before it is there, nobody takes what is there for books."""
    for name in (FILES, *KEPT):
        if (workshop / name).exists():
            (workshop / name).rename(data / name)
    place = data / (DATABASE if about.server == "embedded" else OWN_SERVER)
    (workshop / DATABASE).rename(place)
    make_durable(data)
    return place

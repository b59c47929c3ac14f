"""A backup: the whole database as of one moment with the log that makes it consistent, then the files its rows name, while the
service goes on. What is stored before the database is copied is in it, and files are only ever added, so copying them afterwards
finds each one.

It never holds the log's keys nor what the signer last signed (`log/` in the data folder): who can restore a backup must not be able
to sign another history with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from secrets import token_hex
from typing import Literal

from psycopg.conninfo import make_conninfo
from psycopg.pq import ConnStatus, ExecStatus, PGconn, abc
from sqlalchemy import URL, make_url

from stockpile.backup_contents import (
    ABOUT,
    DATABASE,
    FILES,
    SUMS,
    TOLD_EVERY,
    About,
    copy,
    digest_of,
    make_durable,
    read_about,
    sums,
    walk,
)
from stockpile.db import ready, roles
from stockpile.db.binaries import find_program
from stockpile.db.embedded import SUPERUSER
from stockpile.db.engine import engine_of, transaction
from stockpile.db.unprivileged import preparation
from stockpile.errors import DatabaseUnavailable, NotFound, StockpileError
from stockpile.files import DIGEST
from stockpile.progress import told
from stockpile.settings import Settings
from stockpile.tls import FOLDER as TLS

UNFINISHED = ".unfinished"
TOKENS = "demonstration-tokens.txt"
KEPT = (TLS, TOKENS)
"""What else of the data folder belongs to a backup, beside the database and the files under their SHA-256."""


class BackupFailed(StockpileError):
    """No backup was made, and nothing of it is left that could pass for one."""

    title = "The backup was not made"


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup. `linked`: files that the backup before it shares; `altered`: stored files that are not what their
    names say, copied as they are. `about_sha256` is what `backup.json` has, to be written down elsewhere.
    """

    folder: Path
    about: About
    about_sha256: str
    linked: int
    altered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """The database to be copied, and by which address. `system_identifier` is the number that `initdb` gave the service's server."""

    address: URL
    server: Literal["embedded", "own"]
    database: str
    postgresql: str
    superuser: str
    schema_version: str
    newest_document: datetime | None
    system_identifier: int


@dataclass(slots=True)
class Writing:
    """A backup being written."""

    folder: Path
    lines: list[str] = field(default_factory=list)
    size: int = 0
    linked: int = 0
    altered: list[str] = field(default_factory=list)

    def listed(self, path: str, digest: str) -> None:
        """Notes a file that is in it now."""
        if "\n" in path:
            raise BackupFailed(f"A file's name has a line break in it: {path!r}. Take it out of the data folder.")
        self.lines.append(f"{digest}  {path}\n")
        self.size += (self.folder / path).stat().st_size


def make(settings: Settings, folder: Path, backup_url: str = "") -> Made:
    """Makes a backup of the books in a new folder. `backup_url` is the address of a role of one's own server that may copy it, if the
    service's may not.

    Raises BackupFailed, DatabaseUnavailable, NotFound (no books yet), Invalid (an address).
    """
    folder = folder.absolute()
    begun_at = datetime.now(UTC)
    with _in_words(folder), _place(folder) as unfinished:
        writing = Writing(unfinished)
        with ready.reached(settings) as url:
            source = _source(settings, url, backup_url)
            _copy_database(source, unfinished / DATABASE)
        _list_database(writing)
        _copy_files(writing, settings.data / FILES, _before(folder))
        _copy_kept(writing, settings.data)
        about = _finish(writing, source, begun_at)
    return Made(folder, about, digest_of(folder / ABOUT), writing.linked, tuple(writing.altered))


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    """Turns what the system refuses into BackupFailed."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder) from None
        place = problem.filename or folder
        raise BackupFailed(f"Nothing was kept of this backup: {os.fsdecode(place)}: {problem.strerror}.") from None


def _full(folder: Path) -> BackupFailed:
    return BackupFailed(
        f"The disk that holds {folder} is full. Nothing was kept of this backup: make room, or choose another folder."
    )


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    """The folder to write in, which gets its own name when all is written. What an earlier backup left that was killed is taken
    away; what fails leaves nothing.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupFailed(
            f"{folder} is there already and not empty. Name a folder that is not there, such as one for each day."
        )
    unfinished = folder.with_name(folder.name + UNFINISHED)
    unfinished.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(unfinished, os.O_RDONLY)
    try:
        _take(held, unfinished)
        for left in unfinished.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield unfinished
            os.rename(unfinished, folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    finally:
        os.close(held)
    _settle(folder.parent)


def _take(held: int, unfinished: Path) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BackupFailed(
            f"Another backup is being written to {unfinished}. Wait for it, or name another folder."
        ) from None


def _settle(folder: Path) -> None:
    """What was done in a folder outlives a power cut."""
    above = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(above)
    finally:
        os.close(above)


def _source(settings: Settings, url: str, backup_url: str) -> Source:
    """What is to be copied, asked as the service. Raises DatabaseUnavailable, BackupFailed."""
    engine = engine_of(url)
    try:
        schema = ready.schema_of(engine)
        if schema is None:
            raise NotFound("There are no books in this database yet: nothing to make a backup of.")
        with transaction(engine, roles.AUDITOR) as connection:
            found = connection.exec_driver_sql(_ABOUT_SERVER).one()
            newest = connection.exec_driver_sql("SELECT max(recorded_at) FROM document").scalar_one()
    finally:
        engine.dispose()
    if found.elsewhere:
        raise BackupFailed(
            f"The server keeps data in tablespaces of its own ({found.elsewhere}), which a backup in one folder cannot hold. Use "
            "PostgreSQL's own archiving for the database, and copy files/ after it: docs/backup.md."
        )
    address = ready.checked_url(backup_url or url) if settings.database_url else make_url(url).set(username=SUPERUSER)
    return Source(
        address,
        "own" if settings.database_url else "embedded",
        found.database,
        found.version.split()[0],
        found.superuser,
        schema,
        newest,
        found.system_identifier % 2**64,
    )


_ABOUT_SERVER = """
SELECT current_setting('server_version') AS version, current_database() AS database,
       (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
       (SELECT rolname FROM pg_roles WHERE oid = 10) AS superuser,
       (SELECT string_agg(spcname, ', ') FROM pg_tablespace WHERE oid >= 16384) AS elsewhere
"""
"""Of roles, the first is the one that `initdb` made; of tablespaces, the numbers below are PostgreSQL's own."""


PROGRESS = re.compile(r"(\d+)/(\d+) kB")

NOT_LET_IN = """The server does not let {role} copy it: that takes a role with the attribute REPLICATION. Its administrator runs
  CREATE ROLE stockpile_backup LOGIN REPLICATION PASSWORD '...';
lets that role in by a line in pg_hba.conf
  host replication stockpile_backup ADDRESS scram-sha-256
and reloads the server; then STOCKPILE_BACKUP_URL=postgresql://stockpile_backup:...@{host}/{database}. Where nobody gets that, as on many \
rented servers, use the server's own backups: docs/backup.md."""

REFUSALS = (
    (
        "permission denied to start WAL sender|must be superuser or replication role|no pg_hba.conf entry|pg_hba.conf rejects",
        NOT_LET_IN,
    ),
    (
        "max_wal_senders|wal_level|requested standby connections|all replication slots are in use",
        "The server does not give out its log to a backup now: {said}. Its administrator sets wal_level to replica, and "
        "max_wal_senders and max_replication_slots to 10; or another backup is under way.",
    ),
)
"""What PostgreSQL says, and what that means."""


def _copy_database(source: Source, target: Path) -> None:
    """Copies the server's data, then the log written meanwhile. Raises BackupFailed, DatabaseUnavailable."""
    program = find_program("pg_basebackup", int(source.postgresql.split(".")[0]))
    password = source.address.password or source.address.query.get("password")
    environment = {**os.environ, "LC_ALL": "C", **({"PGPASSWORD": str(password)} if password is not None else {})}
    command = [
        str(program), f"--dbname={_conninfo(source.address)}", f"--pgdata={target}", "--format=plain", "--wal-method=fetch",
        "--checkpoint=fast", "--label=stockpile", "--progress", "--no-sync", "--no-password",
    ]  # fmt: skip
    with (
        _log_kept(source, target),
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            errors="replace",
            preexec_fn=preparation(None, (), ends_with_parent=True),
        ) as process,
    ):
        try:
            said = _heard(process)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise _refused(source, target, said)


@contextmanager
def _log_kept(source: Source, target: Path) -> Iterator[None]:
    """Within it the server throws away nothing of its log: by a slot that ends with this connection, also when we are killed, as a second
    process of `pg_basebackup` would not.
    """
    password = {"password": source.address.password} if source.address.password is not None else {}
    asked = make_conninfo(_conninfo(source.address), replication="true", connect_timeout=10, **password)
    connection = PGconn.connect(asked.encode())
    try:
        if connection.status != ConnStatus.OK:
            raise _refused(source, target, connection.error_message.decode(errors="replace"))
        _check_same_server(source, connection)
        slot = f"stockpile_backup_{token_hex(8)}"
        answer = connection.exec_(f"CREATE_REPLICATION_SLOT {slot} TEMPORARY PHYSICAL RESERVE_WAL".encode())
        if answer.status != ExecStatus.TUPLES_OK:
            raise _refused(source, target, answer.error_message.decode(errors="replace"))
        yield
    finally:
        connection.finish()


def _check_same_server(source: Source, connection: abc.PGconn) -> None:
    """The address of who may copy is typed in by itself: it may lead to a server that has other books, or none."""
    answer = connection.exec_(b"IDENTIFY_SYSTEM")
    found = answer.get_value(0, 0) if answer.status == ExecStatus.TUPLES_OK else None
    if found is None or int(found) != source.system_identifier:
        address = source.address
        server = f"{address.host or address.query.get('host') or 'this machine'}:{address.port or 5432}"
        raise BackupFailed(
            f"STOCKPILE_BACKUP_URL leads to another PostgreSQL ({server}) than the one that the service works on: its backup would "
            "not hold these books. Nothing was kept of it: mend the address."
        )


def _heard(process: subprocess.Popen[str]) -> str:
    """Tells how far it is; gives all else that it said."""
    said = []
    assert process.stderr is not None
    for line in process.stderr:
        found = PROGRESS.search(line)
        if found:
            told("kB of the database copied", int(found[1]), int(found[2]))
        else:
            said.append(line)
    return "".join(said)


def _refused(source: Source, target: Path, said: str) -> StockpileError:
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return _full(target.parent.with_name(target.parent.name.removesuffix(UNFINISHED)))
    last = [line for line in said.splitlines() if line.strip()] or ["it did not say why"]
    word = last[-1].removeprefix("pg_basebackup: ").removeprefix("error: ")
    for pattern, meaning in REFUSALS:
        if re.search(pattern, said):
            address = source.address
            return BackupFailed(
                meaning.format(role=address.username, host=address.host or "HOST", database=address.database, said=word)
            )
    return DatabaseUnavailable(f"The database could not be copied: {word}. Nothing was kept of this backup.")


SECRET = frozenset({"password", "sslpassword"})


def _conninfo(address: URL) -> str:
    """Without the password, which everybody could read in the list of processes."""
    parts = address.translate_connect_args(username="user", database="dbname")
    parts.pop("password", None)
    return make_conninfo(**{**parts, **{name: value for name, value in address.query.items() if name not in SECRET}})


def _list_database(writing: Writing) -> None:
    paths = [os.path.join(DATABASE, path) for path in walk(writing.folder / DATABASE)]
    for done, path in enumerate(paths):
        if done % TOLD_EVERY == 0:
            told("files of the database read", done, len(paths))
        writing.listed(path, digest_of(writing.folder / path))


def _before(folder: Path) -> tuple[Path, Mapping[str, str]] | None:
    """The newest finished backup beside this one, with the digests of its files: what has not changed since is shared."""
    found = []
    for other in folder.parent.iterdir():
        if other != folder:
            try:
                found.append((read_about(other).finished_at, other))
            except (StockpileError, OSError):
                continue
    if not found:
        return None
    newest = max(found)[1]
    return newest, {path: digest for digest, path in sums(newest) if path.startswith(f"{FILES}/")}


def _copy_files(writing: Writing, store: Path, before: tuple[Path, Mapping[str, str]] | None) -> None:
    """Copies the stored files, with what is known of them beside; files still coming in are named by nothing yet."""
    for number, folder in enumerate(sorted(store.glob("[0-9a-f][0-9a-f]"))):
        told("of 256 folders of files copied", number, 256)
        (writing.folder / FILES / folder.name).mkdir(mode=0o700, parents=True)
        for source in sorted(folder.iterdir()):
            if DIGEST.fullmatch(source.stem) and source.suffix in ("", ".evidence", ".erased"):
                _copy_file(writing, source, f"{FILES}/{folder.name}/{source.name}", before)


def _copy_file(writing: Writing, source: Path, path: str, before: tuple[Path, Mapping[str, str]] | None) -> None:
    target = writing.folder / path
    shared = before is not None and not source.suffix and before[1].get(path) == source.name
    if shared and before is not None and _linked(before[0] / path, target):
        writing.linked += 1
        writing.listed(path, source.name)
        return
    try:
        digest = copy(source, target, 0o400)
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return  # erased by order at this moment
    if not source.suffix and digest != source.name:
        writing.altered.append(source.name)
    writing.listed(path, digest)


def _linked(earlier: Path, target: Path) -> bool:
    """Shares a file with the backup before, if it is still what its name says."""
    try:
        os.link(earlier, target)
        if digest_of(target) == target.name:
            return True
        target.unlink()
    except OSError:
        target.unlink(missing_ok=True)
    return False


def _copy_kept(writing: Writing, data: Path) -> None:
    for name in KEPT:
        place = data / name
        paths = (
            [os.path.join(name, path) for path in walk(place)] if place.is_dir() else [name] if place.exists() else []
        )
        for path in paths:
            target = writing.folder / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            writing.listed(path, copy(data / path, target, 0o600))


def _finish(writing: Writing, source: Source, begun_at: datetime) -> About:
    """Writes the list, makes all of it durable, and then says that it is whole."""
    with (writing.folder / SUMS).open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(writing.lines)
    make_durable(writing.folder)
    about = About(
        begun_at=begun_at,
        finished_at=datetime.now(UTC),
        program=program_version(),
        schema_version=source.schema_version,
        server=source.server,
        postgresql=source.postgresql,
        superuser=source.superuser,
        database=source.database,
        newest_document=source.newest_document,
        folders=tuple(_empty_folders(writing.folder)),
        files=len(writing.lines),
        size=writing.size,
        sums_sha256=digest_of(writing.folder / SUMS),
    )
    with (writing.folder / ABOUT).open("w", encoding="utf-8") as file:
        file.write(about.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _settle(writing.folder)
    return about


def _empty_folders(folder: Path) -> Iterator[str]:
    """Folders that PostgreSQL needs though nothing lies in them, which not every medium keeps."""
    for place, folders, names in os.walk(folder / DATABASE):
        if not folders and not names:
            yield os.path.relpath(place, folder)


def program_version() -> str:
    """The version of the program that is installed."""
    try:
        return version("stockpile")
    except PackageNotFoundError:
        return "development"

"""Our own PostgreSQL in a folder of the project: made, started, found again, stopped.

It listens on no network, only on a socket in a folder of its own that none but its owner can enter, and there
trusts whoever comes. It must never change a folder above the one it is given, stop a server that others still
use, start a second server on the same data, remove or repair data, or run the data of a depot without fsync.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from stockpile.db.binaries import Binaries, find_binaries
from stockpile.db.trouble import cause, in_words, last_word, tail
from stockpile.db.unprivileged import SystemUser, give, give_tree, preparation, server_user
from stockpile.errors import DatabaseUnavailable
from stockpile.sentences import sentence

SUPERUSER = "postgres"
PORT = 5432  # only a part of the socket's name
SOCKET_PATH_LIMIT = 107  # bytes, from sockaddr_un
LIST_SIGNS = frozenset(',:"')  # clients read a path with these as a list of hosts
LOG_LIMIT = 10_000_000
TEMPORARY_PREFIX = "stockpile-"

SAFE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
OURS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_error_verbosity": "terse",  # without details, which repeat rows of the books
    "lc_messages": "C",  # trouble.py reads it
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(slots=True)
class Server:
    """A running PostgreSQL and our hold on it, from `start` or `throw_away`; the last hold stops it."""

    folder: Path
    settings: Mapping[str, str]
    patience: float = 120.0
    ends_with_parent: bool = False
    _sockets: Path | None = None
    _process: subprocess.Popen[bytes] | None = None
    _hold: int | None = field(default=None, repr=False)

    @property
    def data(self) -> Path:
        return self.folder / "postgres"

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def sockets(self) -> Path:
        """The folder of the socket. Raises DatabaseUnavailable after `stop`."""
        if self._sockets is None:
            raise DatabaseUnavailable(sentence("The server in {folder} is not started.", folder=self.folder))
        return self._sockets

    @property
    def process_id(self) -> int | None:
        """The server's process, as its lock file names it."""
        lock = _read_lock_file(self.data)
        return lock.process_id if lock else None

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """SQLAlchemy's URL for a database and a user (a role) of this server."""
        place = {"host": str(self.sockets), "port": str(PORT)}
        url = URL.create("postgresql+psycopg", user, database=database, query=place)
        return url.render_as_string(hide_password=False)

    def conninfo(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """The same for psycopg, psql and pgbench."""
        return make_conninfo(host=str(self.sockets), port=PORT, dbname=database, user=user)

    def is_running(self) -> bool:
        """Whether the server is there and accepts connections."""
        lock = _read_lock_file(self.data)
        return self._sockets is not None and lock is not None and self._is_live(lock)

    def ensure_running(self) -> None:
        """Starts a killed server again, with all that was committed. Raises DatabaseUnavailable."""
        if not self.is_running():
            with in_words(self.folder):
                self._join()

    def trouble(self) -> str | None:
        """What the end of the log says of a server that doesn't work as it should, if it names anything."""
        return cause(tail(self.log), self.folder, self.log)

    def stop(self, *, at_once: bool = False) -> None:
        """Lets go of the server, and stops it if nobody else holds it; everything committed is on the disk.

        `at_once` leaves out the last checkpoint: quicker, and the next start reads the log.
        """
        if self._hold is None:
            return
        if self._sockets is not None and _lock(self._hold, fcntl.LOCK_EX):
            self._end(signal.SIGQUIT if at_once else signal.SIGINT)
            self._remove_temporary(self._sockets)
        self.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def leave(self) -> None:
        """Lets go of the server without stopping it, as a forked child must: its parent's hold is not its own."""
        if self._hold is not None:
            os.close(self._hold)
        self._hold = self._process = self._sockets = None

    def _join(self) -> None:
        """Takes a shared hold on a server that runs; starts it first if nobody else holds the folder.

        Whoever starts or stops has the exclusive hold meanwhile; unlike a process number it also counts
        between containers, and ends with its process.
        """
        if self._hold is None:
            self._hold = _open_hold(self.folder / "postgres.hold", server_user(self.data))
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            if _lock(self._hold, fcntl.LOCK_EX) and not self._find():
                self._launch()
            if _lock(self._hold, fcntl.LOCK_SH):
                if self._find():
                    return
                deadline = min(deadline, time.monotonic() + 5)
            fcntl.flock(self._hold, fcntl.LOCK_UN)
            time.sleep(0.05)
        raise DatabaseUnavailable(
            sentence(
                "Another Stockpile holds {folder}, but its server does not answer. Stop that one, then start again.",
                folder=self.folder,
            )
        )

    def _find(self) -> bool:
        """Whether a server of ours runs; waits for one that is just starting or stopping."""
        deadline = time.monotonic() + self.patience
        while (lock := _read_lock_file(self.data)) and time.monotonic() < deadline:
            if self._is_live(lock):
                self._sockets = lock.sockets
                return True
            if not _is_postmaster(lock.process_id, self.data):
                return False
            if lock.sockets and not self._is_ours(lock.sockets):
                raise DatabaseUnavailable(
                    sentence(
                        "A PostgreSQL that Stockpile did not start (process {process_id}) runs on {data}. Stop "
                        "it, then start again.",
                        process_id=lock.process_id,
                        data=self.data,
                    )
                )
            time.sleep(0.02)
        return False

    def _is_live(self, lock: _LockFile) -> bool:
        if lock.status != "ready" or lock.sockets is None or not self._is_ours(lock.sockets):
            return False
        return _is_postmaster(lock.process_id, self.data) or _answers(lock.sockets, self.data)

    def _is_ours(self, sockets: Path) -> bool:
        return sockets == self.folder / "socket" or sockets.name.startswith(TEMPORARY_PREFIX)

    def _launch(self) -> None:
        """Starts the server, under the exclusive hold. Raises DatabaseUnavailable with the cause."""
        user = server_user(self.data)
        binaries = self._binaries()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(binaries, user)
        give_tree(self.data, user)
        self._clear_remains()
        self._sockets = self._make_sockets(user)
        for attempt in range(100):
            begun = self._begin(binaries, user)
            if self._await_ready():
                return
            written = tail(self.log, begun)
            if "pre-existing shared memory" not in written:
                break
            time.sleep(0.1 if attempt else 0)  # the children of a killed server leave a moment after it
        self._remove_temporary(self._sockets)
        raise DatabaseUnavailable(
            cause(written, self.folder, self.log)
            or sentence(
                "PostgreSQL stopped at once: {written}. {log} says more.", written=last_word(written), log=self.log
            )
        )

    def _begin(self, binaries: Binaries, user: SystemUser | None) -> int:
        """Starts the process, and returns where in the log its words begin."""
        program = binaries.program("postgres")
        settings = {**OURS, **self.settings, "unix_socket_directories": f'"{self.sockets}"'}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        reached = (program, self.data, self.sockets)
        with _open_log(self.log, user) as log:
            self._process = subprocess.Popen(
                [str(program), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for Stockpile, which then stops the server
                preexec_fn=preparation(user, reached, ends_with_parent=self.ends_with_parent),
            )
            return log.tell()

    def _await_ready(self) -> bool:
        """True when the server accepts connections, False when it has ended."""
        deadline = time.monotonic() + self.patience
        while self._process is not None and self._process.poll() is None:
            lock = _read_lock_file(self.data)
            if lock and lock.process_id == self._process.pid and lock.status == "ready":
                return True
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    sentence(
                        "PostgreSQL is still starting after {patience:.0f} s, as happens when it reads its log "
                        "after a crash. It goes on; start again in a while. {log} shows how far it is.",
                        patience=self.patience,
                        log=self.log,
                    )
                )
            time.sleep(0.01)
        return False

    def _binaries(self) -> Binaries:
        made_by = self.data / "PG_VERSION"
        return find_binaries(int(made_by.read_text(encoding="utf-8")) if made_by.exists() else None)

    def _initialise(self, binaries: Binaries, user: SystemUser | None) -> None:
        """Makes the data folder beside its place, so that half a one is never taken for one."""
        if self.data.exists() and any(self.data.iterdir()):
            raise DatabaseUnavailable(
                sentence(
                    "{data} holds files, but not the data of a PostgreSQL. Move them away, or choose another folder.",
                    data=self.data,
                )
            )
        new = self.folder / "postgres.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        give(new, user)
        command = [str(binaries.program("initdb")), "-D", str(new), "-U", SUPERUSER, "--auth-local=trust"]
        command += ["--auth-host=reject", "--encoding=UTF8", "--locale=C", "--data-checksums"]
        done = subprocess.run(
            [*command, "--no-sync"] if self.settings["fsync"] == "off" else command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=new,
            env=_environment(),
            preexec_fn=preparation(user, (binaries.program("postgres"), new), needs_name=True),
            check=False,
        )
        if done.returncode:
            said = done.stdout.decode(errors="replace")
            raise DatabaseUnavailable(
                cause(said, self.folder, self.log)
                or sentence("PostgreSQL could not make its data: {said}.", said=last_word(said))
            )
        new.rename(self.data)
        _make_durable(self.folder)

    def _clear_remains(self) -> None:
        """What a killed server leaves: a temporary socket folder, a lock file with a number now free."""
        if self._process is not None:
            self._process.poll()  # buried, or its number would keep the socket's lock file
        lock = _read_lock_file(self.data)
        if lock is not None and not _is_postmaster(lock.process_id, self.data):
            if lock.sockets:
                self._remove_temporary(lock.sockets)
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _make_sockets(self, user: SystemUser | None) -> Path:
        """A folder only its owner enters: in the project, or a temporary one where that path won't do."""
        sockets = self.folder / "socket"
        too_long = len(os.fsencode(sockets / f".s.PGSQL.{PORT}")) > SOCKET_PATH_LIMIT
        if too_long or set(str(sockets)) & LIST_SIGNS:
            sockets = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX))
        sockets.mkdir(mode=0o700, exist_ok=True)
        sockets.chmod(0o700)
        give(sockets, user)
        return sockets

    def _remove_temporary(self, sockets: Path) -> None:
        if sockets != self.folder / "socket" and sockets.name.startswith(TEMPORARY_PREFIX):
            shutil.rmtree(sockets, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        """Stops our server and waits for its end; one that takes long ends without its last checkpoint."""
        lock = _read_lock_file(self.data)
        if lock is None or not _is_postmaster(lock.process_id, self.data):
            return
        child = self._process if self._process and self._process.pid == lock.process_id else None
        if child is None and not (lock.sockets and self._is_ours(lock.sockets)):
            return
        for attempt, patience in ((how, 60.0), (signal.SIGQUIT, 10.0)):
            with suppress(ProcessLookupError):
                os.kill(lock.process_id, attempt)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if not _is_postmaster(lock.process_id, self.data):
                    if child is not None:
                        child.wait()
                    return
                time.sleep(0.01)


def start(
    folder: Path,
    *,
    max_connections: int = 100,
    settings: Mapping[str, str] | None = None,
    patience: float = 120.0,
) -> Server:
    """The PostgreSQL of a folder, in `<folder>/postgres`: made at the first start, joined where it runs.

    `settings` are PostgreSQL's own, e.g. `{"shared_buffers": "1GB"}`, for a server that starts now; those
    that keep the data safe and the network out are ours. Raises DatabaseUnavailable: the cause, a way on.
    """
    taken = sorted(set(settings or {}) & {*SAFE, *OURS, "unix_socket_directories"})
    if taken:
        raise DatabaseUnavailable(
            sentence("The embedded server sets {taken} itself. Take it out of the settings.", taken=", ".join(taken))
        )
    chosen = {"max_connections": str(max_connections), **(settings or {}), **SAFE}
    return _started(Server(folder.resolve(), chosen, patience))


@contextmanager
def throw_away(
    *,
    max_connections: int = 100,
    fsync: bool = True,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server in a temporary folder, for tests and benchmarks: stopped and removed at the end.

    Without `fsync` it acknowledges sooner than it may, and no rate measured on it counts. It ends with the
    thread that started it, even a killed one. Raises DatabaseUnavailable.
    """
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX)).resolve()
    safety = SAFE if fsync else dict.fromkeys(SAFE, "off")
    chosen = {"max_connections": str(max_connections), **(settings or {}), **safety}
    server = Server(folder, chosen, ends_with_parent=True)
    try:
        give(folder, server_user(server.data))
        yield _started(server)
    finally:
        server.stop(at_once=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def standing_still(folder: Path) -> Iterator[None]:
    """Within it nobody starts the server of a folder, which is made if it is not there. Raises DatabaseUnavailable where one runs."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "postgres"
    hold = _open_hold(folder / "postgres.hold", server_user(data))
    try:
        lock = _read_lock_file(data)
        if not _lock(hold, fcntl.LOCK_EX) or (lock is not None and _is_postmaster(lock.process_id, data)):
            raise DatabaseUnavailable(
                sentence("A Stockpile works on {folder}. Stop it first. Nothing was touched.", folder=str(folder))
            )
        yield
    finally:
        os.close(hold)


def _started(server: Server) -> Server:
    with in_words(server.folder):
        server.folder.mkdir(parents=True, exist_ok=True)
        try:
            server._join()
        except DatabaseUnavailable:
            server.leave()  # one that is still starting goes on
            raise
        except BaseException:
            server.stop()
            raise
    return server


@dataclass(frozen=True, slots=True)
class _LockFile:
    """What PostgreSQL writes to `postmaster.pid`, as far as we need it."""

    process_id: int
    sockets: Path | None
    status: str


def _read_lock_file(data: Path) -> _LockFile | None:
    try:
        lines = os.fsdecode((data / "postmaster.pid").read_bytes()).splitlines()
        process_id = abs(int(lines[0]))  # negative: single-user mode
    except (FileNotFoundError, IndexError, ValueError):
        return None
    lines += [""] * 8
    return _LockFile(process_id, Path(lines[4]) if lines[4] else None, lines[7].strip())


def _is_postmaster(process_id: int, data: Path) -> bool:
    """Whether the process lives and is a server on this data: its number may be another process's by now."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, and is another user's
    here = Path("/proc", str(process_id))
    try:
        return (here / "cwd").samefile(data)  # a server works in its data folder
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # ended but not yet buried; or no /proc here: believe the lock file
    except PermissionError:
        return Path(os.fsdecode((here / "cmdline").read_bytes().split(b"\0")[0])).name.startswith("postgres")


def _answers(sockets: Path, data: Path) -> bool:
    """Whether a server that we cannot see, as in another container, answers at the socket for this data."""
    try:
        with psycopg.connect(
            host=str(sockets), port=PORT, dbname="postgres", user=SUPERUSER, connect_timeout=5
        ) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.Error:
        return False
    return row is not None and Path(row[0]) == data


def _open_hold(path: Path, user: SystemUser | None) -> int:
    hold = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    give(path, user)
    return hold


def _lock(hold: int, kind: int) -> bool:
    try:
        fcntl.flock(hold, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_log(path: Path, user: SystemUser | None) -> BinaryIO:
    """The log at its end, and afresh when it has grown too long; the one before stays as `postgres.log.1`."""
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.rename(path.with_suffix(".log.1"))
    log = os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")
    give(path, user)
    log.seek(0, os.SEEK_END)
    return log


def _environment() -> dict[str, str]:
    """Ours without what would steer PostgreSQL or its language."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _make_durable(folder: Path) -> None:
    """A renamed folder is only there after a power cut if the folder above it was written."""
    above = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(above)
    finally:
        os.close(above)

"""Stories of the embedded PostgreSQL: it starts for root and for an ordinary user, keeps its data through
whatever happens to it, leaves the folders above it alone, and says in plain words what is wrong.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy

from stockpile.db import binaries
from stockpile.db.binaries import Binaries, find_binaries
from stockpile.db.embedded import SOCKET_PATH_LIMIT, Server, start, throw_away
from stockpile.db.unprivileged import missing_capabilities, preparation, server_user
from stockpile.errors import DatabaseUnavailable

ROOT = os.geteuid() == 0
ORDINARY = 12345 if ROOT else os.geteuid()
USERS = sorted({os.geteuid(), ORDINARY})
INSTALLED = {each.source: each for each in binaries._installations() if each.source in ("system", "wheel")}
PR_SET_DUMPABLE = 4


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home closed to others, straight under the system's temporary folder; the tester's PGBIN is out."""
    monkeypatch.delenv("PGBIN", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="home-")).resolve()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Story:
    """A home of mode 0700, a project in it, and the user who tries it with a PostgreSQL that he can reach."""

    home: Path
    user: int
    pgbin: Path

    @property
    def var(self) -> Path:
        return self.home / "project" / "var"

    def tell(self, story: Callable[[], Any]) -> Any:
        """Runs the story as its user; root does so in a process of its own. What it raises is raised here."""

        def with_its_postgres() -> Any:
            os.environ["PGBIN"] = str(self.pgbin)
            return story()

        return in_a_process(with_its_postgres, self.user)


@pytest.fixture(params=[(user, source) for user in USERS for source in INSTALLED], ids=lambda p: f"{p[1]}-{p[0]}")
def story(request: pytest.FixtureRequest, home: Path) -> Story:
    user, source = request.param
    pgbin = INSTALLED[source].folder
    if source == "wheel":  # as where the project lies in that home, environment and all
        package = pgbin.parent.parent
        libraries = package.with_name(package.name + ".libs")
        shutil.copytree(pgbin.parent, home / package.name / pgbin.parent.name)
        shutil.copytree(libraries, home / libraries.name)
        pgbin = home / package.name / pgbin.parent.name / "bin"
    (home / "project").mkdir(mode=0o750)
    for path in (home, *home.rglob("*")):
        os.chown(path, user, user if ROOT else -1, follow_symlinks=False)
    return Story(home, user, pgbin)


def in_a_process(story: Callable[[], Any], user: int | None = None) -> Any:
    """Runs a story in a child of this process, as a user where one is named, and returns or raises what it
    did.
    """
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if user is not None and user != os.geteuid():
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
                ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as in a process the user started
            outcome = (True, story())
        except DatabaseUnavailable as problem:
            outcome = (False, problem.detail)
        except BaseException:
            outcome = (None, traceback.format_exc())
        os.write(sender, pickle.dumps(outcome))
        os._exit(0)
    os.close(sender)
    with os.fdopen(receiver, "rb") as pipe:
        good, answer = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    if good is None:
        raise AssertionError(answer)
    if not good:
        raise DatabaseUnavailable(answer)
    return answer


def ask(server: Server, question: str, *parameters: object) -> Any:
    with psycopg.connect(server.conninfo(), autocommit=True) as connection:
        cursor = connection.execute(question, parameters or None)
        return cursor.fetchone()[0] if cursor.description else None


def remember(server: Server) -> None:
    """Commits one row that must outlive whatever comes."""
    ask(server, "CREATE TABLE IF NOT EXISTS kept (serial text PRIMARY KEY)")
    ask(server, "INSERT INTO kept VALUES ('AB 1234')")


def kept(server: Server) -> str:
    return str(ask(server, "SELECT serial FROM kept"))


def is_alive(process_id: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{process_id}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until_gone(process_id: int) -> None:
    deadline = time.monotonic() + 10
    while is_alive(process_id):
        assert time.monotonic() < deadline, f"process {process_id} is still there"
        time.sleep(0.02)


def kill(server: Server) -> None:
    assert server.process_id
    os.kill(server.process_id, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while server.is_running():
        assert time.monotonic() < deadline, "the killed server still runs"
        time.sleep(0.02)


def modes(folder: Path) -> dict[Path, tuple[int, int, int]]:
    return {each: (each.stat().st_mode, each.stat().st_uid, each.stat().st_gid) for each in (folder, *folder.parents)}


def test_data_survive_a_restart_and_no_folder_above_changes(story: Story) -> None:
    """In a project under a home of mode 0700, root or an ordinary user starts, writes, stops, starts again:
    the row is there, the second start took well under 2 s, and home, project and all above are as they were.
    """
    before = modes(story.home / "project")

    def first() -> None:
        with start(story.var) as server:
            remember(server)

    def second() -> tuple[str, float]:
        begun = time.monotonic()
        with start(story.var) as server:
            return kept(server), time.monotonic() - begun

    story.tell(first)
    row, seconds = story.tell(second)

    assert row == "AB 1234"
    assert seconds < 2
    assert modes(story.home / "project") == before
    assert before[story.home][0] & 0o777 == 0o700
    assert (story.var / "postgres").stat().st_mode & 0o777 == 0o700
    assert (story.var / "socket").stat().st_mode & 0o777 == 0o700


def test_what_a_depot_must_rely_on(story: Story) -> None:
    """The server of a depot writes through, checks its pages, speaks UTF-8, listens on no network, is not
    root, and has no capability beyond passing closed folders; a setting changed behind its back does not
    count.
    """

    def tell() -> dict[str, str]:
        with start(story.var, max_connections=33, settings={"work_mem": "5MB"}) as server:
            ask(server, "ALTER SYSTEM SET fsync = off")
        with start(story.var, max_connections=33, settings={"work_mem": "5MB"}) as server:
            names = "fsync full_page_writes synchronous_commit data_checksums server_encoding listen_addresses"
            told = {name: ask(server, f"SHOW {name}") for name in [*names.split(), "max_connections", "work_mem"]}
            status = Path(f"/proc/{server.process_id}/status").read_text().splitlines()
            return told | {line.split()[0]: line.split()[1] for line in status if line.startswith(("Uid", "CapEff"))}

    told = story.tell(tell)

    assert told.pop("Uid:") == ("65534" if story.user == 0 else str(story.user))
    assert int(told.pop("CapEff:"), 16) == (0b10 if story.user == 0 else 0)
    assert told == {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "max_connections": "33",
        "work_mem": "5MB",
    }


def test_a_killed_server_comes_back_with_all_that_was_committed(story: Story) -> None:
    """PostgreSQL is killed with -9, which leaves its lock file: the next start heals by itself."""

    def tell() -> tuple[str, str]:
        with start(story.var) as server:
            remember(server)
            kill(server)
            assert (server.data / "postmaster.pid").exists()
            server.ensure_running()
            after_first = kept(server)
            kill(server)
        with start(story.var) as server:
            return after_first, kept(server)

    assert story.tell(tell) == ("AB 1234", "AB 1234")


def test_an_open_project_gives_root_s_server_no_capability() -> None:
    """Where every folder above can be passed, the server of root has no privilege at all."""
    with throw_away(fsync=False) as server:
        reachable = find_binaries().program("postgres")
        closed = any(not each.stat().st_mode & 1 for each in (reachable, *reachable.parents))
        status = Path(f"/proc/{server.process_id}/status").read_text()
        held = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
        assert int(held, 16) == (0b10 if closed and ROOT else 0)


def test_a_lock_file_with_a_number_that_is_another_s_now(home: Path) -> None:
    """After a crash the number in the lock file was given to another program: that one is left alone, and the
    server starts.
    """
    with start(home / "var") as server:
        remember(server)
        kill(server)
        lines = (server.data / "postmaster.pid").read_text().splitlines()
    as_server = preparation(server_user(server.data), ())  # PostgreSQL itself sees through other users' numbers
    with subprocess.Popen(["sleep", "60"], preexec_fn=as_server) as other:
        (server.data / "postmaster.pid").write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        with start(home / "var") as server:
            assert kept(server) == "AB 1234"
            assert server.process_id != other.pid
        assert other.poll() is None
        other.kill()


def test_the_last_to_leave_stops_the_server(home: Path) -> None:
    """A second Stockpile on the folder joins the server of the first; it runs until both have left."""
    first = start(home / "var")
    second = start(home / "var")
    server_process = first.process_id
    assert second.process_id == server_process

    first.stop()
    assert ask(second, "SELECT 1") == 1
    second.stop()

    assert server_process
    wait_until_gone(server_process)
    with pytest.raises(DatabaseUnavailable, match="not started"):
        second.url()


def test_many_start_at_once(home: Path) -> None:
    """Six starts on a new folder at the same moment: one server, made once, used by all."""
    with ThreadPoolExecutor(6) as pool:
        servers = list(pool.map(lambda _: start(home / "var"), range(6)))
    assert len({server.process_id for server in servers}) == 1
    for server in servers:
        assert ask(server, "SELECT 1") == 1
        server.stop()
    assert not (home / "var/postgres/postmaster.pid").exists()


def test_a_killed_stockpile_leaves_a_server_that_the_next_one_takes_over(home: Path) -> None:
    """Stockpile ends without a word while its server runs on; the next one uses that server, and stops it."""

    def begin_and_vanish() -> int | None:
        server = start(home / "var")
        remember(server)
        return server.process_id

    left_behind = in_a_process(begin_and_vanish)
    assert is_alive(left_behind)
    with start(home / "var") as server:
        assert server.process_id == left_behind
        assert kept(server) == "AB 1234"
    wait_until_gone(left_behind)


def test_a_server_that_is_not_ours_is_named_and_left_alone(home: Path) -> None:
    """An administrator runs PostgreSQL on the folder by hand: we say so, and do not touch it."""
    start(home / "var").stop()
    data, sockets = home / "var/postgres", Path(tempfile.mkdtemp(prefix="by-hand-"))
    owner = data.stat()
    os.chown(sockets, owner.st_uid, owner.st_gid)
    os.chmod(home, 0o711)
    program = find_binaries().program("postgres")
    command = [program, "-D", data, "-k", sockets, "-c", "listen_addresses="]
    prepare = preparation(server_user(data), (program, data, sockets))
    with subprocess.Popen(command, preexec_fn=prepare, stderr=subprocess.DEVNULL, cwd="/") as by_hand:
        while not (sockets / ".s.PGSQL.5432").exists():
            time.sleep(0.02)
        with pytest.raises(DatabaseUnavailable, match=f"did not start .process {by_hand.pid}"):
            start(home / "var")
        assert by_hand.poll() is None
        by_hand.send_signal(signal.SIGINT)
    shutil.rmtree(sockets)
    start(home / "var").stop()


def test_a_project_deep_down_has_its_socket_elsewhere(home: Path) -> None:
    """A socket's path has at most 107 bytes: beyond, the socket lies in a private temporary folder, gone at
    the end.
    """
    deep = home / ("d" * 100) / "var"
    with start(deep) as server:
        sockets = server.sockets
        assert deep not in sockets.parents
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT
        assert sockets.stat().st_mode & 0o777 == 0o700
        remember(server)
        kill(server)
        server.ensure_running()
        assert kept(server) == "AB 1234"
        assert not sockets.exists() or server.sockets == sockets
        sockets = server.sockets
    assert not sockets.exists()


@pytest.mark.parametrize("name", ["مستودع 100%'s &?#", "a,b", "a:b", 'a"b'])
def test_odd_letters_in_the_path(home: Path, name: str) -> None:
    """Whatever the project's folders are called, its server starts and its URL and conninfo lead there."""
    with start(home / name) as server:
        engine = sqlalchemy.create_engine(server.url())
        with engine.connect() as connection:
            found = connection.scalar(sqlalchemy.text("SHOW data_directory"))
        engine.dispose()
        assert found == ask(server, "SHOW data_directory") == str(home / name / "postgres")


def test_a_full_disk(home: Path) -> None:
    """The disk is full at the start (/dev/full stands for it): we say so and what to do; with room, all is
    there.
    """
    with start(home / "var") as server:
        remember(server)
    options = home / "var/postgres/postmaster.opts"
    options.unlink()
    options.symlink_to("/dev/full")
    with pytest.raises(DatabaseUnavailable, match=r"is full\. Make room and start again"):
        start(home / "var")
    options.unlink()
    with start(home / "var") as server:
        assert kept(server) == "AB 1234"


def test_data_of_another_version_find_their_own_programs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data made by an older PostgreSQL are opened by that one though a newer comes first; where it is missing
    we name it, and leave the data as they are.
    """
    wheels = sorted((each for each in binaries._installations() if each.source == "wheel"), key=lambda each: each.major)
    older, newer = wheels[0], wheels[-1]
    monkeypatch.setenv("PGBIN", str(older.folder))
    with start(home / "var") as server:
        remember(server)
    monkeypatch.setenv("PGBIN", str(newer.folder))
    with start(home / "var") as server:
        assert ask(server, "SHOW server_version_num")[:2] == str(older.major)
        assert kept(server) == "AB 1234"

    version = home / "var/postgres/PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 12, and only 12 can read them"):
        start(home / "var")
    version.write_text(f"{older.major}\n")
    with start(home / "var") as server:
        assert kept(server) == "AB 1234"


def test_which_postgresql_is_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$PGBIN comes first, then the system's, then the wheel's newest; a wrong $PGBIN is named, and so is
    having none.
    """
    assert find_binaries().source == next(source for source in ("system", "wheel") if source in INSTALLED)
    wheel = INSTALLED["wheel"]
    monkeypatch.setenv("PGBIN", str(wheel.folder))
    assert find_binaries() == Binaries(wheel.folder, wheel.version, "PGBIN")
    monkeypatch.setenv("PGBIN", str(home))
    with pytest.raises(DatabaseUnavailable, match=f"PGBIN names {home}"):
        find_binaries()

    monkeypatch.delenv("PGBIN")
    monkeypatch.setattr(binaries, "SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(home))
    assert find_binaries().source == "wheel"
    assert find_binaries().major == max(each.major for each in binaries._installations())
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(DatabaseUnavailable, match=r"is needed; found: none.*STOCKPILE_DATABASE_URL"):
        find_binaries()


def test_a_folder_of_another_user(home: Path) -> None:
    """Somebody starts Stockpile on a folder that is not theirs: the file, its owner, the way on."""
    var = home / "var"
    var.mkdir()
    os.chmod(home, 0o755)
    os.chmod(var, 0o555)

    with pytest.raises(DatabaseUnavailable, match=f"You may not use {var}.*which belongs to user {os.geteuid()}"):
        in_a_process(lambda: start(var), ORDINARY)


def test_data_that_lost_their_owner_or_mode_are_explained(home: Path) -> None:
    """The data folder was opened to others, which PostgreSQL refuses: we name it and what it needs."""
    start(home / "var").stop()
    (home / "var/postgres").chmod(0o777)
    with pytest.raises(DatabaseUnavailable, match=r"may not use .*closed to others"):
        start(home / "var")


def test_damaged_data_are_kept_and_named(home: Path) -> None:
    """A control file full of rubbish: nothing is repaired or removed; a backup is the way on."""
    start(home / "var").stop()
    control = home / "var/postgres/global/pg_control"
    control.write_bytes(b"\xff" * 8192)
    with pytest.raises(DatabaseUnavailable, match=r"damaged.*restore a backup"):
        start(home / "var")
    assert control.read_bytes() == b"\xff" * 8192


def test_an_interrupted_first_start_is_begun_anew(home: Path) -> None:
    """The first start was cut off half way: the next makes the data anew. A folder of strange files stays as
    it is.
    """
    (home / "var/postgres.new/base").mkdir(parents=True)
    with start(home / "var") as server:
        assert ask(server, "SELECT 1") == 1

    strange = home / "other/postgres/letter.txt"
    strange.parent.mkdir(parents=True)
    strange.write_text("dear depot")
    with pytest.raises(DatabaseUnavailable, match="holds files, but not the data of a PostgreSQL"):
        start(home / "other")
    assert strange.read_text() == "dear depot"


def test_a_root_without_the_capability_hears_what_to_do(home: Path) -> None:
    """A container withholds CAP_DAC_OVERRIDE from its root: another user or a database URL will do."""

    def without_override() -> list[str]:
        if ROOT:
            all_but_one = (1 << 9) - 1 - 0b10
            header = struct.pack("Ii", 0x20080522, 0)
            assert ctypes.CDLL(None).capset(header, struct.pack("6I", all_but_one, all_but_one, 0, 0, 0, 0)) == 0
            with pytest.raises(DatabaseUnavailable, match=r"missing: CAP_DAC_OVERRIDE.*STOCKPILE_DATABASE_URL"):
                start(Path("/tmp/never-made/var"))
        return missing_capabilities()

    assert "CAP_DAC_OVERRIDE" in in_a_process(without_override)


def test_settings_that_endanger_the_data_are_refused(home: Path) -> None:
    """Nobody switches fsync off, or the network on, by a setting."""
    with pytest.raises(DatabaseUnavailable, match="fsync, listen_addresses"):
        start(home / "var", settings={"fsync": "off", "listen_addresses": "*"})
    assert not (home / "var").exists()


def test_the_log_repeats_no_row(home: Path) -> None:
    """A refused row is a complaint in the log, but its serial number is not in it."""
    with start(home / "var") as server:
        remember(server)
        with pytest.raises(psycopg.errors.UniqueViolation):
            ask(server, "INSERT INTO kept VALUES (%s)", "AB 1234")
        log = server.log.read_text()
    assert "duplicate key" in log
    assert "AB 1234" not in log.split("duplicate key")[1]


def test_a_throw_away_server_leaves_nothing_behind() -> None:
    """With fsync for benchmarks, without for tests; afterwards process and folder are gone."""
    with throw_away(max_connections=7) as careful, throw_away(fsync=False) as quick:
        assert (ask(careful, "SHOW fsync"), ask(quick, "SHOW fsync")) == ("on", "off")
        assert ask(careful, "SHOW max_connections") == "7"
        processes, folders = [careful.process_id, quick.process_id], [careful.folder, quick.folder]
    for process_id, folder in zip(processes, folders, strict=True):
        assert process_id
        wait_until_gone(process_id)
        assert not folder.exists()


def test_a_throw_away_server_ends_with_a_killed_test() -> None:
    """The tests are killed with -9: their server does not stay and eat memory."""

    held = ExitStack()  # never closed

    def begin_and_vanish() -> tuple[int, Path]:
        server = held.enter_context(throw_away(fsync=False))
        assert server.process_id
        return server.process_id, server.folder

    process_id, folder = in_a_process(begin_and_vanish)
    wait_until_gone(process_id)
    shutil.rmtree(folder)

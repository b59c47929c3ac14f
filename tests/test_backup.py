"""Backup and restore: made while the counter works, whole or recognised as not whole, restored beside or instead of what is there; and
after it nothing that was numbered since is numbered again, while all that stations and papers still have comes back once.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine

from stockpile import backup, devices, restore, series
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.backup import BackupFailed
from stockpile.backup_contents import DamagedBackup, check
from stockpile.db import embedded, migrate, ready, roles
from stockpile.db.binaries import find_binaries
from stockpile.db.engine import connected, engine_of, transaction
from stockpile.db.unprivileged import give_tree, preparation, server_user
from stockpile.device_vouchers import Contact, SignedVoucher, take
from stockpile.documents import Posted, now
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.reports.trial_balance import proof
from stockpile.restore import RestoreFailed
from stockpile.rights import Actor
from stockpile.settings import read_settings
from tests.conftest import Databases
from tests.device import FieldDevice
from tests.service import Service, free_port
from tests.test_own_server import ADMINISTRATOR, PASSWORD, OwnServer, arguments, operator, own_server
from tests.world import RIFLES, Country, ago, found_country, kinds, paper, photo, scanned_paper, scans

__all__ = ["operator", "own_server"]

STORE = "Main store"
TABLES = ("document", "entry", "holding", "item", "identification", "signatory", "discrepancy", "party", "unsequenced")


@contextmanager
def lying_in(data: Path) -> Iterator[None]:
    """The installation of a data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STOCKPILE_DATA", str(data))
        yield


@dataclass
class Depot:
    """The small world with an embedded server of its own, and a tablet at the gate."""

    data: Path
    country: Country
    tablet: FieldDevice = field(default_factory=FieldDevice)

    def backup(self, name: str) -> Path:
        """Makes a backup beside the others."""
        return backup.make(read_settings(), self.data.parent / "backups" / name).folder

    def out(self, rifle: str, **more: Any) -> Posted:
        return self.country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(rifle), **more)

    def back(self, rifle: str, **more: Any) -> Posted:
        return self.country.do("clerk", RETURN, store=STORE, lines=scans(rifle), **more)

    def brings(self, *vouchers: dict[str, str]) -> list[Posted]:
        """What the tablet sends, carried by the clerk, and the documents that became of it."""
        contact = Contact(device_time=now(), vouchers=tuple(SignedVoucher(**voucher) for voucher in vouchers))
        outcomes = take(
            self.country.engine, self.country.actors["clerk"], UUID(self.tablet.device_id), contact
        ).outcomes
        assert [outcome.problem for outcome in outcomes] == [None] * len(vouchers)
        return [outcome.posted for outcome in outcomes if outcome.posted]


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Depot]:
    """Founded once; its server runs while this file is tested."""
    data = tmp_path_factory.mktemp("depot") / "var"
    made: list[Country] = []
    with lying_in(data), embedded.start(data, settings={"wal_level": "replica"}) as server:
        ready.make_embedded(server, lambda engine: made.append(found_country(engine)))
        engine = engine_of(server.url(ready.DATABASE, roles.SERVICE))
        found = Depot(data, made[0].on(engine))
        commander = found.country.actors["commander"]
        with transaction(engine, roles.POSTER, commander.site_id) as connection:
            device_id = devices.enrol(connection, commander, "TAB-3", "Tablet 3", found.tablet.public_key)
        found.tablet.device_id = str(device_id)
        yield found
        engine.dispose()


def rows(engine: Engine) -> dict[str, set[str]]:
    """All that is in the ledger, row by row."""
    found = {}
    with connected(engine) as connection:
        for table in TABLES:
            answer = connection.exec_driver_sql(f"SELECT to_jsonb(t)::text FROM stockpile.{table} t")
            found[table] = {str(row[0]) for row in answer}
    return found


def as_administrator(country: Country) -> Engine:
    return engine_of(country.engine.url.set(username=embedded.SUPERUSER).render_as_string())


@contextmanager
def restored(depot: Depot, folder: Path, data: Path) -> Iterator[tuple[restore.Restored, Depot]]:
    """A backup restored into another folder, and the depot that works there."""
    with lying_in(data):
        done = restore.restore(read_settings(), folder)
        with embedded.start(data) as server:
            engine = engine_of(server.url(ready.DATABASE, roles.SERVICE))
            yield done, Depot(data, depot.country.on(engine), depot.tablet)
            engine.dispose()


def while_working(work: Callable[[int], object]) -> Callable[[], int]:
    """Does something again and again until what is returned is called, which says how often."""
    stop, done = threading.Event(), list[int]()

    def run() -> None:
        while not stop.is_set():
            work(len(done))
            done.append(1)

    thread = threading.Thread(target=run)
    thread.start()

    def ended() -> int:
        stop.set()
        thread.join(60)
        return len(done)

    return ended


def test_what_a_depot_loses_with_its_disk_comes_back_once(depot: Depot, tmp_path: Path) -> None:
    """A backup is made while rifles go in and out, each with a photo. Afterwards the depot writes on: at the counter, on the tablet, on
    paper, at a new counter, a new rifle. Then the disk dies.

    Restored, the books are those of the backup to the byte and close. New numbers are in a new series, new tags far away. The tablet
    posts again all it has, the station and the paper too: each document is there once, under its old number where that is its own.
    """
    tablet = depot.tablet
    before = [tablet.write("issue", ago(minutes=9), {"receiver": "A-1002", "store": STORE, "lines": scans(RIFLES[0])})]
    (sent,) = depot.brings(*before)
    seen = depot.out(RIFLES[1], attachments=[file_store().keep([photo(300)], 100_000).sha256])

    def work(turn: int) -> object:
        attached = [file_store().keep([photo(turn)], 100_000).sha256]
        return (depot.back if turn % 2 else depot.out)(RIFLES[2], attachments=attached)

    ended = while_working(work)
    folder = depot.backup("monday")
    assert ended() > 2

    at_counter = new_key()
    lost = depot.country.do("clerk", RETURN, document_id=at_counter, store=STORE, lines=scans(RIFLES[1]))
    written = tablet.write("return", ago(minutes=2), {"store": STORE, "lines": scans(RIFLES[0])})
    (from_tablet,) = depot.brings(written)
    sheet = paper(17, ago(minutes=1))
    keyed: dict[str, Any] = {
        "document_id": new_key(),
        "receiver": "A-1003",
        "store": STORE,
        "lines": scans(RIFLES[3]),
        "paper": sheet,
    }
    depot.country.do("clerk", ISSUE, **keyed)
    new_counter = Actor(depot.country.actors["clerk"].party_id, "clerk", depot.country.sites["TAJI"], book_code="NEW")
    there = {**depot.country.actors, "new counter": new_counter}
    country = Country(depot.country.engine, depot.country.sites, depot.country.parties, there)
    gone = country.do("new counter", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": "LOST 1"}])
    last_tag = country.item("LOST 1").tag_number
    everything = rows(as_administrator(depot.country))

    with restored(depot, folder, tmp_path / "var") as (done, again):
        kept = rows(as_administrator(again.country))
        for table in set(TABLES) - {"holding", "discrepancy"}:
            assert kept[table] <= everything[table], table
        for table in ("document", "entry"):
            since = [json.loads(row)["recorded_at"] for row in everything[table] - kept[table]]
            assert since, table
            assert min(map(datetime.fromisoformat, since)) > done.about.begun_at, table
        with transaction(again.country.engine, roles.AUDITOR) as connection:
            assert proof(connection, again.country.actors["auditor"]).closes
        assert (done.files.is_sound, done.files.named > 2, done.migrated_from) == (True, True, None)
        assert done.newest is not None
        assert done.newest.startswith("TAJI/B/")
        assert file_store().path(file_store().keep([photo(300)], 100_000).sha256).exists()

        mark = done.series.name
        assert done.documents == len(kept["document"])
        fresh = again.out(RIFLES[4])
        assert fresh.number == f"TAJI/B.{mark}/{now().year}/1"
        elsewhere = Country(again.country.engine, country.sites, country.parties, there)
        anew = elsewhere.do("new counter", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": "NEW 1"}])
        assert (gone.number, anew.number) == (f"TAJI/NEW/{now().year}/1", f"TAJI/NEW.{mark}/{now().year}/1")
        tag = elsewhere.item("NEW 1").tag_number
        assert tag is not None
        assert last_tag is not None
        assert tag >= last_tag + series.TAGS_AT_LEAST - 1

        posted_again = again.brings(*before, written)
        assert posted_again[0] == sent
        assert (posted_again[1].document_id, posted_again[1].number) == (from_tablet.document_id, from_tablet.number)
        assert again.brings(*before, written) == posted_again
        station = again.country.do("clerk", RETURN, document_id=at_counter, store=STORE, lines=scans(RIFLES[1]))
        assert station.document_id == lost.document_id
        assert station.number == f"TAJI/B.{mark}/{now().year}/2"
        scanned_paper()  # once more: the scan was lost too
        somebody = again.country.do(
            "second clerk", ISSUE, receiver="A-1003", store=STORE, lines=scans(RIFLES[3]), paper=sheet
        )
        twice = again.country.do("clerk", ISSUE, **keyed)
        assert (somebody.number, twice.number) == (f"TAJI/PAPER/{now().year}/17", f"TAJI/EXC.{mark}/{now().year}/1")
        assert "number claimed twice" in kinds(twice)
        expected = {seen.document_id, fresh.document_id, sent.document_id, from_tablet.document_id, lost.document_id}
        in_books = [UUID(json.loads(row)["document_id"]) for row in rows(as_administrator(again.country))["document"]]
        assert len(in_books) == len(set(in_books))
        assert expected <= set(in_books)


def said(service: Service, *words: str) -> str:
    """What a command says that fails, in words."""
    done = service.command(*words)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_backup_that_was_cut_off_or_altered_is_no_backup(depot: Depot) -> None:
    """Killed in the middle, it has not got its name, and both `--check` and `restore` say what it is; the next one takes its place, and
    shares the stored files with the one before. Of a whole one, each file altered, taken away or put there since is named.
    """
    service = Service(depot.data.parent)
    folder, earlier = depot.data.parent / "nightly" / "tuesday", depot.data.parent / "nightly" / "monday"
    photographed = file_store().keep([photo(700)], 100_000).sha256
    backup.make(read_settings(), earlier)
    unfinished = folder.with_name("tuesday.unfinished")
    process = service.begin("backup", str(folder))
    while not (unfinished / "postgres" / "base").exists():
        assert process.poll() is None, service.said
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    deadline = time.monotonic() + 10
    while str(unfinished) in arguments() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert str(unfinished) not in arguments()
    assert not folder.exists()
    cut_off = "is no finished backup: it has no backup.json, which is written last"
    with pytest.raises(DamagedBackup, match=cut_off):
        check(unfinished)
    elsewhere = depot.data.parent / "elsewhere"
    with lying_in(elsewhere), pytest.raises(DamagedBackup, match=cut_off):
        restore.restore(read_settings(), unfinished)

    done = service.command("backup", str(folder))
    assert "shared with the backup before it" in done.stdout, done.stderr
    assert not unfinished.exists()
    stored = f"files/{photographed[:2]}/{photographed}"
    assert (folder / stored).samefile(earlier / stored)
    with pytest.raises(BackupFailed, match="is there already and not empty"):
        backup.make(read_settings(), folder)
    assert check(folder).files > 1000
    sums = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=False)
    assert sums.returncode == 0
    assert not [path for path in folder.rglob("*") if path.name in ("log", "postgres.log", "socket")]

    (folder / "postgres" / "PG_VERSION").write_text("18\n9")
    (folder / stored).unlink()
    (folder / "postgres" / "recovery.signal").touch()
    shutil.rmtree(folder / "postgres" / "pg_xact")
    named = said(service, "backup", "--check", str(folder))
    faults = ("postgres/PG_VERSION: altered", f"{stored}: missing", "postgres/pg_xact/0000: missing")
    for fault in (*faults, "postgres/recovery.signal: was put there since"):
        assert fault in named
    with lying_in(elsewhere), pytest.raises(DamagedBackup):
        restore.restore(read_settings(), folder)
    assert not elsewhere.exists()
    (earlier / "SHA256SUMS").write_text("")
    with pytest.raises(DamagedBackup, match=r"SHA256SUMS of .* is missing or altered"):
        check(earlier)


def test_data_that_are_there_are_not_written_over(depot: Depot) -> None:
    """Not while the service runs, and not when it stopped; moved aside, all of them are still there. What `log/` holds stays. The
    backup was made by the version before: the schema is brought up.
    """
    stored = file_store().keep([photo(5)], 100_000).sha256
    owner = depot.country.engine.url.set(username=roles.OWNER).render_as_string()
    migrate.downgrade(owner, "0004")
    try:
        folder = depot.backup("wednesday")
    finally:
        migrate.upgrade(owner)
    used = depot.data.parent / "used"
    (used / "files").mkdir(parents=True)
    (used / "log").mkdir()
    (used / "log" / "signer").write_text("the last it signed")
    (used / "files" / "precious").write_text("of before")
    (used / "restoring" / "postgres").mkdir(parents=True)  # of a restore that was cut off
    with lying_in(depot.data), pytest.raises(ready.DatabaseUnavailable, match="A Stockpile works on"):
        restore.restore(read_settings(), folder, aside=True)
    with lying_in(used):
        with pytest.raises(RestoreFailed, match=r"holds data already: files\. Nothing was touched"):
            restore.restore(read_settings(), folder)
        assert (used / "files" / "precious").read_text() == "of before"
        done = restore.restore(read_settings(), folder, aside=True)
    assert (done.about.schema_version, done.migrated_from) == ("0004", "0004")
    assert done.aside is not None
    assert (done.aside / "files" / "precious").read_text() == "of before"
    assert (used / "files" / stored[:2] / stored).read_bytes() == photo(5)
    assert (used / "log" / "signer").read_text() == "the last it signed"
    assert sorted(path.name for path in used.iterdir() if not path.name.startswith("postgres.")) == [
        done.aside.name, "files", "log", "postgres",
    ]  # fmt: skip


def test_the_same_backup_restored_twice_gives_two_series(databases: Databases, country: Country) -> None:
    """The disk dies again before the next backup, and two seconds later, in another minute, the books are restored once more: neither a
    document's number nor a tag that was given in between is given again, also if it is another backup. Books of later years begin as
    ever, but of a year that has begun somewhere on earth. A database restored by other means is told so by its owner.
    """
    engine = engine_of(country.engine.url.set(username=embedded.SUPERUSER).render_as_string())
    made = now() - timedelta(days=2)

    def begun_at(moment: datetime, backup_at: datetime) -> tuple[str, int, int]:
        """What would begin: the series, the last year that it is for, the next tag."""
        with connected(engine) as connection:
            begun = series.begin(connection, moment, backup_at, None)
            years = connection.exec_driver_sql("SELECT last_year FROM restoration WHERE series = %s", (begun.name,))
            last_year = years.scalar_one()
            connection.rollback()
        return begun.name, last_year, begun.next_tag

    new_year = (datetime(2026, 12, 31, 9, 59, tzinfo=UTC), datetime(2026, 12, 31, 10, 1, tzinfo=UTC))
    assert [begun_at(moment, made)[:2] for moment in new_year] == [("310959ZDEC", 2026), ("311001ZDEC", 2027)]
    first = (now() + timedelta(days=1)).replace(second=59)
    restores = (
        (first, made),
        (first + timedelta(seconds=2), made),
        (first + timedelta(minutes=2), made + timedelta(hours=9)),
    )
    tags = [begun_at(*one)[2] for one in restores]
    assert [later - earlier for earlier, later in pairwise(tags)] == [series.TAGS_A_MINUTE] * 2
    with connected(engine) as connection:
        begun = series.begin(connection, made + timedelta(hours=5), made, None)
        later = series.begin(connection, made + timedelta(hours=9), made, None)
        assert (begun.closed > 0, later.closed) == (True, 0)
    with pytest.raises(RestoreFailed, match="takes the role that owns the tables"):
        restore.declare(country.engine.url.render_as_string(hide_password=False))
    owner = country.engine.url.set(username=roles.OWNER).render_as_string()
    later = restore.declare(owner)
    with connected(engine) as connection, pytest.raises(series.AlreadyBegun):
        series.begin(connection, made + timedelta(hours=9), made, None)
    year = now().year
    issued = country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    assert issued.number == f"TAJI/B.{later.name}/{year}/1"
    assert [row[0] for row in country.query("SELECT code FROM book WHERE counter_code = 'B'")] == [f"B.{later.name}"]
    engine.dispose()


TOLD_THE_SERVER = {
    "archive_mode": "on",
    "archive_command": "cp %p /mnt/archive/%f",
    "primary_conninfo": "host=127.0.0.1 password=hush-hush",
    "synchronous_standby_names": "elsewhere",
    "recovery_target_name": "before the fire",
    "work_mem": "7MB",
}


def test_a_server_of_one_s_own(depot: Depot, own_server: OwnServer, operator: Service) -> None:
    """The service's role may not copy the server, and is told what the administrator has to do; another server is not taken for this one.
    Then the backup is made, with no password to be seen. Restored, the data are another server's that starts on them: old passwords, the
    books, a new series; it archives nothing where the old one did, and waits for nobody.
    """
    password = ready.set_up(own_server.url(ADMINISTRATOR, PASSWORD), "copied")
    url = own_server.url(roles.SERVICE, password, "copied")
    folder = operator.folder / "own"
    with lying_in(operator.folder / "var"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("STOCKPILE_DATABASE_URL", url)
        with pytest.raises(BackupFailed, match="CREATE ROLE stockpile_backup LOGIN REPLICATION"):
            backup.make(read_settings(), folder)
        another = as_administrator(depot.country).url.render_as_string()
        with pytest.raises(BackupFailed, match="leads to another PostgreSQL"):
            backup.make(read_settings(), folder, another)
    assert list(operator.folder.glob("own*")) == []

    own_server.ask("CREATE ROLE stockpile_backup LOGIN REPLICATION PASSWORD 'copy''s'")
    for name, value in TOLD_THE_SERVER.items():  # heard by the next that starts on these data
        own_server.ask(f"ALTER SYSTEM SET {name} = '{value}'")
    copying = own_server.url("stockpile_backup", "copy's", "copied")
    made = operator.command("backup", str(folder), STOCKPILE_DATABASE_URL=url, STOCKPILE_BACKUP_URL=copying)
    assert made.returncode == 0, made.stderr
    for secret in ("copy's", quote("copy's", safe="")):
        assert secret not in made.stdout + made.stderr + (folder / "backup.json").read_text()
    full = operator.command("restore", str(folder), STOCKPILE_DATABASE_URL=url)
    assert full.returncode == 0, full.stderr
    own_server.ask("ALTER SYSTEM RESET ALL")
    assert f"left: {', '.join(sorted(set(TOLD_THE_SERVER) - {'work_mem'}))}. What they were stands in" in full.stdout
    assert "hush-hush" not in full.stdout + full.stderr
    place = operator.folder / "var" / "restored-server"
    assert f"Your server's data lie in {place}" in full.stdout
    assert "stockpile log restored" in full.stdout

    with started(place) as port:
        there = engine_of(url.replace(f":{own_server.port}/", f":{port}/"))
        ready.check_schema(there)
        there.dispose()
        administrator = f"postgresql://{ADMINISTRATOR}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/copied"
        with psycopg.connect(administrator) as connection:
            restorations = connection.execute("SELECT count(*) FROM stockpile.restoration").fetchone()
            shown = {name: connection.execute(f"SHOW {name}".encode()).fetchone() for name in TOLD_THE_SERVER}
        assert restorations == (1,)
        assert [value for (value,) in shown.values() if value] == ["off", "(disabled)", "7MB"]
        with pytest.raises(RestoreFailed, match="books without any need no new series"):
            restore.declare(administrator)


@contextmanager
def started(data: Path) -> Iterator[int]:
    """A server on its data, as its administrator starts it; its port."""
    port, program = free_port(), find_binaries().program("postgres")
    user = server_user(data)
    give_tree(data, user)
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    log = data.parent / "log of the restored server"
    with log.open("w") as written, subprocess.Popen(
        [program, "-D", data, *words], cwd=data, stdout=written, stderr=written, env={**os.environ, "LC_ALL": "C"},
        preexec_fn=preparation(user, (program, data), ends_with_parent=True),
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 30
        while "ready to accept connections" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield port
        process.send_signal(signal.SIGINT)


def test_a_clock_before_the_backup_is_set_right_first(depot: Depot, tmp_path: Path) -> None:
    """The series is named after the moment of the restore: on a machine whose clock went wrong it could be an old one again. And a
    full place says so.
    """
    folder = depot.backup("thursday")
    about = json.loads((folder / "backup.json").read_text())
    about["finished_at"] = (now() + timedelta(days=1)).isoformat()
    (folder / "backup.json").write_text(json.dumps(about))
    with lying_in(tmp_path / "var"), pytest.raises(RestoreFailed, match="Set the clock right first"):
        restore.restore(read_settings(), folder)
    (tmp_path / "file").touch()
    with pytest.raises(BackupFailed, match=r"Nothing was kept of this backup: .*: Not a directory"):
        backup.make(read_settings(), tmp_path / "file" / "backup")

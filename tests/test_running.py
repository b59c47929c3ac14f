"""Running: `stockpile run` starts, starts again, says what is in its way, ends cleanly, loses nothing when killed."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from stockpile.db import ready
from tests.service import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A demonstration that the tests of this file start and stop in turn."""
    made = Service(tmp_path_factory.mktemp("service"))
    made.start()
    yield made
    made.end()


@pytest.fixture
def running(service: Service) -> Service:
    """The same, running."""
    if service.process is None or service.process.poll() is not None or not service.answers():
        service.end()
        service.start()
    return service


def ended(service: Service, within: float = 5) -> list[str]:
    """What is left of a service a while after its end."""
    deadline = time.monotonic() + within
    while (left := service.left_over()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def test_it_says_where_it_is_and_who_one_can_be(running: Service) -> None:
    """Address and tokens are printed and kept for the owner alone; each token opens the API in its role."""
    assert running.announcement in running.said
    assert running.tokens["clerk of NORTH"] in running.said
    file = running.folder / "var" / "demonstration-tokens.txt"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for who in running.tokens:
        assert running.client(who).get("/v1/documents?limit=1").status_code == 200, who
    assert httpx.get(running.address).status_code == 200


def test_nobody_at_the_machine_tries_passwords_from_made_up_addresses(running: Service) -> None:
    """Who fails waits, whatever a header says from where they come: only a proxy that was named is believed."""
    statuses = []
    for number in range(8):
        headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": f"198.51.100.{number}"}
        fields = {"name": "clerk.north", "password": "not the password"}
        statuses.append(httpx.post(f"{running.address}/sign-in", data=fields, headers=headers, timeout=30).status_code)
    assert set(statuses) == {401, 429}


def test_it_ends_cleanly_and_a_second_start_finds_everything(running: Service) -> None:
    """Ctrl-C, SIGTERM and a closed terminal: status 0, no worker, no PostgreSQL, the port free, the data whole. Started again: the same
    tokens and documents; nothing is loaded again. (How quick it is, bench/second_start.py measures.)
    """
    tokens, loaded = running.tokens, running.said.count("demonstration country was loaded")
    documents = running.command("db", "status").stdout.splitlines()[-1]
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        stopped = running.said.count("Stopped. Nothing is left running.")
        assert running.stop(how) == 0, how
        assert ended(running) == []
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", running.port))
        assert running.said.count("Stopped. Nothing is left running.") == stopped + 1
        running.start()
    assert running.tokens == tokens
    assert running.said.count("demonstration country was loaded") == loaded == 1
    assert running.command("db", "status").stdout.splitlines()[-1] == documents


def test_a_port_taken_is_said_before_anything_is_started(running: Service, tmp_path: Path) -> None:
    """A second Stockpile on the same port names it and how to choose another; not even a folder is made."""
    other = Service(tmp_path, port=running.port)
    refused = other.command("run")
    assert refused.returncode == 1
    assert f"Port {running.port} of 127.0.0.1 cannot be used" in refused.stderr
    assert f"--port {running.port + 1}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "var").exists()
    assert running.answers()


def wait_until_half_loaded(service: Service) -> None:
    """Until a few documents of the demonstration are written."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with psycopg.connect(
                host=str(service.folder / "var" / "socket"), dbname=ready.IN_THE_MAKING, user="postgres"
            ) as connection:
                if connection.execute("SELECT count(*) > 20 FROM stockpile.document").fetchone() == (True,):
                    return
        except psycopg.Error:
            pass
        time.sleep(0.02)
    raise AssertionError(service.said)


def test_interrupted_while_it_is_loaded_nothing_is_half_there(tmp_path: Path) -> None:
    """Ctrl-C in the middle of the first loading: nothing runs on; the next start loads the whole demonstration."""
    service = Service(tmp_path)
    try:
        service.begin()
        wait_until_half_loaded(service)
        service.stop()
        assert "was loaded" not in service.said
        assert ended(service) == []
        service.start()
        assert "A demonstration country was loaded" in service.said
        assert "421 documents" in service.command("db", "status").stdout
    finally:
        service.end()


CARBINES = tuple(f"W{700_000 + 7 * n}" for n in range(60, 64))
"""Carbines of the demonstration, in the store of NORTH."""


@dataclass(frozen=True)
class Acknowledged:
    """A document that was acknowledged: where it was asked for, with what, and the answer."""

    route: str
    request: dict[str, Any]
    answer: dict[str, Any]


class Load:
    """Clerks who issue a carbine each and take it back, as fast as they can, and note what was acknowledged."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.acknowledged: list[Acknowledged] = []
        self.going = True
        self.threads = [threading.Thread(target=self.work, args=(serial,), daemon=True) for serial in CARBINES]
        for thread in self.threads:
            thread.start()

    def work(self, serial: str) -> None:
        acts: tuple[tuple[str, dict[str, Any]], ...] = (
            ("/v1/issues", {"receiver": "11010"}),
            ("/v1/returns", {}),
        )
        with self.service.client("clerk of NORTH") as client:
            while self.going:
                for route, more in acts:
                    request = {"document_id": str(uuid4()), "store": "Main store", "lines": [{"scan": serial}], **more}
                    try:
                        answer = client.post(route, json=request)
                    except httpx.HTTPError:
                        time.sleep(0.02)
                        continue
                    if answer.status_code == 201:
                        self.acknowledged.append(Acknowledged(route, request, answer.json()))

    def wait_for(self, more: int) -> None:
        wanted, deadline = len(self.acknowledged) + more, time.monotonic() + 30
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, self.service.said
            time.sleep(0.01)

    def end(self) -> list[Acknowledged]:
        self.going = False
        for thread in self.threads:
            thread.join(25)
        return self.acknowledged


def check_nothing_is_lost(service: Service, acknowledged: list[Acknowledged]) -> None:
    """Each acknowledged document is there; sent again it gets the same answer; no number was given twice."""
    with service.client("clerk of NORTH") as client:
        for one in acknowledged:
            assert client.get(f"/v1/documents/{one.request['document_id']}").status_code == 200, one
            assert client.post(one.route, json=one.request).json() == one.answer
    assert len({one.answer["number"] for one in acknowledged}) == len(acknowledged)


def size_of_log(service: Service) -> int:
    """How many leaves the checkpoint covers that anybody with a token reads; 0: none was signed yet."""
    with service.client("auditor") as client:
        answer = client.get("/log/checkpoint")
    return int(answer.text.split("\n")[1]) if answer.status_code == 200 else 0


def wait_for_log(service: Service, size: int) -> int:
    """Waits until the checkpoint covers so many leaves."""
    deadline = time.monotonic() + 30
    while (found := size_of_log(service)) < size:
        assert time.monotonic() < deadline, service.said
        time.sleep(0.05)
    return found


def test_what_is_posted_is_soon_under_a_checkpoint(running: Service) -> None:
    """The service sequences by itself; its sequencer killed, another goes on, and nothing is lost or twice."""
    before = wait_for_log(running, 1)
    (sequencing,) = (process for process, words in processes(running) if "stockpile.log.sequencing" in words)
    with running.client("clerk of NORTH") as client:
        for route, more in (("/v1/issues", {"receiver": "11010"}), ("/v1/returns", {})):
            body = {"store": "Main store", "lines": [{"scan": CARBINES[0]}], **more}
            assert client.post(route, json=body).status_code == 201
            with suppress(ProcessLookupError):
                os.kill(sequencing, signal.SIGKILL)
    assert wait_for_log(running, before + 4) == before + 4


def processes(service: Service) -> list[tuple[int, str]]:
    """The service's processes with their command lines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            place = (process / "environ").read_bytes()
            if os.fsencode(service.folder / "var") in place:
                found.append((int(process.name), (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()))
    return found


def test_a_killed_postgresql_comes_back_with_every_acknowledged_document(running: Service) -> None:
    """kill -9 of PostgreSQL under load: the service starts it again by itself, and nothing acknowledged is lost."""
    load = Load(running)
    load.wait_for(30)
    number = running.postgres()
    assert number is not None
    os.kill(number, signal.SIGKILL)
    load.wait_for(30)
    acknowledged = load.end()
    assert running.postgres() not in (None, number)
    check_nothing_is_lost(running, acknowledged)


def test_a_killed_service_leaves_no_worker_and_every_acknowledged_document(running: Service) -> None:
    """kill -9 of the service under load: its workers end with it, PostgreSQL stays, the next start takes it over."""
    load = Load(running)
    load.wait_for(30)
    assert running.process is not None
    running.process.kill()
    running.process.wait()
    acknowledged = load.end()
    deadline = time.monotonic() + 10
    while (left := [one for one in running.left_over() if "postgres" not in one]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
    running.start()
    check_nothing_is_lost(running, acknowledged)
    assert running.stop() == 0
    assert ended(running) == []


def test_both_killed_at_once_nothing_acknowledged_is_lost(running: Service) -> None:
    """As when the power goes: service and PostgreSQL killed together; the next start recovers by itself."""
    load = Load(running)
    load.wait_for(30)
    number = running.postgres()
    assert running.process is not None
    assert number is not None
    running.process.kill()
    os.kill(number, signal.SIGKILL)
    running.process.wait()
    acknowledged = load.end()
    time.sleep(1.5)
    running.start()
    check_nothing_is_lost(running, acknowledged)


ROWS = 250_000
"""Long enough that a register of so many can be seen half written."""


def test_a_service_killed_in_the_middle_of_an_import_leaves_nothing_half_visible(running: Service) -> None:
    """kill -9 while the rows of a long register are written: no register, no line of it; sent again, it is kept whole."""
    text = "serial,model\n" + "".join(f"K{number:06},AKM\n" for number in range(ROWS))
    with running.client("auditor") as client:
        before = len(client.get("/v1/registers", params={"limit": 500}).json()["rows"])
        stored = client.post("/v1/files", content=text.encode()).json()
        request = {
            "kind": "register",
            "source": "LONG",
            "name": "Long",
            "file": {"sha256": stored["sha256"], "name": "long.csv"},
        }
        job = client.post("/v1/registers", json=request).json()["job_id"]
        deadline = time.monotonic() + 30
        while client.get(f"/v1/jobs/{job}").json()["done"] < 10_000:
            assert time.monotonic() < deadline, "it does not get on"
            time.sleep(0.02)
    assert running.process is not None
    running.process.kill()
    running.process.wait()
    running.start()
    with running.client("auditor") as client:
        assert client.get(f"/v1/jobs/{job}").json()["state"] in ("running", "interrupted")
        assert len(client.get("/v1/registers", params={"limit": 500}).json()["rows"]) == before
        job = client.post("/v1/registers", json=request).json()["job_id"]
        deadline = time.monotonic() + 60
        while client.get(f"/v1/jobs/{job}").json()["ended_at"] is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        done = client.get(f"/v1/jobs/{job}").json()
        assert (done["state"], done["result"]["result"]["lines"], done["result"]["result"]["known"]) == (
            "done",
            ROWS,
            False,
        )

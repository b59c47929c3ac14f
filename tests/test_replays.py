"""Stories of the published failures run again: at a hundredth of their size, with other chance and with weapons hidden, every figure comes
out of the ordinary import, comparison and reports; and what does not fit is told.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from stockpile.catalogue_data import findings
from stockpile.cli import app
from stockpile.db import migrate, roles
from stockpile.errors import Invalid
from stockpile.replays import chance, dodig_2024_043, gao_07_711
from stockpile.replays.country import register
from stockpile.replays.episode import Episode, Figure, Origin, Scale, Stage, rounded
from stockpile.replays.hidden import named
from stockpile.replays.play import EPISODES, Asked, stage_on
from tests.conftest import Databases

PROJECT = Path(__file__).resolve().parents[1]
HUNDREDTH = Scale(Decimal("0.01"))
EMPTY = "template_empty"


@pytest.fixture(scope="module")
def empty(databases: Databases) -> Iterator[str]:
    """A migrated database in which nothing is founded."""
    databases.run(roles.database_sql(EMPTY))
    migrate.upgrade(databases.server.url(EMPTY, roles.OWNER))
    yield EMPTY
    databases.drop(EMPTY)


class Stages:
    """Sets stages on databases of their own."""

    def __init__(self, databases: Databases, empty: str, folder: Path) -> None:
        self.databases, self.empty, self.folder = databases, empty, folder
        self.names: list[str] = []

    def of(self, episode: Episode, seed: int = 1, remove: int = 0) -> Stage:
        name = self.databases.clone(self.empty)
        self.names.append(name)
        folder = self.folder / name
        folder.mkdir()
        return stage_on(self.databases.engine(name), folder, episode, Asked(HUNDREDTH, remove, seed))

    def clear(self) -> None:
        for name in self.names:
            self.databases.engine(name).dispose()
            self.databases.drop(name)


@pytest.fixture
def stages(databases: Databases, empty: str, tmp_path: Path) -> Iterator[Stages]:
    set_up = Stages(databases, empty, tmp_path)
    yield set_up
    set_up.clear()


def differing(figures: list[Figure]) -> list[Figure]:
    return [figure for figure in figures if not figure.agrees]


def found(figures: list[Figure], what: str) -> int | Decimal:
    (figure,) = [one for one in figures if one.what == what]
    return figure.found


SEEDS = {1: 20, 2005: 0, 190_000: 7}
"""By seed: how many weapons are hidden."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", [name for name in EPISODES if name != "gao-07-711"])
def test_every_figure_comes_out_whatever_chance_filled_in(stages: Stages, name: str, seed: int) -> None:
    """Where weapons are hidden, exactly they are named; else the world is whole."""
    stage = stages.of(EPISODES[name], seed, remove=SEEDS[seed])
    figures = [*EPISODES[name].play(stage)]
    assert differing(figures) == []
    published = {figure.published for figure in figures if figure.origin is Origin.PUBLISHED}
    assert None not in published
    assert len(published) >= 5
    named_again = [figure for figure in figures if figure.what.startswith("hidden weapons named")]
    assert max((figure.wanted for figure in named_again), default=0) == stage.remove


@pytest.mark.parametrize("seed", [7, 2005])
def test_gao_finds_1900_weapons_missing_and_the_counterfactual_none(stages: Stages, seed: int) -> None:
    """The log says 1,850 rifles, the books 750; by shipping list, receipt and hand receipt nothing is missing. From either world three
    weapons are hidden.
    """
    figures = [*gao_07_711.EPISODE.play(stages.of(gao_07_711.EPISODE, seed, remove=3))]
    assert differing(figures) == []
    assert found(figures, "AK-47 rifle: issued, as reported") == 1850
    assert found(figures, "AK-47 rifle: in the property books") == 750
    assert found(figures, "weapons unaccounted for") == 1900
    assert found(figures, "counterfactual: weapons found with their units") == 3550
    assert found(figures, "counterfactual: unaccounted for") == 0
    three = ("came in, by the trial balance", "held, by the holdings", "held, by the sum of entries")
    assert [found(figures, f"counterfactual: {count}") for count in three] == [7100] * 3
    assert found(figures, "hidden weapons named by model and holder, against the property books") == 3
    assert found(figures, "hidden weapons named by serial number, against the ledger") == 3


def test_a_published_figure_that_does_not_come_out_differs(stages: Stages) -> None:
    """The report allows 30 days for a loss report; were 31 published, the replay would say so."""
    stage = stages.of(dodig_2024_043.EPISODE)
    stage.published = {**stage.published, "loss_report_days_allowed": 31}
    (figure,) = differing([*dodig_2024_043.EPISODE.play(stage)])
    assert (figure.what, figure.found, figure.wanted) == ("days allowed for a loss report", 30, 31)


def test_a_weapon_that_is_missing_though_nobody_hid_it_is_told(stages: Stages) -> None:
    """Of three weapons that a count did not find only two were hidden: the third is something else."""
    stage = stages.of(dodig_2024_043.EPISODE, seed=5)
    lists = {name: stage.lists / f"{name}.csv" for name in ("books", "count")}
    numbers = [f"ST{number:07}" for number in range(0, 90_000, 9_000)]
    for name, some in (("books", numbers), ("count", numbers[3:])):
        rows = "".join(f"{number},FIM-92 Stinger\n" for number in some)
        lists[name].write_text(f"Serial Number,Item\n{rows}", encoding="utf-8")
    books, count = (stage.country.import_list(file, "count of the world", "ODC") for file in lists.values())
    audit = stage.country.audit("count", register(count), register(books))
    hidden = frozenset(("FIM-92 Stinger", number) for number in numbers[:2])
    figures = [*named(stage, audit, "against the books", hidden)]
    assert [(figure.found, figure.wanted) for figure in figures] == [(2, 2), (1, 0)]


def test_more_than_there_are_can_not_be_hidden(stages: Stages) -> None:
    stage = stages.of(dodig_2024_043.EPISODE, remove=10_000_000)
    with pytest.raises(Invalid) as problem:
        list(dodig_2024_043.EPISODE.play(stage))
    assert "this world has" in problem.value.faults[0].message


def test_the_same_seed_writes_the_same_lists(stages: Stages) -> None:
    written = []
    for seed in (3, 3, 4):
        stage = stages.of(dodig_2024_043.EPISODE, seed)
        list(dodig_2024_043.EPISODE.play(stage))
        written.append({file.name: file.read_bytes() for file in stage.lists.iterdir()})
    assert written[0] == written[1]
    assert all(written[0][name] != written[2][name] for name in written[0])


def test_at_full_scale_a_figure_must_be_what_was_published_to_the_last_digit() -> None:
    """Not what the parts add up to: if the parts were wrong, the figure would differ."""
    stage = Stage(None, Path(), {}, Scale())  # type: ignore[arg-type]
    assert not stage.figure("weapons", 189_999, 190_000, 189_999).agrees
    assert stage.figure("weapons", 190_000, 190_000, 189_999).agrees


def test_the_published_figures_fit_together() -> None:
    """What a replay derives below full scale is derived as the reports did."""
    gao, sigir, sigar = (findings()[name] for name in ("gao-07-711", "sigir-06-033", "sigar-14-84"))
    for model, claimed in gao["claimed_issued"].items():
        assert claimed - gao["property_book"][model] == gao["unaccounted"][model]
    assert gao["unaccounted"]["AK-47 rifle"] + gao["unaccounted"]["pistol"] == gao["unaccounted_weapons"] == 190_000
    assert sum(sigir["not_in_books_by_model"].values()) == sigir["not_in_books"] == 14_030
    assert float(rounded(sigir["with_serial_recorded"], sigir["weapons"], 1)) == sigir["with_serial_recorded_percent"]
    overlord = sigar["overlord"]
    assert rounded(overlord["missing_or_duplicate"], overlord["serials"]) == overlord["missing_or_duplicate_percent"]


@pytest.mark.parametrize("text", ["0", "2", "-1", "full", "0.0049", "nan"])
def test_a_scale_outside_its_bounds_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as problem:
        Scale.read(text)
    assert problem.value.faults[0].field == "scale"


def test_reports_know_nothing_of_the_figures() -> None:
    """Only the replays read what was published; nothing that is asked by them imports them."""
    for file in (PROJECT / "stockpile").rglob("*.py"):
        text, inside = file.read_text(encoding="utf-8"), "replays" in file.parts
        assert inside or "import findings" not in text, file
        assert inside or file.name == "replaying.py" or "stockpile.replays" not in text, file


@given(st.integers(0, 500), st.integers(1, 40), st.integers())
def test_a_total_falls_on_its_parts_and_nothing_is_lost(total: int, parts: int, seed: int) -> None:
    drawn = random.Random(seed)
    counts = chance.shares(total, parts, drawn)
    assert len(counts) == parts
    assert sum(counts) == total
    assert min(counts) >= 0
    kept = chance.some_of(counts, total // 2, drawn)
    assert sum(kept) == total // 2
    assert all(few <= many for few, many in zip(kept, counts, strict=True))
    assert sum(chance.parcels(total, 7, drawn)) == total


def test_no_two_serial_numbers_are_alike() -> None:
    numbers = chance.serial_numbers("AK", random.Random(1))
    assert max(Counter(next(numbers) for _ in range(200_000)).values()) == 1


def test_a_replay_from_the_command_line_is_kept_to_be_looked_at(tmp_path: Path) -> None:
    """It says every figure, ends with status 0, and leaves lists and books in a folder, which is not used twice."""
    kept = tmp_path / "kept"
    done = replayed("dodig-2024-043", "--scale", "0.01", "--seed", "9", "--remove", "4", "--keep", str(kept))
    assert done.returncode == 0, done.stderr
    assert "published: 1,699" in done.stdout
    assert "DIFFER" not in done.stdout
    assert "7 of 7 figures agree" in done.stdout
    assert (kept / "lists" / "Arrivals.csv").exists()
    assert (kept / "postgres" / "PG_VERSION").exists()
    again = replayed("dodig-2024-043", "--scale", "0.01", "--keep", str(kept))
    assert again.returncode == 1
    assert "name a new folder" in again.stderr


def test_a_replay_that_differs_ends_with_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    episode = replace(dodig_2024_043.EPISODE, play=lambda stage: iter([Figure("weapons", 1, 2, Origin.LAW)]))
    monkeypatch.setitem(EPISODES, episode.name, episode)
    done = CliRunner().invoke(app, ["replay", episode.name, "--scale", "0.01"])
    assert done.exit_code == 1
    assert "DIFFER" in done.output


def replayed(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from stockpile.cli import app; app()", "replay", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=PROJECT)

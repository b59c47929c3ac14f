"""`stockpile replay`: a published failure run again through the ordinary product, each figure beside the published one."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stockpile.commands.shown import counted, out, progress, show_table
from stockpile.replays.episode import Episode, Figure, Scale
from stockpile.replays.play import EPISODES, Asked, on_a_stage

Name = StrEnum("Name", {name: name for name in EPISODES})  # type: ignore[misc]


def replay(
    names: Annotated[list[Name], typer.Argument(metavar="EPISODE...", help=f"Which: {', '.join(EPISODES)}")],
    scale: Annotated[str, typer.Option(help="Size of the records, of the published size: 0.005 to 1")] = "1.0",
    remove: Annotated[int, typer.Option(help="Hide so many weapons once the books are made", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Chance that fills in what nobody published")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Keep lists and books in this folder; left out: thrown away")
    ] = None,
) -> None:
    """Run published failures again: their records as files, through import, comparison and reports. Ends with status 0 only
    if every figure agrees with the published one.
    """
    began, figures = time.monotonic(), []
    for name in names:
        kept = keep / name if keep and len(names) > 1 else keep
        figures += _replay(EPISODES[name], Asked(Scale.read(scale), remove, seed, kept))
    if len(names) > 1:
        _say(f"All {len(names)} episodes", figures, began)
    if not all(figure.agrees for figure in figures):
        raise typer.Exit(1)


def _replay(episode: Episode, asked: Asked) -> list[Figure]:
    began, published = time.monotonic(), episode.published
    out.print(f"{episode.name}: {published['title']}", markup=False)
    out.print(f"{published['publisher']}, {published['published']}", markup=False)
    if not asked.scale.full:
        out.print(
            f"At {asked.scale.factor} of the published size: each figure scaled, sums and differences made of scaled figures."
        )
    with progress(), on_a_stage(episode, asked) as stage:
        stage.tell = lambda text: out.print(text, markup=False)
        figures = [*episode.play(stage)]
    rows = [
        (one.what, one.found, one.wanted, "agree" if one.agrees else "DIFFER", _which_is(one, asked.scale))
        for one in figures
    ]  # fmt: skip
    show_table(("figure", "found", "must be", "", "as that is"), rows, "")
    for invented in episode.invented:
        out.print(f"Invented, as nobody published it: {invented}.", markup=False)
    _say(episode.name, figures, began)
    if asked.keep is not None:
        out.print(f"Kept in {asked.keep}: export STOCKPILE_DATA={asked.keep} to look at it.", markup=False)
    return figures


def _which_is(figure: Figure, scale: Scale) -> str:
    scaled = figure.published is not None and not scale.full
    return f"{figure.origin}: {figure.published:,}" if scaled else str(figure.origin)


def _say(what: str, figures: list[Figure], began: float) -> None:
    agree = sum(figure.agrees for figure in figures)
    out.print(
        f"{what}: {agree} of {counted(len(figures), 'figure agrees', 'figures agree')}; {time.monotonic() - began:.0f} s.\n"
    )

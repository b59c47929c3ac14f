"""The catalogue and its aliases, by whoever administers the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from stockpile import catalogue, models, parties
from stockpile.commands.asking import administering, every_row
from stockpile.commands.options import pairs
from stockpile.commands.shown import new_group, out, show_table
from stockpile.errors import NotFound
from stockpile.models import MendedModel, NewModel
from stockpile.reports.reference import search_aliases, search_models

Data = Annotated[
    list[str] | None, typer.Option("--set", help="field=value, e.g. calibre=5.45x39mm; nothing after = takes it back")
]

alias = new_group("Aliases: what a donor or an old book calls a model.")


@alias.command("list")
def list_aliases(
    text: Annotated[str | None, typer.Argument(help="Part of the name")] = None,
    unmapped: Annotated[bool, typer.Option(help="Only those nobody has mapped yet")] = False,
    source: Annotated[str | None, typer.Option(help="Of one donor or book")] = None,
) -> None:
    """List aliases."""
    mapped = False if unmapped else None
    with administering() as connection:
        found = list(every_row(lambda cursor: search_aliases(connection, mapped, source, text, cursor=cursor)))
    show_table(
        ("source", "name", "model", "mapped by", "first seen"),
        ((a.source, a.name, a.model, a.approved_by, a.first_seen_at) for a in found),
        "There are none.",
    )


@alias.command("map")
def map_alias(
    source: Annotated[str, typer.Argument(help="Donor or book that uses the name")],
    name: Annotated[str, typer.Argument(help="The name as it stands in its lists")],
    model: Annotated[str, typer.Argument(help="The model it means, e.g. 'Type 56' or 'Norinco Type 56'")],
    approved_by: Annotated[str, typer.Option(help="Service number of the registrar who says so")],
) -> None:
    """Say once what a source means by a name."""
    with administering() as connection:
        by = parties.need_party(connection, "person", approved_by, "approved_by")
        meant = _found(catalogue.find_model(connection, model), model)
        catalogue.map_alias(connection, source, name, meant.model_id, by.party_id)
    out.print(f"{source}: {name} means {meant.maker} {meant.name}.", markup=False)


model = new_group("Models: the catalogue.")


@model.command("list")
def list_models(
    text: Annotated[str | None, typer.Argument(help="Part of maker, name or variant")] = None,
    category: Annotated[str | None, typer.Option(help="e.g. 'small arms'")] = None,
) -> None:
    """List the catalogue's models."""
    with administering() as connection:
        found = list(every_row(lambda cursor: search_models(connection, text, category, cursor=cursor)))
    show_table(
        ("maker", "name", "calibre", "category", "kind", "fire mode", "risk", "stock number", "value", "tracked by"),
        (
            (
                m.maker, m.name, m.calibre, m.category, m.subcategory, m.fire_mode, m.security_risk_category,
                m.stock_number, m.value, m.tracked_by,
            )
            for m in found
        ),
        "There is no such model.",
    )  # fmt: skip


@model.command("add")
def add_model(
    maker: str,
    name: str,
    category: Annotated[str, typer.Option(help="e.g. 'small arms'")],
    tracked_by: Annotated[str, typer.Option(help="serial, lot or quantity")] = "serial",
    data: Data = None,
) -> None:
    """Add a model; its maker and name never change."""
    said = {"maker": maker, "name": name, "category": category, "tracked_by": tracked_by, **_said(data)}
    with administering() as connection:
        added = models.add_model(connection, NewModel.model_validate(said))
    out.print(f"{added.maker} {added.name}: added.", markup=False)


@model.command("mend")
def mend_model(
    name: Annotated[str, typer.Argument(help="e.g. 'Type 56' or 'Norinco Type 56'")],
    data: Data = None,
) -> None:
    """Mend what is said of a model."""
    with administering() as connection:
        known = _found(catalogue.find_model(connection, name), name)
        models.mend_model(connection, known.model_id, MendedModel.model_validate(_said(data)))
    out.print(f"{known.maker} {known.name}: mended.", markup=False)


def _said(data: Sequence[str] | None) -> dict[str, Any]:
    return {name: value or None for name, value in pairs(data, "--set", blank=True).items()}


def _found(model: catalogue.Model | None, name: str) -> catalogue.Model:
    if model is None:
        raise NotFound(f"No one model {name!r}: 'stockpile model list' shows them, with their makers.")
    return model

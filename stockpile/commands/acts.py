"""`stockpile act`: any act at the command line, as the person of a token. It asks as the API does and adds no rule."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stockpile.acts import ACTS
from stockpile.acts.arrive import ARRIVE
from stockpile.acts.correct import UNDO
from stockpile.acts.perform import ActForm, perform
from stockpile.commands.asking import Token, acting
from stockpile.commands.evidence import EvidenceFiles, PaperNumber, PaperScan, ToTheDay, Written, evidence_of
from stockpile.commands.options import counts, pairs
from stockpile.commands.shown import progress, show_posted
from stockpile.errors import Fault, Invalid

FORMS: dict[str, ActForm] = {
    **{str(act).replace(" ", "-"): form for act, form in ACTS.items()},
    "arrive": ARRIVE,
    "undo": UNDO,
}
NAMES = ", ".join(FORMS)


def act(
    name: Annotated[str, typer.Argument(metavar="ACT", help=f"One of {NAMES}")],
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="FIELD=VALUE", help="e.g. receiver=A-1001 store='Main store'")
    ] = None,
    scan: Annotated[
        list[str] | None, typer.Option(help="A weapon: asset tag, serial number or UII; may be repeated")
    ] = None,
    count: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL=NUMBER", help="What is counted: 'Helmet=40', or 'Cartridge, lot 12-77=600'"),
    ] = None,
    accessory: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="MODEL=NUMBER", help="What goes with each weapon scanned: 'AKM magazine=4'"),
    ] = None,
    condition: Annotated[
        str | None, typer.Option(help="Of all that is scanned: serviceable, unserviceable or unknown")
    ] = None,
    attach: EvidenceFiles = None,
    paper: PaperNumber = None,
    written: Written = None,
    paper_scan: PaperScan = None,
    day_only: ToTheDay = False,
    token: Token = None,
) -> None:
    """Issue, return, hand over, report missing, correct ...: any act on weapons by scan; lists come by file."""
    form = FORMS.get(name.strip().lower().replace(" ", "-"))
    if form is None:
        raise Invalid("There is no such act.", [Fault(f"one of {NAMES}", field="ACT", value=name)])
    asked: dict[str, Any] = pairs(fields, "FIELD=VALUE")
    seen = {"condition": condition} if condition else {}
    equipped = {**seen, "accessories": counts(accessory, "--with")} if accessory else seen
    lines = [{"scan": one, **equipped} for one in scan or ()] + [{**one, **seen} for one in counts(count, "--count")]
    if lines:
        asked["lines"] = lines
    with acting(token) as (engine, actor), progress():
        asked.update(evidence_of(attach, paper, written, paper_scan, day_only, actor.time_zone))
        answer = perform(engine, actor, form, form.request.model_validate(asked))
    show_posted(answer)

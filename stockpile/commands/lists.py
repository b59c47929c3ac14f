"""Lists from files into the books: a shipping list, a receipt, an old property book; as the person of a token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from stockpile.acts.declare import DECLARE
from stockpile.acts.emergency_issue import EMERGENCY_ISSUE
from stockpile.acts.open_books import OPEN
from stockpile.acts.perform import ActForm, perform
from stockpile.acts.receive import RECEIVE
from stockpile.acts.register_gain import REGISTER_GAIN
from stockpile.commands.asking import Token, acting
from stockpile.commands.files import RejectsFile, check_ending, write_kept_rejects, write_rejects
from stockpile.commands.options import pairs
from stockpile.commands.shown import progress, show_posted
from stockpile.documents import Posted
from stockpile.files import file_store
from stockpile.registers.rejects import RowsRejected
from stockpile.settings import read_settings

File = Annotated[Path, typer.Argument(help="The list: CSV or XLSX")]
SiteCode = Annotated[str | None, typer.Option("--site", help="Site code, for who is bound to none")]
Sheet = Annotated[str | None, typer.Option(help="Which sheet; left out: the first with a table")]
Columns = Annotated[
    list[str] | None, typer.Option("--column", help="field=heading, e.g. serial_number='S/N'; repeated")
]
Constants = Annotated[list[str] | None, typer.Option("--all", help="field=value for the whole list, e.g. model=AKM")]
SetAside = Annotated[bool, typer.Option(help="Post the rows that can be read, set the others aside")]
Store = Annotated[str | None, typer.Option(help="Into which store")]


def receive(
    file: File,
    donor: Annotated[str | None, typer.Option(help="Whose delivery; left out: own procurement")] = None,
    consignment: Annotated[str | None, typer.Option(help="The donor's number of the consignment")] = None,
    complete: Annotated[bool, typer.Option(help="Nothing more will come: what is left is short")] = False,
    store: Store = None,
    site: SiteCode = None,
    sheet: Sheet = None,
    column: Columns = None,
    constant: Constants = None,
    set_aside: SetAside = False,
    rejects: RejectsFile = None,
    token: Token = None,
) -> None:
    """Receive what stands at the counter, against a consignment's shipping list if there is one."""
    asked = {"donor": donor, "consignment": consignment, "complete": complete, "store": store, "site": site}
    _post(RECEIVE, asked, file, sheet, column, constant, set_aside, rejects, token)


def declare(
    file: File,
    donor: Annotated[str, typer.Option(help="The donor's code")],
    reference: Annotated[str, typer.Option(help="The donor's number of the consignment")],
    site: Annotated[str | None, typer.Option(help="Where it is bound")] = None,
    expected_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    end_user_certificate: Annotated[str | None, typer.Option(help="Number of the certificate that binds it")] = None,
    sheet: Sheet = None,
    column: Columns = None,
    constant: Constants = None,
    set_aside: SetAside = False,
    rejects: RejectsFile = None,
    token: Token = None,
) -> None:
    """Declare a consignment by its shipping list."""
    day = expected_on.date() if expected_on else None
    asked = {"donor": donor, "reference": reference, "site": site, "expected_on": day}
    if end_user_certificate is not None:
        asked["end_user_certificate"] = end_user_certificate
    _post(DECLARE, asked, file, sheet, column, constant, set_aside, rejects, token)


def open_books(
    file: File,
    name: Annotated[str, typer.Option(help="What the old book is called")],
    donor: Annotated[str | None, typer.Option(help="Whose weapons they are; left out: own procurement")] = None,
    store: Store = None,
    site: SiteCode = None,
    sheet: Sheet = None,
    column: Columns = None,
    constant: Constants = None,
    set_aside: SetAside = False,
    rejects: RejectsFile = None,
    token: Token = None,
) -> None:
    """Take an old property book into the books at go-live; a second person approves it."""
    asked = {"name": name, "donor": donor, "store": store, "site": site}
    _post(OPEN, asked, file, sheet, column, constant, set_aside, rejects, token)


def gain(
    file: File,
    manner: Annotated[str, typer.Option(help="found, captured, surrendered or collected")],
    place: Annotated[str, typer.Option(help="Where it was found or handed in")],
    circumstances: Annotated[str, typer.Option(help="How it came about")],
    found_by: Annotated[str | None, typer.Option(help="Who found, took or collected it")] = None,
    surrendered_by: Annotated[str | None, typer.Option(help="Who handed it in")] = None,
    store: Store = None,
    site: SiteCode = None,
    sheet: Sheet = None,
    column: Columns = None,
    constant: Constants = None,
    set_aside: SetAside = False,
    rejects: RejectsFile = None,
    token: Token = None,
) -> None:
    """Take in what nobody delivered: found, captured, surrendered, collected; a second person approves it."""
    asked = {"manner": manner, "place": place, "circumstances": circumstances, "store": store, "site": site}
    by = {"found_by": found_by, "surrendered_by": surrendered_by}
    _post(REGISTER_GAIN, {**asked, **by}, file, sheet, column, constant, set_aside, rejects, token)


def emergency_issue(
    file: File,
    reason: Annotated[str, typer.Option(help="Why it is an emergency")],
    store: Annotated[str | None, typer.Option(help="From which store, for what is counted")] = None,
    sheet: Sheet = None,
    column: Columns = None,
    constant: Constants = None,
    token: Token = None,
) -> None:
    """Empty a store: each weapon of the list to the receiver on its row, at once; the papers follow."""
    asked = {"reason": reason, "store": store}
    _post(EMERGENCY_ISSUE, asked, file, sheet, column, constant, False, None, token)


def _post(
    form: ActForm,
    asked: dict[str, Any],
    file: Path,
    sheet: str | None,
    column: Sequence[str] | None,
    constant: Sequence[str] | None,
    set_aside: bool,
    rejects: Path | None,
    token: str | None,
) -> None:
    """Stores the file, then performs the act with it. What can't be taken goes to `rejects`, whether it was set aside or the
    whole list was refused for it.
    """
    if rejects is not None:
        check_ending(rejects)
    with acting(token) as (engine, actor), progress():
        stored = file_store().keep_copy(file, read_settings().upload_limit)
        listed = {
            "sha256": stored.sha256,
            "name": file.name[:64],
            "sheet": sheet,
            "columns": pairs(column, "--column") or None,
            "constants": pairs(constant, "--all"),
            "set_aside": set_aside,
        }
        try:
            answer = perform(engine, actor, form, form.request.model_validate({**asked, "file": listed}))
        except RowsRejected as refusal:
            if rejects is not None:
                write_kept_rejects(rejects, refusal)
            raise
    show_posted(answer)
    if rejects is not None and isinstance(answer, Posted):
        write_rejects(answer.number, rejects, token)

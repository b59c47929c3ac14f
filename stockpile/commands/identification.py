"""What one weapon bears: marked by the armourer, or amended; with photos, as the person of a token."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.mark import MARK
from stockpile.acts.perform import ActForm, perform
from stockpile.commands.asking import Token, acting
from stockpile.commands.shown import progress, show_posted
from stockpile.files import file_store
from stockpile.settings import read_settings

Scan = Annotated[str, typer.Argument(help="Asset tag, serial number or UII")]
ModelName = Annotated[str | None, typer.Option(help="Where the number alone means several weapons")]


def mark(
    scan: Scan,
    method: Annotated[str, typer.Option(help="engraved, stamped, laser, dot peen, electrochemical, cast or plate")],
    place: Annotated[str, typer.Option(help="On which part, e.g. frame, receiver, barrel, bolt")],
    serial_number: Annotated[str | None, typer.Option(help="For a weapon that has none that can be read")] = None,
    uii: Annotated[str | None, typer.Option(help="As scanned, or written out")] = None,
    import_country: Annotated[str | None, typer.Option(help="ISO 3166, two letters")] = None,
    import_year: Annotated[int | None, typer.Option()] = None,
    distinguishing_mark: Annotated[str | None, typer.Option(help="What tells it from its twin")] = None,
    model: ModelName = None,
    photo: Annotated[list[Path] | None, typer.Option(help="A photo of the mark; may be repeated")] = None,
    token: Token = None,
) -> None:
    """Record what was put on a weapon. Of many at once: stockpile act mark."""
    line = {
        "scan": scan, "model": model, "method": method, "place": place, "serial_number": serial_number, "uii": uii,
        "import_country": import_country, "import_year": import_year, "distinguishing_mark": distinguishing_mark,
    }  # fmt: skip
    _post(MARK, {}, line, photo or (), token)


def amend(
    scan: Scan,
    reason: Annotated[str, typer.Option(help="What was wrong, and how that came about")],
    evidence: Annotated[list[Path], typer.Option(help="A photo or scan that shows it; may be repeated")],
    serial_number: Annotated[str | None, typer.Option(help="What it bears in truth, to the character")] = None,
    no_serial_number: Annotated[bool, typer.Option("--no-serial-number", help="It bears none")] = False,
    obliterated: Annotated[bool | None, typer.Option(help="Whether it was removed or can't be read")] = None,
    maker: Annotated[str | None, typer.Option(help="As marked, where it is not the model's")] = None,
    distinguishing_mark: Annotated[str | None, typer.Option(help="What tells it from its twin")] = None,
    model: ModelName = None,
    token: Token = None,
) -> None:
    """Say what a weapon bears in truth, where the books have it wrong; a second person approves it."""
    line = {
        "scan": scan, "model": model, "serial_number": serial_number, "no_serial_number": no_serial_number,
        "obliterated": obliterated, "maker": maker, "distinguishing_mark": distinguishing_mark,
    }  # fmt: skip
    _post(AMEND_IDENTIFICATION, {"reason": reason}, line, evidence, token)


def _post(form: ActForm, asked: dict[str, Any], line: dict[str, Any], files: Sequence[Path], token: str | None) -> None:
    """Stores what is attached, then performs the act on the one weapon."""
    with acting(token) as (engine, actor), progress():
        limit = read_settings().upload_limit
        attachments = [file_store().keep_copy(file, limit).sha256 for file in files]
        request = form.request.model_validate({**asked, "attachments": attachments, "lines": [line]})
        answer = perform(engine, actor, form, request)
    show_posted(answer)

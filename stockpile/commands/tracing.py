"""Tracing at the command line: requests that come in and go out, sightings, candidates, answers, and what is to be reported to iARMS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Connection, Engine

from labels.papers import Size, render
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.evidence import stored
from stockpile.commands.files import check_ending, write_rows
from stockpile.commands.shown import new_group, out, show_table
from stockpile.donors import sightings, tracing
from stockpile.donors.sightings import Identify
from stockpile.donors.tracing import ProposeAnswer, TakeStep
from stockpile.donors.weapon_read import IncomingRequest, OutgoingRequest, Sighting
from stockpile.errors import NotFound
from stockpile.papers.tracing_answer import answer_of
from stockpile.reports import iarms
from stockpile.reports.export import columns, every_row, table
from stockpile.reports.tracings import Sought, TracingRow, list_tracings, read_whole
from stockpile.rights import Actor, reading

trace = new_group("Weapons found or seen abroad: tracing requests, sightings, answers.")

Serial = Annotated[
    str | None, typer.Option("--serial", help="As read: ? one unreadable character, * any number of them")
]
Obliterated = Annotated[bool, typer.Option("--obliterated", help="The number was removed, or part of it")]
Model = Annotated[str | None, typer.Option(help="As read")]
Maker = Annotated[str | None, typer.Option(help="As read")]
Calibre = Annotated[str | None, typer.Option(help="As read")]
Country = Annotated[str | None, typer.Option(help="Of manufacture, two letters")]
Marks = Annotated[str | None, typer.Option("--other-marks", help="What else stands on it")]
Place = Annotated[str | None, typer.Option(help="Where it was found or seen")]
Where = Annotated[str | None, typer.Option("--place-country", help="In which country, two letters")]
On = Annotated[str | None, typer.Option("--found-on", metavar="YYYY-MM-DD")]
Circumstances = Annotated[str | None, typer.Option(help="How it was found")]
Illicit = Annotated[str, typer.Option("--illicit-because", help="How it was found to be illicit")]
Use = Annotated[str | None, typer.Option("--intended-use", help="What the answer is to be used for")]
Reference = Annotated[str | None, typer.Option(help="Their number of it")]
Contact = Annotated[str | None, typer.Option(help="Whom to answer")]
Photos = Annotated[list[Path] | None, typer.Option("--photo", help="A photo or scan; several times for several")]
Named = Annotated[str, typer.Argument(metavar="NUMBER", help="As 'stockpile trace list' shows, e.g. SIGHTING/2026/3")]


def _read(photos: list[Path] | None, **said: Any) -> dict[str, Any]:
    """What was said, with the photos stored."""
    kept = [stored(photo) for photo in photos or ()]
    return {**{name: value for name, value in said.items() if value is not None}, "photos": kept}


@trace.command("receive")
def receive(
    asked_by: Annotated[str, typer.Option(help="Who asks")],
    illicit_because: Illicit,
    serial: Serial = None,
    obliterated: Obliterated = False,
    model: Model = None,
    maker: Maker = None,
    calibre: Calibre = None,
    country: Country = None,
    other_marks: Marks = None,
    place: Place = None,
    place_country: Where = None,
    found_on: On = None,
    circumstances: Circumstances = None,
    intended_use: Use = None,
    reference: Reference = None,
    contact: Contact = None,
    photo: Photos = None,
    token: Token = None,
) -> None:
    """Keep a tracing request of another State; it is held against the books at once."""
    with acting(token) as (engine, actor):
        said = _read(
            photo, asked_by=asked_by, illicit_because=illicit_because, serial_number=serial, obliterated=obliterated, model=model,
            maker=maker, calibre=calibre, country=country, other_marks=other_marks, place=place, place_country=place_country,
            found_on=found_on, circumstances=circumstances, intended_use=intended_use, reference=reference, contact=contact,
        )  # fmt: skip
        kept = tracing.keep_request(engine, actor, IncomingRequest.model_validate(said))
    out.print(f"{kept.number}: kept.", markup=False)


@trace.command("ask")
def ask(
    whom: Annotated[str, typer.Option(help="Whom we ask")],
    illicit_because: Illicit,
    serial: Serial = None,
    obliterated: Obliterated = False,
    model: Model = None,
    maker: Maker = None,
    calibre: Calibre = None,
    country: Country = None,
    other_marks: Marks = None,
    place: Place = None,
    place_country: Where = None,
    found_on: On = None,
    circumstances: Circumstances = None,
    intended_use: Use = None,
    contact: Contact = None,
    photo: Photos = None,
    token: Token = None,
) -> None:
    """Keep that another State is asked for the trace of a weapon."""
    with acting(token) as (engine, actor):
        said = _read(
            photo, asked_by=whom, illicit_because=illicit_because, serial_number=serial, obliterated=obliterated, model=model,
            maker=maker, calibre=calibre, country=country, other_marks=other_marks, place=place, place_country=place_country,
            found_on=found_on, circumstances=circumstances, intended_use=intended_use, contact=contact,
        )  # fmt: skip
        kept = tracing.keep_request(engine, actor, OutgoingRequest.model_validate(said))
    out.print(f"{kept.number}: kept.", markup=False)


@trace.command("sighting")
def sighting(
    source: Annotated[str, typer.Option(help="Who saw it")],
    how: Annotated[str, typer.Option(help="recovered or observed")],
    confidence: Annotated[str, typer.Option(help="certain, probable, possible or doubtful")],
    serial: Serial = None,
    obliterated: Obliterated = False,
    model: Model = None,
    maker: Maker = None,
    calibre: Calibre = None,
    country: Country = None,
    other_marks: Marks = None,
    place: Place = None,
    place_country: Where = None,
    found_on: On = None,
    circumstances: Circumstances = None,
    photo: Photos = None,
    token: Token = None,
) -> None:
    """Report that a weapon was seen or recovered abroad; one that the books hold is an alarm."""
    with acting(token) as (engine, actor):
        said = _read(
            photo, asked_by=source, how=how, confidence=confidence, serial_number=serial, obliterated=obliterated, model=model, maker=maker,
            calibre=calibre, country=country, other_marks=other_marks, place=place, place_country=place_country, found_on=found_on,
            circumstances=circumstances,
        )  # fmt: skip
        kept = sightings.report_sighting(engine, actor, Sighting.model_validate(said))
    out.print(f"{kept.number}: recorded.", markup=False)
    if kept.alarms:
        out.print(f"DIVERSION ALARM: the books hold this weapon. {len(kept.alarms)} opened.", markup=False)


@trace.command("list")
def show_list(
    kind: Annotated[str | None, typer.Option(help="incoming request, outgoing request or sighting")] = None,
    token: Token = None,
) -> None:
    """Show requests and sightings, the newest first."""
    with reading_as(token) as (connection, actor):
        rows = list(every_row(lambda limit, cursor: list_tracings(connection, actor, Sought(kind), limit, cursor)))
    show_table(
        ("number", "state", "alarms", "serial number", "model", "place", "country", "found on", "by"),
        map(_shown, rows),
        "Nothing was found or seen abroad.",
    )  # fmt: skip


def _shown(row: TracingRow) -> tuple[object, ...]:
    read = row.serial_number or row.serial_status
    return row.number, row.state, row.alarms, read, row.model, row.place, row.place_country, row.found_on, row.asked_by


def _key(engine: Engine, actor: Actor, number: str) -> UUID:
    with reading(engine, actor) as connection:
        return _named(connection, actor, number)


def _named(connection: Connection, actor: Actor, number: str) -> UUID:
    """The key of a number. Raises NotFound."""
    rows = every_row(lambda limit, cursor: list_tracings(connection, actor, Sought(), limit, cursor))
    found = next((row.tracing_id for row in rows if number.strip().upper() == row.number), None)
    if found is None:
        raise NotFound(f"There is no {number} here: 'stockpile trace list' shows what there is.")
    return found


@trace.command("show")
def show(number: Named, token: Token = None) -> None:
    """Show what was said, and what was done about it."""
    with reading_as(token) as (connection, actor):
        whole = read_whole(connection, actor, _named(connection, actor, number))
    _facts({**whole.said, "state": whole.row.state or "", "diversion alarms": str(len(whole.alarms))})
    show_table(
        ("when", "what", "outcome", "by", "in words"),
        ((step.happened_at, step.what, step.outcome, step.done_by, step.words) for step in whole.steps),
        "Nothing was done about it yet.",
    )


def _facts(said: Mapping[str, str]) -> None:
    for name, value in said.items():
        out.print(f"{name.replace('_', ' ')}: {value}", markup=False)


@trace.command("candidates")
def show_candidates(
    number: Named, limit: Annotated[int, typer.Option(min=1, max=500)] = 20, token: Token = None
) -> None:
    """Show which weapons it may be, the likeliest first, and why."""
    with reading_as(token) as (connection, actor):
        found = tracing.candidates_of(connection, actor, _named(connection, actor, number))
    show_table(
        ("tag", "model", "serial number", "where", "site", "why"),
        (
            (one.asset_tag, one.model, one.serial_number, one.stood, one.site, "; ".join(one.reasons))
            for one in found[:limit]
        ),
        "No weapon in the books comes near.",
    )


@trace.command("step")
def take_step(
    number: Named,
    what: Annotated[str, typer.Argument(help="acknowledged, delayed, sent, answered, refused or remark")],
    words: Annotated[str | None, typer.Option(help="Reasons, or what was answered")] = None,
    token: Token = None,
) -> None:
    """Note what was done."""
    with acting(token) as (engine, actor):
        key = _key(engine, actor, number)
        tracing.take_step(engine, actor, key, TakeStep.model_validate({"what": what, "words": words}))
    out.print(f"{number}: {what}.", markup=False)


@trace.command("answer")
def propose(
    number: Named,
    outcome: Annotated[str, typer.Argument(help="traced, 'not in our books' or refused")],
    weapon: Annotated[str | None, typer.Option(help="Of what was traced: asset tag or serial number")] = None,
    words: Annotated[str | None, typer.Option(help="What is said beside; of a refusal its reasons")] = None,
    token: Token = None,
) -> None:
    """Propose an answer; another person releases it."""
    with acting(token) as (engine, actor):
        key = _key(engine, actor, number)
        asked = {"outcome": outcome, "weapon": weapon, "words": words}
        tracing.propose(engine, actor, key, ProposeAnswer.model_validate(asked))
    out.print(f"{number}: an answer waits for a second person.", markup=False)


@trace.command("release")
def release(number: Named, token: Token = None) -> None:
    """Release the answer that another person proposed."""
    with acting(token) as (engine, actor):
        tracing.release(engine, actor, _key(engine, actor, number))
    out.print(f"{number}: the answer is released.", markup=False)


@trace.command("turn-down")
def turn_down(number: Named, reason: Annotated[str, typer.Option(help="Why not")], token: Token = None) -> None:
    """Turn an answer down, or take one's own back."""
    with acting(token) as (engine, actor):
        tracing.turn_down(engine, actor, _key(engine, actor, number), reason)
    out.print(f"{number}: the answer was turned down.", markup=False)


@trace.command("identify")
def identify(
    number: Named,
    weapon: Annotated[str, typer.Argument(help="Its asset tag or key, as 'candidates' shows")],
    words: Annotated[str, typer.Option(help="Why it is this one")],
    token: Token = None,
) -> None:
    """Say which weapon was sighted; if the books hold it, that is an alarm."""
    with acting(token) as (engine, actor):
        key = _key(engine, actor, number)
        with reading(engine, actor) as connection:
            asked = {"item_id": tracing.weapon_meant(connection, weapon), "words": words}
        sighted = sightings.identify(engine, actor, key, Identify.model_validate(asked))
    out.print(f"{number}: identified. {len(sighted.alarms or ())} diversion alarms.", markup=False)


@trace.command("print")
def print_answer(
    number: Named,
    to: Annotated[Path, typer.Option("--to", help="The PDF to write", dir_okay=False)],
    language: Annotated[str | None, typer.Option(help="en, ar or uk; left out: en")] = None,
    size: Annotated[Size, typer.Option(help="The sheet that is printed on")] = Size.A4,
    token: Token = None,
) -> None:
    """Write the answer that was released as a PDF; it names no person."""
    with reading_as(token) as (connection, actor):
        paper = answer_of(connection, actor, _named(connection, actor, number))
    to.write_bytes(render((paper,), language, size))
    out.print(f"{to}: written.", markup=False)


@trace.command("iarms")
def write_iarms(
    file: Annotated[Path, typer.Argument(help="To this .csv or .xlsx file", dir_okay=False)],
    contact: Annotated[str | None, typer.Option(help="Whom to ask: written into every row")] = None,
    token: Token = None,
) -> None:
    """Write lost, stolen and recovered weapons with the fields that the register of lost weapons asks for."""
    check_ending(file)
    with reading_as(token) as (connection, actor):
        sought = iarms.Sought(contact=contact)
        rows = every_row(lambda limit, cursor: iarms.list_iarms(connection, actor, sought, limit, cursor))
        write_rows(file, columns(iarms.IarmsRow), table(rows))

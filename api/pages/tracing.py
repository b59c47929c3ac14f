"""Tracing requests and sightings: the list, one of them with its candidates and what was done, the forms that bring them in, and the
export of lost, stolen and recovered weapons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Path, Request, UploadFile
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.forms import sent, stored_evidence
from api.pages.listing import (
    HOST,
    Asked,
    Column,
    Filter,
    Listing,
    Way,
    answer_list,
    choice_filter,
    day_filter,
    key_filter,
    table,
    text_filter,
)
from api.v1.drafts import Rejection
from api.words import N_
from stockpile.db.tables.tracing import CONFIDENCES, HOW, INCOMING, OUTGOING, SIGHTING
from stockpile.donors import sightings, tracing
from stockpile.donors.candidates import Candidate
from stockpile.donors.sightings import Identify
from stockpile.donors.tracing import OUTCOMES, POSSIBLE, ProposeAnswer, TakeStep
from stockpile.donors.weapon_read import IncomingRequest, OutgoingRequest, Sighting, WeaponRead
from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.reports import iarms
from stockpile.reports.described import Described, described
from stockpile.reports.iarms import IarmsRow, list_iarms
from stockpile.reports.keyset import Page
from stockpile.reports.tracings import (
    ORDERS,
    HeldToBe,
    Sought,
    TracingKind,
    TracingRow,
    TracingState,
    list_tracings,
    read_whole,
)
from stockpile.rights import DESK, REPORT_SIGHTING, RIGHTS, TRACE, Actor, reading, require
from stockpile.sentences import joined, sentence

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=4000)]
TRACERS = RIGHTS[TRACE]
CANDIDATES_SHOWN = 30


def _ask(connection: Connection, actor: Actor, asked: Asked) -> Page[TracingRow]:
    return list_tracings(connection, actor, Sought(**asked.values), asked.limit, asked.cursor, asked.order)


def _one(row: TracingRow) -> str:
    return f"/tracing/{row.tracing_id}"


TRACINGS = Listing(
    path="/tracing",
    name="tracing",
    title=N_("Tracing requests and sightings"),
    question=N_("Which weapons were found or seen abroad, who asks, and what became of it?"),
    row=TracingRow,
    columns=(
        Column("number", N_("Number"), "code", _one, roles=HOST),
        Column("kind", N_("What"), "term", _one),
        Column("state", N_("State"), "term", roles=HOST),
        Column("alarms", N_("Diversion alarms"), "number", roles=HOST),
        Column("serial_number", N_("Serial number as read"), "code", _one),
        Column("model", N_("Model as read")),
        Column("place", N_("Found at")),
        Column("place_country", N_("Country"), "code"),
        Column("found_on", N_("Found on"), "day"),
        Column("confidence", N_("How sure"), "term", sparse=True),
        Column("asked_by", N_("Who asks, is asked, or saw it"), roles=HOST),
        Column("came_on", N_("Came on"), "day", roles=HOST),
    ),
    filters=(
        text_filter(N_("Part of the serial number as read")),
        choice_filter("kind", N_("What"), TracingKind),
        choice_filter("state", N_("State"), TracingState, roles=HOST),
        Filter("country", N_("Found in the country"), help=N_("Two letters, such as SY")),
        key_filter("item_id", N_("Held to be one weapon.")),
    ),
    ways=(
        Way(N_("A request came in"), "/tracing/new/incoming", TRACERS),
        Way(N_("A weapon was seen abroad"), "/tracing/new/sighting", TRACERS),
        Way(N_("We ask another State"), "/tracing/new/outgoing", TRACERS),
        Way(N_("Lost, stolen and recovered, iARMS-ready"), "/tracing/iarms", TRACERS),
    ),
    empty=N_("Nothing was found or seen abroad that concerns you here."),
    ask=_ask,
    orders=ORDERS,
)


@router.get("/tracing", response_class=HTMLResponse)
def tracings(request: Request, engine: Database, actor: Asker) -> Response:
    """The list; a donor's own."""
    return answer_list(TRACINGS, request, engine, actor)


def _ask_iarms(connection: Connection, actor: Actor, asked: Asked) -> Page[IarmsRow]:
    return list_iarms(connection, actor, iarms.Sought(**asked.values), asked.limit, asked.cursor, asked.order)


IARMS = Listing(
    path="/tracing/iarms",
    name="iarms",
    title=N_("Lost, stolen and recovered, iARMS-ready"),
    question=N_(
        "What is to be reported to the register of lost and stolen weapons, through the National Central Bureau?"
    ),
    row=IarmsRow,
    columns=(
        Column("record_type", N_("Record"), "term", lambda row: f"/weapons/{row.item_id}"),
        Column("firearm_type", N_("Type"), "term"),
        Column("make", N_("Maker")),
        Column("model", N_("Model")),
        Column("calibre", N_("Calibre"), "code"),
        Column("serial_number", N_("Serial number"), "code", lambda row: f"/weapons/{row.item_id}"),
        Column("serial_status", N_("Serial status"), "term"),
        Column("happened_on", N_("Day"), "day"),
        Column("place", N_("Place")),
        Column("reference", N_("Document"), "code"),
    ),
    filters=(
        choice_filter("record_type", N_("Record"), iarms.RECORD_TYPES),
        day_filter("since", N_("Since")),
        Filter("contact", N_("Contact"), help=N_("Whom to ask: written into every row of the file")),
    ),
    empty=N_("No weapon is missing or lost, and none was recovered."),
    ask=_ask_iarms,
    orders=iarms.ORDERS,
    default="happened_on",
)


@router.get("/tracing/iarms", response_class=HTMLResponse)
def iarms_list(request: Request, engine: Database, actor: Asker) -> Response:
    """The records; all their fields stand in the file."""
    return answer_list(IARMS, request, engine, actor)


FORMS: Mapping[str, type[WeaponRead]] = {"incoming": IncomingRequest, "outgoing": OutgoingRequest, "sighting": Sighting}
TITLES = {
    "incoming": N_("A tracing request came in"),
    "outgoing": N_("Ask another State for a trace"),
    "sighting": N_("Report a sighting"),
}
ABOUT = {
    "incoming": N_("Write down what was read and said, as it came. It is held against the books at once."),
    "outgoing": N_("Of a weapon that we have. What they answer is noted later."),
    "sighting": N_("A weapon was seen or recovered abroad. Say what was read, by whom, and how sure that is."),
}
Which = Annotated[str, Path(pattern="^(incoming|outgoing|sighting)$")]


@router.get("/tracing/new/{which}", response_class=HTMLResponse)
def new(which: Which, request: Request, actor: Asker, kept: str = "") -> Response:
    """The form of a request or a sighting. `kept`: the number of a sighting that was just reported from a desk."""
    return _new(request, actor, which, {"given": {"tracing_id": new_key()}, "kept": kept[:64]})


@router.post("/tracing/new/{which}", response_class=HTMLResponse)
def keep(
    which: Which,
    request: Request,
    engine: Database,
    actor: Asker,
    tracing_id: Text = "",
    serial_number: Text = "",
    obliterated: Text = "",
    firearm_type: Text = "",
    model: Text = "",
    maker: Text = "",
    calibre: Text = "",
    country: Text = "",
    import_mark: Text = "",
    other_marks: Text = "",
    place: Text = "",
    place_country: Text = "",
    found_on: Text = "",
    circumstances: Text = "",
    contact: Text = "",
    reference: Text = "",
    asked_by: Text = "",
    illicit_because: Text = "",
    intended_use: Text = "",
    how: Text = "",
    confidence: Text = "",
    came_on: Text = "",
    photo: Text = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Keeps it and goes to its page; a desk, which reads none, gets its number."""
    form = FORMS[which]
    given = {
        "tracing_id": tracing_id, "serial_number": serial_number, "obliterated": obliterated, "firearm_type": firearm_type, "model": model,
        "maker": maker, "calibre": calibre, "country": country, "import_mark": import_mark, "other_marks": other_marks, "place": place,
        "place_country": place_country, "found_on": found_on, "circumstances": circumstances, "contact": contact, "reference": reference,
        "asked_by": asked_by, "illicit_because": illicit_because, "intended_use": intended_use, "how": how, "confidence": confidence,
        "came_on": came_on, "photo": photo, "file": "",
    }  # fmt: skip

    def do() -> str:
        require(actor, REPORT_SIGHTING if form is Sighting else TRACE)
        if file is not None and file.filename:
            given["photo"] = stored_evidence(file)
        fields = {name: value.strip() for name, value in given.items() if value.strip() and name in form.model_fields}
        photos = [given["photo"]] if given["photo"] else []
        wanted = form.model_validate({**fields, "obliterated": bool(obliterated), "photos": photos})
        if isinstance(wanted, Sighting):
            sighted = sightings.report_sighting(engine, actor, wanted)
            if actor.role in DESK:
                return f"/tracing/new/sighting?kept={sighted.number}"
        elif isinstance(wanted, IncomingRequest | OutgoingRequest):
            tracing.keep_request(engine, actor, wanted)
        return f"/tracing/{wanted.tracing_id}"

    return sent(given, do, lambda shown, status: _new(request, actor, which, shown, status))


def _new(request: Request, actor: Actor, which: str, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, REPORT_SIGHTING if which == "sighting" else TRACE)
    shown = {
        "which": which,
        "title": TITLES[which],
        "about": ABOUT[which],
        "hows": [(one, one) for one in HOW],
        "confidences": [(one, one) for one in CONFIDENCES],
        "form": {"faults": {}, "problem": None, "kept": "", **form},
    }
    response: Response = templates.TemplateResponse(request, "tracing_new.html", shown, status_code=status)
    return response


@router.get("/tracing/{tracing_id}", response_class=HTMLResponse)
def one(tracing_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """One request or sighting: what was read, what it may be, what was done, and what can be done next."""
    return _page(request, engine, actor, tracing_id, {"given": {}})


@router.post("/tracing/{tracing_id}/step", response_class=HTMLResponse)
def step(
    tracing_id: UUID, request: Request, engine: Database, actor: Asker, what: Text = "", words: Text = ""
) -> Response:
    """Notes what was done."""
    given = {"what": what, "words": words}

    def do() -> str:
        wanted = TakeStep.model_validate({"what": what, "words": words.strip() or None})
        tracing.take_step(engine, actor, tracing_id, wanted)
        return f"/tracing/{tracing_id}"

    return sent(given, do, lambda form, status: _page(request, engine, actor, tracing_id, form, status))


@router.post("/tracing/{tracing_id}/answer", response_class=HTMLResponse)
def propose(
    tracing_id: UUID,
    request: Request,
    engine: Database,
    actor: Asker,
    outcome: Text = "",
    weapon: Text = "",
    answer_words: Text = "",
) -> Response:
    """Proposes an answer; another person releases it."""
    given = {"outcome": outcome, "weapon": weapon, "answer_words": answer_words}

    def do() -> str:
        wanted = {"outcome": outcome, "weapon": weapon.strip() or None, "words": answer_words.strip() or None}
        tracing.propose(engine, actor, tracing_id, ProposeAnswer.model_validate(wanted))
        return f"/tracing/{tracing_id}"

    return sent(given, do, lambda form, status: _page(request, engine, actor, tracing_id, form, status))


@router.post("/tracing/{tracing_id}/release", response_class=HTMLResponse)
def release(tracing_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The second person's part."""

    def do() -> str:
        tracing.release(engine, actor, tracing_id)
        return f"/tracing/{tracing_id}"

    return sent({}, do, lambda form, status: _page(request, engine, actor, tracing_id, form, status))


@router.post("/tracing/{tracing_id}/turn-down", response_class=HTMLResponse)
def turn_down(tracing_id: UUID, request: Request, engine: Database, actor: Asker, reason: Text = "") -> Response:
    """Turns an answer down, or takes one's own back."""

    def do() -> str:
        tracing.turn_down(engine, actor, tracing_id, Rejection.model_validate({"reason": reason}).reason)
        return f"/tracing/{tracing_id}"

    return sent({"reason": reason}, do, lambda form, status: _page(request, engine, actor, tracing_id, form, status))


@router.post("/tracing/{tracing_id}/identify", response_class=HTMLResponse)
def identify(
    tracing_id: UUID, request: Request, engine: Database, actor: Asker, item_id: Text = "", why: Text = ""
) -> Response:
    """Says which weapon was sighted."""
    given = {"item_id": item_id, "why": why}

    def do() -> str:
        if not item_id.strip():
            fault = Fault(sentence("choose one of the candidates"), field="item_id")
            raise Invalid(sentence("Nothing was done: see the fields marked below."), [fault])
        sightings.identify(engine, actor, tracing_id, Identify.model_validate({"item_id": item_id, "words": why}))
        return f"/tracing/{tracing_id}"

    return sent(given, do, lambda form, status: _page(request, engine, actor, tracing_id, form, status))


CANDIDATES = (
    Column("serial_number", N_("Serial number"), "code", lambda it: f"/weapons/{it.item_id}"),
    Column("model", N_("Model"), read=lambda it: f"{it.maker} {it.model}"),
    Column("asset_tag", N_("Asset tag"), "code"),
    Column("reasons", N_("Why it may be this one"), "text", read=lambda it: joined(sentence("; "), it.reasons)),
    Column("stood", N_("Where the books have it"), "place", none=N_("outside")),
    Column("site", N_("Site"), "code"),
    Column("since", N_("Since"), "day", read=lambda it: it.since and it.since.date()),
    Column("donor", N_("Donor"), "code"),
)
STEPS = (
    Column("happened_at", N_("When"), "moment"),
    Column("what", N_("What was done"), "term"),
    Column("outcome", N_("Outcome"), "term", sparse=True),
    Column("done_by", N_("By"), "person"),
    Column("words", N_("In words")),
)
LABELS = {
    "firearm_type": N_("Type"), "maker": N_("Maker"), "country": N_("Country of manufacture"), "import_mark": N_("Import mark"),
    "other_marks": N_("Other marks"), "asked_by": N_("Who asks, is asked, or saw it"), "reference": N_("Their reference"),
    "contact": N_("Contact"), "circumstances": N_("Circumstances"), "illicit_because": N_("How it was found to be illicit"),
    "intended_use": N_("Intended use of the answer"),
}  # fmt: skip


def _page(
    request: Request, engine: Engine, actor: Actor, tracing_id: UUID, form: Mapping[str, Any], status: int = 200
) -> Response:
    traces = actor.role in TRACERS
    with reading(engine, actor) as connection:
        whole = read_whole(connection, actor, tracing_id)
        found = tracing.candidates_of(connection, actor, tracing_id) if traces and whole.row.kind != OUTGOING else ()
        known = described(connection, actor, [weapon.item_id for weapon in whole.weapons])
    shown = {
        "whole": whole,
        "row": whole.row,
        "said": [(label, whole.said[name]) for name, label in LABELS.items() if name in whole.said],
        "weapons": _held(whole.weapons, known),
        "candidates": table(CANDIDATES, found[:CANDIDATES_SHOWN], N_("No weapon in the books comes near.")),
        "choices": [(str(it.item_id), _called(it)) for it in found[:CANDIDATES_SHOWN]],
        "more": max(0, len(found) - CANDIDATES_SHOWN),
        "steps": table(STEPS, whole.steps, N_("Nothing was done about it yet.")),
        "possible": [(one, one) for one in POSSIBLE[whole.row.kind]] if traces else (),
        "outcomes": [(one, one) for one in OUTCOMES],
        "may_propose": traces and whole.row.kind == INCOMING and not whole.waits,
        "may_release": traces and whole.waits and not whole.own,
        "may_identify": traces and whole.row.kind == SIGHTING and bool(found),
        "seeks": traces and whole.row.kind != OUTGOING,
        "form": {"faults": {}, "problem": None, **form},
    }
    response: Response = templates.TemplateResponse(request, "tracing.html", shown, status_code=status)
    return response


def _called(it: Candidate) -> str:
    where = f"{it.stood} {it.site or ''}".strip() if it.stood else ""
    return ", ".join(part for part in (f"{it.model} {it.serial_number or it.asset_tag}", where) if part)


def _held(weapons: Sequence[HeldToBe], known: Mapping[UUID, Described]) -> list[tuple[HeldToBe, Described]]:
    return [(weapon, known[weapon.item_id]) for weapon in weapons if weapon.item_id in known]

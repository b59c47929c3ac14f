"""Yearly returns to treaties, as a page: the tables that are handed in, who defines each, what of it is unverified, and each as a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.forms import faults_by_field
from api.pages.moments import read_moment
from api.words import N_
from stockpile.errors import Fault, Invalid
from stockpile.reports.treaty_returns import Treaty, TreatyReturn, check_may_read, treaty_return
from stockpile.rights import Actor, reading
from stockpile.sentences import sentence, words_of

router = APIRouter(include_in_schema=False)

PATH = "/reports/treaty-returns"
SHOWN = 100
"""Rows of a table on the page; a file has all."""
FIRST, LAST = 1900, 2199

NAMES = {
    Treaty.UN_REGISTER: N_("UN Register of Conventional Arms, with small arms"),
    Treaty.ARMS_TRADE_TREATY: N_("Arms Trade Treaty: annual report and record"),
    Treaty.PROGRAMME_OF_ACTION: N_("Programme of Action on small arms: record-keeping and destruction"),
}

Given = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class Entry:
    """How the index of reports leads here."""

    path: str
    title: str
    question: str


RETURNS = Entry(
    PATH,
    N_("Returns to treaties"),
    N_("What came, went, was destroyed and is held in a year, in the treaties' own columns?"),
)


@router.get(PATH, response_class=HTMLResponse)
def returns(
    request: Request,
    engine: Database,
    actor: Asker,
    treaty: Given = "",
    year: Given = "",
    recorded_as_of: Given = "",
) -> Response:
    """A year's return to a treaty, or the question which."""
    check_may_read(actor)
    last = datetime.now(UTC).year - 1
    given = {"treaty": treaty, "year": year or str(last), "recorded_as_of": recorded_as_of}
    shown: dict[str, Any] = {"treaties": NAMES, "given": given, "faults": {}, "limit": SHOWN, "made": None}
    status = 200
    if treaty or year:
        try:
            wanted, of_year, known_by = _asked(actor, given)
            with reading(engine, actor) as connection:
                shown["made"] = made = treaty_return(connection, actor, wanted, of_year, known_by)
            shown["files"] = _files(made)
        except Invalid as problem:
            shown |= {"problem": problem, "faults": faults_by_field(problem)}
            status = 422
    response: Response = templates.TemplateResponse(request, "treaty_returns.html", shown, status)
    return response


def _asked(actor: Actor, given: dict[str, str]) -> tuple[Treaty, int, datetime | None]:
    """What is asked for. Raises Invalid naming each field that is wrong."""
    faults = []
    if given["treaty"] not in set(Treaty):
        faults.append(Fault(sentence("choose a treaty"), field="treaty", value=given["treaty"]))
    number = given["year"].strip()
    if not (number.isascii() and number.isdigit() and FIRST <= int(number) <= LAST):
        faults.append(
            Fault(sentence("a year from {first} to {last}", first=FIRST, last=LAST), field="year", value=number)
        )
    known_by = None
    try:
        known_by = read_moment(given["recorded_as_of"].strip()) if given["recorded_as_of"].strip() else None
    except ValueError as problem:
        faults.append(Fault(words_of(problem), field="recorded_as_of", value=given["recorded_as_of"]))
    if faults:
        raise Invalid(sentence("There is no such return: see the fields marked below."), faults)
    if known_by is not None and known_by.tzinfo is None:
        known_by = known_by.replace(tzinfo=ZoneInfo(actor.time_zone or "UTC"))
    return Treaty(given["treaty"]), int(number), known_by


def _files(made: TreatyReturn) -> dict[str, dict[str, str]]:
    """Where each table is as a file: that of the API, with the same cut-off."""
    kept = {"recorded_as_of": made.known_by.isoformat()} if made.known_by else {}
    path = f"/v1/treaty-returns/{made.treaty}/{made.year}"
    return {
        table.name: {kind: address(path, table=table.name, format=kind, **kept) for kind in ("csv", "xlsx")}
        for table in made.tables
    }

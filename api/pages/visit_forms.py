"""The forms of end-use monitoring, and what is made of them: a plan, a visit, a refusal, a holder's report. Times are those on the depot's
wall; files stay with a form that is shown again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from starlette.datastructures import FormData, UploadFile

from api.pages.forms import or_none, stored_evidence, stored_list
from api.pages.statement_forms import Asking
from api.words import N_
from stockpile.donors.dispositions import ReportDispositions, report_dispositions
from stockpile.donors.files import remember_file
from stockpile.donors.physical_security import checklist
from stockpile.donors.visits import (
    MOST_FILES,
    PlanVisit,
    RecordVisit,
    RefuseVisit,
    plan_visit,
    record_visit,
    refuse_visit,
)
from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.rights import DONOR, MONITOR, REPORT_DISPOSITIONS, Actor, reading
from stockpile.sentences import sentence
from stockpile.sites import find_site

PLAN, RECORD, REFUSAL, DISPOSITIONS = "plan", "record", "refusal", "dispositions"


@dataclass(frozen=True, slots=True)
class VisitForm:
    """A form: its title, fields, who may send it. `list_file`: the list it may bring; `evidence`: photos and papers come with it;
    `security`: it has the check of the store.
    """

    what: str
    title: str
    lead: str
    right: str
    fields: tuple[Asking, ...]
    button: str
    list_file: str | None = None
    evidence: bool = False
    security: bool = False


LEVELS = (("enhanced", N_("enhanced")), ("routine", N_("routine")))
YES = (("yes", N_("yes")),)
NUMBER = Asking("number", N_("Your number of the visit"), required=True)
SITE = Asking("site", N_("Depot"), "site", required=True)
STORE = Asking("store", N_("Store"), help=N_("Only this one; nothing: all that is in hands at the depot"))
LEVEL = Asking(
    "level",
    N_("How closely"),
    "choice",
    required=True,
    choices=LEVELS,
    help=N_("Enhanced: every serial number is read"),
)
INSPECTORS = Asking("inspectors", N_("Inspectors"), "long", required=True, help=N_("A line each"))
NOTES = Asking("notes", N_("Notes"), "long")

FORMS: Mapping[str, VisitForm] = {
    form.what: form
    for form in (
        VisitForm(
            PLAN,
            N_("Plan a visit"),
            N_("The depot reads it at once. Planned again under its number it is the new plan."),
            MONITOR,
            (NUMBER, SITE, STORE, LEVEL, Asking("planned_on", N_("On"), "day", required=True), INSPECTORS, NOTES),
            N_("Plan it"),
        ),
        VisitForm(
            RECORD,
            N_("Record a visit"),
            N_(
                "It is kept as you send it and stands in the log at once. Each line is compared with where the ledger had the weapon then."
            ),
            MONITOR,
            (
                NUMBER, SITE, STORE, LEVEL,
                Asking("began_at", N_("Began"), "moment", required=True, help=N_("On the depot's wall")),
                Asking("ended_at", N_("Ended"), "moment", required=True, help=N_("On the depot's wall")),
                INSPECTORS,
                Asking("lines", N_("What was read"), "lines",
                       help=N_(
                           "Tags or serial numbers, one a line; with a semicolon the time, as in FA 1044; 10:42. Over 2,000 as a file."
                       )),
                Asking("complete", N_("All our weapons under enhanced monitoring there were to be shown"), "choice", choices=YES,
                       help=N_("Then what nobody read is missing")),
                NOTES,
            ),
            N_("Record it"),
            list_file=N_("Or a scan list, as CSV or XLSX"),
            evidence=True,
            security=True,
        ),
        VisitForm(
            REFUSAL,
            N_("A visit was refused"),
            N_("It is an open discrepancy of the depot at once, and stands in the log."),
            MONITOR,
            (
                NUMBER, SITE, LEVEL, Asking("refused_on", N_("On"), "day", required=True),
                Asking("refused_by", N_("By whom"), required=True, help=N_("And in which office")),
                Asking("why", N_("The reason that was given"), required=True), INSPECTORS, NOTES,
            ),
            N_("Keep it"),
            evidence=True,
        ),
        VisitForm(
            DISPOSITIONS,
            N_("Report what a unit has"),
            N_("To the donor of the weapons. It moves no custody: what the ledger says otherwise is open on both sides."),
            REPORT_DISPOSITIONS,
            (
                Asking("donor", N_("Donor"), required=True),
                Asking("number", N_("Your number of the report"), required=True),
                Asking("unit", N_("Unit"), required=True, help=N_("Its code")),
                Asking("lines", N_("Weapons"), "lines", required=True,
                       help=N_("A line each: number; held, expended or lost; day; remarks. As in FA 1044; held; 2026-12-01")),
                Asking("remarks", N_("Remarks"), "long"),
            ),
            N_("Report it"),
            evidence=False,
        ),
    )
}  # fmt: skip


def form_sent(engine: Engine, actor: Actor, form: VisitForm, typed: FormData, given: dict[str, Any]) -> UUID:
    """Does what a form says; the key of what was kept. Stored files are noted in what is given, for the form to be shown again.

    Raises what is wrong with it.
    """
    body: dict[str, Any] = {field.name: or_none(given.get(field.name, "")) for field in form.fields}
    body = {name: value for name, value in body.items() if value is not None}
    body["statement_id"] = given.get("statement_id") or new_key()
    if "inspectors" in body:
        body["inspectors"] = [name.strip() for name in body["inspectors"].splitlines() if name.strip()]
    if form.evidence:
        body["evidence"] = _evidence(engine, actor, typed, given)
    if form.what == RECORD:
        return _record(engine, actor, typed, given, body)
    if form.what == DISPOSITIONS:
        body["lines"] = list(_disposition_lines(body.get("lines", "")))
        return report_dispositions(engine, actor, ReportDispositions.model_validate(body)).statement_id
    if form.what == PLAN:
        return plan_visit(engine, actor, PlanVisit.model_validate(body)).statement_id
    return refuse_visit(engine, actor, RefuseVisit.model_validate(body)).statement_id


def _record(engine: Engine, actor: Actor, typed: FormData, given: dict[str, Any], body: dict[str, Any]) -> UUID:
    listed = typed.get("file")
    if isinstance(listed, UploadFile) and listed.filename:
        given["list_sha256"] = _stored(engine, actor, listed, evidence=False)
        given["list_name"] = listed.filename[-64:]
    if given.get("list_sha256"):
        body["file"] = {"sha256": given["list_sha256"], "name": given.get("list_name") or "scans.csv"}
    if "site" in body:
        with reading(engine, actor) as connection:
            wall = ZoneInfo(find_site(connection, body["site"]).time_zone)
        for name in ("began_at", "ended_at"):
            if name in body:
                body[name] = _on_the_wall(name, body[name], wall)
    began = body.get("began_at")
    body["lines"] = list(_lines(body.get("lines", ""), began if isinstance(began, datetime) else None))
    body["complete"] = bool(body.get("complete"))
    body["physical_security"] = [
        {"point": point.code, "found": found, "remarks": or_none(given.get(f"remarks-{point.code}", ""))}
        for point in checklist()
        if (found := or_none(given.get(f"point-{point.code}", "")))
    ]
    return record_visit(engine, actor, RecordVisit.model_validate(body)).statement_id


def _on_the_wall(field: str, text: str, wall: ZoneInfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fault = Fault(sentence("write a moment like 2026-11-24T09:30"), field=field, value=text[:64])
        raise Invalid(sentence("Nothing was done: see the fields marked below."), [fault]) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=wall)


def _lines(text: str, began: datetime | None) -> Iterable[dict[str, Any]]:
    """Lines as they were keyed: a number, with a semicolon its time on the wall. Raises Invalid."""
    for number, line in enumerate(text.splitlines(), 1):
        scan, _, clock = (part.strip() for part in line.partition(";"))
        if not scan:
            continue
        read: dict[str, Any] = {"scan": scan}
        if clock and began is not None:
            try:
                at = time.fromisoformat(clock)
            except ValueError:
                fault = Fault(
                    sentence(
                        "line {number}: write the time like 10:42, not {clock!r}", number=number, clock=clock[:32]
                    ),
                    field="lines",
                )
                raise Invalid(sentence("Nothing was done: see the fields marked below."), [fault]) from None
            moment = datetime.combine(began.date(), at, began.tzinfo)
            read["read_at"] = moment if moment >= began else moment + timedelta(days=1)
        yield read


def _disposition_lines(text: str) -> Iterable[dict[str, Any]]:
    """Lines as they were keyed: number; state; day; remarks. Raises Invalid."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(";", 3)]
        if len(parts) < 3 or parts[1].casefold() not in ("held", "expended", "lost"):
            fault = Fault(
                sentence("line {number}: write it like FA 1044; held; 2026-12-01", number=number), field="lines"
            )
            raise Invalid(sentence("Nothing was done: see the fields marked below."), [fault])
        yield {
            "scan": parts[0], "state": parts[1].casefold(), "on": parts[2], "remarks": or_none(parts[3]) if len(parts) > 3 else None,
        }  # fmt: skip


def _evidence(engine: Engine, actor: Actor, typed: FormData, given: dict[str, Any]) -> list[dict[str, str]]:
    """The photos and papers of a form: those that it kept from before, and those that came now."""
    kept = [line.split(" ", 1) for line in str(given.get("kept_evidence", "")).splitlines() if " " in line]
    found = [{"sha256": sha256, "name": name[-64:]} for sha256, name in kept]
    for file in typed.getlist("evidence"):
        if isinstance(file, UploadFile) and file.filename:
            if len(found) >= MOST_FILES:
                fault = Fault(sentence("at most {most} files", most=MOST_FILES), field="evidence")
                raise Invalid(sentence("Nothing was done: see the fields marked below."), [fault])
            name = " ".join(file.filename[-64:].split()) or "file"
            found.append({"sha256": _stored(engine, actor, file, evidence=True), "name": name})
            given["kept_evidence"] = "\n".join(f"{one['sha256']} {one['name']}" for one in found)
    return found


def _stored(engine: Engine, actor: Actor, file: UploadFile, evidence: bool) -> str:
    sha256 = stored_evidence(file) if evidence else stored_list(file)
    if actor.role == DONOR:
        remember_file(engine, actor, sha256)
    return sha256

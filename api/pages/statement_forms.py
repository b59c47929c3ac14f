"""What is said by a form: a donor's declaration, certificate and consent, and the depot's delivery verification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.forms import or_none, sent, stored_evidence, stored_list
from api.pages.listing import sites_offered
from api.words import N_
from stockpile.donors.certificates import GiveConsent, SendCertificate, give_consent, send_certificate
from stockpile.donors.consignments import DeclareConsignment, declare_consignment
from stockpile.donors.files import remember_file
from stockpile.donors.verifications import VerifyDelivery, verify_delivery
from stockpile.errors import Invalid
from stockpile.keys import new_key
from stockpile.rights import SIGN_DELIVERIES, TELL_HOST, Actor, reading, require
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asking:
    """A field of a form: its name, label and kind; whether it must be filled; what its choices are."""

    name: str
    label: str
    kind: str = "text"
    required: bool = False
    help: str | None = None
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Speech:
    """A form by which somebody says something: its title, fields, the file that comes with it, and what is done."""

    title: str
    lead: str
    right: str
    fields: tuple[Asking, ...]
    button: str
    file: str | None = None
    accept: str = ""


YES = (("yes", N_("yes")),)
PURPOSES = tuple((purpose, purpose) for purpose in (N_("re-transfer"), N_("change of end use"), N_("disposal")))


SPEECHES: Mapping[str, Speech] = {
    "declaration": Speech(
        N_("Declare a consignment"),
        N_("The list is kept as you send it, and stands in the log at once. The host then accepts it, or sends it back saying why."),
        TELL_HOST,
        (
            Asking("reference", N_("Your number of the consignment"), required=True),
            Asking("site", N_("Depot"), "site", required=True),
            Asking("end_user_certificate", N_("End-user certificate"), help=N_("The number of one that you sent")),
            Asking("carrier", N_("Carrier")),
            Asking("route", N_("Route")),
            Asking("shipped_on", N_("Leaves on"), "day"),
            Asking("expected_on", N_("Expected"), "day"),
            Asking("remarks", N_("Remarks"), "long"),
            Asking("set_aside", N_("Lines that cannot be read"), "choice", choices=(("yes", N_("set aside, and the rest declared")),)),
        ),
        N_("Declare it"),
        N_("Shipping list, as CSV or XLSX"),
        ".csv,.tsv,.txt,.xlsx,.xls,.ods",
    ),
    "certificate": Speech(
        N_("Send an end-user certificate"),
        N_("A new version comes under the same number: in force is the one that the host accepted last."),
        TELL_HOST,
        (
            Asking("number", N_("Number"), required=True),
            Asking("supplier", N_("Supplier"), required=True),
            Asking("end_user", N_("End user"), required=True),
            Asking("end_use", N_("End use"), required=True),
            Asking("units", N_("Units that may have it"), help=N_("Their codes, with commas; none: every unit")),
            Asking("sites", N_("Depots that may keep it"), help=N_("Their codes, with commas; none: every depot")),
            Asking("retransfer_clause", N_("Clause on re-transfer and change of end use"), "long", required=True),
            Asking("disposal_clause", N_("Clause on disposal"), "long", required=True),
            Asking("issued_on", N_("Issued on"), "day", required=True),
            Asking("expires_on", N_("Holds until"), "day"),
            Asking("vetting", N_("Only vetted units"), "choice", choices=YES),
            Asking("vetted", N_("Vetted units"), "long", help=N_("A line each: the unit's code and the last day, as in 1COY 2027-06-30")),
        ),
        N_("Send it"),
        N_("Its scan, as PDF or picture"),
        "application/pdf,image/*",
    ),
    "consent": Speech(
        N_("Give a consent"),
        N_("To what a certificate does not allow. It can't be taken back: say until when."),
        TELL_HOST,
        (
            Asking("certificate", N_("End-user certificate"), required=True),
            Asking("number", N_("Number of the consent"), required=True),
            Asking("purpose", N_("To what"), "choice", required=True, choices=PURPOSES),
            Asking("recipient", N_("To whom"), help=N_("The country, or the code of the unit or depot; of a disposal: nobody")),
            Asking("until", N_("Holds until"), "day"),
            Asking("words", N_("In words"), "long", required=True),
        ),
        N_("Give it"),
    ),
    "verification": Speech(
        N_("Certify a delivery"),
        N_("Each piece that arrived and no certificate names yet. A second person signs it too: then the donor has it."),
        SIGN_DELIVERIES,
        (
            Asking("donor", N_("Donor"), required=True),
            Asking("consignment", N_("Consignment"), required=True),
            Asking("title_passes_on", N_("Title passes on"), "day", required=True),
            Asking("remarks", N_("Remarks"), "long"),
        ),
        N_("Sign it"),
    ),
}  # fmt: skip


def _show_form(
    request: Request, engine: Database, actor: Actor, what: str, form: Mapping[str, Any], status: int = 200
) -> Response:
    speech = SPEECHES[what]
    require(actor, speech.right)
    with reading(engine, actor) as connection:
        shown = {
            "speech": speech,
            "action": f"/statements/{what}",
            "sites": sites_offered(connection),
            "form": {"faults": {}, "problem": None, "given": {"statement_id": str(new_key())}, **form},
        }
    response: Response = templates.TemplateResponse(request, "statement_new.html", shown, status_code=status)
    return response


@router.get("/statements/declaration", response_class=HTMLResponse)
def declaration_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of a declaration."""
    return _show_form(request, engine, actor, "declaration", {})


@router.get("/statements/certificate", response_class=HTMLResponse)
def certificate_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form of an end-user certificate."""
    return _show_form(request, engine, actor, "certificate", {})


@router.get("/statements/consent", response_class=HTMLResponse)
def consent_form(request: Request, engine: Database, actor: Asker, certificate: str = "") -> Response:
    """The form of a consent."""
    given = {"statement_id": str(new_key()), "certificate": certificate}
    return _show_form(request, engine, actor, "consent", {"given": given})


@router.get("/statements/verification", response_class=HTMLResponse)
def verification_form(
    request: Request, engine: Database, actor: Asker, donor: str = "", consignment: str = ""
) -> Response:
    """The form of a delivery verification."""
    given = {"statement_id": str(new_key()), "donor": donor, "consignment": consignment}
    return _show_form(request, engine, actor, "verification", {"given": given})


def _said(
    request: Request,
    engine: Database,
    actor: Actor,
    what: str,
    given: dict[str, str],
    do: Callable[[dict[str, Any]], UUID],
) -> Response:
    """Does what a form says; else shows it again as it was filled in."""
    fields = {asking.name for asking in SPEECHES[what].fields}
    body: dict[str, Any] = {name: or_none(text) for name, text in given.items() if name in fields}
    return sent(
        given,
        lambda: f"/statements/{do({**body, 'statement_id': given['statement_id'] or new_key()})}",
        lambda form, status: _show_form(request, engine, actor, what, form, status),
    )


def _stored(engine: Database, actor: Actor, file: UploadFile | None, given: dict[str, str], evidence: bool) -> None:
    """Stores what came with a form; a form that is shown again keeps it by its digest."""
    if file is not None and file.filename:
        given["sha256"] = stored_evidence(file) if evidence else stored_list(file)
        given["name"] = file.filename[-64:]
        remember_file(engine, actor, given["sha256"])
    if not given["sha256"]:
        raise Invalid(sentence("Choose the file."))


Upload = Annotated[UploadFile | None, File()]
Text = Annotated[str, Form(max_length=20_000)]


@router.post("/statements/declaration", response_class=HTMLResponse)
def declare(
    request: Request, engine: Database, actor: Asker, file: Upload = None, statement_id: Text = "", sha256: Text = "", name: Text = "",
    reference: Text = "", site: Text = "", end_user_certificate: Text = "", carrier: Text = "", route: Text = "", shipped_on: Text = "",
    expected_on: Text = "", remarks: Text = "", set_aside: Text = "",
) -> Response:  # fmt: skip
    """A donor declares a consignment by its list."""
    given = {
        "statement_id": statement_id, "sha256": sha256, "name": name, "reference": reference, "site": site,
        "end_user_certificate": end_user_certificate, "carrier": carrier, "route": route, "shipped_on": shipped_on,
        "expected_on": expected_on, "remarks": remarks, "set_aside": set_aside,
    }  # fmt: skip

    def do(body: dict[str, Any]) -> UUID:
        require(actor, TELL_HOST)
        _stored(engine, actor, file, given, evidence=False)
        listed = {"sha256": given["sha256"], "name": given["name"] or "list", "set_aside": bool(body.pop("set_aside"))}
        return declare_consignment(
            engine, actor, DeclareConsignment.model_validate({**body, "file": listed})
        ).statement_id

    return _said(request, engine, actor, "declaration", given, do)


@router.post("/statements/certificate", response_class=HTMLResponse)
def certify(
    request: Request, engine: Database, actor: Asker, file: Upload = None, statement_id: Text = "", sha256: Text = "", name: Text = "",
    number: Text = "", supplier: Text = "", end_user: Text = "", end_use: Text = "", units: Text = "", sites: Text = "",
    retransfer_clause: Text = "", disposal_clause: Text = "", issued_on: Text = "", expires_on: Text = "", vetting: Text = "",
    vetted: Text = "",
) -> Response:  # fmt: skip
    """A donor sends an end-user certificate with its scan."""
    given = {
        "statement_id": statement_id, "sha256": sha256, "name": name, "number": number, "supplier": supplier, "end_user": end_user,
        "end_use": end_use, "units": units, "sites": sites, "retransfer_clause": retransfer_clause, "disposal_clause": disposal_clause,
        "issued_on": issued_on, "expires_on": expires_on, "vetting": vetting, "vetted": vetted,
    }  # fmt: skip

    def do(body: dict[str, Any]) -> UUID:
        require(actor, TELL_HOST)
        _stored(engine, actor, file, given, evidence=True)
        body |= {
            "units": _codes(units), "sites": _codes(sites), "vetting": bool(vetting), "vetted": _vetted(vetted),
            "scan_sha256": given["sha256"], "scan_name": given["name"] or "certificate",
        }  # fmt: skip
        return send_certificate(engine, actor, SendCertificate.model_validate(body)).statement_id

    return _said(request, engine, actor, "certificate", given, do)


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.replace("\n", ",").split(",") if code.strip()]


def _vetted(text: str) -> list[dict[str, str]]:
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        unit, _, until = line.rpartition(" ")
        found.append({"unit": unit, "until": until})
    return found


@router.post("/statements/consent", response_class=HTMLResponse)
def consent(
    request: Request, engine: Database, actor: Asker, statement_id: Text = "", certificate: Text = "", number: Text = "",
    purpose: Text = "", recipient: Text = "", until: Text = "", words: Text = "",
) -> Response:  # fmt: skip
    """A donor consents to what a certificate does not allow."""
    given = {
        "statement_id": statement_id, "certificate": certificate, "number": number, "purpose": purpose, "recipient": recipient,
        "until": until, "words": words,
    }  # fmt: skip
    return _said(
        request, engine, actor, "consent", given,
        lambda body: give_consent(engine, actor, GiveConsent.model_validate(body)).statement_id,
    )  # fmt: skip


@router.post("/statements/verification", response_class=HTMLResponse)
def verify(
    request: Request, engine: Database, actor: Asker, statement_id: Text = "", donor: Text = "", consignment: Text = "",
    title_passes_on: Text = "", remarks: Text = "",
) -> Response:  # fmt: skip
    """The receiver signs for what arrived."""
    given = {
        "statement_id": statement_id, "donor": donor, "consignment": consignment, "title_passes_on": title_passes_on, "remarks": remarks,
    }  # fmt: skip
    return _said(
        request, engine, actor, "verification", given,
        lambda body: verify_delivery(engine, actor, VerifyDelivery.model_validate(body)).statement_id,
    )  # fmt: skip

"""What is sent on its way: a form for weapons that leave a store for another site, and one for a donor's consignment that is coming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.forms import or_none, sent, stored_list
from api.pages.jobs import SHIP_TASK
from api.pages.listing import sites_offered
from stockpile import jobs
from stockpile.acts.perform import perform
from stockpile.acts.ship import SHIP
from stockpile.documents import Posted
from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.rights import DESK, Actor, reading, require
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=500)]
TYPED = 500
"""So many numbers may be typed or scanned; more come in a file."""


@router.get("/shipments/new", response_class=HTMLResponse)
def shipment_form(request: Request, engine: Database, actor: Asker) -> Response:
    """The form, filled in with what its address says: with `donor` or `consignment`, or for a registrar, that of a consignment."""
    return _form(request, engine, actor, {"given": {"document_id": str(new_key()), **request.query_params}})


@router.post("/shipments", response_class=HTMLResponse)
def ship(
    request: Request, engine: Database, actor: Asker, file: Annotated[UploadFile | None, File()] = None, document_id: Text = "",
    of: Text = "", sha256: Text = "", name: Text = "", site: Text = "", donor: Text = "", consignment: Text = "", to_site: Text = "",
    store: Text = "", weapons: Annotated[str, Form(max_length=100_000)] = "", carrier: Text = "", expected_on: Text = "",
    driver: Text = "", vehicle: Text = "", seal_numbers: Text = "", route: Text = "",
) -> Response:  # fmt: skip
    """Posts the shipping order: a list that came as a file as a task."""
    given = {
        "document_id": document_id, "of": of, "sha256": sha256, "name": name, "site": site, "donor": donor, "consignment": consignment,
        "to_site": to_site, "store": store, "weapons": weapons, "carrier": carrier, "expected_on": expected_on, "driver": driver,
        "vehicle": vehicle, "seal_numbers": seal_numbers, "route": route,
    }  # fmt: skip

    def do() -> str:
        require(actor, SHIP.act)
        if file is not None and file.filename:
            given.update(sha256=stored_list(file), name=file.filename[-64:])
        wanted = SHIP.request.model_validate(_wanted(given))
        if given["sha256"]:
            job = jobs.start(engine, actor, SHIP, wanted)
            typed = {field: text for field, text in given.items() if field not in ("document_id", "weapons")}
            return address(f"/jobs/{job.job_id}", **typed)
        posted = perform(engine, actor, SHIP, wanted)
        assert isinstance(posted, Posted)
        return f"/shipments/{posted.document_id}"

    return sent(given, do, lambda form, status: _form(request, engine, actor, form, status))


def _wanted(given: Mapping[str, str]) -> dict[str, Any]:
    """The request that a form means. Raises Invalid for more numbers than a form takes."""
    scans = [line.strip() for line in given["weapons"].splitlines() if line.strip()]
    if len(scans) > TYPED:
        fault = Fault(sentence("up to {most} numbers: send more as a file", most=TYPED), field="weapons")
        raise Invalid(sentence("Nothing was shipped."), [fault])
    which = ("donor", "consignment") if given["of"] == "consignment" else ("to_site", "store")
    said = (*which, "site", "carrier", "expected_on", "driver", "vehicle", "seal_numbers", "route")
    return {
        "document_id": given["document_id"] or new_key(),
        **{name: or_none(given[name]) for name in said},
        "lines": [{"scan": scan} for scan in scans],
        "file": {"sha256": given["sha256"], "name": given["name"] or "list"} if given["sha256"] else None,
    }


def _form(request: Request, engine: Engine, actor: Actor, form: Mapping[str, Any], status: int = 200) -> Response:
    require(actor, SHIP.act)
    given = form["given"]
    consignment = actor.role not in DESK or given.get("of") == "consignment"
    with reading(engine, actor) as connection:
        sites = sites_offered(connection)
    shown = {
        "consignment": consignment,
        "sites": sites,
        "others": [choice for choice in sites if choice[0] != actor.site_code],
        "form": {"faults": {}, "problem": None, **form},
    }
    response: Response = templates.TemplateResponse(request, "shipment_new.html", shown, status_code=status)
    return response


assert str(SHIP.act) == SHIP_TASK

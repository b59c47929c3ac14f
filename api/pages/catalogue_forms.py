"""What a registrar adds to the catalogue: a model, what is mended of one, and a name that no list has used yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import address, templates
from api.pages.forms import or_none, sent
from api.v1.catalogue import AliasNamed
from api.words import N_
from stockpile import models
from stockpile.catalogue_data import CATEGORIES, FIRE_MODES, SECURITY_RISK_CATEGORIES, TRACKED_BY, TREATY_ROWS
from stockpile.models import MendedModel, NewModel
from stockpile.reports.reference import read_model
from stockpile.rights import KEEP_REFERENCE, Actor, reading, require

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form()]
STAYS = ("maker", "name", "tracked_by")
"""What is said once: weapons are in the books under it."""
TEXTS = (
    ("subcategory", N_("Kind"), N_("Such as self-loading rifle")),
    ("country", N_("Country"), N_("Of its design, two letters")),
    ("calibre", N_("Calibre"), None),
    ("variants", N_("Variants"), N_("Separated by semicolons")),
    ("stock_number", N_("Stock number"), N_("As 1005-01-231-0973")),
    ("value", N_("Value"), None),
    ("value_source", N_("Value as in"), N_("Such as contract 117")),
)
CHOICES = (
    ("fire_mode", N_("Fire mode"), FIRE_MODES),
    ("security_risk_category", N_("Risk category"), SECURITY_RISK_CATEGORIES),
    ("treaty_row", N_("Row of the arms register"), TREATY_ROWS),
)
ASKED = ("category", *(name for name, *_ in TEXTS), *(name for name, *_ in CHOICES))


class ModelTyped(BaseModel):
    """A model as it is typed in its form."""

    maker: str = ""
    name: str = ""
    tracked_by: str = ""
    category: str = ""
    subcategory: str = ""
    country: str = ""
    calibre: str = ""
    variants: str = ""
    stock_number: str = ""
    value: str = ""
    value_source: str = ""
    fire_mode: str = ""
    security_risk_category: str = ""
    treaty_row: str = ""
    enhanced_monitoring: str = ""

    def data(self) -> dict[str, Any]:
        """What can be mended, as it is meant: nothing typed is nothing said."""
        said_of_it = {name: or_none(getattr(self, name)) for name in ASKED}
        return {
            **said_of_it, "country": (said_of_it["country"] or "").upper() or None,
            "enhanced_monitoring": bool(self.enhanced_monitoring),
        }  # fmt: skip


@router.get("/models/new", response_class=HTMLResponse)
def model_form(request: Request, actor: Asker) -> Response:
    """The form of a new model."""
    return _form(request, actor, {"given": ModelTyped(tracked_by="serial").model_dump()})


@router.post("/models", response_class=HTMLResponse)
def add_model(request: Request, engine: Database, actor: Asker, typed: Annotated[ModelTyped, Form()]) -> Response:
    """Adds a model, and goes to its page."""

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        stays = {name: getattr(typed, name) for name in STAYS}
        wanted = NewModel.model_validate({**typed.data(), **stays})
        with reading(engine, actor) as connection:
            return f"/models/{models.add_model(connection, wanted).model_id}"

    return sent(typed.model_dump(), do, lambda form, status: _form(request, actor, form, None, status))


@router.get("/models/{model_id}/change", response_class=HTMLResponse)
def changes(model_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The form in which what is said of a model is mended."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        found = read_model(connection, model_id)
    texts = {name: str(getattr(found, name) or "") for name in (*STAYS, *ASKED)}
    typed = ModelTyped(**texts, enhanced_monitoring="yes" if found.enhanced_monitoring else "")
    return _form(request, actor, {"given": typed.model_dump()}, model_id)


@router.post("/models/{model_id}/change", response_class=HTMLResponse)
def mend_model(
    model_id: UUID, request: Request, engine: Database, actor: Asker, typed: Annotated[ModelTyped, Form()]
) -> Response:
    """What is said of it from now on. Maker, name and how it is told apart stay."""

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        wanted = MendedModel.model_validate(typed.data())
        with reading(engine, actor) as connection:
            models.mend_model(connection, model_id, wanted)
        return f"/models/{model_id}"

    return sent(typed.model_dump(), do, lambda form, status: _form(request, actor, form, model_id, status))


def _form(
    request: Request, actor: Actor, form: Mapping[str, Any], model_id: UUID | None = None, status: int = 200
) -> Response:
    require(actor, KEEP_REFERENCE)
    shown = {
        "model_id": model_id,
        "tracked_by": _words(TRACKED_BY),
        "categories": _words(CATEGORIES),
        "texts": TEXTS,
        "choices": [(name, label, _words(words)) for name, label, words in CHOICES],
        "form": {"faults": {}, "problem": None, **form},
    }
    response: Response = templates.TemplateResponse(request, "model_form.html", shown, status_code=status)
    return response


def _words(words: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Words to choose from; of the arms register with what each row is about."""
    told = words if isinstance(words, Mapping) else {}
    return tuple((word, f"{word}: {told[word]}" if word in told else word) for word in words)


@router.get("/aliases/new", response_class=HTMLResponse)
def alias_form(request: Request, actor: Asker, source: str = "", name: str = "", go: str = "") -> Response:
    """Asks which name of which source; what it means is asked next."""
    given = {"source": source, "name": name}

    def do() -> str:
        require(actor, KEEP_REFERENCE)
        wanted = AliasNamed.model_validate(given)
        return address("/aliases/map", source=wanted.source, name=wanted.name)

    def show(form: Mapping[str, Any], status: int) -> Response:
        require(actor, KEEP_REFERENCE)
        shown = {"form": {"faults": {}, "problem": None, **form}}
        response: Response = templates.TemplateResponse(request, "alias_new.html", shown, status_code=status)
        return response

    return sent(given, do, show) if go else show({"given": given}, 200)

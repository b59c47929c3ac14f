"""The catalogue: models, and the names by which donors and old books call them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.answers import answer
from api.dependencies import Asker, Database, Pages
from api.exports import listing
from api.v1.reference import LISTING, READING_ONE, WRITING, Form, Text
from stockpile import catalogue, models
from stockpile.documents import Code, Words
from stockpile.models import MendedModel, NewModel
from stockpile.reports.keyset import Page
from stockpile.reports.reference import AliasRow, ModelRow, read_alias, read_model, search_aliases, search_models
from stockpile.rights import KEEP_REFERENCE, READ_PEOPLE, reading, require

router = APIRouter(tags=["catalogue"])


class AliasNamed(Form):
    """A name that a source uses."""

    source: Code = Field(description="The donor or book whose lists use it; catalogue: everybody", examples=["USA"])
    name: Annotated[Words, Field(max_length=catalogue.LONGEST_NAME)] = Field(examples=["AK-47, Norinco"])


class AliasMapped(AliasNamed):
    """What a source means by a name."""

    model_id: UUID = Field(description="As GET /v1/models gives it", examples=["0190b5a0-0000-7000-8000-000000000001"])


@router.get("/models", summary="The catalogue", response_model=Page[ModelRow], responses=LISTING)
def list_models(
    engine: Database,
    actor: Asker,
    pages: Pages,
    text: Text = None,
    category: Annotated[Code | None, Query(examples=["small arms"])] = None,
) -> Response:
    """Makes and models by maker and name; `text` is looked for in variants, too."""
    return listing(
        engine, actor, pages, "models", ModelRow,
        lambda connection, limit, cursor: search_models(connection, text, category, limit, cursor),
    )  # fmt: skip


@router.get("/models/{model_id}", summary="One model", response_model=ModelRow, responses=READING_ONE)
def show_model(model_id: UUID, engine: Database, actor: Asker) -> Response:
    """All that is said of it."""
    with reading(engine, actor) as connection:
        return answer(read_model(connection, model_id))


@router.post("/models", status_code=201, summary="Add a model", response_model=ModelRow, responses=WRITING)
def add_model(body: NewModel, engine: Database, actor: Asker) -> Response:
    """Maker, name and how it is tracked stay as they are given here."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        return answer(read_model(connection, models.add_model(connection, body).model_id), 201)


@router.post("/models/{model_id}/mend", summary="Mend a model's data", response_model=ModelRow, responses=WRITING)
def mend_model(model_id: UUID, body: MendedModel, engine: Database, actor: Asker) -> Response:
    """What is left out stays; null takes a statement back. Maker and name can't change."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        models.mend_model(connection, model_id, body)
        return answer(read_model(connection, model_id))


@router.get("/aliases", summary="Names of models", response_model=Page[AliasRow], responses=LISTING)
def list_aliases(
    engine: Database,
    actor: Asker,
    pages: Pages,
    mapped: Annotated[bool | None, Query(description="False: only names that nobody has mapped yet")] = None,
    source: Annotated[Code | None, Query(description="Of one donor or book")] = None,
    text: Text = None,
) -> Response:
    """How donors and old books call models, by source and name, with who mapped each; those unmapped wait for a registrar."""
    require(actor, READ_PEOPLE)
    return listing(
        engine, actor, pages, "aliases", AliasRow,
        lambda connection, limit, cursor: search_aliases(connection, mapped, source, text, limit, cursor),
    )  # fmt: skip


@router.post("/aliases", status_code=201, summary="Say what a name means", response_model=AliasRow, responses=WRITING)
def map_alias(body: AliasMapped, engine: Database, actor: Asker) -> Response:
    """Once: what lists were read with does not change."""
    require(actor, KEEP_REFERENCE)
    with reading(engine, actor) as connection:
        model = catalogue.read_model(connection, body.model_id)
        catalogue.map_alias(connection, body.source, body.name, model.model_id, actor.party_id)
        return answer(read_alias(connection, body.source, body.name), 201)

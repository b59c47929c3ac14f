"""Keeping the catalogue: a registrar adds a model, or mends what is said of one. Maker, name and how it is tracked never change:
weapons are in the books under them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from stockpile.catalogue import UNIDENTIFIED_EQUIPMENT, UNIDENTIFIED_ID, Model, name_key, read_model
from stockpile.catalogue_data import (
    CATEGORIES,
    FIRE_MODES,
    SECURITY_RISK_CATEGORIES,
    STOCK_NUMBER,
    TRACKED_BY,
    TREATY_ROWS,
)
from stockpile.db.engine import one_writer
from stockpile.documents import Code, Words
from stockpile.errors import Fault, Invalid
from stockpile.keys import new_key
from stockpile.sentences import sentence


def _one_of(words: Iterable[str]) -> tuple[Any, ...]:
    allowed = tuple(words)

    def check(text: str) -> str:
        if text not in allowed:
            raise ValueError(sentence("one of: {allowed}", allowed=", ".join(allowed)))
        return text

    return AfterValidator(check), Field(json_schema_extra={"enum": list(allowed)})


def _checked(check: Callable[[str], Any], words: str) -> AfterValidator:
    def checked(text: str) -> str:
        if not check(text):
            raise ValueError(words)
        return text

    return AfterValidator(checked)


Category = Annotated[str, *_one_of(CATEGORIES)]
FireMode = Annotated[str, *_one_of(FIRE_MODES)]
SecurityRiskCategory = Annotated[str, *_one_of(SECURITY_RISK_CATEGORIES)]
TreatyRow = Annotated[str, *_one_of(TREATY_ROWS)]
TrackedBy = Annotated[str, *_one_of(TRACKED_BY)]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
StockNumber = Annotated[str, _checked(STOCK_NUMBER.fullmatch, "a stock number is written 1005-01-231-0973")]
Value = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2)]


class ModelData(BaseModel):
    """What is said of a model, and can be mended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subcategory: Words | None = Field(None, examples=["self-loading rifle"])
    country: Country | None = Field(None, description="Country of design, ISO 3166", examples=["RO"])
    calibre: Code | None = Field(None, examples=["7.62x39mm"])
    variants: Words | None = Field(None, description="Separated by semicolons", examples=["PM md. 65; PM md. 90"])
    fire_mode: FireMode | None = Field(None, examples=["automatic"])
    security_risk_category: SecurityRiskCategory | None = Field(None, examples=["II"])
    stock_number: StockNumber | None = Field(None, description="NATO stock number, with dashes")
    value: Value | None = Field(None, description="Unit value", examples=["450.00"])
    value_source: Words | None = Field(None, description="Where the value is from", examples=["contract 117"])
    treaty_row: TreatyRow | None = Field(None, description="Row of the treaty report", examples=["small arms 4"])


class NewModel(ModelData):
    """A model to add."""

    maker: Code = Field(examples=["Cugir"])
    name: Code = Field(examples=["PM md. 63"])
    category: Category = Field(examples=["small arms"])
    enhanced_monitoring: bool = Field(False, description="Every serial number is inspected yearly")
    tracked_by: TrackedBy = Field("serial", description="How pieces are told apart")


class MendedModel(ModelData):
    """What is to be mended of a model; what is left out stays."""

    category: Category | None = None
    enhanced_monitoring: bool | None = None


def add_model(connection: Connection, model: NewModel) -> Model:
    """Adds a model to the catalogue. Raises Invalid if this maker has one of that name, however written."""
    one_writer(connection)
    wanted = (name_key(model.maker), name_key(model.name))
    for maker, name in connection.exec_driver_sql("SELECT maker, name FROM model"):
        if (name_key(maker), name_key(name)) == wanted:
            fault = Fault(
                sentence("the catalogue has {maker} {name} already", maker=maker, name=name),
                field="name",
                value=model.name,
            )
            raise Invalid(sentence("The model was not added."), [fault])
    added = Model(new_key(), model.maker, model.name, model.tracked_by)
    data = model.model_dump()
    connection.exec_driver_sql(
        f"INSERT INTO model (model_id, {', '.join(data)}) VALUES (%s, {', '.join(['%s'] * len(data))})",
        (added.model_id, *data.values()),
    )
    return added


def mend_model(connection: Connection, model_id: UUID, mended: MendedModel) -> Model:
    """Changes what is said of a model. Raises NotFound, Invalid (nothing to mend; what a model cannot be without)."""
    model = read_model(connection, model_id)
    data = mended.model_dump(include=mended.model_fields_set)
    faults = [
        Fault(sentence("a model cannot be without it"), field=name)
        for name in ("category", "enhanced_monitoring")
        if name in data and data[name] is None
    ]
    if model_id in (UNIDENTIFIED_ID, UNIDENTIFIED_EQUIPMENT.model_id):
        faults.append(Fault(sentence("of what nobody could identify nothing can be said"), field="model_id"))
    if not data:
        faults.append(Fault(sentence("say what is to be mended")))
    if faults:
        raise Invalid(sentence("The model was not mended."), faults)
    one_writer(connection)
    connection.exec_driver_sql(
        f"UPDATE model SET {', '.join(f'{name} = %s' for name in data)} WHERE model_id = %s", (*data.values(), model_id)
    )
    return model

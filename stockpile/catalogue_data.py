"""The catalogue that ships with the project: models, aliases, and the published audit figures, read from
`stockpile/data`.

Category, model, variants, country and calibre are as observed in the field; what stands in a row's
`unverified` column is from memory until someone holds the original. Nothing here touches a database, and a
row that breaks a rule is an error that names it, never a row left out.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any

from stockpile.errors import Fault, Invalid
from stockpile.sentences import of_the_books, sentence

CATEGORIES = ("small arms", "light weapons", "artillery", "armoured vehicles", "equipment", "ammunition")
FIRE_MODES = ("automatic", "semi-automatic", "manual", "single", "not applicable")
SECURITY_RISK_CATEGORIES = ("I", "II", "III", "IV")
TRACKED_BY = ("serial", "lot", "quantity")

# The UN Register's rows for small arms and light weapons, and those of its categories that our models fall
# into. Order of the small-arms rows and the numbers of the light-weapons rows are from memory.
TREATY_ROWS: Mapping[str, str] = {
    "small arms 1": "Revolvers and self-loading pistols",
    "small arms 2": "Rifles and carbines",
    "small arms 3": "Sub-machine guns",
    "small arms 4": "Assault rifles",
    "small arms 5": "Light machine guns",
    "small arms 6": "Others",
    "light weapons 1": "Heavy machine guns",
    "light weapons 2": "Hand-held under-barrel and mounted grenade launchers",
    "light weapons 3": "Portable anti-tank guns",
    "light weapons 4": "Recoilless rifles",
    "light weapons 5": "Portable anti-tank missile launchers and rocket systems",
    "light weapons 6": "Mortars of calibres less than 75 mm",
    "light weapons 7": "Others",
    "category I": "Battle tanks",
    "category II": "Armoured combat vehicles",
    "category III": "Large-calibre artillery systems",
    "category VII(b)": "Man-portable air-defence systems",
}

COUNTRY = re.compile(r"[A-Z]{2}")
"""ISO 3166-1, two letters; also its withdrawn codes SU and YU, for the country of design."""

STOCK_NUMBER = re.compile(r"\d{4}-\d{2}-\d{3}-\d{4}")


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One model as the catalogue ships it: the columns of table `model`, and which of them are from
    memory.
    """

    maker: str
    name: str
    country: str | None
    calibre: str | None
    category: str
    subcategory: str
    variants: tuple[str, ...]
    fire_mode: str
    security_risk_category: str | None
    stock_number: str | None
    value: Decimal
    value_source: str
    treaty_row: str | None
    enhanced_monitoring: bool
    tracked_by: str
    unverified: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Whether every fact of the row was seen in a source."""
        return not self.unverified


@dataclass(frozen=True, slots=True)
class CatalogueAlias:
    """A common name and the model it means, of source `catalogue`."""

    source: str
    name: str
    maker: str
    model: str


@cache
def catalogue_models() -> tuple[CatalogueModel, ...]:
    """Every model of `arms.csv`, in its order. Raises `Invalid` with a fault for each row that breaks a
    rule.
    """
    return read_models(_lines("arms.csv"))


@cache
def catalogue_aliases() -> tuple[CatalogueAlias, ...]:
    """Every alias of `aliases.csv`. Raises `Invalid` if one names a model that is not in the catalogue."""
    return read_aliases(_lines("aliases.csv"), catalogue_models())


@cache
def findings() -> Mapping[str, Any]:
    """The published audit figures by report, as in `findings.json`."""
    found: dict[str, Any] = json.loads(files("stockpile.data").joinpath("findings.json").read_text(encoding="utf-8"))
    return found


def _lines(name: str) -> list[str]:
    return files("stockpile.data").joinpath(name).read_text(encoding="utf-8").splitlines()


def read_models(lines: Iterable[str]) -> tuple[CatalogueModel, ...]:
    """The models of a list in the form of `arms.csv`. Raises `Invalid` with a fault for each row that
    breaks a rule.
    """
    faults: list[Fault] = []
    models: dict[tuple[str, str], CatalogueModel] = {}
    for number, row in enumerate(csv.DictReader(lines), start=2):
        wrong = [_fault(number, field, row) for field, holds in _RULES.items() if not holds(row.get(field) or "")]
        if not wrong and (row["maker"], row["name"]) in models:
            wrong = [Fault(sentence("The maker has this model already."), row=number, field="name", value=row["name"])]
        if wrong:
            faults += wrong
        else:
            models[row["maker"], row["name"]] = _model(row)
    if faults:
        raise Invalid(sentence("The catalogue has {count} mistakes.", count=len(faults)), faults)
    return tuple(models.values())


def read_aliases(lines: Iterable[str], models: Iterable[CatalogueModel]) -> tuple[CatalogueAlias, ...]:
    """The aliases of a list in the form of `aliases.csv`. Raises `Invalid` for a name without text or an
    unknown model.
    """
    known = {(model.maker, model.name) for model in models}
    aliases: list[CatalogueAlias] = []
    faults: list[Fault] = []
    for number, row in enumerate(csv.DictReader(lines), start=2):
        alias = CatalogueAlias(*(row[column] or "" for column in ("source", "name", "maker", "model")))
        aliases.append(alias)
        if not alias.name.strip():
            faults.append(Fault(sentence("The alias has no name."), row=number, field="name"))
        if (alias.maker, alias.model) not in known:
            message = sentence("The catalogue has no such model of this maker.")
            faults.append(Fault(message, row=number, field="model", value=f"{alias.maker} {alias.model}"))
    if faults:
        raise Invalid(sentence("The aliases have {count} mistakes.", count=len(faults)), faults)
    return tuple(aliases)


def _one_of(words: Iterable[str]) -> Callable[[str], bool]:
    allowed = frozenset(words)
    return lambda value: value in allowed


def _money(value: str) -> bool:
    try:
        return Decimal(value) > 0
    except InvalidOperation:
        return False


_RULES: Mapping[str, Callable[[str], bool]] = {
    "maker": lambda value: bool(value.strip()),
    "name": lambda value: bool(value.strip()),
    "country": lambda value: not value or COUNTRY.fullmatch(value) is not None,
    "category": _one_of(CATEGORIES),
    "subcategory": lambda value: bool(value.strip()),
    "fire_mode": _one_of(FIRE_MODES),
    "security_risk_category": _one_of(("", *SECURITY_RISK_CATEGORIES)),
    "stock_number": lambda value: not value or STOCK_NUMBER.fullmatch(value) is not None,
    "value": _money,
    "value_source": lambda value: bool(value.strip()),
    "treaty_row": _one_of(("", *TREATY_ROWS)),
    "enhanced_monitoring": _one_of(("true", "false")),
    "tracked_by": _one_of(TRACKED_BY),
    "unverified": lambda value: set(_parts(value)) <= set(CatalogueModel.__slots__),
}
"""What each column of `arms.csv` must be."""


def _fault(number: int, field: str, row: Mapping[str, str]) -> Fault:
    return Fault(
        sentence("This is no {field} of a model.", field=of_the_books(field.replace("_", " "))),
        row=number,
        field=field,
        value=row.get(field),
    )


def _parts(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(";") if part.strip())


def _model(row: Mapping[str, str]) -> CatalogueModel:
    return CatalogueModel(
        maker=row["maker"],
        name=row["name"],
        country=row["country"] or None,
        calibre=row["calibre"] or None,
        category=row["category"],
        subcategory=row["subcategory"],
        variants=_parts(row["variants"]),
        fire_mode=row["fire_mode"],
        security_risk_category=row["security_risk_category"] or None,
        stock_number=row["stock_number"] or None,
        value=Decimal(row["value"]),
        value_source=row["value_source"],
        treaty_row=row["treaty_row"] or None,
        enhanced_monitoring=row["enhanced_monitoring"] == "true",
        tracked_by=row["tracked_by"],
        unverified=_parts(row["unverified"]),
    )

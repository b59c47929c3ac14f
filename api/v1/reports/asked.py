"""What reports are asked by, and how each answers."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.exports import exportable
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN
from stockpile.documents import Code

REPORT = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
Register = Annotated[UUID | None, Query(description="Of one register instead of the ledger: its key")]
Donor = Annotated[Code | None, Query(description="Of one donor: its code", examples=["USA"])]
AtSite = Annotated[Code | None, Query(description="Of one site: its code", examples=["TAJI"])]
Unit = Annotated[Code | None, Query(description="Of one unit: its code", examples=["1COY"])]
OfUnit = Annotated[
    Code | None, Query(description="Of one unit with its people and sub-units: its code", examples=["1COY"])
]
ModelName = Annotated[Code | None, Query(description="Of one model: its name", examples=["AKM"])]
HappenedSince = Annotated[Day | None, Query(description="What happened from this day on, by the wall of the site")]
HappenedUntil = Annotated[Day | None, Query(description="What happened up to this day")]

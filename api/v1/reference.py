"""What the routes of the reference share: sites, units, people, cards, rosters, catalogue, tokens. Read by all who may, written by
registrars.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api.exports import exportable
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, documented
from stockpile.documents import Code
from stockpile.rights import Actor
from stockpile.sites import day_on_the_walls

READING = documented(NOT_SIGNED_IN, NOT_ALLOWED, INVALID)
LISTING = exportable(NOT_SIGNED_IN, NOT_ALLOWED, INVALID)
LISTING_ONE = exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
READING_ONE = documented(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID)
WRITING = READING_ONE

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
OnDay = Annotated[
    date | None, Query(alias="on", ge=FIRST_DAY, le=LAST_DAY, description="As of this day; left out: today")
]
Text = Annotated[Code | None, Query(description="A part of the name or code")]


class Form(BaseModel):
    """What a registrar sends."""

    model_config = ConfigDict(extra="forbid")


def day_asked(connection: Connection, actor: Actor, day: date | None) -> date:
    """The day asked for; today on the asker's wall if none was, or on the walls of the country."""
    return day or day_on_the_walls(connection, actor.time_zone)

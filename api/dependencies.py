"""What a route takes from its request: the engine, who asks, and how long answers are cut into pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime
from sqlalchemy import Engine

from stockpile.rights import Actor


# These wait for nothing, yet are coroutines: a plain function would cost a change of threads for each.
async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


async def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


Database = Annotated[Engine, Depends(_engine)]
Asker = Annotated[Actor, Depends(_actor)]
Limit = Annotated[int, Query(ge=1, le=500, description="Rows on a page")]

Cursor = Annotated[str | None, Query(max_length=1000, description="As the page before gave it")]
HappenedBy = Annotated[
    AwareDatetime | None,
    Query(description="As of this moment, by when things happened; with its offset from UTC"),
]
KnownBy = Annotated[
    AwareDatetime | None,
    Query(description="As the books said at this moment, by when things were recorded; with its offset from UTC"),
]

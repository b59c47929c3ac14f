"""The trial balance: what came in and where it is, with the counts that prove it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api.answers import answer
from api.dependencies import Asker, Database, FileFormat, Format, HappenedBy, KnownBy
from api.exports import exportable, table_file
from api.problems import INVALID, NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN
from stockpile.documents import Code
from stockpile.reports import trial_balance
from stockpile.reports.as_of import AsOf
from stockpile.reports.export import columns, table
from stockpile.reports.trial_balance import BalanceLine, By, Proof
from stockpile.rights import reading

router = APIRouter(tags=["balance"])


class BalanceShown(BaseModel):
    """The lines of the balance, and three separate counts that agree or say where they do not."""

    lines: list[BalanceLine]
    proof: Proof


@router.get(
    "/balance",
    summary="The trial balance",
    response_model=BalanceShown,
    responses=exportable(NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, INVALID),
)
def read_balance(
    engine: Database,
    actor: Asker,
    by: Annotated[list[By], Query(description="Tell lines apart by these")] = [],  # noqa: B006
    donor: Annotated[Code | None, Query(description="Of one donor: its code")] = None,
    model: Annotated[Code | None, Query(description="Of one model: its name")] = None,
    site: Annotated[Code | None, Query(description="Of one site: its code")] = None,
    as_of: HappenedBy = None,
    recorded_as_of: KnownBy = None,
    file_format: FileFormat = Format.JSON,
) -> Response:
    """Came in = supply + transit + store + unit + person + maintenance + missing + lost + expended + destroyed +
    exported, within one's scope; now, or as of a moment on either clock or both. The rows behind each number: GET /v1/weapons
    with the same filters. As a file: the lines.
    """
    at = AsOf(as_of, recorded_as_of)
    with reading(engine, actor) as connection:
        lines = trial_balance.trial_balance(connection, actor, by, at, donor, model, site)
        if file_format is not Format.JSON:
            return table_file(actor, file_format, "trial-balance", columns(BalanceLine), table(lines))
        return answer({"lines": lines, "proof": trial_balance.proof(connection, actor, at)})

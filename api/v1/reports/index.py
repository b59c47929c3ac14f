"""The fifteen questions of the auditor, and where each is asked."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.answers import Rows, answer
from api.dependencies import Asker
from api.problems import NOT_SIGNED_IN, documented
from stockpile.reports.questions import REPORTS

router = APIRouter(prefix="/reports", tags=["reports"])


class WayShown(BaseModel):
    """Where a question is asked: on a page, in this API, at the command line."""

    question: str
    page: str
    api: str
    command: str


class ReportShown(BaseModel):
    """A report: its number, its question, the published finding that it answers, and where it is asked by one of the asker's role."""

    number: int
    name: str
    question: str
    finding: str
    asked: list[WayShown]


@router.get("", summary="The reports", response_model=Rows[ReportShown], responses=documented(NOT_SIGNED_IN))
def read_reports(actor: Asker) -> Response:
    """The fifteen questions of the auditor, in order. Without a way: none yet, or none for the asker's role."""
    rows = [
        ReportShown(
            number=one.number, name=one.name, question=one.question, finding=one.finding,
            asked=[WayShown(question=way.question, page=way.page, api=way.api, command=way.command) for way in one.open_to(actor)],
        )
        for one in REPORTS
    ]  # fmt: skip
    return answer({"rows": [row.model_dump() for row in rows]})

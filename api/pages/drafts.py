"""One draft: what somebody asked for, and the second person's answer to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine
from starlette.responses import Response

from api.dependencies import Asker, Database
from api.pages import templates
from api.pages.forms import kept
from api.pages.problems import shown_problem
from stockpile.acts import ACTS
from stockpile.acts.perform import approve, reject
from stockpile.documents import Words
from stockpile.errors import Fault, Invalid, StockpileError
from stockpile.reports.attachments import files_of_draft
from stockpile.reports.drafts import (
    NAMES_FILES,
    DraftRow,
    WeaponMeant,
    files_named,
    may_judge,
    read_draft,
    weapons_meant,
)
from stockpile.rights import Actor, reading
from stockpile.sentences import sentence

router = APIRouter(include_in_schema=False)

LINES_SHOWN = 100
SHOWN_APART = frozenset({"document_id", "lines", "site"})
NAMES_IT = frozenset({"item", "scan", "how"})
"""Fields of a line that lead to a weapon."""
_words: TypeAdapter[str] = TypeAdapter(Words)


@router.get("/drafts/{document_id}", response_class=HTMLResponse)
def draft(document_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """What was asked for, by whom, and what became of it."""
    return _page(request, engine, actor, document_id, {})


@router.post("/drafts/{document_id}/approve", response_class=HTMLResponse)
def approve_draft(document_id: UUID, request: Request, engine: Database, actor: Asker) -> Response:
    """The second person agrees: it is judged anew and posted."""
    try:
        posted = approve(engine, actor, ACTS, document_id, _site(engine, actor, document_id))
    except StockpileError as error:
        return _page(request, engine, actor, document_id, kept(error, {}), shown_problem(error)["status"])
    return RedirectResponse(f"/documents/{posted.document_id}", 303)


@router.post("/drafts/{document_id}/reject", response_class=HTMLResponse)
def reject_draft(
    document_id: UUID, request: Request, engine: Database, actor: Asker, reason: Annotated[str, Form()] = ""
) -> Response:
    """The second person does not agree; or who asked for it takes it back."""
    given = {"reason": reason}
    try:
        reject(engine, actor, document_id, _words.validate_python(reason), _site(engine, actor, document_id))
    except ValidationError:
        error: StockpileError = Invalid(
            sentence("Nothing was done: say why."), [Fault(sentence("say why, in 1 to 500 characters"), field="reason")]
        )
        return _page(request, engine, actor, document_id, kept(error, given), 422)
    except StockpileError as problem:
        return _page(request, engine, actor, document_id, kept(problem, given), shown_problem(problem)["status"])
    return RedirectResponse(f"/drafts/{document_id}", 303)


def _site(engine: Engine, actor: Actor, document_id: UUID) -> str:
    with reading(engine, actor) as connection:
        return read_draft(connection, actor, document_id).draft.site


def _page(
    request: Request, engine: Engine, actor: Actor, document_id: UUID, form: dict[str, Any], status: int = 200
) -> Response:
    with reading(engine, actor) as connection:
        found = read_draft(connection, actor, document_id)
        lines = found.request.get("lines") or ()
        meant = weapons_meant(connection, actor, lines[:LINES_SHOWN])
    shown = {
        "draft": found.draft,
        "said": list(said({name: value for name, value in found.request.items() if name not in SHOWN_APART})),
        "lines": [(weapon, _beside(line, weapon)) for line, weapon in zip(lines, meant, strict=False)],
        "more_lines": max(len(lines) - LINES_SHOWN, 0),
        "files": files_of_draft(actor, found),
        "files_named": len(files_named(found.request)),
        "may_approve": may_judge(actor, found.draft),
        "may_take_back": _waits(found.draft) and found.draft.own,
        "form": {"given": {}, "faults": {}, "problem": None, **form},
    }
    response: Response = templates.TemplateResponse(request, "draft.html", shown, status_code=status)
    return response


def _beside(line: Mapping[str, Any], weapon: WeaponMeant | None) -> str:
    """What a line says beside the weapon that is shown."""
    told = {name: value for name, value in line.items() if weapon is None or name not in NAMES_IT}
    if weapon is not None and told.get("quantity") == 1:
        del told["quantity"]
    return " · ".join(f"{name}: {value}" for name, value in said(told))


def _waits(draft: DraftRow) -> bool:
    return draft.outcome is None


def said(request: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """What a request or a document's details say, each with its name in words; what says nothing is left out, and files, which are
    shown apart.
    """
    for name, value in request.items():
        if name in NAMES_FILES:
            continue  # shown as what they are
        called = f"{within}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from said(value, f"{called}, ")
        elif isinstance(value, (list, tuple)):
            if value:
                yield called, "; ".join(_flat(one) for one in value)
        elif value not in (None, "", False):
            yield called, str(value)


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text}" for name, text in said(value))
    return str(value)

"""Forms that keep what was typed: what was wrong with it, for the page to show beside each field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.responses import Response

from api.pages.problems import shown_problem
from api.problems import faults_of
from stockpile.errors import Invalid, StockpileError
from stockpile.sentences import sentence


def kept(error: StockpileError, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a form shows of an error of the domain: the problem, what was typed, and each fault beside its field."""
    faults = {field: message for field, message in faults_by_field(error).items() if field in given}
    return {"problem": shown_problem(error), "given": given, "faults": faults}


def faults_by_field(error: StockpileError) -> dict[str, str]:
    """What is wrong with each field."""
    return {fault.field: fault.message for fault in error.faults if fault.field} if isinstance(error, Invalid) else {}


def faulty(error: ValidationError, given: Mapping[str, Any]) -> dict[str, Any]:
    """The same of what is not even a request."""
    found = faults_of(RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]))
    return kept(Invalid(sentence("Nothing was done: see the fields marked below."), found), given)


def sent(
    given: Mapping[str, Any], do: Callable[[], str], show: Callable[[Mapping[str, Any], int], Response]
) -> Response:
    """Goes where `do` says when it was done; else `show` makes the form again of what was typed and what is wrong with it."""
    try:
        return RedirectResponse(do(), 303)
    except ValidationError as error:
        return show(faulty(error, given), 422)
    except StockpileError as error:
        form = kept(error, given)
        return show(form, form["problem"]["status"])


def or_none(text: str) -> str | None:
    """What was typed, None for nothing."""
    return text.strip() or None

"""Forms that keep what was typed: what was wrong with it, for the page to show beside each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

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

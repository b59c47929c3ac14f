"""Forms that keep what was typed: what was wrong with it, for the page to show beside each field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import Response

from api.pages.problems import shown_problem
from api.problems import faults_of
from stockpile.errors import Invalid, StockpileError
from stockpile.evidence import judge
from stockpile.files import BLOCK, file_store
from stockpile.sentences import sentence
from stockpile.settings import read_settings


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


def stored_list(file: UploadFile) -> str:
    """Stores a list that came with a form; its SHA-256, by which a form that is shown again keeps it. Raises UnreadableFile."""
    return file_store().keep(_blocks(file), read_settings().upload_limit).sha256


def stored_evidence(file: UploadFile) -> str:
    """Stores a photo or scan that came with a form; its SHA-256. Raises UnreadableFile: too large, or neither."""
    return file_store().keep(_blocks(file), read_settings().evidence_limit, judge).sha256


def _blocks(file: UploadFile) -> Iterator[bytes]:
    return iter(lambda: file.file.read(BLOCK), b"")


def or_none(text: str) -> str | None:
    """What was typed, None for nothing."""
    return text.strip() or None

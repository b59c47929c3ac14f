"""The one place where errors become answers: problem details as RFC 9457 says, `application/problem+json`.

Every problem says in words what happened and what to do. None ever holds a stack trace, SQL, or somebody's secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException
from starlette.types import ExceptionHandler

from api.validation import said_of
from api.words import SOURCE, all_told, viewer
from stockpile import errors
from stockpile.errors import Fault, Invalid, Refused, StockpileError
from stockpile.registers.rejects import RowsRejected
from stockpile.sentences import sentence
from stockpile.unforeseen import log_unforeseen

MEDIA_TYPE = "application/problem+json"
SHOWN_VALUE = 200
SECRET = frozenset({"pin", "new_pin", "password"})
"""Fields whose value is never shown, whatever is wrong with it."""
FAULTS_SHOWN = 100
RETRY_SECONDS = "2"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its name (the end of its type), HTTP status, title, and what to do about it."""

    name: str
    status: int
    title: str
    remedy: str

    @property
    def type(self) -> str:
        """Where the kind is explained: RFC 9457's `type`."""
        return f"/docs#{self.name}"


UNREADABLE_REQUEST = Kind(
    "unreadable-request", 400, sentence("The request cannot be read"), sentence("Send well-formed JSON in UTF-8.")
)
NOT_SIGNED_IN = Kind(
    "not-signed-in",
    401,
    errors.NotSignedIn.title,
    sentence("Send Authorization: Bearer sp_... with a token that is alive, or sign in at /sign-in."),
)
NOT_ALLOWED = Kind(
    "not-allowed",
    403,
    errors.NotAllowed.title,
    sentence("Ask somebody whose role and site permit it; GET /v1/rights says who."),
)
NOT_FOUND = Kind(
    "not-found", 404, errors.NotFound.title, sentence("Look it up: it is not in the books, or not in your scope.")
)
NO_SUCH_METHOD = Kind(
    "method-not-allowed",
    405,
    sentence("Not with this method"),
    sentence("Use one of the methods that the Allow header names."),
)
OTHER_CONTENT = Kind(
    "posted-with-other-content",
    409,
    errors.PostedWithOtherContent.title,
    sentence("Take a new document id for a new document."),
)
REFUSED = Kind(
    "refused",
    409,
    errors.Refused.title,
    sentence("Nothing was done; each weapon's reason says why, and where it is now."),
)
TOO_LARGE = Kind(
    "too-large", 413, sentence("Too large"), sentence("Send less at once; lists of more than 500 lines come as a file.")
)
NOT_JSON = Kind(
    "unsupported-media-type",
    415,
    sentence("Not this kind of content"),
    sentence("Send the content type that the route documents."),
)
INVALID = Kind(
    "invalid", 422, errors.Invalid.title, sentence("Nothing was done; mend what `faults` names and send it again.")
)
UNREADABLE_FILE = Kind(
    "unreadable-file", 422, errors.UnreadableFile.title, sentence("Nothing was done; send a CSV or XLSX list.")
)
TOO_SOON = Kind("too-soon", 429, errors.TooSoon.title, sentence("Try again after Retry-After seconds."))
UNEXPECTED = Kind(
    "unexpected",
    500,
    sentence("Something went wrong here"),
    sentence("Nothing was done. Tell who runs the service; the log says more."),
)
UNAVAILABLE = Kind(
    "database-unavailable",
    503,
    errors.DatabaseUnavailable.title,
    sentence("Try again after Retry-After seconds with the same document id."),
)

KINDS = (
    UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, NO_SUCH_METHOD, OTHER_CONTENT, REFUSED, TOO_LARGE,
    NOT_JSON, INVALID, UNREADABLE_FILE, TOO_SOON, UNEXPECTED, UNAVAILABLE,
)  # fmt: skip
"""Every kind there is; the page of the API explains each."""

KIND_OF: dict[type[StockpileError], Kind] = {
    errors.NotSignedIn: NOT_SIGNED_IN,
    errors.NotAllowed: NOT_ALLOWED,
    errors.NotFound: NOT_FOUND,
    errors.PostedWithOtherContent: OTHER_CONTENT,
    errors.Refused: REFUSED,
    errors.UnreadableFile: UNREADABLE_FILE,
    errors.Invalid: INVALID,
    errors.TooSoon: TOO_SOON,
    errors.DatabaseUnavailable: UNAVAILABLE,
}

KIND_OF_STATUS = {
    kind.status: kind
    for kind in (UNREADABLE_REQUEST, NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, NO_SUCH_METHOD, TOO_LARGE, NOT_JSON)
}


class FaultShown(BaseModel):
    """One thing wrong with the input."""

    message: str = Field(description="What is wrong, and the remedy", examples=["there is no person with this code"])
    row: int | None = Field(None, description="Which line or row, counted as the user sees it")
    field: str | None = Field(None, examples=["receiver"])
    value: str | None = Field(None, description="What was sent, shortened")


class ReasonShown(BaseModel):
    """Why one line of a command is refused."""

    line: int = Field(examples=[1])
    weapon: str = Field(description="The weapon as it was named", examples=["KT 449900"])
    reason: str = Field(examples=["it is issued to a person: the act 'issue' does not begin there"])
    where: str | None = Field(
        None, description="Where the books have it now", examples=["Private Petrov (A-1001) (person)"]
    )
    item_id: str | None = None


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="The kind of problem", examples=["/docs#refused"])
    title: str = Field(examples=["Refused"])
    status: int = Field(examples=[409])
    detail: str = Field(
        description="What happened and what to do, in words",
        examples=["Nothing was done: 1 line(s) of this issue cannot be."],
    )
    faults: list[FaultShown] | None = Field(None, description="For input with mistakes: each of them")
    reasons: list[ReasonShown] | None = Field(None, description="For a refused command: one reason a weapon")
    rejected: int | None = Field(None, description="For a list: how many of its rows cannot be read")
    rejects: str | None = Field(None, description="All those rows as a file to be mended: GET /v1/rejects/{rejects}")


def problem(kind: Kind, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """The answer for a problem of a kind, in the language that is asked for."""
    body = {"type": kind.type, "title": kind.title, "status": kind.status, "detail": detail, **more}
    language = viewer.get().language.tag
    spoken = {} if language == SOURCE else {"Content-Language": language}
    return Response(to_json(_encodable(all_told(body))), kind.status, {**(headers or {}), **spoken}, MEDIA_TYPE)


def problem_of(error: StockpileError) -> Response:
    """The answer for an error of the domain."""
    kind = next((KIND_OF[parent] for parent in type(error).__mro__ if parent in KIND_OF), UNEXPECTED)
    if isinstance(error, Refused):
        return problem(kind, error.detail, reasons=[_given(reason) for reason in error.reasons])
    if isinstance(error, RowsRejected):
        rows: dict[str, Any] = {"rejected": error.rejected, **({"rejects": error.rejects} if error.rejects else {})}
        return problem(kind, error.detail, faults=[_given(fault) for fault in error.faults], **rows)
    if isinstance(error, Invalid):
        return problem(kind, error.detail, faults=[_given(fault) for fault in error.faults])
    if kind is NOT_SIGNED_IN:
        return problem(kind, error.detail, {"WWW-Authenticate": 'Bearer realm="stockpile"'})
    if isinstance(error, errors.TooSoon):
        return problem(kind, error.detail, {"Retry-After": str(error.seconds)})
    if kind is UNAVAILABLE:
        return problem(kind, error.detail, {"Retry-After": RETRY_SECONDS})
    return problem(kind, error.detail)


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: the kinds of problem it can answer with, for its documentation."""
    described: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, UNEXPECTED, UNAVAILABLE):
        known = described.get(kind.status)
        words = f"{kind.title}. {kind.remedy}"
        if known is not None:
            known["description"] += f" Or: {words}"
            continue
        described[kind.status] = {
            "description": words,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return described


def install(application: FastAPI) -> None:
    """Makes the application answer every error with a problem."""
    for kind, handler in (
        (StockpileError, _of_domain),
        (RequestValidationError, _of_validation),
        (HTTPException, _of_http),
        (DBAPIError, _of_database),
        (NoConnection, _of_full_pool),
    ):
        application.add_exception_handler(kind, cast(ExceptionHandler, handler))


async def _of_domain(request: Request, error: StockpileError) -> Response:
    return problem_of(error)


async def _of_full_pool(request: Request, error: Exception) -> Response:
    return problem(
        UNAVAILABLE,
        sentence("Too many ask at once. Nothing was done; try again in a moment."),
        {"Retry-After": RETRY_SECONDS},
    )


async def _of_http(request: Request, error: HTTPException) -> Response:
    """What the framework itself refuses: unknown paths, methods, bodies that are no JSON."""
    kind = KIND_OF_STATUS.get(error.status_code, UNREADABLE_REQUEST if error.status_code < 500 else UNEXPECTED)
    details = {
        400: sentence("The body is not well-formed JSON in UTF-8."),
        404: sentence("There is nothing at {path}.", path=request.url.path),
        405: sentence("{path} does not answer to {method}.", path=request.url.path, method=request.method),
    }
    return problem(kind, details.get(error.status_code, error.detail), dict(error.headers or {}))


async def _of_database(request: Request, error: DBAPIError) -> Response:
    """What PostgreSQL refuses and no guard has caught: values it cannot hold are the sender's, all else is ours."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if type(error.orig).__name__ == "DataError" or state.startswith("22"):
        fault = Fault(sentence("a value is too large, or holds a NUL character"))
        return problem(INVALID, sentence("Nothing was done: a value cannot be stored."), faults=[_given(fault)])
    if state[:2] in ("08", "53", "57"):
        return problem(
            UNAVAILABLE, sentence("The database does not answer. Nothing was done."), {"Retry-After": RETRY_SECONDS}
        )
    return unexpected(error)


def unexpected(error: BaseException) -> Response:
    """The answer for an error nobody foresaw. The log says more."""
    log_unforeseen("unexpected", error)
    return problem(
        UNEXPECTED, sentence("Nothing was done. Tell who runs the service when it happened: the log says more.")
    )


async def _of_validation(request: Request, error: RequestValidationError) -> Response:
    faults = [_given(fault) for fault in faults_of(error)]
    return problem(INVALID, sentence("Nothing was done: {mistakes}.", mistakes=_count(error.errors())), faults=faults)


def faults_of(error: RequestValidationError) -> list[Fault]:
    """What a validation found, in a user's words."""
    return [_fault_of(found) for found in error.errors()[:FAULTS_SHOWN]]


def _count(found: Sequence[Any]) -> str:
    return sentence("one thing is wrong") if len(found) == 1 else sentence("{count} things are wrong", count=len(found))


_PLACES = {"query": "query parameter", "path": "path", "header": "header", "cookie": "cookie"}


def _fault_of(found: dict[str, Any]) -> Fault:
    """A fault of validation with its place in words: the line of a list as `row`, the rest as `field`."""
    where, *path = found["loc"]
    if found["type"] == "json_invalid":
        place = f"character {path[0]}" if path else "the body"
        return Fault(sentence("not well-formed JSON: {problem}", problem=found["ctx"]["error"]), field=place)
    row = next((step + 1 for step in path if isinstance(step, int)), None)
    steps = [step for step in path if isinstance(step, str)]
    if row is not None and len(steps) > 1 and steps[0] == "lines":
        steps = steps[1:]
    name = ": ".join(steps) or "the body"
    field = name if where == "body" else f"{_PLACES.get(str(where), where)} {name}"
    secret = not SECRET.isdisjoint(steps)
    return Fault(said_of(found), row, field, None if secret else _shown(found.get("input")))


def _shown(value: object) -> str | None:
    """A scalar as it was sent, shortened; None for what has parts of its own."""
    if value is None or isinstance(value, (dict, list, tuple, set, bytes)):
        return None
    return str(value)[:SHOWN_VALUE]


def _given(one: Any) -> dict[str, Any]:
    """A fault or a reason without what it does not say."""
    return {name: getattr(one, name) for name in one.__slots__ if getattr(one, name) is not None}


def _encodable(value: Any) -> Any:
    """The same with characters that UTF-8 cannot write spelled out."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {name: _encodable(each) for name, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [_encodable(each) for each in value]
    return value

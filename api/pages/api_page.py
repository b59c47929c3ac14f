"""The page of the API: every route with its parameters, an example and its answers, read from the OpenAPI document
itself, and what each kind of problem means.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from api.pages import templates
from api.problems import KINDS

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class RouteShown:
    """A route as the page shows it."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    example: str | None
    answers: dict[str, str]


@router.get("/docs", response_class=HTMLResponse)
def api_page(request: Request) -> HTMLResponse:
    """The page of the API."""
    return templates.TemplateResponse(
        request, "api.html", {"version": request.app.version, "subjects": subjects(request.app), "kinds": KINDS}
    )


def subjects(application: FastAPI) -> dict[str, list[RouteShown]]:
    """The routes by subject, in the order they were declared."""
    described = application.openapi()
    found: dict[str, list[RouteShown]] = {}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            shown = _route(method.upper(), path, operation, described["components"]["schemas"])
            found.setdefault(operation.get("tags", ["other"])[0], []).append(shown)
    return found


def _route(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> RouteShown:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = body.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    form = schemas.get(name, {})
    required = set(form.get("required", ()))
    fields = [
        {"name": field, "required": field in required, "description": about.get("description", "")}
        for field, about in form.get("properties", {}).items()
    ]
    example = body.get("example")
    return RouteShown(
        method,
        path,
        operation.get("summary", ""),
        operation.get("description", ""),
        operation.get("parameters", []),
        fields,
        json.dumps(example, indent=2, ensure_ascii=False) if example is not None else None,
        {status: about.get("description", "") for status, about in operation.get("responses", {}).items()},
    )

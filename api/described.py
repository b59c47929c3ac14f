"""The OpenAPI document: what the framework reads off the routes, completed with what every route has in common. It must
never announce less than the service answers.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from api import gates, problems
from api.problems import Kind

WITH_BODY = (problems.UNREADABLE_REQUEST, problems.TOO_LARGE, problems.NOT_JSON)
"""What the gate answers to a body before any route sees it."""
ALWAYS = (problems.UNEXPECTED, problems.UNAVAILABLE)
PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}


def describe(application: FastAPI) -> dict[str, Any]:
    """The document of an application, made once."""
    if application.openapi_schema:
        return application.openapi_schema
    described = FastAPI.openapi(application)
    parts = described.setdefault("components", {})
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token that a registrar made: POST /v1/tokens"}
    }
    form = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts.setdefault("schemas", {}).update({**form.pop("$defs", {}), "Problem": form})
    described["security"] = [{"token": []}]
    schemas = parts["schemas"]
    for path, operations in described["paths"].items():
        for operation in operations.values():
            _complete(operation, path not in gates.WITHOUT_TOKEN)
            _exemplify(operation, schemas)
    application.openapi_schema = described
    return described


def _complete(operation: dict[str, Any], takes_token: bool) -> None:
    """Adds the problems that come before the route: no token, a body that cannot be read."""
    kinds: list[Kind] = [*ALWAYS]
    if takes_token:
        kinds.append(problems.NOT_SIGNED_IN)
    else:
        operation["security"] = []
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        kinds += WITH_BODY
    answers = operation["responses"]
    for kind in kinds:
        answers.setdefault(
            str(kind.status),
            {"description": f"{kind.title}. {kind.remedy}", "content": {problems.MEDIA_TYPE: PROBLEM}},
        )
    invalid = answers.get("422")
    if invalid is not None and "application/json" in invalid.get("content", {}):
        invalid["description"] = f"{problems.INVALID.title}. {problems.INVALID.remedy}"
        invalid["content"] = {problems.MEDIA_TYPE: PROBLEM}
    operation["responses"] = dict(sorted(answers.items()))


def _exemplify(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Gives a body without an example one of the examples of its fields, if every field it needs has some."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is None or "example" in body:
        return
    form = schemas.get(body["schema"].get("$ref", "").rsplit("/", 1)[-1], {})
    example = {name: field["examples"][0] for name, field in form.get("properties", {}).items() if "examples" in field}
    if set(form.get("required", ())) <= set(example):
        body["example"] = example

"""The whole API document against the service itself: requests made up from it, right and wrong ones, by a registrar, a
clerk and a donor. No answer is an error of ours, and each is one the document announces, in the form it announces.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.errors import SchemathesisError
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api_world import Web, served
from tests.world import RIFLES, scans

web = pytest.fixture(served)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ASKING = ("registrar", "clerk", "USA")
REQUESTS = int(os.environ.get("STOCKPILE_TEST_EXAMPLES", "8"))
"""Made up for each route and kind (right or wrong)."""
PARTS = 3
"""The routes are tried in as many stories, for as many processors."""


def settle(web: Web) -> None:
    """Something of each kind to find: an issued rifle, a draft that waits."""
    web.posted("clerk", "/v1/issues", {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])})
    opening = {"name": "Old", "store": "Main store", "lines": [{"model": "AKM", "serial_number": "OLD 1"}]}
    web.drafted("registrar", "/v1/openings", {"site": "TAJI", **opening})


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_every_answer_is_one_that_the_document_announces(
    web: Web, kind: GenerationMode, part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests by the hundred, the same ones every time."""
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))
    settle(web)
    schema = schemathesis.openapi.from_dict(web.client.get("/openapi.json").json())
    operations = [found.ok() for found in schema.get_all_operations()][part::PARTS]
    wrong = [complaint for operation in operations if (complaint := tried(web, operation, kind))]
    assert not wrong, "\n\n".join(wrong)
    assert len(operations) > 90


def tried(web: Web, operation: Any, kind: GenerationMode) -> str | None:
    """Asks a route with made-up requests; the first answer that is not as announced, in words. Making one up takes longer than
    answering it: each is sent by everybody.
    """

    @given(case=operation.as_strategy(generation_mode=kind))
    @settings(
        max_examples=REQUESTS, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    def ask(case: Any) -> None:
        for who in ASKING:
            sent = case.as_transport_kwargs(base_url="http://testserver", headers=web.headers(who))
            sent.pop("cookies", None)
            if isinstance(sent.get("data"), bytes):
                sent["content"] = sent.pop("data")
            case.validate_response(web.client.request(**sent), checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        return None  # a route without parameters can't be asked wrongly
    except (FailureGroup, SchemathesisError) as problem:
        return f"{operation.label}: {problem}"
    return None

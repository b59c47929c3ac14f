"""One request to another's machine over HTTP: in bounded time, with an answer of bounded length, and led nowhere else."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from stockpile.errors import Invalid, StockpileError


class Unreachable(StockpileError):
    """Another's machine gave no answer."""

    title = "No answer"


@dataclass(frozen=True, slots=True)
class Reply:
    """What it answered."""

    status: int
    media_type: str
    content: bytes


def check_url(url: str) -> str:
    """The address as it is used: of http or https, without query, and no slash at its end. Raises Invalid."""
    try:
        parts = urlsplit(url)
        wrong = (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.query
            or parts.fragment
            or parts.username
        )
        _ = parts.port
    except ValueError:
        wrong = True
    if wrong or not url.isascii() or any(character.isspace() for character in url):
        raise Invalid(f"{url} is no address: write it like https://witness.donor.example.")
    return url.rstrip("/")


def request(
    method: str,
    url: str,
    timeout: float,
    longest: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Asks, and gives whatever is answered. Raises Unreachable (no answer, too late, too long)."""
    parts = urlsplit(url)
    until = time.monotonic() + timeout
    connecting = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connecting(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request(method, parts.path or "/", body, {"User-Agent": "stockpile", **(headers or {})})
        answer = connection.getresponse()
        content = bytearray()
        while part := answer.read1(65_536):
            content += part
            if len(content) > longest or time.monotonic() > until:
                raise Unreachable(f"{parts.hostname} answers too much, or too slowly.")
        return Reply(answer.status, answer.headers.get_content_type(), bytes(content))
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise Unreachable(f"{parts.hostname} gave no answer: {problem or type(problem).__name__}.") from None
    finally:
        connection.close()

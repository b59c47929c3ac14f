"""One request to another's machine over HTTP: in bounded time, with an answer of bounded length, and led nowhere else."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
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
    cut_off = threading.Timer(timeout, lambda: None)
    try:
        connection.connect()
        cut_off = _cut_off_at(until, connection.sock)
        asked = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, asked, body, {"User-Agent": "stockpile", **(headers or {})})
        answer = connection.getresponse()
        content = bytearray()
        while part := answer.read1(65_536):
            content += part
            if len(content) > longest:
                raise Unreachable(f"{parts.hostname} answers too much.")
        if time.monotonic() > until:  # what was cut off may look like an answer that ended
            raise TimeoutError("it answers too slowly")
        return Reply(answer.status, answer.headers.get_content_type(), bytes(content))
    except (OSError, http.client.HTTPException, ValueError) as problem:
        why = "it answers too slowly" if time.monotonic() > until else problem or type(problem).__name__
        raise Unreachable(f"{parts.hostname} gave no answer: {why}.") from None
    finally:
        cut_off.cancel()
        connection.close()


def _cut_off_at(until: float, connected: socket.socket) -> threading.Timer:
    """Ends a connection when its time is over, whatever comes by it: a time limit of the socket begins anew with each byte."""

    def cut_off() -> None:
        with suppress(OSError):
            socket.socket.shutdown(connected, socket.SHUT_RDWR)  # below the encryption, which another thread reads

    timer = threading.Timer(max(0.0, until - time.monotonic()), cut_off)
    timer.daemon = True
    timer.start()
    return timer

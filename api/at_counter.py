"""From where a request comes: the enrolled counter whose cookie the browser keeps, and the network address."""

from __future__ import annotations

from fastapi import Request

from api.cookies import COUNTER, read_cookie
from stockpile.attempts import Brake, Where
from stockpile.counters import Counter, which_counter
from stockpile.db.engine import at_once, connected


def counter_of(request: Request) -> Counter | None:
    """The enrolled counter that the browser is, if it is one."""
    text = read_cookie(request.scope, COUNTER)
    if text is None:
        return None
    with connected(at_once(request.app.state.engine)) as connection:
        return which_counter(connection, text)


def address_of(request: Request) -> str:
    """The network address that a request comes from."""
    return request.client.host if request.client else "unknown"


def where_from(request: Request) -> Where:
    """From where somebody tries to sign in. Raises TooSoon where too many try."""
    where = Where(address_of(request), counter_of(request))
    brake: Brake = request.app.state.brake
    brake.check(where)
    return where

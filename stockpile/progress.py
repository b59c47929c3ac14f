"""How far a long task is: told by whoever works, heard by whoever started it (a progress bar, a job's row)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int | None], None]
"""Called with what is being done, how many are done, and how many there are, if that is known."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def told(what: str, done: int, of: int | None = None) -> None:
    """Tells the listener, if there is one. A listener that raises stops the task: nothing of it is kept."""
    listener = _listener.get()
    if listener is not None:
        listener(what, done, of)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Within it, `told` calls the listener."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)

"""An act that is done and not yet committed, as while the disk is slow: what another does meanwhile has to wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from stockpile.acts.perform import ActForm, _desk
from stockpile.db.engine import connected
from tests.world import Country

A_WHILE = 0.7
"""Seconds after which one who still waits is taken to be waiting for somebody."""


@contextmanager
def in_flight(country: Country, who: str, form: ActForm, **asked: Any) -> Iterator[None]:
    """The act is done when this begins, and commits when it ends."""
    request = form.request.model_validate(asked)
    with connected(country.engine) as connection:
        form.do(_desk(connection, country.actors[who], form, request), request)
        yield


class Waiting:
    """Somebody who asks at the same time, and what they are answered."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask
        self._answer: Any = None
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answer = self._ask()
        except Exception as problem:
            self._answer = problem

    def waits(self) -> bool:
        """Whether there is no answer after a while."""
        self._thread.join(A_WHILE)
        return self._thread.is_alive()

    def answer(self) -> Any:
        """What they were answered, or the error they met."""
        self._thread.join(60)
        assert not self._thread.is_alive(), "somebody still waits"
        return self._answer

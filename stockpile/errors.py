"""What can go wrong, one class for each thing, named for it. Each carries what it is about; `api/problems.py` and
`cli.py` alone turn them into answers. An error here never holds a stack trace or a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from stockpile.sentences import sentence


class StockpileError(Exception):
    """Base of all errors a user may see: `title` is the kind, the message says what happened and what to do."""

    title: str = sentence("It did not work")

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the input: where (row and field as the user knows them), what, and the remedy."""

    message: str
    row: int | None = None
    field: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one line of a command is refused: the weapon as the clerk named it, why, and where the books have it now."""

    line: int
    weapon: str
    reason: str
    where: str | None = None
    item_id: str | None = None


class Invalid(StockpileError):
    """The input can't be understood: nothing was done."""

    title = sentence("The input has mistakes")

    def __init__(self, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.faults = tuple(faults)


class UnreadableFile(Invalid):
    """The file as a whole can't be read: too large, not a list, damaged."""

    title = sentence("The file cannot be read")


class NotFound(StockpileError):
    """What was asked for is not in the books, or not in the asker's scope."""

    title = sentence("Not found")


class NotAllowed(StockpileError):
    """The role or the scope does not permit it."""

    title = sentence("Not allowed")


class NotSignedIn(StockpileError):
    """No token or session, or one that is unknown, expired or ended; or a name and password that don't belong together."""

    title = sentence("Sign in first")


class MustChange(NotSignedIn):
    """Signed in by a one-time code or PIN: until an own one is chosen nothing else can be done. `what`: password or PIN."""

    def __init__(self, detail: str, what: str) -> None:
        super().__init__(detail)
        self.what = what


class TooSoon(StockpileError):
    """Tried too often: after `seconds` it can be tried again."""

    title = sentence("Wait a moment")

    def __init__(self, detail: str, seconds: float) -> None:
        super().__init__(detail)
        self.seconds = max(1, ceil(seconds))


class Refused(StockpileError):
    """A command that breaks a rule: refused whole, with one reason a line (DESIGN section 2)."""

    title = sentence("Refused")

    def __init__(self, detail: str, reasons: Sequence[Reason] = ()) -> None:
        super().__init__(detail)
        self.reasons = tuple(reasons)


class PostedWithOtherContent(StockpileError):
    """The same document id came before with other content (invariant 8)."""

    title = sentence("This document id is taken")


class Overtaken(StockpileError):
    """Somebody else was faster: what a request was judged by is otherwise since. It is begun again (`acts.perform`)."""

    title = sentence("Overtaken")


class DatabaseUnavailable(StockpileError):
    """PostgreSQL can't be started or reached; says why and what to do."""

    title = sentence("The database is not available")

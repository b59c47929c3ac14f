"""As of when a report speaks: a moment on either clock, on both, or now. What happened by T: `happened_at`; what the books
said at T: `recorded_at`; what they said at R of how it was at T: both (DESIGN invariant 5). Holds no rule beyond that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stockpile.errors import Fault, Invalid
from stockpile.sentences import sentence

FOREVER = "infinity"


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment on each clock, both inclusive; None: everything on that clock.

    Raises Invalid for a moment without an offset from UTC.
    """

    happened_at: datetime | None = None
    recorded_at: datetime | None = None

    def __post_init__(self) -> None:
        for field, moment in (("happened_at", self.happened_at), ("recorded_at", self.recorded_at)):
            if moment is not None and moment.tzinfo is None:
                message = sentence("has no offset from UTC: write it like 2026-11-20T09:30:00+03:00")
                raise Invalid(
                    sentence("{field}: {message}.", field=field, message=message),
                    [Fault(message, field=field, value=moment.isoformat())],
                )

    @property
    def now(self) -> bool:
        """Whether everything counts that the books have."""
        return self.happened_at is None and self.recorded_at is None

    @property
    def moment(self) -> datetime | None:
        """The moment whose memberships count: of what happened, else of what was recorded; None: now."""
        return self.happened_at or self.recorded_at

    @property
    def parameters(self) -> dict[str, datetime | str]:
        """Both moments for SQL, as `%(happened_at)s` and `%(recorded_at)s`."""
        return {"happened_at": self.happened_at or FOREVER, "recorded_at": self.recorded_at or FOREVER}

    @property
    def up_to(self) -> str:
        """What holds of the entries `e` that count, in SQL: a clock that bounds nothing is not looked at."""
        bounds = (("happened_at", self.happened_at), ("recorded_at", self.recorded_at))
        return " AND ".join(f"e.{clock} <= %({clock})s" for clock, moment in bounds if moment is not None) or "true"


NOW = AsOf()

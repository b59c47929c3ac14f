"""Counting while the counter works: whatever is issued, returned or keyed late between two readings, each weapon has one finding,
and it is the one that a plain record of where each weapon was gives.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpile.acts.issue import ISSUE
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Precision, now
from stockpile.errors import Refused
from tests.counts import STORE, closed, found, opened, read
from tests.in_flight import Waiting
from tests.world import RIFLES, Country, paper, scans

EXAMPLES = int(os.environ.get("STOCKPILE_TEST_EXAMPLES", "25"))

STEPS = st.lists(
    st.tuples(st.sampled_from(["issue", "return", "read", "wait", "paper"]), st.integers(0, len(RIFLES) - 1)),
    max_size=25,
)


@dataclass
class Record:
    """Where each rifle was, and when: the store (True) or out."""

    moves: dict[str, list[tuple[datetime, bool]]] = field(default_factory=dict)
    papers: int = 0

    def there(self, serial: str, moment: datetime | None = None) -> bool:
        """Whether a rifle was in the store at a moment; now if none is given."""
        past = [there for when, there in self.moves[serial] if moment is None or when <= moment]
        return past[-1] if past else False

    def moved(self, serial: str, since: datetime, until: datetime) -> bool:
        """Whether it left or came between."""
        return any(since < when <= until for when, _ in self.moves[serial])


class Counter:
    """Plays one count after another in one country, with an issuing clerk beside it."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.record = Record({serial: [(datetime.min.replace(tzinfo=now().tzinfo), True)] for serial in RIFLES})
        self.turn = 0

    def play(self, steps: list[tuple[str, int]]) -> None:
        """One count; what it found against the record."""
        self.turn += 1
        by = ("T-1", "T-2")[self.turn % 2]
        count = opened(self.country, counters=[by])
        began, reading, waiting = now(), dict[str, datetime](), list[tuple[str, datetime]]()
        for step, number in steps:
            serial = RIFLES[number]
            if step == "read":
                moment = now()
                read(self.country, count, {"scan": serial, "counted_at": moment.isoformat()}, counted_by=by)
                reading.setdefault(serial, moment)
            elif step == "wait" and self.record.there(serial) and serial not in dict(waiting):
                waiting.append((serial, now()))
            elif step == "paper" and waiting:
                self.key(*waiting.pop(0))
            elif serial not in dict(waiting):
                self.move(step, serial)
        for serial, issued_at in waiting:
            self.key(serial, issued_at)
        if not reading:
            read(self.country, count, "NOTHING ELSE", counted_by=by)
        shown = closed(self.country, count)
        assert shown.count.closed_at is not None
        told = {
            name: kind
            for kind, name, *_ in found(self.country, count, "matched", "missing", "unexpected", "moved meanwhile")
        }
        told.pop("NOTHING ELSE", None)
        assert told == dict(self.expected(shown.count.opened_at, shown.count.closed_at, reading)), (began, steps)

    def move(self, step: str, serial: str) -> None:
        """A command at the counter, where it makes sense."""
        if step == "issue" and self.record.there(serial):
            posted = self.country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(serial))
            self.record.moves[serial].append((posted.happened_at, False))
        elif step == "return" and not self.record.there(serial):
            posted = self.country.do("clerk", RETURN, store=STORE, lines=scans(serial))
            self.record.moves[serial].append((posted.happened_at, True))

    def key(self, serial: str, issued_at: datetime) -> None:
        """A paper keyed late: the rifle was handed out when it says, though the books heard of it only now."""
        self.record.papers += 1
        self.country.do(
            "clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(serial),
            paper=paper(self.record.papers, issued_at, precision=Precision.SECOND),
        )  # fmt: skip
        self.record.moves[serial].append((issued_at, False))

    def expected(self, began: datetime, ended: datetime, reading: dict[str, datetime]) -> Iterator[tuple[str, str]]:
        """What is to be found of each rifle, by the record alone."""
        for serial in RIFLES:
            if serial in reading:
                yield serial, "matched" if self.record.there(serial, reading[serial]) else "unexpected"
            elif self.record.moved(serial, began, ended):
                if self.record.there(serial, began) or self.record.there(serial, ended):
                    yield serial, "moved meanwhile"
            elif self.record.there(serial, began):
                yield serial, "missing"


def test_each_finding_is_what_the_record_says(country: Country) -> None:
    """Counts by the dozen, one after another in one country, with issues, returns and late papers between the readings."""
    counter = Counter(country)

    @given(steps=STEPS)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def played(steps: list[tuple[str, int]]) -> None:
        counter.play(steps)

    played()


NOT_AS_FOUND = """
SELECT f.kind, f.item_id FROM count_finding f JOIN physical_count c USING (count_id)
JOIN count_account t USING (count_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS crossings FROM entry e
    WHERE e.item_id = f.item_id AND e.happened_at > c.opened_at AND e.happened_at <= c.closed_at
      AND (e.from_account = t.account_id) <> (e.to_account = t.account_id)) moved
WHERE f.kind IN ('missing', 'moved meanwhile') AND (f.kind = 'missing') <> (moved.crossings = 0)
"""


@pytest.mark.parametrize("round", range(3))
def test_two_clerks_issue_while_it_is_closed(country: Country, round: int) -> None:
    """Rifles go out and come back as fast as they can while the count is closed: no rifle is called missing that was in
    somebody's hands between, and none is forgotten.
    """
    stop, troubles = Event(), list[BaseException]()

    def issuing(who: str, mine: tuple[str, ...]) -> None:
        act: Any = ISSUE
        try:
            while not stop.is_set():
                for serial in mine:
                    asked = {"receiver": "A-1001"} if act is ISSUE else {}
                    country.do(who, act, store=STORE, lines=scans(serial), **asked)
                act = RETURN if act is ISSUE else ISSUE
        except BaseException as problem:
            troubles.append(problem)

    count = opened(country, counters=["T-1", "T-2"])
    read(country, count, RIFLES[9])
    clerks = [Thread(target=issuing, args=args) for args in (("clerk", RIFLES[:3]), ("second clerk", RIFLES[3:6]))]
    for clerk in clerks:
        clerk.start()
    try:
        shown = closed(country, count)
    finally:
        stop.set()
        for clerk in clerks:
            clerk.join()
    assert troubles == []
    assert country.query(NOT_AS_FOUND) == []
    assert country.query("SELECT count(DISTINCT item_id) FROM count_finding WHERE item_id IS NOT NULL") == [(10,)]
    assert shown.findings["missing"] >= 3


def test_closed_by_two_at_once_while_a_line_comes(country: Country) -> None:
    """Both are told the same, the lines are compared once; the line came before the closing, and is a finding, or is refused."""
    count = opened(country, counters=["T-1", "T-2"])
    read(country, count, *RIFLES[:9])

    def late() -> Any:
        return read(country, count, RIFLES[9])

    asked = [Waiting(lambda: closed(country, count)), Waiting(late), Waiting(lambda: closed(country, count, "auditor"))]
    first, line, second = (one.answer() for one in asked)
    assert first == second
    if isinstance(line, Refused):
        assert first.findings == {"matched": 9, "missing": 1, "not counted": 1}
    else:
        assert first.findings == {"matched": 10, "not counted": 1}
    assert country.query("SELECT count(*) FROM register WHERE kind = 'count sheet'") == [(1,)]

"""Two clocks: when it happened, and when the books learned of it. Any question can be asked of either, or of both."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stockpile.acts.correct import CORRECT
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.turn_in import RETURN
from stockpile.reports import history
from stockpile.reports.as_of import AsOf
from stockpile.reports.standing import standings
from stockpile.reports.trial_balance import proof, trial_balance
from stockpile.rights import reading
from tests.world import RIFLES, Country, ago, paper, scans

PETROV, RAHIM = "Private Petrov (A-1001)", "Private Rahim (A-1003)"
LOSS = {"place": "the range", "circumstances": "not in the rack"}


def where(country: Country, happened_at: datetime | None = None, recorded_at: datetime | None = None) -> str:
    """Where the rifle was at one moment, as the books knew at the other."""
    item = country.item(RIFLES[0]).item_id
    clerk = country.actors["clerk"]
    with reading(country.engine, clerk) as connection:
        stood = history.as_of(connection, clerk, item, AsOf(happened_at, recorded_at))
    return "; ".join(one.account or "" for one in stood) or "outside"


def balance(
    country: Country, happened_at: datetime | None = None, recorded_at: datetime | None = None
) -> dict[str, int]:
    """How many weapons and helmets stood in each class, checked against the entries counted by themselves."""
    auditor, at = country.actors["auditor"], AsOf(happened_at, recorded_at)
    with reading(country.engine, auditor) as connection:
        lines = trial_balance(connection, auditor, at=at)
        assert proof(connection, auditor, at).closes
    found: dict[str, int] = {}
    for line in lines:
        assert line.difference == 0
        for name in ("store", "person", "missing", "came_in"):
            found[name] = found.get(name, 0) + getattr(line, name)
    return found


def lived(country: Country) -> dict[str, datetime]:
    """Petrov draws the rifle and it comes back; then a paper says that Rahim had it in between. The moments between."""
    clerk: dict[str, Any] = {"store": "Main store", "lines": scans(RIFLES[0])}
    moments = {"in the store": ago()}
    country.do("clerk", ISSUE, receiver="A-1001", **clerk)
    moments["drawn"] = ago()
    sheet = paper(1, ago())
    moments["handed over"] = ago()
    country.do("clerk", RETURN, **clerk)
    moments["returned"] = ago()
    country.do("clerk", HAND_OVER, giver="A-1001", receiver="A-1003", lines=scans(RIFLES[0]), paper=sheet)
    moments["paper keyed"] = ago()
    return moments


def test_where_it_was_and_where_the_books_said_it_was(country: Country) -> None:
    """What happened by T is what we know today; what the books said at T knows nothing of later papers."""
    at = lived(country)
    assert [where(country, happened_at=at[moment]) for moment in ("in the store", "drawn", "handed over", "returned")] == [
        "Main store", PETROV, RAHIM, "Main store",
    ]  # fmt: skip
    assert [where(country, recorded_at=at[moment]) for moment in ("in the store", "drawn", "handed over", "returned")] == [
        "Main store", PETROV, PETROV, "Main store",
    ]  # fmt: skip
    assert where(country, happened_at=at["handed over"], recorded_at=at["returned"]) == PETROV
    assert where(country, happened_at=at["handed over"], recorded_at=at["paper keyed"]) == RAHIM
    assert where(country) == "Main store"


def test_before_it_came_and_after_today(country: Country) -> None:
    at = lived(country)
    assert where(country, happened_at=ago(days=1)) == where(country, recorded_at=ago(days=1)) == "outside"
    assert where(country, happened_at=ago(days=-1)) == "Main store"
    assert where(country, happened_at=at["drawn"], recorded_at=ago(days=1)) == "outside"


def test_a_correction_changes_what_we_know_of_the_past_not_what_the_books_said_then(country: Country) -> None:
    """The return was a mistake: today we know that Rahim still had it; before the correction the books said the store."""
    at = lived(country)
    country.do_with_approval("clerk", "commander", CORRECT, reason="another rifle", lines=scans(RIFLES[0]))
    assert where(country) == RAHIM
    assert where(country, happened_at=at["returned"]) == RAHIM
    assert where(country, recorded_at=at["paper keyed"]) == "Main store"
    assert where(country, happened_at=at["returned"], recorded_at=at["paper keyed"]) == "Main store"
    assert where(country, happened_at=at["drawn"]) == PETROV


def test_a_paper_of_long_ago_is_known_only_since_it_was_keyed(country: Country) -> None:
    """Missing since yesterday noon by a paper keyed today: then it was missing, but nobody knew."""
    noon = ago(days=1)
    sheet = paper(1, noon)
    before = ago()
    country.do("clerk", REPORT_MISSING, **LOSS, lines=scans(RIFLES[0]), paper=sheet)
    assert where(country, happened_at=noon) == "missing"
    assert where(country, happened_at=noon, recorded_at=before) == "outside"
    # The receipt of today is posted again on top of it, as the last that is known.
    assert where(country) == "Main store"


def test_what_the_last_entries_tell_is_what_all_of_them_add_up_to(country: Country) -> None:
    """Of now a weapon's last entries are read back, of a moment all its entries are added up. Drawn, handed over by a late paper, its
    return taken back, a loss of long ago keyed: both tell the same of every weapon, since when it is there included, to whoever asks.
    """
    lived(country)
    country.do_with_approval("clerk", "commander", CORRECT, reason="another rifle", lines=scans(RIFLES[0]))
    country.do("clerk", REPORT_MISSING, **LOSS, lines=scans(RIFLES[1]), paper=paper(2, ago(days=1)))
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[2]))
    items = [row[0] for row in country.query("SELECT item_id FROM item")]
    for who in ("clerk", "auditor", "erbil clerk", "USA"):
        actor = country.actors[who]
        with reading(country.engine, actor) as connection:
            now = standings(connection, actor, items)
            then = standings(connection, actor, items, AsOf(happened_at=ago(days=-1)))
        assert now == then
        assert len(now) == (0 if who == "USA" else len(items))


def test_the_trial_balance_closes_at_every_moment_on_either_clock(country: Country) -> None:
    """Came in is what is somewhere: now, then, and as the books had it then; ten rifles and a hundred helmets."""
    at = lived(country)
    country.do("clerk", REPORT_MISSING, **LOSS, lines=scans(RIFLES[1]))
    assert balance(country) == {"came_in": 110, "store": 109, "person": 0, "missing": 1}
    assert balance(country, happened_at=at["handed over"]) == {"came_in": 110, "store": 109, "person": 1, "missing": 0}
    assert balance(country, recorded_at=at["returned"]) == {"came_in": 110, "store": 110, "person": 0, "missing": 0}
    both = balance(country, happened_at=at["handed over"], recorded_at=at["returned"])
    assert both == {"came_in": 110, "store": 109, "person": 1, "missing": 0}
    assert sum(balance(country, happened_at=ago(days=1)).values()) == 0


def test_helmets_as_of_then(country: Country) -> None:
    """What is counted stands on several accounts; a correction of any document cancels at its own time."""
    item = country.helmets().item_id
    lines = [{"item": str(item), "quantity": 30}]
    first = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=lines)
    between = ago()
    country.do("clerk", ISSUE, receiver="A-1003", store="Main store", lines=lines)
    known = ago()
    country.do_with_approval("clerk", "commander", CORRECT, reason="never drawn", document=first.document_id)
    clerk = country.actors["clerk"]

    def stood(at: AsOf) -> dict[str | None, int]:
        with reading(country.engine, clerk) as connection:
            return {one.account: one.quantity for one in history.as_of(connection, clerk, item, at)}

    assert stood(AsOf()) == {"Main store": 70, RAHIM: 30}
    assert stood(AsOf(happened_at=between)) == {"Main store": 100}
    assert stood(AsOf(recorded_at=known)) == {"Main store": 40, PETROV: 30, RAHIM: 30}
    assert stood(AsOf(happened_at=between, recorded_at=known)) == {"Main store": 70, PETROV: 30}

"""Papers arrive in whatever order the trucks bring them. In the end the books hold the same, and the same stays open against
them, as if each had come on its day.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpile.acts.arrive import ARRIVE
from stockpile.acts.destroy import DESTROY
from stockpile.acts.expend import EXPEND
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.import_again import IMPORT_AGAIN
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.mark import MARK
from stockpile.acts.overrun import OVERRUN
from stockpile.acts.perform import ActForm
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.register_gain import REGISTER_GAIN
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.errors import Refused
from stockpile.rights import Actor
from tests.counting import OUTSIDE, Helmets
from tests.world import HELMET, Country, ago, paper, today

STORE = "Main store"
PEOPLE = {"A-1001": "Private Petrov (A-1001)", "A-1002": "Private Quist (A-1002)"}
LOSS = {"place": "the range", "circumstances": "not in the rack"}
FOUND = {"place": "a ditch", "found_by": "a patrol"}
SPENT = {"manner": "fired", "place": "the bridge", "circumstances": "burnt out"}
CUT = {"method": "cutting", "place": "the yard"}
GAINED = {"manner": "captured", "circumstances": "a cache", **FOUND}
WAY = {"carrier": "2nd Transport Company", "expected_on": "2099-12-31"}
CLERKS = {"TAJI": "clerk", "ERBIL": "erbil clerk"}
COMMANDERS = {"TAJI": "commander", "ERBIL": "erbil commander"}

EXAMPLES = int(os.environ.get("STOCKPILE_TEST_EXAMPLES", "20"))
STORIES = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)  # fmt: skip
sheets, stories, weapons = count(1), count(1), count(1)


@dataclass(frozen=True)
class Sheet:
    """One paper: what it says, in words of the act."""

    form: ActForm
    request: dict[str, Any]
    site: str = "TAJI"

    @property
    def who(self) -> str:
        """Who keys it: a mark and an overrun are their commander's to tell of."""
        return (COMMANDERS if self.form in (MARK, OVERRUN) else CLERKS)[self.site]


def rifle_papers(person: str, other: str) -> dict[str, Sheet]:
    """All that a paper can say of one rifle."""
    return {
        "issued": Sheet(ISSUE, {"receiver": person, "store": STORE}),
        "handed over": Sheet(HAND_OVER, {"giver": person, "receiver": other}),
        "returned": Sheet(RETURN, {"store": STORE}),
        "returned broken": Sheet(RETURN, {"store": STORE, "returned_by": person, "condition": "unserviceable"}),
        "to the workshop": Sheet(MAINTAIN, {"work": "rust", "store": STORE}),
        "missing": Sheet(REPORT_MISSING, LOSS),
        "expended": Sheet(EXPEND, SPENT),
        "recovered": Sheet(RECOVER, {"store": STORE, **FOUND}),
    }


def site_papers(site: str, other: str) -> dict[str, Sheet]:
    """All that a paper of a site can say of it."""
    return {
        "shipped from": Sheet(SHIP, {"to_site": other, "store": STORE, **WAY}, site),
        "arrived at": Sheet(ARRIVE, {"shipment": "ERBIL/PAPER/1999/1", "store": STORE}, site),
        "destroyed at": Sheet(DESTROY, {"store": STORE, **CUT}, site),
        "imported again at": Sheet(IMPORT_AGAIN, {"store": STORE, "received_from": "the works"}, site),
        "marked at": Sheet(
            MARK, {"store": STORE, "method": "laser", "place": "receiver", "import_country": "IQ"}, site
        ),
        "returned at": Sheet(RETURN, {"store": STORE}, site),
        "missing at": Sheet(REPORT_MISSING, LOSS, site),
        "recovered at": Sheet(RECOVER, {"store": STORE, **FOUND}, site),
        "overrun": Sheet(OVERRUN, {"circumstances": "attacked at night"}, site),
    }


A, B = "A-1001", "A-1002"
SAYINGS = {
    f"{name} {person}": sheet
    for person, other in ((A, B), (B, A))
    for name, sheet in rifle_papers(person, other).items()
}

SAYINGS |= {
    f"{name} {site}": sheet
    for site, other in (("TAJI", "ERBIL"), ("ERBIL", "TAJI"))
    for name, sheet in site_papers(site, other).items()
}
SAYINGS["received"] = Sheet(RECEIVE, {"store": STORE})
SAYINGS["gained"] = Sheet(REGISTER_GAIN, {"store": STORE, **GAINED})
ENTERS = {"received", "gained"}

LIVE = """
SELECT f.name, t.name, e.condition, e.happened_at - %s FROM entry e
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
WHERE e.item_id = %s AND e.reverses IS NULL
  AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version) ORDER BY e.version
"""
OPEN = """
SELECT x.kind, d.number - %s FROM discrepancy x JOIN document d ON d.document_id = coalesce(x.concerns, x.document_id)
WHERE x.item_id = %s AND x.closed_at IS NULL ORDER BY 1, 2
"""


def keyed(country: Country, serial: str, sheet: Sheet, number: int, written: datetime) -> None:
    """Keys one paper about one rifle."""
    request = dict(sheet.request)
    condition = request.pop("condition", None)
    line: dict[str, Any] = {"model": "AKM", "condition": condition} if condition else {"model": "AKM"}
    line |= {"serial_number": serial} if sheet.form in (RECEIVE, REGISTER_GAIN) else {"scan": serial}
    said = {} if sheet.form is OVERRUN else {"lines": [line]}
    try:
        country.do(sheet.who, sheet.form, paper=paper(number, written), **said, **request)
    except Refused:
        assert sheet.form is OVERRUN, "only a site that held nothing has nothing to report"


def told_of(country: Country, serial: str, papers: list[str], order: list[int]) -> tuple[Any, ...]:
    """Keys papers of successive moments in an order; gives the rifle's life and what stays open, by which paper. Each story is told
    of an earlier day than the one before it: what a site held then, when it is overrun, is of no other story.
    """
    story = next(stories)
    first, begin = story * 100, ago(days=3 + story)
    for place in order:
        keyed(country, serial, SAYINGS[papers[place]], first + place, begin + timedelta(hours=place))
    (item,) = {row[0] for row in country.query("SELECT item_id FROM identification WHERE serial_number = %s", serial)}
    life = [row[:3] for row in country.query(LIVE, begin, item)]
    return life, country.query(OPEN, first, item)


def as_it_can_be(papers: list[str], shuffled: list[int]) -> list[int]:
    """The order, but that an overrun is keyed after what happened before it: it lists what was inside, as far as was known."""
    order: list[int] = []
    for place in shuffled:
        before = range(place) if SAYINGS[papers[place]].form is OVERRUN else ()
        order += [one for one in (*(one for one in shuffled if one in before), place) if one not in order]
    return order


def test_one_rifle_s_papers_in_any_order(country: Country) -> None:
    """Whatever a rifle's papers say, at two sites, however they contradict one another."""
    erbil = Actor(country.parties["erbil commander"].party_id, "commander", country.sites["ERBIL"], book_code="CO")
    country = replace(country, actors={**country.actors, "erbil commander": erbil})

    @STORIES
    @given(
        entered=st.sampled_from([None, *sorted(ENTERS)]),
        papers=st.lists(st.sampled_from(sorted(set(SAYINGS) - ENTERS)), min_size=2, max_size=6),
        order=st.randoms(),
    )
    def in_any_order(entered: str | None, papers: list[str], order: Any) -> None:
        # What nobody received is not known before its first paper: no list of what was inside has it.
        papers = [entered, *papers] if entered else [one for one in papers if SAYINGS[one].form is not OVERRUN]
        straight = list(range(len(papers)))
        shuffled = as_it_can_be(papers, order.sample(straight, len(straight)))
        one, other = (f"N{next(weapons):06}" for _ in range(2))
        if papers:
            assert told_of(country, one, papers, straight) == told_of(country, other, papers, shuffled)

    in_any_order()


def test_helmets_in_any_order(country: Country) -> None:
    """What came in, went out and came back, by papers of any hour in any order: no place ever held less than nothing, and what
    is short is what the model says.
    """
    moves = st.tuples(
        st.sampled_from(["in", "out", "back"]), st.sampled_from([A, B]), st.integers(1, 9), st.integers(0, 9)
    )

    @STORIES
    @given(papers=st.lists(moves, min_size=2, max_size=8))
    def in_any_order(papers: list[tuple[str, str, int, int]]) -> None:
        begin = country.do("clerk", RECEIVE, store=STORE, lines=[{"model": HELMET, "quantity": 1}])
        ((item,),) = country.query("SELECT item_id FROM entry WHERE document_id = %s", begin.document_id)
        helmets = Helmets([(begin.happened_at, OUTSIDE, STORE, 1)], OUTSIDE)
        acts: dict[str, Callable[[str], tuple[ActForm, dict[str, Any], str, str]]] = {
            "in": lambda person: (RETURN, {"store": STORE, "returned_by": person}, PEOPLE[person], STORE),
            "out": lambda person: (ISSUE, {"store": STORE, "receiver": person}, STORE, PEOPLE[person]),
            "back": lambda person: (
                RETURN,
                {"store": "Quarantine", "returned_by": person},
                PEOPLE[person],
                "Quarantine",
            ),
        }
        for what, person, number, hours in papers:
            form, request, origin, to = acts[what](person)
            sheet = next(sheets)
            lines = [{"item": str(item), "quantity": number}]
            posted = country.do(
                "clerk", form, **request, lines=lines, paper=paper(sheet, ago(hours=hours, microseconds=sheet))
            )
            helmets.moves.append((posted.happened_at, origin, to, number))
        assert dict(country.query(HELD, item)) == helmets.held()
        assert country.query(LESS_THAN_NOTHING, item, item) == []
        short = any(helmets.short(place) for place in (STORE, "Quarantine", *PEOPLE.values()))
        assert bool(country.query(SHORT, item)) == short

    in_any_order()


def transfer_papers(numbers: list[str]) -> dict[str, tuple[str, Sheet]]:
    """All that a paper of TAJI or ERBIL can say of one rifle that is sent: `numbers` are those of papers that may be its order."""
    on_way = {"to_site": "ERBIL", "store": STORE, "carrier": "2nd Transport", "expected_on": str(today())}
    said = {
        "shipped": ("clerk", Sheet(SHIP, on_way)),
        "issued": ("clerk", Sheet(ISSUE, {"receiver": A, "store": STORE})),
        "returned": ("clerk", Sheet(RETURN, {"store": STORE})),
    }
    for n, number in enumerate(numbers):
        said[f"arrived by {n}"] = ("erbil clerk", Sheet(ARRIVE, {"shipment": number, "store": STORE}))
        loss = {**LOSS, "shipment": number}
        said[f"missing from {n}"] = ("erbil clerk", Sheet(REPORT_MISSING, loss))
    return said


def sent_about(country: Country, serial: str, papers: list[str], order: list[int]) -> tuple[Any, ...]:
    """Keys papers of two sites in an order; gives the rifle's life, what stays open, and what became of each shipment."""
    first = next(sheets) * 100
    numbers = [f"TAJI/PAPER/{ago(days=3).astimezone(WALL).year}/{first + n}" for n in range(len(papers))]
    sayings, begin = transfer_papers(numbers), ago(days=3)
    line = {"scan": serial, "model": "AKM"}
    for place in order:
        who, sheet = sayings[papers[place]]
        written = paper(first + place, ago(days=3, hours=-place, microseconds=first))
        country.do(who, sheet.form, **sheet.request, paper=written, lines=[line])
    (item,) = {row[0] for row in country.query("SELECT item_id FROM identification WHERE serial_number = %s", serial)}
    life = [row[:3] for row in country.query(LIVE, begin, item)]
    still_open = country.query(OPEN_OF_ANY, first, first, first + 99)
    return life, still_open, country.query(BECAME, first, numbers)


def test_the_papers_of_a_rifle_that_is_sent_in_any_order(country: Country) -> None:
    """Whatever TAJI's and ERBIL's papers say of it: sent once or twice, come by this order, by another, or by one that is none."""

    @STORIES
    @given(
        papers=st.lists(
            st.sampled_from(["shipped", "shipped", "arrived by 0", "arrived by 1", "missing from 0", "issued", "returned"]),
            min_size=2, max_size=6,
        ),
        order=st.randoms(),
    )  # fmt: skip
    def in_any_order(papers: list[str], order: Any) -> None:
        straight = list(range(len(papers)))
        shuffled = order.sample(straight, len(straight))
        one, other = (f"T{next(weapons):06}" for _ in range(2))
        assert sent_about(country, one, papers, straight) == sent_about(country, other, papers, shuffled)

    in_any_order()


def test_the_papers_of_helmets_that_are_sent_in_any_order(country: Country) -> None:
    """Papers of any hour send them, take them in and give them out: no place ever held less than nothing, transit least of
    all, and what is excess is what came by a paper that is no order.
    """
    moves = st.tuples(st.sampled_from(["in", "ship", "arrive", "astray"]), st.integers(1, 9), st.integers(0, 9))

    @STORIES
    @given(papers=st.lists(moves, min_size=2, max_size=8))
    def in_any_order(papers: list[tuple[str, int, int]]) -> None:
        begin = country.do("clerk", RECEIVE, store=STORE, lines=[{"model": HELMET, "quantity": 1}])
        ((item,),) = country.query("SELECT item_id FROM entry WHERE document_id = %s", begin.document_id)
        helmets = Helmets([(begin.happened_at, OUTSIDE, STORE, 1)], OUTSIDE)
        numbered = [(next(sheets), *told) for told in papers]
        year = ago().astimezone(WALL).year
        orders = [f"TAJI/PAPER/{year}/{sheet}" for sheet, what, _, _ in numbered if what == "ship"]
        way = {"to_site": "ERBIL", "store": STORE, "carrier": "2nd Transport", "expected_on": str(today())}
        astray = 0
        for sheet, what, number, hours in numbered:
            if what == "arrive" and not orders:
                continue
            if what == "in":
                who, form, request = "clerk", RETURN, {"store": STORE, "returned_by": A}
                origin, to = PEOPLE[A], STORE
            elif what == "ship":
                who, form, request, origin, to = "clerk", SHIP, way, STORE, "transit"
            else:
                who, form, origin, to = "erbil clerk", ARRIVE, "transit", "ERBIL's store"
                named = orders[hours % len(orders)] if what == "arrive" else f"TAJI/PAPER/{year}/9{sheet:06}"
                request = {"store": STORE, "shipment": named}
                astray += what == "astray"
            lines = [{"item": str(item), "quantity": number}]
            written = paper(sheet, ago(hours=hours, microseconds=sheet))
            posted = country.do(who, form, **request, lines=lines, paper=written)
            helmets.moves.append((posted.happened_at, origin, to, number))
        held = (
            "SELECT CASE WHEN s.code = 'ERBIL' AND a.class = 'store' THEN 'ERBIL''s store' ELSE a.name END, h.quantity"
        )
        assert dict(country.query(f"{held} {HELD_AT}", item)) == helmets.held()
        assert country.query(LESS_THAN_NOTHING, item, item) == []
        short = any(helmets.short(place) for place in (STORE, "transit", PEOPLE[A]))
        assert bool(country.query(SHORT, item)) == short
        excess = "SELECT count(*) FROM discrepancy WHERE item_id = %s AND kind = 'excess' AND closed_at IS NULL"
        assert country.query(excess, item) == [(astray,)]

    in_any_order()


WALL = ZoneInfo("Asia/Baghdad")
OPEN_OF_ANY = """
SELECT x.kind, d.number - %s FROM discrepancy x JOIN document d ON d.document_id = coalesce(x.concerns, x.document_id)
WHERE d.number BETWEEN %s AND %s AND d.claimed_number IS NULL AND x.kind <> 'gap in a book' AND x.closed_at IS NULL ORDER BY 1, 2
"""
BECAME = """
SELECT d.number - %s, l.shipped, l.arrived, l.rejected, l.otherwise, l.outstanding
FROM shipment s JOIN document d USING (document_id), shipment_lines(ARRAY[s.document_id]) l WHERE s.number = ANY (%s) ORDER BY 1
"""
HELD = "SELECT a.name, h.quantity FROM holding h JOIN account a USING (account_id) WHERE item_id = %s"
HELD_AT = "FROM holding h JOIN account a USING (account_id) JOIN site s ON s.site_id = a.site_id WHERE h.item_id = %s"
SHORT = "SELECT 1 FROM discrepancy WHERE item_id = %s AND kind = 'fewer in the books' AND closed_at IS NULL"
LESS_THAN_NOTHING = """
SELECT name, happened_at, held FROM (
    SELECT a.name, leg.happened_at, sum(leg.quantity) OVER (PARTITION BY a.account_id ORDER BY leg.happened_at) AS held
    FROM (SELECT from_account AS account_id, happened_at, -quantity AS quantity FROM entry WHERE item_id = %s
          UNION ALL SELECT to_account, happened_at, quantity FROM entry WHERE item_id = %s) leg
    JOIN account a USING (account_id) WHERE a.class <> 'outside') running WHERE held < 0
"""

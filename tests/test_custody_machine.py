"""Any sequence of commands, papers keyed late, receipts, corrections and undo, against a plain model: for each weapon (one
received, one from an old book, one declared and on its way) the list of its movements in time, for the helmets all that was
moved. After each step the books must say what the model says, now and as of earlier moments on both clocks, and the
invariants of the ledger must hold.
"""

from __future__ import annotations

import os
from bisect import insort
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.declare import DECLARE
from stockpile.acts.expend import EXPEND
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.open_books import OPEN
from stockpile.acts.perform import ActForm
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.turn_in import RETURN
from stockpile.acts.void import VOID
from stockpile.documents import Posted
from stockpile.errors import Refused
from tests.counting import OUTSIDE, Helmets
from tests.world import HELMET, Country, ago, kinds, paper

STORE, WORKSHOP, MISSING, LOST, EXPENDED = "Main store", "maintenance", "missing", "lost", "expended"
PEOPLE = {"A-1001": "Private Petrov (A-1001)", "A-1002": "Private Quist (A-1002)", "A-1003": "Private Rahim (A-1003)"}
SPENT = {"manner": "destroyed in combat", "place": "the bridge", "circumstances": "burnt out"}
LOSS = {"place": "the range", "circumstances": "not in the rack"}

EXAMPLES = int(os.environ.get("STOCKPILE_TEST_EXAMPLES", "25"))
STEPS = int(os.environ.get("STOCKPILE_TEST_STEPS", "25"))

people = st.sampled_from(sorted(PEOPLE))
weapons = st.integers(0, 2)
serial_numbers, paper_numbers = count(1), count(1)


@dataclass(order=True)
class Move:
    """One movement as the model knows it: when it happened, and where the weapon went. What was declared only after it
    came is on its way no more.
    """

    happened_at: datetime
    order: int
    to: str = field(compare=False)
    declared: bool = field(default=False, compare=False)


def machine_of(country: Country) -> type[RuleBasedStateMachine]:
    """The machine over one database; each example brings weapons of its own."""

    class Custody(RuleBasedStateMachine):
        """Clerks, papers and mistakes on three rifles and a box of helmets."""

        @initialize()
        def receipt(self) -> None:
            self.serials = [f"M{next(serial_numbers):05}" for _ in range(3)]
            helmets = {"model": HELMET, "quantity": 10}
            posted = country.do("clerk", RECEIVE, store=STORE, lines=[self.rifle(0), helmets])
            opened = country.do_with_approval(
                "registrar", "commander", OPEN, site="TAJI", name="Old book", store=STORE, lines=[self.rifle(1)]
            )
            self.consignment = f"FMS-{self.serials[2]}"
            declared = country.do(
                "registrar", DECLARE, site="TAJI", donor="USA", reference=self.consignment, lines=[self.rifle(2)]
            )
            self.order = count(1)
            self.moves: list[list[Move]] = [
                [Move(posted.happened_at, 0, STORE)],
                [Move(opened.happened_at, 0, STORE)],
                [Move(declared.happened_at, 0, f"USA {self.consignment}", declared=True)],
            ]
            self.items = [country.item(serial).item_id for serial in self.serials]
            self.helmets_item = country.query(
                "SELECT item_id FROM entry WHERE document_id = %s AND NOT serial", posted.document_id
            )[0][0]
            self.helmets = Helmets([(posted.happened_at, OUTSIDE, STORE, 10)])
            self.past: list[tuple[datetime, list[list[Move]], dict[str, int]]] = []
            self.last: tuple[Posted, int | None, bool] | None = None
            self.remember(declared)

        def rifle(self, weapon: int) -> dict[str, Any]:
            return {"model": "AKM", "serial_number": self.serials[weapon], "condition": "serviceable"}

        def remember(self, posted: Posted) -> None:
            """What the books should say of this moment for ever."""
            self.past.append((posted.recorded_at, [list(moves) for moves in self.moves], self.helmets.held()))

        def place(self, weapon: int) -> str:
            return self.moves[weapon][-1].to if self.moves[weapon] else OUTSIDE

        def command(self, allowed: bool, weapon: int, to: str, form: ActForm, **request: Any) -> None:
            """Asks; expects it to be done exactly if the model allows it."""
            lines = [{"item": str(self.items[weapon])}]
            try:
                posted = country.do("clerk", form, lines=lines, **request)
            except Refused as refusal:
                assert not allowed, refusal.reasons
                assert [reason.item_id for reason in refusal.reasons] == [str(self.items[weapon])]
                return
            assert allowed, "it should have been refused"
            self.moves[weapon].append(Move(posted.happened_at, next(self.order), to))
            self.last = (posted, weapon, False)
            self.remember(posted)

        @rule(weapon=weapons, person=people)
        def issue(self, weapon: int, person: str) -> None:
            allowed = self.place(weapon) == STORE
            self.command(allowed, weapon, PEOPLE[person], ISSUE, receiver=person, store=STORE)

        @rule(weapon=weapons)
        def give_back(self, weapon: int) -> None:
            self.command(self.place(weapon) in PEOPLE.values(), weapon, STORE, RETURN, store=STORE)

        @rule(weapon=weapons, giver=people, taker=people)
        def hand_over(self, weapon: int, giver: str, taker: str) -> None:
            allowed = self.place(weapon) == PEOPLE[giver]
            self.command(allowed, weapon, PEOPLE[taker], HAND_OVER, giver=giver, receiver=taker)

        @rule(weapon=weapons)
        def send_to_the_workshop(self, weapon: int) -> None:
            self.command(self.place(weapon) == STORE, weapon, WORKSHOP, MAINTAIN, work="rust")

        @rule(weapon=weapons)
        def take_back_from_the_workshop(self, weapon: int) -> None:
            allowed = self.place(weapon) == WORKSHOP
            self.command(allowed, weapon, STORE, MAINTAIN, back=True, work="oiled", store=STORE)

        @rule(weapon=weapons)
        def report_missing(self, weapon: int) -> None:
            allowed = self.place(weapon) not in (MISSING, LOST, EXPENDED, OUTSIDE)
            self.command(allowed, weapon, MISSING, REPORT_MISSING, **LOSS)

        @rule(weapon=weapons)
        def recover(self, weapon: int) -> None:
            allowed = self.place(weapon) in (MISSING, LOST, EXPENDED)
            self.command(allowed, weapon, STORE, RECOVER, store=STORE, place="a ditch", found_by="a patrol")

        @rule(weapon=weapons, named=st.booleans())
        def receive(self, weapon: int, named: bool) -> None:
            """What nobody holds stands at the counter, from its consignment or from wherever the books gave it up."""
            before = self.place(weapon)
            if before in (STORE, WORKSHOP, *PEOPLE.values()):
                return
            delivery = {"donor": "USA", "consignment": self.consignment} if named else {}
            posted = country.do("clerk", RECEIVE, store=STORE, **delivery, lines=[self.rifle(weapon)])
            assert posted.fact == (before in (MISSING, LOST, EXPENDED))
            assert ("found what the books hold as gone" in kinds(posted)) == posted.fact
            self.moves[weapon].append(Move(posted.happened_at, next(self.order), STORE))
            self.last = (posted, weapon, False)
            self.remember(posted)

        @rule(weapon=weapons)
        def conclude_loss(self, weapon: int) -> None:
            """Two people: asked for by the clerk, approved by the commander."""
            request = {
                "cause": "stolen",
                "liability": "nobody",
                "findings": "gone",
                "lines": [{"item": str(self.items[weapon])}],
            }
            if self.place(weapon) != MISSING:
                country.refused("clerk", CONCLUDE_LOSS, **request)
                return
            posted = country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, **request)
            self.moves[weapon].append(Move(posted.happened_at, next(self.order), LOST))
            self.last = (posted, weapon, False)
            self.remember(posted)

        @rule(weapon=weapons)
        def expend(self, weapon: int) -> None:
            """Two people, from any holding."""
            request = {**SPENT, "lines": [{"item": str(self.items[weapon])}]}
            if self.place(weapon) not in (STORE, WORKSHOP, *PEOPLE.values()):
                country.refused("clerk", EXPEND, **request)
                return
            posted = country.do_with_approval("clerk", "commander", EXPEND, **request)
            self.moves[weapon].append(Move(posted.happened_at, next(self.order), EXPENDED))
            self.last = (posted, weapon, False)
            self.remember(posted)

        @rule(
            weapon=weapons,
            to=st.sampled_from([STORE, *sorted(PEOPLE)]),
            days=st.integers(1, 400),
            minutes=st.integers(0, 1439),
        )
        def paper_arrives(self, weapon: int, to: str, days: int, minutes: int) -> None:
            """A voucher from the past is keyed: never refused, laid into its place in time."""
            number = next(paper_numbers)
            # No two papers of one moment: their order would be a matter of book numbers, told by a story of its own.
            happened_at = ago(days=days, minutes=minutes, microseconds=number)
            voucher = paper(number, happened_at)
            lines = [{"item": str(self.items[weapon])}]
            if to == STORE:
                posted = country.do("clerk", RETURN, store=STORE, paper=voucher, lines=lines)
            else:
                posted = country.do("clerk", ISSUE, receiver=to, store=STORE, paper=voucher, lines=lines)
            late = bool(self.moves[weapon]) and self.moves[weapon][-1].happened_at > happened_at
            self.moves[weapon] = [
                move for move in self.moves[weapon] if not move.declared or move.happened_at <= happened_at
            ]
            insort(self.moves[weapon], Move(happened_at, next(self.order), PEOPLE.get(to, STORE)))
            self.last = (posted, weapon, late)
            self.remember(posted)

        @rule(weapon=weapons)
        def correct(self, weapon: int) -> None:
            """The last entry is taken back by two people, wherever it led."""
            request = {"reason": "wrong rifle", "lines": [{"item": str(self.items[weapon])}]}
            if not self.moves[weapon]:
                country.refused("clerk", CORRECT, **request)
                return
            posted = country.do_with_approval("clerk", "commander", CORRECT, **request)
            self.moves[weapon].pop()
            self.last = None
            self.remember(posted)

        @precondition(lambda self: self.last is not None)
        @rule()
        def undo(self) -> None:
            """One's own last document, unless it laid itself into the past."""
            assert self.last is not None
            posted, weapon, late = self.last
            if late:
                country.refused("clerk", UNDO, document=posted.document_id)
                return
            undone = country.do("clerk", UNDO, document=posted.document_id)
            assert weapon is not None
            self.moves[weapon].pop()
            self.last = None
            self.remember(undone)

        @rule(person=people, number=st.integers(1, 12))
        def issue_helmets(self, person: str, number: int) -> None:
            lines = [{"item": str(self.helmets_item), "quantity": number}]
            if number > self.helmets.held().get(STORE, 0):
                country.refused("clerk", ISSUE, receiver=person, store=STORE, lines=lines)
                return
            posted = country.do("clerk", ISSUE, receiver=person, store=STORE, lines=lines)
            self.shifted(posted, STORE, PEOPLE[person], number)

        @rule(person=people, number=st.integers(1, 12))
        def return_helmets(self, person: str, number: int) -> None:
            lines = [{"item": str(self.helmets_item), "quantity": number}]
            if number > self.helmets.held().get(PEOPLE[person], 0):
                country.refused("clerk", RETURN, returned_by=person, store=STORE, lines=lines)
                return
            posted = country.do("clerk", RETURN, returned_by=person, store=STORE, lines=lines)
            self.shifted(posted, PEOPLE[person], STORE, number)

        @rule(person=people, number=st.integers(1, 12), back=st.booleans(), minutes=st.integers(0, 90))
        def helmets_on_paper(self, person: str, number: int, back: bool, minutes: int) -> None:
            """What a paper moves beyond what was there comes from outside, until an older paper shows where it came from."""
            sheet = next(paper_numbers)
            voucher = paper(sheet, ago(minutes=minutes, microseconds=sheet))
            lines = [{"item": str(self.helmets_item), "quantity": number}]
            if back:
                posted = country.do("clerk", RETURN, returned_by=person, store=STORE, paper=voucher, lines=lines)
                self.shifted(posted, PEOPLE[person], STORE, number)
            else:
                posted = country.do("clerk", ISSUE, receiver=person, store=STORE, paper=voucher, lines=lines)
                self.shifted(posted, STORE, PEOPLE[person], number)

        def shifted(self, posted: Posted, origin: str, to: str, number: int) -> None:
            self.helmets.moves.append((posted.happened_at, origin, to, number))
            self.last = None
            self.remember(posted)

        @rule()
        def void(self) -> None:
            self.remember(country.do("clerk", VOID, reason="torn"))
            self.last = None

        @rule()
        def void_a_paper(self) -> None:
            """A spoiled voucher's number: no number is ever claimed twice here."""
            voided = country.do("clerk", VOID, reason="coffee", paper=paper(next(paper_numbers), ago(minutes=1)))
            assert "/PAPER/" in voided.number
            self.remember(voided)
            self.last = None

        @invariant()
        def the_books_say_what_the_model_says(self) -> None:
            if not hasattr(self, "moves"):
                return
            held = dict(country.query(HOLDINGS, self.items))
            assert held == {item: self.place(n) for n, item in enumerate(self.items) if self.place(n) != OUTSIDE}
            assert dict(country.query(QUANTITIES, self.helmets_item)) == self.helmets.held()
            ((short,),) = country.query(SHORT, self.helmets_item)
            assert (short > 0) == any(self.helmets.short(place) for place in (STORE, *PEOPLE.values()))

        @invariant()
        def and_said_so_at_every_moment(self) -> None:
            """As of three moments that were recorded, and of three that happened."""
            if not hasattr(self, "past") or not self.past:
                return
            for recorded_at, moves, helmets in {
                0: self.past[0],
                1: self.past[len(self.past) // 2],
                2: self.past[-1],
            }.values():
                for happened_at in (ago(days=200), ago(days=1), recorded_at + timedelta(days=1)):
                    expected = {}
                    for item, each in zip(self.items, moves, strict=True):
                        before = [move for move in each if move.happened_at <= happened_at]
                        if before and before[-1].to != OUTSIDE:
                            expected[item] = before[-1].to
                    assert dict(country.query(AS_OF, happened_at, recorded_at, self.items)) == expected
                assert dict(country.query(AS_OF_QUANTITY, recorded_at, self.helmets_item)) == helmets

        @invariant()
        def the_ledger_keeps_its_rules(self) -> None:
            if not hasattr(self, "items"):
                return
            (broken,) = country.owner_query("SELECT " + ", ".join(f"({question})" for question in RULES.values()))
            assert {rule: number for rule, number in zip(RULES, broken, strict=True) if number} == {}

    return Custody


HOLDINGS = "SELECT item_id, a.name FROM holding h JOIN account a USING (account_id) WHERE item_id = ANY (%s)"
QUANTITIES = "SELECT a.name, h.quantity FROM holding h JOIN account a USING (account_id) WHERE item_id = %s"
SHORT = "SELECT count(*) FROM discrepancy WHERE item_id = %s AND kind = 'fewer in the books' AND closed_at IS NULL"
AS_OF = """
SELECT e.item_id, max(a.name) FILTER (WHERE leg.quantity > 0) FROM (
    SELECT e.item_id, leg.account_id, sum(leg.quantity) AS quantity
    FROM entry e CROSS JOIN LATERAL (VALUES (from_account, -quantity), (to_account, quantity)) leg (account_id, quantity)
    WHERE e.happened_at <= %s AND e.recorded_at <= %s AND e.item_id = ANY (%s)
    GROUP BY e.item_id, leg.account_id HAVING sum(leg.quantity) <> 0) e
JOIN account a USING (account_id) CROSS JOIN LATERAL (VALUES (e.quantity)) leg (quantity)
WHERE a.class <> 'outside' GROUP BY e.item_id
"""
AS_OF_QUANTITY = """
SELECT a.name, sum(leg.quantity)
FROM entry e CROSS JOIN LATERAL (VALUES (from_account, -quantity), (to_account, quantity)) leg (account_id, quantity)
JOIN account a ON a.account_id = leg.account_id
WHERE e.recorded_at <= %s AND e.item_id = %s AND a.class <> 'outside' GROUP BY a.name HAVING sum(leg.quantity) <> 0
"""

RULES = {
    "1: a holding is the sum of its legs": """
        SELECT count(*) FROM (
            SELECT item_id, account_id, sum(quantity) AS quantity FROM (
                SELECT item_id, from_account AS account_id, -quantity AS quantity FROM entry
                UNION ALL SELECT item_id, to_account, quantity FROM entry) leg
            JOIN account a USING (account_id) WHERE a.class <> 'outside' GROUP BY item_id, account_id HAVING sum(quantity) <> 0) s
        FULL JOIN holding h USING (item_id, account_id) WHERE s.quantity IS DISTINCT FROM h.quantity""",
    "2: versions run from 1 without gaps": """
        SELECT count(*) FROM (SELECT count(*) AS n, max(version) AS last FROM entry GROUP BY item_id) v WHERE n <> last""",
    "2: each entry of a weapon begins where the one before ended": """
        SELECT count(*) FROM entry e JOIN entry p ON p.item_id = e.item_id AND p.version = e.version - 1
        WHERE e.serial AND e.from_account <> p.to_account""",
    "5: live entries never go back in time": """
        SELECT count(*) FROM (
            SELECT happened_at < lag(happened_at) OVER (PARTITION BY item_id ORDER BY version) AS back FROM entry e
            WHERE serial AND reverses IS NULL
              AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)) live WHERE back""",
    "5: nowhere was ever less than nothing": """
        SELECT count(*) FROM (
            SELECT sum(leg.quantity) OVER (PARTITION BY item_id, account_id ORDER BY happened_at) AS held FROM (
                SELECT item_id, from_account AS account_id, happened_at, -quantity AS quantity FROM entry
                UNION ALL SELECT item_id, to_account, happened_at, quantity FROM entry) leg
            JOIN account a USING (account_id) WHERE a.class <> 'outside') running WHERE held < 0""",
    "5: the recorded clock never goes back": """
        SELECT count(*) FROM entry e JOIN entry p ON p.item_id = e.item_id AND p.version = e.version - 1
        WHERE e.recorded_at < p.recorded_at""",
    "6: counters' books have no gaps": """
        SELECT count(*) FROM book b WHERE kind = 'counter'
        AND next_number - 1 <> (SELECT count(*) FROM document d WHERE d.book_id = b.book_id)""",
    "7: two people on every correction that is no undo": """
        SELECT count(*) FROM document WHERE act IN ('open', 'correct', 'conclude loss') AND NOT undo
        AND (approved_by IS NULL OR approved_by = posted_by)""",
    "9: a document has the lines it says": """
        SELECT count(*) FROM document d WHERE line_count <> (SELECT count(*) FROM entry e WHERE e.document_id = d.document_id)""",
    "every entry, document and register has its leaf in the queue": """
        SELECT (SELECT count(*) FROM entry) + (SELECT count(*) FROM document) + (SELECT count(*) FROM register)
             - (SELECT count(*) FROM unsequenced)""",
}


def test_custody(country: Country) -> None:
    """Whatever clerks, papers and mistakes do in whatever order, books and model agree."""
    run_state_machine_as_test(
        machine_of(country),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Any sequence of commands, papers keyed late, corrections and undo, at two sites, against a plain model: every act of the movement
table, on four rifles (one received, one from an old book, one declared and on its way, one captured) and a box of helmets. After
each step the books must say what the model says, now and as of earlier moments on both clocks; what is open against a document
must be what speaks against it, judged by where the rifle stood; the invariants must hold and the trial balance close.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
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

from api.answers import answer
from stockpile import parties
from stockpile.acts import ACTS, perform
from stockpile.acts.arrive import ARRIVE
from stockpile.acts.change_custodian import CHANGE_CUSTODIAN
from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.declare import DECLARE
from stockpile.acts.destroy import DESTROY
from stockpile.acts.destruction_order import ORDER_DESTRUCTION
from stockpile.acts.open_books import OPEN
from stockpile.acts.overrun import OVERRUN
from stockpile.acts.perform import ActForm, Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.register_gain import REGISTER_GAIN
from stockpile.acts.void import VOID
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.discrepancies import JUDGED as JUDGED_KINDS
from stockpile.discrepancies import Kind
from stockpile.documents import Posted, Request
from stockpile.errors import Invalid, NotAllowed, Refused
from stockpile.movements import MOVEMENT_OF, AccountClass, Act
from stockpile.reports.as_of import NOW, AsOf
from stockpile.reports.consignments import ConsignmentsSought, list_consignment_lines, list_consignments
from stockpile.reports.trial_balance import By, proof, trial_balance
from stockpile.rights import Actor, reading
from tests.conftest import Databases
from tests.counting import Helmets
from tests.custody_acts import (
    ASKINGS,
    COUNTINGS,
    GAINED,
    ORDERED,
    PEOPLE,
    UNIT,
    Ask,
    Asking,
    destroyed_at,
)
from tests.custody_model import OUTSIDE, SITES, Move, Place, Weapon, account, in_hands, store
from tests.custody_rules import AS_OF, HOLDINGS, JUDGED, RULES, SHORT
from tests.world import HELMET, SINCE, Country, ago, paper, scanned_paper

EXAMPLES = int(os.environ.get("STOCKPILE_TEST_EXAMPLES", "12"))
STEPS = int(os.environ.get("STOCKPILE_TEST_STEPS", "45"))

DESKS = {"TAJI": ("clerk", "commander"), "ERBIL": ("erbil clerk", "erbil commander")}
"""Of each site who asks, and who approves."""

Box = Helmets[Place]

sites = st.sampled_from(SITES)
weapons = st.integers(0, 3)
mostly = st.sampled_from([True, True, True, False])
pairs = st.sampled_from([(0, 1), (1, 0)])
numbers = st.integers(1, 12)
handed_over = st.sampled_from([store("TAJI"), store("ERBIL"), UNIT, account("TAJI", AccountClass.MAINTENANCE)])


@dataclass(frozen=True)
class When:
    """When a paper says it happened: so long ago, or just before one of the things that happened to its weapon."""

    days: int
    minutes: int
    before: int | None

    def of(self, weapon: Weapon, number: int) -> datetime:
        """The moment. No two papers have one moment: their order would be a matter of book numbers, told by a story of its own."""
        if self.before is not None and weapon.moves:
            return weapon.moves[self.before % len(weapon.moves)].happened_at - timedelta(microseconds=number)
        return ago(days=self.days, minutes=self.minutes, microseconds=number)


moments = st.builds(
    When,
    days=st.sampled_from([0, 0, 1, 30, 400]),
    minutes=st.integers(0, 1439),
    before=st.one_of(st.none(), st.integers(0, 5)),
)


@dataclass(frozen=True)
class Last:
    """The last document, and how all was before it: what an undo restores. `late`: it laid itself into the past."""

    posted: Posted
    who: str
    late: bool
    moves: list[list[Move]]
    helmets: int


class Custody(RuleBasedStateMachine):
    """Clerks, papers and mistakes of two sites, in a country of their own."""

    databases: Databases
    template: tuple[str, Country]
    done: Counter[tuple[Act, str]]

    @initialize()
    def receipt(self) -> None:
        """Four rifles enter the books, each in its own way."""
        self.database = self.databases.clone(self.template[0])
        country = self.country = self.template[1].on(self.databases.engine(self.database))
        country = self.country = replace(country, actors={**country.actors, "erbil commander": _commander(country)})
        with transaction(country.engine, roles.REGISTRAR) as connection:
            unit = parties.add_unit(connection, "2COY", "2nd Company", country.sites["ERBIL"], None, SINCE)
            for code, name in (("E-2", "Emin"), ("E-3", "Erol")):
                parties.add_person(connection, code, name, "Private", country.sites["ERBIL"], unit, SINCE)
        self.numbers, self.order = count(1), count(1)
        self.consignment = "FMS-1"
        self.shipments: dict[str, list[tuple[str, int]]] = {site: [] for site in SITES}
        self.past: list[tuple[datetime, list[list[Move]], dict[Place, int]]] = []
        self.answers: list[tuple[Actor, ActForm, Request, bytes]] = []
        self.last: Last | None = None
        serials = ["M00001", "M00002", "M00003", "M00004"]
        helmets = {"model": HELMET, "quantity": 10}
        rifle = [{"model": "AKM", "serial_number": one, "condition": "serviceable"} for one in serials]
        received = country.do("clerk", RECEIVE, store="Main store", lines=[rifle[0], helmets])
        opened = country.do_with_approval(
            "registrar", "commander", OPEN, site="TAJI", name="Old book", store="Main store", lines=[rifle[1]]
        )
        declared = country.do(
            "registrar", DECLARE, site="TAJI", donor="USA", reference=self.consignment, lines=[rifle[2]]
        )
        gained = country.do_with_approval(
            "erbil clerk", "erbil commander", REGISTER_GAIN, store="Main store", **GAINED, lines=[rifle[3]]
        )
        supply = Place("TAJI", AccountClass.SUPPLY, f"USA {self.consignment}")
        self.weapons = [
            Weapon(serial, country.item(serial).item_id, supply if posted is declared else None)
            for serial, posted in zip(serials, (received, opened, declared, gained), strict=True)
        ]
        for weapon, posted, site, to in zip(
            self.weapons, (received, opened, declared, gained), ("TAJI", "TAJI", "TAJI", "ERBIL"),
            (store("TAJI"), store("TAJI"), supply, store("ERBIL")), strict=True,
        ):  # fmt: skip
            weapon.lay(
                Move(
                    posted.happened_at, 0, Act(posted.act), to, site, posted.document_id, False, OUTSIDE, "serviceable"
                )
            )
            self.done[Act(posted.act), "command"] += 1
        ((self.helmets_item,),) = country.query(
            "SELECT item_id FROM entry WHERE document_id = %s AND NOT serial", received.document_id
        )
        self.helmets: Box = Helmets([(received.happened_at, OUTSIDE, store("TAJI"), 10)], OUTSIDE)
        self.remember(gained)

    def teardown(self) -> None:
        """Takes the country away."""
        if hasattr(self, "country"):
            self.country.engine.dispose()
            self.databases.drop(self.database)

    # How it is asked

    def post(self, who: str, second: str | None, form: ActForm, **request: Any) -> Posted:
        """Asks, with the approval of a second where one is named: whoever asked can't give it."""
        country, validated = self.country, form.request.model_validate(request)
        done = perform.perform(country.engine, country.actors[who], form, validated)
        if isinstance(done, Drafted):
            assert second is not None, f"{form.act} waited for a second party"
            asker = replace(country.actors[who], role="commander")
            with pytest.raises(NotAllowed):
                perform.approve(country.engine, asker, ACTS, done.document_id)
            done = country.approve(second, done)
        else:
            assert second is None, f"{form.act} was posted without a second party"
        self.answers.append((country.actors[who], form, validated, answer(done).body))
        return done

    def remember(self, posted: Posted, who: str | None = None, late: bool = False) -> None:
        """What the books should say of this moment for ever, and whether its author may take it back alone."""
        self.past.append((posted.recorded_at, [list(one.moves) for one in self.weapons], self.helmets.held()))
        self.last = None
        if who is not None:
            self.last = Last(posted, who, late, *self.before)

    @property
    def now(self) -> tuple[list[list[Move]], int]:
        """All that the model knows, to be restored by an undo."""
        return [list(one.moves) for one in self.weapons], len(self.helmets.moves)

    def ask(self, site: str, weapon: Weapon, pair: tuple[int, int]) -> Ask:
        giver, taker = (PEOPLE[site][one] for one in pair)
        shipment = self.shipments[site][-1][0] if self.shipments[site] else None
        return Ask(site, weapon, giver, taker, next(self.numbers), self.consignment, shipment)

    def move(self, posted: Posted, ask: Ask, asking: Asking, came_from: Place | None) -> bool:
        """Lays what was posted into the model, and says whether it came late."""
        act, to = Act(posted.act), asking.to(ask)
        fact, condition = posted.fact, asking.condition
        order = next(self.order)
        if act is Act.SHIP:
            self.sent(posted, to, 0)
        return ask.weapon.lay(
            Move(
                posted.happened_at, order, act, to, ask.site, posted.document_id, fact, came_from, condition, ask.store
            )
        )

    def sent(self, posted: Posted, to: Place | None, helmets: int) -> None:
        assert to is not None
        assert to.site is not None
        self.shipments[to.site].append((posted.number, helmets))

    def chosen(self, first: int, fits: Callable[[Weapon], bool], steered: bool) -> Weapon:
        """A weapon: where steered, one that fits, if there is one."""
        turned = self.weapons[first:] + self.weapons[:first]
        return next((one for one in turned if steered and fits(one)), turned[0])

    # Acts on a rifle

    def command(self, name: str, site: str, first: int, pair: tuple[int, int], steered: bool) -> None:
        """It is done exactly if the movement table, and what the act needs, allow it."""
        asking = ASKINGS[name]
        sites = [one for one in (site, *SITES) if one in asking.sites]
        turned = self.weapons[first:] + self.weapons[:first]
        asks = [self.ask(one, weapon, way) for one in sites for way in (pair, pair[::-1]) for weapon in turned]
        asks = [ask for ask in asks if not asking.never(ask, ask.weapon.place)]
        if not asks:
            return
        ask = next((one for one in asks if steered and asking.takes(one)), asks[0])
        clerk, commander = DESKS[ask.site]
        who = commander if asking.who == "commander" else clerk
        before, allowed = ask.weapon.place, asking.takes(ask)
        self.before = self.now
        try:
            posted = self.post(
                who,
                commander if asking.two_parties else None,
                asking.form,
                **asking.request(ask),
                lines=asking.lines(ask),
            )
        except (Refused, Invalid) as refusal:
            assert not allowed, refusal
            if isinstance(refusal, Refused):
                assert {one.item_id for one in refusal.reasons} <= {str(ask.weapon.item)}
            self.done[asking.form.act, "refused"] += 1
            return
        assert allowed, f"{name} at {ask.site} from {before} should have been refused"
        assert posted.fact == asking.at_hand(ask, before)
        self.done[asking.form.act, "fact" if posted.fact else "command"] += 1
        came_from = asking.claims(ask) if posted.fact else before
        self.remember(posted, who, self.move(posted, ask, asking, came_from))

    def paper_arrives(self, name: str, site: str, first: int, pair: tuple[int, int], when: When) -> None:
        """A voucher from the past is keyed: never refused, laid into its place in time."""
        asking = ASKINGS[name]
        ask = self.ask(site if site in asking.sites else asking.sites[0], self.weapons[first], pair)
        happened_at = when.of(ask.weapon, ask.number)
        if asking.never(ask, ask.weapon.stood(happened_at).place):
            return
        who = DESKS[ask.site][asking.who == "commander"]
        written = paper(ask.number, happened_at)
        request = {**asking.request(ask), **asking.on_paper, "lines": asking.lines(ask), "paper": written}
        self.before = self.now
        posted = self.post(who, None, asking.form, **request)
        assert posted.fact
        self.done[asking.form.act, "fact"] += 1
        self.remember(posted, who, self.move(posted, ask, asking, asking.claims(ask)))

    @rule(site=sites, first=weapons, steered=mostly)
    def correct(self, site: str, first: int, steered: bool) -> None:
        """The last entry is taken back by two people, wherever it led, at a site that it concerns."""
        weapon = self.chosen(first, lambda one: bool(one.moves) and one.last_concerns(site), steered)
        clerk, commander = DESKS[site]
        request = {"reason": "wrong rifle", "lines": [weapon.line]}
        if not weapon.moves or not weapon.last_concerns(site):
            self.country.refused(clerk, CORRECT, **request)
            self.done[Act.CORRECT, "refused"] += 1
            return
        posted = self.post(clerk, commander, CORRECT, **request)
        weapon.moves.pop()
        self.done[Act.CORRECT, "command"] += 1
        self.remember(posted)

    @precondition(lambda self: self.last is not None)
    @rule()
    def undo(self) -> None:
        """One's own last document, unless it laid itself into the past."""
        last = self.last
        assert last is not None
        if last.late:
            self.country.refused(last.who, UNDO, document=last.posted.document_id)
            return
        undone = self.post(last.who, None, UNDO, document=last.posted.document_id)
        for weapon, moves in zip(self.weapons, last.moves, strict=True):
            weapon.moves = list(moves)
        del self.helmets.moves[last.helmets :]
        self.remember(undone)

    # Acts on a whole account or site

    @rule(site=sites)
    def overrun(self, site: str) -> None:
        """All that the site's stores, workshop and people hold is missing."""
        commander, before = DESKS[site][1], [one.place for one in self.weapons]
        self.before = self.now
        try:
            posted = self.post(commander, None, OVERRUN, circumstances="attacked at night")
        except Refused:
            assert not any(place.site == site and in_hands(place) for place in (*before, *self.helmets.held()))
            self.done[Act.OVERRUN, "refused"] += 1
            return
        self.fell(posted, site, before)
        for place, number in self.helmets.held().items():
            if place.site == site and in_hands(place):
                self.helmets.moves.append((posted.happened_at, place, account(site, AccountClass.MISSING), number))
        self.done[Act.OVERRUN, "command"] += 1
        self.remember(posted, commander)

    @rule(site=sites, first=weapons, when=moments, on_paper=st.booleans())
    def overrun_as_of(self, site: str, first: int, when: When, on_paper: bool) -> None:
        """What was inside at an earlier moment is missing since; what moved afterwards did so all the same."""
        commander, number = DESKS[site][1], next(self.numbers)
        moment = when.of(self.weapons[first], number)
        before = [one.stood(moment).place for one in self.weapons]
        said = {"paper": paper(number, moment)} if on_paper else {"moment": moment}
        try:
            posted = self.post(commander, None, OVERRUN, circumstances="attacked at night", **said)
        except Refused:
            assert not any(place.site == site and in_hands(place) for place in before)
            return
        self.fell(posted, site, before)
        # Of helmets goes what was there then and is there still: how many that is, the document says.
        for place, number in self.taken(posted):
            self.helmets.moves.append((posted.happened_at, place, account(site, AccountClass.MISSING), number))
        self.done[Act.OVERRUN, "fact"] += 1
        self.remember(posted)

    def fell(self, posted: Posted, site: str, before: list[Place]) -> None:
        for weapon, place in zip(self.weapons, before, strict=True):
            if place.site == site and in_hands(place):
                came_from, order = None if posted.fact else place, next(self.order)
                missing = account(site, AccountClass.MISSING)
                weapon.lay(
                    Move(
                        posted.happened_at,
                        order,
                        Act.OVERRUN,
                        missing,
                        site,
                        posted.document_id,
                        posted.fact,
                        came_from,
                    )
                )

    def taken(self, posted: Posted) -> Iterator[tuple[Place, int]]:
        for site, account_class, name, number in self.country.query(
            """SELECT s.code, a.class, a.name, e.quantity FROM entry e JOIN account a ON a.account_id = e.from_account
               JOIN site s ON s.site_id = a.site_id WHERE e.document_id = %s AND e.item_id = %s""",
            posted.document_id, self.helmets_item,
        ):  # fmt: skip
            yield Place(site, AccountClass(account_class), name), number

    @rule(first=weapons, whole=mostly)
    def change_custodian(self, first: int, whole: bool) -> None:
        """Every weapon of an account by serial, and no other."""
        place = self.weapons[first].place
        if place.account_class not in MOVEMENT_OF[Act.CHANGE_CUSTODIAN].from_classes:
            return
        assert place.site is not None
        clerk, commander = DESKS[place.site]
        there = [one for one in self.weapons if one.place == place]
        helmets = self.helmets.held().get(place, 0)
        listed = [*(one.line for one in there), *self.bystanders(place)]
        if helmets:
            listed.append({"item": str(self.helmets_item), "quantity": helmets})
        if not whole:
            listed[0] = next((one.line for one in self.weapons if one.place != place), listed[0])
            whole = any(listed[0] == one.line for one in there)
        request = {"account": _called(place), "received_by": self.another(place), "lines": listed}
        self.before = self.now
        if not whole:
            self.country.refused(clerk, CHANGE_CUSTODIAN, **request)
            self.done[Act.CHANGE_CUSTODIAN, "refused"] += 1
            return
        posted = self.post(clerk, commander, CHANGE_CUSTODIAN, **request)
        for weapon in there:
            self.stayed(posted, weapon, place.site, place)
        self.done[Act.CHANGE_CUSTODIAN, "command"] += 1
        self.remember(posted, clerk)

    @rule(place=handed_over, first=weapons, when=moments)
    def change_custodian_on_paper(self, place: Place, first: int, when: When) -> None:
        """A list on paper is not refused for what it lacks."""
        assert place.site is not None
        weapon, number = self.weapons[first], next(self.numbers)
        written = paper(number, when.of(weapon, number))
        request = {
            "account": _called(place),
            "received_by": self.another(place),
            "lines": [weapon.line],
            "paper": written,
        }
        self.before = self.now
        posted = self.post(DESKS[place.site][0], None, CHANGE_CUSTODIAN, **request)
        late = self.stayed(posted, weapon, place.site, place)
        self.done[Act.CHANGE_CUSTODIAN, "fact"] += 1
        self.remember(posted, DESKS[place.site][0], late)

    def stayed(self, posted: Posted, weapon: Weapon, site: str, place: Place) -> bool:
        act, order = Act(posted.act), next(self.order)
        return weapon.lay(
            Move(posted.happened_at, order, act, None, site, posted.document_id, posted.fact, place, None, place)
        )

    def bystanders(self, place: Place) -> list[dict[str, Any]]:
        """What else is on an account: the country had rifles and helmets before."""
        ours = [*(one.item for one in self.weapons), self.helmets_item]
        rows = self.country.query(
            """SELECT h.item_id, h.quantity FROM holding h JOIN account a USING (account_id) JOIN site s ON s.site_id = a.site_id
               WHERE s.code = %s AND a.class = %s AND a.name = %s AND NOT h.item_id = ANY (%s)""",
            place.site, str(place.account_class), place.name, ours,
        )  # fmt: skip
        return [{"item": str(item), "quantity": quantity} for item, quantity in rows]

    def another(self, place: Place) -> str:
        """Somebody of the site who does not answer for an account yet."""
        ((answers,),) = self.country.query(
            """SELECT p.code FROM account a JOIN site s ON s.site_id = a.site_id
               JOIN party p ON p.party_id = coalesce(a.custodian_id, s.custodian_id)
               WHERE s.code = %s AND a.class = %s AND a.name = %s""",
            place.site, str(place.account_class), place.name,
        )  # fmt: skip
        return next(one for one in PEOPLE[place.site or ""] if one != answers)

    # Helmets

    def some(self, number: int) -> list[dict[str, Any]]:
        return [{"item": str(self.helmets_item), "quantity": number}]

    def helmets_by_command(self, name: str, site: str, pair: tuple[int, int], number: int, steered: bool) -> None:
        """No more than there are."""
        counting, held = COUNTINGS[name], self.helmets.held()
        asks = [self.ask(one, self.weapons[0], way) for one in (site, *SITES) for way in (pair, pair[::-1])]
        ask = next((one for one in asks if steered and held.get(counting.origin(one))), asks[0])
        clerk, commander = DESKS[ask.site]
        origin, to = counting.origin(ask), counting.to(ask)
        there = held.get(origin, 0)
        number = min(number, there) if steered and there else number
        request = {**counting.request(ask), "lines": self.some(number)}
        self.before = self.now
        if number > there:
            self.country.refused(clerk, counting.form, **request)
            return
        posted = self.post(clerk, commander if counting.two_parties else None, counting.form, **request)
        self.shifted(posted, origin, to, number)
        self.remember(posted, clerk)

    def helmets_on_paper(self, name: str, site: str, pair: tuple[int, int], number: int, minutes: int) -> None:
        """What a paper moves beyond what was there comes from outside, until an older paper shows where it came from."""
        counting, ask = COUNTINGS[name], self.ask(site, self.weapons[0], pair)
        written = paper(ask.number, ago(minutes=minutes, microseconds=ask.number))
        posted = self.post(
            DESKS[site][0], None, counting.form, **counting.request(ask), lines=self.some(number), paper=written
        )
        self.shifted(posted, counting.origin(ask), counting.to(ask), number)
        self.remember(posted)

    def shifted(self, posted: Posted, origin: Place, to: Place, number: int) -> None:
        if posted.act == Act.SHIP:
            self.sent(posted, to, number)
        self.helmets.moves.append((posted.happened_at, origin, to, number))

    @rule(site=sites, number=numbers)
    def helmets_arrive(self, site: str, number: int) -> None:
        """What is outstanding of the shipment comes from transit, what is more from outside."""
        places = [n for n, (_, outstanding) in enumerate(self.shipments[site]) if outstanding]
        if not places:
            return
        shipment, outstanding = self.shipments[site][places[-1]]
        transit = account(site, AccountClass.TRANSIT)
        taken = min(outstanding, number, self.helmets.held().get(transit, 0))
        posted = self.post(DESKS[site][0], None, ARRIVE, store="Main store", shipment=shipment, lines=self.some(number))
        self.shipments[site][places[-1]] = (shipment, outstanding - taken)
        for origin, part in ((transit, taken), (OUTSIDE, number - taken)):
            if part:
                self.shifted(posted, origin, store(site), part)
        self.remember(posted)

    @rule(site=sites, number=numbers)
    def helmets_are_ordered_destroyed_and_so_they_are(self, site: str, number: int) -> None:
        """Ordered, then destroyed under the order, and no more than it says."""
        clerk, commander = DESKS[site]
        number = min(number, self.helmets.held().get(store(site), 0))
        if not number:
            self.country.refused(clerk, ORDER_DESTRUCTION, **ORDERED, store="Main store", lines=self.some(1))
            return
        ordered = self.post(clerk, commander, ORDER_DESTRUCTION, **ORDERED, store="Main store", lines=self.some(number))
        certificate = {
            **destroyed_at(site), "order": ordered.number, "store": "Main store", "counted_before": number + 1,
            "attachments": [scanned_paper()],
        }  # fmt: skip
        self.country.refused(clerk, DESTROY, **certificate, lines=self.some(number + 1))
        certificate["counted_before"] = number
        posted = self.post(clerk, commander, DESTROY, **certificate, lines=self.some(number))
        self.shifted(posted, store(site), account(site, AccountClass.DESTROYED), number)
        self.remember(posted)

    @rule(site=sites, number=numbers, minutes=st.integers(0, 90))
    def helmets_destroyed_on_paper(self, site: str, number: int, minutes: int) -> None:
        """Without an order, which is a discrepancy."""
        sheet = next(self.numbers)
        written = paper(sheet, ago(minutes=minutes, microseconds=sheet))
        posted = self.post(
            DESKS[site][0],
            None,
            DESTROY,
            **destroyed_at(site),
            store="Main store",
            lines=self.some(number),
            paper=written,
        )
        self.shifted(posted, store(site), account(site, AccountClass.DESTROYED), number)
        self.remember(posted)

    # Numbers

    @rule(site=sites)
    def void(self, site: str) -> None:
        """A spoiled number of the counter's book."""
        self.remember(self.post(DESKS[site][0], None, VOID, reason="torn"))
        self.done[Act.VOID, "command"] += 1

    @rule(site=sites)
    def void_a_paper(self, site: str) -> None:
        """A spoiled voucher's number: no number is ever claimed twice here."""
        voided = self.post(DESKS[site][0], None, VOID, reason="coffee", paper=paper(next(self.numbers), ago(minutes=1)))
        assert "/PAPER/" in voided.number
        self.remember(voided)
        self.done[Act.VOID, "fact"] += 1

    def correct_last(self, site: str) -> None:
        """Some weapon's last entry."""
        self.correct(site, 0, True)

    def change_custodian_of_some_weapon(self) -> None:
        """Of the first account that can be handed over, if not of a weapon received for it."""
        self.command("return in hand", "ERBIL", 0, (0, 1), True)
        for first in range(4):
            self.change_custodian(first, True)

    def check(self) -> None:
        """Everything that must hold."""
        self.the_books_say_what_the_model_says()
        self.and_said_so_at_every_moment()
        self.what_is_open_is_what_speaks_against_the_documents_that_stand()
        self.the_ledger_keeps_its_rules()
        self.the_trial_balance_closes()
        self.a_repeat_gets_the_same_answer()

    # What must hold

    @invariant()
    def the_books_say_what_the_model_says(self) -> None:
        """Where everything is now."""
        if not hasattr(self, "before") and not hasattr(self, "weapons"):
            return
        items = [*(one.item for one in self.weapons), self.helmets_item]
        moves = [one.moves for one in self.weapons]
        assert _held(self.country.query(HOLDINGS, items)) == self.expected(moves, self.helmets.held())
        ((short,),) = self.country.query(SHORT, self.helmets_item)
        assert (short > 0) == self.helmets.any_short()

    @invariant()
    def and_said_so_at_every_moment(self) -> None:
        """As of the first moment recorded, one between, or the last, by turns; and of three that happened."""
        if not hasattr(self, "past"):
            return
        items, turn = [*(one.item for one in self.weapons), self.helmets_item], len(self.past)
        recorded_at, moves, helmets = (self.past[turn // 2], self.past[-1], self.past[0])[turn % 3]
        books = self.country.query(AS_OF, recorded_at + timedelta(days=1), recorded_at, items)
        assert _held(books) == self.expected(moves, helmets)
        last = moves[turn % 4][-1].happened_at if moves[turn % 4] else ago(days=1)
        happened_at = (last, last - timedelta(microseconds=1), ago(days=20))[turn % 3]
        books = self.country.query(AS_OF, happened_at, recorded_at, items[:-1])
        assert _held(books) == self.expected(moves, {}, happened_at)

    def expected(
        self, moves: list[list[Move]], helmets: dict[Place, int], moment: datetime | None = None
    ) -> dict[tuple[UUID, Place], int]:
        """What each account holds of what, by the model."""
        places = (replace(one, moves=each).stood(moment).place for one, each in zip(self.weapons, moves, strict=True))
        held = {(one.item, place): 1 for one, place in zip(self.weapons, places, strict=True) if place != OUTSIDE}
        return held | {(self.helmets_item, place): number for place, number in helmets.items()}

    @invariant()
    def what_is_open_is_what_speaks_against_the_documents_that_stand(self) -> None:
        """Each judged by where the weapon was before it, in whatever order they came."""
        if not hasattr(self, "weapons"):
            return
        judged_kinds = [str(kind) for kind in JUDGED_KINDS if kind is not Kind.FEWER_IN_BOOKS]
        found = self.country.query(JUDGED, [one.item for one in self.weapons], judged_kinds)
        for weapon in self.weapons:
            standing = {move.document for move in weapon.moves}
            open_now = sorted((row[1], row[2]) for row in found if row[0] == weapon.item and row[1] in standing)
            assert open_now == sorted(weapon.judged())

    @invariant()
    def the_ledger_keeps_its_rules(self) -> None:
        """The invariants that the database can be asked about."""
        if not hasattr(self, "weapons"):
            return
        (broken,) = self.country.owner_query("SELECT " + ", ".join(f"({question})" for question in RULES.values()))
        assert {rule: number for rule, number in zip(RULES, broken, strict=True) if number} == {}

    @invariant()
    def the_trial_balance_closes(self) -> None:
        """For all donors, models and sites; for one reader after the other, of now and of a moment before."""
        if not hasattr(self, "weapons"):
            return
        readers = ("auditor", "clerk", "auditor", "erbil clerk", "USA")
        who = self.country.actors[readers[len(self.past) % len(readers)]]
        at = NOW if len(self.past) % 2 else AsOf(recorded_at=self.past[len(self.past) // 2][0])
        with reading(self.country.engine, who) as connection:
            lines = trial_balance(connection, who, tuple(By), at)
            proven = proof(connection, who, at)
        assert not [line for line in lines if line.difference]
        assert proven.closes
        assert not proven.differences

    @invariant()
    def a_consignment_is_the_sum_of_its_weapons(self) -> None:
        """Added up as a whole or weapon by weapon, its figures are the same; of now and of a moment before on either clock."""
        if not hasattr(self, "weapons"):
            return
        auditor, turn = self.country.actors["auditor"], len(self.past)
        recorded_at = self.past[turn // 2][0]
        at = (NOW, AsOf(recorded_at=recorded_at), AsOf(happened_at=recorded_at - timedelta(days=turn)))[turn % 3]
        sought = ConsignmentsSought(reference=self.consignment)
        with reading(self.country.engine, auditor) as connection:
            (row,) = list_consignments(connection, auditor, sought, at).rows or (None,)
            lines = list_consignment_lines(connection, auditor, sought, at=at).sums
        if row is not None:
            assert (row.declared, row.shipped, row.received, row.rejected, row.excess) == lines[1:]

    @invariant()
    def a_repeat_gets_the_same_answer(self) -> None:
        """The last request or an early one, by turns, byte for byte."""
        if not hasattr(self, "answers") or not self.answers:
            return
        turn = len(self.answers)
        actor, form, request, first = self.answers[-1 if turn % 2 else turn // 2]
        assert answer(perform.perform(self.country.engine, actor, form, request)).body == first


def rules_of_acts() -> dict[str, Any]:
    """A rule for each way to ask, as a command and, where it may be one, as a fact: each is as likely as any other."""
    rules: dict[str, Any] = {}
    of_rifle = {"site": sites, "first": weapons, "pair": pairs}
    of_helmets = {"site": sites, "pair": pairs, "number": numbers}
    for name, asking in ASKINGS.items():
        rules[name] = rule(**of_rifle, steered=mostly)(_asked(Custody.command, name))
        if asking.may_be_fact:
            rules[f"{name} on paper"] = rule(**of_rifle, when=moments)(_asked(Custody.paper_arrives, name))
    for name, counting in COUNTINGS.items():
        rules[f"{name} helmets"] = rule(**of_helmets, steered=mostly)(_asked(Custody.helmets_by_command, name))
        if counting.may_be_fact:
            moment = {"minutes": st.integers(0, 90)}
            rules[f"{name} helmets on paper"] = rule(**of_helmets, **moment)(_asked(Custody.helmets_on_paper, name))
    return {each.replace(" ", "_"): one for each, one in rules.items()}


def _asked(how: Callable[..., None], name: str) -> Callable[..., None]:
    def asked(self: Custody, **drawn: Any) -> None:
        how(self, name, **drawn)

    asked.__name__ = f"{how.__name__}__{name.replace(' ', '_')}"
    return asked


def _commander(country: Country) -> Actor:
    party = country.parties["erbil commander"]
    return Actor(party.party_id, "commander", country.sites["ERBIL"], book_code="CO")


def _called(place: Place) -> str:
    return "1COY" if place == UNIT else place.name


def _held(rows: list[tuple[Any, ...]]) -> dict[tuple[UUID, Place], int]:
    return {(row[0], Place(row[1], AccountClass(row[2]), row[3])): row[4] for row in rows}


def unexercised(done: Counter[tuple[Act, str]]) -> list[tuple[Act, str]]:
    """What the movement table has and the machine never did: as a command, as a fact, and refused where a command can be."""
    wanted = []
    for movement in MOVEMENT_OF.values():
        wanted.append((movement.act, "command"))
        if movement.may_be_fact:
            wanted.append((movement.act, "fact"))
    return [one for one in wanted if not done[one]]


def test_custody(databases: Databases, template: tuple[str, Country]) -> None:
    """Whatever clerks, papers and mistakes do in whatever order, books and model agree."""
    done: Counter[tuple[Act, str]] = Counter()
    machine = type(
        "Custody", (Custody,), {"databases": databases, "template": template, "done": done, **rules_of_acts()}
    )
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


WALK = (
    ("mark", "TAJI"), ("amend identification", "TAJI"), ("issue", "TAJI"), ("hand over", "TAJI"), ("return broken", "TAJI"),
    ("issue by override", "TAJI"), ("return", "TAJI"), ("to the workshop", "TAJI"), ("from the workshop", "TAJI"),
    ("issue to the unit", "TAJI"), ("return in hand", "TAJI"), ("report missing", "TAJI"), ("recover", "TAJI"),
    ("report missing", "TAJI"), ("conclude loss", "TAJI"), ("recover in hand", "TAJI"), ("ship", "TAJI"), ("arrive", "ERBIL"),
    ("say a consignment is on its way", "TAJI"), ("receive a delivery", "TAJI"), ("reject", "TAJI"), ("receive", "TAJI"),
    ("order destruction", "ERBIL"), ("destroy", "ERBIL"), ("export", "TAJI"), ("import again", "ERBIL"), ("expend", "ERBIL"),
)  # fmt: skip
"""Acts in an order in which each finds a weapon."""


def test_every_act_once(databases: Databases, template: tuple[str, Country]) -> None:
    """The same machine on one way through all acts, as commands and then as papers: none of the movement table is left out."""
    done: Counter[tuple[Act, str]] = Counter()
    walk = type("Walk", (Custody,), {"databases": databases, "template": template, "done": done, **rules_of_acts()})()
    try:
        walk.receipt()
        for name, site in WALK:
            walk.command(name, site, 0, (0, 1), True)
            walk.check()
        for step in (walk.void, walk.void_a_paper, walk.overrun, walk.correct_last):
            step("TAJI")
            walk.check()
        for name in sorted(name for name, asking in ASKINGS.items() if asking.may_be_fact):
            for first in range(4):
                walk.paper_arrives(name, "TAJI", first, (0, 1), When(days=first, minutes=5, before=None))
            walk.check()
        walk.paper_arrives("register gain", "TAJI", 0, (0, 1), When(days=1500, minutes=0, before=None))
        walk.overrun_as_of("TAJI", 0, When(days=2, minutes=0, before=None), True)
        walk.change_custodian_on_paper(store("ERBIL"), 0, When(days=1, minutes=0, before=None))
        walk.change_custodian_of_some_weapon()
        walk.check()
        assert unexercised(done) == []
    finally:
        walk.teardown()


def test_every_act_has_its_place_in_the_machine() -> None:
    """An act that is added to the table needs a way to be asked for here."""
    own = {Act.OPEN, Act.DECLARE, Act.OVERRUN, Act.CHANGE_CUSTODIAN, Act.CORRECT, Act.VOID}
    asked = {asking.form.act for asking in ASKINGS.values()}
    assert asked | own == set(ACTS) == set(MOVEMENT_OF)

"""What can race for one rifle: a depot of its own for each race, the ways in which its rifle came to where it is, and every act
in every form in which it is asked for. All as data: a new act, or another way to ask for one, is another row of ENTRANTS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from stockpile import founding, parties, weapon_assignments
from stockpile.acts import ACTS, perform
from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.arrive import ARRIVE
from stockpile.acts.change_custodian import CHANGE_CUSTODIAN
from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.declare import DECLARE
from stockpile.acts.destroy import DESTROY
from stockpile.acts.destruction_order import ORDER_DESTRUCTION
from stockpile.acts.draw import DRAW
from stockpile.acts.emergency_issue import EMERGENCY_ISSUE
from stockpile.acts.expend import EXPEND
from stockpile.acts.export import EXPORT
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.import_again import IMPORT_AGAIN
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.mark import MARK
from stockpile.acts.open_books import OPEN
from stockpile.acts.overrun import OVERRUN
from stockpile.acts.perform import ActForm, Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.register_gain import REGISTER_GAIN
from stockpile.acts.reject import REJECT
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.acts.void import VOID
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted, now
from stockpile.errors import Invalid, NotFound, Refused
from stockpile.rights import Actor
from stockpile.sites import Site
from stockpile.weapon_assignments import Assign
from tests.world import SINCE, Country, paper, photo, scanned_paper, scans, today

STORE = "Main store"
ERBIL = "ERBIL"
numbers = count(1)

Asked = dict[str, Any]


@dataclass
class Depot:
    """A site with nothing but one rifle, two soldiers, a company, two clerks, an armourer and a commander. `clerk` writes what
    brings the rifle to where it is; `last` is that document, `before` a moment before it, `moment` one after it.
    """

    country: Country
    site: Site
    serial: str
    people: dict[str, Actor]
    last: Posted | None = None
    before: datetime = field(default_factory=lambda: now() - timedelta(seconds=1))
    moment: datetime = field(default_factory=now)
    order: Posted | None = None
    shipment: Posted | None = None
    item: str | None = None

    @property
    def rifle(self) -> list[Asked]:
        """The rifle, as a voucher names it: by its number, or by its key."""
        return [{"item": self.item}] if self.item else scans(self.serial)

    def name_by_key(self) -> None:
        """From now on vouchers name the rifle by its key: what a scan means was looked up before a twin came, and stays so."""
        rows = self.country.query("SELECT item_id FROM identification WHERE serial_number = %s", self.serial)
        self.item = str(rows[0][0]) if rows else None

    @property
    def listed(self) -> list[Asked]:
        """The rifle, as a list names it."""
        return [{"model": "AKM", "serial_number": self.serial, "condition": "serviceable"}]

    @property
    def consignment(self) -> Asked:
        """The delivery by which it may have come."""
        return {"donor": "USA", "consignment": f"FMS-{self.serial}"}

    def soldier(self, number: int) -> str:
        """The service number of one of the two soldiers."""
        return f"{self.site.code}-{number + 1}"

    @property
    def company(self) -> str:
        """The code of the unit."""
        return f"{self.site.code}-COY"

    def do(self, form: ActForm, who: str = "clerk", **asked: Any) -> Posted:
        """An act that helps to set the stage, with its second party where it takes one."""
        request = form.request.model_validate({**asked, **self._at(who)})
        answer = perform.perform(self.country.engine, self.people[who], form, request)
        if isinstance(answer, Drafted):
            site = self.site.code if who == "registrar" else None
            answer = perform.approve(self.country.engine, self.people["commander"], ACTS, answer.document_id, site)
        self.before, self.last = self.moment, answer
        self.moment = now()
        return answer

    def _at(self, who: str) -> Asked:
        return {"site": self.site.code} if who == "registrar" else {}

    def anonymous(self, text: object) -> str:
        """A text without what tells this depot from another."""
        return str(text).replace(self.site.code, "DEPOT").replace(self.serial, "RIFLE")


def found_depot(country: Country) -> Depot:
    """Founds a depot of its own."""
    number = next(numbers)
    code = f"D{number:05}D"
    with transaction(country.engine, roles.REGISTRAR) as connection:
        commander = country.parties["registrar"]
        site = founding.found_site(connection, code, f"Depot {code}", "Asia/Baghdad", [STORE, "Quarantine"], commander)
        company = parties.add_unit(connection, f"{code}-COY", f"Company {code}", site, None, SINCE)
        people = {
            name: parties.add_person(connection, f"{code}-{letter}", f"{name} {code}", None, site, unit, SINCE)
            for name, letter, unit in (
                ("clerk", "T", None), ("second clerk", "U", None), ("armourer", "A", None), ("commander", "C", None),
                ("first", "1", company), ("second", "2", company),
            )
        }  # fmt: skip
        parties.give_signature_card(
            connection, company, people["first"], SINCE, today() + timedelta(days=99), commander.party_id
        )
    actors = {
        name: Actor(people[name].party_id, name.removeprefix("second "), site, book_code=book)
        for name, book in (("clerk", "B"), ("second clerk", "C"), ("armourer", "A"), ("commander", "CO"))
    }
    actors["registrar"] = country.actors["registrar"]
    actors["erbil clerk"] = country.actors["erbil clerk"]
    return Depot(country, site, f"W {number:05}", actors)


# How the rifle comes to where it is, each built on the one before it.


def unheard_of(depot: Depot) -> None:
    """The books know nothing of it."""


def in_store(depot: Depot) -> None:
    depot.do(RECEIVE, store=STORE, lines=depot.listed)


def unserviceable(depot: Depot) -> None:
    depot.do(RECEIVE, store=STORE, lines=[{**depot.listed[0], "condition": "unserviceable"}])


def declared(depot: Depot) -> None:
    donated = {"donor": "USA", "reference": f"FMS-{depot.serial}", "lines": depot.listed}
    depot.do(DECLARE, "registrar", **donated)


def delivered(depot: Depot) -> None:
    declared(depot)
    depot.do(RECEIVE, store=STORE, lines=depot.listed, **depot.consignment)


def on_its_way(depot: Depot) -> None:
    """From its donor to the depot."""
    declared(depot)
    depot.shipment = depot.do(SHIP, **depot.consignment, **WAY)


def sent_away(depot: Depot) -> None:
    in_store(depot)
    depot.shipment = depot.do(SHIP, to_site=ERBIL, lines=depot.rifle, **WAY)


def assigned(depot: Depot) -> None:
    """In its rack, and a soldier's own."""
    in_store(depot)
    asked = Assign.model_validate({"lines": [{"scan": depot.serial, "person": depot.soldier(0)}]})
    weapon_assignments.assign(depot.country.engine, depot.people["armourer"], asked)


def drawn(depot: Depot) -> None:
    assigned(depot)
    depot.do(DRAW, scan=depot.serial, direction="out")


def with_a_soldier(depot: Depot) -> None:
    in_store(depot)
    depot.do(ISSUE, receiver=depot.soldier(0), store=STORE, lines=depot.rifle)


def with_the_company(depot: Depot) -> None:
    in_store(depot)
    depot.do(ISSUE, receiver=depot.company, received_by=depot.soldier(0), store=STORE, lines=depot.rifle)


def in_the_workshop(depot: Depot) -> None:
    in_store(depot)
    depot.do(MAINTAIN, work="rust", lines=depot.rifle)


def missing(depot: Depot) -> None:
    with_a_soldier(depot)
    depot.do(REPORT_MISSING, lines=depot.rifle, **LOSS)


def overrun(depot: Depot) -> None:
    with_a_soldier(depot)
    depot.do(OVERRUN, "commander", circumstances="attacked at night")


def lost(depot: Depot) -> None:
    missing(depot)
    depot.do(CONCLUDE_LOSS, lines=depot.rifle, **FINDING)


def expended(depot: Depot) -> None:
    with_a_soldier(depot)
    depot.do(EXPEND, lines=depot.rifle, **SPENT)


def ordered_to_be_destroyed(depot: Depot) -> None:
    in_store(depot)
    depot.order = depot.do(ORDER_DESTRUCTION, lines=depot.rifle, **ORDER)


def destroyed(depot: Depot) -> None:
    ordered_to_be_destroyed(depot)
    depot.do(DESTROY, **certificate(depot, 0))


def exported(depot: Depot) -> None:
    in_store(depot)
    depot.do(EXPORT, lines=depot.rifle, **ABROAD)


def taken_back(depot: Depot) -> None:
    """It was received by mistake, and is outside again."""
    in_store(depot)
    depot.do(CORRECT, reason="never came", lines=depot.rifle)


Stage = Callable[[Depot], None]
STAGES: dict[str, Stage] = {
    stage.__name__.replace("_", " "): stage
    for stage in (
        unheard_of, declared, on_its_way, in_store, unserviceable, delivered, assigned, ordered_to_be_destroyed, with_a_soldier,
        with_the_company, drawn, in_the_workshop, sent_away, missing, overrun, lost, expended, destroyed, exported, taken_back,
    )
}  # fmt: skip

WAY: Asked = {"carrier": "2nd Transport Company", "expected_on": str(today() + timedelta(days=9))}
LOSS: Asked = {"place": "the range", "circumstances": "not in the rack"}
FINDING: Asked = {"cause": "stolen", "liability": "nobody", "findings": "gone"}
SPENT: Asked = {"manner": "destroyed in combat", "place": "the bridge", "circumstances": "burnt out"}
ORDER: Asked = {"reason": "worn out", "authority": "order 118", "due_on": "2099-12-31", "method": "cutting"}
ABROAD: Asked = {"destination": "Jordan", "consignee": "ROW", "authorisation": "EXP-12", "purpose": "repair abroad"}
FOUND: Asked = {"place": "a ditch", "found_by": "a patrol"}
CACHE: Asked = {"manner": "found", "circumstances": "under a floor", **FOUND}
MARKED: Asked = {"method": "laser", "place": "receiver", "import_country": "IQ", "import_year": 2026}


def certificate(depot: Depot, number: int) -> Asked:
    """A destruction certificate of the rifle."""
    return {
        "order": depot.order.number if depot.order else None, "method": "cutting", "place": "the yard", "counted_before": 1,
        "counted_after": 0, "attachments": [scanned_paper(photo())], "witness_1": depot.soldier(0),
        "witness_2": "Jane Miller, UNMAS", "lines": depot.rifle,
    }  # fmt: skip


def on_paper(ask: Callable[[Depot, int], Asked], late: bool = False) -> Callable[[Depot, int], Asked]:
    """The same from a paper of one pad: of a moment before the race, or before the rifle came to where it is."""

    def asked(depot: Depot, number: int) -> Asked:
        moment = depot.before if late else depot.moment
        return {**ask(depot, number), "paper": paper(11 + 2 * number, moment + timedelta(microseconds=number))}

    return asked


@dataclass(frozen=True)
class Entrant:
    """Somebody who asks for something. `ask` is given which of the two it is, 0 or 1; `fits` are the stages at which it can be
    done. `drafts`: the race is the first party's request, not the approval.
    """

    name: str
    form: ActForm
    ask: Callable[[Depot, int], Asked]
    fits: frozenset[str]
    who: str | None = None
    drafts: bool = False

    def begin(self, depot: Depot, number: int, other: Entrant) -> Callable[[], Any] | None:
        """Somebody about to ask, or, of an act of two parties, about to approve what was asked for; None: it was refused
        already when it was asked for.
        """
        return self._begin(depot, number, "second clerk" if other.who == "clerk" or number else "clerk")

    def _begin(self, depot: Depot, number: int, clerk: str) -> Callable[[], Any] | None:
        who = self.who or clerk
        at = {"site": depot.site.code} if who == "registrar" else {}
        request = self.form.request.model_validate({**self.ask(depot, number), **at})
        ask = partial(perform.perform, depot.country.engine, depot.people[who], self.form, request)
        if self.drafts or not self.form.waits_for_second(request):
            return ask
        try:
            drafted = ask()
        except (Refused, Invalid, NotFound):
            return None
        assert isinstance(drafted, Drafted)
        return partial(perform.approve, depot.country.engine, depot.people["commander"], ACTS, drafted.document_id)


AT_HAND = "in store, unserviceable, delivered, assigned, ordered to be destroyed"
WITH_PEOPLE = "with a soldier, drawn"
HELD = f"{AT_HAND}, {WITH_PEOPLE}, with the company, in the workshop"
GONE = "lost, expended, destroyed, exported"
KNOWN = f"declared, on its way, {HELD}, sent away, missing, overrun, {GONE}"
ANYWHERE = ", ".join(STAGES)


def entrant(
    name: str,
    form: ActForm,
    fits: str,
    ask: Callable[[Depot, int], Asked],
    who: str | None = None,
    drafts: bool = False,
) -> Entrant:
    """One row."""
    stages = frozenset(fits.split(", "))
    assert stages <= STAGES.keys(), stages - STAGES.keys()
    return Entrant(name, form, ask, stages, who, drafts)


def the_rifle(**more: Any) -> Callable[[Depot, int], Asked]:
    """A request for nothing but the rifle."""
    return lambda depot, number: {**more, "lines": depot.rifle}


def issue(depot: Depot, number: int) -> Asked:
    return {"receiver": depot.soldier(number), "store": STORE, "lines": depot.rifle}


def hand_over(depot: Depot, number: int) -> Asked:
    return {"giver": depot.soldier(0), "receiver": depot.soldier(1), "lines": depot.rifle}


def receive(depot: Depot, number: int) -> Asked:
    return {"store": STORE, "lines": depot.listed}


def receive_again(depot: Depot, number: int) -> Asked:
    """A voucher that names the model: what the books never heard of enters under the rifle's own identity."""
    return {"store": STORE, "lines": [{"scan": depot.serial, "model": "AKM"}]}


def arrive(depot: Depot, number: int) -> Asked:
    shipment = depot.shipment.number if depot.shipment else "NO/SUCH"
    return {"shipment": shipment, "store": STORE, "complete": True, "lines": depot.rifle}


def custodian(depot: Depot, number: int) -> Asked:
    return {"account": STORE, "received_by": depot.soldier(number), "lines": scans(depot.serial)}


def amend(depot: Depot, number: int) -> Asked:
    line = {**depot.rifle[0], "serial_number": f"{depot.serial}X"}
    return {"reason": "misread", "attachments": [scanned_paper(photo())], "lines": [line]}


def undo(depot: Depot, number: int) -> Asked:
    return {"document": depot.last.document_id if depot.last else "00000000-0000-7000-8000-00000000dead"}


ON_THE_BOOKS_HERE = f"{HELD}, missing, lost, expended, destroyed, exported, on its way, declared"

ENTRANTS: tuple[Entrant, ...] = (
    entrant("declare", DECLARE, "unheard of, taken back", lambda d, n: {
        "donor": "USA", "reference": f"FMS-R-{d.serial}", "lines": d.listed}, who="registrar"),
    entrant("open", OPEN, "unheard of", lambda d, n: {"name": "Old book", "store": STORE, "lines": d.listed}, who="registrar"),
    entrant("ship a consignment", SHIP, "declared", lambda d, n: {**d.consignment, **WAY}),
    entrant("ship", SHIP, AT_HAND, lambda d, n: {"to_site": ERBIL, "lines": d.rifle, **WAY}),
    entrant("receive", RECEIVE, ANYWHERE, receive),
    entrant("receive a consignment", RECEIVE, "declared", lambda d, n: {**receive(d, n), **d.consignment, "complete": True}),
    entrant("arrive", ARRIVE, "on its way", arrive),
    entrant("arrive at the other site", ARRIVE, "sent away", arrive, who="erbil clerk"),
    entrant("reject", REJECT, "delivered, on its way", the_rifle(reason="cracked")),
    entrant("register gain", REGISTER_GAIN, "unheard of", lambda d, n: {**CACHE, "store": STORE, "lines": d.listed}),
    entrant("mark", MARK, f"{AT_HAND}, with the company, in the workshop", the_rifle(**MARKED), who="armourer"),
    entrant("issue", ISSUE, "in store, delivered, assigned, ordered to be destroyed", issue),
    entrant("issue by override", ISSUE, "unserviceable", lambda d, n: {**issue(d, n), "override": "no other"}),
    entrant("emergency issue", EMERGENCY_ISSUE, AT_HAND, lambda d, n: {
        "reason": "attack", "lines": [{**d.rifle[0], "receiver": d.soldier(n)}]}),
    entrant("draw", DRAW, "assigned, drawn", lambda d, n: {"lines": d.rifle}),
    entrant("draw out", DRAW, "assigned", lambda d, n: {"lines": d.rifle, "direction": "out"}),
    entrant("draw back", DRAW, "drawn", lambda d, n: {"lines": d.rifle, "direction": "back"}),
    entrant("hand over", HAND_OVER, WITH_PEOPLE, hand_over),
    entrant("return", RETURN, f"{WITH_PEOPLE}, with the company", the_rifle(store=STORE)),
    entrant("maintain", MAINTAIN, f"{AT_HAND}, with the company", the_rifle(work="rust")),
    entrant("maintained", MAINTAIN, "in the workshop", the_rifle(work="oiled", back=True, store=STORE)),
    entrant("report missing", REPORT_MISSING, f"{HELD}, declared, on its way", the_rifle(**LOSS)),
    entrant("overrun", OVERRUN, HELD, lambda d, n: {"circumstances": "attack"}, who="commander"),
    entrant("overrun a while ago", OVERRUN, HELD, lambda d, n: {"circumstances": "attack", "moment": d.moment}, who="commander"),
    entrant("conclude loss", CONCLUDE_LOSS, "missing, overrun", the_rifle(**FINDING)),
    entrant("recover", RECOVER, f"missing, overrun, {GONE}", the_rifle(store=STORE, **FOUND)),
    entrant("recover in hand", RECOVER, f"missing, {GONE}", the_rifle(store=STORE, in_hand=True, **FOUND)),
    entrant("give back to its holder", RECOVER, "missing, overrun", lambda d, n: {
        **FOUND, "holder": d.soldier(0), "lines": d.rifle}),
    entrant("expend", EXPEND, HELD, the_rifle(**SPENT)),
    entrant("order destruction", ORDER_DESTRUCTION, "in store, unserviceable, delivered, assigned", the_rifle(**ORDER)),
    entrant("destroy", DESTROY, "ordered to be destroyed", certificate),
    entrant("export", EXPORT, AT_HAND, the_rifle(**ABROAD)),
    entrant("import again", IMPORT_AGAIN, "exported", the_rifle(store=STORE, received_from="ROW")),
    entrant("change custodian", CHANGE_CUSTODIAN, AT_HAND, custodian),
    entrant("change custodian of the company", CHANGE_CUSTODIAN, "with the company", lambda d, n: {
        **custodian(d, n), "account": d.company}),
    entrant("amend identification", AMEND_IDENTIFICATION, f"{HELD}, on its way", amend),
    entrant("correct", CORRECT, f"{ON_THE_BOOKS_HERE}, overrun, sent away", the_rifle(reason="wrong rifle")),
    entrant("correct a document", CORRECT, f"{HELD}, missing", lambda d, n: {
        "reason": "wrong", "document": d.last.document_id if d.last else undo(d, n)["document"]}),
    entrant("undo", UNDO, "in store, delivered, with a soldier, with the company, in the workshop, missing", undo, who="clerk"),
    entrant("void", VOID, ANYWHERE, lambda d, n: {"reason": "torn"}),
    # The first party's request, which is tried before it is kept.
    entrant("ask to gain", REGISTER_GAIN, "unheard of", lambda d, n: {**CACHE, "store": STORE, "lines": d.listed}, drafts=True),
    entrant("ask to expend", EXPEND, HELD, the_rifle(**SPENT), drafts=True),
    entrant("ask to change custodian", CHANGE_CUSTODIAN, AT_HAND, custodian, drafts=True),
    entrant("ask to correct", CORRECT, HELD, the_rifle(reason="wrong rifle"), drafts=True),
    entrant("ask to amend", AMEND_IDENTIFICATION, HELD, amend, drafts=True),
    # Papers: never refused.
    entrant("issue on paper", ISSUE, "unheard of, in store, with a soldier", on_paper(issue)),
    entrant("late issue on paper", ISSUE, "with a soldier, missing", on_paper(issue, late=True)),
    entrant("hand over on paper", HAND_OVER, "with a soldier, in store", on_paper(hand_over)),
    entrant("return on paper", RETURN, "unheard of, with a soldier, drawn, in store", on_paper(the_rifle(store=STORE))),
    entrant("return on paper by its model", RETURN, "unheard of, with a soldier", on_paper(receive_again)),
    entrant("late return on paper", RETURN, "with a soldier, missing, lost", on_paper(the_rifle(store=STORE), late=True)),
    entrant("receive on paper", RECEIVE, "unheard of, declared, lost, in store", on_paper(receive)),
    entrant("late receipt on paper", RECEIVE, "in store, with a soldier", on_paper(receive, late=True)),
    entrant("arrive on paper", ARRIVE, "on its way, in store, unheard of", on_paper(arrive)),
    entrant("ship on paper", SHIP, "in store", on_paper(lambda d, n: {
        "to_site": ERBIL, "store": STORE, "lines": d.rifle, **WAY})),
    entrant("reject on paper", REJECT, "delivered", on_paper(the_rifle(reason="cracked", store=STORE))),
    entrant("gain on paper", REGISTER_GAIN, "unheard of, missing, in store", on_paper(lambda d, n: {
        **CACHE, "store": STORE, "lines": d.listed})),
    entrant("mark on paper", MARK, "in store, unheard of, with the company", on_paper(the_rifle(store=STORE, **MARKED)),
            who="armourer"),
    entrant("maintain on paper", MAINTAIN, "in store", on_paper(the_rifle(work="rust", store=STORE))),
    entrant("report missing on paper", REPORT_MISSING, "with a soldier, in store, unheard of", on_paper(the_rifle(**LOSS))),
    entrant("late loss on paper", REPORT_MISSING, "with a soldier, lost", on_paper(the_rifle(**LOSS), late=True)),
    entrant("overrun on paper", OVERRUN, "in store, with a soldier", on_paper(lambda d, n: {"circumstances": "attack"}),
            who="commander"),
    entrant("recover on paper", RECOVER, f"missing, {GONE}", on_paper(the_rifle(store=STORE, **FOUND))),
    entrant("expend on paper", EXPEND, "in store, with a soldier", on_paper(the_rifle(**SPENT))),
    entrant("destroy on paper", DESTROY, "ordered to be destroyed, in store", on_paper(certificate)),
    entrant("import again on paper", IMPORT_AGAIN, "exported", on_paper(the_rifle(store=STORE, received_from="ROW"))),
    entrant("change custodian on paper", CHANGE_CUSTODIAN, "in store, with a soldier, unheard of", on_paper(custodian)),
    entrant("void a paper", VOID, "in store, unheard of", on_paper(lambda d, n: {"reason": "torn"})),
)  # fmt: skip


@dataclass(frozen=True)
class Race:
    """Two who want the rifle at one moment, and where it is then."""

    stage: str
    first: Entrant
    second: Entrant

    @property
    def brings_a_twin(self) -> bool:
        """Whether one of the two may take in a second rifle of the same number."""
        return any(entrant.form in (RECEIVE, REGISTER_GAIN) for entrant in (self.first, self.second))

    def __str__(self) -> str:
        return f"{self.stage}: {self.first.name} | {self.second.name}"


LIKE = {
    "unserviceable": "in store", "delivered": "in store", "assigned": "in store", "ordered to be destroyed": "in store",
    "drawn": "with a soldier", "overrun": "missing",
}  # fmt: skip
"""Stages that differ from another only for those who need just them."""


def same_book(depot: Depot) -> Depot:
    """Both clerks write in one book."""
    second = replace(depot.people["second clerk"], book_code="B")
    return replace(depot, people={**depot.people, "second clerk": second})


def all_races() -> list[Race]:
    """Each two at every stage where both can be done; any other two once, where one of them can, or what is refused either way."""
    races: list[Race] = []
    for place, first in enumerate(ENTRANTS):
        for second in ENTRANTS[place:]:
            both = [
                stage
                for stage in STAGES
                if stage in first.fits & second.fits and LIKE.get(stage) not in first.fits & second.fits
            ]
            either = [stage for stage in STAGES if stage in first.fits | second.fits]
            races += [Race(stage, first, second) for stage in both or either[:1]]
    return races

"""How each act is asked for of a weapon or of helmets, and where the model says they go. What may begin where is the movement
table's to say (`stockpile.movements`); here stands only what an act asks beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.arrive import ARRIVE
from stockpile.acts.destroy import DESTROY
from stockpile.acts.destruction_order import ORDER_DESTRUCTION
from stockpile.acts.expend import EXPEND
from stockpile.acts.export import EXPORT
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.import_again import IMPORT_AGAIN
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.mark import MARK
from stockpile.acts.perform import ActForm
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.register_gain import REGISTER_GAIN
from stockpile.acts.reject import REJECT
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.movements import GONE, MOVEMENT_OF, AccountClass, allowed
from tests.custody_model import Place, Weapon, account, in_hands, store
from tests.world import scanned_paper

C = AccountClass
OTHER = {"TAJI": "ERBIL", "ERBIL": "TAJI"}
PEOPLE = {"TAJI": ("A-1001", "A-1002"), "ERBIL": ("E-2", "E-3")}
NAMES = {
    "A-1001": "Private Petrov (A-1001)",
    "A-1002": "Private Quist (A-1002)",
    "E-2": "Private Emin (E-2)",
    "E-3": "Private Erol (E-3)",
}
WAY = {"carrier": "2nd Transport Company", "expected_on": "2099-12-31"}
LOSS = {"place": "the range", "circumstances": "not in the rack"}
SPENT = {"manner": "destroyed in combat", "place": "the bridge", "circumstances": "burnt out"}
FOUND = {"place": "a ditch", "found_by": "a patrol"}
GONE_FOR_GOOD = {"cause": "stolen", "liability": "nobody", "findings": "gone"}
ABROAD = {
    "destination": "Jordan", "consignee": "Royal Ordnance Works, Amman", "authorisation": "EXP-1", "purpose": "repair abroad",
}  # fmt: skip
ORDERED = {"reason": "worn out", "authority": "order 118", "due_on": "2099-12-31", "method": "cutting"}
GAINED = {"manner": "captured", "circumstances": "a cache", **FOUND}


def destroyed_at(site: str) -> dict[str, Any]:
    """What a certificate says of one weapon, watched by a person of the site and an observer."""
    return {
        "method": "cutting", "place": "the yard", "counted_before": 1, "counted_after": 0,
        "witness_1": PEOPLE[site][0], "witness_2": "John Doe, UNDP",
    }  # fmt: skip


def person(site: str, code: str) -> Place:
    """A person's account."""
    return Place(site, C.PERSON, NAMES[code])


UNIT = Place("TAJI", C.UNIT, "1st Company")


@dataclass(frozen=True)
class Ask:
    """One time that somebody asks: at which site, of which weapon, who gives and who takes; `number` is asked but once.
    `shipment` is the last that was sent here.
    """

    site: str
    weapon: Weapon
    giver: str
    taker: str
    number: int
    consignment: str
    shipment: str | None = None

    @property
    def store(self) -> Place:
        """The site's store."""
        return store(self.site)


Asked = Callable[[Ask], dict[str, Any]]
Goes = Callable[[Ask], Place | None]


def its_line(ask: Ask) -> dict[str, Any]:
    """The weapon by its key."""
    return dict(ask.weapon.line)


def by_serial(ask: Ask) -> dict[str, Any]:
    """The weapon as what stands at the counter."""
    return {"model": "AKM", "serial_number": ask.weapon.serial_number}


def anywhere(ask: Ask, place: Place) -> bool:
    """What the movement table allows at the site."""
    return place.site == ask.site


def in_its_store(ask: Ask, place: Place) -> bool:
    """In the store it is said to be in."""
    return place == ask.store


@dataclass(frozen=True)
class Asking:
    """A way to ask for an act. `to`: where a weapon goes, None: it stays. `also`: what a command takes beyond the movement table;
    `stands`: it is never refused. `claims`: of a paper, where it says the weapon was. `at_hand`: where, without a paper, it is a fact all
    the same. `never`: what is not asked here at all. `on_paper`: what a paper must say besides.
    """

    form: ActForm
    request: Asked
    to: Goes
    also: Callable[[Ask, Place], bool] = anywhere
    claims: Goes = lambda ask: None
    line: Asked = its_line
    condition: str | None = None
    who: str = "clerk"
    sites: tuple[str, ...] = ("TAJI", "ERBIL")
    two: bool = False
    stands: bool = False
    at_hand: Callable[[Ask, Place], bool] = lambda ask, place: False
    never: Callable[[Ask, Place], bool] = lambda ask, place: False
    on_paper: Mapping[str, Any] = field(default_factory=dict)

    @property
    def may_be_fact(self) -> bool:
        """Whether it may come on paper."""
        return MOVEMENT_OF[self.form.act].may_be_fact

    @property
    def two_parties(self) -> bool:
        """Whether a command of it waits for a second."""
        return self.two or MOVEMENT_OF[self.form.act].two_parties

    def takes(self, ask: Ask) -> bool:
        """Whether the model lets it be done as a command."""
        place = ask.weapon.place
        if self.stands:
            return True
        to = self.to(ask) or place
        return allowed(self.form.act, place.account_class, to.account_class) and self.also(ask, place)

    def lines(self, ask: Ask) -> list[dict[str, Any]]:
        """The one line that it is asked with."""
        line = self.line(ask)
        return [{**line, "condition": self.condition} if self.condition else line]


def _serviceable(ask: Ask, place: Place) -> bool:
    return in_its_store(ask, place) and ask.weapon.stood().condition != "unserviceable"


def _unserviceable(ask: Ask, place: Place) -> bool:
    return in_its_store(ask, place) and ask.weapon.stood().condition == "unserviceable"


def _not_ordered(ask: Ask, place: Place) -> bool:
    return anywhere(ask, place) and ask.weapon.ordered_by is None


def _ordered_here(ask: Ask, place: Place) -> bool:
    order = ask.weapon.ordered_by
    return anywhere(ask, place) and order is not None and order.site == ask.site


def _destroyed(ask: Ask) -> dict[str, Any]:
    order = ask.weapon.ordered_by
    return {**destroyed_at(ask.site), "order": str(order.document) if order else None, "attachments": [scanned_paper()]}


def _delivered(ask: Ask, place: Place) -> bool:
    return anywhere(ask, place) and ask.weapon.supply is not None


def _on_its_way(ask: Ask, place: Place) -> bool:
    return ask.weapon.supply is not None and place == ask.weapon.supply


def _given_up(ask: Ask, place: Place) -> bool:
    return place.account_class in GONE | {C.MISSING}


def _none_sent(ask: Ask, place: Place) -> bool:
    return ask.shipment is None


def _somebody_s(ask: Ask, place: Place) -> bool:
    """What somebody holds is not what stands at the counter: that would be a second weapon of its number."""
    return in_hands(place)


ASKINGS: dict[str, Asking] = {
    "receive": Asking(
        RECEIVE, lambda ask: {"store": "Main store"}, lambda ask: ask.store, line=by_serial, stands=True, at_hand=_given_up,
        never=_somebody_s,
    ),
    "receive a delivery": Asking(
        RECEIVE, lambda ask: {"store": "Main store", "donor": "USA", "consignment": ask.consignment},
        lambda ask: ask.store, line=by_serial, stands=True, at_hand=_given_up, never=_somebody_s, sites=("TAJI",),
    ),
    "arrive": Asking(
        ARRIVE, lambda ask: {"store": "Main store", "shipment": ask.shipment or "ERBIL/B/1999/1"}, lambda ask: ask.store,
        claims=lambda ask: account(ask.site, C.TRANSIT), stands=True,
        at_hand=lambda ask, place: place != account(ask.site, C.TRANSIT), never=_none_sent,
    ),
    "ship": Asking(
        SHIP, lambda ask: {"store": "Main store", "to_site": OTHER[ask.site], **WAY},
        lambda ask: account(OTHER[ask.site], C.TRANSIT), also=in_its_store, claims=lambda ask: ask.store,
    ),
    "say a consignment is on its way": Asking(
        SHIP, lambda ask: {"donor": "USA", "consignment": ask.consignment, **WAY}, lambda ask: account("TAJI", C.TRANSIT),
        also=_on_its_way, claims=lambda ask: Place("TAJI", C.SUPPLY, f"USA {ask.consignment}"), sites=("TAJI",),
    ),
    "reject": Asking(
        REJECT, lambda ask: {"reason": "cracked"}, lambda ask: ask.weapon.supply or ask.store, also=_delivered,
        claims=lambda ask: ask.store, on_paper={"store": "Main store"},
    ),
    "register gain": Asking(
        REGISTER_GAIN, lambda ask: {"store": "Main store", **GAINED}, lambda ask: ask.store, also=lambda ask, place: True,
        line=by_serial, never=_somebody_s,
    ),
    "mark": Asking(
        MARK, lambda ask: {"method": "laser", "place": "receiver"}, lambda ask: None, who="commander",
        line=lambda ask: {**its_line(ask), "distinguishing_mark": f"No {ask.number}"},
        on_paper={"store": "Main store"},
    ),
    "amend identification": Asking(
        AMEND_IDENTIFICATION, lambda ask: {"reason": "misread", "attachments": [scanned_paper()]}, lambda ask: None,
        line=lambda ask: {**its_line(ask), "distinguishing_mark": f"No {ask.number}"},
    ),
    "issue": Asking(
        ISSUE, lambda ask: {"store": "Main store", "receiver": ask.taker}, lambda ask: person(ask.site, ask.taker),
        also=_serviceable, claims=lambda ask: ask.store,
    ),
    "issue to the unit": Asking(
        ISSUE, lambda ask: {"store": "Main store", "receiver": "1COY", "received_by": "A-1001"}, lambda ask: UNIT,
        also=_serviceable, claims=lambda ask: ask.store, sites=("TAJI",),
    ),
    "issue by override": Asking(
        ISSUE, lambda ask: {"store": "Main store", "receiver": ask.taker, "override": "all there is"},
        lambda ask: person(ask.site, ask.taker), also=_unserviceable, claims=lambda ask: ask.store, two=True,
    ),
    "hand over": Asking(
        HAND_OVER, lambda ask: {"giver": ask.giver, "receiver": ask.taker}, lambda ask: person(ask.site, ask.taker),
        also=lambda ask, place: place == person(ask.site, ask.giver), claims=lambda ask: person(ask.site, ask.giver),
    ),
    "return": Asking(RETURN, lambda ask: {"store": "Main store"}, lambda ask: ask.store),
    "return broken": Asking(
        RETURN, lambda ask: {"store": "Main store", "returned_by": ask.giver}, lambda ask: ask.store,
        claims=lambda ask: person(ask.site, ask.giver), condition="unserviceable",
    ),
    "return in hand": Asking(
        RETURN, lambda ask: {"store": "Main store", "in_hand": True}, lambda ask: ask.store, stands=True,
        at_hand=lambda ask, place: True,
    ),
    "to the workshop": Asking(
        MAINTAIN, lambda ask: {"work": "rust"}, lambda ask: account(ask.site, C.MAINTENANCE),
        also=lambda ask, place: anywhere(ask, place) and place.account_class is not C.MAINTENANCE,
    ),
    "from the workshop": Asking(
        MAINTAIN, lambda ask: {"work": "oiled", "back": True, "store": "Main store"}, lambda ask: ask.store,
        also=lambda ask, place: place == account(ask.site, C.MAINTENANCE), claims=lambda ask: account(ask.site, C.MAINTENANCE),
        condition="serviceable",
    ),
    "report missing": Asking(REPORT_MISSING, lambda ask: LOSS, lambda ask: account(ask.site, C.MISSING)),
    "conclude loss": Asking(CONCLUDE_LOSS, lambda ask: GONE_FOR_GOOD, lambda ask: account(ask.site, C.LOST)),
    "recover": Asking(
        RECOVER, lambda ask: {"store": "Main store", **FOUND}, lambda ask: ask.store,
        at_hand=lambda ask, place: place.account_class in GONE,
    ),
    "recover in hand": Asking(
        RECOVER, lambda ask: {"store": "Main store", "in_hand": True, **FOUND}, lambda ask: ask.store, stands=True,
        at_hand=lambda ask, place: True,
    ),
    "expend": Asking(EXPEND, lambda ask: SPENT, lambda ask: account(ask.site, C.EXPENDED)),
    "order destruction": Asking(ORDER_DESTRUCTION, lambda ask: ORDERED, lambda ask: None, also=_not_ordered),
    "destroy": Asking(DESTROY, _destroyed, lambda ask: account(ask.site, C.DESTROYED), also=_ordered_here),
    "export": Asking(EXPORT, lambda ask: ABROAD, lambda ask: account(ask.site, C.EXPORTED)),
    "import again": Asking(
        IMPORT_AGAIN, lambda ask: {"store": "Main store", "received_from": "the works"}, lambda ask: ask.store,
        also=lambda ask, place: True,
    ),
}  # fmt: skip
"""Acts on a weapon. What is done to a whole account, to many documents or at the beginning is a rule of the machine of its own."""


@dataclass(frozen=True)
class Counting:
    """A way to ask for an act on helmets, as a command or on paper: from where to where."""

    form: ActForm
    request: Asked
    origin: Callable[[Ask], Place]
    to: Callable[[Ask], Place]

    @property
    def may_be_fact(self) -> bool:
        """Whether it may come on paper."""
        return MOVEMENT_OF[self.form.act].may_be_fact

    @property
    def two_parties(self) -> bool:
        """Whether a command of it waits for a second."""
        return MOVEMENT_OF[self.form.act].two_parties


def _theirs(ask: Ask) -> Place:
    return ask.store


def _giver(ask: Ask) -> Place:
    return person(ask.site, ask.giver)


def _taker(ask: Ask) -> Place:
    return person(ask.site, ask.taker)


def _at(account_class: AccountClass) -> Callable[[Ask], Place]:
    return lambda ask: account(ask.site, account_class)


COUNTINGS: dict[str, Counting] = {
    "issue": Counting(ISSUE, lambda ask: {"store": "Main store", "receiver": ask.taker}, _theirs, _taker),
    "return": Counting(RETURN, lambda ask: {"store": "Main store", "returned_by": ask.giver}, _giver, _theirs),
    "hand over": Counting(HAND_OVER, lambda ask: {"giver": ask.giver, "receiver": ask.taker}, _giver, _taker),
    "ship": Counting(
        SHIP, lambda ask: {"store": "Main store", "to_site": OTHER[ask.site], **WAY}, _theirs,
        lambda ask: account(OTHER[ask.site], C.TRANSIT),
    ),
    "to the workshop": Counting(MAINTAIN, lambda ask: {"work": "rust", "store": "Main store"}, _theirs, _at(C.MAINTENANCE)),
    "from the workshop": Counting(
        MAINTAIN, lambda ask: {"work": "oiled", "back": True, "store": "Main store"}, _at(C.MAINTENANCE), _theirs
    ),
    "report missing": Counting(REPORT_MISSING, lambda ask: {**LOSS, "holder": ask.giver}, _giver, _at(C.MISSING)),
    "conclude loss": Counting(CONCLUDE_LOSS, lambda ask: GONE_FOR_GOOD, _at(C.MISSING), _at(C.LOST)),
    "recover": Counting(RECOVER, lambda ask: {"store": "Main store", **FOUND}, _at(C.MISSING), _theirs),
    "expend": Counting(EXPEND, lambda ask: {**SPENT, "store": "Main store"}, _theirs, _at(C.EXPENDED)),
    "export": Counting(EXPORT, lambda ask: {**ABROAD, "store": "Main store"}, _theirs, _at(C.EXPORTED)),
    "import again": Counting(
        IMPORT_AGAIN, lambda ask: {"store": "Main store", "received_from": "the works"}, _at(C.EXPORTED), _theirs
    ),
}  # fmt: skip
"""Acts on what is counted; arrivals and destructions, which take what another document announced, are rules of the machine."""

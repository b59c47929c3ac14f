"""What may move where: the classes of account and the table of acts, as data.

The same rows drive the checks of every act, the API's documentation and the manual; nothing here touches a database.
It must never say more than one thing about an act: a rule that is not in this table belongs to the act's own file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AccountClass(StrEnum):
    """Where an item can be. A weapon's status is the class of its account."""

    OUTSIDE = "outside"
    SUPPLY = "supply"
    TRANSIT = "transit"
    STORE = "store"
    UNIT = "unit"
    PERSON = "person"
    MAINTENANCE = "maintenance"
    MISSING = "missing"
    LOST = "lost"
    EXPENDED = "expended"
    DESTROYED = "destroyed"
    EXPORTED = "exported"


HELD = frozenset({AccountClass.STORE, AccountClass.UNIT, AccountClass.PERSON, AccountClass.MAINTENANCE})
"""Classes in which somebody has the item in hand and answers for it: "any holding" in the table."""

GONE = frozenset({AccountClass.LOST, AccountClass.EXPENDED, AccountClass.DESTROYED, AccountClass.EXPORTED})
"""Classes that close an item's life, until a recovery or a new import opens it again."""

IN_THE_BOOKS = frozenset(AccountClass) - {AccountClass.OUTSIDE}
"""Every class but `outside`, also of what is missing or gone."""

BALANCED = tuple(AccountClass)[1:]
"""Every class but `outside`, in the order of the trial balance."""


class Act(StrEnum):
    """What can be done to an item, in the words of the document that records it."""

    OPEN = "open"
    DECLARE = "declare"
    SHIP = "ship"
    RECEIVE = "receive"
    REJECT = "reject"
    REGISTER_GAIN = "register gain"
    MARK = "mark"
    ISSUE = "issue"
    HAND_OVER = "hand over"
    RETURN = "return"
    MAINTAIN = "maintain"
    REPORT_MISSING = "report missing"
    OVERRUN = "overrun"
    CONCLUDE_LOSS = "conclude loss"
    RECOVER = "recover"
    EXPEND = "expend"
    ORDER_DESTRUCTION = "order destruction"
    DESTROY = "destroy"
    EXPORT = "export"
    IMPORT_AGAIN = "import again"
    CHANGE_CUSTODIAN = "change custodian"
    AMEND_IDENTIFICATION = "amend identification"
    CORRECT = "correct"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of the table: an act, the classes it leads from and to, its paper and what it takes.

    `to_classes` is empty for acts that stay where the item is; both are for those that go back.
    """

    act: Act
    from_classes: frozenset[AccountClass]
    to_classes: frozenset[AccountClass]
    paper: str
    two_parties: bool
    may_be_fact: bool
    needs: str

    @property
    def stays(self) -> bool:
        """Whether the item stays on its account: the entry has from = to."""
        return self.act in STAYS


STAYS = frozenset({Act.MARK, Act.ORDER_DESTRUCTION, Act.CHANGE_CUSTODIAN, Act.AMEND_IDENTIFICATION})

C = AccountClass


def _row(
    act: Act,
    from_classes: set[AccountClass] | frozenset[AccountClass],
    to_classes: set[AccountClass] | frozenset[AccountClass],
    paper: str,
    marks: str,
    needs: str,
) -> Movement:
    return Movement(act, frozenset(from_classes), frozenset(to_classes), paper, "2" in marks, "F" in marks, needs)


# act, from, to, document, "2" two parties and "F" may come as a fact, needs
MOVEMENTS: tuple[Movement, ...] = (
    _row(Act.OPEN, {C.OUTSIDE}, HELD, "opening list", "2", "go-live, in mass, until the site is declared open"),
    _row(Act.DECLARE, {C.OUTSIDE}, {C.SUPPLY}, "shipping list", "", "a donor's consignment"),
    _row(Act.SHIP, {C.SUPPLY, C.STORE}, {C.TRANSIT}, "shipping order", "F", "carrier and expected arrival"),
    _row(
        Act.RECEIVE,
        {C.TRANSIT, C.SUPPLY, C.OUTSIDE},
        {C.STORE},
        "receiving report",
        "F",
        "shortage, excess and mismatch become discrepancies, never edits",
    ),
    _row(Act.REJECT, {C.TRANSIT, C.STORE}, {C.SUPPLY}, "rejection", "F", "reason; the donor sees it"),
    _row(Act.REGISTER_GAIN, {C.OUTSIDE}, {C.STORE}, "gain report", "2F", "found, captured, surrendered or collected"),
    _row(
        Act.MARK,
        {C.STORE, C.UNIT, C.MAINTENANCE},
        frozenset(),
        "marking record",
        "F",
        "text, method, place on the weapon; in a store, a unit or the workshop",
    ),
    _row(
        Act.ISSUE,
        {C.STORE},
        {C.UNIT, C.PERSON},
        "hand receipt or weapon card",
        "F",
        "receiver on the roster or on the unit's signature card; weapon serviceable and marked, or a commander's reasoned override",
    ),
    _row(Act.HAND_OVER, {C.UNIT, C.PERSON}, {C.UNIT, C.PERSON}, "lateral transfer", "F", "both sides sign"),
    _row(Act.RETURN, {C.UNIT, C.PERSON}, {C.STORE}, "turn-in", "F", "condition; who returned it, if not the receiver"),
    _row(Act.MAINTAIN, {C.STORE, C.UNIT, C.MAINTENANCE}, {C.MAINTENANCE, C.STORE, C.UNIT}, "work order", "F", "fault"),
    _row(
        Act.REPORT_MISSING,
        HELD | {C.SUPPLY, C.TRANSIT},
        {C.MISSING},
        "loss report",
        "F",
        "where, who, last seen; the donor's 30 days begin",
    ),
    _row(Act.OVERRUN, HELD, {C.MISSING}, "loss report", "F", "one act over every account of a site, as of a moment"),
    _row(Act.CONCLUDE_LOSS, {C.MISSING}, {C.LOST}, "investigation", "2", "cause and liability"),
    _row(
        Act.RECOVER,
        GONE | {C.MISSING},
        HELD,
        "recovery report",
        "F",
        "where, by whom, condition; what the books claimed is a discrepancy",
    ),
    _row(Act.EXPEND, HELD, {C.EXPENDED}, "expenditure report", "2F", "fired, or destroyed in combat"),
    _row(
        Act.ORDER_DESTRUCTION,
        {C.STORE},
        frozenset(),
        "destruction order",
        "2",
        "reason and authority; names every weapon, in its store; the donor's consent where a certificate binds",
    ),
    _row(
        Act.DESTROY,
        {C.STORE},
        {C.DESTROYED},
        "destruction certificate",
        "2F",
        "approved order; two witnesses, neither clerk nor approver; counts before and after",
    ),
    _row(
        Act.EXPORT,
        {C.STORE},
        {C.EXPORTED},
        "export authorisation",
        "2",
        "the donor's consent where a certificate binds",
    ),
    _row(Act.IMPORT_AGAIN, {C.EXPORTED}, {C.STORE}, "receiving report", "F", "condition, and who hands it back"),
    _row(
        Act.CHANGE_CUSTODIAN,
        {C.STORE, C.UNIT, C.MAINTENANCE},
        frozenset(),
        "joint inventory",
        "2F",
        "every weapon by serial, both sign",
    ),
    _row(Act.AMEND_IDENTIFICATION, IN_THE_BOOKS, frozenset(), "correction", "2", "reason and evidence"),
    _row(Act.CORRECT, frozenset(), frozenset(), "correction", "2", "names the entry it reverses"),
    _row(Act.VOID, frozenset(), frozenset(), "void document", "F", "a spoiled number"),
)

MOVEMENT_OF = {movement.act: movement for movement in MOVEMENTS}

TWO_PARTY_ACTS = tuple(movement.act for movement in MOVEMENTS if movement.two_parties)


def allowed(act: Act, from_class: AccountClass, to_class: AccountClass) -> bool:
    """Whether the table lets `act` lead from one class to the other as a command."""
    movement = MOVEMENT_OF[act]
    if movement.stays:
        return from_class == to_class and from_class in movement.from_classes
    return from_class in movement.from_classes and to_class in movement.to_classes

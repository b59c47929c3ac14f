"""Who may do what: the table of rights, and the scope of who asks. The first wall; row-level security is the second.

A role outside the table may do nothing. Nobody gains a right here by being an administrator of the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import only_read, transaction
from stockpile.errors import NotAllowed
from stockpile.movements import Act
from stockpile.sentences import Sentence, begun, joined, of_the_books, sentence
from stockpile.sites import Site

CLERK, ARMOURER, COMMANDER = "clerk", "armourer", "commander"
REGISTRAR, AUDITOR, DONOR = "registrar", "auditor", "donor"
ROLES = (CLERK, ARMOURER, COMMANDER, REGISTRAR, AUDITOR, DONOR)
GUEST = "guest"
"""What a guest's user or token is kept as: whoever it is reads as an auditor or a donor (`guest_access`), and is in none of these roles."""

DESK = frozenset({CLERK, ARMOURER, COMMANDER})

READ = "read"
"""Weapons, documents, balances, discrepancies, each within one's scope."""
READ_PEOPLE = "read people"
APPROVE = "approve"
KEEP_REFERENCE = "keep reference"
"""Write sites, units, people, models, aliases."""
ASSIGN = "assign weapons"
ASK_CLOSURE = "ask for the closure of a discrepancy"
"""Approved by another under APPROVE."""
ASSIGN_DISCREPANCY = "assign discrepancies"
TELL_OF_HAND_OVERS = "tell of carriers"
"""Say that a shipment passed from one carrier to the next."""
COUNT = "count"
"""Open a count, record what is read, seal containers."""
CLOSE_COUNT = "close counts"
"""By somebody else than its only counter."""
ENROL = "enrol devices"
ENROL_COUNTERS = "enrol counters"
RESET_PINS = "reset PINs"
"""Register badges, give one-time PINs, see who failed to sign in."""
KEEP_USERS = "keep users"
TAKE_SIGNATURES = "take signatures"
"""Keep that a receiver or returner signed at one's counter."""
CARRY = "carry vouchers"
"""Bring in what a device of one's site wrote and signed; what was written is not one's own act."""
WRITE_NOTES = "write notes"
"""What is added to a document later."""
IMPORT_REGISTER = "import registers"
COMPARE = "compare registers"
"""Two lists, or a list and the ledger; what was found is kept."""
WRITE_CASES = "write cases"
"""Open a case, and add to it: research, notes, evidence, how it should end. A case is no ledger."""
LEAD_CASES = "lead cases"
"""Say who answers for a case and until when, and end one as the second person."""
PRINT_LABELS = "print labels"
ERASE = "have a person erased"
READ_ERASURES = "read erasures"
READ_ALARMS = "read alarms of the log"
READ_CHANGES = "read the feed of changes"
READ_ALERTS = "read alerts"
"""And be told of them by web feed and e-mail."""
TELL_HOST = "declare consignments to the host"
"""As their donor: shipping lists, end-user certificates, consents."""
ANSWER_DONORS = "answer donors"
"""Accept what a donor declares and certifies, or send it back."""
SIGN_DELIVERIES = "sign delivery verifications"
"""As receiver, or as the second person."""
MONITOR = "monitor end use"
"""As their donor: plan and record visits of its inspectors."""
KEEP_PLANS = "keep plans of monitoring"
"""A registrar the general ones, a donor its own."""
ANSWER_VISITS = "answer visits"
REPORT_DISPOSITIONS = "report what a holder has"
"""To a donor, for a unit of one's site: held, expended, lost."""
STORE_FILES = "store files"
TRACE = "trace weapons"
"""Keep and answer tracing requests, ask other States, read sightings; an answer is released by another than who proposed it."""
REPORT_SIGHTING = "report sightings"
"""Say that a weapon was seen or recovered abroad. Who stands at a desk is not told what came of it."""

INVITE_GUESTS = "invite guests"
"""Ask for the access of somebody from outside, and end it."""
APPROVE_GUESTS = "approve guests"
"""By another person than who asked; also end an access, and see what guests read."""

RIGHTS: dict[str, frozenset[str]] = {
    READ: frozenset(ROLES),
    READ_PEOPLE: DESK | {REGISTRAR, AUDITOR},
    APPROVE: frozenset({COMMANDER, REGISTRAR}),
    KEEP_REFERENCE: frozenset({REGISTRAR}),
    ASSIGN: frozenset({ARMOURER, COMMANDER}),
    ASK_CLOSURE: DESK | {REGISTRAR},
    ASSIGN_DISCREPANCY: frozenset({COMMANDER, REGISTRAR}),
    TELL_OF_HAND_OVERS: DESK | {REGISTRAR},
    COUNT: DESK | {REGISTRAR, AUDITOR},
    CLOSE_COUNT: frozenset({ARMOURER, COMMANDER, REGISTRAR, AUDITOR}),
    ENROL: frozenset({REGISTRAR, COMMANDER}),
    ENROL_COUNTERS: frozenset({REGISTRAR, COMMANDER}),
    RESET_PINS: frozenset({REGISTRAR, COMMANDER}),
    KEEP_USERS: frozenset({REGISTRAR}),
    TAKE_SIGNATURES: DESK,
    CARRY: DESK,
    WRITE_NOTES: DESK | {REGISTRAR},
    IMPORT_REGISTER: DESK | {REGISTRAR, AUDITOR},
    COMPARE: DESK | {REGISTRAR, AUDITOR},
    WRITE_CASES: DESK | {REGISTRAR, AUDITOR},
    LEAD_CASES: frozenset({COMMANDER, REGISTRAR, AUDITOR}),
    PRINT_LABELS: DESK | {REGISTRAR},
    ERASE: frozenset({REGISTRAR}),
    READ_ERASURES: frozenset({COMMANDER, REGISTRAR, AUDITOR}),
    READ_ALARMS: frozenset({COMMANDER, REGISTRAR, AUDITOR}),
    READ_CHANGES: frozenset({REGISTRAR, AUDITOR, DONOR}),
    READ_ALERTS: frozenset({COMMANDER, REGISTRAR, AUDITOR, DONOR}),
    TELL_HOST: frozenset({DONOR}),
    ANSWER_DONORS: frozenset({REGISTRAR}),
    SIGN_DELIVERIES: DESK,
    MONITOR: frozenset({DONOR}),
    KEEP_PLANS: frozenset({REGISTRAR, DONOR}),
    ANSWER_VISITS: frozenset({COMMANDER, REGISTRAR}),
    REPORT_DISPOSITIONS: DESK,
    STORE_FILES: frozenset(ROLES),
    TRACE: frozenset({REGISTRAR, AUDITOR}),
    REPORT_SIGHTING: DESK | {REGISTRAR, AUDITOR},
    INVITE_GUESTS: frozenset({REGISTRAR}),
    APPROVE_GUESTS: frozenset({REGISTRAR, AUDITOR}),
    Act.OPEN: frozenset({REGISTRAR, COMMANDER}),
    Act.DECLARE: frozenset({REGISTRAR}),
    Act.SHIP: DESK | {REGISTRAR},
    Act.RECEIVE: DESK,
    Act.REGISTER_GAIN: DESK,
    Act.MARK: frozenset({ARMOURER, COMMANDER}),
    Act.AMEND_IDENTIFICATION: DESK,
    Act.REJECT: DESK,
    Act.ISSUE: DESK,
    Act.HAND_OVER: DESK,
    Act.RETURN: DESK,
    Act.MAINTAIN: DESK,
    Act.REPORT_MISSING: DESK,
    Act.OVERRUN: frozenset({COMMANDER, REGISTRAR}),
    Act.CONCLUDE_LOSS: frozenset({COMMANDER, ARMOURER, CLERK}),
    Act.EXPEND: DESK,
    Act.ORDER_DESTRUCTION: DESK,
    Act.DESTROY: DESK,
    Act.CHANGE_CUSTODIAN: DESK,
    Act.RECOVER: DESK,
    Act.EXPORT: DESK,
    Act.IMPORT_AGAIN: DESK,
    Act.CORRECT: DESK | {REGISTRAR},
    Act.VOID: DESK,
}
"""Right or act -> the roles that have it. An act of two parties is asked for by one of these and approved under
APPROVE by another person."""

READING_ONLY = frozenset({READ, READ_PEOPLE, READ_ERASURES, READ_ALARMS, TRACE})
"""The rights of a role that a guest in it has. Where one of them also lets write, the way in and the database refuse it."""

DATABASE_ROLE = {
    CLERK: roles.POSTER,
    ARMOURER: roles.POSTER,
    COMMANDER: roles.POSTER,
    REGISTRAR: roles.REGISTRAR,
    AUDITOR: roles.AUDITOR,
    DONOR: roles.DONOR,
}
"""The role in PostgreSQL under which each reads. Acts are always posted as the poster of one site."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, in which role and scope. `site` is None for those who are bound to none; it is as it was when the token or
    session was read. `counter_id`: the enrolled counter at which a user signed in. `guest_id`: a guest, who reads as this role and
    writes nothing. `consignments`: those that a guest or a donor's partner reads, and nothing else.
    """

    party_id: UUID
    role: str
    site: Site | None = None
    donor_id: UUID | None = None
    book_code: str | None = None
    token_id: UUID | None = None
    user_id: UUID | None = None
    session_id: UUID | None = None
    counter_id: UUID | None = None
    guest_id: UUID | None = None
    consignments: tuple[UUID, ...] | None = None

    @property
    def reads_only(self) -> bool:
        """Whether this is a guest, or a donor's partner in what is shared."""
        return self.guest_id is not None or self.consignments is not None

    @property
    def site_id(self) -> UUID | None:
        """The key of the own site."""
        return self.site.site_id if self.site else None

    @property
    def site_code(self) -> str | None:
        """The code of the own site."""
        return self.site.code if self.site else None

    @property
    def time_zone(self) -> str | None:
        """The time on the wall of the own site."""
        return self.site.time_zone if self.site else None

    @property
    def database_role(self) -> str:
        """The role in PostgreSQL under which this actor reads."""
        return roles.GUEST if self.consignments is not None else DATABASE_ROLE[self.role]


@contextmanager
def reading(engine: Engine, actor: Actor) -> Iterator[Connection]:
    """A transaction in which the actor reads: its own role and scope, row-level security on."""
    with transaction(engine, actor.database_role, actor.site_id, actor.donor_id) as connection:
        if actor.reads_only:
            only_read(connection, actor.consignments)
        yield connection


def require(actor: Actor, right: str) -> None:
    """Raises NotAllowed, naming who may, unless the actor's role has the right."""
    if actor.reads_only and right not in READING_ONLY:
        raise NotAllowed(sentence("You read here, and write nothing: this takes somebody of the host or a donor."))
    allowed = RIGHTS.get(right, frozenset())
    if actor.role not in allowed:
        who = [role for role in ROLES if role in allowed]
        may_not = {"role": begun(_one([actor.role])), "right": of_the_books(right)}
        if not who:
            raise NotAllowed(sentence("{role} may not {right}. It takes nobody yet.", **may_not))
        raise NotAllowed(sentence("{role} may not {right}. It takes {who}.", who=_one(who), **may_not))


def _one(roles: Sequence[str]) -> Sentence:
    """One of several roles, with its article."""
    named = joined(sentence(" or "), map(of_the_books, roles))
    return sentence("an {role}", role=named) if named[0] in "aeiou" else sentence("a {role}", role=named)

"""What donors and the host tell each other: declarations, end-user certificates, consents, what is answered to them, delivery
verifications. Each is kept as it was said, once, with a leaf of the log, so that nobody can say it never came. Nothing of it moves custody.

A donor reads and says its own alone; the statement's id is of one donor, so that no donor learns of another's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import Connection, Engine

from stockpile.db import roles
from stockpile.db.engine import connected, nobody_erased, take_role
from stockpile.documents import Asked, Words, now
from stockpile.errors import NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.keys import new_key, new_secret
from stockpile.log.leaf import canonical, donor_statement_leaf, name_value, person_digest
from stockpile.notes import printable_lines
from stockpile.reports.keyset import Page, by_moment, by_text, order_asked, orders, read_page
from stockpile.reports.scope import site_asked
from stockpile.rights import DONOR, READ, Actor, require
from stockpile.sentences import of_the_books, sentence


class StatementKind(StrEnum):
    """What a statement is; accepted, sent back, withdrawn and answered answer another."""

    DECLARATION = "declaration"
    CERTIFICATE = "end-user certificate"
    CONSENT = "consent"
    VERIFICATION = "delivery verification"
    ACCEPTED = "accepted"
    SENT_BACK = "sent back"
    SHARE = "share"
    WITHDRAWN = "withdrawn"
    PLANNED_VISIT = "planned visit"
    VISIT = "visit"
    REFUSED_VISIT = "refused visit"
    DISPOSITIONS = "disposition report"
    ANSWERED = "answered"


VISITS = (StatementKind.PLANNED_VISIT, StatementKind.VISIT, StatementKind.REFUSED_VISIT, StatementKind.DISPOSITIONS)
"""Of end-use monitoring: they wait for nobody."""
ANSWERS = frozenset({StatementKind.ACCEPTED, StatementKind.SENT_BACK, StatementKind.WITHDRAWN, StatementKind.ANSWERED})
"""What answers another statement; a share is taken back by who made it."""


class State(StrEnum):
    """What became of a statement: it waits for its answer, was answered, takes none, or was taken back."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    SENT_BACK = "sent back"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


Clause = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), AfterValidator(printable_lines)
]
"""Words of a certificate, of several lines."""


class SendBack(Asked):
    """Send a statement back, saying why."""

    statement_id: UUID = Field(default_factory=new_key, description="Made by the client: of the answer")
    reason: Words = Field(examples=["Row 17 and row 203 bear the same number: which is it?"])


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a statement."""

    statement_id: UUID
    kind: str
    content: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StatementShown:
    """A statement as people read it. `state`: waiting, accepted, sent back, or given, where nothing is to be answered;
    of a share also withdrawn.
    """

    statement_id: UUID
    kind: str
    donor: str
    site: str | None
    reference: str
    recorded_at: datetime
    state: str
    content: dict[str, Any]
    leaf: str
    answer: Answered | None


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement in a list."""

    statement_id: UUID
    kind: str
    donor: str
    site: str | None
    reference: str
    recorded_at: datetime
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class StatementWritten:
    """The answer to who says something, the same for ever; it holds no names."""

    statement_id: UUID
    kind: str
    reference: str
    recorded_at: datetime
    leaf: str


@dataclass(frozen=True, slots=True)
class Said:
    """A statement about to be kept. `answers`: the one that it answers."""

    statement_id: UUID
    donor_id: UUID
    kind: StatementKind
    reference: str
    content: Mapping[str, Any]
    site_id: UUID | None = None
    answers: UUID | None = None

    @property
    def content_hash(self) -> bytes:
        """SHA-256 of what is said, as canonical JSON."""
        about = {
            "kind": self.kind,
            "reference": self.reference,
            "site": str(self.site_id),
            "answers": str(self.answers),
        }
        return sha256(canonical({**about, "content": self.content})).digest()


Signer = Sequence[Any]
"""Who says it, as the leaf commits them: code, name, rank, version of the name, secret."""


def signer_of(connection: Connection, actor: Actor) -> Signer:
    """Who says something. Raises NotAllowed if they were erased at this moment."""
    found = connection.exec_driver_sql(
        "SELECT code, name, rank, name_version, secret FROM signatures(%s)", ([actor.party_id],)
    ).one()
    if found[4] is None:
        raise NotAllowed(sentence("Nothing was done: who says it was erased at this moment."))
    return tuple(found)


@contextmanager
def speaking(engine: Engine, actor: Actor) -> Iterator[tuple[Connection, Signer]]:
    """A transaction in which a donor or a registrar says something, in their own database role. A donor's role can't read the
    secret by which it is committed: that is read before it is taken.
    """
    with connected(engine) as connection:
        take_role(connection, roles.POSTER if actor.role == DONOR else actor.database_role, actor.site_id)
        nobody_erased(connection)
        signer = signer_of(connection, actor)
        take_role(connection, actor.database_role, actor.site_id, actor.donor_id)
        yield connection, signer


def say(connection: Connection, actor: Actor, signer: Signer, said: Said) -> StatementWritten:
    """Keeps a statement with its leaf. The same again gets the first answer.

    Raises PostedWithOtherContent, Refused (it is answered already).
    """
    header: dict[str, Any] = {
        "statement_id": said.statement_id,
        "donor_id": said.donor_id,
        "kind": str(said.kind),
        "site_id": said.site_id,
        "reference": said.reference,
        "answers": said.answers,
        "content": dict(said.content),
        "recorded_at": now(),
        "content_hash": said.content_hash,
    }
    digest = person_digest(bytes(signer[4]), said.statement_id, "said_by", name_value(*signer[:4]))
    seed = new_secret()
    leaf = donor_statement_leaf(seed, header, digest)
    row = {
        **header, "content": Jsonb(header["content"]), "said_by": actor.party_id, "name_version": signer[3], "digest": digest,
        "seed": seed, "leaf": leaf,
    }  # fmt: skip
    inserted = connection.exec_driver_sql(
        f"""INSERT INTO donor_statement ({", ".join(row)}) VALUES ({", ".join(["%s"] * len(row))})
            ON CONFLICT DO NOTHING""",
        tuple(row.values()),
    ).rowcount
    if not inserted:
        return _said_before(connection, said)
    connection.exec_driver_sql("INSERT INTO unsequenced (leaf) VALUES (%s)", (leaf,))
    return StatementWritten(said.statement_id, str(said.kind), said.reference, header["recorded_at"], leaf.hex())


def _said_before(connection: Connection, said: Said) -> StatementWritten:
    known = said_already(connection, said)
    if known is not None:
        return known
    answer = connection.exec_driver_sql(
        "SELECT kind FROM donor_statement WHERE donor_id = %s AND answers = %s", (said.donor_id, said.answers)
    ).scalar_one_or_none()
    raise Refused(sentence("Nothing was done: it was {answer} already.", answer=of_the_books(answer or "answered")))


def said_already(connection: Connection, said: Said) -> StatementWritten | None:
    """The first answer to this statement, if it was said before. Raises PostedWithOtherContent."""
    row = connection.exec_driver_sql(
        """SELECT statement_id, kind, reference, recorded_at, leaf, content_hash FROM donor_statement
           WHERE donor_id = %s AND statement_id = %s""",
        (said.donor_id, said.statement_id),
    ).one_or_none()
    if row is None:
        return None
    if bytes(row[5]) != said.content_hash:
        raise PostedWithOtherContent(
            sentence(
                "Statement {statement_id} was made before with other content. Take a new id for a new statement.",
                statement_id=said.statement_id,
            )
        )
    return StatementWritten(row[0], row[1], row[2], row[3], bytes(row[4]).hex())


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement as whoever answers it needs it."""

    statement_id: UUID
    donor_id: UUID
    donor: str
    kind: StatementKind
    site_id: UUID | None
    reference: str
    content: dict[str, Any]
    answered: str | None


OF_A_CONSIGNMENT = """(current_setting('role') <> 'stockpile_guest'
 OR x.kind IN ('declaration', 'delivery verification', 'accepted', 'sent back'))"""
"""Of statement x: who reads named consignments alone reads what was said of them, and no visit that bears the number of one."""

_KEPT = f"""
SELECT x.statement_id, x.donor_id, p.code, x.kind, x.site_id, x.reference, x.content, a.kind
FROM donor_statement x JOIN party p ON p.party_id = x.donor_id AND {OF_A_CONSIGNMENT}
LEFT JOIN donor_statement a ON a.donor_id = x.donor_id AND a.answers = x.statement_id
WHERE x.statement_id = %s AND x.answers IS NULL
"""


def need_statement(connection: Connection, statement_id: UUID, kind: StatementKind | None = None) -> Kept:
    """A statement in the reader's scope. Raises NotFound."""
    rows = connection.exec_driver_sql(_KEPT, (statement_id,)).all()
    if len(rows) != 1 or (kind is not None and rows[0][3] != kind):
        raise NotFound(sentence("There is no such statement, or it is not yours to read."))
    row = rows[0]
    return Kept(row[0], row[1], row[2], StatementKind(row[3]), *row[4:])


STATE = """CASE WHEN a.kind IN ('accepted', 'sent back', 'withdrawn') THEN a.kind
     WHEN x.kind IN ('consent', 'share', 'planned visit', 'visit', 'refused visit', 'disposition report') THEN 'given' ELSE 'waiting' END"""
_FROM = f"""
FROM donor_statement x JOIN party p ON p.party_id = x.donor_id AND {OF_A_CONSIGNMENT} LEFT JOIN site s ON s.site_id = x.site_id
LEFT JOIN donor_statement a ON a.donor_id = x.donor_id AND a.answers = x.statement_id
"""
_LISTED = f"""
SELECT x.statement_id, x.donor_id,
       x.statement_id, x.kind, p.code, s.code, x.reference, x.recorded_at, {STATE}, a.content->>'reason'
{_FROM}
"""
_SHOWN = f"""
SELECT x.statement_id, x.kind, p.code, s.code, x.reference, x.recorded_at, {STATE}, x.content, x.leaf,
       a.statement_id, a.kind, a.content, a.recorded_at
{_FROM} WHERE x.statement_id = %s AND x.answers IS NULL
"""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which statements are sought: those to which all apply that is said."""

    kind: str | None = None
    state: str | None = None
    donor: str | None = None
    site: str | None = None
    reference: str | None = None


ORDERS = orders(
    {"x.statement_id": UUID, "x.donor_id": UUID},
    reference={"x.reference": str},
    kind={"x.kind": str},
    donor=by_text("p.code"),
    site=by_text("s.code"),
    recorded_at=by_moment("x.recorded_at"),
    state={STATE: str},
)


def list_statements(
    connection: Connection,
    actor: Actor,
    sought: Sought = Sought(),
    limit: int = 100,
    cursor: str | None = None,
    order: str | None = None,
) -> Page[StatementRow]:
    """The statements in the asker's scope, the newest first or by one of ORDERS: a donor its own, a desk its site's. Answers stand
    with what they answer. Raises NotAllowed, NotFound (site), Invalid (limit, cursor, order).
    """
    require(actor, READ)
    where = {
        "(x.answers IS NULL) = %s": True,
        "x.kind = %s": sought.kind,
        f"{STATE} = %s": sought.state,
        "p.code = %s": sought.donor,
        "x.site_id = %s": site_asked(connection, actor, sought.site),
        "x.reference = %s": sought.reference,
    }
    keys = {"x.statement_id": UUID, "x.donor_id": UUID}
    by = order_asked(order, ORDERS)
    return read_page(connection, _LISTED, where, keys, StatementRow, limit, cursor, newest_first=True, order=by)


def read_statement(connection: Connection, actor: Actor, statement_id: UUID) -> StatementShown:
    """One statement with its answer. Raises NotFound: there is none, or it is not the asker's to read."""
    require(actor, READ)
    rows = connection.exec_driver_sql(_SHOWN, (statement_id,)).all()
    if len(rows) != 1:
        raise NotFound(sentence("There is no such statement, or it is not yours to read."))
    row = rows[0]
    answer = Answered(row[9], row[10], row[11], row[12]) if row[9] is not None else None
    return StatementShown(
        row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], bytes(row[8]).hex(), answer
    )  # fmt: skip

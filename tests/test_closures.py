"""Closing discrepancies: by a document that explains them and a second person; by themselves only when a late paper shows that
nothing was wrong. Whatever is done about one stays with it.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import ProgrammingError

from stockpile import closures
from stockpile.acts.correct import CORRECT
from stockpile.acts.expend import EXPEND
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.closures import AskClosure, AssignDiscrepancies, Closure, Step
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.errors import Invalid, NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.keys import new_key
from stockpile.notes import NoteKind, WriteNote, write_note
from stockpile.rights import reading
from tests.world import RIFLES, Country, ago, paper, scanned_paper, scans

SPENT = {"manner": "fired", "place": "the bridge", "circumstances": "an ambush"}


def contradicted(country: Country, *rifles: str) -> tuple[Posted, list[UUID]]:
    """A paper that says Quist returned rifles which Petrov has; and what is open against them."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*rifles))
    posted = country.do(
        "clerk", RETURN, returned_by="A-1002", store="Main store", lines=scans(*rifles), paper=paper(7, ago())
    )
    return posted, [found.discrepancy_id for found in posted.discrepancies]


def ask(country: Country, who: str, discrepancies: list[UUID], document: str, **more: Any) -> Closure:
    request = AskClosure(
        discrepancies=tuple(discrepancies), explained_by=document, explanation="The wrong name was written", **more
    )
    return closures.ask(country.engine, country.actors[who], request)


def approve(country: Country, who: str, closure: Closure) -> Closure:
    return closures.approve(country.engine, country.actors[who], closure.closure_id)


def steps(country: Country, discrepancy_id: UUID) -> list[tuple[str, str]]:
    actor = country.actors["clerk"]
    with reading(country.engine, actor) as connection:
        rows: tuple[Step, ...] = closures.list_steps(connection, actor, discrepancy_id).rows
    return [(step.what, step.done_by) for step in rows]


def explaining(country: Country, rifle: str) -> str:
    """The number of a later document of the rifle."""
    return country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(rifle)).number


def state_of(country: Country, discrepancy_id: UUID) -> tuple[Any, ...]:
    return country.query(
        "SELECT outcome, proposed_by, closed_by FROM discrepancy WHERE discrepancy_id = %s", discrepancy_id
    )[0]


def test_a_clerk_explains_and_the_commander_agrees(country: Country) -> None:
    """Until he does, it stays open; both stand on it for ever after."""
    _, (found,) = contradicted(country, RIFLES[0])
    closure = ask(country, "clerk", [found], explaining(country, RIFLES[0]))
    assert state_of(country, found) == (None, None, None)
    closed = approve(country, "commander", closure)
    assert (closed.outcome, closed.settled_by) == ("approved", "Major Carim Commander (C-1)")
    clerk, commander = country.parties["T-1"].party_id, country.parties["C-1"].party_id
    assert state_of(country, found) == ("explained", clerk, commander)
    assert steps(country, found) == [
        ("closure asked for", "Sergeant Talib Clerk (T-1)"),
        ("closed", "Major Carim Commander (C-1)"),
    ]
    assert approve(country, "commander", closure) == closed


def test_nobody_agrees_with_himself(country: Country) -> None:
    """Not the commander either; and a clerk agrees to nothing."""
    _, (found,) = contradicted(country, RIFLES[0])
    closure = ask(country, "commander", [found], explaining(country, RIFLES[0]))
    with pytest.raises(NotAllowed, match="takes another person"):
        approve(country, "commander", closure)
    with pytest.raises(NotAllowed):
        approve(country, "clerk", closure)
    with pytest.raises(psycopg.errors.CheckViolation, match="discrepancy_two_people"):
        country.owner_query(
            """UPDATE stockpile.discrepancy SET closed_at = now(), outcome = 'explained', explained_by = document_id,
                      proposed_by = owner_id, closed_by = owner_id WHERE discrepancy_id = %s RETURNING 1""",
            found,
        )
    assert state_of(country, found) == (None, None, None)


def test_a_document_that_explains_nothing(country: Country) -> None:
    """The one that opened it, one of another weapon, none at all; and a discrepancy that nobody knows."""
    posted, (found,) = contradicted(country, RIFLES[0])
    other = explaining(country, RIFLES[1])
    for document, reason in ((posted.number, "what it is about"), (other, "nothing of its weapon")):
        with pytest.raises(Refused) as refusal:
            ask(country, "clerk", [found], document)
        assert reason in refusal.value.reasons[0].reason
    with pytest.raises(NotFound):
        ask(country, "clerk", [found], "TAJI/B/2026/4711")
    with pytest.raises(Refused) as refusal:
        ask(country, "clerk", [found, new_key()], explaining(country, RIFLES[0]))
    assert [(reason.line, reason.reason) for reason in refusal.value.reasons] == [
        (2, "there is no such discrepancy at this site")
    ]


def test_what_was_missing_is_added_to_the_document_itself(country: Country) -> None:
    """The second party's signature, on a scan that came a week later: a note to the report, which then explains it."""
    posted = country.do("clerk", EXPEND, **SPENT, lines=scans(RIFLES[0]), paper=paper(1, ago()))
    (found,) = [one.discrepancy_id for one in posted.discrepancies]
    with pytest.raises(Refused) as refusal:
        ask(country, "clerk", [found], posted.number)
    assert "add to this what was missing" in refusal.value.reasons[0].reason
    signed = WriteNote(kind=NoteKind.SIGNATURE, text="signed by the commander", attachments=(scanned_paper(),))
    write_note(country.engine, country.actors["clerk"], posted.document_id, signed)
    assert approve(country, "commander", ask(country, "clerk", [found], posted.number)).outcome == "approved"


def test_several_at_once_all_or_none(country: Country) -> None:
    """A correction that takes the whole paper back explains all its lines; closed ones can't be closed again."""
    posted, found = contradicted(country, *RIFLES[:3])
    taken_back = country.do_with_approval(
        "clerk", "commander", CORRECT, document=str(posted.document_id), reason="torn"
    )
    first = ask(country, "clerk", found[:2], taken_back.number)
    everything = ask(country, "second clerk", found, taken_back.number)
    approve(country, "commander", first)
    with pytest.raises(Refused) as refusal:
        approve(country, "commander", everything)
    assert [reason.reason for reason in refusal.value.reasons] == ["it is closed already"] * 2
    assert state_of(country, found[2])[0] is None


def test_not_agreed_to(country: Country) -> None:
    """Refused by the commander, or taken back by who asked: both can be read, and the way is free for another."""
    _, (found,) = contradicted(country, RIFLES[0])
    number = explaining(country, RIFLES[0])
    actors = country.actors
    refused = closures.refuse(
        country.engine, actors["commander"], ask(country, "clerk", [found], number).closure_id, "no"
    )
    assert (refused.outcome, refused.reason) == ("refused", "no")
    own = closures.refuse(country.engine, actors["clerk"], ask(country, "clerk", [found], number).closure_id, "a slip")
    assert own.outcome == "withdrawn"
    waiting = ask(country, "clerk", [found], number)
    with pytest.raises(NotAllowed):
        closures.refuse(country.engine, actors["second clerk"], waiting.closure_id, "not mine")
    with pytest.raises(Refused, match="settled already"):
        approve(country, "commander", refused)


def test_the_same_id_again(country: Country) -> None:
    """Sent twice it waits once; the same id for something else is refused."""
    _, (found,) = contradicted(country, RIFLES[0])
    number, key = explaining(country, RIFLES[0]), new_key()
    assert ask(country, "clerk", [found], number, closure_id=key) == ask(
        country, "clerk", [found], number, closure_id=key
    )
    with pytest.raises(PostedWithOtherContent):
        ask(country, "clerk", [found], explaining(country, RIFLES[1]), closure_id=key)


def test_somebody_else_answers_for_it(country: Country) -> None:
    """A commander says who, and until when. Nobody of another site."""
    _, (found,) = contradicted(country, RIFLES[0])

    def assigned(who: str, owner: str) -> int:
        request = AssignDiscrepancies(discrepancies=(found,), owner=owner, due_on=date(2030, 1, 1))
        return closures.assign(country.engine, country.actors[who], request)

    with pytest.raises(NotAllowed):
        assigned("clerk", "T-2")
    with pytest.raises(Invalid):
        assigned("commander", "E-1")
    assert assigned("commander", "T-2") == 1
    ((owner, due),) = country.query("SELECT owner_id, due_on FROM discrepancy WHERE discrepancy_id = %s", found)
    assert (owner, due) == (country.parties["T-2"].party_id, date(2030, 1, 1))
    assert steps(country, found) == [("assigned", "Major Carim Commander (C-1)")]


def test_another_site_sees_and_closes_nothing(country: Country) -> None:
    _, (found,) = contradicted(country, RIFLES[0])
    closure = ask(country, "clerk", [found], explaining(country, RIFLES[0]))
    with pytest.raises(NotFound):
        ask(country, "erbil clerk", [found], "TAJI/B/2026/1")
    with pytest.raises(NotFound):
        closures.refuse(country.engine, country.actors["erbil clerk"], closure.closure_id, "no")


def test_a_late_paper_that_explains_it_withdraws_it(country: Country) -> None:
    """Petrov had handed the rifle to Quist: the paper of that comes a day later. What is closed by it says so; what a person
    asked for meanwhile can't be approved any more.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    between = ago()
    posted = country.do(
        "clerk", RETURN, returned_by="A-1002", store="Main store", lines=scans(RIFLES[0]), paper=paper(7, ago())
    )
    (found,) = [one.discrepancy_id for one in posted.discrepancies]
    waiting = ask(country, "clerk", [found], explaining(country, RIFLES[0]))
    late = country.do(
        "clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=scans(RIFLES[0]), paper=paper(6, between)
    )
    assert country.query(
        "SELECT outcome, explanation, explained_by, closed_by FROM discrepancy WHERE discrepancy_id = %s", found
    ) == [("withdrawn", f"{late.number} came late and explains it", late.document_id, None)]
    assert steps(country, found)[-1] == ("withdrawn", "Sergeant Talib Clerk (T-1)")
    with pytest.raises(Refused) as refusal:
        approve(country, "commander", waiting)
    assert refusal.value.reasons[0].reason == "it is closed already"


def test_nobody_at_the_database_closes_one_past_two_people(country: Country) -> None:
    """The role that posts may neither write that a discrepancy is closed nor that it is withdrawn, nor say it was a step; the
    functions that do it want a closure that somebody else asked for, or a later document of the same weapon.
    """
    posted, (found,) = contradicted(country, RIFLES[0])
    other = country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[1]))
    clerk = country.parties["T-1"].party_id
    closure = ask(country, "clerk", [found], explaining(country, RIFLES[0]))
    taji = country.sites["TAJI"].site_id
    refused = {
        "UPDATE discrepancy SET outcome = 'withdrawn', closed_at = now(), explained_by = document_id WHERE discrepancy_id = %s": (found,),
        "INSERT INTO discrepancy_step (discrepancy_id, step, site_id, what, happened_at, done_by)"
        " VALUES (%s, 9, %s, 'closed', now(), %s)": (found, taji, clerk),
        "UPDATE closure SET outcome = 'approved', settled_at = now(), settled_by = gen_random_uuid() WHERE closure_id = %s": (
            closure.closure_id,
        ),
        "SELECT close_discrepancies(%s, %s, now())": (closure.closure_id, clerk),
    }  # fmt: skip
    for statement, parameters in refused.items():
        with (
            pytest.raises(ProgrammingError),
            transaction(country.engine, roles.POSTER, taji) as connection,
        ):
            connection.exec_driver_sql(statement, parameters)
    for explaining_document in (other.document_id, posted.document_id):
        with transaction(country.engine, roles.POSTER, country.sites["ERBIL"].site_id) as connection:
            connection.exec_driver_sql("SELECT withdraw_discrepancies(%s, %s, 'so')", ([found], explaining_document))
    with transaction(country.engine, roles.POSTER, taji) as connection:
        connection.exec_driver_sql("SELECT withdraw_discrepancies(%s, %s, 'so')", ([found], other.document_id))
    assert state_of(country, found) == (None, None, None)


def test_the_id_of_another_site_s_closure(country: Country) -> None:
    """It is taken, and nothing is told of it."""
    _, (found,) = contradicted(country, RIFLES[0])
    closure = ask(country, "clerk", [found], explaining(country, RIFLES[0]))
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    own = country.do("erbil clerk", RETURN, store="Main store", lines=scans("E 1"), in_hand=True)
    theirs = [one.discrepancy_id for one in own.discrepancies]
    later = country.do("erbil clerk", REPORT_MISSING, place="the yard", circumstances="gone", lines=scans("E 1"))
    with pytest.raises(PostedWithOtherContent):
        ask(country, "erbil clerk", theirs, later.number, closure_id=closure.closure_id)


def test_an_auditor_reads_the_closures_of_all_sites(country: Country) -> None:
    _, (found,) = contradicted(country, RIFLES[0])
    closure = ask(country, "clerk", [found], explaining(country, RIFLES[0]))
    auditor = country.actors["auditor"]
    with reading(country.engine, auditor) as connection:
        rows = closures.list_closures(connection, auditor).rows
    assert [row.closure_id for row in rows] == [closure.closure_id]

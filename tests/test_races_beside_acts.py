"""What is no act and yet meets one on the same rifle, person or number: a closure and the paper that makes it needless, a person's
erasure and what is just being handed to them, two devices' vouchers, two who settle one draft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from stockpile import closures, device_vouchers, devices, erasure, erasure_orders
from stockpile.acts import ACTS, perform
from stockpile.acts.change_custodian import CHANGE_CUSTODIAN
from stockpile.acts.correct import UNDO
from stockpile.acts.expend import EXPEND
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.perform import Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.closures import AskClosure, AssignDiscrepancies
from stockpile.db import roles
from stockpile.db.engine import nobody_erased, transaction
from stockpile.device_vouchers import Contact
from stockpile.documents import Posted, now
from stockpile.erasure import Erased
from stockpile.erasure_orders import OrderErasure
from stockpile.errors import Invalid, Refused
from stockpile.notes import WriteNote, write_note
from tests.conftest import Databases
from tests.device import FieldDevice
from tests.in_flight import Waiting, in_flight
from tests.test_erasure import second_registrar
from tests.test_races import at_once
from tests.test_races_of_acts import without_deadlock
from tests.world import RIFLES, Country, ago, kinds, paper, scans, told

STORE = "Main store"
QUIST = "A-1002"
SPENT = {"manner": "fired", "place": "range", "circumstances": "none"}
ROUNDS = range(6)


# Unknown rifles


@pytest.mark.parametrize("model", [{}, {"model": "AKM"}])
def test_two_papers_with_one_unknown_rifle_take_in_one(country: Country, model: dict[str, str]) -> None:
    """The second, which names no model, looked before the first was posted; it looks again, and finds the rifle."""
    lines = [{"scan": "NEVER 1"}]
    named = [{**lines[0], **model}]
    with in_flight(country, "clerk", RETURN, store=STORE, lines=named, paper=paper(1, ago(), book="PAD-1")):
        second = Waiting(
            lambda: country.do(
                "second clerk", ISSUE, receiver=QUIST, store=STORE, lines=lines, paper=paper(1, ago(), book="PAD-2")
            )
        )
        assert second.waits()
    assert kinds(second.answer()) == []
    assert country.query("SELECT count(*) FROM identification WHERE serial_number = 'NEVER 1'") == [(1,)]
    assert country.where("NEVER 1") == "Private Quist (A-1002)"


@contextmanager
def just_before(engine: Engine, words: str, do: Callable[[], Any]) -> Iterator[None]:
    """Somebody does something at the very moment before a statement with these words is first sent."""
    left = [do]

    def interrupt(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if words in statement and left:
            left.pop()()

    event.listen(engine, "before_cursor_execute", interrupt)
    yield
    event.remove(engine, "before_cursor_execute", interrupt)
    assert not left, "nothing of the kind was sent"


@pytest.mark.parametrize("moment", ["unknown weapons", "FROM alias"])
def test_a_paper_finds_the_rifle_that_is_received_while_it_is_keyed(country: Country, moment: str) -> None:
    """Between any two looks of the paper: it never takes in a second rifle that nobody flags."""
    listed = [{"model": "AKM", "serial_number": "NEVER 2", "condition": "serviceable"}]
    receipt = partial(country.do, "second clerk", RECEIVE, store=STORE, lines=listed)
    with just_before(country.engine, moment, receipt):
        country.do("clerk", RETURN, store=STORE, lines=[{"scan": "NEVER 2", "model": "AKM"}], paper=paper(1, ago()))
    assert country.query("SELECT count(*) FROM identification WHERE serial_number = 'NEVER 2'") == [(1,)]


def test_papers_of_one_pad_with_new_rifles_wait_for_one_another_in_one_order(
    country: Country, databases: Databases
) -> None:
    """A receipt and returns of rifles nobody heard of, with the same numbers on them: each takes the pad first, then numbers."""
    with without_deadlock(country, databases):
        for round_ in ROUNDS:
            serials = [f"N {round_} {n}" for n in range(20)]
            received = {"lines": [{"model": "AKM", "serial_number": serial} for serial in serials]}
            returned = {"lines": [{"scan": serial, "model": "AKM"} for serial in reversed(serials)]}
            tasks = [
                partial(country.do, who, form, store=STORE, paper=paper(4 * round_ + n, ago()), **lines)
                for n, (who, form, lines) in enumerate(
                    [("clerk", RECEIVE, received), ("second clerk", RETURN, returned), ("commander", RETURN, returned)],
                    1,
                )
            ]
            answers = at_once(tasks)
            assert all(isinstance(answer, Posted) for answer in answers), answers
    assert country.query("SELECT count(*) FROM book WHERE code = 'PAPER'") == [(1,)]


def test_papers_with_unknown_rifles_and_a_joint_inventory_wait_in_one_order(
    country: Country, databases: Databases
) -> None:
    """The inventory lets nobody open a book at its site; whoever takes in what nobody heard of has opened theirs by then."""
    lines = scans("NEVER 3")
    began: list[Waiting] = []

    def begin_inventory() -> None:
        ask = partial(country.do, "clerk", CHANGE_CUSTODIAN, account=STORE, received_by="T-2", lines=lines)
        began.append(Waiting(partial(ask, paper=paper(1, ago(), book="INVENTORY"))))
        began[0].waits()

    with without_deadlock(country, databases):
        with just_before(country.engine, "INSERT INTO book", begin_inventory):
            country.do("second clerk", RETURN, store=STORE, lines=lines, paper=paper(1, ago(), book="PAD"))
        assert isinstance(began[0].answer(), Posted)
    assert country.query("SELECT count(*) FROM identification WHERE serial_number = 'NEVER 3'") == [(1,)]


# Closures


def misplaced(country: Country, rifles: tuple[str, ...]) -> tuple[list[UUID], Callable[[], Any]]:
    """Papers that say Quist returned rifles which Petrov had; and a paper, to be keyed, that shows how he came by them."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(*rifles))
    between = ago()
    number = int(country.query("SELECT coalesce(max(number), 0) FROM document WHERE written_offline")[0][0])
    posted = country.do(
        "clerk", RETURN, returned_by=QUIST, store=STORE, lines=scans(*rifles), paper=paper(number + 2, ago())
    )
    late = partial(
        country.do, "second clerk", HAND_OVER, giver="A-1001", receiver=QUIST, lines=scans(*rifles[::-1]),
        paper=paper(number + 1, between),
    )  # fmt: skip
    return [found.discrepancy_id for found in posted.discrepancies], late


def closure(country: Country, found: list[UUID], explained_by: str) -> AskClosure:
    return AskClosure(discrepancies=tuple(found), explained_by=explained_by, explanation="The wrong name was written")


def test_a_discrepancy_is_closed_or_withdrawn_and_never_both(country: Country, databases: Databases) -> None:
    """The commander agrees, somebody else is made to answer for it, another asks for a closure, and the late paper is keyed, all
    at one moment: each is done or told, and the steps of each discrepancy say what was done.
    """
    engine, actors = country.engine, country.actors
    with without_deadlock(country, databases):
        for _ in ROUNDS:
            found, late = misplaced(country, RIFLES[:5])
            number = country.do("clerk", ISSUE, receiver=QUIST, store=STORE, lines=scans(*RIFLES[:5])).number
            asked = closures.ask(engine, actors["clerk"], closure(country, found, number))
            assigned = AssignDiscrepancies(discrepancies=tuple(found), owner="T-2")
            other = closure(country, found[::-1], number)
            refused = closures.ask(engine, actors["clerk"], closure(country, found[1:], number))
            answers = at_once(
                [
                    late,
                    partial(closures.approve, engine, actors["commander"], asked.closure_id),
                    partial(closures.assign, engine, actors["commander"], assigned),
                    partial(closures.ask, engine, actors["second clerk"], other),
                    partial(closures.refuse, engine, actors["commander"], refused.closure_id, "no"),
                ]
            )
            assert isinstance(answers[0], Posted), answers
            assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refused)], answers
            ended = country.query("SELECT outcome FROM discrepancy WHERE discrepancy_id = ANY (%s)", found)
            assert set(ended) in ({("withdrawn",)}, {("explained",)})
            assert isinstance(answers[1], Refused) == (ended[0] == ("withdrawn",))
            country.do("clerk", RETURN, store=STORE, lines=scans(*RIFLES[:5]))


# Erasures


def ordered(country: Country, person: str = QUIST) -> UUID:
    request = OrderErasure(person=person, order_reference="MOD 117", reason="Court order", redact_all=True)
    return erasure_orders.order(country.engine, country.actors["registrar"], request).erasure_id


def erased(country: Country, erasure_id: UUID) -> Erased:
    return erasure.approve(country.engine, country.actors["second registrar"], erasure_id)


@contextmanager
def being_erased(country: Country, erasure_id: UUID) -> Iterator[None]:
    """The person is erased when this begins, and it commits when it ends."""
    actor = country.actors["second registrar"]
    with transaction(country.engine, roles.REGISTRAR) as connection:
        nobody_erased(connection, but_one=True)
        erasure._erase(connection, actor, erasure_orders.read_order(connection, actor, erasure_id))
        yield


def held_by_the_erased(country: Country) -> list[tuple[Any, ...]]:
    return country.query(
        "SELECT h.item_id FROM holding h JOIN account a USING (account_id) JOIN party p USING (party_id) WHERE p.erased_at IS NOT NULL"
    )


def test_who_is_just_being_given_a_rifle_is_not_erased(country: Country) -> None:
    """By hand receipt, and by an undone return that gives one back: the approval waits, and reads what is held."""
    second_registrar(country)
    order = ordered(country)
    with in_flight(country, "clerk", ISSUE, receiver=QUIST, store=STORE, lines=scans(RIFLES[0])):
        approving = Waiting(lambda: erased(country, order))
        assert approving.waits()
    refusal = approving.answer()
    assert isinstance(refusal, Refused), refusal
    assert told(refusal)[0][:2] == (f"AKM {RIFLES[0]}", "this person still holds it: take it back first")
    returned = country.do("clerk", RETURN, store=STORE, lines=scans(RIFLES[0]))
    with in_flight(country, "clerk", UNDO, document=returned.document_id):
        approving = Waiting(lambda: erased(country, order))
        assert approving.waits()
    assert isinstance(approving.answer(), Refused)
    assert held_by_the_erased(country) == []


def test_who_was_just_erased_is_given_nothing(country: Country) -> None:
    """A clerk who asks meanwhile is told that nobody has the number; a paper goes to whom nobody could identify; a draft with
    the name in it is not kept.
    """
    second_registrar(country)
    with being_erased(country, ordered(country)):
        issuing = Waiting(lambda: country.ask("clerk", ISSUE, receiver=QUIST, store=STORE, lines=scans(RIFLES[0])))
        keying = Waiting(
            lambda: country.do(
                "second clerk",
                ISSUE,
                receiver=QUIST,
                store=STORE,
                lines=scans(RIFLES[1]),
                paper=paper(1, ago(seconds=-9)),
            )
        )
        drafting = Waiting(lambda: country.ask("clerk", EXPEND, holder=QUIST, **SPENT, lines=scans(RIFLES[2])))
        assert issuing.waits()
        assert keying.waits()
        assert drafting.waits()
    assert isinstance(issuing.answer(), Invalid), issuing.answer()
    assert kinds(keying.answer()) == ["receiver not on the roster"]
    assert isinstance(drafting.answer(), Invalid), drafting.answer()
    assert held_by_the_erased(country) == []
    assert country.where(RIFLES[1]) == "unidentified person at TAJI"


def test_an_erasure_in_the_rush_of_the_counters(country: Country, databases: Databases) -> None:
    """Issued, handed on, noted, made to answer for a discrepancy, erased, at one moment: whoever was first is right."""
    second_registrar(country)
    engine, actors = country.engine, country.actors
    given = country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    contradicted = country.do(
        "clerk", RETURN, returned_by="A-1003", store=STORE, lines=scans(RIFLES[5]), paper=paper(1, ago())
    )
    (found,) = contradicted.discrepancies
    asked = AssignDiscrepancies(discrepancies=(found.discrepancy_id,), owner=QUIST)
    note = WriteNote(text="Quist was there")
    order = ordered(country)
    with without_deadlock(country, databases):
        answers = at_once(
            [
                partial(country.ask, "clerk", ISSUE, receiver=QUIST, store=STORE, lines=scans(RIFLES[1])),
                partial(country.ask, "second clerk", HAND_OVER, giver="A-1001", receiver=QUIST, lines=scans(RIFLES[0])),
                partial(country.ask, "commander", EXPEND, holder=QUIST, **SPENT, lines=scans(RIFLES[2])),
                partial(erased, country, order),
                partial(closures.assign, engine, actors["commander"], asked),
                partial(write_note, engine, actors["clerk"], given.document_id, note),
            ]
        )
        assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refused | Invalid)], (
            answers
        )
        assert held_by_the_erased(country) == []
        if isinstance(answers[3], Erased):
            assert not isinstance(answers[0], Posted), answers


# Devices and drafts


def tablet(country: Country) -> FieldDevice:
    device = FieldDevice()
    with transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection:
        enrolled = devices.enrol(connection, country.actors["commander"], "TAB-1", "Tablet 1", device.public_key)
    device.device_id = str(enrolled)
    return device


def brings(country: Country, who: str, device: FieldDevice, *vouchers: dict[str, str]) -> Callable[[], Any]:
    contact = Contact.model_validate({"device_time": now(), "vouchers": list(vouchers)})
    return lambda: device_vouchers.take(country.engine, country.actors[who], UUID(device.device_id), contact)


def test_one_number_on_two_vouchers_at_once(country: Country, databases: Databases) -> None:
    """A tablet that was set back wrote its first number twice; both are brought at one moment: one has the number, the other is
    in the exceptions book, and both happened.
    """
    with without_deadlock(country, databases):
        device = tablet(country)
        for round_ in ROUNDS:
            first = device.write("issue", ago(), {"receiver": QUIST, "store": STORE, "lines": scans(RIFLES[round_])})
            device.written -= 1
            again = device.write("return", ago(), {"store": STORE, "lines": scans(RIFLES[round_])})
            taken = at_once([brings(country, "clerk", device, first), brings(country, "second clerk", device, again)])
            posted = [one.outcomes[0].posted for one in taken]
            assert all(posted), taken
            assert sorted(one.number.split("/")[1] for one in posted) == ["EXC", "TAB-1"], posted
            assert country.discrepancies().count("number claimed twice") == round_ + 1


def test_one_voucher_brought_by_two_at_once(country: Country) -> None:
    """The link broke off, and two carry it in: posted once, and both are told the same."""
    device = tablet(country)
    for round_ in ROUNDS:
        voucher = device.write("issue", ago(), {"receiver": QUIST, "store": STORE, "lines": scans(RIFLES[round_])})
        taken = at_once([brings(country, "clerk", device, voucher)] * 4)
        assert {one.outcomes[0].posted for one in taken} == {taken[0].outcomes[0].posted}, taken
        assert taken[0].outcomes[0].posted is not None
    assert country.query("SELECT count(*) FROM document WHERE act = 'issue'") == [(len(ROUNDS),)]


def test_two_settle_one_draft(country: Country) -> None:
    """The commander approves it twice and the registrar rejects it: posted once, or rejected, and everybody is told which."""
    engine, actors = country.engine, country.actors
    for rifle in RIFLES[: len(ROUNDS)]:
        drafted = country.ask("clerk", EXPEND, **SPENT, lines=scans(rifle))
        assert isinstance(drafted, Drafted)
        approve = partial(perform.approve, engine, actors["commander"], ACTS, drafted.document_id)
        reject = partial(perform.reject, engine, actors["registrar"], drafted.document_id, "no", "TAJI")
        first, second, rejected = at_once([approve, approve, reject])
        assert first == second or (isinstance(first, Refused) and isinstance(second, Refused))
        assert isinstance(first, Posted) == isinstance(rejected, Refused), (first, rejected)
        assert isinstance(first, Posted) == (country.where(rifle) == "expended")

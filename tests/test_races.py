"""What happens when clerks do things at the same moment: one wins, the others are told in words, and nothing breaks."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

from stockpile.acts import perform
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.perform import ActForm, Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Posted, Request
from stockpile.errors import Invalid, PostedWithOtherContent, Refused
from stockpile.keys import new_key
from tests.world import RIFLES, Country, scans

CLERKS = 8
SOLDIERS = ("A-1001", "A-1002", "A-1003")


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each task answered, or the error it met; all begin at one moment."""
    start = Barrier(len(tasks))
    answers: list[Any] = [None] * len(tasks)

    def run(number: int, task: Callable[[], Any]) -> None:
        start.wait()
        try:
            answers[number] = task()
        except Exception as problem:
            answers[number] = problem

    threads = [Thread(target=run, args=given) for given in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "somebody still waits"
    return answers


def asking(country: Country, who: str, form: ActForm, request: Request) -> Callable[[], Posted | Drafted]:
    """A clerk who is about to ask for an act."""
    return lambda: perform.perform(country.engine, country.actors[who], form, request)


def clerk(number: int) -> str:
    """Two counters, four clerks at each."""
    return ("clerk", "second clerk")[number % 2]


def test_eight_clerks_issue_one_rifle_and_one_gives_it_away(country: Country) -> None:
    """One soldier gets it; seven clerks read who has it now."""
    requests = [
        ISSUE.request.model_validate(
            {"receiver": SOLDIERS[n % 3], "store": "Main store", "lines": scans(RIFLES[0])},
        )
        for n in range(CLERKS)
    ]
    answers = at_once([asking(country, clerk(n), ISSUE, request) for n, request in enumerate(requests)])
    posted = [answer for answer in answers if isinstance(answer, Posted)]
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert (len(posted), len(refused)) == (1, CLERKS - 1), answers
    holder = country.where(RIFLES[0])
    for refusal in refused:
        (reason,) = refusal.reasons
        assert reason.weapon == RIFLES[0]
        assert reason.reason.startswith("it is issued to a person")
        assert reason.where == f"{holder} (person)"
    assert country.item(RIFLES[0]).version == 2


def test_vouchers_that_share_weapons_never_lock_one_another_out(country: Country) -> None:
    """Clerks hand out and take back overlapping handfuls in any order: each is posted or refused in words, and in the
    end every holding is the sum of its entries.
    """
    chance = random.Random(2005)
    tasks = []
    for number in range(CLERKS):
        requests = []
        for turn in range(5):
            lines = scans(*chance.sample(RIFLES, 4))
            if turn % 2:
                requests.append((RETURN, RETURN.request.model_validate({"store": "Main store", "lines": lines})))
            else:
                receiver = {"receiver": SOLDIERS[number % 3], "store": "Main store"}
                requests.append((ISSUE, ISSUE.request.model_validate({**receiver, "lines": lines})))
        tasks.append(lambda number=number, requests=requests: a_busy_clerk(country, clerk(number), requests))
    answers = [answer for answered in at_once(tasks) for answer in answered]
    assert {type(answer) for answer in answers} <= {Posted, Refused}, answers
    assert any(isinstance(answer, Posted) for answer in answers)
    assert any(isinstance(answer, Refused) for answer in answers)
    assert (
        country.query(
            """SELECT legs.item_id FROM (
               SELECT item_id, account_id, sum(quantity) AS quantity FROM (
                   SELECT item_id, to_account AS account_id, quantity FROM entry
                   UNION ALL SELECT item_id, from_account, -quantity FROM entry) leg
               JOIN account USING (account_id) WHERE class <> 'outside' GROUP BY 1, 2 HAVING sum(quantity) <> 0) legs
           FULL JOIN holding h USING (item_id, account_id) WHERE h.quantity IS DISTINCT FROM legs.quantity"""
        )
        == []
    )


def a_busy_clerk(country: Country, who: str, requests: Sequence[tuple[ActForm, Request]]) -> list[Any]:
    """One request after the other; what each came to."""
    answers: list[Any] = []
    for form, request in requests:
        try:
            answers.append(perform.perform(country.engine, country.actors[who], form, request))
        except Refused as refusal:
            answers.append(refusal)
    return answers


def test_one_document_sent_eight_times_at_once_is_posted_once(country: Country) -> None:
    """A station that lost its answer asks again and again: one posting, one answer for all."""
    request = ISSUE.request.model_validate(
        {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0], RIFLES[1])}
    )
    answers = at_once([asking(country, "clerk", ISSUE, request)] * CLERKS)
    assert all(answer == answers[0] for answer in answers), answers
    assert isinstance(answers[0], Posted)
    assert country.query("SELECT count(*) FROM document WHERE act = 'issue'") == [(1,)]
    assert country.item(RIFLES[0]).version == 2


def test_a_receipt_sent_eight_times_at_once_takes_in_its_weapons_once(country: Country) -> None:
    """New weapons have no row to lock: the document's key alone decides, and no repeat leaves a twin."""
    request = RECEIVE.request.model_validate(
        {
            "store": "Main store",
            "lines": [{"model": "AKM", "serial_number": f"N {n}", "condition": "serviceable"} for n in range(5)],
        }
    )
    answers = at_once([asking(country, "clerk", RECEIVE, request)] * CLERKS)
    assert all(answer == answers[0] for answer in answers), answers
    assert answers[0].discrepancy_count == 0
    assert country.query("SELECT count(*) FROM identification WHERE serial_number LIKE 'N %%'") == [(5,)]


def test_of_two_contents_under_one_document_id_one_is_told_that_it_is_taken(country: Country) -> None:
    """Two stations made the same key: the first content stands, the other is told to take a new one."""
    key = new_key()
    requests = [
        ISSUE.request.model_validate(
            {"document_id": key, "receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[n])}
        )
        for n in range(2)
    ]
    answers = at_once([asking(country, clerk(n), ISSUE, request) for n, request in enumerate(requests)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Posted", PostedWithOtherContent.__name__]


def test_one_new_serial_number_received_eight_times_at_once_is_eight_weapons(country: Country) -> None:
    """Each of eight clerks has a weapon with the same number in hand: all are taken in, all but the first flagged."""
    lines = [{"model": "AKM", "serial_number": "TWIN 1", "condition": "serviceable"}]
    requests = [RECEIVE.request.model_validate({"store": "Main store", "lines": lines}) for _ in range(CLERKS)]
    answers = at_once([asking(country, clerk(n), RECEIVE, request) for n, request in enumerate(requests)])
    assert all(isinstance(answer, Posted) for answer in answers), answers
    assert sorted(len(answer.discrepancies) for answer in answers) == [0] + [1] * (CLERKS - 1)
    assert country.discrepancies() == ["same serial number twice"] * (CLERKS - 1)
    (bearers,) = country.query(
        "SELECT array_agg(ordinal ORDER BY ordinal) FROM identity JOIN identification USING (item_id) "
        "WHERE serial_number = 'TWIN 1'"
    )
    assert bearers == (list(range(1, CLERKS + 1)),)


def test_one_consignment_declared_eight_times_at_once_is_declared_once(country: Country) -> None:
    """Eight send the same shipping list as their own: seven read that the number is taken, none meets the database."""
    content = {
        "site": "TAJI",
        "donor": "USA",
        "reference": "FMS-9",
        "lines": [{"model": "M4", "serial_number": "US 9"}],
    }
    requests = [DECLARE.request.model_validate(content) for _ in range(CLERKS)]
    answers = at_once([asking(country, "registrar", DECLARE, request) for request in requests])
    assert sorted(type(answer).__name__ for answer in answers) == ["Invalid"] * (CLERKS - 1) + ["Posted"]
    told = {answer.faults[0].field for answer in answers if isinstance(answer, Invalid)}
    assert told == {"reference"}


def test_receipts_of_the_same_serial_numbers_in_opposite_order_both_land(country: Country) -> None:
    """Two lists share their numbers from opposite ends: neither waits for the other for ever."""
    numbers = [f"OPP {n}" for n in range(20)]
    requests = [
        RECEIVE.request.model_validate(
            {"store": "Main store", "lines": [{"model": "AKM", "serial_number": number} for number in order]}
        )
        for order in (numbers, numbers[::-1], numbers)
    ]
    answers = at_once([asking(country, clerk(n), RECEIVE, request) for n, request in enumerate(requests)])
    assert all(isinstance(answer, Posted) for answer in answers), answers
    assert len(country.discrepancies()) == 40


def test_eight_clerks_draw_helmets_and_no_more_than_there_are(country: Country) -> None:
    """A hundred helmets, eight clerks who want twenty each: five get them, three read how many are left."""
    request = {"receiver": "A-1001", "store": "Main store"}
    item = str(country.helmets().item_id)
    requests = [
        ISSUE.request.model_validate({**request, "lines": [{"item": item, "quantity": 20}]}) for _ in range(CLERKS)
    ]
    answers = at_once([asking(country, clerk(n), ISSUE, request) for n, request in enumerate(requests)])
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len([answer for answer in answers if isinstance(answer, Posted)]) == 5, answers
    assert [refusal.reasons[0].reason for refusal in refused] == ["only 0 at Main store, 20 asked for"] * 3

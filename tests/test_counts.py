"""Counting: two go along the shelves, the books are compared with what they read, and nothing stops while they do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from stockpile.acts.issue import ISSUE
from stockpile.acts.open_books import OPEN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.errors import Invalid, NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.identity import asset_tag
from stockpile.keys import new_key
from stockpile.registers import count_closing
from stockpile.registers.committed import is_as_committed
from stockpile.registers.count_closing import close_count
from stockpile.registers.counts import AbandonCount, OpenCount, abandon_count
from stockpile.reports.counts import list_count_lines, list_expected, read_count
from stockpile.rights import reading
from tests import registers
from tests.counts import STORE, closed, faults, found, opened, read
from tests.world import HELMET, RIFLES, Country, ago, paper, scans


def test_all_there_is_read(country: Country) -> None:
    """Ten rifles in the books, ten read: the count is closed, its lines are a register that the log commits, nothing is opened."""
    count = opened(country)
    taken = read(country, count, *RIFLES)
    assert (taken.line_count, taken.weapons, taken.again, taken.unknown) == (10, 10, 0, 0)
    shown = closed(country, count)
    assert (shown.count.name, shown.count.state, shown.count.lines) == ("TAJI/COUNT/1", "closed", 10)
    assert shown.findings == {"matched": 10, "not counted": 1}
    assert country.discrepancies() == []
    ((kind, name, line_count),) = country.query(
        "SELECT kind, name, line_count FROM register WHERE register_id = %s", shown.count.register_id
    )
    assert (kind, name, line_count) == ("count sheet", "TAJI/COUNT/1", 10)
    assert shown.count.register_id is not None
    with transaction(country.engine, roles.REGISTRAR) as connection:
        assert is_as_committed(connection, shown.count.register_id)
    assert country.owner_query("SELECT count(*) FROM unsequenced u JOIN register r ON r.leaf = u.leaf") == [(1,)]


def test_what_is_missing_and_what_should_not_be_there(country: Country) -> None:
    """One rifle lies in the other store, one is with a soldier by the books and stands in the rack, one nobody knows, one nobody
    saw: each is named with where the books have it, and opens a discrepancy at the site.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[1]))
    country.do("clerk", RECEIVE, store="Quarantine", lines=[{"model": "AKM", "serial_number": "Q 1"}])
    count = opened(country)
    read(country, count, *RIFLES[1:9], "Q 1", "ZZ 99")
    shown = closed(country, count)
    assert found(country, count) == [
        ("unexpected", RIFLES[1], "Private Petrov (A-1001)", None),
        ("unexpected", "Q 1", "Quarantine", None),
        ("unexpected", "ZZ 99", None, None),
        ("missing", RIFLES[0], STORE, None),
        ("missing", RIFLES[9], STORE, None),
    ]
    assert shown.findings["matched"] == 7
    assert country.discrepancies() == ["missing at count"] * 2 + ["unexpected at count"] * 3
    said = country.query(
        "SELECT kind, books_said, seen, line, register_id, document_id FROM discrepancy ORDER BY line NULLS LAST, books_said"
    )
    register = shown.count.register_id
    assert said == [
        ("unexpected at count", f"AKM {RIFLES[1]} on Private Petrov (A-1001) of TAJI", "read at TAJI/COUNT/1", 1, register, None),
        ("unexpected at count", "AKM Q 1 on Quarantine of TAJI", "read at TAJI/COUNT/1", 9, register, None),
        ("unexpected at count", "nothing in the books bears it", "'ZZ 99' read at TAJI/COUNT/1", 10, register, None),
        ("missing at count", f"AKM {RIFLES[0]} on Main store of TAJI", "not read at TAJI/COUNT/1", None, register, None),
        ("missing at count", f"AKM {RIFLES[9]} on Main store of TAJI", "not read at TAJI/COUNT/1", None, register, None),
    ]  # fmt: skip


def test_issuing_goes_on_while_it_is_counted(country: Country) -> None:
    """A rifle is read and then issued: matched. One is issued unread, one comes back unread: moved meanwhile, each with its
    document. One is read where the books had it only before: unexpected.
    """
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[8]))
    count = opened(country)
    read(country, count, RIFLES[0])
    country.do("clerk", ISSUE, receiver="A-1002", store=STORE, lines=scans(RIFLES[0]))
    out = country.do("clerk", ISSUE, receiver="A-1003", store=STORE, lines=scans(RIFLES[1], RIFLES[2]))
    read(country, count, RIFLES[2])
    back = country.do("clerk", RETURN, store=STORE, lines=scans(RIFLES[8]))
    read(country, count, *RIFLES[3:8])
    shown = closed(country, count)
    assert found(country, count) == [
        ("unexpected", RIFLES[2], "Private Rahim (A-1003)", None),
        ("missing", RIFLES[9], STORE, None),
        ("moved meanwhile", RIFLES[1], "Private Rahim (A-1003)", out.number),
        ("moved meanwhile", RIFLES[8], STORE, back.number),
    ]
    assert shown.findings["matched"] == 6


def test_out_and_in_again_unread_is_not_missing(country: Country) -> None:
    """Drawn and brought back between the opening and the closing: the document of its return says that somebody had it in hand."""
    count = opened(country)
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    back = country.do("clerk", RETURN, store=STORE, lines=scans(RIFLES[0]))
    read(country, count, *RIFLES[1:])
    closed(country, count)
    assert found(country, count) == [("moved meanwhile", RIFLES[0], STORE, back.number)]


def test_a_paper_that_comes_later_tells_where_it_was_at_its_line(country: Country) -> None:
    """The rifle was issued on paper before the count began, and nobody had keyed it: when it is keyed before the closing, the
    rifle is not missing.
    """
    issued_at = now()
    count = opened(country)
    read(country, count, *RIFLES[1:])
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]), paper=paper(1, issued_at))
    closed(country, count)
    assert found(country, count) == []


def test_the_same_weapon_read_twice_is_one(country: Country) -> None:
    """By its serial number and by its tag; the second is told so, at once and in the list, and is no part of the figures; so is
    an unknown number.
    """
    count = opened(country)
    tag = read(country, count, RIFLES[0], "ZZ 1").lines[0].asset_tag
    assert tag is not None
    again = read(country, count, tag, "zz-1", RIFLES[1], RIFLES[1])
    assert [(one.read, one.again_of) for one in again.lines] == [
        (tag, 1),
        ("zz-1", 2),
        (RIFLES[1], None),
        (RIFLES[1], 5),
    ]
    assert (again.weapons, again.again) == (1, 3)
    shown = closed(country, count)
    assert (shown.findings["matched"], shown.findings["unexpected"]) == (2, 1)
    rejected = "SELECT line, rejected FROM register_line WHERE register_id = %s AND rejected IS NOT NULL ORDER BY line"
    assert country.query(rejected, shown.count.register_id) == [
        (3, "the same weapon as line 1"), (4, "the same weapon as line 2"), (6, "the same weapon as line 5"),
    ]  # fmt: skip


def test_two_weapons_of_one_number(country: Country) -> None:
    """Its twin lies in the other store: the number means the one that is here. With both here nobody can tell which was read."""
    line = {"model": "AKM", "serial_number": RIFLES[0], "distinguishing_mark": "notch"}
    country.do("clerk", RECEIVE, store="Quarantine", lines=[line])
    count = opened(country)
    taken = read(country, count, *RIFLES)
    assert (taken.several, taken.lines[0].item_id, taken.lines[0].several) == (1, None, 2)
    assert closed(country, count).findings == {"matched": 10, "not counted": 1}

    country.do("clerk", RECEIVE, store=STORE, lines=[{**line, "distinguishing_mark": "two notches"}])
    count = opened(country, counters=["T-1"])
    read(country, count, *RIFLES, who="clerk")
    shown = closed(country, count)
    assert (shown.findings["unclear"], shown.findings["matched"], shown.findings["missing"]) == (1, 9, 2)


def test_helmets_are_counted_by_number_at_the_moment_of_the_line(country: Country) -> None:
    """Ninety by the count while the books had a hundred: the issue of twelve after it changes nothing."""
    count = opened(country)
    read(country, count, *RIFLES, {"model": HELMET, "quantity": 60}, {"model": HELMET, "quantity": 30})
    item = str(country.helmets().item_id)
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=[{"item": item, "quantity": 12}])
    shown = closed(country, count)
    assert shown.findings == {"matched": 10, "quantity differs": 1}
    assert country.query("SELECT expected, counted FROM count_finding WHERE kind = 'quantity differs'") == [(100, 90)]
    ((kind, books, seen, item_id),) = country.query("SELECT kind, books_said, seen, item_id FROM discrepancy")
    assert (kind, books, seen) == ("missing at count", "100 of Helmet", "90 at TAJI/COUNT/1")
    assert str(item_id) == item

    count = opened(country, counters=["T-1"])
    read(country, count, *RIFLES, {"model": HELMET, "quantity": 88}, who="clerk")
    assert closed(country, count).findings == {"matched": 10, "quantity matched": 1}


def test_counted_by_quantity_alone(country: Country) -> None:
    """When the arms room is closed for the night: how many of each model, no serial number."""
    count = opened(country, method="quantity", reason="opened or closed")
    assert faults(country, count, RIFLES[0]) == [
        (1, "scan", RIFLES[0], "this count is by quantity: say how many of which model")
    ]
    read(country, count, {"model": "AKM", "quantity": 9})
    shown = closed(country, count)
    assert shown.findings == {"quantity differs": 1, "not counted": 1}
    # The same person may do so every night.
    opened(country, method="quantity", reason="opened or closed")


def test_only_the_differences_are_counted_again(country: Country) -> None:
    """One of two missing rifles is found by the recount: its discrepancy is withdrawn by it, the other stays."""
    count = opened(country)
    read(country, count, *RIFLES[2:], {"model": HELMET, "quantity": 99})
    closed(country, count)
    assert country.discrepancies() == ["missing at count"] * 3
    again = opened(country, counters=["T-1"], recount_of=count)
    read(country, again, RIFLES[0], RIFLES[5], {"model": HELMET, "quantity": 100}, who="clerk")
    shown = closed(country, again)
    assert (shown.count.reason, shown.count.of, shown.count.recount_of) == ("recount", "TAJI/COUNT/1", count)
    assert shown.findings == {"matched": 2, "missing": 1, "quantity matched": 1}
    assert found(country, again) == [("missing", RIFLES[1], STORE, None), ("quantity matched", HELMET, None, None)]
    left = country.query("SELECT books_said FROM discrepancy WHERE closed_at IS NULL ORDER BY register_id")
    assert left == [(f"AKM {RIFLES[1]} on Main store of TAJI",)] * 2
    withdrawn = (
        "SELECT outcome, explanation, explained_by, explained_by_count FROM discrepancy WHERE closed_at IS NOT NULL"
    )
    assert country.query(withdrawn) == [("withdrawn", "TAJI/COUNT/2 found it", None, again)] * 2
    assert country.query("SELECT what, words FROM discrepancy_step") == [("withdrawn", "TAJI/COUNT/2 found it")] * 2


def test_an_opening_is_verified_by_a_closed_count(country: Country) -> None:
    """Two rifles and helmets came by an old property book: what the count found there is confirmed when it is closed, and not
    before; what it did not find stays unverified. What is unverified can be told again from the books.
    """
    book = {"site": "TAJI", "name": "Book 2019", "store": STORE}
    old = [{"model": "AKM", "serial_number": f"OLD {n}"} for n in (1, 2)]
    country.do_with_approval("registrar", "commander", OPEN, **book, lines=[*old, {"model": HELMET, "quantity": 40}])
    count = opened(country)
    read(country, count, *RIFLES, "OLD 1", {"model": HELMET, "quantity": 140})
    assert country.item("OLD 1").unverified
    closed(country, count)
    assert not country.item("OLD 1").unverified
    assert country.item("OLD 2").unverified
    assert country.query("SELECT count(*) FROM holding WHERE unverified AND NOT serial") == [(0,)]
    derived = """
        SELECT h.item_id FROM holding h JOIN entry e ON e.item_id = h.item_id AND e.version = 1
        JOIN document d ON d.document_id = e.document_id AND d.act = 'open'
        WHERE h.serial AND NOT EXISTS (SELECT FROM count_finding f JOIN physical_count c USING (count_id)
                                       WHERE f.item_id = h.item_id AND f.kind = 'matched' AND c.outcome = 'closed')"""
    assert country.query(derived) == country.query("SELECT item_id FROM holding WHERE serial AND unverified")


def test_a_unit_is_counted_with_its_people(country: Country) -> None:
    """What the company and its soldiers hold; a rifle in the store is none of it."""
    country.do("clerk", ISSUE, receiver="1COY", received_by="A-1001", store=STORE, lines=scans(RIFLES[0]))
    country.do("clerk", ISSUE, receiver="A-1002", store=STORE, lines=scans(RIFLES[1], RIFLES[2]))
    count = opened(country, unit="1COY")
    read(country, count, RIFLES[0], RIFLES[1], RIFLES[5])
    closed(country, count)
    assert found(country, count) == [
        ("unexpected", RIFLES[5], STORE, None),
        ("missing", RIFLES[2], "Private Quist (A-1002)", None),
    ]


def test_a_whole_site_is_counted_wherever_things_are(country: Country) -> None:
    """Issued within the site is no leaving of it; read at another site it is unexpected there."""
    count = opened(country, whole_site=True)
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    read(country, count, *RIFLES[:9])
    assert closed(country, count).findings == {"matched": 9, "missing": 1, "not counted": 1}
    elsewhere = opened(country, who="erbil clerk", counters=["E-1"], account=STORE)
    read(country, elsewhere, RIFLES[9], who="erbil clerk")
    close_count(country.engine, country.actors["registrar"], elsewhere, "ERBIL")
    assert found(country, elsewhere) == [("unexpected", RIFLES[9], STORE, None)]
    ((books,),) = country.query("SELECT books_said FROM discrepancy WHERE kind = 'unexpected at count'")
    assert books == f"AKM {RIFLES[9]} on Main store of TAJI"


def test_a_blind_count_tells_nobody_what_to_expect(country: Country) -> None:
    """Neither the clerk nor the commander, until it is closed. One that is not blind tells."""
    blind, open_eyed = opened(country), opened(country, counters=["T-1"], blind=False)
    read(country, open_eyed, RIFLES[0], who="clerk")
    clerk = country.actors["clerk"]
    with reading(country.engine, clerk) as connection:
        with pytest.raises(NotAllowed, match="blind"):
            list_expected(connection, clerk, blind)
        rows = list_expected(connection, clerk, open_eyed).rows
        assert [(one.serial_number, one.line) for one in rows if one.model == "AKM"][:2] == [
            (RIFLES[0], 1),
            (RIFLES[1], None),
        ]
        assert len(rows) == 11


def test_the_same_lines_sent_again_are_kept_once(country: Country) -> None:
    """The link broke: the tablet sends its batch again, and gets the first answer, also when the count is closed. The same id
    for other lines is refused.
    """
    count, batch = opened(country), new_key()
    moment = now().isoformat()
    sent = [{"scan": serial, "counted_at": moment} for serial in RIFLES]
    first = read(country, count, *sent, batch_id=batch)
    assert read(country, count, *sent, batch_id=batch) == first
    with pytest.raises(PostedWithOtherContent):
        read(country, count, *sent[:9], batch_id=batch)
    closed(country, count)
    assert read(country, count, *sent, batch_id=batch) == first
    assert country.query("SELECT count(*) FROM count_line") == [(10,)]
    with pytest.raises(Refused, match="was closed at"):
        read(country, count, RIFLES[0])


def test_opened_twice_under_one_id_is_opened_once(country: Country) -> None:
    """The same request again; with other content, or from another site, the id is taken."""
    key = new_key()
    assert opened(country, count_id=key) == opened(country, count_id=key)
    assert country.query("SELECT number FROM physical_count") == [(1,)]
    with pytest.raises(PostedWithOtherContent):
        opened(country, count_id=key, blind=False)
    with pytest.raises(PostedWithOtherContent):
        opened(country, who="erbil clerk", counters=["E-1"], count_id=key)


def test_not_the_same_person_twice_running(country: Country) -> None:
    """T-2 alone counted the store: not again alone, but with a second; or by a commander's word, which stays to be read."""
    count = opened(country)
    read(country, count, *RIFLES)
    closed(country, count)
    with pytest.raises(Refused, match="T-2 alone counted it the last time, too"):
        opened(country)
    opened(country, account="Quarantine")
    opened(country, counters=["T-2", "T-1"])
    with pytest.raises(NotAllowed, match="commander's or registrar's"):
        opened(country, override="nobody else is left")
    allowed = opened(country, who="commander", override="nobody else is left")
    with reading(country.engine, country.actors["auditor"]) as connection:
        shown = read_count(connection, country.actors["auditor"], allowed).count
    assert (shown.override, shown.counters) == ("nobody else is left", ["Corporal Tara Clerk (T-2)"])


def test_who_answers_for_it_does_not_count_it_alone(country: Country) -> None:
    """The commander of ERBIL answers for its store; nor does anybody allow it to himself."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        connection.exec_driver_sql(
            "UPDATE account SET custodian_id = %s WHERE name = 'Quarantine'", (country.parties["C-1"].party_id,)
        )
    with pytest.raises(Refused, match="C-1 answers for what is counted"):
        opened(country, account="Quarantine", counters=["C-1"])
    with pytest.raises(NotAllowed, match="to yourself"):
        opened(country, who="commander", account="Quarantine", counters=["C-1"], override="at night")
    opened(country, account="Quarantine", counters=["C-1", "T-1"])


def test_who_may_close(country: Country) -> None:
    """Not a clerk; not its only counter, whoever he is; an auditor who names the site may open and close."""
    country.actors["armourer"] = country.actors["second clerk"].__class__(
        country.parties["T-2"].party_id, "armourer", country.sites["TAJI"], book_code="D"
    )
    count = opened(country)
    read(country, count, *RIFLES)
    with pytest.raises(NotAllowed, match="It takes an armourer or commander or registrar or auditor"):
        closed(country, count, "clerk")
    with pytest.raises(NotAllowed, match="You alone counted"):
        closed(country, count, "armourer")
    assert closed(country, count, "auditor").count.state == "closed"
    with pytest.raises(Invalid, match="Say at which site"):
        opened(country, who="auditor", counters=["T-1"])
    assert opened(country, who="auditor", counters=["T-1"], site="TAJI")


def test_another_site_neither_sees_nor_touches_it(country: Country) -> None:
    """ERBIL's clerk and commander: there is no such count."""
    count = opened(country)
    read(country, count, *RIFLES)
    erbil = country.actors["erbil clerk"]
    with pytest.raises(NotFound), reading(country.engine, erbil) as connection:
        list_count_lines(connection, erbil, count)
    with pytest.raises(NotFound):
        read(country, count, RIFLES[0], who="erbil clerk")
    with pytest.raises(NotAllowed, match="documents of ERBIL only"):
        opened(country, who="erbil clerk", counters=["E-1"], site="TAJI")
    commander = erbil.__class__(country.parties["erbil commander"].party_id, "commander", country.sites["ERBIL"])
    with pytest.raises(NotFound):
        close_count(country.engine, commander, count)
    with pytest.raises(NotAllowed):
        opened(country, who="USA")
    with pytest.raises(NotAllowed), reading(country.engine, country.actors["USA"]) as connection:
        read_count(connection, country.actors["USA"], count)


def test_what_cannot_be_a_line(country: Country) -> None:
    """Each line is named with what is wrong; none of the others is kept."""
    count = opened(country, counters=["T-1", "T-2"])
    tomorrow, yesterday = (now() + timedelta(days=1)).isoformat(), ago(days=1).isoformat()
    wrong: list[Any] = [
        RIFLES[0],
        {"scan": RIFLES[1], "counted_at": tomorrow},
        {"scan": RIFLES[2], "counted_at": yesterday},
        {"scan": RIFLES[3], "counted_by": "A-1001"},
        {"model": "Blunderbuss", "quantity": 3},
        {"model": "AKM", "quantity": 3},
        {"model": HELMET, "quantity": 3, "lot": "7"},
    ]
    told = faults(country, count, *wrong)
    assert [(row, field) for row, field, _, _ in told] == [
        (2, "counted_at"), (3, "counted_at"), (4, "counted_by"), (5, "model"), (6, "model"), (7, "lot"),
    ]  # fmt: skip
    assert told[0][3] == "is still to come"
    assert told[1][3].startswith("was before the count was opened")
    assert told[2][3] == "is no counter of this count: T-1, T-2 are"
    assert faults(country, count, RIFLES[0], who="commander")[0][3] == "say which of its counters read it: T-1, T-2"
    for line in (
        {"scan": "  "},
        {"model": HELMET, "quantity": -1},
        {"model": HELMET},
        {"scan": "K 1", "quantity": 2},
        {},
    ):
        with pytest.raises(ValidationError):
            read(country, count, line)
    with pytest.raises(NotFound):
        read(country, new_key(), RIFLES[0])
    assert country.query("SELECT count(*) FROM count_line") == [(0,)]


def test_what_cannot_be_opened(country: Country) -> None:
    """A counter who is nobody of the site, an account or unit that is none, no scope or two, a time to come."""
    with pytest.raises(Invalid) as problem:
        opened(country, counters=["T-1", "E-1", "Z-9"])
    assert [(fault.field, fault.value) for fault in problem.value.faults] == [("counters", "E-1"), ("counters", "Z-9")]
    for wrong, field in (
        ({"account": "Attic"}, "account"),
        ({"unit": "9COY"}, "unit"),
        ({"seals": ["S-1"]}, "seals"),
        ({"opened_at": (now() + timedelta(hours=1)).isoformat()}, "opened_at"),
    ):
        with pytest.raises(Invalid) as problem:
            opened(country, **wrong)
        assert problem.value.faults[0].field == field
    with pytest.raises(NotFound):
        opened(country, recount_of=new_key())
    with pytest.raises(Refused, match="not closed"):
        opened(country, recount_of=opened(country))
    for wrong in ({}, {"account": STORE, "whole_site": True}, {"account": STORE, "counters": ["T-1", "T-1"]}):
        with pytest.raises(ValidationError):
            OpenCount.model_validate({"counters": ["T-1"], **wrong})


def test_a_count_that_was_a_mistake_is_abandoned(country: Country) -> None:
    """Nothing is compared, nothing opened; it takes no more lines, and a count without any line can't be closed at all."""
    count = opened(country)
    with pytest.raises(Refused, match="no line came"):
        closed(country, count)
    read(country, count, RIFLES[0])
    with pytest.raises(NotAllowed):
        abandon_count(country.engine, country.actors["second clerk"], count, AbandonCount(because="tired"))
    for _ in range(2):
        abandon_count(country.engine, country.actors["clerk"], count, AbandonCount(because="the wrong store"))
    assert country.discrepancies() == []
    for again in (lambda: read(country, count, RIFLES[1]), lambda: closed(country, count)):
        with pytest.raises(Refused, match="was abandoned"):
            again()


def test_a_closing_that_broke_off_is_finished_by_closing_again(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service stopped between the moment of closing and the findings: no line comes any more; closing again compares as of
    the first closing, although a rifle was issued since.
    """
    count = opened(country)
    read(country, count, *RIFLES[:9])

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(count_closing, "compare", killed)
        with pytest.raises(KeyboardInterrupt):
            closed(country, count)
    assert country.query("SELECT count(*) FROM count_finding") == [(0,)]
    with pytest.raises(Refused):
        read(country, count, RIFLES[9])
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[9]))
    assert closed(country, count).findings == {"matched": 9, "missing": 1, "not counted": 1}
    assert closed(country, count).findings == {"matched": 9, "missing": 1, "not counted": 1}
    assert country.discrepancies() == ["missing at count"]


def test_a_donor_sees_that_its_rifle_is_missing(country: Country) -> None:
    """The kind and the weapon, without the host's words; of the count itself nothing."""
    country.do("clerk", RECEIVE, store=STORE, donor="USA", lines=[{"model": "M4", "serial_number": "US 1"}])
    count = opened(country)
    read(country, count, *RIFLES)
    closed(country, count)
    with transaction(country.engine, roles.DONOR, donor_id=country.parties["USA"].party_id) as connection:
        seen = connection.exec_driver_sql("SELECT kind, item_id FROM discrepancy WHERE kind LIKE '%%count'").all()
    assert [tuple(one) for one in seen] == [("missing at count", country.item("US 1").item_id)]


def test_ten_thousand_lines_take_seconds(country: Country) -> None:
    """A depot of ten thousand rifles: sent in batches and closed within a minute on any machine."""
    serials = [f"DP {n:05}" for n in range(10_000)]
    for start in range(0, len(serials), 500):
        lines = [{"model": "AKM", "serial_number": serial} for serial in serials[start : start + 500]]
        country.do("clerk", RECEIVE, store="Quarantine", lines=lines)
    count = opened(country, account="Quarantine")
    begun = now()
    for start in range(0, len(serials), 500):
        read(country, count, *serials[start : start + 500])
    assert closed(country, count).findings == {"matched": 10_000}
    assert now() - begun < timedelta(minutes=1)


def test_lines_and_findings_are_added_at_their_time_only(country: Country) -> None:
    """The database itself takes no line after the closing, no finding before it or after the end, and none of another site's."""
    count = opened(country)
    read(country, count, *RIFLES)
    closed(country, count)
    columns = "count_id, site_id, number, kind"
    row = (count, country.sites["TAJI"].site_id)
    with (
        pytest.raises(IntegrityError, match="nothing is added to a count"),
        transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection,
    ):
        connection.exec_driver_sql(f"INSERT INTO count_finding ({columns}) VALUES (%s, %s, 999, 'matched')", row)


def test_a_count_is_a_register_that_compares_with_any_list(country: Country) -> None:
    """Whatever was scanned, tag or number, the sheet names the weapon: held against a book it shows what nobody read."""
    count = opened(country)
    read(country, count, asset_tag(country.item(RIFLES[0]).tag_number or 0), *RIFLES[1:4])
    sheet = closed(country, count).count.register_id
    book = registers.imported(country, "serial,model\n" + "".join(f"{serial},AKM\n" for serial in RIFLES))
    audit = registers.compared(country, book, {"register": str(sheet)})
    assert registers.counts(audit) == {"matched": 4, "only left": 6}

"""What is counted is named by its model: a clerk types "Helmet" and how many, never a key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from stockpile import catalogue, tokens
from stockpile.acts.correct import CORRECT
from stockpile.acts.draw import DRAW
from stockpile.acts.expend import EXPEND
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.turn_in import RETURN
from stockpile.cli import app
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.errors import Invalid, Refused
from stockpile.files import file_store
from stockpile.find import find
from stockpile.reports.documents import list_lines
from stockpile.reports.history import history
from stockpile.reports.holdings import Holder, holdings
from tests.reading import asked_by
from tests.world import HELMET, RIFLES, Country, ago, kinds, paper, scans, told

STORE = "Main store"
PETROV = "Private Petrov (A-1001)"
LOSS = {"place": "the range", "circumstances": "not there at the count"}
FINDING = {"cause": "lost", "liability": "nobody", "findings": "not found"}
FOUND = {"store": STORE, "place": "the range", "found_by": "a patrol"}
SPENT = {"manner": "destroyed in combat", "place": "the bridge", "circumstances": "the vehicle burnt out"}
ROUNDS = "Ammunition, 7.62x39mm, ball"


def helmets(quantity: int, model: str = HELMET) -> list[dict[str, Any]]:
    return [{"model": model, "quantity": quantity}]


def received(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", RECEIVE, store=STORE, lines=list(lines), **request)


def issued(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("clerk", ISSUE, **{"receiver": "A-1001", "store": STORE, **request}, lines=list(lines))


def refused(country: Country, *lines: dict[str, Any], **request: Any) -> list[tuple[str, str, str | None]]:
    asked = {"receiver": "A-1001", "store": STORE, **request}
    return told(country.refused("clerk", ISSUE, **asked, lines=list(lines)))


def held(country: Country, model: str = HELMET) -> dict[str, int]:
    """Where a model is, by the names of the accounts."""
    return dict(
        country.query(
            """SELECT a.name, sum(h.quantity)::int FROM holding h JOIN account a USING (account_id) JOIN item i USING (item_id)
               JOIN model m ON m.model_id = i.model_id WHERE m.name = %s GROUP BY 1""",
            model,
        )
    )  # fmt: skip


def by_donor(country: Country, account: str) -> dict[str, int]:
    """What an account holds of helmets, by whose they are."""
    return dict(
        country.query(
            """SELECT p.code, sum(h.quantity)::int FROM holding h JOIN account a USING (account_id) JOIN item i USING (item_id)
               JOIN model m ON m.model_id = i.model_id JOIN party p ON p.party_id = i.donor_id
               WHERE m.name = %s AND a.name = %s GROUP BY 1""",
            HELMET, account,
        )
    )  # fmt: skip


def said(country: Country, posted: Posted) -> list[tuple[str, str, str]]:
    found = "SELECT kind, books_said, seen FROM discrepancy WHERE document_id = %s ORDER BY kind, line NULLS FIRST, books_said"
    return [(kind, books, seen) for kind, books, seen in country.query(found, posted.document_id)]


def test_helmets_go_out_by_their_name(country: Country) -> None:
    """By any name the catalogue knows them under; a rifle on the same voucher."""
    posted = issued(country, *helmets(30), *scans(RIFLES[0]))
    assert (posted.lines, posted.quantity) == (2, 31)
    issued(country, *helmets(5, "combat helmet"), *helmets(5, " HELMET "))
    assert held(country) == {STORE: 60, PETROV: 40}


def test_too_few_are_refused_and_the_line_keeps_its_number(country: Country) -> None:
    """Of a rifle, helmets, and helmets again: what one line takes is not there for the next."""
    assert refused(country, *helmets(140)) == [(HELMET, "only 100 Helmet at Main store, 140 asked for", None)]
    refusal = country.refused(
        "clerk", ISSUE, receiver="A-1001", store=STORE, lines=[*scans(RIFLES[0]), *helmets(70), *helmets(40)]
    )
    assert [(reason.line, reason.reason) for reason in refusal.reasons] == [
        (3, "only 100 Helmet at Main store, 40 more asked for: other lines take 70")
    ]
    assert refused(country, *helmets(1, "Helmet, large")) == [
        ("Helmet, large", "only 0 Helmet, large at Main store, 1 asked for", None)
    ]
    assert held(country) == {STORE: 100}


def test_the_oldest_consignment_goes_first(country: Country) -> None:
    """The host's own hundred, then America's, then France's: one line, three items, each donor's told apart."""
    received(country, *helmets(50), donor="USA")
    received(country, *helmets(50), donor="FRA")
    posted = issued(country, *helmets(170))
    assert (posted.lines, posted.quantity) == (3, 170)
    assert by_donor(country, PETROV) == {"OWN": 100, "USA": 50, "FRA": 20}
    assert by_donor(country, STORE) == {"FRA": 30}


def test_a_paper_takes_what_was_there_when_it_was_written(country: Country) -> None:
    """The host's hundred came today, America's fifty nine days ago by a paper: of five days ago only America's can have gone
    out, and no more than those. What the paper has too much of is theirs, too: nobody knew of others.
    """
    received(country, *helmets(50), donor="USA", paper=paper(1, ago(days=9)))
    posted = issued(country, *helmets(10), paper=paper(2, ago(days=5)))
    assert (kinds(posted), by_donor(country, PETROV)) == ([], {"USA": 10})
    over = issued(country, *helmets(45), paper=paper(3, ago(days=4)))
    assert said(country, over) == [("fewer in the books", "40 of Helmet at Main store", f"45 moved to {PETROV}")]
    assert (by_donor(country, PETROV), held(country)[STORE]) == ({"USA": 55}, 100)


def test_what_a_paper_has_too_many_of_was_known_then(country: Country) -> None:
    """Of the host's two consignments the older in the books came today: a paper of five days ago means the other, which had
    come by then, though nobody at ERBIL had any.
    """
    received(country, *helmets(50), paper=paper(1, ago(days=9)))
    asked = {"work": "Straps", "store": STORE, "lines": helmets(1)}
    posted = country.do("erbil clerk", MAINTAIN, **asked, paper=paper(1, ago(days=5)))
    ((item,),) = country.query("SELECT item_id FROM entry WHERE document_id = %s", posted.document_id)
    assert item != country.query("SELECT min(item_id::text)::uuid FROM item WHERE tracked_by = 'quantity'")[0][0]


def test_helmets_named_by_their_key_are_not_taken_twice(country: Country) -> None:
    """A client that knows the item and one that knows the model, on one voucher."""
    key = {"item": str(country.helmets().item_id), "quantity": 80}
    assert refused(country, *helmets(30), key) == [
        (HELMET, "only 100 Helmet at Main store, 30 more asked for: other lines take 80", None)
    ]
    issued(country, *helmets(20), key)
    assert held(country) == {PETROV: 100}


def test_what_has_a_serial_number_is_scanned(country: Country) -> None:
    """Neither "three AKM" nor an AKM written on paper without its number; and a name nobody knows."""
    lines = [{"model": "AKM", "quantity": 3}]
    assert refused(country, *lines) == [("AKM", "AKM is tracked by serial number: scan each weapon", None)]
    assert refused(country, *lines, paper=paper(1, ago()))[0][1] == "AKM is tracked by serial number: scan each weapon"
    ((_, reason, _),) = refused(country, *helmets(3, "Helmt"))
    assert reason.startswith("unknown model: name it as the catalogue does")
    for line in ({}, {"quantity": 3}, {"scan": RIFLES[0], "lot": "1"}, {"model": HELMET, "quantity": 0}):
        with pytest.raises(ValidationError):
            country.ask("clerk", ISSUE, receiver="A-1001", lines=[line])


def test_a_scan_that_draws_takes_no_helmets(country: Country) -> None:
    ((_, reason, _),) = told(country.refused("clerk", DRAW, lines=helmets(1)))
    assert reason == "Helmet is counted: say where it is taken from, or scan a weapon"


def test_a_paper_for_more_than_there_is_is_posted(country: Country) -> None:
    """All that the store had, and the rest from outside, as more of the last consignment: the document has what the paper says."""
    received(country, *helmets(20), donor="USA")
    posted = issued(country, *helmets(150), paper=paper(1, ago()))
    assert posted.quantity == 150
    assert said(country, posted) == [("fewer in the books", "20 of Helmet at Main store", f"50 moved to {PETROV}")]
    assert held(country) == {PETROV: 150}


def test_a_paper_for_what_was_never_there_enters_it(country: Country) -> None:
    """No large helmet ever came in, says the book; Petrov brought three back, says the paper. They are the host's own."""
    back = {"returned_by": "A-1001", "store": STORE, "paper": paper(1, ago())}
    posted = country.do("clerk", RETURN, **back, lines=helmets(3, "Helmet, large"))
    assert said(country, posted) == [("fewer in the books", f"0 of Helmet, large at {PETROV}", "3 moved to Main store")]
    assert held(country, "Helmet, large") == {STORE: 3}
    country.do("clerk", RETURN, **{**back, "paper": paper(2, ago())}, lines=helmets(2, "Helmet, large"))
    assert held(country, "Helmet, large") == {STORE: 5}
    assert country.query(
        """SELECT count(*), min(p.code) FROM item i JOIN model m USING (model_id) JOIN party p ON p.party_id = i.donor_id
           WHERE m.name = 'Helmet, large'"""
    ) == [(1, "OWN")]  # fmt: skip


def test_a_paper_with_a_name_nobody_knows_is_posted(country: Country) -> None:
    """As unidentified equipment, which somebody has to look into."""
    posted = issued(country, *helmets(3, "Gas masks"), *helmets(2, "Gas masks"), paper=paper(1, ago()))
    assert kinds(posted) == ["unknown weapon", "unknown weapon"]
    assert said(country, posted)[0] == ("unknown weapon", "no model is called Gas masks", "3 Gas masks on line 1")
    assert held(country, "unidentified equipment") == {PETROV: 5}
    with transaction(country.engine, roles.AUDITOR) as connection:
        assert catalogue.read_model(connection, catalogue.UNIDENTIFIED_EQUIPMENT.model_id) == (
            catalogue.UNIDENTIFIED_EQUIPMENT
        )


def test_ammunition_goes_out_by_its_lot(country: Country) -> None:
    """Two lots of one round: the one that is named; without a lot a command is refused and a paper takes the oldest."""
    received(country, *({"model": ROUNDS, "lot": lot, "quantity": 1000} for lot in ("12-77", "3-81")))
    issued(country, {"model": ROUNDS, "lot": "3-81", "quantity": 600})
    issued(country, {"model": ROUNDS, "lot": "3-81", "quantity": 300}, receiver="A-1002")
    lots = """SELECT i.lot, sum(h.quantity)::int FROM holding h JOIN item i USING (item_id) JOIN account a USING (account_id)
              WHERE i.tracked_by = 'lot' AND a.class = 'store' GROUP BY 1 ORDER BY 1"""
    assert country.query(lots) == [("12-77", 1000), ("3-81", 100)]
    assert refused(country, {"model": ROUNDS, "lot": "3-81", "quantity": 101}) == [
        (f"{ROUNDS}, lot 3-81", f"only 100 {ROUNDS}, lot 3-81 at Main store, 101 asked for", None)
    ]
    assert refused(country, {"model": ROUNDS, "quantity": 1}) == [
        (ROUNDS, f"{ROUNDS} is tracked by lot: give the lot", None)
    ]
    assert len(refused(country, {"model": ROUNDS, "quantity": 1100})) == 1
    posted = issued(country, {"model": ROUNDS, "quantity": 1100}, paper=paper(1, ago()))
    assert kinds(posted) == ["doubtful as it came", "doubtful as it came"]
    posted = issued(country, {"model": ROUNDS, "lot": "9-99", "quantity": 7}, paper=paper(2, ago()))
    assert kinds(posted) == ["fewer in the books"]
    assert country.query("SELECT lot FROM item WHERE lot = '9-99'") == [("9-99",)]


def test_helmets_live_a_whole_life_by_name(country: Country) -> None:
    """Issued, handed on, sent to the workshop and back, reported missing, found in part, concluded, returned, expended."""
    issued(country, *helmets(40))
    country.do("clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=helmets(10))
    assert told(country.refused("clerk", HAND_OVER, giver="A-1002", receiver="A-1001", lines=helmets(11)))[0][1] == (
        "only 10 Helmet at Private Quist (A-1002), 11 asked for"
    )
    country.do("clerk", MAINTAIN, work="Straps", store=STORE, lines=helmets(12))
    assert held(country)["maintenance"] == 12
    country.do("clerk", MAINTAIN, work="New straps", back=True, store=STORE, lines=helmets(2))
    country.do("clerk", REPORT_MISSING, **LOSS, holder="A-1001", lines=helmets(8))
    country.do("clerk", REPORT_MISSING, **LOSS, store=STORE, lines=helmets(2))
    country.do("clerk", REPORT_MISSING, **LOSS, kept_in="workshop", lines=helmets(4))
    assert held(country) == {STORE: 48, PETROV: 22, "Private Quist (A-1002)": 10, "maintenance": 6, "missing": 14}
    country.do("clerk", RECOVER, **FOUND, lines=helmets(3))
    country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, **FINDING, lines=helmets(11))
    country.do("clerk", RETURN, returned_by="A-1002", store=STORE, lines=helmets(10))
    country.do_with_approval("clerk", "commander", EXPEND, **SPENT, holder="A-1001", lines=helmets(22))
    country.do_with_approval("clerk", "commander", EXPEND, **SPENT, kept_in="workshop", lines=helmets(1))
    assert held(country) == {STORE: 61, "maintenance": 5, "lost": 11, "expended": 23}


def test_where_they_come_from_must_be_said(country: Country) -> None:
    """Nobody guesses who brings helmets back, or from which of two stores they went missing."""
    assert country.invalid("clerk", RETURN, store=STORE, lines=helmets(1))[0][0] == "returned_by"
    assert country.invalid("clerk", MAINTAIN, work="Straps", lines=helmets(1))[0][0] == "store"
    assert country.invalid("clerk", REPORT_MISSING, **LOSS, lines=helmets(1))[0][0] == "store"
    with pytest.raises(ValidationError):
        country.ask("clerk", EXPEND, **SPENT, kept_in="workshop", store=STORE, lines=helmets(1))


def test_helmets_in_hand_that_were_given_up(country: Country) -> None:
    """Of ten in hand two were missing, three lost, one expended: each claim is told, and the rest comes from outside."""
    country.do("clerk", REPORT_MISSING, **LOSS, store=STORE, lines=helmets(5))
    country.do_with_approval("clerk", "commander", CONCLUDE_LOSS, **FINDING, lines=helmets(3))
    country.do_with_approval("clerk", "commander", EXPEND, **SPENT, store=STORE, lines=helmets(1))
    assert told(country.refused("clerk", RECOVER, **FOUND, lines=helmets(3)))[0][1] == (
        "only 2 Helmet at missing, 3 asked for"
    )
    posted = country.do("clerk", RECOVER, **FOUND, in_hand=True, lines=helmets(10))
    assert said(country, posted) == [
        (
            "fewer in the books",
            "2 of Helmet at missing",
            "6 moved to Main store",
        ),
        ("found what the books hold as gone", "1 Helmet expended", "found"),
        ("found what the books hold as gone", "3 Helmet lost", "found"),
    ]
    assert held(country) == {STORE: 104}


def test_helmets_are_corrected_by_name_under_their_document(country: Country) -> None:
    """All that the document moved of them, whatever items that was; the rifle on it stays out."""
    received(country, *helmets(50), donor="USA")
    wrong = issued(country, *helmets(120), *scans(RIFLES[0]))
    mend = {"document": wrong.document_id, "reason": "never handed out"}
    assert told(country.refused("clerk", CORRECT, **mend, lines=helmets(20)))[0][1] == (
        "the document moved 120 of them: they are taken back all or none"
    )
    assert told(country.refused("clerk", CORRECT, **mend, lines=helmets(1, "Helmet, large")))[0][1] == (
        "the document moved none of them"
    )
    assert told(country.refused("clerk", CORRECT, reason="never handed out", lines=helmets(120)))[0][1] == (
        "name the document to take back: a quantity has no last entry of its own"
    )
    country.do_with_approval("clerk", "commander", CORRECT, **mend, lines=helmets(120))
    assert (held(country), country.where(RIFLES[0])) == ({STORE: 150}, PETROV)


def test_more_than_is_left_of_two_entries_is_not_taken_back(country: Country) -> None:
    """A paper took 130 of 100: two entries of one item. Forty went on since: neither can be taken back alone."""
    wrong = issued(country, *helmets(130), paper=paper(1, ago()))
    country.do("clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=helmets(40))
    refusal = country.refused("clerk", CORRECT, document=wrong.document_id, reason="wrong")
    assert refusal.reasons[0].reason == f"only 90 are left at {PETROV}, 130 to take back"


def test_a_list_names_weapons_and_what_is_counted(country: Country, tmp_path: Path) -> None:
    """Rows with a serial number are weapons, rows with a model and a number are not; a row with neither is refused."""
    csv = f"S/N;Item;Qty\n{RIFLES[0]};AKM;1\n;Helmet;12\n;combat helmet;3\n"
    issued_file(country, csv)
    assert (held(country), country.where(RIFLES[0])) == ({STORE: 85, PETROV: 15}, PETROV)
    refusal = country.refused(
        "clerk", ISSUE, receiver="A-1001", store=STORE, file=stored("Item;Qty\nHelmet;90\nAKM;1\n")
    )
    assert [(reason.line, reason.reason) for reason in refusal.reasons] == [
        (2, "only 85 Helmet at Main store, 90 asked for"),
        (3, "AKM is tracked by serial number: scan each weapon"),
    ]
    with pytest.raises(Invalid) as problem:
        issued_file(country, "Item;Qty\nHelmet;\n")
    assert problem.value.faults[0].row == 2


def issued_file(country: Country, csv: str) -> None:
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, file=stored(csv))


def stored(csv: str) -> dict[str, str]:
    return {"sha256": file_store().keep([csv.encode()], 10_000).sha256, "name": "list.csv"}


def test_a_site_takes_only_its_own(country: Country) -> None:
    """ERBIL's store has none: that TAJI has a hundred is no help, and no way in."""
    asked = {"work": "Straps", "store": STORE, "lines": helmets(1)}
    assert told(country.refused("erbil clerk", MAINTAIN, **asked))[0][1] == "only 0 Helmet at Main store, 1 asked for"
    posted = country.do("erbil clerk", MAINTAIN, **asked, paper=paper(1, ago()))
    assert said(country, posted) == [("fewer in the books", "0 of Helmet at Main store", "1 moved to maintenance")]
    assert held(country) == {STORE: 100, "maintenance": 1}


def test_at_the_command_line(country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`stockpile act issue receiver=A-1001 --count Helmet=40`: beside a scan, and more than once."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        token = tokens.create_token(connection, "clerk", "the clerk's", "T-1", site="TAJI", book="B").text
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", country.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("STOCKPILE_TOKEN", token)
    received(country, {"model": ROUNDS, "lot": "12-77", "quantity": 1000})
    issue = ["act", "issue", "receiver=A-1001", f"store={STORE}"]
    counted = ["--count", "Helmet=40", "--count", "combat helmet = 2", "--count", f"{ROUNDS}, lot 12-77=600"]
    assert CliRunner().invoke(app, [*issue, "--scan", RIFLES[0], *counted]).exit_code == 0
    assert (held(country)[PETROV], held(country, ROUNDS)[PETROV], country.where(RIFLES[0])) == (42, 600, PETROV)
    for wrong in ("Helmet", "=3", "Helmet=many"):
        assert CliRunner().invoke(app, [*issue, "--count", wrong]).exit_code == 1


def test_two_clerks_want_the_last_helmets(country: Country) -> None:
    """Sixty each of a hundred, at one moment, in vouchers that name two models the other way round: one is told."""
    received(country, *helmets(100, "Helmet, large"))
    together = Barrier(2)

    def ask(who: str, *models: str) -> str:
        together.wait()
        lines = [line for model in models for line in helmets(60, model)]
        try:
            return country.do(who, ISSUE, receiver="A-1001", store=STORE, lines=lines).act
        except Refused as refusal:
            return refusal.reasons[0].reason

    with ThreadPoolExecutor() as clerks:
        asked = [
            clerks.submit(ask, "clerk", HELMET, "Helmet, large"),
            clerks.submit(ask, "second clerk", "Helmet, large", HELMET),
        ]
        answers = sorted(one.result() for one in asked)
    assert answers[0] == "issue"
    assert answers[1].startswith("only 40 Helmet")
    assert held(country) == held(country, "Helmet, large") == {STORE: 40, PETROV: 60}


def test_finding_what_is_counted(country: Country) -> None:
    """By name, by a part of it, by an alias: how many are where. A desk sees its own site's, a donor its own."""
    received(country, *helmets(50), donor="USA")
    received(country, *helmets(7, "Helmet, large"), {"model": ROUNDS, "lot": "12-77", "quantity": 1000})
    issued(country, *helmets(120))

    def found(text: str, who: str = "clerk") -> list[tuple[str, str | None, str, str, int]]:
        answer = asked_by(country, who, find, text)
        return [(one.model, one.lot, one.site, str(one.account_class), one.quantity) for one in answer.counted]

    assert found("helmet") == [
        (HELMET, None, "TAJI", "person", 120), (HELMET, None, "TAJI", "store", 30), ("Helmet, large", None, "TAJI", "store", 7),
    ]  # fmt: skip
    assert found("combat helmet") == found("helmet")[:2]
    assert found("7.62x39") == [(ROUNDS, "12-77", "TAJI", "store", 1000)]
    assert found("helmet", "auditor") == found("helmet")
    assert found("helmet", "USA") == [(HELMET, None, "TAJI", "person", 20), (HELMET, None, "TAJI", "store", 30)]
    assert found("helmet", "erbil clerk") == found("AKM") == found("Gas masks") == []


def test_what_a_document_and_a_holder_say_of_them(country: Country) -> None:
    """Model, lot and number on each line; the document is right about how many."""
    received(country, {"model": ROUNDS, "lot": "12-77", "quantity": 1000})
    posted = issued(country, *helmets(12), {"model": ROUNDS, "lot": "12-77", "quantity": 600})
    lines = asked_by(country, "clerk", list_lines, posted.document_id).rows
    assert [(line.model, line.lot, line.quantity) for line in lines] == [(HELMET, None, 12), (ROUNDS, "12-77", 600)]
    shown = asked_by(country, "clerk", holdings, Holder(person="A-1001"))
    assert [(line.model, line.lot, line.quantity, line.document_number) for line in shown.rows] == [
        (ROUNDS, "12-77", 600, posted.number), (HELMET, None, 12, posted.number),
    ]  # fmt: skip
    entries = asked_by(country, "clerk", history, country.helmets().item_id).entries
    assert [(entry.act, entry.quantity, entry.to.account) for entry in entries] == [
        ("receive", 100, STORE), ("issue", 12, PETROV),
    ]  # fmt: skip

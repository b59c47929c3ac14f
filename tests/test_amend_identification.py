"""Amending: what the books say a weapon bears is said otherwise by two people, with evidence; the old number stays to be found,
and bears on nobody who has it in truth.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.correct import CORRECT
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.mark import MARK
from stockpile.acts.open_books import OPEN
from stockpile.acts.perform import Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.errors import Invalid, NotAllowed
from stockpile.find import find
from stockpile.items import known_by_identity
from stockpile.keys import new_key
from stockpile.reports.described import Described
from stockpile.reports.history import history
from stockpile.reports.holdings import Holder, holdings
from stockpile.rights import reading
from stockpile.scans import look_up
from tests.test_races import asking, at_once
from tests.world import RIFLES, Country, ago, kinds, paper, photo, scanned_paper, scans, told

STORE = "Main store"
RIFLE, OTHER = RIFLES[:2]


def evidence() -> list[str]:
    """The SHA-256 of a stored photo of the marks."""
    return [scanned_paper(photo())]


def request(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"reason": "misread at receipt", "attachments": evidence(), "lines": list(lines), **more}


def amended(country: Country, *lines: dict[str, Any]) -> Posted:
    return country.do_with_approval("clerk", "commander", AMEND_IDENTIFICATION, **request(*lines))


def why_not(country: Country, *lines: dict[str, Any]) -> list[str]:
    return [why for _, why, _ in told(country.refused("clerk", AMEND_IDENTIFICATION, **request(*lines)))]


def received(country: Country, serial: str, **line: Any) -> Posted:
    lines = [{"model": "AKM", "serial_number": serial, "condition": "serviceable", **line}]
    return country.do("clerk", RECEIVE, store=STORE, lines=lines)


def corrected(country: Country, **request: Any) -> Posted:
    return country.do_with_approval("clerk", "commander", CORRECT, reason="wrong rifle", **request)


def found(country: Country, text: str) -> list[Described]:
    with reading(country.engine, country.actors["clerk"]) as connection:
        return [one.item for one in find(connection, country.actors["clerk"], text).items]


def test_a_misread_number_is_amended_by_two(country: Country) -> None:
    """The clerk asks, the commander approves; every list says the new number, the old one finds the rifle, the history shows
    both with the document behind each.
    """
    key = country.item(RIFLE).item_id
    waiting = country.ask("clerk", AMEND_IDENTIFICATION, **request({"scan": RIFLE, "serial_number": "KT 449999"}))
    assert isinstance(waiting, Drafted)
    with pytest.raises(NotAllowed):
        country.approve("clerk", waiting)
    assert country.item(RIFLE).serial_number == RIFLE
    posted = country.approve("commander", waiting)
    assert (posted.act, posted.lines, posted.discrepancy_count, country.where(RIFLE)) == (
        "amend identification",
        1,
        0,
        STORE,
    )
    assert country.item("kt449999").serial_number == "KT 449999"
    (item,) = found(country, RIFLE)
    assert (item.item_id, item.serial_number, item.formerly) == (key, "KT 449999", (RIFLE,))
    clerk = country.actors["clerk"]
    with reading(country.engine, clerk) as connection:
        first, second = history(connection, clerk, key).identifications
        listed = holdings(connection, clerk, Holder(site="TAJI"), search="449999").rows
        former = holdings(connection, clerk, Holder(site="TAJI"), search=RIFLE).rows
    assert (first.serial_number, first.act, second.serial_number) == (RIFLE, "receive", "KT 449999")
    assert (second.document_id, second.document_number) == (posted.document_id, posted.number)
    assert ([one.item_id for one in listed], former) == ([key], ())
    ((details,),) = country.query("SELECT details FROM document WHERE document_id = %s", posted.document_id)
    assert details["amended"] == [
        {"line": 1, "item": str(key), "was": {"serial_number": RIFLE}, "is": {"serial_number": "KT 449999"}}
    ]


def test_the_number_it_does_not_bear_is_free_for_the_rifle_that_does(country: Country) -> None:
    """The real one arrives: no twin, and a scan means it alone. A second one with that number is a twin again."""
    amended(country, {"scan": RIFLE, "serial_number": "KT 449999"})
    assert received(country, RIFLE).discrepancy_count == 0
    assert [item.formerly for item in found(country, RIFLE)] == [()]
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLE))
    assert kinds(received(country, RIFLE)) == ["same serial number twice"]
    assert kinds(received(country, "KT 449999")) == ["same serial number twice"]


def test_the_number_is_free_for_an_old_book_and_a_paper_too(country: Country) -> None:
    """By an opening list without a word how to tell it apart; and known to be borne by nobody."""
    amended(country, {"scan": RIFLE, "serial_number": "KT 449999"}, {"scan": OTHER, "no_serial_number": True})
    lines = [{"model": "AKM", "serial_number": RIFLE}]
    opened = country.do_with_approval("registrar", "commander", OPEN, site="TAJI", name="Old", store=STORE, lines=lines)
    assert opened.discrepancy_count == 0
    identity = "SELECT identity_key FROM identity WHERE identity_key LIKE %s"
    ((key,),) = country.query(identity, "%KT449901")
    with transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection:
        known = known_by_identity(connection, [key])
    assert (known.bearers, known.rows) == ({}, {key: 1})
    posted = country.do("clerk", RETURN, store=STORE, lines=scans("NEVER 1"), paper=paper(1, ago()))
    assert kinds(posted) == ["unknown weapon"]


def test_two_rifles_that_were_mistaken_for_each_other(country: Country) -> None:
    """Each gets the other's number in one document: nobody is a twin, and each scan finds the right one."""
    one, other = (country.item(rifle).item_id for rifle in (RIFLE, OTHER))
    posted = amended(country, {"scan": RIFLE, "serial_number": OTHER}, {"scan": OTHER, "serial_number": RIFLE})
    assert posted.discrepancy_count == 0
    assert ([item.item_id for item in found(country, RIFLE)], [item.item_id for item in found(country, OTHER)]) == (
        [other], [one],
    )  # fmt: skip


def test_a_number_that_another_bears_takes_a_distinguishing_mark(country: Country) -> None:
    """Without: refused. With: taken, and flagged."""
    wrong = f"another AKM bears the serial number {OTHER}: if there are two, say how it can be told apart (distinguishing_mark)"
    assert why_not(country, {"scan": RIFLE, "serial_number": OTHER}) == [wrong]
    assert why_not(country, *({"scan": rifle, "serial_number": "KT 1"} for rifle in RIFLES[:2])) == [
        wrong.replace(OTHER, "KT 1")
    ]
    posted = amended(country, {"scan": RIFLE, "serial_number": OTHER, "distinguishing_mark": "Chinese proof mark"})
    assert kinds(posted) == ["same serial number twice"]
    assert len(found(country, OTHER)) == 2


def test_what_is_said_is_checked_weapon_by_weapon(country: Country) -> None:
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    corrected(country, lines=scans(RIFLES[3]))
    helmets = {"item": str(country.helmets().item_id), "maker": "Anybody"}
    lines = [
        {"scan": RIFLE, "serial_number": RIFLE}, {"scan": "E 1", "maker": "X"}, {"scan": "NO SUCH", "maker": "X"}, helmets,
        {"scan": RIFLES[3], "maker": "X"},
    ]  # fmt: skip
    assert why_not(country, *lines) == [
        "the books say so already",
        "it is not at TAJI",
        "unknown: nothing in the books bears this number",
        "it is counted, not one of its kind: it has no identification of its own",
        "it was taken back out of the books: the act 'amend identification' does not begin there",
    ]


def test_a_number_that_is_filed_off_after_all(country: Country) -> None:
    """Obliterated: no identity, not to be issued; read again after all: it is."""
    amended(country, {"scan": RIFLE, "obliterated": True})
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLE))
    assert told(refusal)[0][1] == "it bears no serial number or mark: mark it first"
    assert received(country, RIFLE).discrepancy_count == 0
    (first, _) = found(country, RIFLE)
    assert kinds(
        amended(country, {"item": str(first.item_id), "obliterated": False, "distinguishing_mark": "worn"})
    ) == ["same serial number twice"]


def test_the_maker_is_part_of_the_identity(country: Country) -> None:
    """Another factory's stamp on it: then a second of that number by the first factory is no twin."""
    amended(country, {"scan": RIFLE, "maker": "Tula"})
    assert found(country, RIFLE)[0].maker == "Tula"
    assert received(country, RIFLE).discrepancy_count == 0


def test_what_is_missing_is_amended_too(country: Country) -> None:
    """The number that is looked for was wrong."""
    country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans(RIFLE))
    amended(country, {"scan": RIFLE, "serial_number": "KT 449999"})
    assert country.where("KT 449999") == "missing"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"model": "AK-103"}, "A model can't be amended: correct the receipt and receive the weapon anew"),
        ({}, "nothing that could be amended"),
        ({"uii": "D1ABC2X"}, "Extra inputs"),
        ({"no_serial_number": True, "obliterated": True}, "none to give"),
        ({"serial_number": "A\u202eB"}, "reading direction"),
    ],
)
def test_bad_input_is_named(country: Country, line: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        country.ask("clerk", AMEND_IDENTIFICATION, **request({"scan": RIFLE, **line}))


def test_without_evidence_nothing_is_amended(country: Country) -> None:
    """None named, or one that nobody stored; and no paper stands for it."""
    line = {"scan": RIFLE, "serial_number": "KT 1"}
    with pytest.raises(ValidationError, match="attachments"):
        country.ask("clerk", AMEND_IDENTIFICATION, **request(line, attachments=[]))
    with pytest.raises(ValidationError, match="Extra inputs"):
        country.ask("clerk", AMEND_IDENTIFICATION, **request(line), paper=paper(1, ago()))
    with pytest.raises(Invalid, match="what is attached is no evidence"):
        country.ask("clerk", AMEND_IDENTIFICATION, **request(line, attachments=["ab" * 32]))


def test_neither_another_site_nor_a_reader_amends(country: Country) -> None:
    for who in ("registrar", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            country.ask(who, AMEND_IDENTIFICATION, **request({"scan": RIFLE, "serial_number": "KT 1"}))
    refusal = country.refused("erbil clerk", AMEND_IDENTIFICATION, **request({"scan": RIFLE, "serial_number": "KT 1"}))
    assert told(refusal)[0][1] == "it is not at ERBIL"


def test_an_amendment_taken_back_gives_the_old_number_back(country: Country) -> None:
    """And where another has it meanwhile, the correction says that there are two of them now."""
    amended(country, {"scan": RIFLE, "serial_number": "KT 449999"}, {"scan": OTHER, "serial_number": "KT 449998"})
    received(country, OTHER)
    assert corrected(country, lines=scans("KT 449999")).discrepancy_count == 0
    (item,) = found(country, RIFLE)
    assert (item.serial_number, item.formerly) == (RIFLE, ("KT 449999",))
    assert kinds(received(country, "KT 449999")) == []
    assert kinds(received(country, RIFLE)) == ["same serial number twice"]
    assert kinds(corrected(country, lines=scans("KT 449998"))) == ["same serial number twice"]
    assert len(found(country, OTHER)) == 2


def test_a_late_marking_does_not_undo_an_amendment(country: Country) -> None:
    """The import mark of last week is keyed after today's amendment: it is laid under it. Both count, each can be taken back."""
    country.actors["armourer"] = replace(country.actors["second clerk"], role="armourer")
    moment = ago()
    amended(country, {"scan": RIFLE, "serial_number": "KT 449999"})
    ask = {"method": "laser", "place": "receiver", "import_country": "IQ", "lines": scans(RIFLE)}
    country.do("armourer", MARK, **ask, paper=paper(1, moment))
    (item,) = found(country, "KT 449999")
    assert (item.serial_number, item.import_mark, item.formerly) == ("KT 449999", "IQ", (RIFLE,))
    corrected(country, lines=scans("KT 449999"))
    (item,) = found(country, RIFLE)
    assert (item.serial_number, item.import_mark) == (RIFLE, "IQ")
    assert kinds(received(country, RIFLE)) == ["same serial number twice"]


def test_a_late_voucher_leaves_the_amendment(country: Country) -> None:
    """It was reversed and posted again, twice; the new number stands, and its entry's repeat is what a correction takes back."""
    moments = [ago(), ago()]
    amended(country, {"scan": RIFLE, "serial_number": "KT 449999"})
    for number, moment in enumerate(reversed(moments), 1):
        country.do("clerk", RETURN, store=STORE, lines=scans("KT 449999"), paper=paper(number, moment))
    assert country.item("KT 449999").serial_number == "KT 449999"
    assert received(country, RIFLE).discrepancy_count == 0
    assert country.query("SELECT max(version) FROM identification") == [(2,)]
    corrected(country, lines=scans("KT 449999"))
    assert country.item("KT 449999").serial_number == RIFLE


def test_two_amendments_to_one_number_at_one_moment(country: Country) -> None:
    """Drafts of two clerks, approved at once: one is posted, the other is told that another weapon bears it."""
    country.actors["second commander"] = replace(
        country.actors["commander"], party_id=country.parties["A-1003"].party_id
    )
    drafts = [
        country.ask(who, AMEND_IDENTIFICATION, **request({"scan": rifle, "serial_number": "KT 1"}))
        for who, rifle in (("clerk", RIFLE), ("second clerk", OTHER))
    ]
    approvers = ("commander", "second commander")
    answers = at_once([lambda w=w, d=d: country.approve(w, d) for w, d in zip(approvers, drafts, strict=True)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Posted", "Refused"], answers
    assert len(found(country, "KT 1")) == 1


def test_eight_armourers_give_one_uii(country: Country) -> None:
    """Each to another rifle, at one moment: one rifle bears it."""
    country.actors["armourer"] = replace(country.actors["second clerk"], role="armourer")
    how = {"method": "laser", "place": "receiver"}
    requests = [
        MARK.request.model_validate({**how, "document_id": new_key(), "lines": [{"scan": rifle, "uii": "D1ABC2X"}]})
        for rifle in RIFLES[:8]
    ]
    answers = at_once([asking(country, "armourer", MARK, one) for one in requests])
    assert sorted(type(answer).__name__ for answer in answers) == ["Posted", *["Refused"] * 7], answers
    with transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection:
        assert len(look_up(connection, ["D1ABC2X"])["D1ABC2X"]) == 1


def test_a_list_of_what_was_amended_is_received_fast_and_right(
    country: Country, tmp_path: Path, monkeypatch: Any
) -> None:
    """A consignment's own list, one weapon of it amended: that one is found by its new number, and no other is a twin."""
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))
    lines = [{"model": "AKM", "serial_number": f"U {n}"} for n in range(40)]
    country.do("clerk", RECEIVE, store=STORE, lines=lines)
    amended(country, {"scan": "U 7", "serial_number": "U 777"})
    posted = country.do("clerk", RECEIVE, store=STORE, lines=lines)
    assert posted.discrepancy_count == 39

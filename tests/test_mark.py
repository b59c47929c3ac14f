"""Marking: what the armourer puts on a weapon becomes part of what it is, and who takes the record back takes that back too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.mark import MARK
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.documents import Posted
from stockpile.errors import NotAllowed
from stockpile.find import find
from stockpile.reports.described import Described
from stockpile.reports.history import Identified, history
from stockpile.rights import reading
from tests.world import RIFLES, Country, ago, kinds, paper, photo, scanned_paper, scans, told

STORE = "Main store"
HOW = {"method": "laser", "place": "receiver"}
CAGE = {"enterprise": "1ABC2"}


ENDS = """
SELECT f.name, t.name FROM entry e
JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
WHERE e.document_id = %s AND e.reverses IS NULL ORDER BY e.version
"""


@pytest.fixture(autouse=True)
def _armourer(country: Country) -> None:
    """The armourer of TAJI, and the one of ERBIL."""
    country.actors["armourer"] = replace(country.actors["second clerk"], role="armourer")
    country.actors["erbil armourer"] = replace(country.actors["erbil clerk"], role="armourer")


def marked(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do("armourer", MARK, **{**HOW, **request}, lines=list(lines))


def why_not(country: Country, *lines: dict[str, Any], **request: Any) -> list[str]:
    return [why for _, why, _ in told(country.refused("armourer", MARK, **{**HOW, **request}, lines=list(lines)))]


def captured(country: Country, name: str, **line: Any) -> str:
    """A rifle without a number that can be read, in the main store; its asset tag."""
    posted = country.do(
        "clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "distinguishing_mark": name, "condition": "serviceable", **line}]
    )  # fmt: skip
    ((item_id,),) = country.query("SELECT item_id FROM entry WHERE document_id = %s", posted.document_id)
    return str(item_id)


def what(country: Country, text: str, who: str = "clerk") -> Described:
    """What the one weapon is that a scan finds."""
    with reading(country.engine, country.actors[who]) as connection:
        (found,) = find(connection, country.actors[who], text).items
    return found.item


def versions(country: Country, text: str) -> list[Identified]:
    item = what(country, text)
    with reading(country.engine, country.actors["clerk"]) as connection:
        return list(history(connection, country.actors["clerk"], item.item_id).identifications)


def corrected(country: Country, *serials: str) -> Posted:
    return country.do_with_approval("clerk", "commander", CORRECT, reason="wrong rifle", lines=scans(*serials))


def test_an_unmarked_rifle_gets_a_registry_serial_and_may_be_issued(country: Country) -> None:
    """Before that it stays in the rack. The number is found by any scan, the entry commits it, the photo is attached."""
    key = captured(country, "red tape")
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store=STORE, lines=[{"item": key}])
    assert refusal.reasons[0].reason == "it bears no serial number or mark: mark it first"
    shown = scanned_paper(photo())
    posted = marked(country, {"item": key, "serial_number": "IQ-A 000417"}, method="dot peen", attachments=[shown])
    assert (posted.act, posted.fact, posted.lines, posted.discrepancy_count) == ("mark", False, 1, 0)
    assert (country.where("iq-a000417"), country.item("IQ-A 000417").serial_number) == (STORE, "IQ-A 000417")
    ((details, attached),) = country.query(
        "SELECT details, attachments FROM document WHERE document_id = %s", posted.document_id
    )
    assert details["marks"] == [
        {"line": 1, "item": key, "serial_number": "IQ-A 000417", "method": "dot peen", "place": "receiver"}
    ]
    assert attached == [shown]
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans("IQ-A 000417"))
    first, second = versions(country, "IQ-A 000417")
    assert (first.serial_number, first.distinguishing_mark, first.stands) == (None, "red tape", True)
    assert (second.serial_number, second.distinguishing_mark) == ("IQ-A 000417", "red tape")
    assert (second.mark_method, second.mark_place, second.act) == ("dot peen", "receiver", "mark")
    assert (second.document_id, second.document_number) == (posted.document_id, posted.number)


def test_an_obliterated_number_is_followed_by_a_new_one(country: Country) -> None:
    """What was left of the old one still finds the rifle."""
    captured(country, "red tape", serial_number="77 fi", obliterated=True)
    marked(country, {"scan": "77 fi", "serial_number": "IQ-A 1"})
    item = what(country, "77fi")
    assert (item.serial_number, item.obliterated, item.formerly) == ("IQ-A 1", False, ("77 fi",))


def test_a_whole_rack_gets_its_import_mark_at_once(country: Country) -> None:
    """Country and year for the record, stands beside the number; one line says it otherwise."""
    lines = [*scans(*RIFLES[:3]), {"scan": RIFLES[3], "import_mark": "IRAQ MOD 25", "import_year": 2025}]
    posted = marked(country, *lines, import_country="IQ", import_year=2026)
    assert posted.lines == 4
    one, other = what(country, RIFLES[0]), what(country, RIFLES[3])
    assert (one.import_mark, one.import_country, one.import_year) == ("IQ 2026", "IQ", 2026)
    assert (other.import_mark, other.import_year, other.serial_number) == ("IRAQ MOD 25", 2025, RIFLES[3])
    assert one.label == (f"AKM {RIFLES[0]}", "IQ 2026")
    again = why_not(country, *scans(RIFLES[0]), import_country="IQ", import_year=2026)
    assert again == ["it bears the import mark IQ 2026 already"]


def test_uiis_are_made_of_enterprise_part_and_number(country: Country) -> None:
    """Construct 1, construct 2 with a part, and one read from the weapon; the scan of each finds it."""
    marked(country, *scans(*RIFLES[:2]), uii=CAGE)
    marked(country, *scans(RIFLES[2]), uii={**CAGE, "part_number": "W0042", "serial_number": "7"})
    marked(country, {"scan": RIFLES[3], "uii": "[)>\x1e12\x1dCAG A3309\x1dSER 1234567\x1e\x04"})
    assert what(country, "D1ABC2KT449901").serial_number == RIFLES[1]
    assert what(country, "D1ABC2W00427").serial_number == RIFLES[2]
    assert what(country, "[)>\x1e06\x1d18SA33091234567\x1e\x04").serial_number == RIFLES[3]
    assert what(country, RIFLES[3]).label == (f"AKM {RIFLES[3]}", "UII DA33091234567")


def test_a_uii_never_changes_and_is_never_shared(country: Country) -> None:
    marked(country, *scans(RIFLES[0]), uii=CAGE)
    assert why_not(country, *scans(RIFLES[0]), uii=CAGE) == ["it bears the UII D1ABC2KT449900: a UII never changes"]
    asked = [
        {"scan": rifle, "uii": uii}
        for rifle, uii in zip(RIFLES[1:4], ("d1abc2kt449900", *["D1ABC2X"] * 2), strict=True)
    ]
    assert why_not(country, *asked) == [
        "another weapon bears the UII D1ABC2KT449900: two never share one",
        "line 2 has the UII D1ABC2X: two never share one",
    ]
    assert why_not(country, {"scan": RIFLES[4], "uii": {**CAGE, "serial_number": "Ä1"}})[0].startswith(
        "no UII can be made for it: "
    )


def test_twins_are_told_apart_by_a_mark(country: Country) -> None:
    country.do("clerk", RECEIVE, store=STORE, lines=[{"model": "AKM", "serial_number": RIFLES[0]}])
    assert told(country.refused("armourer", MARK, **HOW, lines=[{"scan": RIFLES[0], "distinguishing_mark": "T2"}]))[0][
        1
    ].startswith("2 weapons bear this number")
    ((twin,),) = country.query("SELECT item_id FROM identity WHERE ordinal = 2")
    marked(country, {"item": str(twin), "distinguishing_mark": "T2"})
    assert what(country, str(twin)).distinguishing_mark == "T2"


def test_what_can_not_be_marked_is_told_weapon_by_weapon(country: Country) -> None:
    """With a soldier, missing, elsewhere, counted, numbered already, unknown: each with its reason, nothing is done."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    country.do("clerk", REPORT_MISSING, place="the range", circumstances="gone", lines=scans(RIFLES[1]))
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    helmets = {"item": str(country.helmets().item_id)}
    lines = [
        *scans(RIFLES[0], RIFLES[1], "E 1", "NO SUCH"),
        helmets,
        {"scan": RIFLES[2], "serial_number": "N 1"},
        *scans(RIFLES[3], RIFLES[3]),
    ]
    assert why_not(country, *lines, import_country="IQ") == [
        "it is issued to a person: the act 'mark' does not begin there",
        "it is reported missing: the act 'mark' does not begin there",
        "it is not at TAJI",
        "unknown: nothing in the books bears this number",
        "it is counted, not one of its kind: it takes no mark of its own",
        f"it bears the serial number {RIFLES[2]}: if that is wrong, ask for an amendment",
        "already on this list, line 7",
    ]
    assert what(country, RIFLES[3]).import_mark is None


def test_a_number_that_another_of_the_model_bears_is_refused(country: Country) -> None:
    keys = [captured(country, name) for name in ("one", "two", "three")]
    lines = [
        {"item": key, "serial_number": number} for key, number in zip(keys, (RIFLES[0], "N 1", "n-1"), strict=True)
    ]
    assert why_not(country, *lines) == [
        f"another AKM bears the serial number {RIFLES[0]}: take another",
        "line 2 has the serial number n-1: take another",
    ]


def test_a_unit_s_and_the_workshop_s_weapons_are_marked_where_they_are(country: Country) -> None:
    country.do("clerk", ISSUE, receiver="1COY", received_by="A-1001", store=STORE, lines=scans(RIFLES[0]))
    country.do("clerk", MAINTAIN, work="barrel", lines=scans(RIFLES[1]))
    marked(country, *scans(*RIFLES[:2]), import_country="IQ", place="barrel")
    assert (country.where(RIFLES[0]), country.where(RIFLES[1])) == ("1st Company", "maintenance")


@pytest.mark.parametrize(
    ("request_", "line", "says"),
    [
        (HOW, {}, "line 1 has nothing that was put on"),
        ({"place": "receiver"}, {"serial_number": "N 1"}, "say how"),
        ({"method": "laser"}, {"serial_number": "N 1"}, "on which part"),
        (HOW, {"import_year": 2026}, "names its country"),
        (HOW, {"import_country": "Iraq"}, "import_country"),
        (HOW, {"uii": "KT 1"}, "no UII"),
        (HOW, {"uii": "[)>\x1e06\x1dSX\x1e\x04"}, "UII"),
        (HOW, {"uii": {"enterprise": "1ABC2", "part_number": "P", "lot": "L"}}, "not both"),
        (HOW, {"serial_number": "- -"}, "only blanks and dashes"),
        (HOW, {"serial_number": "N 1", "model_id": "x"}, "Extra inputs"),
        ({**HOW, "method": "scratched"}, {"serial_number": "N 1"}, "engraved"),
    ],
)
def test_bad_input_is_named(country: Country, request_: dict[str, Any], line: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        country.ask("armourer", MARK, **request_, lines=[{"scan": RIFLES[0], **line}])


def test_the_armourer_marks_and_a_clerk_does_not(country: Country) -> None:
    for who in ("clerk", "registrar", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            country.ask(who, MARK, **HOW, import_country="IQ", lines=scans(RIFLES[0]))
    refusal = country.refused("erbil armourer", MARK, **HOW, import_country="IQ", lines=scans(RIFLES[0]))
    assert told(refusal)[0][1] == "it is not at ERBIL"


def test_a_marking_taken_back_leaves_what_stood_before(country: Country) -> None:
    """The number is off the books, the rifle unmarked again; who scans the number still finds it, as nobody else bears it."""
    key = captured(country, "red tape")
    marked(country, {"item": key, "serial_number": "IQ-A 1"})
    marked(country, {"item": key}, import_country="IQ")
    corrected(country, "IQ-A 1")
    assert (what(country, key).serial_number, what(country, key).import_mark) == ("IQ-A 1", None)
    corrected(country, "IQ-A 1")
    item = what(country, "IQ-A 1")
    assert (str(item.item_id), item.serial_number, item.formerly) == (key, None, ("IQ-A 1",))
    assert not country.item("IQ-A 1").marked
    assert [one.stands for one in versions(country, key)] == [True, False, False]
    other = captured(country, "blue tape")
    marked(country, {"item": other, "serial_number": "IQ-A 1"})
    assert str(what(country, "IQ-A 1").item_id) == other
    assert why_not(country, {"item": key, "serial_number": "IQ-A 1"}) == [
        "another AKM bears the serial number IQ-A 1: take another"
    ]


def test_a_uii_taken_back_may_be_given_to_the_weapon_that_bears_it(country: Country) -> None:
    """It was written down for the wrong rifle: corrected, it is the right one's; and not the wrong one's again."""
    wrong = marked(country, {"scan": RIFLES[0], "uii": "D1ABC2X"})
    country.do("armourer", UNDO, document=wrong.document_id)
    marked(country, {"scan": RIFLES[1], "uii": "D1ABC2X"})
    assert what(country, "D1ABC2X").serial_number == RIFLES[1]
    assert why_not(country, {"scan": RIFLES[0], "uii": "D1ABC2X"}) == [
        "another weapon bears the UII D1ABC2X: two never share one"
    ]
    corrected(country, RIFLES[1])
    marked(country, {"scan": RIFLES[0], "uii": "D1ABC2X"})
    assert what(country, "D1ABC2X").serial_number == RIFLES[0]


def test_a_late_paper_leaves_the_marks_that_came_after_it(country: Country) -> None:
    """The mark's entry is posted again by a late hand-over: reversed once, it stands; and taken back, it is gone."""
    moment = ago()
    marked(country, *scans(RIFLES[0]), import_country="IQ")
    country.do("clerk", RETURN, store=STORE, lines=scans(RIFLES[0]), paper=paper(1, moment))
    assert what(country, RIFLES[0]).import_mark == "IQ"
    country.do("clerk", RETURN, store=STORE, lines=scans(RIFLES[0]), paper=paper(2, moment))
    assert [(one.import_mark, one.stands) for one in versions(country, RIFLES[0])] == [(None, True), ("IQ", True)]
    corrected(country, RIFLES[0])
    assert what(country, RIFLES[0]).import_mark is None


def test_a_late_marking_is_laid_under_the_later_ones(country: Country) -> None:
    """The import mark of last week comes to the books after today's UII. Both stand; the UII's entry taken back, the import
    mark is left; then neither.
    """
    first, second = ago(), ago()
    marked(country, *scans(RIFLES[0]), uii=CAGE, place="bolt")
    country.do("clerk", ISSUE, receiver="1COY", received_by="A-1001", store=STORE, lines=scans(RIFLES[0]))
    late = marked(country, *scans(RIFLES[0]), import_country="IQ", paper=paper(1, first))
    item = what(country, RIFLES[0])
    assert (late.fact, late.lines) == (True, 5)
    laid = country.query(ENDS, late.document_id)
    assert laid == [(STORE, STORE), (STORE, STORE), (STORE, "1st Company")]
    assert (late.fact, item.import_mark, item.uii) == (True, "IQ", "D1ABC2KT449900")
    assert country.where(RIFLES[0]) == "1st Company"
    middle = marked(country, {"scan": RIFLES[0], "distinguishing_mark": "T2"}, paper=paper(2, second))
    assert kinds(middle) == []
    item = what(country, RIFLES[0])
    assert (item.import_mark, item.uii, item.distinguishing_mark) == ("IQ", "D1ABC2KT449900", "T2")
    newest = [one for one in versions(country, RIFLES[0]) if one.stands][-1]
    assert (newest.uii, newest.mark_place) == ("D1ABC2KT449900", "bolt")
    assert left_after_each_correction(country) == [
        ("IQ", "D1ABC2KT449900", "T2"), ("IQ", "D1ABC2KT449900", "T2"), ("IQ", None, "T2"), ("IQ", None, None), (None, None, None),
    ]  # fmt: skip


def left_after_each_correction(country: Country) -> list[tuple[str | None, str | None, str | None]]:
    """What the rifle bears, its documents being taken back one by one: the issue, the UII, the twin's mark, the import mark."""
    seen = []
    for n in range(5):
        if n:
            corrected(country, RIFLES[0])
        item = what(country, RIFLES[0])
        seen.append((item.import_mark, item.uii, item.distinguishing_mark))
    return seen


def test_a_paper_marks_a_weapon_wherever_the_books_have_it(country: Country) -> None:
    """With a soldier, and one that nobody ever heard of: posted, flagged; the second one enters a store."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    posted = marked(
        country, *scans(RIFLES[0], "NEVER 1"), import_country="IQ", store="Quarantine", paper=paper(1, ago(seconds=-5))
    )
    assert kinds(posted) == ["held elsewhere", "unknown weapon"]
    assert (country.where(RIFLES[0]), country.where("NEVER 1")) == ("Private Petrov (A-1001)", "Quarantine")
    assert {what(country, rifle).import_mark for rifle in (RIFLES[0], "NEVER 1")} == {"IQ"}
    corrected(country, "NEVER 1")
    assert country.where("NEVER 1") == "outside"


@pytest.mark.parametrize("late_first", [False, True])
def test_papers_about_a_rifle_nobody_heard_of_come_in_any_order(country: Country, late_first: bool) -> None:
    """Marked twice on paper, then reported missing, then marked again: keyed in that order or from the last to the first, it ends
    where it was lost, with every mark, and the same is open.
    """
    moments = [ago() for _ in range(4)]
    loss = {"place": "the range", "circumstances": "gone"}
    papers = [
        lambda n: marked(country, *scans("NEVER 1"), import_country="IQ", store="Quarantine", paper=paper(n, moments[0])),
        lambda n: marked(country, {"scan": "NEVER 1", "distinguishing_mark": "T2"}, store="Quarantine", paper=paper(n, moments[1])),
        lambda n: country.do("clerk", REPORT_MISSING, **loss, lines=scans("NEVER 1"), paper=paper(n, moments[2])),
        lambda n: marked(country, *scans("NEVER 1"), uii=CAGE, store="Quarantine", paper=paper(n, moments[3])),
    ]  # fmt: skip
    numbered = list(enumerate(papers, 1))
    for n, keyed in reversed(numbered) if late_first else numbered:
        keyed(n)
    item = what(country, "NEVER 1")
    assert (item.import_mark, item.distinguishing_mark, item.uii) == ("IQ", "T2", "D1ABC2NEVER1")
    assert country.where("NEVER 1") == "missing"
    assert country.discrepancies() == ["found what the books hold as gone", "unknown weapon"]


def test_a_paper_that_contradicts_the_books_is_posted_and_told(country: Country) -> None:
    """A number on a rifle that has one, a number another bears, another's UII, a second UII: the metal says so, or the paper
    is wrong. A UII is never changed nor shared, whatever a paper says.
    """
    marked(country, *scans(*RIFLES[:2]), uii=CAGE)
    key = captured(country, "red tape")
    lines = [
        {"scan": RIFLES[2], "serial_number": "OTHER 1"}, {"item": key, "serial_number": RIFLES[3]},
        {"scan": RIFLES[4], "uii": "D1ABC2KT449900"}, {"scan": RIFLES[1], "uii": "D1ABC2Z"},
    ]  # fmt: skip
    posted = marked(country, *lines, paper=paper(1, ago(seconds=-5)))
    assert kinds(posted) == ["doubtful as it came"] * 2 + ["same serial number twice"] * 2
    assert (what(country, "OTHER 1").formerly, what(country, RIFLES[4]).uii) == ((RIFLES[2],), None)
    assert (what(country, key).serial_number, what(country, RIFLES[1]).uii) == (RIFLES[3], "D1ABC2KT449901")


def test_a_paper_with_a_uii_that_can_not_be_made_is_posted(country: Country) -> None:
    """The rifle's number has a sign that no UII has: its import mark is written down, the UII is not, and that is open."""
    key = captured(country, "red tape")
    lines = [{"item": key, "serial_number": "Ä 1", "uii": CAGE}, *scans(RIFLES[0])]
    posted = marked(country, *lines, import_country="IQ", paper=paper(1, ago(seconds=-5)))
    ((said, seen),) = country.query(
        "SELECT books_said, seen FROM discrepancy WHERE document_id = %s", posted.document_id
    )
    assert (said.partition(":")[0], seen) == ("no UII can be made for it", "marked with a UII of parts, line 1")
    item = what(country, key)
    assert (item.serial_number, item.import_mark, item.uii) == ("Ä 1", "IQ", None)


def test_a_donor_sees_the_marks_on_its_weapons(country: Country) -> None:
    """Its own only; and a number that a correction took back, as everybody does."""
    line = {"model": "M4", "serial_number": "US 1", "condition": "serviceable"}
    country.do("clerk", RECEIVE, store=STORE, donor="USA", lines=[line])
    marked(country, *scans("US 1", RIFLES[0]), import_country="IQ", uii=CAGE)
    item = what(country, "US 1", "USA")
    assert (item.import_mark, item.uii) == ("IQ", "D1ABC2US1")
    with reading(country.engine, country.actors["USA"]) as connection:
        shown = history(connection, country.actors["USA"], item.item_id).identifications
        assert [(one.uii, one.stands, one.act) for one in shown] == [
            (None, True, "receive"),
            ("D1ABC2US1", True, "mark"),
        ]
        assert find(connection, country.actors["USA"], RIFLES[0]).items == ()
    corrected(country, "US 1")
    assert what(country, "US 1", "USA").uii is None


def test_another_site_sees_which_mark_stands(country: Country) -> None:
    """Whether a mark was taken back is not hidden with the documents of the site that did."""
    marked(country, *scans(RIFLES[0]), import_country="IQ")
    assert what(country, RIFLES[0], "erbil clerk").import_mark == "IQ"
    corrected(country, RIFLES[0])
    assert what(country, RIFLES[0], "erbil clerk").import_mark is None


def test_a_marking_is_a_document_in_the_weapon_s_life(country: Country) -> None:
    """Handed on between two marks: the entries are numbered, each where the last one ended."""
    marked(country, *scans(RIFLES[0]), import_country="IQ")
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    country.do("clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=scans(RIFLES[0]))
    acts = country.query(
        "SELECT e.version, d.act, e.from_account = e.to_account FROM entry e JOIN document d USING (document_id) "
        "WHERE e.item_id = %s ORDER BY 1",
        country.item(RIFLES[0]).item_id,
    )
    assert acts == [(1, "receive", False), (2, "mark", True), (3, "issue", False), (4, "hand over", False)]

"""Near matches are judged: what is said to be one weapon counts as matched in the runs that follow, what is said to be two is not proposed
again, and nothing that was said goes away.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from stockpile.errors import NotAllowed, NotFound
from stockpile.registers.audits import Audited
from stockpile.registers.judgements import Judge, judge
from stockpile.reports.audits import every_finding, read_audit
from stockpile.reports.judgements import NearMatch, list_judgements, read_near_match
from stockpile.rights import reading
from tests.api_world import Web, problem, served
from tests.registers import compared, counts, found, imported
from tests.test_api_audits import audited
from tests.test_api_audits import imported as taken_in
from tests.world import Country

web = pytest.fixture(served)

LOG = "serial,model,unit\nKT 1001,AKM,1COY\nKT 2002,AKM,1COY\nKT 5678,AKM,1COY\nKT 9,AKM,1COY\n"
BOOK = "serial,model,unit\nKT 1OO1,AKM,1COY\nKT 2003,AKM,1COY\nKT 5679,AKM,2COY\nKT 9,AKM,1COY\n"


def said(country: Country, audit: Audited, judged: str, serial: str, who: str = "auditor") -> None:
    """The near match of a number of the left side is judged."""
    (near,) = [one for one in found(country, audit, "near match") if one.serial_number == serial]
    judge(
        country.engine,
        country.actors[who],
        audit.audit_id,
        near.number,
        Judge.model_validate({"judged": judged, "reason": "the photo of the receiver shows it"}),
    )


def shown(country: Country, audit: Audited, number: int) -> NearMatch:
    actor = country.actors["auditor"]
    with reading(country.engine, actor) as connection:
        return read_near_match(connection, actor, audit.audit_id, number)


def test_one_weapon_counts_as_matched_and_two_are_not_proposed_again(country: Country) -> None:
    log, book = imported(country, LOG), imported(country, BOOK, source="OTHER BOOKS")
    first = compared(country, log, book, name="Log against book")
    assert counts(first) == {"matched": 1, "only left": 3, "only right": 3, "near match": 3}
    said(country, first, "same", "KT 1001")
    said(country, first, "different", "KT 2002")
    said(country, first, "same", "KT 5678")

    again = compared(country, None, None, name="Log against book")
    assert counts(again) == {"matched": 2, "conflicting": 1, "only left": 1, "only right": 1}
    misread = next(one for one in found(country, again, "matched") if one.serial_number == "KT 1001")
    assert (misread.left_line, misread.right_line) == (2, 2)
    (other_unit,) = found(country, again, "conflicting")
    assert (other_unit.serial_number, other_unit.right_line, other_unit.why) == ("KT 5678", 4, "unit")
    actor = country.actors["auditor"]
    with reading(country.engine, actor) as connection:
        told = read_audit(connection, actor, again.audit_id)
        assert (told.judged_same, told.judged_different, told.judged_since) == (2, 1, 0)
        assert read_audit(connection, actor, first.audit_id).judged_since == 3
        rows = list(every_finding(connection, actor, first.audit_id, "near match", judged="same"))
        assert {row.serial_number for row in rows} == {"KT 1001", "KT 5678"}
        assert list(every_finding(connection, actor, first.audit_id, judged="not judged")) == []
    # The run in which they were judged stays as it was, and so does what is found under another name.
    assert counts(first)["near match"] == len(found(country, first, "near match")) == 3
    assert counts(compared(country, log, book, name="Another")) == counts(first)


def test_the_newest_judgement_holds_and_the_older_ones_stay(country: Country) -> None:
    log, book = imported(country, LOG), imported(country, BOOK, source="OTHER BOOKS")
    audit = compared(country, log, book, name="Log against book")
    said(country, audit, "same", "KT 1001")
    said(country, audit, "different", "KT 1001", who="registrar")
    again = compared(country, None, None, name="Log against book")
    assert counts(again) == {"matched": 1, "only left": 3, "only right": 3, "near match": 2}
    first = shown(country, audit, 1)
    assert [one.judged for one in first.judgements] == ["different", "same"]
    assert (first.left and first.left.cells, first.right and first.right.cells) == (
        ["KT 1001", "AKM", "1COY"], ["KT 1OO1", "AKM", "1COY"],
    )  # fmt: skip
    assert first.next_open == 2


def test_of_several_that_are_said_to_be_the_same_each_number_is_paired_once(country: Country) -> None:
    log = imported(country, "serial,model\nKT 1001,AKM\nKT 1002,AKM\n")
    book = imported(country, "serial,model\nKT 1003,AKM\nKT 1004,AKM\n", source="OTHER BOOKS")
    audit = compared(country, log, book, name="Log against book")
    for near in found(country, audit, "near match"):
        judged = Judge.model_validate({"judged": "same", "reason": "all alike"})
        judge(country.engine, country.actors["auditor"], audit.audit_id, near.number, judged)
    again = compared(country, None, None, name="Log against book")
    assert counts(again).get("matched", 0) in (1, 2)
    lines = [line for one in found(country, again, "matched") for line in (("l", one.left_line), ("r", one.right_line))]
    alone = [("l", one.left_line) for one in found(country, again, "only left")]
    alone += [("r", one.right_line) for one in found(country, again, "only right")]
    assert sorted([*lines, *alone]) == [("l", 2), ("l", 3), ("r", 2), ("r", 3)]


def test_who_may_judge(country: Country) -> None:
    log, book = imported(country, LOG, who="clerk"), imported(country, BOOK, who="clerk", source="OTHER BOOKS")
    audit = compared(country, log, book, who="clerk", name="Ours")
    said(country, audit, "same", "KT 1001", who="clerk")
    with pytest.raises(NotFound):
        said(country, audit, "same", "KT 2002", who="erbil clerk")
    with pytest.raises(NotAllowed):
        said(country, audit, "same", "KT 2002", who="USA")


def test_near_matches_are_judged_over_http_and_the_audit_is_taken_along(web: Web) -> None:
    log, book = taken_in(web, LOG, "Issue log"), taken_in(web, BOOK, "Property book")
    audit = audited(web, "Log against book", {"register": log}, {"register": book})
    near = f"/v1/audits/{audit}/near-matches/1"
    refused = problem(web.post("auditor", near, {"judged": "maybe", "reason": "x"}), 422, "invalid")
    assert [fault["field"] for fault in refused["faults"]] == ["judged"]
    problem(
        web.post("auditor", f"/v1/audits/{audit}/near-matches/99", {"judged": "same", "reason": "x"}), 404, "not-found"
    )
    assert web.post("auditor", near, {"judged": "same", "reason": "The photo"}).status_code == 201
    told: dict[str, Any] = web.get("auditor", near).json()
    assert (told["finding"]["judged"], told["finding"]["reason"], told["next_open"]) == ("same", "The photo", 2)
    assert told["right"]["cells"] == ["KT 1OO1", "AKM", "1COY"]
    (kept,) = web.get("auditor", f"/v1/audits/{audit}/judgements").json()["rows"]
    assert (kept["left_key"], kept["right_key"], kept["reason"]) == ("KT1001", "KT1OO1", "The photo")
    open_still = web.get("auditor", f"/v1/audits/{audit}/findings", kind="near match", judged="not judged").json()
    assert len(open_still["rows"]) == 2
    whole = json.loads(web.get("auditor", f"/v1/audits/{audit}/file").content)
    assert whole["audit"]["name"] == "Log against book"
    assert len(whole["findings"]) == 1 + 3 + 3 + 3
    assert [one["judged"] for one in whole["judgements"]] == ["same"]
    assert web.get("erbil clerk", f"/v1/audits/{audit}/file").status_code == 404


def test_all_that_was_said_is_listed(country: Country) -> None:
    log, book = imported(country, LOG), imported(country, BOOK, source="OTHER BOOKS")
    audit = compared(country, log, book, name="Log against book")
    said(country, audit, "same", "KT 1001")
    said(country, compared(country, None, None, name="Log against book"), "different", "KT 2002")
    actor = country.actors["auditor"]
    with reading(country.engine, actor) as connection:
        rows = list_judgements(connection, actor, audit.audit_id).rows
    assert [(row.run, row.judged, row.left_key) for row in rows] == [(2, "different", "KT2002"), (1, "same", "KT1001")]

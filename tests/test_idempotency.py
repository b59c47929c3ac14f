"""One document id, one posting: a station that lost its answer asks again and gets it; and nothing else can take the id."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.perform import ActForm, Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.acts.void import VOID
from stockpile.errors import PostedWithOtherContent
from stockpile.files import file_store
from stockpile.keys import new_key
from tests.world import RIFLES, SCAN, Country, ago, paper, scans

DRAW = {"receiver": "A-1001", "store": "Main store"}
LOSS = {"place": "the range", "circumstances": "not in the rack"}
FINDING = {"cause": "stolen", "liability": "nobody", "findings": "gone"}


def taken(country: Country, form: ActForm, who: str = "clerk", **request: Any) -> None:
    """The id is taken: the request is refused, and does nothing."""
    documents = country.query("SELECT count(*) FROM document")
    with pytest.raises(PostedWithOtherContent):
        country.ask(who, form, **request)
    assert country.query("SELECT count(*) FROM document") == documents


def test_the_same_request_again_gets_the_first_answer(country: Country) -> None:
    """Also when the rifle went on since, and from another counter: it was posted once."""
    request = {**DRAW, "document_id": new_key(), "lines": scans(RIFLES[0])}
    first = country.do("clerk", ISSUE, **request)
    country.do("clerk", RETURN, store="Main store", lines=scans(RIFLES[0]))
    assert country.do("clerk", ISSUE, **request) == first
    assert country.do("second clerk", ISSUE, **request) == first
    assert country.where(RIFLES[0]) == "Main store"


def test_a_receipt_and_a_fact_again_bring_nothing_twice(country: Country) -> None:
    """No twin, no second discrepancy: the answer is the first to the last one of them."""
    receipt = {"document_id": new_key(), "store": "Main store", "lines": [{"model": "AKM", "serial_number": "N 1"}]}
    assert country.do("clerk", RECEIVE, **receipt) == country.do("clerk", RECEIVE, **receipt)
    fact = {**DRAW, "document_id": new_key(), "lines": scans("NEVER 1", RIFLES[0]), "paper": paper(1, ago())}
    first = country.do("clerk", ISSUE, **fact)
    assert (first.discrepancy_count, country.do("clerk", ISSUE, **fact)) == (1, first)
    assert country.query("SELECT count(*) FROM identification WHERE serial_number IN ('N 1', 'NEVER 1')") == [(2,)]


def test_other_content_under_the_same_id_is_refused(country: Country) -> None:
    """Another rifle, another receiver, a remark, another act: each is another document."""
    key = new_key()
    request = {**DRAW, "document_id": key, "lines": scans(RIFLES[0])}
    country.do("clerk", ISSUE, **request)
    taken(country, ISSUE, **{**request, "lines": scans(RIFLES[1])})
    taken(country, ISSUE, **{**request, "receiver": "A-1002"})
    taken(country, ISSUE, **request, remarks="in a hurry")
    taken(country, RETURN, document_id=key, store="Main store", lines=scans(RIFLES[0]))
    taken(country, VOID, document_id=key, reason="torn")
    assert country.where(RIFLES[0]) == "Private Petrov (A-1001)"


def test_another_sites_document_id_is_taken_too(country: Country) -> None:
    """The clerk of another site is told so, and nothing of the document."""
    key = new_key()
    country.do("erbil clerk", VOID, document_id=key, reason="torn")
    with pytest.raises(PostedWithOtherContent) as problem:
        country.ask("clerk", VOID, document_id=key, reason="torn")
    assert "ERBIL" not in problem.value.detail


def test_a_refusal_is_not_remembered(country: Country) -> None:
    """What was wrong may be right now: the same request with the same id is posted when it can be."""
    request = {**DRAW, "receiver": "A-1002", "document_id": new_key(), "lines": scans(RIFLES[0])}
    country.do("clerk", ISSUE, **DRAW, lines=scans(RIFLES[0]))
    country.refused("clerk", ISSUE, **request)
    country.do("clerk", RETURN, store="Main store", lines=scans(RIFLES[0]))
    assert country.do("clerk", ISSUE, **request).document_id == request["document_id"]
    assert country.where(RIFLES[0]) == "Private Quist (A-1002)"


def test_a_mistake_is_not_remembered(country: Country) -> None:
    """The scan of a paper came later than the paper: then it is keyed under the same id."""
    scan = SCAN + new_key().hex.encode()
    sheet = paper(1, ago()).model_copy(update={"scan_sha256": sha256(scan).hexdigest()})
    request = {**DRAW, "document_id": new_key(), "lines": scans(RIFLES[0]), "paper": sheet}
    assert country.invalid("clerk", ISSUE, **request)[0][0] == "scan_sha256"
    file_store().keep([scan], 1_000)
    assert country.do("clerk", ISSUE, **request).document_id == request["document_id"]


def test_a_draft_again_is_the_draft_and_once_approved_the_document(country: Country) -> None:
    """Until then the id is the draft's: other content is refused, and so is another act."""
    country.do("clerk", REPORT_MISSING, **LOSS, lines=scans(RIFLES[0], RIFLES[1]))
    request = {**FINDING, "document_id": new_key(), "lines": scans(RIFLES[0])}
    drafted = country.ask("clerk", CONCLUDE_LOSS, **request)
    assert isinstance(drafted, Drafted)
    assert country.ask("clerk", CONCLUDE_LOSS, **request) == drafted
    assert country.ask("second clerk", CONCLUDE_LOSS, **request) == drafted
    taken(country, CONCLUDE_LOSS, **{**request, "lines": scans(RIFLES[1])})
    posted = country.approve("commander", drafted)
    assert country.ask("clerk", CONCLUDE_LOSS, **request) == posted
    assert country.approve("commander", drafted) == posted
    taken(country, CONCLUDE_LOSS, **{**request, "lines": scans(RIFLES[1])})


def test_a_refused_draft_is_not_remembered(country: Country) -> None:
    """The first party is told at once, and may ask again with the same id when it is right."""
    request = {**FINDING, "document_id": new_key(), "lines": scans(RIFLES[0])}
    country.refused("clerk", CONCLUDE_LOSS, **request)
    country.do("clerk", REPORT_MISSING, **LOSS, lines=scans(RIFLES[0]))
    assert isinstance(country.ask("clerk", CONCLUDE_LOSS, **request), Drafted)


FIRST_VERSION = {
    ISSUE: (
        {
            "receiver": "A-1001",
            "store": "Main store",
            "lines": [{"scan": "KT 449900"}, {"item": "0190b5a0-0000-7000-8000-000000000001", "quantity": 4}],
            "paper": {"book": "P", "number": 1, "happened_at": "2026-11-20T09:30:00+03:00", "scan_sha256": "ab" * 32},
        },
        "21139166f5ff22856408e32dbb962660b5348eb6bbaba0192f1d64d7da09983b",
    ),
    RECEIVE: (
        {"store": "Main store", "file": {"sha256": "cd" * 32, "name": "list.csv"}},
        "4e75a3497a1ee555056cdb307985ab9696b66b94f9c745e59e1c27774207113d",
    ),
}
"""Requests as the first version took them, with the content hash it kept."""


def test_a_later_version_knows_its_old_requests_again() -> None:
    """A field that a request got since is not part of what was asked before it came; once said, it is."""
    for form, (request, kept) in FIRST_VERSION.items():
        assert form.content_hash(form.request.model_validate(request)).hex() == kept
        more = form.request.model_validate({**request, "attachments": ["ef" * 32]})
        assert form.content_hash(more).hex() != kept

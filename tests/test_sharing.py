"""The USA shares a consignment with France, which reads what it brought, its statements and proofs, and nothing else, until the USA takes
that back. Both stand in the log.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.donors.certificates import send_back
from stockpile.donors.sharing import (
    ShareConsignment,
    WithdrawShare,
    list_shared,
    share_consignment,
    withdraw_share,
    within_share,
)
from stockpile.donors.statements import SendBack, StatementWritten
from stockpile.donors.verifications import VerifyDelivery, confirm_delivery, verify_delivery
from stockpile.errors import Invalid, NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.keys import new_key
from stockpile.log import beginning
from stockpile.log.proofs import proof_of, proof_of_statement
from stockpile.proof.check import check_text
from stockpile.proof.note import Verifier
from stockpile.rights import Actor, reading
from tests.api_world import Web, problem, served
from tests.consigned import accepted, declared, in_force, listed
from tests.guests import SECOND, delivered, let_in, people
from tests.inspecting import turned_away
from tests.reading_pages import read, visit
from tests.test_log import ORIGIN, caught_up
from tests.test_pages_crawl import crawl
from tests.test_pages_statements import send
from tests.test_privileges import ROW_LEVEL, refusal
from tests.world import Country, scans

web = pytest.fixture(served)

SERIALS = ("UC 1", "UC 2")


@pytest.fixture
def allied(country: Country) -> Country:
    """Beside what both donors sent, FMS-117 of the USA: declared by itself under a certificate, received, verified; one issued."""
    delivered(country)
    france = country.parties["FRA"].party_id
    country.actors["FRA"] = Actor(france, "donor", donor_id=france)
    in_force(country)
    declaration = declared(country, listed(SERIALS), end_user_certificate="EUC-8")
    accepted(country, declaration.statement_id)
    lines = [{"model": "AKM", "serial_number": one, "condition": "serviceable"} for one in SERIALS]
    country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-117", complete=True, lines=lines)
    request = {"donor": "USA", "consignment": "FMS-117", "title_passes_on": "2026-01-02"}
    signed = verify_delivery(country.engine, country.actors["clerk"], VerifyDelivery.model_validate(request))
    confirm_delivery(country.engine, country.actors["commander"], signed.statement_id)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("UC 2", SECOND[1]))
    return country


def shared(country: Country, who: str = "USA", **more: Any) -> StatementWritten:
    request = {"reference": "FMS-117", "partner": "FRA", "words": "Joint delivery", **more}
    return share_consignment(country.engine, country.actors[who], ShareConsignment.model_validate(request))


def taken_back(country: Country, share: StatementWritten, who: str = "USA") -> StatementWritten:
    request = WithdrawShare(reason="The programme ended")
    return withdraw_share(country.engine, country.actors[who], share.statement_id, request)


def given(country: Country, who: str) -> list[tuple[str, str]]:
    actor = country.actors[who]
    with reading(country.engine, actor) as connection:
        return [(row.donor, row.reference) for row in list_shared(connection, actor).rows]


def test_a_share_and_its_end_stand_in_the_log(allied: Country, tmp_path: Path) -> None:
    """Said twice is said once; of a consignment that the books don't have, or with oneself, nothing is shared. The answer is the same
    whether there is such a donor. Only who shared takes it back, once; the proof of it holds both, without a name.
    """
    signer = beginning.begin_log(allied.engine, tmp_path / "log", ORIGIN)
    usa, france = allied.actors["USA"], allied.actors["FRA"]
    share = shared(allied)
    assert shared(allied, statement_id=share.statement_id) == share
    with pytest.raises(PostedWithOtherContent):
        shared(allied, statement_id=share.statement_id, words="another")
    for wrong, field in ({"reference": "F-1"}, "reference"), ({"partner": "USA"}, "partner"):
        with pytest.raises(Invalid) as refused:
            shared(allied, **wrong)
        assert refused.value.faults[0].field == field
    nobody = shared(allied, partner="XYZ")
    assert (nobody.kind, nobody.reference) == (share.kind, share.reference)
    assert given(allied, "FRA") == [("USA", "FMS-117")]
    assert given(allied, "USA") == []
    for who in ("clerk", "auditor", "registrar"):
        with pytest.raises(NotAllowed):
            shared(allied, who)
        with pytest.raises(NotAllowed):
            within_share(allied.engine, allied.actors[who], share.statement_id)
    with pytest.raises(NotAllowed, match="takes it back"):
        send_back(allied.engine, allied.actors["registrar"], share.statement_id, SendBack(reason="no"))
    with pytest.raises(NotFound):
        taken_back(allied, share, "FRA")
    for stranger, key in ((usa, share.statement_id), (france, nobody.statement_id), (france, new_key())):
        with pytest.raises(NotFound, match="Nothing is shared"):
            within_share(allied.engine, stranger, key)

    taken_back(allied, share)
    with pytest.raises(Refused, match="withdrawn already"):
        taken_back(allied, share)
    assert given(allied, "FRA") == []
    with pytest.raises(NotFound, match="taken back"):
        within_share(allied.engine, france, share.statement_id)
    caught_up(allied, signer)
    bundle = proof_of_statement(allied.engine, usa, share.statement_id)
    found = check_text(bundle.encoded(), [Verifier.parse(signer.verifier)])
    assert found.ok, list(found.lines())
    assert [row.values()["kind"] for row in bundle.statements] == ["share", "withdrawn"]
    with pytest.raises(NotFound):
        proof_of_statement(allied.engine, france, share.statement_id)
    again = shared(allied)
    proof = proof_of(
        allied.engine, within_share(allied.engine, france, again.statement_id).partner, _item(allied, "UC 2")
    )
    assert check_text(proof.encoded(), [Verifier.parse(signer.verifier)]).ok
    assert "Petrov" not in proof.encoded()
    with pytest.raises(NotFound):
        proof_of(
            allied.engine, within_share(allied.engine, france, again.statement_id).partner, _item(allied, SECOND[0])
        )


def _item(country: Country, serial: str) -> Any:
    return country.item(serial).item_id


def test_the_partner_reads_that_consignment_and_nothing_else(web: Web, allied: Country) -> None:
    """Its two rifles of three deliveries, where they are and were, its declaration with the list, its verification as the donor's copy;
    no certificate, no other consignment, no count of others. In France's own lists nothing of it stands; a guest of France reads none.
    """
    key = shared(allied).statement_id
    before = {path: web.get("FRA", path).json() for path in ("/v1/weapons", "/v1/documents", "/v1/statements")}
    assert [row["share_id"] for row in web.get("FRA", "/v1/shared").json()["rows"]] == [str(key)]
    share = web.get("FRA", f"/v1/shared/{key}").json()["share"]
    assert (share["donor"], share["reference"], share["words"]) == ("USA", "FMS-117", "Joint delivery")
    found = web.get("FRA", f"/v1/shared/{key}/weapons").json()
    assert ([row["serial_number"] for row in found["rows"]], found["line_count"]) == (list(SERIALS), 2)
    assert "UC 1" in web.get("FRA", f"/v1/shared/{key}/weapons", format="csv").text
    item = found["rows"][1]["item_id"]
    assert web.get("FRA", f"/v1/shared/{key}/weapons/{item}").json()["item"]["serial_number"] == "UC 2"
    history = web.get("FRA", f"/v1/shared/{key}/weapons/{item}/history").json()
    assert [entry["act"] for entry in history["entries"]] == ["declare", "receive", "issue"]
    assert "Petrov" not in str(history)
    assert history == web.get("USA", f"/v1/weapons/{item}/history").json()
    problem(web.get("FRA", f"/v1/weapons/{item}"), 404, "not-found")

    said = web.get("FRA", f"/v1/shared/{key}/statements").json()["rows"]
    assert sorted(row["kind"] for row in said) == ["declaration", "delivery verification"]
    by_kind = {row["kind"]: row["statement_id"] for row in said}
    declaration = web.get("FRA", f"/v1/shared/{key}/statements/{by_kind['declaration']}").json()
    assert declaration["progress"]["in_supply"] == 0
    assert web.get("FRA", f"/v1/shared/{key}/statements/{by_kind['declaration']}/file").content == listed(SERIALS)
    paper = web.get("FRA", f"/v1/shared/{key}/statements/{by_kind['delivery verification']}/paper.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    for row in web.get("auditor", "/v1/statements").json()["rows"]:
        if row["statement_id"] not in by_kind.values():
            problem(web.get("FRA", f"/v1/shared/{key}/statements/{row['statement_id']}"), 404, "not-found")
    for row in web.get("auditor", "/v1/weapons", limit=500).json()["rows"]:
        if row["serial_number"] not in SERIALS:
            problem(web.get("FRA", f"/v1/shared/{key}/weapons/{row['item_id']}"), 404, "not-found")
    assert before == {path: web.get("FRA", path).json() for path in before}

    people(allied)
    _, web.tokens["guest"] = let_in(allied, scope="donor", donor="FRA")
    problem(web.get("guest", "/v1/shared"), 403, "not-allowed")
    problem(web.get("guest", f"/v1/shared/{key}/weapons"), 403, "not-allowed")
    taken_back(allied, shared(allied))
    assert web.get("FRA", f"/v1/shared/{key}/weapons").status_code == 200  # the first share stands
    web.posted("USA", f"/v1/shares/{key}/withdraw", {})
    for path in ("", "/weapons", f"/weapons/{item}", f"/weapons/{item}/proof", "/statements"):
        problem(web.get("FRA", f"/v1/shared/{key}{path}"), 404, "not-found")


def test_a_visit_under_the_consignments_number_stays_its_donors(web: Web, allied: Country) -> None:
    """The USA numbers a refused visit as it numbered the consignment: neither the partner nor a guest of that consignment reads of it."""
    key = shared(allied).statement_id
    refused = turned_away(allied, number="FMS-117").statement_id
    said = web.get("FRA", f"/v1/shared/{key}/statements").json()["rows"]
    assert sorted(row["kind"] for row in said) == ["declaration", "delivery verification"]
    for path in ("", "/proof"):
        problem(web.get("FRA", f"/v1/shared/{key}/statements/{refused}{path}"), 404, "not-found")
    people(allied)
    _, web.tokens["guest"] = let_in(allied, scope="consignments", donor="USA", consignments=("FMS-117",))
    assert web.get("guest", "/v1/visits").json()["rows"] == []
    problem(web.get("guest", f"/v1/visits/{refused}"), 404, "not-found")
    assert str(refused) not in web.get("guest", "/v1/changes").text
    assert [row["number"] for row in web.get("USA", "/v1/visits").json()["rows"]] == ["FMS-117"]


def test_the_database_lets_nobody_share_what_is_not_theirs(allied: Country) -> None:
    """France's role shares no consignment of the USA's, in neither name, and takes none of its shares back; nor does the host's."""
    share = shared(allied)
    usa, france = allied.actors["USA"], allied.actors["FRA"]
    insert = """INSERT INTO donor_statement (donor_id, statement_id, kind, reference, answers, content, said_by, name_version,
                                             digest, recorded_at, content_hash, seed, leaf)
                VALUES (%s, %s, %s, %s, %s, '{"partner": "FRA"}', %s, 1, sha256('a'), now(), sha256('b'), sha256('c'),
                        '\\x05'::bytea || sha256('d') || sha256('e'))"""

    def told(role: str, stands: Actor, donor: Actor, kind: str, reference: str, answers: Any = None) -> str:
        with transaction(allied.engine, role, None, stands.donor_id) as connection:
            row = (donor.donor_id, new_key(), kind, reference, answers, donor.donor_id)
            return refusal(connection, lambda: connection.exec_driver_sql(insert, row))

    assert told(roles.DONOR, france, france, "share", "F-1") == "it was accepted"
    wrong = {
        attempt: why
        for attempt in (
            (roles.DONOR, france, france, "share", "FMS-117"),
            (roles.DONOR, france, usa, "share", "FMS-117"),
            (roles.DONOR, france, usa, "withdrawn", "FMS-117", share.statement_id),
            (roles.DONOR, usa, usa, "accepted", "FMS-117", share.statement_id),
            (roles.REGISTRAR, usa, usa, "withdrawn", "FMS-117", share.statement_id),
            (roles.REGISTRAR, usa, usa, "share", "FMS-117"),
        )
        if ROW_LEVEL not in (why := told(*attempt))
    }
    assert wrong == {}


def test_by_forms_and_pages(web: Web, allied: Country, tmp_path: Path) -> None:
    """The donor shares by a form, which keeps what was typed; the partner follows every link there is to it, and meets nothing of the
    other consignments; the donor takes it back on the statement's page.
    """
    caught_up(allied, beginning.begin_log(allied.engine, tmp_path / "log", ORIGIN))
    refused = send(web, "USA", "/shared/new", reference="FMS-99", partner="FRA", words="Joint delivery")
    page = read(refused)
    assert (refused.status_code, page.fields["reference"], page.fields["partner"]) == (422, "FMS-99", "FRA")
    assert "accepted first" in page.text
    done = send(web, "USA", "/shared/new", reference="FMS-117", partner="FRA", words="Joint delivery")
    there = done.headers["location"]
    assert "FRA" in visit(web, "USA", there).text
    pages = crawl(web, "FRA")
    del pages["/docs"]  # its examples bear such numbers
    assert {"/shared", "/shared/new"} < pages.keys()
    kinds = {path.rpartition("/")[0].split("/")[-1] for path in pages if path.startswith("/shared/")}
    assert {"weapons", "statements"} <= kinds
    for path, found in pages.items():
        for other in ("FMS-2", "UB 1", "UB 2", "Petrov", "Talib"):
            assert other not in found.text, (path, other)
        assert path.startswith(("/shared", "/v1/shared")) or "UC 1" not in found.text, path
    key = there.rpartition("/")[2]
    assert send(web, "FRA", f"/shared/{key}/withdraw").status_code == 404
    assert visit(web, "USA", f"/shared/{key}/withdraw").heading == "Take back a share"
    assert send(web, "USA", f"/shared/{key}/withdraw", reason="It ended").status_code == 303
    assert "withdrawn" in visit(web, "USA", there).text
    assert "No other donor shares" in visit(web, "FRA", "/shared").text

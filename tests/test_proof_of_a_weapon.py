"""A donor carries away what became of its weapon, and believes it without these books: each entry has its place in the log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.errors import Invalid, NotFound, Refused
from stockpile.log import beginning
from stockpile.log.proofs import proof_of
from stockpile.log.reading import published, reading_log
from stockpile.log.signer import LogSigner
from stockpile.proof.bundle import Bundle
from stockpile.proof.check import check, check_text
from stockpile.proof.note import Verifier
from tests.api_world import Web, served
from tests.conftest import Databases
from tests.test_log import ORIGIN, caught_up
from tests.world import RIFLES, Country, scans

web = pytest.fixture(served)


@pytest.fixture
def signer(country: Country, tmp_path: Path) -> LogSigner:
    """The small country's log; the USA's M4 was declared, received and issued, one document each."""
    begun = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    lines = [{"model": "M4", "serial_number": f"US {n}", "condition": "serviceable"} for n in (1, 2)]
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", lines=lines)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("US 1", RIFLES[0]))
    return begun


def test_a_donor_checks_its_weapon_far_away(country: Country, signer: LogSigner) -> None:
    """What it opens is what the donor may see; nobody is named; it grows out of the checkpoint that the donor kept."""
    caught_up(country, signer)
    early, known = signer.last_checkpoint(), [(ORIGIN, signer.signed.size)]
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("US 2"))
    caught_up(country, signer)
    bundle = proof_of(country.engine, country.actors["USA"], country.item("US 1").item_id, known)
    found = check_text(bundle.encoded(), [Verifier.parse(signer.verifier)], early)
    assert found.ok, list(found.lines())
    assert "Nothing in the log" in "\n".join(found.proven)
    entries = [row.values() for row in bundle.entries]
    assert [one["to_class"] for one in entries] == ["supply", "store", "person"]
    assert {one["serial_number"] for one in entries} == {"US 1"}
    assert not {"line", "from_account", "to_account"} & set().union(*entries)
    acts = [row.values()["act"] for row in bundle.documents]
    assert acts == ["declare", "receive", "issue"]
    whole = bundle.encoded()
    assert "Petrov" not in whole
    assert not any(row.entries for row in bundle.documents)


def test_the_host_s_own_file_shows_the_documents_whole(country: Country, signer: LogSigner) -> None:
    """An auditor sees how many lines each document has, and that the entry is one of them."""
    caught_up(country, signer)
    bundle = proof_of(country.engine, country.actors["auditor"], country.item("US 1").item_id)
    found = check(bundle, [Verifier.parse(signer.verifier)])
    assert found.ok, list(found.lines())
    assert [len(row.entries) for row in bundle.documents] == [2, 2, 2]


def test_what_was_altered_is_not_proven(country: Country, signer: LogSigner, databases: Databases) -> None:
    """A file with one sign changed fails; so does a row that somebody altered: no file is made of it."""
    caught_up(country, signer)
    item = country.item("US 1").item_id
    text = proof_of(country.engine, country.actors["USA"], item).encoded()
    for honest, false in (("US 1", "US 7"), ('"person"', '"store"'), ('"issue"', '"expend"')):
        assert honest in text
        assert not check_text(text.replace(honest, false, 1), [Verifier.parse(signer.verifier)]).ok
    with psycopg.connect(databases.server.conninfo(str(country.engine.url.database))) as administrator:
        administrator.execute("SET session_replication_role = replica")
        administrator.execute(
            "UPDATE stockpile.entry SET condition = 'unserviceable' WHERE item_id = %s AND version = 2", (item,)
        )
    with pytest.raises(Refused, match="altered"):
        proof_of(country.engine, country.actors["USA"], item)


def test_nobody_gets_a_proof_of_what_they_may_not_see(country: Country, signer: LogSigner) -> None:
    """France knows nothing of it; a checkpoint of nobody's log leads nowhere; what is not signed yet is waited for."""
    item = country.item("US 1").item_id
    with pytest.raises(Refused, match="No checkpoint"):
        proof_of(country.engine, country.actors["USA"], item)
    caught_up(country, signer)
    france = country.parties["FRA"].party_id
    with pytest.raises(NotFound):
        proof_of(country.engine, replace(country.actors["USA"], party_id=france, donor_id=france), item)
    for origin, size in ((ORIGIN, 10_000), ("other.example/log", 3)):
        with pytest.raises(Invalid, match="of no log"):
            proof_of(country.engine, country.actors["USA"], item, [(origin, size)])


def test_over_http(web: Web, tmp_path: Path) -> None:
    """As a file, and the newest entry as text for a QR code."""
    begun = beginning.begin_log(web.country.engine, tmp_path / "log", ORIGIN)
    caught_up(web.country, begun)
    item = web.country.item(RIFLES[0]).item_id
    answer = web.get("auditor", f"/v1/weapons/{item}/proof")
    assert answer.headers["content-disposition"].startswith("attachment")
    key = [Verifier.parse(begun.verifier)]
    assert check_text(answer.text, key).ok
    compact = web.get("auditor", f"/v1/weapons/{item}/proof", form="compact").text
    assert len(compact) < 4296  # of the largest QR code
    assert check_text(compact, key).ok
    assert len(Bundle.parse(compact).entries) == 1
    assert web.get("auditor", f"/v1/weapons/{item}/proof", origin=ORIGIN).status_code == 422
    assert web.get("USA", f"/v1/weapons/{item}/proof").status_code == 404
    with reading_log(web.country.engine) as connection:
        size = published(connection).size
    grown = web.get("auditor", f"/v1/weapons/{item}/proof", origin=ORIGIN, size=size).json()
    assert grown["growth"][0]["new"] == size

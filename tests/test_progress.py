"""A donor follows its consignment: what was declared, shipped, arrived and verified, where it is now, and what wants attention; each number
down to its weapons, as of now and as of a moment.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta
from pathlib import Path

import pytest

from stockpile.acts.arrive import ARRIVE
from stockpile.acts.correct import CORRECT
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.reject import REJECT
from stockpile.acts.ship import SHIP
from stockpile.documents import now
from stockpile.donors.progress import (
    CLASSES_OF,
    COUNTED,
    Attention,
    ConsignmentWeapon,
    ProgressRow,
    ProgressSought,
    Stage,
    list_consignment_weapons,
    list_progress,
    read_progress_of,
)
from stockpile.donors.verifications import VerifyDelivery, confirm_delivery, verify_delivery
from stockpile.errors import NotAllowed, NotFound
from stockpile.log import beginning
from stockpile.movements import BALANCED
from stockpile.proof.checkpoint import open_checkpoint
from stockpile.proof.merkle import verify_consistency
from stockpile.proof.note import Verifier
from stockpile.proof.package import check_package
from stockpile.reports.as_of import NOW, AsOf
from tests import test_report_files
from tests.api_world import Web, problem, served
from tests.reading import asked_by
from tests.test_log import ORIGIN, caught_up
from tests.test_report_files import Command
from tests.world import HELMET, Country, scans, today

web = pytest.fixture(served)
stockpile = pytest.fixture(test_report_files.stockpile.__wrapped__)

RIFLES = tuple(f"US {n}" for n in range(10))


def progress(country: Country, who: str = "USA", at: AsOf = NOW, **sought: str | Attention) -> list[ProgressRow]:
    return list(asked_by(country, who, list_progress, ProgressSought(**sought), at).rows)  # type: ignore[arg-type]


def weapons(
    country: Country, stage: Stage | None = None, at: AsOf = NOW, text: str | None = None
) -> list[ConsignmentWeapon]:
    (one,) = progress(country, at=at)
    return list(asked_by(country, "USA", list_consignment_weapons, one.consignment_id, stage, text, at).rows)


def told(row: ProgressRow) -> dict[str, int]:
    """The numbers of a consignment that are not nought."""
    assert row.declared + row.in_excess == sum(getattr(row, stage.replace(" ", "_")) for stage in CLASSES_OF)
    return {name: getattr(row, name) for name in COUNTED if getattr(row, name)}


def opened(country: Country, at: AsOf = NOW) -> None:
    """Every number of the consignment opens to as many pieces."""
    (row,) = progress(country, at=at)
    for stage in Stage:
        lines = [line for line in weapons(country, stage, at) if line.serial_number]
        helmets = {line.stage: line.quantity for line in weapons(country, None, at) if not line.serial_number}
        if stage in CLASSES_OF:
            assert len(lines) + helmets.get(stage, 0) == getattr(row, stage.replace(" ", "_")), stage


def declared(country: Country, reference: str = "FMS-1", helmets: int = 40, expected_on: str | None = None) -> None:
    lines = [{"model": "M4", "serial_number": serial} for serial in RIFLES]
    if reference == "FMS-1" and helmets:
        lines = [*lines, {"model": HELMET, "quantity": helmets}]  # type: ignore[dict-item]
    elif reference != "FMS-1":
        lines = [{"model": "AKM", "serial_number": f"{reference} {n}"} for n in range(3)]
    country.do(
        "registrar", DECLARE, site="TAJI", donor="USA", reference=reference, lines=lines, expected_on=expected_on
    )


def test_from_the_donors_list_to_the_soldiers_hand_and_to_a_loss(country: Country) -> None:
    """Ten rifles and forty helmets: shipped, eight rifles and thirty helmets come with a rifle nobody declared, the depot certifies them,
    five are issued, one of these goes missing, and one on the road with the truck. The donor reads each number, and opens it.
    """
    declared(country)
    (row,) = progress(country)
    assert told(row) == {"declared": 50, "not_shipped": 50}
    sent = country.do(
        "registrar", SHIP, site="TAJI", donor="USA", consignment="FMS-1", carrier="Sea line",
        expected_on=str(today() + timedelta(days=9)),
    )  # fmt: skip
    assert told(progress(country)[0]) == {"declared": 50, "shipped": 50, "on_its_way": 50}
    moment = now()
    country.do(
        "clerk", ARRIVE, shipment=sent.number, store="Main store", lines=[*scans(*RIFLES[:8]), {"model": HELMET, "quantity": 30}]
    )  # fmt: skip
    country.do(
        "clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", complete=True,
        lines=[{"model": "M4", "serial_number": "US 99"}],
    )  # fmt: skip
    arrived = {
        "declared": 50,
        "shipped": 50,
        "arrived": 38,
        "on_its_way": 12,
        "in_store": 39,
        "in_excess": 1,
        "discrepancies": 1,
    }
    assert told(progress(country)[0]) == arrived
    assert [line.serial_number for line in weapons(country, Stage.EXCESS)] == ["US 99"]
    assert {line.serial_number for line in weapons(country, Stage.ON_ITS_WAY)} == {*RIFLES[8:], None}

    signed = verify_delivery(
        country.engine, country.actors["clerk"],
        VerifyDelivery(donor="USA", consignment="FMS-1", title_passes_on=today()),
    )  # fmt: skip
    assert len(progress(country, attention=Attention.UNVERIFIED)) == 1
    confirm_delivery(country.engine, country.actors["second clerk"], signed.statement_id)
    assert told(progress(country)[0])["verified"] == 39
    assert progress(country, attention=Attention.UNVERIFIED) == []
    assert len([line for line in weapons(country, Stage.VERIFIED) if line.serial_number]) == 9

    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:5]))
    lost = {"place": "Range 2", "circumstances": "Not there at the evening count"}
    country.do("clerk", REPORT_MISSING, **lost, lines=scans(RIFLES[0], RIFLES[9]))
    (row,) = progress(country, attention=Attention.GONE)
    now_told = {
        **arrived, "verified": 39, "on_its_way": 11, "in_store": 34, "issued": 4, "missing": 2, "discrepancies": row.discrepancies,
    }  # fmt: skip
    assert told(row) == now_told
    missing = {line.serial_number: (line.arrived, line.verified) for line in weapons(country, Stage.MISSING)}
    assert missing == {RIFLES[0]: (True, True), RIFLES[9]: (False, False)}
    assert weapons(country, Stage.ISSUED)[0].document_number is not None
    assert [line.serial_number for line in weapons(country, text="us 9")] == ["US 9", "US 99"]
    opened(country)

    then = {"declared": 50, "shipped": 50, "on_its_way": 50}
    for at in (AsOf(happened_at=moment), AsOf(recorded_at=moment), AsOf(moment, moment)):
        assert told(progress(country, at=at)[0]) == then
        opened(country, at)
    later = AsOf(happened_at=now())
    assert told(progress(country, at=later)[0]) == told(progress(country)[0])
    opened(country, later)


def test_what_wants_attention(country: Country) -> None:
    """Seven of ten come and the receipt says that is all: three are short. One is sent back: it has not arrived. Of another consignment,
    expected last week, nothing came: all is short and late.
    """
    declared(country, helmets=0)
    receipt = {"store": "Main store", "donor": "USA", "consignment": "FMS-1"}
    lines = [{"model": "M4", "serial_number": serial} for serial in RIFLES[:7]]
    country.do("clerk", RECEIVE, **receipt, complete=True, lines=lines)
    (row,) = progress(country, attention=Attention.SHORT)
    assert (row.arrived, row.short, row.days_late, row.discrepancies) == (7, 3, None, 3)
    assert {line.serial_number for line in weapons(country, Stage.SHORT)} == set(RIFLES[7:])
    sent_back = country.do("clerk", REJECT, reason="cracked", store="Main store", lines=scans(RIFLES[0]))
    (row,) = progress(country)
    assert told(row) == {
        "declared": 10,
        "shipped": 6,
        "arrived": 6,
        "not_shipped": 4,
        "in_store": 6,
        "short": 3,
        "discrepancies": 3,
    }
    correction = {"document": sent_back.document_id, "reason": "the wrong rifle"}
    country.do_with_approval("clerk", "commander", CORRECT, **correction)
    assert progress(country)[0].arrived == 7
    declared(country, "FMS-2", expected_on=str(today() - timedelta(days=7)))
    (late,) = progress(country, attention=Attention.LATE)
    assert (late.reference, late.short, late.days_late) == ("FMS-2", 3, 7)
    whole = asked_by(country, "USA", list_progress, ProgressSought(), NOW, 1)
    assert whole.sums[:4] == (2, 13, 7, 7)
    assert whole.sums[-2:] == (1, 7)
    assert [row.reference for row in whole.rows] == ["FMS-2"]
    assert [row.reference for row in progress(country, text="ms-1")] == ["FMS-1"]


def test_who_reads_which(country: Country) -> None:
    """A donor its own, an auditor all or one donor's; a desk, which sees one site, none; and nobody by another's key."""
    declared(country)
    country.do(
        "registrar", DECLARE, site="TAJI", donor="FRA", reference="F-1", lines=[{"model": "AKM", "serial_number": "FR 1"}]
    )  # fmt: skip
    assert [row.reference for row in progress(country)] == ["FMS-1"]
    assert {row.reference for row in progress(country, "auditor")} == {"FMS-1", "F-1"}
    (french,) = progress(country, "auditor", donor="FRA")
    assert (french.declared, french.not_shipped) == (1, 1)
    assert len(progress(country, "auditor", site="TAJI")) == 2
    for ask in (read_progress_of, list_consignment_weapons):
        with pytest.raises(NotFound):
            asked_by(country, "USA", ask, french.consignment_id)
    with pytest.raises(NotAllowed):
        progress(country, "clerk")
    assert {one for classes in CLASSES_OF.values() for one in classes} == set(BALANCED)


def test_over_http_and_at_a_terminal(
    web: Web, stockpile: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same numbers by the API and the command, the weapons behind one as a file; the proofs of all, checked with the key alone; and how
    the log grew out of a checkpoint.
    """
    country = web.country
    monkeypatch.setenv("STOCKPILE_LOG_FOLDER", str(tmp_path / "log"))
    signer = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    declared(country, helmets=0)
    lines = [{"model": "M4", "serial_number": serial} for serial in RIFLES[:7]]
    country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", lines=lines)
    size = caught_up(country, signer)
    told_of = web.get("USA", "/v1/consignments/progress").json()
    (row,) = told_of["rows"]
    assert (row["arrived"], told_of["sums"]["arrived"], told_of["sums"]["late"]) == (7, 7, 0)
    one = f"/v1/consignments/{row['consignment_id']}"
    assert web.get("USA", f"{one}/progress").json() == row
    assert web.get("USA", f"{one}/weapons", stage="not shipped").json()["sums"] == {"lines": 3, "pieces": 3}
    assert web.get("USA", f"{one}/weapons", format="csv").text.count("in store") == 7
    problem(web.get("FRA", f"{one}/weapons"), 404, "not-found")
    problem(web.get("FRA", f"{one}/proof"), 404, "not-found")
    problem(web.get("clerk", "/v1/consignments/progress"), 403, "not-allowed")
    problem(web.get("USA", f"{one}/proof", part="2"), 404, "not-found")
    keys = [Verifier.parse(signer.verifier)]
    found = check_package(web.get("USA", f"{one}/proof").content, keys)
    assert found.ok

    first = web.get("USA", "/v1/log/growth").json()
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    caught_up(country, signer)
    grown = web.get("USA", "/v1/log/growth", origin=ORIGIN, size=str(size)).json()
    old, new = (open_checkpoint(each["checkpoint"].encode(), keys).checkpoint for each in (first, grown))
    assert (old.size, first["hashes"]) == (size, [])
    verify_consistency(old.size, old.root, new.size, new.root, [b64decode(one) for one in grown["hashes"]])
    problem(web.get("USA", "/v1/log/growth", origin=ORIGIN), 422, "invalid")
    problem(web.get("USA", "/v1/log/growth", origin="another.example/log", size="1"), 422, "invalid")

    said = stockpile("USA", "progress").output
    assert "FMS-1" in said
    assert "declared 10, shipped 7, arrived 7" in " ".join(said.split())
    assert "US 8" in stockpile("USA", "progress", "FMS-1", "--stage", "not shipped").output

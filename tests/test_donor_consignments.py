"""A donor declares its consignment itself: the host can't say that it never came, settles what only it can, and certifies per serial what
arrived. What the certificate does not allow is refused, and where it happened all the same, an alarm.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from stockpile.acts.arrive import ARRIVE
from stockpile.acts.declare import DECLARE
from stockpile.acts.destruction_order import ORDER_DESTRUCTION
from stockpile.acts.export import EXPORT
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.perform import Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from stockpile.catalogue import find_models, map_alias
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.donors.certificates import GiveConsent, give_consent
from stockpile.donors.consignments import to_settle
from stockpile.donors.statements import StatementKind, need_statement
from stockpile.donors.verifications import VerifyDelivery, confirm_delivery, read_progress, verify_delivery
from stockpile.errors import Invalid, NotAllowed, Refused
from stockpile.log import beginning
from stockpile.log.proofs import proof_of_statement
from stockpile.proof.check import check_text
from stockpile.proof.note import Verifier
from stockpile.rights import reading
from tests.consigned import accepted, declared, in_force, listed
from tests.test_log import ORIGIN, caught_up
from tests.world import HELMET, RIFLES, Country, kinds, paper, scans, told

LIST = [f"UA {n}" for n in range(1, 500)]


def test_five_hundred_are_declared_and_four_hundred_and_eighty_arrive(country: Country, tmp_path: Path) -> None:
    """The donor's list has one rifle twice and a name nobody knows. The host says which is which and accepts; 480 arrive, the certificate
    names them, and both sides read which 20 did not. The donor checks far away that it declared what it declared.
    """
    signer = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    usa, registrar, clerk = (country.actors[who] for who in ("USA", "registrar", "clerk"))
    in_force(country)
    content = listed(LIST[:498]) + b"ua-17,AKM\nUA 499,Kalashnikov (new)\n"
    declaration = declared(country, content, end_user_certificate="EUC-8", carrier="Sea line", expected_on="2026-12-20")
    caught_up(country, signer)

    with reading(country.engine, registrar) as connection:
        kept = need_statement(connection, declaration.statement_id, StatementKind.DECLARATION)
        waiting = to_settle(connection, kept)
    assert kept.content["line_count"] == 500
    assert [(row.row, row.twin, row.why.split(":")[0]) for row in waiting.rows] == [
        (500, True, "the same model and serial number as row 18"),
        (501, False, "unknown model 'Kalashnikov (new)'"),
    ]
    passed_by = {"site": "TAJI", "donor": "USA", "lines": [{"model": "AKM", "serial_number": "UA 1"}]}
    for more in ({"reference": "FMS-117"}, {"reference": "FMS-118", "declaration": declaration.statement_id}):
        ((field, _, _),) = country.invalid("registrar", DECLARE, **passed_by, **more)
        assert field in ("reference", "declaration")
    with pytest.raises(Invalid, match="2 of 500 rows"):
        accepted(country, declaration.statement_id)
    with transaction(country.engine, roles.REGISTRAR) as connection:
        akm = find_models(connection, {"AKM"}, "USA")["AKM"].model_id
        map_alias(connection, "USA", "Kalashnikov (new)", akm, registrar.party_id)
    posted = accepted(
        country, declaration.statement_id, settled=[{"row": 500, "distinguishing_mark": "notch on the stock"}]
    )
    assert (posted.lines, kinds(posted)) == (500, ["same serial number twice"])
    with pytest.raises(Refused, match="accepted already"):
        accepted(country, declaration.statement_id)

    arrived = [
        {"model": "AKM", "serial_number": serial, "condition": "serviceable"}
        for serial in LIST
        if serial not in LIST[200:219]
    ]
    first = country.do(
        "clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-117", complete=True, lines=arrived
    )
    assert kinds(first) == ["shortage"] * 20
    signed = verify_delivery(
        country.engine,
        clerk,
        VerifyDelivery.model_validate({"donor": "USA", "consignment": "FMS-117", "title_passes_on": "2026-01-02"}),
    )
    with pytest.raises(NotAllowed, match="another person"):
        confirm_delivery(country.engine, clerk, signed.statement_id)
    confirm_delivery(country.engine, country.actors["commander"], signed.statement_id)
    with reading(country.engine, usa) as connection:
        certificate = need_statement(connection, signed.statement_id)
        mine = read_progress(connection, usa, "USA", "FMS-117")
    assert certificate.content["number"] == "FMS-117/DV/1"
    assert [line["serial_number"] for line in certificate.content["lines"]] == sorted(
        serial for serial in LIST if serial not in LIST[200:219]
    )
    short = sorted([*LIST[200:219], "ua-17"])
    assert sorted(line["serial_number"] for line in certificate.content["outstanding"]) == short
    with reading(country.engine, registrar) as connection:
        theirs = read_progress(connection, registrar, "USA", "FMS-117")
    assert mine is not None
    assert theirs is not None
    assert mine.in_supply == theirs.in_supply == 20
    for side in (mine, theirs):
        assert sorted(one.serial_number or "" for one in side.differences if one.kind == "shortage") == short
    assert {one.kind for one in theirs.differences} - {one.kind for one in mine.differences} == {
        "same serial number twice"  # it may be another donor's weapon that bears the number
    }

    caught_up(country, signer)
    keys = [Verifier.parse(signer.verifier)]
    for statement in (declaration, signed):
        bundle = proof_of_statement(country.engine, usa, statement.statement_id)
        found = check_text(bundle.encoded(), keys)
        assert found.ok, list(found.lines())
        assert len(bundle.statements) == 2
        assert "Talib" not in bundle.encoded()
    assert not check_text(bundle.encoded().replace("UA 33", "UA 34", 1), keys).ok


def test_what_stops_on_the_way_is_outstanding(country: Country) -> None:
    """Five rifles and forty helmets are shipped; two rifles and ten helmets do not come, one of the two is reported missing, one more
    was never shipped: the certificate names each.
    """
    in_force(country)
    content = (
        b"Serial No.,Weapon type,Quantity\n" + b"".join(b"UA %d,AKM,1\n" % n for n in range(1, 7)) + b",Helmet,40\n"
    )
    accepted(country, declared(country, content).statement_id)
    on_its_way = {"donor": "USA", "consignment": "FMS-117", "carrier": "Sea line", "expected_on": "2099-12-20"}
    sent = [*scans(*(f"UA {n}" for n in range(1, 6))), {"model": HELMET, "quantity": 40}]
    shipped = country.do("registrar", SHIP, site="TAJI", lines=sent, **on_its_way)
    here = [*({"scan": f"UA {n}", "condition": "serviceable"} for n in range(1, 4)), {"model": HELMET, "quantity": 30}]
    country.do("clerk", ARRIVE, store="Main store", shipment=shipped.number, complete=True, lines=here)
    gone = {"place": "The road", "circumstances": "The truck was stopped"}
    country.do("clerk", REPORT_MISSING, lines=scans("UA 4"), **gone)
    wanted = {"donor": "USA", "consignment": "FMS-117", "title_passes_on": "2026-01-02"}
    signed = verify_delivery(country.engine, country.actors["clerk"], VerifyDelivery.model_validate(wanted))
    with reading(country.engine, country.actors["USA"]) as connection:
        content = need_statement(connection, signed.statement_id).content
    assert [(line["serial_number"], line["quantity"]) for line in content["outstanding"]] == [
        ("UA 4", 1), ("UA 5", 1), ("UA 6", 1), (None, 10),
    ]  # fmt: skip
    assert (content["quantity"], content["outstanding_quantity"]) == (33, 13)


def delivered(country: Country, *serials: str, **certificate: object) -> None:
    """Rifles that came under a certificate, in TAJI's store."""
    in_force(country, **certificate)
    accepted(country, declared(country, listed(serials), end_user_certificate="EUC-8").statement_id)
    lines = [{"model": "AKM", "serial_number": serial, "condition": "serviceable"} for serial in serials]
    country.do("clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-117", lines=lines)


def again(country: Country, **certificate: object) -> None:
    """A new version of the certificate in force."""
    in_force(country, **certificate)


def test_only_a_vetted_unit_has_it(country: Country) -> None:
    """Refused with the certificate named, until the donor says that the unit is vetted, and again once that is over; on paper it is an
    alarm that the donor sees. What no certificate binds goes out as ever.
    """
    issue = {"receiver": "A-1001", "store": "Main store"}
    delivered(country, "UA 1", "UA 2", vetting=True)
    refusal = country.refused("clerk", ISSUE, **issue, lines=scans("UA 1", RIFLES[0]))
    assert [reason for _, reason, _ in told(refusal)] == [
        "end-user certificate EUC-8 of USA takes a vetted unit, and the receiver is of none"
    ]
    again(country, vetting=True, vetted=[{"unit": "1COY", "until": "2026-01-31"}])
    refusal = country.refused("clerk", ISSUE, **issue, lines=scans("UA 1"))
    assert "the vetting ended on 2026-01-31" in told(refusal)[0][1]
    posted = country.do("clerk", ISSUE, **issue, lines=scans("UA 1"), paper=paper(1, now()))
    assert kinds(posted) == ["beyond the end-user certificate"]
    with reading(country.engine, country.actors["USA"]) as connection:
        seen = connection.exec_driver_sql("SELECT kind FROM discrepancy WHERE closed_at IS NULL").scalars().all()
    assert "beyond the end-user certificate" in seen
    again(country, vetting=True, vetted=[{"unit": "1COY", "until": "2099-12-31"}])
    assert kinds(country.do("clerk", ISSUE, **issue, lines=scans("UA 2", RIFLES[0]))) == []


def test_re_transfer_and_change_of_end_use_take_consent(country: Country) -> None:
    """To another depot, out of the country, to be destroyed: each refused with the clause, done once the donor consented to just that."""
    delivered(country, "UA 1", sites=["TAJI"])
    to_erbil = {"to_site": "ERBIL", "carrier": "2nd Transport", "expected_on": "2099-12-31", "lines": scans("UA 1")}
    abroad = {
        "destination": "Jordan", "consignee": "Royal Works", "authorisation": "E-1", "purpose": "repair abroad", "lines": scans("UA 1"),
    }  # fmt: skip
    order = {"reason": "worn", "authority": "M-1", "due_on": "2099-12-31", "method": "cutting", "lines": scans("UA 1")}
    clause = "No re-transfer or change of end use without written consent."
    binds = "end-user certificate EUC-8 binds it: add the consent of USA. It says"
    for form, request, words in (
        (SHIP, to_erbil, f"end-user certificate EUC-8 of USA allows it at TAJI alone: {clause}"),
        (EXPORT, abroad, f"{binds}: {clause}"),
        (ORDER_DESTRUCTION, order, f"{binds}: Destroyed only with written consent."),
    ):  # fmt: skip
        assert told(country.refused("clerk", form, **request))[0][1] == words

    def consent(purpose: str, recipient: str | None, until: str | None = None) -> None:
        given = {
            "certificate": "EUC-8",
            "number": "C-1",
            "words": "yes",
            "purpose": purpose,
            "recipient": recipient,
            "until": until,
        }
        give_consent(country.engine, country.actors["USA"], GiveConsent.model_validate(given))

    consent("re-transfer", "Egypt")
    consent("re-transfer", "Jordan", until="2026-01-01")
    country.refused("clerk", EXPORT, **abroad)
    consent("re-transfer", "jordan")
    assert isinstance(country.ask("clerk", EXPORT, **abroad), Drafted)
    country.refused("clerk", ORDER_DESTRUCTION, **order)
    consent("disposal", None)
    assert isinstance(country.ask("clerk", ORDER_DESTRUCTION, **order), Drafted)
    country.refused("clerk", SHIP, **to_erbil)
    consent("change of end use", "ERBIL")
    country.do("clerk", SHIP, **to_erbil)

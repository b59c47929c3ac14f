"""Exporting: what leaves the country leaves by two people, with the donor's consent where a certificate binds it; and
it may come back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stockpile.acts.arrive import ARRIVE
from stockpile.acts.declare import DECLARE
from stockpile.acts.export import EXPORT
from stockpile.acts.import_again import IMPORT_AGAIN
from stockpile.acts.issue import ISSUE
from stockpile.acts.perform import Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.ship import SHIP
from stockpile.documents import Posted
from stockpile.errors import NotAllowed, Refused
from stockpile.reports.trial_balance import By, proof, trial_balance
from stockpile.rights import reading
from tests.world import HELMET, RIFLES, Country, ago, kinds, paper, scanned_paper, scans, today, told

STORE = "Main store"
ABROAD: dict[str, Any] = {
    "destination": "Jordan", "consignee": "Royal Ordnance Works, Amman", "authorisation": "EXP-2026-12",
    "purpose": "repair abroad",
}  # fmt: skip
BACK = {"store": STORE, "received_from": "Royal Ordnance Works, Amman"}
LINES: list[dict[str, Any]] = [
    *({"model": "M4", "serial_number": f"US {n}", "condition": "serviceable"} for n in (1, 2)),
    {"model": HELMET, "quantity": 40},
]


def delivered(country: Country, certificate: str | None = "EUC-2026-8") -> None:
    """Two rifles and 40 helmets of the USA, bound by a certificate."""
    country.do(
        "registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", end_user_certificate=certificate, lines=LINES
    )
    country.do("clerk", RECEIVE, store=STORE, donor="USA", consignment="FMS-1", lines=LINES)


def consent(donor: str = "USA", **more: Any) -> dict[str, Any]:
    day = str(today() - timedelta(days=3))
    return {"donor": donor, "reference": "DSP-83 4417", "given_on": day, "scan_sha256": scanned_paper(), **more}


def exported(country: Country, *lines: dict[str, Any], **request: Any) -> Posted:
    return country.do_with_approval("clerk", "commander", EXPORT, **{**ABROAD, **request}, lines=list(lines))


def donated(country: Country, quantity: int) -> dict[str, Any]:
    found = country.query("SELECT item_id FROM item WHERE tracked_by = 'quantity' AND consignment_id IS NOT NULL")
    return {"item": str(found[0][0]), "quantity": quantity}


def test_a_rifle_goes_abroad_by_two_people_and_comes_back(country: Country) -> None:
    """Asked for it waits; approved it is exported, and can't be issued. Back in the store it is the same rifle."""
    item = country.item(RIFLES[0]).item_id
    waiting = country.ask("clerk", EXPORT, **ABROAD, lines=scans(RIFLES[0]))
    assert isinstance(waiting, Drafted)
    assert country.where(RIFLES[0]) == STORE
    with pytest.raises(NotAllowed):
        country.approve("clerk", waiting)
    posted = country.approve("commander", waiting)
    assert (posted.act, posted.fact, country.where(RIFLES[0])) == ("export", False, "exported")
    refusal = country.refused("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    assert told(refusal)[0][1] == "it was exported: the act 'issue' does not begin there"
    lines = [{"scan": RIFLES[0], "condition": "serviceable"}]
    back = country.do("clerk", IMPORT_AGAIN, **BACK, lines=lines)
    assert (back.act, back.fact, back.discrepancy_count) == ("import again", False, 0)
    assert (country.where(RIFLES[0]), country.item(RIFLES[0]).item_id) == (STORE, item)


def test_what_a_certificate_binds_takes_the_donor_s_consent(country: Country) -> None:
    """Without it each weapon names the certificate and the donor; France's consent is not the USA's. With it, the scan
    is part of the document.
    """
    delivered(country)
    why = "end-user certificate EUC-2026-8 binds it: add the consent of USA"
    for consents in ([], [consent("FRA")]):
        refusal = country.refused(
            "clerk", EXPORT, **ABROAD, store=STORE, consents=consents,
            lines=[*scans("US 1", RIFLES[0]), donated(country, 5)],
        )  # fmt: skip
        assert [(reason.line, reason.reason) for reason in refusal.reasons] == [(1, why), (3, why)]
    posted = exported(country, *scans("US 1", RIFLES[0]), donated(country, 5), store=STORE, consents=[consent()])
    assert (posted.quantity, country.where("US 1")) == (7, "exported")
    details, attachments = country.query(
        "SELECT details, attachments FROM document WHERE document_id = %s", posted.document_id
    )[0]
    assert attachments == [scanned_paper()]
    assert details["consents"] == [consent()]
    assert (details["consignee"], details["purpose"]) == ("Royal Ordnance Works, Amman", "repair abroad")


def test_what_no_certificate_binds_takes_no_consent(country: Country) -> None:
    delivered(country, certificate=None)
    exported(country, *scans("US 1"))
    assert country.where("US 1") == "exported"


def test_a_certificate_binds_where_the_weapon_went_on_to(country: Country) -> None:
    """Declared for TAJI; ERBIL has it now and does not read TAJI's consignments: it is bound all the same."""
    delivered(country)
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    order = country.do(
        "clerk", SHIP, to_site="ERBIL", carrier="2nd Transport", expected_on=str(today()), lines=scans("US 1")
    )
    country.do("erbil clerk", ARRIVE, shipment=order.number, lines=scans("US 1"))
    refusal = country.refused("erbil clerk", EXPORT, **ABROAD, lines=scans("US 1", "E 1"))
    assert told(refusal)[0][1] == "end-user certificate EUC-2026-8 binds it: add the consent of USA"
    assert len(refusal.reasons) == 1


def test_a_consent_that_can_not_be(country: Country) -> None:
    """Given tomorrow, a scan nobody stored, a text that is no scan, a donor nobody knows: named by its place on the request."""
    delivered(country)
    tomorrow = str(today() + timedelta(days=1))
    request = {**ABROAD, "lines": scans("US 1")}
    assert country.invalid(
        "clerk", EXPORT, **request, consents=[consent(given_on=tomorrow, scan_sha256="9f" * 32)]
    ) == [
        ("given_on", tomorrow, "is in the future"),
        ("scan_sha256", "9f" * 32, f"There is no stored file {'9f' * 32}: upload it first."),
    ]
    text = scanned_paper(b"We consent to everything.")
    (fault,) = country.invalid("clerk", EXPORT, **request, consents=[consent(scan_sha256=text)])
    assert fault[:2] == ("scan_sha256", text)
    assert fault[2].startswith("a text: attach a photo")
    assert country.invalid("clerk", EXPORT, **request, consents=[consent("NONE")])[0][:2] == ("consents", "NONE")


def test_only_what_is_in_a_store_is_exported(country: Country) -> None:
    """A soldier's rifle, another store's, another site's, more helmets than there are; and nobody else asks."""
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    helmets = {"item": str(country.helmets().item_id), "quantity": 101}
    refusal = country.refused("clerk", EXPORT, **ABROAD, store=STORE, lines=[*scans(RIFLES[0]), helmets])
    assert [reason for _, reason, _ in told(refusal)] == [
        "it is issued to a person: the act 'export' does not begin there", "only 100 at Main store, 101 asked for",
    ]  # fmt: skip
    refusal = country.refused("clerk", EXPORT, **ABROAD, store="Quarantine", lines=scans(RIFLES[1]))
    assert told(refusal)[0][1] == "it is not in Quarantine"
    refusal = country.refused("erbil clerk", EXPORT, **ABROAD, lines=scans(RIFLES[1]))
    assert told(refusal)[0][1] == "it is not at ERBIL"
    for who in ("registrar", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            country.ask(who, EXPORT, site="TAJI", **ABROAD, lines=scans(RIFLES[1]))
    with pytest.raises(ValueError, match="paper"):
        country.ask("clerk", EXPORT, **ABROAD, paper=paper(1, ago()), lines=scans(RIFLES[1]))


def test_what_changed_before_the_approval_is_refused_then(country: Country) -> None:
    """The rifle was issued while the draft waited."""
    waiting = country.ask("clerk", EXPORT, **ABROAD, lines=scans(RIFLES[0]))
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    with pytest.raises(Refused):
        country.approve("commander", waiting)


def test_only_what_was_exported_comes_back(country: Country) -> None:
    """In its store, unknown, more helmets than went: refused. ERBIL may be where the rifle comes back to."""
    helmets = {"item": str(country.helmets().item_id)}
    exported(country, *scans(RIFLES[0]), {**helmets, "quantity": 10}, store=STORE)
    refusal = country.refused(
        "clerk", IMPORT_AGAIN, **BACK, lines=[*scans(RIFLES[1], "NO SUCH"), {**helmets, "quantity": 11}]
    )
    assert [reason for _, reason, _ in told(refusal)] == [
        "it was not exported", "unknown: nothing in the books bears this number", "only 10 at exported, 11 asked for",
    ]  # fmt: skip
    country.do("clerk", IMPORT_AGAIN, **BACK, lines=[{**helmets, "quantity": 10}])
    country.do("erbil clerk", IMPORT_AGAIN, **BACK, lines=scans(RIFLES[0]))
    assert country.item(RIFLES[0]).where.site_id == country.sites["ERBIL"].site_id


def test_a_report_of_its_return_on_paper_is_a_fact(country: Country) -> None:
    """One was exported, one stood in the store by the books, one nobody ever heard of: all are in the store."""
    exported(country, *scans(RIFLES[0]))
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[1]))
    posted = country.do(
        "clerk", IMPORT_AGAIN, **BACK, paper=paper(1, ago()), lines=scans(RIFLES[0], RIFLES[1], "NEW 1")
    )
    assert (posted.fact, kinds(posted)) == (True, ["held elsewhere", "unknown weapon"])
    assert [country.where(serial) for serial in (RIFLES[0], RIFLES[1], "NEW 1")] == [STORE] * 3


def test_an_exported_rifle_turns_up_in_the_country(country: Country) -> None:
    """Recovered as a fact: what the books claimed is a discrepancy."""
    exported(country, *scans(RIFLES[0]))
    back = country.do(
        "clerk", RECOVER, store=STORE, place="the market", found_by="patrol", in_hand=True, lines=scans(RIFLES[0])
    )
    assert kinds(back) == ["found what the books hold as gone"]


def test_the_donor_sees_what_left_the_country_and_the_books_close(country: Country) -> None:
    delivered(country)
    exported(country, *scans("US 1"), donated(country, 5), store=STORE, consents=[consent()])
    with reading(country.engine, country.actors["USA"]) as connection:
        (line,) = trial_balance(connection, country.actors["USA"], (By.DONOR,))
        certificate = connection.exec_driver_sql("SELECT end_user_certificate FROM consignment").scalar_one()
    assert (line.came_in, line.store, line.exported, line.difference) == (42, 36, 6, 0)
    assert certificate == "EUC-2026-8"
    with reading(country.engine, country.actors["auditor"]) as connection:
        assert proof(connection, country.actors["auditor"]).closes

"""Two donors in one country, each with the fullest life that there is, and hand in hand: serial numbers that both sent, vouchers on which
the weapons of both stand, losses, cases, counts, audits, tracings. The USA looks; NORDMARK must stay unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi.testclient import TestClient

from stockpile import parties, tokens
from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.arrive import ARRIVE
from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.destroy import DESTROY
from stockpile.acts.destruction_order import ORDER_DESTRUCTION
from stockpile.acts.expend import EXPEND
from stockpile.acts.export import EXPORT
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.import_again import IMPORT_AGAIN
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.maintain import MAINTAIN
from stockpile.acts.mark import MARK
from stockpile.acts.open_books import OPEN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.reject import REJECT
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.alerts.finding import find_alerts
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.files import file_store
from stockpile.log import beginning
from stockpile.log.signer import LogSigner
from stockpile.rights import Actor
from stockpile.settings import read_settings
from tests import counts
from tests.api_world import BEARERS, Web, fresh, service_over
from tests.conftest import Databases
from tests.consigned import CERTIFICATE, listed
from tests.registers import compared, imported
from tests.test_log import ORIGIN, caught_up
from tests.world import SCAN, SINCE, Country, ago, paper, photo, scanned_paper, scans, today

STORE = "Main store"
SEEN, UNSEEN = "USA", "NORDMARK"
ABBREVIATED = {SEEN: "US", UNSEEN: "NM"}
SHARED = ("SHARED 71", "SHARED 72", "SHARED 73")
"""Numbers that both donors sent, on rifles of one maker and model."""
MODEL_OF_ONE = "Kesk M77"
GIVEN, TAKEN_BACK = "CONS-NM-4", "CONS-NM-5"
"""Consignments of the unseen donor that it shared with the other: one that it still shares, one that it took back."""
GIVEN_SERIALS, TAKEN_BACK_SERIALS = ("NMOPEN 1", "NMOPEN 2", "NMOPEN 3"), ("NMBACK 1", "NMBACK 2", "NMBACK 3")
"""What is in them; the last of each did not come."""
GIVEN_WORDS = "Joint delivery"
SHOWN_TOO = {SEEN: ("NMR 5503", "KT 449900", GIVEN_SERIALS[1]), UNSEEN: ("USR 5503", "KT 449900")}
"""What each donor's inspectors are shown that is another's or the host's."""
AT_ERBIL = ("EB 1", "EB 2", "EB 3")
"""Rifles that the host bought itself, at the other depot."""
PLAN = {
    "what": "Rifles", "level": "enhanced", "category": "small arms", "initial_days": 60, "yearly_days": 183,
}  # fmt: skip
BEARERS_HERE = {
    **BEARERS,
    UNSEEN: {"role": "donor", "donor": UNSEEN},
    "second registrar": {"role": "registrar", "party": "R-2"},
    "erbil armourer": {"role": "armourer", "party": "E-1", "site": "ERBIL", "book": "D"},
    "erbil commander": {"role": "commander", "party": "C-3", "site": "ERBIL", "book": "CO"},
}


def serial(donor: str, number: int) -> str:
    """The n-th rifle of a donor."""
    return f"{ABBREVIATED[donor]}R {5500 + number}"


def twin(donor: str, number: int) -> str:
    """How the books tell a rifle whose number both sent: by its mark."""
    return f"{ABBREVIATED[donor]}-TWIN-{number}"


def settled_in(databases: Databases, template: tuple[str, Country]) -> Iterator[Web]:
    """The settled country in a database of its own, with a folder of its own for files and the log's keys."""
    name = databases.clone(template[0])
    engine = databases.engine(name)
    with TemporaryDirectory() as data, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STOCKPILE_DATA", data)
        yield from settled_country(template[1].on(engine))
    engine.dispose()
    databases.drop(name)


def settled_country(country: Country) -> Iterator[Web]:
    """The country behind its service, with both donors and all that happened."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.add_party(connection, "donor", UNSEEN, "Kingdom of Nordmark")
        parties.add_person(connection, "R-2", "Rami Second", None, country.sites["TAJI"], None, SINCE)
        erbil = country.sites["ERBIL"]
        unit = parties.add_unit(connection, "2COY", "2nd Company", erbil, None, SINCE)
        parties.add_person(connection, "A-2001", "Yusuf Own", "Private", erbil, unit, SINCE)
        ezra = parties.add_person(connection, "C-3", "Ezra Commander", "Major", erbil, None, SINCE)
        texts = {
            who: tokens.create_token(connection, label=f"{who}'s", **wanted).text  # type: ignore[arg-type]
            for who, wanted in BEARERS_HERE.items()
        }
    with TestClient(service_over(country.engine)) as client:
        armourer = replace(country.actors["second clerk"], role="armourer", book_code="D")
        commander = Actor(ezra.party_id, "commander", erbil, book_code="CO")
        actors = {**country.actors, "armourer": armourer, "erbil commander": commander}
        web = Web(replace(country, actors=actors), client, texts)
        signer = beginning.begin_log(country.engine, read_settings().signing_folder, ORIGIN)
        live(web)
        publish(web, signer)
        yield web


def publish(web: Web, signer: LogSigner) -> None:
    """What happened stands under a signed checkpoint, and whoever should hear of it was told."""
    caught_up(web.country, signer)
    find_alerts(web.country.engine)


def live(web: Web) -> None:
    """All of it, in order."""
    made = {"maker": "Kesk Works", "name": MODEL_OF_ONE, "category": "small arms", "subcategory": "assault rifle"}
    said(web, "registrar", "/v1/models", made)
    for donor in (SEEN, UNSEEN):
        consigned(web, donor)
    for donor in (SEEN, UNSEEN):
        received(web, donor)
    together(web)
    for donor in (SEEN, UNSEEN):
        alone(web, donor)
    looked_at(web)
    shared(web)
    for donor in (SEEN, UNSEEN):
        inspected(web, donor)
        subscribed(web, donor)
    elsewhere(web)


def said(web: Web, who: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What somebody sent, and was answered."""
    answer = web.post(who, path, body)
    assert answer.status_code in (200, 201, 202), (path, answer.text)
    return dict(answer.json())


def stored(web: Web, who: str, content: bytes, evidence: bool) -> str:
    """The SHA-256 of a file that somebody sent."""
    answer = web.client.post("/v1/files", params={"evidence": evidence}, content=content, headers=web.headers(who))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sha256"])


def consigned(web: Web, donor: str) -> None:
    """A certificate in force, consents, a declaration that the host accepts, one that it sends back, and one that waits."""
    short = ABBREVIATED[donor]
    scan = stored(web, donor, SCAN + f"% {donor}".encode(), evidence=True)
    certificate = {**CERTIFICATE, "number": f"EUC-{short}-8", "supplier": f"Ministry of {donor}", "scan_sha256": scan}
    statement = said(web, donor, "/v1/end-user-certificates", certificate)["statement_id"]
    said(web, "registrar", f"/v1/statements/{statement}/confirm", {})
    for number, purpose, more in ((1, "re-transfer", {"recipient": "Jordan"}), (2, "disposal", {})):
        consent = {
            "certificate": f"EUC-{short}-8",
            "number": f"CONSENT-{short}-{number}",
            "purpose": purpose,
            "words": f"As {donor} agreed",
        }
        said(web, donor, "/v1/donor-consents", {**consent, **more})
    own = [serial(donor, number) for number in range(1, 13)]
    content = listed(own) + "".join(f"{one},AKM\n" for one in SHARED).encode()
    if donor == UNSEEN:
        content += b"".join(f"KESK {number},{MODEL_OF_ONE}\n".encode() for number in range(1, 4))
    for number, what in ((1, "accept"), (2, "send-back"), (3, None)):
        again = content if number == 1 else listed([f"{short}WAIT {number}"])
        declaration = {
            "site": "TAJI", "reference": f"CONS-{short}-{number}", "end_user_certificate": f"EUC-{short}-8", "carrier": f"{donor} Air",
            "route": f"{donor} harbour, Taji", "file": {"sha256": stored(web, donor, again, False), "name": f"list of {donor}.csv"},
        }  # fmt: skip
        statement = said(web, donor, "/v1/donor-declarations", declaration)["statement_id"]
        marks = [{"row": 14 + n, "distinguishing_mark": twin(donor, n)} for n in range(len(SHARED))]
        if what == "accept":
            said(web, "registrar", f"/v1/statements/{statement}/accept", {"settled": marks if donor == UNSEEN else []})
        if what == "send-back":
            said(web, "registrar", f"/v1/statements/{statement}/send-back", {"reason": f"{donor} sent it twice"})


def received(web: Web, donor: str) -> None:
    """Two rifles do not come, one comes that nobody declared, one is rejected; the delivery is verified by two people."""
    short = ABBREVIATED[donor]
    came = [serial(donor, number) for number in range(1, 11)]
    lines: list[dict[str, Any]] = [{"model": "AKM", "serial_number": one, "condition": "serviceable"} for one in came]
    for number, one in enumerate(SHARED):
        mark = {"distinguishing_mark": twin(donor, number)} if donor == UNSEEN else {}
        lines.append({"model": "AKM", "serial_number": one, "condition": "serviceable", **mark})
    lines.append({"model": "AKM", "serial_number": f"{short}EXCESS 1", "condition": "serviceable"})
    if donor == UNSEEN:
        lines += [
            {"model": MODEL_OF_ONE, "serial_number": f"KESK {n}", "condition": "serviceable"} for n in range(1, 4)
        ]
    of_it = {
        "store": STORE,
        "donor": donor,
        "consignment": f"CONS-{short}-1",
        "complete": True,
        "remarks": f"As {donor} packed it",
    }
    receipt = web.country.do("clerk", RECEIVE, **of_it, lines=lines)
    web.country.do("clerk", REJECT, reason=f"Barrel of {donor} bent", lines=scans(serial(donor, 10)))
    seen = stored(web, "clerk", photo(40 + len(donor)), True)
    noted = {"kind": "attachment", "text": f"The crates of {donor} were open", "attachments": [seen]}
    said(web, "clerk", f"/v1/documents/{receipt.document_id}/notes", noted)
    asked = {"donor": donor, "consignment": f"CONS-{short}-1", "title_passes_on": str(today())}
    statement = said(web, "clerk", "/v1/delivery-verifications", asked)["statement_id"]
    said(web, "commander", f"/v1/statements/{statement}/confirm", {})


def of_both(number: int) -> list[dict[str, Any]]:
    """The n-th rifle of each, the unseen donor's first."""
    return scans(serial(UNSEEN, number), serial(SEEN, number))


def together(web: Web) -> None:
    """Vouchers on which the weapons of both stand, and what contradicts them."""
    do, with_second = web.country.do, web.country.do_with_approval
    kesk = scans("KESK 1")
    do(
        "clerk",
        ISSUE,
        receiver="A-1001",
        store=STORE,
        lines=[*kesk, *of_both(1), *of_both(2)],
        remarks="For Nordmark and the USA",
    )
    do("clerk", HAND_OVER, giver="A-1001", receiver="A-1002", lines=of_both(1))
    do("clerk", RETURN, store=STORE, returned_by="A-1003", lines=of_both(2), paper=paper(7, ago(minutes=1)))
    do(
        "clerk",
        REPORT_MISSING,
        place="Route Tampa",
        circumstances="Not in the rack",
        lines=of_both(1),
        last_seen_at=ago(days=1),
    )
    concluded = {"cause": "stolen", "liability": "Nobody", "findings": "Both were taken"}
    with_second("clerk", "commander", CONCLUDE_LOSS, **concluded, lines=of_both(1))
    do("clerk", RECOVER, store=STORE, place="A wadi", found_by="2nd patrol", lines=of_both(1))
    put_on = {"import_mark": "IQ 26", "import_country": "IQ", "import_year": 2026}
    marked = [{"scan": serial(one, 3), **put_on} for one in (UNSEEN, SEEN)]
    do("armourer", MARK, method="laser", place="receiver", lines=marked)
    with_second(
        "clerk", "commander", AMEND_IDENTIFICATION, reason="Misread", attachments=[scanned_paper(photo())],
        lines=[{"scan": serial(one, 4), "serial_number": f"{serial(one, 4)}0"} for one in (UNSEEN, SEEN)],
    )  # fmt: skip
    do("clerk", MAINTAIN, work="Firing pin broken", lines=of_both(5))
    wrong = do("clerk", ISSUE, receiver="A-1003", store=STORE, lines=of_both(6))
    with_second("clerk", "commander", CORRECT, document=wrong.number, reason="The wrong rifles", lines=of_both(6))
    undone = do("clerk", ISSUE, receiver="A-1003", store=STORE, lines=of_both(6))
    do("clerk", UNDO, document=undone.number)
    order = do(
        "clerk", SHIP, to_site="ERBIL", store=STORE, carrier="2nd Transport Company", expected_on=str(today()), route="Route 1",
        lines=[*of_both(7), *of_both(8)],
    )  # fmt: skip
    do("erbil clerk", ARRIVE, shipment=order.number, delivered_by="2nd Transport Company", lines=of_both(7))


def alone(web: Web, donor: str) -> None:
    """What happens to one donor's weapons on documents of their own; and two cases."""
    do, with_second = web.country.do, web.country.do_with_approval
    do(
        "clerk",
        ISSUE,
        receiver="A-1001",
        store=STORE,
        lines=scans(f"{ABBREVIATED[donor]}EXCESS 1"),
        remarks=f"{donor} alone",
    )
    reported = do(
        "clerk",
        REPORT_MISSING,
        place=f"{donor} hill",
        circumstances="Gone",
        lines=scans(f"{ABBREVIATED[donor]}EXCESS 1"),
    )
    with_second(
        "clerk", "commander", EXPEND, store=STORE, manner="destroyed in combat", place=f"{donor} hill", circumstances="Burnt",
        lines=scans(serial(donor, 2)),
    )  # fmt: skip
    consent = {
        "donor": donor,
        "reference": f"CONSENT-{ABBREVIATED[donor]}-1",
        "given_on": str(today()),
        "scan_sha256": scanned_paper(),
    }
    with_second(
        "clerk", "commander", EXPORT, destination="Jordan", consignee="Royal Works, Amman", authorisation=f"EXP-{donor}",
        purpose="repair abroad", consents=[consent], lines=scans(serial(donor, 6)),
    )  # fmt: skip
    do("clerk", IMPORT_AGAIN, store=STORE, received_from="Royal Works, Amman",
       lines=[{"scan": serial(donor, 6), "condition": "serviceable"}])  # fmt: skip
    order = with_second(
        "clerk", "commander", ORDER_DESTRUCTION, reason="worn out", authority=f"Order {donor}", due_on="2099-12-31", method="cutting",
        lines=scans(serial(donor, 9)),
    )  # fmt: skip
    with_second(
        "clerk", "commander", DESTROY, order=order.number, method="cutting", place="Yard", counted_before=1, counted_after=0,
        witness_1="A-1001", witness_2="Jane Miller, UNMAS", attachments=[scanned_paper(photo())], lines=scans(serial(donor, 9)),
    )  # fmt: skip
    said(
        web,
        "auditor",
        "/v1/cases",
        {"title": f"Rifle of {donor}", "subject": {"weapon": serial(donor, 1)}, "text": f"{donor}'s"},
    )
    said(web, "auditor", "/v1/cases", {"title": f"Loss of {donor}", "subject": {"document": str(reported.document_id)}})


def looked_at(web: Web) -> None:
    """A count, lists and an audit, an opening list that waits, and tracings of either donor's weapons."""
    country = web.country
    count = counts.opened(country)
    counts.read(country, count, serial(UNSEEN, 3), serial(SEEN, 3), "UNKNOWN 1")
    counts.closed(country, count)
    book = "Serial,Model,Unit\n" + "".join(
        f"{serial(one, n)},AKM,1COY\n" for one in (SEEN, UNSEEN) for n in (1, 2, 2, 77)
    )
    held = imported(country, book, name="Property book of both donors")
    compared(country, held, {"site": "TAJI"}, name="Both donors")
    country.ask(
        "registrar", OPEN, site="TAJI", name="Old", store=STORE, lines=[{"model": "AKM", "serial_number": "OLD 1"}]
    )
    for donor in (SEEN, UNSEEN):
        file_store().keep([donor.encode()], 1000)
        asked = {"asked_by": f"Bureau of {donor}", "illicit_because": f"Carried by whom {donor} fears", "model": "AKM"}
        for number in (1, 3):
            request = {
                **asked,
                "serial_number": serial(donor, number),
                "reference": f"NCB-{donor}-{number}",
                "tracing_id": fresh(),
            }
            said(web, "registrar", "/v1/tracings/incoming", request)
            if number == 1:
                path = f"/v1/tracings/{request['tracing_id']}"
                said(web, "registrar", f"{path}/steps", {"what": "acknowledged"})
                said(web, "registrar", f"{path}/answer", {"outcome": "traced", "weapon": serial(donor, 1)})
                said(web, "second registrar", f"{path}/answer/release", {})
        seen = {
            "asked_by": f"Panel on {donor}",
            "how": "observed",
            "confidence": "probable",
            "place": f"{donor} market",
            "place_country": "SY",
        }
        said(web, "auditor", "/v1/sightings", {**seen, "serial_number": serial(donor, 3), "model": "AKM"})


def shared(web: Web) -> None:
    """The unseen donor lets the other read one consignment, takes another back, and shares with a third; the seen one shares too. A rifle
    of what is shared goes out on a voucher with one of what was taken back.
    """
    for reference, serials in ((GIVEN, GIVEN_SERIALS), (TAKEN_BACK, TAKEN_BACK_SERIALS)):
        file = {"sha256": stored(web, UNSEEN, listed(serials), False), "name": f"{reference}.csv"}
        declaration = {"site": "TAJI", "reference": reference, "end_user_certificate": "EUC-NM-8", "file": file}
        statement = said(web, UNSEEN, "/v1/donor-declarations", declaration)["statement_id"]
        said(web, "registrar", f"/v1/statements/{statement}/accept", {"settled": []})
        lines = [{"model": "AKM", "serial_number": one, "condition": "serviceable"} for one in serials[:2]]
        web.country.do("clerk", RECEIVE, store=STORE, donor=UNSEEN, consignment=reference, complete=True, lines=lines)
        asked = {"donor": UNSEEN, "consignment": reference, "title_passes_on": str(today())}
        verified = said(web, "clerk", "/v1/delivery-verifications", asked)["statement_id"]
        said(web, "commander", f"/v1/statements/{verified}/confirm", {})
    web.country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(TAKEN_BACK_SERIALS[0], GIVEN_SERIALS[0]))
    lent(web, UNSEEN, GIVEN, SEEN, GIVEN_WORDS)
    lent(web, UNSEEN, "CONS-NM-1", "FRA", "Not for all")
    said(
        web, UNSEEN, f"/v1/shares/{lent(web, UNSEEN, TAKEN_BACK, SEEN, 'For a while')}/withdraw", {"reason": "It ended"}
    )
    lent(web, SEEN, "CONS-US-1", UNSEEN, "As agreed")


def lent(web: Web, donor: str, reference: str, partner: str, words: str) -> str:
    """A share of a consignment."""
    request = {"reference": reference, "partner": partner, "words": words}
    return str(said(web, donor, "/v1/shares", request)["statement_id"])


def inspected(web: Web, donor: str) -> None:
    """One visit is planned, one done, which reads its own and others' and misses some, one refused: the unseen donor's has the number of
    the consignment that it shares. A holder reports too.
    """
    short = ABBREVIATED[donor]
    of_it = {"site": "TAJI", "inspectors": [f"Maj. Reyes of {donor}"], "notes": f"{donor} was here"}
    planned = {**of_it, "number": f"EUM-{short}-1", "planned_on": "2099-12-15"}
    said(web, donor, "/v1/visit-plans", planned)
    said(web, donor, f"/v1/monitoring-plans/{short.lower()}-rifles", {**PLAN, "source": f"Letter of {donor}"})
    photos = [
        {"sha256": stored(web, donor, photo(number + len(donor)), True), "name": f"door of {donor} {number}.png"}
        for number in (60, 70)
    ]
    refused = {
        **of_it, "number": GIVEN if donor == UNSEEN else "EUM-US-2", "refused_on": str(today()), "refused_by": f"Who fears {donor}",
        "why": "No clearance", "evidence": photos[1:],
    }  # fmt: skip
    said(web, donor, "/v1/visit-refusals", refused)
    read = [serial(donor, 3), serial(donor, 5), serial(donor, 7), SHARED[0], *SHOWN_TOO[donor]]
    done = {
        **of_it, "number": f"EUM-{short}-3", "level": "enhanced", "complete": True,
        "began_at": ago(minutes=1).isoformat(), "ended_at": ago(seconds=1).isoformat(),
        "lines": [{"scan": one} for one in read], "evidence": photos[:1],
        "physical_security": [{"point": "locks", "found": "no", "remarks": f"A bicycle lock, says {donor}"}],
    }  # fmt: skip
    visit = said(web, donor, "/v1/visits", done)["statement_id"]
    said(web, "commander", f"/v1/visits/{visit}/answer", {"words": f"{donor} may come again"})
    held = [{"scan": serial(donor, number), "state": "held", "on": str(today())} for number in (3, 5)]
    report = {"donor": donor, "number": f"1COY-{short}-1", "unit": "1COY", "lines": held, "remarks": f"All of {donor}"}
    said(web, "clerk", "/v1/disposition-reports", report)


def elsewhere(web: Web) -> None:
    """At ERBIL as at TAJI: rifles of the host's own, one issued, one missing, whose loss waits for a second person; a count, a list, an
    audit, a case.
    """
    country, do = web.country, web.country.do
    lines = [{"model": "AKM", "serial_number": one, "condition": "serviceable"} for one in AT_ERBIL]
    do("erbil clerk", RECEIVE, store=STORE, lines=lines)
    do("erbil clerk", ISSUE, receiver="A-2001", store=STORE, lines=scans(AT_ERBIL[0]))
    lost = do("erbil clerk", REPORT_MISSING, place="Gate", circumstances="Gone", lines=scans(AT_ERBIL[1]))
    country.ask(
        "erbil clerk", CONCLUDE_LOSS, cause="stolen", liability="Nobody", findings="Taken", lines=scans(AT_ERBIL[1])
    )
    count = counts.opened(country, "erbil clerk", counters=("E-1",))
    counts.read(country, count, AT_ERBIL[2], "UNKNOWN 2", who="erbil clerk")
    counts.closed(country, count, "erbil commander")
    book = f"Serial,Model,Unit\n{AT_ERBIL[0]},AKM,2COY\nEB 99,AKM,2COY\n"
    held = imported(country, book, who="erbil commander", name="Property book of ERBIL")
    compared(country, held, {"site": "ERBIL"}, who="erbil commander", name="ERBIL alone")
    said(
        web, "erbil commander", "/v1/cases", {"title": "Rifle of ERBIL", "subject": {"document": str(lost.document_id)}}
    )


def subscribed(web: Web, donor: str) -> None:
    """It is told of alerts by e-mail and by a web feed."""
    said(web, donor, "/v1/alert-subscriptions", {"way": "e-mail", "address": f"officer@{donor.lower()}.example"})
    said(web, donor, "/v1/alert-subscriptions", {"way": "web feed"})


def another_day(web: Web) -> None:
    """More happens to the unseen donor's weapons, and to the host's own, and to nobody else's."""
    do = web.country.do
    came = [f"NMLATER {number}" for number in range(4)]
    lines = [{"model": "AKM", "serial_number": one, "condition": "serviceable"} for one in came]
    do("clerk", RECEIVE, store=STORE, donor=UNSEEN, lines=lines)
    do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(*came[:2]))
    do("clerk", REPORT_MISSING, place="Nordmark hill", circumstances="Gone", lines=scans(came[0], serial(UNSEEN, 3)))
    said(web, "auditor", "/v1/cases", {"title": "More of it", "subject": {"weapon": came[0]}})
    kept = {
        "asked_by": "Bureau",
        "illicit_because": "Carried",
        "model": "AKM",
        "serial_number": came[1],
        "reference": "NCB-LATER",
    }
    said(web, "registrar", "/v1/tracings/incoming", kept)
    lent(web, UNSEEN, "CONS-NM-1", "FRA", "Again")
    said(
        web, UNSEEN, "/v1/visit-plans",
        {"site": "TAJI", "inspectors": ["Maj. Reyes"], "number": "EUM-NM-9", "planned_on": "2099-12-16"},
    )  # fmt: skip
    find_alerts(web.country.engine)

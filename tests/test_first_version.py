"""Books of the first version, brought up to this one's schema: they say what they said, every answer is given again to the
byte, and the weapons in them go on living.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from stockpile import closures
from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.arrive import ARRIVE
from stockpile.acts.destroy import DESTROY
from stockpile.acts.destruction_order import ORDER_DESTRUCTION
from stockpile.acts.export import EXPORT
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.import_again import IMPORT_AGAIN
from stockpile.acts.issue import ISSUE
from stockpile.acts.mark import MARK
from stockpile.acts.overrun import OVERRUN
from stockpile.acts.receive import RECEIVE
from stockpile.acts.reject import REJECT
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.acts.void import VOID
from stockpile.closures import AskClosure
from stockpile.db import embedded, migrate, ready, roles
from stockpile.documents import Paper, Posted, now
from stockpile.files import file_store
from stockpile.log.leaf import (
    ENTRY_FIELDS,
    document_leaf,
    entries_digest,
    entry_leaf,
    name_value,
    person_digest,
    register_leaf,
    value_bytes,
)
from stockpile.registers.keep import cells_json, lines_digest
from stockpile.reports.trial_balance import proof
from stockpile.rights import reading
from tests.api_world import Web, served
from tests.conftest import Databases
from tests.device import FieldDevice
from tests.first_books import FIRST, acts, as_they_are, first_country, load, tables, told
from tests.service import Service
from tests.test_erasure import erased, second_registrar
from tests.test_migrations import MADE, asked
from tests.world import RIFLES, Country, ago, kinds, photo, scanned_paper, scans

STORE = "Main store"
GAPS = {
    ("ERBIL/PAPER/2025", 3, 3), ("TAJI/PAPER/2025", 6, 6), ("TAJI/PAPER/2025", 8, 8), ("TAJI/PAPER/2025", 10, 11),
    ("TAJI/PAPER/2025", 15, 15), ("TAJI/SHOP/2025", 2, 2),
}  # fmt: skip
"""The numbers of the first version's paper books that never came."""

GAP = "gap in a book"


@pytest.fixture(scope="module")
def first(databases: Databases) -> Iterator[str]:
    """The books in the first version's schema."""
    name = databases.empty()
    load(databases.server, name)
    yield name
    databases.drop(name)


@pytest.fixture(scope="module")
def brought_up(databases: Databases, first: str) -> Iterator[str]:
    """The same in this version's."""
    name = databases.clone(first)
    migrate.upgrade(databases.server.url(name, roles.OWNER))
    yield name
    databases.drop(name)


@pytest.fixture
def country(databases: Databases, brought_up: str) -> Iterator[Country]:
    """The old country in a database of the test's own, its papers' scan among the stored files."""
    name = databases.clone(brought_up)
    file_store().keep([b"a scanned voucher"], 1_000)
    engine = databases.engine(name)
    yield first_country(engine)
    engine.dispose()
    databases.drop(name)


web = pytest.fixture(served)


def in_march(day: int, hour: float) -> datetime:
    """A moment of the old papers' month, by the wall of TAJI."""
    return datetime(2025, 3, day, tzinfo=UTC) + timedelta(hours=hour - 3)


def old_paper(number: int, day: int, hour: float, book: str = "PAPER") -> Paper:
    """A paper of March 2025, found in a drawer today."""
    return Paper(book=book, number=number, happened_at=in_march(day, hour), scan_sha256=scanned_paper())


def open_of(country: Country, scan: str) -> list[tuple[str, str]]:
    """What is open about a weapon: the kind, and the number of the document that it is about."""
    return [
        (row[0], row[1])
        for row in country.query(
            """SELECT x.kind, concat_ws('/', s.code, b.code, b.year, d.number) FROM discrepancy x
               JOIN document d ON d.document_id = coalesce(x.concerns, x.document_id) JOIN book b ON b.book_id = d.book_id
               JOIN site s ON s.site_id = d.site_id
               WHERE x.item_id = %s AND x.closed_at IS NULL ORDER BY 2, 1""",
            country.item(scan).item_id,
        )
    ]


def gaps(country: Country) -> set[tuple[str, int, int]]:
    return set(
        country.query(
            """SELECT concat_ws('/', s.code, b.code, b.year), x.first_number, x.last_number
               FROM discrepancy x JOIN book b USING (book_id) JOIN site s ON s.site_id = b.site_id WHERE x.closed_at IS NULL"""
        )
    )


def balanced(country: Country) -> None:
    """The three counts of the trial balance agree."""
    with reading(country.engine, country.actors["auditor"]) as connection:
        assert proof(connection, country.actors["auditor"]).closes


def test_the_old_books_come_into_the_very_schema_of_new_ones(
    databases: Databases, country: Country, template: tuple[str, Country]
) -> None:
    """Nothing is left over and nothing is missing; the program takes the database for its own."""
    ready.check_schema(country.engine)
    fresh = databases.server.url(template[0], roles.OWNER)
    assert asked(country.engine.url.set(username=roles.OWNER).render_as_string(), MADE) == asked(fresh, MADE)
    balanced(country)


def test_no_row_of_the_first_version_changes(databases: Databases, brought_up: str) -> None:
    """Only gaps in paper books are added to what stood there."""
    now = as_they_are(databases.server, brought_up)
    new = {
        table: set(now[table].splitlines()) - set(rows.splitlines())
        for table, (_, rows) in tables().items()
        if now[table] != rows
    }
    assert {table: len(rows) for table, rows in new.items()} == {"discrepancy": len(GAPS), "model": 1}
    for table, (_, rows) in tables().items():
        assert set(rows.splitlines()) <= set(now[table].splitlines()), table


def test_every_request_repeated_gets_its_first_answer(web: Web) -> None:
    """To the byte, and nothing is posted; the same id with another remark is refused."""
    posted = web.country.query("SELECT count(*) FROM document")
    for act in acts():
        again = web.post(act["who"], f"/v1{act['path']}", act["request"])
        assert (again.status_code, again.text) == (act["status"], act["answer"]), act
        other = web.post(act["who"], f"/v1{act['path']}", {**act["request"], "remarks": "Something else"})
        assert (other.status_code, other.json()["type"]) == (409, "/docs#posted-with-other-content"), other.text
    assert web.country.query("SELECT count(*) FROM document") == posted


def differences(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """Where an answer no longer says what it said. It may say more."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in old.items():
            yield from differences(value, new.get(name), f"{place}.{name}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif old != new:
        yield f"{place}: {old} -> {new}"


def without_news(answer: Any) -> Any:
    """An answer without the gaps that this version opened."""
    if isinstance(answer, dict):
        return {name: without_news(value) for name, value in answer.items()}
    if isinstance(answer, list):
        return [without_news(one) for one in answer if not (isinstance(one, dict) and one.get("kind") == GAP)]
    return answer


def test_the_books_say_what_they_said(web: Web) -> None:
    """Balances and weapons, now and on both clocks; histories, documents, discrepancies; people, assignments, drafts: to the
    auditor, the desks of both sites, and the donor.
    """
    for asked_before in told():
        answer = web.get(asked_before["who"], f"/v1{asked_before['path']}")
        assert answer.status_code == 200, (asked_before["path"], answer.text)
        found = list(differences(asked_before["answer"], without_news(answer.json())))
        assert not found, (asked_before["who"], asked_before["path"], found)


def test_every_leaf_fits_its_row(country: Country) -> None:
    """Entries, documents and registers, made again from what the database has of them; and each stands in the log's queue."""
    leaves = [*entry_leaves(country), *document_leaves(country), *register_leaves(country)]
    for what, stored, made in leaves:
        assert stored == made, what
    queued = sorted(bytes(leaf) for (leaf,) in country.owner_query("SELECT leaf FROM unsequenced"))
    assert queued == sorted(stored for _, stored, _ in leaves)


Leaf = tuple[str, bytes, bytes]
"""Whose it is, as it is stored, as it is made again."""


def entry_leaves(country: Country) -> Iterator[Leaf]:
    places = {"from_class": "f.class", "to_class": "t.class", "serial_number": "n.serial_number"}
    columns = ", ".join(places.get(name, f"e.{name}") for name in ENTRY_FIELDS)
    for *values, secret, seed, leaf in country.owner_query(
        f"""SELECT {columns}, i.secret, e.seed, e.leaf FROM entry e JOIN item i USING (item_id)
            JOIN account f ON f.account_id = e.from_account JOIN account t ON t.account_id = e.to_account
            LEFT JOIN identification n ON n.item_id = e.item_id AND n.version = 1"""
    ):
        written = [value_bytes(value) for value in values]
        yield f"entry {values[:2]}", bytes(leaf), entry_leaf(bytes(secret), bytes(seed), written, values[1])


def document_leaves(country: Country) -> Iterator[Leaf]:
    names = (
        "document_id", "site_id", "act", "fact", "undo", "happened_at", "happened_precision", "recorded_at", "claimed_number",
        "line_count", "quantity", "details", "attachments", "content_hash",
    )  # fmt: skip
    for *values, offset, number, seed, leaf in country.owner_query(
        f"""SELECT {", ".join(f"d.{name}" for name in names)}, (extract(epoch FROM d.clock_offset) * 1000000)::bigint,
                   concat_ws('/', s.code, b.code, b.year, d.number), d.seed, d.leaf
            FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id"""
    ):
        entries = country.owner_query("SELECT leaf FROM entry WHERE document_id = %s ORDER BY line", values[0])
        digest = entries_digest(bytes(entry) for (entry,) in entries)
        header = {**dict(zip(names, values, strict=True)), "number": number, "clock_offset": offset, "entries": digest}
        yield number, bytes(leaf), document_leaf(bytes(seed), header, signed(country, values[0]))


def signed(country: Country, document_id: UUID) -> dict[str, bytes]:
    """Who signed a document: each digest fits the name that was used."""
    persons = {}
    for part, digest, secret, *name in country.owner_query(
        """SELECT g.part, g.digest, p.secret, n.code, n.name, n.rank, n.version FROM signatory g JOIN party p USING (party_id)
           JOIN party_name n ON n.party_id = g.party_id AND n.version = g.name_version WHERE g.document_id = %s""",
        document_id,
    ):
        persons[part] = bytes(digest)
        if secret is not None:
            assert persons[part] == person_digest(bytes(secret), document_id, part, name_value(*name))
    return persons


def register_leaves(country: Country) -> Iterator[Leaf]:
    names = (
        "register_id", "kind", "name", "site_id", "donor_id", "document_id", "as_of", "recorded_at", "file_name", "file_sha256",
        "line_count", "rejected_count", "lines_digest",
    )  # fmt: skip
    for *values, seed, leaf, secret, code, name, rank, version in country.owner_query(
        f"""SELECT {", ".join(f"r.{name}" for name in names)}, r.seed, r.leaf, p.secret, p.code, p.name, p.rank, p.name_version
            FROM register r JOIN party p ON p.party_id = r.imported_by"""
    ):
        header = dict(zip(names, values, strict=True))
        rows = country.owner_query(
            "SELECT line, cells FROM register_line WHERE register_id = %s ORDER BY line", values[0]
        )
        assert lines_digest((line, cells_json(cells)) for line, cells in rows) == bytes(header["lines_digest"])
        person = person_digest(bytes(secret), values[0], "imported_by", name_value(code, name, rank, version))
        yield header["name"], bytes(leaf), register_leaf(bytes(seed), header, person)


def test_numbers_that_never_came_are_asked_for(country: Country) -> None:
    """Each maximal run of a paper book is a gap now; a void closes its own, what lies beyond stays."""
    assert gaps(country) == GAPS
    country.do("clerk", VOID, reason="Torn", paper=old_paper(10, 18, 12))
    country.do("erbil clerk", VOID, reason="Torn", paper=old_paper(3, 18, 12))
    assert gaps(country) == GAPS - {("TAJI/PAPER/2025", 10, 11), ("ERBIL/PAPER/2025", 3, 3)} | {
        ("TAJI/PAPER/2025", 11, 11)
    }


def test_what_waited_for_its_second_party_is_approved(web: Web) -> None:
    """A correction, an investigation, an expenditure and an opening list, drafted before; a rejected one stays so."""
    waiting = web.get("commander", "/v1/drafts").json()["rows"]
    assert sorted(row["act"] for row in waiting) == ["conclude loss", "correct", "expend", "open"]
    for row in waiting:
        web.approved("commander", UUID(row["document_id"]))
    country = web.country
    assert [country.where(scan) for scan in ("ALT 1", RIFLES[3], RIFLES[4], "ALT 9")] == [
        STORE, "lost", "expended", STORE,
    ]  # fmt: skip
    (rejected,) = [act for act in acts() if '"state":"rejected"' in act["answer"]]
    answer = web.client.post(
        f"/v1/drafts/{rejected['request']['document_id']}/approve", headers=web.headers("commander")
    )
    assert answer.status_code == 409
    balanced(country)


def test_an_old_rifle_is_marked_sent_away_and_destroyed(country: Country) -> None:
    """What the first version had no act for, in one life."""
    marked = country.do(
        "armourer", MARK, method="laser", place="receiver", import_country="IQ", import_year=2026, lines=scans(RIFLES[6])
    )  # fmt: skip
    assert (marked.act, marked.discrepancy_count) == ("mark", 0)
    order = country.do_with_approval(
        "clerk", "commander", ORDER_DESTRUCTION, reason="worn out", authority="118", due_on="2099-12-31", method="cutting",
        lines=scans(RIFLES[6]),
    )  # fmt: skip
    certificate = country.do_with_approval(
        "clerk", "commander", DESTROY, order=order.number, method="cutting", place="the yard", counted_before=1,
        counted_after=0, witness_1="A-1001", witness_2="Jane Miller, UNMAS", attachments=[scanned_paper(photo())],
        lines=scans(RIFLES[6]),
    )  # fmt: skip
    assert (certificate.discrepancy_count, country.where(RIFLES[6])) == (0, "destroyed")
    shipment = country.do(
        "clerk", SHIP, to_site="ERBIL", store=STORE, carrier="2nd Transport Company", expected_on="2099-12-31",
        lines=scans("US 104", RIFLES[1]),
    )  # fmt: skip
    arrived = country.do(
        "erbil clerk", ARRIVE, shipment=shipment.number, complete=True, lines=scans("US 104", RIFLES[1])
    )
    assert (arrived.discrepancy_count, country.item("US 104").where.site_id) == (0, country.sites["ERBIL"].site_id)
    balanced(country)


def test_old_weapons_are_amended_rejected_exported_and_taken_in_again(country: Country) -> None:
    """Of the first version's items: a misread number, a donor's rifle sent back, one repaired abroad."""
    photos = [scanned_paper(photo(7))]
    country.do_with_approval(
        "clerk", "commander", AMEND_IDENTIFICATION, reason="misread at receipt", attachments=photos,
        lines=[{"scan": "US 999", "serial_number": "US 99"}],
    )  # fmt: skip
    assert country.item("US 99").item_id == country.item("US 999").item_id
    country.do("clerk", REJECT, reason="Receiver cracked", store=STORE, lines=scans("UA 000123"))
    assert country.item("UA 000123").where.account_class == "supply"
    country.do_with_approval(
        "clerk", "commander", EXPORT, destination="Jordan", consignee="Royal Ordnance Works", authorisation="EXP-1",
        purpose="repair abroad", store=STORE, lines=scans("US 99"),
    )  # fmt: skip
    assert country.where("US 99") == "exported"
    country.do(
        "clerk", IMPORT_AGAIN, store=STORE, received_from="Royal Ordnance Works",
        lines=[{"scan": "US 99", "condition": "serviceable"}],
    )  # fmt: skip
    assert country.where("US 99") == STORE
    balanced(country)


def test_an_old_site_is_overrun(country: Country) -> None:
    """All that its accounts held is missing, weapons without a number, lots and helmets too."""
    left = (
        "SELECT count(*) FROM holding h JOIN account a USING (account_id) WHERE a.site_id = %s AND a.class = ANY (%s)"
    )
    site, classes = country.sites["TAJI"].site_id, ["store", "unit", "person", "maintenance"]
    ((held,),) = country.query(left, site, classes)
    posted = country.do("commander", OVERRUN, circumstances="attacked at night")
    assert posted.lines == held > 20
    assert country.query(left, site, classes) == [(0,)]
    balanced(country)


def test_a_device_brings_a_voucher_of_an_old_rifle(web: Web) -> None:
    """It is enrolled at a site that never had one, not under the code of an old book; what it brings is a fact like others."""
    device = FieldDevice()
    asked_for = {"label": "Tablet 3", "public_key": device.public_key}
    assert web.post("commander", "/v1/devices", {"book": "SHOP", **asked_for}).status_code == 422
    answer = web.post("commander", "/v1/devices", {"book": "TAB-3", **asked_for})
    assert answer.status_code == 201, answer.text
    device.device_id = answer.json()["device_id"]
    voucher = device.write("issue", ago(hours=1), {"receiver": "A-1002", "store": STORE, "lines": scans(RIFLES[6])})
    brought = web.post(
        "clerk", f"/v1/devices/{device.device_id}/vouchers", {"device_time": now().isoformat(), "vouchers": [voucher]}
    )
    assert brought.status_code == 200, brought.text
    assert web.country.where(RIFLES[6]) == "Private Quist (A-1002)"
    assert open_of(web.country, RIFLES[6]) == []


def test_a_soldier_of_the_old_books_is_erased(country: Country) -> None:
    """His name goes; counts and leaves stay."""
    second_registrar(country)
    lines = [{"scan": scan, "condition": "serviceable"} for scan in (RIFLES[4], "ALT 3")]
    country.do("clerk", RETURN, returned_by="A-1003", store=STORE, lines=lines)
    done = erased(country, person="A-1003")
    assert done.erased["names"] == 1
    assert country.query("SELECT count(*) FROM party_name WHERE name = 'Rahim'") == [(0,)]
    for what, stored, made in [*entry_leaves(country), *document_leaves(country)]:
        assert stored == made, what
    balanced(country)


def test_a_late_paper_explains_an_old_contradiction(country: Country) -> None:
    """Quist brought a rifle back that Rahim had; paper 6, found in a drawer, says that Rahim had handed it to him. The
    contradiction is withdrawn, and so is the gap.
    """
    assert open_of(country, RIFLES[8]) == [
        ("held elsewhere", "TAJI/PAPER/2025/7"),
        ("moved by a late fact", "TAJI/PAPER/2025/9"),
    ]
    late = country.do(
        "clerk", HAND_OVER, giver="A-1003", receiver="A-1002", lines=scans(RIFLES[8]), paper=old_paper(6, 19, 10.5)
    )
    assert late.discrepancy_count == 1
    assert open_of(country, RIFLES[8]) == [("held elsewhere", "TAJI/PAPER/2025/9")]
    assert ("TAJI/PAPER/2025", 6, 6) not in gaps(country)
    balanced(country)


def test_a_late_paper_between_old_ones_explains_what_the_first_version_moved(country: Country) -> None:
    """Rahim handed on a rifle which a paper that came after his had put back into the store; paper 8 says that he drew it again
    in between. It explains what the first version told of his hand-over, and leaves the return by Quist open.
    """
    late = country.do(
        "clerk", ISSUE, receiver="A-1003", store=STORE, lines=scans(RIFLES[8]), paper=old_paper(8, 19, 13)
    )
    assert late.discrepancy_count == 0
    assert open_of(country, RIFLES[8]) == [("held elsewhere", "TAJI/PAPER/2025/7")]
    assert country.where(RIFLES[8]) == "Corporal Petrov (A-1001)"


def test_each_old_contradiction_is_about_its_own_document(country: Country) -> None:
    """Four papers of one rifle came in no order, and each moved what followed it; a receipt came before what it had been declared
    by. A fifth paper explains what was told of the last of the four, twice.
    """
    found_of_last = [("moved by a late fact", "TAJI/PAPER/2025/16")] * 2
    found_of_another = [("held elsewhere", "TAJI/PAPER/2025/17"), ("moved by a late fact", "TAJI/PAPER/2025/17")]
    assert open_of(country, "ALT 2") == [*found_of_last, *found_of_another]
    assert ("moved by a late fact", "TAJI/REG/2025/1") in open_of(country, "US 106")
    country.do(
        "clerk", HAND_OVER, giver="A-1001", receiver="1COY", received_by="A-1001", lines=scans("ALT 2"), paper=old_paper(20, 9, 22)
    )  # fmt: skip
    assert open_of(country, "ALT 2") == found_of_another
    assert country.where("ALT 2") == "Private Quist (A-1002)"


def test_a_late_paper_contradicts_an_old_one(country: Country) -> None:
    """Quist's rifle fell into the river, said a paper; another, older one says that he had brought it back the day before."""
    assert open_of(country, RIFLES[3]) == []
    late = country.do(
        "clerk", RETURN, returned_by="A-1002", store=STORE, lines=scans(RIFLES[3]), paper=old_paper(1, 16, 9)
    )
    assert kinds(late) == ["held elsewhere"]
    assert open_of(country, RIFLES[3]) == [("held elsewhere", "TAJI/PAPER/2025/2")]
    assert country.where(RIFLES[3]) == "missing"


def test_helmets_that_an_old_paper_was_short_of(country: Country) -> None:
    """The first version did not note which store an overdrawn voucher drew on: helmets that a late paper brings there stay there,
    and the old contradiction waits for two people.
    """
    held = {place.name: quantity for place, quantity in country.helmets().holdings.values()}
    old = country.query(
        "SELECT discrepancy_id FROM discrepancy WHERE kind = 'fewer in the books' AND closed_at IS NULL"
    )
    assert (len(old), "Quarantine" in held) == (2, False)
    late = country.do(
        "clerk", RETURN, returned_by="A-1002", store="Quarantine", paper=old_paper(11, 17, 9),
        lines=[{"item": str(country.helmets().item_id), "quantity": 3}],
    )  # fmt: skip
    assert late.lines == 1
    now = {place.name: quantity for place, quantity in country.helmets().holdings.values()}
    assert now == {**held, "Quarantine": 3, "Private Quist (A-1002)": held["Private Quist (A-1002)"] - 3}
    balanced(country)
    for (discrepancy_id,) in old:
        closed(country, discrepancy_id, late)


def closed(country: Country, discrepancy_id: UUID, explaining: Posted) -> None:
    """Two people close a discrepancy by a document."""
    request = AskClosure(
        discrepancies=(discrepancy_id,), explained_by=explaining.number, explanation="As written there"
    )
    asked_for = closures.ask(country.engine, country.actors["clerk"], request)
    closures.approve(country.engine, country.actors["commander"], asked_for.closure_id)
    assert country.query("SELECT outcome FROM discrepancy WHERE discrepancy_id = %s", discrepancy_id) == [
        ("explained",)
    ]


def test_old_discrepancies_are_closed_by_two(country: Country) -> None:
    """The rifle that was short comes after all: whoever explains it by its receipt needs a second person."""
    ((short,),) = country.query(
        """SELECT x.discrepancy_id FROM discrepancy x JOIN identification n USING (item_id)
           WHERE x.kind = 'shortage' AND n.serial_number = 'US 105'"""
    )
    receipt = country.do(
        "clerk", RECEIVE, store=STORE, donor="USA", consignment="FMS-117",
        lines=[{"model": "AKM", "serial_number": "US 105"}],
    )  # fmt: skip
    assert receipt.discrepancy_count == 0
    closed(country, short, receipt)


def test_back_to_the_first_schema_and_its_rows(databases: Databases, brought_up: str) -> None:
    """Of books that hold only old things every row is as it was, and they come up again."""
    name = databases.clone(brought_up)
    owner = databases.server.url(name, roles.OWNER)
    migrate.downgrade(owner, FIRST)
    now = as_they_are(databases.server, name)
    for table, (_, rows) in tables().items():
        assert now[table] == rows, table
    migrate.upgrade(owner)
    engine = databases.engine(name)
    assert gaps(first_country(engine)) == GAPS
    engine.dispose()
    databases.drop(name)


def marked(country: Country) -> None:
    country.do("armourer", MARK, method="laser", place="receiver", import_country="IQ", lines=scans(RIFLES[6]))


def shipped(country: Country) -> None:
    way = {"carrier": "2nd Transport Company", "expected_on": "2099-12-31"}
    country.do("clerk", SHIP, to_site="ERBIL", store=STORE, lines=scans(RIFLES[6]), **way)


def ordered(country: Country) -> None:
    country.do_with_approval(
        "clerk", "commander", ORDER_DESTRUCTION, reason="worn out", authority="118", due_on="2099-12-31", method="cutting",
        lines=scans(RIFLES[6]),
    )  # fmt: skip


def explained(country: Country) -> None:
    test_old_discrepancies_are_closed_by_two(country)


@pytest.mark.parametrize("step", [marked, shipped, ordered, explained], ids=lambda step: step.__name__)
def test_no_way_back_with_what_is_new(databases: Databases, brought_up: str, step: Any) -> None:
    """The first schema would lose it: it is refused, and the books are as they were."""
    name = databases.clone(brought_up)
    engine = databases.engine(name)
    step(first_country(engine))
    engine.dispose()
    before = as_they_are(databases.server, name)
    with pytest.raises(DBAPIError) as refusal:
        migrate.downgrade(databases.server.url(name, roles.OWNER), FIRST)
    assert isinstance(refusal.value.orig, psycopg.errors.RaiseException | psycopg.errors.CheckViolation)
    assert as_they_are(databases.server, name) == before
    ready.check_schema(databases.engine(name))
    databases.drop(name)


def test_run_brings_the_first_version_s_own_database_up(tmp_path: Path) -> None:
    """`stockpile run` after an update: the embedded database of the first version is brought up, and its books are served."""
    service = Service(tmp_path)
    with embedded.start(tmp_path / "var") as server:
        with psycopg.connect(server.conninfo(), autocommit=True) as administrator:
            administrator.execute(roles.setup_sql().encode())
            administrator.execute(roles.database_sql(ready.DATABASE).encode())
        load(server, ready.DATABASE)
    try:
        assert "run 'stockpile db upgrade'" in service.command("serve").stderr
        service.start()
        assert service.stop() == 0
        status = service.command("db", "status").stdout
        assert f"Schema:   {migrate.newest()} (this program: {migrate.newest()})" in status
        posted = sum(json.loads(act["answer"]).get("number") is not None for act in acts())
        assert f"2 sites, {posted + 1} documents" in status
    finally:
        service.end()

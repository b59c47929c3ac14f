"""Erasing a person by order of two: the name goes, and every count, history, digest and proof stays as it was."""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.types.json import Jsonb
from sqlalchemy.exc import DBAPIError

from stockpile import catalogue, counters, devices, erasure, erasure_orders, parties, pins, tokens, users
from stockpile.acts.declare import DECLARE
from stockpile.acts.expend import EXPEND
from stockpile.acts.issue import ISSUE
from stockpile.acts.open_books import OPEN
from stockpile.acts.perform import reject
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import connected, transaction
from stockpile.erasure import Erased
from stockpile.erasure_orders import Ordered, OrderErasure
from stockpile.errors import Invalid, NotAllowed, NotSignedIn, PostedWithOtherContent, Refused, UnreadableFile
from stockpile.files import FileStore, file_store
from stockpile.keys import new_key
from stockpile.log.leaf import document_leaf, entries_digest, erasure_leaf
from stockpile.notes import WriteNote, write_note
from stockpile.occurrences import SOURCES, WITHOUT_PEOPLE, Fate
from stockpile.registers.columns import remember_columns
from stockpile.registers.committed import is_as_committed, stored_digest
from stockpile.registers.listing import WEAPONS, ListFile
from stockpile.registers.mapping import mapping_of
from stockpile.reports.documents import read_document
from stockpile.reports.file_check import check_files
from stockpile.reports.history import history
from stockpile.reports.trial_balance import trial_balance
from stockpile.rights import Actor, reading
from stockpile.single_sign_on.bindings import bind
from stockpile.single_sign_on.providers import add_provider
from tests import registers
from tests.api_world import Web, problem, served
from tests.signing_in import PASSWORD, PINS, add_pins, browser, kept_password
from tests.test_report_files import Command, stockpile
from tests.world import RIFLES, SCAN, Country, ago, paper, photo, scanned_paper, scans, today

web = pytest.fixture(served)
__all__ = ["stockpile"]

GONE = "erased person"
BOOK = """Serial Number,Item,Service No,Name,Remarks
OLD 1,AKM,A-1001,Petrov,given by Petrov himself
OLD 2,AKM,A-1002,Quist,from petrov
OLD 3,AKM,A-1003,Rahim,
OLD 4,Blunderbuss,A-1001,PETROV,
"""


def second_registrar(country: Country) -> Country:
    """Somebody else who may approve."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        site = country.sites["TAJI"]
        other = parties.add_person(connection, "R-2", "Rauf Registrar", "Captain", site, None, ago(days=9).date())
    country.actors["second registrar"] = Actor(other.party_id, "registrar", book_code="REG")
    return country


@pytest.fixture
def lived(country: Country) -> Country:
    """Petrov had rifles, signed papers, stands in an old property book, in a discrepancy, a draft, a note and a label."""
    second_registrar(country)
    file = {"sha256": file_store().keep([BOOK.encode()], 10_000).sha256, "name": "book.csv", "set_aside": True}
    file["columns"] = {"serial_number": "Serial Number", "model": "Item", "service_number": "Service No"}
    country.do_with_approval(
        "registrar", "commander", OPEN, site="TAJI", name="Book 2019", store="Main store", file=file
    )
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    country.do("clerk", RETURN, store="Main store", lines=scans("OLD 1", RIFLES[0]))
    country.do(
        "clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[1]), remarks="Petrov waited (A-1001)"
    )
    sheet = paper(1, ago())
    country.do("clerk", RETURN, store="Main store", lines=scans("OLD 2", RIFLES[1]), paper=sheet)
    claimed = paper(2, ago()).model_copy(update={"scan_sha256": scanned_paper(SCAN + b"2")})
    country.do(
        "clerk",
        EXPEND,
        manner="fired",
        place="range",
        circumstances="none",
        holder="A-1001",
        lines=scans(RIFLES[5]),
        paper=claimed,
    )
    drafted = country.ask(
        "clerk", EXPEND, manner="fired", place="range", circumstances="Petrov fired it", lines=scans(RIFLES[6])
    )
    reject(country.engine, country.actors["commander"], drafted.document_id, "not true of Petrov")
    with transaction(country.engine, roles.REGISTRAR) as connection:
        parties.rename(connection, country.parties["A-1001"].party_id, "Petrov-Sokolov", "Corporal")
    return country


def petrov(country: Country) -> UUID:
    return country.parties["A-1001"].party_id


def ordered(country: Country, who: str = "registrar", **wanted: Any) -> Ordered:
    request = {"person": "A-1001", "order_reference": "MOD 117/2026", "reason": "Court order", **wanted}
    return erasure_orders.order(country.engine, country.actors[who], OrderErasure.model_validate(request))


def erased(country: Country, second: str = "second registrar", **wanted: Any) -> Erased:
    order = ordered(country, **wanted)
    return erasure.approve(country.engine, country.actors[second], order.erasure_id)


TEXT_COLUMNS = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT attisdropped
WHERE c.relnamespace = 'stockpile'::regnamespace AND c.relkind = 'r' AND a.atttypid::regtype::text IN ('text', 'json', 'jsonb')
"""


def named_anywhere(country: Country, *words: str) -> set[str]:
    """The columns of the whole database in which somebody is named."""
    patterns = [f"%{word}%" for word in words]
    return {
        f"{table}.{column}"
        for table, column in country.owner_query(TEXT_COLUMNS)
        if country.owner_query(f"SELECT count(*) FROM stockpile.{table} WHERE {column}::text ILIKE ANY (%s)", patterns)
        != [(0,)]
    }


def test_the_name_is_gone_from_the_whole_database(lived: Country) -> None:
    """Every text of every table is looked through: it stands only where a leaf commits it, and the plan said so."""
    assert named_anywhere(lived, "Petrov", "A-1001") == {
        "party.code", "party.name", "party_name.code", "party_name.name", "account.name", "register_line.cells", "register_line.holder",
        "discrepancy.seen", "draft.request", "draft.reason", "document.details",
    }  # fmt: skip
    shown = erasure_orders.plan(lived.engine, lived.actors["registrar"], "A-1001")
    fates = sorted((one.fate, one.where.split("/")[0], one.where.split("/")[-1]) for one in shown.words)
    assert fates == [
        ("for decision", "discrepancy", "seen"),
        ("for decision", "register_line", "cells"),
        ("for decision", "register_line", "cells"),
        ("goes by itself", "draft", "reason"),
        ("goes by itself", "draft", "request"),
        ("goes by itself", "register_line", "person"),
        ("goes by itself", "register_line", "person"),
        ("remains: it is evidence, or the log commits it", "document", "details"),
    ], shown.words
    done = erased(lived, redact_all=True)
    assert named_anywhere(lived, "Petrov", "A-1001") == {"document.details"}
    assert done.erased == {
        "names": 2, "register lines": 3, "words": 3, "words that remain": 1, "files": 0,
    }  # fmt: skip
    assert lived.owner_query("SELECT code, name, rank, secret FROM party WHERE erased_at IS NOT NULL") == [(None,) * 4]


def test_every_column_of_text_is_looked_through_or_said_to_hold_no_people(country: Country) -> None:
    """A new table with words in it must say where it belongs."""
    columns = {f"{table}.{column}" for table, column in country.owner_query(TEXT_COLUMNS)}
    sought = {f"{source.table}.{source.column}" for source in SOURCES}
    others = [column for listed in WITHOUT_PEOPLE.values() for column in listed.split()]
    assert len(others) == len(set(others))
    assert sought.isdisjoint(others)
    assert columns == (sought | set(others)) - {"device_reject.payload"}


def test_who_is_erased_signs_in_no_more(country: Country) -> None:
    """With the name go the sign-in name, the password, badge and PIN, and the account at a provider; the open session is nobody's; the
    label of a counter is for decision. That a PIN was set when, and that somebody signed, stays.
    """
    second_registrar(country)
    commander, soldier = country.actors["commander"], country.parties["A-1001"].party_id
    with transaction(country.engine, roles.REGISTRAR) as connection:
        users.add_user(connection, "petrov", "clerk", "A-1001", "TAJI", password_hash=kept_password())
        add_provider(connection, "ministry", "The Ministry", "https://login.ministry.example", "stockpile")
        bind(connection, "ministry", "petrov@ministry.example", "petrov", None)
    add_pins(country, "A-1001")
    with reading(country.engine, commander) as connection:
        pins.register_badge(connection, commander, "A-1001", "PETROV 7")
        counter = counters.enrol(connection, commander, "Petrov's window", "K1").text
    desk = browser(country, counter)
    assert desk.send("/sign-in", name="petrov", password="a guess").status_code == 401
    assert desk.sign_in_by_badge("PETROV 7", PINS["A-1001"]).status_code == 303
    document = str(new_key())
    drawn = {"document_id": document, "person": "A-1001", "file": file_store().keep([photo()], 100_000).sha256}
    assert desk.post("/v1/signatures", drawn).status_code == 201

    erased(country, redact_all=True)
    problem(desk.get("/v1/rights"), 401, "not-signed-in")
    assert desk.sign_in_by_badge("PETROV 7", PINS["A-1001"]).status_code == 422
    assert desk.sign_in_by_badge("A-1001", PINS["A-1001"]).status_code == 422
    assert desk.send("/sign-in", name="petrov", password=PASSWORD).status_code == 401
    assert named_anywhere(country, "Petrov", "A-1001") == set()
    assert country.owner_query("SELECT label FROM counter") == [("erased person's window",)]
    assert country.owner_query("SELECT password_hash FROM stockpile.user") == [(None,)]
    assert country.owner_query("SELECT pin_hash, version FROM pin") == [(None, 1)]
    unbound = "SELECT subject = 'erased ' || binding_id, unbound_at IS NOT NULL FROM sign_in_binding"
    assert country.owner_query(unbound) == [(True, True)]
    assert country.owner_query("SELECT 1 FROM sign_in_failure WHERE party_id = %s", soldier) == []
    assert country.owner_query("SELECT party_id FROM signature") == [(soldier,)]


def test_a_name_is_found_in_labels_books_mappings_and_orders(country: Country) -> None:
    """A tablet is labelled with its soldier's name, and its book takes the label over; a list calls a model so, and its mapping
    says whose all its rows are; a consignment and an order for somebody else tell the name.
    """
    second_registrar(country)
    registrar = country.actors["registrar"]
    with transaction(country.engine, roles.REGISTRAR) as connection:
        devices.enrol(
            connection, registrar, "TAB-1", "Tablet of Rahim (A-1003)", b64encode(bytes(range(32))).decode(), "TAJI"
        )
        catalogue.note_unknown(connection, ["Rahim's rifle"], "Book 2019")
        columns, constants = {"serial_number": "S/N", "model": "Item"}, {"service_number": "A-1003"}
        file = ListFile(sha256="ab" * 32, name="book.csv", columns=columns, constants=constants)
        remember_columns(connection, file, "Book 2019", WEAPONS, mapping_of(columns, constants), registrar.party_id)
    weapon = {"model": "AKM", "serial_number": "US 1", "condition": "serviceable"}
    country.do(
        "registrar", DECLARE, site="TAJI", donor="USA", reference="by Rahim", end_user_certificate="EUC 7", lines=[weapon]
    )  # fmt: skip
    ordered(country, reason="As for Rahim")
    shown = erasure_orders.plan(country.engine, registrar, "A-1003")
    decided = {"alias.name", "book.holder", "column_mapping.mapping", "device.label"}
    remaining = {"account.name", "consignment.reference", "erasure_order.reason"}
    found = {f"{one.where.split('/')[0]}.{one.where.split('/')[-1]}": one.fate for one in shown.words}
    assert {place for place, fate in found.items() if fate is Fate.DECIDE} == decided
    assert {place for place, fate in found.items() if fate is Fate.REMAINS} == remaining
    erased(country, person="A-1003", redact_all=True)
    assert named_anywhere(country, "Rahim", "A-1003") == remaining
    assert country.owner_query("SELECT label FROM stockpile.device") == [("Tablet of erased person",)]


def test_what_was_not_chosen_stays(lived: Country) -> None:
    """Only what the two decided about goes; a name without a number may be another's, so its row waits for a word."""
    words = erasure_orders.plan(lived.engine, lived.actors["registrar"], "A-1001").words
    (of_discrepancy,) = [one.where for one in words if one.where.startswith("discrepancy")]
    erased(lived, redact=[of_discrepancy])
    assert "discrepancy.seen" not in named_anywhere(lived, "A-1001")
    cells = lived.query(
        "SELECT cells FROM register_line JOIN register USING (register_id) WHERE kind = 'property book' ORDER BY line"
    )
    assert [row[0] for row in cells] == [
        ["OLD 1", "AKM", "", "", "given by Petrov himself"],
        ["OLD 2", "AKM", "A-1002", "Quist", "from petrov"],
        ["OLD 3", "AKM", "A-1003", "Rahim", ""],
        ["OLD 4", "Blunderbuss", "", "", ""],
    ]


def test_every_count_history_and_proof_stays(lived: Country) -> None:
    """Balance, holdings, entries, the leaves of all documents: the same before and after, and made again from what is left."""
    item = lived.item(RIFLES[0]).item_id

    def state() -> list[Any]:
        with reading(lived.engine, lived.actors["auditor"]) as connection:
            balance = trial_balance(connection, lived.actors["auditor"])
            past = history(connection, lived.actors["auditor"], item)
        steps = [(step.version, step.act, step.document_number, step.happened_at) for step in past.entries]
        return [
            balance, steps, lived.query("SELECT * FROM entry ORDER BY item_id, version"),
            lived.query("SELECT * FROM holding ORDER BY 1, 2"),
            lived.query("SELECT * FROM document ORDER BY document_id"), lived.query("SELECT * FROM signatory ORDER BY 1, 3"),
            lived.query("SELECT register_id, lines_digest, leaf FROM register ORDER BY 1"),
        ]  # fmt: skip

    before = state()
    queued = lived.owner_query("SELECT leaf FROM unsequenced ORDER BY position")
    done = erased(lived, redact_all=True)
    assert state() == before
    assert lived.owner_query("SELECT leaf FROM unsequenced ORDER BY position") == [*queued, (bytes.fromhex(done.leaf),)]
    for (document_id,) in lived.query("SELECT document_id FROM document"):
        assert (
            made_again(lived, document_id)
            == lived.query("SELECT leaf FROM document WHERE document_id = %s", document_id)[0][0]
        )


def made_again(country: Country, document_id: UUID) -> bytes:
    """A document's leaf from what the database has of it."""
    names = (
        "document_id", "site_id", "act", "fact", "undo", "happened_at", "happened_precision", "recorded_at", "claimed_number",
        "line_count", "quantity", "details", "attachments", "content_hash",
    )  # fmt: skip
    ((*values, offset, number, seed),) = country.query(
        f"""SELECT {", ".join(f"d.{name}" for name in names)}, extract(epoch FROM d.clock_offset) * 1000000,
                   concat_ws('/', s.code, b.code, b.year, d.number), d.seed
            FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id WHERE document_id = %s""",
        document_id,
    )
    leaves = country.query("SELECT leaf FROM entry WHERE document_id = %s ORDER BY line", document_id)
    persons = country.query("SELECT part, digest FROM signatory WHERE document_id = %s", document_id)
    header = dict(zip(names, values, strict=True))
    header |= {
        "number": number,
        "clock_offset": int(offset),
        "entries": entries_digest(bytes(leaf) for (leaf,) in leaves),
    }
    return document_leaf(bytes(seed), header, {part: bytes(digest) for part, digest in persons})


def test_the_lists_are_as_committed_after_and_altered_ones_are_found(lived: Country) -> None:
    """The register's own digest no longer fits; the chain of erasures does. A line altered afterwards is found, and an erasure
    in an altered list is refused: it would hide that.
    """
    ((register_id, digest),) = lived.query(
        "SELECT register_id, lines_digest FROM register WHERE kind = 'property book'"
    )
    erased(lived, redact_all=True)

    def sound() -> bool:
        with transaction(lived.engine, roles.AUDITOR) as connection:
            assert stored_digest(connection, register_id) != bytes(digest)
            return is_as_committed(connection, register_id)

    assert sound()
    lived.do("clerk", RETURN, store="Main store", lines=scans("OLD 3"))
    erased(lived, person="A-1003", order_reference="MOD 118/2026")
    assert lived.query("SELECT count(*) FROM register_erasure") == [(2,)]
    assert sound()
    forge(lived, "UPDATE stockpile.register_line SET cells = jsonb_set(cells, '{1}', '\"M16\"') WHERE line = 3")
    assert not sound()
    with pytest.raises(Refused, match="not as the log commits it"):
        erased(lived, person="A-1002", order_reference="MOD 119/2026")
    assert lived.query("SELECT count(*) FROM erasure") == [(2,)]


def forge(country: Country, statement: str) -> None:
    """What an administrator of the server could do."""
    url = country.engine.url.set(drivername="postgresql", username="postgres")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement.encode())


def test_documents_show_an_erased_person(lived: Country) -> None:
    """Where the name stood: as receiver, on the account, in the history; the number finds nobody."""
    ((document_id,),) = lived.query(
        "SELECT document_id FROM signatory WHERE party_id = %s AND part = 'received_by'", petrov(lived)
    )
    erased(lived)
    for who in ("clerk", "auditor", "registrar"):
        with reading(lived.engine, lived.actors[who]) as connection:
            shown = read_document(connection, lived.actors[who], document_id)
            past = history(connection, lived.actors[who], lived.item(RIFLES[0]).item_id)
        assert shown.signatories["received_by"] == GONE
        assert shown.lines[0].to_account == GONE
        assert GONE in str(past)
    assert lived.invalid("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    with transaction(lived.engine, roles.REGISTRAR) as connection:
        with pytest.raises(Invalid):
            parties.rename(connection, petrov(lived), "Petrov")
        parties.add_person(connection, "A-1001", "Somebody New", None, lived.sites["TAJI"], None, ago(days=1).date())


def test_who_holds_or_answers_for_something_is_not_erased(country: Country) -> None:
    """Each thing that stands against it is named, when it is asked for and again when it is approved."""
    second_registrar(country)
    order = ordered(country)
    country.do(
        "clerk",
        ISSUE,
        receiver="A-1001",
        store="Main store",
        lines=[*scans(RIFLES[0]), {"item": str(country.helmets().item_id), "quantity": 3}],
    )
    with pytest.raises(Refused) as refusal:
        erasure.approve(country.engine, country.actors["second registrar"], order.erasure_id)
    assert [(reason.weapon, reason.where) for reason in refusal.value.reasons] == [
        ("3 Helmet", "TAJI"),
        (f"AKM {RIFLES[0]}", "TAJI"),
    ]
    with pytest.raises(Refused) as refusal:
        ordered(country, person="C-2")
    assert [(reason.weapon, reason.reason) for reason in refusal.value.reasons] == [
        ("ERBIL", "this person is its custodian: give it another first")
    ]
    spent = {"manner": "fired", "place": "range", "circumstances": "Quist fired it", "lines": scans(RIFLES[6])}
    country.ask("second clerk", EXPEND, **spent)
    for person, words in (("A-1002", "it names this person"), ("T-2", "asked for it")):
        with pytest.raises(Refused) as refusal:
            ordered(country, person=person)
        assert words in refusal.value.reasons[0].reason
    with pytest.raises(Refused, match="can't be erased"):
        ordered(country, person="UNIDENTIFIED-TAJI")


def test_it_takes_two_and_neither_is_the_person(country: Country) -> None:
    """A registrar asks; another registrar, or the commander of the person's own site, approves."""
    second_registrar(country)
    for who in ("clerk", "commander", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            ordered(country, who)
    with pytest.raises(NotAllowed):
        ordered(country, person="R-1")
    order = ordered(country)
    for who in ("registrar", "clerk", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            erasure.approve(country.engine, country.actors[who], order.erasure_id)
    other = Actor(country.parties["erbil commander"].party_id, "commander", country.sites["ERBIL"], book_code="CO")
    with pytest.raises(NotAllowed, match="people of ERBIL only"):
        erasure.approve(country.engine, other, order.erasure_id)
    assert erasure.approve(country.engine, country.actors["commander"], order.erasure_id).erased["names"] == 1
    of_second = ordered(country, person="R-2")
    with pytest.raises(NotAllowed):
        erasure.approve(country.engine, country.actors["second registrar"], of_second.erasure_id)
    with pytest.raises(Refused) as refusal:
        ordered(country, "second registrar", person="R-1")
    assert refusal.value.reasons[-1].weapon == f"order of erasure {of_second.erasure_id}"


def test_an_order_is_asked_again_rejected_withdrawn_and_asked_anew(country: Country) -> None:
    """The same id gets the same answer; other content is refused; what was settled stays so."""
    second_registrar(country)
    key = new_key()
    order = ordered(country, erasure_id=key)
    assert ordered(country, erasure_id=key) == order
    with pytest.raises(PostedWithOtherContent):
        ordered(country, erasure_id=key, reason="Another")
    with pytest.raises(Refused, match="waits already"):
        ordered(country)
    assert erasure_orders.reject(country.engine, country.actors["commander"], key).state == "rejected"
    with pytest.raises(Refused, match="was rejected"):
        erasure.approve(country.engine, country.actors["second registrar"], key)
    own = ordered(country)
    assert erasure_orders.reject(country.engine, country.actors["registrar"], own.erasure_id).state == "withdrawn"
    done = erased(country)
    assert erasure.approve(country.engine, country.actors["commander"], done.erasure_id) == done
    with pytest.raises(Invalid, match="no person"):
        ordered(country)


def test_an_order_that_names_the_person_is_not_taken(lived: Country) -> None:
    """Orders are kept for ever; so is what names words or files that are not there, or can't go."""
    (remains,) = [
        one.where
        for one in erasure_orders.plan(lived.engine, lived.actors["registrar"], "A-1001").words
        if one.fate.startswith("remains")
    ]
    with pytest.raises(Invalid) as refusal:
        ordered(
            lived,
            reason="So that petrov is gone",
            order_reference="MOD a-1001",
            redact=[remains, "note/x"],
            files=["ab" * 32],
        )
    assert [fault.field for fault in refusal.value.faults] == ["order_reference", "reason", "redact", "redact", "files"]
    assert lived.query("SELECT count(*) FROM erasure_order") == [(0,)]


def test_scans_that_the_order_names_are_replaced_by_their_hash(lived: Country) -> None:
    """The file goes and can't come back; the document keeps the digest, and the check knows of it."""
    posted = lived.do(
        "clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[3]), attachments=[kept(photo(200))]
    )
    lived.do("clerk", RETURN, store="Main store", lines=scans(RIFLES[3]))
    digest = kept(photo(200))
    assert digest in [
        one.sha256 for one in erasure_orders.plan(lived.engine, lived.actors["registrar"], "A-1001").files
    ]
    done = erased(lived, files=[digest])
    assert not file_store().holds(digest)
    with pytest.raises(UnreadableFile, match="erased by order"):
        kept(photo(200))
    assert lived.query("SELECT attachments FROM document WHERE document_id = %s", posted.document_id) == [([digest],)]
    assert lived.query("SELECT encode(sha256, 'hex'), erasure_id FROM erased_file") == [(digest, done.erasure_id)]
    with transaction(lived.engine, roles.AUDITOR) as connection:
        found = check_files(connection, file_store())
    assert (found.is_sound, found.erased) == (True, 1)
    place = file_store().folder / digest[:2] / digest
    place.write_bytes(photo(200))
    with transaction(lived.engine, roles.AUDITOR) as connection:
        assert check_files(connection, file_store()).come_back == (digest,)
    erasure.approve(lived.engine, lived.actors["second registrar"], done.erasure_id)
    assert not place.exists()


def test_evidence_that_does_not_concern_the_person_stays(lived: Country) -> None:
    """The photo of another soldier's issue can't go with Petrov; one to a remark that tells of him can."""
    another, telling, of_note = (kept(photo(shade)) for shade in (201, 202, 203))
    store = {"store": "Main store", "attachments": [another]}
    posted = lived.do("clerk", ISSUE, receiver="A-1002", lines=scans(RIFLES[3]), **store)
    told = {"lines": scans(RIFLES[3]), "remarks": "Petrov carried it", "store": "Main store", "attachments": [telling]}
    lived.do("clerk", RETURN, **told)
    remark = WriteNote(text="Petrov saw it", attachments=(of_note,))
    write_note(lived.engine, lived.actors["clerk"], posted.document_id, remark)
    with pytest.raises(Invalid) as refusal:
        ordered(lived, files=[telling, another])
    assert [(fault.field, fault.value) for fault in refusal.value.faults] == [("files", another)]
    erased(lived, files=[telling, of_note])
    assert [file_store().holds(digest) for digest in (another, telling, of_note)] == [True, False, False]


def test_a_file_that_is_erased_while_it_is_sent_in_again_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The erasure comes between the last look at the mark and the moment in which the file takes its place."""
    store, put_in_place = FileStore(tmp_path), os.replace
    digest = sha256(photo(210)).hexdigest()

    def erased_meanwhile(incoming: Path, place: Path) -> None:
        store.erase(digest)
        put_in_place(incoming, place)

    monkeypatch.setattr(os, "replace", erased_meanwhile)
    with pytest.raises(UnreadableFile, match="erased by order"):
        store.keep([photo(210)], 1_000_000)
    assert not store.holds(digest)
    assert list(store.digests()) == []
    assert not list(tmp_path.glob("incoming-*"))


def kept(content: bytes) -> str:
    return file_store().keep([content], 1_000_000).sha256


def test_the_erasure_is_itself_recorded_without_the_name(lived: Country) -> None:
    """Its leaf can be made again from its row; it names the person by the key alone."""
    done = erased(lived, redact_all=True)
    names = (
        "erasure_id",
        "party_id",
        "order_reference",
        "reason",
        "files",
        "registers",
        "erased",
        "asked_at",
        "recorded_at",
    )
    ((*values, asked, approved, seed),) = lived.query(
        f"SELECT {', '.join(names)}, asked_by_digest, approved_by_digest, seed FROM erasure"
    )
    persons = {"asked_by": bytes(asked), "approved_by": bytes(approved)}
    assert erasure_leaf(bytes(seed), dict(zip(names, values, strict=True)), persons).hex() == done.leaf
    with reading(lived.engine, lived.actors["auditor"]) as connection:
        (row,) = erasure_orders.list_orders(connection, lived.actors["auditor"]).rows
    assert (row.party_id, row.state, row.settled_by) == (petrov(lived), "approved", "Captain Rauf Registrar (R-2)")


def test_tokens_and_what_was_said_of_the_person_end(country: Country) -> None:
    """No token speaks for an erased person; a note's writer is one; memberships, cards and assignments end."""
    second_registrar(country)
    posted = country.do(
        "clerk",
        RECEIVE,
        store="Main store",
        lines=[{"model": "AKM", "serial_number": "NEW 1", "condition": "serviceable"}],
    )
    writer = Actor(petrov(country), "clerk", country.sites["TAJI"], book_code="X")
    write_note(country.engine, writer, posted.document_id, WriteNote(text="Seen"))
    with transaction(country.engine, roles.REGISTRAR) as connection:
        token = tokens.create_token(connection, "clerk", "Petrov's counter", "A-1001", "TAJI")
    erased(country)
    with connected(country.engine) as connection, pytest.raises(NotSignedIn):
        tokens.authenticate(connection, token.text)
    with transaction(country.engine, roles.REGISTRAR) as connection:
        assert tokens.read_token(connection, token.token.token_id).label == GONE
    with reading(country.engine, country.actors["clerk"]) as connection:
        assert read_document(connection, country.actors["clerk"], posted.document_id).notes[0].written_by == GONE
    assert country.query("SELECT count(*) FROM signature_card WHERE withdrawn_at IS NULL") == [(0,)]
    assert country.query("SELECT count(*) FROM assignment WHERE party_id = %s AND until IS NULL", petrov(country)) == [
        (0,)
    ]


def test_the_owner_s_function_only_takes_away(country: Country) -> None:
    """Called without an erasure, or with other words than those that were there, it does nothing."""
    country.do(
        "clerk",
        EXPEND,
        manner="fired",
        place="range",
        circumstances="none",
        holder="A-1001",
        lines=scans(RIFLES[5]),
        paper=paper(1, ago()),
    )
    with (
        transaction(country.engine, roles.REGISTRAR) as connection,
        pytest.raises(DBAPIError, match="is being recorded"),
    ):
        connection.exec_driver_sql("SELECT erase_person(%s, '[]', '[]')", (new_key(),))
    taken = "SELECT stockpile.only_taken_out(%s, %s)"
    for before, after, right in (
        ("Private Petrov (A-1001) has it", "erased person has it", True),
        ("Private Petrov (A-1001) has it", "erased person has two", False),
        ("100% of_it by Petrov\\", "100% of_it by erased person\\", True),
        ("1000 of it by Petrov", "100% of it by erased person", False),
        ("by Petrov", "by Quist", False),
    ):
        assert country.owner_query(taken, before, after) == [(right,)], (before, after)


RECORDED = """
INSERT INTO erasure SELECT erasure_id, party_id, order_reference, reason, '[]', '[]', '{}', asked_by, 1, sha256(''), %s, 1, sha256(''),
       asked_at, now(), sha256(''), decode('05' || repeat('ab', 64), 'hex') FROM erasure_order WHERE erasure_id = %s
"""


def past_the_program(country: Country, erasure_id: UUID, cells: list[Any], words: list[Any]) -> None:
    """What somebody may try who has the registrar's role and speaks to the database."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        connection.exec_driver_sql(RECORDED, (country.actors["second registrar"].party_id, erasure_id))
        connection.exec_driver_sql("SELECT erase_person(%s, %s, %s)", (erasure_id, Jsonb(cells), Jsonb(words)))


@pytest.mark.parametrize(
    ("what", "column"),
    [("cells", "{}"), ("words", "explanation"), ("words", "seen")],
)
def test_who_has_the_registrar_s_role_takes_nothing_away_where_the_person_is_not_named(
    lived: Country, what: str, column: str
) -> None:
    """Even under an erasure that is recorded: not the rows of others, nor a discrepancy's words about them."""
    order = ordered(lived)
    ((register, line),) = lived.query("SELECT register_id, line FROM register_line WHERE cells ->> 0 = 'OLD 3'")
    cells, words = [], []
    if what == "cells":
        cells = [{"register": str(register), "line": line, "places": [3]}]
    else:
        forge(lived, "UPDATE stockpile.discrepancy SET explanation = 'Quist sold it', seen = 'Quist had it'")
        ((found,), *_) = lived.query("SELECT discrepancy_id FROM discrepancy ORDER BY 1")
        words = [{"table": "discrepancy", "key": str(found), "line": None, "column": column, "text": GONE}]
    with pytest.raises(DBAPIError, match="not name the person"):
        past_the_program(lived, order.erasure_id, cells, words)
    assert erasure.approve(lived.engine, lived.actors["second registrar"], order.erasure_id).erased["names"] == 2


def test_a_person_is_known_in_every_spelling_that_an_erasure_finds(country: Country) -> None:
    """By the number, written as one likes, and by the longest word of a name, in capitals or not, in any script."""
    taji = country.sites["TAJI"]
    with transaction(country.engine, roles.REGISTRAR) as connection:
        people = {
            code: parties.add_person(connection, code, name, "Private", taji, None, ago(days=9).date()).party_id
            for code, name in (
                ("B-11", "Иван Сидоров"), ("B-12", "أحمد العبيدي"), ("B-13", "Yıldız"), ("B-14", 'Ali "Sur" Khan'), ("B-15", "É. Zoë"),
            )
        }  # fmt: skip
    for said, code, right in (
        ("given to b 11", "B-11", True), ("СИДОРОВ", "B-11", True), ("سيدوروف", "B-11", False), ("Ы", "B-11", False),
        ("B-١٢", "B-12", True), ("أعطيت إلى العبيدي", "B-12", True), ("الجبوري", "B-12", False), ("YILDIZ", "B-13", True),
        (r'{"who": "Ali \"Sur\" Khan"}', "B-14", True), ("É. ZOË", "B-15", True), ("Quist", "B-15", False),
    ):  # fmt: skip
        known = country.owner_query("SELECT stockpile.names_person(%s, %s)", said, people[code])
        assert known == [(right,)], (said, code)


def test_an_erasure_over_the_api(web: Web) -> None:
    """The plan, the order, the approval; who may not is told so; nothing afterwards names the person."""
    plan = web.get("registrar", "/v1/erasures/plan", person="A-1001")
    assert (plan.status_code, plan.json()["person"]) == (200, "Private Petrov (A-1001)")
    problem(web.get("clerk", "/v1/erasures/plan", person="A-1001"), 403, "not-allowed")
    problem(web.get("registrar", "/v1/erasures/plan", person="Z-1"), 422, "invalid")
    body = {"person": "A-1001", "order_reference": "MOD 117/2026", "reason": "Court order", "redact_all": True}
    problem(web.post("clerk", "/v1/erasures", body), 403, "not-allowed")
    problem(web.post("registrar", "/v1/erasures", {**body, "reason": "Petrov asked"}), 422, "invalid")
    order = web.post("registrar", "/v1/erasures", body)
    assert order.status_code == 202
    path = f"/v1/erasures/{order.json()['erasure_id']}"
    assert web.get("commander", path).json()["plan"]["person"] == "Private Petrov (A-1001)"
    problem(web.post("registrar", f"{path}/approve"), 403, "not-allowed")
    done = web.post("commander", f"{path}/approve")
    assert done.status_code == 201, done.text
    assert web.post("commander", f"{path}/approve").content == done.content
    assert web.get("commander", path).json()["plan"] is None
    for who in ("registrar", "auditor", "commander"):
        assert [row["state"] for row in web.get(who, "/v1/erasures").json()["rows"]] == ["approved"]
    assert "Petrov" not in web.get("auditor", "/v1/erasures", format="csv").text
    problem(web.get("USA", "/v1/erasures"), 403, "not-allowed")
    for path in ("/v1/parties", "/v1/signature-cards", "/v1/units/1COY/members", "/v1/accounts"):
        assert "Petrov" not in web.get("registrar", path).text
    person = web.get("registrar", f"/v1/parties/{petrov(web.country)}")
    assert (person.status_code, person.json()["names"]) == (200, [])


def test_an_erasure_at_the_command_line(stockpile: Command) -> None:
    """Planned and ordered by the registrar, approved by the commander."""
    assert "Private Petrov (A-1001)" in stockpile("registrar", "erasure", "plan", "A-1001").output
    done = stockpile(
        "registrar", "erasure", "order", "A-1001", "--order", "MOD 117", "--reason", "Court order", "--redact-all"
    )
    key = done.output.split()[1].rstrip(":")
    assert "waiting for approval" in stockpile("commander", "erasure", "show", key).output
    assert stockpile("registrar", "erasure", "approve", key).exit_code == 1
    assert "Erased: 1 names." in stockpile("commander", "erasure", "approve", key).output
    assert "approved" in stockpile("auditor", "erasure", "list").output
    assert stockpile("commander", "erasure", "reject", key).exit_code == 1


def test_lists_tell_an_erased_person_from_one_of_another_site(web: Web) -> None:
    """Who enrolled a tablet, and told that a truck changed hands, is erased: the own site reads so, not that somebody of
    another site did it.
    """
    country = second_registrar(web.country)
    key = b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    web.post("commander", "/v1/devices", {"book": "TAB-3", "label": "Tablet 3", "public_key": key})
    way = {"to_site": "ERBIL", "store": "Main store", "carrier": "2nd Transport", "expected_on": str(today())}
    order = country.do("clerk", SHIP, **way, lines=scans(RIFLES[0]))
    yard = {
        "handed_over_by": "2nd Transport",
        "carrier": "Rail Regiment",
        "place": "Yard",
        "happened_at": ago(minutes=0).isoformat(),
    }
    assert web.post("commander", f"/v1/shipments/{order.document_id}/hand-overs", yard).status_code == 201
    erased(country, person="C-1")
    (device,) = web.get("clerk", "/v1/devices", site="TAJI").json()["rows"]
    (told,) = web.get("clerk", f"/v1/shipments/{order.document_id}").json()["hand_overs"]
    assert (device["enrolled_by"], told["recorded_by"]) == (GONE, GONE)
    (told,) = web.get("erbil clerk", f"/v1/shipments/{order.document_id}").json()["hand_overs"]
    assert told["recorded_by"] == "a person of another site"


def test_a_holder_said_of_a_whole_list_goes_too(lived: Country) -> None:
    """It stands in no cell: the request said so of all rows."""
    constants = {"service_number": "A-1001"}
    done = registers.imported(lived, "serial,model\nKT 449900,AKM\n", file={"constants": constants})
    registers.compared(lived, done, {"site": "TAJI"})
    erased(lived, redact_all=True)
    assert lived.query("SELECT holder FROM register_line WHERE register_id = %s", done.register_id) == [(None,)]

"""`stockpile verify`: whoever alters the books with a superuser's rights is told, by the row, what is no longer as it was posted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

from stockpile import erasure, erasure_orders, parties
from stockpile.acts.correct import CORRECT
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.mark import MARK
from stockpile.acts.turn_in import RETURN
from stockpile.cli import app
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.erasure_orders import OrderErasure
from stockpile.errors import Invalid, NotAllowed, NotFound
from stockpile.files import FileStore, file_store
from stockpile.log import beginning
from stockpile.log.daily import verify_if_due
from stockpile.log.sequencer import Sequencer
from stockpile.log.signer import LogSigner
from stockpile.log.verify import CHECKS, Found, Verified, look, record, verify
from stockpile.log.verifying.books import Books, Since, stand_to_verify
from stockpile.log.verifying.references import CROSSING
from stockpile.notes import WriteNote, write_note
from stockpile.proof.checkpoint import Checkpoint
from stockpile.proof.note import Signer
from stockpile.reports.verification import last_verification
from stockpile.rights import Actor, reading
from tests.api_world import Web, served
from tests.conftest import Databases
from tests.registers import imported
from tests.world import RIFLES, Country, ago, paper, photo, scans

BOOK = (
    "Serial Number,Nomenclature,Service No,Remarks\nOLD 1,AKM,A-1003,Rahim's\nOLD 2,AKM,A-1001,crate 4\nOLD 3,AKM,,\n"
)
ORIGIN = "stockpile.example/log"
web = pytest.fixture(served)


def happened(country: Country) -> None:
    """What verifying has to see: an issue, a correction, a mark, a loss with its photo, a note, papers with a gap between, a list, and a
    person who was erased from all of it.
    """
    with transaction(country.engine, roles.REGISTRAR) as connection:
        other = parties.add_person(
            connection, "R-2", "Rauf Registrar", "Captain", country.sites["TAJI"], None, ago(days=9).date()
        )
    country.actors["second registrar"] = Actor(other.party_id, "registrar", book_code="REG")
    country.actors["armourer"] = Actor(
        country.actors["clerk"].party_id, "armourer", country.sites["TAJI"], book_code="ARM"
    )
    clerk = "clerk"
    country.do(clerk, ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:3]))
    issued = country.do(clerk, ISSUE, receiver="A-1003", store="Main store", lines=scans(RIFLES[4]))
    country.do_with_approval(clerk, "commander", CORRECT, document=issued.number, reason="the wrong man")
    marking = {
        "method": "laser",
        "place": "receiver",
        "lines": [{"scan": RIFLES[5], "import_country": "IQ", "import_year": 2026}],
    }
    country.do("armourer", MARK, **marking)
    seen = file_store().keep([photo()], 1_000_000).sha256
    lost = country.do(
        clerk, REPORT_MISSING, place="Route Tampa", circumstances="gone", attachments=[seen], lines=scans(RIFLES[1])
    )
    country.do(clerk, RETURN, store="Main store", lines=scans(RIFLES[0]), paper=paper(3, ago(minutes=1)))
    country.do(clerk, RETURN, store="Main store", lines=scans(RIFLES[2]), paper=paper(6, ago(minutes=1)))
    request = WriteNote.model_validate(
        {"text": "found the sling", "attachments": [file_store().keep([photo(9)], 1_000_000).sha256]}
    )
    write_note(country.engine, country.actors[clerk], lost.document_id, request)
    imported(
        country, BOOK, name="Book 2019", file={"columns": {"serial_number": "Serial Number", "model": "Nomenclature"}}
    )
    order = {"person": "A-1003", "order_reference": "MOD 117/2026", "reason": "Court order", "redact_all": True}
    asked = erasure_orders.order(country.engine, country.actors["registrar"], OrderErasure.model_validate(order))
    erasure.approve(country.engine, country.actors["second registrar"], asked.erasure_id)


@dataclass(frozen=True)
class Kept:
    """A country in which things happened, the log of it, and a superuser's way in."""

    name: str
    country: Country
    databases: Databases
    signer: LogSigner

    @contextmanager
    def altered(self, *statements: str) -> Iterator[Connection]:
        """Its database after somebody with every right did something to it; none of it stays."""
        engine = self.databases.engine(self.name, "postgres")
        with engine.connect() as connection, connection.begin() as harm:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql("SET LOCAL search_path = stockpile")
            for statement in statements:
                done = connection.exec_driver_sql(statement)
                assert done.rowcount, f"{statement} did nothing"
            connection.exec_driver_sql(f"SET LOCAL ROLE {roles.VERIFIER}")
            yield connection
            harm.rollback()


@pytest.fixture(scope="module")
def kept(
    databases: Databases, template: tuple[str, Country], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    """The small world after some days, read by many and written by nobody."""
    name = databases.clone(template[0])
    engine = databases.engine(name)
    founded = template[1].on(engine)
    country = Country(founded.engine, founded.sites, founded.parties, dict(founded.actors))
    happened(country)
    signer = beginning.begin_log(engine, tmp_path_factory.mktemp("log") / "keys", ORIGIN)
    sequencer = Sequencer(engine, signer)
    sequencer.step()
    country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[7]))
    sequencer.step()
    sequencer.close()
    country.do("clerk", RETURN, store="Main store", lines=scans(RIFLES[7]))
    yield Kept(name, country, databases, signer)
    engine.dispose()
    databases.drop(name)


def found(connection: Connection, store: FileStore | None = None) -> list[Found]:
    """What is wrong."""
    return look(Books(connection, store or file_store()), go_on=True)[1]


def told(wrong: list[Found]) -> str:
    """All that is said."""
    return "\n".join(f"{one.check} | {one}" for one in wrong)


def test_books_that_nobody_touched_are_sound(kept: Kept) -> None:
    """Also with a correction, a mark, a late paper, a gap that is known, and a person who was erased in them."""
    done = verify(kept.country.engine, file_store(), go_on=True)
    assert done.is_sound, told(list(done.wrong))
    assert done.checks == tuple(check.name for check in CHECKS)


ENTRY = "(SELECT item_id FROM identification WHERE serial_number = 'KT 449903')"
ISSUED = "(SELECT document_id FROM document WHERE act = 'issue' ORDER BY recorded_at LIMIT 1)"
HARMS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "an entry's receiving account": (
        (f"UPDATE entry SET to_account = from_account WHERE item_id = {ENTRY}",),
        "leaves of entries", "TAJI/B/2026/1, line 4: entry 1 of AKM KT 449903",
    ),
    "an entry's moment": (
        (f"UPDATE entry SET happened_at = happened_at - interval '1 day' WHERE item_id = {ENTRY}",),
        "leaves of entries", "its leaf does not follow from its fields",
    ),
    "an entry's condition": (
        (f"UPDATE entry SET condition = 'unserviceable' WHERE item_id = {ENTRY}",),
        "leaves of entries", "entry 1 of AKM KT 449903",
    ),
    "an entry's salt": (
        (f"UPDATE entry SET seed = sha256('x') WHERE item_id = {ENTRY}",),
        "leaves of entries", "or its seed, or the leaf",
    ),
    "an entry's leaf": (
        (f"UPDATE entry SET leaf = '\\x01' || sha256('a') || sha256('b') WHERE item_id = {ENTRY}",),
        "leaves of rows and of the log", "neither in the log nor waits for it",
    ),
    "an item's secret": (
        (f"UPDATE item SET secret = sha256('x') WHERE item_id = {ENTRY}",),
        "leaves of entries", "the tag of its leaf is not that of its item's secret",
    ),
    "a serial number": (
        (f"UPDATE identification SET serial_number = 'KT 449999', serial_key = 'KT449999' WHERE item_id = {ENTRY}",),
        "leaves of entries", "entry 1 of AKM KT 449999",
    ),
    "an entry deleted": (
        (f"DELETE FROM entry WHERE item_id = {ENTRY}",),
        "lines of documents", "it says 11 lines, and has 10 entries",
    ),
    "an entry deleted in the middle": (
        ("DELETE FROM entry e USING document d WHERE d.document_id = e.document_id AND d.act = 'correct'",),
        "lines of documents", "(document",
    ),
    "the end of a chain cut off": (
        ("DELETE FROM entry e USING document d WHERE d.document_id = e.document_id AND d.act = 'report missing'",
         "DELETE FROM document WHERE act = 'report missing'"),
        "numbers of books", "TAJI/B/2026/5 is missing",
    ),
    "an entry inserted into the past": (
        (f"""INSERT INTO entry SELECT item_id, 2, serial, donor_id, model_id, site_id, document_id, 12, to_account, from_account, quantity,
                condition, happened_at, recorded_at, claimed_from, NULL, NULL, seed, leaf, to_class_and_site, from_class_and_site
                FROM entry WHERE item_id = {ENTRY}""",),
        "lines of documents", "it says 11 lines, and has 12 entries",
    ),
    "two entries swapped": (
        ("""UPDATE entry e SET (line, seed, leaf) = (o.line, o.seed, o.leaf) FROM entry o, identification a, identification b
            WHERE a.serial_number = 'KT 449908' AND b.serial_number = 'KT 449909'
              AND (e.item_id, o.item_id) IN ((a.item_id, b.item_id), (b.item_id, a.item_id))""",),
        "leaves of entries", "entry 1 of AKM KT 449909",
    ),
    "a chain that jumps": (
        ("""UPDATE entry SET from_account = (SELECT account_id FROM account WHERE name = 'Quarantine')
            WHERE version = 2 AND item_id = (SELECT item_id FROM identification WHERE serial_number = 'KT 449900')""",),
        "chains of entries", "it begins at TAJI Quarantine; the entry before it ended at TAJI Main store",
    ),
    "a holding": (
        (f"UPDATE holding SET account_id = (SELECT account_id FROM account WHERE name = 'Quarantine') WHERE item_id = {ENTRY}",),
        "holdings", "TAJI Quarantine holds 1 of it; its entries add up to 0",
    ),
    "a holding of helmets": (
        ("UPDATE holding SET quantity = 99 WHERE NOT serial",),
        "balances by donor and model", "Helmet, store: the entries add up to 100, the holdings to 99",
    ),
    "the model a holding says": (
        (f"UPDATE holding SET model_id = (SELECT model_id FROM model WHERE name = 'Helmet') WHERE item_id = {ENTRY}",),
        "item_id of holding", "says otherwise of it",
    ),
    "where a holding counts": (
        (f"UPDATE holding SET class_and_site = 0 WHERE item_id = {ENTRY}",), "account_id of holding", "says otherwise of it",
    ),
    "where an entry counts": (
        (f"UPDATE entry SET to_class_and_site = 0 WHERE item_id = {ENTRY}",), "to_account of entry", "says otherwise of it",
    ),
    "a holding deleted": ((f"DELETE FROM holding WHERE item_id = {ENTRY}",), "holdings", "holding of AKM KT 449903"),
    "a document's date": (
        (f"UPDATE document SET happened_at = happened_at - interval '1 day' WHERE document_id = {ISSUED}",),
        "leaves of documents", "TAJI/B/2026/2",
    ),
    "a document's number": (
        ("UPDATE document SET number = 40 WHERE number = 5 AND act = 'report missing'",),
        "leaves of documents", "TAJI/B/2026/40",
    ),
    "a document's details": (
        ("UPDATE document SET details = details || '{\"place\":\"Route Irish\"}' WHERE act = 'report missing'",),
        "leaves of documents", "its header",
    ),
    "a document's salt": (
        (f"UPDATE document SET seed = sha256('x') WHERE document_id = {ISSUED}",),
        "leaves of documents", "the tag of its leaf is not that of its seed",
    ),
    "who posted a document": (
        (f"UPDATE document SET posted_by = (SELECT party_id FROM party WHERE code = 'C-1') WHERE document_id = {ISSUED}",),
        "parties of documents", "it is posted by another than its signatures say",
    ),
    "who received it": (
        (f"""UPDATE signatory SET party_id = (SELECT party_id FROM party WHERE code = 'A-1002')
             WHERE document_id = {ISSUED} AND part = 'received_by'""",),
        "digests of persons", "received by: its digest does not follow",
    ),
    "a signature taken away": (
        (f"DELETE FROM signatory WHERE document_id = {ISSUED} AND part = 'received_by'",),
        "leaves of documents", "TAJI/B/2026/2",
    ),
    "a name": (
        ("UPDATE party_name SET name = 'Somebody' WHERE code = 'A-1001'", "UPDATE party SET name = 'Somebody' WHERE code = 'A-1001'"),
        "digests of persons", "TAJI/B/2026/2",
    ),
    "a secret of a person": (
        ("UPDATE party SET secret = sha256('x') WHERE code = 'T-1'",), "digests of persons", "name, rank, service number or secret",
    ),
    "the present name alone": (("UPDATE party SET name = 'Somebody' WHERE code = 'T-2'",), "names of parties", "is not the name it has"),
    "a line of a list": (
        ("UPDATE register_line SET cells = jsonb_set(cells, '{0}', '\"OLD 9\"') WHERE line = 3",),
        "lines of registers", "register Book 2019",
    ),
    "a line of a list deleted": (("DELETE FROM register_line WHERE line = 4",), "lines of registers", "it says 3 lines, and has 2"),
    "the name of a list whose importer was erased": (
        (
            "UPDATE party SET secret = NULL, code = NULL, name = NULL, rank = NULL, erased_at = now()\n"
            "WHERE party_id IN (SELECT imported_by FROM register)",
            "UPDATE register SET name = 'Book 2018'",
        ),
        "leaves of registers", "register Book 2018",
    ),
    "who imported a list": (
        ("UPDATE register SET imported_by_digest = sha256('x')",), "digests of persons", "its digest does not follow from version 1",
    ),
    "the name of a list": (("UPDATE register SET name = 'Book 2018'",), "leaves of registers", "register Book 2018"),
    "what an erasure took": (
        ("UPDATE register_erasure SET lines = '[2, 3]'",),
        "what erasures took from registers", "is not the one that the erasure's leaf commits",
    ),
    "an erasure's reason": (("UPDATE erasure SET reason = 'none'",), "leaves of erasures", "erasure "),
    "a person gone without an order": (
        ("UPDATE party SET name = NULL, secret = NULL, erased_at = now() WHERE code = 'T-2'",), "erasures", "no erasure is recorded",
    ),
    "a note": (("UPDATE note SET text = 'nothing'",), "leaves of notes", "note "),
    "a gap that is explained away": (
        ("DELETE FROM discrepancy WHERE book_id IS NOT NULL",),
        "numbers of books", "TAJI/PAPER/2026/4 to 5 are missing, and no discrepancy says so",
    ),
    "the last number of a book": (
        ("UPDATE book SET next_number = next_number + 2 WHERE code = 'B' AND site_id = (SELECT site_id FROM site WHERE code = 'TAJI')",),
        "numbers of books", "missing at its end",
    ),
    "a mark": (
        ("DELETE FROM identification WHERE version = 1 AND serial_number = 'KT 449905'",), "identifications of weapons", "1 is missing",
    ),
    "a key that finds another": (
        ("UPDATE identification SET serial_key = 'KT1', fold = 'KT1' WHERE serial_number = 'KT 449906'",),
        "identifications of weapons", "is not found by its serial number",
    ),
    "an item": ((f"DELETE FROM item WHERE item_id = {ENTRY}",), "item_id of entry", "is missing"),
    "a donor of an item": (
        (f"UPDATE item SET donor_id = (SELECT party_id FROM party WHERE code = 'FRA') WHERE item_id = {ENTRY}",),
        "item_id of entry", "says otherwise of it",
    ),
    "a leaf in a tile": (
        ("UPDATE leaf SET leaf = '\\x01' || sha256('a') || sha256('b') WHERE leaf_index = 3",),
        "tree and checkpoints", "its root is not that of the leaves under it",
    ),
    "two leaves of the log swapped": (
        ("UPDATE leaf l SET leaf = o.leaf FROM leaf o WHERE l.leaf_index IN (4, 5) AND o.leaf_index = 9 - l.leaf_index",),
        "tree and checkpoints", "its root is not that of the leaves under it",
    ),
    "the end of the log": (("DELETE FROM leaf WHERE leaf_index > 5",), "tree and checkpoints", "its end was cut off"),
    "a checkpoint's root": (("UPDATE checkpoint SET root = sha256('x')",), "tree and checkpoints", "its root is not that"),
    "a checkpoint's signature": (
        ("UPDATE checkpoint SET note = replace(note, 'stockpile.example/log', 'stockpile.example/lag')",),
        "tree and checkpoints", "its signature does not hold",
    ),
    "what the log says of itself": (
        ("UPDATE log_statement SET content = content || '{\"x\": 1}'",), "leaves of the log's own statements", "statement ",
    ),
    "what waits for the log": (("DELETE FROM unsequenced",), "leaves of rows and of the log", "neither in the log nor waits for it"),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_who_alters_the_books_is_told_by_the_row(kept: Kept, harm: str) -> None:
    """By a superuser, past every trigger."""
    statements, check, words = HARMS[harm]
    with kept.altered(*statements) as connection:
        wrong = found(connection)
    assert any(one.check == check and words in str(one) for one in wrong), told(wrong)


def test_a_file_that_is_gone_or_another_is_told(kept: Kept, tmp_path: Path) -> None:
    """By what names it."""
    store = FileStore(tmp_path)
    for digest in file_store().digests():
        if not file_store().was_erased(digest):
            store.keep_copy(file_store().path(digest), 1_000_000)
    ((digest, number),) = kept.country.query(
        "SELECT attachments ->> 0, number FROM document WHERE act = 'report missing'"
    )
    with kept.altered("SELECT 1") as connection:
        assert not found(connection, store)
        store.path(digest).chmod(0o600)
        store.path(digest).write_bytes(b"another")
        assert f"TAJI/B/2026/{number}: file {digest}: what is stored" in told(found(connection, store))
        store.path(digest).unlink()
        assert f"TAJI/B/2026/{number}: file {digest}: it is missing" in told(found(connection, store))


def test_no_check_reads_a_table_for_each_row_of_another(kept: Kept) -> None:
    """A table that was filled since it was last looked at is taken for an empty one; a loop over it would take hours. Whatever the
    statistics say, no check is answered by a loop.
    """
    with kept.altered(
        "UPDATE pg_class SET reltuples = 0, relpages = 0 WHERE relnamespace = 'stockpile'::regnamespace"
    ) as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = on")
        looping = any("Nested Loop" in _plan(connection, check.question) for check in CHECKS if check.question)
        stand_to_verify(connection)
        plans = {check.name: _plan(connection, check.question) for check in CHECKS if check.question}
    assert looping, "the planner would not loop here anyway"
    # What names files opens each row's own list: a loop over that row, and no table.
    assert [name for name, plan in plans.items() if "Nested Loop" in plan] == ["files"]


def _plan(connection: Connection, question: str) -> str:
    asked = question.replace("{newer}", "")
    return "\n".join(connection.exec_driver_sql(f"EXPLAIN {asked}".replace("%", "%%")).scalars())


def test_every_reference_without_a_foreign_key_is_in_the_list(kept: Kept) -> None:
    """A column that names a row of another table has a foreign key, or a check of its own."""
    columns = kept.country.owner_query(
        """SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT attisdropped
           WHERE c.relnamespace = 'stockpile'::regnamespace AND c.relkind = 'r' AND a.atttypid = 'uuid'::regtype
             AND a.attname IN ('item_id', 'document_id', 'register_id', 'account_id', 'from_account', 'to_account', 'claimed_from')
             AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND a.attnum = ANY (k.conkey)
                             AND (k.contype = 'f' OR k.contype = 'p' AND cardinality(k.conkey) = 1))"""
    )
    listed = {(one.table, column) for one in CROSSING for column in one.columns}
    assert {f"{table}.{column}" for table, column in columns if (table, column) not in listed} == UNCHECKED


UNCHECKED = {
    "register_line.register_id",  # compared line by line
    "signature.document_id",  # signed before there is a document
    "device_reject.document_id",  # of a voucher that was not posted
}
"""What is looked at otherwise, or may name what is not there."""


def test_a_checkpoint_that_was_kept_tells_a_log_that_was_made_anew(kept: Kept, tmp_path: Path) -> None:
    """With a stolen key even: the first leaves are not those that were signed. Leaves under the checkpoint are taken as they are."""
    ((size, note),) = kept.country.query("SELECT tree_size, note FROM checkpoint ORDER BY tree_size LIMIT 1")
    done = verify(kept.country.engine, file_store(), since=note)
    assert done.is_sound, told(list(done.wrong))
    assert done.since is not None
    assert done.since.size == size
    assert verify(kept.country.engine, file_store(), since=str(size)).is_sound
    other = Signer.parse((kept.signer.folder / "keys").read_text().split()[0])
    forged = Checkpoint(ORIGIN, 5, bytes(32)).signed(other).encoded()
    wrong = verify(kept.country.engine, file_store(), go_on=True, since=forged).wrong
    assert "the checkpoint that was given" in told(list(wrong))
    assert "the log was made anew since" in told(list(wrong))
    longer = Checkpoint(ORIGIN, 10_000, bytes(32)).signed(other).encoded()
    assert "its end was cut off" in told(list(verify(kept.country.engine, file_store(), since=longer).wrong))
    with pytest.raises(Invalid, match="can't be trusted"):
        verify(kept.country.engine, file_store(), since=note.replace("\n\n", "\n\nx", 1))
    with pytest.raises(Invalid, match="none of that name"):
        verify(kept.country.engine, file_store(), since="another/log\n1\n")
    with pytest.raises(NotFound):
        verify(kept.country.engine, file_store(), since="999999")


def test_leaves_under_a_kept_checkpoint_are_not_made_anew(kept: Kept) -> None:
    """Of two entries with altered conditions only the one after it is found."""
    ((size, root),) = kept.country.query("SELECT tree_size, root FROM checkpoint ORDER BY tree_size LIMIT 1")
    with kept.altered("UPDATE entry SET condition = 'unserviceable' WHERE serial") as connection:
        full = [one for one in found(connection) if one.check == "leaves of entries"]
        books = Books(connection, file_store(), since=Since(1, size, bytes(root)))
        since = [one for one in look(books, go_on=True)[1] if one.check == "leaves of entries"]
    assert len(full) > len(since) == 2


def test_the_command_says_what_it_found_and_ends_with_one(
    country: Country, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first wrong row; with --all more; what came of it is written down, and read by auditors."""
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", country.engine.url.render_as_string(hide_password=False))
    ran = CliRunner().invoke(app, ["verify"])
    assert ran.exit_code == 0, ran.output
    assert "Everything is as it follows from the rows" in ran.output
    with databases.engine(str(country.engine.url.database), "postgres").begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("UPDATE stockpile.entry SET condition = 'unserviceable' WHERE serial")
        connection.exec_driver_sql("UPDATE stockpile.holding SET quantity = 99 WHERE NOT serial")
    first = CliRunner().invoke(app, ["verify"])
    assert first.exit_code == 1
    assert "holding of Helmet" in first.output
    assert "1 row is wrong" in first.output
    every = CliRunner().invoke(app, ["verify", "--all"])
    assert every.exit_code == 1
    assert "leaves of entries: TAJI/B/2026/1, line 1: entry 1 of AKM KT 449900" in every.output
    assert country.query("SELECT wrong_count, since FROM verification ORDER BY began_at") == [
        (0, None),
        (1, None),
        (13, None),
    ]


def test_an_alarm_is_raised_where_there_is_a_log(country: Country, tmp_path: Path) -> None:
    """Once for what was found; it names no row, as not everybody who sees it may see that."""
    beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    moment = ago()
    record(country.engine, Verified(moment, ago(), ("holdings",), (Found("holdings", "holding of Helmet", "99"),)))
    ((kind, words),) = country.query("SELECT kind, words FROM log_alarm")
    assert (kind, "Helmet" in words, "holdings" in words) == ("verification failed", False, True)


def test_a_day_is_verified_once(country: Country) -> None:
    """By one process; what came of it is read by who must know, and who reads all sites reads the rows."""
    assert verify_if_due(country.engine)
    assert not verify_if_due(country.engine)
    record(country.engine, Verified(ago(), now(), ("holdings",), (Found("holdings", "holding of Helmet", "99"),)))
    seen = {}
    for who in ("auditor", "commander"):
        with reading(country.engine, country.actors[who]) as connection:
            seen[who] = last_verification(connection, country.actors[who])
    auditors, commanders = seen["auditor"], seen["commander"]
    assert auditors is not None
    assert commanders is not None
    assert [one.row for one in auditors.wrong] == ["holding of Helmet"]
    assert (commanders.wrong_count, commanders.wrong) == (1, ())
    with pytest.raises(NotAllowed), reading(country.engine, country.actors["clerk"]) as connection:
        last_verification(connection, country.actors["clerk"])


def test_the_page_of_the_log_shows_the_last_verification_and_those_before(web: Web, tmp_path: Path) -> None:
    """To the auditor with its rows, to the commander that there are some, to a clerk nothing of it; each with the checkpoint up to which
    it was made. In the API as on the page.
    """
    verify_if_due(web.country.engine)
    signer = beginning.begin_log(web.country.engine, tmp_path / "log", ORIGIN)
    sequencer = Sequencer(web.country.engine, signer)
    sequencer.step()
    sequencer.close()
    record(web.country.engine, verify(web.country.engine, file_store()))
    record(
        web.country.engine,
        Verified(
            now(),
            now(),
            ("holdings",),
            (Found("holdings", "holding of Helmet", "99 instead of 100"),),
            (),
            None,
            (1, 5),
        ),
    )
    shown = {who: web.get(who, "/log").text for who in ("auditor", "commander", "clerk")}
    assert "99 instead of 100" in shown["auditor"]
    assert "An auditor reads which they are." in shown["commander"]
    assert "99 instead of 100" not in shown["commander"]
    assert "Past verifications" in shown["commander"]
    assert "Verified from the rows" not in shown["clerk"]
    rows = web.get("auditor", "/v1/verifications").json()["rows"]
    assert [(row["log"], row["checkpoint"], row["wrong_count"], row["first_wrong"]) for row in rows] == [
        (ORIGIN, 5, 1, "holding of Helmet: 99 instead of 100"),
        (ORIGIN, signer.signed.size, 0, None),
        (None, None, 0, None),
    ]
    seen = web.get("commander", "/v1/verifications").json()["rows"]
    assert [(row["wrong_count"], row["first_wrong"]) for row in seen] == [(1, None), (0, None), (0, None)]
    assert web.get("clerk", "/v1/verifications").status_code == 403
    assert "holding of Helmet" in web.get("auditor", "/verifications?order=wrong_count").text


def test_the_page_that_checks_a_proof_is_given_to_everybody(web: Web) -> None:
    """As it is on the disk, with the policy that stands in it; its digest and the way to use it stand on the page of the log."""
    page = web.client.get("/check.html")
    on_disk = (Path(__file__).parents[1] / "stockpile" / "proof" / "check.html").read_bytes()
    assert (page.status_code, page.content == on_disk) == (200, True)
    assert page.headers["content-security-policy"] == "frame-ancestors 'none'"
    told = web.get("USA", "/log").text
    assert sha256(on_disk).hexdigest() in told
    assert 'href="/check.html" download' in told

"""The transparency log: what is posted is soon under a signed checkpoint, and stays as it was signed, whatever breaks meanwhile."""

from __future__ import annotations

import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event

from stockpile.acts.issue import ISSUE
from stockpile.acts.turn_in import RETURN
from stockpile.db import roles
from stockpile.db.engine import engine_of, transaction
from stockpile.documents import now
from stockpile.errors import DatabaseUnavailable, NotFound
from stockpile.log import beginning, tree
from stockpile.log.alarms import all_alarms, raise_alarm
from stockpile.log.reading import published, reading_log
from stockpile.log.sequencer import Sequencer
from stockpile.log.sequencing import POLL, pause
from stockpile.log.signer import MEMORY, LogSigner, Signed, SignerRefuses
from stockpile.log.tree import Edge, split_leaves
from stockpile.proof.checkpoint import open_checkpoint
from stockpile.proof.merkle import consistency_proof, leaf_hash, node_hash, verify_consistency
from stockpile.proof.note import Verifier
from tests.api_world import Web, served
from tests.conftest import Databases
from tests.world import RIFLES, Country, ago, scans

web = pytest.fixture(served)
ORIGIN = "stockpile.example/log"


@pytest.fixture
def signer(country: Country, tmp_path: Path) -> LogSigner:
    """The small country's log has begun."""
    return beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)


def sequencer(country: Country, signer: LogSigner, **more: Any) -> Sequencer:
    """A sequencer of the small country."""
    return Sequencer(country.engine, signer, **more)


def caught_up(country: Country, signer: LogSigner) -> int:
    """Sequences what waits; how many leaves were published by then."""
    running = sequencer(country, signer)
    running.step()
    running.close()
    return signer.signed.size


def leaves_of(connection: Connection, log: int = 1) -> list[bytes]:
    """All leaves of a log as they stand in its tree."""
    size, found = tree.size_of(connection, log), list[bytes]()
    while len(found) < size:
        packed = tree.leaves_of_tile(connection, log, len(found) // 256, min(256, size - len(found)))
        assert packed is not None
        found += split_leaves(packed)
    return found


def leaves_of_rows(country: Country) -> set[bytes]:
    """The leaves of all that was posted, kept, noted and said."""
    with country.engine.connect() as connection:
        connection.exec_driver_sql("SET ROLE stockpile_auditor")
        tables = ("entry", "document", "register", "note", "log_statement")
        return {leaf for name in tables for (leaf,) in connection.exec_driver_sql(f"SELECT leaf FROM {name}")}


def built_at_once(leaves: list[bytes]) -> bytes:
    """The root by the book (RFC 6962, section 2.1)."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(built_at_once(leaves[:left]), built_at_once(leaves[left:]))


def in_the_log(country: Country, log: int = 1) -> list[bytes]:
    """The leaves in the log, compared with the checkpoint over them."""
    with reading_log(country.engine) as connection:
        leaves, latest = leaves_of(connection, log), published(connection, log)
    assert latest.size == len(leaves) == len(set(leaves))
    assert latest.root == built_at_once(leaves)
    return leaves


def hand_out(country: Country, *rifles: str, who: str = "clerk") -> None:
    """Issues rifles and takes them back."""
    country.do(who, ISSUE, receiver="A-1001", store="Main store", lines=scans(*rifles))
    country.do(who, RETURN, store="Main store", lines=scans(*rifles))


def test_what_is_posted_is_soon_under_a_checkpoint(country: Country, signer: LogSigner) -> None:
    """The log begins with its key; the books so far follow, and each posting after them. What was signed before is extended."""
    caught_up(country, signer)
    before = signer.signed
    hand_out(country, *RIFLES[:3])
    caught_up(country, signer)
    leaves = in_the_log(country)
    assert set(leaves) == leaves_of_rows(country)
    assert leaves[0][0] == 4
    assert signer.signed.size == before.size + 2 * (3 + 1)
    with reading_log(country.engine) as connection:
        latest = published(connection)
    assert open_checkpoint(latest.note, [Verifier.parse(signer.verifier)]).checkpoint.size == len(leaves)
    assert caught_up(country, signer) == len(leaves)


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_a_tree_that_grows_is_the_tree_built_at_once(grown: list[int]) -> None:
    """By whatever steps: the root is the same, and so are the tiles, of which each has 256."""
    edge, leaves, tiles = Edge(), list[bytes](), []
    for count in grown:
        new = [len(leaves + [b""] * n).to_bytes(65, "big") for n in range(count)]
        leaves += new
        tiles += edge.append(new)
    if leaves:
        assert edge.tree.root() == built_at_once(leaves)
    assert edge.size == len(leaves)
    assert b"".join(tile.leaves or b"" for tile in tiles) == b"".join(leaves[: len(leaves) // 256 * 256])
    assert edge.leaves == leaves[len(leaves) // 256 * 256 :]
    assert [tile.index for tile in tiles if tile.level == 0] == list(range(len(leaves) // 256))


def test_many_leaves_are_packed_and_found_again(country: Country, signer: LogSigner) -> None:
    """70,000 leaves: tiles of three levels, read back by another sequencer, extended, and led from any size to any other."""
    queue(country, 70_000)
    running = sequencer(country, signer)
    sizes = [signer.signed]
    while running.step():
        sizes.append(signer.signed)
    queue(country, 300)
    running.close()
    caught_up(country, signer)
    sizes.append(signer.signed)
    assert len(sizes) == 4
    leaves = in_the_log(country)
    with reading_log(country.engine) as connection:
        node = tree.nodes_of(connection, 1, len(leaves))
        for early in sizes[1:]:
            proof = consistency_proof(early.size, len(leaves), node)
            verify_consistency(early.size, early.root, len(leaves), sizes[-1].root, proof)
        edge = tree.read_edge(connection, 1)
        for index in (0, 255, 256, 65_535, 65_536, len(leaves) - 1):
            assert tree.find_leaf(connection, 1, leaves[index], ago(days=1)) == index
        assert tree.find_leaf(connection, 1, leaves[0], now()) is None
        assert tree.find_leaf(connection, 1, bytes(65), ago(days=1)) is None
    assert (edge.size, edge.tree.root()) == (sizes[-1].size, sizes[-1].root)


def queue(country: Country, count: int) -> None:
    """Leaves of nothing, as many postings would queue them."""
    with transaction(country.engine, roles.SEQUENCER) as connection:
        connection.exec_driver_sql(
            """INSERT INTO unsequenced (leaf)
               SELECT '\\x05'::bytea || sha256(gen_random_uuid()::text::bytea) || sha256(gen_random_uuid()::text::bytea)
               FROM generate_series(1, %s)""",
            (count,),
        )


def test_a_long_queue_after_a_quiet_day(country: Country, signer: LogSigner, databases: Databases) -> None:
    """Plans made for an almost empty queue are kept; a bulk receipt after them goes into the tree in one step all the same."""
    running = sequencer(country, signer)
    running.step()
    name = str(country.engine.url.database)
    with psycopg.connect(databases.server.conninfo(name), autocommit=True) as administrator:
        administrator.execute("VACUUM ANALYZE stockpile.unsequenced")
    for _ in range(8):
        queue(country, 1)
        running.step()
    queue(country, 40_000)
    assert running.step() == 40_000
    running.close()


def test_of_two_sequencers_one_stands_by(country: Country, signer: LogSigner) -> None:
    """The second does nothing while the first lives, and goes on where it ended."""
    first, second = sequencer(country, signer), sequencer(country, signer)
    assert first.step()
    assert second.step() is None
    hand_out(country, RIFLES[0])
    first.close()
    assert second.step() == 4
    assert set(in_the_log(country)) == leaves_of_rows(country)
    second.close()


class Cut(Exception):
    """The process ends here."""


def test_cut_off_between_any_two_statements(country: Country, signer: LogSigner) -> None:
    """While somebody goes on posting, the sequencer is cut off before each of its statements in turn, and after the signer wrote down what
    it is about to sign: nothing is lost, nothing is twice, and what was signed is extended.
    """
    engine = engine_of(str(country.engine.url.render_as_string(hide_password=False)) + "&application_name=sequencer")
    ended = threading.Event()

    def post() -> None:
        while not ended.is_set():
            hand_out(country, RIFLES[0], RIFLES[1])

    posting = threading.Thread(target=post)
    posting.start()
    try:
        for at in range(1, 40):
            _cut_off(engine, signer, at)
            for remembering in (False, True):
                _cut_off_signing(engine, signer, remembering)
    finally:
        ended.set()
        posting.join()
    caught_up(country, signer)
    assert set(in_the_log(country)) == leaves_of_rows(country)
    with country.engine.connect() as connection:
        connection.exec_driver_sql("SET ROLE stockpile_auditor")
        kept = connection.exec_driver_sql("SELECT tree_size, root FROM checkpoint ORDER BY 1").all()
    with reading_log(country.engine) as connection:
        leaves = leaves_of(connection)
    assert len(kept) > 10
    for size, root in (kept[0], kept[len(kept) // 2], kept[-1]):
        assert built_at_once(leaves[:size]) == root


def _cut_off(engine: Any, signer: LogSigner, at: int) -> None:
    """Sequences until the `at`-th statement, which never comes."""
    left = [at]

    def count(*statement: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Cut

    event.listen(engine, "before_cursor_execute", count)
    running = Sequencer(engine, signer)
    try:
        with suppress(Cut):
            for _ in range(3):
                running.step()
    finally:
        event.remove(engine, "before_cursor_execute", count)
        running.close()


def _cut_off_signing(engine: Any, signer: LogSigner, remembering: bool) -> None:
    """Cut off just before, or just after, the signer wrote down what it signs."""

    class CutOff(LogSigner):
        def remember(self, signed: Signed) -> None:
            if remembering:
                super().remember(signed)
            raise Cut

    running = Sequencer(engine, CutOff(signer.folder))
    with suppress(Cut):
        running.step()
    running.close()


def test_an_older_database_is_not_signed(country: Country, signer: LogSigner, databases: Databases) -> None:
    """Somebody put yesterday's database back: nothing more is signed, and the auditor is told. The restore declared, a new log begins,
    whose first leaf says where the old one ended.
    """
    caught_up(country, signer)
    country.engine.dispose()
    yesterday = country.on(databases.engine(databases.clone(str(country.engine.url.database))))
    hand_out(country, RIFLES[0])
    caught_up(country, signer)
    final = signer.last_checkpoint()

    hand_out(yesterday, RIFLES[1])
    with pytest.raises(SignerRefuses, match=r"older than what was signed.*stockpile log restored"):
        caught_up(yesterday, signer)
    (alarm,) = all_alarms(yesterday.engine)
    assert alarm.kind == "signer refuses"
    with pytest.raises(SignerRefuses):
        caught_up(yesterday, signer)
    assert len(all_alarms(yesterday.engine)) == 1

    told = beginning.begin_after_restore(yesterday.engine, signer.folder)
    assert (told.origin, told.old_origin, told.signed - told.left) == (f"{ORIGIN}-2", ORIGIN, 4)
    caught_up(yesterday, signer)
    leaves = in_the_log(yesterday, 2)
    with yesterday.engine.connect() as connection:
        connection.exec_driver_sql("SET ROLE stockpile_sequencer")
        statement = connection.exec_driver_sql("SELECT content, leaf FROM log_statement WHERE kind = 'restored'").one()
    assert leaves[0] == statement.leaf
    assert statement.content["checkpoint"] == final
    assert len(leaves) == 1 + 4 + 1, "the restore, what waited, and the new key"
    old_key = Verifier.parse((signer.folder / "keys.pub").read_text(encoding="ascii").split()[0])
    with reading_log(yesterday.engine) as connection:
        opened = open_checkpoint(published(connection).note, [old_key, Verifier.parse(signer.verifier)])
    assert opened.checkpoint.origin == f"{ORIGIN}-2"
    assert old_key in [one.verifier for one in opened.signed]
    assert not opened.witnesses, "the log vouches for itself alone"


def test_an_altered_leaf_is_not_signed(country: Country, signer: LogSigner) -> None:
    """An administrator of the database changes a leaf under the checkpoint: the signer signs nothing that follows."""
    caught_up(country, signer)
    with country.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("SET ROLE stockpile_sequencer")
        connection.exec_driver_sql("DELETE FROM leaf WHERE leaf_index = 3")
        connection.exec_driver_sql(
            "INSERT INTO leaf SELECT log, 3, set_byte(leaf, 40, 0) FROM leaf WHERE leaf_index = 4"
        )
    hand_out(country, RIFLES[0])
    with pytest.raises(SignerRefuses, match="altered"):
        caught_up(country, signer)


def test_a_signer_that_forgot_signs_nothing(country: Country, signer: LogSigner) -> None:
    """What it signed last is missing: it does not begin at nothing."""
    caught_up(country, signer)
    (signer.folder / MEMORY).unlink()
    with pytest.raises(Exception, match="missing or damaged"):
        caught_up(country, signer)


def test_a_new_key_is_named_by_a_leaf_and_signed_by_the_one_before(country: Country, signer: LogSigner) -> None:
    """Whoever knows the first key verifies what both sign, and what the first signed stays good."""
    caught_up(country, signer)
    first, early = signer.verifier, signer.last_checkpoint()
    second = beginning.take_over_key(country.engine, signer.folder)
    caught_up(country, signer)
    with reading_log(country.engine) as connection:
        latest = published(connection).note
    for key in (first, second):
        assert open_checkpoint(latest, [Verifier.parse(key)]).checkpoint.size == signer.signed.size
    assert open_checkpoint(early, [Verifier.parse(first)]).checkpoint.origin == ORIGIN
    assert set(in_the_log(country)) == leaves_of_rows(country)


def test_a_cadence_hides_what_happens_between_its_beats(country: Country, signer: LogSigner) -> None:
    """With padding the log grows by whole pages, also when nothing was posted; each leaf of it has a row."""
    running = sequencer(country, signer, padding=64)
    running.step()
    first = signer.signed.size
    running.step()
    hand_out(country, RIFLES[0])
    running.step()
    assert (first % 64, signer.signed.size) == (0, first + 128)
    running.close()
    assert set(in_the_log(country)) == leaves_of_rows(country)
    assert pause(0, 1000.0) == POLL
    assert pause(60, 1010.0) == 10


def test_the_log_over_http(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the paths of tlog-tiles, for any token; with the tiles of each checkpoint and nothing beyond it."""
    signer = beginning.begin_log(web.country.engine, tmp_path / "log", ORIGIN)
    assert web.get("USA", "/log/checkpoint").status_code == 404
    queue(web.country, 600)
    caught_up(web.country, signer)
    queue(web.country, 10)
    answer = web.get("USA", "/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    origin, size, root = answer.text.split("\n")[:3]
    assert (origin, int(size), b64decode(root)) == (ORIGIN, signer.signed.size, signer.signed.root)

    width = int(size) - 512
    entries = web.get("USA", "/log/tile/entries/000")
    assert entries.content[:2] == (65).to_bytes(2, "big")
    assert len(entries.content) == 256 * 67
    assert "immutable" in entries.headers["cache-control"]
    assert "private" in entries.headers["cache-control"]
    hashes = web.get("USA", "/log/tile/0/000").content
    assert [hashes[n : n + 32] for n in range(0, 8192, 32)] == [
        leaf_hash(entries.content[n + 2 : n + 67]) for n in range(0, 256 * 67, 67)
    ]
    tail = web.get("USA", f"/log/tile/0/002.p/{width}").content
    roots = web.get("USA", "/log/tile/1/000.p/2").content
    assert (len(tail), len(roots)) == (width * 32, 64)
    edge = Edge()
    for index, many in ((0, 256), (1, 256), (2, width)):
        place = f"{index:03}" + (f".p/{many}" if many < 256 else "")
        content = web.get("USA", f"/log/tile/entries/{place}").content
        edge.append([content[n + 2 : n + 67] for n in range(0, many * 67, 67)])
    assert edge.tree.root() == signer.signed.root
    for beyond in (
        f"0/002.p/{width + 1}", "0/002", "1/000", "1/000.p/3", "0/000.p/256", "0/000.p/0", "0/x000/000", "64/000", "00/000",
        "0/1", "0/003.p/1", "entries/003.p/1", "9/000.p/1",
    ):  # fmt: skip
        assert web.get("USA", f"/log/tile/{beyond}").status_code == 404, beyond

    for path in ("/log/checkpoint", "/log/tile/0/000"):
        assert web.client.get(path).status_code == 401
    monkeypatch.setenv("STOCKPILE_LOG_OPEN", "true")
    answer = web.client.get("/log/tile/0/000")
    assert answer.content == hashes
    assert "public" in answer.headers["cache-control"]


def test_people_see_the_log(web: Web, tmp_path: Path) -> None:
    """The checkpoint and the key for everybody; an alarm for those who must look into it, and on their start page."""
    assert "no log yet" in web.get("USA", "/log").text
    signer = beginning.begin_log(web.country.engine, tmp_path / "log", ORIGIN)
    assert "Nothing was signed yet" in web.get("USA", "/log").text
    caught_up(web.country, signer)
    told = web.get("USA", "/log").text
    assert ORIGIN in told
    assert signer.verifier.split("+")[1] in told
    assert "/log-alarms" not in told
    with transaction(web.country.engine, roles.SEQUENCER) as connection:
        for _ in range(2):
            raise_alarm(connection, 1, "witness conflict", "The witness W saw another tree.", "note")
    for who in ("auditor", "commander", "registrar"):
        assert web.get(who, "/log-alarms").text.count("The witness W saw another tree.") == 1
        assert "/log-alarms" in web.get(who, "/").text
    assert web.get("clerk", "/log-alarms").status_code == 403


def test_books_without_a_log(country: Country, tmp_path: Path) -> None:
    """It is said what to do; a name that is none is refused, and so is a second beginning."""
    with pytest.raises(NotFound, match="stockpile log init"):
        LogSigner(tmp_path / "log")
    with pytest.raises(Exception, match="no name for a log"):
        beginning.begin_log(country.engine, tmp_path / "log", "a b")
    beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    with pytest.raises(Exception, match="have a log already"):
        beginning.begin_log(country.engine, tmp_path / "other", ORIGIN)


@pytest.fixture(autouse=True)
def _nothing_sequences_longer(country: Country) -> Iterator[None]:
    """A sequencer left open would keep the database from being dropped."""
    yield
    country.engine.dispose()


def test_a_database_that_goes_away_is_gone_on_with(country: Country, signer: LogSigner, databases: Databases) -> None:
    """The sequencer's connection breaks: it says so, and the next step begins anew."""
    running = sequencer(country, signer)
    running.step()
    hand_out(country, RIFLES[0])
    databases.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{country.engine.url.database}' AND pid <> pg_backend_pid()"
    )
    with pytest.raises(DatabaseUnavailable):
        running.step()
    country.engine.dispose()
    assert running.step() == 4
    running.close()

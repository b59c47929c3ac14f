"""A donor's witness: it cosigns what extends what it saw, and keeps what does not. By hand, and as the log reaches it."""

from __future__ import annotations

import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from stockpile.cli import app
from stockpile.errors import Invalid
from stockpile.fetching import Unreachable
from stockpile.log.witnesses import Conflict, NotCosigned, Prove, read_witnesses, submit
from stockpile.log.witnesses import Witness as Known
from stockpile.proof.checkpoint import Checkpoint, open_checkpoint
from stockpile.proof.merkle import consistency_proof, leaf_hash, root_of
from stockpile.proof.note import COSIGNATURE, Signer, Verifier
from stockpile.witness import witness as witnesses
from stockpile.witness.message import LONGEST, SIZE_TYPE, AddCheckpoint
from stockpile.witness.pinning import Pins
from stockpile.witness.serving import create_witness_app
from stockpile.witness.settling import FORKED, OTHER_TILES, SETTLED, TOO_SMALL, settle
from stockpile.witness.witness import Answer, Witness

ORIGIN = "armoury.example/log"
LOG = Signer(ORIGIN, b"\x01" * 32)
STRANGER = Signer(ORIGIN, b"\x02" * 32)
NAME = "witness.donor.example"
run = CliRunner()


class Leaves:
    """A log of numbered leaves, 300 of them; from `altered` on they are others."""

    def __init__(self, altered: int = 300) -> None:
        self.hashes = [leaf_hash(b"%d %s" % (n, b"altered" if n >= altered else b"")) for n in range(300)]

    def node(self, level: int, index: int) -> bytes:
        return root_of(self.hashes[index << level : (index + 1) << level])

    def checkpoint(self, size: int, *signers: Signer) -> str:
        return Checkpoint(ORIGIN, size, root_of(self.hashes[:size])).signed(*signers or (LOG,)).encoded()

    def proof(self, old: int, size: int) -> list[bytes]:
        return consistency_proof(old, size, self.node)

    def asks(self, old: int, size: int, *signers: Signer) -> bytes:
        """The request to cosign one size after another."""
        proof = self.proof(old, size) if old <= size else []
        return AddCheckpoint(old, tuple(proof), self.checkpoint(size, *signers)).encoded().encode()


TRUE = Leaves()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A witness of the log."""
    made = witnesses.begin(tmp_path / "witness", NAME)
    made.trust(str(LOG.verifier))
    return made


def cosigned(witness: Witness, answer: Answer, checkpoint: str) -> bool:
    """Whether the answer is a line by which the witness cosigned the checkpoint."""
    if answer.status != 200:
        return False
    opened = open_checkpoint(checkpoint + answer.content, [LOG.verifier, witness.signer.verifier])
    return [one.verifier for one in opened.witnesses] == [witness.signer.verifier]


def test_it_cosigns_what_extends_what_it_saw(witness: Witness) -> None:
    """The first checkpoint by itself, later ones by their proof; the same once more; another instance of it goes on."""
    for old, size in ((0, 5), (5, 5), (5, 17), (17, 256), (256, 300)):
        answer = witness.add_checkpoint(TRUE.asks(old, size))
        assert cosigned(witness, answer, TRUE.checkpoint(size)), (old, size, answer)
        witness = witnesses.open_witness(witness.folder)
    assert [(seen.origin, seen.size) for seen in witness.memory.latest()] == [(ORIGIN, 300)]
    assert witness.memory.contradictions() == []


def test_what_it_answers_to_each_mistake(witness: Witness) -> None:
    """Each status as tlog-witness names it; none of them changes what it saw."""
    client = TestClient(create_witness_app(witness))
    assert client.post("/add-checkpoint", content=TRUE.asks(0, 9)).status_code == 200
    elsewhere = Checkpoint("elsewhere.example/log", 1, bytes(32)).signed(Signer("elsewhere.example/log", bytes(32)))
    good = TRUE.asks(9, 20)
    mistakes = [
        (400, b""), (400, b"old 9\n"), (400, good.replace(b"old 9", b"old 09")), (400, good.replace(b"old 9", b"old -9")),
        (400, good.replace(b"\n", b"\r\n")), (400, good.replace(b"old 9\n", b"old 9\nAAAA\n")), (400, b"\xff" + good),
        (400, good[:-20]), (400, TRUE.asks(21, 20)), (400, b"old 9\n" + b"".join(TRUE.asks(9, 20).splitlines(True)[1:2]) * 64 + b"\n"),
        (404, AddCheckpoint(0, (), elsewhere.encoded()).encoded().encode()),
        (403, TRUE.asks(9, 20, STRANGER)),
        (403, good.replace(b"\n20\n", b"\n21\n")),
        (413, good + b"x" * LONGEST),
        (409, TRUE.asks(0, 20)), (409, TRUE.asks(8, 20)), (409, TRUE.asks(12, 20)),
        (422, AddCheckpoint(9, (), TRUE.checkpoint(20)).encoded().encode()),
        (422, AddCheckpoint(9, (*TRUE.proof(9, 20), bytes(32)), TRUE.checkpoint(20)).encoded().encode()),
        (422, AddCheckpoint(9, (bytes(32),), TRUE.checkpoint(9)).encoded().encode()),
    ]  # fmt: skip
    for status, body in mistakes:
        answer = client.post("/add-checkpoint", content=body)
        assert answer.status_code == status, (body, answer.text)
        if status == 409:
            assert (answer.text, answer.headers["content-type"]) == ("9\n", SIZE_TYPE)
    assert client.get("/add-checkpoint").status_code == 405
    assert client.post("/").status_code == 404
    assert client.post("/add-checkpoint", content=TRUE.asks(9, 20, STRANGER, LOG)).status_code == 200
    assert witness.memory.contradictions() == []


def test_a_fork_is_not_cosigned_and_both_notes_are_kept(witness: Witness) -> None:
    """Another tree of the same size; then one that goes on from it. 'show' says it loudly, and what was shown is gone on with."""
    forked = Leaves(altered=7)
    witness.add_checkpoint(TRUE.asks(0, 20))
    answer = witness.add_checkpoint(forked.asks(20, 20))
    assert (answer.status, answer.content) == (409, TRUE.checkpoint(20))
    answer = witness.add_checkpoint(forked.asks(20, 31))
    assert (answer.status, answer.content) == (422, TRUE.checkpoint(20))
    fork, longer = witness.memory.contradictions()
    assert (fork.fork, fork.kept_note, fork.note) == (True, TRUE.checkpoint(20), forked.checkpoint(20))
    assert (longer.fork, longer.kept_note, longer.note) == (False, TRUE.checkpoint(20), forked.checkpoint(31))
    shown = run.invoke(app, ["witness", "show", str(witness.folder)])
    assert shown.exit_code == 1
    for words in ("CONTRADICTS ITSELF", "FORK", "NOT SHOWN TO EXTEND", TRUE.checkpoint(20), forked.checkpoint(20)):
        assert words in shown.output
    assert witness.add_checkpoint(TRUE.asks(20, 31)).status == 200
    witness.add_checkpoint(forked.asks(31, 31))
    assert [one.fork for one in witness.memory.contradictions()] == [True, True]


def test_a_fork_of_what_was_cosigned_long_ago_is_seen(witness: Witness) -> None:
    """An older database is put back and goes on otherwise: its first checkpoint of a size that was cosigned before gives it away, though
    the log asks from another size.
    """
    witness.add_checkpoint(TRUE.asks(0, 20))
    witness.add_checkpoint(TRUE.asks(20, 40))
    answer = witness.add_checkpoint(Leaves(altered=15).asks(10, 20))
    assert (answer.status, answer.content) == (409, "40\n")
    (fork,) = witness.memory.contradictions()
    assert (fork.fork, fork.size, fork.kept_note) == (True, 20, TRUE.checkpoint(20))


def test_a_wrong_proof_is_forgiven_once_the_right_one_comes(witness: Witness) -> None:
    """Anybody may send a checkpoint that the log signed with a proof that is none."""
    witness.add_checkpoint(TRUE.asks(0, 9))
    assert witness.add_checkpoint(AddCheckpoint(9, (bytes(32),), TRUE.checkpoint(20)).encoded().encode()).status == 422
    assert [one.fork for one in witness.memory.contradictions()] == [False]
    assert witness.add_checkpoint(TRUE.asks(9, 20)).status == 200
    assert witness.memory.contradictions() == []
    assert run.invoke(app, ["witness", "show", str(witness.folder)]).exit_code == 0


def test_what_was_not_shown_to_extend_is_settled_by_the_log_itself(witness: Witness) -> None:
    """It was sent with a proof that is none, and never again. Once more was cosigned, the tiles tell: it is part of that, or the log
    signed two trees. Tiles of another log settle nothing.
    """
    altered = Leaves(altered=7)
    witness.add_checkpoint(TRUE.asks(0, 9))
    for sent in (TRUE.checkpoint(20), altered.checkpoint(21)):
        wrong = AddCheckpoint(9, (bytes(32),), sent).encoded().encode()
        assert witness.add_checkpoint(wrong).status == 422

    def settled(log: Leaves) -> list[str]:
        return [said for _, said in settle(witness, ORIGIN, lambda size: log.node)]

    assert settled(TRUE) == [TOO_SMALL, TOO_SMALL]
    witness.add_checkpoint(TRUE.asks(9, 31))
    assert settled(altered) == [OTHER_TILES.format(size=31)] * 2
    assert [one.fork for one in witness.memory.contradictions()] == [False, False]
    assert settled(TRUE) == [SETTLED.format(size=31), FORKED.format(size=31)]
    assert [(one.size, one.fork) for one in witness.memory.contradictions()] == [(21, True)]
    assert settled(TRUE) == []
    command = run.invoke(app, ["witness", "settle", str(witness.folder), "https://log.example/log"])
    assert (command.exit_code, "nothing to settle" in command.output) == (1, True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=2, max_size=12))
def test_whatever_is_asked_at_once_one_tree_is_cosigned(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[bool, int]]
) -> None:
    """Two logs of one name, by threads that all ask at once and again from the size they are told: the trees that were cosigned are all
    parts of one.
    """
    witness = witnesses.begin(tmp_path_factory.mktemp("raced") / "witness", NAME)
    witness.trust(str(LOG.verifier))
    logs = {True: TRUE, False: Leaves(altered=0)}
    signed: list[tuple[bool, int]] = []
    together = threading.Barrier(len(asked))

    def ask(true: bool, size: int) -> None:
        together.wait()
        old = 0
        for _ in range(4):
            answer = witness.add_checkpoint(logs[true].asks(old, size))
            if answer.status == 200:
                signed.append((true, size))
            if answer.media_type != SIZE_TYPE or int(answer.content) > size:
                return
            old = int(answer.content)

    threads = [threading.Thread(target=ask, args=one) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({true for true, _ in signed}) == 1
    if len({true for true, _ in asked}) == 1:
        assert witness.memory.latest()[0].size == max(size for _, size in asked)


def test_it_is_on_the_disk_before_it_is_cosigned(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off while it signs: what it was about to cosign it remembers, and of that size cosigns nothing else."""

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    asked = TRUE.asks(0, 20)
    with monkeypatch.context() as patched:
        patched.setattr(Signer, "sign", cut)
        with pytest.raises(KeyboardInterrupt):
            witness.add_checkpoint(asked)
    again = witnesses.open_witness(witness.folder)
    assert again.add_checkpoint(Leaves(altered=0).asks(20, 20)).status == 409
    assert again.add_checkpoint(TRUE.asks(20, 20)).status == 200


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    """Made by command, its key for its owner alone; a second beginning, a foreign key and a lost memory are refused."""
    folder = tmp_path / "w"
    made = run.invoke(app, ["witness", "init", str(folder), "--name", NAME])
    assert made.exit_code == 0, made.output
    key = next(line.strip() for line in made.output.splitlines() if line.startswith(f"  {NAME}+"))
    assert Verifier.parse(key).kind == COSIGNATURE
    for name in ("key", "seen.sqlite"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert run.invoke(app, ["witness", "init", str(folder), "--name", NAME]).exit_code == 1
    assert "no spaces" in run.invoke(app, ["witness", "init", str(tmp_path / "x"), "--name", "a b"]).output
    for wrong in ("nonsense", key):
        assert run.invoke(app, ["witness", "trust", str(folder), wrong]).exit_code == 1
    for _ in range(2):
        assert run.invoke(app, ["witness", "trust", str(folder), str(LOG.verifier)]).exit_code == 0
    assert (folder / "trusted").read_text() == f"{LOG.verifier}\n"
    shown = run.invoke(app, ["witness", "show", str(folder)])
    assert (shown.exit_code, "nothing yet" in shown.output) == (0, True)
    assert "PRIVATE" not in made.output + shown.output
    (folder / "seen.sqlite").unlink()
    with pytest.raises(Invalid, match="forgot"):
        witnesses.open_witness(folder).add_checkpoint(TRUE.asks(0, 1))
    assert (
        TestClient(create_witness_app(witnesses.open_witness(folder)))
        .post("/add-checkpoint", content=TRUE.asks(0, 1))
        .status_code
        == 503
    )


@contextmanager
def served(witness: Witness) -> Iterator[str]:
    """The witness on a port of this machine; its address."""
    server = uvicorn.Server(uvicorn.Config(create_witness_app(witness), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def as_sent(log: Leaves, size: int) -> tuple[str, Prove]:
    """A checkpoint, and what leads to it."""
    return log.checkpoint(size), lambda old: log.proof(old, size)


def test_the_log_has_its_checkpoints_cosigned(witness: Witness) -> None:
    """Over a real connection: from the size that the witness says; a fork and a log put back are conflicts, with both notes."""
    with served(witness) as url:
        known = Known(witness.signer.verifier, url)
        for size, old in ((5, 0), (20, 0), (31, 7), (31, 31)):
            line = submit(*as_sent(TRUE, size), known, old)
            assert cosigned(witness, Answer(200, f"{line}\n"), TRUE.checkpoint(size))
        with pytest.raises(Conflict, match="does not extend") as fork:
            submit(*as_sent(Leaves(altered=7), 31), known, 31)
        assert TRUE.checkpoint(31) in fork.value.evidence
        assert Leaves(altered=7).checkpoint(31) in fork.value.evidence
        with pytest.raises(Conflict) as longer:
            submit(*as_sent(Leaves(altered=7), 40), known)
        assert longer.value.kept == TRUE.checkpoint(31)
        with pytest.raises(Conflict) as older:
            submit(*as_sent(TRUE, 20), known)
        assert (older.value.ahead, older.value.note) == (31, TRUE.checkpoint(20))
        with pytest.raises(NotCosigned, match="this key of the log"):
            submit(TRUE.checkpoint(40, STRANGER), lambda old: TRUE.proof(old, 40), known)
        elsewhere = Signer("elsewhere.example/log", bytes(32))
        with pytest.raises(NotCosigned, match="does not know this log"):
            submit(Checkpoint(elsewhere.name, 1, bytes(32)).signed(elsewhere).encoded(), lambda _: [], known)
        other = Signer.generate(NAME, COSIGNATURE).verifier
        with pytest.raises(NotCosigned, match="of its key that holds"):
            submit(*as_sent(TRUE, 40), Known(other, url))
    with pytest.raises(Unreachable, match="no answer"):
        submit(*as_sent(TRUE, 41), known)


def test_a_machine_that_is_no_witness(witness: Witness) -> None:
    """One that takes the connection and is silent, one that never ends its answer, and one that lets its headers, or what follows them,
    drip cost the time that was given, and no more.
    """
    for said in (
        [b""],
        [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LONGEST + 1)],
        [b"HTTP/1.1 200 OK\r\nX-Slow: ", *[b"x"] * 100],
        [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 100],
    ):
        drips = len(said) > 1
        with socket.create_server(("127.0.0.1", 0)) as listening:
            known = Known(witness.signer.verifier, f"http://127.0.0.1:{listening.getsockname()[1]}")
            thread = threading.Thread(target=answer_with, args=(listening, said))
            thread.start()
            with pytest.raises(Unreachable):
                submit(*as_sent(TRUE, 5), known, timeout=0.3)
            thread.join()
            assert len(said) > 50 or not drips, "it was heard to its end"


def answer_with(listening: socket.socket, said: list[bytes]) -> None:
    """Takes one connection, says something bit by bit, and waits until the other side has enough."""
    connection, _ = listening.accept()
    with connection, suppress(OSError):
        drips = len(said) > 1
        while said:
            connection.sendall(said.pop(0))
            time.sleep(0.1 if drips else 0)
        while connection.recv(65_536):
            pass


def test_witnesses_of_a_log_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, witness: Witness) -> None:
    """Added, shown, moved and removed; what is no key or no address is refused in words."""
    monkeypatch.setenv("STOCKPILE_LOG_FOLDER", str(tmp_path / "log"))
    command = ["log", "witness"]
    assert "log init" in run.invoke(app, [*command, "add", witness.verifier, "https://w.example"]).output
    (tmp_path / "log").mkdir()
    assert "no witness" in run.invoke(app, [*command, "show"]).output
    for wrong in (
        "ftp://w.example",
        "w.example",
        "https://w.example/a b",
        "https://w.example:port",
        "https://me:pin@w.example",
    ):
        assert "is no address" in run.invoke(app, [*command, "add", witness.verifier, wrong]).output, wrong
    assert "does not cosign" in run.invoke(app, [*command, "add", str(LOG.verifier), "https://w.example"]).output
    for url in ("https://old.example", "https://w.example/add-checkpoint"):
        assert run.invoke(app, [*command, "add", witness.verifier, url]).exit_code == 0
    assert read_witnesses(tmp_path / "log") == [Known(witness.signer.verifier, "https://w.example")]
    assert NAME in run.invoke(app, [*command, "show"]).output
    assert run.invoke(app, [*command, "remove", NAME]).exit_code == 0
    assert run.invoke(app, [*command, "remove", NAME]).exit_code == 1


def test_a_donor_pins_what_it_is_shown(tmp_path: Path) -> None:
    """From files: a first checkpoint, a later and an older one, and another tree of one size, which is told of from then on."""
    kept = tmp_path / "kept"

    def pin(note: str, *options: str) -> Result:
        (tmp_path / "given.txt").write_text(note, encoding="utf-8")
        return run.invoke(app, ["log", "pin", str(kept), str(tmp_path / "given.txt"), *options])

    assert "Give the log's key" in pin(TRUE.checkpoint(20)).output
    assert "nothing to compare" in pin(TRUE.checkpoint(20), "--key", str(LOG.verifier)).output
    assert "from a file alone" in pin(TRUE.checkpoint(31)).output
    older = pin(TRUE.checkpoint(9))
    assert (older.exit_code, "--latest" in older.output) == (0, True)
    back = pin(TRUE.checkpoint(9), "--latest")
    assert (back.exit_code, "went back" in back.output) == (1, True)
    forged = pin(TRUE.checkpoint(9, STRANGER))
    assert (forged.exit_code, "can't be believed" in forged.output) == (1, True)
    renamed = Checkpoint(f"{ORIGIN}-2", 1, bytes(32)).signed(Signer(f"{ORIGIN}-2", bytes(32)), LOG).encoded()
    assert "after a restore" in pin(renamed).output
    for note in (Leaves(altered=7).checkpoint(31), TRUE.checkpoint(20)):
        fork = pin(note)
        assert fork.exit_code == 1
        for words in ("two different trees of 31 leaves", TRUE.checkpoint(31), Leaves(altered=7).checkpoint(31)):
            assert words in fork.output
    for file in kept.glob("*/*-*.txt"):
        file.write_text(file.read_text().replace("\n20\n", "\n21\n"))
    assert "is not as it was kept" in pin(TRUE.checkpoint(40)).output
    assert "is no key" in pin(TRUE.checkpoint(40), "--key", "x").output


def test_a_donor_pins_from_the_log_itself(tmp_path: Path) -> None:
    """By proofs from the tiles: growth is shown, an altered leaf is found, and so are tiles that are not the checkpoint's."""
    pins = Pins(tmp_path)
    pins.trust([str(LOG.verifier)])
    altered = Leaves(altered=7)
    assert not pins.pin(TRUE.checkpoint(20), lambda _: TRUE.node, latest=True).shown
    grown = pins.pin(TRUE.checkpoint(256), lambda _: TRUE.node, latest=True)
    assert (len(grown.shown), grown.disagreements) == (1, [])
    assert [words[:9] for words, _, _ in pins.pin(TRUE.checkpoint(257), lambda _: altered.node).disagreements] == [
        "The tiles"
    ]
    found = pins.pin(altered.checkpoint(300), lambda _: altered.node, latest=True)
    assert ["altered: the 20 leaves" in words for words, _, _ in found.disagreements] == [True, False, False]

"""The books' log under the eyes of a witness: cosignatures are served, one that is away stops nobody, a conflict is an alarm."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from stockpile.errors import NotFound
from stockpile.fetching import Unreachable
from stockpile.log import beginning
from stockpile.log.alarms import all_alarms
from stockpile.log.reading import published, reading_log
from stockpile.log.sequencer import Sequencer
from stockpile.log.signer import LogSigner
from stockpile.log.witnesses import (
    FILE,
    Conflict,
    NotCosigned,
    Watched,
    Witness,
    add_witness,
    cosign_latest,
    remove_witness,
)
from stockpile.proof.checkpoint import Checkpoint, open_checkpoint
from stockpile.proof.note import Signer, Verifier
from stockpile.witness import witness as witnesses
from stockpile.witness.message import AddCheckpoint
from stockpile.witness.serving import create_witness_app
from tests.test_log import ORIGIN, hand_out
from tests.test_witness import NAME, served
from tests.world import RIFLES, Country


@pytest.fixture
def signer(country: Country, tmp_path: Path) -> LogSigner:
    """The small country's log has begun."""
    return beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)


@pytest.fixture
def watching(tmp_path: Path, signer: LogSigner) -> witnesses.Witness:
    """A donor's witness that trusts the books' log."""
    made = witnesses.begin(tmp_path / "witness", NAME)
    made.trust(signer.verifier)
    return made


def soon(what: Callable[[], object]) -> None:
    """Waits until something is so."""
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


def cosigners(country: Country, signer: LogSigner, watching: witnesses.Witness) -> list[str]:
    """Who cosigned the checkpoint that is served."""
    with reading_log(country.engine) as connection:
        note = published(connection).note
    opened = open_checkpoint(note, [Verifier.parse(signer.verifier), watching.signer.verifier])
    return [one.verifier.name for one in opened.witnesses]


def test_each_checkpoint_is_cosigned_beside_the_sequencer(
    country: Country, signer: LogSigner, watching: witnesses.Witness
) -> None:
    """A witness that is added while the log runs gets the latest checkpoint, then each; away, it holds nothing up, and back it gets the
    latest.
    """
    running, watched = Sequencer(country.engine, signer), Watched(country.engine, signer.folder)

    def step() -> None:
        running.step()
        watched.notice(running.published)

    try:
        step()
        with served(watching) as url:
            add_witness(signer.folder, watching.verifier, url)
            watched.notice(running.published)
            soon(lambda: cosigners(country, signer, watching) == [NAME])
            hand_out(country, RIFLES[0])
            step()
            soon(lambda: cosigners(country, signer, watching) == [NAME])
            assert watching.memory.latest()[0].size == signer.signed.size
        hand_out(country, RIFLES[1])
        begun = time.monotonic()
        step()
        assert time.monotonic() - begun < 5
        assert cosigners(country, signer, watching) == []
        (signer.folder / FILE).write_text("nonsense\n")
        watched.notice(running.published)
        (signer.folder / FILE).write_text("")
        watched.notice(running.published)
        with served(watching) as url:
            add_witness(signer.folder, watching.verifier, url)
            watched.notice(running.published)
            soon(lambda: cosigners(country, signer, watching) == [NAME])
        remove_witness(signer.folder, NAME)
        watched.notice(running.published)
        assert all_alarms(country.engine) == []
    finally:
        watched.end()
        running.close()


def test_a_witness_that_saw_another_log_is_an_alarm(
    country: Country, signer: LogSigner, watching: witnesses.Witness
) -> None:
    """Somebody with the log's key showed the witness another tree. The auditors get both notes, once; nothing is cosigned."""
    running = Sequencer(country.engine, signer)
    with pytest.raises(NotFound):
        cosign_latest(country.engine, Witness(watching.signer.verifier, "http://127.0.0.1:1"))
    running.step()
    size = running.published[1]
    thief = Signer.parse((signer.folder / "keys").read_text().split()[0])
    shown = Checkpoint(ORIGIN, size, bytes(32)).signed(thief).encoded()
    asked = TestClient(create_witness_app(watching)).post(
        "/add-checkpoint", content=AddCheckpoint(0, (), shown).encoded()
    )
    assert asked.status_code == 200
    with served(watching) as url:
        known = Witness(watching.signer.verifier, url)
        for _ in range(2):
            with pytest.raises(Conflict):
                cosign_latest(country.engine, known)
        hand_out(country, RIFLES[0])
        running.step()
        with pytest.raises(Conflict):
            cosign_latest(country.engine, known)
    running.close()
    (alarm,) = all_alarms(country.engine)
    assert alarm.kind == "witness conflict"
    assert NAME in alarm.words
    assert shown in (alarm.evidence or "")
    assert cosigners(country, signer, watching) == []
    assert [one.fork for one in watching.memory.contradictions()] == [True, False]


def test_a_witness_that_heard_more_than_the_log_has(
    country: Country, signer: LogSigner, watching: witnesses.Witness
) -> None:
    """The books went back behind what was cosigned: an alarm too. A witness that is away, or does not know the log, is none."""
    running = Sequencer(country.engine, signer)
    running.step()
    running.close()
    thief = Signer.parse((signer.folder / "keys").read_text().split()[0])
    watching.add_checkpoint(
        AddCheckpoint(0, (), Checkpoint(ORIGIN, 9_999, bytes(32)).signed(thief).encoded()).encoded().encode()
    )
    with served(watching) as url:
        known = Witness(watching.signer.verifier, url)
        with pytest.raises(Conflict):
            cosign_latest(country.engine, known)
        assert "9999 leaves" in (all_alarms(country.engine)[0].evidence or "")
        (watching.folder / "trusted").write_text("")
        with pytest.raises(NotCosigned):
            cosign_latest(country.engine, known)
    with pytest.raises(Unreachable):
        cosign_latest(country.engine, known)
    assert len(all_alarms(country.engine)) == 1

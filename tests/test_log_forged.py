"""Whoever runs the host, with its keys and every right on its database, rewrites the log, shows two, or puts an older one back. The books
by themselves are sound each time; whoever watches from outside tells.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stockpile.files import file_store
from stockpile.log import beginning
from stockpile.log import signer as signers
from stockpile.log.alarms import all_alarms
from stockpile.log.reading import published, reading_log
from stockpile.log.signer import KEYS, VERIFIERS, LogSigner, SignerRefuses
from stockpile.log.verify import verify
from stockpile.log.witnesses import Conflict, Witness, cosign_latest
from stockpile.proof.merkle import NodeReader, leaf_hash, root_of
from stockpile.witness import witness as witnesses
from stockpile.witness.pinning import Comparison, Pins
from tests.conftest import Databases
from tests.test_log import ORIGIN, caught_up, hand_out, in_the_log
from tests.test_log_begun_anew import sound, yesterday
from tests.test_witness import NAME, served
from tests.world import RIFLES, Country


@dataclass(frozen=True)
class Donor:
    """Somebody far away: what it was shown it keeps."""

    pins: Pins

    def looks(self, country: Country, latest: bool = True) -> Comparison:
        """Reads the host's checkpoint and tiles."""
        hashes = [leaf_hash(leaf) for leaf in in_the_log(country)]

        def nodes(size: int) -> NodeReader:
            return lambda level, index: root_of(hashes[index << level : (index + 1) << level])

        return self.pins.pin(checkpoint_of(country), nodes, latest)

    def is_told(self, country: Country) -> str:
        """What contradicts."""
        return " ".join(words for words, _, _ in self.looks(country).disagreements)


def checkpoint_of(country: Country) -> str:
    """What the host shows."""
    with reading_log(country.engine) as connection:
        return published(connection).note


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[tuple[witnesses.Witness, Witness]]:
    """A witness on a donor's machine, and as the host knows it."""
    made = witnesses.begin(tmp_path / "witness", NAME)
    with served(made) as url:
        yield made, Witness(made.signer.verifier, url)


def donor(tmp_path: Path, name: str, signer: LogSigner) -> Donor:
    """A donor who got the log's key by other hands."""
    pins = Pins(tmp_path / name)
    pins.trust([signer.verifier])
    return Donor(pins)


def test_the_whole_log_made_anew_with_a_stolen_key(
    country: Country, databases: Databases, tmp_path: Path, witness: tuple[witnesses.Witness, Witness]
) -> None:
    """Other rifles went out, in a log made from its first leaf under the log's own key. The donor's pins, its witness, and `verify` with a
    kept checkpoint each tell.
    """
    forged = yesterday(country, databases)
    signer = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    hand_out(country, RIFLES[0])
    caught_up(country, signer)
    usa, kept = donor(tmp_path, "USA", signer), checkpoint_of(country)
    witness[0].trust(signer.verifier)
    assert usa.looks(country).disagreements == []
    cosign_latest(country.engine, witness[1])

    thief = signers.begin(tmp_path / "thief", ORIGIN)
    for name in (KEYS, VERIFIERS):
        shutil.copy(signer.folder / name, thief.folder / name)
    beginning.begin_log(forged.engine, thief.folder, ORIGIN)
    hand_out(forged, RIFLES[1])
    caught_up(forged, thief)
    sound(forged)
    assert "two different trees of" in usa.is_told(forged)
    with pytest.raises(Conflict, match=f"{NAME} cosigned what the log {ORIGIN} does not extend"):
        cosign_latest(forged.engine, witness[1])
    assert [alarm.kind for alarm in all_alarms(forged.engine)] == ["witness conflict"]
    assert [one.fork for one in witness[0].memory.contradictions()] == [True]
    (wrong,) = verify(forged.engine, file_store(), go_on=True, since=kept).wrong
    assert (wrong.row, "made anew since" in wrong.what) == (f"the checkpoint that was given, of the log {ORIGIN}", True)
    forged.engine.dispose()


def test_two_donors_are_shown_two_logs(
    country: Country, databases: Databases, tmp_path: Path, witness: tuple[witnesses.Witness, Witness]
) -> None:
    """Each log is sound, and each donor satisfied, until one sees the other's checkpoint. A witness that both know cosigns one of them."""
    signer = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    caught_up(country, signer)
    other = yesterday(country, databases)
    thief = LogSigner(Path(shutil.copytree(signer.folder, tmp_path / "thief")))
    usa, france = donor(tmp_path, "USA", signer), donor(tmp_path, "FRA", signer)
    witness[0].trust(signer.verifier)
    for shown, keys, rifle in ((country, signer, RIFLES[0]), (other, thief, RIFLES[1])):
        hand_out(shown, rifle)
        caught_up(shown, keys)
        sound(shown)
    assert (usa.looks(country).disagreements, france.looks(other).disagreements) == ([], [])

    cosign_latest(country.engine, witness[1])
    with pytest.raises(Conflict):
        cosign_latest(other.engine, witness[1])
    assert (NAME in checkpoint_of(country), NAME in checkpoint_of(other)) == (True, False)
    assert NAME in all_alarms(other.engine)[0].words
    told = usa.pins.pin(checkpoint_of(other))
    assert [words for words, _, _ in told.disagreements] == [
        f"The log signed two different trees of {signer.signed.size:,} leaves."
    ]
    other.engine.dispose()


def test_an_older_backup_put_back_without_a_word(
    country: Country, databases: Databases, tmp_path: Path, witness: tuple[witnesses.Witness, Witness]
) -> None:
    """The signer refuses, and the auditors are told. Its memory put back too, it signs: now the donor is told that the log went back, and
    the witness holds more than the log has; grown beyond, that what was signed is not in it.
    """
    signer = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    caught_up(country, signer)
    older = yesterday(country, databases)
    thief = LogSigner(Path(shutil.copytree(signer.folder, tmp_path / "thief")))
    usa = donor(tmp_path, "USA", signer)
    witness[0].trust(signer.verifier)
    hand_out(country, RIFLES[0])
    caught_up(country, signer)
    usa.looks(country)
    cosign_latest(country.engine, witness[1])

    with pytest.raises(SignerRefuses, match="older than what was signed"):
        caught_up(older, signer)
    caught_up(older, thief)
    assert "went back" in usa.is_told(older)
    with pytest.raises(Conflict, match=NAME):
        cosign_latest(older.engine, witness[1])
    hand_out(older, *RIFLES[2:6])
    caught_up(older, thief)
    assert f"the {signer.signed.size:,} leaves that it signed before are not the first" in usa.is_told(older)
    assert sorted(alarm.kind for alarm in all_alarms(older.engine)) == ["signer refuses", "witness conflict"]
    older.engine.dispose()

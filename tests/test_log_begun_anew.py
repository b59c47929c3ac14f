"""The log after a loss: of the newest days, of what was signed last, of the keys. A new log goes on, says what is lost, and what was
signed before stays good; whatever is cut off in between is gone on with.
"""

from __future__ import annotations

import fcntl
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from typer.testing import CliRunner

from stockpile.cli import app
from stockpile.errors import Invalid, NotFound, Refused
from stockpile.files import file_store
from stockpile.log import beginning, tree
from stockpile.log.alarms import all_alarms
from stockpile.log.proofs import proof_of
from stockpile.log.reading import published, reading_log
from stockpile.log.signer import KEYS, MEMORY, VERIFIERS, LogSigner, MemoryLost, Signed
from stockpile.log.verify import verify
from stockpile.proof.check import check, check_text
from stockpile.proof.checkpoint import Checkpoint, open_checkpoint
from stockpile.proof.note import Signer, Verifier
from stockpile.witness.pinning import Comparison, Pins, ServedKeys
from tests.api_world import Web, served
from tests.conftest import Databases
from tests.test_log import ORIGIN, caught_up, hand_out, in_the_log, leaves_of_rows, sequencer
from tests.test_witnessed_log import soon
from tests.world import RIFLES, Country

web = pytest.fixture(served)


@pytest.fixture
def signer(country: Country, tmp_path: Path) -> Iterator[LogSigner]:
    """The small country's log has begun, and is signed."""
    begun = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    caught_up(country, begun)
    yield begun
    country.engine.dispose()


def signed_by(country: Country) -> set[str]:
    """Who of the log's own keys, by its leaves, signed the latest checkpoint."""
    with reading_log(country.engine) as connection:
        keys = connection.exec_driver_sql("SELECT content ->> 'key' FROM log_statement WHERE kind = 'key'").scalars()
        return {
            str(one.verifier)
            for one in open_checkpoint(published(connection).note, [*map(Verifier.parse, keys)]).signed
        }


def size_of_tree(country: Country, log: int = 1) -> int:
    """How many leaves are in a log's tree, signed or not."""
    with reading_log(country.engine) as connection:
        return tree.size_of(connection, log)


def restored_leaf(country: Country, log: int = 2) -> dict[str, Any]:
    """What the first leaf of a log says of the one before."""
    ((content,),) = country.query("SELECT content FROM log_statement WHERE kind = 'restored' AND log = %s", log)
    assert isinstance(content, dict)
    return content


def sound(country: Country) -> None:
    """Nothing is wrong, with no key but those that the log names."""
    assert verify(country.engine, file_store(), go_on=True).wrong == ()


def yesterday(country: Country, databases: Databases) -> Country:
    """The country as it is now, in another database."""
    country.engine.dispose()
    return country.on(databases.engine(databases.clone(str(country.engine.url.database))))


def test_what_was_signed_last_is_lost(country: Country, signer: LogSigner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signer signs nothing without it and sends its people to `log restored`: the newest checkpoint of the books is taken for the
    final one, and the command and the first leaf say that a later one may exist. The old key signs beside the new one.
    """
    first, ((final, size),) = signer.verifier, country.query("SELECT note, tree_size FROM checkpoint")
    running = sequencer(country, signer)
    running.step()
    (signer.folder / MEMORY).unlink()
    hand_out(country, RIFLES[0])
    with pytest.raises(MemoryLost, match="stockpile log restored"):
        running.step()
    assert size_of_tree(country) == size, "nothing lies in a tree that nobody signs"
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", country.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("STOCKPILE_LOG_FOLDER", str(signer.folder))
    said = " ".join(CliRunner().invoke(app, ["log", "restored"]).output.split())
    assert f"the newest checkpoint in the database, of {size} leaves, was taken for the final one" in said
    assert restored_leaf(country) == {
        "origin": ORIGIN, "checkpoint": final, "signed": size, "left": size, "lost": ["memory"],
    }  # fmt: skip
    caught_up(country, signer)
    assert len(signed_by(country)) == 2
    assert first in signed_by(country)
    assert set(in_the_log(country, 2)) | set(in_the_log(country, 1)) == leaves_of_rows(country)
    sound(country)
    with pytest.raises(Invalid, match="needs no new log"):
        beginning.begin_after_restore(country.engine, signer.folder)


@pytest.mark.parametrize("memory", ["lost", "left"])
def test_no_key_is_left(country: Country, signer: LogSigner, databases: Databases, memory: str) -> None:
    """Nobody makes new ones by being at the wrong machine. Said that none is left, a new one signs alone, and the first leaf says why.
    Where the signer's memory is left, it tells that the database is an older one.
    """
    restored = yesterday(country, databases)
    hand_out(country, RIFLES[0])
    caught_up(country, signer)
    signed, ((size,),) = signer.signed.size, restored.query("SELECT max(tree_size) FROM checkpoint")
    (signer.folder / KEYS).unlink()
    if memory == "lost":
        shutil.rmtree(signer.folder)
    with pytest.raises(NotFound, match=r"put back its copy.*--keys-lost"):
        beginning.begin_after_restore(restored.engine, signer.folder)
    told = beginning.begin_after_restore(restored.engine, signer.folder, keys_lost=True)
    assert told.lost == (("keys", "memory") if memory == "lost" else ("keys",))
    assert (told.signed, told.left) == ((size, size) if memory == "lost" else (signed, size))
    assert restored_leaf(restored)["lost"] == list(told.lost)
    caught_up(restored, LogSigner(signer.folder))
    assert signed_by(restored) == {LogSigner(signer.folder).verifier}
    sound(restored)


def test_damaged_keys_are_not_written_over(country: Country, signer: LogSigner) -> None:
    """They may be mended; whoever has no copy moves them away."""
    (signer.folder / KEYS).write_text("PRIVATE+KEY+torn")
    with pytest.raises(Invalid, match="put back the copy from the safe"):
        beginning.begin_after_restore(country.engine, signer.folder, keys_lost=True)
    assert (signer.folder / KEYS).read_text() == "PRIVATE+KEY+torn"


def test_keys_follow_one_another(country: Country, signer: LogSigner, databases: Databases) -> None:
    """Two new keys, a restore, and two more: each key is named by a leaf under a checkpoint that the one before signed, and everything
    is verified with the keys that the log names. Where the naming was cut off it is made up for, and no key that signed is dropped.
    """
    beginning.take_over_key(country.engine, signer.folder)
    with pytest.raises(Refused, match="signed no checkpoint yet"):
        beginning.take_over_key(country.engine, signer.folder)
    caught_up(country, signer)
    second = signer.verifier
    third = signer.take_over(second)
    assert beginning.take_over_key(country.engine, signer.folder) == third, "cut off before its leaf, and asked again"
    caught_up(country, signer)
    assert signed_by(country) == {second, third}

    restored = yesterday(country, databases)
    hand_out(country, RIFLES[0])
    caught_up(country, signer)
    beginning.begin_after_restore(restored.engine, signer.folder)
    caught_up(restored, signer)
    fourth = signer.verifier
    assert signed_by(restored) == {third, fourth}
    fifth = signer.take_over(fourth)
    hand_out(restored, RIFLES[1])
    running = sequencer(restored, signer)
    running.step()
    running.close()
    sixth = beginning.take_over_key(restored.engine, signer.folder)
    assert sixth != fifth, "the sequencer named the fifth when it began"
    caught_up(restored, signer)
    assert signed_by(restored) == {fifth, sixth}
    sound(restored)
    with pytest.raises(Invalid, match="made at the same time"):
        signer.take_over(fifth)


class Cut(Exception):
    """The process ends here."""


def test_a_restore_that_was_cut_off_is_gone_on_with(country: Country, signer: LogSigner, databases: Databases) -> None:
    """After the first leaf, and after the new key: it ends as it began, and the key's leaf is there once."""
    restored = yesterday(country, databases)
    hand_out(country, RIFLES[0])
    caught_up(country, signer)
    in_the_way = signer.folder / f"{KEYS}.new"
    in_the_way.mkdir()
    with pytest.raises(IsADirectoryError):
        beginning.begin_after_restore(restored.engine, signer.folder)
    in_the_way.rmdir()
    assert (signer.signed.origin, len(restored.query("SELECT FROM log_origin"))) == (ORIGIN, 2)

    def cut(connection: Any, cursor: Any, statement: str, *more: object) -> None:
        if "kind = 'key'" in statement:
            raise Cut

    event.listen(restored.engine, "before_cursor_execute", cut)
    with pytest.raises(Cut):
        beginning.begin_after_restore(restored.engine, signer.folder)
    event.remove(restored.engine, "before_cursor_execute", cut)
    assert signer.signed.origin == f"{ORIGIN}-2"
    caught_up(restored, signer)
    assert restored.query("SELECT count(*) FROM log_statement WHERE log = 2 AND kind = 'key'") == [(1,)]
    sound(restored)


def test_nobody_sequences_while_a_restore_is_declared(
    country: Country, signer: LogSigner, databases: Databases
) -> None:
    """A sequencer that looks between the books' new log and the signer's stands by, and raises no alarm. One that goes on is waited for."""
    restored = yesterday(country, databases)
    hand_out(country, RIFLES[0])
    caught_up(country, signer)
    looking = sequencer(restored, signer)
    declared = threading.Thread(target=beginning.begin_after_restore, args=(restored.engine, signer.folder))
    with (signer.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        declared.start()
        soon(lambda: len(restored.query("SELECT FROM log_origin")) == 2)
        assert looking.step() is None
    declared.join()
    assert looking.step()
    assert all_alarms(restored.engine) == []
    looking.close()


def test_a_proof_from_before_and_after_a_restore(country: Country, signer: LogSigner, databases: Databases) -> None:
    """What the old log holds is proven under it; what waited when the books were copied, or was in the tree and not signed yet, is in the
    new one.
    """

    class CutOff(LogSigner):
        def remember(self, signed: Signed) -> None:
            raise Cut

    cut_off = sequencer(country, CutOff(signer.folder))
    hand_out(country, RIFLES[1])
    with pytest.raises(Cut):
        cut_off.step()
    hand_out(country, RIFLES[1])
    restored = yesterday(country, databases)
    caught_up(country, signer)
    beginning.begin_after_restore(restored.engine, signer.folder)
    caught_up(restored, signer)
    hand_out(restored, RIFLES[1])
    caught_up(restored, signer)
    keys = [Verifier.parse(key) for key in (signer.folder / VERIFIERS).read_text().split()]
    bundle = proof_of(restored.engine, restored.actors["auditor"], restored.item(RIFLES[1]).item_id)
    found = check(bundle, keys)
    assert found.ok, found.failures
    assert [row.proof.checkpoint.split("\n")[0] for row in bundle.entries] == [ORIGIN, *[f"{ORIGIN}-2"] * 6]


def test_a_donor_follows_new_keys_and_a_restore(web: Web, tmp_path: Path, databases: Databases) -> None:
    """It trusts the first key. Two new keys, a restore and one more: it takes each up, as the key before vouches for it, in its pins and in
    a proof. It keeps more of the old log than the restore declares: it is told. A key made where all were lost it has to be given.
    """
    country = web.country
    signer = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    caught_up(country, signer)
    first, kept = signer.verifier, Pins(tmp_path / "kept")
    kept.trust([first])

    def pin() -> Comparison:
        served = ServedKeys.parse(web.get("USA", "/log/keys").content)
        return kept.pin(web.get("USA", "/log/checkpoint").text, latest=True, served=served)

    assert pin().keys == []
    for _ in range(2):
        beginning.take_over_key(country.engine, signer.folder)
        caught_up(country, signer)
    (signer.folder / MEMORY).unlink()
    ahead = Checkpoint(ORIGIN, 999, bytes(32)).signed(Signer.parse((signer.folder / KEYS).read_text().split()[-1]))
    beginning.begin_after_restore(country.engine, signer.folder)
    hand_out(country, RIFLES[0])
    caught_up(country, signer)
    bundle = f"/v1/weapons/{country.item(RIFLES[0]).item_id}/proof"
    found = check_text(web.get("auditor", bundle).text, [Verifier.parse(first)])
    assert found.ok, found.failures
    assert ["is vouched for by" in line for line in found.proven[:4]] == [True, True, True, False]
    done = pin()
    assert [key.split(" is vouched")[0].split(" ")[-1] for key in done.keys] == [ORIGIN, ORIGIN, f"{ORIGIN}-2"]
    assert (len(kept.keys()), done.disagreements) == (4, [])
    kept.pin(ahead.encoded())
    assert "You keep its checkpoint of 999" in "".join(pin().open)

    shutil.rmtree(signer.folder)
    beginning.begin_after_restore(country.engine, signer.folder, keys_lost=True)
    hand_out(country, RIFLES[0])
    caught_up(country, signer)
    with pytest.raises(Invalid, match=r"No key that you trust vouches.*keys before it were lost.*--key") as told:
        pin()
    assert signer.verifier in str(told.value)
    assert (
        "nor one that vouches for its own" in check_text(web.get("auditor", bundle).text, kept.keys()).failures[-1].why
    )
    kept.trust([signer.verifier])
    assert pin().disagreements == []

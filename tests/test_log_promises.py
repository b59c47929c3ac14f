"""What the log promises whoever runs it, reads it or stands in it: two processes do as well as one, it shows nothing of which weapons
moved, and an erased person takes no proof along.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from stockpile.log import beginning
from stockpile.log.proofs import proof_of
from stockpile.log.reading import hash_tile, leaf_tile, published, reading_log
from stockpile.proof.check import check_text
from stockpile.proof.note import Verifier
from tests.conftest import Databases
from tests.test_erasure import erased, lived
from tests.test_log import ORIGIN, caught_up, hand_out, in_the_log, leaves_of_rows
from tests.test_witnessed_log import soon
from tests.world import RIFLES, Country

__all__ = ["lived"]


def sequencing(country: Country, folder: Path) -> subprocess.Popen[bytes]:
    """The process that a service has beside it."""
    settings = {
        "STOCKPILE_DATABASE_URL": country.engine.url.render_as_string(hide_password=False),
        "STOCKPILE_LOG_FOLDER": str(folder),
    }
    return subprocess.Popen([sys.executable, "-m", "stockpile.log.sequencing"], env={**os.environ, **settings})


def signed(country: Country) -> int:
    """How many leaves are under a checkpoint."""
    return int(country.query("SELECT coalesce(max(tree_size), 0) FROM checkpoint")[0][0])


def test_two_service_processes_at_once(country: Country, tmp_path: Path) -> None:
    """Both sequence one database with one folder, while people post; the one that does is killed, and the other goes on where it was."""
    signer = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    first = sequencing(country, signer.folder)
    try:
        soon(lambda: signed(country) > 1)
        second = sequencing(country, signer.folder)
        try:
            for rifle in RIFLES[:4]:
                hand_out(country, rifle)
            first.kill()
            first.wait()
            hand_out(country, RIFLES[4])
            soon(lambda: signed(country) == len(leaves_of_rows(country)))
            assert second.poll() is None
        finally:
            second.terminate()
            second.wait()
    finally:
        first.kill()
        first.wait()
    assert set(in_the_log(country)) == leaves_of_rows(country)
    assert country.query("SELECT FROM log_alarm") == []
    country.engine.dispose()


def test_worlds_that_differ_only_in_which_weapons_moved(
    country: Country, databases: Databases, template: tuple[str, Country], tmp_path: Path
) -> None:
    """Their logs have as many leaves, of the same kinds in the same order, in tiles of the same size; only the bytes of tags and
    commitments differ, and all of them do.
    """
    other = country.on(databases.engine(databases.clone(template[0])))
    shown = []
    for name, world, rifles in (("one", country, RIFLES[:3]), ("other", other, RIFLES[5:8])):
        signer = beginning.begin_log(world.engine, tmp_path / name, ORIGIN)
        hand_out(world, *rifles)
        caught_up(world, signer)
        with reading_log(world.engine) as connection:
            latest = published(connection)
            width = latest.size
            shown.append((leaf_tile(connection, latest, 0, width), hash_tile(connection, latest, 0, 0, width), latest))
        world.engine.dispose()
    (one, one_hashes, one_checkpoint), (another, other_hashes, other_checkpoint) = shown
    assert [(leaf[0], len(leaf)) for leaf in one] == [(leaf[0], len(leaf)) for leaf in another]
    assert (len(one_hashes), one_checkpoint.size) == (len(other_hashes), other_checkpoint.size)
    assert len(one_checkpoint.note) == len(other_checkpoint.note)
    new = one_checkpoint.size - 2 * (3 + 1)
    for leaf, twin in zip(one[new:], another[new:], strict=True):
        assert leaf[1:33] != twin[1:33]
        assert leaf[33:] != twin[33:]


def test_erasing_a_person_changes_no_proof(lived: Country, tmp_path: Path) -> None:
    """Of a weapon that he drew, before and after: byte for byte the same file under one checkpoint. Under the next, which holds the
    erasure, the same leaves in the same places, and the old file is still proven.
    """
    signer = beginning.begin_log(lived.engine, tmp_path / "log", ORIGIN)
    caught_up(lived, signer)
    item, auditor = lived.item(RIFLES[0]).item_id, lived.actors["auditor"]
    kept = (ORIGIN, signer.signed.size)
    before = proof_of(lived.engine, auditor, item, [kept])
    checkpoint = signer.last_checkpoint()
    erased(lived, redact_all=True)
    assert proof_of(lived.engine, auditor, item, [kept]).encoded() == before.encoded()
    caught_up(lived, signer)
    after = proof_of(lived.engine, auditor, item, [kept])
    for one, other in zip((*before.entries, *before.documents), (*after.entries, *after.documents), strict=True):
        assert (one.leaf(), one.fields, one.proof.index) == (other.leaf(), other.fields, other.proof.index)
    for bundle in (before, after):
        found = check_text(bundle.encoded(), [Verifier.parse(signer.verifier)], checkpoint)
        assert found.ok, found.failures
    lived.engine.dispose()

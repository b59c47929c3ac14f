"""The bytes of leaves, against vectors that openssl and xxd made by hand (docs/log.md)."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpile.log import leaf_making
from stockpile.log.leaf import (
    document_leaf,
    entries_digest,
    entry_leaf,
    erasure_leaf,
    moment_text,
    name_value,
    note_leaf,
    person_digest,
    value_bytes,
)
from stockpile.proof.commitment import entry_tag, field_digest, field_salt, hmac_sha256
from stockpile.registers.keep import cells_json, lines_digest

SEED, SECRET, PARTY = b"\x11" * 32, b"\x22" * 32, b"\x33" * 32
VECTORS = (Path(__file__).parent.parent / "docs" / "log.md").read_text(encoding="utf-8")


def key(number: int) -> UUID:
    return UUID(f"0190b5a0-0000-7000-8000-{number:012}")


EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)
RECORDED = EIGHT + timedelta(milliseconds=250)
ENTRY = [
    value_bytes(value)
    for value in (
        key(1), 1, key(2), 1, key(3), key(4), key(5), "КТ 449921", 1, UUID("00000000-0000-7000-8000-000000000000"),
        "outside", key(6), "store", "serviceable", EIGHT, RECORDED, None, None, None,
    )
]  # fmt: skip


def published(label: str) -> str:
    """The vector that the documentation gives for a label."""
    (line,) = [line for line in VECTORS.splitlines() if line.startswith(f"| {label} |")]
    return line.split("|")[2].strip().strip("`")


def test_a_field_is_salted_by_the_seed_and_its_name() -> None:
    assert field_salt(SEED, "quantity").hex() == published("salt of `quantity`")
    assert field_digest(field_salt(SEED, "quantity"), "quantity", b"1").hex() == published("digest of `quantity` = `1`")


def test_an_entry_s_leaf_is_kind_tag_and_commitment() -> None:
    leaf = entry_leaf(SECRET, SEED, ENTRY, 1)
    assert len(leaf) == 65
    assert leaf[0] == 1
    assert leaf[1:33].hex() == entry_tag(SECRET, 1).hex() == published("tag of the item's version 1")
    assert leaf[33:].hex() == published("commitment of the entry below")


def test_a_document_commits_header_entries_and_persons() -> None:
    person = person_digest(PARTY, key(2), "posted_by", name_value("T-1", "Tалиб", "Sergeant", 1))
    assert person.hex() == published("`posted_by` of the document below")
    entries = entries_digest([entry_leaf(SECRET, SEED, ENTRY, 1)])
    assert entries.hex() == published("its `entries`")
    header: dict[str, object] = {
        "document_id": key(2), "site_id": key(3), "number": "TAJI/B/2026/41", "act": "receive", "fact": False,
        "undo": False, "happened_at": RECORDED, "happened_precision": "second", "recorded_at": RECORDED,
        "clock_offset": 0, "line_count": 1, "quantity": 1, "details": {"paper": "receiving report"}, "attachments": [],
        "content_hash": b"\x44" * 32, "entries": entries,
    }  # fmt: skip
    assert document_leaf(SEED, header, {"posted_by": person}).hex() == published("leaf of the document below")


def test_a_register_commits_every_row() -> None:
    rows = [(2, cells_json(("AKM", "KT 449921"))), (3, cells_json(("АКМ", "٤٤٩")))]
    assert lines_digest(rows).hex() == published(
        '`lines_digest` of the rows `[2,"AKM","KT 449921"]` and `[3,"АКМ","٤٤٩"]`'
    )
    assert lines_digest(rows[::-1]) != lines_digest(rows)


TALIB = name_value("T-1", "Tалиб", "Sergeant", 1)


def test_a_note_commits_what_it_says_and_who_wrote_it() -> None:
    writer = person_digest(PARTY, key(7), "written_by", TALIB)
    assert writer.hex() == published("`written_by` of the note below")
    header: dict[str, object] = {
        "note_id": key(7), "site_id": key(3), "document_id": key(2), "kind": "signature", "text": "Подписано",
        "attachments": ["44" * 32], "happened_at": EIGHT, "recorded_at": RECORDED, "content_hash": b"\x44" * 32,
    }  # fmt: skip
    assert note_leaf(SEED, header, writer).hex() == published("leaf of the note below")


def test_an_erasure_commits_what_went_by_whose_order() -> None:
    persons = {
        "asked_by": person_digest(PARTY, key(8), "asked_by", TALIB),
        "approved_by": person_digest(b"\x55" * 32, key(8), "approved_by", name_value("C-1", "Carim", None, 2)),
    }
    assert persons["approved_by"].hex() == published("`approved_by` of the erasure below")
    register = {"register": str(key(10)), "lines": [2, 5], "before": "66" * 32, "after": "77" * 32}
    header: dict[str, object] = {
        "erasure_id": key(8), "party_id": key(9), "order_reference": "MOD 117/2026", "reason": "Court order",
        "files": ["44" * 32], "registers": [register], "erased": {"names": 2, "register lines": 2}, "asked_at": EIGHT,
        "recorded_at": RECORDED,
    }  # fmt: skip
    assert erasure_leaf(SEED, header, persons).hex() == published("leaf of the erasure below")


@given(st.binary(max_size=64), st.binary(max_size=200))
def test_our_hmac_is_everybody_s_hmac(secret: bytes, message: bytes) -> None:
    assert hmac_sha256(secret, message) == hmac.digest(secret, message, "sha256")


@given(st.integers(0, 18), st.binary(min_size=1, max_size=40))
def test_a_changed_field_changes_the_leaf(place: int, other: bytes) -> None:
    """Whatever field somebody alters, the leaf no longer fits."""
    changed = [*ENTRY]
    changed[place] = (changed[place] or b"") + other
    assert entry_leaf(SECRET, SEED, changed, 1) != entry_leaf(SECRET, SEED, ENTRY, 1)


def test_the_same_soldier_in_two_documents_cannot_be_linked() -> None:
    value = name_value("A-1", "Petrov", None, 1)
    assert person_digest(PARTY, key(2), "received_by", value) != person_digest(PARTY, key(3), "received_by", value)


def test_a_moment_is_written_in_utc_whatever_clock_showed_it() -> None:
    baghdad = EIGHT.astimezone(timezone(timedelta(hours=3)))
    assert moment_text(baghdad) == moment_text(EIGHT) == "2026-11-24T08:00:00.000000Z"


def test_processes_that_stay_make_the_same_leaves() -> None:
    """Batch after batch, in order; of one that is ended the leaves fail whole; and whoever stops early leaves no process behind."""
    rows = [(SECRET, n.to_bytes(32, "big"), ENTRY, n) for n in range(leaf_making.MANY)]
    expected = [entry_leaf(*row) for row in rows]
    assert leaf_making.begin(rows)() == expected
    with leaf_making.workshop() as begin:
        first, second = begin(rows), begin(rows[::-1])
        assert (first(), second()) == (expected, expected[::-1])
        assert begin(rows[:2])() == expected[:2]
    children = set(psutil.Process().children())

    def stops_early() -> None:
        with leaf_making.workshop() as begin:
            begin(rows)
            for child in set(psutil.Process().children()) - children:
                child.kill()
            begin(rows)()

    with pytest.raises(leaf_making.WorkerDied):
        stops_early()
    assert set(psutil.Process().children()) == children

"""Stories of a donor with a file and a key: what a check says of whole files, of changed ones, and of others' histories;
with nothing of the service but `stockpile/proof`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from labels.marks import square
from labels.tags import Code
from stockpile.cli import app
from stockpile.log.leaf import ENTRY_FIELDS, entry_leaf
from stockpile.proof.bundle import Bundle, base45, build, fields_of, from_base45
from stockpile.proof.check import NO_PINNED, NO_WITNESS, NOTHING_FOLLOWS, check_text
from stockpile.proof.commitment import ENTRY
from stockpile.proof.later import find_later, leaves_of
from stockpile.proof.merkle import Tree, inclusion_proof, leaf_hash
from stockpile.proof.note import Malformed, Verifier
from stockpile.proof.tlog_proof import TlogProof
from tests import proofs

PROOF = Path(__file__).parents[1] / "stockpile" / "proof"
ALL_KEYS = [Verifier.parse(proofs.KEYS["log"]), Verifier.parse(proofs.KEYS["witness"])]


@pytest.mark.parametrize("case", proofs.CASES, ids=lambda case: case["case"])
def test_every_case_of_the_table(case: dict[str, Any]) -> None:
    found = proofs.findings_of(case)
    assert (found.ok, [str(failure) for failure in found.failures]) == (case["ok"], case["failed"])
    assert found.headline.startswith("PROVEN, up to checkpoint 21" if case["ok"] else "NOT PROVEN")


def test_what_is_proven_and_what_is_not() -> None:
    found = check_text(proofs.bundle().encoded(), ALL_KEYS)
    lines = list(found.lines())
    assert lines[0] == "PROVEN, up to checkpoint 21 of the log armoury.example/log."
    assert "Proven: entry 2 is leaf 8 of the log armoury.example/log at checkpoint 21. It says:" in lines
    assert "  serial_number: КТ 449921" in lines
    assert (
        "Proven: The witness donor.example/witness saw checkpoint 21 of armoury.example/log at 2026-11-18 11:06:40 UTC."
        in lines
    )
    assert {NOTHING_FOLLOWS, NO_PINNED} <= set(found.not_proven)
    assert NO_WITNESS not in found.not_proven
    kept = check_text(proofs.bundle().encoded(), ALL_KEYS[:1], proofs.PINNED["nine leaves"]())
    assert NO_PINNED not in kept.not_proven
    assert NO_WITNESS in kept.not_proven
    assert (
        "Nothing in the log armoury.example/log was changed or taken out between checkpoint 9 and checkpoint 21."
        in kept.proven
    )
    assert "posted_by" in next(line for line in found.not_proven if "TAJI/B/2026/42" in line)


def test_a_bundle_opens_the_same_leaf_that_posting_wrote() -> None:
    """The leaf of a row taken apart is the leaf as `stockpile.log.leaf` writes it, whichever fields are opened."""
    seed, values = b"\x11" * 32, {name: name.encode() for name in ENTRY_FIELDS if name != "reverses"}
    written = entry_leaf(proofs.SECRET, seed, [values.get(name) for name in ENTRY_FIELDS], 1)
    tag = written[1:33]
    for opening in ((), ("item_id",), ("reverses", "quantity"), ENTRY_FIELDS):
        leaf = proofs.Leaf(ENTRY, tag, fields_of(ENTRY, seed, values, opening))
        assert leaf.bytes() == written
        assert set(leaf.row(TlogProof(0, (), "")).values()) == set(opening)


def test_a_bundle_is_read_as_it_was_written() -> None:
    whole = proofs.bundle()
    assert Bundle.parse(whole.encoded()) == whole
    assert Bundle.parse(whole.compact(0)).entries == whole.entries[:1]
    with pytest.raises(ValueError, match="at least one entry"):
        build("AKM", [])
    with pytest.raises(ValueError, match="has the fields item_id"):
        build("AKM", [proofs.Leaf(ENTRY, b"\0" * 32, ()).row(TlogProof(0, (), ""))])


def every_byte_changed(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a file something can be changed: the path to each text."""
    if isinstance(value, dict):
        return [found for key, one in value.items() for found in every_byte_changed(one, (*path, key))]
    if isinstance(value, list):
        return [found for at, one in enumerate(value) for found in every_byte_changed(one, (*path, at))]
    return [path] if isinstance(value, str) else []


def test_whatever_is_changed_in_a_bundle_is_found() -> None:
    """One character of each text in the file: salts, digests, values, tags, proofs, checkpoints, leaves."""
    whole = json.loads(proofs.bundle().encoded())
    pinned = proofs.PINNED["nine leaves"]()
    said = list(check_text(json.dumps(whole), ALL_KEYS, pinned).lines())
    for path in every_byte_changed(whole):
        for where in (0, 0.35, 0.7, 0.999):
            changed = json.loads(json.dumps(whole))
            place = changed
            for step in path[:-1]:
                place = place[step]
            text = place[path[-1]]
            at = int(len(text) * where)
            place[path[-1]] = text[:at] + ("1" if text[at : at + 1] != "1" else "2") + text[at + 1 :]
            found = check_text(json.dumps(changed), ALL_KEYS, pinned)
            assert not found.ok or path == ("weapon",) or list(found.lines()) != said, (path, at)
            if path[-1] in ("tag", "salt", "digest", "value"):
                assert not found.ok, (path, at)


ANYTHING = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(st.text() | ANYTHING.map(json.dumps))
@settings(max_examples=200, deadline=None)
def test_no_file_breaks_the_checker(text: str) -> None:
    assert not check_text(text, ALL_KEYS).ok
    assert not check_text("SP1:" + text, ALL_KEYS).ok


@pytest.mark.parametrize("part", ["entries", "documents", "growth"])
@pytest.mark.parametrize("wrong", [None, 7, "text", [7], [[]], [{}], {"a": 1}, [{"tag": 1, "fields": 2, "proof": 3}]])
def test_what_is_no_list_of_rows_is_said(part: str, wrong: object) -> None:
    plain = json.loads(proofs.bundle().encoded())
    plain[part] = wrong
    found = check_text(json.dumps(plain), ALL_KEYS)
    assert not found.ok
    assert "or it is damaged" in str(found.failures[0])


def test_base45_is_that_of_its_rfc() -> None:
    """The examples of RFC 9285, and what it forbids."""
    for plain, encoded in (
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
    ):
        assert base45(plain) == encoded
        assert from_base45(encoded) == plain
    for wrong in ("GGW", ":::", "A", "a00", "::"):
        with pytest.raises(Malformed):
            from_base45(wrong)


def test_a_qr_code_holds_an_entry_of_a_log_of_a_million() -> None:
    """With the longest inclusion proof, the opened fields a donor needs and a cosignature, in one readable code."""
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(1 << 12)]
    grown = Tree().append(leaves)
    nodes = {(g.level, g.first + at): value for g in grown for at, value in enumerate(g.hashes)}
    hashes = inclusion_proof(5, 1 << 12, lambda level, index: nodes[level, index])
    more = [sha256(bytes([number])).digest() for number in range(8)]
    row = proofs.entry(2, 1, 2)
    fields = tuple(
        field
        if field.name in ("serial_number", "to_class", "happened_at", "version")
        else type(field)(field.name, field.digest)
        for field in row.fields
    )
    proof = TlogProof(5, (*hashes, *more), proofs.books()[0].checkpoint(21).encoded())
    text = build("AKM КТ 449921", [proofs.Leaf(ENTRY, row.tag, fields).row(proof)]).compact()
    assert len(text) < 3100
    assert re.fullmatch(r"[0-9A-Z $%*+./:-]+", text)
    assert square(Code.QR, text)


def test_with_the_secret_a_donor_finds_later_entries() -> None:
    """In a copy of the log, whatever order its leaves stand in; without the secret nothing is found."""
    log, _, _ = proofs.books()
    found = find_later(log.leaves, proofs.SECRET)
    assert [(one.version, one.index) for one in found] == [(1, 2), (2, 8), (3, 13)]
    assert [one.version for one in find_later(log.leaves, proofs.SECRET, from_version=3)] == [3]
    assert [one.index for one in find_later(reversed(log.leaves), proofs.SECRET)] == [18, 12, 7]
    assert [one.index for one in find_later(log.leaves[5:], proofs.SECRET, first=5)] == [8, 13]
    assert find_later(log.leaves, b"\x09" * 32) == []
    many = [proofs.entry(version, 1, 1).bytes() for version in range(1, 9)] * 1
    assert len(find_later(many, proofs.SECRET)) == 8
    packed = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in log.leaves)
    assert list(leaves_of(packed)) == list(log.leaves)
    with pytest.raises(Malformed, match="cut off"):
        list(leaves_of(packed[:-1]))


class Asked:
    """What the command line answered."""

    def __init__(self, *words: object) -> None:
        from stockpile.commands import shown

        shown.out.width = shown.errors.width = shown.WIDE
        with shown.out.capture() as said, shown.errors.capture() as complained:
            answer = CliRunner().invoke(app, ["check-proof", *map(str, words)])
        self.status, self.text = answer.exit_code, said.get() + complained.get() + answer.output


def test_the_command_says_what_the_check_found(tmp_path: Path) -> None:
    file, kept, keys, secret = (tmp_path / name for name in ("rifle.proof", "kept", "keys", "secret"))
    file.write_text(proofs.bundle().encoded(), encoding="utf-8")
    kept.write_text(proofs.PINNED["nine leaves"](), encoding="utf-8")
    keys.write_text(f"{proofs.KEYS['log']}\n\n{proofs.KEYS['witness']}\n", encoding="utf-8")
    secret.write_text(proofs.SECRET.hex() + "\n", encoding="utf-8")
    whole = Asked(file, "--key", keys, "--pinned", kept, "--secret-file", secret)
    expected = check_text(file.read_text(encoding="utf-8"), ALL_KEYS, kept.read_text(encoding="utf-8"), proofs.SECRET)
    assert (whole.status, whole.text.splitlines()) == (0, list(expected.lines()))
    file.write_text(proofs.bundle().compact() + "\n", encoding="utf-8")
    assert Asked(file, "--key", proofs.KEYS["log"]).status == 0
    forged = proofs.bundle().encoded().replace("КТ 449921", "КТ 449922")
    file.write_text(forged, encoding="utf-8")
    failed = Asked(file, "--key", proofs.KEYS["log"])
    assert failed.status == 1
    assert "Failed: AKM КТ 449922, entry 1, inclusion" in failed.text


def test_the_command_helps_who_mistypes(tmp_path: Path) -> None:
    file = tmp_path / "rifle.proof"
    file.write_bytes(b"\xff")
    for words, said in (
        ((file, "--key", proofs.KEYS["log"]), "it is not text in UTF-8"),
        ((tmp_path / "none", "--key", proofs.KEYS["log"]), "No such file"),
        ((file, "--key", proofs.KEYS["log"][:-4]), "--key: "),
        ((file, "--key", tmp_path / "no key"), "No such file"),
        ((file, "--key", proofs.KEYS["log"], "--secret-file", file), "it is not text in UTF-8"),
    ):
        answer = Asked(*words)
        assert answer.status == 1
        assert said in answer.text


def test_entries_are_found_in_a_copy_of_the_log(tmp_path: Path) -> None:
    copy, secret = tmp_path / "000", tmp_path / "secret"
    copy.write_bytes(b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in proofs.books()[0].leaves))
    secret.write_text(proofs.SECRET.hex(), encoding="utf-8")
    from stockpile.commands import shown

    def ask(*words: object) -> str:
        with shown.out.capture() as said, shown.errors.capture() as complained:
            CliRunner().invoke(app, ["find-entries", str(copy), "--secret-file", str(secret), *map(str, words)])
        return said.get() + complained.get()

    assert ask("--from-version", 2) == "entry 2 at leaf 8\nentry 3 at leaf 13\n"
    assert "may be in a later one" in ask("--from-version", 4)
    copy.write_bytes(copy.read_bytes()[:-1])
    assert "cut off" in ask()


def test_the_package_stands_alone(tmp_path: Path) -> None:
    """Carried away under another name, without anything of the service, it still checks."""
    copytree(PROOF, tmp_path / "carried", ignore=lambda folder, names: [name for name in names if "pycache" in name])
    file = tmp_path / "rifle.proof"
    file.write_text(proofs.bundle().encoded(), encoding="utf-8")
    script = (
        "import sys; from carried.check import check_text; from carried.note import Verifier\n"
        "found = check_text(open(sys.argv[1], encoding='utf-8').read(), [Verifier.parse(sys.argv[2])])\n"
        "print(found.headline, [name for name in sys.modules if name.startswith('stockpile')])"
    )
    command = [sys.executable, "-c", script, str(file), proofs.KEYS["log"]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONUTF8": "1"})
    assert done.stdout == "PROVEN, up to checkpoint 21 of the log armoury.example/log. []\n"


def test_the_page_of_the_manual_tells_the_file_as_it_is() -> None:
    """docs/proofs.md names what the file holds, the checks by the names that failures bear, and the command's options."""
    page = (PROOF.parents[1] / "docs" / "proofs.md").read_text(encoding="utf-8")
    plain = json.loads(proofs.bundle().encoded())
    for name in (*plain, *plain["documents"][1], *plain["growth"][0], *plain["entries"][0]["fields"][0]):
        assert f'"{name}"' in page
    failed = [words for case in proofs.CASES for words in case["failed"] if not words.startswith("the file")]
    checks = {match[1] for words in failed if (match := re.match(r".*?, ?([a-z ]+): ", words))}
    table = page.partition("## What is checked")[2].partition("## The file")[0]
    assert checks
    assert [check for check in checks if check not in table] == []
    for option in ("--key", "--pinned", "--secret-file"):
        assert option in page

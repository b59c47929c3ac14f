"""An audit package leaves the country: a report with its rows, the checkpoint and the proofs, checked far away from these books. Each
byte that somebody changes on the way is named.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stockpile.acts.issue import ISSUE
from stockpile.cli import app
from stockpile.log import beginning
from stockpile.log.signer import LogSigner
from stockpile.proof.check import Findings
from stockpile.proof.checkpoint import Checkpoint, open_checkpoint
from stockpile.proof.merkle import ProofFailed
from stockpile.proof.note import Note, Signer, Verifier, sign_note
from stockpile.proof.package import STATEMENT, check_package, statement
from tests import test_report_files
from tests.api_world import Web, problem, served
from tests.reading_pages import visit
from tests.test_identification_commands import ran
from tests.test_log import ORIGIN, caught_up
from tests.test_report_files import Command
from tests.world import RIFLES, Country, scans

web = pytest.fixture(served)
stockpile = pytest.fixture(test_report_files.stockpile.__wrapped__)


@pytest.fixture
def signer(country: Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LogSigner:
    """The small country's log, with its keys on this machine; two rifles are out."""
    monkeypatch.setenv("STOCKPILE_LOG_FOLDER", str(tmp_path / "log"))
    begun = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:2]))
    caught_up(country, begun)
    return begun


def package(web: Web, who: str = "auditor", **more: Any) -> bytes:
    """The package of who has the two rifles."""
    answer = web.get(who, "/v1/audit-packages", report="/weapons", asked="class=person", **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    return answer.content


def checked(packed: bytes, signer: LogSigner, pinned: str | None = None) -> Findings:
    return check_package(packed, [Verifier.parse(signer.verifier)], pinned)


def unpacked(packed: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed_again(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def test_checked_far_away(web: Web, signer: LogSigner, tmp_path: Path) -> None:
    """With the file and the log's key alone. It grew out of the checkpoint that the receiver kept."""
    early, size = signer.last_checkpoint(), signer.signed.size
    web.country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[2]))
    caught_up(web.country, signer)
    packed = package(web, origin=ORIGIN, size=size)
    found = checked(packed, signer, early)
    assert found.ok, list(found.lines())
    said = "\n".join(found.lines())
    assert "PROVEN, up to checkpoint" in said
    assert "Nothing in the log" in said
    assert "class: person" in said
    assert f"serial_number: {RIFLES[2]}" in said
    files = unpacked(packed)
    rows = json.loads(files["rows.json"])
    assert {row["serial_number"] for row in rows} == set(RIFLES[:3])
    assert files["rows.csv"].decode("utf-8-sig").count("\r\n") == 4
    assert b"<script" not in files["report.html"]
    assert sorted(name for name in files if name.startswith("proofs/")) == [
        "proofs/1.json",
        "proofs/2.json",
        "proofs/3.json",
    ]
    (tmp_path / "p.zip").write_bytes(packed)
    (tmp_path / "kept").write_text(early)
    told = CliRunner().invoke(
        app, ["check-proof", str(tmp_path / "p.zip"), "--key", signer.verifier, "--pinned", str(tmp_path / "kept")]
    )
    assert told.exit_code == 0, told.output
    other = checked(package(web), signer, early)
    assert "was not made for your checkpoint" in str(other.failures[0])


ALTERED: dict[str, Callable[[dict[str, bytes]], object]] = {
    "rows.csv is not the one": lambda files: files.update({"rows.csv": files["rows.csv"].replace(b"KT", b"XT")}),
    "rows.json is not the one": lambda files: files.update({"rows.json": files["rows.json"].replace(b"KT", b"XT")}),
    "report.html is not the one": lambda files: files.update({"report.html": files["report.html"] + b" "}),
    "checkpoint is not the one": lambda files: files.update(
        {"checkpoint": files["checkpoint"].replace(b"\n", b"\n1", 1)}
    ),
    "proofs/1.json is not the one": lambda files: files.update({"proofs/1.json": files["proofs/2.json"]}),
    "what was signed is not manifest.json": lambda files: files.update(
        {"manifest.json": files["manifest.json"].replace(b'"rows": 2', b'"rows": 1')}
    ),
    "signature: ": lambda files: files.update({"manifest.note": files["manifest.note"][:-6] + b"AAA=\n"}),
    "manifest.note is missing": lambda files: files.pop("manifest.note"),
    "rows.csv is missing": lambda files: files.pop("rows.csv"),
    "proofs/9.json is not in the manifest": lambda files: files.update({"proofs/9.json": files["proofs/1.json"]}),
    "'../evil' is no file of a package": lambda files: files.update({"../evil": b"x"}),
    "'/etc/passwd' is no file of a package": lambda files: files.update({"/etc/passwd": b"x"}),
    "manifest.json: it is not JSON": lambda files: files.update({"manifest.json": b"{"}),
    "manifest.json: its format": lambda files: files.update({"manifest.json": b"{}"}),
}


def test_each_byte_that_was_changed_is_named(web: Web, signer: LogSigner) -> None:
    """Whatever file it is in; files more or less; and an archive that is none, or would fill a disk."""
    packed = package(web)
    assert checked(packed, signer).ok
    for told, alter in ALTERED.items():
        files = unpacked(packed)
        alter(files)
        found = checked(packed_again(files), signer)
        assert not found.ok
        assert told in str(found.failures[0]), (told, found.failures)
    for broken in (packed[: len(packed) // 2], b"PK\x03\x04", packed[:60] + b"\xff\xff\xff" + packed[63:], b""):
        assert not checked(broken, signer).ok
    bomb = packed_again({**unpacked(packed), "report.html": bytes(65 << 20)})
    assert len(bomb) < 1 << 20
    assert "larger than a file of a package" in str(checked(bomb, signer).failures[0])
    several = packed_again({f"proofs/{n}.json": b"{}" for n in range(1, 1_200)})
    assert "more than a package may hold" in str(checked(several, signer).failures[0])


def signed_anew(files: dict[str, bytes], signer: Signer) -> bytes:
    """What somebody with a key of his own makes of it."""
    manifest = json.loads(files["manifest.json"])
    for one in manifest["files"]:
        one |= {"size": len(files[one["name"]]), "sha256": sha256(files[one["name"]]).hexdigest()}
    files["manifest.json"] = json.dumps(manifest).encode()
    files["manifest.note"] = (
        sign_note(statement(manifest["origin"], files["manifest.json"]), [signer]).encoded().encode()
    )
    return packed_again(files)


def test_a_thief_s_key_and_a_signed_lie(web: Web, signer: LogSigner) -> None:
    """Another key signs nothing; and the host's own key does not make a proof true that is not."""
    files = unpacked(package(web))
    thief = Signer.generate(ORIGIN)
    assert "not signed by a given key" in str(checked(signed_anew(dict(files), thief), signer).failures[0])
    keys = (signer.folder / "keys").read_text().split()
    own = Signer.parse(keys[-1])
    lie = dict(files)
    lie["proofs/1.json"] = lie["proofs/1.json"].replace(RIFLES[0].encode(), b"KT 000000")
    found = checked(signed_anew(lie, own), signer)
    assert not found.ok
    assert "inclusion" in str(found.failures[0])
    fewer = dict(files)
    fewer["rows.json"] = b"[]\n"
    assert "not so many rows" in str(checked(signed_anew(fewer, own), signer).failures[0])
    other = dict(files)
    other["checkpoint"] = Checkpoint(ORIGIN, 7, bytes(32)).signed(thief).encoded().encode()
    assert "checkpoint" in str(checked(signed_anew(other, own), signer).failures[0])


def test_what_is_signed_is_no_checkpoint_and_no_checkpoint_is_a_package(web: Web, signer: LogSigner) -> None:
    """The key signs two kinds of statement: neither passes for the other."""
    note = unpacked(package(web))["manifest.note"].decode()
    assert note.startswith(f"{STATEMENT}\n{ORIGIN}\n")
    with pytest.raises(ProofFailed):
        open_checkpoint(note, [Verifier.parse(signer.verifier)])
    files = unpacked(package(web))
    files["manifest.note"] = Note.parse(signer.last_checkpoint()).encoded().encode()
    assert "what was signed is not manifest.json" in str(checked(packed_again(files), signer).failures[0])


def test_it_holds_what_its_asker_may_read(web: Web, signer: LogSigner) -> None:
    """A donor's rows name nobody; where there is no key it is refused in words, and not offered."""
    rows = json.loads(unpacked(package(web, "clerk"))["rows.json"])
    assert rows[0]["account"] == "Private Petrov (A-1001)"
    assert web.get("erbil clerk", "/v1/audit-packages", report="/weapons", asked="class=person").status_code == 200
    assert json.loads(unpacked(package(web, "USA"))["rows.json"]) == []
    problem(web.get("USA", "/v1/audit-packages", report="/people"), 403, "not-allowed")
    problem(web.get("auditor", "/v1/audit-packages", report="/nowhere"), 404, "not-found")
    problem(web.get("auditor", "/v1/audit-packages", report="/weapons", asked="class=nowhere"), 422, "invalid")
    problem(web.get("auditor", "/v1/audit-packages", report="/weapons", origin=ORIGIN), 422, "invalid")
    problem(web.get("auditor", "/v1/audit-packages", report="/weapons", origin=ORIGIN, size=999), 422, "invalid")
    page = visit(web, "auditor", "/weapons?class=person")
    assert page.links["audit package"] == "/weapons?class=person&format=package"
    assert checked(web.get("auditor", page.links["audit package"]).content, signer).ok


def test_without_a_key_nothing_is_signed(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKPILE_LOG_FOLDER", str(tmp_path / "nowhere"))
    told = problem(web.get("auditor", "/v1/audit-packages", report="/weapons"), 409, "refused")
    assert "not on this machine" in told["detail"]
    assert "audit package" not in visit(web, "auditor", "/weapons").links


def test_at_the_command_line(stockpile: Command, country: Country, signer: LogSigner) -> None:
    said = ran(stockpile, "auditor", "package", "/weapons", "--asked", "class=person", "-o", "out.zip")
    assert said == "out.zip: 2 rows of Weapons, signed.\n"
    assert checked(Path("out.zip").read_bytes(), signer).ok
    refused = stockpile("auditor", "package", "/nowhere", "-o", "x.zip")
    assert "take the address of its page" in refused.output

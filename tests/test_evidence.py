"""Photos and scans: told by their content, kept once, named by acts, handed out to who may read the document, and checked."""

from __future__ import annotations

import struct
import zipfile
import zlib
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from httpx import Response

from stockpile import evidence
from stockpile.acts.expend import EXPEND
from stockpile.acts.export import EXPORT
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import NotAllowed, NotFound, UnreadableFile
from stockpile.files import FileStore, file_store
from stockpile.reports.attachments import file_to_read, list_attachments
from stockpile.reports.file_check import FileCheck, check_files
from stockpile.rights import reading
from tests.api_world import Web, problem, served
from tests.reading_pages import visit
from tests.world import RIFLES, SCAN, Country, ago, paper, photo, scanned_paper, scans, today

web = pytest.fixture(served)


@pytest.fixture
def stored_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStore:
    """A folder of files of the test's own."""
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))
    return file_store()


def kept(content: bytes) -> str:
    """The SHA-256 of a stored file, whatever it is."""
    return file_store().keep([content], 100_000_000).sha256


def packed(*names: str) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        for name in names:
            file.writestr(name, "...")
    return written.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of many million pixels in a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_photo_is_told_by_its_content(country: Country, form: str) -> None:
    """Each kind of picture that a telephone or a scanner writes goes with the document, and into its leaf."""
    digest = kept(photo(3, form))
    posted = country.do(
        "clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]), attachments=[digest]
    )
    with reading(country.engine, country.actors["clerk"]) as connection:
        (attached,) = list_attachments(connection, country.actors["clerk"], posted.document_id).rows
    assert (attached.sha256, attached.state, attached.media_type) == (digest, "there", f"image/{form.lower()}")
    assert (attached.width, attached.height) == (8, 6)


NO_EVIDENCE: dict[str, tuple[bytes, str]] = {
    "spreadsheet": (packed("[Content_Types].xml", "xl/workbook.xml"), "a spreadsheet"),
    "word": (packed("word/document.xml"), "a text document"),
    "archive": (packed("a.txt"), "an archive"),
    "broken archive": (b"PK\x03\x04" + bytes(40), "an archive that is damaged"),
    "program": (b"\x7fELF" + bytes(60), "a program"),
    "windows program": (b"MZ\x90\x00" + bytes(60), "a program"),
    "script": (b"#!/bin/sh\nrm -rf /\n", "a program"),
    "text": ("Винтовка выдана".encode(), "a text"),
    "long text": (("Винтовка выдана. " * 200).encode(), "a text"),
    "page": (b"<html><script>alert(1)</script></html>", "a web page"),
    "drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a web page or drawing"),
    "gif": (b"GIF89a" + bytes(30), "a GIF picture"),
    "film": (b"\x00\x00\x00\x18ftypmp42" + bytes(30), "a film"),
    "heic": (b"\x00\x00\x00\x18ftypheic" + bytes(30), "a HEIC photo"),
    "empty": (b"", "an empty file"),
    "noise": (bytes(range(128, 256)) * 4, "no photo and no scan"),
    "cut jpeg": (photo(1, "JPEG")[:300], "damaged"),
    "cut png": (photo(1)[:48], "damaged"),
    "jpeg in name only": (b"\xff\xd8\xff\xe0" + b"x" * 100, "damaged"),
    "cut pdf": (SCAN.replace(b"%%EOF", b""), "a PDF that breaks off"),
    "bomb": (bomb(10_000), "million pixels"),
    "large bomb": (bomb(20_000), "million pixels"),
}


@pytest.mark.parametrize("name", NO_EVIDENCE)
def test_what_is_no_photo_is_refused_in_words(country: Country, name: str) -> None:
    """Whatever it is called: the fault says what it is instead and what to do; nothing is posted."""
    content, words = NO_EVIDENCE[name]
    digest = kept(content)
    ((field, value, message),) = country.invalid(
        "clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]), attachments=[digest]
    )
    assert (field, value) == ("attachments", digest)
    assert words in message
    assert ": " in message
    assert country.where(RIFLES[0]) == "Main store"


def test_a_photo_that_is_not_stored_or_too_large_is_refused(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both with the remedy; the bound is a setting, and holds for what was accepted before."""
    issue = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])}
    assert "upload it first" in country.invalid("clerk", ISSUE, **issue, attachments=["ab" * 32])[0][2]
    digest = kept(photo(5))
    evidence.known(file_store(), digest)
    monkeypatch.setenv("STOCKPILE_EVIDENCE_LIMIT", "50")
    assert "may have 50" in country.invalid("clerk", ISSUE, **issue, attachments=[digest])[0][2]


def test_a_paper_comes_with_a_scan_that_is_one(country: Country) -> None:
    """A list of words in place of the scan: the paper isn't keyed."""
    sheet = paper(1, ago()).model_copy(update={"scan_sha256": kept(b"a scanned voucher")})
    spent = {"manner": "fired", "place": "range", "circumstances": "training", "lines": scans(RIFLES[0])}
    ((field, _, message),) = country.invalid("clerk", EXPEND, **spent, paper=sheet)
    assert (field, message[:6]) == ("scan_sha256", "a text")


def test_a_photo_is_decoded_once(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is stands beside it: the next document only looks there. What is none is looked at again."""
    digest, decoded = kept(photo(7)), []
    judged = evidence.judge
    monkeypatch.setattr(evidence, "judge", lambda path: decoded.append(path) or judged(path))
    assert evidence.known(file_store(), digest) == evidence.known(file_store(), digest)
    assert len(decoded) == 1
    none = kept(b"none")
    for _ in range(2):
        with pytest.raises(UnreadableFile):
            evidence.known(file_store(), none)
    assert len(decoded) == 3


def test_what_stands_beside_a_photo_and_is_damaged_is_found_anew(country: Country) -> None:
    """Half a word beside the file, from a full disk say, costs a look and nothing else."""
    digest = kept(photo(8))
    beside = file_store().path(digest).with_suffix(".evidence")
    seen = evidence.known(file_store(), digest)
    beside.write_bytes(b'{"media')
    assert evidence.known(file_store(), digest) == seen


def issued(web: Web, content: bytes) -> tuple[dict[str, Any], str]:
    digest = kept(content)
    body = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0]), "attachments": [digest]}
    return web.posted("clerk", "/v1/issues", body), digest


def test_a_file_is_handed_out_to_who_may_read_its_document(web: Web) -> None:
    """TAJI's people, registrar and auditor; not ERBIL's, not a donor, and not by guessing the digest of an unnamed file."""
    posted, digest = issued(web, photo(9, "JPEG"))
    path = f"/v1/files/{digest}"
    for who in ("clerk", "commander", "registrar", "auditor"):
        answer = web.get(who, path)
        assert (answer.status_code, answer.content) == (200, photo(9, "JPEG"))
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == f'attachment; filename="{digest[:16]}.jpg"'
    problem(web.get("erbil clerk", path), 404, "not-found")
    problem(web.get("USA", path), 403, "not-allowed")
    problem(web.get("USA", f"/v1/documents/{posted['document_id']}/attachments"), 404, "not-found")
    problem(web.get("clerk", f"/v1/files/{kept(photo(10))}"), 404, "not-found")
    problem(web.get("clerk", f"/v1/files/{'ab' * 32}"), 404, "not-found")


def test_who_has_to_answer_a_draft_sees_its_photos(web: Web) -> None:
    """The commander and the registrar, while it waits: as pictures on its page. Nobody else, and nobody once it was rejected; when it is
    posted they belong to its document. A photo that no draft names stays nobody's.
    """
    seen, paper = kept(photo(11)), kept(SCAN)
    web.country.do(
        "clerk", REPORT_MISSING, place="Route Tampa", circumstances="not in the rack", lines=scans(RIFLES[0])
    )
    finding = {"cause": "stolen", "liability": "nobody", "findings": "taken by force", "lines": scans(RIFLES[0])}

    def asked() -> UUID:
        return web.drafted("clerk", "/v1/loss-conclusions", {**finding, "attachments": [seen, paper]})

    draft = asked()
    page = visit(web, "commander", f"/drafts/{draft}")
    assert seen not in page.text, "no digest is shown"
    assert page.addresses.count(f"/files/{seen}") == 1
    shown = web.client.get(f"/files/{seen}", headers=web.headers("commander"))
    assert (shown.content, shown.headers["content-disposition"][:6]) == (photo(11), "inline")
    assert web.get("registrar", f"/v1/files/{paper}").content == SCAN
    others = ("clerk", "second clerk", "armourer", "erbil clerk", "auditor")
    for who in others:
        problem(web.get(who, f"/v1/files/{seen}"), 404, "not-found")
    assert f"/files/{seen}" not in visit(web, "clerk", f"/drafts/{draft}").addresses
    assert "2 photos or papers come with it" in visit(web, "clerk", f"/drafts/{draft}").text
    problem(web.get("USA", f"/v1/files/{seen}"), 403, "not-allowed")
    problem(web.get("commander", f"/v1/files/{kept(photo(12))}"), 404, "not-found")
    web.post("commander", f"/v1/drafts/{draft}/reject", {"reason": "Where is the sketch?"})
    problem(web.get("commander", f"/v1/files/{seen}"), 404, "not-found")
    web.approved("commander", asked())
    for who in ("clerk", "commander", "auditor"):
        assert web.get(who, f"/v1/files/{seen}").status_code == 200
    own = web.drafted(
        "commander", "/v1/corrections", {"document": _loss(web), "reason": "found", "attachments": [kept(photo(13))]}
    )
    problem(web.get("commander", f"/v1/files/{kept(photo(13))}"), 404, "not-found")
    assert web.get("registrar", f"/v1/files/{kept(photo(13))}").status_code == 200, own


def _loss(web: Web) -> str:
    """The number of the document that concluded the loss."""
    (row,) = web.get("commander", "/v1/documents", act="conclude loss").json()["rows"]
    return str(row["number"])


def test_what_is_attached_is_listed_and_exported(web: Web) -> None:
    """With type, size and whether it is there; the list a document was posted from among them."""
    posted, digest = issued(web, SCAN)
    path = f"/v1/documents/{posted['document_id']}/attachments"
    (row,) = web.get("clerk", path).json()["rows"]
    assert (row["sha256"], row["state"], row["media_type"], row["size"], row["note_id"]) == (
        digest, "there", "application/pdf", len(SCAN), None,
    )  # fmt: skip
    assert digest in web.get("auditor", path, format="csv").text
    listed = kept(f"serial number\n{RIFLES[1]}\n".encode())
    body = {"receiver": "A-1001", "store": "Main store", "file": {"sha256": listed, "name": "list.csv"}}
    by_list = web.posted("clerk", "/v1/issues", body)
    (row,) = web.get("clerk", f"/v1/documents/{by_list['document_id']}/attachments").json()["rows"]
    assert (row["sha256"], row["media_type"]) == (listed, "application/octet-stream")
    assert web.get("clerk", f"/v1/files/{listed}").headers["content-disposition"].endswith('.bin"')


def uploaded(web: Web, content: bytes, **query: str) -> Response:
    return web.client.post("/v1/files", params=query, content=content, headers=web.headers("clerk"))


def test_who_says_that_it_is_evidence_hears_at_once_that_it_is_none(web: Web, stored_here: FileStore) -> None:
    """A spreadsheet sent as a photo is not stored; as a list it is."""
    content = NO_EVIDENCE["spreadsheet"][0]
    told = problem(uploaded(web, content, evidence="true"), 422, "unreadable-file")
    assert told["detail"].startswith("a spreadsheet")
    assert list(stored_here.digests()) == []
    assert uploaded(web, photo(), evidence="true").status_code == 201
    assert uploaded(web, content).status_code == 201
    assert len(list(stored_here.digests())) == 2


def checked(country: Country) -> FileCheck:
    with transaction(country.engine, roles.AUDITOR) as connection:
        return check_files(connection, file_store())


def test_the_check_finds_what_is_missing_and_what_was_altered(country: Country, stored_here: FileStore) -> None:
    """Of three files one is gone and one has a bit turned; a fourth is named by nothing, a fifth by a draft alone."""
    digests = [kept(photo(20 + n)) for n in range(3)]
    lines = [{"scan": RIFLES[n]} for n in range(3)]
    issue = {"receiver": "A-1001", "store": "Main store"}
    posted = [
        country.do("clerk", ISSUE, **issue, lines=[line], attachments=[digest])
        for line, digest in zip(lines, digests, strict=True)
    ]
    unnamed, drafted = kept(photo(30)), kept(photo(31))
    spent = {"manner": "fired", "place": "range", "circumstances": "training", "lines": scans(RIFLES[4])}
    country.ask("clerk", EXPEND, **spent, attachments=[drafted])
    found = checked(country)
    assert (found.named, found.intact, found.unnamed, found.is_sound) == (4, 4, (unnamed,), True)

    stored_here.path(digests[0]).unlink()
    place = stored_here.path(digests[1])
    place.chmod(0o600)
    place.write_bytes(photo(99))
    found = checked(country)
    assert [(one.sha256, one.named_by) for one in found.missing] == [(digests[0], posted[0].number)]
    assert [(one.sha256, one.named_by) for one in found.altered] == [(digests[1], posted[1].number)]
    assert (found.intact, found.is_sound) == (2, False)
    with reading(country.engine, country.actors["clerk"]) as connection:
        (row,) = list_attachments(connection, country.actors["clerk"], posted[0].document_id).rows
        assert row.state == "missing"
        with pytest.raises(NotFound, match="is missing"):
            file_to_read(connection, country.actors["clerk"], digests[0])
        with pytest.raises(NotAllowed):
            file_to_read(connection, country.actors["USA"], digests[0])


def test_the_check_sees_the_consents_of_waiting_drafts(country: Country, stored_here: FileStore) -> None:
    """The export is not approved yet, and the scan of the consent is named all the same; lost, it is missing."""
    scan = kept(photo(41))
    consent = {"donor": "USA", "reference": "DSP-83 4417", "given_on": str(today()), "scan_sha256": scan}
    abroad = {"destination": "Jordan", "consignee": "the works", "authorisation": "EXP-1", "purpose": "sale"}
    draft = country.ask("clerk", EXPORT, **abroad, consents=[consent], lines=scans(RIFLES[0]))
    found = checked(country)
    assert (found.named, found.intact, found.unnamed) == (1, 1, ())
    stored_here.path(scan).unlink()
    assert [one.named_by for one in checked(country).missing] == [f"draft {draft.document_id}"]


def test_what_was_erased_does_not_come_back(stored_here: FileStore) -> None:
    """A mark stays in its place: it is not stored again, and it is said why."""
    digest = kept(photo(40))
    stored_here.erase(digest)
    stored_here.erase(digest)
    assert not stored_here.holds(digest)
    with pytest.raises(NotFound, match="erased by order"):
        stored_here.path(digest)
    with pytest.raises(UnreadableFile, match="erased by order"):
        kept(photo(40))
    assert list(stored_here.digests()) == []


def test_the_same_scan_serves_every_paper() -> None:
    """Stored once, whoever sends it."""
    assert scanned_paper() == scanned_paper() == sha256(SCAN).hexdigest()

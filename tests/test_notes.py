"""Notes: the paper signed afterwards, a photo, a remark, added to a document that stays as it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from stockpile.acts.issue import ISSUE
from stockpile.documents import Posted, now
from stockpile.errors import Invalid, NotAllowed, NotFound, PostedWithOtherContent
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.log.leaf import name_value, note_leaf, person_digest
from stockpile.notes import NoteWritten, WriteNote, write_note
from stockpile.reports.attachments import list_attachments
from stockpile.reports.documents import read_document
from stockpile.reports.notes import notes_of
from stockpile.rights import reading
from tests.api_world import Web, problem, served
from tests.test_report_files import Command, stockpile
from tests.world import RIFLES, SCAN, Country, ago, photo, scanned_paper, scans

web = pytest.fixture(served)
__all__ = ["stockpile"]


def issued(country: Country) -> Posted:
    return country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))


def noted(country: Country, who: str, document_id: UUID, **note: Any) -> NoteWritten:
    return write_note(country.engine, country.actors[who], document_id, WriteNote.model_validate(note))


def test_the_signed_paper_of_an_emergency_comes_afterwards(country: Country) -> None:
    """The rifle went out in the night; the next day the clerk adds the signed hand receipt, and it stands with the document."""
    posted = issued(country)
    before = country.query("SELECT leaf, details, attachments FROM document WHERE document_id = %s", posted.document_id)
    signed = ago(minutes=1)
    noted(
        country, "clerk", posted.document_id, kind="signature", attachments=[scanned_paper()], happened_at=signed,
        text="Signed by Petrov\non the evening after",
    )  # fmt: skip
    with reading(country.engine, country.actors["commander"]) as connection:
        shown = read_document(connection, country.actors["commander"], posted.document_id)
        attached = list_attachments(connection, country.actors["commander"], posted.document_id).rows
    (note,) = shown.notes
    assert (note.kind, note.text, note.happened_at) == ("signature", "Signed by Petrov\non the evening after", signed)
    assert note.written_by == "Sergeant Talib Clerk (T-1)"
    assert [(one.note_id, one.sha256) for one in attached] == [(note.note_id, scanned_paper())]
    after = country.query("SELECT leaf, details, attachments FROM document WHERE document_id = %s", posted.document_id)
    assert after == before


def test_a_note_has_a_leaf_in_the_queue(country: Country) -> None:
    """Its leaf can be made again from its row, with the stored digest of its writer, and waits for the sequencer."""
    posted = issued(country)
    written = noted(country, "clerk", posted.document_id, text="Counted again")
    (row,) = country.query(
        """SELECT note_id, site_id, document_id, kind, text, attachments, happened_at, recorded_at, content_hash, digest,
                  seed, leaf FROM note"""
    )
    names = (
        "note_id",
        "site_id",
        "document_id",
        "kind",
        "text",
        "attachments",
        "happened_at",
        "recorded_at",
        "content_hash",
    )
    assert note_leaf(bytes(row[10]), dict(zip(names, row, strict=False)), bytes(row[9])) == bytes(row[11])
    assert bytes(row[11]).hex() == written.leaf
    ((secret,),) = country.owner_query("SELECT secret FROM party WHERE code = 'T-1'")
    signed = person_digest(secret, row[0], "written_by", name_value("T-1", "Talib Clerk", "Sergeant", 1))
    assert signed == bytes(row[9])
    assert country.owner_query("SELECT count(*) FROM unsequenced WHERE leaf = %s", bytes(row[11])) == [(1,)]


def test_the_same_note_again_gets_the_first_answer(country: Country) -> None:
    """The id is the client's; with other words, or for another document, it is refused."""
    posted, other = issued(country), new_key()
    first = noted(country, "clerk", posted.document_id, note_id=other, text="Counted again")
    assert noted(country, "clerk", posted.document_id, note_id=other, text="Counted again") == first
    with pytest.raises(PostedWithOtherContent):
        noted(country, "clerk", posted.document_id, note_id=other, text="Counted twice")
    second = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[1]))
    with pytest.raises(PostedWithOtherContent):
        noted(country, "clerk", second.document_id, note_id=other, text="Counted again")
    assert country.query("SELECT count(*) FROM note") == [(1,)]


def test_who_may_add_to_a_document(country: Country) -> None:
    """The site's own people and the registrar; ERBIL knows no such document, auditor and donor may not."""
    posted = issued(country)
    noted(country, "second clerk", posted.document_id, text="Seen")
    noted(country, "registrar", posted.document_id, text="Seen")
    with pytest.raises(NotFound):
        noted(country, "erbil clerk", posted.document_id, text="Seen")
    for who in ("auditor", "USA"):
        with pytest.raises(NotAllowed):
            noted(country, who, posted.document_id, text="Seen")
    with reading(country.engine, country.actors["erbil clerk"]) as connection:
        assert notes_of(connection, posted.document_id).rows == ()


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ({}, "says something"),
        ({"text": "  "}, "at least 1 character"),
        ({"kind": "signature", "text": "Signed"}, "has something attached"),
        ({"kind": "remark", "attachments": ["ab" * 32]}, "a remark has a text"),
        ({"kind": "rumour", "text": "x"}, "Input should be"),
        ({"text": "a\u202eb"}, "U+202E"),
        ({"text": "x" * 4001}, "at most 4000"),
        ({"attachments": ["ab" * 32] * 21}, "at most 20"),
    ],
)
def test_a_note_that_says_nothing_or_too_much(note: dict[str, Any], words: str) -> None:
    """Each in words."""
    with pytest.raises(ValidationError) as problem:
        WriteNote.model_validate(note)
    assert words in str(problem.value)


def test_a_note_without_its_photo_or_from_tomorrow_is_not_written(country: Country) -> None:
    """Nothing is written."""
    posted = issued(country)
    spreadsheet = file_store().keep([b"PK\x03\x04" + bytes(30)], 1000).sha256
    for note in (
        {"attachments": ["ab" * 32]},
        {"attachments": [spreadsheet]},
        {"text": "x", "happened_at": now() + timedelta(days=1)},
    ):
        with pytest.raises(Invalid):
            noted(country, "clerk", posted.document_id, **note)
    assert country.query("SELECT count(*) FROM note") == [(0,)]


def test_notes_over_the_api(web: Web) -> None:
    """Written, listed with the document, exported; a donor reads none; a repeat is the same to the byte."""
    body = {"receiver": "A-1001", "store": "Main store", "lines": scans(RIFLES[0])}
    document = web.posted("clerk", "/v1/issues", body)["document_id"]
    path = f"/v1/documents/{document}/notes"
    note = {"note_id": str(new_key()), "text": "Counted again", "attachments": [scanned_paper()]}
    first = web.post("clerk", path, note)
    assert (first.status_code, first.json()["kind"]) == (201, "attachment")
    assert web.post("clerk", path, note).content == first.content
    problem(web.post("clerk", path, {**note, "text": "other"}), 409, "posted-with-other-content")
    problem(web.post("clerk", path, {}), 422, "invalid")
    problem(web.post("erbil clerk", path, note), 404, "not-found")
    problem(web.post("auditor", path, note), 403, "not-allowed")
    problem(web.get("USA", path), 403, "not-allowed")
    assert [row["text"] for row in web.get("clerk", path).json()["rows"]] == ["Counted again"]
    assert "Counted again" in web.get("auditor", path, format="csv").text
    assert web.get("clerk", f"/v1/documents/{document}").json()["notes"][0]["note_id"] == note["note_id"]


def test_evidence_at_the_command_line(stockpile: Command, tmp_path: Path) -> None:
    """A paper keyed with its scan and a photo, a signed receipt added, and the check over all of it."""
    Path("photo.jpg").write_bytes(photo(60, "JPEG"))
    Path("sheet.pdf").write_bytes(SCAN)
    Path("list.xlsx").write_bytes(b"PK\x03\x04" + bytes(30))
    digest = stockpile("clerk", "attach", "photo.jpg").output.strip()
    assert len(digest) == 64
    refused = stockpile("clerk", "attach", "list.xlsx")
    assert refused.exit_code == 1
    keyed = ("act", "issue", "receiver=A-1001", "store=Main store", "--scan", RIFLES[0], "--attach", "photo.jpg")
    done = stockpile(
        "clerk", *keyed, "--paper", "PAPER-1/17", "--written", f"{ago(hours=1):%Y-%m-%dT%H:%M}+00:00", "--paper-scan",
        "sheet.pdf",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    number = done.output.split(":")[0]
    assert "/PAPER-1/" in number
    assert number.endswith("/17")
    assert stockpile("clerk", *keyed, "--paper", "seventeen").exit_code == 1
    added = stockpile("clerk", "note", number, "--text", "Signed", "--kind", "signature", "--attach", "sheet.pdf")
    assert "signature added" in added.output
    assert "Signed" in stockpile("clerk", "notes", number).output
    assert stockpile("clerk", "notes", number, "--csv", "notes.csv").exit_code == 0
    checked = stockpile("auditor", "files", "check")
    assert (checked.exit_code, "2 files are named: 2 intact" in checked.output) == (0, True)
    file_store().path(digest).unlink()
    checked = stockpile("auditor", "files", "check")
    assert (checked.exit_code, "1 missing" in checked.output) == (1, True)
    assert number in checked.output

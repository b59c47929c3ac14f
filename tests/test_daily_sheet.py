"""The daily sheet: a site's day on one page, and on it a checkpoint that, scanned a year later, still tells an altered log."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import psycopg
import pypdfium2
import pytest
from PIL import Image, ImageFilter
from typer.testing import CliRunner, Result

from labels.barcodes import qr_code
from labels.papers import render
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.cli import app
from stockpile.db import embedded, roles
from stockpile.errors import UnreadableFile
from stockpile.log import beginning
from stockpile.log.reading import reading_log
from stockpile.log.sequencer import Sequencer
from stockpile.log.tree import nodes_of
from stockpile.log.witnesses import Witness, cosign_latest
from stockpile.papers.daily_sheet import daily_sheet_of
from stockpile.papers.paper import Note, Paper
from stockpile.papers.words import Word
from stockpile.proof.checkpoint import Checkpoint
from stockpile.proof.note import Signer
from stockpile.rights import reading
from stockpile.witness import on_paper
from stockpile.witness import witness as witnesses
from stockpile.witness.pinning import Pins
from tests import test_witness
from tests.api_world import Web, problem, served
from tests.every_paper import one_of_each
from tests.paper_reading import Sheet, sheets
from tests.test_log import ORIGIN, built_at_once, hand_out, leaves_of
from tests.world import HELMET, RIFLES, Country, scans, today

web = pytest.fixture(served)
run = CliRunner()
STORE = "Main store"
SHEET = "/v1/sites/TAJI/daily-sheet.pdf"


def printed(web: Web, who: str = "commander", **query: object) -> Sheet:
    """The sheet, which has one page."""
    answer = web.get(who, SHEET, **query)
    assert answer.status_code == 200, answer.text
    (page,) = sheets(answer.content)
    return page


def test_a_day_on_one_page(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was posted, with the first and last number of each kind; what is held; what is open. Who may read the site's books may print
    it, at the command line too; of another day, its documents; of books without a log there is no checkpoint on it.
    """
    country, year = web.country, today().year
    country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(*RIFLES[:3]))
    country.do(
        "clerk", ISSUE, receiver="A-1002", store=STORE, lines=[*scans(RIFLES[3]), {"model": HELMET, "quantity": 4}]
    )
    country.do("second clerk", RETURN, store=STORE, lines=scans(RIFLES[0]))
    lines = [{"model": "AKM", "serial_number": "TWIN 1"}]
    for clerk in ("clerk", "second clerk"):
        country.do(clerk, RECEIVE, store=STORE, lines=lines)
    page = printed(web, "clerk")
    text = " ".join(page.text.split())
    for row in (
        f"TAJI/B/{year} Hand receipt 2 3 2 5", f"TAJI/B/{year} Receiving report 1 4 2 ", f"TAJI/C/{year} Turn-in 1 1 1 1",
        f"TAJI/C/{year} Receiving report 2 2 1 1", "Account store person", "Counted equipment 96 4",
        "Nothing of the log was signed yet.", "Copy printed by Sergeant Talib Clerk (T-1)",
    ):  # fmt: skip
        assert row in text, (row, text)
    assert len(country.discrepancies()) == sum(int(n) for n in _column(text, country.discrepancies()))
    assert page.codes() == []
    assert "No document was posted on this day." in printed(web, "auditor", day="2024-02-29").text
    assert "Daily sheet" not in printed(web, language="ar").text
    problem(web.get("USA", SHEET), 403, "not-allowed")
    problem(web.get("erbil clerk", SHEET), 403, "not-allowed")
    problem(web.get("auditor", "/v1/sites/NOWHERE/daily-sheet.pdf"), 404, "not-found")
    told = problem(web.get("clerk", SHEET, day="2999-01-01"), 422, "invalid")
    assert "has not come yet at TAJI" in told["detail"]
    monkeypatch.chdir(tmp_path)
    url = country.engine.url.set(username=roles.SERVICE).render_as_string(hide_password=False)
    monkeypatch.setenv("STOCKPILE_DATABASE_URL", url)
    for who, words, file in (
        ("clerk", (), f"daily-sheet-TAJI-{today()}.pdf"),
        ("auditor", ("ERBIL", "--to", "e.pdf"), "e.pdf"),
    ):
        done = run.invoke(app, ["print", "daily-sheet", *words], env={"STOCKPILE_TOKEN": web.tokens[who]})
        assert done.exit_code == 0, done.output
        assert "Daily sheet" in sheets((tmp_path / file).read_bytes())[0].text
    nowhere = run.invoke(app, ["print", "daily-sheet"], env={"STOCKPILE_TOKEN": web.tokens["auditor"]})
    assert (nowhere.exit_code, "Say of which site" in nowhere.output) == (1, True)


def _column(text: str, kinds: list[str]) -> list[str]:
    """How many of each kind of discrepancy the sheet says are open."""
    return [text.split(f"{kind} ", 1)[1].split()[0] for kind in dict.fromkeys(kinds)]


def test_a_day_on_which_everything_happens_has_one_page(country: Country) -> None:
    """Then each book has a line; a page in Arabic is as long."""
    one_of_each(country)
    with reading(country.engine, country.actors["commander"]) as connection:
        paper = daily_sheet_of(connection, country.actors["commander"])
    for language, all_kinds in (("en", "all kinds"), ("ar", "جميع"), ("uk", "усі види")):
        (page,) = sheets(render([paper], language))
        assert all_kinds in page.text


class Thief:
    """Somebody with every right on the host, and the log's key."""

    def __init__(self, country: Country, keys: Path) -> None:
        self.country, self.key = country, Signer.parse((keys / "keys").read_text().split()[0])

    def alters_the_past(self) -> str:
        """Another leaf in the place of the fourth, and a checkpoint over all of them as they are now; its text."""
        with reading_log(self.country.engine) as connection:
            leaves = leaves_of(connection)
        leaves[3] = leaves[3][:33] + bytes(32)
        root = built_at_once(leaves)
        note = Checkpoint(ORIGIN, len(leaves), root).signed(self.key).encoded()
        server = self.country.engine.url.set(drivername="postgresql", username=embedded.SUPERUSER)
        with psycopg.connect(server.render_as_string(hide_password=False)) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("SET search_path = stockpile")
            connection.execute("UPDATE leaf SET leaf = %s WHERE leaf_index = 3", (leaves[3],))
            connection.execute("DELETE FROM cosignature")
            connection.execute("DELETE FROM checkpoint WHERE tree_size >= %s", (len(leaves),))
            connection.execute(
                "INSERT INTO checkpoint (log, tree_size, root, note, signed_at) VALUES (1, %s, %s, %s, clock_timestamp())",
                (len(leaves), root, note),
            )
        return note


def photograph(page: Sheet) -> bytes:
    """A sheet as a telephone takes it: askew, in no sharp light, as JPEG."""
    picture = page.picture(250).rotate(4, expand=True, fillcolor=160).filter(ImageFilter.GaussianBlur(1))
    written = BytesIO()
    picture.save(written, "JPEG", quality=60)
    return written.getvalue()


def test_a_sheet_in_a_drawer_tells_an_altered_log(web: Web, tmp_path: Path) -> None:
    """A donor keeps the PDF of a day, its checkpoint cosigned by the donor's witness. Later the host alters an entry of before and, with
    the log's own key, signs all of it anew: the next sheet, photographed, contradicts the first; a later one, which holds more leaves, does
    not hold those of the first.
    """
    country, kept = web.country, tmp_path / "kept"
    signer = beginning.begin_log(country.engine, tmp_path / "log", ORIGIN)
    hand_out(country, RIFLES[0])
    running = Sequencer(country.engine, signer)
    running.step()
    witness = witnesses.begin(tmp_path / "witness", test_witness.NAME)
    witness.trust(signer.verifier)
    with test_witness.served(witness) as url:
        cosign_latest(country.engine, Witness(witness.signer.verifier, url))
    first = printed(web)
    (text,) = first.codes()
    assert test_witness.NAME in text

    def pin(name: str, content: bytes, *options: str) -> Result:
        (tmp_path / name).write_bytes(content)
        return run.invoke(app, ["log", "pin", str(kept), str(tmp_path / name), *options])

    pinned = pin("monday.pdf", first.pdf, "--key", signer.verifier, "--key", str(witness.signer.verifier))
    assert pinned.exit_code == 0, pinned.output
    assert f"{test_witness.NAME} signed it too" in pinned.output
    pasted = run.invoke(app, ["log", "pin", str(kept), "-"], input=text.replace("\n", "\r\n").rstrip())
    assert (pasted.exit_code, "first of this log" in pasted.output) == (0, True), pasted.output

    thief = Thief(country, tmp_path / "log")
    thief.alters_the_past()
    second = printed(web)
    assert second.codes() != [text]
    found = pin("tuesday.jpg", photograph(second))
    assert found.exit_code == 1
    assert f"two different trees of {signer.signed.size} leaves" in found.output
    assert text.split("\n")[2] in found.output

    hand_out(country, RIFLES[1])
    with psycopg.connect(
        country.engine.url.set(drivername="postgresql", username=embedded.SUPERUSER).render_as_string(
            hide_password=False
        )
    ) as connection:
        connection.execute(
            """INSERT INTO stockpile.leaf (log, leaf_index, leaf)
               SELECT 1, %s - 1 + row_number() OVER (), leaf FROM stockpile.unsequenced""",
            (signer.signed.size,),
        )
    note = thief.alters_the_past()
    alone = Pins(tmp_path / "alone")
    alone.trust([signer.verifier])
    assert not alone.pin(on_paper.note_on_paper(first.pdf)).disagreements
    with reading_log(country.engine) as connection:
        later = alone.pin(note, lambda size: nodes_of(connection, 1, size), latest=True)
    assert ["The log was altered" in words for words, _, _ in later.disagreements] == [True]
    running.close()


def paper_with(*texts: str) -> bytes:
    """A paper with codes of these texts."""
    blocks = tuple(Note(text, Word("Checkpoint of the log")) for text in texts)
    return render([Paper(title=Word("Daily sheet"), organisation=None, site="-", number="-", blocks=blocks)])


def test_a_file_that_shows_no_checkpoint() -> None:
    """Each is told what is wrong: no code, another code, two of them, a damaged picture or PDF, a picture too large, no picture."""
    blank = BytesIO()
    Image.new("L", (300, 300), 255).save(blank, "PNG")
    large = BytesIO()
    Image.new("1", (9_000, 9_000)).save(large, "PNG")
    document = pypdfium2.PdfDocument.new()
    document.new_page(100_000, 100_000)
    enormous = BytesIO()
    document.save(enormous)
    for content, words in (
        (blank.getvalue(), "No checkpoint's code"),
        (paper_with("TAJI/B/2026/41"), "No checkpoint's code"),
        (enormous.getvalue(), "No checkpoint's code"),
        (paper_with("a\n1\n\n— a x\n", "a\n2\n\n— a x\n"), "several checkpoints"),
        (blank.getvalue()[:60], "damaged"),
        (b"%PDF-1.7\nnothing", "damaged or locked"),
        (large.getvalue(), "more than 80,000,000 pixels"),
        (b"\xff\xfe\x00nothing", "neither a checkpoint's text"),
        (b"x" * (on_paper.LARGEST + 1), "larger than 50 MB"),
    ):
        with pytest.raises(UnreadableFile, match=words):
            on_paper.note_on_paper(content)


def test_a_code_says_what_it_says_in_every_script() -> None:
    """A note has a dash that is no ASCII: read back to the letter, in the form that telephones understand."""
    text = "склад.example/log\n7\nAAAA\n\n— склад.example/log BBBB\n"
    assert on_paper.note_on_paper(paper_with(text)) == text
    assert qr_code(text).svg != qr_code(text.replace("—", "-")).svg

"""Stories of papers: what is printed says what the books say, whoever prints it; a scanner finds the document by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from uuid import UUID

import pytest
from PIL import Image, ImageDraw

from labels.papers import render
from stockpile import parties
from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.errors import Invalid, NotAllowed, NotFound, Refused
from stockpile.files import file_store
from stockpile.find import find
from stockpile.keys import new_key
from stockpile.movements import Act
from stockpile.notes import WriteNote, write_note
from stockpile.papers.count_sheet import count_sheet_of
from stockpile.papers.documents import paper_of
from stockpile.papers.holdings import holdings_of
from stockpile.papers.issue_sheet import issue_sheets
from stockpile.papers.kinds import KINDS, kind_of
from stockpile.papers.lines import LISTED
from stockpile.papers.paper import Paper, Signature
from stockpile.papers.signature_card import signature_card_of
from stockpile.papers.signing import signatures_of
from stockpile.papers.weapon_card import cards_of
from stockpile.registers.counts import AbandonCount, OpenCount, abandon_count, open_count
from stockpile.reports.papers import read_head, read_lines
from stockpile.rights import reading
from tests.every_paper import hand_receipt, one_of_each
from tests.paper_reading import sheets, words
from tests.world import HELMET, RIFLES, SINCE, Country, ago, paper, scanned_paper, scans

STORE = "Main store"
PETROV = "Private Petrov (A-1001)"


def paper_for(country: Country, who: str, posted: Posted | str | UUID) -> Paper:
    named = posted.document_id if isinstance(posted, Posted) else posted
    with reading(country.engine, country.actors[who]) as connection:
        return paper_of(connection, country.actors[who], named)


def printed(country: Country, posted: Posted | str, who: str = "clerk", language: str | None = None) -> bytes:
    return render([paper_for(country, who, posted)], language)


@pytest.fixture(scope="module")
def lived(template: tuple[str, Country], databases: object) -> Iterator[tuple[Country, dict[str, Posted]]]:
    """A country in which every act happened once; these stories only print."""
    name = databases.clone(template[0])  # type: ignore[attr-defined]
    engine = databases.engine(name)  # type: ignore[attr-defined]
    country = replace(template[1].on(engine), actors=dict(template[1].actors))
    yield country, one_of_each(country)
    engine.dispose()
    databases.drop(name)  # type: ignore[attr-defined]


PRINTER = {"arrival": "erbil clerk", "shipping list": "registrar", "opening list": "registrar"}

TITLES = {
    "hand receipt": "Hand receipt (cf. DA 2062)",
    "turn-in": "Turn-in (cf. DA 3161)",
    "lateral transfer": "Lateral transfer (cf. DA 3161)",
    "weapon card": "Weapon card (cf. DA 3749)",
    "loss report": "Loss report (cf. DA 3056)",
    "investigation": "Investigation of a loss (cf. DD 200)",
    "recovery": "Recovery report",
    "work order": "Work order",
    "marking record": "Marking record",
    "amendment": "Correction of an identification",
    "expenditure": "Expenditure report",
    "destruction order": "Destruction order",
    "destruction certificate": "Destruction certificate",
    "shipping list": "Shipping list",
    "first receipt": "Receiving report",
    "receiving report": "Receiving report",
    "rejection": "Rejection",
    "export": "Export authorisation",
    "import again": "Receiving report",
    "transfer order": "Transfer order (cf. DA 3161)",
    "arrival": "Receiving report",
    "gain report": "Gain report",
    "opening list": "Opening list",
    "emergency issue": "Hand receipt (cf. DA 2062)",
    "corrected": "Hand receipt (cf. DA 2062)",
    "correction": "Correction",
    "undone": "Hand receipt (cf. DA 2062)",
    "undo": "Correction",
    "void": "Void document",
    "late paper": "Hand receipt (cf. DA 2062)",
    "joint inventory": "Joint inventory",
    "overrun": "Loss report (cf. DA 3056)",
}


def test_every_act_has_a_paper_and_every_paper_prints(lived: tuple[Country, dict[str, Posted]]) -> None:
    """Each with its title, number, leaf hash, page x of y, every line of the document, and a barcode that a scanner reads."""
    country, made = lived
    assert set(made) == set(TITLES)
    assert {posted.act for posted in made.values()} == set(Act) == set(KINDS)
    for name, posted in made.items():
        who = PRINTER.get(name, "clerk")
        pages = sheets(printed(country, posted, who))
        text = " ".join(" ".join(page.text.split()) for page in pages)
        assert TITLES[name] in text, name
        assert posted.number in text, name
        assert sha256(b"\x00" + bytes.fromhex(posted.leaf)).hexdigest() in text, name
        assert f"page {len(pages)} of {len(pages)}" in pages[-1].text, name
        assert "Copy printed by" in text, name
        serials = country.owner_query(
            """SELECT n.serial_number FROM stockpile.entry e JOIN stockpile.identification n ON n.item_id = e.item_id AND n.version = 1
               WHERE e.document_id = %s AND e.serial""",
            posted.document_id,
        )  # fmt: skip
        for (serial,) in serials:
            assert (serial in text) or name in ("amendment", "overrun", "joint inventory"), (name, serial)
        codes = pages[0].codes()
        assert (posted.number in codes) if name != "weapon card" else len(codes) == 2, (name, codes)


def test_a_hand_receipt_says_who_gave_what_to_whom(lived: tuple[Country, dict[str, Posted]]) -> None:
    """From and to, the rifle with its magazines under it, the helmets, the remark, the line where Petrov signs."""
    country, made = lived
    text = words(printed(country, made["hand receipt"]))
    assert "Ministry of Defence Taji depot (TAJI)" in text
    assert f"From Main store To {PETROV}" in text or f"From To Main store {PETROV}" in text
    assert "KT 449900 SP-000001-A 1 serviceable" in text
    assert "with 4 Magazine, AK pattern, 30 rounds · 1 Sling, rifle" in text
    assert "Weapons: 3 · Counted equipment: 7" in text
    assert "Remarks For the range, until Friday" in text
    assert "I have received what is listed and answer for it until it is returned." in text
    assert "Issued by" in text
    assert "posted under own sign-in" in text
    assert "UTC+03:00" in text


def test_nobody_is_said_to_have_signed_who_is_only_named(lived: tuple[Country, dict[str, Posted]]) -> None:
    """The clerk posted under his sign-in; the receiver has a line to sign by hand. Two witnesses of a destruction have one each."""
    country, made = lived
    with reading(country.engine, country.actors["clerk"]) as connection:
        head = read_head(connection, country.actors["clerk"], made["hand receipt"].number)
        issued, received = signatures_of(connection, head, kind_of(head.act, head.details)).signatures
        certificate = read_head(connection, country.actors["clerk"], made["destruction certificate"].number)
        boxes = signatures_of(connection, certificate, kind_of(certificate.act, certificate.details)).signatures
    assert (issued.name, issued.how is not None) == ("Sergeant Talib Clerk (T-1)", True)
    assert (received.name, received.how) == (PETROV, None)
    assert [(box.name, box.how is not None) for box in boxes] == [
        (PETROV, False), ("Jane Miller, UNMAS", False),
        ("Sergeant Talib Clerk (T-1)", True), ("Major Carim Commander (C-1)", True),
    ]  # fmt: skip


def test_a_drawn_signature_stands_in_its_box_and_a_pin_is_told(country: Country) -> None:
    """As the document's details say that the receiver signed; a file that is gone leaves the words."""
    posted = hand_receipt(country)
    drawn = Image.new("RGBA", (600, 200), (0, 0, 0, 0))
    ImageDraw.Draw(drawn).line([(10, 150), (200, 20), (400, 180), (590, 40)], fill=(0, 0, 0, 255), width=8)
    written = BytesIO()
    drawn.save(written, "PNG")
    file = file_store().keep([written.getvalue()], 1_000_000).sha256
    with reading(country.engine, country.actors["clerk"]) as connection:
        head = read_head(connection, country.actors["clerk"], posted.document_id)

    petrov = str(country.parties["A-1001"].party_id)

    def boxes(**said: str) -> tuple[Signature, ...]:
        given = {"signature": str(new_key()), "person": petrov, "signed_at": "2026-11-26T07:00:00+00:00", **said}
        told = replace(head, details={**head.details, "signatures": [given]})
        with reading(country.engine, country.actors["clerk"]) as connection:
            return signatures_of(connection, told, kind_of(head.act, head.details)).signatures

    on_screen = boxes(how="drawn", file=file)[1]
    assert on_screen.picture is not None
    assert on_screen.at == "2026-11-26 10:00 UTC+03:00"
    assert boxes(how="PIN")[1].how is not None
    lost = boxes(how="drawn", file="ab" * 32)[1]
    assert (lost.picture, lost.how is not None) == (None, True)
    assert boxes(how="it was given for another document")[1].how is None
    _, received, other = boxes(how="PIN", person=str(country.parties["A-1002"].party_id))
    assert (received.how, other.name) == (None, "Private Quist (A-1002)")
    whole = paper_for(country, "clerk", posted)
    signatures = replace(whole.blocks[-1], signatures=(on_screen,))  # type: ignore[type-var]
    bare = replace(whole, blocks=(replace(whole.blocks[-1], signatures=(lost,)),))  # type: ignore[type-var]
    dark = [
        sum(sheets(render([one]))[0].picture(100).histogram()[:100])
        for one in (replace(whole, blocks=(signatures,)), bare)
    ]
    assert dark[0] > dark[1] + 100


def test_what_a_paper_keyed_later_bears_is_told_as_such(lived: tuple[Country, dict[str, Posted]]) -> None:
    """The clerk keyed it, the receiver signed on the paper; what the late document moved stands in a table of its own."""
    country, made = lived
    text = words(printed(country, made["late paper"]))
    assert "Written on paper, and keyed later" in text
    assert "Keyed by" in text
    assert "as on the paper, whose scan is attached" in text
    assert "Posted again in time for this late document" in text


def test_a_receiving_report_lists_what_is_missing(lived: tuple[Country, dict[str, Posted]]) -> None:
    """While more may come: what is outstanding. Once it is complete: what is short, and what came unexpected."""
    country, made = lived
    complete = words(printed(country, made["receiving report"]))
    missing = complete.split("Missing: declared or shipped, and not arrived")[1].split("Came otherwise than expected")
    assert "M4 US 4 in USA FMS-1" in missing[0]
    assert "M4 US 5 in USA FMS-1" in missing[0]
    assert "M4 US 99" in missing[1]
    arrival = words(printed(country, made["arrival"], "erbil clerk"))
    outstanding = arrival.split("still outstanding when this copy was printed")[1]
    assert "US 2" in outstanding
    assert RIFLES[7] not in outstanding


def test_a_receipt_of_all_says_that_nothing_is_missing(country: Country) -> None:
    """The clerk need not wonder whether the list was forgotten."""
    posted = country.do(
        "clerk", RECEIVE, store=STORE, complete=True, lines=[{"model": "AKM", "serial_number": "ALL 1"}]
    )
    assert "Nothing is missing" in words(printed(country, posted))


def test_a_loss_report_has_the_fields_of_the_national_report(lived: tuple[Country, dict[str, Posted]]) -> None:
    """Make, model, calibre, serial number and its status, country, marks; room for the police case."""
    country, made = lived
    annex = words(printed(country, made["loss report"])).split("Fields of the national report")[1]
    assert "self-loading rifle Izhmash, AKM" in annex
    assert f"7.62x39mm {RIFLES[1]} complete SU" in annex
    assert "Police case number" in annex
    assert "Last seen at" in words(printed(country, made["loss report"]))


def test_void_and_corrected_documents_are_marked_across_the_page(lived: tuple[Country, dict[str, Posted]]) -> None:
    """Nobody can show the old receipt as if it still held."""
    country, made = lived
    assert "VOID" in words(printed(country, made["void"]))
    assert "PARTLY CORRECTED" in words(printed(country, made["corrected"]))
    undone = words(printed(country, made["undone"]))
    assert "CORRECTED" in undone
    assert f"Corrected by {made['undo'].number}" in undone
    assert "CORRECTED" not in words(printed(country, made["turn-in"]))
    grey = sheets(printed(country, made["void"]))[0].picture(60).histogram()
    assert sum(grey[200:235]) > 1_000


def test_a_paper_says_what_the_weapon_was_called_then(lived: tuple[Country, dict[str, Posted]]) -> None:
    """The number was amended since: the old receipt has the old one, and says what it is now."""
    country, _ = lived
    first = country.query("SELECT document_id FROM document WHERE act = 'receive' ORDER BY recorded_at LIMIT 1")[0][0]
    text = words(printed(country, str(first)))
    assert RIFLES[6] in text
    assert "serial number amended since, now KT 449996" in text


def test_a_donor_gets_its_own_lines_and_no_name(lived: tuple[Country, dict[str, Posted]]) -> None:
    """The transfer order has an own rifle and one of the USA: the donor's copy has that, and neither driver nor clerk."""
    country, made = lived
    text = words(printed(country, made["transfer order"], "USA"))
    assert "US 2" in text
    assert RIFLES[7] not in text
    for name in ("Hassan", "Talib", "2nd Transport Company", "Main store", "FMS"):
        assert name not in text
    assert "Copy printed by Government of USA (USA)" in text
    with pytest.raises(NotFound):
        paper_for(country, "USA", made["hand receipt"])
    with pytest.raises(NotFound):
        paper_for(country, "FRA" if "FRA" in country.actors else "erbil clerk", made["hand receipt"])


def test_a_paper_is_printed_within_its_scope_alone(lived: tuple[Country, dict[str, Posted]]) -> None:
    """Not by another depot; by an auditor."""
    country, made = lived
    with pytest.raises(NotFound):
        paper_for(country, "erbil clerk", made["hand receipt"])
    assert PETROV in words(printed(country, made["hand receipt"], "auditor"))


def test_weapon_cards_are_cut_apart(lived: tuple[Country, dict[str, Posted]]) -> None:
    """One for each weapon, with its holder and unit; the code on it is the weapon's tag."""
    country, made = lived
    pages = sheets(printed(country, made["weapon card"]))
    text = " ".join(pages[0].text.split())
    assert text.count("Weapon card") == 2
    assert PETROV in text
    assert "Private Quist (A-1002)" in text
    assert text.count("1COY") == 2
    with reading(country.engine, country.actors["clerk"]) as connection:
        for code in pages[0].codes():
            (found,) = find(connection, country.actors["clerk"], code).items
            assert found.item.serial_number in (RIFLES[3], RIFLES[4])


def test_a_card_says_how_its_holder_signed(lived: tuple[Country, dict[str, Posted]]) -> None:
    """Petrov by PIN; Quist, who did not, has a line."""
    country, made = lived
    clerk = country.actors["clerk"]
    with reading(country.engine, clerk) as connection:
        head = read_head(connection, clerk, made["weapon card"].document_id)
        petrov = {
            "person": str(country.parties["A-1001"].party_id),
            "how": "PIN",
            "signed_at": "2026-11-26T04:30:00+00:00",
        }
        told = replace(head, details={**head.details, "signatures": [petrov]})
        cards = cards_of(connection, told, read_lines(connection, clerk, head.document_id))
    assert cards is not None
    assert [card.signature.how is not None for card in cards.cards] == [True, False]
    text = words(render([replace(paper_for(country, "clerk", made["weapon card"]), blocks=(cards,))]))
    assert "signed by PIN at the counter 2026-11-26 07:30 UTC+03:00" in text
    assert text.count("signature of the holder") == 1


def test_all_that_a_person_holds_to_be_signed(country: Country) -> None:
    """Weapons, magazines and helmets, each under its document; a person without anything gets a paper that says so."""
    hand_receipt(country)
    with reading(country.engine, country.actors["clerk"]) as connection:
        text = words(render([holdings_of(connection, country.actors["clerk"], "A-1001")]))
        nothing = words(render([holdings_of(connection, country.actors["clerk"], "A-1002")]))
        with pytest.raises(NotFound):
            holdings_of(connection, country.actors["clerk"], "E-1")
    assert "Weapons: 3 · Counted equipment: 7" in text
    for serial in RIFLES[:3]:
        assert serial in text
    assert "I hold what is listed here and answer for it." in text
    assert "Nothing is held." in nothing
    with reading(country.engine, country.actors["USA"]) as connection, pytest.raises(NotAllowed):
        holdings_of(connection, country.actors["USA"], "A-1001")


def test_the_signature_card_of_a_unit(country: Country) -> None:
    """Who may draw, until when, room for each signature and for who is added by hand."""
    for who in ("clerk", "registrar"):
        with reading(country.engine, country.actors[who]) as connection:
            text = words(render([signature_card_of(connection, country.actors[who], "1COY")]))
        assert "Signature card (cf. DA 1687)" in text
        assert "A-1001 Private Petrov 2020-01-01 2099-12-31" in text


def test_a_count_sheet_never_says_what_to_expect(country: Country) -> None:
    """Who counts what, empty rows, no serial number of the books; no sheet once the count is closed or broken off."""
    clerk = country.actors["clerk"]
    count = open_count(
        country.engine, clerk, OpenCount.model_validate({"account": STORE, "counters": ["T-2"], "reason": "periodic"})
    )
    with reading(country.engine, clerk) as connection:
        pages = sheets(render([count_sheet_of(connection, clerk, count, rows=44)]))
    text = " ".join(" ".join(page.text.split()) for page in pages)
    assert "TAJI/COUNT/1" in text
    assert "Corporal Tara Clerk (T-2)" in text
    assert not any(serial in text for serial in RIFLES)
    assert "AKM" not in text
    assert pages[0].codes() == ["TAJI/COUNT/1"]
    assert len([row for row in re.findall(r"\b44\b", text)]) == 1


def test_blank_pages_have_their_numbers_and_never_one_that_is_used(country: Country) -> None:
    """Three pages of the pad; after paper 18 came in, nobody prints 17 to 19 again; a counter's book is written by no hand."""
    clerk = country.actors["clerk"]
    with reading(country.engine, clerk) as connection:
        pages = sheets(render(issue_sheets(connection, clerk, "PAD-7", 17, 3)))
    year = country.sites["TAJI"].local_year(ago())
    assert [page.codes() for page in pages] == [[f"TAJI/PAD-7/{year}/{n}"] for n in (17, 18, 19)]
    assert all("page 1 of 1" in page.text for page in pages)
    keyed = country.do(
        "clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]), paper=paper(18, ago(), book="PAD-7")
    )
    assert keyed.number == f"TAJI/PAD-7/{year}/18"
    with reading(country.engine, clerk) as connection:
        for book, first, field in (("PAD-7", 17, "from"), ("B", 1, "book"), ("PAD-7", 20, None)):
            try:
                issue_sheets(connection, clerk, book, first, 3)
                assert field is None
            except Invalid as problem:
                assert problem.faults[0].field == field


HOSTILE = (
    '#strong[x] *b* _i_ @ref $x^2$ \\ <label> `raw` // = - + ~ #import "x" {{ }} %(n)s %s &amp;',
    'O\'Brien-Müller "quoted" \u2014 50% & Co; #{1+1}',
    "Ж" * 190,
    "A very long name of many words " * 6,
)


def test_names_are_printed_as_they_are_never_obeyed(country: Country) -> None:
    """A person called like markup, one with a name of 190 letters: the paper says exactly that."""
    taji, company = country.sites["TAJI"], country.parties["company"]
    for number, name in enumerate(HOSTILE):
        with transaction(country.engine, roles.REGISTRAR) as connection:
            parties.add_person(connection, f"H-{number}", name.strip(), None, taji, company, SINCE)
        posted = country.do(
            "clerk",
            ISSUE,
            receiver=f"H-{number}",
            store=STORE,
            lines=scans(RIFLES[number]),
            remarks="#pagebreak() *now*",
        )
        text = words(printed(country, posted)).replace(" ", "").replace("\u200b", "")
        assert text.count(f"{name.strip()} (H-{number})".replace(" ", "")) == 2, name
        assert "#pagebreak()*now*" in text


def test_a_list_too_long_to_print_is_told_by_model(country: Country) -> None:
    """A file of more lines than a paper lists: sums, and where the lines are; it is no wall of pages."""
    rows = "".join(f"AKM,BIG {n}\n" for n in range(LISTED + 1))
    sha = file_store().keep([f"model,serial_number\n{rows}".encode()], 10_000_000).sha256
    posted = country.do("clerk", RECEIVE, store=STORE, file={"sha256": sha, "name": "big.csv"})
    pages = sheets(printed(country, posted))
    text = " ".join(pages[0].text.split())
    assert len(pages) == 1
    assert "A list too long to print: 1,001 lines." in text
    assert "AKM, Izhmash 1,001 1,001" in text


def test_a_note_that_came_later_stands_on_the_copy(country: Country) -> None:
    """The signed paper of an emergency issue, and what was remarked."""
    posted = country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=[{"model": HELMET, "quantity": 3}])
    note = WriteNote.model_validate(
        {"kind": "signature", "text": "Signed on the evening after", "attachments": [scanned_paper()]}
    )
    write_note(country.engine, country.actors["clerk"], posted.document_id, note)
    text = words(printed(country, posted))
    assert "Added later" in text
    assert "Signed on the evening after" in text


def test_there_is_no_paper_of_what_is_not_there(country: Country) -> None:
    """An unknown number, an unknown unit, an unknown language."""
    clerk = country.actors["clerk"]
    with reading(country.engine, clerk) as connection:
        with pytest.raises(NotFound):
            paper_of(connection, clerk, "TAJI/B/2026/999")
        with pytest.raises(NotFound):
            signature_card_of(connection, clerk, "9COY")
        with pytest.raises(Refused):
            _closed_count_sheet(country)
    posted = country.do("clerk", ISSUE, receiver="A-1001", store=STORE, lines=scans(RIFLES[0]))
    with pytest.raises(Invalid, match="no such language"):
        printed(country, posted, language="tlh")


def _closed_count_sheet(country: Country) -> None:
    clerk = country.actors["clerk"]
    asked = OpenCount.model_validate({"account": STORE, "counters": ["T-2"], "reason": "periodic"})
    count = open_count(country.engine, clerk, asked)
    abandon_count(country.engine, clerk, count, AbandonCount.model_validate({"because": "The alarm went"}))
    with reading(country.engine, clerk) as connection:
        count_sheet_of(connection, clerk, count)

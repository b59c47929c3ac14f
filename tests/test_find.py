"""Finding: whatever one can scan or type leads to what it is, where it is, since when, under which document; in one's scope."""

from __future__ import annotations

from uuid import uuid4

import pytest

from stockpile.acts.issue import ISSUE
from stockpile.acts.receive import RECEIVE
from stockpile.documents import Posted
from stockpile.errors import Invalid
from stockpile.find import Found, find
from stockpile.identity import asset_tag
from stockpile.movements import AccountClass
from tests.reading import asked_by, declared_and_received
from tests.world import RIFLES, Country, ago, paper, scans

UII = "D1ABC2W0042"
ENVELOPE = "[)>\x1e06\x1d25SD1ABC2W0042\x1e\x04"


def found(country: Country, text: str, who: str = "clerk", **page: object) -> Found:
    return asked_by(country, who, find, text, **page)


def serials(answer: Found) -> list[str | None]:
    return [one.item.serial_number for one in answer.items]


def issued(country: Country, *rifles: str, receiver: str = "A-1001") -> Posted:
    return country.do("clerk", ISSUE, receiver=receiver, store="Main store", lines=scans(*rifles))


def test_a_weapon_says_where_it_is_since_when_and_under_which_document(country: Country) -> None:
    """Petrov draws a rifle; whoever finds it reads his name, the moment, the voucher and the site."""
    voucher = issued(country, RIFLES[0])
    (one,) = found(country, RIFLES[0]).items
    (stands,) = one.standings
    assert (one.item.model, one.item.serial_number, one.item.donor) == ("AKM", RIFLES[0], "OWN")
    assert (stands.account_class, stands.account, stands.site) == (
        AccountClass.PERSON,
        "Private Petrov (A-1001)",
        "TAJI",
    )
    assert (stands.since, stands.document_number, stands.act) == (voucher.happened_at, voucher.number, "issue")
    assert stands.condition == "serviceable"


@pytest.mark.parametrize("spelling", ["KT 449903", "kt-449903", " KT449903 ", "ＫＴ ４４９９０３", "KT ٤٤٩٩٠٣"])
def test_a_serial_number_in_any_spelling(country: Country, spelling: str) -> None:
    """Dashes, blanks, small letters, full-width letters and Arabic digits mean the same number."""
    answer = found(country, spelling)
    assert serials(answer) == ["KT 449903"]
    assert not answer.did_you_mean


def test_the_asset_tag_and_the_key_find_one_weapon(country: Country) -> None:
    """The tag on the stock and the item's key lead to the same rifle; a tag of nobody's to nothing."""
    tag = found(country, RIFLES[4]).items[0].item.asset_tag
    assert serials(found(country, tag.lower())) == [RIFLES[4]]
    assert serials(found(country, str(country.item(RIFLES[4]).item_id))) == [RIFLES[4]]
    assert found(country, asset_tag(987654)).items == ()
    assert found(country, str(uuid4())).items == ()


def test_look_alikes_are_only_a_question(country: Country) -> None:
    """The clerk reads KI 4499O3 where KT... no: K1 44990B. Nothing bears it exactly; what looks alike is offered as such."""
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "BO 8801"}])
    answer = found(country, "8O 880I")
    assert (answer.did_you_mean, serials(answer)) == (True, ["BO 8801"])
    exact = found(country, "bo8801")
    assert (exact.did_you_mean, serials(exact)) == (False, ["BO 8801"])
    partial = found(country, "80 88O*")
    assert (partial.did_you_mean, serials(partial)) == (True, ["BO 8801"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("KT 44990?", list(RIFLES)),
        ("KT 4499*", list(RIFLES)),
        ("*9907", [RIFLES[7]]),
        ("*499?5", [RIFLES[5]]),
        ("K?449901", [RIFLES[1]]),
        ("KT؟449902", []),
        ("*%*", []),
        ("*_49901", []),
    ],
)
def test_a_partial_serial_number(country: Country, typed: str, meant: list[str]) -> None:
    """`?` stands for one character nobody can read, `*` for any number of them; LIKE's own signs mean themselves."""
    assert serials(found(country, typed)) == meant


def test_pages_of_a_partial_serial(country: Country) -> None:
    """Ten rifles in pages of four: each once, in order, whatever is received in between."""
    first = found(country, "KT 4499*", limit=4)
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "KT 4499065"}])
    second = found(country, "KT 4499*", limit=4, cursor=first.cursor)
    third = found(country, "KT 4499*", limit=4, cursor=second.cursor)
    assert serials(first) + serials(second) + serials(third) == sorted([*RIFLES, "KT 4499065"])
    assert third.cursor is None


def test_twins_come_both(country: Country) -> None:
    """The same number at two models is two weapons: both are shown, page by page if need be."""
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "M4", "serial_number": RIFLES[0]}])
    assert {one.item.model for one in found(country, RIFLES[0]).items} == {"AKM", "M4"}
    first = found(country, RIFLES[0], limit=1)
    second = found(country, RIFLES[0], limit=1, cursor=first.cursor)
    assert {first.items[0].item.model, second.items[0].item.model} == {"AKM", "M4"}
    assert second.cursor is None


def test_a_uii_in_its_envelope_and_written_out(country: Country) -> None:
    """A Data Matrix on the receiver, and its text typed by hand, find the weapon that was marked; its old number too."""
    rifle = country.item(RIFLES[6])
    country.owner_query(
        """INSERT INTO stockpile.identification
               (item_id, version, donor_id, site_id, entry_version, maker, serial_number, serial_key, fold, uii)
           SELECT item_id, 2, donor_id, site_id, 1, maker, 'W0042', 'W0042', 'W0042', %s FROM stockpile.identification
           WHERE item_id = %s RETURNING 1""",
        UII, rifle.item_id,
    )  # fmt: skip
    for asked in (ENVELOPE, UII, "w0042"):
        assert serials(found(country, asked)) == ["W0042"]
    (old,) = found(country, RIFLES[6]).items
    assert (old.item.serial_number, old.item.formerly) == ("W0042", (RIFLES[6],))


def test_a_number_that_could_be_a_uii_is_a_serial_when_nobody_bears_the_uii(country: Country) -> None:
    """Seven digits have the form of a UII; the pistol that bears them as its serial number is found."""
    country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "M4", "serial_number": "7654321"}])
    assert serials(found(country, "7654321")) == ["7654321"]


def test_a_document_by_its_number_in_any_case_and_by_its_key(country: Country) -> None:
    """The paper in hand says TAJI/B/2026/2: the document, what it did, when and how much."""
    voucher = issued(country, RIFLES[0], RIFLES[1])
    for asked in (voucher.number, voucher.number.lower(), str(voucher.document_id)):
        (document,) = found(country, asked).documents
        assert (document.number, document.act, document.lines, document.quantity) == (voucher.number, "issue", 2, 2)
    assert found(country, voucher.number, "erbil clerk").documents == ()


def test_a_paper_that_claims_a_number_already_used_is_found_by_its_claim(country: Country) -> None:
    """Two papers bear number 17: under 17 the auditor finds the one that has it, and the other in the exceptions book."""
    first = country.do(
        "clerk", ISSUE, receiver="A-1001", store="Main store", paper=paper(17, ago(hours=-0)), lines=scans(RIFLES[0])
    )
    second = country.do(
        "clerk", ISSUE, receiver="A-1002", store="Main store", paper=paper(17, ago(hours=-0)), lines=scans(RIFLES[1])
    )
    documents = found(country, first.number, "auditor").documents
    assert [document.number for document in documents] == [first.number, second.number]
    assert documents[1].claimed_number == first.number


def test_a_person_by_service_number_with_what_they_hold(country: Country) -> None:
    """A-1001 in small letters is Petrov of 1COY, and holds two rifles; another site's clerk learns nothing of him."""
    issued(country, RIFLES[0], RIFLES[1])
    (person,) = found(country, "a-1001").parties
    assert (person.name, person.units, person.sites) == ("Private Petrov (A-1001)", ("1COY",), ("TAJI",))
    assert [line.serial_number for line in person.holds.rows] == [RIFLES[0], RIFLES[1]]
    assert found(country, "A-1001", "erbil clerk").parties == ()
    assert found(country, "A-1001", "USA").parties == ()


def test_a_unit_by_its_code_with_what_its_people_hold(country: Country) -> None:
    """1COY's holdings are its own and its people's."""
    issued(country, RIFLES[0])
    country.do("clerk", ISSUE, receiver="1COY", received_by="A-1001", store="Main store", lines=scans(RIFLES[1]))
    (unit,) = found(country, "1COY").parties
    assert unit.holds.quantity == 2


def test_another_site_learns_where_a_weapon_belongs_but_no_name(country: Country) -> None:
    """ERBIL finds a rifle of TAJI at its gate: it belongs to somebody at TAJI, under a document that is TAJI's to read."""
    issued(country, RIFLES[0])
    (stands,) = found(country, RIFLES[0], "erbil clerk").items[0].standings
    assert (stands.account_class, stands.account, stands.site) == (AccountClass.PERSON, "a person of TAJI", "TAJI")
    assert (stands.party_id, stands.document_number, stands.act) == (None, None, "issue")


def test_a_donor_finds_its_own_weapons_without_names(country: Country) -> None:
    """The USA finds its M4 by class and site; the host's AKM, partial numbers of others and documents without its weapons not."""
    receipt = declared_and_received(country, "M4-0001", "M4-0002")
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans("M4-0001"))
    (stands,) = found(country, "M4-0001", "USA").items[0].standings
    assert (stands.account_class, stands.account, stands.site, stands.party_id) == (
        AccountClass.PERSON,
        None,
        "TAJI",
        None,
    )
    assert serials(found(country, "*00*", "USA")) == ["M4-0001", "M4-0002"]
    assert found(country, RIFLES[0], "USA").items == ()
    assert found(country, str(country.item(RIFLES[0]).item_id), "USA").items == ()
    mixed = issued(country, RIFLES[0], "M4-0002")
    (document,) = found(country, mixed.number, "USA").documents
    assert (document.lines, document.quantity) == (1, 1)
    assert found(country, receipt.number, "USA").documents[0].quantity == 2
    assert found(country, "TAJI/B/2026/1", "USA").documents == ()


def test_auditors_find_everybody(country: Country) -> None:
    """An auditor reads names at every site."""
    issued(country, RIFLES[0])
    (stands,) = found(country, RIFLES[0], "auditor").items[0].standings
    assert stands.account == "Private Petrov (A-1001)"


def test_what_was_taken_back_out_of_the_books_is_still_found(country: Country) -> None:
    """A receipt is undone: the rifle is outside, on no account, but known."""
    from stockpile.acts.correct import UNDO

    receipt = country.do("clerk", RECEIVE, store="Main store", lines=[{"model": "AKM", "serial_number": "ZZ 1"}])
    country.do("clerk", UNDO, document=receipt.document_id)
    (one,) = found(country, "ZZ 1").items
    assert one.standings == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "*",
        "??",
        "-",
        "a\x00b",
        "KT\u202e449",
        "[)>\x1e06\x1d",
        "[)>0625SD1ABC2W0042",
        "x" * 65 + "y" * 200,
        "k" * 65,
    ],
)
def test_what_cannot_be_searched_for_is_said(country: Country, text: str) -> None:
    """Nothing to search for, characters no serial has, half a mark: a clear word instead of an empty answer."""
    with pytest.raises(Invalid) as said:
        found(country, text)
    assert said.value.detail


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!", "WyJhIl0=", "WyJhIiwgImIiXQ==", "bnVsbA==", "WyJcdTAwMDAiLCAiMCJd", "é"]
)
def test_a_cursor_somebody_made_up(country: Country, cursor: str) -> None:
    """A cursor that this list did not make is refused in words."""
    if not cursor:
        assert found(country, "KT*", cursor=cursor).items
        return
    with pytest.raises(Invalid, match="cursor"):
        found(country, "KT*", cursor=cursor)

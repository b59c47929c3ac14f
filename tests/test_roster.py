"""Rosters: the people of a site come from a list, again and again; who is new, changed and gone is told before it is done, and
nobody is ever deleted.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from stockpile import parties
from stockpile.acts.issue import ISSUE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Invalid, NotAllowed, NotFound, Refused
from stockpile.parties import Left
from stockpile.roster import Imported
from stockpile.roster_changes import Kind
from tests.rosters import COMPANY, imported, listed, stored, workbook
from tests.world import RIFLES, Country, scans, today


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))


def told(answer: Imported, kind: Kind) -> list[str]:
    """The service numbers of a kind of change."""
    return [change.service_number for change in answer.changes if change.kind is kind]


def people(country: Country) -> set[tuple[str, str]]:
    """Who is on TAJI's roster today, with the unit."""
    return {
        (code, unit)
        for code, unit in country.query(
            """SELECT p.code, u.code FROM assignment m JOIN party p USING (party_id) JOIN party u ON u.party_id = m.unit_id
               JOIN site s ON s.site_id = p.site_id
               WHERE s.code = 'TAJI' AND m.since <= %s AND (m.until IS NULL OR m.until > %s)""",
            today(),
            today(),
        )
    }


def remarks(answer: Imported) -> dict[int, str]:
    return {remark.row: remark.remark for remark in answer.set_aside}


def test_a_preview_says_who_is_new_changed_and_gone_and_does_nothing(country: Country) -> None:
    """Quist is promoted, Rahim left, Sami came: the dry run says so; the books know of none of it yet."""
    before = people(country)
    answer = imported(
        country, listed(COMPANY[0], "A-1002,Quist,Corporal,1COY", "A-1004,Sami,Private,1COY"), dry_run=True
    )
    assert (told(answer, Kind.NEW), told(answer, Kind.CHANGED), told(answer, Kind.GONE)) == (
        ["A-1004"], ["A-1002"], ["A-1003"],
    )  # fmt: skip
    assert answer.register_id is None
    assert (answer.counts.rows, answer.counts.unchanged, answer.confirm_gone) == (3, 1, None)
    assert people(country) == before
    assert country.query("SELECT count(*) FROM party WHERE code = 'A-1004'") == [(0,)]
    assert country.query("SELECT count(*) FROM register WHERE kind = 'roster'") == [(0,)]


def test_a_list_of_the_fallen_needs_no_number_and_adds_nobody(country: Country) -> None:
    """All three of the company fell, and one whom nobody here knows: they go without a number to confirm, and the stranger is a doubt."""
    heading = "Service No,Name,Rank,Unit code,Casualty status"
    fallen = listed(*(f"{row},killed in action" for row in COMPANY), "Z-1,Nobody,Private,1COY,KIA", heading=heading)
    answer = imported(country, fallen)
    assert (answer.counts.gone, answer.counts.new, answer.confirm_gone) == (3, 0, None)
    assert [change.row for change in answer.changes] == [2, 3, 4]
    assert [doubt.remark for doubt in answer.doubts] == [
        "died, and not on the roster of TAJI in the books: nothing changes"
    ]
    assert not {code for code, unit in people(country) if unit == "1COY"}


@pytest.mark.parametrize(
    ("heading", "word", "left"),
    [
        ("motif de départ", "Tué", Left.DIED), ("سبب المغادرة", "شهيد", Left.DIED), ("причина выбытия", "дезертир", Left.DESERTED),
        ("причина вибуття", "Зник безвісти", Left.MISSING), ("duty status", "POW", Left.CAPTURED),
        ("Reason left", "Retired", Left.DISCHARGED),
    ],
)  # fmt: skip
def test_why_somebody_left_in_the_list_s_own_words(country: Country, heading: str, word: str, left: Left) -> None:
    """The heading and the word of another language are understood; who is present serves."""
    rows = (f"A-1001,Petrov,Private,1COY,{word}", *(f"{row},present" for row in COMPANY[1:]))
    answer = imported(country, listed(*rows, heading=f"Service No,Name,Rank,Unit code,{heading}"), dry_run=True)
    assert [(change.kind, change.because) for change in answer.changes] == [(Kind.GONE, left)]


def test_a_roster_is_done_as_its_preview_said(country: Country) -> None:
    """The new one can draw, the changed one has a second version of the name, the one gone has an end date and stays known."""
    roster = listed(COMPANY[0], "A-1002,Quist,Corporal,1COY", "A-1004,Sami,Private,1COY")
    preview = imported(country, roster, dry_run=True)
    answer = imported(country, roster)
    assert answer.counts == preview.counts
    assert people(country) == {("A-1001", "1COY"), ("A-1002", "1COY"), ("A-1004", "1COY")}
    assert country.query(
        "SELECT n.version, n.rank FROM party_name n JOIN party p USING (party_id) WHERE p.code = 'A-1002' ORDER BY 1"
    ) == [(1, "Private"), (2, "Corporal")]
    ended = country.query(
        "SELECT m.until FROM assignment m JOIN party p USING (party_id) WHERE p.code = 'A-1003' AND p.name = 'Rahim'"
    )
    assert ended == [(answer.as_of - timedelta(days=1),)]
    country.do("clerk", ISSUE, receiver="A-1004", store="Main store", lines=scans(RIFLES[0]))
    assert country.where(RIFLES[0]) == "Private Sami (A-1004)"
    refusal = country.refused("clerk", ISSUE, receiver="A-1003", store="Main store", lines=scans(RIFLES[1]))
    assert "not on the roster since" in refusal.detail


def test_the_same_roster_again_changes_nothing(country: Country) -> None:
    """Sent twice, also on one day: everybody is as before, and each file is kept."""
    roster = listed(*COMPANY, "A-1004,Sami,Private,1COY", "A-1009,Leaver,Private,1COY")
    first = imported(country, roster)
    again = imported(country, roster)
    assert (told(first, Kind.NEW), told(first, Kind.BACK)) == (["A-1004"], ["A-1009"])
    assert again.changes == ()
    assert again.counts.unchanged == 5
    shas = country.query("SELECT encode(file_sha256, 'hex'), line_count FROM register WHERE kind = 'roster'")
    assert shas == [(first.sha256, 5)] * 2


def test_who_is_gone_by_mistake_comes_back_the_same_day(country: Country) -> None:
    """Rahim was forgotten, then is on the mended list: gone, back, and one person still."""
    imported(country, listed(*COMPANY[:2]))
    answer = imported(country, listed(*COMPANY))
    assert told(answer, Kind.BACK) == ["A-1003"]
    assert ("A-1003", "1COY") in people(country)
    assert country.query("SELECT count(*) FROM party WHERE code = 'A-1003'") == [(1,)]


def test_who_still_holds_weapons_goes_and_is_named_with_them(country: Country) -> None:
    """Rahim is gone with a rifle: nobody refuses reality, but the answer names him and it, in the preview too."""
    country.do("clerk", ISSUE, receiver="A-1003", store="Main store", lines=scans(RIFLES[3]))
    for dry_run in (True, False):
        answer = imported(country, listed(*COMPANY[:2]), dry_run=dry_run)
        (holder,) = answer.still_holding
        assert (holder.service_number, holder.site, holder.holds) == ("A-1003", "TAJI", 1)
        assert holder.weapons == (f"AKM {RIFLES[3]}",)
    assert country.where(RIFLES[3]) == "Private Rahim (A-1003)"


def test_a_roster_that_would_end_most_people_must_be_confirmed(country: Country) -> None:
    """Half the file was lost: two of three would go. Only the exact number, as the preview gave it, lets it through."""
    half = listed(COMPANY[0])
    assert imported(country, half, dry_run=True).confirm_gone == 2
    for confirmed in (None, 1, 3):
        with pytest.raises(Refused, match="2 of 3 people of TAJI"):
            imported(country, half, confirm_gone=confirmed)
    assert len(people(country)) == 3
    assert told(imported(country, half, confirm_gone=2), Kind.GONE) == ["A-1002", "A-1003"]
    assert people(country) == {("A-1001", "1COY")}


def test_a_person_moves_from_another_site(country: Country) -> None:
    """Petrov is on ERBIL's roster now: there he can draw and be seen, at TAJI no more; the rifle he took is told, and stays his."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    answer = imported(country, listed("A-1001,Petrov,Private,"), site="ERBIL")
    assert told(answer, Kind.MOVED) == ["A-1001"]
    assert (answer.changes[0].was, answer.changes[0].unit) == ("Private Petrov (A-1001), 1COY, TAJI", "MOD")
    assert [(holder.site, holder.weapons) for holder in answer.still_holding] == [("TAJI", (f"AKM {RIFLES[0]}",))]
    erbil = country.sites["ERBIL"]
    with transaction(country.engine, roles.POSTER, erbil.site_id) as connection:
        receiver = parties.find_receiver(connection, erbil, "A-1001", answer.as_of)
    assert receiver is not None
    assert receiver.objection is None
    assert imported(country, listed(*COMPANY[1:])).counts.gone == 0


def test_a_person_changes_the_unit(country: Country) -> None:
    """By the unit's code or its name, in either case; the membership in the old one ends the day before."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        site = country.sites["TAJI"]
        since = today() - timedelta(days=400)
        parties.add_unit(connection, "2COY", "2nd Company", site, None, since)
    imported(country, listed("A-1001,Petrov,Private,2coy", "A-1002,Quist,Private,2nd company", COMPANY[2]))
    assert people(country) == {("A-1001", "2COY"), ("A-1002", "2COY"), ("A-1003", "1COY")}
    first = country.query(
        """SELECT u.code, m.until IS NULL FROM assignment m JOIN party p USING (party_id)
           JOIN party u ON u.party_id = m.unit_id WHERE p.code = 'A-1001' ORDER BY m.since"""
    )
    assert first == [("1COY", False), ("2COY", True)]


def test_what_a_roster_does_not_tell_does_not_change(country: Country) -> None:
    """A list of numbers and names alone leaves ranks and units as they are."""
    answer = imported(country, "Service No,Name\nA-1001,Petrov\nA-1002,Quist\nA-1003,Rahim\n")
    assert answer.changes == ()


def test_dirty_rows_are_named_and_nothing_is_done_until_they_may_be_set_aside(country: Country) -> None:
    """No number, an unknown unit, one number twice with two names: each is named by its row. Set aside, the rest is done,
    and nobody goes for standing in a bad row."""
    dirty = listed(
        "A-1001,Petrov,Private,9COY",
        "A-1002,Quist,Private,1COY",
        "A-1003,Rahim,Private,1COY",
        "A-1003,Rahman,Sergeant,1COY",
        "A-1004,Sami,Private,1COY",
        ",Nobody,Private,1COY",
        "A-1005,,Private,1COY",
    )
    with pytest.raises(Invalid) as refusal:
        imported(country, dirty)
    assert [fault.row for fault in refusal.value.faults] == [2, 4, 5, 7, 8]
    assert len(people(country)) == 3
    answer = imported(country, dirty, set_aside=True)
    assert set(remarks(answer)) == {2, 4, 5, 7, 8}
    assert "no unit '9COY'" in remarks(answer)[2]
    assert "row 5 says something else" in remarks(answer)[4]
    assert "no service number" in remarks(answer)[7]
    assert (told(answer, Kind.NEW), told(answer, Kind.GONE)) == (["A-1004"], [])
    kept = country.query("SELECT line FROM register_line WHERE rejected IS NOT NULL ORDER BY line")
    assert [line for (line,) in kept] == [2, 4, 5, 7, 8]


def test_a_row_that_names_nobody_may_be_the_one_who_is_missing(country: Country) -> None:
    """One row has no number and Rahim is missing: it may be his, so that his end must be confirmed."""
    roster = listed(*COMPANY[:2], ",Rahim,Private,1COY")
    with pytest.raises(Refused, match="Row 4, set aside, may be one of them"):
        imported(country, roster, set_aside=True)
    assert imported(country, roster, set_aside=True, confirm_gone=1).counts.gone == 1


def test_the_same_row_twice_is_one_person(country: Country) -> None:
    """Said twice alike: the second is set aside as the same, and nobody is doubled."""
    answer = imported(country, listed(*COMPANY, "A-1004,Sami,Private,1COY", "A-1004,Sami,Private,1COY"), set_aside=True)
    assert remarks(answer) == {6: "the same as row 5"}
    assert told(answer, Kind.NEW) == ["A-1004"]


def test_a_number_that_lost_its_zeros_is_flagged_and_never_guessed(country: Country) -> None:
    """0042 went out as text and comes back from the spreadsheet as 42: the row is set aside naming both, 0042 does not go,
    and no second person is made. A number nobody knows is taken as it came, with the doubt."""
    rows = [
        ["1st Company, strength return"], [], ["Service No", "Name", "Rank", "Unit code"],
        *(row.split(",") for row in COMPANY),
    ]  # fmt: skip
    imported(country, workbook([*rows, ["0042", "Tariq", "Private", "1COY"]]), name="roster.xlsx")
    answer = imported(
        country,
        workbook([*rows, [42, "Tariq", "Private", "1COY"], [7001, "Umar", "Private", "1COY"]]),
        name="roster.xlsx",
        set_aside=True,
    )
    assert list(remarks(answer)) == [7]
    assert "like 0042" in remarks(answer)[7]
    assert [(remark.row, "leading zeros may be lost" in remark.remark) for remark in answer.doubts] == [(8, True)]
    assert (told(answer, Kind.NEW), told(answer, Kind.GONE)) == (["7001"], [])
    assert country.query("SELECT doubts IS NOT NULL FROM register_line WHERE line = 8") == [(True,)]


def test_digits_that_a_spreadsheet_threw_away_make_no_person(country: Country) -> None:
    """12E+7 is nobody's number: the row is set aside, and says what to do."""
    answer = imported(country, listed(*COMPANY, "1.2E+07,Tariq,Private,1COY"), set_aside=True)
    assert "write the service number as text" in remarks(answer)[5]
    assert answer.counts.new == 0


def test_a_number_written_otherwise_is_the_same_person(country: Country) -> None:
    """a1001, А-1002 with a Cyrillic А, ١٢٣ for 123: case, dash and digits are spelling, a look-alike letter is a doubt to settle."""
    imported(country, listed(*COMPANY, "123,Tariq,Private,1COY"))
    answer = imported(
        country,
        listed("a 1001,Petrov,Private,1COY", "\u0410-1002,Quist,Private,1COY", COMPANY[2], "١٢٣,Tariq,Private,1COY"),
        set_aside=True,
    )
    assert answer.changes == ()
    assert [(remark.row, remark.remark) for remark in answer.doubts] == [
        (2, "written A-1001 in the books"), (5, "written 123 in the books"),
    ]  # fmt: skip
    assert "like A-1002" in remarks(answer)[3]


@pytest.mark.parametrize(
    ("heading", "row", "encoding"),
    [
        ("الرقم العسكري,الاسم الكامل,الرتبة,رمز الوحدة", "٤٤٠١,كريم هادي,جندي,1COY", "utf-8"),
        ("Личный номер,ФИО,Звание,Код части", "П-4401,Шевченко Тарас,рядовой,1COY", "cp1251"),
        ("Особистий номер,ПІБ,Військове звання,Підрозділ", "П-4402,Їжакевич Ганна,солдат,1st Company", "utf-16"),
        ("Matricule,Nom et prénom,Grade,Unité", "M-44,Traoré Aïcha,Caporal,1COY", "cp1252"),
    ],
)
def test_rosters_of_other_scripts(country: Country, heading: str, row: str, encoding: str) -> None:
    """Headings, names and digits in Arabic, Russian, Ukrainian and French, in the encodings they come in."""
    answer = imported(country, listed(*COMPANY, row, heading=heading).encode(encoding))
    code, name, rank, _ = row.split(",")
    (new,) = [change for change in answer.changes if change.kind is Kind.NEW]
    assert (new.service_number, new.name, new.rank, new.unit) == (code, name, rank, "1COY")
    assert country.query("SELECT name FROM party WHERE code = %s", code) == [(name,)]


def test_a_workbook_with_title_rows_and_a_merged_unit(country: Country) -> None:
    """Two rows of title, a blank one, then the table."""
    rows = [["Ministry of Defence"], ["Strength return, 1st Company"], [], ["No", "Service No", "Name", "Rank", "Unit"]]
    rows += [[str(n), *row.split(",")] for n, row in enumerate(COMPANY, 1)]
    answer = imported(country, workbook([*rows, ["4", "A-1004", "Sami", "Private", "1st Company"]]), name="roster.xlsx")
    assert [(change.row, change.service_number) for change in answer.changes] == [(8, "A-1004")]


def test_columns_are_said_once_and_remembered_for_the_site(country: Country) -> None:
    """Headings nobody knows are asked for; said once for TAJI, they are known there next time, and a dry run remembers nothing."""
    strange = listed(*COMPANY, heading="alpha,beta,gamma,delta")
    columns = {"service_number": "alpha", "name": "beta", "rank": "gamma", "unit_code": "delta"}
    with pytest.raises(Invalid, match="Say which column") as refusal:
        imported(country, strange)
    assert {fault.field for fault in refusal.value.faults} == {"service_number", "name"}
    imported(country, strange, columns=columns, dry_run=True)
    with pytest.raises(Invalid, match="Say which column"):
        imported(country, strange)
    imported(country, strange, columns=columns)
    assert imported(country, strange).counts.unchanged == 3


def test_a_unit_for_the_whole_list(country: Country) -> None:
    """A company's own list has no column for the company: it is said once for all rows."""
    answer = imported(
        country, "Service No,Name,Rank\nA-1001,Petrov,Private\nA-1002,Quist,Private\nA-1010,Wali,Private\n",
        constants={"unit_code": "1COY"},
    )  # fmt: skip
    assert [(change.service_number, change.unit) for change in answer.changes] == [
        ("A-1003", "1COY"),
        ("A-1010", "1COY"),
    ]


def test_who_is_in_no_unit_belongs_to_the_organisation(country: Country) -> None:
    """The clerk stands on the roster without a unit: from now on he is on it, dated like everybody."""
    answer = imported(country, listed(*COMPANY, "T-1,Talib Clerk,Sergeant,"))
    assert told(answer, Kind.CHANGED) == ["T-1"]
    assert ("T-1", "MOD") in people(country)


def test_a_roster_of_an_earlier_day(country: Country) -> None:
    """Drawn up ten days ago: memberships begin then. None is of tomorrow, none older than the last."""
    this_day = today()
    answer = imported(country, listed(*COMPANY, "A-1004,Sami,Private,1COY"), as_of=str(this_day - timedelta(days=10)))
    assert country.query("SELECT m.since FROM assignment m JOIN party p USING (party_id) WHERE p.code = 'A-1004'") == [
        (answer.as_of,)
    ]
    for day in (this_day + timedelta(days=2), this_day - timedelta(days=11)):
        with pytest.raises(Invalid) as refusal:
            imported(country, listed(*COMPANY), as_of=str(day))
        assert refusal.value.faults[0].field == "as_of"


def test_the_register_holds_no_names(country: Country) -> None:
    """What can never be erased holds row numbers and reasons, and the file's digest; not one name."""
    imported(country, listed(*COMPANY, "A-1004,Sami,Private,1COY"))
    assert country.query("SELECT DISTINCT cells::text FROM register_line JOIN register USING (register_id) "
                         "WHERE kind = 'roster'") == [("[]",)]  # fmt: skip


def test_only_a_registrar_imports(country: Country) -> None:
    """Not a clerk, not the commander, not the auditor; and not a site or a file that is not there."""
    for who in ("clerk", "commander", "auditor", "USA"):
        with pytest.raises(NotAllowed):
            imported(country, listed(*COMPANY), who=who)
    with pytest.raises(NotFound):
        imported(country, listed(*COMPANY), site="NOWHERE")
    with pytest.raises(Invalid, match="no row"):
        imported(country, listed(",,,"), set_aside=True)


def test_many_people(country: Country) -> None:
    """A whole division comes, is promoted, and half of it leaves: each in bulk, in seconds."""
    many = 5_000
    begun = time.monotonic()
    roster = listed(*COMPANY, *(f"B-{n:05},Soldier {n},Private,1COY" for n in range(many)))
    assert imported(country, roster).counts.new == many
    promoted = listed(*COMPANY, *(f"B-{n:05},Soldier {n},Corporal,1COY" for n in range(many)))
    assert imported(country, promoted).counts.changed == many
    left = listed(*COMPANY, *(f"B-{n:05},Soldier {n},Corporal,1COY" for n in range(many // 2 + 10)))
    assert imported(country, left).counts.gone == many // 2 - 10
    assert country.query(
        "SELECT count(*) FROM account a JOIN party p USING (party_id) WHERE a.name = p.rank || ' ' || p.name || ' (' || p.code || ')'"
        " AND p.code >= 'B-' AND p.code < 'B.'"
    ) == [(many,)]
    assert time.monotonic() - begun < 30
    assert stored(left)["sha256"] == country.query(
        "SELECT encode(file_sha256, 'hex') FROM register ORDER BY recorded_at DESC LIMIT 1"
    )[0][0]  # fmt: skip

"""Any list kept as a register: mapped once for its source, kept as read, whole or not at all, once a file."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stockpile import jobs
from stockpile.catalogue import map_alias
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Invalid, NotAllowed, UnreadableFile
from stockpile.files import file_store
from stockpile.registers import importing
from stockpile.registers.importing import ImportRegister, import_register
from stockpile.registers.rejects import RowsRejected, kept_rejects
from stockpile.reports.registers import Lines, read_register
from tests.reading import asked_by
from tests.registers import compared, counts, found, imported, kept_file
from tests.test_races import at_once
from tests.world import RIFLES, Country

BOOK = (
    "Serial Number,Nomenclature,Date Shipped,Date Received,Unit,Issued to,Qty,Remarks\n"
    "KT 449921,AK-47,2004-06-12,2004-07-01,3rd  battalion,Sgt Karim,1,crate 4\n"
    ",Helmet,,2004-07-01,3rd battalion,,140,\n"
)


def lines(country: Country, register: Any, columns: str) -> list[tuple[Any, ...]]:
    return country.query(
        f"SELECT {columns} FROM register_line WHERE register_id = %s ORDER BY line", register.register_id
    )


def test_a_list_is_kept_as_read_and_read_in_our_fields(country: Country) -> None:
    """Cells stay as they stood; what they say is beside them, and nothing moved."""
    entries = country.query("SELECT count(*) FROM entry")
    done = imported(country, BOOK, name="Book of the 3rd", as_of="2007-01-31T00:00:00+03:00", donor="USA")
    assert (done.lines, done.rejected, done.known) == (2, 0, False)
    assert lines(
        country, done, "serial_number, serial_key, model, quantity, shipped_on, received_on, unit, holder"
    ) == [
        ("KT 449921", "KT449921", "AK-47", 1, date(2004, 6, 12), date(2004, 7, 1), "3RD BATTALION", "SGT KARIM"),
        (None, None, "Helmet", 140, None, date(2004, 7, 1), "3RD BATTALION", None),
    ]
    shown = asked_by(country, "auditor", read_register, done.register_id)
    assert shown.register.name == "Book of the 3rd"
    assert shown.register.donor == "USA"
    assert shown.lines[0].cells == [
        "KT 449921",
        "AK-47",
        "2004-06-12",
        "2004-07-01",
        "3rd  battalion",
        "Sgt Karim",
        "1",
        "crate 4",
    ]
    assert country.query("SELECT count(*) FROM entry") == entries


def test_the_same_file_is_known_by_its_digest(country: Country) -> None:
    """Sent twice, also at once, it is one register; as another kind of list, or read by other columns, it is another."""
    first = imported(country, BOOK)
    again = imported(country, BOOK, who="registrar", name="By another name")
    assert (again.register_id, again.known, again.lines) == (first.register_id, True, first.lines)
    assert not imported(country, BOOK, kind="issue log").known
    columns = {"serial_number": "Serial Number", "model": "Nomenclature"}
    assert not imported(country, BOOK, file={"columns": columns}).known
    other = BOOK.replace("449921", "449922")
    answers = at_once([lambda: imported(country, other)] * 4)
    assert len({answer.register_id for answer in answers}) == 1
    assert sorted(answer.known for answer in answers) == [False, True, True, True]


def test_columns_are_mapped_once_for_a_source(country: Country) -> None:
    odd = "Nr,Was,Wo\nKT 1,AKM,Lager\n"
    with pytest.raises(Invalid) as refused:
        imported(country, odd, source="BW")
    assert "Its columns are: Nr, Was, Wo" in refused.value.detail
    mapped = {"columns": {"serial_number": "Nr", "model": "Was", "holder": "Wo"}}
    imported(country, odd, source="BW", file=mapped)
    assert lines(country, imported(country, odd + "KT 2,AKM,Lager\n", source="BW"), "serial_key, holder") == [
        ("KT1", "LAGER"),
        ("KT2", "LAGER"),
    ]


def test_two_columns_for_one_field_are_refused(country: Country) -> None:
    text = "A,B,Model\n1,2,AKM\n"
    with pytest.raises(Invalid, match="no column"):
        imported(country, text, file={"columns": {"serial_number": "C", "model": "Model"}})
    with pytest.raises(Invalid) as refused:
        imported(
            country, text, file={"columns": {"serial_number": "A", "model": "Model"}, "constants": {"model": "AKM"}}
        )
    assert "model has the column “Model” and a value for the whole list" in refused.value.detail


DIRTY = (
    "serial,model,qty,date received,note\n"
    "1.23E+05,AKM,1,,a spreadsheet had it\n"
    "2004-06-12,AKM,1,,a spreadsheet made a day of it\n"
    "AК 77,AKM,1,,a Cyrillic К\n"
    "--,AKM,1,,only dashes\n"
    ",,1,,nothing tells what it is\n"
    "KT 1,AKM,-4,,below nothing\n"
    "KT 2,AKM,1,31.02.2004,no such day\n"
    "KT 3,AKM,7,,a quantity with a number\n"
    ",AKM,12,,by quantity\n"
)


def test_dirty_rows_are_named_and_none_is_lost(country: Country) -> None:
    done = imported(country, DIRTY)
    assert (done.lines, done.rejected, done.doubtful) == (9, 3, 5)
    kept = {row[0]: row[1:] for row in lines(country, done, "line, serial_key, quantity, rejected, doubts")}
    assert kept[2][0] == "1.23E+05"
    assert "scientific notation" in kept[2][3]
    assert "looks like a date" in kept[3][3]
    assert kept[4][3] == "the serial number mixes Cyrillic and Latin letters"
    assert kept[5][0] is None
    assert "only blanks and dashes" in kept[5][3]
    assert kept[6][2] == "neither a serial number nor a model: nothing tells what it is"
    assert kept[7][2] == "“qty”: -4 is negative; a quantity is 0 or more."
    assert kept[8][2] == "“date received”: There is no day 31.02.2004; write it as 2005-03-12."
    assert "compared as one weapon" in kept[9][3]
    assert kept[10][:2] == (None, 12)
    shown = asked_by(country, "auditor", read_register, done.register_id, Lines.REJECTED)
    assert [line.line for line in shown.lines] == [6, 7, 8]


def test_a_list_of_which_nothing_can_be_read_is_refused_with_its_rejects(country: Country) -> None:
    registers = country.query("SELECT count(*) FROM register")
    with pytest.raises(RowsRejected) as refused:
        imported(country, "serial,model,qty\n,,1\n,,2\n")
    assert refused.value.rejected == 2
    assert refused.value.rejects is not None
    _, rows = kept_rejects(refused.value.rejects)
    assert [row[0] for row in rows] == [2, 3]
    assert country.query("SELECT count(*) FROM register") == registers
    with pytest.raises(Invalid, match="has no rows"):
        imported(country, "serial,model\n")


def test_models_nobody_has_mapped_wait_for_a_registrar_and_count_from_then(country: Country) -> None:
    """The list stays as it was read: what its names mean is settled when it is compared."""
    mine = imported(country, "serial,model\nKT 449900,AK 7.62 Soviet\n", source="3DIV")
    assert mine.unknown_models == ("AK 7.62 Soviet",)
    assert ("AK 7.62 Soviet",) in country.query("SELECT name FROM alias WHERE source = '3DIV' AND model_id IS NULL")
    before = compared(country, mine, {"site": "TAJI"})
    assert before.left["unmapped"] == ["AK 7.62 Soviet"]
    assert [one.why for one in found(country, before, "conflicting")] == ["model"]
    rifle = country.item(RIFLES[0])
    with transaction(country.engine, roles.REGISTRAR) as connection:
        map_alias(connection, "3DIV", "AK 7.62 Soviet", rifle.model_id, country.parties["registrar"].party_id)
    assert counts(compared(country, mine, {"site": "TAJI"}))["matched"] == 1


def test_a_day_that_can_be_two_is_asked_for(country: Country) -> None:
    text = "serial,model,date received\nKT 1,AKM,03/04/2005\n"
    with pytest.raises(RowsRejected) as refused:
        imported(country, text)
    assert "can be read as two days" in refused.value.faults[0].message
    done = imported(country, text, file={"date_order": "day first"})
    assert lines(country, done, "received_on") == [(date(2005, 4, 3),)]


def test_a_desk_keeps_lists_of_its_own_site_and_a_donor_none(country: Country) -> None:
    own = imported(country, BOOK, who="clerk")
    assert country.query(
        "SELECT s.code FROM register JOIN site s USING (site_id) WHERE register_id = %s", own.register_id
    ) == [("TAJI",)]
    with pytest.raises(Invalid, match="not kept"):
        imported(country, BOOK, who="clerk", site="ERBIL")
    with pytest.raises(NotAllowed, match="may not import registers"):
        imported(country, BOOK, who="USA")
    with pytest.raises(Invalid) as refused:
        imported(country, BOOK, as_of="2999-01-01T00:00:00Z")
    assert (refused.value.faults[0].field, refused.value.faults[0].message) == ("as_of", "is in the future")


def test_kinds_that_count_for_more_than_a_list_are_not_anybody_s_to_say(country: Country) -> None:
    """A roster says who is gone, an inspection what a donor was promised."""
    for kind in ("roster", "Count sheet", "allowance"):
        with pytest.raises(Invalid) as refused:
            imported(country, BOOK, kind=kind)
        assert "made by their own command" in refused.value.faults[0].message
    with pytest.raises(NotAllowed, match="A desk may not keep inspections"):
        imported(country, BOOK, who="clerk", kind="inspection")
    assert not imported(country, BOOK, kind="inspection").known


def test_lines_are_never_added_to_a_register(country: Country) -> None:
    """Not by who may import: its row closed it."""
    done = imported(country, BOOK)
    with (
        pytest.raises(Exception, match="row-level security"),
        transaction(country.engine, roles.REGISTRAR) as connection,
    ):
        connection.exec_driver_sql(
            "INSERT INTO register_line (register_id, line, cells) VALUES (%s, 99, '[]')", (done.register_id,)
        )


def long_list(rows: int) -> str:
    return "serial,model\n" + "".join(f"L{n:06},AKM\n" for n in range(rows))


def ended(country: Country, job_id: Any, who: str = "auditor") -> jobs.Job:
    for _ in range(600):
        job = jobs.read(country.engine, country.actors[who], job_id)
        if job.ended_at is not None:
            return job
        time.sleep(0.05)
    raise AssertionError("it never ended")


def begun(country: Country, text: str) -> jobs.Job:
    asked = {"kind": "register", "source": "LONG", "name": "Long", "file": kept_file(text)}
    request = ImportRegister.model_validate(asked)
    actor = country.actors["auditor"]
    return jobs.begin(country.engine, actor, "import register", lambda: import_register(country.engine, actor, request))


def test_a_long_list_is_a_job_that_names_its_register(country: Country) -> None:
    job = ended(country, begun(country, long_list(30_000)).job_id)
    assert job.state == "done", job.result
    assert job.result is not None
    assert job.result["result"]["lines"] == 30_000
    assert country.query(
        "SELECT count(*) FROM register_line WHERE register_id = %s", job.result["result"]["register_id"]
    ) == [(30_000,)]


def test_a_cancelled_import_leaves_nothing(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of the batches that were written already."""
    monkeypatch.setattr(jobs, "TOLD_EVERY", 0.0)
    before = country.query("SELECT (SELECT count(*) FROM register), (SELECT count(*) FROM register_line)")
    told = importing.told

    def cancel_half_way(what: str, done: int, of: int | None = None) -> None:
        if done == 45_000:
            jobs.cancel(country.engine, country.actors["auditor"], job.job_id)
        told(what, done, of)

    monkeypatch.setattr(importing, "told", cancel_half_way)
    job = begun(country, long_list(60_000))
    assert ended(country, job.job_id).state == "cancelled"
    assert country.query("SELECT (SELECT count(*) FROM register), (SELECT count(*) FROM register_line)") == before


def test_a_file_that_is_another_than_the_one_stored_is_refused(country: Country) -> None:
    file = kept_file(BOOK)
    path = Path(file_store().path(file["sha256"]))
    path.chmod(0o600)
    path.write_text(BOOK + "KT 9,AKM,,,,,1,\n")
    request = ImportRegister.model_validate({"kind": "book", "source": "X", "name": "X", "file": file})
    with pytest.raises(UnreadableFile, match="is not the file that was stored"):
        import_register(country.engine, country.actors["auditor"], request)


def test_a_property_book_as_it_comes(country: Country) -> None:
    """A title over the table, Arabic headings, numbers and a day that were serial numbers, a number twice, totals below: each row is
    taken as it stands, doubted or rejected by name; nothing is lost and nothing mended.
    """
    book = Path(__file__).parent / "lists" / "property-book-dirty.xlsx"
    stored = file_store().keep([book.read_bytes()], 1_000_000)
    file = {"sha256": stored.sha256, "name": book.name}
    asked = {"kind": "property book", "source": "2BDE", "name": "2nd Brigade", "file": file}
    done = import_register(country.engine, country.actors["auditor"], ImportRegister.model_validate(asked))
    kept = {row[0]: row[1:] for row in lines(country, done, "line, serial_key, quantity, unit, rejected, doubts")}
    assert kept[4] == ("KT449921", 1, "اللواء الثاني", None, None)
    assert "leading zeros may be lost" in kept[5][4]
    assert "the last digits are lost" in kept[6][4]
    assert "came as a date" in kept[7][4]
    assert kept[8][0] == "449922"
    assert kept[11][:2] == (None, 140)
    assert "-1 is negative" in kept[12][3]
    assert kept[13][3] == "neither a serial number nor a model: nothing tells what it is"
    assert kept[15][3] == "a line of totals, not an item"
    assert (len(kept), done.lines, done.rejected, done.doubtful) == (11, 11, 3, 3)
    audit = compared(country, done, {"site": "TAJI"})
    assert [(one.left_line, one.times) for one in found(country, audit, "repeated left")] == [(4, 2)]
    assert [one.why for one in found(country, audit, "incomplete left")] == ["no date, no receiver"]


def test_a_desk_changes_no_columns_that_another_settled(country: Country) -> None:
    """Nor does what holds for its whole list hold for the next one of anybody."""
    text = "A,B,Item\nKT 1,KT 2,AKM\n"
    first = {"columns": {"serial_number": "A", "model": "Item"}, "constants": {"holder": "ERB"}}
    imported(country, text, who="erbil clerk", source="OV", file=first)
    imported(country, text, who="clerk", source="OV", file={"columns": {"serial_number": "B", "model": "Item"}})
    assert lines(country, imported(country, text + "KT 3,KT 4,AKM\n", source="OV"), "serial_key, holder") == [
        ("KT1", None),
        ("KT3", None),
    ]


def test_an_inspection_in_any_spelling_is_one(country: Country) -> None:
    done = imported(country, BOOK + "KT 8,AKM,,,,,1,\n", kind=" Inspection ")
    assert country.query("SELECT kind FROM register WHERE register_id = %s", done.register_id) == [("inspection",)]

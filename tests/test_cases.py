"""Cases: opened by whoever finds something, worked off part by part, ended by two people. Nothing in one can be changed or deleted, and
all of it is in the log.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.acts.turn_in import RETURN
from stockpile.cases.case import (
    AddPart,
    AnswerProposal,
    AssignCase,
    OpenCase,
    ProposeOutcome,
    add_part,
    assign_case,
    close_case,
    decline_outcome,
    open_case,
    propose_outcome,
)
from stockpile.cases.parts import PartWritten
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Invalid, NotAllowed, NotFound, PostedWithOtherContent, Refused
from stockpile.files import file_store
from stockpile.keys import new_key
from stockpile.log.leaf import CASE_FIELDS, OPENING_FIELDS
from stockpile.log.verifying.additions import CHECKS as ADDED
from stockpile.log.verifying.books import Books
from stockpile.log.verifying.persons import CHECKS as PERSONS
from stockpile.log.verifying.references import CHECKS as REFERENCES
from stockpile.log.verifying.tree import CHECKS as TREE
from stockpile.reports.attachments import file_to_read
from stockpile.reports.cases import CaseRow, CaseShown, CasesSought, CaseState, list_cases, read_case
from stockpile.reports.open_cases import open_cases_of
from stockpile.rights import reading
from tests.world import RIFLES, Country, ago, paper, scanned_paper, scans, today

PROJECT = Path(__file__).resolve().parents[1]
LOSS = {"place": "Range 2", "circumstances": "Not in the rack at the evening count"}


def opened(country: Country, who: str, subject: dict[str, Any], **more: Any) -> PartWritten:
    request = OpenCase.model_validate({"title": "Not where the books say", "subject": subject, **more})
    return open_case(country.engine, country.actors[who], request)


def add(country: Country, who: str, case: PartWritten, **part: Any) -> PartWritten:
    return add_part(country.engine, country.actors[who], case.case_id, AddPart.model_validate(part))


def assign(country: Country, who: str, case: PartWritten, **to: Any) -> PartWritten:
    return assign_case(country.engine, country.actors[who], case.case_id, AssignCase.model_validate(to))


def propose(country: Country, who: str, case: PartWritten, outcome: str = "clerical", **more: Any) -> PartWritten:
    request = ProposeOutcome.model_validate({"outcome": outcome, "text": "Keyed at the wrong counter", **more})
    return propose_outcome(country.engine, country.actors[who], case.case_id, request)


def close(country: Country, who: str, case: PartWritten) -> PartWritten:
    return close_case(country.engine, country.actors[who], case.case_id, AnswerProposal())


def decline(country: Country, who: str, case: PartWritten, text: str | None = "Look again") -> PartWritten:
    return decline_outcome(country.engine, country.actors[who], case.case_id, AnswerProposal(text=text))


def shown(country: Country, who: str, case_id: UUID) -> CaseShown:
    with reading(country.engine, country.actors[who]) as connection:
        return read_case(connection, country.actors[who], case_id)


def listed(country: Country, who: str, **sought: Any) -> tuple[CaseRow, ...]:
    with reading(country.engine, country.actors[who]) as connection:
        return list_cases(connection, country.actors[who], CasesSought(**sought)).rows


def contradicted(country: Country, rifle: str) -> UUID:
    """A paper that says Quist returned a rifle which Petrov has: the discrepancy that it opened."""
    country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(rifle))
    posted = country.do(
        "clerk", RETURN, returned_by="A-1002", store="Main store", lines=scans(rifle), paper=paper(7, ago())
    )
    return posted.discrepancies[0].discrepancy_id


def wrong_rows(country: Country) -> list[str]:
    """What `stockpile verify` says of cases, persons, references and the queue."""
    with transaction(country.engine, roles.VERIFIER) as connection:
        books = Books(connection, file_store())
        checks = [check for check in (*ADDED, *PERSONS, *REFERENCES, TREE[1]) if check.question]
        return [f"{wrong.row}: {wrong.what}" for check in checks for wrong in check.judge(books)]


def test_from_a_discrepancy_to_its_end(country: Country) -> None:
    """The auditor opens a case on what a paper contradicts; the commander's people look into it, with evidence; the auditor ends it."""
    found = contradicted(country, RIFLES[0])
    case = opened(country, "auditor", {"discrepancy": str(found)}, owner="T-1", due_on="2099-01-31", text="Who had it?")
    assert case.case == "TAJI/CASE/1"
    number = country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[1])).number
    add(country, "clerk", case, kind="step", text="Asked both\nsoldiers", document=number)
    add(country, "second clerk", case, kind="evidence", attachments=[scanned_paper()])
    assign(country, "commander", case, due_on="2099-02-28", text="Petrov is on leave")
    propose(country, "clerk", case)
    (row,) = listed(country, "commander", owner="T-1")
    assert (row.state, row.outcome, row.due_on, row.item_id) == (
        "waiting", "clerical", date(2099, 2, 28), country.item(RIFLES[0]).item_id,
    )  # fmt: skip
    close(country, "auditor", case)
    whole = shown(country, "clerk", case.case_id)
    assert (whole.case.state, whole.case.outcome, whole.case.discrepancy_id) == ("closed", "clerical", found)
    assert [(part.kind, part.written_by) for part in whole.parts] == [
        ("opened", "Rana Registrar (R-1)"),
        ("step", "Sergeant Talib Clerk (T-1)"),
        ("evidence", "Corporal Tara Clerk (T-2)"),
        ("assigned", "Major Carim Commander (C-1)"),
        ("outcome proposed", "Sergeant Talib Clerk (T-1)"),
        ("closed", "Rana Registrar (R-1)"),
    ]
    assert whole.parts[1].document_number == number
    assert whole.parts[2].attachments == (scanned_paper(),)
    assert listed(country, "auditor") == ()
    assert [one.case for one in listed(country, "auditor", state=CaseState.CLOSED)] == ["TAJI/CASE/1"]
    assert wrong_rows(country) == []


def test_whatever_it_is_about(country: Country) -> None:
    """A weapon, a document, a person, a unit, a row of a report: each where it belongs; and what cannot be meant is said."""
    country.do("erbil clerk", RECEIVE, lines=[{"model": "AKM", "serial_number": "E 1"}])
    issued = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(RIFLES[0]))
    item = country.item(RIFLES[0]).item_id
    row = {"donor": None, "site": "TAJI", "item_id": str(item), "share": 0.1, "difference": 10**30}
    subjects: list[dict[str, Any]] = [
        {"weapon": "E 1"}, {"document": issued.number}, {"person": "A-1001"}, {"unit": "1COY"},
        {"report": {"name": "Trial balance", "path": "/reports/balance", "asked": {"by": "donor"}, "row": row}},
        {"report": {"name": "Trial balance", "row": {"donor": "USA"}}},
    ]  # fmt: skip
    cases = [opened(country, "auditor", subject) for subject in subjects]
    assert [case.case for case in cases] == [
        "ERBIL/CASE/1", "TAJI/CASE/1", "TAJI/CASE/2", "TAJI/CASE/3", "TAJI/CASE/4", "CASE/1",
    ]  # fmt: skip
    about = shown(country, "auditor", cases[4].case_id)
    assert about.report is not None
    assert about.report["row"] == row
    assert about.case.item_id == item
    assert shown(country, "auditor", cases[2].case_id).party == "Private Petrov (A-1001)"
    for subject, told in (
        ({"weapon": "nothing"}, "nothing in the books"),
        ({"person": "X-9"}, "no person"),
        ({"discrepancy": str(new_key())}, "no discrepancy"),
        ({"document": "TAJI/B/2026/4711"}, "no document"),
        ({"document": str(new_key())}, "no document"),
        ({"list": "shipping list", "line": 2}, "no register"),
    ):
        with pytest.raises((Invalid, NotFound)) as problem:
            opened(country, "auditor", subject)
        assert told in (str(problem.value) + str(getattr(problem.value, "faults", ""))), subject
    for subject in (
        {},
        {"person": "A-1001", "unit": "1COY"},
        {"list": "x"},
        {"report": {"name": "x", "row": {"a": "\0"}}},
        {"report": {"name": "x", "row": {"a": "x" * 30_000}}},
        {"report": {"name": "x", "path": "//evil.example", "row": {}}},
    ):
        with pytest.raises(ValidationError):
            opened(country, "auditor", subject)
    assert wrong_rows(country) == []


def test_the_second_person_neither_proposed_nor_answers_for_it(country: Country) -> None:
    """Not who proposed it, not the owner then, not an owner since: handing the case on for a minute makes nobody a second person. The
    database says so, too.
    """
    case = opened(country, "clerk", {"weapon": RIFLES[0]}, owner="C-1")
    with pytest.raises(Refused, match="Nobody proposed"):
        close(country, "auditor", case)
    propose(country, "second clerk", case)
    with pytest.raises(Refused, match="proposed already"):
        propose(country, "clerk", case)
    with pytest.raises(NotAllowed, match="answered for this case"):
        close(country, "commander", case)
    with pytest.raises(NotAllowed):
        close(country, "clerk", case)
    assign(country, "commander", case, owner="T-2")
    with pytest.raises(NotAllowed, match="answered for this case"):
        close(country, "commander", case)
    forged = """INSERT INTO case_part (case_id, part, part_id, site_id, kind, of_part, written_by, name_version, digest, recorded_at,
                    content_hash, seed, leaf)
                SELECT case_id, 4, gen_random_uuid(), site_id, 'closed', 2, %s, 1, digest, now(), content_hash, seed, leaf
                FROM case_part WHERE kind = 'opened'"""
    for party in ("C-1", "T-2"):
        with (
            pytest.raises(DBAPIError, match="case_part_two_people"),
            transaction(country.engine, roles.POSTER, country.sites["TAJI"].site_id) as connection,
        ):
            connection.exec_driver_sql(forged, (country.parties[party].party_id,))
    decline(country, "auditor", case)
    propose(country, "commander", case, "found")
    with pytest.raises(NotAllowed, match="proposed this end yourself"):
        close(country, "commander", case)
    close(country, "auditor", case)
    assert shown(country, "clerk", case.case_id).case.outcome == "found"


def test_not_agreed_to_or_taken_back(country: Country) -> None:
    """Both take words; another clerk may do neither. Then the way is free for another end."""
    case = opened(country, "clerk", {"weapon": RIFLES[0]})
    propose(country, "clerk", case)
    with pytest.raises(NotAllowed):
        decline(country, "second clerk", case)
    with pytest.raises(Invalid, match="say why"):
        decline(country, "commander", case, None)
    decline(country, "commander", case)
    propose(country, "clerk", case)
    decline(country, "clerk", case, "I was wrong")
    kinds = [part.kind for part in shown(country, "clerk", case.case_id).parts]
    assert kinds == ["opened", "outcome proposed", "declined", "outcome proposed", "declined"]
    (row,) = listed(country, "clerk")
    assert (row.state, row.outcome) == ("open", None)


def test_a_loss_report_is_named(country: Country) -> None:
    """That a weapon is reported lost is no end without the report."""
    case = opened(country, "clerk", {"weapon": RIFLES[0]})
    with pytest.raises(ValidationError, match="name the loss report"):
        propose(country, "clerk", case, "loss report")
    report = country.do("clerk", REPORT_MISSING, **LOSS, lines=scans(RIFLES[0]))
    with pytest.raises(Invalid):
        propose(country, "clerk", case, "loss report", document="TAJI/B/2026/4711")
    propose(country, "clerk", case, "loss report", document=report.number)
    assert shown(country, "clerk", case.case_id).parts[1].document_number == report.number


def test_what_is_closed_stays_closed_and_another_takes_it_up(country: Country) -> None:
    """Nothing is added after the end. A new case cites it, and each leads to the other."""
    case = opened(country, "clerk", {"weapon": RIFLES[0]})
    with pytest.raises(Refused, match="go on there"):
        opened(country, "clerk", {"weapon": RIFLES[0]}, reopens=str(case.case_id))
    propose(country, "clerk", case)
    close(country, "commander", case)
    for late in (
        lambda: add(country, "clerk", case, kind="note", text="One more thing"),
        lambda: assign(country, "commander", case, owner="T-2"),
        lambda: propose(country, "clerk", case),
        lambda: decline(country, "auditor", case),
        lambda: close(country, "auditor", case),
    ):
        with pytest.raises(Refused, match="is closed"):
            late()
    again = opened(country, "auditor", {"weapon": RIFLES[0]}, reopens=str(case.case_id))
    assert shown(country, "clerk", again.case_id).reopens_case == case.case
    assert shown(country, "clerk", case.case_id).taken_up_by == (again.case,)


def test_who_answers_for_it(country: Country) -> None:
    """The commander says, or who answers for it hands it on; another clerk does not. It is a person, and one of the site."""
    case = opened(country, "clerk", {"weapon": RIFLES[0]})
    (row,) = listed(country, "clerk", owner="T-1")
    assert row.due_on == today() + timedelta(days=30)
    with pytest.raises(NotAllowed):
        assign(country, "second clerk", case, owner="T-2")
    assign(country, "clerk", case, owner="T-2")
    with pytest.raises(NotAllowed):
        assign(country, "clerk", case, owner="T-1")
    with pytest.raises(Invalid):
        assign(country, "commander", case, owner="E-1")
    assert [one.case for one in listed(country, "commander", owner="T-2", due_before=date(2999, 1, 1))] == [case.case]
    assert listed(country, "commander", owner="T-2", due_before=today()) == ()


def test_sent_twice_it_stands_once(country: Country) -> None:
    """The same key with the same content gets the first answer, byte for byte; with other content, or in use at another site, none."""
    key, part = new_key(), new_key()
    case = opened(country, "clerk", {"weapon": RIFLES[0]}, case_id=str(key))
    assert opened(country, "clerk", {"weapon": RIFLES[0]}, case_id=str(key)) == case
    with pytest.raises(PostedWithOtherContent):
        opened(country, "clerk", {"weapon": RIFLES[1]}, case_id=str(key))
    with pytest.raises(PostedWithOtherContent):
        opened(country, "erbil clerk", {"person": "E-1"}, case_id=str(key))
    first = add(country, "clerk", case, kind="note", text="Asked", part_id=str(part))
    add(country, "clerk", case, kind="note", text="Asked again")
    assert add(country, "clerk", case, kind="note", text="Asked", part_id=str(part)) == first
    with pytest.raises(PostedWithOtherContent):
        add(country, "clerk", case, kind="note", text="Not asked", part_id=str(part))
    other = opened(country, "erbil clerk", {"person": "E-1"})
    with pytest.raises(PostedWithOtherContent):
        add(country, "erbil clerk", other, kind="note", text="Asked", part_id=str(part))
    assert len(shown(country, "clerk", key).parts) == 3


def test_another_site_and_a_donor_are_told_nothing(country: Country) -> None:
    """But that there is one, who has the weapon in the hand: not even in words. Its files are for who reads the case."""
    case = opened(country, "auditor", {"weapon": RIFLES[0]}, attachments=[scanned_paper(b"%PDF-1.4 a case %%EOF")])
    item = country.item(RIFLES[0]).item_id
    for who in ("erbil clerk", "USA"):
        with pytest.raises((NotFound, NotAllowed)):
            shown(country, who, case.case_id)
        with pytest.raises((NotFound, NotAllowed)):
            add(country, who, case, kind="note", text="let me")
    assert listed(country, "erbil clerk") == ()
    sha256 = shown(country, "auditor", case.case_id).parts[0].attachments[0]
    for who, told in (("erbil clerk", {item: 1}), ("auditor", {item: 1}), ("USA", {})):
        with reading(country.engine, country.actors[who]) as connection:
            assert open_cases_of(connection, country.actors[who], [item]) == told
            if who != "auditor":
                with pytest.raises((NotFound, NotAllowed)):
                    file_to_read(connection, country.actors[who], sha256)
    with reading(country.engine, country.actors["clerk"]) as connection:
        assert file_to_read(connection, country.actors["clerk"], sha256).media_type == "application/pdf"
    nowhere = opened(country, "auditor", {"report": {"name": "Trial balance", "row": {"donor": "USA"}}})
    with pytest.raises(NotFound):
        shown(country, "clerk", nowhere.case_id)
    donor = country.parties["USA"].party_id
    with (
        pytest.raises(DBAPIError, match="permission denied"),
        transaction(country.engine, roles.DONOR, None, donor) as connection,
    ):
        connection.exec_driver_sql("SELECT title FROM case_file")


def test_nothing_in_a_case_is_changed_or_deleted(country: Country) -> None:
    """Not by the roles that the service takes, not by the owner of the tables; and the auditor's own role in the database writes
    nothing at all: neither a case nor the ledger.
    """
    case = opened(country, "auditor", {"weapon": RIFLES[0]})
    add(country, "clerk", case, kind="note", text="Asked")
    changes = ("UPDATE {} SET site_id = site_id", "DELETE FROM {}", "TRUNCATE {} CASCADE")
    for role in (*roles.TAKEN, roles.SERVICE):
        for table in ("case_file", "case_part"):
            for statement in changes:
                with (
                    pytest.raises(DBAPIError, match=r"permission denied|must be owner"),
                    transaction(
                        country.engine, role if role in roles.TAKEN else "none", country.sites["TAJI"].site_id
                    ) as connection,
                ):
                    connection.exec_driver_sql(statement.format(table))
    url = country.engine.url.set(drivername="postgresql", username=roles.OWNER).render_as_string(hide_password=False)
    for statement in changes:
        with psycopg.connect(url) as owner, pytest.raises(psycopg.Error, match="never changed"):
            owner.execute(statement.format("stockpile.case_part").encode())
    tables = country.owner_query("SELECT tablename FROM pg_tables WHERE schemaname = 'stockpile'")
    writes = country.owner_query(
        "SELECT t, p FROM unnest(%s::text[]) t, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p "
        "WHERE has_table_privilege('stockpile_auditor', 'stockpile.' || quote_ident(t), p)",
        [name for (name,) in tables],
    )
    assert writes == []
    forged = """INSERT INTO case_part (case_id, part, part_id, site_id, kind, text, written_by, name_version, digest, recorded_at,
                    content_hash, seed, leaf) VALUES (%s, 3, %s, %s, 'note', 'x', %s, 1, sha256(''), now(), sha256(''), sha256(''),
                    '\\x05' || sha256('') || sha256(''))"""
    taji, erbil = (country.sites[code].site_id for code in ("TAJI", "ERBIL"))
    with (
        pytest.raises(DBAPIError, match=r"row-level security|case_part_site"),
        transaction(country.engine, roles.POSTER, erbil) as connection,
    ):
        connection.exec_driver_sql(forged, (case.case_id, new_key(), taji, country.parties["E-1"].party_id))


def altered(country: Country, statement: str) -> None:
    """Somebody with the machine in his hands switches the guards off."""
    url = country.engine.url.set(drivername="postgresql", username=roles.OWNER).render_as_string(hide_password=False)
    with psycopg.connect(url) as owner:
        for table in ("case_file", "case_part"):
            owner.execute(f"ALTER TABLE stockpile.{table} DISABLE TRIGGER USER")
        owner.execute(statement.encode())
        for table in ("case_file", "case_part"):
            owner.execute(f"ALTER TABLE stockpile.{table} ENABLE TRIGGER USER")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE stockpile.case_part SET text = 'All is well' WHERE part = 2", "part 2 of case"),
        ("UPDATE stockpile.case_part SET due_on = '2999-01-01' WHERE part = 1", "part 1 of case"),
        ("UPDATE stockpile.case_file SET title = 'Nothing'", "part 1 of case"),
        ("UPDATE stockpile.case_file SET opened_at = opened_at - interval '1 day'", "another moment"),
        ("""UPDATE stockpile.case_file SET report = '{"name": "x", "row": {}}'""", "part 1 of case"),
        ("DELETE FROM stockpile.case_part WHERE part = 2", "no row has this leaf"),
        ("UPDATE stockpile.case_part SET written_by = (SELECT party_id FROM stockpile.party WHERE code = 'T-2') WHERE part = 2",
         "its digest does not follow"),
    ],
)  # fmt: skip
def test_what_the_machines_administrator_changes_is_found(country: Country, statement: str, told: str) -> None:
    """By `verify`, which makes every part's leaf anew."""
    case = opened(
        country, "auditor", {"report": {"name": "Trial balance", "row": {"donor": "USA", "share": 1.5}}}, owner="R-1"
    )
    add(country, "auditor", case, kind="note", text="Looked for it")
    assert wrong_rows(country) == []
    altered(country, statement)
    assert any(told in wrong for wrong in wrong_rows(country)), wrong_rows(country)


def test_a_part_leaves_as_the_documentation_says(country: Country) -> None:
    """The leaf's fields are those of docs/log.md, made from what is stored and nothing else."""
    text = (PROJECT / "docs" / "log.md").read_text(encoding="utf-8")
    told = text[text.index("**Part of a case**") :]
    told = told[: told.index("\n\n")]
    assert [name for name in (*CASE_FIELDS, *OPENING_FIELDS) if f"`{name}`" not in told] == []

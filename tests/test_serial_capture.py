"""How many weapons have a readable serial number recorded: of a list as it was read, and of the ledger."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stockpile import catalogue
from stockpile.acts.amend_identification import AMEND_IDENTIFICATION
from stockpile.acts.correct import CORRECT
from stockpile.acts.declare import DECLARE
from stockpile.acts.mark import MARK
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.errors import Invalid, NotAllowed, NotFound
from stockpile.keys import new_key
from stockpile.reports.as_of import AsOf
from stockpile.reports.serial_capture import (
    CaptureSought,
    SerialCapture,
    serial_capture,
    serial_capture_of_register,
)
from tests.api_world import Web, problem, served
from tests.lists_kept import kept
from tests.reading import asked_by, declared_and_received
from tests.registers import imported
from tests.test_report_files import Command, stockpile
from tests.world import HELMET, RIFLES, Country, photo, scanned_paper, scans

web = pytest.fixture(served)
__all__ = ["stockpile"]


def lines(found: SerialCapture) -> dict[str | None, tuple[str, int, int, float | None]]:
    return {row.model: (str(row.what), row.quantity, row.with_serial, row.percent) for row in found.rows}


def of(country: Country, who: str = "auditor", at: AsOf | None = None, **sought: Any) -> SerialCapture:
    return asked_by(country, who, serial_capture, CaptureSought(**sought), at or AsOf())


def without_serial(country: Country) -> None:
    """Two AKM with their numbers ground off, one of which shows what it was."""
    country.do(
        "clerk", RECEIVE, store="Main store",
        lines=[{"model": "AKM", "obliterated": True, "condition": "serviceable"},
               {"model": "AKM", "serial_number": "KT 7", "obliterated": True, "condition": "serviceable"}],
    )  # fmt: skip


def test_a_list_of_contracts_most_of_which_asked_for_no_serials(country: Country) -> None:
    """Twelve pistols by serial number, 400 rifles by quantity, 30 more line by line, armour, and a name that nobody has mapped."""
    register = kept(
        country, "delivery list",
        *({"model": "AKM", "serial_number": f"P {n}"} for n in range(12)),
        {"model": "AKM", "quantity": 400}, {"maker": "Izhmash", "model": "akm", "quantity": 5, "serial_number": "P 99"},
        *({"model": "AKM"} for _ in range(30)), {"model": HELMET, "quantity": 1000}, {"model": "Blunderbuss", "quantity": 7},
        {"model": "AKM", "quantity": 90, "rejected": "cannot be read"}, {"model": "AKM", "quantity": 0},
    )  # fmt: skip
    found = asked_by(country, "registrar", serial_capture_of_register, register)
    assert lines(found) == {
        "AKM": ("weapons", 447, 13, 2.9),
        HELMET: ("counted", 1000, 0, None),
        "Blunderbuss": ("unknown model", 7, 0, 0.0),
    }
    assert (found.weapons, found.with_serial, found.without_serial, found.percent) == (447, 13, 434, 2.9)
    assert (found.counted, found.unknown_model, found.set_aside) == (1000, 7, 1)


def test_a_name_counts_as_what_its_source_means_by_it(country: Country) -> None:
    """Unknown until a registrar maps it; another source's list is untouched by that."""
    line = {"model": "Rifle, assault", "quantity": 3}
    ours, theirs = kept(country, "delivery list", line), kept(country, "delivery list", line, source="FRA")
    with transaction(country.engine, roles.REGISTRAR) as connection:
        model = catalogue.find_model(connection, "AKM")
        assert model is not None
        catalogue.map_alias(connection, "USA", "Rifle, assault", model.model_id, country.actors["registrar"].party_id)
    assert asked_by(country, "auditor", serial_capture_of_register, ours).weapons == 3
    assert asked_by(country, "auditor", serial_capture_of_register, theirs).unknown_model == 3


def test_of_the_ledger_what_is_in_the_books(country: Country) -> None:
    """Ten rifles with numbers, two ground off: the number that can't be read does not count, though it is known. Helmets are told apart."""
    without_serial(country)
    found = of(country)
    assert lines(found) == {"AKM": ("weapons", 12, 10, 83.3), HELMET: ("counted", 100, 0, None)}
    assert (found.percent, found.counted) == (83.3, 100)
    assert of(country, model=HELMET).percent is None


def test_as_of_a_moment_it_is_what_was_known_then(country: Country) -> None:
    """Ten rifles had numbers; one was found to be ground off; that was taken back by a correction. At each moment, on either clock, the
    share is what it was; a mark that was put on meanwhile says nothing of the number.
    """
    moments = [now()]
    amended = country.do_with_approval(
        "clerk", "commander", AMEND_IDENTIFICATION,
        reason="ground off", attachments=[scanned_paper(photo())], lines=[{"scan": RIFLES[0], "obliterated": True}],
    )  # fmt: skip
    moments.append(now())
    country.do_with_approval("clerk", "commander", CORRECT, document=amended.document_id, reason="the wrong rifle")
    country.do("commander", MARK, method="laser", place="receiver", import_country="IQ", lines=scans(RIFLES[1]))
    moments.append(now())
    without_serial(country)
    for who in ("auditor", "clerk"):
        assert [of(country, who, AsOf(recorded_at=moment)).percent for moment in moments] == [100.0, 90.0, 100.0]
        assert of(country, who, AsOf(moments[0], moments[0])).with_serial == 10
        assert of(country, who, AsOf(happened_at=moments[0], recorded_at=moments[1])).with_serial == 10
        assert of(country, who).weapons == of(country, who, AsOf(now())).weapons == 12
        assert of(country, who).percent == 83.3


def test_by_consignment_donor_and_site_and_a_donor_its_own(country: Country) -> None:
    """The USA's two M4, however it asks; nothing of what others gave. ERBIL holds nothing."""
    declared_and_received(country, "US 1", "US 2")
    country.do(
        "registrar",
        DECLARE,
        site="TAJI",
        donor="FRA",
        reference="F 1",
        lines=[{"model": "AKM", "serial_number": "F 1"}],
    )
    assert of(country).weapons == 13
    assert lines(of(country, "USA")) == {"M4": ("weapons", 2, 2, 100.0)}
    assert of(country, "USA", AsOf(now())) == of(country, "USA")
    assert of(country, consignment="F 1").weapons == of(country, donor="FRA").weapons == 1
    assert of(country, "USA", consignment="F 1").weapons == 0
    assert of(country, site="ERBIL").rows == ()
    assert of(country, "erbil clerk").rows == ()
    with pytest.raises(NotAllowed):
        of(country, "erbil clerk", site="TAJI")
    with pytest.raises(NotFound):
        of(country, donor="NOBODY")


def test_a_list_is_not_a_donor_s_to_read_nor_another_site_s(country: Country) -> None:
    register = kept(country, "delivery list", {"model": "AKM"}, site="TAJI")
    assert asked_by(country, "clerk", serial_capture_of_register, register).weapons == 1
    for who, problem_is in (("USA", NotAllowed), ("erbil clerk", NotFound)):
        with pytest.raises(problem_is):
            asked_by(country, who, serial_capture_of_register, register)
    with pytest.raises(NotFound):
        asked_by(country, "auditor", serial_capture_of_register, new_key())
    with pytest.raises(Invalid, match="which of its columns"):
        asked_by(country, "auditor", serial_capture_of_register, kept(country, "old", {}, read=False))


def test_a_list_as_it_is_imported(country: Country) -> None:
    """A number that was ground off is no readable one; what has neither number nor quantity is one weapon."""
    listed = imported(country, "S/N,Weapon,Qty,Obliterated\nP 1,AKM,,\nP 2,AKM,,yes\n,AKM,40,\n,AKM,,\n-,AKM,,\n")
    found = asked_by(country, "auditor", serial_capture_of_register, listed.register_id)
    assert (found.with_serial, found.weapons, found.set_aside) == (1, 44, 0)


LINES = st.lists(
    st.tuples(
        st.sampled_from(["AKM", "M4", HELMET, "Blunderbuss", None]), st.none() | st.integers(0, 50), st.booleans()
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(listed=LINES)
def test_sums_are_what_the_lines_say(country: Country, listed: list[tuple[str | None, int | None, bool]]) -> None:
    """Any lines with and without quantity and serial number: each piece once, in one of the three kinds."""
    rows = [
        {"model": model, "quantity": quantity, "serial_number": f"S{n}" if numbered else None}
        for n, (model, quantity, numbered) in enumerate(listed)
    ]
    found = asked_by(country, "auditor", serial_capture_of_register, kept(country, "delivery list", *rows))
    pieces = [
        (model, max(1 if quantity is None else quantity, int(numbered)), numbered)
        for model, quantity, numbered in listed
    ]
    weapons = [row for row in pieces if row[0] in ("AKM", "M4")]
    assert found.weapons == sum(count for _, count, _ in weapons)
    assert found.with_serial == sum(numbered for *_, numbered in weapons)
    assert found.counted == sum(count for model, count, _ in pieces if model == HELMET)
    assert found.unknown_model == sum(count for model, count, _ in pieces if model in ("Blunderbuss", None))


def test_over_http_and_at_the_command_line(web: Web, stockpile: Command) -> None:
    """Both ask both; what can be asked of the ledger alone is not asked of a list."""
    register = kept(
        web.country, "delivery list", {"model": "AKM", "serial_number": "P 1"}, {"model": "AKM", "quantity": 3}
    )
    path = "/v1/reports/serial-capture"
    assert web.get("auditor", path).json()["percent"] == 100.0
    assert web.get("auditor", path, register=str(register)).json()["percent"] == 25.0
    assert web.get("auditor", path, register=str(register), format="csv").text.count("\r\n") == 2
    told = problem(web.get("auditor", path, register=str(register), donor="USA"), 422, "invalid")
    assert told["faults"][0]["field"] == "donor"
    problem(web.get("USA", path, register=str(register)), 403, "not-allowed")
    shown = stockpile("auditor", "serial-capture", "--register", str(register)).output
    assert "In all: 1 of 4 weapons with a readable serial number (25.0 %)." in shown
    assert "10 of 10 weapons" in stockpile("auditor", "serial-capture", "--site", "TAJI").output

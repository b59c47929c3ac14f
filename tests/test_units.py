"""Units: a tree that changes by days, with the people in it, and the site that serves each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from stockpile import parties, units
from stockpile.acts.issue import ISSUE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.errors import Invalid, NotFound
from stockpile.parties import Party
from tests.world import RIFLES, SINCE, Country, scans, today

TODAY = today()
BEGINNING = date(2025, 1, 1)


@pytest.fixture
def registrar(country: Country) -> Iterator[Connection]:
    """The registrar's desk; the battalion over the 1st Company, with a platoon under it."""
    with transaction(country.engine, roles.REGISTRAR) as connection:
        taji = country.sites["TAJI"]
        battalion = parties.add_unit(connection, "1BN", "1st Battalion", taji, None, SINCE)
        parties.add_unit(connection, "1PL", "1st Platoon", taji, country.parties["company"], SINCE)
        units.place_under(connection, country.parties["company"], battalion, BEGINNING)
        yield connection


def unit(connection: Connection, code: str) -> Party:
    return parties.need_party(connection, "unit", code, "unit")


def shape(tree: tuple[units.Unit, ...]) -> dict[str, object]:
    """A tree by codes."""
    return {found.code: shape(found.sub_units) for found in tree}


def refused(ask: object, *given: object) -> str | None:
    with pytest.raises(Invalid) as refusal:
        ask(*given)  # type: ignore[operator]
    return refusal.value.faults[0].field


def test_the_tree_of_any_day_can_be_read_again(country: Country, registrar: Connection) -> None:
    """Before 2025 the company stood for itself; then under the battalion; from tomorrow on its own again."""
    tomorrow = TODAY + timedelta(days=1)
    units.place_under(registrar, country.parties["company"], None, tomorrow)
    alone: dict[str, object] = {"1BN": {}, "1COY": {"1PL": {}}}
    assert shape(units.unit_tree(registrar, BEGINNING - timedelta(days=1))) == alone
    assert shape(units.unit_tree(registrar, TODAY)) == {"1BN": {"1COY": {"1PL": {}}}}
    assert shape(units.unit_tree(registrar, tomorrow)) == alone


def test_a_unit_counts_its_own_people_and_those_below(country: Country, registrar: Connection) -> None:
    """Three soldiers in the company, one in its platoon: the battalion has none of its own, and four."""
    taji = country.sites["TAJI"]
    parties.add_person(registrar, "A-1050", "Sami", None, taji, unit(registrar, "1PL"), SINCE)
    (battalion,) = units.unit_tree(registrar, TODAY)
    (company,) = battalion.sub_units
    assert (battalion.people, battalion.people_with_sub_units) == (0, 4)
    assert (company.people, company.people_with_sub_units, company.sites) == (3, 4, ("TAJI",))


def test_members_with_and_without_sub_units(country: Country, registrar: Connection) -> None:
    """The battalion's people are its company's; on the day the leaver was still there, he is among them; a part of the
    name finds one; pages of two hold each once."""
    battalion = unit(registrar, "1BN").party_id
    codes = [member.service_number for member in units.members(registrar, battalion, TODAY).rows]
    assert codes == ["A-1001", "A-1002", "A-1003"]
    assert units.members(registrar, battalion, TODAY, sub_units=False).rows == ()
    company = country.parties["company"].party_id
    then = units.members(registrar, company, date(2024, 6, 30))
    assert [member.service_number for member in then.rows] == [*codes, "A-1009"]
    (quist,) = units.members(registrar, battalion, TODAY, text="quis").rows
    assert (quist.service_number, quist.unit, quist.since, quist.until) == ("A-1002", "1COY", SINCE, None)
    first = units.members(registrar, battalion, TODAY, limit=2)
    rest = units.members(registrar, battalion, TODAY, limit=2, cursor=first.cursor)
    assert [member.service_number for member in (*first.rows, *rest.rows)] == codes
    assert rest.cursor is None


def test_no_unit_stands_below_itself(country: Country, registrar: Connection) -> None:
    """Not at once, not by way of its platoon, not of a unit that will be below it later."""
    company = country.parties["company"]
    assert refused(units.place_under, registrar, company, company, TODAY) == "parent"
    assert refused(units.place_under, registrar, company, unit(registrar, "1PL"), TODAY) == "parent"
    later = parties.add_unit(registrar, "9PL", "9th Platoon", country.sites["TAJI"], None, SINCE)
    units.place_under(registrar, later, company, TODAY + timedelta(days=30))
    assert refused(units.place_under, registrar, company, later, TODAY) == "parent"
    assert refused(units.place_under, registrar, later, None, TODAY) == "since"


def test_placed_and_taken_back_the_same_day(country: Country, registrar: Connection) -> None:
    """A mistake of the morning is mended in the afternoon: one parent, in the tree once."""
    platoon, company = unit(registrar, "1PL"), country.parties["company"]
    units.place_under(registrar, platoon, unit(registrar, "1BN"), TODAY)
    units.place_under(registrar, platoon, company, TODAY)
    assert shape(units.unit_tree(registrar, TODAY)) == {"1BN": {"1COY": {"1PL": {}}}}


def test_a_unit_moves_to_another_site(country: Country, registrar: Connection) -> None:
    """ERBIL serves the company from today on: there it may draw, at TAJI no more; what it holds there stays its own."""
    country_company = country.parties["company"]
    erbil = country.sites["ERBIL"]
    units.station(registrar, country_company, erbil, TODAY)
    units.station(registrar, country_company, erbil, TODAY)
    assert country.sites["TAJI"].code not in units.unit_tree(registrar, TODAY)[0].sub_units[0].sites
    (battalion,) = units.unit_tree(registrar, TODAY - timedelta(days=1))
    assert battalion.sub_units[0].sites == ("TAJI",)
    receiver = parties.find_receiver(registrar, erbil, "1COY", TODAY)
    assert receiver is not None
    assert receiver.objection is None
    assert (
        refused(units.station, registrar, country_company, country.sites["TAJI"], TODAY - timedelta(days=9)) == "since"
    )
    registrar.commit()
    refusal = country.refused(
        "clerk", ISSUE, receiver="1COY", received_by="A-1001", store="Main store", lines=scans(RIFLES[0])
    )
    assert "not served by TAJI" in refusal.detail


def test_what_is_no_unit(country: Country, registrar: Connection) -> None:
    """A person's key is not a unit's; a code is taken once."""
    with pytest.raises(NotFound):
        units.read_unit(registrar, country.parties["A-1001"].party_id)
    assert refused(parties.add_unit, registrar, "1BN", "again", country.sites["TAJI"], None, SINCE) == "code"

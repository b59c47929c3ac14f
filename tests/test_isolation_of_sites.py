"""A depot learns nothing of another: its clerk, armourer and commander walk every route that reads, and meet none of the other's documents,
people, counts and cases. A weapon asked for by its number says where it belongs, and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import pytest
from fastapi import FastAPI

from tests.api_world import Web
from tests.conftest import Databases
from tests.told import EVERY_NUMBER, Books, Secrets
from tests.two_donors import AT_ERBIL, SEEN, UNSEEN, another_day, serial, settled_in
from tests.walking import Asked, Asking, Values, Way, differing, masked, ways, with_anothers, with_own, without
from tests.world import RIFLES, Country

HERE, THERE = "ERBIL", "TAJI"
SAME_TO_ALL = ("/openapi.json", "/docs", "/log/", "/check.html", "/station/worker.js", "/words/", "/trust")
COMMANDER, CLERK, ARMOURER = "erbil commander", "erbil clerk", "erbil armourer"
NOT_THEIRS = (
    "Petrov", "Quist", "Rahim", "Leaver", "Talib", "Tara Clerk", "Carim", "A-100", "Jane Miller", "Rifle of USA", "Rifle of NORDMARK",
    "Loss of", "of both donors", "Both donors", "OLD 1", "UNKNOWN 1", "Reyes", "was here", "CONS-", "EUC-", "EUM-", "1COY-", "2nd patrol",
    "A wadi", "Route Tampa", "Bureau of", "Panel on", "NCB-",
)  # fmt: skip
"""What stands in the other's books, and who its people are."""
WEAPONS_THERE = (
    RIFLES[0][:6], "KESK", "NMOPEN", "NMBACK", "EXCESS", "SHARED 7", "WAIT",
    *(serial(donor, number) for donor in (SEEN, UNSEEN) for number in (1, 2, 3, 4, 5, 6, 9, 10, 11, 12)),
)  # fmt: skip
"""Numbers of weapons that are there, or are gone from there: told to whoever asks for them, and in no list."""
ASKED_FOR = re.compile(r"^(/v1)?/(find|search|weapons/\{item_id\}.*|loss-reports/new)$")
"""Ways that answer about a weapon that was asked for: what it is, where it belongs, and by which consignment and documents it came there,
these without their numbers.
"""


@dataclass(frozen=True)
class TwoSites(Books):
    """What is in the books, and which of it a depot may come to know."""

    def values(self, site: str) -> Values:
        """What somebody can name at a site."""
        ids = {of: self.listed(question, site)[:FEW] for of, question in AT_SITE.items()}
        numbers = self.listed(NUMBERS_AT, site)
        here = site == HERE
        texts = {
            "site": (site,), "donor": (SEEN,), "model": ("AKM",), "person": ("A-2001" if here else "A-1001",),
            "unit": ("2COY" if here else "1COY",), "serial": (AT_ERBIL[0] if here else serial(SEEN, 3), "SHARED 71")[: 1 if here else 2],
            "number": (*numbers[:2], *numbers[-1:]), "reference": () if here else ("CONS-US-1",), "book": ("B",),
        }  # fmt: skip
        return Values(ids, texts)

    @cached_property
    def known(self) -> set[str]:
        """Ids that a depot may meet: what is no site's, its own, and what is on its way to it."""
        tables = {column.partition(".")[0] for column in self.ids_by_column if column.endswith(".site_id")}
        columns = [column.partition(".") for column in self.ids_by_column]
        own = {
            one
            for table, _, column in columns
            if table in tables
            for one in self.asked(
                f"""SELECT DISTINCT x."{column}" FROM stockpile."{table}" x JOIN stockpile.site s ON s.site_id = x.site_id
                    WHERE s.code = %s AND x."{column}" IS NOT NULL""",
                HERE,
            )
        }
        return own.union(*(self.asked(question) for question in PUBLIC))

    @cached_property
    def others(self) -> Secrets:
        """All that is neither public nor the depot's own."""
        numbers = (
            self.asked(EVERY_NUMBER) - set(self.listed(NUMBERS_AT, HERE)) - self.asked(NUMBERS_OF_WHAT_COMES, HERE)
        )
        return Secrets(self.every_id - self.known, numbers, (), NOT_THEIRS)

    def told(self, asking: Asking, text: str) -> list[str]:
        """What of the other's an answer tells, but for what was asked about."""
        text = without(text, asking.about)
        found = self.others.in_text(text)
        if ASKED_FOR.match(asking.way.address):
            return sorted(found - self.documents - {"CONS-"})
        return sorted(found | {one for one in WEAPONS_THERE if one in text})

    @cached_property
    def documents(self) -> set[str]:
        """Ids of all documents: by themselves they say nothing."""
        return self.asked("SELECT document_id FROM stockpile.document")


_SITE = "(SELECT site_id FROM stockpile.site WHERE code = %s)"
FEW = 4
AT_SITE = {
    "party": f"SELECT party_id FROM stockpile.party WHERE site_id = {_SITE} AND kind = 'person' ORDER BY code",
    "unit": f"SELECT party_id FROM stockpile.party WHERE site_id = {_SITE} AND kind = 'unit'",
    "item": f"""SELECT item_id FROM stockpile.holding h JOIN stockpile.account a USING (account_id)
                WHERE a.site_id = {_SITE} AND h.serial ORDER BY 1""",
    "document": f"SELECT document_id FROM stockpile.document WHERE site_id = {_SITE} ORDER BY 1",
    "draft": f"SELECT document_id FROM stockpile.draft WHERE site_id = {_SITE}",
    "shipment": f"SELECT document_id FROM stockpile.shipment WHERE to_site = {_SITE}",
    "account": f"SELECT account_id FROM stockpile.account WHERE site_id = {_SITE} ORDER BY class = 'person' DESC, 1",
    "discrepancy": f"SELECT discrepancy_id FROM stockpile.discrepancy WHERE site_id = {_SITE} ORDER BY 1",
    "count": f"SELECT count_id FROM stockpile.physical_count WHERE site_id = {_SITE}",
    "case": f"SELECT case_id FROM stockpile.case_file WHERE site_id = {_SITE} ORDER BY 1",
    "register": f"SELECT register_id FROM stockpile.register WHERE site_id = {_SITE} ORDER BY 1",
    "audit": f"SELECT audit_id FROM stockpile.audit WHERE site_id = {_SITE}",
    "statement": f"SELECT statement_id FROM stockpile.donor_statement WHERE site_id = {_SITE} ORDER BY 1",
    "alert": f"SELECT alert_id FROM stockpile.alert WHERE site_id = {_SITE} AND donor_id IS NULL ORDER BY 1",
    "model": "SELECT DISTINCT model_id FROM stockpile.item WHERE %s <> ''",
}  # fmt: skip
"""What a site has, by what it is."""
NUMBERS_AT = f"{EVERY_NUMBER} WHERE s.code = %s ORDER BY d.document_id"
NUMBERS_OF_WHAT_COMES = (
    f"{EVERY_NUMBER} JOIN stockpile.shipment h ON h.document_id = d.document_id WHERE h.to_site = {_SITE}"
)
PUBLIC = (
    "SELECT site_id FROM stockpile.site", "SELECT model_id FROM stockpile.model",
    "SELECT party_id FROM stockpile.party WHERE kind <> 'person'",
    "SELECT account_id FROM stockpile.account WHERE class <> 'person'", "SELECT item_id FROM stockpile.item",
    "SELECT plan_id FROM stockpile.monitoring_plan", "SELECT alias_id FROM stockpile.alias",
    "SELECT signature_card_id FROM stockpile.signature_card",
    "SELECT document_id FROM stockpile.shipment WHERE to_site IN (SELECT site_id FROM stockpile.site WHERE code = 'ERBIL')",
)  # fmt: skip
"""Ids that are no site's secret: a weapon's, since every desk finds it; a signature card's, which says of another's people only that
they are at another site.
"""


@pytest.fixture(scope="module")
def web(databases: Databases, template: tuple[str, Country]) -> Iterator[Web]:
    """One country for all walks."""
    yield from settled_in(databases, template)


@pytest.fixture(scope="module")
def books(web: Web) -> TwoSites:
    return TwoSites(web)


@pytest.fixture(scope="module")
def commander(web: Web) -> Asked:
    """Who walks furthest, and asks nothing twice."""
    return Asked(web, COMMANDER)


def reading_ways(web: Web) -> list[Way]:
    """What only reads, but for what says the same to everybody."""
    assert isinstance(web.client.app, FastAPI)
    every = ways(web.client.app)
    return [way for way in every if way.method == "GET" and not way.address.startswith(SAME_TO_ALL)]


def values_on(way: Way, values: Values) -> Values:
    """What one would name on a way: where drafts are read, drafts."""
    if "drafts" in way.address:
        return Values({**values.ids, "document": values.ids["draft"]}, values.texts)
    return values


def leaks_of(books: TwoSites, asked: Asked, askings: Iterator[Asking]) -> tuple[list[str], set[str]]:
    """What was told, the first on each way, and on which ways there was an answer."""
    leaks: list[str] = []
    led: set[str] = set()
    closed: set[str] = set()
    telling: set[str] = set()
    for asking in askings:
        way = str(asking.way)
        if way in closed:
            continue
        status, text = asked.told(asking)
        (led if status < 400 else closed if status == 403 and way not in led else set()).add(way)
        told = books.told(asking, text)
        if told and way not in telling:
            telling.add(way)
            leaks.append(f"{asked.who}: {asking}: {status}: {books.said(told[:4])}")
    return leaks, led


def test_its_own_depot_alone(web: Web, books: TwoSites, commander: Asked) -> None:
    """Whatever its commander asks with what stands in its own books, there is nothing of the other's in the answer; nor in what its clerk
    and armourer are answered.
    """
    own = books.values(HERE)
    every = reading_ways(web)
    leaks, led = leaks_of(books, commander, (one for way in every for one in with_own(way, values_on(way, own), 1)))
    assert len(led) > 200, len(led)
    for who in (CLERK, ARMOURER):
        first = (one for way in every for one in islice(with_own(way, values_on(way, own), 1), 1))
        leaks += leaks_of(books, Asked(web, who), first)[0]
    assert not leaks, "\n".join(leaks[:60])


def test_the_other_s_names_lead_nowhere(web: Web, books: TwoSites, commander: Asked) -> None:
    """Asked by the other's ids, numbers, names and codes, every way tells nothing of its books."""
    own, other = books.values(HERE), books.values(THERE)
    leaks = []
    for way in reading_ways(web):
        mine = values_on(way, own)
        for _, askings in with_anothers(way, mine, values_on(way, other).less(mine)):
            leaks += leaks_of(books, commander, iter(askings))[0]
    assert not leaks, "\n".join(leaks[:60])


def test_what_happens_there_changes_nothing_here(web: Web, books: TwoSites, commander: Asked) -> None:
    """Another day at the other depot: weapons come, go out, are lost. Here all reads as before, to the letter."""
    own, before = books.values(HERE), commander
    askings = [one for way in reading_ways(web) for one in islice(with_own(way, values_on(way, own), 1), 1)]
    askings = [one for one in askings if before.told(one)[0] < 400 and not re.search(MADE_ANEW, str(one.way))]
    another_day(web)
    after = Asked(web, COMMANDER)
    differs = [
        f"{one}: {differing(masked(before.told(one)[1]), masked(after.told(one)[1]))}"
        for one in askings
        if masked(after.told(one)[1]) != masked(before.told(one)[1])
    ]
    assert not differs, "\n".join(differs)


MADE_ANEW = r"pdf|audit-packages|/proof|/sessions|/v1/changes|/station|/clearance"
"""Answers that say when they were made, or are sealed anew."""

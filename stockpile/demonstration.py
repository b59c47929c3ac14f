"""A country that does not exist, to try Stockpile on: two donors, three depots, two companies, about 3,000
weapons and the papers of two years. Nothing in it is real, and it is built by the same acts that people use.

The same again at every loading, but for keys and the day it counts back from. It must never be loaded beside
real books: `load` founds a country, and founding is refused where there is one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Engine

from stockpile import founding, parties, weapon_assignments
from stockpile.acts import ACTS, perform
from stockpile.acts.correct import CORRECT, UNDO
from stockpile.acts.declare import DECLARE
from stockpile.acts.draw import DRAW
from stockpile.acts.hand_over import HAND_OVER
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.open_books import OPEN
from stockpile.acts.perform import ActForm, Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.recover import RECOVER
from stockpile.acts.turn_in import RETURN
from stockpile.acts.void import VOID
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.demonstration_data import (
    ARABIC_DIGITS,
    DELIVERIES,
    DEPOTS,
    DONORS,
    EQUIPMENT,
    FAMILY_NAMES,
    FIRST_NAMES,
    IN_ARABIC_DIGITS,
    KITS,
    ORGANISATION,
    SOLDIERS_OF_A_COMPANY,
    STAFF,
    TIME_ZONE,
    UNITS,
    YEARS_OF_PAPERS,
)
from stockpile.demonstration_visitors import Visitor, visitors
from stockpile.demonstration_visits import visit_depots
from stockpile.documents import Paper, Posted, Precision, now
from stockpile.files import file_store
from stockpile.parties import Party
from stockpile.progress import told
from stockpile.rights import Actor
from stockpile.sites import Site

SCAN = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 420 298]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 64>>stream
BT /F 12 Tf 30 150 Td (Stands for a scanned paper voucher.) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""
"""Stands for the scan of every paper voucher of the demonstration."""


@dataclass(slots=True)
class Country:
    """The country while it is being built."""

    engine: Engine
    today: datetime
    scan: str
    sites: dict[str, Site] = field(default_factory=dict)
    people: dict[str, Party] = field(default_factory=dict)
    companies: dict[str, list[str]] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    weapons: dict[str, list[str]] = field(default_factory=dict)
    papers: dict[tuple[str, int], int] = field(default_factory=dict)

    def ask(self, who: str, form: ActForm, **request: Any) -> Posted | Drafted:
        """Asks for an act as a member of the staff."""
        return perform.perform(self.engine, self.actors[who], form, form.request.model_validate(request))

    def do(self, who: str, form: ActForm, **request: Any) -> Posted:
        """Asks for an act that is posted at once."""
        posted = self.ask(who, form, **request)
        return cast(Posted, posted)

    def do_with(self, who: str, approver: str, form: ActForm, **request: Any) -> Posted:
        """Asks for an act of two parties, and approves it as the second."""
        drafted = cast(Drafted, self.ask(who, form, **request))
        site = request.get("site")
        return perform.approve(self.engine, self.actors[approver], ACTS, drafted.document_id, site)

    def next_paper(self, who: str, happened_at: datetime, number: int | None = None) -> Paper:
        """The next voucher of a depot's paper book, or a claimed number of it."""
        site = self.sites[self.actors[who].site_code or ""]
        key = (site.code, site.local_year(happened_at))
        if number is None:
            number = self.papers[key] = self.papers.get(key, 0) + 1
        return Paper(
            book="PAPER", number=number, happened_at=happened_at, precision=Precision.MINUTE, scan_sha256=self.scan
        )


@dataclass(frozen=True, slots=True)
class Voucher:
    """A paper of the past: how many days ago, at whose desk, and what it says."""

    days_ago: float
    who: str
    form: ActForm
    request: dict[str, Any]


def load(engine: Engine) -> list[Visitor]:
    """Founds the demonstration and lives its two years through; who a visitor can be in it. Raises Refused
    where books are founded already.
    """
    scan = file_store().keep([SCAN], len(SCAN)).sha256
    country = Country(engine, now().replace(microsecond=0), scan)
    told("people and places", 0)
    _found(country)
    vouchers = sorted(_papers(country, random.Random(2003)), key=lambda voucher: -voucher.days_ago)  # noqa: S311
    for done, voucher in enumerate(vouchers):
        told("papers of two years", done, len(vouchers))
        happened_at = country.today - timedelta(days=voucher.days_ago)
        country.do(voucher.who, voucher.form, paper=country.next_paper(voucher.who, happened_at), **voucher.request)
    told("what happened today", len(vouchers), len(vouchers))
    _today(country)
    return visitors(engine)


def _found(country: Country) -> None:
    """Parties, depots, companies and the staff's roles."""
    since = (country.today - YEARS_OF_PAPERS - timedelta(days=60)).date()
    with transaction(country.engine, roles.REGISTRAR) as connection:
        code, name, stores = DEPOTS[0]
        founded = founding.found(
            connection, ORGANISATION, ("REG-1", "Amal Registrar"), (code, name, TIME_ZONE), list(stores)
        )
        country.sites[code] = founded.site
        parties.add_person(connection, "AUD-1", "Inés Auditor", None, founded.site, None, since)
        for code, name, stores in DEPOTS[1:]:
            country.sites[code] = founding.found_site(
                connection, code, name, TIME_ZONE, list(stores), founded.registrar
            )
        for code, name in DONORS:
            country.people[code] = parties.add_party(connection, "donor", code, name)
        for code, name, rank, depot, _, _ in STAFF:
            country.people[code] = parties.add_person(connection, code, name, rank, country.sites[depot], None, since)
        for code, name, depot, parent in UNITS:
            above = country.people[parent] if parent else None
            country.people[code] = parties.add_unit(connection, code, name, country.sites[depot], above, since)
        chance = random.Random(1947)  # noqa: S311
        for unit, depot, first in (("1COY", "NORTH", 11_001), ("2COY", "RIVER", 22_001)):
            country.companies[unit] = [str(first + n) for n in range(SOLDIERS_OF_A_COMPANY)]
            for n, number in enumerate(country.companies[unit]):
                full_name = f"{chance.choice(FIRST_NAMES)} {chance.choice(FAMILY_NAMES)}"
                rank = "Sergeant" if n == 0 else "Private"
                country.people[number] = parties.add_person(
                    connection, number, full_name, rank, country.sites[depot], country.people[unit], since
                )
            sergeant = country.people[country.companies[unit][0]]
            until = (country.today + timedelta(days=365)).date()
            parties.give_signature_card(
                connection, country.people[unit], sergeant, since, until, founded.registrar.party_id
            )
        leaver = country.people[country.companies["2COY"][-1]]
        parties.end_assignments(connection, leaver.party_id, (country.today - timedelta(days=90)).date())
    country.people["REG-1"] = founded.registrar
    country.actors = {
        visitor.label: _actor(country, visitor) for visitor in visitors(country.engine) if visitor.book is not None
    }


def _actor(country: Country, visitor: Visitor) -> Actor:
    """Who writes documents in the demonstration."""
    party = country.people[visitor.party or ""]
    if visitor.site is None:
        return Actor(party.party_id, visitor.role, book_code=visitor.book)
    site = country.sites[visitor.site]
    return Actor(party.party_id, visitor.role, site, book_code=visitor.book)


def _papers(country: Country, chance: random.Random) -> Iterator[Voucher]:
    """The papers of two years, in no order."""
    yield from _deliveries(country, chance)
    yield from _company(country, chance, "1COY", "clerk of NORTH", "AKM", 640)
    yield from _company(country, chance, "2COY", "clerk of RIVER", "M16A2", 620)
    yield from _losses(country)


def _deliveries(country: Country, chance: random.Random) -> Iterator[Voucher]:
    """What arrived before there was a shipping list to compare with."""
    for days_ago, depot, donor, model, quantity, form in DELIVERIES:
        numbers = sorted(chance.sample(range(1_000, 9_990 if ":04d" in form else 99_000), quantity))
        serials = [form.format(number) for number in numbers]
        if model in IN_ARABIC_DIGITS:
            serials = [serial.translate(ARABIC_DIGITS) for serial in serials]
        country.weapons[model] = serials
        lines = [{"model": model, "serial_number": serial, "condition": "serviceable"} for serial in serials]
        yield Voucher(days_ago, f"clerk of {depot}", RECEIVE, {"store": "Main store", "donor": donor, "lines": lines})
    for days_ago, depot, model, quantity in EQUIPMENT:
        counted = [{"model": model, "quantity": quantity}]
        yield Voucher(days_ago, f"clerk of {depot}", RECEIVE, {"store": "Main store", "lines": counted})


def _company(
    country: Country, chance: random.Random, unit: str, who: str, rifle: str, days_ago: int
) -> Iterator[Voucher]:
    """A company draws its rifles, its soldiers theirs with magazines and sling; some come back and are drawn again, some are
    handed on.
    """
    soldiers, rifles = country.companies[unit], country.weapons[rifle]
    pool = rifles[len(soldiers) : len(soldiers) + 100]
    drawn = {"receiver": unit, "received_by": soldiers[0], "store": "Main store"}
    yield Voucher(days_ago, who, ISSUE, {**drawn, "lines": [*_lines(rifle, pool)]})
    for soldier, serial in zip(soldiers, rifles, strict=False):
        day = days_ago - chance.uniform(1, 20)
        lines = _lines(rifle, [serial])
        again = {"receiver": soldier, "store": "Main store", "lines": lines, "accessories": KITS[rifle]}
        yield Voucher(day, who, ISSUE, again)
        for cycle in range(chance.choice((0, 0, 1, 2))):
            back = day - 100 - 150 * cycle - chance.uniform(0, 20)
            returned = [{**line, "condition": "serviceable"} for line in lines]
            brought = {"returned_by": soldier, "store": "Main store", "lines": returned, "accessories_complete": True}
            yield Voucher(back, who, RETURN, brought)
            yield Voucher(back - 14, who, ISSUE, again)
    for soldier, serial in zip(soldiers[1:], pool[:30], strict=False):
        handed = {
            "giver": unit,
            "receiver": soldier,
            "received_by": soldier,
            "lines": _lines(rifle, [serial]),
        }
        yield Voucher(300 - chance.uniform(0, 60), who, HAND_OVER, handed)


def _losses(country: Country) -> Iterator[Voucher]:
    """What went missing, and one that came back."""
    akm, m16, pistols = country.weapons["AKM"], country.weapons["M16A2"], country.weapons["Beretta M9"]
    for days_ago, who, model, serials, place, story in (
        (
            210,
            "clerk of NORTH",
            "AKM",
            akm[170:173],
            "Road 7, second checkpoint",
            "Vehicle burnt out after an attack",
        ),
        (
            120,
            "clerk of RIVER",
            "M16A2",
            m16[400:402],
            "Guard post at the bridge",
            "Not in the rack at the evening count",
        ),
        (75, "clerk of RIVER", "Beretta M9", pistols[:2], "Officers' quarters", "Locker found open"),
        (
            40,
            "clerk of COAST",
            "Glock 19",
            country.weapons["Glock 19"][:1],
            "Ferry landing",
            "Fell into the water",
        ),
    ):
        request = {"place": place, "circumstances": story, "lines": _lines(model, serials)}
        yield Voucher(days_ago, who, REPORT_MISSING, request)
    found = {"store": "Main store", "place": "Market of the river town", "found_by": "Military police"}
    lines = [{**line, "condition": "unserviceable"} for line in _lines("M16A2", m16[400:401])]
    yield Voucher(60, "clerk of RIVER", RECOVER, {**found, "lines": lines})


def _lines(model: str, serials: Sequence[str]) -> list[dict[str, Any]]:
    """Lines of a voucher; the model is named because two makers may use one number."""
    return [{"scan": serial, "model": model} for serial in serials]


def _today(country: Country) -> None:
    """What the counters did today, mistakes and contradictions among it."""
    _equipment(country)
    _consignments(country)
    _opening_list(country)
    _investigations(country)
    _mistakes(country)
    _morning_draw(country)
    _late_papers(country)
    akm = country.weapons["AKM"]
    visit_depots(
        country.engine, country.today, country.people, country.actors["commander of NORTH"], [akm[0], *akm[200:212]]
    )


def _equipment(country: Country) -> None:
    """Helmets, armour and magazines by their papers; one turn-in brings more than was handed out."""
    for days_ago, unit, who, model, quantity in (
        (638, "1COY", "clerk of NORTH", "Helmet", 62),
        (638, "1COY", "clerk of NORTH", "Body armour, medium", 60),
        (637, "1COY", "clerk of NORTH", "Magazine, AK pattern, 30 rounds", 480),
        (618, "2COY", "clerk of RIVER", "Helmet", 60),
        (617, "2COY", "clerk of RIVER", "Magazine, M16 pattern, 30 rounds", 420),
    ):
        country.do(
            who, ISSUE, receiver=unit, received_by=country.companies[unit][0], store="Main store",
            lines=[{"model": model, "quantity": quantity}],
            paper=country.next_paper(who, country.today - timedelta(days=days_ago)),
        )  # fmt: skip
    country.do(
        "clerk of RIVER", RETURN, returned_by="2COY", store="Main store",
        lines=[{"model": "Helmet", "quantity": 64}],
        paper=country.next_paper("clerk of RIVER", country.today - timedelta(days=15)),
    )  # fmt: skip


def _consignments(country: Country) -> None:
    """One delivery counted in, with what always goes wrong; another still on its way."""
    carbines = [f"W{700_000 + 7 * n}" for n in range(220)]
    declared: list[dict[str, Any]] = [{"model": "M4", "serial_number": serial} for serial in carbines]
    declared.append({"model": "Helmet", "quantity": 200})
    country.do("registrar", DECLARE, site="NORTH", donor="AURELIA", reference="AUR-2041", lines=declared)
    seen: list[dict[str, Any]] = [
        {"model": "M4", "serial_number": serial, "condition": "serviceable"} for serial in carbines[:-4]
    ]
    seen[10] = {"model": "M4A1", "serial_number": carbines[10], "condition": "serviceable"}
    seen += [{"model": "M4", "serial_number": f"W{910_000 + n}", "condition": "serviceable"} for n in range(2)]
    seen.append({"model": "AKM", "serial_number": country.weapons["AKM"][300], "condition": "serviceable"})
    seen.append({"model": "Helmet", "quantity": 180})
    country.do(
        "clerk of NORTH",
        RECEIVE,
        store="Main store",
        donor="AURELIA",
        consignment="AUR-2041",
        complete=True,
        lines=seen,
    )
    country.weapons["M4"] = carbines[:-4]
    awaited = [{"model": "AK-74M", "serial_number": f"БР {400_100 + 3 * n}"} for n in range(160)]
    country.do("registrar", DECLARE, site="COAST", donor="BOREAS", reference="B-77/3", lines=awaited)


def _opening_list(country: Country) -> None:
    """An old property book of the coast, taken over at go-live."""
    lines = [{"model": "SKS", "serial_number": f"ОП{2_100 + 11 * n}", "condition": "unknown"} for n in range(250)]
    country.do_with(
        "registrar",
        "commander of COAST",
        OPEN,
        site="COAST",
        name="Property book of the coast",
        store="Main store",
        lines=lines,
    )


def _investigations(country: Country) -> None:
    """Three losses concluded by two people, and one of the weapons on the counter again."""
    lost = country.weapons["AKM"][170:173]
    country.do_with(
        "second clerk of NORTH", "commander of NORTH", CONCLUDE_LOSS, cause="captured",
        liability="Nobody: taken by force", findings="Seen in a film of the attackers",
        lines=_lines("AKM", lost),
    )  # fmt: skip
    country.do(
        "clerk of NORTH", RECOVER, store="Quarantine", in_hand=True, place="Weapons cache at the old quarry",
        found_by="3rd patrol", lines=[{**_lines("AKM", lost[:1])[0], "condition": "unserviceable"}],
    )  # fmt: skip


def _mistakes(country: Country) -> None:
    """The wrong rifle scanned and corrected by two people, a document undone, two numbers spoiled."""
    carbines = country.weapons["M4"]
    wrong = country.do(
        "clerk of NORTH", ISSUE, receiver="11005", store="Main store", lines=_lines("M4", carbines[20:21])
    )
    country.do_with(
        "clerk of NORTH",
        "commander of NORTH",
        CORRECT,
        document=wrong.document_id,
        reason="The wrong carbine was scanned",
    )
    hasty = country.do(
        "second clerk of NORTH",
        ISSUE,
        receiver="11006",
        store="Main store",
        lines=_lines("M4", carbines[21:22]),
    )
    country.do("second clerk of NORTH", UNDO, document=hasty.document_id)
    country.do("clerk of RIVER", VOID, reason="The form tore in the printer")
    country.do(
        "clerk of RIVER", VOID, reason="Spoiled by coffee",
        paper=country.next_paper("clerk of RIVER", country.today - timedelta(days=2)),
    )  # fmt: skip
    issued = [*_lines("M4", carbines[22:26]), {"scan": carbines[10], "model": "M4"}]
    country.do("clerk of NORTH", ISSUE, receiver="1COY", received_by="11001", store="Main store", lines=issued)


def _morning_draw(country: Country) -> None:
    """Ten carbines are ten soldiers' own; six are out against their weapon cards, each with its magazines and sling. One went
    out twice, and came back with a magazine less.
    """
    carbines, soldiers = country.weapons["M4"][30:40], country.companies["1COY"][11:21]
    own = [{**line, "person": soldier} for line, soldier in zip(_lines("M4", carbines), soldiers, strict=True)]
    weapon_assignments.assign(
        country.engine, country.actors["commander of NORTH"], weapon_assignments.Assign.model_validate({"lines": own})
    )
    kit = KITS["M4"]
    out = [{**line, "accessories": kit} for line in _lines("M4", carbines[:6])]
    country.do("clerk of NORTH", DRAW, store="Main store", lines=out)
    short = {
        **_lines("M4", carbines[5:6])[0],
        "accessories": [{**kit[0], "quantity": 6}, kit[1]],
        "condition": "serviceable",
    }
    country.do("clerk of NORTH", DRAW, store="Main store", direction="back", lines=[short])
    country.do("clerk of NORTH", DRAW, store="Main store", direction="out", lines=_lines("M4", carbines[5:6]))


def _late_papers(country: Country) -> None:
    """Papers found in a drawer: they happened, so they are not refused."""
    rifles, pool = country.weapons["M16A2"], country.weapons["M16A2"][SOLDIERS_OF_A_COMPANY:]
    clerk, today = "clerk of RIVER", country.today
    country.do(
        clerk, HAND_OVER, giver="2COY", receiver="22044", lines=_lines("M16A2", pool[:2]),
        paper=country.next_paper(clerk, today - timedelta(days=400)),
    )  # fmt: skip
    country.do(
        clerk, ISSUE, receiver="22999", store="Main store", lines=_lines("M16A2", rifles[450:451]),
        paper=country.next_paper(clerk, today - timedelta(days=20)),
    )  # fmt: skip
    leaver = country.companies["2COY"][-1]
    country.do(
        clerk, ISSUE, receiver=leaver, store="Main store", lines=_lines("M16A2", rifles[451:452]),
        paper=country.next_paper(clerk, today - timedelta(days=10)),
    )  # fmt: skip
    country.do(
        clerk, RETURN, returned_by="22010", store="Main store",
        lines=[{"scan": "UNREAD-4471", "model": "Glock 19", "condition": "unknown"}],
        paper=country.next_paper(clerk, today - timedelta(days=5)),
    )  # fmt: skip
    country.do(
        clerk, ISSUE, receiver="22011", store="Main store", lines=_lines("M16A2", rifles[452:453]),
        paper=country.next_paper(clerk, today - timedelta(days=4), number=1),
    )  # fmt: skip

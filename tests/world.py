"""A small country for the tests, made by domain calls: TAJI and ERBIL, the donors USA and FRA, the 1st Company with a
few soldiers at TAJI, ten AKM and 100 helmets in TAJI's store. Stories speak to it in the words of a clerk.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from PIL import Image
from sqlalchemy import Engine

from stockpile import founding, items, parties
from stockpile.acts import ACTS, perform
from stockpile.acts.perform import ActForm, Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Paper, Posted, Precision, now
from stockpile.errors import Invalid, Refused
from stockpile.files import file_store
from stockpile.items import Held
from stockpile.movements import Act
from stockpile.rights import Actor
from stockpile.scans import look_up
from stockpile.sites import Site

SINCE = date(2020, 1, 1)
RIFLES = tuple(f"KT {449900 + n}" for n in range(10))
HELMET = "Helmet"


@dataclass(frozen=True)
class Country:
    """The world of one test: where the database is, and who is who."""

    engine: Engine
    sites: dict[str, Site]
    parties: dict[str, parties.Party]
    actors: dict[str, Actor] = field(default_factory=dict)

    def on(self, engine: Engine) -> Country:
        """The same world in another database."""
        return replace(self, engine=engine)

    def ask(self, who: str, form: ActForm, **request: Any) -> Posted | Drafted:
        """Asks for an act as one of the actors."""
        return perform.perform(self.engine, self.actors[who], form, form.request.model_validate(request))

    def do(self, who: str, form: ActForm, **request: Any) -> Posted:
        """Asks for an act that is posted at once."""
        answer = self.ask(who, form, **request)
        assert isinstance(answer, Posted), answer
        return answer

    def do_with_approval(self, who: str, second: str, form: ActForm, **request: Any) -> Posted:
        """Asks for an act of two parties, and has the second approve it."""
        return self.approve(second, self.ask(who, form, **request))

    def approve(self, who: str, drafted: Posted | Drafted, site: str | None = None) -> Posted:
        """A second person's approval of a draft."""
        assert isinstance(drafted, Drafted), drafted
        return perform.approve(self.engine, self.actors[who], ACTS, drafted.document_id, site)

    def refused(self, who: str, form: ActForm, **request: Any) -> Refused:
        """The refusal an act meets."""
        try:
            self.ask(who, form, **request)
        except Refused as refusal:
            return refusal
        raise AssertionError("it was not refused")

    def invalid(self, who: str, form: ActForm, **request: Any) -> list[tuple[str | int | None, str | None, str]]:
        """The faults an act meets: field or row, value, what is wrong."""
        try:
            self.ask(who, form, **request)
        except Invalid as problem:
            return [(fault.field or fault.row, fault.value, fault.message) for fault in problem.faults]
        raise AssertionError("it was not invalid")

    def item(self, scan: str, site: str = "TAJI") -> Held:
        """A weapon as the books have it now."""
        with transaction(self.engine, roles.POSTER, self.sites[site].site_id) as connection:
            (item_id,) = look_up(connection, [scan])[scan]
            return items.whereabouts(connection, [item_id], lock=False)[item_id]

    def where(self, scan: str, site: str = "TAJI") -> str:
        """The name of the account a weapon is on."""
        return self.item(scan, site).where.name

    def helmets(self) -> Held:
        """The helmets, with their holdings."""
        with transaction(self.engine, roles.POSTER, self.sites["TAJI"].site_id) as connection:
            item_id = connection.exec_driver_sql(
                "SELECT i.item_id FROM item i JOIN model m USING (model_id) WHERE m.name = %s LIMIT 1", (HELMET,)
            ).scalar_one()
            return items.whereabouts(connection, [item_id], lock=False)[item_id]

    def query(self, question: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What the auditor's role reads."""
        with transaction(self.engine, roles.AUDITOR) as connection:
            return [tuple(row) for row in connection.exec_driver_sql(question, parameters)]

    def owner_query(self, question: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What the owner of the tables reads: everything, past row-level security."""
        with psycopg.connect(
            self.engine.url.set(drivername="postgresql", username=roles.OWNER).render_as_string(hide_password=False)
        ) as connection:
            return connection.execute(question, parameters).fetchall()

    def discrepancies(self, document_id: UUID | None = None) -> list[str]:
        """The kinds of open discrepancies, of one document or all."""
        rows = self.query("SELECT kind, document_id FROM discrepancy WHERE closed_at IS NULL ORDER BY kind")
        return [kind for kind, of_document in rows if document_id in (None, of_document)]


def scans(*serials: str) -> list[dict[str, Any]]:
    """Lines of a voucher."""
    return [{"scan": serial} for serial in serials]


def told(refusal: Refused) -> list[tuple[str, str, str | None]]:
    """What a refusal says of each weapon: its name, the reason, where it is now."""
    return [(reason.weapon, reason.reason, reason.where) for reason in refusal.reasons]


def kinds(posted: Posted) -> list[str]:
    """What a posting found against the books."""
    return sorted(found.kind for found in posted.discrepancies)


def paper(number: int, happened_at: datetime, book: str = "PAPER", precision: Precision = Precision.MINUTE) -> Paper:
    """A paper voucher to key, with its scan stored."""
    return Paper(book=book, number=number, happened_at=happened_at, precision=precision, scan_sha256=scanned_paper())


SCAN = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
"""The smallest scan there is: a PDF without a page."""


def scanned_paper(content: bytes = SCAN) -> str:
    """The SHA-256 of a stored scan: one will do for every paper."""
    return file_store().keep([content], 1_000_000).sha256


def photo(shade: int = 0, form: str = "PNG") -> bytes:
    """A small photo, another for each shade."""
    written = BytesIO()
    Image.new("RGB", (8, 6), (shade % 256, shade // 256, 90)).save(written, form)
    return written.getvalue()


def ago(**time: float) -> datetime:
    """A moment before now."""
    return now() - timedelta(**time)


def today() -> date:
    """The day on the walls of TAJI and ERBIL."""
    return now().astimezone(ZoneInfo("Asia/Baghdad")).date()


def found_country(engine: Engine) -> Country:
    """Founds the small world."""
    with transaction(engine, roles.REGISTRAR) as connection:
        founded = founding.found(
            connection, ("MOD", "Ministry of Defence"), ("R-1", "Rana Registrar"), ("TAJI", "Taji depot", "Asia/Baghdad"),
            ["Main store", "Quarantine"],
        )  # fmt: skip
        taji = founded.site
        people = {"registrar": founded.registrar}
        people["erbil commander"] = parties.add_person(
            connection, "C-2", "Erin Commander", "Colonel", taji, None, SINCE
        )
        erbil = founding.found_site(
            connection, "ERBIL", "Erbil depot", "Asia/Baghdad", ["Main store"], people["erbil commander"]
        )
        for donor in ("USA", "FRA"):
            people[donor] = parties.add_party(connection, "donor", donor, f"Government of {donor}")
        company = people["company"] = parties.add_unit(connection, "1COY", "1st Company", taji, None, SINCE)
        for code, name, rank, unit in (
            ("T-1", "Talib Clerk", "Sergeant", None),
            ("T-2", "Tara Clerk", "Corporal", None),
            ("C-1", "Carim Commander", "Major", None),
            ("A-1001", "Petrov", "Private", company),
            ("A-1002", "Quist", "Private", company),
            ("A-1003", "Rahim", "Private", company),
            ("A-1009", "Leaver", "Private", company),
        ):
            people[code] = parties.add_person(connection, code, name, rank, taji, unit, SINCE)
        people["E-1"] = parties.add_person(connection, "E-1", "Elin Clerk", "Sergeant", erbil, None, SINCE)
        parties.end_assignments(connection, people["A-1009"].party_id, date(2024, 6, 30))
        parties.give_signature_card(
            connection, company, people["A-1001"], SINCE, date(2099, 12, 31), founded.registrar.party_id
        )
    actors = {
        "clerk": _actor(people["T-1"], "clerk", taji, "B"),
        "second clerk": _actor(people["T-2"], "clerk", taji, "C"),
        "commander": _actor(people["C-1"], "commander", taji, "CO"),
        "erbil clerk": _actor(people["E-1"], "clerk", erbil, "B"),
        "registrar": Actor(people["registrar"].party_id, "registrar", book_code="REG"),
        "auditor": Actor(people["registrar"].party_id, "auditor"),
        "USA": Actor(people["USA"].party_id, "donor", donor_id=people["USA"].party_id),
    }
    country = Country(engine, {"TAJI": taji, "ERBIL": erbil}, people, actors)
    country.do(
        "clerk", RECEIVE, store="Main store",
        lines=[*({"model": "AKM", "serial_number": serial, "condition": "serviceable"} for serial in RIFLES),
               {"model": HELMET, "quantity": 100}],
    )  # fmt: skip
    return country


def _actor(party: parties.Party, role: str, site: Site, book: str) -> Actor:
    return Actor(party.party_id, role, site, book_code=book)


__all__ = [
    "HELMET",
    "RIFLES",
    "Act",
    "Country",
    "ago",
    "found_country",
    "kinds",
    "paper",
    "photo",
    "scanned_paper",
    "scans",
    "told",
]

"""No donor learns anything of another: not by any route, filter, error, count, number, id, file or proof. One donor walks every route that
the service has, with its own values, with another's, and with such as nobody has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import unified_diff
from functools import cached_property
from typing import Any

import pytest
from fastapi import FastAPI

from stockpile.identity import asset_tag
from tests.api_world import Web
from tests.conftest import Databases
from tests.reading_pages import BROWSER, PageRead
from tests.two_donors import MODEL_OF_ONE, SEEN, SHARED, UNSEEN, another_day, serial, settled_country, twin
from tests.walking import (
    A_UUID,
    Asking,
    Values,
    Way,
    answer,
    masked,
    read,
    unknown,
    ways,
    with_anothers,
    with_own,
    without,
)
from tests.world import RIFLES, Country

SAME_TO_ALL = ("/openapi.json", "/docs", "/log/", "/check.html", "/station/worker.js", "/words/", "/trust/")
"""What says the same to everybody: the API with its examples, the log (which is noise to all, and shows its size to whoever has a token),
programs, words, the certificate of the machine.
"""
OPEN = {
    "/", "/alerts", "/alerts.atom", "/alerts/subscriptions", "/consignments", "/consignments/{consignment_id}",
    "/consignments/{consignment_id}/proof", "/consignments/{consignment_id}/weapons", "/discrepancies", "/discrepancies/{discrepancy_id}",
    "/documents", "/documents/{document_id}", "/end-use", "/holdings", "/jobs", "/log", "/models", "/models/{model_id}",
    "/monitoring-plans", "/monitoring-plans/change", "/portal/checkpoint.js", "/reports", "/reports/balance", "/reports/balance/proof",
    "/reports/consignments", "/reports/consignments/lines", "/reports/flows", "/reports/flows/movements", "/reports/handover-papers",
    "/reports/holdings-over-time", "/reports/inspections", "/reports/losses", "/reports/losses-by", "/reports/lost",
    "/reports/serial-capture", "/reports/unusual", "/search", "/sessions", "/shared", "/shared/new", "/sign-in", "/sites",
    "/sites/{code}", "/statements", "/statements/certificate", "/statements/consent", "/statements/declaration",
    "/statements/{statement_id}", "/station/device", "/station/scanner", "/station/shell", "/tracing", "/tracing/{tracing_id}", "/trust",
    "/v1/alert-subscriptions", "/v1/alerts", "/v1/audit-packages", "/v1/balance", "/v1/changes", "/v1/consignments/custody.pdf",
    "/v1/consignments/progress", "/v1/consignments/{consignment_id}/progress", "/v1/consignments/{consignment_id}/proof",
    "/v1/consignments/{consignment_id}/weapons", "/v1/discrepancies", "/v1/discrepancies/{discrepancy_id}", "/v1/documents",
    "/v1/documents/by-number/{number:path}", "/v1/documents/{document_id}", "/v1/documents/{document_id}/lines",
    "/v1/documents/{document_id}/paper.pdf", "/v1/find", "/v1/health", "/v1/jobs", "/v1/label-sheets", "/v1/log/growth", "/v1/models",
    "/v1/models/{model_id}", "/v1/monitoring-plans", "/v1/movements", "/v1/physical-security", "/v1/reports", "/v1/reports/consignments",
    "/v1/reports/consignments/lines", "/v1/reports/flows", "/v1/reports/flows/movements", "/v1/reports/handover-papers",
    "/v1/reports/holdings", "/v1/reports/holdings-over-time", "/v1/reports/inspections", "/v1/reports/losses", "/v1/reports/losses-by",
    "/v1/reports/lost", "/v1/reports/serial-capture", "/v1/reports/unusual", "/v1/rights", "/v1/sessions", "/v1/shared", "/v1/sites",
    "/v1/statements", "/v1/statements/{statement_id}", "/v1/statements/{statement_id}/file", "/v1/statements/{statement_id}/paper.pdf",
    "/v1/statements/{statement_id}/proof", "/v1/tracings", "/v1/tracings/{tracing_id}", "/v1/visits", "/v1/weapons",
    "/v1/weapons/{item_id}", "/v1/weapons/{item_id}/custody.pdf", "/v1/weapons/{item_id}/history", "/v1/weapons/{item_id}/proof",
    "/v1/weapons/{item_id}/tag.svg", "/visits", "/visits/plan", "/visits/record", "/visits/refusal", "/weapons", "/weapons/{item_id}",
}  # fmt: skip
"""The ways that lead a donor somewhere. A new one is added here by whoever has made sure that it tells a donor of its own alone."""
EMPTY = {
    "/v1/jobs/{job_id}", "/jobs/{job_id}", "/v1/station/deliveries", "/v1/station/deliveries/{delivery_id}/lines", "/tracing/new/{which}",
}  # fmt: skip
"""Ways that are not closed to a donor, and find nothing: it starts no long work, and stands at no counter."""
TOLD_ELSEWHERE = {
    "/alerts/{alert_id}", "/shared/{share_id}/statements", "/shared/{share_id}/statements/{statement_id}", "/shared/{share_id}/weapons",
    "/shared/{share_id}/weapons/{item_id}", "/shared/{share_id}/withdraw", "/sign-in/out/{code}", "/sign-in/with/{code}",
    "/sign-in/with/{code}/back", "/v1/shared/{share_id}", "/v1/shared/{share_id}/statements",
    "/v1/shared/{share_id}/statements/{statement_id}", "/v1/shared/{share_id}/statements/{statement_id}/file",
    "/v1/shared/{share_id}/statements/{statement_id}/paper.pdf", "/v1/shared/{share_id}/statements/{statement_id}/proof",
    "/v1/shared/{share_id}/weapons", "/v1/shared/{share_id}/weapons/{item_id}", "/v1/shared/{share_id}/weapons/{item_id}/history",
    "/v1/shared/{share_id}/weapons/{item_id}/proof", "/v1/visits/{statement_id}", "/v1/visits/{statement_id}/files/{sha256}",
    "/v1/visits/{statement_id}/lines", "/visits/lines", "/visits/{statement_id}",
}  # fmt: skip
"""Ways that lead nowhere in this world, in which nobody shares, visits or comes by a provider, and no alert was found: what another donor
meets there is told in test_sharing, test_visits, test_alerts and test_single_sign_on.
"""
A_TAG = re.compile(r"\bSP-[0-9A-Z]{6,}-[0-9A-Z]\b")
A_NUMBER = re.compile(r"\b[A-Z]+/[A-Z.]+/\d{4}/\d+(?!\d)")
NOBODYS_BUSINESS = (
    UNSEEN, "Nordmark", "NMR 5", "NMR5", "NMEXCESS", "NMWAIT", "NM-TWIN", "EUC-NM", "CONS-NM", "CONSENT-NM", "KESK", MODEL_OF_ONE,
    RIFLES[0][:6], "KT4499", "Petrov", "Quist", "Rahim", "Talib", "Tara Clerk", "Carim", "Elin", "Erin", "Rana", "Rami", "A-1001", "A-1002",
    "A-1003", "Jane Miller", "UNKNOWN 1", "OLD 1",
)  # fmt: skip
"""What another donor or the host sent, said or is called, and who its people are."""


@dataclass(frozen=True)
class Secrets:
    """What is in the books, and which of it a donor may come to know."""

    web: Web

    def _asked(self, question: str, *given: object) -> set[str]:
        return {str(row[0]) for row in self.web.country.owner_query(question, *given)}

    def of(self, donor: str, question: str) -> tuple[str, ...]:
        """What the books say of a donor's own, in order."""
        party = self._asked("SELECT party_id FROM stockpile.party WHERE kind = 'donor' AND code = %s", donor).pop()
        return tuple(str(row[0]) for row in self.web.country.owner_query(question, party))

    @cached_property
    def ids_by_column(self) -> dict[str, set[str]]:
        """Every id that stands anywhere in the database."""
        columns = self.web.country.owner_query(
            """SELECT c.table_name, c.column_name FROM information_schema.columns c
               JOIN information_schema.tables t USING (table_schema, table_name)
               WHERE c.table_schema = 'stockpile' AND c.data_type = 'uuid' AND t.table_type = 'BASE TABLE'"""
        )
        return {
            f"{table}.{column}": self._asked(
                f'SELECT DISTINCT "{column}" FROM stockpile."{table}" WHERE "{column}" IS NOT NULL'
            )
            for table, column in columns
        }

    def ids(self, donor: str) -> dict[str, tuple[str, ...]]:
        """A donor's own ids, by what they are of."""
        return {of: self.of(donor, question) for of, question in OWN_IDS.items()}

    @cached_property
    def public_ids(self) -> set[str]:
        """Ids of what is no secret: sites, and models that more than one sent."""
        models = self._asked("SELECT model_id FROM stockpile.model WHERE name <> %s", MODEL_OF_ONE)
        return self._asked("SELECT site_id FROM stockpile.site") | models

    def values(self, donor: str) -> Values:
        """What a donor can name of its own."""
        ids = self.ids(donor)
        short = serial(donor, 1)[:2]
        numbers = self.of(donor, NUMBERS_OF)
        texts = {
            "donor": (donor,), "model": (MODEL_OF_ONE if donor == UNSEEN else "AKM",), "site": ("TAJI",),
            "serial": (serial(donor, 1), SHARED[0]) if donor == SEEN else (serial(donor, 1), f"{serial(donor, 4)}0", twin(donor, 0)),
            "reference": (f"CONS-{short}-1",), "certificate": (f"EUC-{short}-8",), "number": numbers[:3],
            "tag": tuple(asset_tag(int(one)) for one in self.of(donor, "SELECT tag_number FROM stockpile.item WHERE donor_id = %s")[:1]),
            "sha256": self.of(donor, "SELECT encode(sha256, 'hex') FROM stockpile.donor_file WHERE donor_id = %s")[:2],
        }  # fmt: skip
        return Values(ids, texts)

    @cached_property
    def forbidden_ids(self) -> set[str]:
        """Every id that is neither the donor's own nor public."""
        own = {one for kept in self.ids(SEEN).values() for one in kept}
        return set().union(*self.ids_by_column.values()) - own - self.public_ids

    @cached_property
    def forbidden_numbers(self) -> set[str]:
        """Numbers of documents that moved nothing of the donor's."""
        return self._asked(EVERY_NUMBER) - set(self.of(SEEN, NUMBERS_OF))

    @cached_property
    def forbidden_tags(self) -> set[str]:
        """Asset tags of what is not the donor's."""
        tags = self._asked("SELECT tag_number FROM stockpile.item")
        return {
            asset_tag(int(one))
            for one in tags - set(self.of(SEEN, "SELECT tag_number FROM stockpile.item WHERE donor_id = %s"))
        }

    def said(self, told: str) -> str:
        """Where a secret comes from, for who reads that it was told."""
        return f"{told} ({', '.join(self.where.get(told, ()))})"

    @cached_property
    def where(self) -> dict[str, list[str]]:
        """In which columns each id stands."""
        found: dict[str, list[str]] = {}
        for column, ids in self.ids_by_column.items():
            for one in ids:
                found.setdefault(one, []).append(column)
        return found

    def told(self, text: str) -> list[str]:
        """What of all this a text tells."""
        found = set(A_UUID.findall(text)) & self.forbidden_ids
        found |= set(A_NUMBER.findall(text)) & self.forbidden_numbers
        found |= set(A_TAG.findall(text)) & self.forbidden_tags
        found |= {one for one in NOBODYS_BUSINESS if one in text}
        return sorted(found)


OWN_IDS = {
    "party": "SELECT party_id FROM stockpile.party WHERE party_id = %s",
    "model": "SELECT DISTINCT model_id FROM stockpile.item WHERE donor_id = %s",
    "item": "SELECT item_id FROM stockpile.item WHERE donor_id = %s ORDER BY 1",
    "document": "SELECT DISTINCT document_id FROM stockpile.entry WHERE donor_id = %s ORDER BY 1",
    "shipment": "SELECT DISTINCT document_id FROM stockpile.entry WHERE donor_id = %s ORDER BY 1",
    "statement": "SELECT statement_id FROM stockpile.donor_statement WHERE donor_id = %s ORDER BY 1",
    "consignment": "SELECT consignment_id FROM stockpile.consignment WHERE donor_id = %s ORDER BY 1",
    "tracing": "SELECT w.tracing_id FROM stockpile.tracing_weapon w JOIN stockpile.item i USING (item_id) WHERE i.donor_id = %s ORDER BY 1",
    "account": "SELECT DISTINCT unnest(ARRAY[from_account, to_account]) FROM stockpile.entry WHERE donor_id = %s ORDER BY 1",
    "discrepancy": "SELECT discrepancy_id FROM stockpile.discrepancy WHERE donor_id = %s ORDER BY 1",
}
NUMBER = "s.code || '/' || b.code || '/' || b.year || '/' || d.number"
EVERY_NUMBER = f"""SELECT {NUMBER} FROM stockpile.document d JOIN stockpile.book b ON b.book_id = d.book_id
    JOIN stockpile.site s ON s.site_id = b.site_id"""
NUMBERS_OF = f"""{EVERY_NUMBER}
    WHERE EXISTS (SELECT FROM stockpile.entry e WHERE e.document_id = d.document_id AND e.donor_id = %s) ORDER BY d.document_id"""


@pytest.fixture(scope="module")
def web(databases: Databases, template: tuple[str, Country]) -> Iterator[Web]:
    """One country for all walks."""
    name = databases.clone(template[0])
    engine = databases.engine(name)
    yield from settled_country(template[1].on(engine))
    engine.dispose()
    databases.drop(name)


@pytest.fixture(scope="module")
def secrets(web: Web) -> Secrets:
    return Secrets(web)


@dataclass
class Walk:
    """What a donor was answered to all that it can ask of its own."""

    answers: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, set[int]] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)

    def having(self, *wanted: int) -> set[str]:
        """The ways that were answered so at least once."""
        return {way for way, statuses in self.statuses.items() if statuses & set(wanted)}

    @property
    def open(self) -> set[str]:
        """The ways that lead somewhere."""
        return self.having(*range(200, 400))


def application(web: Web) -> FastAPI:
    """The service that is walked."""
    assert isinstance(web.client.app, FastAPI)
    return web.client.app


def walked(web: Web, secrets: Secrets, only: set[str] | None = None) -> Walk:
    """Every way that reads, with each of the donor's own values."""
    walk, own = Walk(), secrets.values(SEEN)
    for way in reading_ways(web):
        for asking in with_own(way, own) if only is None or str(way) in only else ():
            found = answer(web, SEEN, asking)
            text = read(found)
            walk.statuses.setdefault(str(way), set()).add(found.status_code)
            walk.answers[str(asking)] = text
            walk.leaks += [f"{asking}: {secrets.said(told)}" for told in secrets.told(text)]
    return walk


def reading_ways(web: Web) -> list[Way]:
    """What only reads, but for what says the same to everybody."""
    return [way for way in ways(application(web)) if way.method == "GET" and not way.address.startswith(SAME_TO_ALL)]


@pytest.fixture(scope="module")
def walk(web: Web, secrets: Secrets) -> Walk:
    return walked(web, secrets)


def test_its_own_alone(walk: Walk) -> None:
    """Whatever it asks, however it is filtered, sorted, and brought along as a file, stands nothing of anybody else in the answer."""
    assert not walk.leaks, "\n".join(walk.leaks[:40])


def test_each_way_is_known(walk: Walk) -> None:
    """A donor comes no further than is written down here; a new route is not forgotten, and one that is written down was walked."""
    closed = walk.having(401, 403) - walk.open
    opened = {way.removeprefix("GET ") for way in walk.open}
    empty = {way.removeprefix("GET ") for way in set(walk.statuses) - walk.open - closed}
    assert opened == OPEN, "\n".join(sorted(opened ^ OPEN))
    assert empty == EMPTY | TOLD_ELSEWHERE, "\n".join(sorted(empty ^ (EMPTY | TOLD_ELSEWHERE)))


def test_another_s_names_are_as_nobodys(web: Web, secrets: Secrets, walk: Walk) -> None:
    """Another's ids, serial numbers and references are answered as those that nobody has, to the letter."""
    own, other = secrets.values(SEEN), secrets.values(UNSEEN).less(secrets.values(SEEN))
    wrong = []
    for way in reading_ways(web):
        for nobodys, askings in with_anothers(way, own, other, str(way) in walk.open):
            expected = told_of(web, nobodys)
            for asking in askings:
                status, text = told_of(web, asking)
                if (status, text) != expected or secrets.told(text):
                    differs = differing(expected[1], text)
                    wrong.append(f"{asking}: {status}, not {expected[0]}: {secrets.told(text)} {differs}")
    assert not wrong, "\n".join(wrong[:40])


def told_of(web: Web, asking: Asking, **sent: Any) -> tuple[int, str]:
    """What is answered, but for what was asked for and for ids made anew."""
    found = answer(web, SEEN, asking, **sent)
    return found.status_code, masked(without(read(found), asking.about))


def test_its_lines_are_numbered_by_themselves(web: Web, secrets: Secrets) -> None:
    """On a voucher of both donors' weapons no gap between the numbers of its lines tells how many are another's."""
    lines = {
        document: web.get(SEEN, f"/v1/documents/{document}/lines").json()["rows"]
        for document in secrets.ids(SEEN)["document"]
    }
    assert all([row["line"] for row in rows] == list(range(1, len(rows) + 1)) for rows in lines.values()), lines
    item = web.get(SEEN, "/v1/weapons", text=serial(SEEN, 1)).json()["rows"][0]["item_id"]
    for entry in web.get(SEEN, f"/v1/weapons/{item}/history").json()["entries"]:
        (line,) = [
            row["line"]
            for row in lines[entry["document_id"]]
            if (row["item_id"], row["version"]) == (item, entry["version"])
        ]
        assert entry["line"] == line


def test_every_link(web: Web, secrets: Secrets) -> None:
    """From the first page, whatever can be clicked: nothing on any page is another's."""
    kinds: Counter[str] = Counter()
    waiting, known, leaks = ["/"], {"/"}, []
    while waiting:
        address = waiting.pop(0)
        kinds[re.sub(A_UUID, "", address.partition("?")[0])] += 1
        if kinds[re.sub(A_UUID, "", address.partition("?")[0])] > OF_A_KIND or address.startswith(SAME_TO_ALL):
            continue
        found = web.client.get(address, headers={**BROWSER, **web.headers(SEEN)}, follow_redirects=False)
        assert found.status_code < 400, f"{address}: {found.status_code}"
        leaks += [f"{address}: {secrets.said(told)}" for told in secrets.told(read(found))]
        page = PageRead()
        if found.headers.get("content-type", "").startswith("text/html"):
            page.feed(found.text)
        links = {link.partition("#")[0] for link in (*page.addresses, found.headers.get("location", ""))} - known - {""}
        known |= links
        waiting += sorted(links)
    assert len(kinds) > 30
    assert not leaks, "\n".join(leaks)


def test_what_happens_to_another_changes_nothing(web: Web, walk: Walk) -> None:
    """More of its weapons come, are issued and lost, and cases are opened: the donor reads what it read before, to the letter. So no count,
    sum, rank or order tells of it.
    """
    another_day(web)
    again = walked(web, Secrets(web), {way for way in walk.open if not re.search(MADE_ANEW, way)})
    assert not again.leaks, "\n".join(again.leaks[:40])
    differs = [
        f"{asking}: {differing(masked(walk.answers[asking]), masked(text))}"
        for asking, text in again.answers.items()
        if masked(text) != masked(walk.answers[asking])
    ]
    assert not differs, "\n".join(differs[:40])


def test_nothing_is_done_to_another_s(web: Web) -> None:
    """Whatever is sent about another's is answered as it is about nobody's: by every route that writes, in its address and in its body."""
    secrets = Secrets(web)
    own, other = secrets.values(SEEN), secrets.values(UNSEEN).less(secrets.values(SEEN))
    wrong = []
    for way in ways(application(web)):
        if way.method == "GET":
            continue
        body = example(web, way)
        sent = {"json": body} if way.address.startswith("/v1/") else {"data": {"reason": "No"}}
        for nobodys, askings in with_anothers(way, own, other, of_query=False):
            expected = told_of(web, nobodys, **sent)
            wrong += [str(asking) for asking in askings if told_of(web, asking, **sent) != expected]
        for name, value in said_of(body, other):
            asking = next(with_own(way, own))
            (status, text), (same, alike) = (
                (found.status_code, masked(without(read(found), told)))
                for told in (value, unknown(value))
                for found in (answer(web, SEEN, asking, json={**body, name: told}),)
            )
            if status != same or (status >= 400 and text != alike) or secrets.told(text):
                wrong.append(
                    f"{asking} with {name} {value}: {status}, not {same}: {secrets.told(text)} {differing(alike, text)}"
                )
    assert not wrong, "\n".join(wrong[:40])


def example(web: Web, way: Way) -> dict[str, Any]:
    """A body as the description of the API shows it."""
    described = application(web).openapi()
    content = (
        described["paths"].get(way.address, {}).get(way.method.lower(), {}).get("requestBody", {}).get("content", {})
    )
    schema = content.get("application/json", {}).get("schema", {})
    schema = described["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    return {name: one["examples"][0] for name, one in schema.get("properties", {}).items() if one.get("examples")}


def said_of(body: dict[str, Any], other: Values) -> Iterator[tuple[str, str]]:
    """Each text of a body, with what another would have said there."""
    texts = [*(kept[0] for kept in other.texts.values()), *(kept[0] for kept in other.ids.values() if kept)]
    for name, value in body.items():
        if isinstance(value, str):
            yield from ((name, text) for text in texts)


MADE_ANEW = r"pdf|audit-packages|consignments/.*/proof|/sessions|/v1/changes"
"""Answers that say when they were made, or whose cursor is sealed anew."""
OF_A_KIND = 15


def differing(one: str, other: str) -> list[str]:
    """The first lines in which two texts differ."""
    return [line[:300] for line in unified_diff(one.splitlines(), other.splitlines(), lineterm="", n=0)][2:8]

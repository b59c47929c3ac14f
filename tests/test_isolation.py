"""No donor learns anything of another: not by any route, filter, error, count, number, id, file or proof. One donor walks every route that
the service has, with its own values, with another's, and with such as nobody has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
from fastapi import FastAPI

from stockpile.identity import asset_tag
from tests.api_world import Web
from tests.conftest import Databases
from tests.told import EVERY_NUMBER, Books, Secrets
from tests.two_donors import (
    GIVEN,
    GIVEN_SERIALS,
    GIVEN_WORDS,
    MODEL_OF_ONE,
    SEEN,
    SHARED,
    SHOWN_TOO,
    UNSEEN,
    another_day,
    serial,
    settled_in,
    twin,
)
from tests.walking import (
    A_UUID,
    Asked,
    Asking,
    Values,
    Way,
    differing,
    masked,
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
    "/", "/alerts", "/alerts.atom", "/alerts/subscriptions", "/alerts/{alert_id}", "/consignments", "/consignments/{consignment_id}",
    "/consignments/{consignment_id}/proof", "/consignments/{consignment_id}/weapons", "/discrepancies", "/discrepancies/{discrepancy_id}",
    "/documents", "/documents/{document_id}", "/end-use", "/holdings", "/jobs", "/log", "/models", "/models/{model_id}",
    "/monitoring-plans", "/monitoring-plans/change", "/portal/checkpoint.js", "/reports", "/reports/balance", "/reports/balance/proof",
    "/reports/consignments", "/reports/consignments/lines", "/reports/flows", "/reports/flows/movements", "/reports/handover-papers",
    "/reports/holdings-over-time", "/reports/inspections", "/reports/losses", "/reports/losses-by", "/reports/lost",
    "/reports/routine-visits", "/reports/serial-capture", "/reports/unusual", "/search", "/sessions", "/shared", "/shared/new",
    "/shared/{share_id}/statements",
    "/shared/{share_id}/statements/{statement_id}", "/shared/{share_id}/weapons", "/shared/{share_id}/weapons/{item_id}",
    "/shared/{share_id}/withdraw", "/sign-in", "/sites", "/sites/{code}", "/statements", "/statements/certificate", "/statements/consent",
    "/statements/declaration", "/statements/{statement_id}", "/station/device", "/station/scanner", "/station/shell", "/tracing",
    "/tracing/{tracing_id}", "/trust", "/v1/alert-subscriptions", "/v1/alerts", "/v1/audit-packages", "/v1/balance", "/v1/changes",
    "/v1/consignments/custody.pdf", "/v1/consignments/progress", "/v1/consignments/{consignment_id}/progress",
    "/v1/consignments/{consignment_id}/proof", "/v1/consignments/{consignment_id}/weapons", "/v1/discrepancies",
    "/v1/discrepancies/{discrepancy_id}", "/v1/documents", "/v1/documents/by-number/{number:path}", "/v1/documents/{document_id}",
    "/v1/documents/{document_id}/lines", "/v1/documents/{document_id}/paper.pdf", "/v1/find", "/v1/health", "/v1/jobs", "/v1/label-sheets",
    "/v1/log/growth", "/v1/models", "/v1/models/{model_id}", "/v1/monitoring-plans", "/v1/movements", "/v1/physical-security",
    "/v1/reports", "/v1/reports/consignments", "/v1/reports/consignments/lines", "/v1/reports/flows", "/v1/reports/flows/movements",
    "/v1/reports/handover-papers", "/v1/reports/holdings", "/v1/reports/holdings-over-time", "/v1/reports/inspections",
    "/v1/reports/losses", "/v1/reports/losses-by", "/v1/reports/lost", "/v1/reports/routine-visits", "/v1/reports/serial-capture",
    "/v1/reports/unusual", "/v1/rights",
    "/v1/sessions", "/v1/shared", "/v1/shared/{share_id}", "/v1/shared/{share_id}/statements",
    "/v1/shared/{share_id}/statements/{statement_id}", "/v1/shared/{share_id}/statements/{statement_id}/file",
    "/v1/shared/{share_id}/statements/{statement_id}/paper.pdf", "/v1/shared/{share_id}/statements/{statement_id}/proof",
    "/v1/shared/{share_id}/weapons", "/v1/shared/{share_id}/weapons/{item_id}", "/v1/shared/{share_id}/weapons/{item_id}/history",
    "/v1/shared/{share_id}/weapons/{item_id}/proof", "/v1/sites", "/v1/statements", "/v1/statements/{statement_id}",
    "/v1/statements/{statement_id}/file", "/v1/statements/{statement_id}/paper.pdf", "/v1/statements/{statement_id}/proof", "/v1/tracings",
    "/v1/tracings/{tracing_id}", "/v1/visits", "/v1/visits/{statement_id}", "/v1/visits/{statement_id}/files/{sha256}",
    "/v1/visits/{statement_id}/lines", "/v1/visits/{statement_id}/paper.pdf",
    "/v1/weapons", "/v1/weapons/{item_id}", "/v1/weapons/{item_id}/custody.pdf",
    "/v1/weapons/{item_id}/history", "/v1/weapons/{item_id}/proof", "/v1/weapons/{item_id}/tag.svg", "/visits", "/visits/lines",
    "/visits/plan", "/visits/record", "/visits/refusal", "/visits/{statement_id}", "/weapons", "/weapons/{item_id}",
}  # fmt: skip
"""The ways that lead a donor somewhere. A new one is added here by whoever has made sure that it tells a donor of its own alone."""
EMPTY = {
    "/v1/jobs/{job_id}", "/jobs/{job_id}", "/v1/station/deliveries", "/v1/station/deliveries/{delivery_id}/lines", "/tracing/new/{which}",
}  # fmt: skip
"""Ways that are not closed to a donor, and find nothing: it starts no long work, and stands at no counter."""
TOLD_ELSEWHERE = {"/sign-in/out/{code}", "/sign-in/with/{code}", "/sign-in/with/{code}/back"}
"""Ways that lead nowhere in this world, in which nobody comes by a provider: what is met there is told in test_single_sign_on."""
NOBODYS_BUSINESS = (
    UNSEEN, "Nordmark", "NMR 5", "NMR5", "NMEXCESS", "NMWAIT", "NM-TWIN", "EUC-NM", "CONS-NM", "CONSENT-NM", "KESK", MODEL_OF_ONE,
    RIFLES[0][:6], "KT4499", "Petrov", "Quist", "Rahim", "Talib", "Tara Clerk", "Carim", "Elin", "Erin", "Rana", "Rami", "A-1001", "A-1002",
    "A-1003", "Jane Miller", "UNKNOWN 1", "OLD 1", "NMOPEN", "NMBACK", GIVEN_WORDS, "Not for all", "For a while", "EUM-NM", "1COY-NM",
    "nordmark", "Yusuf", "Ezra", "A-2001", "EB 1", "EB 2", "EB 3", "EB 99", "UNKNOWN 2",
)  # fmt: skip
"""What another donor or the host sent, said or is called, and who its people are."""


IN_A_SHARE = re.compile(rf"^(/v1)?/shared/{A_UUID.pattern}(/(weapons|statements).*)?$")


@dataclass(frozen=True)
class TwoDonors(Books):
    """What is in the books, and which of it a donor may come to know."""

    def of(self, donor: str, question: str) -> tuple[str, ...]:
        """What the books say of a donor's own, in order."""
        party = self.asked("SELECT party_id FROM stockpile.party WHERE kind = 'donor' AND code = %s", donor).pop()
        return self.listed(question, party)

    def ids(self, donor: str) -> dict[str, tuple[str, ...]]:
        """A donor's own ids, by what they are of."""
        return {of: self.of(donor, question) for of, question in OWN_IDS.items()}

    @cached_property
    def public_ids(self) -> set[str]:
        """Ids of what is no secret: sites, general plans of monitoring, and models that more than one sent."""
        models = self.asked("SELECT model_id FROM stockpile.model WHERE name <> %s", MODEL_OF_ONE)
        plans = self.asked("SELECT plan_id FROM stockpile.monitoring_plan WHERE donor_id IS NULL")
        return self.asked("SELECT site_id FROM stockpile.site") | models | plans

    def values(self, donor: str) -> Values:
        """What a donor can name of its own."""
        ids = self.ids(donor)
        short = serial(donor, 1)[:2]
        numbers = self.of(donor, NUMBERS_OF)
        texts = {
            "donor": (donor,), "model": (MODEL_OF_ONE if donor == UNSEEN else "AKM",), "site": ("TAJI",),
            "serial": (serial(donor, 1), SHARED[0]) if donor == SEEN else (serial(donor, 1), f"{serial(donor, 4)}0", twin(donor, 0)),
            "reference": (f"CONS-{short}-1",), "certificate": (f"EUC-{short}-8",), "number": numbers[:3],
            "tag": tuple(sorted(self.tags("SELECT tag_number FROM stockpile.item WHERE item_id = %s", ids["item"][0]))),
            "sha256": self.of(donor, "SELECT encode(sha256, 'hex') FROM stockpile.donor_file WHERE donor_id = %s")[:2],
        }  # fmt: skip
        return Values(ids, texts)

    @cached_property
    def own(self) -> Values:
        """What the donor that walks can name."""
        return self.values(SEEN)

    @cached_property
    def of_the_other(self) -> Values:
        """What the other can name, first what it shares."""
        other = self.values(UNSEEN)
        given = self.given.ids
        first = {of: tuple(dict.fromkeys((*given.get(of, ())[:1], *kept))) for of, kept in other.ids.items()}
        return Values(first, other.texts)

    def values_on(self, way: Way, own: Values, given: Values) -> Values:
        """What one would name on a way: visits among visits, their own photos, and within a share what it gives."""
        if "/visits" in way.address:
            photos = self.listed(PHOTOS, own.ids["visit"][0])
            return Values({**own.ids, "statement": own.ids["visit"]}, {**own.texts, "sha256": photos})
        if "{share_id}" in way.address and not way.address.endswith("/withdraw"):
            return Values({**own.ids, **given.ids}, own.texts)
        return own

    @cached_property
    def given(self) -> Values:
        """What the unseen donor's share gives the other: one consignment, and nothing else."""
        ids = {of: self.listed(question, GIVEN) for of, question in GIVEN_IDS.items()}
        return Values(ids, {"number": self.listed(NUMBERS_OF_CONSIGNMENT, GIVEN)})

    @cached_property
    def others(self) -> Secrets:
        """All that is neither the donor's own nor public."""
        own = {one for kept in self.ids(SEEN).values() for one in kept}
        tags = self.tags("SELECT tag_number FROM stockpile.item")
        own_tags = set(
            map(asset_tag, map(int, self.of(SEEN, "SELECT tag_number FROM stockpile.item WHERE donor_id = %s")))
        )
        numbers = self.asked(EVERY_NUMBER) - set(self.of(SEEN, NUMBERS_OF))
        return Secrets(self.every_id - own - self.public_ids, numbers, tags - own_tags, NOBODYS_BUSINESS)

    @cached_property
    def others_beside_the_share(self) -> Secrets:
        """The same less what the share gives."""
        ids = {one for kept in self.given.ids.values() for one in kept}
        tags = self.tags(
            "SELECT tag_number FROM stockpile.item WHERE item_id = ANY (%s::uuid[])", list(self.given.ids["item"])
        )
        return Secrets(
            self.others.ids - ids, self.others.numbers - set(self.given.texts["number"]), self.others.tags - tags, NOBODYS_BUSINESS
        )  # fmt: skip

    def told(self, address: str, text: str) -> list[str]:
        """What of another's an answer tells. Where a share leads, what it gives is told openly, in the list of shares that it is
        given; and what somebody said is read by them again.
        """
        path = address.removeprefix("GET ").partition("?")[0]
        if path in ("/shared", "/v1/shared"):
            found = self.others.in_text(_less(text, THAT_IT_IS_GIVEN)) - set(self.given.ids["share"])
        elif IN_A_SHARE.match(path):
            found = self.others_beside_the_share.in_text(_less(text, WHAT_IS_GIVEN))
        elif set(A_UUID.findall(address)) & self.own_words:
            found = self.others.in_text(_less(text, SAID_ITSELF))
        else:
            found = self.others.in_text(text)
        return sorted(found)

    @cached_property
    def own_words(self) -> set[str]:
        """The donor's own visits and shares."""
        return {*self.ids(SEEN)["visit"], *self.ids(SEEN)["share"]}


def _less(text: str, phrases: tuple[str, ...]) -> str:
    """A text without phrases, where they stand by themselves; their words may stand in the order of a paper from right to left."""
    for phrase in phrases:
        for words in (phrase.split(), phrase.split()[::-1]):
            spaced = r"\s+".join(map(re.escape, words))
            text = re.sub(rf"(?<!\w){spaced}(?!\w)", "…", text)
    return text


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
    "share": "SELECT statement_id FROM stockpile.donor_statement WHERE donor_id = %s AND kind = 'share' ORDER BY 1",
    "visit": """SELECT statement_id FROM stockpile.donor_statement
                WHERE donor_id = %s AND kind IN ('visit', 'refused visit', 'planned visit', 'disposition report')
                ORDER BY kind = 'visit' DESC, 1""",
    "plan": "SELECT plan_id FROM stockpile.monitoring_plan WHERE donor_id = %s",
    "alert": "SELECT alert_id FROM stockpile.alert WHERE donor_id = %s ORDER BY 1",
    "subscription": "SELECT subscription_id FROM stockpile.alert_subscription WHERE donor_id = %s ORDER BY 1",
}  # fmt: skip
PHOTOS = """SELECT e->>'sha256' FROM stockpile.donor_statement s CROSS JOIN LATERAL jsonb_array_elements(s.content->'evidence') e
    WHERE s.statement_id = %s"""
NUMBERS_OF = f"""{EVERY_NUMBER}
    WHERE EXISTS (SELECT FROM stockpile.entry e WHERE e.document_id = d.document_id AND e.donor_id = %s) ORDER BY d.document_id"""
OF_CONSIGNMENT = (
    "SELECT item_id FROM stockpile.item i JOIN stockpile.consignment c USING (consignment_id) WHERE c.reference = %s"
)
NUMBERS_OF_CONSIGNMENT = f"""{EVERY_NUMBER}
    WHERE EXISTS (SELECT FROM stockpile.entry e WHERE e.document_id = d.document_id AND e.item_id IN ({OF_CONSIGNMENT}))"""
GIVEN_IDS = {
    "party": "SELECT donor_id FROM stockpile.consignment WHERE reference = %s",
    "consignment": "SELECT consignment_id FROM stockpile.consignment WHERE reference = %s",
    "answer": """SELECT statement_id FROM stockpile.donor_statement WHERE reference = %s AND kind = 'accepted'""",
    "discrepancy": f"SELECT discrepancy_id FROM stockpile.discrepancy WHERE item_id IN ({OF_CONSIGNMENT})",
    "share": "SELECT statement_id FROM stockpile.donor_statement WHERE reference = %s AND kind = 'share'",
    "item": f"{OF_CONSIGNMENT} ORDER BY 1",
    "statement": """SELECT statement_id FROM stockpile.donor_statement
                    WHERE reference = %s AND kind IN ('declaration', 'delivery verification') ORDER BY 1""",
    "document": f"SELECT DISTINCT document_id FROM stockpile.entry WHERE item_id IN ({OF_CONSIGNMENT})",
    "account": f"SELECT DISTINCT unnest(ARRAY[from_account, to_account]) FROM stockpile.entry WHERE item_id IN ({OF_CONSIGNMENT})",
}
"""What a share gives: of the consignment all that is told of it and of its weapons."""
THAT_IT_IS_GIVEN = ("Kingdom of Nordmark", UNSEEN, GIVEN, GIVEN_WORDS)
WHAT_IS_GIVEN = (*THAT_IT_IS_GIVEN, *GIVEN_SERIALS, *(one.replace(" ", "") for one in GIVEN_SERIALS), "EUC-NM-8")
SAID_ITSELF = (*SHOWN_TOO[SEEN], UNSEEN)
"""What its own inspectors read, and with whom it shares: it stands where it said that, and tells nothing."""


@pytest.fixture(scope="module")
def web(databases: Databases, template: tuple[str, Country]) -> Iterator[Web]:
    """One country for all walks."""
    yield from settled_in(databases, template)


@pytest.fixture(scope="module")
def books(web: Web) -> TwoDonors:
    return TwoDonors(web)


@pytest.fixture(scope="module")
def donor(web: Web) -> Asked:
    """Who walks, and asks nothing twice."""
    return Asked(web, SEEN)


@dataclass
class Walk:
    """What a donor was answered to all that it can ask of its own."""

    answers: dict[str, dict[Asking, str]] = field(default_factory=dict)
    statuses: dict[str, set[int]] = field(default_factory=dict)
    leaks: dict[str, str] = field(default_factory=dict)

    def having(self, *wanted: int) -> set[str]:
        """The ways that were answered so at least once."""
        return {way for way, statuses in self.statuses.items() if statuses & set(wanted)}

    @property
    def open(self) -> set[str]:
        """The ways that lead somewhere."""
        return self.having(*range(200, 400))

    @property
    def closed(self) -> set[str]:
        """The ways that are no donor's."""
        return self.having(401, 403) - self.open


def reading_ways(web: Web) -> list[Way]:
    """What only reads, but for what says the same to everybody."""
    return [way for way in ways(application(web)) if way.method == "GET" and not way.address.startswith(SAME_TO_ALL)]


def application(web: Web) -> FastAPI:
    """The service that is walked."""
    assert isinstance(web.client.app, FastAPI)
    return web.client.app


@pytest.fixture(scope="module")
def walk(web: Web, books: TwoDonors, donor: Asked) -> Walk:
    """Every way that reads, with each of the donor's own values; of a way that is closed to it, the first."""
    walk = Walk()
    for way in reading_ways(web):
        seen = walk.statuses.setdefault(str(way), set())
        for asking in with_own(way, books.values_on(way, books.own, books.given)):
            status, text = donor.told(asking)
            seen.add(status)
            walk.answers.setdefault(str(way), {})[asking] = text
            if told := books.told(str(asking), text):
                walk.leaks.setdefault(str(way), f"{asking}: {books.said(told)}")
            if seen == {403}:
                break
    return walk


def test_its_own_alone(walk: Walk) -> None:
    """Whatever it asks, however it is filtered, sorted, and brought along as a file, stands nothing of anybody else in the answer."""
    assert not walk.leaks, "\n".join(walk.leaks.values())


def test_each_way_is_known(walk: Walk) -> None:
    """A donor comes no further than is written down here; a new route is not forgotten, and one that is written down was walked."""
    opened = {way.removeprefix("GET ") for way in walk.open}
    empty = {way.removeprefix("GET ") for way in set(walk.statuses) - walk.open - walk.closed}
    assert opened == OPEN, "\n".join(sorted(opened ^ OPEN))
    assert empty == EMPTY | TOLD_ELSEWHERE, "\n".join(sorted(empty ^ (EMPTY | TOLD_ELSEWHERE)))


def test_another_s_names_are_as_nobodys(web: Web, books: TwoDonors, donor: Asked, walk: Walk) -> None:
    """Another's ids, serial numbers and references are answered as those that nobody has, to the letter; also those that it shares,
    anywhere but where the share leads.
    """
    wrong = []
    for way in reading_ways(web):
        own, other = names_on(books, way)
        for nobodys, askings in with_anothers(way, own, other, str(way) in walk.open):
            expected = donor.about(nobodys)
            for asking in askings[:1] if str(way) in walk.closed else askings:
                status, text = donor.about(asking)
                if (status, text) != expected or books.told(str(asking), text):
                    differs = differing(expected[1], text)
                    wrong.append(f"{asking}: {status}, not {expected[0]}: {books.told(str(asking), text)} {differs}")
    assert not wrong, "\n".join(wrong[:40])


def names_on(books: TwoDonors, way: Way) -> tuple[Values, Values]:
    """What a donor would name of its own on a way, and of the other's, first what that shares."""
    mine = books.values_on(way, books.own, books.given)
    return mine, books.values_on(way, books.of_the_other, Values({}, {})).less(mine)


def test_its_lines_are_numbered_by_themselves(web: Web, books: TwoDonors) -> None:
    """On a voucher of both donors' weapons no gap between the numbers of its lines tells how many are another's."""
    lines = {
        document: web.get(SEEN, f"/v1/documents/{document}/lines").json()["rows"]
        for document in books.ids(SEEN)["document"]
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


def test_every_link(books: TwoDonors, donor: Asked) -> None:
    """From the first page, whatever can be clicked: nothing on any page is another's."""
    kinds: Counter[str] = Counter()
    waiting, known, leaks = ["/"], {"/"}, []
    while waiting:
        address = waiting.pop(0)
        kind = re.sub(A_UUID, "", address.partition("?")[0])
        kinds[kind] += 1
        if kinds[kind] > OF_A_KIND or address.startswith(SAME_TO_ALL):
            continue
        status, text = donor.found(address)
        assert status < 400, f"{address}: {status}"
        leaks += [f"{address}: {books.said([told])}" for told in books.told(address, text)]
        links = set(donor.links(address)) - known
        known |= links
        waiting += sorted(links)
    assert len(kinds) > 30
    assert not leaks, "\n".join(leaks)


def test_what_happens_to_another_changes_nothing(web: Web, walk: Walk) -> None:
    """More of its weapons come, are issued and lost, it visits and shares, and cases are opened: the donor reads what it read before, to
    the letter. So no count, sum, rank or order tells of it.
    """
    another_day(web)
    books, again = TwoDonors(web), Asked(web, SEEN)
    differs = []
    for way, answers in walk.answers.items():
        if way in walk.closed or re.search(MADE_ANEW, way):
            continue
        for before, asking in {masked(text): asking for asking, text in reversed(answers.items())}.items():
            _, text = again.told(asking)
            if books.told(str(asking), text) or masked(text) != before:
                differs.append(f"{asking}: {books.told(str(asking), text)} {differing(before, masked(text))}")
    assert not differs, "\n".join(differs[:40])


def test_nothing_is_done_to_another_s(web: Web, walk: Walk) -> None:
    """Whatever is sent about another's is answered as it is about nobody's: by every route that writes, in its address and in its body."""
    books, asked, wrong = TwoDonors(web), Asked(web, SEEN), []
    for way in ways(application(web)):
        if way.method == "GET":
            continue
        own, other = names_on(books, way)
        body = example(web, way)
        sent = {"json": body} if way.address.startswith("/v1/") else {"data": {"reason": "No"}}
        closed = asked.answer(next(with_own(way, own)), **sent).status_code in (401, 403)
        for nobodys, askings in with_anothers(way, own, other, of_query=False):
            expected = asked.about(nobodys, **sent)
            wrong += [str(one) for one in (askings[:1] if closed else askings) if asked.about(one, **sent) != expected]
        for name, value in said_of(body, other, closed):
            asking = next(with_own(way, own))
            (status, text), (same, alike) = (
                (status, masked(without(text, told)))
                for told in (value, unknown(value))
                for status, text in (asked.told(asking, json={**body, name: told}),)
            )
            if status != same or (status >= 400 and text != alike) or books.told(str(asking), text):
                wrong.append(
                    f"{asking} with {name} {value}: {status}, not {same}: {books.told(str(asking), text)} {differing(alike, text)}"
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


def said_of(body: dict[str, Any], other: Values, closed: bool) -> Iterator[tuple[str, str]]:
    """Each text of a body, with what another would have said there: an id for an id, a name for a name; where all is closed, one."""
    ids = [kept[0] for kept in other.ids.values() if kept]
    names = [kept[0] for kept in other.texts.values() if kept]
    for name, value in body.items():
        if isinstance(value, str):
            said = ids if A_UUID.fullmatch(value) else names
            yield from ((name, text) for text in (said[:1] if closed else said))


MADE_ANEW = r"pdf|audit-packages|consignments/.*/proof|/sessions|/v1/changes"
"""Answers that say when they were made, or whose cursor is sealed anew."""
OF_A_KIND = 15

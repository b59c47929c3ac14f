"""Makes the files beside it: a small country of the first version that lived through a spring, as its code wrote it down.

Runs on the first version's code, in a worktree of its last commit (README.md); knows nothing of what came later.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
from fastapi.testclient import TestClient
from psycopg import sql
from pydantic_core import core_schema
from sqlalchemy import Engine, event

from api.application import create_app
from stockpile import documents, keys, ledger, sites, tokens
from stockpile.db import embedded, migrate, roles
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of, transaction
from stockpile.files import file_store
from tests.api_world import BEARERS
from tests.world import RIFLES, Country, found_country

HERE = Path(__file__).parent
DATABASE = "first"
STORE = "Main store"
BAGHDAD = timedelta(hours=3)

SHIPPING_LIST = """Shipping list FMS-118;;
S/N;Item;Qty
UA 000123;AKM;1
UA 000124;AKM;1
UA 000123;AKM;1
UA 000125;Blunderbuss;1
;Helmet;40
"""
PROPERTY_BOOK = """Serial No,Model,Holder
ALT 1,AKM,Main store
ALT 2,AKM,1COY
ALT 3,AKM,A-1003
ALT 4,PKM,Quarantine
"""
ROSTER = """Service No,Name,Rank,Unit code
A-1001,Petrov,Corporal,1COY
A-1002,Quist,Private,1COY
A-1003,Rahim,Private,1COY
A-1004,Sabah,Private,1COY
T-1,Talib Clerk,Sergeant,
T-2,Tara Clerk,Corporal,
C-1,Carim Commander,Major,
R-1,Rana Registrar,,
"""
ANNEX = [{"model": "AKM", "serial_number": "ALT 9"}]


class Calendar:
    """The clock of the story: it goes as any clock, but stands on the day that the story is at."""

    def __init__(self, server: Server) -> None:
        self.server, self.shift = server, timedelta(0)

    def turn_to(self, moment: datetime) -> None:
        """Says which moment it is now. Never before what was."""
        assert moment > datetime.now(UTC) + self.shift or not self.shift
        self.shift = moment - datetime.now(UTC)
        with psycopg.connect(self.server.conninfo(DATABASE), autocommit=True) as administrator:
            administrator.execute("UPDATE public.story SET shift = %s", (self.shift,))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def govern(self, engine: Engine) -> None:
        """From now on the program and its database ask this clock."""
        with psycopg.connect(self.server.conninfo(DATABASE), autocommit=True) as administrator:
            administrator.execute("CREATE TABLE public.story (shift interval NOT NULL)")
            administrator.execute("INSERT INTO public.story VALUES ('0')")
            administrator.execute(
                """CREATE FUNCTION public.story_clock() RETURNS timestamptz LANGUAGE sql SECURITY DEFINER
                   AS 'SELECT clock_timestamp() + shift FROM public.story'"""
            )
            administrator.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")

        class StoryTime(datetime):
            """What the program takes for `datetime`."""

            @classmethod
            def now(cls, _: Any = UTC) -> datetime:
                return self.now()

            @classmethod
            def __get_pydantic_core_schema__(cls, _: Any, __: Any) -> Any:
                return core_schema.datetime_schema()

        for module in (documents, ledger, sites):
            module.datetime = StoryTime  # type: ignore[attr-defined]
        keys.time = SimpleNamespace(time_ns=lambda: int(self.now().timestamp() * 1_000_000_000))  # type: ignore[attr-defined]
        for name in ("_TAKE_NUMBER", "_TAKE_PAPER_NUMBER"):
            setattr(ledger, name, _by_the_story(getattr(ledger, name)))

        @event.listens_for(engine, "before_cursor_execute", retval=True)
        def _ask_the_story(_: Any, __: Any, statement: str, given: Any, ___: Any, ____: bool) -> tuple[str, Any]:
            return _by_the_story(statement), given


def _by_the_story(statement: str) -> str:
    return statement.replace("clock_timestamp()", "public.story_clock()")


class Story:
    """The country behind its service, and what was asked of it and answered, word by word."""

    def __init__(self, country: Country, client: TestClient, calendar: Calendar, texts: dict[str, str]) -> None:
        self.country, self.client, self.calendar, self.texts = country, client, calendar, texts
        self.acts: list[dict[str, Any]] = []
        self.moments: dict[str, str] = {}
        self.keys = 0

    def at(self, day: int, hour: float = 8, month: int = 3) -> None:
        """It is that day of 2025, that hour at TAJI."""
        self.calendar.turn_to(datetime(2025, month, day, tzinfo=UTC) + timedelta(hours=hour) - BAGHDAD)

    def call(self, who: str, path: str, body: Any = None) -> dict[str, Any]:
        """Asks for something that is no act."""
        answer = self.client.post(f"/v1{path}", json=body, headers=self.bearer(who))
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    def bearer(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.texts[who]}"}

    def act(self, who: str, path: str, **body: Any) -> dict[str, Any]:
        """Asks for an act, and writes down the question and the answer."""
        self.keys += 1
        request = {"document_id": f"01956000-0000-7000-8000-{self.keys:012}", **body}
        answer = self.client.post(f"/v1{path}", json=request, headers=self.bearer(who))
        assert answer.status_code in (201, 202), (path, answer.text)
        self.acts.append(
            {"who": who, "path": path, "request": request, "status": answer.status_code, "answer": answer.text}
        )
        return dict(answer.json())

    def approve(self, who: str, draft: dict[str, Any]) -> dict[str, Any]:
        """The second party's approval."""
        return self.call(who, f"/drafts/{draft['document_id']}/approve")

    def ask_again(self) -> None:
        """Every act once more: what is answered from now on. Only of drafts it is another answer than the first."""
        for act in self.acts:
            again = self.client.post(f"/v1{act['path']}", json=act["request"], headers=self.bearer(act["who"]))
            assert act["status"] == 202 or (again.status_code, again.text) == (act["status"], act["answer"]), again.text
            act |= {"status": again.status_code, "answer": again.text}

    def paper(self, number: int, day: int, hour: float = 9, book: str = "PAPER", **more: Any) -> dict[str, Any]:
        """A paper voucher of a day in March."""
        moment = datetime(2025, 3, day, tzinfo=UTC) + timedelta(hours=hour) - BAGHDAD
        scan = file_store().keep([b"a scanned voucher"], 1_000).sha256
        return {"book": book, "number": number, "happened_at": moment.isoformat(), "scan_sha256": scan, **more}

    def file(self, name: str, content: str, **more: Any) -> dict[str, Any]:
        """A stored list."""
        return {"sha256": file_store().keep([content.encode()], 1_000_000).sha256, "name": name, **more}

    def note_moment(self, name: str) -> None:
        """A moment whose books are asked for when all is over."""
        self.moments[name] = self.calendar.now().isoformat()


def lines(*serials: str, **more: Any) -> list[dict[str, Any]]:
    return [{"scan": serial, **more} for serial in serials]


def found_more(story: Story) -> None:
    """What the tests' small country lacks: a model counted by lot, a unit at ERBIL, a donor's own name of a model."""
    story.call("registrar", "/models", {
        "maker": "Arsenal", "name": "7.62 mm ball", "category": "ammunition", "tracked_by": "lot",
    })  # fmt: skip
    story.call("registrar", "/units", {"code": "2COY", "name": "2nd Company", "site": "ERBIL", "since": "2025-01-01"})
    ((akm,),) = story.country.query("SELECT model_id FROM model WHERE name = 'AKM' AND maker = 'Izhmash'")
    story.call("registrar", "/aliases", {"source": "USA", "name": "Kalashnikov", "model_id": str(akm)})


def deliveries(story: Story) -> None:
    """Two consignments: one typed in, short and in excess; one from a file with rows set aside."""
    story.at(3)
    declared = [
        *({"model": "AKM", "serial_number": f"US {n}", "condition": "serviceable"} for n in range(101, 107)),
        {"model": "Helmet", "quantity": 50}, {"model": "7.62 mm ball", "quantity": 1000, "lot": "L-77"},
    ]  # fmt: skip
    story.act(
        "registrar",
        "/declarations",
        site="TAJI",
        donor="USA",
        reference="FMS-117",
        expected_on="2025-03-05",
        lines=declared,
    )
    story.act(
        "registrar", "/declarations", site="TAJI", donor="USA", reference="FMS-118",
        file=story.file("fms-118.csv", SHIPPING_LIST, set_aside=True),
    )  # fmt: skip
    story.at(5)
    story.act(
        "clerk", "/receipts", store=STORE, donor="USA", consignment="FMS-117", complete=True, remarks="Two crates broken",
        lines=[
            *declared[:4], {"model": "AKM", "serial_number": "US 999"}, {"model": "Helmet", "quantity": 48},
            {"model": "7.62 mm ball", "quantity": 1000, "lot": "L-77"},
        ],
    )  # fmt: skip
    story.act(
        "clerk", "/receipts", store=STORE, donor="USA", consignment="FMS-118",
        lines=[{"model": "Kalashnikov", "serial_number": "UA 000123"}, {"model": "Helmet", "quantity": 40}],
    )  # fmt: skip
    story.act(
        "erbil clerk",
        "/receipts",
        store=STORE,
        lines=[{"model": "AKM", "serial_number": f"ER {n}"} for n in range(1, 4)],
    )
    story.act("erbil clerk", "/receipts", store=STORE, lines=[{"model": "AKM", "serial_number": RIFLES[9]}])
    story.act("clerk", "/receipts", store="Quarantine", lines=[
        {"model": "AKM", "serial_number": "US 101", "distinguishing_mark": "notch on the stock"},
        {"model": "AKM", "serial_number": "???", "obliterated": True}, {"model": "AKM", "distinguishing_mark": "red tape"},
    ])  # fmt: skip
    story.note_moment("deliveries")


def old_book(story: Story) -> None:
    """The property book of 2019, approved by a second person."""
    story.at(6)
    draft = story.act(
        "registrar", "/openings", site="TAJI", name="Property book 2019", store=STORE,
        file=story.file("book-2019.csv", PROPERTY_BOOK, columns={"serial_number": "Serial No", "model": "Model", "account": "Holder"}),
    )  # fmt: skip
    story.approve("commander", draft)


def counters(story: Story) -> None:
    """Issues, hand-overs, returns, the morning draw, mistakes."""
    story.at(8)
    story.act("clerk", "/issues", receiver="A-1001", store=STORE, lines=lines(RIFLES[0], RIFLES[1]))
    story.act("clerk", "/issues", receiver="1COY", received_by="A-1001", store=STORE, lines=lines("US 102", "US 103"))
    helmets = str(story.country.helmets().item_id)
    story.act("clerk", "/issues", receiver="A-1002", store=STORE, lines=[{"item": helmets, "quantity": 30}])
    story.act("clerk", "/hand-overs", giver="A-1001", receiver="A-1002", lines=lines(RIFLES[0]))
    story.at(9)
    story.act("clerk", "/returns", store=STORE, lines=lines(RIFLES[0], condition="serviceable"))
    story.act(
        "clerk",
        "/returns",
        store=STORE,
        returned_by="A-1003",
        in_hand=True,
        lines=lines(RIFLES[1], condition="unserviceable"),
    )
    story.act(
        "clerk",
        "/returns",
        store=STORE,
        returned_by="A-1002",
        lines=[{"item": helmets, "quantity": 5, "condition": "serviceable"}],
    )
    story.act("clerk", "/work-orders", work="Firing pin broken", lines=lines(RIFLES[1], condition="unserviceable"))
    story.at(11)
    story.act(
        "armourer",
        "/work-orders",
        back=True,
        work="New pin",
        store=STORE,
        lines=lines(RIFLES[1], condition="serviceable"),
    )
    story.call("armourer", "/assignments", {"lines": [
        {"scan": RIFLES[2], "person": "A-1001"}, {"scan": RIFLES[3], "person": "A-1002"}, {"scan": RIFLES[4], "person": "A-1003"},
    ]})  # fmt: skip
    story.at(12, 6)
    story.act("armourer", "/draws", scan=RIFLES[2])
    story.act("armourer", "/draws", lines=lines(RIFLES[3], RIFLES[4]))
    story.at(12, 17)
    story.act("armourer", "/draws", scan=RIFLES[2])
    story.call("armourer", "/assignments/end", {"lines": lines(RIFLES[4])})
    story.act("clerk", "/voids", reason="The form tore in the printer")
    wrong = story.act("clerk", "/issues", receiver="A-1003", store=STORE, lines=lines(RIFLES[5]))
    story.act("clerk", "/undo", document=wrong["document_id"])
    wrong = story.act("clerk", "/issues", receiver="A-1003", store=STORE, lines=lines(RIFLES[6]))
    story.at(13)
    draft = story.act("clerk", "/corrections", document=wrong["document_id"], reason="The wrong rifle was scanned")
    story.approve("commander", draft)
    story.note_moment("counters")


def losses(story: Story) -> None:
    """Missing, lost, found again; fired; burnt."""
    story.at(15)
    story.act(
        "clerk", "/loss-reports", place="Route Tampa", last_seen_at="2025-03-14T22:00:00+03:00", reported_by="A-1001",
        circumstances="Not in the rack", lines=lines(RIFLES[7], "US 104", "UA 000123"),
    )  # fmt: skip
    story.at(18)
    body = {"cause": "stolen", "liability": "nobody", "findings": "robbery of the 14th"}
    story.approve("commander", story.act("clerk", "/loss-conclusions", lines=lines(RIFLES[7], "US 104"), **body))
    story.act(
        "clerk", "/recoveries", store=STORE, in_hand=True, place="Wadi", found_by="2nd patrol",
        lines=lines("US 104", condition="unserviceable"),
    )  # fmt: skip
    story.act(
        "clerk",
        "/recoveries",
        store=STORE,
        place="Gate",
        found_by="the guard",
        lines=lines("UA 000123", condition="serviceable"),
    )
    helmets = str(story.country.helmets().item_id)
    expenditure = {"manner": "destroyed in combat", "place": "Route Tampa", "circumstances": "Vehicle burnt out"}
    story.approve("commander", story.act("clerk", "/expenditures", lines=lines("US 102"), **expenditure))
    story.approve("commander", story.act(
        "clerk", "/expenditures", holder="A-1002", lines=[{"item": helmets, "quantity": 2}], **expenditure
    ))  # fmt: skip
    story.note_moment("losses")


def papers(story: Story) -> None:
    """Papers keyed late and in no order, with numbers that never came, one number twice, and more helmets than there were."""
    story.at(20)
    helmets = str(story.country.helmets().item_id)
    story.act("clerk", "/issues", receiver="A-1003", store=STORE, lines=lines(RIFLES[8]), paper=story.paper(4, 19))
    story.act(
        "clerk", "/hand-overs", giver="A-1003", receiver="A-1001", lines=lines(RIFLES[8]), paper=story.paper(9, 19, 15)
    )
    story.act(
        "clerk", "/returns", returned_by="A-1002", store=STORE, lines=lines(RIFLES[8]), paper=story.paper(7, 19, 12)
    )
    story.act(
        "clerk", "/issues", receiver="Z-9", store=STORE, lines=lines("NEVER 1", RIFLES[0]), paper=story.paper(9, 19, 16)
    )
    story.act("clerk", "/voids", reason="Coffee", paper=story.paper(5, 19, precision="day"))
    story.act(
        "clerk",
        "/issues",
        receiver="A-1001",
        store="Quarantine",
        lines=[{"item": helmets, "quantity": 12}],
        paper=story.paper(12, 18, 10),
    )
    story.act(
        "clerk",
        "/returns",
        returned_by="A-1003",
        store=STORE,
        lines=[{"item": helmets, "quantity": 7}],
        paper=story.paper(13, 18, 11),
    )
    story.act(
        "clerk",
        "/loss-reports",
        holder="A-1002",
        place="River",
        circumstances="Fell in",
        lines=lines(RIFLES[3]),
        paper=story.paper(2, 17),
    )
    story.act(
        "clerk",
        "/expenditures",
        manner="fired",
        place="Range",
        circumstances="Burst",
        lines=lines("US 103"),
        paper=story.paper(3, 16),
    )
    story.act(
        "clerk",
        "/work-orders",
        work="Sight",
        lines=lines(RIFLES[5], condition="unserviceable"),
        paper=story.paper(1, 12, book="SHOP"),
    )
    story.act(
        "clerk",
        "/receipts",
        store=STORE,
        lines=[{"model": "AKM", "serial_number": "PAPER 1"}],
        paper=story.paper(3, 14, book="SHOP"),
    )
    story.act(
        "clerk",
        "/recoveries",
        store=STORE,
        place="Ditch",
        found_by="a child",
        lines=lines(RIFLES[7]),
        paper=story.paper(14, 19, 18),
    )
    story.act("erbil clerk", "/voids", reason="Torn", paper=story.paper(2, 18))
    story.act("erbil clerk", "/voids", reason="Torn", paper=story.paper(4, 18))
    for number, day, hour, path, body in (
        (16, 10, 9, "/hand-overs", {"giver": "1COY", "receiver": "A-1002"}),
        (17, 9, 9, "/hand-overs", {"giver": "A-1001", "receiver": "A-1003"}),
        (18, 8, 9, "/returns", {"returned_by": "1COY", "store": STORE}),
        (19, 9, 20, "/hand-overs", {"giver": "A-1003", "receiver": "A-1001"}),
    ):
        story.act("clerk", path, **body, lines=lines("ALT 2"), paper=story.paper(number, day, hour))
    story.act(
        "clerk", "/receipts", store=STORE, donor="USA", consignment="FMS-117",
        lines=[{"model": "AKM", "serial_number": "US 106"}], paper=story.paper(4, 2, book="SHOP"),
    )  # fmt: skip
    story.note_moment("papers")


def afterwards(story: Story) -> None:
    """A roster, and what waits for a second party: four drafts, besides one rejected and one withdrawn."""
    story.at(24)
    story.call(
        "registrar", "/rosters", {"site": "TAJI", "file": story.file("roster.csv", ROSTER), "as_of": "2025-03-24"}
    )
    story.act("clerk", "/issues", receiver="A-1004", store=STORE, lines=lines("ALT 1"))
    for who, path, body in (
        ("clerk", "/corrections", {"reason": "Not his", "lines": lines("ALT 1")}),
        ("clerk", "/loss-conclusions", {"cause": "lost", "liability": "A-1002", "findings": "in the river", "lines": lines(RIFLES[3])}),
        ("clerk", "/expenditures", {"manner": "fired", "place": "Range", "circumstances": "Burst barrel", "lines": lines(RIFLES[4])}),
        ("registrar", "/openings", {"site": "TAJI", "name": "Annex 2019", "store": STORE, "lines": ANNEX}),
    ):  # fmt: skip
        story.act(who, path, **body)
    draft = story.act(
        "clerk", "/expenditures", manner="fired", place="Range", circumstances="?", lines=lines(RIFLES[6])
    )
    story.call("commander", f"/drafts/{draft['document_id']}/reject", {"reason": "Nobody saw it"})
    draft = story.act("clerk", "/corrections", reason="A doubt", lines=lines(RIFLES[2]))
    story.call("clerk", f"/drafts/{draft['document_id']}/reject", {"reason": "No doubt any more"})
    story.note_moment("afterwards")


CHAPTERS = (deliveries, old_book, counters, losses, papers, afterwards)


def questions(story: Story) -> Iterator[tuple[str, str]]:
    """What is asked of the books when all is over."""
    by = "by=site&by=model&by=donor"
    clocks = [
        "",
        *(f"&as_of={moment}" for moment in story.moments.values()),
        *(f"&recorded_as_of={m}" for m in story.moments.values()),
    ]
    first, *_, last, _ = story.moments.values()
    clocks.append(f"&as_of={last}&recorded_as_of={last}")
    clocks.append(f"&as_of={first}&recorded_as_of={last}")
    for clock in clocks:
        clock = clock.replace("+", "%2B")
        yield "auditor", f"/balance?{by}{clock}"
        yield "auditor", f"/weapons?limit=500{clock}"
        yield "USA", f"/balance?by=model{clock}"
    for who in ("auditor", "clerk", "erbil clerk", "USA"):
        yield who, "/discrepancies?state=all&limit=500"
        yield who, "/documents?limit=500"
        yield who, "/weapons?limit=500"
    for path in ("/registers", "/parties", "/accounts", "/units", "/signature-cards", "/aliases", "/sites"):
        yield "registrar", path + ("" if path == "/units" else "?limit=500")
    for path in ("/assignments?limit=500", "/weapon-cards?limit=500", "/drafts?limit=500"):
        yield "commander", path
    for serial in ("US 101", RIFLES[9], "SP-000001", "us 99", "PAPER 1"):
        yield "clerk", f"/find?q={serial.replace(' ', '%20')}"
    for (item,) in story.country.query("SELECT item_id FROM item ORDER BY item_id"):
        yield "auditor", f"/weapons/{item}/history?limit=500"
    for (document,) in story.country.query("SELECT document_id FROM document ORDER BY document_id"):
        yield "auditor", f"/documents/{document}?limit=500"


def tell(story: Story) -> list[dict[str, Any]]:
    """The answers."""
    told = []
    for who, path in questions(story):
        answer = story.client.get(f"/v1{path}", headers=story.bearer(who))
        assert answer.status_code == 200, (path, answer.text)
        told.append({"who": who, "path": path, "answer": answer.json()})
    return told


TABLES = """
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'stockpile'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version' GROUP BY 1 ORDER BY 1
"""


def dump(server: Server) -> Iterator[tuple[str, bytes]]:
    """Each table's rows as COPY writes them, its columns first; rows in the order of their text."""
    with psycopg.connect(server.conninfo(DATABASE)) as connection:
        connection.execute("SET search_path = stockpile; SET timezone = UTC")
        for table, columns in connection.execute(TABLES).fetchall():
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            copied = BytesIO()
            with connection.cursor().copy(
                sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), names)
            ) as rows:
                for row in rows:
                    copied.write(bytes(row))
            sorted_rows = b"".join(sorted(copied.getvalue().splitlines(keepends=True)))
            yield table, " ".join(columns).encode() + b"\n" + sorted_rows


def write(server: Server, story: Story, told: list[dict[str, Any]]) -> None:
    """The files, the same for the same content."""
    with zipfile.ZipFile(HERE / "books.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        members = [(f"{table}.copy", content) for table, content in dump(server)]
        members.append(("told.json", _json(told)))
        for name, content in members:
            packed.writestr(zipfile.ZipInfo(name, (2025, 3, 31, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, 9)
    (HERE / "acts.json").write_bytes(_json(story.acts))


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


@contextmanager
def long_lived(server: Server) -> Iterator[None]:
    """Tokens of the story live by the story's clock; meanwhile by everybody's, too."""
    move = "SET session_replication_role = replica; UPDATE stockpile.token SET expires_at = expires_at {} interval '100 years'"
    for sign in "+-":
        with psycopg.connect(server.conninfo(DATABASE), autocommit=True) as administrator:
            administrator.execute(move.format(sign).encode())
        if sign == "+":
            yield


def main() -> None:
    """Founds, lives, asks, writes."""
    with tempfile.TemporaryDirectory() as data, embedded.throw_away(fsync=False, max_connections=60) as server:
        os.environ["STOCKPILE_DATA"] = data
        with psycopg.connect(server.conninfo(), autocommit=True) as administrator:
            administrator.execute(roles.setup_sql().encode())
            administrator.execute(roles.database_sql(DATABASE).encode())
        migrate.upgrade(server.url(DATABASE, roles.OWNER))
        engine = engine_of(server.url(DATABASE, roles.SERVICE))
        calendar = Calendar(server)
        calendar.govern(engine)
        calendar.turn_to(datetime(2025, 3, 1, 5, tzinfo=UTC))
        country = found_country(engine)
        with transaction(engine, roles.REGISTRAR) as connection:
            texts = {
                who: tokens.create_token(connection, label=f"{who}'s", **wanted).text  # type: ignore[arg-type]
                for who, wanted in BEARERS.items()
            }
        with long_lived(server), TestClient(create_app(engine)) as client:
            story = Story(country, client, calendar, texts)
            found_more(story)
            for chapter in CHAPTERS:
                chapter(story)
            story.ask_again()
            told = tell(story)
        engine.dispose()
        write(server, story, told)


if __name__ == "__main__":
    assert migrate.newest() == "0001", "this runs on the first version's code"
    main()

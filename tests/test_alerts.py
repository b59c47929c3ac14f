"""Alerts: what is found in the books that somebody should hear of at once, who sees it, and who does not."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stockpile.acts.loss import REPORT_MISSING
from stockpile.acts.receive import RECEIVE
from stockpile.alerts import finding
from stockpile.alerts.finding import find_alerts
from stockpile.alerts.kinds import KINDS
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.db.tables.alerts import KINDS as KINDS_OF_TABLE
from stockpile.documents import now
from stockpile.donors.sightings import report_sighting
from stockpile.donors.weapon_read import Sighting
from stockpile.log.alarms import raise_alarm
from tests.api_world import Web, problem, served
from tests.consigned import accepted, declared, in_force, listed
from tests.reading_pages import visit
from tests.world import RIFLES, Country, scans

web = pytest.fixture(served)
STOLEN = {"place": "Arms room", "circumstances": "Not in the rack at the evening count"}


def alerts(web: Web, who: str, **query: Any) -> list[tuple[str, str]]:
    """What somebody is told, the oldest first: kind and sentence."""
    answer = web.get(who, "/v1/alerts", **query)
    assert answer.status_code == 200, answer.text
    return [(row["kind"], row["sentence"]) for row in reversed(answer.json()["rows"])]


def test_every_kind_is_one_of_the_tables() -> None:
    """The data file and the table's check name the same kinds; each has a sentence and a reader."""
    assert tuple(KINDS) == KINDS_OF_TABLE
    assert all(kind.says and kind.rows and kind.roles for kind in KINDS.values())


def delivered(country: Country) -> None:
    """Three rifles of the USA are declared; two arrive, and the rest is said not to come."""
    accepted(country, declared(country, listed(["UA 1", "UA 2", "UA 3"])).statement_id)
    lines = [{"model": "AKM", "serial_number": f"UA {n}"} for n in (1, 2)]
    found = {"store": "Main store", "donor": "USA", "consignment": "FMS-117", "complete": True, "lines": lines}
    country.do("clerk", RECEIVE, **found)


def test_short_and_missing_are_told_to_each_reader_once(web: Web) -> None:
    """A delivery is short, then a rifle of it and one of our own are missing: the host is told of both, the donor of its own; clerks and
    other donors of nothing; and however often one looks, each once.
    """
    country = web.country
    delivered(country)
    assert find_alerts(country.engine) is not None
    country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans("UA 1", RIFLES[0]))
    for _ in range(3):
        find_alerts(country.engine)
    number = country.query("SELECT max(number) FROM document WHERE act = 'report missing'")[0][0]
    lost = "Reported missing or lost at TAJI: {}, by " + f"TAJI/B/{now():%Y}/{number}."
    short = next(told for kind, told in alerts(web, "USA") if kind == "short")
    assert short.startswith("Shortage at TAJI, TAJI/B/")
    assert short.endswith("; lines that did not arrive as declared or shipped: 1.")
    for who, quantity in (("auditor", 2), ("registrar", 2), ("commander", 2), ("USA", 1)):
        told = [one for one in alerts(web, who) if one[0] in ("short", "missing or lost")]
        assert told == [("short", short), ("missing or lost", lost.format(quantity))], who
    assert alerts(web, "FRA") == []
    problem(web.get("clerk", "/v1/alerts"), 403, "not-allowed")
    for who in ("auditor", "commander", "USA"):
        for row in web.get(who, "/v1/alerts").json()["rows"]:
            page = visit(web, who, row["link"])
            assert page.heading, (who, row)
            assert (
                web.client.get(f"/alerts/{row['alert_id']}", headers=web.headers(who), follow_redirects=False).headers[
                    "location"
                ]
                == row["link"]
            )
    hidden = web.get("auditor", "/v1/alerts").json()["rows"][0]["alert_id"]
    assert web.client.get(f"/alerts/{hidden}", headers=web.headers("USA")).status_code == 404


def test_late_overdue_and_lapsed_are_found_by_the_day(web: Web) -> None:
    """A consignment should have come, a store should have been counted, a unit's vetting ended: told once, though
    one looks every day.
    """
    country = web.country
    vetted = [{"unit": "1COY", "until": "2026-01-31"}]
    in_force(country, vetting=True, vetted=vetted)
    said = declared(country, listed(["UA 1"]), expected_on="2026-01-31")
    accepted(country, said.statement_id)
    find_alerts(country.engine)
    find_alerts(country.engine)
    told = alerts(web, "auditor")
    (over,) = {
        row[0] for row in country.query("SELECT happened_at FROM alert WHERE kind = 'late' AND donor_id IS NULL")
    }
    assert over == datetime(2026, 2, 1, tzinfo=ZoneInfo("Asia/Baghdad"))  # on the wall of the depot
    assert ("late", "USA FMS-117 to TAJI is late: it was expected on 2026-01-31; pieces outstanding: 1.") in told
    assert (
        "vetting lapsed",
        "The vetting of 1COY under the end-user certificate EUC-8 ended on 2026-01-31.",
    ) in told
    assert [kind for kind, _ in told].count("count overdue") == 1
    assert {kind for kind, _ in alerts(web, "USA")} == {"late", "vetting lapsed"}
    assert {kind for kind, _ in alerts(web, "commander")} == {"late", "count overdue"}


def test_a_weapon_seen_abroad_and_a_log_that_disagrees(web: Web) -> None:
    """The diversion alarm reaches the commander of that site, not another's; the log's alarm everybody, without its words."""
    country = web.country
    seen = {"asked_by": "A driver", "how": "observed", "confidence": "certain", "serial_number": RIFLES[0]}
    report_sighting(country.engine, country.actors["auditor"], Sighting.model_validate(seen))
    with transaction(country.engine, roles.SEQUENCER) as connection:
        connection.exec_driver_sql("INSERT INTO log_origin VALUES (1, 'x.example/log', now())")
        raise_alarm(connection, 1, "witness conflict", "TAJI/B/2026/1 is not what it was")
    find_alerts(country.engine, whole=False)
    log = ("log alarm", "The transparency log: witness conflict.")
    abroad = ("diversion alarm", "A weapon that the books hold at TAJI was found or seen abroad.")
    assert sorted(alerts(web, "commander")) == [abroad, log]
    assert alerts(web, "USA") == alerts(web, "FRA") == [log]
    numbers = [web.get(who, "/v1/alerts").json()["rows"][0]["number"] for who in ("USA", "FRA")]
    assert numbers == [1, 1]  # each reader's own


def test_a_look_that_is_cut_off_finds_it_the_next_time(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service dies while it looks: what was looked through is looked through again, and nothing is lost or doubled."""
    country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans(RIFLES[0]))

    def dies(*given: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(finding, "_keep", dies)
        with pytest.raises(KeyboardInterrupt):
            find_alerts(country.engine, whole=False)
    assert find_alerts(country.engine, whole=False) == 1
    assert find_alerts(country.engine, whole=False) == 0


def test_what_commits_late_is_not_passed(country: Country) -> None:
    """While a loss is being posted somebody looks; what commits after that look is found by the next."""
    find_alerts(country.engine, whole=False)
    slow = country.engine.connect()
    with slow.begin() as undecided:
        slow.exec_driver_sql("SELECT pg_current_xact_id()")
        country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans(RIFLES[0]))
        assert find_alerts(country.engine, whole=False) == 0
        undecided.commit()
    slow.close()
    assert find_alerts(country.engine, whole=False) == 1


def test_the_page_of_alerts(web: Web) -> None:
    """A list like the others: narrowed, searched, exported, and in the reader's language."""
    country = web.country
    delivered(country)
    country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans(RIFLES[0]))
    find_alerts(country.engine, whole=False)
    page = visit(web, "auditor", "/alerts?kind=missing or lost")
    assert "Reported missing or lost at TAJI: 1, by " in page.text
    assert "Shortage" not in page.text
    assert "Shortage" in visit(web, "auditor", "/alerts?text=TAJI").text
    assert "Šĥóřťáğé" in visit(web, "auditor", "/alerts?language=xx").text
    found = web.get("auditor", "/alerts", format="csv")
    assert found.headers["content-type"].startswith("text/csv")
    assert "Reported missing or lost" in found.text
    assert web.get("clerk", "/alerts").status_code == 403


def test_the_database_tells_each_role_its_own(country: Country) -> None:
    """The second wall: a donor's role reads its own alerts, a commander's those of the site, and none writes any."""
    delivered(country)
    country.do("clerk", REPORT_MISSING, **STOLEN, lines=scans(RIFLES[0]))
    find_alerts(country.engine, whole=False)
    usa, fra = (country.parties[code].party_id for code in ("USA", "FRA"))
    count = "SELECT count(*) FROM alert"
    for role, site, donor, seen in (
        (roles.AUDITOR, None, None, 2), (roles.DONOR, None, usa, 1), (roles.DONOR, None, fra, 0),
        (roles.POSTER, country.sites["TAJI"].site_id, None, 2), (roles.POSTER, country.sites["ERBIL"].site_id, None, 0),
    ):  # fmt: skip
        with transaction(country.engine, role, site, donor) as connection:
            assert connection.exec_driver_sql(count).scalar_one() == seen, role

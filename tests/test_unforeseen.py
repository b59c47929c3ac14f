"""What nobody foresaw goes to the log with its place in the program, and never with a name or a secret."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import psycopg
import pytest
import structlog
from sqlalchemy.exc import DBAPIError

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.unforeseen import log_to_stderr
from tests.api_world import Web, problem, served
from tests.test_devices import OUT, enrolled, set_aside
from tests.test_jobs import begun, ended
from tests.world import RIFLES, Country, ago

web = pytest.fixture(served)


@pytest.fixture(autouse=True)
def _another_log() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def mislay(country: Country, table: str) -> None:
    """What no program foresees: a table gone under the service, which logs from now on."""
    log_to_stderr(logging.INFO)
    url = country.engine.url.set(drivername="postgresql", username=roles.OWNER)
    with psycopg.connect(url.render_as_string(hide_password=False)) as owner:
        owner.execute(f"ALTER TABLE stockpile.{table} RENAME TO mislaid".encode())


def logged(capsys: pytest.CaptureFixture[str], country: Country) -> str:
    """What was logged. No secret and nobody's name stands in it, and no weapon's number."""
    told = capsys.readouterr().err
    secrets = [secret for table in ("party", "item") for (secret,) in country.owner_query(
        f"SELECT secret FROM stockpile.{table} WHERE secret IS NOT NULL")]  # fmt: skip
    names = [name for (name,) in country.owner_query("SELECT name FROM stockpile.party WHERE kind = 'person'")]
    assert len(secrets) > 10
    for secret in secrets:
        assert repr(bytes(secret))[2:-1] not in told
        assert bytes(secret).hex() not in told
    for words in (*names, *RIFLES, "secret=", "A-1001", "INSERT", "locals"):
        assert words not in told, told
    return told


def test_a_voucher_that_fails_for_a_reason_nobody_foresaw(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    """Its key, the database's code and the place in the program are logged, and nothing of what was issued to whom."""
    device = enrolled(web)
    voucher = device.write("issue", ago(hours=1), OUT)
    mislay(web.country, "entry")
    assert "Nobody foresaw this" in set_aside(web, device, voucher)["detail"]
    told = logged(capsys, web.country)
    for words in ("a voucher was set aside", "42P01", "voucher.py"):
        assert words in told, told


def test_a_long_list_that_fails_so(country: Country, capsys: pytest.CaptureFixture[str]) -> None:
    """The job says that the cause is logged; the log tells its place."""
    mislay(country, "entry")
    job = ended(country, begun(country, 3).job_id)
    assert job.state == "failed"
    told = logged(capsys, country)
    for words in ("job failed", str(job.job_id), "42P01", "jobs.py"):
        assert words in told, told


def test_a_request_that_fails_so(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer says that the log says more."""
    mislay(web.country, "entry")
    problem(web.post("clerk", "/v1/issues", OUT), 500, "unexpected")
    assert "42P01" in logged(capsys, web.country)


def test_whoever_logs_an_exception_tells_its_place_alone(country: Country, capsys: pytest.CaptureFixture[str]) -> None:
    """Also by structlog's own `exception`, which would print local variables, and for an error that repeats a row."""
    secret = country.owner_query("SELECT secret FROM stockpile.party WHERE code = 'A-1001'")[0][0]
    log_to_stderr(logging.INFO)
    try:
        raise ValueError(f"Petrov (A-1001) has {RIFLES[0]}, {secret!r}")
    except ValueError as error:
        structlog.get_logger("somebody").exception("it failed")
        structlog.get_logger("somebody").error("it failed", exc_info=error)
    told = logged(capsys, country)
    assert told.count("ValueError") == 2
    assert told.count("test_unforeseen.py") == 2


def test_an_error_of_the_database_does_not_repeat_what_it_was_given(country: Country) -> None:
    """Its text, wherever it ends up, has no parameters."""
    with transaction(country.engine, roles.REGISTRAR) as connection, pytest.raises(DBAPIError) as failure:
        connection.exec_driver_sql("SELECT %s::text FROM nowhere", ("Private Petrov",))
    assert "nowhere" in str(failure.value)
    assert "Petrov" not in str(failure.value)

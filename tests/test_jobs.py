"""Long lists in the background: watched, cancelled, refused; half done never."""

from __future__ import annotations

import time
from pathlib import Path
from uuid import UUID

import pytest

from stockpile import jobs, progress
from stockpile.acts.receive import RECEIVE, Receive
from stockpile.errors import NotFound
from stockpile.files import file_store
from stockpile.jobs import Job
from tests.reading import asked_by
from tests.world import Country


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKPILE_DATA", str(tmp_path))


def begun(country: Country, rows: int, model: str = "AKM") -> Job:
    content = "serial,model\n" + "".join(f"J{n:06},{model}\n" for n in range(rows))
    stored = file_store().keep([content.encode()], 10_000_000)
    request = Receive.model_validate({"store": "Main store", "file": {"sha256": stored.sha256, "name": "list.csv"}})
    return jobs.start(country.engine, country.actors["clerk"], RECEIVE, request)


def ended(country: Country, job_id: UUID) -> Job:
    for _ in range(600):
        job = jobs.read(country.engine, country.actors["clerk"], job_id)
        if job.ended_at is not None:
            return job
        time.sleep(0.05)
    raise AssertionError("it never ended")


def test_a_list_is_posted_while_its_owner_watches(country: Country) -> None:
    job = ended(country, begun(country, 6000).job_id)
    assert job.state == "done"
    assert job.result is not None
    assert job.result["posted"]["lines"] == 6000
    assert country.where("J005999") == "Main store"
    assert [known.job_id for known in asked_by(country, "clerk", jobs.list_own).rows] == [job.job_id]


def test_what_cannot_be_read_is_named_in_the_job(country: Country) -> None:
    job = ended(country, begun(country, 3, "Blunderbuss").job_id)
    assert job.state == "failed"
    assert job.result is not None
    assert [fault["row"] for fault in job.result["problem"]["faults"]] == [2, 3, 4]


def test_a_cancelled_list_never_happened(country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner cancels while the rows are read: no weapon of the list is in the books."""
    monkeypatch.setattr(jobs, "TOLD_EVERY", 0.0)
    listed = country.query("SELECT count(*) FROM item")
    job = begun(country, 30_000)
    jobs.cancel(country.engine, country.actors["clerk"], job.job_id)
    assert ended(country, job.job_id).state == "cancelled"
    assert country.query("SELECT count(*) FROM item") == listed


def test_a_job_is_its_owner_s(country: Country) -> None:
    job = ended(country, begun(country, 1).job_id)
    with pytest.raises(NotFound):
        jobs.read(country.engine, country.actors["second clerk"], job.job_id)


def test_nobody_listens_and_nothing_breaks() -> None:
    progress.told("rows read", 1)

"""Long tasks in the background: a list of half a million lines is posted while its owner watches how far it is.

The task itself is one transaction: cancelled or interrupted, nothing of it happened. The job's row is only told about it,
over a connection of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine

from stockpile.acts.perform import ActForm, Drafted, perform
from stockpile.db import roles
from stockpile.db.engine import take_role, transaction
from stockpile.documents import Posted, Request, now
from stockpile.errors import Invalid, NotFound, Refused, StockpileError
from stockpile.keys import new_key
from stockpile.progress import heard_by
from stockpile.registers.rejects import RowsRejected
from stockpile.reports.keyset import Page, by_moment, by_number, by_text, order_asked, orders, read_page
from stockpile.rights import Actor, require
from stockpile.sentences import sentence
from stockpile.unforeseen import log_unforeseen

SILENT_FOR = timedelta(minutes=2)
"""A running job without a sign of life for so long was interrupted."""
TOLD_EVERY = 0.5
"""Seconds between two writings of a job's progress."""

_plain: TypeAdapter[Any] = TypeAdapter(Any)


@dataclass(frozen=True, slots=True)
class Job:
    """A long task: what it is, how far it is, and what came of it. `doing`: the step of which `done` and `total` are counted."""

    job_id: UUID
    kind: str
    state: str
    done: int
    total: int | None
    result: dict[str, Any] | None
    started_at: datetime
    ended_at: datetime | None
    doing: str | None = None


class _Cancelled(StockpileError):
    """Its owner wants no more of it."""

    title = sentence("Cancelled")


def start(engine: Engine, actor: Actor, form: ActForm, request: Request) -> Job:
    """Begins to perform an act in the background; the answer is the job to watch. Rights are checked at once."""
    require(actor, form.act)
    return begin(engine, actor, str(form.act), lambda: perform(engine, actor, form, request))


def begin(engine: Engine, actor: Actor, kind: str, task: Callable[[], Any]) -> Job:
    """Begins a long task in the background, which does all or nothing; the answer is the job to watch."""
    job = Job(new_key(), kind, "running", 0, None, None, now(), None)
    with transaction(engine, roles.POSTER, actor.site_id) as connection:
        connection.exec_driver_sql(
            """INSERT INTO job (job_id, party_id, site_id, kind, state, started_at, seen_at)
               VALUES (%s, %s, %s, %s, 'running', %s, %s)""",
            (job.job_id, actor.party_id, actor.site_id, job.kind, job.started_at, job.started_at),
        )
    watched = _Watched(engine, job.job_id, actor.site_id)
    threading.Thread(target=watched.run, args=(task,), daemon=True).start()
    return job


_CALLED: dict[type, str] = {Posted: "posted", Drafted: "draft"}
"""What the answer of a task is called in a job's result, if not `result`."""


@dataclass(slots=True)
class _Watched:
    """A running task and the row it reports to."""

    engine: Engine
    job_id: UUID
    site_id: UUID | None
    told_at: float = 0.0

    def run(self, task: Callable[[], Any]) -> None:
        try:
            with heard_by(self.hear):
                answer = task()
        except _Cancelled:
            self.end("cancelled", {"problem": {"title": "Cancelled", "detail": "Nothing was done."}})
        except StockpileError as problem:
            self.end("failed", {"problem": _problem(problem)})
        except Exception as problem:
            log_unforeseen("job failed", problem, job_id=str(self.job_id))
            self.end(
                "failed", {"problem": {"title": "It did not work", "detail": "Nothing was done. The cause is logged."}}
            )
        else:
            key = _CALLED.get(type(answer), "result")
            self.end("done", {key: _plain.dump_python(asdict(answer), mode="json")})

    def hear(self, what: str, done: int, of: int | None) -> None:
        """Writes progress now and then; raises _Cancelled if the owner cancelled meanwhile."""
        if time.monotonic() - self.told_at < TOLD_EVERY:
            return
        self.told_at = time.monotonic()
        state = self._write(
            "UPDATE job SET done = %s, total = %s, seen_at = %s, doing = %s WHERE job_id = %s RETURNING state",
            done, of, now(), what,
        )  # fmt: skip
        if state == "cancelled":
            raise _Cancelled("cancelled by its owner")

    def end(self, state: str, result: dict[str, Any]) -> None:
        """Writes what came of it. What was posted before a cancellation arrived is posted, and said so."""
        self._write(
            """UPDATE job SET state = %s, result = %s, seen_at = %s, ended_at = now() WHERE job_id = %s RETURNING state""",
            state, Jsonb(result), now(),
        )  # fmt: skip

    def _write(self, statement: str, *values: object) -> str:
        with transaction(self.engine, roles.POSTER, self.site_id) as connection:
            return str(connection.exec_driver_sql(statement, (*values, self.job_id)).scalar_one())


def _problem(problem: StockpileError) -> dict[str, Any]:
    told: dict[str, Any] = {"title": problem.title, "detail": problem.detail}
    if isinstance(problem, Invalid):
        told["faults"] = [asdict(fault) for fault in problem.faults]
    if isinstance(problem, RowsRejected):
        told |= {"rejected": problem.rejected, "rejects": problem.rejects}
    if isinstance(problem, Refused):
        told["reasons"] = [asdict(reason) for reason in problem.reasons]
    return told


_COLUMNS = "job_id, kind, state, done, total, result, started_at, ended_at, doing, seen_at"
_JOB = f"SELECT {_COLUMNS} FROM job WHERE party_id = %s"
_JOBS = f"SELECT job_id, {_COLUMNS} FROM job"


def read(engine: Engine, actor: Actor, job_id: UUID) -> Job:
    """One's own job. Raises NotFound for another's."""
    with transaction(engine, roles.POSTER, actor.site_id) as connection:
        row = connection.exec_driver_sql(f"{_JOB} AND job_id = %s", (actor.party_id, job_id)).one_or_none()
    if row is None:
        raise NotFound(sentence("You have no job {job_id}.", job_id=job_id))
    return _job(*row)


def list_own(
    connection: Connection, actor: Actor, limit: int = 50, cursor: str | None = None, order: str | None = None
) -> Page[Job]:
    """One's own jobs, the newest first. Raises Invalid (limit, cursor)."""
    take_role(connection, roles.POSTER, actor.site_id)
    return read_page(
        connection,
        _JOBS,
        {"party_id = %s": actor.party_id},
        {"job_id": UUID},
        _job,
        limit,
        cursor,
        newest_first=True,
        order=order_asked(order, ORDERS),
    )


ORDERS = orders(
    {"job_id": UUID},
    kind=by_text("kind"),
    state=by_text("state"),
    done=by_number("done"),
    total=by_number("total"),
    started_at=by_moment("started_at"),
    ended_at=by_moment("ended_at"),
)


def cancel(engine: Engine, actor: Actor, job_id: UUID) -> Job:
    """Asks a job to stop: unless it is done before it hears so, nothing of it happened."""
    read(engine, actor, job_id)
    with transaction(engine, roles.POSTER, actor.site_id) as connection:
        connection.exec_driver_sql(
            "UPDATE job SET state = 'cancelled' WHERE job_id = %s AND party_id = %s AND state = 'running'",
            (job_id, actor.party_id),
        )
    return read(engine, actor, job_id)


def _job(*row: Any) -> Job:
    job, seen_at = Job(*row[:9]), row[9]
    if job.state == "running" and now() - seen_at > SILENT_FOR:
        gone = {"problem": {"title": "Interrupted", "detail": "The service stopped. Nothing was done: start it again."}}
        return Job(job.job_id, job.kind, "interrupted", job.done, job.total, gone, job.started_at, seen_at)
    return job

"""Witnesses, from the log's side: each published checkpoint is sent to them, and their cosignatures are kept beside it
(C2SP tlog-witness). A thread for each asks by itself: nobody waits for a witness, least of all the sequencer.

While a witness answers slowly or not at all, checkpoints pass it by; once it answers, it gets the latest. One that holds a checkpoint
which the log does not extend raises an alarm, and is asked again from time to time.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import now
from stockpile.errors import Invalid, NotFound, StockpileError
from stockpile.fetching import Reply, check_url, request
from stockpile.log import tree
from stockpile.log.alarms import raise_alarm
from stockpile.log.reading import published, reading_log
from stockpile.proof.checkpoint import Checkpoint, number
from stockpile.proof.merkle import consistency_proof
from stockpile.proof.note import COSIGNATURE, Malformed, Note, SignatureFailed, Verifier
from stockpile.unforeseen import log_unforeseen
from stockpile.witness.message import LONGEST, PATH, SIZE_TYPE, AddCheckpoint

FILE = "witnesses"
"""In the signing folder: a witness a line, its key and its address."""
PATIENCE = 10.0
"""Seconds that a witness has for an answer."""
PAUSES = (1, 5, 30, 60)
"""Seconds until a witness that did not cosign is asked again: after the first time, the second, and so on."""
AFTER_CONFLICT = 3600

Prove = Callable[[int], Sequence[bytes]]
"""From how many leaves, to the consistency proof that leads from them to the checkpoint."""

logged = structlog.get_logger("stockpile.log")


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness by its key and the address that its requests go to."""

    verifier: Verifier
    url: str


class NotCosigned(StockpileError):
    """A witness answered, and did not cosign."""

    title = "A witness did not cosign"


class Conflict(StockpileError):
    """A witness cosigned what this checkpoint does not extend. `note` is the checkpoint that was sent, `kept` the witness's answer:
    with a witness of ours, the checkpoint that it cosigned. `ahead`: it cosigned so many leaves, and the checkpoint has fewer.
    """

    title = "A witness saw another log"

    def __init__(self, detail: str, note: str, kept: str, ahead: int | None = None) -> None:
        super().__init__(detail)
        self.note, self.kept, self.ahead = note, kept, ahead

    @property
    def evidence(self) -> str:
        """Both notes, as they came."""
        return f"Sent to the witness:\n\n{self.note}\nIts answer:\n\n{self.kept}"


def submit(note: str, prove: Prove, witness: Witness, old: int = 0, timeout: float = PATIENCE) -> str:
    """Has a checkpoint cosigned; the witness's line of signature, checked. `old`: what it probably saw last; from another size it is
    proved once the witness says so.

    Raises Unreachable, NotCosigned (it does not know the log or its key; an answer that is none), Conflict.
    """
    size = Checkpoint.parse(Note.parse(note).text).size
    until = time.monotonic() + timeout
    old = min(old, size)
    for _ in range(3):
        body = AddCheckpoint(old, tuple(prove(old)), note).encoded().encode()
        left = max(0.1, until - time.monotonic())
        reply = request("POST", witness.url + PATH, left, LONGEST, body, {"Content-Type": "text/plain; charset=utf-8"})
        if reply.status == 200:
            return _line_of(reply, note, witness)
        if reply.status != 409 or reply.media_type != SIZE_TYPE:
            break
        told = _size_of(reply, witness)
        if told > size:
            raise _conflict(witness, note, f"It cosigned {told} leaves; this checkpoint has {size}.\n", told)
        if told == old:
            break
        old = told
    raise _refusal(reply, note, witness)


def _refusal(reply: Reply, note: str, witness: Witness) -> StockpileError:
    name, said = witness.verifier.name, reply.content.decode("utf-8", "replace")
    if reply.status in (409, 422):
        return _conflict(witness, note, said)
    if reply.status == 404:
        return NotCosigned(f"The witness {name} does not know this log: whoever runs it must trust the log's key.")
    if reply.status == 403:
        return NotCosigned(
            f"The witness {name} does not know this key of the log: whoever runs it must trust the new one."
        )
    return NotCosigned(f"The witness {name} answers with status {reply.status} instead of a cosignature.")


def _conflict(witness: Witness, note: str, kept: str, ahead: int | None = None) -> Conflict:
    origin = Checkpoint.parse(Note.parse(note).text).origin
    return Conflict(
        f"The witness {witness.verifier.name} cosigned what the log {origin} does not extend: the log was altered or put back, or somebody "
        "else signs with its key. Compare both notes.",
        note,
        kept,
        ahead,
    )


def _size_of(reply: Reply, witness: Witness) -> int:
    try:
        text = reply.content.decode("ascii")
        if not text.endswith("\n"):
            raise Malformed("")
        return number(text[:-1])
    except (UnicodeDecodeError, Malformed):
        raise NotCosigned(f"The witness {witness.verifier.name} answers with a size that is none.") from None


def _line_of(reply: Reply, note: str, witness: Witness) -> str:
    """Of an answer the line of the key that is known, with other lines passed over."""
    sent = Note.parse(note)
    try:
        answered = Note.parse(f"{sent.text}\n{reply.content.decode()}")
        if answered.check([witness.verifier]):
            key = (witness.verifier.name, witness.verifier.key_id)
            return next(one.line() for one in answered.signatures if (one.name, one.key_id) == key).rstrip("\n")
    except (UnicodeDecodeError, Malformed, SignatureFailed):
        pass
    raise NotCosigned(f"The witness {witness.verifier.name} answers without a cosignature of its key that holds.")


def read_witnesses(folder: Path) -> list[Witness]:
    """The witnesses of the log that signs from a folder. Raises Invalid."""
    file, found = folder / FILE, []
    if not file.exists():
        return []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip():
            key, _, url = line.strip().partition(" ")
            found.append(_witness(key, url.strip()))
    return found


def add_witness(folder: Path, key: str, url: str) -> Witness:
    """From now on each checkpoint goes to a witness; of one that is known the address is changed. Raises Invalid, NotFound (no log)."""
    if not folder.is_dir():
        raise NotFound(f"{folder} holds no keys of a log: 'stockpile log init' makes them.")
    witness = _witness(key, url)
    kept = [one for one in read_witnesses(folder) if one.verifier != witness.verifier]
    if any(one.verifier.name == witness.verifier.name for one in kept):
        raise Invalid(
            f"There is a witness {witness.verifier.name} with another key. Remove it first, if it has a new one."
        )
    _write(folder, [*kept, witness])
    return witness


def remove_witness(folder: Path, name: str) -> None:
    """Nothing more is sent to a witness; its cosignatures stay. Raises NotFound."""
    known = read_witnesses(folder)
    kept = [one for one in known if one.verifier.name != name]
    if len(kept) == len(known):
        raise NotFound(f"There is no witness {name}: 'stockpile log witness show' tells which there are.")
    _write(folder, kept)


def _witness(key: str, url: str) -> Witness:
    try:
        verifier = Verifier.parse(key)
    except Malformed as problem:
        raise Invalid(f"This is no key of a witness: {problem}.") from None
    if verifier.kind != COSIGNATURE:
        raise Invalid(
            f"The key of {verifier.name} does not cosign: a witness's key is what 'stockpile witness init' prints."
        )
    return Witness(verifier, re.sub(f"{PATH}$", "", check_url(url)))


def _write(folder: Path, witnesses: Sequence[Witness]) -> None:
    new = folder / f"{FILE}.new"
    with new.open("w", encoding="utf-8") as file:
        file.writelines(f"{one.verifier} {one.url}\n" for one in witnesses)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / FILE)


@dataclass(slots=True)
class Watched:
    """The witnesses of a log, each asked by a thread of its own while this process sequences."""

    engine: Engine
    folder: Path
    _version: tuple[int, ...] = ()
    _said: str = ""
    _asking: dict[Witness, Asking] = field(default_factory=dict)

    def notice(self, published_now: tuple[int, int]) -> None:
        """Lets the witnesses know which checkpoint, of which log and size, is the latest. Takes no time, and raises nothing."""
        try:
            self._refresh()
        except (StockpileError, OSError, ValueError) as problem:
            if str(problem) != self._said:
                logged.error("the witnesses are not known", why=str(problem))
            self._said = str(problem)
        for asking in self._asking.values():
            asking.notice(published_now)

    def end(self) -> None:
        """Asks nobody any more. What a thread has under way ends by itself."""
        for asking in self._asking.values():
            asking.end()
        self._asking.clear()

    def _refresh(self) -> None:
        """Takes up the file if it was written since."""
        file = self.folder / FILE
        found = file.stat() if file.exists() else None
        version = (found.st_mtime_ns, found.st_ino, found.st_size) if found else ()
        if version == self._version:
            return
        wanted = read_witnesses(self.folder)
        self._version, self._said = version, ""
        for gone in set(self._asking) - set(wanted):
            self._asking.pop(gone).end()
        for new in (one for one in wanted if one not in self._asking):
            self._asking[new] = Asking(self.engine, new)


class Asking:
    """One witness, asked by a thread about what is the latest whenever it is free."""

    def __init__(self, engine: Engine, witness: Witness) -> None:
        self.engine, self.witness = engine, witness
        self.latest: tuple[int, int] | None = None
        self.news, self.ended = threading.Event(), threading.Event()
        threading.Thread(target=self._ask, name=f"witness {witness.verifier.name}", daemon=True).start()

    def notice(self, latest: tuple[int, int]) -> None:
        """There is a checkpoint of this log and size."""
        if latest != self.latest:
            self.latest = latest
            self.news.set()

    def end(self) -> None:
        """Nothing more is asked."""
        self.ended.set()
        self.news.set()

    def _ask(self) -> None:
        failed, said = 0, ""
        while self.news.wait() and not self.ended.is_set():
            self.news.clear()
            pause = 0.0
            try:
                cosign_latest(self.engine, self.witness)
                failed, said = 0, ""
            except StockpileError as problem:
                if problem.detail != said:
                    logged.warning("a witness did not cosign", why=problem.detail)
                said = problem.detail
                pause = AFTER_CONFLICT if isinstance(problem, Conflict) else PAUSES[min(failed, len(PAUSES) - 1)]
            except Exception as problem:
                log_unforeseen("asking a witness failed", problem)
                pause = PAUSES[-1]
            if pause:
                failed += 1
                self.news.set()
                self.ended.wait(pause)


def cosign_latest(engine: Engine, witness: Witness, timeout: float = PATIENCE) -> None:
    """Sends a witness the latest checkpoint and keeps its line; a conflict is put before the auditors. Raises Unreachable,
    NotCosigned, Conflict.
    """
    with reading_log(engine) as connection:
        shown = published(connection)
        known = connection.exec_driver_sql(
            "SELECT tree_size, line FROM cosignature WHERE log = %s AND witness = %s ORDER BY tree_size DESC LIMIT 1",
            (shown.log, witness.verifier.name),
        ).one_or_none()
        note = connection.exec_driver_sql(
            "SELECT note FROM checkpoint WHERE log = %s AND tree_size = %s", (shown.log, shown.size)
        ).scalar_one()
    if known is not None and known.tree_size == shown.size:
        return

    def prove(old: int) -> Sequence[bytes]:
        with reading_log(engine) as connection:
            return consistency_proof(old, shown.size, tree.nodes_of(connection, shown.log, shown.size))

    try:
        line = submit(note, prove, witness, known.tree_size if known else 0, timeout)
    except Conflict as conflict:
        if conflict.ahead is not None and _has_grown_to(engine, shown.log, conflict.ahead):
            raise NotCosigned(f"The witness {witness.verifier.name} has heard of a later checkpoint already.") from None
        _alarm(engine, shown.log, conflict)
        raise
    with transaction(engine, roles.SEQUENCER) as connection:
        connection.exec_driver_sql(
            """INSERT INTO cosignature (log, tree_size, witness, line, received_at) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT DO NOTHING""",
            (shown.log, shown.size, witness.verifier.name, line, now()),
        )


def _has_grown_to(engine: Engine, log: int, size: int) -> bool:
    """Whether so many leaves were published meanwhile, so that who sequenced before us may have sent them."""
    with reading_log(engine) as connection:
        latest = published(connection)
    return latest.log == log and latest.size >= size


def _alarm(engine: Engine, log: int, conflict: Conflict) -> None:
    try:
        with transaction(engine, roles.SEQUENCER) as connection:
            raise_alarm(connection, log, "witness conflict", conflict.detail, conflict.evidence)
    except SQLAlchemyError as problem:
        log_unforeseen("a witness's conflict could not be kept", problem)

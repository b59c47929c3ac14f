"""Serving: the port taken first, worker processes that end with us, the embedded database watched, a clean end.

Nothing may be left behind: workers and database end with Ctrl-C, SIGTERM and a closed terminal, and workers also when
this process is killed. The first workers are forked, so that the application is loaded once, while the database starts:
no other thread may run and no connection be open then. Later ones, in place of one that died, are begun afresh.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from multiprocessing import get_context
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from uvicorn import Config
from uvicorn import Server as HttpServer
from uvicorn._subprocess import subprocess_started
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from stockpile.commands.shown import errors, show_problem, show_unforeseen
from stockpile.db.embedded import Server
from stockpile.db.engine import engine_of
from stockpile.db.rows import TURN
from stockpile.errors import DatabaseUnavailable, StockpileError
from stockpile.log.signer import KEYS
from stockpile.settings import Settings
from stockpile.tls import Certificates, now, renewed
from stockpile.unforeseen import log_to_stderr

GRACE = 10
"""Seconds that requests under way get to end."""
LOOK_EVERY = 0.5
BEGUN_EVERY = 5.0
"""Seconds between two beginnings of the sequencer."""
VERIFIED_FROM = 600.0
"""Seconds until the first look whether the books are to be verified: whoever starts the service wants to work with it."""
VERIFIED_ASKED = 3600.0
"""Seconds between two such looks."""
PROXY = "FORWARDED_ALLOW_IPS"
"""Uvicorn's variable: addresses of proxies that are believed about whose request it is. Without it nobody is: whoever sits at the
machine itself could take another address for each try to sign in.
"""


class PortTaken(StockpileError):
    """Somebody else listens there."""

    title = "The port is taken"


class ServiceFailed(StockpileError):
    """The workers could not begin to serve."""

    title = "The service did not start"


APPLICATION = "api.application"

Port = socket.socket


@dataclass(frozen=True, slots=True)
class Listening:
    """A port taken, and the application on its way into memory. With certificates it speaks HTTPS; `plain` is the port that
    leads there.
    """

    socket: Port
    loading: threading.Thread
    certificates: Certificates | None = None
    plain: Port | None = None


@contextmanager
def reserve(settings: Settings) -> Iterator[Listening]:
    """Takes the port, with certificates the plain one too, before anything is started, and begins to load the application. Renews the
    server's certificate where it is due. Raises PortTaken with a way on, Invalid (damaged certificates).
    """
    certificates = renewed(settings.data, now())
    with ExitStack() as taken:
        listening = taken.enter_context(_bound(settings, settings.port, "STOCKPILE_PORT"))
        plain = None
        if certificates is not None:
            plain = taken.enter_context(_bound(settings, settings.http_port, "STOCKPILE_HTTP_PORT"))
        loading = threading.Thread(target=_load)
        loading.start()
        try:
            yield Listening(listening, loading, certificates, plain)
        finally:
            loading.join()  # an interpreter that ends while compiled modules still load aborts


def _load() -> None:
    with suppress(Exception):  # a worker will meet it again, and say it
        importlib.import_module(APPLICATION)


def _bound(settings: Settings, port: int, variable: str) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise PortTaken(
            f"{settings.host} is no address of this machine: {problem.strerror}. Set STOCKPILE_HOST."
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as problem:
        listening.close()
        ways = f"'make run {variable}={_other(port)}'"
        if variable == "STOCKPILE_PORT":
            ways += f" or 'stockpile run --port {_other(port)}'"
        raise PortTaken(
            f"Port {port} of {settings.host} cannot be used: {problem.strerror}. If it is another Stockpile, "
            f"stop that one; or choose another port: {ways}."
        ) from None
    listening.set_inheritable(True)
    return listening


def _other(port: int) -> int:
    return port + 1 if port < 65535 else 8000


@contextmanager
def ends_cleanly() -> Iterator[None]:
    """SIGTERM and a closed terminal end the program as Ctrl-C does: through every `finally`."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Worker(Process):
    """One of uvicorn's processes, forked: it has in memory what we have, and lets go of what is ours alone."""

    def __init__(self, config: Config, sockets: list[socket.socket], server: Server | None) -> None:
        super().__init__(config, sockets)
        self.process = get_context("fork").Process(target=self.begin, args=(config, sockets, server))  # type: ignore[assignment]

    def begin(self, config: Config, sockets: list[socket.socket], server: Server | None) -> None:
        """What the child does."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if server is not None:
            server.leave()
        subprocess_started(config, self.target, sockets, None)


class PlainHttp:
    """Plain HTTP beside HTTPS, in a thread of this process: `api.plain`."""

    def __init__(self, taken: socket.socket, certificates: Certificates, https_port: int) -> None:
        module = importlib.import_module(APPLICATION)
        made = importlib.import_module("api.plain").create_plain_app(certificates, https_port, module.program_version())
        config = Config(
            made,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self.server = HttpServer(config)
        self.thread = threading.Thread(target=self.server.run, args=([taken],), daemon=True)
        self.thread.start()

    def end(self) -> None:
        """Ends it, and waits for that."""
        self.server.should_exit = True
        self.thread.join(GRACE)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Sequencing:
    """The process that sequences the log, where this machine has its keys. It is begun once the service answers, so that nobody waits
    for it, and again when it died.
    """

    def __init__(self, folder: Path) -> None:
        self.keys = folder / KEYS
        self.process: subprocess.Popen[bytes] | None = None
        self.not_before = 0.0

    def ensure(self) -> None:
        """Begins it if there are keys and it does not run; one that dies at once is not begun at once again."""
        if self.process is not None and self.process.poll() is None:
            return
        if time.monotonic() >= self.not_before and self.keys.exists():
            self.not_before = time.monotonic() + BEGUN_EVERY
            self.process = subprocess.Popen([sys.executable, "-m", "stockpile.log.sequencing"])

    def end(self) -> None:
        """Ends it, and waits for that."""
        _end(self.process)


class Verifying:
    """The process that verifies the books once a day: asked now and then whether a day has gone, it ends at once if not."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.not_before = time.monotonic() + VERIFIED_FROM

    def ensure(self) -> None:
        """Asks again, when it is time."""
        if time.monotonic() >= self.not_before and (self.process is None or self.process.poll() is not None):
            self.not_before = time.monotonic() + VERIFIED_ASKED
            self.process = subprocess.Popen([sys.executable, "-m", "stockpile.log.daily"])

    def end(self) -> None:
        """Ends it: it only reads, and begins anew another time."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


class Alerting:
    """The process that looks for alerts and sends them; begun once the service answers, and again when it died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.not_before = 0.0

    def ensure(self) -> None:
        """Begins it if it does not run; one that dies at once is not begun at once again."""
        if (self.process is None or self.process.poll() is not None) and time.monotonic() >= self.not_before:
            self.not_before = time.monotonic() + BEGUN_EVERY
            self.process = subprocess.Popen([sys.executable, "-m", "api.alerting"])

    def end(self) -> None:
        """Ends it, and waits for that; an e-mail that is just being sent gets time to end."""
        _end(self.process)


class Workers(Multiprocess):
    """Uvicorn's processes; a closed terminal ends them too. `watcher` begins when the first have been forked."""

    def __init__(self, config: Config, listening: Listening, server: Server | None, watcher: threading.Thread) -> None:
        super().__init__(config, [listening.socket])
        self.loading, self.server, self.watcher = listening.loading, server, watcher

    def init_processes(self) -> None:
        """Begins the first ones."""
        self.loading.join()
        for _ in range(self.processes_num):
            process = Worker(self.config, self.sockets, self.server)
            process.start()
            self.processes.append(process)
        self.watcher.start()

    def handle_hup(self) -> None:
        """Ends, as SIGTERM does."""
        self.handle_term()


def serve(
    settings: Settings, url: str, listening: Listening, server: Server | None, announce: Callable[[], None]
) -> None:
    """Serves until somebody ends it; starts an embedded server that was killed again. `announce` is called when the
    service answers. Raises ServiceFailed.
    """
    os.environ |= {
        "STOCKPILE_DATABASE_URL": url,
        "STOCKPILE_DATA": str(settings.data),
        "STOCKPILE_PORT": str(settings.port),
        "STOCKPILE_HTTP_PORT": str(settings.http_port),
        "STOCKPILE_LOG_LEVEL": settings.log_level,
        "STOCKPILE_LOG_FOLDER": str(settings.signing_folder),
        "STOCKPILE_PARENT": str(os.getpid()),
    }
    certificates = listening.certificates
    config = Config(
        "stockpile.commands.serving:worker", factory=True, workers=settings.workers, log_level=settings.log_level,
        access_log=False, timeout_graceful_shutdown=GRACE, timeout_worker_healthcheck=30, server_header=False,
        proxy_headers=bool(os.environ.get(PROXY)),
        ssl_certfile=certificates.server_file if certificates else None, ssl_keyfile=certificates.key_file if certificates else None,
    )  # fmt: skip
    engine_of(url).dispose()
    with ends_cleanly():
        ended = threading.Event()
        watching = (listening, settings, server, announce, ended)
        watcher = threading.Thread(target=_watch, args=watching, daemon=True)
        workers = Workers(config, listening, server, watcher)
        try:
            workers.run()
        finally:
            ended.set()
            if watcher.ident is not None:
                watcher.join()
            listening.socket.close()
    if any(process.exitcode == STARTUP_FAILURE for process in workers.processes):
        raise ServiceFailed("The service could not start: what went wrong stands above.")


def _watch(
    listening: Listening,
    settings: Settings,
    server: Server | None,
    announce: Callable[[], None],
    ended: threading.Event,
) -> None:
    """Says when the service answers, keeps the embedded server and the sequencer running, and has plain HTTP lead to HTTPS."""
    plain = (
        PlainHttp(listening.plain, listening.certificates, settings.port)
        if listening.plain and listening.certificates
        else None
    )
    beside = (Sequencing(settings.signing_folder), Verifying(), Alerting())
    try:
        _look_after(listening, server, beside, announce, ended)
    finally:
        for one in beside:
            one.end()
        if plain is not None:
            plain.end()


def _look_after(
    listening: Listening,
    server: Server | None,
    beside: tuple[Sequencing, Verifying, Alerting],
    announce: Callable[[], None],
    ended: threading.Event,
) -> None:
    announced, said = False, ""
    while not ended.wait(LOOK_EVERY if announced else 0.05):
        if not announced and _answers(listening):
            announced = True
            announce()
        if announced:
            for one in beside:
                one.ensure()
        if server is not None:
            try:
                server.ensure_running()
                said = ""
            except DatabaseUnavailable as problem:
                if problem.detail != said:
                    show_problem(problem)
                said = problem.detail


def _answers(listening: Listening) -> bool:
    """Whether a worker takes requests."""
    host, port = listening.socket.getsockname()[:2]
    connection = HTTPConnection(host, port, timeout=1)
    if listening.certificates is not None:
        trusting = ssl.create_default_context(cafile=str(listening.certificates.authority_file))
        trusting.check_hostname = False  # asked by its address, whatever its names
        connection = HTTPSConnection(host, port, timeout=1, context=trusting)
    try:
        connection.request("GET", "/v1/health")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def worker() -> Any:
    """The application of one worker process, which ends when its parent is gone. Settings come from the environment."""
    parent = int(os.environ.get("STOCKPILE_PARENT", os.getppid()))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    level = logging.getLevelNamesMapping()[os.environ.get("STOCKPILE_LOG_LEVEL", "warning").upper()]
    log_to_stderr(level)
    try:
        application = importlib.import_module(APPLICATION).create_app()
        sys.setswitchinterval(TURN)
        gc.freeze()  # what is loaded now stays: looking through it for garbage again and again would hold up answers
        return application
    except StockpileError as problem:
        show_problem(problem)
    except Exception as problem:
        show_unforeseen(problem)
    sys.exit(STARTUP_FAILURE)


def _end_with(parent: int) -> None:
    alone = threading.Event()
    while os.getppid() == parent:
        alone.wait(1)
    os.kill(os.getpid(), signal.SIGTERM)
    alone.wait(GRACE)
    os._exit(1)


def stop_words() -> None:
    """What is said at the end."""
    errors.print("Stopped. Nothing is left running.")
    sys.stderr.flush()

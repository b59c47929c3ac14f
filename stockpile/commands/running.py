"""`stockpile run` with its own PostgreSQL and, the first time, a demonstration; `stockpile serve` for books that are
there. Ends what it began.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Annotated

import typer
from sqlalchemy import Engine

from stockpile import demonstration
from stockpile.commands import serving
from stockpile.commands.shown import out, progress
from stockpile.db import embedded, ready, roles
from stockpile.db.engine import connected, engine_of, transaction
from stockpile.demonstration_visitors import Visitor, let_sign_in, user_name
from stockpile.errors import NotSignedIn
from stockpile.log.beginning import begin_log, has_log
from stockpile.log.signer import KEYS
from stockpile.passwords import DEMONSTRATION
from stockpile.settings import Settings, read_settings
from stockpile.tls import now
from stockpile.tokens import LONGEST, authenticate, create_token

Port = Annotated[int | None, typer.Option(help="Port to listen on, instead of STOCKPILE_PORT", min=1, max=65535)]
Host = Annotated[str | None, typer.Option(help="Address to listen on, instead of STOCKPILE_HOST")]

TOKENS_FILE = "demonstration-tokens.txt"


def run(port: Port = None, host: Host = None) -> None:
    """Serve, with an own PostgreSQL in the data folder; the first time with a demonstration country."""
    settings = _chosen(port, host)
    if settings.database_url:
        out.print("STOCKPILE_DATABASE_URL is set: serving that database, without a demonstration.")
        _serve(settings)
        return
    with _started(settings) as listening:
        out.print(f"Starting PostgreSQL in {settings.data} ...", markup=False)
        with embedded.start(settings.data) as server:
            with progress():
                made = ready.make_embedded(server, demonstration.load)
            if made:
                out.print("A demonstration country was loaded. Nothing in it is real.")
            url = server.url(ready.DATABASE, roles.SERVICE)
            _begin_log(url, settings.signing_folder)
            tokens = _tokens(url, settings.data)
            serving.serve(settings, url, listening, server, lambda: _welcome(settings, tokens, listening))


def serve(port: Port = None, host: Host = None) -> None:
    """Serve the books that are there: on a server of your own, or founded by 'stockpile init'."""
    _serve(_chosen(port, host))


def _serve(settings: Settings) -> None:
    with _started(settings) as listening, ready.reached(settings) as url:
        engine = engine_of(url)
        ready.check_schema(engine)
        engine.dispose()
        serving.serve(settings, url, listening, None, lambda: _welcome(settings, {}, listening))


def _chosen(port: int | None, host: str | None) -> Settings:
    settings = read_settings()
    given = {name: value for name, value in (("port", port), ("host", host)) if value is not None}
    return settings.model_copy(update=given)


@contextmanager
def _started(settings: Settings) -> Iterator[serving.Listening]:
    """The port, taken before anything is started; Ctrl-C and SIGTERM end all that is begun within it."""
    with serving.ends_cleanly(), serving.reserve(settings) as listening:
        try:
            yield listening
        except KeyboardInterrupt:
            out.print("Interrupted.")
    serving.stop_words()


def _begin_log(url: str, folder: Path) -> None:
    """Books that were not given a log by 'stockpile log init' get one under a name that says so."""
    if (folder / KEYS).exists():
        return
    engine = engine_of(url)
    try:
        if not has_log(engine):
            begin_log(engine, folder, f"unnamed.example/{token_hex(4)}")
    finally:
        engine.dispose()


def _tokens(url: str, folder: Path) -> dict[str, str]:
    """The demonstration's tokens by who they speak for: those of the last run, renewed where they expired; none for
    books that are no demonstration.
    """
    engine = engine_of(url)
    try:
        visitors = let_sign_in(engine)
        if not visitors:
            return {}
        kept = _read_tokens(folder / TOKENS_FILE)
        tokens = {
            visitor.label: kept[visitor.label]
            if _speaks(engine, kept.get(visitor.label))
            else _new_token(engine, visitor)
            for visitor in visitors
        }
    finally:
        engine.dispose()
    if tokens != kept:
        _keep_tokens(folder / TOKENS_FILE, tokens)
    return tokens


def _speaks(engine: Engine, token: str | None) -> bool:
    if token is None:
        return False
    try:
        with connected(engine) as connection:
            authenticate(connection, token)
    except NotSignedIn:
        return False
    return True


def _new_token(engine: Engine, visitor: Visitor) -> str:
    with transaction(engine, roles.REGISTRAR) as connection:
        return create_token(
            connection, visitor.role, f"demonstration: {visitor.label}", visitor.party, visitor.site, visitor.donor,
            visitor.book, LONGEST,
        ).text  # fmt: skip


def _read_tokens(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.rsplit("\t", 1) for line in path.read_text(encoding="utf-8").splitlines() if "\t" in line)
    return {label: token for label, token in pairs}


def _keep_tokens(path: Path, tokens: dict[str, str]) -> None:
    """Only the owner may read them."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{label}\t{token}\n" for label, token in tokens.items())
    new.replace(path)


def _welcome(settings: Settings, tokens: dict[str, str], listening: serving.Listening) -> None:
    found = listening.certificates
    name = found.names[0] if found else settings.host
    host = f"[{name}]" if ":" in name else name
    scheme = "https" if found else "http"
    out.print(
        f"\nStockpile serves on {scheme}://{host}:{settings.port}   (API: /docs)   Ctrl-C stops it.", markup=False
    )
    if found:
        out.print(f"Devices learn to trust it on http://{host}:{settings.http_port}/trust", markup=False)
    if found and found.due(now()):
        out.print(f"Its certificate ends on {found.server_until:%Y-%m-%d}: run 'stockpile tls init'.", markup=False)
    if tokens:
        out.print("\nThis is a demonstration. Sign in as one of these, by name; or act by its token:\n")
        names = {label: user_name(Visitor(label, "")) for label in tokens}
        widths = (max(map(len, tokens)), max(map(len, names.values())))
        for label, token in tokens.items():
            out.print(f"  {label.ljust(widths[0])}  {names[label].ljust(widths[1])}  {token}", markup=False)
        out.print(f"\nThe password of all is: {DEMONSTRATION}", markup=False)
        out.print(f"The tokens stand in {settings.data / TOKENS_FILE} too.", markup=False)

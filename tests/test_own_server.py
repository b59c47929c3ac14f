"""A PostgreSQL server of one's own, with passwords: `stockpile db setup` and what follows, as an administrator and an
operator do it. What passwords must never be: in an argument of a process, in a log, in any output but the one line that
shows a new one once.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest

from stockpile.db import migrate, roles
from stockpile.db.binaries import find_binaries
from stockpile.db.unprivileged import give, give_tree, preparation, server_user
from tests.service import Service, free_port
from tests.test_migrations import FOUNDED

ADMINISTRATOR = "postgres"
PASSWORD = "p@ss word/'1:%"
"""As a careful administrator might choose it: nothing in it may be taken for a part of an address or of SQL."""


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A PostgreSQL that asks everybody for a password, on a port of this machine, and logs every statement."""

    folder: Path
    port: int

    def url(self, user: str, password: str, database: str = "postgres") -> str:
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def ask(self, question: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """What the administrator reads."""
        with psycopg.connect(self.url(ADMINISTRATOR, PASSWORD, database), autocommit=True) as connection:
            cursor = connection.execute(question.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    """Started with plain `initdb` and `postgres`, as a system's package would."""
    with tempfile.TemporaryDirectory(prefix="own-server-") as name:
        folder, port = Path(name).resolve(), free_port()
        (folder / "password").write_text(PASSWORD)
        user = server_user(folder / "data")
        give_tree(folder, user)
        give(folder / "password", user)
        program = find_binaries().program
        prepared = preparation(user, (program("postgres"), folder), needs_name=True)
        initdb = [program("initdb"), "-D", folder / "data", "-U", ADMINISTRATOR, "--auth=scram-sha-256", "--no-sync"]
        subprocess.run(
            [*initdb, f"--pwfile={folder}/password", "--locale=C", "--encoding=UTF8"],
            preexec_fn=prepared, cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
        settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off",
            "log_statement": "all", "log_connections": "on", "lc_messages": "C",
        }  # fmt: skip
        options = [word for each, value in settings.items() for word in ("-c", f"{each}={value}")]
        with (folder / "log").open("w") as log, subprocess.Popen(
            [program("postgres"), "-D", folder / "data", *options],
            preexec_fn=prepared, cwd=folder, stdout=log, stderr=log,
        ) as process:  # fmt: skip
            server = OwnServer(folder, port)
            deadline = time.monotonic() + 60
            while "ready to accept connections" not in server.log:
                assert process.poll() is None, server.log
                assert time.monotonic() < deadline, server.log
                time.sleep(0.02)
            yield server
            process.terminate()


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Where the operator types: a folder without any data."""
    made = Service(tmp_path_factory.mktemp("operator"))
    yield made
    made.end()


def psql(server: OwnServer, user: str, password: str, script: str) -> str:
    """Runs a script with psql, as an administrator does."""
    done = subprocess.run(
        [find_binaries().program("psql"), "-X", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-f", "-"],
        env={**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": user, "PGPASSWORD": password},
        input=script, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def arguments() -> str:
    """The arguments of every process of this machine."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


def test_from_a_bare_server_to_books_that_are_served(own_server: OwnServer, operator: Service) -> None:
    """The administrator runs `db setup`; the operator takes the address it shows once, founds the books, serves them, and
    the registrar's token opens them. On the way no password is to be seen anywhere else.
    """
    done = operator.command("db", "setup", STOCKPILE_ADMIN_URL=own_server.url(ADMINISTRATOR, PASSWORD))
    assert done.returncode == 0, done.stderr
    shown = re.findall(
        r"export STOCKPILE_DATABASE_URL='(postgresql://stockpile_service:(\S+)@\S+/stockpile)'", done.stdout
    )
    assert len(shown) == 1
    url, password = shown[0]

    founded = operator.command(*FOUNDED, STOCKPILE_DATABASE_URL=url)
    assert founded.returncode == 0, founded.stderr
    token = re.findall(r"^  (sp_\S+)$", founded.stdout, re.MULTILINE)[0]
    status = operator.command("db", "status", STOCKPILE_DATABASE_URL=url)
    assert "postgresql+psycopg://stockpile_service:***@127.0.0.1" in status.stdout
    assert "1 sites, 0 documents" in status.stdout
    operator.start("serve", STOCKPILE_DATABASE_URL=url)
    answer = httpx.get(f"{operator.address}/v1/sites", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, '"TAJI"' in answer.text) == (200, True), answer.text
    running = arguments()
    assert operator.stop() == 0
    again = operator.command("db", "setup", STOCKPILE_ADMIN_URL=own_server.url(ADMINISTRATOR, PASSWORD))
    assert "kept its password" in again.stdout
    assert not (operator.folder / "var" / "postgres").exists()

    outputs = done.stdout.replace(url, "") + "".join(said.stdout + said.stderr for said in (founded, status, again))
    seen = {"output": outputs, "service": operator.said, "arguments": running, "server's log": own_server.log}
    for secret in (PASSWORD, quote(PASSWORD, safe=""), password):
        assert [place for place, text in seen.items() if secret in text] == []
    assert token not in own_server.log + running + operator.said


def test_an_administrator_who_is_no_superuser(own_server: OwnServer, operator: Service) -> None:
    """As where the server is rented: a role that may make roles and databases, and nothing else, is enough."""
    own_server.ask("CREATE ROLE landlord LOGIN CREATEROLE CREATEDB PASSWORD 'rent'")
    for role in (roles.OWNER, *roles.TAKEN, roles.SERVICE):  # as the landlord's own, where they are there already
        if own_server.ask(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
            own_server.ask(f"GRANT {role} TO landlord WITH ADMIN OPTION")
    landlord = own_server.url("landlord", "rent")
    done = operator.command("db", "setup", "--name", "rented", STOCKPILE_ADMIN_URL=landlord)
    assert done.returncode == 0, done.stderr
    assert own_server.ask("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'rented'") == [
        (roles.OWNER,)
    ]
    assert own_server.ask("SELECT version_num FROM stockpile.alembic_version", "rented") == [(migrate.newest(),)]


def test_the_sql_is_printed_for_somebody_who_may(own_server: OwnServer, operator: Service) -> None:
    """`--print` touches nothing; the administrator runs the SQL with psql, twice without harm but for the database that is
    there, gives passwords; the owner's password brings the schema, the service's founds the books.
    """
    printed = operator.command("db", "setup", "--print", "--name", "by hand")
    assert printed.returncode == 0
    assert own_server.ask("SELECT 1 FROM pg_database WHERE datname = 'by hand'") == []
    psql(own_server, ADMINISTRATOR, PASSWORD, printed.stdout)
    with psycopg.connect(own_server.url(ADMINISTRATOR, PASSWORD)) as administrator:
        for role, password in ((roles.OWNER, "owner's"), (roles.SERVICE, "service's")):
            administrator.pgconn.change_password(role.encode(), password.encode())
    service = own_server.url(roles.SERVICE, "service's", "by%20hand")

    early = operator.command(*FOUNDED, STOCKPILE_DATABASE_URL=service)
    assert (early.returncode, early.stderr) == (
        1, "The database is not set up: an administrator runs 'stockpile db setup'.\n",
    )  # fmt: skip
    as_service = operator.command("db", "upgrade", STOCKPILE_DATABASE_URL=service)
    assert "the service's role may not change the schema" in as_service.stderr
    denied = operator.command("db", "upgrade", "--owner-url", f"postgresql://{roles.SERVICE}@127.0.0.1:{own_server.port}/by%20hand",
                              PGPASSWORD="service's")  # fmt: skip
    assert denied.returncode == 1
    assert "The schema could not be brought up: permission denied" in denied.stderr
    done = operator.command("db", "upgrade", "--owner-url", f"postgresql://{roles.OWNER}@127.0.0.1:{own_server.port}/by%20hand",
                            PGPASSWORD="owner's")  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"The database has schema {migrate.newest()}.\n"), done.stderr
    assert operator.command(*FOUNDED, STOCKPILE_DATABASE_URL=service).returncode == 0
    second = operator.command(*FOUNDED, STOCKPILE_DATABASE_URL=service)
    assert (second.returncode, second.stderr) == (
        1, "These books are founded already: add sites and people as a registrar.\n",
    )  # fmt: skip


def test_what_is_wrong_with_an_address_is_said_without_the_password(own_server: OwnServer, operator: Service) -> None:
    """A wrong password, a wrong port, a database that is not there, an address of another kind, none at all."""
    secret = "hush-hush"
    there = own_server.url(ADMINISTRATOR, PASSWORD, "nowhere")
    for command, address, word in (
        (("serve",), own_server.url(roles.SERVICE, secret, "stockpile"), "password authentication failed"),
        (("serve",), f"postgresql://{roles.SERVICE}:{secret}@127.0.0.1:1/stockpile", "cannot be reached"),
        (("db", "status"), there, "cannot be reached"),
        (("serve",), f"mysql://root:{secret}@127.0.0.1/stockpile", "not one of PostgreSQL"),
        (("db", "status"), f"{secret}@127.0.0.1", "not one of PostgreSQL"),
    ):
        said = operator.command(*command, STOCKPILE_DATABASE_URL=address)
        assert said.returncode == 1, address
        assert word in said.stderr, (address, said.stderr)
        assert "Traceback" not in said.stderr
        for hidden in (secret, PASSWORD, quote(PASSWORD, safe="")):
            assert hidden not in said.stdout + said.stderr
    refused = operator.command("db", "setup", STOCKPILE_ADMIN_URL=own_server.url(ADMINISTRATOR, secret))
    assert refused.returncode == 1
    assert "password authentication failed" in refused.stderr
    assert "--print" in refused.stderr
    assert secret not in refused.stderr
    nobody = operator.command("db", "setup")
    assert (nobody.returncode, "--admin-url" in nobody.stderr) == (1, True)

"""Users, by whoever administers the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stockpile import users
from stockpile.commands.asking import administering, every_row
from stockpile.commands.shown import new_group, out, show_table
from stockpile.errors import Fault, Invalid
from stockpile.reports.signing_in import search_users

user = new_group("Users: who may sign in at a browser, in which role.")

Name = Annotated[str, typer.Argument(help="What is typed to sign in, e.g. talib.karim")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="A file with the password in its first line; '-': standard input")
]
OneTime = Annotated[
    bool, typer.Option("--one-time", help="Print a one-time code instead, changed at the first sign-in")
]


@user.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="clerk, armourer, commander, registrar, auditor or donor")],
    party: Annotated[str | None, typer.Option(help="Service number of the person")] = None,
    site: Annotated[str | None, typer.Option(help="Site of a clerk, armourer or commander")] = None,
    donor: Annotated[str | None, typer.Option(help="Code of the donor, for a donor's user")] = None,
    password_file: PasswordFile = None,
    one_time: OneTime = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="None: signs in by a provider alone")] = False,
) -> None:
    """Add a user. The password is asked for, unless a file has it, a one-time code will do, or there is to be none."""
    password = None if no_password else _password(password_file, one_time)
    with administering() as connection:
        made = users.add_user(connection, name, role, party, site, donor, password, without_password=no_password)
    out.print(f"{made.name}: added.", markup=False)
    _show_code(made.code)


@user.command("list")
def list_users(
    text: Annotated[str | None, typer.Argument(help="Part of name, person, role, site or donor")] = None,
    alive: Annotated[bool, typer.Option(help="Without the disabled")] = False,
) -> None:
    """List users; never a password."""
    with administering() as connection:
        found = list(every_row(lambda cursor: search_users(connection, None, text, alive, cursor=cursor)))
    show_table(
        ("user", "person", "role", "site", "donor", "last seen", "disabled"),
        ((u.name, u.person, u.role, u.site, u.donor, u.last_seen_at, u.disabled_at) for u in found),
        "There are no users.",
    )


@user.command("disable")
def disable(name: Name) -> None:
    """Let a user sign in no more; every session of theirs is over."""
    with administering() as connection:
        users.disable_user(connection, users.find_user(connection, name))
    out.print(f"{name}: disabled.", markup=False)


@user.command("enable")
def enable(name: Name) -> None:
    """Let a disabled user sign in again."""
    with administering() as connection:
        users.enable_user(connection, users.find_user(connection, name))
    out.print(f"{name}: enabled.", markup=False)


@user.command("password")
def set_password(
    name: Name,
    password_file: PasswordFile = None,
    one_time: OneTime = False,
    no_password: Annotated[bool, typer.Option("--none", help="Take it away: signs in by a provider alone")] = False,
) -> None:
    """Give a user another password, or none; every session of theirs is over."""
    if no_password:
        with administering() as connection:
            users.take_password(connection, users.find_user(connection, name))
        out.print(f"{name}: has no password any more.", markup=False)
        return
    password = _password(password_file, one_time)
    with administering() as connection:
        code = users.set_password(connection, users.find_user(connection, name), password)
    out.print(f"{name}: the password is changed.", markup=False)
    _show_code(code)


def _password(file: Path | None, one_time: bool) -> str | None:
    """The password as it is given; None: a one-time code. Raises Invalid for an option that says two things or a file that can't
    be read.
    """
    if one_time:
        if file is not None:
            fault = Fault("a one-time code or a password from a file: choose one", field="--one-time")
            raise Invalid("An option says two things.", [fault])
        return None
    if file is None:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    try:
        text = typer.get_text_stream("stdin").readline() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        fault = Fault(getattr(problem, "strerror", None) or "not UTF-8", field="--password-file", value=str(file))
        raise Invalid("The password cannot be read.", [fault]) from None
    return text.partition("\n")[0].rstrip("\r")


def _show_code(code: str | None) -> None:
    if code is not None:
        out.print(f"One-time code, shown this once: {code}", markup=False)

"""Providers of single sign-on and whose account there is which user, by whoever administers the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stockpile.commands.asking import administering, every_row
from stockpile.commands.shown import new_group, out, show_table
from stockpile.errors import Fault, Invalid
from stockpile.reports.single_sign_on import search_bindings, search_providers, search_requests
from stockpile.settings import read_settings
from stockpile.single_sign_on import bindings, providers
from stockpile.single_sign_on.openid import ProviderUnavailable, metadata_of

provider = new_group("Single sign-on: providers that vouch for people, and who their people are here.")

Code = Annotated[str, typer.Argument(help="The provider's code, e.g. ministry")]
User = Annotated[str, typer.Argument(help="Sign-in name of the user, e.g. talib.karim")]
SecretFile = Annotated[
    Path | None, typer.Option(help="A file with the client secret in its first line; '-': standard input")
]


@provider.command("add")
def add(
    code: Code,
    name: Annotated[str, typer.Option(help="As people know it: Sign in with ...")],
    issuer: Annotated[str, typer.Option(help="Its address, to the character as it names itself")],
    client_id: Annotated[str, typer.Option(help="What this service is called there")],
    secret_file: SecretFile = None,
    donor: Annotated[
        str | None, typer.Option(help="A donor's own: it signs in that donor's people alone; else the host's")
    ] = None,
    acr: Annotated[list[str] | None, typer.Option(help="How surely one must sign in there: one of these")] = None,
    amr: Annotated[
        list[str] | None, typer.Option(help="By what one must sign in there: all of these, e.g. mfa")
    ] = None,
) -> None:
    """Add a provider. Register the address that this prints there. Without a secret file this service has no secret there."""
    data = read_settings().data
    secret = _secret(secret_file)
    with administering() as connection:
        made = providers.add_provider(connection, code, name, issuer, client_id, donor, acr or (), amr or ())
        if secret is not None:
            providers.keep_secret(data, code, secret)
        else:
            providers.forget_secret(data, code)
    out.print(f"{code}: added. It leads back to /sign-in/with/{code}/back.", markup=False)
    try:
        metadata_of(made)
    except ProviderUnavailable as silent:
        out.print(silent.detail, markup=False)
    else:
        out.print("It answers.", markup=False)


@provider.command("list")
def list_providers(alive: Annotated[bool, typer.Option(help="Without the ended")] = False) -> None:
    """List providers; never a secret."""
    with administering() as connection:
        found = list(every_row(lambda cursor: search_providers(connection, None, alive, cursor=cursor)))
    show_table(
        ("provider", "name", "issuer", "client", "signs in", "acr", "amr", "ended"),
        ((p.code, p.name, p.issuer, p.client_id, p.donor or "the host's", p.acr, p.amr, p.ended_at) for p in found),
        "There are no providers.",
    )


@provider.command("secret")
def change_secret(
    code: Code, secret_file: Annotated[Path, typer.Option(help="A file with it; '-': standard input")]
) -> None:
    """Keep another client secret of a provider."""
    with administering() as connection:
        providers.find_provider(connection, code)
    providers.keep_secret(read_settings().data, code, _secret(secret_file) or "")
    out.print(f"{code}: the secret is changed.", markup=False)


@provider.command("end")
def end(code: Code) -> None:
    """Let nobody sign in by a provider any more; every session that it opened is over."""
    with administering() as connection:
        providers.end_provider(connection, code)
    providers.forget_secret(read_settings().data, code)
    out.print(f"{code}: ended.", markup=False)


@provider.command("waiting")
def list_waiting() -> None:
    """List who signed in there and waits to be bound to a user. What the provider calls them is no proof: ask for the code."""
    with administering() as connection:
        found = list(every_row(lambda cursor: search_requests(connection, None, cursor=cursor)))
    show_table(
        ("code", "provider", "called there", "account there", "last tried"),
        ((r.code, r.provider, r.called, r.subject, r.last_at) for r in found),
        "Nobody waits.",
    )


@provider.command("bindings")
def list_bindings(
    text: Annotated[str | None, typer.Argument(help="Part of user, person, provider or account")] = None,
    alive: Annotated[bool, typer.Option(help="Without the unbound")] = False,
) -> None:
    """List whose account there is which user, by whose decision."""
    with administering() as connection:
        found = list(every_row(lambda cursor: search_bindings(connection, None, text, alive, cursor=cursor)))
    show_table(
        ("user", "person", "role", "provider", "account there", "bound", "by", "unbound"),
        ((b.user, b.person, b.role, b.provider, b.subject, b.bound_at, b.bound_by, b.unbound_at) for b in found),
        "Nobody is bound.",
    )


@provider.command("bind")
def bind(
    code: Code, user: User, subject: Annotated[str, typer.Argument(help="Key of the account there, as in 'waiting'")]
) -> None:
    """Let an account at a provider sign a user in."""
    with administering() as connection:
        bindings.bind(connection, code, subject, user, None)
    out.print(f"{user}: bound.", markup=False)


@provider.command("unbind")
def unbind(code: Code, user: User) -> None:
    """Let it sign the user in no more; every session that it opened is over."""
    with administering() as connection:
        bindings.unbind(connection, bindings.find_binding(connection, code, user), None)
    out.print(f"{user}: unbound.", markup=False)


def _secret(file: Path | None) -> str | None:
    """The client secret; None: there is none. Raises Invalid for a file that can't be read."""
    if file is None:
        return None
    try:
        text = typer.get_text_stream("stdin").readline() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        fault = Fault(getattr(problem, "strerror", None) or "not UTF-8", field="--secret-file", value=str(file))
        raise Invalid("The secret cannot be read.", [fault]) from None
    return text.partition("\n")[0].strip()

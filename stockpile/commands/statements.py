"""Donors and the host at a terminal: declare, certify, answer, verify a delivery; as the person of a token."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Engine

from labels.papers import render
from stockpile.commands.asking import Token, acting, reading_as
from stockpile.commands.options import pairs
from stockpile.commands.shown import new_group, out, show_posted, show_table
from stockpile.donors.certificates import SendCertificate as Certificate
from stockpile.donors.certificates import accept_certificate, send_back, send_certificate
from stockpile.donors.consignments import (
    AcceptDeclaration,
    DeclareConsignment,
    accept_declaration,
    declare_consignment,
)
from stockpile.donors.files import remember_file
from stockpile.donors.statements import (
    SendBack,
    Sought,
    StatementKind,
    StatementWritten,
    list_statements,
    need_statement,
    read_statement,
)
from stockpile.donors.verifications import VerifyDelivery, confirm_delivery, read_progress, verify_delivery
from stockpile.errors import Invalid
from stockpile.evidence import judge
from stockpile.files import file_store
from stockpile.log.proofs import proof_of_statement
from stockpile.papers.delivery_verification import delivery_verification_of
from stockpile.rights import Actor, reading
from stockpile.settings import read_settings

Key = Annotated[UUID, typer.Argument(metavar="STATEMENT", help="Its key, as 'stockpile statement list' shows it")]
Said = Annotated[list[str] | None, typer.Argument(metavar="FIELD=VALUE", help="What it says, as in the API")]
To = Annotated[Path, typer.Option("-o", "--output", help="Where to write it")]

statement = new_group(
    "What donors and the host tell each other: declarations, certificates, answers, delivery verifications."
)


@statement.command("list")
def show_list(
    kind: Annotated[str | None, typer.Option(help="Only these, such as declaration")] = None,
    state: Annotated[str | None, typer.Option(help="waiting, accepted, sent back or given")] = None,
    token: Token = None,
) -> None:
    """Show them, the newest first."""
    with reading_as(token) as (connection, actor):
        page = list_statements(connection, actor, Sought(kind, state))
    columns = ("statement_id", "kind", "donor", "reference", "site", "state", "reason")
    rows = ([getattr(row, name) for name in columns] for row in page.rows)
    show_table([name.replace("_", " ") for name in columns], rows, "Nothing was said.")


@statement.command("show")
def show(key: Key, token: Token = None) -> None:
    """Show one with its answer, and what of its consignment is short, excess or mismatched."""
    with reading_as(token) as (connection, actor):
        found = read_statement(connection, actor, key)
        progress = read_progress(connection, actor, found.donor, found.reference)
    out.print(f"{found.kind} {found.donor} {found.reference}: {found.state}", markup=False)
    for name, value in found.content.items():
        if value not in (None, [], "") and name not in ("lines", "outstanding"):
            out.print(f"  {name}: {value}", markup=False)
    if progress is not None:
        rows = ((one.kind, one.model, one.serial_number, one.due_on) for one in progress.differences)
        show_table(("open", "model", "serial number", "due"), rows, "Nothing of it is open.")


@statement.command("declare")
def declare(
    file: Annotated[Path, typer.Argument(help="The shipping list: CSV or XLSX")],
    said: Said = None,
    set_aside: Annotated[bool, typer.Option(help="Declare the rows that can be read, set the others aside")] = False,
    token: Token = None,
) -> None:
    """As a donor: declare a consignment, with reference=, site= and what else is known of it."""
    with acting(token) as (engine, actor):
        listed = {"sha256": _stored(engine, actor, file, False), "name": file.name[-64:], "set_aside": set_aside}
        request = DeclareConsignment.model_validate({**pairs(said, "FIELD=VALUE"), "file": listed})
        _told(declare_consignment(engine, actor, request))


@statement.command("certify")
def certify(
    scan: Annotated[Path, typer.Argument(help="The scan of the certificate: PDF or picture")],
    said: Said = None,
    vetted: Annotated[list[str] | None, typer.Option(help="UNIT=DAY: vetted until; repeated")] = None,
    token: Token = None,
) -> None:
    """As a donor: send an end-user certificate; units= and sites= take several with commas."""
    given: dict[str, Any] = dict(pairs(said, "FIELD=VALUE"))
    for name in ("units", "sites"):
        given[name] = [code.strip() for code in given.get(name, "").split(",") if code.strip()]
    units = [{"unit": unit, "until": day} for unit, day in pairs(vetted, "--vetted").items()]
    with acting(token) as (engine, actor):
        kept = {"scan_sha256": _stored(engine, actor, scan, True), "scan_name": scan.name[-64:]}
        request = Certificate.model_validate({"vetting": bool(units), **given, "vetted": units, **kept})
        _told(send_certificate(engine, actor, request))


@statement.command("accept")
def accept(
    key: Key,
    mark: Annotated[list[str] | None, typer.Option(help="ROW=what tells this twin apart; repeated")] = None,
    leave_out: Annotated[list[str] | None, typer.Option(help="ROW=why it is left out; repeated")] = None,
    set_aside: Annotated[bool, typer.Option(help="Set aside all other rows that can't be taken")] = False,
    token: Token = None,
) -> None:
    """Accept what a donor sent; of a delivery verification: sign it as the second person."""
    settled = [
        *({"row": row, "distinguishing_mark": words} for row, words in pairs(mark, "--mark").items()),
        *({"row": row, "left_out": words} for row, words in pairs(leave_out, "--leave-out").items()),
    ]
    with acting(token) as (engine, actor):
        with reading(engine, actor) as connection:
            kind = need_statement(connection, key).kind
        if kind is StatementKind.DECLARATION:
            request = AcceptDeclaration.model_validate({"settled": settled, "set_aside": set_aside})
            show_posted(accept_declaration(engine, actor, key, request))
        elif kind is StatementKind.VERIFICATION:
            _told(confirm_delivery(engine, actor, key))
        else:
            _told(accept_certificate(engine, actor, key))


@statement.command("send-back")
def give_back(key: Key, reason: Annotated[str, typer.Option(help="Why")], token: Token = None) -> None:
    """Send it back, saying why."""
    with acting(token) as (engine, actor):
        _told(send_back(engine, actor, key, SendBack.model_validate({"reason": reason})))


@statement.command("verify-delivery")
def verify(said: Said = None, token: Token = None) -> None:
    """As who received it: certify what arrived, with donor=, consignment= and title_passes_on=."""
    with acting(token) as (engine, actor):
        _told(verify_delivery(engine, actor, VerifyDelivery.model_validate(pairs(said, "FIELD=VALUE"))))


@statement.command("proof")
def write_proof(key: Key, file: To, token: Token = None) -> None:
    """Write the proof of a statement and its answer, to be checked without these books."""
    with acting(token) as (engine, actor):
        file.write_text(proof_of_statement(engine, actor, key).encoded(), encoding="utf-8")
    out.print(f"{file}: written.", markup=False)


@statement.command("print")
def write_paper(key: Key, file: To, token: Token = None) -> None:
    """Write a delivery verification as a PDF."""
    with reading_as(token) as (connection, actor):
        paper = delivery_verification_of(connection, actor, key)
    file.write_bytes(render((paper,)))
    out.print(f"{file}: {paper.number}.", markup=False)


def _stored(engine: Engine, actor: Actor, file: Path, evidence: bool) -> str:
    settings = read_settings()
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise Invalid(f"{file} can't be read: {problem.strerror}.") from None
    limit = settings.evidence_limit if evidence else settings.upload_limit
    kept = file_store().keep([content], limit, judge if evidence else None).sha256
    remember_file(engine, actor, kept)
    return kept


def _told(done: StatementWritten) -> None:
    out.print(f"{done.kind} {done.reference}: {done.statement_id}", markup=False)

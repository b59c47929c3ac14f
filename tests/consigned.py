"""Consignments that a donor declares itself: a certificate with its scan, a shipping list as a file, and the host's answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from stockpile.documents import Posted
from stockpile.donors.certificates import SendCertificate, accept_certificate, send_certificate
from stockpile.donors.consignments import (
    AcceptDeclaration,
    DeclareConsignment,
    accept_declaration,
    declare_consignment,
)
from stockpile.donors.files import remember_file
from stockpile.donors.statements import StatementWritten
from stockpile.evidence import judge
from stockpile.files import file_store
from tests.world import SCAN, Country

CERTIFICATE: dict[str, Any] = {
    "number": "EUC-8",
    "supplier": "United States of America",
    "end_user": "Ministry of Defence",
    "end_use": "Border defence",
    "retransfer_clause": "No re-transfer or change of end use\nwithout written consent.",
    "disposal_clause": "Destroyed only with written consent.",
    "issued_on": "2026-10-01",
}


def stored(country: Country, who: str, content: bytes) -> str:
    """The SHA-256 of a file that a donor stored itself."""
    kept = file_store().keep([content], 10_000_000, judge if content.startswith(b"%PDF") else None).sha256
    remember_file(country.engine, country.actors[who], kept)
    return kept


def certified(country: Country, **more: Any) -> StatementWritten:
    """An end-user certificate of the USA, sent."""
    scan = stored(country, "USA", SCAN)
    request = SendCertificate.model_validate({**CERTIFICATE, "scan_sha256": scan, **more})
    return send_certificate(country.engine, country.actors["USA"], request)


def in_force(country: Country, **more: Any) -> None:
    """An end-user certificate of the USA, sent and accepted."""
    sent = certified(country, **more)
    accept_certificate(country.engine, country.actors["registrar"], sent.statement_id)


def listed(serials: Iterable[str], model: str = "AKM") -> bytes:
    """A shipping list as CSV."""
    rows = "".join(f"{serial},{model}\n" for serial in serials)
    return f"Serial No.,Weapon type\n{rows}".encode()


def declared(country: Country, content: bytes, who: str = "USA", **more: Any) -> StatementWritten:
    """A declaration by file."""
    file = {"sha256": stored(country, who, content), "name": "shipping-list.csv", **more.pop("file", {})}
    request = DeclareConsignment.model_validate({"site": "TAJI", "reference": "FMS-117", "file": file, **more})
    return declare_consignment(country.engine, country.actors[who], request)


def accepted(country: Country, declaration: UUID, **more: Any) -> Posted:
    """The host's acceptance."""
    request = AcceptDeclaration.model_validate(more)
    return accept_declaration(country.engine, country.actors["registrar"], declaration, request)

"""What a case is about: a discrepancy, a weapon, a document, a line of a list, a person or unit, or a row of a report as somebody
read it. Whoever opens a case must be able to read what it is about.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlalchemy import Connection

from stockpile.documents import Asked, Code, Scan, Words
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.find import find
from stockpile.log.leaf import canonical
from stockpile.parties import need_party
from stockpile.reports.described import described
from stockpile.reports.discrepancies import read_discrepancy
from stockpile.reports.documents import document_named, number_of
from stockpile.reports.registers import register_called
from stockpile.rights import Actor
from stockpile.sentences import sentence

LONGEST_ROW = 20_000
"""Characters of a report's row as JSON."""


def keepable(value: dict[str, Any]) -> dict[str, Any]:
    """A row as it can be kept: of a page's length, of characters that a database holds. Raises ValueError."""
    try:
        written = canonical(value).decode()
        json.dumps(value, allow_nan=False)
    except (UnicodeEncodeError, ValueError):
        raise ValueError(sentence("a row is text, numbers, yes and no: take the rest out")) from None
    if "\\u0000" in written:
        raise ValueError(sentence("a row is text, numbers, yes and no: take the rest out"))
    if len(written) > LONGEST_ROW:
        raise ValueError(sentence("a row has at most {most:,} characters", most=LONGEST_ROW))
    return value


Kept = Annotated[dict[str, Any], AfterValidator(keepable)]


class ReportRow(Asked):
    """A row of a report as somebody read it."""

    name: Words = Field(description="Which report", examples=["Trial balance"])
    path: Annotated[str, StringConstraints(pattern=r"^(/[a-z0-9-]+){1,6}$", max_length=200)] | None = Field(
        None, description="Its page", examples=["/reports/balance"]
    )
    asked: Kept = Field(default_factory=dict, description="How it was asked", examples=[{"by": "donor"}])
    row: Kept = Field(description="The row", examples=[{"donor": "USA", "difference": 0}])


class Subject(Asked):
    """What a case is about: one of these."""

    discrepancy: UUID | None = None
    weapon: Scan | None = Field(None, description="Key, asset tag or serial number", examples=["KT 449900"])
    document: Code | None = Field(None, description="Number or key", examples=["TAJI/B/2026/41"])
    list: Code | None = Field(None, description="Key or name of a list that was kept, with `line`")
    line: Annotated[int, Field(ge=1, le=100_000_000)] | None = Field(None, description="Row number in the list")
    person: Code | None = Field(None, description="Service number", examples=["A-1001"])
    unit: Code | None = Field(None, description="Code", examples=["1COY"])
    report: ReportRow | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Subject:
        named = [
            self.discrepancy, self.weapon, self.document, self.list, self.person, self.unit, self.report,
        ]  # fmt: skip
        if sum(one is not None for one in named) != 1:
            raise ValueError(
                sentence("a case is about one thing: a discrepancy, weapon, document, list, person, unit or report")
            )
        if (self.list is None) != (self.line is None):
            raise ValueError(sentence("of a list say which line, and of a line which list"))
        return self


@dataclass(frozen=True, slots=True)
class About:
    """The same as a case keeps it, with the site where it belongs; None: to none, or to several."""

    subject: str
    site_id: UUID | None = None
    item_id: UUID | None = None
    discrepancy_id: UUID | None = None
    document_id: UUID | None = None
    register_id: UUID | None = None
    line: int | None = None
    party_id: UUID | None = None
    report: dict[str, Any] | None = None


def about(connection: Connection, actor: Actor, wanted: Subject) -> About:
    """What is meant, as far as the asker may read it. Raises NotFound, Invalid (no such weapon, person, unit; several weapons)."""
    if wanted.discrepancy is not None:
        row = read_discrepancy(connection, actor, wanted.discrepancy)
        return About(
            "discrepancy", _site_called(connection, row.site), row.item_id, row.discrepancy_id, row.document_id
        )
    if wanted.weapon is not None:
        item_id = _weapon(connection, actor, wanted.weapon)
        return About("weapon", _site_of_item(connection, item_id), item_id)
    if wanted.document is not None:
        document_id = document_named(connection, wanted.document)
        number_of(connection, document_id)
        return About("document", _site_of(connection, "document", document_id), document_id=document_id)
    if wanted.list is not None:
        return _line(connection, wanted.list, wanted.line or 0)
    if wanted.report is not None:
        return _report(connection, actor, wanted.report)
    kind, code = ("person", wanted.person) if wanted.person is not None else ("unit", wanted.unit)
    party = need_party(connection, kind, code or "", kind)
    return About(kind, _site_of_party(connection, party.party_id), party_id=party.party_id)


def _weapon(connection: Connection, actor: Actor, scan: str) -> UUID:
    found = find(connection, actor, scan, limit=2)
    items = [] if found.did_you_mean else [one.item.item_id for one in found.items]
    if len(items) != 1:
        why = (
            sentence("several weapons bear this number: give the asset tag")
            if items
            else sentence("nothing in the books bears this number")
        )
        raise Invalid(sentence("No case was opened."), [Fault(why, field="weapon", value=scan)])
    return items[0]


def _line(connection: Connection, called: str, line: int) -> About:
    register_id = register_called(connection, called)
    found = connection.exec_driver_sql(
        "SELECT item_id FROM register_line WHERE register_id = %s AND line = %s", (register_id, line)
    ).one_or_none()
    if found is None:
        raise NotFound(sentence("The list {register} has no line {line}.", register=called, line=line))
    return About(
        "register line", _site_of(connection, "register", register_id), found[0], register_id=register_id, line=line
    )


def _report(connection: Connection, actor: Actor, read: ReportRow) -> About:
    """A report's row, and what it names by key, where the asker may read that."""
    kept = read.model_dump(mode="json", exclude_none=True)
    site = read.row.get("site")
    site_id = _site_called(connection, site) if isinstance(site, str) else None
    item_id, document_id = (_key(read.row.get(name)) for name in ("item_id", "document_id"))
    if item_id is not None and item_id not in described(connection, actor, [item_id]):
        item_id = None
    if document_id is not None and _site_of(connection, "document", document_id) is None:
        document_id = None
    return About("report", site_id, item_id, document_id=document_id, report=kept)


def _key(value: object) -> UUID | None:
    try:
        return UUID(str(value)) if value is not None else None
    except ValueError:
        return None


def _site_called(connection: Connection, code: str) -> UUID | None:
    found: UUID | None = connection.exec_driver_sql("SELECT site_id FROM site WHERE code = %s", (code,)).scalar()
    return found


def _site_of(connection: Connection, table: str, key: UUID) -> UUID | None:
    found: UUID | None = connection.exec_driver_sql(
        f"SELECT site_id FROM {table} WHERE {table}_id = %s", (key,)
    ).scalar()
    return found


def _site_of_item(connection: Connection, item_id: UUID) -> UUID | None:
    sites = connection.exec_driver_sql("SELECT DISTINCT site_id FROM holding WHERE item_id = %s LIMIT 2", (item_id,))
    return _only(list(sites.scalars()))


def _site_of_party(connection: Connection, party_id: UUID) -> UUID | None:
    sites = connection.exec_driver_sql(
        "SELECT DISTINCT site_id FROM account WHERE party_id = %s AND site_id IS NOT NULL LIMIT 2", (party_id,)
    )
    return _only(list(sites.scalars()))


def _only(found: list[UUID]) -> UUID | None:
    return found[0] if len(found) == 1 else None

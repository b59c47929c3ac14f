"""A declared shipping list on its way into the books: what the act posts is what the donor declared, row by row, but for what the host
settled: twins told apart, rows left out with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import Field, model_validator

from stockpile.documents import Asked, Desk, Posted, Words
from stockpile.donors.statements import Kept, Said, StatementKind, need_statement, say, signer_of
from stockpile.errors import Fault, Invalid, Refused
from stockpile.keys import new_key
from stockpile.registers.listing import Listed, ListFile, ListLine
from stockpile.sentences import of_the_books, sentence


class SettledRow(Asked):
    """What the host settles of a row: a twin's distinguishing mark, or why the row is left out."""

    row: int = Field(
        ge=1, description="Its number in the list, or in the file as a spreadsheet shows it", examples=[17]
    )
    distinguishing_mark: Words | None = Field(None, examples=["notch on the stock"])
    left_out: Words | None = Field(None, description="Why it is left out", examples=["Row 3 again: one rifle"])

    @model_validator(mode="after")
    def _one_of_both(self) -> SettledRow:
        if (self.distinguishing_mark is None) == (self.left_out is None):
            raise ValueError(sentence("give either distinguishing_mark or left_out"))
        return self


@dataclass(frozen=True, slots=True)
class Declared:
    """What a shipping list says, as far as its donor declared it."""

    donor_id: UUID
    reference: str
    end_user_certificate: str | None
    lines: Sequence[ListLine]
    file: ListFile | None


def need_staged(desk: Desk, declaration: UUID, given: Declared) -> Kept:
    """The declaration that is about to be posted at this site. Raises NotFound, Invalid (not what was declared), Refused (answered)."""
    kept = need_statement(desk.connection, declaration, StatementKind.DECLARATION)
    if kept.answered is not None:
        raise Refused(sentence("Nothing was done: it was {answer} already.", answer=of_the_books(kept.answered)))
    file = given.file
    same_list = (
        kept.content.get("lines") == as_content(given.lines) if file is None else _file_of(kept) == as_file(file)
    )
    said = (kept.donor_id, kept.reference, kept.content.get("end_user_certificate"))
    same = same_list and said == (given.donor_id, given.reference, given.end_user_certificate)
    if kept.site_id != desk.site.site_id or not same:
        fault = Fault(sentence("this is not what was declared"), field="declaration", value=str(declaration))
        raise Invalid(sentence("The shipping list was not posted."), [fault])
    return kept


def refuse_beside(desk: Desk, donor_id: UUID, reference: str) -> None:
    """Raises Invalid where the donor's own declaration of this consignment waits: it is accepted or sent back, not passed by."""
    if desk.connection.exec_driver_sql(
        """SELECT 1 FROM donor_statement x WHERE x.donor_id = %s AND x.kind = 'declaration' AND x.reference = %s
           AND NOT EXISTS (SELECT FROM donor_statement a WHERE a.donor_id = x.donor_id AND a.answers = x.statement_id)""",
        (donor_id, reference),
    ).first():
        fault = Fault(
            sentence("its donor declared it: accept that declaration, or send it back"),
            field="reference",
            value=reference,
        )
        raise Invalid(sentence("The shipping list was not posted."), [fault])


def as_content(lines: Sequence[ListLine]) -> list[dict[str, Any]] | None:
    """Typed lines as a declaration's content has them; None for none."""
    return [line.model_dump(mode="json", exclude_none=True) for line in lines] or None


def as_file(file: ListFile) -> dict[str, Any]:
    """Which file and how it is read, as a declaration's content has it: whether rows are set aside is the host's to say."""
    return file.model_dump(mode="json", exclude={"set_aside"})


def _file_of(kept: Kept) -> dict[str, Any]:
    return ListFile.model_validate(kept.content.get("file")).model_dump(mode="json", exclude={"set_aside"})


def settle(rows: Iterable[Listed], settled: Sequence[SettledRow]) -> set[int]:
    """Marks the rows as they were settled; gives the numbers of those left out. Raises Invalid: a row that there is not."""
    by_number = {line.row: line for line in rows}
    wrong = [one.row for one in settled if one.row not in by_number]
    if wrong:
        faults = [Fault(sentence("there is no row of this number"), row, "settled", str(row)) for row in wrong]
        raise Invalid(sentence("The shipping list was not posted."), faults)
    for one in settled:
        line = by_number[one.row]
        if one.left_out is not None:
            line.reason = sentence("left out when it was accepted: {why}", why=one.left_out)
        else:
            line.distinguishing_mark = one.distinguishing_mark
    return {one.row for one in settled if one.left_out is not None}


def accepted(desk: Desk, kept: Kept, posted: Posted, settled: Sequence[SettledRow], set_aside: int) -> None:
    """Answers a declaration with the document that it became."""
    content = {
        "document_id": str(posted.document_id),
        "number": posted.number,
        "lines": posted.lines,
        "rows_set_aside": set_aside,
        "settled": [one.model_dump(mode="json", exclude_none=True) for one in settled],
    }
    said = Said(
        new_key(), kept.donor_id, StatementKind.ACCEPTED, kept.reference, content, kept.site_id, kept.statement_id
    )
    say(desk.connection, desk.actor, signer_of(desk.connection, desk.actor), said)

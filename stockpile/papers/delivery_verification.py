"""The delivery verification: per serial what arrived when and in what condition, what did not, and when title passes; signed by the
receiver and a second person. A donor's copy names the offices that signed, not the people: their names are committed in the log.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.donors.statements import StatementKind, StatementShown, read_statement
from stockpile.errors import NotFound
from stockpile.papers.documents import leaf_hash, printed_by
from stockpile.papers.paper import (
    Block,
    Column,
    Fact,
    Facts,
    Paper,
    Row,
    Signature,
    Signatures,
    Table,
    Text,
    on_the_wall,
)
from stockpile.papers.signing import names_of_speakers
from stockpile.papers.words import Word, word_or_text
from stockpile.rights import DONOR, Actor
from stockpile.sentences import sentence

ARRIVED = (
    Column(Word("No."), 11, "number"),
    Column(Word("Make, model"), None),
    Column(Word("Serial number"), 36, "code"),
    Column(Word("Qty"), 11, "number"),
    Column(Word("Condition"), 23),
    Column(Word("Received"), 34, "code"),
    Column(Word("Receiving report"), 31, "code"),
)
OUTSTANDING = (
    Column(Word("Make, model"), None),
    Column(Word("Serial number"), 50, "code"),
    Column(Word("Qty"), 20, "number"),
)


def delivery_verification_of(connection: Connection, actor: Actor, statement_id: UUID) -> Paper:
    """The certificate of a delivery verification. Raises NotFound: there is none, or it is not the asker's to read."""
    shown = read_statement(connection, actor, statement_id)
    if shown.kind != StatementKind.VERIFICATION:
        raise NotFound(sentence("There is no such delivery verification."))
    content = shown.content
    zone = content["time_zone"]
    return Paper(
        title=Word("Delivery verification"),
        organisation=content["title_passes_to"],
        site=f"{content['site_name']} ({content['site']})",
        number=content["number"],
        number_label=Word("Certificate"),
        blocks=tuple(_blocks(connection, actor, shown, zone)),
        code=content["number"],
        leaf_hash=leaf_hash(bytes.fromhex(shown.leaf)),
        watermark=_watermark(shown),
        printed=printed_by(connection, actor, zone),
    )


def _watermark(shown: StatementShown) -> Word | None:
    if shown.answer is None:
        return Word("Not in force: the second signature is missing")
    return Word("Sent back") if shown.answer.kind == StatementKind.SENT_BACK else None


def _blocks(connection: Connection, actor: Actor, shown: StatementShown, zone: str) -> list[Block]:
    content = shown.content
    facts = (
        Fact.of(Word("Donor"), shown.donor, style="code"),
        Fact.of(Word("Consignment"), shown.reference, style="code"),
        Fact.of(Word("End-user certificate"), content["end_user_certificate"], style="code"),
        Fact.of(Word("Arrived"), f"{content['quantity']:,}", style="code"),
        Fact.of(Word("Title passes on"), content["title_passes_on"], style="code"),
        Fact.of(Word("Title passes to"), content["title_passes_to"]),
    )
    blocks: list[Block] = [Facts(facts)]
    rows = tuple(_row(line, zone) for line in content["lines"])
    blocks.append(Table(ARRIVED, rows, Word("Arrived, as listed")))
    short = tuple(
        Row((f"{line['maker']} {line['model']}", line["serial_number"] or line["lot"], f"{line['quantity']:,}"))
        for line in content["outstanding"]
    )
    title = Word("Declared, and not arrived")
    blocks.append(Table(OUTSTANDING, short, title, empty=Word("Nothing is outstanding.")))
    if content["remarks"]:
        blocks.append(Text(((content["remarks"],),), Word("Remarks")))
    blocks.append(_signatures(connection, actor, shown, zone))
    return blocks


def _row(line: dict[str, Any], zone: str) -> Row:
    received = on_the_wall(datetime.fromisoformat(line["received_at"]), zone)
    cells = (
        str(line["line"]), f"{line['maker']} {line['model']}", line["serial_number"] or line["lot"], f"{line['quantity']:,}",
        word_or_text(line["condition"]) if line["condition"] else None, received, line["document"],
    )  # fmt: skip
    differs = tuple((word_or_text(kind),) for kind in (line["differs"] or "").split("; ") if kind)
    return Row(cells, differs)


def _signatures(connection: Connection, actor: Actor, shown: StatementShown, zone: str) -> Signatures:
    """Who signed: a person of the host is named to the host alone."""
    keys = [shown.statement_id, *((shown.answer.statement_id,) if shown.answer else ())]
    names = names_of_speakers(connection, keys) if actor.role != DONOR else {}
    first = (shown.statement_id, shown.content["signed_as"], shown.recorded_at)
    second = (
        (shown.answer.statement_id, shown.answer.content.get("signed_as"), shown.answer.recorded_at)
        if shown.answer is not None and shown.answer.kind == StatementKind.ACCEPTED
        else None
    )
    boxes = []
    for part, one in ((Word("Received by"), first), (Word("Second signature"), second)):
        if one is None:
            boxes.append(Signature(part))
            continue
        key, office, at = one
        name = names.get(key) or f"{office}, {shown.site}"
        boxes.append(Signature(part, name, Word("posted under own sign-in"), on_the_wall(at, zone)))
    return Signatures(tuple(boxes), Word("Received as listed, and title taken on the day above."))

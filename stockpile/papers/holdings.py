"""All that a person holds, to be read through and signed: before leave, before leaving, at a change of commander."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.errors import NotFound, Refused
from stockpile.papers.documents import printed_by, site_of
from stockpile.papers.lines import LISTED, item_name, table_of_rows, total
from stockpile.papers.paper import Block, Fact, Facts, Paper, Row, Sentence, Signature, Signatures, Table, on_the_wall
from stockpile.papers.words import Word, word_or_text
from stockpile.parties import find_party
from stockpile.reports.export import every_row
from stockpile.reports.holdings import Holder, HoldingLine, holdings
from stockpile.reports.papers import issuer, stock_numbers, units_of
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import day_on_the_walls


def holdings_of(connection: Connection, actor: Actor, person: str) -> Paper:
    """The paper of a person's holdings now, at the asker's site or, for who is bound to none, where the person serves.

    Raises NotAllowed (donors), NotFound, Refused (more lines than a paper lists).
    """
    require(actor, READ_PEOPLE)
    party = find_party(connection, "person", person)
    if party is None:
        raise NotFound(sentence("There is no person {person!r} here.", person=person))
    rows = list(
        islice(
            every_row(
                lambda limit, cursor: holdings(connection, actor, Holder(person=person), limit=limit, cursor=cursor)
            ),
            LISTED + 1,
        )
    )
    if len(rows) > LISTED:
        raise Refused(
            sentence("{party} holds more than {most:,} lines: export them as a list.", party=party.display, most=LISTED)
        )
    site = actor.site_code or (rows[0].site if rows else _serves_at(connection, party.party_id))
    whose = issuer(connection, code=site)
    moment = now()
    units = units_of(connection, [party.party_id], day_on_the_walls(connection, whose.time_zone, moment))
    at = on_the_wall(moment, whose.time_zone)
    blocks: tuple[Block, ...] = (
        Facts(
            (
                Fact.of(Word("Holder"), party.display),
                Fact.of(Word("Unit"), units.get(party.party_id, "-")),
                Fact.of(Word("As the books stand at"), at, "full", "code"),
            )
        ),
        _table(connection, rows),
        Signatures(
            (Signature(Word("Holder"), party.display), Signature(Word("Checked by"))),
            Word("I hold what is listed here and answer for it."),
        ),
    )
    return Paper(
        title=Word("Holdings of a person"),
        organisation=whose.organisation,
        site=site_of(whose),
        number=party.code or "",
        number_label=Word("Service number"),
        blocks=blocks,
        form="DA 2062",
        code=party.code,
        printed=printed_by(connection, actor, whose.time_zone, moment),
    )


def _serves_at(connection: Connection, party_id: object) -> str | None:
    found: str | None = connection.exec_driver_sql(
        "SELECT s.code FROM party p JOIN site s USING (site_id) WHERE p.party_id = %s", (party_id,)
    ).scalar_one_or_none()
    return found


def _table(connection: Connection, rows: Sequence[HoldingLine]) -> Table:
    numbers = stock_numbers(connection, [row.item_id for row in rows])
    listed = tuple(_row(n, row, numbers.get(row.item_id)) for n, row in enumerate(rows, 1))
    weapons = sum(row.quantity for row in rows if row.tracked_by == "serial")
    counted = sum(row.quantity for row in rows if row.tracked_by != "serial")
    return table_of_rows(listed, None, total(weapons, counted), Word("Nothing is held."))


def _row(number: int, row: HoldingLine, stock_number: str | None) -> Row:
    cells = (
        str(number),
        item_name(row.model, row.maker),
        stock_number,
        row.serial_number,
        row.asset_tag if row.tracked_by == "serial" else None,
        f"{row.quantity:,}",
        word_or_text(row.condition) if row.condition else None,
    )
    under: list[Sentence] = []
    if row.lot:
        under.append((Word("lot"), row.lot))
    if row.since is not None:
        under.append((Word("since"), f"{row.since:%Y-%m-%d}", *((row.document_number,) if row.document_number else ())))
    return Row(cells, tuple(under))

"""The signature card of a unit: who may draw for it, until when, with a specimen of each signature (cf. DA 1687)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from stockpile.documents import now
from stockpile.errors import NotFound
from stockpile.papers.documents import printed_by, site_of
from stockpile.papers.paper import Block, Column, Fact, Facts, Paper, Row, Signature, Signatures, Table, on_the_wall
from stockpile.papers.words import Word, word_or_text
from stockpile.parties import find_party
from stockpile.reports.export import every_row
from stockpile.reports.papers import issuer
from stockpile.reports.reference import CardRow, search_signature_cards
from stockpile.rights import READ_PEOPLE, Actor, require
from stockpile.sentences import sentence
from stockpile.sites import day_on_the_walls

TO_ADD = 4
"""Empty rows, for who is added by hand until the books know it."""
STANDS = frozenset({"valid", "not begun"})


def signature_card_of(connection: Connection, actor: Actor, unit: str) -> Paper:
    """The card of a unit as it stands today. Raises NotAllowed (donors), NotFound."""
    require(actor, READ_PEOPLE)
    party = find_party(connection, "unit", unit)
    site = actor.site_code or (_site_of(connection, party.party_id) if party else None)
    if party is None or site is None:
        raise NotFound(sentence("There is no unit {unit!r} here.", unit=unit))
    whose = issuer(connection, code=site)
    day = day_on_the_walls(connection, whose.time_zone)
    rows = list(
        every_row(
            lambda limit, cursor: search_signature_cards(
                connection, day, unit_id=party.party_id, limit=limit, cursor=cursor
            )
        )
    )
    stand = [row for row in rows if row.state in STANDS]
    gone = [row for row in rows if row.state not in STANDS]
    moment = now()
    blocks: list[Block] = [
        Facts(
            (
                Fact.of(Word("Unit"), party.display),
                Fact.of(Word("As the books stand at"), on_the_wall(moment, whose.time_zone), style="code"),
            )
        ),
        _specimens(stand),
    ]
    if gone:
        blocks.append(_no_longer(gone))
    blocks.append(
        Signatures(
            (Signature(Word("Commander of the unit")), Signature(Word("Registrar"))),
            Word("The persons listed may request and receive for the unit until the day beside their names."),
        )
    )
    return Paper(
        title=Word("Signature card"),
        organisation=whose.organisation,
        site=site_of(whose),
        number=party.code or "",
        number_label=Word("Unit"),
        blocks=tuple(blocks),
        form="DA 1687",
        code=party.code,
        printed=printed_by(connection, actor, whose.time_zone, moment),
    )


def _site_of(connection: Connection, party_id: object) -> str | None:
    """The first site where a unit has an account."""
    found: str | None = (
        connection.exec_driver_sql(
            "SELECT s.code FROM account a JOIN site s USING (site_id) WHERE a.party_id = %s ORDER BY s.code LIMIT 1",
            (party_id,),
        )
        .scalars()
        .first()
    )
    return found


def _specimens(rows: Sequence[CardRow]) -> Table:
    columns = (
        Column(Word("Service number"), 28, "code"),
        Column(Word("Rank"), 26),
        Column(Word("Name"), None),
        Column(Word("From"), 22, "code"),
        Column(Word("Until"), 22, "code"),
        Column(Word("Signature"), 48, "blank"),
    )
    listed = [Row((row.person, row.rank, row.name, str(row.since), str(row.until), None)) for row in rows]
    empty = [Row((None,) * len(columns))] * TO_ADD
    return Table(columns, (*listed, *empty), Word("May draw for the unit"), tall=True)


def _no_longer(rows: Sequence[CardRow]) -> Table:
    columns = (
        Column(Word("Service number"), 28, "code"),
        Column(Word("Rank"), 26),
        Column(Word("Name"), None),
        Column(Word("From"), 22, "code"),
        Column(Word("Until"), 22, "code"),
        Column(Word("Why not"), 30),
    )
    listed = tuple(
        Row((row.person, row.rank, row.name, str(row.since), str(row.until), word_or_text(row.state))) for row in rows
    )
    return Table(columns, listed, Word("May not draw any more"))

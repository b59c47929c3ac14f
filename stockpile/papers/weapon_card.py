"""The weapon card: stands in the rack while an assigned weapon is out for under a day (cf. DA 3749). A draw of many weapons prints
one for each, to be cut apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from stockpile.papers.kinds import WEAPON_CARD
from stockpile.papers.lines import item_name
from stockpile.papers.paper import Card, Cards, Fact, Signature, on_the_wall
from stockpile.papers.signing import Signed, signed_by
from stockpile.papers.words import Word
from stockpile.reports.accessories import read
from stockpile.reports.papers import PaperHead, PaperLine, units_of
from stockpile.sites import day_on_the_walls


def cards_of(connection: Connection, head: PaperHead, lines: Sequence[PaperLine]) -> Cards | None:
    """A card for each weapon that a draw handed out; None where it handed out none."""
    weapons = [line for line in lines if line.serial and line.reverses is None and line.posts_again is None]
    owned = {UUID(item): read(several) for item, several in (head.details.get("accessories") or {}).items()}
    with_others = {one.item_id for several in owned.values() for one in several if one.item_id is not None}
    weapons = [line for line in weapons if line.item_id not in with_others]
    if not weapons:
        return None
    day = day_on_the_walls(connection, head.issuer.time_zone, head.happened_at)
    units = units_of(connection, {line.to_party for line in weapons if line.to_party is not None}, day)
    signed = signed_by(head)
    return Cards(
        tuple(
            _card(
                head,
                line,
                units.get(line.to_party) if line.to_party else None,
                [one.name for one in owned.get(line.item_id, ())],
                signed.get(line.to_party) if line.to_party else None,
            )
            for line in weapons
        )
    )


def _card(
    head: PaperHead, line: PaperLine, unit: str | None, accessories: Sequence[str], signed: Signed | None
) -> Card:
    facts = [
        Fact.of(Word("Weapon"), item_name(line.model, line.maker)),
        Fact.of(Word("Serial number"), line.serial_number, style="code"),
        Fact.of(Word("Stock number"), line.stock_number or "-", style="code"),
        Fact.of(Word("Asset tag"), line.asset_tag, style="code"),
        Fact.of(Word("Holder"), line.to_account, "full"),
        Fact.of(Word("Unit"), unit or "-"),
        Fact.of(Word("Out since"), on_the_wall(head.happened_at, head.issuer.time_zone), style="code"),
    ]
    if accessories:
        facts.append(Fact.of(Word("with"), "; ".join(accessories), "full"))
    place = " · ".join(filter(None, (head.issuer.organisation, head.issuer.site_code)))
    part = Word("signature of the holder")
    return Card(
        Word(WEAPON_CARD.title),
        WEAPON_CARD.form or "",
        place,
        f"{head.number} · {line.line}",
        tuple(facts),
        line.asset_tag,
        Signature(part, None, signed.how, signed.at, signed.picture) if signed else Signature(part),
    )

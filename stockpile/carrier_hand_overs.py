"""Carrier hand-overs: while a shipment is on its way it passes from carrier to carrier. Either end tells of it; nothing
moves, and nothing told is changed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field
from sqlalchemy import Connection, Engine

from stockpile.acts.perform import scope
from stockpile.db.engine import connected
from stockpile.documents import Asked, Code, Words, now, of_a_book_year
from stockpile.errors import Fault, Invalid, NotFound
from stockpile.reports.shipments import HandOver, read_hand_overs
from stockpile.rights import TELL_OF_HAND_OVERS, Actor, require
from stockpile.sentences import sentence
from stockpile.shipments import Shipment, find_shipment


class TellHandOver(Asked):
    """Tell that a shipment passed from one carrier to the next."""

    site: Code | None = Field(None, description="Site code; only those bound to no site need it", examples=["TAJI"])
    handed_over_by: Words = Field(description="Who handed it over", examples=["2nd Transport Company"])
    carrier: Words = Field(description="Who took it over", examples=["Rail Regiment"])
    place: Words = Field(description="Where", examples=["Baghdad freight yard"])
    happened_at: Annotated[AwareDatetime, AfterValidator(of_a_book_year)] = Field(
        description="When, with its offset from UTC", examples=["2026-11-20T09:30:00+03:00"]
    )
    remarks: Words | None = None


def tell_hand_over(engine: Engine, actor: Actor, shipment: str, request: TellHandOver) -> tuple[HandOver, ...]:
    """Keeps a hand-over of a shipment, and gives all of them in the order they were told. Told a second time in the
    same words it is kept once.

    Raises NotAllowed, NotFound (no such shipment at this site's ends), Invalid (a time to come).
    """
    require(actor, TELL_OF_HAND_OVERS)
    with connected(engine) as connection:
        scope(connection, actor, request.site)
        meant = need_shipment(connection, shipment)
        recorded_at = now()
        if request.happened_at > recorded_at:
            fault = Fault(sentence("is in the future"), field="happened_at", value=request.happened_at.isoformat())
            raise Invalid(sentence("The hand-over was not kept."), [fault])
        _keep(connection, meant.document_id, actor, request, recorded_at)
        return read_hand_overs(connection, meant.document_id)


def need_shipment(connection: Connection, named: str) -> Shipment:
    """The shipment of a number or id in the reader's scope. Raises NotFound."""
    shipment = find_shipment(connection, named)
    if shipment is None:
        raise NotFound(sentence("There is no shipment {named!r} here.", named=named))
    return shipment


_KEEP = """
INSERT INTO carrier_hand_over (document_id, ordinal, handed_over_by, carrier, place, happened_at, recorded_at, recorded_by, remarks)
SELECT given.document_id, coalesce((SELECT max(ordinal) FROM carrier_hand_over h WHERE h.document_id = given.document_id), 0) + 1,
       given.handed_over_by, given.carrier, given.place, given.happened_at, given.recorded_at, given.recorded_by, given.remarks
FROM (SELECT %s::uuid, %s::text, %s::text, %s::text, %s::timestamptz, %s::timestamptz, %s::uuid, %s::text)
     AS given (document_id, handed_over_by, carrier, place, happened_at, recorded_at, recorded_by, remarks)
WHERE NOT EXISTS (SELECT FROM carrier_hand_over h
                  WHERE h.document_id = given.document_id AND h.happened_at = given.happened_at
                    AND (h.handed_over_by, h.carrier, h.place) = (given.handed_over_by, given.carrier, given.place))
"""


def _keep(
    connection: Connection, shipment_id: UUID, actor: Actor, request: TellHandOver, recorded_at: datetime
) -> None:
    """One after another, so that two ends that tell at once get two numbers."""
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"shipment {shipment_id}",))
    connection.exec_driver_sql(
        _KEEP,
        (
            shipment_id, request.handed_over_by, request.carrier, request.place, request.happened_at, recorded_at,
            actor.party_id, request.remarks,
        ),
    )  # fmt: skip

"""A country in which something happened of everything that pages show: a delivery that was short, a twin, an issue and its
correction, a loss with a photo, a draft that waits, a shipment on its way, weapons that are somebody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from stockpile.acts.correct import UNDO
from stockpile.acts.declare import DECLARE
from stockpile.acts.issue import ISSUE
from stockpile.acts.loss import CONCLUDE_LOSS, REPORT_MISSING
from stockpile.acts.perform import Drafted
from stockpile.acts.receive import RECEIVE
from stockpile.acts.ship import SHIP
from stockpile.documents import Posted
from stockpile.files import file_store
from tests.api_world import Web
from tests.world import RIFLES, photo, scans, today

LOSS = {"place": "Route Tampa, checkpoint 4", "circumstances": "not in the rack at the evening count"}
FINDING = {"cause": "stolen", "liability": "nobody: taken by force", "findings": "taken at the robbery"}


@dataclass(frozen=True)
class Busy:
    """What happened: documents, weapons, the draft that waits."""

    receipt: Posted
    issued: Posted
    undone: Posted
    undo: Posted
    loss: Posted
    draft: Drafted
    shipment: Posted

    def weapon(self, web: Web, serial: str) -> UUID:
        """A rifle's key."""
        return web.country.item(serial).item_id


def make_busy(web: Web) -> Busy:
    """Lets it all happen, by those whose work it is."""
    country = web.country
    lines: list[dict[str, Any]] = [{"model": "AKM", "serial_number": serial} for serial in ("UA 1", "UA 2")]
    country.do("registrar", DECLARE, site="TAJI", donor="USA", reference="FMS-1", lines=lines)
    arrived = [lines[0], {"model": "AKM", "serial_number": RIFLES[9]}]
    receipt = country.do(
        "clerk", RECEIVE, store="Main store", donor="USA", consignment="FMS-1", complete=True, lines=arrived
    )
    issued = country.do("clerk", ISSUE, receiver="A-1001", store="Main store", lines=scans(*RIFLES[:2], "UA 1"))
    undone = country.do("clerk", ISSUE, receiver="A-1002", store="Main store", lines=scans(RIFLES[2]))
    undo = country.do("clerk", UNDO, document=undone.number)
    seen = file_store().keep([photo()], 1_000_000).sha256
    loss = country.do("clerk", REPORT_MISSING, **LOSS, attachments=[seen], lines=scans(RIFLES[1]))
    draft = country.ask("clerk", CONCLUDE_LOSS, **FINDING, lines=scans(RIFLES[1]))
    assert isinstance(draft, Drafted)
    shipment = country.do(
        "clerk", SHIP, to_site="ERBIL", store="Main store", carrier="2nd Transport Company", expected_on=str(today()),
        lines=scans(RIFLES[5], RIFLES[6]),
    )  # fmt: skip
    assigned = {"lines": [{"scan": RIFLES[3], "person": "A-1002"}]}
    assert web.post("armourer", "/v1/assignments", assigned).status_code == 201
    web.posted("clerk", "/v1/draws", {"scan": RIFLES[3]})
    return Busy(receipt, issued, undone, undo, loss, draft, shipment)

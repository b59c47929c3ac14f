"""Items as people know them: model, marks, asset tag, donor; other serial numbers they went by, too. Says nothing of where
they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from stockpile.identity import asset_tag
from stockpile.rights import DONOR, Actor


@dataclass(frozen=True, slots=True)
class Described:
    """An item by what it is. `formerly`: other serial numbers that the books had of it, oldest first: amended, or taken back
    by a correction.
    """

    item_id: UUID
    tracked_by: str
    asset_tag: str
    maker: str
    model: str
    serial_number: str | None
    formerly: tuple[str, ...]
    obliterated: bool
    distinguishing_mark: str | None
    uii: str | None
    lot: str | None
    donor: str | None
    import_mark: str | None
    import_country: str | None
    import_year: int | None

    @property
    def label(self) -> tuple[str, ...]:
        """What names it on a label, line by line: model and serial number, UII, import mark."""
        named = " ".join(filter(None, (self.model, self.serial_number)))
        return tuple(filter(None, (named, self.uii and f"UII {self.uii}", self.import_mark)))


_DESCRIBED = """
SELECT i.item_id, i.tracked_by, i.tag_number, coalesce(n.maker, m.maker), m.name, n.serial_number,
       ARRAY (SELECT o.serial_number FROM identification o
              WHERE o.item_id = i.item_id AND o.serial_number IS NOT NULL AND o.serial_number IS DISTINCT FROM n.serial_number
              GROUP BY o.serial_number ORDER BY min(o.version)),
       coalesce(n.obliterated, false), n.distinguishing_mark, n.uii, i.lot, p.code,
       n.import_mark, n.import_country, n.import_year
FROM item i
JOIN model m ON m.model_id = i.model_id
LEFT JOIN party p ON p.party_id = i.donor_id
LEFT JOIN LATERAL identified(i.item_id) n ON true
WHERE i.item_id = ANY (%(items)s) AND (%(donor)s::uuid IS NULL OR i.donor_id = %(donor)s)
"""


def described(connection: Connection, actor: Actor, item_ids: Iterable[UUID]) -> dict[UUID, Described]:
    """What each item is; those that are not the asker's to see are absent."""
    donor = actor.donor_id if actor.role == DONOR else None
    rows = connection.exec_driver_sql(_DESCRIBED, {"items": list(item_ids), "donor": donor})
    return {
        row[0]: Described(
            row[0], row[1], asset_tag(row[2]), row[3], row[4], row[5], tuple(row[6]), row[7], row[8], row[9], row[10], row[11],
            row[12], row[13], row[14],
        )
        for row in rows
    }  # fmt: skip

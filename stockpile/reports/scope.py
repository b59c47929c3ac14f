"""Which part of the books a question is about: never wider than the asker's own scope. Row-level security stands behind it."""

from __future__ import annotations

from functools import cache
from uuid import UUID

from sqlalchemy import Connection

from stockpile.catalogue_data import catalogue_models
from stockpile.errors import NotAllowed, NotFound
from stockpile.parties import find_party
from stockpile.rights import DESK, DONOR, Actor
from stockpile.sentences import sentence
from stockpile.sites import find_site


def site_asked(connection: Connection, actor: Actor, code: str | None) -> UUID | None:
    """The site a question names; without one a desk's own, else None: all. Raises NotFound, NotAllowed (another's books)."""
    if code is None:
        return actor.site_id if actor.role in DESK else None
    site = find_site(connection, code)
    if actor.role in DESK and site.site_id != actor.site_id:
        raise NotAllowed(
            sentence(
                "You read the books of {site_code} only, not of {site}.", site_code=actor.site_code, site=site.code
            )
        )
    return site.site_id


def donor_asked(connection: Connection, actor: Actor, code: str | None) -> UUID | None:
    """The donor a question names; without one a donor's own self, else None: all. Raises NotFound."""
    if code is None:
        return actor.donor_id if actor.role == DONOR else None
    party = find_party(connection, "donor", code)
    if party is None:
        raise NotFound(sentence("There is no donor {code!r} here.", code=code))
    return party.party_id


TOLD_OF = """(own_donor() IS NULL OR m.maker || '/' || m.name = ANY (%s)
             OR EXISTS (SELECT FROM item i WHERE i.model_id = m.model_id))"""
"""Of model m: a donor is told of those that every catalogue has from the start (`shipped`), and of what it sent itself. What a registrar
added would tell what others sent.
"""


@cache
def shipped() -> list[str]:
    """Maker and name of the models that every catalogue has from the start."""
    return [f"{one.maker}/{one.name}" for one in catalogue_models()]


def models_of(connection: Connection, name: str) -> list[UUID]:
    """The models of a name: several makers may use one. Raises NotFound."""
    found = (
        connection.exec_driver_sql(
            f"SELECT m.model_id FROM model m WHERE lower(m.name) = lower(%s) AND {TOLD_OF}", (name.strip(), shipped())
        )
        .scalars()
        .all()
    )
    if not found:
        raise NotFound(sentence("There is no model {name!r}.", name=name))
    return list(found)

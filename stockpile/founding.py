"""Founding a country's books: the organisation, the first registrar, the first site, and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from stockpile.catalogue import name_key
from stockpile.catalogue_data import catalogue_aliases, catalogue_models
from stockpile.documents import now
from stockpile.errors import Refused
from stockpile.keys import new_key
from stockpile.movements import AccountClass
from stockpile.parties import OWN_PROCUREMENT, Party, add_party, add_unidentified_person
from stockpile.sentences import sentence
from stockpile.sites import Site, add_party_account, add_site


@dataclass(frozen=True, slots=True)
class Founded:
    """What a new country begins with."""

    organisation: Party
    registrar: Party
    site: Site


def found(
    connection: Connection,
    organisation: tuple[str, str],
    registrar: tuple[str, str],
    site: tuple[str, str, str],
    stores: list[str],
) -> Founded:
    """Founds an empty country as the registrar role. `organisation` is (code, name), `registrar` (service number,
    name), `site` (code, name, time zone). Raises Refused if there is a site already, Invalid for bad values.
    """
    if connection.exec_driver_sql("SELECT 1 FROM site").first():
        raise Refused(sentence("These books are founded already: add sites and people as a registrar."))
    owner = add_party(connection, "organisation", *organisation)
    person = add_party(connection, "person", *registrar)
    first = found_site(connection, *site, stores, person)
    connection.exec_driver_sql("UPDATE party SET site_id = %s WHERE party_id = %s", (first.site_id, person.party_id))
    add_party_account(connection, first.site_id, person.party_id, AccountClass.PERSON, person.display)
    load_catalogue(connection)
    return Founded(owner, person, first)


def found_site(
    connection: Connection, code: str, name: str, time_zone: str, stores: list[str], custodian: Party
) -> Site:
    """A site with its accounts, stores and the person who stands for receivers nobody could identify."""
    site = add_site(connection, code, name, time_zone, custodian.party_id, stores)
    add_unidentified_person(connection, site)
    return site


def load_catalogue(connection: Connection) -> int:
    """Adds the project's own models and aliases, as far as they are not there yet; how many models were added."""
    known = {(row[0], row[1]): row[2] for row in connection.exec_driver_sql("SELECT maker, name, model_id FROM model")}
    added = 0
    for model in catalogue_models():
        if (model.maker, model.name) in known:
            continue
        known[model.maker, model.name] = key = new_key()
        connection.exec_driver_sql(
            """INSERT INTO model (model_id, maker, name, country, calibre, category, subcategory, variants, fire_mode,
                   security_risk_category, stock_number, value, value_source, treaty_row, enhanced_monitoring, tracked_by)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                key, model.maker, model.name, model.country, model.calibre, model.category, model.subcategory,
                "; ".join(model.variants) or None, model.fire_mode, model.security_risk_category, model.stock_number,
                model.value, model.value_source, model.treaty_row, model.enhanced_monitoring, model.tracked_by,
            ),
        )  # fmt: skip
        added += 1
    for alias in catalogue_aliases():
        connection.exec_driver_sql(
            """INSERT INTO alias (alias_id, source, name, name_key, model_id, approved_by, approved_at, first_seen_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT ON CONSTRAINT alias_of_source DO NOTHING""",
            (
                new_key(), alias.source, alias.name, name_key(alias.name), known[alias.maker, alias.model],
                OWN_PROCUREMENT, now(), now(),
            ),
        )  # fmt: skip
    return added

"""The country an episode is played in: founded by the ordinary domain calls, and asked for imports, audits and acts as its people
ask for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Engine

from stockpile import founding, parties
from stockpile.accounts import set_accountable_unit
from stockpile.acts.perform import ActForm, perform
from stockpile.allowances import AllowanceRequest, import_allowances
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.documents import Posted
from stockpile.files import file_store
from stockpile.models import NewModel, add_model
from stockpile.parties import Party
from stockpile.registers.audits import MakeAudit, make_audit
from stockpile.registers.importing import ImportRegister, import_register
from stockpile.reports.audits import AuditShown, Finding, every_finding, read_audit
from stockpile.rights import Actor, reading
from stockpile.settings import read_settings
from stockpile.sites import add_store

DEPOT = "DEPOT"
STORE = "Main store"
SINCE = date(2003, 1, 1)
UNTIL = date(2199, 12, 31)

CLERK, REGISTRAR, AUDITOR = "clerk", "registrar", "auditor"


@dataclass(frozen=True, slots=True)
class Country:
    """A founded country: who acts in it."""

    engine: Engine
    donor: str
    actors: Mapping[str, Actor] = field(default_factory=dict)

    def import_list(
        self, file: Path, kind: str, source: str, as_of: date | None = None, columns: Mapping[str, str] | None = None
    ) -> UUID:
        """Keeps a list as a register, named as its file; answers its key."""
        moment = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC) if as_of else None
        request = ImportRegister.model_validate({
            "kind": kind, "source": source, "name": file.stem, "as_of": moment, "file": {**_stored(file), "columns": columns},
        })  # fmt: skip
        return import_register(self.engine, self.actors[AUDITOR], request).register_id

    def audit(self, name: str, left: Mapping[str, Any], right: Mapping[str, Any]) -> AuditShown:
        """Compares two sources and reads what was found."""
        request = MakeAudit.model_validate({"name": name, "left": left, "right": right})
        made = make_audit(self.engine, self.actors[AUDITOR], request)
        with reading(self.engine, self.actors[AUDITOR]) as connection:
            return read_audit(connection, self.actors[AUDITOR], made.audit_id)

    def findings(self, audit: AuditShown, kind: str) -> Iterator[Finding]:
        """An audit's findings of a kind, page after page."""
        with reading(self.engine, self.actors[AUDITOR]) as connection:
            yield from every_finding(connection, self.actors[AUDITOR], audit.audit.audit_id, kind, None, None)

    def allow(self, file: Path, order: str) -> None:
        """Imports what units may have."""
        request = AllowanceRequest.model_validate({"order": order, "file": _stored(file)})
        with transaction(self.engine, roles.REGISTRAR) as connection:
            import_allowances(connection, self.actors[REGISTRAR], request)

    def do(self, who: str, form: ActForm, file: Path | None = None, **request: Any) -> Posted:
        """Asks for an act that is posted at once, by a list if a file is given."""
        asked = {**request, "file": _stored(file)} if file else request
        return cast(Posted, perform(self.engine, self.actors[who], form, form.request.model_validate(asked)))


def register(register_id: UUID) -> dict[str, str]:
    """A register as a side of an audit."""
    return {"register": str(register_id)}


def _stored(file: Path) -> dict[str, str]:
    return {"sha256": file_store().keep_copy(file, read_settings().upload_limit).sha256, "name": file.name}


@dataclass(frozen=True, slots=True)
class Founding:
    """What a country is founded with: its depot, its donor, the units it serves, each with an arms room of its own if so wanted, and
    the models that its records speak of.
    """

    depot: str
    time_zone: str
    donor: tuple[str, str]
    units: Sequence[tuple[str, str]] = ()
    models: Sequence[NewModel] = ()
    arms_rooms: bool = False


def drawer_of(unit: str) -> str:
    """The service number of who draws for a unit."""
    return f"S4-{unit}"


def arms_room_of(unit: str) -> str:
    """The store in which a unit keeps its weapons."""
    return f"Arms room of {unit}"


def found(engine: Engine, wanted: Founding) -> Country:
    """Founds the country: its people, each unit with somebody who may draw for it, and the models."""
    with transaction(engine, roles.REGISTRAR) as connection:
        founded = founding.found(
            connection, ("MOD", "Ministry of Defence"), ("REG-1", "Registrar"), (DEPOT, wanted.depot, wanted.time_zone), [STORE]
        )  # fmt: skip
        depot, registrar = founded.site, founded.registrar
        people = {
            name: parties.add_person(connection, number, name.capitalize(), rank, depot, None, SINCE)
            for name, number, rank in ((CLERK, "C-1", "Sergeant"), (AUDITOR, "AUD-1", None))
        }
        parties.add_party(connection, "donor", *wanted.donor)
        for code, name in wanted.units:
            unit: Party = parties.add_unit(connection, code, name, depot, None, SINCE)
            drawer = parties.add_person(connection, drawer_of(code), "Supply officer", "Captain", depot, unit, SINCE)
            parties.give_signature_card(connection, unit, drawer, SINCE, UNTIL, registrar.party_id)
            if wanted.arms_rooms:
                room = add_store(connection, depot, arms_room_of(code))
                set_accountable_unit(connection, room.account_id, unit)
        for model in wanted.models:
            add_model(connection, model)
    actors = {
        CLERK: Actor(people[CLERK].party_id, CLERK, depot, book_code="B"),
        REGISTRAR: Actor(registrar.party_id, REGISTRAR, book_code="REG"),
        AUDITOR: Actor(people[AUDITOR].party_id, AUDITOR),
    }
    return Country(engine, wanted.donor[0], actors)

"""What a receipt would say of one weapon as it stands at the counter: declared, more than was declared, another model, a twin, or one
that the books have somewhere else. Nothing is refused here, as nothing is by the acts (`acts/receive.py`, `acts/arrive.py`): it is
taken in as found, and this says what will be opened as a discrepancy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine

from stockpile import items
from stockpile.acts import voucher
from stockpile.acts.perform import scope
from stockpile.catalogue import Model, find_models
from stockpile.db.engine import connected
from stockpile.documents import Desk, ItemLine
from stockpile.errors import Fault, Invalid
from stockpile.find import look_alikes
from stockpile.items import Held
from stockpile.movements import HELD, AccountClass, Act
from stockpile.reports.deliveries import Delivery, need_delivery
from stockpile.rights import Actor, require
from stockpile.scans import candidates
from stockpile.sentences import Sentence, begun, sentence, template
from stockpile.shipments import shipped_items
from stockpile.verdicts import CANDIDATES, GONE, AskVerdict, Severity, Verdict, weapons_seen, with_cases

SEVERITY: dict[str, Severity] = {
    "declared": "ready",
    "new": "ready",
    "already listed": "attention",
    "several": "attention",
    "another model": "attention",
    "twin": "attention",
    "excess": "attention",
    "look-alike": "attention",
    "declared elsewhere": "attention",
    "given up": "attention",
    "not on its way": "attention",
    "which model": "attention",
}
"""Verdict -> how loudly the counter says it: never a stop, for it stands there."""

WORDS = {
    "declared": template("On the list"),
    "new": template("New to the books"),
    "several": template("{count} weapons bear this number: choose one, or scan the asset tag"),
    "another model": template("Declared as {declared}: taken in as {model}, and the difference is told"),
    "twin": template("{where} has a weapon of this model and number: this one is taken in as its twin"),
    "excess": template("Not on the list: taken in as more than was declared"),
    "look-alike": template("Not on the list. Did you mean one of these?"),
    "declared elsewhere": template("Not on this list but on another: {where}"),
    "given up": template("The books say {gone}: taken in as found"),
    "not on its way": template("By the books it is at {where}: taken in as found, and told"),
    "which model": template("Not on the list. Say which model it is"),
}
"""Verdict -> what it says."""

GIVEN_UP = {AccountClass.MISSING: sentence("it is missing"), **GONE}
ON_ITS_WAY = frozenset({AccountClass.SUPPLY, AccountClass.TRANSIT})


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question with what it is about."""

    desk: Desk
    delivery: Delivery | None
    model: Model | None
    meant: Sequence[Held]
    scan: str | None


@dataclass(frozen=True, slots=True)
class _Said:
    """A verdict's name, the weapon that it is about, and those to choose from."""

    verdict: str
    weapon: Held | None = None
    choice: Sequence[UUID] = ()


def judge(engine: Engine, actor: Actor, asked: AskVerdict) -> Verdict:
    """The verdict on a weapon at a receipt; `delivery` None: without a list. Raises NotAllowed, NotFound (delivery), Invalid (model)."""
    require(actor, Act.RECEIVE)
    with connected(engine) as connection:
        site = scope(connection, actor, None)
        desk = Desk(connection, actor, site, Act.RECEIVE, "", b"")
        delivery = need_delivery(connection, site, asked.delivery) if asked.delivery is not None else None
        model = _model(connection, asked.model, delivery) if asked.model is not None else None
        line = ItemLine(item=asked.item, scan=asked.scan) if asked.item or asked.scan else None
        if line is None:
            raise Invalid(sentence("Say which weapon."), [Fault(sentence("give a scan"), field="scan")])
        (found,) = candidates(connection, [line])
        held = items.whereabouts(connection, found, lock=False)
        meant = [held[item_id] for item_id in found if item_id in held and held[item_id].serial]
        return _told(_Asked(desk, delivery, model, meant, asked.scan), asked)


def _model(connection: Connection, name: str, delivery: Delivery | None) -> Model:
    model = find_models(connection, [name], delivery.donor if delivery else None).get(name)
    if model is None:
        message = sentence("unknown model: a registrar says once which model it is")
        raise Invalid(sentence("Model: nobody knows it."), [Fault(message, field="model", value=name)])
    return model


def _told(of: _Asked, asked: AskVerdict) -> Verdict:
    of_shipment = of.delivery is not None and of.delivery.kind == "shipment"
    said = _on_shipment(of) if of_shipment else _on_list(of)
    listed = {line.item: n for n, line in reversed([*enumerate(asked.lines, 1)]) if line.item is not None}
    line = listed.get(said.weapon.item_id) if said.weapon is not None else None
    known = {one.item_id: one for one in of.meant}
    about = [said.weapon.item_id] if said.weapon is not None else list(said.choice[:CANDIDATES])
    seen = weapons_seen(of.desk, about, with_since=False, known=known)
    if line is not None:
        return Verdict("already listed", "attention", begun(voucher.already_listed(line)), seen[0], line=line)
    weapon = seen[0] if said.weapon is not None and seen else None
    values = {
        "count": len(of.meant),
        "declared": said.weapon.model_name if said.weapon else "",
        "model": of.model.name if of.model else "",
        "where": said.weapon.where.name if said.weapon else "",
        "gone": GIVEN_UP.get(said.weapon.where.account_class, "") if said.weapon else "",
    }
    words = with_cases(Sentence(WORDS[said.verdict], values), weapon)
    return Verdict(said.verdict, SEVERITY[said.verdict], words, weapon, () if weapon else tuple(seen))


def _of_model(of: _Asked) -> Sequence[Held]:
    """Of the weapons that bear the number those of the model that stands at the counter, where it is said."""
    if of.model is None:
        return of.meant
    return [held for held in of.meant if held.model_id == of.model.model_id]


def _on_list(of: _Asked) -> _Said:
    """As `acts/receive.py` finds the weapon that is meant."""
    supply = of.delivery.account_id if of.delivery is not None else None
    declared = [held for held in of.meant if supply is not None and held.place and held.place.account_id == supply]
    bearers = _of_model(of)
    here = [held for held in bearers if held in declared]
    if len(here) == 1:
        return _Said("declared", here[0])
    if len(here) > 1:
        return _Said("several", choice=[held.item_id for held in here])
    for classes in (ON_ITS_WAY, GIVEN_UP):
        for held in bearers:
            if held.where.account_class in classes:
                return _Said("declared elsewhere" if classes is ON_ITS_WAY else "given up", held)
    if len(declared) == 1:
        return _Said("another model", declared[0])
    if len(bearers) > 1 and of.model is None:
        return _Said("several", choice=[held.item_id for held in bearers])
    if bearers and bearers[0].where.account_class in HELD:
        return _Said("twin", bearers[0])
    alike = _alike(of, supply)
    if alike:
        return _Said("look-alike", choice=alike)
    if of.model is None:
        return _Said("which model")
    return _Said("excess" if of.delivery is not None else "new")


def _on_shipment(of: _Asked) -> _Said:
    """As `acts/arrive.py` takes it."""
    delivery = of.delivery
    assert delivery is not None
    ids = [held.item_id for held in of.meant]
    shipped = shipped_items(of.desk.connection, delivery.delivery_id, ids) if ids else {}
    here = [
        held
        for held in of.meant
        if held.where.account_id == delivery.account_id
        and held.item_id in shipped
        and shipped[held.item_id].outstanding
    ]
    if len(here) == 1:
        return _Said("declared", here[0])
    if len(of.meant) > 1:
        return _Said("several", choice=[held.item_id for held in here or of.meant])
    if not of.meant:
        alike = _alike(of, delivery.account_id)
        return _Said("look-alike" if alike else "excess", choice=alike)
    (held,) = of.meant
    place = held.where.account_class
    if place in GIVEN_UP:
        return _Said("given up", held)
    return _Said("declared elsewhere" if place in ON_ITS_WAY else "not on its way", held)


def _alike(of: _Asked, account_id: UUID | None) -> list[UUID]:
    """What is expected and looks like the number that was read: a worn label, a slip of the finger."""
    if of.scan is None or account_id is None:
        return []
    alike = look_alikes(of.desk.connection, of.desk.actor, of.scan, CANDIDATES)
    held = items.whereabouts(of.desk.connection, alike, lock=False)
    return [one for one in alike if one in held and held[one].place and held[one].where.account_id == account_id]

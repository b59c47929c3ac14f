"""Correct and undo: a posted entry is never changed, it is reversed by a further document.

A correction takes back the last live entry of weapons and takes two parties. Undo takes back one's own last document
within fifteen minutes, alone, if nothing was posted on its items since; it is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field

from stockpile import correction, identifications, items, ledger, shortfall
from stockpile.acts import voucher
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import Rows, Scanned
from stockpile.catalogue import Model, find_models
from stockpile.correction import Live
from stockpile.documents import Code, Desk, ItemLine, Posted, Request, Words, Writing, now, numbers_of
from stockpile.errors import NotFound, Reason, Refused
from stockpile.items import Held
from stockpile.movements import AccountClass, Act
from stockpile.reports.documents import document_named
from stockpile.sentences import sentence
from stockpile.sites import Place

UNDO_WITHIN = timedelta(minutes=15)
OF_ANOTHER_SITE = sentence("a document of another site")
NAME_THE_DOCUMENT = sentence("name the document to take back: a quantity has no last entry of its own")

TakenBack = tuple[Held, Live]
"""An item with its entry that is taken back."""


class Correct(Request):
    """Take back the last entry of weapons, or the entries of one document. Takes a second party."""

    document: UUID | Code | None = Field(
        None, description="The document to take back, by its number or key; left out: each line's last entry"
    )
    reason: Words = Field(examples=["The wrong rifle was scanned"])
    lines: Annotated[tuple[ItemLine, ...], Field(max_length=500)] = Field(
        (), description="Only these of the document; needed if no document is named"
    )


class Undo(Request):
    """Take back one's own last document, within fifteen minutes."""

    document: UUID | Code = Field(description="The document to take back, by its number or key")


def correct(desk: Desk, request: Correct) -> Posted:
    """Posts a correction. Raises NotFound (document), Refused (a weapon whose last entry is another)."""
    if request.document is None and not request.lines:
        raise Refused(sentence("Nothing was done: name a document, or the weapons to correct."))
    document_id = document_named(desk.connection, request.document) if request.document is not None else None
    wrong = _wrong(desk, document_id) if document_id is not None else None
    rows = _rows(desk, request, wrong)
    scanned = voucher.lock_rows(desk, rows)
    back = _taken_back(desk, scanned, wrong)
    voucher.refuse(scanned, desk.act, keys_by_name=True)
    entries = [correction.reversal(held, live) for held, live in back]
    details = {
        "paper": "correction",
        "reason": request.reason,
        "corrects": str(document_id) if document_id else None,
    }
    twins = identifications.twins_again(desk.connection, entries)
    posted = ledger.post_entries(desk, Writing.of(request).document(desk, {}, details), entries, twins)
    _give_back(desk, back)
    return posted


def _give_back(desk: Desk, back: Sequence[TakenBack]) -> None:
    """Who took an account over by a joint inventory of which nothing is left answers for it no more."""
    for inventory in {live.first_document for _, live in back if live.act is Act.CHANGE_CUSTODIAN}:
        desk.connection.exec_driver_sql("SELECT give_back_account(%s)", (inventory,))


@dataclass(frozen=True, slots=True)
class Moved:
    """What a document moved of an item."""

    item_id: UUID
    model_id: UUID
    lot: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """The document to take back: its number in its book, by which its entries are known even where late facts posted them
    again, and its items.
    """

    document_id: UUID
    book_id: UUID
    number: int
    moved: tuple[Moved, ...]

    @property
    def lines(self) -> tuple[ItemLine, ...]:
        """Every item of it, as lines."""
        return tuple(ItemLine(item=item_id) for item_id in dict.fromkeys(one.item_id for one in self.moved))

    def moved_of(self, model: Model, lot: str | None) -> dict[UUID, int]:
        """The items of a model that it moved, and how many of each."""
        found: dict[UUID, int] = {}
        for one in self.moved:
            if one.model_id == model.model_id and lot in (None, one.lot):
                found[one.item_id] = found.get(one.item_id, 0) + one.quantity
        return found

    def first_posted(self, live: Live) -> bool:
        """Whether the entry is this document's own, and no other's that it moved in time."""
        return (live.book_id, live.number) == (self.book_id, self.number)


def _wrong(desk: Desk, document_id: UUID) -> Wrong:
    rows = desk.connection.exec_driver_sql(
        """SELECT d.book_id, d.number, e.item_id, i.model_id, i.lot, e.quantity
           FROM document d JOIN entry e USING (document_id) JOIN item i USING (item_id)
           WHERE d.document_id = %s AND e.reverses IS NULL AND e.posts_again IS NULL ORDER BY e.line""",
        (document_id,),
    ).all()
    if not rows:
        raise NotFound(
            sentence(
                "There is no document {document_id} at {site} that moved anything.",
                document_id=document_id,
                site=desk.site.code,
            )
        )
    return Wrong(document_id, rows[0][0], rows[0][1], tuple(Moved(*row[2:]) for row in rows))


def _rows(desk: Desk, request: Correct, wrong: Wrong | None) -> Rows:
    """The lines to take back under their numbers; a model stands for all its items that the document moved. Raises Refused
    where it moved another number of them.
    """
    if wrong is not None and not request.lines:
        return list(enumerate(wrong.lines, 1))
    names = {line.model for line in request.lines if line.by_model and line.model}
    models = find_models(desk.connection, names, desk.site.code)
    rows: list[tuple[int, ItemLine]] = []
    reasons: list[Reason] = []
    for number, line in enumerate(request.lines, 1):
        if not line.by_model:
            rows.append((number, line))
            continue
        model = models.get(line.model or "")
        moved = wrong.moved_of(model, line.lot) if wrong and model else {}
        reason = _not_by_model(line, wrong, model, moved)
        if reason:
            reasons.append(Reason(number, line.named, reason))
        rows += [(number, ItemLine(item=item_id)) for item_id in moved]
    if reasons:
        raise Refused(
            sentence("Nothing was done: {count} line(s) of this {act} cannot be.", count=len(reasons), act=desk.act),
            reasons,
        )
    return rows


def _not_by_model(line: ItemLine, wrong: Wrong | None, model: Model | None, moved: dict[UUID, int]) -> str | None:
    """Why a model's name does not say what to take back."""
    if wrong is None:
        return NAME_THE_DOCUMENT
    if model is not None and model.tracked_by == "serial":
        return sentence("{model} is tracked by serial number: scan each weapon", model=model.name)
    in_all = sum(moved.values())
    if not in_all:
        return sentence("the document moved none of them")
    if line.quantity != in_all:
        return sentence("the document moved {in_all} of them: they are taken back all or none", in_all=in_all)
    return None


def _taken_back(desk: Desk, scanned: Sequence[Scanned], wrong: Wrong | None) -> list[TakenBack]:
    """Each weapon's last live entry; of a quantity's, the live entries of the document."""
    held_items = {one.held.item_id for one in scanned if one.held and not one.reason}
    live = correction.live_entries(desk.connection, held_items)
    back: list[TakenBack] = []
    for one in scanned:
        if one.held is None or one.reason:
            continue
        mine = live.get(one.held.item_id, [])
        if not mine:
            one.reason = sentence("no entry of it is live: it was taken back already")
        elif one.held.serial:
            one.reason = _not_reversible(desk, mine, wrong)
            if not one.reason:
                back.append((one.held, mine[0]))
        else:
            back += _of_a_quantity(desk, one, mine, wrong)
    return back


def _not_reversible(desk: Desk, live: Sequence[Live], wrong: Wrong | None) -> str | None:
    last = live[0]
    if wrong is not None and not wrong.first_posted(last):
        if not any(wrong.first_posted(entry) for entry in live):
            return sentence("no entry of that document is live: it is none of its weapons, or was taken back already")
        number = numbers_of(desk.connection, [last.document_id]).get(last.document_id, OF_ANOTHER_SITE)
        return sentence("a later document moved it, {number}: correct that first", number=number)
    if desk.site.site_id not in (last.origin.site_id, last.to.site_id):
        return sentence("its last entry does not concern {site}", site=desk.site.code)
    return None


def _of_a_quantity(desk: Desk, one: Scanned, live: Sequence[Live], wrong: Wrong | None) -> list[TakenBack]:
    held = one.held
    assert held is not None
    if wrong is None:
        one.reason = NAME_THE_DOCUMENT
        return []
    mine = [entry for entry in live if wrong.first_posted(entry)]
    if not mine:
        one.reason = sentence("no entry of that document is live: it was taken back already")
    wanted: dict[UUID, tuple[Place, int]] = {}
    for entry in mine:
        place, quantity = wanted.get(entry.to.account_id, (entry.to, 0))
        wanted[entry.to.account_id] = (place, quantity + entry.quantity)
    for place, quantity in wanted.values():
        if place.account_class is AccountClass.OUTSIDE:
            continue
        left = held.holdings.get(place.account_id, (place, 0))[1]
        if left < quantity:
            one.reason = sentence(
                "only {left} are left at {place}, {quantity} to take back",
                left=left,
                place=place.name,
                quantity=quantity,
            )
            continue
        since = min(entry.happened_at for entry in mine if entry.to.account_id == place.account_id)
        least = shortfall.least_since(desk.connection, held.item_id, place.account_id, since)
        if least < quantity:
            one.reason = _gone_between(desk, live, place, since, least, quantity)
    return [] if one.reason else [(held, entry) for entry in mine]


def _gone_between(desk: Desk, live: Sequence[Live], place: Place, since: datetime, least: int, quantity: int) -> str:
    """A quantity is back where it was, and was gone in between: taken back, the place would have held less than nothing then.
    Names the document after which the place had the least.
    """
    there, fewest, took = 0, None, None
    for entry in sorted(live, key=lambda entry: (entry.happened_at, entry.version)):
        there += (entry.to.account_id == place.account_id) * entry.quantity
        there -= (entry.origin.account_id == place.account_id) * entry.quantity
        gone = entry.happened_at >= since and entry.origin.account_id == place.account_id
        if gone and (fewest is None or there < fewest):
            fewest, took = there, entry.first_document
    numbers = numbers_of(desk.connection, [took]) if took else {}
    later = numbers.get(took, OF_ANOTHER_SITE) if took else sentence("a later document")
    return sentence(
        "only {least} of the {quantity} to take back were left at {place} after {later}: correct that first",
        least=least,
        quantity=quantity,
        place=place.name,
        later=later,
    )


def undo(desk: Desk, request: Undo) -> Posted:
    """Posts an undo. Raises NotFound, Refused: not one's own, not the last, older than 15 minutes, a late or correcting
    document, or something was posted on its items since.
    """
    document_id = document_named(desk.connection, request.document)
    row = desk.connection.exec_driver_sql(
        """SELECT d.posted_by, d.recorded_at, d.act,
                  EXISTS (SELECT FROM document later WHERE later.posted_by = d.posted_by AND later.recorded_at > d.recorded_at),
                  EXISTS (SELECT FROM entry e WHERE e.document_id = d.document_id AND e.reverses IS NOT NULL)
           FROM document d WHERE d.document_id = %s""",
        (document_id,),
    ).one_or_none()
    if row is None:
        raise NotFound(
            sentence("There is no document {document} at {site}.", document=request.document, site=desk.site.code)
        )
    posted_by, recorded_at, act, followed, reverses = row
    if posted_by != desk.actor.party_id:
        raise Refused(sentence("Nothing was done: somebody else posted it. Ask for a correction."))
    if now() - recorded_at > UNDO_WITHIN:
        raise Refused(sentence("Nothing was done: it is older than 15 minutes. Ask for a correction."))
    if followed:
        raise Refused(sentence("Nothing was done: it is not your last document. Ask for a correction."))
    if reverses or act in (Act.CORRECT, Act.VOID):
        raise Refused(sentence("Nothing was done: a late, correcting or void document can only be corrected."))
    return _undo(desk, request, document_id)


def _undo(desk: Desk, request: Undo, document_id: UUID) -> Posted:
    """Reverses every entry of the document, the newest of each item first."""
    rows = desk.connection.exec_driver_sql(
        "SELECT item_id, version FROM entry WHERE document_id = %s ORDER BY item_id, version DESC", (document_id,)
    ).all()
    held = items.whereabouts(desk.connection, {row[0] for row in rows})
    since = [held[item_id] for item_id, version in _newest(rows).items() if held[item_id].version != version]
    if since:
        raise Refused(
            sentence("Nothing was done: something was posted on its items since. Ask for a correction."),
            [
                Reason(
                    n, one.name, sentence("a later document moved it"), voucher.describe_place(one), str(one.item_id)
                )
                for n, one in enumerate(since, 1)
            ],
        )
    wanted = {(row[0], row[1]) for row in rows}
    back: list[TakenBack] = []
    for item_id, live in correction.live_entries(desk.connection, held).items():
        back += [(held[item_id], entry) for entry in live if (item_id, entry.version) in wanted]
    entries = [correction.reversal(one, live) for one, live in back]
    details = {"paper": "correction", "reason": "undone by who posted it", "corrects": str(document_id)}
    document = replace(Writing.of(request).document(desk, {}, details), undo=True)
    posted = ledger.post_entries(desk, document, entries, identifications.twins_again(desk.connection, entries))
    _give_back(desk, back)
    return posted


def _newest(rows: Sequence[tuple[UUID, int]]) -> dict[UUID, int]:
    newest: dict[UUID, int] = {}
    for item_id, version in rows:
        newest.setdefault(item_id, version)
    return newest


CORRECT = ActForm(Act.CORRECT, Correct, correct)
UNDO = ActForm(Act.CORRECT, Undo, undo, needs_approval=lambda request: False)

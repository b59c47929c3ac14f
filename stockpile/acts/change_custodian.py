"""Change custodian: who answered for a store, a workshop or a unit's account and who takes it over count it together, every
weapon by serial, and both sign. It moves nothing.

As a command it is refused, weapon by weapon, for what is missing from the list or too much on it. From paper it is a fact, and each
of these is a discrepancy; who answers stays as it was then, for one person alone says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import Field

from stockpile import items, ledger
from stockpile.acts import voucher
from stockpile.acts.as_written import check_meant, take_as_written
from stockpile.acts.perform import ActForm
from stockpile.acts.voucher import FactVoucher, Scanned
from stockpile.discrepancies import Contradiction, Kind
from stockpile.documents import Code, Desk, Posted, Writing
from stockpile.errors import Fault, Invalid, Reason, Refused
from stockpile.inside import inside
from stockpile.items import Held, Line
from stockpile.movements import AccountClass, Act
from stockpile.parties import find_party
from stockpile.sentences import sentence
from stockpile.sites import Place, find_store, party_account, site_account
from stockpile.standstill import close_books

NAMED_AT_MOST = 500
"""So many of the weapons that the list lacks are named in a refusal; it says how many there are."""


class ChangeCustodian(FactVoucher):
    """Hand a store, a workshop or a unit's account over by a joint inventory of all that is on it. Takes a second party."""

    account: Code = Field(description="Name of the store; 'maintenance'; or a unit's code", examples=["Main store"])
    received_by: Code = Field(
        description="Service number of who answers for it from now on, of this site", examples=["A-1001"]
    )
    handed_over_by: Code | None = Field(
        None, description="Service number of who answered for it; left out: who does now", examples=["C-1"]
    )


@dataclass(slots=True)
class Succession:
    """From whom to whom; what is wrong with it is a discrepancy of a fact."""

    signatories: dict[str, UUID] = field(default_factory=dict)
    contradictions: list[Contradiction] = field(default_factory=list)


def change_custodian(desk: Desk, request: ChangeCustodian) -> Posted:
    """Posts a joint inventory; from then on who received answers for the account, if a second party approved it. Raises Invalid
    (account, persons), Refused (who hands over; one reason a weapon).
    """
    written = Writing.of(request)
    account = _account(desk, request.account)
    scanned = voucher.lock_voucher(desk, request, account)
    succession = _succession(desk, request, account, written.fact)
    close_books(desk.connection, desk.site)
    found = succession.contradictions
    if written.fact:
        check_meant(desk.connection, scanned)
        found += take_as_written(desk, scanned, written)
        voucher.refuse(scanned, desk.act)
    on_it = {one.item_id: one.quantity for one in inside(desk.connection, [account.account_id], written.happened_at)}
    unlisted = _unlisted(desk, scanned, on_it)
    if written.fact:
        found += [*_short(scanned, on_it, account), *(_missing(held, on_it, account) for held in unlisted)]
    else:
        _guard(scanned, on_it, account)
        _refuse(desk, scanned, unlisted, account)
    details = {"paper": "joint inventory", "account": str(account.account_id), "account_name": account.name}
    claimed, fact = (account, desk.act) if written.fact else (None, None)
    lines = [
        Line(
            one.held, account, account, one.line.quantity, None, claimed, fact, stays=True
        )
        for one in scanned
        if one.held is not None
    ]  # fmt: skip
    posted = ledger.post(desk, written.document(desk, succession.signatories, details), lines, found)
    desk.connection.exec_driver_sql("SELECT take_over_account(%s)", (posted.document_id,))
    return posted


def _account(desk: Desk, name: str) -> Place:
    """A store by its name, the workshop, or a unit's account by its code."""
    if name.casefold() == AccountClass.MAINTENANCE:
        return site_account(desk.connection, desk.site, AccountClass.MAINTENANCE)
    unit = find_party(desk.connection, "unit", name)
    place = party_account(desk.connection, desk.site, unit.party_id) if unit else None
    if place is not None:
        return place
    try:
        return find_store(desk.connection, desk.site, name)
    except Invalid as problem:
        message = sentence("neither a store or unit of {site}, nor 'maintenance'", site=desk.site.code)
        raise Invalid(
            sentence("Account: {problem}", problem=problem.detail), [Fault(message, field="account", value=name)]
        ) from None


_ANSWERS = """
SELECT coalesce(a.custodian_id, s.custodian_id), coalesce(p.code, 'a person of another site')
FROM account a JOIN site s USING (site_id) LEFT JOIN party p ON p.party_id = coalesce(a.custodian_id, s.custodian_id)
WHERE a.account_id = %s
"""


def _succession(desk: Desk, request: ChangeCustodian, account: Place, fact: bool) -> Succession:
    """Who hands over and who takes over. Read under the items' locks: another joint inventory of them waits."""
    answers, code = desk.connection.exec_driver_sql(_ANSWERS, (account.account_id,)).one()
    succession = Succession()
    for part, given in (("received_by", request.received_by), ("handed_over_by", request.handed_over_by)):
        person = find_party(desk.connection, "person", given) if given else None
        if person is not None:
            succession.signatories[part] = person.party_id
        elif given:
            _unknown(desk, succession, part, given, fact)
        else:
            succession.signatories[part] = answers
    giver, taker = (succession.signatories.get(part) for part in ("handed_over_by", "received_by"))
    answering = sentence("{code} answers for {account}", code=code, account=account.name)
    if giver not in (None, answers):
        _object(succession, fact, answering, sentence("{giver} hands it over", giver=request.handed_over_by))
    if taker is not None and taker == (giver or answers):
        _object(
            succession,
            fact,
            answering,
            sentence("{taker} takes it over from the same person", taker=request.received_by),
        )
    return succession


def _unknown(desk: Desk, succession: Succession, part: str, code: str, fact: bool) -> None:
    books_said = sentence("nobody at {site} has the number {code}", site=desk.site.code, code=code)
    if not fact:
        message = sentence("not a service number of this site")
        raise Invalid(
            sentence("{part}: {books_said}.", part=part, books_said=books_said),
            [Fault(message, field=part, value=code)],
        )
    succession.contradictions.append(Contradiction(Kind.PERSON_UNKNOWN, books_said, f"{part} {code}"))


def _object(succession: Succession, fact: bool, books_said: str, seen: str) -> None:
    if not fact:
        raise Refused(sentence("Nothing was done: {books_said}, and {seen}.", books_said=books_said, seen=seen))
    succession.contradictions.append(Contradiction(Kind.DOUBTFUL, books_said, seen))


def _guard(scanned: Sequence[Scanned], on_it: dict[UUID, int], account: Place) -> None:
    """What a command lists is on the account, and of what is counted the number is the books'."""
    for one in scanned:
        if one.reason or one.held is None:
            continue
        there = on_it.get(one.held.item_id, 0)
        if one.held.serial and not there:
            one.reason = sentence("too much: it is not on {account}", account=account.name)
        elif there != one.line.quantity:
            one.reason = sentence(
                "{there} on {account} in the books, {quantity} counted",
                there=there,
                account=account.name,
                quantity=one.line.quantity,
            )


def _unlisted(desk: Desk, scanned: Sequence[Scanned], on_it: Iterable[UUID]) -> list[Held]:
    """What is on the account and not on the list."""
    listed = {one.held.item_id for one in scanned if one.held is not None}
    unlisted = [item_id for item_id in on_it if item_id not in listed]
    return list(items.whereabouts(desk.connection, unlisted, lock=False).values()) if unlisted else []


def _refuse(desk: Desk, scanned: Sequence[Scanned], unlisted: Sequence[Held], account: Place) -> None:
    reasons = [one.refused() for one in scanned if one.reason]
    if not reasons and not unlisted:
        return
    where = voucher.describe(account)
    named = sorted(unlisted, key=lambda held: held.name)[:NAMED_AT_MOST]
    reasons += [
        Reason(0, held.name, sentence("missing: it is not on the list"), where, str(held.item_id)) for held in named
    ]
    raise Refused(
        sentence(
            "Nothing was done: of this {act}'s list {count} line(s) cannot be, and {absent} of "
            "{account} are not on it.",
            act=desk.act,
            count=len(reasons) - len(named),
            absent=len(unlisted),
            account=account.name,
        ),
        reasons,
    )


def _short(scanned: Sequence[Scanned], on_it: dict[UUID, int], account: Place) -> Iterator[Contradiction]:
    """Of what is counted: fewer than the books have. More enter the books with the posting, and are told by it."""
    for one in scanned:
        held = one.held
        if held is not None and not held.serial and one.line.quantity < on_it.get(held.item_id, 0):
            yield Contradiction(
                Kind.SHORTAGE,
                f"{on_it[held.item_id]} of {held.name} on {account.name}",
                f"{one.line.quantity} counted",
                held.item_id,
                held.donor_id,
                one.number,
            )


def _missing(held: Held, on_it: dict[UUID, int], account: Place) -> Contradiction:
    many = "" if held.serial else f"{on_it[held.item_id]} of "
    return Contradiction(
        Kind.SHORTAGE,
        f"{many}{held.name} on {account.name}",
        "not on the list of the joint inventory",
        held.item_id,
        held.donor_id,
    )


CHANGE_CUSTODIAN = ActForm(Act.CHANGE_CUSTODIAN, ChangeCustodian, change_custodian)

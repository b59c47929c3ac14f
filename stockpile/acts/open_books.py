"""Open: at go-live an old property book enters in mass, from outside to whoever the book says has each weapon, until the site
is declared open. Two parties answer for it; every line is "opening, unverified" until a closed count has read it.
"""

from __future__ import annotations

from pydantic import Field

from stockpile import ledger
from stockpile.acts.perform import ActForm
from stockpile.documents import Code, Desk, Posted, Writing
from stockpile.errors import Refused
from stockpile.items import Line, Newcomers
from stockpile.movements import Act
from stockpile.parties import OWN_PROCUREMENT, need_party
from stockpile.registers import listing
from stockpile.registers.keep import keep_listed, register_of
from stockpile.registers.listing import Listed, ListLine, ListRequest, listed_from
from stockpile.sentences import sentence
from stockpile.sites import OUTSIDE, Place, find_store, place_of, read_site


class Open(ListRequest[ListLine]):
    """Take an old property book into the books at go-live. Takes a second party."""

    name: Code = Field(description="What the old book is called", examples=["Property book 2019"])
    donor: Code | None = Field(None, description="Whose weapons they are; left out: own procurement")
    store: Code | None = Field(None, description="For lines that name no account")


def open_books(desk: Desk, request: Open) -> Posted:
    """Posts an opening list. Raises Refused when the site is declared open, Invalid for rows that can't be read."""
    if read_site(desk.connection, desk.site.site_id).declared_open_at is not None:
        raise Refused(
            sentence(
                "{site} was declared open: what is found now is a gain, what arrives is a receipt.", site=desk.site.code
            )
        )
    donor_id = (
        need_party(desk.connection, "donor", request.donor, "donor").party_id if request.donor else OWN_PROCUREMENT
    )
    rows = listed_from(desk, request.file, request.name) if request.file else listing.typed(request.lines)
    listed = listing.sort_out(desk.connection, rows, request.name)
    accounts = _accounts(desk, request, listed)
    listing.refuse_rejected(
        desk.connection, listed, request.name, "opening list", request.file is not None and request.file.set_aside
    )
    new = [listing.new_weapon(line, donor_id) for line in listed.lines]
    lines = [
        Line(item.held, accounts[line.account], OUTSIDE, line.quantity, line.condition)
        for item, line in zip(new, listed.lines, strict=True)
    ]
    register = register_of(desk, "property book", request.name, request.file, listed, donor_id, request.document_id)
    details = {
        "paper": "opening list",
        "name": request.name,
        "register": str(register.register_id) if register else None,
        "rows_set_aside": len(listed.rejected) or None,
    }
    return ledger.post(
        desk,
        Writing.of(request).document(desk, {}, details),
        lines,
        [*listing.twins(listed), *listing.doubts(listed)],
        Newcomers(new, listed.bearers),
        meanwhile=lambda: keep_listed(desk, register, listed),
    )


def _accounts(desk: Desk, request: Open, listed: listing.Sorted) -> dict[str | None, Place]:
    """The account each line names: a store, a unit code or a service number of this site. Sets aside what names none,
    and weapons that are in the books already.
    """
    accounts: dict[str | None, Place] = dict(_named_accounts(desk))
    if any(line.account is None for line in listed.lines):
        accounts[None] = find_store(desk.connection, desk.site, request.store)
    standing: list[Listed] = []
    for line in listed.lines:
        if line.account not in accounts:
            line.reason = sentence(
                "{site} has no store, unit or person {account!r}", site=desk.site.code, account=line.account
            )
        elif line.identity in listed.known and line.distinguishing_mark is None:
            line.reason = sentence("already in the books: if it is a second weapon, say how it can be told apart")
        (listed.rejected if line.reason else standing).append(line)
    listed.lines = standing
    return accounts


def _named_accounts(desk: Desk) -> list[tuple[str, Place]]:
    rows = desk.connection.exec_driver_sql(
        """SELECT coalesce(p.code, a.name), a.account_id, a.class, a.name, a.site_id, a.party_id
           FROM account a LEFT JOIN party p USING (party_id)
           WHERE a.site_id = %s AND a.class IN ('store', 'unit', 'person')""",
        (desk.site.site_id,),
    )
    return [(row[0], place_of(row[1:])) for row in rows]


OPEN = ActForm(Act.OPEN, Open, open_books)

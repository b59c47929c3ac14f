"""What an account shows: where it is, who answers for it, and the unit on whose property book it counts.

Who answers can change from one day to the next; the account itself never moves, and nothing here touches what is on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import Fault, Invalid, NotFound
from stockpile.parties import Party
from stockpile.reports.keyset import Page, read_page, spellings
from stockpile.sentences import sentence

PAGE = 100


@dataclass(frozen=True, slots=True)
class AccountShown:
    """An account with its custodian (service number and name) and its accountable unit (code and name) on a day."""

    account_id: UUID
    account_class: str
    name: str
    site: str | None
    party_id: UUID | None
    custodian: str | None
    accountable_unit_id: UUID | None
    accountable_unit: str | None


# The custodian: of a person's account that person; else who was named for it, else the site's. The accountable unit: of
# a unit itself; of a person the unit of that day; of all else the one named, else that of the site's custodian on that
# day, else the organisation these books were founded for.
# A consignment is its own site's to know, and so is the account that bears its number.
_ACCOUNTS = """
SELECT coalesce(s.code, ''), a.class, a.name, a.account_id, a.account_id, a.class, a.name, s.code, a.party_id,
       nullif(concat_ws(' ', c.rank, c.name, '(' || c.code || ')'), ''), u.party_id,
       nullif(concat_ws(' ', u.name, '(' || u.code || ')'), '')
FROM (SELECT * FROM account WHERE class <> 'supply' OR own_site() IS NULL OR site_id = own_site()) a LEFT JOIN site s USING (site_id)
LEFT JOIN party c ON c.party_id = CASE a.class WHEN 'person' THEN a.party_id ELSE coalesce(a.custodian_id, s.custodian_id) END
LEFT JOIN LATERAL (SELECT m.unit_id FROM assignment m
                   WHERE m.party_id = CASE a.class WHEN 'person' THEN a.party_id ELSE s.custodian_id END
                     AND m.since <= %s AND (m.until IS NULL OR m.until >= %s)
                   ORDER BY m.since DESC, m.until DESC NULLS FIRST, m.assignment_id DESC LIMIT 1) m ON true
LEFT JOIN party u ON u.party_id = CASE a.class
    WHEN 'outside' THEN NULL
    WHEN 'unit' THEN a.party_id
    WHEN 'person' THEN m.unit_id
    ELSE coalesce(a.unit_id, m.unit_id, (SELECT party_id FROM party WHERE kind = 'organisation' ORDER BY party_id LIMIT 1)) END
"""


def search_accounts(
    connection: Connection,
    day: date,
    site_id: UUID | None = None,
    account_class: str | None = None,
    text: str | None = None,
    limit: int = PAGE,
    cursor: str | None = None,
) -> Page[AccountShown]:
    """Accounts by site, class and name: of a site, of a class, with a part of the name."""
    where = {"a.site_id = %s": site_id, "a.class = %s": account_class, "a.name ILIKE ANY (%s)": spellings(text)}
    keys = {"coalesce(s.code, '')": str, "a.class": str, "a.name": str, "a.account_id": UUID}
    return read_page(connection, _ACCOUNTS, where, keys, AccountShown, limit, cursor, (day, day))


def read_account(connection: Connection, account_id: UUID, day: date) -> AccountShown:
    """One account as it stood on a day; NotFound if there is none in the reader's scope."""
    row = connection.exec_driver_sql(f"{_ACCOUNTS} WHERE a.account_id = %s", (day, day, account_id)).one_or_none()
    if row is None:
        raise NotFound(sentence("There is no account {account_id} here.", account_id=account_id))
    return AccountShown(*row[4:])


def set_custodian(connection: Connection, account_id: UUID, custodian: Party | None) -> None:
    """Names who answers for a store, workshop or unit's account; None: the site's custodian does.

    Raises NotFound, Invalid (a person's own account; no person).
    """
    if custodian is not None and custodian.kind != "person":
        _refuse("custodian", custodian.code, sentence("only a person answers for an account"))
    if _class(connection, account_id) in ("person", "outside"):
        _refuse("custodian", custodian.code if custodian else None, sentence("for this account nobody else can answer"))
    connection.exec_driver_sql(
        "UPDATE account SET custodian_id = %s WHERE account_id = %s",
        (custodian.party_id if custodian else None, account_id),
    )


def set_accountable_unit(connection: Connection, account_id: UUID, unit: Party | None) -> None:
    """Names the unit or organisation on whose property book a store counts; None: that of the site's custodian.

    Raises NotFound, Invalid (not a store; neither unit nor organisation).
    """
    if unit is not None and unit.kind not in ("unit", "organisation"):
        _refuse("unit", unit.code, sentence("only a unit or an organisation keeps a property book"))
    if _class(connection, account_id) != "store":
        _refuse(
            "unit",
            unit.code if unit else None,
            sentence("only of a store can this be said: people and units are their own"),
        )
    connection.exec_driver_sql(
        "UPDATE account SET unit_id = %s WHERE account_id = %s", (unit.party_id if unit else None, account_id)
    )


def _class(connection: Connection, account_id: UUID) -> str:
    found = connection.exec_driver_sql(
        "SELECT class FROM account WHERE account_id = %s", (account_id,)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(sentence("There is no account {account_id} here.", account_id=account_id))
    return str(found)


def _refuse(field: str, value: str | None, why: str) -> None:
    raise Invalid(sentence("The account was not changed: {why}.", why=why), [Fault(why, field=field, value=value)])

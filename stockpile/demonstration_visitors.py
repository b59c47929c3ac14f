"""Who one can be in the demonstration: its staff, its registrar and auditor, its donors, each by a name to sign in with and a token.
There is nobody of them where the books are no demonstration.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from stockpile import parties, passwords, users
from stockpile.db import roles
from stockpile.db.engine import transaction
from stockpile.demonstration_data import DONORS, ORGANISATION, SECOND_CLERK, STAFF


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody of the demonstration in whose place a visitor can act; codes as a token is made with."""

    label: str
    role: str
    party: str | None = None
    site: str | None = None
    donor: str | None = None
    book: str | None = None


def visitors(engine: Engine) -> list[Visitor]:
    """Who a visitor can be; empty where the books are no demonstration."""
    with transaction(engine, roles.AUDITOR) as connection:
        if parties.find_party(connection, "organisation", ORGANISATION[0]) is None:
            return []
    return [
        *(
            Visitor(_label(code, role, depot), role, party=code, site=depot, book=book)
            for code, _, _, depot, role, book in STAFF
        ),
        Visitor("registrar", "registrar", party="REG-1", book="REG"),
        Visitor("auditor", "auditor", party="AUD-1"),
        *(Visitor(f"donor {code}", "donor", donor=code) for code, _ in DONORS),
    ]


def user_name(visitor: Visitor) -> str:
    """Under which name a visitor signs in: "clerk.north" for the clerk of NORTH."""
    return visitor.label.replace(" of ", " ").replace(" ", ".").lower()


def let_sign_in(engine: Engine) -> list[Visitor]:
    """Gives those whom a visitor can be the demonstration's one password, where they have none yet; who they are. None where the
    books are no demonstration.
    """
    found = visitors(engine)
    with transaction(engine, roles.REGISTRAR) as connection:
        known = set(connection.exec_driver_sql("SELECT name FROM stockpile.user").scalars())
        new = [visitor for visitor in found if user_name(visitor) not in known]
        kept = passwords.hashed(passwords.DEMONSTRATION) if new else None
        for visitor in new:
            users.add_user(
                connection,
                user_name(visitor),
                visitor.role,
                visitor.party,
                visitor.site,
                visitor.donor,
                password_hash=kept,
            )
    return found


def _label(code: str, role: str, depot: str) -> str:
    return f"second {role} of {depot}" if code == SECOND_CLERK else f"{role} of {depot}"

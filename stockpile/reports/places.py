"""The places that a country's pieces are added up by: every class of account at every site, under the one number that accounts and holdings
have for both (`class_and_site`). Worked out from the sites, so that no report reads two hundred thousand accounts for a few hundred
places.
"""

from __future__ import annotations

from dataclasses import dataclass

from stockpile.movements import AccountClass

PLACES = """place AS MATERIALIZED (
    SELECT hashtextextended(c.class, uuid_hash_extended(coalesce(s.site_id, '00000000-0000-0000-0000-000000000000'), 0)) AS class_and_site,
           c.class, s.site_id
    FROM unnest(%(every_class)s::text[]) c (class) CROSS JOIN (SELECT site_id FROM site UNION ALL SELECT NULL) s
    UNION ALL SELECT 0, 'person', NULL
)"""
"""A step of a question, given EVERY_CLASS. The place 0: with a person, wherever."""
_ENDS = """entry e
          LEFT JOIN (SELECT account_id, class_and_site FROM account{but_persons}) f ON f.account_id = e.from_account
          LEFT JOIN (SELECT account_id, class_and_site FROM account{but_persons}) t ON t.account_id = e.to_account"""


@dataclass(frozen=True, slots=True)
class Ends:
    """Entries `e` with the accounts at both ends, and what place each is."""

    entries: str
    origin: str
    place: str


WITH_SITES = Ends(_ENDS.replace("LEFT JOIN", "JOIN").format(but_persons=""), "f.class_and_site", "t.class_and_site")
"""Entries both of whose accounts the asker may see."""
WITHOUT_SITES = Ends(
    _ENDS.format(but_persons=" WHERE class <> 'person'"),
    "coalesce(f.class_and_site, 0)",
    "coalesce(t.class_and_site, 0)",
)
"""For who may see every account, where sites make no difference: nearly all accounts are persons', and the few others are found in a
table so small that it stays at hand, in half the time.
"""
EVERY_CLASS = {"every_class": [str(one) for one in AccountClass]}

"""The places that a country's pieces are added up by: every class of account at every site, under the one number that accounts and holdings
have for both (`class_and_site`). Worked out from the sites, so that no report reads two hundred thousand accounts for a few hundred
places.
"""

from __future__ import annotations

from stockpile.movements import AccountClass

PLACES = """place AS MATERIALIZED (
    SELECT hashtextextended(c.class, uuid_hash_extended(coalesce(s.site_id, '00000000-0000-0000-0000-000000000000'), 0)) AS class_and_site,
           c.class, s.site_id
    FROM unnest(%(every_class)s::text[]) c (class) CROSS JOIN (SELECT site_id FROM site UNION ALL SELECT NULL) s
)"""
"""A step of a question, given EVERY_CLASS."""
EVERY_CLASS = {"every_class": [str(one) for one in AccountClass]}

"""The places that a country's pieces are added up by: every class of account at every site, under the one number that accounts, holdings
and the ends of entries have for both (`class_and_site`). Worked out from the sites, so that no report reads two hundred thousand
accounts for a few hundred places.
"""

from __future__ import annotations

from stockpile.db.tables.reference import class_and_site
from stockpile.movements import AccountClass

PLACES = f"""place AS MATERIALIZED (
    SELECT {class_and_site("c.class", "s.site_id")} AS class_and_site, c.class, s.site_id
    FROM unnest(%(every_class)s::text[]) c (class) CROSS JOIN (SELECT site_id FROM site UNION ALL SELECT NULL) s
)"""
"""A step of a question, given EVERY_CLASS."""
EVERY_CLASS = {"every_class": [str(one) for one in AccountClass]}

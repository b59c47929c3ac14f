"""The invariants of the ledger as questions to the database, each of which counts what breaks it; and how the books answer where
things are, as of now and of earlier moments on both clocks.
"""

from __future__ import annotations

from collections.abc import Iterable

from stockpile.movements import STAYS, TWO_PARTY_ACTS, Act


def _acts(acts: Iterable[Act]) -> str:
    return ", ".join(f"'{act}'" for act in sorted(acts))


HOLDINGS = """
SELECT h.item_id, s.code, a.class, a.name, h.quantity
FROM holding h JOIN account a USING (account_id) LEFT JOIN site s ON s.site_id = a.site_id WHERE h.item_id = ANY (%s)
"""
SHORT = "SELECT count(*) FROM discrepancy WHERE item_id = %s AND kind = 'fewer in the books' AND closed_at IS NULL"
AS_OF = """
SELECT leg.item_id, s.code, a.class, a.name, leg.quantity
FROM (SELECT e.item_id, leg.account_id, sum(leg.quantity)::bigint AS quantity
      FROM entry e CROSS JOIN LATERAL (VALUES (from_account, -quantity), (to_account, quantity)) leg (account_id, quantity)
      WHERE e.happened_at <= %s AND e.recorded_at <= %s AND e.item_id = ANY (%s)
      GROUP BY e.item_id, leg.account_id HAVING sum(leg.quantity) <> 0) leg
JOIN account a USING (account_id) LEFT JOIN site s ON s.site_id = a.site_id WHERE a.class <> 'outside'
"""
JUDGED = """
SELECT x.item_id, coalesce(x.concerns, x.document_id), x.kind FROM discrepancy x
WHERE x.item_id = ANY (%s) AND x.kind = ANY (%s) AND x.closed_at IS NULL
"""

RULES = {
    "1: a holding is the sum of its legs": """
        SELECT count(*) FROM (
            SELECT item_id, account_id, sum(quantity) AS quantity FROM (
                SELECT item_id, from_account AS account_id, -quantity AS quantity FROM entry
                UNION ALL SELECT item_id, to_account, quantity FROM entry) leg
            JOIN account a USING (account_id) WHERE a.class <> 'outside'
            GROUP BY item_id, account_id HAVING sum(quantity) <> 0) s
        FULL JOIN holding h USING (item_id, account_id) WHERE s.quantity IS DISTINCT FROM h.quantity""",
    "2: versions run from 1 without gaps": """
        SELECT count(*) FROM (SELECT count(*) AS n, max(version) AS last FROM entry GROUP BY item_id) v WHERE n <> last""",
    "2: each entry of a weapon begins where the one before ended": """
        SELECT count(*) FROM entry e JOIN entry p ON p.item_id = e.item_id AND p.version = e.version - 1
        WHERE e.serial AND e.from_account <> p.to_account""",
    "5: live entries never go back in time": """
        SELECT count(*) FROM (
            SELECT happened_at < lag(happened_at) OVER (PARTITION BY item_id ORDER BY version) AS back FROM entry e
            WHERE serial AND reverses IS NULL
              AND NOT EXISTS (SELECT FROM entry r WHERE r.item_id = e.item_id AND r.reverses = e.version)) live WHERE back""",
    "5: nowhere was ever less than nothing": """
        SELECT count(*) FROM (
            SELECT sum(leg.quantity) OVER (PARTITION BY item_id, account_id ORDER BY happened_at) AS held FROM (
                SELECT item_id, from_account AS account_id, happened_at, -quantity AS quantity FROM entry
                UNION ALL SELECT item_id, to_account, happened_at, quantity FROM entry) leg
            JOIN account a USING (account_id) WHERE a.class <> 'outside') running WHERE held < 0""",
    "5: the recorded clock never goes back": """
        SELECT count(*) FROM entry e JOIN entry p ON p.item_id = e.item_id AND p.version = e.version - 1
        WHERE e.recorded_at < p.recorded_at""",
    "6: counters' books have no gaps": """
        SELECT count(*) FROM book b WHERE kind = 'counter'
        AND next_number - 1 <> (SELECT count(*) FROM document d WHERE d.book_id = b.book_id)""",
    "7: two people on every command that takes two": f"""
        SELECT count(*) FROM document WHERE NOT fact AND NOT undo AND (act IN ({_acts(TWO_PARTY_ACTS)}) OR details ? 'override')
        AND (approved_by IS NULL OR approved_by = posted_by)""",
    "7: nobody approves what they posted": """
        SELECT count(*) FROM document WHERE approved_by = posted_by""",
    "1: what stays is on the account where it was": f"""
        SELECT count(*) FROM live_entries(ARRAY(SELECT item_id FROM item WHERE tracked_by = 'serial'), '-infinity')
        WHERE first_act IN ({_acts(STAYS)}) AND from_account <> to_account AND from_class <> 'outside'""",
    "9: a document has the lines it says": """
        SELECT count(*) FROM document d WHERE line_count <> (SELECT count(*) FROM entry e WHERE e.document_id = d.document_id)""",
    "every entry, document and register has its leaf in the queue": """
        SELECT (SELECT count(*) FROM entry) + (SELECT count(*) FROM document) + (SELECT count(*) FROM register)
             - (SELECT count(*) FROM unsequenced)""",
}

"""Custody from its entries: each item's entries are a chain, and what is where now is what they add up to."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile.log.verifying.books import Books, Check, Wrong
from stockpile.sites import OUTSIDE_ID

_CHAINS = f"""
SELECT e.item_id, e.version, CASE
           WHEN e.version <> coalesce(e.before, 0) + 1 THEN 'no entry'
           WHEN e.serial AND e.before IS NULL AND e.from_account <> '{OUTSIDE_ID}' THEN 'not from outside'
           WHEN e.serial AND e.from_account <> e.ended THEN 'begins elsewhere'
           ELSE 'recorded before' END,
       e.before, e.from_account, e.ended, e.recorded_at, e.recorded_before
FROM (SELECT item_id, version, serial, from_account, recorded_at, lag(version) OVER item AS before,
             lag(to_account) OVER item AS ended, lag(recorded_at) OVER item AS recorded_before
      FROM entry WINDOW item AS (PARTITION BY item_id ORDER BY version)) e
WHERE e.version <> coalesce(e.before, 0) + 1
   OR e.serial AND e.from_account <> coalesce(e.ended, '{OUTSIDE_ID}')
   OR e.recorded_at < e.recorded_before
ORDER BY e.item_id, e.version
"""


def _chains(books: Books) -> Iterator[Wrong]:
    for item_id, version, wrong, before, begins, ended, recorded_at, recorded_before in books.rows(_CHAINS):
        what = {
            "no entry": f"entry {(before or 0) + 1} before it is missing",
            "not from outside": f"the weapon's first entry begins at {books.account(begins)}, not outside the books",
            "begins elsewhere": f"it begins at {books.account(begins)}; the entry before it ended at "
            + (books.account(ended) if ended else "nothing"),
            "recorded before": f"recorded at {recorded_at}, before the entry before it ({recorded_before})",
        }[wrong]
        yield Wrong(books.entry(item_id, version), what)


_LIVE = """
SELECT item_id, version, happened_at, earlier, happened_before
FROM (SELECT e.item_id, e.version, e.happened_at, lag(e.version) OVER item AS earlier, lag(e.happened_at) OVER item AS happened_before
      FROM entry e LEFT JOIN entry r ON r.item_id = e.item_id AND r.reverses = e.version
      WHERE e.serial AND e.reverses IS NULL AND r.item_id IS NULL
      WINDOW item AS (PARTITION BY e.item_id ORDER BY e.version)) live
WHERE happened_at < happened_before
ORDER BY item_id, version
"""


def _live(books: Books) -> Iterator[Wrong]:
    for item_id, version, happened_at, earlier, happened_before in books.rows(_LIVE):
        what = f"it happened at {happened_at}, before entry {earlier} of the same weapon ({happened_before})"
        yield Wrong(books.entry(item_id, version), what)


_MENDED = f"""
SELECT e.item_id, e.version, coalesce(e.reverses, e.posts_again), e.reverses IS NOT NULL, o.item_id IS NULL, r.item_id IS NOT NULL
FROM entry e
LEFT JOIN entry o ON o.item_id = e.item_id AND o.version = coalesce(e.reverses, e.posts_again)
LEFT JOIN document d ON d.document_id = o.document_id
LEFT JOIN entry r ON e.posts_again IS NOT NULL AND r.item_id = e.item_id AND r.reverses = e.posts_again AND r.version < e.version
LEFT JOIN (SELECT item_id, posts_again, sum(quantity) AS quantity FROM entry WHERE posts_again IS NOT NULL GROUP BY 1, 2) p
       ON p.item_id = e.item_id AND p.posts_again = e.posts_again
WHERE coalesce(e.reverses, e.posts_again) IS NOT NULL
  AND (o.item_id IS NULL OR o.reverses IS NOT NULL OR o.quantity <> coalesce(p.quantity, e.quantity) OR o.happened_at <> e.happened_at
       OR e.reverses IS NOT NULL AND (o.from_account, o.to_account) <> (e.to_account, e.from_account)
       OR e.posts_again IS NOT NULL AND (r.item_id IS NULL OR o.to_account <> e.to_account AND o.from_account <> o.to_account
           AND NOT (o.from_account = '{OUTSIDE_ID}' AND d.act IN ('mark', 'change custodian'))))
ORDER BY 1, 2
"""


def _mended(books: Books) -> Iterator[Wrong]:
    for item_id, version, of, reverses, is_missing, was_reversed in books.rows(_MENDED):
        verb = "reverses" if reverses else "posts again"
        if is_missing:
            what = f"entry {of}, which it {verb}, is missing"
        elif not reverses and not was_reversed:
            what = f"it posts again entry {of}, which nothing reversed"
        else:
            what = f"it does not mirror entry {of}, which it {verb}: accounts, quantity or moment differ"
        yield Wrong(books.entry(item_id, version), what)


_HOLDINGS = f"""
SELECT coalesce(l.item_id, h.item_id), coalesce(l.account_id, h.account_id), coalesce(l.quantity, 0), coalesce(h.quantity, 0)
FROM (SELECT item_id, account_id, sum(quantity)::bigint AS quantity
      FROM (SELECT item_id, from_account AS account_id, -quantity AS quantity FROM entry
            UNION ALL SELECT item_id, to_account, quantity FROM entry) leg
      WHERE account_id <> '{OUTSIDE_ID}'
      GROUP BY item_id, account_id HAVING sum(quantity) <> 0) l
FULL JOIN holding h ON h.item_id = l.item_id AND h.account_id = l.account_id
WHERE l.quantity IS DISTINCT FROM h.quantity
ORDER BY 1, 2
"""


def _holdings(books: Books) -> Iterator[Wrong]:
    for item_id, account_id, by_entries, held in books.rows(_HOLDINGS):
        what = f"{books.account(account_id)} holds {held:,} of it; its entries add up to {by_entries:,}"
        yield Wrong(f"holding of {books.item(item_id)}", what)


_BALANCES = """
SELECT p.code, m.name, class, sum(by_entries)::bigint, sum(held)::bigint
FROM (SELECT e.donor_id, e.model_id, a.class, sum(e.quantity) AS by_entries, 0 AS held
      FROM entry e JOIN account a ON a.account_id = e.to_account GROUP BY 1, 2, 3
      UNION ALL
      SELECT e.donor_id, e.model_id, a.class, -sum(e.quantity), 0
      FROM entry e JOIN account a ON a.account_id = e.from_account GROUP BY 1, 2, 3
      UNION ALL
      SELECT i.donor_id, i.model_id, a.class, 0, sum(h.quantity)
      FROM holding h JOIN item i ON i.item_id = h.item_id JOIN account a ON a.account_id = h.account_id GROUP BY 1, 2, 3
      UNION ALL
      SELECT i.donor_id, i.model_id, 'outside', 0, -sum(h.quantity)
      FROM holding h JOIN item i ON i.item_id = h.item_id GROUP BY 1, 2) leg
LEFT JOIN party p ON p.party_id = leg.donor_id LEFT JOIN model m ON m.model_id = leg.model_id
GROUP BY leg.donor_id, leg.model_id, p.code, m.name, class HAVING sum(by_entries) <> sum(held)
ORDER BY 1, 2, 3
"""


def _balances(books: Books) -> Iterator[Wrong]:
    for donor, model, account_class, by_entries, held in books.rows(_BALANCES):
        yield Wrong(
            f"balance of {donor}, {model}, {account_class}",
            f"the entries add up to {by_entries:,}, the holdings to {held:,}",
        )


CHECKS = (
    Check("chains of entries", _CHAINS, _chains),
    Check("order of what happened", _LIVE, _live),
    Check("reversals", _MENDED, _mended),
    Check("holdings", _HOLDINGS, _holdings),
    Check("balances by donor and model", _BALANCES, _balances),
)

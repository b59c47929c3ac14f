"""The lists of weapons, their addresses and the bare SQL of their first pages. Totals and page are told as simply as the tables allow; since
when a weapon stands where it does is its last entry's.
"""

from __future__ import annotations

from bench.beside import FirstPage


def _held(which: str) -> str:
    """The first page of the weapons to which this applies, by model and serial number, and how many there are."""
    return f"""
    WITH total AS (
        SELECT count(*), sum(h.quantity) FROM holding h JOIN account a USING (account_id) JOIN item i USING (item_id)
        JOIN model m ON m.model_id = i.model_id JOIN site s ON s.site_id = a.site_id WHERE {which})
    SELECT * FROM total, LATERAL (
        SELECT i.item_id, i.tag_number, m.maker, m.name, n.serial_number, p.code, a.class, a.name AS account, s.code AS site, h.quantity,
               e.happened_at, b.code AS book, d.number
        FROM (SELECT h.item_id, h.account_id, h.quantity, m.name, n.serial_key
              FROM holding h JOIN account a USING (account_id) JOIN item i USING (item_id) JOIN model m ON m.model_id = i.model_id
              JOIN identification n USING (item_id) JOIN site s ON s.site_id = a.site_id
              WHERE {which} ORDER BY m.name, n.serial_key, h.item_id, h.account_id LIMIT 51) h
        JOIN item i USING (item_id) JOIN model m ON m.model_id = i.model_id JOIN identification n USING (item_id) JOIN party p ON p.party_id = i.donor_id
        JOIN account a USING (account_id) JOIN site s ON s.site_id = a.site_id
        JOIN LATERAL (SELECT * FROM entry e WHERE e.item_id = h.item_id ORDER BY version DESC LIMIT 1) e ON true
        JOIN document d USING (document_id) JOIN book b USING (book_id)
        ORDER BY m.name, n.serial_key, h.item_id, h.account_id) page
    """


PAGES = (
    FirstPage("/weapons", _held("a.class <> 'outside'")),
    FirstPage("/weapons?model=AKM", _held("m.name = 'AKM'")),
    FirstPage("/weapons?class=store", _held("a.class = 'store'")),
    FirstPage("/weapons?site=SITE-03", _held("s.code = 'SITE-03'")),
    FirstPage("/holdings?site=SITE-00", _held("s.code = 'SITE-00' AND a.class IN ('store', 'unit', 'person', 'maintenance')")),
    FirstPage(
        "/weapon-cards",
        """
        SELECT h.item_id, m.name, n.serial_number, p.code, p.name, last.happened_at
        FROM holding h JOIN account a ON a.account_id = h.account_id AND a.class = 'person'
        JOIN LATERAL (SELECT * FROM entry e WHERE e.item_id = h.item_id AND e.from_account <> e.to_account ORDER BY version DESC LIMIT 1) last ON true
        JOIN document d ON d.document_id = last.document_id AND d.act = 'issue' AND d.details ->> 'paper' = 'weapon card'
        JOIN item i ON i.item_id = h.item_id JOIN model m ON m.model_id = i.model_id JOIN identification n ON n.item_id = h.item_id
        LEFT JOIN party p ON p.party_id = a.party_id
        ORDER BY last.happened_at, h.item_id LIMIT 51
        """,
    ),
    FirstPage("/documents", "SELECT * FROM document ORDER BY recorded_at DESC, document_id DESC LIMIT 51"),
    FirstPage("/weapons/{weapon}", "SELECT * FROM entry JOIN document USING (document_id) WHERE item_id = '{weapon}'", target=0.1),
)  # fmt: skip

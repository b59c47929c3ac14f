"""The lists of weapons, their addresses and the bare SQL of their first pages."""

from __future__ import annotations

from bench.beside import FirstPage

PAGES = (
    FirstPage(
        "/weapons",
        """
        WITH total AS (SELECT count(*), sum(h.quantity) FROM holding h JOIN account a USING (account_id) WHERE a.class <> 'outside')
        SELECT * FROM total, LATERAL (
            SELECT i.item_id, i.tag_number, m.maker, m.name, n.serial_number, p.code, a.class, a.name AS account, s.code AS site, h.quantity,
                   e.happened_at, b.code AS book, d.number
            FROM model m JOIN item i USING (model_id) JOIN identification n USING (item_id) JOIN party p ON p.party_id = i.donor_id
            JOIN holding h USING (item_id) JOIN account a USING (account_id) JOIN site s ON s.site_id = a.site_id
            JOIN LATERAL (SELECT * FROM entry e WHERE e.item_id = h.item_id ORDER BY version DESC LIMIT 1) e ON true
            JOIN document d USING (document_id) JOIN book b USING (book_id)
            WHERE a.class <> 'outside'
            ORDER BY m.name, n.serial_key, i.item_id, h.account_id LIMIT 51) page
        """,
    ),
)

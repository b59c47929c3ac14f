"""Which documents were taken back by a recorded moment: a report of what was done leaves them out. Steps of a question, to be put after
its WITH RECURSIVE; it knows `recorded_at`.

An entry that late facts moved stands for its document: it was reversed, and posted again in the document that reversed it.
"""

from __future__ import annotations

TAKEN_BACK = """reversal AS MATERIALIZED (
    SELECT e.item_id, e.reverses AS version, e.document_id FROM entry e
    WHERE e.reverses IS NOT NULL AND e.recorded_at <= %(recorded_at)s
), moved_on AS (
    SELECT e.document_id, e.item_id, e.version AS first, r.version, r.document_id AS by_document
    FROM reversal r JOIN entry e ON e.item_id = r.item_id AND e.version = r.version WHERE e.posts_again IS NULL
    UNION ALL
    SELECT m.document_id, m.item_id, m.first, r.version, r.document_id
    FROM moved_on m
    JOIN entry p ON p.document_id = m.by_document AND p.item_id = m.item_id AND p.posts_again = m.version
    JOIN reversal r ON r.item_id = p.item_id AND r.version = p.version
), taken_entry AS MATERIALIZED (
    SELECT DISTINCT m.document_id, m.item_id, m.first FROM moved_on m
    WHERE NOT EXISTS (SELECT FROM entry p WHERE p.document_id = m.by_document AND p.item_id = m.item_id AND p.posts_again = m.version)
), taken_back AS MATERIALIZED (
    SELECT t.document_id FROM (SELECT document_id, count(*) AS entries FROM taken_entry GROUP BY document_id) t
    WHERE t.entries = (SELECT count(*) FROM entry e
                       WHERE e.document_id = t.document_id AND e.reverses IS NULL AND e.posts_again IS NULL)
)"""
"""`taken_entry`: entries (first) of documents that stand no more; `taken_back`: documents of which none stands."""

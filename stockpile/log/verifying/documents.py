"""Documents: each has the lines it says, and each book has every number."""

from __future__ import annotations

from collections.abc import Iterator

from stockpile.log.verifying.books import NUMBER, Books, Check, Wrong

_LINES = """
SELECT coalesce(d.document_id, e.document_id), d.document_id IS NULL, d.line_count, d.quantity,
       coalesce(e.lines, 0), coalesce(e.quantity, 0)::bigint, e.different, e.first_line, e.last_line
FROM document d
FULL JOIN (SELECT document_id, count(*) AS lines, sum(quantity) AS quantity, count(DISTINCT line) AS different,
                  min(line) AS first_line, max(line) AS last_line FROM entry GROUP BY document_id) e USING (document_id)
WHERE d.document_id IS NULL OR d.line_count <> coalesce(e.lines, 0) OR d.quantity <> coalesce(e.quantity, 0)
   OR e.different <> e.lines OR e.first_line <> 1 OR e.last_line <> e.lines
ORDER BY 1
"""


def _lines(books: Books) -> Iterator[Wrong]:
    for document_id, is_missing, line_count, quantity, lines, found, *_ in books.rows(_LINES):
        if is_missing:
            what = f"the document is missing, but {lines:,} entries stand under it"
        elif line_count != lines:
            what = f"it says {line_count:,} lines, and has {lines:,} entries"
        elif quantity != found:
            what = f"it says a quantity of {quantity:,}, its entries add up to {found:,}"
        else:
            what = f"its lines are not numbered 1 to {lines:,}, each once"
        yield Wrong(books.document(document_id), what)


_PARTIES = f"""
SELECT {NUMBER}, d.document_id, w.part, w.said IS NULL, w.signed IS NULL
FROM (SELECT document_id, part, max(party_id::text) FILTER (WHERE of_document) AS said,
             max(party_id::text) FILTER (WHERE NOT of_document) AS signed
      FROM (SELECT document_id, 'posted_by' AS part, posted_by AS party_id, true AS of_document FROM document
            UNION ALL SELECT document_id, 'approved_by', approved_by, true FROM document WHERE approved_by IS NOT NULL
            UNION ALL SELECT document_id, part, party_id, false FROM signatory WHERE part IN ('posted_by', 'approved_by')) one
      GROUP BY document_id, part) w
LEFT JOIN document d USING (document_id) LEFT JOIN book b USING (book_id) LEFT JOIN site s ON s.site_id = d.site_id
WHERE w.said IS DISTINCT FROM w.signed
ORDER BY d.document_id, w.part
"""


def _parties(books: Books) -> Iterator[Wrong]:
    for number, document_id, part, not_said, not_signed in books.rows(_PARTIES):
        words = part.replace("_", " ")
        if not_signed:
            what = f"it is {words} somebody, of whom no signature is kept"
        elif not_said:
            what = f"a signature says {words} somebody, and the document nobody"
        else:
            what = f"it is {words} another than its signatures say"
        yield Wrong(f"{number} (document {document_id})", what)


_BOOKS = """
SELECT b.name, b.kind, m.first_number, m.last_number, m.at_the_end
FROM (SELECT b.book_id, b.kind, b.next_number, concat_ws('/', s.code, b.code, b.year) AS name
      FROM book b LEFT JOIN site s USING (site_id)) b
JOIN (SELECT book_id, CASE kind WHEN 'paper' THEN coalesce(before, number - 1) ELSE coalesce(before, 0) END + 1 AS first_number,
             number - 1 AS last_number, at_the_end
      FROM (SELECT n.book_id, b.kind, n.number, n.at_the_end, lag(n.number) OVER (PARTITION BY n.book_id ORDER BY n.number) AS before
            FROM (SELECT book_id, number, false AS at_the_end FROM document
                  UNION ALL SELECT book_id, next_number, true FROM book) n
            JOIN book b USING (book_id)) n) m USING (book_id)
WHERE m.first_number <= m.last_number
  AND (b.kind NOT IN ('device', 'paper') OR m.at_the_end
       OR NOT EXISTS (SELECT FROM discrepancy x WHERE x.book_id = m.book_id AND x.first_number <= m.first_number
                      AND x.last_number >= m.last_number))
  AND NOT (b.kind = 'paper' AND m.at_the_end AND m.first_number = b.next_number)
ORDER BY b.name, m.first_number
"""


def _books(books: Books) -> Iterator[Wrong]:
    for name, kind, first, last, at_the_end in books.rows(_BOOKS):
        run = f"{name}/{first}" if first == last else f"{name}/{first} to {last}"
        verb = "is" if first == last else "are"
        if at_the_end:
            what = f"{run} {verb} missing at its end: the number was given"
        elif kind in ("device", "paper"):
            what = f"{run} {verb} missing, and no discrepancy says so"
        else:
            what = f"{run} {verb} missing"
        yield Wrong(f"book {name}", what)


CHECKS_OF_LINES = (
    Check("lines of documents", _LINES, _lines),
    Check("parties of documents", _PARTIES, _parties),
)
CHECKS_OF_BOOKS = (Check("numbers of books", _BOOKS, _books),)

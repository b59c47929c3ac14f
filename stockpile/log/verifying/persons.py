"""The digests of persons, made anew from name and secret where both are still there. An erased person's digests stand as they are: the
leaves commit them.
"""

from __future__ import annotations

from collections.abc import Iterator

from stockpile.log.leaf import name_value, person_digest
from stockpile.log.verifying.books import Books, Check, Wrong

_DIGESTS = """
SELECT s.key, s.part, s.party_id, s.name_version, s.digest, p.party_id IS NULL, p.secret, n.version IS NULL,
       n.code, n.name, n.rank, s.source
FROM (SELECT document_id AS key, part, party_id, name_version, digest, 'document' AS source FROM signatory
      UNION ALL SELECT note_id, 'written_by', written_by, name_version, digest, 'note' FROM note
      UNION ALL SELECT statement_id, 'said_by', said_by, name_version, digest, 'donor''s statement' FROM donor_statement
      UNION ALL SELECT register_id, 'imported_by', imported_by, imported_by_version, imported_by_digest, 'register' FROM register
                WHERE imported_by_digest IS NOT NULL
      UNION ALL SELECT part_id, 'written_by', written_by, name_version, digest, 'part of a case' FROM case_part
      UNION ALL SELECT erasure_id, 'asked_by', asked_by, asked_by_version, asked_by_digest, 'erasure' FROM erasure
      UNION ALL SELECT erasure_id, 'approved_by', approved_by, approved_by_version, approved_by_digest, 'erasure' FROM erasure) s
LEFT JOIN party p ON p.party_id = s.party_id
LEFT JOIN party_name n ON n.party_id = s.party_id AND n.version = s.name_version
ORDER BY s.key, s.part
"""


def _digests(books: Books) -> Iterator[Wrong]:
    for key, part, party_id, version, digest, no_party, secret, no_name, code, name, rank, source in books.rows(
        _DIGESTS
    ):
        if not (no_party or no_name) and (secret is None or name is None):
            continue
        if no_party:
            what = f"party {party_id} is missing"
        elif no_name:
            what = f"version {version} of the name of party {party_id} is missing"
        elif person_digest(secret, key, part, name_value(code, name, rank, version)) != digest:
            what = (
                f"its digest does not follow from version {version} of the name of party {party_id}: name, rank, service number or "
                "secret was altered since, or the digest"
            )
        else:
            continue
        row = books.document(key) if source == "document" else f"{source} {key}"
        yield Wrong(f"{row}, {part.replace('_', ' ')}", what)


_NAMES = """
SELECT p.party_id, p.name_version, n.version IS NULL
FROM party p LEFT JOIN party_name n ON n.party_id = p.party_id AND n.version = p.name_version
WHERE n.version IS NULL OR (p.code, p.name, p.rank) IS DISTINCT FROM (n.code, n.name, n.rank)
ORDER BY 1
"""


def _names(books: Books) -> Iterator[Wrong]:
    for party_id, version, is_missing in books.rows(_NAMES):
        what = "is missing" if is_missing else "is not the name it has"
        yield Wrong(f"party {party_id}", f"version {version} among its names {what}")


CHECKS = (Check("digests of persons", _DIGESTS, _digests), Check("names of parties", _NAMES, _names))

"""The check of files: whether every file that the books name is there, and is the one that was stored. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from stockpile.files import FileStore
from stockpile.progress import told

TOLD_EVERY = 50

_NAMED_BY = (
    """SELECT f.sha256, concat_ws('/', s.code, b.code, b.year, d.number)
       FROM document d JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id,
            jsonb_array_elements_text(d.attachments) AS f (sha256)
       WHERE d.attachments <> '[]'""",
    """SELECT f.sha256, 'a note to ' || concat_ws('/', s.code, b.code, b.year, d.number)
       FROM note n JOIN document d USING (document_id) JOIN book b USING (book_id) JOIN site s ON s.site_id = d.site_id,
            jsonb_array_elements_text(n.attachments) AS f (sha256)""",
    """SELECT f.sha256, 'part ' || p.part || ' of case ' || p.case_id
       FROM case_part p, jsonb_array_elements_text(p.attachments) AS f (sha256) WHERE p.attachments <> '[]'""",
    "SELECT encode(file_sha256, 'hex'), kind || ' ' || name FROM register WHERE file_sha256 IS NOT NULL",
    """SELECT f.sha256, t.kind || ' ' || t.year || '/' || t.number FROM tracing t, jsonb_array_elements_text(t.photos) AS f (sha256)""",
    """SELECT f.sha256 #>> '{}', 'draft ' || document_id
       FROM draft, jsonb_path_query(request, 'strict $.** ? (@ like_regex "^[0-9a-f]{64}$")') AS f (sha256)""",
    """SELECT f.sha256, kind || ' ' || reference FROM donor_statement,
            LATERAL (VALUES (content->'file'->>'sha256'), (content->>'scan_sha256')) AS f (sha256)
       WHERE f.sha256 IS NOT NULL""",
    """SELECT f.sha256 #>> '{}', kind || ' ' || reference FROM donor_statement,
            LATERAL (SELECT jsonb_path_query(content, '$.evidence[*].sha256')
                     UNION ALL SELECT jsonb_path_query(content, '$.lines[*].evidence[*]')) AS f (sha256)
       WHERE kind IN ('visit', 'refused visit', 'disposition report')""",
)
"""Whatever names files."""
NAMED = f"SELECT n.sha256, min(n.named_by), count(*) FROM ({' UNION ALL '.join(_NAMED_BY)}) n (sha256, named_by) GROUP BY 1 ORDER BY 1"


class Named(NamedTuple):
    """A file by its SHA-256, what names it, and how many do."""

    sha256: str
    named_by: str
    times: int


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What the check found. `come_back`: erased by order, and there again, from a backup say. `unnamed`: stored, and nothing in
    the books names them (yet).
    """

    named: int
    intact: int
    erased: int
    missing: tuple[Named, ...]
    altered: tuple[Named, ...]
    come_back: tuple[str, ...]
    unnamed: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether every file that is to be there is there unaltered, and none that was erased."""
        return not (self.missing or self.altered or self.come_back)


def check_files(connection: Connection, store: FileStore) -> FileCheck:
    """Reads every file that the books name. The connection stands in a role that reads all."""
    erased = _erased(connection)
    named = [Named(*row) for row in connection.exec_driver_sql(NAMED)]
    missing, altered, intact = [], [], 0
    for done, one in enumerate(named):
        if done % TOLD_EVERY == 0:
            told("files read", done, len(named))
        if one.sha256 in erased:
            continue
        if not store.holds(one.sha256):
            missing.append(one)
        elif _unaltered(store, one.sha256):
            intact += 1
        else:
            altered.append(one)
    names = {one.sha256 for one in named}
    return FileCheck(
        len(named),
        intact,
        len(names & erased),
        tuple(missing),
        tuple(altered),
        tuple(sorted(digest for digest in erased if store.holds(digest))),
        tuple(_unnamed(store, names | erased)),
    )


def _erased(connection: Connection) -> set[str]:
    rows = connection.exec_driver_sql("SELECT encode(sha256, 'hex') FROM erased_file")
    return {str(row[0]) for row in rows}


def _unaltered(store: FileStore, digest: str) -> bool:
    """A file that can't be read is as good as altered."""
    try:
        return store.is_unaltered(digest)
    except OSError:
        return False


def _unnamed(store: FileStore, names: set[str]) -> Iterator[str]:
    return (digest for digest in store.digests() if digest not in names)

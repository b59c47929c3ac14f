"""Registers, notes, cases, erasures and what donors and host tell each other: their leaves, the lines of a register, and the chain of
what erasures took from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any

from stockpile.log.leaf import (
    CASE_FIELDS,
    ERASURE_FIELDS,
    NOTE_FIELDS,
    OPENING_FIELDS,
    REGISTER_FIELDS,
    case_leaf,
    donor_statement_leaf,
    erasure_leaf,
    name_value,
    note_leaf,
    opening_value,
    person_digest,
    register_leaf,
)
from stockpile.log.verifying.books import Books, Check, Wrong
from stockpile.log.verifying.leaves import leaf_differs
from stockpile.proof.fields import DONOR_STATEMENT_FIELDS
from stockpile.registers.keep import cells_json, line_of_digest

_LINES = """
SELECT coalesce(r.register_id, l.register_id), r.name, r.line_count, r.rejected_count, r.lines_digest,
       x.digest_after, l.line, l.cells, l.rejected IS NOT NULL
FROM register r FULL JOIN register_line l USING (register_id)
LEFT JOIN (SELECT DISTINCT ON (register_id) register_id, digest_after FROM register_erasure ORDER BY register_id, version DESC) x
       ON x.register_id = r.register_id
ORDER BY 1, l.line
"""


def _lines(books: Books) -> Iterator[Wrong]:
    for register_id, lines in groupby(books.rows(_LINES), key=itemgetter(0)):
        digest, found, rejected, header = sha256(), 0, 0, None
        for row in lines:
            header = row[1:6]
            if row[6] is not None:
                digest.update(line_of_digest(row[6], cells_json(tuple(row[7]))))
                found, rejected = found + 1, rejected + row[8]
        assert header is not None
        name, line_count, rejected_count, of_leaf, after_erasure = header
        what = None
        if name is None:
            what = f"the register is missing, and {found:,} lines of it are there"
        elif line_count != found:
            what = f"it says {line_count:,} lines, and has {found:,}"
        elif digest.digest() != bytes(after_erasure or of_leaf):
            since = "the last erasure" if after_erasure else "its leaf"
            what = f"its lines are not those that {since} commits: one was altered, or another put in its place"
        elif rejected_count != rejected:
            what = f"it says that {rejected_count:,} lines were rejected; {rejected:,} are marked so"
        if what:
            yield Wrong(f"register {name or ''} ({register_id})", what)


_ERASED_LINES = """
SELECT r.name, x.register_id, x.version, x.digest_before = coalesce(x.earlier, r.lines_digest), e.erasure_id IS NOT NULL,
       coalesce(e.registers @> jsonb_build_array(jsonb_build_object('register', x.register_id, 'lines', x.lines,
           'before', encode(x.digest_before, 'hex'), 'after', encode(x.digest_after, 'hex'))), false)
FROM (SELECT x.*, lag(x.digest_after) OVER (PARTITION BY register_id ORDER BY version) AS earlier FROM register_erasure x) x
LEFT JOIN register r ON r.register_id = x.register_id LEFT JOIN erasure e ON e.erasure_id = x.erasure_id
ORDER BY x.register_id, x.version
"""


def _erased_lines(books: Books) -> Iterator[Wrong]:
    for name, register_id, version, follows, has_erasure, in_leaf in books.rows(_ERASED_LINES):
        if not has_erasure:
            what = f"its erasure {version} names no erasure that is recorded"
        elif not in_leaf:
            what = f"its erasure {version} is not the one that the erasure's leaf commits"
        elif not follows:
            what = f"its erasure {version} does not begin where the one before it, or its leaf, ended"
        else:
            continue
        yield Wrong(f"register {name or ''} ({register_id})", what)


_REGISTERS = f"""
SELECT r.seed, r.leaf, r.imported_by_digest, p.secret, n.names,
       {", ".join(f"r.{name}" for name in REGISTER_FIELDS if name != "imported_by")}
FROM register r LEFT JOIN party p ON p.party_id = r.imported_by
LEFT JOIN (SELECT party_id, jsonb_agg(jsonb_build_array(code, name, rank, version) ORDER BY version DESC) AS names
           FROM party_name WHERE name IS NOT NULL GROUP BY party_id) n ON n.party_id = r.imported_by
ORDER BY r.register_id
"""
_REGISTER_NAMES = tuple(name for name in REGISTER_FIELDS if name != "imported_by")


def _registers(books: Books) -> Iterator[Wrong]:
    """The digest of who imported a list stands beside it. Lists that were kept before it was noted have it only where their leaf
    followed from a name; of others it is made of the names that the person has had, and of who was erased before there is none: the
    lines still speak for themselves, and the leaf is looked for in the log.
    """
    for seed, leaf, noted, secret, names, *values in books.rows(_REGISTERS):
        header = dict(zip(_REGISTER_NAMES, values, strict=True))
        if noted is None and secret is None:
            continue
        digests = (
            [noted]
            if noted is not None
            else [
                person_digest(secret, header["register_id"], "imported_by", name_value(*name)) for name in names or ()
            ]
        )
        if leaf not in (register_leaf(seed, header, digest) for digest in digests):
            fields = "its header or the digest of who imported it"
            yield Wrong(f"register {header['name']} ({header['register_id']})", leaf_differs(seed, leaf, fields))


_NOTES = f"""
SELECT n.seed, n.leaf, n.digest, {", ".join(f"n.{name}" for name in NOTE_FIELDS if name != "written_by")}
FROM note n ORDER BY n.note_id
"""
_NOTE_NAMES = tuple(name for name in NOTE_FIELDS if name != "written_by")


def _notes(books: Books) -> Iterator[Wrong]:
    for seed, leaf, digest, *values in books.rows(_NOTES):
        header = dict(zip(_NOTE_NAMES, values, strict=True))
        if note_leaf(seed, header, digest) != leaf:
            what = leaf_differs(seed, leaf, "what it says, brings or belongs to, or its writer's digest")
            yield Wrong(f"note {header['note_id']} to {books.document(header['document_id'])}", what)


_OPENING = ", ".join(f"f.{name}" for name in OPENING_FIELDS)
_CASE_NAMES = tuple(name for name in CASE_FIELDS if name not in ("case", "written_by"))
_CASES = f"""
SELECT coalesce(p.case_id, f.case_id), p.seed, p.leaf, p.digest, f.opened_at, {_OPENING}, {", ".join(f"p.{name}" for name in _CASE_NAMES)}
FROM (SELECT *, CASE part WHEN 1 THEN case_id END AS opens FROM case_part) p FULL JOIN case_file f ON f.case_id = p.opens
ORDER BY 1, p.part
"""


def _cases(books: Books) -> Iterator[Wrong]:
    """Each part of each case, the first with the case's own row."""
    for case_id, seed, leaf, digest, opened_at, *values in books.rows(_CASES):
        case = dict(zip(OPENING_FIELDS, values, strict=False))
        header: dict[str, Any] = dict(zip(_CASE_NAMES, values[len(OPENING_FIELDS) :], strict=True))
        if seed is None:
            yield Wrong(f"case {case_id}", "its first part is missing")
            continue
        name = f"part {header['part']} of case {case_id}"
        if header["part"] == 1 and (opened_at is None or opened_at != header["recorded_at"]):
            yield Wrong(name, "the case that it opens is missing, or says another moment")
            continue
        if header["due_on"] is not None:
            header["due_on"] = header["due_on"].isoformat()
        header["case"] = opening_value(case) if header["part"] == 1 else None
        if case_leaf(seed, header, digest) != leaf:
            yield Wrong(name, leaf_differs(seed, leaf, "what it says, brings or is about, or its writer's digest"))


_ERASURES = f"""
SELECT e.seed, e.leaf, e.asked_by_digest, e.approved_by_digest,
       {", ".join(f"e.{name}" for name in ERASURE_FIELDS if name not in ("asked_by", "approved_by"))}
FROM erasure e ORDER BY e.erasure_id
"""
_ERASURE_NAMES = tuple(name for name in ERASURE_FIELDS if name not in ("asked_by", "approved_by"))


def _erasures(books: Books) -> Iterator[Wrong]:
    for seed, leaf, asked_by, approved_by, *values in books.rows(_ERASURES):
        header: dict[str, Any] = dict(zip(_ERASURE_NAMES, values, strict=True))
        if erasure_leaf(seed, header, {"asked_by": asked_by, "approved_by": approved_by}) != leaf:
            what = leaf_differs(seed, leaf, "what it says that went, or a digest of who asked or approved")
            yield Wrong(f"erasure {header['erasure_id']}", what)


_STATEMENTS = f"""
SELECT x.seed, x.leaf, x.digest, p.code, {", ".join(f"x.{name}" for name in DONOR_STATEMENT_FIELDS if name != "said_by")}
FROM donor_statement x JOIN party p ON p.party_id = x.donor_id ORDER BY x.donor_id, x.statement_id
"""
_STATEMENT_NAMES = tuple(name for name in DONOR_STATEMENT_FIELDS if name != "said_by")


def _statements(books: Books) -> Iterator[Wrong]:
    for seed, leaf, digest, donor, *values in books.rows(_STATEMENTS):
        header = dict(zip(_STATEMENT_NAMES, values, strict=True))
        if donor_statement_leaf(seed, header, digest) != leaf:
            what = leaf_differs(seed, leaf, "what it says or answers, or the digest of who said it")
            yield Wrong(f"{header['kind']} {donor} {header['reference']} ({header['statement_id']})", what)


_UNRECORDED = """
SELECT 'erased person ' || p.party_id, 'the name is gone, and no erasure is recorded' FROM party p
LEFT JOIN erasure e ON e.party_id = p.party_id WHERE p.erased_at IS NOT NULL AND e.party_id IS NULL
UNION ALL
SELECT 'erasure ' || e.erasure_id, 'its person still has a name or a secret' FROM erasure e
JOIN party p ON p.party_id = e.party_id WHERE p.erased_at IS NULL OR p.name IS NOT NULL OR p.secret IS NOT NULL
UNION ALL
SELECT 'erased file ' || encode(f.sha256, 'hex'), 'it is not among the files that its erasure says went' FROM erased_file f
LEFT JOIN erasure e ON e.erasure_id = f.erasure_id WHERE NOT coalesce(e.files @> to_jsonb(encode(f.sha256, 'hex')), false)
ORDER BY 1
"""


def _unrecorded(books: Books) -> Iterator[Wrong]:
    return (Wrong(*row) for row in books.rows(_UNRECORDED))


CHECKS = (
    Check("lines of registers", _LINES, _lines),
    Check("what erasures took from registers", _ERASED_LINES, _erased_lines),
    Check("leaves of registers", _REGISTERS, _registers),
    Check("leaves of notes", _NOTES, _notes),
    Check("leaves of cases", _CASES, _cases),
    Check("leaves of erasures", _ERASURES, _erasures),
    Check("leaves of donors' statements", _STATEMENTS, _statements),
    Check("erasures", _UNRECORDED, _unrecorded),
)

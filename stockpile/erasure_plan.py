"""What erasing a person would do, for two people to decide about: what speaks against it, where the name stands, which files may
show the person. Only reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from stockpile.errors import Reason
from stockpile.occurrences import Occurrence, Words, called_of, occurrences
from stockpile.parties import Party


@dataclass(frozen=True, slots=True)
class PersonsFile:
    """A file that may show the person: a scan of a paper on which the person stands or is named, or a list with the person in
    it; how many documents, notes and lists name it.
    """

    sha256: str
    named_by: str
    times: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure would do: whom it is about, what speaks against it, where the name stands, which files may show it."""

    party_id: UUID
    person: str
    names: int
    against: tuple[Reason, ...]
    words: tuple[Occurrence, ...]
    files: tuple[PersonsFile, ...]


def named_in(connection: Connection, party: Party) -> list[Words]:
    """Every place in which a person is named. The connection stands in the registrar's role."""
    return list(occurrences(connection, called_of(connection, party.party_id)))


def plan_of(connection: Connection, party: Party, found: Sequence[Words]) -> Plan:
    """What erasing a person would do, who is named in what was found."""
    return Plan(
        party.party_id,
        party.display,
        versions_of(connection, party),
        tuple(against(connection, party)),
        tuple(one.occurrence for one in found),
        tuple(files_of(connection, party, found)),
    )


_HELD = """
SELECT concat_ws(' ', nullif(h.quantity, 1)::text, m.name, n.serial_number), s.code, h.item_id::text
FROM holding h JOIN account a USING (account_id) JOIN site s ON s.site_id = a.site_id
JOIN item i USING (item_id) JOIN model m ON m.model_id = i.model_id
LEFT JOIN LATERAL (SELECT serial_number FROM identification n WHERE n.item_id = h.item_id ORDER BY version DESC LIMIT 1) n ON true
WHERE a.party_id = %s ORDER BY 2, 1
"""
_ANSWERS_FOR = """
SELECT code, 'is its custodian: give it another first' FROM site WHERE custodian_id = %(party)s
UNION ALL
SELECT concat_ws(': ', s.code, a.name), 'is its custodian: give it another first'
FROM account a JOIN site s ON s.site_id = a.site_id WHERE a.custodian_id = %(party)s
UNION ALL
SELECT s.code, 'owns ' || count(*) || ' open discrepancies: give them another owner first'
FROM discrepancy x JOIN site s ON s.site_id = x.site_id WHERE x.owner_id = %(party)s AND x.closed_at IS NULL GROUP BY s.code
UNION ALL
SELECT concat_ws('/', s.code, 'CASE', f.number), 'answers for it: let another answer for it first'
FROM case_file f LEFT JOIN site s ON s.site_id = f.site_id
WHERE %(party)s = (SELECT p.owner_id FROM case_part p WHERE p.case_id = f.case_id AND p.owner_id IS NOT NULL ORDER BY p.part DESC LIMIT 1)
  AND NOT EXISTS (SELECT FROM case_part p WHERE p.case_id = f.case_id AND p.kind = 'closed')
UNION ALL
SELECT 'draft ' || document_id, 'asked for it, and it still waits: approve or reject it first'
FROM draft WHERE drafted_by = %(party)s AND outcome IS NULL
UNION ALL
SELECT 'order of erasure ' || erasure_id, 'asked for it, and it still waits: approve or reject it first'
FROM erasure_order WHERE asked_by = %(party)s AND outcome IS NULL
ORDER BY 1, 2
"""
_WAITING_DRAFTS = "SELECT document_id, request FROM draft WHERE outcome IS NULL AND request::text ILIKE ANY (%s)"


def against(connection: Connection, party: Party) -> list[Reason]:
    """Why a person can't be erased now: what is still held, answered for, or waiting under the name."""
    told: list[tuple[str, str, str | None, str | None]] = [
        (weapon, "this person still holds it: take it back first", site, item_id)
        for weapon, site, item_id in connection.exec_driver_sql(_HELD, (party.party_id,))
    ]
    told += [
        (what, f"this person {why}", None, None)
        for what, why in connection.exec_driver_sql(_ANSWERS_FOR, {"party": party.party_id})
    ]
    called = called_of(connection, party.party_id)
    told += [
        (f"draft {document_id}", "it names this person, and still waits: approve or reject it first", None, None)
        for document_id, request in connection.exec_driver_sql(_WAITING_DRAFTS, (called.sought,))
        if called.taken_out(request) != request
    ]
    if party.code is not None and party.code.startswith("UNIDENTIFIED-"):
        told.append((party.code, "stands for whoever could not be identified, and is nobody", None, None))
    return [Reason(line, *one) for line, one in enumerate(told, 1)]


_PERSONS_FILES = """
WITH signed AS (SELECT document_id FROM signatory WHERE party_id = %(party)s UNION SELECT unnest(%(documents)s::uuid[])),
     noted AS (SELECT note_id, document_id, attachments FROM note
               WHERE document_id IN (SELECT document_id FROM signed) OR note_id = ANY (%(notes)s)),
     named (sha256, document_id) AS (
         SELECT jsonb_array_elements_text(d.attachments), d.document_id FROM signed JOIN document d USING (document_id)
         UNION SELECT jsonb_array_elements_text(attachments), document_id FROM noted)
SELECT DISTINCT ON (sha256) sha256, what FROM (
    SELECT n.sha256, concat_ws('/', s.code, b.code, b.year, d.number)
    FROM named n JOIN document d USING (document_id) JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id
    UNION
    SELECT jsonb_array_elements_text(p.attachments), 'part ' || p.part || ' of case ' || p.case_id
    FROM case_part p WHERE p.part_id = ANY (%(parts)s)
    UNION
    SELECT encode(r.file_sha256, 'hex'), 'list ' || r.name FROM register r
    WHERE r.file_sha256 IS NOT NULL AND (r.register_id = ANY (%(registers)s) OR r.kind = 'roster' AND r.site_id IN
          (SELECT site_id FROM account WHERE party_id = %(party)s))) f (sha256, what)
WHERE %(wanted)s::text[] IS NULL OR sha256 = ANY (%(wanted)s)
ORDER BY sha256, what
LIMIT 1000
"""


def files_of(
    connection: Connection, party: Party, found: Sequence[Words], wanted: Sequence[str] | None = None
) -> list[PersonsFile]:
    """Scans of papers, notes and cases on which the person stands, or that name the person; lists in which, and rosters of the sites
    where: only these may an erasure take away. `wanted`: those of these files.
    """

    def rows_of(table: str) -> list[UUID]:
        return list({one.key for one in found if one.table == table})

    sought = {
        "party": party.party_id,
        "documents": rows_of("document"),
        "notes": rows_of("note"),
        "parts": rows_of("case_part"),
        "registers": rows_of("register_line"),
        "wanted": None if wanted is None else list(wanted),
    }
    return [
        PersonsFile(digest, what, times_named(connection, digest))
        for digest, what in connection.exec_driver_sql(_PERSONS_FILES, sought)
    ]


def times_named(connection: Connection, digest: str) -> int:
    """How many documents, cases and lists name a file."""
    return int(
        connection.exec_driver_sql(
            """SELECT (SELECT count(*) FROM documents_of_file(%s))
                      + (SELECT count(*) FROM register WHERE file_sha256 = %s AND document_id IS NULL)
                      + (SELECT count(*) FROM case_part WHERE attachments <> '[]' AND attachments @> to_jsonb(ARRAY[%s::text]))""",
            (digest, bytes.fromhex(digest), digest),
        ).scalar_one()
    )


def versions_of(connection: Connection, party: Party) -> int:
    """How many names a person has had."""
    return int(
        connection.exec_driver_sql(
            "SELECT count(*) FROM party_name WHERE party_id = %s", (party.party_id,)
        ).scalar_one()
    )

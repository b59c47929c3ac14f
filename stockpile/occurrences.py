"""Where a person's name or service number stands in words: what an erasure takes away by itself, what two people decide about,
and what stays because it is evidence or a leaf of the log commits it. Only reads; another table with words in it is another row of SOURCES.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stockpile.identity import serial_key
from stockpile.registers.headings import Field, recognise
from stockpile.reports.keyset import spellings
from stockpile.reports.named import ERASED

EXCERPT = 300


class Fate(StrEnum):
    """What becomes of words in which somebody is named."""

    ERASED = "goes by itself"
    DECIDE = "for decision"
    REMAINS = "remains: it is evidence, or the log commits it"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Words in which a person is named. `where` is how an order names them, `place` how people do."""

    where: str
    place: str
    text: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class Words:
    """An occurrence with what it takes to erase it: the table, row and column, and the words as they will be. Of a line of a
    register `cells` are the places that become empty, counted from 0.
    """

    occurrence: Occurrence
    table: str
    key: UUID
    column: str
    line: int | None = None
    after: Any = None
    cells: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Called:
    """How a person is and was called: every version of name, rank and service number."""

    names: tuple[str, ...]
    codes: tuple[str, ...]
    ranks: tuple[str, ...]

    def in_text(self, text: str) -> bool:
        """Whether a text names the person, in any case: as whole words, not inside others."""
        return _pattern(self).search(text) is not None

    def by_number(self, text: str) -> bool:
        """Whether a text bears the service number, or is one of its spellings."""
        return any(
            re.search(_code(code), text, re.IGNORECASE) or serial_key(text) == serial_key(code) for code in self.codes
        )

    def taken_out(self, value: Any) -> Any:
        """A text, or all texts in a JSON value, without the person."""
        if isinstance(value, str):
            return _pattern(self).sub(ERASED, value)
        if isinstance(value, list):
            return [self.taken_out(each) for each in value]
        if isinstance(value, dict):
            return {key: self.taken_out(each) for key, each in value.items()}
        return value

    @property
    def sought(self) -> list[str]:
        """Patterns for ILIKE ANY that find every text that may name the person, and some that don't."""
        words = {
            *self.codes,
            *map(serial_key, self.codes),
            *(max(name.split(), key=len) for name in self.names if name.split()),
        }
        return [pattern for word in sorted(words) for pattern in spellings(word) or ()]


def _code(code: str) -> str:
    return rf"(?<![\w-]){re.escape(code)}(?![\w-])"


@lru_cache(maxsize=8)
def _pattern(called: Called) -> re.Pattern[str]:
    names = []
    for name in called.names:
        words = [re.escape(word) for word in name.split()]
        orders = [r"\s+".join(words), r",?\s+".join([words[-1], *words[:-1]])] if words else []
        names += [rf"(?<!\w){order}(?!\w)" for order in orders]
    ranks = "|".join(rf"(?<!\w){re.escape(rank)}\s+" for rank in called.ranks)
    codes = "|".join(_code(code) for code in called.codes)
    whole = [rf"(?:{ranks})?(?:{'|'.join(names)})(?:\s*\((?:{codes})\))?"] if names and codes else names
    return re.compile("|".join([*whole, *([codes] if codes else [])]) or r"(?!)", re.IGNORECASE)


def called_of(connection: Connection, party_id: UUID) -> Called:
    """Every name, rank and service number that a person has had."""
    rows = connection.exec_driver_sql(
        """SELECT name, code, rank FROM party_name WHERE party_id = %(party)s
           UNION SELECT name, code, rank FROM party WHERE party_id = %(party)s""",
        {"party": party_id},
    ).all()
    columns = [
        tuple(sorted({value for value in column if value}, key=lambda v: (-len(v), v)))
        for column in zip(*rows, strict=True)
    ]
    return Called(*columns)


@dataclass(frozen=True, slots=True)
class Source:
    """A column that may hold words: its rows as key, line, place in words and value, those that are sought."""

    table: str
    column: str
    fate: Fate
    question: str


_NUMBER = "concat_ws('/', s.code, b.code, b.year, d.number)"
_BOOKED = "JOIN book b ON b.book_id = d.book_id JOIN site s ON s.site_id = d.site_id"


def _discrepancy(column: str) -> Source:
    return Source(
        "discrepancy", column, Fate.DECIDE,
        f"""SELECT x.discrepancy_id, NULL, 'discrepancy of ' || s.code || ': {column.replace("_", " ")}', to_jsonb(x.{column})
            FROM discrepancy x JOIN site s ON s.site_id = x.site_id WHERE x.{column} ILIKE ANY (%s)""",
    )  # fmt: skip


def _line(column: str) -> Source:
    return Source(
        "register_line", column, Fate.DECIDE,
        f"""SELECT l.register_id, l.line, 'row ' || l.line || ' of ' || r.name || ': {column}', to_jsonb(l.{column})
            FROM register_line l JOIN register r USING (register_id) WHERE l.{column} ILIKE ANY (%s)""",
    )  # fmt: skip


def _hand_over(column: str) -> Source:
    return Source(
        "carrier_hand_over", column, Fate.DECIDE,
        f"""SELECT c.document_id, c.ordinal, 'hand-over ' || c.ordinal || ' of shipment ' || s.number || ': {column.replace("_", " ")}',
                   to_jsonb(c.{column})
            FROM carrier_hand_over c JOIN shipment s USING (document_id) WHERE c.{column} ILIKE ANY (%s)""",
    )  # fmt: skip


def _column(table: str, key: str, column: str, fate: Fate, place: str) -> Source:
    """A column whose rows one key names; `place` in SQL, of its row x."""
    return Source(
        table, column, fate,
        f"SELECT {key}, NULL, {place}, to_jsonb(x.{column}) FROM {table} x WHERE x.{column}::text ILIKE ANY (%s)",
    )  # fmt: skip


def _order(table: str, column: str) -> Source:
    return _column(
        table,
        "x.erasure_id",
        column,
        Fate.REMAINS,
        f"'order of erasure ' || x.erasure_id || ': {column.replace('_', ' ')}'",
    )


def _shipment(column: str) -> Source:
    return _column(
        "shipment", "x.document_id", column, Fate.REMAINS, f"'shipment ' || x.number || ': {column.replace('_', ' ')}'"
    )


MAPPING_KEY = "md5(x.source || '/' || x.kind)::uuid"
"""A mapping has no key of its own."""

_TRACED = "x.kind || ' ' || x.year || '/' || x.number"

SOURCES = (
    Source("document", "details", Fate.REMAINS,
           f"""SELECT d.document_id, NULL, 'document ' || {_NUMBER}, d.details FROM document d {_BOOKED}
               WHERE d.details::text ILIKE ANY (%s)"""),
    Source("note", "text", Fate.REMAINS,
           f"""SELECT n.note_id, NULL, 'note to ' || {_NUMBER}, to_jsonb(n.text)
               FROM note n JOIN document d USING (document_id) {_BOOKED} WHERE n.text ILIKE ANY (%s)"""),
    _column("case_part", "x.part_id", "text", Fate.REMAINS, "'part ' || x.part || ' of case ' || x.case_id"),
    *(_column("case_file", "x.case_id", column, Fate.REMAINS, "'case ' || x.case_id") for column in ("title", "report")),
    *(_column("register", "x.register_id", column, Fate.REMAINS, "'the list ' || x.name")
      for column in ("kind", "name", "file_name", "headings", "mapping")),
    *(_column("audit", "x.audit_id", column, Fate.REMAINS, "'the audit ' || x.name")
      for column in ("name", "left_source", "right_source", "left_side", "right_side")),
    _column("audit_judgement", "x.judgement_id", "reason", Fate.REMAINS, "'why a near match was judged'"),
    _discrepancy("books_said"),
    _discrepancy("seen"),
    _discrepancy("explanation"),
    Source("discrepancy_step", "words", Fate.DECIDE,
           """SELECT discrepancy_id, step, 'step ' || step || ' of a discrepancy', to_jsonb(words) FROM discrepancy_step
              WHERE words ILIKE ANY (%s)"""),
    Source("closure", "explanation", Fate.DECIDE,
           "SELECT closure_id, NULL, 'closure of discrepancies', to_jsonb(explanation) FROM closure WHERE explanation ILIKE ANY (%s)"),
    Source("closure", "reason", Fate.DECIDE,
           "SELECT closure_id, NULL, 'closure of discrepancies: reason', to_jsonb(reason) FROM closure WHERE reason ILIKE ANY (%s)"),
    *map(_shipment, ("number", "carrier", "driver", "vehicle", "seal_numbers", "route")),
    *(_column("consignment", "x.consignment_id", column, Fate.REMAINS, "'consignment ' || x.reference")
      for column in ("reference", "end_user_certificate")),
    *(_column("donor_statement", "x.statement_id", column, Fate.REMAINS, "x.kind || ' ' || x.reference")
      for column in ("reference", "content")),
    Source("account", "name", Fate.REMAINS,
           """SELECT account_id, NULL, 'name of a ' || class || ' account', to_jsonb(name) FROM account
              WHERE class <> 'person' AND name ILIKE ANY (%s)"""),
    *(_column("identification", "x.item_id", column, Fate.REMAINS, "'marks of the weapon ' || x.item_id")
      for column in ("distinguishing_mark", "mark_place")),
    *(_column("physical_count", "x.count_id", column, Fate.REMAINS, "'the count ' || x.count_id")
      for column in ("override", "abandoned_because")),
    _column("tracing", "x.tracing_id", "place", Fate.REMAINS, f"{_TRACED} || ': place'"),
    *(Source("tracing_step", column, Fate.REMAINS,
             f"""SELECT h.tracing_id, h.step, 'step ' || h.step || ' of ' || {_TRACED}, to_jsonb(h.{column})
                 FROM tracing_step h JOIN tracing x USING (tracing_id) WHERE h.{column}::text ILIKE ANY (%s)""")
      for column in ("words", "answer")),
    *(_order(table, column) for table in ("erasure_order", "erasure") for column in ("order_reference", "reason")),
    _column("guest", "x.guest_id", "reason", Fate.REMAINS, "'why a guest was invited'"),
    _column("guest_reading", "x.reading_id", "path", Fate.REMAINS, "'what a guest read'"),
    Source("device_reject", "payload", Fate.REMAINS,
           """SELECT reject_id, NULL, 'voucher of a device that could not be posted', to_jsonb(encode(payload, 'escape')) FROM device_reject
              WHERE encode(payload, 'escape') ILIKE ANY (%s)"""),
    _column("device_reject", "x.reject_id", "reason", Fate.REMAINS, "'why a voucher of a device could not be posted'"),
    _column("device", "x.device_id", "label", Fate.DECIDE, "'label of a device'"),
    _column("counter", "x.counter_id", "label", Fate.DECIDE, "'label of a counter'"),
    _column("book", "x.book_id", "holder", Fate.DECIDE, "'holder of the book ' || x.code || '/' || x.year"),
    _column("alias", "x.alias_id", "name", Fate.DECIDE, "'what ' || x.source || ' calls a model'"),
    _column("column_mapping", MAPPING_KEY, "mapping", Fate.DECIDE, "'how the columns of ' || x.source || ' map: ' || x.kind"),
    _hand_over("handed_over_by"),
    _hand_over("carrier"),
    _hand_over("place"),
    _hand_over("remarks"),
    _line("rejected"),
    _line("doubts"),
    Source("draft", "request", Fate.ERASED,
           """SELECT document_id, NULL, 'draft of the act ' || act, request FROM draft
              WHERE outcome IS NOT NULL AND request::text ILIKE ANY (%s)"""),
    Source("draft", "reason", Fate.ERASED,
           """SELECT document_id, NULL, 'draft of the act ' || act || ': reason', to_jsonb(reason) FROM draft
              WHERE outcome IS NOT NULL AND reason ILIKE ANY (%s)"""),
    *(_column("sign_in_request", "x.request_id", column, Fate.REMAINS, "'who waits to be bound to a user; gone after 30 days'")
      for column in ("subject", "called")),
    Source("token", "label", Fate.DECIDE,
           "SELECT token_id, NULL, 'label of a token', to_jsonb(label) FROM token WHERE label ILIKE ANY (%s)"),
    Source("job", "result", Fate.ERASED,
           "SELECT job_id, NULL, 'result of a job', result FROM job WHERE result::text ILIKE ANY (%s)"),
)  # fmt: skip
"""Every column with words, but the cells of registers, and names, accounts and own tokens, which go with the person."""

WITHOUT_PEOPLE = {
    "names, which go with the person; of sites, units and donors they are their own":
        "party.code party.name party.rank party_name.code party_name.name party_name.rank site.name user.name badge.text "
        "sign_in_binding.subject",
    "looked through row by row": "register_line.cells",
    "what a model or a weapon is": """
        model.maker model.name model.country model.calibre model.category model.subcategory model.variants model.fire_mode
        model.security_risk_category model.stock_number model.value_source model.treaty_row model.tracked_by item.tracked_by item.lot
        identification.maker identification.serial_number identification.serial_key identification.fold identification.import_mark
        identification.uii identification.import_country identification.mark_method identity.identity_key entry.condition
        audit_finding.model audit_finding.serial_key audit_finding.serial_number audit_finding.right_key
        audit_judgement.left_key audit_judgement.right_key count_line.scan count_line.scan_key count_line.model
        count_line.lot count_line.condition count_line.container count_line.doubts count_finding.lot tracing.serial_number
        tracing.model tracing.maker tracing.calibre tracing.country tracing_weapon.reasons
        visit_line.read visit_line.condition monitoring_plan.category monitoring_plan.security_risk_category""",
    "codes and numbers": """
        site.code site.time_zone book.code book.counter_code restoration.series
        device.book_code counter.book_code draft.book_code token.book_code donor_statement.kind
        document.claimed_number alias.source
        column_mapping.source column_mapping.kind register.source seal.number seal.seal_key seal.container count_period.code
        monitoring_plan.code""",
    "a rule and who published it": "count_period.what count_period.source monitoring_plan.what monitoring_plan.source",
    "goes with the name beside it": "alias.name_key",
    "read off the cells of a row, and gone with them": """
        register_line.serial_number register_line.serial_key register_line.maker register_line.model register_line.unit
        register_line.holder register_line.condition""",
    "goes with the person": "audit_finding.held_by alert_subscription.address",
    "words of ours, one of a few": """
        party.kind assignment.ended_because account.class book.kind document.act document.happened_precision discrepancy.kind
        discrepancy.outcome discrepancy_step.what closure.outcome draft.act draft.outcome job.kind job.state job.doing
        audit_judgement.judged note.kind signatory.part token.role
        erasure_order.outcome audit_finding.kind physical_count.scope physical_count.method physical_count.reason
        physical_count.outcome count_line.entered count_finding.kind count_period.held_by count_period.security_risk_category
        count_period.method user.role session.how signature.how case_file.subject case_part.kind
        case_part.outcome tracing.kind tracing.serial_status tracing.confidence tracing.how
        tracing.place_country tracing_weapon.stood tracing_step.what
        visit_line.finding visit_line.stood visit_line.said monitoring_plan.level guest.scope guest.outcome guest_reading.method""",
    "keys and digests of ours": """
        document.attachments note.attachments case_part.attachments tracing.photos
        erasure_order.redact erasure_order.files erasure.files erasure.registers erasure.erased
        register_erasure.lines audit.totals user.password_hash pin.pin_hash""",
    "a counter or a network address": "sign_in_failure.place",
    "how another service vouches for people": """
        sign_in_provider.code sign_in_provider.name sign_in_provider.issuer sign_in_provider.client_id sign_in_provider.acr
        sign_in_provider.amr""",
    "drawn by lot": "sign_in_request.code sign_in_flow.nonce sign_in_flow.verifier",
    "addresses of ours, for ten minutes": "sign_in_flow.back sign_in_flow.wanted",
    "codes, numbers and days of what an alert is about": "alert.subject alert.about",
    "words of ours about alerts and their e-mails": """
        alert.kind alert_subscription.role alert_subscription.language alert_mail.what alert_mail_step.what
        alert_mail_step.words""",
    "checks, and rows by their numbers: no account of a person, no name": "verification.checks verification.wrong",
    "of the log, which names nobody": """
        log_origin.origin checkpoint.note cosignature.witness cosignature.line log_statement.kind log_statement.content log_alarm.kind
        log_alarm.words log_alarm.evidence""",
}  # fmt: skip
"""All other columns of text, by why nothing is sought in them."""


def occurrences(connection: Connection, called: Called) -> Iterator[Words]:
    """Every place in which the person is named. The connection stands in the registrar's role."""
    for source in SOURCES:
        for key, line, place, value in connection.exec_driver_sql(source.question, (called.sought,)):
            after = called.taken_out(value)
            if after != value:
                where = "/".join(str(part) for part in (source.table, key, line, source.column) if part is not None)
                shown = Occurrence(where, place, _excerpt(value, called), source.fate)
                yield Words(shown, source.table, key, source.column, line, after)
    yield from _in_cells(connection, called)


def _excerpt(value: Any, called: Called) -> str:
    return " | ".join(text for text in _texts(value) if called.in_text(text))[:EXCERPT]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


PERSON_FIELDS = frozenset({Field.HOLDER, Field.NAME, Field.RANK, Field.SERVICE_NUMBER, Field.ACCOUNT})
"""Columns of a list that say who has the weapon."""

_CELLS = """
SELECT l.register_id, l.line, r.name, l.cells, r.headings FROM register_line l JOIN register r USING (register_id)
WHERE l.cells::text ILIKE ANY (%s) ORDER BY l.register_id, l.line
"""


def _in_cells(connection: Connection, called: Called) -> Iterator[Words]:
    """Rows of lists. The cells that say who has the weapon go by themselves where one of them bears the service number: a name
    alone may be another's. Other cells are for decision.
    """
    mapped = _mapped_columns(connection)
    for register_id, line, name, cells, headings in connection.exec_driver_sql(_CELLS, (called.sought,)):
        named = [place for place, cell in enumerate(cells) if called.in_text(cell)]
        persons = [place for place in _person_places(headings, mapped) if place < len(cells) and cells[place]]
        certain = any(called.by_number(cells[place]) for place in persons)
        for fate, column, places in (
            (Fate.ERASED, "person", persons if certain else []),
            (Fate.DECIDE, "cells", [place for place in named if not (certain and place in persons)]),
        ):
            if places:
                shown = Occurrence(
                    f"register_line/{register_id}/{line}/{column}",
                    f"row {line} of {name}",
                    "; ".join(cells[place] for place in places)[:EXCERPT],
                    fate,
                )
                yield Words(shown, "register_line", register_id, column, line, cells=tuple(places))


def _mapped_columns(connection: Connection) -> list[tuple[frozenset[str], frozenset[str]]]:
    """For each mapping that was once said: all its columns, and those that say who has the weapon."""
    rows = connection.exec_driver_sql("SELECT mapping -> 'columns' FROM column_mapping").scalars()
    return [
        (frozenset(columns.values()), frozenset(column for field, column in columns.items() if field in PERSON_FIELDS))
        for columns in rows
    ]


def _person_places(headings: Collection[str], mapped: Iterable[tuple[frozenset[str], frozenset[str]]]) -> list[int]:
    known = frozenset(headings)
    said = frozenset().union(*(persons for columns, persons in mapped if columns <= known))
    return [place for place, heading in enumerate(headings) if heading in said or recognise(heading) in PERSON_FIELDS]

"""What stands in the books, past every wall, and which of it a text tells: for the stories in which somebody must not learn it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from stockpile.identity import asset_tag
from tests.api_world import Web
from tests.walking import A_UUID

A_TAG = re.compile(r"\bSP-[0-9A-Z]{6,}-[0-9A-Z]\b")
A_NUMBER = re.compile(r"\b[A-Z]+/[A-Z.]+/\d{4}/\d+(?!\d)")
NUMBER = "s.code || '/' || b.code || '/' || b.year || '/' || d.number"
EVERY_NUMBER = f"""SELECT {NUMBER} FROM stockpile.document d JOIN stockpile.book b ON b.book_id = d.book_id
    JOIN stockpile.site s ON s.site_id = b.site_id"""


@dataclass(frozen=True)
class Secrets:
    """What somebody must not learn: ids, numbers of documents, asset tags, and texts."""

    ids: Collection[str]
    numbers: Collection[str]
    tags: Collection[str]
    texts: Collection[str]

    def in_text(self, text: str) -> set[str]:
        """Which of it a text tells."""
        found = set(A_UUID.findall(text)) & set(self.ids)
        found |= set(A_NUMBER.findall(text)) & set(self.numbers)
        found |= set(A_TAG.findall(text)) & set(self.tags)
        return found | {one for one in self.texts if one in text}


@dataclass(frozen=True)
class Books:
    """All that stands in the database."""

    web: Web

    def asked(self, question: str, *given: object) -> set[str]:
        """A column of an answer."""
        return set(self.listed(question, *given))

    def listed(self, question: str, *given: object) -> tuple[str, ...]:
        """A column of an answer, in its order."""
        return tuple(str(row[0]) for row in self.web.country.owner_query(question, *given))

    def tags(self, question: str, *given: object) -> set[str]:
        """Asset tags, by their numbers."""
        return {asset_tag(int(one)) for one in self.listed(question, *given)}

    @cached_property
    def ids_by_column(self) -> dict[str, set[str]]:
        """Every id that stands anywhere in the database."""
        columns = self.web.country.owner_query(
            """SELECT c.table_name, c.column_name FROM information_schema.columns c
               JOIN information_schema.tables t USING (table_schema, table_name)
               WHERE c.table_schema = 'stockpile' AND c.data_type = 'uuid' AND t.table_type = 'BASE TABLE'"""
        )
        return {
            f"{table}.{column}": self.asked(
                f'SELECT DISTINCT "{column}" FROM stockpile."{table}" WHERE "{column}" IS NOT NULL'
            )
            for table, column in columns
        }

    @cached_property
    def every_id(self) -> set[str]:
        """All of them."""
        return set().union(*self.ids_by_column.values())

    @cached_property
    def where(self) -> dict[str, list[str]]:
        """In which columns each id stands."""
        found: dict[str, list[str]] = {}
        for column, ids in self.ids_by_column.items():
            for one in ids:
                found.setdefault(one, []).append(column)
        return found

    def said(self, told: Iterable[str]) -> str:
        """Secrets, each with where it comes from, for who reads that they were told."""
        return "; ".join(f"{one} ({', '.join(self.where.get(one, ()))})" for one in sorted(told))

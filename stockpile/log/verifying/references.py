"""What one group of tables says of another. Within a group the database keeps references itself; those that cross groups have no
foreign key, so that the groups can be spread over servers by their own keys (DESIGN section 7). This is the list of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stockpile.log.verifying.books import Books, Check, Wrong


@dataclass(frozen=True, slots=True)
class Reference:
    """That a table's columns name a row of another. `same`: columns of both that must agree, as an expression of `f` and `t`.
    `columns` is written as SQL, of `f`; `of_key` are the columns of `t` they name.
    """

    table: str
    columns: tuple[str, ...]
    to: str
    of_key: tuple[str, ...]
    named_by: str
    same: str = "true"

    @property
    def question(self) -> str:
        """The rows that name what is not there, or say otherwise."""
        given = " AND ".join(f"f.{column} IS NOT NULL" for column in self.columns)
        joined = " AND ".join(f"t.{key} = f.{column}" for key, column in zip(self.of_key, self.columns, strict=True))
        found = f"t.{self.of_key[0]} IS NOT NULL"
        return (
            f"SELECT {self.named_by}, concat_ws(' ', {', '.join(f'f.{column}' for column in self.columns)}), {found}\n"
            f"FROM {self.table} f LEFT JOIN {self.to} t ON {joined}\n"
            f"WHERE {given} AND NOT ({found} AND coalesce({self.same}, false))\nORDER BY 1"
        )

    def judge(self, books: Books) -> Iterator[Wrong]:
        """Each such row."""
        words = " and ".join(column.removesuffix("_id").replace("_", " ") for column in self.columns)
        for row, key, is_there in books.rows(self.question):
            what = f"{key} says otherwise of it" if is_there else f"{key} is missing"
            yield Wrong(row, f"its {words} {what}")


_ENTRY = "'entry ' || f.version || ' of item ' || f.item_id"
_ITEM = "'item ' || f.item_id"


def _to_item(table: str, named_by: str, column: str = "item_id", same: str = "true") -> Reference:
    return Reference(table, (column,), "item", ("item_id",), named_by, same)


CROSSING = (
    _to_item(
        "entry", _ENTRY, same="t.donor_id = f.donor_id AND t.model_id = f.model_id AND (t.tracked_by = 'serial') = f.serial"
    ),
    Reference(
        "entry", ("document_id",), "document", ("document_id",), _ENTRY,
        "t.site_id = f.site_id AND t.recorded_at = f.recorded_at",
    ),
    Reference(
        "entry", ("from_account",), "account", ("account_id",), _ENTRY,
        "t.class_and_site = f.from_class_and_site",
    ),
    Reference(
        "entry", ("to_account",), "account", ("account_id",), _ENTRY,
        "t.class_and_site = f.to_class_and_site",
    ),
    Reference("entry", ("claimed_from",), "account", ("account_id",), _ENTRY),
    _to_item(
        "holding", "'holding of item ' || f.item_id",
        same="t.donor_id = f.donor_id AND t.model_id = f.model_id AND t.consignment_id IS NOT DISTINCT FROM f.consignment_id "
        "AND (t.tracked_by = 'serial') = f.serial",
    ),
    Reference(
        "holding", ("account_id",), "account", ("account_id",), "'holding of item ' || f.item_id",
        "t.site_id = f.site_id AND t.class_and_site = f.class_and_site",
    ),
    Reference("item", ("model_id",), "model", ("model_id",), _ITEM, "t.tracked_by = f.tracked_by"),
    Reference("item", ("donor_id",), "party", ("party_id",), _ITEM),
    Reference("item", ("consignment_id",), "consignment", ("consignment_id",), _ITEM, "t.donor_id = f.donor_id"),
    _to_item("identification", "'identification ' || f.version || ' of item ' || f.item_id"),
    _to_item("identity", "'identity ' || f.identity_key || ', bearer ' || f.ordinal"),
    Reference("register", ("document_id",), "document", ("document_id",), "'register ' || f.name"),
    _to_item("register_line", "'line ' || f.line || ' of register ' || f.register_id"),
    _to_item("discrepancy", "'discrepancy ' || f.discrepancy_id"),
    _to_item("weapon_assignment", "'assignment of item ' || f.item_id"),
    _to_item("count_item", "'count ' || f.count_id"),
    _to_item("count_line", "'line ' || f.line || ' of count ' || f.count_id"),
    _to_item("count_finding", "'finding of count ' || f.count_id"),
    _to_item("seal_line", "'seal ' || f.seal_id"),
    Reference("note", ("document_id",), "document", ("document_id",), "'note ' || f.note_id", "t.site_id = f.site_id"),
    _to_item("case_file", "'case ' || f.case_id"),
    _to_item("tracing_weapon", "'weapon of tracing ' || f.tracing_id"),
    _to_item("tracing_step", "'step ' || f.step || ' of tracing ' || f.tracing_id"),
    _to_item("visit_line", "'line ' || f.line || ' of visit ' || f.statement_id"),
    Reference("case_file", ("discrepancy_id",), "discrepancy", ("discrepancy_id",), "'case ' || f.case_id"),
    Reference("case_file", ("document_id",), "document", ("document_id",), "'case ' || f.case_id"),
    Reference("case_file", ("register_id", "line"), "register_line", ("register_id", "line"), "'case ' || f.case_id"),
    Reference(
        "case_part", ("case_id",), "case_file", ("case_id",), "'part ' || f.part || ' of case ' || f.case_id",
        "t.site_id IS NOT DISTINCT FROM f.site_id",
    ),
    Reference("case_part", ("document_id",), "document", ("document_id",), "'part ' || f.part || ' of case ' || f.case_id"),
    Reference(
        "signatory", ("document_id",), "document", ("document_id",), "f.part || ' of document ' || f.document_id",
        "t.site_id = f.site_id",
    ),
)  # fmt: skip
"""Every reference that crosses groups; those from note and signatory also say that both are of one site."""


def _check(one: Reference) -> Check:
    return Check(f"{', '.join(one.columns)} of {one.table}", one.question, one.judge)


CHECKS = tuple(_check(one) for one in CROSSING)

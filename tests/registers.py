"""Lists as registers, for the stories that compare them."""

from __future__ import annotations

from itertools import count
from typing import Any

from stockpile.files import file_store
from stockpile.registers.audits import Audited, MakeAudit, make_audit
from stockpile.registers.importing import Imported, ImportRegister, import_register
from stockpile.reports.audits import Finding, every_finding
from tests.reading import asked_by
from tests.world import Country

names = count(1)


def kept_file(text: str, name: str = "list.csv") -> dict[str, Any]:
    """A stored list, as a request names it."""
    return {"sha256": file_store().keep([text.encode()], 100_000_000).sha256, "name": name}


def imported(country: Country, text: str, who: str = "auditor", name: str | None = None, **more: Any) -> Imported:
    """A list kept as a register; `more` of the request, and under `file` of the list."""
    asked = {
        "kind": "property book",
        "source": "OLD BOOKS",
        "name": name or f"List {next(names)}",
        **more,
        "file": {**kept_file(text), **more.get("file", {})},
    }
    return import_register(country.engine, country.actors[who], ImportRegister.model_validate(asked))


def compared(country: Country, left: Any, right: Any, who: str = "auditor", name: str | None = None) -> Audited:
    """Two sides compared; a side is a register that was imported, or the part of the ledger that a dictionary names."""
    sides = {
        hand: {"register": str(side.register_id)} if isinstance(side, Imported) else side
        for hand, side in (("left", left), ("right", right))
    }
    request = MakeAudit.model_validate({"name": name or f"Audit {next(names)}", **sides})
    return make_audit(country.engine, country.actors[who], request)


def found(country: Country, audit: Audited, kind: str) -> list[Finding]:
    """The findings of a kind, in their order."""
    return list(
        asked_by(
            country, "auditor", lambda connection, actor: list(every_finding(connection, actor, audit.audit_id, kind))
        )
    )


def counts(audit: Audited) -> dict[str, int]:
    """How many findings of each kind."""
    return {total.kind: total.findings for total in audit.totals}

"""Audit packages: a report as it was answered, with its rows, the log's checkpoint and the proofs of the weapons that it names, signed
by the log's key; `stockpile check-proof` accepts it anywhere (`stockpile.proof.package` says how it is laid out).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Engine

from stockpile.db import roles
from stockpile.db.engine import at_one_moment, transaction
from stockpile.documents import now
from stockpile.errors import NotFound, Refused
from stockpile.log.proofs import growth_of, proof_of
from stockpile.log.reading import published, reading_log
from stockpile.log.signer import LogSigner
from stockpile.proof.package import CHECKPOINT, FORMAT, MANIFEST, NOTE
from stockpile.registers.write import write_csv
from stockpile.reports.export import columns, table
from stockpile.rights import Actor
from stockpile.sentences import sentence

MOST_ROWS = 20_000
MOST_PROOFS = 50
"""So many weapons of the rows are proven, the first ones; the manifest says how many are not."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a report answered: its name and question, how it was asked, the kind of its rows, and all of them."""

    report: str
    question: str
    path: str
    asked: Mapping[str, str]
    row: type
    rows: Sequence[Any]


def all_rows(rows: Iterable[Any]) -> list[Any]:
    """All rows of a report. Raises Refused where there are more than a package holds."""
    kept: list[Any] = []
    for row in rows:
        if len(kept) == MOST_ROWS:
            raise Refused(
                sentence("An audit package holds up to {most:,} rows: narrow the report first.", most=MOST_ROWS)
            )
        kept.append(row)
    return kept


def make_package(
    engine: Engine,
    actor: Actor,
    folder: Path,
    answered: Answered,
    pinned: Sequence[tuple[str, int]] = (),
    most_proofs: int = MOST_PROOFS,
) -> bytes:
    """The package of a report, as its asker may read it. `folder`: where the log's keys are; `pinned`: name and size of checkpoints that
    its receiver keeps.

    Raises Refused (this machine signs no log, or nothing was signed yet), Invalid (pinned).
    """
    try:
        signer = LogSigner(folder)
        with reading_log(engine) as connection:
            shown = published(connection)
    except NotFound:
        raise Refused(
            sentence(
                "An audit package is signed by the log's key, which is not on this machine: make it where the log is signed."
            )
        ) from None
    with transaction(at_one_moment(engine), roles.AUDITOR) as connection:
        growth = [growth_of(connection, origin, size, shown).plain() for origin, size in pinned]
    read_at = now()
    told = [TypeAdapter(answered.row).dump_python(row, mode="json") for row in answered.rows]
    files = {
        "rows.csv": _csv(answered),
        "rows.json": _json(told),
        "report.html": _page(answered, read_at).encode(),
        CHECKPOINT: shown.note.encode(),
    }
    items = _items(told)
    proofs = _proofs(engine, actor, items[:most_proofs], [(shown.origin, shown.size)])
    files |= {f"proofs/{n}.json": proof.encode() for n, proof in enumerate(proofs, 1)}
    manifest = _json(
        {
            "format": FORMAT,
            "origin": shown.origin,
            "report": answered.report,
            "question": answered.question,
            "path": answered.path,
            "asked": dict(answered.asked),
            "read_at": read_at.isoformat(),
            "made_for": f"{actor.role}{f' of {actor.site_code}' if actor.site_code else ''}",
            "rows": len(told),
            "without_proof": len(items) - len(proofs),
            "growth": growth,
            "files": [
                {"name": name, "size": len(content), "sha256": sha256(content).hexdigest()}
                for name, content in files.items()
            ],
        }
    )
    return _packed({MANIFEST: manifest, NOTE: signer.sign_package(manifest).encode(), **files}, read_at)


def _items(rows: Iterable[Mapping[str, Any]]) -> list[UUID]:
    """The weapons that rows name, in their order."""
    named = (str(row[name]) for row in rows for name in ("item_id", "left_item", "right_item") if row.get(name))
    return [UUID(one) for one in dict.fromkeys(named)]


def _proofs(engine: Engine, actor: Actor, items: Iterable[UUID], pinned: Sequence[tuple[str, int]]) -> list[str]:
    """The proofs of those that a checkpoint covers and that the asker may see."""
    proofs = []
    for item_id in items:
        try:
            proofs.append(proof_of(engine, actor, item_id, pinned).encoded())
        except (Refused, NotFound):
            continue
    return proofs


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _csv(answered: Answered) -> bytes:
    written = BytesIO()
    write_csv(written, columns(answered.row), table(answered.rows))
    return written.getvalue()


STYLE = (
    "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}"
    "td,th{border:1px solid #999;padding:.2em .5em;text-align:start}thead{background:#eee}"
)


def _page(answered: Answered, read_at: datetime) -> str:
    """The report to be read and printed: a page without scripts, and nothing from elsewhere."""
    heads = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in columns(answered.row))
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{escape(_shown(value))}</td>' for value in row)}</tr>" for row in table(answered.rows)
    )
    asked = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in answered.asked.items())
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(answered.report)}</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>{escape(answered.report)}</h1>\n<p>{escape(answered.question)}</p>\n"
        f"<p>Read from the books on {read_at:%Y-%m-%d %H:%M:%S} UTC, {len(answered.rows):,} rows.</p>\n<ul>{asked}</ul>\n"
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></body></html>\n"
    )


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _packed(files: Mapping[str, bytes], read_at: datetime) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            one = zipfile.ZipInfo(name, read_at.timetuple()[:6])
            one.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(one, content)
    return written.getvalue()

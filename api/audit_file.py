"""An audit as one file of JSON, for another program or for the archive: its sides and totals, every finding, every judgement."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from os import SEEK_END
from typing import IO, Any
from uuid import UUID

from fastapi.responses import StreamingResponse
from pydantic_core import to_json
from sqlalchemy import Engine
from starlette.responses import Response

from api.exports import BLOCK, IN_MEMORY, file_name
from stockpile.db.engine import at_one_moment
from stockpile.reports.audits import every_finding, read_audit
from stockpile.reports.export import every_row
from stockpile.reports.judgements import list_judgements
from stockpile.rights import Actor, reading


def audit_file(engine: Engine, actor: Actor, audit_id: UUID) -> Response:
    """The file; written whole, in constant memory, before its first byte is sent. Raises NotFound, NotAllowed."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed when it was sent
    try:
        with reading(at_one_moment(engine), actor) as connection:
            shown = read_audit(connection, actor, audit_id)
            file.write(to_json(shown).removesuffix(b"}"))
            judgements = every_row(lambda limit, cursor: list_judgements(connection, actor, audit_id, limit, cursor))
            for name, rows in (("judgements", judgements), ("findings", every_finding(connection, actor, audit_id))):
                file.writelines(_listed(name, rows))
            file.write(b"}\n")
        size = file.seek(0, SEEK_END)
    except BaseException:
        file.close()
        raise
    name = file_name(actor, f"audit-{shown.audit.name}-{shown.audit.run}")
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"', "Content-Length": str(size)}
    return StreamingResponse(_sent(file), headers=headers, media_type="application/json")


def _listed(name: str, rows: Iterable[Any]) -> Iterator[bytes]:
    between = f',"{name}":['.encode()
    for row in rows:
        yield between + to_json(row)
        between = b",\n"
    yield b"]" if between == b",\n" else between + b"]"


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while block := file.read(BLOCK):
            yield block

"""How long the first page of each list takes among a million weapons with five million entries.

    python -m bench.lists FOLDER [--runs 3]

Makes the country in FOLDER (about 9 GB, six minutes), unless it is there. Each list is asked as its page asks it, as the auditor; those that
are lists of something named (a count, an audit) are left out. The target is 2 s a page.
"""

from __future__ import annotations

import argparse
import pkgutil
import statistics
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

import api.pages
from api.pages.listing import Asked, Listing
from bench.large_country import DATABASE, make
from stockpile.db import migrate, roles
from stockpile.db.engine import engine_of, transaction
from stockpile.errors import Invalid
from stockpile.rights import Actor, reading

OF = {"/holdings": {"site": "SITE-00"}}


def main() -> None:
    """Asks each list in the order of their addresses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    server = make(asked.folder, 1_000_000)
    try:
        migrate.upgrade(server.url(DATABASE, roles.OWNER))
        engine = engine_of(server.url(DATABASE, roles.SERVICE))
        auditor = auditor_of(engine)
        for path, one in sorted(_lists().items()):
            try:
                seconds = [_page(engine, auditor, one, OF.get(path, {})) for _ in range(asked.runs + 1)]
            except Invalid:
                continue
            print(f"{path:32} {statistics.median(seconds[1:]):6.2f} s", flush=True)
    finally:
        server.stop()


def _lists() -> dict[str, Listing]:
    modules = [import_module(module.name) for module in pkgutil.walk_packages(api.pages.__path__, "api.pages.")]
    return {one.path: one for module in modules for one in vars(module).values() if isinstance(one, Listing)}


def auditor_of(engine: Engine) -> Actor:
    """An auditor of the large country."""
    with transaction(engine, roles.AUDITOR) as connection:
        return Actor(connection.exec_driver_sql("SELECT custodian_id FROM site LIMIT 1").scalar_one(), "auditor")


def _page(engine: Engine, auditor: Actor, one: Listing, values: dict[str, Any]) -> float:
    begun = time.perf_counter()
    with reading(engine, auditor) as connection:
        one.ask(connection, auditor, Asked(values))
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()

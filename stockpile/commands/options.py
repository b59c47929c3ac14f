"""Options that several commands read in one way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from stockpile.errors import Fault, Invalid


def pairs(given: Sequence[str] | None, option: str, blank: bool = False) -> dict[str, str]:
    """field=value options as a dictionary; `blank`: nothing may stand after the sign. Raises Invalid naming the one
    that is not written so, or says again what was said otherwise.
    """
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not (value.strip() or blank):
            raise Invalid(
                "An option cannot be understood.", [Fault("write it like field=value", field=option, value=text)]
            )
        if found.get(name.strip(), value.strip()) != value.strip():
            both = f"{name.strip()} is “{found[name.strip()]}” and “{value.strip()}”: choose one"
            raise Invalid("An option says two things.", [Fault(both, field=option, value=text)])
        found[name.strip()] = value.strip()
    return found


COUNT = re.compile(r"(?P<model>.+?)(,\s*lot\s+(?P<lot>[^=]+?))?\s*=\s*(?P<quantity>\d{1,8})\s*", re.IGNORECASE)


def counts(given: Sequence[str] | None, option: str) -> list[dict[str, Any]]:
    """MODEL=NUMBER options, a lot after the model where there is one, as lines of a voucher; a model may stand twice. Raises
    Invalid naming the one that is not written so.
    """
    lines = []
    for text in given or ():
        written = COUNT.fullmatch(text.strip())
        if written is None:
            fault = Fault("write it like 'Helmet=40', or 'Cartridge, lot 12-77=600'", field=option, value=text)
            raise Invalid("An option cannot be understood.", [fault])
        said = written.groupdict()
        lines.append({name: int(value) if name == "quantity" else value for name, value in said.items() if value})
    return lines

"""Options that several commands read in one way."""

from __future__ import annotations

from collections.abc import Sequence

from stockpile.errors import Fault, Invalid


def pairs(given: Sequence[str] | None, option: str, blank: bool = False) -> dict[str, str]:
    """field=value options as a dictionary; `blank`: nothing may stand after the sign. Raises Invalid naming the one
    that is not written so.
    """
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not (value.strip() or blank):
            raise Invalid(
                "An option cannot be understood.", [Fault("write it like field=value", field=option, value=text)]
            )
        found[name.strip()] = value.strip()
    return found

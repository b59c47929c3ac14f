"""What a PostgreSQL of one's own was told that must not hold for restored data: to archive its log where the old one lies, to wait for
standbys, to follow another server. It would write over the archive that may be needed still, or hang.

What is set aside is kept beside the data, for their administrator to read; its values may hold passwords and are told nobody.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypedDict

SET_BY_COMMAND = "postgresql.auto.conf"
"""What `ALTER SYSTEM` set; read after every other file, and so stronger."""
BEFORE = ".before-the-restore"
"""Behind the name of what is kept as it was."""
SIGNALS = ("standby.signal", "recovery.signal")
"""Files that have a server follow another, or read from an archive, when it starts."""

OFF = {
    "archive_mode": "off",
    "archive_command": "",
    "archive_library": "",
    "restore_command": "",
    "archive_cleanup_command": "",
    "recovery_end_command": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "synchronous_standby_names": "",
}
"""What reaches beyond the data, and how it is switched off; every version that we know has these."""
TAKEN_OUT = re.compile("recovery_target|promote_trigger_file$|synchronized_standby_slots$|sync_replication_slots$")
"""More of that kind, which only some versions have or which nothing stands for switched off."""


class _Text(TypedDict):
    encoding: str
    errors: str


TEXT = _Text(encoding="utf-8", errors="surrogateescape")
_LINE = re.compile(r"\s*([A-Za-z_]\w*)\s*=?\s*(?:'((?:[^'\\]|''|\\.)*)'|([^\s#']+))")


def take_away(data: Path) -> None:
    """Before the data are brought up: nothing that their server was told by command is heard. Raises OSError."""
    for name in (SET_BY_COMMAND, *SIGNALS):
        if (data / name).exists():
            (data / name).rename(data / (name + BEFORE))
    (data / SET_BY_COMMAND).touch(mode=0o600)


def bring_back(data: Path, own: bool) -> tuple[str, ...]:
    """Afterwards: all that was set, but for what must not hold. For a server of one's `own` that is switched off, too, since other files,
    here or where the data will lie, may say it again. The names of what is set aside, sorted. Raises OSError.
    """
    kept = data / (SET_BY_COMMAND + BEFORE)
    lines = _lines(kept)
    aside = {name for line in lines if (name := _must_not_hold(line))}
    aside |= {name for name in SIGNALS if (data / (name + BEFORE)).exists()}
    stay = [line for line in lines if not _must_not_hold(line)]
    if own:
        aside |= {name for line in _lines(data / "postgresql.conf") if (name := _must_not_hold(line))}
        stay += [f"{name} = '{value}'" for name, value in OFF.items()]
    with (data / SET_BY_COMMAND).open("w", **TEXT) as file:
        file.writelines(f"{line}\n" for line in stay)
    return tuple(sorted(aside))


def _lines(file: Path) -> list[str]:
    return file.read_text(**TEXT).splitlines() if file.exists() else []


def _must_not_hold(line: str) -> str | None:
    """The name of the setting, if a line sets one that must not hold to more than nothing."""
    found = _LINE.match(line)
    name = found[1].lower() if found else ""
    value = (found[2] or found[3] or "") if found else ""
    if name in OFF:
        return name if value.lower() != OFF[name] else None
    return name if value and TAKEN_OUT.match(name) else None

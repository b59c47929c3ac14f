"""How large a list may be before it is refused unread. No list of weapons we know of comes near."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes; `memory_bytes` and `seconds` (of processor) are what reading a spreadsheet may take."""

    file_bytes: int = 200_000_000
    unpacked_bytes: int = 1_000_000_000
    pack_ratio: int = 200
    members: int = 5_000
    columns: int = 1_000
    memory_bytes: int = 1_500_000_000
    seconds: int = 120

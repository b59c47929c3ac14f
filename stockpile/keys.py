"""Keys of rows: UUIDv7 (RFC 9562), so that new rows lie together; and random secrets."""

from __future__ import annotations

import os
import time
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_RANDOM = ~((0xFFFFFFFFFFFF << 80) | (0xF << 76) | (0x3 << 62)) & ((1 << 128) - 1)


def new_key() -> UUID:
    """A fresh UUIDv7."""
    milliseconds = time.time_ns() // 1_000_000
    return UUID(int=milliseconds << 80 | _VERSION | _VARIANT | int.from_bytes(os.urandom(16), "big") & _RANDOM)


def new_secret() -> bytes:
    """32 random bytes: a secret or a seed."""
    return os.urandom(32)

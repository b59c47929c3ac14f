"""Processes beside those that serve: each ends when somebody ends it, and with its parent."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType


def until_ended() -> threading.Event:
    """What is set once somebody ends this process, or its parent is gone."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    parent = int(os.environ.get("STOCKPILE_PARENT", os.getppid()))
    threading.Thread(target=_end_with, args=(parent, ended), daemon=True).start()
    return ended


def _end_with(parent: int, ended: threading.Event) -> None:
    while os.getppid() == parent and not ended.wait(1):
        pass
    ended.set()

"""How long `stockpile run` takes to answer when its database is there already, beside two floors: an interpreter that
only loads the program and the application, and the database alone, started and stopped.

Run it on an idle machine: `python -m bench.second_start [starts]`. Every start is printed, and the medians.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from stockpile.db import embedded
from tests.service import Service

STARTS = 7
LOAD = "import stockpile.cli, api.application"


def measured(what: str, once: Callable[[], float], times: int) -> float:
    """The median of several measurements in seconds, printed with each of them."""
    taken = [once() for _ in range(times)]
    print(f"{what:<42} {median(taken):6.2f} s   of {'  '.join(f'{each:.2f}' for each in taken)}")
    return median(taken)


def seconds(act: Callable[[], object]) -> float:
    """How long an act takes."""
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def main(times: int) -> None:
    with tempfile.TemporaryDirectory(prefix="second-start-") as folder:
        service = Service(Path(folder))
        try:
            print(f"{'first start, with the demonstration':<42} {service.start():6.2f} s")
            service.stop()
            start = measured("second start, until it is healthy", lambda: started(service), times)
            load = measured(
                "floor: loading program and application",
                lambda: seconds(lambda: subprocess.run([sys.executable, "-c", LOAD], check=True)),
                times,
            )
            measured(
                "floor: starting and stopping PostgreSQL",
                lambda: seconds(lambda: embedded.start(service.folder / "var").stop()),
                times,
            )
            print(f"{'second start : loading':<42} {start / load:6.2f}")
        finally:
            service.end()


def started(service: Service) -> float:
    """A start from a stopped service, which is stopped again."""
    taken = service.start()
    service.stop()
    return taken


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STARTS)

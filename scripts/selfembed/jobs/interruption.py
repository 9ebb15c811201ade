"""Deferred handling of SIGTERM (sent by schedulers) and SIGINT (Ctrl-C), so that a step can save its state first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Interruption:
    """Whether this process received a signal to terminate."""

    asked: bool = False

    def ask(self, *_) -> None:
        """Signal handler: record the signal."""
        self.asked = True


@contextmanager
def awaited() -> Iterator[Interruption]:
    """Catch SIGTERM and SIGINT within the context; must be used in the main thread."""
    interruption = Interruption()
    before = {number: signal.signal(number, interruption.ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

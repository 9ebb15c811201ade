"""Ending a long step when it is asked to end (SIGTERM of a scheduler, Ctrl-C), at a moment of its own choice."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Interruption:
    """Whether this process was asked to end."""

    asked: bool = False

    def ask(self, *_) -> None:
        """Note the request; a signal handler."""
        self.asked = True


@contextmanager
def awaited() -> Iterator[Interruption]:
    """Catch SIGTERM and SIGINT as long as the context lasts; to be used in the main thread."""
    interruption = Interruption()
    before = {number: signal.signal(number, interruption.ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

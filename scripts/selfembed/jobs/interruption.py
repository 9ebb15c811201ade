"""Stop a long step at a safe point after SIGTERM (from a scheduler) or Ctrl-C."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Interruption:
    """Whether the process was asked to stop."""

    asked: bool = False

    def ask(self, *_) -> None:
        """Record the request (signal handler)."""
        self.asked = True


@contextmanager
def awaited() -> Iterator[Interruption]:
    """Catch SIGTERM and SIGINT within the context; use it in the main thread."""
    interruption = Interruption()
    before = {number: signal.signal(number, interruption.ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

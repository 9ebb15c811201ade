"""Deferred handling of SIGTERM (sent by schedulers) and SIGINT (Ctrl-C), so that a step can save its state first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def catch_signals() -> Iterator[list[int]]:
    """Catch SIGTERM and SIGINT within the context, and append them to a list; must be used in the main thread."""
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

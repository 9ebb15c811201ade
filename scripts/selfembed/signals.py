"""Requests to end, as a terminal, snakemake or a cluster sends them."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

REQUESTS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def noted(then: Callable[[], None] = lambda: None) -> Iterator[list[int]]:
    """Note requests to end instead of ending at once; yield the list of their numbers, which grows as they come.

    Args:
        then: called at every request.
    """
    found: list[int] = []

    def note(number: int, frame) -> None:
        found.append(number)
        then()

    before = {number: signal.signal(number, note) for number in REQUESTS}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

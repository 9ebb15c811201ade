"""Repeat a download while the network or a server fails."""

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

from selfembed.errors import InputError
from selfembed.jobs.command_line import log, not_negative

Found = TypeVar("Found")
FIRST_WAIT, LONGEST_WAIT = 2.0, 60.0  # seconds


class PassingError(InputError):
    """A failure of the network or of a server, which can pass."""


def can_pass(status: int) -> bool:
    """Return whether an HTTP status is a failure of a server, too slow (408) or too many requests (429)."""
    return status >= 500 or status in (408, 429)


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--patience`."""
    what = "minutes to wait in total, between tries, while the network or the server fails"
    parser.add_argument("--patience", type=not_negative, default=10.0, help=what)


def patiently(action: Callable[[], Found], minutes: float) -> Found:
    """Return the result of an action, which is repeated while it raises PassingError.

    The waits between tries are 2, 4, 8, … seconds, up to a minute.

    Args:
        minutes: sum of all waits; with 0 the action is not repeated.

    Raises PassingError when the waits are used up, and any other error of the action at once.
    """
    left, wait = 60 * minutes, FIRST_WAIT
    while True:
        try:
            return action()
        except PassingError as error:
            if left <= 0:
                raise
            wait = min(wait, left)
            log.warning("%s (in %.0f s)", error, wait)
            time.sleep(wait)
            left, wait = left - wait, min(2 * wait, LONGEST_WAIT)

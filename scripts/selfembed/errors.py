"""The errors that are shown to people as a single line instead of a traceback, and other errors as one line."""

import errno
import signal
from collections.abc import Iterator
from pathlib import Path

# What libraries say of a full disk where they do not pass on the system's error.
FULL = ("No space left on device", "Disk quota exceeded", "PytorchStreamWriter failed writing", "unexpected pos")


class InputError(ValueError):
    """What the user gave cannot be used: the message names it, says what is wrong and what would be right."""


class NoSpaceError(InputError):
    """The disk that holds a path is full."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(f"no space left on the disk that holds {path}; free some and run again")


class Interrupted(Exception):
    """The step was asked to end by a signal."""

    def __init__(self, number: int, note: str = "") -> None:
        super().__init__(number, note)
        self.number = number
        self.note = note

    def __str__(self) -> str:
        return f"ended by {signal.Signals(self.number).name}" + (f"; {self.note}" if self.note else "")


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def of_full_disk(error: BaseException) -> bool:
    """Whether an error comes from a full disk or a used-up quota, also where a library has wrapped it."""
    return any(
        isinstance(cause, NoSpaceError)
        or getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        or any(words in str(cause) for words in FULL)
        for cause in chain(error)
    )


def first_line(error: BaseException) -> str:
    """The first line of an error's message; the error's type if it has no message (as time-outs have none)."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

"""InputError, which scripts print as one line without a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """Invalid user input. The message says what is invalid, where, and what is expected."""


def first_line(error: BaseException) -> str:
    """First line of the message of an error, or its type if it has no message (such as time-outs)."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def reword_errors(
    subject: object, kinds: type[Exception] | tuple[type[Exception], ...] = Exception, *, expected: str = ""
) -> Iterator[None]:
    """Raise InputError instead of errors of some kinds: a subject, the first line of the error, what is expected."""
    try:
        yield
    except kinds as error:
        ending = f"; expected: {expected}" if expected else ""
        raise InputError(f"{subject}: {first_line(error)}{ending}") from error


def one_line(message: object) -> str:
    """Replace line breaks in a message by spaces."""
    return " ".join(str(message).split())

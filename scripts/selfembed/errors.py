"""InputError, which scripts print as one line without a traceback."""


class InputError(ValueError):
    """Invalid user input. The message says what is invalid, where, and what is expected."""


def first_line(error: BaseException) -> str:
    """First line of the message of an error, or its type if it has no message (such as time-outs)."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def one_line(message: object) -> str:
    """Replace line breaks in a message by spaces."""
    return " ".join(str(message).split())

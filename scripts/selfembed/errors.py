"""The one error that is shown to people as a single line instead of a traceback, and other errors as one line."""


class InputError(ValueError):
    """What the user gave cannot be used: the message names it, says what is wrong and what would be right."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message; the error's type if it has no message (as time-outs have none)."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def one_line(message: object) -> str:
    """A message with its line breaks folded: names from people's files may hold some."""
    return " ".join(str(message).split())

"""The one error that is shown to people as a single line instead of a traceback."""


class InputError(ValueError):
    """What the user gave cannot be used: the message names it, says what is wrong and what would be right."""

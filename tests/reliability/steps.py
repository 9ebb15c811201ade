"""Running a step's script inside the test's process, down its own road from arguments to exit status."""

import importlib
import sys

import pytest

from selfembed.jobs import command_line, seals


def refusal(name: str, *arguments: object) -> str:
    """The one line that a script ends with; fails if it succeeds, shows a traceback, or says more than one line."""
    message = run(name, *arguments)
    assert message is not None, f"{name} accepts {arguments}"
    assert message.startswith("error: "), message
    assert "\n" not in message.strip(), message
    assert "Traceback" not in message
    return message


def run(name: str, *arguments: object) -> str | None:
    """Run a script with arguments; None if it succeeds, else what it ends with."""
    script = importlib.import_module(name)
    patch = pytest.MonkeyPatch()
    errors = []
    patch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
    patch.setattr(seals, "given", {})
    patch.setattr(command_line.Parser, "_print_message", lambda self, message, file=None: errors.append(message))
    try:
        command_line.run(script.main)
    except SystemExit as end:
        if end.code in (0, None):
            return None
        return end.code if isinstance(end.code, str) else "".join(errors)
    finally:
        patch.undo()
    return None

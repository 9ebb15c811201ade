"""`python -m selfembed` is the command `selfembed`."""

from selfembed.cli import run

run()

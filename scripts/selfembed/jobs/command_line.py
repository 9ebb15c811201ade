"""Command lines of all scripts: argument types, shared options, logging and one-line errors."""

import argparse
import errno
import logging
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NoReturn

from selfembed.errors import InputError, one_line, reword_errors
from selfembed.jobs import seals

log = logging.getLogger("selfembed")

# Error messages of a full disk from libraries without errno: Rust and Arrow, torch.
FULL_DISK = ("No space left on device", "PytorchStreamWriter failed writing")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Help formatter that keeps line breaks and shows defaults."""


class Parser(argparse.ArgumentParser):
    """A parser whose help shows defaults, and that exits with a one-line message if arguments are invalid.

    Attributes:
        checks: functions that are called with the parsed arguments and may modify them.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **how)
        self.checks: list[Callable[[argparse.Namespace], None]] = []

    def parse_args(self, *words: Any) -> argparse.Namespace:
        """Parse the arguments and run the checks."""
        arguments = super().parse_args(*words)
        for check in self.checks:
            check(arguments)
        return arguments

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"error: {one_line(message)} (see {self.prog} --help)\n")


def parser(docstring: str) -> Parser:
    """Return a parser whose `--help` shows the docstring of the script."""
    return Parser(description=docstring)


def exit_status(code: int) -> int:
    """Return the exit status for the return code of a child process: 128 + the signal, if it was ended by one."""
    return code if code >= 0 else 128 - code


def run(main: Callable[[list[str]], None]) -> None:
    """Run the `main` function of a script; log to standard error, and exit with a one-line message on invalid input."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for chatty in ("httpx", "httpx2", "sentence_transformers", "transformers", "datasets", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        main(sys.argv[1:])
    except InputError as error:
        sys.exit(f"error: {one_line(error)}")
    except Exception as error:
        if is_full_disk(error):
            free = ", ".join(
                f"{shutil.disk_usage(path).free / 1e6:,.0f} MB free in {path}" for path in (os.getcwd(), gettempdir())
            )
            sys.exit(f"error: no space left on the disk ({free}); free some space and run the same command again")
        if isinstance(error, OSError) and error.filename:  # no permission, a read-only disk: no traceback needed
            sys.exit(f"error: {one_line(error)}")
        raise


def is_full_disk(error: BaseException | None) -> bool:
    """Return whether an error, or one of the errors that caused it, reports a full disk."""
    if error is None:
        return False
    if getattr(error, "errno", None) == errno.ENOSPC or any(words in str(error) for words in FULL_DISK):
        return True
    return is_full_disk(error.__cause__ or error.__context__)


def existing(path: str) -> Path:
    """Argument type: a file or folder that exists and matches its seal, if it has one."""
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"'{path}' does not exist")
    try:
        return seals.opened(Path(path))
    except (InputError, OSError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


# Help texts of inputs that several scripts read.
INPUTS = {
    "corpus": "prepared corpus (Parquet)",
    "embeddings": "embeddings folder",
    "table": "table of the experiment (CSV)",
    "published": "published numbers (CSV)",
}


def add_inputs(parser: argparse.ArgumentParser, *names: str, required: bool = True, **described: str) -> None:
    """Add options for existing files or folders: names of INPUTS, and others with their help texts."""
    for name, what in ({name: INPUTS[name] for name in names} | described).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=existing, required=required, help=what)


def add_outputs(parser: argparse.ArgumentParser, **described: str) -> None:
    """Add options for files or folders to write, with their help texts."""
    for name, what in described.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True, help=f"{what} to write")


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the option for the image files of a figure."""
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="image files to write")


def parser_of_figure(docstring: str) -> Parser:
    """Return a parser with options for the table of an experiment, published numbers, if any, and image files."""
    found = parser(docstring)
    add_inputs(found, "table")
    add_inputs(found, "published", required=False)
    add_images(found)
    return found


def add_colors(parser: argparse.ArgumentParser) -> None:
    """Add the option for the colours of labels in a figure."""
    parser.add_argument("--colors", nargs="+", default=[], help="colours as label=#rrggbb")


def add_seed(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option for the random seed."""
    parser.add_argument("--seed", type=at_least(0), required=True, help=what)


def at_least(minimum: int) -> Callable[[str], int]:
    """Return an argument type: whole numbers from `minimum`."""

    def number(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", text) or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"{text!r} is invalid; expected: whole numbers from {minimum}")
        return int(text)

    return number


def not_negative(text: str) -> float:
    """Argument type: a finite number, at least 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is invalid; expected: numbers from 0")
    return number


def add_entries(
    parser: Parser, names: Sequence[str], what: str, required: bool = True, option: str = "--entry"
) -> None:
    """Add a repeatable option: one word for each name, followed by one or more files or folders.

    The parsed argument is a list with the words of each entry by name, and its paths. Parsing raises InputError if an
    entry has no path, or if a path does not exist.
    """
    words = " ".join(name.upper() for name in names)
    metavar = (f"{words} PATH", "PATH")
    added = parser.add_argument(
        option, nargs="+", action="append", required=required, default=[], metavar=metavar, help=what
    )

    def check(arguments: argparse.Namespace) -> None:
        entries = [read_entry(entry, names, option) for entry in getattr(arguments, added.dest)]
        setattr(arguments, added.dest, entries)

    parser.checks.append(check)


def read_entry(entry: list[str], names: Sequence[str], option: str) -> tuple[dict[str, str], list[Path]]:
    """Return the words of an entry by name, and its paths.

    Raises InputError if it has no path, or if a path does not exist.
    """
    if len(entry) <= len(names):
        raise InputError(f"{option} {' '.join(entry)}: no path; expected: {', '.join(names)}, paths")
    with reword_errors(f"{option} {entry[0]}", argparse.ArgumentTypeError):  # argparse checks no paths of an entry
        paths = [existing(path) for path in entry[len(names) :]]
    return dict(zip(names, entry, strict=False)), paths

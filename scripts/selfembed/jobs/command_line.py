"""Command lines of scripts: arguments, logging, one-line errors."""

import argparse
import errno
import logging
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NoReturn

from selfembed.errors import InputError, one_line
from selfembed.jobs import seals

log = logging.getLogger("selfembed")

# Messages of Rust, Arrow and torch for a full disk.
FULL_DISK = ("No space left on device", "PytorchStreamWriter failed writing")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Help that keeps line breaks of the docstring and shows defaults."""


class Parser(argparse.ArgumentParser):
    """A parser that prints invalid arguments as one line.

    Attributes:
        checks: functions that check, and may complete, the parsed arguments.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.checks: list[Callable[[argparse.Namespace], None]] = []

    def parse_args(self, *words: Any) -> argparse.Namespace:
        """Parse arguments and run the checks."""
        arguments = super().parse_args(*words)
        for check in self.checks:
            check(arguments)
        return arguments

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"error: {one_line(message)} (see {self.prog} --help)\n")


def parser(docstring: str) -> Parser:
    """Create a parser whose `--help` shows the docstring of the script and defaults."""
    return Parser(description=docstring, formatter_class=HelpFormatter, allow_abbrev=False)


def run(main: Callable[[list[str]], None]) -> None:
    """Run the `main` function of a script, log to standard error, and print invalid input as one line."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for chatty in ("httpx", "sentence_transformers", "transformers", "datasets", "fontTools"):
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
        if isinstance(error, OSError) and error.filename:  # no permission, read-only disk: a traceback adds nothing
            sys.exit(f"error: {one_line(error)}")
        raise


def is_full_disk(error: BaseException | None) -> bool:
    """Whether an error, or its cause, is due to a full disk."""
    if error is None:
        return False
    if getattr(error, "errno", None) == errno.ENOSPC or any(words in str(error) for words in FULL_DISK):
        return True
    return is_full_disk(error.__cause__ or error.__context__)


def existing(path: str) -> Path:
    """Argument type: an existing file or folder that matches its seal, if it has one."""
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"'{path}' does not exist")
    try:
        return seals.opened(Path(path))
    except (InputError, OSError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


# Inputs of several scripts.
INPUTS = {
    "corpus": "prepared corpus (Parquet)",
    "embeddings": "embeddings folder",
    "table": "table of the experiment (CSV)",
    "published": "published numbers (CSV)",
}


def add_inputs(parser: argparse.ArgumentParser, *names: str, required: bool = True, **described: str) -> None:
    """Add options for existing files or folders: names in INPUTS, and others with a description."""
    for name, what in ({name: INPUTS[name] for name in names} | described).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=existing, required=required, help=what)


def add_outputs(parser: argparse.ArgumentParser, **described: str) -> None:
    """Add options for files or folders to write, with descriptions."""
    for name, what in described.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True, help=f"{what} to write")


def add_images(parser: argparse.ArgumentParser) -> None:
    """Add the option for the files of a figure."""
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="image files to write")


def add_colors(parser: argparse.ArgumentParser) -> None:
    """Add the option for the colours of labels."""
    parser.add_argument("--colors", nargs="+", default=[], help="colours as label=#rrggbb")


def add_seed(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option for the seed of a run."""
    parser.add_argument("--seed", type=at_least(0), required=True, help=what)


def at_least(minimum: int) -> Callable[[str], int]:
    """Argument type: an integer not less than a minimum."""

    def number(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", text) or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"{text!r} is invalid; expected: whole numbers from {minimum}")
        return int(text)

    return number


def positive(text: str) -> float:
    """Argument type: a finite number above 0."""
    return _number(text, lambda number: 0 < number < math.inf, "numbers above 0")


def not_negative(text: str) -> float:
    """Argument type: a finite number, at least 0."""
    return _number(text, lambda number: 0 <= number < math.inf, "numbers from 0")


def part(text: str) -> float:
    """Argument type: a number from 0 to 1."""
    return _number(text, lambda number: 0 <= number <= 1, "numbers from 0 to 1")


def _number(text: str, possible: Callable[[float], bool], allowed: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not possible(number):
        raise argparse.ArgumentTypeError(f"{text!r} is invalid; expected: {allowed}")
    return number


def add_entries(parser: argparse.ArgumentParser, names: tuple[str, ...], what: str, required: bool = True) -> None:
    """Add a repeatable `--entry`: one word per name, followed by files or folders."""
    words = " ".join(name.upper() for name in names)
    parser.add_argument(
        "--entry",
        nargs="+",
        action="append",
        required=required,
        default=[],
        metavar=(f"{words} PATH", "PATH"),
        help=what,
    )


def read_entries(entries: list[list[str]], names: tuple[str, ...]) -> Iterator[tuple[dict[str, str], list[Path]]]:
    """Return the named words and the paths of every entry.

    Raises InputError if an entry has no path, or a path that does not exist.
    """
    for words in entries:
        if len(words) <= len(names):
            raise InputError(f"--entry {' '.join(words)}: no path; expected: {', '.join(names)}, paths")
        try:
            paths = [existing(path) for path in words[len(names) :]]
        except argparse.ArgumentTypeError as error:  # argparse does not check these words
            raise InputError(f"--entry {words[0]}: {error}") from error
        yield dict(zip(names, words, strict=False)), paths

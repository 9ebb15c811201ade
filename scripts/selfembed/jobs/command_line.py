"""What every script's command line shares: logging, one-line errors, threads."""

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

# What libraries written in other languages say of a full disk: Rust and Arrow, torch.
FULL_DISK = ("No space left on device", "PytorchStreamWriter failed writing")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Help with the docstring's own line breaks and with defaults."""


class Parser(argparse.ArgumentParser):
    """A parser that ends in one line if arguments cannot be used.

    Attributes:
        checks: called with the parsed arguments, which they may complete.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.checks: list[Callable[[argparse.Namespace], None]] = []

    def parse_args(self, *words: Any) -> argparse.Namespace:
        """Parse and check."""
        arguments = super().parse_args(*words)
        for check in self.checks:
            check(arguments)
        return arguments

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"error: {one_line(message)} (see {self.prog} --help)\n")


def parser(docstring: str) -> Parser:
    """A parser whose `--help` is the script's docstring and shows defaults."""
    return Parser(description=docstring, formatter_class=HelpFormatter, allow_abbrev=False)


def run(main: Callable[[list[str]], None]) -> None:
    """Run a script's `main`, log to standard error, and end in one line if the input cannot be used."""
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
        if isinstance(error, OSError) and error.filename:  # no permission, a read-only disk: a traceback says no more
            sys.exit(f"error: {one_line(error)}")
        raise


def is_full_disk(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error, also when a library wraps it in an error of its own."""
    if error is None:
        return False
    if getattr(error, "errno", None) == errno.ENOSPC or any(words in str(error) for words in FULL_DISK):
        return True
    return is_full_disk(error.__cause__ or error.__context__)


def existing(path: str) -> Path:
    """Argument type: a file or folder that exists, and is what a step wrote if one did."""
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"'{path}' does not exist")
    try:
        return seals.opened(Path(path))
    except (InputError, OSError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


# Inputs that several scripts read.
INPUTS = {
    "corpus": "prepared corpus (Parquet)",
    "embeddings": "embeddings folder",
    "table": "table of the experiment (CSV)",
    "published": "published numbers (CSV)",
}


def add_inputs(parser: argparse.ArgumentParser, *names: str, required: bool = True, **described: str) -> None:
    """Options for files or folders that exist: some of INPUTS by name, others with what they are."""
    for name, what in ({name: INPUTS[name] for name in names} | described).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=existing, required=required, help=what)


def add_outputs(parser: argparse.ArgumentParser, **described: str) -> None:
    """Options for files or folders to write, with what they are."""
    for name, what in described.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=True, help=f"{what} to write")


def add_images(parser: argparse.ArgumentParser) -> None:
    """The option for the files of a figure."""
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="image files to write")


def add_colors(parser: argparse.ArgumentParser) -> None:
    """The option for colours of a figure's labels."""
    parser.add_argument("--colors", nargs="+", default=[], help="colours as label=#rrggbb")


def add_seed(parser: argparse.ArgumentParser, what: str) -> None:
    """The option for the seed of a run, of which a study has several."""
    parser.add_argument("--seed", type=at_least(0), required=True, help=what)


def at_least(minimum: int) -> Callable[[str], int]:
    """Argument type: a whole number that is not smaller."""

    def number(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", text) or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"{text!r} is invalid; expected: whole numbers from {minimum}")
        return int(text)

    return number


def positive(text: str) -> float:
    """Argument type: a finite number above 0."""
    return _number(text, lambda number: 0 < number < math.inf, "numbers above 0")


def not_negative(text: str) -> float:
    """Argument type: a finite number from 0."""
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
    """A repeatable `--entry`: words of these names, followed by the files or folders that they belong to."""
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
    """The named words of every entry, and its paths.

    Raises InputError if an entry has no path, or one that does not exist.
    """
    for words in entries:
        if len(words) <= len(names):
            raise InputError(f"--entry {' '.join(words)}: no path; expected: {', '.join(names)}, paths")
        try:
            paths = [existing(path) for path in words[len(names) :]]
        except argparse.ArgumentTypeError as error:  # argparse itself sees only words
            raise InputError(f"--entry {words[0]}: {error}") from error
        yield dict(zip(names, words, strict=False)), paths

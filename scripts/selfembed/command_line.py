"""What every script's command line shares: logging, one-line errors, threads."""

import argparse
import logging
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from selfembed.errors import InputError, Interrupted, NoSpaceError, of_full_disk

log = logging.getLogger("selfembed")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Help with the docstring's own line breaks and with defaults."""


def parser(docstring: str) -> argparse.ArgumentParser:
    """A parser whose `--help` is the script's docstring and shows defaults."""
    return argparse.ArgumentParser(description=docstring, formatter_class=HelpFormatter)


def start_logging(level: int = logging.INFO) -> None:
    """Log to standard error, with the time of day."""
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for chatty in ("httpx", "sentence_transformers", "transformers", "datasets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def run(main: Callable[[list[str]], None]) -> None:
    """Run a script's `main` and log to standard error.

    It ends in one line if the input cannot be used, if a disk is full, or if it is asked to end.
    """
    start_logging()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        main(sys.argv[1:])
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        end(Interrupted(signal.SIGINT))
    except Interrupted as error:
        end(error)
    except Exception as error:
        if not of_full_disk(error):
            raise
        sys.exit(f"error: {NoSpaceError(getattr(error, 'filename', None) or tempfile.gettempdir())}")


def interrupt(number: int, frame) -> None:
    """Signal handler: end by an exception, so that half files are removed."""
    raise Interrupted(number)


def end(error: Interrupted) -> None:
    """End with the status that shells give for a signal."""
    print(error, file=sys.stderr)
    sys.exit(128 + error.number)


def existing(path: str) -> Path:
    """Argument type: a file or folder that exists."""
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"'{path}' does not exist")
    return Path(path)


def add_entries(parser: argparse.ArgumentParser, names: tuple[str, ...], what: str) -> None:
    """A repeatable `--entry`: words of these names, followed by the files or folders that they belong to."""
    words = " ".join(name.upper() for name in names)
    parser.add_argument(
        "--entry", nargs="+", action="append", required=True, metavar=(f"{words} PATH", "PATH"), help=what
    )


def read_entries(entries: list[list[str]], names: tuple[str, ...]) -> Iterator[tuple[dict[str, str], list[Path]]]:
    """The named words of every entry, and its paths.

    Raises InputError if an entry has no path, or one that does not exist.
    """
    for words in entries:
        if len(words) <= len(names):
            raise InputError(f"--entry {' '.join(words)}: no path; needed: {', '.join(names)}, paths")
        try:
            paths = [existing(path) for path in words[len(names) :]]
        except argparse.ArgumentTypeError as error:  # argparse itself sees only words
            raise InputError(f"--entry {words[0]}: {error}") from error
        yield dict(zip(names, words, strict=False)), paths


def use_threads(threads: int) -> None:
    """Compute on exactly this many CPU threads: results are the same bytes only for the same number."""
    import torch

    torch.set_num_threads(threads)

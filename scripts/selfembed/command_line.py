"""What every script's command line shares: logging, one-line errors, threads."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from selfembed.errors import InputError

log = logging.getLogger("selfembed")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Help with the docstring's own line breaks and with defaults."""


def parser(docstring: str) -> argparse.ArgumentParser:
    """A parser whose `--help` is the script's docstring and shows defaults."""
    return argparse.ArgumentParser(description=docstring, formatter_class=HelpFormatter)


def run(main: Callable[[list[str]], None]) -> None:
    """Run a script's `main`, log to standard error, and end in one line if the input cannot be used."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for chatty in ("httpx", "sentence_transformers", "transformers", "datasets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        main(sys.argv[1:])
    except InputError as error:
        sys.exit(f"error: {error}")


def existing(path: str) -> Path:
    """Argument type: a file or folder that exists."""
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"'{path}' does not exist")
    return Path(path)


def use_threads(threads: int) -> None:
    """Compute on exactly this many CPU threads: results are the same bytes only for the same number."""
    import torch

    torch.set_num_threads(threads)

"""What a config expects of a corpus (`corpora.{corpus}.expect`): numbers that other data do not have."""

import argparse

import pandas as pd

from selfembed.errors import InputError
from selfembed.jobs.command_line import at_least

THINGS = {"rows": ("text", "texts"), "labelled": ("labelled text", "labelled texts"), "classes": ("class", "classes")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that say what is expected."""
    for name, (_, things) in THINGS.items():
        parser.add_argument(f"--expect-{name}", type=at_least(0), help=f"number of {things} that the corpus must have")


def check(corpus: pd.DataFrame, name: str, arguments: argparse.Namespace) -> None:
    """Compare a corpus with what is expected of it.

    Args:
        corpus: with the columns `text` and `label`.
        name: of the corpus in the config.
        arguments: those of `add_arguments`.

    Raises InputError with one line that names every number that differs.
    """
    found = {
        "rows": len(corpus),
        "labelled": int(corpus["label"].notna().sum()),
        "classes": int(corpus["label"].nunique()),
    }
    expected = {key: getattr(arguments, f"expect_{key}") for key in THINGS}
    different = [
        f"{found[key]:,} {THINGS[key][found[key] != 1]} instead of {number:,} (corpora.{name}.expect.{key})"
        for key, number in expected.items()
        if number is not None and number != found[key]
    ]
    if different:
        raise InputError(f"{name}: {', '.join(different)}; is it the right file or revision?")

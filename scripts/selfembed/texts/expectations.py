"""Check of a corpus against the expected counts in the config (`corpora.{corpus}.expect`)."""

from collections.abc import Iterable

import pandas as pd

from selfembed.errors import InputError

THINGS = {"rows": ("text", "texts"), "labelled": ("labelled text", "labelled texts"), "classes": ("class", "classes")}


def check(corpus: pd.DataFrame, name: str, expected: Iterable[tuple[str, int | None]] | None) -> None:
    """Compare the counts of a corpus with expected ones.

    Args:
        corpus: prepared corpus.
        name: name of the corpus in the config.
        expected: numbers of `rows`, `labelled` texts and `classes`; None: no check.

    Raises InputError with all counts that differ.
    """
    found = {
        "rows": len(corpus),
        "labelled": int(corpus["label"].notna().sum()),
        "classes": int(corpus["label"].nunique()),
    }
    different = [
        f"{found[key]:,} {THINGS[key][found[key] != 1]} instead of {number:,} (corpora.{name}.expect.{key})"
        for key, number in expected or ()
        if number is not None and number != found[key]
    ]
    if different:
        raise InputError(f"{name}: {', '.join(different)}; is this the right file or revision?")

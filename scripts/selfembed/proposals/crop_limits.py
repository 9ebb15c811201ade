"""Limits of crops and the held-out texts that suit a corpus."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from selfembed.augmentations.crops import FEWEST, packs, positions_held_out
from selfembed.errors import InputError
from selfembed.settings.base import Packs
from selfembed.texts import sentences

LEAST_TEXTS = 2 * FEWEST  # training and held-out texts, FEWEST each
WANTED_HELD_OUT = 300  # texts: a third to choose a model on, the others to judge it by
PARTS_HELD_OUT = (0.1, 0.2, 0.3, 0.4, 0.5)
LARGEST_PART = 0.3  # the largest held-out fraction, unless fewer than FEWEST texts would be held out
REPEATED = 3  # texts; a sentence in so many of them does not tell one text from others
EXAMPLES = 3
SHOWN = 120  # characters of an example
WAYS = {"unicode": "sentences", "lines": "lines", "words": f"pieces of {sentences.RUN} words"}


class Limits(Packs):
    """Limits of crops."""

    def packs(self, sentences: Sequence[str]) -> list[str]:
        return packs(sentences, self.sentences, self.minimum_length, self.maximum_length)

    def usable(self, texts: pd.Series) -> np.ndarray:
        """Return a mask of the texts, lists of sentences, with at least two packs, which pairs require."""
        return np.array([len(self.packs(sentences)) >= 2 for sentences in texts], dtype=bool)


# Tried in this order. The first are the limits of the paper, for texts such as abstracts.
PAPER = Limits()
LIMITS = (
    PAPER,
    Limits(minimum_length=30, maximum_length=500),
    Limits(sentences=1, minimum_length=30, maximum_length=500),
    Limits(sentences=1, minimum_length=10, maximum_length=1000),
)
TRIED = 2000  # number of evenly spaced texts by which limits are chosen


def spread(texts: pd.Series) -> pd.Series:
    """Return about TRIED evenly spaced texts."""
    return texts.iloc[:: max(1, len(texts) // TRIED)]


def examples(texts: pd.Series, limits: Limits) -> Iterator[str]:
    """Yield one crop of each of a few evenly spaced texts, shortened."""
    for text in texts.iloc[:: max(1, len(texts) // EXAMPLES)].iloc[:EXAMPLES]:
        crop = "".join(filter(str.isprintable, limits.packs(text)[0])).strip()
        yield crop if len(crop) <= SHOWN else f"{crop[:SHOWN]}…"


def best_limits(texts: pd.Series) -> Limits:
    """Return the first limits that half of the texts meet, else those that most texts meet (the last of ties).

    Args:
        texts: lists of sentences.
    """
    shares = {limits: limits.usable(spread(texts)).mean() for limits in LIMITS}
    return next((limits for limits in LIMITS if shares[limits] >= 0.5), max(reversed(LIMITS), key=shares.__getitem__))


def part_held_out(path: Path | str, usable: np.ndarray, limits: Limits, way: str, repeated: float) -> tuple[float, int]:
    """Return the smallest fraction to hold out with enough usable texts in it, and the number of these texts.

    Raises InputError if no fraction up to one half is sufficient.
    """
    found = {part: int(usable[positions_held_out(len(usable), part)].sum()) for part in PARTS_HELD_OUT}
    for part, n_held_out in found.items():
        wanted = WANTED_HELD_OUT if part < LARGEST_PART else FEWEST
        if n_held_out >= wanted and usable.sum() - n_held_out >= FEWEST:
            return part, n_held_out
    raise InputError(
        f"{path}: {usable.sum():,} of {len(usable):,} texts are long enough: they have {needed_by(limits, way)}"
        f"{not_counted(repeated, way)}; expected: about {LEAST_TEXTS} such texts or more, half for training and half "
        "held out"
    )


def needed_by(limits: Limits, way: str) -> str:
    """Describe the requirements of crops for an error message."""
    lengths = f"{limits.minimum_length} to {limits.maximum_length} characters"
    return f"at least {limits.sentences + 1} {WAYS[way]} of {lengths}"


def not_counted(repeated: float, way: str) -> str:
    """Describe the share of sentences that are repeated; empty if it rounds to nothing."""
    found = f"{repeated:.0%}"
    return "" if found == "0%" else f" ({found} of the {WAYS[way]} are in {REPEATED} texts or more and do not count)"

"""Positive pairs from single texts: the augmentations, as functions of texts and a numpy Generator.

Sentences are split and filtered as in the paper's study: a plain split on the full stop, and lengths taken on the raw
piece, with its leading space. (White space inside a prepared corpus has been folded before; the study did not do that.)
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from selfembed.errors import InputError

Positives = Callable[[list[str], np.random.Generator], tuple[str, str]]


def packs(text: str, sentences: int = 2, minimum_length: int = 100, maximum_length: int = 250) -> list[str]:
    """All packs of a text, in order.

    A piece between full stops is eligible if its raw length is in [minimum_length, maximum_length] characters. A pack
    starts at every eligible piece and takes `sentences` eligible pieces from there on, skipping the others; each is
    stripped and followed by ". ", so a pack ends in a space.

    >>> packs("aaa. b. ccc. ddd", minimum_length=3, maximum_length=4)
    ['aaa. ccc. ', 'ccc. ddd. ']
    """
    eligible = [piece.strip() + ". " for piece in text.split(".") if minimum_length <= len(piece) <= maximum_length]
    return ["".join(eligible[start : start + sentences]) for start in range(len(eligible) - sentences + 1)]


def crop_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Crops: two different packs, drawn uniformly without replacement."""
    first = int(generator.integers(len(candidates)))
    second = int(generator.integers(len(candidates) - 1))
    return candidates[first], candidates[second + (second >= first)]


def dropout_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Dropout: one pack, drawn uniformly, twice."""
    pack = candidates[int(generator.integers(len(candidates)))]
    return pack, pack


AUGMENTATIONS: dict[str, Positives] = {"crops": crop_pair, "dropout": dropout_pair}


def make_pairs(
    corpus: pd.DataFrame,
    augmentation: str,
    epochs: int,
    seed: int,
    sentences: int = 2,
    minimum_length: int = 100,
    maximum_length: int = 250,
) -> pd.DataFrame:
    """One pair per text and epoch, in the order in which a run sees them.

    Texts with fewer than two packs are left out, for every augmentation alike. Each epoch has its own order and its own
    draws; all of them come from one generator, seeded with `seed`, so fewer epochs give the same first rows.

    Returns a frame with the columns `epoch` (from 0), `id`, `anchor`, `positive`.

    Raises InputError if no text has two packs.
    """
    generator = np.random.default_rng(seed)
    candidates = [packs(text, sentences, minimum_length, maximum_length) for text in corpus["text"]]
    usable = np.array([index for index, found in enumerate(candidates) if len(found) >= 2])
    if usable.size == 0:
        raise InputError(
            f"none of the {len(corpus)} texts has two packs of {sentences} sentences of "
            f"{minimum_length} to {maximum_length} characters; needed: longer texts or other limits"
        )
    ids = corpus["id"].to_numpy()
    draw = AUGMENTATIONS[augmentation]
    rows = [
        (epoch, ids[index], *draw(candidates[index], generator))
        for epoch in range(epochs)
        for index in generator.permutation(usable)
    ]
    return pd.DataFrame(rows, columns=["epoch", "id", "anchor", "positive"])

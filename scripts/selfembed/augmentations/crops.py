"""Positive pairs from single texts: the augmentations, as functions of texts and a numpy Generator.

Sentences are split and filtered as in the paper's study: a plain split on the full stop, and lengths taken on the raw
piece, with its leading space. (White space inside a prepared corpus has been folded before; the study did not do that.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from selfembed.errors import InputError, first_line
from selfembed.jobs.progress import Progress
from selfembed.texts.splits import HELD_OUT_SEED, split

FEWEST = 50  # texts from which crops are worth a score: its standard error is then up to 7 points
PAIR_COLUMNS = ["epoch", "id", "anchor", "positive"]

Candidates = Callable[..., list[str]]
Draw = Callable[[list[str], np.random.Generator], tuple[str, str]]


def packs(text: str, sentences: int, minimum_length: int, maximum_length: int) -> list[str]:
    """All packs of a text, in order.

    A piece between full stops is eligible if its raw length is in [minimum_length, maximum_length] characters. A pack
    starts at every eligible piece and takes `sentences` eligible pieces from there on, skipping the others; each is
    stripped and followed by ". ", so a pack ends in a space.

    >>> packs("aaa. b. ccc. ddd", sentences=2, minimum_length=3, maximum_length=4)
    ['aaa. ccc. ', 'ccc. ddd. ']
    """
    eligible = [piece.strip() + ". " for piece in text.split(".") if minimum_length <= len(piece) <= maximum_length]
    return ["".join(eligible[start : start + sentences]) for start in range(len(eligible) - sentences + 1)]


def in_words(sentences: int, minimum_length: int, maximum_length: int) -> str:
    """What a text needs to give two packs."""
    return f"two packs of {sentences} sentences of {minimum_length} to {maximum_length} characters"


def crop_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Crops: two different packs, drawn uniformly without replacement."""
    first, second = two_of(len(candidates), generator)
    return candidates[first], candidates[second]


def two_of(number: int, generator: np.random.Generator) -> tuple[int, int]:
    """Two different positions below a number, drawn uniformly."""
    first = int(generator.integers(number))
    second = int(generator.integers(number - 1))
    return first, second + (second >= first)


def apart_pair(candidates: list[str], sentences: int, generator: np.random.Generator) -> tuple[str, str]:
    """Two packs that share no sentence, drawn uniformly; the text must have more than `sentences` packs.

    Packs that start at a < b share none if b - a is at least `sentences`. So two positions are drawn among fewer, and
    the later one is moved on.
    """
    moved = sentences - 1
    first, second = two_of(len(candidates) - moved, generator)
    return candidates[first + moved * (first > second)], candidates[second + moved * (second > first)]


def dropout_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Dropout: one pack, drawn uniformly, twice."""
    pack = candidates[int(generator.integers(len(candidates)))]
    return pack, pack


def halves(text: str) -> list[str]:
    """The two halves of a text's sentences, whatever their length; the first has one more if their number is odd.

    >>> halves("One. Two. Three.")
    ['One. Two. ', 'Three. ']
    """
    sentences = [piece.strip() + ". " for piece in text.split(".") if piece.strip()]
    middle = (len(sentences) + 1) // 2
    return ["".join(sentences[:middle]), "".join(sentences[middle:])] if len(sentences) >= 2 else []


def halves_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Halves: both, in random order."""
    first = int(generator.integers(2))
    return candidates[first], candidates[1 - first]


def whole_text(text: str) -> list[str]:
    """The text itself."""
    return [text]


def whole_text_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Whole text: the text, twice."""
    return candidates[0], candidates[0]


@dataclass(frozen=True)
class Augmentation:
    """How a positive pair is made from one text: its candidates, and a draw from at least `needed` of them."""

    candidates: Candidates
    needed: int
    draw: Draw
    takes_packs: bool


AUGMENTATIONS: dict[str, Augmentation] = {
    "crops": Augmentation(packs, 2, crop_pair, takes_packs=True),
    # Dropout needs only one pack, but is compared with crops on the same texts.
    "dropout": Augmentation(packs, 2, dropout_pair, takes_packs=True),
    "halves": Augmentation(halves, 2, halves_pair, takes_packs=False),
    "whole_text": Augmentation(whole_text, 1, whole_text_pair, takes_packs=False),
}


def read_pairs(path: Path) -> pd.DataFrame:
    """Read pairs that `make_pairs` made.

    Raises InputError if the file holds none.
    """
    try:
        pairs = pd.read_parquet(path, columns=PAIR_COLUMNS).astype({"anchor": object, "positive": object})
    except Exception as error:  # whatever the bytes do to the parser
        raise InputError(f"{path}: no pairs: {first_line(error)}; expected: {', '.join(PAIR_COLUMNS)}") from error
    if pairs.empty:
        raise InputError(f"{path}: no pairs; expected: at least one row")
    return pairs


def positions_kept(n_texts: int, held_out: float) -> np.ndarray:
    """Positions of the texts that are not held out, ascending.

    Raises InputError if that part cannot be held out.
    """
    return parts(n_texts, held_out)[0] if held_out else np.arange(n_texts)


def positions_held_out(n_texts: int, held_out: float) -> np.ndarray:
    """Positions of the texts that are held out, ascending; all texts if no part is.

    Raises InputError if that part cannot be held out.
    """
    return parts(n_texts, held_out)[1] if held_out else np.arange(n_texts)


def parts(n_texts: int, held_out: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the texts that are trained on and of those that are held out, both ascending."""
    try:
        kept, others = split(n_texts, held_out, HELD_OUT_SEED)
    except ValueError as error:
        raise InputError(f"held_out is {held_out}, which cannot be held out from {n_texts} texts: {error}") from error
    return np.sort(kept), np.sort(others)


def make_pairs(
    corpus: pd.DataFrame,
    augmentation: str,
    *,
    epochs: int,
    seed: int,
    held_out: float,
    **limits: int,
) -> pd.DataFrame:
    """One pair per text and epoch, in the order in which a run sees them.

    Texts with too few packs (or halves) are left out; crops and dropout need the same. Each epoch has its own order and
    its own draws; all of them come from one generator, seeded with `seed`, so fewer epochs give the same first rows.

    Args:
        held_out: part of all texts, labelled or not, that is left out: the test texts of a score with `split: all`.
        limits: `sentences`, `minimum_length`, `maximum_length` of packs; halves and whole texts have none.

    Returns a frame with the columns `epoch` (from 0), `id`, `anchor`, `positive`.

    Raises InputError if no text gives a pair, or if that part cannot be held out.
    """
    chosen = AUGMENTATIONS[augmentation]
    kept = positions_kept(len(corpus), held_out)
    texts = corpus["text"].to_numpy()
    progress = Progress(len(kept), "texts")
    candidates = {}
    for index in kept:
        candidates[index] = chosen.candidates(texts[index], **limits)
        progress.advance(1)
    usable = np.array([index for index, found in candidates.items() if len(found) >= chosen.needed])
    if usable.size == 0:
        needed = "two sentences"
        if chosen.takes_packs:
            needed = in_words(**limits)
        raise InputError(f"none of the {len(kept)} texts has {needed}; expected: longer texts or other limits")
    ids = corpus["id"].to_numpy()
    generator = np.random.default_rng(seed)
    progress = Progress(epochs * len(usable), "pairs")
    rows = []
    for epoch in range(epochs):
        for index in generator.permutation(usable):
            rows.append((epoch, ids[index], *chosen.draw(candidates[index], generator)))
            progress.advance(1)
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)


def crop_corpus(
    corpus: pd.DataFrame,
    *,
    held_out: float,
    size: int | None,
    seed: int,
    **limits: int,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Two crops of each held-out text, as a corpus; they share no sentence where the text has enough of them.

    Args:
        held_out: the part of all texts that runs with the same `held_out` do not see; 0 takes all texts.
        size: so many of the texts that have two crops are drawn, if there are more.
        seed: of the draws.
        limits: `sentences`, `minimum_length`, `maximum_length` of packs.

    Returns a corpus with the ids `{text}/0` and `{text}/1` in turns, labels and titles of the texts, and the number of
    texts that went each way.

    Raises InputError if fewer than FEWEST texts have two crops.
    """
    positions = positions_held_out(len(corpus), held_out)
    texts = corpus["text"].to_numpy()
    candidates = {index: packs(texts[index], **limits) for index in positions}
    usable = np.array([index for index, found in candidates.items() if len(found) >= 2], dtype=np.int64)
    if len(usable) < FEWEST:
        raise InputError(
            f"{len(usable)} of the {len(positions)} held-out texts have {in_words(**limits)}; expected: {FEWEST} "
            "(more or longer texts, a larger held_out, or other limits)"
        )
    generator = np.random.default_rng(seed)
    drawn = np.sort(generator.choice(usable, min(size or len(usable), len(usable)), replace=False))
    rows, apart = [], 0
    for index, text in zip(drawn, corpus.iloc[drawn].itertuples(index=False), strict=True):
        found = candidates[index]
        if len(found) > limits["sentences"]:
            pair = apart_pair(found, limits["sentences"], generator)
            apart += 1
        else:
            pair = crop_pair(found, generator)
        rows += [(f"{text.id}/{place}", crop.strip(), text.label, text.title) for place, crop in enumerate(pair)]
    counts = {
        "texts": len(corpus),
        "held out": len(positions),
        "without two crops": len(positions) - len(usable),
        "not drawn": len(usable) - len(drawn),
        "kept": len(drawn),
        "kept, crops share a sentence": len(drawn) - apart,
    }
    return pd.DataFrame(rows, columns=["id", "text", "label", "title"]), counts

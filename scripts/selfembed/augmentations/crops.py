"""Positive pairs from single texts, and from texts of the same group.

A corpus with a column `sentences` was split when it was prepared (texts/sentences.py). Other corpora are split and
filtered as in the paper: at full stops, and the length of a piece includes its leading space. (Unlike in the paper,
white space in a prepared corpus is collapsed before.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from selfembed.errors import InputError, reword_errors
from selfembed.jobs.progress import Progress
from selfembed.texts import groups
from selfembed.texts.sentences import length
from selfembed.texts.splits import HELD_OUT_SEED, split
from selfembed.texts.titles import title_and_text

FEWEST = 50  # minimum number of texts for a score on pairs; its standard error is then up to 7 points
PAIR_COLUMNS = ["epoch", "id", "anchor", "positive"]

Text = str | Sequence[str]  # a text, or its sentences, each followed by a space if one stood there
Candidates = Callable[..., list[Any]]
Draw = Callable[[list[Any], np.random.Generator], tuple[str, str]]


def eligible(text: Text, minimum_length: int, maximum_length: float = np.inf) -> list[str]:
    """Return the sentences of a text whose length is in [minimum_length, maximum_length] characters, to be joined.

    A text is split at full stops. The length is the raw one; each piece is then stripped and followed by ". ". In
    given sentences, Han, Kana and Hangul characters count twice.
    """
    if isinstance(text, str):
        pieces = text.split(".")
        return [piece.strip() + ". " for piece in pieces if minimum_length <= len(piece) <= maximum_length]
    return [sentence for sentence in text if minimum_length <= length(sentence.rstrip()) <= maximum_length]


def packs(text: Text, sentences: int, minimum_length: int, maximum_length: int) -> list[str]:
    """Return all packs of a text in order: `sentences` consecutive eligible sentences; others are skipped.

    >>> packs("aaa. b. ccc. ddd", sentences=2, minimum_length=3, maximum_length=4)
    ['aaa. ccc. ', 'ccc. ddd. ']
    >>> packs(["我来了。", "你呢？ ", "好！"], sentences=2, minimum_length=5, maximum_length=7)
    ['我来了。你呢？ ']
    """
    found = eligible(text, minimum_length, maximum_length)
    return ["".join(found[start : start + sentences]) for start in range(len(found) - sentences + 1)]


def describe_requirements(sentences: int, minimum_length: int, maximum_length: int) -> str:
    """Describe the requirements of two packs for an error message."""
    return f"two packs of {sentences} sentences of {minimum_length} to {maximum_length} characters"


def crop_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Draw two different packs uniformly."""
    first, second = two_of(len(candidates), generator)
    return candidates[first], candidates[second]


def two_of(number: int, generator: np.random.Generator) -> tuple[int, int]:
    """Draw two different positions below `number` uniformly."""
    first = int(generator.integers(number))
    second = int(generator.integers(number - 1))
    return first, second + (second >= first)


def apart_pair(candidates: list[str], sentences: int, generator: np.random.Generator) -> tuple[str, str]:
    """Draw two packs that share no sentence uniformly; the text must have more than `sentences` packs.

    Packs at positions a < b share no sentence if b - a >= `sentences`. Therefore two positions are drawn from a range
    shortened by `sentences` - 1, and this number is added to the larger one.
    """
    moved = sentences - 1
    first, second = two_of(len(candidates) - moved, generator)
    return candidates[first + moved * (first > second)], candidates[second + moved * (second > first)]


def dropout_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Draw one candidate uniformly and return it twice."""
    drawn = candidates[int(generator.integers(len(candidates)))]
    return drawn, drawn


def halves(text: Text) -> list[str]:
    """Return the two halves of the sentences of a text; the first has one more if the number is odd.

    >>> halves("One. Two. Three.")
    ['One. Two. ', 'Three. ']
    """
    sentences = [sentence for sentence in eligible(text, 1) if sentence != ". "]
    middle = (len(sentences) + 1) // 2
    return ["".join(sentences[:middle]), "".join(sentences[middle:])] if len(sentences) >= 2 else []


def halves_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Return both halves in random order."""
    first = int(generator.integers(2))
    return candidates[first], candidates[1 - first]


def whole_text(text: str) -> list[str]:
    """Return the text as the only candidate."""
    return [text]


def title_pair(candidates: list[str], generator: np.random.Generator) -> tuple[str, str]:
    """Return the title and the text."""
    return candidates[0], candidates[1]


def in_group(member: list[groups.Member]) -> list[groups.Member]:
    """Return the place of the text in its group as the only candidate; none without another text."""
    return member


def group_pair(candidates: list[groups.Member], generator: np.random.Generator) -> tuple[str, str]:
    """Return the text, and draw another text of its group uniformly."""
    place, texts = candidates[0]
    other = int(generator.integers(len(texts) - 1))
    return texts[place], texts[other + (other >= place)]


def as_split(corpus: pd.DataFrame) -> np.ndarray:
    """Return the sentences of every text if the corpus has them, else the texts."""
    return corpus["sentences" if "sentences" in corpus else "text"].to_numpy()


def as_whole(corpus: pd.DataFrame) -> np.ndarray:
    """Return the texts."""
    return corpus["text"].to_numpy()


def with_titles(corpus: pd.DataFrame) -> list[tuple[Any, str]]:
    """Return title and text of every text."""
    return list(zip(corpus["title"], corpus["text"], strict=True))


@dataclass(frozen=True)
class Augmentation:
    """An augmentation.

    Attributes:
        candidates: function for the candidates of a text, from what `read` returns for it.
        needed: minimum number of candidates to draw from.
        draw: function that draws a pair.
        takes_packs: whether the candidates are packs, with their limits as settings.
        read: function of the training texts for what the pair of each text is made of.
        apart: function of the training texts for what pairs should not share in a batch, where their texts would be
            false negatives; None: the order is random.
        needs, expected: what a text needs and what is expected, for an error message; packs have their own needs.
    """

    candidates: Candidates
    needed: int
    draw: Draw
    takes_packs: bool
    read: Callable[[pd.DataFrame], Sequence[Any]] = as_split
    apart: Callable[[pd.DataFrame], pd.Series] | None = None
    needs: str = "two sentences"
    expected: str = "longer texts or other limits"


AUGMENTATIONS: dict[str, Augmentation] = {
    "crops": Augmentation(packs, 2, crop_pair, takes_packs=True),
    # Dropout requires only one pack, but two are required here, so that it uses the same texts as crops.
    "dropout": Augmentation(packs, 2, dropout_pair, takes_packs=True),
    "halves": Augmentation(halves, 2, halves_pair, takes_packs=False),
    "whole_text": Augmentation(whole_text, 1, dropout_pair, takes_packs=False, read=as_whole),
    "titles": Augmentation(
        title_and_text,
        2,
        title_pair,
        takes_packs=False,
        read=with_titles,
        needs="a title (or another column named as title)",
        expected="a source with title: COLUMN, and texts that are more than their title",
    ),
    "groups": Augmentation(
        in_group,
        1,
        group_pair,
        takes_packs=False,
        read=groups.members,
        apart=groups.values,
        needs="another text in its group",
        expected="a source with group: COLUMN, and values that several texts have",
    ),
}


def read_pairs(path: Path) -> pd.DataFrame:
    """Read the pairs written from `make_pairs`.

    Raises InputError if the file contains no pairs.
    """
    with reword_errors(f"{path}: no pairs", expected=", ".join(PAIR_COLUMNS)):  # any parser error
        pairs = pd.read_parquet(path, columns=PAIR_COLUMNS).astype({"anchor": object, "positive": object})
    if pairs.empty:
        raise InputError(f"{path}: no pairs; expected: at least one row")
    return pairs


def positions_kept(n_texts: int, held_out: float) -> np.ndarray:
    """Return positions of texts that are not held out, ascending.

    Raises InputError if this fraction cannot be held out.
    """
    return parts(n_texts, held_out)[0] if held_out else np.arange(n_texts)


def positions_held_out(n_texts: int, held_out: float) -> np.ndarray:
    """Return positions of held-out texts, ascending; of all texts if `held_out` is 0.

    Raises InputError if this fraction cannot be held out.
    """
    return parts(n_texts, held_out)[1] if held_out else np.arange(n_texts)


def parts(n_texts: int, held_out: float) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of training texts and of held-out texts, both ascending."""
    with reword_errors(f"held_out is {held_out}, which is not possible with {n_texts} texts", ValueError):
        kept, others = split(n_texts, held_out, HELD_OUT_SEED)
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
    """Create one pair per text and epoch, in training order.

    Texts with too few candidates are excluded. Order and pairs are drawn anew in every epoch from one generator with
    the given seed, so fewer epochs give the same first rows. Texts of a group are far apart in the order.

    Args:
        held_out: fraction of all texts, labelled or not, that is excluded: the test texts of scores with `split: all`.
        limits: `sentences`, `minimum_length`, `maximum_length` of packs; none for other augmentations.

    Returns a frame with the columns `epoch` (from 0), `id`, `anchor`, `positive`.

    Raises InputError if no text has enough candidates, or if this fraction cannot be held out.
    """
    chosen = AUGMENTATIONS[augmentation]
    training = corpus.iloc[positions_kept(len(corpus), held_out)]
    progress = Progress(len(training), "texts")
    candidates = []
    for text in chosen.read(training):
        candidates.append(chosen.candidates(text, **limits))
        progress.advance(1)
    usable = np.flatnonzero([len(found) >= chosen.needed for found in candidates])
    if usable.size == 0:
        needs = describe_requirements(**limits) if chosen.takes_packs else chosen.needs
        raise InputError(f"none of the {len(training)} texts has {needs}; expected: {chosen.expected}")
    ids = training["id"].to_numpy()
    shared = None if chosen.apart is None else chosen.apart(training).to_numpy()[usable]
    generator = np.random.default_rng(seed)
    progress = Progress(epochs * len(usable), "pairs")
    rows = []
    for epoch in range(epochs):
        order = generator.permutation(usable) if shared is None else usable[groups.spread(shared, generator)]
        for index in order:
            rows.append((epoch, ids[index], *chosen.draw(candidates[index], generator)))
            progress.advance(1)
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)

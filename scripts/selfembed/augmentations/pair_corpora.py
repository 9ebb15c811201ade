"""Corpora with two rows for each held-out text: two crops, or the title and the text."""

import argparse
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from selfembed.augmentations.crops import (
    AUGMENTATIONS,
    FEWEST,
    apart_pair,
    as_split,
    crop_pair,
    describe_requirements,
    packs,
    positions_held_out,
)
from selfembed.errors import InputError, reword_errors
from selfembed.jobs.command_line import log
from selfembed.jobs.records import checksum, provenance, write_json, write_table
from selfembed.texts.corpora import COLUMNS, check_expected, read_corpus, summary


def write(arguments: argparse.Namespace, derive: Callable[..., tuple[pd.DataFrame, dict[str, int]]]) -> None:
    """Write a corpus of pairs and the numbers of texts used and excluded.

    Args:
        arguments: paths `corpus`, `output` and `counts`; settings `source`; `expected` sizes or None.
        derive: makes the corpus and the numbers from the other corpus and the settings.

    Raises InputError if the corpus cannot be made or is not as expected; nothing is written then.
    """
    settings = arguments.source.model_dump(exclude={"type"})
    with reword_errors(arguments.corpus, InputError):
        corpus, counts = derive(read_corpus(arguments.corpus), **settings)
    log.info("texts: %s", summary(counts))
    check_expected(corpus, arguments.output.stem, arguments.expected)
    write_table(corpus, arguments.output)
    facts = {"settings": settings, "corpus": checksum(arguments.corpus), "counts": counts}
    write_json(provenance(**facts), arguments.counts)


def crop_corpus(
    corpus: pd.DataFrame,
    *,
    held_out: float,
    size: int | None,
    seed: int,
    **limits: int,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Create a corpus of two crops of each held-out text, which share no sentence if the text is long enough.

    Args:
        held_out: fraction of texts that runs with the same `held_out` exclude from training; 0: use all texts.
        size: maximum number of texts; drawn at random from those with two crops.
        seed: random seed.
        limits: `sentences`, `minimum_length`, `maximum_length` of packs.

    Returns a corpus with alternating ids `{text}/0` and `{text}/1` and the labels and titles of the texts; and the
    numbers of texts that were held out, excluded (by reason) and kept.

    Raises InputError if fewer than FEWEST texts have two crops.
    """
    positions = positions_held_out(len(corpus), held_out)
    texts = as_split(corpus)
    candidates = {index: packs(texts[index], **limits) for index in positions}
    needs, expected = describe_requirements(**limits), "more or longer texts, a larger held_out, or other limits"
    generator = np.random.default_rng(seed)
    drawn, counts = draw_texts(candidates, size, generator, needs, expected, "without two crops")
    apart = {index for index in drawn if len(candidates[index]) > limits["sentences"]}
    pairs = [
        apart_pair(candidates[index], limits["sentences"], generator)
        if index in apart
        else crop_pair(candidates[index], generator)
        for index in drawn
    ]
    found, twins = two_rows_each(corpus, drawn, pairs)
    counts = {"texts": len(corpus)} | counts
    counts["kept, crops share a sentence"] = len(drawn) - len(apart)
    counts["kept, a crop is in another text"] = twins
    return found, counts


def title_corpus(
    corpus: pd.DataFrame, *, held_out: float, size: int | None, seed: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Create a corpus of the title of each held-out text, and of the text without the title at its beginning.

    Args:
        held_out, size, seed: as in `crop_corpus`.

    Returns a corpus with alternating ids `{text}/0` (the title) and `{text}/1` and the labels and titles of the texts;
    and the numbers of texts that were held out, excluded (by reason) and kept.

    Raises InputError if fewer than FEWEST texts have a title and are more than their title.
    """
    chosen = AUGMENTATIONS["titles"]
    texts = chosen.read(corpus)
    candidates = {index: chosen.candidates(texts[index]) for index in positions_held_out(len(corpus), held_out)}
    expected = f"more texts, a larger held_out, or {chosen.expected}"
    generator = np.random.default_rng(seed)
    drawn, counts = draw_texts(candidates, size, generator, chosen.needs, expected, "without a title or another text")
    found, twins = two_rows_each(corpus, drawn, [chosen.draw(candidates[index], generator) for index in drawn])
    return found, {"texts": len(corpus)} | counts | {"kept, a title or text is in another text": twins}


def draw_texts(
    candidates: dict[int, list[str]],
    size: int | None,
    generator: np.random.Generator,
    needs: str,
    expected: str,
    unusable: str,
) -> tuple[np.ndarray, dict[str, int]]:
    """Draw held-out texts with two candidates.

    Args:
        candidates: candidates of each held-out text, by its position.
        size: maximum number of texts.
        needs, expected: what a text needs and what is expected, for the error message.
        unusable: name of the number of texts with fewer candidates.

    Returns positions, ascending; and the numbers of texts that were held out, excluded (by reason) and kept.

    Raises InputError if fewer than FEWEST texts have two candidates.
    """
    usable = np.array([index for index, found in candidates.items() if len(found) >= 2], dtype=np.int64)
    if len(usable) < FEWEST:
        raise InputError(
            f"{len(usable)} of the {len(candidates)} held-out texts have {needs}; expected: {FEWEST} ({expected})"
        )
    drawn = np.sort(generator.choice(usable, min(size or len(usable), len(usable)), replace=False))
    counts = {
        "held out": len(candidates),
        unusable: len(candidates) - len(usable),
        "not drawn": len(usable) - len(drawn),
        "kept": len(drawn),
    }
    return drawn, counts


def two_rows_each(
    corpus: pd.DataFrame, drawn: np.ndarray, pairs: Iterable[tuple[str, str]]
) -> tuple[pd.DataFrame, int]:
    """Return a corpus of both sides of the pairs of some texts, and the number of texts with a side that is in another.

    Args:
        drawn: positions of the texts.
        pairs: pair of each text.
    """
    owners = corpus.iloc[drawn].itertuples(index=False)
    rows = [
        (f"{text.id}/{place}", side.strip(), text.label, text.title)
        for text, pair in zip(owners, pairs, strict=True)
        for place, side in enumerate(pair)
    ]
    found = pd.DataFrame(rows, columns=COLUMNS)
    numbers = pd.Series(np.repeat(drawn, 2))
    in_others = numbers.groupby(found["text"]).transform("nunique") > 1
    return found, int(numbers[in_others].nunique())

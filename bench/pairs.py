"""From texts to batches ready for training: our pairs, tokenised batch by batch, against the original's way."""

import measure
import numpy as np
import pandas as pd
import texts
import torch
from transformers import AutoTokenizer

from selfembed.augmentations import crops
from selfembed.jobs.options import defaults
from selfembed.models import encoders
from selfembed.settings.base import Packs
from selfembed.training import training

BATCH = 64
MAX_LENGTH = 512


def original(corpus: pd.DataFrame, threads: int) -> tuple[int, int]:
    """The study's way: all packs of all texts tokenised at once and padded to the longest, pairs drawn from them.

    Returns the number of batches and of pairs.
    """
    torch.set_num_threads(threads)
    tokenizer = AutoTokenizer.from_pretrained(measure.minilm())
    packs = [found for text in corpus["text"] if len(found := crops.packs(text, **defaults(Packs))) >= 2]
    sizes = np.array([len(found) for found in packs])
    starts = np.cumsum(sizes) - sizes
    everything = [pack for found in packs for pack in found]
    tokens = tokenizer(everything, truncation=True, max_length=MAX_LENGTH, padding=True, return_tensors="pt")
    generator = np.random.default_rng(42)
    order = np.random.default_rng(42).permutation(len(packs))
    batches = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    n_pairs = 0
    for batch in batches:
        drawn = [starts[text] + generator.choice(sizes[text], 2, replace=False) for text in batch]
        anchors, positives = ({name: tokens[name][list(side)] for name in tokens} for side in zip(*drawn, strict=True))
        n_pairs += len(positives["input_ids"]) if anchors["input_ids"].shape == positives["input_ids"].shape else 0
    return len(batches), n_pairs


def ours(corpus: pd.DataFrame, threads: int) -> tuple[int, int]:
    """Our way: pairs of texts first, and the trainer's tokenising of a batch when its turn comes."""
    torch.set_num_threads(threads)
    model = encoders.assemble(encoders.load(measure.minilm()), "mean", MAX_LENGTH)
    pairs = texts.crop_pairs(corpus)
    batches = training.batches_in_order(pairs["epoch"].to_numpy(), BATCH)
    n_pairs = 0
    for batch in batches:
        chosen = pairs.iloc[batch]
        anchors, positives = (model.preprocess(chosen[side].tolist()) for side in ("anchor", "positive"))
        n_pairs += len(positives["input_ids"]) if len(anchors["input_ids"]) == len(positives["input_ids"]) else 0
    return len(batches), n_pairs


def main():
    """Check that both ways see the same texts, time them in processes of their own and print a table."""
    parser = measure.parser(__doc__, rounds=5)
    texts.add_arguments(parser, 24_000)
    arguments = parser.parse_args()
    corpus = texts.read(arguments)
    corpus = pd.concat([corpus] * -(-arguments.texts // len(corpus)), ignore_index=True).head(arguments.texts)
    print(f"{len(corpus)} texts, {corpus['text'].str.len().mean():.0f} characters in a text\n")
    ways = {"original": (original, corpus, arguments.threads), "ours": (ours, corpus, arguments.threads)}
    seconds, megabytes, results = measure.alternate_apart(ways, arguments.rounds)
    assert results["ours"] == results["original"], results
    print(measure.report(seconds, "original", megabytes))


if __name__ == "__main__":
    main()

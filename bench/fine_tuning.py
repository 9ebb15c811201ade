"""A fine-tuning step: our trainer, in fp32 and with the encoder in bf16, against the original's way."""

import copy
import logging

import measure
import numpy as np
import texts
import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch.nn.functional import cosine_similarity, cross_entropy
from transformers import get_linear_schedule_with_warmup

from selfembed.jobs.options import defaults
from selfembed.models import encoders
from selfembed.settings.recipes import Masked, Recipe
from selfembed.training import training

BATCH = 64
LEARNING_RATE = 2e-5
TEMPERATURE = 0.05


def original(model, pairs, longest):
    """The study's loop: all texts padded to the longest of the corpus, two passes, a loop over cosines, fp32."""
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    steps = -(-len(pairs) // BATCH)
    schedule = get_linear_schedule_with_warmup(optimiser, int(0.1 * steps), steps)
    tokens = {
        column: model.tokenizer(pairs[column].tolist(), padding="max_length", max_length=longest, return_tensors="pt")
        for column in ("anchor", "positive")
    }
    model.train()
    losses = []
    for start in range(0, len(pairs), BATCH):
        vectors = []
        for column in ("anchor", "positive"):
            batch = {name: value[start : start + BATCH] for name, value in tokens[column].items()}
            hidden = model[0].model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            vectors.append((hidden * mask).sum(1) / mask.sum(1))
        anchors, positives = vectors
        scores = torch.stack([cosine_similarity(anchor[None], positives) for anchor in anchors])
        loss = cross_entropy(scores / TEMPERATURE, torch.arange(len(anchors)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def ours(model, pairs, precision):
    """The fine-tuning of our workflow."""
    settings = {"learning_rate": LEARNING_RATE, "batch_size": BATCH, "temperature": TEMPERATURE}
    settings |= defaults(Recipe, "warmup") | defaults(Masked) | {"precision": precision}
    return training.fine_tune(model, pairs, seed=42, **settings)["loss"].tolist()


def library(model, pairs):
    """What sentence-transformers' trainer does by itself, with its defaults where the study has no say."""
    from datasets import Dataset

    arguments = SentenceTransformerTrainingArguments(
        "unused",
        per_device_train_batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        num_train_epochs=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    data = Dataset.from_pandas(pairs[["anchor", "positive"]], preserve_index=False)
    loss = MultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE)
    SentenceTransformerTrainer(model=model, args=arguments, train_dataset=data, loss=loss).train()


def main():
    """Check that the ways agree, time them and print a table."""
    parser = measure.parser(__doc__, rounds=5)
    texts.add_arguments(parser, 3000)
    parser.add_argument("--steps", type=int, default=3, help="optimiser steps timed together")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    pairs = texts.crop_pairs(texts.read(arguments))
    encoder = encoders.load(measure.minilm())
    base: SentenceTransformer = encoders.assemble(encoder, "mean", 512)
    lengths = [len(ids) for ids in base.tokenizer([*pairs["anchor"], *pairs["positive"]])["input_ids"]]
    print(f"{len(pairs)} pairs, {np.mean(lengths):.0f} tokens in a text, {max(lengths)} in the longest\n")
    pairs = pairs.head(arguments.steps * BATCH)

    exact = copy.deepcopy(base)
    for module in exact.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    expected = original(copy.deepcopy(exact), pairs, max(lengths))
    np.testing.assert_allclose(ours(copy.deepcopy(exact), pairs, "fp32"), expected, atol=1e-4)
    np.testing.assert_allclose(ours(copy.deepcopy(exact), pairs, "bf16"), expected, atol=2e-2)

    ways = {
        "original": lambda: original(copy.deepcopy(base), pairs, max(lengths)),
        "sentence-transformers' own trainer": lambda: library(copy.deepcopy(base), pairs),
        "ours, fp32": lambda: ours(copy.deepcopy(base), pairs, "fp32"),
        "ours, bf16": lambda: ours(copy.deepcopy(base), pairs, "bf16"),
    }
    print(measure.report(measure.alternate(ways, arguments.rounds), "original"))


if __name__ == "__main__":
    main()

"""Fine-tuning of an embedding layer alone, of MPNet's vocabulary and width, as it is and without each of its savings.

Every measurement is a process of its own. CPU seconds are less disturbed by other work than seconds.
"""

import logging
import statistics
import sys
import time

import measure
import pandas as pd
import rates
import texts
import torch
from transformers import AutoTokenizer, MPNetConfig, MPNetModel

from selfembed.models import encoders
from selfembed.training import training

VOCABULARY = 30527  # of microsoft/mpnet-base
SAVINGS = ("one pass", "fused Adam", "no norm of gradients")
WAYS = {"now": SAVINGS, "before": ()} | {f"without {name}": tuple(set(SAVINGS) - {name}) for name in SAVINGS}


def layer():
    """The embedding layer of a random MPNet with the tokenizer of all-MiniLM-L6-v2."""
    tokenizer = AutoTokenizer.from_pretrained(measure.minilm(), local_files_only=True)
    config = MPNetConfig(vocab_size=VOCABULARY, num_hidden_layers=1, max_position_embeddings=rates.MAX_LENGTH + 2)
    torch.manual_seed(0)
    return encoders.embedding_layer(encoders.from_parts(MPNetModel(config), tokenizer, 512)[0], rates.MAX_LENGTH)


def train(pairs: pd.DataFrame, savings: tuple[str, ...], threads: int) -> tuple[float, float, float]:
    """Seconds, CPU seconds and the last loss of a run."""
    torch.set_num_threads(threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    model, arguments = layer(), training.SentenceTransformerTrainingArguments
    if "one pass" not in savings:
        training.tokens_of_passes = lambda model: (training.TOKENS_PER_PASS["cpu"], 2**31)
    if "fused Adam" not in savings:
        training.SentenceTransformerTrainingArguments = lambda **given: arguments(**given | {"optim": "adamw_torch"})
    if "no norm of gradients" not in savings:
        del training.ResumableTrainer._get_grad_norm
    training.fine_tune(model, pairs.head(4), seed=42, **rates.TRAINED)  # does not count
    started, cpu = time.perf_counter(), time.process_time()
    losses = training.fine_tune(model, pairs, seed=42, **rates.TRAINED)["loss"]
    return time.perf_counter() - started, time.process_time() - cpu, losses.iloc[-1]


def main() -> None:
    """Measure in turns and print a table."""
    parser = measure.parser(__doc__, rounds=3)
    texts.add_arguments(parser, 3000)
    parser.add_argument("--steps", type=int, default=10, help="optimiser steps of 64 pairs")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), help="what to measure")
    arguments = parser.parse_args()
    pairs = texts.crop_pairs(texts.read(arguments)).head(arguments.steps * rates.BATCH)
    seconds, cpu = ({name: [] for name in arguments.ways} for _ in range(2))
    losses = {}
    for _, name in measure.in_turns(arguments.ways, arguments.rounds):
        taken, used, losses[name] = measure.apart(train, pairs, WAYS[name], arguments.threads)
        print(f"{name}: {taken:.3g} s, {used:.3g} CPU s", file=sys.stderr, flush=True)
        seconds[name].append(taken)
        cpu[name].append(used)
    assert max(losses.values()) - min(losses.values()) < 1e-4, losses
    print("| method | seconds a step (median) | CPU seconds a step (lowest) | times fewer |\n|---|---|---|---|")
    for name in arguments.ways:
        least, steps = min(cpu[name]), len(pairs) / rates.BATCH
        more = least / min(cpu["now"])
        print(f"| {name} | {statistics.median(seconds[name]) / steps:.3g} | {least / steps:.3g} | {more:.2f} |")


if __name__ == "__main__":
    main()

"""Memory of a training step on a CPU by the number of sentences in a crop: activations kept, or computed again.

Every row is a process of its own: one optimiser step of a batch of 64 pairs. Memory is the peak of the process (Linux).
"""

import logging

import measure
import pandas as pd
import rates
import texts
import torch

from selfembed.models import encoders
from selfembed.training import training

BATCH = 64
KEPT = {"all kept": 2**40, "default": None, "all computed again": 0}  # tokens whose activations are kept


def step(
    pairs: pd.DataFrame, encoder: str, kept: int | None, precision: str, threads: int
) -> tuple[float, float, float]:
    """Megabytes of the process before the step and at most, and the loss."""
    torch.set_num_threads(threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    model = rates.mpnet() if encoder == "mpnet" else encoders.assemble(encoders.load(measure.minilm()), "mean", 512)
    if kept is not None:
        training.tokens_of_passes = lambda model: (training.TOKENS_PER_PASS["cpu"], kept)
    before = measure.memory("VmRSS")
    history = training.fine_tune(model, pairs, seed=42, **rates.TRAINED | {"precision": precision})
    return before, measure.memory("VmHWM"), history["loss"].iloc[-1]


def main() -> None:
    """Measure every number of sentences and print a table."""
    parser = measure.parser(__doc__, rounds=1)
    texts.add_arguments(parser, 100_000)
    parser.add_argument("--sentences", nargs="+", type=int, default=[2, 5, 10], help="sentences in a crop")
    parser.add_argument("--ways", nargs="+", choices=list(KEPT), default=list(KEPT), help="what happens to activations")
    parser.add_argument("--encoder", choices=["minilm", "mpnet"], default="minilm", help="mpnet: of its shape")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="precision of the encoder")
    arguments = parser.parse_args()
    corpus = texts.read(arguments)
    print("| sentences | activations | MB before the step | MB at most | loss |\n|---|---|---|---|---|")
    for sentences in arguments.sentences:
        pairs = texts.crop_pairs(corpus, sentences=sentences)
        pairs = pairs.iloc[[number % len(pairs) for number in range(BATCH)]]  # few abstracts have two long crops
        for way in arguments.ways:
            how = (arguments.encoder, KEPT[way], arguments.precision, arguments.threads)
            before, most, loss = measure.apart(step, pairs.reset_index(drop=True), *how)
            print(f"| {sentences} | {way} | {before:,.0f} | {most:,.0f} | {loss:.6f} |", flush=True)


if __name__ == "__main__":
    main()

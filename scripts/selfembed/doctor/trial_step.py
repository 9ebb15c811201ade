"""A training step of an encoder with BERT's architecture, random weights and given sizes; prints its memory as JSON.

On a GPU the step is as large as it is asked for. On a processor steps with small batches are run, and the memory of a
large one is extrapolated: each text of a batch takes as much memory as any other, up to what a step keeps.
"""

import gc
import json
import logging
import re
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import torch
from transformers import BertConfig, BertModel

from selfembed.jobs.options import defaults
from selfembed.models import encoders, lora
from selfembed.models.token_embeddings import TokenEmbeddings, TokenEmbeddingsConfig
from selfembed.settings.recipes import Masked, Recipe
from selfembed.training import tokenization, training

SMALL, MOST = 1024, 8192  # tokens of the smaller batch, for BERT and for the smallest models
LONGEST = 512  # tokens that BERT has positions for
WORD = "text"


def build(layers: int, width: int, vocabulary: int, longest: int):
    """A model of these sizes, with a tokenizer of few words; no embedding of it makes sense."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = tokenization.train_tokenizer([f"{WORD} {WORD}"] * 3, vocabulary_size=300)
        sizes = {"num_hidden_layers": 1, "hidden_size": 2, "num_attention_heads": 1, "intermediate_size": 2}
        BertModel(BertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        transformer = encoders.load(Path(folder))
    large = {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": 4 * width}
    large["max_position_embeddings"] = longest
    heads = next(heads for heads in (width // 64, 1) if heads and not width % heads)
    if layers:
        transformer.model = BertModel(BertConfig(vocab_size=vocabulary, num_attention_heads=heads, **large))
    else:
        transformer.model = TokenEmbeddings(TokenEmbeddingsConfig(vocabulary, width, pad_token_id=0))
    return encoders.assemble(transformer, "mean", longest)


def step(model, batch_size: int, tokens: int, precision: str) -> float:
    """Train one step; return its seconds."""
    words = " ".join([WORD] * max(1, tokens - 2))
    pairs = pd.DataFrame({"epoch": 0, "anchor": words, "positive": words}, index=range(batch_size))
    chosen = defaults(Recipe, "temperature", "learning_rate", "warmup") | defaults(Masked)
    started = time.perf_counter()
    training.fine_tune(model, pairs, seed=0, batch_size=batch_size, precision=precision, **chosen)
    return time.perf_counter() - started


def most_resident() -> float:
    """Bytes that this process had at most."""
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])


def on_cpu(model, batch_size: int, tokens: int, precision: str) -> dict[str, float]:
    """Memory of a step, from steps with small batches; of the step itself, if its batch is small."""
    config = model[0].model.config
    of_bert = (config.num_hidden_layers * config.hidden_size**2 or 1) / (12 * 768**2)
    few = min(batch_size, max(2, int(min(MOST, max(SMALL, SMALL / of_bert)) / (2 * tokens))))
    many = min(batch_size, 2 * few)
    step(model, few, tokens, precision)  # allocates what all steps share
    peaks, seconds = {}, 0.0
    for number in (few, many):
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from now on (Linux)
        seconds = step(model, number, tokens, precision)
        peaks[number] = most_resident()
    slope = max(0, peaks[many] - peaks[few]) / max(1, many - few)
    # Further activations are computed again.
    most = training.KEPT_ON_CPU + without_activations(batch_size, tokens, config.hidden_size)
    return {"needed": peaks[many] + min(slope * (batch_size - many), most), "seconds": seconds}


def without_activations(batch_size: int, tokens: int, width: int) -> float:
    """Bytes of a batch besides activations: three inputs per token, and vectors and cosines with gradients.

    Inputs are int64, vectors and cosines float32.
    """
    return 2 * batch_size * (3 * 8 * tokens + 2 * 4 * width) + 2 * 4 * batch_size**2


def on_gpu(model, batch_size: int, tokens: int, precision: str) -> dict[str, float]:
    """Memory of a step on the GPU."""
    seconds = step(model.to("cuda"), batch_size, tokens, precision)
    return {"needed": torch.cuda.max_memory_reserved(), "seconds": seconds}


def main() -> None:
    """Run the step of the first argument, in JSON."""
    asked = json.loads(sys.argv[1])
    logging.getLogger("transformers").setLevel(logging.ERROR)
    torch.set_num_threads(asked.pop("threads"))
    measure = on_gpu if asked.pop("device") == "cuda" else on_cpu
    longest = max(LONGEST, asked["tokens"])
    model = build(asked.pop("layers"), asked.pop("width"), asked.pop("vocabulary"), longest)
    if changes := asked.pop("lora"):  # the names of layers are those of another architecture
        lora.add(model, **changes | {"target_modules": None}, seed=0)
    print(json.dumps(measure(model, **asked)))


if __name__ == "__main__":
    main()

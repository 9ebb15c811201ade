"""The README.md that every saved model carries."""

from collections.abc import Sequence

import pandas as pd

HEADER = """---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags: [sentence-transformers, feature-extraction, sentence-similarity, selfembed]
---
"""

USAGE = """
## Use

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder"{trust})
vectors = model.encode(["One text.", "Another text."])
```
"""


def usage(own_code: bool) -> str:
    """How to load a model, with the code saved beside it or without."""
    return USAGE.format(trust=", trust_remote_code=True" if own_code else "")


def base(name: str, what: str, own_code: bool = False, modules: Sequence[str] = ()) -> str:
    """Card of a model that has had no fine-tuning; `modules` describes the modules after the transformer."""
    ending = ", ".join(modules) or "mean pooling"
    return f"{HEADER}\n# {name}\n\nBase model of a selfembed study: {what}, with {ending}.\n{usage(own_code)}"


def tuned(
    name: str, recipe: dict, history: pd.DataFrame, n_pairs: int, own_code: bool, fraction: float | None = None
) -> str:
    """Card of a run's result: what it was trained on and how, how the loss went, how to use it.

    Args:
        fraction: of the way from the encoder before fine-tuning to the fine-tuned model; None: all of it.
    """
    between = ""
    if fraction is not None:
        between = (
            f" Its weights are those of\nthe encoder before fine-tuning plus {fraction:g} times the change in training."
        )
    table = "\n".join(f"| {key} | {value} |" for key, value in recipe.items())
    return f"""{HEADER}
# {name}

A text-embedding model fine-tuned by selfembed without labels: {n_pairs:,} positive pairs, {len(history):,} optimiser
steps, contrastive loss with in-batch negatives. The loss was {history["loss"].iloc[0]:.3f} at the first step and
{history["loss"].tail(10).mean():.3f} over the last ten.{between}

| setting | value |
|---|---|
{table}
{usage(own_code)}
## Limits

The model is adapted to the corpus it was trained on; on other texts it may be worse than the encoder it started from.
"""

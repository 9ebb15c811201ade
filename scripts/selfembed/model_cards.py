"""The README.md that every saved model carries."""

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


def base(name: str, what: str) -> str:
    """Card of a model that has had no fine-tuning."""
    return (
        f"{HEADER}\n# {name}\n\nBase model of a selfembed study: {what}, with mean pooling.\n{USAGE.format(trust='')}"
    )


def tuned(name: str, recipe: dict, history: pd.DataFrame, n_pairs: int) -> str:
    """Card of a run's result: what it was trained on and how, how the loss went, how to use it."""
    table = "\n".join(f"| {key} | {value} |" for key, value in recipe.items())
    trust = ", trust_remote_code=True" if recipe["pooling"] == "token7" else ""
    return f"""{HEADER}
# {name}

A text-embedding model fine-tuned by selfembed without labels: {n_pairs:,} positive pairs, {len(history):,} optimiser
steps, contrastive loss with in-batch negatives. The loss was {history["loss"].iloc[0]:.3f} at the first step and
{history["loss"].tail(10).mean():.3f} over the last ten.

| setting | value |
|---|---|
{table}
{USAGE.format(trust=trust)}
## Limits

The model is adapted to the corpus it was trained on; on other texts it may be worse than the encoder it started from.
"""

"""The README.md that every saved model carries."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:  # planning needs no more packages than Snakemake does
    import pandas as pd

CARD = "README.md"
METADATA = {
    "library_name": "sentence-transformers",
    "pipeline_tag": "sentence-similarity",
    "tags": ["sentence-transformers", "feature-extraction", "sentence-similarity", "selfembed"],
}
MATRYOSHKA = "matryoshka_dims"  # key of the metadata: first dimensions that the vectors of a model can be cut to
LICENCE = ("license", "license_name", "license_link")  # https://huggingface.co/docs/hub/repositories-licenses

PLACE = "path/to/this/folder"
USAGE = """
## Use

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("{place}"{trust})
vectors = model.encode(["One text.", "Another text."])
```
"""


def front_matter(metadata: dict[str, Any]) -> str:
    """Metadata of a card as YAML between two lines, the beginning of the card."""
    said = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
    return f"---\n{said}---\n"


def metadata(card: Path) -> dict[str, Any]:
    """Metadata at the beginning of a card; empty if there is no such file, or if it has none or they are invalid."""
    try:
        first, said, _ = card.read_text(encoding="utf-8").split("---\n", 2)
        found = yaml.safe_load(said)
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if first.strip() == "" and isinstance(found, dict) else {}


def licence(folder: Path) -> dict[str, str]:
    """Licence of a model as its card gives it, with the keys LICENCE; empty if it gives none."""
    found = metadata(folder / CARD)
    return {key: str(found[key]) for key in LICENCE if isinstance(found.get(key), str)}


def name_of_licence(found: dict[str, Any]) -> str | None:
    """Name of the licence in metadata of a card, or in those of `licence`; None if they have none."""
    return found.get("license_name") or found.get("license")


def usage(own_code: bool) -> str:
    """How to load a model, with the code saved beside it or without."""
    return USAGE.format(place=PLACE, trust=", trust_remote_code=True" if own_code else "")


def base(name: str, what: str, own_code: bool = False, modules: Sequence[str] = ()) -> str:
    """Card of a model that has had no fine-tuning; `modules` describes the modules after the transformer."""
    ending = ", ".join(modules) or "mean pooling"
    said = f"# {name}\n\nBase model of a selfembed study: {what}, with {ending}.\n{usage(own_code)}"
    return f"{front_matter(METADATA)}\n{said}"


def tuned(
    name: str, recipe: dict, history: "pd.DataFrame", n_pairs: int, own_code: bool, fraction: float | None = None
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
    return f"""{front_matter(METADATA)}
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

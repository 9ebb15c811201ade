"""A model's path tells what the model is."""

from typing import Any


def identity(path: str) -> dict[str, Any]:
    """What a model path says: `base/{encoder}[/seed-{seed}]` or `tuned/{corpus}/{encoder}/{recipe}/seed-{seed}`.

    Returns `model` (the path), `encoder`, `training_corpus`, `recipe` and `seed` (None where there is none).
    """
    kind, *words = path.split("/")
    seed = int(words.pop().removeprefix("seed-")) if words[-1].startswith("seed-") else None
    corpus, encoder, recipe = words if kind == "tuned" else (None, words[0], None)
    return {"model": path, "encoder": encoder, "training_corpus": corpus, "recipe": recipe, "seed": seed}

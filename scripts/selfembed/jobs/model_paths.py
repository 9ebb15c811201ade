"""Parse the path of a model."""

import re
from typing import Any

from selfembed.errors import InputError


def identity(path: str) -> dict[str, Any]:
    """Parse the path of a base model, of a run, or of an export of the adapted model.

    They are `base/{encoder}[/seed-{seed}]`, `tuned/{corpus}/{encoder}/{recipe}/seed-{seed}` and `exports/{encoder}`.

    Returns `model` (the path), `encoder`, `training_corpus`, `recipe` and `seed` (None if absent).

    Raises InputError if the path is invalid.
    """
    if not re.fullmatch(r"base/[^/]+(/seed-\d+)?|tuned/[^/]+/[^/]+/[^/]+/seed-\d+|exports/[^/]+", path):
        allowed = "base/ENCODER, base/ENCODER/seed-N, tuned/CORPUS/ENCODER/RECIPE/seed-N or exports/EXPORT"
        raise InputError(f"model path {path!r} is invalid; expected: {allowed}")
    kind, *words = path.split("/")
    seed = int(words.pop().removeprefix("seed-")) if words[-1].startswith("seed-") else None
    corpus, encoder, recipe = words if kind == "tuned" else (None, words[0], None)
    return {"model": path, "encoder": encoder, "training_corpus": corpus, "recipe": recipe, "seed": seed}

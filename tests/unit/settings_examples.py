"""A small valid config, and how to change it."""

from copy import deepcopy
from typing import Any

from selfembed.study.expansion import Study, expand
from selfembed.study.validation import load

REMOVED = object()
REVISION = "6996ce1e91bd2a9c7d7f61daec37463394f73f09"


# Changes that make a study with a report, whose search is judged by crops.
WITH_REPORT = {
    "folder": "study",
    "seeds": [1],
    "corpora.pieces": {"source": {"type": "crops", "corpus": "notes"}},
    "recipes.crops.held_out": 0.1,
    "scores": {"crop_pairs": {"type": "crop_pairs"}},
    "experiments.main.corpora": ["pieces"],
    "experiments.main.scores": ["crop_pairs"],
    "figures.bars.score": "crop_pairs_recall@1",
    "report": {"corpus": "notes", "keep": "tiny", "search": "main"},
}


def example() -> dict[str, Any]:
    """A fresh config with one encoder and one source of almost every kind: two runs of one recipe, one figure."""
    return {
        "seeds": [1, 2],
        "corpora": {
            "news": {"source": {"type": "file", "path": "news.csv", "label": "topic"}},
            "docs": {"source": {"type": "python_docs"}},
            "notes": {"source": {"type": "file", "path": "notes.txt", "format": "csv"}},
        },
        "encoders": {
            "tiny": {
                "type": "random",
                "architecture": {"layers": 2, "hidden_size": 32, "attention_heads": 4},
                "tokenizer": {"train_on": "news", "vocabulary_size": 500},
                "max_length": 64,
            },
            "loan": {"type": "random", "tokenizer": {"borrow_from": "mpnet"}},
            "mpnet": {"type": "hub", "id": "microsoft/mpnet-base", "revision": REVISION, "layers": 12},
            "tfidf": {"type": "tfidf"},
            "svd": {"type": "svd", "components": 20},
        },
        "recipes": {"crops": {"augmentation": {"type": "crops"}}},
        "experiments": {
            "main": {"corpora": ["news"], "models": [{"encoder": "tiny"}, {"encoder": "tiny", "recipe": "crops"}]}
        },
        "figures": {"bars": {"draw": "comparison", "experiment": "main"}},
    }


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The example with the values at dotted key paths replaced, added or REMOVED; positions in lists are numbers."""
    config = example()
    for path, value in changes.items():
        target: Any = config
        *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in parents:
            target = target[key]
        if value is REMOVED:
            del target[last]
        else:
            target[last] = deepcopy(value)  # later paths may change it
    return config


def study(changes: dict[str, Any]) -> Study:
    """What the changed example expands to."""
    return expand(load(changed(changes)))


def runs(found):
    """Every fine-tuning of a study, each once, in the order of the config."""
    models = (evaluation.model for evaluations in found.experiments.values() for evaluation in evaluations)
    return list(dict.fromkeys(model for model in models if model.recipe))

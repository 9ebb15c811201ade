"""A disk that fills while a step writes: one clear line, no half file, and a good end once there is room."""

import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from small_models import small_bert, text

from selfembed.jobs.records import write_json, write_table
from selfembed.models import encoders
from selfembed.texts import corpora
from warm.run import THREADS
from workflow_runs import ROOT

SCRIPTS = ROOT / "scripts"
RUN = SCRIPTS / "warm" / "run.py"

# A disk of its own, in a namespace of its own: no rights are needed, and it is gone with the process. In the place of
# Snakemake, the shell has a warm process in that namespace.
FULL_AND_EMPTY = """
set -e
export SELFEMBED_WARM=$$-disk
mount -t tmpfs -o size=$SIZE tmpfs disk
set +e
"$@" 2> first.log
echo $? > first.code
find disk -mindepth 1 > left
set -e
mount -o remount,size=100m disk
"$@" 2> second.log
cp -r disk/. copy
mkdir undisturbed
mount --bind undisturbed disk
"$@" 2> third.log
"""


def mounts_are_allowed():
    command = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return shutil.which("unshare") and subprocess.run(command, capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not mounts_are_allowed(), reason="a small disk cannot be mounted here (unshare)"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A corpus, a model and pairs of it."""
    folder = tmp_path_factory.mktemp("made")
    encoders.save(small_bert(folder / "tokenizer"), folder / "base" / "0", "")
    texts = pd.DataFrame({"text": [f"{n} {text(30 + n % 9, n)}" for n in range(4000)]})
    texts.to_csv(folder / "texts.csv", index=False)
    write_table(
        texts.assign(id=texts.index.astype(str), label=None, title=None)[corpora.COLUMNS], folder / "corpus.parquet"
    )
    rows = [(0, str(n), text(9, n), text(8, n + 7)) for n in range(64)]
    write_table(pd.DataFrame(rows, columns=["epoch", "id", "anchor", "positive"]), folder / "pairs.parquet")
    write_json({"settings": {}}, folder / "pairs.json")
    return folder


STEPS = {
    "prepare_corpus": "--source {}/texts.csv --output disk/corpus.parquet --counts disk/corpus.json",
    "embed": "--model {}/base/0 --corpus {}/corpus.parquet --layers all --threads 1 --output disk/embeddings",
    "fine_tune": "--base {}/base --pairs {}/pairs.parquet --pairs-settings {}/pairs.json --name run --seed 3"
    " --threads 1 --batch-size 8 --checkpoint-minutes 0 --output disk/run",
}


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_is_one_line_and_no_half_file(made, tmp_path, step):
    (tmp_path / "disk").mkdir()
    (tmp_path / "copy").mkdir()
    command = [sys.executable, RUN, SCRIPTS / f"{step}.py", *STEPS[step].replace("{}", str(made)).split()]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", FULL_AND_EMPTY, "sh", *command],
        cwd=tmp_path,
        env=os.environ | dict.fromkeys(THREADS, "1") | {"SIZE": "40k"},
        capture_output=True,
        text=True,
    )
    *first, cost = (tmp_path / "first.log").read_text().splitlines()
    assert (tmp_path / "first.code").read_text() == "1\n", first
    assert first[-1].startswith("error: no space left on the disk"), first
    assert " job: " in cost
    assert not any("Traceback" in line for line in first)
    outputs = {line.split("/")[1] for line in (tmp_path / "left").read_text().split()}
    assert all(name.startswith(".") and name.endswith(".unfinished") for name in outputs), outputs
    assert done.returncode == 0, [(tmp_path / f"{name}.log").read_text() for name in ("second", "third")]
    whole, undisturbed = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "copy", tmp_path / "undisturbed")
    )
    assert whole
    assert whole == undisturbed

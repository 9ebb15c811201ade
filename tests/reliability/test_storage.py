"""Results in a storage instead of the working directory have the same bytes, also if machines share no disk."""

import os
import shutil
import subprocess
import sys

import machines
import pytest
from faults import differing, kill, start, wait_until
from tiny_study import CONFIG, fingerprints, tiny_study

from workflow_runs import ROOT, environment, planned, snakemake

pytestmark = pytest.mark.long

for plugin in ("snakemake_storage_plugin_fs", "snakemake_executor_plugin_cluster_generic"):
    pytest.importorskip(plugin)
if not shutil.which("rsync"):
    pytest.skip("rsync is not installed; the plugin fs needs it", allow_module_level=True)


@pytest.fixture
def stored(tmp_path):
    """A tiny study, the folder that is its storage and has the texts, and the arguments that say so."""
    folder, storage = tiny_study(tmp_path / "study"), tmp_path / "storage"
    storage.mkdir()
    (folder / "notes.csv").rename(storage / "notes.csv")
    where = ("--default-storage-provider", "fs", "--default-storage-prefix", str(storage))
    return folder, storage, (*CONFIG, *where)


@pytest.mark.kill
def test_a_killed_study_goes_on_to_the_same_bytes(stored, tiny):
    folder, storage, arguments = stored
    running = start(folder, *arguments[len(CONFIG) :])
    wait_until(lambda: (storage / "results/tiny/runs").exists(), running)
    assert kill(running)
    assert snakemake(folder, *arguments, "--unlock").returncode == 0
    done = snakemake(folder, *arguments, "--cores", "2")
    assert done.returncode == 0, done.stdout[-5000:]
    assert differing(storage, tiny) == []
    assert fingerprints(folder) == {}, "everything is in the storage"
    assert planned(folder, *arguments) == {}
    command = [sys.executable, "-m", "selfembed", "lineage", "figures/tiny/maps.png"]
    variables = environment() | {"PYTHONPATH": os.pathsep.join([str(ROOT / "scripts"), *sys.path])}
    said = subprocess.run(command, cwd=storage, env=variables, capture_output=True, text=True)
    assert "notes.csv" in said.stdout, said.stderr


def test_embeddings_in_parts_are_merged(stored, tiny):
    """With two parts for one block of texts, one of them is empty."""
    folder, storage, arguments = stored
    target = "results/tiny/embeddings/notes/tuned/notes/small/crops/seed-1/final/mean_last"
    in_jobs = [(*arguments, "--config", f"corpora={{notes: {{embedding_jobs: {jobs}}}}}") for jobs in (1, 2)]
    done = snakemake(folder, target, *in_jobs[1], "--cores", "2")
    assert done.returncode == 0, done.stdout[-5000:]
    assert len(list(storage.rglob("embed_part/**/*.log"))) == 2
    for name in ("embeddings.npy", "embeddings.json"):
        assert (storage / target / name).read_bytes() == (tiny / target / name).read_bytes()
    parts = storage / "results/tiny/embeddings_in_parts"
    assert {path.suffix for path in parts.rglob("*") if path.is_file()} == {".seal"}
    assert [planned(folder, target, *words) for words in in_jobs] == [{}, {}]


def test_machines_without_a_shared_disk_make_the_same_bytes(stored, tiny, tmp_path):
    """Code comes from the sources that git knows, results and texts from the storage."""
    folder, storage, arguments = stored
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    targets = [str(path.relative_to(tiny)) for path in tiny.glob("results/tiny/scores/knn/notes/base/svd/0/*.csv")]
    assert len(targets) == 1
    done = machines.snakemake(folder, *targets, *arguments, *machines.apart(tmp_path / "machines"))
    said = [path.read_text() for path in (tmp_path / "machines").glob("*/said")]
    assert done.returncode == 0, (done.stdout[-3000:], *said)
    assert len(said) == 4, "every job had a machine: corpus, model, embeddings, score"
    made = fingerprints(storage)
    assert set(targets) < set(made)
    assert made.items() <= fingerprints(tiny).items()
    assert planned(folder, *targets, *arguments) == {}

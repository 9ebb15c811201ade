"""Things that go wrong around a study: two calls at once, clocks, disks, names; nothing is lost."""

import os
import shutil
import subprocess
import sys
import time

import pytest
import yaml
from tiny_study import CONFIG, fingerprints, notes, tiny_study

from workflow_runs import ROOT, environment, snakemake

HOSTILE = "a b'c\"; touch hacked; $(touch hacked) `touch hacked` & x.csv"
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && "$@"'


def test_of_two_calls_at_once_the_second_ends_and_the_first_goes_on(tiny, tmp_path):
    folder = tiny_study(tmp_path / "twice")
    command = [sys.executable, "-m", "snakemake", *CONFIG, "--cores", "1"]
    with open(folder / "first.log", "w") as log:
        first = subprocess.Popen(command, cwd=folder, env=environment(), stdout=log, stderr=log)
        while first.poll() is None and not (folder / "results/tiny/corpora/notes.parquet").is_file():
            time.sleep(0.1)
        second = snakemake(folder, *CONFIG, "--cores", "1")
        assert first.poll() is None, "the first call ended before the second began"
        assert first.wait() == 0, (folder / "first.log").read_text()[-3000:]
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stdout
    assert fingerprints(folder) == fingerprints(tiny)


@pytest.mark.parametrize("hours", [-48, 48])
def test_a_clock_that_is_wrong_for_a_while_changes_no_result(tiny, tmp_path, hours):
    """The time of the corpus lies in the past; or in the future, which Snakemake refuses until it is mended."""
    folder = shutil.copytree(tiny, tmp_path / "study")
    corpus = folder / "results/tiny/corpora/notes.parquet"
    moment = time.time() + 3600 * hours
    os.utime(corpus, (moment, moment))
    for name in ("results/tiny/scores", "results/tiny/tables", "figures"):
        shutil.rmtree(folder / name)
    done = snakemake(folder, *CONFIG, "--cores", "2")
    if hours > 0:
        assert done.returncode != 0
        assert "has older modification time" in done.stdout
        assert "clock skew" in done.stdout
        os.utime(corpus)
        done = snakemake(folder, *CONFIG, "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    assert fingerprints(folder) == fingerprints(tiny)


def can_mount():
    command = ["unshare", "--map-root-user", "--mount", "mount", "--bind", "/mnt", "/mnt"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="nothing can be mounted read-only here (unshare)")
def test_results_that_cannot_be_written_are_one_line(tiny, tmp_path):
    results = shutil.copytree(tiny / "results", tmp_path / "results")
    before = fingerprints(tmp_path)
    script = ROOT / "scripts/describe_corpus.py"
    words = ["--corpus", results / "tiny/corpora/notes.parquet", "--counts", results / "tiny/corpora/notes.json"]
    words += ["--output", results / "tiny/new.csv", "--classes", results / "tiny/classes.csv"]
    prefix = ["unshare", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, "sh", results]
    command = [*prefix, sys.executable, script, *words]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment())
    assert done.returncode == 1
    assert "Read-only file system" in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("error: ")]) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert fingerprints(tmp_path) == before


def test_names_never_reach_a_shell_or_leave_the_folder(tmp_path):
    """A file, a label, a title that a shell would run, and a name that climbs out of the results."""
    folder = tiny_study(tmp_path / "study")
    (folder / HOSTILE).write_text(notes(), encoding="utf-8")
    config = yaml.safe_load((folder / CONFIG[1]).read_text(encoding="utf-8"))
    config["corpora"]["notes"]["source"]["path"] = HOSTILE
    config["experiments"]["main"]["models"][0]["label"] = "$(touch hacked) `touch hacked` '\"; touch hacked; <script>"
    (folder / CONFIG[1]).write_text(yaml.safe_dump(config), encoding="utf-8")
    done = snakemake(folder, *CONFIG, "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    assert not list(folder.rglob("hacked"))
    report = snakemake(folder, *CONFIG, "--report", "report.html")
    assert report.returncode == 0, report.stdout[-3000:]
    assert not list(folder.rglob("hacked"))
    outside = snakemake(folder, *CONFIG, "--dry-run", "--config", "folder=../elsewhere")
    assert outside.returncode != 0
    assert "folder" in outside.stdout

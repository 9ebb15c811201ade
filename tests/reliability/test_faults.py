"""What goes wrong around a study: another Snakemake, a wrong clock, a disk that cannot be written to, hostile names."""

import os
import shutil
import signal
import subprocess

import pytest
import yaml
from faults import differing, kill, start, wait_until
from tiny_study import CONFIG, fingerprints, notes, tiny_study

from workflow_runs import environment, planned, selfembed, snakemake

YEAR = 365 * 86400
TABLE = "results/tiny/tables/main.csv"
MEASURE = "--measure knn accuracy Accuracy"


def shift(paths, seconds):
    """Change the times of files and folders, as if the clock had been wrong when they were written."""
    for path in paths:
        times = path.stat()
        os.utime(path, ns=(times.st_atime_ns + seconds * 10**9, times.st_mtime_ns + seconds * 10**9))


def generated(folder):
    return [path for top in ("results", "figures", "logs") for path in (folder / top).rglob("*")]


def locked(folder):
    return any((folder / ".snakemake/locks").glob("*"))


@pytest.mark.long
def test_a_second_snakemake_is_refused_and_a_killed_one_is_told_how_to_go_on(study, tiny):
    again = (*CONFIG, "--cores", "1", "--rerun-incomplete", "--forcerun", "summarise_scores")
    running = start(study, "--forcerun", "summarise_scores")
    wait_until(lambda: locked(study), running)
    os.killpg(running.pid, signal.SIGSTOP)  # or it might end before the second one looks
    second = snakemake(study, *again)
    assert kill(running)
    assert second.returncode != 0
    assert "--unlock" in second.stdout
    assert "--unlock" in snakemake(study, *again).stdout, "the lock of a killed call stays"
    assert snakemake(study, *CONFIG, "--unlock").returncode == 0
    done = snakemake(study, *again)
    assert done.returncode == 0, done.stdout[-3000:]
    assert differing(study, tiny) == []


@pytest.mark.campaign
def test_a_second_snakemake_does_not_disturb_the_first(study, tiny):
    running = start(study, "--forcerun", "prepare_corpus")
    wait_until(lambda: locked(study), running)
    assert snakemake(study, *CONFIG, "--cores", "1").returncode != 0
    assert running.wait() == 0, (study / "run.log").read_text()[-3000:]
    assert differing(study, tiny) == []


def test_results_from_the_future_stay_and_changed_data_are_told(study):
    """The clock ran a year ahead and was set back: Snakemake alone does not see that a text has changed."""
    shift(generated(study), YEAR)
    assert planned(study, *CONFIG) == {}
    notes = study / "notes.csv"
    notes.write_text(notes.read_text().replace("Water", "Wine"))
    assert planned(study, *CONFIG) == {}
    done = verify(study, "--delete")
    assert done.returncode == 1
    assert "results/tiny/corpora/notes.parquet: outdated, made from another notes.csv" in done.stdout
    assert {"prepare_corpus", "fine_tune", "collect_scores", "draw_comparison"} <= set(planned(study, *CONFIG))


@pytest.mark.campaign
def test_data_from_the_future_are_used_and_come_to_rest(study, tiny):
    shift([study / "notes.csv"], YEAR)
    done = snakemake(study, *CONFIG, "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    assert differing(study, tiny) == []


@pytest.mark.campaign
def test_one_result_from_the_future_is_refused_until_its_time_is_mended(study, tiny):
    corpus = study / "results/tiny/corpora/notes.parquet"
    shift([corpus], YEAR)
    for name in ("results/tiny/scores", "results/tiny/tables"):
        shutil.rmtree(study / name)
    done = snakemake(study, *CONFIG, "--cores", "2")
    assert done.returncode != 0
    assert "clock skew" in done.stdout
    os.utime(corpus)
    assert snakemake(study, *CONFIG, "--cores", "2").returncode == 0
    assert differing(study, tiny) == []


HOSTILE = "a b'c\"; touch hacked; $(touch hacked) `touch hacked` & x"


def test_names_that_a_shell_would_run_never_reach_one_unquoted(tmp_path):
    """The name of a file, and the name of a column in it."""
    folder = tiny_study(tmp_path / "study")
    (folder / f"{HOSTILE}.csv").write_text(notes().replace("topic", HOSTILE.replace('"', ""), 1), encoding="utf-8")
    config = yaml.safe_load((folder / CONFIG[1]).read_text(encoding="utf-8"))
    config["corpora"]["notes"]["source"] |= {"path": f"{HOSTILE}.csv", "label": HOSTILE.replace('"', "")}
    (folder / CONFIG[1]).write_text(yaml.safe_dump(config), encoding="utf-8")
    done = snakemake(folder, *CONFIG, "--cores", "2", "--until", "prepare_corpus")
    assert done.returncode == 0, done.stdout[-3000:]
    assert (folder / "results/tiny/corpora/notes.parquet").is_file()
    assert not list(folder.rglob("hacked*"))


def verify(folder, *arguments):
    return selfembed(folder, "verify", *arguments)


READ_ONLY = 'mount --bind results results && mount -o remount,ro,bind results && exec "$@"'


def read_only(folder, *command):
    """Run a command while `results/` cannot be written to."""
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, "sh", *command],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )


def test_read_only_results_are_told_in_one_line_and_stay(study, tiny):
    if not shutil.which("unshare") or read_only(study, "true").returncode:
        pytest.skip("a folder cannot be made read-only here (unshare)")
    before = fingerprints(study)
    command = (
        f"python scripts/summarise_scores.py --table {TABLE} {MEASURE} --output results/tiny/s.csv"
        " --markdown results/tiny/s.md --page results/tiny/s.html"
    )
    done = read_only(study, *command.split())
    assert done.returncode == 1
    assert done.stderr.startswith("error: [Errno 30] Read-only file system: "), done.stderr
    assert len(done.stderr.splitlines()) == 1
    done = read_only(study, "snakemake", *CONFIG, "--cores", "1", "--forcerun", "summarise_scores")
    assert done.returncode != 0
    assert fingerprints(study) == before

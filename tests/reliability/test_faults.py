"""What goes wrong around a study: another Snakemake, a wrong clock, a disk that cannot be written to."""

import os
import shutil
import subprocess
import sys

import pytest
from faults import differing, kill, start, wait_until
from tiny_study import CONFIG, fingerprints

from workflow_runs import environment, planned, snakemake

YEAR = 365 * 86400
TABLE = "results/tiny/tables/main.csv"


def shift(paths, seconds):
    """Change the times of files and folders, as if the clock had been wrong when they were written."""
    for path in paths:
        times = path.stat()
        os.utime(path, ns=(times.st_atime_ns + seconds * 10**9, times.st_mtime_ns + seconds * 10**9))


def generated(folder):
    return [path for top in ("results", "figures", "logs") for path in (folder / top).rglob("*")]


def test_a_second_snakemake_waits_for_nobody_and_breaks_nothing(study, tiny):
    running = start(study, "--forcerun", "score_mteb")
    wait_until(lambda: any((study / ".snakemake/locks").glob("*")), running)
    second = snakemake(study, *CONFIG, "--cores", "1")
    assert running.poll() is None, "the first had ended before the second came"
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout or "LockException" in second.stdout
    assert "--unlock" in second.stdout
    assert running.wait() == 0
    assert differing(study, tiny) == []


def test_a_killed_snakemake_is_told_how_to_go_on(study, tiny):
    running = start(study, "--forcerun", "score_mteb")
    wait_until(lambda: any((study / ".snakemake/locks").glob("*")), running)
    assert kill(running)
    assert "--unlock" in snakemake(study, *CONFIG, "--cores", "1").stdout
    assert snakemake(study, *CONFIG, "--unlock").returncode == 0
    assert snakemake(study, *CONFIG, "--cores", "2").returncode == 0
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


def test_data_from_the_future_are_used_and_come_to_rest(study, tiny):
    shift([study / "notes.csv"], YEAR)
    done = snakemake(study, *CONFIG, "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    assert differing(study, tiny) == []


def verify(folder, *arguments):
    command = [sys.executable, "-m", "selfembed.verification", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment() | {"PYTHONPATH": "scripts"}, capture_output=True, text=True
    )


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
        f"python scripts/summarise_scores.py --table {TABLE} --output results/tiny/s.csv --markdown results/tiny/s.md"
    )
    done = read_only(study, *command.split())
    assert done.returncode == 1
    assert done.stderr.startswith("error: [Errno 30] Read-only file system: "), done.stderr
    assert len(done.stderr.splitlines()) == 1
    done = read_only(study, "snakemake", *CONFIG, "--cores", "1", "--forcerun", "summarise_scores")
    assert done.returncode != 0
    assert fingerprints(study) == before

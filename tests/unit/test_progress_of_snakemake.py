"""The line that shows the progress of a run of Snakemake: numbers, what runs, and the time that is left."""

import subprocess
import sys

import pytest

from snakemake_logger_plugin_progress import Progress, minutes

SNAKEFILE = """
rule all:
    input: expand("{name}.txt", name=[NAMES])

rule make:
    output: "{name}.txt"
    log: "{name}.log"
    shell: "if [ {wildcards.name} = bad ]; then echo reason > {log}; exit 1; fi; sleep 0.1; touch {output}"
"""


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


def test_the_time_left_is_that_of_finished_jobs_of_the_same_rule():
    clock = Clock()
    progress = Progress(clock)
    progress.plan({"embed": 4, "total": 4})
    assert progress.seconds_left() == 40  # the usual time
    for job in range(2):
        progress.start(job, "embed")
        clock.now += 100
        progress.finish(job)
    assert progress.seconds_left() == 200
    progress.start(2, "embed")
    clock.now += 30
    assert progress.seconds_left() == 170
    assert progress.line() == "2 of 4 jobs done; about 3 min left; now: embed"


def test_rules_without_finished_jobs_take_the_usual_times_in_proportion():
    clock = Clock()
    progress = Progress(clock)
    progress.plan({"embed": 1, "fine_tune": 1, "total": 2})
    progress.start(1, "embed")
    clock.now += 30
    progress.finish(1)
    assert progress.seconds_left() == pytest.approx(3 * 60)


def test_jobs_at_the_same_time_share_the_time():
    clock = Clock()
    progress = Progress(clock)
    progress.plan({"embed": 4, "total": 4})
    for job in (1, 2):
        progress.start(job, "embed")
    clock.now += 10
    for job in (1, 2):
        progress.finish(job)
    assert progress.seconds_left() == pytest.approx(10)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "10 s"), (44, "40 s"), (100, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_times_are_rounded(seconds, words):
    assert minutes(seconds) == words


def run(folder, *names, options=()):
    (folder / "Snakefile").write_text(SNAKEFILE.replace("NAMES", ", ".join(map(repr, names))))
    command = [sys.executable, "-m", "snakemake", "--logger", "progress", "--cores", "1", "--show-failed-logs"]
    command += options
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_snakemake_prints_only_the_line(tmp_path):
    done = run(tmp_path, "one", "two")
    assert done.returncode == 0, done.stderr
    assert "of 3 jobs done; about" in done.stderr
    assert "rule make:" not in done.stderr
    assert done.stderr.splitlines()[-1] == "3 of 3 jobs done in 10 s"


def test_a_dry_run_does_not_say_that_jobs_are_done(tmp_path):
    done = run(tmp_path, "one", options=["--dry-run"])
    assert done.returncode == 0, done.stderr
    assert "jobs done in" not in done.stderr


def test_failures_are_printed_with_their_logs(tmp_path):
    done = run(tmp_path, "bad")
    assert done.returncode == 1
    assert "Error in rule make" in done.stderr and "reason" in done.stderr
    assert done.stderr.splitlines()[-1] == "0 of 2 jobs done in 10 s"

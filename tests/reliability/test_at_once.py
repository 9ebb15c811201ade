"""A config that is edited while its plan runs, and several plans of one checkout at once."""

import json
import os
import shutil
import signal
import subprocess
import sys

import machines
import pytest
from faults import differing, start, wait_until
from tiny_study import CONFIG, fingerprints, tiny_study

from workflow_runs import environment, planned

pytestmark = pytest.mark.long

MODEL = "results/tiny/models/base/svd/0/bag_of_words.json"
SHORT = ("--until", "prepare_corpus", "build_bag_of_words", "--cores", "1")


def test_an_edited_config_changes_no_job_of_the_plan(study, tiny):
    config = study / CONFIG[1]
    before = config.read_text()
    assert before.count("{lay_out: scores, experiment: main") == 1
    running = start(study, "--forcerun", "collect_scores")
    wait_until(lambda: any((study / ".snakemake/locks").glob("*")), running)
    os.killpg(running.pid, signal.SIGSTOP)
    config.write_text(before.replace("lay_out: scores", "lay_out: scores, rows: corpus, columns: series"))
    os.killpg(running.pid, signal.SIGCONT)
    assert running.wait() == 0, (study / "run.log").read_text()[-3000:]
    assert differing(study, tiny) == []
    assert planned(study, *CONFIG) == {"lay_out_scores": 1}


def test_an_edited_config_changes_no_job_that_is_submitted(tmp_path):
    """Each submitted job starts Snakemake, which reads a config."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    folder = tiny_study(tmp_path / "study")
    edit = f"sed -i 's/components: 5/components: 4/' {CONFIG[1]}"
    submit = machines.script(tmp_path / "submit.sh", f'#!/bin/sh\n{edit}\nsh "$1" > said 2>&1\n')
    only = (*CONFIG, "--until", "build_bag_of_words")
    done = machines.snakemake(folder, *only, *machines.executor(submit))
    assert done.returncode == 0, done.stdout[-3000:] + (folder / "said").read_text()
    assert "components: 4" in (folder / CONFIG[1]).read_text()
    assert json.loads((folder / MODEL).read_text())["components"] == 5
    assert planned(folder, *only) == {"build_bag_of_words": 1}


def test_plans_of_one_checkout_do_not_disturb_each_other(tmp_path):
    """Two in working directories of their own, two in that of the checkout with other folders for results."""
    checkout = tiny_study(tmp_path / "checkout")
    where = ["--snakefile", checkout / "Snakefile", "--configfile", checkout / CONFIG[1]]
    commands = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy2(checkout / "notes.csv", tmp_path / name)
        commands.append([*where, "--directory", tmp_path / name])
    commands += [[*where, "--config", f"folder={name}"] for name in ("three", "four")]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "snakemake", *map(str, command), *SHORT],
            cwd=checkout,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command in commands
    ]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4, "\n\n".join(said)
    made = fingerprints(tmp_path / "one")
    assert len(made) == 6
    assert fingerprints(tmp_path / "two") == made
    together = fingerprints(checkout)
    for name in ("three", "four"):
        files = {path.replace(f"/{name}/", "/tiny/"): content for path, content in together.items() if name in path}
        assert {path: content for path, content in files.items() if not path.endswith(".seal")} == {
            path: content for path, content in made.items() if not path.endswith(".seal")
        }


READ_ONLY = 'mount --bind .snakemake .snakemake && mount -o remount,ro,bind .snakemake && exec "$@"'


def test_the_working_directory_of_another_user_is_refused_in_one_line(tmp_path):
    """A read-only folder stands for one without permission, because root has all permissions."""
    folder = tiny_study(tmp_path / "study")
    (folder / ".snakemake").mkdir()

    def read_only(*command):
        words = ["unshare", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, "sh", *command]
        return subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True)

    if not shutil.which("unshare") or read_only("true").returncode:
        pytest.skip("a folder cannot be made read-only here (unshare)")
    done = read_only("snakemake", *CONFIG, "--cores", "1")
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith(f"error: {folder}/.snakemake cannot be written to; expected: ")
    assert "Traceback" not in done.stderr

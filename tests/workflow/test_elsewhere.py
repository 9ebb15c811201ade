"""The workflow in a folder of the user: as a Snakefile elsewhere, and as a module of another workflow."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny_study import notes

from workflow_runs import ROOT

TEXTS = 'text\n"' + '"\n"'.join(f"Text number {number} is about {number * 7} things." for number in range(40)) + '"\n'
CONFIG = {
    "folder": "mine",
    "corpora": {"notes": {"source": {"type": "file", "path": "notes.csv", "text": "text"}}},
    "encoders": {"svd": {"type": "svd", "components": 5}},
    "experiments": {
        "words": {"corpora": ["notes"], "scores": [], "maps": True, "models": [{"encoder": "svd", "label": "SVD"}]}
    },
    "figures": {"map": {"draw": "interactive_map", "experiment": "words", "title": "My notes"}},
}
MODULE = f"""
configfile: "my.yaml"

module selfembed:
    snakefile: {json.dumps(str(ROOT / "Snakefile"))}
    config: config
    PREFIX

use rule * from selfembed NAMES

rule mine:
    default_target: True
    input: "results/mine/models/base/svd", "results/mine/corpora/notes.parquet"
"""
PLAIN = MODULE.replace("PREFIX", "").replace("NAMES", "")
RENAMED = MODULE.replace("PREFIX", "").replace("NAMES", "as selfembed_*")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "notes.csv").write_text(TEXTS)
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(CONFIG))
    return tmp_path


def snakemake(folder, *words):
    command = [sys.executable, "-m", "snakemake", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def assert_made(folder, done):
    assert done.returncode == 0, done.stderr
    for name in ("models/base/svd", "corpora/notes.parquet"):
        assert (folder / "results/mine" / name).exists()


@pytest.mark.parametrize("is_inside", [True, False])
def test_texts_and_results_are_in_the_working_directory(folder, tmp_path_factory, is_inside):
    start, words = (folder, []) if is_inside else (tmp_path_factory.mktemp("elsewhere"), ["--directory", folder])
    targets = ["results/mine/models/base/svd", "results/mine/corpora/notes.parquet"]
    words = ["--snakefile", ROOT / "Snakefile", "--configfile", folder / "my.yaml", *words]
    assert_made(folder, snakemake(start, *words, "--cores", "1", *targets))
    assert "Nothing to be done" in snakemake(start, *words, "--cores", "1", *targets).stderr


@pytest.mark.parametrize("snakefile", [PLAIN, RENAMED], ids=["plain", "renamed"])
def test_another_workflow_can_import_it(folder, snakefile):
    (folder / "Snakefile").write_text(snakefile)
    assert_made(folder, snakemake(folder, "--cores", "1"))


# Snakemake asks apptainer to run the last argument in a container. This one runs it here, and notes the others.
APPTAINER = """#!/bin/bash
if [ "$1" = --version ]; then echo apptainer version 1.4.5; exit; fi
printf '%s\\n' "${@:1:$#-1}" >> arguments.txt
exec bash -c "${@: -1}"
"""


def test_jobs_run_in_the_image_of_the_working_directory(folder, monkeypatch):
    words = ["--snakefile", ROOT / "Snakefile", "--configfile", "my.yaml", "--sdm", "apptainer", "--cores", "1"]
    targets = ["results/mine/models/base/svd", "results/mine/corpora/notes.parquet"]
    refused = snakemake(folder, *words, *targets)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("error: no selfembed.sif in the working directory; expected: ")

    program = folder / "bin/apptainer"
    program.parent.mkdir()
    program.write_text(APPTAINER)
    program.chmod(0o755)
    (folder / "selfembed.sif").touch()
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    assert_made(folder, snakemake(folder, *words, *targets))
    arguments = (folder / "arguments.txt").read_text().splitlines()
    assert arguments.count("selfembed.sif") == 2
    assert arguments[arguments.index("--home") + 1] == str(folder)
    assert arguments[arguments.index("--bind") + 1] == str(ROOT)


def test_targets_are_listed_with_what_they_show_and_cost(folder):
    words = ["--snakefile", ROOT / "Snakefile", "--configfile", "my.yaml", "--list-target-rules"]
    described = r"^map \(My notes: Every corpus of an experiment as a page.* Hours: .* on \d+ cores\.\)$"
    assert re.search(described, snakemake(folder, *words).stdout, re.M)


# What `selfembed propose --run` starts, without the jobs.
RUN = """
import subprocess, sys
from pathlib import Path
from selfembed.proposals import config_file

start = subprocess.Popen
subprocess.Popen = lambda command, **options: start([*command, "--dry-run"], **options)
config_file.run(Path(sys.argv[1]), verbose=True)
"""


def test_texts_are_adapted_to_where_they_are(tmp_path):
    (tmp_path / "my notes.csv").write_text(notes(150))

    def python(*words):
        variables = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
        done = subprocess.run([sys.executable, *words], cwd=tmp_path, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done

    config = python("-m", "selfembed", "propose", "my notes.csv").stdout.strip()
    told = next(line for line in Path(tmp_path, config).read_text().splitlines() if "snakemake adapt" in line)
    for words in (["-m", *shlex.split(told.removeprefix("#")), "--dry-run"], ["-c", RUN, config]):
        assert "fine_tune" in python(*words).stdout

"""The workflow from a Git host: as `snakedeploy` and Snakemake's workflow catalogue use it.

Git reads a repository on this disk wherever a command names one on github.com.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from test_elsewhere import CONFIG, TEXTS, assert_made

from workflow_runs import ROOT, copy_of_checkout

OWNER = "maintainers/selfembed"
DEPLOYED = f"""
configfile: "config/config.yaml"

module selfembed:
    snakefile: github("{OWNER}", path="workflow/Snakefile", tag="TAG")
    config: config

use rule * from selfembed
"""
TARGETS = ("results/mine/models/base/svd", "results/mine/corpora/notes.parquet")


class Host:
    """A Git host with this workflow, and a user's folder."""

    def __init__(self, folder: Path):
        self.source = copy_of_checkout(folder / "host" / OWNER)
        self.project = folder / "project"
        self.variables = os.environ | {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{(folder / 'host').as_uri()}/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/",
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        self.git("init", "--quiet")
        self.release("v1")

    def git(self, *words: str) -> None:
        """Run git in the source repository."""
        identity = ("-c", "user.name=A maintainer", "-c", "user.email=maintainer@example.org")
        subprocess.run(["git", *identity, *words], cwd=self.source, check=True)

    def release(self, tag: str) -> None:
        """Commit and tag the files of the source repository."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", tag)
        self.git("tag", tag)

    def deploy(self, tag: str) -> None:
        """Write what `snakedeploy` writes, except the configs."""
        (self.project / "workflow").mkdir(parents=True, exist_ok=True)
        (self.project / "workflow/Snakefile").write_text(DEPLOYED.replace("TAG", tag))

    def configure(self) -> None:
        """Write a config and texts."""
        (self.project / "config").mkdir(exist_ok=True)
        (self.project / "config/config.yaml").write_text(yaml.safe_dump(CONFIG))
        (self.project / "notes.csv").write_text(TEXTS)

    def run(self, *words: str) -> subprocess.CompletedProcess:
        """Run a command in the user's folder."""
        return subprocess.run(words, cwd=self.project, env=self.variables, capture_output=True, text=True)

    def snakemake(self, *words: str) -> subprocess.CompletedProcess:
        """Run Snakemake in the user's folder."""
        return self.run(sys.executable, "-m", "snakemake", "--cores", "1", *words, *TARGETS)


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_a_module_of_a_git_host_runs_and_an_update_reruns_what_it_changes(host):
    host.deploy("v1")
    host.configure()
    assert_made(host.project, host.snakemake())

    script = host.source / "scripts/prepare_corpus.py"
    for tag, edit, planned in (("v2", "# A comment.\n", set()), ("v3", "EDITED = 1\n", {"prepare_corpus"})):
        script.write_text(script.read_text() + edit)
        host.release(tag)
        host.deploy(tag)
        done = host.snakemake("--dry-run")
        assert done.returncode == 0, done.stderr
        assert set(re.findall(r"^(\w+) +\d+$", done.stdout, re.MULTILINE)) - {"total"} == planned


@pytest.mark.skipif(shutil.which("snakedeploy") is None, reason="snakedeploy is not installed")
def test_snakedeploy_deploys_a_project_that_runs(host):
    host.project.mkdir()
    done = host.run("snakedeploy", "deploy-workflow", f"https://github.com/{OWNER}", ".", "--tag", "v1", "--force")
    assert done.returncode == 0, done.stderr
    assert (host.project / "config/config.yaml").read_bytes() == (ROOT / "config/demo.yaml").read_bytes()
    host.configure()
    assert_made(host.project, host.snakemake())


def test_the_catalogue_can_draw_the_rules(tmp_path):
    """With the command that it uses, in a folder whose config is the default of a deployed project."""
    command = ["-s", "workflow/Snakefile", "-c", "1", "-d", ".test", "--forceall", "--rulegraph"]
    folder = copy_of_checkout(tmp_path)
    done = subprocess.run([sys.executable, "-m", "snakemake", *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'label = "all"' in done.stdout
    assert 'label = "fine_tune"' in done.stdout


def test_the_files_of_the_catalogue_are_there():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) <= {"mandatory-flags", "software-stack-deployment", "report"}
    assert (ROOT / "config/README.md").is_file()

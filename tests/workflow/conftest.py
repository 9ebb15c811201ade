"""Plans that several files of tests look at."""

import json
import shutil

import pytest
import yaml

from workflow_runs import CONFIGS, planned


@pytest.fixture(scope="session")
def with_sources(checkout, tmp_path_factory):
    """A checkout in which every file that a config names exists (empty: nothing runs)."""
    folder = tmp_path_factory.mktemp("with_sources") / "checkout"
    shutil.copytree(checkout, folder)
    for name in CONFIGS:
        for corpus in yaml.safe_load((folder / name).read_text())["corpora"].values():
            if corpus["source"]["type"] == "file":
                path = folder / corpus["source"]["path"]
                path.parent.mkdir(exist_ok=True)
                path.touch()
    return folder


@pytest.fixture(scope="session")
def plan_of(made_once, with_sources):
    """A function that gives the jobs per rule of a config; the paper's take long to plan, and are planned once."""

    def plan(config):
        def make(folder):
            folder.mkdir()
            (folder / "jobs.json").write_text(json.dumps(planned(with_sources, "--configfile", config)))

        return json.loads((made_once(f"plan_{config.replace('/', '_')}", make) / "jobs.json").read_text())

    return plan

"""The tiny study, once run to its end undisturbed."""

import shutil

import pytest
from tiny_study import CONFIG, tiny_study

from workflow_runs import snakemake


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A folder in which the tiny study has run on two cores. Tests leave it as it is, or work on a copy."""
    folder = tiny_study(tmp_path_factory.mktemp("tiny"))
    done = snakemake(folder, *CONFIG, "--cores", "2")
    assert done.returncode == 0, done.stdout[-5000:]
    return folder


@pytest.fixture
def study(tiny, tmp_path):
    """A copy of the finished tiny study."""
    folder = tmp_path / "study"
    shutil.copytree(tiny, folder)
    return folder

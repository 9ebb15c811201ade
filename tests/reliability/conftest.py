"""The tiny study, run to its end undisturbed: as usual, and with other settings that change no result."""

import shutil

import pytest
from tiny_study import CONFIG, KEEP, tiny_study

from warm.run import OFF, VARIABLE
from workflow_runs import snakemake


@pytest.fixture(scope="session")
def tiny(copy_of):
    """A folder in which the tiny study has run on two cores. Tests leave it as it is, or work on a copy."""

    def make(folder):
        done = snakemake(tiny_study(folder), *CONFIG, "--cores", "2")
        assert done.returncode == 0, done.stdout[-5000:]

    return copy_of("tiny", make)


@pytest.fixture
def study(tiny, tmp_path):
    """A copy of the finished tiny study."""
    folder = tmp_path / "study"
    shutil.copytree(tiny, folder)
    return folder


@pytest.fixture(scope="session")
def kept(copy_of):
    """A folder in which the tiny study has run with `keep: results` and without the warm process."""

    def make(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, OFF)
            done = snakemake(tiny_study(folder), *CONFIG, *KEEP, "--cores", "2")
        assert done.returncode == 0, done.stdout[-5000:]

    return copy_of("kept", make)

"""Fixtures that several kinds of tests share."""

import gc
import os
import shutil

import pytest
from filelock import FileLock
from hypothesis import settings

import selfembed  # noqa: F401 (sets how threads wait, before a test loads torch)
from workflow_runs import copy_of_checkout, snakemake, without_network

# A shared machine may be slow: time is measured in bench/, never by a test.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

LONGEST = ("end_to_end", "workflow", "reliability", "browser")


@pytest.hookimpl(tryfirst=True)  # before -m selects by markers
def pytest_collection_modifyitems(items):
    """Put the longest tests first, so that processes end together, and SLURM last: it keeps all processors busy.

    Tests that need a program of their own, as their folders say, are marked by it.
    """

    def place(item):
        folder = item.path.parent.name
        return LONGEST.index(folder) if folder in LONGEST else len(LONGEST) + (folder == "slurm")

    items.sort(key=place)
    for item in items:
        if item.path.parent.name in ("slurm", "browser"):
            item.add_marker(item.path.parent.name)


def pytest_collection_finish():
    """Keep what the tests have imported out of garbage collections, which take 0.4 s each with it."""
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def own_environment():
    """What steps that run in this process set, such as HF_HUB_OFFLINE, is no more there in the next file of tests."""
    before = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    yield
    for name in set(os.environ) - set(before) - {"PYTEST_CURRENT_TEST"}:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A clean copy of the checkout in which nothing has run."""
    return copy_of_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A function that gives a folder that is made once for all test processes; nobody may change it."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder

    def made(name, make):
        with FileLock(shared / f"{name}.lock"):
            if not (shared / f"{name}.is_made").exists():
                shutil.rmtree(shared / name, ignore_errors=True)
                make(shared / name)
                (shared / f"{name}.is_made").touch()
        return shared / name

    return made


@pytest.fixture(scope="session")
def copy_of(made_once, tmp_path_factory):
    """A function that gives a copy of a folder that takes minutes to make."""

    def copied(name, make):
        return shutil.copytree(made_once(name, make), tmp_path_factory.getbasetemp() / f"copy_of_{name}")

    return copied


@pytest.fixture(scope="session")
def finished(copy_of):
    """A copy of the checkout in which the smoke config has run to its end, without network where that can be cut."""

    def make(folder):
        prefix = without_network()
        if not prefix:
            print("the network cannot be cut here (unshare); the smoke run is not proven to be offline")
        copy_of_checkout(folder)
        done = snakemake(folder, "--configfile", "config/smoke.yaml", "--cores", "2", prefix=tuple(prefix))
        assert done.returncode == 0, done.stdout[-5000:]

    return copy_of("finished", make)

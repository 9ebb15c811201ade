"""Fixtures that several kinds of tests share."""

import pytest
from hypothesis import settings

from workflow_runs import copy_of_checkout, snakemake, without_network

# A shared machine may be slow: time is measured in bench/, never by a test.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

# Fixtures that take minutes: tests that use one run in the same process (`pytest -n 2 --dist loadgroup`), as do the
# tests of a file.
COSTLY = ("finished", "tiny")


def pytest_collection_modifyitems(items):
    for item in items:
        shared = next((name for name in COSTLY if name in getattr(item, "fixturenames", ())), item.path.name)
        item.add_marker(pytest.mark.xdist_group(shared))


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A clean copy of the checkout in which nothing has run."""
    return copy_of_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A copy of the checkout in which the smoke config has run to its end, without network where that can be cut."""
    folder = copy_of_checkout(tmp_path_factory.mktemp("finished"))
    prefix = without_network()
    if not prefix:
        print("the network cannot be cut here (unshare); the smoke run is not proven to be offline")
    done = snakemake(folder, "--configfile", "config/smoke.yaml", "--cores", "2", prefix=tuple(prefix))
    assert done.returncode == 0, done.stdout[-5000:]
    return folder

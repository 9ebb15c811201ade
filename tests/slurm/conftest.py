"""A cluster for the tests of this folder; they are skipped, with the reason, where none can be started."""

import os

import pytest
import slurm_cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A SLURM of one node with GPUs, an account and accounting, from the first test that needs it to the end."""
    if not os.environ.get("SELFEMBED_SLURM"):
        pytest.skip("set SELFEMBED_SLURM=1 to start a SLURM of one node: a quarter of an hour")
    reason = slurm_cluster.missing()
    if reason:
        pytest.skip(reason)
    with slurm_cluster.Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running

"""A cluster for the tests of this folder; they are skipped, with the reason, where none can be started."""

import pytest
import slurm_cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A SLURM of one node with GPUs, an account and accounting, from the first test that needs it to the end."""
    reason = slurm_cluster.missing()
    if reason:
        pytest.skip(reason)
    with slurm_cluster.Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running

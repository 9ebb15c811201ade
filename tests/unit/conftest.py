"""What all unit tests share."""

import sys

import pytest


@pytest.fixture(autouse=True)
def one_thread():
    """Tests run side by side, on models so small that torch's threads would mostly wait for each other."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)

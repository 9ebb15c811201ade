"""How far a long step is: the line, its rate, and the steps that tell it."""

import logging

import numpy as np
import pandas as pd
import pytest
from small_models import SENTENCE
from with_defaults import layout, make_pairs

from selfembed.jobs import progress
from selfembed.scores import neighbors


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until its hands are moved."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


def test_rate_and_time_left_count_what_this_call_did(clock, caplog):
    """A job that goes on did the first 60 before."""
    with caplog.at_level(logging.INFO, logger="selfembed"):
        count = progress.Progress(100, "steps", started=0.0, logged=0.0)
        count.skip(60)
        clock.now = 10.0
        count.advance(20, "loss 0.5")
    assert caplog.messages == ["80 of 100 steps (80 %), 2 per second, 10 s left, loss 0.5"]


def test_a_line_every_five_seconds_and_one_at_the_end(clock, caplog):
    with caplog.at_level(logging.INFO, logger="selfembed"):
        count = progress.Progress(1000, "texts", started=0.0, logged=0.0)
        for _ in range(1000):
            clock.now += 0.0121
            count.advance(1)
    assert [line.split(" ")[0] for line in caplog.messages] == ["414", "828", "1000"]


def test_pairs_neighbours_and_maps_tell_how_far_they_are(caplog):
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(40, 4)).astype(np.float32)
    corpus = pd.DataFrame({"id": range(3), "text": [f"{SENTENCE} one. " * 4] * 3})
    with caplog.at_level(logging.INFO, logger="selfembed"):
        make_pairs(corpus, "crops", 2, seed=1, minimum_length=20)
        neighbors.nearest(vectors, vectors, 3)
        layout(vectors, perplexity=5)
    found = " ".join(line.split(" (")[0] for line in caplog.messages)
    assert found == "3 of 3 texts 6 of 6 pairs 40 of 40 test texts 750 of 750 iterations"

"""The speed of several ways to embed texts, measured side by side."""

import time

import numpy as np
import pandas as pd

from selfembed.exports.forms import Encode
from selfembed.jobs.command_line import log

ROUNDS = 5
TEXTS = 50


def some(texts: list[str]) -> list[str]:
    """Return at most TEXTS texts, evenly spaced."""
    return [texts[place] for place in np.linspace(0, len(texts) - 1, min(TEXTS, len(texts))).astype(int)]


def seconds(ways: dict[str, Encode], texts: list[str]) -> pd.DataFrame:
    """Return the seconds that every way needs for the texts; shape (ROUNDS, ways).

    Every round runs all ways, so that other load of the machine is the same for all. A first round is not counted.
    """
    rounds = []
    for number in range(ROUNDS + 1):
        taken = {}
        for name, encode in ways.items():
            start = time.perf_counter()
            encode(texts)
            taken[name] = time.perf_counter() - start
        rounds.append(taken)
        log.info("round %d of %d: %s", number, ROUNDS, ", ".join(f"{name} {s:.3g} s" for name, s in taken.items()))
    return pd.DataFrame(rounds[1:])

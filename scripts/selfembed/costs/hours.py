"""Hours of work on a machine, by measured rates of two cores and an assumed speed of a GPU.

The rates of two cores are in `rates.csv`, made by `bench/rates.py` and `bench/evaluations.py`.
"""

import os
from collections import Counter

from selfembed.costs import sizes
from selfembed.costs.sizes import Amounts
from selfembed.costs.work import CONTEXT, EMBEDDING, FINE_TUNING, PARAMETERS, START, Job
from selfembed.settings.figures import CorporaTable
from selfembed.settings.schema import Settings

EFFICIENCY = 0.8  # of more than two cores, relative to two: assumed
GPU = "GPU"
# Operations per second of an H100 SXM, without sparsity: NVIDIA's data sheet.
PEAK = {"bf16": 989e12, "tf32": 494e12, "fp32": 67e12}
UTILISATION = 0.35  # part of the peak that is reached: assumed
OPERATIONS = {FINE_TUNING: 6, EMBEDDING: 2}  # for each parameter and token
CONTEXT_SECONDS = 2.0  # of a job on a GPU, until its context and weights are loaded: assumed
CORES_BESIDE_GPU = 8
MOST_HOURS = 100  # of a plan on a processor that is begun without `device: cpu`

NO_FIGURE = "no figure"

Rates = dict[str, dict[str, float]]


def read_rates() -> Rates:
    """Units of work per second that two cores were measured to do, by work and precision."""
    found: Rates = {}
    for row in sizes.rows("rates.csv"):
        if row["machine"] == "2 cores":
            found.setdefault(row["work"], {})[row["precision"]] = float(row["value"])
    return found


def available_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def faster(cores: int) -> float:
    """How many times faster than two cores a number of cores is."""
    return cores / 2 * (EFFICIENCY if cores > 2 else 1)


def speed(work: str, precision: str, machine: int | str, rates: Rates) -> float:
    """Units of work per second on a number of cores, or on a GPU with cores beside it."""
    if machine == GPU:
        if work in OPERATIONS:
            return PEAK[precision] * UTILISATION / (OPERATIONS[work] * PARAMETERS)
        if work == CONTEXT:
            return 1 / CONTEXT_SECONDS
    found = rates[work]
    measured = found.get(precision) or next(iter(found.values()))
    if work == START:
        return measured
    return measured * faster(CORES_BESIDE_GPU if isinstance(machine, str) else machine)


def hours(jobs: dict[Job, Amounts], machine: int | str, rates: Rates | None = None) -> Counter[str]:
    """Hours of some jobs by kind; starts of programs and GPU contexts are kinds of their own.

    Args:
        machine: number of cores, or `GPU`: encoders on one GPU, all else on 8 cores beside it.
    """
    rates = rates or read_rates()
    found: Counter[str] = Counter()
    for job, amounts in jobs.items():
        for work, amount in amounts.items():
            if work == CONTEXT and machine != GPU:
                continue
            kind = work if work in (START, CONTEXT) else job.kind
            found[kind] += amount / speed(work, job.precision, machine, rates) / 3600
    return found


def on(kinds: tuple[str, ...], found: Counter[str]) -> float:
    """Hours of some kinds of work."""
    return sum(found[kind] for kind in kinds)


def experiments_of_targets(settings: Settings) -> dict[str, list[str]]:
    """Every figure and table with its experiments, and under a last name those that are in none."""
    found = {name: list(figure.experiments.values()) for name, figure in settings.figures.items()}
    found |= {
        name: [] if isinstance(table, CorporaTable) else [table.experiment] for name, table in settings.tables.items()
    }
    used = {name for names in found.values() for name in names}
    return {**found, NO_FIGURE: [name for name in settings.experiments if name not in used]}

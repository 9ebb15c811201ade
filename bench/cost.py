"""What `config.yaml` costs: hours of every figure and table, and of everything; writes `docs/cost.md`.

Work (`work.py`) is divided by rates (`rates.csv`, made by `bench/rates.py`). `original_hours.csv` holds what the
original study printed, `cost_page.md` the words of the page. Runs nothing.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import yaml
from work import BENCHMARK, CHARACTERS_PER_TOKEN, HERE, PARAMETERS, SENTENCES, Amounts, Count, Job, read_sizes, rows

from selfembed.jobs import command_line
from selfembed.settings.figures import CorporaTable
from selfembed.settings.schema import Settings
from selfembed.study import expansion
from selfembed.study.validation import load

ROOT = HERE.parent

EIGHT_CORES = 4 * 0.8  # times faster than two: assumed
PEAK = {"bf16": 989e12, "fp32": 67e12}  # operations per second of an H100 SXM, dense: NVIDIA's data sheet
UTILISATION = 0.35  # part of the peak that is reached: assumed
OPERATIONS = {"fine-tuning": 6, "embedding": 2}  # for each parameter and token

KINDS = ["fine-tuning", "embedding", BENCHMARK, "kNN", "linear probe", "t-SNE", "TF-IDF and SVD", "program start"]
MACHINES = ["2 cores", "8 cores", "GPU"]
NO_FIGURE = "no figure"

Rates = dict[str, dict[str, float]]


def read_rates() -> Rates:
    """Units of work per second that two cores were measured to do, by work and precision."""
    found: Rates = {}
    for row in rows("rates.csv"):
        if row["machine"] == "2 cores":
            found.setdefault(row["work"], {})[row["precision"]] = float(row["value"])
    return found


def speed(work: str, kind: str, machine: str, precision: str, rates: Rates) -> float:
    """Units of work per second on a machine; MTEB scores are in fp32 whatever the precision of the rest."""
    if work in OPERATIONS:
        precision = "fp32" if kind == BENCHMARK else precision
        if machine == "GPU":
            return PEAK[precision] * UTILISATION / (OPERATIONS[work] * PARAMETERS)
        measured = rates[work][precision]
    else:
        (measured,) = rates[work].values()
    return measured if machine == "2 cores" else measured * EIGHT_CORES


def hours(jobs: dict[Job, Amounts], machine: str, rates: Rates, precision: str | None = None) -> Counter[str]:
    """Hours of some jobs by kind; without a precision, encoders run in bf16 on a GPU and in fp32 on cores."""
    precision = precision or ("bf16" if machine == "GPU" else "fp32")
    found: Counter[str] = Counter()
    for job, amounts in jobs.items():
        for work, amount in amounts.items():
            kind = work if work == "program start" else job.kind
            found[kind] += amount / speed(work, job.kind, machine, precision, rates) / 3600
    return found


def experiments_of_targets(settings: Settings) -> dict[str, list[str]]:
    """Every figure and table with its experiments, and under a last name those that are in none."""
    found = {name: list(figure.experiments.values()) for name, figure in settings.figures.items()}
    found |= {
        name: [] if isinstance(table, CorporaTable) else [table.experiment] for name, table in settings.tables.items()
    }
    used = {name for names in found.values() for name in names}
    return {**found, NO_FIGURE: [name for name in settings.experiments if name not in used]}


def in_words(value: float) -> str:
    """Hours for a table."""
    if 0 < value < 0.05:
        return "under 0.1"
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.1f}"


def table(header: list[str], lines: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head, *body = [f"| {' | '.join(cells)} |" for cells in [header, *lines]]
    return "\n".join([head, "|---" * len(header) + "|", *body])


def page(settings: Settings) -> str:
    """The page, in Markdown."""
    sizes = read_sizes()
    count = Count(settings, expansion.expand(settings), sizes)
    rates = read_rates()
    printed = Counter()
    for row in rows("original_hours.csv"):
        printed[row["target"]] += float(row["hours"])
    everything = count.jobs(settings.experiments)
    in_all = {machine: hours(everything, machine, rates) for machine in MACHINES}
    totals = [in_words(in_all[machine].total()) for machine in MACHINES]
    targets = []
    for name, experiments in experiments_of_targets(settings).items():
        jobs = count.jobs(experiments)
        taken = [in_words(hours(jobs, machine, rates).total()) for machine in MACHINES]
        theirs = in_words(printed[name]) if name in printed else "not printed"
        targets.append([name if name == NO_FIGURE else f"`{name}`", f"{len(jobs):,}", *taken, theirs])
    targets.append(["**in all, shared jobs once**", f"{len(everything):,}", *totals, in_words(printed.total())])
    numbers = Counter(job.kind for job in everything)
    kinds = [
        [kind, f"{numbers[kind]:,}" if kind in numbers else "–", *(in_words(in_all[name][kind]) for name in MACHINES)]
        for kind in KINDS
    ]
    half = hours(everything, "2 cores", rates, "bf16").total()
    measured = [
        [row["work"], row["precision"], row["value"], row["unit"], row["how"]]
        for row in rows("rates.csv")
        if row["machine"] == "2 cores"
    ]
    training = speed("fine-tuning", "fine-tuning", "GPU", "bf16", rates)
    words = (HERE / "cost_page.md").read_text(encoding="utf-8")
    return words.format(
        two=totals[0],
        days=f"{in_all['2 cores'].total() / 24:,.0f}",
        eight=totals[1],
        gpu=totals[2],
        printed=in_words(printed.total()),
        half=in_words(half),
        targets=table(["target", "jobs", "2 cores", "8 cores", "one GPU", "original, printed"], targets),
        kinds=table(["kind of work", "jobs", "2 cores", "8 cores", "one GPU"], kinds),
        rates=table(["work", "precision", "value", "unit", "how"], measured),
        efficiency=f"{EIGHT_CORES / 4:g}",
        faster=f"{EIGHT_CORES:g}",
        utilisation=f"{UTILISATION:g}",
        bf16=f"{PEAK['bf16'] / 1e12:g}",
        fp32=f"{PEAK['fp32'] / 1e12:g}",
        parameters=f"{PARAMETERS / 1e6:.0f}",
        training=f"{training:,.0f}",
        embedding=f"{speed('embedding', 'embedding', 'GPU', 'bf16', rates):,.0f}",
        epoch=f"{sizes.corpora['iclr'].pairs * 2 * sizes.packs[SENTENCES][1] / training:.0f}",
        benchmark=f"{speed('embedding', BENCHMARK, 'GPU', 'bf16', rates):,.0f}",
        characters=CHARACTERS_PER_TOKEN,
    )


def main() -> None:
    """Write the page."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "config.yaml", help="config to count")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "cost.md", help="page to write")
    arguments = parser.parse_args()
    settings = load(yaml.safe_load(arguments.config.read_text(encoding="utf-8")))
    arguments.output.write_text(page(settings), encoding="utf-8")


if __name__ == "__main__":
    main()

"""What `config.yaml` costs: hours of every figure and table, starts and disk; writes `docs/cost.md`.

The library (`selfembed.costs`) counts the work and divides it by rates. `original_hours.csv` holds what the original
study printed, `cost_page.md` the words of the page. Runs nothing.
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "scripts"))

from selfembed.costs import disk, sizes
from selfembed.costs.hours import (
    CONTEXT_SECONDS,
    CORES_BESIDE_GPU,
    EFFICIENCY,
    GPU,
    NO_FIGURE,
    PEAK,
    UTILISATION,
    experiments_of_targets,
    faster,
    hours,
    on,
    read_rates,
    speed,
)
from selfembed.costs.sizes import CHARACTERS_PER_TOKEN, SENTENCES, Amounts, Sizes
from selfembed.costs.work import (
    ALONE,
    CONTEXT,
    EMBEDDING,
    EVALUATION,
    FINE_TUNING,
    ON_CPU,
    ON_GPU,
    PARAMETERS,
    START,
    Count,
    Job,
)
from selfembed.jobs import command_line
from selfembed.settings.schema import Settings
from selfembed.study import expansion
from selfembed.study.validation import load

BEFORE = "fp32"  # the precision of everything, before
# Tokens per second of the training of an embedding layer alone, before: 2 threads, 2026-11-23.
LAYER_ALONE_BEFORE = 2.605e4


class OneByOne(Count):
    """The jobs before one job scored a model on all tasks: every MTEB score was a job of its own.

    It embedded all texts of the task, with repetitions, with a model cut at the layer. Every job started a program.
    """

    def __init__(self, settings: Settings, study: expansion.Study, known: Sizes) -> None:
        repeated = {name: replace(task, different=task.texts) for name, task in known.tasks.items()}
        super().__init__(settings, study, replace(known, tasks=repeated))

    def start(self, jobs: int = 1) -> Amounts:
        return {START: jobs}

    def benchmark(self, item: expansion.Evaluation) -> Job:
        return replace(super().benchmark(item), path=item.path.removeprefix(f"{expansion.BENCHMARK}/"))


def printed_hours() -> Counter[str]:
    """Hours that the original study printed, by target."""
    found: Counter[str] = Counter()
    for row in original_hours():
        found[row["target"]] += float(row["hours"])
    return found


def original_hours() -> list[dict[str, str]]:
    """Every time that the original study printed."""
    with open(HERE / "original_hours.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def in_words(value: float) -> str:
    """Hours or gigabytes for a table."""
    if 0 < value < 0.05:
        return "under 0.1"
    return f"{value:,.0f}" if value >= 10 or not value else f"{value:.1f}"


def table(header: list[str], lines: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head, *body = [f"| {' | '.join(cells)} |" for cells in [header, *lines]]
    return "\n".join([head, "|---" * len(header) + "|", *body])


def starts(jobs: dict[Job, Amounts], work: str) -> int:
    """Number of starts of programs or of GPU contexts."""
    return round(sum(amounts.get(work, 0) for amounts in jobs.values()))


def alone(jobs: dict[Job, Amounts]) -> float:
    """GPU-hours of fine-tuning embedding layers alone."""
    only = {job: {work: n for work, n in found.items() if work == FINE_TUNING + ALONE} for job, found in jobs.items()}
    return hours(only, GPU)[FINE_TUNING]


def gigabytes(count: Count, keep: str) -> tuple[float, list[str]]:
    """Peak of the disk in GB, and a line of a table with its parts."""
    most = disk.peak(count, keep)
    parts = [most[kind] / 1e9 for kind in (disk.RUNS, disk.VECTORS, disk.SCRATCH, disk.FIXED)]
    total = most.total() / 1e9
    return total, [f"`keep: {keep}`", *map(in_words, [total, *parts])]


def hours_before(jobs: dict[Job, Amounts]) -> Counter[str]:
    """Hours of some jobs on one GPU, in the precision and with the training of embedding layers of before."""
    rates = read_rates()
    rates["fine-tuning" + ALONE] = {"fp32": LAYER_ALONE_BEFORE}
    return hours(with_precision(BEFORE, jobs), GPU, rates)


def with_precision(precision: str, jobs: dict[Job, Amounts]) -> dict[Job, Amounts]:
    """Some jobs with another precision of the encoders."""
    return {replace(job, precision=precision): amounts for job, amounts in jobs.items()}


def page(settings: Settings) -> str:
    """The page, in Markdown."""
    known = sizes.of(settings)
    study = expansion.expand(settings)
    counts = [OneByOne(settings, study, known), Count(settings, study, known)]
    printed = printed_hours()
    everything = [count.jobs(settings.experiments) for count in counts]
    before, now = hours_before(everything[0]), hours(everything[1], GPU)
    on_cores = {cores: hours(everything[1], cores) for cores in (2, 8)}
    targets = []
    for name, experiments in experiments_of_targets(settings).items():
        old, new = (count.jobs(experiments) for count in counts)
        found = hours(new, GPU)
        taken = [
            on(ON_GPU, hours_before(old)),
            on(ON_GPU, found),
            on(ON_CPU, found),
            hours(new, 2).total(),
        ]
        jobs = sum(job.kind != EVALUATION for job in new)
        theirs = in_words(printed[name]) if name in printed else "not printed"
        targets.append([name if name == NO_FIGURE else f"`{name}`", f"{jobs:,}", *map(in_words, taken), theirs])
    totals = [on(ON_GPU, before), on(ON_GPU, now), on(ON_CPU, now), on_cores[2].total()]
    jobs = sum(job.kind != EVALUATION for job in everything[1])
    targets.append(["**in all, shared jobs once**", f"{jobs:,}", *map(in_words, totals), in_words(printed.total())])
    kinds = [
        [
            kind,
            number(everything[0], kind),
            number(everything[1], kind),
            in_words(before[kind]),
            in_words(now[kind]),
            in_words(on_cores[2][kind]),
        ]
        for kind in (*ON_GPU, *ON_CPU)
    ]
    kept, lines = gigabytes(counts[1], "everything")
    freed, other_lines = gigabytes(counts[1], "results")
    chosen = settings.keep
    in_precision = [
        [name, *(in_words(on(ON_GPU, hours(with_precision(name, jobs), GPU))) for jobs in everything)] for name in PEAK
    ]
    training = speed(FINE_TUNING, "bf16", GPU, read_rates())
    used = Counter(job.precision for job in everything[1] if job.kind == FINE_TUNING)
    words = (HERE / "cost_page.md").read_text(encoding="utf-8")
    cpu, gpu = on(ON_CPU, now), on(ON_GPU, now)
    return words.format(
        gpu=in_words(gpu),
        gpu_before=in_words(totals[0]),
        cpu=in_words(cpu),
        evaluation=in_words(now[EVALUATION]),
        beside=CORES_BESIDE_GPU,
        wall=in_words(max(cpu, gpu)),
        bottleneck="the processor" if cpu > gpu else "the GPU",
        enough=enough_cores(cpu, gpu),
        two=in_words(on_cores[2].total()),
        eight=in_words(on_cores[8].total()),
        days=f"{on_cores[2].total() / 24:,.0f}",
        disk=in_words(freed if chosen == "results" else kept),
        disk_before=in_words(kept),
        keep=chosen,
        starts_before=f"{starts(everything[0], START):,}",
        contexts=f"{starts(everything[1], CONTEXT):,}",
        context_hours=in_words(now[CONTEXT]),
        context_seconds=f"{CONTEXT_SECONDS:g}",
        start_seconds=f"{1 / read_rates()[START]['–']:.0f}",
        precisions=", ".join(
            [
                f"fine-tuning {' and '.join(sorted(used))}",
                f"embedding {settings.embedding.precision}",
                f"MTEB {settings.mteb.precision}",
            ]
        ),
        printed=in_words(printed.total()),
        cpu_kind=ON_CPU[0],
        floor=in_words(now[FINE_TUNING]),
        floor_alone=in_words(alone(everything[1])),
        targets=table(
            [
                "target",
                "jobs",
                "GPU, before",
                "GPU, now",
                f"{CORES_BESIDE_GPU} cores beside it",
                "2 cores alone",
                "original, printed",
            ],
            targets,
        ),
        kinds=table(["kind of work", "jobs, before", "jobs, now", "GPU, before", "now", "2 cores alone"], kinds),
        in_precision=table(["precision of all encoders", "GPU-hours, before", "GPU-hours, now"], in_precision),
        peaks=table(
            ["", "peak, GB", "runs", "embeddings", "in progress", "data, encoders, pairs"], [lines, other_lines]
        ),
        tasks=table(
            ["task", "texts", "different texts", "part", "scores", f"evaluation, hours of {CORES_BESIDE_GPU} cores"],
            by_task(known, everything[1]),
        ),
        rates=table(
            ["work", "precision", "value", "unit", "how"],
            [
                [row["work"], row["precision"], row["value"], row["unit"], row["how"]]
                for row in sizes.rows("rates.csv")
                if row["machine"] == "2 cores"
            ],
        ),
        efficiency=f"{EFFICIENCY:g}",
        faster=f"{faster(8):g}",
        utilisation=f"{UTILISATION:g}",
        **{name: f"{peak / 1e12:g}" for name, peak in PEAK.items()},
        parameters=f"{PARAMETERS / 1e6:.0f}",
        training=f"{training:,.0f}",
        embedding=f"{speed(EMBEDDING, 'bf16', GPU, read_rates()):,.0f}",
        epoch=f"{known.corpora['iclr'].pairs * 2 * known.packs[SENTENCES][1] / training:.0f}",
        characters=CHARACTERS_PER_TOKEN,
    )


def by_task(known: Sizes, jobs: dict[Job, Amounts]) -> list[list[str]]:
    """Lines of a table: texts of every task, and mteb's evaluation of all scores."""
    lines = []
    for name, task in known.tasks.items():
        scores = {job: work for job, work in jobs.items() if job.kind == EVALUATION and job.path.split("/")[-2] == name}
        part = f"{task.different / task.texts:.0%}"
        taken = in_words(hours(scores, GPU).total())
        lines.append([name, f"{task.texts:,}", f"{task.different:,}", part, str(len(scores)), taken])
    return lines


def number(jobs: dict[Job, Amounts], kind: str) -> str:
    """Number of jobs of a kind, or of starts."""
    found = starts(jobs, kind) if kind in (START, CONTEXT) else sum(job.kind == kind for job in jobs)
    return f"{found:,}" if found else "–"


def enough_cores(cpu: float, gpu: float) -> str:
    """Number of cores with which the work beside the GPU takes no longer than the GPU."""
    cores = 2
    while cpu * faster(CORES_BESIDE_GPU) / faster(cores) > gpu:
        cores += 2
    return str(cores)


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

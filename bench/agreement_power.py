"""How often the comparison with published numbers is wrong, and what it sees: simulated, by kind of number.

Prints, for every kind of published number, how many true agreements are called a difference (5 % are meant to be), and
how many true differences of 3 points are. Agreements are made by the model that each kind names: for scores of texts,
every text has its own chance to be right, seeds draw anew, and a split draws the tested texts from the corpus.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from selfembed.evidence import agreement
from selfembed.jobs import command_line

# Chances of a text to be right, and the parts of a corpus that have them, in the mean: most texts do not depend on the
# seed. Accuracies are about .46, the standard deviation over seeds 0.7 points with 1,300 texts.
CHANCES = np.array([0.0, 0.15, 0.5, 0.85, 1.0])
PARTS = np.array([0.38, 0.10, 0.12, 0.12, 0.28])
# Corpora differ from these parts, and numbers of one corpus too: variances between seeds, times texts, by about a
# third, as those do that `agreement.SEED_VARIANCE_PER_TEXT` is the median of.
CONCENTRATION = 20
# Between accuracies ten steps apart: the paper's four curves of Figure 3 change by 0.40 points (steps 200 to 340, root
# of the mean square), where accuracies with 1,300 texts differ by 0.65 to 0.7 between seeds.
CORRELATION = 0.8
# Labelled texts of ICLR and of the large corpora; a tenth is tested.
ICLR = 13_000
LARGE = (732_723, 53_787, 17_647, 459_399, 75_000)
# Each draws 3,000 numbers of a kind or more.
SEEDS = (0, 1)


@dataclass
class Numbers:
    """Simulated numbers: ours by seed, shape (experiments, numbers, seeds), and what is published.

    Attributes:
        published: shape (experiments, numbers).
        texts: labelled texts of the corpus of every number, shape (numbers,); None if scores are not of texts.
        seeds: how many of ours count, shape (numbers,); 0 for models without a seed.
        columns: further columns of the published table.
        judged: which numbers are counted, shape (numbers,).
    """

    ours: np.ndarray
    published: np.ndarray
    texts: np.ndarray | None
    seeds: np.ndarray
    columns: dict
    judged: np.ndarray


def of_texts(
    random: np.random.Generator, experiments: int, texts: np.ndarray, seeds: np.ndarray, other_split: bool = False
) -> Numbers:
    """Accuracies of models whose texts have their own chances to be right; without a seed, they are right or not."""
    shape, tested = (experiments, len(texts)), texts // 10
    parts = random.dirichlet(PARTS * CONCENTRATION, shape)
    chances = np.where(seeds[:, None] > 0, CHANCES, np.array([0, 0, 0, 1, 1]))

    def drawn(number: int) -> np.ndarray:
        counts = np.floor(parts[:, number] * texts[number]).astype(int)
        counts[:, 0] += texts[number] - counts.sum(axis=1)
        return np.stack([random.multivariate_hypergeometric(row, tested[number], method="marginals") for row in counts])

    def split() -> np.ndarray:
        return np.stack([drawn(number) for number in range(len(texts))], axis=1)

    ours = split()
    theirs = split() if other_split else ours
    most = max(seeds.max(), 1)
    values = random.binomial(ours[:, :, None, :], chances[None, :, None, :], (*shape, most, len(CHANCES))).sum(axis=3)
    published = random.binomial(theirs, chances[None], theirs.shape).sum(axis=2)
    columns = {"noise": "split"} if other_split else {}
    judged = np.ones(len(texts), dtype=bool)
    return Numbers(
        values / tested[None, :, None], published / tested, texts, seeds, columns | {"rounding": 0.0}, judged
    )


def normal(
    random: np.random.Generator, deviations: np.ndarray, seeds: int, texts: int | None = None, runs: int = 0
) -> Numbers:
    """Scores around .5 with a normal deviation; `runs` > 0: so many runs, whose consecutive numbers are correlated."""
    drawn = random.normal(size=(*deviations.shape, max(seeds, 1) + 1))
    if runs:
        by_run = drawn.reshape(len(drawn), runs, -1, drawn.shape[2])
        kept = np.sqrt(1 - CORRELATION**2)
        for number in range(1, by_run.shape[2]):
            by_run[:, :, number] = CORRELATION * by_run[:, :, number - 1] + kept * by_run[:, :, number]
    values = 0.5 + deviations[:, :, None] * drawn
    count = deviations.shape[1]
    sizes = None if texts is None else np.full(count, texts)
    every = np.ones(count, dtype=bool)
    return Numbers(values[:, :, 1:], values[:, :, 0], sizes, np.full(count, seeds), {"rounding": 0.0}, every)


def software(random: np.random.Generator, experiments: int, deviation: float | None, rounding: float) -> Numbers:
    """Scores of the same weights in other software: a normal deviation; None: what is assumed of kNN accuracy."""
    assumed = np.sqrt(agreement.SOFTWARE_FLIPS / (ICLR // 10))
    size = assumed if deviation is None else deviation
    found = normal(random, np.full((experiments, 20), size), 0, ICLR if deviation is None else None)
    # One value of each pair has the whole deviation, the other is what it is.
    found.ours[:] = 0.5
    found.columns["software"] = "" if deviation is None else deviation
    return read(random, found, rounding)


def read(random: np.random.Generator, numbers: Numbers, half_width: float) -> Numbers:
    """The numbers, with published values that are rounded or read from a figure."""
    numbers.published = numbers.published + random.uniform(-half_width, half_width, numbers.published.shape)
    numbers.columns["rounding"] = half_width
    return numbers


def iclr(random: np.random.Generator, seeds: int, other_split: bool = False) -> Numbers:
    """150 experiments of 20 accuracies on ICLR."""
    return of_texts(random, 150, np.full(20, ICLR), np.full(20, seeds), other_split)


def large(random: np.random.Generator) -> Numbers:
    """One seed on large corpora, beside seven models with three seeds on ICLR."""
    texts = np.array([ICLR] * 7 + [size for size in LARGE for _ in range(4)])
    seeds = np.array([3] * 7 + [1] * 20)
    numbers = of_texts(random, 150, texts, seeds)
    numbers.judged = seeds == 1
    return numbers


def spread(random: np.random.Generator, mean: float, degrees: int, shape: tuple[int, int]) -> np.ndarray:
    """Standard deviations whose squares follow a scaled inverse chi-squared distribution."""
    return mean * np.sqrt(degrees / random.chisquare(degrees, shape))


def diverging(random: np.random.Generator) -> Numbers:
    """A sweep of twelve values, four of which diverge."""
    return normal(random, np.tile(np.where(np.arange(12) < 4, 0.03, 0.006), (250, 1)), 3, ICLR)


KINDS: dict[str, Callable[[np.random.Generator], Numbers]] = {
    "three seeds": lambda random: iclr(random, 3),
    "three seeds, read from a figure (±0.2)": lambda random: read(random, iclr(random, 3), 0.002),
    "three seeds, another split": lambda random: iclr(random, 3, True),
    "three seeds, twelve values of a sweep, four diverge": diverging,
    "three seeds, ten correlated steps of each of four runs": lambda random: normal(
        random, np.full((150, 40), 0.006), 3, ICLR, 4
    ),
    "two seeds": lambda random: iclr(random, 2),
    "one seed, large corpora; ICLR with three": large,
    "one seed, no number with several": lambda random: normal(
        random, spread(random, np.sqrt(agreement.SEED_VARIANCE_PER_TEXT / (ICLR // 10)), 9, (150, 20)), 1, ICLR
    ),
    "no seed": lambda random: software(random, 150, None, 0.0),
    "no seed, rounded (±0.05)": lambda random: software(random, 150, None, 0.0005),
    "no seed, another split": lambda random: iclr(random, 0, True),
    "MTEB, three seeds": lambda random: normal(random, spread(random, 0.0023, 6, (150, 20)), 3),
    "MTEB, three seeds, rounded (±0.05)": lambda random: read(
        random, normal(random, spread(random, 0.0023, 6, (150, 20)), 3), 0.0005
    ),
    "MTEB, no seed, clustering": lambda random: software(random, 150, 0.003, 0.0),
    "MTEB, no seed, other tasks": lambda random: software(random, 150, 0.0005, 0.0),
}


def compared(numbers: Numbers, shift: float = 0.0) -> pd.DataFrame:
    """The comparison of the judged numbers, whose published values are too high by `shift`."""
    experiments, count, most = numbers.ours.shape
    experiment, number = np.divmod(np.arange(experiments * count), count)
    key = pd.DataFrame({"experiment": [f"e{e}" for e in experiment], "series": [f"s{n}" for n in number]})
    key = key.assign(x=np.nan, corpus="c", step="final", layer=12, pooling="mean", score="knn")
    published = key.assign(value=numbers.published.ravel() + shift, source="simulated", **numbers.columns)
    ours = key.loc[key.index.repeat(most)].assign(label=lambda table: table["series"], block=np.nan)
    ours["value"] = numbers.ours.ravel()
    seed = np.tile(np.arange(most), experiments * count)
    ours["seed"] = pd.Series(np.where(numbers.seeds[number].repeat(most) > 0, seed, -1)).replace(-1, pd.NA).to_numpy()
    texts = np.full(count, np.nan) if numbers.texts is None else numbers.texts.astype(float)
    ours["n_test"] = (texts // 10)[number].repeat(most)
    ours["n_train"] = (texts - texts // 10)[number].repeat(most)
    ours["standard_error"] = np.sqrt(ours["value"] * (1 - ours["value"]) / ours["n_test"])
    ours = ours[seed < np.maximum(numbers.seeds, 1)[number].repeat(most)]
    return agreement.compare(published, ours)[numbers.judged[number]]


def shares(kind: str, shift: float = 0.0) -> tuple[float, float]:
    """Share of simulated numbers that are called a difference, and by twice the standard error of three seeds alone."""
    table = pd.concat([compared(KINDS[kind](np.random.default_rng(seed)), shift) for seed in SEEDS])
    plain = 2 * table["seed_spread"] * np.sqrt(1 + 1 / table["n_seeds"])
    return (table["verdict"] == "differs").mean(), (table["difference"].abs() > plain).mean()


def main(argv: list[str]) -> None:
    """Run with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--points", type=float, default=3.0, help="a true difference, in points")
    arguments = parser.parse_args(argv)
    rows = []
    for kind in KINDS:
        agreements, differences = shares(kind)[0], shares(kind, arguments.points / 100)[0]
        rows.append((kind, f"{100 * agreements:.1f}", f"{100 * differences:.0f}"))
    seen = f"differences of {arguments.points:g} points seen (%)"
    table = pd.DataFrame(rows, columns=["kind of number", "agreements called a difference (%)", seen])
    print(table.to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    command_line.run(main)

"""Scores against those of one model: differences on the same texts, with 95 % intervals and verdicts in words.

Intervals are percentiles of a bootstrap over texts and seeds, both drawn with replacement, independently of each other
(Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007). All models get the same draws of texts, and
models with the same seeds the same draws of seeds, so differences are paired. A model without seeds is the same under
every draw. Draws of few seeds vary too little; what they differ by is scaled up by √(S / (S - 1)) for S seeds (Rao and
Wu, "Resampling inference with complex survey data", Journal of the American Statistical Association 83, 1988).
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.jobs.command_line import log
from selfembed.scores import measures, tables

LEVEL = 0.95
PLACE = ["corpus", "score", "label"]
SEEDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

# What a measure says of a model, of so many texts; then, what it says of the other.
SENTENCES = {
    measures.ACCURACY: ("{label} gives {value} of {texts} test texts the right label by {score}", "{label} {value}"),
    "recall@1": ("{label} finds the other crop of a text first for {value} of {texts} texts", "{label} for {value}"),
    "recall@10": (
        "{label} finds the other crop of a text among the first ten for {value} of {texts} texts",
        "{label} for {value}",
    ),
    "mrr": (
        "{label} finds the other crop of a text with a mean reciprocal rank of {value} over {texts} texts",
        "{label} with {value}",
    ),
    "alignment": (
        "{label} puts the two crops of a text at a mean squared distance of {value} (lower is better, at equal "
        "uniformity; {texts} texts)",
        "{label} at {value}",
    ),
    "uniformity": (
        "{label} spreads {texts} texts with a uniformity of {value} (lower is more even, so better)",
        "{label} with {value}",
    ),
}


def compare(
    scores: pd.DataFrame,
    outcomes: list[pd.Series],
    *,
    against: str,
    labels: list[str],
    numbers: dict[str, measures.Number],
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """One row for every corpus, score and label but the one compared against.

    Runs that diverged, to whose scores no text adds anything, are left out.

    Args:
        scores: score rows with labels, one for every corpus, score, label and seed.
        outcomes: for every row, what each text adds to it, by the text's id.
        labels: compared, in this order; all others if empty.
        numbers: what scores measure, by their name.

    Returns `corpus`, `score`, `measure`, `label`, `against`, `n_texts`, `n_seeds` and `against_seeds` (0 where there
    are none), the values of both and their difference, each with the ends of its interval, `verdict` (`better`,
    `worse`, `not distinguishable`) and the same as a `sentence`.

    Raises InputError if models were scored on different texts, if nothing can be compared, or if it is not said what a
    score measures.
    """
    scores = tables.one_number_per(PLACE, scores.reset_index(drop=True))
    diverged = pd.Series([by_text.empty for by_text in outcomes], dtype=bool)
    for label, seeds in scores[diverged].groupby("label", sort=False)["seed"]:
        log.warning("'%s': omitted because the runs diverged: seeds %s", label, ", ".join(map(str, seeds.unique())))
    scores = scores[~diverged]
    rows = []
    for (corpus, score), group in scores.groupby(["corpus", "score"], sort=False):
        runs = {label: found.sort_values("seed") for label, found in group.groupby("label", sort=False)}
        others = [label for label in labels or runs if label in runs and label != against]
        if against not in runs or not others:
            continue
        shown = [against, *others]
        by_row = [outcomes[position] for label in shown for position in runs[label].index]
        what = f"corpus '{corpus}', score '{score}'"
        drawn, n_texts = drawn_means([runs[label]["seed"] for label in shown], by_row, what, resamples, seed)
        models = dict(zip(shown, drawn, strict=True))
        measures.of(score, numbers)
        for label in others:
            found = row(score, numbers[score].measure, models[label], models[against], (label, against), n_texts)
            rows.append({"corpus": corpus} | found)
    if not rows:
        without = "; its runs, or those of all others, diverged" if diverged.any() else ""
        raise InputError(f"nothing to compare with {against!r}: no score of another label on the same corpus{without}")
    return pd.DataFrame(rows)


def drawn_means(
    seeds: list[pd.Series], outcomes: list[pd.Series], what: str, resamples: int, seed: int
) -> tuple[list[tuple[float, np.ndarray, int]], int]:
    """Means of several models on the same texts, and their draws, paired over texts and seeds.

    Args:
        seeds: of every model, ascending, one for each of its rows; missing of a model without seeds.
        outcomes: what each text adds, by its id: one for each row of the first model, then of the second, and so on.
        what: what they are outcomes of, for errors.

    Returns the value, draws of shape (resamples,) and number of seeds (0 without) of every model; the number of texts.

    Raises InputError if the outcomes are not of the same texts.
    """
    by_text = aligned(outcomes, what)
    drawn = text_draws(by_text, resamples, seed)
    observed = by_text.mean(axis=0)
    found, start = [], 0
    for of_model in seeds:
        part = slice(start, start + len(of_model))
        known = of_model.dropna().astype(int).tolist()
        found.append((observed[part].mean(), seed_draws(drawn[:, part], known, seed), len(known)))
        start = part.stop
    return found, len(by_text)


def aligned(outcomes: Iterable[pd.Series], what: str) -> np.ndarray:
    """Outcomes of the same texts side by side, float64, shape (texts, models).

    Raises InputError if they are not of the same texts.
    """
    first, *others = outcomes
    columns = [first.to_numpy(dtype=np.float64)]
    for other in others:
        if len(other) != len(first) or set(other.index) != set(first.index):
            raise InputError(f"{what}: models were scored on different texts; expected: the same texts for all models")
        columns.append(other.reindex(first.index).to_numpy(dtype=np.float64))
    return np.stack(columns, axis=1)


def text_draws(by_text: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Means over texts drawn with replacement, the same for all models, shape (resamples, models).

    The draws depend on the number of texts and the seed alone, so another model changes no interval.
    """
    n_texts = len(by_text)
    generator = np.random.default_rng(seed)
    found = np.empty((resamples, by_text.shape[1]))
    for number in range(resamples):
        times = np.bincount(generator.integers(n_texts, size=n_texts), minlength=n_texts)
        found[number] = times @ by_text
    return found / n_texts


def seed_draws(by_seed: np.ndarray, seeds: list[int], seed: int) -> np.ndarray:
    """Means over seeds drawn with replacement, shape (resamples,); the same draws for the same seeds.

    Args:
        by_seed: means over drawn texts, shape (resamples, seeds), or (resamples, 1) of a model without seeds.
    """
    resamples, number = by_seed.shape
    if number == 1:
        return by_seed[:, 0]
    chosen = np.random.default_rng([seed, *seeds]).integers(number, size=(resamples, number))
    center = by_seed.mean(axis=1)
    drawn = np.take_along_axis(by_seed, chosen, axis=1).mean(axis=1)
    return center + np.sqrt(number / (number - 1)) * (drawn - center)


def interval(draws: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of draws."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def row(score: str, measure: str, model: tuple, other: tuple, labels: tuple[str, str], n_texts: int) -> dict:
    """A model against another: (value, draws, number of seeds) of both."""
    (value, draws, n_seeds), (other_value, other_draws, n_other) = model, other
    low, high = interval(draws)
    other_low, other_high = interval(other_draws)
    difference_low, difference_high = interval(draws - other_draws)
    found = {
        "score": score,
        "measure": measure,
        "label": labels[0],
        "against": labels[1],
        "n_texts": n_texts,
        "n_seeds": n_seeds,
        "against_seeds": n_other,
        "value": value,
        "low": low,
        "high": high,
        "against_value": other_value,
        "against_low": other_low,
        "against_high": other_high,
        "difference": value - other_value,
        "difference_low": difference_low,
        "difference_high": difference_high,
    }
    return found | in_words(found)


def turned(found: dict) -> dict:
    """A row the other way round: what it compares with, compared with it."""
    swapped = found | {"label": found["against"], "against": found["label"], "difference": -found["difference"]}
    swapped |= {"difference_low": -found["difference_high"], "difference_high": -found["difference_low"]}
    pairs = [("n_seeds", "against_seeds"), *((name, f"against_{name}") for name in ("value", "low", "high"))]
    for mine, theirs in pairs:
        swapped |= {mine: found[theirs], theirs: found[mine]}
    return swapped | in_words(swapped)


def in_words(found: dict) -> dict[str, str]:
    """The verdict of a row, and its sentence."""
    measure = found["measure"]
    lower_is_better = measures.MEASURES[measure].lower_is_better
    said = {"verdict": verdict(found["difference_low"], found["difference_high"], lower_is_better)}
    return said | {"sentence": sentence(found | said, measure, max(found["n_seeds"], found["against_seeds"]))}


def verdict(low: float, high: float, lower_is_better: bool) -> str:
    """What an interval of a difference says."""
    if low <= 0 <= high:
        return "not distinguishable"
    return "better" if (low > 0) != lower_is_better else "worse"


def sentence(found: dict, measure: str, n_seeds: int) -> str:
    """A row as a plain sentence."""
    first, second = SENTENCES[measure]
    texts = f"{found['n_texts']:,}"
    mine = {"label": found["label"], "value": spelled(found["value"], measure, unit=True), "texts": texts}
    theirs = {"label": found["against"], "value": spelled(found["against_value"], measure, unit=True)}
    numbers = [found[name] for name in ("difference", "difference_low", "difference_high")]
    if found["verdict"] == "not distinguishable":
        said = "not distinguishable,"
        amount, low, high = (spelled(number, measure, signed=True) for number in numbers)
    else:
        said = f"{found['verdict']} by"
        sizes = [abs(number) for number in numbers]
        amount, low, high = (spelled(number, measure) for number in (sizes[0], *sorted(sizes[1:])))
    points = " points" if measures.MEASURES[measure].fraction else ""
    runs = f"; {seeds_in_words(n_seeds)}" if n_seeds else ""
    comparison = f"{first.format(score=found['score'], **mine)}, {second.format(**theirs)}"
    return f"{comparison}: {said} {amount}{points} (95% interval {low} to {high}{runs})."


def seeds_in_words(n_seeds: int) -> str:
    """A number of seeds in words."""
    number = SEEDS[n_seeds] if n_seeds < len(SEEDS) else str(n_seeds)
    return f"{number} seed" + ("" if n_seeds == 1 else "s")


def spelled(number: float, measure: str, signed: bool = False, unit: bool = False) -> str:
    """A number in per cent with one decimal, or as it is with three."""
    fraction = measures.MEASURES[measure].fraction
    sign = "+" if signed else ""
    text = f"{100 * number:{sign}.1f}" if fraction else f"{number:{sign}.3f}"
    return text.replace("-", "−") + ("%" if unit and fraction else "")


def for_print(table: pd.DataFrame) -> pd.DataFrame:
    """The table as cells for print, each number with its interval."""

    def cells(prefix: str, middle: str, signed: bool = False) -> list[str]:
        names = [middle, f"{prefix}low", f"{prefix}high"]
        spell = [
            [spelled(number, measure, signed) for number in numbers]
            for measure, *numbers in table[["measure", *names]].itertuples(index=False, name=None)
        ]
        return [f"{number} ({low} to {high})" for number, low, high in spell]

    columns = {"corpus": table["corpus"]} if table["corpus"].nunique() > 1 else {}
    columns |= {
        "score": table["score"],
        "model": table["label"],
        "value": cells("", "value"),
        table["against"].iloc[0]: cells("against_", "against_value"),
        "difference": cells("difference_", "difference", signed=True),
        "verdict": table["verdict"],
    }
    return pd.DataFrame(columns)

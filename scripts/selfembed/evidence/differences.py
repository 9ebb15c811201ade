"""Differences between the scores of models and of a reference model on the same texts, with 95 % intervals.

Intervals are percentiles of a bootstrap that draws texts and seeds independently with replacement (Owen, "The
pigeonhole bootstrap", Annals of Applied Statistics 1, 2007). All models get the same draws of texts, and models with
the same seeds the same draws of seeds, so differences are paired. A model without seeds has no variance over seeds. The
bootstrap underestimates the variance of few seeds, so deviations are multiplied by √(S / (S - 1)) for S seeds (Rao and
Wu, "Resampling inference with complex survey data", Journal of the American Statistical Association 83, 1988).
"""

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.jobs.command_line import log
from selfembed.scores import measures, tables

LEVEL = 0.95
PLACE = ["corpus", "score", "label"]
SEEDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

# Sentence templates of each measure: for the model, and for the reference model.
SENTENCES = {
    measures.ACCURACY: ("{label} gives {value} of {texts} test texts the right label by {score}", "{label} {value}"),
    measures.BALANCED: (
        "{label} gives {value} of the test texts of a class the right label on average ({score}, {texts} texts)",
        "{label} {value}",
    ),
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
    "title_recall@1": (
        "{label} finds the text that belongs to a title, or the title of a text, first for {value} of {texts} texts",
        "{label} for {value}",
    ),
    "title_recall@10": (
        "{label} finds the text that belongs to a title, or the title of a text, among the first ten for {value} of "
        "{texts} texts",
        "{label} for {value}",
    ),
    "title_mrr": (
        "{label} finds the text that belongs to a title, or the title of a text, with a mean reciprocal rank of "
        "{value} over {texts} texts",
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
    """Compare all labels with `against` on each corpus and score. Diverged runs, without outcomes, are omitted.

    Args:
        scores: score rows with labels, one for each corpus, score, label and seed.
        outcomes: outcomes of each row, by the text's id.
        labels: labels to compare, in this order; all others if empty.
        numbers: measures and headings by the name of the score.

    Returns one row per comparison: `corpus`, `score`, `measure`, `label`, `against`, `n_texts`, `n_seeds` and
    `against_seeds` (0 without seeds), both values and their difference with the bounds of their intervals, `verdict`
    (`better`, `worse`, `not distinguishable`) and `sentence`; and `largest_class`, if the scores have it.

    Raises InputError if models were scored on different texts, if there is nothing to compare, or if a measure is
    missing.
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
        (reference, *models), n_texts = drawn_means(
            [runs[label]["seed"] for label in shown], by_row, what, resamples, seed
        )
        measures.of(score, numbers)
        facts = {"corpus": corpus, "score": score, "measure": numbers[score].measure}
        also = {name: group[name].iloc[0] for name in (tables.LARGEST_CLASS,) if name in group}
        for label, model in zip(others, models, strict=True):
            rows.append(row(facts | {"label": label, "against": against, "n_texts": n_texts} | also, model, reference))
    if not rows:
        note = " (its runs, or those of all others, diverged)" if diverged.any() else ""
        raise InputError(f"nothing to compare with {against!r}{note}; expected: a score of another label on its corpus")
    return pd.DataFrame(rows)


def drawn_means(
    seeds: list[pd.Series], outcomes: list[pd.Series], what: str, resamples: int, seed: int
) -> tuple[list[tuple[float, np.ndarray, int]], int]:
    """Compute means of several models on the same texts, and bootstrap draws paired over texts and seeds.

    Args:
        seeds: seeds of each model, ascending, one per score row; missing for a model without seeds.
        outcomes: outcomes of all rows, by the text's id, in the order of `seeds`.
        what: corpus and score for error messages.

    Returns (value, draws of shape (resamples,), number of seeds or 0) of each model, and the number of texts.

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


def aligned(outcomes: list[pd.Series], what: str) -> np.ndarray:
    """Return outcomes as columns in the order of the first one's texts, float64, shape (texts, score rows).

    Raises InputError if they are not of the same texts.
    """
    texts = outcomes[0].index
    if any(len(other) != len(texts) or set(other.index) != set(texts) for other in outcomes):
        raise InputError(f"{what}: models were scored on different texts; expected: the same texts for all models")
    return np.stack([other.reindex(texts).to_numpy(dtype=np.float64) for other in outcomes], axis=1)


def text_draws(by_text: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Compute means over texts drawn with replacement, shape (resamples, score rows).

    The draws depend only on the number of texts and the seed, so adding a model does not change other intervals.
    """
    n_texts = len(by_text)
    generator = np.random.default_rng(seed)
    found = np.empty((resamples, by_text.shape[1]))
    for number in range(resamples):
        times = np.bincount(generator.integers(n_texts, size=n_texts), minlength=n_texts)
        found[number] = times @ by_text
    return found / n_texts


def seed_draws(by_seed: np.ndarray, seeds: list[int], seed: int) -> np.ndarray:
    """Compute means over seeds drawn with replacement, shape (resamples,); equal seeds get equal draws.

    Args:
        by_seed: means over drawn texts, shape (resamples, seeds), or (resamples, 1) without seeds.
    """
    resamples, number = by_seed.shape
    if number == 1:
        return by_seed[:, 0]
    chosen = np.random.default_rng([seed, *seeds]).integers(number, size=(resamples, number))
    center = by_seed.mean(axis=1)
    drawn = np.take_along_axis(by_seed, chosen, axis=1).mean(axis=1)
    return center + np.sqrt(number / (number - 1)) * (drawn - center)


def interval(draws: np.ndarray) -> tuple[float, float]:
    """Return the bounds of the central 95 % of draws."""
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def row(facts: dict, model: tuple, other: tuple) -> dict:
    """Return `facts` and the comparison of a model and its reference, each (value, draws, number of seeds)."""
    (value, draws, n_seeds), (other_value, other_draws, n_other) = model, other
    found = facts | {"n_seeds": n_seeds, "against_seeds": n_other}
    for prefix, name, estimate, drawn in (
        ("", "value", value, draws),
        ("against_", "against_value", other_value, other_draws),
        ("difference_", "difference", value - other_value, draws - other_draws),
    ):
        if prefix != "difference_" and facts["measure"] == measures.BALANCED:
            drawn = np.clip(drawn, 0, 1)  # a class may be missing in a draw, or be drawn too often
        low, high = interval(drawn)
        found |= {name: estimate, f"{prefix}low": low, f"{prefix}high": high}
    return found | describe_difference(found)


def describe_difference(found: dict) -> dict[str, str]:
    """Return the `verdict` and `sentence` of a row."""
    lower_is_better = measures.MEASURES[found["measure"]].lower_is_better
    judged = {"verdict": verdict(found["difference_low"], found["difference_high"], lower_is_better)}
    return judged | {"sentence": sentence(found | judged)}


def verdict(low: float, high: float, lower_is_better: bool) -> str:
    """Return the verdict for the interval of a difference."""
    if low <= 0 <= high:
        return "not distinguishable"
    return "better" if (low > 0) != lower_is_better else "worse"


def sentence(found: dict) -> str:
    """Describe a row in a sentence."""
    measure, n_seeds = found["measure"], max(found["n_seeds"], found["against_seeds"])
    first, second = SENTENCES[measure]
    value, against_value = (format_number(found[name], measure, unit=True) for name in ("value", "against_value"))
    model = first.format(score=found["score"], label=found["label"], value=value, texts=f"{found['n_texts']:,}")
    reference = second.format(label=found["against"], value=against_value)
    numbers = [found[name] for name in ("difference", "difference_low", "difference_high")]
    if found["verdict"] == "not distinguishable":
        result = "not distinguishable,"
        amount, low, high = (format_number(number, measure, signed=True) for number in numbers)
    else:
        result = f"{found['verdict']} by"
        amount, *bounds = map(abs, numbers)
        amount, low, high = (format_number(number, measure) for number in (amount, *sorted(bounds)))
    points = " points" if measures.MEASURES[measure].fraction else ""
    count = SEEDS[n_seeds] if n_seeds < len(SEEDS) else n_seeds
    seeds = f"; {count} seed{'s' if n_seeds > 1 else ''}" if n_seeds else ""
    compared = f"{model}, {reference}: {result} {amount}{points} (95% interval {low} to {high}{seeds})."
    largest = found.get(tables.LARGEST_CLASS)
    if largest is None or np.isnan(largest):
        return compared
    return f"{compared} Always predicting the largest class: {format_number(largest, measure, unit=True)}."


def format_number(number: float, measure: str, signed: bool = False, unit: bool = False) -> str:
    """Format a number: a fraction in per cent with one decimal, others with three decimals."""
    fraction = measures.MEASURES[measure].fraction
    sign = "+" if signed else ""
    text = f"{100 * number:{sign}.1f}" if fraction else f"{number:{sign}.3f}"
    return text.replace("-", "−") + ("%" if unit and fraction else "")


def for_print(table: pd.DataFrame) -> pd.DataFrame:
    """Format the table for print; each number is followed by its interval."""

    def cells(number: str, prefix: str, signed: bool = False) -> list[str]:
        found = table[["measure", number, f"{prefix}low", f"{prefix}high"]].itertuples(index=False, name=None)
        return [
            "{} ({} to {})".format(*(format_number(number, measure, signed) for number in numbers))
            for measure, *numbers in found
        ]

    columns = {"corpus": table["corpus"]} if table["corpus"].nunique() > 1 else {}
    columns |= {
        "score": table["score"],
        "model": table["label"],
        "value": cells("value", ""),
        table["against"].iloc[0]: cells("against_value", "against_"),
        "difference": cells("difference", "difference_", signed=True),
        "verdict": table["verdict"],
    }
    if tables.LARGEST_CLASS in table:
        shown = table[["measure", tables.LARGEST_CLASS]].itertuples(index=False, name=None)
        columns["always the largest class"] = [
            "" if np.isnan(share) else format_number(share, measure) for measure, share in shown
        ]
    return pd.DataFrame(columns)

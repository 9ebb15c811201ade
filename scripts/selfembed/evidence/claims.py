"""Judge claims by scores: the estimate of each comparison, its interval, and a verdict.

On corpora, intervals are percentiles of the bootstrap over texts and seeds of `differences`. MTEB provides no outcomes,
so on tasks means over seeds are drawn from Student's t distribution around the observed mean, independently for each
model; a model without seeds has no variance.

A claim holds if the 95 % intervals of all estimates are on the expected side of their limits. It does not hold if an
interval is on the other side; for k estimates, this interval has the level 1 - 0.05 / k (Bonferroni). Otherwise the
verdict is open.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.evidence import blocks, differences
from selfembed.scores import tables
from selfembed.scores.tables import key_text

HOLDS, FAILS, OPEN, NOT_RUN = "holds", "does not hold", "cannot be told", "not run"
VERDICTS = (HOLDS, FAILS, OPEN, NOT_RUN)

Outcomes = Callable[[pd.DataFrame], list[pd.Series]]


@dataclass(frozen=True)
class Estimate:
    """Estimate of a comparison.

    Attributes:
        value: estimate from the observed scores.
        draws: estimates from resampled scores, shape (resamples,); None if their distribution is unknown.
        n_texts: number of test texts, 0 on tasks.
        n_seeds: smallest number of seeds of a model with seeds; 0 if there is none.
    """

    value: float
    draws: np.ndarray | None
    n_texts: int
    n_seeds: int


def judge(
    claims: list[dict[str, Any]],
    scores: pd.DataFrame | None,
    outcomes: Outcomes,
    published: pd.DataFrame | None,
    *,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return one row for each estimate of each claim.

    Args:
        claims: claims as returned by `selfembed.study.claimed.described`.
        scores: score rows with the columns `experiment` and `label`, or None. Rows without a value are ignored.
        outcomes: maps score rows on corpora to their outcomes, by the text's id.

    Returns `claim`, `sentence`, `paper`, `verdict` (of the claim), descriptions of the comparison (`comparison`) and of
    its corpora or tasks (`on`), `unit` (`points`, `share`, `points per layer`), `estimate`, `low`, `high`, `limit`
    (`at_least` or `at_most`), `limit_value`, `result` (verdict of the estimate), `needed` (data that could decide an
    open result), `n_texts`, `n_seeds`, `published` (the estimate from published numbers), `published_on`, and
    `published_result` (`as claimed`, `not as claimed`, or empty).

    Raises InputError if needed scores are missing, or were computed on different texts.
    """
    scores = None if scores is None else with_steps_as_text(scores[scores["value"].notna()])
    published = None if published is None else with_steps_as_text(published.assign(x=published["x"].map(key_text)))
    rows = []
    for claim in claims:
        found = []
        for comparison in claim["evidence"]:
            found += judged(comparison, scores, outcomes, published, resamples, seed)
        about = {"claim": claim["name"], "sentence": claim["sentence"], "paper": claim["paper"]}
        for row in found:
            row |= verdict(row.pop("found"), row, len(found))
        overall = {"verdict": overall_verdict([row["result"] for row in found])}
        rows += [about | overall | row for row in found]
    return pd.DataFrame(rows)


def with_steps_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with steps as comparable text."""
    return table.assign(step=table["step"].map(key_text))


def overall_verdict(results: list[str]) -> str:
    """Return the verdict of the worst estimate of a claim."""
    return next(kind for kind in (FAILS, NOT_RUN, OPEN, HOLDS) if kind in results)


def judged(comparison: dict, scores, outcomes: Outcomes, published, resamples: int, seed: int) -> list[dict]:
    """Return rows of a comparison, for each corpus, their average, or tasks; `found` holds the Estimate."""
    counted = {name: block for name, block in comparison["tasks"].items() if block not in blocks.WITHOUT_MEAN}
    comparison = comparison | {"tasks": counted}
    columns = chosen_points(comparison)
    places = [[name] for name in comparison["corpora"]] or [list(comparison["tasks"])]
    names = [", ".join(place) if comparison["corpora"] else tasks_in_words(comparison["tasks"]) for place in places]
    theirs = [published_estimate(comparison, columns, place, published) for place in places]
    estimates = [
        None if scores is None else estimate(comparison, columns, place, scores, outcomes, resamples, seed)
        for place in places
    ]
    if comparison["averaged"] and len(places) > 1:
        estimates = [None if scores is None else averaged(estimates)]
        values = [value for value, _ in theirs if not np.isnan(value)]
        theirs = [(np.mean(values), f"mean of {len(values)}") if values else (np.nan, "")]
        names = [f"mean of {len(places)}: {', '.join(names)}"]
    return [
        {
            "comparison": describe_comparison(comparison),
            "on": name,
            "unit": STATISTICS[comparison["compare"]][1],
            "estimate": found.value if found else np.nan,
            "found": found,
            "limit": comparison["limit"]["kind"],
            "limit_value": comparison["limit"]["value"],
            "n_texts": found.n_texts if found else 0,
            "n_seeds": found.n_seeds if found else 0,
            "published": value,
            "published_on": their_place,
            "published_result": side(value, comparison["limit"]),
        }
        for name, found, (value, their_place) in zip(names, estimates, theirs, strict=True)
    ]


def side(value: float, limit: dict[str, Any]) -> str:
    """Compare a published estimate with its limit; empty if it is missing."""
    if np.isnan(value):
        return ""
    above = value > limit["value"]
    return "as claimed" if above == (limit["kind"] == "at_least") else "not as claimed"


def chosen_points(comparison: dict) -> list[dict]:
    """Return one point per score of the comparison; a trend uses all layers of its model."""
    points = comparison["points"]
    if comparison["compare"] == "trend":
        return [points[0] | {"layer": layer} for layer in points[0]["layers"]]
    return [point | {"layer": point["layers"][-1]} for point in points]


def difference(values: np.ndarray, columns: list[dict]) -> np.ndarray:
    """Return the first score minus the second."""
    return values[..., 0] - values[..., 1]


def share(values: np.ndarray, columns: list[dict]) -> np.ndarray:
    """Return (reached - start) / (end - start) of the scores start, reached and end; NaN without gain."""
    gain = values[..., 2] - values[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gain == 0, np.nan, (values[..., 1] - values[..., 0]) / gain)


def trend(values: np.ndarray, columns: list[dict]) -> np.ndarray:
    """Return the least-squares slope over layers."""
    layers = np.array([point["layer"] for point in columns], dtype=float)
    centred = layers - layers.mean()
    return values @ centred / (centred @ centred)


# Statistics of scores, shape (..., points) → (...), and their units.
STATISTICS = {"difference": (difference, "points"), "share": (share, "share"), "trend": (trend, "points per layer")}


def statistic(comparison: dict, columns: list[dict], values: np.ndarray) -> np.ndarray:
    """Compute the statistic of a comparison, shape (..., points) → (...)."""
    return STATISTICS[comparison["compare"]][0](values, columns)


def estimate(
    comparison, columns: list[dict], place: list[str], scores, outcomes, resamples: int, seed: int
) -> Estimate:
    """Compute the estimate of a comparison from our scores on one corpus or on tasks."""
    rows = [rows_of(point, comparison, place, scores) for point in columns]
    if comparison["corpora"]:
        values, draws, n_texts = on_corpus(rows, place[0], outcomes, resamples, seed)
    else:
        values, draws, n_texts = *on_tasks(rows, comparison["tasks"], resamples, seed), 0
    drawn = None if draws is None else statistic(comparison, columns, draws)
    if comparison["compare"] == "share" and draws is not None:
        low, high = differences.interval(draws[:, 2] - draws[:, 0])
        drawn = None if low <= 0 <= high else drawn  # a share is undefined if the gain may be zero
    counts = [found["seed"].nunique() for found in rows]
    value = float(statistic(comparison, columns, values))
    return Estimate(value, drawn, n_texts, min(filter(None, counts), default=0))


def rows_of(point: dict, comparison: dict, place: list[str], scores: pd.DataFrame) -> pd.DataFrame:
    """Select the score rows of a point on a corpus or on tasks, one per seed (and task).

    Raises InputError if there are none.
    """
    found = at_point(scores[scores["label"] == point["label"]], point, comparison, place)
    if found.empty:
        what = f"'{comparison['score']}' of '{point['label']}', step {point['step']}, layer {point['layer']}"
        raise InputError(
            f"no score {what}, on {', '.join(place)} in the score files, or all its runs diverged; "
            f"expected: scores of experiment '{comparison['experiment']}'"
        )
    return tables.one_number_per(["corpus"], found)


def at_point(table: pd.DataFrame, point: dict, comparison: dict, place: list[str]) -> pd.DataFrame:
    """Select the rows of a point's step and layer on a corpus or on tasks."""
    return table[
        (table["experiment"] == comparison["experiment"])
        & (table["score"] == comparison["score"])
        & (table["step"] == key_text(point["step"]))
        & (table["layer"] == point["layer"])
        & table["pooling"].isin([comparison["pooling"], "none"])
        & table["corpus"].isin(place)
    ]


def on_corpus(rows: list[pd.DataFrame], corpus: str, outcomes: Outcomes, resamples: int, seed: int):
    """Return scores, shape (points,), paired draws, shape (resamples, points), and the number of texts of a corpus."""
    ordered = [found.sort_values("seed") for found in rows]
    seeds, by_row = [found["seed"] for found in ordered], outcomes(pd.concat(ordered))
    drawn, n_texts = differences.drawn_means(seeds, by_row, f"corpus '{corpus}'", resamples, seed)
    values, draws, _ = zip(*drawn, strict=True)
    return np.array(values), np.stack(draws, axis=1), n_texts


def on_tasks(rows: list[pd.DataFrame], tasks: dict[str, str], resamples: int, seed: int):
    """Return means over blocks, shape (points,), and draws, shape (resamples, points).

    Draws are None if a model with seeds has scores of only one seed.
    """
    values, draws = [], []
    for position, found in enumerate(rows):
        by_seed = np.array([mean_of_blocks(run, tasks) for _, run in found.groupby("seed", dropna=False)])
        values.append(by_seed.mean())
        draws.append(
            mean_draws(by_seed, found["seed"].notna().any(), resamples, np.random.default_rng([seed, position]))
        )
    unknown = any(drawn is None for drawn in draws)
    return np.array(values), None if unknown else np.stack(draws, axis=1)


def mean_draws(by_seed: np.ndarray, seeded: bool, resamples: int, generator: np.random.Generator) -> np.ndarray | None:
    """Draw means over seeds from Student's t distribution; constant without seeds, None for one seed."""
    n_seeds = len(by_seed)
    if n_seeds == 1:
        return None if seeded else np.full(resamples, by_seed.mean())
    return by_seed.mean() + by_seed.std(ddof=1) / np.sqrt(n_seeds) * generator.standard_t(n_seeds - 1, resamples)


def mean_of_blocks(scores: pd.DataFrame, tasks: dict[str, str]) -> float:
    """Return the unweighted mean over blocks of the means over their tasks."""
    return scores.groupby(scores["corpus"].map(tasks))["value"].mean().mean()


def averaged(estimates: list[Estimate]) -> Estimate:
    """Average estimates on several corpora, whose draws are independent."""
    draws = [found.draws for found in estimates]
    return Estimate(
        float(np.mean([found.value for found in estimates])),
        None if any(drawn is None for drawn in draws) else np.mean(draws, axis=0),
        sum(found.n_texts for found in estimates),
        min(filter(None, (found.n_seeds for found in estimates)), default=0),
    )


def verdict(found: Estimate | None, row: dict[str, Any], k: int) -> dict[str, Any]:
    """Return the interval and verdict of one of k estimates: `low`, `high`, `result`, `needed`."""
    judgement = {"low": np.nan, "high": np.nan, "needed": ""}
    if found is None:
        return judgement | {"result": NOT_RUN}
    if found.draws is None:
        zero_gain = row["unit"] == "share" and row["n_texts"]
        needed = "a gain whose interval does not hold zero" if zero_gain else "three seeds or more"
        return judgement | {"result": OPEN, "needed": needed}
    low, high = differences.interval(found.draws)
    judgement |= {"low": low, "high": high}
    margin = (1 if row["limit"] == "at_least" else -1) * (found.draws - row["limit_value"])
    if differences.interval(margin)[0] > 0:
        return judgement | {"result": HOLDS}
    if np.quantile(margin, 1 - (1 - differences.LEVEL) / (2 * k)) < 0:
        return judgement | {"result": FAILS}
    return judgement | {"result": OPEN, "needed": data_needed(row["estimate"], row["limit_value"], low, high)}


def data_needed(value: float, limit: float, low: float, high: float) -> str:
    """Describe how much more data would exclude the limit from the interval if the estimate stays the same."""
    times = ((high - low) / 2 / abs(value - limit)) ** 2 if value != limit else np.inf
    if times > 100:
        return "the estimate is at the limit; no practical number of texts and seeds would tell"
    return f"about {max(times, 1.1):.2g} times as many test texts and seeds, if the estimate stays"


def published_estimate(comparison, columns: list[dict], place: list[str], published) -> tuple[float, str]:
    """Return the estimate from published numbers, and its corpus or blocks; NaN if numbers are missing.

    On tasks, only blocks with published numbers of all tasks and points are used; for a trend, only published layers.
    """
    if published is None:
        return np.nan, ""
    found = [published_rows(point, comparison, place, published) for point in columns]
    if comparison["compare"] == "trend":
        columns = [point for point, values in zip(columns, found, strict=True) if values]
        found = [values for values in found if values]
        if len(found) < 3:
            return np.nan, ""
    if comparison["corpora"]:
        if not all(found):
            return np.nan, ""
        return float(statistic(comparison, columns, np.array([values[place[0]] for values in found]))), place[0]
    tasks = comparison["tasks"]
    missing = {tasks[name] for name in place for values in found if name not in values}
    common = {name: block for name, block in tasks.items() if block not in missing}
    if not common:
        return np.nan, ""
    means = [
        mean_of_blocks(pd.DataFrame({"corpus": list(common), "value": [values[name] for name in common]}), common)
        for values in found
    ]
    return float(statistic(comparison, columns, np.array(means))), tasks_in_words(common)


def published_rows(point: dict, comparison: dict, place: list[str], published: pd.DataFrame) -> dict[str, float]:
    """Return the published values of a point by corpus or task."""
    called = (published["series"] == point["series"]) & (published["x"] == key_text(point["x"]))
    found = at_point(published[called], point, comparison, place)
    return dict(zip(found["corpus"], found["value"], strict=True))


def tasks_in_words(tasks: dict[str, str]) -> str:
    """Describe a mean over blocks: `mean of 5 blocks of tasks`."""
    n_blocks = len(set(tasks.values()))
    return f"mean of {n_blocks} {'blocks' if n_blocks > 1 else 'block'} of tasks"


def describe_comparison(comparison: dict) -> str:
    """Describe a comparison; steps are included if labels are not unique."""
    points = comparison["points"]
    labels = [point["label"] for point in points]
    layers = [other_layer(point) for point in points]
    steps = [f"step {point['step']}{layer}" for point, layer in zip(points, layers, strict=True)]
    if len(set(labels)) == len(labels):
        names = list(map("".join, zip(labels, layers, strict=True)))
    else:
        names = list(map("{} at {}".format, labels, steps))
    match comparison["compare"]:
        case "trend":
            return f"slope over the layers of {labels[0]}"
        case "difference":
            return f"{names[0]} minus {names[1]}"
        case "share" if len(set(labels)) == 1:
            return f"{labels[0]}: share of the gain from {steps[0]} to {steps[2]} that is reached at {steps[1]}"
        case "share":
            return f"{names[1]}: share of the gain from {names[0]} to {names[2]}"
    raise InputError(
        f"comparison {comparison['compare']!r} has no description; expected: one in claims.describe_comparison"
    )


def other_layer(point: dict[str, Any]) -> str:
    """Describe the layer of a point if it is not the last."""
    return "" if point["layers"][-1] == point["last_layer"] else f", layer {point['layers'][-1]}"

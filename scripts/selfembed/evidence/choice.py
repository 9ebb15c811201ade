"""The choice between an encoder before fine-tuning and models fine-tuned from it, for a purpose.

Test texts are divided at random. The candidate with the largest gain on one third of them is chosen, and judged on the
others, so that its gain is not overestimated because it was chosen. It replaces the encoder if it is better for a
purpose by a randomisation test of paired differences (R. A. Fisher, "The Design of Experiments", 1935, section 21) and
worse for none. The level of the test is divided by two, because a model may be better for either of two purposes
(Bonferroni): if all candidates are as good as the encoder, one replaces it with a probability of at most 5 %.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.evidence import differences
from selfembed.jobs.records import read_json

PART = 1 / 3  # of the test texts, to choose on
LEVEL = 0.05 / 2
RESAMPLES = 20_000  # of the bootstrap and of the randomisation test
TOLERATED = 0.01  # observed loss for another purpose that is not confidently a loss


@dataclass(frozen=True)
class Judgement:
    """How a candidate compares with the encoder before fine-tuning, on texts that it was not chosen on.

    Attributes:
        n_texts: number of these texts; n_chosen_on: number of the others.
        value, before: mean outcomes of the candidate and of the encoder.
        low, high: bounds of the 95 % confidence interval of the gain.
        verdict: `better`, `worse` or `not distinguishable`.
    """

    n_texts: int
    n_chosen_on: int
    value: float
    before: float
    low: float
    high: float
    verdict: str

    @property
    def gain(self) -> float:
        """Difference of the mean outcomes."""
        return self.value - self.before


@dataclass(frozen=True)
class Choice:
    """The result of a choice.

    Attributes:
        purpose: `search`, `grouping` or `both`.
        keep: label of the encoder before fine-tuning.
        label: label of the model to use: a candidate, or `keep`.
        best: the candidate with the largest gain on the texts to choose on; None if no candidate had a gain.
        judged: judgements of `best` by purpose.
    """

    purpose: str
    keep: str
    label: str
    best: str | None
    judged: dict[str, Judgement]

    @property
    def is_kept(self) -> bool:
        """Whether the encoder before fine-tuning is to be used."""
        return self.label == self.keep


def choose(outcomes: dict[str, pd.DataFrame], keep: str, candidates: list[str], purpose: str, seed: int) -> Choice:
    """Choose the model for a purpose.

    Args:
        outcomes: by purpose (`search`, `grouping`), the outcome of every text for every label, without missing values;
            shape (texts, labels).
        keep: label of the encoder before fine-tuning.
        candidates: labels of the models that may replace it.
        purpose: `search`, `grouping` or `both`; if there are no outcomes for it, the encoder is kept.
        seed: of the division of the texts and of the test.
    """
    wanted = [name for name in outcomes if purpose in (name, "both")]
    parts = {name: divide(found, keep, candidates, seed) for name, found in outcomes.items()}
    best = best_candidate([parts[name][0] for name in wanted], keep, candidates) if wanted else None
    if best is None:
        return Choice(purpose, keep, keep, None, {})
    judged = {name: judge(*parts[name], best, keep, seed) for name in outcomes}
    gains = [judged[name] for name in wanted]
    is_better = any(found.verdict == "better" for found in gains)
    is_harmless = all(found.verdict != "worse" and found.gain >= -TOLERATED for found in gains)
    return Choice(purpose, keep, best if is_better and is_harmless else keep, best, judged)


def divide(outcomes: pd.DataFrame, keep: str, candidates: list[str], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the outcomes of the texts to choose on, and of those to judge by.

    Raises InputError if a label is missing or has no outcome for a text.
    """
    found = outcomes.reindex(columns=[keep, *candidates])
    if found.isna().to_numpy().any():
        label = found.columns[found.isna().any()][0]
        raise InputError(f"'{label}' has no score of some texts; expected: all candidates scored on the same texts")
    order = np.random.default_rng(seed).permutation(len(found))
    number = round(PART * len(found))
    return found.iloc[order[:number]], found.iloc[order[number:]]


def best_candidate(parts: Iterable[pd.DataFrame], keep: str, candidates: list[str]) -> str | None:
    """Return the candidate with the largest sum of gains for all purposes; None if no sum is positive."""
    gains = sum(part[candidates].mean() - part[keep].mean() for part in parts)
    return str(gains.idxmax()) if gains.max() > 0 else None


def judge(chosen_on: pd.DataFrame, others: pd.DataFrame, label: str, keep: str, seed: int) -> Judgement:
    """Compare a candidate with the encoder before fine-tuning on the texts that it was not chosen on."""
    gains = others[label].to_numpy() - others[keep].to_numpy()
    low, high = differences.interval(bootstrap_means(gains, seed))
    verdict = "not distinguishable"
    if low > 0 and p_value(gains, seed) <= LEVEL:
        verdict = "better"
    elif high < 0 and p_value(-gains, seed) <= LEVEL:
        verdict = "worse"
    return Judgement(
        n_texts=len(others),
        n_chosen_on=len(chosen_on),
        value=float(others[label].mean()),
        before=float(others[keep].mean()),
        low=low,
        high=high,
        verdict=verdict,
    )


def bootstrap_means(gains: np.ndarray, seed: int) -> np.ndarray:
    """Return means over texts drawn with replacement, shape (RESAMPLES,); few gains differ, so they are counted."""
    values, numbers = np.unique(gains, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(gains), numbers / len(gains), size=RESAMPLES)
    return drawn @ values / len(gains)


def p_value(gains: np.ndarray, seed: int) -> float:
    """Return how often a mean is at least that of the gains, shape (texts,), if their signs are random."""
    values, numbers = np.unique(np.abs(gains[gains != 0]), return_counts=True)
    positive = np.random.default_rng(seed).binomial(numbers, 0.5, size=(RESAMPLES, len(values)))
    reached = (2 * positive - numbers) @ values >= gains.sum() - 1e-9
    return float((1 + reached.sum()) / (1 + RESAMPLES))


def read(path: Path) -> Choice:
    """Read a choice from a JSON file with its fields.

    Raises InputError if the file is damaged.
    """
    names = [field.name for field in fields(Choice)]
    found = read_json(path, *names)
    judged = {purpose: Judgement(**judgement) for purpose, judgement in found["judged"].items()}
    return Choice(**{name: found[name] for name in names} | {"judged": judged})

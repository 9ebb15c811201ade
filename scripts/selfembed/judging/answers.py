"""What answers say about two models: how often the neighbour of the adapted model was closer.

The interval is exact (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934). If neither model is better, each of the
verdicts `better` and `worse` has a probability of at most 2.5 %.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from selfembed.errors import InputError
from selfembed.jobs.records import read_json
from selfembed.judging import sheets

CONFIDENCE = 0.95
KEYS = ("before", "after", "folders", "texts", "near", "disagreeing", "differing", "side_of_after", "checksums")


@dataclass(frozen=True)
class Verdict:
    """A comparison of the adapted model with the encoder as it came.

    Attributes:
        n_closer: answers by which the neighbour of the adapted model is closer; n_answers: all answers.
        low, high: bounds of the 95 % confidence interval of their ratio.
    """

    n_closer: int
    n_answers: int
    low: float
    high: float

    @property
    def words(self) -> str:
        """`better`, `worse` or `not distinguishable`."""
        if self.low > 1 / 2:
            return "better"
        return "worse" if self.high < 1 / 2 else "not distinguishable"


def judge(questions: Path) -> list[str]:
    """Return sentences on the answers in a table of questions.

    Raises InputError if the table or its key is invalid, if they do not belong together, or if there are no answers.
    """
    rows = sheets.read(questions)
    key = read_key(sheets.key_path(questions))
    answers = []
    for number, (answer, checksum) in rows.items():
        if not 1 <= number <= len(key["checksums"]) or key["checksums"][number - 1] != checksum:
            raise InputError(
                f"{questions}: question {number} is not that of {sheets.key_path(questions)}; expected: the texts as "
                "`selfembed ask` wrote them, and the key that it wrote with them"
            )
        if answer:
            answers.append(answer == key["side_of_after"][number - 1])
    if not answers:
        raise InputError(f"{questions}: no answers; expected: a or b in the column 'closer'")
    return list(told(verdict(sum(answers), len(answers)), key))


def read_key(path: Path) -> dict[str, Any]:
    """Read the key of a table of questions.

    Raises InputError if it is missing or invalid.
    """
    try:
        return read_json(path, *KEYS)
    except InputError as error:
        problem = "damaged" if path.is_file() else "missing"
        raise InputError(
            f"{path}: {problem}; expected: the key that `selfembed ask` wrote, beside the questions"
        ) from error


def verdict(n_closer: int, n_answers: int) -> Verdict:
    """Return the verdict on a number of answers, at least 1."""
    interval = binomtest(n_closer, n_answers).proportion_ci(CONFIDENCE, method="exact")
    return Verdict(n_closer, n_answers, float(interval.low), float(interval.high))


def told(found: Verdict, key: dict[str, Any]) -> Iterator[str]:
    """Yield the verdict and its numbers in sentences."""
    before, after, asked = key["before"], key["after"], len(key["checksums"])
    yield {
        "better": f"For grouping, {after} is better than {before}.",
        "worse": f"For grouping, {after} is worse than {before}.",
        "not distinguishable": f"For grouping, no difference between {after} and {before} can be told.",
    }[found.words]
    yield (
        f"The neighbour that {after} found was judged closer in {found.n_closer} of {found.n_answers} answers: "
        f"{found.n_closer / found.n_answers:.1%} (95 % confidence interval {found.low:.1%} to {found.high:.1%}). "
        f"{asked - found.n_answers} of {asked} questions were skipped."
    )
    yield (
        f"This is only of texts where the models disagree: the {key['near']} nearest texts differ for "
        f"{key['disagreeing']:,} of {key['texts']:,} texts ({key['disagreeing'] / key['texts']:.1%}), by "
        f"{key['differing']:.1f} of {key['near']} texts on average."
    )
    yield (
        "The verdict is better or worse if the interval does not contain 50 %. If neither model is better, each of the "
        "two has a probability of at most 2.5 %."
    )
    yield f"Models: {before} in {key['folders']['before']}, {after} in {key['folders']['after']}"

"""What scores measure: names that settings, tables and figures share, and which way is better.

What a score in a table measures, and what it is called, is an argument of every script that shows it: nothing is read
from the column `settings` of score rows, which is for people.
"""

import argparse
from collections.abc import Iterable
from typing import NamedTuple

from selfembed.errors import InputError

ACCURACY = "accuracy"


class Measure(NamedTuple):
    """A number that a score gives.

    Attributes:
        heading: its name in tables of several scores.
        about: what it judges embeddings by: `labels`, `crops` (where two crops of a text lie), `found crops` (how well
            one is found from the other), or `tasks`.
        is_main: whether it is among those that say most; the others are for a closer look.
        lower_is_better: whether a smaller number is a better one.
        fraction: whether it is a part of 1, which is shown in per cent.
    """

    heading: str
    about: str
    is_main: bool = False
    lower_is_better: bool = False
    fraction: bool = True


MEASURES = {
    ACCURACY: Measure("Accuracy", "labels", is_main=True),
    "recall@1": Measure("Recall@1 of crops", "found crops", is_main=True),
    "recall@10": Measure("Recall@10 of crops", "found crops"),
    "mrr": Measure("Mean reciprocal rank of crops", "found crops"),
    "alignment": Measure("Alignment of crops", "crops", lower_is_better=True, fraction=False),
    "uniformity": Measure("Uniformity of crops", "crops", lower_is_better=True, fraction=False),
    "mteb": Measure("MTEB score", "tasks"),
}

OF_CROP_PAIRS = ("recall@1", "recall@10", "mrr", "alignment", "uniformity")


class Number(NamedTuple):
    """What a score in a table measures (a name in MEASURES), what axes call it, and what it is, for captions."""

    measure: str
    heading: str
    explained: str = ""


def score_name(score: str, measure: str) -> str:
    """What a table calls a measure of a score: `crop_pairs_recall@1`; accuracy is called like its score."""
    return score if measure == ACCURACY else f"{score}_{measure}"


def add_argument(parser: argparse.ArgumentParser) -> None:
    """The argument that says what scores measure: `measures`, for `read`."""
    parser.add_argument(
        "--measure",
        dest="measures",
        nargs=3,
        action="append",
        default=[],
        metavar=("SCORE", "MEASURE", "HEADING"),
        help=f"a score in the table, what it measures ({', '.join(MEASURES)}), and its name for people; repeatable",
    )


def read(words: list[list[str]]) -> dict[str, Number]:
    """What scores in tables measure and are called, by their name.

    Raises InputError if a measure is unknown.
    """
    for score, measure, _ in words:
        if measure not in MEASURES:
            raise InputError(f"--measure {score}: {measure!r} is unknown; expected: {', '.join(MEASURES)}")
    return {score: Number(measure, heading) for score, measure, heading in words}


def of(score: str, numbers: dict[str, Number]) -> Measure:
    """What a score in a table measures.

    Raises InputError if that is not said.
    """
    if score not in numbers:
        raise InputError(f"score {score!r}: what it measures is missing; expected: --measure {score} MEASURE HEADING")
    return MEASURES[numbers[score].measure]


def heading(scores: Iterable[str], numbers: dict[str, Number]) -> str:
    """What the values of some scores are called: `kNN accuracy` if all are; `Score` if they differ or none is known."""
    found = {numbers[score].heading if score in numbers else "Score" for score in scores}
    return found.pop() if len(found) == 1 else "Score"

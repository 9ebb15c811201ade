"""Measures of scores: names, headings and direction, shared by settings, tables and figures.

Scripts that show scores get the measure and heading of each score from `--measure`; the column `settings` of score rows
is not parsed.
"""

from collections.abc import Iterable
from typing import NamedTuple

from selfembed.errors import InputError
from selfembed.jobs.command_line import Parser

ACCURACY = "accuracy"
BALANCED = "balanced_accuracy"


class Measure(NamedTuple):
    """A measure of the quality of embeddings.

    Attributes:
        heading: name in tables of several scores.
        about: data it is based on: `labels`, `crops` (distances of crops), `found crops` (retrieval of the other crop),
            `found texts` (retrieval of texts by titles, and of titles by texts) or `tasks`.
        is_main: whether reports show it first.
        fraction: whether values are fractions of 1, shown in per cent.
    """

    heading: str
    about: str
    is_main: bool = False
    lower_is_better: bool = False
    fraction: bool = True


MEASURES = {
    ACCURACY: Measure("Accuracy", "labels", is_main=True),
    BALANCED: Measure("Balanced accuracy", "labels"),
    "recall@1": Measure("Recall@1 of crops", "found crops", is_main=True),
    "recall@10": Measure("Recall@10 of crops", "found crops"),
    "mrr": Measure("Mean reciprocal rank of crops", "found crops"),
    "alignment": Measure("Alignment of crops", "crops", lower_is_better=True, fraction=False),
    "uniformity": Measure("Uniformity of crops", "crops", lower_is_better=True, fraction=False),
    "title_recall@1": Measure("Recall@1 of titles", "found texts", is_main=True),
    "title_recall@10": Measure("Recall@10 of titles", "found texts"),
    "title_mrr": Measure("Mean reciprocal rank of titles", "found texts"),
    "mteb": Measure("MTEB score", "tasks"),
}

OF_CROP_PAIRS = ("recall@1", "recall@10", "mrr", "alignment", "uniformity")
OF_TITLE_PAIRS = ("title_recall@1", "title_recall@10", "title_mrr")


class Number(NamedTuple):
    """Measure of a score (a key of MEASURES), its heading on axes, and an explanation for captions."""

    measure: str
    heading: str
    explained: str = ""


def score_name(score: str, measure: str) -> str:
    """Name of a score's measure in tables, such as `crop_pairs_recall@1`; accuracy has the name of the score."""
    return score if measure == ACCURACY else f"{score}_{measure}"


def add_argument(parser: Parser) -> None:
    """Add `--measure`; the parsed argument `measures` is what `read` returns."""
    parser.add_argument(
        "--measure",
        dest="measures",
        nargs=3,
        action="append",
        default=[],
        metavar=("SCORE", "MEASURE", "HEADING"),
        help=f"a score in the table, its measure ({', '.join(MEASURES)}) and its heading; repeatable",
    )
    parser.checks.append(lambda arguments: setattr(arguments, "measures", read(arguments.measures)))


def read(words: list[list[str]]) -> dict[str, Number]:
    """Return measures and headings by the name of the score.

    Raises InputError if a measure is unknown.
    """
    for score, measure, _ in words:
        if measure not in MEASURES:
            raise InputError(f"--measure {score}: {measure!r} is unknown; expected: {', '.join(MEASURES)}")
    return {score: Number(measure, heading) for score, measure, heading in words}


def of(score: str, numbers: dict[str, Number]) -> Measure:
    """Return the measure of a score.

    Raises InputError if `--measure` is missing for the score.
    """
    if score not in numbers:
        raise InputError(f"score {score!r}: no measure given; expected: --measure {score} MEASURE HEADING")
    return MEASURES[numbers[score].measure]


def heading(scores: Iterable[str], numbers: dict[str, Number]) -> str:
    """Heading that all scores share, such as `kNN accuracy`; `Score` if they differ or none is known."""
    found = {numbers[score].heading if score in numbers else "Score" for score in scores}
    return found.pop() if len(found) == 1 else "Score"

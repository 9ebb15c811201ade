"""What scores measure: names that settings, tables and figures share, and which way is better."""

from dataclasses import dataclass

ACCURACY = "accuracy"


@dataclass(frozen=True)
class Measure:
    """A number that a score gives.

    Attributes:
        heading: its name on axes and in tables.
        lower_is_better: whether a smaller number is a better one.
        fraction: whether it is a part of 1, which is shown in per cent.
    """

    heading: str
    lower_is_better: bool = False
    fraction: bool = True


OF_CROP_PAIRS = {
    "recall@1": Measure("Recall@1 of crops"),
    "recall@10": Measure("Recall@10 of crops"),
    "mrr": Measure("Mean reciprocal rank of crops"),
    "alignment": Measure("Alignment of crops", lower_is_better=True, fraction=False),
    "uniformity": Measure("Uniformity of crops", lower_is_better=True, fraction=False),
}
MEASURES = {ACCURACY: Measure("Accuracy")} | OF_CROP_PAIRS


def score_name(score: str, measure: str) -> str:
    """What a table calls a measure of a score: `crop_pairs_recall@1`; accuracy is called like its score."""
    return score if measure == ACCURACY else f"{score}_{measure}"


def in_settings(settings: str) -> str:
    """The measure that the settings of a score row name; `accuracy` if they name none."""
    first = settings.split(" ", 1)[0]
    return first.removeprefix("measure=") if first.startswith("measure=") else ACCURACY

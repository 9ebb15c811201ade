"""Tables of published numbers: required and optional columns, and checks of cells."""

from collections.abc import Mapping

# Identity, value and source of a published number.
NEEDED_COLUMNS = ["experiment", "series", "x", "corpus", "step", "layer", "pooling", "score", "value", "source"]
# Optional columns about noise; missing columns are treated as empty.
#   noise: `split` if the number was scored on another random part of the corpus than ours; else empty.
#   rounding: half-width of the rounding interval of the number, a fraction of 1.
#   software: standard deviation of the same model's score between software versions, a fraction of 1.
#   not_comparable: a sentence on why the number cannot be compared with ours; else empty.
NOISE_COLUMNS = ["noise", "rounding", "software", "not_comparable"]
SPLIT = "split"


def problem(row: Mapping[str, str]) -> str | None:
    """Return an error message for the first invalid cell of `NOISE_COLUMNS`, given as text; None if all are valid."""
    noise, *numbers = ((row.get(column) or "").strip() for column in NOISE_COLUMNS[:3])
    if noise not in ("", SPLIT):
        return f"noise: {noise!r} is invalid; expected: {SPLIT} or an empty cell"
    for column, number in zip(NOISE_COLUMNS[1:3], numbers, strict=True):
        try:
            valid = not number or 0 <= float(number) < 1
        except ValueError:
            valid = False
        if not valid:
            return f"{column}: {number!r} is invalid; expected: a number from 0 to below 1, or an empty cell"
    return None

"""Published numbers: the columns that a table of them must and may have, and what their cells may say."""

from collections.abc import Mapping

# What published numbers are compared by, and their value and source.
NEEDED_COLUMNS = ["experiment", "series", "x", "corpus", "step", "layer", "pooling", "score", "value", "source"]
# What is known of their noise; a table without these columns is read as if their cells were empty.
#   noise: `split` if the number was scored on another random part of the corpus than ours; else empty.
#   rounding: half of the interval that the printed or read number stands for, a fraction of 1 as the value.
#   software: standard deviation that other versions of the software give the same model's score, a fraction of 1.
#   not_comparable: why the number cannot be compared with ours, a sentence; else empty.
NOISE_COLUMNS = ["noise", "rounding", "software", "not_comparable"]
SPLIT = "split"


def problem(row: Mapping[str, str]) -> str | None:
    """What is invalid with the cells, as text, of a published number in `NOISE_COLUMNS`; None if nothing is."""
    said = (row.get("noise") or "").strip()
    if said not in ("", SPLIT):
        return f"noise: {said!r} is invalid; expected: {SPLIT} or an empty cell"
    for column in ("rounding", "software"):
        said = (row.get(column) or "").strip()
        try:
            allowed = not said or 0 <= float(said) < 1
        except ValueError:
            allowed = False
        if not allowed:
            return f"{column}: {said!r} is invalid; expected: a number from 0 to below 1, or an empty cell"
    return None

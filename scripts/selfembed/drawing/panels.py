"""Elements that several figures share: lines through means over seeds, marks of published values."""

import pandas as pd
from matplotlib.axes import Axes

PUBLISHED = {
    "color": "black",
    "marker": "x",
    "markersize": 2.5,
    "markeredgewidth": 0.5,
    "linestyle": "none",
    "zorder": 5,
}

DIVERGED = {
    "marker": "v",
    "markersize": 3,
    "markeredgewidth": 0.6,
    "linestyle": "none",
    "clip_on": False,
    "zorder": 4,
}


def lines(axis: Axes, scores: pd.DataFrame, x: str, colors: dict[str, object], **style) -> None:
    """Draw a line per series through the means over seeds, and a band from the lowest to the highest seed.

    Both have a gap where the runs of all seeds diverged. Diverged seeds are not part of the mean.

    Args:
        scores: columns `series`, `value` and the numeric column named `x`.
    """
    style = {"marker": ".", "markersize": 4, "markeredgewidth": 0, "linewidth": 0.8} | style
    for series in dict.fromkeys(scores["series"]):
        found = scores[scores["series"] == series].groupby(x)["value"].agg(["mean", "min", "max"])
        axis.fill_between(found.index, found["min"], found["max"], color=colors[series], alpha=0.2, linewidth=0)
        axis.plot(found.index, found["mean"], color=colors[series], label=series, **style)


def mark_diverged(axis: Axes, scores: pd.DataFrame, x: str, colors: dict[str, object]) -> bool:
    """Draw triangles above the lower axis where runs diverged: filled for all seeds, open for some.

    An axis with automatic limits gets room for them below the data.

    Args:
        scores: columns `series`, `value` (missing for diverged runs) and the numeric column named `x`.

    Returns whether any run diverged.
    """
    said = set()
    values = scores["value"].dropna()
    for height, series in enumerate(dict.fromkeys(scores["series"])):
        part = scores[scores["series"] == series]["value"].isna().groupby(scores[x]).mean()
        for what, rows in (("diverged", part == 1), ("some diverged", (part > 0) & (part < 1))):
            places = part.index[rows]
            if len(places):
                axis.plot(
                    places,
                    [0.02 + 0.04 * height] * len(places),  # one row per series
                    transform=axis.get_xaxis_transform(),
                    color=colors[series],
                    markerfacecolor=colors[series] if what == "diverged" else "none",
                    label="_" if what in said else what,
                    **DIVERGED,
                )
                said.add(what)
                if len(values):
                    room = (0.05 + 0.05 * height) * (values.max() - values.min())
                    axis.update_datalim([(0, values.min() - room)], updatex=False)
                    axis.autoscale_view(scalex=False)
    return bool(said)


def mark_published(axis: Axes, published: pd.DataFrame, x: str) -> None:
    """Draw a small cross at each published value."""
    if not published.empty:
        axis.plot(published[x].astype(float), published["value"], label="published", **PUBLISHED)


def numbers(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Rows with a number in a column, converted to numbers."""
    table = table.assign(**{column: pd.to_numeric(table[column], errors="coerce")})
    return table[table[column].notna()]


def letter(axis: Axes, text: str, x: float) -> None:
    """Draw a bold, right-aligned panel letter above an axis, at the axes coordinate x."""
    axis.text(x, 1.04, text, transform=axis.transAxes, fontsize=8, fontweight="bold", ha="right", va="bottom")

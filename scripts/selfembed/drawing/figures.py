"""Style of all figures, colours, reading of tables, saving."""

import os
import re
import textwrap
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfembed.errors import InputError
from selfembed.evidence.counterparts import KEY, counterparts
from selfembed.jobs.records import written_whole
from selfembed.scores import tables

CENTIMETRE = 1 / 2.54

# The paper's style: small fonts for print, thin axes without a frame. Arial or a metrically similar font.
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Liberation Sans", "Helvetica", "DejaVu Sans"],
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.4,
    "ytick.major.width": 0.4,
    "xtick.major.size": 2,
    "ytick.major.size": 2,
    "xtick.major.pad": 1.5,
    "ytick.major.pad": 1.5,
    "lines.linewidth": 1,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "figure.dpi": 300,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a $ in a label is a dollar sign
}

# Used without a colour in the config: matplotlib's ten colours in the order of the table.
DEFAULT_COLORS = plt.get_cmap("tab10").colors  # ty: ignore[missing-attribute]

# With fewer names, numba's compilation takes longer than the search itself. The colours are the same.
UNCOMPILED = 50


def new_figure(
    width: float, height: float, panels: int = 1, rows: int = 1, share_y: bool | str = False
) -> tuple[Figure, list[Axes]]:
    """Create a figure of `width` × `height` centimetres with `panels` panels in `rows` rows."""
    plt.rcParams.update(STYLE)
    figure, axes = plt.subplots(
        rows, -(-panels // rows), figsize=(width * CENTIMETRE, height * CENTIMETRE), squeeze=False, sharey=share_y
    )
    return figure, list(axes.flat)


def label_colors(labels: list[str], chosen: dict[str, str]) -> dict[str, object]:
    """A colour for each label: the configured one, or the next unused default colour."""
    taken = {matplotlib.colors.to_rgb(color) for color in chosen.values()}
    free = [color for color in DEFAULT_COLORS if color not in taken] or list(DEFAULT_COLORS)
    others = [label for label in labels if label not in chosen]
    return chosen | {label: free[position % len(free)] for position, label in enumerate(others)}


def chosen_colors(words: list[str]) -> dict[str, str]:
    """Parse colours from command-line words `label=#rrggbb`.

    Raises InputError if a word is invalid.
    """
    for word in words:
        if not re.fullmatch(r"(?s).*=#[0-9a-fA-F]{6}", word):
            raise InputError(f"--colors: {word!r} is invalid; expected: label=#rrggbb")
    pairs = (word.rsplit("=", 1) for word in words)
    return {wrapped(label): color for label, color in pairs}


def labels_and_colors(table: pd.DataFrame, words: list[str]) -> tuple[list[str], dict[str, object]]:
    """Labels of a table in its order, and a colour for each; `words` are configured colours, `label=#rrggbb`."""
    labels = list(dict.fromkeys(table["label"]))
    return labels, label_colors(labels, chosen_colors(words))


def wrapped(label: str) -> str:
    """Wrap a label to lines of at most 24 characters."""
    return textwrap.fill(label, 24)


class PercentTicks(matplotlib.ticker.PercentFormatter):
    """Fractions as percentages, with as many decimals as the ticks of an axis need."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Format all ticks of an axis with the same number of decimals, at most three."""
        exact = [all(abs(round(100 * value, n) - 100 * value) < 1e-6 for value in values) for n in range(3)]
        self.decimals = [*exact, True].index(True)
        return super().format_ticks(values)


def percent_axis(axis: matplotlib.axis.Axis) -> None:
    """Format fractions as percentages."""
    axis.set_major_formatter(PercentTicks(xmax=1, decimals=0))


def palette(names: list[str], **limits: object) -> dict[str, object]:
    """Distinguishable colours for any number of names, as in the paper (glasbey)."""
    limits = {"lightness_bounds": (20, 75), "chroma_bounds": (50, 90)} | limits
    return dict(zip(names, glasbey_palette(max(len(names), 2), **limits), strict=False))


@cache
def glasbey_palette(size: int, **limits: object) -> list[str]:
    """A palette of glasbey, which takes a quarter of a second for each colour."""
    if size < UNCOMPILED:
        os.environ["NUMBA_DISABLE_JIT"] = "1"
    import glasbey

    return glasbey.create_palette(palette_size=size, **limits)


def read_published(path: Path | None, scores: pd.DataFrame) -> pd.DataFrame:
    """Published numbers of the given scores, with their labels; empty without a file."""
    return scores.iloc[:0] if path is None else counterparts(tables.read(path, *KEY, "value"), scores)


def read_table(path: Path, **conditions: list) -> pd.DataFrame:
    """Rows of a table that satisfy all conditions (a column and its allowed values).

    Raises InputError if there is none.
    """
    table = tables.read(path, "label", "step", *conditions)
    table["label"] = table["label"].map(wrapped)
    table = tables.chosen(table, **conditions)
    if table.empty:
        wanted = ", ".join(f"{column} in {allowed}" for column, allowed in conditions.items())
        raise InputError(f"{path}: no row with {wanted}; nothing to draw")
    return table


def save(figure: Figure, paths: list[Path]) -> None:
    """Save a figure to each path, without dates, so that equal tables give equal bytes.

    Raises InputError if the extension of a path is not an image format.
    """
    for path in paths:
        if path.suffix.removeprefix(".") not in figure.canvas.get_supported_filetypes():
            raise InputError(f"{path}: '{path.suffix}' is no image format; expected: .png, .pdf, .svg")
        metadata = {"CreationDate": None} if path.suffix == ".pdf" else {}
        with written_whole(path) as temporary:
            figure.savefig(temporary, metadata=metadata)
    plt.close(figure)

"""Tables of scores in rows and columns, and their LaTeX."""

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.evidence import blocks
from selfembed.evidence.counterparts import counterparts
from selfembed.scores import measures, tables

# Contents of a cell, in the order of the arguments of `cell_text`.
NUMBERS = ["value", "std", "fraction", "finished", "seeds"]


def lay_out(
    scores: pd.DataFrame,
    published: pd.DataFrame | None,
    *,
    rows: str,
    columns: str,
    series: list[str],
    poolings: list[str],
    means: bool,
    repeated: list[str],
    numbers: dict[str, measures.Number],
) -> pd.DataFrame:
    """Lay out cells such as `58.9 ± 0.4 (58.7)`: mean ± standard deviation over seeds (published value), in per cent.

    Diverged runs are excluded and counted, as in `58.9 ± 0.4, 2 of 3 seeds`; a cell is `diverged` if all runs diverged.
    Alignment and uniformity are not fractions and are shown unscaled. Published values match ours in model, step,
    layer, pooling, score and corpora.

    Args:
        scores: table of an experiment; only last layers are shown.
        rows, columns: names of columns of `scores`.
        series: series to show, in this order; all if empty.
        poolings: poolings to show, in addition to `none` of bags of words.
        means: add means of cells (without spread) over corpora, or over tasks of blocks and over blocks, which are in
            rows or columns.
        repeated: corpora with the texts of another corpus, excluded from means.
        numbers: measures and headings by the name of the score.

    Raises InputError if no score is selected, if a cell has several values of one seed, or if a measure is missing.
    """
    shown = tables.chosen(tables.last_layers(scores), pooling=[*poolings, "none"])
    shown = tables.one_number_per([rows, columns], tables.chosen(shown, series=series))
    if shown.empty:
        raise InputError(f"nothing to lay out; expected: last layers of series {series or 'any'}, poolings {poolings}")
    published = shown.iloc[:0] if published is None else counterparts(published, shown)
    ours, known = (cells_of(table, rows, columns, numbers) for table in (shown, published))
    if means:
        ours, known = with_means(ours, known, rows, columns, repeated)
    values = known.set_index([rows, columns])["value"]
    text = []
    for row, column, *cell in ours[[rows, columns, *NUMBERS]].itertuples(index=False, name=None):
        value = values.get((row, column))
        text.append(cell_text(*cell) + ("" if value is None else f" ({cell_text(value, np.nan, cell[2])})"))
    ours = ours.assign(text=text)
    table = ours.drop_duplicates([rows, columns]).pivot(index=rows, columns=columns, values="text").fillna("")
    row_order, column_order = (
        [name for name in series if name in found] if series and axis == "series" else list(dict.fromkeys(ours[axis]))
        for axis, found in ((rows, table.index), (columns, table.columns))
    )
    table = table.loc[row_order, column_order]
    return table.rename_axis(columns=None).reset_index()


def cell_text(mean: float, std: float, fraction: bool = True, finished: float = np.nan, seeds: float = np.nan) -> str:
    """Format a cell: in per cent if the score is a fraction, with the standard deviation unless that is NaN.

    Args:
        finished, seeds: number of runs that did not diverge, and of all runs; NaN for a mean of cells.
    """
    if pd.isna(mean):
        return "diverged"
    scale, digits = (100, 1) if fraction else (1, 3)
    spread = "" if pd.isna(std) else f" ± {scale * std:.{digits}f}"
    return f"{scale * mean:.{digits}f}{spread}" + (f", {finished:.0f} of {seeds:.0f} seeds" if finished < seeds else "")


def cells_of(scores: pd.DataFrame, rows: str, columns: str, numbers: dict[str, measures.Number]) -> pd.DataFrame:
    """Compute the columns `NUMBERS` of each cell; `value` and `std` are over the `finished` of all `seeds`."""
    fractions = scores["score"].map(lambda score: measures.of(score, numbers).fraction).astype(bool)
    groups = scores.assign(fraction=fractions).groupby([rows, columns, "block"], sort=False, dropna=False)
    return groups.agg(
        value=("value", "mean"),
        std=("value", "std"),
        finished=("value", "count"),
        seeds=("value", "size"),
        fraction=("fraction", "first"),
    ).reset_index()


def with_means(
    cells: pd.DataFrame, published: pd.DataFrame, rows: str, columns: str, repeated: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Append the complete means over corpora or tasks to our and published cells."""
    by = [columns if rows == "corpus" else rows]
    if cells["block"].isna().all():
        both = blocks.corpus_means(cells, published, by, repeated)
    else:
        *both, sets = blocks.block_means(cells, published, by)
        both = [
            means.assign(corpus=means["block"].where(means["block"].isin(sets), "mean of " + means["block"]))
            for means in both
        ]
    fractions = cells.groupby(by, sort=False)["fraction"].first().reset_index()
    ours, theirs = (means.drop(columns="block", errors="ignore").merge(fractions, on=by, how="left") for means in both)
    return pd.concat([cells, ours], ignore_index=True), pd.concat([published, theirs], ignore_index=True)


def latex(table: pd.DataFrame, caption: str) -> str:
    """Format the table as LaTeX with booktabs rules."""
    alignment = "l" + "r" * (len(table.columns) - 1)
    header, *body = (
        " & ".join(escaped(str(cell)) for cell in row) + r" \\"
        for row in (["", *table.columns[1:]], *table.itertuples(index=False))
    )
    rows = "\n".join(body)
    return rf"""\begin{{table}}
\centering
\begin{{tabular}}{{{alignment}}}
\toprule
{header}
\midrule
{rows}
\bottomrule
\end{{tabular}}
\caption{{{escaped(caption)}}}
\end{{table}}
"""


LATEX_CHARACTERS = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "$-$",
}


def escaped(text: str) -> str:
    """Escape the special characters of LaTeX."""
    return text.translate(str.maketrans(LATEX_CHARACTERS))

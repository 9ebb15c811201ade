"""Tables for print: scores spread over rows and columns, as CSV and as LaTeX."""

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.evidence import blocks
from selfembed.evidence.counterparts import counterparts
from selfembed.scores import measures, tables

# What a cell says, in the order of the arguments of `spelled`.
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
    """A table of cells such as `58.9 ± 0.4 (58.7)`: per cent, mean ± standard deviation over seeds, published value.

    Seeds whose runs diverged are left out and counted, as in `58.9 ± 0.4, 2 of 3 seeds`; `diverged` if all did.
    Alignment and uniformity are no parts of 1, and shown as they are. A published value is of the same model, step,
    layer, pooling, score and corpora as ours, or is not there.

    Args:
        scores: table of an experiment; its last layers are shown.
        rows, columns: names of columns of `scores`.
        series: labels shown, in this order; all if empty.
        poolings: shown, besides `none` of bags of words.
        means: add means over corpora, or of blocks of tasks and over blocks (of cells, so without spread).
        repeated: corpora whose texts are those of another, which are in no mean.
        numbers: what scores measure, by their name.

    Raises InputError if nothing is left to show, if a cell would hold more than one number of a seed, or if it is not
    said what a score measures.
    """
    if means and "corpus" not in (rows, columns):
        raise InputError("means: no corpora in rows or columns; expected: means: false")
    shown = tables.chosen(tables.last_layers(scores), pooling=[*poolings, "none"])
    shown = tables.one_number_per([rows, columns], tables.chosen(shown, series=series))
    if shown.empty:
        raise InputError(f"nothing to lay out: no last layer of series {series or 'any'} with poolings {poolings}")
    published = shown.iloc[:0] if published is None else counterparts(published, shown)
    ours, known = (cells_of(table, rows, columns, numbers) for table in (shown, published))
    if means:
        ours, known = with_means(ours, known, rows, columns, repeated)
    values = known.set_index([rows, columns])["value"]
    text = []
    for row, column, *cell in ours[[rows, columns, *NUMBERS]].itertuples(index=False, name=None):
        value = values.get((row, column))
        text.append(spelled(*cell) + ("" if value is None else f" ({spelled(value, np.nan, cell[2])})"))
    ours = ours.assign(text=text)
    table = ours.drop_duplicates([rows, columns]).pivot(index=rows, columns=columns, values="text").fillna("")
    row_order = [name for name in series if name in table.index] if series and rows == "series" else None
    column_order = [name for name in series if name in table.columns] if series and columns == "series" else None
    table = table.loc[row_order or list(dict.fromkeys(ours[rows])), column_order or list(dict.fromkeys(ours[columns]))]
    return table.rename_axis(columns=None).reset_index()


def spelled(mean: float, std: float, fraction: bool = True, finished: float = np.nan, seeds: float = np.nan) -> str:
    """A cell in per cent, or as it is if it is no part of 1, with its spread if there is one.

    Args:
        finished, seeds: how many seeds there are, and how many of their runs did not diverge; NaN of a mean of cells.
    """
    if pd.isna(mean):
        return "diverged"
    scale, digits = (100, 1) if fraction else (1, 3)
    spread = "" if pd.isna(std) else f" ± {scale * std:.{digits}f}"
    return f"{scale * mean:.{digits}f}{spread}" + (f", {finished:.0f} of {seeds:.0f} seeds" if finished < seeds else "")


def cells_of(scores: pd.DataFrame, rows: str, columns: str, numbers: dict[str, measures.Number]) -> pd.DataFrame:
    """The cells of a table: `value` and `std` over seeds, and whether the score is a part of 1 (`fraction`).

    Of so many `seeds`, so many `finished`: the runs of the others diverged.
    """
    fractions = scores["score"].map(lambda score: measures.of(score, numbers).fraction).astype(bool)
    groups = scores.assign(fraction=fractions).groupby([rows, columns, "block"], sort=False, dropna=False)
    found = {"mean": "mean", "std": "std", "finished": "count", "seeds": "size"}
    found = {column: ("value", how) for column, how in found.items()} | {"fraction": ("fraction", "first")}
    return groups.agg(**found).reset_index().rename(columns={"mean": "value"})


def with_means(
    cells: pd.DataFrame, published: pd.DataFrame, rows: str, columns: str, repeated: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells, and published ones, followed by their means over corpora, or tasks; incomplete means are left out."""
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
    """The table as LaTeX with booktabs' rules."""
    alignment = "l" + "r" * (len(table.columns) - 1)
    lines = [escaped(str(column)) for column in table.columns]
    body = [" & ".join(escaped(str(cell)) for cell in row) + r" \\" for row in table.itertuples(index=False)]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\begin{{tabular}}{{{alignment}}}",
            r"\toprule",
            " & ".join(["", *lines[1:]]) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            rf"\caption{{{escaped(caption)}}}",
            r"\end{table}",
            "",
        ]
    )


LATEX_CHARACTERS = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "$-$",
}


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return text.translate(str.maketrans(LATEX_CHARACTERS))

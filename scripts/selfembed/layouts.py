"""Tables for print: scores spread over rows and columns, as CSV and as LaTeX."""

import numpy as np
import pandas as pd

from selfembed import blocks, tables
from selfembed.errors import InputError


def lay_out(
    scores: pd.DataFrame,
    published: pd.DataFrame | None,
    rows: str,
    columns: str,
    series: list[str],
    poolings: list[str],
    means: bool,
) -> pd.DataFrame:
    """A table of cells such as `58.9 ± 0.4 (58.7)`: per cent, mean ± standard deviation over seeds, published value.

    Seeds whose runs diverged are left out and counted, as in `58.9 ± 0.4, 2 of 3 seeds`; `diverged` if all did.
    Alignment and uniformity are no parts of 1, and shown as they are.

    Args:
        scores: table of an experiment; its last layers are shown.
        rows, columns: names of columns of `scores`.
        series: labels shown, in this order; all if empty.
        poolings: shown, besides `none` of bags of words.
        means: add means over corpora, or of blocks of tasks and of the blocks' means (of cells, so without spread).

    Raises InputError if nothing is left to show, or if a cell would hold more than one number of a seed.
    """
    if means and "corpus" not in (rows, columns):
        raise InputError("means: there are no corpora in rows or columns; allowed: means: false")
    cells = {}
    for name, table in (("ours", scores), ("published", published)):
        if table is None:
            continue
        shown = tables.chosen(tables.last_layers(table), pooling=[*poolings, "none"])
        shown = tables.one_number_per([rows, columns], tables.chosen(shown, series=series))
        shown = shown.assign(fraction=tables.fractions(shown))
        groups = shown.groupby([rows, columns, "block"], sort=False, dropna=False)
        numbers = {"mean": "mean", "std": "std", "finished": "count", "seeds": "size"}
        numbers = {column: ("value", how) for column, how in numbers.items()} | {"fraction": ("fraction", "first")}
        spread = groups.agg(**numbers).reset_index()
        cells[name] = with_means(spread, rows, columns) if means else spread
    if cells["ours"].empty:
        raise InputError(f"nothing to lay out: no last layer of series {series or 'any'} with poolings {poolings}")
    numbers = cells["ours"][["mean", "std", "fraction", "finished", "seeds"]].itertuples(index=False, name=None)
    ours = cells["ours"].assign(text=[spelled(*cell) for cell in numbers])
    if "published" in cells:
        values = cells["published"].set_index([rows, columns])["mean"]
        values = values[~values.index.duplicated()]
        known = [values.get((row, column)) for row, column in zip(ours[rows], ours[columns], strict=True)]
        ours["text"] += [f" ({100 * value:.1f})" if value is not None else "" for value in known]
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


def with_means(cells: pd.DataFrame, rows: str, columns: str) -> pd.DataFrame:
    """Cells followed by their means over the axis that holds corpora or tasks; incomplete ones are left out."""
    other = columns if rows == "corpus" else rows
    if cells["block"].isna().all():
        return pd.concat([cells, complete_means(cells, [other]).assign(corpus="mean")], ignore_index=True)
    means = complete_means(cells[~cells["block"].isin(blocks.WITHOUT_MEAN)], ["block", other])
    overall = complete_means(means, [other]).assign(corpus="mean of blocks")
    parts = [cells, means.assign(corpus="mean of " + means["block"]), overall]
    return pd.concat(parts, ignore_index=True)


def complete_means(cells: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Means of cells by some columns, of groups that lack none of the values that another group has."""
    kinds = ["block"] if "block" in by else []
    groups = cells.groupby(by, sort=False)
    means = blocks.complete(groups["mean"], kinds).rename(columns={"value": "mean"})
    return means.merge(groups["fraction"].first().reset_index(), on=by, how="left")


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
    return "".join(LATEX_CHARACTERS.get(character, character) for character in text)

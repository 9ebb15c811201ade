"""Summarise the scores of an experiment over seeds.

Writes a CSV table with mean, standard deviation and standard error over the seeds whose runs did not diverge, and the
number that did; and a table of the last layers as Markdown and as an HTML page.
"""

import pandas as pd

from selfembed.jobs import command_line
from selfembed.jobs.records import write_table, write_text
from selfembed.pages import table_page
from selfembed.scores import measures, tables

WITHOUT_SEED = ["label", *(column for column in tables.IDENTITY_COLUMNS if column not in ("model", "seed"))]


def summarise(scores: pd.DataFrame) -> pd.DataFrame:
    """Compute mean, standard deviation and standard error over seeds (the last two are missing for a single value).

    Seeds whose runs diverged have no value and are excluded; `diverged` is their number.
    """
    also = [name for name in (tables.LARGEST_CLASS,) if name in scores]
    groups = scores.groupby([*WITHOUT_SEED, *also], sort=False, dropna=False)["value"]
    found = {"mean": "mean", "standard_deviation": "std", "smallest": "min", "largest": "max", "n_seeds": "count"}
    table = groups.agg(**found).reset_index()
    table["diverged"] = groups.size().to_numpy() - table["n_seeds"]
    table["standard_error"] = table["standard_deviation"] / table["n_seeds"] ** 0.5
    return table


def for_print(summary: pd.DataFrame, numbers: dict[str, measures.Number]) -> pd.DataFrame:
    """Format the last layers in per cent; scores, steps and diverged seeds are shown if needed."""
    last = tables.last_layers(summary)
    scores_vary, steps_vary = last["score"].nunique() > 1, last.groupby("label")["step"].nunique().max() > 1
    names = {"model": last["label"], "corpus": last["corpus"]}
    names |= {"score": last["score"]} if scores_vary else {}
    names |= {"step": last["step"]} if steps_vary else {}
    names |= {"pooling": last["pooling"]}
    fractions = last["score"].map(lambda score: measures.of(score, numbers).fraction)
    unit = " (%)" if fractions.all() else " (parts of 1 in %)" if fractions.any() else ""
    cells = {
        f"{measures.heading(last['score'], numbers)}{unit}": format_score(last["mean"], fractions),
        "± standard error": format_score(last["standard_error"], fractions),
        "seeds": last["n_seeds"],
    }
    if tables.LARGEST_CLASS in last:
        cells["always the largest class"] = format_score(last[tables.LARGEST_CLASS], fractions)
    cells |= {"diverged": last["diverged"]} if last["diverged"].any() else {}
    return pd.DataFrame(names | cells)


def markdown(shown: pd.DataFrame) -> str:
    """Format a table as Markdown; names are on the left, numbers, which follow the pooling, on the right."""
    names = shown.columns.get_loc("pooling") + 1
    alignment = ("left",) * names + ("right",) * (len(shown.columns) - names)
    return shown.to_markdown(index=False, stralign="left", disable_numparse=True, colalign=alignment) + "\n"


def format_score(values: pd.Series, fractions: pd.Series) -> list[str]:
    """Format fractions of 1 in per cent with one decimal, other numbers with three, missing values as a dash."""
    return [
        "–" if pd.isna(value) else f"{100 * value:.1f}" if fraction else f"{value:.3f}"
        for value, fraction in zip(values, fractions, strict=True)
    ]


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, table="table of an experiment (CSV)")
    command_line.add_outputs(parser, output="CSV file", markdown="Markdown file", page="HTML file")
    measures.add_argument(parser)
    arguments = parser.parse_args(argv)
    summary = summarise(tables.read(arguments.table, *WITHOUT_SEED, "value"))
    write_table(summary, arguments.output)
    shown = for_print(summary, arguments.measures)
    write_text(markdown(shown), arguments.markdown)
    write_text(table_page.html(f"Scores of {arguments.table.stem}", shown), arguments.page)


if __name__ == "__main__":
    command_line.run(main)

"""Collect the scores of an experiment in one tidy table.

Writes a CSV table: the score rows with the columns label (in figures and tables), series (the label without swept
values), x (the swept value) and group. Scores of diverged runs are missing, which is an error outside a sweep.
"""

import pandas as pd

from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.jobs.records import write_table
from selfembed.scores import tables


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    what = "label, series, x and group (x and group may be empty), and score files (CSV); repeatable"
    command_line.add_entries(parser, tables.LINE_COLUMNS, what)
    command_line.add_outputs(parser, output="CSV file")
    arguments = parser.parse_args(argv)
    parts = []
    for names, paths in arguments.entry:
        parts.extend(tables.read(path, *tables.SCORE_COLUMNS).assign(**names) for path in paths)
        if names["label"] == names["series"]:
            check_no_divergence(names["label"], pd.concat(parts[-len(paths) :]))
    table = pd.concat(parts, ignore_index=True)
    also = [name for name in (tables.LARGEST_CLASS,) if name in table]
    write_table(table[[*tables.LINE_COLUMNS, *tables.SCORE_COLUMNS, *also]], arguments.output)


def check_no_divergence(label: str, scores: pd.DataFrame) -> None:
    """Raise InputError if a score is missing because its run, first trained for a sweep, diverged."""
    for row in scores[scores["value"].isna()].to_dict("records"):
        raise InputError(
            f"'{label}': no {row['score']} on {row['corpus']} at step {row['step']}, the run models/{row['model']} "
            "diverged (see its run.json); expected: diverged runs only in a `sweep`"
        )


if __name__ == "__main__":
    command_line.run(main)

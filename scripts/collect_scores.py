"""Collect the scores of one experiment into one tidy table.

Reads score files and the label of each in figures and tables. Writes a CSV table: the score rows with a column label.
"""

import pandas as pd

from selfembed import command_line, tables
from selfembed.command_line import existing
from selfembed.records import write_table


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--scores", type=existing, nargs="+", required=True, help="score files (CSV)")
    parser.add_argument("--labels", nargs="+", required=True, help="one label for each score file")
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args(argv)
    if len(arguments.scores) != len(arguments.labels):
        parser.error(f"{len(arguments.scores)} score files but {len(arguments.labels)} labels")
    parts = []
    for path, label in zip(arguments.scores, arguments.labels, strict=True):
        table = tables.read(path)
        table.insert(0, "label", label)
        parts.append(table)
    write_table(pd.concat(parts, ignore_index=True), arguments.output)


if __name__ == "__main__":
    command_line.run(main)

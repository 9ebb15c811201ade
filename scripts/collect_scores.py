"""Collect the scores of one experiment into one tidy table.

Reads score files, entry by entry. Writes a CSV table: the score rows with the columns label (in figures and tables),
series (the label without what a sweep changes), x (the value of the swept setting) and group.
"""

import pandas as pd

from selfembed import command_line, tables
from selfembed.records import write_table

NAMES = tuple(tables.LINE_COLUMNS)


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    what = "label, series, x and group (both may be empty), and the score files (CSV) they belong to; repeatable"
    command_line.add_entries(parser, NAMES, what)
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args(argv)
    parts = []
    for names, paths in command_line.read_entries(arguments.entry, NAMES):
        parts.extend(tables.read(path, *tables.SCORE_COLUMNS).assign(**names) for path in paths)
    table = pd.concat(parts, ignore_index=True)
    write_table(table[[*tables.LINE_COLUMNS, *tables.SCORE_COLUMNS]], arguments.output)


if __name__ == "__main__":
    command_line.run(main)

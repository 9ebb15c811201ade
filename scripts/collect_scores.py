"""Collect the scores of one experiment into one tidy table.

Reads score files, entry by entry. Writes a CSV table: the score rows with the columns label (in figures and tables),
series (the label without what a sweep changes), x (the value of the swept setting) and group.
"""

import pandas as pd

from selfembed import command_line, tables
from selfembed.command_line import existing
from selfembed.errors import InputError
from selfembed.records import write_table


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument(
        "--entry",
        nargs="+",
        action="append",
        required=True,
        metavar=("LABEL SERIES X GROUP FILE", "FILE"),
        help="label, series, x and group (both may be empty), and the score files (CSV) they belong to; repeatable",
    )
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args(argv)
    parts = []
    for words in arguments.entry:
        if len(words) < 5:
            raise InputError(f"--entry {' '.join(words)}: no file; needed: label, series, x, group, files")
        names = words[:4]
        for path in map(existing, words[4:]):
            parts.append(tables.read(path).assign(**dict(zip(tables.LINE_COLUMNS, names, strict=True))))
    table = pd.concat(parts, ignore_index=True)
    write_table(table[[*tables.LINE_COLUMNS, *tables.SCORE_COLUMNS]], arguments.output)


if __name__ == "__main__":
    command_line.run(main)

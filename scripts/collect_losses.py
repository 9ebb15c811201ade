"""Collect the loss histories of one experiment's runs into one tidy table.

Reads run folders, label by label. Writes a CSV table: one row per run and optimiser step.
"""

import pandas as pd

from selfembed.jobs import command_line
from selfembed.jobs.records import read_json, write_table
from selfembed.models import model_paths
from selfembed.scores import tables

NAMES = ("label",)


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    command_line.add_entries(parser, NAMES, "label, and the run folders that it belongs to; repeatable")
    command_line.add_outputs(parser, output="CSV file")
    arguments = parser.parse_args(argv)
    histories = []
    for names, folders in command_line.read_entries(arguments.entry, NAMES):
        for folder in folders:
            run = model_paths.identity(f"tuned/{read_json(folder / 'run.json', 'run')['run']}")
            histories.append(tables.read(folder / "loss.csv", "step", "loss").assign(**names, **run))
    table = pd.concat(histories, ignore_index=True)
    first = [*NAMES, *run]
    write_table(table[first + [column for column in table.columns if column not in first]], arguments.output)


if __name__ == "__main__":
    command_line.run(main)

"""Collect the loss histories of the runs of an experiment in one tidy table.

Writes a CSV table with one row per run and optimiser step.
"""

import pandas as pd

from selfembed.jobs import command_line, model_paths
from selfembed.jobs.records import read_json, write_table
from selfembed.scores import tables


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_entries(parser, ["label"], "label and the records of its runs; repeatable")
    command_line.add_outputs(parser, output="CSV file")
    arguments = parser.parse_args(argv)
    histories = []
    for names, records in arguments.entry:
        for record in records:
            run = model_paths.identity(f"tuned/{read_json(record / 'run.json', 'run')['run']}")
            histories.append(tables.read(record / "loss.csv", "step", "loss").assign(**names, **run))
    write_table(pd.concat(histories).set_index([*names, *run]).reset_index(), arguments.output)


if __name__ == "__main__":
    command_line.run(main)

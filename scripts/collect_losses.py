"""Collect the loss histories of one experiment's runs into one tidy table.

Reads run folders and the label of each. Writes a CSV table: one row per run and optimiser step.
"""

import pandas as pd

from selfembed import command_line, model_paths
from selfembed.command_line import existing
from selfembed.records import write_table


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--runs", type=existing, nargs="+", required=True, help="run folders")
    parser.add_argument(
        "--models", nargs="+", required=True, help="model path of each run, for instance tuned/…/seed-42"
    )
    parser.add_argument("--labels", nargs="+", required=True, help="label of each run")
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args(argv)
    tables = []
    for folder, model, label in zip(arguments.runs, arguments.models, arguments.labels, strict=True):
        history = pd.read_csv(folder / "loss.csv")
        tables.append(history.assign(label=label, **model_paths.identity(model)))
    table = pd.concat(tables, ignore_index=True)
    first = ["label", *model_paths.identity(arguments.models[0])]
    write_table(table[first + [column for column in table.columns if column not in first]], arguments.output)


if __name__ == "__main__":
    command_line.run(main)

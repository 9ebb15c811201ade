"""Collect the loss histories of one experiment's runs into one tidy table.

Reads run folders, entry by entry; the end of a folder's path is the model's. Writes a CSV table: one row per run and
optimiser step.
"""

import pandas as pd

from selfembed import command_line, model_paths
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
        metavar=("LABEL FOLDER", "FOLDER"),
        help="label, and the run folders it belongs to, …/tuned/{corpus}/{encoder}/{recipe}/seed-{seed}; repeatable",
    )
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args(argv)
    parts = []
    for label, *folders in arguments.entry:
        if not folders:
            raise InputError(f"--entry {label}: no folder; needed: label, folders")
        for folder in map(existing, folders):
            model = "/".join(folder.parts[-5:])
            parts.append(pd.read_csv(folder / "loss.csv").assign(label=label, **model_paths.identity(model)))
    table = pd.concat(parts, ignore_index=True)
    first = ["label", *model_paths.identity(model)]
    write_table(table[first + [column for column in table.columns if column not in first]], arguments.output)


if __name__ == "__main__":
    command_line.run(main)

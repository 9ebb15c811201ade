"""Collect the maps of an experiment in one table.

Writes a Parquet table with the columns series, corpus, id, label (class of the text), x, y.
"""

import pandas as pd

from selfembed.jobs import command_line
from selfembed.jobs.command_line import existing
from selfembed.jobs.records import write_table
from selfembed.scores import tables


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--maps", type=existing, nargs="+", required=True, help="maps (Parquet)")
    parser.add_argument("--series", nargs="+", required=True, help="label of the model of each map")
    parser.add_argument("--corpora", nargs="+", required=True, help="corpus of each map")
    command_line.add_outputs(parser, output="Parquet file")
    arguments = parser.parse_args(argv)
    parts = [
        tables.read_maps(path).assign(series=series, corpus=corpus)
        for path, series, corpus in zip(arguments.maps, arguments.series, arguments.corpora, strict=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    write_table(table[["series", "corpus", "id", "label", "x", "y"]], arguments.output)


if __name__ == "__main__":
    command_line.run(main)

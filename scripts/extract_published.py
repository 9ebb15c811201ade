"""Extract the published numbers of one experiment, in the columns of its table of scores.

Writes a CSV table, without rows if nothing was published.
"""

from selfembed.jobs import command_line
from selfembed.jobs.records import write_table
from selfembed.scores import tables


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "published")
    parser.add_argument("--experiment", required=True, help="experiment to extract")
    command_line.add_outputs(parser, output="CSV file")
    arguments = parser.parse_args(argv)
    published = tables.read(arguments.published, "experiment")
    rows = published[published["experiment"] == arguments.experiment]
    write_table(rows.drop(columns="experiment"), arguments.output)


if __name__ == "__main__":
    command_line.run(main)

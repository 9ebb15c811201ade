"""Extract the docstrings of installed Python packages as texts.

Parses the source files without importing them. Writes a Parquet table with the columns title, package, text.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import at_least, log
from selfembed.jobs.records import write_table
from selfembed.settings.corpora import PythonDocsSource
from selfembed.texts import python_docs


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    options.add(parser, PythonDocsSource)
    parser.add_argument("--processes", type=at_least(1), default=1, help="number of parallel processes")
    command_line.add_outputs(parser, output="Parquet file")
    arguments = parser.parse_args(argv)
    table = python_docs.extract(arguments.packages, arguments.processes)
    log.info("%d docstrings with prose in %d packages", len(table), len(arguments.packages))
    write_table(table, arguments.output)


if __name__ == "__main__":
    command_line.run(main)
